/// Every legal combination of the attention algebra, and every form of the encoder-decoder, against
/// central differences. What else must hold for every combination: combinations_test64.cpp.
#include <doctest/doctest.h>

#include <cmath>

#include "core/ops.h"
#include "nn/models/rnn_seq2seq.h"
#include "tests/nn/combinations.h"
#include "tests/oracles/gradient_check.h"

namespace algebra_test64 {

using namespace attend;
using namespace attend::combinations;
using oracles::Verdict;

TEST_SUITE_BEGIN("algebra");

namespace {

struct Counts {
    int64_t checked = 0, refused = 0;
};

using Walk = void (*)(const std::function<void(const Combination&)>&);

Counts check_gradients_of(Walk walk) {
    Counts counts;
    walk([&](const Combination& c) {
        CAPTURE(c.text());
        ParameterStore store(11);
        Attention attention;
        try {
            attention = c.build(store);
        } catch (const Error& e) {
            CHECK(std::string(e.what()).starts_with("attention: "));
            CHECK(!c.legal());
            ++counts.refused;
            return;
        }
        CHECK(c.legal());
        oracles::GradientCheck check;
        check.inputs = {oracles::uniform({2, queries, width}, "query"), oracles::uniform({2, sources, width}, "memory")};
        check.store = &store;
        const Array<int32_t> lengths = {5, 3};
        Context training;
        training.mode = Mode::train;
        check.function = [&](oracles::Inputs x) {
            const Played p = play(attention, c, x[0], x[1], lengths, 1, training);
            // What is chosen has a gradient in the memory alone, what it is chosen from in all else.
            Array<Tensor> parts = {p.contexts.reshape({p.contexts.size()}), p.weights.reshape({p.weights.size()})};
            if (p.penalty.defined())
                parts.push_back(p.penalty.reshape({p.penalty.size()}));
            return concat(std::span<const Tensor>(parts), 0);
        };
        oracles::GradientReport report = oracles::check_gradients(check);
        // A sparse alignment may choose one position everywhere, and then no score has a gradient: other inputs.
        for (int again = 0; again < 60 && report.verdict == Verdict::all_zero; ++again) {
            const std::string name = std::to_string(again);
            check.inputs = {oracles::uniform({2, queries, width}, "query " + name),
                            oracles::uniform({2, sources, width}, "memory " + name)};
            report = oracles::check_gradients(check);
        }
        CHECK_MESSAGE(report.verdict == Verdict::agrees, report.text());
        ++counts.checked;
    });
    return counts;
}

bool reads_previous(const std::string& score) {
    ParameterStore store(1);
    return score_table().build(Selection(score_table(), score), Scope(store, "score"), ScoreSetup{4, 4, 4})->needs_previous();
}

}  // namespace

TEST_CASE("a sample of legal combinations with every pair of factors has the gradients of central differences") {
    const Counts counts = check_gradients_of(for_each_of_sample);
    CHECK(counts.checked >= 200);
    CHECK(counts.refused >= 1);
}

// All of them: build/release/test_nn64 --no-skip --test-suite=algebra
TEST_CASE("every legal combination has the gradients of central differences" * doctest::skip()) {
    const Counts counts = check_gradients_of(for_each);
    MESSAGE(counts.checked << " combinations checked, " << counts.refused << " refused");
    CHECK(counts.checked >= 1000);
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
                factors_of(o.attention).score.choose(score);
                ParameterStore store(5);
                if (form == "luong" && reads_previous(score)) {  // all queries at once
                    CHECK_THROWS_AS(RnnSeq2Seq(o, Scope(store), {6, 6}), Error);
                    continue;
                }
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
