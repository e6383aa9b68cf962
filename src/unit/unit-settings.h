/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What unit files say: plain data, one member per setting, filled from one table. Values stay as they were written where
 * reading them takes the name of the unit (specifiers) or more than one line (lists that are allowed and denied): what
 * follows from them is an ExecContext. */

#include <signal.h>

#include "setting/setting.h"

/* A truth value that may be left open, so that something else decides. */
typedef enum Truth { TRUTH_OPEN, TRUTH_NO, TRUTH_YES } Truth;

/* A length of time that may be left open. */
typedef struct Duration {
        bool set;
        uint64_t usec; /* TIME_SPAN_INFINITY: for ever */
} Duration;

/* A resource limit, setrlimit(2). */
typedef struct Limit {
        bool set;
        uint64_t soft, hard; /* UINT64_MAX: none */
} Limit;

/* A small number that may be left open and may be negative (Nice=, OOMScoreAdjust=). */
typedef struct Level {
        bool set;
        int value;
} Level;

/* Permission bits that may be left open. */
typedef struct Mode {
        bool set;
        mode_t bits;
} Mode;

/* Types of settings that only units have. */
/* clang-format off */
extern const SettingType setting_type_truth;    /* Truth */
extern const SettingType setting_type_duration; /* Duration; a number alone is in seconds */
extern const SettingType setting_type_timeout;  /* Duration, of which 0 is for ever too */
extern const SettingType setting_type_limit;    /* Limit, "SOFT:HARD" or one for both; numbers, or sizes with suffix */
extern const SettingType setting_type_limit_seconds; /* the same of lengths of time, in seconds */
extern const SettingType setting_type_limit_usec;    /* and in microseconds, which a number alone counts as well */
extern const SettingType setting_type_tasks;    /* char *, a number, a part of what there can be ("15%"), "infinity" */
extern const SettingType setting_type_level;    /* Level */
extern const SettingType setting_type_nice;     /* Level, -20 to 19 */
extern const SettingType setting_type_oom_score; /* Level, -1000 to 1000 */
extern const SettingType setting_type_mode;     /* Mode, octal */
extern const SettingType setting_type_signal;   /* int, "SIGTERM", "TERM", "15"; 0 unset */
extern const SettingType setting_type_asked;    /* bool: something is asked for, by anything but "no" or one of the words */
extern const SettingType setting_type_lines;    /* char **, each assignment is one item, as it was written */
/* char **, as of lines, "[|][!]ARGUMENT" each; two types, since an empty value takes back all of the same type */
extern const SettingType setting_type_condition, setting_type_assertion;
/* clang-format on */

typedef Truth SettingMember_truth;
typedef Duration SettingMember_duration, SettingMember_timeout;
typedef Limit SettingMember_limit, SettingMember_limit_seconds, SettingMember_limit_usec;
typedef char *SettingMember_tasks;
typedef Level SettingMember_level, SettingMember_nice, SettingMember_oom_score;
typedef Mode SettingMember_mode;
typedef int SettingMember_signal;
typedef bool SettingMember_asked;
typedef char **SettingMember_lines, **SettingMember_condition, **SettingMember_assertion;

typedef enum ServiceType {
        SERVICE_SIMPLE,
        SERVICE_EXEC,
        SERVICE_FORKING,
        SERVICE_ONESHOT,
        SERVICE_NOTIFY,
        SERVICE_TYPE_MAX
} ServiceType;

typedef enum RestartWhen {
        RESTART_NO,
        RESTART_ON_SUCCESS,
        RESTART_ON_FAILURE,
        RESTART_ON_ABNORMAL,
        RESTART_ON_ABORT,
        RESTART_ALWAYS,
        RESTART_ON_WATCHDOG,
        RESTART_MAX
} RestartWhen;

typedef enum KillMode { KILL_CONTROL_GROUP, KILL_MIXED, KILL_PROCESS, KILL_NONE, KILL_MODE_MAX } KillMode;

typedef enum NotifyAccess {
        NOTIFY_OPEN,
        NOTIFY_NONE,
        NOTIFY_MAIN,
        NOTIFY_EXEC,
        NOTIFY_ALL,
        NOTIFY_MAX
} NotifyAccess;

/* When nobody needs to know of a unit any more: when it is inactive, or when it has failed as well. */
typedef enum CollectMode { COLLECT_INACTIVE, COLLECT_INACTIVE_OR_FAILED, COLLECT_MODE_MAX } CollectMode;

