/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "secureboot/pe.h"

#include "pe-builder.h"

static const BuildSection plain[] = {
        { ".text", "code" },
        { ".data", "values" },
        { ".sbat", "sbat,1,SBAT Version\n" },
        {},
};

static void test_load(void **state) {
        BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *text = NULL;

        build_sign(&built);
        _cleanup_(fd_closep) int fd = build_image_file(&built);
        assert_int_equal(pe_image_load(fd, &image, &reason), 0);
        assert_int_equal(image.fd, fd);
        assert_string_equal(pe_machine_architecture(image.machine), "x86-64");
        assert_int_equal(image.subsystem, PE_SUBSYSTEM_EFI_APPLICATION);
        assert_int_equal(image.section_alignment, BUILD_SECTION_ALIGNMENT);
        assert_int_equal(image.file_alignment, BUILD_FILE_ALIGNMENT);
        assert_int_equal(image.certificates_offset, built.size - 64);
        assert_int_equal(image.certificates_size, 64);
        assert_int_equal(image.n_sections, 3);

        const PeSection *sbat = pe_image_find_section(&image, ".sbat");
        assert_ptr_equal(sbat, &image.sections[2]);
        assert_int_equal(sbat->virtual_address, 3 * BUILD_SECTION_ALIGNMENT);
        assert_int_equal(sbat->virtual_size, strlen(plain[2].text));
        assert_null(pe_image_find_section(&image, ".linux"));

        assert_int_equal(pe_image_read_text(&image, sbat, 4096, &text, &reason), 0);
        assert_string_equal(text, plain[2].text);
        assert_int_equal(pe_image_read_text(&image, sbat, 5, &text, &reason), -EFBIG);
}

static void test_read_text(void **state) {
        BuildImage built = build_image(plain);
        const size_t content = BUILD_HEADER_SIZE, header = BUILD_TABLE;
        _cleanup_(pe_image_done) PeImage padded = {}, broken = {};
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *text = NULL;

        /* Padding counted in the section's size is no part of the text; nor is the rest of the file, when the size in
         * memory is larger than that in the file. */
        build_number(&built, header + 8, 4, BUILD_SECTION_ALIGNMENT);
        _cleanup_(fd_closep) int padded_fd = build_image_file(&built);
        assert_int_equal(pe_image_load(padded_fd, &padded, NULL), 0);
        assert_int_equal(pe_image_read_text(&padded, &padded.sections[0], 4096, &text, &reason), 0);
        assert_string_equal(text, "code");

        built.bytes[content + 1] = '\0';
        _cleanup_(fd_closep) int broken_fd = build_image_file(&built);
        assert_int_equal(pe_image_load(broken_fd, &broken, NULL), 0);
        assert_int_equal(pe_image_read_text(&broken, &broken.sections[0], 4096, &text, &reason), -EBADMSG);
}

static void test_load_pe32(void **state) {
        BuildImage built = build_image((const BuildSection[]){ {} });
        _cleanup_(pe_image_done) PeImage image = {};

        build_number(&built, BUILD_OPTIONAL, 2, 0x10b);
        build_number(&built, BUILD_COFF, 2, 0x014c);
        build_number(&built, BUILD_COFF + 16, 2, 96 + 5 * 8);
        build_number(&built, BUILD_OPTIONAL + 92, 4, 5);
        _cleanup_(fd_closep) int fd = build_image_file(&built);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_string_equal(pe_machine_architecture(image.machine), "x86");
        assert_int_equal(image.n_directories, 5);
        assert_int_equal(image.directories_offset, BUILD_OPTIONAL + 96);
        assert_int_equal(image.table_offset, BUILD_OPTIONAL + 96 + 5 * 8);
}

