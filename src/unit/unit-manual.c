/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Prints mkosi.unit(5), out of the table of settings. Run by the build, and not installed. */

#include <stdio.h>
#include <stdlib.h>

#include "setting/describe.h"
#include "unit/unit-settings.h"

static const SettingProgram unit_files = {
        .name = "mkosi.unit",
        .version = MKOSI_VERSION,
        .purpose = "unit files as mkosi-manager reads them",
        .date = MKOSI_DATE,
        .synopsis = "NAME.service, NAME@.service, NAME.slice, NAME.target, NAME.service.d/*.conf",
        .about =
                "Units are services, slices and targets. What they are is said in files, in the directories in which "
                "systemd.unit(5) looks for them as well: below /etc/systemd, /run/systemd, /usr/local/lib/systemd and "
                "/usr/lib/systemd. Files of further directories, such as NAME.service.d, add to what the file says, "
                "in the order of their names.\n\n"
                "The settings are those of systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5) and "
                "systemd.resource-control(5), and mean the same. This page says which of them there are. Specifiers, "
                "such as %i for the instance of a template, are replaced in most values; %% stands for a percent sign.",
        .see_also = "mkosi-ctl(1), mkosi-run(1), systemd.unit(5), systemd.syntax(7), mkosi-manager(8)",
        .table = &service_settings,
};

int main(void) {
        describe_manual(&unit_files, stdout);
        return ferror(stdout) || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
