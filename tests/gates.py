#!/usr/bin/env python3
"""`skipc gates` against onnxruntime's gate tensors: the trained highway of 50 layers, and layers of every form.

    gates.py [--skipc build/skipc]

E of each gate, as skipc diff judges outputs, is within the promise of --target=c; means, shares and rows are those of
onnxruntime's. Forms: rank 3, images, reversed roles, a carry gate, lerp, a tanh gate, a hard sigmoid, a test, one of two parts of a softmax.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

from closed import CASES, Net
from schema import schema, valid

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
DIGITS = os.path.join(ROOT, "examples", "digits")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import compare  # noqa: E402
import float64  # noqa: E402

JUDGED = 12  # rows of the trained network that are evaluated in double


def fail(what):
    sys.exit(f"gates.py: {what}")


def run(skipc, *words, status=0):
    done = subprocess.run([skipc, "gates", *words], capture_output=True, text=True)
    if done.returncode != status:
        fail(f"{' '.join(words)}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    return done


def theirs(path, names, feeds):
    return compare.onnxruntime_tensors(path, names, feeds)


def gated(skipc, folder, path, x, *options):
    """The document, and all gates by block."""
    np.save(folder + "/x.npy", x)
    words = [path, "--input", folder + "/x.npy", "--values", folder + "/values.npz", "--json", *options]
    report = json.loads(run(skipc, *words).stdout)
    valid(schema("gates"), report, path)
    with np.load(folder + "/values.npz") as v:
        return report, dict(v)


def judge(have, want, exact, what):
    """E(ours) <= 3 E(onnxruntime) + 1e-6."""
    ours, its = compare.error(have, exact), compare.error(want, exact)
    if np.ptp(want) == 0 or have.shape != want.shape or ours > 3 * its + 1e-6:
        fail(f"{what}: E {ours:.3g}, onnxruntime's {its:.3g}")


def close(have, want, what):
    if not np.allclose(have, want, rtol=0, atol=3e-6):
        fail(f"{what}: {have}, expected {want}")


def figures(report, values):
    """What is printed is what the arrays say."""
    for layer in report["layers"]:
        v = values[f"block{layer['block']}"]
        what = f"block {layer['block']}"
        for key, want in (("mean", v.mean()), ("least", v.min()), ("greatest", v.max()), ("units", v.mean(0)), ("inputs", v.mean(1)),
                          ("closed", (v < report["closed_below"]).mean()), ("open", (v > report["open_above"]).mean())):
            close(layer[key], want, f"{what}, {key}")
    if report["rows"] != len(v) or len(layer["inputs"]) != len(v):
        fail(f"{report['rows']} rows")


def trained(skipc, folder):
    path = os.path.join(DIGITS, "highway.onnx")
    images = np.load(os.path.join(DIGITS, "images.npy"))
    report, values = gated(skipc, folder, path, images)
    figures(report, values)
    names = [layer["tensor"] for layer in report["layers"]]
    if len(names) != 50 or report["rows"] != 360 or report["not_stored"]:
        fail(f"{len(names)} layers, {report['rows']} rows")
    model = onnx.load(path)
    model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names)
    session = compare.onnxruntime_session(path, model, optimise=False)
    for row in range(0, len(images), len(images) // JUDGED):
        feeds = {"image": images[row:row + 1]}
        exact = float64.evaluate(onnx.load(path), feeds, intermediate=True)
        want = dict(zip(names, session.run(names, feeds)))
        for layer in report["layers"]:
            name = layer["tensor"]
            judge(values[f"block{layer['block']}"][row:row + 1], want[name], exact[name], f"row {row}, {name}")
    means = np.mean([[y.mean() for y in session.run(names, {"image": x[None]})] for x in images], axis=0)
    close([layer["mean"] for layer in report["layers"]], means, "means of the trained network")
    said = run(skipc, path, "--input", os.path.join(DIGITS, "images.npy")).stdout
    if f"of 50 highway layers on 360 rows: open by {report['mean']:.4f}" not in said:
        fail(said[:300])


def soft(n):
    """closed.py's gates are almost 0 or 1, for all units alike."""
    return n.op("Sigmoid", n.layer(False))


def lerp(n):
    t = soft(n)
    return n.op("Add", "x", n.op("Mul", t, n.op("Sub", n.h(), "x"))), t, False


