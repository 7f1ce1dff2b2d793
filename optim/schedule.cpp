// Learning-rate schedules. With s the step from 0, w = warmup, n = total steps:
//     while s < w:   rate(s) = peak * (s + 1) / w
// and then as each formula says; from step n on (where a run has ended) the schedule stays at its last value. A warm-up
// longer than the run is legal: a run that is cut short is then the beginning of the long one, not an error. (cyclic and
// one_cycle rise by themselves and have no warm-up.)
#include <algorithm>
#include <cmath>
#include <numbers>

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
    void fields(Visitor& v) {
        WarmupOptions::fields(v);
        v.number("final", final_rate, {0, 1000}, "learning rate that the last step comes near to (absolute, at most the peak)");
    }
};

double warm(double peak, int64_t step, int64_t warmup) {
    return peak * static_cast<double>(step + 1) / static_cast<double>(warmup);
}

// Share of the way from the end of the warm-up to the end of the run, 0 ... 1.
double progress(int64_t step, int64_t warmup, int64_t steps) {
    if (step >= steps)
        return 1;
    return static_cast<double>(step - warmup) / static_cast<double>(steps - warmup);
}

void check(const char* name, double peak, int64_t steps, int64_t warmup) {
    require(std::isfinite(peak) && peak >= 0,
            "schedule {}: the peak rate must be finite and not negative: learning_rate {}, least 0", name, peak);
    require(steps >= 0 && steps <= most_steps, "schedule {}: steps out of range: steps {}, allowed 0 to {}", name, steps,
            most_steps);
    require(warmup >= 0 && warmup <= most_steps, "schedule {}: warmup out of range: warmup {}, allowed 0 to {}", name, warmup,
            most_steps);
}

// An option that is a share or a factor.
void check_factor(const char* name, const char* option, double value) {
    require(value >= 0 && value <= 1, "schedule {}: {} out of range: {} {}, allowed 0 to 1", name, option, option, value);
}

void check_final(const char* name, double peak, double final_rate) {
    require(
        final_rate >= 0 && final_rate <= peak,
        "schedule {}: the final rate must lie between 0 and the peak: final {}, learning_rate {}; final is an absolute rate",
        name, final_rate, peak);
}

// rate(s) = peak
class Constant final : public Schedule {
  public:
    Constant(const WarmupOptions& o, double peak, int64_t steps) : peak_(peak), warmup_(o.warmup) {
        check("constant", peak, steps, o.warmup);
    }
    bool depends_on_steps() const override { return false; }
    double rate(int64_t step) const override { return step < warmup_ ? warm(peak_, step, warmup_) : peak_; }

  private:
    double peak_;
    int64_t warmup_;
};

// rate(s) = final + (peak - final) * (1 - (s - w) / (n - w))
class Linear final : public Schedule {
  public:
    Linear(const DecayOptions& o, double peak, int64_t steps) : o_(o), peak_(peak), steps_(steps) {
        check("linear", peak, steps, o.warmup);
        check_final("linear", peak, o.final_rate);
    }
    bool depends_on_steps() const override { return true; }
    double rate(int64_t step) const override {
        if (step < o_.warmup)
            return warm(peak_, step, o_.warmup);
        return o_.final_rate + (peak_ - o_.final_rate) * (1 - progress(step, o_.warmup, steps_));
    }

  private:
    DecayOptions o_;
    double peak_;
    int64_t steps_;
};

// rate(s) = final + (peak - final) / 2 * (1 + cos(pi * (s - w) / (n - w)))     (Loshchilov and Hutter 2017, eq. 5, one cycle)
class Cosine final : public Schedule {
  public:
    Cosine(const DecayOptions& o, double peak, int64_t steps) : o_(o), peak_(peak), steps_(steps) {
        check("cosine", peak, steps, o.warmup);
        check_final("cosine", peak, o.final_rate);
    }
    bool depends_on_steps() const override { return true; }
    double rate(int64_t step) const override {
        if (step < o_.warmup)
            return warm(peak_, step, o_.warmup);
        const double angle = std::numbers::pi * progress(step, o_.warmup, steps_);
        return o_.final_rate + (peak_ - o_.final_rate) / 2 * (1 + std::cos(angle));
    }

  private:
    DecayOptions o_;
    double peak_;
    int64_t steps_;
};

