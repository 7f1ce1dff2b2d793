"""A golden case: named tensors of one computation, its gradients, and the safetensors file they are kept in."""
import json
import random
import struct

import torch


class Draw:
    """Random sizes and numbers of one seed. Numbers are float32 values held as float64: the file loses nothing of them."""

    committed_seed = 1

    def __init__(self, seed, name):
        self.vary = seed != self.committed_seed
        self.python = random.Random(f"{seed} {name}")
        self.torch = torch.Generator().manual_seed(self.python.getrandbits(62))

    def size(self, committed, low, high):
        """The committed size, or under another seed one of low ... high."""
        return self.python.randint(low, high) if self.vary else committed

    def normal(self, *shape, scale=1.0):
        x = torch.randn(shape, generator=self.torch, dtype=torch.float64) * scale
        return x.float().double()

    def ids(self, *shape, low, high):
        """Integers low ... high - 1."""
        return torch.randint(low, high, shape, generator=self.torch)

    def lengths(self, rows, longest, least=1):
        """Lengths least ... longest: the first row is shorter than the longest, the second is the longest."""
        lengths = [self.python.randint(least, longest) for _ in range(rows)]
        lengths[0] = least
        lengths[min(1, rows - 1)] = longest
        return torch.tensor(lengths)


class Case:
    """Collects what goes into one file. The loss is the sum of all outputs times their fixed random cotangents."""

    def __init__(self, name, seed, **metadata):
        self.name = name
        self.draw = Draw(seed, name)
        self.metadata = {"case": name, "seed": str(seed), **{k: str(v) for k, v in metadata.items()}}
        self.tensors = {}
        self.leaves = {}
        self.loss = 0

    def parameter(self, name, *shape, scale=0.4):
        """A parameter drawn from a normal distribution, kept under its own name."""
        return self.leaf(name, self.draw.normal(*shape, scale=scale))

    def input(self, name, *shape, scale=1.0):
        """An input with a gradient, kept as input.NAME."""
        return self.leaf("input." + name, self.draw.normal(*shape, scale=scale))

    def leaf(self, name, values):
        self.keep(name, values)
        self.leaves[name] = values.clone().requires_grad_(True)
        return self.leaves[name]

    def given(self, name, values):
        """Ids or lengths, kept as input.NAME."""
        return self.keep("input." + name, values)

    def output(self, name, values):
        """An output, kept as output.NAME, with a cotangent, kept as cotangent.NAME."""
        self.keep("output." + name, values)
        cotangent = self.keep("cotangent." + name, self.draw.normal(*values.shape))
        self.loss = self.loss + (values * cotangent).sum()

    def keep(self, name, values):
        assert name not in self.tensors, name
        self.tensors[name] = values.detach().clone()
        return values

    def differentiate(self):
        """Keeps gradient.NAME of every leaf."""
        self.loss.backward()
        for name, leaf in self.leaves.items():
            assert leaf.grad is not None and leaf.grad.abs().max() > 0, (self.name, name)
            self.keep("gradient." + name, leaf.grad)

    def write(self, folder):
        header, data = {"__metadata__": self.metadata}, b""
        for name, values in self.tensors.items():
            assert torch.isfinite(values.double()).all(), (self.name, name)
            kind, code = ("F32", "f") if values.is_floating_point() else ("I32", "i")
            flat = values.reshape(-1).tolist()
            body = struct.pack(f"<{len(flat)}{code}", *flat)
            header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(body)]}
            data += body
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        (folder / (self.name + ".safetensors")).write_bytes(struct.pack("<Q", len(text)) + text + data)


def same(ours, theirs, what):
    """Refuses a definition of ours that is not what the library computes."""
    worst = (ours - theirs).abs().max().item()
    assert worst < 1e-11, f"{what}: differs from torch by {worst}"
