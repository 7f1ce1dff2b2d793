#include "data/text/tokenizer.h"

#include <algorithm>
#include <filesystem>

#include "core/base/file_errors.h"
#include "core/base/interruption.h"
#include "data/text/bpe_tokenizer.h"
#include "data/text/byte_level.h"
#include "data/text/wordpiece.h"

namespace attend {

namespace {

constexpr std::size_t asked_every = std::size_t{1} << 16;  // symbols: whether to go on

// A way to cut a valid line: the next symbol at or after byte `at`, which it moves; empty at the
// end. And what comes between symbols when they are joined again.
struct Characters {
    static constexpr bool exact = true;
    static bool goes_on(std::string_view before, std::string_view symbol) { return same_word(before, symbol); }
    static std::string_view glue(std::string_view, std::string_view) { return ""; }
    static void refuse(std::string_view c, const Place& place) {
        fail("{}: a character is not in the vocabulary: '{}', U+{:04X}", place.text(), c,
             static_cast<uint32_t>(utf8::decode(c, 0).code));
    }
    // By code point, which is the order of UTF-8's bytes.
    static std::vector<std::string> own_symbols(const TokenizerSetup& setup, const SymbolCounter& counter);
    static std::string_view next(std::string_view line, std::size_t& at) {
        if (at == line.size())
            return {};
        const std::string_view symbol = line.substr(at, utf8_size(line, at));
        at += symbol.size();
        return symbol;
    }
};

struct Words {
    static constexpr bool exact = false;
    static bool goes_on(std::string_view, std::string_view) { return false; }
    static constexpr std::string_view space = " \t\r\v\f", ends = " \t\r\v\f\n";
    static std::string_view glue(std::string_view left, std::string_view right) {
        return left == "\n" || right == "\n" ? "" : " ";
    }
    static void refuse(std::string_view word, const Place& place) {
        fail("{}: a word is not in the vocabulary, which has no {}: '{}'", place.text(), unknown_symbol, word);
    }
    static std::vector<std::string> own_symbols(const TokenizerSetup& setup, const SymbolCounter& counter) {
        std::vector<std::string> symbols = counter.symbols(setup.limits);
        if (std::ranges::find(symbols, unknown_symbol) == symbols.end())
            symbols.emplace_back(unknown_symbol);
        return symbols;
    }
    static std::string_view next(std::string_view line, std::size_t& at) {
        const std::size_t begin = line.find_first_not_of(space, at);
        if (begin == std::string_view::npos)
            return {};
        at = line[begin] == '\n' ? begin + 1 : std::min(line.find_first_of(ends, begin), line.size());
        return line.substr(begin, at - begin);
    }
};

// Calls take(symbol) for each symbol of a line, and asks now and then whether to go on.
template <class Cut, class Take>
void each_symbol(std::string_view line, Take take) {
    std::size_t at = 0, count = 0;
    for (auto s = Cut::next(line, at); !s.empty(); s = Cut::next(line, at)) {
        if (count++ % asked_every == 0)
            interruption_point();
        take(s);
    }
}

template <class Cut>
class SymbolTokenizer final : public Tokenizer {
  public:
    explicit SymbolTokenizer(Vocabulary vocabulary, std::string_view where = "vocabulary", Others others = Others::refused)
        : vocabulary_(std::move(vocabulary)) {
        // A symbol that the cut would never give: a file of another tokenizer.
        for (const std::string& s : vocabulary_.symbols()) {
            std::size_t at = 0;
            require(others == Others::allowed || (first_invalid_utf8(s) == std::string_view::npos && Cut::next(s, at) == s),
                    "{}: a symbol is not one of this tokenizer's: symbol '{}', {} bytes", where, s, s.size());
        }
    }

    int64_t size() const override { return vocabulary_.size(); }
    bool exact() const override { return Cut::exact && vocabulary_.specials() == Specials::own; }
    std::vector<int32_t> encode(std::string_view line, const Place& place) const override {
        require_utf8(line, place);
        std::vector<int32_t> ids;
        each_symbol<Cut>(line, [&](std::string_view s) {
            const int32_t id = vocabulary_.id(s);
            if (id == id_none)
                Cut::refuse(s, place_of(line, static_cast<std::size_t>(s.data() - line.data()), place));
            ids.push_back(id);
        });
        return ids;
    }
    std::optional<int32_t> unknown() const override {
        if (vocabulary_.specials() == Specials::shared)
            return id_unknown;
        const int32_t id = vocabulary_.id("");  // no symbol is empty
        return id == id_none ? std::optional<int32_t>() : id;
    }
    std::vector<std::string> cut(std::string_view line) const override {
        std::vector<std::string> all;
        each_symbol<Cut>(line, [&](std::string_view s) { all.emplace_back(s); });
        return all;
    }
    std::string decode(std::span<const int32_t> ids) const override {
        std::string text;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const std::string& symbol = vocabulary_.symbol(ids[i]);
            if (i > 0)
                text += Cut::glue(vocabulary_.symbol(ids[i - 1]), symbol);
            text += symbol;
        }
        return text;
    }
    std::string normal_form(std::string_view line) const override {
        std::string text;
        std::string_view before;
        each_symbol<Cut>(line, [&](std::string_view s) {
            if (!before.empty())
                text += Cut::glue(before, s);
            text += s;
            before = s;
        });
        return text;
    }
    std::string symbol(int32_t id) const override { return vocabulary_.symbol(id); }
    bool continues_word(int32_t before, int32_t id) const override {
        return Cut::goes_on(vocabulary_.symbol(before), vocabulary_.symbol(id));
    }
    void save(const std::string& file) const override { vocabulary_.save(file); }

