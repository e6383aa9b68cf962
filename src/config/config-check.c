/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config/config-report.h"
#include "config/config-stages.h"

/* Two settings that cannot both be as they are. */
typedef struct Contradiction {
        size_t setting, other;
        bool (*found)(const Config *config);
        const char *why;
} Contradiction;

static bool boots_without_disk(const Config *config) {
        return config->bootable && !output_format_is_disk(config->format);
}

static bool encrypts_without_disk(const Config *config) {
        return config->encrypt != ENCRYPT_OFF && !output_format_is_disk(config->format);
}

static bool encrypts_data_of_btrfs(const Config *config) {
        return config->encrypt == ENCRYPT_DATA && config->format == OUTPUT_FORMAT_GPT_BTRFS;
}

static bool encrypts_verified_root(const Config *config) {
        return config->encrypt == ENCRYPT_ALL && config->verity;
}

static bool verifies_without_disk(const Config *config) {
        return config->verity && !output_format_is_disk(config->format);
}

/* Whether the image itself waits for signatures. */
static bool has_places_for_signatures(const Config *config) {
        return config->sign_offline && output_format_is_disk(config->format) &&
               ((config->secure_boot && config->bootable) || (config->verity && config->verity_certificate));
}

static bool compresses_before_it_is_signed(const Config *config) {
        return has_places_for_signatures(config) && config->compress_output.word != OUTPUT_COMPRESSION_NO;
}

static bool converts_before_it_is_signed(const Config *config) {
        return has_places_for_signatures(config) && config->qcow2;
}

static bool has_key_of_programs(const Config *config) {
        return config->sign_offline && config->secure_boot_key;
}

static bool has_key_of_verity(const Config *config) {
        return config->sign_offline && config->verity_key;
}

static const Contradiction contradictions[] = {
        { CONFIG(bootable), CONFIG(format), boots_without_disk, "only disk images boot" },
        { CONFIG(encrypt), CONFIG(format), encrypts_without_disk,
          "only disk images have partitions to encrypt" },
        { CONFIG(encrypt), CONFIG(format), encrypts_data_of_btrfs, "btrfs keeps data on the root partition" },
        { CONFIG(encrypt), CONFIG(verity), encrypts_verified_root,
          "an encrypted root partition cannot be verified" },
        { CONFIG(verity), CONFIG(format), verifies_without_disk,
          "only disk images have partitions to verify" },
        { CONFIG(secure_boot_key), CONFIG(sign_offline), has_key_of_programs,
          "no key is read, and the certificate is enough" },
        { CONFIG(verity_key), CONFIG(sign_offline), has_key_of_verity,
          "no key is read, and the certificate is enough" },
        { CONFIG(compress_output), CONFIG(sign_offline), compresses_before_it_is_signed,
          "signatures are put into raw images; compress the image when it is signed" },
        { CONFIG(qcow2), CONFIG(sign_offline), converts_before_it_is_signed,
          "signatures are put into raw images; convert the image when it is signed" },
};

/* A setting that does nothing by itself. */
typedef struct Dependency {
        size_t setting;
        bool (*met)(const Config *config);
        const char *condition; /* "has no effect …" */
} Dependency;

static bool has_build_script(const Config *config) {
        return config->build_script;
}

static bool has_any_script(const Config *config) {
        return config->build_script || config->postinst_script || config->prepare_script ||
               config->finalize_script;
}

static bool is_encrypted(const Config *config) {
        return config->encrypt != ENCRYPT_OFF;
}

static bool has_partition_to_encrypt(const Config *config) {
        return config->encrypt != ENCRYPT_DATA || config->home_size > 0 || config->srv_size > 0;
}

static bool has_memory_hard_kdf(const Config *config) {
        return is_encrypted(config) && config->encrypt_kdf.word == ENCRYPT_KDF_ARGON2ID;
}

static bool is_bootable(const Config *config) {
        return config->bootable;
}

static bool is_secure_boot(const Config *config) {
        return config->secure_boot;
}

