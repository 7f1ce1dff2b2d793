"""The pictures of docs/attention.md: one row each. Standard library only."""


class Picture:
    """`shows`: one sentence, for those who cannot see it. `config` with `changes` is what is trained. `panels`: (label, site) of
    each map, side by side; a site "" is the only one. `example`: which of those whose maps the run keeps, from 0."""

    def __init__(self, shows, config, changes, panels=(("", ""),), example=0):
        self.shows, self.config, self.changes, self.panels, self.example = shows, config, changes, panels, example


BAHDANAU, LUONG = "configs/bahdanau_dates.json", "configs/dates_luong.json"


TRANSFORMER, RECALL = "configs/transformer_dates.json", "configs/gpt_recall.json"


def dates(shows, attention, config=BAHDANAU, **more):
    """300 steps of 64 dates; all of them show the same example."""
    return Picture(shows, config, {"train.steps": 300, **settings(attention), **more}, example=2)


def copy(shows, attention, steps=500):
    """Numbers are copied: the alignment is the diagonal."""
    task = {"task": "copy", "min_length": 10, "max_length": 12, "symbols": 10}
    return Picture(shows, BAHDANAU, {"data": task, "train.steps": steps, **settings(attention)}, example=2)


def gpt(shows, task, attention, panels=(("", ""),), **more):
    """A small gpt without feed-forward networks."""
    return Picture(shows, RECALL, {"data": task, "model.context": task["length"], "train.steps": 500, **settings(attention), **more},
                   panels)


def settings(attention):
    """Options of model.attention one by one, or (a list) all at once."""
    return {f"model.attention.{k}": v for k, v in attention.items()} if isinstance(attention, dict) else {"model.attention": attention}


# A text of 6 to 8 symbols that repeats: the next symbol is known from the second time on.
REPEATED = {"task": "induction", "vocabulary": 10, "min_period": 6, "max_period": 8, "length": 17}
# At a "?" the symbol before it is asked for; everywhere else there is nothing to read.
TRIGGER = {"task": "trigger", "symbols": 10, "length": 17, "triggers": 0.15, "elsewhere": "nothing"}
# Three pairs of a key and a value, then the keys again.
PAIRS = {"task": "recall", "vocabulary": 16, "pairs": 3, "length": 16}
LAYERS = (("layer 0", "decoder.0.self.heads.0"), ("layer 1", "decoder.1.self.heads.0"))
NO_POSITIONS = {"model.positions": "none"}
ONE_LAYER = {"model.layers": 1}

