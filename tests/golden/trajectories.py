"""Optimiser trajectories: ten steps from given gradients; clipping by norm; learning-rate schedules. Weight decay acts on the
matrix alone. What torch 1.13 has not (Adafactor, Lion) or has not as documented (NAdam) is written out here, from the papers."""
import math

import torch

from store import Case, Draw

STEPS = 10


class Written:
    """An optimiser written out: update(p, g, state, t from 1, weight_decay, lr, options) gives the new p."""

    defaults = {}

    def __init__(self, groups, **settings):
        assert set(settings) <= set(self.defaults), settings
        self.groups, self.settings = groups, {**self.defaults, **settings}
        self.t, self.states = 0, {}

    def step(self):
        self.t += 1
        for group in self.groups:
            for p in group["params"]:
                state = self.states.setdefault(p, {})
                with torch.no_grad():
                    p.copy_(self.update(p, p.grad, state, self.t, group.get("weight_decay", 0.0), **self.settings))


class NAdam(Written):
    """As torch documents NAdam. The code of 1.13 takes mu_t twice into the product up to t + 1 (slip); later ones do not."""

    defaults = {"lr": 2e-3, "betas": (0.9, 0.999), "eps": 1e-8, "momentum_decay": 4e-3}
    slip = False

    def update(self, p, g, state, t, weight_decay, lr, betas, eps, momentum_decay):
        g = g + weight_decay * p
        mu = [betas[0] * (1 - 0.96 ** (i * momentum_decay) / 2) for i in range(1, t + 2)]
        m = state["m"] = betas[0] * state.get("m", 0) + (1 - betas[0]) * g
        v = state["v"] = betas[1] * state.get("v", 0) + (1 - betas[1]) * g * g
        following = math.prod(mu) * (mu[-2] if self.slip else 1)
        m_hat = mu[-1] * m / (1 - following) + (1 - mu[-2]) * g / (1 - math.prod(mu[:-1]))
        return p - lr * m_hat / ((v / (1 - betas[1] ** t)).sqrt() + eps)


class SlippedNAdam(NAdam):
    slip = True


class Lion(Written):
    """Chen et al. 2023, algorithm 2."""

    defaults = {"lr": 1e-4, "betas": (0.9, 0.99)}

    def update(self, p, g, state, t, weight_decay, lr, betas):
        m = state.get("m", torch.zeros_like(g))
        c = betas[0] * m + (1 - betas[0]) * g
        state["m"] = betas[1] * m + (1 - betas[1]) * g
        return p - lr * (torch.sign(c) + weight_decay * p)


class Adafactor(Written):
    """Shazeer and Stern 2018: algorithm 4 for matrices, 5 for vectors, with the schedules of section 9; decay as torch 2.5."""

    defaults = {"lr": 1e-2, "relative_step": True, "decay_exponent": 0.8, "clip_threshold": 1.0, "eps": 1e-30,
                "least_scale": 1e-3}

    def update(self, p, g, state, t, weight_decay, lr, relative_step, decay_exponent, clip_threshold, eps, least_scale):
        kept = 1 - t ** -decay_exponent
        squares = g * g + eps
        if p.dim() == 2:
            r = state["r"] = kept * state.get("r", 0) + (1 - kept) * squares.sum(1)
            c = state["c"] = kept * state.get("c", 0) + (1 - kept) * squares.sum(0)
            v = torch.outer(r, c) / r.sum()
        else:
            v = state["v"] = kept * state.get("v", 0) + (1 - kept) * squares
        u = g / v.sqrt()
        u = u / max(1.0, u.square().mean().sqrt().item() / clip_threshold)
        rate = min(lr, t ** -0.5) * max(least_scale, p.square().mean().sqrt().item()) if relative_step else lr
        return p * (1 - lr * weight_decay) - rate * u


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
    "adagrad_defaults": ("adagrad", torch.optim.Adagrad, {}),
    "adagrad_options": ("adagrad", torch.optim.Adagrad,
                        {"learning_rate": 0.1, "learning_rate_decay": 0.3, "initial_sum": 0.25, "epsilon": 1e-2, "weight_decay": 0.2}),
    "rmsprop_defaults": ("rmsprop", torch.optim.RMSprop, {}),
    "rmsprop_centered": ("rmsprop", torch.optim.RMSprop,
                         {"learning_rate": 0.02, "alpha": 0.8, "centered": True, "epsilon": 1e-2, "weight_decay": 0.1}),
    "rmsprop_momentum": ("rmsprop", torch.optim.RMSprop, {"alpha": 0.9, "momentum": 0.7}),
    "rmsprop_both": ("rmsprop", torch.optim.RMSprop,
                     {"alpha": 0.7, "momentum": 0.5, "centered": True, "epsilon": 1e-2, "weight_decay": 0.05}),
    "nadam_defaults": ("nadam", NAdam, {}),
    "nadam_options": ("nadam", NAdam, {"learning_rate": 0.02, "betas": (0.8, 0.95), "epsilon": 1e-3, "momentum_decay": 0.5,
                                       "weight_decay": 0.2}),
    "radam_defaults": ("radam", torch.optim.RAdam, {}),
    "radam_options": ("radam", torch.optim.RAdam,
                      {"learning_rate": 0.02, "betas": (0.8, 0.95), "epsilon": 1e-3, "weight_decay": 0.2}),
    "adafactor_defaults": ("adafactor", Adafactor, {}),
    "adafactor_options": ("adafactor", Adafactor,
                          {"learning_rate": 0.6, "decay_exponent": 0.6, "clip_threshold": 0.5, "epsilon": 1e-3,
                           "least_scale": 1.5, "weight_decay": 0.1}),
    "adafactor_absolute": ("adafactor", Adafactor, {"learning_rate": 0.05, "relative_step": False}),
    "lion_defaults": ("lion", Lion, {}),
    "lion_options": ("lion", Lion, {"learning_rate": 0.02, "betas": (0.6, 0.8), "weight_decay": 0.5}),
}
TORCH_NAMES = {"learning_rate": "lr", "epsilon": "eps", "learning_rate_decay": "lr_decay",
               "initial_sum": "initial_accumulator_value"}

