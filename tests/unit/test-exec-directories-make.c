/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "exec-rig.h"
#include "exec/exec-directories.h"
#include "unit/unit-load.h"

/* Makes what the settings say, and leaves it to look at. */
static int make(const char *setting, uid_t uid, bool dynamic, ExecDirectories *ret, Reason *reason) {
        _cleanup_(unit_freep) Unit *unit = NULL;
        int exit = 0;

        assert_int_equal(
                unit_new_transient("a.service", (const char *const[]){ setting, NULL }, "test", &unit), 0);
        assert_int_equal(exec_directories_plan(&unit->settings, unit->name, dynamic, ret, &exit, reason), 0);
        const int r = exec_directories_make(ret, uid, uid, dynamic, &exit, reason);
        assert_int_equal(r < 0, exit != 0);
        return r;
}

static void assert_made(const char *setting, uid_t uid, bool dynamic) {
        _cleanup_(exec_directories_done) ExecDirectories directories = {};
        _cleanup_(reason_done) Reason reason = {};

        if (make(setting, uid, dynamic, &directories, &reason) < 0)
                fail_msg("%s: %s", setting, reason.text);
}

static void assert_refused(const char *setting, uid_t uid, bool dynamic, const char *part) {
        _cleanup_(exec_directories_done) ExecDirectories directories = {};
        _cleanup_(reason_done) Reason reason = {};

        assert_true(make(setting, uid, dynamic, &directories, &reason) < 0);
        if (!strstr(reason.text, part))
                fail_msg("\"%s\" does not say \"%s\"", reason.text, part);
}

static void assert_is(const char *path, mode_t mode, uid_t uid) {
        struct stat status;

        if (lstat(path, &status) < 0)
                fail_msg("%s is not there", path);
        if (!S_ISLNK(mode))
                assert_int_equal(status.st_mode, mode);
        if (status.st_uid != uid || status.st_gid != uid)
                fail_msg("%s belongs to %u:%u", path, (unsigned)status.st_uid, (unsigned)status.st_gid);
}

static void assert_link(const char *path, const char *target) {
        char text[100] = "";

        assert_true(readlink(path, text, sizeof(text) - 1) > 0);
        assert_string_equal(text, target);
}

static void write_file(const char *path, uid_t uid) {
        assert_int_equal(file_write_text(AT_FDCWD, path, "text\n", 0644), 0);
        assert_int_equal(lchown(path, uid, uid), 0);
}

static void test_static(void **state) {
        rig_need(state);
        const mode_t before = umask(0077);
        assert_made("StateDirectory=static/deep", 1000, false);
        assert_made("RuntimeDirectory=static", 1000, true);
        (void)umask(before);
        assert_is("/var/lib/static", S_IFDIR | 0755, 0);
        assert_is("/var/lib/static/deep", S_IFDIR | 0755, 1000);
        assert_is("/run/static", S_IFDIR | 0755, 1000);

        /* The mode is set each time; and the owner, of everything, if the directory has another one. */
        assert_int_equal(chmod("/var/lib/static/deep", 0777), 0);
        write_file("/var/lib/static/deep/file", 1000);
        assert_made("StateDirectory=static/deep", 1001, false);
        assert_is("/var/lib/static/deep", S_IFDIR | 0755, 1001);
        assert_is("/var/lib/static/deep/file", S_IFREG | 0644, 1001);
}

static void test_dynamic(void **state) {
        rig_need(state);
        assert_made("StateDirectory=dynamic", 62000, true);
        assert_is("/var/lib/private", S_IFDIR | 0700, 0);
        assert_is("/var/lib/private/dynamic", S_IFDIR | 0755, 62000);
        assert_is("/var/lib/dynamic", S_IFLNK, 0);
        assert_link("/var/lib/dynamic", "private/dynamic");
        assert_made("StateDirectory=dynamic", 62000, true);

        assert_made("CacheDirectory=x/y/z", 62000, true);
        assert_link("/var/cache/x/y/z", "../../private/x/y/z");
        assert_is("/var/cache/private/x/y", S_IFDIR | 0755, 0);
        assert_is("/var/cache/private/x/y/z", S_IFDIR | 0755, 62000);

        /* The link of the parent leads to both. */
        assert_made("LogsDirectory=p p/q", 62000, true);
        assert_link("/var/log/p", "private/p");
        assert_is("/var/log/private/p/q", S_IFDIR | 0755, 62000);
        assert_is("/var/log/p/q", S_IFDIR | 0755, 62000);
}

