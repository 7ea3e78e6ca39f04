#!/usr/bin/env python3
"""`skipc diff` of quantised models, and what it compares with.

    diff.py [--skipc PATH] [--cases LIST]

Each quantised model of the cases has the bits of R, tensor by tensor, and is no further from real arithmetic than it may be.
Each form of quantised operators means to float64.py what it means to onnxruntime.
"""
import argparse
import contextlib
import glob
import io
import os
import re
import subprocess
import sys
import tempfile
from unittest import mock

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from run import QUICK

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))
import compare  # noqa: E402
import float64  # noqa: E402
import qdq  # noqa: E402
import quantised  # noqa: E402
import steps  # noqa: E402

EXAMPLES = os.path.join(HERE, "..", "examples", "digits")
SMALL = os.path.join(HERE, "cases", "qdq_conv_i32bias", "model.onnx")


def diff(skipc, model, *options):
    """Exit status and what was said."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        status = compare.main(["--skipc", skipc, *options, model])
    return status, out.getvalue()


def cases(skipc, wanted):
    """Every tensor of every quantised model: the bits of R; and end to end."""
    found = 0
    for path in sorted(glob.glob(os.path.join(HERE, "cases", "*", "model.onnx")) + glob.glob(os.path.join(EXAMPLES, "*_int8.onnx"))):
        name = os.path.basename(os.path.dirname(path)) if path.endswith("model.onnx") else os.path.basename(path)[:-5]
        if not steps.is_quantised(onnx.load(path)) or (wanted and name not in wanted):
            continue
        found += 1
        status, text = diff(skipc, path, "--all-tensors", *(["--target=x86-64", "--cc", QUICK] if found % 2 else ["--target=c"]), "--cflags=-O1")
        assert status == 0 and "BEYOND" not in text, f"{name}: exit status {status}\n{text}"
        assert " tensors, 0 not as R" in text and "no evaluation" not in text, f"{name}:\n{text}"
    assert wanted or found >= 27, found


def unknown(*_):
    raise NotImplementedError("unknown")


def verdicts(skipc):
    """A result that is off by a step is not R's, an inner tensor either; two steps are too far from real arithmetic, where R is
    not to be had."""
    original = compare.run_program

    def off(by):
        def run(program, feeds, *rest):
            ys = original(program, feeds, *rest)
            return [y + np.asarray(by * 0.01, y.dtype) for y in ys]
        return run

    status, text = diff(skipc, SMALL)
    assert status == 0 and text.count("ok") == 1, text
    with mock.patch.object(compare, "run_program", off(1)):
        status, text = diff(skipc, SMALL)
        assert status == 1 and "BEYOND (not as R)" in text, text
    for by, verdict in ((1, "ok"), (2, "BEYOND")):
        with mock.patch.object(quantised, "values", unknown), mock.patch.object(compare, "run_program", off(by)):
            status, text = diff(skipc, SMALL)
            assert status == (by > 1) and f" {verdict}" in text and "no evaluation of R: unknown" in text, text
    with mock.patch.object(compare, "traced_tensors", lambda *a: {k: v + 1 for k, v in traced(*a).items()}):
        status, text = diff(skipc, SMALL, "--all-tensors")
        assert status == 1 and "first that is not:" in text, text


traced = compare.traced_tensors
NOT_THERE = {"QLinearReduceMean"}  # onnxruntime declares it, and has no kernel


def saturation(skipc):
    """Said where onnxruntime saturates, which it does where the processor has no VNNI; what it gives then is not compared with."""
    with open("/proc/cpuinfo") as f:
        flags = f.read()
    if " avx2 " in flags:
        assert compare.saturates() == (" avx512_vnni " not in flags and " avx_vnni " not in flags)
    for does in (True, False):
        with mock.patch.object(compare, "saturates", lambda does=does: does):
            assert ("saturates on this processor" in diff(skipc, SMALL)[1]) == does


def not_precise(skipc):
    """A word where onnxruntime does not take the model precisely."""
    original = compare.onnxruntime_session

    def session(path, *rest, precise=False, **more):
        if precise:
            raise compare.Stop(4, "no such kernel")
        return original(path, *rest, **more)
    with mock.patch.object(compare, "onnxruntime_session", session):
        status, text = diff(skipc, SMALL)
    assert status == 0 and "x64quantprecision=1: no such kernel" in text, text


# ---- --io=int ----

def two_ends(work):
    """Two inputs, of a batch of two; one output is dequantised, one is a Softmax, one is quantised in the graph itself."""
    rng = np.random.default_rng(3)
    numbers = {"s": np.float32(.02), "z": np.uint8(120), "t": np.float32(.05), "i": np.int8(-7), "u": np.float32(.1), "v": np.uint8(30),
               "w": rng.integers(-63, 64, (6, 3, 3, 3)).astype(np.int8), "ws": np.linspace(.01, .03, 6).astype(np.float32),
               "wz": np.zeros(6, np.int8)}
    node, at = helper.make_node, dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    nodes = [node("QuantizeLinear", ["a", "s", "z"], ["aq"]), node("DequantizeLinear", ["aq", "s", "z"], ["ad"]),
             node("Transpose", ["b"], ["bt"], perm=[0, 3, 1, 2]), node("QuantizeLinear", ["bt", "t", "i"], ["bq"]),
             node("DequantizeLinear", ["bq", "t", "i"], ["bd"]), node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
             node("Conv", ["ad", "wd"], ["c"], **at), node("Conv", ["bd", "wd"], ["d"], **at), node("Add", ["c", "d"], ["e"]),
             node("QuantizeLinear", ["e", "u", "v"], ["q"]), node("DequantizeLinear", ["q", "u", "v"], ["y"]),
             node("Softmax", ["y"], ["p"], axis=1)]
    value, kind = helper.make_tensor_value_info, TensorProto.FLOAT
    graph = helper.make_graph(nodes, "g", [value("a", kind, ["n", 3, 5, 4]), value("b", kind, ["n", 5, 4, 3])],
                              [value("y", kind, ["n", 6, 5, 4]), value("p", kind, ["n", 6, 5, 4]), value("q", TensorProto.UINT8, ["n", 6, 5, 4])],
                              [numpy_helper.from_array(np.asarray(v), n) for n, v in numbers.items()])
    path = os.path.join(work, "two.onnx")
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def bare(skipc):
    """--io=int: types, scales and zero points in the header; what stays, and why; the results are those of the graph."""
    with tempfile.TemporaryDirectory() as work:
        path = two_ends(work)
        for target in ("c", "x86-64"):
            status, text = diff(skipc, path, "--io", "int", "--dim", "n=2", "--all-tensors", "--target", target, "--cc", QUICK, "--keep", work)
            assert status == 0 and text.count("BEYOND") == 0 and "uint8x2x6x5x4" in text, text
            assert 'output "p" stays f32: "Softmax" computes it' in text and "input" not in text, text
            with open(os.path.join(work, "net.h")) as f:
                macros = dict(re.findall(r"(?m)^#define NET_(\w+) (\S+)", f.read()))
            want = {"INPUT0": ("u8", .02, 120), "INPUT1": ("i8", .05, -7), "OUTPUT0": ("u8", .1, 30), "OUTPUT2": ("u8", .1, 30)}
            for end, (kind, scale, zero) in want.items():
                assert macros[end + "_TYPE"] == f'"{kind}"' and macros[end + "_ZERO"] == str(zero), macros
                assert np.float32(macros[end + "_SCALE"].rstrip("f")) == np.float32(scale), macros
            assert macros["OUTPUT1_TYPE"] == '"f32"' and "OUTPUT1_SCALE" not in macros, macros
        found = compare.inspect(skipc, path, {"n": 2}, ["--io=int"])
        assert [(i["type"], i["zero"], np.float32(i["scale"])) for i in found["inputs"]] == \
            [("u8", 120, np.float32(.02)), ("i8", -7, np.float32(.05))], found["inputs"]
        assert compare.inspect(skipc, path, {}, [])["inputs"][0]["type"] == "f32"
    for name, words in (("ortq_hw_one_split_dynamic_u8", 'input "x0" stays f32: "x0_QuantizeLinear" reads it before'),
                        ("v1_projB_s2_op13", "reads it before it is quantised"), ("tf_tflite_resnet_v2_int8_op13", "")):
        status, text = diff(skipc, os.path.join(HERE, "cases", name, "model.onnx"), "--io", "int", "--target", "c")
        assert status == 0 and words in text and ("stays" in text) == bool(words), text


# ---- what inspect says ----

def inspected(skipc):
    """Types, scales, what is in integers and what in floats and why, and the bound on each sum, which the weights prove."""
    path = os.path.join(HERE, "cases", "ortq_cifar_resnet8_A_qdq_u8s8_pc", "model.onnx")
    model, kernels = onnx.load(path), compare.inspect(skipc, path, {}, ["--target=c"])["kernels"]
    values = {t.name: numpy_helper.to_array(t).astype(np.int64) for t in model.graph.initializer if t.data_type in
              (TensorProto.INT8, TensorProto.UINT8, TensorProto.INT32)}
    makers = {n.output[0]: n for n in model.graph.node}
    bounds = []
    for conv in [n for n in model.graph.node if n.op_type == "Conv"]:
        x, w, b = (makers[i] for i in conv.input)
        zero = int(values[x.input[2]].reshape(()))
        sums = np.abs(values[w.input[0]] - values[w.input[2]].reshape(-1, 1, 1, 1)).reshape(len(values[b.input[0]]), -1).sum(axis=1)
        bounds.append(int((sums * max(zero, 255 - zero) + np.abs(values[b.input[0]])).max()))
    found = [k for k in kernels if k["row"] == "conv_integer"]
    assert [k["sum_bound"] for k in found] == bounds and {k["sum"] for k in found} == {"i32"}, (found, bounds)
    assert all(k["type"] == "u8" and 0 < k["scale"] < 1 and k["zero"] == 0 for k in found), found
    assert {k["arithmetic"] for k in found} == {"integers", "integers and floats"}, found
    assert [k["why_floats"] for k in found if k["arithmetic"] != "integers"] == ["Add joins values of several scales"] * 3, found
    assert kernels[-1]["arithmetic"] == "floats" and kernels[-1]["why_floats"] == "LogSoftmax is computed in floats", kernels[-1]
    text = subprocess.run([skipc, "inspect", "-v", "--target=c", path], capture_output=True, text=True, check=True).stdout
    assert f"        in integers; sums are i32, none beyond {bounds[0]:,}; gives u8, scale 0.0133499 zero 0\n" in text, text
    plain = compare.inspect(skipc, os.path.join(HERE, "cases", "v1_projB_s2_op13", "model.onnx"), {}, [])["kernels"]
    assert all(k["arithmetic"] is None and k["why_floats"] is None for k in plain), plain


# ---- quantised operators ----

def forms():
    """A node of each: (kind, inputs by name, attributes); scales fit."""
    rng = np.random.default_rng(1)
    u8 = lambda *s: rng.integers(0, 256, s).astype(np.uint8)
    s8 = lambda *s: rng.integers(-63, 64, s).astype(np.int8)  # so that pairs of products do not saturate
    f, z, w0 = (lambda v: np.float32(v)), np.uint8(120), np.int8(0)
    x, y = u8(1, 4, 6, 5), u8(1, 4, 6, 5)
    a, b, image = u8(3, 8), s8(8, 5), [x, f(.02), z]
    per, pz = np.linspace(.01, .03, 5).astype(np.float32), np.zeros(5, np.int8)
    conv = dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    yield "QLinearConv", [*image, s8(5, 4, 3, 3), per, pz, f(.4), z, rng.integers(-900, 900, 5).astype(np.int32)], conv
    yield "QLinearMatMul", [a, f(.02), z, b, per, pz, f(.1), z], {}
    yield "ConvInteger", [x, s8(5, 4, 3, 3), z], conv
    yield "MatMulInteger", [a, b, z, np.int8(0)], {}
    yield "DynamicQuantizeLinear", [rng.standard_normal((3, 7)).astype(np.float32)], {}
    yield "QuantizeLinear", [rng.standard_normal((3, 7)).astype(np.float32), f(.03), z], {}
    yield "DequantizeLinear", [a, f(.03), z], {}
    yield "QLinearAdd", [*image, y, f(.03), np.uint8(99), f(.05), z], {}
    yield "QLinearMul", [*image, y, f(.03), np.uint8(99), f(.05), z], {}
    yield "QLinearSigmoid", [*image, f(1 / 255), np.uint8(0)], {}
    yield "QLinearLeakyRelu", [*image, f(.015), np.uint8(10)], {"alpha": .1}
    yield "QLinearAveragePool", [*image, f(.015), z], dict(kernel_shape=[3, 2], pads=[1, 0, 1, 1], strides=[2, 1])
    yield "QLinearGlobalAveragePool", [*image, f(.005), z], {}
    yield "QLinearReduceMean", [*image, f(.005), z], dict(axes=[2, 3], keepdims=1)
    yield "QLinearConcat", [f(.04), z, *image, y, f(.03), np.uint8(99)], {"axis": 1}
    yield "QLinearWhere", [rng.integers(0, 2, x.shape).astype(bool), *image, y, f(.03), np.uint8(99), f(.05), z], {}
    yield "QLinearSoftmax", [*image, f(1 / 255), np.uint8(0)], dict(axis=1, opset=12)
    yield "QLinearSoftmax", [*image, f(1 / 255), np.uint8(0)], dict(axis=1, opset=13)
    bias = rng.integers(-900, 900, 5).astype(np.int32)
    yield "QGemm", [a, f(.02), z, b, per, pz, bias, f(.1), z], {}
    yield "QGemm", [a, f(.02), z, np.ascontiguousarray(b.T), f(.02), np.int8(0), bias], {"transB": 1}
    yield "DynamicQuantizeMatMul", [rng.standard_normal((3, 8)).astype(np.float32), b, per, pz, np.linspace(-1, 1, 5).astype(np.float32)], {}
    yield "MatMulIntegerToFloat", [a, b, f(.02), per, z, pz, np.linspace(-1, 1, 5).astype(np.float32)], {}


def operators(skipc):
    """Real arithmetic and R are a step from onnxruntime at most, and no operator is left out."""
    seen = set()
    for kind, arrays, at in forms():
        domain = "" if ("", kind) in qdq.FORMS or kind in ("QuantizeLinear", "DequantizeLinear") else qdq.MICROSOFT
        if kind in ("QuantizeLinear", "DequantizeLinear"):
            domain = qdq.MICROSOFT
        seen.add((domain, kind))
        names = [f"x{k}" for k in range(len(arrays))]
        outs = ["y", "scale", "zero"][:3 if kind == "DynamicQuantizeLinear" else 1]
        constants = [numpy_helper.from_array(np.asarray(v), n) for n, v in zip(names, arrays) if np.ndim(v) < 2]
        inputs = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
                  for n, v in zip(names, arrays) if np.ndim(v) >= 2]
        graph = helper.make_graph([helper.make_node(kind, names, outs, domain=domain, **at)], "g", inputs,
                                  [onnx.ValueInfoProto(name=o) for o in outs], constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(qdq.MICROSOFT, 1)], ir_version=8)
        feeds = {n: v for n, v in zip(names, arrays) if np.ndim(v) >= 2}
        theirs = compare.onnxruntime_session("", qdq.in_floats(model) if kind in NOT_THERE else model, optimise=False).run(None, feeds)
        real, r = float64.evaluate(model, feeds), quantised.evaluate(model, feeds)
        for name, want in zip(outs, theirs):
            for got in (real[name], r[name]):
                d = np.abs(got.astype(np.float64) - want.astype(np.float64)).max()
                most = 1 if steps.is_step_type(want) else 0 if want.dtype.kind in "iu" else 1e-5 * max(1, np.abs(want).max())
                assert got.shape == want.shape and d <= most, f"{kind}: {name} is {d} from onnxruntime's"
        assert len(np.unique(theirs[0])) > 2, kind
    assert seen == set(qdq.FORMS), set(qdq.FORMS) - seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("--cases", default="", help="only these, by name")
    a = parser.parse_args()
    skipc = os.path.abspath(a.skipc)
    cases(skipc, a.cases.split(",") if a.cases else [])
    for test in (operators, verdicts, saturation, not_precise, bare, inspected) if not a.cases else ():
        test(skipc)
    print("diff: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
