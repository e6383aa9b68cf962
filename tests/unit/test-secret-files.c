/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"
#include "image/secret-files.h"

static bool contains(const SecretFiles *files, const char *path) {
        struct stat status;

        assert_int_equal(lstat(path, &status), 0);
        return secret_files_contain(files, fixture_directory, path, &status);
}

static void test_names(void **state) {
        static const char *const secret[] = {
                "mkosi.rootpw",
                "mkosi.passphrase",
                "a/b/mkosi.verity.key",
                "mkosi.verity.passphrase",
                "mkosi.secure-boot.key",
                "x/mkosi.secure-boot.passphrase",
                "a/mkosi.secure-boot.key.x9Zk2q",
        };
        static const char *const other[] = {
                "mkosi.secure-boot.crt",
                "mkosi.passphrases",
                "amkosi.passphrase",
                "mkosi.passphrase/x",
                "mkosi.secure-boot.key.pl",
                "mkosi.verity.key.a_cdef",
                "mkosi.rootpw.",
                "",
        };

        for (size_t i = 0; i < ELEMENTSOF(secret); i++)
                assert_true(secret_files_have_name(secret[i]));
        for (size_t i = 0; i < ELEMENTSOF(other); i++)
                assert_false(secret_files_have_name(other[i]));
}

/* Whatever name leads to it: that of the settings, one beside it that was to become it, another link of the inode. */
static void test_contain(void **state) {
        _cleanup_(secret_files_done) SecretFiles files = {};
        _cleanup_(freep) char *key = NULL, *uri = NULL, *passphrase = NULL;

        put_file("keys/real", "secret", 0600);
        assert_int_equal(symlink("real", "keys/named"), 0);
        assert_int_equal(link("keys/real", "innocent"), 0);
        put_file("keys/named.aB3dE6", "secret", 0600);
        put_file("keys/named.txt", "", 0644);
        put_file("by-uri", "secret", 0600);
        put_file("mkosi.rootpw", "secret", 0600);
        assert_int_equal(link("mkosi.rootpw", "password"), 0);
        put_file("readme", "", 0644);
        put_directory("mkosi.passphrase");
        assert_int_equal(text_format(&key, "%s/keys/named", fixture_directory), 0);
        assert_int_equal(text_format(&uri, "file:%s/by-uri", fixture_directory), 0);
        assert_int_equal(text_format(&passphrase, "%s/not-there", fixture_directory), 0);

        const Config config = { .secure_boot_key = key, .verity_key = uri, .passphrase_file = passphrase };
        assert_int_equal(secret_files_list(&config, &files), 0);
        assert_true(contains(&files, "keys/real") && contains(&files, "keys/named") &&
                    contains(&files, "innocent") && contains(&files, "keys/named.aB3dE6") &&
                    contains(&files, "by-uri") && contains(&files, "mkosi.rootpw") &&
                    contains(&files, "password"));
        assert_false(contains(&files, "readme") || contains(&files, "keys/named.txt") ||
                     contains(&files, "keys") || contains(&files, "mkosi.passphrase"));
        put_file("not-there", "secret", 0600);
        assert_true(contains(&files, "not-there"));
}

static void test_trees(void **state) {
        _cleanup_(strv_freep) char **problems = NULL, **none = NULL;

        put_file("mkosi.extra/etc/keys/fine", "", 0644);
        put_file("mkosi.extra/mkosi.passphrase", "of the image", 0600);
        put_file("mkosi.skeleton/x", "", 0644);
        put_file("mkosi.rootpw", "secret", 0600);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine();
        assert_int_equal(secret_files_check_trees(&loaded->config, &none), 0);
        assert_null(none);

        assert_int_equal(link("mkosi.rootpw", "mkosi.extra/etc/keys/p"), 0);
        assert_int_equal(symlink("../mkosi.rootpw", "mkosi.skeleton/link"), 0);
        assert_int_equal(link("mkosi.rootpw", "mkosi.skeleton/p"), 0);
        assert_int_equal(secret_files_check_trees(&loaded->config, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 2);
        assert_string_equal(
                problems[0],
                "ExtraTrees=mkosi.extra has etc/keys/p in it, which is a key or passphrase of this build, "
                "and none of these gets into an image: move it elsewhere");
        assert_non_null(text_after_prefix(problems[1], "SkeletonTrees=mkosi.skeleton has p in it, "));
}

static void test_uris(void **state) {
        static const struct {
                const char *uri;
                bool is_file;
        } cases[] = {
                { "file:%s/key", true },
                { "file://%s/key", true },
                { "file://localhost%s/key", true },
                { "pkcs11:token=%s/key", false },
        };

        put_file("key", "secret", 0600);
        assert_int_equal(link("key", "linked"), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(secret_files_done) SecretFiles files = {};
                const char *place = strstr(cases[i].uri, "%s");
                _cleanup_(freep) char *uri = NULL;

                assert_int_equal(text_format(&uri, "%.*s%s%s", (int)(place - cases[i].uri), cases[i].uri,
                                             fixture_directory, place + 2),
                                 0);
                assert_int_equal(secret_files_list(&(const Config){ .verity_key = uri }, &files), 0);
                assert_int_equal(contains(&files, "linked"), cases[i].is_file);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                TEST(test_contain),
                TEST(test_trees),
                TEST(test_uris),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