typedef enum ProtectSystem {
        PROTECT_SYSTEM_NO,
        PROTECT_SYSTEM_YES,
        PROTECT_SYSTEM_FULL,
        PROTECT_SYSTEM_STRICT,
        PROTECT_SYSTEM_MAX
} ProtectSystem;

typedef enum ProtectHome {
        PROTECT_HOME_NO,
        PROTECT_HOME_YES,
        PROTECT_HOME_READ_ONLY,
        PROTECT_HOME_TMPFS,
        PROTECT_HOME_MAX
} ProtectHome;

typedef enum IoClass {
        IO_CLASS_OPEN,
        IO_CLASS_NONE,
        IO_CLASS_REALTIME,
        IO_CLASS_BEST_EFFORT,
        IO_CLASS_IDLE,
        IO_CLASS_MAX
} IoClass;

typedef enum CpuPolicy {
        CPU_POLICY_OPEN,
        CPU_POLICY_OTHER,
        CPU_POLICY_BATCH,
        CPU_POLICY_IDLE,
        CPU_POLICY_FIFO,
        CPU_POLICY_RR,
        CPU_POLICY_MAX
} CpuPolicy;

typedef enum ProtectProc {
        PROTECT_PROC_DEFAULT,
        PROTECT_PROC_NOACCESS,
        PROTECT_PROC_INVISIBLE,
        PROTECT_PROC_PTRACEABLE,
        PROTECT_PROC_MAX
} ProtectProc;

typedef enum ProcSubset { PROC_SUBSET_ALL, PROC_SUBSET_PID, PROC_SUBSET_MAX } ProcSubset;

typedef enum ProtectHostname {
        PROTECT_HOSTNAME_NO,
        PROTECT_HOSTNAME_YES,
        PROTECT_HOSTNAME_PRIVATE,
        PROTECT_HOSTNAME_MAX
} ProtectHostname;

typedef enum PrivateUsers {
        PRIVATE_USERS_NO,
        PRIVATE_USERS_SELF,
        PRIVATE_USERS_IDENTITY,
        PRIVATE_USERS_MAX
} PrivateUsers;

typedef enum KeyringMode {
        KEYRING_OPEN,
        KEYRING_INHERIT,
        KEYRING_PRIVATE,
        KEYRING_SHARED,
        KEYRING_MAX
} KeyringMode;

/* Which mounts of the host that are made later the service sees; those of the service are never seen outside. */
typedef enum MountFlags {
        MOUNT_FLAGS_OPEN,
        MOUNT_FLAGS_SHARED,
        MOUNT_FLAGS_SLAVE,
        MOUNT_FLAGS_PRIVATE,
        MOUNT_FLAGS_MAX
} MountFlags;

typedef enum Preserve { PRESERVE_NO, PRESERVE_YES, PRESERVE_RESTART, PRESERVE_MAX } Preserve;

/* The five kinds of directories that a service may ask for by name. */
typedef enum ExecDirectoryType {
        EXEC_DIRECTORY_RUNTIME,
        EXEC_DIRECTORY_STATE,
        EXEC_DIRECTORY_CACHE,
        EXEC_DIRECTORY_LOGS,
        EXEC_DIRECTORY_CONFIGURATION,
        EXEC_DIRECTORY_TYPES
} ExecDirectoryType;

/* The commands of a service, in the order in which they may run. */
typedef enum ServiceCommand {
        SERVICE_CONDITION,
        SERVICE_START_PRE,
        SERVICE_START,
        SERVICE_START_POST,
        SERVICE_RELOAD,
        SERVICE_STOP,
        SERVICE_STOP_POST,
        SERVICE_COMMANDS
} ServiceCommand;

/* What a unit can ask for before it is started, in the order in which it is looked at: Condition… passes over the start, and
 * Assert… has it fail. Each with the function of condition-path.h or condition-host.h that looks, and what the argument is. */
