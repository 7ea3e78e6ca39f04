#!/usr/bin/env python3
"""Random quantised graphs: every element of every output as tools/quantised.py, which is R of DESIGN.md, has it.

    quantised.py [--skipc PATH] [--graphs N] [--seed N] [--targets c,x86-64] [--compiler "tcc -w"]

Activations of 8 and 16 bits; weights of 8 and 4, by tensor and by channel, signed and not; biases of int32 and floats;
layers between QuantizeLinear and DequantizeLinear, QLinear operators of ONNX and of onnxruntime, sums of integers. What is made of
functions of floats (QLinearSoftmax) may be any step that the bounds on these leave (tools/bounds.py), and counted. Each graph is built
without a warning, run on every instruction set that this machine has, and must give the same bits; every eighth on those with VNNI,
emulated (avx512/immintrin.h). With tcc, which knows --target=c alone, thousands take minutes.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from run import QUICK

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))
import bounds  # noqa: E402
import compare  # noqa: E402
import quantised  # noqa: E402
import run as cases  # noqa: E402

FLAGS = "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -std=c99"
SANITIZE = "-fsanitize=address,undefined -fno-sanitize-recover=all"
ACTIVATIONS = [np.uint8, np.uint8, np.int8, np.int16, np.uint16]
MS = "com.microsoft"


class Builder:
    """A graph, evaluated as it grows: scales fit what there is."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.constants, self.outputs, self.values, self.count = [], [], [], {"": None}, 0
        self.type = self.pick(ACTIVATIONS)
        shape = tuple(int(self.rng.integers(*ends)) for ends in ((1, 3), (1, 7), (1, 9), (1, 9)))
        self.x = self.rng.standard_normal(shape).astype(np.float32)
        self.values["x"] = quantised.Value(self.x)
        self.evaluation = quantised.Evaluation(helper.make_model(helper.make_graph([], "g", [], []),
                                                                 opset_imports=[helper.make_opsetid("", 21)]))

    def pick(self, options):
        return options[int(self.rng.integers(len(options)))]

    def name(self):
        self.count += 1
        return f"t{self.count}"

    def constant(self, array, four=0):
        name = self.name()
        if four:
            self.constants.append(helper.make_tensor(name, four, array.shape, array.ravel().tolist()))
        else:
            self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        self.values[name] = quantised.Value(np.asarray(array))
        self.values[name].constant = True
        return name

    def node(self, kind, *inputs, domain="", **attributes):
        out = self.name()
        node = helper.make_node(kind, list(inputs), [out], domain=domain, **attributes)
        self.values[out] = self.evaluation.node(node, [self.values[i] for i in inputs])[0]
        self.values[out].constant = all(getattr(self.values[i], "constant", False) for i in inputs if i)
        self.nodes.append(node)
        return out

    def array(self, name):
        return self.values[name].array

    # ---- quantised values: (name, scale, zero) ----

    def parameters(self, array, dtype):
        """Scale and zero point that most of the array fits."""
        info, low, high = np.iinfo(dtype), min(float(array.min()), 0.0), max(float(array.max()), 1e-3)
        symmetric = self.rng.random() < 0.3
        scale = np.float32(max((high - low) / (info.max - info.min) * self.rng.uniform(0.8, 1.3), 1e-6))
        zero = (int(info.max) + int(info.min) + 1) // 2 if symmetric else int(np.clip(round(info.min - low / scale), info.min, info.max))
        return self.constant(scale), self.constant(np.array(zero, dtype))

    def quantize(self, name, dtype=None):
        scale, zero = self.parameters(self.array(name), dtype or self.type)
        q = self.node("QuantizeLinear", name, scale, zero)
        if self.rng.random() < 0.3:
            self.outputs.append(q)
        return q, scale, zero

    def dequantize(self, q):
        return self.node("DequantizeLinear", *q)

    def weights(self, shape, axis):
        """Weights, quantised; and their scales by output along the axis."""
        w = self.rng.standard_normal(shape) / np.sqrt(np.prod(shape) / shape[axis])
        four = self.pick([0, 0, 0, TensorProto.INT4, TensorProto.UINT4])
        dtype = np.dtype({0: self.pick([np.int8, np.int8, np.uint8]), TensorProto.INT4: np.int8, TensorProto.UINT4: np.uint8}[four])
        low, high = (np.iinfo(dtype).min, np.iinfo(dtype).max) if not four else (-8, 7) if dtype.kind == "i" else (0, 15)
        outputs = shape[axis] if self.rng.random() < 0.6 else 1
        step = np.full(outputs, np.abs(w).max() * 2 / (high - low)) * self.rng.uniform(0.5, 1.2, outputs)
        zero = np.zeros(outputs, int) if dtype.kind == "i" else self.rng.integers(low, high, outputs)
        along = [-1 if k == axis % len(shape) else 1 for k in range(len(shape))]
        q = np.clip(np.rint(w / step.reshape(along)) + zero.reshape(along), low, high).astype(dtype)
        form = (lambda a: a if outputs > 1 else a[0])
        return (self.constant(q, four), self.constant(form(step.astype(np.float32))),
                self.constant(form(zero.astype(dtype)), four)), step

    def bias(self, x, w, outputs):
        """A bias of int32, in steps of both scales; or of floats, or none."""
        kind = self.pick(["int32", "int32", "float", None])
        if kind is None:
            return []
        scale = (self.array(x[1]) * self.array(w[1])).astype(np.float32)
        values = self.rng.integers(-500, 500, outputs)
        if kind == "float":
            return [self.constant((values * scale).astype(np.float32))]
        return [self.node("DequantizeLinear", self.constant(values.astype(np.int32)), self.constant(scale), axis=0)]

    # ---- steps: a quantised image becomes another ----

    def conv(self, q):
        n, c, h, w = self.array(q[0]).shape
        group = self.pick([1, 1, 1, c, *(n for n in (2, 4, 8) if c % n == 0)])
        outputs = group * int(self.rng.integers(1, 9)) if 1 < group < c else c * int(self.rng.integers(1, 3)) if group > 1 else self.pick([int(self.rng.integers(1, 20)), 16, 32, 48, 64])
        pads = [int(n) for n in self.rng.integers(0, 2, 4)] if self.rng.random() < 0.7 else [0] * 4
        r, s = (int(self.rng.integers(1, min(size + pads[k] + pads[k + 2], 3) + 1)) for k, size in enumerate((h, w)))
        at = dict(group=group, kernel_shape=[r, s], pads=pads,
                  strides=[self.pick([1, 1, 2]), 1])
        weights, _ = self.weights((outputs, c // group, r, s), 0)
        if self.type in (np.uint8, np.int8) and self.rng.random() < 0.4:
            y = self.node("Conv", self.dequantize(q), self.node("DequantizeLinear", *weights, axis=0), **at)
            scale, zero = self.parameters(self.array(y), self.type)
            self.nodes = [n for n in self.nodes if n.output[0] != y]
            bias = [self.constant(self.rng.integers(-500, 500, outputs).astype(np.int32))] if self.rng.random() < 0.5 else []
            return self.node("QLinearConv", *q, *weights, scale, zero, *bias, **at), scale, zero
        y = self.node("Conv", self.dequantize(q), self.node("DequantizeLinear", *weights, axis=0), *self.bias(q, weights, outputs), **at)
        if self.rng.random() < 0.4:
            y = self.node("Relu", y)
        return self.quantize(y)

    def residual(self, q):
        other = self.quantize(self.node("Mul", self.dequantize(q), self.constant(np.float32(self.rng.uniform(-1.5, 1.5)))))
        kind = self.pick(["Add", "Add", "Mul"])
        y = self.node(kind, self.dequantize(q), self.dequantize(other))
        if self.type in (np.uint8, np.int8) and self.rng.random() < 0.4:
            scale, zero = self.parameters(self.array(y), self.type)
            return self.node(f"QLinear{kind}", *q, *other, scale, zero, domain=MS), scale, zero
        return self.quantize(self.node("Relu", y) if self.rng.random() < 0.5 else y)

    def gated(self, q, layer, axis):
        """A highway: T and H of two layers of as many outputs, or of one that is cut; layer(x, outputs)."""
        size, x = self.array(q[0]).shape[axis], self.dequantize(q)
        if self.rng.random() < 0.3:
            both = self.dequantize(self.quantize(layer(q, 2 * size)))
            h, t = (self.node("Slice", both, *(self.constant(np.array([n])) for n in (k * size, (k + 1) * size, axis))) for k in (0, 1))
        else:
            h, t = layer(q, size), layer(q, size)
            if self.rng.random() < 0.8:
                t = self.dequantize(self.quantize(t))
        h = self.node(self.pick(["Relu", "Tanh"]), self.dequantize(self.quantize(h)))
        gate = self.dequantize(self.quantize(self.node("Sigmoid", t)))
        rest = self.dequantize(self.quantize(self.node("Sub", self.constant(np.float32(1)), gate)))
        kept, h = (self.dequantize(self.quantize(v)) for v in (self.node("Mul", x, rest), self.node("Mul", gate, self.dequantize(self.quantize(h)))))
        return self.quantize(self.node("Add", h, kept))

    def highway(self, q):
        """Of an image."""
        c, r = self.array(q[0]).shape[1], self.pick([1, 3])

        def layer(q, outputs):
            weights, _ = self.weights((outputs, c, r, r), 0)
            return self.node("Conv", self.dequantize(q), self.node("DequantizeLinear", *weights, axis=0),
                             *self.bias(q, weights, outputs), pads=[r // 2] * 4)

        return self.gated(q, layer, 1)

    def rows(self, q):
        """A highway of rows."""
        def layer(q, outputs):
            weights, _ = self.weights((self.array(q[0]).shape[1], outputs), 1)
            y = self.node("MatMul", self.dequantize(q), self.node("DequantizeLinear", *weights, axis=1))
            return self.node("Add", y, *b) if (b := self.bias(q, weights, outputs)) else y

        return self.gated(q, layer, 1)

    def unary(self, q):
        x = self.dequantize(q)
        kind = self.pick(["Sigmoid", "LeakyRelu", "HardSwish", "swish", "carry", "Relu"]
                         if self.type in (np.uint8, np.int8) else ["LeakyRelu", "Relu", "HardSwish"])
        y = self.node("Sigmoid" if kind in ("swish", "carry") else kind, x)
        if kind == "swish":
            y = self.node("Mul", x, y)
        if kind == "carry":
            y = self.node("Sub", self.constant(np.float32(1)), y)
        if kind in ("Sigmoid", "LeakyRelu") and self.type in (np.uint8, np.int8) and self.rng.random() < 0.4:
            scale, zero = self.parameters(self.array(y), self.type)
            return self.node(f"QLinear{kind}", *q, scale, zero, domain=MS), scale, zero
        return self.quantize(y)

    def pool(self, q):
        x, kind = self.dequantize(q), self.pick(["MaxPool", "AveragePool", "GlobalAveragePool"])
        if kind == "GlobalAveragePool":
            y = self.node("Add", self.node("Relu", x), self.dequantize(self.quantize(self.node(kind, x))))
        else:
            y = self.node(kind, x, kernel_shape=[min(2, n) for n in self.array(x).shape[2:]],
                          strides=[1, self.pick([1, 2])])
        return self.quantize(y)

    def view(self, q):
        x = self.dequantize(q)
        kind = self.pick(["Transpose", "Concat", "Pad", "Slice"])
        if kind == "Concat":
            x = self.node("Concat", x, self.dequantize(self.unary(q)), axis=1)
        elif kind == "Transpose":
            x = self.node("Transpose", x, perm=[0, 1, 3, 2])
        elif kind == "Pad":
            x = self.node("Pad", x, self.constant(np.array([0, 0, 1, 0, 0, 1, 0, 2])))
        elif self.array(x).shape[1] > 1:
            x = self.node("Slice", x, self.constant(np.array([1])), self.constant(np.array([99])), self.constant(np.array([1])))
        return self.quantize(x)

    def narrow(self, q):
        """Integers that are clipped before they are values (QCDQ)."""
        info, ends = np.iinfo(self.array(q[0]).dtype), np.sort(self.rng.integers(0, 9, 2))
        least, most = (self.constant(np.array(int(info.min + (info.max - info.min) * part), info.dtype))
                       for part in (ends[0] / 40, 1 - (8 - ends[1]) / 40))
        return self.node("Clip", q[0], least, most), q[1], q[2]

    def joined(self, q):
        """What onnxruntime makes of Concat and Where."""
        if self.type not in (np.uint8, np.int8):
            return self.view(q)
        other, kind = self.unary(q), self.pick(["QLinearConcat", "QLinearWhere"])
        if kind == "QLinearConcat":
            y = self.node("Concat", self.dequantize(q), self.dequantize(other), axis=1)
            to = self.parameters(self.array(y), self.type)
            return self.node(kind, *to, *q, *other, domain=MS, axis=1), *to
        where = self.constant(self.rng.random(self.array(q[0]).shape) < 0.5)
        to = self.parameters(self.array(self.dequantize(q)), self.type)
        return self.node(kind, where, *q, *other, *to, domain=MS), *to

    def aside(self, q):
        """What is no image any more: outputs of their own."""
        y = self.node("ReduceMean", self.dequantize(q), self.constant(np.array([2, 3])), keepdims=1)
        to = self.parameters(self.array(y), self.type)
        if self.type in (np.uint8, np.int8):
            self.outputs.append(self.node("QLinearReduceMean", *q, *to, domain=MS, axes=[2, 3], keepdims=1))
            to = self.constant(np.float32(1 / 256)), self.constant(np.array(np.iinfo(self.type).min, self.type))
            self.outputs.append(self.node("QLinearSoftmax", *q, *to, domain=MS, axis=1, opset=13))
            self.outputs.append(self.node("ConvInteger", q[0], self.constant(self.rng.integers(-128, 128, (
                int(self.rng.integers(1, 9)), self.array(q[0]).shape[1], *np.minimum(self.array(q[0]).shape[2:], 2))).astype(np.int8)), q[2]))
        return q

    def products(self, flat, q):
        """Products whose results are floats."""
        w = self.rng.integers(-127, 128, (self.array(flat).shape[1], int(self.rng.integers(1, 12)))).astype(np.int8)
        w, zero = self.constant(w), self.constant(np.array(0, np.int8))
        step = self.constant((self.rng.random(self.array(w).shape[1]) / 99).astype(np.float32))
        bias = [self.constant(self.rng.standard_normal(self.array(w).shape[1]).astype(np.float32))] if self.rng.random() < 0.5 else []
        zeros = self.constant(np.zeros(self.array(w).shape[1], np.int8)) if self.rng.random() < 0.5 else ""
        self.outputs.append(self.node("DynamicQuantizeMatMul", flat, w, step, *([zeros, *bias] if bias or zeros else []), domain=MS))
        if self.type in (np.uint8, np.int8):
            self.outputs.append(self.node("MatMulIntegerToFloat", q[0], w, q[1], step, q[2], *([zeros, *bias] if bias else []), domain=MS))
            to = self.parameters(self.array(self.outputs[-1]), self.type)
            self.outputs.append(self.node("QLinearMatMul", *q, w, self.constant(np.float32(0.01)), zero, *to))
            c = [self.constant(self.rng.integers(-500, 500, self.array(w).shape[1]).astype(np.int32)), *to]
            self.outputs.append(self.node("QGemm", *q, w, self.constant(np.float32(0.01)), zero, *c[:int(self.rng.choice([1, 3]))], domain=MS))

    def last(self, q):
        """A fully connected layer."""
        flat = self.node("Flatten", self.dequantize(q))
        q = self.quantize(flat)
        while self.array(q[0]).shape[1] < 200 and self.rng.random() < 0.4:
            q = self.rows(q)
        inputs, outputs = self.array(flat).shape[1], int(self.rng.integers(1, 20))
        turned = self.rng.random() < 0.5
        w, _ = self.weights((outputs, inputs) if turned else (inputs, outputs), 0 if turned else 1)
        b = self.bias(q, w, outputs)
        weights = self.node("DequantizeLinear", *w, axis=0 if turned else 1)
        if b or turned:
            y = self.node("Gemm", self.dequantize(q), weights, *b, transB=int(turned))
        else:
            y = self.node("MatMul", self.dequantize(q), weights)
        self.quantize(y)
        self.products(flat, q)
        if self.type in (np.uint8, np.int8) and np.ndim(self.array(w[2])) == 0 and not turned:
            self.outputs.append(self.node("MatMulInteger", q[0], w[0], q[2], w[2]))
        return self.quantize(y)

    def model(self):
        q = self.quantize("x")
        for _ in range(int(self.rng.integers(2, 6))):
            q = self.pick([self.conv, self.conv, self.residual, self.highway, self.unary, self.pool, self.view, self.narrow, self.joined, self.aside])(q)
        if self.rng.random() < 0.6:
            q = self.last(q)
        self.outputs.append(q[0])
        self.outputs = list(dict.fromkeys(self.outputs))
        values = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(self.array(n).dtype), self.array(n).shape)
                  for n in self.outputs]
        graph = helper.make_graph(self.nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.x.shape)], values,
                                  self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(MS, 1)], ir_version=10)


