#!/usr/bin/env python3
"""Gates in random algebra: recognition must not depend on how a formula is written.

    spellings.py [--skipc PATH] [--spellings 150] [--seed 0] [--steps 12]

A formula of a gate is rewritten at random places by identities (a + b = b + a, a (b + c) = ab + ac, 1 - t =
sigmoid(-z), t a = where(z > 0, a, 0), a + b = sum(stack(a, b)) ..) and written as ONNX nodes between two layers.
`skipc inspect` must find the block that the formula is. Then many of them in one model are compiled, for either
target in turn, and must compute what the formulas do as they stand. What fails is kept in build/spellings.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from nodes import Nodes
from run import QUICK

HERE = os.path.dirname(os.path.abspath(__file__))
KEPT = os.path.join(HERE, "..", "build", "spellings")
sys.path.insert(0, os.path.join(HERE, "..", "tools"))
import compare  # noqa: E402

# x is carried, h is computed from it, g beside it; t, c gates
FORMULAS = {
    "highway": ["highway"],
    "roles": ["highway"],
    "carry": ["highway-carry"],
    "blend": ["blend"],
    "more": None,  # t h + (2 - t) x: no highway
}
GATES = ("soft", "soft", "test", "test", "sign", "round", "tanh", "hard", "choice")  # what t and c are
TOGETHER, TOLERANCE = 25, 2e-6  # formulas in a model whose numbers are compared; of the largest value


def formula(name):
    less = ("-", 1.0, "t")
    return {"highway": ("+", ("*", "t", "h"), ("*", less, "x")),
            "roles": ("+", ("*", "t", "x"), ("*", less, "h")),
            "carry": ("+", ("*", "t", "h"), ("*", "c", "x")),
            "blend": ("+", ("*", "t", "h"), ("*", less, "g")),
            "more": ("+", ("*", "t", "h"), ("*", ("-", 2.0, "t"), "x"))}[name]


# A formula is a leaf's name, a number, or (operator, operands ..). Tests are ("over", "t"), the gate's z > 0, and
# ("under", "t"), its opposite.

TESTS = ("over", "under", "turned over", "turned under")


def places(e, path=()):
    yield path
    if is_op(e, TESTS):
        return
    for k in range(1, len(e) if isinstance(e, tuple) else 0):
        yield from places(e[k], path + (k,))


def replaced(e, path, new):
    if not path:
        return new
    return e[:path[0]] + (replaced(e[path[0]], path[1:], new),) + e[path[0] + 1:]


def is_op(e, operators):
    return isinstance(e, tuple) and e[0] in operators


def is_whole(e):
    """Not a number alone: a tensor of the full shape, which can be joined to others."""
    return isinstance(e, str) or (isinstance(e, tuple) and any(is_whole(k) for k in e[1:]))


def other_tests(e):
    if e[0] == "not":
        return [("not", ("not", e))]
    opposite = ("under" if e[0] == "over" else "over", e[1])
    return [("not", opposite), ("turned " + e[0], e[1]), ("and", e, e), ("or", e, e), ("true", ("int", e)),
            ("true", ("cast", e)), ("equal", ("int", opposite), 0), ("equal", ("int", e), 1), ("half", ("cast", e))]


def of_gate(t, kinds):
    """Other spellings of a gate."""
    found = [("-", 1.0, ("-", 1.0, t))]
    over, under, kind = ("over", t), ("under", t), kinds[t]
    if kind == "soft" and t == "t":
        found.append(("-", 1.0, "less t"))
    if kind == "test":
        found += [("cast", over), ("where", over, 1.0, 0.0), ("where", under, 0.0, 1.0), ("cast", ("int", over)),
                  ("-", 1.0, ("cast", under)), ("cast", ("1 - int", under)), ("*", t, t)]
    if kind == "sign":
        found.append(("*", 0.5, ("+", "sign " + t, 1.0)))
    if kind == "tanh":
        found.append(("*", ("+", 1.0, "tanh " + t), 0.5))
    return found


def identities(e, kinds):
    """What e may be written as instead."""
    if isinstance(e, str) and e in kinds:
        return of_gate(e, kinds)
    if not isinstance(e, tuple):
        return []
    if e[0] in ("over", "under", "not"):
        return other_tests(e)
    if e[0] == "where":
        return [("where", ("not", e[1]), e[3], e[2])]
    op, a, b = e[0], e[1], e[-1]
    if op == "neg":
        return [("*", -1.0, a), ("-", 0.0, a)] + ([("-", a[2], a[1])] if is_op(a, "-") else [])
    if op == "-":
        found = [("+", a, ("neg", b)), ("neg", ("-", b, a))]
        if a == 1.0 and b in kinds:
            if kinds[b] == "soft" and b == "t":
                found += ["less t"] * 3
            if kinds[b] == "test":
                found += [("cast", ("under", b))] * 3
        return found
    if op not in ("+", "*"):
        return []
    found = [(op, b, a), ("-", a, ("neg", b)) if op == "+" else ("neg", ("*", ("neg", a), b))]
    if is_op(a, op):
        found.append((op, a[1], (op, a[2], b)))
    if is_op(b, op):
        found.append((op, (op, a, b[1]), b[2]))
    if op == "*" and is_op(b, "+-"):
        found.append((b[0], ("*", a, b[1]), ("*", a, b[2])))
    if op == "*" and kinds.get(a) == "test":
        found += [("where", ("over", a), b, 0.0), ("where", ("under", a), 0.0, b)]
    if op == "*" and is_op(a, "-") and a[1] == 1.0 and kinds.get(a[2]) == "test":
        found += [("where", ("under", a[2]), b, 0.0), ("where", ("over", a[2]), 0.0, b)] * 2
    if op == "+" and is_whole(a) and is_whole(b):
        found += [(("stacked", "joined", "parts")[len(str(a)) % 3], a, b)]
        if is_op(a, "*") and is_op(b, "*") and all(is_whole(k) for k in a[1:] + b[1:]):
            found += [(("weighted", "weighted parts")[len(str(b)) % 2], *a[1:], *b[1:])] * 2
    if op == "+" and is_op(a, "*") and is_op(b, "*") and a[1] == b[1]:
        found.append(("*", a[1], ("+", a[2], b[2])))
    return found


def respell(e, rng, steps, kinds):
    for _ in range(steps):
        path = rng.choice(list(places(e)))
        part = e
        for k in path:
            part = part[k]
        found = identities(part, kinds)
        e = replaced(e, path, rng.choice(found)) if found else e
    return e


class Writer(Nodes):
    """The nodes of a formula and of the layers around it."""

    def __init__(self, seed, image, kinds):
        super().__init__()
        self.numbers, self.image = np.random.default_rng(seed), image
        self.shape = [1, 6, 5, 5] if image else [4, 6]
        self.x = self.op("Tanh", self.layer("input"))
        self.gates = {name: self.layer(self.x) for name in "tc"}
        self.leaves = {"x": self.x, "g": self.op("Tanh", self.layer(self.x)), "h": self.op("Relu", self.layer(self.x))}
        for name, kind in kinds.items():
            self.add_gate(name, kind)

    def layer(self, x):
        bias = self.constant(0.1 * self.numbers.standard_normal(6))
        if self.image:
            return self.op("Conv", x, self.constant(0.2 * self.numbers.standard_normal((6, 6, 3, 3))), bias, pads=[1] * 4)
        return self.op("Add", self.op("MatMul", x, self.constant(0.4 * self.numbers.standard_normal((6, 6)))), bias)

    def add_gate(self, name, kind):
        z, half = self.gates[name], self.constant(0.5)
        leaf = self.leaves
        if kind in ("soft", "round"):
            leaf[name] = self.op("Sigmoid", z)
            leaf["less " + name] = self.op("Sigmoid", self.op("Neg", z))
        if kind == "round":
            leaf[name] = self.op("Round", leaf[name])
        if kind in ("sign", "tanh"):
            leaf[f"{kind} {name}"] = self.op(kind.title(), z)
            leaf[name] = self.op("Mul", half, self.op("Add", leaf[f"{kind} {name}"], self.constant(1.0)))
        if kind == "hard":
            leaf[name] = self.op("HardSigmoid", z)
        if kind == "test":
            leaf[name] = self.cast(self.op("Greater", z, self.constant(0.0)), "float")
        if kind == "choice":  # of two by argmax, in front of each row
            index = self.op("ArgMax", z if not self.image else self.op("GlobalAveragePool", z), axis=1, keepdims=1)
            index = self.op("Mod", index, self.integers([2]))
            leaf[name] = self.op("Expand", self.cast(index, "float"), self.integers(self.shape))

    def cast(self, x, to):
        return self.op("Cast", x, to={"float": 1, "int": 7, "bool": 9}[to])

    def join(self, a, b, new_axis):
        """[n,c,..] and [n,c,..] as [n,2,c,..] or [n,2c,..]"""
        if new_axis:
            a, b = (self.op("Unsqueeze", k, self.integers([1])) for k in (a, b))
        return self.op("Concat", a, b, axis=1)

    def added(self, joined, how):
        if how == "parts":
            return self.op("Add", *(self.op("Slice", joined, self.integers([k]), self.integers([k + 6]), self.integers([1]))
                                    for k in (0, 6)))
        if how == "joined":
            joined = self.op("Reshape", joined, self.integers([self.shape[0], 2, 6, *self.shape[2:]]))
        return self.op("ReduceSum", joined, self.integers([1]), keepdims=0)

    def test(self, kind, operands):
        z, zero = self.gates[operands[0]], self.constant(0.0)
        return {"over": lambda: self.op("Greater", z, zero), "turned over": lambda: self.op("Less", zero, z),
                "under": lambda: self.op("LessOrEqual", z, zero),
                "turned under": lambda: self.op("GreaterOrEqual", zero, z)}[kind]()

    def write(self, e):
        if isinstance(e, float):
            return self.constant(e)
        if isinstance(e, str):
            return self.leaves[e]
        op = e[0]
        if op.endswith(("over", "under")):
            return self.test(op, e[1:])
        if op == "equal":
            return self.op("Equal", self.write(e[1]), self.integers(e[2]))
        v = [self.write(k) for k in e[1:]]
        if op in ("stacked", "joined", "parts"):
            return self.added(self.join(*v, op == "stacked"), op)
        if op.startswith("weighted"):
            new = op == "weighted"
            product = self.op("Mul", self.join(v[0], v[2], new), self.join(v[1], v[3], new))
            return self.added(product, "stacked" if new else "parts")
        if op in ("cast", "int", "true"):
            return self.cast(v[0], {"cast": "float", "int": "int", "true": "bool"}[op])
        if op == "1 - int":
            return self.op("Sub", self.integers(1), self.cast(v[0], "int"))
        if op == "half":
            return self.op("Greater", v[0], self.constant(0.5))
        return self.op({"+": "Add", "-": "Sub", "*": "Mul", "neg": "Neg", "where": "Where", "not": "Not", "and": "And",
                        "or": "Or"}[op], *v)

    def save(self, e, path):
        self.save_model(path, "input", self.layer(self.write(e)), self.shape, 13)

    def save_all(self, formulas, path):
        self.save_model(path, "input", [self.write(e) for e in formulas], self.shape, 13)


def other_block(skipc, name, path):
    """What is found in place of the block that the formula is; None: nothing else."""
    done = subprocess.run([skipc, "inspect", "--json", path], capture_output=True, text=True)
    kinds = [b["kind"] for b in json.loads(done.stdout)["blocks"]] if done.returncode == 0 else [done.stderr]
    if kinds == FORMULAS[name] or (FORMULAS[name] is None and done.returncode == 0 and
                                   not {"highway", "highway-carry", "blend"} & set(kinds)):
        return None
    return kinds


def wrong_numbers(skipc, seed, kinds, formulas, spelled, target):
    """What the spelled formulas, in one model, compute otherwise; the model is kept."""
    path = os.path.join(KEPT, f"numbers{seed}.onnx")
    with tempfile.TemporaryDirectory(prefix="skipc-spellings-") as work:
        plain = os.path.join(work, "plain.onnx")
        Writer(seed, seed % 2, kinds).save_all(formulas, plain)
        writer = Writer(seed, seed % 2, kinds)
        writer.save_all(spelled, path)
        feeds = {"input": np.random.default_rng(seed).standard_normal(writer.shape).astype(np.float32)}
        want = ReferenceEvaluator(onnx.load(plain)).run(None, feeds)
        try:
            compare.compile_model(skipc, path, work, options=[f"--target={target}"])
            got = compare.run_program(compare.build_program(work, QUICK, "-O1"), feeds, len(want), work)
        except compare.Stop as stop:
            return str(stop)
        for e, y, w in zip(spelled, got, want):
            if not np.abs(y - w).max() <= TOLERANCE * max(1, np.abs(w).max()):
                return f"differs by {np.abs(y - w).max():.1e} in {e}"
    os.unlink(path)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("--spellings", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=12)
    a = parser.parse_args()
    os.makedirs(KEPT, exist_ok=True)
    a.skipc, failed = os.path.abspath(a.skipc), 0
    for first in range(a.seed, a.seed + a.spellings, TOGETHER):
        rng = random.Random(first)
        kinds = {name: rng.choice(GATES) for name in "tc"}
        formulas, spelled = [], []
        for seed in range(first, min(first + TOGETHER, a.seed + a.spellings)):
            rng = random.Random(seed)
            name = rng.choice(list(FORMULAS))
            path = os.path.join(KEPT, f"{name}{seed}.onnx")
            own = {gate: rng.choice(GATES) for gate in "tc"} if seed % 3 else kinds
            e = respell(formula(name), rng, rng.randrange(a.steps + 1), own)
            Writer(seed, seed % 2, own).save(e, path)
            found = other_block(a.skipc, name, path)
            if found is None:
                os.unlink(path)
            else:
                failed += 1
                print(f"spellings.py: seed {seed}, {name} of {own}: {found} in {e}", flush=True)
            formulas.append(formula(name))
            spelled.append(respell(formula(name), rng, rng.randrange(a.steps + 1), kinds))
        wrong = wrong_numbers(a.skipc, first, kinds, formulas, spelled, ("c", "x86-64")[first // TOGETHER % 2])
        if wrong:
            failed += 1
            print(f"spellings.py: numbers of {first}, gates {kinds}: {wrong}", flush=True)
    print(f"spellings.py: {a.spellings} spellings, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
