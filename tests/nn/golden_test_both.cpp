/// Attention and whole encoder-decoders against PyTorch.
#include "golden.h"
#include "nn/models/rnn_seq2seq.h"

namespace golden_test_both {

using namespace attend;

TEST_SUITE_BEGIN("golden");

namespace {
std::string option(const SafetensorsFile& file, const char* name) {
    const auto found = file.metadata().find(name);
    REQUIRE(found != file.metadata().end());
    return found->second;
}
bool is_true(const std::string& text) { return text == "true" || text == "True" || text == "1"; }
constexpr double tolerance = 2e-5;
}  // namespace

TEST_CASE("attention: weights, context and gradients equal PyTorch's") {
    for (const auto& path : golden::files("attention_", 5)) {
        CAPTURE(path.string());
        const SafetensorsFile file(path);
        AttentionOptions o;
        o.score.choose(option(file, "score"));
        o.align.choose(option(file, "align"));
        if (is_true(option(file, "causal")))
            o.window.choose("causal");
        const double temperature = std::stod(option(file, "temperature"));
        struct Temperature final : Visitor {
            double value;
            explicit Temperature(double v) : value(v) {}
            void integer(const char*, int64_t&, Bounds<int64_t>, const char*) override {}
            void number(const char* name, double& v, Bounds<double>, const char*) override {
                if (std::string_view(name) == "temperature")
                    v = value;
            }
            void flag(const char*, bool&, const char*) override {}
            void text(const char*, std::string&, const char*) override {}
            void choice(const char*, std::string&, std::vector<std::string>, const char*) override {}
            void path(const char*, std::string&, const char*) override {}
            void paths(const char*, std::vector<std::string>&, const char*) override {}
            void numbers(const char*, std::vector<double>&, Bounds<double>, bool, const char*) override {}
            void selection(const char*, Selection&, const char*) override {}
            void pattern(const char*, Pattern&, const char*) override {}

          protected:
            void nested(const char*, FunctionRef<void(Visitor&)>, const char*) override {}
        } set_temperature(temperature);
        o.align.options().fields(set_temperature);

        const Tensor query = watch(file.read("input.query")), memory = watch(file.read("input.memory"));
        if (file.has("score.v"))
            o.width = file.info("score.v").shape[0];
        else if (file.has("score.query.weight"))
            o.width = file.info("score.query.weight").shape[1];
        ParameterStore store(1);
        const Attention attention(Scope(store), o, query.dim(2), memory.dim(2), QueryKind{true, true});
        golden::load(store, file);
        Array<int32_t> lengths;
        for (int64_t n : file.read_integers("input.lengths")) lengths.push_back(static_cast<int32_t>(n));

        const Attended a = attention(query, attention.prepare(memory, lengths), 0, {}, Context{});
        golden::check_close(a.next.weights, file.read("output.weights"), tolerance, "weights");
        golden::check_close(a.context, file.read("output.context"), tolerance, "context");
        Gradients gradients(store);
        const Tensor outputs[] = {a.next.weights, a.context};
        const Tensor cotangents[] = {file.read("cotangent.weights"), file.read("cotangent.context")};
        backward(outputs, cotangents, gradients);
        gradients.finish();
        golden::check_gradients(store, gradients, file, tolerance);
        golden::check_close(gradients.of(query), file.read("gradient.input.query"), tolerance, "gradient of the query");
        golden::check_close(gradients.of(memory), file.read("gradient.input.memory"), tolerance, "gradient of the memory");
    }
}

TEST_CASE("rnn_seq2seq: losses, attention maps, step-by-step logits and all gradients equal PyTorch's") {
    for (const auto& path : golden::files("rnn_seq2seq_", 5)) {
        CAPTURE(path.string());
        const SafetensorsFile file(path);
        RnnSeq2SeqOptions o;
        o.form = option(file, "form");
        o.cell = option(file, "cell");
        o.input_feeding = is_true(option(file, "input_feeding"));
        factors_of(o.attention).score.choose(option(file, "score"));
        o.encoder_layers = std::stol(option(file, "encoder_layers"));
        o.decoder_layers = std::stol(option(file, "decoder_layers"));
        o.embedding = std::stol(option(file, "embedding"));
        o.hidden = std::stol(option(file, "hidden"));
        ParameterStore store(1);
        const RnnSeq2Seq model(
            o, Scope(store), {file.info("encoder.embedding.weight").shape[0], file.info("decoder.embedding.weight").shape[0]});
        golden::load(store, file);

        const Ids source = golden::ids(file, "input.source", "input.source_lengths");
        const Ids input = golden::ids(file, "input.decoder_input", "input.target_lengths");
        const Ids target = golden::ids(file, "input.target", "input.target_lengths");
        LossOptions loss;
        loss.normaliser = static_cast<double>(target.tokens());
        Context context;
        context.mode = Mode::train;
        const Scored scored = model.score({source, input, target}, loss, context);
        golden::check_close(scored.loss, file.read("output.loss"), tolerance, "loss");
        golden::check_close(scored.target_loss, file.read("output.target_loss"), tolerance, "target_loss");
        Gradients gradients(store);
        backward(scored.loss, gradients);
        gradients.finish();
        golden::check_gradients(store, gradients, file, tolerance);

        // The decoder, fed the same symbols, gives the same logits and attends alike.
        const Pass look({}, Keep::maps);
        const auto state = model.start(source, look);
        const Tensor logits = file.read("output.logits"), weights = file.read("output.weights");
        for (int64_t t = 0; t < input.columns; ++t) {
            Array<int32_t> ids;
            for (int64_t b = 0; b < input.rows; ++b) ids.push_back(input.at(b, t));
            const Advanced next = model.advance(*state, ids, look);
            const Tensor& step = next.logits;
            REQUIRE(next.seen.size() == 1);
            for (int64_t b = 0; b < input.rows; ++b)
                if (t < target.length(b)) {
                    golden::check_close(step.row(b), logits.row(b).row(t), tolerance, "logits");
                    golden::check_close(next.seen.front().read.row(b), weights.row(b).row(t), tolerance, "weights");
                }
        }
    }
}

TEST_SUITE_END();

}  // namespace golden_test_both
