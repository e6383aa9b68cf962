/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The JSON area of a LUKS2 header that somebody made, read strictly (LUKS2 On-Disk Format Specification 1.1, chapter 3).
 * Objects have numbers; a set of them is a mask, in which the bit of that number is set. */

#include "base/macro.h"
#include "base/reason.h"

/* What libcryptsetup has of each kind at most. */
#define LUKS_OBJECTS_MAX 32

/* How a passphrase becomes the key of a slot (3.2.5). */
typedef struct LuksDerivation {
        char *type;           /* "argon2id", "argon2i" or "pbkdf2" */
        uint64_t iterations;  /* of Argon2: passes over the memory */
        uint64_t memory_size; /* bytes; pbkdf2: 0 */
        uint64_t n_lanes;     /* pbkdf2: 0 */
} LuksDerivation;

/* A key that is stored, encrypted, in an area of its own (3.2). */
typedef struct LuksSlot {
        uint64_t key_size;     /* bytes */
        uint64_t n_stripes;    /* that the key is split into, as large each */
        uint64_t offset, size; /* of the area, in bytes from the header's first */
        LuksDerivation derivation;
} LuksSlot;

/* Data that is encrypted (3.3.2). */
typedef struct LuksSegment {
        uint64_t offset; /* bytes, from the header's first */
        uint64_t size;   /* bytes; 0: all that there is */
        uint64_t sector_size;
        char *encryption; /* "aes-xts-plain64" */
} LuksSegment;

/* By which the key of slots is known to be that of segments (3.4); without segments, a key for other purposes. */
typedef struct LuksDigest {
        uint32_t slots, segments;
} LuksDigest;

typedef struct LuksMetadata {
        uint64_t json_size,
                slots_size; /* bytes that are there for this text, and for the areas of slots (3.5) */

        /* Arrays by number, of which those in the mask are there. */
        uint32_t has_slots, has_segments, has_digests, has_tokens;
        LuksSlot slots[LUKS_OBJECTS_MAX];
        LuksSegment segments[LUKS_OBJECTS_MAX];
        LuksDigest digests[LUKS_OBJECTS_MAX];
        uint32_t tokens[LUKS_OBJECTS_MAX]; /* the slots that each opens (3.6) */
} LuksMetadata;

/* Reads the text, all of it. Into ret, which is empty in the beginning, and is to be freed whether or not this fails. -EBADMSG
 * with a reason when members are missing, of another kind or twice there, when types are not known, and when a feature
 * is required of who reads it: that is so while data is encrypted anew. What objects say of each other is not looked at. */
int luks_metadata_read(const char *text, size_t size, LuksMetadata *ret, Reason *reason);
void luks_metadata_done(LuksMetadata *metadata);