// rate(s) = peak * sqrt(max(w, 1) / (s + 1))                (Vaswani et al. 2017, eq. 3, scaled so that its top is the peak)
class InverseSqrt final : public Schedule {
  public:
    InverseSqrt(const InverseSqrtOptions& o, double peak, int64_t steps) : peak_(peak), warmup_(o.warmup) {
        check("inverse_sqrt", peak, steps, o.warmup);
    }
    bool depends_on_steps() const override { return false; }
    double rate(int64_t step) const override {
        if (step < warmup_)
            return warm(peak_, step, warmup_);
        return peak_ * std::sqrt(static_cast<double>(std::max<int64_t>(warmup_, 1)) / static_cast<double>(step + 1));
    }

  private:
    double peak_;
    int64_t warmup_;
};

struct StepOptions : WarmupOptions {
    int64_t every = 1000;
    double gamma = 0.1;
    void fields(Visitor& v) {
        WarmupOptions::fields(v);
        v.integer("every", every, {1, most_steps}, "steps between two falls, counted from the end of the warm-up");
        v.number("gamma", gamma, {0, 1}, "factor of each fall");
    }
};

// rate(s) = peak * gamma^floor((s - w) / every)                                       (torch.optim.lr_scheduler.StepLR)
class Step final : public Schedule {
  public:
    Step(const StepOptions& o, double peak, int64_t steps) : o_(o), peak_(peak), last_(std::max<int64_t>(steps - 1, 0)) {
        check("step", peak, steps, o.warmup);
        require(o.every >= 1, "schedule step: every out of range: every {}, allowed 1 to {}", o.every, most_steps);
        check_factor("step", "gamma", o.gamma);
    }
    bool depends_on_steps() const override { return false; }
    double rate(int64_t step) const override {
        if (step < o_.warmup)
            return warm(peak_, step, o_.warmup);
        const int64_t since = std::max<int64_t>(std::min(step, last_) - o_.warmup, 0);
        return peak_ * std::pow(o_.gamma, static_cast<double>(since / o_.every));
    }

  private:
    StepOptions o_;
    double peak_;
    int64_t last_;
};

struct PlateauOptions : DecayOptions {
    double factor = 0.1;
    int64_t patience = 10;
    int64_t cooldown = 0;
    double threshold = 1e-4;
    void fields(Visitor& v) {
        DecayOptions::fields(v);
        v.number("factor", factor, {0, 1}, "factor of each fall");
        v.integer("patience", patience, {0, most_steps}, "evaluations in a row without improvement that are put up with");
        v.integer("cooldown", cooldown, {0, most_steps}, "evaluations after a fall that are not counted");
        v.number("threshold", threshold, {0, 1}, "improvement, as a share of the best metric, that is one");
    }
};

// rate(s) = max(final, peak * factor^falls): a fall comes with evaluation number patience + 1 in a row that is not better than
// the best so far by threshold * |best|.                                   (torch.optim.lr_scheduler.ReduceLROnPlateau)
class Plateau final : public Schedule {
  public:
    Plateau(const PlateauOptions& o, double peak, int64_t steps) : o_(o), peak_(peak) {
        check("plateau", peak, steps, o.warmup);
        check_final("plateau", peak, o.final_rate);
        check_factor("plateau", "factor", o.factor);
        check_factor("plateau", "threshold", o.threshold);
        require(o.patience >= 0 && o.cooldown >= 0,
                "schedule plateau: evaluations must not be negative: patience {}, cooldown {}", o.patience, o.cooldown);
    }
    bool depends_on_steps() const override { return false; }
    double rate(int64_t step) const override {
        if (step < o_.warmup)
            return warm(peak_, step, o_.warmup);
        return std::max(o_.final_rate, peak_ * std::pow(o_.factor, falls_));
    }
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
    PlateauOptions o_;
    double peak_;
    // Whole numbers but best_; doubles, so that the state is one list.
    double seen_ = 0, best_ = 0, bad_ = 0, cooling_ = 0, falls_ = 0;
};

