#include <doctest/doctest.h>

#include <algorithm>

#include <cmath>

#include "core/base/random.h"
#include "tests/train/config_samples.h"
#include "train/config/describe.h"
#include "train/config/writer.h"

namespace config_writer_test {

using namespace attend;
using namespace attend::samples;

TEST_SUITE_BEGIN("config_writer");

TEST_CASE("every option is written, in the order of the listing") {
    CHECK(config::write(Options{}) == R"({
  "name": "unnamed",
  "seed": 1,
  "data": {"task": "dates", "train_examples": 20000},
  "select": {"type": "soft"},
  "betas": [0.9, 0.999],
  "milestones": [],
  "train": {"steps": 500, "shards": "auto", "clip_norm": 1, "shuffle": true}
}
)");
    CHECK(config::write(config::read<Options>(parse(full_config()))) == R"({
  "name": "sample",
  "seed": 7,
  "data": {
    "task": "text",
    "train": ["/base/a.txt", "/base/sub/b.txt"],
    "path": "/c.txt",
    "valid_fraction": 0.25
  },
  "select": {
    "type": "hard",
    "estimator": {"type": "reinforce", "baseline": "learned", "decay": 0.99},
    "samples": 4
  },
  "betas": [0.8, 0.95],
  "milestones": [100, 2000],
  "train": {"steps": 1000, "shards": "auto", "clip_norm": 0.5, "shuffle": false}
}
)");
}

TEST_CASE("what is written reads back the same") {
    Options o = config::read<Options>(parse(full_config()));
    o.name = "quote \" backslash \\ line\n tab\t bell\x07 \u00e9 \U0001F600";
    o.seed = INT64_MIN;
    o.milestones = {0, 1e-320, 5e-324, 0.1, 1.0 / 3, 1e21, std::numeric_limits<double>::max()};
    const std::string text = config::write(o);
    const Options again = config::read<Options>(parse(text));
    CHECK(config::write(again) == text);
    CHECK(again.name == o.name);
    CHECK(again.milestones == o.milestones);
    CHECK(config::differences(o, again).empty());
}

TEST_CASE("numbers round-trip exactly and are short") {
    CHECK(config::number_text(0.1) == "0.1");
    CHECK(config::number_text(5) == "5");
    CHECK(config::number_text(1e-5) == "1e-05");
    Stream stream(3, "numbers");
    for (int i = 0; i < 1000; ++i) {
        const double x =
            std::ldexp(static_cast<double>(stream.next()) + stream.next() * 0x1p-32, static_cast<int>(stream.below(200)) - 100);
        const auto v = config::parse_value(config::number_text(x), config::file_source("x.json"));
        CHECK(v.number == x);
    }
    CHECK_THROWS_AS(config::number_text(std::nan("")), MachineError);
    CHECK_THROWS_AS(config::number_text(HUGE_VAL), MachineError);
    CHECK_THROWS_AS(config::in_quotes("\xFF"), MachineError);
}

TEST_CASE("differences are named with both values") {
    const Options a = config::read<Options>(parse(full_config()));
    Options b = a;
    CHECK(config::differences(a, b).empty());
    b.train.steps = 7;
    b.betas[1] = 0.5;
    b.select.as<Hard>().estimator.choose("exact");
    b.data.choose("dates");
    b.train.shards = 2;
    const auto all = config::differences(a, b);
    REQUIRE(all.size() == 5);
    const auto is = [&](std::size_t i, const char* path, const char* before, const char* after) {
        CHECK(all[i].path == path);
        CHECK(all[i].before == before);
        CHECK(all[i].after == after);
    };
    is(0, "data.task", "\"text\"", "\"dates\"");
    is(1, "select.estimator.type", "\"reinforce\"", "\"exact\"");
    is(2, "betas", "[0.8, 0.95]", "[0.8, 0.5]");
    is(3, "train.steps", "1000", "7");
    is(4, "train.shards", "\"auto\"", "2");
}

