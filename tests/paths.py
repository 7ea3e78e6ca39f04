#!/usr/bin/env python3
"""`skipc paths` against enumeration, on random nets of nested and n-ary sums, gates and projections.

    paths.py [--skipc PATH] [--graphs N] [--seed N] [--large MODEL]

A net is built with the lengths of its paths, one by one: so 20 blocks are a million of them. What is nested is written
as sums of sums, which skipc sees flat. --large times one model (tools/networks.py cifar_resnet1202), whose n blocks
must have binomially distributed paths.
"""
import argparse
import collections
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, MOST = 4, 40000  # units of each layer; paths that one random net may have


class Net:
    """A value is its name and the lengths of all paths to it, one by one."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.nodes, self.weights = [], []

    def node(self, op, *inputs, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=f"/{op}_{len(self.nodes)}", **attributes))
        return name

    def constant(self, *shape):
        k = len(self.weights)
        v = np.random.default_rng(k).standard_normal(shape).astype(np.float32)
        self.weights.append(numpy_helper.from_array(v, f"w{k}"))
        return f"w{k}"

    def layer(self, x, active=True):
        y = self.node("MatMul", x[0], self.constant(WIDTH, WIDTH))
        return (self.node("Relu", y) if active else y), x[1]

    def layers(self, x):
        return self.layer(self.layer(x), active=self.random.random() < 0.5)

    def add(self, terms):
        """terms: values and what is longer through each."""
        lengths = [n + more for (_, paths), more in terms for n in paths]
        names = [name for (name, _), _ in terms]
        if len(names) > 2 and self.random.random() < 0.5:
            return self.node("Sum", *names), lengths
        total = names[0]
        for name in names[1:]:
            total = self.node("Add", *self.random.sample([total, name], 2))
        return total, lengths

    def block(self, x, y):
        """y is the result of a block that carries x. For tests/drop.py."""
        return y

    def residual(self, x):
        return self.block(x, self.add([(x, 0), (self.layers(x), 1)]))

    def wide(self, x):
        return self.block(x, self.add([(x, 0)] + [(self.layers(x), 1) for _ in range(self.random.randint(2, 3))]))

    def projection(self, x):
        return self.add([(self.layer(x, active=False), 0), (self.layers(x), 1)])

    def nested(self, x):
        """x + (z + G(z)), z = F(x), perhaps deeper: one flat sum, but for what is active between."""
        z = self.layer(x)
        for _ in range(self.random.randint(1, 2)):
            z = self.net(z, 1) if self.random.random() < 0.3 else self.residual(z)
        if self.random.random() < 0.3:
            z = (self.node("Relu", z[0]), z[1])
        return self.block(x, self.add([(x, 0), (z, 1)]))

    def twice(self, x):
        """x + (u + A(u)) + (v + B(v)): two blocks side by side in a third."""
        sides = [self.residual(self.layer(x)) for _ in range(2)]
        return self.add([(x, 0)] + [(s, 1) for s in sides])

    def highway(self, x):
        """The gate is no path."""
        t = self.node("Sigmoid", self.node("MatMul", x[0], self.constant(WIDTH, WIDTH)))
        c = self.node("Sub", self.weight_one(), t)
        h = self.layer(x)
        y = self.node("Add", self.node("Mul", h[0], t), self.node("Mul", x[0], c))
        return self.block(x, (y, x[1] + [n + 1 for n in h[1]]))

    def weight_one(self):
        self.weights.append(numpy_helper.from_array(np.ones(1, np.float32), f"one{len(self.weights)}"))
        return self.weights[-1].name

    def net(self, x, units):
        for _ in range(units):
            kinds = [self.residual, self.wide, self.projection, self.nested, self.twice, self.highway]
            unit = self.random.choices(kinds, [4, 1, 1, 2, 1, 2])[0]
            if len(x[1]) > MOST / 40:
                break
            x = unit(x)
            if self.random.random() < 0.5:
                x = (self.node("Relu", x[0]), x[1])
        return x

    def save(self, path, outputs):
        values = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, WIDTH]) for n in names]
                  for names in (["x"], outputs)]
        graph = helper.make_graph(self.nodes, "net", *values, self.weights)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def counted(skipc, path):
    done = subprocess.run([skipc, "paths", "--json", path], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"paths.py: {path}: exit status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def compare(skipc, path, outputs, what):
    report = counted(skipc, path)
    if [o["name"] for o in report["outputs"]] != [name for name, _ in outputs]:
        sys.exit(f"paths.py: {what}: {report['outputs']}")
    for (name, paths), o in zip(outputs, report["outputs"]):
        want = collections.Counter(paths)
        have = {row["blocks"]: int(row["paths"]) for row in o["lengths"] if int(row["paths"])}
        if dict(want) != have or int(o["paths"]) != len(paths):
            sys.exit(f"paths.py: {what}, output {name}: counted {have}, there are {dict(sorted(want.items()))}: see {path}")
        if (o["least"], o["most"]) != (min(want), max(want)) or abs(o["mean"] - sum(paths) / len(paths)) > 1e-6:
            sys.exit(f"paths.py: {what}: {o}")
        for row in o["lengths"]:
            if abs(row["share"] - want[row["blocks"]] / len(paths)) > 1e-8:
                sys.exit(f"paths.py: {what}: {row}")


def chain(skipc, folder, depth):
    """As many residual blocks one behind the other: 2^depth paths, each built by itself."""
    net = Net(depth)
    x = net.layer(("x", [0]))
    for _ in range(depth):
        x = net.residual(x)
    path = os.path.join(folder, f"chain{depth}.onnx")
    net.save(path, [x[0]])
    compare(skipc, path, [x], f"{depth} blocks")


def write_deep(folder, depth):
    path = os.path.join(folder, "deep.skipc")
    with open(path, "w", encoding="utf-8") as f:
        f.write("input %x0 : f32[1,4]\nconst @w : f32[4,4] = fill(1)\n")
        for k in range(depth):
            f.write(f"%l{k} = Linear(%x{k}, @w)\n%r{k} = Relu(%l{k})\n%x{k + 1} = Add(%x{k}, %r{k})\n")
        f.write(f"output %x{depth}\n")
    return path


def refused(skipc, folder, depth=6000):
    """More than are counted: a message, soon."""
    done = subprocess.run([skipc, "paths", write_deep(folder, depth)], capture_output=True, text=True)
    if done.returncode != 1 or "more or longer skips than paths are counted of" not in done.stderr or done.stdout:
        sys.exit(f"paths.py: {depth} blocks: exit status {done.returncode}: {done.stderr}{done.stdout[:200]}")


def large(skipc, path):
    """Binomial, exactly, and its time."""
    start = time.monotonic()
    report = counted(skipc, path)
    took = time.monotonic() - start
    n = report["blocks"]
    have = [int(row["paths"]) for row in report["outputs"][0]["lengths"]]
    if have != [math.comb(n, k) for k in range(n + 1)]:
        sys.exit(f"paths.py: {path}: not the binomial coefficients of {n}")
    if (report["outputs"][0]["least"], report["outputs"][0]["most"]) != (0, n):
        sys.exit(f"paths.py: {path}: {report['outputs'][0]['least']} to {report['outputs'][0]['most']}")
    print(f"paths.py: {n} blocks in {took:.2f} s, exactly the binomial coefficients")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    p.add_argument("--graphs", type=int, default=150)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--large")
    a = p.parse_args()
    if a.large:
        return large(a.skipc, a.large)
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        for depth in (0, 1, 7, 20):
            chain(a.skipc, folder, depth)
        large(a.skipc, write_deep(folder, 1200))  # shares that no double holds
        refused(a.skipc, folder)
        for seed in range(a.seed, a.seed + a.graphs):
            net = Net(seed)
            x = net.net(net.layer(("x", [0])), net.random.randint(1, 6))
            outputs = [net.layer(x)]
            if seed % 3 == 0:  # another head
                outputs.append(net.net(net.layer(x), 1))
            path = os.path.join("build" if a.graphs == 1 else folder, f"net{seed}.onnx")
            net.save(path, [name for name, _ in outputs])
            compare(a.skipc, path, outputs, f"seed {seed}")
            total += sum(len(o[1]) for o in outputs)
    print(f"paths.py: {a.graphs} nets, {total} paths as enumerated; chains of up to 20 blocks, too")


if __name__ == "__main__":
    main()