/* Every field that could lead astray, with a value that would. */
enum { FIRST = BUILD_TABLE, SECOND = BUILD_TABLE + 40, CERTIFICATES = BUILD_DIRECTORIES + 4 * 8 };
static const struct {
        size_t offset, width;
        uint64_t value;
        const char *reason;
} bad_fields[] = {
        /* clang-format off */
        { 0,                   2, 0x5a4e,     "DOS header"            },
        { 60,                  4, 0,          "outside of the file"   },
        { 60,                  4, 0x830,      "outside of the file"   },
        { 60,                  4, UINT32_MAX, "outside of the file"   },
        { BUILD_PE,            4, 0x4551,     "signature"             },
        { BUILD_COFF,          2, 0x1234,     "unknown machine"       },
        { BUILD_COFF + 2,      2, 97,         "97 sections"           },
        { BUILD_COFF + 2,      2, UINT16_MAX, "sections"              },
        { BUILD_COFF + 2,      2, 5,          "bytes of headers"      },
        { BUILD_COFF + 2,      2, 96,         "cut short"             },
        { BUILD_COFF + 16,     2, UINT16_MAX, "cut short"             },
        { BUILD_COFF + 16,     2, 95,         "neither"               },
        { BUILD_COFF + 16,     2, 111,        "cut short"             },
        { BUILD_COFF + 16,     2, 239,        "directories"           },
        { BUILD_COFF + 18,     2, 0,          "not executable"        },
        { BUILD_OPTIONAL,      2, 0x107,      "neither"               },
        { BUILD_OPTIONAL + 32, 4, 0,          "alignment"             },
        { BUILD_OPTIONAL + 32, 4, 0x100,      "alignment"             },
        { BUILD_OPTIONAL + 32, 4, 0x80000000, "alignment"             },
        { BUILD_OPTIONAL + 36, 4, 0,          "alignment"             },
        { BUILD_OPTIONAL + 36, 4, 0x201,      "alignment"             },
        { BUILD_OPTIONAL + 36, 4, 0x80000000, "alignment"             },
        { BUILD_OPTIONAL + 56, 4, 0,          "bytes of headers"      },
        { BUILD_OPTIONAL + 56, 4, 0x3000,     "outside of the image"  },
        { BUILD_OPTIONAL + 60, 4, 0,          "bytes of headers"      },
        { BUILD_OPTIONAL + 60, 4, 0x400,      "outside of the file"   },
        { BUILD_OPTIONAL + 60, 4, UINT32_MAX, "bytes of headers"      },
        { BUILD_OPTIONAL + 108, 4, 17,        "17 data directories"   },
        { BUILD_OPTIONAL + 108, 4, UINT32_MAX, "data directories"     },
        { BUILD_OPTIONAL + 108, 4, 0x20000001, "data directories"     }, /* 8 bytes each wrap around */
        { CERTIFICATES,        4, 0,          "certificate table"     },
        { CERTIFICATES,        4, UINT32_MAX, "certificate table"     },
        { CERTIFICATES + 4,    4, 56,         "certificate table"     },
        { CERTIFICATES + 4,    4, 72,         "certificate table"     },
        { CERTIFICATES + 4,    4, UINT32_MAX, "certificate table"     },
        { FIRST + 1,           1, 0x1b,       "not ASCII"             },
        { FIRST + 8,           4, UINT32_MAX, "outside of the image"  },
        { FIRST + 8,           4, 0x1001,     "overlap"               },
        { FIRST + 12,          4, 0,          "outside of the image"  },
        { FIRST + 12,          4, UINT32_MAX, "outside of the image"  },
        { FIRST + 12,          4, 0x2000,     "overlap"               },
        { FIRST + 16,          4, 0x201,      "overlap"               },
        { FIRST + 16,          4, UINT32_MAX, "outside of the file"   },
        { FIRST + 20,          4, 0,          "outside of the file"   },
        { FIRST + 20,          4, UINT32_MAX, "outside of the file"   },
        { SECOND + 20,         4, 0x200,      "overlap"               },
        { SECOND + 20,         4, 0x201,      "overlap"               },
        { SECOND + 20,         4, 0x800,      "outside of the file"   }, /* the certificate table */
        /* clang-format on */
};

