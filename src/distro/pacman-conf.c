/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-run.h"
#include "distro/pacman-conf.h"

#define REPOSITORY_LENGTH_MAX 64

/* All paths are named, so that none of the host's is used. What the tree's own directory of hooks has counts, and what
 * is in ours takes its place. Databases need not be signed, since Arch Linux does not sign them; one that is has to be
 * signed well. Every package is signed. */
static const char options[] = "[options]\n"
                              "RootDir = " DISTRO_TREE "/\n"
                              "DBPath = " DISTRO_TREE "/var/lib/pacman/\n"
                              "CacheDir = " PACMAN_CACHE "/\n"
                              "LogFile = /dev/null\n"
                              "GPGDir = " PACMAN_GNUPG "/\n"
                              "HookDir = " DISTRO_TREE "/etc/pacman.d/hooks/\n"
                              "HookDir = " PACMAN_HOOKS "/\n"
                              "SigLevel = Required DatabaseOptional\n"
                              "HoldPkg = pacman glibc\n"
                              "CheckSpace\n"
                              "NoProgressBar\n"
                              "ParallelDownloads = 5\n";

/* The C library reads locale.alias. Licences are elsewhere, and stay. */
static const char without_docs[] =
        "NoExtract = usr/share/doc/* usr/share/groff/* usr/share/gtk-doc/* usr/share/help/* usr/share/info/*\n"
        "NoExtract = usr/share/locale/* usr/share/man/* !usr/share/locale/locale.alias\n";

int pacman_conf_server(const PacmanArchive *archive, const char *mirror, char **ret) {
        if (text_is_empty(mirror))
                mirror = archive->mirror;
        if (strstr(mirror, "$repo"))
                return text_copy(mirror, ret);

        size_t length = strlen(mirror);
        while (length > 0 && mirror[length - 1] == '/')
                length--;
        return text_format(ret, "%.*s/%s", (int)length, mirror, archive->layout);
}

int pacman_conf_format(const PacmanConf *conf, char **ret) {
        const char *const *repositories =
                strv_length(conf->repositories) > 0 ? conf->repositories : conf->archive->repositories;
        _cleanup_(freep) char *server = NULL;
        _cleanup_(strv_freep) char **parts = NULL;

        assert(conf && conf->archive && conf->architecture && ret);

        int r = pacman_conf_server(conf->archive, conf->mirror, &server);
        if (r < 0)
                return r;
        r = strv_append_format(&parts, "%sArchitecture = %s\n%s", options, conf->architecture,
                               conf->with_docs ? "" : without_docs);
        for (size_t i = 0; r >= 0 && repositories[i]; i++)
                r = strv_append_format(&parts, "\n[%s]\nServer = %s\n", repositories[i], server);
        return r < 0 ? r : strv_join(STRV(parts), "", ret);
}

bool pacman_repository_is_valid(const char *name) {
        static const char *const reserved[] = { "options", "local", NULL };
        const size_t length = strlen(name);

        if (length == 0 || length > REPOSITORY_LENGTH_MAX || !isalnum((unsigned char)name[0]))
                return false;
        for (size_t i = 0; i < length; i++)
                if (!isalnum((unsigned char)name[i]) && !strchr("@._+-", name[i]))
                        return false;
        return !strv_contains(reserved, name);
}

int pacman_arguments(PacmanAction action, const char *const *packages, char ***ret) {
        static const char *const actions[] = { [PACMAN_DOWNLOAD] = "-Syuw", [PACMAN_INSTALL] = "-Su" };
        const char *const fixed[] = { "pacman", "--config", PACMAN_CONFIG,   "--noconfirm", "--color",
                                      "never",  "--needed", actions[action], "--",          NULL };
        _cleanup_(strv_freep) char **arguments = NULL;

        int r = strv_copy(fixed, &arguments);
        if (r >= 0)
                r = strv_extend(&arguments, packages);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(arguments);
        return 0;
}
