#pragma once
/// Faults that public projects had, planted in a model under proof: in its modules, whose factors
/// are exchanged; around it; and, in the fused kernels, by functions that this test program is
/// linked with in their place (ld --wrap, CMakeLists.txt). The program's own sources have no switch.
#include <string>

#include "train/study/prove/subject.h"

namespace attend::planted {

enum class Fault {
    none,
    inverted_mask,            ///< a query sees itself and what follows, in place of what precedes
    mask_lost_with_dropout,   ///< where weights are dropped, the mask is left out
    cross_made_causal,        ///< target position t sees source positions up to t alone
    window_ignored,           ///< the option has no effect: all positions are seen
    capped_after_mask,        ///< a bounded function of the scores comes after the mask, which it undoes
    map_of_another_head,      ///< heads 0 and 1 show each other's map
    no_query_gradient,        ///< the query is detached
    no_key_gradient,          ///< the key
    no_value_gradient,        ///< the value
    no_scale,                 ///< scores are not divided by sqrt(K)
    no_scale_in_kernel,       ///< they are in the maps that are shown, and are not in the kernel that is used
    padding_in_softmax,       ///< the positions after a source's length take part
    unweighted_accumulation,  ///< the mean of the batches' means, whatever their counts of targets
    dropout_in_evaluation,    ///< the model stays in training mode
    cache_off_by_one,         ///< with a cache, the newest position is not seen
    cache_left_over,          ///< an output depends on what was decoded before it
    inputs_ignored,           ///< the model reads the same symbol wherever the outputs so far should be
    nan_in_masked_row,        ///< a query after its sequence's end may see nothing: softmax of -inf alone is NaN
    nan_scores,               ///< scores that overflow: inf - inf
    thread_in_result,         ///< a loss depends on the thread that computes it
};

/// While it exists, the fault is in the modules of the subject with this path.
class Planted {
  public:
    Planted(prove::Subject& subject, Fault fault, const std::string& module);
    ~Planted();
    Planted(const Planted&) = delete;
    Planted& operator=(const Planted&) = delete;
};

}  // namespace attend::planted
