"""How far apart the results of a quantised network are, in steps of their type (LSB): what `skipc diff` says of it.

    rows = Judge(model, feeds).outputs(names, ours, plain, precise)    # of the outputs, end to end
    rows = Judge(model, feeds).tensors(ours)                           # of inner tensors, each from ours that it is computed of

Three yardsticks: R, which DESIGN.md defines and tools/quantised.py evaluates, whose bits ours have wherever R says them; real
arithmetic (tools/float64.py), from which ours is at most one step more away than onnxruntime without optimisations; and what
onnxruntime makes of it with session.x64quantprecision=1, which is reported. Where a result is not quantised, a step is a 255th
of its range and zero.
"""
import sys
from dataclasses import dataclass

import numpy as np
from onnx import numpy_helper

import bounds
import float64
import quantised

MOST = 1.0  # steps that ours may be further from real arithmetic
SLACK = 1e-3  # of a step: what is not quantised is rounded, too
FLOATS = 1e-5  # the same, relative, of an inner tensor that is not quantised


def quantises(node):
    return node.op_type.startswith("QLinear") or node.op_type.endswith(("Integer", "IntegerToFloat")) or \
        node.op_type in ("QuantizeLinear", "DynamicQuantizeLinear", "QGemm")


def is_quantised(model):
    """Is anything quantised that is not known before the run?"""
    graph = quantised.prepared(model).graph
    known = {t.name for t in graph.initializer} | {""}
    for node in graph.node:
        if known.issuperset(node.input):
            known.update(node.output)
        elif quantises(node):
            return True
    return False


@dataclass
class Apart:
    """How many elements differ, of how many, and by how many steps at most."""

    count: int
    size: int
    most: float

    def __str__(self):
        return f"{self.count} / {self.most:.3g}" if self.count else "0"


def apart(a, b, step, slack=SLACK):
    if a.shape != b.shape:
        return Apart(max(a.size, b.size), a.size, np.inf)
    x, y = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        d = np.nan_to_num(np.abs(x - y) / step, nan=np.inf)
    d = np.where((x == y) | (np.isnan(x) & np.isnan(y)), 0.0, d)
    return Apart(int((d > slack).sum()), a.size, float(d.max(initial=0.0)))


def is_step_type(array):
    return array.dtype.kind in "iu" and array.dtype.itemsize <= 2


def step_of(array, value):
    """Of a result of whatever type; value: R's, or null."""
    if is_step_type(array):
        return 1.0
    if value is not None and value.whole is not None and not value.is_sum and value.scale.shape == array.shape:
        return value.scale.astype(np.float64)
    if array.dtype.kind not in "fiu" or not array.size:
        return 1.0
    wide = array.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    return (finite.max(initial=0.0) - finite.min(initial=0.0)) / 255 or 1.0


def of_outputs(model):
    """What a step of each output is, without an evaluation: the scale of the Dequantize that gives it; null: known by its type, or range."""
    makers = {o: n for n in model.graph.node for o in n.output}
    constants = {t.name: t for t in model.graph.initializer}
    found = []
    for o in model.graph.output:
        node = makers.get(o.name)
        scale = constants.get(node.input[1]) if node is not None and node.op_type == "DequantizeLinear" else None
        scale = numpy_helper.to_array(scale).astype(np.float64) if scale is not None else np.zeros(0)
        found.append(float(scale.reshape(())) if scale.size == 1 else None)
    return found


def farthest(ours, theirs, outputs):
    """Of all outputs: how many elements differ, and the most steps."""
    found = [apart(a, np.asarray(b), step or step_of(a, None)) for a, b, step in zip(ours, theirs, outputs)]
    return Apart(sum(f.count for f in found), sum(f.size for f in found), max(f.most for f in found))


@dataclass
class Row:
    name: str
    shape: tuple
    type: str = ""
    r: Apart = None
    ours: Apart = None
    theirs: Apart = None
    precise: Apart = None
    ok: bool = False
    note: str = ""

    @property
    def verdict(self):
        return ("ok" if self.ok else "BEYOND") + (f" ({self.note})" if self.note else "")


class Judge:
    """Of one model and input. `why` says what of R or of real arithmetic is not there."""

    def __init__(self, model, feeds):
        self.model, self.feeds, self.why = model, feeds, []

    def attempt(self, what, evaluate):
        if sys.stderr.isatty():
            print(f"evaluating {what} ...", file=sys.stderr)
        try:
            return evaluate()
        except NotImplementedError as e:
            self.why.append(f"no evaluation of {what}: {e}")
            return {}

    def outputs(self, names, ours, theirs, precise):
        """theirs: of onnxruntime without optimisations. precise: null, or what its precise form gives."""
        r = self.attempt("R", lambda: quantised.values(self.model, self.feeds))
        real = self.attempt("real arithmetic", lambda: float64.evaluate(self.model, self.feeds))
        return [self.output(Row(n, y.shape, str(y.dtype)), y, their, precise[k] if precise else None, r.get(n), real.get(n))
                for k, (n, y, their) in enumerate(zip(names, ours, theirs))]

    def output(self, row, y, theirs, precise, r, real):
        if y.shape != theirs.shape or y.dtype != theirs.dtype:
            row.note = f"onnxruntime has {theirs.dtype}{list(theirs.shape)}, not {y.dtype}"
            return row
        step = step_of(theirs if real is None else real.astype(np.float64) if not is_step_type(y) else y, r)
        row.precise = apart(y, precise, step) if precise is not None else None
        row.ok = True
        if r is not None:
            row.r = apart(y, r.array, step, 0.0)
            row.ok = not r.defined or not row.r.count
            row.note = "" if row.ok else "not as R"
        if real is not None and real.shape == y.shape:
            row.ours, row.theirs = apart(y, real, step), apart(theirs, real, step)
            row.ok = row.ok and row.ours.most <= row.theirs.most + MOST + SLACK
        elif r is None or not r.defined:
            row.theirs = apart(y, theirs, step)
            row.ok, row.note = row.theirs.most <= MOST + SLACK, "from onnxruntime without optimisations"
        return row

    def tensors(self, ours):
        r = self.attempt("R", lambda: quantised.values(self.model, self.feeds, ours))
        return [self.tensor(Row(n, y.shape, str(y.dtype)), y, r[n]) for n, y in ours.items() if n in r]

    @staticmethod
    def tensor(row, y, r):
        want = r.array
        if y.dtype.kind in "iu" and want.dtype.kind == "f" and r.whole is not None:
            want = r.whole + r.zero  # a sum before its scale, or a value of --io=int
        if y.shape != want.shape:
            row.note = f"R has {list(want.shape)}"
            return row
        if quantised.is_float(y):
            row.r = apart(y, want, max(float(np.abs(want).max(initial=0.0)), 1e-30), 0.0)
            row.ok = row.r.most <= (0.0 if r.defined else FLOATS)
        else:
            row.r = apart(y, want, 1.0)
            row.ok = row.r.most <= (0.0 if r.defined else MOST)
        if not r.defined and not row.ok:
            found = bounds.judge(y, r)
            row.ok = not found.beyond and not found.none
        row.note = "" if r.defined else "R leaves bits open"
        return row
