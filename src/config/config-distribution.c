/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/os-release.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"
#include "config/config-stages.h"

/* What a host's os-release calls its release. */
typedef enum ReleaseNaming {
        RELEASES_NONE, /* there is only one, which always moves on; packages of all times share one cache */
        RELEASES_NUMBERED, /* VERSION_ID= */
        RELEASES_MAJOR,    /* VERSION_ID= up to the dot: minor ones replace each other on mirrors */
        RELEASES_NAMED,    /* VERSION_CODENAME= */
} ReleaseNaming;

/* What is built if nobody says otherwise, by Distribution. */
typedef struct DistributionDefaults {
        ReleaseNaming naming;
        const char *release;      /* on another distribution's host; NULL: the distribution has no releases */
        const char *mirror;       /* NULL: the package manager finds its own */
        const char *ports_mirror; /* has all architectures but x86 and x86-64; NULL: the same mirror */
        const char *repository;
        const char *boot_repository; /* beside it, for bootable images; NULL: none */
} DistributionDefaults;

/* Ubuntu: the last release with long-term support, 26.04 of April 2026, by https://wiki.ubuntu.com/Releases and the list
 * in Debian's package distro-info-data. What boots a system is not all in main there: dracut was in universe before 25.10,
 * systemd-boot is. */
/* clang-format off */
static const DistributionDefaults distribution_defaults[] = {
        [DISTRIBUTION_FEDORA]   = { RELEASES_NUMBERED, "44",         NULL,                               NULL, NULL },
        [DISTRIBUTION_DEBIAN]   = { RELEASES_NAMED,    "trixie",     "http://deb.debian.org/debian",     NULL, "main" },
        [DISTRIBUTION_UBUNTU]   = { RELEASES_NAMED,    "resolute",   "http://archive.ubuntu.com/ubuntu", "http://ports.ubuntu.com/ubuntu-ports", "main", "universe" },
        [DISTRIBUTION_ARCH]     = { RELEASES_NONE,     NULL,         "https://geo.mirror.pkgbuild.com",  NULL, NULL },
        [DISTRIBUTION_OPENSUSE] = { RELEASES_NUMBERED, "tumbleweed", "https://download.opensuse.org",    NULL, NULL },
        [DISTRIBUTION_MAGEIA]   = { RELEASES_NUMBERED, "9",          NULL,                               NULL, NULL },
        [DISTRIBUTION_CENTOS]   = { RELEASES_NUMBERED, "10",         NULL,                               NULL, NULL },
        [DISTRIBUTION_ALMA]     = { RELEASES_MAJOR,    "10",         NULL,                               NULL, NULL },
        [DISTRIBUTION_ROCKY]    = { RELEASES_MAJOR,    "10",         NULL,                               NULL, NULL },
        [DISTRIBUTION_CLEAR]    = { RELEASES_NONE,     "latest",     NULL,                               NULL, NULL },
};
/* clang-format on */
static_assert(ELEMENTSOF(distribution_defaults) == DISTRIBUTION_MAX, "a distribution has no defaults");

/* ID= of os-release where it is not the word of Distribution=. */
static const SettingAlias host_ids[] = {
        { "almalinux", "alma" },
        { "clear-linux-os", "clear" },
        { "opensuse-leap", "opensuse" },
        { "opensuse-tumbleweed", "opensuse" },
};

/* The Distribution of the host, DISTRIBUTION_MAX if it is none that we know. */
static unsigned host_distribution(const OsRelease *os_release) {
        const char *id = os_release->id ? os_release->id : "linux";

        for (size_t i = 0; i < ELEMENTSOF(host_ids); i++)
                if (text_equal(host_ids[i].name, id))
                        id = host_ids[i].word;
        for (unsigned i = 0; i < DISTRIBUTION_MAX; i++)
                if (text_equal(distribution_words[i], id))
                        return i;
        return DISTRIBUTION_MAX;
}

static int resolve_distribution(LoadedConfig *loaded, const OsRelease *os_release) {
        unsigned host = host_distribution(os_release);

        if (config_source(loaded, CONFIG(distribution)) != SETTING_UNSET)
                return 0;
        if (host == DISTRIBUTION_MAX)
                return setting_mistake(&loaded->mistakes,
                                       "Set Distribution=, the host's (%s) is none that images are made of",
                                       os_release->id ? os_release->id : "without os-release");

        loaded->config.distribution = host;
        return config_note(loaded, CONFIG(distribution), SETTING_DERIVED, "the host's os-release");
}

