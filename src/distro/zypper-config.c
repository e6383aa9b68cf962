/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <stdlib.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/zypper-config.h"

#define RELEASE_LENGTH_MAX 16

/* Files below these directories are the sandbox's: nothing of a package is written to them. Plug-ins of rpm would talk to
 * services of the host. */
const char *const zypper_macros = "%_dbpath /" ZYPPER_RPM_DATABASE "\n"
                                  "%_netsharedpath /dev:/proc:/sys\n"
                                  "%__transaction_audit %{nil}\n"
                                  "%__transaction_dbus_announce %{nil}\n"
                                  "%__transaction_selinux %{nil}\n"
                                  "%__transaction_syslog %{nil}\n"
                                  "%__transaction_systemd_inhibit %{nil}\n";

int zypper_library_configuration(bool with_docs, const char *architecture, char **ret) {
        return text_format(ret, "[main]\n%s%s%s%s", with_docs ? "" : "rpm.install.excludedocs = yes\n",
                           architecture ? "arch = " : "", architecture ?: "", architecture ? "\n" : "");
}

static bool is_date(const char *release) {
        return strspn(release, "0123456789") == strlen(release);
}

/* "15.6": a major and a minor number. */
static bool is_numbered(const char *release) {
        const size_t major = strspn(release, "0123456789");
        const size_t minor = release[major] == '.' ? strspn(release + major + 1, "0123456789") : 0;

        return major > 0 && minor > 0 && release[major + 1 + minor] == '\0';
}

bool zypper_release_is_valid(const ZypperArchive *archive, const char *release) {
        if (text_is_empty(release) || strlen(release) > RELEASE_LENGTH_MAX)
                return false;
        return text_equal(release, archive->rolling) || is_date(release) || is_numbered(release);
}

ZypperLayout zypper_layout(const ZypperConfig *config) {
        if (!is_numbered(config->release))
                return config->port ? ZYPPER_LAYOUT_ROLLING_PORTS : ZYPPER_LAYOUT_ROLLING;
        return strtoul(config->release, NULL, 10) >= config->archive->whole_since ? ZYPPER_LAYOUT_WHOLE
                                                                                  : ZYPPER_LAYOUT_UPDATES;
}

bool zypper_repository_is_chosen(const ZypperConfig *config, const ZypperRepository *repository) {
        if (repository->layout != zypper_layout(config))
                return false;
        return strv_length(config->repositories) > 0 ? strv_contains(config->repositories, repository->id)
                                                     : !repository->optional;
}

static bool is_known(const ZypperConfig *config, const char *id) {
        for (const ZypperRepository *repository = config->archive->repositories; repository->id; repository++)
                if (repository->layout == zypper_layout(config) && text_equal(repository->id, id))
                        return true;
        return false;
}

const char *zypper_unknown_repository(const ZypperConfig *config) {
        for (size_t i = 0; config->repositories && config->repositories[i]; i++)
                if (!is_known(config, config->repositories[i]))
                        return config->repositories[i];
        return NULL;
}

/* "https://download.opensuse.org/tumbleweed/repo/oss/" */
static int format_url(const ZypperConfig *config, const ZypperRepository *repository, char **ret) {
        const char *mirror = text_is_empty(config->mirror) ? config->archive->mirror : config->mirror;
        _cleanup_(freep) char *url = NULL;
        size_t length = strlen(mirror);

        while (length > 0 && mirror[length - 1] == '/')
                length--;
        int r = text_format(&url, "%.*s/%s", (int)length, mirror, repository->path);
        if (r >= 0)
                r = text_substitute(&url, "$releasever", config->release);
        if (r >= 0)
                r = text_substitute(&url, "$basearch", config->architecture);
        if (r >= 0)
                r = text_substitute(&url, "$port", config->port ?: "");
        if (r < 0)
                return r;

        *ret = TAKE_PTR(url);
        return 0;
}

/* With pkg_gpgcheck every package must be signed, not only the index that has its check sum. There is no gpgkey, which
 * would have zypper offer a key that the mirror has: those that count are in rpm's database. */
int zypper_repository_format(const ZypperConfig *config, const ZypperRepository *repository, char **ret) {
        _cleanup_(freep) char *url = NULL;

        const int r = format_url(config, repository, &url);
        return r < 0 ? r
                     : text_format(ret,
                                   "[%s]\n"
                                   "name=%s\n"
                                   "baseurl=%s\n"
                                   "type=rpm-md\n"
                                   "enabled=1\n"
                                   "autorefresh=0\n"
                                   "keeppackages=1\n"
                                   "gpgcheck=1\n"
                                   "repo_gpgcheck=1\n"
                                   "pkg_gpgcheck=1\n",
                                   repository->id, repository->id, url);
}

int zypper_image_repository_format(const ZypperConfig *config, const ZypperRepository *repository,
                                   char **ret) {
        _cleanup_(freep) char *url = NULL;

        const int r = format_url(config, repository, &url);
        return r < 0 ? r
                     : text_format(ret,
                                   "[repo-%s]\n"
                                   "name=repo-%s\n"
                                   "baseurl=%s\n"
                                   "type=rpm-md\n"
                                   "enabled=1\n"
                                   "autorefresh=1\n"
                                   "keeppackages=0\n",
                                   repository->id, repository->id, url);
}
