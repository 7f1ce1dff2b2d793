// Where task and model meet before the first step: lengths, vocabularies, segments, words of maps,
// and data that take long.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/exchange/pretrained.h"
#include "train/experiment/assemble.h"
#include "train/learn/signals.h"
#include "train/records/maps.h"
#include "train/show/report/report.h"

namespace data_test {

TEST_SUITE_BEGIN("train: data");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

namespace {

constexpr const char* transformer = R"({"type": "transformer_seq2seq", "layers": 1, "heads": 2, "width": 8, "max_length": 8})";

struct Files {
    oracles::TemporaryFolder folder;
    std::string path(const std::string& name) const { return (folder / name).string(); }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder / name, std::ios::binary) << text;
        return path(name);
    }
    // A config of these data and this model; its path.
    std::string config(const std::string& data, const std::string& model = transformer) const {
        return write("c.json", R"({"data": )" + data + R"(, "model": )" + model +
                                   R"(, "train": {"steps": 2, "batch": 4, "shards": 1, "evaluate_every": 2, "log_every": 1}})");
    }
    Outcome train(const std::string& config, Strings more = {}) const {
        more.insert(more.begin(), {"train", config, "--out", path("run")});
        return attend_command(more);
    }
};

constexpr const char* rows = R"({"task": "tsv", "train": "train", "valid": "valid", "test": "test"})";

}  // namespace

TEST_CASE("an example longer than the model's positions is named before the first step, in whichever split it stands") {
    const Files f;
    const std::string config = f.config(rows), good = "a b\tx\nb a\ty x\na\tx\n", eight = "a a a a a a a a",
                      seven = "x x x x x x x";
    for (const char* name : {"train", "valid", "test"}) f.write(name, good);
    for (const char* name : {"train", "valid", "test"}) {
        CAPTURE(name);
        const std::string hint =
            std::string(name) == "train" ? "; data.max_length leaves out training pairs that are longer\n" : "\n";
        f.write(name, good + eight + " b\tx\na\tx\n");
        const Outcome source = f.train(config);
        CHECK(source.code == 2);
        CHECK(source.error == "attend: " + f.path(name) +
                                  ":4: a source is longer than the model has positions for: symbols 9, model.max_length 8; set "
                                  "model.max_length to 9 or more, or leave the example out" +
                                  hint);
        f.write(name, good + "a\t" + seven + "\na\t" + seven + " x\n");
        const Outcome target = f.train(config);
        CHECK(target.code == 2);
        CHECK(target.error ==
              "attend: " + f.path(name) +
                  ":5: a target, with the symbol that it begins with, is longer than the model has positions for: symbols 9, "
                  "model.max_length 8; set model.max_length to 9 or more, or leave the example out" +
                  hint);
        CHECK_FALSE(fs::exists(f.path("run")));
        CHECK(attend_command({"plan", config}).code == 2);
        f.write(name, good);
    }
    f.write("train", good + eight + "\t" + seven + "\n");  // what just fits is trained
    CHECK(f.train(config).code == 0);
    // A trained run tells of the split that it is asked for.
    f.write("test", good + eight + " a\tx\n");
    CHECK(attend_command({"eval", f.path("run"), "--split", "valid"}).code == 0);
    const Outcome evaluated = attend_command({"eval", f.path("run"), "--split", "test"});
    CHECK(evaluated.code == 2);
    CHECK(contains(evaluated.error, f.path("test") + ":4: a source is longer than the model has positions for: symbols 9"));
    f.write("test", good);
    // What max_length leaves out is not in the way. Models without positions take any length.
    f.write("train", good + eight + " a\tx\n");
    CHECK(f.train(config, {"--overwrite", "--set", "data.max_length=8"}).code == 0);
    f.write("test", good + eight + " a\tx\n");
    CHECK(f.train(f.config(rows, R"({"type": "rnn_seq2seq", "embedding": 4, "hidden": 4})"), {"--overwrite"}).code == 0);
}