TEST_CASE("another row has one line, with its options that are not the defaults, where that is asked for") {
    Options a, b;
    a.data.choose("text");
    b.data.choose("dates");
    b.select.choose("hard");
    b.select.as<Hard>().estimator.choose("exact");
    std::vector<std::string> told;
    for (const config::Difference& d : config::differences(a, b, config::Rows::with_options))
        told.push_back(fmt::format("{}: {} -> {}", d.path, d.before, d.after));
    CHECK(told == std::vector<std::string>{R"(data: "text" -> "dates")",
                                           R"(select: "soft" -> {"type": "hard", "estimator": "exact"})"});
    const auto back = config::differences(b, a, config::Rows::with_options);
    CHECK(back[1].before == "\"hard\"");
    CHECK(back[1].after == "\"soft\"");
    // options of one row are compared
    Options c;
    c.select.choose("hard");
    c.select.as<Hard>().samples = 5;
    const auto more = config::differences(b, c, config::Rows::with_options);
    CHECK(std::count_if(more.begin(), more.end(),
                        [](const auto& d) { return d.path == "select.samples" && d.before == "1" && d.after == "5"; }) == 1);
}

TEST_CASE("options that only one side lists are differences too") {
    struct Conditional {
        bool more = false;
        int64_t extra = 3;
        void fields(Visitor& v) {
            v.flag("more", more, "");
            if (more)
                v.integer("extra", extra, {}, "");
        }
    };
    Conditional without, with;
    with.more = true;
    const auto all = config::differences(without, with);
    REQUIRE(all.size() == 2);
    CHECK(all[1].path == "extra");
    CHECK(all[1].before == "");
    CHECK(all[1].after == "3");
    CHECK(config::differences(with, without)[1].before == "3");
}

TEST_CASE("the listing as data") {
    const auto tree = config::describe<Options>();
    const auto all = config::flat(tree);
    std::vector<std::string> paths;
    for (const auto& l : all) paths.push_back(l.option->path);
    CHECK(paths == std::vector<std::string>{"name",
                                            "seed",
                                            "data",
                                            "data.train_examples",
                                            "data.train",
                                            "data.path",
                                            "data.valid_fraction",
                                            "select",
                                            "select.estimator",
                                            "select.estimator.limit",
                                            "select.estimator.baseline",
                                            "select.estimator.decay",
                                            "select.samples",
                                            "betas",
                                            "milestones",
                                            "train",
                                            "train.steps",
                                            "train.shards",
                                            "train.clip_norm",
                                            "train.shuffle"});
    CHECK(all[0].row == "");
    CHECK(all[3].row == "task dates");
    CHECK(all[9].row == "estimator exact");
    CHECK(all[12].row == "select hard");
    const config::Option& steps = *all[16].option;
    CHECK(steps.kind == config::Option::Kind::integer);
    CHECK(steps.value == "500");
    CHECK(config::value_text(steps) == "integer, 1 to 1000000000");
    CHECK(steps.least == "1");
    CHECK(steps.help == "updates");
    const config::Option& clip = *all[18].option;
    CHECK(config::value_text(clip) == "number, at least 0, or \"off\"");
    CHECK(clip.most == "");
    CHECK(clip.automatic == "off");
    const config::Option& data = *all[2].option;
    CHECK(data.seam == "task");
    CHECK(data.row_key == "task");
    CHECK(data.value == "\"dates\"");
    REQUIRE(data.rows.size() == 2);
    CHECK(data.rows[1].name == "text");
    CHECK(data.rows[1].help == "a text");
    CHECK(all[10].option->words == std::vector<std::string>{"none", "moving", "learned"});
    CHECK(all[13].option->fixed_length);
}

TEST_CASE("help names every option with its default") {
    const auto tree = config::describe<Options>();
    for (const auto& l : config::flat(tree)) {
        CHECK(!l.option->help.empty());
        CHECK(l.option->value.empty() == (l.option->kind == config::Option::Kind::object));
    }
    const config::Option& shards = *config::flat(tree)[17].option;
    CHECK(shards.path == "train.shards");
    CHECK(config::value_text(shards) == "integer, 1 to 256, or \"auto\"");
    CHECK(shards.value == "\"auto\"");
    CHECK(shards.help == "parts of a batch");
}

TEST_SUITE_END();

}  // namespace config_writer_test
