#pragma once
/// A folder of a test's own, removed with its content at the end.
#include <zlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "core/error.h"

namespace attend::inline ATTEND_PRECISION {

class TemporaryFolder {
  public:
    TemporaryFolder() {
        static std::atomic<int> count{0};
        std::string name = (std::filesystem::temp_directory_path() / "attend_test_XXXXXX").string();
        ensure(mkdtemp(name.data()) != nullptr, "test: no temporary folder: name {}, number {}", name, ++count);
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    std::string path(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }
    /// Writes a file; its path.
    std::string write(const std::string& name, std::string_view bytes) const {
        std::ofstream(path(name), std::ios::binary) << bytes;
        return path(name);
    }
    /// The same packed.
    std::string write_gzip(const std::string& name, std::string_view bytes) const {
        gzFile file = gzopen(path(name).c_str(), "wb");
        if (!bytes.empty())
            gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
        gzclose(file);
        return path(name);
    }
    std::string read(const std::string& name) const {
        std::ifstream in(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

  private:
    std::string path_;
};

}  // namespace attend::inline ATTEND_PRECISION
