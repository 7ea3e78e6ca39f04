#!/usr/bin/env python3
"""The figures of `make bench`: accuracy, memory, compile times and speed of generated code.

    bench.py [--skipc PATH] [--work DIR] [--only GROUP ...] [--runs N] [--inputs N]

Builds the networks with networks.py into DIR (default build/bench), and prints a Markdown table
for each group: arena, compile, speed, highway, x86, accuracy; and, if --only names it, peers
(`make bench-peers`: peers.py), with a picture in DIR, or compilers (flags.py: half an hour). One
thread, unless a row says otherwise. Exit status 1 when a bar is not met.
"""
import argparse
import filecmp
import os
import re
import statistics
import sys
from dataclasses import dataclass

import compare  # says how to install what is missing
import flags
import networks
import numpy as np
import onnx
import peers
import timing

HERE = os.path.dirname(os.path.abspath(__file__))
MB = 1 << 20
PORTABLE, X86 = "--target=c", "--target=x86-64"
WARNINGS = "-std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror"


@dataclass(frozen=True)
class Race:
    """A row of the x86 table: onnxruntime's or the best peer's time over ours; with more threads
    ours on one over ours."""

    network: str
    bar: float
    goal: float
    options: tuple = ()  # of skipc compile
    isa: int = 0
    threads: int = 1
    peers: tuple = ("ort",)

    @property
    def command(self):
        flags = [f"--isa {self.isa}"] * bool(self.isa)
        flags += [f"--threads {self.threads}"] * (self.threads > 1)
        flags += [f"--peers {','.join(self.peers)}"] * (len(self.peers) > 1)
        return " ".join(["skipc bench", f"{self.network}.onnx", *self.options, *flags])


