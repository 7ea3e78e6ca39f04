#!/usr/bin/env python3
"""Compare a network compiled by skipc with onnxruntime; `skipc diff` runs this.

    compare.py [--skipc PATH] MODEL.onnx [--input FILE.npy|FILE.pb ...] [--all-tensors] [--float64]
               [--cc CC] [--cflags FLAGS] [--run PREFIX] [--seed N] [--dim NAME=N ...] [--keep DIR]
               [-- further options of skipc compile]

Compiles MODEL with `--main`, builds the output, runs it and onnxruntime (CPU, one thread) on the
same input, and prints a row for each output. With --all-tensors also one for each tensor that
survives compilation, in order of execution, and the first that is beyond the promise.

The promise: with E(y) = max|y - y64| / max|y64| and y64 evaluated in double precision,

    E(ours) <= 3 E(onnxruntime) + 1e-6       portable code, and --exact
    E(ours) <= 5 E(onnxruntime) + 1e-5       otherwise (Winograd)

Integers and booleans are equal; NaN and infinities stand where onnxruntime has them. With
--skip-closed-gates EPS, each layer that leaves rows out may add EPS.

Quantised models are judged in steps of their types (steps.py): ours have the bits of R, which DESIGN.md
defines, and are at most one step further from real arithmetic than onnxruntime without optimisations.

Exit status: 0 within the promise, 1 beyond it or the model is refused, 2 wrong usage, 3 the
generated code does not build or run, 4 no comparison possible (something is not installed, or
onnxruntime does not run this model).
"""
import ends  # before others: it says what is missing, and what Ctrl-C is
import argparse
import glob
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
INSTALL = "python3 -m venv .venv && .venv/bin/pip install onnxruntime onnx numpy"
INSTALL = (f"to install it: make venv\nor by hand:    {INSTALL}" if os.path.exists(os.path.join(HERE, "..", "Makefile")) else
           f"to install it: {INSTALL}\n               and SKIPC_PYTHON=.venv/bin/python skipc ..")

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    import float64
    import qdq
    import steps
except ImportError as missing:
    print(f"skipc: Python module '{missing.name}' is not installed\n{INSTALL}",
          file=sys.stderr)
    sys.exit(4)

PROVIDER = "CPUExecutionProvider"
EXACT, FAST = (3.0, 1e-6), (5.0, 1e-5)  # factor on onnxruntime's E, and what is added
WRONG = 1e-3  # a relative difference that no rounding makes: one side is wrong
UNKNOWN = 1e-5  # bound on the relative difference where nothing evaluates the model in double


