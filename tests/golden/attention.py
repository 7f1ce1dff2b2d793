"""Attention: scores, windows, alignments, read. Every score of every query with every memory position."""
import math

import torch

from store import Case, same


def score_parameters(case, kind, prefix, query, memory, width):
    """The parameters of a score between queries of `query` and memories of `memory` elements."""
    shapes = {
        "additive": {"key.weight": (memory, width), "query.weight": (query, width), "v": (width,)},
        "scaled_dot": {"query.weight": (query, width), "key.weight": (memory, width)},
        "general": {"weight": (memory, query)},
        "concat": {"weight": (query + memory, width), "v": (width,)},
        "dot": {},
    }[kind]
    return {name: case.parameter(prefix + name, *shape) for name, shape in shapes.items()}


def scores(kind, p, query, memory):
    """query [B, T, Q], memory [B, S, M] -> [B, T, S]."""
    if kind == "additive":  # v . tanh(W_q q + W_k m)
        pairs = (query @ p["query.weight"])[:, :, None] + (memory @ p["key.weight"])[:, None]
        return torch.tanh(pairs) @ p["v"]
    if kind == "concat":  # v . tanh(W [q; m])
        rows, columns = query.shape[1], memory.shape[1]
        pairs = torch.cat([query[:, :, None].expand(-1, -1, columns, -1), memory[:, None].expand(-1, rows, -1, -1)], -1)
        return torch.tanh(pairs @ p["weight"]) @ p["v"]
    if kind == "general":  # q . (m W)
        return query @ (memory @ p["weight"]).transpose(1, 2)
    if kind == "scaled_dot":  # (q W_q) . (m W_k) / sqrt(width)
        q, k = query @ p["query.weight"], memory @ p["key.weight"]
        return q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    return query @ memory.transpose(1, 2)


def softmax(x, seen):
    y = torch.softmax(x.masked_fill(~seen, -math.inf), -1)
    return torch.where(seen, y, torch.zeros_like(y))


def sparsemax(x, seen):
    """The Euclidean projection onto the simplex (Martins and Astudillo 2016, algorithm 1) over the positions seen."""
    z = x.masked_fill(~seen, -1e30)
    ordered, _ = torch.sort(z, -1, descending=True)
    k = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    support = (1 + k * ordered > ordered.cumsum(-1)).sum(-1, keepdim=True)
    threshold = (ordered.cumsum(-1).gather(-1, support - 1) - 1) / support
    y = torch.clamp(z - threshold, min=0)
    return torch.where(seen, y, torch.zeros_like(y))


def window(case, batch, rows, columns, causal=False):
    """Positions seen [B, T, S]: before each row's length, and causal ones not after the query's own place."""
    lengths = case.given("lengths", case.draw.lengths(batch, columns))
    seen = (torch.arange(columns) < lengths[:, None])[:, None, :].expand(batch, rows, columns)
    if causal:
        seen = seen & (torch.arange(columns)[None, :] <= torch.arange(rows)[:, None])
    return seen


def attention(seed, name, kind, align=softmax, causal=False, temperature=1.0):
    case = Case("attention_" + name, seed, score=kind, align=align.__name__, causal=str(causal).lower(), temperature=temperature)
    size = case.draw.size
    batch, rows, columns = size(3, 2, 4), size(2, 1, 5), size(5, 2, 9)
    query_size, memory_size, width = size(4, 1, 9), size(6, 1, 9), size(5, 1, 9)
    if kind == "dot":
        memory_size = query_size
    if causal:
        rows = columns
    query, memory = case.input("query", batch, rows, query_size), case.input("memory", batch, columns, memory_size)
    seen = window(case, batch, rows, columns, causal)
    p = score_parameters(case, kind, "score.", query_size, memory_size, width)
    weights = align(scores(kind, p, query, memory) / temperature, seen)
    same(weights.sum(-1), torch.ones(batch, rows, dtype=torch.float64), name + " weights")
    case.output("weights", weights)
    case.output("context", weights @ memory)
    return case


def sparsemax_alone(seed):
    case = Case("sparsemax_lengths", seed)
    size = case.draw.size
    batch, rows, columns = size(3, 2, 5), size(4, 1, 6), size(7, 2, 40)
    x = case.input("x", batch, rows, columns)
    case.output("y", sparsemax(x, window(case, batch, rows, columns)))
    return case


def cases(seed):
    all_cases = [attention(seed, kind, kind) for kind in ("additive", "dot", "scaled_dot", "general", "concat")]
    all_cases += [
        attention(seed, "dot_causal", "dot", causal=True),
        attention(seed, "scaled_dot_causal", "scaled_dot", causal=True),
        attention(seed, "general_temperature", "general", temperature=0.5),
        attention(seed, "additive_sparsemax", "additive", align=sparsemax),
        sparsemax_alone(seed),
    ]
    for case in all_cases:
        case.differentiate()
        yield case
