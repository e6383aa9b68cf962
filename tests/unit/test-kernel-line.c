/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/kernel-line.h"
#include "base/strv.h"

static void assert_split(const char *line, const char *const *expected) {
        _cleanup_(strv_freep) char **parameters = NULL;

        assert_int_equal(kernel_line_split(line, &parameters), 0);
        assert_true(strv_equal(STRV(parameters), expected));
}

static void test_split(void **state) {
        assert_split("", NULL);
        assert_split(" \t\n", NULL);
        assert_split("quiet  root=/dev/sda1\n", (const char *const[]){ "quiet", "root=/dev/sda1", NULL });
        /* Whoever looks for it, finds it. */
        assert_split("\"root=/dev/sda1\" x='a b' it's",
                     (const char *const[]){ "root=/dev/sda1", "x=a", "b", "its", NULL });
        assert_split("a\vb\fc\rd\xa0"
                     "e",
                     (const char *const[]){ "a", "b", "c", "d", "e", NULL });
}

static void test_names(void **state) {
        const char *value = "x";

        assert_true(kernel_parameter_is("root=a=b", "root", &value));
        assert_string_equal(value, "a=b");
        assert_true(kernel_parameter_is("root", "root", &value));
        assert_null(value);
        assert_true(kernel_parameter_is("root=", "root", NULL));
        assert_true(kernel_parameter_is("rd.a_b-c=1", "a-b_c", &value));
        assert_string_equal(value, "1");
        assert_false(kernel_parameter_is("rootfstype=ext4", "root", NULL));
        assert_false(kernel_parameter_is("roo=t", "root", NULL));
        assert_false(kernel_parameter_is("rd.rd.root=a", "root", NULL));
        assert_false(kernel_parameter_is("", "root", NULL));
}

static void test_verity(void **state) {
        static const struct {
                const char *parameter, *effect;
        } cases[] = {
                { "root=/dev/vda2", "mounts another root file system" },
                { "root=gpt-auto", "mounts another root file system" },
                { "root", "mounts another root file system" },
                { "root=/dev/mapper/root", NULL },
                { "netroot=nbd:a", "mounts another root file system" },
                { "systemd.verity=no", "leaves the root file system unverified" },
                { "rd.systemd.verity=0", "leaves the root file system unverified" },
                { "systemd.verity=maybe", "leaves the root file system unverified" },
                { "systemd.verity", NULL },
                { "rd.systemd.verity=yes", NULL },
                { "systemd.verity_root_data=/dev/vda2", "takes another partition for the root file system" },
                { "rd.systemd.verity-root-data=x", "takes another partition for the root file system" },
                { "systemd.verity_root_hash=/dev/vda3", "takes another partition for the hash tree" },
                { "systemd.verity_root_options=panic-on-corruption", NULL },
                { "systemd.verity_root_options=a,ignore-corruption",
                  "reads what does not fit to the hash tree" },
                { "mount.usr=/dev/vda4", "mounts another file system on /usr" },
                { "usrhash=00", "mounts another file system on /usr" },
                { "systemd.verity_usr_data=a", "mounts another file system on /usr" },
                { "systemd.verity_usr_hash=a", "mounts another file system on /usr" },
                { "roothash=00", NULL },
                { "rootflags=noatime", NULL },
                { "systemd.volatile=overlay", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *effect = kernel_parameter_defeats_verity(cases[i].parameter);

                if (cases[i].effect)
                        assert_string_equal(effect, cases[i].effect);
                else
                        assert_null(effect);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_split), cmocka_unit_test(test_names),
                                            cmocka_unit_test(test_verity) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
