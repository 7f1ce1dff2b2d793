#include "train/run/published.h"

#include <fnmatch.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/files.h"
#include "core/own_files.h"

namespace attend::inline ATTEND_PRECISION {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* config_file = "config.json";
constexpr const char* weights_file = "model.safetensors";
constexpr std::size_t most_bytes = std::size_t{1} << 24;

Json json_of(const PublishedValue& value) {
    return std::visit([](const auto& v) { return Json(v); }, value);
}

Json read_config(const fs::path& path) {
    const Json config = Json::parse(read_file(path, most_bytes), nullptr, false);
    require(config.is_object(), "{}: not a JSON object: bytes {}, objects 0", path.string(), fs::file_size(path));
    return config;
}

// Activations of transformers that are one function.
Json activation_of(const Json& name) { return name == "gelu_pytorch_tanh" ? Json("gelu_new") : name; }

bool same_value(const Json& a, const Json& b) {
    return a.is_number() && b.is_number() ? a.get<double>() == b.get<double>() : activation_of(a) == activation_of(b);
}

// The shape of the tensor in the file.
Shape stored_shape(const PublishedTensor& t, const Parameter& p) {
    Shape shape = p.shape;
    if (t.columns > 0)
        shape = shape.with(-1, t.columns);
    return t.stored == Transpose::yes ? Shape{shape[1], shape[0]} : shape;
}

// Element i of the file's tensor is element place(i) of the parameter.
int64_t place(const PublishedTensor& t, const Parameter& p, const Shape& stored, int64_t i) {
    const int64_t columns = stored.columns(), row = i / columns, column = i % columns;
    const bool turned = t.stored == Transpose::yes;
    return (turned ? column : row) * p.shape.columns() + t.first + (turned ? row : column);
}

const Parameter& parameter_of(const PublishedTensor& t, const ParameterStore& store) {
    const Parameter* p = store.find(t.ours);
    ensure(p != nullptr, "published layout: no such parameter: '{}', parameters {}", t.ours, store.table().size());
    return *p;
}

}  // namespace

bool is_published(const fs::path& folder) {
    std::error_code ignored;
    if (!fs::is_regular_file(folder / config_file, ignored) || fs::exists(folder / "checkpoints", ignored))
        return false;
    return read_config(folder / config_file).contains("model_type");
}

std::size_t read_published(const fs::path& folder, const PublishedLayout& layout, ParameterStore& store,
                           const std::function<bool(const std::string&)>& wanted) {
    const Json config = read_config(folder / config_file);
    std::string differences;
    const auto compare = [&](const std::string& key, const Json& here) {
        const auto unsaid =
            std::find_if(layout.unsaid.begin(), layout.unsaid.end(), [&](const auto& entry) { return entry.first == key; });
        const bool said = config.contains(key) && !config[key].is_null();
        if (!said && unsaid == layout.unsaid.end())
            return;
        const Json there = said ? config[key] : json_of(unsaid->second);
        if (!same_value(there, here))
            differences += fmt::format("{}{} {}{}, here {}", differences.empty() ? "" : "; ", key, there.dump(),
                                       said ? "" : " (not said, and so by default)", here.dump());
    };
    compare("model_type", layout.model_type);
    for (const auto* entries : {&layout.decisive, &layout.only})
        for (const auto& [key, value] : *entries) compare(key, json_of(value));
    require(differences.empty(), "init.from: {}: another model than the config's: {}", (folder / config_file).string(),
            differences);

    const SafetensorsFile file(folder / weights_file);
    const bool prefixed = std::any_of(file.tensors().begin(), file.tensors().end(),
                                      [&](const TensorInfo& t) { return t.name.starts_with(layout.prefix); });
    std::vector<std::vector<real>> values;
    std::vector<Slot> slots;
    std::vector<const PublishedTensor*> read;
    std::set<std::string> refused, filled;
    const auto name_of = [&](const PublishedTensor& t) {
        const bool bare = !prefixed && t.theirs.starts_with(layout.prefix);
        const std::string name = bare ? t.theirs.substr(layout.prefix.size()) : t.theirs;
        if (!file.has(name))
            for (const auto& [now, before] : layout.older)
                if (const std::string old = name.substr(0, name.size() - std::min(name.size(), now.size())) + before;
                    name.ends_with(now) && file.has(old))
                    return old;
        return name;
    };
    for (const PublishedTensor& t : layout.elsewhere)
        if (wanted && !wanted(t.ours))
            refused.insert(name_of(t));
    for (const PublishedTensor& t : layout.tensors) {
        const std::string name = name_of(t);
        if (wanted && !wanted(t.ours)) {
            refused.insert(name);
            continue;
        }
        const Shape shape = stored_shape(t, parameter_of(t, store));
        values.emplace_back(static_cast<std::size_t>(shape.size()));
        slots.push_back({name, shape, values.back().data()});
        read.push_back(&t);
        filled.insert(t.ours);
    }
    const auto looked_at = [&](const std::string& name) {
        const std::string bare = prefixed && name.starts_with(layout.prefix) ? name.substr(layout.prefix.size()) : name;
        return !refused.contains(name) && std::none_of(layout.passed_over.begin(), layout.passed_over.end(),
                                                       [&](const auto& p) { return fnmatch(p.c_str(), bare.c_str(), 0) == 0; });
    };
    read_slots(file, slots,
               {.where = "init.from: " + file.path().string(),
                .file = weights_file,
                .hint = "init.take chooses what is taken",
                .prefix = "",
                .wanted = looked_at});
    for (std::size_t s = 0; s < slots.size(); ++s) {
        const Parameter& p = parameter_of(*read[s], store);
        real* to = store.values(p);
        for (int64_t i = 0; i < slots[s].shape.size(); ++i)
            to[place(*read[s], p, slots[s].shape, i)] = values[s][static_cast<std::size_t>(i)];
    }
    return filled.size();
}

void write_published(const fs::path& folder, const PublishedLayout& layout, ParameterStore& store) {
    for (const char* name : {config_file, weights_file})
        require(kind_of(folder / name) == Kind::missing,
                "{}: there is one already, and it is not overwritten: files {}, allowed 0", (folder / name).string(), 1);
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
        fail_to_write(folder, "the folder cannot be made", error.value());
    remove_abandoned_files(folder);
    Json config;
    config["architectures"] = {layout.architecture};
    config["model_type"] = layout.model_type;
    for (const auto* entries : {&layout.decisive, &layout.further})
        for (const auto& [key, value] : *entries) config[key] = json_of(value);
    config["torch_dtype"] = sizeof(real) == 4 ? "float32" : "float64";

    std::vector<std::vector<real>> values;
    std::vector<NamedArray> arrays;
    for (const PublishedTensor& t : layout.tensors) {
        const Parameter& p = parameter_of(t, store);
        const Shape shape = stored_shape(t, p);
        const real* from = store.values(p);
        std::vector<real>& v = values.emplace_back(static_cast<std::size_t>(shape.size()));
        for (int64_t i = 0; i < shape.size(); ++i) v[static_cast<std::size_t>(i)] = from[place(t, p, shape, i)];
        arrays.push_back({t.theirs, shape, v.data()});
    }
    write_safetensors(folder / weights_file, arrays, {{"format", "pt"}});
    write_file_atomically(folder / config_file, config.dump(2) + "\n");
}

}  // namespace attend::inline ATTEND_PRECISION
