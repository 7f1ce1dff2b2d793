#include "train/evaluate/decode/beam.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/engine.h"
#include "train/evaluate/decode/choice.h"

namespace attend::ATTEND_PRECISION {

namespace {

constexpr int64_t none = -1;

// One symbol of an output; outputs with a common beginning share its nodes.
struct Node {
    int64_t parent = none;
    int32_t id = id_eos;
    double log_probability = 0;
    int64_t attention = none;  // number of its row in Search::attention_
};

// An output that is still extended.
struct Live {
    int64_t node = none;
    double log_likelihood = 0;
    int64_t row = 0;  // of the decoder's state
};

// An output that is done: ended by eos, or cut at the limit.
struct Done {
    int64_t node = none;
    double log_likelihood = 0;
    double score = 0;
};

// An extension of a kept output that may be kept.
struct Extension {
    std::size_t parent = 0;
    Choice choice;
    double log_likelihood = 0;
};

// The search for one source.
struct Beam {
    int64_t source = 0;  // row of the batch
    int64_t limit = 0;
    std::vector<Live> live{};      // likeliest first
    std::vector<Done> finished{};  // best first, at most `nbest` of them
    std::vector<Done> cut{};       // likeliest first
    int64_t first_row = 0;         // of the decoder's state
    bool done = false;
};

// NaN, which a diverged model gives, ranks last: comparisons stay a strict order.
double rank(double value) { return std::isnan(value) ? -std::numeric_limits<double>::infinity() : value; }

class Search {
  public:
    Search(const Model& model, const Ids& source, std::span<const int64_t> limits, const BeamOptions& options, Collect collect)
        : model_(model), source_(source), options_(options), collect_(collect) {
        for (int64_t r = 0; r < source.rows; ++r) {
            Beam b{.source = r, .limit = limits[static_cast<std::size_t>(r)], .first_row = r};
            b.done = b.limit == 0;
            if (b.done)
                b.cut.push_back({});
            else
                b.live.push_back({none, 0, r});
            beams_.push_back(std::move(b));
        }
        for (Beam& b : beams_) active_.push_back(&b);
    }

    std::vector<std::vector<Decoded>> run() {
        const NoGrad no_grad;
        if (left() > 0) {
            state_ = model_.start(source_, pass_);  // keeps nothing: the encoder's own maps are not wanted
            if (collect_ == Collect::attention)
                pass_.keep = Keep::maps;
        }
        for (int64_t step = 1; left() > 0; ++step) {
            arrange(step == 1 ? 1 : options_.beam);
            advance(step);
        }
        std::vector<std::vector<Decoded>> results;
        for (const Beam& b : beams_) results.push_back(outputs(b));
        return results;
    }

  private:
    std::ptrdiff_t left() const {
        return std::count_if(active_.begin(), active_.end(), [](const Beam* b) { return !b->done; });
    }

    // Brings the decoder's state into the order of what was kept: `width` rows a source, those left
    // over repeat the first. A fixed width keeps the rows of a source in one place, so that a model
    // need not move what belongs to the source.
    void arrange(int64_t width) {
        if (2 * left() <= static_cast<std::ptrdiff_t>(active_.size()) && active_.size() > 1)
            std::erase_if(active_, [](const Beam* b) { return b->done; });
        std::vector<int32_t> rows;
        ids_.clear();
        for (Beam* b : active_) {
            const auto first = static_cast<int64_t>(rows.size());
            for (int64_t j = 0; j < width; ++j) {
                const bool used = j < static_cast<int64_t>(b->live.size());
                const Live* live = used ? &b->live[static_cast<std::size_t>(j)] : nullptr;
                rows.push_back(static_cast<int32_t>(live ? live->row : b->first_row + (width == width_ ? j : 0)));
                ids_.push_back(!live ? int32_t{id_eos} : live->node == none ? int32_t{id_bos} : node(live->node).id);
            }
            for (std::size_t j = 0; j < b->live.size(); ++j) b->live[j].row = first + static_cast<int64_t>(j);
            b->first_row = first;
        }
        bool moved = static_cast<int64_t>(rows.size()) != state_->rows();
        for (std::size_t i = 0; i < rows.size() && !moved; ++i) moved = rows[i] != static_cast<int32_t>(i);
        if (moved)
            state_ = state_->select(rows);
        width_ = width;
    }

    void advance(int64_t step) {
        const Advanced next = model_.advance(*state_, ids_, pass_);
        for (Beam* b : active_)
            if (!b->done)
                extend(*b, next, step);
    }

    void extend(Beam& b, const Advanced& advanced, int64_t step) {
        const Tensor& logits = advanced.logits;
        const int64_t classes = logits.shape().columns();
        extensions_.clear();
        for (std::size_t p = 0; p < b.live.size(); ++p)
            for (const Choice& c : chooser_.best(logits.data() + b.live[p].row * classes, classes, options_.beam))
                extensions_.push_back({p, c, b.live[p].log_likelihood + c.log_probability});
        // They come by parent, then by rank among its children, so that order breaks ties.
        std::stable_sort(extensions_.begin(), extensions_.end(), [](const Extension& x, const Extension& y) {
            return rank(x.log_likelihood) > rank(y.log_likelihood);
        });
        extensions_.resize(std::min(extensions_.size(), static_cast<std::size_t>(options_.beam)));

        attention_of_.assign(b.live.size(), none);
        std::vector<Live> next;
        for (const Extension& e : extensions_) {
            const Live& parent = b.live[e.parent];
            nodes_.push_back({parent.node, e.choice.id, e.choice.log_probability, attention_row(b, e.parent, advanced.seen)});
            const int64_t made = static_cast<int64_t>(nodes_.size()) - 1;
            const double score = e.log_likelihood / length_penalty(step, options_.length_penalty);
            if (e.choice.id == id_eos)
                finish(b, {made, e.log_likelihood, score});
            else if (step == b.limit)
                b.cut.push_back({made, e.log_likelihood, score});
            else
                next.push_back({made, e.log_likelihood, parent.row});
        }
        b.live = std::move(next);
        b.done = b.live.empty() || cannot_improve(b);
        if (b.done)
            b.live.clear();
    }

