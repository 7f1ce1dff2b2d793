/// Times one full training step (forward, backward, clip to norm 1, AdamW) through the trainer's
/// own code, on random ids and models of the sizes of torch_training_step.py; and the machine's
/// matrix-product rate through core/gemm.h.
///
///     attend_bench_step --list
///     attend_bench_step [--threads N] [--shards N] [--steps N] CASE ...
///     attend_bench_step --matrix-product [--threads N]
///     attend_bench_step --attention-memory
///     attend_bench_step --linear-attention
///     attend_bench_step --sliding-attention
///
/// One JSON object a line, the fields of torch_training_step.py: case, peer, threads, ms_per_step
/// (median), tokens_per_second, parameters, peak_mib.
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "core/base/memory.h"
#include "core/gemm.h"
#include "core/ops.h"
#include "nn/models/model.h"
#include "nn/multi_head.h"
#include "optim/optimizer.h"
#include "train/config/reader.h"
#include "train/experiment/experiment.h"
#include "train/learn/step.h"

namespace attend::ATTEND_PRECISION {
namespace {

// A case is the model part of a config and the shape of its batches.
struct Case {
    const char* name;
    const char* config;
};
// Sizes as CASES of torch_training_step.py.
constexpr Case cases[] = {
    {"gpt-toy", R"({"vocabulary": 65, "batch": 8, "target": 32,
        "model": {"type": "gpt", "layers": 2, "width": 64, "heads": 4, "context": 32}})"},
    {"gpt-nano", R"({"vocabulary": 65, "batch": 12, "target": 64,
        "model": {"type": "gpt", "layers": 4, "width": 128, "heads": 4, "context": 64}})"},
    {"gpt-baby", R"({"vocabulary": 65, "batch": 8, "target": 256,
        "model": {"type": "gpt", "layers": 6, "width": 384, "heads": 6, "context": 256}})"},
    {"gpt-long", R"({"vocabulary": 256, "batch": 2, "target": 2048,
        "model": {"type": "gpt", "layers": 2, "width": 128, "heads": 4, "context": 2048}})"},
    {"gpt2-124m", R"({"vocabulary": 50257, "batch": 4, "target": 64,
        "model": {"type": "gpt", "layers": 12, "width": 768, "heads": 12, "context": 64}})"},
    {"rnnsearch-toy", R"({"vocabulary": 30, "batch": 32, "source": 12, "target": 12,
        "model": {"type": "rnn_seq2seq", "cell": "gru", "embedding": 32, "hidden": 64}})"},
    {"rnnsearch-mid", R"({"vocabulary": 1000, "batch": 64, "source": 20, "target": 20,
        "model": {"type": "rnn_seq2seq", "cell": "gru", "embedding": 128, "hidden": 256}})"},
    {"rnnsearch-multi30k", R"({"vocabulary": 8000, "batch": 64, "source": 16, "target": 16,
        "model": {"type": "rnn_seq2seq", "cell": "gru", "embedding": 256, "hidden": 512}})"},
    {"transformer-tiny", R"({"vocabulary": 8000, "batch": 64, "source": 16, "target": 16,
        "model": {"type": "transformer_seq2seq", "layers": 4, "width": 128, "heads": 4, "ffn": 256, "share": "all"}})"},
    {"bert-mini", R"({"vocabulary": 8000, "batch": 16, "target": 128, "guessed": 0.15,
        "model": {"type": "bert", "layers": 4, "width": 256, "heads": 4, "context": 128}})"},
};

struct CaseOptions {
    int64_t vocabulary = 1, batch = 1, source = 0, target = 1;
    double guessed = 0;
    Selection model{model_table(), model_table().names().front()};
    void fields(Visitor& v) {
        v.integer("vocabulary", vocabulary, {1, 1 << 20}, "ids of source and target");
        v.integer("batch", batch, {1, 1 << 16}, "rows");
        v.integer("source", source, {0, 1 << 16}, "source length; 0: none");
        v.integer("target", target, {1, 1 << 16}, "target length");
        v.number("guessed", guessed, {0, 1},
                 "share of the positions that are targets, of masked text; 0: all, of what follows");
        v.selection("model", model, "the model");
    }
};

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

Ids random_ids(Stream& stream, int64_t rows, int64_t columns, int64_t vocabulary) {
    Ids ids(rows, columns);
    for (int32_t& id : ids.values) id = static_cast<int32_t>(stream.below(static_cast<uint32_t>(vocabulary)));
    for (int32_t& length : ids.lengths) length = static_cast<int32_t>(columns);
    return ids;
}

