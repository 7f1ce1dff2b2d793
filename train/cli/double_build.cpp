#include "train/cli/double_build.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace attend::inline ATTEND_PRECISION::cli {

namespace {
constexpr const char* double_build = "attend64";
}

std::filesystem::path double_build_in(const std::filesystem::path& folder) {
    std::filesystem::path path = folder / double_build;
    const int code = ::access(path.c_str(), X_OK) == 0 ? 0 : errno;
    ensure(code == 0, "{}: the double build is needed beside attend: {}; ./dev build makes it", path.string(),
           std::strerror(code));
    return path;
}

void become_double_build(const std::vector<std::string>& arguments) {
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    ensure(!error, "/proc/self/exe: this program cannot be found: {}", error.message());
    const std::filesystem::path path = double_build_in(self.parent_path());
    std::vector<std::string> words = {path.string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& w : words) pointers.push_back(w.data());
    pointers.push_back(nullptr);
    ::execv(path.c_str(), pointers.data());
    const int code = errno;
    throw MachineError(fmt::format("{}: cannot be executed: {}", path.string(), std::strerror(code)));
}

}  // namespace attend::inline ATTEND_PRECISION::cli
