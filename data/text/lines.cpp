#include "data/text/lines.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "core/base/memory.h"

namespace attend {

UnpackingReader open_text(const std::string& file, const std::string& hint) {
    std::error_code ignored;
    const auto status = std::filesystem::status(file, ignored);
    if (!std::filesystem::exists(status))
        fail("{}: file is missing: {}", file, hint.empty() ? "nothing of that name is there" : hint.c_str());
    require(!std::filesystem::is_directory(status), "{}: a file is needed: this is a folder", file);
    require(std::filesystem::is_regular_file(status),
            "{}: a file is needed: this is a pipe or a device; data are read more than once, and again by --resume: write them "
            "to a file first",
            file);
    return UnpackingReader(file);
}

Texts read_lines(const std::string& file, const LineLimits& limits, const std::string& hint) {
    UnpackingReader reader = open_text(file, hint);
    const auto memory = static_cast<int64_t>(memory::physical());
    const int64_t most = std::min(limits.file_bytes, memory / 4), most_lines = std::min(limits.lines, memory / 32);
    Texts lines;
    std::string line;  // the unfinished one
    int64_t total = 0;
    const auto finish = [&] {
        if (line.ends_with('\r'))
            line.pop_back();
        lines.add(line);
        line.clear();
    };
    std::vector<char> block(std::size_t{1} << 17);
    while (const std::size_t got = reader.read(block, static_cast<std::size_t>(lines.size()))) {
        total += static_cast<int64_t>(got);
        require(total <= most, "{}: text is too long: more than {} bytes, allowed {}", file, total - 1, most);
        std::string_view rest(block.data(), got);
        while (!rest.empty()) {
            // A line takes room even without a byte, and a small packed file can hold any number of
            // those.
            require(lines.size() < most_lines, "{}: too many lines: more than {}, allowed {}", file, lines.size(), most_lines);
            const std::size_t end = rest.find('\n');
            const std::string_view piece = rest.substr(0, end);
            const auto bytes = static_cast<int64_t>(line.size() + piece.size());
            require(bytes <= limits.line_bytes, "{}:{}: line is too long: at least {} bytes, allowed {}", file,
                    lines.size() + 1, bytes, limits.line_bytes);
            line += piece;
            if (end == std::string_view::npos)
                break;
            finish();
            rest.remove_prefix(end + 1);
        }
    }
    if (!line.empty())
        finish();
    require(total > 0, "{}: file is empty: lines 0, needed at least 1", file);
    return lines;
}

}  // namespace attend
