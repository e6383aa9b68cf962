/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "distro/apt-install.h"
#include "distro/debian.h"
#include "distro/distro-files.h"
#include "temporary-directory.h"

static void test_write_sources(void **state) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(".");
        _cleanup_(apt_sources_done) AptSources sources = {};
        _cleanup_(freep) char *text = NULL;
        char release[] = "sid";
        const Config config = { .release = release };
        const Installation installation = { .config = &config, .distro = &distro_debian };

        assert_int_equal(apt_sources_choose(distro_debian.apt, release, NULL, &sources), 0);
        assert_int_equal(apt_write_sources(&installation, root_fd, &sources), 0);
        assert_int_equal(file_read(AT_FDCWD, "etc/apt/sources.list.d/debian.sources", 1000, &text, NULL), 0);
        assert_non_null(strstr(text, "\nSuites: sid\n"));
}

static void test_drop_missing_suites(void **state) {
        static const char *const optional[] = { "bookworm-updates", "bookworm-security", NULL };
        static const char *const needed[] = { "bookworm-updates", "bookworm", NULL };
        _cleanup_(apt_sources_done) AptSources sources = {};

        log_set_level(LOG_LEVEL_ERROR);
        assert_int_equal(apt_sources_choose(distro_debian.apt, "bookworm", NULL, &sources), 0);
        assert_int_equal(apt_drop_missing_suites(&sources, "bookworm", NULL), 0);
        assert_int_equal(apt_drop_missing_suites(&sources, "bookworm", needed), 0);
        assert_non_null(sources.items[0].suites[1]);

        assert_int_equal(apt_drop_missing_suites(&sources, "bookworm", optional), 2);
        assert_string_equal(sources.items[0].suites[0], "bookworm");
        assert_null(sources.items[0].suites[1]);
        assert_null(sources.items[1].suites[0]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_write_sources),
                cmocka_unit_test(test_drop_missing_suites),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
