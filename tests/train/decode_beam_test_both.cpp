// Beam search against exhaustive search, a slow beam, greedy decoding and the teacher-forced pass.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "core/engine.h"
#include "tests/oracles/greedy.h"
#include "tests/oracles/search.h"
#include "tests/train/small_folder.h"
#include "train/evaluate/decode/beam.h"
#include "train/experiment/assemble.h"

namespace decode_beam_test_both {

TEST_SUITE_BEGIN("train: beam search");

using namespace attend;
using attend::testing::SmallFolder;

namespace {

struct Setting {
    std::unique_ptr<Task> task;
    ModelInStore made;
    Ids source;
    explicit Setting(const std::vector<std::string>& set) {
        const SmallFolder runs;
        const Experiment e = runs.experiment(set);
        task = task_table().build(e.data, TaskSetup{.seed = 3, .saved = "", .load_data = false});
        made = make_model(e, *task);
        // far from uniform, so that rows end at different steps
        for (int64_t i = 0; i < made.store->size(); ++i) made.store->data()[i] *= 3;
        const std::vector<std::string> lines = {"1 0 1", "0", "1 1 1 0 0", "0 1", "0 0 1 1", "1", "0 0"};
        source = task->encode_sources(lines);
    }
    const Model& model() const { return *made.model; }
};

// Logits that are a function of the source row, the step and the last symbol.
class Toy final : public Model {
  public:
    using Logits = std::function<std::vector<real>(int32_t source, int64_t step, int32_t last)>;
    explicit Toy(Logits logits) : logits_(std::move(logits)) {}

    struct State final : DecoderState {
        std::vector<int32_t> source;
        int64_t step = 0;
        int64_t rows() const override { return static_cast<int64_t>(source.size()); }
        std::unique_ptr<DecoderState> select(std::span<const int32_t> rows) const override {
            auto s = std::make_unique<State>();
            for (int32_t r : rows) s->source.push_back(source.at(static_cast<std::size_t>(r)));
            s->step = step;
            return s;
        }
    };
    Scored score(const ScoreInput&, const LossOptions&, const Pass&) const override { return {}; }
    const Sites& sites() const override { return sites_; }
    std::unique_ptr<DecoderState> start(const Ids& source, const Pass&) const override {
        auto s = std::make_unique<State>();
        for (int64_t r = 0; r < source.rows; ++r) s->source.push_back(static_cast<int32_t>(r));
        return s;
    }
    Advanced advance(DecoderState& state, std::span<const int32_t> ids, const Pass&) const override {
        auto& s = dynamic_cast<State&>(state);
        REQUIRE(ids.size() == s.source.size());
        rows.push_back(static_cast<int64_t>(ids.size()));
        std::vector<real> all;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const std::vector<real> z = logits_(s.source[i], s.step, ids[i]);
            all.insert(all.end(), z.begin(), z.end());
        }
        ++s.step;
        return {Tensor::of({s.rows(), static_cast<int64_t>(all.size()) / s.rows()}, all)};
    }
    mutable std::vector<int64_t> rows;  // of each step

  private:
    Sites sites_;
    Logits logits_;
};

std::vector<std::vector<Decoded>> search(const Model& model, int64_t sources, int64_t limit, const BeamOptions& options) {
    const std::vector<int64_t> limits(static_cast<std::size_t>(sources), limit);
    return decode_beam(model, Ids(sources, 1), limits, options, Collect::nothing);
}

using Sequence = std::vector<int32_t>;
constexpr real no = -std::numeric_limits<real>::infinity();

}  // namespace

