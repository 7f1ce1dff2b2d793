#pragma once
#include <filesystem>

namespace attend {

/// The user's folder for files that can be made again (XDG Base Directory Specification):
/// $XDG_CACHE_HOME/attend or ~/.cache/attend; empty where neither variable holds an absolute path.
/// It may not be there yet.
std::filesystem::path user_cache();

}  // namespace attend
