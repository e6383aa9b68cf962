/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/text.h"
#include "distro/dpkg-status.h"

/* One field of a paragraph. */
typedef struct Field {
        const char *name;
        const char *value; /* in the text, value_length long; NULL: not there */
        size_t value_length;
} Field;

enum { PACKAGE, STATUS, VERSION, ARCHITECTURE, N_FIELDS };

/* "install ok installed": the third word is what counts, the state. A package whose triggers are still to run is there. */
static bool is_installed(const Field *status) {
        static const char *const states[] = { " installed", " triggers-pending", " triggers-awaited" };

        for (size_t i = 0; i < ELEMENTSOF(states); i++) {
                const size_t length = strlen(states[i]);

                if (status->value && status->value_length >= length &&
                    memcmp(status->value + status->value_length - length, states[i], length) == 0)
                        return true;
        }
        return false;
}

/* Puts the value of a line "Name: value" into the field of that name. */
static void read_field(Field fields[static N_FIELDS], const char *line, size_t length) {
        for (size_t i = 0; i < N_FIELDS; i++) {
                const size_t name_length = strlen(fields[i].name);

                if (length <= name_length || line[name_length] != ':' ||
                    memcmp(line, fields[i].name, name_length) != 0)
                        continue;
                const char *value = line + name_length + 1, *end = line + length;
                while (value < end && (*value == ' ' || *value == '\t'))
                        value++;
                while (end > value && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
                        end--;
                fields[i].value = value;
                fields[i].value_length = (size_t)(end - value);
        }
}

static int take_paragraph(const Field fields[static N_FIELDS], DistroPackages *packages) {
        _cleanup_(freep) char *name = NULL, *version = NULL, *architecture = NULL;
        char **const texts[N_FIELDS] = {
                [PACKAGE] = &name, [VERSION] = &version, [ARCHITECTURE] = &architecture
        };

        if (!fields[PACKAGE].value || !is_installed(&fields[STATUS]))
                return 0;
        for (size_t i = 0; i < N_FIELDS; i++) {
                if (!texts[i])
                        continue;
                if (!fields[i].value || fields[i].value_length == 0 || fields[i].value_length > INT32_MAX)
                        return -EBADMSG;
                const int r = text_format(texts[i], "%.*s", (int)fields[i].value_length, fields[i].value);
                if (r < 0)
                        return r;
        }
        return distro_packages_take(packages, (DistroPackage){ TAKE_PTR(name), TAKE_PTR(version),
                                                               TAKE_PTR(architecture) });
}

int dpkg_status_parse(const char *text, DistroPackages *packages) {
        Field fields[N_FIELDS] = { [PACKAGE] = { "Package" },
                                   [STATUS] = { "Status" },
                                   [VERSION] = { "Version" },
                                   [ARCHITECTURE] = { "Architecture" } };

        while (*text) {
                const size_t length = strcspn(text, "\n");

                if (length == 0) {
                        const int r = take_paragraph(fields, packages);
                        if (r < 0)
                                return r;
                        for (size_t i = 0; i < N_FIELDS; i++)
                                fields[i] = (Field){ fields[i].name };
                } else
                        read_field(fields, text, length);
                text += length + (text[length] == '\n');
        }
        return take_paragraph(fields, packages);
}
