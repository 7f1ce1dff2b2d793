// Other people's files inside and beside runs, exports and comparisons stay as they are, byte for
// byte.
#include <doctest/doctest.h>

#include "tests/oracles/snapshot.h"
#include "tests/train/commands.h"
#include "tests/train/foreign_support.h"
#include "tests/train/run_support.h"
#include "train/records/resume.h"

namespace foreign_files_test {

TEST_SUITE_BEGIN("train: other people's files");

using namespace attend;
using attend::oracles::changed;
using attend::oracles::Snapshot;
using attend::oracles::snapshot;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::furnish;
using attend::testing::furnish_outside;
using attend::testing::is_a_runs;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallRun;
using attend::testing::write;
namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

namespace {

// What has changed below `root` but for a run's own files in `run`.
Strings touched(const SmallRun& files, const Snapshot& before, const std::string& run) {
    Strings others;
    for (const std::string& path : changed(before, snapshot(files / ""))) {
        const bool ours = path == run || (path.starts_with(run + "/") && is_a_runs(path.substr(run.size() + 1)));
        if (!ours)
            others.push_back(path);
    }
    return others;
}

const Strings none;

}  // namespace

TEST_CASE("train, --resume, --overwrite, average and report leave a furnished folder and all beside it as they are") {
    const SmallRun files;
    furnish_outside(files / "outside");
    furnish(files / "run", files / "outside");
    const Snapshot before = snapshot(files / "");
    const std::string run = (files / "run").string(), config = (files / "small.json").string();
    const auto trains = [&](Strings more) {
        more.insert(more.begin(), {"train", config, "--out", run, "--set", "train.keep=1", "--set", "train.tensorboard=true"});
        const Outcome o = attend_command(more);
        CHECK_MESSAGE(o.code == 0, o.error);
        CHECK(files.summary("run")["status"] == "finished");
        CHECK(fs::exists(files / "run/checkpoints/last/state.json"));
        CHECK(fs::exists(files / "run/maps/step-12.safetensors"));
        CHECK(touched(files, before, "run") == none);
    };
    trains({});
    trains({"--resume"});
    trains({"--resume", "--extend", "--set", "train.steps=16", "--set", "schedule=constant"});
    CHECK(fs::exists(files / "run/checkpoints/step-16"));
    trains({"--overwrite"});
    // what was ours is new: no line of the longer run is left
    for (const Json& line : files.metrics("run")) CHECK(line["step"].get<int64_t>() <= 12);
    CHECK(!fs::exists(files / "run/checkpoints/step-16"));

    Outcome o = attend_command({"average", run, "--last", "2"});
    CHECK_MESSAGE(o.code == 0, o.error);
    CHECK(fs::exists(files / "run/checkpoints/average/state.json"));
    CHECK(touched(files, before, "run") == none);
    o = attend_command({"report", run});
    CHECK_MESSAGE(o.code == 0, o.error);
    CHECK(touched(files, before, "run") == none);
    // and once more over the average
    trains({"--overwrite"});
}

TEST_CASE("a run with a vocabulary, exported into a furnished folder, leaves all but its own files") {
    const SmallRun files;
    furnish_outside(files / "outside");
    for (const char* folder : {"run", "hf"}) furnish(files / folder, files / "outside");
    std::string text;
    for (int i = 0; i < 100; ++i) text += "lower and lower, newer and newer\n";
    write(files / "a.txt", text);
    write(files / "gpt.json", R"({"data": {"task": "text", "path": "a.txt", "tokenizer": {"type": "bpe", "merges": 9}},
        "model": {"type": "gpt", "layers": 1, "heads": 2, "width": 8, "context": 16},
        "train": {"steps": 2, "batch": 4, "shards": 1}})");
    const Snapshot before = snapshot(files / "");
    const std::string run = (files / "run").string();
    for (const char* how : {"", "--resume", "--overwrite"}) {
        CAPTURE(how);
        Strings words = {"train", (files / "gpt.json").string(), "--out", run};
        if (*how != '\0')
            words.emplace_back(how);
        const Outcome o = attend_command(words);
        CHECK_MESSAGE(o.code == 0, o.error);
        CHECK(touched(files, before, "run") == none);
    }
    write(files / "hf/.model.safetensors.attend-partial-2147483647-1", "half");  // of an export that was killed
    fs::last_write_time(files / "hf/.model.safetensors.attend-partial-2147483647-1",
                        fs::file_time_type::clock::now() - std::chrono::hours(25));
    const Outcome o = attend_command({"export", run, (files / "hf").string()});
    CHECK_MESSAGE(o.code == 0, o.error);
    Strings exported;
    for (const std::string& path : touched(files, before, "run"))
        if (path != "hf")
            exported.push_back(path);
    CHECK(exported == Strings{"hf/config.json", "hf/merges.txt", "hf/model.safetensors", "hf/tokenizer.txt",
                              "hf/tokenizer_config.json", "hf/vocab.json"});
    // A link is somebody's too, wherever it points.
    fs::create_directories(files / "other");
    fs::create_symlink(files / "outside/new", files / "other/tokenizer.txt");
    const Snapshot now = snapshot(files / "");
    CHECK(contains(attend_command({"export", run, (files / "other").string()}).error, "tokenizer.txt: there is one already"));
    CHECK(changed(now, snapshot(files / "")) == none);
}

