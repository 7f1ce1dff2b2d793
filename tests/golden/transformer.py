"""What transformers are made of: activations, root mean square norm, rotary positions."""
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


def rotary(seed):
    draw = Case("rotary", seed).draw
    heads, half, first = draw.size(3, 1, 4), draw.size(4, 1, 20), draw.size(17, 0, 3000)
    case = Case("rotary", seed, heads=heads, head_size=2 * half, first_position=first, base=10000)
    size = case.draw.size
    x = case.input("x", size(2, 1, 4), size(5, 1, 9), heads * 2 * half + size(3, 0, 9))
    case.output("y", rotated(x, heads, 2 * half, first, 10000.0))
    yield case


def cases(seed):
    for group in (activations, rms_norm, rotary):
        for case in group(seed):
            case.differentiate()
            yield case
