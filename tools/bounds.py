"""How far what a target makes of floats may lie from what quantised.py evaluates, where R leaves bits open: bounds by operator.

    e = errors(run, node, inputs, outputs, exact, winograd)    # an array for each output; inf: no bound is known
    tally = judge(ours, value)                                 # how the elements of ours stand to a Value, and how many are beyond

Running error analysis: each input brings the bound that it has, times what the operator makes of it; and the operator's own rounding
is added. A sum of n terms of whatever order is within n half units of the last place of the sum of their magnitudes; functions are as
close as tests/math_ulp.h promises; Winograd's convolutions are held to 1e-5 of the largest element, which is DESIGN.md's promise.
"""
import math
from dataclasses import astuple, dataclass

import numpy as np
from onnx import helper

U = 2.0**-24  # half a unit of the last place, relative
TINY = 2.0**-125  # what a function may take for zero
WINOGRAD = 1e-5  # of the largest element
WIDE = 1e-4


class At:
    """A node with its values in double, their bounds, and what it gave."""

    def __init__(self, run, node, inputs, output, exact, winograd):
        self.again, self.node, self.exact, self.winograd = run, node, exact, winograd
        self.at = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        self.x = [None if v is None else doubles(v.array) for v in inputs]
        self.e = [None if v is None else np.broadcast_to(np.asarray(v.error, np.float64), v.array.shape) for v in inputs]
        self.y = doubles(output.array)

    def run(self, *arrays, **changed):
        """The first result of the node on other arrays; perhaps with other attributes, or another operator: op_type=."""
        node = type(self.node).FromString(self.node.SerializeToString())
        node.op_type = changed.pop("op_type", node.op_type)
        for name in changed:
            node.attribute.extend([helper.make_attribute(name, changed[name])])
        return self.again(node, list(arrays))[0]

    def rest_is_exact(self, first=1):
        return not any(np.any(e) for e in self.e[first:] if e is not None)

    def axis(self, absent):
        return self.at.get("axis", absent) % self.y.ndim


def doubles(array):
    return array.astype(np.float64) if array.dtype.kind not in "iub" else array


def rounded(y, e, units=1.0):
    """And so many roundings of a result that is itself e away."""
    return e + units * U * (np.abs(y) + e)


# operators ---------------------------------------------------------------------------------------

def moved(k):
    """Elements at other places, or the greatest of some: bounds go with them."""
    return k.run(k.e[0], *k.x[1:]) if k.rest_is_exact() else np.inf


def parts(k):
    """Split."""
    return k.again(k.node, [k.e[0], *k.x[1:]]) if k.rest_is_exact() else np.inf


def joined(k):
    return k.run(*k.e)


def converted(k):
    """Cast: sums are whole anyway, else what is cut off may be one more."""
    return rounded(k.y, k.e[0]) if k.y.dtype.kind == "f" else k.e[0] if k.exact else np.ceil(k.e[0]) + (k.e[0] > 0)


def padded(k):
    value = [k.e[2]] if len(k.x) > 2 and k.x[2] is not None else k.x[2:3]
    return k.run(k.e[0], *k.x[1:2], *value, *k.x[3:])


def padded_by_attributes(k):
    return k.run(k.e[0], *k.x[1:], value=0.0) if "value" in k.at else padded(k)


def greatest(k):
    """Extremes of an axis or of all."""
    return k.run(k.e[0], *k.x[1:], op_type=k.node.op_type.replace("Min", "Max"))


def most(k):
    """Max, Min and Clip: no further away than the farthest of their operands."""
    e = k.e[0]
    for other in k.e[1:]:
        e = e if other is None else np.maximum(e, other)
    return np.broadcast_to(e, k.y.shape)


def selected(k):
    e, apart = np.maximum(k.e[1], k.e[2]), np.abs(k.x[1] - k.x[2])
    return np.where(k.e[0] > 0, e + apart, np.where(k.x[0], k.e[1], k.e[2]))


def compared(k):
    return (np.abs(k.x[0].astype(np.float64) - k.x[1]) <= k.e[0] + k.e[1]) & (k.e[0] + k.e[1] > 0)


