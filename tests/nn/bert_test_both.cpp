/// What must hold for every form of the encoder, whatever its weights.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/trace.h"
#include "core/engine.h"
#include "core/ops.h"
#include "tests/nn/bert_forms.h"

namespace bert_test_both {

using namespace attend;
using testing::BertForm;
using testing::BertSample;
using testing::random_text;

TEST_SUITE_BEGIN("bert");

namespace {

const double rounding = sizeof(real) == 4 ? 2e-5 : 1e-12;

// Target losses [3, 6] and, where there are labels, those of the rows.
std::vector<double> losses(const Scored& s, const Ids& target) {
    std::vector<double> all;
    for (int64_t r = 0; r < target.rows; ++r)
        for (int64_t t = 0; t < target.length(r); ++t)
            all.push_back(static_cast<double>(s.target_loss.data()[r * target.columns + t]));
    for (int64_t r = 0; s.label_loss.defined() && r < target.rows; ++r)
        all.push_back(static_cast<double>(s.label_loss.data()[r]));
    return all;
}

void check_equal(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(rounding));
}

Scored score(const BertForm& f, const ScoreInput& batch, const Context& context = {}) {
    ParameterStore store(5);
    const Bert model(f.options, Scope(store), f.setup);
    return model.score(batch, LossOptions{}, context);
}

}  // namespace

TEST_CASE("heads follow from what the task gives") {
    const auto heads = [](const ModelSetup& setup) {
        ParameterStore store(1);
        const Bert model(testing::bert_forms().front().options, Scope(store), setup);
        std::string found;
        for (const char* name : {"masked.bias", "pooler.weight", "relation.weight", "classifier.weight"})
            if (store.find(name) != nullptr)
                found += std::string(name, 1);
        return found;
    };
    CHECK(heads(testing::masked_words) == "m");
    CHECK(heads(testing::masked_pairs) == "mpr");
    CHECK(heads(testing::labelled_rows) == "pc");
}

TEST_CASE("the loss is the sum of its terms, each by its own normaliser, and targets are scored where they stand") {
    for (const BertForm& f : testing::bert_forms()) {
        CAPTURE(f.name);
        const BertSample s(f.setup);
        ParameterStore store(5);
        const Bert model(f.options, Scope(store), f.setup);
        LossOptions o;
        o.normaliser = 7;
        o.label_normaliser = 11;
        const Scored r = model.score(s.whole(), o, {});
        double targets = 0, labels = 0;
        for (int64_t i = 0; i < s.target.rows * s.target.columns; ++i) {
            const auto at = static_cast<std::size_t>(i);
            targets += static_cast<double>(r.target_loss.data()[i]);
            CHECK((r.target_loss.data()[i] > 0) == (s.target.values[at] != -1));
            CHECK((r.predicted[at] >= 0) == (s.target.values[at] != -1));
        }
        CHECK(r.label_loss.defined() == (f.setup.classes > 0));
        for (int64_t i = 0; r.label_loss.defined() && i < 3; ++i) labels += static_cast<double>(r.label_loss.data()[i]);
        CHECK(r.predicted_labels.size() == s.labels.size());
        CHECK(static_cast<double>(r.loss.item()) == doctest::Approx(targets / 7 + labels / 11).epsilon(rounding));
    }
}

TEST_CASE("padding: ids after a row's length and further columns change nothing") {
    for (const BertForm& f : testing::bert_forms()) {
        CAPTURE(f.name);
        const BertSample s(f.setup);
        BertSample wide = s;
        for (Ids* ids : {&wide.input, &wide.target, &wide.segments}) {
            const Ids before = *ids;
            *ids = Ids(3, 8);
            ids->lengths = before.lengths;
            for (int64_t r = 0; r < 3; ++r)
                for (int64_t t = 0; t < 8; ++t) ids->at(r, t) = t < before.length(r) ? before.at(r, t) : 1;
        }
        check_equal(losses(score(f, wide.whole()), wide.target), losses(score(f, s.whole()), s.target));
    }
}

TEST_CASE("a row's loss does not depend on its companions, nor its dropout on the cut") {
    for (BertForm& f : testing::bert_forms()) {
        CAPTURE(f.name);
        f.options.blocks.dropout = 0.3;
        const BertSample s(f.setup);
        Context context;
        context.mode = Mode::train;
        const std::vector<double> together = losses(score(f, s.whole(), context), s.target);
        const Ids input = s.input.slice(2, 3), target = s.target.slice(2, 3), segments = s.segments.slice(2, 3);
        const std::span<const int32_t> labels = s.labels.empty() ? std::span<const int32_t>() : std::span(s.labels).subspan(2);
        context.first_row = 2;
        const std::vector<double> alone = losses(score(f, {no_ids, input, target, segments, labels}, context), target);
        std::vector<double> expected(together.begin() + 8, together.begin() + 14);
        if (!labels.empty())
            expected.push_back(together.back());
        check_equal(alone, expected);
        context.first_row = 0;
        CHECK(losses(score(f, {no_ids, input, target, segments, labels}, context), target) != alone);
    }
}

