// Learning-rate schedules. With s the step from 0, w = warmup, n = total steps:
//     while s < w:   rate(s) = peak * (s + 1) / w
// and then the formula of each; from step n on (after the end of a run) the rate keeps its last
// value. A warm-up longer than the run is legal: a run that is cut short is then the beginning of
// the long one. (cyclic and one_cycle have no warm-up.)
#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "optim/optimizer.h"

namespace attend::ATTEND_PRECISION {

namespace {

constexpr int64_t most_steps = 1'000'000'000'000;

struct WarmupOptions {
    int64_t warmup = 0;
    void fields(Visitor& v) {
        v.integer("warmup", warmup, {0, most_steps}, "steps over which the rate rises evenly from peak / warmup to the peak");
    }
};

// Vaswani et al. 2017, 5.3, use 4000.
struct InverseSqrtOptions : WarmupOptions {
    InverseSqrtOptions() { warmup = 4000; }
};

struct DecayOptions : WarmupOptions {
    double final_rate = 0;
    void fields(Visitor& v) { fields(v, "learning rate at the end of the run (absolute, at most the peak)"); }

  protected:
    void fields(Visitor& v, const char* help) {
        WarmupOptions::fields(v);
        v.number("final", final_rate, {0, 1000}, help);
    }
};

// Share of the steps from the end of the warm-up to the end of the run that are done, 0 ... 1.
double progress(int64_t step, int64_t warmup, int64_t steps) {
    if (step >= steps)
        return 1;
    return static_cast<double>(step - warmup) / static_cast<double>(steps - warmup);
}

// A schedule with options O; where these have a warm-up, then() is the rate after it.
template <class O>
class ScheduleOf : public Schedule {
  public:
    ScheduleOf(const O& o, double peak, int64_t steps) : o_(o), peak_(peak), steps_(steps) {
        require(std::isfinite(peak) && peak >= 0, "schedule: the peak rate must be finite and not negative: learning_rate {}",
                peak);
        require(steps >= 0 && steps <= most_steps, "schedule: steps out of range: steps {}, allowed 0 to {}", steps,
                most_steps);
        if constexpr (std::is_base_of_v<DecayOptions, O>)
            at_most_peak("final", o.final_rate);
    }
    double rate(int64_t step) const final {
        if constexpr (std::is_base_of_v<WarmupOptions, O>)
            if (step < o_.warmup)
                return peak_ * static_cast<double>(step + 1) / static_cast<double>(o_.warmup);
        return then(step);
    }

  protected:
    virtual double then(int64_t step) const = 0;
    void at_most_peak(const char* option, double value) const {
        require(value <= peak_, "schedule: {} must be at most the peak rate: {} {}, learning_rate {}; {} is an absolute rate",
                option, option, value, peak_, option);
    }
    int64_t last() const { return std::max<int64_t>(steps_ - 1, 0); }