static void test_refused(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(bad_fields); i++) {
                BuildImage built = build_image(plain);
                _cleanup_(pe_image_done) PeImage image = {};
                _cleanup_(reason_done) Reason reason = {};

                build_sign(&built);
                build_number(&built, bad_fields[i].offset, bad_fields[i].width, bad_fields[i].value);
                _cleanup_(fd_closep) int fd = build_image_file(&built);
                const int r = pe_image_load(fd, &image, &reason);
                if (r != -EBADMSG || !reason.text || !strstr(reason.text, bad_fields[i].reason))
                        fail_msg("case %zu: %d, %s", i, r, reason.text ? reason.text : "no reason");
        }
}

static void test_truncated(void **state) {
        BuildImage built = build_image(plain);

        build_sign(&built);
        for (size_t size = 0; size < built.size; size++) {
                _cleanup_(pe_image_done) PeImage image = {};
                _cleanup_(fd_closep) int fd = build_file(built.bytes, size);

                assert_int_equal(pe_image_load(fd, &image, NULL), -EBADMSG);
        }

        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(fd_closep) int directory_fd = open("/", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        assert_int_equal(pe_image_load(directory_fd, &image, NULL), -EBADMSG);
}

/* A section of size zero may have any place: linkers leave such behind. */
static void test_empty_section(void **state) {
        BuildImage built = build_image((const BuildSection[]){ { ".reloc", "" }, { ".text", "code" }, {} });
        _cleanup_(pe_image_done) PeImage image = {}, written_image = {};
        _cleanup_(fd_closep) int written_fd = memfd_create("written", MFD_CLOEXEC);

        build_number(&built, BUILD_TABLE + 12, 4, 0);
        build_number(&built, BUILD_TABLE + 20, 4, 0);
        _cleanup_(fd_closep) int fd = build_image_file(&built);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(pe_image_write(&image, NULL, 0, written_fd, NULL), 0);
        assert_int_equal(pe_image_load(written_fd, &written_image, NULL), 0);
        assert_int_equal(written_image.sections[0].raw_offset, 0);
}

/* A size in memory of zero stands for that in the file, before that is rounded up. */
static void test_no_virtual_size(void **state) {
        BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {}, written = {};
        _cleanup_(fd_closep) int to = memfd_create("to", MFD_CLOEXEC);

        build_number(&built, FIRST + 8, 4, 0);
        build_number(&built, FIRST + 16, 4, 4);
        build_number(&built, SECOND + 12, 4, BUILD_SECTION_ALIGNMENT + 4);
        _cleanup_(fd_closep) int fd = build_image_file(&built);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(pe_image_write(&image, NULL, 0, to, NULL), 0);
        assert_int_equal(pe_image_load(to, &written, NULL), 0);
        assert_int_equal(written.sections[0].virtual_size, 4);
        assert_int_equal(written.sections[0].raw_size, BUILD_FILE_ALIGNMENT);
}

static void test_write(void **state) {
        const BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {}, written = {};
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *text = NULL, *sbat = NULL;
        _cleanup_(fd_closep) int fd = build_image_file(&built), to = memfd_create("to", MFD_CLOEXEC);
        _cleanup_(fd_closep) int content_fd = build_file("from a file", 11);
        const PeNewSection sections[] = {
                { .name = ".sbat",
                  .data = "sbat,2\n",
                  .size = 7,
                  .characteristics = PE_SECTION_INITIALIZED_DATA },
                { .name = ".longest", .fd = content_fd, .size = 11, .characteristics = PE_SECTION_CODE },
        };

        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(pe_image_write(&image, sections, ELEMENTSOF(sections), to, &reason), 0);
        assert_int_equal(pe_image_load(to, &written, &reason), 0);

        /* The old .sbat is gone; what was in the file behind it moved up. */
        static const PeSection expected[] = {
                { ".text", 0x1000, 4, 0x200, 0x200, 0x60000020 },
                { ".data", 0x2000, 6, 0x400, 0x200, 0x40000040 },
                { ".sbat", 0x4000, 7, 0x600, 0x200, PE_SECTION_INITIALIZED_DATA },
                { ".longest", 0x5000, 11, 0x800, 0x200, PE_SECTION_CODE },
        };
        assert_int_equal(written.n_sections, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                const PeSection *section = &written.sections[i];

                assert_string_equal(section->name, expected[i].name);
                assert_int_equal(section->virtual_address, expected[i].virtual_address);
                assert_int_equal(section->virtual_size, expected[i].virtual_size);
                assert_int_equal(section->raw_offset, expected[i].raw_offset);
                assert_int_equal(section->raw_size, expected[i].raw_size);
                assert_int_equal(section->characteristics, expected[i].characteristics);
        }
        assert_int_equal(written.image_size, 0x6000);
        assert_int_equal(written.header_size, BUILD_HEADER_SIZE);
        assert_int_equal(lseek(to, 0, SEEK_END), 0xa00);

        assert_int_equal(pe_image_read_text(&written, &written.sections[2], 100, &sbat, NULL), 0);
        assert_string_equal(sbat, "sbat,2\n");
        assert_int_equal(pe_image_read_text(&written, &written.sections[3], 100, &text, NULL), 0);
        assert_string_equal(text, "from a file");
}

/* What is void in the new image is gone from its headers. */
static void test_write_clears(void **state) {
        BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {}, written = {};
        _cleanup_(fd_closep) int to = memfd_create("to", MFD_CLOEXEC);

        build_number(&built, BUILD_COFF + 8, 4, built.size);
        build_number(&built, BUILD_COFF + 12, 4, 2);
        build_number(&built, BUILD_DIRECTORIES + 6 * 8, 4, 0x2000);
        build_number(&built, BUILD_DIRECTORIES + 6 * 8 + 4, 4, 4);
        build_number(&built, BUILD_DIRECTORIES + 5 * 8, 4, 0x3000);
        memset(built.bytes + built.size, 'Y', 40); /* symbols */
        built.size += 40;
        build_sign(&built);
        _cleanup_(fd_closep) int fd = build_image_file(&built);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(image.certificates_size, 64);
        assert_int_equal(pe_image_write(&image, NULL, 0, to, NULL), 0);
        assert_int_equal(pe_image_load(to, &written, NULL), 0);

        assert_int_equal(written.certificates_size, 0);
        assert_int_equal(lseek(to, 0, SEEK_END), 0x800);
        assert_int_equal(build_get(written.headers, BUILD_COFF + 8, 8), 0);
        assert_int_equal(build_get(written.headers, BUILD_COFF + 18, 2), 0x020e);
        assert_int_equal(build_get(written.headers, BUILD_OPTIONAL + 4, 4), 0x200); /* .text */
        assert_int_equal(build_get(written.headers, BUILD_OPTIONAL + 8, 4), 0x400); /* .data, .sbat */
        assert_int_equal(build_get(written.headers, BUILD_OPTIONAL + 64, 4), 0);
        assert_int_equal(build_get(written.headers, BUILD_DIRECTORIES + 6 * 8, 8), 0);
        assert_int_equal(build_get(written.headers, BUILD_DIRECTORIES + 5 * 8, 4), 0x3000);
}

/* Also where the image's own sections are packed tighter. */
static void test_write_at_pages(void **state) {
        BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {}, written = {};
        _cleanup_(fd_closep) int to = memfd_create("to", MFD_CLOEXEC);
        const PeNewSection section = { .name = ".new", .data = "new", .size = 3 };

        build_number(&built, BUILD_OPTIONAL + 32, 4, BUILD_FILE_ALIGNMENT);
        build_number(&built, BUILD_OPTIONAL + 56, 4, 0x3100);
        _cleanup_(fd_closep) int fd = build_image_file(&built);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(pe_image_write(&image, &section, 1, to, NULL), 0);
        assert_int_equal(pe_image_load(to, &written, NULL), 0);
        assert_int_equal(written.section_alignment, BUILD_FILE_ALIGNMENT);
        assert_int_equal(written.sections[3].virtual_address, 0x4000);
}

static void test_write_grows_headers(void **state) {
        BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {}, written = {};
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fd_closep) int fd = build_image_file(&built), to = memfd_create("to", MFD_CLOEXEC);
        PeNewSection sections[PE_SECTIONS_MAX] = {};
        char names[PE_SECTIONS_MAX][8];

        for (size_t i = 0; i < ELEMENTSOF(sections); i++) {
                (void)snprintf(names[i], sizeof(names[i]), ".new%zu", i);
                sections[i] = (PeNewSection){ .name = names[i], .data = names[i], .size = strlen(names[i]) };
        }

        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(pe_image_write(&image, sections, 20, to, &reason), 0);
        assert_int_equal(pe_image_load(to, &written, &reason), 0);
        assert_int_equal(written.n_sections, 23);
        assert_int_equal(written.header_size, align_up(BUILD_TABLE + 23 * 40, BUILD_FILE_ALIGNMENT));
        assert_int_equal(written.sections[0].virtual_address, 0x1000);
        assert_int_equal(written.sections[0].raw_offset, written.header_size);
        assert_int_equal(pe_image_read_text(&written, &written.sections[0], 100, &text, NULL), 0);
        assert_string_equal(text, "code");

        /* 93 more would fit the count, but the first section is in their way. */
        assert_int_equal(pe_image_write(&image, sections, PE_SECTIONS_MAX - 3, to, &reason), -ENOSPC);
        assert_non_null(strstr(reason.text, "before section '.text'"));
        reason_done(&reason);
        assert_int_equal(pe_image_write(&image, sections, PE_SECTIONS_MAX - 2, to, &reason), -ENOSPC);
        assert_non_null(strstr(reason.text, "96 sections only"));
}

