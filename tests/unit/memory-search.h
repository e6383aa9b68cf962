/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a process has in its memory. What is looked for is given with all bits turned round, so that looking for it does not put
 * it there. */

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"

#define MEMORY_SEARCH_PIECE (1 * MIB)

static inline bool memory_search_bytes(const uint8_t *bytes, size_t size, const uint8_t *turned,
                                       size_t turned_size) {
        for (size_t i = 0; i + turned_size <= size; i++) {
                size_t same = 0;

                while (same < turned_size && bytes[i + same] + turned[same] == 0xff)
                        same++;
                if (same == turned_size)
                        return true;
        }
        return false;
}

/* Whether it is in one of our own writable mappings, but for those of gigabytes, which are those of sanitizers. */
static inline bool memory_search(const uint8_t *turned, size_t turned_size) {
        _cleanup_(fd_closep) int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
        _cleanup_(file_closep) FILE *maps = fopen("/proc/self/maps", "re");
        uint8_t *piece = malloc(MEMORY_SEARCH_PIECE);
        char line[4096], writable;
        uint64_t begin, end;
        bool found = false;

        assert_true(fd >= 0 && maps && piece);
        while (!found && fgets(line, sizeof(line), maps)) {
                assert_int_equal(sscanf(line, "%" SCNx64 "-%" SCNx64 " %*c%c", &begin, &end, &writable), 3);
                while (!found && writable == 'w' && begin < end && end - begin < GIB) {
                        const size_t part = MIN(end - begin, (uint64_t)MEMORY_SEARCH_PIECE);

                        if (pread(fd, piece, part, (off_t)begin) != (ssize_t)part)
                                break;
                        found = memory_search_bytes(piece, part, turned, turned_size);
                        if (part <= turned_size)
                                break;
                        begin += part - turned_size;
                }
        }
        free(piece);
        return found;
}
