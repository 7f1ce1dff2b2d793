/// Every form of the encoder-decoder transformer against central differences.
#include <doctest/doctest.h>

#include "tests/nn/transformer_forms.h"

namespace transformer_test64 {

using namespace attend;

TEST_SUITE_BEGIN("transformer");

TEST_CASE("every form of transformer_seq2seq has the gradients of central differences in all parameters") {
    for (testing::TransformerForm& f : testing::transformer_forms()) {
        CAPTURE(f.name);
        f.options.blocks.dropout = 0.1;
        f.options.blocks.layers = 1;
        f.options.decoder_layers = 1;
        ParameterStore store(5);
        const TransformerSeq2Seq model(f.options, Scope(store), {testing::gpt_vocabulary, testing::gpt_vocabulary});
        const Ids source = testing::random_text({4, 2}, 4, "source"), input = testing::random_text({3, 2}, 3, "input"),
                  target = testing::random_text({3, 2}, 3, "target");
        LossOptions loss;
        loss.normaliser = 5;
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

TEST_SUITE_END();

}  // namespace transformer_test64
