#!/usr/bin/env python3
"""`skipc lesion` against files that are edited and run by onnxruntime: what is recognised, to the last digit.

    lesion.py [--skipc build/skipc] [--all]

The trained ResNet with all sets of blocks that skipc leaves out, the trained highway with each layer left out; --all: with
more and more, too.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

from drop import DIGITS, Edited, can_go, inspected
from schema import schema, valid

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import compare  # noqa: E402

IMAGES, LABELS = (os.path.join(DIGITS, f) for f in ("images.npy", "labels.npy"))


def fail(what):
    sys.exit(f"lesion.py: {what}")


def run(skipc, *words, status=0):
    done = subprocess.run([skipc, "lesion", *words], capture_output=True, text=True)
    if done.returncode != status:
        fail(f"{' '.join(words)}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    return done


def theirs(path, blocks):
    """Outputs of the network without these blocks, edited in the file."""
    edited = Edited(path)
    for b in sorted(blocks, key=lambda b: -b["id"]):
        edited.drop(b)
    session = compare.onnxruntime_session(path, edited.model, optimise=False)
    return np.concatenate([session.run(None, {"image": x[None]})[0] for x in np.load(IMAGES)])


def judge(one, y, whole, labels, what):
    right, agree = (int((y.argmax(1) == v).sum()) for v in (labels, whole.argmax(1)))
    far = np.mean(np.linalg.norm(y - whole, axis=1) / np.linalg.norm(whole, axis=1))
    if (one["recognised"], one["agree"]) != (right, agree) or one["accuracy"] != right / len(y):
        fail(f"{what}: {one}, and onnxruntime recognises {right}, {agree} as the whole network")
    if abs(one["distance"] - far) > 1e-4 * max(far, 1):
        fail(f"{what}: distance {one['distance']}, onnxruntime's {far}")


def trained(skipc, name, together):
    path = os.path.join(DIGITS, name)
    words = [path, "--input", IMAGES, "--labels", LABELS, "--json", *([] if together else ["--alone"])]
    report = json.loads(run(skipc, *words).stdout)
    valid(schema("lesion"), report, name)
    blocks = {b["id"]: b for b in inspected(skipc, path)}
    going = [k for k, b in blocks.items() if can_go(b)]
    if [one["block"] for one in report["alone"]] != going or [s["block"] for s in report["stay"]] != [k for k in blocks if k not in going]:
        fail(f"{name}: {report['alone']}")
    labels, whole = np.load(LABELS), theirs(path, [])
    judge(report["whole"], whole, whole, labels, f"{name}, whole")
    for one in report["alone"]:
        judge(one, theirs(path, [blocks[one["block"]]]), whole, labels, f"{name} without {one['block']}")
    for k, one in enumerate(report["together"]):
        if len(one["blocks"]) != k + 1 or set(one["blocks"]) != {o["added"] for o in report["together"][:k + 1]}:
            fail(f"{name}: {one}")
        judge(one, theirs(path, [blocks[b] for b in one["blocks"]]), whole, labels, f"{name} without {one['blocks']}")
    if together:
        ranks = {one["block"]: (-one["recognised"], one["distance"]) for one in report["alone"]}
        if [one["added"] for one in report["together"]] != sorted(going, key=lambda k: (ranks[k], k)):
            fail(f"{name}: the order is not that of what is lost")
    return report


def printed(skipc, report):
    """The text says the same; without labels there is the distance alone."""
    path = os.path.join(DIGITS, "digits.onnx")
    said = run(skipc, path, "--input", IMAGES, "--labels", LABELS, "--alone").stdout
    for one in report["alone"]:
        if f"{one['recognised']} of 360 {100 * one['accuracy']:6.2f} %" not in said:
            fail(said)
    if said.count("stays: its shortcut changes the shape") != 2:
        fail(said)
    document = json.loads(run(skipc, path, "--rows", "3", "--alone", "--json").stdout)
    valid(schema("lesion"), document, "without labels")
    if document["rows"] != 3 or document["whole"]["recognised"] is not None or document["together"] or not document["alone"][0]["distance"] > 0:
        fail(document)


def refused(skipc, folder):
    path = os.path.join(DIGITS, "digits.onnx")
    with open(folder + "/plain.skipc", "w", encoding="utf-8") as f:
        f.write("input %x : f32[1,4]\nconst @w : f32[4,4] = fill(1)\n%y = Linear(%x, @w)\noutput %y\n")
    np.save(folder + "/few.npy", np.zeros(3, np.int64))
    np.save(folder + "/large.npy", np.full(360, 10))
    for words, status, text in (([folder + "/plain.skipc"], 1, "no block of the model can be left out"),
                                ([path, "--input", IMAGES, "--labels", folder + "/few.npy"], 2, "3 labels of int64 for 360 rows"),
                                ([path, "--input", IMAGES, "--labels", folder + "/large.npy"], 2, "labels 10 to 10 for 10 outputs"),
                                ([path, "--labels", folder + "/none.npy"], 2, "cannot be read"),
                                ([path, "--cflags=-DNONE -O1 -invalid"], 3, "the C compiler")):
        said = run(skipc, *words, status=status).stderr
        if text not in said or "Traceback" in said:
            fail(said)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--skipc", default=os.path.join(ROOT, "build", "skipc"))
    p.add_argument("--all", action="store_true")
    a = p.parse_args()
    os.environ.setdefault("SKIPC_PYTHON", sys.executable)
    with tempfile.TemporaryDirectory() as folder:
        refused(a.skipc, folder)
    report = trained(a.skipc, "digits.onnx", True)
    printed(a.skipc, report)
    layers = trained(a.skipc, "highway.onnx", a.all)["alone"]
    print(f"lesion.py: {len(report['alone'])} blocks and {len(layers)} layers left out, each recognises what onnxruntime's file does")


if __name__ == "__main__":
    main()
