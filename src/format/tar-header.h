/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The header of a tar archive's member as POSIX has it ("ustar Interchange Format" of pax(1)). It suffices for nearly
 * all of a distribution's files, and is the very one that libarchive writes for them. */

#include "base/tree.h"

#define TAR_BLOCK_SIZE 512

typedef struct TarMember {
        const TreeNode *node;
        const char *path;     /* of the node, as tree_node_path() has it */
        const char *original; /* path of what a hard link is one to; else NULL */
        struct timespec time;
} TarMember;

/* Fills in the header. False when it has no room for what the member is: then another format must be taken. Names beyond
 * ASCII count as such, since the format leaves open what they are. */
bool tar_header_make(const TarMember *member, uint8_t header[static TAR_BLOCK_SIZE]);
