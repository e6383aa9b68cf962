/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "secureboot/pe.h"

/* The headers of arm64 kernels fill a segment of 64 KiB; none are larger. */
#define HEADER_SIZE_MAX       (64 * KIB)
#define FILE_ALIGNMENT_MAX    (64 * KIB)
#define SECTION_ALIGNMENT_MAX (4 * MIB)
#define MEMORY_PAGE_SIZE      4096

/* Offsets and sizes of the Microsoft PE Format. Those of a header's fields are relative to the header. */
enum {
        DOS_HEADER_SIZE = 64,
        DOS_PE_OFFSET = 60,

        SIGNATURE_SIZE = 4,

        COFF_MACHINE = 0,
        COFF_N_SECTIONS = 2,
        COFF_SYMBOLS_OFFSET = 8,
        COFF_N_SYMBOLS = 12,
        COFF_OPTIONAL_SIZE = 16,
        COFF_CHARACTERISTICS = 18,
        COFF_HEADER_SIZE = 20,

        OPTIONAL_MAGIC = 0,
        OPTIONAL_CODE_SIZE = 4,
        OPTIONAL_DATA_SIZE = 8,
        OPTIONAL_SECTION_ALIGNMENT = 32,
        OPTIONAL_FILE_ALIGNMENT = 36,
        OPTIONAL_IMAGE_SIZE = 56,
        OPTIONAL_HEADER_SIZE = 60,
        OPTIONAL_CHECKSUM = 64,
        OPTIONAL_SUBSYSTEM = 68,
        OPTIONAL_DIRECTORIES_32 = 96, /* the number of directories stands in the 4 bytes before */
        OPTIONAL_DIRECTORIES_64 = 112,

        DIRECTORY_SIZE = 8,
        DIRECTORY_CERTIFICATES = 4,
        DIRECTORY_DEBUG = 6,
        DIRECTORIES_MAX = 16,

        SECTION_NAME = 0,
        SECTION_VIRTUAL_SIZE = 8,
        SECTION_VIRTUAL_ADDRESS = 12,
        SECTION_RAW_SIZE = 16,
        SECTION_RAW_OFFSET = 20,
        SECTION_CHARACTERISTICS = 36,
        SECTION_HEADER_SIZE = 40,
};

enum {
        MAGIC_32 = 0x10b,
        MAGIC_64 = 0x20b,

        FILE_EXECUTABLE = 0x0002,
        FILE_LINE_NUMBERS_STRIPPED = 0x0004,
        FILE_SYMBOLS_STRIPPED = 0x0008,
        FILE_DEBUG_STRIPPED = 0x0200,
};

static const struct {
        uint16_t machine;
        const char *architecture;
} machines[] = {
        /* clang-format off */
        { 0x014c, "x86"         },
        { 0x8664, "x86-64"      },
        { 0x01c0, "arm"         },
        { 0x01c2, "arm"         }, /* Thumb, which is what UEFI means by arm */
        { 0x01c4, "arm"         },
        { 0xaa64, "arm64"       },
        { 0x0200, "ia64"        },
        { 0x5032, "riscv32"     },
        { 0x5064, "riscv64"     },
        { 0x6232, "loongarch32" },
        { 0x6264, "loongarch64" },
        /* clang-format on */
};

/* Where each section of a new image comes from. */
typedef struct Placement {
        PeSection section;       /* where it goes */
        const PeNewSection *new; /* NULL: it is the old image's */
        uint64_t old_offset, old_size;
} Placement;

typedef struct Layout {
        Placement placements[PE_SECTIONS_MAX];
        size_t n_placements;
        uint64_t header_size, file_size, image_size;
        uint32_t code_size, data_size; /* sums over the sections, as the optional header has them */
} Layout;

static uint16_t read_16(const uint8_t *bytes) {
        uint16_t value;

        memcpy(&value, bytes, sizeof(value));
        return le16toh(value);
}

