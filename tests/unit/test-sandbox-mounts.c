/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox-fixture.h"

#include <string.h>

#define MOUNTS_MAX 16

/* For scripts: nothing lies below the root, or on top of it. */
#define ONE_ROOT "same 1 \"$(cut -d ' ' -f 5 /proc/self/mountinfo | grep -cx /)\"\n"

static char *mountinfo(void) {
        char *text = NULL;

        assert_int_equal(file_read(AT_FDCWD, "/proc/self/mountinfo", MIB, &text, NULL), 0);
        return text;
}

/* Runs a script with more mounts, and checks that the host's own are as before. */
static void script_with_mounts(Fixture *fixture, SandboxPolicy policy, const SandboxMount *more,
                               size_t n_more, const char *script) {
        _cleanup_(freep) char *before = mountinfo(), *after = NULL;
        SandboxMount room[MOUNTS_MAX];

        fixture_add_mounts(&policy, room, more, n_more);
        fixture_script(fixture, &policy, script);
        after = mountinfo();
        assert_string_equal(before, after);
}

static void test_dev(void **state) {
        script_with_mounts(
                *state, fixture_policy(*state), NULL, 0,
                "same \"$(cd /dev; echo *)\" 'fd full null ptmx pts random shm stderr stdin stdout tty urandom zero'\n"
                "echo gone >/dev/null; same \"$(head -c 3 /dev/zero | tr '\\0' x)\" xxx; denied write /dev/full\n"
                "same \"$(head -c 9 /dev/urandom | wc -c)\" 9; echo x >/dev/shm/x; : >/dev/pts/../new\n"
                "echo through >/dev/stdout; test -c /dev/ptmx; same \"$(stat -f -c %T /dev/pts)\" devpts");
}

static int open_terminal(void) {
        _cleanup_(fd_closep) int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), other = -EBADF;

        INSIDE_CHECK(fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0);
        INSIDE_CHECK(text_equal(ptsname(fd), "/dev/pts/0"));
        other = open("/dev/pts/0", O_RDWR | O_NOCTTY | O_CLOEXEC);
        INSIDE_CHECK(other >= 0 && isatty(other));
        return EXIT_SUCCESS;
}

static void test_terminals(void **state) {
        const SandboxPolicy policy = fixture_policy(*state);

        fixture_inside(*state, &policy, "open-terminal");
}

static void test_proc(void **state) {
        script_with_mounts(*state, fixture_policy(*state), NULL, 0,
                           "same \"$(cd /proc; echo [0-9]*)\" '1 2 3'\n"
                           "denied write /proc/sys/kernel/domainname; denied write /proc/sysrq-trigger\n"
                           "test -z \"$(cat /proc/kcore /proc/kallsyms /proc/keys)\"\n"
                           "echo renamed >/proc/self/comm");
}

static void test_sys(void **state) {
        SandboxPolicy policy = fixture_policy(*state);

        script_with_mounts(*state, policy, NULL, 0,
                           "test -d /sys/class; denied mkdir /sys/fs/x; denied write /sys/power/state");
        policy.network = true;
        script_with_mounts(*state, policy, NULL, 0,
                           "test -d /sys/class/net/lo; denied write /sys/power/state");
}

static void test_tmpfs(void **state) {
        static const SandboxMount more[] = {
                { .type = SANDBOX_TMPFS, .target = "/a", .options = "ro,mode=0700,size=64k,noexec" },
                { .type = SANDBOX_TMPFS, .target = "/b" },
        };

        script_with_mounts(
                *state, fixture_policy(*state), more, ELEMENTSOF(more),
                "same \"$(stat -c %a /run /tmp /a | tr '\\n' ,)\" 755,1777,700,; denied write /a/x; : >/b/x\n"
                "grep -q ' /a ro,relatime.*,noexec\\| /a ro,noexec' /proc/self/mountinfo\n"
                "grep -q ' /run rw,nosuid,nodev' /proc/self/mountinfo");
}

static void test_bind(void **state) {
        Fixture *const fixture = *state;
        _cleanup_(freep) char *shared = fixture_path(fixture->directory, "shared");
        _cleanup_(freep) char *file = fixture_path(shared, "file"),
                              *written = fixture_path(shared, "written");
        _cleanup_(freep) char *text = NULL;
        const SandboxMount more[] = {
                { .type = SANDBOX_BIND, .source = shared, .target = "/rw/deep" },
                { .type = SANDBOX_BIND_READ_ONLY, .source = shared, .target = "/ro" },
                { .type = SANDBOX_BIND, .source = file, .target = "/etc/file" },
                { .type = SANDBOX_BIND, .source = "/nonexistent", .target = "/none", .optional = true },
        };

        assert_int_equal(mkdir(shared, 0755), 0);
        fixture_write(file, "text");
        script_with_mounts(
                fixture, fixture_policy(fixture), more, ELEMENTSOF(more),
                "same \"$(cat /rw/deep/file /ro/file /etc/file)\" texttexttext\n"
                "denied write /ro/x; denied write /ro/file; echo written >/rw/deep/written; denied test -e /none");
        assert_int_equal(file_read(AT_FDCWD, written, KIB, &text, NULL), 0);
        assert_string_equal(text, "written\n");
}