static bool is_verified(const Config *config) {
        return config->verity;
}

static bool is_signed(const Config *config) {
        return config->sign;
}

static bool is_signed_here(const Config *config) {
        return !config->sign_offline;
}

static bool has_anything_signed(const Config *config) {
        return config->secure_boot || (config->verity && config->verity_certificate) || config->sign;
}

static bool is_disk(const Config *config) {
        return output_format_is_disk(config->format);
}

static bool has_root_of_any_size(const Config *config) {
        return is_disk(config) && !output_format_is_squashfs(config->format);
}

static bool has_data_partitions(const Config *config) {
        return is_disk(config) && config->format != OUTPUT_FORMAT_GPT_BTRFS;
}

static bool is_file(const Config *config) {
        return output_format_is_file(config->format);
}

static bool is_squashfs(const Config *config) {
        return output_format_is_squashfs(config->format);
}

static bool can_compress(const Config *config) {
        return is_squashfs(config) || config->format == OUTPUT_FORMAT_GPT_BTRFS ||
               config->format == OUTPUT_FORMAT_TAR;
}

static bool can_be_read_only(const Config *config) {
        return is_disk(config) || is_squashfs(config) || config->format == OUTPUT_FORMAT_SUBVOLUME;
}

static bool is_raw_disk_with_holes(const Config *config) {
        return has_root_of_any_size(config) && !config->qcow2;
}

static bool takes_repository_keys(const Config *config) {
        return config->distribution != DISTRIBUTION_DEBIAN && config->distribution != DISTRIBUTION_UBUNTU;
}

static bool never(const Config *config) {
        return false;
}

static const Dependency dependencies[] = {
        { CONFIG(repository_keys), takes_repository_keys,
          "for a distribution whose keys are those of its key ring on the host" },
        { CONFIG(build_packages), has_build_script, "without a build script" },
        { CONFIG(build_sources), has_build_script, "without a build script" },
        { CONFIG(build_directory), has_build_script, "without a build script" },
        { CONFIG(source_file_transfer), has_build_script, "without a build script" },
        { CONFIG(with_tests), has_build_script, "without a build script" },
        { CONFIG(environment), has_any_script, "without a script" },
        { CONFIG(kernel_command_line), is_bootable, "without Bootable=yes" },
        { CONFIG(boot_protocols), is_bootable, "without Bootable=yes" },
        { CONFIG(esp_size), is_bootable, "without Bootable=yes" },
        { CONFIG(secure_boot), is_bootable, "without Bootable=yes" },
        { CONFIG(secure_boot_key), is_secure_boot, "without SecureBoot=yes" },
        { CONFIG(secure_boot_certificate), is_secure_boot, "without SecureBoot=yes" },
        { CONFIG(encrypt), has_partition_to_encrypt, "without HomeSize= or SrvSize=" },
        { CONFIG(passphrase_file), is_encrypted, "without Encrypt=" },
        { CONFIG(encrypt_kdf), is_encrypted, "without Encrypt=" },
        { CONFIG(encrypt_kdf_memory), has_memory_hard_kdf, "without Encrypt= and EncryptKDF=argon2id" },
        { CONFIG(secure_boot_passphrase_file), is_secure_boot, "without SecureBoot=yes" },
        { CONFIG(secure_boot_sign), is_secure_boot, "without SecureBoot=yes" },
        { CONFIG(secure_boot_auto_enroll), is_secure_boot, "without SecureBoot=yes" },
        { CONFIG(verity_key), is_verified, "without Verity=yes" },
        { CONFIG(verity_certificate), is_verified, "without Verity=yes" },
        { CONFIG(verity_passphrase_file), is_verified, "without Verity=yes" },
        { CONFIG(key), is_signed, "without Sign=yes" },
        { CONFIG(key), is_signed_here, "with SignOffline=yes" },
        { CONFIG(secure_boot_passphrase_file), is_signed_here, "with SignOffline=yes" },
        { CONFIG(verity_passphrase_file), is_signed_here, "with SignOffline=yes" },
        { CONFIG(sign_offline), has_anything_signed, "without SecureBoot=, VerityCertificate= or Sign=" },
        { CONFIG(root_size), has_root_of_any_size, "in a Format= whose size is that of its content" },
        { CONFIG(swap_size), is_disk, "in a Format= without partitions" },
        { CONFIG(xbootldr_size), is_disk, "in a Format= without partitions" },
        { CONFIG(home_size), has_data_partitions, "in a Format= without a partition for it" },
        { CONFIG(srv_size), has_data_partitions, "in a Format= without a partition for it" },
        { CONFIG(read_only), can_be_read_only, "in a Format= that cannot be marked so" },
        { CONFIG(qcow2), is_disk, "in a Format= that is no disk image" },
        { CONFIG(bmap), is_raw_disk_with_holes, "for an image without free blocks" },
        { CONFIG(xz), is_file, "in a Format= that is no single file" },
        { CONFIG(compress_output), is_file, "in a Format= that is no single file" },
        { CONFIG(checksum), is_file, "in a Format= that is no single file" },
        { CONFIG(compress), can_compress, "in a Format= that does not compress" },
        { CONFIG(mksquashfs), never, "since squashfs file systems are made without a program" },
};

