// The flight recorder's file: what is written is read, and a broken one is refused with its reason.
#include "train/records/bundle.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/experiment/assemble.h"

namespace bundle_test {

TEST_SUITE_BEGIN("train: bundle");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

namespace {

struct Small {
    oracles::TemporaryFolder folder;
    ParameterStore store{1};
    Bundle bundle;
    const NamedState* state = nullptr;

    explicit Small(const char* name = "b") {
        const SmallRun runs;
        const Scope scope(store);
        scope.add("a", {4}, Init::normal(1));
        scope.add(name, {2, 3}, Init::normal(1));
        state = &scope.add_state("baseline", {2}, 0.5, 0.9);
        store.state_updates(*state) = 41;
        store.data()[1] = std::numeric_limits<real>::infinity();
        bundle.experiment = runs.request("none").experiment;
        bundle.vocabularies = {6, 5};
        bundle.steps_done = 40;
        Batch b;
        b.source = Ids(2, 3);
        b.input = Ids(2, 2);
        b.target = Ids(2, 2);
        b.source.values = {4, 5, 0, 1, 2, 3};
        b.source.lengths = {2, 3};
        b.input.values = {1, 4, 1, 0};
        b.target.values = {4, 2, 2, id_ignored};
        b.input.lengths = b.target.lengths = {2, 1};
        b.examples = {7, int64_t{1} << 40};
        bundle.batches.push_back(b);
        bundle.failure.message = "step 41: head: output is not finite: op 'log', element 1 of 8, value -inf";
        bundle.failure.found = NotFinite{"head", "output", "log", 1, 8, -std::numeric_limits<double>::infinity()};
        bundle.failure.loss = std::numeric_limits<double>::quiet_NaN();
        bundle.failure.gradient_norm = 0.1 + 0.2;
    }
    fs::path path() const { return folder / "x.safetensors"; }
    // The complaint about what is written now.
    std::string complaint() {
        write_bundle(path(), bundle, store);
        return complaint_of_file();
    }
    std::string complaint_of_file() const {
        return message_of([&] { BundleFile file(path()); });
    }
};

bool equal(const Ids& a, const Ids& b) {
    return a.rows == b.rows && a.columns == b.columns && a.values == b.values && a.lengths == b.lengths;
}

void overwrite(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace

TEST_CASE("what was written is read") {
    Small s;
    write_bundle(s.path(), s.bundle, s.store);
    const std::string bytes = read_file(s.path(), 1 << 20);
    write_bundle(s.path(), s.bundle, s.store);
    CHECK(read_file(s.path(), 1 << 20) == bytes);

    const BundleFile file(s.path());
    const Bundle& b = file.bundle();
    CHECK(b.experiment.name == "small");
    CHECK(b.experiment.train.shards == 4);
    CHECK(b.vocabularies.source_vocabulary == 6);
    CHECK(b.vocabularies.target_vocabulary == 5);
    CHECK(b.steps_done == 40);
    CHECK(b.precision == precision_name);
    REQUIRE(b.batches.size() == 1);
    CHECK(equal(b.batches[0].source, s.bundle.batches[0].source));
    CHECK(equal(b.batches[0].input, s.bundle.batches[0].input));
    CHECK(equal(b.batches[0].target, s.bundle.batches[0].target));
    CHECK(b.batches[0].examples == s.bundle.batches[0].examples);
    CHECK(b.failure.message == s.bundle.failure.message);
    REQUIRE(b.failure.found.has_value());
    CHECK(b.failure.found->module == "head");
    CHECK(b.failure.found->what == "output");
    CHECK(b.failure.found->op == "log");
    CHECK(b.failure.found->element == 1);
    CHECK(b.failure.found->elements == 8);
    CHECK(b.failure.found->value == -std::numeric_limits<double>::infinity());
    CHECK(std::isnan(b.failure.loss));
    CHECK(b.failure.gradient_norm == s.bundle.failure.gradient_norm);

    Small fresh;
    for (int64_t i = 0; i < fresh.store.size(); ++i) fresh.store.data()[i] = 0;
    fresh.store.state_values(*fresh.state)[1] = 9;
    fresh.store.state_updates(*fresh.state) = 0;
    file.load(fresh.store);
    CHECK(std::vector<real>(s.store.data(), s.store.data() + s.store.size()) ==
          std::vector<real>(fresh.store.data(), fresh.store.data() + fresh.store.size()));
    CHECK(fresh.store.state_values(*fresh.state)[1] == real(0.5));
    CHECK(fresh.store.state_updates(*fresh.state) == 41);
}

TEST_CASE("a batch without a source, two batches, a failure without an op") {
    Small s;
    s.bundle.batches[0].source = Ids();
    s.bundle.batches.push_back(s.bundle.batches[0]);
    s.bundle.failure.found.reset();
    CHECK(s.complaint().empty());
    const BundleFile file(s.path());
    REQUIRE(file.bundle().batches.size() == 2);
    CHECK(file.bundle().batches[1].source.rows == 0);
    CHECK(equal(file.bundle().batches[1].input, s.bundle.batches[1].input));
    CHECK_FALSE(file.bundle().failure.found.has_value());
}

TEST_CASE("segments and labels, and what the targets are") {
    Small s;
    s.bundle.vocabularies = {0, 5, TargetKind::masked, 3};
    Batch& b = s.bundle.batches[0];
    b.source = Ids();
    b.segments = Ids(2, 2);
    b.segments.values = {0, 1, 1, 0};
    b.segments.lengths = {2, 1};
    b.labels = {2, 0};
    CHECK(s.complaint().empty());
    const BundleFile file(s.path());
    CHECK(equal(file.bundle().batches[0].segments, b.segments));
    CHECK(file.bundle().batches[0].labels == b.labels);
    CHECK(file.bundle().vocabularies.targets == TargetKind::masked);
    CHECK(file.bundle().vocabularies.classes == 3);
    const std::string where = s.path().string();
    b.labels = {2, 3};
    CHECK(s.complaint() == where + ": batch 0: label out of range: row 1 has 3, classes 3");
    b.labels = {2};
    CHECK(s.complaint() == where + ": batch 0: one label a row: rows 2, labels 1");
    b.labels.clear();
    b.segments = Ids(2, 3);
    CHECK(s.complaint() == where + ": batch 0 does not fit together: segments 2 x 3, input 2 x 2");
}

TEST_CASE("every byte counts") {
    Small s;
    CHECK(s.complaint().empty());
    const std::string bytes = read_file(s.path(), 1 << 20);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::string flipped = bytes;
        flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 7)));
        overwrite(s.path(), flipped);
        CAPTURE(i);
        const std::string complaint = s.complaint_of_file();
        // The header is filled up with blanks, and the digits of an escaped line feed are of either
        // case.
        if (bytes[i] != ' ' && bytes.substr(i - std::min<std::size_t>(i, 5), 6) != "\\u000a")
            CHECK(contains(complaint, s.path().string()));
    }
    for (std::size_t size = 0; size < bytes.size(); size += 41) {
        overwrite(s.path(), bytes.substr(0, size));
        CAPTURE(size);
        CHECK(contains(s.complaint_of_file(), s.path().string()));
    }
    overwrite(s.path(), bytes);
    CHECK(s.complaint_of_file().empty());
}

