/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "base/text.h"
#include "format/utf16.h"
#include "format/vfat-name.h"

#define BASE_SIZE      8
#define EXTENSION_SIZE 3

/* So many aliases of the same beginning are numbered from 1, as people know it; later ones get numbers that are new to
 * the whole directory, so that a directory full of such names still takes linear time. */
#define FAMILIAR_NUMBERS 4

/* No number is higher than this: each one beyond the familiar is an alias of ours, or was found to be taken by a name. */
#define NUMBER_MAX (FAMILIAR_NUMBERS + 1 + VFAT_DIRECTORY_ENTRIES_MAX)
static_assert(NUMBER_MAX < 100000, "The number of an alias has more than five digits");

/* Characters, apart from control characters, that no name may have. */
static const char illegal[] = "\"*/:<>?\\|";

/* Pairs of letters that differ in case only, by blocks: the small ones from first to last, in steps, each with its capital
 * so far below. ASCII, Latin-1, Latin Extended-A, Greek, Cyrillic. Readers differ in which letters they take for the same;
 * names that some take for the same are of no use with any. */
static const struct {
        uint16_t first, last, step, distance;
} cases[] = {
        { 'a', 'z', 1, 32 },       { 0x00e0, 0x00f6, 1, 32 }, { 0x00f8, 0x00fe, 1, 32 },
        { 0x0101, 0x012f, 2, 1 },  { 0x0133, 0x0137, 2, 1 },  { 0x013a, 0x0148, 2, 1 },
        { 0x014b, 0x0177, 2, 1 },  { 0x017a, 0x017e, 2, 1 },  { 0x03b1, 0x03c1, 1, 32 },
        { 0x03c3, 0x03cb, 1, 32 }, { 0x0430, 0x044f, 1, 32 }, { 0x0450, 0x045f, 1, 80 },
        { 0x0461, 0x0481, 2, 1 },  { 0x048b, 0x04bf, 2, 1 },  { 0x04d1, 0x052f, 2, 1 },
};

static uint16_t capital(uint16_t unit) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (unit >= cases[i].first && unit <= cases[i].last &&
                    (unit - cases[i].first) % cases[i].step == 0)
                        return unit - cases[i].distance;
        return unit;
}

/* Whether a byte may stand in a short name. */
static bool is_short(uint16_t unit) {
        return (unit >= 'A' && unit <= 'Z') || (unit >= '0' && unit <= '9') ||
               (unit > ' ' && unit < 0x7f && strchr("!#$%&'()-@^_`{}~", unit));
}

static int name_refuse(const VfatName *name, int r, const char *why, Reason *reason) {
        _cleanup_(freep) char *path = NULL;

        if (tree_node_path(name->node, &path) < 0)
                return r;
        return reason_set(reason, r, "FAT cannot store the name '%s': %s", path, why);
}

static int name_init(VfatName *name, const TreeNode *node, Reason *reason) {
        uint16_t units[VFAT_NAME_UNITS_MAX];

        name->node = node;

        const ssize_t n = utf16_from_utf8(node->name, units, ELEMENTSOF(units));
        if (n == -EILSEQ)
                return name_refuse(name, -EILSEQ, "it is no UTF-8", reason);
        if (n < 0)
                return name_refuse(name, (int)n, "it is too long", reason);
        for (ssize_t i = 0; i < n; i++)
                if (units[i] < ' ' || (units[i] < 0x7f && strchr(illegal, units[i])))
                        return name_refuse(name, -EINVAL, "it has a character that is not allowed", reason);
        if (n > 0 && (units[n - 1] == '.' || units[n - 1] == ' '))
                return name_refuse(name, -EINVAL, "it ends with a dot or a blank", reason);

        name->n_units = (size_t)n;
        name->units = malloc(MAX((size_t)n, (size_t)1) * sizeof(uint16_t));
        if (!name->units)
                return -ENOMEM;
        memcpy(name->units, units, (size_t)n * sizeof(uint16_t));
        return 0;
}

/* Puts characters of the name into a field of the alias, as capitals. Returns how many went in; notes in lossy when one
 * had to be dropped or replaced. */
