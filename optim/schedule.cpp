// Learning-rate schedules. With s the step from 0, w = warmup, n = total steps:
//     while s < w:   rate(s) = peak * (s + 1) / w
// and then as each formula says; from step n on (where a run has ended) the schedule stays at its last value. A warm-up
// longer than the run is legal: a run that is cut short is then the beginning of the long one, not an error.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "optim/optimizer.h"

namespace attend::inline ATTEND_PRECISION {

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
    double rate(int64_t step) const override {
        if (step < warmup_)
            return warm(peak_, step, warmup_);
        return peak_ * std::sqrt(static_cast<double>(std::max<int64_t>(warmup_, 1)) / static_cast<double>(step + 1));
    }

  private:
    double peak_;
    int64_t warmup_;
};

using ScheduleTable = Table<std::unique_ptr<Schedule>(double, int64_t)>;

// The build function of a row.
template <class S, class O>
ScheduleTable::Row row(const char* name, const char* help) {
    return ScheduleTable::make<O>(name, help, [](const O& options, double peak, int64_t steps) -> std::unique_ptr<Schedule> {
        return std::make_unique<S>(options, peak, steps);
    });
}

}  // namespace

const ScheduleTable& schedule_table() {
    static const ScheduleTable table(
        "schedule", {
                        row<Constant, WarmupOptions>("constant", "the peak rate throughout, after the warm-up"),
                        row<Linear, DecayOptions>("linear", "falls evenly from the peak to `final` at the end of the run"),
                        row<Cosine, DecayOptions>("cosine", "falls from the peak to `final` along half a cosine"),
                        row<InverseSqrt, InverseSqrtOptions>("inverse_sqrt", "falls with the square root of the step"),
                    });
    return table;
}
// Constructed at program start, so that all_seams() knows it.
[[maybe_unused]] static const Seam& registered_schedules = schedule_table();

}  // namespace attend::inline ATTEND_PRECISION
