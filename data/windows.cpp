#include "data/windows.h"

#include "core/random.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

class Windows final : public Batches {
  public:
    Windows(const TokenIds& tokens, int64_t context, WindowOrder training, const BatchOrder& order)
        : tokens_(tokens), context_(context), training_(training), order_(order), key_(stream_key(order.seed, "windows")) {
        require(order.batch >= 1 && order.batch <= int64_t{1} << 20,
                "windows: batch size is out of range: batch {}, allowed 1 to {}", order.batch, int64_t{1} << 20);
        require(context >= 1, "windows: context is too short: context {}, needed at least 1", context);
        require(!order.shuffled || tokens.size() > context,
                "windows: the training text is shorter than a window: tokens {}, needed context + 1 = {}", tokens.size(),
                context + 1);
    }

    int64_t per_epoch() const override {
        if (!order_.shuffled)
            return ceil_div(count_windows(tokens_.size(), context_), order_.batch);
        if (training_ == WindowOrder::random)
            return ceil_div(tokens_.size(), order_.batch * context_);
        return ceil_div(sequential(), order_.batch);
    }

    Batch at(int64_t number) override {
        require(number >= 0, "windows: a batch number is at least 0: number {}, batches an epoch {}", number, per_epoch());
        require(per_epoch() > 0, "windows: there are no windows: asked for batch {}, tokens {}", number, tokens_.size());
        return order_.shuffled ? training(number) : evaluation(number % per_epoch());
    }

  private:
    int64_t sequential() const { return (tokens_.size() - 1) / context_; }

    // Of the row of a batch. 64 bits modulo a count of tokens: the bias is below 2^-20 for 2^44 tokens.
    int64_t random_start(int64_t number, int64_t row) const {
        const auto n = static_cast<uint64_t>(number);
        const auto words =
            philox({static_cast<uint32_t>(row), 0, static_cast<uint32_t>(n), static_cast<uint32_t>(n >> 32)}, key_);
        const uint64_t bits = (uint64_t{words[0]} << 32) | words[1];
        return static_cast<int64_t>(bits % static_cast<uint64_t>(tokens_.size() - context_));
    }

    Batch training(int64_t number) const {
        Batch batch = empty(order_.batch, context_);
        for (int64_t r = 0; r < order_.batch; ++r) {
            const int64_t start = training_ == WindowOrder::random
                                      ? random_start(number, r)
                                      : (number % sequential() * order_.batch + r) % sequential() * context_;
            fill(batch, r, start, context_);
        }
        return batch;
    }

    Batch evaluation(int64_t number) const {
        const int64_t first = number * order_.batch;
        const int64_t rows = std::min(order_.batch, count_windows(tokens_.size(), context_) - first);
        const auto length = [&](int64_t row) { return std::min(context_, tokens_.size() - 1 - (first + row) * context_); };
        Batch batch = empty(rows, length(0));
        for (int64_t r = 0; r < rows; ++r) fill(batch, r, (first + r) * context_, length(r));
        return batch;
    }

    static Batch empty(int64_t rows, int64_t columns) {
        Batch batch;
        batch.input = batch.target = Ids(rows, columns);
        std::fill(batch.target.values.begin(), batch.target.values.end(), id_ignored);
        batch.examples.assign(static_cast<std::size_t>(rows), 0);
        return batch;
    }

    void fill(Batch& batch, int64_t row, int64_t start, int64_t length) const {
        const auto r = static_cast<std::size_t>(row);
        tokens_.copy(start, length, &batch.input.at(row, 0));
        tokens_.copy(start + 1, length, &batch.target.at(row, 0));
        batch.input.lengths[r] = batch.target.lengths[r] = static_cast<int32_t>(length);
        batch.examples[r] = start / context_;
    }

    const TokenIds& tokens_;
    int64_t context_;
    WindowOrder training_;
    BatchOrder order_;
    Key key_;
};

}  // namespace

int64_t count_windows(int64_t tokens, int64_t context) { return tokens < 2 ? 0 : ceil_div(tokens - 1, context); }

std::unique_ptr<Batches> windows(const TokenIds& tokens, int64_t context, WindowOrder training, const BatchOrder& order) {
    return std::make_unique<Windows>(tokens, context, training, order);
}

}  // namespace attend::inline ATTEND_PRECISION
