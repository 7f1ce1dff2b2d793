#include "data/text/wordpiece.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/json_text.h"
#include "data/text/lines.h"
#include "data/text/published_settings.h"
#include "data/text/unicode.h"

namespace attend {

namespace {

constexpr std::string_view inside = "##";
constexpr std::string_view unknown_token = "[UNK]";
constexpr int64_t longest_word = 100;  // characters

// What BERT's first code replaces by a blank, and what its split() of Python cuts at besides: the
// ends of lines and paragraphs (U+2028, U+2029), which are neither in category Zs nor control
// characters. Its fast tokenizer cuts there too.
bool is_white(char32_t c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029 || unicode::is_separator(c);
}
bool is_dropped(char32_t c) { return c == 0 || c == 0xFFFD || (!is_white(c) && unicode::is_control(c)); }
bool is_punctuation(char32_t c) {
    const auto in = [c](char32_t low, char32_t high) { return c >= low && c <= high; };
    return in(33, 47) || in(58, 64) || in(91, 96) || in(123, 126) || unicode::is_punctuation(c);
}
// The blocks of CJK Unified Ideographs and their compatibility forms; not Hangul, Hiragana,
// Katakana.
bool is_ideograph(char32_t c) {
    const auto in = [c](char32_t low, char32_t high) { return c >= low && c <= high; };
    return in(0x4E00, 0x9FFF) || in(0x3400, 0x4DBF) || in(0x20000, 0x2A6DF) || in(0x2A700, 0x2B73F) || in(0x2B740, 0x2B81F) ||
           in(0x2B820, 0x2CEAF) || in(0xF900, 0xFAFF) || in(0x2F800, 0x2FA1F);
}

int64_t count_characters(std::string_view text) {
    return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

// What an ASCII character is: 0 left out, ' ' a separator, else itself; and whether it is
// punctuation.
struct Ascii {
    std::array<char, 128> clean{}, small{};
    std::array<bool, 128> punctuation{};
    Ascii() {
        for (std::size_t i = 0; i < 128; ++i) {
            const auto c = static_cast<char32_t>(i);
            clean[i] = is_white(c) ? ' ' : is_dropped(c) ? '\0' : static_cast<char>(c);
            small[i] = clean[i] == '\0' ? '\0' : static_cast<char>(unicode::lower(static_cast<char32_t>(clean[i])));
            punctuation[i] = is_punctuation(c);
        }
    }
};

// Calls take(word) for each word; the view is valid during the call.
template <class Take>
void each_word(std::string_view text, bool lowercase, Take take) {
    static const Ascii ascii;
    std::string word, changed;
    const auto finish = [&] {
        if (!word.empty())
            take(std::string_view(word));
        word.clear();
    };
    // One character after cleaning and lower-casing.
    const auto add = [&](std::string_view c, bool punctuation) {
        if (punctuation)
            finish();
        word += c;
        if (punctuation)
            finish();
    };
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < 0x80) {
            ++at;
            const char c = lowercase ? ascii.small[byte] : ascii.clean[byte];
            if (c == ' ')
                finish();
            else if (c != '\0')
                add({&c, 1}, ascii.punctuation[byte]);
            continue;
        }
        const auto [c, size, valid] = utf8::decode(text, at);
        ensure(valid, "wordpiece: no valid UTF-8 at byte {} of {}", at, text.size());
        const std::string_view written = text.substr(at, size);
        at += size;
        if (is_white(c)) {
            finish();
        } else if (is_dropped(c)) {
            continue;
        } else if (is_ideograph(c)) {
            finish();
            changed.clear();
            unicode::append_without_marks(changed, c);  // compatibility forms decompose
            word = lowercase ? changed : std::string(written);
            finish();
        } else if (!lowercase) {
            add(written, is_punctuation(c));
        } else {
            changed.clear();
            unicode::append_without_marks(changed, unicode::lower(c));
            for (std::size_t i = 0; i < changed.size();) {
                const utf8::CodePoint part = utf8::decode(changed, i);
                add(std::string_view(changed).substr(i, part.bytes), is_punctuation(part.code));
                i += part.bytes;
            }
        }
    }
    finish();
}

class WordpieceTokenizer final : public Tokenizer {
  public:
    WordpieceTokenizer(std::vector<std::string> tokens, bool lowercase, Specials specials, const std::string& where)
        : tokens_(std::move(tokens)), lowercase_(lowercase), first_(first_id(specials)) {
        ids_.reserve(tokens_.size());
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            const auto [at, fresh] = ids_.emplace(tokens_[i], static_cast<int32_t>(i) + first_);
            require(fresh, "{}:{}: a token appears twice: '{}', first on line {}", where, i + 1, tokens_[i],
                    at->second - first_ + 1);
            longest_ = std::max(longest_, tokens_[i].size());
        }
        const auto at = ids_.find(unknown_token);
        require(at != ids_.end(), "{}: a vocabulary without {}: tokens {}, of that name 0", where, unknown_token,
                tokens_.size());
        unknown_ = at->second;
    }

