/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-fixture.h"
#include "image/kept-output.h"

#define SHA256_OF_SECRET "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"

static LoadedConfig *project(const char *more) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(text_format(&text,
                                     "[Distribution]\nDistribution=debian\n[Packages]\nBuildScript=build.sh\n"
                                     "BuildSources=source\nExtraTrees=extra\n%s",
                                     more),
                         0);
        put_file("mkosi.default", text, 0644);
        return load_fine("--incremental", "--encrypt=all");
}

/* A file, and the directories on its way, with this time. */
static void put_timed(const char *path, const char *text, mode_t mode, time_t seconds) {
        const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
        _cleanup_(freep) char *place = NULL;

        put_file(path, text, mode);
        assert_int_equal(text_copy(path, &place), 0);
        for (char *end = place + strlen(place); end; end = strrchr(place, '/')) {
                *end = '\0';
                assert_int_equal(utimensat(AT_FDCWD, place, times, 0), 0);
        }
}

/* What has changed since the output was made, one sentence per line; "" when nothing has, NULL when nothing is known. */
static char *differences(const LoadedConfig *loaded) {
        _cleanup_(kept_output_done) KeptOutput kept = {};
        char *text = NULL;

        assert_int_equal(kept_output_look(loaded, distro_find(DISTRIBUTION_DEBIAN), 0022, &kept, NULL), 0);
        assert_true(kept.wanted);
        if (!kept.usable && !kept.differences)
                return NULL;
        assert_int_equal(strv_join(STRV(kept.differences), "\n", &text), 0);
        assert_int_equal(kept.usable, text[0] == '\0');
        return text;
}

#define assert_differences(loaded, expected)                        \
        do {                                                        \
                _cleanup_(freep) char *_text = differences(loaded); \
                assert_non_null(_text);                             \
                assert_string_equal(_text, expected);               \
        } while (false)

static void make(const LoadedConfig *loaded) {
        _cleanup_(kept_output_done) KeptOutput kept = {};

        put_file("image.raw", "the image", 0644);
        assert_int_equal(kept_output_look(loaded, distro_find(DISTRIBUTION_DEBIAN), 0022, &kept, NULL), 0);
        assert_int_equal(kept_output_store(&loaded->config, &kept, "."), 0);
}

static void test_up_to_date(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL, *other = NULL;
        _cleanup_(freep) char *nothing = NULL, *record = NULL, *text = NULL;
        struct stat status;

        put_file("build.sh", "#!/bin/sh\n", 0755);
        put_timed("source/a.c", "a", 0644, 10);
        put_timed("extra/etc/x", "x", 0644, 10);
        put_file("mkosi.passphrase", "secret", 0600);
        loaded = project("");
        nothing = differences(loaded);
        assert_null(nothing);
        make(loaded);
        assert_differences(loaded, "");

        /* Nothing of a passphrase is in there, nor can anybody else read it. */
        assert_int_equal(kept_output_path(&loaded->config, &record), 0);
        assert_int_equal(stat(record, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        assert_int_equal(file_read(AT_FDCWD, record, MIB, &text, NULL), 0);
        assert_null(strstr(text, SHA256_OF_SECRET));
        assert_non_null(strstr(text, "mkosi.passphrase\t"));
        put_file("mkosi.passphrase", "other", 0600);
        nothing = differences(loaded);
        assert_non_null(text_after_prefix(nothing, "mkosi.passphrase changed"));
        make(loaded);

        put_timed("source/a.c", "b", 0644, 10);
        assert_differences(loaded, "source a.c changed");
        put_timed("source/a.c", "a", 0644, 10);
        put_timed("source/a.c", "a", 0644, 11);
        assert_differences(loaded, "source a.c changed");
        put_timed("source/a.c", "a", 0644, 10);
        put_file("extra/etc/y", "y", 0644);
        assert_differences(loaded, "extra etc changed\nextra etc/y is new");
        assert_int_equal(unlink("extra/etc/y"), 0);
        put_timed("extra/etc/x", "x", 0644, 10);
        put_file("build.sh", "#!/bin/sh\n#\n", 0755);
        assert_differences(loaded, "build.sh changed");
        put_file("build.sh", "#!/bin/sh\n", 0755);
        assert_differences(loaded, "");

        other = project("[Output]\nHostname=teapot\n");
        free(TAKE_PTR(text));
        text = differences(other);
        assert_non_null(text_after_prefix(text, "Hostname= is new\nSeed= changed from "));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_up_to_date, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
