#pragma once
/// How text becomes ids and ids become text. Tokenizers are rows of tokenizer_table().
#include <functional>
#include <memory>
#include <optional>

#include "core/base/function_ref.h"
#include "core/base/options.h"
#include "data/packed.h"
#include "data/text/utf8.h"
#include "data/text/vocabulary.h"

namespace attend {

/// A text and where it comes from. Line i of `lines` is line i + first_line of `file`, or where not
/// all lines of the file are here line_numbers[i].
struct TextFile {
    std::string file;
    Texts lines;
    int64_t first_line = 1;
    std::vector<int64_t> line_numbers{};
    Place place(int64_t i) const {
        return {file, line_numbers.empty() ? i + first_line : line_numbers[static_cast<std::size_t>(i)]};
    }
};

class Tokenizer {
  public:
    virtual ~Tokenizer() = default;
    /// Ids are 0 ... size() - 1, with Specials::shared the special ones of core/base/ids.h
    /// included.
    virtual int64_t size() const = 0;
    /// Ids of the symbols of a text that begins at `place`: one line, or (language models) several
    /// with their ends. A symbol that is not in the vocabulary is id_unknown, with own ids that of
    /// the vocabulary's unknown symbol. Throws Error naming the place of text it cannot take (char
    /// and word: invalid UTF-8; char with own ids: a character that is not in the vocabulary).
    virtual std::vector<int32_t> encode(std::string_view line, const Place& place) const = 0;
    /// Whether decode(encode(text)) is the text, byte for byte, for every text that encode() takes.
    virtual bool exact() const { return false; }
    /// The symbols themselves, whether in the vocabulary or not; what metrics compare. The text
    /// must be valid, as for encode().
    virtual std::vector<std::string> cut(std::string_view line) const = 0;
    /// Text of ids; special ids as Vocabulary::symbol writes them. Throws Error for an id out of
    /// range.
    virtual std::string decode(std::span<const int32_t> ids) const = 0;
    /// What decode() gives back if no symbol is unknown: the form in which texts are compared.
    virtual std::string normal_form(std::string_view line) const = 0;
    /// One symbol as text, for attention maps.
    virtual std::string symbol(int32_t id) const = 0;
    std::vector<std::string> symbols(std::span<const int32_t> ids) const;
    /// The id of a token that stands for no text, as "[CLS]" or "<|endoftext|>"; none where the
    /// vocabulary has no such token.
    virtual std::optional<int32_t> special(std::string_view) const { return {}; }
    /// The id that encode() gives what is not in the vocabulary; none where everything has an id or
    /// is refused.
    virtual std::optional<int32_t> unknown() const { return {}; }
    /// Whether `id` goes on with the word that `before` ended in, for masking of whole words.
    /// WordPiece: "##" tokens; char, byte and bpe: no blank or ASCII punctuation stands between the
    /// two. Throws Error for an id out of range.
    virtual bool continues_word(int32_t, int32_t) const { return false; }
    /// What of its options changes ids and is not in the file that save() writes; two tokenizers of
    /// one row, one such text and one file are the same.
    virtual std::string variant() const { return ""; }
    /// Writes one file that the same row can be built from (TokenizerSetup::saved). Throws
    /// MachineError when it cannot.
    virtual void save(const std::string& file) const = 0;
    /// Writes into `folder` the files that Hugging Face's libraries read for this kind of
    /// tokenizer, with the tokens `added` after its own ids, and gives their names; none for a kind
    /// that was not published, and where the ids begin with the shared special ones. Throws Error
    /// or MachineError when it cannot.
    virtual std::vector<std::string> publish(const std::string& folder, const std::vector<std::string>& added) const;
};

/// The file that tasks with one tokenizer save it to.
inline constexpr const char* tokenizer_file = "tokenizer.txt";
/// The names that publish() writes.
inline constexpr const char* published_tokenizer_files[] = {"vocab.json", "merges.txt", "vocab.txt", "tokenizer_config.json"};
/// What TokenizerSetup::saved is for a folder that a task saved to, or a published one:
/// tokenizer.txt in it where that is there, else the folder, which bpe and wordpiece read.
std::string saved_tokenizer(const std::string& folder);
/// Whether the folder has tokenizer.txt or a published vocabulary.
bool holds_tokenizer(const std::string& folder);

/// Hands out a text in pieces, each with the place where it begins.
using TextPieces = std::function<void(FunctionRef<void(std::string_view, const Place&)>)>;

/// What a tokenizer is built from: a file that save() wrote, or training text to learn from.
struct TokenizerSetup {
    std::string saved{};                 ///< bpe, wordpiece: or a folder with the files of a published one
    const TextFile* training = nullptr;  ///< lines of pairs
    TextPieces pieces{};                 ///< or running text
    TextPieces held_out{};               ///< validation and test text; only alphabets are taken from it
    VocabularyLimits limits{};
    Specials specials = Specials::shared;

    /// Calls `take` with the lines or pieces to learn from. Throws MachineError when there is
    /// nothing.
    void each_piece(FunctionRef<void(std::string_view, const Place&)> take) const;
};

/// Throws Error for limits other than none where ids are the vocabulary's own: a tokenizer that has
/// no use for them is asked for what it cannot do. (Where sources and targets are cut in two ways
/// the limits may be meant for the other side.)
void require_no_limits(const char* tokenizer, const TokenizerSetup& setup);

/// "char": code points; with own ids all of the text's, held-out parts included, in ascending
/// order, and any other is refused. "word": cut at ASCII white space (blank, tab, CR, VT, FF) and
/// joined by single blanks; other spaces, as U+00A0, are part of words; a line feed is a word; with
/// own ids one of them is unknown_symbol. "same" stands for another field's choice and cannot be
/// built.
const Table<std::unique_ptr<Tokenizer>(const TokenizerSetup&)>& tokenizer_table();

/// Tokenizers of a fixed vocabulary.
std::unique_ptr<Tokenizer> char_tokenizer(std::string_view alphabet);
/// Whether the vocabulary may have symbols that are not characters: no text is cut into those.
enum class Others { refused, allowed };
std::unique_ptr<Tokenizer> char_tokenizer(Vocabulary vocabulary, Others others = Others::refused);
std::unique_ptr<Tokenizer> word_tokenizer(Vocabulary vocabulary);

}  // namespace attend
