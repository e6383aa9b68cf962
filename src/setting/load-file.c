/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "setting/load-file.h"

#define BLANKS          " \t\r"
#define COMMENT_MARKS   "#;"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

typedef enum SectionState { SECTION_NONE, SECTION_UNKNOWN, SECTION_KNOWN } SectionState;

typedef struct FileScan {
        SettingStore *store;
        const char *name;
        SettingMistakes *mistakes;
        unsigned line;

        SectionState section_state;
        const char *section;       /* the table's name for it */
        bool mentioned_no_section; /* once is enough */

        /* The key that was read last: lines indented deeper continue its value. */
        bool in_value;
        const Setting *setting; /* NULL: a mistake, its lines are skipped */
        unsigned value_line;
        size_t indentation;
        char *value; /* as large as the whole file */
        size_t value_length;

        /* Units: lines that a backslash at the end joins, from joined_line on. */
        bool continued;
        char *joined; /* as large as the whole file */
        size_t joined_length;
        unsigned joined_line;

        unsigned *set_in_line; /* one per row; 0: not yet in this file */
} FileScan;

static bool is_unit(const FileScan *scan) {
        return scan->store->table->dialect == SETTING_DIALECT_UNIT;
}

/* What is no more than a warning in files that others wrote. */
#define scan_mistake(scan, ...)                                         \
        (is_unit(scan) ? setting_warning((scan)->mistakes, __VA_ARGS__) \
                       : setting_mistake((scan)->mistakes, __VA_ARGS__))

static void file_scan_done(FileScan *scan) {
        free(scan->value);
        free(scan->joined);
        free(scan->set_in_line);
}

static bool setting_is_called(const Setting *row, const char *key) {
        return row->name && (text_equal(row->name, key) || strv_contains(row->old_names, key));
}

/* section NULL: in any. */
static const Setting *find_key(const SettingTable *table, const char *section, const char *key) {
        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++)
                if (setting_is_called(row, key) && (!section || text_equal(row->section, section)))
                        return row;
        return NULL;
}

static const SettingSection *find_section(const SettingTable *table, const char *name) {
        for (size_t i = 0; i < table->n_sections; i++)
                if (text_equal(table->sections[i].name, name))
                        return &table->sections[i];
        return NULL;
}

static int explain_unknown_section(FileScan *scan, const char *name) {
        const SettingTable *table = scan->store->table;
        _cleanup_(freep) const char **names = NULL;

        names = calloc(table->n_sections + 1, sizeof(char *));
        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < table->n_sections; i++)
                names[i] = table->sections[i].name;

        const char *near = text_nearest(name, names);
        return scan_mistake(scan, "%s:%u: Unknown section [%s]%s%s%s", scan->name, scan->line, name,
                            near ? ", did you mean [" : "", near ?: "", near ? "]?" : "");
}

/* The setting of the section (NULL: of any) whose name comes nearest. */
static int find_near_key(const SettingTable *table, const char *section, const char *key,
                         const Setting **ret) {
        _cleanup_(freep) const char **names = NULL;
        size_t n = 0;

        names = calloc(table->n_rows + 1, sizeof(char *));
        if (!names)
                return -ENOMEM;
        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++)
                if (row->name && !(row->flags & SETTING_HIDDEN) &&
                    (!section || text_equal(row->section, section)))
                        names[n++] = row->name;

        const char *near = text_nearest(key, names);
        *ret = near ? find_key(table, section, near) : NULL;
        return 0;
}

/* No further mistake of this kind is kept: there is no need to look what was meant. */
static bool are_too_many(const FileScan *scan) {
        return strv_length(STRV(is_unit(scan) ? scan->mistakes->warnings : scan->mistakes->texts)) >
               SETTING_MISTAKES_MAX;
}

static int explain_unknown_key(FileScan *scan, const char *key) {
        const SettingTable *table = scan->store->table;
        const Setting *elsewhere = find_key(table, NULL, key), *near = NULL;

        if (are_too_many(scan))
                return 0;

        if (elsewhere)
                return scan_mistake(scan, "%s:%u: Setting \"%s\" belongs in [%s], not in [%s]", scan->name,
                                    scan->line, key, elsewhere->section, scan->section);

        int r = find_near_key(table, scan->section, key, &near);
        if (r >= 0 && !near)
                r = find_near_key(table, NULL, key, &near);
        if (r < 0)
                return r;

        if (!near)
                return scan_mistake(scan, "%s:%u: Unknown setting \"%s\" in [%s]", scan->name, scan->line,
                                    key, scan->section);
        if (text_equal(near->section, scan->section))
                return scan_mistake(scan, "%s:%u: Unknown setting \"%s\" in [%s], did you mean \"%s\"?",
                                    scan->name, scan->line, key, scan->section, near->name);
        return scan_mistake(scan, "%s:%u: Unknown setting \"%s\" in [%s], did you mean \"%s\" in [%s]?",
                            scan->name, scan->line, key, scan->section, near->name, near->section);
}