static uint32_t read_32(const uint8_t *bytes) {
        uint32_t value;

        memcpy(&value, bytes, sizeof(value));
        return le32toh(value);
}

static void write_16(uint8_t *bytes, uint16_t value) {
        value = htole16(value);
        memcpy(bytes, &value, sizeof(value));
}

static void write_32(uint8_t *bytes, uint32_t value) {
        value = htole32(value);
        memcpy(bytes, &value, sizeof(value));
}

static bool is_power_of_two(uint32_t value) {
        return value != 0 && (value & (value - 1)) == 0;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size) {
        return a_size > 0 && b_size > 0 && a < b + b_size && b < a + a_size;
}

/* Old linkers leave the size in memory at 0 and mean that in the file. */
static uint32_t section_memory_size(const PeSection *section) {
        return section->virtual_size > 0 ? section->virtual_size : section->raw_size;
}

const char *pe_machine_architecture(uint16_t machine) {
        for (size_t i = 0; i < ELEMENTSOF(machines); i++)
                if (machines[i].machine == machine)
                        return machines[i].architecture;
        return NULL;
}

void pe_image_done(PeImage *image) {
        if (!image)
                return;
        free(image->headers);
        image->headers = NULL;
}

/* Finds the COFF header, and checks that the optional header and the section table lie within the bytes read. */
static int find_headers(PeImage *image, size_t size, Reason *reason) {
        const uint8_t *bytes = image->headers;

        if (size < DOS_HEADER_SIZE || memcmp(bytes, "MZ", 2) != 0)
                return reason_set(reason, -EBADMSG, "No PE image: the DOS header is missing");

        const uint64_t signature = read_32(bytes + DOS_PE_OFFSET);
        if (signature < DOS_HEADER_SIZE || signature + SIGNATURE_SIZE + COFF_HEADER_SIZE > size)
                return reason_set(reason, -EBADMSG, "No PE image: the PE header lies outside of the file");
        if (memcmp(bytes + signature, "PE\0\0", SIGNATURE_SIZE) != 0)
                return reason_set(reason, -EBADMSG, "No PE image: the PE signature is missing");

        const uint64_t coff = signature + SIGNATURE_SIZE;
        const uint64_t optional = coff + COFF_HEADER_SIZE;
        const uint64_t table = optional + read_16(bytes + coff + COFF_OPTIONAL_SIZE);
        const size_t n_sections = read_16(bytes + coff + COFF_N_SECTIONS);
        if (n_sections > PE_SECTIONS_MAX)
                return reason_set(reason, -EBADMSG, "Bad PE image: %zu sections, at most %d are understood",
                                  n_sections, PE_SECTIONS_MAX);
        if (table + n_sections * SECTION_HEADER_SIZE > size)
                return reason_set(reason, -EBADMSG, "Bad PE image: the section table is cut short");

        image->coff_offset = (uint32_t)coff;
        image->table_offset = (uint32_t)table;
        image->n_sections = n_sections;
        image->machine = read_16(bytes + coff + COFF_MACHINE);
        if (!pe_machine_architecture(image->machine))
                return reason_set(reason, -EBADMSG, "PE image of an unknown machine, 0x%04x", image->machine);
        if (!(read_16(bytes + coff + COFF_CHARACTERISTICS) & FILE_EXECUTABLE))
                return reason_set(reason, -EBADMSG, "Bad PE image: it is not executable");
        return 0;
}

