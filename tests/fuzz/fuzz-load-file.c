/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdint.h>

#include "../unit/setting-table.h"
#include "setting/describe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file is read, and once more by a store that knows it already; what came of it is printed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t text_size;

        if (example_load_new(&load) < 0)
                return 0;
        for (size_t i = 0; i < 2; i++) {
                const int r = setting_load_text(load->store, i == 0 ? "first" : "second", (const char *)data,
                                                size, &load->mistakes);
                assert(r == 0);
        }
        for (char **mistake = load->mistakes.texts; mistake && *mistake; mistake++)
                for (const char *c = *mistake; *c; c++)
                        assert((unsigned char)*c >= ' ');

        FILE *stream = open_memstream(&text, &text_size);
        if (!stream)
                return 0;
        JsonWriter writer = { .file = stream };
        (void)describe_summary(load->store, true, stream);
        json_begin_object(&writer, NULL);
        (void)describe_json(load->store, &writer);
        json_end_object(&writer);
        (void)fclose(stream);
        return 0;
}
