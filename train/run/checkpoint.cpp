#include "train/run/checkpoint.h"

#include <cmath>
#include <set>

#include "core/files.h"
#include "core/safetensors.h"
#include "train/run/numbers.h"

namespace attend::inline ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

constexpr const char* model_file = "model.safetensors";
constexpr const char* optimizer_file = "optimizer.safetensors";
constexpr const char* state_file = "state.json";
constexpr std::size_t largest_state = std::size_t{16} << 20;
constexpr int64_t format = 1;

// One array of a checkpoint: its name in the file and where its values live.
struct Slot {
    std::string name;
    Shape shape;
    real* data;
};

// Parameters under their names, then named state.
std::vector<Slot> model_slots(ParameterStore& store) {
    std::vector<Slot> slots;
    for (const Parameter& p : store.table()) slots.push_back({p.name, p.shape, store.values(p)});
    for (const NamedState& s : store.states()) slots.push_back({s.name, s.shape, store.state_values(s)});
    return slots;
}

std::vector<Slot> optimizer_slots(ParameterStore& store, Optimizer& optimizer) {
    std::vector<Slot> slots;
    for (const OptimizerState& s : optimizer.state(store)) slots.push_back({s.name, s.shape, s.values});
    return slots;
}

void require_finite(const std::vector<Slot>& slots, const char* what, int64_t step) {
    for (const Slot& slot : slots)
        for (int64_t i = 0; i < slot.shape.size(); ++i)
            if (!std::isfinite(slot.data[i]))
                throw Diverged(fmt::format("step {}: checkpoint: {} is not finite and is not saved: '{}' {}, element {} is {}",
                                           step, what, slot.name, slot.shape.text(), i, slot.data[i]));
}

Json file_entry(const WrittenFile& file) { return {{"bytes", file.bytes}, {"crc32", fmt::format("{:08x}", file.crc32)}}; }

std::string checksum(const Json& state) {
    const std::string text = state.dump();
    return fmt::format("{:08x}", crc32_of(std::as_bytes(std::span(text.data(), text.size()))));
}

WrittenFile write_slots(const fs::path& path, const std::vector<Slot>& slots) {
    std::vector<NamedArray> arrays;
    for (const Slot& s : slots) arrays.push_back({s.name, s.shape, s.data});
    return write_safetensors(path, arrays);
}

Json scored_to_json(const std::optional<ScoredStep>& scored) {
    if (!scored)
        return nullptr;
    Json scores = Json::object();
    add_scores(scores, scored->scores);
    return {{"step", scored->step}, {"scores", scores}};
}

// Reads members of state.json; every complaint names the file and the member.
class StateReader {
  public:
    StateReader(const fs::path& path, const Json& json) : where_(path.string()), json_(&json) {
        require(json.is_object(), "{}: expected a JSON object, got a JSON {}", where_, json.type_name());
    }
    const Json& at(const char* key) const {
        const auto found = json_->find(key);
        require(found != json_->end(), "{}: member missing: '{}', members found {}", where_, key, json_->size());
        return *found;
    }
    int64_t integer(const char* key) const {
        const Json& v = at(key);
        require(v.is_number_integer(), "{}: {}: expected an integer, got a JSON {}", where_, key, v.type_name());
        require(v.is_number_unsigned() ? v.get<uint64_t>() <= uint64_t{1} << 62 : v.get<int64_t>() >= 0,
                "{}: {}: out of range: value {}, least 0", where_, key, v.dump());
        return v.get<int64_t>();
    }
    double number(const char* key) const { return number_from_json(at(key), where_ + ": " + key); }
    std::vector<double> numbers(const char* key) const {
        const Json& v = at(key);
        require(v.is_array(), "{}: {}: expected a list of numbers, got a JSON {}", where_, key, v.type_name());
        std::vector<double> all;
        for (const Json& number : v) all.push_back(number_from_json(number, where_ + ": " + key));
        return all;
    }
    std::string text(const char* key) const {
        const Json& v = at(key);
        require(v.is_string(), "{}: {}: expected a text, got a JSON {}", where_, key, v.type_name());
        return v.get<std::string>();
    }
    StateReader object(const char* key) const { return {where_ + ": " + key, at(key)}; }
    std::optional<ScoredStep> scored(const char* key) const {
        if (at(key).is_null())
            return {};
        const StateReader inner = object(key);
        return ScoredStep{inner.integer("step"), scores_from_json(inner.at("scores"), where_ + ": " + key)};
    }

  private:
    std::string where_;
    const Json* json_;
};

Json read_state(const fs::path& path) {
    const std::string text = read_file(path, largest_state);
    Json state;
    try {
        state = Json::parse(text);
    } catch (const Json::exception& e) {
        fail("{}: not the JSON that was written: {} bytes, {}", path.string(), text.size(), e.what());
    }
    const StateReader reader(path, state);
    const int64_t found = reader.integer("format");
    require(found == format, "{}: another format: file {}, this program {}", path.string(), found, format);
    const std::string expected = reader.text("crc32");
    state.erase("crc32");
    const std::string actual = checksum(state);
    require(actual == expected, "{}: broken: CRC-32 of its contents {}, written in it {}", path.string(), actual, expected);
    return state;
}

void check_file(const fs::path& folder, const char* name, const StateReader& files) {
    const fs::path path = folder / name;
    const StateReader entry = files.object(name);
    const WrittenFile actual = crc32_of_file(path);
    const int64_t bytes = entry.integer("bytes");
    require(static_cast<int64_t>(actual.bytes) == bytes, "{}: broken: size {} bytes, state.json says {}", path.string(),
            actual.bytes, bytes);
    const std::string crc = fmt::format("{:08x}", actual.crc32);
    require(crc == entry.text("crc32"), "{}: broken: CRC-32 {}, state.json says {}", path.string(), crc, entry.text("crc32"));
}

