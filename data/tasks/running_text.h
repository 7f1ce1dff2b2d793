#pragma once
/// What the tasks of running text share (text, masked_text): options, parts, tokenizer, ids.
#include <array>

#include "data/task.h"
#include "data/text/token_ids.h"
#include "data/text/tokenizer.h"
#include "data/windows.h"

namespace attend {

struct TextOptions {
    std::vector<std::string> path{}, train{}, valid{}, test{};
    double valid_fraction = 0.1;
    Selection tokenizer{tokenizer_table(), "char"};
    std::string order = "random";
    int64_t context = 0;
    int64_t min_count = 1;
    int64_t max_vocabulary = 0;
    std::string cache{};
    void fields(Visitor& v) {
        v.paths("path", path, "text to be cut into training and validation part: files or patterns as *.txt, plain or packed");
        v.paths("train", train, "training text, in place of 'path'");
        v.paths("valid", valid, "validation text, beside 'train'");
        v.paths("test", test, "text for the test");
        v.number("valid_fraction", valid_fraction, {0, 0.999}, "share of 'path' at its end that validates");
        v.selection("tokenizer", tokenizer, "what text is cut into");
        v.choice("order", order, {"random", "sequential"},
                 "random: training windows begin anywhere; sequential: one after the other, as anyone can reproduce them");
        v.integer("context", context, {0, 1 << 20}, "targets in a window, 0: the model's context");
        v.integer("min_count", min_count, {1, int64_t{1} << 40},
                  "tokenizer 'word': words seen less often in training are unknown");
        v.integer("max_vocabulary", max_vocabulary, {0, int64_t{1} << 30},
                  "tokenizer 'word': most frequent words that get an id, 0: all");
        v.path("cache", cache,
               "folder for files with the text's ids, which are read where they are needed: for text larger than memory, and "
               "to spare "
               "the next run their making; empty: ids are kept in memory, those of a text larger than an eighth of it in "
               "~/.cache/attend");
    }
};

/// The parts of a corpus as ids of a tokenizer with ids of its own.
class RunningText {
  public:
    /// Builds the tokenizer, gives it the special tokens `added` as far as it has none of that name
    /// (with_special_tokens), and encodes the parts where the setup loads data. Parts are encoded
    /// for themselves, and so are files. Throws Error for: neither 'path' nor 'train', or both;
    /// 'valid' without 'train'; a context neither in the options nor in the setup, or longer than
    /// the setup's; what Corpus and the tokenizer refuse. With a folder for caches, the options' or
    /// else for a large text the setup's, the ids are read from there (TokenIds::cached).
    RunningText(const TextOptions& options, const TaskSetup& setup, const std::vector<std::string>& added);

    const Tokenizer& tokenizer() const { return *tokenizer_; }
    /// The length of a window; 0 only without data.
    int64_t context() const { return context_; }
    WindowOrder order() const { return order_; }
    const TokenIds& tokens(Split s) const { return tokens_[static_cast<std::size_t>(s)]; }
    /// Throws Error when the part is there with fewer tokens than `needed`, which `is` explains.
    void require_tokens(Split s, int64_t needed, const char* is) const;
    /// Ids [begin, begin + count) as text.
    std::string text(Split s, int64_t begin, int64_t count) const;
    /// A line for each part that is there, "train: 900 tokens of 1000 bytes", and where its ids are
    /// read from; and one for the vocabulary.
    std::vector<std::string> describe() const;
    void save(const std::string& folder) const { tokenizer_->save(folder + "/" + tokenizer_file); }
    std::vector<std::string> publish(const std::string& folder) const { return tokenizer_->publish(folder, {}); }

  private:
    int64_t context_;
    WindowOrder order_;
    std::unique_ptr<const Tokenizer> tokenizer_;
    std::array<TokenIds, 3> tokens_;
    std::array<int64_t, 3> bytes_{};
    std::array<bool, 3> there_{};
};

/// What their tasks answer alike: there are no sources, and an example is a window.
class RunningTextTask : public Task {
  public:
    int64_t source_vocabulary_size() const override { return 0; }
    int64_t target_vocabulary_size() const override { return text_.tokenizer().size(); }
    std::string source_text(Split s, int64_t example) const override;
    std::vector<std::string> cut_target(std::string_view text) const override { return text_.tokenizer().cut(text); }
    Ids encode_sources(std::span<const std::string> lines) const override;
    std::vector<int32_t> encode_prompt(std::string_view text, const Place& place) const override {
        return text_.tokenizer().encode(text, place);
    }
    std::string decode_target(std::span<const int32_t> ids) const override { return text_.tokenizer().decode(ids); }
    std::vector<std::string> source_symbols(std::span<const int32_t> ids) const override;
    std::vector<std::string> target_symbols(std::span<const int32_t> ids) const override {
        return text_.tokenizer().symbols(ids);
    }
    std::vector<Range> gold_alignment(Split s, int64_t example) const override;
    int64_t decode_limit(int64_t) const override { return text_.context(); }
    std::vector<std::string> describe() const override;
    void save(const std::string& folder) const override { text_.save(folder); }
    std::vector<std::string> publish(const std::string& folder) const override { return text_.publish(folder); }

  protected:
    RunningTextTask(const char* name, RunningText text) : text_(std::move(text)), name_(name) {}
    void require_example(Split s, int64_t example) const { Task::require_example(name_, s, example); }
    RunningText text_;

  private:
    const char* name_;
};

}  // namespace attend
