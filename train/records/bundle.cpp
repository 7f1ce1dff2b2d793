#include "train/records/bundle.h"

#include <cmath>

#include "core/base/file_errors.h"
#include "train/config/reader.h"
#include "train/config/writer.h"
#include "train/experiment/slots.h"
#include "train/records/record_reader.h"
#include "train/records/record_writer.h"

namespace attend::ATTEND_PRECISION {

namespace fs = std::filesystem;

namespace {

constexpr const char* file_name = "bundle.safetensors";
constexpr const char* extension = ".safetensors";
constexpr const char *record_key = "bundle", *config_key = "config", *crc_key = "crc32";
constexpr const char* model_prefix = "model.";
constexpr int64_t bundle_format = 1;
constexpr int64_t most_batches = 1 << 20;
constexpr int64_t most_symbols = std::numeric_limits<int32_t>::max();

// CRC-32 over the texts and over the name, dtype, shape and bytes of every tensor.
class Seal {
  public:
    void add(const std::string& text) {
        add(std::as_bytes(std::span(text)));
        const std::string end = fmt::format("\n{}\n", text.size());
        add(std::as_bytes(std::span(end)));
    }
    void add(const std::string& name, Dtype dtype, const Shape& shape, std::span<const std::byte> bytes) {
        add(fmt::format("{} {} {}", name, dtype_name(dtype), shape.text()));
        add(bytes);
    }
    std::string text() const { return crc_text(crc32_); }

