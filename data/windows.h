#pragma once
/// Batches of windows of running text for language models. A window that begins at token i has input = tokens i ... and
/// target = tokens i + 1 ..., `context` of each; Batch::source has no rows.
#include "data/task.h"
#include "data/text/token_ids.h"

namespace attend::inline ATTEND_PRECISION {

/// Evaluation windows do not overlap: number w begins at token w * context, and the last one may be shorter, so that every
/// token but the first is predicted once. How many there are: ceil((tokens - 1) / context), 0 for fewer than two tokens.
int64_t count_windows(int64_t tokens, int64_t context);

/// In which order training windows come.
enum class WindowOrder {
    /// At starts drawn independently and uniformly from 0 ... tokens - context - 1, for row r of batch k from the stream
    /// (order.seed, "windows") at (k, r). An epoch is ceil(tokens / (batch * context)) batches. Batch::examples is the
    /// evaluation
    /// window that the start lies in.
    random,
    /// There are W = floor((tokens - 1) / context) windows, window w begins at token w * context, batch k holds windows
    /// k * batch ... k * batch + batch - 1, each modulo W. An epoch is ceil(W / batch) batches. order.seed says nothing.
    sequential,
};

/// Batches of windows: in training (order.shuffled) as `training` says, else the evaluation windows in their order, the last
/// batch possibly smaller. `tokens` must outlive the result. Throws Error when the batch is not in 1 ... 2^20, context < 1, or
/// training has fewer than context + 1 tokens; at() throws Error for a negative number, or when there are no windows.
std::unique_ptr<Batches> windows(const TokenIds& tokens, int64_t context, WindowOrder training, const BatchOrder& order);

}  // namespace attend::inline ATTEND_PRECISION