  private:
    Vocabulary vocabulary_;
};

// Counts the symbols of a piece of text.
template <class Cut>
auto counting(SymbolCounter& counter) {
    return [&counter](std::string_view text, const Place& place) {
        require_utf8(text, place);
        each_symbol<Cut>(text, [&](std::string_view s) { counter.add(s); });
    };
}

std::vector<std::string> Characters::own_symbols(const TokenizerSetup& setup, const SymbolCounter& counter) {
    require_no_limits("char", setup);
    SymbolCounter all = counter;
    if (setup.held_out)
        setup.held_out(counting<Characters>(all));
    std::vector<std::string> symbols = all.symbols(setup.limits);
    std::ranges::sort(symbols);
    return symbols;
}

template <class Cut>
std::unique_ptr<Tokenizer> build(const NoOptions&, const TokenizerSetup& setup) {
    if (!setup.saved.empty())
        return std::make_unique<SymbolTokenizer<Cut>>(Vocabulary::load(setup.saved, setup.specials), setup.saved);
    SymbolCounter counter;
    setup.each_piece(counting<Cut>(counter));
    if (setup.specials == Specials::own)
        return std::make_unique<SymbolTokenizer<Cut>>(Vocabulary(Cut::own_symbols(setup, counter), Specials::own));
    return std::make_unique<SymbolTokenizer<Cut>>(counter.vocabulary(setup.limits));
}

}  // namespace

std::vector<std::string> Tokenizer::symbols(std::span<const int32_t> ids) const {
    std::vector<std::string> all;
    for (const int32_t id : ids) all.push_back(symbol(id));
    return all;
}
std::vector<std::string> Tokenizer::publish(const std::string&, const std::vector<std::string>&) const { return {}; }

std::string saved_tokenizer(const std::string& folder) {
    const std::filesystem::path file = std::filesystem::path(folder) / tokenizer_file;
    return is_there(file) ? file.string() : folder;
}

bool holds_tokenizer(const std::string& folder) {
    for (const char* name : {tokenizer_file, "tokenizer.json", "vocab.json", "encoder.json", "vocab.txt"})
        if (is_there(std::filesystem::path(folder) / name))
            return true;
    return false;
}

void require_no_limits(const char* tokenizer, const TokenizerSetup& setup) {
    const auto& [min_count, max_size] = setup.limits;
    require(setup.specials == Specials::shared || (min_count == 1 && max_size == 0),
            "data.tokenizer '{}': it leaves no symbol out, as none stands for what is left out: data.min_count {}, needed 1, "
            "data.max_vocabulary {}, needed 0; they are for 'word'",
            tokenizer, min_count, max_size);
}

void TokenizerSetup::each_piece(FunctionRef<void(std::string_view, const Place&)> take) const {
    ensure(training != nullptr || pieces, "tokenizer: nothing to learn from: saved files 0, training files 0");
    if (pieces)
        return pieces(take);
    for (int64_t i = 0; i < training->lines.size(); ++i) take(training->lines.text(i), training->place(i));
}

std::unique_ptr<Tokenizer> char_tokenizer(std::string_view alphabet) {
    std::vector<std::string> symbols;
    for (const char c : alphabet) symbols.emplace_back(1, c);
    return char_tokenizer(Vocabulary(std::move(symbols)));
}
std::unique_ptr<Tokenizer> char_tokenizer(Vocabulary vocabulary, Others others) {
    return std::make_unique<SymbolTokenizer<Characters>>(std::move(vocabulary), "vocabulary", others);
}
std::unique_ptr<Tokenizer> word_tokenizer(Vocabulary vocabulary) {
    return std::make_unique<SymbolTokenizer<Words>>(std::move(vocabulary));
}

const Table<std::unique_ptr<Tokenizer>(const TokenizerSetup&)>& tokenizer_table() {
    using T = Table<std::unique_ptr<Tokenizer>(const TokenizerSetup&)>;
    static const T table(
        "tokenizer",
        {T::make<NoOptions>("word", "symbols are cut at white space", build<Words>),
         T::make<NoOptions>("char", "symbols are characters (code points)", build<Characters>),
         T::make<NoOptions>("byte", "symbols are bytes, any of them", byte_tokenizer),
         T::make<BpeOptions>("bpe", "byte pair encoding over bytes, as GPT-2's: learnt from the training text or loaded",
                             bpe_tokenizer),
         T::make<WordpieceOptions>("wordpiece", "the longest pieces of words in a vocabulary, as BERT's", wordpiece_tokenizer),
         T::make<NoOptions>("same", "for source_unit and target_unit: what 'unit' says",
                            [](const NoOptions&, const TokenizerSetup&) -> std::unique_ptr<Tokenizer> {
                                fail(
                                    "unit: 'same' is only for source_unit and target_unit: unit 'same', known word, char, "
                                    "byte, bpe, wordpiece");
                            })});
    return table;
}
const registry::AtStart tokenizer_listed(tokenizer_table());

}  // namespace attend