class Stop(Exception):
    """Ends the comparison with an exit status and a message for the user."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


# the model and its inputs ------------------------------------------------------------------------

def load(path):
    try:
        return onnx.load(path)
    except Exception as e:  # protobuf's, onnx's, and the file system's errors
        raise Stop(1, f"{path}: cannot be read: {str(e).strip().splitlines()[0]}") from e


def graph_inputs(model):
    """The inputs that a caller gives: those that no initializer has a value for."""
    constants = {i.name for i in model.graph.initializer}
    return [i for i in model.graph.input if i.name not in constants]


def read_tensor(path):
    try:
        if path.endswith(".pb"):
            with open(path, "rb") as f:
                return numpy_helper.to_array(TensorProto.FromString(f.read()))
        return np.load(path, allow_pickle=False)
    except Exception as e:  # numpy's, protobuf's, and the file system's errors
        raise Stop(2, f"{path}: cannot be read as a tensor: {e}") from e


def given_inputs(model, files, dims):
    """Inputs from files, in the graph's order. Symbolic dimensions that the files decide are
    added to dims."""
    inputs = graph_inputs(model)
    if len(files) != len(inputs):
        names = ", ".join(i.name for i in inputs)
        raise Stop(2, f"{len(files)} --input files for {len(inputs)} inputs ({names})")
    feeds = {}
    for value, path in zip(inputs, files):
        array, kind = read_tensor(path), value.type.tensor_type
        wanted = helper.tensor_dtype_to_np_dtype(kind.elem_type)
        if array.dtype != wanted:
            raise Stop(2, f"{path}: has {array.dtype}, input '{value.name}' is {wanted}")
        if kind.HasField("shape") and len(kind.shape.dim) != array.ndim:
            raise Stop(2, f"{path}: has {array.ndim} dimensions, input '{value.name}' "
                          f"{len(kind.shape.dim)}")
        for dim, n in zip(kind.shape.dim, array.shape):
            if dim.dim_param and dims.setdefault(dim.dim_param, n) != n:
                raise Stop(2, f"{path}: {n} where '{dim.dim_param}' is {dims[dim.dim_param]}")
        feeds[value.name] = np.ascontiguousarray(array)
    return feeds


def index_limit(model, name):
    """An input that indexes a table may not pass its end."""
    shapes = {i.name: tuple(i.dims) for i in model.graph.initializer}
    limit = 10
    for node in model.graph.node:
        if node.op_type == "Gather" and node.input[1] == name and node.input[0] in shapes:
            axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
            limit = min(limit, shapes[node.input[0]][axis])
    return limit


def random_inputs(model, dims, seed):
    """Normal numbers, integers (small ones, where the type is large), or bits."""
    rng = np.random.default_rng(seed)
    feeds = {}
    for value in graph_inputs(model):
        kind = value.type.tensor_type
        if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
            raise Stop(2, f"input '{value.name}' has no known shape: give it with --input")
        shape = [d.dim_value if d.HasField("dim_value") and d.dim_value > 0
                 else dims.get(d.dim_param, 1) for d in kind.shape.dim]
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
        if kind.elem_type == TensorProto.BOOL:
            x = rng.integers(0, 2, shape)
        elif np.issubdtype(dtype, np.integer) and dtype.itemsize <= 2:  # quantised, or pixels
            x = rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, endpoint=True)
        elif np.issubdtype(dtype, np.integer):
            x = rng.integers(0, index_limit(model, value.name), shape)
        elif kind.elem_type == TensorProto.STRING:
            raise Stop(2, f"input '{value.name}' is of strings")
        else:
            x = rng.standard_normal(shape)
        feeds[value.name] = np.asarray(x).astype(dtype)
    return feeds


# our side ----------------------------------------------------------------------------------------

def call(command, what):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors="backslashreplace")
    except OSError as e:
        raise Stop(3 if what == "program" else 2, f"{command[0]}: {e.strerror}") from e


def compile_model(skipc, model, directory, dims=None, options=()):
    """skipc compile; its messages go to our stderr."""
    command = [skipc, "compile", "-q", model, "-o", directory, "--name", "net", "--main", *options]
    for name, n in (dims or {}).items():
        command += ["--dim", f"{name}={n}"]
    ends.progress("compiling")
    done = call(command, "skipc")
    ends.progress()
    sys.stderr.write(done.stderr)
    if done.returncode:
        raise Stop(done.returncode if done.returncode > 0 else 3,
                   f"skipc compile ended with status {done.returncode}")


def build(cc, arguments, made):
    """Libraries among the arguments go last, where linkers want them."""
    arguments = sorted(arguments, key=lambda argument: argument.startswith("-l"))
    ends.progress("building what was compiled")
    done = call([*shlex.split(cc), "-o", made, *arguments], "compiler")
    ends.progress()
    if done.returncode:
        raise Stop(3, f"{cc} does not build the generated code:\n{done.stderr.strip()}")


def build_program(directory, cc="cc", cflags="-O2"):
    program = os.path.join(directory, "prog")
    sources = sorted(glob.glob(os.path.join(glob.escape(directory), "*.c")))
    build(cc, [*shlex.split(cflags), "-I", directory, *sources], program)
    return program


def run_program(program, feeds, outputs, directory, prefix="", trace=None):
    """The program's outputs as arrays, in order."""
    xs = [os.path.join(directory, f"x{k}.npy") for k in range(len(feeds))]
    ys = [os.path.join(directory, f"y{k}.npy") for k in range(outputs)]
    for path, x in zip(xs, feeds.values()):
        np.save(path, x)
    command = [*shlex.split(prefix), program, *xs, "-o", *ys]
    ends.progress("running it")
    done = call(command + (["--trace-dir", trace] if trace else []), "program")
    ends.progress()
    if done.returncode:
        raise Stop(3, f"the compiled program ended with status {done.returncode}\n"
                      f"{done.stderr.strip()}")
    return [np.load(y) for y in ys]


def unescape(text):
    """A backslash and three octal digits are a byte of UTF-8."""
    raw = re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m.group(1), 8)]), text.encode("utf-8"))
    return raw.decode("utf-8", "replace")


