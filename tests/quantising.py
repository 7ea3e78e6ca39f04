"""A random graph of floats (graphs.py) as a quantised one: steps fit its values, which some readers get as integers.

    model = quantised(graph, model, values, seed)

Values of 8 and 16 bits, signed and not, of free and of fixed zero points; weights by tensor or by channel, biases of int32 or
floats. Nodes stay what they are between QuantizeLinear and DequantizeLinear, or become QLinear operators, sums of integers,
operators on the integers themselves, or layers whose input is quantised by what comes.
"""
import random

import numpy as np
from onnx import TensorProto, helper, numpy_helper

MS = "com.microsoft"
LAYERS = {"Conv": 0, "ConvTranspose": 1, "MatMul": -1}  # the axis of the weights' outputs
FORMS = set("Conv MatMul Add Mul Sigmoid LeakyRelu AveragePool GlobalAveragePool Concat Where Softmax".split())
ON_INTEGERS = set("Transpose Reshape Slice MaxPool Flatten Gather".split())  # one value, which keeps its steps


def ends(dtype):
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


class Quantiser:
    def __init__(self, graph, values, seed):
        self.random, self.numbers = random.Random(seed), np.random.default_rng(seed)
        self.graph, self.values = graph, values
        self.arrays = {c.name: numpy_helper.to_array(c) for c in graph.constants}
        self.nodes, self.constants, self.known, self.shared, self.count = [], [], {}, {}, 0
        self.type = np.dtype(self.random.choice(("u1", "u1", "i1", "u2", "i2")))
        self.share, self.forms = self.random.choice((0.4, 0.8, 1.0)), self.random.choice((0, 0.3, 1.0))
        self.domain = MS if self.type.itemsize == 2 or self.random.random() < 0.1 else ""  # ONNX's have 16 bits since opset 21

    def chance(self, p):
        return self.random.random() < p

    def name(self):
        self.count += 1
        return f"q{self.count}"

    def constant(self, value, dtype=None):
        name = self.name()
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        self.arrays[name] = np.asarray(value, dtype)
        return name

    def node(self, kind, *inputs, outputs=1, into="", domain="", **attributes):
        names = [into or self.name()] + [self.name() for _ in range(outputs - 1)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"{kind} {names[0]}", domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    # ---- values: (integers, scale, zero point) ----

    def steps(self, array, dtype):
        """Names of a scale and a zero point that most of the array fits."""
        (least, most), low, high = ends(dtype), min(float(array.min()), 0.0), max(float(array.max()), 0.0)
        if self.chance(0.3):
            high = max(-low, high)
            low = -high
        scale = np.float32(max((high - low) / (most - least) * self.random.uniform(0.8, 1.3), 1e-6))
        return self.constant(scale), self.constant(np.clip(np.rint(least - low / scale), least, most).astype(dtype))

    def quantised(self, name):
        """The value in steps; None where it stays floats."""
        if name not in self.known:
            self.known[name] = None
            if self.chance(self.share):
                scale, zero = self.steps(self.values[name], self.type)
                self.known[name] = self.node("QuantizeLinear", name, scale, zero, domain=self.domain), scale, zero
        return self.known[name]

    def floats(self, q):
        return self.node("DequantizeLinear", *q, domain=self.domain)

    def read(self, name):
        """What a node reads in place of the value."""
        if name not in self.values:
            return name
        q = self.quantised(name)
        if q is None:
            return name
        if name not in self.shared or self.chance(0.5):
            self.shared[name] = self.floats(q)
        return self.shared[name]

    # ---- layers ----

    def weights(self, name, axis):
        """Integers, their scales and zero points, by tensor or along the axis."""
        w = self.arrays[name]
        dtype = np.dtype(self.random.choice(("i1", "i1", "i1", "u1")))
        least, most = ends(dtype) if self.chance(0.8) else (-64, 63) if dtype.kind == "i" else (0, 127)
        axes = tuple(k for k in range(w.ndim) if k != axis % w.ndim)
        span = 2 * np.maximum(np.abs(w).max(axis=axes if self.chance(0.6) else None, keepdims=True), 1e-3)
        step = (span / (most - least) * self.random.uniform(0.9, 1.2)).astype(np.float32)
        zero = np.full(step.shape, 0 if dtype.kind == "i" else (least + most) // 2)
        q = np.clip(np.rint(w / step) + zero, least, most).astype(dtype)
        flat = (lambda a: a.ravel() if a.size > 1 else a.reshape(()))
        return self.constant(q), self.constant(flat(step)), self.constant(flat(zero).astype(dtype))

    def bias(self, name, q, w):
        """Steps of both scales, as int32, and those scales."""
        scale = (self.arrays[q[1]] * self.arrays[w[1]]).astype(np.float32)
        whole = np.clip(np.rint(self.arrays[name] / scale), -2**30, 2**30).astype(np.int32)
        return self.constant(whole), scale * np.ones(whole.shape, np.float32)

    def layer(self, node):
        """A layer whose weights are quantised."""
        x, axis, at = node.input[0], LAYERS[node.op_type], self.attributes(node)
        if node.input[1] not in self.arrays or x not in self.values or self.chance(0.1) or \
                at.get("group", 1) > 1 and node.op_type == "ConvTranspose":
            return self.plain(node)
        if node.op_type != "ConvTranspose" and self.chance(0.1):
            return self.dynamic(node, at)
        w, q, more = self.weights(node.input[1], axis), self.quantised(x), list(node.input[2:])
        if self.form(node) and q:
            scale, zero = self.steps(self.values[node.output[0]], self.type)
            more = [self.bias(more[0], q, w)[0]] if more else []
            self.put(node, self.node("QLinear" + node.op_type, *q, *w, scale, zero, *more, **at), scale, zero)
            return None
        if more and q and self.chance(0.7):
            whole, scale = self.bias(more[0], q, w)
            more = [self.node("DequantizeLinear", whole, self.constant(scale), axis=0)]
        return self.node(node.op_type, self.read(x), self.factor(w, axis), *more, into=node.output[0], **at)

    def factor(self, w, axis):
        """The weights' values; some matrices lie on their side."""
        q, scale, zero = w
        axis %= self.arrays[q].ndim
        if self.arrays[q].ndim != 2 or self.chance(0.8):
            return self.node("DequantizeLinear", *w, axis=axis)
        turned = self.node("DequantizeLinear", self.constant(np.ascontiguousarray(self.arrays[q].T)), scale, zero, axis=1 - axis)
        return self.node("Transpose", turned, perm=[1, 0])

    def dynamic(self, node, at):
        """A layer of what is quantised as it comes."""
        w, y, bias = self.weights(node.input[1], LAYERS[node.op_type]), node.output[0], list(node.input[2:])
        x = self.read(node.input[0])
        if node.op_type == "MatMul" and self.chance(0.3):
            return self.node("DynamicQuantizeMatMul", x, *w, into=y, domain=MS)
        q, scale, zero = self.node("DynamicQuantizeLinear", x, outputs=3)
        if self.chance(0.4):
            return self.node(node.op_type, self.node("DequantizeLinear", q, scale, zero), self.factor(w, LAYERS[node.op_type]), *bias,
                             into=y, **at)
        whole = self.constant(self.arrays[w[0]].astype(int) - (self.arrays[w[2]].astype(int).flat[0]), np.int8)
        total = self.node("Cast", self.node(node.op_type + "Integer", q, whole, zero, **at), to=TensorProto.FLOAT)
        shape = [-1] + [1] * (self.arrays[w[0]].ndim - 2) if node.op_type == "Conv" and self.arrays[w[1]].ndim else self.arrays[w[1]].shape
        scale = self.node("Mul", scale, self.constant(self.arrays[w[1]].reshape(shape)))
        if not bias:
            return self.node("Mul", total, scale, into=y)
        return self.node("Add", self.node("Mul", total, scale), self.constant(self.arrays[bias[0]].reshape(-1, 1, 1)), into=y)

    # ---- the other nodes ----

    @staticmethod
    def attributes(node):
        return {a.name: helper.get_attribute_value(a) for a in node.attribute}

    def form(self, node):
        return node.op_type in FORMS and self.type.itemsize == 1 and self.chance(self.forms)

    def put(self, node, q, scale, zero):
        """The node's result is there in steps alone."""
        self.known[node.output[0]] = q, scale, zero

    def plain(self, node):
        made = helper.make_node(node.op_type, [self.read(i) for i in node.input], list(node.output), name=node.name)
        made.attribute.extend(node.attribute)
        self.nodes.append(made)

    def formed(self, node):
        """A QLinear operator; False: its inputs are not all quantised."""
        known = [self.quantised(i) if i in self.values else None for i in node.input]
        two, at = node.op_type in ("Add", "Mul"), self.attributes(node)
        if not all(known[node.op_type == "Where":]) or two and len(known) != 2:
            return False
        scale, zero = self.steps(self.values[node.output[0]], self.type)
        parts, to = [name for q in known if q for name in q], [scale, zero]
        if node.op_type == "Concat":
            parts, to = to + parts, []
        if node.op_type == "Where":
            parts = [node.input[0], *parts]
        if node.op_type == "Softmax":
            at["opset"] = 13
        domain = "" if node.op_type == "MatMul" else MS
        self.put(node, self.node("QLinear" + node.op_type, *parts, *to, domain=domain, **at), scale, zero)
        return True

    def on_integers(self, node):
        """The operator on the integers themselves; False: there are none."""
        q = self.quantised(node.input[0]) if node.input[0] in self.values else None
        if q is None or (node.op_type == "MaxPool" and self.type.itemsize > 1) or len(node.output) > 1:
            return False
        self.put(node, self.node(node.op_type, q[0], *node.input[1:], **self.attributes(node)), *q[1:])
        return True

    def step(self, node):
        if node.op_type in LAYERS and (len(node.input) < 3 or node.input[2] in self.arrays):
            if node.op_type != "MatMul" or node.input[1] in self.arrays:
                return self.layer(node)
        if node.op_type not in ("Conv", "ConvTranspose") and self.form(node) and self.formed(node):
            return None
        if node.op_type in ON_INTEGERS and self.chance(0.3) and self.on_integers(node):
            return None
        return self.plain(node)

    def output(self, value):
        """Integers, or floats, of which there are some already perhaps."""
        made = any(value.name in n.output for n in self.nodes)
        q = self.quantised(value.name) if value.name in self.values else None
        if q is not None and (not made or self.chance(0.6)):
            if self.chance(0.5):
                return helper.make_tensor_value_info(q[0], helper.np_dtype_to_tensor_dtype(self.type), None)
            return helper.make_tensor_value_info(self.floats(q), TensorProto.FLOAT, None)
        return value


def quantised(graph, model, values, seed):
    """graph: of graphs.py, and its model; values: of all floats by name, inputs as well."""
    q = Quantiser(graph, values, seed)
    for node in model.graph.node:
        q.step(node)
    outputs = {o.name: o for o in map(q.output, model.graph.output)}
    made = helper.make_graph(q.nodes, "random", list(model.graph.input), list(outputs.values()), [*graph.constants, *q.constants])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(MS, 1)], ir_version=8)
