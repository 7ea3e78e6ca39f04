#!/usr/bin/env python3
"""Measure what steps of kernels cost on this machine; `skipc tune` runs this.

    tune.py [--skipc PATH] [-o FILE] [--target T] [--isa N] [--quick] [--rows LIST] [--check]
            [--cc CC] [--cflags FLAGS] [--keep DIR]

FILE, or standard output, is what --costs takes: a line for each cost of compiler/kernels/costs.def
that was measured, with the number of layers (probes) and how far their times are from what the costs
of their row say. What is not measured stays as it was shipped, and a comment says which that is.

A probe is a small network with one layer of interest. Costs are linear: what inspect says of a row
with one cost changed is how often the row pays it. So it is found, too, what must be dear for the
row to be taken. Times are the least of some passes over all probes; those of a row are explained by
its costs, in units of what the smallest relative error makes of the multiply-adds that have no cost
of their own, those of products. Where no row has such (--target=c), the first cost stays as shipped.

Weights come from memory, from the last cache or from near ones, by how many there are (FLUSHES), as
they do in networks of such layers; the input was written just before.

--check times some networks in turn, compiled with the table and without.

Exit status: 0 done, 1 something cannot be measured, 2 wrong usage, 3 generated code does not build
or run, 4 something is not installed.
"""
import ends  # before others: it says what is missing, and what Ctrl-C is
import itertools
import json
import math
import os
import platform
import shlex
import sys
import tempfile
import time
from dataclasses import dataclass, field

import compare  # says how to install what is missing
import networks
import numpy as np
import timing
from rivals import Task

TINY, HUGE = 1e-6, 1e9  # costs that make a row cheap, or dear
MARGIN = 1.02  # how much dearer than the forced row all others are at least
# A layer with more bytes of weights than the first finds them where they are after the second were
# read: in memory, in the last cache. No probe's weights are near the first, where winograd's costs
# change with near_bytes of target.def.
FLUSHES = (4 << 20, 96 << 20), (64 << 10, 4 << 20)
FLOOR = 0.1  # of the shipped value: what was found to cost less costs this
QUICK = 4  # probes of a row
ROUNDS = 10  # in which a fit's weights settle
UNIT = "conv_gemm"  # the row that is always measured where there is one, since its multiply-adds are the unit
MACHINES = {"x86-64": ("x86_64", "AMD64"), "aarch64": ("aarch64", "arm64")}
CHECKED = [("resnet18", {}), ("cifar_resnet20", {}), ("mobilenet_v2", {}),
           ("highway_conv", {"width": 32}), ("highway_conv", {"width": 64}), ("highway_fc", {})]


# the probes --------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Layer:
    """A network in text form, whose layer of interest is called probe."""

    note: str
    text: str
    shapes: tuple  # of its inputs
    weights: int  # bytes
    planes: bool = False  # its input lies so, and could be copied

    @property
    def flush(self):
        """Bytes that are read before the layer is timed."""
        return next((read for weights, read in FLUSHES if self.weights > weights), 0)


def conv(channels, outputs, size, kernel=3, stride=1, group=1, planes=False):
    """A convolution between pools, so that its input and output lie channels last as within a
    network; or its input in planes."""
    shape, pad, w = (1, channels, size, size), kernel // 2, (outputs, channels // group, kernel, kernel)
    pool = "MaxPool({}) {{kernel_shape=[2,2], pads=[0,0,1,1]}}"
    text = f"""input %x : {kind(shape)}
const @w : {kind(w)} = fill(1)
const @b : f32[{outputs}] = fill(2)
{"" if planes else "%p = " + pool.format("%x")}
%c = Conv({"%x" if planes else "%p"}, @w, @b) {{pads={[pad] * 4}, strides={[stride] * 2}, group={group}}} <- "probe"
%r = Relu(%c)
%y = {pool.format("%r")}
output %y
"""
    note = f"{kernel}x{kernel}{f' stride {stride}' if stride > 1 else ''} {channels}x{size}x{size} -> {outputs}"
    note += f", {group} groups" * (group > 1) + ", in planes" * planes
    return Layer(note, text, (shape,), 4 * math.prod(w), planes)


