/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox-fixture.h"

#include <string.h>
#include <sys/xattr.h>

#include "sandbox/sandbox-binfmt.h"

/* Programs that begin with these bytes are handed to cat(1), which prints them. */
#define MAGIC        "MKOSITEST"
#define REGISTRATION ":mkosi-test:M::" MAGIC "::/usr/bin/cat:F"

/* Before 6.7 the kernel does not let user namespaces have any; and some containers have none of their own. */
static void need_binfmt(void) {
        _cleanup_(reason_done) Reason reason = {};

        const int r = sandbox_binfmt_check(REGISTRATION, &reason);
        if (r < 0) {
                print_message("%s\n", reason_text(&reason, r));
                skip();
        }
}

static void test_program(void **state) {
        SandboxPolicy policy = fixture_policy(*state);

        need_binfmt();
        policy.binfmt = REGISTRATION;
        policy.suppress_sync = true;
        fixture_script(*state, &policy,
                       "printf " MAGIC " >/tmp/program; chmod +x /tmp/program\n"
                       "same \"$(/tmp/program)\" " MAGIC "\n"
                       "same \"$(sed -n 1p /proc/sys/fs/binfmt_misc/mkosi-test)\" enabled");

        /* Neither the host nor the next sandbox knows anything of it. */
        assert_true(access("/proc/sys/fs/binfmt_misc/mkosi-test", F_OK) < 0);
        policy.binfmt = NULL;
        fixture_script(
                *state, &policy,
                "printf " MAGIC
                " >/tmp/program; chmod +x /tmp/program; test ! -e /proc/sys/fs/binfmt_misc/mkosi-test\n"
                "denied env /tmp/program");
}

/* The command is process 1 itself. */
static void test_init(void **state) {
        SandboxPolicy policy = fixture_policy(*state);

        need_binfmt();
        policy.binfmt = REGISTRATION;
        policy.init = true;
        fixture_script(*state, &policy,
                       "test $$ = 1; printf " MAGIC
                       " >/tmp/program; chmod +x /tmp/program; same \"$(/tmp/program)\" " MAGIC);
}

/* Everybody is who he is outside, and may do to files and mounts what package managers do, but for device nodes. */
static void test_privileges(void **state) {
        SandboxPolicy policy = fixture_policy(*state);

        need_binfmt();
        if (fixture_rootless)
                skip();
        policy.binfmt = REGISTRATION;
        fixture_script(*state, &policy,
                       "echo x >/file; chown 1234:4294967294 /file; chmod 6755 /file\n"
                       "same \"$(stat -c %u:%g:%a /file)\" 1234:4294967294:6755\n"
                       "setpriv --reuid=1234 --clear-groups true\n"
                       "mkdir /tmp/mount; mount -t tmpfs tmpfs /tmp/mount; umount /tmp/mount\n"
                       "mount --bind /usr /tmp/mount; denied mknod /tmp/null c 1 3");

        _cleanup_(freep) char *path = fixture_path(((Fixture *)*state)->tree, "file");
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_uid, 1234);
}

/* What is set inside is read outside as if it had been set there: without the namespace's root, in version 2. */
static void test_file_capabilities(void **state) {
        SandboxPolicy policy = fixture_policy(*state);
        _cleanup_(freep) char *path = NULL;
        char value[64];

        need_binfmt();
        if (fixture_rootless || access("/usr/sbin/setcap", X_OK) < 0)
                skip();
        policy.binfmt = REGISTRATION;
        fixture_script(*state, &policy, "echo x >/file; setcap cap_net_raw=ep /file");
        path = fixture_path(((Fixture *)*state)->tree, "file");
        assert_int_equal(getxattr(path, "security.capability", value, sizeof(value)), 20);
        assert_int_equal(value[3], 2);
}

/* The interpreter's absence is found when it is registered. */
static void test_refused(void **state) {
        static const struct {
                const char *registration, *words;
        } cases[] = {
                { ":mkosi-test:M::" MAGIC "::/usr/bin/mkosi-no-such-program:F",
                  "register the interpreter: No such file" },
                { "nonsense", "register the interpreter: Invalid argument" },
        };

        need_binfmt();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                SandboxPolicy policy = fixture_policy(*state);
                Reason checked = {}, run = {};

                policy.binfmt = cases[i].registration;
                assert_true(sandbox_binfmt_check(cases[i].registration, &checked) < 0);
                assert_true(text_after_prefix(reason_text(&checked, -EIO), cases[i].words) != NULL);
                assert_true(fixture_run(*state, &policy, (const char *const[]){ "true", NULL }, &run) < 0);
                assert_non_null(strstr(reason_text(&run, -EIO), cases[i].words));
                reason_done(&checked);
                reason_done(&run);
        }
}

int main(int argc, char *argv[]) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_program, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_init, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_privileges, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_file_capabilities, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
        };

        return fixture_main(argc, argv, NULL, 0, tests, ELEMENTSOF(tests));
}