    const O o_;
    const double peak_;
    const int64_t steps_;
};

// rate(s) = peak
class Constant final : public ScheduleOf<WarmupOptions> {
    using ScheduleOf::ScheduleOf;
    double then(int64_t) const override { return peak_; }
};

// rate(s) = final + (peak - final) * (1 - (s - w) / (n - w))
class Linear final : public ScheduleOf<DecayOptions> {
    using ScheduleOf::ScheduleOf;
    bool depends_on_steps() const override { return true; }
    double then(int64_t step) const override {
        return o_.final_rate + (peak_ - o_.final_rate) * (1 - progress(step, o_.warmup, steps_));
    }
};

// rate(s) = final + (peak - final) / 2 * (1 + cos(pi * (s - w) / (n - w)))     (Loshchilov and Hutter 2017, eq. 5, one cycle)
class Cosine final : public ScheduleOf<DecayOptions> {
    using ScheduleOf::ScheduleOf;
    bool depends_on_steps() const override { return true; }
    double then(int64_t step) const override {
        const double angle = std::numbers::pi * progress(step, o_.warmup, steps_);
        return o_.final_rate + (peak_ - o_.final_rate) / 2 * (1 + std::cos(angle));
    }
};

// rate(s) = peak * sqrt(max(w, 1) / (s + 1))                (Vaswani et al. 2017, eq. 3, scaled so that its top is the peak)
class InverseSqrt final : public ScheduleOf<InverseSqrtOptions> {
    using ScheduleOf::ScheduleOf;
    double then(int64_t step) const override {
        return peak_ * std::sqrt(static_cast<double>(std::max<int64_t>(o_.warmup, 1)) / static_cast<double>(step + 1));
    }
};

struct StepOptions : WarmupOptions {
    int64_t every = 1000;
    double gamma = 0.1;
    void fields(Visitor& v) {
        WarmupOptions::fields(v);
        v.integer("every", every, {1, most_steps}, "steps between two reductions, counted from the end of the warm-up");
        v.number("gamma", gamma, {0, 1}, "factor of each reduction");
    }
};

// rate(s) = peak * gamma^floor((s - w) / every)                                       (torch.optim.lr_scheduler.StepLR)
class Step final : public ScheduleOf<StepOptions> {
    using ScheduleOf::ScheduleOf;
    double then(int64_t step) const override {
        const int64_t since = std::max<int64_t>(std::min(step, last()) - o_.warmup, 0);
        return peak_ * std::pow(o_.gamma, static_cast<double>(since / o_.every));
    }
};

struct PlateauOptions : DecayOptions {
    double factor = 0.1;
    int64_t patience = 10;
    int64_t cooldown = 0;
    double threshold = 1e-4;
    void fields(Visitor& v) {
        DecayOptions::fields(v, "lower limit of the learning rate (absolute, at most the peak)");
        v.number("factor", factor, {0, 1}, "factor of each reduction");
        v.integer("patience", patience, {0, most_steps},
                  "the rate is reduced after more than this many evaluations in a row without improvement");
        v.integer("cooldown", cooldown, {0, most_steps}, "evaluations after a reduction that are not counted");
        v.number("threshold", threshold, {0, 1}, "least improvement that counts, as a share of the best metric");
    }
};

// rate(s) = max(final, peak * factor^reductions): a reduction comes with evaluation number patience
// + 1 in a row that is not
// better than the best so far by threshold * |best|.                  (torch.optim.lr_scheduler.ReduceLROnPlateau)
class Plateau final : public ScheduleOf<PlateauOptions> {
  public:
    using ScheduleOf::ScheduleOf;
    // A metric that is not finite is no improvement.
    void evaluated(double metric) override {
        const bool better = std::isfinite(metric) && (seen_ == 0 || metric < best_ - o_.threshold * std::abs(best_));
        if (better) {
            seen_ = 1;
            best_ = metric;
            bad_ = 0;
        } else {
            ++bad_;
        }
        if (cooling_ > 0) {
            --cooling_;
            bad_ = 0;
        }
        if (bad_ > static_cast<double>(o_.patience)) {
            ++falls_;
            cooling_ = static_cast<double>(o_.cooldown);
            bad_ = 0;
        }
    }
    std::vector<double> state() const override { return {seen_, best_, bad_, cooling_, falls_}; }
    void restore(const std::vector<double>& state) override {
        require(state.size() == 5, "schedule plateau: the state is not one of this schedule: numbers {}, needed 5",
                state.size());
        for (std::size_t i = 0; i < state.size(); ++i)
            require(std::isfinite(state[i]) && (i == 1 || (state[i] >= 0 && state[i] == std::floor(state[i]))),
                    "schedule plateau: the state is not one of this schedule: number {} is {}", i, state[i]);
        seen_ = state[0];
        best_ = state[1];
        bad_ = state[2];
        cooling_ = state[3];
        falls_ = state[4];
    }

  private:
    double then(int64_t) const override { return std::max(o_.final_rate, peak_ * std::pow(o_.factor, falls_)); }
    // Integers except for best_; doubles, so that the state is one list.
    double seen_ = 0, best_ = 0, bad_ = 0, cooling_ = 0, falls_ = 0;
};

struct CyclicOptions {
    double low = 0;
    int64_t rise = 2000;
    int64_t fall = 0;
    std::string mode = "triangular";
    double gamma = 1;
    void fields(Visitor& v) {
        v.number("low", low, {0, 1000}, "learning rate at the ends of each cycle (absolute, at most the peak)");
        v.integer("rise", rise, {1, most_steps}, "steps from low to the peak");
        v.integer("fall", fall, {0, most_steps, "rise"}, "steps from the peak to low");
        v.choice("mode", mode, {"triangular", "triangular2", "exp_range"},
                 "height of the cycles: all equal, halved with each cycle, or multiplied by gamma^step");
        v.number("gamma", gamma, {0, 1}, "exp_range: factor of each step");
    }
};

// rate(s) = low + (peak - low) * x(s) * h, x going evenly from 0 to 1 and back in a cycle; h = 1,
// 2^-cycle, or gamma^s.
//                                      (Smith 2017, "Cyclical learning rates"; torch.optim.lr_scheduler.CyclicLR)
class Cyclic final : public ScheduleOf<CyclicOptions> {
  public:
    Cyclic(const CyclicOptions& o, double peak, int64_t steps)
        : ScheduleOf(o, peak, steps), fall_(o.fall == 0 ? o.rise : o.fall) {
        at_most_peak("low", o.low);
    }