static int read_optional_header(PeImage *image, size_t size, Reason *reason) {
        const uint32_t offset = image->coff_offset + COFF_HEADER_SIZE;
        const uint32_t room = image->table_offset - offset;
        const uint8_t *optional = image->headers + offset;

        const uint16_t magic = room >= OPTIONAL_DIRECTORIES_32 ? read_16(optional + OPTIONAL_MAGIC) : 0;
        if (magic != MAGIC_32 && magic != MAGIC_64)
                return reason_set(reason, -EBADMSG,
                                  "Bad PE image: the optional header is neither PE32 nor PE32+");
        const uint32_t directories = magic == MAGIC_32 ? OPTIONAL_DIRECTORIES_32 : OPTIONAL_DIRECTORIES_64;
        if (room < directories)
                return reason_set(reason, -EBADMSG, "Bad PE image: the optional header is cut short");
        image->directories_offset = offset + directories;
        image->n_directories = read_32(optional + directories - sizeof(uint32_t));
        if (image->n_directories > DIRECTORIES_MAX ||
            image->n_directories * DIRECTORY_SIZE > room - directories)
                return reason_set(reason, -EBADMSG, "Bad PE image: %" PRIu32 " data directories do not fit",
                                  image->n_directories);

        image->checksum_offset = offset + OPTIONAL_CHECKSUM;
        image->subsystem = read_16(optional + OPTIONAL_SUBSYSTEM);
        image->section_alignment = read_32(optional + OPTIONAL_SECTION_ALIGNMENT);
        image->file_alignment = read_32(optional + OPTIONAL_FILE_ALIGNMENT);
        if (!is_power_of_two(image->file_alignment) || image->file_alignment > FILE_ALIGNMENT_MAX ||
            !is_power_of_two(image->section_alignment) || image->section_alignment > SECTION_ALIGNMENT_MAX ||
            image->section_alignment < image->file_alignment)
                return reason_set(reason, -EBADMSG,
                                  "Bad PE image: section alignment %" PRIu32 ", file alignment %" PRIu32,
                                  image->section_alignment, image->file_alignment);

        image->image_size = read_32(optional + OPTIONAL_IMAGE_SIZE);
        image->header_size = read_32(optional + OPTIONAL_HEADER_SIZE);
        if (image->header_size > size || image->header_size > image->image_size ||
            image->header_size < image->table_offset + image->n_sections * SECTION_HEADER_SIZE)
                return reason_set(reason, -EBADMSG, "Bad PE image: %" PRIu32 " bytes of headers",
                                  image->header_size);
        return 0;
}

/* The certificate table is the one directory whose place is given as an offset in the file. Authenticode wants it last,
 * since nothing behind it would be signed. */
static int read_certificates(PeImage *image, uint64_t file_size, Reason *reason) {
        if (image->n_directories <= DIRECTORY_CERTIFICATES)
                return 0;

        image->certificates_directory_offset =
                image->directories_offset + DIRECTORY_CERTIFICATES * DIRECTORY_SIZE;
        const uint8_t *directory = image->headers + image->certificates_directory_offset;
        const uint32_t offset = read_32(directory), size = read_32(directory + sizeof(uint32_t));
        if (size == 0)
                return 0;
        if (offset < image->header_size || offset % 8 != 0 || (uint64_t)offset + size != file_size)
                return reason_set(reason, -EBADMSG,
                                  "Bad PE image: the certificate table is not the end of the file");

        image->certificates_offset = offset;
        image->certificates_size = size;
        return 0;
}

static int check_section(const PeImage *image, const PeSection *section, uint64_t data_end, Reason *reason) {
        const uint64_t memory_size = section_memory_size(section);

        /* Names appear in messages. */
        for (const char *c = section->name; *c != '\0'; c++)
                if (*c < ' ' || *c > '~')
                        return reason_set(reason, -EBADMSG,
                                          "Bad PE image: the name of a section is not ASCII");
        if (section->raw_size > 0 && (section->raw_offset < image->header_size ||
                                      (uint64_t)section->raw_offset + section->raw_size > data_end))
                return reason_set(reason, -EBADMSG, "Bad PE image: section '%s' lies outside of the file",
                                  section->name);
        if (memory_size > 0 && (section->virtual_address < image->header_size ||
                                section->virtual_address + memory_size > image->image_size))
                return reason_set(reason, -EBADMSG, "Bad PE image: section '%s' lies outside of the image",
                                  section->name);

        for (const PeSection *other = image->sections; other < section; other++)
                if (overlap(section->raw_offset, section->raw_size, other->raw_offset, other->raw_size) ||
                    overlap(section->virtual_address, memory_size, other->virtual_address,
                            section_memory_size(other)))
                        return reason_set(reason, -EBADMSG, "Bad PE image: sections '%s' and '%s' overlap",
                                          other->name, section->name);
        return 0;
}

