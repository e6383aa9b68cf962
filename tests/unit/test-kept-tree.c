/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-fixture.h"
#include "image/kept-tree.h"

static LoadedConfig *project(const char *more) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(text_format(&text,
                                     "[Distribution]\nDistribution=debian\n[Output]\nOutputDirectory=output\n"
                                     "[Packages]\nBuildScript=build.sh\n%s",
                                     more),
                         0);
        put_file("mkosi.default", text, 0644);
        put_file("build.sh", "", 0755);
        put_directory("output");
        return load_fine("--incremental");
}

static void look(const LoadedConfig *loaded, KeptTree kept[static KEPT_MAX]) {
        const Distro *distro = distro_find(DISTRIBUTION_DEBIAN);

        assert_int_equal(kept_tree_look(loaded, distro, KEPT_BASE, NULL, &kept[KEPT_BASE]), 0);
        assert_int_equal(kept_tree_look(loaded, distro, KEPT_DEVELOPMENT, &kept[KEPT_BASE],
                                        &kept[KEPT_DEVELOPMENT]),
                         0);
}

static void done(KeptTree kept[static KEPT_MAX]) {
        for (KeptKind kind = 0; kind < KEPT_MAX; kind++)
                kept_tree_done(&kept[kind]);
}

/* A tree with a file that says what it is. */
static void store(const LoadedConfig *loaded, KeptTree *kept, KeptKind kind, const char *text) {
        put_directory("workspace");
        put_file("tree/file", text, 0644);
        assert_int_equal(kept_tree_store(&loaded->config, kind, kept, "tree", kind == KEPT_DEVELOPMENT,
                                         "workspace"),
                         0);
        assert_int_equal(tree_remove(AT_FDCWD, "workspace"), 0);
        kept->usable = true;
}

static void assert_kept(const LoadedConfig *loaded, bool base, bool development) {
        KeptTree kept[KEPT_MAX] = {};

        look(loaded, kept);
        assert_true(kept[KEPT_BASE].wanted && kept[KEPT_DEVELOPMENT].wanted);
        assert_int_equal(kept[KEPT_BASE].usable, base);
        assert_int_equal(kept[KEPT_DEVELOPMENT].usable, development);
        done(kept);
}

static void test_store_and_look(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = project("BuildPackages=gcc\n"), *other = NULL;
        _cleanup_(freep) char *content = NULL, *text = NULL;
        KeptTree kept[KEPT_MAX] = {}, again = {};
        bool changes;

        look(loaded, kept);
        assert_false(kept[KEPT_BASE].usable);
        assert_null(kept[KEPT_BASE].differences);
        assert_int_equal(kept_tree_content(&loaded->config, KEPT_BASE, &content, &changes), -ENOENT);
        store(loaded, &kept[KEPT_BASE], KEPT_BASE, "base");
        /* The development tree is above this very base tree. */
        assert_int_equal(kept_tree_look(loaded, distro_find(DISTRIBUTION_DEBIAN), KEPT_DEVELOPMENT,
                                        &kept[KEPT_BASE], &again),
                         0);
        store(loaded, &again, KEPT_DEVELOPMENT, "development");
        kept_tree_done(&again);
        done(kept);
        assert_kept(loaded, true, true);
        assert_int_equal(kept_tree_content(&loaded->config, KEPT_BASE, &content, &changes), 0);
        assert_false(changes);
        assert_int_equal(path_join(content, "file", &text), 0);
        assert_int_equal(access(text, F_OK), 0);
        free(TAKE_PTR(content));
        assert_int_equal(kept_tree_content(&loaded->config, KEPT_DEVELOPMENT, &content, &changes), 0);
        assert_true(changes);

        other = project("BuildPackages=clang\n");
        assert_kept(other, true, false);
        loaded_config_free(other);
        other = project("BuildPackages=gcc\nPackages=vim\n");
        assert_kept(other, false, false);
        look(other, kept);
        assert_string_equal(kept[KEPT_BASE].differences[0], "package vim is new");
        assert_string_equal(kept[KEPT_DEVELOPMENT].differences[0], "the base tree is built anew");
        done(kept);

        /* Another base tree, made of the same, is another. */
        look(loaded, kept);
        store(loaded, &kept[KEPT_BASE], KEPT_BASE, "another");
        done(kept);
        assert_kept(loaded, true, false);
        assert_int_equal(kept_tree_remove(&loaded->config, KEPT_BASE), 0);
        assert_kept(loaded, false, false);
}

/* What is broken does not count, and neither does anything when it is not wanted. */
static void test_broken(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = project("");
        KeptTree kept[KEPT_MAX] = {};

        look(loaded, kept);
        store(loaded, &kept[KEPT_BASE], KEPT_BASE, "base");
        done(kept);
        put_file("output/image.raw.cache-pre-inst/inputs", "broken", 0644);
        assert_kept(loaded, false, false);
        assert_int_equal(unlink("output/image.raw.cache-pre-inst/inputs"), 0);
        assert_kept(loaded, false, false);

        _cleanup_(loaded_config_freep) LoadedConfig *plain = load_fine();
        look(plain, kept);
        assert_false(kept[KEPT_BASE].wanted || kept[KEPT_DEVELOPMENT].wanted);
        done(kept);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_store_and_look, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_broken, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