    int64_t size() const override { return first_ + static_cast<int64_t>(tokens_.size()); }
    std::vector<int32_t> encode(std::string_view line, const Place& place) const override {
        require_utf8(line, place);
        std::vector<int32_t> ids;
        TextMap<std::pair<std::size_t, std::size_t>> seen;  // where the ids of a word are
        each_word(line, lowercase_, [&](std::string_view word) {
            if (const auto known = seen.find(word); known != seen.end()) {
                for (std::size_t i = 0; i < known->second.second; ++i) ids.push_back(ids[known->second.first + i]);
                return;
            }
            const std::size_t begin = ids.size();
            encode_word(word, ids);
            seen.emplace(word, std::pair(begin, ids.size() - begin));
        });
        return ids;
    }
    std::vector<std::string> cut(std::string_view line) const override { return symbols(encode(line, Place{})); }
    std::string decode(std::span<const int32_t> ids) const override {
        std::string text;
        for (int32_t id : ids) {
            const std::string& token = token_of(id);
            const bool glued = token.starts_with(inside) && token.size() > inside.size();
            if (!text.empty() && !glued)
                text += ' ';
            text += glued && !text.empty() ? std::string_view(token).substr(inside.size()) : std::string_view(token);
        }
        return text;
    }
    std::string normal_form(std::string_view line) const override {
        std::string text;
        each_word(line, lowercase_, [&](std::string_view word) {
            if (!text.empty())
                text += ' ';
            text += word;
        });
        return text;
    }
    std::string symbol(int32_t id) const override { return token_of(id); }
    std::optional<int32_t> unknown() const override { return special(unknown_token); }
    std::optional<int32_t> special(std::string_view name) const override {
        const auto at = ids_.find(name);
        if (at == ids_.end() || !in_brackets(name))
            return {};
        return at->second;
    }
    bool continues_word(int32_t, int32_t id) const override { return token_of(id).starts_with(inside); }
    std::string variant() const override { return lowercase_ ? "lowercase" : "cased"; }
    void save(const std::string& file) const override {
        write_file_atomically(file, [&](FileWriter& out) {
            for (const std::string& token : tokens_) out.write(token + "\n");
        });
    }
    std::vector<std::string> publish(const std::string& folder, const std::vector<std::string>& added) const override {
        if (first_ > 0)
            return {};
        write_file_atomically(std::filesystem::path(folder) / "vocab.txt", [&](FileWriter& out) {
            for (const auto* tokens : {&tokens_, &added})
                for (const std::string& token : *tokens) out.write(token + "\n");
        });
        write_file_atomically(std::filesystem::path(folder) / "tokenizer_config.json",
                              fmt::format("{{\n  \"do_lower_case\": {},\n  \"tokenizer_class\": \"BertTokenizer\"\n}}\n",
                                          lowercase_ ? "true" : "false"));
        return {"vocab.txt", "tokenizer_config.json"};
    }

  private:
    const std::string& token_of(int32_t id) const { return symbol_of("wordpiece", tokens_, first_, id); }
    // Greedy longest match first.
    void encode_word(std::string_view word, std::vector<int32_t>& ids) const {
        const std::size_t before = ids.size();
        bool known = count_characters(word) <= longest_word;
        std::string piece;
        for (std::size_t begin = 0; known && begin < word.size();) {
            piece = begin > 0 ? inside : std::string_view();
            const std::size_t prefix = piece.size();
            piece += word.substr(begin, longest_ - std::min(prefix, longest_));
            auto at = ids_.find(piece);
            for (; at == ids_.end() && piece.size() > prefix + 1; at = ids_.find(piece)) piece.pop_back();
            known = at != ids_.end() && piece.size() > prefix;
            if (known)
                ids.push_back(at->second);
            begin += piece.size() - prefix;
        }
        if (!known) {
            ids.resize(before);
            ids.push_back(unknown_);
        }
    }

    std::vector<std::string> tokens_;
    TextMap<int32_t> ids_;
    std::size_t longest_ = 0;
    bool lowercase_;
    int32_t first_, unknown_ = 0;
};

namespace fs = std::filesystem;
using nlohmann::json;
constexpr std::size_t most_bytes = std::size_t{1} << 28;
constexpr const char *text_file = "vocab.txt", *json_file = "tokenizer.json";

std::string json_bool(bool value) { return value ? "true" : "false"; }
std::string case_hint(bool theirs) { return fmt::format("set data.tokenizer's lowercase to {}", theirs); }