static int read_sections(PeImage *image, uint64_t file_size, Reason *reason) {
        const uint64_t data_end = image->certificates_size > 0 ? image->certificates_offset : file_size;

        for (size_t i = 0; i < image->n_sections; i++) {
                const uint8_t *header = image->headers + image->table_offset + i * SECTION_HEADER_SIZE;
                PeSection *section = &image->sections[i];

                *section = (PeSection){
                        .virtual_size = read_32(header + SECTION_VIRTUAL_SIZE),
                        .virtual_address = read_32(header + SECTION_VIRTUAL_ADDRESS),
                        .raw_size = read_32(header + SECTION_RAW_SIZE),
                        .raw_offset = read_32(header + SECTION_RAW_OFFSET),
                        .characteristics = read_32(header + SECTION_CHARACTERISTICS),
                };
                memcpy(section->name, header + SECTION_NAME, PE_SECTION_NAME_MAX);

                int r = check_section(image, section, data_end, reason);
                if (r < 0)
                        return r;
        }
        return 0;
}

int pe_image_load(int fd, PeImage *ret, Reason *reason) {
        _cleanup_(pe_image_done) PeImage image = { .fd = fd };
        struct stat status;

        assert(fd >= 0 && ret);

        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return reason_set(reason, -EBADMSG, "No PE image: not a regular file");

        const uint64_t file_size = (uint64_t)status.st_size;
        const size_t size = (size_t)MIN(file_size, HEADER_SIZE_MAX);
        image.headers = malloc(HEADER_SIZE_MAX);
        if (!image.headers)
                return -ENOMEM;
        int r = fd_pread_all(fd, image.headers, size, 0);
        if (r < 0)
                return r;

        r = find_headers(&image, size, reason);
        if (r < 0)
                return r;
        r = read_optional_header(&image, size, reason);
        if (r < 0)
                return r;
        r = read_certificates(&image, file_size, reason);
        if (r < 0)
                return r;
        r = read_sections(&image, file_size, reason);
        if (r < 0)
                return r;

        *ret = image;
        image.headers = NULL;
        return 0;
}

const PeSection *pe_image_find_section(const PeImage *image, const char *name) {
        for (size_t i = 0; i < image->n_sections; i++)
                if (text_equal(image->sections[i].name, name))
                        return &image->sections[i];
        return NULL;
}

int pe_image_read_text(const PeImage *image, const PeSection *section, size_t size_max, char **ret,
                       Reason *reason) {
        _cleanup_(freep) char *text = NULL;
        size_t size = MIN(section_memory_size(section), section->raw_size);

        if (size > size_max)
                return reason_set(reason, -EFBIG, "Section '%s' has %zu bytes, at most %zu are understood",
                                  section->name, size, size_max);

        text = malloc(size + 1);
        if (!text)
                return -ENOMEM;
        int r = fd_pread_all(image->fd, text, size, section->raw_offset);
        if (r < 0)
                return r;

        while (size > 0 && text[size - 1] == '\0')
                size--;
        text[size] = '\0';
        if (strlen(text) != size)
                return reason_set(reason, -EBADMSG, "Section '%s' is not text", section->name);

        *ret = TAKE_PTR(text);
        return 0;
}

static bool is_replaced(const PeSection *section, const PeNewSection *sections, size_t n_sections) {
        for (size_t i = 0; i < n_sections; i++)
                if (text_equal(section->name, sections[i].name))
                        return true;
        return false;
}

