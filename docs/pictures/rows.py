"""The pictures of docs/attention.md: one row each. Standard library only."""


class Picture:
    """`shows`: one sentence, for those who cannot see it. `config` with `changes` is what is trained. `panels`: (label, site)
    of each map, side by side; a site "" is the only one. `example`: which of those whose maps the run keeps, from 0."""

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
    changes = {"data": task, "model.context": task["length"], "train.steps": 500, **settings(attention), **more}
    return Picture(shows, RECALL, changes, panels)


def settings(attention):
    """Options of model.attention one by one, or (a list) all at once."""
    if isinstance(attention, list):
        return {"model.attention": attention}
    return {f"model.attention.{k}": v for k, v in attention.items()}


# A text of 6 to 8 symbols that repeats: the next symbol is known from the second time on.
REPEATED = {"task": "induction", "vocabulary": 10, "min_period": 6, "max_period": 8, "length": 17}
# At a "?" the symbol before it is asked for; everywhere else there is nothing to read.
TRIGGER = {"task": "trigger", "symbols": 10, "length": 17, "triggers": 0.15, "elsewhere": "nothing"}
# Three pairs of a key and a value, then the keys again.
PAIRS = {"task": "recall", "vocabulary": 16, "pairs": 3, "length": 16}
LAYERS = (("layer 0", "decoder.0.self.heads.0"), ("layer 1", "decoder.1.self.heads.0"))
HEADS = (("head 0", "decoder.0.self.heads.0"), ("head 3", "decoder.0.self.heads.3"))
LAST_HEADS = (("layer 1, head 0", "decoder.1.self.heads.0"), ("layer 1, head 1", "decoder.1.self.heads.1"))
NO_POSITIONS = {"model.positions": "none"}
ONE_LAYER = {"model.layers": 1}