struct CyclicOptions {
    double low = 0;
    int64_t rise = 2000;
    int64_t fall = 0;
    std::string mode = "triangular";
    double gamma = 1;
    void fields(Visitor& v) {
        v.number("low", low, {0, 1000}, "learning rate that a cycle begins and ends with (absolute, at most the peak)");
        v.integer("rise", rise, {1, most_steps}, "steps from low to the peak");
        v.integer("fall", fall, {0, most_steps, "rise"}, "steps from the peak to low");
        v.choice("mode", mode, {"triangular", "triangular2", "exp_range"},
                 "height of the cycles: all alike, halved with each cycle, or times gamma^step");
        v.number("gamma", gamma, {0, 1}, "factor a step of exp_range");
    }
};

// rate(s) = low + (peak - low) * x(s) * h, x going evenly from 0 to 1 and back in a cycle; h = 1, 2^-cycle, or gamma^s.
//                                      (Smith 2017, "Cyclical learning rates"; torch.optim.lr_scheduler.CyclicLR)
class Cyclic final : public Schedule {
  public:
    Cyclic(const CyclicOptions& o, double peak, int64_t steps)
        : o_(o), peak_(peak), fall_(o.fall == 0 ? o.rise : o.fall), last_(std::max<int64_t>(steps - 1, 0)) {
        check("cyclic", peak, steps, 0);
        require(o.low >= 0 && o.low <= peak,
                "schedule cyclic: the low rate must lie between 0 and the peak: low {}, learning_rate {}; low is an absolute "
                "rate",
                o.low, peak);
        require(o.rise >= 1 && o.rise <= most_steps && o.fall >= 0 && o.fall <= most_steps,
                "schedule cyclic: steps of a cycle out of range: rise {}, fall {}", o.rise, o.fall);
        check_factor("cyclic", "gamma", o.gamma);
    }
    bool depends_on_steps() const override { return false; }
    double rate(int64_t step) const override {
        step = std::min(step, last_);
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

  private:
    CyclicOptions o_;
    double peak_;
    int64_t fall_, last_;
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
        v.choice("shape", shape, {"cosine", "linear"}, "how it goes up and down");
    }
};

// From peak / start_divisor at step 0 to the peak at step rise * n - 1, and from there to peak / (start_divisor final_divisor)
// at the last step.     (Smith and Topin 2019, "Super-convergence", in the two phases of torch.optim.lr_scheduler.OneCycleLR)
class OneCycle final : public Schedule {
  public:
    OneCycle(const OneCycleOptions& o, double peak, int64_t steps)
        : o_(o), peak_(peak), last_(static_cast<double>(std::max<int64_t>(steps - 1, 0))) {
        check("one_cycle", peak, steps, 0);
        check_factor("one_cycle", "rise", o.rise);
        require(o.start_divisor >= 1 && o.final_divisor >= 1,
                "schedule one_cycle: divisors must be at least 1: start_divisor {}, final_divisor {}", o.start_divisor,
                o.final_divisor);
        top_ = std::max(o.rise * static_cast<double>(steps) - 1, 0.0);
    }
    bool depends_on_steps() const override { return true; }
    double rate(int64_t step) const override {
        const double s = std::min(static_cast<double>(step), last_);
        const double start = peak_ / o_.start_divisor, end = start / o_.final_divisor;
        if (s <= top_)
            return top_ > 0 ? between(start, peak_, s / top_) : peak_;
        return between(peak_, end, (s - top_) / (last_ - top_));
    }

  private:
    // From a (way = 0) to b (way = 1).
    double between(double a, double b, double way) const {
        const double share = o_.shape == "linear" ? way : (1 - std::cos(std::numbers::pi * way)) / 2;
        return a + (b - a) * share;
    }
    OneCycleOptions o_;
    double peak_, last_, top_ = 0;
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
            ScheduleTable::row<InverseSqrt, InverseSqrtOptions>("inverse_sqrt", "falls with the square root of the step"),
            ScheduleTable::row<Step, StepOptions>("step", "falls by the factor `gamma` every `every` steps"),
            ScheduleTable::row<Plateau, PlateauOptions>("plateau", "falls when evaluations stop improving"),
            ScheduleTable::row<Cyclic, CyclicOptions>("cyclic", "up and down between `low` and the peak (Smith 2017)"),
            ScheduleTable::row<OneCycle, OneCycleOptions>("one_cycle", "up and down once in the run (Smith and Topin 2019)"),
        });
    return table;
}
const registry::AtStart listed(schedule_table());

}  // namespace attend::ATTEND_PRECISION
