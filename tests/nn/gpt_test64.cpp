/// Every form of the language model against central differences.
#include <doctest/doctest.h>

#include "tests/nn/gpt_forms.h"

namespace gpt_test64 {

using namespace attend;

TEST_SUITE_BEGIN("gpt");

TEST_CASE("every form of gpt has the gradients of central differences in all parameters") {
    for (testing::GptForm& f : testing::gpt_forms()) {
        CAPTURE(f.name);
        f.options.blocks.dropout = 0.1;
        ParameterStore store(5);
        const Gpt model(f.options, Scope(store), {0, testing::gpt_vocabulary});
        const Ids input = testing::random_text({5, 3}, 5, "input"), target = testing::random_text({5, 3}, 5, "target");
        LossOptions loss;
        loss.normaliser = 8;
        Context context;
        context.mode = Mode::train;
        context.seed = 3;
        oracles::GradientCheck check;
        check.store = &store;
        check.tolerance = 1e-5;
        check.function = [&](oracles::Inputs) { return model.score({{}, input, target}, loss, context).loss; };
        const oracles::GradientReport report = oracles::check_gradients(check);
        CHECK_MESSAGE(report.verdict == oracles::Verdict::agrees, report.text());
    }
}

TEST_SUITE_END();

}  // namespace gpt_test64