SCORES = {
    "score_additive": dates("Additive scores: each digit of year and day reads its own digit, the month several letters.",
                            {"score": "additive"}),
    "score_dot": dates("Dot products: nearly all rows have their weight in a single square.", {"score": "dot"},
                       **{"model.encoder_hidden": 32}),
    "score_scaled_dot": dates("Scaled dot products: nearly all rows have their weight in one or two squares.",
                              {"score": "scaled_dot"}),
    "score_general": dates("General scores: one square a row, but not always the digit itself.", {"score": "general"}),
    "score_concat": dates("Concat: almost the same picture as that of additive scores.", {"score": "concat"}),
    "score_location": dates("Location: rows spread over several squares, because the source is not seen.",
                            {"score": "location"}),
    "score_location_aware": copy("Location-aware scores on a copy: a sharp diagonal, also where a digit stands twice.",
                                 {"score": "location_aware"}),
    "score_cosine": dates("Cosine: sharp rows, as with dot products.", {"score": "cosine"}),
    "score_coverage": dates("Coverage: as additive scores, what was read counts as read.", {"score": "coverage"}),
}
BIASES = {
    "bias_alibi": gpt("ALiBi: head 0 reads the last positions, head 3 also far ones.", REPEATED, {"bias": "alibi"}, HEADS,
                      **{"model.heads": 4, **NO_POSITIONS}),
    "bias_relative": gpt("Relative positions: layer 0 reads mostly two positions back, layer 1 three.",
                         REPEATED, {"bias": "relative"}, LAYERS, **NO_POSITIONS),
    "bias_t5": gpt("T5's buckets: bands along the diagonal in both layers.", REPEATED, {"bias": "t5"}, LAYERS, **NO_POSITIONS),
    "bias_forget": gpt("Forgetting: weights fade with the distance, in layer 0 fast.", REPEATED, {"bias": "forget"}, LAYERS,
                       **NO_POSITIONS),
}
POSITIONS = {
    "positions_none": gpt("No positions: most rows are flat in both layers.", REPEATED, {},
                          LAYERS, **NO_POSITIONS),
    "positions_sinusoidal": gpt("Sinusoidal: sharp repeated rows in layer 1, first five places back, later eleven.", REPEATED, {},
                                LAYERS, **{"model.positions": "sinusoidal"}),
    "positions_learned": gpt("Learned: layer 0 is sharp in the first rows alone, layer 1 in nearly all repeated ones.",
                             REPEATED, {}, LAYERS, **{"model.positions": "learned"}),
    "positions_rotary": gpt("Rotary: both layers have bands along the diagonal; layer 1 reads five back in every repeated row.",
                            REPEATED, {}, LAYERS, **{"model.positions": "rotary"}),
    "positions_randomised": gpt("Randomised: bands as with rotary positions alone, but wider in layer 0.", REPEATED, {}, LAYERS,
                                **{"model.positions": {"type": "rotary", "randomised": 34}}),
}
WINDOWS = {
    "window_global": Picture("Global: every position of the source reads positions before and after itself.", TRANSFORMER,
                             {"train.steps": 1000, "model.layers": 1, "model.heads": 2},
                             (("head 0", "encoder.0.self.heads.0"), ("head 1", "encoder.0.self.heads.1")), example=2),
    "window_causal": gpt("Causal: no weight right of the diagonal; in layer 1 a repeated key reads next to its first place.",
                         PAIRS, {"window": "causal"}, LAYERS, **{"train.steps": 800}),
    "window_local_m": copy("Local-m: weights in a band of two positions on each side of the diagonal.",
                           {"window": {"type": "local_m", "reach": 2}}),
    "window_local_p": Picture("Local-p: a band with soft edges, which moves as fast as the source needs it.", BAHDANAU,
                              {"data": {"task": "near_diagonal", "symbols": 9, "variants": 2, "max_run": 3, "min_length": 24,
                                        "max_length": 24},
                               "train.steps": 800, "model.attention.window": {"type": "local_p", "reach": 4}}, example=2),
    "window_sliding": gpt("Sliding: a band of five positions; layer 0 reads mostly three back, layer 1 two.", REPEATED,
                          {"window": {"type": "sliding", "size": 5}}, LAYERS),
    "window_dilated": gpt("Dilated: layer 1 sees every second position and reads the one four back.", REPEATED,
                          [{"window": {"type": "sliding", "size": 2}},
                           {"window": {"type": "dilated", "count": 4, "step": 2}}], LAYERS),
    "window_blocks": gpt("Blocks: steps of four positions along the diagonal, and the first column.", REPEATED,
                         {"window": {"type": "blocks", "size": 4, "neighbours": 1, "global": 1}}, LAYERS),
}
ALIGNMENTS = {
    "align_softmax": gpt("Softmax: rows that need nothing read the first symbol; a ? reads the symbol before it.",
                         TRIGGER, {"align": "softmax"}, **ONE_LAYER),
    "align_temperature": dates("Softmax with temperature 4: rows are flatter, those of the month spread over many squares.",
                               {"align": {"type": "softmax", "temperature": 4}}),
    "align_soft_cap": dates("Softmax with a soft cap of 4: few rows are sharp.", {"align": {"type": "softmax", "soft_cap": 4}}),
    "align_sparsemax": dates("Sparsemax: all but one to three squares of a row are exactly 0.", {"align": "sparsemax"}),
    "align_entmax15": dates("Entmax with alpha 1.5: sure rows have one or two squares, unsure rows more.",
                            {"align": "entmax15"}),
    "align_entmax": dates("Entmax with alpha 1.2: many exact zeros in sure rows, few in the others.",
                          {"align": {"type": "entmax", "alpha": 1.2}}),
    "align_sigmoid": dates("Sigmoid: some rows have many squares of full weight, others few.", {"align": "sigmoid"},
                           **{"train.steps": 600}),
    "align_relu": dates("ReLU: groups of squares with middle weights, the others exactly 0.", {"align": "relu"},
                        **{"train.steps": 600}),
    "align_top_k": dates("Top-k with k = 3: three squares in each row have weight.", {"align": {"type": "top_k", "k": 3}}),
    "align_softmax_one": gpt("Softmax-one: the first rows of layer 1, which have nothing to read yet, are almost empty.", PAIRS,
                             {"align": "softmax_one"}, LAYERS, **{"train.steps": 800}),
    "align_sink": gpt("A learned sink: the first rows of layer 1 are almost empty, others have less than 1 in sum.", PAIRS,
                      {"align": "sink"}, LAYERS, **{"train.steps": 800}),
    "align_monotonic": copy("Monotonic: one square of weight 1 in a row, never left of that of the row before.",
                            {"align": "monotonic"}, 1000),
    "align_chunk": copy("Monotonic with chunks of 3: up to three squares side by side, of which the last moves right only.",
                        {"align": {"type": "monotonic", "chunk": 3}}, 1000),
}
OTHERS = {
    "select_hard": dates("Hard attention: a ring marks the one position that each row reads, the largest weight.",
                         {"select": {"type": "hard", "estimator": "exact"}}, LUONG),
    "differ_layers": gpt("Layers that differ: layer 0 sees two positions, layer 1 all and reads mostly four back.",
                         REPEATED, [{"window": {"type": "sliding", "size": 2}}, "weighted"], LAYERS),
    "differ_heads": gpt("Heads that differ: head 0 sees two positions, head 1 all and reads the one five back.",
                        REPEATED,
                        [[{"window": {"type": "sliding", "size": 2}}, "weighted"]],
                        LAST_HEADS, **{"model.heads": 2}),
    "heads_talking": gpt("Talking heads: from the second time on both heads read mostly one and the same place.",
                         REPEATED, {"talking": True}, LAST_HEADS, **{"model.heads": 2}),
    "heads_differential": gpt("Differential: a ? reads the symbol before it and has a weight below 0 at the first symbol.",
                              TRIGGER, {"differential": True}, **ONE_LAYER),
    "heads_gate": gpt("With an output gate: rows that need nothing read the first symbol, as without a gate.",
                      TRIGGER, {"gate": "elementwise"}, **ONE_LAYER),
}
PICTURES = {**SCORES, **BIASES, **POSITIONS, **WINDOWS, **ALIGNMENTS, **OTHERS}
