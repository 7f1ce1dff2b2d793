#include "train/study/rows.h"

#include <algorithm>

namespace attend {

namespace {

constexpr int64_t least_columns = 2, most_batches = 20;

// All of the first row, and a bit more than half of the last.
int32_t shortened(int32_t length, int64_t row, int64_t rows, int64_t columns) {
    const int64_t most = std::min<int64_t>(length, columns), parts = 2 * rows;
    return static_cast<int32_t>(std::max(std::min(most, least_columns), (most * (parts - row) + parts - 1) / parts));
}

Ids resized(const Ids& ids, const Array<int32_t>& lengths, int64_t more, int32_t filler) {
    Ids out(ids.rows, *std::ranges::max_element(lengths) + more);
    std::fill(out.values.begin(), out.values.end(), filler);
    out.lengths = lengths;
    for (int64_t r = 0; r < ids.rows; ++r)
        for (int64_t t = 0; t < out.length(r); ++t) out.at(r, t) = ids.at(r, t);
    return out;
}

}  // namespace

Sides sides_of(const Batch& batch) { return {batch.source.lengths, batch.input.lengths}; }

Batch cut(const Batch& b, const Sides& lengths, int64_t more, int32_t filler) {
    Batch out;
    if (b.source.rows > 0)
        out.source = resized(b.source, lengths.source, more, filler);
    out.input = resized(b.input, lengths.target, more, filler);
    out.target = resized(b.target, lengths.target, more, id_ignored);
    if (b.segments.rows > 0)
        out.segments = resized(b.segments, lengths.target, more, 0);
    out.labels = b.labels;
    out.examples = b.examples;
    return out;
}

Batch short_rows(const Task& task, const BatchOrder& order, int64_t rows, int64_t columns) {
    const auto batches = task.batches(Split::train, order);
    Batch best;
    int64_t longest = 0;
    for (int64_t number = 0; number < std::min(most_batches, batches->per_epoch()); ++number) {
        const Batch whole = batches->at(number);
        const Batch few = whole.slice(0, std::min(rows, whole.rows()));
        longest = std::max({longest, few.source.columns, few.input.columns});
        Sides sides = sides_of(few);
        for (Array<int32_t>* side : {&sides.source, &sides.target})
            for (std::size_t r = 0; r < side->size(); ++r)
                (*side)[r] = shortened((*side)[r], static_cast<int64_t>(r), few.rows(), columns);
        Batch found = cut(few, sides);
        const bool scored = found.targets() > 0 || !found.labels.empty();
        if (scored && found.source.tokens() + found.input.tokens() > best.source.tokens() + best.input.tokens())
            best = std::move(found);
    }
    // Rows may begin with many symbols that have no targets.
    if (best.rows() == 0 && columns < longest)
        return short_rows(task, order, rows, 2 * columns);
    require(best.rows() > 0,
            "no targets in the first rows of the first training batches: batches {}, rows of each {}, columns {}",
            std::min(most_batches, batches->per_epoch()), rows, columns);
    return best;
}

}  // namespace attend