def traced_tensors(directory, trace):
    """Each tensor that was written, by name, in the order of execution."""
    with open(os.path.join(directory, "net.trace"), encoding="utf-8") as f:
        lines = [line.rstrip("\n").split("\t", 1) for line in f]
    files = [(unescape(name), os.path.join(trace, f"{k}.npy")) for k, name in lines]
    return {name: np.load(file) for name, file in files if os.path.exists(file)}


# the other side ----------------------------------------------------------------------------------

def onnxruntime_session(path, model=None, optimise=True, threads=1, precise=False):
    """Of the file, or of `model`, a changed one of that file. Weights outside the file are pulled
    in where onnxruntime cannot read them there. precise: sums of bytes do not saturate."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # others run in turn with it, on the same processors
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 4
    if precise:
        options.add_session_config_entry("session.x64quantprecision", "1")
    if not optimise:
        level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.graph_optimization_level = level
    try:
        if model is None:
            try:
                return onnxruntime.InferenceSession(path, options, providers=[PROVIDER])
            except Exception:
                model = onnx.load(path)
                if model.ByteSize() >= 2**31:
                    raise
        return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                            providers=[PROVIDER])
    except Exception as e:  # onnxruntime has a class for every status
        raise Stop(4, f"onnxruntime {onnxruntime.__version__} does not load this model: {e}") from e


def run_session(session, names, feeds):
    try:
        return session.run(names, feeds)
    except Exception as e:
        raise Stop(4, f"onnxruntime {onnxruntime.__version__} does not run this model: {e}") from e


def saturates():
    """Is the onnxruntime here wrong where sums of bytes leave 16 bits? It multiplies pairs of them by one
    instruction that saturates, where the processor has no better one (VNNI)."""
    at = {"x": np.full((1, 4, 1, 1), 255, np.uint8), "w": np.full((16, 4, 1, 1), 127, np.int8), "one": np.float32(1),
          "u": np.uint8(0), "s": np.int8(0), "step": np.float32(4 * 255)}
    kind = TensorProto.UINT8
    graph = helper.make_graph(
        [helper.make_node("QLinearConv", ["x", "one", "u", "w", "one", "s", "step", "u"], ["y"])], "saturates",
        [helper.make_tensor_value_info("x", kind, at["x"].shape)], [helper.make_tensor_value_info("y", kind, (1, 16, 1, 1))],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in at.items() if n != "x"])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bool((onnxruntime_session("", model).run(None, {"x": at["x"]})[0] != 127).any())


def onnxruntime_tensors(path, names, feeds):
    """Values of inner tensors by name: of those that are tensors of the main graph."""
    model = onnx.load(path)
    made = {o for n in model.graph.node for o in n.output if o}
    outputs = {o.name for o in model.graph.output}
    names = [n for n in dict.fromkeys(names) if n in made]
    model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in outputs)
    session = onnxruntime_session(path, model, optimise=False)
    return dict(zip(names, run_session(session, names, feeds))) if names else {}


# judging -----------------------------------------------------------------------------------------

def is_float(array):
    return array.dtype.kind not in "biu"


def error(y, y64):
    """E(y): the largest error, relative to the largest value, where both are finite."""
    y = y.astype(np.float64)
    where = np.isfinite(y) & np.isfinite(y64)
    if not where.any():
        return 0.0
    largest = np.abs(y64[where]).max()
    return float(np.abs(y[where] - y64[where]).max() / (largest or 1.0))


@dataclass
class Row:
    """What was found for one tensor. `ours` and `theirs` are E, or None when not evaluated."""

    name: str
    shape: tuple
    absolute: float = 0.0
    relative: float = 0.0
    ours: float = None
    theirs: float = None
    ok: bool = False
    note: str = ""

    @property
    def verdict(self):
        return ("ok" if self.ok else "BEYOND") + (f" ({self.note})" if self.note else "")


class Judge:
    """Decides on tensors of one model and input; evaluates it in double only when it must."""

    def __init__(self, model, feeds, promise, always=False):
        self.model, self.feeds, self.promise, self.always = model, feeds, promise, always
        self.values, self.why_not = None, ""

    def double(self, name):
        if self.values is None:
            ends.progress("evaluating in float64")
            try:
                self.values = float64.evaluate(self.model, self.feeds, intermediate=True)
            except NotImplementedError as e:
                self.values, self.why_not = {}, str(e)
            ends.progress()
        return self.values.get(name)

    def judge(self, name, ours, theirs):
        row = Row(name, ours.shape)
        if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            row.note = f"onnxruntime has {theirs.dtype}{list(theirs.shape)}, not {ours.dtype}"
            return row
        if not is_float(ours):
            wrong = int((ours != theirs).sum())
            if ours.size:
                row.absolute = float(np.abs(ours.astype(object) - theirs.astype(object)).max())
            row.ok, row.note = not wrong, f"{wrong} of {ours.size} differ" if wrong else "equal"
            return row
        a, b = ours.astype(np.float64), theirs.astype(np.float64)
        finite = np.isfinite(b)
        if finite.any():
            largest = np.abs(b[finite]).max()
            with np.errstate(invalid="ignore"):
                row.absolute = float(np.abs(a - b)[finite].max())
            row.relative = row.absolute / (largest or 1.0)
        if not np.array_equal(a[~finite], b[~finite], equal_nan=True) or \
                not np.isfinite(a[finite]).all():
            row.note = "NaN or infinity elsewhere than in onnxruntime"
            return row
        return self.float_verdict(row, ours, theirs)

    def float_verdict(self, row, ours, theirs):
        factor, floor = self.promise
        # E(ours) <= E(theirs) + relative: below the floor there is nothing to find out
        row.ok = row.relative <= floor
        if row.ok and not self.always:
            return row
        y64 = self.double(row.name)
        if y64 is None or y64.shape != ours.shape:
            row.ok = row.ok or row.relative <= UNKNOWN
            row.note = "no float64 value"
            return row
        row.ours, row.theirs = error(ours, y64), error(theirs, y64)
        row.ok = row.ours <= factor * row.theirs + floor
        return row


def inspect(skipc, model, dims, options):
    """What skipc found in the model: `skipc inspect --json`."""
    given = [text for name, n in dims.items() for text in ("--dim", f"{name}={n}")]
    done = call([skipc, "inspect", "--json", model, *given, *options], "skipc")
    if done.returncode:
        raise Stop(done.returncode if done.returncode > 0 else 3, done.stderr.strip())
    return json.loads(done.stdout)


def promise_of(arguments, dims, options):
    """The promise that a compilation with these options makes: factor and summand."""
    factor, floor = FAST if not {"--target=c", "--exact"} & set(options) else EXACT
    if any(option.startswith("--skip-closed-gates") for option in options):
        found = inspect(arguments.skipc, arguments.model, dims, options)
        layers = sum(block["carries_closed_rows"] for block in found["blocks"])
        floor += found["skip_closed_gates"] * layers
    return factor, floor


# Versions of onnxruntime that are wrong themselves: how the version begins ("": any), operators that a
# model must have, one behind the other, and what is wrong. A difference there need not be ours.
FAULTS = (
    ("1.30.", ("Pad", "MaxPool"),
     "its optimiser makes the zeros of a Pad the padding of the MaxPool behind, which is -infinity"),
    ("", ("Resize",), "it copies where all sizes stay, whatever the scales (DESIGN.md, Numerics)"),
)


def known_faults(model, version):
    """What is known to be wrong with that version of onnxruntime and might concern the model."""
    makers = {o: n for n in model.graph.node for o in n.output}

    def has(node, kinds):
        """The operators, the last of them at that node."""
        return node is not None and node.op_type == kinds[-1] and (
            len(kinds) == 1 or any(has(makers.get(i), kinds[:-1]) for i in node.input))

    return [why for begins, kinds, why in FAULTS
            if version.startswith(begins) and any(has(n, kinds) for n in model.graph.node)]


# the report --------------------------------------------------------------------------------------

def printable(text):
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def print_table(head, rows):
    """Columns as wide as they need; the first to the left, numbers to the right."""
    cells = [head] + [[printable(c) for c in row] for row in rows]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    for row in cells:
        line = "  ".join(c.ljust(w) if k < 2 or k == len(head) - 1 else c.rjust(w)
                         for k, (c, w) in enumerate(zip(row, widths)))
        print(line.rstrip())


def report(first, rows, evaluated):
    head = [first, "shape", "largest difference", "relative"]
    head += ["E(ours)", "E(onnxruntime)"] if evaluated else []
    table = []
    for r in rows:
        shape = "x".join(map(str, r.shape)) or "scalar"
        e = [f"{v:.2e}" if v is not None else "-" for v in (r.ours, r.theirs)]
        table.append([r.name, shape, f"{r.absolute:.3g}", f"{r.relative:.2e}",
                      *(e if evaluated else []), r.verdict])
    print_table(head + ["verdict"], table)


def with_makers(model, rows):
    """The rows of inner tensors, named by them and the nodes that make them."""
    makers = {o: n for n in model.graph.node for o in n.output if o}
    for row in rows:
        node = makers[row.name]
        row.name = f'{node.op_type} "{node.name}" {row.name}' if node.name else f"{node.op_type} {row.name}"
    return rows


def tensor_rows(path, traced, feeds, judge):
    """A row for each traced tensor that onnxruntime's graph has."""
    theirs = onnxruntime_tensors(path, traced, feeds)
    return with_makers(judge.model, [judge.judge(name, y, theirs[name]) for name, y in traced.items() if name in theirs])


