#pragma once
/// byte and bpe: tokenizers that take any bytes and give them back. Rows of tokenizer_table().
#include "data/text/tokenizer.h"

namespace attend {

/// byte: a symbol a byte; ids of its own are the bytes' values.
std::unique_ptr<Tokenizer> byte_tokenizer(const NoOptions& options, const TokenizerSetup& setup);

struct BpeOptions {
    int64_t merges = 10'000;
    std::string vocabulary{};
    std::string merges_file{};
    void fields(Visitor& v) {
        v.integer("merges", merges, {0, 10'000'000}, "merges to learn from the training text, where no vocabulary is given");
        v.path("vocabulary", vocabulary,
               "a vocabulary to load: GPT-2's encoder.json (vocab.json), a tokenizer.json, or the folder of such files");
        v.path("merges_file", merges_file, "vocab.bpe (merges.txt) to encoder.json, where they are in no folder of their own");
    }
};

/// bpe: byte-level byte pair encoding as GPT-2 does it (data/text/bpe.h), words cut by its pattern
/// (data/text/byte_level.h). Published vocabularies keep their ids, after the special ones where
/// those are shared. Text that spells a special token, as "<|endoftext|>", is text.
std::unique_ptr<Tokenizer> bpe_tokenizer(const BpeOptions& options, const TokenizerSetup& setup);

}  // namespace attend
