/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "secureboot/pe.h"
#include "secureboot/unified-kernel.h"

#include "pe-builder.h"

#define SBAT_VERSION "sbat,1,SBAT Version,sbat,1,https://example.org/SBAT.md\n"
#define SBAT_STUB    "stub,1,Stub,stub,1,https://example.org/\n"
#define SBAT_KERNEL  "linux,1,Kernel,linux,1,https://example.org/\n"
#define SBAT_OURS    "ours,1,Ours,ours,1,https://example.org/\n"

static const BuildSection stub_sections[] = { { ".text", "stub" }, { ".sbat", SBAT_VERSION SBAT_STUB }, {} };
static const BuildSection stub_sections_without_sbat[] = { { ".text", "stub" }, {} };
static const BuildSection kernel_sections[] = { { ".text", "kernel" }, {} };
static const BuildSection kernel_sections_with_sbat[] = {
        { ".text", "kernel" },
        { ".sbat", SBAT_VERSION SBAT_KERNEL SBAT_STUB },
        {},
};

/* Stub, kernel and initrd in files, and what comes of them. */
typedef struct Case {
        int stub_fd, kernel_fd, initrd_fd, fd;
        UnifiedKernel kernel;
        PeImage image;
        Reason reason;
} Case;

static void case_done(Case *c) {
        pe_image_done(&c->image);
        reason_done(&c->reason);
        c->stub_fd = fd_close(c->stub_fd);
        c->kernel_fd = fd_close(c->kernel_fd);
        c->initrd_fd = fd_close(c->initrd_fd);
        c->fd = fd_close(c->fd);
}

static Case case_new(const BuildImage *stub, const BuildImage *kernel, const char *initrd) {
        Case c = {
                .stub_fd = build_image_file(stub),
                .kernel_fd = build_image_file(kernel),
                .initrd_fd = initrd ? build_file(initrd, strlen(initrd)) : -EBADF,
                .fd = memfd_create("image", MFD_CLOEXEC),
        };

        assert_true(c.fd >= 0);
        c.kernel = (UnifiedKernel){ c.stub_fd, c.kernel_fd, c.initrd_fd, NULL, NULL, NULL, NULL };
        return c;
}

static int case_write(Case *c) {
        int r = unified_kernel_write(&c->kernel, c->fd, &c->reason);

        return r < 0 ? r : pe_image_load(c->fd, &c->image, &c->reason);
}

static void assert_section(const Case *c, const char *name, const char *expected) {
        const PeSection *section = pe_image_find_section(&c->image, name);
        _cleanup_(freep) char *text = NULL;

        if (!expected) {
                assert_null(section);
                return;
        }
        if (!section)
                fail_msg("There is no section %s", name);
        assert_int_equal(section->virtual_size, strlen(expected));
        assert_int_equal(pe_image_read_text(&c->image, section, 64 * KIB, &text, NULL), 0);
        assert_string_equal(text, expected);
}

static void test_everything(void **state) {
        const BuildImage stub = build_image(stub_sections), kernel = build_image(kernel_sections);
        _cleanup_(case_done) Case c = case_new(&stub, &kernel, "initrd");
        static const char *const order[] = {
                ".text", ".sbat", ".osrel", ".uname", ".cmdline", ".initrd", ".linux",
        };

        c.kernel.command_line = " \tquiet  rw\n";
        c.kernel.os_release = "ID=test\n";
        c.kernel.uname = "6.1.0";
        c.kernel.sbat = SBAT_VERSION SBAT_OURS;
        assert_int_equal(case_write(&c), 0);

        assert_section(&c, ".text", "stub");
        assert_section(&c, ".osrel", "ID=test\n");
        assert_section(&c, ".uname", "6.1.0");
        assert_section(&c, ".cmdline", "quiet  rw");
        assert_section(&c, ".initrd", "initrd");
        assert_section(&c, ".sbat", SBAT_VERSION SBAT_STUB SBAT_OURS);

        assert_int_equal(c.image.n_sections, ELEMENTSOF(order));
        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                assert_string_equal(c.image.sections[i].name, order[i]);

        /* The kernel is there byte by byte, headers and all. */
        const PeSection *section = pe_image_find_section(&c.image, ".linux");
        _cleanup_(freep) uint8_t *copy = malloc(kernel.size);
        assert_int_equal(section->virtual_size, kernel.size);
        assert_int_equal(fd_pread_all(c.fd, copy, kernel.size, section->raw_offset), 0);
        assert_memory_equal(copy, kernel.bytes, kernel.size);
}

