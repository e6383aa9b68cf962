/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/base64.h"
#include "base/text.h"

int base64_encode(const void *bytes, size_t size, char **ret) {
        assert((bytes || size == 0) && ret);

        if (size > BASE64_LENGTH_MAX / 4 * 3)
                return -EFBIG;
        char *text = malloc((size + 2) / 3 * 4 + 1);
        if (!text)
                return -ENOMEM;
        text[0] = '\0'; /* nothing is written for nothing */
        (void)EVP_EncodeBlock((unsigned char *)text, bytes, (int)size);
        *ret = text;
        return 0;
}

/* libcrypto takes blanks, and does not say how many bytes the padding stands for: so what it read is written again. */
int base64_decode(const char *text, uint8_t **ret, size_t *ret_size) {
        _cleanup_(freep) uint8_t *bytes = NULL;
        _cleanup_(freep) char *again = NULL;

        assert(text && ret && ret_size);

        const size_t length = strlen(text);
        if (length > BASE64_LENGTH_MAX)
                return -EBADMSG;
        bytes = malloc(length / 4 * 3 + 4);
        if (!bytes)
                return -ENOMEM;
        int size = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
        if (size < 0) {
                ERR_clear_error();
                return -EBADMSG;
        }
        for (size_t i = length; size > 0 && i + 2 > length && text[i - 1] == '='; i--)
                size--;
        const int r = base64_encode(bytes, (size_t)size, &again);
        if (r < 0)
                return r;
        if (!text_equal(text, again))
                return -EBADMSG;
        *ret = TAKE_PTR(bytes);
        *ret_size = (size_t)size;
        return 0;
}
