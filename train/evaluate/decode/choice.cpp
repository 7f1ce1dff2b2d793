#include "train/evaluate/decode/choice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/kernels/elementwise.h"
#include "core/kernels/reduce.h"

namespace attend::ATTEND_PRECISION {

std::span<const Choice> Chooser::best(const real* logits, int64_t classes, int64_t count) {
    constexpr real lowest = -std::numeric_limits<real>::infinity();
    const auto most = static_cast<std::size_t>(std::min(count, classes));
    choices_.clear();
    chosen_.clear();  // logits of choices_, falling
    for (int64_t k = 0; k < classes; ++k) {
        const real z = logits[k];
        if (!(z > (chosen_.size() == most ? chosen_.back() : lowest)) || k == id_pad || k == id_bos)
            continue;
        if (chosen_.size() == most) {
            chosen_.pop_back();
            choices_.pop_back();
        }
        const auto at = std::upper_bound(chosen_.begin(), chosen_.end(), z, std::greater<>()) - chosen_.begin();
        chosen_.insert(chosen_.begin() + at, z);
        choices_.insert(choices_.begin() + at, Choice{static_cast<int32_t>(k), 0});
    }
    if (choices_.empty()) {
        choices_.push_back({id_eos, 0});
        chosen_.push_back(lowest);
    }
    const real largest = kernels::maximum(logits, classes);
    powers_.resize(static_cast<std::size_t>(classes));
    kernels::shift(logits, -largest, powers_.data(), classes);
    kernels::exp(powers_.data(), powers_.data(), classes);
    // At least 1, as the largest class adds e^0; said again, so that no rounding makes a
    // probability exceed 1.
    const double sum = kernels::sum_double(powers_.data(), classes);
    const double log_sum = sum < 1 ? 0 : std::log(sum);
    for (std::size_t i = 0; i < choices_.size(); ++i)
        choices_[i].log_probability = static_cast<double>(chosen_[i]) - static_cast<double>(largest) - log_sum;
    return choices_;
}

Array<real> step_attention(const Sightings& seen, const Sites& sites, int64_t row, int64_t rows, int64_t columns) {
    int64_t count = 0;
    Array<real> mean(static_cast<std::size_t>(columns), 0);
    for (const Seen& call : seen) {
        const int64_t width = call.read.shape().columns();
        if (site_of(sites, call).columns() != Columns::source || call.read.size() != rows * width || width < columns)
            continue;
        ++count;
        for (int64_t s = 0; s < columns; ++s) mean[static_cast<std::size_t>(s)] += call.read.data()[row * width + s];
    }
    if (count == 0)
        return {};
    for (real& m : mean) m /= static_cast<real>(count);
    return mean;
}

AttentionRows attention_of(const Sightings& seen, const Sites& sites, int64_t row, int64_t target_rows, int64_t source_columns,
                           int64_t rows, int64_t columns, MapOf of) {
    // A site that sees all queries in one call has one map of all rows; step by step, one map a row.
    // Both are walked as rows of a site.
    std::map<int64_t, std::vector<const real*>> rows_of;
    for (const Seen& call : seen) {
        const Tensor& map = of == MapOf::chosen_from && !call.index.empty() ? call.weights : call.read;
        const Shape& shape = map.shape();
        if (site_of(sites, call).columns() != Columns::source || shape.columns() != source_columns || row >= shape[0])
            continue;
        for (int64_t t = 0; t < shape[1]; ++t) rows_of[call.site].push_back(map.data() + (row * shape[1] + t) * source_columns);
    }
    std::erase_if(rows_of, [&](const auto& site) { return static_cast<int64_t>(site.second.size()) != target_rows; });
    AttentionRows result;
    if (rows_of.empty())
        return result;
    result.rows = rows;
    result.columns = columns;
    result.weights.assign(static_cast<std::size_t>(rows * columns), 0);
    const real share = real{1} / static_cast<real>(rows_of.size());
    for (const auto& [number, of_site] : rows_of)
        for (int64_t t = 0; t < rows; ++t)
            for (int64_t s = 0; s < columns; ++s)
                result.weights[static_cast<std::size_t>(t * columns + s)] += share * of_site[static_cast<std::size_t>(t)][s];
    return result;
}

std::vector<std::vector<int32_t>> most_attended_own(const Sightings& seen, const Sites& sites, int64_t row, int64_t length) {
    std::vector<std::vector<int32_t>> all;
    for (const Seen& call : seen) {
        const Shape& shape = call.read.shape();
        const int64_t columns = shape.columns();
        if (site_of(sites, call).columns() != Columns::own || shape[1] != columns || row >= shape[0] || length > columns)
            continue;
        std::vector<int32_t> places;
        for (int64_t t = 0; t < length; ++t) {
            const real* w = call.read.data() + (row * columns + t) * columns;
            const real* best = std::max_element(w, w + length);
            places.push_back(*best > 0 ? static_cast<int32_t>(best - w) : -1);
        }
        all.push_back(std::move(places));
    }
    return all;
}

}  // namespace attend::ATTEND_PRECISION
