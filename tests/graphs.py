#!/usr/bin/env python3
"""Random graphs: what skipc makes of them against onnxruntime, within the promise of `skipc diff`.

    graphs.py [--skipc PATH] [--graphs 24] [--quantised 12] [--seed 0] [--nodes 24 | --nodes 10-60] [--jobs 2] [--quick]

So many graphs, and so many of the same quantised (quantising.py): of those each tensor is what R says (tools/quantised.py), from
ours that it is computed of; where R leaves bits open it is within the bound that follows (tools/bounds.py). What was held to what is
counted and printed.

A graph grows node by node from one image or a batch of rows: layers, pools, activations, sums, products, gates and
views in any order, with residual and highway sums among them, so that rewrites, fusion, regions and plans meet in ways
that no exporter's file has. What fails is kept in build/graphs, with the seed that makes it again.
"""
import argparse
import concurrent.futures
import itertools
import os
import random
import shutil
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))
import bounds  # noqa: E402
import compare  # noqa: E402
import quantised  # noqa: E402
import quantising  # noqa: E402
import run  # noqa: E402

BUILDS = {"c": ("gcc", "-O0 -Wall -Wextra -Werror -fsanitize=address,undefined"), "x86-64": (run.QUICK, "-O1")}
QUICK = {"c": ("tcc", "") if shutil.which("tcc") else ("gcc", "-O0"), "x86-64": ("gcc", "-O0")}  # many more graphs an hour
HEADERS = "float limits stddef stdint stdio stdlib string time immintrin"  # of generated code
KEPT = os.path.join(HERE, "..", "build", "graphs")
LARGEST = 4096  # elements of a tensor


