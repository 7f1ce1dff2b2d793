#include <algorithm>

#include "core/kernels/attention.h"
#include "core/kernels/recurrent.h"
#include "tests/core/kernels_support.h"

namespace attend::ATTEND_PRECISION {
using namespace kernel_test;

TEST_SUITE_BEGIN("kernels attention, recurrent");

namespace {

struct Case {
    kernels::ScoreSizes sizes;
    Values query, keys, v;
    std::vector<Range> ranges;
};

Range range_of(const Case& c, int64_t row) {
    const int32_t all = static_cast<int32_t>(c.sizes.keys);
    if (c.ranges.empty())
        return {0, all};
    const Range r = c.ranges[static_cast<std::size_t>(row)];
    return {std::clamp(r.begin, 0, all), std::clamp(r.end, 0, all)};
}

/// All scores, and with dscores: their inner product.
Values naive_scores(const Case& c) {
    const auto [batch, queries, keys, width] = c.sizes;
    Values scores(static_cast<std::size_t>(batch * queries * keys), 0.0);
    for (int64_t row = 0; row < batch * queries; ++row) {
        const Range range = range_of(c, row);
        for (int64_t s = range.begin; s < range.end; ++s) {
            double sum = 0;
            for (int64_t a = 0; a < width; ++a) {
                sum += c.v[static_cast<std::size_t>(a)] *
                       std::tanh(c.query[static_cast<std::size_t>(row * width + a)] +
                                 c.keys[static_cast<std::size_t>((row / queries * keys + s) * width + a)]);
            }
            scores[static_cast<std::size_t>(row * keys + s)] = sum;
        }
    }
    return scores;
}

void check_scores(Case c, bool gradients) {
    const auto [batch, queries, keys, width] = c.sizes;
    const Values expected = naive_scores(c), dscores = values(batch * queries * keys, 11);
    Values dquery, dkeys, dv;
    if (gradients) {
        const auto slope = [&](Values Case::*input) {
            Case at = c;
            return numeric_gradient(c.*input, [&](const Values& x) {
                at.*input = x;
                return inner(naive_scores(at), dscores);
            });
        };
        dquery = slope(&Case::query);
        dkeys = slope(&Case::keys);
        dv = slope(&Case::v);
    }
    const Range* r = c.ranges.empty() ? nullptr : c.ranges.data();
    // Keys outside every range must not be read.
    Values unread = c.keys;
    for (int64_t b = 0; b < batch && r != nullptr; ++b) {
        for (int64_t s = 0; s < keys; ++s) {
            bool seen = false;
            for (int64_t t = 0; t < queries; ++t) {
                const Range range = range_of(c, b * queries + t);
                seen = seen || (s >= range.begin && s < range.end);
            }
            const auto key = unread.begin() + (b * keys + s) * width;
            if (!seen)
                std::fill(key, key + width, nan);
        }
    }
    Values outside = dscores;  // gradients outside the ranges must not be read either
    for (int64_t row = 0; row < batch * queries; ++row) {
        const Range range = range_of(c, row);
        for (int64_t s = 0; s < keys; ++s) {
            if (s < range.begin || s >= range.end)
                outside[static_cast<std::size_t>(row * keys + s)] = nan;
        }
    }
    each_target([&] {
        Buffer q(c.query), k(unread, 2), v(c.v, 3), scores = Buffer::unwritten(batch * queries * keys);
        kernels::additive_score(c.sizes, q, k, v, r, scores);
        check_close(scores, expected, 4 * epsilon, static_cast<double>(width));
        if (!gradients)
            return;
        Buffer g(outside);
        const auto backward = [&](Destination to_q, Destination to_k, Destination to_v) {
            kernels::additive_score_backward(c.sizes, q, k, v, r, g, to_q, to_k, to_v);
        };
        check_destination(dquery, gradient_tolerance, [&](Destination to) { backward(to, {}, {}); });
        check_destination(dkeys, gradient_tolerance, [&](Destination to) { backward({}, to, {}); });
        check_destination(dv, gradient_tolerance, [&](Destination to) { backward({}, {}, to); });
        Buffer all_q(c.query), all_k = Buffer::unwritten(batch * keys * width), all_v = Buffer::unwritten(width);
        backward({all_q, Write::set}, {all_k, Write::set}, {all_v, Write::set});
        check_close(all_q, dquery, gradient_tolerance);
        check_close(all_k, dkeys, gradient_tolerance);
        check_close(all_v, dv, gradient_tolerance);
    });
}

Case make(kernels::ScoreSizes s) {
    return {s, values(s.batch * s.queries * s.width, 1), values(s.batch * s.keys * s.width, 2), values(s.width, 3), {}};
}

}  // namespace

TEST_CASE("additive_score and its backward at every width") {
    for (int64_t width = 0; width <= 130; ++width) check_scores(make({2, 2, 5, width}), width <= 8 || width % 32 == 1);
}

TEST_CASE("additive_score at every number of keys, with ranges") {
    for (int64_t keys = 0; keys <= 20; ++keys) {
        Case c = make({2, 3, keys, 5});
        check_scores(c, true);
        const int32_t n = static_cast<int32_t>(keys);
        c.ranges = {{0, n}, {n / 2, n / 2}, {1, n - 1}, {n / 3, n - 2}, {-3, n / 2}, {n / 4, n / 2}};
        for (Range& r : c.ranges) r.end = std::max(r.begin, r.end);
        check_scores(c, true);
    }
    check_scores(make({0, 3, 4, 5}), false);
    check_scores(make({2, 0, 4, 5}), false);
}

TEST_CASE("a score's bits do not depend on the keys beside it") {
    const Case c = make({1, 1, 23, 37});
    each_target([&] {
        Buffer q(c.query), k(c.keys), v(c.v), all = Buffer::unwritten(23), one = Buffer::unwritten(23);
        kernels::additive_score(c.sizes, q, k, v, nullptr, all);
        for (int32_t s = 0; s < 23; ++s) {
            const Range range{s, s + 1};
            kernels::additive_score(c.sizes, q, k, v, &range, one);
            CHECK(one[s] == all[s]);
        }
    });
}

namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// One step of a whole batch in double: h' one after the other for GRU, h' then c' for LSTM.
struct Step {
    int64_t rows, hidden, t;
    std::vector<int32_t> lengths;
    bool runs(int64_t row) const { return lengths.empty() || t < lengths[static_cast<std::size_t>(row)]; }
};

Values naive_gru(const Step& s, const Values& x, const Values& hp, const Values& h) {
    Values out(h.size());
    const auto H = static_cast<std::size_t>(s.hidden);
    for (std::size_t row = 0; row < static_cast<std::size_t>(s.rows); ++row) {
        for (std::size_t j = 0; j < H; ++j) {
            const std::size_t p = row * 3 * H + j;
            const double r = logistic(x[p] + hp[p]), z = logistic(x[p + H] + hp[p + H]);
            const double n = std::tanh(x[p + 2 * H] + r * hp[p + 2 * H]);
            const double before = h[row * H + j];
            out[row * H + j] = s.runs(static_cast<int64_t>(row)) ? (1 - z) * n + z * before : before;
        }
    }
    return out;
}

Values naive_lstm(const Step& s, const Values& gates, const Values& h, const Values& c) {
    const auto H = static_cast<std::size_t>(s.hidden);
    Values out(2 * h.size());
    for (std::size_t row = 0; row < static_cast<std::size_t>(s.rows); ++row) {
        for (std::size_t j = 0; j < H; ++j) {
            const std::size_t p = row * 4 * H + j, at = row * H + j;
            double cell = logistic(gates[p + H]) * c[at] + logistic(gates[p]) * std::tanh(gates[p + 2 * H]);
            double state = logistic(gates[p + 3 * H]) * std::tanh(cell);
            if (!s.runs(static_cast<int64_t>(row))) {
                cell = c[at];
                state = h[at];
            }
            out[at] = state;
            out[h.size() + at] = cell;
        }
    }
    return out;
}

Values naive_rnn(const Step& s, const Values& gate, const Values& h) {
    Values out = h;
    for (std::size_t i = 0; i < out.size(); ++i)
        if (s.runs(static_cast<int64_t>(i) / s.hidden))
            out[i] = std::tanh(gate[i]);
    return out;
}

/// `v` [rows, columns] laid out with `extra` elements of NaN after each row.
Values spread(const Values& v, int64_t rows, int64_t columns, int64_t extra) {
    Values out;
    for (int64_t i = 0; i < rows; ++i) {
        out.insert(out.end(), v.begin() + i * columns, v.begin() + (i + 1) * columns);
        out.insert(out.end(), static_cast<std::size_t>(extra), nan);
    }
    return out;
}

const std::vector<Step> steps(int64_t hidden) { return {{3, hidden, 4, {}}, {3, hidden, 4, {5, 4, 0}}}; }

}  // namespace

