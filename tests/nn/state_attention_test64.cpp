/// Attention by a state (the linear family), and none at all. Transformers of these kinds are in gpt_forms.h and
/// transformer_forms.h: their gradients, causality and decoding are tested with the others.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "core/ops.h"
#include "nn/models/rnn_seq2seq.h"
#include "tests/nn/transformer_forms.h"

namespace state_attention_test64 {

using namespace attend;
using testing::gpt_vocabulary;
using testing::random_text;
using testing::state_attentions;

TEST_SUITE_BEGIN("state attention");

namespace {

std::unique_ptr<AttentionKind> kind_of(const std::string& name) {
    return attention_table().build(Selection(attention_table(), name));
}

// Every kind but the one with weights.
std::vector<std::string> kinds() {
    std::vector<std::string> all = state_attentions();
    all.emplace_back("none");
    return all;
}

constexpr int64_t width = 8, heads = 4, states = 2, head_size = width / heads, memory_width = 5;

BlockAttentionSetup setup_of(SiteKind kind) {
    BlockAttentionSetup s{.width = width, .heads = heads, .key_heads = states, .init = {0.6}, .out_init = {0.6}};
    s.site.kind = kind;
    s.memory = kind == SiteKind::cross ? memory_width : 0;
    return s;
}

// No parameter is left at a special value.
void push(ParameterStore& store) {
    Stream stream(3, "push");
    for (const Parameter& p : store.table())
        for (int64_t i = 0; i < p.shape.size(); ++i) store.values(p)[i] += stream.uniform(real{-0.3}, real{0.3});
}

struct Block {
    ParameterStore store{5};
    std::unique_ptr<BlockAttention> attention;
    Block(const std::string& name, SiteKind kind) : attention(kind_of(name)->in_block(Scope(store, "a"), setup_of(kind), {})) {
        push(store);
    }
};

double apart(const Tensor& a, const Tensor& b) {
    REQUIRE(a.shape() == b.shape());
    double worst = 0;
    for (int64_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a.data()[i] - b.data()[i]));
    return worst;
}

using Numbers = std::vector<double>;

// x W + b of one position, or nothing where there is no such layer.
Numbers layer(const ParameterStore& store, const std::string& name, const real* x) {
    const Parameter *w = store.find(name + ".weight"), *b = store.find(name + ".bias");
    if (w == nullptr)
        return {};
    Numbers y(static_cast<std::size_t>(w->shape[1]));
    for (int64_t j = 0; j < w->shape[1]; ++j) {
        double sum = b == nullptr ? 0 : store.tensor(*b).data()[j];
        for (int64_t i = 0; i < w->shape[0]; ++i) sum += x[i] * store.tensor(*w).data()[i * w->shape[1] + j];
        y[static_cast<std::size_t>(j)] = sum;
    }
    return y;
}

Numbers part(const Numbers& x, int64_t begin, int64_t size) { return {x.begin() + begin, x.begin() + begin + size}; }
double dot(const Numbers& a, const Numbers& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}
double gate(double x) { return 1 / (1 + std::exp(-x)); }

enum class Of { query, key };
Numbers features(const std::string& kind, Of of, Numbers x) {
    const double size = static_cast<double>(x.size());
    for (double& e : x)
        e = kind == "linear"      ? (e > 0 ? e + 1 : std::exp(e))
            : kind == "retention" ? (of == Of::query ? e / std::sqrt(size) : e)
                                  : e * gate(e);
    if (kind == "delta" || kind == "gated_delta") {
        const double length = std::sqrt(dot(x, x) + 1e-6);
        for (double& e : x) e /= length;
    }
    return x;
}

// The state of one head as its kind defines it, number by number.
struct State {
    std::string kind;
    std::vector<Numbers> s;  // Kv rows
    Numbers z;
    State(std::string name, int64_t kv, int64_t kk)
        : kind(std::move(name)),
          s(static_cast<std::size_t>(kv), Numbers(static_cast<std::size_t>(kk))),
          z(static_cast<std::size_t>(kk)) {}
    void write(const Numbers& key, const Numbers& v, double alpha, double beta, int64_t head) {
        const Numbers k = features(kind, Of::key, key);
        const bool replaces = kind == "delta" || kind == "gated_delta";
        alpha = kind == "gated_delta" ? alpha : kind == "retention" ? 1 - std::pow(2.0, -5.0 - static_cast<double>(head)) : 1;
        for (std::size_t i = 0; i < s.size(); ++i) {
            const double found = dot(s[i], k);
            for (std::size_t j = 0; j < k.size(); ++j)
                s[i][j] =
                    replaces ? alpha * (s[i][j] - beta * found * k[j]) + beta * v[i] * k[j] : alpha * s[i][j] + v[i] * k[j];
        }
        for (std::size_t j = 0; j < k.size(); ++j) z[j] += k[j];
    }
    Numbers read(const Numbers& query) const {
        const Numbers q = features(kind, Of::query, query);
        Numbers o;
        for (const Numbers& row : s) o.push_back(dot(row, q) / (kind == "linear" ? dot(z, q) : 1));
        if (kind == "retention" || kind == "gated_delta") {
            const double size = std::sqrt(dot(o, o) / static_cast<double>(o.size()) + 1e-5);
            for (double& e : o) e /= size;
        }
        return o;
    }
};

// A block's output [1, T, D] for x [1, T, D], reading `memory` [1, S, Dm], or itself up to each position where causal.
Tensor expected(const std::string& kind, const ParameterStore& store, const Tensor& x, const Tensor& memory, bool causal) {
    const bool self = memory.data() == x.data();
    const int64_t k = head_size, before = self ? heads * k : 0;
    Tensor y = Tensor::empty({1, x.dim(1), width});
    std::vector<State> all(static_cast<std::size_t>(states), State(kind, k, k));
    const auto write = [&](int64_t s) {
        const real* row = memory.data() + s * memory.dim(2);
        const Numbers kv = layer(store, self ? "a.qkv" : "a.key_value", row), a = layer(store, "a.alpha", row),
                      b = layer(store, "a.beta", row);
        for (int64_t g = 0; g < states; ++g) {
            const auto at = static_cast<std::size_t>(g);
            all[at].write(part(kv, before + g * k, k), part(kv, before + (states + g) * k, k), a.empty() ? 1 : gate(a[at]),
                          b.empty() ? 1 : gate(b[at]), g);
        }
    };
    for (int64_t s = 0; s < memory.dim(1) && !causal; ++s) write(s);
    for (int64_t t = 0; t < x.dim(1); ++t) {
        if (causal)
            write(t);
        const Numbers q = layer(store, self ? "a.qkv" : "a.query", x.data() + t * width);
        Numbers joined;
        for (int64_t h = 0; h < heads; ++h) {
            const Numbers o = all[static_cast<std::size_t>(h / (heads / states))].read(part(q, h * k, k));
            joined.insert(joined.end(), o.begin(), o.end());
        }
        const Numbers out = layer(store, "a.out", joined.data());
        std::copy(out.begin(), out.end(), y.writable() + t * width);
    }
    return y;
}

}  // namespace

