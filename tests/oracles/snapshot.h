#pragma once
/// Everything below a folder as text, to tell what a command has changed in it.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/real.h"

namespace attend::ATTEND_PRECISION::oracles {

/// Relative path to kind, mode and contents: a file's bytes, where a link points to. Links are not
/// followed.
using Snapshot = std::map<std::string, std::string>;

inline std::string described(const std::filesystem::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
        return "gone";
    std::string text = fmt::format("{:o} ", status.st_mode);
    if (S_ISLNK(status.st_mode))
        text += std::filesystem::read_symlink(path).string();
    if (S_ISREG(status.st_mode)) {
        std::ifstream in(path, std::ios::binary);
        text.append(std::istreambuf_iterator<char>(in), {});
    }
    return text;
}

inline Snapshot snapshot(const std::filesystem::path& folder) {
    Snapshot all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        all[entry.path().lexically_relative(folder).string()] = described(entry.path());
    return all;
}

/// The paths that are only in one of the two, or not the same in both.
inline std::vector<std::string> changed(const Snapshot& before, const Snapshot& after) {
    std::vector<std::string> paths;
    for (const auto& [path, text] : before)
        if (const auto found = after.find(path); found == after.end() || found->second != text)
            paths.push_back(path);
    for (const auto& [path, text] : after)
        if (!before.contains(path))
            paths.push_back(path);
    return paths;
}

}  // namespace attend::ATTEND_PRECISION::oracles