TEST_CASE("a beam wide enough is exhaustive search") {
    for (const char* form : {"model.form=bahdanau", "model.form=luong"})
        for (const double alpha : {0.0, 0.7, 3.0}) {
            CAPTURE(form);
            CAPTURE(alpha);
            const Setting s({form, "data.symbols=2"});  // 4 classes may be said: 3^3 open outputs, 108 extensions
            const std::vector<int64_t> limits = {4, 2, 3, 4, 1, 4, 4};
            for (const int64_t nbest : {int64_t{1}, int64_t{108}}) {
                const auto all = decode_beam(s.model(), s.source, limits, {108, alpha, nbest}, Collect::nothing);
                for (int64_t r = 0; r < s.source.rows; ++r) {
                    CAPTURE(r);
                    const auto& found = all[static_cast<std::size_t>(r)];
                    const auto expected =
                        oracles::every_output(s.model(), s.source.slice(r, r + 1), limits[static_cast<std::size_t>(r)], alpha);
                    REQUIRE(found.size() == std::min(expected.size(), static_cast<std::size_t>(nbest)));
                    for (std::size_t n = 0; n < found.size(); ++n) {
                        CHECK(found[n].ids == expected[n].ids);
                        CHECK(found[n].ended == expected[n].ended);
                        CHECK(found[n].log_likelihood == doctest::Approx(expected[n].log_likelihood).epsilon(1e-4));
                        CHECK(found[n].score == doctest::Approx(expected[n].score).epsilon(1e-4));
                    }
                }
            }
        }
}

TEST_CASE("a batch with narrow beams is a slow beam for each source that never stops early") {
    for (const char* form : {"model.form=bahdanau", "model.form=luong"})
        for (const int64_t beam : {1, 2, 3, 6})
            for (const double alpha : {0.0, 1.0, 10.0}) {
                CAPTURE(form);
                CAPTURE(beam);
                CAPTURE(alpha);
                const Setting s({form, "seed=5"});
                const std::vector<int64_t> limits = {9, 0, 7, 3, 9, 9, 1};
                const auto all = decode_beam(s.model(), s.source, limits, {beam, alpha, beam}, Collect::attention);
                const auto first = decode_beam(s.model(), s.source, limits, {beam, alpha, 1}, Collect::nothing);
                for (std::size_t r = 0; r < all.size(); ++r) {
                    CAPTURE(r);
                    const auto row = static_cast<int64_t>(r);
                    const auto expected = oracles::slow_beam(s.model(), s.source.slice(row, row + 1), limits[r], beam, alpha);
                    REQUIRE(!all[r].empty());
                    REQUIRE(first[r].size() == 1);
                    CHECK(first[r].front().ids == all[r].front().ids);
                    if (limits[r] == 0) {
                        CHECK(all[r].size() == 1);
                        CHECK(all[r].front().ids.empty());
                        CHECK(!all[r].front().ended);
                        continue;
                    }
                    REQUIRE(all[r].size() == std::min(expected.size(), static_cast<std::size_t>(beam)));
                    for (std::size_t n = 0; n < all[r].size(); ++n) {
                        const Decoded& d = all[r][n];
                        CHECK(d.ids == expected[n].ids);
                        CHECK(d.ended == expected[n].ended);
                        CHECK(d.score == doctest::Approx(expected[n].score).epsilon(1e-4));
                        CHECK(static_cast<int64_t>(d.ids.size()) + (d.ended ? 1 : 0) <= limits[r]);
                        // a row of weights for every symbol, each a distribution over the source
                        CHECK(d.attention.rows == static_cast<int64_t>(d.log_probabilities.size()));
                        CHECK(d.attention.columns == s.source.length(row));
                        for (int64_t t = 0; t < d.attention.rows; ++t) {
                            double sum = 0;
                            for (int64_t c = 0; c < d.attention.columns; ++c) sum += static_cast<double>(d.attention.at(t, c));
                            CHECK(sum == doctest::Approx(1).epsilon(1e-5));
                        }
                    }
                }
            }
}

