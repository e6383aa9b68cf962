/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "format/luks-metadata.h"

/* What libcryptsetup writes, and members that nobody knows. */
static const char good[] =
        "{\"keyslots\":{\"0\":{\"type\":\"luks2\",\"key_size\":64,"
        "\"af\":{\"type\":\"luks1\",\"stripes\":4000,\"hash\":\"sha256\"},"
        "\"area\":{\"type\":\"raw\",\"offset\":\"32768\",\"size\":\"258048\",\"encryption\":\"aes-xts-plain64\","
        "\"key_size\":64},"
        "\"kdf\":{\"type\":\"argon2id\",\"time\":4,\"memory\":65536,\"cpus\":2,\"salt\":\"AAAA\"}},"
        "\"31\":{\"type\":\"luks2\",\"priority\":2,\"key_size\":32,"
        "\"af\":{\"type\":\"luks1\",\"stripes\":4000,\"hash\":\"sha256\"},"
        "\"area\":{\"type\":\"raw\",\"offset\":\"290816\",\"size\":\"131072\",\"encryption\":\"aes-xts-plain64\","
        "\"key_size\":64},"
        "\"kdf\":{\"type\":\"pbkdf2\",\"hash\":\"sha512\",\"iterations\":1000,\"salt\":\"AAAA\"}}},"
        "\"tokens\":{\"3\":{\"type\":\"luks2-keyring\",\"keyslots\":[\"31\"],\"key_description\":\"x\"}},"
        "\"segments\":{\"0\":{\"type\":\"crypt\",\"offset\":\"16777216\",\"size\":\"dynamic\",\"iv_tweak\":\"0\","
        "\"encryption\":\"aes-xts-plain64\",\"sector_size\":4096}},"
        "\"digests\":{\"0\":{\"type\":\"pbkdf2\",\"keyslots\":[\"0\"],\"segments\":[\"0\"],\"hash\":\"sha256\","
        "\"iterations\":1000,\"salt\":\"AAAA\",\"digest\":\"AAAA\"},"
        "\"1\":{\"type\":\"pbkdf2\",\"keyslots\":[\"31\"],\"segments\":[],\"hash\":\"sha256\","
        "\"iterations\":1000,\"salt\":\"AAAA\",\"digest\":\"AAAA\"}},"
        "\"config\":{\"json_size\":\"12288\",\"keyslots_size\":\"16744448\",\"flags\":[\"allow-discards\"],"
        "\"requirements\":{\"mandatory\":[]}},\"new\":[{}]}";

static void test_good(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        LuksMetadata metadata = {};

        if (luks_metadata_read(good, strlen(good), &metadata, &reason) < 0)
                fail_msg("%s", reason.text);
        assert_int_equal(metadata.json_size, 12288);
        assert_int_equal(metadata.slots_size, 16744448);
        assert_true(metadata.has_slots == 0x80000001);
        assert_true(metadata.has_segments == 1);
        assert_true(metadata.has_digests == 3);
        assert_true(metadata.has_tokens == 8);

        const LuksSlot *slot = &metadata.slots[0];
        assert_int_equal(slot->key_size, 64);
        assert_int_equal(slot->n_stripes, 4000);
        assert_int_equal(slot->offset, 32768);
        assert_int_equal(slot->size, 258048);
        assert_string_equal(slot->derivation.type, "argon2id");
        assert_int_equal(slot->derivation.iterations, 4);
        assert_int_equal(slot->derivation.memory_size, 64 * MIB);
        assert_int_equal(slot->derivation.n_lanes, 2);
        assert_string_equal(metadata.slots[31].derivation.type, "pbkdf2");
        assert_int_equal(metadata.slots[31].derivation.iterations, 1000);
        assert_int_equal(metadata.slots[31].derivation.memory_size, 0);
        assert_int_equal(metadata.segments[0].offset, 16 * MIB);
        assert_int_equal(metadata.segments[0].size, 0);
        assert_int_equal(metadata.segments[0].sector_size, 4096);
        assert_string_equal(metadata.segments[0].encryption, "aes-xts-plain64");
        assert_true(metadata.digests[0].slots == 1 && metadata.digests[0].segments == 1);
        assert_true(metadata.digests[1].slots == 0x80000000 && metadata.digests[1].segments == 0);
        assert_true(metadata.tokens[3] == 0x80000000);
        luks_metadata_done(&metadata);
        assert_null(metadata.slots[0].derivation.type);
}

/* The text with the first occurrence of one part replaced. */
static char *replace(const char *from, const char *to) {
        const char *at = strstr(good, from);
        char *text;

        assert_non_null(at);
        assert_int_equal(text_format(&text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from)), 0);
        return text;
}

