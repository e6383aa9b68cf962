/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config/config.h"

/* Everything that users may set. Help, manual, completion, summary, JSON and mkosi.default.example come out of this
 * table; a new setting is a member in config.h and a row in the file of its section. */

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

#define PARTITION_PLANNED "images have no such partition yet"

static const SettingSection sections[] = {
        { "Config", "Which further settings are read." },
        { "Distribution", "Which distribution is installed, and from where." },
        { "Output", "What is made of it, and under which name." },
        { "Packages", "What goes into the image besides the distribution's base." },
        { "Partitions",
          "Sizes of the partitions of a disk image: whole bytes, or with suffix K, M or G (powers of 1024)." },
        { "Validation", "How the image is protected, and how users can tell that it is what was built." },
        { "Host", "The machine that builds." },
};

/* clang-format off */
static const Setting rows[] = {
#include "config/settings-command-line.inc"
#include "config/settings-config.inc"
#include "config/settings-distribution.inc"
#include "config/settings-host.inc"
#include "config/settings-output.inc"
#include "config/settings-packages.inc"
#include "config/settings-partitions.inc"
#include "config/settings-validation.inc"
};
/* clang-format on */

const SettingTable config_table = {
        .sections = sections,
        .n_sections = ELEMENTSOF(sections),
        .rows = rows,
        .n_rows = ELEMENTSOF(rows),
};
