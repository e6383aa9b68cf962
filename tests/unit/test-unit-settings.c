/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/resource.h>

#include "base/strv.h"
#include "base/text.h"
#include "foreign-program.h"
#include "setting/load-file.h"
#include "unit/unit-settings.h"

/* Nothing is there twice, and everything says what it is, or why it is refused. */
static void test_rows(void **state) {
        for (size_t i = 0; i < unit_settings.n_rows; i++) {
                const Setting *const setting = &unit_settings.rows[i];

                assert_non_null(setting->name);
                assert_non_null(setting->type);
                assert_true(setting->offset < sizeof(UnitSettings));
                if (!setting->about == !setting->planned)
                        fail_msg("%s= has %s", setting->name, setting->about ? "both" : "neither");
                if (setting->planned)
                        assert_true(setting->flags & SETTING_STRICT);
                for (size_t j = 0; j < i; j++) {
                        const Setting *const other = &unit_settings.rows[j];

                        if (text_equal(setting->section, other->section))
                                assert_string_not_equal(setting->name, other->name);
                        if (setting->offset ==
                            other->offset) /* of slices and of services, or by the name that it had */
                                assert_true(text_equal(setting->name, other->name) ||
                                            strv_contains(other->old_names, setting->name));
                }
        }
}

/* One that the row takes, and that is not what nothing means. */
static const char *value_for(const Setting *setting) {
        return setting->words && setting->type == &setting_type_enum ? setting->words[1]
               : setting->type == &setting_type_signal               ? "SIGUSR1"
               : setting->type == &setting_type_condition || setting->type == &setting_type_assertion ? "/x"
                                                                                                      : "1";
}

/* Each row leads to its own member: a value that is set shows there and in no other. */
static void test_members(void **state) {
        for (size_t i = 0; i < unit_settings.n_rows; i++) {
                const Setting *const setting = &unit_settings.rows[i];
                const char *const text = value_for(setting);
                _cleanup_(setting_store_freep) SettingStore *store = NULL;
                _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
                _cleanup_(freep) char *file = NULL;
                UnitSettings settings = {};
                size_t n_set = 0;

                assert_int_equal(setting_store_new(&unit_settings, &settings, &store), 0);
                assert_int_equal(text_format(&file, "[%s]\n%s=%s\n", setting->section, setting->name, text),
                                 0);
                assert_int_equal(setting_load_text(store, "f", file, strlen(file), &mistakes), 0);
                assert_null(mistakes.texts);
                assert_null(mistakes.warnings);
                for (size_t byte = 0; byte < sizeof(settings); byte++)
                        n_set += ((const char *)&settings)[byte] != 0 &&
                                 !(byte >= setting->offset && byte < setting->offset + sizeof(Limit));
                assert_int_equal(n_set, 0);
                assert_int_equal(setting_source(store, setting), SETTING_FILE);
                setting_store_free(TAKE_PTR(store));
        }
}

static void test_limits(void **state) {
        static const struct {
                const char *name;
                int resource;
        } limits[] = {
                { "CPU", RLIMIT_CPU },           { "FSIZE", RLIMIT_FSIZE },
                { "DATA", RLIMIT_DATA },         { "STACK", RLIMIT_STACK },
                { "CORE", RLIMIT_CORE },         { "RSS", RLIMIT_RSS },
                { "NPROC", RLIMIT_NPROC },       { "NOFILE", RLIMIT_NOFILE },
                { "MEMLOCK", RLIMIT_MEMLOCK },   { "AS", RLIMIT_AS },
                { "LOCKS", RLIMIT_LOCKS },       { "SIGPENDING", RLIMIT_SIGPENDING },
                { "MSGQUEUE", RLIMIT_MSGQUEUE }, { "NICE", RLIMIT_NICE },
                { "RTPRIO", RLIMIT_RTPRIO },     { "RTTIME", RLIMIT_RTTIME },
        };
        assert_int_equal(SERVICE_LIMITS, RLIM_NLIMITS);
        assert_int_equal(ELEMENTSOF(limits), RLIM_NLIMITS);
        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                const Setting *const setting =
                        setting_find(&unit_settings, offsetof(UnitSettings, limits) +
                                                             (size_t)limits[i].resource * sizeof(Limit));

                assert_string_equal(text_after_prefix(setting->name, "Limit"), limits[i].name);
        }
}

