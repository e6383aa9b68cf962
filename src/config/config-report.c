/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"

const Setting *config_setting(size_t offset) {
        return setting_find(&config_table, offset);
}

SettingSource config_source(const LoadedConfig *loaded, size_t offset) {
        return setting_source(loaded->store, config_setting(offset));
}

bool config_is_given(const LoadedConfig *loaded, size_t offset) {
        SettingSource source = config_source(loaded, offset);

        return source == SETTING_FILE || source == SETTING_COMMAND_LINE || source == SETTING_DISCOVERED;
}

bool config_asks(const Config *config, const Setting *setting) {
        const void *member = (const char *)config + setting->offset;

        if (setting->type->is_list) {
                char *const *list = *(char **const *)member;

                return list && list[0];
        }
        if (setting->type == &setting_type_bool)
                return *(const bool *)member != setting->inverted;
        if (setting->type == &setting_type_enum || setting->type == &setting_type_choice) {
                const unsigned word = setting->type == &setting_type_enum
                                              ? *(const unsigned *)member
                                              : ((const SettingChoice *)member)->word;

                return word != 0 && !text_equal(setting->words[word], "no");
        }
        if (setting->type == &setting_type_count || setting->type == &setting_type_number)
                return *(const unsigned *)member != 0;
        if (setting->type == &setting_type_size)
                return *(const uint64_t *)member != 0;
        return *(char *const *)member != NULL;
}

int config_where(const LoadedConfig *loaded, size_t offset, size_t index, char **ret) {
        const SettingOrigins *origins = &loaded->store->origins[config_setting(offset) - config_table.rows];
        const SettingOrigin *origin = &(const SettingOrigin){ .source = SETTING_UNSET };

        for (size_t i = 0; i < origins->n_items; i++) {
                origin = &origins->items[i];
                if (index < origin->n_items)
                        break;
                index -= origin->n_items;
        }
        return setting_origin_format(origin, ret);
}

int config_say(const LoadedConfig *loaded, size_t offset, char **ret) {
        const Setting *setting = config_setting(offset);
        _cleanup_(freep) char *value = NULL;
        size_t size;

        if (!setting->name)
                return text_format(ret, "--%s", setting->option);
        if (setting->type->is_list || (setting->flags & SETTING_SECRET))
                return text_format(ret, "%s=", setting->name);

        _cleanup_(file_closep) FILE *file = open_memstream(&value, &size);
        if (!file)
                return -ENOMEM;
        (void)setting->type->print(setting, setting_member(loaded->store, setting), 0, file);
        if (fflush(file) != 0 || ferror(file))
                return -ENOMEM;
        if (setting->type->is_path) {
                _cleanup_(freep) char *path = NULL;

                int r = config_path_say(value, &path);
                if (r < 0)
                        return r;
                return text_format(ret, "%s=%s", setting->name, path);
        }
        return text_format(ret, "%s=%s", setting->name, value);
}

static int value_text(const Setting *setting, const void *member, size_t index, char **ret) {
        _cleanup_(freep) char *value = NULL;
        _cleanup_(file_closep) FILE *file = NULL;
        size_t size;

        *ret = NULL;
        file = open_memstream(&value, &size);
        if (!file)
                return -ENOMEM;
        const bool there = setting->type->print(setting, member, index, file);
        if (fflush(file) != 0 || ferror(file))
                return -ENOMEM;
        if (!there)
                return 0;
        if (setting->flags & SETTING_SECRET)
                return text_copy("set", ret);
        return setting->type->is_path ? config_path_say(value, ret) : text_copy(value, ret);
}

int config_list_values(const LoadedConfig *loaded, const Setting *setting, char ***ret) {
        const void *member = setting_member(loaded->store, setting);
        _cleanup_(strv_freep) char **values = NULL;

        for (size_t i = 0;; i++) {
                char *value;

                int r = value_text(setting, member, i, &value);
                if (r < 0)
                        return r;
                if (!value)
                        break;
                r = strv_take(&values, value);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(values);
        return 0;
}

int config_path_say(const char *path, char **ret) {
        _cleanup_(freep) char *here = getcwd(NULL, 0);

        if (!here)
                return -errno;
        const char *below = text_after_prefix(path, here);
        return text_copy(below && below[0] == '/' && below[1] != '\0' ? below + 1 : path, ret);
}

/* "where: text", once "mkosi.build: mkosi.build is …" would say the name twice only the text. */
static int located(const LoadedConfig *loaded, size_t offset, size_t index, const char *text, char **ret) {
        _cleanup_(freep) char *where = NULL;

        int r = config_where(loaded, offset, index, &where);
        if (r < 0)
                return r;
        const char *rest = text_after_prefix(text, where);
        if (rest && rest[0] == ' ')
                return text_copy(text, ret);
        return text_format(ret, "%s: %s", where, text);
}

int config_mistake(LoadedConfig *loaded, size_t offset, size_t index, const char *format, ...) {
        _cleanup_(freep) char *text = NULL, *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        int n = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (n < 0) {
                text = NULL;
                return -ENOMEM;
        }

        int r = located(loaded, offset, index, text, &message);
        if (r < 0)
                return r;
        return setting_mistake(&loaded->mistakes, "%s", message);
}

int config_warn(LoadedConfig *loaded, size_t offset, const char *format, ...) {
        _cleanup_(freep) char *text = NULL, *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        int n = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (n < 0) {
                text = NULL;
                return -ENOMEM;
        }

        int r = located(loaded, offset, 0, text, &message);
        if (r < 0)
                return r;
        return setting_warning(&loaded->mistakes, "%s", message);
}

int config_note(LoadedConfig *loaded, size_t offset, SettingSource source, const char *file) {
        return setting_note_origin(loaded->store, config_setting(offset), source, file);
}

int config_fill(LoadedConfig *loaded, size_t offset, const char *value, SettingSource source,
                const char *file) {
        char **member = setting_member(loaded->store, config_setting(offset));

        if (*member || !value)
                return 0;
        int r = text_copy(value, member);
        if (r < 0)
                return r;
        return config_note(loaded, offset, source, file);
}
