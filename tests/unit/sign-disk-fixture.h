/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A disk image that waits for signatures, "image.raw" in the current directory, with its request beside it. The
 * certificates are mkosi.secure-boot.crt and mkosi.verity.crt, the keys lie beside them. */

#include <unistd.h>

#include "base/path.h"
#include "base/tree.h"
#include "format/filesystem.h"
#include "format/gpt.h"
#include "image/sign-disk.h"
#include "key-fixture.h"
#include "pe-builder.h"
#include "secureboot/authenticode-offline.h"
#include "secureboot/boot-tree.h"
#include "secureboot/detached-signature.h"
#include "secureboot/efi-variable.h"
#include "verity/root-hash.h"
#include "verity/verity-signature.h"

#define SIGN_FIXTURE_IMAGE   "image.raw"
#define SIGN_FIXTURE_REQUEST "image.sign-request"
#define SIGN_FIXTURE_TIME    INT64_C(1700000000)
#define SIGN_FIXTURE_PROGRAM "EFI/BOOT/BOOTX64.EFI"

enum {
        SIGN_FIXTURE_BOOT,
        SIGN_FIXTURE_ROOT,
        SIGN_FIXTURE_HASH,
        SIGN_FIXTURE_SIGNATURE,
        SIGN_FIXTURE_PARTITIONS,
};

typedef struct SignFixture {
        KeyFixture keys[SIGNER_ROLE_MAX];
        Sha256Digest root_hash;
        PartitionLayout *layout;
        int fd; /* of the image */
        SignRequest request;
} SignFixture;

/* One program that waits for a signature, one that does not, and a file that is no program. */
static inline void sign_fixture_put_boot(const SignFixture *fixture) {
        static const BuildSection sections[] = { { ".text", "code" }, {} };
        const BuildImage built = build_image(sections);
        _cleanup_(pe_image_done) PeImage image = {};

        assert_int_equal(path_make_directories(AT_FDCWD, "boot/EFI/BOOT", 0755), 0);
        assert_int_equal(file_write(AT_FDCWD, "boot/" SIGN_FIXTURE_PROGRAM, built.bytes, built.size, 0644),
                         0);
        assert_int_equal(file_write(AT_FDCWD, "boot/EFI/other.efi", built.bytes, built.size, 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "boot/EFI/text", "text", 0644), 0);
        _cleanup_(fd_closep) int fd = open("boot/" SIGN_FIXTURE_PROGRAM, O_RDWR | O_CLOEXEC);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(authenticode_reserve(&image, fixture->keys[SIGNER_SECURE_BOOT].certificate,
                                              SIGN_FIXTURE_TIME, NULL),
                         0);
}

/* Variables that wait for signatures. */
static inline void sign_fixture_put_variables(const SignFixture *fixture) {
        const Certificate *certificate = fixture->keys[SIGNER_SECURE_BOOT].certificate;
        _cleanup_(der_done) Der list = {};

        efi_signature_list_write(certificate, (Uuid){ { 4 } }, &list);
        assert_int_equal(path_make_directories(AT_FDCWD, "boot/" BOOT_TREE_KEYS_DIRECTORY, 0755), 0);
        for (EfiVariable variable = 0; variable < EFI_VARIABLE_MAX; variable++) {
                _cleanup_(der_done) Der file = {};
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(efi_variable_reserve(&list, SIGN_FIXTURE_TIME, certificate, &file, NULL), 0);
                assert_int_equal(text_format(&path, "boot/" BOOT_TREE_KEYS_DIRECTORY "/%s.auth",
                                             efi_variable_names[variable]),
                                 0);
                assert_int_equal(file_write(AT_FDCWD, path, file.bytes, file.size, 0644), 0);
        }
}

