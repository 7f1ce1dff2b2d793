#include "data/tasks/running_text.h"

#include <algorithm>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/own_files.h"
#include "data/text/corpus.h"
#include "data/text/special_tokens.h"

namespace attend {

namespace {

// Bytes [begin, end) of a corpus.
struct Part {
    std::shared_ptr<const Corpus> corpus;  // null: there is no such part
    int64_t begin = 0, end = 0;
    void pieces(FunctionRef<void(std::string_view, const Place&)> take) const {
        if (corpus)
            corpus->pieces(begin, end, take);
    }
    std::string key() const { return fmt::format("{} {}-{}", corpus->key(), begin, end); }
};
using Parts = std::array<Part, 3>;  // by Split

// Two tokenizers with one key give one text the same ids. They are told apart by what they save.
std::string tokenizer_key(const Tokenizer& tokenizer, const std::string& name, const std::filesystem::path& folder) {
    make_folders(folder);
    const std::filesystem::path file = partial_path(folder / "tokenizer");
    WrittenFile written;
    try {
        tokenizer.save(file.string());
        written = crc32_of_file(file);
    } catch (...) {
        remove_file(file);
        throw;
    }
    remove_file(file);
    return fmt::format("{} {} {} {}-{:08x} ", name, tokenizer.variant(), tokenizer.size(), written.bytes, written.crc32);
}

Parts open_parts(const TextOptions& o) {
    const auto hint_for = [](const std::string& option) {
        return fmt::format("configs/README.md says what to fetch and from where, or give the files with --set {}=FILE", option);
    };
    require(o.path.empty() || o.train.empty(), "data.path: the training text is named twice: files in path {}, in train {}",
            o.path.size(), o.train.size());
    require(!o.path.empty() || !o.train.empty(), "data.path: a text is needed: files in path 0, in train 0; {}",
            hint_for("data.path"));
    require(
        o.valid.empty() || !o.train.empty(),
        "data.valid: 'path' is cut into training and validation part: files in path {}, in valid {}; 'train' is for use with "
        "'valid'",
        o.path.size(), o.valid.size());
    const auto open = [&](const std::vector<std::string>& files, const char* option) {
        Part part;
        if (files.empty())
            return part;
        part.corpus = std::make_shared<Corpus>(files, option, hint_for(option));
        part.end = part.corpus->bytes();
        return part;
    };
    Parts parts = {o.path.empty() ? open(o.train, "data.train") : open(o.path, "data.path"), open(o.valid, "data.valid"),
                   open(o.test, "data.test")};
    if (!o.path.empty() && o.valid_fraction > 0) {
        const int64_t cut = parts[0].corpus->cut(o.valid_fraction);
        parts[1] = {parts[0].corpus, cut, parts[0].end};
        parts[0].end = cut;
    }
    return parts;
}

}  // namespace

RunningTextTask::RunningTextTask(const char* name, const TextOptions& o, const TaskSetup& setup,
                                 const std::vector<std::string>& added)
    : name_(name),
      context_(o.context > 0 ? o.context : setup.context),
      order_(o.order == "random" ? WindowOrder::random : WindowOrder::sequential) {
    require(setup.context == 0 || o.context <= setup.context,
            "data.context: windows are longer than the model's context: data.context {}, model's context {}", o.context,
            setup.context);
    TokenizerSetup tokenizer;
    tokenizer.specials = Specials::own;
    tokenizer.limits = {o.min_count, o.max_vocabulary};
    if (!setup.saved.empty())
        tokenizer.saved = saved_tokenizer(setup.saved);
    Parts parts;
    if (setup.load_data || tokenizer.saved.empty())
        parts = open_parts(o);
    tokenizer.pieces = [&](auto take) { parts[0].pieces(take); };
    tokenizer.held_out = [&](auto take) {
        parts[1].pieces(take);
        parts[2].pieces(take);
    };
    tokenizer_ = with_special_tokens(tokenizer_table().build(o.tokenizer, tokenizer), added);
    if (!setup.load_data)
        return;
    require(context_ > 0, "data.context: the length of a window is needed: data.context {}, model's context {}", o.context,
            setup.context);
    int64_t all = 0;
    for (const Part& part : parts) all += part.end - part.begin;
    const std::string cache = o.cache.empty() && all > setup.cached_above ? setup.cache : o.cache;
    const std::string key = cache.empty() ? "" : tokenizer_key(*tokenizer_, o.tokenizer.name(), cache);
    for (std::size_t s = 0; s < parts.size(); ++s) {
        there_[s] = parts[s].corpus != nullptr;
        bytes_[s] = parts[s].end - parts[s].begin;
        const auto encode = [&](FunctionRef<void(std::span<const int32_t>)> take) {
            parts[s].pieces([&](std::string_view text, const Place& place) { take(tokenizer_->encode(text, place)); });
        };
        if (cache.empty() || !there_[s]) {
            tokens_[s] = TokenIds(tokenizer_->size(), tokenizer_->unknown());
            encode([&](std::span<const int32_t> ids) { tokens_[s].add(ids); });
        } else {
            tokens_[s] = TokenIds::cached(cache, key + parts[s].key(), tokenizer_->size(), tokenizer_->unknown(), encode);
        }
    }
}

void RunningTextTask::require_tokens(Split s, int64_t needed, const char* is) const {
    require(!there_[static_cast<std::size_t>(s)] || tokens(s).size() >= needed,
            "data: the {} text is too short: tokens {}, needed {}{}", split_name(s), tokens(s).size(), needed, is);
}

std::string RunningTextTask::text_of(Split s, int64_t example, int64_t begin, int64_t most) const {
    require_example(s, example);
    std::vector<int32_t> ids(static_cast<std::size_t>(std::min(most, tokens(s).size() - begin)));
    tokens(s).copy(begin, static_cast<int64_t>(ids.size()), ids.data());
    return tokenizer_->decode(ids);
}

std::vector<std::string> RunningTextTask::describe() const {
    constexpr std::array splits = {Split::train, Split::valid, Split::test};
    std::vector<std::string> lines;
    for (Split s : splits)
        if (tokens(s).size() > 0) {
            const int64_t unknown = tokens(s).unknown();
            lines.push_back(fmt::format("{}: {} tokens of {} bytes{}", split_name(s), tokens(s).size(),
                                        bytes_[static_cast<std::size_t>(s)],
                                        unknown == 0 ? "" : fmt::format(", {} of them not in the vocabulary", unknown)));
            if (!tokens(s).file().empty())
                lines.push_back(fmt::format("{}: ids read from {}", split_name(s), tokens(s).file().string()));
        }
    lines.push_back(fmt::format("vocabulary: {} ids", tokenizer_->size()));
    for (Split s : splits)
        if (size(s) > 0)
            lines.push_back(fmt::format("{}: {} windows of {}", split_name(s), size(s), context_));
    return lines;
}

std::string RunningTextTask::source_text(Split s, int64_t example) const {
    require_example(s, example);
    return "";
}

Ids RunningTextTask::encode_sources(std::span<const std::string> lines) const {
    fail("{}: running text has no sources: lines {}, sources 0", name_, lines.size());
}

std::vector<std::string> RunningTextTask::source_symbols(std::span<const int32_t> ids) const {
    fail("{}: running text has no sources: ids {}, sources 0", name_, ids.size());
}

std::vector<Range> RunningTextTask::gold_alignment(Split s, int64_t example) const {
    require_example(s, example);
    return {};
}

}  // namespace attend