Batch random_batch(const CaseOptions& options) {
    Stream stream(1, "bench");
    Batch batch;
    if (options.source > 0)
        batch.source = random_ids(stream, options.batch, options.source, options.vocabulary);
    batch.input = random_ids(stream, options.batch, options.target, options.vocabulary);
    batch.target = random_ids(stream, options.batch, options.target, options.vocabulary);
    if (options.guessed > 0)
        for (int32_t& id : batch.target.values)
            if (stream.uniform() >= options.guessed)
                id = id_ignored;
    for (int64_t i = 0; i < options.batch; ++i) batch.examples.push_back(i);
    return batch;
}

int64_t peak_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

struct Effort {
    int threads = 1;
    int64_t shards = 0;
    int steps = 40;
};

std::string measure(const Case& named, const Effort& effort) {
    auto source = std::make_shared<config::Source>(config::Source{named.name, ".", config::Source::Kind::file});
    const auto options = config::read<CaseOptions>(config::parse_object(named.config, source));
    ParameterStore store(1);
    const auto model = model_table().build(options.model, Scope(store),
                                           ModelSetup{options.source > 0 ? options.vocabulary : 0, options.vocabulary,
                                                      options.guessed > 0 ? TargetKind::masked : TargetKind::following});
    const auto objective = objective_table().build(Selection(objective_table(), "likelihood"));
    const auto optimizer = optimizer_table().build(Selection(optimizer_table(), "adamw"), store);
    const auto schedule = schedule_table().build(Selection(schedule_table(), "constant"), 1e-3, effort.steps);
    Workers workers(effort.threads);
    const int64_t shards = effort.shards > 0 ? effort.shards : std::min(machine_cores(), options.batch);
    TrainingStep training({*model, store, *objective, *optimizer, *schedule, workers},
                          {.shards = shards, .clip_norm = 1.0, .clip_value = 0, .seed = 1});
    const Batch batch = random_batch(options);

    // The first two steps warm caches up and are not counted; at least 3 are, however long they
    // take.
    std::vector<double> times;
    const auto began = Clock::now();
    for (int step = 0; step < effort.steps + 2 && (step < 5 || seconds_since(began) < 20); ++step) {
        const auto start = Clock::now();
        training.run(step, batch);
        if (step >= 2)
            times.push_back(seconds_since(start));
    }
    const double middle = median(times);
    int64_t parameters = 0;
    for (const Parameter& p : store.table()) parameters += p.shape.size();
    return fmt::format(R"({{"case": "{}", "peer": "attend", "threads": {}, "shards": {}, "ms_per_step": {:.3f}, )"
                       R"("tokens_per_second": {:.0f}, "parameters": {}, "peak_mib": {}}})",
                       named.name, effort.threads, shards, middle * 1e3,
                       static_cast<double>(options.batch * options.target) / middle, parameters, peak_mib());
}

// Each thread multiplies its own 768 x 768 matrices, all at the same time.
std::string measure_products(int threads) {
    constexpr int64_t n = 768;
    constexpr int repeats = 10, rounds = 9;
    Workers workers(threads);
    std::vector<Array<real>> a, c;
    for (int t = 0; t < threads; ++t) {
        a.emplace_back(static_cast<std::size_t>(n * n), real{1} / 3);
        c.emplace_back(static_cast<std::size_t>(n * n));
    }
    std::vector<double> times;
    for (int round = 0; round < rounds; ++round) {
        const auto start = Clock::now();
        workers.run(threads, [&](int t) {
            const auto i = static_cast<std::size_t>(t);
            for (int r = 0; r < repeats; ++r)
                gemm(Transpose::no, Transpose::no, n, n, n, 1, a[i].data(), n, a[i].data(), n, 0, c[i].data(), n);
        });
        times.push_back(seconds_since(start));
    }
    const double operations = 2.0 * static_cast<double>(n * n * n) * repeats * threads;
    return fmt::format(R"({{"case": "matrix products", "threads": {}, "gflops": {:.1f}, "library": "{}"}})", threads,
                       operations / median(times) / 1e9, gemm_library());
}

