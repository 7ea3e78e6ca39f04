"""Evaluate a quantised ONNX model as DESIGN.md defines it (R), in numpy: what skipc's code gives, tensor by tensor.

    y = evaluate(onnx.load(path), {"input": x})          # {output name: array}
    quantised.py MODEL.onnx DATA.npz                     # x0 .. of DATA, and how y0 .. differ; with --write they are replaced

A value is scale times a whole number, as long as the operators keep that; layers of two such values are sums of whole
numbers, which are exact. All else is single precision, operator by operator, but what is computed of one tensor of 8
bits alone: that is double, as tables are.
"""
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

import float64

F32 = np.float32
ELEMENTWISE = set("Add Sub Mul Div Sigmoid Tanh HardSigmoid HardSwish LeakyRelu Elu Softplus Exp Sqrt Neg Abs Erf Gelu "
                  "Max Min Clip Relu Pow Reciprocal PRelu".split())
VIEWS = set("Transpose Reshape Flatten Squeeze Unsqueeze Slice Split Expand Identity Dropout Gather".split())
KEEP_ORDER = {"Relu", "Max", "Min", "Clip"}


class Value:
    """An array; perhaps also whole numbers times a scale of the same shape; perhaps in double, and computed of `source`."""

    def __init__(self, array, whole=None, scale=None, is_sum=False, double=None, source=None, steps=False):
        self.array, self.whole, self.scale, self.is_sum = array, whole, scale, is_sum
        self.double, self.source, self.steps = double, source, steps


def of_form(whole, scale, is_sum=False, **rest):
    scale = np.broadcast_to(np.asarray(scale, F32), whole.shape)
    return Value(whole.astype(F32) * scale, whole, scale, is_sum, **rest)


