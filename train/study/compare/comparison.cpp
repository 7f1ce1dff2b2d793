#include "train/study/compare/comparison.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>

#include "train/config/overrides.h"
#include "train/config/reader.h"
#include "train/config/utf8.h"
#include "train/config/words.h"
#include "train/config/writer.h"
#include "train/records/resume.h"
#include "train/records/run_contents.h"
#include "train/study/compare/folder.h"
#include "train/study/compare/grid.h"
#include "train/study/compare/jobs.h"

namespace attend::compare {

namespace {

constexpr std::size_t most_seeds = 1000;

// The member's value, taken out of the object; one without a place where it is not there.
config::Value take(config::Value& object, std::string_view key) {
    config::Member* member = object.find(key);
    if (member == nullptr)
        return {};
    config::Value value = std::move(member->value);
    object.members.erase(object.members.begin() + (member - object.members.data()));
    return value;
}

std::string keys_of(const config::Value& object) {
    std::vector<std::string> keys;
    for (const config::Member& m : object.members) keys.push_back(utf8::printable(m.key));
    return joined(keys);
}

// The base as a tree: of the file it names, or what stands in the config itself.
config::Value base_of(const config::Value& base, const config::Value& document) {
    require(base.place.source != nullptr, "{}: base: missing: keys found {}, keys needed base and variants or grid",
            document.place.text(), keys_of(document));
    if (base.kind == config::Value::Kind::object)
        return base;
    require(base.kind == config::Value::Kind::text && !base.text.empty(),
            "{}: base: wrong type: expected a config's path or an object, got {}", base.place.text(), config::described(base));
    const std::filesystem::path path = std::filesystem::path(base.place.source->folder) / base.text;
    require(std::filesystem::exists(path), "{}: base: no such config: '{}', looked for at {}", base.place.text(), base.text,
            path.lexically_normal().string());
    config::Value tree = config::load(path.lexically_normal().string());
    require(!has_variants(tree), "{}: base: it is a comparison itself: '{}'; a base is an experiment", base.place.text(),
            base.text);
    return tree;
}

// ASCII letters small: names that differ in nothing else are one on some file systems.
std::string lower(std::string name) {
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return name;
}

// Names that a folder of a comparison has for itself, or that would make it look like a training
// run's.
bool is_taken(const std::string& name) {
    const RunFolder run("");
    const std::vector<std::filesystem::path> taken = {table_file,
                                                      page_file,
                                                      comparison_file,
                                                      messages(""),
                                                      run.log(),
                                                      run.config(),
                                                      run.metrics(),
                                                      run.summary(),
                                                      run.samples(),
                                                      run.scores(Split::valid),
                                                      run.scores(Split::test),
                                                      run.report(),
                                                      run.lab(),
                                                      run.maps(),
                                                      run.vocabulary(),
                                                      run.bundle(),
                                                      run.checkpoints()};
    const std::string small = lower(name);
    return std::ranges::count(taken, std::filesystem::path(small)) > 0 || small.starts_with(events_begin) ||
           (small.starts_with(host_log_begin) && small.ends_with(host_log_end));
}

void check_name(const config::Member& variant, const std::vector<Variant>& before) {
    const std::string& name = variant.key;
    require(!name.empty() && name.find_first_of("/\\") == std::string::npos && !name.starts_with('.') && name.size() <= 100 &&
                utf8::printable(name, name.size()) == name,
            "{}: variants: a variant is named as its folder: name '{}', neither empty nor longer than 100 bytes, without '/', "
            "'\\', characters that a terminal does not show and a '.' at its beginning",
            variant.place.text(), utf8::printable(name));
    require(!is_taken(name), "{}: variants: the comparison has a file or folder of that name itself: name '{}'; choose another",
            variant.place.text(), name);
    for (const Variant& b : before)
        require(lower(b.name) != lower(name),
                "{}: variants: names that differ in capitals alone: '{}' and '{}'; choose another", variant.place.text(),
                b.name, name);
}

config::Member no_changes(const config::Place& place) {
    config::Member none;
    none.place = none.value.place = place;
    none.value.kind = config::Value::Kind::object;
    return none;
}

// The variants as the config names them. A config with a grid alone has one, of no name and
// without changes.
std::vector<config::Member> named_variants(const config::Value& variants, const config::Value& grid) {
    if (variants.place.source == nullptr)
        return {no_changes(grid.place)};
    require(variants.kind == config::Value::Kind::object && !variants.members.empty(),
            "{}: variants: expected an object of at least one variant, got {} of {}", variants.place.text(),
            config::described(variants), variants.members.size());
    return variants.members;
}

// The variant with one combination of the grid.
config::Member combined(const config::Member& variant, const Combination& combination) {
    config::Member all = variant;
    all.key += (variant.key.empty() ? "" : ",") + combination.name;
    for (const config::Member& change : combination.changes) {
        if (variant.value.kind == config::Value::Kind::object)
            require(variant.value.find(change.key) == nullptr, "{}: grid: {}: variant '{}' sets it, too", change.place.text(),
                    utf8::printable(change.key), utf8::printable(variant.key));
        all.value.members.push_back(change);
    }
    return all;
}

Experiment changed(const config::Value& base, const config::Member& variant, const std::string& path) {
    require(variant.value.kind == config::Value::Kind::object,
            "{}: wrong type: expected an object of key paths and values, got {}", variant.value.place.text(),
            config::described(variant.value));
    config::Value tree = base;
    std::vector<std::string> before;
    for (const config::Member& change : variant.value.members) {
        require(change.key != "seed" && change.key != "name",
                "{}: {}: a comparison gives each run its own: a variant sets none; seeds stand under 'seeds'",
                change.place.text(), change.key);
        for (const std::string& b : before)
            require(!b.starts_with(change.key + "."), "{}: {}: comes after and would undo {}: put it first",
                    change.place.text(), utf8::printable(change.key), utf8::printable(b));
        before.push_back(change.key);
        tree = config::with(std::move(tree), change.key, change.value);
    }
    Experiment experiment = experiment_of(std::move(tree), path);
    require_not_extended(experiment, path);
    return experiment;
}

// The combination that changes nothing: the variant as it is without the grid. 0 where none is.
std::size_t unchanged(const config::Value& base, const config::Member& variant, std::span<const Variant> combinations,
                      const std::string& path) {
    try {
        Experiment plain = changed(base, variant, path);
        for (std::size_t i = 0; i < combinations.size(); ++i) {
            plain.name = combinations[i].experiment.name;
            if (config::differences(plain, combinations[i].experiment).empty())
                return i;
        }
    } catch (const Error&) {  // it works with the grid's values alone
    }
    return 0;
}

void add_null_variant(Comparison& c) {
    constexpr const char* name = "aa";
    for (const Variant& v : c.variants)
        require(lower(v.name) != name, "{}: compare.aa: there is a variant of that name: '{}'; rename it", c.path, v.name);
    Variant null = c.variants[c.reference];
    null.name = null.experiment.name = name;
    int64_t& order = null.experiment.train.batch_order;
    order = order < most_steps ? order + 1 : 1;
    null.null_variant = true;
    c.variants.push_back(std::move(null));
}

std::vector<int64_t> checked_seeds(const std::vector<double>& given, const std::string& where, int64_t wanted) {
    std::vector<int64_t> seeds;
    for (const double s : given) {
        require(std::trunc(s) == s && s <= 0x1p53, "{}: seeds: not an integer from 0 to 2^53: {}", where, s);
        seeds.push_back(static_cast<int64_t>(s));
        require(std::count(seeds.begin(), seeds.end(), seeds.back()) == 1, "{}: seeds: given twice: {}", where, seeds.back());
    }
    require(!seeds.empty() && seeds.size() <= most_seeds, "{}: seeds: wrong count: {}, allowed 1 to {}", where, seeds.size(),
            most_seeds);
    if (wanted > 0)
        seeds.resize(std::min(seeds.size(), static_cast<std::size_t>(wanted)));
    for (int64_t next = *std::max_element(seeds.begin(), seeds.end()) + 1; static_cast<int64_t>(seeds.size()) < wanted; ++next)
        seeds.push_back(next);
    return seeds;
}

}  // namespace

void CompareOptions::fields(Visitor& v) {
    v.text("metric", metric, "what is compared: a metric of the runs; empty: the first variant's train.best_metric");
    v.choice("split", split, {"auto", "train", "valid", "test"},
             "where it is measured; auto: test, or valid where there is no test split, or train");
    v.choice("evaluation", evaluation, {"last", "best"},
             "of valid and train the last value of a run, or the best; the test split is that of the best checkpoint");
    v.text("reference", reference, "the variant that the others are compared with; empty: the first");
    v.number(
        "threshold", threshold, {-1e9, 1e9, "none"},
        "level of the metric on the validation split until which steps, targets and seconds are counted; to be fixed before "
        "the runs are looked at (0 is the word; for a level at 0 give 1e-9)");
    v.number(
        "collapsed", collapsed, {-1e9, 1e9, "auto"},
        "a run whose value is worse counts as collapsed (0 is the word; for a level at 0 give 1e-9); auto: in the middle of "
        "a gap between the variant's runs that is half as wide as the way from an untrained model to the best of them");
    v.number("confidence", confidence, {0.5, 0.9999}, "of the intervals; 1 - confidence is the level of the tests");
    v.number("power", power, {0.5, 0.999}, "chance of finding a difference that the count of seeds needed is for");
    v.numbers("steps", steps, {1, 4e9}, false, "steps whose values of the validation split are listed, too");
    v.selection(
        "by_length", by_length,
        "the metric by the length of the examples as well: a table and a chart of its means over seeds, with intervals");
    v.flag("aa", aa,
           "one more variant, 'aa': the reference with its batches in another order (train.batch_order). A difference that is "
           "found between the two is a false one");
}

void ComparisonOptions::fields(Visitor& v) {
    v.text("name", name, "names the comparison and its folder; empty: the config file's name");
    v.path("base", base, "config of the experiment that the variants change; an experiment may also stand here itself");
    v.numbers("seeds", seeds, {0, 0x1p53}, false, "seeds that every variant is run with");
    v.object("compare", compare, "how the runs are compared");
}

bool is_comparison(const std::string& path) {
    std::error_code ignored;  // who reads it for good says what is wrong
    return std::filesystem::is_regular_file(path, ignored) && has_variants(config::load(path));
}

Comparison read_comparison(const std::string& path, const std::vector<std::string>& assignments, int64_t seeds) {
    config::Value document = config::load(path);
    require(has_variants(document),
            "{}: variants: missing: keys found {}, keys needed base and variants or grid; an experiment is trained with "
            "'attend train'",
            document.place.text(), keys_of(document));
    drop_schema(document);
    config::Value base = base_of(take(document, "base"), document);
    const config::Value variants = take(document, "variants");
    const config::Value grid = take(document, "grid");
    const std::vector<config::Member> named = named_variants(variants, grid);
    const bool has_grid = grid.place.source != nullptr;
    const std::vector<Combination> all = has_grid ? combinations(grid) : std::vector<Combination>{};
    if (has_grid)
        require(named.size() * all.size() <= most_combinations,
                "{}: grid: too many variants: {} variants x {} combinations, limit {}", grid.place.text(), named.size(),
                all.size(), most_combinations);
    for (const std::string& a : assignments) {
        require(!a.starts_with("seed=") && !a.starts_with("name="),
                "--set {}: a comparison gives each run its own seed and name; --seeds says how many, --out where", a);
        config::Value& changed_tree = a.starts_with("compare.") ? document : base;
        changed_tree = config::set(std::move(changed_tree), a);
    }
    const auto options = config::read<ComparisonOptions>(document);

    Comparison c;
    c.path = path;
    c.name = options.name.empty() ? std::filesystem::path(path).stem().string() : options.name;
    require_folder_name(c.name, path);
    c.options = options.compare;
    c.seeds = checked_seeds(options.seeds, path, seeds);
    const auto add = [&](const config::Member& variant) {
        check_name(variant, c.variants);
        try {
            c.variants.push_back({variant.key, changed(base, variant, path)});
        } catch (const Error& e) {
            throw Error(fmt::format("{}: variants.{}: {}", path, variant.key, e.what()));
        }
        c.variants.back().experiment.name = variant.key;
    };
    for (const config::Member& variant : named) {
        if (!has_grid)
            add(variant);
        for (const Combination& combination : all) add(combined(variant, combination));
    }
    if (has_grid)
        c.reference = unchanged(base, named.front(), std::span(c.variants).first(all.size()), path);
    std::vector<std::string> names;
    for (const Variant& v : c.variants) names.push_back(v.name);
    const auto reference = std::ranges::find(c.variants, options.compare.reference, &Variant::name);
    if (reference != c.variants.end())
        c.reference = static_cast<std::size_t>(reference - c.variants.begin());
    require(options.compare.reference.empty() || reference != c.variants.end(),
            "{}: compare.reference: no such variant: '{}', known {}", path, options.compare.reference, joined(names));
    try {
        (void)by_length_table().build(c.options.by_length);
    } catch (const Error& e) {
        throw Error(fmt::format("{}: compare.by_length: {}", path, e.what()));
    }
    if (options.compare.aa)
        add_null_variant(c);
    return c;
}

}  // namespace attend::compare
