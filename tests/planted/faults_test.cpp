/// `attend prove` finds and names faults that public projects had, and is silent without them.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/planted/faults.h"
#include "tests/train/prove_support.h"

using namespace attend;
using attend::planted::Fault;
using attend::testing::ProofFolder;
using attend::testing::ProofForm;

TEST_SUITE_BEGIN("planted faults of attention");

namespace {

struct Case {
    Fault fault;
    ProofForm form;
    std::string planted;   ///< in this module
    std::string property;  ///< what it breaks
    std::string named;     ///< the module that is named
    std::string reason;    ///< a part of what is reported
};

const ProofForm transformer = {"transformer", {}}, recurrent = {"pairs", {}};

const Case cases[] = {
    {Fault::inverted_mask, transformer, "decoder.0.self", "causality", "decoder.0.self", "an earlier loss moves"},
    {Fault::inverted_mask, {"text", {}}, "decoder.1.self", "causality", "decoder.1.self", "an earlier loss moves"},
    {Fault::inverted_mask, transformer, "decoder.1.self", "window", "decoder.1.self", "window 'causal'"},
    {Fault::mask_lost_with_dropout, transformer, "decoder.0.self", "causality", "decoder.0.self", "in training"},
    {Fault::mask_lost_with_dropout, {"text", {}}, "decoder.1.self", "masked", "decoder.1.self", "in training"},
    {Fault::cross_made_causal, transformer, "decoder.1.cross", "window", "decoder.1.cross", "does not read position 1"},
    {Fault::window_ignored, transformer, "decoder.1.self", "window", "decoder.1.self", "reads position 1"},
    {Fault::capped_after_mask,
     {"text", {"model.attention.score=additive"}},
     "decoder.0.self",
     "masked",
     "decoder.0.self",
     "a masked position has the weight"},
    {Fault::capped_after_mask, recurrent, "attention", "masked", "attention", "a masked position has the weight"},
    {Fault::map_of_another_head, transformer, "decoder.0.cross", "map", "decoder.0.cross", "head 0: the map shown"},
    {Fault::no_query_gradient, transformer, "decoder.0.cross", "query, key, value", "decoder.0.cross", "the query: 0 along"},
    {Fault::no_key_gradient, transformer, "decoder.1.cross", "query, key, value", "decoder.1.cross", "the key: 0 along"},
    {Fault::no_value_gradient, transformer, "decoder.0.cross", "query, key, value", "decoder.0.cross", "the value: 0 along"},
    {Fault::no_scale, transformer, "decoder.0.cross", "scale", "decoder.0.cross", "off (W q) . (U m) times 0.5"},
    {Fault::no_scale,
     {"pairs", {"model.attention.score=scaled_dot"}},
     "attention",
     "scale",
     "attention",
     "off (W q) . (U m) times 0.3536"},
    {Fault::no_scale_in_kernel, transformer, "decoder.1.cross", "map", "decoder.1.cross", "the map shown"},
    {Fault::padding_in_softmax, transformer, "encoder.0.self", "padding", "encoder.0.self", "padding"},
    {Fault::padding_in_softmax,
     {"masked", {}},
     "encoder.1.self",
     "masked",
     "encoder.1.self",
     "a masked position has the weight"},
    {Fault::padding_in_softmax, recurrent, "attention", "padding", "attention", "alone in the batch"},
    {Fault::nan_in_masked_row,
     {"masked", {"model.attention.score=additive"}},
     "encoder.0.self",
     "masked",
     "encoder.0.self",
     "a masked position has the weight inf"},
    {Fault::nan_in_masked_row,
     {"masked", {"model.attention.score=additive"}},
     "encoder.1.self",
     "map",
     "encoder.1.self",
     "the map shown, times the values, is inf"},
    {Fault::nan_scores,
     {"pairs", {"model.attention.score=scaled_dot"}},
     "attention",
     "scale",
     "attention",
     "off (W q) . (U m) times 0.3536"},
    {Fault::nan_scores, recurrent, "attention", "padding", "attention", "padding"},
    {Fault::nan_scores, recurrent, "attention", "query, key, value", "attention", "the query: nan along"},
    {Fault::nan_scores, recurrent, "attention", "cached decoding", "attention", "reads another context"},
    {Fault::inputs_ignored, transformer, "", "causality", "model", "inputs move no loss"},
    {Fault::inputs_ignored, recurrent, "", "causality", "model", "inputs move no loss"},
    {Fault::unweighted_accumulation, transformer, "", "accumulation", "training step", "targets one after the other"},
    {Fault::unweighted_accumulation, recurrent, "", "accumulation", "training step", "targets one after the other"},
    {Fault::dropout_in_evaluation, transformer, "", "no draws", "encoder.dropout", "op 'dropout'"},
    {Fault::dropout_in_evaluation, recurrent, "", "no draws", "encoder.embedding_dropout", "op 'dropout'"},
    {Fault::cache_off_by_one, transformer, "decoder.1.self", "cached decoding", "decoder.1.self", "reads another context"},
    {Fault::cache_left_over, transformer, "", "beam of one", "beam search", "row 0: a beam of one gives"},
    {Fault::thread_in_result, transformer, "", "threads", "training step", "2 threads in place of one"},
    {Fault::cache_off_by_one, {"text", {}}, "decoder.0.self", "cached decoding", "decoder.0.self", "reads another context"},
};

prove::Finding finding_of(const prove::Subject& subject, const std::string& property) {
    for (const prove::Property& p : prove::properties())
        if (p.name == property)
            return p.prove(subject);
    return {};
}

}  // namespace