TEST_CASE("an example longer than a score has weights for is named before the first step") {
    const Files f;
    const auto location = [](const std::string& model, const std::string& option) {
        const std::string window = model != "rnn_seq2seq" && option == "attention" ? "causal" : "global";
        return R"({"type": ")" + model + R"(", ")" + option + R"(": {"window": ")" + window +
               R"(", "score": {"type": "location", "positions": 4}}})";
    };
    const std::string good = "a b\tx\nb a\ty x\na\tx\n", of_source = "a source", of_target = "a target, with the symbol";
    for (const char* name : {"train", "valid", "test"}) f.write(name, good);
    for (const auto& [model, option, path, what] :
         {std::tuple("rnn_seq2seq", "attention", "attention", of_source),
          std::tuple("transformer_seq2seq", "cross_attention", "decoder.0.cross.heads.0", of_source),
          std::tuple("transformer_seq2seq", "encoder_attention", "encoder.0.self.heads.0", of_source),
          std::tuple("transformer_seq2seq", "attention", "decoder.0.self.heads.0", of_target)})
        for (const char* name : {"train", "valid", "test"}) {
            CAPTURE(std::string(option) + " " + name);
            f.write(name, good + (what == of_source ? "a a a a a\tx\n" : "a\tx x x x\n"));
            const Outcome o = f.train(f.config(rows, location(model, option)));
            CHECK(o.code == 2);
            CHECK(contains(o.error, "attend: " + f.path(name) + ":4: " + what));
            CHECK(contains(o.error, std::string(" is longer than the score of '") + path +
                                        "' has weights for: symbols 5, model." + option +
                                        ".score.positions 4; set it to 5 or more, or leave the example out"));
            CHECK_FALSE(fs::exists(f.path("run")));
            f.write(name, good);
        }
    f.write("train", good + "a a a a\tx\n");  // what just fits is trained
    CHECK(f.train(f.config(rows, location("rnn_seq2seq", "attention"))).code == 0);
}

TEST_CASE("a generated example that is too long is named by its split and number") {
    const Files f;
    const Outcome o = f.train(f.config(R"({"task": "copy", "symbols": 4, "min_length": 2, "max_length": 9, "train_examples": 60,
        "valid_examples": 20, "test_examples": 0})"));
    CHECK(o.code == 2);
    CHECK(contains(o.error, "attend: copy: train example "));
    CHECK(contains(o.error,
                   ": a source is longer than the model has positions for: symbols 9, model.max_length 8; set "
                   "model.max_length to 9 or more, or leave the example out\n"));
}

TEST_CASE("share 'all' wants one vocabulary, which joint_vocabulary makes") {
    const Files f;
    f.write("train", "a b\tx y\nb a\ty x\na c\tx z\n");
    for (const char* name : {"valid", "test"}) f.write(name, "a b\tx y\n");
    const std::string config =
        f.config(rows, R"({"type": "transformer_seq2seq", "layers": 1, "heads": 2, "width": 8, "share": "all"})");
    const Outcome other = f.train(config);  // three symbols each, and none of them the same
    CHECK(other.code == 2);
    CHECK(other.error ==
          "attend: model transformer_seq2seq: share 'all' needs one vocabulary for both sides: source 7 ids, target 7 ids, of "
          "different symbols; \"joint_vocabulary\": true in data makes one, and share 'target' needs none\n");
    const Strings joint = {"--overwrite", "--set", "data.joint_vocabulary=true"};
    REQUIRE(f.train(config, joint).code == 0);
    const Experiment e = read_experiment(config, {"data.joint_vocabulary=true"});
    const auto task = make_task(e, "");
    CHECK(task->source_vocabulary_size() == 10);
    CHECK(task->target_vocabulary_size() == 10);
    CHECK(task->same_symbols());
    CHECK(task->describe().back() == "one vocabulary for both sides");
    CHECK(task->encode_sources(Strings{"x"}).values == Array<int32_t>{4 + 1});  // a, x, then b, y, ... by their counts
    CHECK(read_file(f.path("run/vocabulary/source_vocabulary.txt"), 1000) ==
          read_file(f.path("run/vocabulary/target_vocabulary.txt"), 1000));
    // The run's own vocabulary is read again, and the embedding is one.
    CHECK(attend_command({"eval", f.path("run")}).code == 0);
    CHECK(attend_command({"translate", f.path("run")}, "a b\n").code == 0);
    CHECK(f.train(config, {"--resume", "--set", "data.joint_vocabulary=true"}).code == 0);
    // Two vocabularies of another run are not one.
    REQUIRE(f.train(config, {"--overwrite", "--set", "model.share=target"}).code == 0);
    const Outcome two = attend_command({"train", config, "--out", f.path("second"), "--set", "data.joint_vocabulary=true",
                                        "--set", "init.from=" + f.path("run")});
    CHECK(two.code == 2);
    CHECK(contains(two.error, "data.joint_vocabulary: the saved vocabularies are two: "));
    // One vocabulary of two units is none.
    const Outcome units =
        f.train(config, {"--overwrite", "--set", "data.joint_vocabulary=true", "--set", "data.target_unit=char"});
    CHECK(units.code == 2);
    CHECK(contains(units.error,
                   "data.joint_vocabulary: one vocabulary needs one unit on both sides: source_unit word, target_unit char"));
    // Both sides of the same text have the same symbols without being asked.
    f.write("train", "a b\ta b\nb a\tb a\n");
    for (const char* name : {"valid", "test"}) f.write(name, "a b\ta b\n");
    CHECK(f.train(config, {"--overwrite"}).code == 0);
    CHECK(f.train(f.config(R"({"task": "copy", "symbols": 4, "train_examples": 60, "valid_examples": 0, "test_examples": 0})",
                           R"({"type": "transformer_seq2seq", "layers": 1, "heads": 2, "width": 8, "share": "all"})"),
                  {"--overwrite"})
              .code == 0);
}

