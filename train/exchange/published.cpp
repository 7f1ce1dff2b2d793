#include "train/exchange/published.h"

#include <fnmatch.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/file_errors.h"
#include "core/base/json_text.h"
#include "core/base/own_files.h"
#include "train/exchange/published_weights.h"
#include "train/experiment/slots.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* config_file = "config.json";
constexpr const char* weights_file = "model.safetensors";
constexpr const char* vocabulary_key = "vocab_size";
constexpr std::size_t most_bytes = std::size_t{1} << 24;

Json json_of(const PublishedValue& value) {
    return std::visit([](const auto& v) { return Json(v); }, value);
}

Json read_config(const fs::path& path) {
    Json config = load_json<Json>(path, most_bytes);
    require(config.is_object(), "{}: not a JSON object: found {}", path.string(), config.type_name());
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
    if (!is_regular(folder / config_file) || is_there(folder / "checkpoints"))
        return false;
    const Json config = read_config(folder / config_file);
    const bool run = config.contains("model") && config.contains("data");
    return config.contains("model_type") || (!run && (config.contains("architectures") || holds_published_weights(folder)));
}

namespace {

// Reads one folder into one store.
class Reader {
  public:
    Reader(const fs::path& folder, const PublishedLayout& layout, ParameterStore& store, const WantedNames& wanted,
           MoreIds more)
        : folder_(folder), layout_(layout), store_(store), wanted_(wanted), more_(more) {}

    PublishedRead read() {
        require_same_model();
        prefixed_ = any_tensor([&](const std::string& name) { return name.starts_with(layout_.prefix); });
        require_copies();
        fill();
        return std::move(said_);
    }

  private:
    std::string where() const { return "init.from: " + (folder_ / config_file).string(); }
    bool wants(const std::string& ours) const { return !wanted_ || wanted_(ours); }
    template <class Test>
    bool any_tensor(Test test) const {
        return std::ranges::any_of(weights_.files, [&](const SafetensorsFile& file) {
            return std::ranges::any_of(file.tensors(), test, &TensorInfo::name);
        });
    }

    // model_type, or what else tells the kind of a model without a doubt.
    void require_kind() {
        if (config_.contains("model_type") && !config_["model_type"].is_null())
            return compare("model_type", layout_.model_type);
        const Json architectures = config_.value("architectures", Json());
        if (architectures.is_array() && !architectures.empty() && architectures[0].is_string()) {
            const auto name = architectures[0].get<std::string>();
            const std::string rest = name.substr(std::min(name.size(), layout_.family.size()));
            const bool same =
                name.starts_with(layout_.family) && (rest.starts_with("Model") || rest.starts_with("For") ||
                                                     rest.starts_with("LMHead") || rest.starts_with("DoubleHeads"));
            if (!same)
                differ(fmt::format("architectures {}, here {}", architectures.dump(), layout_.architecture));
            return;
        }
        require(any_tensor([&](const std::string& name) {
                    return name == layout_.telling || name == layout_.prefix + layout_.telling;
                }),
                "{}: does not name the kind of model: no entry 'model_type' or 'architectures', and no tensor '{}'; write "
                "\"model_type\": \"{}\" into it if it is one",
                where(), layout_.telling, layout_.model_type);
        said_.notes.push_back(fmt::format("config.json does not name its kind, taken for {} by the tensor '{}'",
                                          layout_.model_type, layout_.telling));
    }

    void differ(const std::string& what) { differences_ += (differences_.empty() ? "" : "; ") + what; }
    void compare(const std::string& key, const Json& here) {
        const auto unsaid =
            std::find_if(layout_.unsaid.begin(), layout_.unsaid.end(), [&](const auto& entry) { return entry.first == key; });
        const bool said = config_.contains(key) && !config_[key].is_null();
        if (!said && unsaid == layout_.unsaid.end())
            return;
        const Json there = said ? config_[key] : json_of(unsaid->second);
        if (key == vocabulary_key && more_ == MoreIds::left_out && there.is_number_integer() && here.is_number_integer() &&
            there.get<int64_t>() > here.get<int64_t>()) {
            ids_ = there.get<int64_t>();
            said_.notes.push_back(fmt::format("{} of its {} ids are read: the others stand for no token of its tokenizer",
                                              here.get<int64_t>(), ids_));
            return;
        }
        if (!same_value(there, here))
            differ(fmt::format("{} {}{}, here {}", key, there.dump(), said ? "" : " (by default)", here.dump()));
    }
    void require_same_model() {
        require_kind();
        for (const auto* entries : {&layout_.decisive, &layout_.only})
            for (const auto& [key, value] : *entries) compare(key, json_of(value));
        require(differences_.empty(), "{}: another model than the config's: {}", where(), differences_);
    }

