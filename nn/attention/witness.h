#pragma once
/// Who is told what attention read, call by call, as it ran: what `attend prove` looks at
/// (train/study/prove). Nothing is computed differently for it.
#include <functional>
#include <string>
#include <vector>

#include "nn/attention/call.h"
#include "nn/attention/pass.h"
#include "nn/attention/seen.h"

namespace attend::ATTEND_PRECISION {

struct Attention;

/// One call of a module of attention with H heads, which read G heads of keys and values (H = G = 1
/// where it is not multi-head).
struct Reading {
    std::string path = {};                     ///< of the module: "decoder.0.cross"
    std::vector<const Attention*> heads = {};  ///< H of them
    int64_t key_heads = 1;                     ///< G
    Tensor queries = {};                       ///< [B, T, H K] as the heads see them
    Tensor keys = {};                          ///< [B, S, G K] what the scores' keys are prepared from
    Tensor values = {};                        ///< [B, S, G K] what is read
    Array<int32_t> lengths = {};               ///< B, of the source
    int64_t position = 0;                      ///< of the first query in its sequence
    Previous previous = {};
    Tensor places = {};   ///< Call::places of a single head; of multi-head all heads' side by side
    Tensor context = {};  ///< [B, T, H K] what came of it, before a norm or a gate of the module
    /// The call again, with other queries, keys, values and lengths in a copy of this, in another
    /// pass: the new context. The model must outlive it.
    std::function<Output(const Reading&, const Pass&)> again = {};
};

class Witness {
  public:
    virtual ~Witness() = default;
    virtual void saw(Reading reading) = 0;
};

}  // namespace attend::ATTEND_PRECISION