TEST_CASE("both sides are read: a change anywhere in a row changes the losses of its targets and label, of no other row") {
    for (const BertForm& f : testing::bert_forms()) {
        CAPTURE(f.name);
        const BertSample s(f.setup);
        const std::vector<double> before = losses(score(f, s.whole()), s.target);
        for (const int64_t changed : {0, 3, 5}) {
            BertSample other = s;
            other.input.at(2, changed) = (other.input.at(2, changed) + 1) % static_cast<int32_t>(testing::bert_vocabulary);
            const std::vector<double> after = losses(score(f, other.whole()), s.target);
            for (std::size_t i = 0; i < before.size(); ++i) {
                const bool row_2 = i >= 8 && (i < 14 || i == 16);
                if (before[i] != 0)
                    CHECK((std::abs(after[i] - before[i]) > 1e-7) == row_2);
            }
        }
        BertSample other = s;
        other.segments.at(2, 5) = 0;
        if (f.options.segments > 0)
            CHECK(losses(score(f, other.whole()), s.target) != before);
    }
}

TEST_CASE("without positions the encoder is equivariant: permuted inputs, targets and segments have permuted losses") {
    for (BertForm& f : testing::bert_forms()) {
        CAPTURE(f.name);
        const BertSample s(f.setup);
        BertSample permuted = s;
        const int32_t order[] = {0, 4, 2, 5, 1, 3};  // [CLS] stays, whose features are the row's
        for (std::size_t i = 0; i < 3; ++i) {
            const Ids& from = i == 0 ? s.input : i == 1 ? s.target : s.segments;
            Ids& to = i == 0 ? permuted.input : i == 1 ? permuted.target : permuted.segments;
            for (int64_t t = 0; t < 6; ++t) to.at(2, t) = from.at(2, order[t]);
        }
        const auto of_row = [&](const BertSample& sample) {
            const Scored r = score(f, sample.whole());
            std::vector<double> all(6);
            for (int64_t t = 0; t < 6; ++t)
                all[static_cast<std::size_t>(t)] = static_cast<double>(r.target_loss.data()[12 + t]);
            if (r.label_loss.defined())
                all.push_back(static_cast<double>(r.label_loss.data()[2]));
            return all;
        };
        const auto expected = [&] {
            const std::vector<double> before = of_row(s);
            std::vector<double> all = before;
            for (std::size_t t = 0; t < 6; ++t) all[t] = before[static_cast<std::size_t>(order[t])];
            return all;
        };
        const auto distance = [&] {
            const std::vector<double> a = of_row(permuted), b = expected();
            double most = 0;
            for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
            return most;
        };
        const Selection positions = f.options.positions;
        f.options.positions.choose("none");
        CHECK(distance() < rounding);
        if (positions.name() != "none") {
            f.options.positions = positions;
            CHECK(distance() > 1e-4);  // with positions it is not
        }
    }
}

TEST_CASE("recomputed blocks have the same loss and gradients, bit for bit") {
    for (BertForm& f : testing::bert_forms()) {
        CAPTURE(f.name);
        f.options.blocks.dropout = 0.2;
        const BertSample s(f.setup);
        Context context;
        context.mode = Mode::train;
        const auto gradients_of = [&](bool recompute) {
            f.options.blocks.recompute = recompute;
            ParameterStore store(5);
            const Bert model(f.options, Scope(store), f.setup);
            store.freeze("embedding.word.weight");
            Gradients gradients(store);
            backward(model.score(s.whole(), LossOptions{}, context).loss, gradients);
            gradients.finish();
            return std::vector<real>(gradients.data(), gradients.data() + gradients.size());
        };
        CHECK(gradients_of(false) == gradients_of(true));
    }
}

TEST_CASE("a shard without a target has a loss of 0 and no gradient, and one text has the first segment") {
    const BertForm f = testing::bert_forms().front();
    BertSample s(f.setup);
    std::fill(s.segments.values.begin(), s.segments.values.end(), 0);
    const Scored one = score(f, {no_ids, s.input, s.target}), two = score(f, s.whole());
    CHECK(one.loss.item() == two.loss.item());
    std::fill(s.target.values.begin(), s.target.values.end(), -1);
    ParameterStore store(5);
    const Bert model(f.options, Scope(store), f.setup);
    Gradients gradients(store);
    const Scored none = model.score(s.whole(), LossOptions{}, {});
    CHECK(none.loss.item() == 0);
    backward(none.loss, gradients);
    gradients.finish();
    CHECK(std::all_of(gradients.data(), gradients.data() + gradients.size(), [](real g) { return g == 0; }));
}

