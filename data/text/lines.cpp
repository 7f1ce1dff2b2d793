#include "data/text/lines.h"

#include <filesystem>
#include <vector>

namespace attend::inline ATTEND_PRECISION {

UnpackingReader open_text(const std::string& file, const std::string& hint) {
    std::error_code ignored;
    const auto status = std::filesystem::status(file, ignored);
    if (!std::filesystem::exists(status))
        fail("{}: file is missing: {}", file, hint.empty() ? "nothing of that name is there" : hint.c_str());
    require(!std::filesystem::is_directory(status), "{}: a file is needed: this is a folder", file);
    return UnpackingReader(file);
}

Texts read_lines(const std::string& file, const LineLimits& limits, const std::string& hint) {
    UnpackingReader reader = open_text(file, hint);
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
        const std::size_t got = reader.read(block, lines.size());
        if (got == 0)
            break;
        total += static_cast<int64_t>(got);
        require(total <= limits.file_bytes, "{}: text is too long: more than {} bytes, allowed {}", file, total - 1,
                limits.file_bytes);
        std::string_view rest(block.data(), got);
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
    require(!file.ends_with(".gz") || reader.packed(), "{}: name ends in .gz but the content is not gzip: lines {}", file,
            lines.size());
    return lines;
}

}  // namespace attend::inline ATTEND_PRECISION
