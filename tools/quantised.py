"""Evaluate a quantised ONNX model as DESIGN.md defines it (R), in numpy: what skipc's code gives, tensor by tensor.

    y = evaluate(onnx.load(path), {"input": x})          # {output name: array}
    v = values(model, feeds, ours)                       # every tensor's Value; each of those of ours that it is computed from
    quantised.py MODEL.onnx DATA.npz                     # x0 .. of DATA, and how y0 .. differ; with --write they are replaced

A value is scale times a whole number, as long as the operators keep that; layers of two such values are sums of whole
numbers, which are exact. All else is single precision, operator by operator, but what is computed of one tensor of 8
bits alone: that is double, as tables are. Quantised operators are what they stand for (qdq.py).
"""
import collections
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

import bounds
import float64
import qdq

F32 = np.float32
ELEMENTWISE = set("Add Sub Mul Div Sigmoid Tanh HardSigmoid HardSwish LeakyRelu Elu Softplus Exp Sqrt Neg Abs Erf Gelu "
                  "Max Min Clip Relu Pow Reciprocal PRelu".split())
VIEWS = set("Transpose Reshape Flatten Squeeze Unsqueeze Slice Split Expand Gather".split())
EXTREMES = {"MaxPool", "GlobalMaxPool", "ReduceMax", "ReduceMin"}
NUMPY = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "MatMul": np.matmul}
MEANS = {"AveragePool", "GlobalAveragePool", "ReduceMean", "ReduceSum"}
KEEP_ORDER = {"Relu", "Max", "Min", "Clip"}
# Of floats, with one result for all targets: IEEE's operations, each by itself. Others have what a target makes of them.
DEFINED = VIEWS | EXTREMES | KEEP_ORDER | set(
    "Add Sub Mul Div Neg Abs Sqrt LeakyRelu PRelu HardSigmoid HardSwish BatchNormalization Concat Pad Where Cast Equal Less "
    "LessOrEqual Greater GreaterOrEqual Not And Or Xor Floor Ceil Round Sign ArgMax ArgMin Constant ConstantOfShape Shape "
    "Range".split())


class Value:
    """An array; perhaps also whole numbers times a scale of the same shape; perhaps in double, and computed of `source`."""

    constant = linear = is_output = False
    defined = source_defined = True  # R says each bit
    error = 0.0  # else: how far ours may be away (bounds.py), an array or one for all
    low = high = None  # of what is quantised then: the least and the greatest
    users = 1
    parts = axis = None  # of a Concat

    def __init__(self, array, whole=None, scale=None, is_sum=False, double=None, source=None, steps=False):
        self.array, self.whole, self.scale, self.is_sum = array, whole, scale, is_sum
        self.double, self.source, self.steps = double, source, steps
        self.narrow, self.zero = False, 0  # of the form: of integers of 8 or 16 bits, less their zero point

    def uniform(self):
        return self.whole is not None and self.scale.size > 0 and np.ptp(self.scale) == 0 and np.size(self.zero) == 1

    def is_factor(self):
        """May a layer sum up such values as integers?"""
        return self.whole is not None and self.narrow and not self.is_sum

    def is_defined_quantised(self):
        """Once it is: by a table, or as what was joined."""
        if self.parts and not self.is_output:
            return all(x.defined or x.is_defined_quantised() for x in self.parts)
        return self.double is not None and self.steps and self.source_defined

    def alike(self, other):
        """Of one scale and zero point, in integers of one type."""
        return (self.uniform() and other.uniform() and self.narrow == other.narrow and self.is_sum == other.is_sum and
                self.scale.flat[0] == other.scale.flat[0] and self.zero == other.zero)


def of_form(whole, scale, is_sum=False, like=None, **rest):
    scale = np.broadcast_to(np.asarray(scale, F32), whole.shape)
    value = Value(whole.astype(F32) * scale, whole, scale, is_sum, **rest)
    if like is not None:
        value.narrow, value.zero = like.narrow, like.zero
    return value


def is_float(array):
    return array.dtype.kind == "f" or array.dtype.name in ("bfloat16", "float16")


