/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/log.h"
#include "base/strv.h"
#include "base/terminal.h"
#include "format/luks.h"
#include "image/partition-row.h"
#include "image/passphrase-file.h"
#include "image/passphrase.h"

static_assert(PASSPHRASE_SIZE_MAX == LUKS_PASSPHRASE_SIZE_MAX, "What can be typed opens no volume");

int passphrase_check(const Config *config, char ***problems) {
        if (!partition_rows_encrypted(config))
                return 0;
        if (!config->passphrase_file) {
                if (terminal_is_there())
                        return 0;
                return strv_append_format(
                        problems,
                        "Encrypt=%s needs a passphrase, and there is no terminal to ask for "
                        "it: put it into mkosi.passphrase, with mode 0600",
                        encrypt_words[config->encrypt]);
        }
        return passphrase_file_check(config->passphrase_file, problems);
}

static int ask_once(const char *question, Secret **ret) {
        const int r = terminal_ask_secret(question, PASSPHRASE_SIZE_MAX, ret);

        if (r == -ENODATA)
                return log_error(r, "No passphrase was given, so nothing can be encrypted");
        if (r == -EINTR || r == -EMSGSIZE)
                return r;
        return r < 0 ? log_error(r, "Cannot ask for the passphrase: %m") : 0;
}

/* What is typed ahead of a question is a passphrase as well, and not shown either. */
static int ask(Secret **ret) {
        _cleanup_(terminal_hush_done) TerminalHush hush = {};

        int hushed = terminal_hush(&hush);
        if (hushed < 0)
                return log_error(hushed, "Cannot ask for the passphrase: %m");
        for (;;) {
                _cleanup_(secret_freep) Secret *secret = NULL, *again = NULL;

                int r = ask_once("Passphrase for the encrypted partitions: ", &secret);
                if (r < 0 && r != -EMSGSIZE)
                        return r;
                const char *fault = r < 0 ? "is too long" : passphrase_fault(secret);
                if (fault) {
                        log_warning("That passphrase %s; try another one", fault);
                        continue;
                }
                r = ask_once("The same passphrase again: ", &again);
                if (r < 0 && r != -EMSGSIZE)
                        return r;
                if (r >= 0 && again->size == secret->size &&
                    memcmp(again->bytes, secret->bytes, secret->size) == 0) {
                        *ret = TAKE_PTR(secret);
                        return 0;
                }
                log_warning("These were two passphrases; try again");
        }
}

int passphrase_get(const Config *config, Secret **ret) {
        return config->passphrase_file ? passphrase_file_load(config->passphrase_file, ret) : ask(ret);
}
