#pragma once
/// Files of a test's own, gone at its end.
#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <fstream>
#include <string>
#include <string_view>

#include "core/real.h"
#include "tests/oracles/temporary_folder.h"

namespace attend::ATTEND_PRECISION {

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
    /// The same packed by a filter of libarchive: "xz", "zstd", "bzip2", "lz4", "gzip".
    std::string write_packed(std::string_view name, const char* filter, std::string_view bytes) const {
        ::archive* packed = archive_write_new();
        archive_write_add_filter_by_name(packed, filter);
        archive_write_set_format_raw(packed);
        archive_write_open_filename(packed, path(name).c_str());
        archive_entry* entry = archive_entry_new();
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_write_header(packed, entry);
        archive_write_data(packed, bytes.data(), bytes.size());
        archive_entry_free(entry);
        archive_write_close(packed);
        archive_write_free(packed);
        return path(name);
    }
    std::string read(std::string_view name) const {
        std::ifstream in(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

  private:
    oracles::TemporaryFolder folder_;
};

}  // namespace attend::ATTEND_PRECISION
