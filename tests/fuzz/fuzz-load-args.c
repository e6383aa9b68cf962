/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdint.h>

#include "../unit/setting-table.h"

#define WORDS_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every line is a word of the command line; a NUL byte ends one as well. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(example_load_freep) ExampleLoad *load = NULL;
        _cleanup_(freep) char *text = malloc(size + 1);
        static char name[] = "program";
        char *argv[WORDS_MAX + 2] = { name };
        int argc = 1;

        if (!text || example_load_new(&load) < 0)
                return 0;

        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        for (char *word = text; word < text + size && argc <= WORDS_MAX; word += strlen(word) + 1) {
                word[strcspn(word, "\n")] = '\0';
                argv[argc++] = word;
        }

        const int r = setting_load_arguments(load->store, example_verbs, ELEMENTSOF(example_verbs), argc,
                                             argv, &load->arguments, &load->mistakes);
        assert(r == 0);
        assert(!load->arguments.rest || load->arguments.verb);
        return 0;
}
