#pragma once
/// What the trainer knows of a task: batches for a split, how to print an example, which metrics
/// make sense, the gold alignment where it is known. Tasks are rows of task_table(); their files are in
/// data/tasks/.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/options.h"
#include "data/text/utf8.h"

namespace attend {

enum class Split { train, valid, test };
/// "train", "valid", "test".
const char* split_name(Split split);
/// The split of that name. Throws Error, beginning with `where`, for any other name.
Split split_named(const std::string& name, const std::string& where);

/// A target position with this id has no loss and is not counted.
constexpr int32_t id_ignored = -1;

/// One batch. For sequence to sequence: source [B, S]; input [B, T] = bos, y_1 ... y_n; target [B,
/// T] = y_1 ... y_n, eos, padded with id_ignored. Models without a source (language models,
/// encoders) have source.rows == 0; what they read is input.
struct Batch {
    Ids source;
    Ids input;
    Ids target;
    Ids segments;             ///< [B, T] 0 or 1: which of two texts each input position belongs to; no rows: there is one text
    Array<int32_t> labels;    ///< [B] class of each row; empty: rows have none
    Array<int64_t> examples;  ///< number of each row's example in its split

    int64_t rows() const { return input.rows; }
    /// Targets that are not ignored: the normaliser of their loss. (That of the labels is rows().)
    int64_t targets() const;
    /// Rows [begin, end) with the columns cut to their longest: one shard.
    Batch slice(int64_t begin, int64_t end) const;
};

/// The batches of one split in a fixed order that is a function of the seed alone. It has no state:
/// batch number k can be asked for at any time, so the position in a checkpoint is the number of
/// steps done.
class Batches {
  public:
    virtual ~Batches() = default;
    /// Batches in one pass over the data; every example is in exactly one of them (the last may be
    /// smaller). Windows at random places (data/windows.h) are as many as cover the text once.
    virtual int64_t per_epoch() const = 0;
    /// Batch `number`, from 0 on without end; epoch e is [e * per_epoch(), (e + 1) * per_epoch()).
    /// Draws a fresh order for each epoch when training; in evaluation every epoch is the same.
    virtual Batch at(int64_t number) = 0;
};

struct BatchOrder {
    int64_t batch = 32;  ///< rows in a batch
    uint64_t seed = 1;
    bool shuffled = false;  ///< training order: shuffled, bucketed by length; else sorted by length, always the same
};

/// A named part of every target of a task: its symbols.
struct TargetPart {
    std::string name;
    Range symbols;
};

/// The longest sequences of a split as a model reads them (bos included), and where they are:
/// "FILE:LINE", or the number of an example that was generated. 0: nothing that could be too long
/// for a model.
struct LongestExample {
    struct Sequence {
        int64_t symbols = 0;
        std::string place;
    };
    Sequence source, input;
    std::string hint;  ///< what else helps where they are too long; may be empty
};

class Task {
  public:
    virtual ~Task() = default;
    /// Ids of source and target are 0 ... size - 1. A task without a source has source size 0.
    virtual int64_t source_vocabulary_size() const = 0;
    virtual int64_t target_vocabulary_size() const = 0;
    /// Examples in a split, 0 when there is no such split.
    virtual int64_t size(Split split) const = 0;
    /// The batches of a split; the task must outlive them. Throws Error when order.batch is not in
    /// 1 ... 2^20.
    virtual std::unique_ptr<Batches> batches(Split split, const BatchOrder& order) const = 0;
    /// What the targets of its batches are to their input.
    virtual TargetKind targets() const { return TargetKind::following; }
    /// Classes of Batch::labels, 0: rows have none; and their names.
    virtual int64_t classes() const { return 0; }
    virtual std::string class_name(int32_t label) const;
    /// Texts in a row that Batch::segments tells apart, 0: it has no rows.
    virtual int64_t segments() const { return 0; }
    /// Whether source and target have one vocabulary: as many ids, and each the same symbol on both
    /// sides.
    virtual bool same_symbols() const { return false; }
    /// What a model must have positions for. Windows of running text and rows to classify have the
    /// length that was asked for (TaskSetup::context), so they need not answer.
    virtual LongestExample longest(Split) const { return {}; }
    /// Names of the metrics that make sense here, in the order of printing (rows of train's metric
    /// table).
    virtual std::vector<std::string> metrics() const = 0;

