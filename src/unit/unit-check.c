/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "sandbox/restrict.h"
#include "unit/unit-check.h"

/* Where the item of a list was said. */
static int item_origin(const Unit *unit, const Setting *setting, size_t index, char **ret) {
        const SettingOrigins *const origins = setting_origins(unit->store, setting);

        for (size_t i = 0; i < origins->n_items; i++) {
                if (index < origins->items[i].n_items)
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

/* Lines that cannot be split are refused when the filter is made. */
static int check_line(Unit *unit, const Setting *setting, size_t index, const char *line) {
        _cleanup_(strv_freep) char **words = NULL;

        int r = strv_split_quoted(line + (line[0] == '~'), &words);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (char **word = words; r >= 0 && word && *word; word++) {
                (*word)[strcspn(*word, ":")] = '\0';
                if (!restrict_call_group(*word) && !restrict_call_exists(*word))
                        r = warn_unknown(unit, setting, index, *word);
        }
        return r;
}

int service_settings_check(Unit *unit) {
        static const size_t lists[] = {
                offsetof(ServiceSettings, system_call_filter),
                offsetof(ServiceSettings, system_call_log),
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                const Setting *const setting = setting_find(&service_settings, lists[i]);
                char *const *const lines = *(char ***)setting_member(unit->store, setting);

                for (size_t j = 0; r >= 0 && lines && lines[j]; j++)
                        r = check_line(unit, setting, j, lines[j]);
        }
        return r;
}
