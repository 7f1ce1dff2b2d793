// Packed files by libarchive: it tells xz, zstd and bzip2 apart and unpacks them piece by piece.
// gzip is not left to it: it does not look at gzip's checksum.
#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "core/base/error.h"
#include "data/text/unpacked.h"

namespace attend {

namespace {

class ArchiveSource final : public ByteSource {
  public:
    ArchiveSource(const std::string& file, int descriptor) : file_(file), archive_(::archive_read_new(), ::archive_read_free) {
        if (archive_ == nullptr)
            throw std::bad_alloc();
        struct stat status {};
        if (::fstat(descriptor, &status) == 0)
            size_ = status.st_size;
        constexpr std::size_t block = std::size_t{1} << 17;
        bool ready = true;
        for (const auto support :
             {::archive_read_support_filter_xz, ::archive_read_support_filter_zstd, ::archive_read_support_filter_bzip2,
              ::archive_read_support_format_raw, ::archive_read_support_format_empty})
            ready = support(archive_.get()) == ARCHIVE_OK && ready;
        const bool opened = ready && ::archive_read_open_fd(archive_.get(), descriptor, block) == ARCHIVE_OK;
        archive_entry* entry = nullptr;  // the archive's own
        const int code = opened ? ::archive_read_next_header(archive_.get(), &entry) : ARCHIVE_FATAL;
        const bool unpacks = opened && ::archive_filter_code(archive_.get(), 0) != ARCHIVE_FILTER_NONE;
        ended_ = code == ARCHIVE_EOF;
        require(unpacks && (code == ARCHIVE_OK || ended_), "{}: packed data are broken or cut off: {}, after line 0", file_,
                reason());
    }

    std::size_t read(std::span<char> to, std::size_t lines) override {
        if (ended_)
            return 0;
        const la_ssize_t got = ::archive_read_data(archive_.get(), to.data(), to.size());
        if (got < 0 && ::archive_errno(archive_.get()) == ENOMEM)
            throw std::bad_alloc();
        require(got >= 0, "{}: packed data are broken or cut off: {}, after line {}", file_, reason(), lines);
        ended_ = got == 0;
        const int64_t used = ::archive_filter_bytes(archive_.get(), -1);
        require(!ended_ || used == size_, "{}: something else follows the packed data: used {} bytes of {}, after line {}",
                file_, used, size_, lines);
        return static_cast<std::size_t>(got);
    }

  private:
    std::string reason() const {
        const char* said = ::archive_error_string(archive_.get());
        return said != nullptr ? said : "unknown form";
    }
    std::string file_;
    std::unique_ptr<::archive, int (*)(::archive*)> archive_;
    int64_t size_ = 0;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> archive_source(const std::string& file, int descriptor) {
    return std::make_unique<ArchiveSource>(file, descriptor);
}

}  // namespace attend
