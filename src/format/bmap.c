/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "format/bmap.h"

#define BLOCK_SIZE  UINT64_C(4096)
#define BUFFER_SIZE (256 * KIB)

#define DIGEST_LENGTH ((size_t)(2 * SHA256_SIZE))

/* Blocks in a row that have content. */
typedef struct Range {
        uint64_t begin, end;
        Sha256Digest digest;
} Range;

typedef struct Scan {
        uint64_t size; /* of the image */
        Range *ranges;
        size_t n_ranges;
        uint64_t n_mapped;
        Sha256 *hash; /* of the last range, while it may go on */
        uint8_t *buffer;
} Scan;

static void scan_done(Scan *scan) {
        free(scan->ranges);
        free(scan->buffer);
        sha256_free(scan->hash);
}

static int end_range(Scan *scan) {
        if (!scan->hash)
                return 0;
        const int r = sha256_finish(scan->hash, &scan->ranges[scan->n_ranges - 1].digest);
        sha256_free(scan->hash);
        scan->hash = NULL;
        return r;
}

static int begin_range(Scan *scan, uint64_t block) {
        if ((scan->n_ranges & (scan->n_ranges - 1)) == 0) {
                Range *more = reallocarray(scan->ranges, scan->n_ranges == 0 ? 1 : 2 * scan->n_ranges,
                                           sizeof(Range));
                if (!more)
                        return -ENOMEM;
                scan->ranges = more;
        }
        const int r = sha256_new(&scan->hash);
        if (r < 0)
                return r;
        scan->ranges[scan->n_ranges++] = (Range){ .begin = block, .end = block };
        return 0;
}

/* Adds blocks that have content, a whole number of them unless the image ends there. */
static int add_blocks(Scan *scan, uint64_t offset, const void *data, size_t size) {
        const uint64_t block = offset / BLOCK_SIZE, n_blocks = divide_round_up(size, BLOCK_SIZE);
        int r = 0;

        if (scan->hash && scan->ranges[scan->n_ranges - 1].end != block)
                r = end_range(scan);
        if (r >= 0 && !scan->hash)
                r = begin_range(scan, block);
        if (r < 0)
                return r;
        scan->ranges[scan->n_ranges - 1].end += n_blocks;
        scan->n_mapped += n_blocks;
        return sha256_add(scan->hash, data, size);
}

/* Compares the bytes with themselves, one further: nothing is faster than memcmp(). */
static bool is_zero(const uint8_t *data, size_t size) {
        return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* Finds the blocks with content in what was read at the offset, and adds neighbours at once. */
static int scan_buffer(Scan *scan, uint64_t offset, size_t size) {
        size_t begin = 0, end = 0;

        for (size_t position = 0, part; position < size; position += part) {
                part = MIN(size - position, (size_t)BLOCK_SIZE);
                if (is_zero(scan->buffer + position, part))
                        continue;
                if (end != position && end > begin) {
                        const int r = add_blocks(scan, offset + begin, scan->buffer + begin, end - begin);
                        if (r < 0)
                                return r;
                }
                begin = end == position ? begin : position;
                end = position + part;
        }
        return end > begin ? add_blocks(scan, offset + begin, scan->buffer + begin, end - begin) : 0;
}

static int scan_data(Scan *scan, int fd, uint64_t begin, uint64_t end, Progress *progress) {
        for (uint64_t offset = begin, part; offset < end; offset += part) {
                part = MIN(end - offset, BUFFER_SIZE);

                int r = interrupt_check();
                if (r >= 0)
                        r = fd_pread_all(fd, scan->buffer, (size_t)part, offset);
                if (r >= 0)
                        r = scan_buffer(scan, offset, (size_t)part);
                if (r < 0)
                        return r;
                progress_advance(progress, part);
        }
        return 0;
}

static int scan_image(Scan *scan, int fd, Progress *progress) {
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return -EINVAL;
        scan->size = (uint64_t)status.st_size;
        scan->buffer = malloc(BUFFER_SIZE);
        if (!scan->buffer)
                return -ENOMEM;

        for (uint64_t position = 0, data, hole; position < scan->size; position = hole) {
                int r = fd_find_data(fd, position, scan->size, &data, &hole);
                if (r < 0)
                        return r;
                /* Where holes are finer than blocks, what lies around them is data. */
                data = MAX(data / BLOCK_SIZE * BLOCK_SIZE, position);
                hole = MIN(align_up(hole, BLOCK_SIZE), scan->size);
                progress_advance(progress, data - position);
                r = scan_data(scan, fd, data, hole, progress);
                if (r < 0)
                        return r;
        }
        return end_range(scan);
}

static void print_ranges(const Scan *scan, FILE *file) {
        char text[DIGEST_LENGTH + 1];

        for (size_t i = 0; i < scan->n_ranges; i++) {
                const Range *range = &scan->ranges[i];

                sha256_format(&range->digest, text);
                (void)fprintf(file, "        <Range chksum=\"%s\"> %" PRIu64, text, range->begin);
                if (range->end - range->begin > 1)
                        (void)fprintf(file, "-%" PRIu64, range->end - 1);
                (void)fprintf(file, " </Range>\n");
        }
}

/* Prints the map with zeros for its own checksum, and says where that is. */
static int print_map(const Scan *scan, char **ret, size_t *ret_size, size_t *ret_checksum) {
        char *text = NULL;
        size_t size = 0;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return -errno;
        (void)fprintf(
                file,
                "<?xml version=\"1.0\" ?>\n"
                "<!-- The blocks of a disk image that are not all zeros: bmaptool(1) copies no others. -->\n"
                "<bmap version=\"2.0\">\n"
                "    <ImageSize> %" PRIu64 " </ImageSize>\n"
                "    <BlockSize> %" PRIu64 " </BlockSize>\n"
                "    <BlocksCount> %" PRIu64 " </BlocksCount>\n"
                "    <MappedBlocksCount> %" PRIu64 " </MappedBlocksCount>\n"
                "    <ChecksumType> sha256 </ChecksumType>\n"
                "    <!-- Of this file, with zeros in the place of the checksum. -->\n"
                "    <BmapFileChecksum> ",
                scan->size, BLOCK_SIZE, divide_round_up(scan->size, BLOCK_SIZE), scan->n_mapped);
        const long checksum = ftell(file);
        (void)fprintf(file, "%0*d </BmapFileChecksum>\n    <BlockMap>\n", (int)DIGEST_LENGTH, 0);
        print_ranges(scan, file);
        (void)fprintf(file, "    </BlockMap>\n</bmap>\n");
        const bool failed = ferror(file) != 0 || checksum < 0;
        if (fclose(file) != 0 || failed) {
                free(text);
                return -ENOMEM;
        }

        *ret = text;
        *ret_size = size;
        *ret_checksum = (size_t)checksum;
        return 0;
}

int bmap_make(int image_fd, Progress *progress, char **ret) {
        _cleanup_(scan_done) Scan scan = {};
        _cleanup_(freep) char *text = NULL;
        char checksum_text[DIGEST_LENGTH + 1];
        size_t size = 0, checksum = 0;
        Sha256Digest digest;

        assert(ret);

        int r = scan_image(&scan, image_fd, progress);
        if (r < 0)
                return r;
        r = print_map(&scan, &text, &size, &checksum);
        if (r < 0)
                return r;
        r = sha256(text, size, &digest);
        if (r < 0)
                return r;
        sha256_format(&digest, checksum_text);
        memcpy(text + checksum, checksum_text, DIGEST_LENGTH);

        *ret = TAKE_PTR(text);
        return 0;
}