def linear(rows, inputs, outputs):
    text = f"""input %x : f32[{rows},{inputs}]
const @w : f32[{inputs},{outputs}] = fill(1)
const @b : f32[{outputs}] = fill(2)
%y = Linear(%x, @w, @b) <- "probe"
%z = Relu(%y)
output %z
"""
    return Layer(f"{rows}x{inputs} -> {outputs}", text, ((rows, inputs),), 4 * inputs * outputs)


def matmul(batch, rows, inner, columns):
    """A product of two run-time matrices; batch of them."""
    shapes = (batch, rows, inner), (batch, inner, columns)
    text = f"""input %a : {kind(shapes[0])}
input %b : {kind(shapes[1])}
%c = MatMul(%a, %b) <- "probe"
%y = Relu(%c)
output %y
"""
    return Layer(f"{batch} of {rows}x{inner} {inner}x{columns}", text, shapes, 0)


def kind(shape):
    return f"f32[{','.join(map(str, shape))}]"


def depthwise(channels, size, stride=1, kernel=3):
    return conv(channels, channels, size, kernel, stride, channels)


WIDE = [conv(64, 64, 56), conv(512, 512, 7), conv(128, 256, 14), conv(256, 640, 14), conv(16, 16, 32),
        conv(128, 128, 28), conv(32, 32, 16), conv(64, 64, 8), conv(32, 32, 32), conv(256, 64, 28),
        conv(128, 128, 14), conv(64, 64, 32), conv(32, 128, 28), conv(512, 512, 14), conv(640, 256, 7)]
COPIED = "copy"  # no row: a kernel that schedule.c puts before another

# By row of kernels.def that has costs; the first few are those of --quick.
PROBES = {
    "conv": [conv(64, 64, 14), conv(3, 16, 32, planes=True), conv(128, 128, 14, group=32),
             conv(3, 32, 56, 7, 2, planes=True), conv(16, 16, 32), conv(64, 64, 28, group=8),
             conv(128, 64, 14, 1), conv(24, 40, 14), conv(1, 32, 28, 5), conv(32, 32, 28, group=4)],
    "conv_gemm": [conv(64, 64, 28), conv(64, 256, 56, 1), conv(16, 32, 32, 3, 2), conv(512, 128, 28, 1),
                  conv(128, 256, 28, 3, 2), conv(16, 96, 56, 1), conv(1024, 256, 14, 1), conv(256, 64, 56, 1),
                  conv(32, 16, 56, 1), *WIDE],
    "conv_planar": [conv(3, 64, 224, 7, 2, planes=True), conv(3, 16, 32, planes=True),
                    conv(3, 32, 224, 3, 2, planes=True), conv(3, 64, 112, planes=True),
                    conv(1, 32, 28, 5, planes=True)],
    "conv_indirect": [conv(64, 256, 56, 1), conv(256, 64, 56, 1), conv(128, 256, 28, 3, 2), conv(512, 128, 28, 1),
                      conv(16, 96, 56, 1), conv(32, 192, 28, 1), conv(1024, 256, 14, 1), conv(256, 512, 28, 1, 2),
                      conv(16, 32, 32, 3, 2), conv(256, 1024, 14, 1), conv(32, 16, 56, 1)],
    "winograd4": WIDE,
    "winograd2": WIDE,
    "winograd4_fly": WIDE,
    "winograd2_fly": WIDE,
    "conv_few": [conv(64, 3, 56), conv(256, 1, 28, 1), conv(32, 8, 28), conv(64, 2, 56, 1), conv(128, 12, 14), conv(16, 3, 28, 5)],
    "conv_narrow": [depthwise(144, 56), depthwise(128, 14, 1, 5), conv(128, 128, 56, group=32),
                    conv(256, 256, 28, group=32), depthwise(384, 14), depthwise(32, 112), depthwise(96, 56, 2),
                    depthwise(960, 7), depthwise(192, 28, 2), conv(64, 64, 28, group=32)],
    "depthwise": [depthwise(144, 28), depthwise(384, 14), depthwise(32, 56), depthwise(96, 56, 2),
                  depthwise(960, 7), depthwise(64, 28, 1, 5)],
    "linear": [linear(1, 50, 50), linear(1, 512, 1000), linear(1, 128, 128), linear(4, 256, 256),
               linear(64, 50, 50), linear(1, 64, 10)],
    "linear_rows": [linear(64, 50, 50), linear(12, 512, 512), linear(64, 128, 128), linear(6, 256, 256),
                    linear(24, 64, 10)],
    "linear_vector": [linear(1, 50, 50), linear(1, 512, 1000), linear(1, 128, 128), linear(4, 256, 256),
                      linear(1, 256, 256), linear(1, 1024, 1024)],
    "linear_gemm": [linear(64, 512, 512), linear(64, 128, 128), linear(16, 256, 256), linear(64, 64, 64),
                    linear(32, 1024, 256)],
    "matmul": [matmul(4, 49, 32, 49), matmul(8, 49, 49, 32), matmul(1, 64, 64, 64), matmul(2, 100, 64, 100)],
    "matmul_gemm": [matmul(4, 49, 32, 49), matmul(8, 49, 49, 32), matmul(1, 64, 64, 64), matmul(4, 196, 64, 196),
                    matmul(4, 196, 196, 64), matmul(1, 128, 256, 128)],
    COPIED: [conv(64, 64, 56, planes=True), conv(16, 16, 32, planes=True), conv(128, 16, 28, planes=True),
             conv(32, 32, 30, planes=True)],
}


