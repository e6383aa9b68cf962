/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <libfdisk/libfdisk.h>

#include "base/fd.h"
#include "format/gpt.h"
#include "format/utf16.h"

/* UEFI 2.10, 5.3.3: the name field of an entry has 72 bytes. */
#define NAME_UNITS_MAX 36

/* UEFI 2.10, 5.3.2: a table has room for at least 16 KiB of entries; we never make it larger. */
#define PARTITIONS_MAX 128

DEFINE_CLEANUP(struct fdisk_context, fdisk_unref_context)
DEFINE_CLEANUP(struct fdisk_partition, fdisk_unref_partition)
DEFINE_CLEANUP(struct fdisk_parttype, fdisk_unref_parttype)

/* A name is UCS-2 in the specification; libfdisk would leave out, in silence, one that has characters beyond U+FFFF. */
static int check_name(const char *name, Reason *reason) {
        uint16_t units[NAME_UNITS_MAX];

        const ssize_t n = utf16_from_utf8(name, units, ELEMENTSOF(units));
        if (n < 0)
                return reason_set(reason, (int)n, "Cannot name a partition '%s': %m", name);
        for (ssize_t i = 0; i < n; i++)
                if (units[i] >= 0xd800 && units[i] <= 0xdfff)
                        return reason_set(reason, -EILSEQ,
                                          "Cannot name a partition '%s': it has a character beyond U+FFFF",
                                          name);
        return 0;
}

static int check(int fd, const PartitionTable *table, const PartitionLayout *layout, Reason *reason) {
        struct stat status;

        if (fstat(fd, &status) < 0)
                return reason_set(reason, -errno, "Cannot look at the disk image: %m");
        if (!S_ISREG(status.st_mode))
                return reason_set(reason, -EINVAL, "The disk image is no regular file");
        if ((uint64_t)status.st_size != layout->disk_size)
                return reason_set(reason, -EINVAL, "The disk image has %llu bytes, its layout %llu",
                                  (unsigned long long)status.st_size, (unsigned long long)layout->disk_size);
        if (table->n_partitions > PARTITIONS_MAX)
                return reason_set(reason, -E2BIG, "More than %d partitions do not fit into a table",
                                  PARTITIONS_MAX);

        for (size_t i = 0; i < table->n_partitions; i++) {
                const int r = check_name(table->partitions[i].name, reason);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int partition_set_type(struct fdisk_partition *entry, Uuid uuid) {
        _cleanup_(fdisk_unref_parttypep) struct fdisk_parttype *type = fdisk_new_parttype();
        char text[UUID_TEXT_SIZE];

        if (!type)
                return -ENOMEM;

        uuid_format(uuid, text);
        const int r = fdisk_parttype_set_typestr(type, text);
        if (r < 0)
                return r;
        return fdisk_partition_set_type(entry, type);
}

static int add_partition(struct fdisk_context *context, const PartitionTable *table,
                         const PartitionLayout *layout, size_t i) {
        _cleanup_(fdisk_unref_partitionp) struct fdisk_partition *entry = fdisk_new_partition();
        const Partition *partition = &table->partitions[i];
        char uuid[UUID_TEXT_SIZE];

        if (!entry)
                return -ENOMEM;

        uuid_format(partition->uuid, uuid);
        int r = partition_set_type(entry, partition_type_uuid(partition->type, table->architecture));
        if (r >= 0)
                r = fdisk_partition_set_partno(entry, i);
        if (r >= 0)
                r = fdisk_partition_set_start(entry, layout->places[i].offset / SECTOR_SIZE);
        if (r >= 0)
                r = fdisk_partition_set_size(entry, layout->places[i].size / SECTOR_SIZE);
        if (r >= 0)
                r = fdisk_partition_size_explicit(entry, 1); /* otherwise it is rounded down to the grain */
        if (r >= 0)
                r = fdisk_partition_set_uuid(entry, uuid);
        if (r >= 0)
                r = fdisk_partition_set_name(entry, partition->name);
        if (r >= 0)
                r = fdisk_add_partition(context, entry, NULL);
        if (r >= 0)
                r = fdisk_gpt_set_partition_attrs(context, i, partition->attributes);
        return r;
}

/* The context belongs to the caller, who detaches it from the file. */
static int write_table(struct fdisk_context *context, const PartitionTable *table,
                       const PartitionLayout *layout) {
        char uuid[UUID_TEXT_SIZE];

        int r = fdisk_create_disklabel(context, "gpt");
        if (r < 0)
                return r;
        uuid_format(table->disk_uuid, uuid);
        r = fdisk_set_disklabel_id_from_string(context, uuid);
        if (r < 0)
                return r;

        for (size_t i = 0; i < table->n_partitions; i++) {
                r = add_partition(context, table, layout, i);
                if (r < 0)
                        return r;
        }
        return fdisk_write_disklabel(context);
}

int gpt_write(int fd, const PartitionTable *table, const PartitionLayout *layout, Reason *reason) {
        _cleanup_(fdisk_unref_contextp) struct fdisk_context *context = NULL;

        assert(fd >= 0 && table && layout && layout->n_places == table->n_partitions);

        int r = check(fd, table, layout, reason);
        if (r < 0)
                return r;

        context = fdisk_new_context();
        if (!context)
                return -ENOMEM;
        /* Nobody is there to be asked, and what the machine's disks are like must not show in the table. */
        r = fdisk_disable_dialogs(context, 1);
        if (r >= 0)
                r = fdisk_save_user_sector_size(context, SECTOR_SIZE, SECTOR_SIZE);
        if (r >= 0)
                r = fdisk_save_user_grain(context, PARTITION_GRAIN_SIZE);
        if (r < 0)
                return r;

        r = fdisk_assign_device_by_fd(context, fd, "disk image", 0);
        if (r >= 0) {
                r = write_table(context, table, layout);
                (void)fdisk_deassign_device(context, 1); /* without sync() */
        }
        if (r < 0)
                return reason_set(reason, r, "Cannot write the partition table: %m");
        return 0;
}
