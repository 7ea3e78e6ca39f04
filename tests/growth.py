#!/usr/bin/env python3
"""Time and memory grow as the model does, whatever operator it is made of.

    growth.py [--skipc PATH] [--all] [NAME ...]

Every operator of compiler/import/opset.def that can be written as a piece with a result like its input makes models of n, 2n
and 4n pieces, in five forms: a chain with shared constants; a chain of which each piece has its own; pieces side by side
whose results are outputs, or are joined by a Concat; as many inputs, a piece each, that a Sum adds. What no piece says
is a model of its own (WHOLE): long skips around long skips, layers of equal and of different sizes. A doubling may take
2.5 times the time and memory. Time on a shared machine only accuses: where it does, a plugin of QEMU counts the
instructions, and they decide (where QEMU is not, time does): too_fast(). Then models that ask for much: a node that reads one
tensor many times, constants of 2^16 to 2^30 elements out of nothing. They take 10 s and 2 GB at most. With --all every
operator in every form, compiled for both targets and inspected, and as many pieces as a file of 1 MB holds (hours);
without, some.
"""
import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from instructions import plugin

HERE = os.path.dirname(os.path.abspath(__file__))
QEMU = shutil.which(f"qemu-{os.uname().machine}")
FORMS = ("chain", "distinct", "outputs", "concat", "inputs")
COMMANDS = (("compile", "--target=c"), ("compile", "--target=x86-64"), ("inspect", "--json"))
FACTOR, SECONDS, MIB = 2.5, 10.0, 2048.0
QUIET, SMALL = 0.4, 80.0  # seconds, MiB: below, other things than growth are seen (orders of kernels are searched for so long)
INTERFACE = 1000  # inputs and outputs that skipc allows
SOME = ("skips whole", "fan whole", "sizes whole --target=x86-64", "Conv chain --target=x86-64", "GatherND chain", "ScatterElements distinct",
        "CumSum chain", "OneHot chain", "Add distinct", "Add chain", "Sum concat", "Relu concat", "Relu inputs", "Conv distinct", "Gemm chain", "Softmax chain",
        "Split chain", "QLinearConv chain --target=x86-64", "QLinearAdd concat", "MaxPool outputs", "ReduceMean distinct", "Slice concat", "Shape chain")
IMAGE, ROWS, HEADS = [1, 4, 6, 6], [2, 8], [1, 2, 4, 8]
MS, ML = "com.microsoft", "ai.onnx.ml"