/* Lists the sections of the new image, with their places in memory. */
static int layout_memory(const PeImage *image, const PeNewSection *sections, size_t n_sections,
                         Layout *layout, Reason *reason) {
        /* A page is what initrd and kernel may expect for themselves, whatever the stub was linked for. */
        const uint64_t alignment = MAX(image->section_alignment, (uint32_t)MEMORY_PAGE_SIZE);

        layout->image_size = image->image_size;
        for (size_t i = 0; i < image->n_sections; i++) {
                const PeSection *old = &image->sections[i];

                if (is_replaced(old, sections, n_sections))
                        continue;
                Placement *placement = &layout->placements[layout->n_placements++];
                *placement = (Placement){
                        .section = *old,
                        .old_offset = old->raw_offset,
                        .old_size = old->raw_size,
                };
                placement->section.virtual_size = section_memory_size(old);
        }

        for (size_t i = 0; i < n_sections; i++) {
                const PeNewSection *new = &sections[i];
                const uint64_t address = align_up(layout->image_size, alignment);

                assert(new->size > 0 && strlen(new->name) <= PE_SECTION_NAME_MAX);
                if (layout->n_placements == PE_SECTIONS_MAX)
                        return reason_set(reason, -ENOSPC, "A PE image has room for %d sections only",
                                          PE_SECTIONS_MAX);
                if (new->size > UINT32_MAX || align_up(address + new->size, alignment) > UINT32_MAX)
                        return reason_set(reason, -EFBIG,
                                          "A PE image has no room for the %" PRIu64 " bytes of section '%s'",
                                          new->size, new->name);

                Placement *placement = &layout->placements[layout->n_placements++];
                *placement = (Placement){
                        .section = {
                                .virtual_address = (uint32_t)address,
                                .virtual_size = (uint32_t)new->size,
                                .characteristics = new->characteristics,
                        },
                        .new = new,
                };
                memcpy(placement->section.name, new->name, strlen(new->name));
                layout->image_size = align_up(address + new->size, alignment);
        }
        return 0;
}

/* Gives the sections their places in the file: one behind the other, so that no byte of the file is outside of what
 * Authenticode signs. The headers grow into the room before the first section if they have to. */
static int layout_file(const PeImage *image, Layout *layout, Reason *reason) {
        const uint64_t table_end = image->table_offset + layout->n_placements * SECTION_HEADER_SIZE;
        uint64_t offset = MAX((uint64_t)image->header_size, table_end);

        offset = layout->header_size = align_up(offset, image->file_alignment);
        if (layout->header_size > HEADER_SIZE_MAX)
                return reason_set(reason, -ENOSPC, "The PE image has no room for %zu section headers",
                                  layout->n_placements);
        for (size_t i = 0; i < layout->n_placements; i++) {
                Placement *placement = &layout->placements[i];
                PeSection *section = &placement->section;

                if (section_memory_size(section) > 0 && section->virtual_address < layout->header_size)
                        return reason_set(
                                reason, -ENOSPC,
                                "The PE image has no room for %zu section headers before section '%s'",
                                layout->n_placements, section->name);

                const uint64_t size = align_up(placement->new ? placement->new->size : placement->old_size,
                                               image->file_alignment);
                if (offset + size > UINT32_MAX)
                        return reason_set(reason, -EFBIG, "The PE image would be larger than 4 GiB");
                section->raw_offset = size > 0 ? (uint32_t)offset : 0;
                section->raw_size = (uint32_t)size;
                offset += size;

                if (section->characteristics & PE_SECTION_CODE)
                        layout->code_size += section->raw_size;
                if (section->characteristics & PE_SECTION_INITIALIZED_DATA)
                        layout->data_size += section->raw_size;
        }
        layout->file_size = offset;
        return 0;
}