/* clang-format off */
#define CONDITIONS(row)                                                                                                  \
        row(Architecture, condition_architecture, "The processor is of this architecture, such as x86-64, or native.")    \
        row(Firmware, condition_firmware, "The firmware is uefi, device-tree or device-tree-compatible(NAME).")           \
        row(Virtualization, condition_virtualization, "It runs in vm, container, private-users, or what is named; or a truth value.") \
        row(Host, condition_host, "The machine's name fits this pattern, or its ID is this.")                             \
        row(KernelCommandLine, condition_kernel_command_line, "The kernel was started with this parameter, NAME or NAME=VALUE.") \
        row(KernelVersion, condition_kernel_version, "The kernel's version fits these patterns or comparisons, such as >=5.4.") \
        row(KernelModuleLoaded, condition_kernel_module_loaded, "The kernel has this module.")                            \
        row(Credential, condition_credential, "The manager was given this credential.")                                   \
        row(Environment, condition_environment, "The manager's environment has this variable, NAME or NAME=VALUE.")       \
        row(Security, condition_security, "The kernel has selinux, smack, apparmor, tomoyo, ima, audit, uefi-secureboot or tpm2.") \
        row(Capability, condition_capability, "This capability can be had at all.")                                       \
        row(ACPower, condition_ac_power, "Whether the machine is on mains.")                                              \
        row(NeedsUpdate, condition_needs_update, "/usr is newer than what was made of it in /etc or /var.")               \
        row(FirstBoot, condition_first_boot, "Whether this is the first boot of the system.")                             \
        row(PathExists, condition_path_exists, "There is something of this path.")                                        \
        row(PathExistsGlob, condition_path_exists_glob, "There is something whose path fits this pattern.")               \
        row(PathIsDirectory, condition_path_is_directory, "The path is that of a directory.")                             \
        row(PathIsSymbolicLink, condition_path_is_symbolic_link, "The path is that of a symbolic link.")                  \
        row(PathIsMountPoint, condition_path_is_mount_point, "Something is mounted at this path.")                        \
        row(PathIsReadWrite, condition_path_is_read_write, "The file system of this path is not read-only.")              \
        row(DirectoryNotEmpty, condition_directory_not_empty, "The path is that of a directory with something in it.")    \
        row(FileNotEmpty, condition_file_not_empty, "The path is that of a file with something in it.")                   \
        row(FileIsExecutable, condition_file_is_executable, "The path is that of a file that can be executed.")           \
        row(User, condition_user, "The manager runs as this user; @system is any of the system's.")                       \
        row(Group, condition_group, "The manager is in this group.")                                                      \
        row(ControlGroupController, condition_control_group_controller, "The kernel has these controllers; or the version of control groups, v1 or v2.") \
        row(CPUs, condition_cpus, "There are at least so many processors; or a comparison.")                              \
        row(CPUFeature, condition_cpu_feature, "The processor has this feature, as /proc/cpuinfo names it.")              \
        row(Memory, condition_memory, "There is at least so much memory; or a comparison.")                               \
        row(OSRelease, condition_os_release, "Fields of os-release(5) compare so, such as ID=debian.")
/* clang-format on */
#define CONDITION_NUMBER(name, function, about) CONDITION_##name,
enum { CONDITIONS(CONDITION_NUMBER) CONDITION_KINDS };

/* Settings that would confine a service and are not there yet: a unit is refused that asks for one. Each with the words,
 * besides those for "no", that ask for nothing. */
/* clang-format off */
#define SERVICE_REFUSED(row)              \
        row(AppArmorProfile)              \
        row(BPFProgram)                   \
        row(DeviceAllow)                  \
        row(DevicePolicy, "auto")         \
        row(ExtensionDirectories)         \
        row(ExtensionImages)              \
        row(IPAddressAllow)               \
        row(IPAddressDeny)                \
        row(IPEgressFilterPath)           \
        row(IPIngressFilterPath)          \
        row(MountImages)                  \
        row(PAMName)                      \
        row(PrivateBPF)                   \
        row(PrivateIPC)                   \
        row(PrivatePIDs)                  \
        row(RestrictFileSystems)          \
        row(RestrictNetworkInterfaces)    \
        row(RootDirectory, "/")           \
        row(RootEphemeral)                \
        row(RootHash)                     \
        row(RootHashSignature)            \
        row(RootImage)                    \
        row(RootVerity)                   \
        row(SELinuxContext)               \
        row(SmackProcessLabel)            \
        row(SocketBindAllow)              \
        row(SocketBindDeny)

