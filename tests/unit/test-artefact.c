/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "image/artefact.h"

/* All that a configuration asks for, as "kind=path" with the project's directory left out. */
static char *wanted(const Config *config) {
        _cleanup_(strv_freep) char **list = NULL;
        char *text = NULL;

        for (ArtefactKind kind = 0; kind < ARTEFACT_MAX; kind++) {
                _cleanup_(freep) char *path = NULL;

                if (!artefact_wanted(config, kind))
                        continue;
                assert_int_equal(artefact_output(config, kind, &path), 0);
                const char *relative = text_after_prefix(path, fixture_directory);
                assert_non_null(relative);
                assert_int_equal(strv_append_format(&list, "%s=%s", artefact_name(kind), relative), 0);
        }
        assert_int_equal(strv_join(STRV(list), " ", &text), 0);
        return text;
}

static void test_what_is_wanted(void **state) {
        static const struct {
                const char *arguments[6], *expected;
        } cases[] = {
                { { "--debug" }, "image=/image.raw" },
                { { "--sign", "--xz", "--settings=script", "--bmap", "--manifest" },
                  "image=/image.raw.xz nspawn=/image.nspawn bmap=/image.raw.bmap manifest=/image.manifest "
                  "checksums=/SHA256SUMS signature=/SHA256SUMS.gpg" },
                { { "-o", "out/a.b.raw", "--checksum", "--verity", "--compress-output=zstd" },
                  "image=/out/a.b.raw root-hash=/out/a.b.roothash checksums=/out/SHA256SUMS" },
                { { "-tdirectory", "--checksum", "--bmap", "--sign", "--settings=script" },
                  "image=/image nspawn=/image.nspawn" },
                { { "-tgpt_squashfs", "--bmap" }, "image=/image.raw" },
                { { "--sign", "--sign-offline" },
                  "image=/image.raw checksums=/SHA256SUMS sign-request=/image.sign-request" },
                { { "--verity", "--verity-certificate=script", "--sign-offline" },
                  "image=/image.raw root-hash=/image.roothash sign-request=/image.sign-request" },
                { { "-tdirectory", "--sign", "--sign-offline" }, "image=/image" },
                { { "--checksum", "--sign-offline" }, "image=/image.raw checksums=/SHA256SUMS" },
                { { "--qcow2", "--bmap" }, "image=/image.qcow2" },
                { { "-ttar", "--checksum", "--manifest" },
                  "image=/image.tar.xz manifest=/image.manifest checksums=/SHA256SUMS" },
        };

        put_file("script", "", 0755);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        load_fine("--debug", cases[i].arguments[0], cases[i].arguments[1],
                                  cases[i].arguments[2], cases[i].arguments[3], cases[i].arguments[4]);
                _cleanup_(freep) char *text = wanted(&loaded->config);

                assert_string_equal(text, cases[i].expected);
        }
}

static void test_hashes(void **state) {
        static const struct {
                const char *arguments[2];
                bool wanted;
        } cases[] = {
                { { "--debug" }, false },
                { { "--checksum" }, true },
                { { "--manifest" }, true },
                { { "--checksum", "-tdirectory" }, false },
                { { "--sign-offline", "--sign" }, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        load_fine(cases[i].arguments[0], cases[i].arguments[1]);

                assert_int_equal(artefact_hashes_wanted(&loaded->config), cases[i].wanted);
        }
}

/* In the order of kinds, whenever they come. */
static void test_list(void **state) {
        static const ArtefactKind kinds[] = { ARTEFACT_BMAP, ARTEFACT_MANIFEST, ARTEFACT_IMAGE };
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine();
        _cleanup_(artefacts_done) Artefacts artefacts = {};
        const Sha256Digest digest = { { 7 } };

        put_file("file", "12345", 0644);
        put_directory("tree");
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                char *path = NULL;

                assert_int_equal(text_copy(kinds[i] == ARTEFACT_IMAGE ? "tree" : "file", &path), 0);
                assert_int_equal(artefacts_add(&artefacts, &loaded->config, kinds[i], path,
                                               kinds[i] == ARTEFACT_BMAP ? &digest : NULL),
                                 0);
        }
        assert_int_equal(artefacts.n_items, 3);
        assert_int_equal(artefacts.items[0].kind, ARTEFACT_IMAGE);
        assert_false(artefacts.items[0].is_file || artefacts.items[0].hashed);
        assert_int_equal(artefacts.items[1].kind, ARTEFACT_BMAP);
        assert_true(artefacts.items[1].is_file && artefacts.items[1].hashed);
        assert_int_equal(artefacts.items[1].size, 5);
        assert_int_equal(artefacts.items[1].digest.bytes[0], 7);
        assert_ptr_equal(artefacts_find(&artefacts, ARTEFACT_MANIFEST), &artefacts.items[2]);
        assert_null(artefacts_find(&artefacts, ARTEFACT_SIGNATURE));
        assert_int_equal(artefacts_add(&artefacts, &loaded->config, ARTEFACT_NSPAWN, strdup("missing"), NULL),
                         -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_what_is_wanted),
                TEST(test_hashes),
                TEST(test_list),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
