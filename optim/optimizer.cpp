#include "optim/optimizer.h"

#include <cmath>

#include "core/kernels/reduce.h"
#include "optim/adafactor.h"
#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

// Elements of one block, the unit of parallel passes over the arena. Fixed, so that sums do not
// depend on the threads.
constexpr int64_t arena_block = 16384;

void update(Optimizer& optimizer, ParameterStore& store, const real* gradient, const UpdateStep& step, Workers& workers) {
    optimizer.prepare(store, gradient, step, workers);
    workers.blocks(store.size(), arena_block,
                   [&](int64_t, int64_t begin, int64_t end) { optimizer.update(store, gradient, step, begin, end); });
}

double gradient_norm(const real* gradient, int64_t size, Workers& workers) {
    require(size >= 0, "gradient_norm: the size must not be negative: size {}, least 0", size);
    Array<double> squares(static_cast<std::size_t>((size + arena_block - 1) / arena_block), 0.0);
    workers.blocks(size, arena_block, [&](int64_t block, int64_t begin, int64_t end) {
        squares[static_cast<std::size_t>(block)] = kernels::sum_of_squares(gradient + begin, end - begin);
    });
    double sum = 0;
    for (double s : squares) sum += s;
    return std::sqrt(sum);
}

double clip_factor(double norm, double limit) {
    require(std::isfinite(limit) && limit >= 0, "clip_factor: the limit must be finite and not negative: limit {}, least 0",
            limit);
    if (limit == 0)
        return 1;
    const double factor = limit / (norm + 1e-6);
    return factor >= 1 ? 1 : factor;  // a norm that is NaN gives NaN
}

void clip_value(real* gradient, int64_t size, double limit, Workers& workers) {
    require(size >= 0, "clip_value: the size must not be negative: size {}, least 0", size);
    require(std::isfinite(limit) && limit >= 0, "clip_value: the limit must be finite and not negative: limit {}, least 0",
            limit);
    if (limit == 0)
        return;
    workers.blocks(size, arena_block, [&](int64_t, int64_t begin, int64_t end) {
        kernels::clip(gradient + begin, static_cast<real>(limit), end - begin);
    });
}

namespace {

// Stochastic gradient descent with momentum, as torch.optim.SGD: "On the importance of
// initialization and momentum in deep learning" (Sutskever et al. 2013) in the form where the
// learning rate multiplies the buffer.
struct SgdOptions : UpdateOptions {
    double momentum = 0;
    double dampening = 0;
    bool nesterov = false;
    SgdOptions() : UpdateOptions(1e-3) {}
    void fields(Visitor& v) {
        rate_field(v);
        v.number("momentum", momentum, {0, below_one}, "share of the momentum buffer kept in a step");
        v.number("dampening", dampening, {0, 1}, "share of the gradient that does not enter the momentum buffer");
        decay_field(v);
        v.flag("nesterov", nesterov,
               "step along the gradient plus momentum times the new buffer (needs momentum, no dampening)");
    }
};

// g' = g + weight_decay p;  b = momentum b + (1 - dampening) g' (first step: b = g');
// p -= learning_rate b, with nesterov p -= learning_rate (g' + momentum b). Without momentum there
// is no buffer.
class Sgd final : public ArenaOptimizer<SgdOptions> {
  public:
    // Throws Error for nesterov without momentum or with dampening.
    Sgd(const SgdOptions& o, const ParameterStore& store)
        : ArenaOptimizer(o, store, o.momentum > 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{}) {
        require(!o.nesterov || (o.momentum > 0 && o.dampening == 0),
                "optimizer sgd: nesterov needs momentum above 0 and dampening 0: momentum {}, dampening {}", o.momentum,
                o.dampening);
    }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::SgdStep k{numbers(s, step), o_.momentum, as_real(o_.dampening)};
        k.nesterov = o_.nesterov ? kernels::Nesterov::yes : kernels::Nesterov::no;
        k.first = step.step == 0 ? kernels::FirstStep::yes : kernels::FirstStep::no;
        kernels::sgd(k, s.value, s.gradient, o_.momentum > 0 ? state_of(0, s) : nullptr, s.size);
    }
};

// Throws Error unless there are two betas. `name` stands in errors.
void require_two(const char* name, const std::vector<double>& betas) {
    require(betas.size() == 2, "optimizer {}: betas must be two numbers: given {}", name, betas.size());
}

// Adam (Kingma and Ba 2015, algorithm 1) as torch.optim.Adam: weight decay is added to the
// gradient.
struct AdamOptions : UpdateOptions {
    std::vector<double> betas = {0.9, 0.999};
    double epsilon = 1e-8;
    explicit AdamOptions(double rate = 1e-3, double decay = 0) : UpdateOptions(rate, decay) {}
    void fields(Visitor& v) {
        moment_fields(v);
        decay_field(v);
    }