def one_of_two(k):
    return most(k) > 0


def ordered(k):
    e = k.e[0].max(axis=k.axis(-1), keepdims=True)
    return [np.broadcast_to(e, k.y.shape), np.inf if np.any(e) else 0.0]


def added(k):
    return rounded(k.y, sum(k.e), 1)


def divided(k):
    a, b = np.abs(k.x[1]), k.e[1]
    with np.errstate(all="ignore"):
        e = np.where(a > b, (k.e[0] + np.abs(k.y) * b) / (a - b), np.inf)
    return rounded(k.y, e)


def sums(terms):
    """What is linear in each input, of so many terms: of magnitudes it gives the magnitude of a result, and of their bounds added
    to them the greatest one."""
    def bound(k):
        if any(np.any(v < 0) for v in (k.at.get("alpha", 1.0), k.at.get("beta", 1.0))):
            return np.inf
        x, e = [a if a is None or a.dtype.kind in "iu" else np.abs(a) for a in k.x], k.e  # integers: axes
        whole = k.run(*(a if a is None or a.dtype.kind in "iu" else a + b for a, b in zip(x, e)))
        moves = np.maximum(whole - k.run(*x), 0) if any(b is not None and np.any(b) for b in e) else 0.0
        if k.exact:
            return rounded(k.y, moves, 3)
        own = (terms(k) + 4) * U * whole
        if k.winograd and k.node.op_type == "Conv" and x[1].shape[2:] == (3, 3) and set(k.at.get("strides", [1])) == {1}:
            own = np.maximum(own, WINOGRAD * np.abs(k.y).max(initial=0.0))
        return moves + own + TINY
    return bound


def product(k):
    return rounded(k.y, np.abs(k.x[0]) * k.e[1] + np.abs(k.x[1]) * k.e[0] + k.e[0] * k.e[1])


def of_axes(k):
    return k.x[0].size // max(1, k.y.size)


def running(k):
    return sums(lambda k: max(k.x[0].shape))(k) if k.rest_is_exact() else np.inf


def scattered(k):
    """Of some reductions: so many roundings as there are updates of an element."""
    how = k.at.get("reduction", b"none")
    (x, at, u), (e, f, d) = k.x, k.e
    if np.any(f) or how not in (b"none", b"add", b"mul", b"max", b"min"):
        return np.inf
    if how in (b"none", b"max", b"min"):
        return k.run(e, at, d, reduction=b"none" if how == b"none" else b"max")
    whole, same = k.run(np.abs(x) + e, at, np.abs(u) + d), k.run(np.abs(x), at, np.abs(u))
    count = k.run(np.zeros(x.shape), at, np.ones(u.shape), reduction=b"add")
    return np.maximum(whole - same, 0) + count * U * whole


def normalised(k):
    if not k.rest_is_exact():
        return np.inf
    scale, bias, mean, var = k.x[1:5]
    factor = np.abs(scale / np.sqrt(var + k.at.get("epsilon", 1e-5))).reshape([1, -1] + [1] * (k.y.ndim - 2))
    return rounded(k.y, factor * (k.e[0] + 2 * U * np.abs(k.x[0])), 2)


def softmax(k):
    if k.node.op_type == "Softmax" and "axis" not in k.at:
        return np.inf
    over = k.axis(-1)
    span, e = np.ptp(k.x[0], axis=over, keepdims=True), k.e[0].max(axis=over, keepdims=True)
    return k.y * np.expm1(2 * e + U * (2 * span + k.y.shape[over] + 12)) + TINY


def function(slope, own):
    """slope(x, e): the steepest within e of x. own(k): its rounding."""
    def bound(k):
        with np.errstate(all="ignore"):
            return slope(k) * k.e[0] * (1 + 4 * U) + own(k)
    return bound


def flat(slope):
    return lambda k: slope


def last(units):
    """So many units of the last place."""
    return lambda k: 2 * units * U * np.abs(k.y) + TINY


def alpha(absent):
    return lambda k: max(1.0, abs(k.at.get("alpha", absent)))


