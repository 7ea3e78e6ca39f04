"""Quantised operators as what they stand for: DequantizeLinear, an operator of floats, QuantizeLinear.

    nodes, constants = expanded(node, opset)    # what takes the node's place; None: it is no such operator
    expand(graph, opset)                        # of all nodes of a graph, in place

ONNX's operators and onnxruntime's. Sums of integers are those of values of scale 1, cast. So what is right is said of few
operators: float64.py evaluates these in double, quantised.py as skipc defines them.
"""
import numpy as np
from onnx import AttributeProto, TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"


def opset_of(model):
    return next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 1)


class Expansion:
    """Nodes and constants that take the place of one node."""

    def __init__(self, node, opset):
        self.old, self.opset, self.nodes, self.constants = node, opset, [], []
        self.at = {a.name: helper.get_attribute_value(a) for a in node.attribute}

    def input(self, k):
        return self.old.input[k] if k < len(self.old.input) else ""

    def name(self):
        return f"{next(filter(None, self.old.output))} {len(self.nodes) + len(self.constants)}"

    def constant(self, value, dtype=np.float32):
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), self.name()))
        return self.constants[-1].name

    def put(self, kind, *inputs, to="", **attributes):
        """A node of ONNX's on named values; the name of its result, which may be given."""
        inputs = list(inputs)
        while inputs and not inputs[-1]:
            inputs.pop()
        to = to or self.name()
        self.nodes.append(helper.make_node(kind, inputs, [to], **attributes))
        return to

    def value(self, k, axis=1):
        """Inputs k to k + 2 as one value: integers, scale and zero point."""
        return self.put("DequantizeLinear", self.input(k), self.input(k + 1), self.input(k + 2), axis=axis)

    def bias(self, k, x_scale, w_scale):
        """Input k, of whole steps of both scales. "": there is none."""
        if not self.input(k):
            return ""
        scale = self.put("Mul", self.input(w_scale), self.input(x_scale))
        return self.put("DequantizeLinear", self.input(k), scale, axis=-1)

    def give(self, value, k):
        """The node's result: the value, quantised by inputs k and k + 1."""
        self.put("QuantizeLinear", value, self.input(k), self.input(k + 1), to=self.old.output[0])


def convolution(e):
    e.give(e.put("Conv", e.value(0), e.value(3, 0), e.bias(8, 1, 4), **e.at), 6)


def product(e):
    e.give(e.put("MatMul", e.value(0, -2), e.value(3, -1)), 6)


def binary(e):
    e.give(e.put(e.old.op_type.removeprefix("QLinear"), e.value(0), e.value(3)), 6)


def unary(e):
    if e.at.pop("channels_last", 0):
        raise NotImplementedError(f"{e.old.op_type} with channels_last")
    e.give(e.put(e.old.op_type.removeprefix("QLinear"), e.value(0), **e.at), 3)


def mean(e):
    axes = e.at.pop("axes", None)
    by_input = [e.constant(axes, np.int64)] if axes and e.opset >= 18 else []
    if axes and not by_input:
        e.at["axes"] = axes
    e.give(e.put("ReduceMean", e.value(0), *by_input, **e.at), 3)


def concat(e):
    e.give(e.put("Concat", *(e.value(k) for k in range(2, len(e.old.input), 3)), axis=e.at["axis"]), 0)


def where(e):
    e.give(e.put("Where", e.input(0), e.value(1), e.value(4)), 7)


def softmax(e):
    """Before opset 13 all dimensions from `axis` on are one."""
    x, axis = e.value(0), e.at.get("axis", -1)
    if e.at.get("opset", 13) < 13:
        flat = e.put("Softmax", e.put("Flatten", x, axis=axis), axis=1)
        e.give(e.put("Reshape", flat, e.put("Shape", x)), 3)
    elif e.opset >= 13 or axis == -1:
        e.give(e.put("Softmax", x, axis=axis), 3)
    else:
        raise NotImplementedError("QLinearSoftmax of a later opset than the model's")


def matrices(e):
    if e.at.get("alpha", 1.0) != 1.0:
        raise NotImplementedError("QGemm with alpha")
    a, b, bias = e.value(0), e.value(3, 0 if e.at.get("transB") else 1), e.bias(6, 1, 4)
    a = e.put("Transpose", a, perm=[1, 0]) if e.at.get("transA") else a
    b = e.put("Transpose", b, perm=[1, 0]) if e.at.get("transB") else b
    stays, result = not e.input(7), e.old.output[0]
    y = e.put("MatMul", a, b, to=result if stays and not bias else "")
    y = e.put("Add", y, bias, to=result if stays else "") if bias else y
    if not stays:
        e.give(y, 7)


