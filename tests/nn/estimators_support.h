#pragma once
/// A small model with hard attention, its objectives enumerated over all choices, and the mean of
/// an estimator's draws held against them.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/engine.h"
#include "core/ops.h"
#include "nn/estimators/reinforce.h"
#include "nn/models/rnn_seq2seq.h"
#include "tests/optim/options_by_name.h"

namespace attend::ATTEND_PRECISION::enumeration {

inline constexpr int64_t vocabulary = 5, positions = 3, steps = 2, examples = 2;
inline const EstimatorSetup setup{.query = 4, .values = 4, .vocabulary = vocabulary};

struct Form {
    const char* name;
    const char* form;
    bool input_feeding;
};
inline constexpr Form forms[] = {
    {"luong", "luong", false}, {"luong with feeding", "luong", true}, {"bahdanau", "bahdanau", false}};

// A model with hard attention, its weights large enough that choices matter, and two examples of
// different lengths.
struct Small {
    explicit Small(const Form& f, real size = 2) : model(options(f), Scope(store), {vocabulary, vocabulary}) {
        parallel = std::string(f.form) == "luong" && !f.input_feeding;
        for (int64_t i = 0; i < store.size(); ++i) store.data()[i] *= size;
    }
    static RnnSeq2SeqOptions options(const Form& f) {
        RnnSeq2SeqOptions o;
        o.form = f.form;
        o.input_feeding = f.input_feeding;
        o.embedding = 3;
        o.hidden = 4;
        o.encoder_hidden = 2;
        factors_of(o.attention).score.choose("general");
        factors_of(o.attention).select.choose("hard");
        return o;
    }
    ParameterStore store{5};
    RnnSeq2Seq model;
    bool parallel;
};

// `copies` times one after the other.
inline Ids ids_of(std::initializer_list<std::initializer_list<int32_t>> rows, int64_t columns, int64_t copies,
                  int32_t padding) {
    Ids ids(static_cast<int64_t>(rows.size()) * copies, columns);
    int64_t r = 0;
    for (int64_t i = 0; i < copies; ++i)
        for (const auto& row : rows) {
            ids.lengths[static_cast<std::size_t>(r)] = static_cast<int32_t>(row.size());
            for (int64_t c = 0; c < columns; ++c)
                ids.values[static_cast<std::size_t>(r * columns + c)] =
                    c < static_cast<int64_t>(row.size()) ? *(row.begin() + c) : padding;
            ++r;
        }
    return ids;
}

struct Data {
    explicit Data(int64_t copies)
        : source(ids_of({{4, 2, 3}, {2, 4}}, positions, copies, 0)),
          input(ids_of({{1, 3}, {1}}, steps, copies, 0)),
          target(ids_of({{3, 2}, {4}}, steps, copies, -1)) {}
    ScoreInput all() const { return {source, input, target}; }
    Ids source, input, target;
};

// Example `row` alone.
inline Ids only(const Ids& ids, int64_t row) {
    Ids one(1, ids.columns);
    one.lengths[0] = ids.lengths[static_cast<std::size_t>(row)];
    for (int64_t c = 0; c < ids.columns; ++c) one.values[static_cast<std::size_t>(c)] = ids.at(row, c);
    return one;
}

inline std::vector<double> flat(Gradients& g) {
    g.finish();
    return {g.data(), g.data() + g.size()};
}

// The objective as its definition says, over all S^T choices of each example; of an estimator's own
// `proposal` where it has one. With `worth` the entropies of the choices are taken from the loss.
inline std::vector<double> enumerated(const Small& small, Aim aim, const Estimator* estimator = nullptr, double worth = 0) {
    const Data data(1);
    Gradients gradients(small.store);
    double normaliser = 0;
    for (const int32_t t : data.target.values) normaliser += t >= 0 ? 1 : 0;
    for (int64_t row = 0; row < examples; ++row) {
        const Ids source = only(data.source, row), input = only(data.input, row), target = only(data.target, row);
        Tensor total = Tensor::scalar(0);
        int64_t trajectories = 1;
        for (int64_t t = 0; t < steps; ++t) trajectories *= source.lengths[0];
        for (int64_t n = 0; n < trajectories; ++n) {
            Array<int32_t> choice;
            for (int64_t t = 0, rest = n; t < steps; ++t, rest /= source.lengths[0])
                choice.push_back(static_cast<int32_t>(rest % source.lengths[0]));
            Choices choices;
            if (small.parallel)
                choices[{0, 0}] = choice;
            else
                for (std::size_t t = 0; t < choice.size(); ++t) choices[{0, static_cast<int64_t>(t)}] = {choice[t]};
            const auto proposal = estimator == nullptr ? nullptr : estimator->proposal(target);
            const WayOfChoosing way = choose_forced(choices, proposal ? choose_proposed(*proposal) : choose_drawn());
            Pass pass({}, Keep::choices);
            pass.choosing = way.get();
            const Scored scored = small.model.score({source, input, target}, {}, pass);
            Tensor loss = scored.loss;
            Tensor p = Tensor::scalar(1);
            std::size_t t = 0;
            for (const Seen& d : scored.seen) {
                const Tensor& from = aim == Aim::bound ? d.proposal : d.weights;
                const Tensor w = from.reshape({from.dim(1), from.dim(2)});
                for (int64_t q = 0; q < w.dim(0); ++q, ++t) {
                    const int32_t at[] = {choice[t]};
                    p = p * sum(pick(w.rows(q, q + 1), at));
                    if (worth > 0 && target.at(0, static_cast<int64_t>(t)) >= 0)
                        for (int32_t s = 0; s < source.lengths[0]; ++s) {
                            const int32_t each[] = {s};
                            const Tensor ps = sum(pick(w.rows(q, q + 1), each));
                            loss = loss + scale(ps * log(ps), static_cast<real>(worth));
                        }
                    if (aim == Aim::bound && target.at(0, static_cast<int64_t>(t)) >= 0)  // KL(q || p) of this step
                        for (int32_t s = 0; s < source.lengths[0]; ++s) {
                            const int32_t each[] = {s};
                            const Tensor prior = d.weights.reshape(w.shape()).rows(q, q + 1);
                            const Tensor qs = sum(pick(w.rows(q, q + 1), each)), ps = sum(pick(prior, each));
                            loss = loss + qs * (log(qs) - log(ps));
                        }
                }
            }
            total = total + (aim == Aim::marginal ? p * exp(negate(loss)) : p * loss);
        }
        if (aim == Aim::marginal)
            total = negate(log(total));
        backward(scale(total, static_cast<real>(1 / normaliser)), gradients);
    }
    return flat(gradients);
}

struct Comparison {
    double worst = 0;     ///< largest distance of a mean from what is expected, in standard errors
    double size = 0;      ///< largest element of what is expected
    double distance = 0;  ///< largest distance
    double cosine = 0;    ///< of the mean and what is expected
};

// Means over `calls` batches of `copies` copies of the data.
inline Comparison compare(const Small& small, const Estimator& estimator, const std::vector<double>& exact, int64_t calls,
                          int64_t copies) {
    const Data data(copies);
    double normaliser = 0;
    for (const int32_t t : data.target.values) normaliser += t >= 0 ? 1 : 0;
    std::vector<double> sum(exact.size(), 0), squares(exact.size(), 0);
    Context context;
    context.mode = Mode::train;
    context.seed = 3;
    Gradients gradients(small.store);
    for (int64_t i = 0; i < calls; ++i) {
        context.step = static_cast<uint32_t>(i);
        gradients.reset();
        backward(small.model.estimate(estimator, data.all(), {.normaliser = normaliser}, context).loss, gradients);
        gradients.finish();
        for (std::size_t j = 0; j < exact.size(); ++j) {
            const double off = gradients.data()[j] - exact[j];  // about the expectation, so that squares cancel little
            sum[j] += off;
            squares[j] += off * off;
        }
    }
    Comparison c;
    double product = 0, means = 0, expected = 0;
    const auto n = static_cast<double>(calls);
    for (std::size_t j = 0; j < exact.size(); ++j) {
        const double mean = sum[j] / n, variance = std::max(0.0, squares[j] / n - mean * mean);
        const double error = std::sqrt(variance / n) + 1e-12;
        c.worst = std::max(c.worst, std::abs(mean) / error);
        c.distance = std::max(c.distance, std::abs(mean));
        c.size = std::max(c.size, std::abs(exact[j]));
        product += (mean + exact[j]) * exact[j];
        means += (mean + exact[j]) * (mean + exact[j]);
        expected += exact[j] * exact[j];
    }
    c.cosine = product / std::sqrt(means * expected);
    return c;
}

// Batches of 350 copies: 105,000 draws of each choice a sample.
inline constexpr int64_t calls = 300, copies = 350;
#if defined(ATTEND_SANITIZED)
inline constexpr bool too_slow = true;  // the release build takes half a minute
#else
inline constexpr bool too_slow = false;
#endif

inline Selection reinforce(const std::string& baseline, int64_t samples) {
    Selection s(estimator_table(), "reinforce");
    s.as<ReinforceOptions>().baseline.choose(baseline);
    s.as<ReinforceOptions>().samples = samples;
    return s;
}

// Sets one option that is a whole number.
inline void set_integer(Selection& s, const std::string& name, int64_t value) {
    oracles::OptionsByName setter(std::map<std::string, std::string>{{name, std::to_string(value)}});
    s.options().fields(setter);
}

}  // namespace attend::ATTEND_PRECISION::enumeration
