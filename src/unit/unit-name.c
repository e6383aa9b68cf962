/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "unit/unit-name.h"

#define ALPHANUMERIC  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define PREFIX_BYTES  ALPHANUMERIC ":-_.\\"
#define STEM_BYTES    PREFIX_BYTES "@"
#define LITERAL_BYTES ALPHANUMERIC ":_." /* that mean themselves in escaped text */

#define ROOT_SLICE "-.slice"

/* clang-format off */
static const char *const type_names[UNIT_TYPES] = {
        [UNIT_SERVICE]   = "service",
        [UNIT_SOCKET]    = "socket",
        [UNIT_SLICE]     = "slice",
        [UNIT_TARGET]    = "target",
        [UNIT_AUTOMOUNT] = "automount",
        [UNIT_DEVICE]    = "device",
        [UNIT_MOUNT]     = "mount",
        [UNIT_PATH]      = "path",
        [UNIT_SCOPE]     = "scope",
        [UNIT_SWAP]      = "swap",
        [UNIT_TIMER]     = "timer",
};
/* clang-format on */

const char *unit_type_name(UnitType type) {
        assert((size_t)type < UNIT_TYPES);
        return type_names[type];
}

/* -1 when there is no such type. */
static int type_find(const char *name) {
        for (size_t i = 0; i < UNIT_TYPES; i++)
                if (text_equal(type_names[i], name))
                        return (int)i;
        return -1;
}

static bool slice_is_well_formed(const char *name, size_t stem) {
        if (stem == 1 && name[0] == '-')
                return true;
        if (name[0] == '-' || name[stem - 1] == '-')
                return false;
        for (size_t i = 1; i < stem; i++)
                if (name[i - 1] == '-' && name[i] == '-')
                        return false;
        return true;
}

UnitNameKind unit_name_kind(const char *name) {
        const char *const dot = strrchr(name, '.');

        if (!dot || dot == name || strlen(name) > UNIT_NAME_SIZE_MAX)
                return 0;

        const int type = type_find(dot + 1);
        const size_t stem = (size_t)(dot - name), prefix = strcspn(name, "@");
        if (type < 0 || strspn(name, STEM_BYTES) < stem || prefix == 0)
                return 0;
        if (type == UNIT_SLICE && (prefix < stem || !slice_is_well_formed(name, stem)))
                return 0;

        if (prefix >= stem)
                return UNIT_NAME_PLAIN;
        return prefix + 1 == stem ? UNIT_NAME_TEMPLATE : UNIT_NAME_INSTANCE;
}

UnitType unit_name_type(const char *name) {
        assert(unit_name_kind(name) != 0);
        return (UnitType)type_find(strrchr(name, '.') + 1);
}

static int copy_part(const char *from, const char *end, char **ret) {
        *ret = strndup(from, (size_t)(end - from));
        return *ret ? 0 : -ENOMEM;
}

int unit_name_stem(const char *name, char **ret) {
        assert(unit_name_kind(name) != 0);
        return copy_part(name, strrchr(name, '.'), ret);
}

int unit_name_prefix(const char *name, char **ret) {
        const UnitNameKind kind = unit_name_kind(name);

        assert(kind != 0);
        return copy_part(name, kind == UNIT_NAME_PLAIN ? strrchr(name, '.') : strchr(name, '@'), ret);
}

int unit_name_instance(const char *name, char **ret) {
        const UnitNameKind kind = unit_name_kind(name);

        assert(kind != 0);
        *ret = NULL;
        return kind == UNIT_NAME_PLAIN ? 0 : copy_part(strchr(name, '@') + 1, strrchr(name, '.'), ret);
}

int unit_name_template(const char *name, char **ret) {
        if (unit_name_kind(name) != UNIT_NAME_INSTANCE)
                return -EINVAL;
        return text_format(ret, "%.*s@%s", (int)strcspn(name, "@"), name, strrchr(name, '.'));
}

