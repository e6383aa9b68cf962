/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#define VERITY   "command line, --kernel-command-line: In KernelCommandLine=, "
#define CURE     "; leave it away, the verified root file system is found by its root hash\n"
#define BY_OTHER " contradicts Verity=yes (command line, --verity): it "

typedef struct Case {
        const char *option, *line;
        const char *message; /* "": it is fine */
} Case;

/* clang-format off */
static const Case cases[] = {
        { "--verity", "--kernel-command-line=quiet root=/dev/sda2",
          VERITY "root=/dev/sda2" BY_OTHER "mounts another root file system" CURE },
        { "--verity", "--kernel-command-line=\"root=LABEL=x\"",
          VERITY "root=LABEL=x" BY_OTHER "mounts another root file system" CURE },
        { "--verity", "--kernel-command-line=rd.systemd.verity=no",
          VERITY "rd.systemd.verity=no" BY_OTHER "leaves the root file system unverified" CURE },
        { "--verity", "--kernel-command-line=systemd.verity_root_data=/dev/a systemd.verity_root_hash=/dev/b",
          VERITY "systemd.verity_root_data=/dev/a" BY_OTHER "takes another partition for the root file system" CURE
          VERITY "systemd.verity_root_hash=/dev/b" BY_OTHER "takes another partition for the hash tree" CURE },
        { "--verity", "--kernel-command-line=roothash=0",
          VERITY "roothash=0 cannot be known beforehand: leave it away, with Verity=yes the root hash is put there\n" },
        { "--verity", "--kernel-command-line=ro quiet root=/dev/mapper/root systemd.volatile=state", "" },
        { "--verity", NULL, "" },
        { NULL, "--kernel-command-line=root=/dev/sda2 systemd.gpt_auto=0", "" },
        { NULL, "--kernel-command-line=roothash=0",
          VERITY "roothash=0 names a hash tree that the image does not have: leave it away, or say Verity=yes\n" },
        { "--encrypt=all", "--kernel-command-line=quiet rd.systemd.gpt_auto=no",
          VERITY "rd.systemd.gpt_auto=no keeps the root partition from being found by its type: leave it away, or "
          "name the root file system by root=\n" },
        { "--encrypt=all", "--kernel-command-line=rd.luks.name=x=root root=/dev/mapper/root", "" },
        { NULL, "--kernel-command-line=systemd.gpt_auto=yes", "" },
};
/* clang-format on */

static void test_root(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *words[] = { cases[i].option ?: "--debug", cases[i].line ?: "--debug" };
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

                assert_int_equal(load(&loaded, "-b", words[0], words[1], NULL), 0);
                assert_int_equal(resolve(loaded), cases[i].message[0] ? -EINVAL : 0);
                assert_texts(loaded->mistakes.texts, cases[i].message);
        }
}

/* Nobody reads it. */
static void test_not_bootable(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded, "--verity", "--kernel-command-line=root=/dev/sda2", NULL), 0);
        assert_fine(loaded, resolve(loaded));
}

int main(void) {
        const struct CMUnitTest tests[] = { TEST(test_root), TEST(test_not_bootable) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
