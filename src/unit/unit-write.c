/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "base/strv.h"
#include "base/text.h"
#include "unit/unit-load.h"
#include "unit/unit-name.h"

static int write_item(const Setting *setting, const void *member, size_t index, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *const file = open_memstream(&text, &size);

        if (!file)
                return -ENOMEM;
        (void)fprintf(file, "%s=", setting->name);
        const bool found = setting->type->print(setting, member, index, file);
        if (fclose(file) != 0)
                return -ENOMEM;
        if (found)
                *ret = TAKE_PTR(text);
        return found;
}

static int write_setting(const Unit *unit, const Setting *setting, char ***list) {
        const void *const member = setting_member(unit->store, setting);

        for (size_t i = 0;; i++) {
                char *item;

                int r = write_item(setting, member, i, &item);
                if (r <= 0)
                        return r;
                r = strv_take(list, item);
                if (r < 0 || !setting->type->is_list)
                        return r;
        }
}

int unit_settings_write(const Unit *unit, char ***ret) {
        const UnitType type = unit_name_type(unit->name);
        _cleanup_(strv_freep) char **list = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < unit_settings.n_rows; i++) {
                const Setting *const setting = &unit_settings.rows[i];

                if (unit_type_has_section(type, setting->section) &&
                    setting_source(unit->store, setting) != SETTING_UNSET)
                        r = write_setting(unit, setting, &list);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(list);
        return 0;
}
