/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "config/config-report.h"
#include "image/manifest-reader.h"
#include "image/manifest.h"

static int write_packages(const Image *image, JsonWriter *json) {
        const Installation installation = image_installation(image);
        _cleanup_(distro_packages_done) DistroPackages packages = {};

        const int r = image->distro->manager->list(&installation, &packages);
        if (r < 0)
                return r;
        distro_packages_sort(&packages);

        json_begin_array(json, "packages");
        for (size_t i = 0; i < packages.n_items; i++) {
                json_begin_object(json, NULL);
                json_text(json, "name", packages.items[i].name);
                json_text(json, "version", packages.items[i].version);
                json_text(json, "architecture", packages.items[i].architecture);
                json_end_object(json);
        }
        json_end_array(json);
        return 0;
}

/* An image with places for signatures is not final yet, nor is the map of its blocks. */
static bool is_final(const Image *image, const Artefact *artefact) {
        bool has_places = false;

        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++)
                has_places = has_places || (image->config->sign_offline && image->signers[role]);
        return !has_places || (artefact->kind != ARTEFACT_IMAGE && artefact->kind != ARTEFACT_BMAP);
}

static void write_artefacts(const Image *image, JsonWriter *json) {
        const Artefacts *artefacts = &image->artefacts;

        json_begin_array(json, "artefacts");
        for (size_t i = 0; i < artefacts->n_items; i++) {
                Artefact artefact = artefacts->items[i];

                artefact.hashed = artefact.hashed && is_final(image, &artefact);
                artefact.is_file =
                        artefact.is_file && (is_final(image, &artefact) || artefact.kind == ARTEFACT_IMAGE);
                json_begin_object(json, NULL);
                json_text(json, "name", path_base_name(artefact.output));
                artefact_print_json(&artefact, json);
                json_end_object(json);
        }
        json_end_array(json);
}

static void write_uuid(JsonWriter *json, const char *key, Uuid uuid) {
        char text[UUID_TEXT_SIZE];

        uuid_format(uuid, text);
        json_text(json, key, text);
}

static void write_disk(const Config *config, const ImageDisk *disk, JsonWriter *json) {
        json_begin_object(json, "disk");
        write_uuid(json, "uuid", disk->table.disk_uuid);
        json_number(json, "size", disk->layout->disk_size);
        json_begin_array(json, "partitions");
        for (size_t i = 0; i < disk->table.n_partitions; i++) {
                const Partition *partition = &disk->partitions[i];
                const PartitionRow *row = partition_row_find(partition->type);
                char attributes[19];

                json_begin_object(json, NULL);
                json_text(json, "type", partition_type_name(partition->type));
                write_uuid(json, "type_uuid", partition_type_uuid(partition->type, disk->table.architecture));
                write_uuid(json, "uuid", partition->uuid);
                json_text(json, "name", partition->name);
                json_number(json, "offset", disk->layout->places[i].offset);
                json_number(json, "size", disk->layout->places[i].size);
                /* 64 bits, of which readers of JSON numbers keep 53. */
                (void)snprintf(attributes, sizeof(attributes), "0x%016" PRIx64, partition->attributes);
                json_text(json, "attributes", attributes);
                json_bool(json, "encrypted", row && partition_row_encrypted(row, config));
                json_end_object(json);
        }
        json_end_array(json);
        json_end_object(json);
}

/* Where things are put, how often a build is repeated, and on what its result is run, is not part of what was built. */
static bool is_told(const LoadedConfig *loaded, const Setting *setting) {
        static const size_t untold[] = { CONFIG(output), CONFIG(output_directory), CONFIG(force),
                                         CONFIG(cache),  CONFIG(incremental),      CONFIG(cpus),
                                         CONFIG(ram) };

        for (size_t i = 0; i < ELEMENTSOF(untold); i++)
                if (setting->offset == untold[i])
                        return false;
        return setting->name && setting_source(loaded->store, setting) != SETTING_UNSET;
}

