/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>

#include "base/strv.h"
#include "base/text.h"
#include "setting/setting.h"

#define MESSAGE_SIZE_MAX 2000

int setting_store_new(const SettingTable *table, void *object, SettingStore **ret) {
        _cleanup_(freep) SettingStore *store = NULL;

        assert(table && object && ret);

        store = calloc(1, sizeof(SettingStore));
        if (!store)
                return -ENOMEM;

        *store = (SettingStore){
                .table = table,
                .object = object,
                .origins = calloc(MAX(table->n_rows, (size_t)1), sizeof(SettingOrigins)),
        };
        if (!store->origins)
                return -ENOMEM;

        *ret = TAKE_PTR(store);
        return 0;
}

/* Keeps the array for what comes next. */
static void origins_clear(SettingOrigins *origins) {
        for (size_t i = 0; i < origins->n_items; i++)
                free(origins->items[i].file);
        origins->n_items = 0;
}

void setting_store_free(SettingStore *store) {
        if (!store)
                return;

        for (size_t i = 0; i < store->table->n_rows; i++) {
                const Setting *setting = &store->table->rows[i];

                setting->type->clear(setting_member(store, setting));
                origins_clear(&store->origins[i]);
                free(store->origins[i].items);
        }
        free(store->origins);
        free(store);
}

const Setting *setting_find(const SettingTable *table, size_t offset) {
        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++)
                if (row->offset == offset)
                        return row;

        assert(!"the table has no row for this member");
        abort();
}

const SettingOrigins *setting_origins(const SettingStore *store, const Setting *setting) {
        assert(setting >= store->table->rows && setting < store->table->rows + store->table->n_rows);

        return &store->origins[setting - store->table->rows];
}

SettingSource setting_source(const SettingStore *store, const Setting *setting) {
        const SettingOrigins *origins = setting_origins(store, setting);

        /* Of a list, the first items are those with the strongest source. */
        return origins->n_items > 0 ? origins->items[0].source : SETTING_UNSET;
}

static int format_origin(const SettingOrigin *origin, char **ret) {
        const char *file = origin->file ? origin->file : "?";

        switch (origin->source) {
        case SETTING_UNSET:
                return text_copy("not set", ret);
        case SETTING_DEFAULT:
                return text_copy("default", ret);
        case SETTING_DERIVED:
                return text_format(ret, "derived from %s", file);
        case SETTING_COMMAND_LINE:
                return text_format(ret, "command line, %s", file);
        case SETTING_FILE:
                if (origin->line > 0)
                        return text_format(ret, "%s:%u", file, origin->line);
                break;
        case SETTING_DISCOVERED:
                break;
        }
        return text_copy(file, ret);
}

int setting_origin_format(const SettingOrigin *origin, char **ret) {
        int r = format_origin(origin, ret);
        if (r >= 0)
                text_tame(*ret);
        return r;
}

/* Makes room for one more origin, and a copy of its file's name: after that, noting it cannot fail. */
static int origins_prepare(SettingOrigins *origins, const char *file, char **ret_file) {
        SettingOrigin *grown = reallocarray(origins->items, origins->n_items + 1, sizeof(SettingOrigin));

        if (!grown)
                return -ENOMEM;
        origins->items = grown;
        return text_copy(file, ret_file);
}

static size_t list_length(const SettingStore *store, const Setting *setting) {
        if (!setting->type->is_list)
                return 0;
        return strv_length(STRV(*(char ***)setting_member(store, setting)));
}

int setting_note_addition(SettingStore *store, const Setting *setting, SettingSource source,
                          const char *file) {
        SettingOrigins *origins = &store->origins[setting - store->table->rows];
        size_t n_known = 0;
        char *copy;

        assert(setting->type->is_list);

        const int r = origins_prepare(origins, file, &copy);
        if (r < 0)
                return r;

        for (size_t i = 0; i < origins->n_items; i++)
                n_known += origins->items[i].n_items;

        const size_t n_items = list_length(store, setting);
        origins->items[origins->n_items++] = (SettingOrigin){
                .source = source,
                .file = copy,
                .n_items = n_items > n_known ? n_items - n_known : 0,
        };
        return 0;
}

int setting_note_origin(SettingStore *store, const Setting *setting, SettingSource source, const char *file) {
        SettingOrigins *origins = &store->origins[setting - store->table->rows];
        char *copy;

        const int r = origins_prepare(origins, file, &copy);
        if (r < 0)
                return r;

        origins_clear(origins);
        origins->items[origins->n_items++] = (SettingOrigin){
                .source = source,
                .file = copy,
                .n_items = list_length(store, setting),
        };
        return 0;
}

/* What any type's member may be; types of their own may have others, but no larger ones. */
typedef union SettingScratch {
        bool truth;
        unsigned number;
        char *text;
        char **list;
        uint64_t words[SETTING_MEMBER_WORDS_MAX];
} SettingScratch;

