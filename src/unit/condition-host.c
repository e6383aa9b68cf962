/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel-line.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/version-order.h"
#include "sandbox/sandbox-privileges.h"
#include "unit/condition-host.h"
#include "unit/condition-path.h"
#include "unit/host.h"

#define FILE_SIZE_MAX   (4 * MIB)
#define SYSTEM_UID_MAX  999
#define FIRST_BOOT_FILE "/run/systemd/first-boot"
#define SECURE_BOOT     "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define NETLINK_AUDIT   9

int condition_architecture(const char *name) {
        _cleanup_(freep) char *own = NULL;

        if (text_equal(name, "native"))
                return 1;
        if (!host_architecture_is_known(name))
                return 0; /* of newer ones this is not one */
        const int r = host_architecture(&own);
        return r < 0 ? r : text_equal(own, name);
}

int condition_virtualization(const char *name) {
        const char *const container = host_container(), *const machine = container ? NULL : host_machine();
        bool wanted;

        if (text_equal(name, "private-users"))
                return host_has_private_users();
        if (parse_bool(name, &wanted) >= 0)
                return wanted == (container || machine);
        if (text_equal(name, "container"))
                return container != NULL;
        if (text_equal(name, "vm"))
                return machine != NULL;
        return text_equal(container ?: machine ?: "none", name);
}

int condition_host(const char *name) {
        _cleanup_(freep) char *own = NULL, *id = NULL;

        if (strlen(name) == 32 && host_machine_id(&id) >= 0 && strcasecmp(id, name) == 0)
                return 1;
        const int r = host_name(&own);
        return r < 0 ? r : fnmatch(name, own, FNM_CASEFOLD) == 0;
}

int condition_kernel_command_line(const char *parameter) {
        _cleanup_(strv_freep) char **words = NULL;
        _cleanup_(freep) char *line = NULL;
        const bool has_value = strchr(parameter, '=');

        int r = file_read(AT_FDCWD, "/proc/cmdline", FILE_SIZE_MAX, &line, NULL);
        if (r >= 0)
                r = kernel_line_split(line, &words);
        if (r < 0)
                return r;
        for (char **word = words; word && *word; word++) {
                if (!has_value)
                        (*word)[strcspn(*word, "=")] = '\0';
                if (text_equal(*word, parameter))
                        return 1;
        }
        return 0;
}

/* "1.2", ">=1.2"; an operator alone belongs to the word behind it. */
int condition_kernel_version(const char *wanted) {
        _cleanup_(strv_freep) char **words = NULL;
        struct utsname kernel;
        Order order = ORDER_NONE;

        if (uname(&kernel) < 0)
                return -errno;
        const int r = strv_split_quoted(wanted, &words);
        if (r < 0)
                return r;
        for (char **word = words; word && *word; word++) {
                const char *version = text_strip(*word);

                if (order == ORDER_NONE)
                        order = order_read(&version);
                version += strspn(version, " \t");
                if (*version == '\0')
                        continue;
                if (!order_holds_for(order == ORDER_NONE ? ORDER_MATCHES : order, kernel.release, version))
                        return 0;
                order = ORDER_NONE;
        }
        return words && order == ORDER_NONE ? 1 : -EINVAL;
}

/* What is built in has no state. */
int condition_kernel_module_loaded(const char *name) {
        _cleanup_(freep) char *path = NULL, *state = NULL;

        if (strchr(name, '/') || name[0] == '.' || name[0] == '\0')
                return -EINVAL;
        int r = text_format(&path, "/sys/module/%s/initstate", name);
        if (r < 0)
                return r;
        for (char *at = path + strlen("/sys/module/"); *at != '/'; at++)
                if (*at == '-')
                        *at = '_';
        r = file_read(AT_FDCWD, path, FILE_SIZE_MAX, &state, NULL);
        if (r >= 0)
                return text_equal(text_strip(state), "live");
        if (r != -ENOENT)
                return r;
        *strrchr(path, '/') = '\0';
        return condition_path_exists(path);
}

