/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The header of a LUKS2 volume that somebody made, read strictly (LUKS2 On-Disk Format Specification 1.1): both copies must be
 * there, whole, and agree, and everything lie where there is room for it. No passphrase is needed: whether one opens the
 * volume, and what is in it, is not known. */

#include "base/uuid.h"
#include "format/luks-metadata.h"

typedef struct LuksHeader {
        Uuid uuid;
        uint64_t size;           /* of one copy, in bytes: 16 KiB to 4 MiB */
        const LuksSegment *data; /* the one that there is */
        uint32_t opening;        /* mask of the slots that hold its key */
        LuksMetadata metadata;
} LuksHeader;

/* Reads the header at the offset of the file, of a volume of so many bytes. Into ret, which is empty in the beginning, and is
 * to be freed whether or not this fails. -EBADMSG with a reason when it is none, or not in order; or when it is, and
 * nobody could open it, or it encrypts nothing. */
int luks_header_read(int fd, uint64_t offset, uint64_t volume_size, LuksHeader *ret, Reason *reason);
void luks_header_done(LuksHeader *header);

/* "LUKS2, aes-xts-plain64, 1 key slot, argon2id 64 MiB" */
int luks_header_describe(const LuksHeader *header, char **ret);
