/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fnmatch.h>

#include "base/json-reader.h"
#include "base/text.h"
#include "run/firmware-descriptor.h"

/* What of a descriptor matters here. */
typedef struct Descriptor {
        const FirmwareTarget *target;
        Firmware firmware;
        char *device, *mode; /* NULL: not said */
        bool is_uefi, fits_target;
} Descriptor;

/* One target under way. */
typedef struct TargetFit {
        const Descriptor *descriptor;
        char *architecture;
        bool fits_machine;
} TargetFit;

static void descriptor_done(Descriptor *descriptor) {
        firmware_done(&descriptor->firmware);
        free(descriptor->device);
        free(descriptor->mode);
}

static int read_interface(JsonReader *reader, void *userdata, Reason *reason) {
        Descriptor *descriptor = userdata;
        _cleanup_(freep) char *word = NULL;

        const int r = json_read_text(reader, &word);
        if (r >= 0 && text_equal(word, "uefi"))
                descriptor->is_uefi = true;
        return r;
}

static int read_interfaces(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, read_interface, userdata, reason);
}

/* Those that are not in the table say nothing that a choice depends on. */
static int read_feature(JsonReader *reader, void *userdata, Reason *reason) {
        Descriptor *descriptor = userdata;
        const struct {
                const char *word;
                bool *has;
        } features[] = {
                { "secure-boot", &descriptor->firmware.secure_boot },
                { "enrolled-keys", &descriptor->firmware.enrolled_keys },
                { "requires-smm", &descriptor->firmware.requires_smm },
        };
        _cleanup_(freep) char *word = NULL;

        const int r = json_read_text(reader, &word);
        for (size_t i = 0; i < ELEMENTSOF(features) && r >= 0; i++)
                if (text_equal(word, features[i].word))
                        *features[i].has = true;
        return r;
}

static int read_features(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, read_feature, userdata, reason);
}

static int read_file(JsonReader *reader, void *userdata, Reason *reason) {
        FirmwareFile *file = userdata;
        const JsonField fields[] = {
                { .name = "filename", .text = &file->path },
                { .name = "format", .text = &file->format },
        };

        const int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r >= 0 && file->path[0] != '/')
                return reason_set(reason, -EBADMSG, "The file name \"%s\" is no absolute path", file->path);
        return r;
}

static int read_mapping(JsonReader *reader, void *userdata, Reason *reason) {
        Descriptor *descriptor = userdata;
        const JsonField fields[] = {
                { .name = "device", .text = &descriptor->device },
                { .name = "mode", .optional = true, .text = &descriptor->mode },
                { .name = "executable",
                  .optional = true,
                  .read = read_file,
                  .userdata = &descriptor->firmware.code },
                { .name = "nvram-template",
                  .optional = true,
                  .read = read_file,
                  .userdata = &descriptor->firmware.variables },
        };

        return json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
}

static int read_machine(JsonReader *reader, void *userdata, Reason *reason) {
        TargetFit *fit = userdata;
        _cleanup_(freep) char *pattern = NULL;

        const int r = json_read_text(reader, &pattern);
        if (r >= 0 && fnmatch(pattern, fit->descriptor->target->machine, 0) == 0)
                fit->fits_machine = true;
        return r;
}

static int read_machines(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, read_machine, userdata, reason);
}

static int read_target(JsonReader *reader, void *userdata, Reason *reason) {
        Descriptor *descriptor = userdata;
        TargetFit fit = { .descriptor = descriptor };
        const JsonField fields[] = {
                { .name = "architecture", .text = &fit.architecture },
                { .name = "machines", .read = read_machines, .userdata = &fit },
        };

        const int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r >= 0 && fit.fits_machine && text_equal(fit.architecture, descriptor->target->architecture))
                descriptor->fits_target = true;
        free(fit.architecture);
        return r;
}

static int read_targets(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, read_target, userdata, reason);
}

/* Firmware without variables of its own ("stateless"), or with both in one file ("combined"), is not what is
 * looked for; nor is what qemu loads like a kernel. */
static bool is_split_flash(const Descriptor *descriptor) {
        return text_equal(descriptor->device, "flash") &&
               (!descriptor->mode || text_equal(descriptor->mode, "split"));
}

int firmware_descriptor_read(const char *text, size_t size, const FirmwareTarget *target, Firmware *ret,
                             Reason *reason) {
        _cleanup_(descriptor_done) Descriptor descriptor = { .target = target };
        JsonReader reader = { .position = text, .end = text + size };
        const JsonField fields[] = {
                { .name = "interface-types", .read = read_interfaces, .userdata = &descriptor },
                { .name = "mapping", .read = read_mapping, .userdata = &descriptor },
                { .name = "targets", .read = read_targets, .userdata = &descriptor },
                { .name = "features", .optional = true, .read = read_features, .userdata = &descriptor },
        };

        assert(text && target && ret);

        int r = json_read_fields(&reader, fields, ELEMENTSOF(fields), reason);
        if (r >= 0)
                r = json_read_end(&reader);
        if (r < 0)
                return r == -EBADMSG ? reason_set(reason, r, "It is no well-formed JSON") : r;
        if (!descriptor.is_uefi || !descriptor.fits_target || !is_split_flash(&descriptor))
                return 0;
        if (!descriptor.firmware.code.path || !descriptor.firmware.variables.path)
                return reason_set(reason, -EBADMSG, "The mapping has no \"%s\"",
                                  descriptor.firmware.code.path ? "nvram-template" : "executable");

        *ret = descriptor.firmware;
        descriptor.firmware = (Firmware){};
        return 1;
}
