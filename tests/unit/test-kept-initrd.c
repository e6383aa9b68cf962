/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-fixture.h"

#include "base/mount-namespace.h"
#include "image/kept-initrd.h"

#define VERSION "6.1"

static const char *const command[] = { "dracut", "--kver", VERSION, NULL };
static const char *const another[] = { "dracut", "--kver", VERSION, "--more", NULL };

/* A base tree that is kept, with files that will be opened and others. */
static void keep_base(const LoadedConfig *loaded) {
        KeptTree kept = {};

        put_directory("workspace");
        put_file("base/etc/opened", "old", 0644);
        put_file("base/etc/other", "old", 0644);
        put_file("base/etc/empty", "", 0644);
        put_directory("base/var");
        assert_int_equal(symlink("old", "base/etc/link"), 0);
        assert_int_equal(kept_tree_store(&loaded->config, KEPT_BASE, &kept, "base", false, "workspace"), 0);
}

/* The image's tree above it, as each build has one. */
static Image *begin(const LoadedConfig *loaded) {
        Image *image = make_image(loaded);
        _cleanup_(freep) char *base = NULL, *directory = NULL;
        bool changes;

        assert_int_equal(kept_tree_content(&loaded->config, KEPT_BASE, &base, &changes), 0);
        assert_int_equal(path_join(image->workspace->path, "final", &directory), 0);
        assert_int_equal(layer_new(&(LayerOptions){ .below = (const char *const[]){ base, NULL },
                                                    .directory = directory },
                                   &image->final, NULL),
                         0);
        free(image->root_path);
        assert_int_equal(text_copy(image->final->path, &image->root_path), 0);
        return image;
}

static char *inside(const Image *image, const char *path) {
        char *joined;

        assert_int_equal(path_join(image->root_path, path, &joined), 0);
        return joined;
}

static void change(const Image *image, const char *path, const char *text) {
        _cleanup_(freep) char *place = inside(image, path);

        assert_int_equal(file_write_text(AT_FDCWD, place, text, 0644), 0);
}

static char *place_of_initrd(const Image *image) {
        char *path;

        assert_int_equal(path_join(image->workspace->path, "initrd", &path), 0);
        return path;
}

/* What the tool does: it opens a file, makes something that it deletes again, and writes the initrd. */
static void generate(const Image *image) {
        _cleanup_(freep) char *opened = inside(image, "etc/opened"),
                              *temporary = inside(image, "var/temporary"), *path = place_of_initrd(image),
                              *text = NULL;

        assert_int_equal(file_read(AT_FDCWD, opened, MIB, &text, NULL), 0);
        assert_int_equal(file_write_text(AT_FDCWD, temporary, "x", 0600), 0);
        assert_int_equal(unlink(temporary), 0);
        assert_int_equal(file_write_text(AT_FDCWD, path, "the initrd", 0600), 0);
}

/* Returns whether one was kept; else it is generated, and kept. */
static bool build(Image *image, const char *const *words) {
        _cleanup_(freep) char *path = place_of_initrd(image), *text = NULL;
        _cleanup_(kept_initrd_done) KeptInitrd kept = {};

        const int r = kept_initrd_take(&kept, image, VERSION, words, path);
        assert_true(r >= 0);
        if (r == 0) {
                generate(image);
                assert_int_equal(kept_initrd_store(&kept, path), 0);
        }
        assert_int_equal(file_read(AT_FDCWD, path, MIB, &text, NULL), 0);
        assert_string_equal(text, "the initrd");
        return r > 0;
}

static bool is_possible(const LoadedConfig *loaded) {
        _cleanup_(open_watch_freep) OpenWatch *watch = NULL;
        _cleanup_(image_freep) Image *image = NULL;

        if (geteuid() != 0 || mount_namespace_leave() < 0)
                return false;
        image = begin(loaded);
        return image->final->mounted && open_watch_new(image->root_path, &watch) >= 0;
}

static LoadedConfig *project(void) {
        put_file("mkosi.default", "[Distribution]\nDistribution=debian\n[Output]\nOutputDirectory=output\n",
                 0644);
        put_directory("output");
        return load_fine("--incremental");
}

static void change_other(const Image *image) {
        change(image, "etc/other", "new");
}

static void empty_other(const Image *image) {
        change(image, "etc/other", "");
}

static void fill_empty(const Image *image) {
        change(image, "etc/empty", "x");
}

static void change_opened(const Image *image) {
        change(image, "etc/opened", "new");
}

/* As steps do that write a file in every build. */
static void write_opened_again(const Image *image) {
        change(image, "etc/opened", "old");
}

static void touch_opened(const Image *image) {
        _cleanup_(freep) char *path = inside(image, "etc/opened");

        assert_int_equal(utimensat(AT_FDCWD, path,
                                   (const struct timespec[]){ { .tv_sec = 5 }, { .tv_sec = 5 } }, 0),
                         0);
}

