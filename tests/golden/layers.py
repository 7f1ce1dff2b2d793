"""Layers and losses. Linear weights are [in, out]: transposed from torch's."""
import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from store import Case, same

GATES = {"gru": 3, "lstm": 4, "rnn": 1}


def linear(seed):
    for rank in (2, 3):
        case = Case(f"linear_{rank}d", seed)
        size = case.draw.size
        leading = [size(3, 1, 6), size(4, 1, 7)][: rank - 1]
        inner, outer = size(5, 1, 40), size(6, 1, 40)
        x = case.input("x", *leading, inner)
        weight, bias = case.parameter("weight", inner, outer), case.parameter("bias", outer)
        y = x @ weight + bias
        same(y, F.linear(x, weight.t(), bias), "linear")
        case.output("y", y)
        yield case


def embedding(seed):
    case = Case("embedding", seed)
    size = case.draw.size
    vocabulary = size(7, 2, 20)
    ids = case.given("ids", case.draw.ids(size(3, 1, 5), size(6, 2, 9), low=0, high=vocabulary))
    weight = case.parameter("weight", vocabulary, size(5, 1, 30))
    case.output("y", F.embedding(ids, weight))
    yield case


def layer_norm(seed):
    case = Case("layer_norm", seed, epsilon=1e-5)
    size = case.draw.size
    width = size(7, 2, 40)
    x = case.input("x", size(3, 1, 5), size(4, 1, 6), width, scale=2)
    weight, bias = case.parameter("weight", width, scale=1), case.parameter("bias", width)
    case.output("y", F.layer_norm(x, (width,), weight, bias, 1e-5))
    yield case


def softmax(seed):
    for name in ("softmax", "log_softmax"):
        case = Case(name + "_lengths", seed)
        size = case.draw.size
        batch, rows, columns = size(4, 2, 6), size(3, 1, 5), size(6, 2, 40)
        x = case.input("x", batch, rows, columns, scale=2)
        lengths = case.given("lengths", case.draw.lengths(batch, columns, least=0))
        seen = (torch.arange(columns) < lengths[:, None])[:, None, :].expand_as(x)
        # Rows without a position are all zero; so is whatever lies after a length.
        masked = x.masked_fill(~seen, -1e30)
        y = getattr(F, name)(masked, -1)
        case.output("y", torch.where(seen, y, torch.zeros_like(y)))
        yield case


def cell_parameters(case, prefix, kind, inputs, hidden):
    gates = GATES[kind]
    return [
        case.parameter(prefix + "input.weight", inputs, gates * hidden),
        case.parameter(prefix + "input.bias", gates * hidden),
        case.parameter(prefix + "recurrent.weight", hidden, gates * hidden),
        case.parameter(prefix + "recurrent.bias", gates * hidden),
    ]


def cell_step(kind, parameters, x, state):
    """One step of a cell from state (h,) or (h, c). Gate order r, z, n (GRU) and i, f, g, o (LSTM)."""
    weight, bias, recurrent_weight, recurrent_bias = parameters
    h = state[0]
    from_x, from_h = x @ weight + bias, h @ recurrent_weight + recurrent_bias
    if kind == "rnn":
        return (torch.tanh(from_x + from_h),)
    if kind == "gru":
        (xr, xz, xn), (hr, hz, hn) = from_x.chunk(3, -1), from_h.chunk(3, -1)
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        n = torch.tanh(xn + r * hn)
        return ((1 - z) * n + z * h,)
    i, f, g, o = (from_x + from_h).chunk(4, -1)
    c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
    return (torch.sigmoid(o) * torch.tanh(c), c)


def zero_state(kind, rows, hidden):
    return tuple(torch.zeros(rows, hidden, dtype=torch.float64) for _ in range(2 if kind == "lstm" else 1))


def cells(seed):
    for kind in GATES:
        case = Case(kind + "_cell", seed)
        size = case.draw.size
        rows, inputs, hidden = size(3, 1, 6), size(5, 1, 20), size(4, 1, 20)
        x = case.input("x", rows, inputs)
        state = tuple(case.input(name, rows, hidden) for name in ("h", "c")[: 2 if kind == "lstm" else 1])
        parameters = cell_parameters(case, "", kind, inputs, hidden)
        new = cell_step(kind, parameters, x, state)
        for name, value in zip(("h", "c"), new):
            case.output(name, value)
        module = {"gru": torch.nn.GRUCell, "lstm": torch.nn.LSTMCell, "rnn": torch.nn.RNNCell}[kind](inputs, hidden).double()
        with torch.no_grad():
            for own, p in zip((module.weight_ih, module.bias_ih, module.weight_hh, module.bias_hh), parameters):
                own.copy_(p.t())
            theirs = module(x, state if kind == "lstm" else state[0])
        same(new[0], theirs[0] if kind == "lstm" else theirs, kind + " cell")
        yield case


