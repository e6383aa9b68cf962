/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/text.h"
#include "setting/describe-text.h"

#define COLUMNS_MAX 79

bool describe_is_in(const Setting *row, const SettingSection *section) {
        if (!section || !row->section)
                return !section && !row->section;
        return text_equal(row->section, section->name);
}

bool describe_is_value_optional(const Setting *row) {
        return row->type->optional_value || (row->flags & SETTING_OPTIONAL_VALUE);
}

bool describe_is_offered(const Setting *row) {
        return (row->option || row->letter) && !(row->flags & SETTING_HIDDEN) && !row->planned;
}

const char *describe_metavar(const Setting *row) {
        if (row->type->optional_value)
                return NULL;
        return row->metavar ?: row->type->metavar;
}

const char *describe_word(const Setting *row, size_t index) {
        static const char *const truth_values[] = { "yes", "no", NULL };
        const char *const *words = row->type == &setting_type_bool ? truth_values : row->words;

        for (; words && *words; words++)
                if (**words && index-- == 0)
                        return *words;
        return NULL;
}

static size_t width_of(const char *text, size_t length) {
        size_t width = 0;

        for (size_t i = 0; i < length; i++)
                width += ((unsigned char)text[i] & 0xc0) !=
                         0x80; /* what continues a character takes no room */
        return width;
}

size_t describe_width(const char *text) {
        return width_of(text, strlen(text));
}

void describe_wrapped(FILE *file, const char *text, size_t column, const char *prefix) {
        bool first = true;

        while (*(text += strspn(text, " \n"))) {
                const size_t length = strcspn(text, " \n"), width = width_of(text, length);

                if (!first && column + 1 + width > COLUMNS_MAX) {
                        (void)fprintf(file, "\n%s", prefix);
                        column = describe_width(prefix);
                } else if (!first) {
                        (void)putc(' ', file);
                        column++;
                }
                (void)fwrite(text, 1, length, file);
                column += width;
                text += length;
                first = false;
        }
}
