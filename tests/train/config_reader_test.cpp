#include <doctest/doctest.h>

#include <filesystem>

#include "tests/train/config_samples.h"
#include "train/config/writer.h"

namespace config_reader_test {

using namespace attend;
using namespace attend::samples;

TEST_SUITE_BEGIN("config_reader");

namespace {
Options read(const std::string& text, const std::vector<std::string>& sets = {}) {
    config::Value document = parse(text);
    for (const std::string& s : sets) document = config::set(std::move(document), s);
    return config::read<Options>(document);
}
}  // namespace

TEST_CASE("every kind of option is read") {
    const Options o = read(full_config());
    CHECK(o.name == "sample");
    CHECK(o.seed == 7);
    CHECK(o.data.name() == "text");
    CHECK(o.data.as<Text>().train == std::vector<std::string>{"/base/a.txt", "/base/sub/b.txt"});
    CHECK(o.data.as<Text>().path == "/c.txt");
    CHECK(o.data.as<Text>().valid_fraction == 0.25);
    CHECK(o.select.name() == "hard");
    CHECK(o.select.as<Hard>().samples == 4);
    CHECK(o.select.as<Hard>().estimator.as<Reinforce>().baseline == "learned");
    CHECK(o.select.as<Hard>().estimator.as<Reinforce>().decay == 0.99);
    CHECK(o.betas == std::vector<double>{0.8, 0.95});
    CHECK(o.milestones == std::vector<double>{100, 2000});
    CHECK(o.train.steps == 1000);
    CHECK(o.train.shards == 0);
    CHECK(o.train.clip_norm == 0.5);
    CHECK_FALSE(o.train.shuffle);
}

TEST_CASE("what is not mentioned keeps its default") {
    const Options o = read("{}");
    CHECK(o.name == "unnamed");
    CHECK(o.data.name() == "dates");
    CHECK(o.train.steps == 500);
}

TEST_CASE("short and other ways to write the same") {
    CHECK(read(R"({"data": "text"})").data.name() == "text");
    CHECK(read(R"({"data": {"train_examples": 5, "task": "dates"}})").data.as<Dates>().train_examples == 5);
    CHECK(read(R"({"select": {"type": "hard", "estimator": "exact"}})").select.as<Hard>().estimator.name() == "exact");
    CHECK(read(R"({"train": {"steps": 3.0}})").train.steps == 3);
    CHECK(read(R"({"train": {"steps": 12e2}})").train.steps == 1200);
    CHECK(read(R"({"train": {"clip_norm": "off"}})").train.clip_norm == 0);
    CHECK(read(R"({"train": {"clip_norm": 2}})").train.clip_norm == 2);
    CHECK(read(R"({"seed": -9223372036854775808})").seed == INT64_MIN);
    CHECK(read(R"({"milestones": []})").milestones.empty());
    CHECK(read(R"({"data": {"task": "text", "train": "../a/./b"}})").data.as<Text>().train == std::vector<std::string>{"/a/b"});
    CHECK(read(R"({"data": {"task": "text", "train": "", "path": ""}})").data.as<Text>().path == "");
}

TEST_CASE("a row that is the default keeps the default's own values") {
    struct Changed {
        Selection data{tasks(), "dates"};
        Changed() { data.as<Dates>().train_examples = 11; }
        void fields(Visitor& v) { v.selection("data", data, ""); }
    };
    CHECK(config::read<Changed>(parse(R"({"data": "dates"})")).data.as<Dates>().train_examples == 11);
    CHECK(config::read<Changed>(parse(R"({"data": {"task": "dates"}})")).data.as<Dates>().train_examples == 11);
}

TEST_CASE("broken configs: the message of each") {
    struct Case {
        std::string text, message;
    };
    const Case cases[] = {
        {"{\n\"nam\": 1}", "x.json:2: nam: unknown key; did you mean 'name'?"},
        {"{\"clip_norm\": 1}",
         "x.json:1: clip_norm: unknown key; known: name, seed, data, select, betas, milestones, train; there is one at "
         "train.clip_norm"},
        {"{\"train\": {\"name\": \"x\"}}",
         "x.json:1: train.name: unknown key; known: steps, shards, clip_norm, shuffle; there is one at name"},
        {"{\"zzzzzz\": 1}", "x.json:1: zzzzzz: unknown key; known: name, seed, data, select, betas, milestones, train"},
        {"{\"train\": {\n\"step\": 1}}", "x.json:2: train.step: unknown key; did you mean 'steps'?"},
        {"{\"select\": {\"type\": \"hard\", \"estimator\": {\"type\": \"reinforce\",\n\"dekay\": 1}}}",
         "x.json:2: select.estimator.dekay: unknown key; did you mean 'decay'?"},
        {"{\"select\": {\"type\": \"soft\", \"samples\": 1}}",
         "x.json:1: select.samples: unknown key; known: type; it belongs to select hard"},
        // what other programs call it
        {"{\"train\": {\"batch_size\": 1, \"max_steps\": 3}}",
         "x.json:1: train.batch_size: unknown key; known: steps, shards, clip_norm, shuffle\n"
         "x.json:1: train.max_steps: unknown key; here it is 'steps'"},
        {"{\"max_grad_norm\": 1}",
         "x.json:1: max_grad_norm: unknown key; known: name, seed, data, select, betas, milestones, train; here it is "
         "'clip_norm'; "
         "there is one at train.clip_norm"},
        {"{\"a\\nb\": 1}", "x.json:1: a\\nb: unknown key; known: name, seed, data, select, betas, milestones, train"},
        // wrong types, one for each kind
        {"{\"name\": 3}", "x.json:1: name: wrong type: expected a text, got 3"},
        {"{\"name\": null}", "x.json:1: name: wrong type: expected a text, got null"},
        {"{\"seed\": \"7\"}", "x.json:1: seed: wrong type: expected an integer, got the text '7'"},
        {"{\"seed\": 7.5}", "x.json:1: seed: wrong type: expected an integer, got 7.5"},
        {"{\"train\": {\"shards\": \"atuo\"}}",
         "x.json:1: train.shards: wrong type: expected an integer or 'auto', got the text 'atuo'"},
        {"{\"train\": {\"clip_norm\": true}}", "x.json:1: train.clip_norm: wrong type: expected a number or 'off', got true"},
        {"{\"train\": {\"shuffle\": 1}}", "x.json:1: train.shuffle: wrong type: expected true or false, got 1"},
        {"{\"train\": [1, 2]}", "x.json:1: train: wrong type: expected an object, got a list of 2"},
        {"{\"train\": \"fast\"}", "x.json:1: train: wrong type: expected an object, got the text 'fast'"},
        {"{\"data\": 3}", "x.json:1: data: wrong type: expected the name of a task or an object, got 3"},
        {"{\"select\": {\"type\": \"hard\", \"estimator\": 3}}",
         "x.json:1: select.estimator: wrong type: expected the name of an estimator or an object, got 3"},
        {"{\"data\": {\"task\": {}}}", "x.json:1: data.task: wrong type: expected the name of a task, got an object"},
        {"{\"betas\": 0.9}", "x.json:1: betas: wrong type: expected a list of numbers, got 0.9"},
        {"{\"betas\": [0.9,\n\"x\"]}", "x.json:2: betas: wrong type: expected a list of numbers, got the text 'x'"},
        {"{\"data\": {\"task\": \"text\", \"path\": []}}", "x.json:1: data.path: wrong type: expected a path, got a list of 0"},
        {"{\"data\": {\"task\": \"text\", \"train\": [\"a\", 1]}}",
         "x.json:1: data.train: wrong type: expected a path or a list of paths, got 1"},
        {"{\"select\": {\"type\": \"hard\", \"estimator\": {\"type\": \"reinforce\", \"baseline\": 1}}}",
         "x.json:1: select.estimator.baseline: wrong type: expected one of none, moving, learned, got 1"},
        // values that are not allowed
        {"{\n\n\"train\": {\"steps\": 0}}", "x.json:3: train.steps: out of range: value 0, allowed 1 to 1000000000"},
        {"{\"train\": {\"shards\": 0}}", "x.json:1: train.shards: out of range: value 0, allowed 1 to 256, or 'auto'"},
        {"{\"train\": {\"steps\": 99999999999999999999}}",
         "x.json:1: train.steps: out of range: value 99999999999999999999, allowed 1 to 1000000000"},
        {"{\"train\": {\"steps\": 9223372036854775808}}",
         "x.json:1: train.steps: out of range: value 9223372036854775808, allowed 1 to 1000000000"},
        {"{\"train\": {\"steps\": 1e300}}", "x.json:1: train.steps: out of range: value 1e300, allowed 1 to 1000000000"},
        {"{\"seed\": 9223372036854775808}",
         "x.json:1: seed: out of range: value 9223372036854775808, allowed -9223372036854775808 to 9223372036854775807"},
        {"{\"seed\": 9e18}", "x.json:1: seed: not exact: value 9e18, limit 2^53; write all its digits"},
        {"{\"train\": {\"clip_norm\": -1}}", "x.json:1: train.clip_norm: out of range: value -1, allowed at least 0, or 'off'"},
        {"{\"betas\": [0.9, 1.5]}", "x.json:1: betas: out of range: value 1.5, allowed 0 to 1"},
        {"{\"betas\": [0.9]}", "x.json:1: betas: wrong length: 1 numbers, expected 2"},
        {"{\"select\": {\"type\": \"hard\", \"estimator\": {\"type\": \"reinforce\", \"baseline\": \"movin\"}}}",
         "x.json:1: select.estimator.baseline: unknown word: 'movin'; did you mean 'moving'? known: none, moving, learned"},
        {"{\"data\": {\"task\": \"text\", \"train\": [\"a\",\n\"\"]}}", "x.json:2: data.train: empty path: path 2 of 2"},
        {"{\"name\": \"a\\u0000b\"}", "x.json:1: name: NUL character in a text: character 2 of 3"},
        {"{\"data\": {\"task\": \"text\", \"path\": \"\\u0000\"}}",
         "x.json:1: data.path: NUL character in a path: character 1 of 1"},
        // rows
        {"{\"select\": \"hrad\"}", "x.json:1: select: unknown select: 'hrad'; did you mean 'hard'? known: soft, hard"},
        {"{\"data\": \"zzzzzzz\"}", "x.json:1: data: unknown task: 'zzzzzzz'; known: dates, text"},
        {"{\"data\": {\n\"task\": \"date\", \"zzz\": 1}}",
         "x.json:2: data.task: unknown task: 'date'; did you mean 'dates'? known: dates, text"},
        {"{\"select\":\n{\"samples\": 3}}", "x.json:2: select: 'type' is missing; known: soft, hard"},
        {"{\"data\": {\"type\": \"dates\"}}", "x.json:1: data: 'task' is missing; known: dates, text"},
        // several at once: all of them, in the order of the file
        {"{\"train\": {\"steps\": 0},\n\"sed\": 1,\n\"name\": 2}",
         "x.json:1: train.steps: out of range: value 0, allowed 1 to 1000000000\n"
         "x.json:2: sed: unknown key; did you mean 'seed'?\n"
         "x.json:3: name: wrong type: expected a text, got 2"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        CHECK(error_of(c.text) == c.message);
    }
}

TEST_CASE("of very many errors twenty are shown") {
    std::string text = "{";
    for (int i = 0; i < 100; ++i) text += fmt::format("\"{}q{}q\": 0,\n", i, i);
    const std::string message = error_of(text + "\"seed\": 1}");
    CHECK(std::count(message.begin(), message.end(), '\n') == 20);
    CHECK(message.ends_with("\n... and 80 more"));
}

TEST_CASE("every key with a letter missing is named with the right one") {
    const std::string& text = full_config();
    int keys = 0;
    for (std::size_t end = text.find("\":"); end != std::string::npos; end = text.find("\":", end + 1)) {
        const std::size_t begin = text.rfind('"', end - 1) + 1;
        const std::string key = text.substr(begin, end - begin);
        if (key == "type" || key == "task")
            continue;  // without them the row is not known: another message
        ++keys;
        for (std::size_t i = 0; i < key.size(); ++i) {
            std::string broken = text;
            broken.erase(begin + i, 1);
            const std::string message = error_of(broken);
            CAPTURE(broken);
            CHECK(message.find(": unknown key; did you mean '" + key + "'?") != std::string::npos);
        }
    }
    CHECK(keys == 18);
}

TEST_CASE("--set: literal for text, JSON for the rest") {
    const std::string base = R"({"data": {"task": "text", "path": "p"}, "select": "hard", "train": {"steps": 5}})";
    CHECK(read(base, {"name=a b=c"}).name == "a b=c");
    CHECK(read(base, {"name=7"}).name == "7");
    CHECK(read(base, {"name="}).name == "");
    CHECK(read(base, {"name=\"q\""}).name == "\"q\"");
    CHECK(read(base, {"seed=12"}).seed == 12);
    CHECK(read(base, {"train.steps=1e4"}).train.steps == 10000);
    CHECK(read(base, {"train.steps=1", "train.steps=2"}).train.steps == 2);
    CHECK(read(base, {"train.shards=auto"}).train.shards == 0);
    CHECK(read(base, {"train.shards=\"auto\""}).train.shards == 0);
    CHECK_FALSE(read(base, {"train.shuffle=false"}).train.shuffle);
    CHECK(read(base, {"betas=[0.1, 0.2]"}).betas == std::vector<double>{0.1, 0.2});
    CHECK(read(base, {"train={\"steps\": 9}"}).train.steps == 9);
    CHECK(read(base, {"data=dates"}).data.name() == "dates");
    CHECK(read(base, {"data=\"dates\""}).data.name() == "dates");
    CHECK(read(base, {"data={\"task\": \"dates\", \"train_examples\": 3}"}).data.as<Dates>().train_examples == 3);
    CHECK(read(base, {"select.estimator.baseline=learned"}).select.as<Hard>().estimator.as<Reinforce>().baseline == "learned");
    CHECK(read(base, {"select.estimator.baseline=\"none\""}).select.as<Hard>().estimator.as<Reinforce>().baseline == "none");
}

TEST_CASE("--set: a key path goes through shorthands, rows and what is missing") {
    CHECK(read(R"({"select": {"type": "hard", "samples": 2}})", {"select.estimator=exact"}).select.as<Hard>().samples == 2);
    CHECK(read(R"({"select": "hard"})", {"select.samples=3"}).select.as<Hard>().samples == 3);
    CHECK(read("{}", {"select=hard", "select.samples=3"}).select.as<Hard>().samples == 3);
    CHECK(read("{}", {"select={\"type\": \"hard\", \"samples\": 8}", "select.estimator=exact"}).select.as<Hard>().samples == 8);
    // the default row where none is named, of a seam whose key is not "type" too
    CHECK(read("{}", {"data.train_examples=3"}).data.as<Dates>().train_examples == 3);
    CHECK(read("{\"data\": \"text\"}", {"data.valid_fraction=0.5"}).data.as<Text>().valid_fraction == 0.5);
    CHECK(read("{\"data\": \"text\"}", {"data.task=dates"}).data.name() == "dates");
    CHECK(read("{}", {"train.steps=4"}).train.steps == 4);
    CHECK(read("{\"select\": \"soft\"}", {"select.type=hard", "select.samples=3"}).select.as<Hard>().samples == 3);
}

TEST_CASE("paths are relative to the file, those of --set to the working folder") {
    const std::string here = std::filesystem::current_path().string();
    const std::string base = R"({"data": {"task": "text", "path": "p"}})";
    CHECK(read(base).data.as<Text>().path == "/base/p");
    CHECK(read(base, {"data.path=q"}).data.as<Text>().path == here + "/q");
    CHECK(read(base, {"data.path=/q"}).data.as<Text>().path == "/q");
    CHECK(read(base, {"data.train=a b"}).data.as<Text>().train == std::vector<std::string>{here + "/a b"});
    CHECK(read(base, {"data.train=[\"a\", \"/b\"]"}).data.as<Text>().train == std::vector<std::string>{here + "/a", "/b"});
    CHECK(read(base, {"data={\"task\": \"text\", \"path\": \"r\"}"}).data.as<Text>().path == here + "/r");
}

TEST_CASE("--set: the message of each mistake") {
    struct Case {
        std::vector<std::string> sets;
        std::string message;
    };
    std::string deep = "a";
    for (int i = 0; i < 9999; ++i) deep += ".a";
    const Case cases[] = {
        {{"train.steps"}, "--set train.steps: not KEY=VALUE: there is no '='; write --set train.steps=100"},
        {{"=3"}, "--set =3: empty part in a key path: part 1, ''"},
        {{"train..steps=3"}, "--set train..steps=3: empty part in a key path: part 2, 'train..steps'"},
        {{"train.=3"}, "--set train.=3: empty part in a key path: part 2, 'train.'"},
        {{"train.stepz=3"}, "--set train.stepz=3: train.stepz: unknown key; did you mean 'steps'?"},
        {{"trian.steps=3"}, "--set trian.steps=3: trian: unknown key; did you mean 'train'?"},
        {{"train.steps=x"}, "--set train.steps=x: train.steps: wrong type: expected an integer, got the text 'x'"},
        {{"train.steps="}, "--set train.steps=: train.steps: wrong type: expected an integer, got the text ''"},
        {{"train.steps=0"}, "--set train.steps=0: train.steps: out of range: value 0, allowed 1 to 1000000000"},
        {{"train.steps.more=0"},
         "--set train.steps.more=0: nothing can be set below 'train.steps': it holds 5, set at x.json:1"},
        {{"train.steps=1", "train.steps.more=0"},
         "--set train.steps.more=0: train.steps: wrong type: expected an integer, got an object"},
        {{"betas=[1,"},
         "--set betas=[1,: syntax error in value: unexpected end of input, expected '[', '{', or a literal: column 3, at "
         "'[1,'"},
        {{"betas={\"a\": 1, \"a\": 2}"}, "--set betas={\"a\": 1, \"a\": 2}: duplicate key: 'a' stands on line 1 and on line 1"},
        {{"select=hrad"}, "--set select=hrad: select: unknown select: 'hrad'; did you mean 'hard'? known: soft, hard"},
        {{"select={\"samples\": 2}"}, "--set select={\"samples\": 2}: select: 'type' is missing; known: soft, hard"},
        {{"select=soft", "select.samples=2"},
         "--set select.samples=2: select.samples: unknown key; known: type; it belongs to select hard"},
        {{"select=hrad", "select.samples=2"},
         "--set select=hrad: select: unknown select: 'hrad'; did you mean 'hard'? known: soft, hard"},
        {{"train.shuffle=yes"},
         "--set train.shuffle=yes: train.shuffle: wrong type: expected true or false, got the text 'yes'"},
        {{"name=\xFF"}, "--set name=\\xff: invalid UTF-8: byte 0xff at offset 5"},
        {{"name.b.c=1"}, "--set name.b.c=1: name: wrong type: expected a text, got an object"},
        {{deep + "=1"}, "--set " + deep.substr(0, 80) + "...: key path too deep: more than 64 parts"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.sets[0].substr(0, 60));
        CHECK(error_of(R"({"name": "n", "train": {"steps": 5}})", c.sets) == c.message);
    }
    CHECK(error_of("{\n\"train\": \"fast\"}", {"train.steps=3"}) ==
          "x.json:2: train: wrong type: expected an object, got the text 'fast'");
    // the file's errors come first
    CHECK(error_of("{\"sed\": 1}", {"seed=x"}) ==
          "x.json:1: sed: unknown key; did you mean 'seed'?\n"
          "--set seed=x: seed: wrong type: expected an integer, got the text 'x'");
}

TEST_CASE("a value may come from another file and keeps its place and folder") {
    const auto other = std::make_shared<const config::Source>(config::Source{"y.json", "/other"});
    const auto changed =
        config::with(parse("{}"), "data", config::parse_value("\n{\"task\": \"text\", \"path\": \"p\"}", other));
    CHECK(config::read<Options>(changed).data.as<Text>().path == "/other/p");
    const auto wrong = config::with(parse("{}"), "train.steps", config::parse_value("\n0", other));
    CHECK_THROWS_WITH_AS(config::read<Options>(wrong), "y.json:2: train.steps: out of range: value 0, allowed 1 to 1000000000",
                         Error);
}

TEST_SUITE_END();

}  // namespace config_reader_test
