"""The entmax family (Peters, Niculae and Martins 2019, eq. 7) from its definition: p maximises p . z + H(p) over the simplex, with
H(p) = sum (p - p^alpha) / (alpha (alpha - 1)). Values come from the conditions of the maximum in 50 digits, gradients from the
linear equations that these conditions give when they are differentiated; PyTorch computes nothing here.
"""
from decimal import Decimal, getcontext

import numpy
import torch

from store import Case

getcontext().prec = 50
ALPHAS = (1.25, 1.5, 2.0)


def maximum(z, alpha):
    """p, from p_i^(alpha - 1) / (alpha - 1) = z_i - nu where p_i > 0, and z_i <= nu elsewhere, nu by halving; and how near a
    score is to nu."""
    z, order = [Decimal(v) for v in z], Decimal(alpha) - 1

    def weights(nu):
        return [(order * (v - nu)) ** (1 / order) if v > nu else Decimal(0) for v in z]

    low, high = max(z) - 1 / order, max(z)
    for _ in range(170):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(weights(middle)) >= 1 else (low, middle)
    return numpy.array([float(p) for p in weights(low)]), float(min(abs(v - low) for v in z))


def objective(p, z, alpha):
    return p @ z + (p - p**alpha).sum() / (alpha * (alpha - 1))


def gradient(p, cotangent, alpha):
    """dL/dz for L = cotangent . p: on the support p^(alpha - 2) dp + dnu = dz and sum dp = 0."""
    support = numpy.flatnonzero(p > 0)
    n = len(support)
    system = numpy.ones((n + 1, n + 1))
    system[:n, :n] = numpy.diag(p[support] ** (alpha - 2))
    system[n, n] = 0
    result = numpy.zeros_like(p)
    # The matrix is symmetric, so the transposed equations are the same.
    result[support] = numpy.linalg.solve(system, numpy.append(cotangent[support], 0))[:n]
    return result


def drawn(draw, batch, rows, columns, lengths, alpha):
    """Scores and their weights: with weights of 0, and no score at the edge of the support, where rounding decides."""
    while True:
        x = draw.normal(batch, rows, columns, scale=1.5)
        y, zeros, nearest = numpy.zeros((batch, rows, columns)), 0, 1
        for b, n in enumerate(lengths.tolist()):
            for t in range(rows if n else 0):
                y[b, t, :n], distance = maximum(x[b, t, :n].tolist(), alpha)
                zeros, nearest = zeros + (y[b, t, :n] == 0).sum(), min(nearest, distance)
        if zeros and nearest > 1e-3:
            return x, y


def entmax(seed, alpha):
    case = Case(f"entmax_{alpha}", seed, alpha=alpha)
    size = case.draw.size
    batch, rows, columns = size(4, 2, 6), size(3, 1, 5), size(6, 4, 20)
    lengths = case.given("lengths", case.draw.lengths(batch, columns, least=0))
    x, y = drawn(case.draw, batch, rows, columns, lengths, alpha)
    cotangent = case.draw.normal(batch, rows, columns)
    dx, others = numpy.zeros_like(y), numpy.random.default_rng(seed)
    for b, n in enumerate(lengths.tolist()):
        for t in range(rows if n else 0):
            z, p = x[b, t, :n].numpy(), y[b, t, :n]
            assert abs(p.sum() - 1) < 1e-14
            for _ in range(100):
                step = p + others.uniform(0, 1) * (others.dirichlet(numpy.ones(n)) - p)
                assert objective(p, z, alpha) >= objective(step, z, alpha) - 1e-14, (case.name, b, t)
            dx[b, t, :n] = gradient(p, cotangent[b, t, :n].numpy(), alpha)
    case.keep("input.x", x)
    case.keep("output.y", torch.from_numpy(y))
    case.keep("cotangent.y", cotangent)
    case.keep("gradient.input.x", torch.from_numpy(dx))
    return case


def cases(seed):
    for alpha in ALPHAS:
        yield entmax(seed, alpha)
