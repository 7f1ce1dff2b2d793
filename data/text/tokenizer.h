#pragma once
/// How text becomes ids and ids become text. Tokenizers are rows of tokenizer_table().
#include <memory>

#include "core/options.h"
#include "data/packed.h"
#include "data/text/utf8.h"
#include "data/text/vocabulary.h"

namespace attend::inline ATTEND_PRECISION {

/// A text and where it comes from. Line i of `lines` is line i + first_line of `file`.
struct TextFile {
    std::string file;
    Texts lines;
    int64_t first_line = 1;
    Place place(int64_t i) const { return {file, i + first_line}; }
};

class Tokenizer {
  public:
    virtual ~Tokenizer() = default;
    /// Ids are 0 ... size() - 1, the special ones of core/ids.h included.
    virtual int64_t size() const = 0;
    /// Ids of the symbols of a line; id_unknown for symbols that are not in the vocabulary. Throws Error naming `place` for
    /// text it cannot take (char and word: invalid UTF-8).
    virtual std::vector<int32_t> encode(std::string_view line, const Place& place) const = 0;
    /// The symbols themselves, whether in the vocabulary or not; what metrics compare. The text must be valid, as for encode().
    virtual std::vector<std::string> cut(std::string_view line) const = 0;
    /// Text of ids; special ids as Vocabulary::symbol writes them. Throws Error for an id out of range.
    virtual std::string decode(std::span<const int32_t> ids) const = 0;
    /// What decode() gives back if no symbol is unknown: the form in which texts are compared.
    virtual std::string normal_form(std::string_view line) const = 0;
    /// One symbol as text, for attention maps.
    virtual std::string symbol(int32_t id) const = 0;
    /// Writes one file that the same row can be built from (TokenizerSetup::saved). Throws MachineError when it cannot.
    virtual void save(const std::string& file) const = 0;
};

/// What a tokenizer is built from: a file that save() wrote, or training text to learn from.
struct TokenizerSetup {
    std::string saved;
    const TextFile* training = nullptr;
    VocabularyLimits limits;
};

/// "char": code points. "word": cut at ASCII white space (blank, tab, CR, VT, FF) and joined by single blanks; other spaces, as
/// U+00A0, are part of words. "same" stands for another field's choice and cannot be built.
const Table<std::unique_ptr<Tokenizer>(const TokenizerSetup&)>& tokenizer_table();

/// Tokenizers of a fixed vocabulary.
std::unique_ptr<Tokenizer> char_tokenizer(Vocabulary vocabulary);
std::unique_ptr<Tokenizer> word_tokenizer(Vocabulary vocabulary);

}  // namespace attend::inline ATTEND_PRECISION