def run(program, x, outputs, options, work):
    path, ys = os.path.join(work, "x.npy"), [os.path.join(work, f"y{k}.npy") for k in range(outputs)]
    np.save(path, x)
    subprocess.run([program, path, "-o", *ys, *options], check=True, capture_output=True)
    return [np.load(y) for y in ys]


def results(work, target, compiler, flags, emulate, x, outputs):
    """How, and the outputs: of each instruction set that this machine has, and of others, emulated."""
    program = compare.build_program(work, compiler, flags)
    for options in cases.levels(target):
        yield " ".join(options), run(program, x, outputs, options, work)
    if target == "x86-64" and emulate and len(cases.levels(target)) > 1 and shutil.which("clang"):
        program = compare.build_program(work, "clang", f"-O1 {FLAGS} -DNET_NO_ASM -isystem {os.path.join(HERE, 'avx512')}")
        for level in "345":
            yield f"--isa {level}, emulated", run(program, x, outputs, ["--isa", level], work)


def compiler_of(seed, target):
    """gcc and clang in turn, at every level, gcc for vector code less often; now and then what firmware has."""
    firmware = f"-DNET_SCALAR=1 -DNET_FPU=0 -D__ARM_FEATURE_DSP=1 -isystem {os.path.join(HERE, 'dsp')} {SANITIZE}" if target == "c" and seed % 3 == 0 else ""
    return "gcc" if seed % 2 and (target == "c" or seed % 8 < 4) else "clang", f"-O{seed % 4} {FLAGS} {firmware}"