bool config_has_releases(const Config *config) {
        return distribution_defaults[config->distribution].release != NULL;
}

static const char *host_release(const OsRelease *os_release, ReleaseNaming naming) {
        switch (naming) {
        case RELEASES_NUMBERED:
        case RELEASES_MAJOR:
                return os_release->version_id;
        case RELEASES_NAMED:
                return os_release->version_codename;
        case RELEASES_NONE:
                break;
        }
        return NULL;
}

static int resolve_release(LoadedConfig *loaded, const OsRelease *os_release) {
        const Config *config = &loaded->config;
        const DistributionDefaults *defaults = &distribution_defaults[config->distribution];
        const char *release = host_release(os_release, defaults->naming);
        _cleanup_(freep) char *major = NULL;

        if (release && defaults->naming == RELEASES_MAJOR) {
                const int r = text_format(&major, "%.*s", (int)strcspn(release, "."), release);
                if (r < 0)
                        return r;
                release = major;
        }
        if (config->release && !config_has_releases(config))
                return config_warn(loaded, CONFIG(release), "Release= is ignored, %s has no releases",
                                   distribution_words[config->distribution]);

        if (host_distribution(os_release) == config->distribution && release)
                return config_fill(loaded, CONFIG(release), release, SETTING_DERIVED,
                                   "the host's os-release");
        return config_fill(loaded, CONFIG(release), defaults->release, SETTING_DEFAULT, NULL);
}

static int resolve_architecture(LoadedConfig *loaded, const char *machine) {
        const Setting *setting = config_setting(CONFIG(architecture));
        _cleanup_(reason_done) Reason reason = {};

        int r = setting->type->parse(setting, machine, &loaded->host_architecture, &reason);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                loaded->host_architecture = ARCHITECTURE_MAX;

        if (config_source(loaded, CONFIG(architecture)) != SETTING_UNSET)
                return 0;
        if (r < 0)
                return setting_mistake(&loaded->mistakes,
                                       "Set Architecture=, the host's (%s) is none that images are made for",
                                       machine);
        loaded->config.architecture = loaded->host_architecture;
        return config_note(loaded, CONFIG(architecture), SETTING_DERIVED, "the host's architecture");
}

static int resolve_archive(LoadedConfig *loaded) {
        Config *config = &loaded->config;
        const DistributionDefaults *defaults = &distribution_defaults[config->distribution];
        const char *mirror = defaults->mirror;

        if (defaults->ports_mirror && config->architecture != ARCHITECTURE_X86_64 &&
            config->architecture != ARCHITECTURE_X86)
                mirror = defaults->ports_mirror;
        int r = config_fill(loaded, CONFIG(mirror), mirror, SETTING_DEFAULT, NULL);
        if (r < 0 || (config->repositories && config->repositories[0]) || !defaults->repository)
                return r;

        r = strv_append(&config->repositories, defaults->repository);
        if (r >= 0 && config->bootable && defaults->boot_repository)
                r = strv_append(&config->repositories, defaults->boot_repository);
        if (r < 0)
                return r;
        return config_note(loaded, CONFIG(repositories), SETTING_DEFAULT, NULL);
}

/* In mkosi.cache/ every distribution and release has a directory of its own; what Cache= names is used as it is. */
static int resolve_cache(LoadedConfig *loaded) {
        Config *config = &loaded->config;
        const char *word = distribution_words[config->distribution];
        _cleanup_(freep) char *cache = NULL;
        int r;

        if (config_source(loaded, CONFIG(cache)) != SETTING_DISCOVERED)
                return 0;
        if (distribution_defaults[config->distribution].naming != RELEASES_NONE)
                r = text_format(&cache, "%s/%s~%s", config->cache, word, config->release);
        else
                r = text_format(&cache, "%s/%s", config->cache, word);
        if (r < 0)
                return r;
        free(config->cache);
        config->cache = TAKE_PTR(cache);
        return 0;
}

int config_resolve_distribution(LoadedConfig *loaded, const ConfigHost *host) {
        _cleanup_(os_release_done) OsRelease os_release = {};

        int r = os_release_load(host->root, &os_release);
        if (r == -ENOMEM)
                return r;
        r = resolve_distribution(loaded, &os_release);
        if (r < 0)
                return r;
        r = resolve_release(loaded, &os_release);
        if (r < 0)
                return r;
        r = resolve_architecture(loaded, host->machine);
        if (r < 0)
                return r;
        r = resolve_archive(loaded);
        if (r < 0)
                return r;
        return resolve_cache(loaded);
}
