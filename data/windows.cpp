#include "data/windows.h"

#include <algorithm>

namespace attend {

namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

class LanguageModelBatches final : public Batches {
  public:
    LanguageModelBatches(const TokenIds& tokens, int64_t context, WindowOrder training, const BatchOrder& order)
        : tokens_(tokens), plan_(tokens.size(), tokens.size() - 1, context, training, order) {}

    int64_t per_epoch() const override { return plan_.per_epoch(); }

    Batch at(int64_t number) override {
        const Array<TextWindow> rows = plan_.at(number);
        Batch batch;
        // The first window is never shorter than another.
        batch.input = batch.target = Ids(static_cast<int64_t>(rows.size()), rows.front().length);
        std::fill(batch.target.values.begin(), batch.target.values.end(), id_ignored);
        for (std::size_t r = 0; r < rows.size(); ++r) {
            const TextWindow& w = rows[r];
            const auto row = static_cast<int64_t>(r);
            tokens_.copy(w.start, w.length, &batch.input.at(row, 0));
            tokens_.copy(w.start + 1, w.length, &batch.target.at(row, 0));
            batch.input.lengths[r] = batch.target.lengths[r] = static_cast<int32_t>(w.length);
            batch.examples.push_back(w.example);
        }
        return batch;
    }

  private:
    const TokenIds& tokens_;
    WindowPlan plan_;
};

}  // namespace

int64_t count_windows(int64_t places, int64_t length) { return places < 1 ? 0 : ceil_div(places, length); }

WindowPlan::WindowPlan(int64_t tokens, int64_t places, int64_t length, WindowOrder training, const BatchOrder& order)
    : tokens_(tokens),
      places_(places),
      length_(length),
      training_(training),
      order_(order),
      key_(stream_key(order.seed, "windows")) {
    require(order.batch >= 1 && order.batch <= int64_t{1} << 20,
            "windows: batch size is out of range: batch {}, allowed 1 to {}", order.batch, int64_t{1} << 20);
    require(length >= 1, "windows: context is too short: places in a window {}, needed at least 1", length);
    require(!order.shuffled || places >= length, "windows: the training text is shorter than a window: places {}, needed {}",
            places, length);
}

int64_t WindowPlan::per_epoch() const {
    if (!order_.shuffled)
        return ceil_div(count_windows(places_, length_), order_.batch);
    return training_ == WindowOrder::random ? ceil_div(tokens_, order_.batch * length_)
                                            : ceil_div(places_ / length_, order_.batch);
}

Array<TextWindow> WindowPlan::at(int64_t number) const {
    require(number >= 0, "windows: a batch number is at least 0: number {}, batches an epoch {}", number, per_epoch());
    require(per_epoch() > 0, "windows: there are no windows: asked for batch {}, places {}", number, places_);
    Array<TextWindow> rows;
    if (!order_.shuffled) {
        const int64_t first = number % per_epoch() * order_.batch;
        const int64_t end = std::min(first + order_.batch, count_windows(places_, length_));
        for (int64_t w = first; w < end; ++w) rows.push_back({w * length_, std::min(length_, places_ - w * length_), w});
        return rows;
    }
    for (int64_t r = 0; r < order_.batch; ++r) {
        int64_t start = 0;
        if (training_ == WindowOrder::random) {
            // 64 bits modulo a count of places: the bias is below 2^-20 for 2^44 of them.
            const auto k = static_cast<uint64_t>(number);
            const auto words =
                philox({static_cast<uint32_t>(r), 0, static_cast<uint32_t>(k), static_cast<uint32_t>(k >> 32)}, key_);
            const uint64_t bits = (uint64_t{words[0]} << 32) | words[1];
            start = static_cast<int64_t>(bits % static_cast<uint64_t>(places_ - length_ + 1));
        } else {
            const int64_t windows_there = places_ / length_;
            start = (number % windows_there * order_.batch + r) % windows_there * length_;
        }
        rows.push_back({start, length_, start / length_});
    }
    return rows;
}

std::unique_ptr<Batches> windows(const TokenIds& tokens, int64_t context, WindowOrder training, const BatchOrder& order) {
    return std::make_unique<LanguageModelBatches>(tokens, context, training, order);
}

}  // namespace attend