def tanh(n):
    t = n.op("Add", n.op("Mul", n.op("Tanh", n.layer(False)), n.constant(0.5)), n.constant(0.5))
    return n.blend(n.h(), "x", t), t, False


def hard(n):
    t = n.op("HardSigmoid", n.layer(False))
    return n.blend(n.h(), "x", t), t, False


def plain(n):
    t = soft(n)
    return n.blend(n.h(), "x", t), t, False


def reverse(n):
    t = soft(n)
    return n.blend("x", n.h(), t), t, True


def carry(n):
    t, c = soft(n), soft(n)
    return n.op("Add", n.op("Mul", "x", c), n.op("Mul", n.h(), t)), t, False


def test(n):
    t = n.op("Greater", n.layer(False), n.constant(0))
    return n.op("Where", t, n.h(), "x"), n.op("Cast", t, to=1), False


def softmax(n):
    logits = n.op("Concat", *(n.op("Unsqueeze", n.layer(False), n.integers([2])) for _ in range(2)), axis=2)
    both = n.op("Softmax", logits, axis=2)
    c, t = (n.op("Gather", both, n.integers(k), axis=2) for k in range(2))
    return n.op("Add", n.op("Mul", n.h(), t), n.op("Mul", "x", c)), t, False


FORMS = {"test": (test, "plain"), "softmax": (softmax, "plain"), "plain": (plain, "plain"), "rank3": (plain, "rank3"), "image": (plain, "conv"), "lerp": (lerp, "few"), "tanh": (tanh, "plain"),
         "hard": (hard, "plain"), "reverse": (reverse, "rank3"), "reverse_image": (reverse, "conv"), "carry": (carry, "plain")}


def form(skipc, folder, name, target):
    build, case = FORMS[name]
    shape = CASES[case][1]
    net = Net(*shape, axis=1 if len(shape) == 4 else -1)
    y, t, carries = build(net)
    path = os.path.join(folder, name + ".onnx")
    net.save(path, [y, t] if name in ("tanh", "test") else y)  # where the gate has no tensor of its own, an output says what it is
    x = np.concatenate([net.x, -net.x])
    report, values = gated(skipc, folder, path, x, "--target", target)
    if len(report["layers"]) != 1 or report["rows"] != len(x):
        fail(f"{name}: {report}")
    want = np.concatenate([theirs(path, [t], {"x": part})[t] for part in (net.x, -net.x)])
    want = 1 - want if carries else want
    if want.std() < 0.02:
        fail(f"{name}: gates that tell nothing")
    units = np.moveaxis(want, 1 if len(shape) == 4 else -1, -1)
    close(values["block0"], units.reshape(len(x), -1, units.shape[-1]).mean(1), f"{name}, {target}")
    figures(report, values)


def refused(skipc, folder):
    for path, status, words in ((os.path.join(DIGITS, "digits.onnx"), 1, "has no highway layer"),
                                (os.path.join(DIGITS, "highway_int8.onnx"), 1, "quantised"), (folder + "/none.onnx", 1, "cannot")):
        said = run(skipc, path, status=status).stderr
        if words not in said or "Traceback" in said:
            fail(said)
    path = os.path.join(DIGITS, "highway.onnx")
    np.save(folder + "/x.npy", np.zeros((3, 1, 8, 8)))
    np.save(folder + "/y.npy", np.zeros((3, 1, 7, 8), np.float32))
    for name, words in (("x", "has float64"), ("y", "has the shape [3, 1, 7, 8]"), ("z", "cannot be read")):
        said = run(skipc, path, "--input", f"{folder}/{name}.npy", status=2).stderr
        if words not in said or "Traceback" in said:
            fail(said)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--skipc", default=os.path.join(ROOT, "build", "skipc"))
    a = p.parse_args()
    os.environ.setdefault("SKIPC_PYTHON", sys.executable)
    with tempfile.TemporaryDirectory() as folder:
        refused(a.skipc, folder)
        trained(a.skipc, folder)
        for k, name in enumerate(FORMS):
            form(a.skipc, folder, name, "c" if k % 2 else "x86-64")
    print(f"gates.py: 50 trained gates within the promise, and {len(FORMS)} forms, as onnxruntime {onnxruntime.__version__} has them")


if __name__ == "__main__":
    main()
