#pragma once
/// Rows of tasks without a source, one by one.
#include <map>
#include <string>

#include "data/task.h"

namespace attend {

/// Calls check(row, gold) for every row of a split: a batch of one row, and its gold alignment.
template <class F>
void each_row(const Task& task, Split split, F check) {
    const auto batches = task.batches(split, {.batch = 7});
    for (int64_t k = 0; k < batches->per_epoch(); ++k) {
        const Batch b = batches->at(k);
        for (int64_t r = 0; r < b.rows(); ++r)
            check(b.slice(r, r + 1), task.gold_alignment(split, b.examples[static_cast<std::size_t>(r)]));
    }
}

/// Whether no row of one split is one of another.
inline bool splits_have_rows_of_their_own(const Task& task) {
    std::map<std::string, Split> home;
    for (const Split split : {Split::train, Split::valid, Split::test})
        for (int64_t i = 0; i < task.size(split); ++i)
            if (home.emplace(task.source_text(split, i), split).first->second != split)
                return false;
    return true;
}

}  // namespace attend