static int parse_value(const Setting *setting, const SettingValue *value, void *member, Reason *reason) {
        const SettingType *type = setting->type;
        const char *text = value->text;

        if (!text && (setting->flags & SETTING_OPTIONAL_VALUE))
                text = "yes";
        if (value->source == SETTING_COMMAND_LINE && type->parse_argument)
                return type->parse_argument(setting, text, member, reason);
        return type->parse(setting, text, member, reason);
}

static int check_value(const Setting *setting, const SettingValue *value, Reason *reason) {
        SettingScratch scratch = {};

        const int r = parse_value(setting, value, &scratch, reason);
        setting->type->clear(&scratch);
        return r;
}

/* Takes out of a list what files have put in. */
static void drop_file_items(SettingOrigins *origins, char **list) {
        size_t from = 0, to = 0, n_origins = 0;

        for (size_t i = 0; i < origins->n_items; i++) {
                SettingOrigin *origin = &origins->items[i];
                const bool drop = origin->source == SETTING_FILE;

                for (size_t j = 0; j < origin->n_items; j++, from++)
                        if (drop)
                                free(list[from]);
                        else
                                list[to++] = list[from];

                if (drop)
                        free(origin->file);
                else
                        origins->items[n_origins++] = *origin;
        }

        origins->n_items = n_origins;
        if (list)
                list[to] = NULL;
}

static void reset_row(SettingStore *store, const Setting *setting) {
        SettingOrigins *origins = &store->origins[setting - store->table->rows];

        if (setting->type->is_list) {
                drop_file_items(origins, *(char ***)setting_member(store, setting));
                return;
        }
        if (setting_source(store, setting) > SETTING_FILE)
                return;
        setting->type->clear(setting_member(store, setting));
        origins_clear(origins);
}

void setting_reset(SettingStore *store, const Setting *setting) {
        if (!(setting->flags & SETTING_EMPTY_TAKES_BACK_ALL)) {
                reset_row(store, setting);
                return;
        }
        for (size_t i = 0; i < store->table->n_rows; i++)
                if (store->table->rows[i].type == setting->type)
                        reset_row(store, &store->table->rows[i]);
}

int setting_assign(SettingStore *store, const Setting *setting, const SettingValue *value, Reason *reason) {
        SettingOrigins *origins = &store->origins[setting - store->table->rows];
        void *member = setting_member(store, setting);
        const SettingSource known = setting_source(store, setting);
        const bool is_list = setting->type->is_list;
        _cleanup_(freep) char *file = NULL;

        assert(value->source == SETTING_FILE || value->source == SETTING_COMMAND_LINE);

        if (known > value->source && (!is_list || (setting->flags & SETTING_ARGUMENT_REPLACES)))
                return check_value(setting, value, reason);

        int r = origins_prepare(origins, value->file, &file);
        if (r < 0)
                return r;

        if (known < SETTING_FILE || (!is_list && known < value->source)) {
                setting->type->clear(member);
                origins_clear(origins);
        } else if (is_list && value->replaces)
                drop_file_items(origins, *(char ***)member);

        const size_t n_before = list_length(store, setting);
        r = parse_value(setting, value, member, reason);
        if (r < 0)
                return r;

        const size_t n_items = list_length(store, setting) - n_before;
        if (!is_list)
                origins_clear(origins);
        else if (n_items == 0 && origins->n_items > 0)
                return 0; /* nothing was added */

        origins->items[origins->n_items++] = (SettingOrigin){
                .source = value->source,
                .file = TAKE_PTR(file),
                .line = value->line,
                .n_items = n_items,
        };
        return 0;
}

void setting_mistakes_done(SettingMistakes *mistakes) {
        if (!mistakes)
                return;
        strv_free(mistakes->texts);
        strv_free(mistakes->warnings);
        *mistakes = (SettingMistakes){};
}

/* What a file says must neither flood the terminal nor reach its controls by way of a message. */
static void tame(char *text) {
        if (strnlen(text, MESSAGE_SIZE_MAX + 1) > MESSAGE_SIZE_MAX)
                text[MESSAGE_SIZE_MAX] = '\0';
        text_tame(text);
}

_printf_(2, 0) static int collect(char ***texts, const char *format, va_list arguments) {
        const size_t n = strv_length(STRV(*texts));
        char *text;

        if (n > SETTING_MISTAKES_MAX)
                return 0;
        if (n == SETTING_MISTAKES_MAX)
                return strv_append(texts, "And more, which are not shown");

        if (vasprintf(&text, format, arguments) < 0)
                return -ENOMEM;
        tame(text);
        return strv_take(texts, text);
}

int setting_mistake(SettingMistakes *mistakes, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        const int r = collect(&mistakes->texts, format, arguments);
        va_end(arguments);
        return r;
}

int setting_warning(SettingMistakes *mistakes, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        const int r = collect(&mistakes->warnings, format, arguments);
        va_end(arguments);
        return r;
}
