#pragma once
/// What the tasks of pairs of texts from files share (parallel, tsv, sigmorphon): options,
/// vocabularies, limits, references. A task says how the rows of a split are read and how each side
/// is cut; the rest is here.
#include <functional>

#include "data/pair_task.h"

namespace attend {

/// What text is cut into.
struct PairUnits {
    Selection unit{tokenizer_table(), "word"};
    Selection source_unit{tokenizer_table(), "same"}, target_unit{tokenizer_table(), "same"};
    void fields(Visitor& v) {
        v.selection("unit", unit, "what text is cut into, on both sides");
        v.selection("source_unit", source_unit, "what sources are cut into");
        v.selection("target_unit", target_unit, "what targets are cut into");
    }
};

/// Whether the sides share a vocabulary.
struct PairVocabulary {
    bool joint_vocabulary = false;
    void fields(Visitor& v) {
        v.flag("joint_vocabulary", joint_vocabulary,
               "whether both sides have one vocabulary, of the symbols of both: an id is the same symbol on either, as a model "
               "with one embedding for both needs (share 'all')");
    }
};

/// What is left out.
struct PairLimits {
    int64_t min_count = 1;
    int64_t max_vocabulary = 0;
    int64_t first = 0;
    int64_t max_length = 0;
    void fields(Visitor& v) {
        v.integer("min_count", min_count, {1, int64_t{1} << 40}, "symbols seen less often in training are unknown");
        v.integer("max_vocabulary", max_vocabulary, {0, int64_t{1} << 30},
                  "most frequent symbols that get an id on each side, 0: all");
        v.integer("first", first, {0, int64_t{1} << 40}, "training pairs to use, from the first on, 0: all");
        v.integer("max_length", max_length, {0, int64_t{1} << 30},
                  "training pairs with more symbols on a side are left out, counted and said, 0: none");
    }
};

/// How decoded text is scored.
struct PairScoring {
    std::string references = "each";
    std::string metrics = "text";
    void fields(Visitor& v) {
        v.choice("references", references, {"each", "grouped"},
                 "each: every pair is scored for itself; grouped: pairs with the same source are one question, and each of "
                 "their targets is a right answer. Neither changes training or the loss");
        v.choice("metrics", metrics, {"text", "symbols", "all"},
                 "text: exact_match, bleu, chrf; symbols: exact_match, word_error_rate, symbol_error_rate, edit_distance; all: "
                 "both. accuracy and attention_entropy always");
    }
    /// The metrics' names.
    std::vector<std::string> names() const;
};

/// The rows of one split: source.lines[i] and target.lines[i] are a pair.
struct PairRows {
    TextFile source, target;
};

/// Where a task's texts come from.
struct PairFiles {
    /// The rows of a split; no rows when the config names no files for it. Must throw rather than
    /// return no training rows.
    std::function<PairRows(Split)> read;
    std::function<std::shared_ptr<const Tokenizer>(const TokenizerSetup&)> source_tokenizer, target_tokenizer;
    /// Both tokenizers, with one vocabulary, from the lines of both sides; null: each learns from
    /// its own side.
    std::function<std::array<std::shared_ptr<const Tokenizer>, 2>(const TokenizerSetup&)> joint_tokenizers;
};

/// Tokenizers by `units` and `vocabulary`, into `files`. Throws Error for one vocabulary of two
/// units.
void set_tokenizers(PairFiles& files, const PairUnits& units, const PairVocabulary& vocabulary);

/// The text after a missing file's name: what names it and what to do. `example` is what --set
/// would give, as "FILE".
std::string missing_file_hint(Split split, std::string_view example);

/// The lines of a split's one file. Throws Error where no file is named, and as read_lines().
TextFile read_split(Split split, const std::string& file);

/// Completes `task` and builds it. Vocabularies come from the training pairs that `first` leaves
/// (before max_length), or from setup.saved. Nothing but what `first` and `max_length` name is left
/// out; validation and test pairs never are. Throws Error for `first` beyond the last pair, invalid
/// UTF-8, a pair with a side without symbols (naming both places), when max_length leaves no
/// training pair, and when one vocabulary is asked for and the saved ones are two.
std::unique_ptr<Task> file_pairs_task(PairTask task, const PairFiles& files, const PairLimits& limits,
                                      const std::string& references, const TaskSetup& setup);

}  // namespace attend
