/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "config/config-report.h"
#include "image-fixture.h"
#include "image/kept-output.h"
#include "image/kept-setting.h"
#include "image/kept-tree.h"

/* A setting that is new has to say what it changes: give it a row in kept-setting.c, and a line here. */
static void test_every_setting_has_a_row(void **state) {
        for (size_t i = 0; i < config_table.n_rows; i++) {
                size_t n = 0;

                for (size_t k = 0; k < n_kept_settings; k++)
                        n += kept_settings[k].member == config_table.rows[i].offset;
                if (n != 1)
                        fail_msg("%s has %zu rows", config_table.rows[i].option, n);
        }
        assert_int_equal(n_kept_settings, config_table.n_rows);
        assert_null(kept_setting_find(SIZE_MAX));
}

/* What is by value, by a file, or by a secret has a name to be listed under. */
static void test_rows(void **state) {
        for (size_t i = 0; i < n_kept_settings; i++) {
                const KeptSetting *row = &kept_settings[i];
                const Setting *setting = config_setting(row->member);

                if (row->stage != KEPT_STAGE_NONE && row->source != KEPT_BY_RULE)
                        assert_non_null(setting->name);
                if (row->source == KEPT_BY_NOBODY || row->source == KEPT_BY_SECRET)
                        assert_false(setting->type->is_list);
        }
}

/* What has to be made anew when the second list of words takes the place of the first. */
typedef struct Change {
        size_t member;
        const char *before[3], *after[3];
        KeptStage stage; /* if it is another than that of the row; MAX: there is nothing to do */
} Change;

#define SEED "--seed=00000000-0000-4000-8000-000000000001"

