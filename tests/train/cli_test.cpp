// The command line: exit codes, messages, and what goes to which stream.
#include "train/cli/cli.h"

#include <doctest/doctest.h>

#include <sstream>

#include "core/base/options.h"
#include "tests/train/commands.h"
#include "tests/train/run_support.h"

namespace cli_test {

TEST_SUITE_BEGIN("train: command line");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::Outcome;
using attend::testing::SmallRun;

namespace {

// Takes nothing: what a full disk or a reader that left looks like.
class Refusing final : public std::streambuf {
  public:
    explicit Refusing(int reason) : reason_(reason) {}

  protected:
    int sync() override {
        errno = reason_;
        return -1;
    }
    std::streamsize xsputn(const char*, std::streamsize n) override { return n; }
    int overflow(int c) override { return c; }

  private:
    int reason_;
};

}  // namespace

TEST_CASE("usage") {
    CHECK(attend_command({"--help"}).code == 0);
    for (const cli::Command& c : cli::commands()) {
        CHECK(contains(attend_command({"--help"}).out, c.name));
        const Outcome help = attend_command({c.name, "--help"});
        CHECK(help.code == 0);
        CHECK(contains(help.out, c.help));
        CHECK(help.error.empty());
    }
    CHECK(contains(attend_command({"--version"}).out, "attend "));
    const std::vector<std::vector<std::string>> wrong = {{},
                                                         {"trian"},
                                                         {"train"},
                                                         {"train", "x.json", "--thread", "2"},
                                                         {"train", "x.json", "--threads", "0"},
                                                         {"train", "x.json", "--threads", "many"},
                                                         {"train", "x.json", "--seed", "-1"},
                                                         {"train", "x.json", "--resume", "--overwrite"},
                                                         {"train", "x.json", "y.json"},
                                                         {"eval"},
                                                         {"translate"}};
    for (const auto& arguments : wrong) {
        const Outcome o = attend_command(arguments);
        CHECK(o.code == 2);
        CHECK(o.error.starts_with("attend: "));
        CHECK(o.out.empty());
    }
    CHECK(contains(attend_command({"train", "x.json", "--set", "seed=1", "train.steps=3"}).error,
                   "; each change needs its own --set: --set 'train.steps=3'; see"));
    const Outcome missing = attend_command({"train", "no/such.json"});
    CHECK(missing.code == 2);
    CHECK(contains(missing.error, "no/such.json"));
}

TEST_CASE("list") {
    const Outcome all = attend_command({"list"});
    CHECK(all.code == 0);
    for (const Seam* seam : all_seams())
        for (const std::string& name : seam->names()) CHECK(contains(all.out, "  " + name));
    CHECK(contains(attend_command({"list", "optimizer"}).out, "  adam "));
    CHECK(!contains(attend_command({"list", "optimizer"}).out, "additive"));
    const Outcome two = attend_command({"list", "optimizer", "adam", "sgd"});
    CHECK(contains(two.out, "optimizer adam: "));
    CHECK(contains(two.out, "\noptimizer sgd: "));
    CHECK(attend_command({"list", "optimizer", "adam", "sdg"}).code == 2);
    CHECK(contains(attend_command({"list", "by_length", "source"}).out, "\n  as an object: {\"side\": \"source\", ...}\n"));
    const Outcome unknown = attend_command({"list", "optimiser"});
    CHECK(unknown.code == 2);
    CHECK(contains(unknown.error, "list: no such seam: 'optimiser', known "));
    CHECK(contains(unknown.error, "; did you mean 'optimizer'?"));
    for (const char* seam : {"task", "tokenizer", "model", "score", "objective", "optimizer", "schedule", "metric"})
        CHECK_MESSAGE(attend_command({"list", seam}).code == 0, seam);
}

TEST_CASE("train, eval and translate") {
    const SmallRun runs;
    const std::string config = (runs / "small.json").string(), run = (runs / "r").string();
    const Outcome trained = attend_command({"train", config, "--out", run, "--set", "train.steps=6", "--set",
                                            "optimizer.learning_rate=0.02", "--seed", "5", "--threads", "2"});
    CHECK(trained.error.empty());
    REQUIRE(trained.code == 0);
    CHECK(trained.out.empty());
    const Json resolved = Json::parse(runs.text("r/config.json"));
    CHECK(resolved["seed"] == 5);
    CHECK(resolved["train"]["steps"] == 6);
    CHECK(attend_command({"train", config, "--out", run}).code == 2);
    CHECK(attend_command({"train", config, "--out", run, "--resume"}).code == 2);  // another seed
    CHECK(attend_command({"train", config, "--out", run, "--set", "train.stesp=6"}).code == 2);

    // eval computes what the run's own test did, whatever the threads
    const Json test = runs.metrics("r").back();
    for (const char* threads : {"1", "3"}) {
        const Outcome evaluated = attend_command({"eval", run, "--json", "--threads", threads});
        REQUIRE(evaluated.code == 0);
        const Json line = Json::parse(evaluated.out);
        CHECK(line["split"] == "test");
        for (const char* key : {"step", "loss", "accuracy", "exact_match"}) CHECK(line[key] == test[key]);
    }
    CHECK(contains(attend_command({"eval", run, "--split", "valid"}).out, "exact_match"));
    CHECK(attend_command({"eval", run, "--split", "nonsense"}).code == 2);
    CHECK(attend_command({"eval", (runs / "none").string()}).code == 2);

    const std::string sources = "1 2 3\n\n0 1\n3 3 2\r\n2";
    const Outcome translated = attend_command({"translate", run}, sources);
    CHECK(translated.code == 0);
    CHECK(std::count(translated.out.begin(), translated.out.end(), '\n') == 5);
    CHECK(attend_command({"translate", run, "--threads", "4"}, sources).out == translated.out);
    const Outcome drawn = attend_command({"translate", run, "--attention"}, sources);
    CHECK(drawn.code == 0);
    CHECK(drawn.out.size() > translated.out.size());
    CHECK(attend_command({"translate", run}).out.empty());
    // more lines than one group holds
    std::string many;
    for (int i = 0; i < 200; ++i) many += std::to_string(i % 4) + " " + std::to_string(i % 3) + "\n";
    const Outcome a = attend_command({"translate", run, "--threads", "1"}, many);
    CHECK(std::count(a.out.begin(), a.out.end(), '\n') == 200);
    CHECK(attend_command({"translate", run, "--threads", "2"}, many).out == a.out);
    const Outcome broken = attend_command({"translate", run}, "1 2\n\xff\xfe\n");
    CHECK(broken.code == 2);
    CHECK(contains(broken.error, "standard input:2: text is not valid UTF-8: byte 1 of the line"));
}

TEST_CASE("an output that is not taken") {
    for (const auto& [reason, code] : {std::pair(EPIPE, 0), std::pair(ENOSPC, 1)}) {
        Refusing refusing(reason);
        std::istringstream in;
        std::ostream out(&refusing);
        std::ostringstream error;
        CHECK(cli::run({"list"}, {in, out, error, false}) == code);
        CHECK(error.str().empty() == (code == 0));
    }
}

TEST_CASE("divergence is exit code 3") {
    const SmallRun runs;
    // local_p predicts places, which are no numbers then.
    for (const char* window : {"global", "local_p"}) {
        CAPTURE(std::string(window));
        const Outcome o =
            attend_command({"train", (runs / "small.json").string(), "--out", (runs / window).string(), "--set",
                            "optimizer={\"type\":\"sgd\",\"learning_rate\":1000,\"momentum\":0.99,\"weight_decay\":1000}",
                            "--set", "train.clip_norm=0", "--set", "train.steps=400", "--set", "schedule=constant", "--set",
                            "train.evaluate_every=1000", "--set", std::string("model.attention.window=") + window});
        CHECK(o.code == 3);
        CHECK(contains(o.error, "attend: step "));
        CHECK(runs.summary(window)["status"] == "diverged");
    }
}

TEST_SUITE_END();

}  // namespace cli_test
