#pragma once
/// What is beside a published vocabulary: tokenizer_config.json, added_tokens.json, and
/// tokenizer.json's own lists. What of them changes the ids of a text is read, or refused by name.
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/function_ref.h"
#include "core/base/integers.h"

namespace attend {

/// A token whose id follows those of a vocabulary.
struct AddedToken {
    std::string content;
    int64_t id = 0;
};

/// Tokens that are known by their ids; two mentions of one are one.
class AddedTokens {
  public:
    /// `where` names the file. Throws Error when the id is no number from 0 on, when the same token
    /// has had another id or the id another token, and for a token that text is searched for
    /// (`special` false; where nothing is said, one that is not in angles or brackets as "<pad>",
    /// "[PAD]"): here text is cut by its own rule alone.
    void add(const std::string& where, const std::string& content, const nlohmann::json& id, std::optional<bool> special);
    /// The list "added_tokens" of a tokenizer.json. Throws Error as add() and for a list of another
    /// form.
    void add_list(const std::string& where, const nlohmann::json& list);
    /// What added_tokens.json and tokenizer_config.json ("added_tokens_decoder") of a folder say;
    /// nothing where they are not there. Throws Error as add() and when a file is no JSON object.
    void add_files(const std::string& folder);
    /// By id.
    const std::vector<AddedToken>& tokens() const { return tokens_; }

  private:
    std::vector<AddedToken> tokens_;
};

/// Tokens by id, of an object of tokens and ids and of further ones as plain text. `read` gives
/// what stands for a token as it is written in the object, `write` is its inverse. Throws Error
/// unless the ids are 0 ... N - 1, each once.
std::vector<std::string> tokens_by_id(const std::string& where, const nlohmann::json& object, const AddedTokens& added,
                                      FunctionRef<std::string(const std::string&)> read,
                                      FunctionRef<std::string(const std::string&)> write);

/// One entry of tokenizer_config.json, with the values, as compact JSON, that mean what is done
/// here (the first is named in messages), and what a file without it means.
struct TokenizerEntry {
    const char* key;
    std::vector<std::string> allowed;
    std::optional<std::string> unsaid{};  ///< none: then it does not matter
    std::string hint{};
};

/// Throws Error naming file, entry and both values when tokenizer_config.json in the folder asks
/// for something else, or is no JSON object. Without such a file nothing is checked.
void require_tokenizer_settings(const std::string& folder, const std::vector<TokenizerEntry>& entries);

/// Throws Error "FILE: a tokenizer of another kind: PREFIXkey is VALUE, read is ALLOWED" when a
/// member of an object of tokenizer.json (null where it has none) is none of the values `allowed`,
/// compact JSON.
void require_member(const std::string& file, const nlohmann::json& object, const std::string& prefix, const char* key,
                    const std::vector<std::string>& allowed, const std::string& hint = "");

/// Whether a token is written as those that stand for no text are: "[CLS]", "<extra>".
bool in_brackets(std::string_view token);

/// The folder of a vocabulary's file, if it is one of a published layout; "" for a file that is our
/// own.
std::string published_folder_of(const std::string& vocabulary);

}  // namespace attend