  protected:
    void moment_fields(Visitor& v) {
        rate_field(v);
        v.numbers("betas", betas, {0, below_one}, true,
                  "shares of the running mean and of the running mean square kept in a step");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the root of the running mean square");
    }
};

// Optimisers with the running moments m and v of Adam.
template <class O>
class AdamLike : public ArenaOptimizer<O> {
  public:
    AdamLike(const char* name, const O& o, const ParameterStore& store) : ArenaOptimizer<O>(o, store, {"m", "v"}) {
        require_two(name, o.betas);
    }

  protected:
    double beta1() const { return as_real(this->o_.betas[0]); }
    // The corrections are those of the betas as `real` holds them: 1 - 0.999f differs from 0.001 by
    // 1e-5 of it, and the first steps would carry that error.
    kernels::AdamStep moments(const Segment& s, const UpdateStep& step) const {
        const double t = static_cast<double>(step.step + 1), beta2 = as_real(this->o_.betas[1]);
        kernels::AdamStep k{this->numbers(s, step), 0, beta1(), beta2, as_real(this->o_.epsilon)};
        k.bias_correction1 = as_real(1 - std::pow(beta1(), t));
        k.bias_correction2 = as_real(1 - std::pow(beta2, t));
        return k;
    }
};

// g' = g + weight_decay p;  m = b1 m + (1 - b1) g';  v = b2 v + (1 - b2) g'^2;  with t from 1:
// p -= learning_rate / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + epsilon)
class Adam final : public AdamLike<AdamOptions> {
  public:
    Adam(const AdamOptions& o, const ParameterStore& store) : AdamLike("adam", o, store) {}

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::AdamStep k = moments(s, step);
        kernels::adam(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
};

// AdamW (Loshchilov and Hutter 2019, algorithm 2) as torch.optim.AdamW: weight decay acts on the
// weights themselves.
struct AdamwOptions : AdamOptions {
    AdamwOptions() : AdamOptions(1e-3, 0.01) {}
    void fields(Visitor& v) {
        moment_fields(v);
        decoupled_decay_field(v);
    }
};

// p *= 1 - learning_rate weight_decay, and then as Adam without decay.
class Adamw final : public AdamLike<AdamwOptions> {
  public:
    Adamw(const AdamwOptions& o, const ParameterStore& store) : AdamLike("adamw", o, store) {}

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::AdamStep k = moments(s, step);
        k.decoupled_decay = as_real(std::exchange(k.weight_decay, 0));
        kernels::adam(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
};

// Adam with Nesterov momentum (Dozat 2016, "Incorporating Nesterov momentum into Adam") as
// torch.optim.NAdam is documented. (PyTorch 1.13's code has one factor mu_t too many in the
// product up to t + 1; later versions do as documented.)
struct NadamOptions : AdamOptions {
    double momentum_decay = 4e-3;
    NadamOptions() : AdamOptions(2e-3) {}
    void fields(Visitor& v) {
        AdamOptions::fields(v);
        v.number("momentum_decay", momentum_decay, {0, 1000},
                 "how fast the momentum's share rises from half of beta1 to beta1");
    }
};

// m, v as in Adam, and with t from 1, u_t = b1 (1 - 0.96^(t momentum_decay) / 2), U_t = u_1 ...
// u_t: p -= learning_rate (u_(t+1) / (1 - U_(t+1)) m + (1 - u_t) / (1 - U_t) g') / (sqrt(v / (1 -
// b2^t)) + epsilon)
class Nadam final : public AdamLike<NadamOptions> {
  public:
    Nadam(const NadamOptions& o, const ParameterStore& store) : AdamLike("nadam", o, store) {}
    // The product U_t: a function of t alone, continued from the step before, or computed again
    // (after a resume).
    void prepare(const ParameterStore&, const real*, const UpdateStep& step, Workers&) override {
        const int64_t t = step.step + 1;
        if (factors_ > t) {
            factors_ = 0;
            product_ = 1;
        }
        while (factors_ < t) product_ *= momentum(++factors_);
    }

