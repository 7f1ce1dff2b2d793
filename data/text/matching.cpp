#include "data/text/matching.h"

#include <fnmatch.h>

#include <filesystem>
#include <set>
#include <utility>

#include "core/base/interruption.h"

namespace attend {

namespace {

namespace fs = std::filesystem;

bool is_pattern(const std::string& name) { return name.find_first_of("*?[") != std::string::npos; }

// The entries of a folder; none where it is no folder.
std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
    const fs::path listed = folder.empty() ? fs::path(".") : folder;
    std::error_code code;
    if (!fs::is_directory(listed, code))
        return {};
    std::vector<fs::directory_entry> all;
    fs::directory_iterator at(listed, code);
    for (; !code && at != fs::directory_iterator(); at.increment(code)) all.push_back(*at);
    if (code)
        fail("{}: folder cannot be read: {}", listed.string(), code.message());
    return all;
}

// Finds what the parts of a pattern mean, one part a folder.
class Matcher {
  public:
    explicit Matcher(const fs::path& pattern) {
        for (const fs::path& part : pattern.relative_path())
            if (!part.empty())
                parts_.push_back(part.string());
        match(pattern.root_path(), 0);
    }
    std::vector<std::string> found() const { return {found_.begin(), found_.end()}; }

  private:
    // Adds what parts_[next] ... mean below `folder`. With several "**" there are many ways to one
    // folder, and all but the first find nothing new.
    void match(const fs::path& folder, std::size_t next) {
        if (!seen_.emplace(folder.string(), next).second)
            return;
        interruption_point();
        std::error_code ignored;
        const std::string& part = parts_[next];
        const bool last = next + 1 == parts_.size();
        const auto go_on = [&](const fs::path& path) {
            if (!last)
                match(path, next + 1);
            else if (fs::is_regular_file(path, ignored))
                found_.insert(path.string());
        };
        if (part == "**" && !last) {
            match(folder, next + 1);
            for (const fs::directory_entry& e : entries_of(folder))
                if (e.is_directory(ignored) && !e.is_symlink(ignored) && !e.path().filename().string().starts_with('.'))
                    match(folder / e.path().filename(), next);
        } else if (is_pattern(part)) {
            for (const fs::directory_entry& e : entries_of(folder))
                if (::fnmatch(part.c_str(), e.path().filename().c_str(), FNM_PERIOD) == 0)
                    go_on(folder / e.path().filename());
        } else {
            go_on(folder / part);
        }
    }

    std::vector<std::string> parts_;
    std::set<std::pair<std::string, std::size_t>> seen_;
    std::set<std::string> found_;
};

}  // namespace

std::vector<std::string> matching_files(const std::string& path) {
    std::error_code ignored;
    if (!is_pattern(path) || fs::exists(path, ignored))
        return {path};
    return Matcher(fs::path(path)).found();
}

}  // namespace attend