TEST_CASE("--overwrite touches no folder that is not a run's, and names what it found") {
    const std::string published = R"({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"})";
    for (const auto& [name, text] : {std::pair<std::string, std::string>{"config.json", published},
                                     {"config.json", "{\"format\": 1}"},
                                     {"config.json", testing::small_config},
                                     {"config.json", "{\"format\": 1, \"data\""},
                                     {"checkpoints/step-4/model.safetensors", "mine"},
                                     {"maps/step-4.safetensors", "mine"},
                                     {"vocabulary/tokenizer.txt", "mine"},
                                     {"metrics.jsonl", "mine"},
                                     {"log.txt", "mine"}}) {
        CAPTURE(name);
        CAPTURE(text);
        const SmallRun files;
        write(files / "run" / name, text);
        write(files / "run/checkpoints/.git/HEAD", "mine");
        const Snapshot before = snapshot(files / "");
        for (const char* how : {"--overwrite", "--set=seed=3"}) {
            CAPTURE(how);
            const Outcome o =
                attend_command({"train", (files / "small.json").string(), "--out", (files / "run").string(), how});
            CHECK(o.code == 2);
            CHECK_MESSAGE(contains(o.error, "found " + name), o.error);
            CHECK(contains(o.error, "another --out"));
            CHECK(changed(before, snapshot(files / "")) == none);
        }
    }
    for (const char* name : {"maps/notes", "checkpoints/.git/HEAD", "vocabulary/words"}) {
        const SmallRun files;
        write(files / "run" / name, "mine");
        const Snapshot before = snapshot(files / "");
        TrainRequest request = files.request("run");
        request.existing = Existing::overwrite;
        const std::string message = message_of([&] { train(request); });
        CHECK_MESSAGE(
            contains(message, fmt::format("no run of this program to overwrite: found {}", fs::path(name).begin()->string())),
            message);
        CHECK(changed(before, snapshot(files / "")) == none);
        request.existing = Existing::refuse;  // beside it, a run has room
        CHECK(train(request).status == Status::finished);
        CHECK(touched(files, before, "run") == none);
    }
    // A run's config that is not here but elsewhere, and one whose first bytes alone are left.
    const SmallRun files;
    files.run("a");
    write(files / "b/metrics.jsonl", "mine");
    fs::create_symlink(files / "a/config.json", files / "b/config.json");
    fs::resize_file(files / "a/config.json", 40);
    for (const char* name : {"a", "b"}) {
        const Snapshot before = snapshot(files / "");
        CHECK(
            attend_command({"train", (files / "small.json").string(), "--out", (files / name).string(), "--overwrite"}).code ==
            2);
        CHECK(changed(before, snapshot(files / "")) == none);
    }
}

TEST_CASE(
    "--resume begins no run in the place of somebody's files, and a copy of a checkpoint under another name is its owner's") {
    {
        const SmallRun files;
        write(files / "a/config.json", testing::small_config);
        for (const char* name : {"log.txt", "report.html", "samples.txt", "summary.json"}) write(files / "a" / name, "mine");
        const Snapshot before = snapshot(files / "");
        const std::string config = (files / "a/config.json").string();
        const Outcome o = attend_command({"train", config, "--out", (files / "a").string(), "--resume"});
        CHECK(o.code == 2);
        CHECK_MESSAGE(contains(o.error, "no run of this program to resume: config.json is none that attend train wrote"),
                      o.error);
        CHECK(changed(before, snapshot(files / "")) == none);
    }
    const SmallRun files;
    files.run("run");
    fs::copy(files / "run/checkpoints/step-12", files / "run/checkpoints/my copy", fs::copy_options::recursive);
    const Snapshot before = snapshot(files / "run/checkpoints/my copy");
    TrainRequest request = files.request("run");
    request.existing = Existing::overwrite;
    CHECK(train(request).status == Status::finished);
    CHECK(changed(before, snapshot(files / "run/checkpoints/my copy")) == none);
}