    // The name that a tensor of the layout has in the files: with or without the prefix, as older
    // files write it, or that of a tensor that is the same one.
    std::string written(const std::string& theirs) const {
        const bool bare = !prefixed_ && theirs.starts_with(layout_.prefix);
        const std::string name = bare ? theirs.substr(layout_.prefix.size()) : theirs;
        if (weights_.has(name))
            return name;
        for (const auto& [now, before] : layout_.older)
            if (const std::string old = name.substr(0, name.size() - std::min(name.size(), now.size())) + before;
                name.ends_with(now) && weights_.has(old))
                return old;
        return name;
    }
    std::string name_of(const PublishedTensor& t) {
        const std::string name = written(t.theirs);
        if (weights_.has(name))
            return name;
        for (const PublishedCopy& copy : layout_.copies)
            if (copy.of == t.theirs && weights_.has(written(copy.theirs))) {
                said_.notes.push_back(fmt::format("{} is read from {}", name, written(copy.theirs)));
                return written(copy.theirs);
            }
        return name;
    }

    // A tensor that this model has once may stand there twice, but not with two values.
    void require_copies() const {
        for (const PublishedCopy& copy : layout_.copies) {
            const std::string one = written(copy.of), other = written(copy.theirs);
            if (store_.find(copy.belongs_to) == nullptr || !wants(copy.belongs_to) || !weights_.has(one) ||
                !weights_.has(other))
                continue;
            const SafetensorsFile &first = *weights_.holder(one), &second = *weights_.holder(other);
            const Shape shape = first.info(one).shape, again = second.info(other).shape;
            const std::string rule =
                fmt::format("init.from: {}: this model has one array where two different ones are there: '{}' {} and '{}' {}",
                            weights_.path.string(), one, shape.text(), other, again.text());
            require(shape == again, "{}", rule);
            if (std::ranges::equal(first.bytes(first.info(one)), second.bytes(second.info(other))))
                continue;
            const Tensor a = first.read(one), b = second.read(other);
            for (int64_t i = 0; i < shape.size(); ++i)
                require(a.data()[i] == b.data()[i],
                        "{}, element {} is {} and {}; a kind that has model.tie reads both where that is false and config.json "
                        "says \"tie_word_embeddings\": false",
                        rule, i, a.data()[i], b.data()[i]);
        }
    }

    void fill() {
        std::vector<std::vector<real>> values;
        std::vector<Slot> slots;
        std::vector<const PublishedTensor*> read;
        std::set<std::string> passed_by, filled;
        for (const PublishedTensor& t : layout_.elsewhere)
            if (!wants(t.ours))
                passed_by.insert(written(t.theirs));
        for (const PublishedCopy& copy : layout_.copies) passed_by.insert(written(copy.theirs));
        for (const PublishedTensor& t : layout_.tensors) {
            if (!wants(t.ours)) {
                passed_by.insert(written(t.theirs));
                continue;
            }
            Shape shape = stored_shape(t, parameter_of(t, store_));
            if (ids_ > 0 && t.rows == PublishedRows::ids)
                shape = shape.with(0, ids_);
            values.emplace_back(static_cast<std::size_t>(shape.size()));
            slots.push_back({name_of(t), shape, values.back().data()});
            read.push_back(&t);
            passed_by.erase(slots.back().name);
            filled.insert(t.ours);
        }
        const auto looked_at = [&](const std::string& name) {
            const std::string bare = prefixed_ && name.starts_with(layout_.prefix) ? name.substr(layout_.prefix.size()) : name;
            return !passed_by.contains(name) && std::ranges::none_of(layout_.passed_over, [&](const std::string& p) {
                return fnmatch(p.c_str(), bare.c_str(), 0) == 0;
            });
        };
        read_slots(weights_.files, slots,
                   {.where = "init.from: " + weights_.path.string(),
                    .file = weights_.path.filename().string(),
                    .hint = "init.take chooses what is taken",
                    .prefix = "",
                    .wanted = looked_at});
        for (std::size_t s = 0; s < slots.size(); ++s) {
            const Parameter& p = parameter_of(*read[s], store_);
            const Shape shape = stored_shape(*read[s], p);  // the first rows where ids are left out
            real* to = store_.values(p);
            for (int64_t i = 0; i < shape.size(); ++i)
                to[place(*read[s], p, shape, i)] = values[s][static_cast<std::size_t>(i)];
        }
        said_.filled = filled.size();
    }

    const fs::path& folder_;
    const PublishedLayout& layout_;
    ParameterStore& store_;
    const WantedNames& wanted_;
    MoreIds more_;
    Json config_ = read_config(folder_ / config_file);
    PublishedWeights weights_{folder_};
    std::string differences_;
    bool prefixed_ = false;
    int64_t ids_ = 0;  // of the files where those are more than ours
    PublishedRead said_;
};

}  // namespace

PublishedRead read_published(const fs::path& folder, const PublishedLayout& layout, ParameterStore& store,
                             const WantedNames& wanted, MoreIds more) {
    return Reader(folder, layout, store, wanted, more).read();
}

void write_published(const fs::path& folder, const PublishedLayout& layout, ParameterStore& store) {
    for (const char* name : {config_file, weights_file})
        require(kind_of(folder / name) == Kind::missing, "{}: there is one already, and it is not overwritten",
                (folder / name).string());
    make_folders(folder);
    remove_abandoned_files(folder, Guard::none);
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

}  // namespace attend::ATTEND_PRECISION
