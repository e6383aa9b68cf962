/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "sandbox/restrict.h"
#include "sandbox/sandbox-privileges.h"
#include "unit/specifier.h"
#include "unit/unit-check.h"
#include "unit/unit-name.h"

/* Where the value, or the item of a list, was said. */
static int item_origin(const Unit *unit, const Setting *setting, size_t index, char **ret) {
        const SettingOrigins *const origins = setting_origins(unit->store, setting);

        for (size_t i = 0; i < origins->n_items; i++) {
                if (!setting->type->is_list || index < origins->items[i].n_items)
                        return setting_origin_format(&origins->items[i], ret);
                index -= origins->items[i].n_items;
        }
        return text_copy(unit->name, ret);
}

static int warn_unknown(Unit *unit, const Setting *setting, size_t index, const char *name) {
        const char *const near = name[0] == '@' ? NULL : text_nearest(name, restrict_call_group("@known"));
        _cleanup_(freep) char *origin = NULL;

        const int r = item_origin(unit, setting, index, &origin);
        return r < 0 ? r
                     : setting_warning(&unit->mistakes,
                                       "%s: %s=: no %s \"%s\" is known, it is passed over%s%s%s", origin,
                                       setting->name,
                                       name[0] == '@' ? "group of system calls" : "system call", name,
                                       near ? "; did you mean \"" : "", near ?: "", near ? "\"?" : "");
}

/* Behind the name there are calls that were not to be allowed. */
static int refuse_group(Unit *unit, const Setting *setting, size_t index, const char *name) {
        _cleanup_(freep) char *origin = NULL;

        const int r = item_origin(unit, setting, index, &origin);
        return r < 0 ? r
                     : setting_mistake(&unit->mistakes,
                                       "%s: %s=: no group of system calls \"%s\" is known, and what is in it "
                                       "would be allowed: name the calls",
                                       origin, setting->name, name);
}

/* Lines that cannot be split are refused below. */
static int check_line(Unit *unit, const Setting *setting, size_t index, const char *line) {
        const bool denies = line[0] == '~' && setting->offset == offsetof(UnitSettings, system_call_filter);
        _cleanup_(strv_freep) char **words = NULL;

        int r = strv_split_quoted(line + (line[0] == '~'), &words);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (char **word = words; r >= 0 && word && *word; word++) {
                (*word)[strcspn(*word, ":")] = '\0';
                if (restrict_call_group(*word) || restrict_call_exists(*word))
                        continue;
                r = denies && **word == '@' ? refuse_group(unit, setting, index, *word)
                                            : warn_unknown(unit, setting, index, *word);
        }
        return r;
}

static int check_calls(Unit *unit) {
        static const size_t lists[] = {
                offsetof(UnitSettings, system_call_filter),
                offsetof(UnitSettings, system_call_log),
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                const Setting *const setting = setting_find(&unit_settings, lists[i]);
                char *const *const lines = *(char ***)setting_member(unit->store, setting);

                for (size_t j = 0; r >= 0 && lines && lines[j]; j++)
                        r = check_line(unit, setting, j, lines[j]);
        }
        return r;
}

/* What is wrong with a word, for people; NULL: nothing. */

static const char *family_fault(const char *word) {
        return restrict_family(word) >= 0 || text_equal(word, "none")
                       ? NULL
                       : "not the name of an address family, as \"AF_INET\"";
}

static const char *namespace_fault(const char *word) {
        bool yes;

        return parse_bool(word, &yes) >= 0 || restrict_namespace_flag(word) != 0
                       ? NULL
                       : "neither yes or no, nor a kind of namespaces, as \"net\"";
}

static const char *capability_fault(const char *word) {
        return sandbox_capability_find(word) >= 0 ? NULL : "not the name of a capability, as \"CAP_CHOWN\"";
}

static const char *architecture_fault(const char *word) {
        return restrict_architecture_exists(word)
                       ? NULL
                       : "not the name of an architecture, as \"x86-64\" or \"native\"";
}

static const char *error_fault(const char *word) {
        int error;

        return restrict_error(word, &error) >= 0 ? NULL : "no errno, as \"EPERM\", and not \"kill\"";
}

static const char *call_fault(const char *word) {
        const char *const colon = strchr(word, ':');

        return colon && error_fault(colon + 1)
                       ? "what follows the colon is no errno, as \"EPERM\", and not \"kill\""
                       : NULL;
}

