/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "view-fixture.h"

#include "base/strv.h"
#include "exec/private-tmp.h"

/* Both directories are empty ones of this program, so that nothing of the host's is touched. */
static int tmp_begin(void **state) {
        if (world_begin(state) < 0)
                return -1;
        return world_possible() && (mount("host", "/tmp", "tmpfs", 0, "mode=1777") < 0 ||
                                    mount("host", "/var/tmp", "tmpfs", 0, "mode=1777") < 0)
                       ? -1
                       : 0;
}

static int tmp_end(void **state) {
        if (world_possible() && (umount2("/tmp", MNT_DETACH) < 0 || umount2("/var/tmp", MNT_DETACH) < 0))
                return -1;
        return world_end(state);
}

static void assert_mode(const char *path, mode_t mode) {
        struct stat status;

        assert_int_equal(lstat(path, &status), 0);
        assert_int_equal(status.st_mode, S_IFDIR | mode);
        assert_int_equal(status.st_uid, 0);
}

/* As cleaners know them, and with modes that keep others out. */
static void assert_directory(const char *path, const char *where, const char *unit) {
        _cleanup_(freep) char *boot_id = NULL, *start = NULL, *outer = NULL, *id = NULL;
        _cleanup_(strv_freep) char **parts = NULL;

        assert_int_equal(file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", KIB, &boot_id, NULL), 0);
        assert_int_equal(strv_split(boot_id, "-\n", &parts), 0);
        assert_int_equal(strv_join(STRV(parts), "", &id), 0);
        assert_int_equal(text_format(&start, "%s/systemd-private-%s-%s-", where, id, unit), 0);
        assert_non_null(text_after_prefix(path, start));
        assert_int_equal(strlen(path), strlen(start) + strlen("XXXXXX/tmp"));
        assert_true(text_ends_with(path, "/tmp"));
        assert_int_equal(path_parent(path, &outer), 0);
        assert_mode(outer, 0700);
        assert_mode(path, 01777);
}

static void make(const char *unit, PrivateTmp *ret) {
        assert_int_equal(private_tmp_choose(unit, ret), 0);
        assert_int_equal(private_tmp_make(ret, NULL), 0);
}

static void test_make_and_remove(void **state) {
        PrivateTmp tmp, other;

        world_only_as_root();
        (void)umask(077);
        make("web@one.service", &tmp);
        make("web@one.service", &other);
        assert_directory(tmp.tmp, "/tmp", "web@one.service");
        assert_directory(tmp.var_tmp, "/var/tmp", "web@one.service");
        assert_string_not_equal(tmp.tmp, other.tmp);

        /* What a service may leave. */
        make_directory("/mnt/keep");
        make_file("/mnt/keep/file", "kept");
        assert_int_equal(chdir(tmp.tmp), 0);
        make_directory("a/b/c");
        make_file("a/b/file", "");
        assert_int_equal(symlink("/mnt/keep", "link"), 0);
        assert_int_equal(symlink("/mnt/keep", "a/link"), 0);
        assert_int_equal(mkfifo("fifo", 0600), 0);
        assert_int_equal(chmod("a", 0), 0);
        assert_int_equal(chdir("/"), 0);

        assert_int_equal(private_tmp_remove(&tmp, NULL), 0);
        assert_true(file_has("/mnt/keep/file", "kept"));
        assert_int_equal(count_entries("/tmp"), 1);
        assert_int_equal(count_entries("/var/tmp"), 1);
        assert_int_equal(private_tmp_remove(&other, NULL), 0);
        assert_int_equal(count_entries("/tmp"), 0);
        assert_int_equal(count_entries("/var/tmp"), 0);
        /* What is gone is gone. */
        assert_int_equal(private_tmp_remove(&other, NULL), 0);
        private_tmp_done(&tmp);
        private_tmp_done(&other);
        private_tmp_done(&other);
        (void)umask(022);
}

static void test_long_name(void **state) {
        char unit[256];
        PrivateTmp tmp;

        world_only_as_root();
        (void)memset(unit, 'u', sizeof(unit) - 1);
        unit[255] = '\0';
        memcpy(unit + 247, ".service", 8);
        make(unit, &tmp);
        assert_mode(tmp.tmp, 01777);
        assert_int_equal(private_tmp_remove(&tmp, NULL), 0);
        private_tmp_done(&tmp);
}

/* Both or none. */
static void test_failure(void **state) {
        PrivateTmp tmp;
        Reason reason = {};

        world_only_as_root();
        assert_int_equal(mount(NULL, "/var/tmp", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
        assert_int_equal(private_tmp_choose("web.service", &tmp), 0);
        assert_int_equal(private_tmp_make(&tmp, &reason), -EROFS);
        assert_non_null(text_after_prefix(reason.text, "/var/tmp/systemd-private-"));
        assert_true(text_ends_with(reason.text, ": Read-only file system"));
        assert_int_equal(count_entries("/tmp"), 0);
        reason_done(&reason);

        /* What is there already is nobody's to take. */
        assert_int_equal(mount(NULL, "/var/tmp", NULL, MS_REMOUNT, NULL), 0);
        assert_int_equal(private_tmp_make(&tmp, NULL), 0);
        assert_int_equal(private_tmp_make(&tmp, NULL), -EEXIST);
        assert_mode(tmp.tmp, 01777);
        assert_int_equal(private_tmp_remove(&tmp, NULL), 0);
        private_tmp_done(&tmp);
}

#define tmp_test(function) cmocka_unit_test_setup_teardown(function, tmp_begin, tmp_end)

int main(void) {
        const struct CMUnitTest tests[] = {
                tmp_test(test_make_and_remove),
                tmp_test(test_long_name),
                tmp_test(test_failure),
        };

        return cmocka_run_group_tests(tests, world_enter, NULL);
}
