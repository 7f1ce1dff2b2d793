#pragma once
/// A folder for one test, gone with all in it at the test's end. In memory where the system has
/// such a place: bringing files to a disk is most of a test's time.
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/real.h"

namespace attend::ATTEND_PRECISION::oracles {

class TemporaryFolder {
  public:
    /// Throws MachineError when no folder can be made.
    TemporaryFolder() {
        for (const std::filesystem::path& place : {std::filesystem::path("/dev/shm"), std::filesystem::temp_directory_path()}) {
            std::string name = (place / "attend-test-XXXXXX").string();
            if (::mkdtemp(name.data()) == nullptr)
                continue;
            path_ = name;
            return;
        }
        ensure(false, "{}: no folder can be made for a test", std::filesystem::temp_directory_path().string());
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

}  // namespace attend::ATTEND_PRECISION::oracles
