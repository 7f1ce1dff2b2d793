#include "data/batching.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "core/base/random.h"

namespace attend {

namespace {

// Sequences as rows, padded with `padding` to the longest of them.
Ids padded(std::size_t rows, FunctionRef<std::span<const int32_t>(std::size_t)> sequence, int32_t padding = id_pad) {
    std::size_t columns = 0;
    for (std::size_t row = 0; row < rows; ++row) columns = std::max(columns, sequence(row).size());
    Ids ids(static_cast<int64_t>(rows), static_cast<int64_t>(columns));
    std::ranges::fill(ids.values, padding);
    for (std::size_t row = 0; row < rows; ++row) {
        const auto s = sequence(row);
        std::copy(s.begin(), s.end(), ids.values.begin() + static_cast<std::ptrdiff_t>(row * columns));
        ids.lengths[row] = static_cast<int32_t>(s.size());
    }
    return ids;
}

// The order: a derived class says what rows are made of.
class BucketedBatches : public Batches {
  public:
    // Sorted by the lengths of `target`, then of `read`, which may be empty.
    BucketedBatches(const Sequences& read, const Sequences& target, const BatchOrder& order)
        : read_(read), target_(target), order_(order), permutation_(static_cast<std::size_t>(target.size())) {
        require(order.batch >= 1 && order.batch <= int64_t{1} << 20,
                "batches: batch size is out of range: batch {}, allowed 1 to {}", order.batch, int64_t{1} << 20);
        require(target.size() < int64_t{1} << 31, "batches: too many examples: examples {}, allowed below {}", target.size(),
                int64_t{1} << 31);
        batches_.resize(static_cast<std::size_t>(per_epoch()));
    }

    int64_t per_epoch() const override { return (target_.size() + order_.batch - 1) / order_.batch; }

    Batch at(int64_t number) override {
        require(number >= 0, "batches: a batch number is at least 0: number {}, batches an epoch {}", number, per_epoch());
        require(per_epoch() > 0, "batches: the split has no examples: asked for batch {}, examples {}", number, target_.size());
        const int64_t epoch = order_.shuffled ? number / per_epoch() : 0;
        if (epoch != epoch_)
            arrange(epoch);
        const int64_t first = batches_[static_cast<std::size_t>(number % per_epoch())] * order_.batch;
        const int64_t rows = std::min(order_.batch, target_.size() - first);
        return build({permutation_.data() + first, static_cast<std::size_t>(rows)});
    }

  protected:
    virtual Batch build(std::span<const int32_t> examples) const = 0;
    const Sequences& read_;
    const Sequences& target_;

  private:
    void arrange(int64_t epoch) {
        Stream stream(order_.seed, fmt::format("order.{}", epoch));
        std::iota(permutation_.begin(), permutation_.end(), 0);
        std::iota(batches_.begin(), batches_.end(), 0);
        if (order_.shuffled)
            stream.shuffle(permutation_);
        const int64_t pool = order_.shuffled ? pool_batches * order_.batch : target_.size();
        // A total order, so that sort() (which takes no memory, unlike stable_sort()) gives one
        // answer.
        const auto place = [this](int32_t e) { return std::tuple(target_.length(e), read_.empty() ? 0 : read_.length(e), e); };
        for (int64_t begin = 0; begin < target_.size(); begin += pool)
            std::ranges::sort(permutation_.begin() + begin, permutation_.begin() + std::min(begin + pool, target_.size()), {},
                              place);
        if (order_.shuffled)
            stream.shuffle(batches_);
        epoch_ = epoch;
    }

    BatchOrder order_;
    std::vector<int32_t> permutation_;  // examples in the order of the epoch, batch after batch
    std::vector<int64_t> batches_;      // order in which the batches are handed out
    int64_t epoch_ = -1;                // that they are of; evaluation has epoch 0 alone
};

class PairBatches final : public BucketedBatches {
  public:
    PairBatches(const Sequences& source, const Sequences& target, const BatchOrder& order)
        : BucketedBatches(source, target, order) {
        require(source.empty() || source.size() == target.size(),
                "batches: counts of sources and targets differ: sources {}, targets {}", source.size(), target.size());
    }

  private:
    Batch build(std::span<const int32_t> examples) const override {
        Batch batch;
        if (!read_.empty())
            batch.source = padded(examples.size(), [&](std::size_t row) { return read_[examples[row]]; });
        int64_t columns = 0;
        for (int32_t e : examples) columns = std::max(columns, target_.length(e) + 1);
        batch.input = batch.target = Ids(static_cast<int64_t>(examples.size()), columns);
        std::ranges::fill(batch.target.values, id_ignored);
        batch.examples.assign(examples.begin(), examples.end());
        for (std::size_t place = 0; place < examples.size(); ++place) {
            const auto row = static_cast<int64_t>(place);
            const auto y = target_[examples[place]];
            batch.input.at(row, 0) = id_bos;
            std::copy(y.begin(), y.end(), batch.input.values.begin() + row * columns + 1);
            std::copy(y.begin(), y.end(), batch.target.values.begin() + row * columns);
            batch.target.at(row, static_cast<int64_t>(y.size())) = id_eos;
            batch.input.lengths[place] = batch.target.lengths[place] = static_cast<int32_t>(y.size() + 1);
        }
        return batch;
    }
};

class RowBatches final : public BucketedBatches {
  public:
    RowBatches(const Sequences& input, const Sequences& target, const BatchOrder& order)
        : BucketedBatches(input, target, order) {
        bool fit = input.size() == target.size();
        for (int64_t i = 0; fit && i < input.size(); ++i) fit = input.length(i) == target.length(i);
        require(fit, "batches: a row has one target for each input: inputs {} in {} rows, targets {} in {}", input.total(),
                input.size(), target.total(), target.size());
    }

  private:
    Batch build(std::span<const int32_t> examples) const override {
        Batch batch;
        batch.input = padded(examples.size(), [&](std::size_t row) { return read_[examples[row]]; });
        batch.target = padded(
            examples.size(), [&](std::size_t row) { return target_[examples[row]]; }, id_ignored);
        batch.examples.assign(examples.begin(), examples.end());
        return batch;
    }
};

}  // namespace

std::unique_ptr<Batches> bucketed_batches(const Sequences& source, const Sequences& target, const BatchOrder& order) {
    return std::make_unique<PairBatches>(source, target, order);
}

std::unique_ptr<Batches> row_batches(const Sequences& input, const Sequences& target, const BatchOrder& order) {
    return std::make_unique<RowBatches>(input, target, order);
}

Ids pad_sequences(std::span<const std::vector<int32_t>> sequences) {
    return padded(sequences.size(), [&](std::size_t row) { return std::span(sequences[row]); });
}

}  // namespace attend
