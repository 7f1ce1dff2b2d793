#pragma once
/// wordpiece: BERT's tokenizer (Devlin 2018; its tokenization.py). A row of tokenizer_table().
#include "data/text/tokenizer.h"

namespace attend {

struct WordpieceOptions {
    std::string vocabulary{};
    bool lowercase = true;
    void fields(Visitor& v) {
        v.path("vocabulary", vocabulary,
               "the vocabulary to load: BERT's vocab.txt, a token a line, a tokenizer.json, or the folder it is in");
        v.flag("lowercase", lowercase, "whether text is lower-cased and loses its accents (\"uncased\" vocabularies)");
    }
};

/// Text becomes words: control characters, U+0000 and U+FFFD are left out; white space separates;
/// every CJK ideograph and every punctuation character is a word of its own; with `lowercase`
/// letters are small ones without accents (NFD without Mn). The normal form of a text is its words
/// with a blank between them. The text must be valid UTF-8.
///
/// Words are cut into the longest tokens of the vocabulary from left to right, those inside a word
/// written "##TOKEN"; a word of more than 100 characters, or one that cannot be cut so, is "[UNK]".
/// Ids are the lines of vocab.txt from 0 on, after the special ids where those are shared. Decoding
/// puts a blank between words. special() knows all tokens in brackets or angles. A folder in
/// Hugging Face's layout: its tokenizer.json, else vocab.txt, with the tokens that are added after
/// them and what tokenizer_config.json says (data/text/published_settings.h). Throws Error for: no
/// vocabulary; a broken one (a token twice, no [UNK], not UTF-8); one that means text cut in
/// another way; text that is not valid UTF-8.
std::unique_ptr<Tokenizer> wordpiece_tokenizer(const WordpieceOptions& options, const TokenizerSetup& setup);

}  // namespace attend
