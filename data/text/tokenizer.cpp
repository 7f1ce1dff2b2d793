#include "data/text/tokenizer.h"

#include <algorithm>

namespace attend::inline ATTEND_PRECISION {

namespace {

// A way to cut a valid line: the next symbol at or behind byte `at`, which it moves; empty at the end. And what stands between
// symbols when they are joined again.
struct Characters {
    static constexpr std::string_view glue = "";
    static std::string_view next(std::string_view line, std::size_t& at) {
        if (at == line.size())
            return {};
        const std::string_view symbol = line.substr(at, utf8_size(line, at));
        at += symbol.size();
        return symbol;
    }
};

struct Words {
    static constexpr std::string_view glue = " ";
    static constexpr std::string_view space = " \t\r\v\f";
    static std::string_view next(std::string_view line, std::size_t& at) {
        const std::size_t begin = line.find_first_not_of(space, at);
        if (begin == std::string_view::npos)
            return {};
        at = std::min(line.find_first_of(space, begin), line.size());
        return line.substr(begin, at - begin);
    }
};

template <class Cut>
class SymbolTokenizer final : public Tokenizer {
  public:
    explicit SymbolTokenizer(Vocabulary vocabulary, std::string_view where = "vocabulary")
        : vocabulary_(std::move(vocabulary)) {
        // A symbol that the cut would never give: a file of another tokenizer.
        for (const std::string& s : vocabulary_.symbols()) {
            std::size_t at = 0;
            require(first_invalid_utf8(s) == std::string_view::npos && Cut::next(s, at) == s,
                    "{}: a symbol is not one of this tokenizer's: symbol '{}', {} bytes", where, s, s.size());
        }
    }

    int64_t size() const override { return vocabulary_.size(); }
    std::vector<int32_t> encode(std::string_view line, const Place& place) const override {
        require_utf8(line, place);
        std::vector<int32_t> ids;
        std::size_t at = 0;
        for (auto s = Cut::next(line, at); !s.empty(); s = Cut::next(line, at)) ids.push_back(vocabulary_.id(s));
        return ids;
    }
    std::vector<std::string> cut(std::string_view line) const override {
        std::vector<std::string> symbols;
        std::size_t at = 0;
        for (auto s = Cut::next(line, at); !s.empty(); s = Cut::next(line, at)) symbols.emplace_back(s);
        return symbols;
    }
    std::string decode(std::span<const int32_t> ids) const override {
        std::string text;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (i > 0)
                text += Cut::glue;
            text += vocabulary_.symbol(ids[i]);
        }
        return text;
    }
    std::string normal_form(std::string_view line) const override {
        std::string text;
        std::size_t at = 0;
        for (auto s = Cut::next(line, at); !s.empty(); s = Cut::next(line, at)) {
            if (!text.empty())
                text += Cut::glue;
            text += s;
        }
        return text;
    }
    std::string symbol(int32_t id) const override { return vocabulary_.symbol(id); }
    void save(const std::string& file) const override { vocabulary_.save(file); }

  private:
    Vocabulary vocabulary_;
};

template <class Cut>
std::unique_ptr<Tokenizer> build(const NoOptions&, const TokenizerSetup& setup) {
    if (!setup.saved.empty())
        return std::make_unique<SymbolTokenizer<Cut>>(Vocabulary::load(setup.saved), setup.saved);
    ensure(setup.training != nullptr, "tokenizer: nothing to learn from: saved files 0, training files 0");
    SymbolCounter counter;
    const Texts& lines = setup.training->lines;
    for (int64_t i = 0; i < lines.size(); ++i) {
        const std::string_view line = lines.text(i);
        require_utf8(line, setup.training->place(i));
        std::size_t at = 0;
        for (auto s = Cut::next(line, at); !s.empty(); s = Cut::next(line, at)) counter.add(s);
    }
    return std::make_unique<SymbolTokenizer<Cut>>(counter.vocabulary(setup.limits));
}

}  // namespace

std::unique_ptr<Tokenizer> char_tokenizer(Vocabulary vocabulary) {
    return std::make_unique<SymbolTokenizer<Characters>>(std::move(vocabulary));
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
         T::make<NoOptions>("same", "for source_unit and target_unit: what 'unit' says",
                            [](const NoOptions&, const TokenizerSetup&) -> std::unique_ptr<Tokenizer> {
                                fail("unit: 'same' stands only in source_unit and target_unit: unit 'same', known word, char");
                            })});
    return table;
}
// Constructed at program start, so that all_seams() knows it.
[[maybe_unused]] static const Seam& registered_tokenizers = tokenizer_table();

}  // namespace attend::inline ATTEND_PRECISION
