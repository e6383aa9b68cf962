/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The settings engine: a table of rows describes the members of a struct that users may set, from files and from the
 * command line. The engine knows no particular setting and no particular struct; builder and runtime bring theirs. */

#include <stdio.h>

#include "base/json.h"
#include "base/macro.h"
#include "base/reason.h"

typedef struct Setting Setting;

/* The most items that a list holds, and the most mistakes that are kept: files are not to be trusted. */
#define SETTING_LIST_ITEMS_MAX 4000
#define SETTING_MISTAKES_MAX   100

/* No member that a row describes is larger than so many words of 64 bits. */
#define SETTING_MEMBER_WORDS_MAX 4

/* What a kind of value does. `member` points to the struct member that the row describes. */
typedef struct SettingType {
        const char *metavar; /* "SIZE" in help and manual; NULL for what takes no value on the command line */
        const char *about;   /* one sentence for the manual: which values there are */
        bool optional_value; /* --option alone is fine, a value needs '=' */
        bool is_list;        /* several values add up; the member is a char ** */
        bool is_path;        /* completed as a path by the shells */
        /* Reads the text into the member; a list appends. -EINVAL with the reason when the text is no such value. */
        int (*parse)(const Setting *setting, const char *text, void *member, Reason *reason);
        /* The same for what the command line says, where text is NULL when a type with optional_value got none. NULL:
         * like parse. */
        int (*parse_argument)(const Setting *setting, const char *text, void *member, Reason *reason);
        /* Prints the value, a list one item per call (index counts from 0); false when there is no such item. */
        bool (*print)(const Setting *setting, const void *member, size_t index, FILE *file);
        void (*print_json)(const Setting *setting, const void *member, JsonWriter *writer);
        void (*clear)(void *member); /* frees, and sets to unset */
} SettingType;

typedef struct SettingAlias {
        const char *name, *word; /* "raw_gpt" means "gpt_ext4"; ends with { NULL, NULL } */
} SettingAlias;

typedef enum SettingFlags {
        SETTING_SECRET = 1 << 0,            /* never printed: summary says "set" */
        SETTING_HIDDEN = 1 << 1,            /* old name, not in help */
        SETTING_LATER_REPLACES = 1 << 2,    /* a list that a later file replaces instead of adding to it */
        SETTING_OUTSIDE_FILES = 1 << 3,     /* done before files are read (--directory, --help) */
        SETTING_OPTIONAL_VALUE = 1 << 4,    /* the option alone says "yes", a value needs '=' (--compress) */
        SETTING_ARGUMENT_REPLACES = 1 << 5, /* a list to which files add nothing to what arguments gave */
        SETTING_URI = 1 << 6,               /* a path in whose place a URI may stand (path_is_uri()) */
        SETTING_STRICT =
                1 << 7, /* a bad value is a mistake in every dialect: passing over it would be dangerous */
        SETTING_EMPTY_COUNTS =
                1 << 8, /* units: an empty value takes back, and is an item of the list itself */
} SettingFlags;

/* A row. */
struct Setting {
        const char *section, *name;   /* "Output", "Format"; name NULL: command line only */
        const char *const *old_names; /* further spellings of the key; NULL: none */
        const char *option;           /* "format" for --format; NULL: files only */
        const char *const *old_options;
        char letter;   /* 't' for -t; 0: none */
        bool inverted; /* the option says the opposite of the key (--without-tests) */
        const SettingType *type;
        size_t offset;            /* of the member */
        const char *const *words; /* enumerations: in the order of the C enum; "" cannot be given */
        const SettingAlias *aliases;
        SettingFlags flags;
        /* Prints the words that the value may be, one a line, for shells to complete; NULL: none. */
        const char *list_command;
        const char *metavar;       /* what the value is called in help, "NAME"; NULL: as the type says */
        const char *default_about; /* how the default comes about, for the manual: "the host's"; NULL: none */
        const char *planned;       /* why a value is refused: "LUKS is not there yet"; NULL: it is done */
        const char *help;          /* one line, no full stop, lower case start, under 50 characters */
        const char *about;         /* one paragraph for the manual */
};

typedef struct SettingSection {
        const char *name, *about;
} SettingSection;

/* How files are written, and how strictly they are taken. */
typedef enum SettingDialect {
        /* Files of one project: a line indented deeper continues a value; what is unknown or wrong is a mistake. */
        SETTING_DIALECT_PROJECT,
        /* Files of the world, systemd.syntax(7): a backslash at the end of a line continues it; what is unknown or wrong
         * is a warning, and left out; names that begin with "X-" are for others; an empty value takes back what was
         * said before. */
        SETTING_DIALECT_UNIT,
} SettingDialect;

typedef struct SettingTable {
        SettingDialect dialect;
        const SettingSection *sections;
        size_t n_sections;
        const Setting *rows;
        size_t n_rows;
} SettingTable;

typedef enum SettingSource {
        SETTING_UNSET,
        SETTING_DEFAULT,      /* built in */
        SETTING_DERIVED,      /* from other settings or the host; `file` says what from */
        SETTING_DISCOVERED,   /* a special file in the project: `file` */
        SETTING_FILE,         /* `file`:`line` */
        SETTING_COMMAND_LINE, /* `file` is the option as it was typed, "--format" */
} SettingSource;

/* Where a value, or some items of a list, came from. */
typedef struct SettingOrigin {
        SettingSource source;
        char *file;
        unsigned line;
        size_t n_items; /* list settings: how many items, in the order of the list */
} SettingOrigin;

