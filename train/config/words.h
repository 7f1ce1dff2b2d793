#pragma once
/// Lists of words.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/integers.h"

namespace attend {

/// What stands between the separators of "a,b,,c": one part more than there are separators.
inline std::vector<std::string> parts_of(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0, end = 0; begin <= text.size(); begin = end + 1) {
        end = std::min(text.find(separator, begin), text.size());
        parts.emplace_back(text.substr(begin, end - begin));
    }
    return parts;
}

/// "a, b, c"
inline std::string joined(const std::vector<std::string>& words, std::string_view between = ", ") {
    std::string text;
    for (const std::string& word : words) text.append(&word == words.data() ? "" : between).append(word);
    return text;
}

inline bool contains(const std::vector<std::string>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// "a score", "an attention"
inline std::string with_article(const std::string& noun) {
    return (!noun.empty() && std::string_view("aeio").find(noun.front()) != std::string_view::npos ? "an " : "a ") + noun;
}

/// "1 run", "3 runs"
inline std::string counted(int64_t count, std::string_view noun) {
    return std::to_string(count).append(" ").append(noun).append(count == 1 ? "" : "s");
}

}  // namespace attend