static const Change changes[] = {
        { CONFIG(profiles), {}, { "--profile=empty" } },
        { CONFIG(distribution),
          { "--distribution=debian", "--release=x" },
          { "--distribution=ubuntu", "--release=x" } },
        { CONFIG(release), { "--release=bookworm" }, { "--release=trixie" } },
        { CONFIG(mirror), {}, { "--mirror=http://mirror.example" } },
        { CONFIG(repositories), { "--repositories=main" }, { "--repositories=main,contrib" } },
        { CONFIG(repositories), { "--repositories=contrib,main" }, { "--repositories=main,contrib" } },
        { CONFIG(architecture), { "--architecture=x86-64" }, { "--architecture=arm64" } },
        { CONFIG(format), { "--format=gpt_ext4" }, { "--format=gpt_squashfs" } },
        { CONFIG(format), { "--format=gpt_ext4" }, { "--format=gpt_btrfs" }, KEPT_STAGE_BASE },
        { CONFIG(format), { "--format=directory" }, { "--format=tar" } },
        { CONFIG(format), { "--format=directory" }, { "--format=subvolume" }, KEPT_STAGE_BASE },
        { CONFIG(format), { "--format=gpt_btrfs" }, { "--format=subvolume" }, KEPT_STAGE_BASE },
        { CONFIG(output), { "--output=a.raw" }, { "--output=b.raw" } },
        { CONFIG(output_directory), { "--output-dir=a" }, { "--output-dir=b" } },
        { CONFIG(bootable), {}, { "--bootable" }, KEPT_STAGE_BASE },
        { CONFIG(boot_protocols), { "--bootable" }, { "--bootable", "--boot-protocols=uefi,uefi" } },
        { CONFIG(secure_boot_auto_enroll), {}, { "--secure-boot-auto-enroll=force" } },
        { CONFIG(encrypt), {}, { "--encrypt=all", "--passphrase-file=secret" } },
        { CONFIG(encrypt),
          { "--bootable" },
          { "--bootable", "--encrypt=all", "--passphrase-file=secret" },
          KEPT_STAGE_BASE },
        { CONFIG(passphrase_file), { "--passphrase-file=secret" }, { "--passphrase-file=other.sh" } },
        { CONFIG(encrypt_kdf), {}, { "--encrypt-kdf=pbkdf2" } },
        { CONFIG(encrypt_kdf_memory), {}, { "--encrypt-kdf-memory=32M" } },
        { CONFIG(verity), { "--bootable" }, { "--bootable", "--verity" }, KEPT_STAGE_BASE },
        { CONFIG(xz), {}, { "--xz" } },
        { CONFIG(home_size), {}, { "--home-size=8M" }, KEPT_STAGE_BASE },
        { CONFIG(srv_size), {}, { "--srv-size=8M" }, KEPT_STAGE_BASE },
        { CONFIG(esp_size), { "--bootable" }, { "--bootable", "--esp-size=64M" } },
        { CONFIG(sign_offline), {}, { "--sign-offline" } },
        { CONFIG(key), { "--sign-offline" }, { "--sign-offline", "--key=x" } },
        { CONFIG(no_chown), {}, { "--no-chown" } },
        /* Identifiers follow from the settings as they are written, unless there is a seed. */
        { CONFIG(environment),
          { "--environment=X=y", "--environment=Y=z" },
          { "--environment=Y=z", "--environment=X=y" } },
        { CONFIG(environment),
          { SEED, "--environment=X=y", "--environment=Y=z" },
          { SEED, "--environment=Y=z", "--environment=X=y" },
          KEPT_STAGE_MAX },
        { CONFIG(environment),
          { SEED, "--environment=X=y", "--environment=X=z" },
          { SEED, "--environment=X=z", "--environment=X=y" } },
        { CONFIG(environment),
          { SEED, "--environment=KEPT_A" },
          { SEED, "--environment=KEPT_A=caller's" },
          KEPT_STAGE_MAX },
        { CONFIG(environment), { SEED, "--environment=KEPT_B" }, { SEED, "--environment=KEPT_B=" } },
        { CONFIG(environment),
          { "--prepare-script=other.sh", "--environment=X=y" },
          { "--prepare-script=other.sh", "--environment=X=z" },
          KEPT_STAGE_BASE },
        { CONFIG(force), {}, { "--force" } },
        { CONFIG(kernel_command_line), {}, { "--kernel-command-line=x" } },
        { CONFIG(secure_boot_sign), {}, { "--secure-boot-sign=keep" } },
        { CONFIG(secure_boot_valid_days), {}, { "--secure-boot-valid-days=3" } },
        { CONFIG(read_only), {}, { "--read-only" } },
        { CONFIG(verity), {}, { "--verity" } },
        { CONFIG(compress), { "--format=gpt_btrfs" }, { "--format=gpt_btrfs", "--compress=zlib" } },
        { CONFIG(compress_output), {}, { "--compress-output=zstd:3" } },
        { CONFIG(qcow2), {}, { "--qcow2" } },
        { CONFIG(manifest), {}, { "--manifest" } },
        { CONFIG(hostname), {}, { "--hostname=x" } },
        { CONFIG(seed), {}, { SEED } },
        { CONFIG(packages), {}, { "--package=vim" } },
        { CONFIG(packages), { "--package=a,b" }, { "--package=b,a" } },
        { CONFIG(with_docs), {}, { "--with-docs" } },
        { CONFIG(with_tests), {}, { "--without-tests" } },
        { CONFIG(cache), {}, { "--cache=elsewhere" } },
        { CONFIG(extra_trees), {}, { "--extra-tree=one" } },
        { CONFIG(extra_trees),
          { "--extra-tree=one", "--extra-tree=two" },
          { "--extra-tree=two", "--extra-tree=one" } },
        { CONFIG(skeleton_trees), {}, { "--skeleton-tree=one" } },
        { CONFIG(skeleton_trees),
          { "--skeleton-tree=one", "--skeleton-tree=two" },
          { "--skeleton-tree=two", "--skeleton-tree=one" } },
        { CONFIG(build_script), {}, { "--build-script=other.sh" } },
        { CONFIG(build_sources), {}, { "--build-sources=one" } },
        { CONFIG(build_directory), {}, { "--build-dir=one" } },
        { CONFIG(build_packages), {}, { "--build-package=gcc" } },
        { CONFIG(build_packages), { "--build-package=a,b" }, { "--build-package=b,a" } },
        { CONFIG(prepare_script), {}, { "--prepare-script=other.sh" } },
        { CONFIG(postinst_script), {}, { "--postinst-script=other.sh" } },
        { CONFIG(environment), {}, { "--environment=X=y" } },
        { CONFIG(with_network), {}, { "--with-network" } },
        { CONFIG(nspawn_settings), {}, { "--settings=other.sh" } },
        { CONFIG(root_size), {}, { "--root-size=1G" } },
        { CONFIG(swap_size), {}, { "--swap-size=1M" } },
        { CONFIG(checksum), {}, { "--checksum" } },
        { CONFIG(bmap), {}, { "--bmap" } },
        { CONFIG(extra_search_paths), {}, { "--extra-search-path=/x" } },
        { CONFIG(cpus), {}, { "--cpus=3" } },
        { CONFIG(ram), {}, { "--ram=1G" } },
        { CONFIG(debug), {}, { "--debug" } },
        { CONFIG(quiet), {}, { "--quiet" } },
        { CONFIG(keep_failed), {}, { "--keep-failed" } },
        { CONFIG(persistent), {}, { "--persistent" } },
};