TEST_CASE("gru_forward and gru_backward at every hidden size, strides and lengths respected") {
    for (int64_t H = 0; H <= 130; ++H) {
        for (const Step& s : steps(H)) {
            CAPTURE(H);
            const Values x = values(s.rows * 3 * H, 1), hp = values(s.rows * 3 * H, 2), h = values(s.rows * H, 3);
            const Values g = values(s.rows * H, 4);
            const Values expected = naive_gru(s, x, hp, h);
            const bool gradients = H <= 8 || H == 17 || H == 33;
            Values dx, dhp, dh;
            if (gradients) {
                dx = numeric_gradient(x, [&](const Values& at) { return inner(naive_gru(s, at, hp, h), g); });
                dhp = numeric_gradient(hp, [&](const Values& at) { return inner(naive_gru(s, x, at, h), g); });
                // dh_prev is the direct part alone, and the projection is an input of its own here.
                dh = numeric_gradient(h, [&](const Values& at) { return inner(naive_gru(s, x, hp, at), g); });
            }
            const kernels::Lengths lengths{s.lengths.empty() ? nullptr : s.lengths.data(), s.t};
            each_target([&] {
                Buffer bx(spread(x, s.rows, 3 * H, 5)), bhp(hp), bh(spread(h, s.rows, H, 2));
                Buffer saved = Buffer::unwritten(s.rows * 4 * H), out = Buffer::unwritten(s.rows * (H + 1));
                const kernels::ConstRows rx{bx, 3 * H + 5}, rhp{bhp, 3 * H}, rh{bh, H + 2};
                kernels::gru_forward(rx, rhp, rh, {out, H + 1}, saved, lengths, s.rows, H);
                check_close(out, spread(expected, s.rows, H, 1), 4 * epsilon);
                CHECK(saved.intact());
                if (gradients) {
                    Buffer up(g), tx = Buffer::unwritten(s.rows * (3 * H + 1)), thp = Buffer::unwritten(s.rows * 3 * H);
                    kernels::gru_backward({up, H}, saved, rh, {tx, 3 * H + 1}, {thp, 3 * H}, {up, H}, lengths, s.rows, H);
                    check_close(tx, spread(dx, s.rows, 3 * H, 1), gradient_tolerance);
                    check_close(thp, dhp, gradient_tolerance);
                    check_close(up, dh, gradient_tolerance);
                }
                // The state overwritten.
                kernels::gru_forward(rx, rhp, rh, {bh, H + 2}, saved, lengths, s.rows, H);
                check_close(bh, spread(expected, s.rows, H, 2), 4 * epsilon);
            });
        }
    }
}

