#!/usr/bin/env python3
"""Time a network compiled by skipc in turn with other engines; `skipc bench` runs this.

    timing.py [--skipc PATH] MODEL.onnx [--target T] [--isa N] [--threads N] [--peers LIST]
              [--runs N] [--layers] [--plot FILE.svg|png] [--input FILE ...] [--seed N]
              [--dim NAME=N ...] [--cc CC] [--cflags FLAGS] [--keep DIR] [--json]
              [-- further options of skipc compile]

All run in this process on the same input, bound once. In each of N rounds each has a turn, and
another one begins: a run that is not counted, then runs for some milliseconds. The table has the
least and the median time of a run, how wide the middle half of the rounds is spread, the median over
the rounds of a peer's time over ours, and how far its output is from ours; a peer that computes
something else, at first or after the race, is not timed. Of a quantised model the difference is in steps (steps.py), and
who saturates is timed, and named. With more than one thread there is a row for
ours on one. Where the machine is busy, before or during the race, a warning says so.

--layers builds the network with -DNAME_PROFILE and prints the median time of each step, and how
near it comes to the peak that a loop of multiply-adds reaches here and now.

Exit status: 0 done, 1 a peer computes something else or the model is refused, 2 wrong usage, 3 the
generated code does not build or run, 4 a peer is not installed or does not take the model.
"""
import ends  # before others: it says what is missing, and what Ctrl-C is
import ctypes
import glob
import importlib.util
import math
import os
import re
import shlex
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field

import compare  # says how to install what is missing
import numpy as np
from ends import progress
from rivals import RIVALS, Task, module

HERE = os.path.dirname(os.path.abspath(__file__))
RUNTIME = os.path.join(HERE, "..", "runtime")
TURN = 0.02  # seconds that a turn lasts, where one run is shorter
AGREE = 1e-2  # of the largest value: other orders of summation move a deep network by 4e-3
AGREE_STEPS = 0.9  # the same of a quantised one, which saturation moves far: only what is another thing is not timed
ROUNDED = 2.0  # steps that other roundings move results by, and no more
BUSY = 1.0  # processors that others may use before ratios are not to be trusted
BUSY_RACE = 0.25  # and during the race, where both sides suffer from it in turn


# ours --------------------------------------------------------------------------------------------

@dataclass
class Build:
    """How generated code is made and built."""

    skipc: str
    options: tuple = ("--target=x86-64",)  # of skipc compile
    cc: str = "cc"
    cflags: str = "-O2"


class Step(ctypes.Structure):
    """struct net_step of the header."""

    _fields_ = [("nodes", ctypes.c_char_p), ("kernel", ctypes.c_char_p),
                ("macs", ctypes.c_int64), ("bytes", ctypes.c_int64)]


def generate(build, task):
    """Folder of the generated code, named net."""
    folder = task.folder("skipc")
    for old in glob.glob(os.path.join(glob.escape(folder), "net*")):
        os.unlink(old)
    compare.compile_model(build.skipc, task.path, folder, task.dims, build.options)
    return folder


def link(build, folder, profile=False):
    """The generated code, timing.c and the thread pool as a shared library; its path."""
    library = os.path.join(folder, "profile.so" if profile else "net.so")
    header = read(os.path.join(folder, "net.h"))
    counts = [int(re.search(rf"#define NET_{kind}PUTS (\d+)", header).group(1))
              for kind in ("IN", "OUT")]
    arguments = [f"{name}[{k}]" for name, n in zip(("in", "out"), counts) for k in range(n)]
    sources = [os.path.join(folder, f) for f in sorted(os.listdir(folder))
               if f.endswith(".c") and f != "net_main.c"]
    shared(build.cc, [*shlex.split(build.cflags), "-I", folder, "-I", RUNTIME,
                      f"-DARGUMENTS={','.join(arguments)}", *(["-DNET_PROFILE"] if profile else []),
                      *sources, os.path.join(HERE, "timing.c"),
                      os.path.join(RUNTIME, "skipc_pool.c"), "-lpthread"], library)
    return library


