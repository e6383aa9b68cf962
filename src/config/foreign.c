/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <sys/utsname.h>

#include "base/os-release.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/foreign.h"
#include "sandbox/binfmt.h"
#include "sandbox/sandbox-binfmt.h"

/* Of each architecture: its number in ELF headers (e_machine, <elf.h>), the machines that run it without help, and how
 * the name of its package ends on Fedora. */
typedef struct ForeignArchitecture {
        BinfmtProgram program;
        const char *machines[5];
        const char *package;
} ForeignArchitecture;

/* clang-format off */
static const ForeignArchitecture architectures[] = {
        [ARCHITECTURE_X86_64]  = { { 64, 62 },  { "x86_64" },                                 "x86"     },
        [ARCHITECTURE_X86]     = { { 32, 3 },   { "x86_64", "i686", "i586", "i486", "i386" }, "x86"     },
        [ARCHITECTURE_ARM64]   = { { 64, 183 }, { "aarch64" },                                "aarch64" },
        [ARCHITECTURE_ARM]     = { { 32, 40 },  { "aarch64", "armv8l", "armv7l" },            "arm"     },
        [ARCHITECTURE_RISCV64] = { { 64, 243 }, { "riscv64" },                                "riscv"   },
};
static_assert(ELEMENTSOF(architectures) == ARCHITECTURE_MAX, "An architecture has no row");

/* The packages that bring the interpreters together with their files in binfmt.d, by how ID= of the host begins, or a word of
 * ID_LIKE=. */
static const struct {
        const char *host, *package;
        bool each; /* the name ends with that of the architecture */
} packages[] = {
        { "fedora",   "qemu-user-static-",                                     true  },
        { "arch",     "qemu-user-static-binfmt",                               false },
        { "opensuse", "qemu-linux-user",                                       false },
        { NULL,       "qemu-user-static (from Debian 13 on qemu-user-binfmt)", false },
};
/* clang-format on */

bool foreign_is_native(Architecture architecture, const char *machine) {
        const ForeignArchitecture *row = &architectures[architecture];

        for (size_t i = 0; i < ELEMENTSOF(row->machines) && row->machines[i]; i++)
                if (text_equal(row->machines[i], machine))
                        return true;
        return false;
}

bool foreign_from_here(Architecture architecture) {
        struct utsname name;

        return uname(&name) < 0 || !foreign_is_native(architecture, name.machine);
}

static int find(Architecture architecture, const ForeignHost *host, Binfmt *ret) {
        *ret = (Binfmt){};
        if (foreign_is_native(architecture, host->machine))
                return 1;
        return binfmt_find(host->root, &architectures[architecture].program, ret);
}

int foreign_registration(Architecture architecture, char **ret) {
        _cleanup_(binfmt_done) Binfmt binfmt = {};
        struct utsname name;

        if (uname(&name) < 0)
                return -errno;
        const int r = find(architecture, &(ForeignHost){ .root = "/", .machine = name.machine }, &binfmt);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(binfmt.registration);
        return 0;
}

/* The row of a host; one that does not say which it is gets Debian's names. */
static int find_package(const OsRelease *os_release, size_t *ret) {
        _cleanup_(strv_freep) char **words = NULL, **like = NULL;

        int r = os_release->id ? strv_append(&words, os_release->id) : 0;
        if (r >= 0 && os_release->id_like)
                r = strv_split(os_release->id_like, " ", &like);
        if (r >= 0)
                r = strv_extend(&words, STRV(like));
        if (r < 0)
                return r;

        *ret = ELEMENTSOF(packages) - 1;
        for (char **word = words; word && *word; word++)
                for (size_t i = 0; packages[i].host; i++)
                        if (text_after_prefix(*word, packages[i].host)) {
                                *ret = i;
                                return 0;
                        }
        return 0;
}

static int host_package(Architecture architecture, const char *root, char **ret) {
        _cleanup_(os_release_done) OsRelease os_release = {};
        size_t i;

        int r = os_release_load(root, &os_release);
        if (r != -ENOMEM)
                r = find_package(&os_release, &i);
        if (r < 0)
                return r;
        return text_format(ret, "%s%s", packages[i].package,
                           packages[i].each ? architectures[architecture].package : "");
}

static int say_missing(Architecture architecture, const ForeignHost *host, char ***problems) {
        _cleanup_(freep) char *package = NULL;

        const int r = host_package(architecture, host->root, &package);
        if (r < 0)
                return r;
        return strv_append_format(
                problems,
                "Programs for Architecture=%s do not run on this machine (%s), and neither its kernel nor a file in "
                "binfmt.d has an interpreter for them: install package %s; nothing needs to be registered",
                architecture_words[architecture], host->machine, package);
}

/* What is there to be registered must be so in a namespace of our own, which not every kernel has. */
static int try_registration(Architecture architecture, const Binfmt *binfmt, char ***problems) {
        _cleanup_(reason_done) Reason reason = {};

        const int r = sandbox_binfmt_check(binfmt->registration, &reason);
        if (r >= 0 || r == -ENOMEM)
                return r;
        return strv_append_format(
                problems,
                "Programs for Architecture=%s do not run on this machine, and %s cannot be used for this build alone: %s; "
                "register it for the whole machine: systemctl restart systemd-binfmt, or as root: "
                "grep -h ^: %s > /proc/sys/fs/binfmt_misc/register",
                architecture_words[architecture], binfmt->file, reason_text(&reason, r), binfmt->file);
}

int foreign_check_for(Architecture architecture, const ForeignHost *host, char ***problems) {
        _cleanup_(binfmt_done) Binfmt binfmt = {};

        const int r = find(architecture, host, &binfmt);
        if (r != 0 || binfmt.source == BINFMT_KERNEL)
                return r < 0 ? r : 0;
        if (binfmt.source == BINFMT_NONE)
                return say_missing(architecture, host, problems);
        if (host->program)
                return strv_append_format(
                        problems,
                        "Programs for Architecture=%s do not run in %s on this machine (%s), whose kernel has no "
                        "interpreter for them: register that of %s, by systemctl restart systemd-binfmt, or do without %s",
                        architecture_words[architecture], host->program, host->machine, binfmt.file,
                        host->program);
        return host->try_it ? try_registration(architecture, &binfmt, problems) : 0;
}

int foreign_check_program(Architecture architecture, const char *program, char ***problems) {
        struct utsname name;

        if (uname(&name) < 0)
                return -errno;
        const ForeignHost host = { .root = "/", .machine = name.machine, .program = program, .try_it = true };
        return foreign_check_for(architecture, &host, problems);
}

int foreign_check(Architecture architecture, char ***problems) {
        return foreign_check_program(architecture, NULL, problems);
}