static int warn_of_repetition(FileScan *scan, const Setting *setting) {
        unsigned *set_in_line = &scan->set_in_line[setting - scan->store->table->rows];
        const unsigned before = *set_in_line;

        *set_in_line = scan->value_line;
        if (before == 0 || setting->type->is_list || is_unit(scan))
                return 0;
        return setting_warning(scan->mistakes, "%s:%u: Setting \"%s\" replaces what line %u says", scan->name,
                               scan->value_line, setting->name, before);
}

/* A value that would be dangerous to pass over is a mistake in every dialect. */
static int refuse_value(FileScan *scan, const char *text, const char *why) {
        const Setting *setting = scan->setting;
        const char *const shown = setting->flags & SETTING_SECRET ? "…" : text;

        if (setting->flags & SETTING_STRICT)
                return setting_mistake(scan->mistakes, "%s:%u: %s=%s: %s", scan->name, scan->value_line,
                                       setting->name, shown, why);
        return scan_mistake(scan, "%s:%u: %s=%s: %s", scan->name, scan->value_line, setting->name, shown,
                            why);
}

static int store_value(FileScan *scan, const char *text) {
        const Setting *setting = scan->setting;
        _cleanup_(reason_done) Reason reason = {};

        if (is_unit(scan) && text[0] == '\0') {
                setting_reset(scan->store, setting);
                if (!(setting->flags & SETTING_EMPTY_COUNTS))
                        return 0;
        }
        const SettingValue value = {
                .text = text,
                .source = SETTING_FILE,
                .file = scan->name,
                .line = scan->value_line,
                .replaces = (setting->flags & SETTING_LATER_REPLACES) &&
                            scan->set_in_line[setting - scan->store->table->rows] == 0,
        };

        int r = warn_of_repetition(scan, setting);
        if (r < 0)
                return r;

        r = setting_assign(scan->store, setting, &value, &reason);
        return r >= 0 || r == -ENOMEM ? r : refuse_value(scan, text, reason_text(&reason, r));
}

/* Stores the value under way, if there is one: all its lines have been read. */
static int finish_value(FileScan *scan) {
        int r = 0;

        scan->in_value = false;
        scan->value[scan->value_length] = '\0';
        if (scan->setting)
                r = store_value(scan, scan->value);
        scan->setting = NULL;
        return r;
}

/* Appends a line to the value, behind a blank if it is not the first. */
static void append_line(FileScan *scan, const char *text) {
        if (*text == '\0')
                return;
        if (scan->value_length > 0)
                scan->value[scan->value_length++] = ' ';
        scan->value_length = (size_t)(stpcpy(scan->value + scan->value_length, text) - scan->value);
}

/* A key or a section that got indented by accident is part of the value above it; say so. */
static int warn_of_indentation(FileScan *scan, const char *text) {
        const SettingTable *table = scan->store->table;
        const bool bracket = text[0] == '[';
        const char *end = strchr(text, bracket ? ']' : '=');
        _cleanup_(freep) char *word = NULL;

        if (!end || !scan->setting)
                return 0;

        word = strndup(text, (size_t)(end - text));
        if (!word)
                return -ENOMEM;
        if (bracket ? !find_section(table, word + 1) : !find_key(table, NULL, text_strip(word)))
                return 0;
        return setting_warning(scan->mistakes,
                               "%s:%u: \"%s\" is indented deeper than \"%s\" in line %u, and so continues it",
                               scan->name, scan->line, text, scan->setting->name, scan->value_line);
}

/* Names that are nobody's mistake. */
static bool is_others(const FileScan *scan, const char *name) {
        return is_unit(scan) && text_after_prefix(name, "X-");
}

static int begin_section(FileScan *scan, char *text) {
        char *end = strchr(text, ']');

        scan->section_state = SECTION_UNKNOWN;
        if (!end || end[1] != '\0')
                /* Whatever follows would be lost with it, also what confines. */
                return setting_mistake(scan->mistakes,
                                       "%s:%u: Not a section, which is written \"[Name]\": \"%s\"",
                                       scan->name, scan->line, text);

        *end = '\0';
        const char *name = text_strip(text + 1);
        const SettingSection *section = find_section(scan->store->table, name);
        if (!section)
                return is_others(scan, name) ? 0 : explain_unknown_section(scan, name);

        scan->section_state = SECTION_KNOWN;
        scan->section = section->name;
        return 0;
}

static int begin_value(FileScan *scan, char *text, size_t indentation) {
        char *equals = strchr(text, '=');

        scan->in_value = true;
        scan->indentation = indentation;
        scan->value_line = scan->line;
        scan->value_length = 0;

        if (scan->section_state == SECTION_NONE) {
                if (scan->mentioned_no_section)
                        return 0;
                scan->mentioned_no_section = true;
                return scan_mistake(scan, "%s:%u: Text before the first [Section]", scan->name, scan->line);
        }
        if (!equals || equals == text)
                return scan_mistake(scan, "%s:%u: Neither a [Section] nor a Key=value%s: \"%s\"", scan->name,
                                    scan->line, is_unit(scan) ? "" : ", nor indented to continue one", text);
        if (scan->section_state == SECTION_UNKNOWN)
                return 0; /* that was the mistake */

        *equals = '\0';
        const char *key = text_strip(text);
        scan->setting = find_key(scan->store->table, scan->section, key);
        if (!scan->setting)
                return is_others(scan, key) ? 0 : explain_unknown_key(scan, key);

        append_line(scan, text_strip(equals + 1));
        return 0;
}

