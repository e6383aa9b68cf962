/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <unistd.h>

#include "base/environment.h"
#include "base/strv.h"
#include "base/text.h"

/* Where the list has the variable of that name, which ends at '=' or with the text; NULL when it has none. */
static char **find(char **list, const char *name) {
        const size_t length = strcspn(name, "=");

        for (; list && *list; list++)
                if (strncmp(*list, name, length) == 0 && (*list)[length] == '=')
                        return list;
        return NULL;
}

int environment_set(char ***list, const char *variable) {
        char **place = find(*list, variable);

        if (strchr(variable, '='))
                return place ? text_replace(place, variable) : strv_append(list, variable);
        if (place) {
                free(*place);
                for (; *place; place++)
                        place[0] = place[1];
        }
        return 0;
}

int environment_extend(char ***list, const char *const *variables) {
        int r = 0;

        for (; variables && *variables && r >= 0; variables++)
                r = environment_set(list, *variables);
        return r;
}

int environment_inherit(const char *const *changes, char ***ret) {
        _cleanup_(strv_freep) char **list = NULL;

        int r = environment_extend(&list, STRV(environ));
        if (r >= 0)
                r = environment_extend(&list, changes);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(list);
        return 0;
}
