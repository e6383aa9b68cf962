/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "view-fixture.h"

#include <sys/prctl.h>

#include "exec/exec-view.h"

#define LINES(...)     ((char **)(const char *[]){ __VA_ARGS__, NULL })
#define PRINT_SIZE_MAX 65536

static const ExecContext context = { .unit = (char *)"web@one.service",
                                     .private_tmp = (char *)"/mnt/t1",
                                     .private_var_tmp = (char *)"/mnt/t2" };
static const ExecDirectories no_directories = {};

/* The whole view as one text, in the order in which it is carried out where there are no links. */
static void print(const UnitSettings *settings, const ExecDirectories *directories,
                  char text[static PRINT_SIZE_MAX]) {
        ExecView view = {};
        Reason reason = {};

        int r = exec_view_make(&context, settings, directories, 64000, &view, &reason);
        if (r >= 0)
                r = view_plan(view.entries, &view.n_entries, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        text[0] = '\0';
        for (size_t i = 0; i < view.n_entries; i++) {
                _cleanup_(freep) char *line = NULL;

                assert_int_equal(view_print(&view.entries[i], &line), 0);
                assert_in_range(strlen(text) + strlen(line), 0, PRINT_SIZE_MAX - 2);
                (void)strncat(text, line, PRINT_SIZE_MAX - 1 - strlen(text));
                (void)strncat(text, "\n", PRINT_SIZE_MAX - 1 - strlen(text));
        }
        exec_view_done(&view);
}

static void assert_view(const UnitSettings *settings, const ExecDirectories *directories,
                        const char *expected) {
        static char text[PRINT_SIZE_MAX];

        print(settings, directories, text);
        assert_string_equal(text, expected);
}

#define VIEW(text, ...) assert_view(&(UnitSettings){ __VA_ARGS__ }, &no_directories, text)

static void test_protect_system(void **state) {
        VIEW("", .type = SERVICE_EXEC);
        VIEW("read-only /boot (optional)\nread-only /efi (optional)\nread-only /usr (optional)\n",
             .protect_system = PROTECT_SYSTEM_YES);
        VIEW("read-only /boot (optional)\nread-only /efi (optional)\nread-only /etc (optional)\n"
             "read-only /usr (optional)\n",
             .protect_system = PROTECT_SYSTEM_FULL);
        VIEW("read-only /\nwritable /dev (optional)\nwritable /home (optional)\nwritable /proc (optional)\n"
             "writable /root (optional)\nwritable /run/user (optional)\nwritable /sys (optional)\n",
             .protect_system = PROTECT_SYSTEM_STRICT);
}

static void test_protect_home(void **state) {
        VIEW("inaccessible /home (optional)\ninaccessible /root (optional)\ninaccessible /run/user (optional)\n",
             .protect_home = PROTECT_HOME_YES);
        VIEW("read-only /home (optional)\nread-only /root (optional)\nread-only /run/user (optional)\n",
             .protect_home = PROTECT_HOME_READ_ONLY);
        VIEW("tmpfs /home (mode=0755,nosuid,nodev,strictatime,ro, optional)\n"
             "tmpfs /root (mode=0755,nosuid,nodev,strictatime,ro, optional)\n"
             "tmpfs /run/user (mode=0755,nosuid,nodev,strictatime,ro, optional)\n",
             .protect_home = PROTECT_HOME_TMPFS);
}

static void test_switches(void **state) {
        VIEW("bind /mnt/t1 on /tmp\nbind /mnt/t2 on /var/tmp\n", .private_tmp = TRUTH_YES);
        VIEW("devices /dev\n", .private_devices = TRUTH_YES);
        VIEW("read-only /sys/fs/cgroup (optional)\n", .protect_control_groups = TRUTH_YES);
        static char text[PRINT_SIZE_MAX];
        print(&(UnitSettings){ .protect_kernel_tunables = TRUTH_YES }, &no_directories, text);
        assert_non_null(strstr(text, "inaccessible /proc/kallsyms (optional)\n"));
        assert_non_null(strstr(text, "inaccessible /proc/kcore (optional)\n"));
        assert_non_null(strstr(text, "read-only /proc/sys (optional)\n"));
        assert_non_null(strstr(text, "read-only /proc/sysrq-trigger (optional)\n"));
        assert_non_null(strstr(text, "read-only /sys (optional)\nwritable /sys/fs/cgroup (optional)\n"));
}

static void test_together(void **state) {
        /* What one of them leaves writable the other one does not. */
        static char text[PRINT_SIZE_MAX];
        print(&(UnitSettings){ .protect_system = PROTECT_SYSTEM_STRICT,
                               .protect_kernel_tunables = TRUTH_YES,
                               .protect_control_groups = TRUTH_YES,
                               .protect_home = PROTECT_HOME_READ_ONLY },
              &no_directories, text);
        assert_null(strstr(text, " /sys"));
        assert_null(strstr(text, " /home"));
        assert_non_null(strstr(text, "writable /proc (optional)\n"));
}

static void test_dynamic_user(void **state) {
        VIEW("read-only /\nwritable /dev (optional)\nwritable /proc (optional)\nwritable /sys (optional)\n"
             "bind /mnt/t1 on /tmp (nosuid)\nbind /mnt/t2 on /var/tmp (nosuid)\n",
             .dynamic_user = TRUTH_YES, .protect_system = PROTECT_SYSTEM_YES, .private_tmp = TRUTH_NO);
        /* What is stricter stays. */
        VIEW("read-only /\nwritable /dev (optional)\ninaccessible /home (optional)\nwritable /proc (optional)\n"
             "inaccessible /root (optional)\ninaccessible /run/user (optional)\nwritable /sys (optional)\n"
             "bind /mnt/t1 on /tmp (nosuid)\nbind /mnt/t2 on /var/tmp (nosuid)\n",
             .dynamic_user = TRUTH_YES, .protect_home = PROTECT_HOME_YES);
}

static void test_lists(void **state) {
        VIEW("read-only /\ninaccessible /a b\nwritable /srv/one\nread-only /srv/one/x (optional)\n"
             "writable /srv/two (optional)\nwritable /srv/web@one.service\n",
             .read_only_paths = LINES("/ -/srv/%i/x"),
             .read_write_paths = LINES("+/srv//%i/", "-+/srv/two /srv/%n"),
             .inaccessible_paths = LINES("'/a b'"));
        VIEW("bind /a on /a\nbind /a on /b:c\nbind-read-only /ro on /r (optional)\nbind /s on /s2 (shallow)\n",
             .bind_paths = LINES("/a:/b\\\\:c", "/a /s:/s2:norbind"),
             .bind_read_only_paths = LINES("-/ro:/r:rbind"));
        VIEW("tmpfs /a (mode=0755,nosuid,nodev,strictatime,size=10%,nr_inodes=400k)\n"
             "tmpfs /b (mode=0755,nosuid,nodev,strictatime,size=10%,nr_inodes=400k,ro,size=1M)\n",
             .temporary_file_system = LINES("/a /b:ro,size=1M"));
        /* What is said is more than what is implied. */
        VIEW("bind /srv on /tmp\nbind /mnt/t2 on /var/tmp\n", .private_tmp = TRUTH_YES,
             .bind_paths = LINES("/srv:/tmp"));
}

static void test_refused(void **state) {
        const struct {
                const char *text;
                UnitSettings settings;
        } rows[] = {
                { "ReadWritePaths=srv: not understood; paths are absolute and without \"..\"",
                  { .read_write_paths = LINES("srv") } },
                { "ReadOnlyPaths=/a/../b: not understood; paths are absolute and without \"..\"",
                  { .read_only_paths = LINES("/x /a/../b") } },
                { "InaccessiblePaths=-: not understood; paths are absolute and without \"..\"",
                  { .inaccessible_paths = LINES("-") } },
                { "BindPaths=/a:b: not understood; paths are absolute and without \"..\"",
                  { .bind_paths = LINES("/a:b") } },
                { "BindPaths=/a:/b:rw: not understood; paths are absolute and without \"..\"",
                  { .bind_paths = LINES("/a:/b:rw") } },
                { "TemporaryFileSystem=a: not understood; paths are absolute and without \"..\"",
                  { .temporary_file_system = LINES("a") } },
                { "ReadOnlyPaths='/x: a quote has no end", { .read_only_paths = LINES("'/x") } },
        };
        const ExecContext bare = { .unit = (char *)"web.service" };
        const UnitSettings dynamic = { .dynamic_user = TRUTH_YES };
        ExecView view;
        Reason reason = {};

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(exec_view_make(&context, &rows[i].settings, &no_directories, 0, &view,
                                                &reason),
                                 -EINVAL);
                assert_string_equal(reason.text, rows[i].text);
                reason_done(&reason);
        }
        assert_int_equal(exec_view_make(&bare, &dynamic, &no_directories, 0, &view, &reason), -EINVAL);
        assert_string_equal(reason.text, "PrivateTmp=: there is no directory to be seen as /tmp");
        reason_done(&reason);
}

