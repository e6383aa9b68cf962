/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the bytes of a tree are. */

#include "base/macro.h"
#include "base/tree.h"

/* What the regular files of the tree hold: the work of writing it. Holes and further names of an inode do not count. */
uint64_t tree_usage_total(const Tree *tree);

/* The biggest directories, for people: "usr/lib (300.0M), usr/share (120.0M), var (80.0M)". Instead of one that holds a large
 * part of the tree, those in it are named. "" for a tree without any. */
int tree_usage_describe(const Tree *tree, size_t n_max, char **ret);
