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

TEST_CASE(
    "where few positions have a target, the head is computed there alone: the same losses, and gradients of differences") {
    const GptOptions o = testing::gpt_forms().front().options;
    ParameterStore store(5);
    const Gpt model(o, Scope(store), {0, testing::gpt_vocabulary});
    const Ids input = testing::random_text({5, 3}, 5, "input"), all = testing::random_text({5, 3}, 5, "target");
    LossOptions loss;
    loss.normaliser = 3;
    Ids few = all;
    for (int64_t r = 0; r < few.rows; ++r)
        for (int64_t t = 0; t < few.length(r); ++t)
            if ((r + t) % 3 != 0)
                few.at(r, t) = loss.ignored;
    const Scored of_few = model.score({{}, input, few}, loss, Context{}),
                 of_all = model.score({{}, input, all}, loss, Context{});
    double sum = 0;
    for (int64_t r = 0; r < few.rows; ++r)
        for (int64_t t = 0; t < few.columns; ++t) {
            const int64_t at = r * few.columns + t;
            const bool counts = t < few.length(r) && few.at(r, t) != loss.ignored;
            CHECK(of_few.target_loss.data()[at] == doctest::Approx(counts ? of_all.target_loss.data()[at] : 0));
            if (counts)
                CHECK(of_few.predicted[static_cast<std::size_t>(at)] == of_all.predicted[static_cast<std::size_t>(at)]);
            sum += of_few.target_loss.data()[at];
        }
    CHECK(of_few.loss.item() == doctest::Approx(sum / 3));
    oracles::GradientCheck check;
    check.store = &store;
    check.tolerance = 1e-5;
    check.function = [&](oracles::Inputs) { return model.score({{}, input, few}, loss, Context{}).loss; };
    const oracles::GradientReport report = oracles::check_gradients(check);
    CHECK_MESSAGE(report.verdict == oracles::Verdict::agrees, report.text());
}

TEST_SUITE_END();

}  // namespace gpt_test64
