/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "foreign-program.h"
#include "format/luks-reader.h"
#include "format/luks.h"
#include "luks-builder.h"
#include "temporary-directory.h"

#define HEADER_SIZE (16 * KIB)

/* Key derivation that takes no time. */
#define CHEAP "--pbkdf argon2id --pbkdf-memory 65536 --pbkdf-force-iterations 4 --pbkdf-parallel 1"

/* Makes "volume" with cryptsetup(8), of 20 MiB. */
static void make(const char *options, const char *then) {
        _cleanup_(freep) char *script = NULL;

        assert_int_equal(
                text_format(
                        &script,
                        "set -e; rm -f volume; truncate -s 20M volume; printf pass >key; printf other >key2\n"
                        "luks() { cryptsetup --batch-mode --disable-locks \"$@\"; }\n"
                        "luks luksFormat --type luks2 %s volume key\n%s",
                        options, then),
                0);
        free(FOREIGN_CHECK("sh", "-c", script));
}

static int read_volume(LuksHeader *ret, Reason *reason) {
        _cleanup_(fd_closep) int fd = open("volume", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        return luks_header_read(fd, 0, (uint64_t)lseek(fd, 0, SEEK_END), ret, reason);
}

static void refuse(const char *said) {
        _cleanup_(reason_done) Reason reason = {};
        LuksHeader header = {};

        assert_int_equal(read_volume(&header, &reason), -EBADMSG);
        assert_string_equal(reason.text, said);
        luks_header_done(&header);
}

static void take(const char *expected) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(reason_done) Reason reason = {};
        LuksHeader header = {};

        const int r = read_volume(&header, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        assert_int_equal(luks_header_describe(&header, &text), 0);
        assert_string_equal(text, expected);
        luks_header_done(&header);
}

static void test_foreign(void **state) {
        static const struct {
                const char *options, *then, *expected;
        } cases[] = {
                { CHEAP, "", "LUKS2, aes-xts-plain64, 1 key slot, argon2id 64 MiB" },
                { CHEAP " --sector-size 512 --label LABEL --subsystem other", "",
                  "LUKS2, aes-xts-plain64, 1 key slot, argon2id 64 MiB" },
                { CHEAP " --luks2-metadata-size 64k --luks2-keyslots-size 1M", "",
                  "LUKS2, aes-xts-plain64, 1 key slot, argon2id 64 MiB" },
                { CHEAP " --luks2-metadata-size 1M --luks2-keyslots-size 4M", "",
                  "LUKS2, aes-xts-plain64, 1 key slot, argon2id 64 MiB" },
                { CHEAP " --offset 34816 --sector-size 1024", "",
                  "LUKS2, aes-xts-plain64, 1 key slot, argon2id 64 MiB" },
                { "--pbkdf argon2i --pbkdf-memory 100 --pbkdf-force-iterations 4 --pbkdf-parallel 2", "",
                  "LUKS2, aes-xts-plain64, 1 key slot, argon2i 100 KiB" },
                { "--pbkdf pbkdf2 --pbkdf-force-iterations 1000 --hash sha512 --key-slot 7", "",
                  "LUKS2, aes-xts-plain64, 1 key slot, pbkdf2 1000 iterations" },
                { CHEAP " --cipher aes-cbc-essiv:sha256 --key-size 256", "",
                  "LUKS2, aes-cbc-essiv:sha256, 1 key slot, argon2id 64 MiB" },
                /* What was LUKS1, the areas of whose slots are placed otherwise. */
                { CHEAP,
                  "luks luksFormat --type luks1 --pbkdf-force-iterations 1000 volume key\nluks convert --type luks2 volume",
                  "LUKS2, aes-xts-plain64, 1 key slot, pbkdf2 1000 iterations" },
                /* More slots, of which one is of another kind, and one for another purpose; a token; no header on the way. */
                { CHEAP,
                  "luks luksAddKey --key-file key " CHEAP " volume key2\n"
                  "luks luksAddKey --key-file key --pbkdf pbkdf2 --pbkdf-force-iterations 1000 volume key2\n"
                  "luks luksAddKey --unbound --key-size 256 --pbkdf pbkdf2 --pbkdf-force-iterations 2000 volume key2\n"
                  "luks token add --key-description x --key-slot 1 volume\n",
                  "LUKS2, aes-xts-plain64, 3 key slots, argon2id 64 MiB, pbkdf2 1000 iterations" },
                { CHEAP,
                  "luks luksAddKey --key-file key " CHEAP " volume key2\nluks luksRemoveKey volume key\n",
                  "LUKS2, aes-xts-plain64, 1 key slot, argon2id 64 MiB" },
                { CHEAP,
                  "luks config --priority prefer --key-slot 0 volume; luks luksUUID --uuid 01234567-89ab-cdef-0123-456789abcdef volume\n",
                  "LUKS2, aes-xts-plain64, 1 key slot, argon2id 64 MiB" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                make(cases[i].options, cases[i].then);
                take(cases[i].expected);
        }
        make(CHEAP, "luks luksErase volume");
        refuse("No key slot opens it");
        make("--pbkdf pbkdf2 --pbkdf-force-iterations 1000",
             "luks reencrypt --init-only --key-file key --pbkdf pbkdf2 --pbkdf-force-iterations 1000 volume\n");
        refuse("It requires \"online-reencrypt-v2\" of who reads it: data is being encrypted anew, or by hardware");
}

/* What we write, at an offset. */
static void test_ours(void **state) {
        static const struct {
                LuksKdf kdf;
                uint64_t memory_size, size, sector_size;
                const char *expected;
        } cases[] = {
                { LUKS_KDF_ARGON2ID, 0, MIB, 4096, "LUKS2, aes-xts-plain64, 1 key slot, argon2id 64 MiB" },
                { LUKS_KDF_ARGON2ID, 32 * KIB, MIB + 512, 512,
                  "LUKS2, aes-xts-plain64, 1 key slot, argon2id 32 KiB" },
                { LUKS_KDF_PBKDF2, 0, 512, 512,
                  "LUKS2, aes-xts-plain64, 1 key slot, pbkdf2 600000 iterations" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(fd_closep) int fd = open("image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                _cleanup_(secret_freep) Secret *passphrase = NULL;
                _cleanup_(freep) char *text = NULL;
                const uint64_t size = LUKS_HEADER_SIZE + cases[i].size;
                LuksOptions options = { .uuid = { { 1, 2, 3 } },
                                        .kdf = cases[i].kdf,
                                        .memory_size = cases[i].memory_size };
                LuksHeader header = {};

                assert_int_equal(secret_new(4, &passphrase), 0);
                memcpy(passphrase->bytes, "pass", 4);
                passphrase->size = 4;
                options.passphrase = passphrase;
                assert_int_equal(ftruncate(fd, (off_t)(MIB + size)), 0);
                assert_int_equal(luks_encrypt(&options, &(LuksVolume){ fd, MIB, size }, NULL), 0);
                assert_int_equal(luks_header_read(fd, MIB, size, &header, NULL), 0);
                assert_true(uuid_equal(header.uuid, options.uuid));
                assert_int_equal(header.size, HEADER_SIZE);
                assert_int_equal(header.data->offset, LUKS_HEADER_SIZE);
                assert_int_equal(header.data->sector_size, cases[i].sector_size);
                assert_true(header.opening == 1);
                assert_int_equal(luks_header_describe(&header, &text), 0);
                assert_string_equal(text, cases[i].expected);
                luks_header_done(&header);
        }
}

static void poke(uint64_t offset, const void *bytes, size_t size) {
        _cleanup_(fd_closep) int fd = open("volume", O_WRONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(fd_pwrite_all(fd, bytes, size, offset), 0);
}

/* The check sum of one of the headers. */
static void mend(uint64_t at) {
        _cleanup_(fd_closep) int fd = open("volume", O_RDWR | O_CLOEXEC);
        uint8_t header[HEADER_SIZE];

        assert_true(fd >= 0);
        assert_int_equal(fd_pread_all(fd, header, sizeof(header), at), 0);
        assert_true(luks_builder_mend(header, sizeof(header)));
        assert_int_equal(fd_pwrite_all(fd, header, sizeof(header), at), 0);
}

/* A byte that is changed, in each of the headers. */
static void test_damaged(void **state) {
        static const struct {
                const char *name;
                uint64_t at;
        } sides[] = { { "primary", 0 }, { "secondary", HEADER_SIZE } };
        static const struct {
                unsigned offset;
                const char *bytes, *said;
        } cases[] = {
                { 0, "X", "is not there" },
                { 7, "\x01", "is of another version than 2" },
                { 8, "\x7f", "has an impossible size" },
                { 14, "\x41", "has an impossible size" },
                { 15, "\x01", "has an impossible size" },
                { 24, "label", "does not have the check sum it says" },
                { 72, "sha1", "has a check sum of another kind than sha256" },
                { 104, "salty", "does not have the check sum it says" },
                { 168, "0123456789012345678901234567890123456789", "has text that does not end" },
                { 256, "\x01", "tells of another place than that where it is" },
                { 300, "\x01", "has something where zeros should be" },
                { 448, "sum", "does not have the check sum it says" },
                { 480, "\x01", "has something where zeros should be" },
                { 4095, "\x01", "has something where zeros should be" },
                { 4100, "X", "does not have the check sum it says" },
                { HEADER_SIZE - 1, "\x01", "does not have the check sum it says" },
        };

        for (size_t k = 0; k < ELEMENTSOF(sides); k++)
                for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                        _cleanup_(freep) char *said = NULL;

                        make("--pbkdf pbkdf2 --pbkdf-force-iterations 1000", "");
                        poke(sides[k].at + cases[i].offset, cases[i].bytes, strlen(cases[i].bytes));
                        assert_int_equal(text_format(&said, "The %s header %s", sides[k].name, cases[i].said),
                                         0);
                        refuse(said);
                }
}

/* With a check sum that fits. */
static void test_lying_copies(void **state) {
        static const struct {
                uint64_t at, offset;
                const char *bytes;
                size_t size;
                const char *said;
        } cases[] = {
                { HEADER_SIZE, 23, "\x63", 1, "The primary header is older than the other" },
                { 0, 23, "\x63", 1, "The secondary header is older than the other" },
                { HEADER_SIZE, 24, "label", 5,
                  "The secondary header says something else than the primary one" },
                { 0, 208, "system", 6, "The secondary header says something else than the primary one" },
                { HEADER_SIZE, 168, "0", 1, "The secondary header says something else than the primary one" },
                { HEADER_SIZE, 4097, " ", 1,
                  "The secondary header says something else than the primary one" },
                { HEADER_SIZE, HEADER_SIZE - 1, "\x01", 1,
                  "The secondary header has more in its JSON area than a text" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                make("--pbkdf pbkdf2 --pbkdf-force-iterations 1000 --uuid 11234567-89ab-cdef-0123-456789abcdef",
                     "");
                poke(cases[i].at + cases[i].offset, cases[i].bytes, cases[i].size);
                mend(cases[i].at);
                refuse(cases[i].said);
        }
        make("--pbkdf pbkdf2 --pbkdf-force-iterations 1000", "");
        for (uint64_t at = 0; at <= HEADER_SIZE; at += HEADER_SIZE) {
                poke(at + 104, (uint8_t[64]){ 1 }, 64);
                mend(at);
        }
        refuse("The secondary header has the salt of the primary one");

        assert_int_equal(truncate("volume", 20 * KIB), 0);
        poke(104, (uint8_t[64]){ 2 }, 64);
        mend(0);
        refuse("The volume is shorter than its header");
        assert_int_equal(truncate("volume", 0), 0);
        refuse("The volume is shorter than its header");
}

/* Of a volume of 1 MiB, with headers of 16 KiB and slots up to 512 KiB. */
#define SLOT(number, offset, size)                                              \
        "\"" number "\":{\"type\":\"luks2\",\"key_size\":64,"                   \
        "\"af\":{\"type\":\"luks1\",\"stripes\":1000,\"hash\":\"sha256\"},"     \
        "\"area\":{\"type\":\"raw\",\"offset\":\"" offset "\",\"size\":\"" size \
        "\",\"encryption\":\"aes-xts-plain64\",\"key_size\":64},"               \
        "\"kdf\":{\"type\":\"pbkdf2\",\"hash\":\"sha512\",\"iterations\":1000,\"salt\":\"AAAA\"}}"
#define SEGMENT(number, offset, size)                                                   \
        "\"" number "\":{\"type\":\"crypt\",\"offset\":\"" offset "\",\"size\":\"" size \
        "\",\"iv_tweak\":\"0\",\"encryption\":\"aes-xts-plain64\",\"sector_size\":4096}"
#define DIGEST(number, slots, segments)                                                        \
        "\"" number "\":{\"type\":\"pbkdf2\",\"keyslots\":[" slots "],\"segments\":[" segments \
        "],\"hash\":\"sha256\",\"iterations\":1000,\"salt\":\"AAAA\",\"digest\":\"AAAA\"}"

static const char lying[] = "{\"keyslots\":{" SLOT("0", "32768", "65536") "," SLOT(
        "1", "98304",
        "65536") "},"
                 "\"segments\":{" SEGMENT(
                         "0", "524288",
                         "524288") "},"
                                   "\"digests\":{" DIGEST(
                                           "0", "\"0\",\"1\"",
                                           "\"0\"") "},"
                                                    "\"tokens\":{\"0\":{\"type\":\"x\",\"keyslots\":[\"1\"]}},"
                                                    "\"config\":{\"json_size\":\"12288\",\"keyslots_size\":\"491520\"}}";

static void put_lie(const char *from, const char *to) {
        _cleanup_(fd_closep) int fd = open("volume", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const char *at = strstr(lying, from);
        _cleanup_(freep) char *text = NULL;

        assert_non_null(at);
        assert_int_equal(text_format(&text, "%.*s%s%s", (int)(at - lying), lying, to, at + strlen(from)), 0);
        assert_int_equal(ftruncate(fd, (off_t)MIB), 0);
        assert_true(luks_builder_put(fd, HEADER_SIZE, text, strlen(text)));
}

static const struct {
        const char *from, *to, *said;
} lies[] = {
        { "\"keyslots\"", "\"keyslot\"", "The member \"keyslots\" is missing" },
        { "\"12288\"", "\"12289\"", "The size of the JSON area is another than that of the header" },
        { "\"491520\"", "\"491521\"", "There is no such room for key slots as it tells of" },
        { "\"491520\"", "\"1048576\"", "There is no such room for key slots as it tells of" },
        { "\"491520\"", "\"18446744073709547520\"", "There is no such room for key slots as it tells of" },
        { "\"32768\"", "\"28672\"", "The area of key slot 0 is not where those of slots are" },
        { "\"32768\"", "\"32769\"", "The area of key slot 0 is not where those of slots are" },
        { "\"32768\"", "\"524288\"", "The area of key slot 0 is not where those of slots are" },
        { "\"32768\",\"size\":\"65536\"", "\"462848\",\"size\":\"65536\"",
          "The area of key slot 0 is not where those of slots are" },
        { "\"32768\",\"size\":\"65536\"", "\"32768\",\"size\":\"18446744073709551615\"",
          "The area of key slot 0 is not where those of slots are" },
        { "\"32768\",\"size\":\"65536\"", "\"32768\",\"size\":\"61440\"",
          "The area of key slot 0 has no room for its key" },
        { "\"key_size\":64,\"af\"", "\"key_size\":0,\"af\"",
          "The area of key slot 0 has no room for its key" },
        { "\"stripes\":1000", "\"stripes\":18446744073709551615",
          "The area of key slot 0 has no room for its key" },
        { "\"98304\"", "\"94208\"", "The areas of key slots 0 and 1 overlap" },
        { "\"98304\"", "\"32768\"", "The areas of key slots 0 and 1 overlap" },
        { SEGMENT("0", "524288", "524288"), "", "It has 0 segments of data, and not one" },
        { SEGMENT("0", "524288", "524288"),
          SEGMENT("0", "524288", "524288") "," SEGMENT("1", "524288", "4096"),
          "It has 2 segments of data, and not one" },
        { "\"sector_size\":4096", "\"sector_size\":8192", "Sectors have an impossible size: 8192 bytes" },
        { "\"sector_size\":4096", "\"sector_size\":1000", "Sectors have an impossible size: 1000 bytes" },
        { "\"sector_size\":4096", "\"sector_size\":0", "Sectors have an impossible size: 0 bytes" },
        { "\"offset\":\"524288\"", "\"offset\":\"520192\"",
          "Data is where the header is, or within a sector" },
        { "\"offset\":\"524288\"", "\"offset\":\"524289\"",
          "Data is where the header is, or within a sector" },
        { "\"offset\":\"524288\"", "\"offset\":\"528384\"",
          "Data does not fit into the volume: it is cut off" },
        { "\"offset\":\"524288\"", "\"offset\":\"1048576\"",
          "Data does not fit into the volume: it is cut off" },
        { "\"size\":\"524288\"", "\"size\":\"523776\"", "The size of data is no multiple of its sectors'" },
        { "\"offset\":\"524288\",\"size\":\"524288\"", "\"offset\":\"524800\",\"size\":\"dynamic\"",
          "The size of data is no multiple of its sectors'" },
        { "\"0\",\"encryption\":\"aes-xts-plain64\"", "\"0\",\"encryption\":\"cipher_null-ecb\"",
          "The cipher cipher_null-ecb encrypts nothing" },
        { "\"0\",\"1\"", "\"0\",\"1\",\"2\"", "Digest 0 is of a key slot or segment that there is not" },
        { "[\"0\"]", "[\"0\",\"1\"]", "Digest 0 is of a key slot or segment that there is not" },
        { "[\"1\"]", "[\"2\"]", "Token 0 is for a key slot that there is not" },
        { "\"0\",\"1\"", "\"0\"", "There is a key slot or segment without a digest" },
        { "[\"0\"]", "[]", "There is a key slot or segment without a digest" },
        { DIGEST("0", "\"0\",\"1\"", "\"0\""),
          DIGEST("0", "\"0\",\"1\"", "\"0\"") "," DIGEST("1", "\"1\"", ""),
          "Digest 1 is of a key slot or segment that has one already" },
        { DIGEST("0", "\"0\",\"1\"", "\"0\""), DIGEST("0", "\"0\",\"1\"", "") "," DIGEST("1", "", "\"0\""),
          "No key slot opens it" },
};

static void test_lying_metadata(void **state) {
        put_lie("x", "y");
        take("LUKS2, aes-xts-plain64, 2 key slots, pbkdf2 1000 iterations");
        for (size_t i = 0; i < ELEMENTSOF(lies); i++) {
                put_lie(lies[i].from, lies[i].to);
                refuse(lies[i].said);
        }
}

#define TEST(function) \
        cmocka_unit_test_setup_teardown(function, temporary_directory_enter, temporary_directory_leave)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_foreign),      TEST(test_ours),           TEST(test_damaged),
                TEST(test_lying_copies), TEST(test_lying_metadata),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
