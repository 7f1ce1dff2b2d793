#include "train/evaluate/metrics/edit_distance.h"

#include <algorithm>
#include <numeric>

namespace attend {

namespace {

// d(i, j) = min(d(i-1, j-1) + [a_i != b_j], d(i-1, j) + 1, d(i, j-1) + 1): row i from row i - 1.
void next_row(const std::string& symbol, std::span<const std::string> b, std::span<const int64_t> above,
              std::span<int64_t> row) {
    row[0] = above[0] + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
        const int64_t paired = above[j] + (symbol == b[j] ? 0 : 1);
        row[j + 1] = std::min({paired, above[j + 1] + 1, row[j] + 1});
    }
}

}  // namespace

int64_t edit_distance(std::span<const std::string> a, std::span<const std::string> b) {
    std::vector<int64_t> above(b.size() + 1), row(b.size() + 1);
    std::iota(above.begin(), above.end(), 0);
    for (const std::string& symbol : a) {
        next_row(symbol, b, above, row);
        std::swap(above, row);
    }
    return above.back();
}

std::vector<AlignedPair> align_symbols(std::span<const std::string> reference, std::span<const std::string> decoded) {
    const std::size_t columns = decoded.size() + 1;
    std::vector<int64_t> d((reference.size() + 1) * columns);
    const auto row = [&](std::size_t i) { return std::span(d).subspan(i * columns, columns); };
    std::iota(d.begin(), d.begin() + static_cast<std::ptrdiff_t>(columns), 0);
    for (std::size_t i = 0; i < reference.size(); ++i) next_row(reference[i], decoded, row(i), row(i + 1));

    std::vector<AlignedPair> pairs;
    std::size_t i = reference.size(), j = decoded.size();
    while (i > 0 || j > 0) {
        const int64_t here = row(i)[j];
        if (i > 0 && j > 0 && here == row(i - 1)[j - 1] + (reference[i - 1] == decoded[j - 1] ? 0 : 1)) {
            --i, --j;
            pairs.push_back({static_cast<int64_t>(i), static_cast<int64_t>(j)});
        } else if (i > 0 && here == row(i - 1)[j] + 1) {
            --i;
            pairs.push_back({static_cast<int64_t>(i), -1});
        } else {
            --j;
            pairs.push_back({-1, static_cast<int64_t>(j)});
        }
    }
    std::ranges::reverse(pairs);
    return pairs;
}

}  // namespace attend