static const struct {
        const char *from, *to, *said;
} bad_texts[] = {
        { "{\"keyslots\"", "[\"keyslots\"", "The JSON area holds no JSON object" },
        { "[{}]}", "[{}]}x", "The JSON area holds no JSON object" },
        { "\"tokens\"", "\"token\"", "The member \"tokens\" is missing" },
        { "\"0\":{", "\"00\":{", "A key slot has the name \"00\", which is no number of one" },
        { "\"0\":{", "\"32\":{", "A key slot has the name \"32\", which is no number of one" },
        { "\"0\":{", "\"-1\":{", "A key slot has the name \"-1\", which is no number of one" },
        { "\"31\":{", "\"0\":{", "There are two of the key slot 0" },
        { "\"luks2\"", "\"luks3\"", "The type \"luks3\" of a key slot is not known" },
        { "\"luks1\"", "\"luks3\"", "The type \"luks3\" of an anti-forensic split is not known" },
        { "\"raw\"", "\"none\"", "The type \"none\" of an area is not known" },
        { "\"argon2id\"", "\"scrypt\"", "The type \"scrypt\" of a key derivation is not known" },
        { "\"key_size\":64}", "\"key_size\":0}", "An area is encrypted with a key of no bytes" },
        { "\"key_size\":64,", "\"key_size\":-64,", "The member \"key_size\" is no whole number" },
        { "\"32768\"", "32768", "The member \"offset\" is not what it should be" },
        { "\"32768\"", "\"-32768\"", "The member \"offset\" is not what it should be" },
        { "\"258048\"", "\"99999999999999999999\"", "The member \"size\" is not what it should be" },
        { "\"sha256\"", "\"\"", "The member \"hash\" is not what it should be" },
        { "\"aes-xts-plain64\"", "\"aes xts\"", "The member \"encryption\" is not what it should be" },
        { "\"time\":4", "\"time\":0",
          "The key derivation argon2id has times, memory or threads that are impossible" },
        { "\"memory\":65536", "\"memory\":15",
          "The key derivation argon2id has times, memory or threads that are impossible" },
        { "\"memory\":65536", "\"memory\":4294967296",
          "The key derivation argon2id has times, memory or threads that are impossible" },
        { "\"cpus\":2,", "", "The key derivation argon2id has times, memory or threads that are impossible" },
        { "\"iterations\":1000,", "", "The key derivation pbkdf2 has no hash or iterations" },
        { "\"hash\":\"sha512\",", "", "The key derivation pbkdf2 has no hash or iterations" },
        { "\"AAAA\"", "\"AAA\"", "The member \"salt\" is not what it should be" },
        { "\"AAAA\"", "\"\"", "The member \"salt\" is not what it should be" },
        { "[\"31\"]", "[\"31\",\"31\"]", "The member \"keyslots\" is not what it should be" },
        { "[\"31\"]", "[31]", "The member \"keyslots\" is not what it should be" },
        { "[\"31\"]", "[\"32\"]", "The member \"keyslots\" is not what it should be" },
        { "\"crypt\"", "\"linear\"", "The type \"linear\" of a segment is not known" },
        { "\"dynamic\"", "\"static\"", "The member \"size\" is not what it should be" },
        { "\"dynamic\"", "\"0\"", "The member \"size\" is not what it should be" },
        { "\"iv_tweak\":\"0\",", "", "The member \"iv_tweak\" is missing" },
        { "\"pbkdf2\",\"keyslots\"", "\"pbkdf3\",\"keyslots\"",
          "The type \"pbkdf3\" of a digest is not known" },
        { "\"iterations\":1000,\"salt\":\"AAAA\",\"digest\"", "\"iterations\":0,\"salt\":\"AAAA\",\"digest\"",
          "A digest has no iterations" },
        { "\"digest\":\"AAAA\"", "\"digest\":\"A===\"", "The member \"digest\" is not what it should be" },
        { "\"1\":{", "\"0\":{", "There are two of the digest 0" },
        { "\"mandatory\":[]", "\"mandatory\":[\"online-reencrypt-v2\"]",
          "It requires \"online-reencrypt-v2\" of who reads it: data is being encrypted anew, or by hardware" },
        { "\"12288\"", "\"\"", "The member \"json_size\" is not what it should be" },
};

static void test_bad(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(bad_texts); i++) {
                _cleanup_(freep) char *text = replace(bad_texts[i].from, bad_texts[i].to);
                _cleanup_(reason_done) Reason reason = {};
                LuksMetadata metadata = {};

                assert_int_equal(luks_metadata_read(text, strlen(text), &metadata, &reason), -EBADMSG);
                assert_string_equal(reason.text, bad_texts[i].said);
                luks_metadata_done(&metadata);
        }
}

/* Whatever is cut off is noticed, and nothing leaks. */
static void test_cut_off(void **state) {
        for (size_t size = 0; size < strlen(good); size++) {
                _cleanup_(reason_done) Reason reason = {};
                LuksMetadata metadata = {};

                assert_int_equal(luks_metadata_read(good, size, &metadata, &reason), -EBADMSG);
                assert_non_null(reason.text);
                luks_metadata_done(&metadata);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_cut_off),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
