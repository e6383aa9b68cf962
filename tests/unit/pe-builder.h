/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes small PE images for the tests of src/secureboot, each in a file in memory. Offsets are fixed, so that tests can
 * spoil any field. */

#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"

enum {
        BUILD_PE = 0x40,
        BUILD_COFF = BUILD_PE + 4,
        BUILD_OPTIONAL = BUILD_COFF + 20,
        BUILD_DIRECTORIES = BUILD_OPTIONAL + 112,
        BUILD_TABLE = BUILD_DIRECTORIES + 16 * 8,
        BUILD_HEADER_SIZE = 0x200, /* has room for four sections */
        BUILD_FILE_ALIGNMENT = 0x200,
        BUILD_SECTION_ALIGNMENT = 0x1000,
        BUILD_SECTIONS_MAX = 4,
        BUILD_SIZE_MAX = 0x10000,

        BUILD_X64 = 0x8664,
        BUILD_ARM64 = 0xaa64,
};

typedef struct BuildSection {
        const char *name, *text;
} BuildSection;

typedef struct BuildImage {
        uint8_t bytes[BUILD_SIZE_MAX];
        size_t size;
} BuildImage;

static inline void build_number(BuildImage *image, size_t offset, size_t width, uint64_t value) {
        assert(offset + width <= sizeof(image->bytes));
        for (size_t i = 0; i < width; i++)
                image->bytes[offset + i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t build_get(const uint8_t *bytes, size_t offset, size_t width) {
        uint64_t value = 0;

        for (size_t i = width; i > 0; i--)
                value = value << 8 | bytes[offset + i - 1];
        return value;
}

/* An EFI application for x86-64 with these sections, each a page in memory; the list ends with a name of NULL. */
static inline BuildImage build_image(const BuildSection *sections) {
        BuildImage image = { .size = BUILD_HEADER_SIZE };
        size_t n = 0;

        for (; sections[n].name; n++) {
                const size_t header = BUILD_TABLE + n * 40, size = strlen(sections[n].text);

                assert(n < BUILD_SECTIONS_MAX);
                memcpy(image.bytes + header, sections[n].name, strlen(sections[n].name));
                build_number(&image, header + 8, 4, size);
                build_number(&image, header + 12, 4, BUILD_SECTION_ALIGNMENT * (n + 1));
                build_number(&image, header + 16, 4, align_up(size, BUILD_FILE_ALIGNMENT));
                build_number(&image, header + 20, 4, image.size);
                build_number(&image, header + 36, 4, n == 0 ? 0x60000020 : 0x40000040);
                memcpy(image.bytes + image.size, sections[n].text, size);
                image.size += align_up(size, BUILD_FILE_ALIGNMENT);
        }

        memcpy(image.bytes, "MZ", 2);
        build_number(&image, 60, 4, BUILD_PE);
        memcpy(image.bytes + BUILD_PE, "PE", 2);
        build_number(&image, BUILD_COFF, 2, BUILD_X64);
        build_number(&image, BUILD_COFF + 2, 2, n);
        build_number(&image, BUILD_COFF + 16, 2, 240);
        build_number(&image, BUILD_COFF + 18, 2, 0x0002);
        build_number(&image, BUILD_OPTIONAL, 2, 0x20b);
        build_number(&image, BUILD_OPTIONAL + 32, 4, BUILD_SECTION_ALIGNMENT);
        build_number(&image, BUILD_OPTIONAL + 36, 4, BUILD_FILE_ALIGNMENT);
        build_number(&image, BUILD_OPTIONAL + 56, 4, BUILD_SECTION_ALIGNMENT * (n + 1));
        build_number(&image, BUILD_OPTIONAL + 60, 4, BUILD_HEADER_SIZE);
        build_number(&image, BUILD_OPTIONAL + 64, 4, 0x12345678);
        build_number(&image, BUILD_OPTIONAL + 68, 2, 10);
        build_number(&image, BUILD_OPTIONAL + 108, 4, 16);
        return image;
}

/* Appends a certificate table. */
static inline void build_sign(BuildImage *image) {
        build_number(image, BUILD_DIRECTORIES + 4 * 8, 4, image->size);
        build_number(image, BUILD_DIRECTORIES + 4 * 8 + 4, 4, 64);
        memset(image->bytes + image->size, 'S', 64);
        image->size += 64;
}

/* A file in memory with these bytes. */
static inline int build_file(const void *bytes, size_t size) {
        _cleanup_(fd_closep) int fd = memfd_create("pe", MFD_CLOEXEC);

        assert(fd >= 0 && fd_pwrite_all(fd, bytes, size, 0) == 0);
        return TAKE_FD(fd);
}

static inline int build_image_file(const BuildImage *image) {
        return build_file(image->bytes, image->size);
}
