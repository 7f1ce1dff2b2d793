#include "nn/models/positions.h"

#include <algorithm>
#include <cmath>

#include "core/base/trace.h"
#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

void RandomisedOptions::fields(Visitor& v) {
    v.integer(
        "randomised", randomised, {0, 1 << 20, "none"},
        "L: in training a row's positions are distinct numbers drawn from 0 ... L - 1, in order; in evaluation they are "
        "spread evenly, by the row's length, in a decoder by the longest sequence that the model has positions for, which "
        "should not be much longer than the data's (Ruoss 2023, 3); none: they are 0, 1, 2 ...");
}

void RotaryRowOptions::fields(Visitor& v) {
    RandomisedOptions::fields(v);
    v.choice("scaling", scaling, {"none", "linear", "ntk", "yarn"},
             "for sequences longer than those of training: linear: positions divided by factor (Chen 2023); ntk: a larger base "
             "(Peng 2023, 3.1); yarn: short waves are kept, long ones divided (Peng 2023, 3.2 and 3.4)");
    v.number("factor", factor, {1, 1 << 20},
             "of scaling, which needs one above 1: longest sequence divided by that of training");
    v.integer("original", original, {0, 1 << 20, "auto"},
              "scaling 'yarn': longest sequence of training; auto: that of the model divided by factor");
    v.numbers("ramp", ramp, {1e-3, 1e6}, true,
              "scaling 'yarn': waves with fewer turns than the first within original are divided by factor, those with more "
              "than the second are kept");
}

namespace {

std::optional<RotaryOptions> rotary_options(const RotaryRowOptions& o) {
    constexpr std::pair<const char*, RotaryScaling> names[] = {{"none", RotaryScaling::none},
                                                               {"linear", RotaryScaling::linear},
                                                               {"ntk", RotaryScaling::ntk},
                                                               {"yarn", RotaryScaling::yarn}};
    const auto* found = std::ranges::find_if(names, [&](const auto& n) { return o.scaling == n.first; });
    require(found != std::end(names), "positions 'rotary': no such scaling: '{}', known {}", o.scaling, std::size(names));
    require(o.scaling != "none" || o.factor == 1,
            "positions 'rotary': a factor without a scaling: factor {}, scaling '{}'; 'linear', 'ntk' and 'yarn' use one",
            o.factor, o.scaling);
    require(o.scaling == "none" || o.factor != 1,
            "positions 'rotary': a scaling without a factor: scaling '{}', factor {}; the longest sequence divided by that of "
            "training",
            o.scaling, o.factor);
    require(o.scaling == "yarn" || o.original == 0,
            "positions 'rotary': only scaling 'yarn' reads the length of training: original {}, scaling '{}'", o.original,
            o.scaling);
    require(o.scaling == "yarn" || o.ramp == RotaryRowOptions().ramp,
            "positions 'rotary': only scaling 'yarn' reads a ramp: ramp [{}, {}], scaling '{}'", o.ramp.front(), o.ramp.back(),
            o.scaling);
    require(o.scaling != "yarn" || o.randomised == 0 || o.original > 0,
            "positions 'rotary': with randomised positions yarn has to be told the largest number of training: original {} "
            "('auto'), randomised {}; with original = randomised nothing lies beyond training",
            o.original, o.randomised);
    return RotaryOptions{.scaling = found->second,
                         .factor = o.factor,
                         .original = static_cast<double>(o.original),
                         .slow = o.ramp.front(),
                         .fast = o.ramp.back()};
}

template <PositionForm::Vectors vectors>
std::unique_ptr<PositionForm> plain_form(const RandomisedOptions& o) {
    return std::make_unique<PositionForm>(PositionForm{.vectors = vectors, .randomised = o.randomised});
}

std::unique_ptr<PositionForm> rotary_form(const RotaryRowOptions& o) {
    return std::make_unique<PositionForm>(PositionForm{.rotary = rotary_options(o), .randomised = o.randomised});
}

// p[t, 2i] = sin(t / 10000^(2i / D)), p[t, 2i + 1] = cos(the same)   (Vaswani et al. 2017, 3.5)
Tensor sinusoidal_positions(int64_t positions, int64_t width) {
    Tensor p = Tensor::empty({positions, width});
    for (int64_t t = 0; t < positions; ++t)
        for (int64_t i = 0; i < width; ++i) {
            const double angle =
                static_cast<double>(t) / std::pow(10000.0, static_cast<double>(i / 2 * 2) / static_cast<double>(width));
            p.writable()[t * width + i] = static_cast<real>(i % 2 == 0 ? std::sin(angle) : std::cos(angle));
        }
    return p;
}

// n of 0 ... L - 1, ascending: for each j from L - n on, a number up to j, or j itself where that one is there already
// (Floyd's algorithm: Bentley and Floyd 1987). Every set of n numbers is equally likely.
Array<int32_t> drawn(int64_t n, int64_t range, Stream stream) {
    Array<int32_t> sorted;
    std::vector<bool> there(static_cast<std::size_t>(range), false);
    for (int64_t j = range - n; j < range; ++j) {
        const uint32_t number = stream.below(static_cast<uint32_t>(j + 1));
        there[there[number] ? static_cast<std::size_t>(j) : number] = true;
    }
    for (int64_t p = 0; p < range; ++p)
        if (there[static_cast<std::size_t>(p)])
            sorted.push_back(static_cast<int32_t>(p));
    return sorted;
}

// The expected values of the same, rounded down: with L = n they are 0 ... n - 1.
Array<int32_t> spread(int64_t n, int64_t range) {
    Array<int32_t> numbers;
    for (int64_t j = 0; j < n; ++j) numbers.push_back(static_cast<int32_t>((j + 1) * (range + 1) / (n + 1) - 1));
    return numbers;
}

// A stream of a row of the whole batch: draws do not depend on the shard.
Stream stream_of_row(const Draws& draws, int64_t row) {
    const std::array<uint32_t, 4> words = philox(draws.counter(row, 0), draws.key);
    return Stream(Key{words[0], words[1]});
}

}  // namespace

