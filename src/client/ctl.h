/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between the files of `mkosi-ctl`. */

#include "base/macro.h"

struct sd_bus;

/* Exit statuses that systemctl(1) has, as init scripts had them. */
#define CTL_NOT_RUNNING 3
#define CTL_NO_SUCH     4
#define CTL_NOT_LOADED  5 /* what is to be started or stopped is not there */

typedef struct CtlOptions {
        char *runtime;          /* where the manager is; NULL: the usual place */
        char *root;             /* below which unit files are; NULL: "/" */
        char **unit_paths;      /* directories for unit files that come before the usual ones */
        char **properties;      /* of show, in the order in which they were given */
        char **units;           /* of log: --unit */
        char **states, **types; /* of what is listed */
        char *signal;
        char *since, *until, *priority; /* of log */
        char *lines_text, *job_mode;
        unsigned lines; /* UINT_MAX: not said, UINT_MAX - 1: all */
        unsigned output, whom;
        bool now, runtime_only, value_only, all, quiet, force, no_block, follow, reverse, boot, failed, json,
                no_pager;
        bool help, version;
} CtlOptions;

typedef enum CtlVerbKind {
        CTL_OFFLINE, /* needs no manager */
        CTL_ONLINE,
        CTL_UNITS, /* the words are units, or patterns for the names of those that are known */
} CtlVerbKind;

typedef struct CtlVerb {
        unsigned n_min; /* words behind it */
        CtlVerbKind kind;
        const char *options; /* those that mean something to it, beside the ones that all verbs have */
        /* The exit status, or a negative errno when it was logged what is wrong. bus is NULL for what is done offline. */
        int (*run)(const CtlOptions *options, struct sd_bus *bus, char *const *words);
} CtlVerb;

/* "main", "control", "all" */
const char *ctl_options_whom(const CtlOptions *options);

/* As text with the number of rows below, "3 jobs listed.", or as JSON. nothing: what is said of no rows; NULL: their number. */
struct CtlTable;
void ctl_print_table(const CtlOptions *options, struct CtlTable *table, const char *what,
                     const char *nothing);

/* Something that is done with units by a job. */
typedef enum CtlJob { CTL_START, CTL_STOP, CTL_RESTART, CTL_TRY_RESTART, CTL_RELOAD } CtlJob;
/* Asks for it, and waits until all is done. What cannot be done with one unit is no reason not to do it with the others. */
int ctl_run_jobs(const CtlOptions *options, struct sd_bus *bus, CtlJob job, char *const *units);

int ctl_start(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_stop(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_restart(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_try_restart(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_reload(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_kill(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_reset_failed(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_daemon_reload(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_set_property(const CtlOptions *options, struct sd_bus *bus, char *const *words);

int ctl_status(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_show(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_is_active(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_is_failed(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_cancel(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_list_jobs(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_list_units(const CtlOptions *options, struct sd_bus *bus, char *const *words);

int ctl_cat(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_enable(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_disable(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_mask(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_unmask(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_list_unit_files(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_is_enabled(const CtlOptions *options, struct sd_bus *bus, char *const *words);

int ctl_completion(const CtlOptions *options, struct sd_bus *bus, char *const *words);
int ctl_log(const CtlOptions *options, struct sd_bus *bus, char *const *words);
