/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"
#include "foreign-program.h"
#include "image/sources.h"

static LoadedConfig *project(const char *settings) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(text_format(&text,
                                     "[Distribution]\nDistribution=debian\n[Output]\nEncrypt=all\n"
                                     "[Packages]\nBuildScript=build.sh\n%s",
                                     settings),
                         0);
        put_file("mkosi.default", text, 0644);
        put_file("build.sh", "", 0755);
        return load_fine();
}

static void copy(const LoadedConfig *loaded) {
        _cleanup_(reason_done) Reason reason = {};

        const int r = sources_copy(&loaded->config, "to", NULL, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
}

static void assert_copied(bool copied, const char *const *paths) {
        for (; *paths; paths++) {
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(path_join("to", *paths, &path), 0);
                if ((access(path, F_OK) == 0) != copied)
                        fail_msg("%s %s copied", *paths, copied ? "is not" : "is");
        }
}

/* What mkosi itself makes or keeps, and what is secret, is nobody's source, whatever it is called. */
static void test_what_is_left_out(void **state) {
        static const char *const kept[] = { "a.c",       "dir/mkosi.cache/x", "image.raw.txt",
                                            "out/put.c", ".mkosi-notes",      "tests.failed",
                                            NULL };
        static const char *const left_out[] = { "image.raw",
                                                "image.roothash",
                                                ".mkosi-image.raw",
                                                "image.raw.cache-pre-inst",
                                                "image.raw.failed",
                                                "mkosi.cache",
                                                "mkosi.passphrase",
                                                "build",
                                                "cache",
                                                "mkosi.rootpw",
                                                ".git",
                                                "dir/.git",
                                                NULL };

        put_file("mkosi.passphrase", "secret", 0600);
        put_directory("cache");
        put_directory("build");
        for (size_t i = 0; kept[i]; i++)
                put_file(kept[i], "", 0644);
        put_file("image.raw", "", 0644);
        put_file("image.roothash", "", 0644);
        put_file(".mkosi-image.raw/lock", "", 0644);
        put_file("image.raw.cache-pre-inst/inputs", "", 0644);
        put_file("image.raw.failed/etc/x", "", 0644);
        put_file("mkosi.cache/x", "", 0644);
        put_file("mkosi.rootpw", "secret", 0600);
        put_file("cache/x", "", 0644);
        put_file("build/x", "", 0644);
        put_file(".git/x", "", 0644);
        put_file("dir/.git", "", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                project("SourceFileTransfer=copy-all\nCache=cache\nBuildDirectory=build\n");

        copy(loaded);
        assert_copied(true, kept);
        assert_copied(false, left_out);
}

/* The sources may lie where outputs go. */
static void test_sources_in_the_output_directory(void **state) {
        put_file("out/src/a.c", "", 0644);
        put_file("out/image.raw", "", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                project("BuildSources=out/src\n[Output]\nOutputDirectory=out\n");

        copy(loaded);
        assert_int_equal(access("to/a.c", F_OK), 0);
}

/* Where the output is put, others have their files: nothing but what is ours is left out there. */
static void test_sources_beside_the_output(void **state) {
        static const char *const kept[] = { "src/main.c",          "src/image.raw.c",  "src/other.raw",
                                            "src/SHA256SUMS",      "src/image.nspawn", "src/tests.failed",
                                            "src/sub/.mkosi-note", "deep/a.failed/b",  NULL };
        static const char *const left_out[] = { "src/image.raw",
                                                "src/image.raw.cache-output",
                                                "src/image.roothash",
                                                "src/other.raw.cache-pre-inst",
                                                "src/.mkosi-other.raw",
                                                "src/image.raw.failed",
                                                NULL };

        for (size_t i = 0; kept[i]; i++)
                put_file(kept[i], "", 0644);
        put_file("src/image.raw", "", 0644);
        put_file("src/image.raw.cache-output", "", 0644);
        put_file("src/image.roothash", "", 0644);
        put_file("src/other.raw.cache-pre-inst/x", "", 0644);
        put_file("src/.mkosi-other.raw/x", "", 0644);
        put_file("src/image.raw.failed/x", "", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                project("SourceFileTransfer=copy-all\n[Output]\nOutput=src/image.raw\n");

        copy(loaded);
        assert_copied(true, kept);
        assert_copied(false, left_out);
}

static void test_output_directory_with_other_files(void **state) {
        put_file("src/a.c", "", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = project("[Output]\nOutputDirectory=src\n");

        copy(loaded);
        assert_int_equal(access("to/src/a.c", F_OK), 0);
}

/* By way of a link, which is where they are named from. */
static void test_linked_sources(void **state) {
        put_file("real/a.c", "", 0644);
        put_file("real/cache/x", "", 0644);
        assert_int_equal(symlink("real", "link"), 0);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                project("BuildSources=link\nCache=real/cache\n");

        copy(loaded);
        assert_int_equal(access("to/a.c", F_OK), 0);
        assert_int_equal(access("to/cache", F_OK), -1);
}

/* Everything here but what is called "fine" is a secret, or leads to one. */
static LoadedConfig *project_with_secrets(const char *settings) {
        _cleanup_(freep) char *all = NULL;

        put_file("keys/real", "SECRET", 0600);
        assert_int_equal(symlink("real", "keys/named"), 0);
        put_directory("deep/er");
        assert_int_equal(link("keys/real", "deep/er/innocent"), 0);
        put_file("keys/named.aB3dE6", "SECRET", 0600);
        put_file("deep/mkosi.rootpw", "SECRET", 0600);
        put_file("deep/mkosi.secure-boot.key.x9Zk2q", "SECRET", 0600);
        put_file("deep/elsewhere", "SECRET", 0600);
        assert_int_equal(symlink("../deep/elsewhere", "keys/mkosi.verity.key"), 0);
        put_file("mkosi.passphrase", "SECRET", 0600);
        assert_int_equal(symlink("../mkosi.passphrase", "deep/link"), 0);
        put_file("deep/fine", "", 0644);
        put_file("keys/fine", "", 0644);
        assert_int_equal(text_format(&all,
                                     "%s[Output]\nSecureBoot=yes\nSecureBootKey=keys/named\nBootable=yes\n"
                                     "SecureBootCertificate=keys/fine\n",
                                     settings),
                         0);
        return project(all);
}

static void test_secrets(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = project_with_secrets("");
        _cleanup_(tree_freep) Tree *tree = NULL;

        copy(loaded);
        assert_int_equal(tree_load(AT_FDCWD, "to", &tree, NULL), 0);
        for (size_t i = 0; i < tree->n_nodes; i++) {
                _cleanup_(freep) char *path = NULL, *text = NULL;

                if (!S_ISREG(tree->nodes[i]->status.st_mode))
                        continue;
                assert_int_equal(tree_node_path(tree->nodes[i], &path), 0);
                assert_int_equal(file_read(tree->root_fd, path, 4096, &text, NULL), 0);
                if (strstr(text, "SECRET"))
                        fail_msg("%s is among the sources", path);
        }
        assert_non_null(tree_find(tree, "deep/fine"));
        assert_non_null(tree_find(tree, "keys/fine"));
        /* A link shows nothing. */
        assert_non_null(tree_find(tree, "deep/link"));
}

static void test_secrets_of_what_is_mounted(void **state) {
        static const char *const expected[] = {
                "deep/elsewhere",    "deep/er/innocent",
                "deep/mkosi.rootpw", "deep/mkosi.secure-boot.key.x9Zk2q",
                "keys/named.aB3dE6", "keys/real",
                "mkosi.passphrase",
        };
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                project_with_secrets("SourceFileTransfer=mount\n");
        _cleanup_(strv_freep) char **list = NULL;

        assert_int_equal(sources_list_secrets(&loaded->config, &list, NULL), 0);
        strv_sort(list);
        assert_int_equal(strv_length(STRV(list)), ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                assert_string_equal(list[i], expected[i]);
}

/* Also in directories that are ours, and not looked at. */
static void test_secret_in_a_cache(void **state) {
        put_file("mkosi.cache/key", "SECRET", 0600);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                project("SourceFileTransfer=mount\n[Output]\nPassphraseFile=mkosi.cache/key\n");
        _cleanup_(strv_freep) char **list = NULL;

        assert_int_equal(sources_list_secrets(&loaded->config, &list, NULL), 0);
        assert_int_equal(strv_length(STRV(list)), 1);
        assert_string_equal(list[0], "mkosi.cache/key");
}

static void assert_transfer(const char *settings, unsigned expected) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = project(settings);

        assert_int_equal(loaded->config.source_file_transfer, expected);
}

static void test_how_by_default(void **state) {
        assert_transfer("", SOURCE_FILE_TRANSFER_COPY_ALL);
        put_directory("part/of/it");
        put_directory(".git");
        assert_transfer("", SOURCE_FILE_TRANSFER_COPY_ALL);
        put_file(".git/HEAD", "ref: refs/heads/main\n", 0644);
        assert_transfer("", SOURCE_FILE_TRANSFER_COPY_GIT_OTHERS);
        assert_transfer("BuildSources=part/of/it\n", SOURCE_FILE_TRANSFER_COPY_GIT_OTHERS);
        assert_transfer("SourceFileTransfer=copy-all\n", SOURCE_FILE_TRANSFER_COPY_ALL);

        /* A worktree, or a submodule. */
        assert_int_equal(tree_remove(AT_FDCWD, ".git"), 0);
        put_file("part/.git", "gitdir: elsewhere", 0644);
        assert_transfer("", SOURCE_FILE_TRANSFER_COPY_ALL);
        assert_transfer("BuildSources=part/of/it\n", SOURCE_FILE_TRANSFER_COPY_GIT_OTHERS);
        /* By where it really is, as git does. */
        assert_int_equal(symlink("part/of", "link"), 0);
        assert_transfer("BuildSources=link\n", SOURCE_FILE_TRANSFER_COPY_GIT_OTHERS);
}

#define GIT(...)                                                                               \
        free(FOREIGN_CHECK("git", "-c", "user.name=n", "-c", "user.email=n@example.org", "-c", \
                           "safe.directory=*", __VA_ARGS__))

/* What is ignored above is ignored in it. */
static void test_part_of_a_git_tree(void **state) {
        static const char *const kept[] = { "a.c", "untracked.c", NULL };
        static const char *const left_out[] = { "a.o", "private", "own.tmp", NULL };

        GIT("init", "--quiet");
        put_file(".gitignore", "*.o\n/part/private\n", 0644);
        put_file("part/.gitignore", "*.tmp\n", 0644);
        put_file("part/a.c", "", 0644);
        put_file("part/a.o", "", 0644);
        put_file("part/private/x", "", 0644);
        put_file("part/own.tmp", "", 0644);
        GIT("add", "part/a.c");
        put_file("part/untracked.c", "", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = project("BuildSources=part\n");

        copy(loaded);
        assert_copied(true, kept);
        assert_copied(false, left_out);
}

static void assert_problem(const char *settings, const char *words) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = project(settings);
        _cleanup_(strv_freep) char **problems = NULL;

        assert_int_equal(sources_check(&loaded->config, &problems), 0);
        if (!words) {
                assert_null(problems);
                return;
        }
        assert_int_equal(strv_length(STRV(problems)), 1);
        assert_non_null(strstr(problems[0], words));
}

static void test_check(void **state) {
        put_file(".git", "gitdir: elsewhere", 0644);
        assert_problem("SourceFileTransfer=copy-git-more\n", "copy-git-others");
        assert_problem("SourceFileTransfer=copy-git-others\n", "git cannot list the files of");
        assert_problem("SourceFileTransfer=copy-all\n", NULL);
}

/* That nothing is left of the sources is said, and not left to the build script to find out. */
static void test_check_that_there_are_sources(void **state) {
        GIT("init", "--quiet");
        put_file(".gitignore", "/ignored\n", 0644);
        put_file("ignored/a.c", "", 0644);
        put_directory("empty");
        assert_problem("BuildSources=ignored\n", NULL);
        assert_problem("BuildSources=ignored\nSourceFileTransfer=copy-git-others\n",
                       "take SourceFileTransfer=copy-all");
        assert_problem("SourceFileTransfer=copy-git-cached\n", "add it by git add");
        assert_problem("BuildSources=ignored\nSourceFileTransfer=copy-all\n", NULL);
        assert_problem("BuildSources=empty\n", NULL);
        assert_problem("", NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_what_is_left_out),
                TEST(test_sources_in_the_output_directory),
                TEST(test_sources_beside_the_output),
                TEST(test_output_directory_with_other_files),
                TEST(test_linked_sources),
                TEST(test_secrets),
                TEST(test_secrets_of_what_is_mounted),
                TEST(test_secret_in_a_cache),
                TEST(test_how_by_default),
                TEST(test_part_of_a_git_tree),
                TEST(test_check),
                TEST(test_check_that_there_are_sources),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
