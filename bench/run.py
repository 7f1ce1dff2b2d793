#!/usr/bin/python3
"""Times a training step of ours beside PyTorch's, alternately in one run, so that the machine's moods meet both.

usage: run.py --program build/bench/attend_bench_step [--rounds N] [--threads 1,2] [--steps N] [--json FILE] [CASE ...]

Without a CASE: every case our program knows (--list). A round measures, one after another and each in a process of its own,
PyTorch and attend with each number of threads. The table shows medians over the rounds in milliseconds a step; `ratio` is
PyTorch's best over attend's best (above 1: attend is faster), `scaling` is attend's one thread over its most threads.
--json adds every single measurement to FILE, one JSON object a line. Above the table stands the machine's own matrix-product
rate, measured through the same seam our products go through.
"""
import argparse
import glob
import json
import os
import statistics
import subprocess
import sys

PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_training_step.py")


def run(command, environment):
    done = subprocess.run(command, env=dict(os.environ, **environment), stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"run.py: a measurement failed: exit code {done.returncode}, command {' '.join(command)}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def peer(case, threads, steps):
    # PyTorch is fastest with the OpenMP flavour of OpenBLAS, which shares its threads; the system's default may be another.
    flavour = glob.glob("/usr/lib/*/openblas-openmp")
    environment = {"OMP_NUM_THREADS": str(threads)}
    if flavour:
        environment["LD_LIBRARY_PATH"] = ":".join(flavour + [os.environ.get("LD_LIBRARY_PATH", "")]).rstrip(":")
    return run(["/usr/bin/python3", PEER, "--one", "--threads", str(threads), "--steps", str(steps), case], environment)[0]


def ours(program, case, threads, steps):
    return run([program, "--threads", str(threads), "--steps", str(steps), case], {})[0]


def median(values):
    return statistics.median(values) if values else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="our measuring program (target attend_bench_step)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--steps", type=int, default=40, help="timed steps of one measurement, at most")
    parser.add_argument("--json", help="file to add the single measurements to")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    a = parser.parse_args()
    threads = [int(t) for t in a.threads.split(",")]
    known = subprocess.run([a.program, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    for case in a.cases:
        if case not in known:
            sys.exit(f"run.py: no such case: '{case}', known: {', '.join(known)}")

    record = open(a.json, "a", encoding="utf-8") if a.json else None
    rates = [run([a.program, "--matrix-product", "--threads", str(t)], {})[0] for t in threads]
    print("matrix products alone: " + ", ".join(f"{r['gflops']:.0f} GFLOP/s with {r['threads']} thread(s)" for r in rates))
    heads = [f"PyTorch {t}t" for t in threads] + [f"attend {t}t" for t in threads] + ["ratio", "scaling", "GFLOP/s", "MiB"]
    print(f"{'case':<20}" + "".join(f"{h:>12}" for h in heads), flush=True)
    for case in a.cases or known:
        times, flops, memory = {}, 0, 0
        for _ in range(a.rounds):
            for t in threads:
                for name, line in (("peer", peer(case, t, a.steps)), ("ours", ours(a.program, case, t, a.steps))):
                    times.setdefault((name, t), []).append(line["ms_per_step"])
                    if name == "peer":
                        flops = line["gflops"] * line["ms_per_step"]
                    else:
                        memory = max(memory, line["peak_mib"])
                    if record:
                        print(json.dumps(line), file=record, flush=True)
        middle = {key: median(values) for key, values in times.items()}
        best = {name: min(middle[name, t] for t in threads) for name in ("peer", "ours")}
        cells = [f"{middle[name, t]:.2f}" for name in ("peer", "ours") for t in threads]
        cells += [f"{best['peer'] / best['ours']:.2f}", f"{middle['ours', threads[0]] / middle['ours', threads[-1]]:.2f}"]
        cells += [f"{flops / best['ours']:.0f}", f"{memory}"]
        print(f"{case:<20}" + "".join(f"{c:>12}" for c in cells), flush=True)


if __name__ == "__main__":
    main()
