#pragma once
/// The properties that `attend prove` proves, one function each. A function tries to break its
/// property on the subject's own rows, and gives what it tried and the worst figure that it saw.
/// Tests call them for models of every kind. The model's weights are as before when they return.
#include <span>

#include "train/study/prove/finding.h"
#include "train/study/prove/subject.h"

namespace attend::prove {

struct Property {
    const char* name;
    const char* claim;  ///< what holds, in a sentence
    Finding (*prove)(const Subject& subject);
};
/// The table: a new property is a function and a line here.
std::span<const Property> properties();

// order.cpp: what may depend on what
Finding causality(const Subject& subject);
Finding padding(const Subject& subject);
Finding no_draws(const Subject& subject);

// maps.cpp: every module of attention, on what it read in this model
Finding window(const Subject& subject);
Finding masked(const Subject& subject);
Finding map(const Subject& subject);
Finding scale(const Subject& subject);

// gradients.cpp
Finding query_key_value(const Subject& subject);
Finding gradients(const Subject& subject);

// decoding.cpp
Finding cached(const Subject& subject);
Finding beam(const Subject& subject);

// training.cpp: the step
Finding accumulation(const Subject& subject);
Finding threads(const Subject& subject);
Finding resumed(const Subject& subject);

/// Where a figure was seen.
struct Blame {
    std::string module, reason;
};

/// The figures of one property: keeps the worst, and who is to blame for the first that is beyond
/// the limit (an error spreads, so the first is the nearest to its cause).
class Figures {
  public:
    explicit Figures(double limit) : limit_(limit) {}
    /// `blame()` is asked only where it is needed.
    template <class F>
    void note(double figure, F&& blame) {
        worst_ = worse(worst_, figure);
        if (worse(0, figure) > limit_ && !failed_) {
            failed_ = true;
            first_ = blame();
        }
    }
    bool failed() const { return failed_; }
    Finding finding(std::string tried) const {
        return {.verdict = failed() ? Verdict::failed : Verdict::passed,
                .worst = worst_,
                .limit = limit_,
                .tried = std::move(tried),
                .module = first_.module,
                .reason = first_.reason};
    }

  private:
    double limit_, worst_ = 0;
    bool failed_ = false;
    Blame first_;
};

inline Finding not_applicable(std::string reason) { return {.verdict = Verdict::not_applicable, .reason = std::move(reason)}; }

}  // namespace attend::prove
