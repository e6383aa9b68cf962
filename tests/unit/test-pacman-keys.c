/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/pacman-keys.h"

#define ONE   "2AC0A42EFB0B5CBC7A0402ED4DC95B6D7BE9892E"
#define THREE "D8AFDDA07A5B6EDFA7D8CCDAD6D055F927843F1C"
#define TWO   "3572FA2A1B067F22C58AF155F8B821B42A6FDCD7"

static void assert_list(char **list, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(strv_join(STRV(list), " ", &text), 0);
        assert_string_equal(text, expected);
}

static void test_list(void **state) {
        static const struct {
                const char *text, *expected;
        } cases[] = {
                { "", "" },
                { ONE ":4:\n" TWO ":4:\n", ONE " " TWO },
                { ONE "\r\n" TWO, ONE " " TWO },
                { "2ac0a42efb0b5cbc7a0402ed4dc95b6d7be9892e:4:\n", ONE },
                { "# comment\n\n" TWO " of somebody\n", TWO },
                { "4DC95B6D7BE9892E:4:\n" ONE "00:4:\nx" ONE "\n", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(strv_freep) char **list = NULL;

                assert_int_equal(pacman_key_list_parse(cases[i].text, &list), 0);
                assert_list(list, cases[i].expected);
        }
}

/* As gpg really says it, with subkeys that do not count. */
static void test_listing(void **state) {
        static const char *const lines[] = {
                "tru::1:1795700913:0:3:1:5",
                "pub:-:255:22:88C8E15E838BF9BC:1795700755:::-:::scSC:::::ed25519:::0:",
                "fpr:::::::::" ONE ":",
                "uid:-::::1795700755::F666793FC8C2EC0889C04490FE443562D4E7BEE3::Somebody::::::::::0:",
                "sub:-:255:18:4B47CC5C68EF63AB:1795700755::::::e:::::cv25519::",
                "fpr:::::::::0000000000000000000000000000000000000000:",
                "pub:-:4096:1:4DC95B6D7BE9892E:1795700755:::-:::scSC::::::23::0:",
                "fpr:::::::::" TWO ":",
                "fpr:::::::::" ONE ":",
                "pub:-:4096:1:4DC95B6D7BE9892E:1795700755:::-:::scSC::::::23::0:",
                "fpr:::::::::short:",
        };
        _cleanup_(pacman_key_listing_done) PacmanKeyListing listing = {};

        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                pacman_key_listing_follow(&listing, lines[i]);
        assert_int_equal(listing.error, 0);
        assert_list(listing.fingerprints, ONE " " TWO);
        assert_null(listing.expired);
        assert_null(listing.revoked);
}

/* A key of which only a subkey has expired is good. */
static void test_spoiled_keys(void **state) {
        static const char *const lines[] = {
                "pub:e:255:22:88C8E15E838BF9BC:1577836800:1577923200::-:::sc:::::ed25519::::0:",
                "fpr:::::::::" ONE ":",
                "pub:r:255:22:4DC95B6D7BE9892E:1795700755:::-:::sc:::::ed25519::::0:",
                "fpr:::::::::" TWO ":",
                "pub:-:255:22:1795700755000000:1795700755:::-:::sc:::::ed25519::::0:",
                "fpr:::::::::" THREE ":",
                "sub:e:255:18:4B47CC5C68EF63AB:1795700755:1795700756:::::e:::::cv25519::",
                "fpr:::::::::0000000000000000000000000000000000000000:",
        };
        _cleanup_(pacman_key_listing_done) PacmanKeyListing listing = {};

        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                pacman_key_listing_follow(&listing, lines[i]);
        assert_int_equal(listing.error, 0);
        assert_list(listing.fingerprints, ONE " " TWO " " THREE);
        assert_list(listing.expired, ONE);
        assert_list(listing.revoked, TWO);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_listing),
                cmocka_unit_test(test_spoiled_keys),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
