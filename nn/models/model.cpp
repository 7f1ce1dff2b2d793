#include "nn/models/model.h"

#include "nn/models/rnn_seq2seq.h"

namespace attend::inline ATTEND_PRECISION {

// The table: one line a model.
const Table<std::unique_ptr<Model>(const Scope&, const ModelSetup&)>& model_table() {
    using T = Table<std::unique_ptr<Model>(const Scope&, const ModelSetup&)>;
    static const T table("model", {
                                      T::make<RnnSeq2SeqOptions>(
                                          "rnn_seq2seq", "recurrent encoder-decoder with attention (Bahdanau 2015; Luong 2015)",
                                          [](const RnnSeq2SeqOptions& o, const Scope& scope, const ModelSetup& setup) {
                                              return std::make_unique<RnnSeq2Seq>(o, scope, setup);
                                          }),
                                  });
    return table;
}

namespace {
[[maybe_unused]] const bool listed = (model_table(), true);
}

}  // namespace attend::inline ATTEND_PRECISION
