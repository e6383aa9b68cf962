/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "config/config-discover.h"

static void test_everything_is_found(void **state) {
        static const char *const files[] = {
                "mkosi.extra.tar",       "mkosi.skeleton.tar",    "mkosi.build",
                "mkosi.postinst",        "mkosi.finalize",        "mkosi.nspawn",
                "mkosi.secure-boot.key", "mkosi.secure-boot.crt", "mkosi.secure-boot.passphrase",
                "mkosi.verity.key",      "mkosi.verity.crt",      "mkosi.verity.passphrase",
                "mkosi.mksquashfs-tool"
        };
        static const char *const directories[] = { "mkosi.extra",    "mkosi.skeleton", "mkosi.cache",
                                                   "mkosi.builddir", "mkosi.output",   "mkosi.keys" };

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                put_file(files[i], "", 0755);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                put_directory(directories[i]);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded, "--secure-boot", "--verity", "--format=raw_squashfs"), 0);
        const Config *config = &loaded->config;

        assert_in_project(config->extra_trees[0], "/mkosi.extra");
        assert_in_project(config->extra_trees[1], "/mkosi.extra.tar");
        assert_in_project(config->skeleton_trees[0], "/mkosi.skeleton");
        assert_in_project(config->skeleton_trees[1], "/mkosi.skeleton.tar");
        assert_in_project(config->repository_keys[0], "/mkosi.keys");
        assert_in_project(config->build_script, "/mkosi.build");
        assert_in_project(config->postinst_script, "/mkosi.postinst");
        assert_in_project(config->finalize_script, "/mkosi.finalize");
        assert_in_project(config->nspawn_settings, "/mkosi.nspawn");
        assert_in_project(config->cache, "/mkosi.cache");
        assert_in_project(config->build_directory, "/mkosi.builddir");
        assert_in_project(config->output_directory, "/mkosi.output");
        assert_in_project(config->secure_boot_key, "/mkosi.secure-boot.key");
        assert_in_project(config->secure_boot_certificate, "/mkosi.secure-boot.crt");
        assert_in_project(config->secure_boot_passphrase_file, "/mkosi.secure-boot.passphrase");
        assert_in_project(config->verity_key, "/mkosi.verity.key");
        assert_in_project(config->verity_certificate, "/mkosi.verity.crt");
        assert_in_project(config->verity_passphrase_file, "/mkosi.verity.passphrase");
        assert_in_project(config->mksquashfs[0], "/mkosi.mksquashfs-tool");
        assert_where(loaded, CONFIG(build_script), 0, "mkosi.build");
        assert_where(loaded, CONFIG(extra_trees), 1, "mkosi.extra.tar");
}

static void test_what_was_given_wins_and_trees_add_up(void **state) {
        put_file("mkosi.default",
                 "[Packages]\nBuildScript=mine\nCache=mine\nExtraTrees=mine\n[Validation]\nPassword=mine\n",
                 0644);
        put_file("mkosi.build", "", 0755);
        put_file("mkosi.rootpw", "theirs", 0600);
        put_directory("mkosi.cache");
        put_directory("mkosi.extra");
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded), 0);

        assert_in_project(loaded->config.build_script, "/mine");
        assert_in_project(loaded->config.cache, "/mine");
        assert_in_project(loaded->config.extra_trees[0], "/mine");
        assert_in_project(loaded->config.extra_trees[1], "/mkosi.extra");
        assert_string_equal(loaded->config.password, "mine");
}

static void test_what_is_not_asked_for_is_left_alone(void **state) {
        put_file("mkosi.secure-boot.key", "", 0600);
        put_file("mkosi.secure-boot.passphrase", "", 0600);
        put_file("mkosi.verity.key", "", 0600);
        put_file("mkosi.mksquashfs-tool", "", 0755);
        put_directory("mkosi.verity.passphrase");
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded), 0);

        assert_null(loaded->config.secure_boot_key);
        assert_null(loaded->config.secure_boot_passphrase_file);
        assert_null(loaded->config.verity_key);
        assert_null(loaded->config.mksquashfs);
}

