/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/siphash.h"
#include "base/text.h"
#include "unit/specifier.h"
#include "unit/unit-name.h"
#include "user/user-name.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

#define INSTANCE_HASH_DIGITS 8 /* of its lower half */

/* That of systemd: who changes from one to the other keeps the names. */
static const uint8_t name_key[SIPHASH_KEY_SIZE] = {
        0x58, 0x1a, 0xaf, 0xe6, 0x28, 0x58, 0x4e, 0x96, 0xb4, 0x4e, 0xf5, 0x3b, 0x8c, 0x92, 0x07, 0xec,
};

bool user_name_is_valid(const char *name) {
        const size_t length = strlen(name);

        return length > 0 && length <= USER_NAME_SIZE_MAX && strchr(LETTERS "_", name[0]) &&
               strspn(name, LETTERS "0123456789_-") == length;
}

static int name_of_hash(const char *text, char **ret) {
        return text_format(ret, "_du%016" PRIx64, siphash24(name_key, text, strlen(text)));
}

/* The hash is of both parts: of two long prefixes that begin alike nothing else may be left. */
static int name_of_instance(const char *prefix, const char *stem, char **ret) {
        return text_format(ret, "%.*s-%0*" PRIx32, USER_NAME_SIZE_MAX - 1 - INSTANCE_HASH_DIGITS, prefix,
                           INSTANCE_HASH_DIGITS, (uint32_t)siphash24(name_key, stem, strlen(stem)));
}

int user_name_of_unit(const char *unit, char **ret) {
        _cleanup_(freep) char *prefix = NULL, *stem = NULL, *name = NULL;

        int r = unit_name_prefix(unit, &prefix);
        if (r >= 0)
                r = unit_name_stem(unit, &stem);
        if (r < 0)
                return r;

        if (unit_name_kind(unit) != UNIT_NAME_INSTANCE)
                return user_name_is_valid(prefix) ? text_copy(prefix, ret) : name_of_hash(prefix, ret);
        r = name_of_instance(prefix, stem, &name);
        if (r < 0)
                return r;
        if (!user_name_is_valid(name))
                return name_of_hash(stem, ret);
        *ret = TAKE_PTR(name);
        return 0;
}

bool user_number_read(const char *text, uint32_t *ret) {
        uint64_t number;

        if (parse_uint64(text, &number) < 0 || number >= UINT32_MAX || number == UINT16_MAX)
                return false;
        *ret = (uint32_t)number;
        return true;
}

int user_name_of_service(const UnitSettings *settings, const char *unit, char **ret, Reason *reason) {
        _cleanup_(freep) char *name = NULL;
        uint32_t number;

        if (!service_is_dynamic(settings))
                return 0;
        const int r = text_is_empty(settings->user) ? user_name_of_unit(unit, &name)
                                                    : specifier_expand(settings->user, unit, &name, reason);
        if (r < 0)
                return r;
        if (user_number_read(name, &number))
                return 0;
        *ret = TAKE_PTR(name);
        return 1;
}
