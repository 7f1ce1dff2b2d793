#pragma once
/// Lists of words.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/integers.h"

namespace attend {

/// "a, b, c"
inline std::string joined(const std::vector<std::string>& words, std::string_view between = ", ") {
    std::string text;
    for (const std::string& word : words) text.append(&word == words.data() ? "" : between).append(word);
    return text;
}

inline bool contains(const std::vector<std::string>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// "1 run", "3 runs"
inline std::string counted(int64_t count, std::string_view noun) {
    return std::to_string(count).append(" ").append(noun).append(count == 1 ? "" : "s");
}

}  // namespace attend
