/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mount-namespace.h"
#include "foreign-program.h"
#include "run/partition-mount.h"
#include "temporary-directory.h"

#define OFFSET (UINT64_C(1) << 20)
#define SIZE   (UINT64_C(8) << 20)

static void make_ext4(void) {
        _cleanup_(freep) char *said = NULL;

        assert_int_equal(foreign_run((const char *const[]){ "mkfs.ext4", "-q", "-d", "tree", "-E",
                                                            "offset=1048576", "image", "8M", NULL },
                                     &said),
                         0);
}

static void make_squashfs(void) {
        _cleanup_(freep) char *said = NULL;

        assert_int_equal(foreign_run((const char *const[]){ "mksquashfs", "tree", "image", "-offset",
                                                            "1048576", "-noappend", NULL },
                                     &said),
                         0);
}

static void make_nothing(void) {
        assert_int_equal(file_write_text(AT_FDCWD, "image", "", 0600), 0);
        assert_int_equal(truncate("image", (off_t)(OFFSET + SIZE)), 0);
}

static void make_luks(void) {
        make_nothing();
        _cleanup_(fd_closep) int fd = open("image", O_WRONLY | O_CLOEXEC);
        assert_int_equal(fd_pwrite_all(fd, "LUKS\xba\xbe", 6, OFFSET), 0);
}

static void make_btrfs(void) {
        make_nothing();
        _cleanup_(fd_closep) int fd = open("image", O_WRONLY | O_CLOEXEC);
        assert_int_equal(fd_pwrite_all(fd, "_BHRfS_M", 8, OFFSET + 0x10040), 0);
}

static int mount_image(bool writable, FuseMount **ret_fuse, Reason *reason) {
        _cleanup_(fd_closep) int fd = open("image", (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);

        assert_true(fd >= 0);
        return partition_mount(
                &(PartitionMount){ .fd = fd, .offset = OFFSET, .size = SIZE, .writable = writable }, "target",
                ret_fuse, reason);
}

static void assert_mounts(void (*make)(void), const char *tool, bool with_loop) {
        _cleanup_(reason_done) Reason reason = {};
        struct stat status;
        FuseMount *fuse = NULL;

        make();
        assert_int_equal(truncate("image", (off_t)(OFFSET + SIZE)), 0);
        const int r = mount_image(false, &fuse, &reason);
        if (r < 0 && strstr(reason_text(&reason, r), tool))
                skip(); /* neither loop devices nor FUSE */
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        assert_int_equal(fuse != NULL, !with_loop);
        assert_int_equal(stat("target/file", &status), 0);
        assert_int_equal(status.st_mode & 07777, 04711);
        assert_int_equal(status.st_uid, 7);
        assert_true(open("target/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 && errno == EROFS);
        assert_int_equal(umount2("target", MNT_DETACH), 0);
        fuse_mount_free(fuse);
}

static void assert_fails(void (*make)(void), bool writable, const char *expected) {
        _cleanup_(reason_done) Reason reason = {};
        FuseMount *fuse;

        make();
        const int r = mount_image(writable, &fuse, &reason);
        assert_true(r < 0);
        if (!strstr(reason_text(&reason, r), expected))
                fail_msg("\"%s\" does not say \"%s\"", reason_text(&reason, r), expected);
}

static void make_tree(void) {
        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(mkdir("target", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "tree/file", "content", 0600), 0);
        assert_int_equal(chown("tree/file", 7, 7), 0);
        assert_int_equal(chmod("tree/file", 04711), 0);
}

static void test_refused(void **state) {
        assert_int_equal(mkdir("target", 0755), 0);
        assert_fails(make_nothing, false, "It holds no file system of ext4, btrfs or squashfs");
        assert_fails(make_luks, false, "It is encrypted: take the verb qemu");
}

static void test_loop_device(void **state) {
        if (geteuid() != 0 || access("/dev/loop-control", R_OK | W_OK) < 0)
                skip();
        assert_int_equal(mount_namespace_leave(), 0);
        make_tree();
        assert_mounts(make_ext4, "loop device", true);
        assert_mounts(make_squashfs, "loop device", true);
        assert_fails(make_btrfs, false, "Cannot mount /dev/loop");
}

/* Where there are none. The last one, as they are not there from here on. */
static void test_program(void **state) {
        if (geteuid() != 0 || access("/dev/fuse", R_OK | W_OK) < 0)
                skip();
        assert_int_equal(mount_namespace_leave(), 0);
        make_tree();
        if (access("/dev/loop-control", F_OK) == 0)
                assert_int_equal(mount("/dev/null", "/dev/loop-control", NULL, MS_BIND, NULL), 0);
        assert_mounts(make_ext4, "fuse2fs is missing", false);
        assert_mounts(make_squashfs, "squashfuse_ll is missing", false);
        assert_fails(make_btrfs, false, "no program can do without for btrfs");
        assert_fails(make_ext4, true, "nothing else lets --persistent write");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_refused),
                unit_test_in_directory(test_loop_device),
                unit_test_in_directory(test_program),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
