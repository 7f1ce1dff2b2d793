#include "train/records/maps.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/own_files.h"
#include "core/engine.h"
#include "core/safetensors.h"
#include "train/experiment/loss.h"
#include "train/records/record_reader.h"
#include "train/records/record_writer.h"
#include "train/records/run_contents.h"

namespace attend {

namespace fs = std::filesystem;

namespace {

constexpr const char* metadata_key = "maps";

// What one site showed: step by step in a decoder that is recurrent, else in one call.
struct SiteMap {
    const Site* site;
    int64_t rows = 0, width = 0;
    std::vector<real> weights;
    std::vector<int64_t> chosen;
};

// In the place of what hard attention read, one position of weight 1, what it chose from; and what
// it chose.
std::vector<SiteMap> maps_of(const Sightings& seen, const Sites& sites) {
    std::vector<SiteMap> all;
    for (const Seen& call : seen) {
        const Tensor& shown = call.index.empty() ? call.read : call.weights;
        const Shape& shape = shown.shape();
        const Site* site = &site_of(sites, call);
        auto map = std::find_if(all.begin(), all.end(), [&](const SiteMap& m) { return m.site == site; });
        if (map == all.end())
            map = all.insert(all.end(), SiteMap{site, 0, shape.columns(), {}, {}});
        ensure(shape.columns() == map->width, "maps: the widths of a site differ: site {}, width {}, before {}", site->path,
               shape.columns(), map->width);
        map->rows += shape.size() / std::max<int64_t>(1, shape.columns());
        map->weights.insert(map->weights.end(), shown.data(), shown.data() + shown.size());
        map->chosen.insert(map->chosen.end(), call.index.begin(), call.index.end());
    }
    return all;
}

// The first rows and columns.
std::vector<real> corner(const SiteMap& map, int64_t rows, int64_t columns) {
    std::vector<real> values;
    for (int64_t r = 0; r < rows; ++r) {
        const real* row = map.weights.data() + r * map.width;
        values.insert(values.end(), row, row + columns);
    }
    return values;
}

std::vector<int32_t> ids_of(const Ids& ids, int64_t most) {
    if (ids.rows == 0)
        return {};
    return {ids.row(0), ids.row(0) + std::min<int64_t>(most, ids.length(0))};
}

std::string target_symbol(const Task& task, int32_t id) {
    return id == id_ignored ? std::string() : task.target_symbols({&id, 1}).front();
}

// Which of an example's sequences the positions of a site are of. A model with a source has an
// encoder whose own sequence it is.
const char* own_sequence(const Site& site, const Batch& batch) {
    return batch.source.rows > 0 && site.kind == SiteKind::encoder ? "source" : "input";
}

int64_t length_of(const std::string& sequence, const Batch& batch) {
    return sequence == "source" ? batch.source.length(0) : sequence == "input" ? batch.input.length(0) : batch.target.length(0);
}

// The first and the newest stay; of the others the one goes whose neighbours are closest together,
// of equals the oldest.
void drop_one(std::vector<std::pair<int64_t, fs::path>> files) {
    std::size_t at = 1;
    for (std::size_t i = 2; i + 1 < files.size(); ++i)
        if (files[i + 1].first - files[i - 1].first < files[at + 1].first - files[at - 1].first)
            at = i;
    if (const int code = remove_file(files[at].second); code != 0)
        fail_to_write(files[at].second, "maps of an earlier step cannot be removed", code);
}

// Rows of the batch that are short enough to be looked at, or can be cut to be.
bool fits(const Batch& batch, int64_t row) {
    return (batch.source.rows == 0 || batch.source.length(row) <= longest_looked_at) &&
           batch.input.length(row) <= longest_looked_at;
}

}  // namespace

MapKeeper::MapKeeper(const Task& task, Split split, int64_t count, uint64_t seed) : task_(task), split_(split) {
    if (count == 0 || task.size(split) == 0)
        return;
    const bool cuts = task.source_vocabulary_size() == 0 && task.targets() == TargetKind::following;
    const std::unique_ptr<Batches> batches = task.batches(split, {.batch = 64, .seed = seed, .shuffled = false});
    std::map<int64_t, Row> found;  // by number
    const int64_t last = std::min(count, task.size(split)) - 1;
    for (int64_t k = 0; k < batches->per_epoch(); ++k) {
        const Batch batch = batches->at(k);
        for (int64_t r = 0; r < batch.rows(); ++r) {
            const int64_t number = batch.examples[static_cast<std::size_t>(r)];
            const bool wanted = static_cast<int64_t>(found.size()) < count || number < found.rbegin()->first;
            if (!wanted || (!cuts && !fits(batch, r)))
                continue;
            Batch one = batch.slice(r, r + 1);
            const int64_t length = one.target.length(0);
            for (Ids* ids : {&one.input, &one.target, &one.segments}) {
                for (int32_t& n : ids->lengths) n = std::min<int32_t>(n, longest_looked_at);
                *ids = ids->slice(0, ids->rows);
            }
            found.emplace(number, Row{number, std::move(one), length});
            if (static_cast<int64_t>(found.size()) > count)
                found.erase(std::prev(found.end()));
        }
        if (static_cast<int64_t>(found.size()) > last && found.rbegin()->first == last)
            break;  // no others can come before these
    }
    for (auto& [number, row] : found) rows_.push_back(std::move(row));
}

void MapKeeper::keep(const Model& model, const fs::path& folder, int64_t step) const {
    const NoGrad no_grad;
    std::vector<std::vector<real>> corners;
    std::vector<NamedArray> arrays;  // point into the corners
    std::vector<RecordWriter> examples;
    for (const Row& row : rows_) {
        const Batch& b = row.batch;
        const Scored scored =
            model.score(score_input(b), {.normaliser = 1, .label_normaliser = 1, .label_smoothing = 0, .ignored = id_ignored},
                        Pass({}, Keep::maps));
        const std::vector<SiteMap> seen = maps_of(scored.seen, model.sites());
        if (seen.empty())
            continue;
        const auto side =
            static_cast<int64_t>(std::sqrt(static_cast<double>(most_map_values) / static_cast<double>(seen.size())));
        const int64_t longest = std::clamp<int64_t>(side, 16, longest_map);
        const std::vector<int32_t> source = ids_of(b.source, longest), target = ids_of(b.target, longest);
        std::vector<std::string> targets, predicted;
        for (std::size_t t = 0; t < target.size(); ++t) {
            targets.push_back(target_symbol(task_, target[t]));
            predicted.push_back(
                target[t] == id_ignored || t >= scored.predicted.size() ? "" : target_symbol(task_, scored.predicted[t]));
        }
        std::vector<std::vector<int64_t>> alignment;
        for (const Range& gold : task_.gold_alignment(split_, row.number)) alignment.push_back({gold.begin, gold.end});
        std::vector<RecordWriter> of_sites;
        for (const SiteMap& s : seen) {
            const bool itself = s.site->columns() == Columns::own;
            const std::string own = own_sequence(*s.site, b), rows = itself ? own : "target", columns = itself ? own : "source";
            const int64_t r = std::min({longest, s.rows, length_of(rows, b)}),
                          c = std::min({longest, s.width, length_of(columns, b)});
            corners.push_back(corner(s, r, c));
            arrays.push_back({fmt::format("{}/{}", row.number, s.site->path), Shape{r, c}, corners.back().data()});
            RecordWriter map = {{"site", s.site->path}, {"number", s.site->number}, {"rows", rows}, {"columns", columns}};
            if (!s.chosen.empty())
                map.set("chosen", std::vector<int64_t>(s.chosen.begin(), s.chosen.begin() + r));
            of_sites.push_back(std::move(map));
        }
        const int64_t source_length = b.source.rows > 0 ? b.source.length(0) : 0;
        examples.push_back({{"number", row.number},
                            {"source", source.empty() ? std::vector<std::string>() : task_.source_symbols(source)},
                            {"input", task_.input_symbols(ids_of(b.input, longest))},
                            {"target", targets},
                            {"predicted", predicted},
                            {"gold", alignment},
                            {"lengths", RecordWriter{{"source", source_length}, {"target", row.target_length}}},
                            {"maps", of_sites}});
    }
    if (arrays.empty())
        return;
    const RecordWriter about = {{"format", int64_t{1}}, {"step", step}, {"split", split_name(split_)}, {"examples", examples}};
    make_folder(folder);
    write_safetensors(folder / fmt::format("{}{}{}", step_begin, step, map_end), arrays,
                      {{metadata_key, about.text(-1, Broken::replaced)}});
    if (const auto files = map_files(folder); static_cast<int64_t>(files.size()) > most_map_files)
        drop_one(files);
}

std::vector<std::pair<int64_t, fs::path>> map_files(const fs::path& folder) {
    return numbered_files(folder, step_begin, map_end);
}

void cut_back_maps(const fs::path& folder, int64_t step) {
    for (const auto& [at, path] : map_files(folder))
        if (at > step)
            if (const int code = remove_file(path); code != 0)
                fail_to_write(path, "maps of a later step cannot be removed", code);
}

std::span<const std::string> KeptExample::symbols(std::string_view name) const {
    if (name == "source")
        return source;
    if (name == "input")
        return input;
    if (name == "target")
        return target;
    return {};
}

KeptMaps read_maps(const fs::path& path) {
    const SafetensorsFile file(path);
    const std::string where = path.string();
    require(file.metadata().contains(metadata_key), "{}: not a file of maps: metadata '{}' is missing", where, metadata_key);
    const auto about = RecordReader::of_text(where + ": maps", file.metadata().at(metadata_key));
    KeptMaps kept;
    kept.step = about.integer("step");
    kept.split = about.text("split");
    for (const RecordReader& example : about.objects("examples")) {
        KeptExample one;
        one.number = example.integer("number");
        one.source = example.texts("source");
        one.input = example.texts("input");
        one.target = example.texts("target");
        one.predicted = example.texts("predicted");
        for (const std::vector<int64_t>& gold : example.integer_lists("gold")) {
            require(gold.size() == 2, "{}: a gold alignment is [begin, end]: example {}, numbers {}", about.where(), one.number,
                    gold.size());
            one.gold.emplace_back(gold[0], gold[1]);
        }
        const RecordReader lengths = example.object("lengths");
        one.source_length = lengths.integer("source");
        one.target_length = lengths.integer("target");
        for (const RecordReader& map : example.objects("maps")) {
            KeptMap m;
            m.site = map.text("site");
            m.number = map.has("number") ? map.integer("number") : KeptMap::unknown;
            m.rows = map.text("rows");
            m.columns = map.text("columns");
            const std::string name = fmt::format("{}/{}", one.number, m.site);
            const Tensor weights = file.read(name);
            m.shape = weights.shape();
            const std::size_t rows = one.symbols(m.rows).size(), columns = one.symbols(m.columns).size();
            require(m.shape.rank() == 2 && static_cast<std::size_t>(m.shape[0]) <= rows &&
                        static_cast<std::size_t>(m.shape[1]) <= columns,
                    "{}: more rows or columns than symbols: tensor '{}', shape {}, rows '{}' {}, columns '{}' {}",
                    about.where(), name, m.shape, m.rows, rows, m.columns, columns);
            m.weights.assign(weights.data(), weights.data() + weights.size());
            if (map.has("chosen"))
                m.chosen = map.integers("chosen");
            require(m.chosen.empty() || static_cast<int64_t>(m.chosen.size()) == m.shape[0],
                    "{}: one chosen position a row: tensor '{}', chosen {}, rows {}", about.where(), name, m.chosen.size(),
                    m.shape[0]);
            one.maps.push_back(std::move(m));
        }
        kept.examples.push_back(std::move(one));
    }
    return kept;
}

}  // namespace attend
