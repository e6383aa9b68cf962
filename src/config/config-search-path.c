/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"
#include "config/config-search-path.h"

/* $SUDO_HOME is no real variable: it is the home of the user who called sudo. */
static const char *variable_value(const char *name) {
        if (!text_equal(name, "SUDO_HOME"))
                return getenv(name);

        const char *user = getenv("SUDO_USER");
        const struct passwd *entry = user ? getpwnam(user) : NULL;
        return entry ? entry->pw_dir : NULL;
}

/* The name that follows a '$', with or without braces; 0 characters when there is none. */
static size_t variable_name(const char *text, const char **ret_name, size_t *ret_length) {
        bool braces = text[0] == '{';
        const char *name = text + braces;
        size_t length = 0;

        while (isalnum((unsigned char)name[length]) || name[length] == '_')
                length++;
        if (length == 0 || isdigit((unsigned char)name[0]) || (braces && name[length] != '}'))
                return 0;
        *ret_name = name;
        *ret_length = length;
        return length + (braces ? 2 : 0);
}

int search_path_expand(const char *text, char **ret) {
        _cleanup_(freep) char *expanded = NULL;
        _cleanup_(file_closep) FILE *file = NULL;
        size_t size;

        file = open_memstream(&expanded, &size);
        if (!file)
                return -ENOMEM;

        for (const char *p = text; *p; p++) {
                const char *start;
                size_t length;

                size_t skip = *p == '$' ? variable_name(p + 1, &start, &length) : 0;
                if (skip == 0) {
                        (void)fputc(*p, file);
                        continue;
                }

                _cleanup_(freep) char *name = strndup(start, length);
                if (!name)
                        return -ENOMEM;
                const char *value = variable_value(name);
                if (!value)
                        return 0;
                (void)fputs(value, file);
                p += skip;
        }

        if (fflush(file) != 0 || ferror(file))
                return -ENOMEM;
        file_closep(&file);
        file = NULL;
        *ret = TAKE_PTR(expanded);
        return 1;
}

/* Empty items go away; each origin keeps those of its items that stay. */
static void drop_empty_items(char **list, SettingOrigins *origins) {
        size_t n_kept = 0, index = 0;

        for (size_t i = 0; i < origins->n_items; i++) {
                size_t n_items = origins->items[i].n_items;

                for (size_t k = 0; k < n_items; k++, index++) {
                        if (list[index][0] != '\0')
                                list[n_kept++] = list[index];
                        else {
                                free(list[index]);
                                origins->items[i].n_items--;
                        }
                }
        }
        list[n_kept] = NULL;
}

int config_expand_search_path(LoadedConfig *loaded) {
        const Setting *setting = config_setting(CONFIG(extra_search_paths));
        char **list = loaded->config.extra_search_paths;

        if (!list)
                return 0;
        for (char **item = list; *item; item++) {
                char *expanded = NULL;

                int r = search_path_expand(*item, &expanded);
                if (r < 0)
                        return r;
                if (r == 0) {
                        (*item)[0] = '\0';
                        continue;
                }
                free(*item);
                *item = expanded;
        }

        drop_empty_items(list, &loaded->store->origins[setting - config_table.rows]);
        return 0;
}

int config_search_path(const Config *config, char **ret) {
        _cleanup_(freep) char *extra = NULL;
        const char *path = getenv("PATH");

        const int r = strv_join(STRV(config->extra_search_paths), ":", &extra);
        if (r < 0)
                return r;
        return text_format(ret, "%s%s%s", extra, extra[0] && path ? ":" : "", path ? path : "");
}