def compiled(skipc, target, work, nodes, x, outputs, constants, opset=21):
    """Compiles a graph of one input, x; the folder, which is its own. outputs: name, type and shape of each."""
    folder = tempfile.mkdtemp(dir=work)
    values = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape) for n, dtype, shape in outputs]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)], values,
                              [numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items()])
    path = os.path.join(folder, "model.onnx")
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10), path)
    compare.compile_model(skipc, path, folder, options=[f"--target={target}"])
    return folder


def check(skipc, seed, target, work, compiler=None):
    """What is wrong, null: nothing; and the tally of what was compared."""
    b, tally = Builder(seed), bounds.Tally()
    path = os.path.join(work, "model.onnx")
    onnx.save(b.model(), path)
    compare.compile_model(skipc, path, work, options=[f"--target={target}"])
    build = compiler.split(" ", 1) if compiler else compiler_of(seed, target)
    for how, got in results(work, target, *build, seed % 8 == 0, b.x, len(b.outputs)):
        for name, y in zip(b.outputs, got):
            want = b.array(name)
            if y.dtype != want.dtype or y.shape != want.shape:
                return f"{name} is {y.dtype}{y.shape}, not {want.dtype}{want.shape}", tally
            found = bounds.judge(y, b.values[name])
            tally += found
            if found.beyond:
                return f"{how}: {found.beyond} of {y.size} elements of {name} differ", tally
    return None, tally


