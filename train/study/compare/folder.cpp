#include "train/study/compare/folder.h"

#include "core/base/own_files.h"
#include "train/records/run_contents.h"

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
    for (const char* name : {"compare.json", "compare.html", "log.txt"}) {
        require_file(root / name);
        require(begun || kind_of(root / name) == Kind::missing,
                "{}: a comparison would write over it, and no comparison has begun in this folder; move it or give "
                "another --out",
                (root / name).string());
    }
    for (const Variant& v : comparison.variants) {
        const fs::path folder = root / v.name, mark = folder / variant_file;
        require_folder(folder);
        require_file(mark);
        require(kind_of(mark) != Kind::file || is_written_config(mark),
                "{}: a comparison would write over it, and it is no variant's config; move it or give another --out",
                mark.string());
        for (const int64_t seed : comparison.seeds) {
            require_folder(folder / seed_name(seed));
            const RunFolder run(folder / seed_name(seed));
            run.check(fs::exists(run.config()) ? Existing::overwrite : Existing::refuse);
        }
    }
}

}  // namespace attend::compare
