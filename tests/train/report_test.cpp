#include "train/show/report/report.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/safetensors.h"
#include "tests/train/commands.h"
#include "tests/train/page_support.h"
#include "train/evaluate/evaluate.h"
#include "train/exchange/pretrained.h"
#include "train/experiment/assemble.h"
#include "train/records/maps.h"

namespace attend::ATTEND_PRECISION {

using testing::attend_command;
using testing::contains;
using testing::message_of;
using testing::Outcome;
using testing::PagedRun;

namespace {

std::vector<int64_t> steps_of(const std::filesystem::path& run) {
    std::vector<int64_t> steps;
    for (const auto& [step, path] : map_files(run / "maps")) steps.push_back(step);
    return steps;
}

std::vector<std::filesystem::path> paths(std::initializer_list<std::filesystem::path> all) { return all; }

bool noted(const Json& data, const std::string& part) {
    return std::any_of(data["notes"].begin(), data["notes"].end(),
                       [&](const Json& note) { return contains(note.get<std::string>(), part); });
}

// The row of an option in what run_config() gives.
Json option(const Json& rows, const std::string& path) {
    for (const Json& row : rows)
        if (row["path"] == path)
            return row;
    return nullptr;
}

void write(const std::filesystem::path& path, const std::string& text) { std::ofstream(path) << text; }

// The lines of metrics.jsonl without what depends on the clock.
std::vector<Json> timeless(std::vector<Json> lines) {
    for (Json& line : lines)
        for (const char* name : {"seconds", "tokens_per_second"}) line.erase(name);
    return lines;
}

constexpr const char* text_config = R"({
    "data": {"task": "text", "path": "words.txt", "valid_fraction": 0.3},
    "model": {"type": "gpt", "layers": 2, "heads": 2, "width": 8, "context": 300},
    "train": {"steps": 2, "batch": 2, "evaluate_every": 1, "shards": 1}
})";

}  // namespace

TEST_SUITE_BEGIN("run_report");

TEST_CASE("report: looking at maps changes nothing of a run") {
    const PagedRun small;
    small.run("looked");
    small.run("blind", {"train.maps=0"});
    CHECK(small.model("looked") == small.model("blind"));
    CHECK(timeless(small.metrics("looked")) == timeless(small.metrics("blind")));
    CHECK(steps_of(small / "looked") == std::vector<int64_t>{4, 8, 12});
    CHECK_FALSE(std::filesystem::exists(small / "blind/maps"));
}

TEST_CASE("report: kept maps are what the model of that step attends to") {
    const PagedRun small;
    small.run("run");
    const KeptMaps kept = read_maps(small / "run/maps/step-12.safetensors");
    CHECK(kept.step == 12);
    CHECK(kept.split == "valid");
    REQUIRE(kept.examples.size() == 3);

    const RunFolder folder(small / "run");
    const Experiment experiment = folder.experiment();
    const std::unique_ptr<Task> task = make_task(experiment, "");
    const ModelInStore made = make_model(experiment, *task);
    load_model(folder.last(), *made.store);
    Workers workers(1);
    std::size_t compared = 0;
    EvaluationSetup setup;
    setup.batch = 8;
    setup.each_example = [&](const EvaluatedExample& e) {
        for (std::size_t i = 0; i < kept.examples.size(); ++i) {
            const KeptExample& example = kept.examples[i];
            const std::string source = task->source_text(Split::valid, static_cast<int64_t>(i));
            CHECK(example.number == static_cast<int64_t>(i));
            if (e.source != source || e.attention.rows == 0)
                continue;
            REQUIRE(example.maps.size() == 1);
            const KeptMap& map = example.maps.front();
            CHECK(map.site == "attention");
            CHECK(map.rows == "target");
            CHECK(map.columns == "source");
            REQUIRE(map.shape == Shape{e.attention.rows, e.attention.columns});
            CHECK(example.source.size() == static_cast<std::size_t>(map.shape[1]));
            CHECK(example.target.size() == static_cast<std::size_t>(map.shape[0]));
            CHECK(example.target.back() == "</s>");
            CHECK(example.gold.size() == e.gold.size());
            for (std::size_t k = 0; k < map.weights.size(); ++k)
                CHECK(map.weights[k] == doctest::Approx(e.attention.weights[k]).epsilon(1e-4));
            ++compared;
        }
    };
    evaluate(*made.model, *task, setup, workers);
    CHECK(compared >= 3);
}

