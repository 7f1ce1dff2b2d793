"""Whole transformers in training: the losses of 20 steps of AdamW with clipping and a cosine schedule, from stored weights on
stored tokens, and the gradients of the first step. Blocks are held to torch's own layers where torch has them."""
import math

import torch
import torch.nn.functional as F

from store import Case, same

STEPS, WARMUP, PEAK, FINAL, DECAY, CLIP, BETAS = 20, 4, 3e-3, 3e-4, 0.1, 1.0, (0.9, 0.99)


def rate(step):
    if step < WARMUP:
        return PEAK * (step + 1) / WARMUP
    return FINAL + (PEAK - FINAL) / 2 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


class Block:
    """One block; `post` puts the norms after the sums, `cross` adds attention to another sequence."""

    def __init__(self, case, name, width, heads, ffn, activation, post, cross=False, epsilon=1e-5):
        self.epsilon = epsilon
        p = lambda part, *shape: case.parameter(f"{name}.{part}", *shape, scale=0.2)
        one = lambda part: case.leaf(f"{name}.{part}.weight", (1 + case.draw.normal(width, scale=0.1)).float().double())
        linear = lambda part, *shape: (p(part + ".weight", *shape), p(part + ".bias", shape[-1]))
        norm = lambda part: (one(part), p(part + ".bias", width))
        self.width, self.heads, self.activation, self.post, self.cross = width, heads, activation, post, cross
        self.self_norm, self.qkv, self.self_out = norm("self_norm"), linear("self.qkv", width, 3 * width), linear("self.out", width, width)
        if cross:
            self.cross_norm, self.query = norm("cross_norm"), linear("cross.query", width, width)
            self.key_value, self.cross_out = linear("cross.key_value", width, 2 * width), linear("cross.out", width, width)
        self.ffn_norm, self.up, self.down = norm("ffn_norm"), linear("ffn.up", width, ffn), linear("ffn.down", ffn, width)

    def attend(self, q, k, v, seen):
        split = lambda x: x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)
        q, k, v = split(q), split(k), split(v)
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(q.shape[-1])
        weights = F.softmax(scores.masked_fill(~seen, -math.inf), -1)
        return (weights @ v).transpose(1, 2).flatten(2)

    def residual(self, x, norm, part):
        normed = lambda z: F.layer_norm(z, (self.width,), *norm, self.epsilon)
        return normed(x + part(x)) if self.post else x + part(normed(x))

    def __call__(self, x, seen, memory=None, memory_seen=None):
        affine = lambda z, layer: z @ layer[0] + layer[1]
        x = self.residual(x, self.self_norm, lambda z: affine(self.attend(*affine(z, self.qkv).chunk(3, -1), seen), self.self_out))
        if self.cross:
            def cross(z):
                keys, values = affine(memory, self.key_value).chunk(2, -1)
                return affine(self.attend(affine(z, self.query), keys, values, memory_seen), self.cross_out)
            x = self.residual(x, self.cross_norm, cross)
        return self.residual(x, self.ffn_norm, lambda z: affine(self.activation(affine(z, self.up)), self.down))

    def same_as_torch(self, x, seen):
        """The encoder form against torch.nn.TransformerEncoderLayer; `seen` [T, T] for every row."""
        layer = torch.nn.TransformerEncoderLayer(self.width, self.heads, self.up[0].shape[1], 0.0, self.activation, self.epsilon,
                                                 batch_first=True, norm_first=not self.post).double()
        pairs = [(layer.self_attn.in_proj_weight, self.qkv[0].T), (layer.self_attn.in_proj_bias, self.qkv[1]),
                 (layer.self_attn.out_proj.weight, self.self_out[0].T), (layer.self_attn.out_proj.bias, self.self_out[1]),
                 (layer.linear1.weight, self.up[0].T), (layer.linear1.bias, self.up[1]), (layer.linear2.weight, self.down[0].T),
                 (layer.linear2.bias, self.down[1]), (layer.norm1.weight, self.self_norm[0]), (layer.norm1.bias, self.self_norm[1]),
                 (layer.norm2.weight, self.ffn_norm[0]), (layer.norm2.bias, self.ffn_norm[1])]
        with torch.no_grad():
            for theirs, ours in pairs:
                theirs.copy_(ours)
        layer.train()
        same(self(x, seen), layer(x, src_mask=~seen), "transformer block")


def causal(length):
    return torch.ones(length, length, dtype=torch.bool).tril()


