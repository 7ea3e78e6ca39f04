#!/usr/bin/env python3
"""The figures of `make bench`: accuracy, memory, compile times and speed of generated code.

    bench.py [--skipc PATH] [--work DIR] [--only GROUP ...] [--runs N] [--inputs N]

Builds the networks with networks.py into DIR (default build/bench), and prints a Markdown table
for each group: accuracy, arena, compile, speed, highway. Everything is single-threaded. Exit status
1 when a bar is not met.
"""
import argparse
import filecmp
import os
import re
import statistics
import subprocess
import sys
import time

import compare  # says how to install what is missing
import networks
import numpy as np
import onnx

HERE = os.path.dirname(os.path.abspath(__file__))
MB = 1 << 20
PORTABLE = "--target=c"
WARNINGS = "-std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror"

ARENA_BARS = {"resnet8": 131072, "resnet18": 4014080, "resnet50": 5218304, "resnet152": 5218304}


# The figures of highway networks: network, options, bar and goal of onnxruntime's time over ours.
HIGHWAYS = [
    ("highway_fc", {"width": 50, "depth": 10}, 4, 7),
    ("highway_fc", {"width": 50, "depth": 50}, 4, 7),
    ("highway_fc", {"width": 128, "depth": 50}, 2, 2.8),
    ("highway_fc", {"width": 512, "depth": 50}, 1, 1.08),
    ("highway_fc", {"width": 50, "depth": 50, "batch": 64}, 1.5, 1.8),
    ("highway_fc", {"width": 128, "depth": 50, "batch": 64}, 1.25, 1.5),
    ("highway_fc", {"width": 512, "depth": 50, "batch": 64}, 1.05, 1.12),
    ("highway_conv", {"width": 32}, 1, 1.15),
    ("highway_conv", {"width": 64}, 1, 1.07),
    ("highway_conv", {"width": 128}, 1, 1.03),
]
RECOGNITION = [("highway_fc", {"depth": n}) for n in (250, 500, 1000)] + [("cifar_resnet1202", {})]


def bar(theirs):
    """What E(ours) may be, given E(onnxruntime)."""
    factor, floor = compare.EXACT
    return factor * theirs + floor