// Most bytes in use in one training step (forward and backward) of one causal self-attention layer
// on one row.
std::string measure_attention(int64_t length, bool fused) {
    constexpr int64_t width = 256, heads = 4;
    ParameterStore store(1);
    BlockAttentionSetup setup;
    setup.width = width;
    setup.heads = heads;
    Selection causal = transformer_attention("causal");
    MultiHead layer(Scope(store), factors_of(causal), setup);
    if (!fused)
        layer.use_heads();
    Gradients gradients(store);
    const Tensor x = watch(Tensor::full({1, length, width}, real{0.1}));
    const Tensor cotangent = Tensor::full(x.shape(), 1);
    const Array<int32_t> lengths = {static_cast<int32_t>(length)};
    const std::size_t before = memory::statistics().in_use;
    memory::reset_peak();
    const auto start = Clock::now();
    const Tensor y = layer(x, lengths, {}).value;
    backward({&y, 1}, {&cotangent, 1}, gradients);
    const double mib = static_cast<double>(memory::statistics().peak_in_use - before) / (1 << 20);
    return fmt::format(
        R"({{"case": "attention memory", "way": "{}", "tokens": {}, "width": {}, "heads": {}, "peak_mib": {:.1f}, )"
        R"("ms": {:.0f}}})",
        fused ? "fused" : "by heads", length, width, heads, mib, seconds_since(start) * 1e3);
}

// A way to attend, causal, of q, k and v [1, T, H K] each, alpha and beta [1, T, H], and q, k and v packed.
struct AttentionWay {
    const char* name;
    Tensor (*attend)(std::span<const Tensor> in, const Ranges& causal);
};
constexpr int64_t heads_measured = 4, head_size_measured = 64;
template <Normalise normalise, bool decays, bool erases>
Tensor by_states(std::span<const Tensor> in, const Ranges&) {
    const StateWrites writes{in[1], in[2], decays ? in[3] : Tensor(), erases ? in[4] : Tensor()};
    return linear_attention(in[0], writes, {}, {}, {heads_measured, 0, normalise}).outputs;
}
Tensor by_softmax(std::span<const Tensor> in, const Ranges& causal) {
    FusedAttentionOptions o;
    o.heads = heads_measured;
    return self_attention(in[5], o, causal);
}
// The recurrence, without chunks: as generation does it.
Tensor one_position_at_a_time(std::span<const Tensor> in, const Ranges&) {
    std::vector<Tensor> outputs;
    Tensor state;
    for (int64_t t = 0; t < in[0].dim(1); ++t) {
        std::vector<Tensor> at;
        for (const Tensor& x : in) at.push_back(slice(x, 1, t, t + 1));
        const LinearAttentionResult r =
            linear_attention(at[0], {at[1], at[2], at[3], at[4]}, state, {}, {heads_measured, 0, Normalise::no});
        outputs.push_back(r.outputs);
        state = r.state;
    }
    return concat(outputs, 1);
}
constexpr AttentionWay attention_ways[] = {
    {"softmax, fused", by_softmax},
    {"linear", by_states<Normalise::no, false, false>},
    {"linear, divided", by_states<Normalise::yes, false, false>},
    {"retention", by_states<Normalise::no, true, false>},
    {"delta", by_states<Normalise::no, false, true>},
    {"gated_delta", by_states<Normalise::no, true, true>},
    {"gated_delta, one position at a time", one_position_at_a_time},
};

// Seconds that this thread has computed: the machine may do other work.
double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Least seconds of one row in this thread, of three to a hundred repeats.
struct PassSeconds {
    double forward = 1e9, both = 1e9;
};
PassSeconds time_way(int64_t length, Tensor (*attend_with)(std::span<const Tensor>, const Ranges&), const Ranges& ranges) {
    Stream stream(1, "bench");
    const auto filled = [&](int64_t columns, double low, double high) {
        Tensor x = Tensor::empty({1, length, columns});
        for (int64_t i = 0; i < x.size(); ++i) x.writable()[i] = static_cast<real>(low + (high - low) * stream.uniform());
        return x;
    };
    constexpr int64_t width = heads_measured * head_size_measured;
    const std::vector<Tensor> inputs = {filled(width, -1, 1),           filled(width, -0.125, 0.125), filled(width, -1, 1),
                                        filled(heads_measured, 0.9, 1), filled(heads_measured, 0, 1), filled(3 * width, -1, 1)};
    const Tensor cotangent = Tensor::full({1, length, width}, 1);
    PassSeconds least;
    const auto began = Clock::now();
    for (int round = 0; round < 100 && (round < 3 || seconds_since(began) < 2); ++round) {
        std::vector<Tensor> leaves;
        for (const Tensor& x : inputs) leaves.push_back(watch(x));
        Gradients gradients;
        const double start = thread_seconds();
        const Tensor y = attend_with(leaves, ranges);
        least.forward = std::min(least.forward, thread_seconds() - start);
        backward({&y, 1}, {&cotangent, 1}, gradients);
        least.both = std::min(least.both, thread_seconds() - start);
    }
    return least;
}

