#include "data/text/text_form.h"

#include <algorithm>

#include "core/base/error.h"

namespace attend {

namespace {

using std::string_view_literals::operator""sv;

// What the first bytes of a file are.
struct Beginning {
    std::string_view bytes, name;
    std::size_t at = 0;
};

// Text of wide characters, by its byte order mark. UTF-32 comes first: its mark begins with that of
// UTF-16.
constexpr Beginning marks[] = {
    {"\xFF\xFE\0\0"sv, "UTF-32LE"}, {"\0\0\xFE\xFF"sv, "UTF-32BE"}, {"\xFF\xFE"sv, "UTF-16LE"}, {"\xFE\xFF"sv, "UTF-16BE"}};

// What is packed in a way that is not read, or packed twice.
constexpr Beginning kinds[] = {{"\x1F\x8B"sv, "gzip"},        {"\xFD\x37zXZ\0"sv, "xz"},      {"\x28\xB5\x2F\xFD"sv, "zstd"},
                               {"PK\x03\x04"sv, "zip"},       {"7z\xBC\xAF\x27\x1C"sv, "7z"}, {"Rar!\x1A\x07"sv, "rar"},
                               {"\x04\x22\x4D\x18"sv, "lz4"}, {"LZIP\x01"sv, "lzip"},         {"\x1F\x9D"sv, "compress (.Z)"},
                               {"ustar"sv, "tar", 257}};

// "UTF-16LE" and so on where the NUL bytes of a text stand as in one of mostly ASCII characters;
// empty for any other.
std::string_view wide_by_nul(std::string_view head) {
    std::size_t nul[4] = {};  // by place in a group of four
    const std::size_t bytes = head.size() / 2 * 2, groups = bytes / 4;
    for (std::size_t i = 0; i < bytes; ++i) nul[i % 4] += head[i] == '\0' ? 1 : 0;
    const std::size_t all = nul[0] + nul[1] + nul[2] + nul[3];
    if (groups == 0 || all * 5 < bytes * 2)  // two fifths: every second byte, but for a few characters beyond Latin-1
        return "";
    if (nul[3] >= groups && nul[0] == 0 && nul[2] * 2 > groups)
        return "UTF-32LE";
    if (nul[0] >= groups && nul[3] == 0 && nul[1] * 2 > groups)
        return "UTF-32BE";
    if (nul[0] + nul[2] == 0)
        return "UTF-16LE";
    if (nul[1] + nul[3] == 0)
        return "UTF-16BE";
    return "";
}

}  // namespace

std::size_t text_begin(std::string_view head, std::string_view where) {
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    const auto convert = [](std::string_view name) { return fmt::format("convert it: iconv -f {} -t UTF-8 OLD > NEW", name); };
    for (const Beginning& m : marks)
        if (head.starts_with(m.bytes))
            fail("{}: text of wide characters is not read: its byte order mark of {} bytes is that of {}, needed UTF-8; {}",
                 where, m.bytes.size(), m.name, convert(m.name));
    for (const Beginning& k : kinds)
        if (head.size() > k.at && head.substr(k.at).starts_with(k.bytes))
            fail(
                "{}: not a text: its first bytes are those of {}; a file packed once by gzip, xz, zstd or bzip2 is read, all "
                "else has to be unpacked first",
                where, k.name);
    if (const std::string_view name = wide_by_nul(head); !name.empty())
        fail("{}: text of wide characters is not read: {} of its first {} bytes are NUL, placed as in {}, needed UTF-8; {}",
             where, std::ranges::count(head, '\0'), head.size(), name, convert(name));
    return head.starts_with(mark) ? mark.size() : 0;
}

}  // namespace attend
