/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/name-table.h"
#include "base/text.h"

#define BUCKETS_FIRST 64 /* a power of two */

/* FNV-1a; names come from root, so that nobody chooses them to collide. */
static size_t hash_name(const char *name) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325);

        for (; *name; name++)
                hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
        return (size_t)(hash ^ (hash >> 32));
}

static NameEntry **bucket_of(const NameTable *table, const char *name) {
        return &table->buckets[hash_name(name) & (table->n_buckets - 1)];
}

void name_table_done(NameTable *table) {
        free(table->buckets);
        *table = (NameTable){};
}

void *name_table_find(const NameTable *table, const char *name) {
        if (table->n_buckets == 0)
                return NULL;
        for (const NameEntry *entry = *bucket_of(table, name); entry; entry = entry->next)
                if (text_equal(entry->name, name))
                        return entry->object;
        return NULL;
}

static int grow(NameTable *table) {
        const NameTable old = *table;
        NameTable new = { .n_buckets = old.n_buckets ? old.n_buckets * 2 : BUCKETS_FIRST,
                          .n_entries = old.n_entries };

        new.buckets = calloc(new.n_buckets, sizeof(new.buckets[0]));
        if (!new.buckets)
                return -ENOMEM;
        for (size_t i = 0; i < old.n_buckets; i++)
                for (NameEntry *entry = old.buckets[i], *next; entry; entry = next) {
                        NameEntry **const bucket = bucket_of(&new, entry->name);

                        next = entry->next;
                        entry->next = *bucket;
                        *bucket = entry;
                }
        free(old.buckets);
        *table = new;
        return 0;
}

int name_table_add(NameTable *table, NameEntry *entry, const char *name, void *object) {
        const int r = table->n_entries >= table->n_buckets ? grow(table) : 0;
        if (r < 0)
                return r;

        NameEntry **const bucket = bucket_of(table, name);
        *entry = (NameEntry){ .name = name, .object = object, .next = *bucket };
        *bucket = entry;
        table->n_entries++;
        return 0;
}

void name_table_remove(NameTable *table, NameEntry *entry) {
        if (!entry->name)
                return;
        for (NameEntry **at = bucket_of(table, entry->name); *at; at = &(*at)->next)
                if (*at == entry) {
                        *at = entry->next;
                        table->n_entries--;
                        *entry = (NameEntry){};
                        return;
                }
}

static int compare_entries(const void *a, const void *b) {
        return strcmp((*(const NameEntry *const *)a)->name, (*(const NameEntry *const *)b)->name);
}

int name_table_list(const NameTable *table, void ***ret, size_t *ret_n) {
        _cleanup_(freep) NameEntry **entries = calloc(table->n_entries + 1, sizeof(NameEntry *));
        size_t n = 0;

        if (!entries)
                return -ENOMEM;
        for (size_t i = 0; i < table->n_buckets; i++)
                for (NameEntry *entry = table->buckets[i]; entry; entry = entry->next)
                        entries[n++] = entry;
        qsort(entries, n, sizeof(entries[0]), compare_entries);

        void **const objects = calloc(n + 1, sizeof(void *));
        if (!objects)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                objects[i] = entries[i]->object;
        *ret = objects;
        *ret_n = n;
        return 0;
}