def shared(cc, arguments, library):
    compare.build(cc, ["-shared", "-fPIC", "-Wl,-z,defs", *arguments], library)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def output_arrays(header):
    """Zeros for each output that a header describes."""
    arrays = []
    for kind, rank, shape in re.findall(r'OUTPUT\d+_TYPE "(\w+)".*?RANK (\d+).*?SHAPE \{ (.*?) \}',
                                        header, re.DOTALL):
        shape = [int(n) for n in shape.split(",")][:int(rank)]
        arrays.append(np.zeros(shape, compare.element_type(kind)))
    return arrays


class Ours:
    """A library of link(), run on a task's input; the same functions as a rival."""

    name = "skipc"

    def __init__(self, library, task, threads=None, isa=0):
        self.threads = threads or task.threads
        self.library = ctypes.CDLL(library)
        self.library.timing_open.restype = ctypes.c_void_p
        self.library.timing_run.restype = ctypes.c_double
        why = ctypes.c_char_p()
        self.net = ctypes.c_void_p(
            self.library.timing_open(isa, self.threads, ctypes.byref(why)))
        if not self.net:
            raise compare.Stop(3, f"init of the generated code: {why.value.decode()}")
        self.ends = task.ends
        self.version = ", ".join([f"isa {isa}"] * bool(isa) + ["integers in and out"] * (task.ends is not None))
        self.ins = list((task.ends.take(task.feeds) if task.ends else task.feeds).values())
        self.outs = output_arrays(read(os.path.join(os.path.dirname(library), "net.h")))
        self.pointers = [(ctypes.c_void_p * len(v))(*(x.ctypes.data for x in v))
                         for v in (self.ins, self.outs)]

    def run(self, count):
        seconds = self.library.timing_run(self.net, *self.pointers, count)
        if seconds < 0:
            raise compare.Stop(3, "the generated code does not run")
        return seconds

    def outputs(self):
        return self.ends.give(self.outs) if self.ends else self.outs

    def steps(self):
        """What the steps are; only of a library built with profile."""
        count = ctypes.c_int.in_dll(self.library, "timing_steps").value
        return (Step * count).in_dll(self.library, "net_steps")

    def step_times(self, count=1):
        """Seconds of each step of one run, the mean of `count`."""
        self.run(count)
        took = self.library.timing_took
        took.restype = ctypes.POINTER(ctypes.c_double)
        return [t / count for t in took(self.net)[:len(self.steps())]]


# what else is going on --------------------------------------------------------------------------

def warn(text):
    progress()
    print(f"warning: {text}", file=sys.stderr, flush=True)


def warn_of_load():
    """To be called first: later this program is part of the load."""
    load = os.getloadavg()[0]
    if load > BUSY:
        warn(f"this machine is busy, load {load:.2f} on {os.cpu_count()} processors: times will be too "
             "long, and ratios uncertain")
    return load


class Others:
    """How many processors others use, the hypervisor among them, from now on."""

    def __init__(self):
        self.start = self.now()

    @staticmethod
    def now():
        with open("/proc/stat", encoding="ascii") as f:
            user, nice, system, _, _, irq, softirq, steal = map(int, f.readline().split()[1:9])
        used = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        return np.array([used - sum(os.times()[:2]), time.monotonic()])

    def used(self):
        processors, seconds = self.now() - self.start
        return max(0.0, processors / max(seconds, 1e-3))


# the race ----------------------------------------------------------------------------------------

@dataclass
class Result:
    """One who was to be timed. No times: `note` says why."""

    name: str
    version: str = ""
    times: list = field(default_factory=list)  # seconds, one a round
    outputs: list = field(default_factory=list)  # copies, of the first run
    difference: float = math.nan  # of them from ours
    apart: compare.steps.Apart = None  # the same of a quantised model
    note: str = "ok"
    status: int = 0
    others: float = 0.0  # processors that others used during the race; of ours, which is the first