TEST_CASE("a beam of one is greedy decoding, bit for bit") {
    for (const char* form : {"model.form=bahdanau", "model.form=luong"})
        for (int seed = 1; seed <= 5; ++seed) {
            CAPTURE(form);
            CAPTURE(seed);
            const Setting s({form, "seed=" + std::to_string(seed)});
            const std::vector<int64_t> limits = {9, 0, 12, 3, 9, 9, 1};
            const std::vector<Decoded> greedy = oracles::decode_greedy(s.model(), s.source, limits, Collect::attention);
            for (const double alpha : {0.0, 2.0}) {
                const auto beam = decode_beam(s.model(), s.source, limits, {1, alpha, 1}, Collect::attention);
                REQUIRE(beam.size() == greedy.size());
                for (std::size_t r = 0; r < greedy.size(); ++r) {
                    REQUIRE(beam[r].size() == 1);
                    const Decoded& d = beam[r].front();
                    CHECK(d.ids == greedy[r].ids);
                    CHECK(d.ended == greedy[r].ended);
                    CHECK(d.log_likelihood == greedy[r].log_likelihood);
                    CHECK(d.log_probabilities == greedy[r].log_probabilities);
                    CHECK(d.attention.weights == greedy[r].attention.weights);
                    const auto symbols = static_cast<int64_t>(d.log_probabilities.size());
                    CHECK(d.score == greedy[r].score / length_penalty(symbols, alpha));
                }
            }
        }
}

TEST_CASE("log-probabilities are those of the teacher-forced pass") {
    for (const char* form : {"model.form=bahdanau", "model.form=luong"}) {
        CAPTURE(form);
        const Setting s({form});
        const Ids source = s.source.slice(2, 3);
        const std::vector<int64_t> limits = {12};
        const auto all = decode_beam(s.model(), source, limits, {5, 0.6, 5}, Collect::nothing).front();
        CHECK(all.size() == 5);
        for (const Decoded& d : all) {
            const auto length = static_cast<int64_t>(d.log_probabilities.size());
            Ids input(1, length), target(1, length);
            input.lengths[0] = target.lengths[0] = static_cast<int32_t>(length);
            for (int64_t t = 0; t < length; ++t) {
                const auto i = static_cast<std::size_t>(t);
                input.at(0, t) = t == 0 ? int32_t{id_bos} : d.ids[i - 1];
                target.at(0, t) = i == d.ids.size() ? int32_t{id_eos} : d.ids[i];
            }
            const NoGrad no_grad;
            const Scored scored = s.model().score(
                {source, input, target}, {.normaliser = 1, .label_normaliser = 1, .label_smoothing = 0, .ignored = -1}, {});
            double sum = 0;
            for (int64_t t = 0; t < length; ++t) {
                sum += d.log_probabilities[static_cast<std::size_t>(t)];
                CHECK(d.log_probabilities[static_cast<std::size_t>(t)] ==
                      doctest::Approx(-static_cast<double>(scored.target_loss.data()[t])).epsilon(1e-4));
            }
            CHECK(d.log_likelihood == sum);
            CHECK(d.score == d.log_likelihood / std::pow((5.0 + static_cast<double>(length)) / 6, 0.6));
        }
    }
}

TEST_CASE("a wider beam finds what greedy decoding misses") {
    // 4 is likelier at first, but nothing good follows; 5 is always followed by eos
    const Toy model([](int32_t, int64_t step, int32_t last) -> std::vector<real> {
        if (step == 0)
            return {no, no, no, no, real(0.2), real(0)};
        if (last == 5)
            return {no, no, 0, no, no, no};
        return {no, no, 0, 0, 0, 0};
    });
    CHECK(search(model, 1, 3, {1, 0, 1}).front().front().ids == Sequence{4});
    CHECK(search(model, 1, 3, {2, 0, 1}).front().front().ids == Sequence{5});
}

