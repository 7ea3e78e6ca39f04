#!/usr/bin/env python3
"""`skipc bench` on a small network: its tables, and whom it does not time.

    bench.py [--skipc PATH]
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))
import compare  # noqa: E402
import rivals  # noqa: E402
import timing  # noqa: E402

MODEL = os.path.join(HERE, "cases", "v1_projB_s2_op13", "model.onnx")
NUMBER = r"[\d.]+"


def bench(skipc, *options, status=0):
    done = subprocess.run([skipc, "bench", MODEL, "--runs", "3", *options], capture_output=True, text=True,
                          env={**os.environ, "SKIPC_PYTHON": sys.executable})
    assert done.returncode == status, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def tables(skipc, work):
    """A ratio for each peer; a line for each step, on both targets."""
    for target in ("c", "x86-64"):
        text = bench(skipc, "--target", target, "--layers", "--keep", work)
        ratio = re.search(rf"(?m)^onnxruntime +{NUMBER} +{NUMBER} +{NUMBER} +({NUMBER}) +\S+ +ok$", text)
        assert re.search(r"minimum, us  median, us +ratio", text) and ratio and float(ratio.group(1)) > 0, text
        header = open(os.path.join(work, "skipc", "net.h")).read()
        steps = int(re.search(r"NET_STEPS (\d+)", header).group(1))
        rows = re.findall(rf"(?m)^(\d+) +\w+ +{NUMBER} +{NUMBER}% +{NUMBER} +{NUMBER}% +[\d,]+  (/.*)$", text)
        assert [int(k) for k, _ in rows] == list(range(steps)) and "/conv1/Conv /Relu" in rows[0][1], text
        assert re.search(r"(?m)^sum +" + NUMBER + " +100.0%", text), text


def threads(skipc, work):
    text = bench(skipc, "--threads", "2")
    assert re.search(rf"(?m)^skipc, 1 thread +{NUMBER} +{NUMBER} +{NUMBER} +0.0e\+00 +ok$", text), text


def plot(skipc, work):
    """A picture, or what to install."""
    path = os.path.join(work, "bars.svg")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        assert "pip install matplotlib" in bench(skipc, "--plot", path, status=4)
        return
    bench(skipc, "--plot", path)
    assert "<svg" in open(path).read()


def refusals(skipc, work):
    """Peers that compute something else, fail, or are not installed: no times, and the reason."""
    class Wrong(rivals.OnnxRuntime):
        def outputs(self):
            return [1.1 * y for y in super().outputs()]

    class Failing:
        def __init__(self, task):
            raise ValueError("out of order")

    class Absent:
        def __init__(self, task):
            rivals.module("no_such_engine", "no-such-engine")

    rivals.RIVALS.update(wrong=Wrong, failing=Failing, absent=Absent)
    task = rivals.Task(MODEL, compare.random_inputs(compare.load(MODEL), {}, 0), work)
    build = timing.Build(skipc)
    results = timing.contest(timing.link(build, timing.generate(build, task)), task,
                             ["wrong", "ort", "failing", "absent"], 2)
    ours, wrong, ort, failing, absent = results
    assert [len(r.times) for r in results] == [2, 0, 2, 0, 0]
    assert wrong.status == 1 and "something else" in wrong.note and wrong.difference > timing.AGREE, wrong
    assert failing.status == 4 and "out of order" in failing.note, failing
    assert absent.status == 4 and "pip install no-such-engine" in absent.note, absent
    assert "'tvm' is none of ort" in bench(skipc, "--peers", "ort,tvm", status=2)


def faults(skipc, work):
    """`skipc diff` says where onnxruntime is known to be wrong, and only then."""
    attacked = os.path.join(HERE, "cases", "resize_scale_ignored_same_size", "model.onnx")
    model = compare.onnx.load(attacked)
    scales = model.graph.initializer[0]
    scales.CopyFrom(compare.numpy_helper.from_array(compare.np.float32([1, 1, 1.2, 1.3]), scales.name))
    path = os.path.join(work, "same_size.onnx")
    compare.onnx.save(model, path)
    for file, faulty in ((path, True), (attacked, False)):
        done = subprocess.run([skipc, "diff", file], capture_output=True, text=True)
        assert done.returncode == 0 and ("may be wrong itself" in done.stdout) == faulty, done.stdout
    node = compare.helper.make_node
    padded = compare.helper.make_graph([node("Pad", ["x"], ["a"]), node("MaxPool", ["a"], ["y"])], "g", [], [])
    padded = compare.helper.make_model(padded)
    assert compare.known_faults(padded, "1.30.1") and not compare.known_faults(padded, "1.32.0")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    skipc = os.path.abspath(parser.parse_args().skipc)
    tests = (tables, threads, plot, refusals, faults)
    for test in tests:
        with tempfile.TemporaryDirectory() as work:
            test(skipc, work)
    print(f"bench: {len(tests)} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
