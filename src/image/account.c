/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "image/account.h"

/* The start of the user's line, or NULL. */
static const char *find_line(const char *text, const char *user) {
        while (*text) {
                const char *rest = text_after_prefix(text, user);

                if (rest && rest[0] == ':')
                        return text;
                text += strcspn(text, "\n");
                text += text[0] == '\n';
        }
        return NULL;
}

int account_set_password(const char *text, const char *user, const char *field, char **ret) {
        const char *line = find_line(text, user);

        if (strpbrk(field, ":\n"))
                return -EINVAL;
        if (!line)
                return -ESRCH;

        const char *begin = line + strlen(user) + 1;
        const char *end = begin + strcspn(begin, ":\n");
        return text_format(ret, "%.*s%s%s", (int)(begin - text), text, field, end);
}