/* What needs keys, or a git tree, and what has no other value yet or is not kept at all. */
static const size_t not_here[] = {
        CONFIG(secure_boot),
        CONFIG(secure_boot_key),
        CONFIG(secure_boot_certificate),
        CONFIG(verity_certificate),
        CONFIG(verity_key),
        CONFIG(secure_boot_passphrase_file),
        CONFIG(repository_keys),
        CONFIG(finalize_script),
        CONFIG(verity_passphrase_file),
        CONFIG(password),
        CONFIG(sign),
        CONFIG(mksquashfs),
        CONFIG(xbootldr_size),
        CONFIG(source_file_transfer),
};

static bool is_changed(size_t member) {
        for (size_t i = 0; i < ELEMENTSOF(changes); i++)
                if (changes[i].member == member)
                        return true;
        for (size_t i = 0; i < ELEMENTSOF(not_here); i++)
                if (not_here[i] == member)
                        return true;
        return false;
}

static void test_every_setting_is_changed(void **state) {
        for (size_t i = 0; i < n_kept_settings; i++)
                if (kept_settings[i].stage != KEPT_STAGE_NONE && !is_changed(kept_settings[i].member))
                        fail_msg("%s is not changed", config_setting(kept_settings[i].member)->option);
}

typedef struct Lists {
        KeptInputs stages[KEPT_STAGE_MAX];
} Lists;

static void collect(const char *const words[static 3], Lists *ret) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                load_fine("--incremental", words[0] ?: "--incremental", words[1] ?: "--incremental",
                          words[2] ?: "--incremental");
        const Distro *distro = distro_find(loaded->config.distribution);
        KeptTree base = {}, development = {};
        KeptOutput output = {};

        assert_int_equal(kept_tree_look(loaded, distro, KEPT_BASE, NULL, &base), 0);
        assert_int_equal(kept_tree_look(loaded, distro, KEPT_DEVELOPMENT, &base, &development), 0);
        assert_int_equal(kept_output_look(loaded, distro, 0022, &output, NULL), 0);
        if (!base.wanted || !development.wanted || !output.wanted)
                fail_msg("%s: %d %d %d", words[0] ?: "", base.wanted, development.wanted, output.wanted);
        *ret = (Lists){ .stages = { [KEPT_STAGE_OUTPUT] = output.inputs,
                                    [KEPT_STAGE_DEVELOPMENT] = development.inputs,
                                    [KEPT_STAGE_BASE] = base.inputs } };
        strv_free(base.differences);
        strv_free(development.differences);
        strv_free(output.differences);
}

static void lists_done(Lists *lists) {
        for (KeptStage stage = 0; stage < KEPT_STAGE_MAX; stage++)
                kept_inputs_done(&lists->stages[stage]);
}

/* Plain is what there is without any words. */
static void assert_change(const Change *change, const Lists *plain) {
        const KeptStage wanted = change->stage == KEPT_STAGE_MAX ? KEPT_STAGE_NONE
                                 : change->stage != KEPT_STAGE_NONE
                                         ? change->stage
                                         : kept_setting_find(change->member)->stage;
        KeptStage found = KEPT_STAGE_NONE;
        _cleanup_(lists_done) Lists own = {}, after;
        const Lists *before = plain;

        if (change->before[0]) {
                collect(change->before, &own);
                before = &own;
        }
        collect(change->after, &after);
        for (KeptStage stage = KEPT_STAGE_OUTPUT; stage < KEPT_STAGE_MAX; stage++) {
                _cleanup_(strv_freep) char **differences = NULL;

                assert_int_equal(
                        kept_inputs_compare(&before->stages[stage], &after.stages[stage], &differences), 0);
                if (differences)
                        found = stage;
                /* What goes into a tree goes into the output. */
                if (differences && found > KEPT_STAGE_OUTPUT) {
                        _cleanup_(strv_freep) char **all = NULL;

                        assert_int_equal(kept_inputs_compare(&before->stages[KEPT_STAGE_OUTPUT],
                                                             &after.stages[KEPT_STAGE_OUTPUT], &all),
                                         0);
                        assert_non_null(all);
                }
        }
        if (found != wanted)
                fail_msg("%s %s: stage %d, and not %d", change->after[0], change->after[1] ?: "", (int)found,
                         (int)wanted);
}