def train(case, loss_of):
    """Keeps the losses of all steps and the first gradients. loss_of(step) is the mean over the step's targets."""
    decayed = [p for p in case.leaves.values() if p.dim() > 1]
    others = [p for p in case.leaves.values() if p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}],
                                  betas=BETAS, eps=1e-8)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(step)
        loss.backward()
        if step == 0:
            for name, leaf in case.leaves.items():
                case.keep("gradient." + name, leaf.grad)
        losses.append(loss.item())
        torch.nn.utils.clip_grad_norm_(case.leaves.values(), CLIP)
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        optimizer.step()
    case.keep("output.losses", torch.tensor(losses, dtype=torch.float64))
    return case


def gpt(name, seed, post):
    case = Case(name, seed, norm_place="post" if post else "pre")
    size = case.draw.size
    heads, layers, context, batch, vocabulary = size(2, 1, 3), size(2, 1, 3), size(8, 3, 12), size(3, 1, 5), size(17, 5, 40)
    width, ffn = heads * size(6, 2, 10), size(20, 4, 40)
    case.metadata.update(heads=str(heads), layers=str(layers), context=str(context), batch=str(batch), ffn=str(ffn))
    embedding = case.parameter("embedding.weight", vocabulary, width, scale=0.3)
    position = case.parameter("position.weight", context, width, scale=0.3)
    blocks = [Block(case, f"decoder.{i}", width, heads, ffn, F.gelu, post) for i in range(layers)]
    last = None if post else (case.leaf("decoder.norm.weight", 1 + case.draw.normal(width, scale=0.0)),
                              case.parameter("decoder.norm.bias", width, scale=0.1))
    windows = size(11, 5, 30)
    # Windows in a row, begun again after the last: not a multiple of the batch.
    tokens = case.given("tokens", case.draw.ids(windows * context + size(2, 1, context), low=0, high=vocabulary))
    count = (len(tokens) - 1) // context
    blocks[0].same_as_torch(case.draw.normal(2, context, width), causal(context))

    def loss_of(step):
        begins = [((step * batch + row) % count) * context for row in range(batch)]
        x = torch.stack([tokens[b: b + context] for b in begins])
        y = torch.stack([tokens[b + 1: b + 1 + context] for b in begins])
        h = F.embedding(x, embedding) + position
        for block in blocks:
            h = block(h, causal(context))
        if last:
            h = F.layer_norm(h, (width,), *last)
        return F.cross_entropy((h @ embedding.T).flatten(0, 1), y.flatten())

    return train(case, loss_of)


def sinusoidal(length, width):
    position, i = torch.arange(length, dtype=torch.float64)[:, None], torch.arange(0, width, 2, dtype=torch.float64)
    table = torch.zeros(length, width, dtype=torch.float64)
    table[:, 0::2] = torch.sin(position / 10000 ** (i / width))
    table[:, 1::2] = torch.cos(position / 10000 ** (i / width))
    return table


def vaswani(seed):
    case = Case("training_vaswani", seed)
    size = case.draw.size
    heads, layers, batch = size(2, 1, 3), size(2, 1, 3), size(3, 2, 5)
    width, ffn, source, target = heads * 2 * size(3, 1, 5), size(20, 4, 40), size(7, 2, 10), size(6, 2, 9)
    sources, targets = size(13, 5, 30), size(15, 5, 30)
    case.metadata.update(heads=str(heads), layers=str(layers), batch=str(batch), ffn=str(ffn))
    source_embedding = case.parameter("encoder.embedding.weight", sources, width, scale=0.3)
    encoder = [Block(case, f"encoder.{i}", width, heads, ffn, F.relu, True) for i in range(layers)]
    target_embedding = case.parameter("decoder.embedding.weight", targets, width, scale=0.3)
    decoder = [Block(case, f"decoder.{i}", width, heads, ffn, F.relu, True, cross=True) for i in range(layers)]
    bias = case.parameter("head.bias", targets, scale=0.1)
    rows = STEPS * batch
    source_lengths = case.given("source_lengths", case.draw.lengths(rows, source))
    target_lengths = case.given("target_lengths", case.draw.lengths(rows, target))
    inside = lambda lengths, longest: torch.arange(longest) < lengths[:, None]
    source_ids = case.given("source", case.draw.ids(rows, source, low=0, high=sources) * inside(source_lengths, source))
    input_ids = case.given("decoder_input", case.draw.ids(rows, target, low=0, high=targets) * inside(target_lengths, target))
    target_ids = case.given("target", case.draw.ids(rows, target, low=0, high=targets) * inside(target_lengths, target))
    encoder[0].same_as_torch(case.draw.normal(2, source, width), torch.ones(source, source, dtype=torch.bool))

    def loss_of(step):
        part = slice(step * batch, (step + 1) * batch)
        seen = inside(source_lengths[part], source)[:, None, None]
        h = F.embedding(source_ids[part], source_embedding) * math.sqrt(width) + sinusoidal(source, width)
        for block in encoder:
            h = block(h, seen)
        y = F.embedding(input_ids[part], target_embedding) * math.sqrt(width) + sinusoidal(target, width)
        for block in decoder:
            y = block(y, causal(target), h, seen)
        losses = F.cross_entropy((y @ target_embedding.T + bias).flatten(0, 1), target_ids[part].flatten(), reduction="none")
        counted = inside(target_lengths[part], target).flatten()
        return (losses * counted).sum() / counted.sum()

    return train(case, loss_of)