/* What cannot be what its name says is no reason to go on without. */
static void test_what_is_of_another_kind(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL, *given = NULL;

        put_directory("mkosi.build");
        put_file("mkosi.extra", "no directory", 0644);
        put_file("mkosi.cache", "no directory", 0644);
        assert_int_equal(symlink("nowhere", "mkosi.prepare"), 0);
        assert_int_equal(symlink("mkosi.skeleton", "mkosi.skeleton"), 0);
        assert_int_equal(mkfifo("mkosi.postinst", 0755), 0);
        assert_int_equal(mknod("mkosi.finalize", S_IFSOCK | 0755, 0), 0);
        put_directory("mkosi.extra.tar");
        assert_int_equal(load(&loaded), -EINVAL);
        assert_texts(
                loaded->mistakes.texts,
                "mkosi.extra is a file, and ExtraTrees= takes a directory of that name: replace it, or give it "
                "another name\n"
                "mkosi.extra.tar is a directory, and ExtraTrees= takes a file of that name: replace it, or "
                "give it another name\n"
                "mkosi.skeleton is a link that leads nowhere, and SkeletonTrees= takes a directory of that "
                "name: mend or remove it\n"
                "mkosi.build is a directory, and BuildScript= takes a file of that name: replace it, or give "
                "it another name\n"
                "mkosi.prepare is a link that leads nowhere, and PrepareScript= takes a file of that name: "
                "mend or remove it\n"
                "mkosi.postinst is a named pipe, and PostInstallationScript= takes a file of that name: "
                "replace it, or give it another name\n"
                "mkosi.finalize is a socket, and FinalizeScript= takes a file of that name: replace it, or "
                "give it another name\n"
                "mkosi.cache is a file, and Cache= takes a directory of that name: replace it, or give it "
                "another name\n");

        /* Where another one was given, it is not looked at. */
        assert_int_equal(load(&given, "--build-script=mine", "--cache=mine"), -EINVAL);
        for (char **text = given->mistakes.texts; *text; text++)
                assert_true(!strstr(*text, "mkosi.build") && !strstr(*text, "mkosi.cache"));
}

/* A link is what it leads to. */
static void test_links(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        put_file("script", "", 0755);
        put_directory("tree");
        assert_int_equal(symlink("script", "mkosi.build"), 0);
        assert_int_equal(symlink("tree", "mkosi.extra"), 0);
        assert_int_equal(load(&loaded), 0);
        assert_in_project(loaded->config.build_script, "/mkosi.build");
        assert_in_project(loaded->config.extra_trees[0], "/mkosi.extra");
}

/* A key that happens to lie there is not even looked at. */
static void test_no_key_for_what_is_signed_elsewhere(void **state) {
        static const char *const names[] = {
                "mkosi.secure-boot.key", "mkosi.secure-boot.crt", "mkosi.secure-boot.passphrase",
                "mkosi.verity.key",      "mkosi.verity.crt",      "mkosi.verity.passphrase",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                put_file(names[i], "", 0600);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded, "--secure-boot", "--verity", "--sign-offline"), 0);
        const Config *config = &loaded->config;

        assert_in_project(config->secure_boot_certificate, "/mkosi.secure-boot.crt");
        assert_in_project(config->verity_certificate, "/mkosi.verity.crt");
        assert_null(config->secure_boot_key);
        assert_null(config->secure_boot_passphrase_file);
        assert_null(config->verity_key);
        assert_null(config->verity_passphrase_file);
}

static void test_root_password(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        put_file("mkosi.rootpw", " \n s3cret word\n\n", 0600);
        assert_int_equal(load(&loaded), 0);
        assert_string_equal(loaded->config.password, "s3cret word");
        assert_null(loaded->mistakes.warnings);
        assert_where(loaded, CONFIG(password), 0, "mkosi.rootpw");
}

static void test_root_password_for_all_to_read(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        put_file("mkosi.rootpw", "", 0640);
        assert_int_equal(load(&loaded), 0);
        assert_string_equal(loaded->config.password, "");
        assert_texts(loaded->mistakes.warnings,
                     "mkosi.rootpw holds a secret, and others may open it; run: chmod 600 mkosi.rootpw\n");
}

static void test_root_password_that_is_none(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        char text[ROOT_PASSWORD_SIZE_MAX + 2];

        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        put_file("mkosi.rootpw", text, 0600);
        assert_int_equal(load(&loaded), -EINVAL);
        assert_texts(loaded->mistakes.texts, "Cannot read mkosi.rootpw: File too large\n");

        _cleanup_(loaded_config_freep) LoadedConfig *dangling = NULL;
        assert_int_equal(unlink("mkosi.rootpw"), 0);
        assert_int_equal(symlink("nowhere", "mkosi.rootpw"), 0);
        assert_int_equal(load(&dangling), -EINVAL);
        assert_texts(dangling->mistakes.texts, "Cannot read mkosi.rootpw: No such file or directory\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_everything_is_found),
                TEST(test_what_was_given_wins_and_trees_add_up),
                TEST(test_what_is_not_asked_for_is_left_alone),
                TEST(test_what_is_of_another_kind),
                TEST(test_links),
                TEST(test_no_key_for_what_is_signed_elsewhere),
                TEST(test_root_password),
                TEST(test_root_password_for_all_to_read),
                TEST(test_root_password_that_is_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
