#include "nn/models/model.h"

#include "nn/models/bert.h"
#include "nn/models/gpt.h"
#include "nn/models/rnn_seq2seq.h"
#include "nn/models/transformer_seq2seq.h"

namespace attend::ATTEND_PRECISION {

void require_following(const char* model, const ModelSetup& setup) {
    require(setup.targets == TargetKind::following && setup.classes == 0,
            "model {}: it predicts the symbols that follow its input, and no labels: targets '{}', needed '{}', classes {}, "
            "needed 0; "
            "model 'bert' predicts masked targets and labels",
            model, target_kind_name(setup.targets), target_kind_name(TargetKind::following), setup.classes);
}

void require_plain(const char* model, const ScoreInput& batch) {
    require(batch.segments.rows == 0 && batch.labels.empty(),
            "model {}: it has no use for segments and labels: segments {} rows, labels {}", model, batch.segments.rows,
            batch.labels.size());
}

void require_fit(const char* model, const ScoreInput& batch, int64_t sources) {
    const auto& [source, input, target, segments, labels] = batch;
    require(source.rows == sources && target.rows == input.rows && target.columns == input.columns && input.rows > 0 &&
                input.columns > 0,
            "model {}: batch does not fit together: source {} rows, input {} x {}, target {} x {}", model, source.rows,
            input.rows, input.columns, target.rows, target.columns);
}

PublishedLayout Model::published_layout() const {
    fail("model: there is no published layout for this kind; kinds that have one: gpt (as GPT-2), bert");
}

Estimated Model::estimate(const Estimator&, const ScoreInput&, const LossOptions&, const Context&) const {
    fail("model: this kind has no attention that chooses positions (select 'hard')");
}

const ModelTable& model_table() {
    static const ModelTable table(
        "model",
        {
            ModelTable::row<RnnSeq2Seq, RnnSeq2SeqOptions>(
                "rnn_seq2seq", "recurrent encoder-decoder with attention (Bahdanau 2015; Luong 2015)"),
            ModelTable::row<TransformerSeq2Seq, TransformerSeq2SeqOptions>("transformer_seq2seq",
                                                                           "transformer encoder-decoder (Vaswani 2017)"),
            ModelTable::row<Gpt, GptOptions>("gpt", "decoder-only transformer (Radford 2018, 2019)"),
            ModelTable::row<Bert, BertOptions>("bert", "bidirectional encoder for masked text and labels (Devlin 2018)"),
        });
    return table;
}
const registry::AtStart model_listed(model_table());

}  // namespace attend::ATTEND_PRECISION