# what the compiler says of them ------------------------------------------------------------------

class Compiler:
    """skipc inspect, for one target."""

    def __init__(self, skipc, options, work):
        self.skipc, self.options, self.work = skipc, options, work
        self.known = {}  # candidates by text
        self.shipped = {n: v for n, v in self.inspect(linear(1, 4, 4), {})["costs"].items() if v > 0}

    def inspect(self, layer, costs):
        path = os.path.join(self.work, "inspected.skipc")
        with open(path, "w", encoding="ascii") as f:
            f.write(layer.text)
        return inspect(self.skipc, path, [*self.options, *flags(costs)])

    def candidates(self, layer, fixed):
        """For each row that applies to the layer: how often it pays each cost, and "" for what is
        paid in any case. `fixed` are costs whose value decides what is asked for."""
        if layer.text in self.known:
            return self.known[layer.text]
        free = [n for n in self.shipped if n not in fixed and not n.startswith("PART_")]

        def costs(dear):
            table = {n: HUGE if n == dear else TINY for n in free}
            kernel = probed(self.inspect(layer, {**table, **fixed}))[1]
            return {c["row"]: c["cost"] for c in kernel["candidates"] if c["why"] in (None, "it costs more")}

        base = costs(None)
        found = {row: {} for row in base}
        for name in free:
            for row, cost in costs(name).items():
                if cost > base[row]:
                    found[row][name] = (cost - base[row]) / (HUGE - TINY)
        for row, paid in found.items():
            always = base[row] - TINY * sum(paid.values())
            if always > 1:  # else what rounding leaves
                paid[""] = round(always)
        self.known[layer.text] = found
        return found


def inspect(skipc, path, options):
    done = compare.call([skipc, "inspect", "--json", path, *options], "skipc")
    if done.returncode:
        raise compare.Stop(3, f"skipc inspect: {done.stderr.strip()}")
    return json.loads(done.stdout)


def flags(costs):
    return [f"--cost={name}={value!r}" for name, value in costs.items()]


def probed(said):
    """Number and kernel of the layer of interest."""
    return next((k, kernel) for k, kernel in enumerate(said["kernels"])
                if "probe" in kernel["nodes"] and kernel["title"] != COPIED)


