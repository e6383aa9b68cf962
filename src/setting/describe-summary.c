/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "setting/describe-text.h"

#define VALUE_COLUMNS 32

static bool is_shown(const SettingStore *store, const Setting *row, bool all) {
        if (row->flags & (SETTING_HIDDEN | SETTING_OUTSIDE_FILES))
                return false;
        return all || setting_source(store, row) != SETTING_UNSET;
}

/* An enumeration's 0 is a word, but nobody has said it. */
static bool is_enum_unset(const SettingStore *store, const Setting *row) {
        return row->words && setting_source(store, row) == SETTING_UNSET;
}

static int print_label(const Setting *row, FILE *file) {
        return fprintf(file, "%s%s", row->name ? "" : "--", row->name ?: row->option);
}

static size_t label_width(const Setting *row) {
        return row->name ? strlen(row->name) : strlen("--") + strlen(row->option);
}

/* The value, or item `index` of a list, as text; NULL when there is none. */
static int format_item(const SettingStore *store, const Setting *row, size_t index, char **ret) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(file_closep) FILE *stream = NULL;
        size_t size;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;

        const bool there = !is_enum_unset(store, row) &&
                           row->type->print(row, setting_member(store, row), index, stream);
        const bool failed = ferror(stream) || fclose(TAKE_PTR(stream)) != 0;
        if (failed)
                return -ENOMEM;

        if (!there) {
                *ret = NULL;
                return 0;
        }
        if (row->flags & SETTING_SECRET)
                return text_copy("set", ret);
        if (text[0] == '\0')
                return text_copy("\"\"", ret);

        /* Values come from files that need not be trusted; the terminal obeys control characters. */
        text_tame(text);
        *ret = TAKE_PTR(text);
        return 0;
}

/* NULL for an item that nobody accounted for. */
static const SettingOrigin *item_origin(const SettingOrigins *origins, bool is_list, size_t index) {
        for (size_t i = 0; i < origins->n_items; i++) {
                if (!is_list || index < origins->items[i].n_items)
                        return &origins->items[i];
                index -= origins->items[i].n_items;
        }
        return NULL;
}

static int print_item(const SettingOrigin *origin, const char *value, FILE *file) {
        _cleanup_(freep) char *text = NULL;

        const int r = setting_origin_format(origin ?: &(const SettingOrigin){}, &text);
        if (r < 0)
                return r;

        const size_t width = describe_width(value);
        (void)fprintf(file, "%s%*s  (%s)\n", value, width < VALUE_COLUMNS ? (int)(VALUE_COLUMNS - width) : 0,
                      "", text);
        return 0;
}

static int print_row(const SettingStore *store, const Setting *row, size_t width, FILE *file) {
        const SettingOrigins *origins = setting_origins(store, row);

        (void)fprintf(file, "%*s", (int)(width - label_width(row)), "");
        (void)print_label(row, file);
        (void)fputs(": ", file);

        for (size_t i = 0;; i++) {
                _cleanup_(freep) char *value = NULL;

                int r = format_item(store, row, i, &value);
                if (r < 0)
                        return r;
                if (!value && i == 0)
                        return print_item(origins->n_items > 0 ? &origins->items[0] : NULL, "none", file);
                if (!value)
                        return 0;

                if (i > 0)
                        (void)fprintf(file, "%*s", (int)width + 2, "");
                r = print_item(item_origin(origins, row->type->is_list, i), value, file);
                if (r < 0)
                        return r;
                if (!row->type->is_list)
                        return 0;
        }
}

static int print_section(const SettingStore *store, const SettingSection *section, bool all, size_t width,
                         bool *first, FILE *file) {
        const SettingTable *table = store->table;
        bool has_title = false;

        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++) {
                if (!describe_is_in(row, section) || !is_shown(store, row, all))
                        continue;

                if (!has_title)
                        (void)fprintf(file, "%s%s\n", *first ? "" : "\n",
                                      section ? section->name : "Options");
                has_title = true;
                *first = false;

                const int r = print_row(store, row, width, file);
                if (r < 0)
                        return r;
        }
        return 0;
}

int describe_summary(const SettingStore *store, bool all, FILE *file) {
        const SettingTable *table = store->table;
        bool first = true;
        size_t width = 0;

        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++)
                if (is_shown(store, row, all))
                        width = MAX(width, label_width(row) + 4);

        for (size_t i = 0; i <= table->n_sections; i++) {
                const SettingSection *section = i < table->n_sections ? &table->sections[i] : NULL;

                const int r = print_section(store, section, all, width, &first, file);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void print_json_origins(const SettingStore *store, const Setting *row, JsonWriter *writer) {
        static const char *const sources[] = {
                [SETTING_UNSET] = "unset",     [SETTING_DEFAULT] = "default",
                [SETTING_DERIVED] = "derived", [SETTING_DISCOVERED] = "discovered",
                [SETTING_FILE] = "file",       [SETTING_COMMAND_LINE] = "command-line",
        };
        const SettingOrigins *origins = setting_origins(store, row);

        json_begin_array(writer, "origin");
        for (size_t i = 0; i < origins->n_items; i++) {
                const SettingOrigin *origin = &origins->items[i];

                json_begin_object(writer, NULL);
                json_text(writer, "source", sources[origin->source]);
                if (origin->file)
                        json_text(writer,
                                  origin->source == SETTING_COMMAND_LINE ? "option"
                                  : origin->source == SETTING_DERIVED    ? "from"
                                                                         : "file",
                                  origin->file);
                if (origin->line > 0)
                        json_number(writer, "line", origin->line);
                if (row->type->is_list)
                        json_number(writer, "items", origin->n_items);
                json_end_object(writer);
        }
        json_end_array(writer);
}

static int print_json_row(const SettingStore *store, const Setting *row, JsonWriter *writer) {
        json_begin_object(writer, row->name ?: row->option);
        if (row->flags & SETTING_SECRET) {
                _cleanup_(freep) char *value = NULL;

                const int r = format_item(store, row, 0, &value);
                if (r < 0)
                        return r;
                json_text(writer, "value", value);
        } else if (is_enum_unset(store, row))
                json_null(writer, "value");
        else
                row->type->print_json(row, setting_member(store, row), writer);
        print_json_origins(store, row, writer);
        json_end_object(writer);
        return 0;
}

int describe_json(const SettingStore *store, JsonWriter *writer) {
        const SettingTable *table = store->table;

        for (size_t i = 0; i < table->n_sections; i++) {
                json_begin_object(writer, table->sections[i].name);
                for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++) {
                        if (!describe_is_in(row, &table->sections[i]) || !is_shown(store, row, true))
                                continue;

                        const int r = print_json_row(store, row, writer);
                        if (r < 0)
                                return r;
                }
                json_end_object(writer);
        }
        return 0;
}
