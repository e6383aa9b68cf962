/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/text.h"
#include "image/sign-request.h"
#include "secureboot/authenticode.h"

#define VERSION     1
#define BUFFER_SIZE MIB

const char *const sign_kind_words[] = {
        [SIGN_SECURE_BOOT] = "secure-boot",
        [SIGN_VERITY] = "verity",
        [SIGN_CHECKSUMS] = "checksums",
        [SIGN_KIND_MAX] = NULL,
};
static_assert(ELEMENTSOF(sign_kind_words) == SIGN_KIND_MAX + 1, "a word is missing");

void sign_request_done(SignRequest *request) {
        for (size_t i = 0; i < request->n_items; i++) {
                free(request->items[i].id);
                free(request->items[i].path);
                free(request->items[i].certificate);
                der_done(&request->items[i].bytes);
        }
        free(request->items);
        free(request->image);
        *request = (SignRequest){};
}

/* Programs are numbered; of the others there is one. What gpg(1) makes of SHA256SUMS has its name. */
static int make_id(const SignRequest *request, SignKind kind, const char *path, char **ret) {
        size_t number = 1;

        if (kind == SIGN_CHECKSUMS)
                return text_copy(path, ret);
        if (kind == SIGN_VERITY)
                return text_copy(sign_kind_words[kind], ret);
        for (size_t i = 0; i < request->n_items; i++)
                number += request->items[i].kind == kind;
        return text_format(ret, "%s-%zu", sign_kind_words[kind], number);
}

int sign_request_add(SignRequest *request, SignKind kind, const char *path, SignItem **ret) {
        _cleanup_(freep) char *id = NULL, *path_copy = NULL;

        assert(request && kind < SIGN_KIND_MAX && path && ret);

        if (request->n_items == SIGN_ITEMS_MAX)
                return -E2BIG;
        int r = make_id(request, kind, path, &id);
        if (r >= 0)
                r = text_copy(path, &path_copy);
        if (r < 0)
                return r;
        SignItem *more = reallocarray(request->items, request->n_items + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        request->items = more;
        *ret = &request->items[request->n_items++];
        **ret = (SignItem){ .id = TAKE_PTR(id), .path = TAKE_PTR(path_copy), .kind = kind };
        return 0;
}

const SignItem *sign_request_find(const SignRequest *request, const char *id) {
        for (size_t i = 0; i < request->n_items; i++)
                if (text_equal(request->items[i].id, id))
                        return &request->items[i];
        return NULL;
}

bool sign_id_is_valid(const char *text) {
        static const char marks[] = "._-";

        if (text[0] == '\0' || text[0] == '.' || strlen(text) > SIGN_ID_LENGTH_MAX)
                return false;
        for (const char *c = text; *c != '\0'; c++)
                if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') && !(*c >= '0' && *c <= '9') &&
                    !strchr(marks, *c))
                        return false;
        return true;
}

static void write_digest(JsonWriter *json, const char *key, const Sha256Digest *digest) {
        char digits[2 * SHA256_SIZE + 1];

        sha256_format(digest, digits);
        json_text(json, key, digits);
}

static int write_bytes(const SignItem *item, JsonWriter *json) {
        _cleanup_(freep) char *base64 = NULL;
        Sha256Digest digest;

        if (item->bytes.size == 0)
                return 0;
        int r = base64_encode(item->bytes.bytes, item->bytes.size, &base64);
        if (r >= 0)
                r = sha256(item->bytes.bytes, item->bytes.size, &digest);
        if (r < 0)
                return r;
        json_text(json, "digest_algorithm", "sha256");
        json_text(json, "bytes", base64);
        write_digest(json, "digest", &digest);
        json_text(json, "certificate", item->certificate);
        write_digest(json, "certificate_sha256", &item->fingerprint);
        return 0;
}

static int write_item(const SignItem *item, JsonWriter *json) {
        json_begin_object(json, NULL);
        json_text(json, "id", item->id);
        json_text(json, "kind", sign_kind_words[item->kind]);
        json_text(json, "path", item->path);
        const int r = write_bytes(item, json);
        json_begin_array(json, "ranges");
        for (size_t i = 0; i < item->n_ranges; i++) {
                json_begin_object(json, NULL);
                json_number(json, "offset", item->ranges[i].offset);
                json_number(json, "size", item->ranges[i].size);
                json_end_object(json);
        }
        json_end_array(json);
        json_end_object(json);
        return r;
}

static int write_request(const SignRequest *request, FILE *file) {
        JsonWriter json = { .file = file };
        int r = 0;

        json_begin_object(&json, NULL);
        json_number(&json, "sign_request_version", VERSION);
        json_text(&json, "image", request->image);
        json_number(&json, "size", request->size);
        write_digest(&json, "sha256", &request->digest);
        if (request->time != AUTHENTICODE_NO_TIME)
                json_number(&json, "time", (uint64_t)request->time);
        json_begin_array(&json, "items");
        for (size_t i = 0; i < request->n_items && r >= 0; i++)
                r = write_item(&request->items[i], &json);
        json_end_array(&json);
        json_end_object(&json);
        return r;
}

int sign_request_format(const SignRequest *request, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return -ENOMEM;
        const int r = write_request(request, file);
        /* Closing may move the text. */
        if (fclose(file) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}

/* Makes those of the bytes zero that lie in a range. */
static void blank_ranges(const SignRequest *request, uint8_t *bytes, uint64_t offset, size_t size) {
        for (size_t i = 0; i < request->n_items; i++)
                for (size_t k = 0; k < request->items[i].n_ranges; k++) {
                        const SignRange *range = &request->items[i].ranges[k];
                        const uint64_t begin = MAX(range->offset, offset),
                                       end = MIN(range->offset + range->size, offset + size);

                        if (begin < end)
                                memset(bytes + (begin - offset), 0, end - begin);
                }
}

int sign_request_hash(const SignRequest *request, int fd, Progress *progress, Sha256Digest *ret) {
        _cleanup_(freep) uint8_t *buffer = malloc(BUFFER_SIZE);
        _cleanup_(sha256_freep) Sha256 *hash = NULL;

        assert(request && ret);

        if (!buffer)
                return -ENOMEM;
        int r = sha256_new(&hash);
        for (uint64_t offset = 0; offset < request->size && r >= 0; offset += BUFFER_SIZE) {
                const size_t size = (size_t)MIN(request->size - offset, BUFFER_SIZE);

                r = interrupt_check();
                if (r >= 0)
                        r = fd_pread_all(fd, buffer, size, offset);
                if (r < 0)
                        break;
                blank_ranges(request, buffer, offset, size);
                r = sha256_add(hash, buffer, size);
                progress_advance(progress, size);
        }
        return r < 0 ? r : sha256_finish(hash, ret);
}
