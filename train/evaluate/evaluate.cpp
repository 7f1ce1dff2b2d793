#include "train/evaluate/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/random.h"
#include "core/engine.h"
#include "train/config/utf8.h"
#include "train/evaluate/decode/choice.h"
#include "train/experiment/loss.h"

namespace attend {

std::string Sample::text() const {
    const auto line = [](const std::string& t) { return utf8::shown(t, utf8::LineFeeds::escaped); };
    return fmt::format("source     {}\nreference  {}\ndecoded    {}\n\n", line(source), line(reference), line(decoded));
}

namespace {

// What one batch came to, kept until its turn to be counted.
struct Outcome {
    struct Example {
        int64_t number = 0;  // in its split
        EvaluatedExample example;
        Decoded decoded;  // where it was decoded at all
        ExampleLengths lengths;
    };
    LossSums sums;
    LossCounts counts;
    std::vector<Example> examples;
};

// Maps of longer rows are not looked at: a head's are [rows, length, length].
constexpr int64_t longest_own_map = 512;

struct Needs {
    bool decoding = false;
    bool attention = false;
};

Answer answer(const Task& task, std::span<const int32_t> ids) { return {task.decode_target(ids), task.target_symbols(ids)}; }

ExampleLengths lengths_of(const Batch& batch, int64_t row) {
    if (batch.source.rows == 0)
        return {0, batch.input.length(row)};
    ExampleLengths lengths{batch.source.length(row), 0};
    for (int64_t t = 0; t < batch.target.length(row); ++t)
        if (const int32_t id = batch.target.at(row, t); id != id_ignored && id != id_eos)
            ++lengths.target;
    return lengths;
}

Answer of_class(const Task& task, int32_t label) { return {task.class_name(label), {task.class_name(label)}}; }

Outcome evaluate_batch(const Model& model, const Task& task, const Batch& batch, const EvaluationSetup& setup, Needs needs,
                       int64_t first_row) {
    const NoGrad no_grad;
    Pass pass;
    pass.seed = setup.seed;  // of choices that are drawn in evaluation
    pass.first_row = first_row;
    pass.keep = needs.attention ? Keep::maps : Keep::nothing;
    const LossOptions options{.normaliser = 1, .label_normaliser = 1, .label_smoothing = 0, .ignored = id_ignored};
    const Scored scored = model.score(score_input(batch), options, pass);

    const auto decode = [&](const Ids& source) {
        return decode_beam(model, source, decode_limits(model, task, source, setup.max_length), setup.search, Collect::nothing);
    };
    Outcome outcome;
    outcome.sums = loss_sums(scored);
    outcome.counts = loss_counts(batch);
    outcome.examples.resize(static_cast<std::size_t>(batch.rows()));
    if (needs.decoding) {
        std::vector<std::vector<Decoded>> found = decode(batch.source);
        for (std::size_t r = 0; r < found.size(); ++r) outcome.examples[r].decoded = std::move(found[r].front());
    }
    for (int64_t r = 0; r < batch.rows(); ++r) {
        const auto row = static_cast<std::size_t>(r);
        auto& [number, e, decoded, lengths] = outcome.examples[row];
        lengths = lengths_of(batch, r);
        e.number = number = batch.examples[row];
        e.source = task.source_text(setup.split, number);
        e.reference = task.target_text(setup.split, number);
        e.gold = task.gold_alignment(setup.split, number);
        e.parts = task.target_parts();
        for (int64_t t = 0; t < batch.target.length(r); ++t)
            if (batch.target.at(r, t) != id_ignored) {
                e.loss += static_cast<double>(scored.target_loss.data()[r * batch.target.columns + t]);
                e.targets.push_back(batch.target.at(r, t));
                e.predicted.push_back(scored.predicted[static_cast<std::size_t>(r * batch.target.columns + t)]);
            }
        if (scored.label_loss.defined()) {
            e.label =
                ScoredLabel{batch.labels[row], scored.predicted_labels[row], static_cast<double>(scored.label_loss.data()[r])};
            e.decoded = of_class(task, e.label->predicted);
            e.references = {of_class(task, e.label->expected)};
        }
        if (needs.attention && batch.source.rows > 0) {
            const auto map = [&](MapOf of) {
                return attention_of(scored.seen, model.sites(), r, batch.target.columns, batch.source.columns,
                                    batch.target.length(r), batch.source.length(r), of);
            };
            e.attention = map(MapOf::read);
            if (std::ranges::any_of(scored.seen, [](const Seen& call) { return !call.index.empty(); }))
                e.chosen_from = map(MapOf::chosen_from);
        }
        if (needs.attention && batch.source.rows == 0)
            e.looked_at = most_attended_own(scored.seen, model.sites(), r, batch.input.length(r));
        const bool sample = number < setup.samples && batch.source.rows > 0;
        if (sample && !needs.decoding)
            decoded = std::move(decode(batch.source.slice(r, r + 1)).front().front());
        if (sample || needs.decoding)
            e.decoded = answer(task, decoded.ids);
        if (needs.decoding)
            for (std::string& text : task.references(setup.split, number)) {
                std::vector<std::string> symbols = task.cut_target(text);
                e.references.push_back({std::move(text), std::move(symbols)});
            }
    }
    return outcome;
}

}  // namespace

std::vector<int64_t> decode_limits(const Model& model, const Task& task, const Ids& source, int64_t max_length) {
    const int64_t most = model.longest() > 0 ? model.longest() : std::numeric_limits<int64_t>::max();
    std::vector<int64_t> limits;
    for (int64_t r = 0; r < source.rows; ++r)
        limits.push_back(std::min(most, max_length > 0 ? max_length : task.decode_limit(source.length(r))));
    return limits;
}

std::optional<Evaluation> evaluate(const Model& model, const Task& task, const EvaluationSetup& setup, Workers& workers,
                                   const std::function<bool()>& stop) {
    require(task.size(setup.split) > 0, "evaluation: the split has no examples: split '{}', examples {}",
            split_name(setup.split), task.size(setup.split));
    Needs needs;
    needs.decoding = task.source_vocabulary_size() > 0 && setup.samples >= task.size(setup.split);
    const bool maps_fit = task.source_vocabulary_size() > 0 || task.longest(setup.split).input.symbols <= longest_own_map;
    std::vector<std::pair<std::string, Metric>> metrics;
    for (const std::string& name : computed_metrics(task.metrics(), setup.decode)) {
        metrics.emplace_back(name, metric_of(name));
        needs.decoding |= metrics.back().second.needs_decoding;
        needs.attention |= maps_fit && metrics.back().second.needs_attention;
    }

    Evaluation result;
    result.samples.resize(static_cast<std::size_t>(std::min(setup.samples, task.size(setup.split))));
    const BatchOrder order{.batch = setup.batch, .seed = setup.seed, .shuffled = false};
    const std::unique_ptr<Batches> batches = task.batches(setup.split, order);
    std::vector<int64_t> numbers = setup.only;
    if (numbers.empty())
        for (int64_t k = 0; k < batches->per_epoch(); ++k) numbers.push_back(k);
    const auto count = static_cast<int64_t>(numbers.size());
    const int64_t wave = 4 * workers.threads();  // bounds what is kept; results are counted in order whatever it is
    LossSums sums;
    LossCounts counts;
    uint64_t fingerprint = 0;  // a sum: whatever the order
    for (int64_t first = 0; first < count; first += wave) {
        if (stop && stop())
            return {};
        std::vector<Batch> work;
        for (int64_t k = first; k < std::min(first + wave, count); ++k)
            work.push_back(batches->at(numbers[static_cast<std::size_t>(k)]));
        std::vector<Outcome> outcomes(work.size());
        workers.run(static_cast<int>(work.size()), [&](int i) {
            const auto k = static_cast<std::size_t>(i);
            outcomes[k] =
                evaluate_batch(model, task, work[k], setup, needs, numbers[static_cast<std::size_t>(first) + k] * setup.batch);
        });
        for (const Outcome& o : outcomes) {
            sums += o.sums;
            counts += o.counts;
            for (const auto& [number, e, decoded, lengths] : o.examples) {
                ExampleScores::Example scores{number, {}, lengths};
                for (auto& [name, metric] : metrics) {
                    scores.of.push_back(metric.statistics(e));
                    metric.add(scores.of.back());
                }
                if (setup.keep == KeepScores::yes) {
                    result.each.examples.push_back(std::move(scores));
                    fingerprint += hash_name(fmt::format("{}\n{}\n{}", number, e.source, e.reference));
                }
                if (setup.each_example)
                    setup.each_example(e);
                if (needs.decoding) {
                    ++result.decoded;
                    result.cut += decoded.ended ? 0 : 1;
                }
                if (number < static_cast<int64_t>(result.samples.size()))
                    result.samples[static_cast<std::size_t>(number)] = {e.source,
                                                                        e.label ? e.references.front().text : e.reference,
                                                                        e.decoded.text, decoded.log_likelihood, decoded.score};
            }
        }
    }

    for (const auto& [name, metric] : metrics) {
        // The loss is summed by batches: its sum over examples would differ in the last digits.
        const std::optional<double> value = !from_loss(name)       ? metric.value()
                                            : name == "perplexity" ? sums.perplexity(counts)
                                                                   : sums.mean(counts);
        if (value)
            result.scores.values.emplace_back(name, *value);
        if (setup.keep == KeepScores::yes)
            result.each.metrics.push_back(name);
    }
    result.each.fingerprint = fmt::format("{:016x}", fingerprint);
    std::ranges::sort(result.each.examples, {}, &ExampleScores::Example::number);
    return result;
}

}  // namespace attend
