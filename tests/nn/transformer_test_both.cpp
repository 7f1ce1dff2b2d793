/// What must hold for every form of the encoder-decoder transformer, whatever its weights.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "tests/nn/transformer_forms.h"

namespace transformer_test_both {

using namespace attend;
using testing::gpt_vocabulary;
using testing::random_text;

TEST_SUITE_BEGIN("transformer");

namespace {

const double rounding = sizeof(real) == 4 ? 2e-5 : 1e-13;

struct Sample {
    Ids source = random_text({6, 3}, 6, "source"), input = random_text({5, 5}, 5, "input"),
        target = random_text({5, 5}, 5, "target");
};

Tensor losses(const Model& model, const Sample& s) {
    return model.score({s.source, s.input, s.target}, LossOptions{}, Context{}).target_loss;
}

}  // namespace

TEST_CASE("causality: another future of the target changes nothing before it, not a bit, and the source changes all") {
    for (const testing::TransformerForm& f : testing::transformer_forms()) {
        CAPTURE(f.name);
        ParameterStore store(5);
        const TransformerSeq2Seq model(f.options, Scope(store), {gpt_vocabulary, gpt_vocabulary});
        const Sample s;
        const Tensor before = losses(model, s);
        for (int64_t changed = 1; changed < 5; ++changed) {
            Sample other = s;
            other.input.at(1, changed) = (other.input.at(1, changed) + 1) % static_cast<int32_t>(gpt_vocabulary);
            const Tensor after = losses(model, other);
            CHECK(std::memcmp(before.data(), after.data(), static_cast<std::size_t>(5 + changed) * sizeof(real)) == 0);
            CHECK(std::abs(before.data()[5 + changed] - after.data()[5 + changed]) > 0);
        }
        Sample other = s;
        other.source.at(1, 2) = (other.source.at(1, 2) + 1) % static_cast<int32_t>(gpt_vocabulary);
        const Tensor after = losses(model, other);
        for (int64_t t = 0; t < 5; ++t) {
            CHECK(after.data()[t] == before.data()[t]);
            CHECK(after.data()[5 + t] != before.data()[5 + t]);
        }
    }
}

TEST_CASE("decoding step by step gives the losses of the whole, in rows of any order") {
    for (const testing::TransformerForm& f : testing::transformer_forms()) {
        CAPTURE(f.name);
        ParameterStore store(5);
        const TransformerSeq2Seq model(f.options, Scope(store), {gpt_vocabulary, gpt_vocabulary});
        const Sample s;
        const Tensor whole = losses(model, s);
        std::unique_ptr<DecoderState> state = model.start(s.source, {});
        for (int64_t t = 0; t < 5; ++t) {
            const std::vector<int32_t> ids = {s.input.at(0, t), s.input.at(1, t)};
            const Tensor logits = model.advance(*state, ids, {}).logits;
            for (int64_t r = 0; r < 2; ++r) {
                const real* row = logits.data() + r * gpt_vocabulary;
                double sum = 0;
                for (int64_t v = 0; v < gpt_vocabulary; ++v) sum += std::exp(static_cast<double>(row[v]));
                const double loss = std::log(sum) - static_cast<double>(row[s.target.at(r, t)]);
                CHECK(loss == doctest::Approx(static_cast<double>(whole.data()[r * 5 + t])).epsilon(rounding));
            }
            const std::vector<int32_t> order = {1, 0, 1}, back = {1, 2};
            state = state->select(order)->select(back);
        }
    }
}

TEST_CASE("attention maps: those of the source are told from those of the sequence itself") {
    const testing::TransformerForm f = testing::transformer_forms().front();
    ParameterStore store(5);
    const TransformerSeq2Seq model(f.options, Scope(store), {gpt_vocabulary, gpt_vocabulary});
    const Sample s;
    const Sightings seen = model.score({s.source, s.input, s.target}, LossOptions{}, Pass({}, Keep::maps)).seen;
    REQUIRE(seen.size() == 12);  // two heads: encoder 2 layers, decoder 2 layers of self and cross
    REQUIRE(model.sites().size() == 12);
    int of_source = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const Site& site = model.sites()[i];
        CHECK(site.number == static_cast<int64_t>(i));
        CHECK(seen[i].site == site.number);
        const bool cross = site.path.find(".cross.") != std::string::npos, encoder = site.path.starts_with("encoder.");
        CHECK((site.columns() == Columns::source) == cross);
        CHECK(site.kind == (cross ? SiteKind::cross : encoder ? SiteKind::encoder : SiteKind::self));
        CHECK(site.affects == (encoder ? Affects::all : Affects::following));
        CHECK(site.path.ends_with(".heads." + std::to_string(site.head)));
        CHECK(site.path.find("." + std::to_string(site.layer) + ".") != std::string::npos);
        of_source += cross ? 1 : 0;
    }
    CHECK(of_source == 4);
}

TEST_CASE("options of transformer_seq2seq that do not go together are refused") {
    const auto message = [](auto change, ModelSetup setup = {gpt_vocabulary, gpt_vocabulary}) {
        TransformerSeq2SeqOptions o = testing::transformer_forms().front().options;
        change(o);
        ParameterStore store(1);
        try {
            const TransformerSeq2Seq model(o, Scope(store), setup);
            Sample s;
            s.source = random_text({13, 2}, 13);
            losses(model, s);
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    CHECK(message([](auto&) {}, {0, 5})
              .starts_with("model transformer_seq2seq: needs a task with a source: source vocabulary 0"));
    CHECK(message([](auto& o) { o.share = "all"; }, {5, 6})
              .starts_with(
                  "model transformer_seq2seq: share 'all' needs one vocabulary for both sides: source 5 ids, target 6 ids; "));
    CHECK(
        message([](auto& o) { o.share = "all"; },
                {.source_vocabulary = 5, .target_vocabulary = 5, .symbols = Symbols::separate}) ==
        "model transformer_seq2seq: share 'all' needs one vocabulary for both sides: source 5 ids, target 5 ids, of different "
        "symbols; \"joint_vocabulary\": true in data makes one, and share 'target' needs none");
    CHECK(message([](auto& o) {
              factors_of(o.attention).window.choose("global");
          }).starts_with("decoder.0.self.heads.0: window 'global' shows a position what it has to predict"));
    CHECK(message([](auto& o) {
              factors_of(o.cross_attention).window.choose("causal");
          }).starts_with("decoder.0.cross.heads.0: window 'causal' compares the query's position"));
    CHECK(message([](auto&) {}) ==
          "model transformer_seq2seq: a sequence is longer than there are positions: symbols 13, model.max_length 12");
}

TEST_SUITE_END();

}  // namespace transformer_test_both