static int write_settings(const LoadedConfig *loaded, JsonWriter *json) {
        json_begin_array(json, "settings");
        for (size_t i = 0; i < config_table.n_rows; i++) {
                const Setting *setting = &config_table.rows[i];
                _cleanup_(strv_freep) char **values = NULL;

                if (!is_told(loaded, setting))
                        continue;
                const int r = config_list_values(loaded, setting, &values);
                if (r < 0)
                        return r;
                json_begin_object(json, NULL);
                json_text(json, "section", setting->section);
                json_text(json, "name", setting->name);
                json_begin_array(json, "values");
                for (char **value = values; value && *value; value++)
                        json_text(json, NULL, *value);
                json_end_array(json);
                json_end_object(json);
        }
        json_end_array(json);
        return 0;
}

static bool signs_at_random(const Image *image) {
        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++)
                if (image->signers[role] && image->signers[role]->certificate->algorithm == SIGNATURE_ECDSA)
                        return true;
        return false;
}

/* What stands against another build's giving the same bytes; an empty list: nothing that is known here. */
static void write_reasons(const Image *image, JsonWriter *json) {
        json_begin_array(json, "not_reproducible_because");
        if (!image->time_given)
                json_text(json, NULL, "SOURCE_DATE_EPOCH was not set");
        if (partition_rows_encrypted(image->config))
                json_text(json, NULL, "keys and salts of encrypted partitions are random");
        if (signs_at_random(image))
                json_text(json, NULL, "ECDSA signatures are random");
        json_end_array(json);
}

/* Whose keys firmware and kernel have to have. */
static void write_signers(const Image *image, JsonWriter *json) {
        static const char *const keys[] = {
                [SIGNER_SECURE_BOOT] = "secure_boot", [SIGNER_VERITY] = "verity_signature"
        };

        static_assert(ELEMENTSOF(keys) == SIGNER_ROLE_MAX, "a role has no key");
        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++) {
                const Certificate *certificate =
                        image->signers[role] ? image->signers[role]->certificate : NULL;
                char digits[2 * SHA256_SIZE + 1];

                if (!certificate)
                        continue;
                sha256_format(&certificate->fingerprint, digits);
                json_begin_object(json, keys[role]);
                json_text(json, "certificate", certificate->subject);
                json_text(json, "certificate_sha256", digits);
                json_end_object(json);
        }
}

static int write_manifest(const Image *image, JsonWriter *json) {
        const Config *config = image->config;

        json_begin_object(json, NULL);
        json_number(json, "manifest_version", MANIFEST_VERSION);
        json_begin_object(json, "generator");
        json_text(json, "name", "mkosi");
        json_text(json, "version", MKOSI_VERSION);
        json_end_object(json);
        json_text(json, "distribution", distribution_words[config->distribution]);
        json_text(json, "release", config->release);
        json_text(json, "architecture", architecture_words[config->architecture]);
        json_text(json, "format", output_format_words[config->format]);
        if (image->time_given)
                json_number(json, "time", (uint64_t)image->time);
        else
                json_null(json, "time");
        write_reasons(image, json);

        int r = write_packages(image, json);
        if (r < 0)
                return r;
        write_artefacts(image, json);
        if (image->has_root_hash) {
                char digits[2 * SHA256_SIZE + 1];

                sha256_format(&image->root_hash, digits);
                json_text(json, "root_hash", digits);
        }
        write_signers(image, json);
        if (image->disk.layout)
                write_disk(config, &image->disk, json);
        r = write_settings(image->loaded, json);
        if (r < 0)
                return log_error(r, "Cannot write the settings to the manifest: %m");
        json_end_object(json);
        return 0;
}

int manifest_format(const Image *image, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return -ENOMEM;
        const int r = write_manifest(image, &(JsonWriter){ .file = file });
        /* Closing may move the text. */
        if (fclose(file) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}