int unit_name_instantiate(const char *template, const char *instance, char **ret) {
        _cleanup_(freep) char *name = NULL;

        if (unit_name_kind(template) != UNIT_NAME_TEMPLATE)
                return -EINVAL;
        const int r = text_format(&name, "%.*s@%s%s", (int)strcspn(template, "@"), template, instance,
                                  strrchr(template, '.'));
        if (r < 0)
                return r;
        if (unit_name_kind(name) != UNIT_NAME_INSTANCE)
                return -EINVAL;
        *ret = TAKE_PTR(name);
        return 0;
}

int unit_name_complete(const char *text, char **ret) {
        _cleanup_(freep) char *name = NULL;
        const char *const dot = strrchr(text, '.');

        const int r = text_format(&name, "%s%s", text, dot && type_find(dot + 1) >= 0 ? "" : ".service");
        if (r < 0)
                return r;
        if (unit_name_kind(name) == 0)
                return -EINVAL;
        *ret = TAKE_PTR(name);
        return 0;
}

int unit_name_escape(const char *text, char **ret) {
        static const char digits[] = "0123456789abcdef";
        char *const escaped = malloc(4 * strlen(text) + 1);
        char *to = escaped;

        if (!escaped)
                return -ENOMEM;
        for (const char *from = text; *from; from++) {
                const unsigned char byte = (unsigned char)*from;

                if (byte == '/')
                        *to++ = '-';
                else if (strchr(LITERAL_BYTES, byte) && !(byte == '.' && from == text))
                        *to++ = (char)byte;
                else {
                        *to++ = '\\';
                        *to++ = 'x';
                        *to++ = digits[byte >> 4];
                        *to++ = digits[byte & 15];
                }
        }
        *to = '\0';
        *ret = escaped;
        return 0;
}

static int hexadecimal(char digit) {
        if (digit >= '0' && digit <= '9')
                return digit - '0';
        if (digit >= 'a' && digit <= 'f')
                return digit - 'a' + 10;
        if (digit >= 'A' && digit <= 'F')
                return digit - 'A' + 10;
        return -1;
}

int unit_name_unescape(const char *text, char **ret) {
        _cleanup_(freep) char *plain = malloc(strlen(text) + 1);
        char *to = plain;

        if (!plain)
                return -ENOMEM;
        for (const char *from = text; *from; from++) {
                if (*from != '\\') {
                        *to++ = *from == '-' ? '/' : *from;
                        continue;
                }
                if (from[1] != 'x')
                        return -EINVAL;
                const int high = hexadecimal(from[2]), low = high < 0 ? -1 : hexadecimal(from[3]);
                if (low < 0 || (high == 0 && low == 0))
                        return -EINVAL;
                *to++ = (char)(high << 4 | low);
                from += 3;
        }
        *to = '\0';
        *ret = TAKE_PTR(plain);
        return 0;
}

int unit_slice_path(const char *name, char **ret) {
        _cleanup_(freep) char *path = NULL;
        size_t size;

        if (unit_name_kind(name) != UNIT_NAME_PLAIN || unit_name_type(name) != UNIT_SLICE)
                return -EINVAL;
        if (text_equal(name, ROOT_SLICE))
                return text_copy("", ret);

        FILE *const file = open_memstream(&path, &size);
        if (!file)
                return -ENOMEM;
        for (const char *dash = strchr(name, '-'); dash; dash = strchr(dash + 1, '-'))
                (void)fprintf(file, "%.*s.slice/", (int)(dash - name), name);
        (void)fputs(name, file);
        if (fclose(file) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(path);
        return 0;
}

int unit_slice_parent(const char *name, char **ret) {
        if (unit_name_kind(name) != UNIT_NAME_PLAIN || unit_name_type(name) != UNIT_SLICE)
                return -EINVAL;
        *ret = NULL;
        if (text_equal(name, ROOT_SLICE))
                return 0;
        const char *const dash = strrchr(name, '-');
        return dash ? text_format(ret, "%.*s.slice", (int)(dash - name), name) : text_copy(ROOT_SLICE, ret);
}
