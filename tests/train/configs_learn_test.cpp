// Every shipped config learns in its short form and passes `attend plan`. A config without a row in
// the table fails.
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "data/text/bpe_tokenizer.h"
#include "nn/models/gpt.h"
#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/exchange/published.h"
#include "train/experiment/assemble.h"
#include "train/records/summary.h"

namespace configs_learn_test {

TEST_SUITE_BEGIN("train: configs learn");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

namespace {

enum class Reaches { at_least, at_most };

// Stands in for the files of a config: writes small ones of the same format into `folder` and names
// them as --set does.
using Generate = Strings (*)(const fs::path& folder);

// What makes a config short, and what it must reach on the validation split then. Where its files
// are missing it names `fetch`.
struct Short {
    const char* config;
    Strings set;
    const char* metric;
    Reaches reaches;
    double value;
    const char* fetch = "";
    Generate generate = nullptr;
};

Strings in_folder(const fs::path& folder, const char* option, const Strings& names) {
    std::string list;
    for (const std::string& n : names) list += (list.empty() ? "[\"" : ", \"") + (folder / n).string() + "\"";
    return {fmt::format("data.{}={}", option, names.size() == 1 ? (folder / names[0]).string() : list + "]")};
}

// Words of `least` to `most` letters out of the first `letters`, apart from each other by
// `between`.
std::string letters(Stream& stream, uint32_t least, uint32_t most, uint32_t letters, const char* between) {
    std::string word;
    const uint32_t length = least + stream.below(most - least + 1);
    for (uint32_t i = 0; i < length; ++i)
        word += (i ? between : "") + std::string(1, static_cast<char>('a' + stream.below(letters)));
    return word;
}

// Pairs of lines: symbols, and the same in capitals.
Strings capitals(const fs::path& folder) {
    Stream stream(7, "capitals");
    Strings set;
    for (const char* split : {"train", "valid", "test"}) {
        std::ofstream source(folder / (std::string(split) + ".src")), target(folder / (std::string(split) + ".trg"));
        for (int i = 0; i < (std::string(split) == "train" ? 600 : 40); ++i) {
            std::string line = letters(stream, 2, 5, 6, " ");
            source << line << '\n';
            for (char& c : line) c = static_cast<char>(std::toupper(c));
            target << line << '\n';
        }
        for (const std::string& s : in_folder(folder, split, {std::string(split) + ".src", std::string(split) + ".trg"}))
            set.push_back(s);
    }
    return set;
}

// lemma, form, tags: a plural in -s, a past in -ed.
Strings inflections(const fs::path& folder) {
    Stream stream(7, "inflections");
    Strings set;
    for (const char* split : {"train", "valid", "test"}) {
        std::ofstream file(folder / split);
        for (int i = 0; i < (std::string(split) == "train" ? 600 : 40); ++i) {
            const std::string lemma = letters(stream, 2, 4, 5, "");
            const bool noun = stream.below(2) == 0;
            file << lemma << '\t' << lemma << (noun ? "s" : "ed") << '\t' << (noun ? "N;PL" : "V;PST") << '\n';
        }
        for (const std::string& s : in_folder(folder, split, {split})) set.push_back(s);
    }
    return set;
}

// Commands of a verb and how often, and their actions.
Strings commands(const fs::path& folder) {
    constexpr std::pair<const char*, const char*> verbs[] = {{"walk", "I_WALK"}, {"run", "I_RUN"}, {"jump", "I_JUMP"}};
    constexpr const char* times[] = {"", " twice", " thrice"};
    Stream stream(7, "commands");
    Strings set;
    for (const char* split : {"train", "test"}) {
        std::ofstream file(folder / split);
        for (int i = 0; i < 400; ++i) {
            std::string said, done;
            for (int part = 0; part < 2; ++part) {
                const auto& [verb, action] = verbs[stream.below(3)];
                const uint32_t more = stream.below(3);
                said += std::string(part ? " and " : "") + verb + times[more];
                for (uint32_t k = 0; k <= more; ++k) done += std::string(done.empty() ? "" : " ") + action;
            }
            file << "IN: " << said << " OUT: " << done << '\n';
        }
        for (const std::string& s : in_folder(folder, split, {split})) set.push_back(s);
    }
    return set;
}

// A text of lines that repeat.
Strings lines(const fs::path& folder) {
    std::ofstream file(folder / "a.txt");
    for (int i = 0; i < 300; ++i) file << "to be, or not to be\n";
    return in_folder(folder, "path", {"a.txt"});
}

// A text of words that stand often in a row, and a vocabulary of pieces: what is masked its
// neighbours tell.
Strings repeated_words(const fs::path& folder) {
    Stream stream(7, "repeated");
    constexpr const char* words[] = {"to", "be", "or", "not"};
    std::ofstream vocabulary(folder / "vocab.txt"), text(folder / "a.txt");
    vocabulary << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (const char* word : words) vocabulary << word << '\n';
    for (int i = 0; i < 100; ++i) {
        const char* const word = words[stream.below(4)];
        for (int k = 0; k < 50; ++k) text << word << (k == 49 ? '\n' : ' ');
    }
    return {"data.train=" + (folder / "a.txt").string(), "data.valid=" + (folder / "a.txt").string(),
            "data.tokenizer.vocabulary=" + (folder / "vocab.txt").string()};
}

// The same text, and a small GPT-2 that knows nothing with a tokenizer of its own, as a published
// one is kept.
Strings published(const fs::path& folder) {
    Strings set = lines(folder);
    TokenizerSetup setup;
    setup.specials = Specials::own;
    setup.pieces = [](auto take) { take("to be, or not to be\nto be, or not to be\n", Place{"a.txt", 1}); };
    const auto tokenizer = bpe_tokenizer({.merges = 6}, setup);
    GptOptions o;
    o.blocks.layers = 1;
    o.blocks.width = 32;
    o.blocks.activation = "gelu_tanh";
    o.context = 32;
    ParameterStore store(1);
    const Gpt model(o, Scope(store), {0, tokenizer->size()});
    const std::string to = (folder / "gpt2").string();
    write_published(to, model.published_layout(), store);
    tokenizer->publish(to, {});
    set.push_back("init.from=" + to);
    set.push_back("data.tokenizer.vocabulary=" + to);
    return set;
}

// A language model of the same kind for lines().
Strings small_text() {
    return {"model.layers=1",          "model.width=32",     "model.context=32",
            "train.steps=80",          "train.batch=8",      "train.shards=2",
            "train.evaluate_every=80", "schedule.warmup=10", "optimizer.learning_rate=0.01"};
}

// What a model of some hundred steps is made of.
Strings small(Strings more = {}) {
    Strings set = {"model.embedding=16",
                   "model.hidden=32",
                   "model.dropout=0",
                   "train.epochs=auto",
                   "train.steps=300",
                   "train.batch=20",
                   "train.evaluate_every=300",
                   "schedule.warmup=20",
                   "optimizer.learning_rate=0.01",
                   "decode.beam=2"};
    set.insert(set.end(), more.begin(), more.end());
    return set;
}

// Fewer and shorter rows of the task recall.
Strings short_recall() {
    return {"data.vocabulary=48",        "data.length=24",           "data.pairs=3",
            "data.train_examples=20000", "data.valid_examples=200",  "data.test_examples=0",
            "train.steps=250",           "train.evaluate_every=250", "schedule.warmup=20"};
}

const Short table[] = {
    {"bahdanau_dates.json",
     {"data.train_examples=4000", "data.valid_examples=100", "data.test_examples=0", "train.steps=250",
      "train.evaluate_every=250", "schedule.warmup=20"},
     "accuracy",
     Reaches::at_least,
     0.97},
    {"bert_mini_wikitext.json",
     {"model.layers=1", "model.width=32", "model.context=32", "train.steps=500", "train.batch=8", "train.shards=2",
      "train.evaluate_every=500", "schedule.warmup=10", "optimizer.learning_rate=0.003"},
     "accuracy",
     Reaches::at_least,
     0.95,
     "datasets/wikitext-2/wiki.train.tokens.gz",
     repeated_words},
    {"dates_luong.json",
     {"data.train_examples=4000", "data.valid_examples=100", "data.test_examples=0", "train.steps=200",
      "train.evaluate_every=200", "schedule.warmup=20",
      "model.attention.select={\"type\": \"hard\", \"estimator\": "
      "{\"type\": \"reinforce\", \"baseline\": \"leave_one_out\", \"samples\": 4}}"},
     "accuracy",
     Reaches::at_least,
     0.85},
    {"g2p_cmudict.json", small({"model.encoder_hidden=16", "train.average=0.9"}), "word_error_rate", Reaches::at_most, 0.1,
     "datasets/g2p-wu2018/CMUDict.train.src.gz", capitals},
    {"g2p_nettalk.json", small({"model.encoder_hidden=16", "train.average=0.9"}), "word_error_rate", Reaches::at_most, 0.1,
     "datasets/g2p-wu2018/NETtalk.train.src.gz", capitals},
    {"g2p_nettalk_exact.json", small({"model.encoder_hidden=16", "train.average=0.9"}), "word_error_rate", Reaches::at_most,
     0.1, "datasets/g2p-wu2018/NETtalk.train.src.gz", capitals},
    {"g2p_nettalk_reinforce.json",
     small({"model.encoder_hidden=16", "train.average=0.9", "train.steps=500", "train.evaluate_every=500"}), "word_error_rate",
     Reaches::at_most, 0.3, "datasets/g2p-wu2018/NETtalk.train.src.gz", capitals},
    {"g2p_nettalk_soft.json",
     small({"model.encoder_hidden=16", "train.average=0.9", "train.steps=500", "train.evaluate_every=500"}), "word_error_rate",
     Reaches::at_most, 0.1, "datasets/g2p-wu2018/NETtalk.train.src.gz", capitals},
    {"gpt2_124m_finetune.json",
     {"model.layers=1", "model.heads=4", "model.width=32", "model.context=32", "data.context=20", "train.steps=80",
      "train.evaluate_every=80", "optimizer.learning_rate=0.01", "schedule.final=0.001"},
     "loss",
     Reaches::at_most,
     0.3,
     "datasets/tinyshakespeare/input.txt",
     published},
    {"gpt_deep_92.json", small_text(), "loss", Reaches::at_most, 0.2, "datasets/tinyshakespeare/input.txt", lines},
    {"gpt_recall.json", short_recall(), "accuracy", Reaches::at_least, 0.9},
    {"gpt_shakespeare.json", small_text(), "loss", Reaches::at_most, 0.2, "datasets/tinyshakespeare/input.txt", lines},
    {"gpt_shakespeare_best.json", small_text(), "loss", Reaches::at_most, 0.2, "datasets/tinyshakespeare/input.txt", lines},
    {"gpt_tiny.json", small_text(), "loss", Reaches::at_most, 0.2, "core/*.h", lines},
    {"inflection_hard.json", small({"model.encoder_hidden=16", "train.average=0.9"}), "exact_match", Reaches::at_least, 0.8,
     "datasets/sigmorphon2017-task1/german-train-high", inflections},
    {"inflection_soft.json", small({"model.encoder_hidden=16", "train.average=0.9"}), "exact_match", Reaches::at_least, 0.8,
     "datasets/sigmorphon2017-task1/german-train-high", inflections},
    {"multi30k_bahdanau.json", small({"train.average=0.9"}), "bleu", Reaches::at_least, 90,
     "datasets/multi30k/tok/train.lc.norm.tok.de.gz", capitals},
    {"recall_zoology.json", short_recall(), "accuracy", Reaches::at_least, 0.9},
    {"reverse_luong.json", small({"data.first=0"}), "accuracy", Reaches::at_least, 0.9, "datasets/reverse/train.src.gz",
     capitals},
    {"scan_rnn.json", small({"train.average=0.9"}), "accuracy", Reaches::at_least, 0.95,
     "datasets/scan/tasks_train_simple.txt.gz", commands},
    {"scan_transformer.json",
     {"model.layers=1", "model.width=32", "model.ffn=64", "model.dropout=0", "train.steps=300", "train.batch=20",
      "train.evaluate_every=300", "train.average=0.9", "schedule.warmup=20", "optimizer.learning_rate=0.004"},
     "accuracy",
     Reaches::at_least,
     0.9,
     "datasets/scan/tasks_train_simple.txt.gz",
     commands},
    {"transformer_dates.json",
     {"data.train_examples=4000", "data.valid_examples=100", "data.test_examples=0", "train.steps=250",
      "train.evaluate_every=250", "schedule.warmup=20"},
     "accuracy",
     Reaches::at_least,
     0.85},
    {"transformer_multi30k.json",
     {"model.layers=1", "model.width=32", "model.heads=4", "model.ffn=64", "model.dropout=0", "train.epochs=auto",
      "train.steps=400", "train.batch=20", "train.evaluate_every=400", "train.average=0.9", "schedule.warmup=20",
      "optimizer.learning_rate=0.004", "decode.beam=2"},
     "bleu",
     Reaches::at_least,
     90,
     "datasets/multi30k/tok/train.lc.norm.tok.de.gz",
     capitals},
};

std::vector<fs::path> shipped() {
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(fs::path(ATTEND_SOURCE_DIR) / "configs"))
        if (entry.path().extension() == ".json" && !contains(read_file(entry.path(), 1 << 20), "\"variants\""))
            all.push_back(entry.path());
    std::sort(all.begin(), all.end());
    return all;
}

const Short* row_of(const fs::path& config) {
    for (const Short& row : table)
        if (config.filename() == row.config)
            return &row;
    return nullptr;
}

bool needs_files(const fs::path& config) { return !files_of(read_experiment(config.string(), {})).empty(); }

// The --set values of a row's short form, with its files written into `folder`.
Strings short_form(const Short& row, const fs::path& folder) {
    Strings set = row.set;
    if (row.generate != nullptr)
        for (const std::string& s : row.generate(folder)) set.push_back(s);
    return set;
}

}  // namespace

