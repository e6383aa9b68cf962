/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"
#include "base/uuid.h"
#include "config/config-report.h"
#include "config/config-stages.h"

/* FAT32 has at least 65525 clusters; with tables and reserved sectors that is a little less than this. */
#define ESP_SIZE_MIN           (33 * MIB)
#define HOSTNAME_LENGTH_MAX    64
#define HOSTNAME_LABEL_MAX     63
#define COMMON_NAME_LENGTH_MAX 64  /* RFC 5280, ub-common-name */
#define PASSWORD_LENGTH_MAX    511 /* of crypt(3) */

#define VALID_DAYS_MAX 36500

/* What libcryptsetup takes. */
#define KDF_MEMORY_SIZE_MIN         (32 * KIB)
#define KDF_MEMORY_SIZE_MAX         (4 * GIB)
#define KDF_ARGON2ID_ITERATIONS_MIN 4
#define KDF_PBKDF2_ITERATIONS_MIN   1000

#define RAM_SIZE_MIN (128 * MIB) /* firmware, kernel and initrd fit into no less */

typedef enum Input {
        INPUT_SCRIPT, /* a regular file that may be executed */
        INPUT_FILE,
        INPUT_DIRECTORY,
        INPUT_TREE, /* a directory or an archive */
        INPUT_KEYS, /* a file, or a directory of them */
} Input;

static const struct {
        size_t offset;
        Input input;
} inputs[] = {
        { CONFIG(build_script), INPUT_SCRIPT },
        { CONFIG(prepare_script), INPUT_SCRIPT },
        { CONFIG(postinst_script), INPUT_SCRIPT },
        { CONFIG(finalize_script), INPUT_SCRIPT },
        { CONFIG(build_sources), INPUT_DIRECTORY },
        { CONFIG(extra_trees), INPUT_TREE },
        { CONFIG(skeleton_trees), INPUT_TREE },
        { CONFIG(repository_keys), INPUT_KEYS },
        { CONFIG(nspawn_settings), INPUT_FILE },
        { CONFIG(passphrase_file), INPUT_FILE },
        { CONFIG(secure_boot_key), INPUT_FILE },
        { CONFIG(secure_boot_certificate), INPUT_FILE },
        { CONFIG(secure_boot_passphrase_file), INPUT_FILE },
        { CONFIG(verity_key), INPUT_FILE },
        { CONFIG(verity_certificate), INPUT_FILE },
        { CONFIG(verity_passphrase_file), INPUT_FILE },
};

/* "ExtraTrees=tree"; the path alone when it was found, not named. */
static int say_input(const LoadedConfig *loaded, size_t offset, const char *path, char **ret) {
        if (config_source(loaded, offset) == SETTING_DISCOVERED)
                return text_copy(path, ret);
        return text_format(ret, "%s=%s", config_setting(offset)->name, path);
}

static int refuse_mode(LoadedConfig *loaded, size_t offset, size_t index, const char *said,
                       const char *path) {
        _cleanup_(freep) char *quoted = NULL;

        const int r = text_quote(path, &quoted);
        if (r < 0)
                return r;
        return config_mistake(loaded, offset, index, "%s is not executable; run: chmod +x %s", said, quoted);
}

