/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-view.h"

/* Groups have groups among their members. */
#define GROUP_DEPTH_MAX 8

void exec_filter_done(ExecFilter *filter) {
        free(filter->families);
        free(filter->calls);
        strv_free(filter->logged);
        strv_free(filter->strings);
        *filter = (ExecFilter){};
}

/* "NAME=WORD: WHY" */
static int word_failed(const char *name, const char *word, const char *why, Reason *reason) {
        return reason_set(reason, -EINVAL, "%s=%s: %s", name, word, why);
}

/* The words of a line, and whether they are meant the other way round. */
static int line_split(const char *name, const char *line, bool *ret_inverted, char ***ret, Reason *reason) {
        *ret_inverted = line[0] == '~';
        const int r = strv_split_quoted(line + *ret_inverted, ret);
        return r == -EINVAL ? word_failed(name, line, "a quote has no end", reason) : r;
}

/* address families */

static int families_put(ExecFilter *filter, int family) {
        const size_t n = filter->filter.n_families;
        size_t i = 0;

        while (i < n && filter->families[i] < family)
                i++;
        if (i < n && filter->families[i] == family)
                return 0;
        int *const families = reallocarray(filter->families, n + 1, sizeof(*families));
        if (!families)
                return -ENOMEM;
        memmove(families + i + 1, families + i, (n - i) * sizeof(*families));
        families[i] = family;
        filter->families = families;
        filter->filter.n_families = n + 1;
        return 0;
}

static void families_take(ExecFilter *filter, int family) {
        size_t n = 0;

        for (size_t i = 0; i < filter->filter.n_families; i++)
                if (filter->families[i] != family)
                        filter->families[n++] = filter->families[i];
        filter->filter.n_families = n;
}

