#pragma once
/// The complete attention algebra: score, bias, window, align, select and read. Self-, cross- and
/// memory attention differ in their arguments alone.
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "nn/attention/align.h"
#include "nn/attention/bias.h"
#include "nn/attention/score.h"
#include "nn/attention/select.h"
#include "nn/attention/sites.h"
#include "nn/attention/window.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

struct AttentionOptions {
    Selection score{score_table(), "additive"};
    Selection bias{bias_table(), "none"};
    Selection window{window_table(), "global"};
    Selection align{align_table(), "softmax"};
    Selection select{select_table(), "soft"};
    int64_t width = 0;
    // Of all heads of a block's layer together: head_group.h and gate.h.
    std::string gate = "none";
    bool talking = false, differential = false;
    void fields(Visitor& v) {
        v.selection("score", score, "how well a query fits a key");
        v.selection("bias", bias, "what the positions of query and key add to the score");
        v.selection("window", window, "which positions a query may see");
        v.selection("align", align, "from scores to weights");
        v.selection("select", select, "how the weights are used: soft reads with them, hard chooses one position");
        v.integer("width", width, {0, 65536, "auto"}, "width of the alignment space; auto: the query's width");
        v.choice(
            "gate", gate, {"none", "elementwise", "headwise"},
            "in blocks: what the heads read is multiplied by sigmoid(W x), x the layer's input: a number for each element, "
            "or one for each head (Qiu 2025)");
        v.flag("talking", talking,
               "in blocks: heads mix their scores, and then their weights, by learned matrices (Shazeer 2020)");
        v.flag("differential", differential,
               "in blocks: a head has two maps, of the halves of its queries and keys, and reads with the first minus lambda "
               "times the second (Ye 2024)");
    }
};

/// A source, prepared once for any number of queries.
struct Attendable {
    Tensor keys;             ///< Score::prepare of the memory
    Tensor values;           ///< [B, S, Dm] what is read
    Array<int32_t> lengths;  ///< B
    Tensor places = {};      ///< PositionBias::prepare of the memory
};

struct Attended {
    Tensor context;  ///< [B, T, Dm]
    Previous next;   ///< for the next step; its weights [B, T, S] are those with which values were read
    Sightings seen;  ///< this call, where the pass asks for it
    Tensor penalty;  ///< [B, T] nats that are added to the loss of each query's target; or undefined
};

/// What the caller of an attention promises about its queries.
struct QueryKind {
    bool parallel = false;           ///< several queries at once: there are no previous weights
    bool aligned_positions = false;  ///< query t is at position t of the source itself (self-attention)
    bool causal = false;             ///< a query must not see positions after its own, which it predicts
};

/// An attention that is one head of several, on that head's own projections.
struct Head {
    int64_t number = 0, of = 1;
    Projected projected = Projected::no;
    double dropout = 0;  ///< of the weights that values are read with (Vaswani 2017's code), in training
    int64_t input = 0;   ///< width of the memory before the heads' projections, which biases read; 0: there are none
};

/// What one head of several is given: projections of its own.
struct HeadInput {
    Tensor query;                      ///< [B, T, Dq]
    Tensor keys, values;               ///< [B, S, Dk], [B, S, Dv]
    Tensor places;                     ///< what its bias needs of the memory; or undefined
    std::span<const int32_t> lengths;  ///< B, of the source
    int64_t position = 0;              ///< of the first query
};

struct Attention {
    Attention() = default;
    /// `site` says what it is in its model; path and head are filled in. Throws Error, with the
    /// reason, for a combination that makes no sense.
    Attention(const Scope& scope, const AttentionOptions& options, int64_t query_width, int64_t memory_width, QueryKind kind,
              const Head& head = {}, const Site& site = {});

    /// memory [B, S, Dm] with B lengths.
    Attendable prepare(const Tensor& memory, std::span<const int32_t> lengths) const;
    /// The same of keys [B, S, Dk] and values [B, S, Dv] of their own, with what the bias needs of the
    /// memory.
    Attendable prepare(const Tensor& keys, const Tensor& values, std::span<const int32_t> lengths, const Tensor& places) const;
    /// query [B, T, Dq]; `position` is the position of the first query in its sequence; `previous`
    /// is the result of the step before, or empty.
    Attended operator()(const Tensor& query, const Attendable& source, int64_t position, const Previous& previous,
                        const Pass& pass) const;
    /// The weights alone [B, T, S], before any choice and without reading.
    Tensor weigh(const Tensor& query, const Attendable& source, int64_t position, const Pass& pass) const;

    /// A call as one head of several, of which the head's layer tells a witness; and its parts, for heads that do something
    /// together between them (head_group.h): it is read(c, weighed(c, scored(c)), pass).
    Call call(const HeadInput& in, const Pass& pass) const;
    Attended operator()(const HeadInput& in, const Pass& pass) const;
    struct Scored {
        View view;
        AttentionScores scores;  // before the bias
    };
    Scored scored(const Call& call) const;
    struct Weighed {
        Tensor weights, score, align;  // and the states of score and alignment
    };
    Weighed weighed(const Call& call, const Scored& scored) const;
    Attended read(const Call& call, Weighed made, const Pass& pass) const;

    /// What a fused kernel needs to know, where these factors can be one: softmax(factor (q . k) -
    /// slope distance).
    struct Fused {
        real factor = 1, slope = 0;
    };
    std::optional<Fused> fused() const;

    Site site;
    AttentionOptions factors;  ///< as asked for
    std::string score_path, window_path;
    std::shared_ptr<const Score> score;
    std::shared_ptr<const PositionBias> bias;
    std::shared_ptr<const Window> window;
    std::shared_ptr<const Align> align;
    std::shared_ptr<const Select> select;

    Dropout dropout;

  private:
    void check_goes_together(QueryKind kind) const;
    Call call(const Tensor& query, const Attendable& source, int64_t position, const Previous& previous,
              const Pass& pass) const;
    Aligned aligned(const Tensor& scores, const View& view, const Call& call) const;
    void tell(const Call& call, const Tensor& context, const Pass& pass) const;
    Sightings kept(const Call& call, const Tensor& weights, const Chosen& chosen, const Pass& pass) const;
};

}  // namespace attend::ATTEND_PRECISION
