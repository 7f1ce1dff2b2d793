#include <zlib.h>

#include <algorithm>
#include <new>
#include <vector>

#include "core/base/error.h"
#include "core/base/system_call.h"
#include "data/text/unpacked.h"

namespace attend {

namespace {

class PlainSource final : public ByteSource {
  public:
    PlainSource(const std::string& file, int descriptor) : file_(file), descriptor_(descriptor) {}
    std::size_t read(std::span<char> to, std::size_t lines) override {
        const ssize_t got = uninterrupted([&] { return ::read(descriptor_, to.data(), to.size()); });
        const int code = errno;
        require(got >= 0, "{}: file cannot be read: {}, after line {}", file_, reason_of(code), lines);
        return static_cast<std::size_t>(got);
    }

  private:
    std::string file_;
    int descriptor_;
};

// Bytes of a file, looked at before they are used.
class Block {
  public:
    Block(const std::string& file, int descriptor) : source_(file, descriptor) {}

    std::string_view rest() const { return rest_; }
    int64_t offset() const { return offset_; }  // of the rest in the file

    void advance(std::size_t bytes) {
        rest_.remove_prefix(bytes);
        offset_ += static_cast<int64_t>(bytes);
    }

    // Reads until the rest has at least that many bytes, which is less than a block; false when the
    // file ends before.
    bool fill(std::size_t bytes, std::size_t lines) {
        if (rest_.size() >= bytes)
            return true;
        std::size_t size = rest_.size();
        std::copy_n(rest_.begin(), size, block_.begin());  // to the front: forward is right
        while (size < bytes) {
            const std::size_t got = source_.read(std::span(block_).subspan(size), lines);
            if (got == 0)
                break;
            size += got;
        }
        rest_ = {block_.data(), size};
        return size >= bytes;
    }

  private:
    PlainSource source_;
    std::vector<char> block_ = std::vector<char>(std::size_t{1} << 17);
    std::string_view rest_;  // of the block: not yet used
    int64_t offset_ = 0;
};

class GzipSource final : public ByteSource {
  public:
    GzipSource(const std::string& file, int descriptor) : file_(file), block_(file, descriptor) {
        if (::inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK)  // 16: gzip
            throw std::bad_alloc();
    }
    ~GzipSource() override { ::inflateEnd(&stream_); }
    GzipSource(const GzipSource&) = delete;
    GzipSource& operator=(const GzipSource&) = delete;

    std::size_t read(std::span<char> to, std::size_t lines) override {
        to = to.first(std::min<std::size_t>(to.size(), std::size_t{1} << 30));
        for (;;) {
            if (!in_member_ && !next_member(lines))
                return 0;
            if (const std::size_t n = unpack(to, lines); n > 0)
                return n;
        }
    }

  private:
    // To the next member; false at the end of the file.
    bool next_member(std::size_t lines) {
        if (!zeros_ && block_.fill(2, lines) && block_.rest().starts_with("\x1f\x8b")) {
            ::inflateReset(&stream_);
            in_member_ = true;
            return true;
        }
        while (block_.fill(1, lines)) {
            const std::size_t padding = std::min(block_.rest().find_first_not_of('\0'), block_.rest().size());
            zeros_ = true;
            block_.advance(padding);
            if (!block_.rest().empty())
                fail("{}: what follows the gzip data is neither gzip nor zeros: offset {}, byte 0x{:02x}, after line {}", file_,
                     block_.offset(), static_cast<unsigned char>(block_.rest().front()), lines);
        }
        return false;
    }

    // Bytes of the member; 0 where it ends.
    std::size_t unpack(std::span<char> to, std::size_t lines) {
        stream_.next_out = reinterpret_cast<Bytef*>(to.data());
        stream_.avail_out = static_cast<uInt>(to.size());
        while (stream_.avail_out == to.size()) {
            const bool more = block_.fill(1, lines);
            const std::string_view rest = block_.rest();
            stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));
            stream_.avail_in = static_cast<uInt>(rest.size());
            const int code = ::inflate(&stream_, Z_NO_FLUSH);
            block_.advance(rest.size() - stream_.avail_in);
            if (code == Z_MEM_ERROR)
                throw std::bad_alloc();
            if (code == Z_STREAM_END) {
                in_member_ = false;
                break;
            }
            const char* wrong = stream_.msg != nullptr ? stream_.msg : !more ? "unexpected end of file" : nullptr;
            if (code != Z_OK && (wrong != nullptr || code != Z_BUF_ERROR))
                fail("{}: gzip data are broken or cut off: {}, after line {}", file_, wrong ? wrong : "unknown form", lines);
        }
        return to.size() - stream_.avail_out;
    }

    std::string file_;
    Block block_;
    bool in_member_ = false, zeros_ = false;  // zeros: some have come after a member
    z_stream stream_{};
};

}  // namespace

std::unique_ptr<ByteSource> plain_source(const std::string& file, int descriptor) {
    return std::make_unique<PlainSource>(file, descriptor);
}
std::unique_ptr<ByteSource> gzip_source(const std::string& file, int descriptor) {
    return std::make_unique<GzipSource>(file, descriptor);
}

}  // namespace attend