// "2 parameters missing (a, b), 1 of the wrong shape (c: file [2, 3], here [3, 3])"
class Mismatches {
  public:
    void add(std::size_t kind, std::string name) { names_[kind].push_back(std::move(name)); }
    std::string text() const {
        static constexpr const char* kinds[] = {"missing", "of the wrong shape", "unknown to this model"};
        std::string all;
        for (std::size_t k = 0; k < 3; ++k) {
            if (names_[k].empty())
                continue;
            all += all.empty() ? "" : ", ";
            const char* noun = !all.empty() ? "" : names_[k].size() == 1 ? "parameter " : "parameters ";
            all += fmt::format("{} {}{} (", names_[k].size(), noun, kinds[k]);
            for (std::size_t i = 0; i < std::min<std::size_t>(shown, names_[k].size()); ++i)
                all += (i ? ", " : "") + names_[k][i];
            all += names_[k].size() > shown ? ", ...)" : ")";
        }
        return all;
    }

  private:
    static constexpr std::size_t shown = 8;
    std::vector<std::string> names_[3];
};

void read_slots(const fs::path& folder, const char* name, const std::vector<Slot>& slots, const char* hint) {
    const SafetensorsFile file(folder / name);
    Mismatches mismatches;
    std::set<std::string> known;
    for (const Slot& s : slots) {
        known.insert(s.name);
        if (!file.has(s.name))
            mismatches.add(0, s.name);
        else if (const Shape& found = file.info(s.name).shape; found != s.shape)
            mismatches.add(1, fmt::format("{}: file {}, here {}", s.name, found.text(), s.shape.text()));
    }
    for (const TensorInfo& t : file.tensors())
        if (!known.contains(t.name))
            mismatches.add(2, t.name);
    const std::string text = mismatches.text();
    require(text.empty(), "{}: {}; {} holds {} tensors, {} expected{}", folder.string(), text, name, file.tensors().size(),
            slots.size(), hint);
    for (const Slot& s : slots) file.read_into(s.name, s.data, s.shape);
}

}  // namespace

void save_checkpoint(const fs::path& folder, ParameterStore& store, Optimizer& optimizer, const Progressed& progressed) {
    const std::vector<Slot> model = model_slots(store), arrays = optimizer_slots(store, optimizer);
    require_finite(model, "a parameter", progressed.step);
    require_finite(arrays, "an optimiser's value", progressed.step);
    std::error_code error;
    fs::create_directories(folder, error);
    ensure(!error, "{}: cannot make the checkpoint's folder: {}", folder.string(), error.message());

    Json state;
    state["format"] = format;
    state["step"] = progressed.step;
    state["seconds"] = progressed.seconds;
    state["precision"] = precision_name;
    state["line"] = {
        {"loss", progressed.line_loss}, {"targets", progressed.line_targets}, {"seconds", progressed.line_seconds}};
    state["train"] = scored_to_json(progressed.train);
    state["valid"] = scored_to_json(progressed.valid);
    state["best"] = scored_to_json(progressed.best);
    state["evaluations_since_best"] = progressed.evaluations_since_best;
    state["schedule"] = progressed.schedule;
    state["vocabulary"] = progressed.vocabulary;
    Json updates = Json::object();
    for (const NamedState& s : store.states()) updates[s.name] = store.state_updates(s);
    state["state_updates"] = updates;
    state["files"] = {{model_file, file_entry(write_slots(folder / model_file, model))},
                      {optimizer_file, file_entry(write_slots(folder / optimizer_file, arrays))}};
    state["crc32"] = checksum(state);
    write_file_atomically(folder / state_file, state.dump(1) + "\n");
}

Progressed load_checkpoint(const fs::path& folder, ParameterStore& store, Optimizer* optimizer, Restore restore) {
    require(fs::is_directory(folder), "{}: no checkpoint: not a folder", folder.string());
    const Json json = read_state(folder / state_file);
    const StateReader state(folder / state_file, json);
    const StateReader files = state.object("files"), line = state.object("line");
    check_file(folder, model_file, files);
    if (restore == Restore::everything)
        check_file(folder, optimizer_file, files);

    Progressed p;
    p.step = state.integer("step");
    p.seconds = state.number("seconds");
    p.line_loss = line.number("loss");
    p.line_targets = line.integer("targets");
    p.line_seconds = line.number("seconds");
    p.train = state.scored("train");
    p.valid = state.scored("valid");
    p.best = state.scored("best");
    p.evaluations_since_best = state.integer("evaluations_since_best");
    p.schedule = state.numbers("schedule");
    p.vocabulary = state.text("vocabulary");
    read_slots(folder, model_file, model_slots(store), "; the checkpoint is of another model");
    if (restore == Restore::everything) {
        ensure(optimizer != nullptr, "load_checkpoint: everything is to be restored: no optimizer given");
        read_slots(folder, optimizer_file, optimizer_slots(store, *optimizer), "; the checkpoint is of another optimizer");
        const std::string precision = state.text("precision");
        require(precision == precision_name, "{}: the run's precision is another: checkpoint {}, this program {}",
                folder.string(), precision, precision_name);
        const StateReader updates = state.object("state_updates");
        for (const NamedState& s : store.states()) store.state_updates(s) = updates.integer(s.name.c_str());
    }
    return p;
}

}  // namespace attend::inline ATTEND_PRECISION
