#include "data/text/vocabulary.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/files.h"
#include "data/text/lines.h"
#include "data/text/utf8.h"

namespace attend {

namespace {

constexpr std::string_view header_start = "attend vocabulary 1: ";
std::string_view header_end(Specials specials) { return specials == Specials::own ? " symbols, own ids" : " symbols"; }

std::string escape(std::string_view symbol) {
    std::string out;
    for (char c : symbol) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\\')
            out += "\\\\";
        else if (byte < 0x20 || byte == 0x7F)
            out += fmt::format("\\x{:02x}", byte);
        else
            out += c;
    }
    return out;
}

// Accepts what escape() writes and nothing else.
std::string unescape(std::string_view line, const Place& place) {
    std::string out;
    for (std::size_t i = 0; i < line.size();) {
        if (line[i] != '\\') {
            out += line[i++];
            continue;
        }
        const std::string_view written = line.substr(i, line.substr(i, 2) == "\\\\" ? 2 : 4);
        unsigned byte = '\\';
        if (written.size() == 4)
            std::from_chars(written.data() + 2, written.data() + 4, byte, 16);
        const auto c = static_cast<char>(byte);
        require(escape({&c, 1}) == written,
                "{}: unknown escape in a vocabulary: '{}' at byte {}; known are \\\\ and \\xHH of a control byte", place.text(),
                line.substr(i, 4), i + 1);
        out += c;
        i += written.size();
    }
    return out;
}

}  // namespace

const std::string& symbol_of(std::string_view owner, const std::vector<std::string>& symbols, int32_t first, int32_t id) {
    static const std::array<std::string, first_free_id> special = {"<pad>", "<s>", "</s>", "<unk>"};
    const auto size = first + static_cast<int64_t>(symbols.size());
    require(id >= 0 && id < size, "{}: id is out of range: id {}, size {}", owner, id, size);
    return id < first ? special[static_cast<std::size_t>(id)] : symbols[static_cast<std::size_t>(id - first)];
}

Vocabulary::Vocabulary(std::vector<std::string> symbols, Specials specials)
    : symbols_(std::move(symbols)), specials_(specials) {
    require(symbols_.size() < (std::size_t{1} << 31) - first_free_id, "vocabulary: too many symbols: symbols {}, allowed {}",
            symbols_.size(), (std::size_t{1} << 31) - first_free_id);
    ids_.reserve(symbols_.size());
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
        require(!symbols_[i].empty(), "vocabulary: a symbol is empty: symbol number {}, symbols {}", i, symbols_.size());
        const auto [at, fresh] = ids_.emplace(symbols_[i], static_cast<int32_t>(i) + first());
        require(fresh, "vocabulary: a symbol appears twice: '{}' is symbol number {} and {}", escape(symbols_[i]),
                at->second - first(), i);
    }
    if (specials == Specials::own) {
        const auto at = ids_.find(unknown_symbol);
        unknown_ = at == ids_.end() ? id_none : at->second;
    }
}

int32_t Vocabulary::id(std::string_view symbol) const {
    const auto at = ids_.find(symbol);
    return at == ids_.end() ? unknown_ : at->second;
}

const std::string& Vocabulary::symbol(int32_t id) const { return symbol_of("vocabulary", symbols_, first(), id); }

void Vocabulary::save(const std::string& file) const {
    write_file_atomically(file, [&](FileWriter& out) {
        out.write(fmt::format("{}{}{}\n", header_start, symbols_.size(), header_end(specials_)));
        for (const std::string& s : symbols_) out.write(escape(s) + "\n");
    });
}

Vocabulary Vocabulary::load(const std::string& file, Specials specials) {
    const std::string_view ending = header_end(specials);
    const Texts lines = read_lines(file);
    std::string_view head = lines.text(0);
    std::size_t count = 0;
    const bool framed =
        head.size() > header_start.size() + ending.size() && head.starts_with(header_start) && head.ends_with(ending);
    if (framed) {
        head.remove_prefix(header_start.size());
        head.remove_suffix(ending.size());
    }
    const auto parsed = std::from_chars(head.data(), head.data() + head.size(), count);
    require(framed && parsed.ec == std::errc() && parsed.ptr == head.data() + head.size(),
            "{}:1: not a vocabulary: first line '{:.60}', expected '{}N{}'", file, lines.text(0), header_start, ending);
    require(count == static_cast<std::size_t>(lines.size()) - 1,
            "{}: vocabulary is cut off or too long: header says {} symbols, file has {}", file, count, lines.size() - 1);
    std::vector<std::string> symbols;
    symbols.reserve(count);
    std::unordered_map<std::string_view, int64_t> seen;
    for (int64_t i = 1; i < lines.size(); ++i) {
        const std::string_view line = lines.text(i);
        const Place place{file, i + 1};
        require_utf8(line, place);
        require(!line.empty(), "{}: a symbol is empty: line of 0 bytes, needed at least 1", place.text());
        const auto [at, fresh] = seen.emplace(line, i + 1);
        require(fresh, "{}: a symbol appears twice: '{}', first on line {}", place.text(), line, at->second);
        symbols.push_back(unescape(line, place));
    }
    return Vocabulary(std::move(symbols), specials);
}

std::vector<std::string> SymbolCounter::symbols(const VocabularyLimits& limits) const {
    require(limits.min_count >= 1, "vocabulary: min_count is too small: min_count {}, needed at least 1", limits.min_count);
    require(limits.max_size >= 0, "vocabulary: size limit is negative: limit {}, needed at least 0", limits.max_size);
    std::vector<std::pair<std::string_view, int64_t>> kept;
    for (const auto& entry : counts_)
        if (entry.second >= limits.min_count)
            kept.push_back(entry);
    require(!kept.empty(), "vocabulary: no symbol is left: {} distinct symbols, 0 of them seen at least {} times",
            counts_.size(), limits.min_count);
    std::ranges::sort(kept, {}, [](const auto& entry) { return std::pair(-entry.second, entry.first); });
    if (limits.max_size > 0 && kept.size() > static_cast<std::size_t>(limits.max_size))
        kept.resize(static_cast<std::size_t>(limits.max_size));
    std::vector<std::string> symbols;
    symbols.reserve(kept.size());
    for (const auto& entry : kept) symbols.emplace_back(entry.first);
    return symbols;
}

}  // namespace attend
