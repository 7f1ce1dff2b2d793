#include "train/evaluate/attention_map.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <vector>

#include "train/config/utf8.h"

namespace attend {

namespace {

// Columns of a code point by Unicode's tables, whatever the process's locale is; one for what they
// do not know.
int width_of(char32_t code) {
    static const locale_t tables = newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{});
    const locale_t before = tables ? uselocale(tables) : locale_t{};  // of this thread
    const int w = wcwidth(static_cast<wchar_t>(code));
    if (before)
        uselocale(before);
    return w < 0 ? 1 : w;
}

// What stands in one place: a character with the combining ones after it.
struct Glyph {
    std::string text;
    int width = 0;
};
using Word = std::vector<Glyph>;

int width_of(const Word& word) {
    int sum = 0;
    for (const Glyph& g : word) sum += g.width;
    return sum;
}

Word glyphs_of(const std::string& symbol, Glyphs style) {
    Word word;
    const std::string text = utf8::printable(symbol, std::string::npos);
    for (std::size_t i = 0; i < text.size();) {
        const utf8::CodePoint c = utf8::decode(text, i);
        const std::string bytes = text.substr(i, c.bytes);
        i += c.bytes;
        if (c.code == ' ') {
            word.push_back({style == Glyphs::blocks ? "\u2423" : "_", 1});
        } else if (style == Glyphs::ascii) {
            word.push_back({c.code < 0x80 ? bytes : "?", 1});
        } else if (const int w = width_of(c.code); w > 0) {
            word.push_back({bytes, w});
        } else if (word.empty()) {
            word.push_back({" " + bytes, 1});  // a combining character needs something to stand on
        } else {
            word.back().text += bytes;
        }
    }
    return word;
}

std::string cell(float weight, Glyphs style) {
    if (weight != weight)
        return "!";
    if (weight <= (style == Glyphs::blocks ? -0.05f : -0.1f))
        return "-";
    if (style == Glyphs::blocks) {
        if (weight < 0.05f)
            return " ";
        if (weight < 0.2f)
            return "\u2591";
        if (weight < 0.45f)
            return "\u2592";
        return weight < 0.75f ? "\u2593" : "\u2588";
    }
    if (weight < 0.1f)
        return ".";
    return weight >= 0.9f ? "9" : std::to_string(static_cast<int>(weight * 10));
}

void pad(std::string& line, int columns) { line.append(static_cast<std::size_t>(std::max(0, columns)), ' '); }

void end_line(std::string& text, std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
}

constexpr std::size_t longest_upright = 12;  // longer source symbols are numbered
constexpr int widest_label = 24;

// A target symbol in at most widest_label columns.
Word shortened(const Word& word) {
    if (width_of(word) <= widest_label)
        return word;
    Word cut;
    for (const Glyph& g : word) {
        if (width_of(cut) + g.width > widest_label - 3)
            break;
        cut.push_back(g);
    }
    for (int i = 0; i < 3; ++i) cut.push_back({".", 1});
    return cut;
}

}  // namespace

Glyphs environment_glyphs() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(name);
        if (value == nullptr || *value == '\0')
            continue;
        std::string locale(value);
        for (char& c : locale) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        const bool utf = locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
        return utf ? Glyphs::blocks : Glyphs::ascii;
    }
    return Glyphs::ascii;
}

int display_width(std::string_view text) {
    int sum = 0;
    for (std::size_t i = 0; i < text.size();) {
        const utf8::CodePoint c = utf8::decode(text, i);
        sum += c.valid ? width_of(c.code) : 1;
        i += c.bytes;
    }
    return sum;
}

std::string draw_attention_map(std::span<const float> weights, std::span<const std::string> source,
                               std::span<const std::string> target, MapStyle style) {
    require(weights.size() == source.size() * target.size(),
            "attention map: count of weights differs: {} weights, {} target symbols x {} source symbols", weights.size(),
            target.size(), source.size());
    std::vector<Word> labels, words;
    int label_width = 0;
    for (const std::string& t : target) {
        labels.push_back(shortened(glyphs_of(t, style.glyphs)));
        label_width = std::max(label_width, width_of(labels.back()));
    }
    std::size_t height = 0;
    for (const std::string& s : source) {
        words.push_back(glyphs_of(s, style.glyphs));
        height = std::max(height, words.back().size());
    }
    const bool numbered = height > longest_upright;
    std::vector<Word> headers = words;
    if (numbered) {
        height = std::to_string(words.size()).size();
        for (std::size_t i = 0; i < headers.size(); ++i) headers[i] = glyphs_of(std::to_string(i + 1), style.glyphs);
    }
    int cell_width = 1;
    for (const Word& h : headers)
        for (const Glyph& g : h) cell_width = std::max(cell_width, g.width);
    if (height > 1)
        ++cell_width;  // words side by side need a gap

    const int room = style.columns > 0 ? (style.columns - label_width - 1) / cell_width : 0;
    const std::size_t per_panel = style.columns > 0 ? static_cast<std::size_t>(std::max(1, room)) : headers.size();
    std::string text;
    for (std::size_t begin = 0; begin < headers.size(); begin += per_panel) {
        const std::size_t end = std::min(headers.size(), begin + per_panel);
        if (begin > 0)
            text += "\n";
        for (std::size_t level = 0; level < height; ++level) {
            std::string line;
            pad(line, label_width + 1);
            for (std::size_t s = begin; s < end; ++s) {
                const std::size_t above = height - headers[s].size();  // words stand on the map
                const Glyph none;
                const Glyph& g = level < above ? none : headers[s][level - above];
                line += g.text;
                pad(line, cell_width - g.width);
            }
            end_line(text, std::move(line));
        }
        for (std::size_t t = 0; t < labels.size(); ++t) {
            std::string line;
            pad(line, label_width - width_of(labels[t]));
            for (const Glyph& g : labels[t]) line += g.text;
            line += ' ';
            for (std::size_t s = begin; s < end; ++s) {
                const std::string shade = cell(weights[t * headers.size() + s], style.glyphs);
                line += shade;
                // A block fills its cell; a digit is easier to read once.
                for (int i = 1; i < cell_width; ++i) line += style.glyphs == Glyphs::blocks ? shade : " ";
            }
            end_line(text, std::move(line));
        }
    }
    if (numbered) {
        for (std::size_t s = 0; s < words.size(); ++s) {
            std::string line = fmt::format("{:>{}} ", s + 1, height);
            for (const Glyph& g : words[s]) line += g.text;
            end_line(text, std::move(line));
        }
    }
    return text;
}

}  // namespace attend
