#!/usr/bin/env python3
"""`--drop` and `--reorder` against onnxruntime on files that are edited alike, and what they refuse.

    drop.py [--skipc PATH] [--cc COMMAND] [--graphs N] [--seed N] [FILE.onnx ...]

Every block that can go of a ResNet-20, of a trained ResNet and some of a trained highway network: each alone, all together,
and pairs that change places. Random nets of tests/paths.py are built a second time with some blocks left out, or with
their blocks in another order. With FILES: each identity block of these.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from paths import WIDTH, Net
from run import QUICK

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
DIGITS = os.path.join(ROOT, "examples", "digits")
NEAR = 2e-5  # of the greatest output


def run(*words, status=0):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != status:
        sys.exit(f"drop.py: {' '.join(words)}: exit status {done.returncode}, not {status}\n{done.stderr[-2000:]}")
    return done


def ours(skipc, cc, path, x, options):
    with tempfile.TemporaryDirectory() as folder:
        run(skipc, "compile", path, "-o", folder, "--name", "net", "--main", "--target=c", *options)
        run(*cc.split(), "-I", folder, *glob.glob(folder + "/*.c"), "-o", folder + "/prog")
        np.save(folder + "/x.npy", x)
        run(folder + "/prog", folder + "/x.npy", "-o", folder + "/y.npy")
        return np.load(folder + "/y.npy")


def theirs(model, x):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3  # nodes without users
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def same(have, want, what):
    scale = np.abs(want).max()
    if not np.isfinite(want).all() or scale == 0 or np.ptp(want) == 0:
        sys.exit(f"drop.py: {what}: the expected output proves nothing")
    if have.shape != want.shape or np.abs(have - want).max() > NEAR * scale:
        sys.exit(f"drop.py: {what}: differs by {np.abs(have - want).max() / scale:.3g} of the greatest")


def telling(model, rng):
    """An input of a random net whose output is not zero, and that output; None: behind dead units."""
    for _ in range(8):
        x = rng.standard_normal((1, WIDTH)).astype(np.float32)
        y = theirs(model, x)
        if np.ptp(y) > 0:
            return x, y
    return None


def inspected(skipc, path, *options):
    return json.loads(run(skipc, "inspect", "--json", path, *options).stdout)["blocks"]


def can_go(block):
    return block["kind"] not in ("projection", "option-a", "blend")


# ---- edits of files: a block by what inspect lists, in ONNX's own nodes ----

class Edited:
    def __init__(self, path):
        self.model = onnx.load(path)
        self.nodes = self.model.graph.node
        self.by_output = {o: n for n in self.nodes for o in n.output}

    def ends(self, block):
        """The value that it carries, and its result: what the last of its nodes gives."""
        names = set(block["nodes"])
        last = [n for n in self.nodes if (n.name or n.output[0]) in names][-1]
        return block["shortcut"], last.output[0]

    def drop(self, block):
        """Whoever read the result reads what is carried, or what became of that."""
        x, y = self.ends(block)
        for n in self.nodes:
            for k, name in enumerate(n.input):
                if name == y:
                    n.input[k] = x
        if y in {o.name for o in self.model.graph.output}:
            made = self.by_output[y]
            made.output[list(made.output).index(y)] = y + " before"
            self.nodes.append(helper.make_node("Identity", [x], [y]))

    def region(self, x, y):
        found, todo = [], [y]
        while todo:
            n = self.by_output.get(todo.pop())
            if n is not None and n not in found:
                found.append(n)
                todo += [i for i in n.input if i != x]
        return found

    def exchange(self, first, second):
        """Names in the nodes of both, and in those that read them, change."""
        (xa, ya), (xb, yb) = self.ends(first), self.ends(second)
        in_a, in_b = self.region(xa, ya), self.region(xb, yb)
        for n in self.nodes:
            for k, name in enumerate(list(n.input)):
                if n in in_a:
                    n.input[k] = (yb if xb == ya else xb) if name == xa else name
                elif n in in_b and name == xb:
                    n.input[k] = xa
                elif name in (ya, yb):
                    n.input[k] = yb if name == ya else ya
        self.sort()

    def sort(self):
        known = {""} | {i.name for i in self.model.graph.input} | {i.name for i in self.model.graph.initializer}
        left, done = list(self.nodes), []
        while left:
            n = next(n for n in left if known.issuperset(n.input))
            left.remove(n)
            done.append(n)
            known.update(n.output)
        del self.nodes[:]
        self.nodes.extend(done)


def shape_of(path):
    return [d.dim_value or 1 for d in onnx.load(path).graph.input[0].type.tensor_type.shape.dim]


def of_file(args, path, alone, pairs):
    """Some blocks alone, all together, and pairs exchanged."""
    x = np.random.default_rng(3).standard_normal(shape_of(path)).astype(np.float32)
    blocks = inspected(args.skipc, path)
    going = [b for b in blocks if can_go(b)]
    name = os.path.basename(path)
    for group in [[b] for b in going[::alone]] + [going]:
        edited = Edited(path)
        for b in reversed(group):
            edited.drop(b)
        ids = [str(b["id"]) for b in group]
        same(ours(args.skipc, args.cc, path, x, ["--drop", ",".join(ids)]), theirs(edited.model, x), f"{name} without {ids}")
        left = len(inspected(args.skipc, path, "--drop", ",".join(ids)))
        if left != len(blocks) - len(group):
            sys.exit(f"drop.py: {name} without {ids}: {left} blocks are left of {len(blocks)}")
    for a, b in pairs:
        edited = Edited(path)
        edited.exchange(blocks[a], blocks[b])
        same(ours(args.skipc, args.cc, path, x, ["--reorder", f"{a},{b}"]), theirs(edited.model, x), f"{name}: {a} and {b}")
    return len(going)


# ---- random nets: built again without some blocks ----

class Again(Net):
    """Blocks by number, with the name of the node that adds what they carry; those in `gone` are left out."""

    def __init__(self, seed, gone=()):
        super().__init__(seed)
        self.gone, self.added = gone, []

    def block(self, x, y):
        last = [n.name for n in self.nodes if x[0] in n.input and n.op_type in ("Add", "Sum")]
        own = self.nodes[-1].name
        self.added.append(last[-1] if last else own)  # a highway multiplies what it carries
        return x if len(self.added) - 1 in self.gone else y

    def model(self, path):
        x = self.net(self.layer(("x", [0])), 1 + self.random.randint(1, 5))
        self.save(path, [self.layer(x, active=False)[0]])
        return onnx.load(path)


def of_net(args, folder, seed):
    path = os.path.join(folder, f"net{seed}.onnx")
    whole = Again(seed)
    whole.model(path)
    listed = {n for b in inspected(args.skipc, path) if can_go(b) for n in b["nodes"]}
    known = [k for k, name in enumerate(whole.added) if name in listed and "," not in name]
    gone = [k for k in known if whole.random.random() < 0.4]
    if not gone:
        return 0
    edited = Again(seed, gone).model(os.path.join(folder, f"edited{seed}.onnx"))
    pair = telling(edited, np.random.default_rng(seed))
    if pair is None:
        return 0
    names = ",".join(whole.added[k] for k in gone)
    same(ours(args.skipc, args.cc, path, pair[0], ["--drop", names]), pair[1], f"seed {seed} without {names}")
    return len(gone)


class Chain(Net):
    """Residual blocks and highways one behind the other, with or without a Relu between; weights go by block."""

    def model(self, path, order):
        kinds = [self.random.random() < 0.5 for _ in order]
        active = [self.random.random() < 0.5 for _ in order]
        x = self.layer(("x", [0]))
        for place, k in enumerate(order):
            self.weights += [None] * (20 * (k + 1) - len(self.weights))  # numbers of weights begin anew
            self.begin = 20 * (k + 1)
            x = self.highway(x) if kinds[k] else self.add([(x, 0), (self.layer(self.layer(x)), 1)])
            if active[place]:
                x = (self.node("Relu", x[0]), x[1])
        self.begin = 1000
        y = self.layer(x, active=False)
        self.save(path, [y[0]])
        return onnx.load(path)

    def constant(self, *shape):
        self.begin = getattr(self, "begin", 0) + 1
        v = np.random.default_rng(self.begin).standard_normal(shape).astype(np.float32)
        self.weights.append(onnx.numpy_helper.from_array(v, f"w{self.begin}"))
        return f"w{self.begin}"

    def save(self, path, outputs):
        self.weights = [w for w in self.weights if w is not None]
        super().save(path, outputs)


def orders(args, folder, seed):
    """A random order by exchanges, one after the other."""
    n = 6
    random = np.random.default_rng(seed)
    order, options = list(range(n)), []
    path = os.path.join(folder, f"chain{seed}.onnx")
    Chain(seed).model(path, list(order))
    for _ in range(1 + seed % 3):
        a, b = sorted(random.choice(n, 2, replace=False).tolist())
        i, k = order.index(a), order.index(b)
        order[i], order[k] = b, a
        options += ["--reorder", f"{a},{b}"]
    gone = []
    if seed % 2:  # and one that goes where it has got to
        gone = [int(random.integers(n))]
        options += [f"--drop={gone[0]}"]
    edited = Chain(seed).model(os.path.join(folder, f"edited{seed}.onnx"), list(order))
    if gone:
        path_edited = os.path.join(folder, f"edited{seed}.onnx")
        cut = Edited(path_edited)
        cut.drop(inspected(args.skipc, path_edited)[order.index(gone[0])])
        edited = cut.model
    pair = telling(edited, random)
    if pair is not None:
        same(ours(args.skipc, args.cc, path, pair[0], options), pair[1], f"seed {seed}: {options}")
    return pair is not None


def constants(args, folder):
    """What is added to a branch goes with it, what is added to the shortcut stays; Sub, Neg and scales on the way."""
    head = "input %x : f32[1,4]\nconst @w : f32[4,4] = fill(1)\nconst @v : f32[4,4] = fill(2)\nconst @c : f32[4] = {1, 2, 3, 4}\n" \
        "%a = Linear(%x, @w)\n%r = Relu(%a)\n%l = Linear(%r, @v)\n%f = Tanh(%l)\n"
    x = np.array([[0.5, -1, 2, 3]], np.float32)
    shift = np.array([1, 2, 3, 4], np.float32)
    rows = (("%k = Add(%f, @c)\n%y = Add(%x, %k)", x), ("%k = Add(%x, @c)\n%y = Add(%k, %f)", x + shift),
            ("%y = Sub(%f, %x)", -x), ("%k = Mul(%f, 0.5)\n%y = Sub(%x, %k)", x), ("%k = Mul(%x, 0.5)\n%y = Add(%k, %f)", x / 2),
            ("%n = Neg(%x)\n%y = Add(%n, %f)", -x), ("%k = Add(%x, %f)\n%y = Mul(%k, 3)", 3 * x))
    for text, want in rows:
        path = os.path.join(folder, "constants.skipc")
        with open(path, "w", encoding="utf-8") as f:
            f.write(head + text.replace("%y", "%z") + "\n%y = Add(%z, @c)\noutput %y\n")
        same(ours(args.skipc, args.cc, path, x, ["--drop", "0"]), want + shift, f"without the block of {text!r}")


# ---- what is refused ----

REFUSED = [  # of the digits' network: options, what the message says
    (["--drop", "2"], ['(Add)', "error: block 2 cannot be left out: its shortcut changes the shape", "[1,8,8,8]", "hint: "]),
    (["--drop", "6"], ["--drop 6: the network has 6 blocks, and the first is 0", "hint: "]),
    (["--drop", "nowhere"], ['no block adds or blends in a node "nowhere"']),
    (["--drop", "0,,1"], ["no block adds or blends in a node \"\""]),
    (["--reorder", "1"], ["--reorder exchanges two blocks"]),
    (["--reorder", "1,1"], ["--reorder exchanges two blocks"]),
    (["--reorder", "1,3"], ["blocks 1 and 3 cannot change places: [1,8,8,8] -> [1,8,8,8] and [1,16,4,4]"]),
    (["--reorder", "1,4"], ["block 4 cannot be moved: its shortcut changes the shape"]),
]


def refusals(args, folder):
    digits = os.path.join(DIGITS, "digits.onnx")
    for options, words in REFUSED:
        said = run(args.skipc, "compile", digits, "-o", folder + "/refused", *options, status=1).stderr
        if os.path.exists(folder + "/refused/digits.c") or not all(w in said for w in words):
            sys.exit(f"drop.py: {options}: {said}")
    said = run(args.skipc, "compile", os.path.join(DIGITS, "digits_int8.onnx"), "-o", folder, "--drop=0", status=1).stderr
    if "quantised" not in said:
        sys.exit(f"drop.py: {said}")
    text = "input %x : f32[1,4]\ninput %u : f32[1,4]\nconst @w : f32[4,4] = fill(1)\nconst @v : f32[4,4] = fill(2)\n" \
        "%a = Linear(%x, @w)\n%b = Add(%a, %u)\n%c = Linear(%b, @v)\n%d = Add(%x, %c) <- \"/d\"\n" \
        "%e = Linear(%d, @v)\n%f = Linear(%e, @w)\n%g = Add(%d, %f) <- \"/g\"\n%h = Linear(%g, @w)\noutput %h\n"
    with open(folder + "/two.skipc", "w", encoding="utf-8") as f:
        f.write(text)
    said = run(args.skipc, "inspect", folder + "/two.skipc", "--reorder", "/d,/g", status=1).stderr
    if 'block 0 cannot be moved: it reads "u", too' not in said:
        sys.exit(f"drop.py: {said}")
    run(args.skipc, "inspect", folder + "/two.skipc", "--drop", "/d")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--skipc", default=os.path.join(ROOT, "build", "skipc"))
    p.add_argument("--cc", default=f"{QUICK} -O0")
    p.add_argument("--graphs", type=int, default=25)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("files", nargs="*")
    a = p.parse_args()
    if a.files:
        for path in a.files:
            print(f"drop.py: {of_file(a, path, 1, [])} blocks of {path}, as onnxruntime's edited graph")
        return
    with tempfile.TemporaryDirectory() as folder:
        refusals(a, folder)
        constants(a, folder)
        resnet = os.path.join(folder, "resnet20.onnx")
        run(sys.executable, os.path.join(ROOT, "tools", "networks.py"), "cifar_resnet20", "-o", resnet)
        count = of_file(a, resnet, 1, [(0, 2), (1, 2), (4, 5)])
        count += of_file(a, os.path.join(DIGITS, "digits.onnx"), 1, [(0, 1)])
        count += of_file(a, os.path.join(DIGITS, "highway.onnx"), 13, [(3, 4), (40, 17)])
        dropped = sum(of_net(a, folder, seed) for seed in range(a.seed, a.seed + a.graphs))
        moved = sum(orders(a, folder, seed) for seed in range(a.seed, a.seed + a.graphs // 2))
    print(f"drop.py: {count} blocks of networks and {dropped} of {a.graphs} nets left out, those of {moved} moved, as onnxruntime has it")
    if not dropped or not moved:
        sys.exit("drop.py: nothing was compared")


if __name__ == "__main__":
    main()