def race(sides, runs):
    """Seconds of a run of each side in each round, as lists by side."""
    counts = [max(1, int(TURN / min(s.run(1), s.run(1)))) for s in sides]
    times = [[] for _ in sides]
    for first in range(runs):
        progress(f"round {first + 1} of {runs}")
        for k in range(len(sides)):
            k = (first + k) % len(sides)
            sides[k].run(1)
            times[k].append(sides[k].run(counts[k]))
    progress()
    return times


def ratios(result, ours):
    """How many times as long as ours: the quartiles over the rounds, the median in the middle."""
    return quartiles([b / a for a, b in zip(ours.times, result.times)])


def ratio(result, ours):
    return ratios(result, ours)[1]


def quartiles(values):
    return statistics.quantiles(values, method="inclusive") if len(values) > 1 else values * 3


def spread(times):
    """The width of the middle half, of the median."""
    first, median, third = quartiles(times)
    return (third - first) / median


def difference(ours, theirs):
    """The largest of all outputs, relative; infinite where they are not alike at all."""
    worst = 0.0
    for a, b in zip(ours, theirs):
        if a.size != b.size or not compare.is_float(a):
            if a.shape != b.shape or (a != b).any():
                return math.inf
            continue
        a, b = a.astype(np.float64).ravel(), np.asarray(b, np.float64).ravel()
        if not np.array_equal(np.isfinite(a), np.isfinite(b)):
            return math.inf
        worst = max(worst, compare.error(b, a))
    return worst if len(ours) == len(theirs) else math.inf


def note_of(side, apart):
    """Why a peer may be so far from ours, which is exact: said where it is more than roundings."""
    may = getattr(side, "saturates", False) and apart.most > ROUNDED and compare.saturates()
    return "saturates on this processor, which has no VNNI" if may else "ok"


def enter(make, name, ours, steps):
    """A rival that computes what ours does, and its result to be; or None, and why not."""
    result = Result(name)
    progress(f"{name}: converting, loading, a first run")
    try:
        side = make()
        result.name, result.version = side.name, side.version
        side.run(1)
        result.outputs = [np.array(y) for y in side.outputs()]
        result.difference = difference(ours.outputs(), result.outputs)
        if steps is not None and math.isfinite(result.difference):
            result.apart = compare.steps.farthest(ours.outputs(), result.outputs, steps)
            result.note = note_of(side, result.apart)
        if result.difference > (AGREE if steps is None else AGREE_STEPS):
            raise compare.Stop(1, "NOT TIMED: it computes something else")
    except compare.Stop as stop:
        result.note, result.status = str(stop), stop.status
        return None, result
    except Exception as e:  # the engines have classes of their own
        result.note = f"{type(e).__name__}: {(str(e).strip() or '?').splitlines()[0][:200]}"
        result.status = 4
        return None, result
    return side, result


def contest(library, task, peers, runs, isa=0):
    """Ours, ours on one thread if that is another thing, and the peers; ours is the first."""
    ours = Ours(library, task, isa=isa)
    ours.run(1)
    makers = [("skipc", lambda: ours)]
    if task.threads > 1:
        makers.append(("skipc, 1 thread", lambda: Ours(library, task, 1, isa)))
    makers += [(peer, lambda peer=peer: RIVALS[peer](task)) for peer in peers]
    entered = [enter(make, name, ours, task.steps) for name, make in makers]
    if task.threads > 1:
        entered[1][1].name = "skipc, 1 thread"
    sides = [(side, result) for side, result in entered if side is not None]
    others = Others()
    for (side, result), times in zip(sides, race([side for side, _ in sides], runs)):
        apart = difference(result.outputs, side.outputs())
        if apart > (AGREE if task.steps is None else AGREE_STEPS):
            result.note, result.status = "NOT TIMED: it computes something else in a later run", 1
        else:
            result.times = times
    entered[0][1].others = others.used()
    return [result for _, result in entered]


# reports -----------------------------------------------------------------------------------------

def unit(seconds):
    """Factor and name of the unit in which so many seconds are read best."""
    return (1e3, "ms") if seconds >= 1e-3 else (1e6, "us")


