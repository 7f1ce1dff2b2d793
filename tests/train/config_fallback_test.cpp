// A seam's fallback row: what a config object means that names no row.
#include <doctest/doctest.h>

#include "tests/train/mixer_samples.h"
#include "train/config/describe.h"
#include "train/config/writer.h"
#include "train/show/report/report.h"
#include "train/show/schema/listing.h"
#include "train/study/plan/settings.h"

namespace config_fallback_test {

using namespace attend;
using namespace attend::samples;

TEST_SUITE_BEGIN("config_fallback");

namespace {
MixerBlock read(const std::string& text, const std::vector<std::string>& sets = {}) { return read_as<MixerBlock>(text, sets); }

struct OtherDefault {
    Selection mixer{mixers(), "none"};
    void fields(Visitor& v) { v.selection("mixer", mixer, "of positions"); }
};
struct OwnDefault {
    Selection mixer{mixers(), "weighted"};
    OwnDefault() { mixer.as<ByScores>().width = 11; }
    void fields(Visitor& v) { v.selection("mixer", mixer, "of positions"); }
};
}  // namespace

TEST_CASE("an object without a row's name means the fallback row") {
    for (const char* text : {R"({"mixer": {"width": 3}})", R"({"mixer": {"type": "weighted", "width": 3}})",
                             R"({"mixer": {"select": "soft", "width": 3}})"}) {
        CAPTURE(text);
        CHECK(config::differences(read(text), read(R"({"mixer": {"type": "weighted", "width": 3}})")).empty());
        CHECK(read_as<OtherDefault>(text).mixer.as<ByScores>().width == 3);
    }
    CHECK(read_as<OtherDefault>(R"({"mixer": {}})").mixer.name() == "weighted");
    CHECK(read_as<OtherDefault>("{}").mixer.name() == "none");
    CHECK(read_as<OwnDefault>(R"({"mixer": {}})").mixer.as<ByScores>().width == 11);
    CHECK(read_as<OwnDefault>(R"({"mixer": {"select": "hard"}})").mixer.as<ByScores>().width == 11);
}

TEST_CASE("the other rows of a seam with a fallback are named as ever") {
    CHECK(read(R"({"mixer": "linear"})").mixer.as<ByRecurrence>().decay == 1);
    CHECK(read(R"({"mixer": {"type": "linear", "decay": 0.5}})").mixer.as<ByRecurrence>().decay == 0.5);
    CHECK(read(R"({"mixer": "none"})").mixer.name() == "none");
    CHECK(read(R"({"mixer": "weighted"})").mixer.as<ByScores>().width == 8);
}

TEST_CASE("--set and the changes of a variant go through an object without a row's name") {
    CHECK(read("{}", {"mixer.width=3"}).mixer.as<ByScores>().width == 3);
    CHECK(read(R"({"mixer": {"width": 3}})", {"mixer.select=hard"}).mixer.as<ByScores>().select.name() == "hard");
    CHECK(read(R"({"mixer": {"width": 3}})", {"mixer.select=hard"}).mixer.as<ByScores>().width == 3);
    CHECK(read("{}", {"mixer={\"width\": 3}", "mixer.select.type=hard"}).mixer.as<ByScores>().select.name() == "hard");
    CHECK(read(R"({"mixer": {"width": 3}})", {"mixer=linear", "mixer.decay=0.5"}).mixer.as<ByRecurrence>().decay == 0.5);
    CHECK(read(R"({"mixer": {}})", {"mixer.type=linear", "mixer.decay=0.5"}).mixer.as<ByRecurrence>().decay == 0.5);
    const auto other = std::make_shared<const config::Source>(config::Source{"y.json", "/other"});
    const auto changed = [&](const std::string& base, const char* key, const char* value) {
        return config::read<MixerBlock>(config::with(parse(base), key, config::parse_value(value, other)));
    };
    CHECK(changed(R"({"mixer": {"select": "hard"}})", "mixer.width", "3").mixer.as<ByScores>().select.name() == "hard");
    CHECK(changed(R"({"mixer": {"select": "hard"}})", "mixer", "\"linear\"").mixer.name() == "linear");
    CHECK(changed(R"({"mixer": "linear"})", "mixer", "{\"width\": 5}").mixer.as<ByScores>().width == 5);
}

TEST_CASE("broken objects without a row's name: the message says which row was assumed") {
    struct Case {
        std::string text;
        std::vector<std::string> sets;
        std::string message;
    };
    const std::string assumed = "; without 'type' this is mixer weighted";
    const Case cases[] = {
        {"{\"mixer\": {\n\"witdh\": 3}}", {}, "x.json:2: mixer.witdh: unknown key; did you mean 'width'? " + assumed.substr(2)},
        {"{\"mixer\": {\"decay\": 1}}",
         {},
         "x.json:1: mixer.decay: unknown key; known: type, select, width; it belongs to mixer linear" + assumed},
        {"{\"mixer\": {\"tpye\": \"linear\"}}",
         {},
         "x.json:1: mixer.tpye: unknown key; did you mean 'type'? " + assumed.substr(2)},
        {"{\"mixer\": {\"layers\": 1}}",
         {},
         "x.json:1: mixer.layers: unknown key; known: type, select, width; there is one at layers" + assumed},
        {"{}",
         {"mixer.decay=1"},
         "--set mixer.decay=1: mixer.decay: unknown key; known: type, select, width; it belongs to mixer linear" + assumed},
        {"{}",
         {"mixer={\"decay\": 1}"},
         "--set mixer={\"decay\": 1}: mixer.decay: unknown key; known: type, select, width; it belongs to mixer linear" +
             assumed},
        // of what is inside, and of rows that are named, it says nothing
        {"{\"mixer\": {\"width\": 0}}", {}, "x.json:1: mixer.width: out of range: value 0, allowed 1 to 64"},
        {"{\"mixer\": {\"select\": {\"samples\": 1}}}", {}, "x.json:1: mixer.select: 'type' is missing; known: soft, hard"},
        {"{\"mixer\": {\"select\": {\"type\": \"hard\", \"sample\": 1}}}",
         {},
         "x.json:1: mixer.select.sample: unknown key; did you mean 'samples'?"},
        {"{\"mixer\": {\"type\": \"weighted\", \"decay\": 1}}",
         {},
         "x.json:1: mixer.decay: unknown key; known: type, select, width; it belongs to mixer linear"},
        {"{\"mixer\": \"linear\"}",
         {"mixer.width=3"},
         "--set mixer.width=3: mixer.width: unknown key; known: type, decay, features; it belongs to mixer weighted"},
        {"{\"mixer\": \"liner\"}",
         {},
         "x.json:1: mixer: unknown mixer: 'liner'; did you mean 'linear'? known: weighted, linear, none"},
        {"{\"mixer\": 3}", {}, "x.json:1: mixer: wrong type: expected the name of a mixer or an object, got 3"},
        {"{\"mixer\": {\"type\": null}}", {}, "x.json:1: mixer.type: wrong type: expected the name of a mixer, got null"},
        {"{\"mixer\": {\"width\": 1,\n\"width\": 2}}", {}, "x.json:2: duplicate key: 'width' stands on line 1 and on line 2"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        CHECK(error_of<MixerBlock>(c.text, c.sets) == c.message);
    }
    CHECK(error_of<OtherDefault>("{}", {"mixer.width=3"}) ==
          "--set mixer.width=3: mixer.width: unknown key; known: type; it belongs to mixer weighted; without 'type' this is "
          "mixer none");
}

TEST_CASE("what is written names the row, and reads as what was written before there were rows") {
    CHECK(config::write(MixerBlock()) == R"({
  "mixer": {"type": "weighted", "select": {"type": "soft"}, "width": 8},
  "layers": 2
}
)");
    OlderBlock older;
    older.mixer.width = 5;
    older.mixer.select.choose("hard");
    const std::string text = config::write(older);
    CHECK(text.find("weighted") == std::string::npos);
    const MixerBlock now = read(text), again = read(config::write(now));
    CHECK(now.mixer.as<ByScores>().width == 5);
    CHECK(config::differences(now, again).empty());
    CHECK(config::differences(now, read("{\"mixer\": {\"width\": 5, \"select\": \"hard\"}}")).empty());
    const auto changed = config::differences(now, read("{\"mixer\": \"linear\"}"));
    REQUIRE(changed.size() == 1);
    CHECK(changed[0].path == "mixer.type");
    CHECK(changed[0].before == "\"weighted\"");
}

TEST_CASE("the fallback row in lists, reports and plans") {
    CHECK(schema::seam_text(mixers()).find("by scores (also meant by an object without 'type')\n") != std::string::npos);
    CHECK(schema::seam_text(selects()).find("also meant") == std::string::npos);
    CHECK(schema::row_text(mixers(), "weighted").starts_with("mixer weighted: by scores (also meant by"));
    CHECK(schema::row_text(mixers(), "linear").starts_with("mixer linear: a recurrence\n"));
    CHECK(schema::seam_json(mixers())["fallback"] == "weighted");
    CHECK(schema::seam_json(selects())["fallback"].is_null());

    // a run of before, whose config names no row
    const Json rows = run_config(config::describe<MixerBlock>(), Json::parse(R"({"mixer": {"width": 5}, "layers": 2})"));
    REQUIRE(rows.size() == 3);
    CHECK(rows[0]["path"] == "mixer.type");
    CHECK(rows[0]["value"] == "\"weighted\"");
    CHECK(rows[0]["changed"] == false);
    CHECK(rows[1]["path"] == "mixer.width");
    CHECK(rows[1]["default"] == "8");
    CHECK(rows[1]["changed"] == true);

    const auto tree = config::describe(read(R"({"mixer": {"width": 5}})"), config::SeamRows::chosen);
    const auto settings = plan::settings(tree, tree, config::describe<MixerBlock>());
    REQUIRE(settings.size() == 4);
    CHECK(settings[0].path == "mixer.type");
    CHECK(settings[0].origin == plan::Setting::Origin::initial);
    CHECK(settings[2].path == "mixer.width");
    CHECK(settings[2].origin == plan::Setting::Origin::given);
    CHECK(settings[2].initial == "8");
}

TEST_SUITE_END();

}  // namespace config_fallback_test
