/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/time-span.h"
#include "unit/unit-settings.h"

/* truth */

static int truth_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        bool value;

        if (parse_bool(text, &value) < 0)
                return reason_set(reason, -EINVAL, "say \"yes\" or \"no\"");
        *(Truth *)member = value ? TRUTH_YES : TRUTH_NO;
        return 0;
}

static bool truth_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        const Truth value = *(const Truth *)member;

        if (index > 0 || value == TRUTH_OPEN)
                return false;
        (void)fputs(value == TRUTH_YES ? "yes" : "no", file);
        return true;
}

static void truth_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        const Truth value = *(const Truth *)member;

        if (value == TRUTH_OPEN)
                json_null(writer, "value");
        else
                json_bool(writer, "value", value == TRUTH_YES);
}

static void truth_clear(void *member) {
        *(Truth *)member = TRUTH_OPEN;
}

const SettingType setting_type_truth = {
        .metavar = "BOOL",
        .parse = truth_parse,
        .print = truth_print,
        .print_json = truth_print_json,
        .clear = truth_clear,
};

/* duration */

static int duration_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        uint64_t usec;

        const int r = time_span_parse(text, &usec);
        if (r < 0)
                return reason_set(reason, -EINVAL,
                                  r == -ERANGE ? "too long"
                                               : "not a length of time, as \"90\" or \"1min 30s\"");
        *(Duration *)member = (Duration){ .set = true, .usec = usec };
        return 0;
}

static bool duration_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        const Duration *const value = member;
        char text[TIME_SPAN_TEXT_MAX];

        if (index > 0 || !value->set)
                return false;
        time_span_format(value->usec, 1, text);
        (void)fputs(text, file);
        return true;
}

static void duration_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        const Duration *const value = member;

        if (value->set)
                json_number(writer, "value", value->usec);
        else
                json_null(writer, "value");
}

static void duration_clear(void *member) {
        *(Duration *)member = (Duration){};
}

const SettingType setting_type_duration = {
        .metavar = "TIME",
        .about = "A length of time, as \"1min 30s\"; a number alone counts seconds.",
        .parse = duration_parse,
        .print = duration_print,
        .print_json = duration_print_json,
        .clear = duration_clear,
};

static int timeout_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        Duration *const value = member;

        const int r = duration_parse(setting, text, member, reason);
        if (r >= 0 && value->usec == 0)
                value->usec = TIME_SPAN_INFINITY;
        return r;
}

const SettingType setting_type_timeout = {
        .metavar = "TIME",
        .about =
                "A length of time, as \"1min 30s\"; a number alone counts seconds; \"infinity\" and 0 have no end.",
        .parse = timeout_parse,
        .print = duration_print,
        .print_json = duration_print_json,
        .clear = duration_clear,
};

/* limit */

static int limit_part_parse(const char *text, uint64_t *ret) {
        if (text_equal(text, "infinity")) {
                *ret = UINT64_MAX;
                return 0;
        }
        return parse_size(text, ret);
}

/* Limits that are lengths of time, rounded up: a limit of 0 would be none that anybody can live with. */
static int limit_seconds_parse_part(const char *text, uint64_t *ret) {
        uint64_t usec;

        const int r = time_span_parse(text, &usec);
        if (r >= 0)
                *ret = usec == TIME_SPAN_INFINITY ? UINT64_MAX
                                                  : usec / SECOND_USEC + (usec % SECOND_USEC > 0);
        return r;
}

static int limit_usec_parse_part(const char *text, uint64_t *ret) {
        return parse_uint64(text, ret) >= 0 ? 0 : time_span_parse(text, ret);
}

static int limit_parse_parts(const char *text, int (*parse)(const char *text, uint64_t *ret),
                             const char *examples, void *member, Reason *reason) {
        const char *const colon = strchr(text, ':');
        _cleanup_(freep) char *soft = strndup(text, colon ? (size_t)(colon - text) : strlen(text));
        Limit limit = { .set = true };

        if (!soft)
                return -ENOMEM;
        if (parse(soft, &limit.soft) < 0 || parse(colon ? colon + 1 : soft, &limit.hard) < 0)
                return reason_set(reason, -EINVAL, "not a limit, as %s or \"infinity\"", examples);
        if (limit.soft > limit.hard)
                return reason_set(reason, -EINVAL, "the soft limit is above the hard one");
        *(Limit *)member = limit;
        return 0;
}

