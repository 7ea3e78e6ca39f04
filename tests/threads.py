#!/usr/bin/env python3
"""Kernels that threads share: the same bits for any number of workers, in any order, on every instruction set.

    threads.py [--skipc PATH]

Networks that have every kind of kernel which is cut in parts, of a batch of one and of three, are run by
programs/threads.c: serially, by callbacks that take the indices in other orders with other workers, and by the pool of
runtime/; the larger one built plainly, the smaller one under the thread and the address sanitizers.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from run import QUICK

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SANITIZE = f"{QUICK} -O0 -g -fno-sanitize-recover=all -fsanitize="  # optimised, such a network takes minutes to build
BUILDS = [  # name, batch, side of the image behind the first layer, compiler
    ("plain", 3, 24, f"{QUICK} -O1"),
    ("threads", 1, 16, SANITIZE + "thread -D__SANITIZE_THREAD__"),  # which clang 14 does not define
    ("addresses", 1, 16, SANITIZE + "address"),
]
CUT = set("""conv conv_gemm conv_indirect conv_planar conv_narrow depthwise linear_vector linear_gemm matmul matmul_gemm maxpool
avgpool mean softmax normalize resize argmax map""".split())  # rows of kernels.def that the network must show in parts


class Builder:
    def __init__(self, batch, side):
        self.random = np.random.default_rng(7)
        self.nodes, self.constants, self.batch, self.side = [], [], batch, side

    def constant(self, array):
        self.constants.append(numpy_helper.from_array(array, f"c{len(self.constants)}"))
        return self.constants[-1].name

    def node(self, op, *inputs, **attributes):
        self.nodes.append(helper.make_node(op, list(inputs), [f"t{len(self.nodes)}"], **attributes))
        return self.nodes[-1].output[0]

    def weights(self, *shape):
        fan = max(1, int(np.prod(shape[1:])))
        return self.constant((self.random.standard_normal(shape) / fan**0.5).astype(np.float32))

    def conv(self, x, outputs, channels, size, **attributes):
        attributes = {"pads": [size // 2] * 4, **attributes}
        bias = self.weights(outputs)
        return self.node("Conv", x, self.weights(outputs, channels, size, size), bias, **attributes)

    def model(self):
        shape = [self.batch, 3, 2 * self.side, 2 * self.side]
        x = self.node("Relu", self.conv("x", 32, 3, 7, strides=[2, 2]))  # 32 x side x side, of planes
        x = self.node("MaxPool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        x = self.node("Relu", self.conv(x, 128, 32, 1))  # indirect
        x = self.node("Relu", self.conv(x, 80, 128, 3))  # several chunks, a narrow last block
        h, t = self.node("Relu", self.conv(x, 80, 80, 3)), self.node("Sigmoid", self.conv(x, 80, 80, 3))
        carried = self.node("Mul", x, self.node("Sub", self.constant(np.float32([1])), t))
        x = self.node("Add", self.node("Mul", h, t), carried)  # a highway layer: two convolutions in one kernel
        x = self.node("Relu", self.conv(x, 80, 20, 3, group=4))
        x = self.node("Add", x, self.conv(x, 80, 5, 3, group=16))
        x = self.node("Add", x, self.conv(x, 80, 4, 3, group=20))
        x = self.node("Relu", self.conv(x, 80, 1, 3, group=80))
        x = self.node("Add", x, self.conv(x, 80, 1, 3, group=80, dilations=[1, 16], pads=[1, 16, 1, 16]))
        x = self.node("Add", x, self.node("Transpose", x, perm=[0, 1, 3, 2]))
        x = self.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        scales = self.constant(np.float32([1, 1, 2, 2]))
        x = self.node("Resize", x, "", scales, mode="linear", coordinate_transformation_mode="half_pixel")
        best = self.node("Cast", self.node("ArgMax", x, axis=1), to=TensorProto.FLOAT)
        x = self.node("Add", x, best)
        rows = self.node("Reshape", x, self.constant(np.int64([self.batch, 80, self.side ** 2])))
        rows = self.node("Transpose", rows, perm=[0, 2, 1])  # side² x 80
        scale, shift = self.weights(80), self.weights(80)
        rows = self.node("LayerNormalization", rows, scale, shift, axis=-1)
        h, t = (self.node(f, self.node("MatMul", rows, self.weights(80, 80))) for f in ("Tanh", "Sigmoid"))
        carried = self.node("Mul", rows, self.node("Sub", self.constant(np.float32([1])), t))
        rows = self.node("Add", self.node("Mul", h, t), carried)  # a highway layer that overwrites its input
        rows = self.node("MatMul", rows, self.weights(80, 96))
        rows = self.node("MatMul", self.node("Tanh", rows), self.weights(96, 96))
        products = self.node("MatMul", self.node("Transpose", rows, perm=[0, 2, 1]), rows)  # 96 x 96
        rows = self.node("MatMul", self.node("Softmax", rows, axis=-1), products)
        few = self.node("Slice", products, *(self.constant(np.int64([v])) for v in (0, 12, 2)))
        few = self.node("MatMul", rows, few)  # too few columns for small products
        rows = self.node("Add", rows, self.node("ReduceMean", few, axes=[2], keepdims=1))
        mean = self.node("ReduceMean", rows, axes=[1], keepdims=0)
        mean = self.node("Relu", self.node("Gemm", mean, self.weights(96, 2048)))
        y = self.node("Gemm", mean, self.weights(2048, 300))
        value = helper.make_tensor_value_info
        graph = helper.make_graph(self.nodes, "g", [value("x", TensorProto.FLOAT, shape)],
                                  [value(y, TensorProto.FLOAT, [self.batch, 300])], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(command):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=ROOT)
    if result.returncode != 0:
        raise SystemExit(f"threads.py: {' '.join(map(str, command))}\nexit status {result.returncode}\n{result.stderr[-3000:]}")
    return result.stdout


def check(skipc, name, batch, side, compiler):
    """The rows of the kernels that are cut."""
    with tempfile.TemporaryDirectory() as work:
        path, program = os.path.join(work, "net.onnx"), os.path.join(work, name)
        onnx.save(Builder(batch, side).model(), path)
        kernels = json.loads(run([skipc, "inspect", "--json", "--target=x86-64", path]))["kernels"]
        cut = [k["row"] for k in kernels if k["parts"] > 1]
        assert any(k["row"] == "linear_gemm" and k["in_place"] and k["parts"] > 1 for k in kernels), "none in place"
        run([skipc, "compile", path, "--target=x86-64", "--name", "net", "--weights=incbin", "-o", work])
        sources = [os.path.join(work, f) for f in sorted(os.listdir(work)) if f.endswith(".c")]
        run([*compiler.split(), "-Wall", "-Wextra", "-I", work, "-Iruntime", *sources, "runtime/skipc_pool.c",
             "tests/programs/threads.c", "-o", program, "-lpthread"])
        calls = int(run([program]))
        assert calls == (0 if name == "threads" else len(cut)), f"{calls} calls of parallel_for"
        print(f"threads.py: {name}, batch {batch}: {len(cut)} of {len(kernels)} kernels shared, the same bits", flush=True)
        return set(cut)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(ROOT, "build", "skipc"))
    skipc = os.path.abspath(parser.parse_args().skipc)
    cut = set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for rows in pool.map(lambda build: check(skipc, *build), BUILDS):
            cut |= rows
    assert CUT <= cut, f"not cut: {CUT - cut}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
