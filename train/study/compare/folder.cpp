#include "train/study/compare/folder.h"

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/own_files.h"
#include "train/config/reader.h"
#include "train/config/words.h"
#include "train/config/writer.h"
#include "train/records/record_reader.h"
#include "train/records/record_writer.h"
#include "train/records/run_contents.h"
#include "train/study/compare/claims.h"
#include "train/study/compare/prepare.h"

namespace attend::compare {

namespace fs = std::filesystem;

namespace {

// Whether some comparison has begun here: one of its variants has left its mark.
bool is_begun(const fs::path& root) {
    std::error_code error;  // no folder, no comparison
    for (fs::directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error))
        if (kind_of(entry->path()) == Kind::folder && is_written_config(entry->path() / variant_file))
            return true;
    return false;
}

void require_file(const fs::path& path) {
    const Kind kind = kind_of(path);
    require(kind == Kind::missing || kind == Kind::file || kind == Kind::link,
            "{}: {} stands where a file of the comparison is needed; move it or give another --out", path.string(),
            kind_name(kind));
}

}  // namespace

fs::path host_log(const fs::path& root) { return root / fmt::format("{}{}{}", host_log_begin, host_name(), host_log_end); }

std::string seed_name(int64_t seed) { return fmt::format("seed-{}", seed); }

void check_folder(const fs::path& root, const Comparison& comparison) {
    const RunFolder as_run(root);
    std::error_code error;
    const fs::file_status status = fs::status(root, error);
    require(!fs::exists(status) || fs::is_directory(status), "{}: a comparison needs a folder: there is a file of that name",
            root.string());
    require(!fs::exists(as_run.config()) && !fs::exists(as_run.metrics()),
            "{}: there is a training run in this folder: found {}; a comparison needs a folder of its own (--out)",
            root.string(), as_run.found());
    const bool begun = is_begun(root);
    for (const fs::path& path : {root / table_file, root / page_file, as_run.log(), host_log(root), root / comparison_file}) {
        require_file(path);
        require(begun || kind_of(path) == Kind::missing,
                "{}: a comparison would write over it, and no comparison has begun in this folder; move it or give "
                "another --out",
                path.string());
    }
    for (const Variant& v : comparison.variants) {
        const fs::path folder = root / v.name, mark = folder / variant_file;
        require_folder(folder);
        require_file(mark);
        require(kind_of(mark) != Kind::file || is_written_config(mark),
                "{}: a comparison would write over it, and it is no variant's config; move it or give another --out",
                mark.string());
    }
}

void check_run_folder(const fs::path& folder) {
    require_folder(folder);
    const RunFolder run(folder);
    run.check(fs::exists(run.config()) ? Existing::overwrite : Existing::refuse);
}

namespace {

void write_where_other(const fs::path& path, const std::string& text) {
    constexpr std::size_t largest = std::size_t{1} << 26;
    if (kind_of(path) != Kind::file || read_file(path, largest) != text)
        write_file_atomically(path, text);
}

// `prepared`: what prepared_json() says; "" for nothing.
std::string asked_text(const Comparison& c, const std::string& prepared) {
    std::vector<std::string> variants, null_variants;
    for (const Variant& v : c.variants) {
        variants.push_back(v.name);
        if (v.null_variant)
            null_variants.push_back(v.name);
    }
    RecordWriter json{{"format", int64_t{1}},
                      {"name", c.name},
                      {"config", fs::absolute(c.path).lexically_normal().string()},
                      {"seeds", c.seeds},
                      {"variants", variants},
                      {"null_variants", null_variants},
                      {"reference", c.variants[c.reference].name},
                      {"compare", JsonText{config::write(c.options)}}};
    if (!prepared.empty())
        json.set(prepared_key, JsonText{prepared});
    return json.text(1, Broken::replaced) + "\n";
}

// Whether the file says that the same was asked for, whatever it says of what was built.
bool is_asked(const fs::path& path, const Comparison& c) {
    constexpr std::size_t largest = std::size_t{1} << 26;
    if (kind_of(path) != Kind::file)
        return false;
    const std::string text = read_file(path, largest);
    try {
        return asked_text(c, RecordReader::of_text(path.string(), text).json_text(prepared_key)) == text;
    } catch (const Error&) {  // a file that is broken is written again
        return false;
    }
}

}  // namespace

void require_same_variants(const fs::path& root, const Comparison& comparison) {
    for (const Variant& v : comparison.variants) {
        const fs::path mark = root / v.name / variant_file;
        if (!is_written_config(mark))
            continue;
        const auto before = config::read<Experiment>(config::load(mark.string()));
        for (const config::Difference& d : config::differences(before, v.experiment))
            require(d.path == "name",
                    "{}: a comparison with other settings has begun in this folder: {} before {}, now {}; give "
                    "another --out, or the settings that it began with",
                    mark.string(), d.path, d.before.empty() ? "nothing" : d.before, d.after.empty() ? "nothing" : d.after);
    }
}

void write_folder(const fs::path& root, const Comparison& comparison, const Prepared* prepared) {
    make_folders(root);
    for (const Variant& v : comparison.variants) {  // the mark of a comparison's folder, so before all other files
        make_folder(root / v.name);
        write_where_other(root / v.name / variant_file, config::write(v.experiment));
    }
    if (prepared != nullptr)
        write_where_other(root / comparison_file, asked_text(comparison, prepared_json(comparison, *prepared).text()));
    else if (!is_asked(root / comparison_file, comparison))
        write_where_other(root / comparison_file, asked_text(comparison, ""));
}

bool is_comparison_folder(const fs::path& root) {
    return is_folder(root) && !is_there(RunFolder(root).config()) && kind_of(root / comparison_file) == Kind::file;
}

Comparison read_folder(const fs::path& root) {
    constexpr std::size_t largest = std::size_t{1} << 26;
    const std::string path = (root / comparison_file).string();
    const auto asked = RecordReader::of_text(path, read_file(path, largest));
    Comparison c;
    c.path = path;
    c.name = asked.text("name");
    c.seeds = asked.integers("seeds");
    c.options = config::read<CompareOptions>(config::parse_object(asked.json_text("compare"), config::file_source(path)));
    const std::vector<std::string> null_variants = asked.texts("null_variants");
    const std::string reference = asked.text("reference");
    for (const std::string& name : asked.texts("variants")) {
        if (name == reference)
            c.reference = c.variants.size();
        const std::string variant = (root / name / variant_file).string();
        c.variants.push_back({name, config::read<Experiment>(config::load(variant)), contains(null_variants, name)});
    }
    require(!c.variants.empty() && !c.seeds.empty(), "{}: a comparison has variants and seeds: variants {}, seeds {}", path,
            c.variants.size(), c.seeds.size());
    return c;
}

}  // namespace attend::compare
