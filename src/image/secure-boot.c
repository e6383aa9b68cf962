/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/secure-boot.h"
#include "secureboot/authenticode-offline.h"
#include "secureboot/boot-tree.h"
#include "secureboot/efi-variable.h"

/* Marks owners of signatures in the firmware as ours; the rest is the certificate's. */
static const Uuid owner_space = { { 0x3c, 0x7e, 0x91, 0x52, 0x08, 0xd4, 0x4b, 0x6f, 0xa1, 0x5b, 0x70, 0x2e,
                                    0xc8, 0x49, 0x1d, 0x86 } };

static int sign_program(const Signer *signer, const Config *config, int fd, int64_t time, Reason *reason) {
        const SecureBootSign policy = config->secure_boot_sign;
        _cleanup_(pe_image_done) PeImage image = {};

        int r = pe_image_load(fd, &image, reason);
        if (r < 0)
                return r;
        if (image.certificates_size > 0 && policy == SECURE_BOOT_SIGN_KEEP)
                return 0;
        if (policy == SECURE_BOOT_SIGN_REPLACE) {
                r = certificate_table_remove(&image);
                if (r < 0)
                        return r;
        }
        return config->sign_offline
                       ? authenticode_reserve(&image, signer->certificate, time, reason)
                       : authenticode_sign(&image, signer->key, signer->certificate, time, reason);
}

/* FAT does not tell upper case from lower case. */
static bool is_program(const TreeNode *node) {
        const size_t length = strlen(node->name), suffix = strlen(".efi");

        return S_ISREG(node->status.st_mode) && length > suffix &&
               strcasecmp(node->name + length - suffix, ".efi") == 0;
}

static int sign_node(const Signer *signer, const Config *config, const Tree *tree, const TreeNode *node,
                     int64_t time) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) char *path = NULL;

        int r = tree_node_path(node, &path);
        if (r < 0)
                return r;
        r = fd = path_open_below(tree->root_fd, path, O_RDWR, 0);
        if (r >= 0)
                r = sign_program(signer, config, fd, time, &reason);
        if (r < 0)
                return log_error(r, "Cannot sign %s of the EFI system partition: %s", path,
                                 reason_text(&reason, r));
        log_debug("%s %s by '%s'", config->sign_offline ? "Kept a place for a signature in" : "Signed", path,
                  signer->certificate->subject);
        return 0;
}

int secure_boot_sign(const Signer *signer, const Config *config, const char *boot_path, int64_t time) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(tree_freep) Tree *tree = NULL;

        int r = tree_load(AT_FDCWD, boot_path, &tree, &reason);
        if (r < 0)
                return r == -EINTR ? r
                                   : log_error(r, "Cannot read the tree of the EFI system partition: %s",
                                               reason_text(&reason, r));
        for (size_t i = 0; i < tree->n_nodes; i++) {
                if (!is_program(tree->nodes[i]))
                        continue;
                r = sign_node(signer, config, tree, tree->nodes[i], time);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_variable(const Signer *signer, const Config *config, EfiVariable variable, const Der *list,
                        int boot_fd, int64_t time, Reason *reason) {
        _cleanup_(der_done) Der content = {};

        const int r = config->sign_offline
                              ? efi_variable_reserve(list, time, signer->certificate, &content, reason)
                              : efi_variable_write(variable, list, time, signer->key, signer->certificate,
                                                   &content, reason);
        if (r < 0)
                return r;
        return boot_tree_add_key(boot_fd, efi_variable_names[variable], content.bytes, content.size, reason);
}

/* The same certificate is platform key, key exchange key and signature database. */
static int add_variables(const Signer *signer, const Config *config, int boot_fd, int64_t time,
                         Reason *reason) {
        char fingerprint[2 * SHA256_SIZE + 1];
        _cleanup_(der_done) Der list = {};
        Uuid owner;

        sha256_format(&signer->certificate->fingerprint, fingerprint);
        int r = uuid_derive(owner_space, fingerprint, &owner);
        if (r < 0)
                return r;
        efi_signature_list_write(signer->certificate, owner, &list);
        r = der_finish(&list);
        for (EfiVariable variable = 0; variable < EFI_VARIABLE_MAX && r >= 0; variable++)
                r = add_variable(signer, config, variable, &list, boot_fd, time, reason);
        return r;
}

int secure_boot_enroll(const Signer *signer, const Config *config, const char *boot_path, int64_t time) {
        _cleanup_(fd_closep) int boot_fd = open(boot_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const char *when = secure_boot_enroll_words[config->secure_boot_auto_enroll];
        _cleanup_(reason_done) Reason reason = {};

        if (boot_fd < 0)
                return log_error(-errno, "Cannot open %s: %m", boot_path);
        int r = add_variables(signer, config, boot_fd, time, &reason);
        if (r >= 0)
                r = boot_tree_set_enrollment(boot_fd, when, &reason);
        if (r < 0)
                return log_error(
                        r, "Cannot add the keys for SecureBootAutoEnroll=%s to the EFI system partition: %s",
                        when, reason_text(&reason, r));
        return 0;
}