# JSON: schema/ says what is in it ----------------------------------------------------------------

FORMAT = 1  # of both outputs: another number where a member changes or goes


def heading(command, arguments, dims, options):
    """What all outputs begin with: of what model and code they speak."""
    found = inspect(arguments.skipc, arguments.model, dims, options)
    return {"format": FORMAT, "command": command,
            **{key: found[key] for key in ("skipc", "model", "sha256", "target", "options")}}


def finite(value):
    """JSON has no infinity and no NaN."""
    return float(value) if value is not None and np.isfinite(value) else None


def plain_apart(apart):
    return {"differ": apart.count, "of": apart.size, "most": finite(apart.most)} if apart else None


def plain(row):
    """A row of either kind."""
    both = {"name": row.name, "shape": list(row.shape), "ok": bool(row.ok), "note": row.note}
    if isinstance(row, Row):
        return {**both, **{key: finite(getattr(row, key)) for key in ("absolute", "relative", "ours", "theirs")}}
    return {**both, "type": row.type, **{key: plain_apart(getattr(row, key)) for key in ("r", "ours", "theirs", "precise")}}


def print_json(document):
    json.dump(document, sys.stdout, indent=2, allow_nan=False)
    print()


# quantised models --------------------------------------------------------------------------------

def element_type(name):
    """NumPy's type for f32, i64, bool and so on."""
    if name == "bf16":
        return helper.tensor_dtype_to_np_dtype(TensorProto.BFLOAT16)
    long = {"f": "float", "i": "int", "u": "uint"}
    return np.dtype(name if name == "bool" else long[name[0]] + name[1:])