static ExecDirectory items[] = {
        { EXEC_DIRECTORY_RUNTIME, (char *)"web", (char *)"/run/web", NULL, 0755, 64000 },
        { EXEC_DIRECTORY_STATE, (char *)"web/one", (char *)"/var/lib/web/one",
          (char *)"/var/lib/private/web/one", 0755, 63000 },
        { EXEC_DIRECTORY_STATE, (char *)"zoo", (char *)"/var/lib/zoo", (char *)"/var/lib/private/zoo", 0755,
          64000 },
        { EXEC_DIRECTORY_CONFIGURATION, (char *)"web", (char *)"/etc/web", NULL, 0755, 0 },
};

static void test_directories(void **state) {
        const ExecDirectories directories = { items, ELEMENTSOF(items) };
        const UnitSettings dynamic = { .dynamic_user = TRUTH_YES };
        static ExecDirectory plain[] = { { EXEC_DIRECTORY_STATE, (char *)"web", (char *)"/var/lib/web", NULL,
                                           0755, 33 } };
        const ExecDirectories plain_directories = { plain, ELEMENTSOF(plain) };
        const UnitSettings strict = { .protect_system = PROTECT_SYSTEM_STRICT,
                                      .protect_home = PROTECT_HOME_YES };

        assert_view(&dynamic, &directories,
                    "read-only /\nwritable /dev (optional)\nwritable /etc/web\nwritable /proc (optional)\n"
                    "bind /run/web on /run/web (nosuid, trusted /run)\n"
                    "writable /sys (optional)\nbind /mnt/t1 on /tmp (nosuid)\n"
                    "boundary /var/lib/private\n"
                    "bind /var/lib/private/web/one on /var/lib/private/web/one (nosuid, trusted "
                    "/var/lib/private, owner 63000 as 64000)\n"
                    "bind /var/lib/private/zoo on /var/lib/private/zoo (nosuid, trusted /var/lib/private)\n"
                    "bind /var/lib/private/web/one on /var/lib/web/one (optional, nosuid, trusted "
                    "/var/lib/private, owner 63000 as "
                    "64000)\n"
                    "bind /var/lib/private/zoo on /var/lib/zoo (optional, nosuid, trusted /var/lib/private)\n"
                    "bind /mnt/t2 on /var/tmp (nosuid)\n");
        assert_view(
                &strict, &plain_directories,
                "read-only /\nwritable /dev (optional)\ninaccessible /home (optional)\nwritable /proc (optional)\n"
                "inaccessible /root (optional)\ninaccessible /run/user (optional)\nwritable /sys (optional)\n"
                "writable /var/lib/web\n");
        assert_view(&(UnitSettings){}, &plain_directories, "");
}

