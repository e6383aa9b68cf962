/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/text.h"
#include "unit/host.h"
#include "unit/specifier.h"
#include "unit/unit-name.h"

#define TEXT_SIZE_MAX (1024 * 1024)

static int unit_name_itself(const char *unit, char **ret) {
        return text_copy(unit, ret);
}

static int unit_instance(const char *unit, char **ret) {
        const int r = unit_name_instance(unit, ret);

        return r < 0 || *ret ? r : text_copy("", ret);
}

static int unescaped(int (*part)(const char *unit, char **ret), const char *unit, char **ret) {
        _cleanup_(freep) char *text = NULL;

        const int r = part(unit, &text);
        return r < 0 ? r : unit_name_unescape(text, ret);
}

static int unit_prefix_plain(const char *unit, char **ret) {
        return unescaped(unit_name_prefix, unit, ret);
}

static int unit_instance_plain(const char *unit, char **ret) {
        return unescaped(unit_instance, unit, ret);
}

/* Behind the last dash of the prefix. */
static int unit_last_part(const char *unit, char **ret) {
        _cleanup_(freep) char *prefix = NULL;

        const int r = unit_name_prefix(unit, &prefix);
        if (r < 0)
                return r;
        const char *const dash = strrchr(prefix, '-');
        return text_copy(dash ? dash + 1 : prefix, ret);
}

static int unit_last_part_plain(const char *unit, char **ret) {
        return unescaped(unit_last_part, unit, ret);
}

/* The instance as a path, or the prefix when there is none. */
static int unit_path(const char *unit, char **ret) {
        _cleanup_(freep) char *text = NULL;

        const int r = unescaped(unit_name_kind(unit) == UNIT_NAME_INSTANCE ? unit_instance : unit_name_prefix,
                                unit, &text);
        return r < 0 ? r : text_format(ret, "%s%s", text[0] == '/' ? "" : "/", text);
}

static int machine_id(const char *unit, char **ret) {
        return host_machine_id(ret);
}

static int boot_id(const char *unit, char **ret) {
        return host_boot_id(ret);
}

static int long_name(const char *unit, char **ret) {
        return host_name(ret);
}

static int short_name(const char *unit, char **ret) {
        const int r = host_name(ret);

        if (r >= 0)
                (*ret)[strcspn(*ret, ".")] = '\0';
        return r;
}

static int pretty_name(const char *unit, char **ret) {
        return host_pretty_name(ret);
}

static int architecture(const char *unit, char **ret) {
        return host_architecture(ret);
}

static int kernel(const char *unit, char **ret) {
        struct utsname name;

        return uname(&name) < 0 ? -errno : text_copy(name.release, ret);
}

/* Those of the manager's user, not of the service's. */
static int manager_number(const char *unit, char **ret) {
        return text_format(ret, "%u", (unsigned)getuid());
}

static int manager_group_number(const char *unit, char **ret) {
        return text_format(ret, "%u", (unsigned)getgid());
}

/* Names of root alone are known without asking anybody who may block. */
static int manager_name(const char *unit, char **ret) {
        return getuid() == 0 ? text_copy("root", ret) : -ENXIO;
}

static int manager_home(const char *unit, char **ret) {
        return getuid() == 0 ? text_copy("/root", ret) : -ENXIO;
}

static int manager_shell(const char *unit, char **ret) {
        return getuid() == 0 ? text_copy("/bin/sh", ret) : -ENXIO;
}

static int credentials(const char *unit, char **ret) {
        return text_format(ret, "/run/credentials/%s", unit);
}

/* Where there is a file, unit-fragment.h has put its path there. */
static int no_fragment(const char *unit, char **ret) {
        return -ENOENT;
}

typedef struct Specifier {
        char letter;
        const char *text;  /* what it always is; NULL: as the function says, or the field */
        const char *field; /* of os-release(5); NULL: none */
        int (*get)(const char *unit, char **ret);
} Specifier;

