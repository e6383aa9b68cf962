/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "unit/unit-fragment.h"

/* The next "%y" or "%Y" that is none of "%%y"; NULL: there is none. */
static char *find_specifier(char *text) {
        for (char *percent = text; (percent = strchr(percent, '%')) && percent[1]; percent += 2)
                if (percent[1] == 'y' || percent[1] == 'Y')
                        return percent;
        return NULL;
}

/* The other specifiers are replaced later, and what stands here is none. */
static int escape(const char *path, char **ret) {
        char *const escaped = malloc(2 * strlen(path) + 1), *to = escaped;

        if (!escaped)
                return -ENOMEM;
        for (; *path; path++) {
                if (*path == '%')
                        *to++ = '%';
                *to++ = *path;
        }
        *to = '\0';
        *ret = escaped;
        return 0;
}

static int expand_text(char **text, const char *path, const char *directory) {
        char *found = *text ? find_specifier(*text) : NULL;

        while (found) {
                _cleanup_(freep) char *before = *text;
                const char *const value = found[1] == 'y' ? path : directory;
                const size_t length = (size_t)(found - before);

                *text = NULL;
                const int r = text_format(text, "%.*s%s%s", (int)length, before, value, found + 2);
                if (r < 0) {
                        *text = TAKE_PTR(before);
                        return r;
                }
                found = find_specifier(*text + length + strlen(value));
        }
        return 0;
}

static int expand_member(const Setting *setting, void *member, const char *path, const char *directory) {
        int r = 0;

        if (!setting->type->is_list)
                return setting->type == &setting_type_text || setting->type == &setting_type_path
                               ? expand_text(member, path, directory)
                               : 0;
        for (char **item = *(char ***)member; r >= 0 && item && *item; item++)
                r = expand_text(item, path, directory);
        return r;
}

int unit_fragment_expand(Unit *unit) {
        _cleanup_(freep) char *real = NULL, *parent = NULL, *path = NULL, *directory = NULL;

        if (!unit->fragment)
                return 0;
        real = realpath(unit->fragment, NULL);
        int r = path_parent(real ?: unit->fragment, &parent);
        if (r >= 0)
                r = escape(real ?: unit->fragment, &path);
        if (r >= 0)
                r = escape(parent, &directory);
        for (size_t i = 0; r >= 0 && i < unit_settings.n_rows; i++) {
                const Setting *const setting = &unit_settings.rows[i];

                r = expand_member(setting, setting_member(unit->store, setting), path, directory);
        }
        return r;
}