/* The first line says which kind of list this is; a line of the other kind takes something away from it. */
static int families_add_line(ExecFilter *filter, const char *line, Reason *reason) {
        static const char name[] = "RestrictAddressFamilies";
        _cleanup_(strv_freep) char **words = NULL;
        bool inverted;

        int r = line_split(name, line, &inverted, &words, reason);
        if (r < 0)
                return r;
        if (!filter->filter.families)
                filter->filter.families_allow = !inverted;
        filter->filter.families = true;
        for (char **word = words; word && *word; word++) {
                if (text_equal(*word, "none") && !inverted && strv_length(STRV(words)) == 1)
                        continue;
                const int family = restrict_family(*word);
                if (family < 0)
                        return word_failed(name, *word, "not the name of an address family, as \"AF_INET\"",
                                           reason);
                if (inverted == filter->filter.families_allow)
                        families_take(filter, family);
                else
                        r = families_put(filter, family);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* system calls */

static int calls_put(ExecFilter *filter, const char *name, bool allow, int error) {
        RestrictFilter *const what = &filter->filter;

        for (size_t i = 0; i < what->n_calls; i++)
                if (text_equal(filter->calls[i].name, name)) {
                        filter->calls[i] = (RestrictCall){ filter->calls[i].name, allow, error };
                        return 0;
                }
        RestrictCall *const calls = reallocarray(filter->calls, what->n_calls + 1, sizeof(*calls));
        if (!calls)
                return -ENOMEM;
        filter->calls = calls;
        calls[what->n_calls++] = (RestrictCall){ name, allow, error };
        return 0;
}

static int calls_put_group(ExecFilter *filter, const char *const *members, bool allow, int error,
                           unsigned depth) {
        for (const char *const *member = members; *member; member++) {
                const char *const *const group = restrict_call_group(*member);
                int r;

                if (group)
                        r = depth < GROUP_DEPTH_MAX ? calls_put_group(filter, group, allow, error, depth + 1)
                                                    : -ELOOP;
                else
                        r = calls_put(filter, *member, allow, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int calls_put_named(ExecFilter *filter, const char *name, bool allow, int error) {
        const char *const *const group = restrict_call_group(name);

        if (group)
                return calls_put_group(filter, group, allow, error, 0);
        /* A call that there is not can be refused to nobody, and is allowed to nobody. But behind the name of a group
         * that is not known there are calls. */
        if (!restrict_call_exists(name))
                return name[0] == '@' && !allow ? -EINVAL : 0;
        const int r = strv_append(&filter->strings, name);
        return r < 0 ? r
                     : calls_put(filter, filter->strings[strv_length(STRV(filter->strings)) - 1], allow,
                                 error);
}

/* NAME or NAME:ERROR; an error says what becomes of calls that are refused, and nothing about those that are not. */
static int calls_add_word(ExecFilter *filter, char *word, bool allow, Reason *reason) {
        static const char name[] = "SystemCallFilter";
        char *const colon = strchr(word, ':');
        int error = filter->filter.error;

        if (colon && restrict_error(colon + 1, &error) < 0)
                return word_failed(name, word,
                                   "what follows the colon is no errno, as \"EPERM\", and not \"kill\"",
                                   reason);
        if (colon)
                *colon = '\0';
        const int r = calls_put_named(filter, word, allow, error);
        return r == -EINVAL ? word_failed(name, word, "no group of system calls has this name", reason) : r;
}

static int calls_add_line(ExecFilter *filter, const char *line, Reason *reason) {
        _cleanup_(strv_freep) char **words = NULL;
        bool inverted;

        int r = line_split("SystemCallFilter", line, &inverted, &words, reason);
        if (r < 0)
                return r;
        /* The first line says what becomes of the rest; what no program can do without is always among the allowed
         * ones. */
        if (!filter->filter.calls && !inverted) {
                filter->filter.calls_allow = true;
                r = calls_put_named(filter, "@default", true, RESTRICT_KILL);
        }
        filter->filter.calls = true;
        for (char **word = words; r >= 0 && word && *word; word++)
                r = calls_add_word(filter, *word, !inverted, reason);
        return r;
}

/* What other settings refuse stays refused as it was, if it was. */
static int calls_refuse(ExecFilter *filter, const char *const *members, int error) {
        RestrictFilter *const what = &filter->filter;

        for (const char *const *member = members; *member; member++) {
                bool refused = what->calls && what->calls_allow;

                for (size_t i = 0; i < what->n_calls; i++)
                        if (text_equal(filter->calls[i].name, *member))
                                refused = !filter->calls[i].allow;
                const int r = refused ? 0 : calls_put(filter, *member, false, error);
                if (r < 0)
                        return r;
        }
        what->calls = true;
        return 0;
}

/* What settings refuse beside what they hide and take away. */
static int calls_add_implied(ExecFilter *filter, const UnitSettings *settings) {
        static const char *const tunables[] = { "_sysctl", NULL };
        static const char *const names[] = { "sethostname", "setdomainname", NULL };
        static const char *const logs[] = { "syslog", NULL };
        const struct {
                bool wanted;
                const char *const *calls;
        } implied[] = {
                { settings->private_devices == TRUTH_YES, restrict_call_group("@raw-io") },
                { settings->protect_kernel_tunables == TRUTH_YES, tunables },
                { settings->protect_kernel_modules == TRUTH_YES, restrict_call_group("@module") },
                { settings->protect_kernel_logs == TRUTH_YES, logs },
                { settings->protect_clock == TRUTH_YES, restrict_call_group("@clock") },
                { settings->protect_hostname == PROTECT_HOSTNAME_YES, names },
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(implied); i++)
                if (implied[i].wanted)
                        r = calls_refuse(filter, implied[i].calls, EPERM);
        return r;
}

static int read_error_number(const UnitSettings *settings, int *ret, Reason *reason) {
        const char *const text = settings->system_call_error_number;

        if (text_is_empty(text))
                return 0;
        return restrict_error(text, ret) < 0 ? word_failed("SystemCallErrorNumber", text,
                                                           "no errno, as \"EPERM\", and not \"kill\"", reason)
                                             : 0;
}

/* calls to note */

static int log_put(ExecFilter *filter, const char *name, bool add, unsigned depth) {
        const char *const *const group = restrict_call_group(name);
        int r = 0;

        if (!group && !restrict_call_exists(name))
                return 0;
        if (!group && add)
                return strv_contains(STRV(filter->logged), name) ? 0 : strv_append(&filter->logged, name);
        for (char **item = filter->logged; !group && item && *item; item++)
                if (text_equal(*item, name)) {
                        char **const removed = item;

                        free(*removed);
                        for (char **next = removed; *next; next++)
                                next[0] = next[1];
                        return 0;
                }
        if (group && depth > GROUP_DEPTH_MAX)
                return -ELOOP;
        for (const char *const *member = group; r >= 0 && member && *member; member++)
                r = log_put(filter, *member, add, depth + 1);
        return r;
}

/* As of calls: the first line says which kind of list this is. */
static int log_add_line(ExecFilter *filter, const char *line, Reason *reason) {
        _cleanup_(strv_freep) char **words = NULL;
        bool inverted;

        int r = line_split("SystemCallLog", line, &inverted, &words, reason);
        if (r < 0)
                return r;
        if (!filter->filter.log)
                filter->filter.log_others = inverted;
        filter->filter.log = true;
        for (char **word = words; r >= 0 && word && *word; word++)
                r = log_put(filter, *word, inverted == filter->filter.log_others, 0);
        return r;
}

/* namespaces */

static int namespaces_read(const char *line, uint64_t *ret, Reason *reason) {
        _cleanup_(strv_freep) char **words = NULL;
        bool inverted;

        int r = line_split("RestrictNamespaces", line, &inverted, &words, reason);
        if (r < 0)
                return r;
        *ret = 0;
        for (char **word = words; word && *word; word++) {
                const uint64_t flag = text_equal(*word, "all") ? 0 : restrict_namespace_flag(*word);

                if (flag == 0)
                        return word_failed("RestrictNamespaces", *word,
                                           "neither yes or no, nor a kind of namespaces, as \"net\"", reason);
                *ret |= flag;
        }
        return inverted;
}

/* The first line says what it starts from; those behind it add to what is allowed, or with "~" take away. */
static int namespaces_add_line(ExecFilter *filter, const char *line, Reason *reason) {
        RestrictFilter *const what = &filter->filter;
        const uint64_t all = restrict_namespace_flag("all");
        const bool first = !what->namespaces;
        uint64_t named = 0;
        bool yes;

        what->namespaces = true;
        if (parse_bool(line, &yes) >= 0) {
                what->namespaces_allowed = yes ? 0 : all;
                return 0;
        }
        const int r = namespaces_read(line, &named, reason);
        if (r < 0)
                return r;
        if (first)
                what->namespaces_allowed = r ? all & ~named : named;
        else
                what->namespaces_allowed =
                        r ? what->namespaces_allowed & ~named : what->namespaces_allowed | named;
        return 0;
}

/* architectures */

static int architectures_read(const UnitSettings *settings, ExecFilter *filter, Reason *reason) {
        for (char *const *name = settings->system_call_architectures; name && *name; name++)
                if (!restrict_architecture_exists(*name))
                        return word_failed("SystemCallArchitectures", *name,
                                           "not the name of an architecture, as \"x86-64\" or \"native\"",
                                           reason);
        filter->filter.architectures = strv_length(STRV(settings->system_call_architectures)) > 0;
        filter->filter.architecture_list = STRV(settings->system_call_architectures);
        return 0;
}

/* Lines of lists, in the order in which they are said. */
static int filter_add_lines(const UnitSettings *settings, ExecFilter *filter, Reason *reason) {
        const struct {
                char *const *lines;
                int (*add)(ExecFilter *filter, const char *line, Reason *reason);
        } lists[] = {
                { settings->system_call_filter, calls_add_line },
                { settings->system_call_log, log_add_line },
                { settings->restrict_namespaces, namespaces_add_line },
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(lists); i++)
                for (char *const *line = lists[i].lines; r >= 0 && line && *line; line++)
                        r = lists[i].add(filter, *line, reason);
        return r;
}

int exec_families_make(const UnitSettings *settings, ExecFilter *ret, Reason *reason) {
        _cleanup_(exec_filter_done) ExecFilter filter = {};
        int r = 0;

        for (char *const *line = settings->restrict_address_families; r >= 0 && line && *line; line++)
                r = families_add_line(&filter, *line, reason);
        if (r < 0)
                return r;
        filter.filter.family_list = filter.families;
        filter.any = filter.filter.families;
        *ret = filter;
        filter = (ExecFilter){};
        return 0;
}

int exec_filter_make(const UnitSettings *settings, ExecFilter *ret, Reason *reason) {
        _cleanup_(exec_filter_done) ExecFilter filter = { .filter.error = RESTRICT_KILL };
        RestrictFilter *const what = &filter.filter;

        int r = read_error_number(settings, &what->error, reason);
        if (r >= 0)
                r = filter_add_lines(settings, &filter, reason);
        if (r >= 0)
                r = calls_add_implied(&filter, settings);
        if (r >= 0)
                r = architectures_read(settings, &filter, reason);
        if (r < 0)
                return r;
        what->memory_deny_write_execute = settings->memory_deny_write_execute == TRUTH_YES;
        what->restrict_suid_sgid = settings->restrict_suid_sgid == TRUTH_YES || service_is_dynamic(settings);
        what->lock_personality = settings->lock_personality == TRUTH_YES;
        what->restrict_realtime = settings->restrict_realtime == TRUTH_YES;
        what->call_list = filter.calls;
        what->log_list = STRV(filter.logged);
        filter.any = what->calls || what->memory_deny_write_execute || what->restrict_suid_sgid ||
                     what->lock_personality || what->restrict_realtime || what->namespaces ||
                     what->architectures || what->log;
        *ret = filter;
        filter = (ExecFilter){};
        return 0;
}
