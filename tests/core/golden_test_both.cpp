#include "tests/golden/golden.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <vector>

#include "core/base/ids.h"
#include "core/engine.h"
#include "core/ops.h"
#include "core/safetensors.h"

namespace golden_test_both {

using namespace attend;

namespace {

// A golden case: its leaves are watched when first asked for, its outputs collected, and at the end
// everything is compared.
class Case {
  public:
    explicit Case(const std::string& name) : name_(name), file_(golden::open(name)) {}

    Tensor leaf(const std::string& name) {
        const auto found = leaves_.find(name);
        return found != leaves_.end() ? found->second : leaves_.emplace(name, watch(file_.read(name))).first->second;
    }
    Array<int32_t> ids(const std::string& name) const {
        Array<int32_t> all;
        for (const int64_t id : file_.read_integers(name)) all.push_back(static_cast<int32_t>(id));
        return all;
    }
    Tensor values(const std::string& name) const { return file_.read(name); }
    Shape shape(const std::string& name) const { return file_.info(name).shape; }
    std::string text(const std::string& key) const { return golden::text(file_, key); }
    double number(const std::string& key) const { return std::stod(text(key)); }

    /// An output with a cotangent.
    void output(const std::string& name, const Tensor& y) {
        compare("output." + name, y);
        outputs_.push_back(y);
        cotangents_.push_back(file_.read("cotangent." + name));
    }
    /// Relative to the tensor's largest number.
    void compare(const std::string& name, const Tensor& ours) {
        const Tensor theirs = file_.read(name);
        REQUIRE_MESSAGE(ours.shape() == theirs.shape(), name_ << ", " << name);
        double largest = 1, worst = 0;
        for (int64_t i = 0; i < ours.size(); ++i) {
            const auto a = static_cast<double>(ours.data()[i]), b = static_cast<double>(theirs.data()[i]);
            largest = std::max(largest, std::abs(b));
            worst = std::isfinite(a) ? std::max(worst, std::abs(a - b)) : 1e300;
        }
        CHECK_MESSAGE(worst <= tolerance * largest, name_ << ", " << name << ": off by " << worst << ", largest " << largest);
    }
    /// Runs backward and compares the gradient of every leaf; every gradient of the file must have
    /// been asked for.
    void finish() {
        Gradients g;
        backward(outputs_, cotangents_, g);
        for (const auto& [name, leaf] : leaves_) compare("gradient." + name, g.of(leaf));
        std::size_t gradients = 0;
        for (const TensorInfo& t : file_.tensors()) gradients += t.name.starts_with("gradient.") ? 1 : 0;
        CHECK_MESSAGE(gradients == leaves_.size(), name_);
        CHECK_MESSAGE(gradients > 0, name_);
    }

