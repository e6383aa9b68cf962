/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/fd.h"
#include "base/text.h"
#include "format/utf16.h"
#include "format/vfat-disk.h"
#include "format/vfat-reader-tree.h"

#define DIRECTORY_SIZE_MAX ((uint64_t)VFAT_DIRECTORY_ENTRIES_MAX * VFAT_ENTRY_SIZE)
/* More is no EFI system partition, and would cost memory. */
#define PATH_LENGTH_MAX 1023
#define FILES_MAX       65536

#define ENTRY_END       0x00 /* in the place of a name's first byte: nothing follows */
#define ENTRY_DELETED   0xe5
#define ENTRY_JAPANESE  0x05 /* a name that begins with the byte of a deleted one */
#define ATTRIBUTES_MASK 0x3f

#define UNIT_PADDING 0xffff /* behind the end of a long name */

/* Marks in a short name's reserved byte: what is all small letters needs no long name for it. */
#define LOWER_BASE      0x08
#define LOWER_EXTENSION 0x10

#define BASE_SIZE 8

/* What a file is called: readers look among long names and short ones alike. */
typedef struct Called {
        char *name;
        size_t index; /* of the file among those of the directory */
} Called;

typedef struct CalledList {
        Called *items;
        size_t n_items;
} CalledList;

/* A directory that is being read. */
typedef struct Directory {
        const VfatFile *file; /* NULL: the root */
        size_t index;         /* of it among the files */
        uint32_t parent;      /* cluster that ".." has: 0 for the root */

        /* The long name that the entries before told of, from its end. */
        uint16_t units[VFAT_NAME_UNITS_MAX + VFAT_LONG_UNITS];
        unsigned n_expected; /* entries of it that are to come; the short entry when 0 */
        unsigned n_entries;  /* that it has; 0: there is none */
        uint8_t checksum;

        CalledList called; /* all names of what was read so far */
        size_t n_read;
} Directory;

typedef struct Walk {
        VfatReader *reader;
        bool *taken; /* index: cluster */
        Reason *reason;
} Walk;

static const char *name_of(const VfatFile *file) {
        return file ? file->path : "the root directory";
}

static int bad(const Walk *walk, const VfatFile *file, const char *what) {
        return reason_set(walk->reason, -EBADMSG, "In %s %s", name_of(file), what);
}

/* Takes all clusters of a chain, which must be so many; 0: as many as there are. */
static int take_chain(Walk *walk, const VfatFile *file, uint32_t cluster, uint64_t n_wanted,
                      uint64_t *ret_n) {
        const VfatReader *reader = walk->reader;
        uint64_t n = 0;

        for (; cluster != VFAT_CLUSTER_END; cluster = reader->next[cluster]) {
                if (cluster < VFAT_CLUSTER_FIRST || cluster - VFAT_CLUSTER_FIRST >= reader->n_clusters)
                        return reason_set(walk->reason, -EBADMSG,
                                          "The chain of %s leads to a free or bad cluster, or to none",
                                          name_of(file));
                if (walk->taken[cluster])
                        return reason_set(walk->reason, -EBADMSG,
                                          "The chain of %s meets another, or itself, in cluster %u",
                                          name_of(file), cluster);
                walk->taken[cluster] = true;
                n++;
                if (n_wanted > 0 && n > n_wanted)
                        break;
        }
        if (n_wanted > 0 && n != n_wanted)
                return reason_set(walk->reason, -EBADMSG,
                                  "The chain of %s is %s than the size of the file wants", name_of(file),
                                  n > n_wanted ? "longer" : "shorter");
        *ret_n = n;
        return 0;
}