  private:
    void add(std::span<const std::byte> bytes) { crc32_ = crc32_of(bytes, crc32_); }
    uint32_t crc32_ = 0;
};

std::string seal_of(const SafetensorsFile& file, const std::string& record, const std::string& config) {
    Seal seal;
    seal.add(record);
    seal.add(config);
    for (const TensorInfo& t : file.tensors()) seal.add(t.name, t.dtype, t.shape, file.bytes(t));
    return seal.text();
}

std::string batch_prefix(std::size_t number) { return fmt::format("batch.{}.", number); }

void add_ids(std::vector<NamedArray>& arrays, const std::string& name, const Ids& ids) {
    static constexpr int32_t nothing = 0;  // an empty vector has no address, and the file shall say I32
    const auto data = [](const Array<int32_t>& values) { return values.empty() ? &nothing : values.data(); };
    arrays.push_back({name, {ids.rows, ids.columns}, nullptr, data(ids.values)});
    arrays.push_back({name + "_lengths", {ids.rows}, nullptr, data(ids.lengths)});
}

RecordWriter::Value record_of(const std::optional<NotFinite>& found) {
    if (!found)
        return nullptr;
    return RecordWriter{{"module", found->module},   {"what", found->what},         {"op", found->op},
                        {"element", found->element}, {"elements", found->elements}, {"value", found->value}};
}

std::optional<NotFinite> found_from_json(const RecordReader& record) {
    if (record.is_null("found"))
        return {};
    const RecordReader f = record.object("found");
    return NotFinite{f.text("module"),     f.text("what"),        f.text("op"),
                     f.integer("element"), f.integer("elements"), f.number("value")};
}

RecordWriter record_of(const Bundle& bundle, ParameterStore& store) {
    std::vector<std::vector<int64_t>> examples;
    for (const Batch& b : bundle.batches) examples.emplace_back(b.examples.begin(), b.examples.end());
    RecordWriter updates;
    for (const NamedState& s : store.states()) updates.set(s.name, store.state_updates(s));
    return {{"format", bundle_format},
            {"precision", bundle.precision},
            {"steps_done", bundle.steps_done},
            {"message", bundle.failure.message},
            {"found", record_of(bundle.failure.found)},
            {"loss", bundle.failure.loss},
            {"gradient_norm", bundle.failure.gradient_norm},
            {"source_vocabulary", bundle.vocabularies.source_vocabulary},
            {"target_vocabulary", bundle.vocabularies.target_vocabulary},
            {"targets", target_kind_name(bundle.vocabularies.targets)},
            {"classes", bundle.vocabularies.classes},
            {"examples", examples},
            {"state_updates", updates}};
}

const std::string& metadata(const SafetensorsFile& file, const char* key) {
    const auto found = file.metadata().find(key);
    require(found != file.metadata().end(), "{}: not a bundle: no metadata '{}'; only a run that diverged writes one",
            file.path().string(), key);
    return found->second;
}

// What ids may be: low ... vocabulary - 1.
struct Allowed {
    int64_t low, vocabulary;
};

Ids read_ids(const SafetensorsFile& file, const std::string& name, Allowed allowed) {
    const std::string where = file.path().string(), lengths_name = name + "_lengths";
    const Shape shape = file.info(name).shape, lengths_shape = file.info(lengths_name).shape;
    require(shape.rank() == 2 && lengths_shape == Shape{shape[0]},
            "{}: tensor '{}': not ids with a length a row: ids {}, lengths {}", where, name, shape.text(),
            lengths_shape.text());
    Ids ids(shape[0], shape[1]);
    const std::vector<int64_t> values = file.read_integers(name), lengths = file.read_integers(lengths_name);
    for (std::size_t i = 0; i < values.size(); ++i) {
        require(values[i] >= allowed.low && values[i] < allowed.vocabulary,
                "{}: tensor '{}': id out of range: element {} is {}, allowed {} to {}", where, name, i, values[i], allowed.low,
                allowed.vocabulary - 1);
        ids.values[i] = static_cast<int32_t>(values[i]);
    }
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        require(lengths[i] >= 0 && lengths[i] <= shape[1], "{}: tensor '{}': length out of range: row {} has {}, columns {}",
                where, lengths_name, i, lengths[i], shape[1]);
        ids.lengths[i] = static_cast<int32_t>(lengths[i]);
    }
    return ids;
}

Batch read_batch(const SafetensorsFile& file, std::size_t number, const ModelSetup& vocabularies,
                 const std::vector<int64_t>& examples) {
    const std::string prefix = batch_prefix(number), where = file.path().string();
    Batch b;
    b.source = read_ids(file, prefix + "source", {0, vocabularies.source_vocabulary});
    b.input = read_ids(file, prefix + "input", {0, vocabularies.target_vocabulary});
    b.target = read_ids(file, prefix + "target", {id_ignored, vocabularies.target_vocabulary});
    require(b.target.rows == b.input.rows && b.target.columns == b.input.columns &&
                (b.source.rows == b.input.rows || b.source.rows == 0),
            "{}: batch {} does not fit together: source {} rows, input {} x {}, target {} x {}", where, number, b.source.rows,
            b.input.rows, b.input.columns, b.target.rows, b.target.columns);
    if (file.has(prefix + "segments")) {
        b.segments = read_ids(file, prefix + "segments", {0, most_symbols});
        require(b.segments.rows == b.input.rows && b.segments.columns == b.input.columns,
                "{}: batch {} does not fit together: segments {} x {}, input {} x {}", where, number, b.segments.rows,
                b.segments.columns, b.input.rows, b.input.columns);
    }
    if (file.has(prefix + "labels")) {
        const std::vector<int64_t> labels = file.read_integers(prefix + "labels");
        require(static_cast<int64_t>(labels.size()) == b.rows(), "{}: batch {}: one label a row: rows {}, labels {}", where,
                number, b.rows(), labels.size());
        for (std::size_t r = 0; r < labels.size(); ++r) {
            require(labels[r] >= 0 && labels[r] < vocabularies.classes,
                    "{}: batch {}: label out of range: row {} has {}, classes {}", where, number, r, labels[r],
                    vocabularies.classes);
            b.labels.push_back(static_cast<int32_t>(labels[r]));
        }
    }
    require(static_cast<int64_t>(examples.size()) == b.rows(), "{}: batch {}: one example number a row: rows {}, numbers {}",
            where, number, b.rows(), examples.size());
    b.examples.assign(examples.begin(), examples.end());
    return b;
}

Experiment read_config(const std::string& where, const std::string& text) {
    const config::Source source{where + ": config", absolute_path(where).parent_path().string()};
    Experiment e = config::read<Experiment>(config::parse_object(text, std::make_shared<const config::Source>(source)));
    require(e.train.steps > 0 && e.train.shards > 0,
            "{}: config: automatic values are still to be chosen: train.steps {}, train.shards {}", where, e.train.steps,
            e.train.shards);
    return e;
}

int64_t bounded(const RecordReader& record, const char* key, int64_t most) {
    const int64_t value = record.integer(key);
    require(value <= most, "{}: {}: out of range: value {}, most {}", record.where(), key, value, most);
    return value;
}

}  // namespace

