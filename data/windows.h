#pragma once
/// Windows of running text, and batches of them for language models.
#include "core/base/random.h"
#include "data/task.h"
#include "data/text/token_ids.h"

namespace attend {

/// Evaluation windows do not overlap: number w has the places w * length ... of the text, and the
/// last one may be shorter. How many there are: ceil(places / length), 0 where there are no places.
/// (A language model has a place for each token but the last, and predicts the token after it.)
int64_t count_windows(int64_t places, int64_t length);

/// In which order training windows come.
enum class WindowOrder {
    /// At starts drawn independently and uniformly from 0 ... places - length, for row r of batch k
    /// from the stream (order.seed, "windows") at (k, r). An epoch is ceil(tokens / (batch *
    /// length)) batches.
    random,
    /// There are W = floor(places / length) windows, window w begins at w * length, batch k holds
    /// windows k * batch ... k * batch + batch - 1, each modulo W. An epoch is ceil(W / batch)
    /// batches. order.seed says nothing.
    sequential,
};

struct TextWindow {
    int64_t start = 0, length = 0;
    int64_t example = 0;  ///< the evaluation window that it is, or that its start lies in
};

/// Which windows a batch has.
class WindowPlan {
  public:
    /// Throws Error when the batch is not in 1 ... 2^20, length < 1, or training (order.shuffled)
    /// has fewer places than length.
    WindowPlan(int64_t tokens, int64_t places, int64_t length, WindowOrder training, const BatchOrder& order);
    int64_t per_epoch() const;
    /// Those of batch `number`: in training as the order says, else the evaluation windows in turn,
    /// the last batch possibly smaller. Throws Error for a negative number, or when there are no
    /// windows.
    Array<TextWindow> at(int64_t number) const;

  private:
    int64_t tokens_, places_, length_;
    WindowOrder training_;
    BatchOrder order_;
    Key key_;
};

/// Batches for language models: input = tokens start ..., target = tokens start + 1 ..., `context`
/// of each; Batch::source has no rows. `tokens` must outlive the result. Throws Error as
/// WindowPlan.
std::unique_ptr<Batches> windows(const TokenIds& tokens, int64_t context, WindowOrder training, const BatchOrder& order);

}  // namespace attend