/* Reads a directory whole; what is no multiple of an entry is no part of it. */
static int read_directory(Walk *walk, const VfatFile *file, uint32_t cluster, uint8_t **ret,
                          size_t *ret_size) {
        const VfatReader *reader = walk->reader;
        _cleanup_(freep) uint8_t *data = NULL;
        uint64_t n;

        int r = take_chain(walk, file, cluster, 0, &n);
        if (r < 0)
                return r;
        if (n * reader->cluster_size > align_up(DIRECTORY_SIZE_MAX, reader->cluster_size))
                return bad(walk, file, "there is more than a directory can hold");
        data = malloc(MAX((size_t)n * reader->cluster_size, (size_t)1));
        if (!data)
                return -ENOMEM;
        for (uint64_t i = 0; i < n; i++) {
                r = fd_pread_all(reader->fd, data + i * reader->cluster_size, reader->cluster_size,
                                 reader->offset + reader->data_offset +
                                         (uint64_t)(cluster - VFAT_CLUSTER_FIRST) * reader->cluster_size);
                if (r < 0)
                        return r;
                cluster = reader->next[cluster];
        }
        *ret = TAKE_PTR(data);
        *ret_size = (size_t)n * reader->cluster_size;
        return 0;
}

static int read_fixed_root(Walk *walk, uint8_t **ret, size_t *ret_size) {
        const VfatReader *reader = walk->reader;
        const size_t size = (size_t)reader->n_root_entries * VFAT_ENTRY_SIZE;
        _cleanup_(freep) uint8_t *data = malloc(size);

        if (!data)
                return -ENOMEM;
        const int r = fd_pread_all(reader->fd, data, size, reader->offset + reader->root_offset);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(data);
        *ret_size = size;
        return 0;
}

/* One piece of a long name: the end of it comes first. */
static int add_long(Walk *walk, Directory *directory, const VfatLongEntry *entry) {
        const unsigned number = entry->order & ~VFAT_LONG_ORDER_LAST;
        uint16_t *units;

        if (entry->order & VFAT_LONG_ORDER_LAST) {
                if (directory->n_entries > 0)
                        return bad(walk, directory->file, "a long name begins within another");
                directory->n_entries = directory->n_expected = number;
                directory->checksum = entry->checksum;
        }
        if (number == 0 || number > divide_round_up(VFAT_NAME_UNITS_MAX, VFAT_LONG_UNITS) ||
            number != directory->n_expected || entry->checksum != directory->checksum || entry->type != 0 ||
            entry->cluster != 0)
                return bad(walk, directory->file, "the pieces of a long name do not fit together");
        directory->n_expected--;

        units = directory->units + directory->n_expected * VFAT_LONG_UNITS;
        memcpy(units, entry->units_begin, sizeof(entry->units_begin));
        memcpy(units + 5, entry->units_middle, sizeof(entry->units_middle));
        memcpy(units + 11, entry->units_end, sizeof(entry->units_end));
        return 0;
}

static int long_name(Walk *walk, Directory *directory, const VfatShortEntry *entry, char **ret) {
        const size_t n_max = (size_t)directory->n_entries * VFAT_LONG_UNITS;
        size_t n = 0;

        if (directory->n_expected > 0 || directory->checksum != vfat_alias_checksum(entry->name))
                return bad(walk, directory->file, "a long name belongs to no file");
        while (n < n_max && directory->units[n] != 0) {
                directory->units[n] = le16toh(directory->units[n]);
                n++;
        }
        if (n == 0 || n > VFAT_NAME_UNITS_MAX || n_max - n >= VFAT_LONG_UNITS)
                return bad(walk, directory->file, "a long name has no end, or an early one");
        for (size_t i = n + 1; i < n_max; i++)
                if (directory->units[i] != UNIT_PADDING)
                        return bad(walk, directory->file, "a long name has something behind its end");
        /* Readers leave these out, to whom it is another name then. */
        if (directory->units[n - 1] == '.' || directory->units[n - 1] == ' ')
                return bad(walk, directory->file, "a long name ends in a dot or a blank");
        const int r = utf16_to_utf8(directory->units, n, ret);
        return r == -EILSEQ ? bad(walk, directory->file, "a long name is no UTF-16") : r;
}

/* Appends a field of the short name. Bytes beyond ASCII mean what the reader's code page says: we have none. */
static size_t append_field(char *text, const uint8_t *field, size_t size, bool lower) {
        while (size > 0 && field[size - 1] == ' ')
                size--;
        for (size_t i = 0; i < size; i++)
                text[i] = (char)(field[i] >= 0x80 ? '_' : lower ? tolower(field[i]) : field[i]);
        return size;
}