static int begin_line(FileScan *scan, char *text, size_t indentation) {
        const int r = finish_value(scan);

        if (r < 0)
                return r;
        return *text == '[' ? begin_section(scan, text) : begin_value(scan, text, indentation);
}

static int scan_project_line(FileScan *scan, char *line) {
        const size_t indentation = strspn(line, BLANKS);
        char *text = text_strip(line);

        if (*text == '\0' || strchr(COMMENT_MARKS, *text))
                return 0;
        if (!scan->in_value || indentation <= scan->indentation)
                return begin_line(scan, text, indentation);

        const int r = warn_of_indentation(scan, text);
        if (r < 0)
                return r;
        if (scan->setting)
                append_line(scan, text);
        return 0;
}

/* Whether the line ends with a backslash that is not the second of a pair; it is cut off. */
static bool cut_continuation(char *line) {
        const size_t length = strlen(line);
        size_t n = 0;

        while (n < length && line[length - 1 - n] == '\\')
                n++;
        if (n % 2 == 0)
                return false;
        line[length - 1] = '\0';
        return true;
}

static int scan_joined_lines(FileScan *scan) {
        const unsigned last_line = scan->line;
        char *const text = text_strip(scan->joined);

        scan->line = scan->joined_line;
        const int r = *text == '\0' ? 0 : begin_line(scan, text, 0);
        scan->line = last_line;
        return r;
}

/* Blanks at the ends of joined lines stay: they may stand between quotes. */
static int scan_unit_line(FileScan *scan, char *line) {
        const size_t length = strlen(line);
        const char *const text = line + strspn(line, BLANKS);

        if (*text && strchr(COMMENT_MARKS, *text))
                return 0;
        if (!scan->continued) {
                scan->joined_length = 0;
                scan->joined_line = scan->line;
        }
        if (length > 0 && line[length - 1] == '\r')
                line[length - 1] = '\0';
        scan->continued = cut_continuation(line);
        const char *const end =
                stpcpy(stpcpy(scan->joined + scan->joined_length, line), scan->continued ? " " : "");
        scan->joined_length = (size_t)(end - scan->joined);
        return scan->continued ? 0 : scan_joined_lines(scan);
}

static int scan_line(FileScan *scan, char *line) {
        return is_unit(scan) ? scan_unit_line(scan, line) : scan_project_line(scan, line);
}

/* What follows is not read, whatever it is. */
static int refuse_nul(FileScan *scan) {
        const int r = setting_mistake(scan->mistakes, "%s:%u: A NUL byte: this is not a text file",
                                      scan->name, scan->line);

        return r < 0 ? r : finish_value(scan);
}

static int scan_lines(FileScan *scan, char *text, size_t size) {
        char *const end = text + size;

        while (text < end) {
                char *line = text, *line_end = memchr(text, '\n', (size_t)(end - text)) ?: end;

                scan->line++;
                *line_end = '\0';
                if (strlen(line) < (size_t)(line_end - line))
                        return refuse_nul(scan);

                const int r = scan_line(scan, line);
                if (r < 0)
                        return r;
                text = line_end + 1;
        }
        const int r = scan->continued ? scan_joined_lines(scan) : 0;
        return r < 0 ? r : finish_value(scan);
}

static int refuse_size(SettingMistakes *mistakes, const char *name) {
        return setting_mistake(mistakes, "%s: Larger than %d bytes: this is not a settings file", name,
                               SETTING_FILE_SIZE_MAX);
}

int setting_load_text(SettingStore *store, const char *name, const char *text, size_t size,
                      SettingMistakes *mistakes) {
        _cleanup_(file_scan_done) FileScan scan = { .store = store, .name = name, .mistakes = mistakes };
        _cleanup_(freep) char *copy = NULL;

        if (size > SETTING_FILE_SIZE_MAX)
                return refuse_size(mistakes, name);
        if (size >= strlen(BYTE_ORDER_MARK) && memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
                text += strlen(BYTE_ORDER_MARK);
                size -= strlen(BYTE_ORDER_MARK);
        }

        copy = malloc(size + 1);
        scan.value = malloc(size + 1);
        scan.joined = malloc(size + 1);
        scan.set_in_line = calloc(MAX(store->table->n_rows, (size_t)1), sizeof(unsigned));
        if (!copy || !scan.value || !scan.joined || !scan.set_in_line)
                return -ENOMEM;

        if (size > 0)
                memcpy(copy, text, size);
        return scan_lines(&scan, copy, size);
}

int setting_load_file(SettingStore *store, const char *path, SettingMistakes *mistakes) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        const int r = file_read(AT_FDCWD, path, SETTING_FILE_SIZE_MAX, &text, &size);
        if (r == -EFBIG)
                return refuse_size(mistakes, path);
        if (r < 0)
                return r;
        return setting_load_text(store, path, text, size, mistakes);
}
