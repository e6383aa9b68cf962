/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A table of settings for the tests of the engine, with one row of every type and of every peculiarity. */

#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "setting/load-args.h"
#include "setting/load-file.h"

typedef struct Example {
        unsigned format, compress, force;
        SettingChoice level;
        bool bootable, with_tests, incremental, help;
        char *title, *output, *password, *directory;
        uint64_t root_size;
        char **packages, **repositories, **protocols, **trees, **search_path, **tool;
} Example;

static const char *const example_formats[] = { "disk", "squashfs", "directory", NULL };
static const char *const example_compressions[] = { "", "no", "yes", "zstd", NULL };
static const char *const example_old_names[] = { "Caption", NULL };
static const char *const example_old_options[] = { "extra-dir", NULL };
static const SettingAlias example_aliases[] = { { "raw_gpt", "disk" }, { "folder", "directory" }, {} };

static const SettingSection example_sections[] = {
        { "Output", "What is made." },
        { "Content", "What goes into it." },
        { "Partitions", NULL },
};

/* clang-format off */
static const Setting example_rows[] = {
        { .section = "Output", .name = "Format", .option = "format", .letter = 't',
          SETTING_MEMBER(Example, format, enum), .words = example_formats, .aliases = example_aliases,
          .default_about = "disk", .help = "kind of output", .about = "-x\n.TH a\\b 'c' ~^`" },
        { .section = "Output", .name = "Compress", .option = "compress",
          SETTING_MEMBER(Example, compress, enum), .words = example_compressions,
          .flags = SETTING_OPTIONAL_VALUE, .metavar = "ALGORITHM", .help = "compress it" },
        { .section = "Output", .name = "Level", SETTING_MEMBER(Example, level, choice),
          .words = example_compressions, .help = "how much" },
        { .section = "Output", .name = "Force", .option = "force", .letter = 'f',
          SETTING_MEMBER(Example, force, count), .help = "replace what is there" },
        { .section = "Output", .name = "Bootable", .option = "bootable", .letter = 'b',
          SETTING_MEMBER(Example, bootable, bool), .help = "it's to boot" },
        { .section = "Output", .name = "BootProtocols", .option = "boot-protocols",
          SETTING_MEMBER(Example, protocols, list),
          .flags = SETTING_LATER_REPLACES | SETTING_ARGUMENT_REPLACES, .help = "firmware: [uefi]" },
        { .section = "Output", .name = "Title", .old_names = example_old_names, .option = "title",
          SETTING_MEMBER(Example, title, text), .list_command = "echo one two", .help = "what it is called" },
        { .section = "Output", .name = "Output", .option = "output", .letter = 'o',
          SETTING_MEMBER(Example, output, path), .help = "where it is put" },
        { .section = "Output", .name = "Password", .option = "password",
          SETTING_MEMBER(Example, password, text), .flags = SETTING_SECRET, .help = "of root" },
        { .section = "Output", .option = "incremental", .letter = 'i',
          SETTING_MEMBER(Example, incremental, bool), .planned = "not yet", .help = "keep trees" },
        { .section = "Content", .name = "Packages", .option = "package", .letter = 'p',
          SETTING_MEMBER(Example, packages, list), .help = "to install" },
        { .section = "Content", .name = "Repositories", .option = "repositories",
          SETTING_MEMBER(Example, repositories, list), .flags = SETTING_LATER_REPLACES,
          .help = "to install from" },
        { .section = "Content", .name = "ExtraTrees", .option = "extra-tree", .old_options = example_old_options,
          SETTING_MEMBER(Example, trees, path_list), .help = "to copy" },
        { .section = "Content", .name = "SearchPath", .option = "search-path",
          SETTING_MEMBER(Example, search_path, search_path), .help = "where tools are" },
        { .section = "Content", .name = "Tool", .option = "tool",
          SETTING_MEMBER(Example, tool, words), .help = "a tool with a help that is not so short" },
        { .section = "Content", .name = "WithTests", .option = "without-tests", .letter = 'T', .inverted = true,
          SETTING_MEMBER(Example, with_tests, bool), .help = "no tests" },
        { .section = "Partitions", .name = "RootSize", .option = "root-size",
          SETTING_MEMBER(Example, root_size, size), .help = "of the root partition" },
        { .option = "directory", .letter = 'C', SETTING_MEMBER(Example, directory, path),
          .flags = SETTING_OUTSIDE_FILES, .help = "go there first" },
        { .option = "help", .letter = 'h', SETTING_MEMBER(Example, help, bool),
          .flags = SETTING_OUTSIDE_FILES | SETTING_HIDDEN, .help = "show help" },
};

static const SettingVerb example_verbs[] = {
        { "build",   NULL,      false, "build it: now", "Builds." },
        { "summary", NULL,      false, "show it",       "Shows it." },
        { "explain", "SETTING", false, "explain it",    NULL, "echo first second" },
        { "shell",   "COMMAND", true,  "look inside",   ".Not a request." },
};
/* clang-format on */

static const SettingTable example_table = {
        .sections = example_sections,
        .n_sections = ELEMENTSOF(example_sections),
        .rows = example_rows,
        .n_rows = ELEMENTSOF(example_rows),
};

#define EXAMPLE_ROW(member) setting_find(&example_table, offsetof(Example, member))

/* A struct with its store, and the mistakes. */
typedef struct ExampleLoad {
        Example example;
        SettingStore *store;
        SettingMistakes mistakes;
        SettingArguments arguments;
} ExampleLoad;

static inline int example_load_new(ExampleLoad **ret) {
        ExampleLoad *load = calloc(1, sizeof(ExampleLoad));

        if (!load)
                return -ENOMEM;
        if (setting_store_new(&example_table, &load->example, &load->store) < 0) {
                free(load);
                return -ENOMEM;
        }
        *ret = load;
        return 0;
}

static inline void example_load_free(ExampleLoad *load) {
        if (!load)
                return;
        setting_store_free(load->store);
        setting_mistakes_done(&load->mistakes);
        setting_arguments_done(&load->arguments);
        free(load);
}
DEFINE_CLEANUP(ExampleLoad, example_load_free)

static inline int example_load_text(ExampleLoad *load, const char *name, const char *text) {
        return setting_load_text(load->store, name, text, strlen(text), &load->mistakes);
}

/* The words are separated by single blanks. */
static inline int example_load_words(ExampleLoad *load, const char *text) {
        _cleanup_(strv_freep) char **argv = NULL;

        int r = strv_append(&argv, "program");
        if (r < 0)
                return r;

        _cleanup_(strv_freep) char **words = NULL;
        r = strv_split(text, " ", &words);
        if (r >= 0)
                r = strv_extend(&argv, STRV(words));
        if (r < 0)
                return r;
        setting_arguments_done(&load->arguments);
        return setting_load_arguments(load->store, example_verbs, ELEMENTSOF(example_verbs),
                                      (int)strv_length(STRV(argv)), argv, &load->arguments, &load->mistakes);
}