  private:
    double then(int64_t step) const override {
        step = std::min(step, last());
        const int64_t length = o_.rise + fall_, cycle = step / length, within = step % length;
        const double way = within <= o_.rise ? static_cast<double>(within) / static_cast<double>(o_.rise)
                                             : static_cast<double>(length - within) / static_cast<double>(fall_);
        double height = 1;
        if (o_.mode == "triangular2")
            height = std::pow(0.5, static_cast<double>(cycle));
        else if (o_.mode == "exp_range")
            height = std::pow(o_.gamma, static_cast<double>(step));
        return o_.low + (peak_ - o_.low) * way * height;
    }
    int64_t fall_;
};

struct OneCycleOptions {
    double rise = 0.3;
    double start_divisor = 25;
    double final_divisor = 1e4;
    std::string shape = "cosine";
    void fields(Visitor& v) {
        v.number("rise", rise, {0, 1}, "share of the run in which the rate rises");
        v.number("start_divisor", start_divisor, {1, 1e9}, "the rate starts at the peak divided by this");
        v.number("final_divisor", final_divisor, {1, 1e9}, "and ends at where it started divided by this");
        v.choice("shape", shape, {"cosine", "linear"}, "form of the rise and of the fall");
    }
};

// From peak / start_divisor at step 0 to the peak at step rise * n - 1, and from there to peak /
// (start_divisor final_divisor)
// at the last step.     (Smith and Topin 2019, "Super-convergence", in the two phases of torch.optim.lr_scheduler.OneCycleLR)
class OneCycle final : public ScheduleOf<OneCycleOptions> {
    using ScheduleOf::ScheduleOf;
    bool depends_on_steps() const override { return true; }
    double then(int64_t step) const override {
        const double end_step = static_cast<double>(last()), s = std::min(static_cast<double>(step), end_step);
        const double top = std::max(o_.rise * static_cast<double>(steps_) - 1, 0.0);
        const double start = peak_ / o_.start_divisor, end = start / o_.final_divisor;
        if (s <= top)
            return top > 0 ? between(start, peak_, s / top) : peak_;
        return between(peak_, end, (s - top) / (end_step - top));
    }
    // From a (way = 0) to b (way = 1).
    double between(double a, double b, double way) const {
        const double share = o_.shape == "linear" ? way : (1 - std::cos(std::numbers::pi * way)) / 2;
        return a + (b - a) * share;
    }
};

}  // namespace

void Schedule::evaluated(double) {}

std::vector<double> Schedule::state() const { return {}; }

void Schedule::restore(const std::vector<double>& state) {
    require(state.empty(), "schedule: the state is not one of this schedule: numbers {}, needed 0", state.size());
}

const ScheduleTable& schedule_table() {
    static const ScheduleTable table(
        "schedule",
        {
            ScheduleTable::row<Constant, WarmupOptions>("constant", "the peak rate throughout, after the warm-up"),
            ScheduleTable::row<Linear, DecayOptions>("linear", "falls evenly from the peak to `final` at the end of the run"),
            ScheduleTable::row<Cosine, DecayOptions>("cosine", "falls from the peak to `final` along half a cosine"),
            ScheduleTable::row<InverseSqrt, InverseSqrtOptions>("inverse_sqrt", "the rate is proportional to 1 / sqrt(step)"),
            ScheduleTable::row<Step, StepOptions>("step", "multiplied by `gamma` every `every` steps"),
            ScheduleTable::row<Plateau, PlateauOptions>("plateau", "multiplied by `factor` when evaluations stop improving"),
            ScheduleTable::row<Cyclic, CyclicOptions>("cyclic", "up and down between `low` and the peak (Smith 2017)"),
            ScheduleTable::row<OneCycle, OneCycleOptions>("one_cycle", "up and down once in the run (Smith and Topin 2019)"),
        });
    return table;
}
const registry::AtStart schedule_listed(schedule_table());

}  // namespace attend::ATTEND_PRECISION
