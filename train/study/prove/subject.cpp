#include "train/study/prove/subject.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/engine.h"
#include "nn/attention/attention.h"
#include "train/study/prove/finding.h"

namespace attend::prove {

void push_weights(ParameterStore& store, uint64_t seed) {
    for (const Parameter& p : store.table()) {
        Stream stream(seed, "prove." + p.name);
        const double deviation = p.shape.rank() < 2 ? 0.1 : 0.5 / std::sqrt(static_cast<double>(p.shape[0]));
        const double bound = std::sqrt(3.0) * deviation;
        real* values = store.values(p);
        for (int64_t i = 0; i < p.shape.size(); ++i)
            values[i] += stream.uniform(static_cast<real>(-bound), static_cast<real>(bound));
    }
}

Subject subject_of(Experiment resolved, const Task& task, ModelInStore made, const Sizes& sizes) {
    Subject s;
    s.experiment = std::move(resolved);
    s.vocabularies = vocabularies_of(task);
    s.made = std::move(made);
    s.objective = objective_table().build(s.experiment.objective);
    constexpr int64_t products = 400'000'000, least = 16, most = 256;  // of weights and symbols, in a pass
    const int64_t rows = sizes.rows > 0 ? sizes.rows : s.large() ? 2 : 4;
    const int64_t columns =
        sizes.columns > 0 ? sizes.columns : std::clamp(products / (rows * s.made.store->count()), least, most);
    s.batch = short_rows(task, training_order(s.experiment), rows, columns);
    return s;
}

Pass evaluating(const Subject& subject) {
    Pass pass;
    pass.seed = subject.seed();
    return pass;
}

Pass looking(const Subject& subject) {
    Pass pass = evaluating(subject);
    pass.keep = Keep::maps;
    return pass;
}

Pass training(const Subject& subject) {
    Pass pass = evaluating(subject);
    pass.mode = Mode::train;
    pass.step = static_cast<uint32_t>(subject.experiment.train.steps);  // where what rises along a run has risen
    return pass;
}

Passed run(const Subject& subject, const Batch& batch, const Pass& pass) {
    const NoGrad off;
    Recorder recorder;
    Pass told = pass;
    told.witness = &recorder;
    Scored scored = subject.model().score(score_input(batch), LossOptions{.ignored = id_ignored}, told);
    return {std::move(scored.target_loss), std::move(scored.label_loss), std::move(recorder.readings), std::move(scored.seen)};
}

const Array<int32_t>& query_lengths(const Reading& reading, const Sides& sides) {
    const bool of_source = reading.heads.front()->site.kind == SiteKind::encoder && !sides.source.empty();
    return of_source ? sides.source : sides.target;
}

double largest(const Tensor& x) {
    double most = 1e-30;
    for (int64_t i = 0; i < x.size(); ++i) most = worse(most, std::abs(static_cast<double>(x.data()[i])));
    return most;
}

double difference(const Reading& a, const Reading& b, const Array<int32_t>& lengths, int64_t before) {
    const Tensor &x = a.context, &y = b.context;
    if (a.path != b.path || a.position != b.position || x.dim(0) != y.dim(0) || x.dim(2) != y.dim(2))
        return std::numeric_limits<double>::infinity();
    double worst = 0;
    for (int64_t r = 0; r < x.dim(0); ++r) {
        const int64_t end = std::min<int64_t>(lengths[static_cast<std::size_t>(r)], before) - a.position;
        for (int64_t t = 0; t < std::min({end, x.dim(1), y.dim(1)}); ++t)
            for (int64_t c = 0; c < x.dim(2); ++c) {
                const double d = std::abs(static_cast<double>(x.data()[(r * x.dim(1) + t) * x.dim(2) + c]) -
                                          static_cast<double>(y.data()[(r * y.dim(1) + t) * x.dim(2) + c]));
                worst = worse(worst, d);
            }
    }
    return worst;
}

std::string first_apart(const Passed& a, const Passed& b, const Sides& sides, double limit, int64_t before) {
    for (std::size_t i = 0; i < std::min(a.readings.size(), b.readings.size()); ++i) {
        const Reading& reading = a.readings[i];
        const bool encoder = reading.heads.front()->site.kind == SiteKind::encoder;
        const int64_t until = encoder ? std::numeric_limits<int64_t>::max() : before;
        const double apart = difference(reading, b.readings[i], query_lengths(reading, sides), until);
        if (worse(0, apart / largest(reading.context)) > limit)
            return reading.path;
    }
    return "";
}

std::string blamed(const std::string& path, const char* otherwise) { return path.empty() ? otherwise : path; }

}  // namespace attend::prove
