"""Networks that are compiled and run on many rows of inputs: what gates.py and lesion.py have in common.

Needs NumPy and a C compiler: what a network takes and gives `skipc inspect --json` says.
"""
import argparse
import ctypes
import glob
import json
import os
import shlex
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = {"f64": "<f8", "f32": "<f4", "f16": "<f2", "bool": "?"}


class Stop(Exception):
    """Ends the command with an exit status and a message for the user."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def printable(name):
    """What may go to a terminal."""
    return "".join(c if c.isprintable() else f"\\{ord(c):03o}" for c in name)


def call(words, status, what):
    """Its standard output; else what it said is said."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="backslashreplace")
    except OSError as e:
        raise Stop(status, f"{words[0]}: {e.strerror}") from e
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise Stop(done.returncode if status == 1 and done.returncode > 0 else status, f"{what} ended with status {done.returncode}")
    return done.stdout


def element_type(name):
    if name == "bf16":
        raise Stop(2, "inputs and outputs of bfloat16 are none that NumPy has")
    return np.dtype(TYPES.get(name) or f"<{name[0]}{int(name[1:]) // 8}")


def inspect(arguments, *options):
    return json.loads(call([arguments.skipc, "inspect", "--json", arguments.model, *arguments.options, *options], 1, "skipc inspect"))


# inputs ------------------------------------------------------------------------------------------

def read(path):
    try:
        return np.load(path, allow_pickle=False)
    except Exception as e:  # NumPy's, and the file system's errors
        raise Stop(2, f"{path}: cannot be read as an .npy file: {e}") from e


def rows_of(array, tensor, where):
    """array as so many inputs of the network: [runs, *shape]. One run has what the network's first dimension says."""
    kind, shape = element_type(tensor["type"]), tuple(tensor["shape"])
    if array.dtype != kind:
        raise Stop(2, f"{where}: has {array.dtype}, input '{printable(tensor['name'])}' is {kind}")
    fits = array.shape == shape or array.ndim == len(shape) and array.shape[1:] == shape[1:] and array.shape[0] % shape[0] == 0
    if not fits or not array.size:
        raise Stop(2, f"{where}: has the shape {list(array.shape)}, input '{printable(tensor['name'])}' is {list(shape)}"
                      ", and its first dimension may be a multiple")
    return np.ascontiguousarray(array).reshape(-1, *shape)


def random_rows(tensor, count, rng):
    kind, shape = element_type(tensor["type"]), (count, *tensor["shape"])
    if kind.kind == "b":
        x = rng.integers(0, 2, shape)
    elif kind.kind in "iu":
        small = kind.itemsize <= 2
        x = rng.integers(np.iinfo(kind).min if small else 0, np.iinfo(kind).max if small else 10, shape)
    else:
        x = rng.standard_normal(shape)
    return x.astype(kind)


def feeds_of(arguments, report):
    """The inputs, in order, each [runs, ..], and how many runs there are."""
    inputs = report["inputs"]
    if not arguments.input:
        rng = np.random.default_rng(arguments.seed)
        feeds = [random_rows(t, arguments.rows, rng) for t in inputs]
    elif len(arguments.input) != len(inputs):
        raise Stop(2, f"{len(arguments.input)} --input files for {len(inputs)} inputs "
                      f"({', '.join(printable(t['name']) for t in inputs)})")
    else:
        feeds = [rows_of(read(path), t, path) for path, t in zip(arguments.input, inputs)]
    if len({len(x) for x in feeds}) > 1:
        raise Stop(2, f"the inputs have different numbers of rows: {', '.join(str(len(x)) for x in feeds)}")
    return feeds, len(feeds[0]) if feeds else 1


# the network -------------------------------------------------------------------------------------

TRACE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


def unescape(text):
    """A backslash and three octal digits are a byte of UTF-8."""
    parts = text.split("\\")
    return (parts[0].encode() + b"".join(bytes([int(p[:3], 8)]) + p[3:].encode() for p in parts[1:])).decode("utf-8", "replace")