TEST_CASE("the length penalty prefers longer outputs") {
    // eos at once: ln 0.5; otherwise 4 with ln 0.5, and then 4 or eos with ln 0.55 or so
    const Toy model([](int32_t, int64_t step, int32_t) -> std::vector<real> {
        const real end = step < 3 ? real(-0.7) : real(3);
        return {no, no, end, no, 0};
    });
    CHECK(search(model, 1, 9, {4, 0, 1}).front().front().ids.empty());
    CHECK(search(model, 1, 9, {4, 10, 1}).front().front().ids.size() >= 3);
    CHECK(length_penalty(7, 0) == 1);
    CHECK(length_penalty(7, 1) == 2);
    CHECK(length_penalty(1, 0.6) == 1);
    CHECK(length_penalty(13, 2) == 9);
}

TEST_CASE("ties go to the better output and the lower id, whatever the batch") {
    const Toy model([](int32_t, int64_t, int32_t) -> std::vector<real> { return {5, 5, no, 0, 0, 0}; });
    for (const int64_t sources : {int64_t{1}, int64_t{3}})
        for (const std::vector<Decoded>& found : search(model, sources, 2, {4, 0, 4})) {
            REQUIRE(found.size() == 4);
            CHECK(found[0].ids == Sequence{3, 3});  // pad and bos, the likeliest of all, are never said
            CHECK(found[1].ids == Sequence{3, 4});
            CHECK(found[2].ids == Sequence{3, 5});
            CHECK(found[3].ids == Sequence{4, 3});
            CHECK(found[0].score == found[3].score);
        }
    // equal scores: what was finished first
    const Toy ends([](int32_t, int64_t step, int32_t) -> std::vector<real> {
        return step == 0 ? std::vector<real>{no, no, 0, 0, no} : std::vector<real>{no, no, 0, no, no};
    });
    const auto found = search(ends, 1, 5, {2, 0, 2}).front();
    REQUIRE(found.size() == 2);
    CHECK(found[0].ids.empty());
    CHECK(found[1].ids == Sequence{3});
    CHECK(found[0].score == found[1].score);
}

TEST_CASE("a search stops as soon as nothing can come before what is returned, and not sooner") {
    // eos has probability 0.9 from the first step on
    const auto logits = [](int32_t, int64_t, int32_t) -> std::vector<real> {
        return {no, no, real(std::log(0.9)), no, real(std::log(0.06)), real(std::log(0.04))};
    };
    const Toy one(logits), three(logits), penalised(logits);
    CHECK(search(one, 1, 50, {3, 0, 1}).front().size() == 1);
    CHECK(one.rows == std::vector<int64_t>{1});
    // the second and third best, "4" and "5", end at the second step
    const auto found = search(three, 1, 50, {3, 0, 3}).front();
    CHECK(three.rows == std::vector<int64_t>{1, 3});
    REQUIRE(found.size() == 3);
    CHECK(found[1].ids == Sequence{4});
    CHECK(found[2].ids == Sequence{5});
    // one that can at most be equal does not go on
    const Toy even([](int32_t, int64_t step, int32_t) -> std::vector<real> {
        return step == 0 ? std::vector<real>{no, no, 0, no, 0} : std::vector<real>{no, no, no, no, 0};
    });
    CHECK(search(even, 1, 50, {2, 0, 1}).front().front().ids.empty());
    CHECK(even.rows.size() == 1);
    // a strong penalty could still lift a long output over ln 0.9: ln 0.06 / ((5 + 50) / 6)^alpha >
    // ln 0.9 from alpha 1.5 on
    search(penalised, 1, 50, {3, 1.4, 1});
    CHECK(penalised.rows.size() == 1);
    search(penalised, 1, 50, {3, 1.6, 1});
    CHECK(penalised.rows.size() > 2);
}