TEST_CASE("one vocabulary of lemmas, tags and forms, and of byte pairs") {
    const Files f;
    f.write("forms", "go\twent\tV;PST\nrun\tran\tV;PST\n");
    const auto task =
        make_task(read_experiment(f.config(R"({"task": "sigmorphon", "train": "forms", "joint_vocabulary": true})"), {}), "");
    CHECK(task->same_symbols());
    CHECK(task->source_vocabulary_size() == 4 + 2 + 9);  // V, PST; g o w e n t r u a
    const Batch batch = task->batches(Split::train, {.batch = 2})->at(0);
    CHECK(task->decode_target({batch.target.row(1), batch.target.row(1) + 4}) == "went");
    CHECK(task->cut_target("went") == Strings{"w", "e", "n", "t"});
    task->save(f.folder.path().string());
    const auto again = task_table().build(read_experiment(f.path("c.json"), {}).data,
                                          TaskSetup{.saved = f.folder.path().string(), .load_data = false});
    CHECK(again->same_symbols());
    CHECK(again->encode_sources(Strings{"went\tV"}).values == task->encode_sources(Strings{"went\tV"}).values);
    f.write("pairs", "lower\tlow\nlower\tlow\nnew\tnewer\nnewer\tnew\n");
    const auto pieces = make_task(read_experiment(f.config(R"({"task": "tsv", "train": "pairs", "joint_vocabulary": true,
            "unit": {"type": "bpe", "merges": 4}})"),
                                                  {}),
                                  "");
    CHECK(pieces->same_symbols());
    CHECK(pieces->target_vocabulary_size() == 4 + 256 + 4);
}

TEST_CASE("rows of two texts need a model that tells two apart") {
    const Files f;
    f.write("train", "a b\tb\tx\nb a\ta\ty\n");
    const std::string data =
        R"({"task": "classification", "train": "train", "second": "2", "label": "3", "tokenizer": "word"})";
    for (const char* segments : {"0", "1"}) {
        const Outcome o = f.train(f.config(
            data, R"({"type": "bert", "layers": 1, "heads": 2, "width": 8, "segments": )" + std::string(segments) + "}"));
        CHECK(o.code == 2);
        CHECK(
            contains(o.error, std::string("model bert: rows of this task have more texts than the model has segments: texts 2, "
                                          "model.segments ") +
                                  segments + "; set model.segments to 2"));
    }
    CHECK_FALSE(fs::exists(f.path("run")));
    CHECK(f.train(f.config(data, R"({"type": "bert", "layers": 1, "heads": 2, "width": 8})")).code == 0);
}

TEST_CASE("maps of a classifier show the words of its rows, and a page without maps says why") {
    const Files f;
    f.write("train", "good film\tyes\nbad film\tno\nvery good film\tyes\n");
    const std::string config =
        f.config(R"({"task": "classification", "train": "train", "valid": "train", "tokenizer": "word"})",
                 R"({"type": "bert", "layers": 1, "heads": 2, "width": 8, "context": 8})");
    const Outcome o = f.train(config);
    REQUIRE(o.code == 0);
    CHECK_FALSE(contains(o.error, "not kept"));
    const KeptMaps kept = read_maps(f.path("run/maps/step-2.safetensors"));
    REQUIRE(kept.examples.size() == 3);
    CHECK(kept.examples[0].input == Strings{"[CLS]", "good", "film", "[SEP]"});
    CHECK(kept.examples[2].input == Strings{"[CLS]", "very", "good", "film", "[SEP]"});
    REQUIRE(kept.examples[0].maps.size() == 2);
    CHECK(kept.examples[0].maps[0].rows == "input");
    CHECK(kept.examples[0].maps[0].columns == "input");
    CHECK(kept.examples[0].maps[0].shape == Shape{4, 4});
    CHECK(run_data(RunFolder(f.path("run")), room_for_maps)["no_maps"].is_null());
    REQUIRE(f.train(config, {"--overwrite", "--set", "train.maps=0"}).code == 0);
    CHECK(run_data(RunFolder(f.path("run")), room_for_maps)["no_maps"] ==
          "No attention maps were kept: option train.maps is 0.");
    REQUIRE(f.train(config, {"--overwrite"}).code == 0);
    fs::remove_all(f.path("run/maps"));
    CHECK(run_data(RunFolder(f.path("run")), room_for_maps)["no_maps"] ==
          "No attention maps were kept: nothing was evaluated yet, or every example is longer than 256 symbols.");
}