PICTURES = {
    "score_additive": dates("Additive scores: each digit of the year reads its own digit.", {"score": "additive"}),
    "score_dot": dates("Dot product: nearly all weight of a row is in one square.", {"score": "dot"}, **{"model.encoder_hidden": 32}),
    "score_scaled_dot": dates("Scaled dot product: sharp rows.", {"score": "scaled_dot"}),
    "score_general": dates("General score: sharp rows.", {"score": "general"}),
    "score_concat": dates("Concat: nearly the map of additive scores.", {"score": "concat"}),
    "score_location": dates("Location: rows are spread over several squares, for the source is not seen.", {"score": "location"}),
    "score_location_aware": copy("Location-aware scores: the diagonal of a copy.", {"score": "location_aware"}),
    "score_cosine": dates("Cosine: sharp rows.", {"score": "cosine"}),
    "score_coverage": dates("Coverage: what was read already gets less weight.", {"score": "coverage"}),
    "bias_alibi": gpt("ALiBi: head 0 sees near positions, head 3 sees far.", REPEATED, {"bias": "alibi"},
                      (("head 0", "decoder.0.self.heads.0"), ("head 3", "decoder.0.self.heads.3")),
                      **{"model.heads": 4, **NO_POSITIONS}),
    "bias_relative": gpt("Relative positions: layer 0 reads the position before.", REPEATED, {"bias": "relative"}, LAYERS, **NO_POSITIONS),
    "bias_t5": gpt("T5: bands along the diagonal.", REPEATED, {"bias": "t5"}, LAYERS, **NO_POSITIONS),
    "bias_forget": gpt("Forgetting: weights fade with the distance.", REPEATED, {"bias": "forget"}, LAYERS, **NO_POSITIONS),
    "window_global": Picture("Global: every square has a weight.", TRANSFORMER, {"train.steps": 1000, "model.layers": 1, "model.heads": 2},
                             (("head 0", "encoder.0.self.heads.0"), ("head 1", "encoder.0.self.heads.1")), example=2),
    "window_causal": gpt("Causal: nothing above the diagonal.", PAIRS, {"window": "causal"}, LAYERS, **{"train.steps": 800}),
    "window_local_m": copy("Local-m: two squares on each side of the diagonal.", {"window": {"type": "local_m", "reach": 2}}),
    "window_local_p": Picture("Local-p: a soft band whose place is predicted.", BAHDANAU,
                              {"data": {"task": "near_diagonal", "min_length": 24, "max_length": 24, "max_run": 3, "variants": 2, "symbols": 9},
                               "train.steps": 800, "model.attention.window": {"type": "local_p", "reach": 4}}, example=2),
    "window_sliding": gpt("Sliding: a band of five squares.", REPEATED, {"window": {"type": "sliding", "size": 5}}, LAYERS),
    "window_dilated": gpt("Dilated: every second square.", REPEATED,
                          [{"window": {"type": "sliding", "size": 2}}, {"window": {"type": "dilated", "count": 4, "step": 2}}], LAYERS),
    "window_blocks": gpt("Blocks: steps along the diagonal, and the first column.", REPEATED,
                         {"window": {"type": "blocks", "size": 4, "neighbours": 1, "global": 1}}, LAYERS),
    "align_softmax": gpt("Softmax: rows with nothing to read put their weight somewhere.", TRIGGER, {"align": "softmax"}, **ONE_LAYER),
    "align_temperature": dates("Temperature 4.", {"align": {"type": "softmax", "temperature": 4}}),
    "align_soft_cap": dates("Soft cap 4.", {"align": {"type": "softmax", "soft_cap": 4}}),
    "align_sparsemax": dates("Sparsemax: most squares are exactly 0.", {"align": "sparsemax"}),
    "align_entmax15": dates("Entmax 1.5: many squares are exactly 0.", {"align": "entmax15"}),
    "align_entmax": dates("Entmax 1.2: some squares are exactly 0.", {"align": {"type": "entmax", "alpha": 1.2}}),
    "align_sigmoid": dates("Sigmoid: some rows have much weight in many squares.", {"align": "sigmoid"}, **{"train.steps": 600}),
    "align_relu": dates("ReLU: squares are exactly 0 or share a row.", {"align": "relu"}, **{"train.steps": 600}),
    "align_top_k": dates("Top-k: three squares a row.", {"align": {"type": "top_k", "k": 3}}),
    "align_softmax_one": gpt("Softmax-one: rows with nothing to read are nearly empty.", PAIRS, {"align": "softmax_one"}, LAYERS, **{"train.steps": 800}),
    "align_sink": gpt("Sink: rows with nothing to read are nearly empty.", PAIRS, {"align": "sink"}, LAYERS, **{"train.steps": 800}),
    "align_monotonic": copy("Monotonic: one square a row, never to the left of the row above.", {"align": "monotonic"}, 1000),
    "align_chunk": copy("MoChA.", {"align": {"type": "monotonic", "chunk": 3}}, 1000),
    "select_hard": dates("Hard.", {"select": {"type": "hard", "estimator": "exact"}}, LUONG),
    "differ_layers": gpt("Layers.", REPEATED, [{"window": {"type": "sliding", "size": 2}}, "weighted"], LAYERS),
    "differ_heads": gpt("Heads.", REPEATED, [[{"window": {"type": "sliding", "size": 2}}, "weighted"]],
                        (("layer 1, head 0", "decoder.1.self.heads.0"), ("layer 1, head 1", "decoder.1.self.heads.1")), **{"model.heads": 2}),
}
