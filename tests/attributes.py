#!/usr/bin/env python3
"""Operators with windows and Resize under products of their attributes, against onnxruntime.

    attributes.py [--skipc PATH] [--all] [--target c] [KIND ...]

Every kind below is a product of attributes; a case is one of them on an image of one to three dimensions. What
onnxruntime says is right, but for what it refuses and for its own faults (FAULTS, each with its reason): there onnx's
reference evaluator decides; what both refuse is not valid and is left out. What skipc refuses must be in REFUSED.
Without --all, a sample: a fifth of the cases, always the same. Many cases are one model, so that it takes seconds.
"""
import argparse
import collections
import itertools
import os
import re
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))
import compare  # noqa: E402

TOLERANCE = 1e-5  # of the largest value
BATCH = 60
SAMPLE = 8
OPSET = 22
COORDINATES = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize")
# an image, and what becomes of it: scales, or sizes; also such that keep the size, and such that cut a fraction off
GROWTHS = (
    ((1, 2, 4, 3), {"scales": (1, 1, 2, 1.3)}),
    ((1, 2, 4, 3), {"scales": (1, 1, 1.24, 2.6)}),
    ((2, 1, 7, 9), {"scales": (1, 1, 0.6, 0.4)}),
    ((1, 2, 5, 6), {"sizes": (1, 2, 9, 3)}),
    ((1, 2, 6, 5), {"sizes": (1, 2, 1, 5)}),
    ((1, 2, 5), {"scales": (1, 1, 2.4)}),
    ((1, 2, 5), {"sizes": (1, 2, 3)}),
    ((1, 2, 3, 4, 5), {"scales": (1, 1, 2, 0.5, 2)}),
    ((5, 6), {"scales": (0.7, 2)}),
    ((1, 4, 5, 2), {"scales": (1, 1.5, 2, 1)}),
    ((1, 2, 5, 6), {"sizes": (7, 9), "axes": (2, 3), "keep_aspect_ratio_policy": "not_larger"}),
    ((1, 2, 5, 6), {"sizes": (9, 7), "axes": (3, 2), "keep_aspect_ratio_policy": "not_smaller"}),
    ((1, 2, 5, 6), {"scales": (1.7,), "axes": (3,)}),
)


class Case:
    """A node with its inputs; constants are those that are not x."""

    def __init__(self, op, shape, constants=(), opset=OPSET, **attributes):
        self.op, self.shape, self.constants, self.opset, self.attributes = op, tuple(shape), list(constants), opset, attributes

    def node(self, k):
        names = [f"x{k}"] + [f"c{k}_{i}" if c is not None else "" for i, c in enumerate(self.constants)]
        return helper.make_node(self.op, names, [f"y{k}"], name=f"n{k}", **self.attributes)

    def initializers(self, k):
        return [numpy_helper.from_array(c, f"c{k}_{i}") for i, c in enumerate(self.constants) if c is not None]

    def x(self):
        return np.random.default_rng(sum(self.shape)).standard_normal(self.shape).astype(np.float32)

    def __str__(self):
        given = [c.tolist() if c is not None and c.size < 20 else c is not None and c.shape for c in self.constants]
        return f"{self.op}{list(self.shape)} {given} {self.attributes}"