def square_root(k):
    with np.errstate(all="ignore"):
        e = np.minimum(np.sqrt(k.e[0]), np.where(k.x[0] > k.e[0], k.e[0] / np.sqrt(k.x[0] - k.e[0]), np.inf))
    return rounded(k.y, np.where(k.e[0] > 0, e, 0.0))


def line(k):
    """HardSigmoid."""
    a, b = k.at.get("alpha", 0.2), k.at.get("beta", 0.5)
    return np.abs(a) * k.e[0] + 2 * U * (np.abs(a * k.x[0]) + abs(b))


def parametric(k):
    steep = np.maximum(1.0, np.abs(k.x[1]) + k.e[1])
    return rounded(k.y, steep * k.e[0] + np.abs(k.x[0]) * k.e[1])


def between(k, places, reach):
    """Between elements: the place is rounded, too, and an element's width away are no greater differences than of any two."""
    cubic = k.at.get("mode") == b"cubic"
    weight, steep = (1.375**2, 8.25) if cubic else (1.0, 4.0)
    apart = np.abs(k.x[0]).max(initial=0.0) + k.e[0].max(initial=0.0)
    return np.full(k.y.shape, weight * k.e[0].max(initial=0.0) + apart * (steep * places * U * reach + 40 * weight * U))


def sampled(k):
    """The grid's numbers become places, of which each step is rounded."""
    if not k.rest_is_exact() or k.at.get("mode") == b"nearest":
        return np.inf
    grid, size = np.abs(k.x[1]).max(initial=0.0), max(k.x[0].shape[2:])
    return between(k, 4, (grid + 1) * size / 2 + size)


def resized(k):
    if not k.rest_is_exact() or k.at.get("antialias") or k.x[2] is None or not k.x[2].size:
        return np.inf
    if k.at.get("mode", b"nearest") != b"nearest":
        return between(k, 4, max(k.x[0].shape) + 1)
    if k.at.get("coordinate_transformation_mode") != b"asymmetric" or k.at.get("nearest_mode") != b"floor":
        return np.inf
    e = k.run(k.e[0], *k.x[1:])
    for axis, scale in enumerate(k.x[2].astype(np.float32)):
        places = np.arange(k.y.shape[axis], dtype=np.float32)
        other = np.floor(places / scale) != np.floor(places.astype(np.float64) / np.float64(scale))  # a place that is whole but for rounding
        e = np.where(other.reshape([-1 if d == axis else 1 for d in range(e.ndim)]), np.inf, e)
    return e


def kernel(k):
    return math.prod(k.x[1].shape[1:])


MOVED = ("Transpose Reshape Flatten Squeeze Unsqueeze Slice Split Expand Gather GatherElements GatherND Trilu DepthToSpace SpaceToDepth "
         "MaxPool GlobalMaxPool Tile")
BOUNDS = {
    **dict.fromkeys(MOVED.split(), moved), "Concat": joined, "Pad": padded_by_attributes, "ReduceMax": greatest, "ReduceMin": greatest,
    **dict.fromkeys("Max Min Clip Neg Abs Relu Identity".split(), most), "Where": selected, "TopK": ordered,
    **dict.fromkeys("Less LessOrEqual Greater GreaterOrEqual Equal".split(), compared),
    **dict.fromkeys("Not And Or Xor".split(), one_of_two),
    "Add": added, "Sub": added, "Mul": product, "Div": divided, "PRelu": parametric,
    "Conv": sums(kernel), "ConvTranspose": sums(lambda k: k.x[1].shape[0] * math.prod(k.x[1].shape[2:])),
    "MatMul": sums(lambda k: k.x[0].shape[-1]), "Gemm": sums(lambda k: max(k.x[0].shape)),
    "AveragePool": sums(lambda k: math.prod(k.at["kernel_shape"])), "CumSum": running,
    **dict.fromkeys("GlobalAveragePool ReduceMean ReduceSum".split(), sums(of_axes)),
    "ScatterElements": scattered, "ScatterND": scattered, "BatchNormalization": normalised, "Softmax": softmax,
    "Resize": resized, "GridSample": sampled, "Cast": converted, "Split": parts,
    "Sigmoid": function(flat(0.25), last(3)), "Tanh": function(flat(1.0), last(2)), "Erf": function(flat(1.1284), last(2)),
    "Exp": function(lambda k: np.exp(k.x[0] + k.e[0]), last(1)), "Softplus": function(flat(1.0), last(2)),
    "Atan": function(flat(1.0), last(4)), "Asinh": function(flat(1.0), last(4)), "Sin": function(flat(1.0), last(2)),
    "Cos": function(flat(1.0), last(2)), "Cosh": function(lambda k: np.sinh(np.abs(k.x[0]) + k.e[0]), last(4)),
    "Sinh": function(lambda k: np.cosh(np.abs(k.x[0]) + k.e[0]), last(4)), "Softsign": function(flat(1.0), last(2)),
    "LeakyRelu": function(alpha(0.01), last(1)), "Elu": function(alpha(1.0), lambda k: 6 * U * alpha(1.0)(k)),
    "HardSwish": function(flat(1.5), lambda k: 6 * U * np.abs(k.x[0])), "HardSigmoid": line, "Sqrt": square_root,
    "Gelu": function(flat(1.13), lambda k: 12 * U * np.abs(k.x[0])),
}

