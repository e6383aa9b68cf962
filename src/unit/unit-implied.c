/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "unit/unit-implied.h"

typedef struct Implication {
        size_t offset;  /* of the member that is implied */
        unsigned value; /* what is implied: a Truth, or a word */
        unsigned weak;  /* values of words up to this one are weaker */
} Implication;

#define MEMBER(name) offsetof(UnitSettings, name)

static const Implication truths[] = {
        { MEMBER(private_tmp), TRUTH_YES, 0 },
        { MEMBER(remove_ipc), TRUTH_YES, 0 },
        { MEMBER(no_new_privileges), TRUTH_YES, 0 },
        { MEMBER(restrict_suid_sgid), TRUTH_YES, 0 },
};

/* ProtectHome=yes hides the directories, and a tmpfs is one that is empty: both are stricter than read-only. */
static const Implication words[] = {
        { MEMBER(protect_system), PROTECT_SYSTEM_STRICT, PROTECT_SYSTEM_FULL },
        { MEMBER(protect_home), PROTECT_HOME_READ_ONLY, PROTECT_HOME_NO },
};

static int note(SettingStore *store, size_t offset) {
        return setting_note_origin(store, setting_find(store->table, offset), SETTING_DERIVED,
                                   "DynamicUser=");
}

int unit_settings_imply(SettingStore *store) {
        char *settings = store->object;
        int r = 0;

        if (!service_is_dynamic(store->object))
                return 0;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(truths); i++) {
                Truth *member = (Truth *)(settings + truths[i].offset);

                if (*member == truths[i].value)
                        continue;
                *member = truths[i].value;
                r = note(store, truths[i].offset);
        }
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(words); i++) {
                unsigned *member = (unsigned *)(settings + words[i].offset);

                if (*member > words[i].weak)
                        continue;
                *member = words[i].value;
                r = note(store, words[i].offset);
        }
        return r;
}