def forcing(candidates, row):
    """Costs by which the row is cheapest and others as dear as can be: HUGE what it does not pay, 1 or
    TINY what it does. None where another is not dearer whatever they are."""
    table = {"": 1.0, **{n: HUGE for paid in candidates.values() for n in paid if n}}
    own, best, margin = [n for n in candidates[row] if n], None, MARGIN
    for choice in itertools.product((1.0, TINY), repeat=len(own)):
        table.update(zip(own, choice))
        price = {r: sum(n * table[name] for name, n in paid.items()) for r, paid in candidates.items()}
        least = min((p for r, p in price.items() if r != row), default=math.inf) / price[row]
        if least > margin:
            best, margin = {n: v for n, v in table.items() if n}, least
    return best


@dataclass
class Probe:
    """A layer that one row computes, and how often it pays each cost."""

    row: str
    layer: Layer
    paid: dict
    costs: dict  # that make the row be taken
    kernel: int = 0  # which of the plan's it is
    times: list = field(default_factory=list)

    @property
    def note(self):
        return f"{self.row} {self.layer.note}"


def copied(compiler, layer):
    """A probe of the copy before a layer for which Winograd's tiles are cheap, and copies, too."""
    costs = {n: TINY if n == "COPY" or n.startswith("WINOGRAD") else HUGE for n in compiler.shipped}
    kernels = compiler.inspect(layer, costs)["kernels"]
    if kernels[0]["title"] != COPIED:
        return None
    return Probe(COPIED, layer, {"COPY": math.prod(layer.shapes[0])}, costs)


def probe(compiler, row, layer):
    """None: the target has no such row."""
    if row == COPIED:
        return copied(compiler, layer) if "COPY" in compiler.shipped else None
    fixed = {"COPY": HUGE} if layer.planes and "COPY" in compiler.shipped else {}
    candidates = compiler.candidates(layer, fixed)
    if row not in candidates:
        return None
    costs = forcing(candidates, row)
    if costs is None:
        raise compare.Stop(1, f"{row} {layer.note}: no costs make this row be taken")
    costs.update(fixed)
    number, kernel = probed(compiler.inspect(layer, costs))
    if kernel["row"] != row:
        raise compare.Stop(1, f"{row} {layer.note}: {kernel['row']} is taken instead")
    return Probe(row, layer, candidates[row], costs, number)


def probes(compiler, rows, count=None):
    """The first `count` of each row that the target has, or all."""
    made = []
    for row in [UNIT] * (UNIT not in rows) + rows:
        for layer in PROBES[row][:count]:
            timing.progress(f"looking at {row} {layer.note}")
            p = probe(compiler, row, layer)
            if p is None:
                break
            made.append(p)
    timing.progress()
    return made


# times -------------------------------------------------------------------------------------------

def build_all(made, build, work):
    """A library for each probe, ready to run."""
    sides = []
    for k, p in enumerate(made):
        timing.progress(f"{k + 1} of {len(made)}: building {p.note}")
        folder = os.path.join(work, f"probe{k}")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "probe.skipc")
        with open(path, "w", encoding="ascii") as f:
            f.write(p.layer.text)
        rng = np.random.default_rng(0)
        feeds = {str(n): rng.standard_normal(shape).astype(np.float32) for n, shape in enumerate(p.layer.shapes)}
        task = Task(path, feeds, folder)
        own = timing.Build(build.skipc, (*build.options, *flags(p.costs)), build.cc, build.cflags)
        sides.append((timing.link(own, timing.generate(own, task), True), task))
    timing.progress()
    return sides


