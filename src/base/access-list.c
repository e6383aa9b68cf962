/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/stat.h>

#include <endian.h>

#include "base/access-list.h"

#define VERSION     2
#define TAG_GROUP   0x04 /* the file's group */
#define PERMISSIONS 7

typedef struct Entry {
        uint16_t tag, permissions;
        uint32_t id;
} Entry;

int access_list_strip(const void *value, size_t size, mode_t mode, mode_t *ret) {
        const uint8_t *bytes = value;
        uint32_t version;

        if (size < sizeof(version) || (size - sizeof(version)) % sizeof(Entry) != 0)
                return -EINVAL;
        memcpy(&version, bytes, sizeof(version));
        if (le32toh(version) != VERSION)
                return -EINVAL;

        for (size_t offset = sizeof(version); offset < size; offset += sizeof(Entry)) {
                Entry entry;

                memcpy(&entry, bytes + offset, sizeof(entry));
                if (le16toh(entry.tag) != TAG_GROUP)
                        continue;
                const mode_t group = (mode_t)(le16toh(entry.permissions) & PERMISSIONS) << 3;
                *ret = (mode & ~(mode_t)S_IRWXG) | (mode & S_IRWXG & group);
                return 0;
        }
        return -EINVAL;
}