TEST_CASE("report: a run that was stopped and resumed keeps the same maps, and none of later steps") {
    const PagedRun small;
    small.run("whole");
    TrainRequest request = small.request("parts");
    int64_t done = 0;
    request.after_step = [&](int64_t step) { done = step; };
    request.stop = [&] { return done == 6; };
    CHECK(train(request).status == Status::stopped);
    CHECK(std::filesystem::exists(small / "parts/report.html"));
    std::filesystem::copy_file(small / "parts/maps/step-4.safetensors", small / "parts/maps/step-7.safetensors");
    request.stop = nullptr;
    request.after_step = nullptr;
    request.existing = Existing::resume;
    CHECK(train(request).status == Status::finished);
    REQUIRE(steps_of(small / "parts") == steps_of(small / "whole"));
    for (const auto& [step, path] : map_files(small / "whole/maps"))
        CHECK(small.text(path) == small.text(small / "parts/maps" / path.filename()));
    request.existing = Existing::overwrite;
    request.experiment = small.request("parts", {"train.maps=0"}).experiment;
    train(request);
    CHECK_FALSE(std::filesystem::exists(small / "parts/maps"));
}

TEST_CASE("report: hard attention shows what it chose from, and what it chose") {
    const PagedRun small;
    small.run("hard", {R"(model.attention.select={"type": "hard"})"});
    const KeptMaps kept = read_maps(small / "hard/maps/step-12.safetensors");
    REQUIRE_FALSE(kept.examples.empty());
    for (const KeptExample& example : kept.examples)
        for (const KeptMap& map : example.maps) {
            REQUIRE(static_cast<int64_t>(map.chosen.size()) == map.shape[0]);
            for (int64_t r = 0; r < map.shape[0]; ++r) {
                const auto row = map.weights.begin() + r * map.shape[1];
                const auto largest = std::max_element(row, row + map.shape[1]);
                CHECK(largest - row == map.chosen[static_cast<std::size_t>(r)]);  // in evaluation it reads the likeliest
                CHECK(*largest < 1);
            }
        }
    const Json data = run_data(RunFolder(small / "hard"), room_for_maps);
    CHECK(data["maps"]["examples"][0]["frames"][0]["chosen"]["attention"].size() ==
          data["maps"]["examples"][0]["maps"][0]["shape"][0].get<std::size_t>());
}

TEST_CASE("report: all sites, layers and heads of a transformer are kept, and of a long text its beginning") {
    const PagedRun small;
    small.run("transformer",
              {R"(model={"type": "transformer_seq2seq", "layers": 2, "heads": 2, "width": 8})", "train.steps=4"});
    const KeptMaps kept = read_maps(small / "transformer/maps/step-4.safetensors");
    std::vector<std::string> sites;
    for (const KeptMap& map : kept.examples.at(0).maps) sites.push_back(map.site + " " + map.rows + " " + map.columns);
    for (const char* site : {"encoder.0.self.heads.1 source source", "encoder.1.self.heads.0 source source",
                             "decoder.1.self.heads.1 input input", "decoder.0.cross.heads.0 target source"})
        CHECK_MESSAGE(std::count(sites.begin(), sites.end(), site) == 1, site);
    CHECK(sites.size() == 12);

    std::string text;
    for (int i = 0; i < 600; ++i) text += "a word, ";
    write(small / "words.txt", text);
    write(small / "text.json", text_config);
    TrainRequest request;
    request.experiment = read_experiment((small / "text.json").string(), {});
    request.folder = (small / "text").string();
    CHECK(train(request).status == Status::finished);
    const KeptMaps long_ones = read_maps(small / "text/maps/step-2.safetensors");
    const KeptExample& first = long_ones.examples.at(0);
    CHECK(first.target_length == 300);
    CHECK(first.maps.size() == 4);
    for (const KeptMap& map : first.maps) {
        CHECK(map.shape == Shape{longest_map, longest_map});
        CHECK(map.rows == "input");
        for (int64_t r = 0; r < longest_map; ++r) {  // causal: what was cut off would have been 0
            double sum = 0;
            for (int64_t c = 0; c < longest_map; ++c)
                sum += static_cast<double>(map.weights[static_cast<std::size_t>(r * longest_map + c)]);
            CHECK(sum == doctest::Approx(1).epsilon(1e-4));
        }
    }
    Json notes = Json::array();
    const Json maps = run_maps(RunFolder(small / "text"), room_for_maps, notes);
    CHECK(maps["examples"][0]["maps"][0]["triangle"] == true);
    const std::size_t values = longest_map * (longest_map + 1) / 2 * 4;
    CHECK(maps["examples"][0]["frames"][0]["weights"].get<std::string>().size() == (values * sizeof(real) + 2) / 3 * 4);
}