/* What programs that make users allow, and more; but what can be no name anywhere. */
static const char *user_fault(const char *word) {
        static const char fault[] = "neither a name nor a number of somebody";

        if (strlen(word) > NAME_MAX || word[0] == '-' || text_equal(word, ".") || text_equal(word, ".."))
                return fault;
        for (const char *c = word; *c; c++)
                if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("/:,", *c))
                        return fault;
        return word[0] ? NULL : fault;
}

static const char *slice_fault(const char *word) {
        return unit_name_kind(word) == UNIT_NAME_PLAIN && unit_name_type(word) == UNIT_SLICE
                       ? NULL
                       : "not the name of a slice, as \"web.slice\"";
}

typedef struct WordCheck {
        size_t offset;
        const char *separators; /* of a line; NULL: quotes count; "": it is one word */
        bool specifiers;        /* are replaced before */
        const char *(*fault)(const char *word);
} WordCheck;

/* clang-format off */
static const WordCheck word_checks[] = {
        { offsetof(UnitSettings, user),                      "",         true,  user_fault },
        { offsetof(UnitSettings, group),                     "",         true,  user_fault },
        { offsetof(UnitSettings, supplementary_groups),      "",         true,  user_fault },
        { offsetof(UnitSettings, slice),                     "",         true,  slice_fault },
        { offsetof(UnitSettings, capability_bounding_set),   " \t\n\r,", false, capability_fault },
        { offsetof(UnitSettings, ambient_capabilities),      " \t\n\r,", false, capability_fault },
        { offsetof(UnitSettings, restrict_address_families), NULL,       false, family_fault },
        { offsetof(UnitSettings, restrict_namespaces),       NULL,       false, namespace_fault },
        { offsetof(UnitSettings, system_call_filter),        NULL,       false, call_fault },
        { offsetof(UnitSettings, system_call_architectures), "",         false, architecture_fault },
        { offsetof(UnitSettings, system_call_error_number),  "",         false, error_fault },
};
/* clang-format on */

static int refuse_word(Unit *unit, const Setting *setting, size_t index, const char *word,
                       const char *fault) {
        _cleanup_(freep) char *origin = NULL;

        const int r = item_origin(unit, setting, index, &origin);
        return r < 0 ? r
                     : setting_mistake(&unit->mistakes, "%s: %s=%s: %s", origin, setting->name, word, fault);
}

/* Of a template it is not known yet what a specifier stands for. */
static int check_one_word(Unit *unit, const WordCheck *check, size_t index, const char *text) {
        const Setting *const setting = setting_find(&unit_settings, check->offset);
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *word = NULL;

        if (text[0] == '\0' || (check->specifiers && unit_name_kind(unit->name) == UNIT_NAME_TEMPLATE))
                return 0;
        const int r = check->specifiers ? specifier_expand(text, unit->name, &word, &reason)
                                        : text_copy(text, &word);
        if (r == -ENOMEM)
                return r;
        const char *const fault = r < 0 ? reason_text(&reason, r) : check->fault(word);
        return fault ? refuse_word(unit, setting, index, text, fault) : 0;
}

static int check_words(Unit *unit, const WordCheck *check, size_t index, const char *line) {
        _cleanup_(strv_freep) char **words = NULL;
        const char *const rest = line + (line[0] == '~');

        if (check->separators && check->separators[0] == '\0')
                return check_one_word(unit, check, index, line);
        int r = check->separators ? strv_split(rest, check->separators, &words)
                                  : strv_split_quoted(rest, &words);
        if (r == -EINVAL)
                return refuse_word(unit, setting_find(&unit_settings, check->offset), index, line,
                                   "a quote has no end");
        for (char **word = words; r >= 0 && word && *word; word++)
                r = check_one_word(unit, check, index, *word);
        return r;
}

static int refuse_words(Unit *unit) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(word_checks); i++) {
                const Setting *const setting = setting_find(&unit_settings, word_checks[i].offset);
                void *const member = setting_member(unit->store, setting);

                if (!setting->type->is_list && *(char **)member)
                        r = check_words(unit, &word_checks[i], 0, *(char **)member);
                char *const *const lines = setting->type->is_list ? *(char ***)member : NULL;
                for (size_t j = 0; r >= 0 && lines && lines[j]; j++)
                        r = check_words(unit, &word_checks[i], j, lines[j]);
        }
        return r;
}

int unit_settings_check(Unit *unit) {
        const int r = check_calls(unit);

        return r < 0 ? r : refuse_words(unit);
}
