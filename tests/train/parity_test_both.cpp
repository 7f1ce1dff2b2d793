// Step by step beside PyTorch (tests/golden/training.py): whole transformers from the same weights
// on the same tokens, AdamW, clipping and a cosine schedule, through the trainer's own step.
#include <doctest/doctest.h>

#include <cmath>

#include "data/windows.h"
#include "nn/models/bert.h"
#include "nn/models/gpt.h"
#include "nn/models/transformer_seq2seq.h"
#include "tests/nn/golden.h"
#include "train/config/reader.h"
#include "train/learn/step.h"

namespace parity_test_both {

TEST_SUITE_BEGIN("train: parity");

using namespace attend;

namespace {

// 1e-4 is what is asked of float; in double nothing but the file's float32 numbers differs.
const double tolerance = sizeof(real) == 4 ? 1e-4 : 1e-6;
constexpr int64_t steps = 20;

int64_t number(const SafetensorsFile& file, const char* key) { return std::stol(file.metadata().at(key)); }

BlockOptions blocks_of(const SafetensorsFile& file, int64_t width) {
    BlockOptions b;
    b.layers = number(file, "layers");
    b.heads = number(file, "heads");
    b.width = width;
    b.ffn = number(file, "ffn");
    return b;
}

struct Rates {
    Selection optimizer{optimizer_table(), "adamw"}, schedule{schedule_table(), "cosine"};
    void fields(Visitor& v) {
        v.selection("optimizer", optimizer, "");
        v.selection("schedule", schedule, "");
    }
};

template <class T>
T read(const char* text) {
    const auto source = std::make_shared<config::Source>(config::Source{"parity", ".", config::Source::Kind::file});
    return config::read<T>(config::parse_object(text, source));
}

// Runs the steps on two threads and two shards, and compares.
void check_steps(const Model& model, ParameterStore& store, const SafetensorsFile& file, auto batch_of) {
    golden::load(store, file);
    const auto objective = objective_table().build(Selection(objective_table(), "likelihood"));
    const auto rates =
        read<Rates>(R"({"optimizer": {"type": "adamw", "learning_rate": 3e-3, "betas": [0.9, 0.99], "weight_decay": 0.1},
        "schedule": {"type": "cosine", "warmup": 4, "final": 3e-4}})");
    const auto optimizer = optimizer_table().build(rates.optimizer, store);
    const auto schedule = schedule_table().build(rates.schedule, optimizer->learning_rate(), steps);
    Workers workers(2);
    TrainingStep training({model, store, *objective, *optimizer, *schedule, workers},
                          {.shards = 2, .clip_norm = 1, .clip_value = 0, .seed = 1});
    const Tensor losses = file.read("output.losses");
    for (int64_t step = 0; step < steps; ++step) {
        CAPTURE(step);
        const Batch batch = batch_of(step);
        const StepReport report = training.run(step, batch);
        const double expected = static_cast<double>(losses.data()[step]);
        CHECK(report.loss() == doctest::Approx(expected).epsilon(tolerance));
        if (step == 0)
            for (const Parameter& p : store.table())
                golden::check_close(
                    Tensor::of(p.shape, {training.gradient() + p.offset, static_cast<std::size_t>(p.shape.size())}),
                    file.read("gradient." + p.name), tolerance, "gradient." + p.name);
    }
}

}  // namespace

TEST_CASE("gpt: 20 losses and the first gradients of GPT-2's and GPT-1's form, batches in sequential order") {
    for (const auto& path : golden::files("training_gpt", 2)) {
        CAPTURE(path.string());
        const SafetensorsFile file(path);
        const Shape embedding = file.info("embedding.weight").shape;
        GptOptions o;
        o.blocks = blocks_of(file, embedding[1]);
        o.blocks.norm_place = file.metadata().at("norm_place");
        o.context = number(file, "context");
        ParameterStore store(1);
        const Gpt model(o, Scope(store), {0, embedding[0]});
        TokenIds tokens(embedding[0]);
        for (const int64_t id : file.read_integers("input.tokens")) {
            const auto narrow = static_cast<int32_t>(id);
            tokens.add({&narrow, 1});
        }
        const auto batches =
            windows(tokens, o.context, WindowOrder::sequential, {.batch = number(file, "batch"), .seed = 1, .shuffled = true});
        check_steps(model, store, file, [&](int64_t step) { return batches->at(step); });
    }
}

TEST_CASE("transformer_seq2seq: 20 losses and the first gradients of Vaswani's form, with rows of different lengths") {
    const SafetensorsFile file(golden::files("training_vaswani", 1).front());
    const Shape source = file.info("encoder.embedding.weight").shape, target = file.info("decoder.embedding.weight").shape;
    TransformerSeq2SeqOptions o;
    o.blocks = blocks_of(file, target[1]);
    o.blocks.activation = "relu";
    o.blocks.norm_place = "post";
    ParameterStore store(1);
    const TransformerSeq2Seq model(o, Scope(store), {source[0], target[0]});
    Batch all;
    all.source = golden::ids(file, "input.source", "input.source_lengths");
    all.input = golden::ids(file, "input.decoder_input", "input.target_lengths");
    all.target = golden::ids(file, "input.target", "input.target_lengths");
    all.examples.assign(static_cast<std::size_t>(all.input.rows), 0);
    for (int64_t r = 0; r < all.target.rows; ++r)
        for (int64_t t = all.target.length(r); t < all.target.columns; ++t) all.target.at(r, t) = id_ignored;
    const int64_t batch = number(file, "batch");
    check_steps(model, store, file, [&](int64_t step) { return all.slice(step * batch, (step + 1) * batch); });
}

TEST_CASE("bert: 20 losses and the first gradients of masked words and next sentence, with rows of different lengths") {
    const SafetensorsFile file(golden::files("training_bert", 1).front());
    const Shape word = file.info("embedding.word.weight").shape;
    BertOptions o;
    o.blocks = blocks_of(file, word[1]);
    o.blocks.norm_place = "post";
    o.blocks.norm_epsilon = std::stod(file.metadata().at("epsilon"));
    o.context = file.info("embedding.position.weight").shape[0];
    o.segments = file.info("embedding.segment.weight").shape[0];
    ParameterStore store(1);
    const Bert model(o, Scope(store), {0, word[0], TargetKind::masked, file.info("relation.bias").shape[0]});
    Batch all;
    all.input = golden::ids(file, "input.text", "input.lengths");
    all.segments = golden::ids(file, "input.segments", "input.lengths");
    all.target = golden::ids(file, "input.target", "input.lengths");
    for (const int64_t label : file.read_integers("input.labels")) all.labels.push_back(static_cast<int32_t>(label));
    all.examples.assign(static_cast<std::size_t>(all.input.rows), 0);
    const int64_t batch = number(file, "batch");
    check_steps(model, store, file, [&](int64_t step) { return all.slice(step * batch, (step + 1) * batch); });
}

TEST_SUITE_END();

}  // namespace parity_test_both