// Position t sees itself and the `window` - 1 before it.
Ranges sliding_ranges(int64_t length, int64_t window) {
    Ranges ranges;
    for (int64_t t = 0; t < length; ++t)
        ranges.push_back({static_cast<int32_t>(std::max<int64_t>(0, t + 1 - window)), static_cast<int32_t>(t + 1)});
    return ranges;
}
Ranges causal_ranges(int64_t length) { return sliding_ranges(length, length); }

std::string measure_way(int64_t length, const AttentionWay& way) {
    const PassSeconds least = time_way(length, way.attend, causal_ranges(length));
    return fmt::format(
        R"({{"case": "linear attention", "way": "{}", "tokens": {}, "heads": {}, "head_size": {}, "forward_ms": {:.3f}, )"
        R"("ms": {:.3f}}})",
        way.name, length, heads_measured, head_size_measured, least.forward * 1e3, least.both * 1e3);
}

// A sliding window beside the fused causal kernel on a shorter row with as many visible pairs of query
// and key, as near as a whole number of positions comes.
std::string measure_sliding(int64_t length, int64_t window) {
    const auto pairs = [](const Ranges& ranges) {
        int64_t n = 0;
        for (const Range& r : ranges) n += r.end - r.begin;
        return n;
    };
    const Ranges sliding = sliding_ranges(length, window);
    const auto shorter = static_cast<int64_t>(std::lround(std::sqrt(2.0 * static_cast<double>(pairs(sliding)))));
    const Ranges causal = causal_ranges(shorter);
    const PassSeconds a = time_way(length, by_softmax, sliding), b = time_way(shorter, by_softmax, causal);
    const double ratio = a.both / static_cast<double>(pairs(sliding)) / (b.both / static_cast<double>(pairs(causal)));
    return fmt::format(
        R"({{"case": "sliding attention", "tokens": {}, "window": {}, "ms": {:.3f}, "causal_tokens": {}, "causal_ms": {:.3f}, )"
        R"("ratio_per_pair": {:.3f}}})",
        length, window, a.both * 1e3, shorter, b.both * 1e3, ratio);
}

int run(int argc, char** argv) {
    prepare_gemm();
    flush_denormals();
    CLI::App app("times a training step");
    Effort effort;
    bool list = false, products = false, attention = false, linear = false, sliding = false;
    std::vector<std::string> names;
    app.add_flag("--list", list, "print the names of the cases");
    app.add_flag("--matrix-product", products, "measure matrix products alone");
    app.add_flag("--attention-memory", attention, "measure the memory of one attention layer at 1,024 to 8,192 tokens");
    app.add_flag("--linear-attention", linear,
                 "time attention with constant states beside softmax's at 256, 1,024 and 4,096 tokens");
    app.add_flag("--sliding-attention", sliding,
                 "time a sliding window of 256 at 1,024 to 16,384 tokens beside causal attention with as many visible pairs");
    app.add_option("--threads", effort.threads, "threads")->check(CLI::Range(1, 1024));
    app.add_option("--shards", effort.shards, "shards of a batch; 0: as training does by itself")->check(CLI::Range(0, 1024));
    app.add_option("--steps", effort.steps, "steps to count, at most")->check(CLI::Range(3, 1000000));
    app.add_option("cases", names, "cases");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : 2;
    }
    if (list)
        for (const Case& c : cases) fmt::print("{}\n", c.name);
    if (products)
        fmt::print("{}\n", measure_products(effort.threads));
    for (int64_t length = 1024; attention && length <= 8192; length *= 2)
        for (const bool fused : {true, false}) {
            fmt::print("{}\n", measure_attention(length, fused));
            std::fflush(stdout);
        }
    for (int64_t length = 256; linear && length <= 4096; length *= 4)
        for (const AttentionWay& way : attention_ways) {
            fmt::print("{}\n", measure_way(length, way));
            std::fflush(stdout);
        }
    for (int64_t length = 1024; sliding && length <= 16384; length *= 2) {
        fmt::print("{}\n", measure_sliding(length, 256));
        std::fflush(stdout);
    }
    for (const std::string& name : names) {
        const auto* found = std::find_if(std::begin(cases), std::end(cases), [&](const Case& c) { return name == c.name; });
        require(found != std::end(cases), "bench: no such case: '{}', known {}; see --list", name, std::size(cases));
        fmt::print("{}\n", measure(*found, effort));
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace
}  // namespace attend::ATTEND_PRECISION

int main(int argc, char** argv) {
    try {
        return attend::run(argc, argv);
    } catch (const attend::Error& e) {
        fmt::print(stderr, "attend_bench_step: {}\n", e.what());
        return 2;
    } catch (const std::exception& e) {
        fmt::print(stderr, "attend_bench_step: {}\n", e.what());
        return 1;
    }
}