/* Headers that we would not read again are not written. */
static void test_write_headers_too_large(void **state) {
        BuildImage built = build_image((const BuildSection[]){ {} });
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(fd_closep) int to = memfd_create("to", MFD_CLOEXEC);
        const PeNewSection sections[] = {
                { .name = ".one", .data = "1", .size = 1 },
                { .name = ".two", .data = "2", .size = 1 },
        };

        built.size = BUILD_SIZE_MAX;
        build_number(&built, BUILD_COFF + 16, 2, BUILD_SIZE_MAX - BUILD_OPTIONAL - 40);
        build_number(&built, BUILD_OPTIONAL + 56, 4, 2 * BUILD_SIZE_MAX);
        build_number(&built, BUILD_OPTIONAL + 60, 4, BUILD_SIZE_MAX);
        _cleanup_(fd_closep) int fd = build_image_file(&built);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(pe_image_write(&image, sections, 1, to, &reason), 0);
        assert_int_equal(pe_image_write(&image, sections, 2, to, &reason), -ENOSPC);
        assert_non_null(strstr(reason.text, "2 section headers"));
}

static void test_write_too_large(void **state) {
        const BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(fd_closep) int fd = build_image_file(&built), to = memfd_create("to", MFD_CLOEXEC);
        _cleanup_(fd_closep) int large_fd = memfd_create("large", MFD_CLOEXEC);
        static const uint64_t sizes[] = { UINT32_MAX - 0x4000, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX };

        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                const PeNewSection section = { .name = ".large", .fd = large_fd, .size = sizes[i] };
                _cleanup_(reason_done) Reason reason = {};

                assert_int_equal(pe_image_write(&image, &section, 1, to, &reason), -EFBIG);
                assert_non_null(strstr(reason.text, ".large"));
        }

        /* A file that ends before the size that was given. */
        const PeNewSection section = { .name = ".large", .fd = large_fd, .size = 1 };
        assert_int_equal(pe_image_write(&image, &section, 1, to, NULL), -ENODATA);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_load),
                cmocka_unit_test(test_read_text),
                cmocka_unit_test(test_load_pe32),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_truncated),
                cmocka_unit_test(test_empty_section),
                cmocka_unit_test(test_no_virtual_size),
                cmocka_unit_test(test_write),
                cmocka_unit_test(test_write_clears),
                cmocka_unit_test(test_write_at_pages),
                cmocka_unit_test(test_write_grows_headers),
                cmocka_unit_test(test_write_headers_too_large),
                cmocka_unit_test(test_write_too_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