def infinite(skipc, target, work):
    """NaN and infinities are quantised to the ends of the range."""
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0.5, 1.5, -0.5], np.float32)
    numbers = {"s": np.float32(1), "u": np.array(7, np.uint8), "i": np.array(-3, np.int16)}
    folder = compiled(skipc, target, work, [helper.make_node("QuantizeLinear", ["x", "s", z], [f"y{z}"]) for z in "ui"], x,
                      [(f"y{z}", numbers[z].dtype, x.shape) for z in "ui"], numbers)
    program = compare.build_program(folder, "gcc", f"-O1 {FLAGS} -fsanitize=undefined,float-cast-overflow -fno-sanitize-recover=all")
    got = [y.tolist() for y in compare.run_program(program, {"x": x}, 2, folder)]
    want = [[0, 255, 0, 255, 0, 7, 9, 7], [-32768, 32767, -32768, 32767, -32768, -3, -1, -3]]
    return None if got == want else f"{got}, not {want}"


def sums(x, w, pads, strides=(1, 1)):
    """A convolution of integers; what is around the image is zero."""
    top, left, bottom, right = pads
    wide = np.pad(x.astype(np.int64), ((0, 0), (0, 0), (top, bottom), (left, right)))
    view = np.lib.stride_tricks.sliding_window_view(wide, w.shape[2:], axis=(2, 3))[:, :, ::strides[0], ::strides[1]]
    return np.einsum("nchwrs,kcrs->nkhw", view, w.astype(np.int64))