class Bench:
    def __init__(self, arguments):
        self.skipc, self.work = arguments.skipc, arguments.work
        self.runs, self.inputs = arguments.runs, arguments.inputs
        self.failed = 0

    # pieces --------------------------------------------------------------------------------------

    def network(self, name, options=None):
        """Path of the network's ONNX file, made when it is not there or older than its maker."""
        path = os.path.join(self.work, label(name, options) + ".onnx")
        if not os.path.exists(path) or \
                os.path.getmtime(path) < os.path.getmtime(networks.__file__):
            os.makedirs(self.work, exist_ok=True)
            model = networks.build(name, networks.Options(**options) if options else None)
            networks.save(model, path + ".part")
            os.rename(path + ".part", path)
        return path

    def compiled(self, name, again=""):
        """Folder of the generated code with a main program, freshly made; wall time and peak
        memory of skipc."""
        folder = os.path.join(self.work, name + again)
        os.makedirs(folder, exist_ok=True)
        for entry in os.scandir(folder):
            if entry.is_file():
                os.unlink(entry.path)
        command = [self.skipc, "compile", self.network(name), "-o", folder, "--name", "net",
                   "--main", PORTABLE]
        return folder, *measured(command)

    def rows(self, title, head, rows):
        """A Markdown table; the last column of a row is whether the bar is met."""
        self.failed += sum(not row[-1] for row in rows)
        print(f"\n### {title}\n\n| " + " | ".join(head) + " | |")
        print("|---" * len(head) + "|---|")
        for *cells, ok in rows:
            print("| " + " | ".join(cells) + f" | {'ok' if ok else '**not met**'} |")
        sys.stdout.flush()

    # groups --------------------------------------------------------------------------------------

    def accuracy(self):
        """E of both against float64. The bar holds for each input; the one nearest it is shown."""
        rows = []
        for name in networks.NETWORKS:
            try:
                folder, *_ = self.compiled(name)
                program = compare.build_program(folder)
                ours, theirs = self.worst_errors(name, folder, program)
            except compare.Stop as stop:
                rows.append([name, str(stop).splitlines()[0], "", "", False])
                continue
            limit = bar(theirs)
            rows.append([name, f"{ours:.2e}", f"{theirs:.2e}", f"{limit:.2e}", ours <= limit])
        self.rows(f"Distance from float64 (of {self.inputs} inputs the one nearest the bar)",
                  ["network", "E(ours)", "E(onnxruntime)", "bar"], rows)

    def worst_errors(self, name, folder, program):
        """E of both for the input whose E(ours) is the largest part of its bar."""
        model = onnx.load(self.network(name))
        session = compare.onnxruntime_session(self.network(name))
        found = []
        for seed in range(self.inputs):
            feeds = compare.random_inputs(model, {}, seed)
            y64 = compare.float64.evaluate(model, feeds)["output"]
            ours = compare.run_program(program, feeds, 1, folder)[0]
            theirs = compare.run_session(session, None, feeds)[0]
            found.append((compare.error(ours, y64), compare.error(theirs, y64)))
        return max(found, key=lambda e: e[0] / bar(e[1]))

    def arena(self):
        rows = []
        for name, bar in ARENA_BARS.items():
            try:
                folder, *_ = self.compiled(name)
            except compare.Stop as stop:
                rows.append([name, str(stop).splitlines()[0], "", False])
                continue
            with open(os.path.join(folder, "net.h"), encoding="utf-8") as f:
                found = re.search(r"#define\s+NET_ARENA_SIZE\s+\(?(\d+)", f.read())
            size = int(found.group(1)) if found else -1
            rows.append([name, f"{size:,}", f"{bar:,}", 0 <= size <= bar])
        self.rows("Arena, float32, batch 1", ["network", "bytes", "bar"], rows)

    def compile(self):
        rows = []
        folder, seconds, peak = self.compiled("resnet152")
        size = os.path.getsize(self.network("resnet152"))
        limit = 3 * size + 64 * MB
        rows.append(["`skipc compile`, ResNet-152", f"{seconds:.1f} s", "5 s", seconds <= 5])
        rows.append(["its peak memory", f"{peak / MB:.0f} MB", f"{limit / MB:.0f} MB",
                     peak <= limit])
        folder, *_ = self.compiled("resnet50")
        sources = sorted(f.path for f in os.scandir(folder) if f.name.endswith(".c"))
        command = ["gcc", "-O2", "-I", folder, *sources, "-o", os.path.join(folder, "prog")]
        seconds, peak = measured(command)
        rows.append(["`gcc -O2` of all files, ResNet-50", f"{seconds:.1f} s", "15 s",
                     seconds <= 15])
        rows.append(["its peak memory", f"{peak / MB:.0f} MB", "1024 MB", peak <= 1024 * MB])
        again, *_ = self.compiled("resnet50", "-again")
        names = sorted(f.name for f in os.scandir(again))
        same, *different = filecmp.cmpfiles(folder, again, names, shallow=False)
        rows.append(["same bytes from two runs, ResNet-50", f"{len(same)} of {len(names)} files",
                     "all", not any(different)])
        for cc in ("gcc", "clang"):
            command = [cc, *WARNINGS.split(), "-fsyntax-only", "-I", folder, *sources]
            done = compare.call(command, "compiler")
            count = done.stderr.count("error:")
            rows.append([f"warnings of {cc}, ResNet-50", str(count), "0", not done.returncode])
        self.rows("Compilation", ["what", "measured", "bar"], rows)

    def speed(self):
        """The two in turn, so that a change of the machine's clock meets both."""
        folder, *_ = self.compiled("resnet18")
        program = compare.build_program(folder, "gcc", "-O3 -march=native")
        feeds = compare.random_inputs(onnx.load(self.network("resnet18")), {}, 0)
        compare.run_program(program, feeds, 1, folder)  # leaves x0.npy
        session = compare.onnxruntime_session(self.network("resnet18"))
        session.run(None, feeds)
        ours, theirs = [], []
        load = os.getloadavg()[0]
        for _ in range(self.runs):  # both: one run that is not counted, then one that is
            ours.append(timed_run(program, folder))
            session.run(None, feeds)
            start = time.perf_counter()
            session.run(None, feeds)
            theirs.append(time.perf_counter() - start)
        a, b = statistics.median(ours), statistics.median(theirs)
        self.rows(f"ResNet-18, one thread, `gcc -O3 -march=native` (medians of {self.runs})",
                  ["ours", "onnxruntime", "ratio", "bar"],
                  [[f"{a * 1e3:.1f} ms", f"{b * 1e3:.1f} ms", f"{a / b:.2f}", "3 (goal 2)",
                    a <= 3 * b]])
        if load > .5:
            print(f"\nThe machine was busy (load {load:.1f}): these times mean little.")

    def highway(self):
        """The x86-64 target's highway networks, and how long their recognition takes."""
        rows = []
        for name, options, limit, goal in HIGHWAYS:
            try:
                rows.append(self.highway_row(name, options, limit, goal))
            except compare.Stop as stop:
                rows.append([label(name, options), str(stop).splitlines()[0], *[""] * 6, False])
        self.rows(f"Highway networks, --target=x86-64, `gcc -O2`, one thread (medians of "
                  f"{self.runs} turns)", ["network", "ours, us", "onnxruntime, us", "ratio", "bar",
                                          "goal", "E(ours)", "E(onnxruntime)"], rows)
        rows = []
        for name, options in RECOGNITION:
            seconds, _ = measured([self.skipc, "inspect", self.network(name, options)])
            rows.append([label(name, options), f"{seconds:.2f} s", "2 s", seconds <= 2])
        self.rows("Recognition: `skipc inspect`", ["network", "measured", "bar"], rows)

    def highway_row(self, name, options, limit, goal):
        path = self.network(name, options)
        folder = os.path.splitext(path)[0]
        compare.compile_model(self.skipc, path, folder, options=("--target=x86-64",))
        program = compare.build_program(folder, "gcc")
        session = compare.onnxruntime_session(path)
        model = onnx.load(path)
        feeds = compare.random_inputs(model, {}, 0)
        y64 = compare.float64.evaluate(model, feeds)["output"]
        ours = compare.error(compare.run_program(program, feeds, 1, folder)[0], y64)
        theirs = compare.error(compare.run_session(session, None, feeds)[0], y64)
        a, b = in_turn(timer_program(folder), feeds["input"], session, self.runs)
        factor, floor = compare.FAST
        met = b >= limit * a and ours <= factor * theirs + floor
        return [label(name, options), f"{a * 1e6:,.1f}", f"{b * 1e6:,.1f}", f"{b / a:.2f}",
                f"{limit}", f"{goal}", f"{ours:.1e}", f"{theirs:.1e}", met]