class Model:
    def __init__(self, distinct):
        self.nodes, self.constants, self.known, self.count, self.distinct = [], [], {}, 0, False
        self.scales = self.constant([1, 1, 2, 2])
        self.distinct = distinct

    def name(self):
        self.count += 1
        return f"v{self.count:x}"

    def constant(self, value, type=np.float32):
        """Its own for each piece, where that is asked for: other values then, but for indices and shapes."""
        array = np.array(value, type)
        key = (array.tobytes(), array.shape, array.dtype.str)
        if self.distinct and array.dtype == np.float32:
            array = array + np.float32(len(self.constants) % 1000) / 1024
        elif key in self.known:
            return self.known[key]
        name = self.name()
        self.known[key] = name
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def ints(self, *values):
        return self.constant(values, np.int64)

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [self.name() for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names


def filled(*shape):
    return np.linspace(-0.5, 0.5, int(np.prod(shape)), dtype=np.float32).reshape(shape)


CHANNEL = filled(4)
PIECES = {}  # operator: (shape, opset, the piece: model and x to y)


def piece(*names, shape=IMAGE, opset=17):
    def add(f):
        for name in names:
            PIECES[name] = (shape, opset, lambda m, x, name=name: f(m, name, x))
        return f
    return add


piece("Add", "Sub", "Mul", "Div", "Max", "Min", "Mean", "Sum", "Pow", "PRelu")(
    lambda m, op, x: m.op(op, x, m.constant(2 + filled(4, 1, 1))))
piece("Mod")(lambda m, op, x: m.op("Cast", m.op(op, m.op("Cast", x, to=7), m.ints(3)), to=1))
piece("Less", "LessOrEqual", "Greater", "GreaterOrEqual")(
    lambda m, op, x: m.op("Cast", m.op(op, x, m.constant(filled(4, 1, 1))), to=1))
piece("Equal")(lambda m, op, x: m.op("Cast", m.op(op, x, m.constant(0.25)), to=1))
piece("And", "Or", "Xor")(
    lambda m, op, x: m.op("Cast", m.op(op, m.op("Less", x, m.constant(0.5)), m.op("Less", m.constant(0.1), x)), to=1))
piece("Not")(lambda m, op, x: m.op("Cast", m.op(op, m.op("Less", x, m.constant(0.5))), to=1))
piece("BitShift")(lambda m, op, x: m.op("Cast", m.op(op, m.op("Cast", x, to=12), m.constant(3, np.uint32), direction="LEFT"), to=1))
piece("BitwiseAnd", "BitwiseOr", "BitwiseXor", opset=18)(
    lambda m, op, x: m.op("Cast", m.op(op, m.op("Cast", x, to=7), m.ints(5)), to=1))
piece("BitwiseNot", opset=18)(lambda m, op, x: m.op("Cast", m.op(op, m.op("Cast", x, to=7)), to=1))
piece("IsNaN")(lambda m, op, x: m.op("Cast", m.op(op, x), to=1))
piece("Where")(lambda m, op, x: m.op(op, m.op("Less", x, m.constant(0.5)), x, m.constant(filled(4, 1, 1))))
piece("Clip")(lambda m, op, x: m.op(op, x, m.constant(-0.5), m.constant(2.5)))
piece("Cast")(lambda m, op, x: m.op(op, m.op(op, x, to=6), to=1))
piece("CastLike")(lambda m, op, x: m.op(op, m.op("Cast", x, to=6), x))
piece("Conv")(lambda m, op, x: m.op(op, x, m.constant(filled(4, 4, 3, 3)), m.constant(CHANNEL), pads=[1] * 4))
piece("ConvTranspose")(lambda m, op, x: m.op(op, x, m.constant(filled(4, 4, 3, 3)), m.constant(CHANNEL), pads=[1] * 4))
piece("FusedConv")(lambda m, op, x: m.op(op, x, m.constant(filled(4, 4, 1, 1)), m.constant(CHANNEL), activation="Relu", domain=MS))
piece("MaxPool", "AveragePool")(lambda m, op, x: m.op(op, x, kernel_shape=[3, 3], pads=[1] * 4))
piece("MaxUnpool")(lambda m, op, x: m.op(op, *m.op("MaxPool", x, outputs=2, kernel_shape=[2, 2], strides=[2, 2]),
                                         kernel_shape=[2, 2], strides=[2, 2]))
piece("GlobalAveragePool", "GlobalMaxPool")(lambda m, op, x: m.op("Add", x, m.op(op, x)))
piece("BatchNormalization")(lambda m, op, x: m.op(op, x, *(m.constant(1.5 + CHANNEL) for _ in range(4))))
piece("InstanceNormalization")(lambda m, op, x: m.op(op, x, m.constant(CHANNEL), m.constant(CHANNEL)))
piece("GroupNormalization", opset=21)(lambda m, op, x: m.op(op, x, m.constant(CHANNEL), m.constant(CHANNEL), num_groups=2))
piece("LayerNormalization")(lambda m, op, x: m.op(op, x, m.constant(filled(6)), m.constant(filled(6))))
piece("RMSNormalization", opset=23)(lambda m, op, x: m.op(op, x, m.constant(filled(6))))
piece("LRN")(lambda m, op, x: m.op(op, x, size=3))
piece("Softmax", "LogSoftmax")(lambda m, op, x: m.op(op, x, axis=1))
piece("Gemm", shape=ROWS)(lambda m, op, x: m.op(op, x, m.constant(filled(8, 8)), m.constant(filled(8))))
piece("MatMul", shape=ROWS)(lambda m, op, x: m.op(op, x, m.constant(filled(8, 8))))
piece("FusedMatMul", shape=ROWS)(lambda m, op, x: m.op(op, x, m.constant(filled(8, 8)), transB=1, domain=MS))
piece("FusedGemm", shape=ROWS)(lambda m, op, x: m.op(op, x, m.constant(filled(8, 8)), m.constant(filled(8)), activation="Relu", domain=MS))
piece("BiasGelu", shape=ROWS)(lambda m, op, x: m.op(op, x, m.constant(filled(8)), domain=MS))
piece("QuickGelu", "FastGelu", shape=ROWS)(lambda m, op, x: m.op(op, x, domain=MS))
piece("Einsum", shape=ROWS)(lambda m, op, x: m.op(op, x, m.constant(filled(8, 8)), equation="ij,kj->ik"))
piece("Attention", shape=HEADS, opset=23)(lambda m, op, x: m.op(op, x, x, x))
piece("RotaryEmbedding", shape=HEADS, opset=23)(
    lambda m, op, x: m.op(op, x, m.constant(filled(8, 4)), m.constant(filled(8, 4)), m.constant([[0, 1, 2, 3]], np.int64)))
piece("ReduceSum")(lambda m, op, x: m.op("Add", x, m.op(op, x, m.ints(1))))
piece("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
      "ReduceSumSquare")(lambda m, op, x: m.op("Add", x, m.op(op, x, axes=[2, 3])))
piece("ArgMax", "ArgMin")(lambda m, op, x: m.op("Add", x, m.op("Cast", m.op(op, x, axis=1), to=1)))
piece("Transpose")(lambda m, op, x: m.op(op, x, perm=[0, 1, 3, 2]))
piece("Reshape")(lambda m, op, x: m.op(op, m.op("Relu", m.op(op, x, m.ints(1, 6, 4, 6))), m.ints(*IMAGE)))
piece("Flatten")(lambda m, op, x: m.op("Reshape", m.op("Softmax", m.op(op, x)), m.ints(*IMAGE)))
piece("Squeeze", "Unsqueeze")(lambda m, op, x: m.op("Unsqueeze", m.op("Softmax", m.op("Squeeze", x, m.ints(0)), axis=0), m.ints(0)))
piece("Slice")(lambda m, op, x: m.op("Concat", m.op(op, x, m.ints(2), m.ints(4), m.ints(1)), m.op(op, x, m.ints(0), m.ints(2), m.ints(1)), axis=1))
piece("Concat")(lambda m, op, x: m.op("Slice", m.op(op, m.constant(filled(*IMAGE)), x, axis=3), m.ints(3), m.ints(9), m.ints(3)))
piece("Split")(lambda m, op, x: m.op("Concat", *reversed(m.op(op, x, outputs=2, axis=1)), axis=1))
piece("SplitToSequence", "SequenceAt")(
    lambda m, op, x: (lambda s: m.op("Concat", *(m.op("SequenceAt", s, m.constant(k, np.int64)) for k in (1, 0)), axis=1))(
        m.op("SplitToSequence", x, m.constant(2, np.int64), axis=1)))
piece("SequenceConstruct")(lambda m, op, x: m.op("SequenceAt", m.op(op, x, m.op("Relu", x)), m.constant(1, np.int64)))
piece("ConcatFromSequence")(lambda m, op, x: m.op("Slice", m.op(op, m.op("SequenceConstruct", x, x), axis=1), m.ints(2), m.ints(6), m.ints(1)))
piece("Pad")(lambda m, op, x: m.op("Slice", m.op(op, x, m.ints(0, 0, 1, 0, 0, 0, 0, 0)), m.ints(0), m.ints(6), m.ints(2)))
piece("Tile")(lambda m, op, x: m.op("Slice", m.op(op, x, m.ints(1, 2, 1, 1)), m.ints(2), m.ints(6), m.ints(1)))
piece("Expand")(lambda m, op, x: m.op("Add", x, m.op(op, m.op("ReduceMax", x, axes=[1]), m.ints(*IMAGE))))
piece("Gather")(lambda m, op, x: m.op(op, x, m.ints(3, 1, 0, 2), axis=1))
piece("GatherND")(lambda m, op, x: m.op(op, m.op("Relu", x), m.constant([[[3], [1], [0], [2]]], np.int64), batch_dims=1))
piece("GatherElements")(lambda m, op, x: m.op(op, x, m.constant(np.arange(144).reshape(IMAGE) * 7 % 4, np.int64), axis=1))
piece("Scatter", opset=10)(lambda m, op, x: m.op(op, x, m.constant(np.zeros((1, 1, 6, 6)), np.int64), m.constant(filled(1, 1, 6, 6)), axis=1))
piece("ScatterElements")(lambda m, op, x: m.op(op, x, m.constant(np.arange(36).reshape(1, 1, 6, 6) % 4, np.int64), m.constant(filled(1, 1, 6, 6)), axis=1))
piece("CumSum")(lambda m, op, x: m.op(op, x, m.constant(1, np.int64)))
piece("CumProd", opset=26)(lambda m, op, x: m.op(op, x, m.constant(1, np.int64)))
piece("OneHot")(lambda m, op, x: m.op("Add", x, m.op(op, m.op("ArgMax", x, axis=1, keepdims=0), m.constant(4, np.int64), m.constant([0, 1]), axis=1)))
piece("Trilu")(lambda m, op, x: m.op(op, x, upper=1))
piece("Compress")(lambda m, op, x: m.op(op, m.op("Concat", x, x, axis=1), m.constant([1, 0, 0, 1, 0, 1, 1, 0], np.bool_), axis=1))
piece("ReverseSequence")(lambda m, op, x: m.op(op, x, m.ints(3), batch_axis=0, time_axis=1))
piece("GridSample")(lambda m, op, x: m.op(op, x, m.constant(filled(1, 6, 6, 2))))
piece("AffineGrid", opset=20)(lambda m, op, x: m.op("GridSample", x, m.op(
    op, m.op("Reshape", m.op("Slice", x, m.ints(0, 0, 0), m.ints(1, 1, 6), m.ints(1, 2, 3)), m.ints(1, 2, 3)), m.ints(1, 4, 6, 6))))
piece("Col2Im", opset=18)(lambda m, op, x: m.op(op, m.op("Reshape", x, m.ints(1, 16, 9)), m.ints(6, 6), m.ints(2, 2), strides=[2, 2]))
piece("ArrayFeatureExtractor", shape=ROWS)(lambda m, op, x: m.op(op, x, m.ints(*range(7, -1, -1)), domain=ML))
piece("ScatterND")(lambda m, op, x: m.op("Add", x, m.op(op, m.constant(filled(4, 1, 1)), m.constant([[1]], np.int64), m.constant(filled(1, 1, 1)))))
piece("Resize")(lambda m, op, x: m.op("AveragePool", m.op(op, x, "", m.scales, mode="nearest"), kernel_shape=[2, 2], strides=[2, 2]))
piece("Constant")(lambda m, op, x: m.op("Add", x, m.op(op, value_float=0.5 + m.count / 1024)))
piece("ConstantOfShape")(lambda m, op, x: m.op("Add", x, m.op(op, m.op("Shape", x))))
piece("Range")(lambda m, op, x: m.op("Add", x, m.op(op, m.constant(0, np.float32), m.constant(6, np.float32), m.constant(1, np.float32))))
piece("Shape")(lambda m, op, x: m.op("Reshape", m.op("Relu", m.op("Flatten", x)), m.op(op, x)))
piece("Size")(lambda m, op, x: m.op("Mul", x, m.op("Cast", m.op(op, x), to=1)))
piece("NonZero")(lambda m, op, x: m.op("Gather", x, m.op("Squeeze", m.op(op, m.constant([1, 1, 1, 1], np.int32)), m.ints(0)), axis=1))
piece("Dropout", "Identity")(lambda m, op, x: m.op("Relu", m.op(op, x)))
piece("Mish", opset=18)(lambda m, op, x: m.op(op, x))
piece("Gelu", opset=20)(lambda m, op, x: m.op(op, x))
piece("Swish", opset=24)(lambda m, op, x: m.op(op, x))


# ---- quantised operators: x is quantised before, and y a value of floats again ----

def steps(m, scale=0.25):
    """A scale and a zero point."""
    return m.constant(scale), m.constant(7, np.uint8)


def quantised(m, x):
    to = steps(m)
    return m.op("QuantizeLinear", x, *to), *to


def bytes_of(*shape):
    return (np.arange(np.prod(shape)) * 37 % 251 - 120).reshape(shape)


def kernel(m, *shape):
    """Weights of 8 bits, their scale and zero point."""
    return m.constant(bytes_of(*shape), np.int8), m.constant(0.125), m.constant(0, np.int8)


def formed(m, op, *inputs, domain=MS, to=None, **attributes):
    """What an operator gives that quantises its result, as floats."""
    to = to or steps(m, 0.5)
    return m.op("DequantizeLinear", m.op(op, *inputs, *(to if op != "QLinearConcat" else ()), domain=domain, **attributes), *to)


piece("QuantizeLinear", "DequantizeLinear")(lambda m, op, x: m.op("Tanh", m.op("DequantizeLinear", *quantised(m, x))))
piece("DynamicQuantizeLinear")(lambda m, op, x: m.op("DequantizeLinear", *m.op(op, x, outputs=3)))
piece("QLinearConv")(lambda m, op, x: formed(m, op, *quantised(m, x), *kernel(m, 4, 4, 3, 3), domain="", pads=[1] * 4))
piece("QLinearMatMul", shape=ROWS)(lambda m, op, x: formed(m, op, *quantised(m, x), *kernel(m, 8, 8), domain=""))
piece("QGemm", shape=ROWS)(lambda m, op, x: formed(m, op, *quantised(m, x), *kernel(m, 8, 8), m.constant(range(8), np.int32)))
piece("ConvInteger")(lambda m, op, x: m.op("Mul", m.op("Cast", m.op(
    op, quantised(m, x)[0], kernel(m, 4, 4, 3, 3)[0], steps(m)[1], pads=[1] * 4), to=1), m.constant(0.25)))
piece("MatMulInteger", shape=ROWS)(lambda m, op, x: m.op("Mul", m.op("Cast", m.op(
    op, quantised(m, x)[0], kernel(m, 8, 8)[0], steps(m)[1]), to=1), m.constant(0.25)))
piece("MatMulIntegerToFloat", shape=ROWS)(lambda m, op, x: (lambda q, w: m.op(op, q[0], w[0], q[1], w[1], q[2], w[2], domain=MS))(
    quantised(m, x), kernel(m, 8, 8)))
piece("DynamicQuantizeMatMul", shape=ROWS)(lambda m, op, x: m.op(op, x, *kernel(m, 8, 8), domain=MS))
piece("QLinearAdd", "QLinearMul")(lambda m, op, x: formed(m, op, *quantised(m, x), m.constant([[[4]], [[5]], [[6]], [[7]]], np.uint8), *steps(m)))
piece("QLinearConcat")(lambda m, op, x: (lambda to: m.op("Slice", formed(
    m, op, *to, *quantised(m, x), *quantised(m, m.op("Tanh", x)), to=to, axis=1), m.ints(2), m.ints(6), m.ints(1)))(steps(m)))
piece("QLinearWhere")(lambda m, op, x: formed(m, op, m.op("Less", x, m.constant(0.5)), *quantised(m, x), *quantised(m, m.op("Tanh", x))))
piece("QLinearSigmoid", "QLinearLeakyRelu")(lambda m, op, x: formed(m, op, *quantised(m, x)))
piece("QLinearSoftmax")(lambda m, op, x: formed(m, op, *quantised(m, x), axis=1, opset=13))
piece("QLinearAveragePool")(lambda m, op, x: formed(m, op, *quantised(m, x), kernel_shape=[3, 3], pads=[1] * 4))
piece("QLinearGlobalAveragePool")(lambda m, op, x: m.op("Add", x, formed(m, op, *quantised(m, x))))
piece("QLinearReduceMean")(lambda m, op, x: m.op("Add", x, formed(m, op, *quantised(m, x), axes=[2, 3], keepdims=1)))


WHOLE = {}  # name: (shape, the model and n to the last value)


def whole(shape):
    def add(f):
        WHOLE[f.__name__] = (shape, f)
        return f
    return add


@whole(ROWS)
def skips(m, n):
    """Each skip is around all that came between."""
    values = ["x"]
    for _ in range(n):
        values.append(m.op("Relu", m.op("MatMul", values[-1], m.constant(filled(8, 8)))))
    y = values[-1]
    for x in reversed(values[:-1]):
        y = m.op("Add", m.op("Relu", m.op("MatMul", y, m.constant(filled(8, 8)))), x)
    return y


@whole(ROWS)
def fan(m, n):
    """One value is read by many equal nodes, whose results are added."""
    return m.op("Sum", *(m.op("Add", "x", m.constant(filled(8))) for _ in range(n)))


@whole(ROWS)
def tests(m, n):
    y = m.op("Less", "x", m.constant(0.5))
    for _ in range(n):
        y = m.op("Not", y)
    return m.op("Cast", y, to=1)


@whole(IMAGE)
def sizes(m, n):
    """Convolutions of which none has the shape of another."""
    y = "x"
    for _ in range(n // 8):
        y = m.op("Conv", y, m.constant(filled(4, 4, 3, 3)), pads=[1, 1, 1, 2])
    return y


def operators():
    """All of opset.def, in its order; those without a piece that take one input get one."""
    names = []
    with open(os.path.join(HERE, "..", "compiler", "import", "opset.def")) as f:
        for name, least, most in re.findall(r'^ROW\([^,]*, (\w+),\s*\d+,\s*(\d+), (-?\d+),', f.read(), re.M):
            if name not in names:
                names.append(name)
            if name not in PIECES and (least, most) == ("1", "1"):
                piece(name)(lambda m, op, x: m.op(op, x))
    return names


def write(path, name, form, n):
    shape, opset, make = PIECES[name] if form != "whole" else (WHOLE[name][0], 17, None)
    m = Model(form not in ("chain", "whole"))
    inputs, outputs = ["x"], []
    if form == "whole":
        outputs = [WHOLE[name][1](m, n)]
    elif form == "inputs":
        inputs = [f"x{k}" for k in range(n)]
        outputs = [m.op("Sum", *(make(m, x) for x in inputs))]
    elif form in ("chain", "distinct"):
        y = "x"
        for _ in range(n):
            y = make(m, y)
        outputs = [y]
    else:
        outputs = [make(m, "x") for _ in range(n)]
        if form == "concat":
            outputs = [m.op("Concat", *outputs, axis=0)]
    graph = helper.make_graph(m.nodes, "g", [helper.make_tensor_value_info(x, TensorProto.FLOAT, shape) for x in inputs],
                              [helper.make_tensor_value_info(y, TensorProto.FLOAT, None) for y in outputs], m.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(MS, 1), helper.make_opsetid(ML, 3)], ir_version=8)
    data = model.SerializeToString()
    with open(path, "wb") as f:
        f.write(data)
    return len(data)


def too_fast(counts):
    """Do instructions grow faster than the model? One doubling may cost more if the other costs less than twice: so it is where a
    search for an order begins to need all that it may (some 20 billion), and no square has a factor below two."""
    one, two = (after / before for before, after in zip(counts, counts[1:]))
    return max(one, two) > FACTOR and (min(one, two) >= 1.9 or one * two > FACTOR ** 2)


class Test:
    def __init__(self, skipc, work, all_of_them):
        self.skipc, self.work, self.all, self.refused = skipc, work, all_of_them, set()
        self.counter = plugin(work) if QEMU else None

    def model(self, name, form, n):
        path = os.path.join(self.work, "m.onnx")
        return path, write(path, name, form, n)

    def arguments(self, command, path, *options):
        return [self.skipc, command, path, *options, *(["-o", os.path.join(self.work, "out"), "--name", "net"] if command == "compile" else [])]

    def instructions(self, command, path):
        """How many the processor executes: of the user's, whoever else is on the machine."""
        run = [QEMU, "-plugin", self.counter, *self.arguments(command[0], path, *command[1:])]
        return int(re.search(r"^instructions (\d+)$", subprocess.run(run, capture_output=True, text=True, check=True).stderr, re.M)[1])

    def measure(self, command, path, *options):
        """Seconds of processor time, MiB, exit status."""
        arguments = self.arguments(command, path, *options)
        pid = os.fork()
        if pid == 0:
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 1)
            os.dup2(os.open(os.path.join(self.work, "err"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
            resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
            os.execv(arguments[0], arguments)
        _, status, usage = os.wait4(pid, 0)
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)

    def message(self):
        with open(os.path.join(self.work, "err"), errors="replace") as f:
            return f.read().split("\n")[0][:200]

    def grows(self, name, form, command, n):
        """Null, or what is wrong: the factors of two doublings."""
        found = []
        for times in (1, 2, 4):
            path, size = self.model(name, form, n * times)
            best = self.measure(command[0], path, *command[1:])
            if best[2] == 1 and times == 1:
                self.refused.add(name)
                return None
            if best[2] != 0:
                return f"exit status {best[2]} at {n * times}: {self.message()}"
            for _ in range(2):
                if found and best[0] > FACTOR * max(found[-1][0], QUIET):
                    best = min(best, self.measure(command[0], path, *command[1:]))
            found.append(best)
        said = "  ".join(f"n={n * 2 ** k}: {t:.2f} s {m:.0f} MiB" for k, (t, m, _) in enumerate(found))
        steps = list(zip(found, found[1:]))
        if any(m2 > FACTOR * max(m, SMALL) for (_, m, _), (_, m2, _) in steps):
            return said
        if not any(t2 > FACTOR * max(t, QUIET) for (t, _, _), (t2, _, _) in steps):
            return None
        if not QEMU:
            return said
        counts = [self.instructions(command, self.model(name, form, n * times)[0]) for times in (1, 2, 4)]
        said += f"  instructions {' '.join(f'{c:,}' for c in counts)}"
        if too_fast(counts):
            return said
        print(f"growth: {name} {form}: {said}: time accused it wrongly", flush=True)
        return None

    def fits(self, command, path):
        """Null, or how it exceeds what a file of at most 1 MB may take."""
        seconds, mib, status = self.measure(command[0], path, *command[1:])
        if status not in (0, 1) or seconds > SECONDS or mib > MIB:
            return f"{os.path.getsize(path)} bytes: {seconds:.2f} s {mib:.0f} MiB exit status {status} {self.message()}"
        return None

    def largest(self, name, form):
        """As many pieces as 1 MB holds."""
        few, many = (self.model(name, form, n)[1] for n in (20, 40))
        n = int((1e6 - few) / (many - few) * 20)
        return self.model(name, form, min(n, INTERFACE) if form in ("outputs", "inputs") else n)[0]

    def demanding(self):
        """Names and paths of models that ask for much."""
        def save(name, nodes, constants, shape=(1, 4)):
            graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                                      [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                                      [numpy_helper.from_array(np.asarray(c), n) for n, c in constants.items()])
            path = os.path.join(self.work, "m.onnx")
            onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
            return name, path

        for op in ("Sum", "Max", "Mean"):
            yield save(f"{op} of one tensor 20,000 times", [helper.make_node(op, ["x"] * 20000, ["y"])], {})
        yield save("Concat of one tensor 20,000 times", [helper.make_node("Concat", ["x"] * 20000, ["y"], axis=0)], {})
        for e in (16, 22, 24, 26, 28, 30) if self.all else (24, 28):
            for op, inputs in (("Expand", {"v": np.float32([1]), "s": np.int64([2**e])}),
                               ("Tile", {"v": np.float32([1, 2]), "s": np.int64([2**e - 1])}),
                               ("Pad", {"v": np.float32([1]), "s": np.int64([2**e, 0])}),
                               ("ConstantOfShape", {"s": np.int64([2**e])}),
                               ("Range", {"a": np.float32(0), "b": np.float32(2**e), "d": np.float32(1)})):
                for use in ("ReduceSum", "ReduceMax"):
                    yield save(f"{use} of {op} to 2^{e}", [helper.make_node(op, list(inputs), ["c"]),
                                                          helper.make_node(use, ["c"], ["r"], keepdims=0),
                                                          helper.make_node("Add", ["x", "r"], ["y"])], inputs)
        sums = 4000
        yield save(f"{sums} sums of one constant of 2^20 elements", [
            helper.make_node("ConstantOfShape", ["s"], ["z"]), helper.make_node("Add", ["z", "k"], ["c"]), *(
                helper.make_node("Add", [f"v{k}" if k else "x", "c"], [f"v{k + 1}" if k < sums - 1 else "y"]) for k in range(sums))],
            {"s": np.int64([2**20]), "k": np.float32([0.5])}, (2**20,))
        many = 100
        yield save("100 constants of 2^24 elements", [node for k in range(many) for node in (
            helper.make_node("Expand", [f"k{k}", "s"], [f"c{k}"]), helper.make_node("Tanh", [f"v{k}" if k else "x"], [f"t{k}"]),
            helper.make_node("Add", [f"t{k}", f"c{k}"], [f"v{k + 1}" if k < many - 1 else "y"]))],
            {"s": np.int64([2**24]), **{f"k{k}": np.float32([k]) for k in range(many)}}, (2**24,))
        yield save("a constant of 2^24 elements read 100 times", [
            helper.make_node("ConstantOfShape", ["s"], ["c"]), *(node for k in range(many) for node in (
                helper.make_node("Mul", ["c", f"k{k}"], [f"m{k}"]), helper.make_node("ReduceMax", [f"m{k}"], [f"r{k}"], keepdims=0))),
            helper.make_node("Sum", ["x", *(f"r{k}" for k in range(many))], ["y"])],
            {"s": np.int64([2**24]), **{f"k{k}": np.float32(k) for k in range(many)}})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("names", nargs="*", help="operators; all if none is given")
    arguments = parser.parse_args()
    assert too_fast([1, 4, 16]) and too_fast([12, 28, 72]) and too_fast([10, 11, 80]) and not too_fast([55, 256, 324]) and not too_fast([1, 2, 4])
    rows = operators()
    without = [name for name in rows if name not in PIECES]
    commands = COMMANDS if arguments.all else COMMANDS[:1]
    jobs = [(name, form) for name in arguments.names or [*(n for n in rows if n in PIECES), *WHOLE]
            for form in (FORMS if name in PIECES else ("whole",))]
    if not arguments.all and not arguments.names:
        jobs = [tuple(line.split()) for line in SOME]
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        test = Test(os.path.abspath(arguments.skipc), work, arguments.all)

        def report(what, wrong):
            nonlocal failed
            if wrong:
                failed += 1
                print(f"FAILED growth: {what}: {wrong}", flush=True)

        for name, form, *target in jobs:
            for command in [("compile", *target)] if target else commands:
                n = {"outputs": INTERFACE // 4, "inputs": INTERFACE // 4, "whole": 600}.get(form, 1000)
                report(f"{name} {form} {' '.join(command)}", test.grows(name, form, command, n))
                if arguments.all:
                    report(f"{name} {form} {' '.join(command)}", test.fits(command, test.largest(name, form)))
        if not arguments.names:
            for name, path in test.demanding():
                for command in commands:
                    report(f"{name} {' '.join(command)}", test.fits(command, path))
    print(f"growth: {len(jobs)} operators and forms, {failed} grow too fast; without a piece: {' '.join(without)}; refused:"
          f" {' '.join(sorted(test.refused))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
