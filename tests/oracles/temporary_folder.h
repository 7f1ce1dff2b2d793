#pragma once
/// A folder for one test, gone with all in it at the test's end.
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.h"

namespace attend::inline ATTEND_PRECISION::oracles {

class TemporaryFolder {
  public:
    /// Throws MachineError when no folder can be made where the system keeps temporary files.
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "attend-test-XXXXXX").string();
        ensure(::mkdtemp(name.data()) != nullptr, "{}: cannot be created", name);
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

}  // namespace attend::inline ATTEND_PRECISION::oracles