def model(cases, opset):
    """One node for each of (number, case)."""
    value = lambda n, s: helper.make_tensor_value_info(n, TensorProto.FLOAT, s)
    graph = helper.make_graph([c.node(k) for k, c in cases], "cases", [value(f"x{k}", c.shape) for k, c in cases],
                              [value(f"y{k}", None) for k, _ in cases], [i for k, c in cases for i in c.initializers(k)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10 if opset > 20 else 8)


# ---- the products ----


def floats(*v):
    return np.array(v, np.float32)


def resizes():
    modes = [("nearest", {"nearest_mode": m}) for m in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")]
    modes += [("linear", {"antialias": a}) for a in (0, 1)]
    modes += [("cubic", {"antialias": a, "exclude_outside": e, "cubic_coeff_a": c})
              for a, e, c in ((0, 0, -0.75), (0, 1, -0.5), (1, 0, -0.75), (1, 1, -0.5))]
    for coordinate, (mode, more), (shape, growth) in itertools.product(COORDINATES, modes, GROWTHS):
        if more.get("antialias") and coordinate == "tf_crop_and_resize" and shape == GROWTHS[0][0]:
            continue  # onnxruntime is wrong, and the reference evaluator counts a fraction of a pixel
        growth = dict(growth)
        scales, sizes = growth.pop("scales", None), growth.pop("sizes", None)
        roi = None
        if coordinate == "tf_crop_and_resize":
            axes = growth.get("axes", range(len(shape)))
            cut = [(0.2, 0.9), (-0.3, 1.2), (0.1, 0.8)]
            pairs = [cut[a % 3] if (a >= 2 or len(shape) < 3) and (scales or sizes)[i] != shape[a] * bool(sizes) + (not sizes)
                     else (0, 1) for i, a in enumerate(axes)]
            roi = floats(*(p[0] for p in pairs), *(p[1] for p in pairs))
        extra = {"extrapolation_value": 7.0} if roi is not None else {}
        constants = [roi, floats(*scales)] if scales else [roi, None, np.array(sizes, np.int64)]
        yield Case("Resize", shape, constants, mode=mode, coordinate_transformation_mode=coordinate, **more, **growth, **extra)


def old_resizes():
    for mode, scales in itertools.product(("nearest", "linear"), ((1, 1, 2, 3), (1, 1, 0.6, 0.6), (1, 1, 1.3, 0.5), (1, 1, 1.1, 2))):
        yield Case("Resize", (1, 2, 5, 6), [floats(*scales)], opset=10, mode=mode)
        if min(scales) >= 1:
            yield Case("Upsample", (1, 2, 5, 6), [floats(*scales)], opset=9, mode=mode)
            yield Case("Upsample", (1, 2, 5, 6), opset=7, mode=mode, scales=[float(s) for s in scales])
    for mode, coordinate in itertools.product(("nearest", "linear"), ("tf_half_pixel_for_nn", "asymmetric", "half_pixel")):
        yield Case("Resize", (1, 2, 5, 6), [floats(), floats(1, 1, 1.7, 1)], opset=11, mode=mode,
                   coordinate_transformation_mode=coordinate)


WINDOWS = (((1, 2, 7, 6), (2, 3)), ((1, 2, 7, 6), (3, 3)), ((2, 1, 9), (3,)), ((1, 1, 5, 4, 6), (2, 2, 3)))


def windows(strides=(1, 2, 3), dilations=(1, 2)):
    """Image, and attributes that all operators with windows have."""
    pads = [{}, {"pads": 1}, {"pads": (0, 1)}, {"pads": (1, 0)}, *({"auto_pad": a} for a in ("VALID", "SAME_UPPER", "SAME_LOWER"))]
    for (shape, kernel), stride, dilation, pad in itertools.product(WINDOWS, strides, dilations, pads):
        n = len(kernel)
        pad = dict(pad)
        if "pads" in pad:
            p = pad["pads"]
            pad["pads"] = [p] * 2 * n if isinstance(p, int) else [p[0]] * n + [p[1]] * n
        more = {"dilations": [dilation] * n} if dilation > 1 else {}
        yield shape, kernel, {"strides": [stride] * n, **more, **pad}


def pools():
    for (shape, kernel, a), ceil in itertools.product(windows(), (0, 1)):
        yield Case("MaxPool", shape, kernel_shape=kernel, ceil_mode=ceil, **a)
        for include in (0, 1):
            yield Case("AveragePool", shape, kernel_shape=kernel, ceil_mode=ceil, count_include_pad=include, **a)


def convolutions():
    rng = np.random.default_rng(1)
    for shape, kernel, a in windows():
        for group in (1, shape[1]):
            w = rng.standard_normal((2 * group, shape[1] // group, *kernel)).astype(np.float32)
            yield Case("Conv", shape, [w], group=group, **a)


def transposed():
    rng = np.random.default_rng(2)
    for (shape, kernel, a), more in itertools.product(windows(), ({}, {"output_padding": 1}, {"output_shape": 0}, {"output_shape": -1})):
        more, n = dict(more), len(kernel)
        if "output_padding" in more:
            more["output_padding"] = [1] * n
        if "output_shape" in more:
            more["output_shape"] = [s * t + more["output_shape"] for s, t in zip(shape[2:], a["strides"])]
        w = rng.standard_normal((shape[1], 2, *kernel)).astype(np.float32)
        yield Case("ConvTranspose", shape, [w], **a, **more)


def norms():
    for axis, opset in itertools.product((0, 1, -1), (11, 13)):
        if opset == 13 or axis == 1:
            yield Case("Hardmax", (2, 3, 4), opset=opset, axis=axis)
    for axis, p in itertools.product((0, -1), (1, 2)):
        yield Case("LpNormalization", (2, 3, 4), axis=axis, p=p)
    for more in ({}, {"axes": [1, 2]}):
        yield Case("MeanVarianceNormalization", (2, 3, 4, 5), **more)
    for p in (1, 2, 3):
        yield Case("GlobalLpPool", (2, 3, 4, 5), p=p)
        for more in ({}, {"pads": [1, 1, 0, 1]}, {"auto_pad": "SAME_UPPER"}, {"dilations": [2, 1]}):
            yield Case("LpPool", (2, 3, 6, 5), p=p, kernel_shape=[2, 3], strides=[2, 1], **more)


KINDS = {"norms": norms, "resizes": resizes, "old_resizes": old_resizes, "pools": pools, "convolutions": convolutions, "transposed": transposed}

# ---- what is not as onnxruntime has it ----


def resampled_in_place(c):
    """An axis whose scale is not 1 keeps its size: with antialias, or where all do, onnxruntime copies it."""
    if c.op not in ("Resize", "Upsample") or len(c.constants) != 2:
        return False
    scales = dict(zip(c.attributes.get("axes", range(len(c.shape))), c.constants[1]))
    kept = [s != 1 and int(np.float32(c.shape[a]) * s) == c.shape[a] for a, s in scales.items()]
    return any(kept) if c.attributes.get("antialias") else all(k or s == 1 for k, s in zip(kept, scales.values()))


def spelled_out(c):
    """SAME_UPPER and SAME_LOWER with dilations, as pads: onnxruntime refuses them in Conv and is wrong in pools."""
    how = c.attributes.get("auto_pad", "")
    if not how.startswith("SAME") or "dilations" not in c.attributes or c.op == "ConvTranspose":
        return c
    more = {k: v for k, v in c.attributes.items() if k != "auto_pad"}
    kernel = more.get("kernel_shape") or c.constants[0].shape[2:]
    size, strides, dilations = c.shape[2:], more["strides"], more["dilations"]
    total = [max(0, (-(-n // s) - 1) * s + (k - 1) * d + 1 - n) for n, k, s, d in zip(size, kernel, strides, dilations)]
    less, rest = [t // 2 for t in total], [t - t // 2 for t in total]
    more["pads"] = less + rest if how == "SAME_UPPER" else rest + less
    if "ceil_mode" in more:
        more["ceil_mode"] = 0
    return Case(c.op, c.shape, c.constants, c.opset, **more)


FAULTS = (resampled_in_place,)
REFUSED = ((lambda c: "output_shape" in c.attributes, "where its parts make"),)  # which cases, a part of the message


def onnxruntime_says(case):
    """Its output, or None: it does not run this."""
    try:
        session = compare.onnxruntime_session(None, model([(0, case)], case.opset), optimise=False)
        return compare.run_session(session, None, {"x0": case.x()})[0]
    except compare.Stop:
        return None


def reference_says(case):
    try:
        return ReferenceEvaluator(model([(0, case)], case.opset)).run(None, {"x0": case.x()})[0]
    except Exception:
        return None


def differ(got, want):
    if got.shape != want.shape:
        return f"shape {list(got.shape)}, not {list(want.shape)}"
    if not np.array_equal(np.isnan(got), np.isnan(want)):
        return "NaN elsewhere"
    if got.size == 0:
        return None
    error = np.nanmax(np.abs(got - want)) / (np.nanmax(np.abs(want)) or 1)
    return f"differs by {error:.1e}" if error > TOLERANCE else None


def compiled(skipc, cases, opset, target):
    """What skipc computes of each case; where it refuses one, its message."""
    results, left = {}, list(cases)
    while left:
        with tempfile.TemporaryDirectory(prefix="skipc-attributes-") as work:
            path = os.path.join(work, "model.onnx")
            onnx.save(model(left, opset), path)
            done = subprocess.run([skipc, "compile", path, "-o", work, "--name", "net", "--main", f"--target={target}"],
                                  capture_output=True, text=True)
            if done.returncode == 0:
                program = compare.build_program(work, "gcc", "-O1 -Wall -Wextra -Werror" if target == "c" else "-O1")
                feeds = {f"x{k}": c.x() for k, c in left}
                outputs = compare.run_program(program, feeds, len(left), work)
                results.update({k: y for (k, _), y in zip(left, outputs)})
                return results
        refused = {int(k): text for k, text in re.findall(r'node \d+ "n(\d+)" \(\w+\): error: (.*)', done.stderr)}
        if not refused:
            raise compare.Stop(3, done.stderr)
        results.update(refused)
        left = [(k, c) for k, c in left if k not in refused]
    return results


def judged(case, got):
    """What is wrong with it; None: nothing. And a word for the count."""
    want = onnxruntime_says(spelled_out(case))
    fault = any(applies(case) for applies in FAULTS)
    if want is None or fault:
        want = reference_says(case)
    if isinstance(got, str):
        if want is None or any(applies(case) and text in got for applies, text in REFUSED):
            return None, "refused" if want is not None else "not valid"
        return f"refused: {got}", "wrong"
    if want is None:
        return None, "not valid"
    wrong = differ(got, want)
    return wrong, "wrong" if wrong else "as the reference evaluator" if fault else "as onnxruntime"


def check_batch(skipc, cases, opset, target):
    got = compiled(skipc, cases, opset, target)
    return [(str(c), *judged(c, got[k])) for k, c in cases]


def batches(kinds, everything):
    """Lists of (number, case), of one opset each."""
    for kind in kinds:
        cases = sorted(((c.opset, k, c) for k, c in enumerate(KINDS[kind]())), key=lambda t: t[:2])
        for opset, group in itertools.groupby(cases, key=lambda t: t[0]):
            chosen = [(k, c) for _, k, c in group if everything or hash_of(c) % SAMPLE == 0]
            for first in range(0, len(chosen), BATCH):
                yield kind, opset, chosen[first:first + BATCH]


def hash_of(case):
    return zlib.crc32(str(case).encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--target", default="c")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    a = parser.parse_args()
    skipc, counts, wrong = os.path.abspath(a.skipc), collections.Counter(), 0
    with ProcessPoolExecutor(a.jobs) as pool:
        jobs = [(kind, pool.submit(check_batch, skipc, cases, opset, a.target))
                for kind, opset, cases in batches(a.kinds or KINDS, a.all)]
        for kind, job in jobs:
            for text, problem, word in job.result():
                counts[word] += 1
                if problem:
                    wrong += 1
                    print(f"FAILED {text}: {problem}", flush=True)
    print(f"attributes ({a.target}): " + ", ".join(f"{n} {word}" for word, n in sorted(counts.items())))
    return wrong > 0 or not counts["as onnxruntime"]


if __name__ == "__main__":
    sys.exit(main())