static void test_bind_recursive(void **state) {
        const SandboxMount more[] = {
                { .type = SANDBOX_TMPFS, .target = "/outer" },
                { .type = SANDBOX_BIND, .source = "/dev", .target = "/with", .recursive = true },
                { .type = SANDBOX_BIND, .source = "/dev", .target = "/without" },
                { .type = SANDBOX_BIND_READ_ONLY,
                  .source = "/dev",
                  .target = "/protected",
                  .recursive = true },
        };

        /* In a user namespace what is mounted below cannot be left behind: it might hide something. */
        if (fixture_rootless || access("/dev/shm", W_OK) < 0 || access("/dev/pts/ptmx", F_OK) < 0)
                skip();
        script_with_mounts(
                *state, fixture_policy(*state), more, ELEMENTSOF(more),
                "test -e /with/pts/ptmx; denied test -e /without/pts/ptmx; denied mkdir /protected/shm/x");
}

static void test_missing_source(void **state) {
        SandboxPolicy policy = fixture_policy(*state);
        const SandboxMount more = { .type = SANDBOX_BIND, .source = "/nonexistent", .target = "/none" };
        SandboxMount room[MOUNTS_MAX];
        Reason reason = {};

        fixture_add_mounts(&policy, room, &more, 1);
        assert_int_equal(fixture_run(*state, &policy, (const char *const[]){ "true", NULL }, &reason),
                         -ENOENT);
        assert_string_equal(reason.text, "bind /nonexistent on /none: No such file or directory");
        reason_done(&reason);
}

static void test_overlay_as_root(void **state) {
        Fixture *const fixture = *state;
        _cleanup_(freep) char *upper = fixture_path(fixture->directory, "upper");
        _cleanup_(freep) char *work = fixture_path(fixture->directory, "work");
        _cleanup_(freep) char *below = fixture_path(fixture->tree, "below");
        _cleanup_(freep) char *new = fixture_path(upper, "new"),
                              *not_new = fixture_path(fixture->tree, "new");
        _cleanup_(freep) char *options = NULL;
        SandboxPolicy policy = fixture_policy(fixture);
        SandboxMount mounts[MOUNTS_MAX] = { { .type = SANDBOX_OVERLAY, .target = "/" } };

        assert_int_equal(mkdir(upper, 0755), 0);
        assert_int_equal(mkdir(work, 0755), 0);
        fixture_write(below, "text");
        assert_int_equal(
                text_format(&options, "lowerdir=%s,upperdir=%s,workdir=%s", fixture->tree, upper, work), 0);
        mounts[0].options = options;
        memcpy(mounts + 1, fixture_mounts, sizeof(fixture_mounts));
        policy.mounts = mounts;
        policy.n_mounts = 1 + ELEMENTSOF(fixture_mounts);

        fixture_script(
                fixture, &policy,
                ONE_ROOT
                "same \"$(stat -f -c %T /)\" overlayfs; same \"$(cat /below)\" text; echo x >/new; test -c /dev/null");
        assert_int_equal(access(new, F_OK), 0);
        assert_int_equal(access(not_new, F_OK), -1);

        policy.root_read_only = true;
        fixture_script(fixture, &policy, "denied write /newer; test -e /new; test -c /dev/null; : >/run/x");
}

static void test_read_only_root(void **state) {
        SandboxPolicy policy = fixture_policy(*state);
        static const SandboxMount more = { .type = SANDBOX_TMPFS, .target = "/missing/deep" };

        policy.root_read_only = true;
        script_with_mounts(*state, policy, &more, 1,
                           "denied write /x; denied mkdir /missing/x; : >/missing/deep/x; : >/tmp/x");
}

/* The host's own tree, with a directory that is written to at its own path: how debootstrap runs. */
static void test_host_as_root(void **state) {
        Fixture *const fixture = *state;
        _cleanup_(freep) char *file = fixture_path(fixture->tree, "file"), *text = NULL, *script = NULL;
        const SandboxMount mounts[] = {
                { .type = SANDBOX_PROC, .target = "/proc" },
                { .type = SANDBOX_DEV, .target = "/dev" },
                { .type = SANDBOX_SYS, .target = "/sys" },
                { .type = SANDBOX_TMPFS, .target = "/run" },
                { .type = SANDBOX_BIND, .source = fixture->tree, .target = fixture->tree },
        };
        SandboxPolicy policy = fixture_policy(fixture);

        policy.root = "/";
        policy.root_read_only = true;
        policy.mounts = mounts;
        policy.n_mounts = ELEMENTSOF(mounts);
        assert_int_equal(
                text_format(&script,
                            "denied write %s/outside; denied write /etc/x; denied write /var/tmp/x\n"
                            "denied write /sys/power/state; test -d /sys/class/net/lo; echo x >%s/file",
                            fixture->directory, fixture->tree),
                0);
        fixture_script(fixture, &policy, script);
        policy.n_mounts = 0; /* what the host has mounted below is read-only too */
        fixture_script(fixture, &policy, "denied write /dev/shm/x; denied write /proc/self/comm");
        policy.n_mounts = ELEMENTSOF(mounts);
        policy.network = true;
        fixture_script(fixture, &policy, script);
        assert_int_equal(file_read(AT_FDCWD, file, KIB, &text, NULL), 0);
        assert_string_equal(text, "x\n");
}