TEST_CASE("a run that is told to stop while its data are read ends at once, and touches nothing") {
    const Files f;
    std::string text;
    for (int i = 0; i < 2000; ++i) text += "some words " + std::to_string(i * i) + "\n";
    f.write("text", text);
    const std::string config = f.config(R"({"task": "text", "path": "text", "tokenizer": {"type": "bpe", "merges": 50},
        "cache": "cache"})",
                                        R"({"type": "gpt", "layers": 1, "heads": 2, "width": 8, "context": 8})");
    TrainRequest request;
    request.experiment = read_experiment(config, {});
    request.folder = f.path("run");
    int asked = 0;
    const int64_t first_step = [&] {  // how often it is asked until the run has its folder
        request.stop = [&] {
            ++asked;
            return fs::exists(f.path("run"));
        };
        CHECK(train(request).begun == Begun::yes);
        return asked;
    }();
    REQUIRE(first_step > 20);
    fs::remove_all(f.path("run"));
    fs::remove_all(f.path("cache"));
    for (int64_t after = 0; after < first_step - 1; after += 1 + first_step / 10) {
        CAPTURE(after);
        asked = 0;
        request.stop = [&] { return asked++ >= after; };
        const TrainResult result = train(request);
        CHECK(result.status == Status::stopped);
        CHECK(result.begun == Begun::no);
        CHECK_FALSE(fs::exists(f.path("run")));
    }
    if (fs::exists(f.path("cache")))
        for (const auto& entry : fs::directory_iterator(f.path("cache"))) CHECK(entry.path().extension() == ".ids");
}

