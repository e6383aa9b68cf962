/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/fd.h"
#include "foreign-program.h"
#include "temporary-directory.h"
#include "verify/verify.h"

static VerifyDisk open_disk(void) {
        const int fd = open("disk", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        return (VerifyDisk){ .fd = fd, .size = (uint64_t)lseek(fd, 0, SEEK_END) };
}

static void close_disk(VerifyDisk *disk) {
        assert_int_equal(close(disk->fd), 0);
        verify_disk_done(disk);
}

static const VerifyResult *find(const VerifyDisk *disk, const char *object) {
        for (size_t i = 0; i < disk->results.n_items; i++)
                if (strcmp(disk->results.items[i].object, object) == 0)
                        return &disk->results.items[i];
        fail_msg("nothing was said of %s", object);
        return NULL;
}

/* The only thing that is said of what the commands make. */
static void assert_said(const char *commands, VerifyWants wants, VerifyVerdict verdict, const char *object,
                        const char *detail) {
        free(FOREIGN_CHECK("sh", "-c", commands));
        VerifyDisk disk = open_disk();

        disk.wants = wants;
        assert_int_equal(verify_disk(&disk), 0);
        assert_string_equal(disk.results.items[0].object, object);
        assert_string_equal(disk.results.items[0].detail, detail);
        assert_int_equal(disk.results.items[0].verdict, verdict);
        assert_int_equal(disk.results.n_items, strcmp(object, "file system") == 0 ? 4 : 1);
        close_disk(&disk);
}

#define MBR "rm -f disk; truncate -s 4M disk; printf 'label: gpt\n' | sfdisk -q disk\n"

/* Without a table nothing else is looked at. */
static void test_no_table(void **state) {
        assert_said(MBR "dd if=/dev/zero of=disk bs=512 seek=1 count=1 conv=notrunc status=none", 0,
                    VERIFY_FAILED, "partition table", "The primary header is not there");
        assert_said(MBR "dd if=/dev/zero of=disk bs=512 count=1 conv=notrunc status=none", 0, VERIFY_FAILED,
                    "partition table", "There is no protective MBR");
        assert_said("rm disk; truncate -s 4M disk", 0, VERIFY_FAILED, "file system",
                    "What it holds is nothing known");
        assert_said("rm disk; echo text >disk", 0, VERIFY_FAILED, "file system",
                    "What it holds is nothing known");
        assert_said(": >disk", 0, VERIFY_FAILED, "file system", "What it holds is nothing known");
}

static void test_file_systems(void **state) {
        assert_said("mke2fs -q -t ext4 disk 4M", false, VERIFY_OK, "file system", "ext4, in 4194304 bytes");
        assert_said("mkdir tree; rm disk; mksquashfs tree disk -quiet -no-progress", 0, VERIFY_OK,
                    "file system", "squashfs, gzip in blocks of 128 KiB, in 4096 bytes");
        assert_said("printf X | dd of=disk bs=1 seek=0 conv=notrunc status=none", 0, VERIFY_FAILED,
                    "file system", "What it holds is nothing known");
        assert_said("rm disk; mkswap -q disk 2>/dev/null || { truncate -s 1M disk; mkswap disk; }", 0,
                    VERIFY_FAILED, "file system", "It holds swap, which is not what it is for");

        /* No partition can have the root hash. */
        free(FOREIGN_CHECK("sh", "-c", "rm disk; mke2fs -q -t ext4 disk 4M"));
        VerifyDisk disk = open_disk();
        assert_int_equal(verify_disk_add_root_hash(&disk, &(Sha256Digest){}, "a friend"), 0);
        assert_int_equal(verify_disk(&disk), 0);
        assert_int_equal(find(&disk, "dm-verity")->verdict, VERIFY_FAILED);
        close_disk(&disk);
}

static void test_passed_over(void **state) {
        static const char why[] = "A tar archive, whose files are not looked into";

        assert_said("echo x >x; tar --format=posix -cf disk x", 0, VERIFY_ABSENT, "image", why);
        assert_said("tar --format=gnu -cf disk x", 0, VERIFY_ABSENT, "image", why);
        /* Unless somebody relies on it. */
        assert_said("true", VERIFY_WANTS_ROOT_HASH, VERIFY_FAILED, "image", why);
        assert_said("true", VERIFY_WANTS_BOOT_SIGNATURE, VERIFY_FAILED, "image", why);
        assert_said("true", VERIFY_WANTS_ROOT_SIGNATURE, VERIFY_FAILED, "image", why);
        assert_said(
                "qemu-img create -q -f qcow2 disk 1M", 0, VERIFY_ABSENT, "image",
                "A disk inside of QCOW2, which is not looked into: qemu-img convert -O raw makes a raw one of it");
}

static void test_partitions(void **state) {
        free(FOREIGN_CHECK(
                "sh", "-c",
                "set -e; truncate -s 16M disk; mke2fs -q -t ext4 root 4M\n"
                "sfdisk -q disk <<END\nlabel: gpt\nstart=2048, size=8192, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709\n"
                "start=12288, size=2048, type=S\nstart=16384, size=2048, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4\nEND\n"
                "dd if=root of=disk seek=2048 conv=notrunc status=none"));
        VerifyDisk disk = open_disk();

        assert_int_equal(verify_disk(&disk), 0);
        assert_int_equal(verify_disk_find(&disk, PARTITION_ROOT)->offset, MIB);
        assert_null(verify_disk_find(&disk, PARTITION_ESP));
        assert_string_equal(find(&disk, "partition table")->detail,
                            "GPT and its backup, with 3 partitions: root (x86-64), swap, unknown type "
                            "0fc63daf-8483-4772-8e79-3d69d8477de4");
        assert_string_equal(find(&disk, "root partition")->detail, "ext4, in 4194304 bytes");
        assert_int_equal(find(&disk, "swap partition")->verdict, VERIFY_FAILED);
        assert_int_equal(find(&disk, "EFI system partition")->verdict, VERIFY_ABSENT);
        assert_int_equal(find(&disk, "dm-verity")->verdict, VERIFY_ABSENT);
        assert_int_equal(find(&disk, "root hash signature")->verdict, VERIFY_ABSENT);
        close_disk(&disk);

        /* Somebody relies on signatures. */
        disk = open_disk();
        disk.wants = VERIFY_WANTS_BOOT_SIGNATURE | VERIFY_WANTS_ROOT_SIGNATURE;
        assert_int_equal(verify_disk(&disk), 0);
        assert_int_equal(find(&disk, "EFI system partition")->verdict, VERIFY_FAILED);
        assert_int_equal(find(&disk, "root hash signature")->verdict, VERIFY_FAILED);
        assert_int_equal(find(&disk, "dm-verity")->verdict, VERIFY_ABSENT);
        close_disk(&disk);

        /* Somebody says that there is a root hash. */
        disk = open_disk();
        assert_int_equal(verify_disk_add_root_hash(&disk, &(Sha256Digest){}, "a friend"), 0);
        assert_int_equal(verify_disk(&disk), 0);
        assert_string_equal(find(&disk, "dm-verity")->detail,
                            "a friend names a root hash, but there is no partition with a hash tree");
        close_disk(&disk);
}

/* Which ones are booted is not for us to guess. */
static void test_several_roots(void **state) {
        static const char *const more[] = { "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
                                            "2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5" };

        for (size_t i = 0; i < ELEMENTSOF(more); i++) {
                _cleanup_(freep) char *script = NULL;

                assert_true(
                        asprintf(
                                &script,
                                "rm -f disk; truncate -s 8M disk; sfdisk -q disk <<END\nlabel: gpt\n"
                                "size=2048, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709\n"
                                "size=2048, type=2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5\nsize=2048, type=%s\nEND\n",
                                more[i]) > 0);
                free(FOREIGN_CHECK("sh", "-c", script));
                VerifyDisk disk = open_disk();
                assert_int_equal(verify_disk(&disk), 0);
                assert_int_equal(verify_disk_count(&disk, i == 0 ? PARTITION_ROOT : PARTITION_ROOT_VERITY),
                                 2);
                assert_int_equal(find(&disk, "dm-verity")->verdict, VERIFY_FAILED);
                assert_string_equal(
                        find(&disk, "dm-verity")->detail,
                        "There are several root partitions or hash trees: which ones are meant is not known");
                close_disk(&disk);
        }
}

#define TEST(function) \
        cmocka_unit_test_setup_teardown(function, temporary_directory_enter, temporary_directory_leave)

int main(void) {
        const struct CMUnitTest tests[] = { TEST(test_no_table), TEST(test_file_systems),
                                            TEST(test_passed_over), TEST(test_partitions),
                                            TEST(test_several_roots) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
