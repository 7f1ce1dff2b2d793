#include "core/kernels/recurrent.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/recurrent.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

HWY_INLINE void copy_row(const real* from, real* to, int64_t n) {
    if (from != to)
        write({to, Write::set}, n, [=](auto part, int64_t i) HWY_ATTR { return part.load(from + i); });
}

void gru_forward(ConstRows x_proj, ConstRows h_proj, ConstRows h_prev, Rows h_next, real* saved, Lengths lengths, int64_t rows,
                 int64_t hidden) {
    for (int64_t row = 0; row < rows; ++row) {
        const real *x = x_proj[row], *hp = h_proj[row], *h = h_prev[row];
        real* out = h_next[row];
        if (!lengths.runs(row)) {
            copy_row(h, out, hidden);
            continue;
        }
        real* keep = saved + row * 4 * hidden;
        vectors(hidden, [=](auto part, int64_t i) HWY_ATTR {
            const V r = sigmoid_of(part.load(x + i) + part.load(hp + i));
            const V z = sigmoid_of(part.load(x + hidden + i) + part.load(hp + hidden + i));
            const V h_n = part.load(hp + 2 * hidden + i);
            const V n = tanh_of(hn::MulAdd(r, h_n, part.load(x + 2 * hidden + i)));
            part.store(hn::MulAdd(z, part.load(h + i) - n, n), out + i);
            part.store(r, keep + i);
            part.store(z, keep + hidden + i);
            part.store(n, keep + 2 * hidden + i);
            part.store(h_n, keep + 3 * hidden + i);
        });
    }
}

void gru_backward(ConstRows dh_next, const real* saved, ConstRows h_prev, Rows dx_proj, Rows dh_proj, Rows dh_prev,
                  Lengths lengths, int64_t rows, int64_t hidden) {
    for (int64_t row = 0; row < rows; ++row) {
        const real *g_out = dh_next[row], *h = h_prev[row], *keep = saved + row * 4 * hidden;
        real *dx = dx_proj[row], *dhp = dh_proj[row], *dh = dh_prev[row];
        if (!lengths.runs(row)) {
            write_zero({dx, Write::set}, 3 * hidden);
            write_zero({dhp, Write::set}, 3 * hidden);
            copy_row(g_out, dh, hidden);
            continue;
        }
        vectors(hidden, [=](auto part, int64_t i) HWY_ATTR {
            const V one = set(1);
            const V g = part.load(g_out + i);
            const V r = part.load(keep + i), z = part.load(keep + hidden + i);
            const V n = part.load(keep + 2 * hidden + i), h_n = part.load(keep + 3 * hidden + i);
            const V dn = g * (one - z) * hn::NegMulAdd(n, n, one);
            const V dz = g * (part.load(h + i) - n) * z * (one - z);
            const V dr = dn * h_n * r * (one - r);
            part.store(dr, dx + i);
            part.store(dz, dx + hidden + i);
            part.store(dn, dx + 2 * hidden + i);
            part.store(dr, dhp + i);
            part.store(dz, dhp + hidden + i);
            part.store(dn * r, dhp + 2 * hidden + i);
            part.store(g * z, dh + i);
        });
    }
}

void lstm_forward(ConstRows x_proj, ConstRows h_proj, ConstRows h_prev, ConstRows c_prev, Rows h_next, Rows c_next, real* saved,
                  Lengths lengths, int64_t rows, int64_t hidden) {
    for (int64_t row = 0; row < rows; ++row) {
        const real *x = x_proj[row], *hp = h_proj[row], *c = c_prev[row];
        real *h_out = h_next[row], *c_out = c_next[row];
        if (!lengths.runs(row)) {
            copy_row(h_prev[row], h_out, hidden);
            copy_row(c, c_out, hidden);
            continue;
        }
        real* keep = saved + row * 5 * hidden;
        vectors(hidden, [=](auto part, int64_t i) HWY_ATTR {
            const auto gate = [=](int64_t k)
                                  HWY_ATTR { return part.load(x + k * hidden + i) + part.load(hp + k * hidden + i); };
            const V in = sigmoid_of(gate(0)), forget = sigmoid_of(gate(1)), g = tanh_of(gate(2)), o = sigmoid_of(gate(3));
            const V cell = hn::MulAdd(forget, part.load(c + i), in * g);
            const V squashed = tanh_of(cell);
            part.store(cell, c_out + i);
            part.store(o * squashed, h_out + i);
            part.store(in, keep + i);
            part.store(forget, keep + hidden + i);
            part.store(g, keep + 2 * hidden + i);
            part.store(o, keep + 3 * hidden + i);
            part.store(squashed, keep + 4 * hidden + i);
        });
    }
}