class Network:
    """Compiled by skipc with some options, built, and ready to run."""

    def __init__(self, arguments, folder, report, *options):
        os.makedirs(folder, exist_ok=True)
        for old in glob.glob(os.path.join(glob.escape(folder), "net*")):
            os.unlink(old)
        call([arguments.skipc, "compile", "-q", arguments.model, "-o", folder, "--name", "net", *arguments.options, *options], 1, "skipc compile")
        self.report, self.wanted, self.found = report, {}, {}
        counts = len(report["inputs"]), len(report["outputs"])
        words = [f"{name}[{k}]" for name, n in zip(("in", "out"), counts) for k in range(n)]
        sources = sorted(p for p in glob.glob(os.path.join(glob.escape(folder), "*.c")) if not p.endswith("net_main.c"))
        traced = any(o.startswith("--trace") for o in options)
        library = os.path.join(folder, "net.so")
        call([*shlex.split(arguments.cc), "-shared", "-fPIC", *shlex.split(arguments.cflags), "-I", folder,
              f"-DARGUMENTS={','.join(words)}", *["-DTRACED"] * traced, *sources, os.path.join(HERE, "rows.c"), "-o", library],
             3, "the C compiler")
        self.outs = [np.zeros(t["shape"], element_type(t["type"])) for t in report["outputs"]]
        self.trace = TRACE(self.take) if traced else None  # held, as C has no other hold on it
        if traced:
            with open(os.path.join(folder, "net.trace"), encoding="utf-8") as f:
                lines = [line.rstrip("\n").split("\t", 1) for line in f]
            self.names = {unescape(name): int(k) for k, name in lines}
        self.open(library)

    def open(self, library):
        self.library = ctypes.CDLL(library)
        self.library.rows_open.restype = ctypes.c_void_p
        why = ctypes.c_char_p()
        trace = ctypes.cast(self.trace, ctypes.c_void_p) if self.trace else None
        self.net = ctypes.c_void_p(self.library.rows_open(trace, ctypes.byref(why)))
        if not self.net:
            raise Stop(3, f"init of the generated code: {why.value.decode()}")

    def want(self, name, kind, shape, strides):
        """Its values are in self.found[name] after each run. False: no step stores it."""
        if name in self.names:
            self.wanted[self.names[name]] = (name, element_type(kind), shape, strides)
        return name in self.names

    def take(self, _context, index, data):
        if index not in self.wanted:
            return
        name, kind, shape, strides = self.wanted[index]
        extent = 1 + sum((n - 1) * s for n, s in zip(shape, strides))
        flat = np.frombuffer(ctypes.string_at(data, extent * kind.itemsize), kind)
        self.found[name] = np.lib.stride_tricks.as_strided(flat, shape, [kind.itemsize * s for s in strides]).copy()

    def run(self, feeds, run):
        """Outputs of one run, which the next overwrites."""
        ins = (ctypes.c_void_p * max(len(feeds), 1))(*(x[run].ctypes.data for x in feeds))
        outs = (ctypes.c_void_p * max(len(self.outs), 1))(*(y.ctypes.data for y in self.outs))
        if self.library.rows_run(self.net, ins, outs):
            raise Stop(3, "the generated code does not run")
        return self.outs

    def outputs(self, feeds, runs):
        """All runs' outputs: for each of the network's, [runs * batch, ..]."""
        all_of = [np.stack(v) for v in zip(*([y.copy() for y in self.run(feeds, k)] for k in range(runs)))]
        return [y.reshape(-1, *y.shape[2:]) if y.ndim > 1 else y for y in all_of]

    def close(self):
        self.library.rows_close(self.net)


# the command line --------------------------------------------------------------------------------

def picture(text):
    if not text.endswith((".svg", ".png")):
        raise argparse.ArgumentTypeError(f"'{text}' ends neither in .svg nor .png")
    return text


def count(text):
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1")
    return int(text)


def command_line(prog, epilog):
    p = argparse.ArgumentParser(prog=prog, epilog="After -- further options of skipc compile. " + epilog)
    p.add_argument("model", metavar="MODEL")
    p.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"), help="the compiler (default: the one built here)")
    p.add_argument("--target", default="c", help="of skipc compile (default c, whose bits are those of any machine)")
    p.add_argument("--dim", action="append", default=[], metavar="NAME=N", help="of skipc compile")
    p.add_argument("--cc", default="cc", help="C compiler (default cc)")
    p.add_argument("--cflags", default="-O1", help="its flags (default -O1)")
    p.add_argument("--input", action="append", default=[], metavar="FILE",
                   help=".npy, one for each input, in order, of any multiple of its first dimension (default: random)")
    p.add_argument("--rows", type=count, default=16, metavar="N", help="runs on random inputs (default 16)")
    p.add_argument("--seed", type=int, default=0, help="of random inputs (default 0)")
    p.add_argument("--json", action="store_true", help="everything as JSON instead")
    p.add_argument("--plot", type=picture, metavar="FILE", help=".svg or .png")
    p.add_argument("--keep", metavar="DIR", help="leave everything that is made there")
    return p


def run_command(p, argv, work):
    """work(arguments, folder) with arguments.options, those of skipc compile; the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    split = argv.index("--") if "--" in argv else len(argv)
    arguments = p.parse_args(argv[:split])
    arguments.options = [f"--target={arguments.target}", *(f"--dim={d}" for d in arguments.dim), *argv[split + 1:]]
    try:
        if arguments.plot:
            figure()
        with tempfile.TemporaryDirectory(prefix="skipc-") as temporary:
            return work(arguments, arguments.keep or temporary)
    except Stop as stop:
        print(f"{p.prog}: {stop}", file=sys.stderr)
        return stop.status
    except BrokenPipeError:  # who read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def figure(*size):
    """One that is written to a file; matplotlib is asked for where somebody wants a plot."""
    try:
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise Stop(4, "--plot needs matplotlib: make venv-peers, or pip install matplotlib") from missing
    return Figure(figsize=size or None, layout="constrained")


def heading(command, report):
    """What all outputs begin with: of what model and code they speak."""
    return {"format": 1, "command": command, **{k: report[k] for k in ("skipc", "model", "sha256", "target", "options")}}


def print_json(document):
    json.dump(document, sys.stdout, indent=1, allow_nan=False)
    print()
