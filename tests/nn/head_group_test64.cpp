/// What the heads of a layer do together, and the gate on what they read: against plain loops, against central differences,
/// and what must hold in every combination with the factors of attention.
#include "nn/attention/head_group.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/engine.h"
#include "core/ops.h"
#include "nn/models/rnn_seq2seq.h"
#include "tests/nn/combinations.h"
#include "tests/oracles/gradient_check.h"

namespace head_group_test64 {

using namespace attend;
using namespace attend::combinations;
using oracles::Verdict;

TEST_SUITE_BEGIN("algebra");

namespace {

using Walk = void (*)(const std::function<void(const HeadsCombination&)>&);

// x [2, 3, D] with its lengths, and the memory that it reads: itself, or another sequence.
struct Sample {
    Tensor x = oracles::uniform({2, 3, heads_width}, "x"), memory = oracles::uniform({2, 4, heads_memory}, "memory");
    Array<int32_t> own = {3, 2}, others = {4, 2};
};

Output run(const MultiHead& m, const HeadsCombination& c, const Sample& s, const Pass& pass) {
    return c.factors.kind.aligned_positions ? m(s.x, s.own, pass) : m(s.x, m.prepare(s.memory, s.others), 0, pass);
}

int64_t check_gradients_of(Walk walk) {
    int64_t checked = 0;
    walk([&](const HeadsCombination& c) {
        CAPTURE(c.text());
        ParameterStore store(11);
        std::unique_ptr<MultiHead> m;
        try {
            m = c.build(store);
        } catch (const Error& e) {
            CHECK(std::string(e.what()).starts_with("attention"));
            CHECK(!c.legal());
            return;
        }
        CHECK(c.legal());
        Context training;
        training.mode = Mode::train;
        oracles::GradientCheck check;
        check.store = &store;
        check.tolerance = 1e-5;
        check.step = 2e-6;  // the cosine of a short query bends much
        const bool self = c.factors.kind.aligned_positions;
        check.function = [&](oracles::Inputs in) {
            Sample s;
            s.x = in[0];
            if (!self)
                s.memory = in[1];
            const Output y = run(*m, c, s, Pass(training, Keep::choices));
            Array<Tensor> parts = {y.value.reshape({y.value.size()})};
            // What is chosen has no gradient in the scores: what it is chosen from has.
            for (const Seen& seen : y.seen) parts.push_back(seen.weights.reshape({seen.weights.size()}));
            return concat(std::span<const Tensor>(parts), 0);
        };
        oracles::GradientReport report;
        // A sparse alignment may choose one position everywhere, and then no score has a gradient: other inputs.
        for (int again = 0; again < 60 && (again == 0 || report.verdict == Verdict::all_zero); ++again) {
            const std::string name = std::to_string(again);
            check.inputs = {oracles::uniform({2, 3, heads_width}, "x " + name)};
            if (!self)
                check.inputs.push_back(oracles::uniform({2, 4, heads_memory}, "memory " + name));
            report = oracles::check_gradients(check);
        }
        CHECK_MESSAGE(report.verdict == Verdict::agrees, report.text());
        ++checked;
    });
    return checked;
}

double apart(const Tensor& a, const Tensor& b) {
    REQUIRE(a.shape() == b.shape());
    double worst = 0;
    for (int64_t i = 0; i < a.size(); ++i) {
        const double d = std::abs(a.data()[i] - b.data()[i]);
        worst = d <= worst ? worst : d;  // NaN counts
    }
    return worst;
}

struct Subject {
    ParameterStore store{11};
    const HeadsCombination& c;
    std::unique_ptr<MultiHead> m;
    Sample s;
    bool self = c.factors.kind.aligned_positions;
    std::unique_ptr<Window> window;

