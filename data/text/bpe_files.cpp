#include "data/text/bpe_files.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/json_text.h"
#include "data/text/byte_level.h"
#include "data/text/lines.h"
#include "data/text/published_settings.h"

namespace attend {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Ids = TextMap<int32_t>;

constexpr std::size_t file_limit = std::size_t{1} << 28;

std::string bytes_of(const std::string& where, const std::string& token) {
    std::optional<std::string> bytes = from_letters(token);
    require(bytes.has_value() && !bytes->empty(), "{}: a token is not written in the letters of bytes: '{}', {} bytes", where,
            token, token.size());
    return *bytes;
}

// The object of tokens and ids; `added` are further ones as plain text.
void read_tokens(const std::string& where, const json& object, const AddedTokens& added, BpeModel& model) {
    require(object.is_object() && !object.empty(), "{}: an object of tokens and ids is needed: found {} with {} entries", where,
            object.type_name(), object.size());
    model.tokens = tokens_by_id(
        where, object, added, [&](const std::string& token) { return bytes_of(where, token); },
        [](const std::string& bytes) { return to_letters(bytes); });
}

Ids ids_of(const BpeModel& model) {
    Ids ids;
    for (std::size_t i = 0; i < model.tokens.size(); ++i) ids.emplace(model.tokens[i], static_cast<int32_t>(i));
    return ids;
}

int32_t id_of(const Ids& ids, const std::string& where, const std::string& token) {
    const auto at = ids.find(bytes_of(where, token));
    require(at != ids.end(), "{}: a merge names what is no token: '{}', tokens {}", where, token, ids.size());
    return at->second;
}

// "left right"
void add_merge(BpeModel& model, const Ids& ids, const std::string& where, std::string_view line) {
    const std::size_t blank = line.find(' ');
    require(blank != std::string_view::npos && line.find(' ', blank + 1) == std::string_view::npos,
            "{}: a merge is two tokens with a blank between them: '{:.60}', blanks {}", where, line,
            std::ranges::count(line, ' '));
    model.merges.emplace_back(id_of(ids, where, std::string(line.substr(0, blank))),
                              id_of(ids, where, std::string(line.substr(blank + 1))));
}

void read_merges(const std::string& file, BpeModel& model) {
    const Texts lines = read_lines(file);
    const Ids ids = ids_of(model);
    const bool head = lines.text(0).starts_with("#version");
    for (int64_t i = head ? 1 : 0; i < lines.size(); ++i)
        add_merge(model, ids, fmt::format("{}:{}", file, i + 1), lines.text(i));
}

json get(const json& object, const char* key) { return object.value(key, json()); }

// What tokenizer.json says beside tokens and merges must be GPT-2's way.
void require_byte_level(const std::string& file, const json& root) {
    const json& model = root["model"];
    const auto is = [](const json& object, const char* key, const json& wanted) {
        return get(object, key) == wanted || (wanted.is_null() && get(object, key) == json(""));
    };
    // The oldest files do not name it: GPT-2's own is one.
    require(is(model, "type", "BPE") || (!model.contains("type") && model.contains("merges")),
            "{}: another kind of model: model.type {}, known \"BPE\"", file, get(model, "type").dump());
    for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"})
        require(is(model, key, nullptr), "{}: not GPT-2's way: model.{} is {}, known null", file, key, get(model, key).dump());
    for (const char* key : {"byte_fallback", "ignore_merges"})
        require(!model.contains(key) || is(model, key, false), "{}: not GPT-2's way: model.{} is {}, known false", file, key,
                get(model, key).dump());
    require(is(root, "normalizer", nullptr), "{}: not GPT-2's way: normalizer is {}, known null", file,
            get(root, "normalizer").dump());
    const json splitter = get(root, "pre_tokenizer");
    require(splitter.is_object() && is(splitter, "type", "ByteLevel") && !is(splitter, "use_regex", false),
            "{}: not GPT-2's way: pre_tokenizer is {:.200}, known {{\"type\": \"ByteLevel\"}}", file, splitter.dump());
    require(!is(splitter, "add_prefix_space", true), "{}: not GPT-2's way: pre_tokenizer.add_prefix_space is {}, known {}",
            file, "true", "false");
}

void read_tokenizer_json(const std::string& file, const json& root, AddedTokens added, BpeModel& model) {
    require(root["model"].is_object(), "{}: \"model\" is an object: found {}, needed object", file, root["model"].type_name());
    require_byte_level(file, root);
    added.add_list(file, get(root, "added_tokens"));
    read_tokens(file, get(root["model"], "vocab"), added, model);
    const Ids ids = ids_of(model);
    const json merges = get(root["model"], "merges");
    require(merges.is_array(), "{}: model.merges is a list: found {}, needed array", file, merges.type_name());
    for (std::size_t i = 0; i < merges.size(); ++i) {
        const json& merge = merges[i];
        const std::string where = fmt::format("{}: merge number {}", file, i + 1);
        if (merge.is_string()) {
            add_merge(model, ids, where, merge.get_ref<const std::string&>());
            continue;
        }
        require(merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string(),
                "{}: a merge is \"LEFT RIGHT\" or [\"LEFT\", \"RIGHT\"]: found {:.60}, entries {}", where, merge.dump(),
                merge.size());
        model.merges.emplace_back(id_of(ids, where, merge[0]), id_of(ids, where, merge[1]));
    }
}

// What tokenizer_config.json says beside them must be GPT-2's way, too. Where there is no
// tokenizer.json (`whole`), the class of the tokenizer says how text is cut.
void require_settings(const std::string& folder, bool whole) {
    std::vector<TokenizerEntry> entries = {{.key = "add_prefix_space", .allowed = {"false"}}};
    if (!whole)
        entries.push_back({.key = "tokenizer_class",
                           .allowed = {"\"GPT2Tokenizer\"", "\"GPT2TokenizerFast\"", "\"RobertaTokenizer\"",
                                       "\"RobertaTokenizerFast\"", "\"BartTokenizer\"", "\"BartTokenizerFast\""}});
    require_tokenizer_settings(folder, entries);
}

// The first of the names that the folder has.
std::string first_there(const std::string& folder, std::initializer_list<const char*> names) {
    for (const char* name : names)
        if (is_there(fs::path(folder) / name))
            return (fs::path(folder) / name).string();
    return "";
}

}  // namespace