static int short_name(const VfatShortEntry *entry, bool with_case, char **ret) {
        const uint8_t marks = with_case ? entry->reserved : 0;
        uint8_t name[VFAT_ALIAS_SIZE];
        char text[VFAT_ALIAS_SIZE + 2];

        memcpy(name, entry->name, sizeof(name));
        if (name[0] == ENTRY_JAPANESE)
                name[0] = ENTRY_DELETED;
        size_t n = append_field(text, name, BASE_SIZE, marks & LOWER_BASE);
        const size_t dot = n;
        text[n++] = '.';
        n += append_field(text + n, name + BASE_SIZE, sizeof(name) - BASE_SIZE, marks & LOWER_EXTENSION);
        text[n == dot + 1 ? dot : n] = '\0';
        return text_copy(text, ret);
}

static bool is_proper(const char *name) {
        if (name[0] == '\0' || text_equal(name, ".") || text_equal(name, ".."))
                return false;
        for (const char *c = name; *c; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f || strchr("\"*/:<>?\\|", *c))
                        return false;
        return true;
}

static void called_done(CalledList *list) {
        for (size_t i = 0; i < list->n_items; i++)
                free(list->items[i].name);
        free(list->items);
}

/* Takes the name over, also on failure. */
static int add_called(CalledList *list, char *name, size_t index) {
        /* Grown by doubling. */
        if ((list->n_items & (list->n_items - 1)) == 0) {
                Called *more = reallocarray(list->items, MAX(2 * list->n_items, (size_t)1), sizeof(*more));

                if (!more) {
                        free(name);
                        return -ENOMEM;
                }
                list->items = more;
        }
        list->items[list->n_items++] = (Called){ .name = name, .index = index };
        return 0;
}

static void directory_done(Directory *directory) {
        called_done(&directory->called);
}

static bool has_foreign_bytes(const VfatShortEntry *entry) {
        for (size_t i = 0; i < sizeof(entry->name); i++)
                if (entry->name[i] >= 0x80)
                        return true;
        return entry->name[0] == ENTRY_JAPANESE;
}

/* Notes the name that goes into paths, and the short one behind it, which must be proper too. What a code page says of a
 * short name is not known here, nor whether it is the same as another. */
static int note_names(Walk *walk, Directory *directory, const VfatShortEntry *entry, const char *name) {
        const size_t index = directory->n_read++;
        _cleanup_(freep) char *copy = NULL, *alias = NULL;

        int r = short_name(entry, false, &alias);
        if (r < 0)
                return r;
        if (alias[0] == '.' || alias[0] == ' ' || !is_proper(alias) || strpbrk(alias, "+,;=[]") ||
            strpbrk(alias, "abcdefghijklmnopqrstuvwxyz"))
                return bad(walk, directory->file, "there is a short name that no file may have");
        r = text_copy(name, &copy);
        if (r >= 0)
                r = add_called(&directory->called, TAKE_PTR(copy), index);
        if (r >= 0 && !has_foreign_bytes(entry))
                r = add_called(&directory->called, TAKE_PTR(alias), index);
        return r;
}

static int add_file(Walk *walk, VfatFile file) {
        VfatReader *reader = walk->reader;

        if (reader->n_files == FILES_MAX) {
                free(file.path);
                return reason_set(walk->reason, -EBADMSG, "There are more than %d files", FILES_MAX);
        }
        /* Grown by doubling. */
        if ((reader->n_files & (reader->n_files - 1)) == 0) {
                VfatFile *more =
                        reallocarray(reader->files, MAX(2 * reader->n_files, (size_t)1), sizeof(*more));

                if (!more) {
                        free(file.path);
                        return -ENOMEM;
                }
                reader->files = more;
        }
        reader->files[reader->n_files++] = file;
        return 0;
}

/* Checks what the entry says of its content, and takes the clusters of a file; those of a directory are taken when it is
 * read. */
static int check_content(Walk *walk, const VfatFile *file) {
        const uint64_t n_wanted = divide_round_up((uint64_t)file->size, (uint64_t)walk->reader->cluster_size);
        uint64_t n;

        if (file->directory && file->size != 0)
                return reason_set(walk->reason, -EBADMSG, "The directory %s has a size", file->path);
        if (file->directory)
                return 0;
        if ((file->cluster == 0) != (file->size == 0))
                return reason_set(walk->reason, -EBADMSG, "The file %s has %s", file->path,
                                  file->size == 0 ? "clusters, but no size" : "a size, but no clusters");
        return file->size == 0 ? 0 : take_chain(walk, file, file->cluster, n_wanted, &n);
}