StepFailure failure_of(const StepDiverged& d) {
    const auto unsigned_nan = [](double x) { return std::isnan(x) ? std::abs(x) : x; };
    return {d.what(), d.found(), unsigned_nan(d.report().loss()), unsigned_nan(d.report().gradient_norm)};
}

void write_bundle(const fs::path& path, const Bundle& bundle, ParameterStore& store) {
    std::vector<NamedArray> arrays;
    for (const Slot& s : model_slots(store)) arrays.push_back({model_prefix + s.name, s.shape, s.data});
    for (std::size_t i = 0; i < bundle.batches.size(); ++i) {
        const Batch& b = bundle.batches[i];
        add_ids(arrays, batch_prefix(i) + "source", b.source);
        add_ids(arrays, batch_prefix(i) + "input", b.input);
        add_ids(arrays, batch_prefix(i) + "target", b.target);
        if (b.segments.rows > 0)
            add_ids(arrays, batch_prefix(i) + "segments", b.segments);
        if (!b.labels.empty())
            arrays.push_back({batch_prefix(i) + "labels", {static_cast<int64_t>(b.labels.size())}, nullptr, b.labels.data()});
    }
    const std::string record = record_of(bundle, store).text(), config = config::write(bundle.experiment);
    Seal seal;
    seal.add(record);
    seal.add(config);
    for (const NamedArray& a : arrays) seal.add(a.name, a.dtype(), a.shape, a.bytes());
    write_safetensors(path, arrays, {{record_key, record}, {config_key, config}, {crc_key, seal.text()}});
}

fs::path bundle_at(const fs::path& path) {
    if (is_folder(path)) {
        const fs::path bundle = path / file_name;
        require(is_there(bundle), "{}: no bundle in this folder; only a run that diverged has one", bundle.string());
        return bundle;
    }
    return path.extension() == extension ? path : fs::path();
}

BundleFile::BundleFile(const fs::path& path) : file_(path) {
    const std::string where = path.string(), text = metadata(file_, record_key), config = metadata(file_, config_key);
    const auto record = RecordReader::of_text(where, text);
    const int64_t found = record.integer("format");
    require(found == bundle_format, "{}: another format: file {}, this program {}", where, found, bundle_format);
    const std::string expected = metadata(file_, crc_key), actual = seal_of(file_, text, config);
    require(actual == expected, "{}: broken: CRC-32 of its contents {}, written in it {}", where, actual, expected);

    bundle_.experiment = read_config(where, config);
    bundle_.precision = record.text("precision");
    require(bundle_.precision == "f32" || bundle_.precision == "f64", "{}: precision: unknown: value '{}', known f32, f64",
            where, bundle_.precision);
    bundle_.steps_done = bounded(record, "steps_done", most_steps);
    bundle_.failure = {record.text("message"), found_from_json(record), record.number("loss"), record.number("gradient_norm")};
    bundle_.vocabularies = {.source_vocabulary = bounded(record, "source_vocabulary", most_symbols),
                            .target_vocabulary = bounded(record, "target_vocabulary", most_symbols)};
    if (record.has("targets")) {  // not in those of before there were other kinds
        bundle_.vocabularies.targets = target_kind_of(record.text("targets"));
        bundle_.vocabularies.classes = bounded(record, "classes", most_symbols);
    }
    const std::vector<std::vector<int64_t>> examples = record.integer_lists("examples");
    require(!examples.empty() && static_cast<int64_t>(examples.size()) <= most_batches,
            "{}: examples: expected a list for each batch, got {}", where, examples.size());
    for (std::size_t i = 0; i < examples.size(); ++i)
        bundle_.batches.push_back(read_batch(file_, i, bundle_.vocabularies, examples[i]));
    const RecordReader updates = record.object("state_updates");
    for (const std::string& name : updates.names()) state_updates_.emplace_back(name, updates.integer(name));
}

void BundleFile::load(ParameterStore& store) const {
    read_slots({&file_, 1}, model_slots(store),
               {.where = path(), .file = "it", .hint = "its config makes another model", .prefix = model_prefix});
    for (const NamedState& s : store.states())
        for (const auto& [name, updates] : state_updates_)
            if (name == s.name)
                store.state_updates(s) = updates;
}

}  // namespace attend::ATTEND_PRECISION
