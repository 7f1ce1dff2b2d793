#include "data/text/byte_level.h"

#include <array>

#include "data/text/unicode.h"

namespace attend {

namespace {

enum class Class : uint8_t { letter, number, space, other };

struct Letters {
    std::array<std::string, 256> of_byte;
    std::array<int, 0x144> byte_of{};  // -1: no letter
    Letters() {
        byte_of.fill(-1);
        char32_t next = 0x100;
        for (int b = 0; b < 256; ++b) {
            const bool itself = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            const char32_t letter = itself ? static_cast<char32_t>(b) : next++;
            of_byte[static_cast<std::size_t>(b)] = utf8_encode(letter);
            byte_of[letter] = b;
        }
    }
};
const Letters& letters() {
    static const Letters all;
    return all;
}

Class class_of(char32_t c) {
    if (unicode::is_letter(c))
        return Class::letter;
    if (unicode::is_number(c))
        return Class::number;
    return unicode::is_space(c) ? Class::space : Class::other;
}

const std::array<Class, 128>& ascii_classes() {
    static const std::array<Class, 128> all = [] {
        std::array<Class, 128> table{};
        for (std::size_t c = 0; c < table.size(); ++c) table[c] = class_of(static_cast<char32_t>(c));
        return table;
    }();
    return all;
}

struct Character {
    Class kind;
    std::size_t size;
};
Character character(std::string_view text, std::size_t at) {
    if (const auto byte = static_cast<unsigned char>(text[at]); byte < 0x80)
        return {ascii_classes()[byte], 1};
    const utf8::CodePoint c = utf8::decode(text, at);
    return {c.valid ? class_of(c.code) : Class::other, c.bytes};
}

// Bytes of a contraction at the front, 0 when there is none.
std::size_t contraction(std::string_view rest) {
    for (std::string_view c : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
        if (rest.starts_with(c))
            return c.size();
    return 0;
}

}  // namespace

std::string to_letters(std::string_view bytes) {
    std::string text;
    for (char c : bytes) text += letters().of_byte[static_cast<unsigned char>(c)];
    return text;
}

std::optional<std::string> from_letters(std::string_view text) {
    std::string bytes;
    for (std::size_t at = 0; at < text.size();) {
        const utf8::CodePoint c = utf8::decode(text, at);
        const int byte = c.valid && c.code < letters().byte_of.size() ? letters().byte_of[c.code] : -1;
        if (byte < 0)
            return {};
        bytes += static_cast<char>(byte);
        at += c.bytes;
    }
    return bytes;
}

std::string readable(std::string_view bytes) {
    std::string text;
    for (std::size_t at = 0; at < bytes.size();) {
        const utf8::CodePoint c = utf8::decode(bytes, at);
        const std::string_view written = bytes.substr(at, c.bytes);
        if (c.valid && !unicode::is_control(c.code))
            text += written;
        else
            for (char b : written) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(b));
        at += c.bytes;
    }
    return text;
}

bool same_word(std::string_view before, std::string_view token) {
    const auto in_word = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x80 || (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
    };
    return !before.empty() && !token.empty() && in_word(before.back()) && in_word(token.front());
}

std::string_view next_word(std::string_view text, std::size_t& at) {
    const std::size_t begin = at;
    if (begin == text.size())
        return {};
    const auto word = [&](std::size_t end) {
        at = end;
        return text.substr(begin, end - begin);
    };
    if (text[begin] == '\'')
        if (const std::size_t size = contraction(text.substr(begin)); size > 0)
            return word(begin + size);
    Character c = character(text, begin);
    std::size_t end = begin;
    if (text[begin] == ' ' && begin + 1 < text.size()) {
        const Character next = character(text, begin + 1);
        if (next.kind != Class::space) {
            c = next;
            end = begin + 1;
        }
    }
    std::size_t last = end;  // where the last character of the run begins
    const Class kind = c.kind;
    while (c.kind == kind) {
        last = end;
        end += c.size;
        if (end == text.size())
            return word(end);
        c = character(text, end);
    }
    // White space before something else leaves its last character to that, unless it is alone.
    if (kind == Class::space && last > begin)
        return word(last);
    return word(end);
}

}  // namespace attend
