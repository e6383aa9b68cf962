/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/resource.h>

#include "unit/unit-settings.h"

/* Everything that unit files may say: a new setting is a member in service.h and a row here. The names and what they mean are
 * those of systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5) and systemd.resource-control(5). */

#define NAMES(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

#define REFUSED_ROW(of, member, key, ...)                  \
        { .section = of,                                   \
          .name = #key,                                    \
          SETTING_MEMBER(UnitSettings, member.key, asked), \
          .words = NAMES(__VA_ARGS__),                     \
          .flags = SETTING_STRICT,                         \
          .planned = "it would confine what it is said of, and is not there yet" },
#define REFUSED(key, ...)          REFUSED_ROW("Service", refused, key, __VA_ARGS__)
#define REFUSED_OF_SLICE(key, ...) REFUSED_ROW("Slice", refused_of_slice, key, __VA_ARGS__)

#define CONDITION_ROW(prefix, member_type, list, key, text)                 \
        { .section = "Unit",                                                \
          .name = prefix #key,                                              \
          SETTING_MEMBER(UnitSettings, list[CONDITION_##key], member_type), \
          .flags = SETTING_EMPTY_TAKES_BACK_ALL,                            \
          .about = text },
#define CONDITION(key, function, text) \
        CONDITION_ROW("Condition", condition, conditions, key, "Otherwise, it is not started: " text)
#define ASSERTION(key, function, text) \
        CONDITION_ROW("Assert", assertion, assertions, key, "Otherwise, its start fails: " text)

/* clang-format off */
static const char *const service_type_words[SERVICE_TYPE_MAX + 1] = { "simple", "exec", "forking", "oneshot", "notify" };
static const char *const restart_words[RESTART_MAX + 1] = { "no", "on-success", "on-failure", "on-abnormal", "on-abort", "always", "on-watchdog" };
static const char *const kill_mode_words[KILL_MODE_MAX + 1] = { "control-group", "mixed", "process", "none" };
static const char *const notify_words[NOTIFY_MAX + 1] = { "", "none", "main", "exec", "all" };
static const char *const collect_mode_words[COLLECT_MODE_MAX + 1] = { "inactive", "inactive-or-failed" };
static const char *const preserve_words[PRESERVE_MAX + 1] = { "no", "yes", "restart" };
static const char *const protect_system_words[PROTECT_SYSTEM_MAX + 1] = { "no", "yes", "full", "strict" };
static const char *const protect_home_words[PROTECT_HOME_MAX + 1] = { "no", "yes", "read-only", "tmpfs" };
static const char *const io_class_words[IO_CLASS_MAX + 1] = { "", "none", "realtime", "best-effort", "idle" };
static const char *const cpu_policy_words[CPU_POLICY_MAX + 1] = { "", "other", "batch", "idle", "fifo", "rr" };
static const char *const protect_proc_words[PROTECT_PROC_MAX + 1] = { "default", "noaccess", "invisible", "ptraceable" };
static const char *const proc_subset_words[PROC_SUBSET_MAX + 1] = { "all", "pid" };
static const char *const protect_hostname_words[PROTECT_HOSTNAME_MAX + 1] = { "no", "yes", "private" };
static const char *const private_users_words[PRIVATE_USERS_MAX + 1] = { "no", "yes", "identity" };
static const char *const keyring_words[KEYRING_MAX + 1] = { "", "inherit", "private", "shared" };
static const char *const mount_flags_words[MOUNT_FLAGS_MAX + 1] = { "", "shared", "slave", "private" };

/* The other ways to say "yes" and "no" that parse_bool() knows. */
static const SettingAlias truth_aliases[] = {
        { "true", "yes" }, { "1", "yes" }, { "on", "yes" }, { "y", "yes" }, { "t", "yes" },
        { "false", "no" }, { "0", "no" },  { "off", "no" }, { "n", "no" },  { "f", "no" },
        {},
};

static const SettingAlias io_class_aliases[] = {
        { "0", "none" }, { "1", "realtime" }, { "2", "best-effort" }, { "3", "idle" }, {},
};

static const SettingAlias private_users_aliases[] = {
        { "true", "yes" }, { "1", "yes" }, { "on", "yes" }, { "y", "yes" }, { "t", "yes" },
        { "false", "no" }, { "0", "no" },  { "off", "no" }, { "n", "no" },  { "f", "no" },
        { "self", "yes" },
        {},
};

/* What differs from them only in what is not there: jobs to wait for, and a signal to reload. */
static const SettingAlias service_type_aliases[] = { { "idle", "simple" }, { "notify-reload", "notify" }, {} };
/* clang-format on */

static const SettingSection sections[] = {
        { "Unit", "What the unit is, and which others it needs." },
        { "Install", "What enabling the unit means." },
        { "Service", "What is run, as whom, and what it may do." },
        { "Slice", "What the units in a slice have in common." },
};

/* clang-format off */
static const Setting rows[] = {
        { .section = "Unit", .name = "Description", SETTING_MEMBER(UnitSettings, description, text),
          .about = "What the unit is called in messages and in status." },
        { .section = "Unit", .name = "Documentation", SETTING_MEMBER(UnitSettings, documentation, lines),
          .about = "Where more is to be read: URIs, separated by blanks." },
        { .section = "Unit", .name = "After", SETTING_MEMBER(UnitSettings, after, word_list),
          .about = "Units that this one is started behind, and stopped before, if both are asked for." },
        { .section = "Unit", .name = "Before", SETTING_MEMBER(UnitSettings, before, word_list),
          .about = "The opposite of After=." },
        { .section = "Unit", .name = "Requires", SETTING_MEMBER(UnitSettings, requires, word_list),
          .about = "Units that are started along; this one is stopped when one of them is." },
        { .section = "Unit", .name = "Wants", SETTING_MEMBER(UnitSettings, wants, word_list),
          .about = "Units that are started along, whether or not that works." },
        { .section = "Unit", .name = "BindsTo", SETTING_MEMBER(UnitSettings, binds_to, word_list),
          .about = "As Requires=; and this unit is stopped when one of these ends by itself." },
        { .section = "Unit", .name = "PartOf", SETTING_MEMBER(UnitSettings, part_of, word_list),
          .about = "Units with which this one is stopped and restarted." },
        { .section = "Unit", .name = "Conflicts", SETTING_MEMBER(UnitSettings, conflicts, word_list),
          .about = "Units that are stopped when this one is started." },
        { .section = "Unit", .name = "JoinsNamespaceOf", SETTING_MEMBER(UnitSettings, joins_namespace_of, word_list),
          .about = "Units whose network and temporary files are shared, where both have PrivateNetwork= or "
                   "PrivateTmp=." },
        { .section = "Unit", .name = "DefaultDependencies", SETTING_MEMBER(UnitSettings, default_dependencies, truth),
          .about = "Whether the unit is ordered behind the basic system, and stopped at shutdown." },
        { .section = "Unit", .name = "StartLimitIntervalSec", .old_names = NAMES("StartLimitInterval"), SETTING_MEMBER(UnitSettings, start_limit_interval, duration),
          .about = "The time in which StartLimitBurst= starts are allowed; 0 allows any number." },
        { .section = "Unit", .name = "StartLimitBurst", SETTING_MEMBER(UnitSettings, start_limit_burst, level),
          .about = "How many starts are allowed in StartLimitIntervalSec=." },
        { .section = "Unit", .name = "CollectMode", SETTING_MEMBER(UnitSettings, collect_mode, enum),
          .words = collect_mode_words,
          .about = "Whether the unit is forgotten only when it is inactive, or also when it has failed." },
        CONDITIONS(CONDITION)
        CONDITIONS(ASSERTION)
        { .section = "Install", .name = "WantedBy", SETTING_MEMBER(UnitSettings, wanted_by, word_list),
          .about = "Units that want this one when it is enabled." },
        { .section = "Install", .name = "RequiredBy", SETTING_MEMBER(UnitSettings, required_by, word_list),
          .about = "Units that require this one when it is enabled." },
        { .section = "Install", .name = "Also", SETTING_MEMBER(UnitSettings, also, word_list),
          .about = "Units that are enabled and disabled along." },
        { .section = "Install", .name = "Alias", SETTING_MEMBER(UnitSettings, alias, word_list),
          .about = "Further names that the unit gets when it is enabled." },
        { .section = "Install", .name = "DefaultInstance", SETTING_MEMBER(UnitSettings, default_instance, text),
          .about = "The instance that is enabled when a template is." },
        { .section = "Service", .name = "Type", SETTING_MEMBER(UnitSettings, type, enum),
          .words = service_type_words, .aliases = service_type_aliases, .flags = SETTING_STRICT,
          .about = "When the service counts as started: at once, when its program was executed, when the first "
                   "process ended, when all is done, or when it says so." },
        { .section = "Service", .name = "ExecCondition", SETTING_MEMBER(UnitSettings, commands[SERVICE_CONDITION], lines),
          .flags = SETTING_STRICT,
          .about = "Commands that run before all others; when one of them ends with a status from 1 to 254, the service is "
                   "not started, which is no failure." },
        { .section = "Service", .name = "ExecStartPre", SETTING_MEMBER(UnitSettings, commands[SERVICE_START_PRE], lines),
          .flags = SETTING_STRICT,
          .about = "Commands that run before the service." },
        { .section = "Service", .name = "ExecStart", SETTING_MEMBER(UnitSettings, commands[SERVICE_START], lines),
          .flags = SETTING_STRICT,
          .about = "The command that is the service; several of a oneshot service." },
        { .section = "Service", .name = "ExecStartPost", SETTING_MEMBER(UnitSettings, commands[SERVICE_START_POST], lines),
          .flags = SETTING_STRICT,
          .about = "Commands that run when the service has started." },
        { .section = "Service", .name = "ExecReload", SETTING_MEMBER(UnitSettings, commands[SERVICE_RELOAD], lines),
          .flags = SETTING_STRICT,
          .about = "Commands that make the service read its configuration again." },
        { .section = "Service", .name = "ExecStop", SETTING_MEMBER(UnitSettings, commands[SERVICE_STOP], lines),
          .flags = SETTING_STRICT,
          .about = "Commands that ask the service to stop, before it is killed." },
        { .section = "Service", .name = "ExecStopPost", SETTING_MEMBER(UnitSettings, commands[SERVICE_STOP_POST], lines),
          .flags = SETTING_STRICT,
          .about = "Commands that run when the service is gone, however it ended." },
        { .section = "Service", .name = "RemainAfterExit", SETTING_MEMBER(UnitSettings, remain_after_exit, bool),
          .about = "Whether the service counts as active when all its processes have ended." },
        { .section = "Service", .name = "PIDFile", SETTING_MEMBER(UnitSettings, pid_file, path),
          .about = "Where a forking service writes the number of its main process; relative paths are below /run. A process "
                   "that is not one of the service is taken only if nobody but root can have written that. When the main "
                   "process ends, or after a reload, the file may name another one. It is removed when the service has ended." },
        { .section = "Service", .name = "Restart", SETTING_MEMBER(UnitSettings, restart, enum),
          .words = restart_words,
          .about = "After which ends the service is started again." },
        { .section = "Service", .name = "RestartSec", SETTING_MEMBER(UnitSettings, restart_delay, duration),
          .about = "How long that waits." },
        { .section = "Service", .name = "StartLimitInterval", SETTING_MEMBER(UnitSettings, start_limit_interval, duration),
          .about = "Where StartLimitIntervalSec= of [Unit] was once." },
        { .section = "Service", .name = "StartLimitBurst", SETTING_MEMBER(UnitSettings, start_limit_burst, level),
          .about = "Where StartLimitBurst= of [Unit] was once." },
        { .section = "Service", .name = "SuccessExitStatus", SETTING_MEMBER(UnitSettings, success_exit_status, word_list),
          .about = "Exit statuses and signals that are a success beside 0, SIGHUP, SIGINT, SIGTERM and SIGPIPE." },
        { .section = "Service", .name = "RestartPreventExitStatus", SETTING_MEMBER(UnitSettings, restart_prevent_exit_status, word_list),
          .about = "Exit statuses and signals after which the service is never started again." },
        { .section = "Service", .name = "RestartForceExitStatus", SETTING_MEMBER(UnitSettings, restart_force_exit_status, word_list),
          .about = "Exit statuses and signals after which the service is always started again." },
        { .section = "Service", .name = "TimeoutStartSec", SETTING_MEMBER(UnitSettings, timeout_start, timeout),
          .about = "How long a start may take." },
        { .section = "Service", .name = "TimeoutStopSec", SETTING_MEMBER(UnitSettings, timeout_stop, timeout),
          .about = "How long a stop may take before the service is killed." },
        { .section = "Service", .name = "TimeoutSec", SETTING_MEMBER(UnitSettings, timeout_both, timeout),
          .about = "Both TimeoutStartSec= and TimeoutStopSec=." },
        { .section = "Service", .name = "RuntimeMaxSec", SETTING_MEMBER(UnitSettings, runtime_max, duration),
          .about = "How long the service may run." },
        { .section = "Service", .name = "WatchdogSec", SETTING_MEMBER(UnitSettings, watchdog, duration),
          .about = "The longest time between two signs of life that a service gives by sd_notify(3)." },
        { .section = "Service", .name = "NotifyAccess", SETTING_MEMBER(UnitSettings, notify_access, enum),
          .words = notify_words,
          .about = "Whose messages by sd_notify(3) are taken." },
        { .section = "Service", .name = "KillMode", SETTING_MEMBER(UnitSettings, kill_mode, enum),
          .words = kill_mode_words,
          .about = "Which processes are killed when the service is stopped." },
        { .section = "Service", .name = "KillSignal", SETTING_MEMBER(UnitSettings, kill_signal, signal),
          .about = "The signal that asks the service to end." },
        { .section = "Service", .name = "FinalKillSignal", SETTING_MEMBER(UnitSettings, final_kill_signal, signal),
          .about = "The signal that ends what did not end by KillSignal=." },
        { .section = "Service", .name = "SendSIGHUP", SETTING_MEMBER(UnitSettings, send_sighup, bool),
          .about = "Whether SIGHUP follows KillSignal=, as shells want it." },
        { .section = "Service", .name = "SendSIGKILL", SETTING_MEMBER(UnitSettings, send_sigkill, truth),
          .about = "Whether what does not end in time is killed." },
        { .section = "Service", .name = "Environment", SETTING_MEMBER(UnitSettings, environment, lines),
          .about = "Variables, NAME=VALUE, separated by blanks, with quotes around what has blanks itself." },
        { .section = "Service", .name = "EnvironmentFile", SETTING_MEMBER(UnitSettings, environment_file, lines),
          .about = "A file with variables, one on each line; with a dash in front it may be missing." },
        { .section = "Service", .name = "PassEnvironment", SETTING_MEMBER(UnitSettings, pass_environment, word_list),
          .about = "Variables of the manager that the service gets." },
        { .section = "Service", .name = "UnsetEnvironment", SETTING_MEMBER(UnitSettings, unset_environment, word_list),
          .about = "Variables that the service does not get, whoever set them." },
        { .section = "Service", .name = "WorkingDirectory", SETTING_MEMBER(UnitSettings, working_directory, text),
          .about = "The directory in which the program starts; \"~\" is the home directory; with a dash in front it "
                   "may be missing." },
        { .section = "Service", .name = "StandardInput", SETTING_MEMBER(UnitSettings, standard_input, text),
          .about = "What standard input is: null, tty, data, file:PATH …" },
        { .section = "Service", .name = "StandardInputText", SETTING_MEMBER(UnitSettings, standard_input_text, lines),
          .about = "Text that standard input has: a line each." },
        { .section = "Service", .name = "StandardInputData", SETTING_MEMBER(UnitSettings, standard_input_data, lines),
          .about = "The same in Base64; it comes after the text." },
        { .section = "Service", .name = "StandardOutput", SETTING_MEMBER(UnitSettings, standard_output, text),
          .about = "What standard output is: journal, null, tty, inherit, file:PATH, append:PATH, truncate:PATH. Root opens "
                   "the path: a link that a user has put there has to lead to what is theirs." },
        { .section = "Service", .name = "StandardError", SETTING_MEMBER(UnitSettings, standard_error, text),
          .about = "What standard error is; as standard output unless it is said." },
        { .section = "Service", .name = "TTYPath", SETTING_MEMBER(UnitSettings, tty_path, path),
          .about = "The terminal that is meant by tty." },
        { .section = "Service", .name = "SyslogIdentifier", SETTING_MEMBER(UnitSettings, syslog_identifier, text),
          .about = "What the service is called in the log; the name of its program unless it is said." },
        { .section = "Service", .name = "LogRateLimitIntervalSec", SETTING_MEMBER(UnitSettings, log_rate_limit_interval, duration),
          .about = "The time in which LogRateLimitBurst= lines of its output get into the log; what is more is dropped, and "
                   "counted. 0 takes every line, and so it is unless one of both is set; then this is 30s." },
        { .section = "Service", .name = "LogRateLimitBurst", SETTING_MEMBER(UnitSettings, log_rate_limit_burst, level),
          .about = "How many lines get into the log in LogRateLimitIntervalSec=, 10000 if only that is set; 0 takes all." },
        { .section = "Service", .name = "UMask", SETTING_MEMBER(UnitSettings, umask, mode),
          .flags = SETTING_STRICT,
          .about = "The permission bits that new files do not get." },
        { .section = "Service", .name = "Nice", SETTING_MEMBER(UnitSettings, nice, nice),
          .about = "From -20 (most urgent) to 19." },
        { .section = "Service", .name = "IgnoreSIGPIPE", SETTING_MEMBER(UnitSettings, ignore_sigpipe, truth),
          .about = "Whether who writes to a peer that is gone gets an error and no signal; so it is unless it is "
                   "said." },
        { .section = "Service", .name = "CPUSchedulingPolicy", SETTING_MEMBER(UnitSettings, cpu_policy, enum),
          .words = cpu_policy_words,
          .about = "How processor time is given: other, batch, idle, fifo, rr." },
        { .section = "Service", .name = "CPUSchedulingPriority", SETTING_MEMBER(UnitSettings, cpu_priority, level),
          .about = "The priority, 1 to 99, where that is fifo or rr." },
        { .section = "Service", .name = "CPUSchedulingResetOnFork", SETTING_MEMBER(UnitSettings, cpu_reset_on_fork, truth),
          .about = "Whether children of the service are scheduled as usual." },
        { .section = "Service", .name = "CPUAffinity", SETTING_MEMBER(UnitSettings, cpu_affinity, lines),
          .about = "The processors on which the service runs: numbers and ranges." },
        { .section = "Service", .name = "IOSchedulingClass", SETTING_MEMBER(UnitSettings, io_class, enum),
          .words = io_class_words, .aliases = io_class_aliases,
          .about = "How urgent reading and writing of disks is: none, realtime, best-effort, idle." },
        { .section = "Service", .name = "IOSchedulingPriority", SETTING_MEMBER(UnitSettings, io_priority, level),
          .about = "The priority in that class, 0 (first) to 7." },
        { .section = "Service", .name = "TimerSlackNSec", SETTING_MEMBER(UnitSettings, timer_slack, text),
          .about = "How late timers may be, in nanoseconds unless a unit is said." },
        { .section = "Service", .name = "OOMScoreAdjust", SETTING_MEMBER(UnitSettings, oom_score_adjust, oom_score),
          .about = "From -1000 (never killed when memory runs out) to 1000 (first)." },
        { .section = "Service", .name = "LimitCPU", SETTING_MEMBER(UnitSettings, limits[RLIMIT_CPU], limit_seconds),
          .about = "The resource limit RLIMIT_CPU, setrlimit(2)." },
        { .section = "Service", .name = "LimitFSIZE", SETTING_MEMBER(UnitSettings, limits[RLIMIT_FSIZE], limit),
          .about = "The resource limit RLIMIT_FSIZE, setrlimit(2)." },
        { .section = "Service", .name = "LimitDATA", SETTING_MEMBER(UnitSettings, limits[RLIMIT_DATA], limit),
          .about = "The resource limit RLIMIT_DATA, setrlimit(2)." },
        { .section = "Service", .name = "LimitSTACK", SETTING_MEMBER(UnitSettings, limits[RLIMIT_STACK], limit),
          .about = "The resource limit RLIMIT_STACK, setrlimit(2)." },
        { .section = "Service", .name = "LimitCORE", SETTING_MEMBER(UnitSettings, limits[RLIMIT_CORE], limit),
          .about = "The resource limit RLIMIT_CORE, setrlimit(2)." },
        { .section = "Service", .name = "LimitRSS", SETTING_MEMBER(UnitSettings, limits[RLIMIT_RSS], limit),
          .about = "The resource limit RLIMIT_RSS, setrlimit(2)." },
        { .section = "Service", .name = "LimitNPROC", SETTING_MEMBER(UnitSettings, limits[RLIMIT_NPROC], limit),
          .about = "The resource limit RLIMIT_NPROC, setrlimit(2)." },
        { .section = "Service", .name = "LimitNOFILE", SETTING_MEMBER(UnitSettings, limits[RLIMIT_NOFILE], limit),
          .about = "The resource limit RLIMIT_NOFILE, setrlimit(2)." },
        { .section = "Service", .name = "LimitMEMLOCK", SETTING_MEMBER(UnitSettings, limits[RLIMIT_MEMLOCK], limit),
          .about = "The resource limit RLIMIT_MEMLOCK, setrlimit(2)." },
        { .section = "Service", .name = "LimitAS", SETTING_MEMBER(UnitSettings, limits[RLIMIT_AS], limit),
          .about = "The resource limit RLIMIT_AS, setrlimit(2)." },
        { .section = "Service", .name = "LimitLOCKS", SETTING_MEMBER(UnitSettings, limits[RLIMIT_LOCKS], limit),
          .about = "The resource limit RLIMIT_LOCKS, setrlimit(2)." },
        { .section = "Service", .name = "LimitSIGPENDING", SETTING_MEMBER(UnitSettings, limits[RLIMIT_SIGPENDING], limit),
          .about = "The resource limit RLIMIT_SIGPENDING, setrlimit(2)." },
        { .section = "Service", .name = "LimitMSGQUEUE", SETTING_MEMBER(UnitSettings, limits[RLIMIT_MSGQUEUE], limit),
          .about = "The resource limit RLIMIT_MSGQUEUE, setrlimit(2)." },
        { .section = "Service", .name = "LimitNICE", SETTING_MEMBER(UnitSettings, limits[RLIMIT_NICE], limit),
          .about = "The resource limit RLIMIT_NICE, setrlimit(2)." },
        { .section = "Service", .name = "LimitRTPRIO", SETTING_MEMBER(UnitSettings, limits[RLIMIT_RTPRIO], limit),
          .about = "The resource limit RLIMIT_RTPRIO, setrlimit(2)." },
        { .section = "Service", .name = "LimitRTTIME", SETTING_MEMBER(UnitSettings, limits[RLIMIT_RTTIME], limit_usec),
          .about = "The resource limit RLIMIT_RTTIME, setrlimit(2)." },
        { .section = "Service", .name = "User", SETTING_MEMBER(UnitSettings, user, text),
          .flags = SETTING_STRICT,
          .about = "The user, by name or number, that the service runs as." },
        { .section = "Service", .name = "Group", SETTING_MEMBER(UnitSettings, group, text),
          .flags = SETTING_STRICT,
          .about = "The group, by name or number; that of the user unless it is said." },
        { .section = "Service", .name = "SupplementaryGroups", SETTING_MEMBER(UnitSettings, supplementary_groups, word_list),
          .flags = SETTING_STRICT,
          .about = "Further groups." },
        { .section = "Service", .name = "DynamicUser", SETTING_MEMBER(UnitSettings, dynamic_user, truth),
          .flags = SETTING_STRICT,
          .about = "Whether the service gets a user of its own, which exists as long as it runs. Implies "
                   "ProtectSystem=strict, ProtectHome=read-only, PrivateTmp=, RemoveIPC=, NoNewPrivileges= and "
                   "RestrictSUIDSGID=." },
        { .section = "Service", .name = "RemoveIPC", SETTING_MEMBER(UnitSettings, remove_ipc, truth),
          .about = "Whether what the user left in shared memory, semaphores and message queues is removed when the "
                   "service ends." },
        { .section = "Service", .name = "RuntimeDirectory", SETTING_MEMBER(UnitSettings, directories[EXEC_DIRECTORY_RUNTIME], lines),
          .flags = SETTING_STRICT,
          .about = "Directories below /run that are made for the service, and removed when the service ends." },
        { .section = "Service", .name = "RuntimeDirectoryMode", SETTING_MEMBER(UnitSettings, directory_modes[EXEC_DIRECTORY_RUNTIME], mode),
          .flags = SETTING_STRICT,
          .about = "Their permission bits, 0755 unless they are said." },
        { .section = "Service", .name = "StateDirectory", SETTING_MEMBER(UnitSettings, directories[EXEC_DIRECTORY_STATE], lines),
          .flags = SETTING_STRICT,
          .about = "Directories below /var/lib that are made for the service, and kept." },
        { .section = "Service", .name = "StateDirectoryMode", SETTING_MEMBER(UnitSettings, directory_modes[EXEC_DIRECTORY_STATE], mode),
          .flags = SETTING_STRICT,
          .about = "Their permission bits, 0755 unless they are said." },
        { .section = "Service", .name = "CacheDirectory", SETTING_MEMBER(UnitSettings, directories[EXEC_DIRECTORY_CACHE], lines),
          .flags = SETTING_STRICT,
          .about = "Directories below /var/cache that are made for the service, and kept." },
        { .section = "Service", .name = "CacheDirectoryMode", SETTING_MEMBER(UnitSettings, directory_modes[EXEC_DIRECTORY_CACHE], mode),
          .flags = SETTING_STRICT,
          .about = "Their permission bits, 0755 unless they are said." },
        { .section = "Service", .name = "LogsDirectory", SETTING_MEMBER(UnitSettings, directories[EXEC_DIRECTORY_LOGS], lines),
          .flags = SETTING_STRICT,
          .about = "Directories below /var/log that are made for the service, and kept." },
        { .section = "Service", .name = "LogsDirectoryMode", SETTING_MEMBER(UnitSettings, directory_modes[EXEC_DIRECTORY_LOGS], mode),
          .flags = SETTING_STRICT,
          .about = "Their permission bits, 0755 unless they are said." },
        { .section = "Service", .name = "ConfigurationDirectory", SETTING_MEMBER(UnitSettings, directories[EXEC_DIRECTORY_CONFIGURATION], lines),
          .flags = SETTING_STRICT,
          .about = "Directories below /etc that are made for the service, and kept." },
        { .section = "Service", .name = "ConfigurationDirectoryMode", SETTING_MEMBER(UnitSettings, directory_modes[EXEC_DIRECTORY_CONFIGURATION], mode),
          .flags = SETTING_STRICT,
          .about = "Their permission bits, 0755 unless they are said." },
        { .section = "Service", .name = "RuntimeDirectoryPreserve", SETTING_MEMBER(UnitSettings, runtime_directory_preserve, enum),
          .words = preserve_words,
          .about = "Whether the directories of RuntimeDirectory= stay when the service ends, or when it is "
                   "restarted." },
        { .section = "Service", .name = "ProtectSystem", SETTING_MEMBER(UnitSettings, protect_system, enum),
          .words = protect_system_words, .aliases = truth_aliases, .flags = SETTING_STRICT,
          .about = "What of the system is read-only: /usr and the boot loader; /etc as well; or everything but /dev, "
                   "/proc and /sys." },
        { .section = "Service", .name = "ProtectHome", SETTING_MEMBER(UnitSettings, protect_home, enum),
          .words = protect_home_words, .aliases = truth_aliases, .flags = SETTING_STRICT,
          .about = "Whether /home, /root and /run/user are out of reach, read-only, or empty." },
        { .section = "Service", .name = "PrivateTmp", SETTING_MEMBER(UnitSettings, private_tmp, truth),
          .flags = SETTING_STRICT,
          .about = "Whether /tmp and /var/tmp are the own ones of the service." },
        { .section = "Service", .name = "PrivateNetwork", SETTING_MEMBER(UnitSettings, private_network, truth),
          .flags = SETTING_STRICT,
          .about = "Whether the service has a network of its own, with nothing in it but a loopback device." },
        { .section = "Service", .name = "NetworkNamespacePath", SETTING_MEMBER(UnitSettings, network_namespace_path, text),
          .flags = SETTING_STRICT,
          .about = "The network namespace in which the service is, as a file: /run/netns/NAME, /proc/PID/ns/net. Goes "
                   "before PrivateNetwork=." },
        { .section = "Service", .name = "IPCNamespacePath", SETTING_MEMBER(UnitSettings, ipc_namespace_path, text),
          .flags = SETTING_STRICT,
          .about = "The same of shared memory, semaphores and message queues." },
        { .section = "Service", .name = "PrivateDevices", SETTING_MEMBER(UnitSettings, private_devices, truth),
          .flags = SETTING_STRICT,
          .about = "Whether /dev has nothing but pseudo devices such as null and random." },
        { .section = "Service", .name = "ProtectKernelTunables", SETTING_MEMBER(UnitSettings, protect_kernel_tunables, truth),
          .flags = SETTING_STRICT,
          .about = "Whether the variables of the kernel in /proc and /sys are read-only." },
        { .section = "Service", .name = "ProtectControlGroups", SETTING_MEMBER(UnitSettings, protect_control_groups, truth),
          .flags = SETTING_STRICT,
          .about = "Whether control groups are read-only." },
        { .section = "Service", .name = "PrivateMounts", SETTING_MEMBER(UnitSettings, private_mounts, truth),
          .flags = SETTING_STRICT,
          .about = "Whether the service has a mount namespace of its own, also where nothing else asks for one." },
        { .section = "Service", .name = "MountFlags", SETTING_MEMBER(UnitSettings, mount_flags, enum),
          .words = mount_flags_words, .flags = SETTING_STRICT,
          .about = "Whether mounts of the host that come later are seen in a mount namespace of its own: slave, or "
                   "not: private." },
        { .section = "Service", .name = "PrivateUsers", SETTING_MEMBER(UnitSettings, private_users, enum),
          .words = private_users_words, .aliases = private_users_aliases, .flags = SETTING_STRICT,
          .about = "Whether the service has a user namespace of its own, in which there are root and the service's "
                   "user, or the first 65536 (identity), and which has no rights outside." },
        { .section = "Service", .name = "ProtectProc", SETTING_MEMBER(UnitSettings, protect_proc, enum),
          .words = protect_proc_words, .flags = SETTING_STRICT,
          .about = "What the service sees in /proc of processes of others: all, less, nothing (invisible), or those "
                   "alone that it may trace." },
        { .section = "Service", .name = "ProcSubset", SETTING_MEMBER(UnitSettings, proc_subset, enum),
          .words = proc_subset_words, .flags = SETTING_STRICT,
          .about = "Whether /proc has nothing but processes (pid)." },
        { .section = "Service", .name = "ProtectHostname", SETTING_MEMBER(UnitSettings, protect_hostname, enum),
          .words = protect_hostname_words, .aliases = truth_aliases, .flags = SETTING_STRICT,
          .about = "Whether the host name can neither be changed nor seen changing; private: the service can change "
                   "its own." },
        { .section = "Service", .name = "ProtectKernelLogs", SETTING_MEMBER(UnitSettings, protect_kernel_logs, truth),
          .flags = SETTING_STRICT,
          .about = "Whether the log of the kernel is out of reach." },
        { .section = "Service", .name = "ProtectKernelModules", SETTING_MEMBER(UnitSettings, protect_kernel_modules, truth),
          .flags = SETTING_STRICT,
          .about = "Whether modules of the kernel can be neither loaded nor read." },
        { .section = "Service", .name = "ProtectClock", SETTING_MEMBER(UnitSettings, protect_clock, truth),
          .flags = SETTING_STRICT,
          .about = "Whether the clocks cannot be set." },
        { .section = "Service", .name = "NoExecPaths", SETTING_MEMBER(UnitSettings, no_exec_paths, lines),
          .flags = SETTING_STRICT,
          .about = "Paths in which nothing can be executed." },
        { .section = "Service", .name = "ExecPaths", SETTING_MEMBER(UnitSettings, exec_paths, lines),
          .flags = SETTING_STRICT,
          .about = "Paths in which programs and libraries can be executed though they lie in what NoExecPaths= "
                   "says." },
        { .section = "Service", .name = "KeyringMode", SETTING_MEMBER(UnitSettings, keyring_mode, enum),
          .words = keyring_words, .flags = SETTING_STRICT,
          .about = "Whether the service has a session keyring of its own (private), one that has the keys of its "
                   "user (shared), or that of the manager (inherit)." },
        { .section = "Service", .name = "Personality", SETTING_MEMBER(UnitSettings, personality, text),
          .flags = SETTING_STRICT,
          .about = "The architecture that uname(2) tells: x86-64, x86 …" },
        { .section = "Service", .name = "LockPersonality", SETTING_MEMBER(UnitSettings, lock_personality, truth),
          .flags = SETTING_STRICT,
          .about = "Whether the service cannot change that." },
        { .section = "Service", .name = "RestrictRealtime", SETTING_MEMBER(UnitSettings, restrict_realtime, truth),
          .flags = SETTING_STRICT,
          .about = "Whether the service cannot be scheduled in real time." },
        { .section = "Service", .name = "RestrictNamespaces", SETTING_MEMBER(UnitSettings, restrict_namespaces, lines),
          .flags = SETTING_STRICT,
          .about = "The kinds of namespaces that the service can make and enter: yes (none), no (all), or cgroup, "
                   "ipc, net, mnt, pid, user, uts, time; with \"~\" in front those that it cannot." },
        { .section = "Service", .name = "SecureBits", SETTING_MEMBER(UnitSettings, secure_bits, lines),
          .flags = SETTING_STRICT,
          .about = "How root is special, capabilities(7): keep-caps, no-setuid-fixup, noroot, and the same with "
                   "-locked." },
        { .section = "Service", .name = "SystemCallArchitectures", SETTING_MEMBER(UnitSettings, system_call_architectures, word_list),
          .flags = SETTING_STRICT,
          .about = "The architectures whose system calls the service can make, beside the native one." },
        { .section = "Service", .name = "SystemCallErrorNumber", SETTING_MEMBER(UnitSettings, system_call_error_number, text),
          .flags = SETTING_STRICT,
          .about = "The error of calls that SystemCallFilter= refuses, in place of the end of the service; kill: "
                   "that." },
        { .section = "Service", .name = "SystemCallLog", SETTING_MEMBER(UnitSettings, system_call_log, lines),
          .about = "The system calls that the kernel notes in its log; with \"~\" in front those that it does not." },
        { .section = "Service", .name = "ReadWritePaths", .old_names = NAMES("ReadWriteDirectories"), SETTING_MEMBER(UnitSettings, read_write_paths, lines),
          .flags = SETTING_STRICT,
          .about = "Paths that can be written to though they lie in what is read-only." },
        { .section = "Service", .name = "ReadOnlyPaths", .old_names = NAMES("ReadOnlyDirectories"), SETTING_MEMBER(UnitSettings, read_only_paths, lines),
          .flags = SETTING_STRICT,
          .about = "Paths that are read-only." },
        { .section = "Service", .name = "InaccessiblePaths", .old_names = NAMES("InaccessibleDirectories"), SETTING_MEMBER(UnitSettings, inaccessible_paths, lines),
          .flags = SETTING_STRICT,
          .about = "Paths that are out of reach." },
        { .section = "Service", .name = "BindPaths", SETTING_MEMBER(UnitSettings, bind_paths, lines),
          .flags = SETTING_STRICT,
          .about = "Paths that are seen in other places: SOURCE, SOURCE:TARGET, or SOURCE:TARGET:norbind." },
        { .section = "Service", .name = "BindReadOnlyPaths", SETTING_MEMBER(UnitSettings, bind_read_only_paths, lines),
          .flags = SETTING_STRICT,
          .about = "The same, read-only." },
        { .section = "Service", .name = "TemporaryFileSystem", SETTING_MEMBER(UnitSettings, temporary_file_system, lines),
          .flags = SETTING_STRICT,
          .about = "Directories in whose place an empty one in memory is seen: PATH, or PATH:OPTIONS." },
        { .section = "Service", .name = "NoNewPrivileges", SETTING_MEMBER(UnitSettings, no_new_privileges, truth),
          .flags = SETTING_STRICT,
          .about = "Whether the service can never get more privileges by executing something." },
        { .section = "Service", .name = "RestrictSUIDSGID", SETTING_MEMBER(UnitSettings, restrict_suid_sgid, truth),
          .flags = SETTING_STRICT,
          .about = "Whether files cannot be made set-user-ID and set-group-ID." },
        { .section = "Service", .name = "MemoryDenyWriteExecute", SETTING_MEMBER(UnitSettings, memory_deny_write_execute, truth),
          .flags = SETTING_STRICT,
          .about = "Whether memory cannot be written to and executed." },
        { .section = "Service", .name = "RestrictAddressFamilies", SETTING_MEMBER(UnitSettings, restrict_address_families, lines),
          .flags = SETTING_STRICT,
          .about = "The families of sockets that the service can make; with \"~\" in front those that it cannot; "
                   "\"none\"." },
        { .section = "Service", .name = "SystemCallFilter", SETTING_MEMBER(UnitSettings, system_call_filter, lines),
          .flags = SETTING_STRICT,
          .about = "The system calls that the service can make; with \"~\" in front those that it cannot." },
        { .section = "Service", .name = "CapabilityBoundingSet", SETTING_MEMBER(UnitSettings, capability_bounding_set, lines),
          .flags = SETTING_STRICT | SETTING_EMPTY_COUNTS,
          .about = "The capabilities that the service can have; with \"~\" in front those that it cannot. Empty: none." },
        { .section = "Service", .name = "AmbientCapabilities", SETTING_MEMBER(UnitSettings, ambient_capabilities, lines),
          .flags = SETTING_STRICT,
          .about = "The capabilities that the service has though it does not run as root." },
        SERVICE_REFUSED(REFUSED)
        SERVICE_REFUSED_OF_SLICE(REFUSED_OF_SLICE)
        { .section = "Service", .name = "Slice", SETTING_MEMBER(UnitSettings, slice, text),
          .about = "The slice that the unit is in." },
        { .section = "Service", .name = "CPUAccounting", SETTING_MEMBER(UnitSettings, cpu_accounting, truth),
          .about = "Whether processor time is counted." },
        { .section = "Service", .name = "TasksAccounting", SETTING_MEMBER(UnitSettings, tasks_accounting, truth),
          .about = "Whether the number of tasks is counted." },
        { .section = "Service", .name = "MemoryAccounting", SETTING_MEMBER(UnitSettings, memory_accounting, truth),
          .about = "Whether memory is counted; where control groups have the controller memory." },
        { .section = "Service", .name = "IPAccounting", SETTING_MEMBER(UnitSettings, ip_accounting, truth),
          .about = "Whether traffic by the Internet protocols is counted." },
        { .section = "Service", .name = "TasksMax", SETTING_MEMBER(UnitSettings, tasks_max, tasks),
          .about = "The most tasks that there may be: a number, a part of what there can be (15%), or infinity. Kept to "
                   "where control groups have the controller pids, of version 2 or 1; else said so, and passed over." },
        { .section = "Slice", .name = "CPUAccounting", SETTING_MEMBER(UnitSettings, cpu_accounting, truth),
          .about = "Whether processor time is counted." },
        { .section = "Slice", .name = "TasksAccounting", SETTING_MEMBER(UnitSettings, tasks_accounting, truth),
          .about = "Whether the number of tasks is counted." },
        { .section = "Slice", .name = "MemoryAccounting", SETTING_MEMBER(UnitSettings, memory_accounting, truth),
          .about = "Whether memory is counted." },
        { .section = "Slice", .name = "IPAccounting", SETTING_MEMBER(UnitSettings, ip_accounting, truth),
          .about = "Whether traffic by the Internet protocols is counted." },
        { .section = "Slice", .name = "TasksMax", SETTING_MEMBER(UnitSettings, tasks_max, tasks),
          .about = "The most tasks that there may be of all units in the slice together." },
        { .section = "Service", .name = "Delegate", SETTING_MEMBER(UnitSettings, delegate, asked),
          .about = "Whether the service may make control groups of its own below that which it is in." },
};
/* clang-format on */

const SettingTable unit_settings = {
        .dialect = SETTING_DIALECT_UNIT,
        .sections = sections,
        .n_sections = ELEMENTSOF(sections),
        .rows = rows,
        .n_rows = ELEMENTSOF(rows),
};