SAME = {moved, parts, joined, padded_by_attributes, greatest, most, selected, compared, one_of_two, ordered}  # nothing is rounded


def errors(run, node, inputs, outputs, exact, winograd=False):
    """exact: the node itself is as R says it, and only its inputs are open. run(node, arrays): its results."""
    known = not any(v is not None and np.any(np.isinf(v.error)) for v in inputs)
    bound = BOUNDS.get(node.op_type)
    if not known or bound is None or not outputs[0].array.size:
        return [np.inf if out.array.size else 0.0 for out in outputs]
    k = At(run, node, inputs, outputs[0], exact, winograd)
    with np.errstate(all="ignore"):
        e = bound(k)
        if bound not in SAME:
            e = e + U * np.abs(k.y)  # of the evaluator's result, which is a float
    e = e if isinstance(e, list) else [e] + [np.inf] * (len(outputs) - 1)
    return [np.nan_to_num(np.asarray(b, np.float64), nan=np.inf, posinf=np.inf) for b in e]


# judging -----------------------------------------------------------------------------------------

@dataclass
class Tally:
    """How many elements were held to what, and how many of all these are beyond."""

    bits: int = 0
    floats: int = 0  # to a bound of at most WIDE of the tensor's largest
    loose: int = 0  # to a wider one
    steps: int = 0  # integers, to two or more of which a bound leaves each
    none: int = 0
    beyond: int = 0

    def __add__(self, other):
        return Tally(*(a + b for a, b in zip(astuple(self), astuple(other))))

    def __str__(self):
        return (f"{self.bits:,} elements held to the bit, {self.floats:,} floats to a bound within {WIDE:g} of the tensor's largest, "
                f"{self.loose:,} to a wider one, {self.steps:,} integers to two steps or more, {self.none:,} to nothing")


def judge(y, value):
    want, e = value.array, np.broadcast_to(np.asarray(value.error, np.float64), value.array.shape)
    if y.dtype.kind in "iu" and want.dtype.kind == "f" and value.whole is not None:
        want, e = value.whole + value.zero, e / np.abs(value.scale)  # a sum before its scale, or a value of --io=int
    if y.shape != want.shape:
        return Tally(beyond=max(1, y.size))
    a, b = y.astype(np.float64), want.astype(np.float64)
    with np.errstate(invalid="ignore"):
        low, high = (b - e, b + e) if value.low is None else (value.low, value.high)
        bits, none = low == high, np.isinf(e)
        far = ~((a == b) | (np.isnan(a) & np.isnan(b)) | ((low <= a) & (a <= high)) | none)
    bits = bits | ((e == 0) if value.low is None else False)
    rest, is_float = ~bits & ~none, y.dtype.kind == "f"
    wide = rest & (e > WIDE * np.abs(b[np.isfinite(b)]).max(initial=0.0) + 2 * TINY) if is_float else np.zeros_like(rest)
    counts = (bits & ~none, rest & ~wide & is_float, wide, rest & (not is_float), none, far)
    return Tally(*(int(c.sum()) for c in counts))