TEST_CASE("what bert cannot do is refused with the numbers") {
    const auto message = [](const ModelSetup& setup, auto change) {
        BertForm f{"", testing::bert_forms().front().options, setup};
        BertSample s(setup);
        change(f.options, s);
        try {
            score(f, s.whole());
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    const auto same = [](BertOptions&, BertSample&) {};
    CHECK(message({5, 5, TargetKind::masked, 0}, same).starts_with("model bert: it reads one text"));
    CHECK(message({0, 11}, same)
              .starts_with("model bert: it sees all of its input, and with it the targets of this task: targets 'following', "
                           "needed 'masked' or 'none'"));
    CHECK(message({0, 11, TargetKind::none, 0}, same) ==
          "model bert: a task with nothing to predict: targets 'none', classes 0");
    const ModelSetup words = testing::masked_words, rows = testing::labelled_rows;
    CHECK(message(words, same).empty());
    CHECK(message(words, [](BertOptions& o, BertSample&) { o.context = 5; }) ==
          "model bert: a row is longer than the context: columns 6, model.context 5");
    CHECK(message(words, [](BertOptions& o, BertSample&) { o.segments = 0; }) ==
          "model bert: segments do not fit: segments 3 x 6, input 3 x 6, model.segments 0");
    CHECK(message(words, [](BertOptions& o, BertSample&) { o.segments = 1; }).find("embedding") != std::string::npos);
    CHECK(message(words, [](BertOptions&, BertSample& s) { s.target = Ids(3, 5); }) ==
          "model bert: batch does not fit together: source 0 rows, input 3 x 6, target 3 x 5");
    CHECK(message(words, [](BertOptions&, BertSample& s) {
              s.labels = {0, 1, 0};
          }) == "model bert: a label a row, of the classes it has a head for: labels 3, rows 3, classes 0");
    CHECK(message(rows, [](BertOptions&, BertSample& s) { s.labels.pop_back(); }) ==
          "model bert: a label a row, of the classes it has a head for: labels 2, rows 3, classes 3");
    CHECK(message(rows, [](BertOptions&, BertSample& s) { s.labels.clear(); }) ==
          "model bert: nothing to score: no targets, labels 0, classes 3");
    CHECK(message(rows, [](BertOptions&, BertSample& s) { s.target.at(0, 0) = 1; }) ==
          "model bert: it has no head for targets: targets 1, allowed 0");
    ParameterStore store(1);
    const Bert model(testing::bert_forms().front().options, Scope(store), words);
    CHECK_FALSE(model.decodes());
    CHECK_THROWS_WITH_AS(model.start(Ids(2, 3), {}), "model bert: an encoder generates no text: rows to begin with 2", Error);
}

TEST_CASE("every parameter of bert, poisoned, names its own module") {
    for (const BertForm& f : testing::bert_forms()) {
        CAPTURE(f.name);
        const BertSample s(f.setup);
        ParameterStore store(5);
        const Bert model(f.options, Scope(store), f.setup);
        const auto blamed = [&] {
            const trace::Checked checked;
            Context context;
            context.mode = Mode::train;
            try {
                model.score(s.whole(), LossOptions{}, context);
            } catch (const Diverged& d) {
                return d.found()->module;
            }
            return std::string();
        };
        REQUIRE(blamed().empty());
        for (const Parameter& p : store.table()) {
            CAPTURE(p.name);
            if (p.name.find(".heads.") != std::string::npos)
                continue;  // a score's part of a head, whose site is named
            real* values = store.values(p);
            const std::vector<real> before(values, values + p.shape.size());
            std::fill_n(values, p.shape.size(), std::numeric_limits<real>::quiet_NaN());
            CHECK(blamed() == p.name.substr(0, p.name.rfind('.')));
            std::copy(before.begin(), before.end(), values);
        }
    }
}

TEST_CASE("models that write refuse masked targets and labels") {
    for (const char* name : {"gpt", "rnn_seq2seq", "transformer_seq2seq"})
        for (const ModelSetup& setup :
             {ModelSetup{0, 11, TargetKind::masked, 0}, ModelSetup{0, 11, TargetKind::following, 2}}) {
            CAPTURE(name);
            ModelSetup with = setup;
            with.source_vocabulary = std::string(name) == "gpt" ? 0 : 11;
            ParameterStore store(1);
            std::string said;
            try {
                (void)model_table().build(Selection(model_table(), name), Scope(store), with);
            } catch (const Error& e) {
                said = e.what();
            }
            CHECK(said.starts_with(std::string("model ") + name +
                                   ": it predicts the symbols that follow its input, and no labels"));
        }
    for (const char* name : {"gpt", "rnn_seq2seq", "transformer_seq2seq"}) {
        ParameterStore store(1);
        const auto model = model_table().build(Selection(model_table(), name), Scope(store),
                                               ModelSetup{std::string(name) == "gpt" ? 0 : 11, 11});
        BertSample s(testing::masked_pairs);
        const std::string said = std::string("model ") + name + ": it has no use for segments and labels: ";
        CHECK_THROWS_WITH_AS(model->score({no_ids, s.input, s.input, s.segments}, {}, {}),
                             (said + "segments 3 rows, labels 0").c_str(), Error);
        CHECK_THROWS_WITH_AS(model->score({no_ids, s.input, s.input, no_ids, s.labels}, {}, {}),
                             (said + "segments 0 rows, labels 3").c_str(), Error);
    }
}

TEST_SUITE_END();

}  // namespace bert_test_both
