/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/stat.h>

#include "base/path.h"
#include "base/text.h"
#include "config/config-resolve.h"
#include "image/artefact.h"
#include "image/sign-request.h"

static bool wants_root_hash(const Config *config) {
        return config->verity;
}

static bool wants_nspawn(const Config *config) {
        return config->nspawn_settings;
}

/* Free blocks are what a block map leaves out: squashfs has none, and qcow2 leaves them out by itself. */
static bool wants_bmap(const Config *config) {
        return config->bmap && output_format_is_disk(config->format) &&
               !output_format_is_squashfs(config->format) && !output_is_qcow2(config);
}

static bool wants_manifest(const Config *config) {
        return config->manifest;
}

static bool wants_checksums(const Config *config) {
        return config->checksum && output_format_is_file(config->format);
}

static bool wants_signature(const Config *config) {
        return config->sign && !config->sign_offline && output_format_is_file(config->format);
}

static bool wants_sign_request(const Config *config) {
        return config->sign_offline && output_format_is_file(config->format) &&
               (config->sign || (config->secure_boot && config->bootable) ||
                (config->verity && config->verity_certificate));
}

static int stem_and(const Config *config, const char *suffix, char **ret) {
        _cleanup_(freep) char *stem = NULL;

        const int r = config_output_stem(config, &stem);
        return r < 0 ? r : text_format(ret, "%s%s", stem, suffix);
}

/* The block map is one of the raw image, also where that is compressed in the end: bmaptool looks for this name. */
static int uncompressed_and(const Config *config, const char *suffix, char **ret) {
        _cleanup_(freep) char *name = NULL;

        const int r = config_output_uncompressed(config, &name);
        return r < 0 ? r : text_format(ret, "%s%s", name, suffix);
}

static int in_directory(const Config *config, const char *name, char **ret) {
        return path_join(config->output_directory, name, ret);
}

static int output_and(const Config *config, const char *suffix, char **ret) {
        return text_format(ret, "%s%s", config->output, suffix);
}

/* clang-format off */
static const struct {
        const char *name;
        bool (*wanted)(const Config *config); /* NULL: always */
        int (*output)(const Config *config, const char *suffix, char **ret);
        const char *suffix;
} kinds[] = {
        [ARTEFACT_IMAGE]        = { "image",        NULL,               output_and,       "" },
        [ARTEFACT_ROOT_HASH]    = { "root-hash",    wants_root_hash,    stem_and,         ".roothash" },
        [ARTEFACT_NSPAWN]       = { "nspawn",       wants_nspawn,       stem_and,         ".nspawn" },
        [ARTEFACT_BMAP]         = { "bmap",         wants_bmap,         uncompressed_and, ".bmap" },
        [ARTEFACT_MANIFEST]     = { "manifest",     wants_manifest,     stem_and,         ".manifest" },
        [ARTEFACT_CHECKSUMS]    = { "checksums",    wants_checksums,    in_directory,     CHECKSUMS_NAME },
        [ARTEFACT_SIGNATURE]    = { "signature",    wants_signature,    in_directory,     CHECKSUMS_SIGNATURE_NAME },
        [ARTEFACT_SIGN_REQUEST] = { "sign-request", wants_sign_request, stem_and,         SIGN_REQUEST_SUFFIX },
};
/* clang-format on */
static_assert(ELEMENTSOF(kinds) == ARTEFACT_MAX, "A kind of artefact has no row");

const char *artefact_name(ArtefactKind kind) {
        return kinds[kind].name;
}

bool artefact_wanted(const Config *config, ArtefactKind kind) {
        return !kinds[kind].wanted || kinds[kind].wanted(config);
}

bool artefact_hashes_wanted(const Config *config) {
        return artefact_wanted(config, ARTEFACT_CHECKSUMS) || artefact_wanted(config, ARTEFACT_MANIFEST) ||
               artefact_wanted(config, ARTEFACT_SIGN_REQUEST);
}

int artefact_output(const Config *config, ArtefactKind kind, char **ret) {
        return kinds[kind].output(config, kinds[kind].suffix, ret);
}

int artefacts_add(Artefacts *artefacts, const Config *config, ArtefactKind kind, char *path,
                  const Sha256Digest *digest) {
        _cleanup_(freep) char *owned = path, *output = NULL;
        Artefact artefact = { .kind = kind };
        struct stat status;

        assert(artefacts->n_items < ARTEFACT_MAX);

        if (stat(path, &status) < 0)
                return -errno;
        const int r = artefact_output(config, kind, &output);
        if (r < 0)
                return r;
        artefact.is_file = S_ISREG(status.st_mode);
        if (artefact.is_file)
                artefact.size = (uint64_t)status.st_size;
        if (digest)
                artefact.digest = *digest;
        artefact.hashed = digest != NULL;
        artefact.path = TAKE_PTR(owned);
        artefact.output = TAKE_PTR(output);

        /* Steps need not come in the order of kinds. */
        size_t at = artefacts->n_items++;
        for (; at > 0 && artefacts->items[at - 1].kind > kind; at--)
                artefacts->items[at] = artefacts->items[at - 1];
        artefacts->items[at] = artefact;
        return 0;
}

void artefacts_done(Artefacts *artefacts) {
        for (size_t i = 0; i < artefacts->n_items; i++) {
                free(artefacts->items[i].path);
                free(artefacts->items[i].output);
        }
        *artefacts = (Artefacts){};
}

void artefact_print_json(const Artefact *artefact, JsonWriter *json) {
        char digest[2 * SHA256_SIZE + 1];

        json_text(json, "kind", artefact_name(artefact->kind));
        if (artefact->is_file)
                json_number(json, "size", artefact->size);
        if (!artefact->hashed)
                return;
        sha256_format(&artefact->digest, digest);
        json_text(json, "sha256", digest);
}

const Artefact *artefacts_find(const Artefacts *artefacts, ArtefactKind kind) {
        for (size_t i = 0; i < artefacts->n_items; i++)
                if (artefacts->items[i].kind == kind)
                        return &artefacts->items[i];
        return NULL;
}
