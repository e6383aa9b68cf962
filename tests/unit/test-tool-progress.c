/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "distro/tool-progress.h"

/* What is told to programs after the lines, the last of which comes late enough to be told. */
static void assert_told(const char *const *lines, const char *expected) {
        _cleanup_(fd_closep) int fd = memfd_create("json", MFD_CLOEXEC);
        _cleanup_(progress_freep) Progress *progress = NULL;
        ToolProgress tool = {};
        char text[4096] = {};

        assert_int_equal(progress_new(&(ProgressOptions){ .quiet = true, .json_fd = fd }, &progress), 0);
        assert_int_equal(progress_begin(progress, "a", "A"), 0);
        for (; *lines; lines++) {
                if (!lines[1])
                        (void)usleep(120000);
                tool_progress_follow(&tool, *lines, progress);
        }
        assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
        if (expected && !strstr(text, expected))
                fail_msg("\"%s\" is not in:\n%s", expected, text);
        if (!expected)
                assert_null(strstr(text, "\"event\":\"progress\""));
}

static void test_apt(void **state) {
        static const char *const lines[] = {
                "Reading package lists...",
                "1 upgraded, 3 newly installed, 0 to remove and 2 not upgraded.",
                "Need to get 1 MB of archives.",
                "Get:1 http://mirror x [1 kB]",
                "Unpacking x (1) ...",
                "Preparing to unpack .../y.deb ...",
                "Unpacking y (2) ...",
                "Setting up x (1) ...",
                NULL,
        };

        assert_told(lines, "\"unit\":\"items\",\"done\":3,\"total\":8,");
}

static void test_dnf(void **state) {
        static const char *const lines[] = {
                "Install  2 Packages",
                "  Preparing        :                            1/1 ",
                "  Installing       : a-1-1.noarch               1/2 ",
                "  Installing       : b-1-1.noarch               2/2 ",
                "  Running scriptlet: b-1-1.noarch               2/2 ",
                "  Verifying        : a-1-1.noarch               1/2 ",
                NULL,
        };

        assert_told(lines, "\"unit\":\"items\",\"done\":3,\"total\":4,");
}

static void test_debootstrap(void **state) {
        static const char *const lines[] = {
                "I: Retrieving Packages",
                "I: Resolving dependencies of required packages...",
                "I: Retrieving a 1",
                "I: Validating a 1",
                "I: Retrieving b 1",
                "I: Validating b 1",
                "I: Extracting a...",
                "I: Unpacking a...",
                "I: Unpacking b...",
                "I: Configuring a...",
                NULL,
        };

        assert_told(lines, "\"unit\":\"items\",\"done\":3,\"total\":4,");
}

static void test_zypper(void **state) {
        static const char *const lines[] = {
                "Reading installed packages...",
                "12 new packages to install.",
                "In cache a-1-1.noarch.rpm (1/12),   5.4 KiB (    0   B unpacked)",
                "( 1/12) Installing: a-1-1.noarch [...done]",
                "Additional rpm output:",
                "( 2/12) Installing: b-1-1.noarch [...done]",
                NULL,
        };

        assert_told(lines, "\"unit\":\"items\",\"done\":4,\"total\":24,");
}

static void test_pacman(void **state) {
        static const char *const lines[] = {
                " core downloading...",
                "resolving dependencies...",
                "Packages (4) bash-1-1  filesystem-1-1  glibc-1-1  base-1-1",
                " bash-1-1-x86_64 downloading...",
                "checking for file conflicts...",
                "installing filesystem...",
                "upgrading glibc...",
                NULL,
        };

        assert_told(lines, "\"unit\":\"items\",\"done\":3,\"total\":4,");
}

/* What looks alike, and what nothing was announced for. */
static void test_nothing(void **state) {
        static const char *const lines[] = {
                "Unpacking x (1) ...",
                "Setting up x (1) ...",
                "I: Configuring a...",
                "some upgraded, 1 newly installed, x",
                "1 upgraded, and more",
                "I: Unpacking b...",
                "(1/2) Installing: a-1-1.noarch [...done]",
                "1 new thing",
                "installing filesystem...",
                "Packages (many) bash-1-1",
                "Packages (4",
                NULL,
        };

        assert_told(lines, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_apt),    cmocka_unit_test(test_debootstrap),
                cmocka_unit_test(test_zypper), cmocka_unit_test(test_dnf),
                cmocka_unit_test(test_pacman), cmocka_unit_test(test_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
