#!/usr/bin/env python3
"""Gates in random algebra: recognition must not depend on how a formula is written.

    spellings.py [--skipc PATH] [--spellings 150] [--seed 0] [--steps 12]

A formula of a gate is rewritten at random places by identities (a + b = b + a, a (b + c) = ab + ac, 1 - t =
sigmoid(-z), -a = -1 a ..) and written as ONNX nodes between two layers. `skipc inspect` must find the block that the
formula is. What fails is kept in build/spellings.
"""
import argparse
import json
import os
import random
import subprocess
import sys

import numpy as np

from nodes import Nodes

HERE = os.path.dirname(os.path.abspath(__file__))
KEPT = os.path.join(HERE, "..", "build", "spellings")

# x is carried, h is computed from it, g beside it; t, c gates. 1.0 - t has a name of its own, since it is a sigmoid, too
FORMULAS = {
    "highway": ["highway"],
    "roles": ["highway"],
    "carry": ["highway-carry"],
    "blend": ["blend"],
    "more": None,  # t h + (2 - t) x: no highway
}


def formula(name):
    less = ("-", 1.0, "t")
    return {"highway": ("+", ("*", "t", "h"), ("*", less, "x")),
            "roles": ("+", ("*", "t", "x"), ("*", less, "h")),
            "carry": ("+", ("*", "t", "h"), ("*", "c", "x")),
            "blend": ("+", ("*", "t", "h"), ("*", less, "g")),
            "more": ("+", ("*", "t", "h"), ("*", ("-", 2.0, "t"), "x"))}[name]


# A formula is a leaf's name, a number, or (operator, operands ..).

def places(e, path=()):
    yield path
    for k in range(1, len(e) if isinstance(e, tuple) else 0):
        yield from places(e[k], path + (k,))


def replaced(e, path, new):
    if not path:
        return new
    return e[:path[0]] + (replaced(e[path[0]], path[1:], new),) + e[path[0] + 1:]


def is_op(e, operators):
    return isinstance(e, tuple) and e[0] in operators


def identities(e):
    """What e may be written as instead."""
    if e == "t":
        return [("-", 1.0, "less t"), ("-", 1.0, ("-", 1.0, "t"))]
    if not isinstance(e, tuple):
        return []
    op, a, b = e[0], e[1], e[-1]
    if op == "neg":
        return [("*", -1.0, a), ("-", 0.0, a)] + ([("-", a[2], a[1])] if is_op(a, "-") else [])
    if op == "-":
        return [("+", a, ("neg", b)), ("neg", ("-", b, a))] + (["less t"] * 3 if e == ("-", 1.0, "t") else [])
    found = [(op, b, a), ("-", a, ("neg", b)) if op == "+" else ("neg", ("*", ("neg", a), b))]
    if is_op(a, op):
        found.append((op, a[1], (op, a[2], b)))
    if is_op(b, op):
        found.append((op, (op, a, b[1]), b[2]))
    if op == "*" and is_op(b, "+-"):
        found.append((b[0], ("*", a, b[1]), ("*", a, b[2])))
    if op == "+" and is_op(a, "*") and is_op(b, "*") and a[1] == b[1]:
        found.append(("*", a[1], ("+", a[2], b[2])))
    return found


def respell(e, rng, steps):
    for _ in range(steps):
        path = rng.choice(list(places(e)))
        part = e
        for k in path:
            part = part[k]
        found = identities(part)
        e = replaced(e, path, rng.choice(found)) if found else e
    return e


class Writer(Nodes):
    """The nodes of a formula and of the layers around it."""

    def __init__(self, seed, image):
        super().__init__()
        self.numbers, self.image = np.random.default_rng(seed), image
        self.shape = [1, 6, 5, 5] if image else [4, 6]
        self.x = self.op("Tanh", self.layer("input"))
        self.gates = {name: self.layer(self.x) for name in "tc"}
        self.leaves = {"x": self.x, "g": self.op("Tanh", self.layer(self.x)), "h": self.op("Relu", self.layer(self.x)),
                       "t": self.op("Sigmoid", self.gates["t"]), "c": self.op("Sigmoid", self.gates["c"]),
                       "less t": self.op("Sigmoid", self.op("Neg", self.gates["t"]))}

    def layer(self, x):
        bias = self.constant(0.1 * self.numbers.standard_normal(6))
        if self.image:
            return self.op("Conv", x, self.constant(0.2 * self.numbers.standard_normal((6, 6, 3, 3))), bias, pads=[1] * 4)
        return self.op("Add", self.op("MatMul", x, self.constant(0.4 * self.numbers.standard_normal((6, 6)))), bias)

    def write(self, e):
        if isinstance(e, float):
            return self.constant(e)
        if isinstance(e, str):
            return self.leaves[e]
        return self.op({"+": "Add", "-": "Sub", "*": "Mul", "neg": "Neg"}[e[0]], *(self.write(k) for k in e[1:]))

    def save(self, e, path):
        self.save_model(path, "input", self.layer(self.write(e)), self.shape, 13)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("--spellings", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=12)
    a = parser.parse_args()
    os.makedirs(KEPT, exist_ok=True)
    failed = 0
    for seed in range(a.seed, a.seed + a.spellings):
        rng = random.Random(seed)
        name = rng.choice(list(FORMULAS))
        path = os.path.join(KEPT, f"{name}{seed}.onnx")
        e = respell(formula(name), rng, rng.randrange(a.steps + 1))
        Writer(seed, seed % 2).save(e, path)
        done = subprocess.run([a.skipc, "inspect", "--json", path], capture_output=True, text=True)
        kinds = [b["kind"] for b in json.loads(done.stdout)["blocks"]] if done.returncode == 0 else [done.stderr]
        if kinds == FORMULAS[name] or (FORMULAS[name] is None and done.returncode == 0 and
                                       not {"highway", "highway-carry", "blend"} & set(kinds)):
            os.unlink(path)
            continue
        failed += 1
        print(f"spellings.py: seed {seed}, {name}: {kinds} in {e}")
    print(f"spellings.py: {a.spellings} spellings, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
