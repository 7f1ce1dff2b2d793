#include "train/records/checkpoint.h"

#include <cmath>

#include "core/base/files.h"
#include "core/base/own_files.h"
#include "core/safetensors.h"
#include "optim/average.h"
#include "train/experiment/slots.h"
#include "train/records/build_info.h"
#include "train/records/record_reader.h"
#include "train/records/record_writer.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

constexpr const char* model_file = checkpoint_files[0];
constexpr const char* optimizer_file = checkpoint_files[1];
constexpr const char* state_file = checkpoint_files[2];
constexpr std::size_t largest_state = std::size_t{16} << 20;
constexpr int64_t checkpoint_format = 1;

// The optimiser's arrays, and the parameters that it moves where the model is their average.
std::vector<Slot> optimizer_slots(const Checkpointed& parts) {
    std::vector<Slot> slots;
    for (const OptimizerState& s : parts.optimizer.state(parts.live ? *parts.live : parts.model))
        slots.push_back({s.name, s.shape, s.values});
    if (parts.live)
        for (const Slot& slot : model_slots(*parts.live)) slots.push_back({"live." + slot.name, slot.shape, slot.data});
    return slots;
}

void require_finite(const std::vector<Slot>& slots, const char* what, int64_t step) {
    for (const Slot& slot : slots)
        for (int64_t i = 0; i < slot.shape.size(); ++i)
            if (!std::isfinite(slot.data[i]))
                throw Diverged(fmt::format("step {}: checkpoint: {} is not finite and is not saved: '{}' {}, element {} is {}",
                                           step, what, slot.name, slot.shape.text(), i, slot.data[i]));
}

RecordWriter record_of(const WrittenFile& file) { return {{"bytes", file.bytes}, {"crc32", crc_text(file.crc32)}}; }

WrittenFile write_slots(const fs::path& path, const std::vector<Slot>& slots) {
    std::vector<NamedArray> arrays;
    for (const Slot& s : slots) arrays.push_back({s.name, s.shape, s.data});
    return write_safetensors(path, arrays);
}

RecordWriter::Value record_of(const std::optional<ScoredStep>& scored) {
    if (!scored)
        return nullptr;
    RecordWriter scores;
    scores.set_scores(scored->scores);
    return RecordWriter{{"step", scored->step}, {"scores", scores}};
}

RecordWriter record_of(const MovingMoments& m) { return {{"mean", m.mean}, {"variance", m.variance}, {"count", m.count}}; }

MovingMoments moments_of(const RecordReader& m) { return {m.number("mean"), m.number("variance"), m.integer("count")}; }

// Adds the CRC-32 of what is in the record.
void seal(RecordWriter& state) {
    state.remove("crc32");
    state.set("crc32", checksum(state.json()));
}

RecordReader read_state(const fs::path& path) {
    auto state = RecordReader::of_text(path.string(), read_file(path, largest_state));
    const int64_t found = state.integer("format");
    require(found == checkpoint_format, "{}: another format: file {}, this program {}", path.string(), found,
            checkpoint_format);
    RecordWriter sealed(state.json());
    seal(sealed);
    const std::string expected = state.text("crc32"), actual = RecordReader(path.string(), sealed.json()).text("crc32");
    require(actual == expected, "{}: broken: CRC-32 of its contents {}, written in it {}", path.string(), actual, expected);
    return state;
}

std::optional<ScoredStep> scored_of(const RecordReader& state, const char* key) {
    if (state.is_null(key))
        return {};
    const RecordReader inner = state.object(key);
    return ScoredStep{inner.integer("step"), inner.scores("scores")};
}

void check_file(const fs::path& folder, const char* name, const RecordReader& files) {
    const fs::path path = folder / name;
    const RecordReader entry = files.object(name);
    const WrittenFile actual = crc32_of_file(path);
    const int64_t bytes = entry.integer("bytes");
    require(static_cast<int64_t>(actual.bytes) == bytes, "{}: broken: size {} bytes, state.json says {}", path.string(),
            actual.bytes, bytes);
    const std::string crc = crc_text(actual.crc32);
    require(crc == entry.text("crc32"), "{}: broken: CRC-32 {}, state.json says {}", path.string(), crc, entry.text("crc32"));
}