/* The rest is about what really is so: /mnt stands for everything, as nothing of the host is to be touched. */

static const char *const covered[] = {
        "/home", "/root", "/run", "/tmp", "/var/cache", "/var/lib", "/var/tmp"
};

static int host_begin(void **state) {
        if (world_begin(state) < 0)
                return -1;
        for (size_t i = 0; world_possible() && i < ELEMENTSOF(covered); i++)
                if (mount("host", covered[i], "tmpfs", 0, "mode=1777") < 0)
                        return -1;
        return 0;
}

static int host_end(void **state) {
        for (size_t i = 0; world_possible() && i < ELEMENTSOF(covered); i++)
                if (umount2(covered[i], MNT_DETACH) < 0)
                        return -1;
        return world_end(state);
}

#define host_test(function) cmocka_unit_test_setup_teardown(function, host_begin, host_end)

static void in_service(const UnitSettings *settings, const ExecDirectories *directories,
                       void (*check)(void)) {
        ExecView view;
        Reason reason = {};

        const int r = exec_view_make(&context, settings, directories, 64000, &view, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        in_view(view.entries, view.n_entries, check);
        exec_view_done(&view);
}

static void check_full(void) {
        INSIDE_CHECK(write_error("/usr") == EROFS && write_error("/etc") == EROFS);
        INSIDE_CHECK(write_error("/home") == 0 && write_error("/var/lib") == 0 && write_error("/tmp") == 0);
}

static void check_home(void) {
        INSIDE_CHECK(count_entries("/home") == 0 && write_error("/home") == EROFS);
        INSIDE_CHECK(count_entries("/root") == 0 && count_entries("/run/user") == 0);
        INSIDE_CHECK(write_error("/run") == 0);
}

static void check_home_read_only(void) {
        INSIDE_CHECK(count_entries("/home") == 1 && write_error("/home") == EROFS &&
                     write_error("/root") == EROFS);
        INSIDE_CHECK(write_error("/run/user/1000") == EROFS && write_error("/run") == 0);
}

static void check_home_bound(void) {
        INSIDE_CHECK(count_entries("/home") == 1 && write_error("/home") == EROFS);
        INSIDE_CHECK(file_has("/home/me/file", "mine") && write_error("/home/me") == 0);
}

static void check_devices(void) {
        _cleanup_(fd_closep) int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        INSIDE_CHECK(fd >= 0 && write(fd, "x", 1) == 1);
        INSIDE_CHECK(access("/dev/kmsg", F_OK) < 0 && access("/dev/mem", F_OK) < 0 &&
                     access("/dev/loop-control", F_OK) < 0);
}

/* Not opened for writing, so that a broken setting changes nothing here. */
static bool is_read_only(const char *path) {
        return access(path, W_OK) < 0 && errno == EROFS;
}

static void check_kernel(void) {
        INSIDE_CHECK(is_read_only("/proc/sys/kernel/domainname"));
        INSIDE_CHECK(is_read_only("/proc/sysrq-trigger") || errno == ENOENT);
        INSIDE_CHECK(is_read_only("/sys/kernel") && file_has("/proc/kallsyms", ""));
        INSIDE_CHECK(!is_read_only("/proc/self/comm") && !is_read_only("/sys/fs/cgroup"));
}

static void check_groups(void) {
        INSIDE_CHECK(is_read_only("/sys/fs/cgroup") && !is_read_only("/sys/kernel"));
}

static void check_tmp(void) {
        INSIDE_CHECK(file_has("/tmp/own", "tmp") && file_has("/var/tmp/own", "var-tmp"));
        INSIDE_CHECK(access("/tmp/marker", F_OK) < 0 && access("/var/tmp/marker", F_OK) < 0);
        INSIDE_CHECK(write_error("/tmp") == 0);
}

static void test_settings(void **state) {
        world_only_as_root();
        make_directory("/home/me");
        make_file("/home/me/file", "mine");
        make_directory("/root/secret");
        make_directory("/run/user");
        make_mount("/run/user/1000", 0);
        make_directory("/mnt/t1");
        make_directory("/mnt/t2");
        make_file("/mnt/t1/own", "tmp");
        make_file("/mnt/t2/own", "var-tmp");
        make_file("/tmp/marker", "");
        make_file("/var/tmp/marker", "");
        in_service(&(UnitSettings){ .protect_system = PROTECT_SYSTEM_FULL }, &no_directories, check_full);
        in_service(&(UnitSettings){ .protect_home = PROTECT_HOME_YES }, &no_directories, check_home);
        in_service(&(UnitSettings){ .protect_home = PROTECT_HOME_TMPFS }, &no_directories, check_home);
        in_service(&(UnitSettings){ .protect_home = PROTECT_HOME_READ_ONLY }, &no_directories,
                   check_home_read_only);
        in_service(&(UnitSettings){ .protect_home = PROTECT_HOME_TMPFS, .bind_paths = LINES("/home/me") },
                   &no_directories, check_home_bound);
        in_service(&(UnitSettings){ .private_devices = TRUTH_YES }, &no_directories, check_devices);
        in_service(&(UnitSettings){ .protect_kernel_tunables = TRUTH_YES }, &no_directories, check_kernel);
        in_service(&(UnitSettings){ .protect_control_groups = TRUTH_YES }, &no_directories, check_groups);
        in_service(&(UnitSettings){ .private_tmp = TRUTH_YES }, &no_directories, check_tmp);
}

static void check_paths(void) {
        INSIDE_CHECK(write_error("/usr") == EROFS && write_error("/var/cache") == EROFS);
        INSIDE_CHECK(write_error("/var/lib") == 0 && write_error("/var/lib/fixed") == EROFS);
        INSIDE_CHECK(count_entries("/var/lib/hidden") == 0);
        INSIDE_CHECK(file_has("/var/lib/target/file", "source") && write_error("/var/lib/target") == 0);
        INSIDE_CHECK(file_has("/var/lib/fixed/target/file", "source") &&
                     write_error("/var/lib/fixed/target") == EROFS);
        INSIDE_CHECK(count_entries("/var/lib/empty") == 0 && write_error("/var/lib/empty") == 0);
}

static void test_paths(void **state) {
        const UnitSettings settings = {
                .protect_system = PROTECT_SYSTEM_STRICT,
                .read_write_paths = LINES("/var/lib"),
                .read_only_paths = LINES("/var/lib/fixed -/var/lib/none"),
                .inaccessible_paths = LINES("/var/lib/hidden"),
                .bind_paths = LINES("/mnt/source:/var/lib/target"),
                .bind_read_only_paths = LINES("/mnt/source:/var/lib/fixed/target"),
                .temporary_file_system = LINES("/var/lib/empty"),
        };

        world_only_as_root();
        make_directory("/var/lib/fixed/target");
        make_directory("/var/lib/hidden/secret");
        make_directory("/var/lib/target");
        make_directory("/var/lib/empty/full");
        make_directory("/mnt/source");
        make_file("/mnt/source/file", "source");
        in_service(&settings, &no_directories, check_paths);
}

static void check_dynamic(void) {
        static const char *const read_only[] = { "/",     "/etc",       "/usr",     "/home",
                                                 "/root", "/var/cache", "/var/lib", "/run" };
        struct stat status;

        for (size_t i = 0; i < ELEMENTSOF(read_only); i++)
                INSIDE_CHECK(write_error(read_only[i]) == EROFS);
        INSIDE_CHECK(count_entries("/var/lib/private") == 2 && write_error("/var/lib/private") == EROFS);
        INSIDE_CHECK(setresgid(64000, 64000, 64000) == 0 && setresuid(64000, 64000, 64000) == 0);
        INSIDE_CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0); /* as after execve(2) */
        INSIDE_CHECK(write_error("/var/lib/private/web/one") == 0 && write_error("/var/lib/zoo") == 0);
        INSIDE_CHECK(write_error("/run/web") == 0 && write_error("/tmp") == 0 &&
                     write_error("/var/tmp") == 0);
        INSIDE_CHECK(stat("/var/lib/web/one", &status) == 0 && status.st_uid == 64000);
        INSIDE_CHECK(file_write_text(AT_FDCWD, "/var/lib/zoo/new", "new", 0644) == 0);
        _cleanup_(fd_closep) int fd = open("/proc/self/comm", O_WRONLY | O_CLOEXEC);
        INSIDE_CHECK(fd >= 0 && write(fd, "new-name", 8) == 8);
        INSIDE_CHECK(access("/var/lib/private/other", F_OK) < 0 && errno == ENOENT);
}

