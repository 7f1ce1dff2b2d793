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

/// A corpus as ids of a tokenizer with ids of its own: there are no sources, and an example is a
/// window.
class RunningTextTask : public Task {
  public:
    int64_t source_vocabulary_size() const override { return 0; }
    int64_t target_vocabulary_size() const override { return tokenizer_->size(); }
    std::string source_text(Split s, int64_t example) const override;
    std::vector<std::string> cut_target(std::string_view text) const override { return tokenizer_->cut(text); }
    Ids encode_sources(std::span<const std::string> lines) const override;
    std::vector<int32_t> encode_prompt(std::string_view text, const Place& place) const override {
        return tokenizer_->encode(text, place);
    }
    std::string decode_target(std::span<const int32_t> ids) const override { return tokenizer_->decode(ids); }
    std::vector<std::string> source_symbols(std::span<const int32_t> ids) const override;
    std::vector<std::string> target_symbols(std::span<const int32_t> ids) const override { return tokenizer_->symbols(ids); }
    std::vector<Range> gold_alignment(Split s, int64_t example) const override;
    int64_t decode_limit(int64_t) const override { return context_; }
    /// For each part that is there its tokens and bytes, and where its ids are read from; the
    /// vocabulary; and the windows of each part.
    std::vector<std::string> describe() const override;
    void save(const std::string& folder) const override { tokenizer_->save(folder + "/" + tokenizer_file); }
    std::vector<std::string> publish(const std::string& folder) const override { return tokenizer_->publish(folder, {}); }

  protected:
    /// Builds the tokenizer, gives it the special tokens `added` as far as it has none of that name
    /// (with_special_tokens), and encodes the parts where the setup loads data. Parts are encoded
    /// for themselves, and so are files. Throws Error for: neither 'path' nor 'train', or both;
    /// 'valid' without 'train'; a context neither in the options nor in the setup, or longer than
    /// the setup's; what Corpus and the tokenizer refuse. With a folder for caches, the options' or
    /// else for a large text the setup's, the ids are read from there (TokenIds::cached).
    RunningTextTask(const char* name, const TextOptions& options, const TaskSetup& setup,
                    const std::vector<std::string>& added);

    const Tokenizer& tokenizer() const { return *tokenizer_; }
    /// The length of a window; 0 only without data.
    int64_t context() const { return context_; }
    WindowOrder window_order() const { return order_; }
    const TokenIds& tokens(Split s) const { return tokens_[static_cast<std::size_t>(s)]; }
    /// Throws Error when the part is there with fewer tokens than `needed`, which `is` explains.
    void require_tokens(Split s, int64_t needed, const char* is) const;
    /// The text of an example whose ids are at most `most`, from `begin` on. Throws Error when there
    /// is no such example.
    std::string text_of(Split s, int64_t example, int64_t begin, int64_t most) const;

  private:
    void require_example(Split s, int64_t example) const { Task::require_example(name_, s, example); }

    const char* name_;
    int64_t context_;
    WindowOrder order_;
    std::unique_ptr<const Tokenizer> tokenizer_;
    std::array<TokenIds, 3> tokens_;
    std::array<int64_t, 3> bytes_{};
    std::array<bool, 3> there_{};
};

}  // namespace attend
