/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "secureboot/pe.h"
#include "secureboot/unified-kernel.h"

#define SBAT_SIZE_MAX    (64 * KIB)
#define NEW_SECTIONS_MAX 6

/* The images that go into a unified kernel, and the texts made for it. */
typedef struct Parts {
        PeImage stub, kernel;
        char *command_line, *sbat;
} Parts;

/* The sections under construction. */
typedef struct Sections {
        PeNewSection items[NEW_SECTIONS_MAX];
        size_t n_items;
} Sections;

static void parts_done(Parts *parts) {
        pe_image_done(&parts->stub);
        pe_image_done(&parts->kernel);
        free(parts->command_line);
        free(parts->sbat);
}

static int load_image(int fd, const char *what, PeImage *ret, Reason *reason) {
        _cleanup_(reason_done) Reason inner = {};

        const int r = pe_image_load(fd, ret, &inner);
        return r < 0 ? reason_set(reason, r, "%s: %s", what, reason_text(&inner, r)) : 0;
}

static int load_images(const UnifiedKernel *kernel, Parts *parts, Reason *reason) {
        int r = load_image(kernel->stub_fd, "EFI stub", &parts->stub, reason);
        if (r < 0)
                return r;
        r = load_image(kernel->kernel_fd, "Kernel", &parts->kernel, reason);
        if (r < 0)
                return r;

        const char *stub_for = pe_machine_architecture(parts->stub.machine);
        const char *kernel_for = pe_machine_architecture(parts->kernel.machine);
        if (!text_equal(stub_for, kernel_for))
                return reason_set(reason, -EBADMSG, "The EFI stub is for %s, but the kernel for %s", stub_for,
                                  kernel_for);
        if (parts->stub.subsystem != PE_SUBSYSTEM_EFI_APPLICATION)
                return reason_set(reason, -EBADMSG, "EFI stub: not an EFI application");
        if (pe_image_find_section(&parts->stub, ".linux"))
                return reason_set(reason, -EBADMSG, "EFI stub: it contains a kernel already");
        return 0;
}

/* Whether the line describes the format, not a component: every SBAT text begins with one, a merged one has no more. */
static bool is_sbat_version(const char *line) {
        return text_after_prefix(line, "sbat,") != NULL;
}

/* Appends those lines of an SBAT text that are not there yet. */
static int sbat_merge(char ***lines, const char *text, const char *what, Reason *reason) {
        _cleanup_(strv_freep) char **more = NULL;

        int r = strv_split(text, "\r\n", &more);
        if (r < 0)
                return r;
        if (!more || !*more || !is_sbat_version(*more))
                return reason_set(reason, -EBADMSG, "%s: the SBAT lines do not begin with 'sbat,'", what);

        for (char **line = more; *line; line++) {
                if (strv_contains(STRV(*lines), *line) || (*lines && is_sbat_version(*line)))
                        continue;
                r = strv_append(lines, *line);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int sbat_merge_image(char ***lines, const PeImage *image, const char *what, Reason *reason) {
        const PeSection *section = pe_image_find_section(image, ".sbat");
        _cleanup_(freep) char *text = NULL;

        if (!section)
                return 0;
        int r = pe_image_read_text(image, section, SBAT_SIZE_MAX, &text, reason);
        if (r < 0)
                return r;
        return sbat_merge(lines, text, what, reason);
}

/* Stub, kernel and distribution can each be revoked on their own (shim's SBAT.md): the image answers for all of them. The
 * result is NULL when there is nothing but what the stub has anyway. */
static int make_sbat(const UnifiedKernel *kernel, Parts *parts, Reason *reason) {
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(freep) char *joined = NULL;

        if (text_is_empty(kernel->sbat) && !pe_image_find_section(&parts->kernel, ".sbat"))
                return 0;

        int r = sbat_merge_image(&lines, &parts->stub, "EFI stub", reason);
        if (r < 0)
                return r;
        r = sbat_merge_image(&lines, &parts->kernel, "Kernel", reason);
        if (r < 0)
                return r;
        if (!text_is_empty(kernel->sbat)) {
                r = sbat_merge(&lines, kernel->sbat, "SBAT", reason);
                if (r < 0)
                        return r;
        }

        r = strv_join(STRV(lines), "\n", &joined);
        if (r < 0)
                return r;
        return text_format(&parts->sbat, "%s\n", joined);
}

/* The stub takes a section's VirtualSize for the length of the text: no NUL is added. An empty section means nothing. */
static void add_text(Sections *sections, const char *name, const char *text) {
        if (text_is_empty(text))
                return;
        sections->items[sections->n_items++] = (PeNewSection){
                .name = name,
                .data = text,
                .size = strlen(text),
                .characteristics = PE_SECTION_INITIALIZED_DATA | PE_SECTION_READABLE,
        };
}

static int add_file(Sections *sections, const char *name, int fd, uint32_t contents, Reason *reason) {
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode) || status.st_size == 0)
                return reason_set(reason, -EBADMSG,
                                  "The file for section '%s' is empty, or not a regular file", name);
        sections->items[sections->n_items++] = (PeNewSection){
                .name = name,
                .fd = fd,
                .size = (uint64_t)status.st_size,
                .characteristics = contents | PE_SECTION_READABLE,
        };
        return 0;
}

int unified_kernel_write(const UnifiedKernel *kernel, int fd, Reason *reason) {
        _cleanup_(parts_done) Parts parts = {};
        Sections sections = {};

        assert(kernel && kernel->stub_fd >= 0 && kernel->kernel_fd >= 0 && fd >= 0);

        int r = load_images(kernel, &parts, reason);
        if (r < 0)
                return r;
        r = make_sbat(kernel, &parts, reason);
        if (r < 0)
                return r;
        r = text_copy(kernel->command_line, &parts.command_line);
        if (r < 0)
                return r;

        add_text(&sections, ".sbat", parts.sbat);
        add_text(&sections, ".osrel", kernel->os_release);
        add_text(&sections, ".uname", kernel->uname);
        /* Without any, the stub takes a command line from whoever starts it, also under Secure Boot: then it is a blank. */
        const char *command_line = parts.command_line ? text_strip(parts.command_line) : NULL;
        add_text(&sections, ".cmdline", text_is_empty(command_line) ? " " : command_line);
        if (kernel->initrd_fd >= 0) {
                r = add_file(&sections, ".initrd", kernel->initrd_fd, PE_SECTION_INITIALIZED_DATA, reason);
                if (r < 0)
                        return r;
        }

        /* Kernels before 5.8 know no other way to take an initrd from EFI than the handover protocol, by which stubs run
         * them where they lie: hence code, and last, where decompression can overwrite no other section. */
        r = add_file(&sections, ".linux", kernel->kernel_fd, PE_SECTION_CODE, reason);
        if (r < 0)
                return r;

        return pe_image_write(&parts.stub, sections.items, sections.n_items, fd, reason);
}