static int has_audit(void) {
        _cleanup_(fd_closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

        return fd >= 0;
}

/* Four bytes of attributes, and a truth value. */
static int has_secure_boot(void) {
        _cleanup_(freep) char *value = NULL;
        size_t size;

        const int r = file_read(AT_FDCWD, SECURE_BOOT, FILE_SIZE_MAX, &value, &size);
        return r == -ENOENT ? 0 : r < 0 ? r : size == 5 && value[4] == 1;
}

static int has_app_armor(void) {
        _cleanup_(freep) char *value = NULL;

        const int r =
                file_read(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", FILE_SIZE_MAX, &value, NULL);
        return r == -ENOENT ? 0 : r < 0 ? r : value[0] == 'Y';
}

int condition_security(const char *technology) {
        static const struct {
                const char *name, *path;
                int (*find)(void); /* NULL: it is there when the path is */
        } technologies[] = {
                { "selinux", "/sys/fs/selinux/enforce", NULL },
                { "smack", "/sys/fs/smackfs", NULL },
                { "apparmor", NULL, has_app_armor },
                { "tomoyo", "/sys/kernel/security/tomoyo/version", NULL },
                { "ima", "/sys/kernel/security/ima", NULL },
                { "audit", NULL, has_audit },
                { "uefi-secureboot", NULL, has_secure_boot },
                { "tpm2", "/sys/class/tpmrm/tpmrm0", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(technologies); i++)
                if (text_equal(technologies[i].name, technology))
                        return technologies[i].find ? technologies[i].find()
                                                    : condition_path_exists(technologies[i].path);
        return -EINVAL;
}

int condition_capability(const char *name) {
        const int number = sandbox_capability_find(name);

        return number < 0 ? number : prctl(PR_CAPBSET_READ, number, 0, 0, 0) > 0;
}

/* The first line of a file below /sys says that. */
static bool says(const char *directory, const char *file, const char *wanted) {
        _cleanup_(freep) char *path = NULL, *text = NULL;

        return text_format(&path, "%s/%s", directory, file) >= 0 &&
               file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text, NULL) >= 0 &&
               text_equal(text_strip(text), wanted);
}

/* A machine without a battery that is used up has power. */
static bool has_ac_power(void) {
        bool online = false, discharging = false;
        glob_t supplies = {};

        (void)glob("/sys/class/power_supply/*", GLOB_NOSORT, NULL, &supplies);
        for (size_t i = 0; i < supplies.gl_pathc; i++) {
                const char *const supply = supplies.gl_pathv[i];

                if (says(supply, "scope", "Device"))
                        continue; /* that of a mouse */
                if (says(supply, "type", "Battery"))
                        discharging = discharging || says(supply, "status", "Discharging");
                else
                        online = online || says(supply, "online", "1");
        }
        globfree(&supplies);
        return online || !discharging;
}

int condition_ac_power(const char *truth) {
        bool wanted;

        const int r = parse_bool(truth, &wanted);
        return r < 0 ? r : wanted == has_ac_power();
}

int condition_first_boot(const char *truth) {
        bool wanted;

        const int r = parse_bool(truth, &wanted);
        return r < 0 ? r : wanted == (access(FIRST_BOOT_FILE, F_OK) == 0);
}

/* "N:names:path" of each hierarchy of version 1, and the names that version 2 has. */
static int list_controllers(char ***ret) {
        static const char *const roots[] = { "/sys/fs/cgroup/cgroup.controllers",
                                             "/sys/fs/cgroup/unified/cgroup.controllers" };
        _cleanup_(strv_freep) char **controllers = NULL, **lines = NULL;
        _cleanup_(freep) char *text = NULL;

        int r = file_read(AT_FDCWD, "/proc/self/cgroup", FILE_SIZE_MAX, &text, NULL);
        if (r >= 0)
                r = strv_split(text, "\n", &lines);
        for (char **line = lines; r >= 0 && line && *line; line++) {
                _cleanup_(strv_freep) char **names = NULL;
                char *const colon = strchr(*line, ':');

                if (!colon)
                        continue;
                colon[1 + strcspn(colon + 1, ":")] = '\0';
                r = strv_split(colon + 1, ",", &names);
                if (r >= 0)
                        r = strv_extend(&controllers, STRV(names));
        }
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(roots); i++) {
                _cleanup_(strv_freep) char **names = NULL;
                _cleanup_(freep) char *unified = NULL;

                if (file_read(AT_FDCWD, roots[i], FILE_SIZE_MAX, &unified, NULL) < 0)
                        continue;
                r = strv_split(unified, " \n", &names);
                if (r >= 0)
                        r = strv_extend(&controllers, STRV(names));
        }
        if (r >= 0)
                *ret = TAKE_PTR(controllers);
        return r;
}

int condition_control_group_controller(const char *names) {
        _cleanup_(strv_freep) char **controllers = NULL, **wanted = NULL;

        /* Where both versions are, the first one counts. */
        if (text_equal(names, "v1") || text_equal(names, "v2"))
                return (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0) == text_equal(names, "v2");
        int r = list_controllers(&controllers);
        if (r >= 0)
                r = strv_split(names, " ", &wanted);
        for (char **name = wanted; r >= 0 && name && *name; name++) {
                static const char *const known[] = { "cpu",    "cpuset",  "cpuacct", "io",      "blkio",
                                                     "memory", "devices", "pids",    "freezer", "hugetlb",
                                                     "rdma",   "misc",    NULL };

                if (!strv_contains(known, *name))
                        continue; /* as of one that nobody can have */
                if (!strv_contains(STRV(controllers), *name))
                        return 0;
        }
        return r < 0 ? r : 1;
}

/* Without an operator, at least so many. */
static int compare_number(uint64_t value, const char *wanted, int (*parse)(const char *text, uint64_t *ret)) {
        const Order order = order_read(&wanted);
        uint64_t number;

        const int r = parse(wanted + strspn(wanted, " \t"), &number);
        return r < 0 ? r
                     : order_holds(order == ORDER_NONE ? ORDER_GREATER_OR_EQUAL : order,
                                   (value > number) - (value < number));
}

int condition_cpus(const char *wanted) {
        const long n = sysconf(_SC_NPROCESSORS_ONLN);
        cpu_set_t set;

        return compare_number(sched_getaffinity(0, sizeof(set), &set) == 0 ? (uint64_t)CPU_COUNT(&set)
                                                                           : (uint64_t)n,
                              wanted, parse_uint64);
}

/* "flags : fpu vme …", on other architectures "Features", of the first processor. */
int condition_cpu_feature(const char *name) {
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(freep) char *text = NULL;

        int r = file_read(AT_FDCWD, "/proc/cpuinfo", FILE_SIZE_MAX, &text, NULL);
        if (r >= 0)
                r = strv_split(text, "\n", &lines);
        for (char **line = lines; r >= 0 && line && *line; line++) {
                _cleanup_(strv_freep) char **words = NULL;

                if (!text_after_prefix(*line, "flags") && !text_after_prefix(*line, "Features"))
                        continue;
                r = strv_split(strchr(*line, ':') ?: "", " :", &words);
                return r < 0 ? r : strv_contains(STRV(words), name);
        }
        return r < 0 ? r : 0;
}

int condition_memory(const char *wanted) {
        return compare_number((uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE), wanted,
                              parse_size);
}

int condition_environment(const char *variable) {
        const char *const equals = strchr(variable, '=');
        _cleanup_(freep) char *name = NULL;

        if (!equals)
                return getenv(variable) != NULL;
        name = strndup(variable, (size_t)(equals - variable));
        if (!name)
                return -ENOMEM;
        const char *const value = getenv(name);
        return value && text_equal(value, equals + 1);
}

/* "VERSION_ID>=12": without blanks between. Texts are the same, or not; versions come before and behind each other. */
static int compare_field(const char *wanted) {
        const size_t length = strspn(wanted, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
        const char *rest = wanted + length;
        _cleanup_(freep) char *name = strndup(wanted, length), *value = NULL;
        Order order = order_read(&rest);

        if (!name)
                return -ENOMEM;
        if (order == ORDER_NONE || length == 0)
                return -EINVAL;
        const int r = host_os_field(name, &value);
        if (r < 0)
                return r;
        if (order == ORDER_EQUAL || order == ORDER_UNEQUAL)
                order = order == ORDER_EQUAL ? ORDER_SAME : ORDER_OTHER;
        return order_holds_for(order, value, rest);
}

int condition_os_release(const char *wanted) {
        _cleanup_(strv_freep) char **words = NULL;

        int r = strv_split_quoted(wanted, &words);
        if (r < 0)
                return r;
        r = words ? 1 : -EINVAL;
        for (char **word = words; r > 0 && word && *word; word++)
                r = compare_field(*word);
        return r;
}

/* One of the words between NULs. */
static int is_compatible(const char *wanted, size_t length) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        const int r = file_read(AT_FDCWD, "/proc/device-tree/compatible", FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (const char *word = text; word < text + size; word += strlen(word) + 1)
                if (strlen(word) == length && strncmp(word, wanted, length) == 0)
                        return 1;
        return 0;
}

int condition_firmware(const char *kind) {
        const char *const compatible = text_after_prefix(kind, "device-tree-compatible(");

        if (compatible && text_ends_with(compatible, ")"))
                return is_compatible(compatible, strlen(compatible) - 1);
        if (text_equal(kind, "uefi"))
                return condition_path_exists("/sys/firmware/efi");
        if (text_equal(kind, "device-tree"))
                return condition_path_exists("/sys/firmware/devicetree/base");
        return -EINVAL;
}

int condition_credential(const char *name) {
        const char *const directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_(freep) char *path = NULL;

        if (strchr(name, '/') || name[0] == '.' || name[0] == '\0')
                return -EINVAL;
        if (!directory)
                return 0;
        const int r = text_format(&path, "%s/%s", directory, name);
        return r < 0 ? r : condition_path_exists(path);
}

/* passwd(5) and group(5): the number in the third field of the line of that name. -ENODATA when there is none. */
static int find_number(const char *file, const char *name, uint64_t *ret) {
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(freep) char *text = NULL;

        int r = file_read(AT_FDCWD, file, FILE_SIZE_MAX, &text, NULL);
        if (r >= 0)
                r = strv_split(text, "\n", &lines);
        for (char **line = lines; r >= 0 && line && *line; line++) {
                const char *const rest = text_after_prefix(*line, name);
                char *number;

                if (!rest || rest[0] != ':' || !(number = strchr(rest + 1, ':')))
                        continue;
                number++;
                number[strcspn(number, ":")] = '\0';
                return parse_uint64(number, ret);
        }
        return r < 0 ? r : -ENODATA;
}

/* The number that a user or a group is meant by; -ENODATA when nobody has the name. */
static int read_number(const char *file, const char *text, uint64_t *ret) {
        if (parse_uint64(text, ret) >= 0)
                return 0;
        *ret = 0;
        return text_equal(text, "root") ? 0 : find_number(file, text, ret);
}

int condition_user(const char *user) {
        uint64_t number;

        if (text_equal(user, "@system"))
                return getuid() <= SYSTEM_UID_MAX || geteuid() <= SYSTEM_UID_MAX;
        const int r = read_number("/etc/passwd", user, &number);
        if (r < 0)
                return r == -ENODATA ? 0 : r;
        return number == getuid() || number == geteuid();
}

int condition_group(const char *group) {
        gid_t groups[1024];
        uint64_t number;

        const int r = read_number("/etc/group", group, &number);
        if (r < 0)
                return r == -ENODATA ? 0 : r;
        if (number == getgid() || number == getegid())
                return 1;
        const int n = getgroups((int)ELEMENTSOF(groups), groups);
        for (int i = 0; i < n; i++)
                if (groups[i] == number)
                        return 1;
        return n < 0 ? -errno : 0;
}
