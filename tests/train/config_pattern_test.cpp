// A list of selections in place of one: for the layers of a stack, and for the heads of a layer.
#include <doctest/doctest.h>

#include "tests/train/mixer_samples.h"
#include "train/config/describe.h"
#include "train/config/writer.h"
#include "train/show/report/report.h"
#include "train/show/schema/listing.h"
#include "train/study/plan/settings.h"

namespace config_pattern_test {

using namespace attend;
using namespace attend::samples;

TEST_SUITE_BEGIN("config_pattern");

namespace {
Pattern read(const std::string& mixer, const std::vector<std::string>& sets = {}) {
    return read_as<MixerStack>(mixer.empty() ? "{}" : fmt::format("{{\"mixer\": {}}}", mixer), sets).mixer;
}

// The names, as they would be written, and in brackets what is not the usual width or decay.
std::string shown(const Pattern& pattern) {
    const auto one = [](const Selection& s) {
        std::string text = s.name();
        if (s.name() == "weighted" && s.as<ByScores>().width != 11)
            text += fmt::format("({})", s.as<ByScores>().width);
        if (s.name() == "weighted" && s.as<ByScores>().select.name() == "hard")
            text += fmt::format("(hard {})", s.as<ByScores>().select.as<Hard>().samples);
        if (s.name() == "linear" && s.as<ByRecurrence>().decay != 1)
            text += fmt::format("({})", s.as<ByRecurrence>().decay);
        return text;
    };
    if (pattern.uniform())
        return one(pattern.first());
    std::string all;
    for (const Pattern::Layer& heads : pattern.layers()) {
        std::string layer;
        for (const Selection& head : heads) layer += (layer.empty() ? "" : " ") + one(head);
        all += (all.empty() ? "" : " ") + (heads.size() == 1 ? layer : "[" + layer + "]");
    }
    return "[" + all + "]";
}
}  // namespace

TEST_CASE("one for all, a list of layers, lists of heads in it") {
    CHECK(shown(read("")) == "weighted");
    CHECK(shown(read(R"("linear")")) == "linear");
    CHECK(shown(read(R"({"width": 3})")) == "weighted(3)");
    CHECK(shown(read(R"(["linear", "none"])")) == "[linear none]");
    CHECK(shown(read(R"([["linear", "none"]])")) == "[[linear none]]");
    CHECK(shown(read(R"([["linear", {"width": 3}], "none"])")) == "[[linear weighted(3)] none]");
    CHECK(shown(read(R"([{"type": "linear", "decay": 0.5}, {"type": "linear"}, "linear"])")) == "[linear(0.5) linear linear]");
    CHECK(shown(read(R"(["linear", "linear"])")) == "linear");
    CHECK(shown(read(R"([["none"]])")) == "none");
    // each element begins with the default's own values
    CHECK(shown(read(R"([{}, {"select": "hard"}, "weighted", {"type": "weighted", "width": 2}])")) ==
          "[weighted weighted(hard 1) weighted weighted(2)]");
}

TEST_CASE("a default that is a list gives each element its own defaults") {
    struct Listed {
        Pattern mixer{mixers(), "none"};
        Listed() {
            Selection first(mixers(), "linear"), second(mixers(), "weighted");
            first.as<ByRecurrence>().decay = 0.25;
            second.as<ByScores>().width = 5;
            mixer = Pattern({{first}, {second}});
        }
        void fields(Visitor& v) { v.pattern("mixer", mixer, ""); }
    };
    const auto of = [](const char* text) { return shown(read_as<Listed>(text).mixer); };
    CHECK(of("{}") == "[linear(0.25) weighted(5)]");
    CHECK(of(R"({"mixer": ["linear", {"select": "hard"}, "linear", "linear"]})") ==
          "[linear(0.25) weighted(5)(hard 1) linear(0.25) linear]");
    CHECK(of(R"({"mixer": "linear"})") == "linear(0.25)");
    CHECK(error_of<Listed>("{}", {"mixer.decay=0.5"}) ==
          "--set mixer.decay=0.5: mixer: a list of 2 by default: nothing in it can be set alone; set 'mixer' itself");
    CHECK(shown(read_as<Listed>("{}", {"mixer=linear", "mixer.decay=0.5"}).mixer) == "linear(0.5)");
    const auto tree = config::describe<Listed>();
    CHECK(tree[0].value == R"(["linear", "weighted"])");
    CHECK(tree[0].rows[0].options[1].value == "5");
    CHECK(tree[0].rows[1].options[0].value == "0.25");
}

TEST_CASE("broken lists: the message names the element") {
    struct Case {
        std::string mixer, message;
    };
    const Case cases[] = {
        {"[]", "x.json:1: mixer: an empty list: elements 0, at least 1"},
        {"[\"none\",\n[]]", "x.json:2: mixer.1: an empty list: elements 0, at least 1"},
        {"3", "x.json:1: mixer: wrong type: expected the name of a mixer or an object, or a list of these, got 3"},
        {"[3]", "x.json:1: mixer.0: wrong type: expected the name of a mixer or an object, got 3"},
        {"[null]", "x.json:1: mixer.0: wrong type: expected the name of a mixer or an object, got null"},
        {"[[[\"none\"]]]", "x.json:1: mixer.0.0: wrong type: expected the name of a mixer or an object, got a list of 1"},
        {"[\"none\",\n\"liner\"]",
         "x.json:2: mixer.1: unknown mixer: 'liner'; did you mean 'linear'? known: weighted, linear, none"},
        {"[\"none\", [\"none\", {\"type\":\n\"liner\"}]]",
         "x.json:2: mixer.1.1.type: unknown mixer: 'liner'; did you mean 'linear'? known: weighted, linear, none"},
        {"[\"none\", [{\n\"witdh\": 3}]]",
         "x.json:2: mixer.1.0.witdh: unknown key; did you mean 'width'? without 'type' this is mixer weighted"},
        {"[{\"type\": \"weighted\", \"decay\": 1}]",
         "x.json:1: mixer.0.decay: unknown key; known: type, select, width; it belongs to mixer linear"},
        {"[{\"type\": \"none\", \"layers\": 1}]", "x.json:1: mixer.0.layers: unknown key; known: type; there is one at layers"},
        {"[{\"select\": {\"type\": \"hard\",\n\"sample\": 1}}]",
         "x.json:2: mixer.0.select.sample: unknown key; did you mean 'samples'?"},
        {"[\"none\", {\"width\": 0}]", "x.json:1: mixer.1.width: out of range: value 0, allowed 1 to 64"},
        {"[{\"width\": 1,\n\"width\": 2}]", "x.json:2: duplicate key: 'width' stands on line 1 and on line 2"},
        {"[{\"0\": 1}]", "x.json:1: mixer.0.0: unknown key; known: type, select, width; without 'type' this is mixer weighted"},
        {"{\"1\": {\"width\": 3}}",
         "x.json:1: mixer.1: unknown key; it is no list here: written [A, B] it has elements 0 and 1; without 'type' this is "
         "mixer weighted"},
        // all of them, in the order of the file
        {"[{\"width\": 0},\n[\"linear\", {\"width\": 99}],\n\"nnoe\"]",
         "x.json:1: mixer.0.width: out of range: value 0, allowed 1 to 64\n"
         "x.json:2: mixer.1.1.width: out of range: value 99, allowed 1 to 64\n"
         "x.json:3: mixer.2: unknown mixer: 'nnoe'; did you mean 'none'? known: weighted, linear, none"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.mixer);
        CHECK(error_of<MixerStack>(fmt::format("{{\"mixer\": {}}}", c.mixer)) == c.message);
    }
}

TEST_CASE("--set: a number in a key path names an element of a list") {
    const std::string layers = R"(["linear", "weighted"])", heads = R"([["linear", {"select": "soft"}], "none"])";
    CHECK(shown(read("", {"mixer=[\"linear\", \"none\"]"})) == "[linear none]");
    CHECK(shown(read("", {"mixer=[[\"linear\", \"none\"]]", "mixer.0.0.decay=0.5"})) == "[[linear(0.5) none]]");
    CHECK(shown(read(layers, {"mixer.0.decay=0.5"})) == "[linear(0.5) weighted]");
    CHECK(shown(read(layers, {"mixer.1.width=3", "mixer.1.select=hard", "mixer.1.select.samples=7"})) ==
          "[linear weighted(3)(hard 7)]");
    CHECK(shown(read(layers, {"mixer.1=none"})) == "[linear none]");
    CHECK(shown(read(layers, {"mixer.1={\"width\": 3}"})) == "[linear weighted(3)]");
    CHECK(shown(read(layers, {"mixer.1=[\"none\", \"linear\"]"})) == "[linear [none linear]]");
    CHECK(shown(read(layers, {"mixer.0.type=none"})) == "[none weighted]");
    CHECK(shown(read(heads, {"mixer.0.1.width=3"})) == "[[linear weighted(3)] none]");
    CHECK(shown(read(heads, {"mixer.0.1=none"})) == "[[linear none] none]");
    CHECK(shown(read(heads, {"mixer.0=none"})) == "none");
    CHECK(shown(read(layers, {"mixer=linear", "mixer.decay=0.5"})) == "linear(0.5)");
    CHECK(shown(read(layers, {"mixer=[\"none\", {\"width\": 4}, \"linear\"]", "mixer.2.decay=0"})) ==
          "[none weighted(4) linear(0)]");
    // lists of other kinds too
    CHECK(read_as<Options>(R"({"betas": [0.8, 0.9]})", {"betas.1=0.5"}).betas == std::vector<double>{0.8, 0.5});
    CHECK(read_as<Options>(R"({"data": {"task": "text", "train": ["a", "b"]}})", {"data.train.0=/c"}).data.as<Text>().train ==
          std::vector<std::string>{"/c", "/base/b"});
}

TEST_CASE("--set: what cannot be set in a list, and what would undo another") {
    struct Case {
        std::vector<std::string> sets;
        std::string message;
    };
    const std::string layers = "{\n\"mixer\": [\"linear\", \"weighted\"]}", heads = "{\n\"mixer\": [[\"linear\", \"none\"]]}";
    const Case in_layers[] = {
        {{"mixer.width=3"},
         "--set mixer.width=3: an element of the list is not named: 'mixer' is a list of 2, set at x.json:2; mixer.0.width is "
         "in its first element; each element is set by itself"},
        {{"mixer.select.samples=3"},
         "--set mixer.select.samples=3: an element of the list is not named: 'mixer' is a list of 2, set at x.json:2; "
         "mixer.0.select.samples is in its first element; each element is set by itself"},
        {{"mixer.2.width=3"},
         "--set mixer.2.width=3: no such element: 2, 'mixer' is a list of 2, set at x.json:2; the first is 0"},
        {{"mixer.-1=none"},
         "--set mixer.-1=none: an element of the list is not named: 'mixer' is a list of 2, set at x.json:2; mixer.0.-1 is in "
         "its first element; each element is set by itself"},
        {{"mixer.01=none"},
         "--set mixer.01=none: an element of the list is not named: 'mixer' is a list of 2, set at x.json:2; mixer.0.01 is in "
         "its first element; each element is set by itself"},
        {{"mixer.0.witdh=3"}, "--set mixer.0.witdh=3: mixer.0.witdh: unknown key; known: type, decay, features"},
        {{"mixer.0.width=3"},
         "--set mixer.0.width=3: mixer.0.width: unknown key; known: type, decay, features; it belongs to mixer weighted"},
        {{"mixer.1.width=99"}, "--set mixer.1.width=99: mixer.1.width: out of range: value 99, allowed 1 to 64"},
        {{"mixer.1=[\"none\","},
         "--set mixer.1=[\"none\",: syntax error in value: unexpected end of input, expected '[', '{', or a literal: column 8, "
         "at '[\"none\",'"},
        {{"mixer.1.width=3", "mixer=none"}, "--set mixer=none: comes after and would undo --set mixer.1.width=3: put it first"},
        {{"mixer.1=linear", "mixer=none"}, "--set mixer=none: comes after and would undo --set mixer.1=linear: put it first"},
        {{"mixer.1.width=3", "mixer.1=none"},
         "--set mixer.1=none: comes after and would undo --set mixer.1.width=3: put it first"},
        {{"mixer=[\"none\"]", "mixer.decay=1"},
         "--set mixer.decay=1: an element of the list is not named: 'mixer' is a list of 1, set at --set mixer=[\"none\"]; "
         "mixer.0.decay is in its first element; each element is set by itself"},
        {{"mixer=[]", "mixer.decay=1"},
         "--set mixer.decay=1: an element of the list is not named: 'mixer' is a list of 0, set at --set mixer=[]"},
    };
    for (const Case& c : in_layers) {
        CAPTURE(c.sets[0]);
        CHECK(error_of<MixerStack>(layers, c.sets) == c.message);
    }
    CHECK(
        error_of<MixerStack>(heads, {"mixer.decay=1"}) ==
        "--set mixer.decay=1: an element of the list is not named: 'mixer' is a list of 1, set at x.json:2; mixer.0.0.decay is "
        "in its first element; each element is set by itself");
    CHECK(error_of<MixerStack>(heads, {"mixer.0.decay=1"}) ==
          "--set mixer.0.decay=1: an element of the list is not named: 'mixer.0' is a list of 2, set at x.json:2; "
          "mixer.0.0.decay is in its first element; each element is set by itself");
    CHECK(error_of<MixerStack>("{}", {"mixer.1.width=3"}) ==
          "--set mixer.1.width=3: mixer.1: unknown key; it is no list here: written [A, B] it has elements 0 and 1; without "
          "'type' this is mixer weighted");
    // elements that are set one after the other do not undo each other
    CHECK(error_of<MixerStack>(layers, {"mixer.1=linear", "mixer.0=none", "mixer.1.decay=0"}).empty());
    CHECK(error_of<Options>(R"({"betas": [0.8, 0.9]})", {"betas.1=x"}) ==
          "--set betas.1=x: betas: wrong type: expected a list of numbers, got the text 'x'");
}

TEST_CASE("the changes of a variant name elements as --set does") {
    const auto other = std::make_shared<const config::Source>(config::Source{"y.json", "/other"});
    const auto changed = [&](const char* key, const char* value) {
        return config::with(parse(R"({"mixer": ["linear", {"width": 3}]})"), key, config::parse_value(value, other));
    };
    const auto mixer = [&](const char* key, const char* value) {
        return shown(config::read<MixerStack>(changed(key, value)).mixer);
    };
    CHECK(mixer("mixer.1.select", R"("hard")") == "[linear weighted(3)(hard 1)]");
    CHECK(mixer("mixer.0", R"({"width": 2})") == "[weighted(2) weighted(3)]");
    CHECK(mixer("mixer", R"(["none", "linear"])") == "[none linear]");
    CHECK_THROWS_WITH_AS(changed("mixer.width", "3"),
                         "y.json:1: an element of the list is not named: 'mixer' is a list of 2, set at x.json:1; "
                         "mixer.0.width is in its first element; each element is set by itself",
                         Error);
}

TEST_CASE("a pattern is written in its shortest form and reads back the same") {
    const auto written = [](const std::string& mixer) {
        return config::write(read_as<MixerStack>(fmt::format("{{\"mixer\": {}}}", mixer)));
    };
    CHECK(written(R"(["none", "none"])") == R"({
  "mixer": {"type": "none"},
  "layers": 2
}
)");
    CHECK(written("{}") == R"({
  "mixer": {"type": "weighted", "select": {"type": "soft"}, "width": 11},
  "layers": 2
}
)");
    CHECK(written(R"(["none", {"type": "linear"}])") == R"({
  "mixer": [{"type": "none"}, {"type": "linear", "decay": 1, "features": 4}],
  "layers": 2
}
)");
    CHECK(written(R"([["none", {"select": "hard"}], "linear"])") == R"({
  "mixer": [
    [
      {"type": "none"},
      {
        "type": "weighted",
        "select": {
          "type": "hard",
          "estimator": {"type": "reinforce", "baseline": "moving", "decay": 0.9},
          "samples": 1
        },
        "width": 11
      }
    ],
    {"type": "linear", "decay": 1, "features": 4}
  ],
  "layers": 2
}
)");
    for (const char* mixer : {R"("linear")", R"(["none", {"width": 3}])", R"([["none", "linear"]])",
                              R"([["none", {"select": "hard"}], "linear", {"width": 5}])"}) {
        const auto stack = read_as<MixerStack>(fmt::format("{{\"mixer\": {}}}", mixer));
        const auto again = read_as<MixerStack>(config::write(stack));
        CHECK(again.mixer == stack.mixer);
        CHECK(config::write(again) == config::write(stack));
        CHECK(config::differences(stack, again).empty());
    }
}