def run_direction(kind, parameters, x, lengths, direction):
    """x [B, S, I] -> outputs [B, S, H], zero after each length, and the final state of each row."""
    rows, steps = x.shape[:2]
    state = zero_state(kind, rows, parameters[2].shape[0])
    outputs = [None] * steps
    for t in range(steps) if direction == "forward" else reversed(range(steps)):
        inside = (t < lengths)[:, None]
        new = cell_step(kind, parameters, x[:, t], state)
        state = tuple(torch.where(inside, n, s) for n, s in zip(new, state))
        outputs[t] = torch.where(inside, state[0], torch.zeros_like(state[0]))
    return torch.stack(outputs, 1), state


def run_bidirectional(kind, layers, x, lengths):
    """layers: a list of {"forward": parameters, "backward": parameters}. Returns outputs [B, S, 2H] and final states."""
    finals = []
    for layer in layers:
        results = {d: run_direction(kind, layer[d], x, lengths, d) for d in ("forward", "backward")}
        x = torch.cat([results["forward"][0], results["backward"][0]], -1)
        finals.append({d: results[d][1] for d in results})
    return x, finals


def bidirectional_parameters(case, prefix, kind, inputs, hidden, layers):
    return [
        {d: cell_parameters(case, f"{prefix}{layer}.{d}.", kind, inputs if layer == 0 else 2 * hidden, hidden)
         for d in ("forward", "backward")}
        for layer in range(layers)
    ]


def same_as_packed(kind, layers, x, lengths, y, finals):
    """Compares with torch's module over packed sequences."""
    hidden = layers[0]["forward"][2].shape[0]
    module = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}[kind](
        x.shape[2], hidden, num_layers=len(layers), bidirectional=True, batch_first=True).double()
    with torch.no_grad():
        for number, layer in enumerate(layers):
            for direction, suffix in (("forward", ""), ("backward", "_reverse")):
                for name, p in zip(("weight_ih", "bias_ih", "weight_hh", "bias_hh"), layer[direction]):
                    getattr(module, f"{name}_l{number}{suffix}").copy_(p.t())
        packed, final = module(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        theirs = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])[0]
    same(y, theirs, kind + " layers")
    for part, states in enumerate(final if kind == "lstm" else (final,)):
        ours = torch.stack([f[d][part] for f in finals for d in ("forward", "backward")])
        same(ours, states, kind + " final states")


def recurrent_layers(seed):
    for kind in GATES:
        case = Case(kind + "_bidirectional", seed, layers=2)
        size = case.draw.size
        rows, steps, inputs, hidden = size(3, 2, 5), size(5, 2, 8), size(4, 1, 10), size(3, 1, 10)
        x = case.input("x", rows, steps, inputs)
        lengths = case.given("lengths", case.draw.lengths(rows, steps))
        layers = bidirectional_parameters(case, "", kind, inputs, hidden, 2)
        y, finals = run_bidirectional(kind, layers, x, lengths)
        same_as_packed(kind, layers, x, lengths, y, finals)
        case.output("y", y)
        for part, name in enumerate(("h", "c")[: 2 if kind == "lstm" else 1]):
            case.output("final_" + name, torch.stack([torch.stack([f[d][part] for d in ("forward", "backward")]) for f in finals]))
        yield case


def cross_entropy(seed):
    for name, smoothing in (("cross_entropy", 0.0), ("cross_entropy_smoothed", 0.125)):
        case = Case(name, seed, ignored=-1, label_smoothing=smoothing)
        size = case.draw.size
        rows, classes = size(6, 2, 12), size(7, 2, 40)
        logits = case.input("logits", rows, classes, scale=2)
        targets = case.draw.ids(rows, low=0, high=classes)
        targets[case.draw.python.randrange(rows)] = -1
        case.given("targets", targets)
        options = {"ignore_index": -1, "label_smoothing": smoothing}
        case.keep("output.row_loss", F.cross_entropy(logits, targets, reduction="none", **options))
        case.output("loss", F.cross_entropy(logits, targets, **options).reshape(1))
        yield case

    # The output layer and the loss in one: logits = x weight + bias, the mean over targets that are not ignored.
    case = Case("head_cross_entropy", seed, ignored=-1, label_smoothing=0.125)
    size = case.draw.size
    rows, inner, classes = size(6, 2, 12), size(5, 1, 20), size(7, 2, 40)
    x = case.input("x", rows, inner)
    weight, bias = case.parameter("weight", inner, classes), case.parameter("bias", classes)
    targets = case.draw.ids(rows, low=0, high=classes)
    targets[case.draw.python.randrange(rows)] = -1
    case.given("targets", targets)
    case.output("loss", F.cross_entropy(x @ weight + bias, targets, ignore_index=-1, label_smoothing=0.125).reshape(1))
    yield case


def cases(seed):
    for group in (linear, embedding, layer_norm, softmax, cells, recurrent_layers, cross_entropy):
        for case in group(seed):
            case.differentiate()
            yield case
