/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Installs a Debian tree, as the image layer would, without making an image of it:
 *
 *     install-tree [OPTION…] RELEASE DIRECTORY [PACKAGE…]
 *
 * DIRECTORY is made, its log and generated files are in DIRECTORY.workspace. */

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro.h"

typedef struct Options {
        const char *cache;
        bool only_bootstrap, only_install, keep;
} Options;

static const struct option long_options[] = {
        { "mirror", required_argument, NULL, 'm' },
        { "cache", required_argument, NULL, 'c' },
        { "repositories", required_argument, NULL, 'r' },
        { "bootable", no_argument, NULL, 'b' },
        { "with-docs", no_argument, NULL, 'd' },
        { "only-bootstrap", no_argument, NULL, 'B' }, /* neither packages nor cleaning */
        { "only-install", no_argument, NULL, 'I' },   /* into a tree that is there already */
        { "keep", no_argument, NULL, 'k' },           /* lists, archives and logs */
        { "debug", no_argument, NULL, 'D' },
        {},
};

static int parse_options(int argc, char *argv[], Config *config, Options *options) {
        for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) >= 0;)
                switch (c) {
                case 'm':
                        config->mirror = optarg;
                        break;
                case 'c':
                        options->cache = optarg;
                        break;
                case 'r':
                        if (strv_split(optarg, ",", &config->repositories) < 0)
                                return -ENOMEM;
                        break;
                case 'b':
                        config->bootable = true;
                        break;
                case 'd':
                        config->with_docs = true;
                        break;
                case 'B':
                        options->only_bootstrap = true;
                        break;
                case 'I':
                        options->only_install = true;
                        break;
                case 'k':
                        options->keep = true;
                        break;
                case 'D':
                        log_set_level(LOG_LEVEL_DEBUG);
                        break;
                default:
                        return -EINVAL;
                }
        return argc - optind < 2 ? -EINVAL : 0;
}

static int check(const Installation *installation) {
        _cleanup_(strv_freep) char **problems = NULL;

        const int r =
                installation->distro->manager->check(installation->config, installation->distro, &problems);
        for (size_t i = 0; problems && problems[i]; i++)
                (void)log_error(-EINVAL, "%s", problems[i]);
        return r < 0 ? r : problems ? -EINVAL : 0;
}

static double seconds(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int install(const Installation *installation, const Options *options) {
        _cleanup_(strv_freep) char **packages = NULL;
        const PackageManager *manager = installation->distro->manager;
        const double begin = seconds();

        int r = distro_packages(installation->distro, installation->config, &packages);
        if (r < 0)
                return r;
        if (!options->only_install) {
                r = manager->bootstrap(installation);
                if (r < 0)
                        return r;
                log_info("bootstrap: %.1fs", seconds() - begin);
        }
        if (options->only_bootstrap)
                return 0;
        r = manager->install(installation, STRV(packages));
        if (r < 0)
                return r;
        log_info("bootstrap and install: %.1fs", seconds() - begin);
        return options->keep ? 0 : manager->clean(installation);
}

int main(int argc, char *argv[]) {
        Config config = { .distribution = DISTRIBUTION_DEBIAN };
        Options options = {};
        _cleanup_(freep) char *root = NULL, *workspace = NULL;

        if (parse_options(argc, argv, &config, &options) < 0) {
                (void)fprintf(stderr, "Usage: install-tree [OPTION…] RELEASE DIRECTORY [PACKAGE…]\n");
                return 2;
        }
        config.release = argv[optind];
        config.packages = argv + optind + 2;
        if (path_absolute(argv[optind + 1], &root) < 0 || text_format(&workspace, "%s.workspace", root) < 0)
                return 1;

        (void)umask(0022);
        (void)interrupt_catch();
        if ((mkdir(root, 0755) < 0 && errno != EEXIST) || (mkdir(workspace, 0700) < 0 && errno != EEXIST)) {
                (void)log_error(-errno, "Failed to make %s: %m", root);
                return 1;
        }

        const Installation installation = {
                .config = &config,
                .distro = distro_find(config.distribution),
                .root = root,
                .workspace = workspace,
                .cache = options.cache,
        };
        return check(&installation) < 0 || install(&installation, &options) < 0;
}
