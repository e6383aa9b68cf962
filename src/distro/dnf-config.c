/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-check.h"
#include "distro/dnf-config.h"

#define RELEASE_DIGITS_MAX 4

/* Everything is said that a host could have otherwise. Within six hours a cached index is believed without asking for a
 * newer one, as Fedora's own repository for updates has it. */
static const char main_section[] = "[main]\n"
                                   "gpgcheck=1\n"
                                   "localpkg_gpgcheck=1\n"
                                   "plugins=0\n"
                                   "best=1\n"
                                   "skip_if_unavailable=0\n"
                                   "install_weak_deps=0\n"
                                   "keepcache=1\n"
                                   "metadata_expire=6h\n"
                                   "deltarpm=0\n"
                                   "countme=0\n"
                                   "protected_packages=\n"
                                   "check_config_file_age=0\n"
                                   "diskspacecheck=1\n"
                                   "color=never\n";

/* Files below these are the sandbox's: nothing of a package is written to them. Plug-ins of rpm would talk to services of
 * the host, or label files by its policy. */
static const char macros[] = "%%_dbpath /%s\n"
                             "%%_netsharedpath /dev:/proc:/sys\n"
                             "%%__transaction_audit %%{nil}\n"
                             "%%__transaction_dbus_announce %%{nil}\n"
                             "%%__transaction_fapolicyd %%{nil}\n"
                             "%%__transaction_fsverity %%{nil}\n"
                             "%%__transaction_ima %%{nil}\n"
                             "%%__transaction_prioreset %%{nil}\n"
                             "%%__transaction_selinux %%{nil}\n"
                             "%%__transaction_syslog %%{nil}\n"
                             "%%__transaction_systemd_inhibit %%{nil}\n";

/* Replaces the variables. */
static int expand(const char *text, const DnfConfig *config, char **ret) {
        _cleanup_(freep) char *result = NULL;

        int r = text_copy(text, &result);
        if (r >= 0)
                r = text_substitute(&result, "$releasever", config->release);
        if (r >= 0)
                r = text_substitute(&result, "$basearch", config->architecture);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(result);
        return 0;
}

static bool is_number(const char *release) {
        const size_t length = strlen(release);

        if (length == 0 || length > RELEASE_DIGITS_MAX)
                return false;
        for (size_t i = 0; i < length; i++)
                if (!isdigit((unsigned char)release[i]))
                        return false;
        return true;
}

bool dnf_release_is_valid(const DnfArchive *archive, const char *release) {
        return release && (is_number(release) || (archive->rolling && text_equal(release, archive->rolling)));
}

static bool repository_is_there(const DnfRepository *repository, const char *release) {
        return repository->release ? text_equal(repository->release, release) : is_number(release);
}

bool dnf_repository_is_chosen(const DnfRepository *repository, const char *release,
                              const char *const *repositories) {
        if (!repository_is_there(repository, release))
                return false;
        return strv_length(repositories) > 0 ? strv_contains(repositories, repository->id)
                                             : !repository->optional;
}

const DnfRepository *dnf_repository_find(const DnfArchive *archive, const char *release, const char *id) {
        for (const DnfRepository *repository = archive->repositories; repository->id; repository++)
                if (text_equal(repository->id, id) && repository_is_there(repository, release))
                        return repository;
        return NULL;
}

/* "http://mirror/fedora/releases/44/Everything/x86_64/os/", in front of it a blank when it is not the first. */
static int append_url(const DnfConfig *config, const char *path, char **urls) {
        _cleanup_(freep) char *expanded = NULL, *longer = NULL;
        size_t length = strlen(config->mirror);

        while (length > 0 && config->mirror[length - 1] == '/')
                length--;
        int r = expand(path, config, &expanded);
        if (r >= 0)
                r = text_format(&longer, "%s%s%.*s/%s", *urls ?: "", *urls ? " " : "", (int)length,
                                config->mirror, expanded);
        if (r < 0)
                return r;
        free(*urls);
        *urls = TAKE_PTR(longer);
        return 0;
}

/* Only of a directory it can be told without asking somebody who could say no. */
static int index_is_signed(const DnfConfig *config, const DnfRepository *repository) {
        const char *directory = distro_mirror_directory(config->mirror);
        _cleanup_(freep) char *path = NULL, *file = NULL;

        if (!directory)
                return 0;
        int r = expand(repository->path, config, &path);
        if (r >= 0)
                r = text_format(&file, "%s/%srepodata/repomd.xml.asc", directory, path);
        return r < 0 ? r : access(file, F_OK) == 0;
}

static int format_source(const DnfConfig *config, const DnfRepository *repository, char **ret) {
        _cleanup_(freep) char *urls = NULL;

        if (text_is_empty(config->mirror))
                return expand(repository->mirrors, config, ret);
        int r = append_url(config, repository->path, &urls);
        if (r >= 0 && repository->more_path)
                r = append_url(config, repository->more_path, &urls);
        return r < 0 ? r : text_format(ret, "baseurl=%s", urls);
}

static int format_repository(const DnfConfig *config, const DnfRepository *repository, char **ret) {
        _cleanup_(freep) char *source = NULL, *keys = NULL;

        int r = format_source(config, repository, &source);
        if (r >= 0)
                r = strv_join(config->keys, " ", &keys);
        if (r >= 0)
                r = index_is_signed(config, repository);
        return r < 0 ? r
                     : text_format(
                               ret,
                               "\n[%s]\nname=%s\n%s\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=%d\ngpgkey=%s\n",
                               repository->id, repository->id, source, r, keys);
}

/* What the tree's documentation and its modules follow from. */
static int format_main(const DnfConfig *config, char **ret) {
        _cleanup_(freep) char *platform = NULL, *foreign = NULL;
        const char *modules = config->archive->module_platform;

        int r = expand(modules ?: "", config, &platform);
        if (r >= 0 && config->foreign) /* else both ask the machine, and rpm refuses what is not for it */
                r = text_format(&foreign, "arch=%s\nignorearch=1\n", config->architecture);
        return r < 0 ? r
                     : text_format(ret, "%s%s%s%s%s%s", main_section,
                                   config->with_docs ? "" : "tsflags=nodocs\n",
                                   modules ? "module_platform_id=" : "", platform, modules ? "\n" : "",
                                   foreign ?: "");
}

int dnf_config_format(const DnfConfig *config, char **ret) {
        _cleanup_(freep) char *text = NULL;

        assert(config && ret);

        int r = format_main(config, &text);
        for (const DnfRepository *repository = config->archive->repositories; r >= 0 && repository->id;
             repository++) {
                _cleanup_(freep) char *section = NULL, *longer = NULL;

                if (!dnf_repository_is_chosen(repository, config->release, config->repositories))
                        continue;
                r = format_repository(config, repository, &section);
                if (r >= 0)
                        r = text_format(&longer, "%s%s", text, section);
                if (r < 0)
                        break;
                free(text);
                text = TAKE_PTR(longer);
        }
        if (r < 0)
                return r;

        *ret = TAKE_PTR(text);
        return 0;
}

const char *dnf_rpmdb(const DnfArchive *archive, const char *release) {
        const bool newest = !is_number(release);

        if (archive->rpmdb_moved > 0 && (newest || strtoul(release, NULL, 10) >= archive->rpmdb_moved))
                return "usr/lib/sysimage/rpm";
        return "var/lib/rpm";
}

int dnf_macros_format(const DnfArchive *archive, const char *release, char **ret) {
        return text_format(ret, macros, dnf_rpmdb(archive, release));
}
