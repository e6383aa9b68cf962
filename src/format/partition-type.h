/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Partition types of the Discoverable Partitions Specification. */

#include "base/macro.h"
#include "base/uuid.h"

typedef enum PartitionType {
        PARTITION_ESP,
        PARTITION_XBOOTLDR,
        PARTITION_SWAP,
        PARTITION_HOME,
        PARTITION_SRV,
        PARTITION_ROOT,             /* per architecture, like the two below */
        PARTITION_ROOT_VERITY,
        PARTITION_ROOT_VERITY_SIGNATURE,
        PARTITION_TYPE_MAX,
} PartitionType;

/* The architecture's name as in the specification: "x86-64", "x86", "arm64", "arm", "riscv64", and the others it lists.
 * -ENOENT for an unknown one. */
int partition_architecture_find(const char *name, unsigned *ret);

/* The type UUID; architecture is ignored for types that have none. */
Uuid partition_type_uuid(PartitionType type, unsigned architecture);

/* "esp", "root", "root-verity" … for messages and JSON. */
const char *partition_type_name(PartitionType type);
