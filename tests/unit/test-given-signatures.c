/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/text.h"
#include "capture.h"
#include "image/given-signatures.h"
#include "temporary-directory.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void put(const char *path, const char *text) {
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
}

static void assert_given(const GivenSignatures *given, const char *id, const char *bytes,
                         const char *source) {
        const GivenSignature *found = given_signatures_find(given, id);

        assert_non_null(found);
        assert_int_equal(found->bytes.size, strlen(bytes));
        assert_memory_equal(found->bytes.bytes, bytes, strlen(bytes));
        assert_string_equal(found->source, source);
}

static void test_load(void **state) {
        _cleanup_(given_signatures_done) GivenSignatures given = {};

        assert_int_equal(mkdir("signed", 0755), 0);
        put("signed/a.sig", "of a");
        put("signed/b.c.sig", "of b.c");
        put("signed/.hidden.sig", "hidden");
        put("signed/other", "other");
        put("d.sig", "of d");
        put("SHA256SUMS.gpg", "of sums");
        put("e.json", "{\"e\": \"b2YgZQ==\", \"f\":\"b2YgZg==\"}\n");
        assert_int_equal(given_signatures_load(&given, WORDS("signed", "d.sig", "SHA256SUMS.gpg", "e.json")),
                         0);
        assert_int_equal(given.n_items, 6);
        assert_given(&given, "a", "of a", "signed/a.sig");
        assert_given(&given, "b.c", "of b.c", "signed/b.c.sig");
        assert_given(&given, "d", "of d", "d.sig");
        assert_given(&given, "SHA256SUMS", "of sums", "SHA256SUMS.gpg");
        assert_given(&given, "e", "of e", "e.json");
        assert_given(&given, "f", "of f", "e.json");
        assert_null(given_signatures_find(&given, "other"));
}

static const char *const *words;
static int answer;

static void load_words(void) {
        _cleanup_(given_signatures_done) GivenSignatures given = {};

        answer = given_signatures_load(&given, words);
}

static void test_refused(void **state) {
        static const struct {
                const char *words[3];
                int answer;
                const char *said;
        } cases[] = {
                { { "missing" }, -ENOENT, "Cannot read the signatures missing: " },
                { { "empty" }, -ENOENT, "There is no file ID.sig in the directory empty" },
                { { ".sig" }, -EBADMSG, "Cannot take the signature .sig: \"\" can be no ID" },
                { { "a b.sig" }, -EBADMSG, "\"a b\" can be no ID" },
                { { "nothing.sig" }, -EBADMSG, "The signature of \"nothing\" has 0 bytes" },
                { { "large.sig" }, -EFBIG, "Cannot read the signature large.sig: " },
                { { "a.sig", "a.json" },
                  -EBADMSG,
                  "a.json:2: There are two signatures of \"a\", one of them in a.sig" },
                { { "twice.json" }, -EBADMSG, "twice.json:1: There are two signatures of \"b\"" },
                { { "lines.json" }, -EBADMSG, "lines.json:3: The value of \"c\" is no text in base64" },
                { { "array.json" }, -EBADMSG, "array.json:1: There is no JSON object of IDs and signatures" },
        };
        _cleanup_(freep) char *large = calloc(1, GIVEN_SIGNATURE_SIZE_MAX + 2);

        memset(large, 'x', GIVEN_SIGNATURE_SIZE_MAX + 1);
        assert_int_equal(mkdir("empty", 0755), 0);
        put("a.sig", "a");
        put(".sig", "a");
        put("a b.sig", "a");
        put("nothing.sig", "");
        put("large.sig", large);
        put("a.json", "{\n\"a\": \"YQ==\"}");
        put("twice.json", "{\"b\": \"YQ==\", \"b\": \"YQ==\"}");
        put("lines.json", "{\n\"b\": \"YQ==\",\n\"c\": \"YQ=\"}");
        put("array.json", "[]");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                words = cases[i].words;
                _cleanup_(freep) char *said = capture_stderr(load_words);

                if (answer != cases[i].answer || !strstr(said, cases[i].said))
                        fail_msg("%s: %d, %s", words[0], answer, said);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_load),
                unit_test_in_directory(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