class Ends:
    """The compiled network's inputs and outputs beside the model's, from which --io=int strips a Quantize or Dequantize."""

    def __init__(self, skipc, path, model, dims, options):
        self.floats = [o.type.tensor_type.elem_type in float64.FLOATS for o in model.graph.output]
        found = inspect(skipc, path, dims, options) if "--io=int" in options else {"inputs": [], "outputs": []}
        self.ins, self.outs = found["inputs"], found["outputs"]

    @staticmethod
    def is_bare(end, is_model_float):
        return is_model_float and not end["type"].startswith(("f", "bf"))

    def take(self, feeds):
        """What it is given for the model's inputs: quantised as R has it."""
        given = dict(feeds)
        for end, (name, x) in zip(self.ins, feeds.items()):
            if self.is_bare(end, is_float(x)):
                limits = np.iinfo(element_type(end["type"]))
                q = np.rint(np.clip(x.astype(np.float32) / np.float32(end["scale"]), limits.min - end["zero"], limits.max - end["zero"]))
                given[name] = (q + end["zero"]).astype(limits.dtype)
        return given

    def give(self, ys):
        """The model's outputs of what it gives."""
        ends = self.outs or [None] * len(ys)
        return [(y.astype(np.float32) - np.float32(end["zero"])) * np.float32(end["scale"])
                if end and self.is_bare(end, f) else y for y, end, f in zip(ys, ends, self.floats)]


