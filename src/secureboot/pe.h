/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Portable executables as UEFI loads them (Microsoft PE Format; PE32 and PE32+ images, not objects): read strictly, and
 * written again with more sections. */

#include "base/macro.h"
#include "base/reason.h"

/* Windows takes no more sections, and no UEFI program has more. */
#define PE_SECTIONS_MAX     96
#define PE_SECTION_NAME_MAX 8

/* Characteristics of a section, as in its header. */
enum {
        PE_SECTION_CODE = 0x00000020,
        PE_SECTION_INITIALIZED_DATA = 0x00000040,
        PE_SECTION_READABLE = 0x40000000,
};

enum {
        PE_SUBSYSTEM_EFI_APPLICATION = 10,
};

typedef struct PeSection {
        char name[PE_SECTION_NAME_MAX + 1];
        uint32_t virtual_address,
                virtual_size;          /* in memory, relative to the image; the size is the true one */
        uint32_t raw_offset, raw_size; /* in the file; the size is rounded up to the file alignment */
        uint32_t characteristics;
} PeSection;

/* An image under inspection. All that its headers say of places was checked: every section lies within the file and
 * within the image in memory, none overlaps another or the headers, and what follows the sections is nothing or the
 * certificate table, whole. */
typedef struct PeImage {
        int fd;               /* the file, which is not owned */
        uint16_t machine;     /* as in the COFF header; pe_machine_architecture() names it */
        uint16_t subsystem;   /* PE_SUBSYSTEM_… */
        uint32_t coff_offset; /* of the COFF header; the optional header and the section table follow it */
        uint32_t table_offset, directories_offset, n_directories;
        uint32_t checksum_offset;               /* of the field */
        uint32_t certificates_directory_offset; /* of the directory entry of the certificate table; 0: none */
        uint32_t section_alignment, file_alignment; /* powers of two, the first at least the second */
        uint32_t header_size, image_size;           /* SizeOfHeaders, SizeOfImage */
        uint32_t certificates_offset,
                certificates_size; /* of the certificate table; the size is 0: not signed */
        uint8_t *headers;          /* the first header_size bytes of the file */
        PeSection sections[PE_SECTIONS_MAX];
        size_t n_sections;
} PeImage;

/* Reads the headers of the image in the regular file fd, which must stay open as long as the image is used. -EBADMSG
 * when it is none, or none of a machine that UEFI knows; what is wrong is in the reason. */
int pe_image_load(int fd, PeImage *ret, Reason *reason);
void pe_image_done(PeImage *image);

/* The section of the name, NULL when there is none. */
const PeSection *pe_image_find_section(const PeImage *image, const char *name);

/* Reads the text in a section, without the NULs that pad it. NULs within the text are -EBADMSG, more than size_max bytes
 * -EFBIG. */
int pe_image_read_text(const PeImage *image, const PeSection *section, size_t size_max, char **ret,
                       Reason *reason);

/* A section to be added: the bytes of data, or, when that is NULL, those of the file fd, from its beginning. */
typedef struct PeNewSection {
        const char *name; /* of at most PE_SECTION_NAME_MAX bytes */
        const void *data;
        int fd;
        uint64_t size; /* not 0 */
        uint32_t characteristics;
} PeNewSection;

/* Writes the image with the new sections behind its own, in their order, to fd, an empty regular file. New sections begin
 * at page boundaries at least. A new section replaces one of the same name. The signature goes, being void; so do
 * symbols and debug directory, and any other bytes outside headers and sections; the checksum, of which UEFI takes no
 * notice, becomes 0. -ENOSPC when the headers cannot grow, -EFBIG when the image would be too large; see the reason. */
int pe_image_write(const PeImage *image, const PeNewSection *sections, size_t n_sections, int fd,
                   Reason *reason);

/* The machine's architecture, named as in the Discoverable Partitions Specification; NULL when it is unknown. */
const char *pe_machine_architecture(uint16_t machine);
