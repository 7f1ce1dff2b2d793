#!/usr/bin/python3
"""Trains one BERT twice, here and in PyTorch (eager), from the same weights on the same batches, and prints both loss curves and
both times.

usage: bert_curves.py --attend build/attend --batches build/attend_bench_batches [--steps N] [--every K] [--threads N] [--out DIR]
                      [--head targets|all] [--set KEY=VALUE ...] [CONFIG]

CONFIG is configs/bert_mini_wikitext.json unless another is given: masked words without labels, the published form (learned positions,
layer norms after the sums), no dropout, adamw and a cosine schedule. The schedule is laid over the N steps. Both print the mean loss
over each K steps, before their updates. PyTorch reads all batches from memory; ours makes them within the time that is counted.
--head: where PyTorch computes its output layer: at the targets alone, as ours does, or at all positions, as most code for it does.
"""
import argparse
import glob
import json
import math
import os
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def read_bundle(path):
    """Tensors by name as torch's, and the resolved config."""
    import torch
    kinds = {"F32": torch.float32, "I32": torch.int32}
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), bytearray(file.read())
    config = json.loads(header.pop("__metadata__")["config"])
    tensors = {}
    for name, info in header.items():
        begin, end = info["data_offsets"]
        if end > begin:
            tensors[name] = torch.frombuffer(data, dtype=kinds[info["dtype"]], count=(end - begin) // 4, offset=begin).reshape(info["shape"])
    return tensors, config


def require_known(config):
    model = config["model"]
    known = {"type": "bert", "norm": "layer", "norm_place": "post", "activation": "gelu", "positions": "learned", "bias": True, "dropout": 0}
    wrong = [f"model.{key} {model[key]}, here {value}" for key, value in known.items() if model[key] != value]
    if config["optimizer"]["type"] != "adamw" or config["schedule"]["type"] != "cosine" or config["train"]["accumulate"] != 1:
        wrong.append("optimizer, schedule or train.accumulate: adamw, cosine and 1 here")
    if wrong:
        sys.exit("bert_curves.py: no peer for this config: " + "; ".join(wrong))


def make_peer(tensors, model, head):
    import torch
    import torch.nn.functional as F
    from torch import nn

    class Bert(nn.Module):
        def __init__(s):
            super().__init__()
            width, epsilon = model["width"], model["norm_epsilon"]
            vocabulary = tensors["model.embedding.word.weight"].shape[0]
            ffn = tensors["model.encoder.0.ffn.up.weight"].shape[1]
            s.word, s.position, s.segment = nn.Embedding(vocabulary, width), nn.Embedding(model["context"], width), nn.Embedding(model["segments"], width)
            s.norm = nn.LayerNorm(width, epsilon)
            layer = nn.TransformerEncoderLayer(width, model["heads"], ffn, 0.0, "gelu", epsilon, batch_first=True)
            s.encoder = nn.TransformerEncoder(layer, model["layers"])
            s.dense, s.dense_norm, s.bias = nn.Linear(width, width), nn.LayerNorm(width, epsilon), nn.Parameter(torch.zeros(vocabulary))
            own = {"embedding.word.weight": s.word.weight, "embedding.position.weight": s.position.weight,
                   "embedding.segment.weight": s.segment.weight, "masked.bias": s.bias}
            both = [("embedding.norm", s.norm), ("masked.dense", s.dense), ("masked.norm", s.dense_norm)]
            for i, block in enumerate(s.encoder.layers):
                own[f"encoder.{i}.self.qkv.weight"], own[f"encoder.{i}.self.qkv.bias"] = block.self_attn.in_proj_weight, block.self_attn.in_proj_bias
                both += [(f"encoder.{i}.self.out", block.self_attn.out_proj), (f"encoder.{i}.self_norm", block.norm1),
                         (f"encoder.{i}.ffn.up", block.linear1), (f"encoder.{i}.ffn.down", block.linear2), (f"encoder.{i}.ffn_norm", block.norm2)]
            for name, module in both:
                own[name + ".weight"], own[name + ".bias"] = module.weight, module.bias
            ours = {name[len("model."):]: values for name, values in tensors.items() if name.startswith("model.")}
            assert own.keys() == ours.keys(), own.keys() ^ ours.keys()
            assert sum(p.numel() for p in s.parameters()) == sum(v.numel() for v in ours.values())
            with torch.no_grad():
                for name, parameter in own.items():
                    turned = name.endswith("weight") and not name.startswith("embedding.") and parameter.dim() == 2
                    parameter.copy_(ours[name].T if turned else ours[name])

        def forward(s, ids, lengths, target):
            h = s.norm(s.word(ids) + s.position.weight[: ids.shape[1]] + s.segment.weight[0])
            padding = None if bool((lengths == ids.shape[1]).all()) else torch.arange(ids.shape[1]) >= lengths[:, None]
            h = s.encoder(h, src_key_padding_mask=padding)
            if head == "targets":
                h, target = h[target >= 0], target[target >= 0]
            logits = s.dense_norm(F.gelu(s.dense(h))) @ s.word.weight.T + s.bias
            return F.cross_entropy(logits.flatten(0, -2), target.flatten(), ignore_index=-1)

    return Bert()


def train_peer(path, threads, head):
    """One JSON object: losses of all steps and their seconds."""
    import torch
    torch.set_num_threads(threads)
    tensors, config = read_bundle(path)
    model = make_peer(tensors, config["model"], head)
    o, s, t = config["optimizer"], config["schedule"], config["train"]
    peak, warmup, steps = o["learning_rate"], s["warmup"], t["steps"]
    optimizer = torch.optim.AdamW([{"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": o["weight_decay"]},
                                   {"params": [p for p in model.parameters() if p.dim() <= 1], "weight_decay": 0.0}],
                                  betas=tuple(o["betas"]), eps=o["epsilon"])
    batches = [[tensors[f"batch.{k}.{name}"].long() for name in ("input", "input_lengths", "target")] for k in range(steps)]
    losses, began = [], time.perf_counter()
    for step, batch in enumerate(batches):
        rate = peak * (step + 1) / warmup if step < warmup else \
            s["final"] + (peak - s["final"]) / 2 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        loss = model(*batch)
        loss.backward()
        if t["clip_norm"] > 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), t["clip_norm"])
        optimizer.step()
        losses.append((loss.item(), int((batch[2] >= 0).sum())))
    print(json.dumps({"losses": losses, "seconds": time.perf_counter() - began}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attend", help="the program")
    parser.add_argument("--batches", help="attend_bench_batches")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--every", type=int, default=20, help="steps a line of the curves")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", default="bert_curves", help="folder for what is written")
    parser.add_argument("--head", choices=("targets", "all"), default="targets")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--peer", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("config", nargs="?", default=os.path.join(os.path.dirname(HERE), "configs", "bert_mini_wikitext.json"))
    a = parser.parse_args()
    if a.peer:
        return train_peer(a.peer, a.threads, a.head)
    if not a.attend or not a.batches:
        parser.error("--attend and --batches are needed")
    os.makedirs(a.out, exist_ok=True)
    start = os.path.join(a.out, "start.safetensors")
    changes = [f"train.steps={a.steps}", f"train.log_every={a.every}", f"train.evaluate_every={a.steps}", *a.set]
    changes = [word for change in changes for word in ("--set", change)]
    subprocess.run([a.batches, a.config, start, *changes], check=True)
    with open(start, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        config = json.loads(json.loads(file.read(length))["__metadata__"]["config"])
    require_known(config)
    run = os.path.join(a.out, "run")
    subprocess.run([a.attend, "train", a.config, "--out", run, "--overwrite", "--threads", str(a.threads), *changes], check=True)
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
        lines = [line for line in map(json.loads, file) if line["split"] == "train"]
    # PyTorch is fastest with the OpenMP flavour of OpenBLAS, as in run.py.
    flavour = glob.glob("/usr/lib/*/openblas-openmp")
    environment = dict(os.environ, OMP_NUM_THREADS=str(a.threads))
    if flavour:
        environment["LD_LIBRARY_PATH"] = ":".join(flavour + [os.environ.get("LD_LIBRARY_PATH", "")]).rstrip(":")
    done = subprocess.run([sys.executable, __file__, "--peer", start, "--threads", str(a.threads), "--head", a.head],
                          env=environment, stdout=subprocess.PIPE, text=True, check=True)
    peer = json.loads(done.stdout)
    print(f"{'steps':>12}{'attend':>12}{'PyTorch':>12}{'difference':>12}")
    first = 0
    for line in lines:
        part = peer["losses"][first:line["step"]]
        theirs = sum(loss * count for loss, count in part) / sum(count for _, count in part)
        print(f"{first + 1:>6}-{line['step']:<5}{line['loss']:>12.4f}{theirs:>12.4f}{line['loss'] - theirs:>12.4f}")
        first = line["step"]
    ours = lines[-1]["seconds"]
    print(f"seconds of {a.steps} steps on {a.threads} threads: attend {ours:.1f}, PyTorch {peer['seconds']:.1f}; ratio {peer['seconds'] / ours:.2f}")


if __name__ == "__main__":
    main()