class Graph:
    """Nodes, and the shape of every value so far."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.nodes, self.constants, self.shapes = [], [], {}
        self.whole = set()  # values that are integers or bool, and only read
        image = [1, self.random.choice((3, 4, 8, 16)), self.random.choice((5, 8)), self.random.choice((6, 8))]
        shape = self.random.choice((image, image, [self.random.choice((1, 3)), self.random.choice((8, 12))], [2, 5, 8]))
        self.inputs = {f"x{k}": shape for k in range(self.random.choice((1, 1, 2)))}
        self.shapes.update(self.inputs)

    def constant(self, *shape, scale=1.0, around=0.0, value=None):
        name = f"c{len(self.constants)}"
        value = around + scale * self.numbers.standard_normal(shape).astype(np.float32) if value is None else value
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def integers(self, *values):
        return self.constant(value=np.array(values, np.int64))

    def op(self, kind, *inputs, outputs=1, **attributes):
        """Names of the outputs; None where the model would not be valid or too large."""
        names = [f"v{len(self.nodes)}_{k}" for k in range(outputs)]
        node = helper.make_node(kind, inputs, names, name=f"n{len(self.nodes)}", **attributes)
        shapes = [helper.make_tensor_value_info(n, TensorProto.FLOAT, self.shapes[n]) for n in inputs if n in self.shapes]
        used = [c for c in self.constants if c.name in inputs]
        outs = [helper.make_empty_tensor_value_info(n) for n in names]
        model = helper.make_model(helper.make_graph([node], "n", shapes, outs, used),
                                  opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        try:
            known = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph.output
        except Exception:  # onnx has several
            return None
        found = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in known}
        if any(min(s, default=1) < 1 or np.prod(s) > LARGEST for s in found.values()):
            return None
        self.nodes.append(node)
        self.shapes.update(found)
        return names

    def one(self, kind, *inputs, **attributes):
        made = self.op(kind, *inputs, **attributes) if None not in inputs else None
        return made and made[0]

    def value(self, like=None):
        """One of the last values, or one of a given shape."""
        names = [n for n in self.shapes if n not in self.whole and (like is None or self.shapes[n] == self.shapes[like])]
        return self.random.choice(names[-6:])

    # what may be added to the graph

    def layer(self, x, keep=False):
        """Conv, or MatMul and Add; with the shape of x if `keep`."""
        shape, pick = self.shapes[x], self.random.choice
        if len(shape) != 4:
            width = shape[-1] if keep else pick((shape[-1], 8, 12))
            y = self.one("MatMul", x, self.constant(shape[-1], width, scale=shape[-1] ** -0.5))
            return self.one("Add", y, self.constant(width, scale=0.1)) if pick((0, 1, 1)) else y
        channels = shape[1]
        group = pick([g for g in (1, 1, 1, 2, 4, channels) if channels % g == 0])
        k = channels if keep else pick((1, 2, 4)) * group
        size, stride = pick((1, 3, 3, 5)), 1 if keep else pick((1, 1, 2))
        pads = [size // 2] * 4 if keep or pick((0, 1, 1)) else [pick((0, 1)) for _ in range(4)]
        w = self.constant(k, channels // group, size, size, scale=(channels // group) ** -0.5 / size)
        bias = [self.constant(k, scale=0.1)] * pick((0, 1))
        y = self.one("Conv", x, w, *bias, pads=pads, strides=[stride, stride], group=group)
        return self.normalised(y) if y and pick((0, 1)) else y

    def transposed(self, x):
        shape, pick = self.shapes[x], self.random.choice
        if len(shape) != 4:
            return None
        channels, stride, size = pick((1, 2, 4)), pick((1, 2, 2, 3)), pick((1, 2, 3, 4))
        w = self.constant(shape[1], channels, size, size, scale=shape[1] ** -0.5 / size)
        y = self.one("ConvTranspose", x, w, *[self.constant(channels, scale=0.1)] * pick((0, 1)), strides=[stride, stride],
                     pads=[pick((0, 1)) for _ in range(4)], output_padding=[pick((0, stride - 1))] * 2)
        return self.normalised(y) if y and pick((0, 1)) else y

    def computed_weights(self, x):
        """Of a layer on itself, as dynamic convolutions and attention have them."""
        shape = self.shapes[x]
        if len(shape) != 4:
            return self.one("MatMul", x, self.one("Transpose", x, perm=[*range(len(shape) - 2), len(shape) - 1, len(shape) - 2]))
        w = self.one("Tanh", self.one("Reshape", x, self.integers(-1, shape[1], 1, 1)))
        return self.one("Conv", x, w) if w and self.shapes[w][0] <= 32 else None

    def normalised(self, x):
        k = self.shapes[x][1]
        scale, shift, mean = (self.constant(k, scale=0.2, around=a) for a in (1.0, 0.0, 0.0))
        return self.one("BatchNormalization", x, scale, shift, mean, self.constant(value=np.ones(k, np.float32)))

    def activation(self, x):
        kind = self.random.choice(("Relu", "Relu", "Sigmoid", "Tanh", "HardSigmoid", "LeakyRelu", "Elu", "Neg", "Abs", "Softplus",
                                   "Atan", "Asinh", "Cosh", "Erf", "Sin", "HardSwish", "Softsign"))
        return self.one(kind, x)

    def gate(self, x):
        y = self.layer(x, keep=True)
        if y and self.random.random() < 0.3:
            y = self.one("Tanh", self.one("Mul", y, self.constant(value=np.float32(0.5))))
            return self.one("Mul", self.one("Add", y, self.constant(value=np.float32(1))), self.constant(value=np.float32(0.5)))
        return self.one("Sigmoid", y)

    def highway(self, x):
        h, t = self.layer(x, keep=True), self.gate(x)
        h = h and self.one(self.random.choice(("Relu", "Tanh")), h)
        form = self.random.randrange(4)
        if form == 0:
            less = self.one("Sub", self.constant(value=np.float32(1)), t)
            return self.one("Add", self.one("Mul", h, t), self.one("Mul", x, less))
        if form == 1:
            return self.one("Add", x, self.one("Mul", t, self.one("Sub", h, x)))
        if form == 2:
            return self.one("Sub", h, self.one("Mul", self.one("Sub", h, x), t))
        return self.one("Add", self.one("Mul", h, t), self.one("Mul", x, self.gate(x)))

    def residual(self, x):
        y = self.layer(x, keep=True)
        y = self.activation(y) if self.random.random() < 0.5 else y
        y = self.one("Mul", y, self.constant(value=np.float32(0.3))) if self.random.random() < 0.2 else y
        y = self.one("Add", *self.random.sample((x, y), 2)) if y else None
        return self.one("Relu", y) if self.random.random() < 0.5 else y

    def pair(self, x):
        return self.one(self.random.choice(("Add", "Add", "Sub", "Mul", "Max", "Min")), x, self.value(like=x))

    def affine(self, x):
        shape = self.shapes[x]
        c = self.random.choice(([1], shape[-1:], shape[1:2] + [1] * max(0, len(shape) - 2)))
        return self.one(self.random.choice(("Add", "Mul", "Sub", "Div")), x, self.constant(*c, scale=0.1, around=1.0))

    def selection(self, x):
        """By what an input is greater than: the same bits on both sides, so that both select the same."""
        test = self.one("Greater", next(iter(self.inputs)), self.constant(value=np.float32(0.1)))
        self.whole.add(test)
        return self.one("Where", test, x, self.value(like=x)) if self.shapes[x] == next(iter(self.inputs.values())) else None

    def transpose(self, x):
        rank = len(self.shapes[x])
        there = self.random.sample(range(rank), rank)
        y = self.one("Transpose", x, perm=there)
        y = self.activation(y) if self.random.random() < 0.5 else y
        back = sorted(range(rank), key=there.__getitem__)
        return self.one("Transpose", y, perm=back) if self.random.random() < 0.7 else y

    def reshape(self, x):
        shape, at = self.shapes[x], self.random.randrange(len(self.shapes[x]))
        if self.random.random() < 0.5 and at + 1 < len(shape):
            return self.one("Reshape", x, self.integers(*shape[:at], shape[at] * shape[at + 1], *shape[at + 2:]))
        cut = [d for d in (2, 3, 4) if shape[at] % d == 0]
        return self.one("Reshape", x, self.integers(*shape[:at], cut[0], -1, *shape[at + 1:])) if cut and len(shape) < 5 else None

    def slice(self, x):
        axis = self.random.randrange(len(self.shapes[x]))
        n = self.shapes[x][axis]
        start, step = self.random.randrange(n), self.random.choice((1, 1, 2, -1))
        end = self.random.randrange(start, n) + 1 if step > 0 else -n - 1
        return self.one("Slice", x, self.integers(start), self.integers(end), self.integers(axis), self.integers(step))

    def parts(self, x):
        axis = self.random.randrange(len(self.shapes[x]))
        n = self.shapes[x][axis]
        if n < 2:
            return None
        first = self.random.randrange(1, n)
        two = self.op("Split", x, self.integers(first, n - first), outputs=2, axis=axis)
        if not two or self.random.random() < 0.4:
            return two and two[0]
        two = [self.activation(p) if self.random.random() < 0.5 else p for p in two]
        return self.one("Concat", *self.random.sample(two, 2), axis=axis)

    def concat(self, x):
        return self.one("Concat", x, self.value(like=x), axis=self.random.randrange(len(self.shapes[x])))

    def pad(self, x):
        pads = [self.random.choice((0, 0, 1, 2)) for _ in range(2 * len(self.shapes[x]))]
        mode = self.random.choice(("constant", "constant", "edge"))
        return self.one("Pad", x, self.integers(*pads), mode=mode)

    def pool(self, x):
        if len(self.shapes[x]) != 4:
            return self.one("ReduceMean", x, axes=[self.random.randrange(len(self.shapes[x]))], keepdims=1)
        if self.random.random() < 0.25:
            scaled = self.one("Sigmoid", self.layer(self.one("GlobalAveragePool", x), keep=True) or None)
            return self.one("Mul", x, scaled)
        if min(self.shapes[x][2:]) < 3:  # skipc refuses windows that are larger than what they slide over
            return None
        kind, size = self.random.choice(("MaxPool", "AveragePool")), self.random.choice((2, 3))
        return self.one(kind, x, kernel_shape=[size, size], strides=[self.random.choice((1, 2))] * 2,
                        pads=[self.random.choice((0, 1))] * 4, ceil_mode=self.random.choice((0, 0, 1)))

    def indices(self, shape, n, low=0):
        return self.constant(value=self.numbers.integers(low, n, shape))

    def pick(self, x):
        """Elements at constant indices: along an axis, of a grid, or anywhere."""
        shape, pick = self.shapes[x], self.random.choice
        axis, rank = self.random.randrange(len(shape)), len(shape)
        form = self.random.randrange(4)
        if form == 0:
            return self.one("Gather", x, self.indices(pick(((3,), (2, 2), (1,))), shape[axis], -shape[axis]), axis=axis)
        if form == 1:
            places = [*shape[:axis], pick((1, 2, shape[axis])), *shape[axis + 1:]]
            return self.one("GatherElements", x, self.indices(places, shape[axis], -shape[axis]), axis=axis)
        depth = self.random.randrange(1, max(2, rank + (form == 2)))
        return self.one("GatherND", x, self.places(shape[:depth], form == 2))

    def places(self, shape, anywhere):
        """Index tuples into these dimensions, no two the same: of a grid unless `anywhere`."""
        lists = [self.random.sample(range(n), self.random.randrange(1, n + 1)) for n in shape]
        grid = np.stack(np.meshgrid(*lists, indexing="ij"), -1)
        if anywhere:
            grid = self.numbers.permutation(grid.reshape(-1, len(shape)))[:7]
        return self.constant(value=grid.astype(np.int64))

    def pick_at_run_time(self, x):
        """By where an input is greatest: the same on both sides."""
        source, axis = next(iter(self.inputs)), self.random.randrange(len(self.shapes[x]))
        over = [a for a, n in enumerate(self.inputs[source]) if n <= self.shapes[x][axis]]
        at = over and self.one("ArgMax", source, axis=self.random.choice(over), keepdims=0)
        if not at:
            return None
        y = self.one("Gather", x, self.one("Flatten", at, axis=0), axis=axis) if len(self.shapes[x]) > 3 else self.one("Gather", x, at, axis=axis)
        self.whole.update(n.output[0] for n in self.nodes if n.op_type == "ArgMax" or n.input[0] == at and n.op_type == "Flatten")
        return y

    def assign(self, x):
        """Updates at constant places, in place of what is there or joined to it."""
        shape = self.shapes[x]
        rank, how = len(shape), self.random.choice(("none", "none", "add", "mul"))
        if self.random.random() < 0.4:
            axis = self.random.randrange(rank)
            count = self.random.randrange(1, shape[axis] + 1)
            y = self.one("Slice", x, self.integers(0), self.integers(count), self.integers(axis))
            at = np.array(self.random.sample(range(shape[axis]), count)).reshape([-1 if k == axis else 1 for k in range(rank)])
            at = np.broadcast_to(at, [*shape[:axis], count, *shape[axis + 1:]]).copy()
            y = self.activation(y) if y and self.random.random() < 0.5 else y
            return self.one("ScatterElements", x, self.constant(value=at), y, axis=axis, reduction=how)
        depth = self.random.randrange(1, rank + 1)
        at = self.places(shape[:depth], self.random.random() < 0.4)
        y = self.one("GatherND", x, at)
        y = self.activation(y) if y and self.random.random() < 0.7 else y
        return self.one("ScatterND", x, at, y, reduction=how)

    def ordered(self, x):
        axis = self.random.randrange(len(self.shapes[x]))
        k = self.random.randrange(1, self.shapes[x][axis] + 1)
        two = self.op("TopK", x, self.integers(k), outputs=2, axis=axis, largest=self.random.choice((0, 1)))
        if two:
            self.whole.add(two[1])
        return two and two[0]

    def running(self, x):
        axis = self.constant(value=np.int64(self.random.randrange(len(self.shapes[x]))))
        return self.one("CumSum", x, axis, reverse=self.random.choice((0, 1)), exclusive=self.random.choice((0, 1)))

    def blocks(self, x):
        if len(self.shapes[x]) != 4:
            return self.one("Trilu", x, upper=self.random.choice((0, 1)))
        if self.shapes[x][1] % 4 == 0 and self.random.random() < 0.6:
            return self.one("DepthToSpace", x, blocksize=2, mode=self.random.choice(("DCR", "CRD")))
        return self.one("SpaceToDepth", x, blocksize=2) if not any(n % 2 for n in self.shapes[x][2:]) else None

    def sample(self, x):
        shape, pick = self.shapes[x], self.random.choice
        if len(shape) != 4:
            return None
        grid = self.constant(value=self.numbers.uniform(-1.5, 1.5, (shape[0], pick((2, 5)), pick((1, 6)), 2)).astype(np.float32))
        return self.one("GridSample", x, grid, mode=pick(("bilinear", "bicubic")), align_corners=pick((0, 1)),
                        padding_mode=pick(("zeros", "border", "reflection")))

    def resize(self, x):
        """The image, or the last dimension of what is none."""
        shape, pick = self.shapes[x], self.random.choice
        scales = [1] * (len(shape) - 1) + [pick((0.5, 1.3, 2))]
        if len(shape) == 4:
            scales[2] = pick((1, 0.6, 2))
        how = {"mode": pick(("nearest", "linear", "linear", "cubic"))} if len(shape) == 4 else {"mode": "nearest"}
        if how["mode"] == "nearest":
            how.update(nearest_mode="floor", coordinate_transformation_mode="asymmetric")
        if [int(n * scale) for n, scale in zip(shape, scales)] == shape and max(scales) != 1:
            return None  # onnxruntime copies: DESIGN.md, Numerics
        return self.one("Resize", x, "", self.constant(value=np.float32(scales)), **how)

    def softmax(self, x):
        return self.one("Softmax", x, axis=self.random.randrange(len(self.shapes[x])))

    GROWTH = {layer: 4, transposed: 1, computed_weights: 1, activation: 4, highway: 3, residual: 4, pair: 4, affine: 2, selection: 1, transpose: 2, reshape: 2,
              slice: 2, parts: 2, concat: 1, pad: 1, pool: 1, resize: 1, softmax: 1,
              pick: 2, pick_at_run_time: 1, assign: 2, ordered: 1, running: 1, blocks: 1, sample: 1}

    def grow(self, nodes):
        kinds, weights = list(self.GROWTH), list(self.GROWTH.values())
        while len(self.nodes) < nodes:
            self.random.choices(kinds, weights)[0](self, self.value())

    def model(self):
        """With every value that nobody reads as an output, and sometimes one that is read."""
        read = {i for n in self.nodes for i in n.input}
        made = [o for n in self.nodes for o in n.output if o not in self.whole]
        outputs = [o for o in made if o not in read or self.random.random() < 0.03]
        value = lambda n: helper.make_tensor_value_info(n, TensorProto.FLOAT, self.shapes[n])
        graph = helper.make_graph(self.nodes, "random", [value(n) for n in self.inputs], [value(n) for n in outputs],
                                  self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def floats_of(model, feeds):
    """All values of floats by name, as onnxruntime has them."""
    every = onnx.ModelProto()
    every.CopyFrom(model)
    names = {o.name for o in model.graph.output}
    every.graph.output.extend(onnx.ValueInfoProto(name=o) for n in model.graph.node for o in n.output if o not in names)
    found = compare.run_session(compare.onnxruntime_session("", every, optimise=False), None, feeds)
    values = {o.name: y for o, y in zip(every.graph.output, found)} | feeds
    return {n: y for n, y in values.items() if y.dtype == np.float32 and y.size}


def beside_onnxruntime(skipc, model, seed, target, build, work):
    """What is wrong; None: nothing."""
    path, feeds = os.path.join(work, "model.onnx"), compare.random_inputs(model, {}, seed)
    names = [o.name for o in model.graph.output]
    theirs = compare.run_session(compare.onnxruntime_session(path, optimise=False), None, feeds)
    compare.compile_model(skipc, path, work, options=[f"--target={target}"])
    ours = compare.run_program(compare.build_program(work, *build), feeds, len(names), work)
    judge = compare.Judge(model, feeds, compare.FAST)
    bad = [r for r in (judge.judge(*row) for row in zip(names, ours, theirs)) if not r.ok]
    return f"{bad[0].name}: {bad[0].relative:.1e} {bad[0].note}" if bad else None


def beside_r(skipc, model, seed, target, build, work):
    """Each tensor of a quantised graph as R has it, from ours that it is computed of; and the tally of all."""
    trace, feeds = os.path.join(work, "trace"), compare.random_inputs(model, {}, seed)
    os.mkdir(trace)
    compare.compile_model(skipc, os.path.join(work, "model.onnx"), work, options=[f"--target={target}", "--trace"])
    program = compare.build_program(work, *build)
    names = [o.name for o in model.graph.output]
    ours = dict(zip(names, compare.run_program(program, feeds, len(names), work, trace=trace)))
    ours = compare.traced_tensors(work, trace) | ours
    r = quantised.values(model, feeds, ours, winograd=target != "c")
    found = {n: bounds.judge(y, r[n]) for n, y in ours.items() if n in r}
    bad = [f"{n}: {t.beyond} of {ours[n].size} elements are beyond" for n, t in found.items() if t.beyond]
    return bad[0] if bad else None if found else "nothing was compared", sum(found.values(), bounds.Tally())


def check(skipc, seed, nodes, target, build, quantise=False):
    """What is wrong; None: nothing. And what was held to what, of a quantised graph that was computed; or None."""
    graph = Graph(seed)
    graph.grow(nodes)
    model = graph.model()
    with tempfile.TemporaryDirectory(prefix="skipc-graphs-") as work:
        path, wrong, tally = os.path.join(work, "model.onnx"), None, None
        try:
            if quantise:
                values = floats_of(model, compare.random_inputs(model, {}, seed))
                finite = {n: y for n, y in values.items() if np.isfinite(y).all()}  # others have no steps
                model = quantising.quantised(graph, model, finite, seed)
            onnx.save(model, path)
            if quantise:
                wrong, tally = beside_r(skipc, model, seed, target, build, work)
            else:
                wrong = beside_onnxruntime(skipc, model, seed, target, build, work)
        except NotImplementedError as e:  # of the evaluator
            wrong = str(e)
        except compare.Stop as stop:
            wrong = str(stop) if stop.status != 4 else None
        if wrong:
            os.makedirs(KEPT, exist_ok=True)
            shutil.copy(path, os.path.join(KEPT, f"{seed}{'q' * quantise}.onnx"))
    return wrong, tally


def quick(folder, flags="-O0"):
    """QUICK, and clang with the headers precompiled where it is installed: on vector code a ninth of gcc's time."""
    if not shutil.which("clang"):
        return QUICK | {"x86-64": ("gcc", flags)}
    header = os.path.join(folder, "all.h")
    with open(header, "w") as f:
        f.write("".join(f"#include <{h}.h>\n" for h in HEADERS.split()))
    compare.build("clang", [*flags.split(), "-x", "c-header", header], header + ".pch")
    return QUICK | {"x86-64": ("clang", f"{flags} -include-pch {header}.pch")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("--graphs", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0, help="of the first graph")
    parser.add_argument("--nodes", default="24", help="of a graph, at least; LEAST-MOST: by its seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quantised", type=int, default=12, help="graphs that are quantised")
    parser.add_argument("--quick", action="store_true", help="build without optimisation and sanitizers")
    a = parser.parse_args()
    skipc, failed, tallies = os.path.abspath(a.skipc), 0, []
    least, most = (int(n) for n in (a.nodes.split("-") * 2)[:2])
    with tempfile.TemporaryDirectory(prefix="skipc-graphs-") as work, concurrent.futures.ProcessPoolExecutor(a.jobs) as pool:
        builds = quick(work) if a.quick else BUILDS
        jobs = [(seed, target, quantise, pool.submit(check, skipc, seed, least + seed % (most - least + 1), target, builds[target], quantise))
                for quantise, graphs in ((False, a.graphs), (True, a.quantised))
                for seed, target in zip(range(a.seed, a.seed + graphs), itertools.cycle(("c", "x86-64")))]
        for seed, target, quantise, job in jobs:
            try:
                fault, tally = job.result()
                tallies += [tally] if tally else []
            except (ValueError, IndexError) as e:  # of the one who draws the graph
                fault = f"no graph: {e}"
            if fault:
                failed += 1
                print(f"graphs.py: seed {seed}{', quantised' * quantise}, --target={target}: {fault}", flush=True)
    print(f"graphs.py: {a.graphs} graphs and {a.quantised} quantised, {failed} failed" + (": build/graphs has them" if failed else ""))
    if a.quantised:
        print(f"of {len(tallies)} quantised graphs {sum(tallies, bounds.Tally())}; {a.quantised - len(tallies)} were not compared")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