static size_t alias_fill(uint8_t *field, size_t size, const uint16_t *units, size_t n_units, bool *lossy) {
        size_t n = 0;

        for (size_t i = 0; i < n_units; i++) {
                if (units[i] == ' ' || units[i] == '.' || n == size) {
                        *lossy = true;
                        continue;
                }
                const uint16_t unit = capital(units[i]);
                const bool fits = is_short(unit);

                *lossy = *lossy || !fits;
                field[n++] = fits ? (uint8_t)unit : '_';
        }
        return n;
}

/* Makes the alias without a number, and says whether it may stay so: whether it is the name but for small letters. */
static bool alias_init(VfatName *name) {
        size_t start = 0, dot = name->n_units;
        bool lossy = false;

        while (start < name->n_units && (name->units[start] == '.' || name->units[start] == ' ')) {
                start++;
                lossy = true;
        }
        for (size_t i = start; i < name->n_units; i++)
                if (name->units[i] == '.')
                        dot = i;

        memset(name->alias, ' ', sizeof(name->alias));
        (void)alias_fill(name->alias, BASE_SIZE, name->units + start, dot - start, &lossy);
        if (dot < name->n_units)
                (void)alias_fill(name->alias + BASE_SIZE, EXTENSION_SIZE, name->units + dot + 1,
                                 name->n_units - dot - 1, &lossy);

        name->alias_is_name = !lossy;
        for (size_t i = 0; i < name->n_units; i++)
                if (capital(name->units[i]) != name->units[i])
                        name->alias_is_name = false;
        return !lossy;
}

/* Cuts the base of the alias so that "~number" fits behind it. */
static void alias_number(uint8_t alias[static VFAT_ALIAS_SIZE], unsigned number) {
        char text[BASE_SIZE];
        size_t n = 0;

        assert(number <= NUMBER_MAX);

        const size_t length = (size_t)snprintf(text, sizeof(text), "~%u", number);
        while (n < BASE_SIZE - length && alias[n] != ' ')
                n++;
        memset(alias + n, ' ', BASE_SIZE - n);
        memcpy(alias + n, text, length);
}

/* The aliases taken in a directory: a hash table of pointers, open addressing, never more than half full. */
typedef struct AliasSet {
        const uint8_t **slots;
        size_t mask;
} AliasSet;

static void alias_set_done(AliasSet *set) {
        free(set->slots);
}

static int alias_set_init(AliasSet *set, size_t n) {
        size_t size = 16;

        while (size < 2 * n)
                size *= 2;
        set->mask = size - 1;
        set->slots = calloc(size, sizeof(set->slots[0]));
        return set->slots ? 0 : -ENOMEM;
}

/* Adds an alias that lives on in its name. False if it is taken. */
static bool alias_set_add(AliasSet *set, const uint8_t *alias) {
        uint32_t hash = 2166136261; /* FNV-1a */

        for (size_t i = 0; i < VFAT_ALIAS_SIZE; i++)
                hash = (hash ^ alias[i]) * 16777619;

        for (size_t i = hash & set->mask;; i = (i + 1) & set->mask) {
                if (!set->slots[i]) {
                        set->slots[i] = alias;
                        return true;
                }
                if (memcmp(set->slots[i], alias, VFAT_ALIAS_SIZE) == 0)
                        return false;
        }
}

/* Numbers the alias so that it is the only one. next is the number that no alias of the directory has had yet. */
static void alias_make_unique(VfatName *name, AliasSet *taken, unsigned *next) {
        uint8_t plain[VFAT_ALIAS_SIZE];

        memcpy(plain, name->alias, sizeof(plain));
        for (unsigned number = 1;; number++) {
                memcpy(name->alias, plain, sizeof(plain));
                alias_number(name->alias, number <= FAMILIAR_NUMBERS ? number : (*next)++);
                if (alias_set_add(taken, name->alias))
                        return;
        }
}