# name: schedule, {our option: value}, the peak, total steps, torch's scheduler of an optimiser
SCHEDULES = {
    "step": ("step", {"every": 7, "gamma": 0.3}, 0.5, 40,
             lambda o: torch.optim.lr_scheduler.StepLR(o, 7, 0.3)),
    "cyclic": ("cyclic", {"low": 0.05, "rise": 8}, 0.5, 60,
               lambda o: torch.optim.lr_scheduler.CyclicLR(o, 0.05, 0.5, 8, cycle_momentum=False)),
    "cyclic_halved": ("cyclic", {"low": 0.05, "rise": 4, "fall": 9, "mode": "triangular2"}, 0.5, 60,
                      lambda o: torch.optim.lr_scheduler.CyclicLR(o, 0.05, 0.5, 4, 9, "triangular2", cycle_momentum=False)),
    "cyclic_exp": ("cyclic", {"low": 0.05, "rise": 5, "fall": 3, "mode": "exp_range", "gamma": 0.95}, 0.5, 60,
                   lambda o: torch.optim.lr_scheduler.CyclicLR(o, 0.05, 0.5, 5, 3, "exp_range", 0.95, cycle_momentum=False)),
    "one_cycle": ("one_cycle", {}, 0.5, 53,
                  lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.5, 53, cycle_momentum=False)),
    "one_cycle_linear": ("one_cycle", {"rise": 0.45, "start_divisor": 10.0, "final_divisor": 50.0, "shape": "linear"}, 0.5, 40,
                         lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.5, 40, pct_start=0.45, anneal_strategy="linear",
                                                                       cycle_momentum=False, div_factor=10.0,
                                                                       final_div_factor=50.0)),
}
PLATEAUS = {
    "plateau": ({"factor": 0.5, "patience": 2}, dict(factor=0.5, patience=2)),
    "plateau_options": ({"factor": 0.3, "patience": 1, "cooldown": 2, "threshold": 0.05, "final": 0.01},
                        dict(factor=0.3, patience=1, cooldown=2, threshold=0.05, min_lr=0.01, eps=0)),
}


def text(value):
    """An option as the file's metadata holds it: betas as two numbers with a space between."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    return " ".join(map(repr, value)) if isinstance(value, tuple) else repr(value)


def check_nadam(seed):
    """NAdam above is torch's but for the slip."""
    draw = Draw(seed, "nadam")
    p, q = (draw.normal(5).requires_grad_(True) for _ in range(2))
    with torch.no_grad():
        q.copy_(p)
    ours = SlippedNAdam([{"params": [p], "weight_decay": 0.1}], lr=0.05, momentum_decay=0.3)
    theirs = torch.optim.NAdam([q], lr=0.05, momentum_decay=0.3, weight_decay=0.1)
    for _ in range(STEPS):
        p.grad = draw.normal(5)
        q.grad = p.grad.clone()
        ours.step()
        theirs.step()
    # torch keeps the product in float32.
    assert (p - q).abs().max() < 1e-6, "NAdam differs from torch"


def schedule(seed, name, kind, options, peak, steps, scheduler):
    """The rate of each step: rate [steps]."""
    case = Case("schedule_" + name, seed, schedule=kind, peak=peak, **{"option." + k: text(v) for k, v in options.items()})
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    torch_schedule, rates = scheduler(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        torch_schedule.step()
    case.keep("rate", torch.tensor(rates, dtype=torch.float64))
    return case


def plateau(seed, name, options, settings):
    """metric [n] and the rate after each of these evaluations: rate [n]."""
    peak = 0.5
    case = Case("schedule_" + name, seed, schedule="plateau", peak=peak, **{"option." + k: text(v) for k, v in options.items()})
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    torch_schedule, rates = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings), []
    metrics = case.keep("metric", 2 + 2 * torch.exp(-torch.arange(60) / 6.0).double() + case.draw.normal(60, scale=0.05))
    metrics = case.tensors["metric"] = metrics.float().double()
    for m in metrics.tolist():
        torch_schedule.step(m)
        rates.append(optimizer.param_groups[0]["lr"])
    assert len(set(rates)) > 3, name
    case.keep("rate", torch.tensor(rates, dtype=torch.float64))
    return case


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
    check_nadam(seed)
    for name, (optimizer, cls, options) in SETS.items():
        yield trajectory(seed, name, optimizer, cls, options)
    yield clipping(seed)
    for name, row in SCHEDULES.items():
        yield schedule(seed, name, *row)
    for name, row in PLATEAUS.items():
        yield plateau(seed, name, *row)
