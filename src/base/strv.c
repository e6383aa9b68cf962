/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>

#include "base/strv.h"
#include "base/text.h"

#define BLANKS " \t\r\n"

void strv_free(char **list) {
        if (!list)
                return;
        for (char **item = list; *item; item++)
                free(*item);
        free(list);
}

size_t strv_length(const char *const *list) {
        size_t n = 0;

        while (list && list[n])
                n++;
        return n;
}

bool strv_contains(const char *const *list, const char *text) {
        for (; list && *list; list++)
                if (text_equal(*list, text))
                        return true;
        return false;
}

int strv_take(char ***list, char *text) {
        const size_t n = strv_length(STRV(*list));
        char **grown = reallocarray(*list, n + 2, sizeof(char *));

        if (!grown) {
                free(text);
                return -ENOMEM;
        }
        grown[n] = text;
        grown[n + 1] = NULL;
        *list = grown;
        return 0;
}

int strv_append(char ***list, const char *text) {
        char *copy = strdup(text);

        return copy ? strv_take(list, copy) : -ENOMEM;
}

int strv_append_format(char ***list, const char *format, ...) {
        va_list arguments;
        char *text;

        va_start(arguments, format);
        const int length = vasprintf(&text, format, arguments);
        va_end(arguments);
        return length < 0 ? -ENOMEM : strv_take(list, text);
}

int strv_extend(char ***list, const char *const *more) {
        _cleanup_(strv_freep) char **copy = NULL;

        const int r = strv_copy(more, &copy);
        if (r < 0)
                return r;

        const size_t n = strv_length(STRV(*list)), n_more = strv_length(STRV(copy));
        if (n_more == 0)
                return 0;

        char **grown = reallocarray(*list, n + n_more + 1, sizeof(char *));
        if (!grown)
                return -ENOMEM;
        memcpy(grown + n, copy, (n_more + 1) * sizeof(char *));
        free(TAKE_PTR(copy)); /* the strings now belong to the grown list */
        *list = grown;
        return 0;
}

int strv_copy(const char *const *list, char ***ret) {
        _cleanup_(strv_freep) char **copy = NULL;
        const size_t n = strv_length(list);

        if (n > 0) {
                copy = calloc(n + 1, sizeof(char *));
                if (!copy)
                        return -ENOMEM;
        }
        for (size_t i = 0; i < n; i++) {
                copy[i] = strdup(list[i]);
                if (!copy[i])
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(copy);
        return 0;
}

bool strv_equal(const char *const *a, const char *const *b) {
        const size_t n = strv_length(a);

        if (n != strv_length(b))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!text_equal(a[i], b[i]))
                        return false;
        return true;
}

int strv_split(const char *text, const char *separators, char ***ret) {
        _cleanup_(strv_freep) char **list = NULL;

        for (;;) {
                text += strspn(text, separators);
                const size_t length = strcspn(text, separators);
                if (length == 0)
                        break;

                char *item = strndup(text, length);
                if (!item)
                        return -ENOMEM;
                const int r = strv_take(&list, item);
                if (r < 0)
                        return r;
                text += length;
        }

        *ret = TAKE_PTR(list);
        return 0;
}

/* Reads the next word of *text into word, which has room for all of it, and moves behind it. 0: there is none. */
static int next_quoted(const char **text, char *word) {
        const char *p = *text + strspn(*text, BLANKS);
        char quote = '\0';

        if (*p == '\0')
                return 0;
        for (; *p != '\0' && (quote || !strchr(BLANKS, *p)); p++) {
                if (*p == quote) {
                        quote = '\0';
                        continue;
                }
                if (!quote && (*p == '"' || *p == '\'')) {
                        quote = *p;
                        continue;
                }
                if (*p == '\\' && quote != '\'' && *++p == '\0')
                        return -EINVAL;
                *word++ = *p;
        }
        *word = '\0';
        *text = p;
        return quote ? -EINVAL : 1;
}

int strv_split_quoted(const char *text, char ***ret) {
        const size_t length = strlen(text);
        /* There are never more words than one for two characters. */
        _cleanup_(strv_freep) char **list = calloc(length / 2 + 2, sizeof(char *));
        _cleanup_(freep) char *word = malloc(length + 1);
        int r;

        if (!list || !word)
                return -ENOMEM;
        for (size_t n = 0; (r = next_quoted(&text, word)) > 0; n++) {
                r = text_copy(word, &list[n]);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        *ret = TAKE_PTR(list);
        return 0;
}

int strv_join(const char *const *list, const char *separator, char **ret) {
        const size_t separator_length = strlen(separator);
        size_t length = 1;

        for (const char *const *item = list; item && *item; item++)
                length += strlen(*item) + separator_length;

        char *text = malloc(length);
        if (!text)
                return -ENOMEM;

        char *end = text;
        *end = '\0';
        for (const char *const *item = list; item && *item; item++) {
                if (item != list)
                        end = stpcpy(end, separator);
                end = stpcpy(end, *item);
        }

        *ret = text;
        return 0;
}

static int compare_items(const void *a, const void *b) {
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void strv_sort(char **list) {
        const size_t n = strv_length(STRV(list));

        if (n > 1)
                qsort(list, n, sizeof(char *), compare_items);
}