def report(results):
    ours = results[0]
    factor, name = unit(statistics.median(ours.times))
    rows = []
    for r in results:
        times = [""] * 4
        if r.times:
            times = [f"{min(r.times) * factor:.2f}", f"{statistics.median(r.times) * factor:.2f}",
                     f"{spread(r.times):.1%}", f"{ratio(r, ours):.3f}"]
        apart = str(r.apart) if r.apart else "" if math.isnan(r.difference) else f"{r.difference:.1e}"
        rows.append([r.name, r.version, *times, apart, r.note])
    compare.print_table(["who", "version", f"minimum, {name}", f"median, {name}",
                         "spread", "ratio", "steps" if ours.apart else "difference", ""], rows)
    if ours.apart:
        print("steps: elements of the results that differ from ours / by how many steps of their type at most")
    if ours.others > BUSY_RACE:
        warn(f"others used {ours.others:.1f} processors during the race")


def peak(work, flags="-march=native"):
    """GFLOP/s that one core of this machine reaches, now."""
    library = os.path.join(work, "peak.so")
    if not os.path.exists(library):
        shared("cc", ["-O2", *flags.split(), os.path.join(HERE, "peak.c")], library)
    function = ctypes.CDLL(library).peak_gflops
    function.restype = ctypes.c_double
    return function()


def profiled(library, task, runs, isa):
    """The steps of a library built with profile, median seconds of each, the peak around them."""
    ours = Ours(library, task, isa=isa)
    ours.run(1)
    before = peak(task.work)
    times = [ours.step_times() for _ in range(runs)]
    top = max(before, peak(task.work)) * task.threads
    return ours.steps(), [statistics.median(t) for t in zip(*times)], top


def report_layers(steps, seconds, top):
    total = sum(seconds)
    factor, name = unit(total)

    def row(first, kernel, took, macs, size, nodes):
        rate = 2e-9 * macs / took if took > 0 else 0.0
        return [first, kernel, f"{took * factor:.3f}", f"{took / total:.1%}", f"{rate:.1f}",
                f"{rate / top:.1%}", f"{size:,}", nodes]

    rows = [row(str(k), s.kernel.decode(), took, s.macs, s.bytes,
                s.nodes.decode("utf-8", "replace"))
            for k, (s, took) in enumerate(zip(steps, seconds))]
    rows.append(row("sum", "", total, sum(s.macs for s in steps), sum(s.bytes for s in steps), ""))
    print(f"\nsteps, medians; peak {top:.1f} GFLOP/s")
    compare.print_table(["step", "kernel", name, "share", "GFLOP/s", "of peak", "bytes", "nodes"],
                        rows)


def plain(result, ours):
    """For JSON; no times where it was not timed."""
    times = dict.fromkeys(("minimum", "median", "spread", "ratio"))
    if result.times:
        times = {"minimum": min(result.times), "median": statistics.median(result.times), "spread": spread(result.times),
                 "ratio": ratio(result, ours)}
    return {"name": result.name, "version": result.version, **times, "difference": compare.finite(result.difference),
            "apart": compare.plain_apart(result.apart), "note": result.note}


def plain_layers(steps, seconds, top):
    return {"peak": top, "steps": [
        {"id": k, "function": s.kernel.decode(), "macs": s.macs, "bytes": s.bytes, "seconds": took}
        for k, (s, took) in enumerate(zip(steps, seconds))]}


