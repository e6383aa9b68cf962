/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/personality.h>

#include "exec-rig.h"
#include "exec/exec-isolation.h"

static void assert_prints(const RigResult *result, const char *expected) {
        if (result->has_failed)
                fail_msg("%s", result->failed.text);
        assert_string_equal(result->output, expected);
        assert_int_equal(result->exit, 0);
}

static void test_personality(void **state) {
        rig_need(state);
#if defined(__x86_64__)
        _cleanup_(rig_result_done) RigResult other = RIG_SHELL("uname -m", "Personality=x86");
        assert_prints(&other, "i686\n");
#endif
        _cleanup_(rig_result_done) RigResult native =
                RIG_SHELL("cat /proc/self/personality", "Personality=native", "LockPersonality=yes");
        char expected[16];
        (void)snprintf(expected, sizeof(expected), "%08x\n", exec_personality_get());
        assert_prints(&native, expected);
}

static void test_keyring(void **state) {
        rig_need(state);
        if (access("/proc/keys", F_OK) < 0)
                skip();
        /* A session keyring of the user's own: nobody's number is its owner. */
        _cleanup_(rig_result_done) RigResult own =
                RIG_SHELL("grep -c 'keyring *_ses' /proc/keys", "KeyringMode=private");
        assert_int_equal(own.exit, 0);
        _cleanup_(rig_result_done) RigResult shared = RIG_SHELL("true", "KeyringMode=shared", "User=65534");
        assert_prints(&shared, "");
}

static void test_users(void **state) {
        rig_need(state);
        _cleanup_(rig_result_done) RigResult root =
                RIG_SHELL("set -- $(cat /proc/self/uid_map); echo $@; id -u", "PrivateUsers=yes");
        assert_prints(&root, "0 0 1\n0\n");
        _cleanup_(rig_result_done) RigResult user = RIG_SHELL(
                "for i in $(cat /proc/self/uid_map /proc/self/gid_map); do echo $i; done | tr '\\n' ' '; "
                "id -u; stat -c %u /etc/shadow; cat /proc/self/setgroups",
                "PrivateUsers=yes", "User=1", "Group=2");
        assert_prints(&user, "0 0 1 1 1 1 0 0 1 2 2 1 1\n0\ndeny\n");
        _cleanup_(rig_result_done) RigResult identity =
                RIG_SHELL("set -- $(cat /proc/self/uid_map); echo $@", "PrivateUsers=identity");
        assert_prints(&identity, "0 0 65536\n");
        /* All capabilities in there are none outside. */
        _cleanup_(rig_result_done) RigResult outside = RIG_SHELL(
                "mount -t tmpfs tmpfs /mnt 2>/dev/null && echo mounted; hostname x 2>/dev/null && echo named; :",
                "PrivateUsers=yes");
        assert_prints(&outside, "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_personality),
                cmocka_unit_test(test_keyring),
                cmocka_unit_test(test_users),
        };

        return cmocka_run_group_tests(tests, rig_enter, NULL);
}
