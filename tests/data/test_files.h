#pragma once
/// Files of a test's own, gone at its end.
#include <zlib.h>

#include <fstream>
#include <string>
#include <string_view>

#include "tests/oracles/temporary_folder.h"

namespace attend::inline ATTEND_PRECISION {

class TestFiles {
  public:
    std::string path() const { return folder_.path().string(); }
    std::string path(std::string_view name) const { return (folder_ / name).string(); }
    /// Writes a file; its path.
    std::string write(std::string_view name, std::string_view bytes) const {
        std::ofstream(path(name), std::ios::binary) << bytes;
        return path(name);
    }
    /// The same packed.
    std::string write_gzip(std::string_view name, std::string_view bytes) const {
        gzFile file = gzopen(path(name).c_str(), "wb");
        if (!bytes.empty())
            gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
        gzclose(file);
        return path(name);
    }
    std::string read(std::string_view name) const {
        std::ifstream in(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

  private:
    oracles::TemporaryFolder folder_;
};

}  // namespace attend::inline ATTEND_PRECISION