TEST_CASE("a state in another order goes on with each row's own source") {
    const Setting s({});
    const auto logits_after = [&](std::vector<int32_t> rows) {
        auto state = s.model().start(s.source, {});
        const std::vector<int32_t> first(7, id_bos), second(rows.size(), 5);
        s.model().advance(*state, first, {});
        state = state->select(rows);
        return s.model().advance(*state, second, {}).logits;
    };
    const Tensor straight = logits_after({0, 1, 2, 3, 4, 5, 6}), turned = logits_after({3, 1, 0, 0, 4, 6, 5});
    const std::vector<int64_t> from = {3, 1, 0, 0, 4, 6, 5};
    // Close, not equal: a product's bits may depend on where in the batch a row stands.
    for (int64_t r = 0; r < 7; ++r) {
        const std::vector<real> a = turned.row(r).values(), b = straight.row(from[static_cast<std::size_t>(r)]).values();
        for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-5));
    }
}

TEST_CASE("sources that are done leave the batch") {
    // source r ends after 2 r + 1 symbols
    const Toy model([](int32_t source, int64_t step, int32_t) -> std::vector<real> {
        return step < 2 * source ? std::vector<real>{no, no, no, no, 1, 0} : std::vector<real>{no, no, 9, no, 1, 0};
    });
    const auto all = search(model, 4, 20, {2, 0, 1});
    for (std::size_t r = 0; r < 4; ++r) CHECK(all[r].front().ids == Sequence(2 * r, 4));
    CHECK(model.rows == std::vector<int64_t>{4, 8, 8, 4, 4, 2, 2});
}

TEST_CASE("logits that are not finite give an output and end") {
    constexpr real nan = std::numeric_limits<real>::quiet_NaN(), inf = std::numeric_limits<real>::infinity();
    for (const std::vector<real>& z : {std::vector<real>{nan, nan, nan, nan, nan}, std::vector<real>{0, 0, nan, 1, nan},
                                       std::vector<real>{no, no, no, no, no}, std::vector<real>{0, 0, 0, inf, 0}}) {
        const Toy model([&z](int32_t, int64_t, int32_t) { return z; });
        for (const int64_t beam : {1, 3}) {
            const auto found = search(model, 2, 6, {beam, 0.5, beam});
            REQUIRE(found.size() == 2);
            CHECK(!found[0].empty());
            CHECK(found[0].front().ids == found[1].front().ids);
        }
        const std::vector<int64_t> limits = {6, 6};
        CHECK(oracles::decode_greedy(model, Ids(2, 1), limits, Collect::nothing)[1].ids ==
              search(model, 2, 6, {1, 0, 1})[1].front().ids);
    }
}

TEST_CASE("what beam search refuses") {
    const Toy model([](int32_t, int64_t, int32_t) -> std::vector<real> { return {0, 0, 1, 0}; });
    const Ids source(2, 1);
    const std::vector<int64_t> one = {1}, negative = {1, -1}, right = {1, 1};
    const auto message = [&](const std::vector<int64_t>& limits, const BeamOptions& options) {
        return testing::message_of([&] { decode_beam(model, source, limits, options, Collect::nothing); });
    };
    CHECK(message(one, {}) == "decode_beam: one limit a row: limits 1, rows 2");
    CHECK(message(negative, {}) == "decode_beam: a limit must not be negative: limit -1, least 0");
    CHECK(message(right, {0, 0, 1}) == "decode_beam: beam out of range: beam 0, range 1 ... 1024");
    CHECK(message(right, {2000, 0, 1}) == "decode_beam: beam out of range: beam 2000, range 1 ... 1024");
    CHECK(message(right, {2, 0, 3}) == "decode_beam: more outputs than the beam holds: nbest 3, beam 2");
    CHECK(message(right, {2, 0, 0}) == "decode_beam: nbest out of range: nbest 0, range 1 ... 2");
    CHECK(message(right, {2, -1, 1}) == "decode_beam: length penalty out of range: length_penalty -1, range 0 ... 10");
    CHECK(message(right, {2, std::nan(""), 1}) ==
          "decode_beam: length penalty out of range: length_penalty nan, range 0 ... 10");
    CHECK(message(right, {}).empty());
}

TEST_SUITE_END();

}  // namespace decode_beam_test_both
