/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <string.h>
#include <time.h>

#include "format/vfat-directory.h"
#include "format/vfat-disk.h"

#define TIME_MIN INT64_C(315532800)  /* 1980-01-01 00:00:00 */
#define TIME_MAX INT64_C(4354819199) /* 2107-12-31 23:59:59 */

VfatTime vfat_time_encode(int64_t seconds) {
        const time_t clamped = MIN(MAX(seconds, TIME_MIN), TIME_MAX);
        struct tm tm;

        (void)gmtime_r(&clamped, &tm); /* cannot fail for these years */
        return (VfatTime){
                .date = (uint16_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday),
                .time = (uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2),
                .hundredths = (uint8_t)(tm.tm_sec % 2 * 100),
        };
}

static VfatShortEntry entry_build(const uint8_t *name, uint8_t attributes, int64_t seconds, uint32_t cluster,
                                  uint32_t size) {
        const VfatTime t = vfat_time_encode(seconds);
        VfatShortEntry entry = {
                .attributes = attributes,
                .created_hundredths = t.hundredths,
                .created_time = htole16(t.time),
                .created_date = htole16(t.date),
                .accessed_date = htole16(t.date),
                .cluster_high = htole16((uint16_t)(cluster >> 16)),
                .written_time = htole16(t.time),
                .written_date = htole16(t.date),
                .cluster_low = htole16((uint16_t)cluster),
                .size = htole32(size),
        };

        memcpy(entry.name, name, sizeof(entry.name));
        return entry;
}

static VfatShortEntry entry_build_node(const VfatContent *content, const TreeNode *node,
                                       const uint8_t *name) {
        const int64_t seconds = MIN((int64_t)node->status.st_mtim.tv_sec, content->options->time);
        const uint32_t cluster = content->items[node->index].first_cluster;

        if (S_ISDIR(node->status.st_mode)) /* whose size is 0 */
                return entry_build(name, VFAT_ATTRIBUTE_DIRECTORY, seconds, cluster, 0);
        return entry_build(name, VFAT_ATTRIBUTE_ARCHIVE, seconds, cluster, (uint32_t)node->status.st_size);
}

/* "." and ".."; where the root is the parent, that is told by cluster 0. */
static VfatShortEntry entry_build_link(const VfatContent *content, const TreeNode *node, const char *name) {
        VfatShortEntry entry = entry_build_node(content, node, (const uint8_t *)name);

        if (!node->parent)
                entry.cluster_high = entry.cluster_low = 0;
        return entry;
}

/* The unit at a position: the name, one 0 behind it unless it fills its entries, then all ones. */
static uint16_t long_unit(const VfatName *name, size_t position) {
        if (position < name->n_units)
                return htole16(name->units[position]);
        return position == name->n_units ? 0 : UINT16_MAX;
}

static VfatLongEntry long_entry_build(const VfatName *name, size_t number, bool last) {
        VfatLongEntry entry = {
                .order = (uint8_t)((number + 1) | (last ? VFAT_LONG_ORDER_LAST : 0)),
                .attributes = VFAT_ATTRIBUTE_LONG_NAME,
                .checksum = vfat_alias_checksum(name->alias),
        };
        size_t position = number * VFAT_LONG_UNITS;

        for (size_t i = 0; i < ELEMENTSOF(entry.units_begin); i++)
                entry.units_begin[i] = long_unit(name, position++);
        for (size_t i = 0; i < ELEMENTSOF(entry.units_middle); i++)
                entry.units_middle[i] = long_unit(name, position++);
        for (size_t i = 0; i < ELEMENTSOF(entry.units_end); i++)
                entry.units_end[i] = long_unit(name, position++);
        return entry;
}

/* Appends what was built to the buffer. */
static uint8_t *append(uint8_t *end, const void *entry) {
        return (uint8_t *)memcpy(end, entry, VFAT_ENTRY_SIZE) + VFAT_ENTRY_SIZE;
}

void vfat_directory_encode(const VfatContent *content, const TreeNode *directory, void *buffer) {
        const VfatItem *item = &content->items[directory->index];
        uint8_t *end = buffer;

        if (directory->parent) {
                const VfatShortEntry self = entry_build_link(content, directory, ".          ");
                const VfatShortEntry parent = entry_build_link(content, directory->parent, "..         ");

                end = append(append(end, &self), &parent);
        } else if (content->has_label) {
                const VfatShortEntry label = entry_build(content->label, VFAT_ATTRIBUTE_VOLUME_LABEL,
                                                         content->options->time, 0, 0);

                end = append(end, &label);
        }

        for (size_t i = 0; i < directory->n_children; i++) {
                const VfatName *name = &item->names[i];
                const size_t n_long = vfat_name_count_entries(name) - 1;

                /* A long name stands before its short one, the end of it first. */
                for (size_t number = n_long; number-- > 0;) {
                        const VfatLongEntry entry = long_entry_build(name, number, number == n_long - 1);

                        end = append(end, &entry);
                }
                const VfatShortEntry entry = entry_build_node(content, directory->children[i], name->alias);
                end = append(end, &entry);
        }

        assert(end == (uint8_t *)buffer + (size_t)item->n_entries * VFAT_ENTRY_SIZE);
}