BpeModel load_bpe(const std::string& vocabulary, const std::string& merges) {
    std::string file = vocabulary, merges_file = merges;
    if (is_folder(vocabulary)) {
        file = first_there(vocabulary, {"tokenizer.json", "encoder.json", "vocab.json"});
        require(!file.empty(), "{}: no vocabulary in this folder: files found 0, looked for {}", vocabulary,
                "tokenizer.json, encoder.json, vocab.json");
        if (merges.empty())
            merges_file = first_there(vocabulary, {"vocab.bpe", "merges.txt"});
    }
    const json root = load_json<json>(file, file_limit);
    BpeModel model;
    AddedTokens added;
    const bool whole = root.is_object() && root.contains("model") && !root["model"].is_number();
    if (const std::string folder = published_folder_of(vocabulary); !folder.empty()) {
        require_settings(folder, whole);
        added.add_files(folder);
    }
    if (whole) {
        read_tokenizer_json(file, root, std::move(added), model);
        return model;
    }
    read_tokens(file, root, added, model);
    require(!merges_file.empty(),
            "{}: its merges are needed: files of tokens 1, of merges 0; \"merges_file\" names it (vocab.bpe, merges.txt)",
            file);
    read_merges(merges_file, model);
    return model;
}

void save_bpe(const std::string& file, const BpeModel& model, const TextMap<int32_t>& unreachable) {
    using nlohmann::ordered_json;
    const auto token = [&](int32_t id) -> const std::string& { return model.tokens[static_cast<std::size_t>(id)]; };
    std::vector<int32_t> extra;
    for (const auto& entry : unreachable) extra.push_back(entry.second);
    std::ranges::sort(extra);
    ordered_json added = ordered_json::array(), tokens = ordered_json::array(), merges = ordered_json::array();
    for (int32_t id : extra)
        if (first_invalid_utf8(token(id)) == std::string_view::npos)
            added.push_back({{"id", id},
                             {"content", token(id)},
                             {"single_word", false},
                             {"lstrip", false},
                             {"rstrip", false},
                             {"normalized", false},
                             {"special", true}});
    ordered_json vocabulary = ordered_json::object();
    // Straight into the list of members: looking for each key first would take quadratic time.
    auto& members = vocabulary.get_ref<ordered_json::object_t&>();
    for (std::size_t i = 0; i < model.tokens.size(); ++i)
        static_cast<std::vector<std::pair<const std::string, ordered_json>>&>(members).emplace_back(to_letters(model.tokens[i]),
                                                                                                    i);
    for (const auto& [left, right] : model.merges) merges.push_back(to_letters(token(left)) + " " + to_letters(token(right)));
    const ordered_json byte_level = {
        {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
    const ordered_json root = {{"version", "1.0"},
                               {"truncation", nullptr},
                               {"padding", nullptr},
                               {"added_tokens", added},
                               {"normalizer", nullptr},
                               {"pre_tokenizer", byte_level},
                               {"post_processor", nullptr},
                               {"decoder", byte_level},
                               {"model",
                                {{"type", "BPE"},
                                 {"dropout", nullptr},
                                 {"unk_token", nullptr},
                                 {"continuing_subword_prefix", ""},
                                 {"end_of_word_suffix", ""},
                                 {"fuse_unk", false},
                                 {"vocab", vocabulary},
                                 {"merges", merges}}}};
    write_file_atomically(file, root.dump(1));
}

std::vector<std::string> publish_bpe(const std::string& folder, const BpeModel& model, const std::vector<std::string>& added) {
    const auto in_letters = [&](int32_t id) { return to_letters(model.tokens[static_cast<std::size_t>(id)]); };
    write_file_atomically(fs::path(folder) / "vocab.json", [&](FileWriter& out) {
        std::size_t id = 0;
        const auto entry = [&](const std::string& token) {
            out.write(fmt::format("{}{}: {}", id == 0 ? "{" : ", ", json(token).dump(), id));
            ++id;
        };
        for (const std::string& token : model.tokens) entry(to_letters(token));
        for (const std::string& token : added) entry(to_letters(token));
        out.write("}\n");
    });
    write_file_atomically(fs::path(folder) / "merges.txt", [&](FileWriter& out) {
        out.write("#version: 0.2\n");
        for (const auto& [left, right] : model.merges) out.write(in_letters(left) + " " + in_letters(right) + "\n");
    });
    write_file_atomically(fs::path(folder) / "tokenizer_config.json",
                          "{\n  \"add_prefix_space\": false,\n  \"tokenizer_class\": \"GPT2Tokenizer\"\n}\n");
    return {"vocab.json", "merges.txt", "tokenizer_config.json"};
}

}  // namespace attend