/* The same of a slice, which would confine all services in it. */
#define SERVICE_REFUSED_OF_SLICE(row)     \
        row(BPFProgram)                   \
        row(DeviceAllow)                  \
        row(DevicePolicy, "auto")         \
        row(IPAddressAllow)               \
        row(IPAddressDeny)                \
        row(IPEgressFilterPath)           \
        row(IPIngressFilterPath)          \
        row(RestrictNetworkInterfaces)    \
        row(SocketBindAllow)              \
        row(SocketBindDeny)
/* clang-format on */
#define SERVICE_REFUSED_MEMBER(name, ...) bool name;

#define SERVICE_LIMITS 16 /* RLIM_NLIMITS, in the order of the kernel's numbers */

typedef struct UnitSettings {
        /* [Unit] */
        char *description;
        char **documentation;
        char **after, **before, **requires, **wants, **binds_to, **part_of, **conflicts, **joins_namespace_of;
        Truth default_dependencies;
        Duration start_limit_interval;
        Level start_limit_burst;
        char **conditions[CONDITION_KINDS], **assertions[CONDITION_KINDS];
        unsigned collect_mode;

        /* [Install] */
        char **wanted_by, **required_by, **also, **alias;
        char *default_instance;

        /* [Service]: what is run, and when again */
        unsigned type;
        char **commands[SERVICE_COMMANDS];
        bool remain_after_exit;
        char *pid_file;
        unsigned restart;
        Duration restart_delay;
        char **success_exit_status, **restart_prevent_exit_status, **restart_force_exit_status;
        Duration timeout_start, timeout_stop, timeout_both, runtime_max, watchdog;
        unsigned notify_access;
        unsigned kill_mode;
        int kill_signal, final_kill_signal;
        bool send_sighup;
        Truth send_sigkill;

        /* [Service]: surroundings */
        char **environment, **environment_file, **pass_environment, **unset_environment;
        char *working_directory;
        char *standard_input, *standard_output, *standard_error;
        char **standard_input_data, **standard_input_text;
        char *tty_path;
        char *syslog_identifier;
        Duration log_rate_limit_interval;
        Level log_rate_limit_burst;
        Mode umask;
        Level nice, oom_score_adjust;
        Truth ignore_sigpipe;
        unsigned io_class, cpu_policy;
        Level io_priority, cpu_priority;
        Truth cpu_reset_on_fork;
        char **cpu_affinity;
        char *timer_slack;
        Limit limits[SERVICE_LIMITS];

        /* [Service]: who */
        char *user, *group;
        char **supplementary_groups;
        Truth dynamic_user;
        Truth remove_ipc;

        /* [Service]: directories */
        char **directories[EXEC_DIRECTORY_TYPES];
        Mode directory_modes[EXEC_DIRECTORY_TYPES];
        unsigned runtime_directory_preserve;

        /* [Service]: confinement */
        unsigned protect_system, protect_home;
        unsigned protect_proc, proc_subset, protect_hostname;
        Truth private_tmp, private_network, private_devices, private_mounts;
        char *network_namespace_path, *ipc_namespace_path;
        unsigned private_users, mount_flags;
        Truth protect_kernel_tunables, protect_control_groups, protect_kernel_logs, protect_kernel_modules;
        Truth protect_clock;
        char **read_write_paths, **read_only_paths, **inaccessible_paths;
        char **exec_paths, **no_exec_paths;
        char **bind_paths, **bind_read_only_paths, **temporary_file_system;
        Truth lock_personality, restrict_realtime;
        char *personality;
        unsigned keyring_mode;
        char **secure_bits, **restrict_namespaces, **system_call_architectures, **system_call_log;
        char *system_call_error_number;
        Truth no_new_privileges, restrict_suid_sgid, memory_deny_write_execute;
        char **restrict_address_families, **system_call_filter;
        char **capability_bounding_set, **ambient_capabilities;
        struct {
                SERVICE_REFUSED(SERVICE_REFUSED_MEMBER)
        } refused;
        struct {
                SERVICE_REFUSED_OF_SLICE(SERVICE_REFUSED_MEMBER)
        } refused_of_slice;

        /* [Service], [Slice]: control groups */
        char *slice;
        Truth cpu_accounting, tasks_accounting, memory_accounting, ip_accounting;
        char *tasks_max;
        bool delegate;
} UnitSettings;

/* Whether it is to run as a user of its own, and confined as such: also when User= then names one of the host (user-name.h). */
static inline bool service_is_dynamic(const UnitSettings *settings) {
        return settings->dynamic_user == TRUTH_YES;
}

extern const SettingTable unit_settings;