def report_steps(first, rows):
    """A row each, without columns that are empty."""
    columns = {"R": "r", "real: ours": "ours", "onnxruntime": "theirs", "precise": "precise"}
    columns = {head: field for head, field in columns.items() if any(getattr(r, field) is not None for r in rows)}
    print_table([first, "type", *columns, "verdict"],
                [[r.name, "x".join([r.type, *map(str, r.shape)]),
                  *(str(getattr(r, field)) if getattr(r, field) is not None else "-" for field in columns.values()),
                  r.verdict] for r in rows])


def unoptimised(path, judge):
    """What onnxruntime gives operator by operator, quantised ones as what they stand for: its own may saturate."""
    try:
        return onnxruntime_session(path, qdq.in_floats(judge.model), optimise=False).run(None, judge.feeds)
    except Exception:  # of an opset in which floats have no such operator
        return run_session(onnxruntime_session(path, optimise=False), None, judge.feeds)


def compare_steps(arguments, judge, names, ours, traced):
    """Of a quantised model; traced: inner tensors by name, or null. Outputs, inner tensors or null, and what else is to be said."""
    theirs, notes, precise = unoptimised(arguments.model, judge), [], None
    try:
        precise = onnxruntime_session(arguments.model, precise=True).run(None, judge.feeds)
    except Exception as e:  # it does not take every model so
        notes.append("onnxruntime does not take this model with session.x64quantprecision=1: "
                     + str(e).splitlines()[0][:200])
    inner = with_makers(judge.model, judge.tensors(traced)) if traced is not None else None
    rows = judge.outputs(names, ours, theirs, precise)
    if saturates():
        notes.append(f"onnxruntime {onnxruntime.__version__} saturates on this processor, which has no VNNI: optimised as "
                     "ever it is wrong, and not compared with")
    return rows, inner, judge.why + notes


def print_steps(rows, inner, notes, unnamed):
    if inner is not None:
        report_steps("tensor, from ours that it is computed of", inner)
        first = next((r for r in inner if not r.ok), None)
        print(f"\n{len(inner)} tensors, {sum(not r.ok for r in inner)} not as R; {unnamed} have no name in the model")
        if first:
            print("first that is not:", printable(first.name))
        print()
    report_steps("output", rows)
    print("elements that differ / by how many steps at most: from R; ours and onnxruntime (not optimised) from real\n"
          "arithmetic; ours from onnxruntime with session.x64quantprecision=1 (precise)")
    for note in notes:
        print(printable(note))


def feeds_of(model, arguments):
    """Inputs by name, and all symbolic dimensions that are known then."""
    dims = dict(arguments.dim)
    if arguments.input:
        return given_inputs(model, arguments.input, dims), dims
    return random_inputs(model, dims, arguments.seed), dims


def compare(arguments, options):
    """Runs the whole comparison; the exit status."""
    model = load(arguments.model)
    feeds, dims = feeds_of(model, arguments)
    judge = Judge(model, feeds, promise_of(arguments, dims, options), arguments.float64)
    names = [o.name for o in model.graph.output]
    with tempfile.TemporaryDirectory(prefix="skipc-diff-") as temporary:
        work = arguments.keep or temporary
        os.makedirs(work, exist_ok=True)
        trace = os.path.join(work, "trace") if arguments.all_tensors else None
        if trace:
            os.makedirs(trace, exist_ok=True)
            options = [*options, "--trace"]
        compile_model(arguments.skipc, arguments.model, work, dims, options)
        program = build_program(work, arguments.cc, arguments.cflags)
        ends = Ends(arguments.skipc, arguments.model, model, dims, options)
        ours = run_program(program, ends.take(feeds), len(names), work, arguments.run, trace)
        ours = ends.give(ours)
        traced = traced_tensors(work, trace) if trace else None
        quantised = steps.is_quantised(model)
        if quantised:
            rows, inner, notes = compare_steps(arguments, steps.Judge(model, feeds), names, ours, traced)
        else:
            rows, inner, notes = compare_floats(arguments, judge, names, ours, traced)
    unnamed = len(traced) - len(inner) if trace else 0
    if arguments.json:
        print_json({**heading("diff", arguments, dims, options), "onnxruntime": onnxruntime.__version__, "quantised": quantised,
                    "promise": None if quantised else dict(zip(("factor", "floor"), judge.promise)),
                    "outputs": [plain(r) for r in rows], "tensors": [plain(r) for r in inner] if trace else None,
                    "unnamed_tensors": unnamed, "notes": notes})
    elif quantised:
        print_steps(rows, inner, notes, unnamed)
    else:
        print_floats(rows, inner, notes, unnamed)
    return 0 if all(r.ok for r in rows + (inner or [])) else 1


