#include "nn/models/model.h"

#include "nn/models/bert.h"
#include "nn/models/gpt.h"
#include "nn/models/rnn_seq2seq.h"
#include "nn/models/transformer_seq2seq.h"

#include <algorithm>

namespace attend::ATTEND_PRECISION {

Array<int32_t> ignoring_padding(const Ids& target, int32_t ignored) {
    Array<int32_t> out(target.values.size(), ignored);
    for (int64_t b = 0; b < target.rows; ++b) std::copy_n(target.row(b), target.length(b), out.begin() + b * target.columns);
    return out;
}

void require_following(const char* model, const ModelSetup& setup) {
    require(setup.targets == TargetKind::following && setup.classes == 0,
            "model {}: it predicts what follows what it reads, and no labels: targets '{}', needed '{}', classes {}, needed 0; "
            "model 'bert' predicts masked targets and labels",
            model, target_kind_name(setup.targets), target_kind_name(TargetKind::following), setup.classes);
}

void require_plain(const char* model, const ScoreInput& batch) {
    require(batch.segments.rows == 0 && batch.labels.empty(),
            "model {}: it has no use for segments and labels: segments {} rows, labels {}", model, batch.segments.rows,
            batch.labels.size());
}

PublishedLayout Model::published_layout() const {
    fail("model: there is no published layout for this kind: layouts 0, kinds that have one: gpt (as GPT-2), bert");
}

Estimated Model::estimate(const Estimator&, const ScoreInput&, const LossOptions&, const Context&) const {
    fail("model: this kind has no attention that chooses positions: sites with select 'hard' {}, least {}", 0, 1);
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
const registry::AtStart listed(model_table());

}  // namespace attend::ATTEND_PRECISION
