/// A value that is not finite is blamed on the module that the poisoned parameter belongs to.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "core/base/random.h"
#include "core/base/trace.h"
#include "nn/attention/score.h"
#include "nn/models/rnn_seq2seq.h"

namespace module_path_test {

using namespace attend;

TEST_SUITE_BEGIN("module paths");

namespace {

constexpr int64_t vocabulary = 9;

Ids some_ids() {
    Ids ids(2, 3);
    for (int64_t row = 0; row < 2; ++row) {
        ids.lengths[static_cast<std::size_t>(row)] = 3;
        for (int64_t t = 0; t < 3; ++t) ids.at(row, t) = static_cast<int32_t>(4 + (row + t) % 5);
    }
    return ids;
}

// The module named by checked mode; "" where every value is finite.
std::string blamed(const RnnSeq2Seq& model) {
    const trace::Checked checked;
    const Ids ids = some_ids();
    Context context;
    context.mode = Mode::train;
    try {
        model.score({ids, ids, ids}, LossOptions{}, context);
    } catch (const Diverged& d) {
        return d.found()->module;
    }
    return "";
}

// The module that a parameter's name begins with: all but "weight", "bias" or "v", and of a
// recurrent layer, which runs its two products itself, all but "input.weight" and the like.
std::string owner(const std::string& name) {
    std::string module = name.substr(0, name.rfind('.'));
    for (const std::string part : {".input", ".recurrent"})
        if (module.ends_with(part))
            module.resize(module.size() - part.size());
    return module;
}

}  // namespace

TEST_CASE("every parameter of the encoder-decoder, poisoned, names its own module") {
    for (const std::string form : {"bahdanau", "luong"})
        for (const std::string& cell : cell_names())
            for (const std::string score : {"additive", "general", "concat"}) {
                CAPTURE(form);
                CAPTURE(cell);
                CAPTURE(score);
                RnnSeq2SeqOptions o;
                o.form = form;
                o.cell = cell;
                o.embedding = 3;
                o.hidden = 4;
                o.encoder_layers = o.decoder_layers = 2;
                o.input_feeding = form == "luong" && cell == "gru";
                factors_of(o.attention).score = Selection(score_table(), score);
                ParameterStore store(1);
                const RnnSeq2Seq model(o, Scope(store), {vocabulary, vocabulary});
                REQUIRE(blamed(model).empty());
                for (const Parameter& p : store.table()) {
                    CAPTURE(p.name);
                    real* values = store.values(p);
                    const std::vector<real> before(values, values + p.shape.size());
                    std::fill_n(values, p.shape.size(), std::numeric_limits<real>::quiet_NaN());
                    CHECK(blamed(model) == owner(p.name));
                    std::copy(before.begin(), before.end(), values);
                }
            }
}

TEST_SUITE_END();

}  // namespace module_path_test