def convolved(skipc, target, work, x, w, pads, strides=(1, 1)):
    """The folder of a ConvInteger, and what it is to give."""
    want = sums(x, w, pads, strides)
    node = helper.make_node("ConvInteger", ["x", "w", "z", "wz"], ["y"], pads=pads, strides=strides)
    numbers = {"w": w, "z": np.array(0, np.uint8), "wz": np.array(0, np.int8)}
    return compiled(skipc, target, work, [node], x, [("y", np.int32, want.shape)], numbers), want


def differing(runs, want, what):
    for how, (got,) in runs:
        if (got != want).any():
            return f"{how}: {(got != want).sum()} of {got.size} {what} differ"
    return None


def largest(skipc, target, work):
    """Sums as large as Winograd's bound on them allows, 2^25, and larger; of weights and pixels at the ends of their range, or of
    weights whose products two by two just fit 16 bits."""
    for channels, low, high in ((112, -128, 127), (128, -128, 127), (1152, -128, 127), (1152, -64, 64)):
        rng = np.random.default_rng(channels)
        x = rng.choice([0, 255], (1, channels, 9, 7)).astype(np.uint8)
        x[:, :, :5] = 255
        w = rng.choice([low, high], (32, channels, 3, 3)).astype(np.int8)
        w[0], w[1], w[2], w[3] = high, low, rng.choice([0, high]), np.arange(9).reshape(3, 3) % 2 * high
        folder, want = convolved(skipc, target, work, x, w, [1] * 4)
        runs = results(folder, target, "gcc" if target == "c" else QUICK, f"-O2 {FLAGS}", channels > 128, x, 1)
        if wrong := differing(runs, want, f"sums of {channels} channels"):
            return wrong
    return None


