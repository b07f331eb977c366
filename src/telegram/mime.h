/* SPDX-License-Identifier: MIT
 * MIME types of files, by name and by first bytes. */
#ifndef TGREST_TELEGRAM_MIME_H
#define TGREST_TELEGRAM_MIME_H

#include "base/bytes.h"

enum { MIME_LENGTH_MAX = 127 }; /* type and subtype: RFC 6838 allows more, nobody has more */

#define MIME_OCTETS "application/octet-stream"

/* type/subtype of a Content-Type, without its parameters; empty where it is no such thing (the
 * grammar of RFC 9110, at most MIME_LENGTH_MAX bytes). */
struct slice mime_essence(struct slice content_type);
/* By the extension of a file name; empty if there is none that is known. */
struct slice mime_of_name(struct slice name);
/* By the first bytes (16 are enough) of a file that is neither picture, sound nor film (probe.h);
 * empty if not known. */
struct slice mime_of_bytes(struct slice first);
/* "pdf"; empty for a type without one. */
struct slice mime_extension(struct slice mime);

#endif
