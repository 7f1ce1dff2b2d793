// Event files, read back by a strict reader of this test's own: framing and checksums, then the
// messages.
#include <doctest/doctest.h>
#include <tensorboard.pb.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>

#include "tests/train/run_support.h"
#include "train/records/tensorboard.h"

namespace tensorboard_test {

TEST_SUITE_BEGIN("train: tensorboard");

using namespace attend;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::SmallRun;
using attend_events::Event;
using Strings = std::vector<std::string>;
namespace fs = std::filesystem;

namespace {

// CRC-32C bit by bit: the polynomial 0x1edc6f41, reflected.
uint32_t slow_crc32c(std::string_view bytes) {
    uint32_t crc = 0xffffffff;
    for (const char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
    }
    return ~crc;
}
uint32_t mask(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; }

uint64_t number_at(const std::string& text, std::size_t at, std::size_t bytes) {
    REQUIRE(at + bytes <= text.size());
    uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value |= uint64_t{static_cast<unsigned char>(text[at + i])} << (8 * i);
    return value;
}

std::vector<Event> events_in(const fs::path& path) {
    const std::string text = read_file(path, 1 << 24);
    std::vector<Event> events;
    for (std::size_t at = 0; at < text.size();) {
        const uint64_t length = number_at(text, at, 8);
        REQUIRE(number_at(text, at + 8, 4) == mask(slow_crc32c(std::string_view(text).substr(at, 8))));
        REQUIRE(length <= text.size() - at - 12);
        const std::string data = text.substr(at + 12, length);
        REQUIRE(number_at(text, at + 12 + length, 4) == mask(slow_crc32c(data)));
        REQUIRE(events.emplace_back().ParseFromString(data));
        at += 12 + length + 4;
    }
    REQUIRE(!events.empty());
    CHECK(events[0].file_version() == "brain.Event:2");
    for (std::size_t i = 0; i < events.size(); ++i) {
        CHECK(events[i].has_file_version() == (i == 0));
        CHECK(events[i].wall_time() > 1.6e9);  // 2020
        CHECK(events[i].wall_time() >= events[std::max<std::size_t>(i, 1) - 1].wall_time());
    }
    return events;
}

std::vector<fs::path> files_of(const SmallRun& runs, const std::string& name) { return RunFolder(runs / name).events(); }

struct Point {
    std::string tag;
    int64_t step;
    uint32_t bits;  // of the float, so that NaN compares
    bool operator==(const Point&) const = default;
};
Point point(std::string tag, int64_t step, float value) { return {std::move(tag), step, std::bit_cast<uint32_t>(value)}; }

// What TensorBoard keeps of a folder: files in the order of their names; a session's start drops
// all from its step on.
std::vector<Point> points_of(const std::vector<fs::path>& files) {
    std::vector<Point> points;
    for (const fs::path& file : files)
        for (const Event& event : events_in(file)) {
            if (event.has_session_log() && event.session_log().status() == attend_events::SessionLog::START)
                std::erase_if(points, [&](const Point& p) { return p.step >= event.step(); });
            for (const auto& value : event.summary().value()) {
                REQUIRE(value.value_case() == attend_events::Summary::Value::kSimpleValue);
                points.push_back(point(value.tag(), event.step(), value.simple_value()));
            }
        }
    return points;
}

std::vector<Point> points_of(const std::vector<Json>& lines) {
    std::vector<Point> points;
    for (const Json& line : lines)
        for (const auto& [name, value] : line.items())
            if (name != "step" && name != "split")
                points.push_back(point(line["split"].get<std::string>() + "/" + name, line["step"],
                                       static_cast<float>(number_from_json(value, name))));
    return points;
}

// Trains `name`, leaves it after step `at` as a kill would, and resumes it.
void run_in_two(const SmallRun& runs, const std::string& name, const Strings& set, int64_t at, const Strings& set_later) {
    struct Killed {};
    TrainRequest request = runs.request(name, set);
    request.after_step = [at](int64_t step) {
        if (step == at)
            throw Killed();
    };
    CHECK_THROWS_AS(train(request), Killed);
    request = runs.request(name, set_later);
    request.existing = Existing::resume;
    CHECK(train(request).status == Status::finished);
}

const Strings with_events = {"train.tensorboard=true", "train.log_every=1"};

}  // namespace

TEST_CASE("CRC-32C of known texts, and the same as bit by bit") {
    CHECK(crc32c_of("") == 0);
    CHECK(crc32c_of("123456789") == 0xe3069283);
    // RFC 3720, B.4: 32 bytes of 0, of 255, and 0 to 31.
    CHECK(crc32c_of(std::string(32, '\0')) == 0x8a9136aa);
    CHECK(crc32c_of(std::string(32, '\xff')) == 0x62a8ab43);
    std::string text;
    for (int i = 0; i < 32; ++i) text.push_back(static_cast<char>(i));
    CHECK(crc32c_of(text) == 0x46dd794e);
    for (int i = 0; i < 300; ++i) {
        text.push_back(static_cast<char>(7 * i));
        CHECK(crc32c_of(text) == slow_crc32c(text));
    }
}

TEST_CASE("a record, byte for byte") {
    const unsigned char expected[] = {9,   0,   0,   0,   0,   0,   0,   0,   0x37, 0xf9, 0x71, 0x39, '1',
                                      '2', '3', '4', '5', '6', '7', '8', '9', 0xe5, 0xb0, 0x8a, 0xc7};
    CHECK(tfrecord("123456789") == std::string(std::begin(expected), std::end(expected)));
}

TEST_CASE("an event file begins with the bytes that TensorFlow's begin with") {
    const oracles::TemporaryFolder folder;
    { const EventFile file(folder / "e"); }
    const std::string text = read_file(folder / "e", 1 << 20);
    REQUIRE(text.size() == 12 + 24 + 4);
    // A record of 24 bytes; field 1, 8 bytes; no step; field 3, a text of 13 bytes.
    CHECK(text.substr(0, 13) == std::string("\x18\0\0\0\0\0\0\0\xa3\x7fK\"\x09", 13));
    CHECK(text.substr(21, 15) ==
          "\x1a\x0d"
          "brain.Event:2");
}

TEST_CASE("a line's numbers are written as they are, zero and those that are not finite too") {
    const oracles::TemporaryFolder folder;
    EventFile file(folder / "e");
    file.append(RecordReader::of_text(
        "line", R"({"step": 7, "split": "valid", "loss": "nan", "a": "inf", "b": "-inf", "c": 0, "d": 0.1, "e": 1e300})"));
    const std::vector<Event> events = events_in(folder / "e");  // the file is still open
    REQUIRE(events.size() == 2);
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(points_of(std::vector{fs::path(folder / "e")}) ==
          std::vector{point("valid/loss", 7, std::numeric_limits<float>::quiet_NaN()), point("valid/a", 7, infinity),
                      point("valid/b", 7, -infinity), point("valid/c", 7, 0), point("valid/d", 7, 0.1F),
                      point("valid/e", 7, infinity)});
}

TEST_CASE("a run's event file holds every number of metrics.jsonl, and nothing else") {
    const SmallRun runs;
    runs.run("on", with_events, 2);
    const std::vector<fs::path> files = files_of(runs, "on");
    REQUIRE(files.size() == 1);
    const std::string name = files[0].filename().string();
    CHECK(name.starts_with("events.out.tfevents."));
    CHECK(name.size() == std::strlen("events.out.tfevents.0123456789.attend"));
    const std::vector<Point> points = points_of(files);
    CHECK(points == points_of(runs.metrics("on")));
    std::map<std::string, int> count;
    for (const Point& p : points) ++count[p.tag];
    CHECK(count["train/loss"] == 12);
    CHECK(count["train/loss_z"] == 12);
    CHECK(count["valid/exact_match"] == 3);
    CHECK(count["test/loss"] == 1);
    const std::vector<Event> events = events_in(files[0]);
    CHECK(events.size() == 1 + runs.metrics("on").size());
    CHECK(std::none_of(events.begin(), events.end(), [](const Event& e) { return e.has_session_log(); }));
}

TEST_CASE("without the option there is no event file, and it changes no bit of the model") {
    const SmallRun runs;
    runs.run("off");
    runs.run("on", {"train.tensorboard=true"});
    CHECK(files_of(runs, "off").empty());
    CHECK(runs.model("on") == runs.model("off"));
}

TEST_CASE("a killed run goes on in a new event file, and together they say what metrics.jsonl says") {
    const SmallRun runs;
    for (const int64_t at : {5, 8, 11}) {  // checkpoints are at 4, 8 and 12, that of 8 not yet written after step 8
        CAPTURE(at);
        const std::string name = std::to_string(at);
        run_in_two(runs, name, with_events, at, with_events);
        const std::vector<fs::path> files = files_of(runs, name);
        REQUIRE(files.size() == 2);
        const int64_t saved = at == 11 ? 8 : 4;
        const std::vector<Event> later = events_in(files[1]);
        REQUIRE(later.size() > 2);
        CHECK(later[1].session_log().status() == attend_events::SessionLog::START);
        CHECK(later[1].step() == saved + 1);
        CHECK(later[2].step() == saved + 1);
        const std::vector<Point> first = points_of(std::vector{files[0]});
        CHECK(first.back().step == at);  // after the checkpoint: the reader has something to drop
        CHECK(points_of(files) == points_of(runs.metrics(name)));
    }
}

TEST_CASE("resumed with the option, and resumed without it") {
    const SmallRun runs;
    run_in_two(runs, "added", {"train.log_every=1"}, 6, with_events);
    REQUIRE(files_of(runs, "added").size() == 1);
    std::vector<Json> after;
    for (const Json& line : runs.metrics("added"))
        if (line["step"] > 4)
            after.push_back(line);
    CHECK(points_of(files_of(runs, "added")) == points_of(after));
    run_in_two(runs, "dropped", with_events, 6, {"train.log_every=1"});
    CHECK(files_of(runs, "dropped").size() == 1);
}

TEST_CASE("a run killed before its first checkpoint, and one that is overwritten, begin their events anew") {
    const SmallRun runs;
    run_in_two(runs, "run", with_events, 2, with_events);
    REQUIRE(files_of(runs, "run").size() == 1);
    CHECK(points_of(files_of(runs, "run")) == points_of(runs.metrics("run")));
    std::ofstream(runs / "run/events.out.tfevents.1.elsewhere") << "not ours";
    TrainRequest request = runs.request("run", {"train.steps=5"});
    request.existing = Existing::overwrite;
    train(request);
    CHECK(files_of(runs, "run").empty());
    CHECK(fs::exists(runs / "run/events.out.tfevents.1.elsewhere"));
}

TEST_CASE("event files are named in their order, whatever the clock says") {
    const oracles::TemporaryFolder folder;
    const RunFolder run(folder.path());
    const auto name = [&](int64_t now) { return run.new_events(now).filename().string(); };
    CHECK(RunFolder(folder / "missing").events().empty());
    CHECK(name(1700000000) == "events.out.tfevents.1700000000.attend");
    for (const char* other :
         {"events.out.tfevents.1800000000.host", "events.out.tfevents.x.attend", "events.out.tfevents..attend",
          "events.out.tfevents.attend", "events.out.tfevents.-5.attend", "events.out.tfevents.1900000000.attend~"})
        std::ofstream(folder / other) << "";
    CHECK(run.events().empty());
    for (const int64_t now : {1700000000, 1700000000, 1600000000, 1700000009}) std::ofstream(run.new_events(now)) << "";
    Strings names;
    for (const fs::path& path : run.events()) names.push_back(path.filename().string().substr(20, 10));
    CHECK(names == Strings{"1700000000", "1700000001", "1700000002", "1700000009"});
    CHECK(run.found() == "events.out.tfevents.1700000000.attend");
}

TEST_CASE("an event file that cannot be opened or written is named with the reason") {
    CHECK(contains(message_of([] { EventFile("/nowhere/e"); }), "/nowhere/e: cannot be opened for writing: No such file"));
    if (fs::exists("/dev/full"))
        CHECK(contains(message_of<MachineError>([] { EventFile("/dev/full"); }),
                       "/dev/full: cannot be written: 0 of 40 bytes done, No space left on device"));
}

TEST_SUITE_END();

}  // namespace tensorboard_test