def smallest(skipc, target, work):
    """Images of few pixels, whose windows are copied where no vectors are: nothing is written beside them."""
    for height, width in ((1, 1), (1, 2), (2, 1), (3, 1), (2, 3)) if target == "c" else ():
        rng = np.random.default_rng(width)
        x, w = rng.integers(0, 256, (1, 1, height, width)).astype(np.uint8), rng.integers(-128, 128, (5, 1, 3, 3)).astype(np.int8)
        folder, want = convolved(skipc, target, work, x, w, [1] * 4)
        for scalar in "01":
            runs = results(folder, target, "gcc", f"-O1 {FLAGS} -DNET_SCALAR={scalar} {SANITIZE}", False, x, 1)
            if wrong := differing(runs, want, f"sums of {height} x {width} pixels"):
                return wrong
    return None


def points(skipc, target, work):
    """Windows of one that lie outside at an end, by padding there, by a stride or by both: no row is as long as it seems."""
    rng, windows = np.random.default_rng(6), (([0, 0, 0, 1], [1, 1]), ([0, 0, 0, 1], [1, 2]), ([0, 0, 1, 0], [1, 1]), ([0, 0, 1, 0], [2, 1]),
                                              ([0, 0, 1, 1], [2, 2]), ([0, 1, 0, 0], [1, 1]))
    for channels, outputs, height, width in ((2, 4, 2, 1), (16, 16, 5, 4), (16, 32, 4, 9)):
        x = rng.integers(0, 256, (1, channels, height, width)).astype(np.uint8)
        w = rng.integers(-128, 128, (outputs, channels, 1, 1)).astype(np.int8)
        nodes = [helper.make_node("ConvInteger", ["x", "w"], [f"y{k}"], pads=pads, strides=strides) for k, (pads, strides) in enumerate(windows)]
        want = [sums(x, w, *window) for window in windows]
        folder = compiled(skipc, target, work, nodes, x, [(f"y{k}", np.int32, y.shape) for k, y in enumerate(want)], {"w": w})
        for how, got in results(folder, target, QUICK, f"-O0 {FLAGS} {SANITIZE}", False, x, len(want)):
            for window, y, other in zip(windows, got, want):
                if (y != other).any():
                    return f"{how}: {(y != other).sum()} of {y.size} windows of one, pads and strides {window}, differ"
    return None


