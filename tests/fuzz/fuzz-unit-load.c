/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdint.h>
#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "setting/describe.h"
#include "setting/load-file.h"
#include "unit/unit-load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_texts(char *const *texts) {
        for (; texts && *texts; texts++)
                for (const char *c = *texts; *c; c++)
                        assert((unsigned char)*c >= ' ');
}

static void print(const SettingStore *store) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *const stream = open_memstream(&text, &size);

        if (!stream)
                return;
        JsonWriter writer = { .file = stream };
        (void)describe_summary(store, true, stream);
        json_begin_object(&writer, NULL);
        (void)describe_json(store, &writer);
        json_end_object(&writer);
        (void)fclose(stream);
}

/* A unit file, which is read as one and then as a drop-in of itself. */
static void read_file(const uint8_t *data, size_t size) {
        _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
        UnitSettings settings = {};
        SettingStore *store;

        if (setting_store_new(&unit_settings, &settings, &store) < 0)
                return;
        for (size_t i = 0; i < 2; i++) {
                const int r = setting_load_text(store, i == 0 ? "a.service" : "a.service.d/a.conf",
                                                (const char *)data, size, &mistakes);
                assert(r == 0);
        }
        check_texts(mistakes.texts);
        check_texts(mistakes.warnings);
        print(store);
        setting_store_free(store);
}

/* Its lines as properties of a unit of either type. */
static void set_properties(const uint8_t *data, size_t size) {
        static const char *const names[] = { "a@b.service", "a-b.slice" };
        _cleanup_(freep) char *text = strndup((const char *)data, size);
        _cleanup_(strv_freep) char **lines = NULL;

        if (!text || strv_split(text, "\n", &lines) < 0 || strv_length(STRV(lines)) > 50)
                return;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(unit_freep) Unit *unit = NULL;

                const int r = unit_new_transient(names[i], STRV(lines), "--property", &unit);
                assert(r == 0);
                assert(unit->state == (unit->mistakes.texts ? UNIT_BAD_SETTING : UNIT_LOADED));
                assert(!unit->mistakes.warnings);
                check_texts(unit->mistakes.texts);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        read_file(data, size);
        set_properties(data, size);
        return 0;
}