static void change_mode(const Image *image) {
        _cleanup_(freep) char *path = inside(image, "etc/other");

        assert_int_equal(chmod(path, 0600), 0);
}

static void change_owner(const Image *image) {
        _cleanup_(freep) char *path = inside(image, "etc/other");

        assert_int_equal(chown(path, 1, 1), 0);
}

static void add_file(const Image *image) {
        change(image, "etc/new", "x");
}

static void remove_other(const Image *image) {
        _cleanup_(freep) char *path = inside(image, "etc/other");

        assert_int_equal(unlink(path), 0);
}

static void change_link(const Image *image) {
        _cleanup_(freep) char *path = inside(image, "etc/link");

        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("new", path), 0);
}

static void nothing(const Image *image) {
}

static void test_changes(void **state) {
        static const struct {
                void (*change)(const Image *image);
                const char *const *words;
                bool kept;
        } changes[] = {
                { nothing, command, true },
                { change_other, command, true },
                { nothing, another, false },
                { empty_other, command, false },
                { fill_empty, command, false },
                { change_opened, command, false },
                { write_opened_again, command, false }, /* it was older than the base tree before */
                { touch_opened, command, false },
                { change_mode, command, false },
                { change_owner, command, false },
                { add_file, command, false },
                { remove_other, command, false },
                { change_link, command, false },
        };
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = project();

        keep_base(loaded);
        if (!is_possible(loaded))
                skip();
        for (size_t i = 0; i < ELEMENTSOF(changes); i++) {
                Image *image = begin(loaded);

                (void)build(image, command);
                image_free(image);
                image = begin(loaded);
                changes[i].change(image);
                if (build(image, changes[i].words) != changes[i].kept)
                        fail_msg("change %zu", i);
                image_free(image);
                /* What was generated of the changed tree is kept of that. */
                image = begin(loaded);
                changes[i].change(image);
                assert_true(build(image, changes[i].words));
                image_free(image);
        }
}

/* Also what generating leaves on the tree is as it would have been. */
static void test_times(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = project();
        struct stat before, after;

        keep_base(loaded);
        if (!is_possible(loaded))
                skip();
        for (unsigned round = 0; round < 2; round++) {
                _cleanup_(image_freep) Image *image = begin(loaded);
                _cleanup_(freep) char *var = inside(image, "var"), *etc = inside(image, "etc");

                assert_int_equal(utimensat(AT_FDCWD, var,
                                           (const struct timespec[]){ { .tv_sec = 5 }, { .tv_sec = 5 } }, 0),
                                 0);
                assert_int_equal(stat(etc, &before), 0);
                assert_int_equal(build(image, command), round > 0);
                assert_int_equal(stat(etc, &after), 0);
                assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
                assert_int_equal(stat(var, &after), 0);
                assert_true(after.st_mtim.tv_sec > 5);
        }
}

static void test_broken(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = project();
        static const char place[] = "output/image.raw.cache-pre-inst/initrd-" VERSION "/";
        static const char *const names[] = { "image", "inputs" };

        keep_base(loaded);
        if (!is_possible(loaded))
                skip();
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(image_freep) Image *first = begin(loaded);
                _cleanup_(freep) char *path = NULL;

                (void)build(first, command);
                image_free(TAKE_PTR(first));
                assert_int_equal(text_format(&path, "%s%s", place, names[i]), 0);
                assert_int_equal(file_write_text(AT_FDCWD, path, "broken", 0600), 0);
                first = begin(loaded);
                assert_false(build(first, command));
        }
}

/* A tool that leaves more than times has not told all that it does. */
static void test_litter(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = project();

        keep_base(loaded);
        if (!is_possible(loaded))
                skip();
        for (unsigned round = 0; round < 2; round++) {
                _cleanup_(image_freep) Image *image = begin(loaded);
                _cleanup_(freep) char *path = place_of_initrd(image);
                _cleanup_(kept_initrd_done) KeptInitrd kept = {};

                assert_int_equal(kept_initrd_take(&kept, image, VERSION, command, path), 0);
                generate(image);
                change(image, "etc/litter", "x");
                assert_int_equal(kept_initrd_store(&kept, path), 0);
        }
}

/* Without --incremental nothing is kept, and nothing is looked at. */
static void test_not_wanted(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        _cleanup_(kept_initrd_done) KeptInitrd kept = {};
        _cleanup_(image_freep) Image *image = NULL;

        put_file("mkosi.default", "[Distribution]\nDistribution=debian\n[Output]\nOutputDirectory=output\n",
                 0644);
        loaded = load_fine();
        image = make_image(loaded);
        assert_int_equal(kept_initrd_take(&kept, image, VERSION, command, "initrd"), 0);
        assert_false(kept.wanted);
        assert_int_equal(kept_initrd_store(&kept, "initrd"), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_changes, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_times, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_broken, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_litter, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_not_wanted, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