static uint32_t entry_cluster(const VfatReader *reader, const VfatShortEntry *entry) {
        const uint32_t low = le16toh(entry->cluster_low);

        return reader->bits == 32 ? low | (uint32_t)le16toh(entry->cluster_high) << 16 : low;
}

static int add_entry(Walk *walk, Directory *directory, const VfatShortEntry *entry) {
        _cleanup_(freep) char *name = NULL, *path = NULL;
        const char *above = directory->file ? directory->file->path : NULL;
        VfatFile file = {
                .parent = directory->file ? directory->index : VFAT_ROOT,
                .directory = entry->attributes & VFAT_ATTRIBUTE_DIRECTORY,
                .cluster = entry_cluster(walk->reader, entry),
                .size = le32toh(entry->size),
        };

        int r = directory->n_entries > 0 ? long_name(walk, directory, entry, &name)
                                         : short_name(entry, true, &name);
        if (r < 0)
                return r;
        directory->n_entries = 0;
        if (!is_proper(name))
                return bad(walk, directory->file, "there is a name that no file may have");
        r = note_names(walk, directory, entry, name);
        if (r < 0)
                return r;
        r = above ? text_format(&path, "%s/%s", above, name) : text_copy(name, &path);
        if (r < 0)
                return r;
        if (strlen(path) > PATH_LENGTH_MAX)
                return bad(walk, directory->file, "directories are nested too deeply");
        file.path = path;
        r = check_content(walk, &file);
        if (r < 0)
                return r;
        file.path = TAKE_PTR(path);
        return add_file(walk, file);
}

/* "." and ".." come first in all directories but the root, and lead where they should. */
static int check_links(Walk *walk, const Directory *directory, const uint8_t *data, size_t size) {
        const VfatShortEntry *links = (const VfatShortEntry *)data;

        if (size < 2 * sizeof(*links) || memcmp(links[0].name, ".          ", VFAT_ALIAS_SIZE) != 0 ||
            memcmp(links[1].name, "..         ", VFAT_ALIAS_SIZE) != 0)
                return bad(walk, directory->file, "\".\" and \"..\" do not come first");
        if (entry_cluster(walk->reader, &links[0]) != directory->file->cluster ||
            entry_cluster(walk->reader, &links[1]) != directory->parent)
                return bad(walk, directory->file, "\".\" or \"..\" leads elsewhere");
        return 0;
}

/* Only the root has a label, and one. */
static int take_label(Walk *walk, const Directory *directory, const VfatShortEntry *entry) {
        VfatReader *reader = walk->reader;

        if (directory->file)
                return bad(walk, directory->file, "there is a label, as only the root may have");
        if (reader->has_label)
                return bad(walk, directory->file, "there are two labels");
        if (entry->attributes & VFAT_ATTRIBUTE_DIRECTORY || entry->size != 0 ||
            entry_cluster(reader, entry) != 0)
                return bad(walk, directory->file, "there is a label that has content");
        memcpy(reader->label, entry->name, sizeof(reader->label));
        reader->has_label = true;
        return 0;
}

static int read_entry(Walk *walk, Directory *directory, const uint8_t *data) {
        const VfatShortEntry *entry = (const VfatShortEntry *)data;

        if ((entry->attributes & ATTRIBUTES_MASK) == VFAT_ATTRIBUTE_LONG_NAME &&
            entry->name[0] != ENTRY_DELETED)
                return add_long(walk, directory, (const VfatLongEntry *)data);
        if (entry->name[0] == ENTRY_DELETED || (entry->attributes & VFAT_ATTRIBUTE_VOLUME_LABEL)) {
                if (directory->n_entries > 0)
                        return bad(walk, directory->file, "a long name belongs to no file");
                return entry->name[0] == ENTRY_DELETED ? 0 : take_label(walk, directory, entry);
        }
        if (entry->attributes & ~ATTRIBUTES_MASK)
                return bad(walk, directory->file, "there are attributes that mean nothing");
        return add_entry(walk, directory, entry);
}

