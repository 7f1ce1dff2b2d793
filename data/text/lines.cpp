#include "data/text/lines.h"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

namespace attend::inline ATTEND_PRECISION {

namespace {

struct CloseGzip {
    void operator()(gzFile_s* f) const { gzclose(f); }
};
using Gzip = std::unique_ptr<gzFile_s, CloseGzip>;

// zlib's reader takes plain files as they are and unpacks gzip.
Gzip open(const std::string& file, const std::string& hint) {
    std::error_code ignored;
    const auto status = std::filesystem::status(file, ignored);
    if (!std::filesystem::exists(status))
        fail("{}: file is missing: {}", file, hint.empty() ? "nothing of that name is there" : hint.c_str());
    require(!std::filesystem::is_directory(status), "{}: a file is needed: this is a folder", file);
    errno = 0;
    Gzip gzip(gzopen(file.c_str(), "rb"));
    if (!gzip)
        fail("{}: file cannot be opened: {}", file, errno ? std::strerror(errno) : "out of memory");
    gzbuffer(gzip.get(), 1u << 17);
    return gzip;
}

}  // namespace

Texts read_lines(const std::string& file, const LineLimits& limits, const std::string& hint) {
    const Gzip gzip = open(file, hint);
    Texts lines;
    std::string line;  // the unfinished one
    int64_t total = 0;
    bool begins = true;
    const auto finish = [&](std::string_view text) {
        if (!text.empty() && text.back() == '\r')
            text.remove_suffix(1);
        if (begins && text.starts_with("\xEF\xBB\xBF"))
            text.remove_prefix(3);
        begins = false;
        lines.add(text);
    };
    std::vector<char> block(std::size_t{1} << 17);
    for (;;) {
        const int got = gzread(gzip.get(), block.data(), static_cast<unsigned>(block.size()));
        int code = Z_OK;
        const char* message = gzerror(gzip.get(), &code);
        // Z_BUF_ERROR: the packed data end too early.
        if (got < 0 || code != Z_OK)
            fail("{}: {}: {}, after line {}", file, code == Z_ERRNO ? "file cannot be read" : "gzip data are broken or cut off",
                 code == Z_ERRNO ? std::strerror(errno) : message, lines.size());
        if (got == 0)
            break;
        total += got;
        require(total <= limits.file_bytes, "{}: text is too long: more than {} bytes, allowed {}", file, total - 1,
                limits.file_bytes);
        std::string_view rest(block.data(), static_cast<std::size_t>(got));
        while (!rest.empty()) {
            const std::size_t end = rest.find('\n');
            const std::string_view piece = rest.substr(0, end);
            const auto bytes = static_cast<int64_t>(line.size() + piece.size());
            require(bytes <= limits.line_bytes, "{}:{}: line is too long: at least {} bytes, allowed {}", file,
                    lines.size() + 1, bytes, limits.line_bytes);
            if (end == std::string_view::npos) {
                line += piece;
                break;
            }
            if (line.empty()) {
                finish(piece);
            } else {
                line += piece;
                finish(line);
                line.clear();
            }
            rest.remove_prefix(end + 1);
        }
    }
    if (!line.empty())
        finish(line);
    require(total > 0, "{}: file is empty: lines 0, needed at least 1", file);
    require(!file.ends_with(".gz") || gzdirect(gzip.get()) == 0, "{}: name ends in .gz but the content is not gzip: lines {}",
            file, lines.size());
    return lines;
}

}  // namespace attend::inline ATTEND_PRECISION