class Evaluation:
    def __init__(self, model, winograd=False):
        self.opset, self.winograd = qdq.opset_of(model), winograd

    def run(self, node, arrays):
        """ONNX's node on arrays, by the reference evaluator; what NumPy has by itself is there much sooner."""
        if node.op_type in NUMPY and not node.attribute:
            return [NUMPY[node.op_type](*arrays)]
        inputs = [n if n else "" for n in node.input]
        graph = helper.make_graph([node], "g", [helper.make_tensor_value_info(n, onnx.TensorProto.UNDEFINED, None)
                                                for n in dict.fromkeys(inputs) if n],
                                  [helper.make_tensor_value_info(n, onnx.TensorProto.UNDEFINED, None) for n in node.output if n])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        feeds = {n: a for n, a in zip(inputs, arrays) if n}
        return float64.Evaluator(model).run(None, feeds)

    def op(self, name, *values, **attributes):
        """An operator of ONNX by name, on values: one value."""
        names = [f"i{k}" if v is not None else "" for k, v in enumerate(values)]
        return self.node(helper.make_node(name, names, ["o"], **attributes), list(values))[0]

    # ---- the form ----

    def dequantize(self, x, scale, zero, axis):
        s = float64.along(scale.array.astype(F32), x.array, axis)
        z = 0 if zero is None else float64.along(zero.array.astype(np.int64), x.array, axis)
        whole = x.array.astype(np.int64) - z
        value = of_form(whole, s)
        value.narrow, value.zero = x.array.dtype.itemsize <= 2, z
        if x.array.dtype.itemsize == 1 and np.size(s) == 1 and np.size(z) == 1 and not x.constant:
            value.double, value.source = whole.astype(np.float64) * np.float64(s), id(x)
        away, scales = self.away(x, zero, axis), float64.along(scale.error, x.array, axis)
        if np.any(away) or np.any(scales):
            value.error = bounds.rounded(value.array, away * (np.abs(s) + scales) + np.abs(whole) * scales, 2)
        return value

    @staticmethod
    def away(x, zero, axis):
        """How far whole numbers less their zero point may be away."""
        return x.error + (0.0 if zero is None else float64.along(zero.error, x.array, axis))

    def quantize(self, x, scale, zero, axis=1, dtype=None):
        z = zero.array if zero is not None else np.zeros((), dtype or np.uint8)
        if x.parts and x.users == 1 and not x.is_output and scale.array.size == 1 and z.size == 1:
            return self.of_parts([self.quantize(p, scale, zero, axis, dtype) for p in x.parts], x.axis)
        s, limits = float64.along(scale.array.astype(F32), x.array, axis), np.iinfo(z.dtype)
        z = float64.along(z, x.array, axis).astype(np.int64)
        if x.is_sum:
            v = x.whole.astype(F32) * (x.scale / s).astype(F32)
        elif x.steps and x.double is not None and scale.constant and np.size(s) == 1 and np.size(z) == 1:
            v = x.double / np.float64(s)
        else:
            with np.errstate(all="ignore"):
                v = x.array.astype(F32) / s

        def step(v, z):
            v = np.where(np.isnan(v), limits.min - z, v)
            return (np.rint(np.clip(v, limits.min - z, limits.max - z)) + z).astype(limits.dtype)

        value, e = Value(step(v, z)), 0.0 if x.is_defined_quantised() else x.error
        zeros, scales = 0 if zero is None else float64.along(zero.error, x.array, axis), float64.along(scale.error, x.array, axis)
        if np.any(e) or np.any(scales) or np.any(zeros):
            with np.errstate(all="ignore"):
                e = bounds.rounded(v, np.where(s > scales, (e + np.abs(v) * scales) / (s - scales), np.inf), 2)
            e = np.nan_to_num(e, nan=np.inf)
            least, greatest = (np.clip(z + far, limits.min, limits.max) for far in (-zeros, zeros))
            value.low, value.high = step(v - e, least.astype(np.int64)), step(v + e, greatest.astype(np.int64))
            value.error = np.where(np.isinf(e), np.inf, np.maximum(value.high.astype(np.float64) - value.array, value.array - value.low.astype(np.float64)))
        return value

    @staticmethod
    def of_parts(parts, axis):
        value = Value(np.concatenate([p.array for p in parts], axis))
        if any(p.low is not None for p in parts):
            value.error = np.concatenate([np.broadcast_to(p.error, p.array.shape) for p in parts], axis)
            value.low, value.high = (np.concatenate([p.array if getattr(p, end) is None else getattr(p, end) for p in parts], axis)
                                     for end in ("low", "high"))
        return value

    def plus(self, value, b, shape):
        """A sum and its bias, which is whole if its scale is the sum's."""
        if b.whole is not None and not b.is_sum and b.constant and not np.any(b.zero):
            whole = b.whole.reshape(shape) if b.whole.size > 1 else b.whole
            scale = b.scale.reshape(shape) if b.scale.size > 1 else b.scale
            if np.all(np.abs(scale - value.scale) <= 1e-5 * np.abs(value.scale)):
                return of_form(value.whole + whole, value.scale, True)
        bias = b.array.reshape(shape) if b.array.size > 1 else b.array
        return Value(value.array + bias.astype(F32))

    # ---- layers ----

    def sums(self, node, x, w, scale):
        acc = np.rint(self.run(node, [x.whole.astype(np.float64), w.whole.astype(np.float64)])[0]).astype(np.int64)
        return of_form(acc, scale, True)

    def conv(self, node, v, at):
        """Null: the form is none that sums are made of."""
        x, w = v[:2]
        if not (x.is_factor() and x.uniform() and w.is_factor() and w.constant):
            return None
        steps = w.scale.reshape(w.scale.shape[0], -1)
        if np.any(np.ptp(steps, axis=1)):
            return None
        shape = [-1] + [1] * (x.array.ndim - 2)
        two = helper.make_node("Conv", ["x", "w"], ["y"], **at)
        value = self.sums(two, x, w, (x.scale.flat[0] * steps[:, 0]).reshape(shape))
        return self.plus(value, v[2], shape) if len(v) > 2 and v[2] is not None else value

    def matmul(self, x, w):
        if not (x.is_factor() and w.is_factor()) or x.array.ndim < 2 or w.array.ndim < 2 or (x.constant and w.constant) or \
                np.any(np.ptp(x.scale, axis=-1)) or np.any(np.ptp(w.scale, axis=-2)):
            return None
        y = self.sums(helper.make_node("MatMul", ["x", "w"], ["y"]), x, w, x.scale[..., :1] * w.scale[..., :1, :])
        y.linear = w.constant and w.array.ndim == 2
        return y

    def gemm(self, v, at):
        x, w = (self.op("Transpose", a, perm=[1, 0]) if at.get(t) else a for a, t in zip(v, ("transA", "transB")))
        y = self.matmul(x, w)
        if y is None or len(v) < 3 or v[2] is None:
            return y
        if at.get("alpha", 1.0) != 1.0 or at.get("beta", 1.0) != 1.0:
            raise NotImplementedError("Gemm with alpha or beta")
        return self.plus(y, v[2], [-1] if v[2].array.ndim < 2 else v[2].array.shape)

    def biased(self, v):
        """A fully connected layer and what is added to it."""
        for y, b in (v, v[::-1]):
            if y.linear and y.is_sum and y.users == 1 and b.whole is not None and b.whole.ndim < 2:
                return self.plus(y, b, [-1])
        return None

    def mean(self, node, v, at):
        x = v[0]
        if not x.is_factor() or not x.uniform():
            return None
        if node.op_type == "AveragePool":
            total, count = float64.pool_sums(x.whole.astype(np.float64), **at)
        else:
            more = [a.array for a in v[1:]]
            sums = helper.make_node("ReduceSum" if node.op_type == "ReduceSum" else "ReduceMean", node.input, ["y"], **at)
            sums = node if node.op_type == "GlobalAveragePool" else sums
            total, count = self.run(sums, [x.whole.astype(np.float64)] + more)[0], 1
            if node.op_type != "ReduceSum":
                count = x.whole.size // total.size
                total = total * count
        return of_form(np.rint(total).astype(np.int64), x.scale.flat[0] / np.asarray(count, F32), True)

    # ---- operators ----

    def node(self, node, v):
        kind, at = node.op_type, {a.name: helper.get_attribute_value(a) for a in node.attribute}
        get = lambda k: v[k] if k < len(v) else None
        if qdq.is_form(node):
            return self.form(node, v)
        if kind == "DequantizeLinear":
            outs = [self.dequantize(v[0], v[1], get(2), at.get("axis", 1))]
        elif kind == "QuantizeLinear":
            dtype = helper.tensor_dtype_to_np_dtype(at["output_dtype"]) if at.get("output_dtype") else None
            outs = [self.quantize(v[0], v[1], get(2), at.get("axis", 1), dtype)]
        elif kind == "Identity" or (kind == "Cast" and is_float(v[0].array) and at["to"] in float64.FLOATS):
            return [v[0]]
        else:
            out = (self.conv(node, v, at) if kind == "Conv" else self.matmul(*v) if kind == "MatMul" else
                   self.gemm(v, at) if kind == "Gemm" else self.biased(v) if kind == "Add" else
                   self.mean(node, v, at) if kind in MEANS else self.joined(v, at["axis"]) if kind == "Concat" else
                   Value(v[0].whole.astype(np.int32)) if kind == "Cast" and v[0].is_sum and v[0].uniform() and
                   v[0].scale.flat[0] == 1 and at["to"] == onnx.TensorProto.INT32 else None)
            if out is None:
                return self.kept(node, kind, v)
            outs = [out]
        for out in outs:
            out.defined = all(x.defined or (kind == "QuantizeLinear" and x.is_defined_quantised()) for x in v if x is not None)
            out.source_defined = out.defined
        return outs if kind in ("QuantizeLinear", "DequantizeLinear") else self.bounded(node, v, outs, True)

    def bounded(self, node, v, outs, exact):
        """exact: the operator itself is as R says it."""
        if not exact or any(x is not None and np.any(x.error) for x in v):
            for out, error in zip(outs, bounds.errors(self.run, node, v, outs, exact, self.winograd)):
                out.error = error
        return outs

    def form(self, node, v):
        """A quantised operator."""
        nodes, constants = qdq.expanded(node, self.opset)
        known = {"": None, **dict(zip(node.input, v))}
        for t in constants:
            known[t.name] = Value(numpy_helper.to_array(t))
            known[t.name].constant = True
        for n in nodes:
            self.give(n, known)
        return [known[o] for o in node.output if o]

    def give(self, node, known):
        """The node's results, by name."""
        made = self.node(node, [known[n] for n in node.input])
        for name, value in zip(filter(None, node.output), made):
            value.constant = all(known[n].constant for n in node.input if n)
            known[name] = value

    def joined(self, v, axis):
        arrays = [x.array for x in v]
        if all(x.alike(v[0]) for x in v):
            return of_form(np.concatenate([x.whole for x in v], axis), v[0].scale.flat[0], v[0].is_sum, v[0])
        value = Value(np.concatenate(arrays, axis))
        value.parts, value.axis = v, axis
        return value

    def kept(self, node, kind, v):
        """Views and maxima of the form, and all that is done in floats."""
        arrays, x = [a.array if a is not None else None for a in v], v[0] if v else None
        defined = kind in DEFINED and all(a is None or a.defined for a in v)
        if kind == "BatchNormalization":
            outs = [self.normalised(node, v)]
        else:
            wide = arrays if kind in DEFINED else [a.astype(np.float64) if a is not None and is_float(a) else a for a in arrays]
            outs = [Value(a.astype(F32) if a.dtype == np.float64 and not any(b is not None and b.dtype == np.float64
                                                                             for b in arrays) else a)
                    for a in self.run(node, wide)]
        if x is not None and x.whole is not None:
            formed = self.in_form(node, kind, v, arrays)
            outs = formed + outs[len(formed):]
        if kind in ELEMENTWISE and outs[0].whole is None:
            self.in_double(node, kind, v, outs[0])
        for out in outs:
            out.defined = defined
        return self.bounded(node, v, outs, kind in DEFINED)

    def in_form(self, node, kind, v, arrays):
        """Results that keep the form; none: that does not."""
        x, at = v[0], {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if kind == "Relu" and np.all(x.scale > 0) and np.size(x.zero) == 1:
            outs = [of_form(np.maximum(x.whole, 0), x.scale, x.is_sum, x)]
        elif kind == "Transpose" and not x.uniform():
            whole, scale = (self.run(node, [np.ascontiguousarray(a)])[0] for a in (x.whole, x.scale))
            outs = [of_form(whole, scale, x.is_sum, x)]
        elif x.uniform() and (kind in VIEWS or (kind in EXTREMES and x.scale.flat[0] > 0)):
            made = self.run(node, [x.whole] + arrays[1:])
            outs = [of_form(w, x.scale.flat[0], x.is_sum, x) for w in (made if kind == "Split" else made[:1])]
        elif kind == "Pad" and x.uniform() and not (len(arrays) > 2 and np.any(arrays[2])) and not at.get("value"):
            zero = [np.zeros((), np.int64)] if len(arrays) > 2 and arrays[2] is not None else []
            outs = [of_form(self.run(node, [x.whole] + arrays[1:2] + zero + arrays[3:])[0], x.scale.flat[0], x.is_sum, x)]
        else:
            return []
        if x.double is not None:
            for out in outs:
                out.double = out.whole * np.float64(x.scale.flat[0])
                out.source = x.source if kind == "Relu" else (x.source, kind, node.output[0])
                out.source_defined = x.source_defined
        return outs

    def in_double(self, node, kind, v, out):
        """What tables are made of."""
        cone = [i for i in v if i is not None and i.double is not None]
        others = [i for i in v if i is not None and i.double is None]
        if len({i.source for i in cone}) == 1 and all(i.array.size == 1 and i.constant for i in others):
            out.double = self.run(node, [None if i is None else i.double if i.double is not None else
                                         i.array.astype(np.float64) for i in v])[0]
            out.source, out.source_defined = cone[0].source, all(i.source_defined for i in cone)
            out.steps = kind not in KEEP_ORDER or any(i.steps for i in cone)

    def normalised(self, node, v):
        """Batch normalisation: one product and one sum, whose constants are computed in double."""
        epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
        scale, bias, mean, var = (x.array.astype(np.float64) for x in v[1:5])
        factor = scale / np.sqrt(var + epsilon)
        shape = [1, -1] + [1] * (v[0].array.ndim - 2)
        return Value(v[0].array * factor.astype(F32).reshape(shape) + (bias - mean * factor).astype(F32).reshape(shape))


def prepared(model):
    """A copy whose nodes stand in order, and in no functions, and are spelled as the evaluator knows them."""
    copy = onnx.ModelProto()
    copy.CopyFrom(onnx.inliner.inline_local_functions(model) if model.functions else model)
    float64.sort_nodes(copy.graph)
    for node in copy.graph.node:
        float64.rename_modes(node)
    return copy


def replaced(value, array):
    """What is computed with: ours, where nothing more is known of the value than its elements."""
    if array is None or array.shape != value.array.shape or array.dtype != value.array.dtype or \
            (is_float(array) and (value.defined or value.whole is not None or value.double is not None)):
        return value
    new = Value(array)
    new.constant = value.constant
    return new


def values(model, feeds, ours=None, winograd=False):
    """winograd: ours may have float layers by it. Raises NotImplementedError, with the reason, where R or ONNX's evaluator does not know an operator."""
    graph = prepared(model).graph
    e, known, found = Evaluation(model, winograd), {"": None}, {}
    users = collections.Counter(i for n in graph.node for i in n.input)
    for t in graph.initializer:
        known[t.name] = Value(numpy_helper.to_array(t))
        known[t.name].constant = True
    known.update({name: Value(x) for name, x in feeds.items()})
    outputs = {o.name for o in graph.output}
    for node in graph.node:
        try:
            e.give(node, known)
        except NotImplementedError:
            raise
        except Exception as reason:  # the reference evaluator raises whatever numpy or Python does
            raise NotImplementedError(f"{node.op_type}: {(str(reason) or type(reason).__name__).splitlines()[0][:200]}") from reason
        for name in filter(None, node.output):
            found[name] = known[name]
            known[name] = replaced(known[name], (ours or {}).get(name))
            known[name].users, known[name].is_output = users[name], name in outputs
    return {**{o: known[o] for o in outputs}, **found}


def evaluate(model, feeds):
    found = values(model, feeds)
    return {o.name: found[o.name].array for o in model.graph.output}


def main():
    path, data = [a for a in sys.argv[1:] if a[0] != "-"]
    model, npz = onnx.load(path), dict(np.load(data))
    constants = {t.name for t in model.graph.initializer}
    names = [i.name for i in model.graph.input if i.name not in constants]
    got = evaluate(model, {n: npz[f"x{k}"] for k, n in enumerate(names)})
    for k, (name, y) in enumerate(got.items()):
        want = npz[f"y{k}"].astype(np.float64)
        print(f"{name}: {np.count_nonzero(y != npz[f'y{k}'])} of {y.size} differ, by {np.abs(y - want).max():g} at most")
        npz[f"y{k}"] = y
    if "--write" in sys.argv:
        np.savez(data, **npz)


if __name__ == "__main__":
    main()