void read_arrays(const fs::path& folder, const char* name, const std::vector<Slot>& slots, const char* hint) {
    const SafetensorsFile file(folder / name);
    read_slots({&file, 1}, slots, {.where = folder.string(), .file = name, .hint = hint, .prefix = ""});
}

}  // namespace

void save_checkpoint(const fs::path& folder, const Checkpointed& parts, const Progressed& p) {
    const std::vector<Slot> model = model_slots(parts.model), arrays = optimizer_slots(parts);
    require_finite(model, "a parameter", p.step);
    require_finite(arrays, "an optimiser's value", p.step);
    std::error_code error;
    fs::create_directories(folder, error);
    ensure(!error, "{}: cannot make the checkpoint's folder: {}", folder.string(), error.message());

    RecordWriter updates;
    for (const NamedState& s : parts.model.states()) updates.set(s.name, parts.model.state_updates(s));
    const WrittenFile model_written = write_slots(folder / model_file, model);
    const WrittenFile optimizer_written = write_slots(folder / optimizer_file, arrays);
    RecordWriter state = {
        {"format", checkpoint_format},
        {"step", p.step},
        {"seconds", p.seconds},
        {"targets", p.targets},
        {"first_loss", p.first_loss},
        {"precision", precision_name},
        {"program", program_name()},
        {"line", RecordWriter{{"loss", p.line_sums.targets},
                              {"targets", p.line_counts.targets},
                              {"label_loss", p.line_sums.labels},
                              {"labels", p.line_counts.labels},
                              {"seconds", p.line_seconds},
                              {"lr", p.latest.learning_rate},
                              {"grad_norm", p.latest.gradient_norm},
                              {"loss_z", p.latest.loss_z},
                              {"grad_norm_z", p.latest.gradient_norm_z}}},
        {"train", record_of(p.train)},
        {"valid", record_of(p.valid)},
        {"best", record_of(p.best)},
        {"evaluations_since_best", p.evaluations_since_best},
        {"schedule", p.schedule},
        {"moments", RecordWriter{{"loss", record_of(p.loss)}, {"gradient_norm", record_of(p.gradient_norm)}}},
        {"data", p.data},
        {"weights", p.weights},
        {"vocabulary", p.vocabulary},
        {"state_updates", updates},
        {"files", RecordWriter{{model_file, record_of(model_written)}, {optimizer_file, record_of(optimizer_written)}}}};
    seal(state);
    write_file_atomically(folder / state_file, state.text(1) + "\n");
}

namespace {

// state.json and the files it speaks of, checked.
struct Opened {
    RecordReader state;
    Progressed progressed;
};

Opened open_checkpoint(const fs::path& folder, std::initializer_list<const char*> files_wanted) {
    require(fs::is_directory(folder), "{}: no checkpoint: not a folder", folder.string());
    Opened opened{read_state(folder / state_file), {}};
    const RecordReader& state = opened.state;
    const RecordReader files = state.object("files"), line = state.object("line"), moments = state.object("moments");
    for (const char* file : files_wanted) check_file(folder, file, files);

    Progressed& p = opened.progressed;
    p.step = state.integer("step");
    p.seconds = state.number("seconds");
    p.targets = state.has("targets") ? state.number("targets") : std::nan("");  // older ones did not count
    if (state.has("first_loss"))                                                // not in older ones
        p.first_loss = state.number("first_loss");
    if (state.has("weights"))
        p.weights = state.text("weights");
    if (state.has("program"))
        p.program = state.text("program");
    p.line_sums.targets = line.number("loss");
    p.line_counts.targets = line.integer("targets");
    if (line.has("labels")) {  // not in those of before there were labels
        p.line_sums.labels = line.number("label_loss");
        p.line_counts.labels = line.integer("labels");
    }
    p.line_seconds = line.number("seconds");
    p.latest = {.learning_rate = line.number("lr"),
                .gradient_norm = line.number("grad_norm"),
                .loss_z = line.number("loss_z"),
                .gradient_norm_z = line.number("grad_norm_z")};
    p.train = scored_of(state, "train");
    p.valid = scored_of(state, "valid");
    p.best = scored_of(state, "best");
    p.evaluations_since_best = state.integer("evaluations_since_best");
    p.schedule = state.numbers("schedule");
    p.loss = moments_of(moments.object("loss"));
    p.gradient_norm = moments_of(moments.object("gradient_norm"));
    p.data = state.text("data");
    p.vocabulary = state.text("vocabulary");
    return opened;
}

void read_model(const fs::path& folder, ParameterStore& store) {
    read_arrays(folder, model_file, model_slots(store), "the checkpoint is of another model");
}

}  // namespace