static int limit_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        return limit_parse_parts(text, limit_part_parse, "\"100\", \"1G\", \"100:200\"", member, reason);
}

static int limit_seconds_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        return limit_parse_parts(text, limit_seconds_parse_part, "\"90\", \"2min\", \"1min:2min\"", member,
                                 reason);
}

static int limit_usec_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        return limit_parse_parts(text, limit_usec_parse_part, "\"5000\", \"20ms\", \"1s:2s\"", member,
                                 reason);
}

static void limit_format(uint64_t value, FILE *file) {
        if (value == UINT64_MAX)
                (void)fputs("infinity", file);
        else
                (void)fprintf(file, "%" PRIu64, value);
}

static bool limit_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        const Limit *const limit = member;

        if (index > 0 || !limit->set)
                return false;
        limit_format(limit->soft, file);
        if (limit->soft != limit->hard) {
                (void)fputc(':', file);
                limit_format(limit->hard, file);
        }
        return true;
}

static void limit_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        const Limit *const limit = member;

        if (!limit->set) {
                json_null(writer, "value");
                return;
        }
        json_begin_object(writer, "value");
        json_number(writer, "soft", limit->soft);
        json_number(writer, "hard", limit->hard);
        json_end_object(writer);
}

static void limit_clear(void *member) {
        *(Limit *)member = (Limit){};
}

const SettingType setting_type_limit = {
        .metavar = "LIMIT",
        .about =
                "A number, for sizes with a suffix, or \"infinity\"; or a soft and a hard limit with a colon between.",
        .parse = limit_parse,
        .print = limit_print,
        .print_json = limit_print_json,
        .clear = limit_clear,
};

const SettingType setting_type_limit_seconds = {
        .metavar = "LIMIT",
        .about =
                "A length of time, in seconds if it is a number alone, or \"infinity\"; or a soft and a hard limit.",
        .parse = limit_seconds_parse,
        .print = limit_print,
        .print_json = limit_print_json,
        .clear = limit_clear,
};

const SettingType setting_type_limit_usec = {
        .metavar = "LIMIT",
        .about =
                "A length of time, in microseconds if it is a number alone, or \"infinity\"; or a soft and a hard limit.",
        .parse = limit_usec_parse,
        .print = limit_print,
        .print_json = limit_print_json,
        .clear = limit_clear,
};

/* tasks */

static bool is_tasks(const char *text) {
        const size_t length = strlen(text);
        _cleanup_(freep) char *number = NULL;
        uint64_t value;

        if (text_equal(text, "infinity"))
                return true;
        if (length < 2 || text[length - 1] != '%')
                return parse_uint64(text, &value) >= 0 && value > 0;
        number = strndup(text, length - 1);
        return number && parse_uint64(number, &value) >= 0 && value > 0 && value <= 100;
}

static int tasks_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        if (!is_tasks(text))
                return reason_set(reason, -EINVAL,
                                  "not a number of tasks, as \"100\", \"15%%\" or \"infinity\"");
        return text_replace(member, text);
}

static bool tasks_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        return setting_type_text.print(setting, member, index, file);
}

static void tasks_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        setting_type_text.print_json(setting, member, writer);
}

static void tasks_clear(void *member) {
        setting_type_text.clear(member);
}

const SettingType setting_type_tasks = {
        .metavar = "N",
        .about = "A number, a part of what the kernel can have, as \"15%\", or \"infinity\".",
        .parse = tasks_parse,
        .print = tasks_print,
        .print_json = tasks_print_json,
        .clear = tasks_clear,
};

/* level */

