/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "unit/specifier.h"
#include "unit/unit-name.h"
#include "user/user-name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A name that is valid can be taken apart and put together again, is that of a file, and has a user. */
static void take_apart(const char *name) {
        _cleanup_(freep) char *prefix = NULL, *instance = NULL, *stem = NULL, *template = NULL, *again = NULL,
                              *user = NULL;
        const UnitNameKind kind = unit_name_kind(name);
        int r = unit_name_prefix(name, &prefix);

        assert(!strchr(name, '/') && !strchr(name, '%') && name[0] != '\0');
        r = MIN(r, unit_name_instance(name, &instance));
        r = MIN(r, unit_name_stem(name, &stem));
        r = MIN(r, user_name_of_unit(name, &user));
        assert(r == 0 && user_name_is_valid(user));
        assert((instance != NULL) == (kind != UNIT_NAME_PLAIN));
        if (kind != UNIT_NAME_INSTANCE)
                return;
        r = unit_name_template(name, &template);
        assert(r == 0 && unit_name_kind(template) == UNIT_NAME_TEMPLATE);
        r = unit_name_instantiate(template, instance, &again);
        assert(r == 0 && text_equal(again, name));
}

/* Whatever is escaped can stand in a name, and comes back. */
static void escape(const char *text) {
        _cleanup_(freep) char *escaped = NULL, *plain = NULL, *name = NULL, *other = NULL;

        int r = unit_name_escape(text, &escaped);
        assert(r == 0);
        r = unit_name_unescape(escaped, &plain);
        assert(r == 0 && text_equal(plain, text));
        r = unit_name_instantiate("a@.service", escaped, &name);
        assert(r == 0 || text[0] == '\0' || strlen(escaped) > UNIT_NAME_SIZE_MAX - strlen("a@.service"));
        (void)unit_name_unescape(text, &other);
}

/* The first line is the name of a unit, or what somebody types for it; the rest is a text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *input = strndup((const char *)data, size), *name = NULL, *expanded = NULL,
                              *path = NULL, *parent = NULL;
        _cleanup_(reason_done) Reason reason = {};

        if (!input)
                return 0;
        char *const line_end = strchrnul(input, '\n'), *const text = line_end + (*line_end != '\0');
        *line_end = '\0';
        escape(input);
        if (unit_name_complete(input, &name) < 0)
                return 0;
        take_apart(name);
        if (unit_slice_path(name, &path) >= 0)
                (void)unit_slice_parent(name, &parent);
        const int r = specifier_expand(text, name, &expanded, &reason);
        assert(r == 0 || r == -EINVAL || r == -E2BIG);
        assert(r < 0 || strchr(text, '%') || text_equal(text, expanded));
        return 0;
}