def label(name, options):
    """highway_fc_w50_d10_b64, and so on."""
    return name + "".join(f"_{key[0]}{value}" for key, value in (options or {}).items())


# Reads the input from a file; then for each number N on a line runs N times and prints nanoseconds.
TIMER = """
#define _POSIX_C_SOURCE 200809L
#include "net.h"
#include <stdio.h>
#include <time.h>

static _Alignas(64) float x[NET_INPUT0_COUNT], y[NET_OUTPUT0_COUNT];
static _Alignas(NET_ARENA_ALIGN) char arena[NET_ARENA_SIZE + 1];

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	struct net net;
	FILE *f = fopen(argv[argc - 1], "rb");
	int n;

	if (f == NULL || fread(x, sizeof(x), 1, f) != 1 || net_init(&net, NULL, NULL) != NET_OK)
		return 1;
	while (scanf("%d", &n) == 1) {
		long long start = now();

		for (int k = 0; k < n; k++)
			if (net_run(&net, x, y, arena) != NET_OK)
				return 1;
		printf("%lld\\n", now() - start);
		fflush(stdout);
	}
	return 0;
}
"""


def timer_program(folder):
    """The network in a program that times itself: one run may be shorter than a process's start."""
    timer = os.path.join(folder, "timer")
    with open(timer + ".txt", "w", encoding="utf-8") as f:
        f.write(TIMER)
    sources = [os.path.join(folder, s) for s in os.listdir(folder)
               if s.endswith(".c") and s != "net_main.c"]
    done = compare.call(["gcc", "-O2", "-I", folder, *sources, "-x", "c", timer + ".txt",
                         "-o", timer], "compiler")
    if done.returncode:
        raise compare.Stop(3, f"gcc does not build the timer: {done.stderr.strip()}")
    return timer