TEST_CASE("report: without a validation split the maps are of training examples") {
    const PagedRun small;
    small.run("train_only", {"train.overfit_one_batch=true", "train.checkpoint_every=6", "train.maps=2"});
    CHECK(steps_of(small / "train_only") == std::vector<int64_t>{6, 12});
    CHECK(read_maps(small / "train_only/maps/step-6.safetensors").split == "train");
    CHECK(read_maps(small / "train_only/maps/step-6.safetensors").examples.size() == 2);
    CHECK(run_data(RunFolder(small / "train_only"), room_for_maps)["metrics"].contains("train"));
}

TEST_CASE("report: of very many evaluations some maps go, first and last and the distances between them stay") {
    const PagedRun small;
    small.run("many", {"train.steps=50", "train.evaluate_every=1", "train.evaluate_decode=false", "train.best_metric=loss"});
    const std::vector<int64_t> steps = steps_of(small / "many");
    CHECK(static_cast<int64_t>(steps.size()) == most_map_files);
    CHECK(steps.front() == 1);
    CHECK(steps.back() == 50);
    for (std::size_t i = 1; i < steps.size(); ++i) CHECK(steps[i] - steps[i - 1] <= 2);

    const RunFolder run(small / "many");
    Json notes = Json::array();
    const Json all = run_maps(run, room_for_maps, notes);
    CHECK(notes.empty());
    CHECK(all["examples"].size() == 3);
    CHECK(all["examples"][0]["frames"].size() == static_cast<std::size_t>(most_map_files));
    const Json fewer = run_maps(run, 6000, notes);
    CHECK(fewer["examples"][0]["frames"].size() < static_cast<std::size_t>(most_map_files));
    CHECK(fewer.dump().size() < 9000);  // with the symbols, which are counted roughly
    CHECK(all.dump().size() > 20000);
    CHECK(fewer["examples"][0]["frames"].front()["step"] == 1);
    CHECK(fewer["examples"][0]["frames"].back()["step"] == 50);
    CHECK(contains(notes[0].get<std::string>(), "it shows the maps of"));
    CHECK(run_maps(run, 50, notes).is_null());
}

TEST_CASE("report: options stand beside their defaults") {
    const PagedRun small;
    small.run("run");
    Json config = Json::parse(small.text("run/config.json"));
    config["data"]["from_the_future"] = {{"x", 1}};
    const Json rows = run_config(config);
    CHECK(option(rows, "optimizer.learning_rate")["value"] == "0.01");
    CHECK(option(rows, "optimizer.learning_rate")["default"] == "0.001");
    CHECK(option(rows, "optimizer.learning_rate")["changed"] == true);
    CHECK(option(rows, "optimizer.type")["changed"] == false);
    CHECK(option(rows, "data.task")["value"] == "\"copy\"");
    CHECK(option(rows, "model.attention.score.type")["value"] == "\"additive\"");
    CHECK(option(rows, "train.clip_value")["changed"] == false);
    CHECK(contains(option(rows, "train.clip_value")["help"].get<std::string>(), "largest absolute value"));
    CHECK(option(rows, "data.from_the_future.x")["value"] == "1");
    for (const Json& row : rows)
        CHECK(std::count_if(rows.begin(), rows.end(), [&](const Json& r) { return r["path"] == row["path"]; }) == 1);
}

