/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "image/manifest-reader.h"

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define UUID "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"

static const char good[] =
        "{\"manifest_version\":1,\"time\":null,\"packages\":[{\"name\":\"a\"}],"
        "\"artefacts\":[{\"name\":\"image.raw\",\"kind\":\"image\",\"size\":12,\"sha256\":\"" HASH "\"},"
        "{\"name\":\"tree\",\"kind\":\"image\"}],\"root_hash\":\"" HASH "\","
        "\"disk\":{\"uuid\":\"" UUID
        "\",\"size\":4096,\"partitions\":[{\"type\":\"root\",\"type_uuid\":\"" UUID "\",\"uuid\":\"" UUID
        "\",\"name\":\"Root\",\"offset\":512,\"size\":1024,"
        "\"attributes\":\"0x10000000000000a1\",\"encrypted\":true}]},\"settings\":[]}";

static void test_good(void **state) {
        _cleanup_(manifest_done) Manifest manifest = {};
        _cleanup_(reason_done) Reason reason = {};

        if (manifest_read(good, strlen(good), &manifest, &reason) < 0)
                fail_msg("%s", reason.text);
        assert_int_equal(manifest.version, 1);
        assert_int_equal(manifest.n_files, 2);
        assert_string_equal(manifest.files[0].name, "image.raw");
        assert_string_equal(manifest.files[0].kind, "image");
        assert_int_equal(manifest.files[0].size, 12);
        assert_true(manifest.files[0].hashed && !manifest.files[1].hashed);
        assert_int_equal(manifest.files[0].digest.bytes[0], 0xe3);
        assert_true(manifest.has_root_hash && manifest.has_disk);
        assert_int_equal(manifest.root_hash.bytes[31], 0x55);
        assert_int_equal(manifest.disk_uuid.bytes[0], 0x4f);
        assert_int_equal(manifest.disk_size, 4096);
        assert_int_equal(manifest.n_partitions, 1);
        assert_string_equal(manifest.partitions[0].name, "Root");
        assert_int_equal(manifest.partitions[0].offset, 512);
        assert_int_equal(manifest.partitions[0].size, 1024);
        assert_true(manifest.partitions[0].attributes == 0x10000000000000a1);
        assert_true(manifest.partitions[0].encrypted);
        assert_true(uuid_equal(manifest.partitions[0].type, manifest.partitions[0].uuid));
}

static char *replace(const char *from, const char *to) {
        const char *at = strstr(good, from);
        char *text;

        assert_non_null(at);
        assert_int_equal(text_format(&text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from)), 0);
        return text;
}

static void test_bad(void **state) {
        static const struct {
                const char *from, *to, *said;
        } cases[] = {
                { "{\"manifest", "[\"manifest", "It is no JSON object" },
                { "[]}", "[]}x", "It is no JSON object" },
                { "\"manifest_version\":1", "\"manifest_version\":\"1\"",
                  "The member \"manifest_version\" is no whole number" },
                { "\"manifest_version\":1,", "", "The member \"manifest_version\" is missing" },
                { "\"artefacts\"", "\"files\"", "The member \"artefacts\" is missing" },
                { "\"image.raw\"", "\"../image.raw\"", "A file has a name that none can have" },
                { "\"image.raw\"", "\"..\"", "A file has a name that none can have" },
                { "\"image.raw\"", "\"\"", "A file has a name that none can have" },
                { ",\"sha256\":\"e", ",\"sha256\":\"x", "The member \"sha256\" is no SHA-256" },
                { "\"kind\":\"image\",", "", "The member \"kind\" is missing" },
                { "\"root_hash\":\"e", "\"root_hash\":\"", "The member \"root_hash\" is no SHA-256" },
                { "\"uuid\":\"4", "\"uuid\":\"", "The member \"uuid\" is not what it should be" },
                { "\"uuid\":\"" UUID "\",\"name\"", "\"name\"", "The member \"uuid\" is missing" },
                { "\"0x1", "\"1", "The member \"attributes\" is not what it should be" },
                { "\"0x1", "\"0x11", "The member \"attributes\" is not what it should be" },
                { "a1\"", "A1\"", "The member \"attributes\" is not what it should be" },
                { "\"encrypted\":true", "\"encrypted\":1", "The member \"encrypted\" is no true or false" },
                { "\"offset\":512", "\"offset\":-512", "The member \"offset\" is no whole number" },
                { "\"partitions\":[", "\"partitions\":1,\"x\":[",
                  "The member \"partitions\" is not what it should be" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = replace(cases[i].from, cases[i].to);
                _cleanup_(manifest_done) Manifest manifest = {};
                _cleanup_(reason_done) Reason reason = {};

                assert_int_equal(manifest_read(text, strlen(text), &manifest, &reason), -EBADMSG);
                assert_string_equal(reason.text, cases[i].said);
        }
        for (size_t size = 0; size < strlen(good); size++) {
                _cleanup_(manifest_done) Manifest manifest = {};
                _cleanup_(reason_done) Reason reason = {};

                assert_int_equal(manifest_read(good, size, &manifest, &reason), -EBADMSG);
                assert_non_null(reason.text);
        }
}

/* What others mean by their members is not known. */
static void test_versions(void **state) {
        _cleanup_(freep) char *text = replace("\"manifest_version\":1,", "\"manifest_version\":2,");
        _cleanup_(manifest_done) Manifest manifest = {};

        assert_int_equal(manifest_read(text, strlen(text), &manifest, NULL), 0);
        assert_int_equal(manifest.version, 2);
        assert_int_equal(manifest.n_files, 0);
        assert_false(manifest.has_disk || manifest.has_root_hash);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_versions),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
