/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/apt-sources.h"

#define SUITE_LENGTH_MAX 128

void apt_sources_done(AptSources *sources) {
        for (size_t i = 0; i < sources->n_items; i++) {
                free(sources->items[i].mirror);
                strv_free(sources->items[i].suites);
        }
        *sources = (AptSources){};
}

bool apt_suite_is_valid(const char *suite) {
        const size_t length = suite ? strlen(suite) : 0;

        if (length == 0 || length > SUITE_LENGTH_MAX || !isalnum((unsigned char)suite[0]))
                return false;
        for (size_t i = 0; i < length; i++)
                if (!isalnum((unsigned char)suite[i]) && !strchr("-._/", suite[i]))
                        return false;
        return !strstr(suite, "..") && suite[length - 1] != '/';
}

const char *apt_archive_mirror(const AptArchive *archive, unsigned architecture) {
        const bool ports = architecture != ARCHITECTURE_X86_64 && architecture != ARCHITECTURE_X86;

        return ports && archive->ports_mirror ? archive->ports_mirror : archive->mirror;
}

const char *apt_mirror(const AptArchive *archive, const Config *config) {
        return text_is_empty(config->mirror) ? apt_archive_mirror(archive, config->architecture)
                                             : config->mirror;
}

/* "http://ftp.de.debian.org/debian": a host of the domain, and nothing but the archive's directory behind it. What has
 * another path there is something else: an archive of the past, ports. */
static bool mirror_is_own(const AptArchive *archive, const char *mirror) {
        const char *host = strstr(mirror, "://");
        const char *path = host ? strchr(host + 3, '/') : NULL;
        if (!path)
                return false;

        const size_t host_length = (size_t)(path - host), domain_length = strlen(archive->mirror_domain);
        return host_length > domain_length &&
               strncmp(path - domain_length, archive->mirror_domain, domain_length) == 0 &&
               text_equal(path + 1, archive->mirror_directory);
}

/* Replaces the last component that is the archive's directory: "http://mirror/debian" and
 * "http://snapshot.debian.org/archive/debian/20240101T000000Z" both have the security archive there. NULL: it has none. */
static int sibling_mirror(const AptArchive *archive, const char *mirror, char **ret) {
        const size_t length = strlen(archive->mirror_directory);

        *ret = NULL;
        for (const char *end = mirror + strlen(mirror); end > mirror;) {
                const char *start = end;
                while (start > mirror && start[-1] != '/')
                        start--;
                if (start > mirror && (size_t)(end - start) == length &&
                    strncmp(start, archive->mirror_directory, length) == 0)
                        return text_format(ret, "%.*s%s%s", (int)(start - mirror), mirror,
                                           archive->security_directory, end);
                end = start > mirror ? start - 1 : mirror;
        }
        return 0;
}

static int security_mirror(const AptArchive *archive, const char *mirror, char **ret) {
        if (mirror_is_own(archive, mirror))
                return text_copy(archive->security_mirror, ret);
        if (!archive->security_directory)
                return text_copy(mirror, ret);
        return sibling_mirror(archive, mirror, ret);
}

static int add_source(AptSources *sources, const char *mirror, const char *suite) {
        assert(sources->n_items < ELEMENTSOF(sources->items));

        AptSource *source = &sources->items[sources->n_items++];
        const int r = text_copy(mirror, &source->mirror);
        return r < 0 ? r : strv_append(&source->suites, suite);
}

/* A mirror is compared and written without slashes at its end. */
static int mirror_normalise(const char *mirror, char **ret) {
        size_t length = strlen(mirror);

        while (length > 0 && mirror[length - 1] == '/')
                length--;
        return text_format(ret, "%.*s", (int)length, mirror);
}

static int add_updates(const AptArchive *archive, const char *release, const char *mirror,
                       AptSources *sources) {
        _cleanup_(freep) char *security = NULL, *suite = NULL;

        int r = strv_append_format(&sources->items[0].suites, "%s-updates", release);
        if (r < 0)
                return r;
        r = security_mirror(archive, mirror, &security);
        if (r < 0)
                return r;

        sources->security_unknown = !security;
        if (!security)
                return 0;
        r = text_format(&suite, strv_contains(archive->old_security, release) ? "%s/updates" : "%s-security",
                        release);
        if (r < 0)
                return r;
        return text_equal(security, mirror) ? strv_append(&sources->items[0].suites, suite)
                                            : add_source(sources, security, suite);
}

int apt_sources_choose(const AptArchive *archive, const char *release, const char *mirror, AptSources *ret) {
        _cleanup_(apt_sources_done) AptSources sources = {};
        _cleanup_(freep) char *normal = NULL;

        assert(archive && release && ret);

        int r = mirror_normalise(text_is_empty(mirror) ? archive->mirror : mirror, &normal);
        if (r < 0)
                return r;
        r = add_source(&sources, normal, release);
        if (r < 0)
                return r;
        if (!strv_contains(archive->rolling, release)) {
                r = add_updates(archive, release, normal, &sources);
                if (r < 0)
                        return r;
        }

        *ret = sources;
        sources = (AptSources){};
        return 0;
}

bool apt_sources_suite_is_optional(const char *suite, const char *release) {
        return !text_equal(suite, release);
}

void apt_sources_drop(AptSources *sources, const char *suite) {
        for (size_t i = 0; i < sources->n_items; i++) {
                char **suites = sources->items[i].suites;
                size_t kept = 0;

                for (size_t j = 0; suites && suites[j]; j++)
                        if (text_equal(suites[j], suite))
                                free(suites[j]);
                        else
                                suites[kept++] = suites[j];
                if (suites)
                        suites[kept] = NULL;
        }
}

int apt_sources_format(const AptArchive *archive, const AptSources *sources, const char *const *components,
                       char **ret) {
        const char *const standard[] = { archive->component, NULL };
        _cleanup_(freep) char *component_list = NULL, *text = NULL;

        int r = strv_join(strv_length(components) > 0 ? components : standard, " ", &component_list);
        if (r < 0)
                return r;

        for (size_t i = 0; i < sources->n_items; i++) {
                _cleanup_(freep) char *suites = NULL, *longer = NULL;

                if (strv_length(STRV(sources->items[i].suites)) == 0)
                        continue;
                r = strv_join(STRV(sources->items[i].suites), " ", &suites);
                if (r < 0)
                        return r;
                r = text_format(&longer,
                                "%s%sTypes: deb\nURIs: %s\nSuites: %s\nComponents: %s\nSigned-By: %s\n",
                                text ?: "", text ? "\n" : "", sources->items[i].mirror, suites,
                                component_list, archive->key_ring);
                if (r < 0)
                        return r;
                free(text);
                text = TAKE_PTR(longer);
        }

        *ret = TAKE_PTR(text);
        return 0;
}