    explicit Subject(const HeadsCombination& combination) : c(combination), m(c.build(store)) {
        ParameterStore other(1);
        const AttentionOptions o = c.options();
        window = window_table().build(o.window, Scope(other, "window"), WindowSetup{heads_width / 4, o.width});
    }
};

// No position outside of the window or the length has a weight in any head's map.
void check_maps(const Subject& t) {
    const Output y = run(*t.m, t.c, t.s, Pass({}, Keep::maps));
    REQUIRE(y.seen.size() == 2);
    const Array<int32_t>& lengths = t.self ? t.s.own : t.s.others;
    for (const Seen& seen : y.seen) {
        const int64_t columns = seen.weights.dim(2);
        for (int64_t row = 0; row < 6; ++row)
            for (int64_t k = 0; k < columns; ++k)
                if (k >= lengths[static_cast<std::size_t>(row / 3)] || !t.window->sees(row % 3, k))
                    CHECK(seen.read.data()[row * columns + k] == 0);
    }
    CHECK(apart(y.value, run(*t.m, t.c, t.s, {}).value) <= 1e-12);
}

// What is padding moves nothing and gets no gradient; nor does, where the window is causal, what comes later: bit for bit.
void check_unseen(const Subject& t) {
    Sample other = t.s;
    const int64_t seen = t.self ? 1 : 2;  // positions that the first query of row 1 may see, where it may not see all
    if (t.self && !t.window->is_causal())
        return;
    Tensor& changed = t.self ? other.x : other.memory;
    const int64_t width = changed.dim(2), row = changed.dim(1) * width;
    changed = Tensor::of(changed.shape(), changed.values());
    for (int64_t i = seen * width; i < row; ++i) changed.writable()[row + i] += 3;
    const int64_t y_row = 3 * heads_width, compared = t.self ? heads_width : y_row;
    const Tensor a = run(*t.m, t.c, t.s, {}).value, b = run(*t.m, t.c, other, {}).value;
    for (int64_t i = 0; i < compared; ++i) CHECK(a.data()[y_row + i] == b.data()[y_row + i]);

    other = t.s;
    Tensor& watched = t.self ? other.x : other.memory;
    watched = watch(watched);
    const Tensor y = run(*t.m, t.c, other, {}).value;
    Tensor cotangent = Tensor::zeros(y.shape());
    for (int64_t i = 0; i < compared; ++i) cotangent.writable()[y_row + i] = static_cast<real>(1 + i % 3);
    Gradients found(t.store);
    backward({&y, 1}, {&cotangent, 1}, found);
    const Tensor dx = found.of(watched);
    for (int64_t i = seen * width; i < row; ++i) CHECK(dx.data()[row + i] == 0);
    bool any = false, reads = false;
    for (int64_t i = 0; i < seen * width; ++i) any = any || dx.data()[row + i] != 0;
    for (int64_t i = 0; i < compared; ++i) reads = reads || y.data()[y_row + i] != 0;
    CHECK(any == reads);  // a ReLU of scores may be 0 everywhere
}

// Further columns of padding, whatever they hold, change nothing of what stands within the lengths.
void check_padding(const Subject& t) {
    Sample more = t.s;
    const Tensor plain = run(*t.m, t.c, t.s, {}).value;
    if (t.self)
        more.x = concat({more.x, oracles::uniform({2, 2, heads_width}, "padding", 5, 9)}, 1);
    else
        more.memory = concat({more.memory, oracles::uniform({2, 2, heads_memory}, "padding", 5, 9)}, 1);
    const Tensor padded = slice(run(*t.m, t.c, more, {}).value, 1, 0, 3);
    for (int64_t r = 0; r < 2; ++r) {
        const int64_t n = t.s.own[static_cast<std::size_t>(r)];
        CHECK(apart(slice(plain.rows(r, r + 1), 1, 0, n), slice(padded.rows(r, r + 1), 1, 0, n)) <= 1e-12);
    }
}

// Positions one by one, with the keys and values of those before, give what all at once do.
void check_cached(const Subject& t) {
    const NoGrad off;
    if (t.self && !t.window->is_causal())
        return;
    const Array<int32_t> full = {3, 3};
    KeyValues past, memory;
    if (!t.self)
        memory = t.m->prepare(t.s.memory, t.s.others);
    const Tensor whole = t.self ? (*t.m)(t.s.x, full, {}).value : (*t.m)(t.s.x, memory, 0, {}).value;
    for (int64_t i = 0; i < 3; ++i) {
        const Tensor x = slice(t.s.x, 1, i, i + 1);
        const Tensor one = t.self ? t.m->extend(x, past, {}).value : (*t.m)(x, memory, i, {}).value;
        CHECK(apart(one, slice(whole, 1, i, i + 1)) <= 1e-12);
    }
}

int64_t check_all(Walk walk) {
    int64_t count = 0;
    walk([&](const HeadsCombination& c) {
        if (!c.legal())
            return;
        CAPTURE(c.text());
        const Subject t(c);
        check_maps(t);
        check_unseen(t);
        check_padding(t);
        check_cached(t);
        ++count;
    });
    return count;
}

// The reference: heads of K columns, softmax of scaled products with the slopes of alibi, causal, in plain loops.
using Numbers = std::vector<double>;

constexpr int64_t ref_heads = 2, ref_size = 8, ref_width = ref_heads * ref_size, ref_length = 5, ref_layer = 2;

struct Together {
    std::string gate = "none";
    bool talking = false, differential = false, alibi = false;
    double rotary = 0;
};

Numbers values(const ParameterStore& store, const std::string& name) {
    const Parameter* p = store.find("a." + name);
    REQUIRE(p != nullptr);
    return Numbers(store.data() + p->offset, store.data() + p->offset + p->shape.size());
}

// x W (+ b) of every position of x [T, in].
std::vector<Numbers> product(const std::vector<Numbers>& x, const Numbers& w, const Numbers& b = {}) {
    std::vector<Numbers> y;
    for (const Numbers& row : x) {
        const std::size_t out = w.size() / row.size();
        Numbers z(out);
        for (std::size_t j = 0; j < out; ++j) {
            z[j] = b.empty() ? 0 : b[j];
            for (std::size_t i = 0; i < row.size(); ++i) z[j] += row[i] * w[i * out + j];
        }
        y.push_back(z);
    }
    return y;
}

// Columns [begin, begin + size) of a position, turned by its angles.
Numbers part_of(const Numbers& x, int64_t begin, int64_t size, int64_t position, double base) {
    Numbers y(x.begin() + begin, x.begin() + begin + size);
    for (int64_t i = 0; base > 0 && i < size / 2; ++i) {
        const double angle =
            static_cast<double>(position) * std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(size));
        const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(i + size / 2);
        const double first = y[a], second = y[b];
        y[a] = first * std::cos(angle) - second * std::sin(angle);
        y[b] = first * std::sin(angle) + second * std::cos(angle);
    }
    return y;
}

double dot(const Numbers& a, const Numbers& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

// Maps [head][t][s] of parts of `size` columns, of which head h has part `part` of `parts`.
std::vector<std::vector<Numbers>> maps(const ParameterStore& store, const std::vector<Numbers>& qkv, const Together& o,
                                       int64_t part, int64_t parts) {
    const int64_t size = ref_size / parts;
    std::vector<std::vector<Numbers>> e(ref_heads), a(ref_heads);
    for (int64_t h = 0; h < ref_heads; ++h)
        for (int64_t t = 0; t < ref_length; ++t) {
            Numbers row;
            const Numbers q = part_of(qkv[static_cast<std::size_t>(t)], h * ref_size + part * size, size, t, o.rotary);
            for (int64_t s = 0; s <= t; ++s)
                row.push_back(dot(q, part_of(qkv[static_cast<std::size_t>(s)], ref_width + h * ref_size + part * size, size, s,
                                             o.rotary)) /
                              std::sqrt(static_cast<double>(size)));
            e[static_cast<std::size_t>(h)].push_back(row);
        }
    const auto mix = [&](std::vector<std::vector<Numbers>> x, const std::string& name) {
        const Numbers m = values(store, "talking." + name);
        std::vector<std::vector<Numbers>> y = x;
        for (std::size_t i = 0; i < ref_heads; ++i)
            for (std::size_t j = 0; j < ref_heads; ++j)
                for (std::size_t t = 0; t < ref_length; ++t)
                    for (std::size_t s = 0; s <= t; ++s) y[i][t][s] += m[i * ref_heads + j] * x[j][t][s];
        return y;
    };
    if (o.talking)
        e = mix(e, "scores");
    for (std::size_t h = 0; h < ref_heads; ++h)
        for (std::size_t t = 0; t < ref_length; ++t) {
            Numbers row = e[h][t];
            double sum = 0;
            for (std::size_t s = 0; s < row.size(); ++s) {
                if (o.alibi)  // slopes 2^(-8 h / H), h from 1 (Press et al. 2022)
                    row[s] -= std::pow(2.0, -8.0 * static_cast<double>(h + 1) / ref_heads) * static_cast<double>(t - s);
                row[s] = std::exp(row[s]);
                sum += row[s];
            }
            for (double& w : row) w /= sum;
            a[h].push_back(row);
        }
    return o.talking ? mix(a, "weights") : a;
}

Tensor expected(const ParameterStore& store, const Tensor& x, const Together& o) {
    std::vector<Numbers> rows, joined;
    for (int64_t t = 0; t < ref_length; ++t) rows.emplace_back(x.data() + t * ref_width, x.data() + (t + 1) * ref_width);
    const std::vector<Numbers> qkv = product(rows, values(store, "qkv.weight"), values(store, "qkv.bias"));
    auto a = maps(store, qkv, o, 0, o.differential ? 2 : 1);
    const double init = 0.8 - 0.6 * std::exp(-0.3 * ref_layer);  // of the third layer
    if (o.differential) {
        const auto of = [&](const char* name) { return values(store, std::string("differential.") + name); };
        const double lambda = std::exp(dot(of("query_1"), of("key_1"))) - std::exp(dot(of("query_2"), of("key_2"))) + init;
        const auto second = maps(store, qkv, o, 1, 2);
        for (std::size_t h = 0; h < ref_heads; ++h)
            for (std::size_t t = 0; t < ref_length; ++t)
                for (std::size_t s = 0; s <= t; ++s) a[h][t][s] -= lambda * second[h][t][s];
    }
    const Numbers gate = o.gate == "none" ? Numbers() : values(store, "gate.weight");
    const std::size_t each = o.gate == "headwise" ? ref_size : 1;  // columns that one number of the gate is for
    for (std::size_t t = 0; t < ref_length; ++t) {
        Numbers c;
        for (std::size_t h = 0; h < ref_heads; ++h) {
            Numbers head(ref_size);
            for (std::size_t s = 0; s <= t; ++s)
                for (std::size_t k = 0; k < ref_size; ++k) head[k] += a[h][t][s] * qkv[s][2 * ref_width + h * ref_size + k];
            const double root = std::sqrt(dot(head, head) / ref_size + 1e-5);
            for (const double v : head) c.push_back(o.differential ? (1 - init) * v / root : v);
        }
        if (!gate.empty()) {
            const Numbers g = product({rows[t]}, gate)[0];
            for (std::size_t k = 0; k < c.size(); ++k) c[k] /= 1 + std::exp(-g[k / each]);
        }
        joined.push_back(c);
    }
    const std::vector<Numbers> y = product(joined, values(store, "out.weight"), values(store, "out.bias"));
    Tensor all = Tensor::empty({1, ref_length, ref_width});
    for (int64_t i = 0; i < all.size(); ++i)
        all.writable()[i] = y[static_cast<std::size_t>(i / ref_width)][static_cast<std::size_t>(i % ref_width)];
    return all;
}

AttentionOptions options_of(const Together& t) {
    Selection choice = transformer_attention("causal");
    AttentionOptions o = factors_of(choice);
    o.gate = t.gate;
    o.talking = t.talking;
    o.differential = t.differential;
    if (t.alibi)
        o.bias.choose("alibi");
    return o;
}

BlockAttentionSetup reference_setup(double rotary) {
    BlockAttentionSetup s{.width = ref_width, .heads = ref_heads, .rotary_base = rotary, .init = {0.6}, .out_init = {0.6}};
    s.site.kind = SiteKind::self;
    s.site.layer = ref_layer;
    return s;
}

void push(ParameterStore& store) {
    Stream stream(3, "push");
    for (const Parameter& p : store.table())
        for (int64_t i = 0; i < p.shape.size(); ++i) store.values(p)[i] += stream.uniform(real{-0.5}, real{0.5});
}

}  // namespace

TEST_CASE("talking and differential heads and the gate compute what plain loops do") {
    const std::vector<Together> all = {{.gate = "elementwise", .rotary = 100},
                                       {.gate = "headwise"},
                                       {.talking = true},
                                       {.gate = "headwise", .talking = true, .alibi = true, .rotary = 10},
                                       {.differential = true},
                                       {.gate = "elementwise", .differential = true, .rotary = 10},
                                       {.differential = true, .alibi = true}};
    for (const Together& t : all) {
        CAPTURE(t.gate);
        CAPTURE(t.talking);
        CAPTURE(t.differential);
        ParameterStore store(5);
        const MultiHead m(Scope(store, "a"), options_of(t), reference_setup(t.rotary));
        push(store);
        const Tensor x = oracles::uniform({1, ref_length, ref_width}, "x");
        const Array<int32_t> lengths = {ref_length};
        CHECK(apart(m(x, lengths, {}).value, expected(store, x, t)) <= 1e-12);
    }
}

TEST_CASE("talking heads begin as heads that do not talk, and lambda near that of its layer") {
    ParameterStore plain_store(5), talking_store(5);
    MultiHead plain(Scope(plain_store, "a"), options_of({}), reference_setup(0));
    const MultiHead talking(Scope(talking_store, "a"), options_of({.talking = true}), reference_setup(0));
    plain.use_heads();
    const Tensor x = oracles::uniform({1, ref_length, ref_width}, "x");
    const Array<int32_t> lengths = {ref_length};
    CHECK(plain(x, lengths, {}).value.values() == talking(x, lengths, {}).value.values());

    // Query 0 sees one position: its weight is 1 - lambda.
    ParameterStore store(5);
    const MultiHead differential(Scope(store, "a"), options_of({.differential = true}), reference_setup(0));
    const Sightings seen = differential(x, lengths, Pass({}, Keep::maps)).seen;
    REQUIRE(seen.size() == ref_heads);
    const double lambda = 1 - seen[0].read.data()[0];
    CHECK(lambda == doctest::Approx(0.8 - 0.6 * std::exp(-0.3 * ref_layer)).epsilon(0.2));
    CHECK(seen[1].read.data()[0] == seen[0].read.data()[0]);
}

TEST_CASE(
    "a sample of combinations with talking heads, differential heads and gates has the gradients of central differences") {
    CHECK(check_gradients_of(for_each_of_heads_of_sample) >= 60);
}

TEST_CASE("a sample of combinations with talking heads, differential heads and gates: maps, masks, padding and decoding") {
    CHECK(check_all(for_each_of_heads_of_sample) >= 60);
}

// All of them: build/release/test_nn64 --no-skip --test-suite=algebra
TEST_CASE("every combination with talking heads, differential heads and gates has the gradients of central differences" *
          doctest::skip()) {
    const int64_t count = check_gradients_of(for_each_of_heads);
    MESSAGE(count << " combinations");
    CHECK(count >= 1000);
}

TEST_CASE("every combination with talking heads, differential heads and gates: maps, masks, padding and decoding" *
          doctest::skip()) {
    const int64_t count = check_all(for_each_of_heads);
    MESSAGE(count << " combinations");
    CHECK(count >= 1000);
}

TEST_CASE("what heads do together is refused, with the reason, where it makes no sense") {
    const auto message = [](auto change, double rotary = 0, int64_t heads = ref_heads) {
        std::vector<AttentionOptions> each(static_cast<std::size_t>(heads), options_of({}));
        change(each);
        BlockAttentionSetup setup = reference_setup(rotary);
        setup.heads = heads;
        ParameterStore store(1);
        try {
            const MultiHead m(Scope(store, "a"), each, setup);
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    using Each = std::vector<AttentionOptions>;
    CHECK(message([](Each&) {}) == "");
    CHECK(message([](Each& e) { e[1].gate = "headwise"; }) ==
          "a: all heads of a layer have one gate, and all or none are talking or differential: gate none and headwise, talking "
          "false and false, differential false and false");
    CHECK(message([](Each& e) { e[0].talking = true; }).starts_with("a: all heads of a layer have one gate"));
    CHECK(message([](Each& e) {
              for (AttentionOptions& o : e) o.talking = o.differential = true;
          }) ==
          "a: talking heads mix one map a head, and differential heads have two: talking true, differential true; no paper "
          "defines both together");
    CHECK(message([](Each& e) {
              for (AttentionOptions& o : e) o.talking = true;
              e[1].align.choose("sparsemax");
          }).starts_with("a.talking: talking heads have the same factors: head 1 has "));
    CHECK(message([](Each& e) {
              for (AttentionOptions& o : e) {
                  o.differential = true;
                  o.select.choose("hard");
              }
          }) == "a: select 'hard' draws from the weights, and those of differential heads are no distribution: heads 2");
    const auto differential = [](Each& e) {
        for (AttentionOptions& o : e) o.differential = true;
    };
    CHECK(message(differential, 0, 16) ==
          "a: differential attention compares halves of queries and keys, so the head size must be even: head size 1");
    CHECK(message(differential, 100, 8) ==
          "a: rotary positions rotate pairs of elements, so the head size must be a multiple of 4 where attention is "
          "differential and "
          "halves are rotated: head size 2 (width 16 / heads 8)");

    // A recurrent decoder has no heads.
    RnnSeq2SeqOptions o;
    factors_of(o.attention).talking = true;
    ParameterStore store(1);
    CHECK_THROWS_WITH_AS(RnnSeq2Seq(o, Scope(store), {6, 6}),
                         "attention: gate, talking and differential are parts of the multi-head attention of transformer "
                         "blocks, and a recurrent decoder's attention has one head without projections of its own: gate none, "
                         "talking true, differential false",
                         Error);
}

TEST_SUITE_END();

}  // namespace head_group_test64