def beside(skipc, target, work):
    """Depthwise, of rows that are shorter than a tile of pixels: nothing is written behind the last."""
    rng = np.random.default_rng(4)
    x, w = rng.integers(0, 256, (1, 32, 9, 4)).astype(np.uint8), rng.integers(-128, 128, (32, 1, 1, 1)).astype(np.int8)
    nodes = [helper.make_node("MaxPool", ["x"], ["p"], kernel_shape=[2, 1]), helper.make_node("ConvInteger", ["p", "w"], ["y"], group=32)]
    folder = compiled(skipc, target, work, nodes, x, [("y", np.int32, (1, 32, 8, 4))], {"w": w})
    want = np.maximum(x[:, :, :-1], x[:, :, 1:]).astype(int) * w.reshape(1, 32, 1, 1)
    return differing(results(folder, target, QUICK, f"-O1 {FLAGS} {SANITIZE}", False, x, 1), want, f"products of {x.shape[1]} channels")


def epilogues(skipc, target, work):
    """Behind a layer of floats, which sums whole numbers here, stand what it is quantised to and what it is added to: integers within
    an epilogue, for which every instruction set has words, plain C as well."""
    rng = np.random.default_rng(8)
    x, w = (rng.integers(-3, 4, shape).astype(np.float32) for shape in ((1, 16, 6, 6), (16, 16, 1, 1)))
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"]), helper.make_node("QuantizeLinear", ["c", "step", "zero"], ["q"]),
             helper.make_node("Relu", ["c"], ["r"]), helper.make_node("DequantizeLinear", ["q", "step", "zero"], ["d"]),
             helper.make_node("Add", ["d", "r"], ["y"])]
    folder = compiled(skipc, target, work, nodes, x, [("y", np.float32, x.shape)], {"w": w, "step": np.float32(4), "zero": np.array(-5, np.int8)})
    whole = np.einsum("nchw,kc->nkhw", x.astype(int), w[:, :, 0, 0].astype(int))
    want = (np.clip(np.rint(whole / 4) - 5, -128, 127) + 5) * 4 + np.maximum(whole, 0)
    return differing(results(folder, target, QUICK, f"-O1 {FLAGS}", False, x, 1), want, "elements of a layer with a Quantize behind it")


def judged(*_):
    """What R says is held to its bits, the rest to its bound, and no further."""
    value = quantised.Value(np.array([1, 2, 3, 0], np.float32))
    value.error = np.array([0, 1e-5, 1e-2, np.inf])
    near, far = bounds.judge(np.array([1, 2.000005, 3.005, 7], np.float32), value), bounds.judge(np.nextafter(value.array, 9) + np.float32(0.02), value)
    step = quantised.Value(np.array([4, 5, 6], np.uint8))
    step.error, step.low, step.high = np.array([0, 1, 1]), np.array([4, 5, 5]), np.array([4, 6, 6])
    got = [near, far, bounds.judge(np.array([4, 6, 5], np.uint8), step), bounds.judge(np.array([5, 4, 7], np.uint8), step)]
    want = [bounds.Tally(1, 1, 1, 0, 1, beyond) for beyond in (0, 3)] + [bounds.Tally(1, 0, 0, 2, 0, beyond) for beyond in (0, 3)]
    return None if got == want else f"judged {got}, not {want}"


CERTAIN = (judged, infinite, largest, smallest, points, beside, epilogues)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("--graphs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--targets", default="c,x86-64")
    parser.add_argument("--compiler", help="and its options, instead of gcc and clang at every level")
    a, failed, tally = parser.parse_args(), 0, bounds.Tally()
    skipc = os.path.abspath(a.skipc)
    for seed in (None, *range(a.seed, a.seed + a.graphs)):
        for target in a.targets.split(","):
            with tempfile.TemporaryDirectory(prefix="skipc-quantised-") as work:
                try:
                    if seed is None:
                        why = next(filter(None, (test(skipc, target, work) for test in CERTAIN)), None)
                    else:
                        why, found = check(skipc, seed, target, work, a.compiler)
                        tally += found
                except Exception as e:  # also what a compiler said
                    why = f"{type(e).__name__}: {e}"
            if why:
                failed += 1
                print(f"FAILED seed {seed}, --target={target}: {why[:1500]}", flush=True)
    print(f"quantised: {a.graphs} graphs, {failed} failed; {tally}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
