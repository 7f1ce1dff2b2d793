"""What transformers are made of: activations, root mean square norm, rotary positions, multi-head attention."""
import torch
import torch.nn.functional as F

from store import Case, same


def gelu_tanh(x):
    return 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x ** 3)))


def activations(seed):
    for name, function in (("gelu", F.gelu), ("gelu_tanh", gelu_tanh), ("silu", F.silu)):
        case = Case(name, seed)
        size = case.draw.size
        x = case.input("x", size(5, 1, 9), size(9, 1, 40), scale=2)
        case.output("y", function(x))
        if name == "gelu_tanh":
            same(gelu_tanh(x), F.gelu(x, approximate="tanh"), name)
        yield case
    case = Case("swiglu", seed)
    size = case.draw.size
    x = case.input("x", size(2, 1, 4), size(3, 1, 5), 2 * size(9, 1, 40), scale=2)
    gate, value = x.chunk(2, -1)
    case.output("y", F.silu(gate) * value)
    yield case


def rms_norm(seed):
    case = Case("rms_norm", seed, epsilon=1e-5)
    size = case.draw.size
    width = size(7, 2, 40)
    x, weight = case.input("x", size(3, 1, 5), size(4, 1, 6), width, scale=2), case.parameter("weight", width, scale=1)
    case.output("y", x * torch.rsqrt((x ** 2).mean(-1, keepdim=True) + 1e-5) * weight)
    yield case


def rotated(x, heads, head_size, first_position, base):
    """x [B, T, C] by complex numbers: element i of a head is the real and i + K/2 the imaginary part."""
    half = head_size // 2
    frequency = base ** (-torch.arange(half, dtype=torch.float64) * 2 / head_size)
    angle = (first_position + torch.arange(x.shape[1]))[:, None] * frequency
    parts = x[..., : heads * head_size].reshape(*x.shape[:2], heads, 2, half)
    turned = torch.complex(parts[..., 0, :], parts[..., 1, :]) * torch.polar(torch.ones_like(angle), angle)[:, None]
    y = torch.stack([turned.real, turned.imag], -2).reshape(*x.shape[:2], heads * head_size)
    return torch.cat([y, x[..., heads * head_size:]], -1)


def rotated_neighbours(x, heads, head_size, first_position, base):
    """The same with the pairs of Su et al. 2021, eq. 34: elements 2i and 2i + 1 are the real and the imaginary part."""
    frequency = base ** (-torch.arange(0, head_size, 2, dtype=torch.float64) / head_size)
    angle = (first_position + torch.arange(x.shape[1]))[:, None] * frequency
    parts = torch.view_as_complex(x[..., : heads * head_size].reshape(*x.shape[:2], heads, head_size // 2, 2).contiguous())
    turned = torch.view_as_real(parts * torch.polar(torch.ones_like(angle), angle)[:, None])
    return torch.cat([turned.reshape(*x.shape[:2], heads * head_size), x[..., heads * head_size:]], -1)


def rotary(seed):
    for name, function in (("rotary", rotated), ("rotary_neighbouring", rotated_neighbours)):
        draw = Case(name, seed).draw
        heads, half, first = draw.size(3, 1, 4), draw.size(4, 1, 20), draw.size(17, 0, 3000)
        case = Case(name, seed, heads=heads, head_size=2 * half, first_position=first, base=10000)
        size = case.draw.size
        x = case.input("x", size(2, 1, 4), size(5, 1, 9), heads * 2 * half + size(3, 0, 9))
        case.output("y", function(x, heads, 2 * half, first, 10000.0))
        yield case


def heads_attention(q, k, v, seen, slopes):
    """q [B, T, H, K], k, v [B, S, G, K], seen [B, T, S] -> [B, T, H K]; a query that sees nothing gets zeros."""
    shared = q.shape[2] // k.shape[2]
    k, v = k.repeat_interleave(shared, 2), v.repeat_interleave(shared, 2)
    scores = torch.einsum("bthk,bshk->bhts", q, k) / q.shape[-1] ** 0.5
    if slopes is not None:
        distance = torch.arange(q.shape[1])[:, None] - torch.arange(k.shape[1])
        scores = scores - slopes[:, None, None] * distance
    weights = torch.softmax(scores.masked_fill(~seen[:, None], -1e30), -1) * seen[:, None]
    return torch.einsum("bhts,bshk->bthk", weights, v).flatten(2)


def attention(seed):
    for name, causal, alibi, cross in (("self_attention_causal", True, False, False), ("self_attention_alibi", True, True, False),
                                       ("self_attention_lengths", False, False, False),
                                       ("cross_attention_lengths", False, False, True)):
        draw = Case(name, seed).draw
        groups, shared, width = draw.size(2, 1, 4), draw.size(2, 1, 3), draw.size(5, 1, 20)
        heads = groups * shared
        case = Case(name, seed, heads=heads, key_heads=groups, causal=str(causal).lower(), alibi=str(alibi).lower())
        size = case.draw.size
        batch, keys = size(3, 2, 4), size(7, 2, 70)
        queries = size(4, 1, 9) if cross else keys
        if cross:
            q = case.input("q", batch, queries, heads * width)
            kv = case.input("kv", batch, keys, 2 * groups * width)
        else:
            qkv = case.input("qkv", batch, queries, (heads + 2 * groups) * width)
            q, kv = qkv.split([heads * width, 2 * groups * width], -1)
        lengths = case.given("lengths", case.draw.lengths(batch, keys, least=0))
        seen = (torch.arange(keys) < lengths[:, None])[:, None, :].expand(batch, queries, keys)
        if causal:
            seen = seen & (torch.arange(keys)[None, :] <= torch.arange(queries)[:, None])
        slopes = 2.0 ** (-8 * torch.arange(1, heads + 1, dtype=torch.float64) / heads) if alibi else None
        k, v = kv.unflatten(-1, (2, groups, width)).unbind(2)
        y = heads_attention(q.unflatten(-1, (heads, width)), k, v, seen, slopes)
        case.output("y", y)
        yield case


def cases(seed):
    for group in (activations, rms_norm, rotary, attention):
        for case in group(seed):
            case.differentiate()
            yield case