static inline void sign_fixture_write_disk(SignFixture *fixture) {
        Partition partitions[SIGN_FIXTURE_PARTITIONS] = {
                { .type = PARTITION_ESP, .name = "ESP", .size = 40 * MIB, .uuid = { { 1 } } },
                { .type = PARTITION_ROOT, .name = "Root", .size = MIB },
                { .type = PARTITION_ROOT_VERITY, .name = "Hash", .size = MIB },
                { .type = PARTITION_ROOT_VERITY_SIGNATURE, .name = "Signature", .uuid = { { 2 } } },
        };
        PartitionTable table = { .disk_uuid = { { 3 } },
                                 .partitions = partitions,
                                 .n_partitions = ELEMENTSOF(partitions) };
        const FilesystemOptions options = { .label = "ESP", .time = SIGN_FIXTURE_TIME };
        _cleanup_(tree_freep) Tree *tree = NULL;
        size_t signature_size;
        uint64_t size;

        assert_int_equal(detached_signature_size(fixture->keys[SIGNER_VERITY].certificate, &signature_size),
                         0);
        partitions[SIGN_FIXTURE_SIGNATURE].size = verity_signature_partition_size(signature_size);
        root_hash_to_uuids(&fixture->root_hash, &partitions[SIGN_FIXTURE_ROOT].uuid,
                           &partitions[SIGN_FIXTURE_HASH].uuid);
        assert_int_equal(partition_architecture_find("x86-64", &table.architecture), 0);
        assert_int_equal(partition_table_place(&table, &fixture->layout), 0);

        fixture->fd = open(SIGN_FIXTURE_IMAGE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_true(fixture->fd >= 0);
        assert_int_equal(ftruncate(fixture->fd, (off_t)fixture->layout->disk_size), 0);
        assert_int_equal(tree_load(AT_FDCWD, "boot", &tree, NULL), 0);
        const PartitionPlace *place = &fixture->layout->places[SIGN_FIXTURE_BOOT];
        assert_int_equal(filesystem_vfat.make(tree, &options,
                                              &(FilesystemPlace){ .fd = fixture->fd,
                                                                  .offset = place->offset,
                                                                  .size = place->size },
                                              &size, NULL),
                         0);
        assert_int_equal(gpt_write(fixture->fd, &table, fixture->layout, NULL), 0);
}

static inline SignDisk sign_fixture_open(const SignFixture *fixture) {
        SignDisk disk = { .fd = fixture->fd, .size = fixture->layout->disk_size, .time = SIGN_FIXTURE_TIME };

        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++)
                disk.certificates[role] = fixture->keys[role].certificate;
        assert_int_equal(sign_disk_open(&disk, NULL), 0);
        return disk;
}

static inline void sign_fixture_write_request(SignFixture *fixture) {
        _cleanup_(sign_disk_done) SignDisk disk = sign_fixture_open(fixture);
        SignRequest *request = &fixture->request;
        _cleanup_(freep) char *text = NULL;

        request->size = disk.size;
        request->time = SIGN_FIXTURE_TIME;
        assert_int_equal(text_copy(SIGN_FIXTURE_IMAGE, &request->image), 0);
        assert_int_equal(sign_disk_survey(&disk, request, NULL), 0);
        assert_int_equal(sign_request_hash(request, fixture->fd, NULL, &request->digest), 0);
        assert_int_equal(sign_request_format(request, &text), 0);
        assert_int_equal(file_write_text(AT_FDCWD, SIGN_FIXTURE_REQUEST, text, 0644), 0);
}

static inline SignFixture sign_fixture_make_with(KeyPairType type, bool variables) {
        SignFixture fixture = { .root_hash = { { 0xab, 0xcd } } };

        fixture.root_hash.bytes[SHA256_SIZE - 1] = 0xef;
        fixture.keys[SIGNER_SECURE_BOOT] = key_fixture_load("mkosi.secure-boot", type);
        fixture.keys[SIGNER_VERITY] = key_fixture_load("mkosi.verity", type);
        sign_fixture_put_boot(&fixture);
        if (variables)
                sign_fixture_put_variables(&fixture);
        sign_fixture_write_disk(&fixture);
        sign_fixture_write_request(&fixture);
        return fixture;
}

static inline SignFixture sign_fixture_make(KeyPairType type) {
        return sign_fixture_make_with(type, false);
}

static inline void sign_fixture_done(SignFixture *fixture) {
        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++)
                key_fixture_done(&fixture->keys[role]);
        partition_layout_free(fixture->layout);
        (void)fd_close(fixture->fd);
        sign_request_done(&fixture->request);
}

/* What the other machine makes of an item. */
static inline void sign_fixture_sign(const SignFixture *fixture, const SignItem *item, Der *ret) {
        assert_int_equal(signing_key_sign(fixture->keys[sign_kind_role(item->kind)].key, item->bytes.bytes,
                                          item->bytes.size, ret, NULL),
                         0);
}
