#include "data/text/bpe_tokenizer.h"

#include <filesystem>

#include "core/base/file_errors.h"
#include "data/text/bpe_files.h"
#include "data/text/byte_level.h"

namespace attend {

namespace {

// Ids of byte strings, after the shared special ids or alone.
class ByteStrings : public Tokenizer {
  public:
    ByteStrings(std::vector<std::string> tokens, Specials specials, std::string name)
        : tokens_(std::move(tokens)), first_(first_id(specials)), name_(std::move(name)) {}

    int64_t size() const override { return first_ + static_cast<int64_t>(tokens_.size()); }
    bool exact() const override { return true; }
    std::vector<std::string> cut(std::string_view line) const override {
        std::vector<std::string> symbols;
        for (int32_t id : encode(line, Place{})) symbols.push_back(bytes_of(id));
        return symbols;
    }
    std::string decode(std::span<const int32_t> ids) const override {
        std::string text;
        for (int32_t id : ids) text += bytes_of(id);
        return text;
    }
    std::string normal_form(std::string_view line) const override { return std::string(line); }
    std::string symbol(int32_t id) const override { return readable(bytes_of(id)); }
    bool continues_word(int32_t before, int32_t id) const override { return same_word(bytes_of(before), bytes_of(id)); }

  protected:
    const std::string& bytes_of(int32_t id) const { return symbol_of(name_, tokens_, first_, id); }
    std::vector<std::string> tokens_;
    int32_t first_;
    std::string name_;
};

class ByteTokenizer final : public ByteStrings {
  public:
    explicit ByteTokenizer(Specials specials) : ByteStrings(all_bytes(), specials, "byte") {}
    std::vector<int32_t> encode(std::string_view line, const Place&) const override {
        std::vector<int32_t> ids;
        ids.reserve(line.size());
        for (char c : line) ids.push_back(first_ + static_cast<unsigned char>(c));
        return ids;
    }
    // There is nothing to keep, but a file says that this is it.
    void save(const std::string& file) const override { Vocabulary({"256 bytes"}, Specials::own).save(file); }

  private:
    static std::vector<std::string> all_bytes() {
        std::vector<std::string> bytes;
        for (int b = 0; b < 256; ++b) bytes.emplace_back(1, static_cast<char>(b));
        return bytes;
    }
};

class BpeTokenizer final : public ByteStrings {
  public:
    BpeTokenizer(BpeModel model, Specials specials, const std::string& where)
        : ByteStrings(std::move(model.tokens), specials, "bpe"),
          merges_(std::move(model.merges)),
          encoder_({tokens_, merges_}, where) {}

    // A word that comes again is copied from its first time.
    std::vector<int32_t> encode(std::string_view line, const Place&) const override {
        std::vector<int32_t> ids;
        ids.reserve(line.size() / 3);
        std::unordered_map<std::string_view, std::pair<std::size_t, std::size_t>> seen;
        std::size_t at = 0;
        for (auto word = next_word(line, at); !word.empty(); word = next_word(line, at)) {
            const auto [place, fresh] = seen.try_emplace(word, ids.size(), 0);
            auto& [begin, count] = place->second;
            if (fresh) {
                encoder_.encode(word, ids);
                count = ids.size() - begin;
            } else {
                for (std::size_t i = 0; i < count; ++i) ids.push_back(ids[begin + i]);
            }
        }
        if (first_ > 0)
            for (int32_t& id : ids) id += first_;
        return ids;
    }
    std::optional<int32_t> special(std::string_view name) const override {
        const auto at = encoder_.unreachable().find(name);
        return at == encoder_.unreachable().end() ? std::nullopt : std::optional<int32_t>(first_ + at->second);
    }
    void save(const std::string& file) const override { save_bpe(file, {tokens_, merges_}, encoder_.unreachable()); }
    std::vector<std::string> publish(const std::string& folder, const std::vector<std::string>& added) const override {
        if (first_ > 0)
            return {};
        return publish_bpe(folder, {tokens_, merges_}, added);
    }

  private:
    std::vector<std::pair<int32_t, int32_t>> merges_;
    BytePairEncoder encoder_;
};

BpeModel learn(const BpeOptions& options, const TokenizerSetup& setup) {
    WordCounts words;
    setup.each_piece([&](std::string_view text, const Place&) {
        std::size_t at = 0;
        for (auto word = next_word(text, at); !word.empty(); word = next_word(text, at)) {
            if (const auto known = words.find(word); known != words.end())
                ++known->second;
            else
                words.emplace(word, 1);
        }
    });
    return learn_bpe(words, options.merges);
}

}  // namespace

std::unique_ptr<Tokenizer> byte_tokenizer(const NoOptions&, const TokenizerSetup& setup) {
    if (setup.saved.empty()) {
        require_no_limits("byte", setup);
    } else {
        const Vocabulary found = Vocabulary::load(setup.saved, Specials::own);
        require(found.symbols() == std::vector<std::string>{"256 bytes"},
                "{}: a file of another tokenizer: symbols {}, needed 1, '256 bytes'", setup.saved, found.size());
    }
    return std::make_unique<ByteTokenizer>(setup.specials);
}

std::unique_ptr<Tokenizer> bpe_tokenizer(const BpeOptions& options, const TokenizerSetup& setup) {
    if (!setup.saved.empty())
        return std::make_unique<BpeTokenizer>(load_bpe(setup.saved, ""), setup.specials, setup.saved);
    require_no_limits("bpe", setup);
    require(!options.vocabulary.empty() || options.merges_file.empty(),
            "bpe: merges need their tokens: merges_file '{}', vocabulary '{}'", options.merges_file, options.vocabulary);
    require(
        options.vocabulary.empty() || is_there(options.vocabulary),
        "{}: file is missing: nothing of that name is there; data.tokenizer.vocabulary names it, and configs/README.md says "
        "what shipped configs want and from where",
        options.vocabulary);
    if (!options.vocabulary.empty())
        return std::make_unique<BpeTokenizer>(load_bpe(options.vocabulary, options.merges_file), setup.specials,
                                              options.vocabulary);
    return std::make_unique<BpeTokenizer>(learn(options, setup), setup.specials, "bpe");
}

}  // namespace attend
