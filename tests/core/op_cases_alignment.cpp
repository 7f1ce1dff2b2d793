#include <cmath>

#include "core/ops.h"
#include "tests/core/op_cases.h"
#include "tests/oracles/alignments.h"
#include "tests/oracles/composites.h"

namespace attend::ATTEND_PRECISION::oracles {

namespace {

constexpr Expected nothing = Expected::no_gradient;

// For 6 rows of 5 columns: all, none, inner, first, last, none at the end.
Ranges mixed() { return {{0, 5}, {2, 2}, {1, 4}, {0, 1}, {4, 5}, {5, 5}}; }

void add_entmax(std::vector<OpCase>& all) {
    all.push_back({"entmax15",
                   {{{2, 3, 5}, -2, 2}},
                   {2, 3, 5},
                   [](Inputs in) { return entmax15(in[0]); },
                   [](Inputs in) { return entmax_composite(in[0], 1.5, {}, 1); }});
    all.push_back({"entmax15 ranges, scale",
                   {{{2, 3, 5}, -2, 2}},
                   {2, 3, 5},
                   [](Inputs in) { return entmax15(in[0], mixed(), real{0.7}); },
                   [](Inputs in) { return entmax_composite(in[0], 1.5, mixed(), real{0.7}); }});
    all.push_back({"entmax15 one column", {{3, 1}}, {3, 1}, [](Inputs in) { return entmax15(in[0]); }, nullptr, nothing});
    all.push_back(
        {"entmax15 empty ranges", {{3, 4}}, {3, 4}, [](Inputs in) { return entmax15(in[0], Ranges(3)); }, nullptr, nothing});
    all.push_back({"entmax15 no columns", {{3, 0}}, {3, 0}, [](Inputs in) { return entmax15(in[0]); }, nullptr, nothing});
    all.push_back({"entmax15 no rows", {{0, 3}}, {0, 3}, [](Inputs in) { return entmax15(in[0]); }, nullptr, nothing});
    all.push_back({"entmax 1.25",
                   {{{6, 5}, -3, 3}},
                   {6, 5},
                   [](Inputs in) { return entmax(in[0], real{1.25}); },
                   [](Inputs in) { return entmax_composite(in[0], 1.25, {}, 1); }});
    all.push_back({"entmax 1.5 ranges, scale",
                   {{{2, 3, 5}, -2, 2}},
                   {2, 3, 5},
                   [](Inputs in) { return entmax(in[0], real{1.5}, mixed(), real{0.7}); },
                   [](Inputs in) { return entmax_composite(in[0], 1.5, mixed(), real{0.7}); }});
    all.push_back({"entmax 2",
                   {{{6, 5}, -1, 1}},
                   {6, 5},
                   [](Inputs in) { return entmax(in[0], 2); },
                   [](Inputs in) { return sparsemax_composite(in[0], {}, 1); }});
    all.push_back({"entmax near 1 is softmax",
                   {{{6, 5}, -1, 1}},
                   {6, 5},
                   [](Inputs in) { return entmax(in[0], std::nextafter(real{1}, real{2}), mixed()); },
                   [](Inputs in) { return softmax_composite(in[0], mixed(), 1); }});
    all.push_back(
        {"entmax empty ranges", {{3, 4}}, {3, 4}, [](Inputs in) { return entmax(in[0], 2, Ranges(3)); }, nullptr, nothing});
    all.push_back({"entmax no columns", {{3, 0}}, {3, 0}, [](Inputs in) { return entmax(in[0], 2); }, nullptr, nothing});
}

void add_softmaxes(std::vector<OpCase>& all) {
    all.push_back({"softmax_with_sink",
                   {{{2, 3, 5}, -2, 2}, {1}},
                   {2, 3, 5},
                   [](Inputs in) { return softmax_with_sink(in[0], in[1]); },
                   [](Inputs in) { return softmax_with_sink_composite(in[0], in[1], {}, 1); }});
    all.push_back({"softmax_with_sink ranges, scale",
                   {{{2, 3, 5}, -2, 2}, {Shape{1}, 1, 2}},
                   {2, 3, 5},
                   [](Inputs in) { return softmax_with_sink(in[0], in[1], mixed(), real{-1.3}); },
                   [](Inputs in) { return softmax_with_sink_composite(in[0], in[1], mixed(), real{-1.3}); }});
    all.push_back({"softmax_with_sink of 0",
                   {{{6, 5}, -2, 2}},
                   {6, 5},
                   [](Inputs in) { return softmax_with_sink(in[0], {}, mixed()); },
                   [](Inputs in) { return softmax_with_sink_composite(in[0], {}, mixed(), 1); }});
    all.push_back({"softmax_with_sink 1 x 1", {{1}, {1}}, {1}, [](Inputs in) { return softmax_with_sink(in[0], in[1]); }});
    all.push_back({"softmax_with_sink empty ranges",
                   {{3, 4}, {1}},
                   {3, 4},
                   [](Inputs in) { return softmax_with_sink(in[0], in[1], Ranges(3)); },
                   nullptr,
                   nothing});
    all.push_back({"softmax_with_sink no columns",
                   {{3, 0}, {1}},
                   {3, 0},
                   [](Inputs in) { return softmax_with_sink(in[0], in[1]); },
                   nullptr,
                   nothing});
    all.push_back({"softmax_with_sink no rows",
                   {{0, 3}, {1}},
                   {0, 3},
                   [](Inputs in) { return softmax_with_sink(in[0], in[1]); },
                   nullptr,
                   nothing});
    all.push_back({"top_softmax",
                   {{{2, 3, 5}, -2, 2}},
                   {2, 3, 5},
                   [](Inputs in) { return top_softmax(in[0], 3); },
                   [](Inputs in) { return top_softmax_composite(in[0], 3, {}, 1); }});
    all.push_back({"top_softmax ranges, scale",
                   {{{2, 3, 5}, -2, 2}},
                   {2, 3, 5},
                   [](Inputs in) { return top_softmax(in[0], 2, mixed(), real{-1.3}); },
                   [](Inputs in) { return top_softmax_composite(in[0], 2, mixed(), real{-1.3}); }});
    all.push_back({"top_softmax of all",
                   {{{6, 5}, -2, 2}},
                   {6, 5},
                   [](Inputs in) { return top_softmax(in[0], 5); },
                   [](Inputs in) { return softmax_composite(in[0], {}, 1); }});
    all.push_back({"top_softmax of one", {{3, 4}}, {3, 4}, [](Inputs in) { return top_softmax(in[0], 1); }, nullptr, nothing});
    all.push_back(
        {"top_softmax no columns", {{3, 0}}, {3, 0}, [](Inputs in) { return top_softmax(in[0], 2); }, nullptr, nothing});
    all.push_back({"within",
                   {{2, 3, 5}},
                   {2, 3, 5},
                   [](Inputs in) { return within(in[0], mixed()); },
                   [](Inputs in) {
                       return (in[0].reshape({6, 5}) * mask_of(mixed(), 6, 5)).reshape({2, 3, 5});
                   }});
    all.push_back({"within all", {{2, 3}}, {2, 3}, [](Inputs in) { return within(in[0], {}); }});
    all.push_back(
        {"within empty ranges", {{3, 4}}, {3, 4}, [](Inputs in) { return within(in[0], Ranges(3)); }, nullptr, nothing});
    all.push_back(
        {"within no columns", {{3, 0}}, {3, 0}, [](Inputs in) { return within(in[0], Ranges(3)); }, nullptr, nothing});
}
// MONO
void add_monotonic(std::vector<OpCase>& all) {
    const CaseInput p = {{2, 3, 5}, 0.1, 0.9}, mass = {{2, 3, 5}, 0, 1};
    all.push_back({"monotonic_alignment",
                   {p, mass},
                   {2, 3, 5},
                   [](Inputs in) { return monotonic_alignment(in[0], in[1]); },
                   [](Inputs in) { return monotonic_alignment_composite(in[0], in[1], {}); }});
    all.push_back({"monotonic_alignment ranges",
                   {p, mass},
                   {2, 3, 5},
                   [](Inputs in) { return monotonic_alignment(in[0], in[1], mixed()); },
                   [](Inputs in) { return monotonic_alignment_composite(in[0], in[1], mixed()); }});
    all.push_back({"monotonic_alignment of the first query",
                   {p},
                   {2, 3, 5},
                   [](Inputs in) { return monotonic_alignment(in[0], {}, mixed()); },
                   [](Inputs in) { return monotonic_alignment_composite(in[0], {}, mixed()); }});
    all.push_back({"monotonic_alignment of three queries",
                   {{{3, 2, 5}, 0.1, 0.9}},
                   {2, 5},
                   [](Inputs in) {
                       Tensor a;
                       for (int64_t t = 0; t < 3; ++t) a = monotonic_alignment(in[0].row(t), a);
                       return a;
                   },
                   [](Inputs in) {
                       Tensor a;
                       for (int64_t t = 0; t < 3; ++t) a = monotonic_alignment_composite(in[0].row(t), a, {});
                       return a;
                   }});
    all.push_back({"monotonic_alignment empty ranges",
                   {{3, 4}, {3, 4}},
                   {3, 4},
                   [](Inputs in) { return monotonic_alignment(in[0], in[1], Ranges(3)); },
                   nullptr,
                   nothing});
    all.push_back({"monotonic_alignment no columns",
                   {{3, 0}, {3, 0}},
                   {3, 0},
                   [](Inputs in) { return monotonic_alignment(in[0], in[1]); },
                   nullptr,
                   nothing});
    all.push_back({"chunkwise",
                   {mass, {{2, 3, 5}, -2, 2}},
                   {2, 3, 5},
                   [](Inputs in) { return chunkwise(in[0], in[1], 3); },
                   [](Inputs in) { return chunkwise_composite(in[0], in[1], 3, {}); }});
    all.push_back({"chunkwise ranges",
                   {{2, 3, 5}, {2, 3, 5}},
                   {2, 3, 5},
                   [](Inputs in) { return chunkwise(in[0], in[1], 2, mixed()); },
                   [](Inputs in) { return chunkwise_composite(in[0], in[1], 2, mixed()); }});
    all.push_back({"chunkwise wider than the row",
                   {{1, 4}, {1, 4}},
                   {1, 4},
                   [](Inputs in) { return chunkwise(in[0], in[1], 100); },
                   [](Inputs in) { return chunkwise_composite(in[0], in[1], 100, {}); }});
    all.push_back({"chunkwise empty ranges",
                   {{3, 4}, {3, 4}},
                   {3, 4},
                   [](Inputs in) { return chunkwise(in[0], in[1], 2, Ranges(3)); },
                   nullptr,
                   nothing});
    all.push_back({"chunkwise no columns",
                   {{3, 0}, {3, 0}},
                   {3, 0},
                   [](Inputs in) { return chunkwise(in[0], in[1], 2); },
                   nullptr,
                   nothing});
}

}  // namespace

std::vector<OpCase> alignment_op_cases() {
    std::vector<OpCase> all;
    add_entmax(all);
    add_softmaxes(all);
    add_monotonic(all);
    return all;
}

}  // namespace attend::ATTEND_PRECISION::oracles
