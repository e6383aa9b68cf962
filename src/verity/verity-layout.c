/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "verity/verity-layout.h"

int verity_layout_init(uint64_t n_data_blocks, VerityLayout *ret) {
        VerityLayout layout = { .n_data_blocks = n_data_blocks, .size = VERITY_BLOCK_SIZE };

        assert(ret);

        if (n_data_blocks == 0)
                return -EINVAL;
        if (n_data_blocks > INT64_MAX / VERITY_BLOCK_SIZE)
                return -EFBIG;

        for (uint64_t n = n_data_blocks; n > 1;) {
                assert(layout.n_levels < VERITY_LEVELS_MAX);
                n = divide_round_up(n, VERITY_DIGESTS_PER_BLOCK);
                layout.levels[layout.n_levels++].n_blocks = n;
        }
        for (size_t i = layout.n_levels; i-- > 0;) {
                layout.levels[i].offset = layout.size;
                layout.size += layout.levels[i].n_blocks * VERITY_BLOCK_SIZE;
        }

        *ret = layout;
        return 0;
}