static void test_the_least(void **state) {
        const BuildImage stub = build_image(stub_sections), kernel = build_image(kernel_sections);
        _cleanup_(case_done) Case c = case_new(&stub, &kernel, NULL);

        c.kernel.command_line = " \n";
        c.kernel.os_release = "";
        assert_int_equal(case_write(&c), 0);
        assert_int_equal(c.image.n_sections, 4);
        assert_section(&c, ".sbat", SBAT_VERSION SBAT_STUB);
        /* Nothing that somebody could say at the boot menu takes its place. */
        assert_section(&c, ".cmdline", " ");
        assert_non_null(pe_image_find_section(&c.image, ".linux"));
}

static void test_sbat(void **state) {
        static const struct {
                const BuildSection *stub, *kernel;
                const char *ours, *expected;
        } cases[] = {
                /* clang-format off */
                { stub_sections_without_sbat, kernel_sections,           NULL,                   NULL },
                { stub_sections_without_sbat, kernel_sections,           SBAT_VERSION SBAT_OURS, SBAT_VERSION SBAT_OURS },
                { stub_sections_without_sbat, kernel_sections_with_sbat, NULL,
                  SBAT_VERSION SBAT_KERNEL SBAT_STUB },
                { stub_sections,              kernel_sections,           "",                     SBAT_VERSION SBAT_STUB },
                { stub_sections,              kernel_sections_with_sbat, NULL,
                  SBAT_VERSION SBAT_STUB SBAT_KERNEL },
                { stub_sections,              kernel_sections_with_sbat, "sbat,2,newer\r\n\r\n" SBAT_OURS SBAT_STUB,
                  SBAT_VERSION SBAT_STUB SBAT_KERNEL SBAT_OURS },
                /* clang-format on */
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const BuildImage stub = build_image(cases[i].stub), kernel = build_image(cases[i].kernel);
                _cleanup_(case_done) Case c = case_new(&stub, &kernel, NULL);

                c.kernel.sbat = cases[i].ours;
                assert_int_equal(case_write(&c), 0);
                assert_section(&c, ".sbat", cases[i].expected);
        }
}

static void assert_refused(const BuildImage *stub, const BuildImage *kernel, const char *initrd,
                           const char *sbat, const char *reason) {
        _cleanup_(case_done) Case c = case_new(stub, kernel, initrd);

        c.kernel.sbat = sbat;
        assert_int_equal(case_write(&c), -EBADMSG);
        assert_non_null(c.reason.text);
        if (!strstr(c.reason.text, reason))
                fail_msg("'%s' does not say '%s'", c.reason.text, reason);
}

static void test_refused(void **state) {
        const BuildImage stub = build_image(stub_sections), kernel = build_image(kernel_sections);
        const BuildImage unified = build_image((const BuildSection[]){ { ".linux", "kernel" }, {} });
        const BuildImage bad_sbat = build_image((const BuildSection[]){ { ".sbat", "linux,1\n" }, {} });
        BuildImage driver = stub, arm64 = kernel, broken = kernel;

        build_number(&driver, BUILD_OPTIONAL + 68, 2, 11);
        build_number(&arm64, BUILD_COFF, 2, BUILD_ARM64);
        broken.bytes[0] = '\0';

        assert_refused(&broken, &kernel, NULL, NULL, "EFI stub: No PE image");
        assert_refused(&stub, &broken, NULL, NULL, "Kernel: No PE image");
        assert_refused(&stub, &arm64, NULL, NULL, "stub is for x86-64, but the kernel for arm64");
        assert_refused(&driver, &kernel, NULL, NULL, "not an EFI application");
        assert_refused(&unified, &kernel, NULL, NULL, "contains a kernel already");
        assert_refused(&stub, &bad_sbat, NULL, NULL, "Kernel: the SBAT lines");
        assert_refused(&stub, &kernel, NULL, "ours,1\n", "SBAT: the SBAT lines");
        assert_refused(&stub, &kernel, "", NULL, "'.initrd' is empty");
}

/* A stub's signature is void; a kernel's is the kernel's own matter. */
static void test_signatures(void **state) {
        BuildImage stub = build_image(stub_sections), kernel = build_image(kernel_sections);

        build_sign(&stub);
        build_sign(&kernel);
        _cleanup_(case_done) Case c = case_new(&stub, &kernel, NULL);
        assert_int_equal(case_write(&c), 0);
        assert_int_equal(c.image.certificates_size, 0);
        assert_int_equal(pe_image_find_section(&c.image, ".linux")->virtual_size, kernel.size);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_everything), cmocka_unit_test(test_the_least),
                cmocka_unit_test(test_sbat),       cmocka_unit_test(test_refused),
                cmocka_unit_test(test_signatures),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
