/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>
#include <string.h>

#include "base/kernel-line.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"

/* The kernel takes a no-break space of Latin-1 for a blank, too. */
#define BLANKS " \t\n\v\f\r\xa0"
#define QUOTES "\"'"

/* What systemd-veritysetup-generator(8) calls the device on which the root file system is. */
#define VERIFIED_ROOT "/dev/mapper/root"

static bool never(const char *value) {
        return false;
}

static bool is_verified_root(const char *value) {
        return value && text_equal(value, VERIFIED_ROOT);
}

static bool is_true(const char *value) {
        bool truth;

        return !value || (parse_bool(value, &truth) == 0 && truth);
}

/* Options of veritysetup(8), behind commas. */
static bool minds_corruption(const char *value) {
        return !value || !strstr(value, "ignore-corruption");
}

/* systemd-veritysetup-generator(8), systemd-fstab-generator(8), dracut.cmdline(7). */
static const struct {
        const char *name;
        bool (*does_no_harm)(const char *value);
        const char *effect;
} verity_parameters[] = {
        { "root", is_verified_root, "mounts another root file system" },
        { "netroot", never, "mounts another root file system" },
        { "systemd.verity", is_true, "leaves the root file system unverified" },
        { "systemd.verity-root-data", never, "takes another partition for the root file system" },
        { "systemd.verity-root-hash", never, "takes another partition for the hash tree" },
        { "systemd.verity-root-options", minds_corruption, "reads what does not fit to the hash tree" },
        { "mount.usr", never, "mounts another file system on /usr" },
        { "usrhash", never, "mounts another file system on /usr" },
        { "systemd.verity-usr-data", never, "mounts another file system on /usr" },
        { "systemd.verity-usr-hash", never, "mounts another file system on /usr" },
};

int kernel_line_split(const char *line, char ***ret) {
        _cleanup_(freep) char *plain = NULL;
        size_t length = 0;

        int r = text_copy(line, &plain);
        if (r < 0)
                return r;
        for (const char *p = line; *p; p++)
                if (!strchr(QUOTES, *p))
                        plain[length++] = *p;
        plain[length] = '\0';
        return strv_split(plain, BLANKS, ret);
}

static char plain_character(char c) {
        return c == '-' ? '_' : c;
}

bool kernel_parameter_is(const char *parameter, const char *name, const char **ret_value) {
        const char *p = text_after_prefix(parameter, "rd.") ?: parameter;

        while (*name && plain_character(*p) == plain_character(*name)) {
                p++;
                name++;
        }
        if (*name || (*p && *p != '='))
                return false;
        if (ret_value)
                *ret_value = *p ? p + 1 : NULL;
        return true;
}

const char *kernel_parameter_defeats_verity(const char *parameter) {
        const char *value;

        for (size_t i = 0; i < ELEMENTSOF(verity_parameters); i++)
                if (kernel_parameter_is(parameter, verity_parameters[i].name, &value) &&
                    !verity_parameters[i].does_no_harm(value))
                        return verity_parameters[i].effect;
        return NULL;
}