TEST_CASE("--resume with a run's own config.json goes on with that run, whatever its name") {
    const SmallRun files;
    files.run("here", {"name=other", "schedule=constant"});
    const Outcome o =
        attend_command({"train", (files / "here/config.json").string(), "--resume", "--extend", "--set", "train.steps=16"});
    CHECK_MESSAGE(o.code == 0, o.error);
    CHECK(files.summary("here")["steps"] == 16);
}

TEST_CASE("a run that was killed while its folder was made or emptied is begun again, with --overwrite and without") {
    for (const int removed : {0, 1, 2, 3}) {
        CAPTURE(removed);
        const SmallRun files;
        if (removed == 0) {  // killed before anything was written
            write(files / "run/.lock", "99999\n");
        } else {  // killed while --overwrite removed what was there: config.json goes last
            files.run("run");
            for (const char* name : {"metrics.jsonl", "summary.json", "checkpoints/last", "checkpoints/best"})
                fs::remove(files / "run" / name);
            fs::remove(files / "run/checkpoints/step-12/state.json");
            if (removed > 1)
                fs::remove_all(files / "run/checkpoints");
            if (removed > 2)
                for (const char* name : {"log.txt", "samples.txt", "valid_scores.jsonl", "test_scores.jsonl", "report.html",
                                         "maps", "config.json"})
                    fs::remove_all(files / "run" / name);
        }
        write(files / "run/maps/notes", "mine");
        TrainRequest request = files.request("run");
        if (removed == 1 || removed == 2) {
            CHECK(contains(message_of([&] { train(request); }), "there is a run in this folder"));
            request.existing = Existing::overwrite;
        }
        CHECK(train(request).status == Status::finished);
        request.existing = Existing::overwrite;
        CHECK(train(request).status == Status::finished);
        CHECK(files.text("run/maps/notes") == "mine");
    }
}

TEST_CASE("links and second names in the place of a run's files are replaced, and what they lead to stays") {
    const SmallRun files;
    const Strings names = {"config.json",        "metrics.jsonl", "log.txt",     "samples.txt",
                           "valid_scores.jsonl", "summary.json",  "report.html", ".lock"};
    for (const char* kind : {"link", "dangling link", "second name"})
        for (const char* how : {"--resume", "--overwrite"}) {
            CAPTURE(kind);
            CAPTURE(how);
            fs::remove_all(files / "run");
            fs::remove_all(files / "outside");
            furnish_outside(files / "outside");
            const Strings words = {"train", (files / "small.json").string(), "--out", (files / "run").string()};
            REQUIRE(attend_command(words).code == 0);
            write(files / "run/.lock", "1\n");
            const auto lines = files.metrics("run").size();
            for (const std::string& name : names) {
                if (std::string(kind) == "dangling link" && name == "config.json")
                    continue;
                if (name == "config.json" && std::string(how) == "--overwrite")
                    continue;  // without it no run is there
                const fs::path here = files / "run" / name, there = files / "outside" / ("my " + name);
                fs::rename(here, there);
                if (std::string(kind) == "second name")
                    fs::create_hard_link(there, here);
                else
                    fs::create_symlink(there, here);
                if (std::string(kind) == "dangling link")
                    fs::remove(there);
            }
            const Snapshot before = snapshot(files / "outside");
            Strings again = words;
            again.insert(again.end(), {how, "--set", "train.steps=16", "--set", "schedule=constant"});
            if (std::string(how) == "--resume")
                again.emplace_back("--extend");
            const Outcome o = attend_command(again);
            CHECK_MESSAGE(o.code == 0, o.error);
            CHECK(changed(before, snapshot(files / "outside")) == none);
            for (const std::string& name : names)
                CHECK_MESSAGE((name == ".lock") != fs::is_regular_file(fs::symlink_status(files / "run" / name)), name);
            if (std::string(kind) != "dangling link" && std::string(how) == "--resume")
                CHECK(files.metrics("run").size() > lines);
        }
}