const PositionTable& positions_table() {
    using Vectors = PositionForm::Vectors;
    static const PositionTable table(
        "positions",
        {PositionTable::make<RandomisedOptions>("learned", "vectors added to the embeddings, learned",
                                                plain_form<Vectors::learned>),
         PositionTable::make<RandomisedOptions>("sinusoidal", "vectors added to the embeddings, fixed (Vaswani 2017, 3.5)",
                                                plain_form<Vectors::sinusoidal>),
         PositionTable::make<RotaryRowOptions>("rotary",
                                               "queries and keys are rotated, by default in the pairs of GPT-NeoX, see "
                                               "rotary_pairs (Su 2021)",
                                               rotary_form),
         PositionTable::make<RandomisedOptions>("none", "by attention.bias, or not at all", plain_form<Vectors::none>)});
    return table;
}
const registry::AtStart positions_listed(positions_table());

Positions::Positions(const Scope& scope, const Selection& choice, const PositionSetup& s)
    : form_(*positions_table().build(choice)), longest_(s.length), name_(hash_name(scope.path())), path_(scope.path()) {
    const int64_t range = form_.randomised;
    require(range == 0 || range >= s.length,
            "model.positions: the longest sequence needs as many numbers: randomised {}, longest sequence {}", range, s.length);
    const int64_t count = range == 0 ? s.length : range;
    if (form_.vectors == PositionForm::Vectors::learned)
        vectors_ = scope.add("weight", {count, s.width}, Init::normal(s.deviation));
    else if (form_.vectors == PositionForm::Vectors::sinusoidal)
        vectors_ = sinusoidal_positions(count, s.width);
    if (form_.rotary && form_.rotary->original == 0)  // s = L' / L (Peng et al. 2023, 2.3)
        form_.rotary->original = static_cast<double>(s.length) / form_.rotary->factor;
    if (range > 0 && s.reads == Reads::step_by_step)
        spread_ = std::make_shared<Numbering>(s.length, spread(s.length, range));
}

void Positions::require_readers(bool biases_do) const {
    require(
        form_.randomised == 0 || vectors_.defined() || form_.rotary || biases_do,
        "model.positions: nothing reads the numbers of randomised positions: type 'none', randomised {}, longest sequence {}; "
        "biases 'alibi', 'relative' and 't5' read them",
        form_.randomised, longest_);
}

Pass Positions::numbered(const Pass& pass, std::span<const int32_t> lengths, int64_t columns) const {
    if (form_.randomised == 0)
        return pass;
    if (!pass.training() && spread_ != nullptr)
        return numbered_to_continue(pass);
    Pass out = pass;
    Array<int32_t> numbers;
    const Draws draws = pass.draws(name_, 0);
    for (std::size_t row = 0; row < lengths.size(); ++row) {
        const int64_t n = lengths[row];
        Array<int32_t> own = pass.training() ? drawn(n, form_.randomised, stream_of_row(draws, static_cast<int64_t>(row)))
                                             : spread(n, form_.randomised);
        own.resize(static_cast<std::size_t>(columns), own.empty() ? 0 : own.back());  // nobody reads the padding's
        numbers.insert(numbers.end(), own.begin(), own.end());
    }
    out.numbering = std::make_shared<Numbering>(columns, std::move(numbers));
    return out;
}

Pass Positions::numbered_to_continue(const Pass& pass) const {
    Pass out = pass;
    out.numbering = spread_;
    return out;
}

Tensor Positions::operator()(const Tensor& x, int64_t first, const Pass& pass) const {
    if (!vectors_.defined())
        return x;
    const trace::Scope here(path_.c_str());
    const int64_t columns = x.dim(1);
    if (pass.numbering == nullptr)
        return add(x, vectors_.rows(first, first + columns));
    const Array<int32_t> numbers = pass.numbering->part(first, columns);
    const bool alike = pass.numbering->alike();
    return add(x, embedding(vectors_, numbers, alike ? Shape{columns} : Shape{x.dim(0), columns}));
}

}  // namespace attend::ATTEND_PRECISION
