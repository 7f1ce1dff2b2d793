/// What training minimises, shard by shard.
#include <doctest/doctest.h>

#include "core/engine.h"
#include "train/experiment/objective.h"

namespace objective_test_both {

using namespace attend;

TEST_SUITE_BEGIN("objective");

namespace {

constexpr int64_t classes = 9;

Batch batch() {
    Batch b;
    b.source = b.input = b.target = Ids(3, 4);
    const int32_t lengths[] = {4, 2, 3};
    for (int64_t row = 0; row < 3; ++row) {
        const auto r = static_cast<std::size_t>(row);
        b.source.lengths[r] = b.input.lengths[r] = b.target.lengths[r] = lengths[row];
        for (int64_t t = 0; t < 4; ++t) {
            const bool there = t < lengths[row];
            b.source.at(row, t) = b.input.at(row, t) = there ? static_cast<int32_t>(4 + (row + t) % 5) : id_pad;
            b.target.at(row, t) = there ? static_cast<int32_t>(4 + (2 * row + t) % 5) : id_ignored;
        }
        b.examples.push_back(row);
    }
    return b;
}

}  // namespace

TEST_CASE("likelihood: the shards' losses add up to the mean over the whole batch's targets") {
    ParameterStore store(5);
    const auto model = model_table().build(Selection(model_table(), "rnn_seq2seq"), Scope(store), ModelSetup{classes, classes});
    const auto likelihood = objective_table().build(Selection(objective_table(), "likelihood"));
    const Batch all = batch();
    const LossCounts targets = loss_counts(all);
    CHECK(targets.targets == 9);
    CHECK(targets.labels == 0);
    const ShardLoss whole = likelihood->evaluate(*model, all, targets, Context{});
    CHECK(whole.sums.mean(targets) == doctest::Approx(static_cast<double>(whole.loss.item())).epsilon(1e-5));

    double loss = 0, sum = 0;
    for (int64_t row = 0; row < all.rows(); ++row) {
        const ShardLoss part = likelihood->evaluate(*model, all.slice(row, row + 1), targets, Context{});
        loss += static_cast<double>(part.loss.item());
        sum += part.sums.targets;
    }
    CHECK(loss == doctest::Approx(static_cast<double>(whole.loss.item())).epsilon(1e-5));
    CHECK(sum == doctest::Approx(whole.sums.targets).epsilon(1e-5));
}

}  // namespace objective_test_both
