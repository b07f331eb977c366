/* SPDX-License-Identifier: MIT */
#include "telegram/mime.h"

/* Of several extensions of a type the first is the one to give. */
static const struct {
    char extension[8];
    const char *mime;
} types[] = {
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"png", "image/png"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"svg", "image/svg+xml"},
    {"bmp", "image/bmp"},
    {"tiff", "image/tiff"},
    {"tif", "image/tiff"},
    {"heic", "image/heic"},
    {"avif", "image/avif"},
    {"ico", "image/x-icon"},
    {"mp4", "video/mp4"},
    {"m4v", "video/mp4"},
    {"mov", "video/quicktime"},
    {"webm", "video/webm"},
    {"mkv", "video/x-matroska"},
    {"avi", "video/x-msvideo"},
    {"mpeg", "video/mpeg"},
    {"mpg", "video/mpeg"},
    {"3gp", "video/3gpp"},
    {"mp3", "audio/mpeg"},
    {"m4a", "audio/mp4"},
    {"ogg", "audio/ogg"},
    {"oga", "audio/ogg"},
    {"opus", "audio/ogg"},
    {"flac", "audio/flac"},
    {"wav", "audio/x-wav"},
    {"aac", "audio/aac"},
    {"mid", "audio/midi"},
    {"txt", "text/plain"},
    {"log", "text/plain"},
    {"md", "text/markdown"},
    {"csv", "text/csv"},
    {"html", "text/html"},
    {"htm", "text/html"},
    {"css", "text/css"},
    {"js", "text/javascript"},
    {"json", "application/json"},
    {"xml", "application/xml"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"pdf", "application/pdf"},
    {"epub", "application/epub+zip"},
    {"rtf", "application/rtf"},
    {"doc", "application/msword"},
    {"xls", "application/vnd.ms-excel"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"tgz", "application/gzip"},
    {"bz2", "application/x-bzip2"},
    {"xz", "application/x-xz"},
    {"zst", "application/zstd"},
    {"7z", "application/x-7z-compressed"},
    {"rar", "application/vnd.rar"},
    {"tar", "application/x-tar"},
    {"apk", "application/vnd.android.package-archive"},
    {"exe", "application/vnd.microsoft.portable-executable"},
    {"ttf", "font/ttf"},
    {"otf", "font/otf"},
    {"woff2", "font/woff2"},
    {"tgs", "application/x-tgsticker"},
};

static const struct {
    char bytes[9];
    const char *mime;
} magics[] = {
    {"%PDF-", "application/pdf"},
    {"PK\x03\x04", "application/zip"},
    {"\x1f\x8b\x08", "application/gzip"},
    {"BZh", "application/x-bzip2"},
    {"\xfd"
     "7zXZ",
     "application/x-xz"},
    {"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
    {"\x28\xb5\x2f\xfd", "application/zstd"},
    {"Rar!\x1a\x07", "application/vnd.rar"},
    {"\x1a\x45\xdf\xa3", "video/x-matroska"},
};

static bool is_token_byte(uint8_t c)
{
    bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    return alnum || (c && strchr("!#$&-^_.+", c));
}

struct slice mime_essence(struct slice content_type)
{
    size_t n = 0, slashes = 0, slash_at = 0;
    for (; n < content_type.len &&
           (is_token_byte(content_type.data[n]) || content_type.data[n] == '/');
         n++) {
        if (content_type.data[n] != '/')
            continue;
        slashes++;
        slash_at = n;
    }
    bool ended = n == content_type.len || content_type.data[n] == ';' ||
                 content_type.data[n] == ' ' || content_type.data[n] == '\t';
    bool sane = ended && slashes == 1 && slash_at > 0 && slash_at + 1 < n && n <= MIME_LENGTH_MAX;
    return sane ? slice_of(content_type.data, n) : (struct slice){0};
}

struct slice mime_of_name(struct slice name)
{
    size_t dot = name.len;
    while (dot > 0 && name.data[dot - 1] != '.')
        dot--;
    if (dot == 0)
        return (struct slice){0};
    struct slice extension = slice_of(name.data + dot, name.len - dot);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_is_nocase(extension, types[i].extension))
            return slice_str(types[i].mime);
    return (struct slice){0};
}

struct slice mime_of_bytes(struct slice first)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (slice_starts_with(first, magics[i].bytes))
            return slice_str(magics[i].mime);
    return (struct slice){0};
}

struct slice mime_extension(struct slice mime)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_is_nocase(mime, types[i].mime))
            return slice_str(types[i].extension);
    return (struct slice){0};
}