  private:
    // The files hold float32.
    static constexpr double tolerance = sizeof(real) == 8 ? 1e-6 : 1e-5;
    std::string name_;
    SafetensorsFile file_;
    std::map<std::string, Tensor> leaves_;
    std::vector<Tensor> outputs_, cotangents_;
};

// One range a row of [B, T, S]: positions before the length and, if causal, not after the query's
// own place.
Ranges ranges_of(const Array<int32_t>& lengths, int64_t rows, bool causal = false) {
    Ranges all;
    for (const int32_t n : lengths)
        for (int64_t t = 0; t < rows; ++t) all.push_back({0, causal ? std::min(n, static_cast<int32_t>(t + 1)) : n});
    return all;
}

Tensor project(Case& c, const std::string& prefix, const Tensor& x) {
    return linear(x, c.leaf(prefix + "input.weight"), c.leaf(prefix + "input.bias"));
}

Tensor score(Case& c, const std::string& kind, const Tensor& query, const Tensor& memory, const Ranges& ranges) {
    const auto product = [](const Tensor& q, const Tensor& k) { return matmul(q, k, Transpose::no, Transpose::yes); };
    if (kind == "additive")
        return additive_score(linear(query, c.leaf("score.query.weight")), linear(memory, c.leaf("score.key.weight")),
                              c.leaf("score.v"), ranges);
    if (kind == "concat") {  // [q; m] W is q times the upper rows plus m times the lower ones
        const Tensor w = c.leaf("score.weight");
        return additive_score(linear(query, w.rows(0, query.dim(2))), linear(memory, w.rows(query.dim(2), w.dim(0))),
                              c.leaf("score.v"), ranges);
    }
    if (kind == "general")
        return product(query, linear(memory, c.leaf("score.weight")));
    if (kind == "scaled_dot") {
        const Tensor q = linear(query, c.leaf("score.query.weight"));
        return scale(product(q, linear(memory, c.leaf("score.key.weight"))), 1 / std::sqrt(static_cast<real>(q.dim(2))));
    }
    REQUIRE(kind == "dot");
    return product(query, memory);
}

}  // namespace

TEST_SUITE("golden ops") {
    TEST_CASE("linear, embedding and layer_norm equal PyTorch's") {
        for (const char* name : {"linear_2d", "linear_3d"}) {
            Case c(name);
            c.output("y", linear(c.leaf("input.x"), c.leaf("weight"), c.leaf("bias")));
            c.finish();
        }
        Case e("embedding");
        e.output("y", embedding(e.leaf("weight"), e.ids("input.ids"), e.shape("input.ids")));
        e.finish();
        Case n("layer_norm");
        n.output("y", layer_norm(n.leaf("input.x"), n.leaf("weight"), n.leaf("bias"), static_cast<real>(n.number("epsilon"))));
        n.finish();
    }

    TEST_CASE("activations, rms_norm and rotary equal PyTorch's") {
        const std::pair<const char*, Tensor (*)(const Tensor&)> activations[] = {
            {"gelu", gelu}, {"gelu_tanh", gelu_tanh}, {"silu", silu}, {"swiglu", swiglu}};
        for (const auto& [name, op] : activations) {
            Case c(name);
            c.output("y", op(c.leaf("input.x")));
            c.finish();
        }
        Case n("rms_norm");
        n.output("y", rms_norm(n.leaf("input.x"), n.leaf("weight"), static_cast<real>(n.number("epsilon"))));
        n.finish();
        for (const auto& [name, pairs] :
             {std::pair{"rotary", RotaryPairs::halves}, {"rotary_neighbouring", RotaryPairs::neighbouring}}) {
            Case r(name);
            const auto integer = [&](const char* key) { return static_cast<int64_t>(r.number(key)); };
            r.output("y", rotary(r.leaf("input.x"), integer("heads"), integer("head_size"), integer("first_position"),
                                 r.number("base"), pairs));
            r.finish();
        }
    }

    TEST_CASE("fused attention, grouped heads, equals PyTorch's") {
        for (const std::string name :
             {"self_attention_causal", "self_attention_alibi", "self_attention_lengths", "cross_attention_lengths"}) {
            Case c(name);
            FusedAttentionOptions o;
            o.heads = static_cast<int64_t>(c.number("heads"));
            o.key_heads = static_cast<int64_t>(c.number("key_heads"));
            for (int64_t h = 1; h <= o.heads && c.text("alibi") == "true"; ++h)
                o.alibi.push_back(std::exp2(-8 * static_cast<real>(h) / static_cast<real>(o.heads)));
            const bool cross = name.starts_with("cross");
            const Tensor q = c.leaf(cross ? "input.q" : "input.qkv");
            const Ranges ranges = ranges_of(c.ids("input.lengths"), q.dim(1), c.text("causal") == "true");
            c.output("y", cross ? cross_attention(q, c.leaf("input.kv"), o, ranges) : self_attention(q, o, ranges));
            c.finish();
        }
    }

    TEST_CASE("softmax, log_softmax and sparsemax after lengths equal PyTorch's") {
        for (const std::string name : {"softmax", "log_softmax", "sparsemax"}) {
            Case c(name + "_lengths");
            const Tensor x = c.leaf("input.x");
            const Ranges ranges = ranges_of(c.ids("input.lengths"), x.dim(1));
            c.output("y", name == "softmax"       ? softmax(x, ranges)
                          : name == "log_softmax" ? log_softmax(x, ranges)
                                                  : sparsemax(x, ranges));
            c.finish();
        }
    }

    TEST_CASE("entmax15 and entmax equal what its definition gives in NumPy") {
        for (const std::string alpha : {"1.25", "1.5", "2.0"})
            for (const bool sorting : {false, true}) {
                if (sorting && alpha != "1.5")
                    continue;
                Case c("entmax_" + alpha);
                const Tensor x = c.leaf("input.x");
                const Ranges ranges = ranges_of(c.ids("input.lengths"), x.dim(1));
                const Tensor y = sorting ? entmax15(x, ranges) : entmax(x, static_cast<real>(c.number("alpha")), ranges);
                c.output("y", y);
                c.finish();
                const Tensor golden = c.values("output.y");
                for (int64_t i = 0; i < y.size(); ++i) CHECK((y.data()[i] == 0) == (golden.data()[i] == 0));
            }
    }

    TEST_CASE("gru_step, lstm_step and rnn_step equal PyTorch's cells") {
        Case g("gru_cell");
        g.output("h", gru_step(project(g, "", g.leaf("input.x")), g.leaf("input.h"), g.leaf("recurrent.weight"),
                               g.leaf("recurrent.bias")));
        g.finish();
        Case r("rnn_cell");
        r.output("h", rnn_step(project(r, "", r.leaf("input.x")), r.leaf("input.h"), r.leaf("recurrent.weight"),
                               r.leaf("recurrent.bias")));
        r.finish();
        Case l("lstm_cell");
        const LstmState s = lstm_step(project(l, "", l.leaf("input.x")), {l.leaf("input.h"), l.leaf("input.c")},
                                      l.leaf("recurrent.weight"), l.leaf("recurrent.bias"));
        l.output("h", s.h);
        l.output("c", s.c);
        l.finish();
    }

    TEST_CASE("gru_layer, lstm_layer and rnn_layer, two bidirectional layers with lengths, equal PyTorch's packed sequences") {
        for (const std::string kind : {"gru", "lstm", "rnn"}) {
            Case c(kind + "_bidirectional");
            const Array<int32_t> lengths = c.ids("input.lengths");
            Tensor x = c.leaf("input.x");
            std::vector<Tensor> h, cells;
            for (const std::string layer : {"0.", "1."}) {
                std::vector<Tensor> outputs;
                for (const Direction d : {Direction::forward, Direction::backward}) {
                    const std::string prefix = layer + (d == Direction::forward ? "forward." : "backward.");
                    const Tensor p = project(c, prefix, x), w = c.leaf(prefix + "recurrent.weight"),
                                 b = c.leaf(prefix + "recurrent.bias");
                    if (kind != "lstm") {
                        const GruLayerResult r = (kind == "gru" ? gru_layer : rnn_layer)(p, {}, w, b, lengths, d);
                        outputs.push_back(r.outputs);
                        h.push_back(r.last);
                    } else {
                        const LstmLayerResult r = lstm_layer(p, {}, w, b, lengths, d);
                        outputs.push_back(r.outputs);
                        h.push_back(r.last.h);
                        cells.push_back(r.last.c);
                    }
                }
                x = concat(outputs, 2);
            }
            c.output("y", x);
            const auto finals = [](const std::vector<Tensor>& all) {
                return stack(all, 0).reshape({2, 2, all[0].dim(0), all[0].dim(1)});
            };
            c.output("final_h", finals(h));
            if (kind == "lstm")
                c.output("final_c", finals(cells));
            c.finish();
        }
    }

    TEST_CASE("cross entropy, plain, smoothed and with the head, equals PyTorch's") {
        for (const std::string name : {"cross_entropy", "cross_entropy_smoothed", "head_cross_entropy"}) {
            Case c(name);
            const Array<int32_t> targets = c.ids("input.targets");
            CrossEntropyOptions o;
            o.ignored = static_cast<int32_t>(c.number("ignored"));
            o.label_smoothing = c.number("label_smoothing");
            o.normaliser = 0;
            for (const int32_t t : targets) o.normaliser += t != o.ignored ? 1 : 0;
            const bool head = name == "head_cross_entropy";
            const CrossEntropyResult r =
                head ? head_cross_entropy(c.leaf("input.x"), c.leaf("weight"), Transpose::no, c.leaf("bias"), targets, o)
                     : cross_entropy(c.leaf("input.logits"), targets, o);
            c.output("loss", r.loss.reshape({1}));
            if (!head)
                c.compare("output.row_loss", r.row_loss);
            c.finish();
        }
    }

    TEST_CASE("attention out of ops equals PyTorch's for every score, alignment and window") {
        for (const char* name : {"additive", "dot", "scaled_dot", "general", "concat", "dot_causal", "scaled_dot_causal",
                                 "general_temperature", "additive_sparsemax"}) {
            Case c(std::string("attention_") + name);
            const Tensor query = c.leaf("input.query"), memory = c.leaf("input.memory");
            const Ranges ranges = ranges_of(c.ids("input.lengths"), query.dim(1), c.text("causal") == "true");
            const auto sharpness = static_cast<real>(1 / c.number("temperature"));
            const Tensor scores = score(c, c.text("score"), query, memory, ranges);
            const Tensor weights =
                c.text("align") == "sparsemax" ? sparsemax(scores, ranges, sharpness) : softmax(scores, ranges, sharpness);
            c.output("weights", weights);
            c.output("context", matmul(weights, memory));
            c.finish();
        }
    }
}

}  // namespace golden_test_both