static void make_owned(const char *path, uid_t uid) {
        make_directory(path);
        assert_int_equal(chown(path, uid, uid), 0);
}

static void test_dynamic_service(void **state) {
        const ExecDirectories directories = { items, 3 };
        struct stat status;

        world_only_as_root();
        make_owned("/var/lib/private/web/one", 63000);
        make_owned("/var/lib/private/zoo", 64000);
        make_owned("/var/lib/private/other", 64000);
        assert_int_equal(chmod("/var/lib/private", 0700), 0);
        make_directory("/var/lib/web");
        assert_int_equal(symlink("../private/web/one", "/var/lib/web/one"), 0);
        assert_int_equal(symlink("private/zoo", "/var/lib/zoo"), 0);
        make_owned("/run/web", 64000);
        make_owned("/mnt/t1", 64000);
        make_owned("/mnt/t2", 64000);
        in_service(&(UnitSettings){ .dynamic_user = TRUTH_YES }, &directories, check_dynamic);
        assert_int_equal(stat("/var/lib/private/zoo/new", &status), 0);
        assert_int_equal(status.st_uid, 64000);
}

static void check_hidden_state(void) {
        INSIDE_CHECK(count_entries("/var/lib") == 3 && count_entries("/var/lib/private") == 2);
        INSIDE_CHECK(file_has("/var/lib/zoo/file", "zoo") && write_error("/var/lib/zoo") == 0);
        INSIDE_CHECK(write_error("/var/lib/private") == EROFS && write_error("/var/lib") == 0);
}