static int compare_called(const void *a, const void *b) {
        const Called *x = a, *y = b;

        return strcasecmp(x->name, y->name);
}

/* No two files may answer to one name: it would depend on the reader, firmware among them, which of them it gets. */
static int check_names(const Walk *walk, const Directory *directory) {
        const CalledList *list = &directory->called;

        if (list->n_items > 1)
                qsort(list->items, list->n_items, sizeof(list->items[0]), compare_called);
        for (size_t i = 1; i < list->n_items; i++) {
                const Called *one = &list->items[i - 1], *other = &list->items[i];

                if (one->index != other->index && compare_called(one, other) == 0)
                        return reason_set(walk->reason, -EBADMSG, "In %s there are two files %s",
                                          name_of(directory->file), other->name);
        }
        return 0;
}

static int read_entries(Walk *walk, Directory *directory, const uint8_t *data, size_t size) {
        size_t at = 0;

        if (directory->file) {
                const int r = check_links(walk, directory, data, size);
                if (r < 0)
                        return r;
                at = 2 * VFAT_ENTRY_SIZE;
        }
        for (; at + VFAT_ENTRY_SIZE <= size && data[at] != ENTRY_END; at += VFAT_ENTRY_SIZE) {
                /* Adding files moves them. */
                if (directory->file)
                        directory->file = &walk->reader->files[directory->index];
                const int r = read_entry(walk, directory, data + at);
                if (r < 0)
                        return r;
        }
        if (directory->n_entries > 0)
                return bad(walk, directory->file, "a long name belongs to no file");
        if (directory->file)
                directory->file = &walk->reader->files[directory->index];
        return check_names(walk, directory);
}

static int read_root(Walk *walk) {
        const VfatReader *reader = walk->reader;
        _cleanup_(freep) uint8_t *data = NULL;
        _cleanup_(directory_done) Directory directory = {};
        size_t size;

        int r = reader->bits == 32 ? read_directory(walk, NULL, reader->root_cluster, &data, &size)
                                   : read_fixed_root(walk, &data, &size);
        return r < 0 ? r : read_entries(walk, &directory, data, size);
}

static int read_subdirectory(Walk *walk, size_t index) {
        const VfatReader *reader = walk->reader;
        const size_t parent = reader->files[index].parent;
        _cleanup_(directory_done) Directory directory = {
                .file = &reader->files[index],
                .index = index,
                .parent = parent == VFAT_ROOT ? 0 : reader->files[parent].cluster,
        };
        _cleanup_(freep) uint8_t *data = NULL;
        size_t size;

        const int r = read_directory(walk, directory.file, directory.file->cluster, &data, &size);
        return r < 0 ? r : read_entries(walk, &directory, data, size);
}

static int check_lost(const Walk *walk) {
        const VfatReader *reader = walk->reader;
        uint32_t n_lost = 0;

        for (uint32_t cluster = VFAT_CLUSTER_FIRST; cluster - VFAT_CLUSTER_FIRST < reader->n_clusters;
             cluster++)
                n_lost += !walk->taken[cluster] && reader->next[cluster] != VFAT_CLUSTER_FREE &&
                          reader->next[cluster] != VFAT_CLUSTER_BAD;
        return n_lost > 0
                       ? reason_set(walk->reason, -EBADMSG, "%u clusters are taken, but by no file", n_lost)
                       : 0;
}

int vfat_reader_read_tree(VfatReader *reader, Reason *reason) {
        _cleanup_(freep) bool *taken = calloc(VFAT_CLUSTER_FIRST + (size_t)reader->n_clusters, sizeof(bool));
        Walk walk = { .reader = reader, .taken = taken, .reason = reason };

        if (!taken)
                return -ENOMEM;
        int r = read_root(&walk);
        /* The list grows while it is walked. */
        for (size_t i = 0; i < reader->n_files && r >= 0; i++)
                if (reader->files[i].directory)
                        r = read_subdirectory(&walk, i);
        return r < 0 ? r : check_lost(&walk);
}