static void test_changes(void **state) {
        _cleanup_(lists_done) Lists plain = {};

        /* The real one takes its time to say which version it is. */
        put_directory("bin");
        assert_int_equal(symlink("/bin/true", "bin/debootstrap"), 0);
        put_file("mkosi.default",
                 "[Distribution]\nDistribution=debian\nRelease=trixie\n[Host]\nExtraSearchPaths=bin\n", 0644);
        put_file("mkosi.build", "#!/bin/sh\n", 0755);
        put_file("mkosi.profiles/empty.conf", "", 0644);
        put_file("other.sh", "#!/bin/sh\n", 0755);
        put_file("secret", "x", 0600);
        put_file("one/etc/x", "1", 0644);
        put_file("two/etc/x", "2", 0644);
        assert_int_equal(setenv("KEPT_A", "caller's", 1), 0);
        assert_int_equal(setenv("SUDO_UID", "1000", 1), 0);
        assert_int_equal(unsetenv("KEPT_B"), 0);
        collect((const char *const[3]){}, &plain);
        for (size_t i = 0; i < ELEMENTSOF(changes); i++)
                assert_change(&changes[i], &plain);
}

/* What nobody can list is not kept. */
static void test_what_nobody_can_list(void **state) {
        static const char *const words[] = {
                "--finalize-script=other.sh",   "--password=",   "--password=x", "--sign",
                "--source-file-transfer=mount", "--encrypt=all", "--debug",
        };

        put_file("mkosi.default", "[Distribution]\nDistribution=debian\nRelease=trixie\n", 0644);
        put_file("mkosi.build", "#!/bin/sh\n", 0755);
        put_file("other.sh", "#!/bin/sh\n", 0755);
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("--incremental", words[i]);
                _cleanup_(kept_output_done) KeptOutput kept = {};

                assert_int_equal(
                        kept_output_look(loaded, distro_find(DISTRIBUTION_DEBIAN), 0022, &kept, NULL), 0);
                if (kept.wanted != (i == ELEMENTSOF(words) - 1))
                        fail_msg("%s", words[i]);
        }
}

/* Of the environment, and the caller. */
static void test_caller(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        static const struct {
                const char *name, *value;
                mode_t umask;
                const char *said;
        } others[] = {
                { "SUDO_UID", "1001", 0022, "SUDO_UID changed from 1000 to 1001" },
                { "SUDO_GID", "1001", 0022, "SUDO_GID changed from nothing to 1001" },
                { "SUDO_GID", NULL, 0077, "umask changed from 022 to 077" },
                { "SOURCE_DATE_EPOCH", "1700000000", 0022,
                  "SOURCE_DATE_EPOCH changed from nothing to 1700000000" },
                { "LC_ALL", "de_DE.UTF-8", 0022, "" },
                { "TMPDIR", "/somewhere", 0022, "" },
                { "TZ", "Asia/Tokyo", 0022, "" },
        };
        _cleanup_(kept_output_done) KeptOutput before = {};

        put_file("mkosi.default", "[Distribution]\nDistribution=debian\nRelease=trixie\n", 0644);
        assert_int_equal(setenv("SUDO_UID", "1000", 1), 0);
        assert_int_equal(unsetenv("SUDO_GID") | unsetenv("SOURCE_DATE_EPOCH"), 0);
        loaded = load_fine("--incremental");
        assert_int_equal(kept_output_look(loaded, distro_find(DISTRIBUTION_DEBIAN), 0022, &before, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                _cleanup_(kept_output_done) KeptOutput now = {};
                _cleanup_(strv_freep) char **differences = NULL;
                _cleanup_(freep) char *text = NULL,
                                      *old = getenv(others[i].name) ? strdup(getenv(others[i].name)) : NULL;

                assert_int_equal(others[i].value ? setenv(others[i].name, others[i].value, 1) : 0, 0);
                assert_int_equal(kept_output_look(loaded, distro_find(DISTRIBUTION_DEBIAN), others[i].umask,
                                                  &now, NULL),
                                 0);
                assert_int_equal(old ? setenv(others[i].name, old, 1) : unsetenv(others[i].name), 0);
                assert_int_equal(kept_inputs_compare(&before.inputs, &now.inputs, &differences), 0);
                assert_int_equal(strv_join(STRV(differences), "\n", &text), 0);
                assert_string_equal(text, others[i].said);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_setting_has_a_row),
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_every_setting_is_changed),
                cmocka_unit_test_setup_teardown(test_changes, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_what_nobody_can_list, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_caller, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
