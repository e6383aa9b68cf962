/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sign-request-fixture.h"

/* What was written is read, and is the same when it is written again. */
static void test_round_trip(void **state) {
        static const int64_t times[] = { 1700000000, 0, AUTHENTICODE_NO_TIME };

        for (size_t i = 0; i < ELEMENTSOF(times); i++) {
                _cleanup_(sign_request_done) SignRequest request = request_fixture_make(), again = {};
                _cleanup_(freep) char *text = NULL, *text_again = NULL;
                unsigned line;

                request.time = times[i];
                assert_int_equal(sign_request_format(&request, &text), 0);
                assert_int_equal(sign_request_parse(text, strlen(text), &again, &line, NULL), 0);
                assert_int_equal(again.time, times[i]);
                assert_int_equal(again.n_items, request.n_items);
                assert_int_equal(sign_request_format(&again, &text_again), 0);
                assert_string_equal(text, text_again);
        }
}

/* Puts something else in the place of the only piece of that text. */
static char *replace(const char *text, const char *from, const char *to) {
        const char *at = strstr(text, from);
        char *changed = NULL;

        if (!at || strstr(at + 1, from))
                fail_msg("\"%s\" is not in the text once", from);
        assert_int_equal(text_format(&changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)), 0);
        return changed;
}

static void test_refused(void **state) {
        static const struct {
                const char *from, *to, *said;
                unsigned line;
        } cases[] = {
                { "\"sign_request_version\": 1", "\"sign_request_version\": 2", "of version 2, and 1 is",
                  52 },
                { "\"size\": 10000,", "\"size\": -1,", "\"size\" is no whole number", 4 },
                { "\"size\": 10000,", "\"size\": 9999999999999999999,", "too large", 52 },
                { "\"size\": 10000,", "", "\"size\" is missing", 51 },
                { "1700000000", "18000000000000000000", "too large", 52 },
                { "\"sha256\": \"d1", "\"sha256\": \"D1", "is no digest", 52 },
                { "\"id\": \"verity\"", "\"id\": \"../verity\"", "\"../verity\" can be no ID", 43 },
                { "\"id\": \"verity\"", "\"id\": \"secure-boot-1\"", "two items \"secure-boot-1\"", 43 },
                { "\"kind\": \"verity\"", "\"kind\": \"other\"", "There is no kind \"other\"", 43 },
                { "\"path\": \"Signature\",", "", "\"path\" is missing", 43 },
                { "aGFzaA==", "aGFzaA", "are not base64", 43 },
                { "aGFzaA==", "aGFzaB==", "are not base64", 43 },
                { "aGFzaA==", "aGFzaB8=", "is not that of its bytes", 43 },
                { "\"bytes\": \"aGFzaA==\",", "", "Members of the item \"verity\" are missing", 43 },
                { "\"offset\": 5904", "\"offset\": 5905", "outside of the image", 52 },
                { "\"offset\": 5904", "\"offset\": 18446744073709551615", "outside of the image", 52 },
                { "\"size\": 4096", "\"size\": 0", "outside of the image", 52 },
                { "\"size\": 4096", "\"size\": 18446744073709551615", "outside of the image", 52 },
                { "\"offset\": 5904", "\"offset\": 149", "\"secure-boot-1\" and \"verity\" overlap", 52 },
                { "\"offset\": 96", "\"offset\": 97", "\"secure-boot-1\" and \"secure-boot-1\" overlap", 52 },
                { "\"path\": \"SHA256SUMS\",", "\"path\": \"SHA256SUMS\", \"bytes\": \"YQ==\",",
                  "is a file, and has more", 49 },
                { "\"kind\": \"checksums\",", "\"kind\": \"checksums\" ", "The member \"items\" is not", 47 },
        };
        _cleanup_(sign_request_done) SignRequest request = request_fixture_make();
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(sign_request_format(&request, &text), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *changed = replace(text, cases[i].from, cases[i].to);
                _cleanup_(sign_request_done) SignRequest read = {};
                _cleanup_(reason_done) Reason reason = {};
                unsigned line = 0;

                assert_int_equal(sign_request_parse(changed, strlen(changed), &read, &line, &reason),
                                 -EBADMSG);
                if (!strstr(reason.text, cases[i].said) || line != cases[i].line)
                        fail_msg("%s: %u: %s", cases[i].to, line, reason.text);
        }
        for (size_t size = 0; size < strlen(text) - 1; size++) {
                _cleanup_(sign_request_done) SignRequest read = {};
                unsigned line;

                assert_int_equal(sign_request_parse(text, size, &read, &line, NULL), -EBADMSG);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