/* The old root is really gone: nothing mounted shows it. */
static void test_host_is_gone(void **state) {
        Fixture *const fixture = *state;
        _cleanup_(freep) char *script = NULL;

        assert_int_equal(text_format(&script, "denied test -e %s; denied test -e /../..%s\n" ONE_ROOT,
                                     fixture->tree, fixture->tree),
                         0);
        script_with_mounts(fixture, fixture_policy(fixture), NULL, 0, script);
}

typedef struct TrapCase {
        const char *name, *target; /* a link in the tree */
} TrapCase;

/* Links that lead outside when followed by the host. */
static void test_traps(void **state) {
        Fixture *const fixture = *state;
        static const TrapCase traps[] = {
                { "etc", "/../../../var/tmp" },
                { "dev", "../../outside" },
                { "proc", "/var/tmp/../../etc" },
                { "sys", "/outside" },
                { "run", "../../../../../../../../../../run" },
                { "tmp", "/tmp/tmp/.." },
        };
        _cleanup_(freep) char *outside = fixture_path(fixture->directory, "outside");
        SandboxPolicy policy = fixture_policy(fixture);
        Reason reason = {};

        for (size_t i = 0; i < ELEMENTSOF(traps); i++) {
                _cleanup_(freep) char *path = fixture_path(fixture->tree, traps[i].name);
                _cleanup_(freep) char *before = mountinfo(), *after = NULL;

                assert_int_equal(symlink(traps[i].target, path), 0);
                /* Either it works inside, or it is refused; in neither case the host sees anything of it. */
                const int r = fixture_run(fixture, &policy, (const char *const[]){ "true", NULL }, &reason);
                assert_true(r == 0 || r == -ELOOP);
                reason_done(&reason);
                assert_int_equal(access(outside, F_OK), -1);
                after = mountinfo();
                assert_string_equal(before, after);
                assert_int_equal(unlink(path), 0);
        }
}

/* The host's resolver is seen inside, and the tree keeps its own, whatever that is. */
static void test_resolver(void **state) {
        Fixture *const fixture = *state;
        static const char *const links[] = { NULL,
                                             "",
                                             "../run/systemd/resolve/stub-resolv.conf",
                                             "/run/resolv.conf",
                                             "../var/nowhere/resolv.conf",
                                             "other.conf" };
        _cleanup_(freep) char *host = fixture_path(fixture->directory, "host.conf");
        _cleanup_(freep) char *etc = fixture_path(fixture->tree, "etc"),
                              *path = fixture_path(etc, "resolv.conf");
        const SandboxMount more = { .type = SANDBOX_BIND_READ_ONLY,
                                    .source = host,
                                    .target = "/etc/resolv.conf" };

        fixture_write(host, "nameserver 198.51.100.1\n");
        assert_int_equal(mkdir(etc, 0755), 0);
        for (size_t i = 0; i < ELEMENTSOF(links); i++) {
                char target[PATH_MAX] = "";
                struct stat status;

                if (links[i] && links[i][0])
                        assert_int_equal(symlink(links[i], path), 0);
                else if (links[i])
                        fixture_write(path, "# own\n");
                script_with_mounts(
                        fixture, fixture_policy(fixture), &more, 1,
                        "same \"$(cat /etc/resolv.conf)\" 'nameserver 198.51.100.1'; denied write /etc/resolv.conf");

                if (!links[i]) {
                        assert_int_equal(lstat(path, &status), -1);
                        continue;
                }
                if (links[i][0]) {
                        assert_true(readlink(path, target, sizeof(target) - 1) > 0);
                        assert_string_equal(target, links[i]);
                        assert_int_equal(stat(path, &status), -1);
                } else {
                        _cleanup_(freep) char *text = NULL;
                        assert_int_equal(file_read(AT_FDCWD, path, KIB, &text, NULL), 0);
                        assert_string_equal(text, "# own\n");
                }
                assert_int_equal(unlink(path), 0);
        }
}

int main(int argc, char *argv[]) {
        static const Inside inside[] = { { "open-terminal", open_terminal } };
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_dev, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_terminals, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_proc, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_sys, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_tmpfs, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_bind, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_bind_recursive, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_missing_source, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_overlay_as_root, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_read_only_root, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_host_as_root, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_host_is_gone, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_traps, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_resolver, fixture_setup, fixture_teardown),
        };

        return fixture_main(argc, argv, inside, ELEMENTSOF(inside), tests, ELEMENTSOF(tests));
}
