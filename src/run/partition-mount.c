/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/mount.h>

#include "base/fd.h"
#include "base/strv.h"
#include "run/loop-device.h"
#include "run/partition-mount.h"

#define MAGIC_SIZE_MAX 8

/* What partitions of images hold. Nothing else is given to the kernel, which believes what it reads. */
typedef struct Kind {
        const char *name; /* as mount(2) knows it; NULL: it cannot be mounted */
        uint64_t magic_offset;
        const char *magic;
        size_t magic_size;
        FuseProgram program; /* empty: there is none */
        const char *refusal;
} Kind;

/* clang-format off */
static const Kind kinds[] = {
        { .name = "ext4",     .magic_offset = 0x438,   .magic = "\x53\xef",    .magic_size = 2,
          .program = { "fuse2fs", "fuse2fs" } },
        { .name = "btrfs",    .magic_offset = 0x10040, .magic = "_BHRfS_M",    .magic_size = 8 },
        { .name = "squashfs", .magic_offset = 0,       .magic = "hsqs",        .magic_size = 4,
          .program = { "squashfuse_ll", "squashfuse" } },
        { .magic_offset = 0,                           .magic = "LUKS\xba\xbe", .magic_size = 6,
          .refusal = "It is encrypted: take the verb qemu" },
};
/* clang-format on */

static int find_kind(const PartitionMount *part, const Kind **ret, Reason *reason) {
        char magic[MAGIC_SIZE_MAX];

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                const Kind *kind = &kinds[i];

                if (part->size < kind->magic_offset + kind->magic_size)
                        continue;
                const int r =
                        fd_pread_all(part->fd, magic, kind->magic_size, part->offset + kind->magic_offset);
                if (r < 0)
                        return reason_set(reason, r, "Cannot read its beginning: %m");
                if (memcmp(magic, kind->magic, kind->magic_size) != 0)
                        continue;
                if (kind->refusal)
                        return reason_set(reason, -EOPNOTSUPP, "%s", kind->refusal);
                *ret = kind;
                return 0;
        }
        return reason_set(reason, -EINVAL, "It holds no file system of ext4, btrfs or squashfs");
}

static int by_loop_device(const PartitionMount *part, const Kind *kind, const char *target,
                          FuseMount **ret_fuse, Reason *reason) {
        _cleanup_(fd_closep) int device_fd = -EBADF;
        _cleanup_(freep) char *device = NULL;

        const int r =
                loop_device_attach(part->fd, part->offset, part->size, !part->writable, &device_fd, &device);
        if (r < 0)
                return reason_set(reason, r, "Cannot get a loop device: %m");
        if (mount(device, target, kind->name, MS_NODEV | (part->writable ? 0 : MS_RDONLY), NULL) < 0)
                return reason_set(reason, -errno, "Cannot mount %s as %s: %m", device, kind->name);
        *ret_fuse = NULL;
        return 0;
}

static int by_program(const PartitionMount *part, const Kind *kind, const char *target, FuseMount **ret_fuse,
                      Reason *reason) {
        if (!kind->program.name)
                return reason_set(reason, -EOPNOTSUPP,
                                  "no program can do without for %s: where there are none, build another "
                                  "Format=",
                                  kind->name);
        if (part->writable)
                return reason_set(reason, -EOPNOTSUPP, "nothing else lets --persistent write");
        return fuse_mount_new(&kind->program, part->search_path, part->fd, part->offset, target, ret_fuse,
                              reason);
}

/* In the order of preference. */
static int (*const ways[])(const PartitionMount *part, const Kind *kind, const char *target,
                           FuseMount **ret_fuse, Reason *reason) = { by_loop_device, by_program };

int partition_mount(const PartitionMount *part, const char *target, FuseMount **ret_fuse, Reason *reason) {
        _cleanup_(strv_freep) char **problems = NULL;
        _cleanup_(freep) char *text = NULL;
        const Kind *kind = NULL;

        int r = find_kind(part, &kind, reason);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                _cleanup_(reason_done) Reason why = {};

                r = ways[i](part, kind, target, ret_fuse, &why);
                if (r >= 0 || r == -EINTR)
                        return r;
                if (strv_append(&problems, reason_text(&why, r)) < 0)
                        return -ENOMEM;
        }
        return strv_join(STRV(problems), "; ", &text) < 0 ? -ENOMEM : reason_set(reason, r, "%s", text);
}
