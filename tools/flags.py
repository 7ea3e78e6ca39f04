"""The race of `bench.py --only compilers`: generated code under each gcc and clang of PATH (gcc-12, clang-19 ..;
tools/setup.sh compilers installs what Debian has), at each level, with and without -march=native.

Speed may not hang on a flag: each network's time must be near the best of them, with all instruction sets and held to
AVX2. Processor time, since it is a race of one thread; each in turn with gcc -O2, in a process of its own.
"""
import itertools
import math
import multiprocessing
import os
import re
import shutil
import time
from dataclasses import dataclass, field

import compare
import timing

BAR = 1.15  # times the best one's
LEVELS = [level + native for level in ("-O2", "-O3", "-Os") for native in ("", " -march=native")]


@dataclass(frozen=True)
class Column:
    network: str
    options: dict = field(default_factory=dict)  # of the network
    exact: bool = False
    isa: int = 0  # the most that init may choose; 0: any

    @property
    def title(self):
        size = "".join(f" {key} {value}" for key, value in self.options.items())
        return self.network + size + ", --exact" * self.exact + ", AVX2" * (self.isa == 2)


FC = {"width": 50, "depth": 50}
COLUMNS = [Column(network, options, exact, isa)
           for network, options, exact in (("resnet18", {}, False), ("resnet18", {}, True), ("resnet8", {}, False),
                                           ("resnet8", {}, True), ("highway_fc", FC, False))
           for isa in (0, 2)]


class Processor(timing.Ours):
    """Timed by what the processor did for it."""

    def run(self, count):
        start = time.process_time()
        super().run(count)
        return (time.process_time() - start) / count


def found():
    """The compilers of PATH that have a number, by family and number."""
    names = {f for folder in os.environ["PATH"].split(os.pathsep) if os.path.isdir(folder) for f in os.listdir(folder)}
    names = [n for n in names if re.fullmatch(r"(gcc|clang)-\d+", n) and shutil.which(n)]
    return sorted(names, key=lambda n: (n.startswith("clang"), int(n.split("-")[1]))) or ["gcc", "clang"]


def relative(libraries, task, isa, runs):
    """The second library's least time over the first one's; they compute the same bits."""
    sides = [Processor(library, task, isa=isa) for library in libraries]
    for side in sides:
        side.run(1)
    if timing.difference(*(side.outputs() for side in sides)) != 0:
        raise compare.Stop(1, "other bits than gcc -O2")
    first, second = timing.race(sides, runs)
    return min(second) / min(first)


def apart(function, *arguments):
    """The same in a process of its own: a library that is open takes memory for good."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(function, arguments)


class Contest:
    """One network's columns, built once by each compiler."""

    def __init__(self, bench, columns):
        self.bench, self.columns = bench, columns
        path = bench.network(columns[0].network, columns[0].options or None)
        self.work = os.path.join(bench.work, "compilers")
        self.task = timing.Task(path, compare.random_inputs(compare.load(path), {}, 0), self.work)
        exact = ("--exact",) * columns[0].exact
        self.folder = timing.generate(timing.Build(bench.skipc, ("--target=x86-64", *exact)), self.task)
        self.reference = self.library("gcc", "-O2", "reference")

    def library(self, cc, flags, name="other"):
        folder = os.path.join(self.work, name)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        return timing.link(timing.Build(self.bench.skipc, (), cc, flags), folder)

    def times(self, cc, flags):
        """For each column, over gcc -O2; infinite where it fails, and why on standard error."""
        try:
            library = self.library(cc, flags)
            return [apart(relative, (self.reference, library), self.task, c.isa, self.bench.runs) for c in self.columns]
        except compare.Stop as stop:
            timing.warn(f"{cc} {flags}: {stop}")
            return [math.inf] * len(self.columns)


def compilers(bench, columns=None, commands=None):
    """The table of each column's time over the best compiler's."""
    columns = columns or COLUMNS
    commands = commands or list(itertools.product(found(), LEVELS))
    times = {command: [] for command in commands}
    for _, group in itertools.groupby(columns, lambda c: (c.network, c.options, c.exact)):
        contest = Contest(bench, list(group))
        for command in commands:
            timing.progress(f"{contest.columns[0].title}: {' '.join(command)}")
            times[command] += contest.times(*command)
        shutil.rmtree(contest.work)
    timing.progress()
    best = [min(column) for column in zip(*times.values())]
    rows = []
    for command, row in times.items():
        over = [t / least for t, least in zip(row, best)]
        rows.append([" ".join(command), *(f"{x:.2f}" for x in over), max(over) <= BAR])
    bench.rows(f"Compilers and flags: processor time over the best of the column; bar {BAR}",
               ["compiler", *(c.title for c in columns)], rows)