#if !defined(ATTEND_SANITIZED)  // they do not follow a fork into threads
TEST_CASE("SIGTERM while data are read ends the process soon, with code 143") {
    const Files f;
    {
        std::ofstream text(f.path("text"));
        Stream stream(1, "words");
        for (int i = 0; i < 400'000; ++i) text << static_cast<uint64_t>(stream.below(1u << 31)) << '\n';
    }
    const std::string config = f.config(R"({"task": "text", "path": "text", "tokenizer": {"type": "bpe", "merges": 50000}})",
                                        R"({"type": "gpt", "layers": 1, "heads": 2, "width": 8, "context": 8})");
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::signal(SIGTERM, SIG_IGN);  // in place of the tests' own handler, until the command notes signals
        [[maybe_unused]] const ssize_t told = ::write(ready[1], "r", 1);
        std::istringstream in;
        std::ostringstream said, error;
        const int code = cli::run({"train", config, "--out", f.path("run")}, {in, said, error});
        _exit(code == 143 && contains(error.str(), "stopped before the first step: nothing was changed") ? code : 1);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    const auto catches = [&] {  // whether the child has a handler for SIGTERM
        std::ifstream in(fmt::format("/proc/{}/status", child));
        for (std::string line; std::getline(in, line);)
            if (line.starts_with("SigCgt:"))
                return (std::stoull(line.substr(7), nullptr, 16) >> (SIGTERM - 1) & 1) != 0;
        return true;  // not Linux, or gone
    };
    while (!catches()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const auto begin = std::chrono::steady_clock::now();
    ::kill(child, SIGTERM);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
    for (const int end : ready) ::close(end);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 143);
    CHECK_FALSE(fs::exists(f.path("run")));
}
#endif

TEST_CASE("data from a pipe are refused, a config from one is read") {
    const Files f;
    f.write("train", "a b\tx y\nb a\ty x\n");
    REQUIRE(mkfifo(f.path("pipe").c_str(), 0600) == 0);
    const std::string config = f.config(R"({"task": "tsv", "train": "pipe"})");
    const Outcome o = f.train(config);
    CHECK(o.code == 2);
    CHECK(contains(o.error, f.path("pipe") + ": a file is needed: this is a pipe or a device"));
    const Outcome from = attend_command({"train", f.config(R"({"task": "tsv", "train": "train"})"), "--out", f.path("run"),
                                         "--set", "init.from=" + f.path("pipe")});
    CHECK(from.code == 2);
    CHECK(contains(from.error, f.path("pipe")));
    std::thread writer(
        [&] { std::ofstream(f.path("pipe")) << R"({"data": "copy", "model": "rnn_seq2seq", "train": {"steps": 2}})"; });
    CHECK(attend_command({"plan", f.path("pipe")}).code == 0);
    writer.join();
}

TEST_CASE("standard input and configs: a byte order mark is no text, wide characters are refused by name") {
    const Files f;
    const std::string mark = "\xEF\xBB\xBF", wide_mark = "\xFF\xFE";
    f.write("text", "abcabcabcabcabcabcabcabcabcabcabc\n");
    const std::string config = f.config(R"({"task": "text", "path": "text", "valid_fraction": 0})",
                                        R"({"type": "gpt", "layers": 1, "heads": 2, "width": 8, "context": 8})");
    REQUIRE(f.train(config).code == 0);
    const Outcome plain = attend_command({"generate", f.path("run"), "--tokens", "5"}, "abc");
    CHECK(plain.code == 0);
    CHECK(plain.out.starts_with("abc"));
    const Outcome marked = attend_command({"generate", f.path("run"), "--tokens", "5"}, mark + "abc");
    CHECK(marked.out == plain.out);
    const Outcome wide = attend_command({"generate", f.path("run"), "--tokens", "5"}, wide_mark + std::string("a\0b\0", 4));
    CHECK(wide.code == 2);
    CHECK(wide.error.starts_with("attend: standard input: text of wide characters is not read: "));
    const Outcome no_mark = attend_command({"generate", f.path("run"), "--tokens", "5"}, std::string("a\0b\0c\0", 6));
    CHECK(no_mark.code == 2);
    f.write("c.json", mark + read_file(config, 10'000));
    CHECK(attend_command({"plan", config}).code == 0);
    f.write("c.json", wide_mark + std::string("{\0", 2));
    const Outcome wide_config = attend_command({"plan", config});
    CHECK(wide_config.code == 2);
    CHECK(contains(wide_config.error, config + ": text of wide characters is not read: "));
    f.write("pairs", "a b\tx y\nb a\ty x\n");
    REQUIRE(f.train(f.config(R"({"task": "tsv", "train": "pairs"})"), {"--overwrite"}).code == 0);
    const Outcome lines = attend_command({"translate", f.path("run")}, std::string("a\0 \0b\0\n\0", 8));
    CHECK(lines.code == 2);
    CHECK(contains(lines.error, "standard input: text of wide characters is not read: "));
    CHECK(attend_command({"translate", f.path("run")}, mark + "a b\n").out ==
          attend_command({"translate", f.path("run")}, "a b\n").out);
}

TEST_CASE("rows without a source that begin with symbols without targets: trained, proven, continued, too long") {
    const Files f;
    const std::string data = R"({"task": "recall", "vocabulary": 24, "pairs": 5, "length": 20, "test_length": 22,
                                 "train_examples": 64, "valid_examples": 8, "test_examples": 8})",
                      model = R"({"type": "gpt", "layers": 1, "heads": 2, "width": 8, "context": 22})";
    const std::string config = f.config(data, model);
    REQUIRE(f.train(config).code == 0);
    const std::string metrics = read_file(f.path("run/metrics.jsonl"), 10'000);
    for (const char* name : {"\"row_accuracy\"", "\"alignment_best_head\""})
        CHECK(contains(metrics.substr(metrics.rfind("\"test\"")), name));
    CHECK(contains(read_file(f.path("run/samples.txt"), 10'000), "source     k"));
    const Outcome more = attend_command({"generate", f.path("run"), "--tokens", "3"}, "k1 v1 _ k2\n");
    CHECK(more.code == 0);
    const Outcome proven = attend_command({"prove", config});
    CAPTURE(proven.error);
    CHECK(proven.code == 0);
    const Outcome refused =
        f.train(f.config(data, R"({"type": "gpt", "layers": 1, "heads": 2, "width": 8, "context": 20})"), {"--overwrite"});
    CHECK(refused.code == 2);
    CHECK(contains(refused.error,
                   "recall: test example 0: a row is longer than the model has positions for: symbols 22, "
                   "model.context 20; set model.context to 22 or more"));
}

TEST_SUITE_END();

}  // namespace data_test
