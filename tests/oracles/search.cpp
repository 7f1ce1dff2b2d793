#include "tests/oracles/search.h"

#include <algorithm>
#include <cmath>

namespace attend::ATTEND_PRECISION::oracles {

namespace {

double penalised(double log_likelihood, std::size_t symbols, double alpha) {
    return log_likelihood / std::pow((5.0 + static_cast<double>(symbols)) / 6.0, alpha);
}

bool better(const Output& a, const Output& b) { return a.ended != b.ended ? a.ended : a.score > b.score; }

// All one-symbol extensions of `o`, by id.
std::vector<Output> extensions(const Model& model, const Ids& source, const Output& o, double alpha) {
    std::vector<Output> all;
    const std::vector<double> p = next_log_probabilities(model, source, o.ids);
    for (std::size_t k = 0; k < p.size(); ++k) {
        if (k == id_pad || k == id_bos)
            continue;
        Output next = o;
        next.log_likelihood += p[k];
        next.score = penalised(next.log_likelihood, o.ids.size() + 1, alpha);
        next.ended = k == id_eos;
        if (!next.ended)
            next.ids.push_back(static_cast<int32_t>(k));
        all.push_back(next);
    }
    return all;
}

}  // namespace

std::vector<double> next_log_probabilities(const Model& model, const Ids& source, const std::vector<int32_t>& prefix) {
    const auto state = model.start(source, {});
    std::vector<int32_t> said = {id_bos};
    std::vector<real> logits = model.advance(*state, said, {}).logits.values();
    for (int32_t id : prefix) {
        said = {id};
        logits = model.advance(*state, said, {}).logits.values();
    }
    double sum = 0;
    for (real z : logits) sum += std::exp(static_cast<double>(z));
    std::vector<double> p;
    for (real z : logits) p.push_back(static_cast<double>(z) - std::log(sum));
    return p;
}

std::vector<Output> every_output(const Model& model, const Ids& source, int64_t limit, double alpha) {
    std::vector<Output> found, open = {Output{}};
    for (int64_t step = 1; step <= limit; ++step) {
        std::vector<Output> next;
        for (const Output& o : open)
            for (const Output& e : extensions(model, source, o, alpha)) (e.ended || step == limit ? found : next).push_back(e);
        open = next;
    }
    std::stable_sort(found.begin(), found.end(), better);
    return found;
}

std::vector<Output> slow_beam(const Model& model, const Ids& source, int64_t limit, int64_t beam, double alpha) {
    std::vector<Output> found, kept = {Output{}};
    for (int64_t step = 1; step <= limit; ++step) {
        std::vector<Output> all;
        for (const Output& o : kept)
            for (const Output& e : extensions(model, source, o, alpha)) all.push_back(e);
        std::stable_sort(all.begin(), all.end(),
                         [](const Output& a, const Output& b) { return a.log_likelihood > b.log_likelihood; });
        kept.clear();
        for (std::size_t i = 0; i < all.size() && static_cast<int64_t>(i) < beam; ++i)
            (all[i].ended || step == limit ? found : kept).push_back(all[i]);
    }
    std::stable_sort(found.begin(), found.end(), better);
    return found;
}

}  // namespace attend::ATTEND_PRECISION::oracles
