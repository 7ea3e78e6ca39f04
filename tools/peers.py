"""The race of `make bench-peers`: onnxruntime, OpenVINO, ncnn and MNN beside ours, what each network's
ratio should be, and a picture.

MATCHES has a row for each network. Its bars are for two kinds of machine, with AVX-512 and without: the
best peer's time over ours, the median over the rounds. Beside each time stands E, the distance from
float64 (compare.py says what that is, and what ours may be).
"""
import math
import os
import platform
import re
import statistics
from dataclasses import dataclass, field

import compare
import numpy as np
import rivals
import timing

ALL = tuple(peer for peer in rivals.RIVALS if peer != "ort-precise")  # which is another one of quantised models only
NOT_INSTALLED = "not installed"  # how rivals.module() begins


@dataclass(frozen=True)
class Match:
    network: str
    avx512: tuple  # bar and goal on a machine that has it
    avx2: tuple  # and on one that has not
    options: dict = field(default_factory=dict)  # of the network
    threads: int = 1
    peers: tuple = ALL

    @property
    def title(self):
        title = self.network + "".join(f" {key} {value}" for key, value in self.options.items())
        return title + (f", {self.threads} threads" if self.threads > 1 else "")


MATCHES = [
    Match("resnet18", (1.25, 1.45), (1.3, 1.6)),
    Match("resnet34", (1.3, 1.5), (1.3, 1.6)),
    Match("resnet50", (1.12, 1.25), (1.15, 1.3)),
    Match("resnet101", (1.12, 1.25), (1.15, 1.3)),
    Match("resnet152", (1.12, 1.25), (1.15, 1.3)),
    Match("resnet18", (1.5, 1.85), (1.3, 1.6), threads=2),
    Match("resnet50", (1.1, 1.25), (1.1, 1.25), threads=2),
    Match("mobilenet_v2", (1.1, 1.3), (1.1, 1.3)),
    Match("resnext50_32x4d", (1.05, 1.15), (1.05, 1.15)),
    Match("cifar_resnet20", (1.4, 2), (1.5, 2)),
    Match("cifar_resnet110", (1.4, 2), (1.5, 2)),
    Match("resnet8", (1.3, 1.8), (1.5, 2)),
    Match("highway_conv", (1.5, 2.8), (1.5, 2.5), {"width": 32}),
    Match("highway_conv", (2, 2.8), (2, 2.5), {"width": 64}),
    Match("highway_conv", (2, 2.8), (2, 2.5), {"width": 128}),
    Match("resnet18", (1.25, 1.5), (1.25, 1.5), {"batch": 8}, peers=("ort",)),
    Match("resnet50", (1.1, 1.25), (1.1, 1.25), {"batch": 8}, peers=("ort",)),
]


@dataclass
class Machine:
    model: str
    avx512: bool
    processors: int

    @staticmethod
    def here():
        """Of /proc/cpuinfo; without it, one that has no AVX-512."""
        try:
            text = timing.read("/proc/cpuinfo")
        except OSError:
            text = ""
        model = re.search(r"model name\s*: (.*)", text)
        flags = re.search(r"flags\s*: (.*)", text)
        return Machine(model.group(1).strip() if model else platform.machine(),
                       bool(flags) and "avx512f" in flags.group(1).split(), os.cpu_count())

    def __str__(self):
        return f"{self.model}, {'AVX-512' if self.avx512 else 'AVX2'}, {self.processors} processors"

    def bars(self, match):
        return match.avx512 if self.avx512 else match.avx2