TEST_CASE("lstm_forward and lstm_backward at every hidden size, strides and lengths respected") {
    for (int64_t H = 0; H <= 130; ++H) {
        for (const Step& s : steps(H)) {
            CAPTURE(H);
            const Values x = values(s.rows * 4 * H, 1), hp = values(s.rows * 4 * H, 2);
            const Values h = values(s.rows * H, 3), c = values(s.rows * H, 4), g = values(2 * s.rows * H, 5);
            Values sum = x;
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += hp[i];
            const Values expected = naive_lstm(s, sum, h, c);
            const Values h_out(expected.begin(), expected.begin() + s.rows * H),
                c_out(expected.begin() + s.rows * H, expected.end());
            const Values gh(g.begin(), g.begin() + s.rows * H), gc(g.begin() + s.rows * H, g.end());
            const bool gradients = H <= 8 || H == 17 || H == 33;
            Values dgates, dh, dc;
            if (gradients) {
                dgates = numeric_gradient(sum, [&](const Values& at) { return inner(naive_lstm(s, at, h, c), g); });
                dh = numeric_gradient(h, [&](const Values& at) { return inner(naive_lstm(s, sum, at, c), g); });
                dc = numeric_gradient(c, [&](const Values& at) { return inner(naive_lstm(s, sum, h, at), g); });
            }
            const kernels::Lengths lengths{s.lengths.empty() ? nullptr : s.lengths.data(), s.t};
            each_target([&] {
                Buffer bx(spread(x, s.rows, 4 * H, 5)), bhp(hp), bh(spread(h, s.rows, H, 2)), bc(spread(c, s.rows, H, 3));
                Buffer saved = Buffer::unwritten(s.rows * 5 * H);
                Buffer oh = Buffer::unwritten(s.rows * (H + 1)), oc = Buffer::unwritten(s.rows * H);
                const kernels::ConstRows rx{bx, 4 * H + 5}, rhp{bhp, 4 * H}, rh{bh, H + 2}, rc{bc, H + 3};
                kernels::lstm_forward(rx, rhp, rh, rc, {oh, H + 1}, {oc, H}, saved, lengths, s.rows, H);
                check_close(oh, spread(h_out, s.rows, H, 1), 4 * epsilon);
                check_close(oc, c_out, 4 * epsilon);
                CHECK(saved.intact());
                if (gradients) {
                    Buffer uh(gh), uc(gc), tg = Buffer::unwritten(s.rows * (4 * H + 1));
                    kernels::lstm_backward({uh, H}, {uc, H}, saved, rc, {tg, 4 * H + 1}, {uc, H}, {uh, H}, lengths, s.rows, H);
                    check_close(tg, spread(dgates, s.rows, 4 * H, 1), gradient_tolerance);
                    check_close(uc, dc, gradient_tolerance);
                    check_close(uh, dh, gradient_tolerance);
                }
                kernels::lstm_forward(rx, rhp, rh, rc, {bh, H + 2}, {bc, H + 3}, saved, lengths, s.rows, H);
                check_close(bh, spread(h_out, s.rows, H, 2), 4 * epsilon);
                check_close(bc, spread(c_out, s.rows, H, 3), 4 * epsilon);
            });
        }
    }
}