static int check_input(LoadedConfig *loaded, size_t offset, size_t index, Input input, const char *absolute) {
        _cleanup_(freep) char *path = NULL, *said = NULL;
        struct stat status;

        int r = config_path_say(absolute, &path);
        if (r < 0)
                return r;
        r = say_input(loaded, offset, path, &said);
        if (r < 0)
                return r;
        if (stat(absolute, &status) < 0)
                return config_mistake(loaded, offset, index, "%s cannot be read: %s", said, strerror(errno));

        bool is_directory = S_ISDIR(status.st_mode), is_file = S_ISREG(status.st_mode);
        if (input == INPUT_DIRECTORY && !is_directory)
                return config_mistake(loaded, offset, index, "%s is no directory", said);
        if (input == INPUT_TREE && !is_directory && !is_file)
                return config_mistake(loaded, offset, index, "%s is neither a directory nor an archive",
                                      said);
        if (input == INPUT_KEYS && !is_directory && !is_file)
                return config_mistake(loaded, offset, index, "%s is neither a file nor a directory", said);
        if ((input == INPUT_SCRIPT || input == INPUT_FILE) && !is_file)
                return config_mistake(loaded, offset, index, "%s is no regular file", said);
        if (input == INPUT_SCRIPT && !(status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
                return refuse_mode(loaded, offset, index, said, path);
        return 0;
}

static int check_inputs(LoadedConfig *loaded) {
        for (size_t i = 0; i < ELEMENTSOF(inputs); i++) {
                const Setting *setting = config_setting(inputs[i].offset);
                char *const *member = setting_member(loaded->store, setting);
                char *const *paths = setting->type->is_list ? *(char *const *const *)member : member;

                for (size_t k = 0; paths && paths[k] && (k == 0 || setting->type->is_list); k++) {
                        if ((setting->flags & SETTING_URI) && path_is_uri(paths[k]))
                                continue;
                        int r = check_input(loaded, inputs[i].offset, k, inputs[i].input, paths[k]);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* A cache is emptied on demand, with all that is in it. */
static int check_cache(LoadedConfig *loaded) {
        _cleanup_(freep) char *here = getcwd(NULL, 0);

        if (!here)
                return -errno;
        if (!loaded->config.cache || !path_is_below(here, loaded->config.cache))
                return 0;
        return config_mistake(
                loaded, CONFIG(cache), 0,
                "Cache= is the working directory or above it; packages need a directory of their own");
}

/* Settings are shown, and go into manifests (RFC 7512, 2.4). */
static int check_key(LoadedConfig *loaded, size_t offset, const char *key, const char *passphrase_file) {
        if (!key || !path_is_uri(key) || !strstr(key, "pin-value="))
                return 0;
        return config_mistake(loaded, offset, 0, "%s= must not hold a PIN: put it into %s, with mode 0600",
                              config_setting(offset)->name, passphrase_file);
}

static int check_secure_boot(LoadedConfig *loaded) {
        const Config *config = &loaded->config;
        const char *name = config->secure_boot_common_name;

        int r = check_key(loaded, CONFIG(secure_boot_key), config->secure_boot_key,
                          "mkosi.secure-boot.passphrase");
        if (r >= 0 && name && (name[0] == '\0' || strlen(name) > COMMON_NAME_LENGTH_MAX))
                r = config_mistake(loaded, CONFIG(secure_boot_common_name), 0,
                                   "SecureBootCommonName= has 1 to %d characters", COMMON_NAME_LENGTH_MAX);
        if (r < 0)
                return r;
        if (!config->secure_boot ||
            (config->secure_boot_certificate && (config->secure_boot_key || config->sign_offline)))
                return 0;
        if (config->sign_offline)
                return config_mistake(loaded, CONFIG(secure_boot), 0,
                                      "SecureBoot=yes with SignOffline=yes needs the certificate of the key: "
                                      "SecureBootCertificate=, or the file mkosi.secure-boot.crt");
        return config_mistake(
                loaded, CONFIG(secure_boot), 0,
                "SecureBoot=yes needs a key and a certificate: SecureBootKey= and "
                "SecureBootCertificate=, or the files mkosi.secure-boot.key and mkosi.secure-boot.crt");
}

/* One of the two would be forgotten, and the image be without a signature. */
static int check_verity(LoadedConfig *loaded) {
        const Config *config = &loaded->config;

        const int r = check_key(loaded, CONFIG(verity_key), config->verity_key, "mkosi.verity.passphrase");
        if (r < 0 || !config->verity)
                return r;
        if (config->verity_key && !config->verity_certificate)
                return config_mistake(loaded, CONFIG(verity_key), 0,
                                      "A key for the verity signature needs its certificate: "
                                      "VerityCertificate=, or the file mkosi.verity.crt");
        if (config->verity_certificate && !config->verity_key && !config->sign_offline)
                return config_mistake(loaded, CONFIG(verity_certificate), 0,
                                      "A certificate for the verity signature needs its key: "
                                      "VerityKey=, or the file mkosi.verity.key");
        return 0;
}

/* Labels of letters, digits and hyphens, with dots between them, as hostname(7) has it. */
static bool is_hostname(const char *name) {
        size_t label = 0, length = strlen(name);

        if (length > HOSTNAME_LENGTH_MAX)
                return false;
        for (size_t i = 0; i <= length; i++) {
                bool ends = name[i] == '.' || name[i] == '\0';

                if (!ends && !isalnum((unsigned char)name[i]) && name[i] != '-')
                        return false;
                if (!ends && name[i] == '-' && label == 0)
                        return false;
                if (ends && (label == 0 || label > HOSTNAME_LABEL_MAX || name[i - 1] == '-'))
                        return false;
                label = ends ? 0 : label + 1;
        }
        return true;
}

/* Words that become arguments of programs and parts of file names. */
static bool is_plain_word(const char *text) {
        if (text[0] == '\0' || text[0] == '-' || text[0] == '.')
                return false;
        for (const char *p = text; *p; p++)
                if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p))
                        return false;
        return true;
}

/* Words that reach shell scripts: debootstrap has components and suites evaluated by the shell. */
static bool is_safe_word(const char *text, const char *marks) {
        if (!is_plain_word(text))
                return false;
        for (const char *p = text; *p; p++)
                if (!isalnum((unsigned char)*p) && !strchr(marks, *p))
                        return false;
        return true;
}

static int check_words(LoadedConfig *loaded) {
        static const size_t lists[] = { CONFIG(packages), CONFIG(build_packages), CONFIG(repositories) };
        const Config *config = &loaded->config;
        int r = 0;

        if (config->release && config_has_releases(config) && !is_safe_word(config->release, "-._+~"))
                r = config_mistake(loaded, CONFIG(release), 0, "Release=%s is no name of a release",
                                   config->release);
        if (r >= 0 && config->mirror && !is_plain_word(config->mirror))
                r = config_mistake(loaded, CONFIG(mirror), 0, "Mirror=%s is no URL", config->mirror);

        for (size_t i = 0; i < ELEMENTSOF(lists) && r >= 0; i++) {
                const Setting *setting = config_setting(lists[i]);
                char *const *list = *(char *const *const *)setting_member(loaded->store, setting);

                for (size_t k = 0; list && list[k] && r >= 0; k++)
                        if (lists[i] == CONFIG(repositories) ? !is_safe_word(list[k], "-._+~/:@")
                                                             : !is_plain_word(list[k]))
                                r = config_mistake(loaded, lists[i], k, "\"%s\" in %s= is no name", list[k],
                                                   setting->name);
        }
        return r;
}

static int check_boot_protocols(LoadedConfig *loaded) {
        char *const *list = loaded->config.boot_protocols;

        for (size_t i = 0; list && list[i]; i++) {
                if (text_equal(list[i], "uefi") || text_equal(list[i], "bios"))
                        continue;
                int r = config_mistake(loaded, CONFIG(boot_protocols), i,
                                       "Unknown boot protocol \"%s\", there are uefi and bios", list[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_lines(LoadedConfig *loaded) {
        const char *password = loaded->config.password, *command_line = loaded->config.kernel_command_line;
        int r = 0;

        if (password && strpbrk(password, "\n\r"))
                r = config_mistake(loaded, CONFIG(password), 0, "A password is one line");
        if (r >= 0 && password && strlen(password) > PASSWORD_LENGTH_MAX)
                r = config_mistake(loaded, CONFIG(password), 0, "A password has at most %d bytes",
                                   PASSWORD_LENGTH_MAX);
        for (const char *p = command_line; r >= 0 && p && *p; p++)
                if (iscntrl((unsigned char)*p) && *p != '\t')
                        return config_mistake(loaded, CONFIG(kernel_command_line), 0,
                                              "KernelCommandLine= is one line, without control characters");
        return r;
}

/* What scripts are told by mkosi itself is not for others to say. */
static int check_environment(LoadedConfig *loaded) {
        static const char *const ours[] = { "SRCDIR",     "DESTDIR",      "BUILDDIR",  "WITH_DOCS",
                                            "WITH_TESTS", "WITH_NETWORK", "BUILDROOT", "BASH_ENV" };
        char *const *list = loaded->config.environment;

        for (size_t i = 0; list && list[i]; i++)
                for (size_t k = 0; k < ELEMENTSOF(ours); k++) {
                        const char *rest = text_after_prefix(list[i], ours[k]);

                        if (!rest || (*rest != '\0' && *rest != '='))
                                continue;
                        const int r =
                                config_mistake(loaded, CONFIG(environment), i,
                                               "Environment= cannot say what %s is, mkosi does", ours[k]);
                        if (r < 0)
                                return r;
                }
        return 0;
}

/* Beyond the year 9999, certificates have no way to say it. */
static int check_validity(LoadedConfig *loaded) {
        if (loaded->config.secure_boot_valid_days <= VALID_DAYS_MAX)
                return 0;
        return config_mistake(loaded, CONFIG(secure_boot_valid_days), 0,
                              "SecureBootValidDays= is at most %d, a hundred years", VALID_DAYS_MAX);
}

static int check_kdf(LoadedConfig *loaded) {
        const SettingChoice kdf = loaded->config.encrypt_kdf;
        const uint64_t memory_size = loaded->config.encrypt_kdf_memory;
        const unsigned iterations_min =
                kdf.word == ENCRYPT_KDF_PBKDF2 ? KDF_PBKDF2_ITERATIONS_MIN : KDF_ARGON2ID_ITERATIONS_MIN;
        int r = 0;

        if (kdf.level > 0 && kdf.level < iterations_min)
                r = config_mistake(loaded, CONFIG(encrypt_kdf), 0,
                                   "EncryptKDF=%s:%u is too weak, it iterates at least %u times",
                                   encrypt_kdf_words[kdf.word], kdf.level, iterations_min);
        if (r >= 0 && memory_size > 0 &&
            (memory_size < KDF_MEMORY_SIZE_MIN || memory_size > KDF_MEMORY_SIZE_MAX))
                r = config_mistake(loaded, CONFIG(encrypt_kdf_memory), 0,
                                   "EncryptKDFMemory= is between 32K and 4G");
        return r;
}

static int check_machine(LoadedConfig *loaded) {
        if (loaded->config.ram == 0 || loaded->config.ram >= RAM_SIZE_MIN)
                return 0;
        return config_mistake(loaded, CONFIG(ram), 0,
                              "RAM= is too small, a machine takes at least 128M to boot");
}

int config_check_values(LoadedConfig *loaded) {
        const Config *config = &loaded->config;
        int r = 0;
        Uuid seed;

        if (config->hostname && !is_hostname(config->hostname))
                r = config_mistake(
                        loaded, CONFIG(hostname), 0,
                        "Hostname=%s is no host name: labels of letters, digits and hyphens, at most %d "
                        "characters",
                        config->hostname, HOSTNAME_LENGTH_MAX);
        if (r >= 0 && config->seed && uuid_parse(config->seed, &seed) < 0)
                r = config_mistake(loaded, CONFIG(seed), 0,
                                   "Seed=%s is no UUID; the program uuidgen makes one", config->seed);
        if (r >= 0 && config->esp_size > 0 && config->esp_size < ESP_SIZE_MIN)
                r = config_mistake(loaded, CONFIG(esp_size), 0,
                                   "ESPSize= is too small, FAT32 takes at least 33M");
        if (r >= 0)
                r = check_lines(loaded);

        int (*const checks[])(LoadedConfig *) = { check_words,   check_boot_protocols, check_inputs,
                                                  check_cache,   check_secure_boot,    check_verity,
                                                  check_kdf,     check_environment,    check_machine,
                                                  check_validity };
        for (size_t i = 0; i < ELEMENTSOF(checks) && r >= 0; i++)
                r = checks[i](loaded);
        return r;
}
