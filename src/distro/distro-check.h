/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every package manager looks at before it begins. What stands against a build is appended to problems; a
 * negative errno says that it could not be looked at. */

#include "distro/distro.h"

/* A program that is run on the host. */
typedef struct HostProgram {
        const char *program;
        const char *package; /* that has it on Debian, and wherever it has the same name */
        struct {
                const char *host; /* a word of ID= or ID_LIKE= of os-release; NULL ends the list */
                const char *package;
        } others[4];
} HostProgram;

/* The package of a host that has the program. The first word that the program knows counts; words may be NULL. */
const char *distro_host_package(const HostProgram *program, const char *const *words);

/* What is the same for all: programs, keys, Mirror= and Architecture=. */
int distro_check(const Config *config, const Distro *distro, const HostProgram *programs, size_t n_programs,
                 char ***problems);

/* Parts of it. */
int distro_check_programs(const Config *config, const HostProgram *programs, size_t n_programs,
                          char ***problems);
int distro_check_mirror(const Config *config, char ***problems);
int distro_check_architecture(const Config *config, const Distro *distro, char ***problems);

/* What the program of the host says of its version; NULL when it cannot be run. */
int distro_program_version(const Config *config, const char *const *argv, char **ret);

/* The directory of a mirror "file:///srv/debian" or "file:/srv/debian", NULL for any other. */
const char *distro_mirror_directory(const char *mirror);