bool is_average(const fs::path& folder) {
    try {
        return read_state(folder / state_file).has("mean_of_steps");
    } catch (const Error&) {
        return false;
    }
}

bool is_complete_checkpoint(const fs::path& folder) {
    try {
        open_checkpoint(folder, {model_file, optimizer_file});
        return true;
    } catch (const Error&) {
        return false;
    }
}
Progressed read_progressed(const fs::path& folder) { return open_checkpoint(folder, {}).progressed; }

void check_model_file(const fs::path& folder) { open_checkpoint(folder, {model_file}); }

Progressed load_model(const fs::path& folder, ParameterStore& store) {
    Opened opened = open_checkpoint(folder, {model_file});
    read_model(folder, store);
    return std::move(opened.progressed);
}

Progressed load_checkpoint(const fs::path& folder, const Checkpointed& parts) {
    Opened opened = open_checkpoint(folder, {model_file, optimizer_file});
    read_model(folder, parts.model);
    read_arrays(folder, optimizer_file, optimizer_slots(parts), "the checkpoint is of another optimizer");
    const std::string precision = opened.state.text("precision");
    require(precision == precision_name, "{}: the run's precision is another: checkpoint {}, this program {}", folder.string(),
            precision, precision_name);
    const RecordReader updates = opened.state.object("state_updates");
    for (ParameterStore* store : {&parts.model, parts.live})
        if (store)
            for (const NamedState& s : store->states()) store->state_updates(s) = updates.integer(s.name);
    return std::move(opened.progressed);
}

void average_checkpoints(std::span<const fs::path> from, const fs::path& to) {
    require(!from.empty(), "average: no checkpoints: checkpoints {}, least 1", from.size());
    require(kind_of(to) == Kind::missing, "{}: there is something of that name already: nothing is replaced", to.string());
    std::vector<fs::path> files;
    std::vector<Opened> opened;
    for (const fs::path& folder : from) {
        opened.push_back(open_checkpoint(folder, {model_file}));
        files.push_back(folder / model_file);
        const std::string &first = opened.front().progressed.vocabulary, &here = opened.back().progressed.vocabulary;
        require(here == first, "{}: another vocabulary than that of {}: [{}] and [{}]", folder.string(), from.front().string(),
                here, first);
    }
    require_folder(to.parent_path());
    const fs::path fresh = partial_path(to);
    make_folder(fresh);
    try {
        RecordWriter state(opened.back().state.json());
        std::vector<int64_t> steps;
        for (const Opened& o : opened) steps.push_back(o.progressed.step);
        state.set("mean_of_steps", steps);
        state.set("files", RecordWriter{{model_file, record_of(average_files(files, fresh / model_file))}});
        seal(state);
        write_file_atomically(fresh / state_file, state.text(1) + "\n");
        std::error_code error;
        fs::rename(fresh, to, error);
        ensure(!error, "{}: a checkpoint cannot be put in its place: {}", to.string(), error.message());
    } catch (...) {
        for (const char* name : checkpoint_files) remove_file(fresh / name);
        remove_empty_folder(fresh);
        throw;
    }
    synchronise_folder(to.parent_path());
}

}  // namespace attend::ATTEND_PRECISION
