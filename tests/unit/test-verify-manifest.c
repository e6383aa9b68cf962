/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "foreign-program.h"
#include "image/verify-manifest.h"
#include "temporary-directory.h"

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Of what make() makes; "%s" is the SHA-256 of the image. */
static const char good[] =
        "{\"manifest_version\":1,\"artefacts\":["
        "{\"name\":\"image.raw\",\"kind\":\"image\",\"size\":4194304,\"sha256\":\"%s\"},"
        "{\"name\":\"image.nspawn\",\"kind\":\"nspawn\",\"size\":0,\"sha256\":\"" HASH "\"},"
        "{\"name\":\"image.raw.bmap\",\"kind\":\"bmap\",\"size\":0,\"sha256\":\"" HASH "\"}],"
        "\"disk\":{\"uuid\":\"01234567-89ab-cdef-0123-456789abcdef\",\"size\":4194304,\"partitions\":["
        "{\"type_uuid\":\"0657fd6d-a4ab-43c4-84e5-0933c84b4f4f\",\"uuid\":\"11111111-2222-3333-4444-555555555555\","
        "\"name\":\"Swap\",\"offset\":1048576,\"size\":524288,\"attributes\":\"0x1000000000000000\","
        "\"encrypted\":false},"
        "{\"type_uuid\":\"4f68bce3-e8cd-4db1-96e7-fbcaf984b709\",\"uuid\":\"21111111-2222-3333-4444-555555555555\","
        "\"name\":\"Root\",\"offset\":2097152,\"size\":1048576,\"attributes\":\"0x0000000000000000\","
        "\"encrypted\":true}]}}";

static void make(void) {
        free(FOREIGN_CHECK(
                "sh", "-c",
                "rm -f image.*; truncate -s 4M image.raw; sfdisk -q image.raw <<END\n"
                "label: gpt\nlabel-id: 01234567-89AB-CDEF-0123-456789ABCDEF\n"
                "start=2048, size=1024, type=S, uuid=11111111-2222-3333-4444-555555555555, name=Swap, attrs=\"GUID:60\"\n"
                "start=4096, size=2048, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, "
                "uuid=21111111-2222-3333-4444-555555555555, name=Root\n"
                "END\n"
                "printf 'LUKS\\272\\276' | dd of=image.raw seek=4096 conv=notrunc status=none; : >image.nspawn\n"));
}

/* Writes the manifest with one part, if any, replaced. */
static void put(const char *from, const char *to) {
        _cleanup_(freep) char *text = NULL, *changed = NULL, *sum = FOREIGN_CHECK("sha256sum", "image.raw");

        sum[64] = '\0';
        assert_int_equal(text_format(&text, good, sum), 0);
        const char *at = from ? strstr(text, from) : text;
        assert_non_null(at);
        assert_int_equal(text_format(&changed, "%.*s%s%s", (int)(at - text), text, to ?: "",
                                     at + (from ? strlen(from) : 0)),
                         0);
        assert_int_equal(file_write_text(AT_FDCWD, "image.manifest", changed, 0644), 0);
}

/* What is said of an image; as a disk, or as something that is not looked into. */
static void assert_said(const char *image, bool disk_is_read, VerifyVerdict verdict, const char *detail) {
        _cleanup_(fd_closep) int fd = open("image.raw", O_RDONLY | O_CLOEXEC);
        _cleanup_(beside_done) Beside beside = { .directory_fd = -EBADF };
        _cleanup_(verify_manifest_done) VerifyManifest manifest = {};
        _cleanup_(verify_disk_done) VerifyDisk disk = { .fd = fd };

        assert_int_equal(beside_open(image, NULL, &beside), 0);
        assert_int_equal(verify_manifest_read(&beside, &manifest, &disk), 0);
        if (disk_is_read) {
                disk.size = (uint64_t)lseek(fd, 0, SEEK_END);
                assert_int_equal(gpt_read(fd, disk.size, &disk.table, NULL), 0);
                disk.has_table = true;
        }
        assert_int_equal(verify_manifest(&manifest, &beside, &disk), 0);
        assert_int_equal(disk.results.n_items, 1);
        assert_string_equal(disk.results.items[0].object, "manifest");
        assert_string_equal(disk.results.items[0].detail, detail);
        assert_int_equal(disk.results.items[0].verdict, verdict);
}

