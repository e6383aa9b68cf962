/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "manager/service-number.h"

typedef struct ServiceNumber {
        NameEntry entry;
        char key[16];
        unsigned n_services;
} ServiceNumber;

static ServiceNumber *number_find(const Manager *manager, uid_t uid) {
        char key[16];

        (void)snprintf(key, sizeof(key), "%u", (unsigned)uid);
        return name_table_find(&manager->numbers, key);
}

int service_number_get(Manager *manager, uid_t uid) {
        ServiceNumber *number = number_find(manager, uid);

        if (!number) {
                number = calloc(1, sizeof(ServiceNumber));
                if (!number)
                        return -ENOMEM;
                (void)snprintf(number->key, sizeof(number->key), "%u", (unsigned)uid);
                const int r = name_table_add(&manager->numbers, &number->entry, number->key, number);
                if (r < 0) {
                        free(number);
                        return r;
                }
        }
        number->n_services++;
        return 0;
}

void service_number_put(Manager *manager, uid_t uid) {
        ServiceNumber *const number = number_find(manager, uid);

        if (!number || --number->n_services > 0)
                return;
        name_table_remove(&manager->numbers, &number->entry);
        free(number);
}

bool service_number_is_last(const Manager *manager, uid_t uid) {
        const ServiceNumber *const number = number_find(manager, uid);

        return number && number->n_services == 1;
}