static int names_make_aliases(VfatName *names, size_t n) {
        _cleanup_(alias_set_done) AliasSet taken = {};
        _cleanup_(freep) bool *lossy = NULL;
        unsigned next = FAMILIAR_NUMBERS + 1;

        lossy = calloc(MAX(n, (size_t)1), sizeof(bool));
        if (!lossy)
                return -ENOMEM;
        int r = alias_set_init(&taken, n);
        if (r < 0)
                return r;

        /* Names that are their own alias come first: these cannot give way to others. They differ, since the long names
         * were found to differ in more than case. */
        for (size_t i = 0; i < n; i++) {
                lossy[i] = !alias_init(&names[i]);
                if (!lossy[i])
                        (void)alias_set_add(&taken, names[i].alias);
        }
        for (size_t i = 0; i < n; i++)
                if (lossy[i])
                        alias_make_unique(&names[i], &taken, &next);
        return 0;
}

static int compare_names(const void *a, const void *b) {
        const VfatName *x = *(const VfatName *const *)a, *y = *(const VfatName *const *)b;

        for (size_t i = 0; i < MIN(x->n_units, y->n_units); i++) {
                const int difference = capital(x->units[i]) - capital(y->units[i]);

                if (difference != 0)
                        return difference;
        }
        return x->n_units < y->n_units ? -1 : x->n_units > y->n_units;
}

/* Brings names that differ in case only together, and refuses them. */
static int names_check_clashes(const VfatName *names, size_t n, Reason *reason) {
        _cleanup_(freep) const VfatName **sorted = calloc(MAX(n, (size_t)1), sizeof(sorted[0]));
        _cleanup_(freep) char *path = NULL;

        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                sorted[i] = &names[i];
        if (n > 1)
                qsort(sorted, n, sizeof(sorted[0]), compare_names);

        for (size_t i = 1; i < n; i++) {
                if (compare_names(&sorted[i - 1], &sorted[i]) != 0)
                        continue;
                /* In the order of the tree, to be the same message each time. */
                const VfatName *first = MIN(sorted[i - 1], sorted[i]),
                               *second = MAX(sorted[i - 1], sorted[i]);

                if (tree_node_path(first->node, &path) < 0)
                        return -ENOMEM;
                return reason_set(reason, -EEXIST, "FAT cannot tell the names '%s' and '%s' apart", path,
                                  second->node->name);
        }
        return 0;
}

void vfat_names_free(VfatName *names, size_t n) {
        for (size_t i = 0; names && i < n; i++)
                free(names[i].units);
        free(names);
}

int vfat_names_new(const TreeNode *directory, VfatName **ret, Reason *reason) {
        const size_t n = directory->n_children;
        _cleanup_(freep) char *path = NULL;
        int r = 0;

        if (n > VFAT_DIRECTORY_ENTRIES_MAX) {
                if (tree_node_path(directory, &path) < 0)
                        return -ENOMEM;
                return reason_set(reason, -EFBIG, "FAT cannot store so many names in the directory '%s'",
                                  path);
        }

        VfatName *names = calloc(MAX(n, (size_t)1), sizeof(VfatName));
        if (!names)
                return -ENOMEM;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = name_init(&names[i], directory->children[i], reason);
        if (r >= 0)
                r = names_check_clashes(names, n, reason);
        if (r >= 0)
                r = names_make_aliases(names, n);
        if (r < 0) {
                vfat_names_free(names, n);
                return r;
        }

        *ret = names;
        return 0;
}

size_t vfat_name_count_entries(const VfatName *name) {
        return 1 + (name->alias_is_name ? 0 : divide_round_up(name->n_units, VFAT_LONG_UNITS));
}

uint8_t vfat_alias_checksum(const uint8_t alias[static VFAT_ALIAS_SIZE]) {
        uint8_t sum = 0;

        for (size_t i = 0; i < VFAT_ALIAS_SIZE; i++)
                sum = (uint8_t)((sum >> 1 | sum << 7) + alias[i]);
        return sum;
}

int vfat_label_encode(const char *label, uint8_t ret[static VFAT_ALIAS_SIZE]) {
        const size_t length = strlen(label);

        if (length == 0 || length > VFAT_ALIAS_SIZE || label[0] == ' ')
                return -EINVAL;
        for (size_t i = 0; i < length; i++)
                if (label[i] != ' ' && !is_short(capital((uint8_t)label[i])))
                        return -EINVAL;

        memset(ret, ' ', VFAT_ALIAS_SIZE);
        for (size_t i = 0; i < length; i++)
                ret[i] = (uint8_t)capital((uint8_t)label[i]);
        return 0;
}
