/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/checksums.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void test_format(void **state) {
        Artefacts artefacts = {
                .items = {
                        { .kind = ARTEFACT_IMAGE, .output = (char *)"/o/image.raw.xz", .hashed = true,
                          .digest = { { 0xab, 0xcd, [31] = 0x01 } } },
                        { .kind = ARTEFACT_NSPAWN, .output = (char *)"/o/image.nspawn", .hashed = true },
                        { .kind = ARTEFACT_MANIFEST, .output = (char *)"/o/image.manifest" },
                },
                .n_items = 3,
        };
        char *text = NULL;

        assert_int_equal(checksums_format(&artefacts, &text), 0);
        assert_string_equal(
                text, "abcd000000000000000000000000000000000000000000000000000000000001 *image.raw.xz\n" ZEROS
                      " *image.nspawn\n");
        free(text);

        artefacts.n_items = 0;
        assert_int_equal(checksums_format(&artefacts, &text), 0);
        assert_string_equal(text, "");
        free(text);
}

/* It would be read as two lines. */
static void test_line_break(void **state) {
        const Artefacts artefacts = {
                .items = { { .output = (char *)"/o/a\nb", .hashed = true } },
                .n_items = 1,
        };
        char *text = NULL;

        assert_int_equal(checksums_format(&artefacts, &text), -EILSEQ);
        assert_null(text);
}

/* Lines of others stay as they are, however they are marked; what is no line of sha256sum stays as well. */
static void test_replace(void **state) {
        static const char old[] = ZEROS " *a\n" ZEROS "  b\nnonsense\n\n" ZEROS " *ab\n" ZEROS " *b";
        const Sha256Digest digest = { { 0xab, [31] = 0x01 } };
        char *text = NULL;

        assert_int_equal(checksums_replace(old, "b", &digest, &text), 1);
        assert_string_equal(text,
                            ZEROS " *a\n"
                                  "ab00000000000000000000000000000000000000000000000000000000000001  b\n"
                                  "nonsense\n\n" ZEROS " *ab\n"
                                  "ab00000000000000000000000000000000000000000000000000000000000001 *b");
        free(TAKE_PTR(text));
        assert_int_equal(checksums_replace(old, "c", &digest, &text), 0);
        assert_int_equal(checksums_replace("", "a", &digest, &text), 0);
        assert_null(text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_line_break),
                cmocka_unit_test(test_replace),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
