#!/usr/bin/python3
"""Writes golden values computed by PyTorch (made with 1.13), and by NumPy (entmax): make.py [--seed N] [--out DIR]

Seed 1 gives the committed sizes; any other seed draws other numbers and other sizes, which tests read from the files. Everything
is computed in float64 from float32 numbers and stored as float32.
"""
import argparse
import pathlib

import torch

import attention
import entmax
import layers
import models
import training
import trajectories
import transformer
from store import Draw


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=Draw.committed_seed)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "values")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    count = 0
    for part in (layers, entmax, attention, transformer, trajectories, models, training):
        for case in part.cases(arguments.seed):
            case.write(arguments.out)
            count += 1
    size = sum(f.stat().st_size for f in arguments.out.glob("*.safetensors"))
    print(f"{arguments.out}: {count} files, {size} bytes")


if __name__ == "__main__":
    main()
