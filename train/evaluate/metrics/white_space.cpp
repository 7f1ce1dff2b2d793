#include "train/evaluate/metrics/white_space.h"

namespace attend {

std::size_t space_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const unsigned a = byte(at), b = byte(at + 1), c = byte(at + 2);
    if ((a >= 0x09 && a <= 0x0D) || (a >= 0x1C && a <= 0x20))
        return 1;
    if (a == 0xC2)
        return b == 0x85 || b == 0xA0 ? 2 : 0;  // U+0085, U+00A0
    if (a == 0xE1)
        return b == 0x9A && c == 0x80 ? 3 : 0;  // U+1680
    if (a == 0xE2 && b == 0x80)                 // U+2000 to U+200A, 2028, 2029, 202F
        return (c >= 0x80 && c <= 0x8A) || c == 0xA8 || c == 0xA9 || c == 0xAF ? 3 : 0;
    if (a == 0xE2)
        return b == 0x81 && c == 0x9F ? 3 : 0;           // U+205F
    return a == 0xE3 && b == 0x80 && c == 0x80 ? 3 : 0;  // U+3000
}

}  // namespace attend
