/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "foreign-program.h"
#include "temporary-directory.h"
#include "verify/content.h"

/* Reads what the commands put into "image", which is behind a hole of 4096 bytes in "disk" then, with room for so many. */
static int read_made(const char *commands, const char *kind, uint64_t room, char **ret, Reason *reason) {
        _cleanup_(freep) char *script = NULL;

        assert_int_equal(text_format(&script,
                                     "set -e; rm -rf image disk; mkdir -p tree; printf pass >key\n%s\n"
                                     "truncate -s 4096 disk; cat image >>disk; truncate -s 64M disk",
                                     commands),
                         0);
        free(FOREIGN_CHECK("sh", "-c", script));
        _cleanup_(fd_closep) int fd = open("disk", O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        return content_read(kind, &(ContentPlace){ fd, 4096, room }, ret, reason);
}

#define FORMAT \
        "truncate -s 20M image; cryptsetup --batch-mode --disable-locks luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "

static const struct {
        const char *commands, *kind;
        uint64_t room;
        int r;
        const char *said;
} cases[] = {
        { "mke2fs -q -t ext4 image 4M", "ext4", 4 * MIB, 1, "ext4, in 4194304 bytes" },
        { "mke2fs -q -t ext4 image 4M", "ext4", 5 * MIB, 1, "ext4, in 5242880 bytes" },
        { "mke2fs -q -t ext4 image 4M", "ext4", 4 * MIB - 1024, -EBADMSG,
          "Its ext4 has 4194304 bytes, and there is room for no more than 4193280" },
        { "mke2fs -q -t ext4 -O ^64bit -b 1024 image 4M", "ext4", 1024, -EBADMSG,
          "There is no room for a superblock" },
        { "truncate -s 120M image; mkfs.btrfs -q image; truncate -s 1M image", "btrfs", 120 * MIB, 1,
          "btrfs, in 125829120 bytes" },
        { "truncate -s 120M image; mkfs.btrfs -q image; truncate -s 1M image", "btrfs", 64 * MIB, -EBADMSG,
          "Its btrfs has 125829120 bytes, and there is room for no more than 67108864" },
        { "mksquashfs tree image -quiet -no-progress -comp zstd", "squashfs", 4096, 1,
          "squashfs, zstd in blocks of 128 KiB, in 4096 bytes" },
        { "mksquashfs tree image -quiet -no-progress", "squashfs", 100, -EBADMSG, NULL },
        { FORMAT "--type luks2 image key", "crypto_LUKS", 20 * MIB, 1,
          "LUKS2, aes-xts-plain64, 1 key slot, pbkdf2 1000 iterations" },
        { FORMAT "--type luks2 image key", "crypto_LUKS", 16 * MIB, -EBADMSG,
          "Data does not fit into the volume: it is cut off" },
        { FORMAT "--type luks1 image key", "crypto_LUKS", 20 * MIB, 0,
          "LUKS1, which is not looked into; cryptsetup convert makes LUKS2 of it" },
        { "truncate -s 1M image", "crypto_LUKS", MIB, -EBADMSG, "The primary header is not there" },
        /* Nobody here reads more of it than its name. */
        { "truncate -s 1M image", "swap", MIB, 1, "swap, in 1048576 bytes" },
};

static void test_content(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(reason_done) Reason reason = {};
                _cleanup_(freep) char *said = NULL;

                const int r = read_made(cases[i].commands, cases[i].kind, cases[i].room, &said, &reason);
                if (r < 0)
                        assert_int_equal(text_copy(reason.text, &said), 0);
                if (cases[i].said)
                        assert_string_equal(said, cases[i].said);
                assert_int_equal(r, cases[i].r);
        }
}

#define TEST(function) \
        cmocka_unit_test_setup_teardown(function, temporary_directory_enter, temporary_directory_leave)

int main(void) {
        const struct CMUnitTest tests[] = { TEST(test_content) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