static bool is_known(const char *section, const char *name) {
        for (size_t i = 0; i < unit_settings.n_rows; i++)
                if (text_equal(unit_settings.rows[i].section, section) &&
                    (text_equal(unit_settings.rows[i].name, name) ||
                     strv_contains(unit_settings.rows[i].old_names, name)))
                        return true;
        return false;
}

/* Whether it sounds as if it would confine a service. */
static bool sounds_confining(const char *name) {
        static const char *const parts[] = {
                "Allow",     "AppArmor", "Capabil",  "Deny",       "Device",     "Directories",
                "Filter",    "Images",   "Mounts",   "NoNew",      "Paths",      "Private",
                "Namespace", "Protect",  "Restrict", "RootDir",    "RootIm",     "RootHash",
                "Secure",    "SELinux",  "Smack",    "SocketBind", "SystemCall",
        };
        /* How and how much, or what gives instead of taking. */
        static const char *const harmless[] = {
                "AllowedCPUs",
                "AllowedMemoryNodes",
                "BlockIODeviceWeight",
                "CoredumpFilter",
                "IODeviceLatencyTargetSec",
                "IODeviceWeight",
                "LogFilterPatterns",
                "LogNamespace",
                "RootDirectoryStartOnly",
                "RootImageOptions",
                "StartupAllowedCPUs",
                "StartupAllowedMemoryNodes",
                "SystemCallErrorNumber",
                "SystemCallLog",
                NULL,
        };
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                if (strstr(name, parts[i]))
                        return !strv_contains(harmless, name);
        return false;
}

/* What systemd knows that would confine a service is known here too, done or refused: it must not be passed over. */
static void test_nothing_confining_is_unknown(void **state) {
        _cleanup_(freep) char *output = FOREIGN_CHECK("systemd", "--dump-configuration-items");
        _cleanup_(strv_freep) char **lines = NULL;
        const char *section = NULL;
        size_t n_checked = 0;

        assert_int_equal(strv_split(output, "\n", &lines), 0);
        for (char **line = lines; *line; line++) {
                if ((*line)[0] == '[')
                        section = text_equal(*line, "[Service]") ? "Service"
                                  : text_equal(*line, "[Slice]") ? "Slice"
                                                                 : NULL;
                (*line)[strcspn(*line, "=")] = '\0';
                if (!section || !sounds_confining(*line))
                        continue;
                if (!is_known(section, *line))
                        fail_msg("%s= is not known in [%s]", *line, section);
                n_checked++;
        }
        assert_true(n_checked > 50);
}

/* All that a member prints, an item a line. */
static char *print_member(const Setting *setting, const void *object) {
        const void *const member = (const char *)object + setting->offset;
        char *text = NULL;
        size_t size;

        FILE *const file = open_memstream(&text, &size);
        assert_non_null(file);
        for (size_t i = 0; setting->type->print(setting, member, i, file); i++)
                (void)fputc('\n', file);
        assert_int_equal(fclose(file), 0);
        return text;
}

/* An empty value takes back what was said before, whatever it is of: drop-ins rely on that. Of a bounding set it is one. */
static void test_taken_back(void **state) {
        for (size_t i = 0; i < unit_settings.n_rows; i++) {
                const Setting *const setting = &unit_settings.rows[i];
                _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
                _cleanup_(freep) char *once = NULL, *back = NULL, *said = NULL, *left = NULL, *never = NULL;
                UnitSettings settings = {};
                _cleanup_(setting_store_freep) SettingStore *store = NULL;

                never = print_member(setting, &settings);
                assert_int_equal(text_format(&once, "[%s]\n%s=%s\n", setting->section, setting->name,
                                             value_for(setting)),
                                 0);
                assert_int_equal(text_format(&back, "[%s]\n%s=\n", setting->section, setting->name), 0);
                assert_int_equal(setting_store_new(&unit_settings, &settings, &store), 0);
                assert_int_equal(setting_load_text(store, "a", once, strlen(once), &mistakes), 0);
                said = print_member(setting, &settings);
                assert_string_not_equal(said, never);
                assert_int_equal(setting_load_text(store, "b", back, strlen(back), &mistakes), 0);
                left = print_member(setting, &settings);
                if (!text_equal(left, setting->flags & SETTING_EMPTY_COUNTS ? "\n" : never))
                        fail_msg("%s= leaves \"%s\"", setting->name, left);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_taken_back),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_nothing_confining_is_unknown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