void lstm_backward(ConstRows dh_next, ConstRows dc_next, const real* saved, ConstRows c_prev, Rows dgates, Rows dc_prev,
                   Rows dh_carry, Lengths lengths, int64_t rows, int64_t hidden) {
    for (int64_t row = 0; row < rows; ++row) {
        const real *gh_out = dh_next[row], *gc_out = dc_next[row], *c = c_prev[row], *keep = saved + row * 5 * hidden;
        real *dg = dgates[row], *dc = dc_prev[row], *carry = dh_carry[row];
        if (!lengths.runs(row)) {
            write_zero({dg, Write::set}, 4 * hidden);
            copy_row(gc_out, dc, hidden);
            copy_row(gh_out, carry, hidden);
            continue;
        }
        vectors(hidden, [=](auto part, int64_t i) HWY_ATTR {
            const V one = set(1);
            const V in = part.load(keep + i), forget = part.load(keep + hidden + i), g = part.load(keep + 2 * hidden + i);
            const V o = part.load(keep + 3 * hidden + i), squashed = part.load(keep + 4 * hidden + i);
            const V gh = part.load(gh_out + i);
            const V gc = hn::MulAdd(gh * o, hn::NegMulAdd(squashed, squashed, one), part.load(gc_out + i));
            part.store(gc * g * in * (one - in), dg + i);
            part.store(gc * part.load(c + i) * forget * (one - forget), dg + hidden + i);
            part.store(gc * in * hn::NegMulAdd(g, g, one), dg + 2 * hidden + i);
            part.store(gh * squashed * o * (one - o), dg + 3 * hidden + i);
            part.store(gc * forget, dc + i);
            part.store(hn::Zero(d), carry + i);
        });
    }
}

void rnn_forward(ConstRows x_proj, ConstRows h_proj, ConstRows h_prev, Rows h_next, Lengths lengths, int64_t rows,
                 int64_t hidden) {
    for (int64_t row = 0; row < rows; ++row) {
        const real *x = x_proj[row], *hp = h_proj[row];
        if (!lengths.runs(row))
            copy_row(h_prev[row], h_next[row], hidden);
        else
            write({h_next[row], Write::set}, hidden,
                  [=](auto part, int64_t i) HWY_ATTR { return tanh_of(part.load(x + i) + part.load(hp + i)); });
    }
}

void rnn_backward(ConstRows dh_next, ConstRows h_next, Rows dgate, Rows dh_carry, Lengths lengths, int64_t rows,
                  int64_t hidden) {
    for (int64_t row = 0; row < rows; ++row) {
        const real *g = dh_next[row], *h = h_next[row];
        if (!lengths.runs(row)) {
            write_zero({dgate[row], Write::set}, hidden);
            copy_row(g, dh_carry[row], hidden);
            continue;
        }
        write({dgate[row], Write::set}, hidden, [=](auto part, int64_t i) HWY_ATTR {
            const V y = part.load(h + i);
            return part.load(g + i) * hn::NegMulAdd(y, y, set(1));
        });
        write_zero({dh_carry[row], Write::set}, hidden);
    }
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(gru_forward);
ATTEND_KERNEL(gru_backward);
ATTEND_KERNEL(lstm_forward);
ATTEND_KERNEL(lstm_backward);
ATTEND_KERNEL(rnn_forward);
ATTEND_KERNEL(rnn_backward);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
