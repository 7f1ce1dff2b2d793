/// Every form of the encoder with every head against central differences.
#include <doctest/doctest.h>

#include "tests/nn/bert_forms.h"

namespace bert_test64 {

using namespace attend;

TEST_SUITE_BEGIN("bert");

TEST_CASE("every form of bert has the gradients of central differences in all parameters") {
    for (testing::BertForm& f : testing::bert_forms()) {
        CAPTURE(f.name);
        f.options.blocks.dropout = 0.1;
        ParameterStore store(5);
        const Bert model(f.options, Scope(store), f.setup);
        const testing::BertSample s(f.setup);
        LossOptions loss;
        loss.normaliser = 7;
        loss.label_normaliser = 4;
        loss.label_smoothing = 0.1;
        Context context;
        context.mode = Mode::train;
        context.seed = 3;
        oracles::GradientCheck check;
        check.store = &store;
        check.tolerance = 1e-5;
        check.function = [&](oracles::Inputs) { return model.score(s.whole(), loss, context).loss; };
        const oracles::GradientReport report = oracles::check_gradients(check);
        CHECK_MESSAGE(report.verdict == oracles::Verdict::agrees, report.text());
    }
}

TEST_SUITE_END();

}  // namespace bert_test64