class Evaluation:
    def __init__(self, model):
        self.opsets = {o.domain: o.version for o in model.opset_import}

    def run(self, node, arrays):
        """ONNX's node on arrays, by the reference evaluator."""
        inputs = [n if n else "" for n in node.input]
        graph = helper.make_graph([node], "g", [helper.make_tensor_value_info(n, onnx.TensorProto.UNDEFINED, None)
                                                for n in dict.fromkeys(inputs) if n],
                                  [helper.make_tensor_value_info(n, onnx.TensorProto.UNDEFINED, None) for n in node.output if n])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opsets.get("", 17))])
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
        if x.array.dtype.itemsize == 1 and np.size(s) == 1 and np.size(z) == 1 and not getattr(x, "constant", False):
            value.double, value.source = whole.astype(np.float64) * np.float64(s), id(x)
        return value

    def quantize(self, x, scale, zero, axis=1):
        z = zero.array if zero is not None else np.zeros((), np.uint8)
        s, limits = float64.along(scale.array.astype(F32), x.array, axis), np.iinfo(z.dtype)
        z = float64.along(z, x.array, axis).astype(np.int64)
        if x.is_sum:
            v = x.whole.astype(F32) * (x.scale / s).astype(F32)
        elif x.steps and x.double is not None and np.size(s) == 1 and np.size(z) == 1:
            v = x.double / np.float64(s)
        else:
            v = x.array.astype(F32) / s
        v = np.rint(np.clip(v, limits.min - z, limits.max - z)) + z
        return Value(v.astype(limits.dtype))

    def sums(self, node, x, w, b, axis):
        """A layer of two values of the form; axis: of w's outputs."""
        ws = w.scale if w.scale.ndim < 2 else w.scale.max(axis=tuple(k for k in range(w.scale.ndim) if k != axis % w.scale.ndim))
        acc = np.rint(self.run(node, [x.whole.astype(np.float64), w.whole.astype(np.float64)])[0]).astype(np.int64)
        scale = F32(x.scale.flat[0]) * ws.astype(F32)
        if np.ptp(ws) == 0:
            scale = scale.flat[0]
        shape = [-1] + [1] * (acc.ndim - 2) if node.op_type == "Conv" else [-1]
        value = of_form(acc, scale.reshape(shape) if np.size(scale) > 1 else scale, True)
        return self.plus(value, b, shape) if b is not None else value

    def plus(self, value, b, shape):
        """A sum and its bias, which is whole if its scale is the sum's."""
        if b.whole is not None and not b.is_sum:
            whole = b.whole.reshape(shape) if b.whole.size > 1 else b.whole
            scale = b.scale.reshape(shape) if b.scale.size > 1 else b.scale
            if np.all(np.abs(scale - value.scale) <= 1e-5 * np.abs(value.scale)):
                return of_form(value.whole + whole, value.scale, True)
        bias = b.array.reshape(shape) if b.array.size > 1 else b.array
        return Value(value.array + bias.astype(F32))

    # ---- operators ----

    def node(self, node, v):
        kind, at = node.op_type, {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.domain == "com.microsoft" or kind.startswith("QLinear") or kind.endswith("Integer") or kind.startswith("Dynamic"):
            return self.other(kind, v, at)
        if kind == "DequantizeLinear":
            return [self.dequantize(v[0], v[1], v[2] if len(v) > 2 else None, at.get("axis", 1))]
        if kind == "QuantizeLinear":
            return [self.quantize(v[0], v[1], v[2] if len(v) > 2 else None, at.get("axis", 1))]
        if kind in ("Conv", "MatMul") and v[0].whole is not None and v[1].whole is not None:
            two = helper.make_node(kind, ["x", "w"], ["y"], **at)
            return [self.sums(two, v[0], v[1], v[2] if len(v) > 2 else None, 0 if kind == "Conv" else -1)]
        if kind == "Gemm" and v[0].whole is not None and v[1].whole is not None:
            w = self.op("Transpose", v[1], perm=[1, 0]) if at.get("transB") else v[1]
            return [self.sums(helper.make_node("MatMul", ["x", "w"], ["y"]), v[0], w, v[2] if len(v) > 2 else None, -1)]
        if kind == "Add" and v[0].is_sum and v[1].whole is not None and v[1].whole.ndim < 2:
            return [self.plus(v[0], v[1], [-1])]
        if kind in ("GlobalAveragePool", "AveragePool", "ReduceMean") and v[0].whole is not None:
            return [self.mean(node, v)]
        return self.kept(node, kind, v)

    def mean(self, node, v):
        ones = self.run(node, [np.ones(v[0].whole.shape)] + [x.array for x in v[1:]])[0]
        mean = self.run(node, [v[0].whole.astype(np.float64)] + [x.array for x in v[1:]])[0]
        count = v[0].whole.size / ones.size
        if node.op_type == "AveragePool":
            at = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            assert not any(at.get("pads", [0])) and not at.get("ceil_mode"), "windows that leave the image"
            count = np.prod(at["kernel_shape"])
        return of_form(np.rint(mean * count).astype(np.int64), v[0].scale.flat[0] / F32(count), True)

    def kept(self, node, kind, v):
        """Views and maxima of the form, and all that is done in floats."""
        arrays = [x.array if x is not None else None for x in v]
        if kind == "BatchNormalization":
            return [self.normalised(node, v)]
        outs = [Value(a.astype(F32) if a.dtype == np.float64 and all(x is None or x.array.dtype != np.float64 for x in v) else a)
                for a in self.run(node, arrays)]
        x = v[0] if v else None
        if x is not None and x.whole is not None and (kind in VIEWS | {"Relu", "MaxPool", "Pad"}):
            wholes = self.run(node, [x.whole] + arrays[1:]) if kind != "Relu" else [np.maximum(x.whole, 0)]
            scales = self.run(node, [x.scale.astype(F32)] + arrays[1:]) if kind in VIEWS else [np.full(w.shape, x.scale.flat[0]) for w in wholes]
            if kind == "Relu":
                scales = [x.scale]
            outs = [of_form(w, s, x.is_sum) for w, s in zip(wholes, scales)]
            if x.double is not None:
                for out in outs:
                    out.double, out.source = out.whole * np.float64(x.scale.flat[0]), (x.source, kind, node.output[0])
        if kind == "Relu" and x.double is not None and outs[0].whole is not None:
            outs[0].source = x.source
        if kind in ELEMENTWISE and outs[0].whole is None:
            sources = {i.source for i in v if i is not None and i.double is not None}
            others = [i for i in v if i is not None and i.double is None]
            if len(sources) == 1 and all(i.array.size == 1 and getattr(i, "constant", False) for i in others):
                outs[0].double = self.run(node, [None if i is None else i.double if i.double is not None else
                                                 i.array.astype(np.float64) for i in v])[0]
                outs[0].source = sources.pop()
                outs[0].steps = kind not in KEEP_ORDER or any(i is not None and i.steps for i in v)
        return outs

    def normalised(self, node, v):
        """Batch normalisation: one product and one sum, whose constants are computed in double."""
        epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
        scale, bias, mean, var = (x.array.astype(np.float64) for x in v[1:5])
        factor = scale / np.sqrt(var + epsilon)
        shape = [1, -1] + [1] * (v[0].array.ndim - 2)
        return Value(v[0].array * factor.astype(F32).reshape(shape) + (bias - mean * factor).astype(F32).reshape(shape))

    def other(self, kind, v, at):
        """Quantised operators, as what they stand for."""
        get = lambda k: v[k] if k < len(v) else None
        dq = lambda k, axis=1: self.dequantize(v[k], v[k + 1], get(k + 2), axis)
        one, nothing = Value(np.ones((), F32)), Value(np.zeros((), F32))
        if kind == "QLinearConv":
            bias = self.dequantize(v[8], Value(v[1].array * v[4].array), None, 0) if get(8) else None
            return [self.quantize(self.op("Conv", dq(0), dq(3, 0), *([bias] if bias else []), **at), v[6], v[7])]
        if kind == "QLinearMatMul":
            return [self.quantize(self.op("MatMul", dq(0, -2), dq(3, -1)), v[6], v[7])]
        if kind == "QGemm":
            w = dq(3, 0 if at.get("transB") else 1)
            y = self.op("MatMul", dq(0), self.op("Transpose", w, perm=[1, 0]) if at.get("transB") else w)
            if get(6):
                y = self.plus(y, self.dequantize(v[6], Value(v[1].array * v[4].array), None, 0), [-1])
            return [self.quantize(y, v[7], get(8)) if get(7) else y]
        if kind in ("QLinearAdd", "QLinearMul"):
            return [self.quantize(self.op(kind[7:], dq(0), dq(3)), v[6], get(7))]
        if kind in ("QLinearSigmoid", "QLinearLeakyRelu", "QLinearAveragePool", "QLinearGlobalAveragePool"):
            at = {k: a for k, a in at.items() if k != "channels_last"}
            return [self.quantize(self.op(kind[7:], dq(0), **at), v[3], get(4))]
        if kind == "QLinearConcat":
            parts = [dq(k) for k in range(2, len(v), 3)]
            return [self.quantize(self.op("Concat", *parts, axis=at["axis"]), v[0], v[1])]
        if kind in ("ConvInteger", "MatMulInteger"):
            conv = kind[0] == "C"
            x = self.dequantize(v[0], one, get(2), 1 if conv else -2)
            w = self.dequantize(v[1], one, get(3), 0 if conv else -1)
            return [Value(self.op("Conv" if conv else "MatMul", x, w, **at).whole.astype(np.int32))]
        if kind == "DynamicQuantizeLinear":
            low, high = min(v[0].array.min(), F32(0)), max(v[0].array.max(), F32(0))
            scale = Value(np.asarray((high - low) / F32(255), F32))
            zero = self.quantize(Value(np.asarray(-low)), scale, None)
            return [self.quantize(v[0], scale, zero), scale, zero]
        raise NotImplementedError(kind)


def evaluate(model, feeds):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    float64.sort_nodes(copy.graph)
    e, values = Evaluation(copy), {"": None}
    for t in copy.graph.initializer:
        values[t.name] = Value(numpy_helper.to_array(t))
        values[t.name].constant = True
    values.update({name: Value(x) for name, x in feeds.items()})
    for node in copy.graph.node:
        made = e.node(node, [values[n] for n in node.input])
        for name, value in zip(node.output, made):
            value.constant = all(getattr(values[n], "constant", False) for n in node.input if n)
            values[name] = value
    return {o.name: values[o.name].array for o in copy.graph.output}


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