TEST_CASE("every shipped config has a row that makes it short, and every row a config") {
    for (const fs::path& config : shipped()) CHECK_MESSAGE(row_of(config) != nullptr, config.filename().string());
    for (const Short& row : table) CHECK_MESSAGE(fs::exists(fs::path(ATTEND_SOURCE_DIR) / "configs" / row.config), row.config);
}

TEST_CASE("every shipped config learns in its short form") {
    for (const fs::path& config : shipped()) {
        const Short* row = row_of(config);
        REQUIRE(row != nullptr);
        CAPTURE(std::string(row->config));
        REQUIRE(needs_files(config) == (row->generate != nullptr));
        const oracles::TemporaryFolder folder;
        TrainRequest request;
        request.experiment = read_experiment(config.string(), short_form(*row, folder.path()));
        request.folder = (folder / "run").string();
        request.threads = 2;
        const TrainResult result = train(request);
        REQUIRE(result.progressed.valid.has_value());
        const double value = result.progressed.valid->scores.find(row->metric).value();
        CAPTURE(value);
        CHECK(!exploded(result.progressed));
        CHECK((row->reaches == Reaches::at_least ? value >= row->value : value <= row->value));
    }
}

TEST_CASE("every shipped config passes plan in its short form") {
    for (const fs::path& config : shipped()) {
        CAPTURE(config.string());
        const Short* row = row_of(config);
        REQUIRE(row != nullptr);
        const oracles::TemporaryFolder folder;
        Strings command = {"plan", config.string(), "--threads", "1"};
        for (const std::string& s : short_form(*row, folder.path())) command.insert(command.end(), {"--set", s});
        const Outcome planned = attend_command(command);
        CAPTURE(planned.error);
        CHECK(planned.code == 0);
        CHECK(contains(planned.out, "parameters"));
    }
}

TEST_CASE("a shipped config whose files are missing says what to fetch") {
    for (const fs::path& config : shipped()) {
        CAPTURE(config.string());
        const Short* row = row_of(config);
        REQUIRE(row != nullptr);
        // Away from its project a config finds none of its files.
        const oracles::TemporaryFolder folder;
        fs::create_directories(folder / "configs");
        fs::copy_file(config, folder / "configs" / row->config);
        const std::string copy = (folder / "configs" / row->config).string();
        if (!needs_files(config))
            continue;
        const Outcome planned = attend_command({"plan", copy, "--threads", "1"});
        CAPTURE(planned.error);
        CHECK(planned.code == 2);
        CHECK(contains(planned.error, row->fetch));
        // and train the same, before it makes a folder
        CHECK(attend_command({"train", copy, "--out", (folder / "run").string()}).code == 2);
        CHECK(!fs::exists(folder / "run"));
    }
}

TEST_SUITE_END();

}  // namespace configs_learn_test
