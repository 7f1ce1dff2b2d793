#include "train/experiment/assemble.h"
#include "train/experiment/objective.h"

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/base/user_cache.h"
#include "data/text/matching.h"
#include "train/config/describe.h"
#include "train/config/utf8.h"
#include "train/config/words.h"

namespace attend::ATTEND_PRECISION {

std::string seal_of(const std::vector<std::filesystem::path>& files) {
    std::vector<std::string> all;
    for (const std::filesystem::path& file : files) {
        const WrittenFile f = crc32_of_file(file);
        all.push_back(fmt::format("{} {} {:08x}", utf8::shown(file.filename().string()), f.bytes, f.crc32));
    }
    return joined(all);
}

std::string data_seal(const Experiment& experiment) {
    Selection data = experiment.data;
    std::vector<std::filesystem::path> files;
    for (const std::string& path : config::paths_of([&data](Visitor& v) { data.options().fields(v); }))
        for (const std::string& file : matching_files(path))
            if (!is_folder(file))  // of a vocabulary, which the run keeps
                files.emplace_back(file);
    return seal_of(files);
}

BatchOrder training_order(const Experiment& e) {
    auto seed = static_cast<uint64_t>(e.seed);
    if (e.train.batch_order > 0) {
        const Key other = stream_key(seed, fmt::format("batch_order.{}", e.train.batch_order));
        seed = uint64_t{other.a} << 32 | other.b;
    }
    return {.batch = e.train.batch, .seed = seed, .shuffled = true};
}

StepSettings step_settings(const Experiment& e) {
    return {.shards = e.train.shards,
            .clip_norm = e.train.clip_norm,
            .clip_value = e.train.clip_value,
            .seed = static_cast<uint64_t>(e.seed)};
}

ModelSetup vocabularies_of(const Task& task) {
    return {.source_vocabulary = task.source_vocabulary_size(),
            .target_vocabulary = task.target_vocabulary_size(),
            .targets = task.targets(),
            .classes = task.classes(),
            .segments = task.segments(),
            .symbols = task.same_symbols() ? Symbols::same : Symbols::separate};
}

void require_positions(const Task& task, const Model& model, Split split) {
    const PositionLimits limits = model.positions();
    const LongestExample longest = task.longest(split);
    const bool sources = task.source_vocabulary_size() > 0;
    const char* input_name = sources ? "a target, with the symbol that it begins with," : "a row";
    const auto check = [&](const LongestExample::Sequence& sequence, int64_t limit, const char* is) {
        require(
            limit == 0 || sequence.symbols <= limit,
            "{}: {} is longer than the model has positions for: symbols {}, model.{} {}; set model.{} to {} or more, or leave "
            "the example out{}{}",
            sequence.place, is, sequence.symbols, limits.option, limit, limits.option, sequence.symbols,
            longest.hint.empty() ? "" : "; ", longest.hint);
    };
    check(longest.source, limits.source, "a source");
    check(longest.input, limits.input, input_name);
    for (const Site& site : model.sites()) {
        const bool of_source = site.kind == SiteKind::cross || (site.kind == SiteKind::encoder && sources);
        const LongestExample::Sequence& sequence = of_source ? longest.source : longest.input;
        require(
            site.room == 0 || sequence.symbols <= site.room,
            "{}: {} is longer than the score of '{}' has weights for: symbols {}, model.{}.score.positions {}; set it to {} "
            "or more, or leave the example out{}{}",
            sequence.place, of_source ? "a source" : input_name, site.path, sequence.symbols, site.option, site.room,
            sequence.symbols, longest.hint.empty() ? "" : "; ", longest.hint);
    }
}

TaskSetup task_setup(const Experiment& experiment, const std::string& saved, Data data) {
    Selection model = experiment.model;
    const auto options = config::describe_fields([&model](Visitor& v) { model.options().fields(v); }, config::SeamRows::chosen);
    int64_t context = 0;
    for (const config::Option* o : config::leaves(options))
        if (o->name == "context")
            context = std::stoll(o->value);
    return {.seed = static_cast<uint64_t>(experiment.seed),
            .saved = saved,
            .load_data = data == Data::splits,
            .context = context,
            .cache = user_cache().string(),
            // The ids of a text take up to four times its bytes, so those in memory take at most
            // half of it.
            .cached_above = static_cast<int64_t>(memory::physical() / 8)};
}

ModelInStore make_model(const Experiment& experiment, const Task& task) {
    ModelInStore made = make_model(experiment, vocabularies_of(task));
    for (const Split split : {Split::train, Split::valid, Split::test}) require_positions(task, *made.model, split);
    return made;
}

ModelInStore make_model(const Experiment& experiment, const ModelSetup& vocabularies) {
    ModelInStore made;
    made.store = std::make_unique<ParameterStore>(static_cast<uint64_t>(experiment.seed));
    made.model = model_table().build(experiment.model, Scope(*made.store), vocabularies);
    freeze_parameters(experiment.init, *made.store);
    objective_table().build(experiment.objective)->check(*made.model);
    return made;
}

ModelInStore with_room_to_train(ModelInStore made, const TrainOptions& options) {
    const int64_t shards = options.shards;
    constexpr double optimizer_arrays = 2;
    const double weights = static_cast<double>(made.store->size()) * sizeof(real) / 0x1p20;
    const double needed = weights * ((options.average > 0 ? 2 : 1) + static_cast<double>(shards) + optimizer_arrays);
    const double memory = static_cast<double>(memory::physical()) / 0x1p20;
    require(needed <= memory,
            "model: training it needs more than this machine's memory: {} parameters in {} shards hold {:.0f} MiB, memory "
            "{:.0f} MiB; "
            "fewer shards or a smaller model may fit",
            made.store->count(), shards, needed, memory);
    return made;
}

}  // namespace attend::ATTEND_PRECISION