class Table:
    """Rows of a bench.Bench, and what the picture shows."""

    def __init__(self, bench, machine):
        self.bench, self.machine = bench, machine
        self.y64 = {}  # outputs in float64 by model
        self.notes, self.bars = [], []

    def reference(self, task):
        if task.path not in self.y64:
            timing.progress(f"{os.path.basename(task.path)}: evaluating in float64")
            model = compare.load(task.path)
            self.y64[task.path] = list(compare.float64.evaluate(model, task.feeds).values())
        return self.y64[task.path]

    def error(self, result, task):
        """E of its outputs; NaN where there are none."""
        if not result.outputs:
            return math.nan
        return max(map(compare.error, result.outputs, self.reference(task)))

    def row(self, match):
        (ours, *_), task = results = self.bench.contest(
            match.network, match.options, peers=match.peers, threads=match.threads)
        others = dict(zip(match.peers, results[0][-len(match.peers):]))
        timed = {peer: r for peer, r in others.items() if r.times}
        if not timed:
            raise compare.Stop(4, f"no peer was timed: {others[match.peers[0]].note}")
        errors = {peer: self.error(r, task) for peer, r in timed.items()}
        first, ratio, third = min((timing.ratios(r, ours) for r in timed.values()),
                                  key=lambda quartiles: quartiles[1])
        bar, goal = self.machine.bars(match)
        factor, floor = compare.FAST
        error = self.error(ours, task)
        met = ratio >= bar and error <= factor * errors.get("ort", math.inf) + floor
        for peer, r in others.items():
            if peer not in timed:
                self.notes.append(f"{match.title}: {peer}: {r.note}")
                met = met and not r.note.startswith(NOT_INSTALLED)
        self.bars.append((match.title, {r.name: timing.ratio(r, ours) for r in timed.values()}))
        return [match.title, cell(ours, error),
                *(cell(timed[p], errors[p]) if p in timed else "-" for p in ALL),
                f"{ratio:.2f} ({first:.2f} to {third:.2f})", f"{bar}", f"{goal}",
                f"{ours.others:.2f}", met]


def cell(result, error):
    factor, name = timing.unit(statistics.median(result.times))
    return f"{statistics.median(result.times) * factor:.2f} {name}, {error:.1e}"


def plot(path, title, bars):
    """A group of bars for each network: the peers' times, ours being 1."""
    names = list(dict.fromkeys(name for _, ratios in bars for name in ratios))
    figure = timing.module("matplotlib.figure", "matplotlib").Figure(
        figsize=(9, 1.5 + 0.16 * (len(names) + 1) * len(bars)), layout="constrained")
    axes = figure.subplots()
    height = 1 / (len(names) + 1)
    for k, name in enumerate(names):
        there = [(y, ratios[name]) for y, (_, ratios) in enumerate(bars) if name in ratios]
        at, length = np.array(there).T
        drawn = axes.barh(at + (k - (len(names) - 1) / 2) * height, length, height, label=name)
        axes.bar_label(drawn, fmt="%.2f", padding=2, fontsize=6)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks(range(len(bars)), [title for title, _ in bars])
    axes.margins(x=0.08)
    axes.set(xlabel="time of a run; skipc is 1", title=title, ylim=(len(bars) - 0.5, -0.5))
    figure.legend(loc="outside lower center", ncols=max(1, len(names)))
    figure.savefig(path)


def peers(bench, matches=None, machine=None):
    """The table of all matches, on standard output, and its picture in bench's folder."""
    machine = machine or Machine.here()
    table, rows = Table(bench, machine), []
    for match in matches or MATCHES:
        timing.progress(match.title)
        try:
            rows.append(table.row(match))
        except compare.Stop as stop:
            rows.append([match.title, str(stop).splitlines()[0], *[""] * len(ALL), "",
                         *map(str, machine.bars(match)), "", False])
    timing.progress()
    names = [rivals.RIVALS[peer].name for peer in ALL]
    bench.rows(f"Peers, {machine}: median of {bench.runs} rounds and E; ratio of the best peer "
               "(middle half of the rounds); processors that others used",
               ["network", "skipc", *names, "ratio", "bar", "goal", "others"], rows)
    for note in table.notes:
        print("\nNOT RUN: " + note)
    path = os.path.join(bench.work, "peers.svg")
    try:
        plot(path, str(machine), table.bars)
    except compare.Stop as stop:
        path = f"none, {stop}"
    print(f"\npicture: {path}")