TEST_CASE("bundles that do not hold together") {
    struct Case {
        const char* message;
        void (*break_it)(Bundle& b);
    };
    const Case cases[] = {
        {": tensor 'batch.0.source': id out of range: element 1 is 6, allowed 0 to 5",
         [](Bundle& b) { b.batches[0].source.values[1] = 6; }},
        {": tensor 'batch.0.input': id out of range: element 3 is -1, allowed 0 to 4",
         [](Bundle& b) { b.batches[0].input.values[3] = -1; }},
        {": tensor 'batch.0.target': id out of range: element 0 is -2, allowed -1 to 4",
         [](Bundle& b) { b.batches[0].target.values[0] = -2; }},
        {": tensor 'batch.0.source_lengths': length out of range: row 1 has 4, columns 3",
         [](Bundle& b) { b.batches[0].source.lengths[1] = 4; }},
        {": batch 0 does not fit together: source 2 rows, input 2 x 2, target 3 x 2",
         [](Bundle& b) { b.batches[0].target = Ids(3, 2); }},
        {": batch 0: one example number a row: rows 2, numbers 1", [](Bundle& b) { b.batches[0].examples.pop_back(); }},
        {": examples: expected a list for each batch, got 0", [](Bundle& b) { b.batches.clear(); }},
        {": steps_done: out of range: value 4294967296, most 4000000000", [](Bundle& b) { b.steps_done = int64_t{1} << 32; }},
        {": target_vocabulary: out of range: value 1099511627776, most 2147483647",
         [](Bundle& b) { b.vocabularies.target_vocabulary = int64_t{1} << 40; }},
        {": precision: unknown: value 'f16', known f32, f64", [](Bundle& b) { b.precision = "f16"; }},
        {": config: automatic values are still to be chosen: train.steps 12, train.shards 0",
         [](Bundle& b) { b.experiment.train.shards = 0; }},
    };
    for (const Case& c : cases) {
        Small s;
        c.break_it(s.bundle);
        CHECK(s.complaint() == s.path().string() + c.message);
    }
}