    void finish(Beam& b, const Done& output) const {
        const auto at = std::upper_bound(b.finished.begin(), b.finished.end(), output,
                                         [](const Done& x, const Done& y) { return rank(x.score) > rank(y.score); });
        b.finished.insert(at, output);
        if (static_cast<int64_t>(b.finished.size()) > options_.nbest)
            b.finished.pop_back();
    }

    // The longest output has the largest penalty, which lifts a negative log-likelihood the most.
    bool cannot_improve(const Beam& b) const {
        if (static_cast<int64_t>(b.finished.size()) < options_.nbest)
            return false;
        const double bound = b.live.front().log_likelihood / length_penalty(b.limit, options_.length_penalty);
        return rank(bound) <= rank(b.finished.back().score);
    }

    // The number of the row where the parent looked in this step, shared by its children.
    int64_t attention_row(const Beam& b, std::size_t parent, const Sightings& seen) {
        if (collect_ == Collect::nothing || attention_of_[parent] != none)
            return attention_of_[parent];
        Array<real> weights =
            step_attention(seen, model_.sites(), b.live[parent].row, state_->rows(), source_.length(b.source));
        if (weights.empty())
            return none;
        attention_.push_back(std::move(weights));
        return attention_of_[parent] = static_cast<int64_t>(attention_.size()) - 1;
    }

    std::vector<Decoded> outputs(const Beam& b) const {
        std::vector<Decoded> all;
        for (const Done& d : b.finished) all.push_back(output(d));
        for (const Done& d : b.cut)
            if (static_cast<int64_t>(all.size()) < options_.nbest)
                all.push_back(output(d));
        return all;
    }

    Decoded output(const Done& done) const {
        Decoded d;
        d.log_likelihood = done.log_likelihood;
        d.score = done.score;
        std::vector<int64_t> path;
        for (int64_t n = done.node; n != none; n = node(n).parent) path.push_back(n);
        std::reverse(path.begin(), path.end());
        for (const int64_t n : path) {
            const Node& x = node(n);
            d.log_probabilities.push_back(x.log_probability);
            d.ended = x.id == id_eos;
            if (!d.ended)
                d.ids.push_back(x.id);
            if (x.attention != none) {
                const Array<real>& weights = attention_[static_cast<std::size_t>(x.attention)];
                d.attention.weights.insert(d.attention.weights.end(), weights.begin(), weights.end());
                d.attention.columns = static_cast<int64_t>(weights.size());
                ++d.attention.rows;
            }
        }
        return d;
    }

    const Node& node(int64_t n) const { return nodes_[static_cast<std::size_t>(n)]; }

    const Model& model_;
    const Ids& source_;
    BeamOptions options_;
    Collect collect_;
    Pass pass_;
    Chooser chooser_;
    std::unique_ptr<DecoderState> state_;
    int64_t width_ = 1;
    std::vector<Beam> beams_;
    std::vector<Beam*> active_;  // those whose rows are still in the state
    std::vector<int32_t> ids_;
    std::vector<Node> nodes_;
    std::vector<Array<real>> attention_;
    std::vector<Extension> extensions_;
    std::vector<int64_t> attention_of_;
};

}  // namespace

double length_penalty(int64_t symbols, double alpha) {
    return alpha == 0 ? 1 : std::pow((5 + static_cast<double>(symbols)) / 6, alpha);
}

std::vector<std::vector<Decoded>> decode_beam(const Model& model, const Ids& source, std::span<const int64_t> limits,
                                              const BeamOptions& options, Collect collect) {
    require(options.beam >= 1 && options.beam <= most_beam, "decode_beam: beam out of range: beam {}, range 1 ... {}",
            options.beam, most_beam);
    require(options.nbest >= 1, "decode_beam: nbest out of range: nbest {}, range 1 ... {}", options.nbest, options.beam);
    require(options.nbest <= options.beam, "decode_beam: more outputs than the beam holds: nbest {}, beam {}", options.nbest,
            options.beam);
    require(options.length_penalty >= 0 && options.length_penalty <= 10,
            "decode_beam: length penalty out of range: length_penalty {}, range 0 ... 10", options.length_penalty);
    require(static_cast<int64_t>(limits.size()) == source.rows, "decode_beam: one limit a row: limits {}, rows {}",
            limits.size(), source.rows);
    for (int64_t limit : limits) require(limit >= 0, "decode_beam: a limit must not be negative: limit {}, least 0", limit);
    return Search(model, source, limits, options, collect).run();
}

}  // namespace attend::ATTEND_PRECISION