typedef struct SettingOrigins {
        SettingOrigin *items; /* lists: one per addition; others: at most one */
        size_t n_items;
} SettingOrigins;

/* A struct under way of being filled. */
typedef struct SettingStore {
        const SettingTable *table;
        void *object;            /* not owned; its members are */
        SettingOrigins *origins; /* one per row */
} SettingStore;

/* Mistakes found so far: a load reports all of them at once. Control characters in them are shown as '?'. Once there
 * are too many of a kind, one last text says so and further ones are dropped. */
typedef struct SettingMistakes {
        char **texts; /* "mkosi.default:12: Unknown setting …" */
        char **warnings;
} SettingMistakes;

int setting_store_new(const SettingTable *table, void *object, SettingStore **ret);
/* Clears every member and frees the origins. */
void setting_store_free(SettingStore *store);
DEFINE_CLEANUP(SettingStore, setting_store_free)
void setting_mistakes_done(SettingMistakes *mistakes);
int setting_mistake(SettingMistakes *mistakes, const char *format, ...) _printf_(2, 3);
int setting_warning(SettingMistakes *mistakes, const char *format, ...) _printf_(2, 3);

/* Rows are found by their place in the struct: setting_find(table, offsetof(Config, format)). Never NULL. */
const Setting *setting_find(const SettingTable *table, size_t offset);
/* Where the value, or the items of a list in their order, came from; the source of the first of these. */
const SettingOrigins *setting_origins(const SettingStore *store, const Setting *setting);
SettingSource setting_source(const SettingStore *store, const Setting *setting);
/* "mkosi.default:12", "command line, --format", "default", "derived from Distribution=", "not set"; fit for terminals. */
int setting_origin_format(const SettingOrigin *origin, char **ret);
/* Notes an origin for a member that the program itself has just filled; replaces what was noted. */
int setting_note_origin(SettingStore *store, const Setting *setting, SettingSource source, const char *file);
/* The same for the items that the program has just appended to a list: the others keep theirs. */
int setting_note_addition(SettingStore *store, const Setting *setting, SettingSource source,
                          const char *file);

/* A value on its way into the store, from a file or the command line. */
typedef struct SettingValue {
        const char *text; /* NULL: an option without its optional value */
        SettingSource source;
        const char *file; /* or the option, as for SettingOrigin */
        unsigned line;
        bool replaces; /* the items of a list that earlier files gave go away */
} SettingValue;

/* Takes back what files have said: the value is unset, of a list the items of the command line stay. */
void setting_reset(SettingStore *store, const Setting *setting);

/* Puts the value where it belongs by the rules of precedence: the command line beats files, both beat what the program
 * itself filled in, lists add up. A value that loses is checked all the same. -EINVAL with the reason for a bad one. */
int setting_assign(SettingStore *store, const Setting *setting, const SettingValue *value, Reason *reason);

static inline void *setting_member(const SettingStore *store, const Setting *setting) {
        return (char *)store->object + setting->offset;
}

/* A word, and a level that may follow it: "zstd", "zstd:19". */
typedef struct SettingChoice {
        unsigned word;  /* index; 0 is the first word */
        unsigned level; /* 0: none was said */
} SettingChoice;

/* The types. For enumerations the member is an unsigned; 0 is the first word. */
/* clang-format off */
extern const SettingType setting_type_bool;        /* bool; on the command line a flag, or --option=no */
extern const SettingType setting_type_count;       /* unsigned: repetitions on the command line, a number in files */
extern const SettingType setting_type_number;      /* unsigned, 0 unset */
extern const SettingType setting_type_enum;        /* unsigned */
extern const SettingType setting_type_choice;      /* SettingChoice */
extern const SettingType setting_type_text;        /* char *, NULL unset, "" is a value */
extern const SettingType setting_type_path;        /* char *, "" refused */
extern const SettingType setting_type_size;        /* uint64_t bytes, 0 unset; multiples of 512 */
extern const SettingType setting_type_list;        /* char **, split at blanks and commas */
extern const SettingType setting_type_word_list;   /* char **, split at blanks alone, as unit files have it */
extern const SettingType setting_type_path_list;   /* char **, the same in files; one per option on the command line */
extern const SettingType setting_type_search_path; /* char **, split at blanks, and at colons */
extern const SettingType setting_type_words;       /* char **, split at blanks: a command with arguments */
extern const SettingType setting_type_environment; /* char **, "NAME=value" or "NAME", split as by a shell */
/* clang-format on */

/* What each type's member is in C. */
typedef bool SettingMember_bool;
typedef unsigned SettingMember_count, SettingMember_number, SettingMember_enum;
typedef SettingChoice SettingMember_choice;
typedef char *SettingMember_text, *SettingMember_path;
typedef uint64_t SettingMember_size;
typedef char **SettingMember_list, **SettingMember_word_list, **SettingMember_path_list,
        **SettingMember_search_path, **SettingMember_words, **SettingMember_environment;

/* A row's type and member in one: SETTING_MEMBER(Config, root_size, size). A member of another C type than its setting
 * type wants does not compile. (A macro around this one has to hand the type on with ##, since bool is a macro too.) */
/* clang-format off */
#define SETTING_MEMBER(Struct, member, name)                                                                 \
        .type = &setting_type_##name,                                                                        \
        .offset = _Generic(((Struct *)NULL)->member, SettingMember_##name: offsetof(Struct, member))
/* clang-format on */
