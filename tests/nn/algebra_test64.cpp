/// Every legal combination of the attention algebra, and every form of the encoder-decoder, against
/// central differences. The combinations are read from the tables: a new row is tested without a
/// word here.
#include <doctest/doctest.h>

#include <cmath>

#include "core/ops.h"
#include "nn/models/rnn_seq2seq.h"
#include "tests/oracles/gradient_check.h"

namespace algebra_test64 {

using namespace attend;
using oracles::Verdict;

TEST_SUITE_BEGIN("algebra");

namespace {

constexpr int64_t width = 6, sources = 5, queries = 2;

struct Combination {
    std::string score, bias, window, align, select;
    QueryKind kind;
    std::string text() const {
        return score + " + " + bias + " + " + window + " + " + align + " + " + select +
               (kind.parallel ? ", parallel" : ", step by step") + (kind.aligned_positions ? ", own positions" : "");
    }
};

template <class F>
void for_each_combination(F&& f) {
    for (const std::string& score : score_table().names())
        for (const std::string& bias : bias_table().names())
            for (const std::string& window : window_table().names())
                for (const std::string& align : align_table().names())
                    for (const std::string& select : select_table().names())
                        for (const QueryKind kind : {QueryKind{true, true}, QueryKind{true, false}, QueryKind{false, false}})
                            f(Combination{score, bias, window, align, select, kind});
}

AttentionOptions options(const Combination& c) {
    AttentionOptions o;
    o.score.choose(c.score);
    o.bias.choose(c.bias);
    o.window.choose(c.window);
    o.align.choose(c.align);
    o.select.choose(c.select);
    o.width = 4;
    return o;
}

// The declarations of the factors, each built by itself, decide what is legal; building the whole
// must agree with them.
bool legal(const Combination& c) {
    const AttentionOptions o = options(c);
    ParameterStore store(1);
    const auto score = score_table().build(o.score, Scope(store, "score"), ScoreSetup{width, width, o.width});
    const auto bias = bias_table().build(o.bias, Scope(store, "bias"), BiasSetup{width, 0, 1});
    const auto window = window_table().build(o.window);
    const auto align = align_table().build(o.align);
    const auto select = select_table().build(o.select, Scope(store, "select"));
    return !(c.kind.parallel && score->needs_previous()) &&
           (c.kind.aligned_positions || !(window->needs_position() || bias->needs_position())) &&
           ((align->is_distribution() && !window->after_align()) || select->hard() == nullptr);
}

}  // namespace

TEST_CASE("every legal combination has the gradients of central differences") {
    int checked = 0, refused = 0;
    for_each_combination([&](const Combination& c) {
        CAPTURE(c.text());
        ParameterStore store(11);
        Attention attention;
        try {
            attention = Attention(Scope(store, "attention"), options(c), width, width, c.kind);
        } catch (const Error& e) {
            CHECK(std::string(e.what()).starts_with("attention: "));
            CHECK(!legal(c));
            ++refused;
            return;
        }
        CHECK(legal(c));
        oracles::GradientCheck check;
        const int64_t t = c.kind.parallel ? queries : 1;
        check.inputs = {oracles::uniform({3, t, width}, "query"), oracles::uniform({3, sources, width}, "memory")};
        check.store = &store;
        const Array<int32_t> lengths = {5, 3, 1};
        check.function = [&](oracles::Inputs x) {
            const Attendable source = attention.prepare(x[1], lengths);
            const Attended a = attention(x[0], source, c.kind.aligned_positions ? 2 : 0, {}, Pass({}, Keep::choices));
            if (a.seen.empty())
                return a.context;
            // What is chosen has a gradient in the memory alone, what it is chosen from in all
            // else.
            const Tensor& w = a.seen.front().weights;
            return concat({a.context.reshape({a.context.size()}), w.reshape({w.size()})}, 0);
        };
        const oracles::GradientReport report = oracles::check_gradients(check);
        CHECK_MESSAGE(report.verdict == Verdict::agrees, report.text());
        ++checked;
    });
    CHECK(checked >= 20);
    CHECK(refused >= 1);
}

TEST_CASE("a fully masked row reads a zero context, with zero gradients and nothing that is not finite") {
    for_each_combination([&](const Combination& c) {
        if (!c.kind.aligned_positions)
            return;
        CAPTURE(c.text());
        ParameterStore store(11);
        const Attention attention(Scope(store, "attention"), options(c), width, width, c.kind);
        const Tensor query = watch(oracles::uniform({2, queries, width}, "query"));
        const Tensor memory = watch(oracles::uniform({2, sources, width}, "memory"));
        const Array<int32_t> lengths = {0, 4};
        const Attended a = attention(query, attention.prepare(memory, lengths), 1, {}, Context{});
        for (int64_t i = 0; i < queries * width; ++i) CHECK(a.context.data()[i] == 0);
        Gradients gradients(store);
        const Tensor cotangent = oracles::uniform(a.context.shape(), "cotangent");
        backward({&a.context, 1}, {&cotangent, 1}, gradients);
        const Tensor dquery = gradients.of(query), dmemory = gradients.of(memory);
        for (int64_t i = 0; i < queries * width; ++i) CHECK(dquery.data()[i] == 0);
        for (int64_t i = 0; i < sources * width; ++i) CHECK(dmemory.data()[i] == 0);
        for (int64_t i = 0; i < dmemory.size(); ++i) CHECK(std::isfinite(dmemory.data()[i]));
    });
}

TEST_CASE("every form of the encoder-decoder has the gradients of central differences in all parameters") {
    for (const std::string& cell : cell_names())
        for (const std::string form : {"bahdanau", "luong", "luong with feeding"})
            for (const std::string& score : score_table().names()) {
                CAPTURE(cell);
                CAPTURE(form);
                CAPTURE(score);
                RnnSeq2SeqOptions o;
                o.cell = cell;
                o.form = form.substr(0, form.find(' '));
                o.input_feeding = form == "luong with feeding";
                o.embedding = 2;
                o.hidden = 4;
                o.encoder_hidden = 2;
                o.attention.score.choose(score);
                ParameterStore store(5);
                const RnnSeq2Seq model(o, Scope(store), {6, 6});
                Ids source(2, 3), input(2, 2), target(2, 2);
                source.values = {4, 5, 3, 5, 4, 0};
                source.lengths = {3, 2};
                input.values = {1, 4, 1, 5};
                target.values = {4, 2, 5, 2};
                input.lengths = target.lengths = {2, 2};
                LossOptions loss;
                loss.normaliser = 4;
                loss.label_smoothing = 0.1;
                oracles::GradientCheck check;
                check.store = &store;
                check.tolerance = 1e-5;
                Context context;
                context.mode = Mode::train;
                check.function = [&](oracles::Inputs) { return model.score({source, input, target}, loss, context).loss; };
                const oracles::GradientReport report = oracles::check_gradients(check);
                CHECK_MESSAGE(report.verdict == Verdict::agrees, report.text());
            }
}

TEST_SUITE_END();

}  // namespace algebra_test64