static void clear_directory(const PeImage *image, uint8_t *headers, uint32_t index) {
        if (index < image->n_directories)
                memset(headers + image->directories_offset + index * DIRECTORY_SIZE, 0, DIRECTORY_SIZE);
}

static int write_headers(const PeImage *image, const Layout *layout, int fd) {
        _cleanup_(freep) uint8_t *headers = calloc(1, layout->header_size);

        if (!headers)
                return -ENOMEM;
        memcpy(headers, image->headers, image->header_size);

        uint8_t *coff = headers + image->coff_offset;
        write_16(coff + COFF_N_SECTIONS, (uint16_t)layout->n_placements);
        write_32(coff + COFF_SYMBOLS_OFFSET, 0);
        write_32(coff + COFF_N_SYMBOLS, 0);
        write_16(coff + COFF_CHARACTERISTICS, read_16(coff + COFF_CHARACTERISTICS) |
                                                      FILE_LINE_NUMBERS_STRIPPED | FILE_SYMBOLS_STRIPPED |
                                                      FILE_DEBUG_STRIPPED);

        uint8_t *optional = coff + COFF_HEADER_SIZE;
        write_32(optional + OPTIONAL_CODE_SIZE, layout->code_size);
        write_32(optional + OPTIONAL_DATA_SIZE, layout->data_size);
        write_32(optional + OPTIONAL_IMAGE_SIZE, (uint32_t)layout->image_size);
        write_32(optional + OPTIONAL_HEADER_SIZE, (uint32_t)layout->header_size);
        write_32(optional + OPTIONAL_CHECKSUM, 0);

        /* What these point to by file offset is gone, or elsewhere. */
        clear_directory(image, headers, DIRECTORY_CERTIFICATES);
        clear_directory(image, headers, DIRECTORY_DEBUG);

        for (size_t i = 0; i < layout->n_placements; i++) {
                const PeSection *section = &layout->placements[i].section;
                uint8_t *header = headers + image->table_offset + i * SECTION_HEADER_SIZE;

                memcpy(header + SECTION_NAME, section->name, PE_SECTION_NAME_MAX);
                write_32(header + SECTION_VIRTUAL_SIZE, section->virtual_size);
                write_32(header + SECTION_VIRTUAL_ADDRESS, section->virtual_address);
                write_32(header + SECTION_RAW_SIZE, section->raw_size);
                write_32(header + SECTION_RAW_OFFSET, section->raw_offset);
                write_32(header + SECTION_CHARACTERISTICS, section->characteristics);
        }
        return fd_pwrite_all(fd, headers, layout->header_size, 0);
}

static int write_section(const PeImage *image, const Placement *placement, int fd) {
        const uint64_t offset = placement->section.raw_offset;
        const PeNewSection *new = placement->new;

        if (!new)
                return fd_copy_range(image->fd, placement->old_offset, fd, offset, placement->old_size);
        if (new->data)
                return fd_pwrite_all(fd, new->data, new->size, offset);
        return fd_copy_range(new->fd, 0, fd, offset, new->size);
}

int pe_image_write(const PeImage *image, const PeNewSection *sections, size_t n_sections, int fd,
                   Reason *reason) {
        Layout layout = {};

        assert(image && image->headers && (sections || n_sections == 0) && fd >= 0);

        int r = layout_memory(image, sections, n_sections, &layout, reason);
        if (r < 0)
                return r;
        r = layout_file(image, &layout, reason);
        if (r < 0)
                return r;

        /* The padding between sections is what nobody writes. */
        if (ftruncate(fd, (off_t)layout.file_size) < 0)
                return -errno;
        r = write_headers(image, &layout, fd);
        if (r < 0)
                return r;
        for (size_t i = 0; i < layout.n_placements; i++) {
                r = write_section(image, &layout.placements[i], fd);
                if (r < 0)
                        return reason_set(reason, r, "Cannot write section '%s': %m",
                                          layout.placements[i].section.name);
        }
        return 0;
}
