/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/json-reader.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/given-signatures.h"

#define SUFFIX ".sig"

void given_signatures_done(GivenSignatures *given) {
        for (size_t i = 0; i < given->n_items; i++) {
                free(given->items[i].id);
                free(given->items[i].source);
                der_done(&given->items[i].bytes);
        }
        free(given->items);
        *given = (GivenSignatures){};
}

const GivenSignature *given_signatures_find(const GivenSignatures *given, const char *id) {
        for (size_t i = 0; i < given->n_items; i++)
                if (text_equal(given->items[i].id, id))
                        return &given->items[i];
        return NULL;
}

/* Takes the ID and the bytes over, also on failure. */
static int add(GivenSignatures *given, const char *source, char *id, uint8_t *bytes, size_t size,
               Reason *reason) {
        _cleanup_(freep) char *owned_id = id, *source_copy = NULL;
        _cleanup_(freep) uint8_t *owned_bytes = bytes;

        if (!sign_id_is_valid(id))
                return reason_set(reason, -EBADMSG, "\"%s\" can be no ID", id);
        if (size == 0 || size > GIVEN_SIGNATURE_SIZE_MAX)
                return reason_set(reason, -EBADMSG, "The signature of \"%s\" has %zu bytes", id, size);
        const GivenSignature *other = given_signatures_find(given, id);
        if (other)
                return reason_set(reason, -EBADMSG, "There are two signatures of \"%s\", one of them in %s",
                                  id, other->source);
        if (given->n_items == SIGN_ITEMS_MAX)
                return reason_set(reason, -EBADMSG, "There are more than %d signatures", SIGN_ITEMS_MAX);

        const int r = text_copy(source, &source_copy);
        if (r < 0)
                return r;
        GivenSignature *more = reallocarray(given->items, given->n_items + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        given->items = more;
        more[given->n_items++] = (GivenSignature){
                .id = TAKE_PTR(owned_id),
                .source = TAKE_PTR(source_copy),
                .bytes = { .bytes = TAKE_PTR(owned_bytes), .size = size, .capacity = size },
        };
        return 0;
}

static int read_member(JsonReader *reader, GivenSignatures *given, const char *source, char *name,
                       Reason *reason) {
        _cleanup_(freep) char *id = name, *base64 = NULL;
        uint8_t *bytes;
        size_t size;

        int r = json_read_text(reader, &base64);
        if (r >= 0)
                r = base64_decode(base64, &bytes, &size);
        if (r == -EBADMSG)
                return reason_set(reason, r, "The value of \"%s\" is no text in base64", id);
        return r < 0 ? r : add(given, source, TAKE_PTR(id), bytes, size, reason);
}

static int read_object(JsonReader *reader, GivenSignatures *given, const char *source, Reason *reason) {
        int r = json_read_object(reader);

        while (r >= 0) {
                char *name;

                r = json_read_member(reader, &name);
                if (r <= 0)
                        break;
                r = read_member(reader, given, source, name, reason);
        }
        if (r >= 0)
                r = json_read_end(reader);
        return r == -EBADMSG ? reason_set(reason, r, "There is no JSON object of IDs and signatures") : r;
}

int given_signatures_parse(GivenSignatures *given, const char *source, const char *text, size_t size,
                           unsigned *ret_line, Reason *reason) {
        JsonReader reader = { .position = text, .end = text + size };

        assert(given && source && text && ret_line);

        const int r = read_object(&reader, given, source, reason);
        *ret_line = json_reader_line(&reader, text);
        return r;
}

static int load_json(GivenSignatures *given, const char *path) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *text = NULL;
        unsigned line;
        size_t size;

        int r = file_read(AT_FDCWD, path, SIGN_REQUEST_SIZE_MAX, &text, &size);
        if (r < 0)
                return log_error(r, "Cannot read the signatures %s: %s", path, file_read_error(r));
        r = given_signatures_parse(given, path, text, size, &line, &reason);
        return r < 0 ? log_error(r, "%s:%u: %s", path, line, reason_text(&reason, r)) : 0;
}

/* The file's name is ID and suffix. */
static int load_file(GivenSignatures *given, const char *path) {
        const char *name = path_base_name(path);
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *bytes = NULL, *id = NULL;
        size_t size;

        int r = file_read(AT_FDCWD, path, GIVEN_SIGNATURE_SIZE_MAX, &bytes, &size);
        if (r < 0)
                return log_error(r, "Cannot read the signature %s: %s", path, file_read_error(r));
        r = text_format(&id, "%.*s", (int)(strlen(name) - strlen(SUFFIX)), name);
        if (r >= 0)
                r = add(given, path, TAKE_PTR(id), (uint8_t *)TAKE_PTR(bytes), size, &reason);
        return r < 0 ? log_error(r, "Cannot take the signature %s: %s", path, reason_text(&reason, r)) : 0;
}

static int list_directory(const char *path, char ***ret) {
        _cleanup_(directory_closep) DIR *directory = opendir(path);
        _cleanup_(strv_freep) char **paths = NULL;
        struct dirent *entry;
        int r = 0;

        if (!directory)
                return -errno;
        while ((entry = readdir(directory)) && r >= 0)
                if (entry->d_name[0] != '.' && text_ends_with(entry->d_name, SUFFIX))
                        r = strv_append_format(&paths, "%s/%s", path, entry->d_name);
        if (r < 0)
                return r;
        if (!paths)
                return -ENOENT;
        strv_sort(paths);
        *ret = TAKE_PTR(paths);
        return 0;
}

static int load_directory(GivenSignatures *given, const char *path) {
        _cleanup_(strv_freep) char **paths = NULL;

        int r = list_directory(path, &paths);
        if (r == -ENOENT)
                return log_error(r, "There is no file ID" SUFFIX " in the directory %s", path);
        if (r < 0)
                return log_error(r, "Cannot read the directory %s: %m", path);
        for (char **file = paths; *file && r >= 0; file++)
                r = load_file(given, *file);
        return r;
}

int given_signatures_load(GivenSignatures *given, const char *const *paths) {
        int r = 0;

        static_assert(sizeof(SUFFIX) == sizeof(".gpg"), "both suffixes are cut off alike");
        for (; paths && *paths && r >= 0; paths++) {
                struct stat status;

                if (stat(*paths, &status) < 0)
                        return log_error(-errno, "Cannot read the signatures %s: %m", *paths);
                if (S_ISDIR(status.st_mode))
                        r = load_directory(given, *paths);
                else if (text_ends_with(*paths, SUFFIX) || text_ends_with(*paths, ".gpg"))
                        r = load_file(given, *paths);
                else
                        r = load_json(given, *paths);
        }
        return r;
}