def sum_of_integers(e):
    conv, one = e.old.op_type == "ConvInteger", e.constant(1.0)
    x = e.put("DequantizeLinear", e.input(0), one, e.input(2), axis=1 if conv else -2)
    w = e.put("DequantizeLinear", e.input(1), one, e.input(3), axis=0 if conv else -1)
    y = e.put(e.old.op_type.removesuffix("Integer"), x, w, **e.at)
    e.nodes.append(helper.make_node("Cast", [y], [e.old.output[0]], to=TensorProto.INT32))


def sum_to_float(e):
    a = e.put("DequantizeLinear", e.input(0), e.input(2), e.input(4), axis=-2)
    b = e.put("DequantizeLinear", e.input(1), e.input(3), e.input(5), axis=-1)
    y = e.put("MatMul", a, b, to="" if e.input(6) else e.old.output[0])
    if e.input(6):
        e.put("Add", y, e.input(6), to=e.old.output[0])


def dynamic(e, *names):
    """255 steps from the least to the greatest element, and to 0. The names of the integers, their scale and zero point."""
    names, zero = [*(names or e.old.output), "", ""], e.constant(0.0)
    least = e.put("Min", e.put("ReduceMin", e.input(0), keepdims=0), zero)
    most = e.put("Max", e.put("ReduceMax", e.input(0), keepdims=0), zero)
    scale = e.put("Div", e.put("Sub", most, least), e.constant(255.0), to=names[1])
    point = e.put("QuantizeLinear", e.put("Neg", least), scale, to=names[2])
    return e.put("QuantizeLinear", e.input(0), scale, point, to=names[0]), scale, point


def dynamic_product(e):
    a = e.put("DequantizeLinear", *dynamic(e, ""))
    y = e.put("MatMul", a, e.put("DequantizeLinear", e.input(1), e.input(2), e.input(3), axis=-1),
              to="" if e.input(4) else e.old.output[0])
    if e.input(4):
        e.put("Add", y, e.input(4), to=e.old.output[0])


def same(e):
    e.put(e.old.op_type, *e.old.input, to=e.old.output[0], **{"axis": 1, **e.at})


FORMS = {("", kind): make for kind, make in {
    "QLinearConv": convolution, "QLinearMatMul": product, "ConvInteger": sum_of_integers,
    "MatMulInteger": sum_of_integers, "DynamicQuantizeLinear": dynamic}.items()}
FORMS.update({(MICROSOFT, kind): make for kind, make in {
    "QuantizeLinear": same, "DequantizeLinear": same, "QLinearAdd": binary, "QLinearMul": binary,
    "QLinearSigmoid": unary, "QLinearLeakyRelu": unary, "QLinearAveragePool": unary,
    "QLinearGlobalAveragePool": unary, "QLinearReduceMean": mean, "QLinearConcat": concat,
    "QLinearWhere": where, "QLinearSoftmax": softmax, "QGemm": matrices,
    "MatMulIntegerToFloat": sum_to_float, "DynamicQuantizeMatMul": dynamic_product}.items()})


def is_form(node):
    return (node.domain.replace("ai.onnx", ""), node.op_type) in FORMS


def expanded(node, opset):
    if not is_form(node):
        return None
    e = Expansion(node, opset)
    FORMS[node.domain.replace("ai.onnx", ""), node.op_type](e)
    return e.nodes, e.constants


def expand(graph, opset):
    nodes = []
    for node in graph.node:
        for a in node.attribute:
            for inner in ([a.g] if a.type == AttributeProto.GRAPH else []) + list(a.graphs):
                expand(inner, opset)
        put = expanded(node, opset)
        nodes += put[0] if put else [type(node).FromString(node.SerializeToString())]
        graph.initializer.extend(put[1] if put else [])
    del graph.node[:]
    graph.node.extend(nodes)


def in_floats(model):
    """A copy without quantised operators, for onnxruntime."""
    copy = type(model)()
    copy.CopyFrom(model)
    opset = opset_of(model)
    expand(copy.graph, opset)
    for node in copy.graph.node if opset < 13 else ():
        for a in [a for a in node.attribute if a.name == "axis" and node.op_type in ("QuantizeLinear", "DequantizeLinear")]:
            node.attribute.remove(a)
    return copy
