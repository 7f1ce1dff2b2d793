#include "data/text/published_settings.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/file_errors.h"
#include "core/base/json_text.h"
#include "data/text/tokenizer.h"

namespace attend {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 24;
constexpr const char *settings_file = "tokenizer_config.json", *added_file = "added_tokens.json";

// The object in a file of the folder; null where there is none.
json object_of(const fs::path& file) {
    if (!is_regular(file))
        return nullptr;
    json object = load_json<json>(file, most_bytes);
    require(object.is_object(), "{}: not a JSON object: found {}", file.string(), object.type_name());
    return object;
}

std::string short_dump(const json& value) {
    const std::string text = value.dump();
    return text.size() > 200 ? fmt::format("{}...", text.substr(0, 200)) : text;
}

bool has_content(const json& token) { return token.is_object() && token.value("content", json()).is_string(); }

std::optional<bool> special_of(const json& token) {
    const json special = token.value("special", json());
    return special.is_boolean() ? std::optional<bool>(special.get<bool>()) : std::nullopt;
}

bool is_one_of(const std::string& value, const std::vector<std::string>& allowed) {
    return std::ranges::find(allowed, value) != allowed.end();
}

}  // namespace

void AddedTokens::add(const std::string& where, const std::string& content, const json& id, std::optional<bool> special) {
    require(!content.empty() && id.is_number_integer() && id.get<int64_t>() >= 0 && id.get<int64_t>() < int64_t{1} << 31,
            "{}: an added token is a text with an id from 0 on: token '{}', id {}", where, content, short_dump(id));
    require(special.value_or(in_brackets(content)),
            "{}: an added token that text is searched for, which is not done here: token '{}', id {}, special {}", where,
            content, id.dump(), special ? "false" : "not said");
    const AddedToken token{content, id.get<int64_t>()};
    for (const AddedToken& known : tokens_)
        require((known.content == token.content) == (known.id == token.id),
                "{}: added tokens contradict each other: '{}' with id {}, '{}' with id {}", where, known.content, known.id,
                token.content, token.id);
    const auto at = std::ranges::lower_bound(tokens_, token.id, {}, &AddedToken::id);
    if (at == tokens_.end() || at->id != token.id)
        tokens_.insert(at, token);
}

void AddedTokens::add_list(const std::string& where, const json& list) {
    if (list.is_null())
        return;
    require(list.is_array(), "{}: \"added_tokens\" is a list: found {}, needed array", where, list.type_name());
    for (const json& token : list) {
        require(has_content(token) && token.contains("id"),
                "{}: an added token has \"id\" and \"content\": found {}, needed both", where, short_dump(token));
        add(where, token["content"].get<std::string>(), token["id"], special_of(token));
    }
}

void AddedTokens::add_files(const std::string& folder) {
    const fs::path settings = fs::path(folder) / settings_file, added = fs::path(folder) / added_file;
    const json all = object_of(settings);
    const json described = all.is_null() ? json() : all.value("added_tokens_decoder", json());
    if (described.is_object())
        for (const auto& [written, token] : described.items()) {
            int64_t id = -1;
            const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), id);
            const bool whole = error == std::errc() && end == written.data() + written.size();
            require(whole && has_content(token),
                    "{}: added_tokens_decoder is of ids and tokens with a \"content\": id '{}', token {}", settings.string(),
                    written, short_dump(token));
            add(settings.string(), token["content"].get<std::string>(), id, special_of(token));
        }
    const json plain = object_of(added);
    if (plain.is_null())
        return;
    for (const auto& [content, id] : plain.items()) {
        // Named above: whether it is special has been said there.
        const bool known = std::ranges::count(tokens_, content, &AddedToken::content) > 0;
        add(added.string(), content, id, known ? std::optional<bool>(true) : std::nullopt);
    }
}

std::vector<std::string> tokens_by_id(const std::string& where, const json& object, const AddedTokens& added,
                                      FunctionRef<std::string(const std::string&)> read,
                                      FunctionRef<std::string(const std::string&)> write) {
    std::size_t size = object.size();
    for (const AddedToken& token : added.tokens()) size += object.contains(write(token.content)) ? 0 : 1;
    std::vector<std::string> tokens(size);
    const auto place = [&](const std::string& written, const std::string& token, const json& id) {
        require(id.is_number_integer() && id.get<int64_t>() >= 0 && id.get<int64_t>() < static_cast<int64_t>(size),
                "{}: ids are the numbers from 0 on, each once: token '{}' has id {}, tokens {}", where, written, id.dump(),
                size);
        std::string& at = tokens[static_cast<std::size_t>(id.get<int64_t>())];
        require(at.empty() || at == token, "{}: two tokens have one id: '{}' and '{}' have id {}", where, write(at), written,
                id.dump());
        at = token;
    };
    for (const auto& [token, id] : object.items()) place(token, read(token), id);
    for (const AddedToken& token : added.tokens()) place(token.content, token.content, token.id);
    const auto gap = std::ranges::find(tokens, std::string());
    require(gap == tokens.end(), "{}: ids are the numbers from 0 on, each once: no token has id {}, tokens {}", where,
            gap - tokens.begin(), size);
    return tokens;
}

void require_tokenizer_settings(const std::string& folder, const std::vector<TokenizerEntry>& entries) {
    const fs::path file = fs::path(folder) / settings_file;
    const json settings = object_of(file);
    if (settings.is_null())
        return;
    for (const TokenizerEntry& entry : entries) {
        const json found = settings.value(entry.key, json());
        const bool said = !found.is_null();
        if (!said && !entry.unsaid)
            continue;
        // A token may be written as an object with its text.
        const std::string value = !said ? *entry.unsaid : short_dump(has_content(found) ? found["content"] : found);
        require(is_one_of(value, entry.allowed), "{}: the vocabulary beside it means other text: {} {}{}, here {}{}",
                file.string(), entry.key, value, said ? "" : " (not said, and so by default)", entry.allowed.front(),
                entry.hint.empty() ? "" : "; " + entry.hint);
    }
}

void require_member(const std::string& file, const json& object, const std::string& prefix, const char* key,
                    const std::vector<std::string>& allowed, const std::string& hint) {
    const std::string value = short_dump(object.is_object() ? object.value(key, json()) : json());
    require(is_one_of(value, allowed), "{}: a tokenizer of another kind: {}{} is {}, read is {}{}", file, prefix, key, value,
            allowed.front(), hint.empty() ? "" : "; " + hint);
}

bool in_brackets(std::string_view token) {
    return (token.starts_with('<') && token.ends_with('>')) || (token.starts_with('[') && token.ends_with(']'));
}

std::string published_folder_of(const std::string& vocabulary) {
    const fs::path path(vocabulary);
    if (is_folder(path))
        return vocabulary;
    return path.filename() == tokenizer_file ? "" : path.has_parent_path() ? path.parent_path().string() : ".";
}

}  // namespace attend