TEST_CASE("report: what is missing or broken in a run's folder is said, and the rest is shown") {
    const PagedRun small;
    small.run("run");
    const Json whole = run_data(RunFolder(small / "run"), room_for_maps);
    CHECK(whole["notes"].empty());
    CHECK(whole["name"] == "small");
    CHECK(whole["samples"].size() == 3);
    CHECK(whole["samples"][2]["step"] == 12);
    CHECK(whole["samples"][2]["items"].size() == 4);
    CHECK(whole["metrics"]["valid"]["step"] == Json({4, 8, 12}));
    CHECK(whole["metrics"]["train"]["values"]["loss"].size() == 3);
    CHECK(whole["summary"]["status"] == "finished");
    CHECK(whole["lab"].is_null());

    std::filesystem::remove(small / "run/samples.txt");
    std::filesystem::remove(small / "run/summary.json");
    write(small / "run/metrics.jsonl",
          "{\"step\": 1, \"split\": \"train\", \"loss\": \"nan\", \"odd\": {}}\nnot json\n[1]\n{\"step\": 2, \"split\": "
          "\"train\", "
          "\"loss\": \"inf\"}\n{\"step\": 3, \"spl");
    write(small / "run/lab.json", "{");
    std::string deep;
    for (int i = 0; i < 400'000; ++i) deep += R"({"a":)";
    std::filesystem::create_directories(small / "run/checkpoints/last");
    write(small / "run/checkpoints/last/state.json", deep + "1" + std::string(400'000, '}'));
    write(small / "run/maps/step-4.safetensors", "no safetensors");
    write_safetensors(small / "run/maps/step-8.safetensors", {},
                      {{"maps", R"({"step": 8, "split": "valid", "examples": [{}]})"}});
    const Json rest = run_data(RunFolder(small / "run"), room_for_maps);
    CHECK(noted(rest, "no samples (samples.txt)"));
    CHECK(noted(rest, "there is no summary.json"));
    CHECK(noted(rest, "metrics.jsonl: 3 lines are no metrics"));
    CHECK(noted(rest, "lab.json is left out"));
    CHECK(noted(rest, "state.json: nested too deeply: depth 65, limit 64"));
    CHECK(noted(rest, "Maps of step 4 are left out"));
    CHECK(noted(rest, "member missing: 'number'"));
    CHECK(rest["metrics"]["train"]["values"]["loss"] == Json({"nan", "inf"}));
    CHECK_FALSE(rest["metrics"]["train"]["values"].contains("odd"));
    CHECK(rest["maps"]["examples"][0]["frames"].size() == 1);
    CHECK(report_page(paths({small / "run"})).size() > 200'000);

    std::filesystem::remove(small / "run/config.json");
    CHECK(contains(message_of([&] { report_page(paths({small / "run"})); }), "no run in this folder"));
    CHECK(contains(message_of([&] { report_page({}); }), "nothing to report"));
}

TEST_CASE("report: long curves keep their peaks, long samples their first and last") {
    const PagedRun small;
    small.run("run", {"train.steps=1"});
    std::string metrics, samples;
    for (int i = 1; i <= 20000; ++i)
        metrics += fmt::format("{{\"step\":{},\"split\":\"train\",\"loss\":{}}}\n", i, i == 7777 ? 99 : 1);
    for (int i = 1; i <= 500; ++i)
        samples += fmt::format("== step {}  loss 1\nsource     a\nreference  b\ndecoded    c {}\n\n", i, i);
    write(small / "run/metrics.jsonl", metrics);
    write(small / "run/samples.txt", samples + "== step 500  attention of the first example\n x y\n");
    const Json data = run_data(RunFolder(small / "run"), room_for_maps);
    const Json& loss = data["metrics"]["train"]["values"]["loss"];
    CHECK(loss.size() <= most_points);
    CHECK(std::count(loss.begin(), loss.end(), 99) == 1);
    CHECK(data["metrics"]["train"]["step"].front() == 1);
    CHECK(data["metrics"]["train"]["step"].back() == 20000);
    CHECK(data["samples"].size() == most_sampled);
    CHECK(data["samples"].front()["step"] == 1);
    CHECK(data["samples"].back()["items"][0]["decoded"] == "c 500");
    CHECK(noted(data, "Curves of the train split show"));
    CHECK(noted(data, "Samples of 60 of 500"));
}

TEST_CASE("report: the command writes beside one run, here for several, and where it is told") {
    const PagedRun small;
    small.run("one", {"train.steps=4"});
    std::filesystem::remove(small / "one/report.html");
    const std::string one = (small / "one").string();
    Outcome o = attend_command({"report", one});
    CHECK(o.code == 0);
    CHECK(o.out == one + "/report.html\n");
    CHECK(contains(small.text("one/report.html"), "<title>small</title>"));
    const std::string to = (small / "both.html").string();
    o = attend_command({"report", one, one, "--out", to});
    CHECK(o.code == 0);
    CHECK(contains(small.text("both.html"), "<title>small and 1 other run</title>"));
    o = attend_command({"report", (small / "nowhere").string()});
    CHECK(o.code == 2);
    CHECK(contains(o.error, "no such run"));
    CHECK(attend_command({"report"}).code == 2);
    CHECK(attend_command({"report", one, "--out", (small / "no/such/folder.html").string()}).code == 2);
}

TEST_CASE("report: a report or maps that cannot be written do not lose the run") {
    const PagedRun small;
    TrainRequest request = small.request("run");
    request.after_step = [&](int64_t) {  // folders of these names, with something in them
        std::filesystem::create_directories(small / "run/report.html/in the way");
        std::ofstream(small / "run/maps") << "in the way";
    };
    CHECK(train(request).status == Status::finished);
    CHECK(small.summary("run")["status"] == "finished");
    CHECK(std::filesystem::is_directory(small / "run/report.html"));
}

TEST_CASE("report: a diverged run has one, too") {
    const PagedRun small;
    CHECK_FALSE(message_of<Diverged>([&] {
                    small.run("run",
                              {R"(optimizer={"type": "sgd", "learning_rate": 500, "weight_decay": 0.01})", "schedule=constant",
                               "train.clip_norm=0", "train.steps=1000", "train.evaluate_every=1000"});
                }).empty());
    CHECK(contains(small.text("run/report.html"), "\"status\":\"diverged\""));
}

TEST_SUITE_END();

}  // namespace attend::ATTEND_PRECISION