def bert(seed):
    """Masked words and next sentence. Rows of several lengths; some have no word to guess."""
    case = Case("training_bert", seed)
    size = case.draw.size
    heads, layers, batch, length, vocabulary, classes = size(2, 1, 3), size(2, 1, 3), size(3, 2, 5), size(7, 3, 10), size(13, 5, 30), size(2, 2, 4)
    width, ffn, segments, epsilon = heads * size(6, 2, 10), size(20, 4, 40), size(2, 2, 3), 1e-12
    case.metadata.update(heads=str(heads), layers=str(layers), batch=str(batch), ffn=str(ffn), epsilon=str(epsilon))
    matrix = lambda name, *shape: case.parameter(name, *shape, scale=0.3)
    linear = lambda name, *shape: (matrix(name + ".weight", *shape), case.parameter(name + ".bias", shape[-1], scale=0.1))
    norm = lambda name: (case.leaf(name + ".weight", (1 + case.draw.normal(width, scale=0.1)).float().double()),
                         case.parameter(name + ".bias", width, scale=0.1))
    word, position = matrix("embedding.word.weight", vocabulary, width), matrix("embedding.position.weight", length, width)
    segment, embedding_norm = matrix("embedding.segment.weight", segments, width), norm("embedding.norm")
    blocks = [Block(case, f"encoder.{i}", width, heads, ffn, F.gelu, True, epsilon=epsilon) for i in range(layers)]
    dense, dense_norm = linear("masked.dense", width, width), norm("masked.norm")
    bias = case.parameter("masked.bias", vocabulary, scale=0.1)
    pooler, relation = linear("pooler", width, width), linear("relation", width, classes)
    rows = STEPS * batch
    lengths = case.given("lengths", case.draw.lengths(rows, length))
    inside = torch.arange(length) < lengths[:, None]
    ids = case.given("text", case.draw.ids(rows, length, low=0, high=vocabulary) * inside)
    kinds = case.given("segments", case.draw.ids(rows, length, low=0, high=segments) * inside)
    guessed = case.draw.ids(rows, length, low=0, high=4) == 0
    guessed[::batch, 0] = True  # every batch has one
    target = case.draw.ids(rows, length, low=0, high=vocabulary).masked_fill(~(guessed & inside), -1)
    case.given("target", target)
    labels = case.given("labels", case.draw.ids(rows, low=0, high=classes))
    blocks[0].same_as_torch(case.draw.normal(2, length, width), torch.ones(length, length, dtype=torch.bool))
    normed = lambda x, parts: F.layer_norm(x, (width,), *parts, epsilon)

    def loss_of(step):
        part = slice(step * batch, (step + 1) * batch)
        h = normed(F.embedding(ids[part], word) + position + F.embedding(kinds[part], segment), embedding_norm)
        for block in blocks:
            h = block(h, inside[part][:, None, None])
        guess = normed(F.gelu(h @ dense[0] + dense[1]), dense_norm) @ word.T + bias
        pooled = torch.tanh(h[:, 0] @ pooler[0] + pooler[1])
        return F.cross_entropy(guess.flatten(0, 1), target[part].flatten(), ignore_index=-1) + \
            F.cross_entropy(pooled @ relation[0] + relation[1], labels[part])

    return train(case, loss_of)


def cases(seed):
    yield gpt("training_gpt2", seed, post=False)
    yield gpt("training_gpt1", seed, post=True)
    yield vaswani(seed)
    yield bert(seed)