TEST_CASE("every kind with a state is its formula: in a decoder, in an encoder, across and to a source") {
    const Tensor x = oracles::uniform({1, 6, width}, "x"), memory = oracles::uniform({1, 4, memory_width}, "memory");
    const Array<int32_t> six = {6}, four = {4};
    for (const std::string& kind : state_attentions()) {
        CAPTURE(kind);
        const Block self(kind, SiteKind::self), encoder(kind, SiteKind::encoder), cross(kind, SiteKind::cross);
        CHECK(apart((*self.attention)(x, six, {}).value, expected(kind, self.store, x, x, true)) < 1e-12);
        CHECK(apart((*encoder.attention)(x, six, {}).value, expected(kind, encoder.store, x, x, false)) < 1e-12);
        CHECK(apart((*cross.attention)(x, cross.attention->prepare(memory, four), 0, {}).value,
                    expected(kind, cross.store, x, memory, false)) < 1e-12);

        ParameterStore store(5);
        const auto source = kind_of(kind)->to_source(Scope(store, "a"), {.query = width, .memory = memory_width, .kind = {}});
        push(store);
        CHECK(source->sites().empty());
        const Tensor context = (*source)(x, source->prepare(memory, four), 0, {}, {}).context;
        State state(kind, memory_width, width);
        for (int64_t s = 0; s < 4; ++s) {
            const real* m = memory.data() + s * memory_width;
            const Numbers a = layer(store, "a.alpha", m), b = layer(store, "a.beta", m);
            state.write(layer(store, "a.key", m), {m, m + memory_width}, a.empty() ? 1 : gate(a[0]), b.empty() ? 1 : gate(b[0]),
                        0);
        }
        for (int64_t t = 0; t < 6; ++t) {
            const Numbers c = state.read(layer(store, "a.query", x.data() + t * width));
            for (int64_t i = 0; i < memory_width; ++i)
                CHECK(std::abs(context.data()[t * memory_width + i] - c[static_cast<std::size_t>(i)]) < 1e-12);
        }
    }
}

