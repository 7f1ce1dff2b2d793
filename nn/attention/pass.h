#pragma once
/// What a caller tells a model with attention besides the Context: how hard attention chooses in
/// this pass, and what of its sites comes back.
#include <memory>

#include "core/context.h"
#include "nn/attention/numbering.h"

namespace attend::ATTEND_PRECISION {

class Choosing;
class Witness;

enum class Keep {
    nothing,
    choices,  ///< what sites with hard attention chose, recorded
    maps,     ///< of every site the weights and what was read with, not recorded; in evaluation alone
};

struct Pass : Context {
    Pass() = default;
    /// Sites choose as their own options say, and nothing is kept.
    Pass(const Context& context) : Context(context) {}
    Pass(const Context& context, Keep keep_) : Context(context), keep(keep_) {}

    const Choosing* choosing = nullptr;  ///< of all sites with hard attention; null: as their own options say
    int64_t samples = 1;                 ///< K that a call of a site holds for each row
    Keep keep = Keep::nothing;
    /// Of the sequence that self-attention reads; null: its positions are 0, 1, 2 ...
    std::shared_ptr<const Numbering> numbering = {};
    Witness* witness = nullptr;  ///< told what attention reads (witness.h); null: nobody

    /// In evaluation only, so keeping never changes what training computes.
    bool keeps_maps() const { return keep == Keep::maps && !training(); }
    /// The same, of which nothing comes back.
    Pass keeping_nothing() const {
        Pass p = *this;
        p.keep = Keep::nothing;
        return p;
    }
    /// The same, of which nobody is told.
    Pass unwitnessed() const {
        Pass p = *this;
        p.witness = nullptr;
        return p;
    }
};

}  // namespace attend::ATTEND_PRECISION
