#include "data/tasks/text.h"

#include <array>
#include <optional>

#include "data/text/corpus.h"
#include "data/windows.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

constexpr std::array all_splits = {Split::train, Split::valid, Split::test};

// Bytes [begin, end) of a corpus.
struct Part {
    std::shared_ptr<const Corpus> corpus;  // null: there is no such part
    int64_t begin = 0, end = 0;
    void pieces(FunctionRef<void(std::string_view, const Place&)> take) const {
        if (corpus)
            corpus->pieces(begin, end, take);
    }
};
using Parts = std::array<Part, 3>;  // by Split

Parts open_parts(const TextOptions& o) {
    constexpr const char* hint =
        "configs/README.md says what to fetch and from where, or give the files with --set data.path=FILE";
    require(o.path.empty() || o.train.empty(), "data.path: the training text is named twice: files in path {}, in train {}",
            o.path.size(), o.train.size());
    require(!o.path.empty() || !o.train.empty(), "data.path: a text is needed: files in path 0, in train 0; {}", hint);
    require(o.valid.empty() || !o.train.empty(),
            "data.valid: 'path' is cut into training and validation part: files in path {}, in valid {}; 'train' stands beside "
            "'valid'",
            o.path.size(), o.valid.size());
    const auto open = [&](const std::vector<std::string>& files, const char* option) {
        Part part;
        if (files.empty())
            return part;
        part.corpus = std::make_shared<Corpus>(files, option, hint);
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

class TextTask final : public Task {
  public:
    TextTask(const TextOptions& o, const TaskSetup& setup)
        : context_(o.context > 0 ? o.context : setup.context),
          order_(o.order == "random" ? WindowOrder::random : WindowOrder::sequential) {
        require(setup.context == 0 || o.context <= setup.context,
                "data.context: windows are longer than the model's context: data.context {}, model's context {}", o.context,
                setup.context);
        TokenizerSetup tokenizer;
        tokenizer.specials = Specials::own;
        tokenizer.limits = {o.min_count, o.max_vocabulary};
        if (!setup.saved.empty())
            tokenizer.saved = setup.saved + "/" + tokenizer_file;
        Parts parts;
        if (setup.load_data || tokenizer.saved.empty())
            parts = open_parts(o);
        tokenizer.pieces = [&](auto take) { parts[0].pieces(take); };
        tokenizer.held_out = [&](auto take) {
            parts[1].pieces(take);
            parts[2].pieces(take);
        };
        tokenizer_ = tokenizer_table().build(o.tokenizer, tokenizer);
        if (!setup.load_data)
            return;
        require(context_ > 0, "data.context: the length of a window is needed: data.context {}, model's context {}", o.context,
                setup.context);
        for (Split s : all_splits) encode(s, parts[static_cast<std::size_t>(s)]);
    }

    int64_t source_vocabulary_size() const override { return 0; }
    int64_t target_vocabulary_size() const override { return tokenizer_->size(); }
    int64_t size(Split s) const override { return context_ > 0 ? count_windows(tokens(s).size(), context_) : 0; }
    std::unique_ptr<Batches> batches(Split s, const BatchOrder& order) const override {
        return windows(tokens(s), context_, order_, order);
    }
    std::vector<std::string> metrics() const override {
        if (tokenizer_->exact())
            return {"bits_per_byte", "accuracy"};
        return {"accuracy"};
    }

    std::string source_text(Split s, int64_t example) const override {
        require_example(s, example);
        return "";
    }
    std::string target_text(Split s, int64_t example) const override {
        require_example(s, example);
        const int64_t begin = example * context_ + 1;
        std::vector<int32_t> ids(static_cast<std::size_t>(std::min(context_, tokens(s).size() - begin)));
        tokens(s).copy(begin, static_cast<int64_t>(ids.size()), ids.data());
        return tokenizer_->decode(ids);
    }
    std::vector<std::string> cut_target(std::string_view text) const override { return tokenizer_->cut(text); }
    Ids encode_sources(std::span<const std::string> lines) const override {
        fail("text: running text has no sources: lines {}, sources 0", lines.size());
    }
    std::vector<int32_t> encode_prompt(std::string_view text, const Place& place) const override {
        return tokenizer_->encode(text, place);
    }
    std::string decode_target(std::span<const int32_t> ids) const override { return tokenizer_->decode(ids); }
    std::vector<std::string> source_symbols(std::span<const int32_t> ids) const override {
        fail("text: running text has no sources: ids {}, sources 0", ids.size());
    }
    std::vector<std::string> target_symbols(std::span<const int32_t> ids) const override {
        std::vector<std::string> all;
        for (int32_t id : ids) all.push_back(tokenizer_->symbol(id));
        return all;
    }
    std::vector<Range> gold_alignment(Split s, int64_t example) const override {
        require_example(s, example);
        return {};
    }
    int64_t decode_limit(int64_t) const override { return context_; }

    std::vector<std::string> describe() const override {
        std::vector<std::string> lines;
        for (Split s : all_splits)
            if (tokens(s).size() > 0)
                lines.push_back(fmt::format("{}: {} tokens of {} bytes, {} windows of {}", split_name(s), tokens(s).size(),
                                            bytes_[static_cast<std::size_t>(s)], size(s), context_));
        lines.push_back(fmt::format("vocabulary: {} ids", tokenizer_->size()));
        return lines;
    }
    void save(const std::string& folder) const override { tokenizer_->save(folder + "/" + tokenizer_file); }

  private:
    const TokenIds& tokens(Split s) const { return tokens_[static_cast<std::size_t>(s)]; }
    void require_example(Split s, int64_t example) const {
        require(example >= 0 && example < size(s), "text: no such example: asked for {} of {}, there are {}", example,
                split_name(s), size(s));
    }
    void encode(Split s, const Part& part) {
        TokenIds& ids = tokens_[static_cast<std::size_t>(s)] = TokenIds(tokenizer_->size());
        if (!part.corpus)
            return;
        bytes_[static_cast<std::size_t>(s)] = part.end - part.begin;
        part.pieces([&](std::string_view text, const Place& place) { ids.add(tokenizer_->encode(text, place)); });
        const int64_t needed = s == Split::train ? context_ + 1 : 2;
        require(ids.size() >= needed, "data: the {} text is too short: tokens {}, needed {}{}", split_name(s), ids.size(),
                needed, s == Split::train ? " = context + 1" : "");
    }

    int64_t context_;
    WindowOrder order_;
    std::unique_ptr<const Tokenizer> tokenizer_;
    std::array<TokenIds, 3> tokens_;
    std::array<int64_t, 3> bytes_{};
};

}  // namespace

std::unique_ptr<Task> text_task(const TextOptions& options, const TaskSetup& setup) {
    return std::make_unique<TextTask>(options, setup);
}

}  // namespace attend::inline ATTEND_PRECISION