/* Where the links are hidden the directories are there all the same. */
static void test_hidden_state(void **state) {
        const ExecDirectories directories = { items, 3 };

        world_only_as_root();
        make_owned("/var/lib/private/web/one", 64000);
        make_owned("/var/lib/private/zoo", 64000);
        make_file("/var/lib/private/zoo/file", "zoo");
        make_directory("/var/lib/web");
        assert_int_equal(symlink("../private/web/one", "/var/lib/web/one"), 0);
        assert_int_equal(symlink("private/zoo", "/var/lib/zoo"), 0);
        make_directory("/run/web");
        make_directory("/mnt/t1");
        make_directory("/mnt/t2");
        in_service(&(UnitSettings){ .dynamic_user = TRUTH_YES, .temporary_file_system = LINES("/var/lib") },
                   &directories, check_hidden_state);
}

/* The state may lie on another disk, where a link of the host leads to. */
static void test_elsewhere(void **state) {
        const ExecDirectories directories = { items, 3 };

        world_only_as_root();
        assert_int_equal(umount2("/var/lib", MNT_DETACH), 0);
        make_directory("/mnt/disk/lib/private");
        make_mount("/mnt/var", 0);
        make_directory("/mnt/var/tmp");
        make_directory("/mnt/var/cache");
        assert_int_equal(symlink("/mnt/disk/lib", "/mnt/var/lib"), 0);
        assert_int_equal(mount("/mnt/var", "/var", NULL, MS_BIND, NULL), 0);
        make_owned("/var/lib/private/web/one", 63000);
        make_owned("/var/lib/private/zoo", 64000);
        make_owned("/var/lib/private/other", 64000);
        make_directory("/var/lib/web");
        assert_int_equal(symlink("../private/web/one", "/var/lib/web/one"), 0);
        assert_int_equal(symlink("private/zoo", "/var/lib/zoo"), 0);
        make_owned("/run/web", 64000);
        make_owned("/mnt/t1", 64000);
        make_owned("/mnt/t2", 64000);
        in_service(&(UnitSettings){ .dynamic_user = TRUTH_YES }, &directories, check_dynamic);
        assert_int_equal(umount2("/var", MNT_DETACH), 0);
        assert_int_equal(mount("host", "/var/lib", "tmpfs", 0, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_protect_system),
                cmocka_unit_test(test_protect_home),
                cmocka_unit_test(test_switches),
                cmocka_unit_test(test_together),
                cmocka_unit_test(test_dynamic_user),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_directories),
                host_test(test_settings),
                host_test(test_paths),
                host_test(test_dynamic_service),
                host_test(test_hidden_state),
                host_test(test_elsewhere),
        };

        return cmocka_run_group_tests(tests, world_enter, NULL);
}
