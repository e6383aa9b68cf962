/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"
#include "run/nspawn.h"

static void assert_nspawn(bool managed, bool boot, const char *const arguments[4], const char *expected) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                load_fine(arguments[0], arguments[1], arguments[2], arguments[3]);
        _cleanup_(strv_freep) char **command = NULL;
        _cleanup_(freep) char *text = NULL, *whole = NULL;
        const char *const words[] = { "word", NULL };

        assert_int_equal(nspawn_command(&loaded->config, managed, boot, boot ? NULL : words, &command), 0);
        assert_int_equal(strv_join(STRV(command), " ", &text), 0);
        assert_int_equal(text_format(&whole, "systemd-nspawn --%s=%s/%s",
                                     boot || !strstr(expected, "word") ? "image" : "directory",
                                     fixture_directory, expected),
                         0);
        assert_string_equal(text, whole);
}

static void test_nspawn_command(void **state) {
        put_file("nspawn", "", 0644);
        assert_nspawn(true, true, (const char *const[4]){ "-tgpt_ext4" },
                      "image.raw --boot --ephemeral --private-network");
        assert_nspawn(true, false, (const char *const[4]){ "-tdirectory", "--with-network", "--persistent" },
                      "image -- word");
        assert_nspawn(true, true, (const char *const[4]){ "-tgpt_squashfs", "--settings=nspawn" },
                      "image.raw --boot --read-only --private-network --settings=trusted");
        assert_nspawn(false, false, (const char *const[4]){ "-tdirectory" },
                      "image --ephemeral --private-network --register=no --keep-unit -- word");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_nspawn_command, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