TEST_CASE("attention without weights: later positions change no bit, and padding nothing, also across chunks") {
    constexpr int64_t steps = 70;
    const Tensor x = oracles::uniform({2, steps, width}, "x");
    const Array<int32_t> lengths = {70, 30}, thirty = {30};
    for (const std::string& kind : kinds()) {
        CAPTURE(kind);
        for (const SiteKind site : {SiteKind::self, SiteKind::encoder}) {
            const Block block(kind, site);
            const Tensor y = (*block.attention)(x, lengths, {}).value;
            for (const int64_t changed : {1, 63, 64, 69}) {
                if (site == SiteKind::encoder)
                    continue;
                Tensor other = Tensor::of(x.shape(), x.values());
                for (int64_t i = changed * width; i < steps * width; ++i) other.writable()[i] = 2 - 3 * other.data()[i];
                const Tensor z = (*block.attention)(other, lengths, {}).value;
                CHECK(std::memcmp(y.data(), z.data(), static_cast<std::size_t>(changed * width) * sizeof(real)) == 0);
                CHECK((z.data()[changed * width] != y.data()[changed * width]) == (kind != "none"));
            }
            Tensor padded = Tensor::of(x.shape(), x.values());
            for (int64_t i = (steps + 30) * width; i < 2 * steps * width; ++i) padded.writable()[i] = 100;
            const Tensor z = (*block.attention)(padded, lengths, {}).value;
            CHECK(std::memcmp(y.data(), z.data(), static_cast<std::size_t>((steps + 30) * width) * sizeof(real)) == 0);
            const Tensor alone = (*block.attention)(slice(x.rows(1, 2), 1, 0, 30), thirty, {}).value;
            CHECK(apart(alone, slice(y.rows(1, 2), 1, 0, 30)) < 1e-12);
        }
        if (kind == "none")
            continue;
        const Block cross(kind, SiteKind::cross);
        const Tensor memory = oracles::uniform({2, steps, memory_width}, "memory");
        Tensor padded = Tensor::of(memory.shape(), memory.values());
        for (int64_t i = (steps + 30) * memory_width; i < padded.size(); ++i) padded.writable()[i] = 100;
        const Tensor a = (*cross.attention)(x, cross.attention->prepare(memory, lengths), 0, {}).value;
        CHECK(apart(a, (*cross.attention)(x, cross.attention->prepare(padded, lengths), 0, {}).value) == 0);
    }
}

TEST_CASE("attention without weights: parts continue each other in any order of rows, and keep a state of one size") {
    constexpr int64_t steps = 70;
    const Tensor x = oracles::uniform({2, steps, width}, "x");
    const Array<int32_t> lengths = {70, 70};
    for (const std::string& kind : kinds()) {
        CAPTURE(kind);
        const Block block(kind, SiteKind::self);
        const Tensor whole = (*block.attention)(x, lengths, {}).value;
        KeyValues past;
        int64_t at = 0;
        for (const int64_t n : {1, 62, 1, 1, 5}) {
            const Tensor part = block.attention->extend(slice(x, 1, at, at + n), past, {}).value;
            CHECK(apart(part, slice(whole, 1, at, at + n)) < 1e-12);
            at += n;
            CHECK(past.positions == at);
            CHECK_FALSE(past.packed.defined());
            CHECK_FALSE(past.places.defined());
            CHECK(past.state.defined() == (kind != "none"));
            if (past.state.defined())
                CHECK(past.state.shape() == Shape{2, states, head_size + (kind == "linear" ? 1 : 0), head_size});
            const std::vector<int32_t> order = {1, 0, 1}, back = {1, 2};
            past = past.select(order).select(back);
        }
        CHECK(at == steps);
    }
}

namespace {
RnnSeq2SeqOptions recurrent_form(const std::string& kind, const std::string& form) {
    RnnSeq2SeqOptions o;
    o.form = form.substr(0, form.find(' '));
    o.input_feeding = form == "luong with feeding";
    o.bidirectional = kind != "none";  // its last state is that of one direction
    o.attention.choose(kind);
    return o;
}
}  // namespace

TEST_CASE("attention without weights has the gradients of central differences in every form of the recurrent model") {
    for (const std::string& kind : kinds())
        for (const std::string form : {"bahdanau", "luong", "luong with feeding"}) {
            CAPTURE(kind);
            CAPTURE(form);
            RnnSeq2SeqOptions o = recurrent_form(kind, form);
            o.embedding = 2;
            o.hidden = 4;
            o.encoder_hidden = kind == "none" ? 4 : 2;
            o.dropout = 0.1;
            ParameterStore store(5);
            const RnnSeq2Seq model(o, Scope(store), {gpt_vocabulary, gpt_vocabulary});
            const Ids source = random_text({3, 2}, 3, "source"), input = random_text({2, 2}, 2, "input"),
                      target = random_text({2, 2}, 2, "target");
            LossOptions loss;
            loss.normaliser = 4;
            Context context;
            context.mode = Mode::train;
            context.seed = 3;
            oracles::GradientCheck check;
            check.store = &store;
            check.tolerance = 1e-5;
            check.function = [&](oracles::Inputs) { return model.score({source, input, target}, loss, context).loss; };
            const oracles::GradientReport report = oracles::check_gradients(check);
            CHECK_MESSAGE(report.verdict == oracles::Verdict::agrees, report.text());
        }
}