def in_turn(timer, x, session, turns):
    """Seconds of a run of ours and of onnxruntime's with bound input and output: medians of turns
    of some milliseconds, so that a change of the machine's clock meets both."""
    x.tofile(timer + ".in")
    bound = session.io_binding()
    bound.bind_ortvalue_input("input", compare.onnxruntime.OrtValue.ortvalue_from_numpy(x))
    y = compare.onnxruntime.OrtValue.ortvalue_from_numpy(np.empty_like(x))
    bound.bind_ortvalue_output("output", y)
    child = subprocess.Popen([timer, timer + ".in"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)

    def ours(count):
        child.stdin.write(f"{count}\n")
        child.stdin.flush()
        return int(child.stdout.readline()) * 1e-9 / count

    def theirs(count):
        start = time.perf_counter()
        for _ in range(count):
            session.run_with_iobinding(bound)
        return (time.perf_counter() - start) / count

    counts = [max(1, int(.02 / min(f(3), f(3)))) for f in (ours, theirs)]
    pairs = [(ours(counts[0]), theirs(counts[1])) for _ in range(turns)]
    child.stdin.close()
    child.wait()
    return tuple(statistics.median(side) for side in zip(*pairs))


# Runs argv in a process of its own and prints seconds, peak KiB and status. A child begins with its
# parent's peak memory, so the parent must be smaller than what it measures: not this program.
MEASURE = """
import os, subprocess, sys, time
start = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(time.perf_counter() - start, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""


def measured(command):
    """Wall time in seconds and peak memory in bytes of a command that must succeed."""
    done = compare.call([sys.executable, "-c", MEASURE, *command], "measuring")
    if done.returncode:
        raise compare.Stop(2, f"{command[0]}: {done.stderr.strip().splitlines()[-1]}")
    seconds, peak, status = done.stdout.split()
    if status != "0":
        raise compare.Stop(3, f"{command[0]} ended with status {status}: {done.stderr.strip()}")
    return float(seconds), int(peak) * 1024


def timed_run(program, folder):
    """Seconds of one run inside the program, after one that it does not count. With --time it
    prints "run K NS ns"."""
    x, y = (os.path.join(folder, name) for name in ("x0.npy", "y0.npy"))
    done = compare.call([program, x, "-o", y, "--time", "1"], "program")
    found = re.search(r"^run \d+ (\d+) ns", done.stdout, re.MULTILINE)
    if done.returncode or not found:
        raise compare.Stop(3, f"the program prints no times: {done.stderr.strip()}")
    return int(found.group(1)) * 1e-9


GROUPS = {"arena": Bench.arena, "compile": Bench.compile, "speed": Bench.speed,
          "highway": Bench.highway, "accuracy": Bench.accuracy}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    p.add_argument("--work", default=os.path.join(HERE, "..", "build", "bench"), metavar="DIR")
    p.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS), metavar="GROUP",
                   help="of " + ", ".join(GROUPS))
    p.add_argument("--runs", type=int, default=15, help="timed pairs (default 15)")
    p.add_argument("--inputs", type=int, default=3, help="inputs for accuracy (default 3)")
    arguments = p.parse_args()
    bench = Bench(arguments)
    print(f"onnxruntime {compare.onnxruntime.__version__}, numpy {np.__version__}, "
          f"onnx {onnx.__version__}")
    for name in arguments.only:
        try:
            GROUPS[name](bench)
        except compare.Stop as stop:
            print(f"\n{name}: {stop}")
            bench.failed += 1
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