  private:
    double momentum(int64_t t) const {
        return beta1() * (1 - 0.5 * std::pow(0.96, static_cast<double>(t) * o_.momentum_decay));
    }
    void apply(const Segment& s, const UpdateStep& step) override {
        const int64_t t = step.step + 1;
        ensure(factors_ == t, "optimizer nadam: prepare() comes before update(): prepared for step {}, asked for {}",
               factors_ - 1, step.step);
        kernels::NadamStep k{moments(s, step)};
        const double now = momentum(t), next = momentum(t + 1);
        k.momentum_rate = step.learning_rate * next / (1 - product_ * next);
        k.gradient_rate = step.learning_rate * (1 - now) / (1 - product_);
        kernels::nadam(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
    int64_t factors_ = 0;  // in the product
    double product_ = 1;
};

// Rectified Adam (Liu et al. 2020, "On the variance of the adaptive learning rate and beyond",
// algorithm 2) as torch.optim.RAdam: m, v as in Adam, and with t from 1, r_inf = 2 / (1 - b2) - 1,
// r_t = r_inf - 2 t b2^t / (1 - b2^t): while r_t <= 5, p -= learning_rate m / (1 - b1^t), and then
// with R = sqrt((r_t - 4) (r_t - 2) r_inf / ((r_inf - 4) (r_inf - 2) r_t)):
// p -= learning_rate R m / (1 - b1^t) sqrt(1 - b2^t) / (sqrt(v) + epsilon)
class Radam final : public AdamLike<AdamOptions> {
  public:
    Radam(const AdamOptions& o, const ParameterStore& store) : AdamLike("radam", o, store) {}

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::RadamStep k{moments(s, step)};
        const double t = static_cast<double>(step.step + 1);
        const double longest = 2 / (1 - k.beta2) - 1;
        const double length = longest - 2 * t * (1 - k.bias_correction2) / k.bias_correction2;
        k.rate = step.learning_rate / k.bias_correction1;
        k.adaptive = length > 5 ? kernels::Adaptive::yes : kernels::Adaptive::no;
        if (length > 5)
            k.rate *= std::sqrt(k.bias_correction2 * (length - 4) * (length - 2) * longest /
                                ((longest - 4) * (longest - 2) * length));
        kernels::radam(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
};

// Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms", algorithm 2). Every
// weight moves by the rate, so rates are 3 to 10 times smaller than Adam's, and weight decay is
// larger by the same factor.
struct LionOptions : UpdateOptions {
    std::vector<double> betas = {0.9, 0.99};
    LionOptions() : UpdateOptions(1e-4) {}
    void fields(Visitor& v) {
        rate_field(v);
        v.numbers("betas", betas, {0, below_one}, true,
                  "share of the momentum in the step's sign, and share of the momentum kept in a step");
        decoupled_decay_field(v);
    }
};

// p *= 1 - learning_rate weight_decay;  p -= learning_rate sign(b1 m + (1 - b1) g);  m = b2 m + (1 - b2) g
class Lion final : public ArenaOptimizer<LionOptions> {
  public:
    Lion(const LionOptions& o, const ParameterStore& store) : ArenaOptimizer(o, store, {"m"}) { require_two("lion", o.betas); }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        const kernels::LionStep k{numbers(s, step), o_.betas[0], o_.betas[1]};
        kernels::lion(k, s.value, s.gradient, state_of(0, s), s.size);
    }
};

// Adadelta (Zeiler 2012, algorithm 1) as torch.optim.Adadelta. The defaults are PyTorch's (rho
// 0.9, epsilon 1e-6). Zeiler's experiments and Bahdanau et al. 2015 (B.2) use rho 0.95, epsilon
// 1e-6 and a learning rate of 1, a factor that changes nothing.
struct AdadeltaOptions : UpdateOptions {
    double rho = 0.9;
    double epsilon = 1e-6;
    AdadeltaOptions() : UpdateOptions(1) {}
    void fields(Visitor& v) {
        rate_field(v, "factor of Adadelta's own step, at its highest");
        v.number("rho", rho, {0, below_one}, "share of the running mean squares kept in a step (Zeiler and Bahdanau: 0.95)");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the running mean squares under the root");
        decay_field(v);
    }
};

// g' = g + weight_decay p;  a = rho a + (1 - rho) g'^2;  d = sqrt(u + epsilon) / sqrt(a + epsilon) g';
// u = rho u + (1 - rho) d^2;  p -= learning_rate d
class Adadelta final : public ArenaOptimizer<AdadeltaOptions> {
  public:
    Adadelta(const AdadeltaOptions& o, const ParameterStore& store)
        : ArenaOptimizer(o, store, {"square_average", "accumulated_delta"}) {}

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        const kernels::AdadeltaStep k{numbers(s, step), as_real(o_.rho), o_.epsilon};
        kernels::adadelta(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
};

// Adagrad (Duchi et al. 2011, the diagonal form) as torch.optim.Adagrad.
struct AdagradOptions : UpdateOptions {
    double learning_rate_decay = 0;
    double initial_sum = 0;
    double epsilon = 1e-10;
    AdagradOptions() : UpdateOptions(1e-2) {}
    void fields(Visitor& v) {
        rate_field(v);
        v.number("learning_rate_decay", learning_rate_decay, {0, 1000}, "step t (from 0) divides the rate by 1 + t times this");
        v.number("initial_sum", initial_sum, {0, 1e30}, "first value of the sums of squares");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the root of the sum of squares");
        decay_field(v);
    }
};

// g' = g + weight_decay p;  s += g'^2 (from initial_sum);  with t from 0:
// p -= learning_rate / (1 + t learning_rate_decay) g' / (sqrt(s) + epsilon)
class Adagrad final : public ArenaOptimizer<AdagradOptions> {
  public:
    Adagrad(const AdagradOptions& o, const ParameterStore& store) : ArenaOptimizer(o, store, {"square_sum"}) {
        fill_state(0, store, static_cast<real>(o.initial_sum));
    }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::AdagradStep k{numbers(s, step), o_.epsilon};
        k.learning_rate /= 1 + static_cast<double>(step.step) * o_.learning_rate_decay;
        kernels::adagrad(k, s.value, s.gradient, state_of(0, s), s.size);
    }
};

// RMSprop (Tieleman and Hinton 2012, lecture 6.5) as torch.optim.RMSprop; centered: Graves 2013,
// eq. 38 to 45.
struct RmspropOptions : UpdateOptions {
    double alpha = 0.99;
    double momentum = 0;
    bool centered = false;
    double epsilon = 1e-8;
    RmspropOptions() : UpdateOptions(1e-2) {}
    void fields(Visitor& v) {
        rate_field(v);
        v.number("alpha", alpha, {0, below_one}, "share of the running mean squares kept in a step");
        v.number("momentum", momentum, {0, below_one}, "share of the momentum buffer kept in a step");
        v.flag("centered", centered, "divide by the root of the variance, not of the mean square");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the root");
        decay_field(v);
    }
};

// g' = g + weight_decay p;  a = alpha a + (1 - alpha) g'^2;  d = g' / (sqrt(a) + epsilon), centered: with
// m = alpha m + (1 - alpha) g' and a - m^2 under the root;  b = momentum b + d;  p -= learning_rate b
class Rmsprop final : public ArenaOptimizer<RmspropOptions> {
  public:
    Rmsprop(const RmspropOptions& o, const ParameterStore& store) : ArenaOptimizer(o, store, names(o)) {}

  private:
    static std::vector<std::string> names(const RmspropOptions& o) {
        std::vector<std::string> all = {"square_average"};
        if (o.centered)
            all.emplace_back("gradient_average");
        if (o.momentum > 0)
            all.emplace_back("momentum");
        return all;
    }
    void apply(const Segment& s, const UpdateStep& step) override {
        const kernels::RmspropStep k{numbers(s, step), o_.alpha, o_.momentum, o_.epsilon};
        kernels::rmsprop(k, s.value, s.gradient, state_of(0, s), o_.centered ? state_of(1, s) : nullptr,
                         o_.momentum > 0 ? state_of(o_.centered ? 2 : 1, s) : nullptr, s.size);
    }
};

}  // namespace

const OptimizerTable& optimizer_table() {
    static const OptimizerTable table(
        "optimizer",
        {
            OptimizerTable::row<Sgd, SgdOptions>("sgd", "stochastic gradient descent, with momentum and Nesterov's variant"),
            OptimizerTable::row<Adam, AdamOptions>("adam", "Adam (Kingma and Ba 2015), weight decay in the gradient"),
            OptimizerTable::row<Adamw, AdamwOptions>("adamw", "Adam with decoupled weight decay (Loshchilov and Hutter 2019)"),
            OptimizerTable::row<Adadelta, AdadeltaOptions>("adadelta",
                                                           "Adadelta (Zeiler 2012), as Bahdanau et al. 2015 with rho 0.95"),
            OptimizerTable::row<Adagrad, AdagradOptions>(
                "adagrad", "Adagrad (Duchi et al. 2011): steps shrink with the sum of squared gradients"),
            OptimizerTable::row<Rmsprop, RmspropOptions>(
                "rmsprop", "RMSprop (Tieleman and Hinton 2012), centered and with momentum by option"),
            OptimizerTable::row<Nadam, NadamOptions>("nadam", "Adam with Nesterov momentum (Dozat 2016)"),
            OptimizerTable::row<Radam, AdamOptions>("radam", "rectified Adam (Liu et al. 2020), which needs no warm-up"),
            OptimizerTable::row<Adafactor, AdafactorOptions>(
                "adafactor", "Adafactor (Shazeer and Stern 2018): a matrix's state is one row and one column"),
            OptimizerTable::row<Lion, LionOptions>(
                "lion", "Lion (Chen et al. 2023): the sign of an interpolated momentum; small rates"),
        });
    return table;
}
const registry::AtStart optimizer_listed(optimizer_table());

}  // namespace attend::ATTEND_PRECISION
