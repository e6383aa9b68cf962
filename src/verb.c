/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/image.h"
#include "image/output.h"
#include "image/plan.h"
#include "verb.h"

/* A verb is a row in each of two tables: what the settings engine knows of it, and what it does. */
enum {
        VERB_BUILD,
        VERB_SUMMARY,
        VERB_JSON,
        VERB_PLAN,
        VERB_CLEAN,
        VERB_HELP,
        VERB_COMPLETION,
        VERB_MAN,
        VERB_EXAMPLE,
};

/* clang-format off */
const SettingVerb verb_words[] = {
        [VERB_BUILD]      = { "build",      NULL,    false, "build the image (the default)",
          "Builds what the settings describe. Refuses to touch an output that exists, unless --force is given; even then the old one is replaced only when the new one is complete." },
        [VERB_SUMMARY]    = { "summary",    NULL,    false, "show all settings and where they come from",
          "Prints every setting that has a value, with the file and line, option or rule that gave it. Builds nothing." },
        [VERB_JSON]       = { "json",       NULL,    false, "show all settings as JSON",
          "Prints the same as summary as one JSON object, for programs." },
        [VERB_PLAN]       = { "plan",       NULL,    false, "show what a build would do, and why",
          "Prints the steps of a build in their order, each with the setting that asks for it. Builds nothing." },
        [VERB_CLEAN]      = { "clean",      NULL,    false, "remove the output of earlier builds",
          "Removes the output that the settings name, and what a killed build left behind; with -ff the content of the package cache as well." },
        [VERB_HELP]       = { "help",       NULL,    false, "show this help",
          "Prints a short help." },
        [VERB_COMPLETION] = { "completion", "SHELL", false, "print completion for bash, zsh or fish",
          "Prints a completion script for the shell: bash, zsh or fish." },
        [VERB_MAN]        = { "man",        NULL,    false, "show the manual page",
          "Shows the manual page; prints its source when the output is no terminal." },
        [VERB_EXAMPLE]    = { "example",    NULL,    false, "print a settings file with all settings",
          "Prints a settings file in which every setting is explained and commented out." },
};
/* clang-format on */

static const char program_about[] =
        "mkosi makes operating system images. Run in a directory with files named mkosi.*, it installs a "
        "distribution into a tree, adds what the project brings, and turns the tree into a disk image that boots "
        "under UEFI, or into a directory.\n"
        "\n"
        "Images are assembled without loop devices and without mounting anything of them. The same input gives the "
        "same bytes: identifiers follow from Seed=, and with SOURCE_DATE_EPOCH in the environment no time in the "
        "image is later than that.\n"
        "\n"
        "This is an independent implementation of the tool that was described in 2017, and reads its files.";

static const char program_files[] =
        "mkosi.default\tThe settings. --default names another file.\n"
        "mkosi.default.d/\tFurther settings files, read after it in the order of their names.\n"
        "mkosi.extra/\tCopied over the root of the tree once the packages are installed; everything belongs to root.\n"
        "mkosi.cache/\tIf this directory exists, downloaded packages are kept in it, by distribution and release.\n"
        "mkosi.output/\tIf this directory exists, the output is put there.\n"
        "mkosi.rootpw\tThe password of root; should be readable by its owner only.\n";

static const SettingProgram program = {
        .name = "mkosi",
        .version = MKOSI_VERSION,
        .date = MKOSI_DATE,
        .purpose = "build images of operating systems",
        .about = program_about,
        .files_about = program_files,
        .see_also =
                "debootstrap(8), systemd-nspawn(1), systemd-boot(7), bootctl(1), os-release(5), machine-id(5)",
        .verbs = verb_words,
        .n_verbs = ELEMENTSOF(verb_words),
        .table = &config_table,
};

static int finish_output(int r) {
        if (fflush(stdout) != 0 || ferror(stdout))
                return log_error(-EIO, "Cannot write to standard output");
        return r;
}

static int verb_build(LoadedConfig *loaded, mode_t caller_umask) {
        _cleanup_(image_freep) Image *image = NULL;

        const int r = image_new(&loaded->config, caller_umask, &image);
        if (r < 0)
                return r;
        return image_build(image);
}

static int verb_summary(LoadedConfig *loaded, mode_t caller_umask) {
        return finish_output(describe_summary(loaded->store, false, stdout));
}

static int verb_json(LoadedConfig *loaded, mode_t caller_umask) {
        JsonWriter writer = { .file = stdout };

        json_begin_object(&writer, NULL);
        const int r = describe_json(loaded->store, &writer);
        json_end_object(&writer);
        return finish_output(r);
}

static int verb_plan(LoadedConfig *loaded, mode_t caller_umask) {
        return finish_output(plan_print(loaded, stdout));
}

static int verb_clean(LoadedConfig *loaded, mode_t caller_umask) {
        return output_clean(&loaded->config);
}

int verb_help(LoadedConfig *loaded, mode_t caller_umask) {
        describe_help(&program, stdout);
        return finish_output(0);
}

int verb_version(void) {
        (void)printf("mkosi %s\n", MKOSI_VERSION);
        return finish_output(0);
}

static int verb_completion(LoadedConfig *loaded, mode_t caller_umask) {
        char **words = loaded->arguments.rest;

        if (strv_length(STRV(words)) != 1 || describe_completion(&program, words[0], stdout) < 0) {
                (void)log_error(-EINVAL, "The verb completion takes the name of a shell: bash, zsh or fish");
                return EXIT_USAGE;
        }
        return finish_output(0);
}

/* Shows the page with man(1); returns when that is not possible. */
static void execute_man(void) {
        _cleanup_(fd_closep) int fd = memfd_create("mkosi.1", 0);
        _cleanup_(file_closep) FILE *file = NULL;
        char path[64];

        if (fd < 0)
                return;
        file = fdopen(dup(fd), "w");
        if (!file)
                return;
        describe_manual(&program, file);
        if (fflush(file) != 0)
                return;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        (void)execlp("man", "man", "-l", path, NULL);
}

static int verb_man(LoadedConfig *loaded, mode_t caller_umask) {
        if (isatty(STDOUT_FILENO) == 1)
                execute_man();
        describe_manual(&program, stdout);
        return finish_output(0);
}

static int verb_example(LoadedConfig *loaded, mode_t caller_umask) {
        describe_example(&program, stdout);
        return finish_output(0);
}

/* clang-format off */
const Verb verbs[] = {
        [VERB_BUILD]      = { .needs_config = true, .needs_support = true, .run = verb_build },
        [VERB_SUMMARY]    = { .needs_config = true, .run = verb_summary },
        [VERB_JSON]       = { .needs_config = true, .run = verb_json },
        [VERB_PLAN]       = { .needs_config = true, .needs_support = true, .run = verb_plan },
        [VERB_CLEAN]      = { .needs_config = true, .run = verb_clean },
        [VERB_HELP]       = { .run = verb_help },
        [VERB_COMPLETION] = { .run = verb_completion },
        [VERB_MAN]        = { .run = verb_man },
        [VERB_EXAMPLE]    = { .run = verb_example },
};
/* clang-format on */

const size_t n_verbs = ELEMENTSOF(verbs);

static_assert(ELEMENTSOF(verbs) == ELEMENTSOF(verb_words), "Every word needs its verb");