    /// Text of an example's source and target as a user writes them (the reference of text
    /// metrics), in the form decoding gives back: words, for one, with single blanks between them.
    /// Throws Error when there is no such example.
    virtual std::string source_text(Split split, int64_t example) const = 0;
    virtual std::string target_text(Split split, int64_t example) const = 0;
    /// The texts that are right answers to an example's source, for metrics of decoded text. Where
    /// several examples of a split have the same source and count as one, the first of them has the
    /// targets of all, in their order, and the others have none: they are not scored a second time.
    /// Throws Error when there is no such example.
    virtual std::vector<std::string> references(Split split, int64_t example) const { return {target_text(split, example)}; }
    /// A text as the symbols of a target, known or not: what metrics of symbols compare. Throws
    /// Error for text that cannot be cut.
    virtual std::vector<std::string> cut_target(std::string_view text) const = 0;
    /// Lines as a user writes them to padded source ids. Throws Error naming the row for text that
    /// cannot be encoded.
    virtual Ids encode_sources(std::span<const std::string> lines) const = 0;
    /// A prompt of a language model, to ids; decode_target() gives it back. Throws Error naming the
    /// place of text that cannot be encoded, and where the task has no running text.
    virtual std::vector<int32_t> encode_prompt(std::string_view text, const Place& place) const;
    /// Target ids without bos and eos back to text; and symbol by symbol, for attention maps.
    /// Throws Error for an id out of range.
    virtual std::string decode_target(std::span<const int32_t> ids) const = 0;
    virtual std::vector<std::string> source_symbols(std::span<const int32_t> ids) const = 0;
    virtual std::vector<std::string> target_symbols(std::span<const int32_t> ids) const = 0;
    /// The same of what Batch::input holds, where that is something else than a target's symbols.
    virtual std::vector<std::string> input_symbols(std::span<const int32_t> ids) const { return target_symbols(ids); }

    /// For each target symbol (eos excluded) the source positions that determine it; where there is no
    /// source, those of the row itself that a position with a target has to look at. Empty when not
    /// known.
    virtual std::vector<Range> gold_alignment(Split split, int64_t example) const = 0;

    /// Parts that the target of every example has, at the same places; none where targets have no
    /// such form.
    virtual std::vector<TargetPart> target_parts() const { return {}; }

    /// A safe upper bound of the symbols to decode, eos included, for a source of `source_length`
    /// symbols.
    virtual int64_t decode_limit(int64_t source_length) const = 0;

    /// Lines for the log: counts of examples, vocabulary sizes, what a limit cut.
    virtual std::vector<std::string> describe() const = 0;
    /// Writes what decoding needs (vocabularies) as files into `folder`; nothing for fixed
    /// vocabularies.
    virtual void save(const std::string& folder) const = 0;
    /// Writes the tokenizer in the files of its kind as published, and gives their names
    /// (Tokenizer::publish); none without one.
    virtual std::vector<std::string> publish(const std::string&) const { return {}; }

  protected:
    /// Throws Error, with the name of the task, when there is no such example.
    void require_example(std::string_view task, Split split, int64_t example) const;
};

/// A file for each split (or several), some of them perhaps not given.
template <class Files>
struct SplitFiles {
    Files train{}, valid{}, test{};
    const Files& of(Split s) const { return s == Split::train ? train : s == Split::valid ? valid : test; }
};

/// How a task is set up.
struct TaskSetup {
    uint64_t seed = 1;
    /// Folder that save() wrote to, or of a published model with its tokenizer; empty: build
    /// vocabularies from the training data.
    std::string saved{};
    /// Load the data splits; without, only encoding and decoding work (translate needs no data).
    bool load_data = true;
    /// Targets in a window of running text: the model's context. 0: the task's own option.
    int64_t context = 0;
    /// Folder for files that spare work and memory and can be made again (ids of a corpus), for
    /// texts of more than `cached_above` bytes, where the task's own option names none. Empty: then
    /// there is none.
    std::string cache{};
    int64_t cached_above = 0;
};

/// The key that selects a row is "task": construct the table with Table("task", rows, "task").
const Table<std::unique_ptr<Task>(const TaskSetup&)>& task_table();

}  // namespace attend
