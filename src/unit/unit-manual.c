/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Prints a page about files out of their table of settings: mkosi.unit(5), or mkosi-system.conf(5) when that is asked for by its
 * name. Run by the build, and not installed. */

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "setting/describe.h"
#include "unit/system-conf.h"
#include "unit/unit-settings.h"

static const SettingProgram pages[] = {
        {
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
                .see_also =
                        "mkosi-ctl(1), mkosi-run(1), mkosi-system.conf(5), systemd.unit(5), systemd.syntax(7), mkosi-manager(8)",
                .table = &unit_settings,
        },
        {
                .name = "mkosi-system.conf",
                .version = MKOSI_VERSION,
                .purpose = "what holds for all units that mkosi-manager runs",
                .date = MKOSI_DATE,
                .synopsis =
                        "/etc/mkosi/system.conf, /etc/mkosi/system.conf.d/*.conf, /etc/systemd/system.conf, "
                        "/etc/systemd/system.conf.d/*.conf",
                .about =
                        "The first system.conf is read that there is in /etc/mkosi, /run/mkosi, /etc/systemd, /run/systemd, "
                        "/usr/local/lib/systemd and /usr/lib/systemd. Files in system.conf.d of all these directories add to it, in the "
                        "order of their names; of one name, the first counts. So what systemd is told holds here as well, and what is "
                        "said below /etc/mkosi comes before it.\n\n"
                        "The settings are those of systemd-system.conf(5), as far as they are about units. What is said holds for units "
                        "that are loaded from then on: it is read when the manager starts, and by daemon-reload.",
                .see_also = "mkosi.unit(5), systemd-system.conf(5), mkosi-manager(8)",
                .table = &system_conf_settings,
        }
};

int main(int argc, char *argv[]) {
        for (size_t i = 0; i < ELEMENTSOF(pages); i++)
                if (argc == 2 && text_equal(argv[1], pages[i].name)) {
                        describe_manual(&pages[i], stdout);
                        return ferror(stdout) || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
                }
        (void)fputs("Which page? mkosi.unit, or mkosi-system.conf\n", stderr);
        return EXIT_FAILURE;
}