bool config_has_effect(const Config *config, size_t offset) {
        for (size_t i = 0; i < ELEMENTSOF(dependencies); i++)
                if (dependencies[i].setting == offset && !dependencies[i].met(config))
                        return false;
        return true;
}

/* "mkosi.default:4: Bootable=yes contradicts Format=tar (mkosi.default:2): only disk images boot" */
static int note_contradiction(LoadedConfig *loaded, const Contradiction *contradiction) {
        _cleanup_(freep) char *setting = NULL, *other = NULL, *where = NULL;

        int r = config_say(loaded, contradiction->setting, &setting);
        if (r < 0)
                return r;
        r = config_say(loaded, contradiction->other, &other);
        if (r < 0)
                return r;
        r = config_where(loaded, contradiction->other, 0, &where);
        if (r < 0)
                return r;
        return config_mistake(loaded, contradiction->setting, 0, "%s contradicts %s (%s): %s", setting, other,
                              where, contradiction->why);
}

static int warn_of_no_effect(LoadedConfig *loaded, const Dependency *dependency) {
        _cleanup_(freep) char *said = NULL;

        if (!config_is_given(loaded, dependency->setting) || dependency->met(&loaded->config) ||
            !config_asks(&loaded->config, config_setting(dependency->setting)))
                return 0;
        int r = config_say(loaded, dependency->setting, &said);
        if (r < 0)
                return r;
        return config_warn(loaded, dependency->setting, "%s has no effect %s", said, dependency->condition);
}

/* As it is found by its type, it is used without being asked for. */
static int warn_of_plain_swap(LoadedConfig *loaded) {
        _cleanup_(freep) char *swap = NULL, *encrypt = NULL;

        if (!is_encrypted(&loaded->config) || !is_disk(&loaded->config) || loaded->config.swap_size == 0)
                return 0;
        int r = config_say(loaded, CONFIG(swap_size), &swap);
        if (r >= 0)
                r = config_say(loaded, CONFIG(encrypt), &encrypt);
        if (r < 0)
                return r;
        return config_warn(
                loaded, CONFIG(swap_size),
                "%s makes a partition that %s does not encrypt: what was in memory may be read from "
                "it. Leave it away, or have a swap file on an encrypted file system",
                swap, encrypt);
}

int config_check(LoadedConfig *loaded) {
        for (size_t i = 0; i < ELEMENTSOF(contradictions); i++) {
                if (!contradictions[i].found(&loaded->config))
                        continue;
                int r = note_contradiction(loaded, &contradictions[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(dependencies); i++) {
                int r = warn_of_no_effect(loaded, &dependencies[i]);
                if (r < 0)
                        return r;
        }
        return warn_of_plain_swap(loaded);
}