static void test_right(void **state) {
        make();
        assert_said("image.raw", true, VERIFY_ABSENT, "There is no image.manifest");
        put(NULL, NULL);
        assert_said("image.raw", true, VERIFY_OK,
                    "The partition table and 2 files are what image.manifest says");
        assert_said("image.raw", false, VERIFY_OK, "2 files are what image.manifest says");
        assert_int_equal(unlink("image.nspawn"), 0);
        assert_said("image.raw", false, VERIFY_OK, "1 file is what image.manifest says");
        put("{\"name\":\"image.raw\"", "{\"name\":\"image.raw.xz\"");
        assert_said("image.raw", true, VERIFY_OK,
                    "The partition table and 0 files are what image.manifest says");
        assert_said("image.raw", false, VERIFY_ABSENT,
                    "Nothing that image.manifest tells of can be compared");
        put("\"manifest_version\":1", "\"manifest_version\":12");
        assert_said("image.raw", true, VERIFY_ABSENT,
                    "image.manifest is of version 12, which is not known here");
}

static void test_wrong(void **state) {
        static const struct {
                const char *from, *to, *said;
        } cases[] = {
                { "\"uuid\":\"0", "\"uuid\":\"1", "image.manifest: It is of another image" },
                { ",\"disk\"", ",\"floppy\"", "image.manifest: It is of another image" },
                { "\"size\":4194304,\"partitions\"", "\"size\":4194305,\"partitions\"",
                  "image.manifest: The size of the disk is 4194304, and not 4194305" },
                { "\"partitions\":[", "\"partitions\":[],\"more\":[",
                  "image.manifest: The number of partitions is 2, and not 0" },
                { "\"21111111-", "\"31111111-", "image.manifest: The partition 'Root' has another UUID" },
                { "0657fd6d-", "1657fd6d-", "image.manifest: The partition 'Swap' has another type" },
                { "\"Root\"", "\"Boot\"", "image.manifest: The partition 'Root' should be called 'Boot'" },
                { "\"offset\":1048576", "\"offset\":1048575",
                  "image.manifest: The first byte of Swap is 1048576, and not 1048575" },
                { "\"size\":524288", "\"size\":524289",
                  "image.manifest: The size of Swap is 524288, and not 524289" },
                { "\"0x1000000000000000\"", "\"0x0000000000000001\"",
                  "image.manifest: The set of attributes of Swap is 1152921504606846976, and not 1" },
                { "\"encrypted\":false", "\"encrypted\":true",
                  "image.manifest: The partition 'Swap' is not encrypted" },
                { "\"encrypted\":true", "\"encrypted\":false",
                  "image.manifest: The partition 'Root' is encrypted" },
                { "{\"name\":\"image.raw\"", "{\"name\":\"other.raw\"",
                  "image.manifest: It is of other.raw, and not of image.raw" },
                { "\"size\":4194304,\"sha256\"", "\"size\":1,\"sha256\"",
                  "image.manifest: The size of image.raw is 4194304, and not 1" },
                { "\"sha256\":\"e3", "\"sha256\":\"e4", "image.manifest: image.nspawn has another SHA-256" },
                { "{\"manifest", "{manifest", "Cannot read image.manifest: It is no JSON object" },
                { "\"artefacts\"", "\"artifacts\"",
                  "Cannot read image.manifest: The member \"artefacts\" is missing" },
        };

        make();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                put(cases[i].from, cases[i].to);
                assert_said("image.raw", true, VERIFY_FAILED, cases[i].said);
        }
        put(NULL, NULL);
        assert_int_equal(truncate("image.nspawn", 1), 0);
        assert_said("image.raw", true, VERIFY_FAILED,
                    "image.manifest: The size of image.nspawn is 1, and not 0");
}

/* It becomes one more of those that must be the same, and is missed where others have one. */
static void test_root_hash(void **state) {
        _cleanup_(beside_done) Beside beside = { .directory_fd = -EBADF };
        _cleanup_(verify_manifest_done) VerifyManifest manifest = {};
        _cleanup_(verify_disk_done) VerifyDisk disk = { .fd = -EBADF };

        make();
        assert_int_equal(beside_open("image.raw", NULL, &beside), 0);
        put("\"disk\"", "\"root_hash\":\"" HASH "\",\"disk\"");
        assert_int_equal(verify_manifest_read(&beside, &manifest, &disk), 0);
        assert_int_equal(disk.n_root_hashes, 1);
        assert_string_equal(disk.root_hashes[0].source, "image.manifest");
        assert_int_equal(disk.root_hashes[0].digest.bytes[0], 0xe3);
        assert_int_equal(verify_manifest(&manifest, &beside, &disk), 0);
        assert_int_equal(disk.results.items[0].verdict, VERIFY_OK);

        /* A hash tree would have one. */
        put("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5");
        free(FOREIGN_CHECK("sfdisk", "-q", "--part-type", "image.raw", "1",
                           "2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5"));
        assert_said("image.raw", true, VERIFY_FAILED, "image.manifest: It knows of no root hash");
}

#define TEST(function) \
        cmocka_unit_test_setup_teardown(function, temporary_directory_enter, temporary_directory_leave)

int main(void) {
        const struct CMUnitTest tests[] = { TEST(test_right), TEST(test_wrong), TEST(test_root_hash) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
