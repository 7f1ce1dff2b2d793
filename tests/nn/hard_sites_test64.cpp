// Hard attention at every site of transformers: REINFORCE against the enumeration of all choices of
// all sites, every parameter.
#include <doctest/doctest.h>

#include <cmath>

#include "core/ops.h"
#include "nn/estimators/reinforce.h"
#include "nn/models/bert.h"
#include "nn/models/gpt.h"
#include "nn/models/transformer_seq2seq.h"
#include "tests/optim/options_by_name.h"

namespace hard_sites_test64 {

using namespace attend;

TEST_SUITE_BEGIN("hard sites");

namespace {

constexpr int64_t vocabulary = 4;

Ids ids_of(std::initializer_list<int32_t> row, int64_t copies) {
    Ids ids(copies, static_cast<int64_t>(row.size()));
    for (int64_t r = 0; r < copies; ++r) {
        ids.lengths[static_cast<std::size_t>(r)] = static_cast<int32_t>(row.size());
        std::copy(row.begin(), row.end(), ids.values.begin() + r * ids.columns);
    }
    return ids;
}

struct Data {
    Data(int64_t copies, bool with_source, bool with_labels = false)
        : source(with_source ? ids_of({2, 3}, copies) : Ids()), input(ids_of({1, 3}, copies)), target(ids_of({3, 2}, copies)) {
        if (!with_labels)
            return;
        labels.assign(static_cast<std::size_t>(copies), 1);
        for (int64_t r = 0; r < copies; ++r) target.values[static_cast<std::size_t>(2 * r)] = -1;  // the first is no target
    }
    ScoreInput all() const { return {source, input, target, no_ids, labels}; }
    Ids source, input, target;
    std::vector<int32_t> labels;
};

Selection hard(const std::string& baseline = "none", int64_t samples = 1) {
    Selection estimator(estimator_table(), "reinforce");
    estimator.as<ReinforceOptions>().baseline.choose(baseline);
    estimator.as<ReinforceOptions>().samples = samples;
    return estimator;
}

// A model with its store; weights large enough that choices matter.
struct Small {
    ParameterStore store{5};
    std::unique_ptr<Model> model;
    bool with_source = false, with_labels = false;

