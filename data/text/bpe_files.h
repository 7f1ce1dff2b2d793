#pragma once
/// Byte-level BPE vocabularies in the files that others write.
#include "data/text/bpe.h"

namespace attend {

/// Reads what `vocabulary` names:
/// - encoder.json of GPT-2 (Hugging Face: vocab.json), an object of tokens and ids, with `merges`
///   its vocab.bpe (merges.txt): a line for each merge, two tokens with a blank between them, a
///   first line beginning "#version" left out;
/// - tokenizer.json of Hugging Face's tokenizers with a byte-level BPE that does what GPT-2's does;
/// - a folder with tokenizer.json, or else the other two under one of their names.
/// Beside them tokenizer_config.json and added_tokens.json are read
/// (data/text/published_settings.h). Tokens are written as to_letters() writes bytes. Throws Error
/// naming the file for anything else: not JSON, ids that are not 0 ... N - 1 each once, a token or
/// merge that is not in such letters, an unknown token in a merge, and what tokenizer.json asks for
/// beyond GPT-2's way (another model, normalisation, prefixes, byte fallback).
BpeModel load_bpe(const std::string& vocabulary, const std::string& merges);

/// Writes a tokenizer.json that load_bpe() and Hugging Face's tokenizers read. `unreachable` are
/// the tokens that encoding never gives; they are under "added_tokens" too.
void save_bpe(const std::string& file, const BpeModel& model, const TextMap<int32_t>& unreachable);

/// Writes vocab.json, merges.txt and tokenizer_config.json, as Hugging Face keeps GPT-2's
/// tokenizer, into `folder`, with further tokens `added` (plain text) after those of the model;
/// load_bpe() reads the folder. Gives the files' names.
std::vector<std::string> publish_bpe(const std::string& folder, const BpeModel& model, const std::vector<std::string>& added);

}  // namespace attend