TEST_CASE("each fault is found, with its property and its module") {
    const ProofFolder folder;
    for (const Case& c : cases) {
        CAPTURE(static_cast<int>(c.fault));
        CAPTURE(c.form.text());
        CAPTURE(c.property);
        CAPTURE(c.planted);
        prove::Subject subject = folder.subject(c.form);
        const prove::Finding before = finding_of(subject, c.property);
        CHECK_MESSAGE(before.verdict == prove::Verdict::passed, before.module, ": ", before.reason);
        const planted::Planted here(subject, c.fault, c.planted);
        const prove::Finding after = finding_of(subject, c.property);
        CAPTURE(after.reason);
        CHECK(after.verdict == prove::Verdict::failed);
        CHECK(after.module == c.named);
        CHECK(after.reason.find(c.reason) != std::string::npos);
        CHECK(after.worst > after.limit);
    }
}

TEST_CASE("two rows are enough to see that accumulation is not weighted") {
    const ProofFolder folder;
    prove::Subject subject = folder.subject(transformer);
    subject.batch = subject.batch.slice(0, 2);
    CHECK(prove::accumulation(subject).verdict == prove::Verdict::passed);
    const planted::Planted here(subject, Fault::unweighted_accumulation, "");
    CHECK(prove::accumulation(subject).verdict == prove::Verdict::failed);
}

TEST_CASE("the report of a fault names property and module, and fails") {
    const ProofFolder folder;
    prove::Subject subject = folder.subject(transformer);
    CHECK(prove::prove(subject).passed());
    const planted::Planted here(subject, Fault::cross_made_causal, "decoder.0.cross");
    const prove::Report report = prove::prove(subject);
    CHECK(!report.passed());
    const std::string text = prove::text_of(report);
    CHECK_MESSAGE(
        text.find("\nFAILED window: decoder.0.cross: window 'global': query 0 does not read position 1") != std::string::npos,
        text);
    CAPTURE(text);
    // Resuming makes a model of its own, without the fault.
    for (const prove::Finding& f : report.findings)
        CHECK((f.verdict == prove::Verdict::failed) == (f.property == "window" || f.property == "resuming"));
    const auto json = prove::json_of(report).text();
    CHECK(json.find(R"("module":"decoder.0.cross")") != std::string::npos);
}

TEST_SUITE_END();
