"""Optimiser trajectories: ten steps from given gradients; and clipping by norm. Weight decay acts on the matrix alone."""
import torch

from store import Case

STEPS = 10

# name: optimiser, torch's class, {our option: (torch's option, value)}. "defaults" sets only what torch has no default for.
SETS = {
    "sgd_plain": ("sgd", torch.optim.SGD, {"learning_rate": 0.1}),
    "sgd_decay": ("sgd", torch.optim.SGD, {"learning_rate": 0.05, "weight_decay": 0.1}),
    "sgd_momentum": ("sgd", torch.optim.SGD, {"learning_rate": 0.05, "momentum": 0.9}),
    "sgd_dampening": ("sgd", torch.optim.SGD, {"learning_rate": 0.05, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.01}),
    "sgd_nesterov": ("sgd", torch.optim.SGD, {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    "adam_defaults": ("adam", torch.optim.Adam, {}),
    "adam_options": ("adam", torch.optim.Adam, {"learning_rate": 0.02, "betas": (0.8, 0.95), "epsilon": 1e-3}),
    "adam_decay": ("adam", torch.optim.Adam, {"learning_rate": 0.01, "weight_decay": 0.2}),
    "adamw_defaults": ("adamw", torch.optim.AdamW, {}),
    "adamw_options": ("adamw", torch.optim.AdamW, {"learning_rate": 0.02, "betas": (0.9, 0.99), "weight_decay": 0.5}),
    "adadelta_defaults": ("adadelta", torch.optim.Adadelta, {}),
    "adadelta_bahdanau": ("adadelta", torch.optim.Adadelta, {"rho": 0.95, "epsilon": 1e-6}),
    "adadelta_options": ("adadelta", torch.optim.Adadelta,
                         {"learning_rate": 0.5, "rho": 0.7, "epsilon": 1e-4, "weight_decay": 0.1}),
}
TORCH_NAMES = {"learning_rate": "lr", "epsilon": "eps"}


def text(value):
    """An option as the file's metadata holds it: betas as two numbers with a space between."""
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(map(repr, value)) if isinstance(value, tuple) else repr(value)


def trajectory(seed, name, optimizer, cls, options):
    case = Case("optimizer_" + name, seed, optimizer=optimizer, **{"option." + k: text(v) for k, v in options.items()})
    size = case.draw.size
    shapes = {"matrix": (size(4, 1, 9), size(5, 1, 9)), "vector": (size(7, 1, 40),)}
    start = {n: case.keep("start." + n, case.draw.normal(*shape)) for n, shape in shapes.items()}
    gradients = {n: case.keep("gradient." + n, case.draw.normal(STEPS, *shape)) for n, shape in shapes.items()}
    values = {n: s.clone().requires_grad_(True) for n, s in start.items()}
    settings = {TORCH_NAMES.get(k, k): v for k, v in options.items() if k != "weight_decay"}
    groups = [{"params": [values["matrix"]]}, {"params": [values["vector"]], "weight_decay": 0.0}]
    if "weight_decay" in options:
        groups[0]["weight_decay"] = options["weight_decay"]
    torch_optimizer = cls(groups, **settings)
    seen = {n: [] for n in shapes}
    for step in range(STEPS):
        for n, v in values.items():
            v.grad = gradients[n][step].clone()
        torch_optimizer.step()
        for n, v in values.items():
            seen[n].append(v.detach().clone())
    for n in shapes:
        case.keep("value." + n, torch.stack(seen[n]))
    return case


def clipping(seed):
    """clip_grad_norm_ to limits below, near and above the norm."""
    case = Case("clip_norm", seed)
    size = case.draw.size
    gradients = [case.keep(f"gradient.{i}", case.draw.normal(*shape))
                 for i, shape in enumerate(((size(4, 1, 9), size(5, 1, 9)), (size(7, 1, 40),), (size(3, 1, 5), 2, size(2, 1, 5))))]
    norm = torch.linalg.vector_norm(torch.cat([g.reshape(-1) for g in gradients]))
    limits = case.keep("limit", torch.stack([norm / 4, norm * 0.99, norm * 1.01, norm * 10]).float().double())
    clipped, norms = [[] for _ in gradients], []
    for limit in limits.tolist():
        parameters = [torch.zeros_like(g).requires_grad_(True) for g in gradients]
        for p, g in zip(parameters, gradients):
            p.grad = g.clone()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, limit))
        for kept, p in zip(clipped, parameters):
            kept.append(p.grad)
    case.keep("norm", norms[0].reshape(1))
    for i, kept in enumerate(clipped):
        case.keep(f"clipped.{i}", torch.stack(kept))
    return case


def cases(seed):
    for name, (optimizer, cls, options) in SETS.items():
        yield trajectory(seed, name, optimizer, cls, options)
    yield clipping(seed)