def compare_floats(arguments, judge, names, ours, traced):
    """Outputs, inner tensors or null, and what else is to be said."""
    theirs = run_session(onnxruntime_session(arguments.model), None, judge.feeds)
    inner = tensor_rows(arguments.model, traced, judge.feeds, judge) if traced is not None else None
    rows, notes = [judge.judge(*row) for row in zip(names, ours, theirs)], []
    if judge.why_not:
        notes.append(f"no float64 evaluation: {judge.why_not}")
    if any(not r.ok or r.relative > WRONG for r in rows):
        notes += [f"onnxruntime {onnxruntime.__version__} may be wrong itself: {why}"
                  for why in known_faults(judge.model, onnxruntime.__version__)]
    return rows, inner, notes


def print_floats(rows, inner, notes, unnamed):
    if inner is not None:
        report("tensor", inner, any(r.ours is not None for r in inner))
        first = next((r for r in inner if not r.ok), None)
        print(f"\n{len(inner)} tensors, {sum(not r.ok for r in inner)} beyond the promise"
              + (f"; {unnamed} have no name in onnxruntime's graph" if unnamed else ""))
        if first:
            print("first beyond:", printable(first.name))
        print()
    report("output", rows, any(r.ours is not None for r in rows))
    for note in notes:
        print(printable(note))


def dimension(text):
    name, equals, n = text.rpartition("=")
    if not equals or not n.isdigit() or not int(n):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=N")
    return name, int(n)


def build_line(prog, epilog):
    """The options that all commands have which build what skipc makes."""
    p = argparse.ArgumentParser(prog=prog, epilog=epilog)
    p.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"),
                   help="the compiler (default: the one built here)")
    p.add_argument("--target", default="x86-64", help="of skipc compile (default x86-64)")
    p.add_argument("--exact", action="store_true", help="of skipc compile")
    p.add_argument("--gemm", metavar="FORM", help="of skipc compile")
    p.add_argument("--cc", default="cc", help="C compiler (default cc)")
    p.add_argument("--cflags", default="-O2", help="its flags (default -O2)")
    p.add_argument("--keep", metavar="DIR", help="leave everything that is made there")
    return p


def command_line(prog, epilog):
    """And those of commands that run a model."""
    p = build_line(prog, epilog)
    p.add_argument("model", metavar="MODEL.onnx")
    p.add_argument("--input", action="append", default=[], metavar="FILE",
                   help=".npy or .pb, one for each input, in order (default: random)")
    p.add_argument("--seed", type=int, default=0, help="of random inputs (default 0)")
    p.add_argument("--json", action="store_true", help="everything as JSON instead")
    p.add_argument("--io", choices=["graph", "int"], help="of skipc compile")
    p.add_argument("--dim", action="append", type=dimension, default=[], metavar="NAME=N",
                   help="value of a symbolic dimension (default 1)")
    return p


def run_command(p, argv, work):
    """work(arguments, options of skipc compile, what stands behind -- among them); the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    split = argv.index("--") if "--" in argv else len(argv)
    arguments = p.parse_args(argv[:split])
    options = [f"--target={arguments.target}"] + ["--exact"] * arguments.exact
    options += [f"--gemm={arguments.gemm}"] if arguments.gemm else []
    options += [f"--io={arguments.io}"] if getattr(arguments, "io", None) else []
    try:
        return work(arguments, [*options, *argv[split + 1:]])
    except Stop as stop:
        print(f"{p.prog}: {stop}", file=sys.stderr)
        return stop.status


def main(argv=None):
    p = command_line("skipc diff", "After -- further options of skipc compile. Exit status: 0 "
                     "within the promise, 1 beyond it or model refused, 2 wrong usage, 3 generated "
                     "code fails, 4 nothing to compare with.")
    p.add_argument("--all-tensors", action="store_true", help="compare inner tensors too")
    p.add_argument("--float64", action="store_true", help="show both sides' distance from float64")
    p.add_argument("--run", default="", metavar="PREFIX", help="what runs the program, as "
                   "'qemu-aarch64 -L /usr/aarch64-linux-gnu'")
    return run_command(p, argv, compare)


if __name__ == "__main__":
    ends.run(main)