/* What was written stays, whichever way. */
static void test_migration(void **state) {
        rig_need(state);
        assert_made("StateDirectory=there/back", 1000, false);
        write_file("/var/lib/there/back/file", 1000);
        assert_made("StateDirectory=there/back", 62001, true);
        assert_link("/var/lib/there/back", "../private/there/back");
        assert_is("/var/lib/private/there/back/file", S_IFREG | 0644, 62001);

        assert_made("StateDirectory=there/back", 1000, false);
        assert_is("/var/lib/there/back", S_IFDIR | 0755, 1000);
        assert_is("/var/lib/there/back/file", S_IFREG | 0644, 1000);
        assert_int_equal(access("/var/lib/private/there/back", F_OK), -1);

        /* An empty one beside the real one is in nobody's way, one that has something is. */
        assert_made("StateDirectory=both", 62001, true);
        assert_int_equal(unlink("/var/lib/both"), 0);
        assert_int_equal(mkdir("/var/lib/both", 0755), 0);
        assert_made("StateDirectory=both", 62001, true);
        assert_int_equal(unlink("/var/lib/both"), 0);
        assert_int_equal(mkdir("/var/lib/both", 0755), 0);
        write_file("/var/lib/both/file", 0);
        assert_refused("StateDirectory=both", 62001, true,
                       "There are both /var/lib/both and /var/lib/private/both");
}

/* A tree of one owner is shown as another's, where the file system can do that; any other is given away. */
static void test_shown(void **state) {
        _cleanup_(exec_directories_done) ExecDirectories shown = {}, mixed = {};

        rig_need(state);
        assert_made("StateDirectory=shown", 62002, true);
        write_file("/var/lib/private/shown/file", 62002);
        assert_int_equal(make("StateDirectory=shown", 62003, true, &shown, NULL), 0);
        if (shown.items[0].disk_uid == 62003) {
                print_message("no id-mapped mounts here\n");
                skip();
        }
        assert_int_equal(shown.items[0].disk_uid, 62002);
        assert_is("/var/lib/private/shown/file", S_IFREG | 0644, 62002);

        write_file("/var/lib/private/shown/other", 1000);
        assert_int_equal(make("StateDirectory=shown", 62003, true, &mixed, NULL), 0);
        assert_int_equal(mixed.items[0].disk_uid, 62003);
        assert_is("/var/lib/private/shown/file", S_IFREG | 0644, 62003);
        assert_is("/var/lib/private/shown/other", S_IFREG | 0644, 62003);
}

static void test_boundary(void **state) {
        rig_need(state);
        assert_made("CacheDirectory=b", 62000, true);
        assert_int_equal(chmod("/var/cache/private", 0755), 0);
        assert_refused("CacheDirectory=b", 62000, true, "chmod 0700 /var/cache/private");
        assert_int_equal(chmod("/var/cache/private", 0700), 0);
        assert_int_equal(chown("/var/cache/private", 1000, 0), 0);
        assert_refused("CacheDirectory=b", 62000, true, "only root may enter");
        assert_int_equal(chown("/var/cache/private", 0, 0), 0);
        assert_made("CacheDirectory=b", 62000, true);
}

/* Links that a service planted are not followed; those of the administrator are. */
static void test_links(void **state) {
        rig_need(state);
        assert_int_equal(mkdir("/run/victim", 0755), 0);
        write_file("/run/victim/file", 0);

        assert_made("StateDirectory=planted", 1000, false);
        assert_int_equal(symlink("/run/victim", "/var/lib/planted/link"), 0);
        assert_refused("StateDirectory=planted/link", 1000, false, "others than root may have made");
        assert_refused("StateDirectory=planted/link/deep", 1000, false, "/var/lib/planted/link/deep");
        assert_refused("StateDirectory=planted/link", 62000, true, "in the way of the link");
        assert_is("/run/victim", S_IFDIR | 0755, 0);
        assert_is("/run/victim/file", S_IFREG | 0644, 0);

        assert_int_equal(mkdir("/run/data", 0755), 0);
        assert_int_equal(symlink("/run/data", "/var/lib/linked"), 0);
        assert_made("StateDirectory=linked", 1000, false);
        assert_is("/run/data", S_IFDIR | 0755, 1000);
        assert_link("/var/lib/linked", "/run/data");
}

/* What is there of configuration is left alone. */
static void test_configuration(void **state) {
        rig_need(state);
        assert_int_equal(mount("rig", "/etc", "tmpfs", 0, "mode=0755"), 0);
        assert_made("ConfigurationDirectory=new", 1000, false);
        assert_is("/etc/new", S_IFDIR | 0755, 0);
        assert_int_equal(chmod("/etc/new", 0700), 0);
        assert_made("ConfigurationDirectory=new", 1000, false);
        assert_is("/etc/new", S_IFDIR | 0700, 0);
        assert_int_equal(umount2("/etc", MNT_DETACH), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_static),        cmocka_unit_test(test_dynamic),
                cmocka_unit_test(test_migration),     cmocka_unit_test(test_shown),
                cmocka_unit_test(test_boundary),      cmocka_unit_test(test_links),
                cmocka_unit_test(test_configuration),
        };

        return cmocka_run_group_tests(tests, rig_enter, NULL);
}