TEST_CASE("a link in the place of a run's folder is not written through") {
    for (const char* name : {"checkpoints", "maps", "vocabulary"}) {
        CAPTURE(name);
        const SmallRun files;
        files.run("run");
        fs::create_directories(files / "run" / name);
        fs::rename(files / "run" / name, files / "elsewhere");
        fs::create_symlink(files / "elsewhere", files / "run" / name);
        const Snapshot before = snapshot(files / "elsewhere");
        TrainRequest request = files.request("run", {"train.steps=16"});
        CHECK(contains(message_of([&] { train(request); }), "there is a run in this folder"));
        request.existing = Existing::resume;
        if (std::string(name) != "vocabulary") {  // which a resumed run only reads
            const std::string message = message_of([&] { train(request); });
            CHECK_MESSAGE(contains(message, fmt::format("run/{}: there is a link where a folder is needed", name)), message);
        }
        CHECK(changed(before, snapshot(files / "elsewhere")) == none);
        request.existing = Existing::overwrite;
        CHECK(train(request).status == Status::finished);
        CHECK(changed(before, snapshot(files / "elsewhere")) == none);
        CHECK(!fs::is_symlink(files / "run" / name));
    }
    {  // a checkpoint that was moved elsewhere: read by way of the link, replaced, never written into or removed
        const SmallRun files;
        files.run("run", {"train.keep=3"});
        const fs::path step = files / "run/checkpoints/step-12";
        fs::rename(step, files / "elsewhere");
        fs::create_symlink(files / "elsewhere", step);
        const Snapshot before = snapshot(files / "elsewhere");
        TrainRequest request = files.request("run", {"train.keep=1", "train.steps=24", "schedule=constant"});
        request.extend = Extend::with_schedule;
        for (const Existing existing : {Existing::resume, Existing::overwrite}) {
            request.existing = existing;
            CHECK(train(request).progressed.step == 24);
            CHECK(changed(before, snapshot(files / "elsewhere")) == none);
        }
        CHECK(!fs::is_symlink(step));
    }
    // The run's whole folder may be a link.
    const SmallRun files;
    fs::create_directories(files / "elsewhere");
    fs::create_symlink("elsewhere", files / "run");
    files.run("run");
    CHECK(files.summary("elsewhere")["status"] == "finished");
    CHECK(fs::is_symlink(files / "run"));
}

TEST_CASE("a lock that is no run's is left as it is") {
    const SmallRun files;
    for (const char* text : {"", "held by another tool\n", "12 34\n"}) {
        write(files / "run/.lock", text);
        TrainRequest request = files.request("run");
        request.existing = Existing::overwrite;
        CHECK(train(request).status == Status::finished);
        CHECK(files.text("run/.lock") == text);
    }
    fs::remove(files / "run/.lock");
    fs::create_directories(files / "run/.lock");
    TrainRequest request = files.request("run");
    request.existing = Existing::resume;
    CHECK(contains(message_of([&] { train(request); }), ".lock"));
}

TEST_CASE("average takes no name that is there, also that of a dangling link, and no checkpoints that are a link") {
    const SmallRun files;
    files.run("run", {"train.keep=2"});
    fs::create_symlink(files / "nowhere", files / "run/checkpoints/average");
    write(files / "run/checkpoints/.mine/file", "mine");
    const Snapshot before = snapshot(files / "");
    CHECK(contains(attend_command({"average", (files / "run").string()}).error, "there is something of that name already"));
    CHECK(changed(before, snapshot(files / "")) == none);
    CHECK(attend_command({"average", (files / "run").string(), "--name", "mine"}).code == 0);
    CHECK(files.text("run/checkpoints/.mine/file") == "mine");
    fs::rename(files / "run/checkpoints", files / "elsewhere");
    fs::create_symlink(files / "elsewhere", files / "run/checkpoints");
    const Snapshot moved = snapshot(files / "");
    CHECK(contains(attend_command({"average", (files / "run").string(), "--name", "b"}).error, "there is a link where"));
    CHECK(changed(moved, snapshot(files / "")) == none);
}

TEST_CASE("report writes over no page that is not ours where it chose the name") {
    const SmallRun files;
    write(files / "hf/config.json", R"({"model_type": "gpt2"})");
    write(files / "hf/report.html", "mine");
    const Snapshot before = snapshot(files / "");
    CHECK(attend_command({"report", (files / "hf").string()}).code == 2);
    CHECK(changed(before, snapshot(files / "")) == none);
    for (const char* name : {"a", "b"}) files.run(name);
    write(files / "report.html", "<html>coverage</html>");
    const fs::path here = fs::current_path();
    fs::current_path(files / "");
    const Outcome refused = attend_command({"report", "a", "b"});
    CHECK(refused.code == 2);
    CHECK_MESSAGE(contains(refused.error, "report.html: there is a file of that name that no report is"), refused.error);
    CHECK(files.text("report.html") == "<html>coverage</html>");
    fs::remove("report.html");
    CHECK(attend_command({"report", "a", "b"}).code == 0);
    CHECK(attend_command({"report", "a", "b"}).code == 0);
    fs::current_path(here);
}

TEST_SUITE_END();

}  // namespace foreign_files_test