static int level_in_range(const char *text, int first, int last, void *member, Reason *reason) {
        const bool negative = text[0] == '-';
        uint64_t value;

        if (parse_uint64(text + (negative || text[0] == '+'), &value) < 0 || value > INT_MAX)
                return reason_set(reason, -EINVAL, "not a number");

        const int number = negative ? -(int)value : (int)value;
        if (number < first || number > last)
                return reason_set(reason, -EINVAL, "not a number from %d to %d", first, last);
        *(Level *)member = (Level){ .set = true, .value = number };
        return 0;
}

static int level_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        return level_in_range(text, INT_MIN, INT_MAX, member, reason);
}

static int nice_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        return level_in_range(text, -20, 19, member, reason);
}

static int oom_score_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        return level_in_range(text, -1000, 1000, member, reason);
}

static bool level_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        const Level *const level = member;

        if (index > 0 || !level->set)
                return false;
        (void)fprintf(file, "%d", level->value);
        return true;
}

static void level_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        const Level *const level = member;

        if (level->set)
                json_real(writer, "value", level->value);
        else
                json_null(writer, "value");
}

static void level_clear(void *member) {
        *(Level *)member = (Level){};
}

const SettingType setting_type_level = {
        .metavar = "NUMBER",
        .parse = level_parse,
        .print = level_print,
        .print_json = level_print_json,
        .clear = level_clear,
};

const SettingType setting_type_nice = {
        .metavar = "NUMBER",
        .parse = nice_parse,
        .print = level_print,
        .print_json = level_print_json,
        .clear = level_clear,
};

const SettingType setting_type_oom_score = {
        .metavar = "NUMBER",
        .parse = oom_score_parse,
        .print = level_print,
        .print_json = level_print_json,
        .clear = level_clear,
};

/* mode */

static int mode_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        const size_t length = strlen(text);

        if (length == 0 || length > 6 || strspn(text, "01234567") != length || strtoul(text, NULL, 8) > 07777)
                return reason_set(reason, -EINVAL, "not a mode, as \"0755\"");
        *(Mode *)member = (Mode){ .set = true, .bits = (mode_t)strtoul(text, NULL, 8) };
        return 0;
}

static bool mode_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        const Mode *const mode = member;

        if (index > 0 || !mode->set)
                return false;
        (void)fprintf(file, "%04o", (unsigned)mode->bits);
        return true;
}

static void mode_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        const Mode *const mode = member;

        if (mode->set)
                json_number(writer, "value", mode->bits);
        else
                json_null(writer, "value");
}

static void mode_clear(void *member) {
        *(Mode *)member = (Mode){};
}

const SettingType setting_type_mode = {
        .metavar = "MODE",
        .about = "Permission bits as an octal number.",
        .parse = mode_parse,
        .print = mode_print,
        .print_json = mode_print_json,
        .clear = mode_clear,
};

/* signal */

/* "RTMIN", "RTMIN+3", "RTMAX-1"; 0 when it is none of these. */
static int realtime_signal_find(const char *name) {
        const char *const above = text_after_prefix(name, "RTMIN"), *const below =
                                                                            text_after_prefix(name, "RTMAX");
        const char *const rest = above ? above : below;
        uint64_t distance = 0;

        if (!rest ||
            (rest[0] != '\0' && (rest[0] != (above ? '+' : '-') || parse_uint64(rest + 1, &distance) < 0)))
                return 0;
        if (distance > (uint64_t)(SIGRTMAX - SIGRTMIN))
                return 0;
        return above ? SIGRTMIN + (int)distance : SIGRTMAX - (int)distance;
}

static int signal_find(const char *text) {
        const char *const name = text_after_prefix(text, "SIG") ?: text;
        uint64_t number;

        if (parse_uint64(text, &number) >= 0)
                return number > 0 && number < (uint64_t)_NSIG ? (int)number : 0;
        for (int i = 1; i < _NSIG; i++) {
                const char *const known = sigabbrev_np(i);

                if (known && text_equal(known, name))
                        return i;
        }
        return realtime_signal_find(name);
}

static int signal_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        const int number = signal_find(text);

        if (number == 0)
                return reason_set(reason, -EINVAL, "not a signal, as \"SIGTERM\"");
        *(int *)member = number;
        return 0;
}

