/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Partition types of the Discoverable Partitions Specification (UAPI.2). */

#include "base/macro.h"
#include "base/uuid.h"

typedef enum PartitionType {
        PARTITION_ESP,
        PARTITION_XBOOTLDR,
        PARTITION_SWAP,
        PARTITION_HOME,
        PARTITION_SRV,
        PARTITION_ROOT, /* this and those below have a UUID per architecture */
        PARTITION_ROOT_VERITY,
        PARTITION_ROOT_VERITY_SIGNATURE,
        PARTITION_TYPE_MAX,
} PartitionType;

/* The index of an architecture that the specification lists, by systemd's name for it: "x86-64", "x86", "arm64", "arm",
 * "riscv64", "ppc64-le" … -ENOENT for an unknown one. */
int partition_architecture_find(const char *name, unsigned *ret);

/* The name of the architecture with this index; NULL behind the last, which ends a walk through all. */
const char *partition_architecture_name(unsigned architecture);

/* The type UUID; architecture is ignored for types that have one UUID for all. */
Uuid partition_type_uuid(PartitionType type, unsigned architecture);

/* What a type UUID means; ret_architecture is left alone for types that have one UUID for all. -ENOENT when the
 * specification does not have it. */
int partition_type_find(Uuid uuid, PartitionType *ret, unsigned *ret_architecture);

/* "esp", "root", "root-verity" … for messages and JSON. */
const char *partition_type_name(PartitionType type);
