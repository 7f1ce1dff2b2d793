#include "data/text/matching.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>

namespace attend::inline ATTEND_PRECISION {

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

using Parts = std::vector<std::string>;

// Adds to `found` what parts[next] ... mean below `folder`.
void match(const fs::path& folder, const Parts& parts, std::size_t next, std::vector<std::string>& found) {
    std::error_code ignored;
    const std::string& part = parts[next];
    const bool last = next + 1 == parts.size();
    const auto go_on = [&](const fs::path& path) {
        if (!last)
            match(path, parts, next + 1, found);
        else if (fs::is_regular_file(path, ignored))
            found.push_back(path.string());
    };
    if (part == "**" && !last) {
        match(folder, parts, next + 1, found);
        for (const fs::directory_entry& e : entries_of(folder))
            if (e.is_directory(ignored) && !e.is_symlink(ignored) && !e.path().filename().string().starts_with('.'))
                match(folder / e.path().filename(), parts, next, found);
    } else if (is_pattern(part)) {
        for (const fs::directory_entry& e : entries_of(folder))
            if (::fnmatch(part.c_str(), e.path().filename().c_str(), FNM_PERIOD) == 0)
                go_on(folder / e.path().filename());
    } else {
        go_on(folder / part);
    }
}

}  // namespace

std::vector<std::string> matching_files(const std::string& path) {
    std::error_code ignored;
    if (!is_pattern(path) || fs::exists(path, ignored))
        return {path};
    Parts parts;
    for (const fs::path& part : fs::path(path).relative_path())
        if (!part.empty())
            parts.push_back(part.string());
    std::vector<std::string> found;
    match(fs::path(path).root_path(), parts, 0, found);
    std::ranges::sort(found);
    found.erase(std::ranges::unique(found).begin(), found.end());  // "**/**" finds a file more than once
    return found;
}

}  // namespace attend::inline ATTEND_PRECISION