TEST_CASE("attention without weights: the recurrent model decodes as it scores, rows picked, and padding changes nothing") {
    for (const std::string& kind : kinds())
        for (const std::string form : {"bahdanau", "luong", "luong with feeding"}) {
            CAPTURE(kind);
            CAPTURE(form);
            RnnSeq2SeqOptions o = recurrent_form(kind, form);
            o.embedding = 5;
            o.hidden = 8;
            ParameterStore store(5);
            const RnnSeq2Seq model(o, Scope(store), {gpt_vocabulary, gpt_vocabulary});
            const Ids source = random_text({3, 6}, 6, "source"), input = random_text({4, 4}, 4, "input"),
                      target = random_text({4, 4}, 4, "target");
            const Tensor whole = model.score({source, input, target}, {}, Context{}).target_loss;
            auto state = model.start(source, Pass{});
            for (int64_t t = 0; t < 4; ++t) {
                const std::vector<int32_t> ids = {input.at(0, t), input.at(1, t)};
                const Tensor log_p = log_softmax(model.advance(*state, ids, Pass{}).logits);
                for (int64_t r = 0; r < 2; ++r)
                    CHECK(std::abs(log_p.data()[r * gpt_vocabulary + target.at(r, t)] + whole.data()[r * 4 + t]) < 1e-12);
                const std::vector<int32_t> order = {1, 0, 1}, back = {1, 2};
                state = state->select(order)->select(back);
            }
            Ids padded(2, 8);
            padded.lengths = source.lengths;
            padded.values.assign(padded.values.size(), 3);
            for (int64_t r = 0; r < 2; ++r)
                for (int64_t s = 0; s < source.length(r); ++s) padded.at(r, s) = source.at(r, s);
            CHECK(apart(model.score({padded, input, target}, {}, Context{}).target_loss, whole) < 1e-13);
        }
}

TEST_CASE("a transformer without attention inside has the gradients of central differences, and no weights") {
    TransformerSeq2SeqOptions o = testing::transformer_forms().front().options;
    o.blocks.layers = 1;
    o.encoder_attention = o.attention = Pattern(attention_table(), "none");
    ParameterStore store(5);
    const TransformerSeq2Seq model(o, Scope(store), {gpt_vocabulary, gpt_vocabulary});
    CHECK(model.sites().size() == 2);  // the heads of the cross-attention
    const Ids source = random_text({4, 2}, 4, "source"), input = random_text({3, 2}, 3, "input"),
              target = random_text({3, 2}, 3, "target");
    LossOptions loss;
    loss.normaliser = 5;
    oracles::GradientCheck check;
    check.store = &store;
    check.tolerance = 1e-5;
    check.function = [&](oracles::Inputs) { return model.score({source, input, target}, loss, Context{}).loss; };
    const oracles::GradientReport report = oracles::check_gradients(check);
    CHECK_MESSAGE(report.verdict == oracles::Verdict::agrees, report.text());
}

TEST_CASE("what attention without weights cannot be is refused with the reason") {
    const auto message = [](const std::string& kind, auto change) {
        BlockAttentionSetup setup = setup_of(SiteKind::self);
        change(setup);
        ParameterStore store(1);
        try {
            kind_of(kind)->in_block(Scope(store, "a"), setup, {});
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    for (const std::string& kind : state_attentions()) {
        CHECK(message(kind, [](auto& s) { s.rotary_base = 100; }) ==
              "a: attention '" + kind +
                  "' has no rotary positions, since it takes queries and keys through features of its own: rotary_base 100, "
                  "width 8; other positions go with it");
        CHECK(message(kind, [](auto& s) { s.heads = 3; }) == "a: the number of heads must divide the width: width 8, heads 3");
        CHECK(message(kind, [](auto& s) { s.key_heads = 3; }) ==
              "a: the number of key-value heads must divide the number of heads: heads 4, key_heads 3");
        CHECK(message(kind, [](auto& s) { s.memory = 5; }).empty());
        const Block block(kind, SiteKind::self);
        CHECK(block.attention->sites().empty());
        CHECK(block.attention->hard().empty());
    }
    CHECK(message("none", [](auto& s) {
              s.memory = 5;
          }).starts_with("a: attention 'none' would leave the decoder without its source: memory width 5"));
}

TEST_SUITE_END();

}  // namespace state_attention_test64