    void enlarge() {
        for (const Parameter& p : store.table())
            for (int64_t i = 0; i < p.shape.size(); ++i)
                store.values(p)[i] *= p.shape.rank() > 1 ? static_cast<real>(2) : static_cast<real>(1);
    }
};

GptOptions two_layers_of_two_heads() {
    GptOptions o;
    o.blocks.layers = 2;
    o.blocks.heads = 2;
    o.blocks.width = 4;
    o.context = 4;
    o.init = 0.5;
    return o;
}

std::unique_ptr<Small> gpt() {
    auto small = std::make_unique<Small>();
    GptOptions o = two_layers_of_two_heads();
    choose_factor(o.attention, &AttentionOptions::select, "hard");
    small->model = std::make_unique<Gpt>(o, Scope(small->store), ModelSetup{0, vocabulary});
    small->enlarge();
    return small;
}

// The second head of the second layer chooses, and no other.
std::unique_ptr<Small> gpt_with_one_hard_head() {
    auto small = std::make_unique<Small>();
    GptOptions o = two_layers_of_two_heads();
    const Selection soft = transformer_attention("causal");
    Selection hard = soft;
    factors_of(hard).select.choose("hard");
    o.attention = Pattern({{soft}, {soft, hard}});
    small->model = std::make_unique<Gpt>(o, Scope(small->store), ModelSetup{0, vocabulary});
    small->enlarge();
    return small;
}

// Hard where it is asked for: the encoder's self-attention, the decoder's, the cross-attention.
std::unique_ptr<Small> seq2seq(bool encoder, bool self, bool cross) {
    auto small = std::make_unique<Small>();
    small->with_source = true;
    TransformerSeq2SeqOptions o;
    o.blocks.layers = 1;
    o.blocks.heads = 1;
    o.blocks.width = 4;
    for (auto [attention, chooses] :
         {std::pair(&o.encoder_attention, encoder), {&o.attention, self}, {&o.cross_attention, cross}})
        if (chooses)
            choose_factor(*attention, &AttentionOptions::select, "hard");
    small->model = std::make_unique<TransformerSeq2Seq>(o, Scope(small->store), ModelSetup{vocabulary, vocabulary});
    small->enlarge();
    return small;
}

// Masked words and a label of each row.
std::unique_ptr<Small> bert() {
    auto small = std::make_unique<Small>();
    small->with_labels = true;
    BertOptions o;
    o.blocks.layers = 2;
    o.blocks.heads = 1;
    o.blocks.width = 4;
    o.context = 4;
    o.init = 0.5;
    choose_factor(o.attention, &AttentionOptions::select, "hard");
    small->model = std::make_unique<Bert>(o, Scope(small->store), ModelSetup{0, vocabulary, TargetKind::masked, 2});
    small->enlarge();
    return small;
}

// The expected loss over all choices of all queries of all sites, and how many there are.
// With `worth` the entropies of the choices are taken from the loss.
std::pair<std::vector<double>, int64_t> enumerated(const Small& small, double worth = 0) {
    const Data data(1, small.with_source, small.with_labels);
    Gradients gradients(small.store);
    Pass pass({}, Keep::choices);
    const Sightings first = small.model->score(data.all(), {}, pass).seen;
    std::vector<std::pair<std::size_t, std::size_t>> queries;  // call and query, with what each can see
    std::vector<int64_t> seen;
    for (std::size_t d = 0; d < first.size(); ++d)
        for (int64_t q = 0; q < first[d].weights.dim(1); ++q) {
            queries.emplace_back(d, static_cast<std::size_t>(q));
            const int64_t s = first[d].weights.dim(2);
            int64_t n = 0;
            while (n < s && first[d].weights.data()[q * s + n] > 0) ++n;
            seen.push_back(n);
        }
    int64_t all = 1;
    for (const int64_t n : seen) all *= n;
    for (int64_t number = 0; number < all; ++number) {
        Choices choices;
        for (const Seen& d : first) choices[{d.site, d.step}] = d.index;
        int64_t rest = number;
        for (std::size_t i = 0; i < queries.size(); ++i) {
            const Seen& d = first[queries[i].first];
            choices[{d.site, d.step}][queries[i].second] = static_cast<int32_t>(rest % seen[i]);
            rest /= seen[i];
        }
        const WayOfChoosing way = choose_forced(choices);
        pass.choosing = way.get();
        const Scored scored = small.model->score(data.all(), {.normaliser = 2}, pass);
        Tensor loss = scored.loss, p = Tensor::scalar(1);
        for (const Seen& d : scored.seen)
            for (int64_t q = 0; q < d.weights.dim(1); ++q) {
                const int32_t at[] = {d.index[static_cast<std::size_t>(q)]};
                p = p * sum(pick(d.weights.reshape({d.weights.dim(1), d.weights.dim(2)}).rows(q, q + 1), at));
            }
        if (worth > 0)
            for (const Seen& d : scored.seen)
                loss = loss +
                       scale(sum(d.weights * log(shift(d.weights, static_cast<real>(1e-30)))), static_cast<real>(worth / 2));
        backward(p * loss, gradients);
    }
    gradients.finish();
    return {{gradients.data(), gradients.data() + gradients.size()}, all};
}

// Largest distance of the mean of calls * copies * samples draws from `exact`, in standard errors.
double worst(Small& small, const Estimator& estimator, const std::vector<double>& exact, int64_t calls, int64_t copies) {
    const Data data(copies, small.with_source, small.with_labels);
    std::vector<double> sum(exact.size()), squares(exact.size());
    Context context;
    context.mode = Mode::train;
    context.seed = 8;
    Gradients gradients(small.store);
    for (int64_t i = 0; i < calls; ++i) {
        context.step = static_cast<uint32_t>(i);
        gradients.reset();
        backward(
            small.model
                ->estimate(estimator, data.all(),
                           {.normaliser = 2.0 * static_cast<double>(copies), .label_normaliser = static_cast<double>(copies)},
                           context)
                .loss,
            gradients);
        gradients.finish();
        for (std::size_t j = 0; j < exact.size(); ++j) {
            const double off = gradients.data()[j] - exact[j];
            sum[j] += off;
            squares[j] += off * off;
        }
    }
    double most = 0;
    const auto n = static_cast<double>(calls);
    for (std::size_t j = 0; j < exact.size(); ++j) {
        const double mean = sum[j] / n, variance = std::max(0.0, squares[j] / n - mean * mean);
        most = std::max(most, std::abs(mean) / (std::sqrt(variance / n) + 1e-12));
    }
    return most;
}

#if defined(ATTEND_SANITIZED)
constexpr bool too_slow = true;
#else
constexpr bool too_slow = false;
#endif

}  // namespace

TEST_CASE("reinforce has the mean of all choices of all layers, heads and sites" * doctest::skip(too_slow)) {
    const std::pair<const char*, std::function<std::unique_ptr<Small>()>> models[] = {
        {"gpt", gpt},
        {"one head", gpt_with_one_hard_head},
        {"bert", bert},
        {"cross", [] { return seq2seq(false, false, true); }},
        {"all sites", [] { return seq2seq(true, true, true); }}};
    for (const auto& [name, make] : models)
        for (const auto& [baseline, samples] :
             {std::pair("none", int64_t{1}), {"learned", int64_t{1}}, {"learned", int64_t{2}}, {"leave_one_out", int64_t{2}}}) {
            CAPTURE(name);
            CAPTURE(baseline);
            if (std::string(name) == "bert" && std::string(baseline) == "learned")
                continue;  // it has no decoder
            const std::unique_ptr<Small> small = make();
            const auto [exact, all] = enumerated(*small);
            CHECK(all > 1);  // one head sees two positions at one query
            const auto estimator =
                estimator_table().build(hard(baseline, samples), Scope(small->store, "tried"), small->model->estimator_setup());
            CHECK(worst(*small, *estimator, exact, 300, 350) < 5);
        }
}

TEST_CASE("with entropy every site's choices answer for the entropies of all" * doctest::skip(too_slow)) {
    for (const auto& make : {+[] { return gpt(); }, +[] { return seq2seq(true, true, true); }}) {
        const std::unique_ptr<Small> small = make();
        const std::vector<double> exact = enumerated(*small, 0.5).first;
        Selection s = hard();
        s.as<ReinforceOptions>().entropy = 0.5;
        const auto estimator = estimator_table().build(s, Scope(small->store, "tried"), small->model->estimator_setup());
        CHECK(worst(*small, *estimator, exact, 300, 350) < 5);
    }
}

TEST_CASE("relaxed choices see nothing after a causal window, however hot they are") {
    Selection hot(estimator_table(), "gumbel_softmax");
    oracles::OptionsByName setter(std::map<std::string, std::string>{{"temperature", "100"}});
    hot.options().fields(setter);
    const std::unique_ptr<Small> small = gpt();
    const auto estimator = estimator_table().build(hot, Scope(small->store, "tried"), small->model->estimator_setup());
    Context context;
    context.mode = Mode::train;
    Data data(1, false);
    const real before = small->model->estimate(*estimator, data.all(), {.normaliser = 2}, context).target_loss.data()[0];
    data.input.values[1] = 2;
    const Tensor after = small->model->estimate(*estimator, data.all(), {.normaliser = 2}, context).target_loss;
    CHECK(after.data()[0] == before);
}

TEST_CASE("a learned baseline looks at a decoder's choices") {
    const std::unique_ptr<Small> small = seq2seq(true, false, false);
    const auto [exact, all] = enumerated(*small);
    CHECK(all == 4);
    const auto plain = estimator_table().build(hard(), Scope(small->store, "plain"), small->model->estimator_setup());
    CHECK(worst(*small, *plain, exact, 60, 350) < 5);
    const auto learned =
        estimator_table().build(hard("learned"), Scope(small->store, "tried"), small->model->estimator_setup());
    CHECK_THROWS_WITH_AS(worst(*small, *learned, exact, 1, 1), doctest::Contains("here only an encoder chooses"), Error);
}

TEST_CASE("one head that chooses, after heads that do not, has its estimator") {
    const std::unique_ptr<Small> small = gpt_with_one_hard_head();
    REQUIRE(small->model->estimator() != nullptr);
    CHECK(small->model->hard() != nullptr);
}

TEST_CASE("sites of gpt and bert: every head of every layer, numbered") {
    const auto text = gpt(), masked = bert();
    REQUIRE(text->model->sites().size() == 4);
    REQUIRE(masked->model->sites().size() == 2);
    for (const Small* small : {text.get(), masked.get()})
        for (std::size_t i = 0; i < small->model->sites().size(); ++i) {
            const Site& site = small->model->sites()[i];
            const bool decodes = small == text.get();
            CHECK(site.number == static_cast<int64_t>(i));
            CHECK(site.layer == static_cast<int64_t>(decodes ? i / 2 : i));
            CHECK(site.head == static_cast<int64_t>(decodes ? i % 2 : 0));
            CHECK(site.kind == (decodes ? SiteKind::self : SiteKind::encoder));
            CHECK(site.affects == (decodes ? Affects::following : Affects::all));
            CHECK(site.columns() == Columns::own);
        }
}

TEST_CASE("training, evaluation and estimators that do not fit") {
    const std::unique_ptr<Small> small = seq2seq(true, false, true);
    CHECK(small->model->estimator() != nullptr);
    CHECK(small->model->hard() != nullptr);
    const Data data(3, true);
    Context context;
    context.mode = Mode::train;
    const Scored trained = small->model->score(data.all(), {.normaliser = 6}, context);
    CHECK(trained.loss.recorded());
    CHECK(trained.target_loss.shape() == Shape{3, 2});
    for (const char* name : {"exact", "relax", "rebar", "variational", "sum_and_sample", "coupled", "unordered_set"}) {
        CAPTURE(name);
        ParameterStore store(1);
        const auto estimator =
            estimator_table().build(Selection(estimator_table(), name), Scope(store), small->model->estimator_setup());
        CHECK_THROWS_AS(small->model->estimate(*estimator, data.all(), {.normaliser = 6}, context), Error);
    }
    ParameterStore store(1);
    TransformerSeq2SeqOptions o;
    o.blocks.width = 4;
    o.blocks.heads = 2;
    choose_factor(o.cross_attention, &AttentionOptions::select, "hard");
    o.blocks.recompute = true;
    CHECK_THROWS_WITH_AS(TransformerSeq2Seq(o, Scope(store), ModelSetup{vocabulary, vocabulary}),
                         doctest::Contains("recompute would choose a second time"), Error);
}

TEST_SUITE_END();

}  // namespace hard_sites_test64
