// Hints for keys of a config that are not known.
#include <doctest/doctest.h>

#include <set>

#include "tests/train/run_support.h"
#include "train/config/describe.h"
#include "train/config/other_names.h"
#include "train/config/overrides.h"

namespace config_hints_test {

TEST_SUITE_BEGIN("train: config hints");

using namespace attend;
using attend::testing::message_of;

namespace {
Experiment read(const std::string& text, const std::string& assignment) {
    const auto source = std::make_shared<const config::Source>(config::Source{"x.json", "/base"});
    return experiment_of(config::set(config::parse_object(text, source), assignment), "x.json");
}
}  // namespace

TEST_CASE("a key that other programs have leads to ours, and a row that many models have is named once") {
    const auto told = [](const std::string& assignment) {
        return message_of([&] { read(R"({"data": "copy", "model": {"type": "gpt", "heads": 2}})", assignment); });
    };
    CHECK_MESSAGE(told("lr=1").ends_with("; here it is 'learning_rate'; there is one at optimizer.learning_rate"),
                  told("lr=1"));
    CHECK(told("optimizer.lr=1").ends_with(": unknown key; here it is 'learning_rate'"));
    CHECK(told("batch_size=1").ends_with("; here it is 'batch'; there is one at train.batch, decode.batch"));
    CHECK(told("train.batch_size=1").ends_with(": unknown key; here it is 'batch'"));
    CHECK(told("model.num_layers=1").ends_with(": unknown key; here it is 'layers'"));
    CHECK(told("model.n_embd=1").ends_with(": unknown key; here it is 'width'"));
    const std::string many =
        message_of([] { read(R"({"data": "copy", "model": "rnn_seq2seq"})", "model.attention.select.estimator=exact"); });
    CHECK_MESSAGE(many.ends_with("; it belongs to select hard"), many);
}

TEST_CASE("other programs' names: each of ours exists, and none of theirs is one of ours") {
    std::set<std::string> ours;
    const auto tree = config::describe<Experiment>();
    for (const config::Listed& l : config::flat(tree)) ours.insert(l.option->path.substr(l.option->path.rfind('.') + 1));
    for (const config::OtherName& name : config::other_names()) {
        CAPTURE(name.theirs);
        CHECK(ours.count(std::string(name.ours)) == 1);
        CHECK(ours.count(std::string(name.theirs)) == 0);
    }
}

TEST_CASE("a word is a misspelling of none that means something else") {
    const std::string message =
        message_of([] { read(R"({"data": "copy", "model": "rnn_seq2seq"})", "model.attention.window=local"); });
    CHECK_MESSAGE(!testing::contains(message, "'global'"), message);
    CHECK(testing::contains(message, "unknown window: 'local'; "));
}

TEST_SUITE_END();

}  // namespace config_hints_test