// A folder in Hugging Face's layout says how its vocabulary was made. Throws Error when the options
// say something else. Where there is no tokenizer.json (`whole`), the class of the tokenizer says
// how text is cut.
void require_settings(const std::string& folder, bool lowercase, bool whole) {
    const std::string ours = json_bool(lowercase);
    std::vector<TokenizerEntry> entries = {
        {.key = "do_lower_case", .allowed = {ours}, .hint = case_hint(!lowercase)},
        {.key = "strip_accents", .allowed = {ours, "null"}},
        {.key = "tokenize_chinese_chars", .allowed = {"true"}},
        {.key = "do_basic_tokenize", .allowed = {"true"}},
        {.key = "never_split", .allowed = {"[]", "null"}},
        {.key = "unk_token", .allowed = {"\"[UNK]\""}},
    };
    if (!whole) {
        entries.front().unsaid = "true";
        entries.push_back({.key = "tokenizer_class",
                           .allowed = {"\"BertTokenizer\"", "\"BertTokenizerFast\"", "\"DistilBertTokenizer\"",
                                       "\"DistilBertTokenizerFast\"", "\"ElectraTokenizer\"", "\"ElectraTokenizerFast\""}});
    }
    require_tokenizer_settings(folder, entries);
}

// The vocabulary of a tokenizer.json, which must cut text as BERT's does.
std::vector<std::string> json_tokens(const std::string& file, bool lowercase, AddedTokens added) {
    const auto root = load_json<json>(file, most_bytes);
    require(root.is_object() && root.contains("model"), "{}: no tokenizer: \"model\", an object, is needed: found a JSON {}",
            file, root.type_name());
    const json &model = root["model"], normalizer = root.value("normalizer", json()), cut = root.value("pre_tokenizer", json());
    require(model.is_object() && model.contains("vocab") && model["vocab"].is_object() && !model["vocab"].empty(),
            "{}: another kind of model: model.type {}, known \"WordPiece\"", file,
            model.is_object() ? model.value("type", json()).dump() : "none");
    require(!model.contains("merges"), "{}: another kind of model: model.merges {}, known none", file, "there");
    require_member(file, model, "model.", "type", {"\"WordPiece\"", "null"});
    require_member(file, model, "model.", "unk_token", {"\"[UNK]\""});
    require_member(file, model, "model.", "continuing_subword_prefix", {"\"##\""});
    require_member(file, model, "model.", "max_input_chars_per_word", {std::to_string(longest_word)});
    require_member(file, normalizer, "normalizer.", "type", {"\"BertNormalizer\""});
    require_member(file, normalizer, "normalizer.", "clean_text", {"true"});
    require_member(file, normalizer, "normalizer.", "handle_chinese_chars", {"true"});
    require_member(file, normalizer, "normalizer.", "lowercase", {json_bool(lowercase)}, case_hint(!lowercase));
    require_member(file, normalizer, "normalizer.", "strip_accents", {"null", json_bool(lowercase)});
    require_member(file, cut, "pre_tokenizer.", "type", {"\"BertPreTokenizer\""});
    added.add_list(file, root.value("added_tokens", json()));

    const auto same = [](const std::string& token) { return token; };
    return tokens_by_id(file, model["vocab"], added, same, same);
}

// The lines of a vocab.txt, and after them what is added.
std::vector<std::string> text_tokens(const std::string& file, const AddedTokens& added) {
    const Texts lines = read_lines(file);
    std::vector<std::string> tokens;
    for (int64_t i = 0; i < lines.size(); ++i) {
        require_utf8(lines.text(i), Place{file, i + 1});
        require(!lines.text(i).empty(), "{}:{}: a token is empty: line of 0 bytes, needed at least 1", file, i + 1);
        tokens.emplace_back(lines.text(i));
    }
    for (const AddedToken& token : added.tokens()) {
        const auto id = static_cast<std::size_t>(token.id);
        require(id <= tokens.size() && (id == tokens.size() || tokens[id] == token.content),
                "{}: an added token is not in its place: '{}' with id {}, tokens there {}, token of that id '{}'", file,
                token.content, id, tokens.size(), id < tokens.size() ? tokens[id] : "");
        if (id == tokens.size())
            tokens.push_back(token.content);
    }
    return tokens;
}

}  // namespace

std::unique_ptr<Tokenizer> wordpiece_tokenizer(const WordpieceOptions& options, const TokenizerSetup& setup) {
    if (setup.saved.empty())
        require_no_limits("wordpiece", setup);
    std::string file = setup.saved.empty() ? options.vocabulary : setup.saved;
    require(!file.empty(), "wordpiece: a vocabulary is needed: files 0, needed 1; \"vocabulary\" names BERT's vocab.txt");
    if (is_folder(file))
        file = (fs::path(file) / (is_there(fs::path(file) / json_file) ? json_file : text_file)).string();
    const bool whole = fs::path(file).extension() == ".json";
    require_settings(fs::path(file).parent_path().string(), options.lowercase, whole);
    AddedTokens added;
    if (const std::string folder = published_folder_of(file); !folder.empty())
        added.add_files(folder);
    std::vector<std::string> tokens = whole ? json_tokens(file, options.lowercase, added) : text_tokens(file, added);
    return std::make_unique<WordpieceTokenizer>(std::move(tokens), options.lowercase, setup.specials, file);
}

}  // namespace attend
