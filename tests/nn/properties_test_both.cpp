/// What must hold for every attention and every form of the encoder-decoder, whatever its weights.
/// More of it, for every model: tests/train/prove_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/ops.h"
#include "nn/models/rnn_seq2seq.h"

namespace properties_test_both {

using namespace attend;

TEST_SUITE_BEGIN("properties");

namespace {

constexpr int64_t vocabulary = 13;

struct Form {
    const char* name;
    RnnSeq2SeqOptions options;
};

std::vector<Form> forms() {
    std::vector<Form> all;
    for (const std::string& cell : cell_names())
        for (const char* form : {"bahdanau", "luong", "luong with feeding"}) {
            RnnSeq2SeqOptions o;
            o.cell = cell;
            o.form = std::string(form).substr(0, std::string(form).find(' '));
            o.input_feeding = std::string(form) == "luong with feeding";
            o.embedding = 5;
            o.hidden = 8;
            o.decoder_layers = o.input_feeding ? 2 : 1;
            o.encoder_layers = o.form == "luong" ? 2 : 1;
            all.push_back({form, o});
        }
    return all;
}

Ids random_ids(Stream& stream, std::initializer_list<int32_t> lengths, int64_t columns) {
    Ids ids(static_cast<int64_t>(lengths.size()), columns);
    int64_t row = 0;
    for (const int32_t n : lengths) {
        ids.lengths[static_cast<std::size_t>(row)] = n;
        for (int64_t t = 0; t < n; ++t) ids.at(row, t) = static_cast<int32_t>(4 + stream.below(vocabulary - 4));
        ++row;
    }
    return ids;
}

struct Sample {
    Ids source, input, target;
};
Sample sample() {
    Stream stream(7, "sample");
    return {random_ids(stream, {7, 3, 5}, 7), random_ids(stream, {4, 6, 2}, 6), random_ids(stream, {4, 6, 2}, 6)};
}

Tensor losses(const RnnSeq2Seq& model, const Sample& s, const Context& context = {}) {
    return model.score({s.source, s.input, s.target}, LossOptions{}, context).target_loss;
}

// Largest difference over the positions both have.
double difference(const Tensor& a, const Tensor& b) {
    double worst = 0;
    for (int64_t row = 0; row < std::min(a.dim(0), b.dim(0)); ++row)
        for (int64_t t = 0; t < std::min(a.dim(1), b.dim(1)); ++t)
            worst = std::max(worst, std::abs(static_cast<double>(a.data()[row * a.dim(1) + t] - b.data()[row * b.dim(1) + t])));
    return worst;
}

const double rounding = sizeof(real) == 4 ? 2e-6 : 1e-14;

}  // namespace

TEST_CASE("the name of a cell leads to its kind, and its gates are as wide as its formulas need") {
    const std::pair<CellKind, int64_t> gates[] = {{CellKind::gru, 3}, {CellKind::lstm, 4}, {CellKind::rnn, 1}};
    REQUIRE(cell_names() == std::vector<std::string>{"gru", "lstm", "rnn"});
    for (std::size_t i = 0; i < 3; ++i) {
        const CellKind kind = cell_kind(cell_names()[i]);
        CHECK(kind == gates[i].first);
        ParameterStore store(1);
        const RecurrentLayer layer(Scope(store, "layer"), kind, 2, 5);
        CHECK(layer.recurrent_weight.shape() == Shape{5, gates[i].second * 5});
        CHECK(layer.zeros(3).c.defined() == (kind == CellKind::lstm));
    }
    CHECK_THROWS_WITH_AS(cell_kind("elman"), "cell: unknown name 'elman'; known: gru, lstm, rnn", Error);
}

TEST_CASE("decoding step by step gives the losses of the whole pass, also after rows were picked") {
    for (const Form& f : forms()) {
        CAPTURE(f.name);
        CAPTURE(f.options.cell);
        ParameterStore store(3);
        const RnnSeq2Seq model(f.options, Scope(store), {vocabulary, vocabulary});
        const Sample s = sample();
        const Tensor whole = losses(model, s);
        const Context context;
        auto state = model.start(s.source, context);
        Array<int32_t> rows = {0, 1, 2};
        for (int64_t t = 0; t < s.input.columns; ++t) {
            if (t == 2) {  // reorder; the short last row is done
                rows = {1, 0};
                state = state->select(rows);
            }
            Array<int32_t> ids;
            for (const int32_t r : rows) ids.push_back(s.input.at(r, t));
            const Tensor log_p = log_softmax(model.advance(*state, ids, context).logits);
            for (std::size_t i = 0; i < rows.size(); ++i)
                if (t < s.target.length(rows[i])) {
                    const real step = -log_p.data()[static_cast<int64_t>(i) * vocabulary + s.target.at(rows[i], t)];
                    CHECK(step == doctest::Approx(whole.data()[rows[i] * s.input.columns + t]).epsilon(rounding * 5));
                }
        }
    }
}

TEST_CASE("a shard's dropout is that of its rows in the whole batch") {
    for (const Form& f : forms()) {
        CAPTURE(f.name);
        RnnSeq2SeqOptions o = f.options;
        o.dropout = 0.4;
        ParameterStore store(3);
        const RnnSeq2Seq model(o, Scope(store), {vocabulary, vocabulary});
        const Sample s = sample();
        Context context;
        context.mode = Mode::train;
        context.seed = 5;
        const Tensor whole = losses(model, s, context);
        CHECK(difference(whole, losses(model, s)) > 1e-3);  // it does drop
        context.first_row = 1;
        const Tensor shard = losses(model, {s.source.slice(1, 3), s.input.slice(1, 3), s.target.slice(1, 3)}, context);
        CHECK(difference(whole.rows(1, 3), shard) < rounding);
        context.step = 1;
        CHECK(difference(whole.rows(1, 3),
                         losses(model, {s.source.slice(1, 3), s.input.slice(1, 3), s.target.slice(1, 3)}, context)) > 1e-3);
    }
}

TEST_CASE("global attention does not see the order of the source: permuted memory, same context, permuted weights") {
    Stream stream(1, "permutation");
    const auto random = [&](const Shape& shape) {
        Tensor x = Tensor::empty(shape);
        for (int64_t i = 0; i < x.size(); ++i) x.writable()[i] = stream.uniform(real{-1}, real{1});
        return x;
    };
    const Tensor query = random({1, 2, 6}), memory = random({1, 4, 6});
    const int32_t order[] = {2, 0, 3, 1};
    const Tensor permuted = embedding(memory.reshape({4, 6}), order, {1, 4});
    const int32_t lengths[] = {4};
    for (const std::string& score : score_table().names())
        for (const std::string& align : align_table().names()) {
            CAPTURE(score);
            CAPTURE(align);
            AttentionOptions o;
            o.score.choose(score);
            o.align.choose(align);
            ParameterStore store(1);
            const Attention attention(Scope(store), o, 6, 6, QueryKind{false, false});
            if (attention.score->reads_places() || attention.align->needs_previous())
                continue;
            const Attended a = attention(query, attention.prepare(memory, lengths), 0, {}, {});
            const Attended b = attention(query, attention.prepare(permuted, lengths), 0, {}, {});
            CHECK(difference(a.context.reshape({2, 6}), b.context.reshape({2, 6})) < rounding);
            for (int64_t t = 0; t < 2; ++t)
                for (int64_t s = 0; s < 4; ++s)
                    CHECK(b.next.weights.data()[t * 4 + s] ==
                          doctest::Approx(a.next.weights.data()[t * 4 + order[s]]).epsilon(rounding * 50));
        }
}

TEST_CASE("attention maps are collected in evaluation only, and looking changes no bit") {
    for (const Form& f : forms()) {
        CAPTURE(f.name);
        ParameterStore store(3);
        const RnnSeq2Seq model(f.options, Scope(store), {vocabulary, vocabulary});
        Pass pass({}, Keep::maps);
        const Sample all = sample();
        const Scored looked = model.score({all.source, all.input, all.target}, {}, pass);
        const Tensor plain = losses(model, sample());
        CHECK(std::equal(plain.data(), plain.data() + plain.size(), looked.target_loss.data()));
        int64_t queries = 0;
        for (const Seen& m : looked.seen) {
            CHECK(site_of(model.sites(), m).path == "attention");
            CHECK(m.weights.dim(0) == 3);
            CHECK(m.weights.dim(2) == 7);
            queries += m.weights.dim(1);
            for (int64_t row = 0; row < m.weights.shape().rows(); ++row) {
                double sum = 0;
                for (int64_t s = 0; s < 7; ++s) sum += static_cast<double>(m.weights.data()[row * 7 + s]);
                CHECK(sum == doctest::Approx(1).epsilon(1e-5));
            }
        }
        CHECK(queries == 6);
        pass.mode = Mode::train;
        CHECK(model.score({all.source, all.input, all.target}, {}, pass).seen.empty());
    }
}

TEST_CASE("what makes no sense is refused, saying why") {
    ParameterStore store(1);
    const auto build = [&](const RnnSeq2SeqOptions& o, ModelSetup setup = {vocabulary, vocabulary}) {
        static int number = 0;
        RnnSeq2Seq(o, Scope(store, "m" + std::to_string(number++)), setup);
    };
    RnnSeq2SeqOptions o;
    CHECK_THROWS_WITH_AS(build(o, {0, 5}),
                         "model rnn_seq2seq: needs a task with a source: source vocabulary 0, target vocabulary 5", Error);
    o.input_feeding = true;
    CHECK_THROWS_WITH_AS(
        build(o), "model rnn_seq2seq: input_feeding belongs to form 'luong': input_feeding true, form 'bahdanau'", Error);
    o = {};
    factors_of(o.attention).score.choose("dot");
    CHECK_THROWS_AS(build(o), Error);
    o.encoder_hidden = o.hidden / 2;
    CHECK_NOTHROW(build(o));
    o = {};
    factors_of(o.attention).window.choose("causal");
    CHECK_THROWS_AS(build(o), Error);
}

TEST_SUITE_END();

}  // namespace properties_test_both