def measure(made, build, isa, quick, work):
    """Fills in the times of each probe, seconds; returns the peak, multiply-adds a second."""
    sides = [timing.Ours(library, task, isa=isa) for library, task in build_all(made, build, work)]
    flush, top = np.ones(FLUSHES[0][1] // 8), 0.0
    passes = 2 if quick else 5
    for n in range(passes):
        top = max(top, timing.peak(work, peak_flags(build, isa)))
        for k, (p, side) in enumerate(zip(made, sides)):
            timing.progress(f"pass {n + 1} of {passes}: {k + 1} of {len(made)}, {p.note}")
            p.times.append(least(p, side, flush))
    timing.progress()
    return top * 1e9 / 2


def least(p, side, flush):
    """The least seconds of the kernel in some runs."""
    count = max(1, int(5e-5 / side.run(1)))
    best, end = math.inf, time.monotonic() + 0.03
    for n in itertools.count():
        if n >= 3 and time.monotonic() > end or n > 200:
            return best
        if p.layer.flush:
            flush[:p.layer.flush // 8].sum()
            count = 1
        best = min(best, side.step_times(count)[p.kernel])


def peak_flags(build, isa):
    portable = "--target=c" in build.options or isa == 1
    return "" if portable else "-mavx2 -mfma" if isa == 2 and platform.machine() in MACHINES["x86-64"] else "-march=native"


# from times to costs -----------------------------------------------------------------------------

def nonnegative(a, b):
    """The x >= 0 for which |a x - b| is least: of all choices of what is 0, the best. A few unknowns."""
    best, least_error = np.zeros(a.shape[1]), np.linalg.norm(b)
    for used in itertools.product((True, False), repeat=a.shape[1]):
        columns = np.flatnonzero(used)
        x = np.zeros(a.shape[1])
        if len(columns):
            x[columns] = np.linalg.lstsq(a[:, columns], b, rcond=None)[0]
        error = np.linalg.norm(a @ x - b)
        if (x >= 0).all() and error < least_error * (1 - 1e-9):
            best, least_error = x, error
    return best


@dataclass
class Fit:
    """Costs that explain the times of some probes, which share costs with each other alone."""

    probes: list
    names: list
    x: np.ndarray  # by name, in the unit of the times
    known: bool  # whether the probes determine all of it

    def explained(self, p):
        return sum(p.paid.get(n, 0.0) * x for n, x in zip(self.names, self.x))


def groups(made):
    """Probes that share costs, each with those names."""
    found = []
    for p in made:
        names, rest = set(p.paid), []
        same = [p]
        for other, theirs in found:
            if names & theirs:
                same, names = other + same, names | theirs
            else:
                rest.append((other, theirs))
        found = [*rest, (same, names)]
    return found


def fit(made, names):
    """Twice too long is as wrong as twice too short: what is squared is 2 sinh(log(costs / time) / 2)."""
    names = sorted(names)
    a, times = np.array([[p.paid.get(n, 0.0) for n in names] for p in made]), np.array([min(p.times) for p in made])
    explained = times
    for _ in range(ROUNDS):
        weight = 1 / np.sqrt(times * np.maximum(explained, times / 100))
        rows = a * weight[:, None]
        scale = np.linalg.norm(rows, axis=0)
        x = nonnegative(rows / scale, times * weight) / scale
        explained = a @ x
    return Fit(made, names, x, np.linalg.matrix_rank(rows / scale) == len(names))


def solve(made, shipped):
    """Fits of all probes, and the seconds of a unit of cost. Costs are fit.x / unit."""
    fits = [fit(*group) for group in groups(made)]
    by_name = {n: x for f in fits if f.known for n, x in zip(f.names, f.x)}
    if by_name.get("", 0.0) > 0:
        return fits, by_name[""]
    for name, value in shipped.items():
        if by_name.get(name, 0.0) > 0:
            return fits, by_name[name] / value
    raise compare.Stop(1, "no cost can be found from these probes")


def tuned(fits, unit, shipped):
    """Measured costs by name; each with its fit."""
    found = {n: (max(x / unit, FLOOR * shipped[n]), f)
             for f in fits if f.known for n, x in zip(f.names, f.x) if n}
    return {n: found[n] for n in shipped if n in found}


# reports -----------------------------------------------------------------------------------------

def off(f, made):
    """How far times are from what the costs say: the root of the mean square of logarithms, as a ratio."""
    errors = [math.log(max(f.explained(p) / min(p.times), 0.01)) for p in made]
    return math.exp(math.sqrt(sum(e * e for e in errors) / len(errors))) - 1


def report(fits, unit, rate):
    rows = []
    for f in fits:
        for p in f.probes:
            seconds = min(p.times)
            rows.append([p.note, f"{seconds * 1e6:.1f}", f"{f.explained(p) * 1e6:.1f}",
                         f"{f.explained(p) / seconds - 1:+.0%}", f"{max(p.times) / seconds - 1:.0%}"])
    sys.stdout.flush()
    print("\n".join(table(["probe", "us", "by its costs", "off", "between passes"], rows)), file=sys.stderr)
    print(f"a unit is {unit * 1e12:.2f} ps, {unit * rate:.2f} multiply-adds at the peak of {2e-9 * rate:.1f} GFLOP/s",
          file=sys.stderr)


def loss(fits, costs):
    """Layers that several rows were timed on: how many there are, and how much longer than the best
    the rows take which these costs choose, the mean of logarithms as a ratio."""
    layers = {}
    for f in fits:
        for p in f.probes:
            layers.setdefault(p.layer, []).append(p)
    layers = [rivals for rivals in layers.values() if len(rivals) > 1]
    lost = [math.log(min(min(rivals, key=lambda p: price(p, costs)).times) / min(min(p.times) for p in rivals))
            for rivals in layers]
    return len(layers), math.exp(sum(lost) / max(len(lost), 1)) - 1


def price(p, costs):
    return sum(n * costs.get(name, 1.0) for name, n in p.paid.items())


def report_loss(fits, shipped, found):
    count, now = loss(fits, {**shipped, **found})
    before = loss(fits, shipped)[1]
    if count:
        print(f"{count} layers were timed on several rows: those that the shipped costs choose take {before:.1%} longer than "
              f"the best, these {now:.1%}", file=sys.stderr)
    if now > before:
        timing.warn("the table chooses worse than the shipped costs; on a quiet machine?")


def table(head, rows):
    """Lines, with a column as wide as its widest cell."""
    wide = [max(len(r[k]) for r in [head, *rows]) for k in range(len(head))]
    return ["  ".join(c.ljust(w) if not k else c.rjust(w) for k, (c, w) in enumerate(zip(r, wide))) for r in [head, *rows]]


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as f:
            return next(line.split(":")[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def written(values, shipped, head):
    """The text of the table."""
    lines = [f"# {line}" for line in head]
    for name, (value, f) in values.items():
        mine = [p for p in f.probes if name in p.paid]
        lines.append(f"{name} {value:.3g} # measured: {len(mine)} probes, off by {off(f, mine):.0%}; shipped {shipped[name]:g}")
    for name, value in shipped.items():
        if name not in values:
            why = "needs more threads" if name.startswith("PART_") else "no probe tells"
            lines.append(f"# {name} {value:g} as shipped: {why}")
    return "".join(f"{line}\n" for line in lines)


def read_table(text):
    pairs = (line.split("#")[0].split() for line in text.splitlines())
    return {p[0]: float(p[1]) for p in pairs if p}


# the effect --------------------------------------------------------------------------------------

def sums(said):
    """The rows taken, and the sum of their costs; kernels without costs of their own cost nothing."""
    taken = [(k["row"], c["cost"]) for k in said["kernels"] for c in k["candidates"] if c["taken"] and k["row"] in PROBES]
    return [row for row, _ in taken], sum(cost for _, cost in taken)


def check(build, isa, costs, unit, work):
    """Networks with the shipped costs and with these, in turn."""
    rows = []
    for name, size in CHECKED:
        timing.progress(f"checking {name}")
        path = os.path.join(work, f"{name}.onnx")
        networks.save(networks.build(name, networks.Options(**size)), path)
        feeds, dims = compare.random_inputs(compare.load(path), {}, 0), {}
        sides, said = [], []
        for k, options in enumerate((build.options, (*build.options, *flags(costs)))):
            own = timing.Build(build.skipc, tuple(options), build.cc, build.cflags)
            task = Task(path, feeds, os.path.join(work, f"{name}{size.get('width', '')}_{k}"), 1, dims)
            sides.append(timing.Ours(timing.link(own, timing.generate(own, task)), task, isa=isa))
            said.append(inspect(build.skipc, path, options))
        times = timing.race(sides, 15)
        (old, _), (new, predicted) = sums(said[0]), sums(said[1])
        moved = sum(a != b for a, b in zip(old, new)) if len(old) == len(new) else "other kernels"
        least_times = [min(t) * 1e3 for t in times]
        ratio = timing.quartiles([b / a for a, b in zip(*times)])[1]
        rows.append([f"{name} {size.get('width', '')}".strip(), str(moved), f"{predicted * unit * 1e3:.3f}",
                     *(f"{t:.3f}" for t in least_times), f"{ratio:.3f}"])
    timing.progress()
    print("\n".join(table(["network", "rows changed", "costs say, ms", "shipped, ms", "tuned, ms", "tuned / shipped"], rows)),
          file=sys.stderr)


# the command -------------------------------------------------------------------------------------

def require_machine(target):
    if platform.machine() not in MACHINES.get(target, (platform.machine(),)):
        raise compare.Stop(2, f"--target={target} cannot be measured on a machine of {platform.machine()}")


def tune(arguments, options):
    require_machine(arguments.target)
    write(arguments.output, "", "a")  # better refused now than after minutes
    load = timing.warn_of_load()
    build = timing.Build(arguments.skipc, tuple(options), arguments.cc, arguments.cflags)
    with tempfile.TemporaryDirectory(prefix="skipc-tune-") as temporary:
        work = arguments.keep or temporary
        os.makedirs(work, exist_ok=True)
        compiler = Compiler(arguments.skipc, build.options, work)
        made = probes(compiler, arguments.rows, QUICK if arguments.quick else None)
        if not {p.row for p in made} & set(arguments.rows):
            raise compare.Stop(1, f"--target={arguments.target} has none of the rows {','.join(arguments.rows)}")
        others = timing.Others()
        rate = measure(made, build, arguments.isa, arguments.quick, work)
        fits, unit = solve(made, compiler.shipped)
        report(fits, unit, rate)
        head = [f"skipc tune of {time.strftime('%Y-%m-%d', time.gmtime())} on {processor()}, load {load:.2f} before",
                f"{' '.join(map(shlex.quote, build.options))} --isa {arguments.isa}, {arguments.cc} {arguments.cflags}"]
        found = tuned(fits, unit, compiler.shipped)
        report_loss(fits, compiler.shipped, {n: v for n, (v, _) in found.items()})
        text = written(found, compiler.shipped, head)
        write(arguments.output, text)
        if arguments.check:
            check(build, arguments.isa, read_table(text), unit, work)
    if others.used() > timing.BUSY_RACE:
        timing.warn(f"others used {others.used():.1f} processors meanwhile")
    return 0


def write(path, text, mode="w"):
    if path is None:
        sys.stdout.write(text)
        return
    try:
        with open(path, mode, encoding="utf-8") as f:
            f.write(text)
    except OSError as e:
        raise compare.Stop(1, f"{path} cannot be written: {e.strerror}") from e


def row_list(text):
    rows = [r for r in text.split(",") if r]
    for row in rows:
        if row not in PROBES:
            raise compare.argparse.ArgumentTypeError(f"'{row}' is none of {', '.join(PROBES)}")
    return rows


def main(argv=None):
    p = compare.build_line("skipc tune", "After -- further options of skipc compile. Exit status: 0 done, 1 something "
                           "cannot be measured, 2 wrong usage, 3 generated code fails, 4 not installed.")
    p.add_argument("-o", "--output", metavar="FILE", help="the table (default: standard output)")
    p.add_argument("--isa", type=int, default=0, choices=range(6), help="instruction set to measure; 0 the best there is")
    p.add_argument("--quick", action="store_true", help="few probes and passes: half a minute, and less sure")
    p.add_argument("--rows", type=row_list, default=list(PROBES), metavar="LIST", help="of kernels.def: their costs alone")
    p.add_argument("--check", action="store_true", help="time some networks with the table and without")
    return compare.run_command(p, argv, tune)


if __name__ == "__main__":
    ends.run(main)