TEST_CASE("rnn_forward and rnn_backward at every hidden size, strides and lengths respected") {
    for (int64_t H = 0; H <= 130; ++H) {
        for (const Step& s : steps(H)) {
            CAPTURE(H);
            const Values x = values(s.rows * H, 1), hp = values(s.rows * H, 2), h = values(s.rows * H, 3);
            const Values g = values(s.rows * H, 4);
            Values sum = x;
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += hp[i];
            const Values expected = naive_rnn(s, sum, h);
            const bool gradients = H <= 8 || H == 17 || H == 33;
            Values dgate, dh;
            if (gradients) {
                dgate = numeric_gradient(sum, [&](const Values& at) { return inner(naive_rnn(s, at, h), g); });
                dh = numeric_gradient(h, [&](const Values& at) { return inner(naive_rnn(s, sum, at), g); });
            }
            const kernels::Lengths lengths{s.lengths.empty() ? nullptr : s.lengths.data(), s.t};
            each_target([&] {
                Buffer bx(spread(x, s.rows, H, 5)), bhp(hp), bh(spread(h, s.rows, H, 2)), up(g);
                Buffer out = Buffer::unwritten(s.rows * (H + 1)), gate = Buffer::unwritten(s.rows * (H + 1));
                const kernels::ConstRows rx{bx, H + 5}, rhp{bhp, H}, rh{bh, H + 2};
                kernels::rnn_forward(rx, rhp, rh, {out, H + 1}, lengths, s.rows, H);
                check_close(out, spread(expected, s.rows, H, 1), 4 * epsilon);
                if (gradients) {
                    kernels::rnn_backward({up, H}, {out, H + 1}, {gate, H + 1}, {up, H}, lengths, s.rows, H);
                    check_close(gate, spread(dgate, s.rows, H, 1), gradient_tolerance);
                    check_close(up, dh, gradient_tolerance);
                }
                // The state overwritten.
                kernels::rnn_forward(rx, rhp, rh, {bh, H + 2}, lengths, s.rows, H);
                check_close(bh, spread(expected, s.rows, H, 2), 4 * epsilon);
            });
        }
    }
}

TEST_SUITE_END();

}  // namespace attend::ATTEND_PRECISION