TEST_CASE("differences between lists name the element, those of lists of different lengths the list") {
    const auto differences = [](const std::string& before, const std::string& after, config::Rows rows = config::Rows::alone) {
        const auto stack = [](const std::string& mixer) {
            return read_as<MixerStack>(fmt::format("{{\"mixer\": {}}}", mixer));
        };
        std::vector<std::string> all;
        for (const config::Difference& d : config::differences(stack(before), stack(after), rows))
            all.push_back(fmt::format("{}: {} -> {}", d.path, d.before, d.after));
        return all;
    };
    using Texts = std::vector<std::string>;
    CHECK(differences(R"(["none", {"width": 3}])", R"(["none", {"width": 4}])") == Texts{"mixer.1.width: 3 -> 4"});
    CHECK(differences(R"(["none", {"width": 3}])", R"(["linear", {"width": 3}])") ==
          Texts{"mixer.0.type: \"none\" -> \"linear\""});
    CHECK(differences(R"([["none", "linear"]])", R"([["none", {"type": "linear", "decay": 0}]])") ==
          Texts{"mixer.0.1.decay: 1 -> 0"});
    // one for all is compared with each
    CHECK(differences("{}", R"([{}, {"width": 4}])") == Texts{"mixer.1.width: 11 -> 4"});
    CHECK(differences(R"([{}, {"width": 4}])", "{}") == Texts{"mixer.1.width: 4 -> 11"});
    CHECK(differences(R"("none")", R"(["none", ["none", "linear"]])") == Texts{"mixer.1.1.type: \"none\" -> \"linear\""});
    CHECK(differences(R"(["none", {}])", R"(["none", [{}, {"width": 4}]])") == Texts{"mixer.1.1.width: 11 -> 4"});
    CHECK(differences(R"(["none", {"width": 3}])", R"(["none", {"width": 3}, "none", {"width": 3}])").empty());
    CHECK(differences(R"(["none", "linear"])", R"(["none", "none", "linear"])") ==
          Texts{R"(mixer: [{"type": "none"}, {"type": "linear", "decay": 1, "features": 4}] -> )"
                R"([{"type": "none"}, {"type": "none"}, {"type": "linear", "decay": 1, "features": 4}])"});
    CHECK(differences(R"(["none", "linear"])", R"("none")", config::Rows::with_options) ==
          Texts{"mixer.1: \"linear\" -> \"none\""});
}