def plot(path, title, names, seconds):
    """Horizontal bars, the first at the top."""
    factor, name = unit(max(seconds))
    figure = module("matplotlib.figure", "matplotlib").Figure(
        figsize=(9, 1.2 + 0.26 * len(names)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(range(len(names)), [s * factor for s in seconds])
    axes.bar_label(bars, fmt="%.3g", padding=3)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.1, y=0.02)
    axes.set(xlabel=name, title=title)
    figure.savefig(path)


# the command -------------------------------------------------------------------------------------

def bench(arguments, options):
    if arguments.plot:
        module("matplotlib.figure", "matplotlib")  # better now than after minutes
    load = warn_of_load()
    model = compare.load(arguments.model)
    feeds, dims = compare.feeds_of(model, arguments)
    build = Build(arguments.skipc, tuple(options), arguments.cc, arguments.cflags)
    ends = compare.Ends(arguments.skipc, arguments.model, model, dims, options) if "--io=int" in options else None
    with tempfile.TemporaryDirectory(prefix="skipc-bench-") as temporary:
        task = Task(arguments.model, feeds, arguments.keep or temporary, arguments.threads, dims,
                    compare.steps.of_outputs(model) if compare.steps.is_quantised(model) else None, ends)
        title = f"{os.path.basename(task.path)}, {' '.join(build.options)}, {task.threads} thread" \
                f"{'s' if task.threads > 1 else ''}"
        progress("compiling and building")
        folder = generate(build, task)
        progress()
        if not arguments.json:
            print(f"{title}; {arguments.runs} rounds; load {load:.2f} on {os.cpu_count()} processors "
                  "before", flush=True)
        results = contest(link(build, folder), task, peers_of(arguments, task.steps is not None), arguments.runs,
                          arguments.isa)
        if not arguments.json:
            report(results)
        bars = [(r.name, statistics.median(r.times)) for r in results if r.times]
        found = None
        if arguments.layers:
            found = profiled(link(build, folder, True), task, arguments.runs, arguments.isa)
            if not arguments.json:
                report_layers(*found)
            bars = [(f"{k} {s.kernel.decode()}", took)
                    for k, (s, took) in enumerate(zip(*found[:2]))]
        if arguments.plot:
            plot(arguments.plot, title, *zip(*bars))
        if arguments.json:
            compare.print_json({
                **compare.heading("bench", arguments, dims, options), "cc": build.cc, "cflags": build.cflags,
                "threads": task.threads, "isa": arguments.isa, "rounds": arguments.runs, "processors": os.cpu_count(),
                "load": load, "others": results[0].others, "results": [plain(r, results[0]) for r in results],
                "layers": plain_layers(*found) if found else None})
    return min((r.status for r in results if r.status), default=0)


def peers_of(arguments, is_quantised):
    """Those that were asked for; else onnxruntime, and of a quantised model both of its forms, and OpenVINO where it is installed."""
    if arguments.peers is not None:
        return arguments.peers
    also = ["ort-precise"] + ["openvino"] * (importlib.util.find_spec("openvino") is not None)
    return ["ort"] + also * is_quantised


def peer_list(text):
    names = [n for n in text.split(",") if n]
    for name in names:
        if name not in RIVALS:
            raise compare.argparse.ArgumentTypeError(
                f"'{name}' is none of {', '.join(RIVALS)}")
    return names


def count(text):
    if not text.isdigit() or not int(text):
        raise compare.argparse.ArgumentTypeError(f"'{text}' is not a number from 1")
    return int(text)


def picture(text):
    if not text.endswith((".svg", ".png")):
        raise compare.argparse.ArgumentTypeError(f"'{text}' ends neither in .svg nor .png")
    return text


def main(argv=None):
    p = compare.command_line("skipc bench", "After -- further options of skipc compile. Exit "
                             "status: 0 done, 1 a peer computes something else or model refused, "
                             "2 wrong usage, 3 generated code fails, 4 a peer does not run.")
    p.add_argument("--isa", type=int, default=0, choices=range(6),
                   help="greatest instruction set of ours: 0 any, 1 plain C, 2 AVX2, 3 AVX-512, 4 AVX-VNNI, 5 AVX-512 with VNNI")
    p.add_argument("--threads", type=count, default=1, metavar="N", help="of all (default 1)")
    p.add_argument("--peers", type=peer_list, metavar="LIST",
                   help=f"of {','.join(RIVALS)} (default ort, of quantised models ort,ort-precise, and openvino if installed); "
                        "may be empty")
    p.add_argument("--runs", type=count, default=15, metavar="N", help="rounds (default 15)")
    p.add_argument("--layers", action="store_true", help="time each step")
    p.add_argument("--plot", type=picture, metavar="FILE",
                   help=".svg or .png: bars of the peers, with --layers of the steps")
    return compare.run_command(p, argv, bench)


if __name__ == "__main__":
    ends.run(main)