TEST_CASE("files that are no bundles, and bundles of other models") {
    Small s;
    CHECK(contains(s.complaint_of_file(), "x.safetensors"));
    write_safetensors(s.path(), {});
    CHECK(s.complaint_of_file() ==
          s.path().string() + ": not a bundle: no metadata 'bundle'; only a run that diverged writes one");
    write_safetensors(s.path(), {}, {{"bundle", "{\"format\": 2}"}, {"config", "{}"}});
    CHECK(s.complaint_of_file() == s.path().string() + ": another format: file 2, this program 1");
    write_safetensors(s.path(), {}, {{"bundle", std::string(100000, '[')}, {"config", "{}"}});
    CHECK(contains(s.complaint_of_file(), "nested too deeply: depth 65, limit 64, line 1, byte 65 of 100000"));
    write_safetensors(s.path(), {}, {{"bundle", "[]"}, {"config", "{}"}});
    CHECK(s.complaint_of_file() == s.path().string() + ": expected a JSON object, got a JSON array");

    write_bundle(s.path(), s.bundle, s.store);
    Small other("c");
    CHECK(message_of([&] { BundleFile(s.path()).load(other.store); }) ==
          s.path().string() +
              ": 1 parameter missing (c), 1 unknown to this model (b); it holds 3 tensors, 3 expected; its "
              "config makes another model");
}

TEST_CASE("the command says what is wrong, with exit code 2") {
    Small s;
    write_bundle(s.path(), s.bundle, s.store);
    const auto check = [](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "check");
        const Outcome o = attend_command(arguments);
        CHECK(o.out.empty());
        return std::to_string(o.code) + " " + o.error;
    };
    const std::string path = s.path().string();
    CHECK(contains(check({path}), "parameters missing ("));
    CHECK(check({path}).starts_with("2 attend: " + path));
    CHECK(contains(check({path, "--rows", "3", "--set", "a=b"}),
                   "a bundle is replayed as it was recorded: options given --set, --rows, options allowed --threads"));
    CHECK(check({(s.folder / "none.safetensors").string()}).starts_with("2 attend: "));
    CHECK(check({s.folder.path().string()})
              .starts_with("2 attend: " + (s.folder / "bundle.safetensors").string() + ": no bundle in this folder"));
}

TEST_SUITE_END();

}  // namespace bundle_test
