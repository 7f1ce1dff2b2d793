// Greedy decoding, which is a beam of one, against a slow version that decodes one row at a time
// and drops nothing.
#include <doctest/doctest.h>

#include <cmath>

#include "core/engine.h"
#include "tests/train/run_support.h"
#include "train/evaluate/decode/beam.h"
#include "train/evaluate/decode/choice.h"
#include "train/evaluate/decode/picture.h"
#include "train/experiment/assemble.h"

namespace decode_test {

TEST_SUITE_BEGIN("train: decoding");

using namespace attend;
using attend::testing::SmallRun;

namespace {

struct Setting {
    std::unique_ptr<Task> task;
    ModelInStore made;
    Ids source;
    explicit Setting(const std::vector<std::string>& set) {
        const SmallRun runs;
        const Experiment e = runs.request("none", set).experiment;
        task = task_table().build(e.data, TaskSetup{.seed = 3, .saved = "", .load_data = false});
        made = make_model(e, *task);
        // far from uniform, so that rows end at different steps
        for (int64_t i = 0; i < made.store->size(); ++i) made.store->data()[i] *= 3;
        const std::vector<std::string> lines = {"1 2 3", "0", "3 3 1 2 0", "2 1", "0 1 2 3", "1", "2 2"};
        source = task->encode_sources(lines);
    }
};

Decoded decode_slowly(const Model& model, const Ids& source, int64_t limit) {
    const NoGrad no_grad;
    Decoded d;
    const Context context;
    const auto state = model.start(source, context);
    int32_t said = id_bos;
    while (static_cast<int64_t>(d.ids.size()) < limit && !d.ended) {
        const Tensor logits = model.advance(*state, {&said, 1}, context).logits;
        const std::vector<real> z = logits.values();
        double sum = 0;
        said = id_eos;
        for (std::size_t k = 0; k < z.size(); ++k) {
            sum += std::exp(double(z[k]));
            if (k != id_pad && k != id_bos && z[k] > z[static_cast<std::size_t>(said)])
                said = static_cast<int32_t>(k);
        }
        d.log_likelihood += double(z[static_cast<std::size_t>(said)]) - std::log(sum);
        d.ended = said == id_eos;
        if (!d.ended)
            d.ids.push_back(said);
    }
    return d;
}

// A beam of one.
std::vector<Decoded> decode(const Setting& s, const Ids& source, const std::vector<int64_t>& limits) {
    std::vector<Decoded> all;
    for (std::vector<Decoded>& found : decode_beam(*s.made.model, source, limits, {}, Collect::attention)) {
        REQUIRE(found.size() == 1);
        all.push_back(std::move(found.front()));
    }
    return all;
}

}  // namespace

TEST_CASE("greedy decoding of a batch is that of each row alone") {
    for (const char* form : {"model.form=bahdanau", "model.form=luong"})
        for (int seed = 1; seed <= 4; ++seed) {
            CAPTURE(form);
            CAPTURE(seed);
            const Setting s({form, "seed=" + std::to_string(seed)});
            const std::vector<int64_t> limits = {9, 0, 12, 3, 9, 9, 1};
            const std::vector<Decoded> all = decode(s, s.source, limits);
            REQUIRE(all.size() == 7);
            for (std::size_t r = 0; r < all.size(); ++r) {
                CAPTURE(r);
                const auto row = static_cast<int64_t>(r);
                const Decoded expected = decode_slowly(*s.made.model, s.source.slice(row, row + 1), limits[r]);
                CHECK(all[r].ids == expected.ids);
                CHECK(all[r].ended == expected.ended);
                CHECK(all[r].log_likelihood == doctest::Approx(expected.log_likelihood).epsilon(1e-4));
                CHECK(static_cast<int64_t>(all[r].ids.size()) <= limits[r]);
                // a row of weights for every symbol said, each a distribution over the source
                const AttentionRows& a = all[r].attention;
                CHECK(a.rows == static_cast<int64_t>(all[r].ids.size()) + (all[r].ended ? 1 : 0));
                for (int64_t t = 0; t < a.rows; ++t) {
                    CHECK(a.columns == s.source.length(row));
                    double sum = 0;
                    for (int64_t c = 0; c < a.columns; ++c) sum += double(a.at(t, c));
                    CHECK(sum == doctest::Approx(1).epsilon(1e-5));
                }
                if (a.rows > 0)
                    CHECK(!attention_picture(*s.task, {s.source.row(row), std::size_t(s.source.length(row))}, all[r], {})
                               .empty());
            }
        }
}

TEST_CASE("the log-likelihood is that of the teacher-forced pass, and its attention too") {
    for (const char* form : {"model.form=bahdanau", "model.form=luong"}) {
        CAPTURE(form);
        const Setting s({form});
        const Ids source = s.source.slice(2, 3);
        const std::vector<int64_t> limits = {12};
        const Decoded d = decode(s, source, limits).front();
        const auto said = static_cast<int64_t>(d.ids.size());
        const int64_t length = said + (d.ended ? 1 : 0);
        Ids input(1, length), target(1, length);
        input.lengths[0] = target.lengths[0] = static_cast<int32_t>(length);
        for (int64_t t = 0; t < length; ++t) {
            input.at(0, t) = t == 0 ? int32_t{id_bos} : d.ids[static_cast<std::size_t>(t - 1)];
            target.at(0, t) = t == said ? int32_t{id_eos} : d.ids[static_cast<std::size_t>(t)];
        }
        const NoGrad no_grad;
        const Scored scored = s.made.model->score({source, input, target},
                                                  {.normaliser = 1, .label_normaliser = 1, .label_smoothing = 0, .ignored = -1},
                                                  Pass({}, Keep::maps));
        CHECK(-double(scored.loss.item()) == doctest::Approx(d.log_likelihood).epsilon(1e-4));
        const AttentionRows a =
            attention_of(scored.seen, s.made.model->sites(), 0, length, source.columns, length, source.length(0));
        REQUIRE(a.rows == d.attention.rows);
        for (int64_t t = 0; t < a.rows; ++t)
            for (int64_t c = 0; c < a.columns; ++c) CHECK(a.at(t, c) == doctest::Approx(d.attention.at(t, c)).epsilon(1e-4));
    }
}

TEST_CASE("where each head of self-attention looked most") {
    const Sites sites = {{.number = 0, .kind = SiteKind::self},
                         {.number = 1, .kind = SiteKind::cross},
                         {.number = 2, .kind = SiteKind::encoder}};
    const real first[] = {1, 0, 0, 0.5, 0.5, 0, 0.2, 0.3, 0.5}, second[] = {0, 0, 0, 0.3, 0.7, 0, 0.6, 0.2, 0.2};
    std::vector<real> both(std::begin(first), std::end(first));
    both.insert(both.end(), std::begin(second), std::end(second));
    const Tensor maps = Tensor::of({2, 3, 3}, both), other = Tensor::of({2, 1, 9}, both);
    const Sightings seen = {{.site = 0, .weights = maps, .read = maps},
                            {.site = 1, .weights = maps, .read = maps},
                            {.site = 2, .weights = other, .read = other},
                            {.site = 2, .weights = maps, .read = maps}};
    using Places = std::vector<std::vector<int32_t>>;
    CHECK(most_attended_own(seen, sites, 0, 3) == Places{{0, 0, 2}, {0, 0, 2}});
    CHECK(most_attended_own(seen, sites, 1, 3) == Places{{-1, 1, 0}, {-1, 1, 0}});
    CHECK(most_attended_own(seen, sites, 0, 2) == Places{{0, 0}, {0, 0}});  // of a padded row
    CHECK(most_attended_own({}, sites, 0, 3).empty());
}

TEST_CASE("what decoding refuses") {
    const Setting s({});
    const std::vector<int64_t> few = {1, 2}, negative = {1, 2, 3, 4, 5, 6, -1}, none(7, 0);
    CHECK_THROWS_WITH_AS(decode(s, s.source, few), "decode_beam: one limit a row: limits 2, rows 7", Error);
    CHECK_THROWS_WITH_AS(decode(s, s.source, negative), "decode_beam: a limit must not be negative: limit -1, least 0", Error);
    for (const Decoded& d : decode(s, s.source, none)) CHECK(d.ids.empty());
}

TEST_SUITE_END();

}  // namespace decode_test