BOTH = ("ort", "openvino")
RACES = [
    *(Race(f"resnet{n}", 0.97, 1.05, ("--exact",)) for n in (18, 34, 50, 101, 152)),
    Race("resnext50_32x4d", 1, 1.15, peers=BOTH),
    Race("mobilenet_v2", 1, 1.3, peers=BOTH),
    Race("resnet50", 0.95, 1.05, isa=2),
    Race("resnet50", 1.9, 1.97, threads=2, peers=()),
]
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
        if name not in networks.NETWORKS:
            raise compare.Stop(2, f"networks.py makes no {name}")
        path = os.path.join(self.work, label(name, options) + ".onnx")
        if not os.path.exists(path) or \
                os.path.getmtime(path) < os.path.getmtime(networks.__file__):
            os.makedirs(self.work, exist_ok=True)
            model = networks.build(name, networks.Options(**options) if options else None)
            networks.save(model, path + ".part")
            os.rename(path + ".part", path)
        return path

    def compiled(self, name, target=PORTABLE, again=""):
        """Folder of the generated code with a main program, freshly made; wall time and peak
        memory of skipc."""
        folder = os.path.join(self.work, name + target.replace("--target=", "-") + again)
        os.makedirs(folder, exist_ok=True)
        for entry in os.scandir(folder):
            if entry.is_file():
                os.unlink(entry.path)
        command = [self.skipc, "compile", self.network(name), "-o", folder, "--name", "net",
                   "--main", target]
        return folder, *measured(command)

    def contest(self, name, network_options=None, options=(X86,), peers=("ort",), threads=1, isa=0,
                cflags="-O2"):
        """What skipc bench finds out about a network; and its task."""
        path = self.network(name, network_options)
        feeds = compare.random_inputs(compare.load(path), {}, 0)
        task = timing.Task(path, feeds, os.path.splitext(path)[0], threads)
        build = timing.Build(self.skipc, options, "gcc", cflags)
        library = timing.link(build, timing.generate(build, task))
        return timing.contest(library, task, peers, self.runs, isa), task

    def rows(self, title, head, rows):
        """A Markdown table; the last column of a row is whether the bar is met."""
        self.failed += sum(not row[-1] for row in rows)
        print(f"\n### {title}\n\n| " + " | ".join(head) + " | |")
        print("|---" * len(head) + "|---|")
        for *cells, ok in rows:
            print("| " + " | ".join(cells) + f" | {'ok' if ok else '**not met**'} |")
        sys.stdout.flush()

    # groups --------------------------------------------------------------------------------------

    def accuracy(self, target=PORTABLE):
        """E of both against float64. The bar holds for each input; the one nearest it is shown."""
        rows = []
        for name in networks.NETWORKS:
            try:
                folder, *_ = self.compiled(name, target)
                program = compare.build_program(folder)
                ours, theirs = self.worst_errors(name, folder, program)
            except compare.Stop as stop:
                rows.append([name, str(stop).splitlines()[0], "", "", False])
                continue
            limit = bar(theirs)
            rows.append([name, f"{ours:.2e}", f"{theirs:.2e}", f"{limit:.2e}", ours <= limit])
        self.rows(f"Distance from float64, {target} (of {self.inputs} inputs the nearest the bar)",
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
            size = arena_size(folder)
            rows.append([name, f"{size:,}", f"{bar:,}", size <= bar])
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
        again, *_ = self.compiled("resnet50", again="-again")
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
        (ours, theirs), _ = self.contest("resnet18", options=(PORTABLE,),
                                         cflags="-O3 -march=native")
        a, b = (statistics.median(r.times) for r in (ours, theirs))
        over = 1 / timing.ratio(theirs, ours)
        self.rows(f"ResNet-18, one thread, `gcc -O3 -march=native` (medians of {self.runs})",
                  ["ours", "onnxruntime", "ratio", "bar"],
                  [[f"{a * 1e3:.1f} ms", f"{b * 1e3:.1f} ms", f"{over:.2f}", "3 (goal 2)",
                    over <= 3]])

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
        results, task = self.contest(name, options)
        y64 = compare.float64.evaluate(compare.load(task.path), task.feeds)["output"]
        ours, theirs = (compare.error(r.outputs[0], y64) for r in results)
        a, b = (statistics.median(r.times) for r in results)
        ratio = timing.ratio(results[1], results[0])
        factor, floor = compare.FAST
        met = ratio >= limit and ours <= factor * theirs + floor
        return [label(name, options), f"{a * 1e6:,.1f}", f"{b * 1e6:,.1f}", f"{ratio:.2f}",
                f"{limit}", f"{goal}", f"{ours:.1e}", f"{theirs:.1e}", met]

    def x86(self):
        """Everything that is asked of the x86-64 target, but for highway networks."""
        rows = []
        for race in RACES:
            try:
                rows.append(self.race_row(race))
            except compare.Stop as stop:
                rows.append([race.network, str(stop).splitlines()[0], *[""] * 2, str(race.bar),
                             str(race.goal), f"`{race.command}`", False])
        self.rows(f"Speed, {X86}, `gcc -O2` (medians of {self.runs})",
                  ["network", "ours, ms", "theirs, ms", "ratio", "bar", "goal", "command"], rows)
        self.x86_sizes()
        self.accuracy(X86)

    def race_row(self, race):
        results, _ = self.contest(race.network, options=(X86, *race.options), peers=race.peers,
                                  threads=race.threads, isa=race.isa)
        ours, *others = results
        for r in others:
            if not r.times:
                raise compare.Stop(4, f"{r.name}: {r.note}")
        best = min(others, key=lambda r: timing.ratio(r, ours))
        ratio = timing.ratio(best, ours)
        a, b = (statistics.median(r.times) * 1e3 for r in (ours, best))
        return [race.network, f"{a:.2f}", f"{b:.2f} ({best.name})", f"{ratio:.3f}", f"{race.bar}",
                f"{race.goal}", f"`{race.command}`", ratio >= race.bar]

    def x86_sizes(self):
        rows = []
        folder, *_ = self.compiled("resnet50", X86)
        portable, *_ = self.compiled("resnet50")
        ratio = arena_size(folder) / arena_size(portable)
        rows.append(["arena over that of --target=c, ResNet-50", f"{ratio:.3f}", "1.05", "",
                     f"`skipc inspect resnet50.onnx {X86}`", ratio <= 1.05])
        size = code_size(folder)
        rows.append(["object code without weights, ResNet-50", f"{size / 1e6:.2f} MB", "2 MB", "",
                     "`gcc -O2 -c resnet50.c; size resnet50.o`", size <= 2e6])
        _, seconds, _ = self.compiled("resnet152", X86)
        rows.append(["`skipc compile`, ResNet-152", f"{seconds:.1f} s", "8 s", "4 s",
                     f"`time skipc compile resnet152.onnx {X86} -o out`", seconds <= 8])
        self.rows(f"Size and compile time, {X86}", ["what", "measured", "bar", "goal", "command"],
                  rows)


def arena_size(folder):
    header = timing.read(os.path.join(folder, "net.h"))
    return int(re.search(r"#define NET_ARENA_SIZE (\d+)", header).group(1))


def code_size(folder):
    """Bytes of net.c's sections, built by gcc -O2: the weights are in a file of their own."""
    made = os.path.join(folder, "net.o")
    for command in (["gcc", "-O2", "-c", os.path.join(folder, "net.c"), "-o", made],
                    ["size", made]):
        done = compare.call(command, "compiler")
        if done.returncode:
            raise compare.Stop(3, f"{command[0]}: {done.stderr.strip()}")
    return int(done.stdout.split()[9])  # text, data, bss, their sum; below six headings


def label(name, options):
    """highway_fc_w50_d10_b64, and so on."""
    return name + "".join(f"_{key[0]}{value}" for key, value in (options or {}).items())


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


GROUPS = {"arena": Bench.arena, "compile": Bench.compile, "speed": Bench.speed,
          "highway": Bench.highway, "x86": Bench.x86, "accuracy": Bench.accuracy,
          "peers": peers.peers, "compilers": flags.compilers}
USUAL = [name for name in GROUPS if name not in ("peers", "compilers")]  # which want more than make venv has


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    p.add_argument("--work", default=os.path.normpath(os.path.join(HERE, "..", "build", "bench")),
                   metavar="DIR")
    p.add_argument("--only", nargs="+", choices=GROUPS, default=USUAL, metavar="GROUP",
                   help=f"of {', '.join(GROUPS)} (default: all but peers and compilers)")
    p.add_argument("--runs", type=int, default=15, help="timed pairs (default 15)")
    p.add_argument("--inputs", type=int, default=3, help="inputs for accuracy (default 3)")
    arguments = p.parse_args()
    bench = Bench(arguments)
    print(f"onnxruntime {compare.onnxruntime.__version__}, numpy {np.__version__}, "
          f"onnx {onnx.__version__}; load {timing.warn_of_load():.2f} on {os.cpu_count()} processors")
    for name in arguments.only:
        try:
            GROUPS[name](bench)
        except compare.Stop as stop:
            print(f"\n{name}: {stop}")
            bench.failed += 1
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