static bool signal_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        const int number = *(const int *)member;
        const char *const name = number > 0 ? sigabbrev_np(number) : NULL;

        if (index > 0 || number == 0)
                return false;
        if (name)
                (void)fprintf(file, "SIG%s", name);
        else
                (void)fprintf(file, "%d", number);
        return true;
}

static void signal_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        const int number = *(const int *)member;

        if (number > 0)
                json_number(writer, "value", (uint64_t)number);
        else
                json_null(writer, "value");
}

static void signal_clear(void *member) {
        *(int *)member = 0;
}

const SettingType setting_type_signal = {
        .metavar = "SIGNAL",
        .parse = signal_parse,
        .print = signal_print,
        .print_json = signal_print_json,
        .clear = signal_clear,
};

/* asked */

static int asked_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        bool asked = true;

        *(bool *)member = (parse_bool(text, &asked) < 0 || asked) && !strv_contains(setting->words, text);
        return 0;
}

static bool asked_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        if (index > 0 || !*(const bool *)member)
                return false;
        (void)fputs("yes", file);
        return true;
}

static void asked_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        json_bool(writer, "value", *(const bool *)member);
}

static void asked_clear(void *member) {
        *(bool *)member = false;
}

const SettingType setting_type_asked = {
        .metavar = "TEXT",
        .parse = asked_parse,
        .print = asked_print,
        .print_json = asked_print_json,
        .clear = asked_clear,
};

/* lines */

static int lines_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        if (strv_length(STRV(*(char ***)member)) >= SETTING_LIST_ITEMS_MAX)
                return reason_set(reason, -EINVAL, "more than %d lines", SETTING_LIST_ITEMS_MAX);
        return text_is_empty(text) && !(setting->flags & SETTING_EMPTY_COUNTS) ? 0
                                                                               : strv_append(member, text);
}

static bool lines_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        char *const *const list = *(char **const *)member;

        if (index >= strv_length(STRV(list)))
                return false;
        (void)fputs(list[index], file);
        return true;
}

static void lines_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        json_begin_array(writer, "value");
        for (char *const *item = *(char **const *)member; item && *item; item++)
                json_text(writer, NULL, *item);
        json_end_array(writer);
}

static void lines_clear(void *member) {
        char ***const list = member;

        strv_free(*list);
        *list = NULL;
}

const SettingType setting_type_lines = {
        .metavar = "TEXT",
        .is_list = true,
        .parse = lines_parse,
        .print = lines_print,
        .print_json = lines_print_json,
        .clear = lines_clear,
};

/* condition, assertion */

/* What looks at paths is told by its name; what a specifier begins with is not known yet. */
static bool wants_path(const char *name) {
        return strstr(name, "Path") || strstr(name, "Directory") || strstr(name, "File") ||
               text_ends_with(name, "NeedsUpdate");
}

static int condition_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        const char *argument = text;

        argument += argument[0] == '|';
        argument += strspn(argument, " \t");
        argument += argument[0] == '!';
        argument += strspn(argument, " \t");
        if (argument[0] == '\0')
                return reason_set(reason, -EINVAL, "nothing is said that is to be so");
        if (wants_path(setting->name) && argument[0] != '/' && argument[0] != '%')
                return reason_set(reason, -EINVAL, "not an absolute path");
        return lines_parse(setting, text, member, reason);
}

const SettingType setting_type_condition = {
        .metavar = "TEXT",
        .about = "With \"!\" in front, the opposite; with \"|\", one of all that have it is enough.",
        .is_list = true,
        .parse = condition_parse,
        .print = lines_print,
        .print_json = lines_print_json,
        .clear = lines_clear,
};

const SettingType setting_type_assertion = {
        .metavar = "TEXT",
        .about = "With \"!\" in front, the opposite; with \"|\", one of all that have it is enough.",
        .is_list = true,
        .parse = condition_parse,
        .print = lines_print,
        .print_json = lines_print_json,
        .clear = lines_clear,
};
