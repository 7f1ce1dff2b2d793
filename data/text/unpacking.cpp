#include "data/text/unpacking.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "core/error.h"

namespace attend::inline ATTEND_PRECISION {

struct UnpackingReader::State {
    enum class Form { unknown, plain, member, between };  // between: a member has ended

    std::string file;
    int descriptor = -1;
    Form form = Form::unknown;
    bool packed = false, zeros = false;  // zeros: some have come behind a member
    std::vector<char> block = std::vector<char>(std::size_t{1} << 17);
    std::string_view rest;  // of the block: not yet used
    int64_t offset = 0;     // of rest in the file
    z_stream stream{};

    explicit State(const std::string& path) : file(path) {
        descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        const int code = errno;
        require(descriptor >= 0, "{}: file cannot be opened: {}", file, std::strerror(code));
        if (::inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {  // 16: gzip
            ::close(descriptor);
            throw std::bad_alloc();
        }
    }
    ~State() {
        ::inflateEnd(&stream);
        ::close(descriptor);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    void advance(std::size_t bytes) {
        rest.remove_prefix(bytes);
        offset += static_cast<int64_t>(bytes);
    }

    // Reads until `rest` has at least that many bytes, which is less than a block; false when the file ends before.
    bool fill(std::size_t bytes, std::size_t lines) {
        if (rest.size() >= bytes)
            return true;
        std::size_t size = rest.size();
        std::copy_n(rest.begin(), size, block.begin());  // to the front: forward is right
        while (size < bytes) {
            const ssize_t got = ::read(descriptor, block.data() + size, block.size() - size);
            const int code = errno;
            if (got < 0 && code == EINTR)
                continue;
            require(got >= 0, "{}: file cannot be read: {}, after line {}", file, std::strerror(code), lines);
            if (got == 0)
                break;
            size += static_cast<std::size_t>(got);
        }
        rest = {block.data(), size};
        return size >= bytes;
    }

    bool begins_member(std::size_t lines) { return fill(2, lines) && rest[0] == '\x1f' && rest[1] == '\x8b'; }

    // To the next member; false at the end of the file.
    bool next_member(std::size_t lines) {
        if (!zeros && begins_member(lines)) {
            ::inflateReset(&stream);
            form = Form::member;
            return true;
        }
        while (fill(1, lines)) {
            const std::size_t padding = std::min(rest.find_first_not_of('\0'), rest.size());
            zeros = true;
            advance(padding);
            if (!rest.empty())
                fail("{}: what follows the gzip data is neither gzip nor zeros: offset {}, byte 0x{:02x}, after line {}", file,
                     offset, static_cast<unsigned char>(rest.front()), lines);
        }
        return false;
    }

    // Bytes of the member; 0 where it ends.
    std::size_t unpack(std::span<char> to, std::size_t lines) {
        stream.next_out = reinterpret_cast<Bytef*>(to.data());
        stream.avail_out = static_cast<uInt>(to.size());
        while (stream.avail_out == to.size()) {
            const bool more = fill(1, lines);
            stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));
            stream.avail_in = static_cast<uInt>(rest.size());
            const int code = ::inflate(&stream, Z_NO_FLUSH);
            advance(rest.size() - stream.avail_in);
            if (code == Z_MEM_ERROR)
                throw std::bad_alloc();
            if (code == Z_STREAM_END) {
                form = Form::between;
                break;
            }
            const char* wrong = stream.msg != nullptr ? stream.msg : !more ? "unexpected end of file" : nullptr;
            if (code != Z_OK && (wrong != nullptr || code != Z_BUF_ERROR))
                fail("{}: gzip data are broken or cut off: {}, after line {}", file, wrong ? wrong : "unknown form", lines);
        }
        return to.size() - stream.avail_out;
    }
};

UnpackingReader::UnpackingReader(const std::string& file) : state_(std::make_unique<State>(file)) {}
UnpackingReader::~UnpackingReader() = default;
bool UnpackingReader::packed() const { return state_->packed; }

std::size_t UnpackingReader::read(std::span<char> to, std::size_t lines) {
    State& s = *state_;
    to = to.first(std::min<std::size_t>(to.size(), std::size_t{1} << 30));
    if (s.form == State::Form::unknown) {
        s.packed = s.begins_member(lines);
        s.form = s.packed ? State::Form::member : State::Form::plain;
    }
    if (s.form == State::Form::plain) {
        s.fill(1, lines);
        const std::size_t n = std::min(to.size(), s.rest.size());
        std::copy_n(s.rest.data(), n, to.data());
        s.advance(n);
        return n;
    }
    for (;;) {
        if (s.form == State::Form::between && !s.next_member(lines))
            return 0;
        if (const std::size_t n = s.unpack(to, lines); n > 0)
            return n;
    }
}

}  // namespace attend::inline ATTEND_PRECISION
