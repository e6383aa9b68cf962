/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the bytes are: they are refused, or they are an image to which sections can be added, and then the result is
 * an image again, with the old sections as they were. */

#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "secureboot/pe.h"

#define TEXT_SIZE_MAX (64 * KIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
        if (!condition)
                abort();
}

static void check_text(const PeImage *image, const char *name, const char *expected) {
        const PeSection *section = pe_image_find_section(image, name);
        _cleanup_(freep) char *text = NULL;

        check(section && pe_image_read_text(image, section, TEXT_SIZE_MAX, &text, NULL) == 0);
        check(strcmp(text, expected) == 0);
}

static void check_extended(const PeImage *image, const PeImage *extended) {
        for (size_t i = 0; i < image->n_sections; i++) {
                const PeSection *old = &image->sections[i], *new = &extended->sections[i];
                _cleanup_(freep) char *old_text = NULL, *new_text = NULL;

                check(strcmp(old->name, new->name) == 0 && old->virtual_address == new->virtual_address);
                if (pe_image_read_text(image, old, TEXT_SIZE_MAX, &old_text, NULL) < 0 ||
                    pe_image_read_text(extended, new, TEXT_SIZE_MAX, &new_text, NULL) < 0)
                        continue;
                check(strcmp(old_text, new_text) == 0);
        }
        check_text(extended, ".fuzz1", "first");
        check_text(extended, ".fuzz2", "second");
        check(extended->certificates_size == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(fd_closep) int fd = memfd_create("image", MFD_CLOEXEC);
        _cleanup_(fd_closep) int extended_fd = memfd_create("extended", MFD_CLOEXEC);
        _cleanup_(pe_image_done) PeImage image = {}, extended = {};
        _cleanup_(reason_done) Reason reason = {};
        static const PeNewSection sections[] = {
                { .name = ".fuzz1", .data = "first", .size = 5, .characteristics = PE_SECTION_CODE },
                { .name = ".fuzz2", .data = "second", .size = 6, .characteristics = PE_SECTION_READABLE },
        };

        check(fd >= 0 && extended_fd >= 0 && fd_pwrite_all(fd, data, size, 0) == 0);
        if (pe_image_load(fd, &image, &reason) < 0) {
                check(reason.text != NULL);
                return 0;
        }
        if (pe_image_find_section(&image, ".fuzz1") || pe_image_find_section(&image, ".fuzz2"))
                return 0;
        if (pe_image_write(&image, sections, ELEMENTSOF(sections), extended_fd, &reason) < 0) {
                check(reason.text != NULL);
                return 0;
        }

        check(pe_image_load(extended_fd, &extended, NULL) == 0);
        check_extended(&image, &extended);
        return 0;
}