TEST_CASE("a pattern in lists of options, reports and plans") {
    // with what the default row has in place of its own defaults
    const Table<int()> stacks(
        "stack", {Table<int()>::make<MixerStack>("plain", "a stack", [](const MixerStack&) { return 1; })}, "type", Listed::no);
    CHECK(schema::row_text(stacks, "plain") ==
          "stack plain: a stack\n"
          "  mixer                    mixer, or a list by layer (a list in it: by head); default \"weighted\"\n"
          "                           of positions\n"
          "                           attend list mixer lists them, here width 11\n"
          "  layers                   integer, 1 to 100; default 2\n"
          "                           of the stack\n");

    const auto tree = config::describe<MixerStack>();
    CHECK(config::value_text(tree[0]) == "mixer, or a list by layer (a list in it: by head)");
    CHECK(tree[0].value == "\"weighted\"");
    CHECK(tree[0].rows.size() == 3);
    std::vector<std::string> paths;
    for (const config::Listed& l : config::flat(tree)) paths.push_back(l.option->path);
    CHECK(std::ranges::count(paths, "mixer.decay") == 1);

    const auto stack = read_as<MixerStack>(R"({"mixer": [["none", {"width": 3}], "linear"]})");
    const auto chosen = config::describe(stack, config::SeamRows::chosen);
    paths.clear();
    for (const config::Option* o : config::leaves(chosen)) paths.push_back(o->path + " " + o->value);
    CHECK(paths == std::vector<std::string>{"mixer.0.0.type \"none\"", "mixer.0.1.type \"weighted\"",
                                            "mixer.0.1.select.type \"soft\"", "mixer.0.1.width 3", "mixer.1.type \"linear\"",
                                            "mixer.1.decay 1", "mixer.1.features 4", "layers 2"});

    const auto settings = plan::settings(chosen, chosen, tree);
    REQUIRE(settings.size() == 8);
    CHECK(settings[0].path == "mixer.0.0.type");
    CHECK(settings[0].origin == plan::Setting::Origin::given);
    CHECK(settings[1].origin == plan::Setting::Origin::initial);
    CHECK(settings[3].path == "mixer.0.1.width");
    CHECK(settings[3].initial == "11");

    const Json rows = run_config(tree, Json::parse(config::write(stack)));
    REQUIRE(rows.size() == 8);
    CHECK(rows[3]["path"] == "mixer.0.1.width");
    CHECK(rows[3]["default"] == "11");
    CHECK(rows[4]["path"] == "mixer.1.type");
    CHECK(rows[4]["changed"] == true);
    CHECK(rows[4]["help"] == "of positions");
    // an element that is not as this program writes them is shown as it is
    const Json odd = run_config(tree, Json::parse(R"({"mixer": [{"width": 3, "x": 1}, "linear"]})"));
    REQUIRE(odd.size() == 4);
    CHECK(odd[0]["path"] == "mixer.0.type");
    CHECK(odd[2]["path"] == "mixer.0.x");
    CHECK(odd[3]["path"] == "mixer.1");
    CHECK(odd[3]["value"] == "\"linear\"");
}

TEST_SUITE_END();

}  // namespace config_pattern_test
