#pragma once
/// Small experiments of every model, for proofs.
#include <memory>
#include <string>
#include <vector>

#include "tests/train/small_folder.h"
#include "train/study/prove/prove.h"

namespace attend::ATTEND_PRECISION::testing {

/// A config by name ("pairs", "transformer", "text", "masked", "labels"), and what is changed in it.
struct ProofForm {
    const char* config;
    std::vector<std::string> set;
    std::string text() const {
        std::string all = config;
        for (const std::string& s : set) all += " " + s;
        return all;
    }
};

/// A folder with the configs and their data.
class ProofFolder {
  public:
    ProofFolder() {
        write("pairs.json", R"({"seed": 3,
            "data": {"task": "copy", "symbols": 6, "min_length": 3, "max_length": 7, "train_examples": 40, "valid_examples": 8,
                     "test_examples": 0},
            "model": {"type": "rnn_seq2seq", "embedding": 5, "hidden": 8, "encoder_hidden": 4, "dropout": 0.1},
            "train": {"steps": 20, "batch": 8, "shards": 2}})");
        write("transformer.json", R"({"seed": 3,
            "data": {"task": "copy", "symbols": 6, "min_length": 3, "max_length": 7, "train_examples": 40, "valid_examples": 8,
                     "test_examples": 0},
            "model": {"type": "transformer_seq2seq", "layers": 2, "heads": 2, "width": 8, "ffn": 6, "max_length": 16,
                      "dropout": 0.1},
            "train": {"steps": 20, "batch": 8, "shards": 2}})");
        write("text.json", R"({"seed": 3,
            "data": {"task": "text", "path": "a.txt", "tokenizer": "char", "valid_fraction": 0.1},
            "model": {"type": "gpt", "layers": 2, "heads": 2, "width": 8, "ffn": 6, "context": 12, "init": 0.3, "dropout": 0.1},
            "train": {"steps": 20, "batch": 4, "shards": 2}})");
        write("masked.json", R"({"seed": 3,
            "data": {"task": "masked_text", "train": "a.txt", "valid": "a.txt",
                     "tokenizer": {"type": "wordpiece", "vocabulary": "vocab.txt"}},
            "model": {"type": "bert", "layers": 2, "heads": 2, "width": 8, "context": 12, "dropout": 0.1},
            "train": {"steps": 20, "batch": 4, "shards": 2}})");
        write("labels.json", R"({"seed": 3,
            "data": {"task": "classification", "train": "rows.tsv", "valid": "rows.tsv", "text": "1", "second": "2", "label": "3",
                     "header": false, "tokenizer": {"type": "wordpiece", "vocabulary": "vocab.txt"}},
            "model": {"type": "bert", "layers": 2, "heads": 2, "width": 8, "context": 14, "dropout": 0.1},
            "train": {"steps": 20, "batch": 4, "shards": 2}})");
        std::string rows;
        for (int i = 0; i < 12; ++i)
            rows += i % 3 == 0   ? "to be or\tnot to be\tyes\n"
                    : i % 3 == 1 ? "be\tor not\tno\n"
                                 : "not , to be or not\tbe be\tno\n";
        write("rows.tsv", rows);
        write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nto\nbe\nor\nnot\n,\n");
        std::string text;
        for (int i = 0; i < 60; ++i) text += "to be, or not to be\n";
        write("a.txt", text);
    }

    std::string path(const std::string& config) const { return (folder_ / (config + ".json")).string(); }
    /// Throws Error for what does not go together.
    prove::Subject subject(const ProofForm& form) const {
        prove::Subject s = prove::subject_of_config(read_experiment(path(form.config), form.set), path(form.config));
        s.seconds = 0.05;
        return s;
    }
    std::filesystem::path operator/(std::string_view name) const { return folder_ / name; }

  private:
    void write(const char* name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
    oracles::TemporaryFolder folder_;
};

}  // namespace attend::ATTEND_PRECISION::testing