/* clang-format off */
static const Specifier specifiers[] = {
        { '%', "%" },
        { 'A', .field = "IMAGE_VERSION" },
        { 'B', .field = "BUILD_ID" },
        { 'C', "/var/cache" },
        { 'D', "/usr/share" },
        { 'E', "/etc" },
        { 'G', .get = manager_group_number },
        { 'H', .get = long_name },
        { 'I', .get = unit_instance_plain },
        { 'J', .get = unit_last_part_plain },
        { 'L', "/var/log" },
        { 'M', .field = "IMAGE_ID" },
        { 'N', .get = unit_name_stem },
        { 'P', .get = unit_prefix_plain },
        { 'S', "/var/lib" },
        { 'T', "/tmp" },
        { 'U', .get = manager_number },
        { 'V', "/var/tmp" },
        { 'W', .field = "VARIANT_ID" },
        { 'Y', .get = no_fragment },
        { 'a', .get = architecture },
        { 'b', .get = boot_id },
        { 'd', .get = credentials },
        { 'f', .get = unit_path },
        { 'g', .get = manager_name },
        { 'h', .get = manager_home },
        { 'i', .get = unit_instance },
        { 'j', .get = unit_last_part },
        { 'l', .get = short_name },
        { 'm', .get = machine_id },
        { 'n', .get = unit_name_itself },
        { 'o', .field = "ID" },
        { 'p', .get = unit_name_prefix },
        { 'q', .get = pretty_name },
        { 's', .get = manager_shell },
        { 't', "/run" },
        { 'u', .get = manager_name },
        { 'v', .get = kernel },
        { 'w', .field = "VERSION_ID" },
        { 'y', .get = no_fragment },
};
/* clang-format on */

static const Specifier *specifier_find(char letter) {
        for (size_t i = 0; i < ELEMENTSOF(specifiers); i++)
                if (specifiers[i].letter == letter)
                        return &specifiers[i];
        return NULL;
}

/* Appends to the text under way; one that would become too long is refused before it is there. */
typedef struct Expansion {
        char *text;
        size_t size, length;
        Reason *reason;
} Expansion;

static int append(Expansion *expansion, const char *text, size_t length) {
        if (length > TEXT_SIZE_MAX - expansion->length)
                return reason_set(expansion->reason, -E2BIG, "longer than %d bytes", TEXT_SIZE_MAX);
        if (expansion->length + length >= expansion->size) {
                const size_t size = 2 * expansion->size + length + 1;
                char *const grown = realloc(expansion->text, size);

                if (!grown)
                        return -ENOMEM;
                expansion->text = grown;
                expansion->size = size;
        }
        memcpy(expansion->text + expansion->length, text, length);
        expansion->length += length;
        expansion->text[expansion->length] = '\0';
        return 0;
}

static int append_value(Expansion *expansion, char letter, const char *unit) {
        const Specifier *const specifier = specifier_find(letter);
        _cleanup_(freep) char *value = NULL;

        if (letter == '\0')
                return reason_set(expansion->reason, -EINVAL,
                                  "\"%%\" at the end; a percent sign is written \"%%%%\"");
        if (!specifier)
                return reason_set(expansion->reason, -EINVAL,
                                  "unknown specifier \"%%%c\"; a percent sign is written \"%%%%\"", letter);
        if (specifier->text)
                return append(expansion, specifier->text, strlen(specifier->text));

        const int r =
                specifier->field ? host_os_field(specifier->field, &value) : specifier->get(unit, &value);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return reason_set(expansion->reason, -EINVAL, "specifier \"%%%c\" has no value here: %s",
                                  letter, strerror(-r));
        return append(expansion, value, strlen(value));
}

static void expansion_done(Expansion *expansion) {
        free(expansion->text);
}

/* Values are taken as they are: a percent sign in one of them means itself. */
int specifier_expand(const char *text, const char *unit, char **ret, Reason *reason) {
        _cleanup_(expansion_done) Expansion expansion = { .reason = reason };
        int r = append(&expansion, "", 0);

        while (r >= 0 && *text) {
                const size_t length = strcspn(text, "%");

                r = append(&expansion, text, length);
                text += length;
                if (r < 0 || *text == '\0')
                        break;
                r = append_value(&expansion, text[1], unit);
                text += r < 0 ? 1 : 2;
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(expansion.text);
        return 0;
}
