#!/usr/bin/env python3
"""`skipc bench` on a small network: its tables, and whom it does not time.

    bench.py [--skipc PATH]
"""
import argparse
import contextlib
import importlib.util
import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from unittest import mock

from run import QUICK

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))
import bench as figures  # noqa: E402
import compare  # noqa: E402
import flags  # noqa: E402
import networks  # noqa: E402
import peers  # noqa: E402
import rivals  # noqa: E402
import timing  # noqa: E402

MODEL = os.path.join(HERE, "cases", "v1_projB_s2_op13", "model.onnx")
NUMBER = r"[\d.]+"


class Absent:
    name = "absent"

    def __init__(self, task):
        rivals.module("no_such_engine", "no-such-engine")


def bench(skipc, *options, status=0):
    done = subprocess.run([skipc, "bench", MODEL, "--runs", "3", "--cc", QUICK, *options], capture_output=True, text=True,
                          env={**os.environ, "SKIPC_PYTHON": sys.executable})
    assert done.returncode == status, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def tables(skipc, work):
    """A ratio for each peer; a line for each step, on both targets."""
    for target in ("c", "x86-64"):
        text = bench(skipc, "--target", target, "--layers", "--keep", work)
        ratio = re.search(rf"(?m)^onnxruntime +{NUMBER} +{NUMBER} +{NUMBER} +{NUMBER}% +({NUMBER}) +\S+ +ok$", text)
        assert re.search(r"minimum, us  median, us +spread +ratio +difference", text) and ratio and float(ratio.group(1)) > 0, text
        header = open(os.path.join(work, "skipc", "net.h")).read()
        steps = int(re.search(r"NET_STEPS (\d+)", header).group(1))
        rows = re.findall(rf"(?m)^(\d+) +\w+ +{NUMBER} +{NUMBER}% +{NUMBER} +{NUMBER}% +[\d,]+  (/.*)$", text)
        assert [int(k) for k, _ in rows] == list(range(steps)) and "/conv1/Conv /Relu" in rows[0][1], text
        assert re.search(r"(?m)^sum +" + NUMBER + " +100.0%", text), text


def threads(skipc, work):
    text = bench(skipc, "--threads", "2")
    assert re.search(rf"(?m)^skipc, 1 thread +{NUMBER} +{NUMBER} +{NUMBER}% +{NUMBER} +0.0e\+00 +ok$", text), text


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

    class Drifting(rivals.OnnxRuntime):
        """Right at first."""
        runs = 0

        def run(self, count):
            self.runs += 1
            return super().run(count)

        def outputs(self):
            return [self.runs * y for y in super().outputs()]

    class Failing:
        def __init__(self, task):
            raise ValueError("out of order")

    rivals.RIVALS.update(wrong=Wrong, drifting=Drifting, failing=Failing, absent=Absent)
    task = rivals.Task(MODEL, compare.random_inputs(compare.load(MODEL), {}, 0), work)
    build = timing.Build(skipc, cc=QUICK)
    results = timing.contest(timing.link(build, timing.generate(build, task)), task,
                             ["wrong", "drifting", "ort", "failing", "absent"], 2)
    ours, wrong, drifting, ort, failing, absent = results
    assert [len(r.times) for r in results] == [2, 0, 0, 2, 0, 0]
    assert wrong.status == 1 and "something else" in wrong.note and wrong.difference > timing.AGREE, wrong
    assert drifting.status == 1 and "in a later run" in drifting.note and drifting.difference < 1e-5, drifting
    assert failing.status == 4 and "out of order" in failing.note, failing
    assert absent.status == 4 and "pip install no-such-engine" in absent.note, absent
    assert "'tvm' is none of ort" in bench(skipc, "--peers", "ort,tvm", status=2)


def engines(skipc, work):
    """Each peer that is installed computes what onnxruntime does, after many runs too, and in float32: E says so."""
    path = os.path.join(work, "resnet8.onnx")
    networks.save(networks.build("resnet8"), path)
    feeds = compare.random_inputs(compare.load(path), {}, 0)
    float64 = list(compare.float64.evaluate(compare.load(path), feeds).values())
    build = timing.Build(skipc, cc=QUICK)
    task = rivals.Task(path, feeds, work)
    library = timing.link(build, timing.generate(build, task))
    for task.threads in (1, 2):
        for theirs in timing.contest(library, task, peers.ALL, 3)[task.threads:]:
            if theirs.note.startswith(peers.NOT_INSTALLED):
                print(f"bench: NOT RUN: {theirs.name}: {theirs.note}")
                continue
            assert theirs.note == "ok" and len(theirs.times) == 3, theirs
            assert compare.error(theirs.outputs[0], float64[0]) < 1e-5, theirs


def busy(skipc, work):
    """A warning where the machine is busy, before or during the race, and none where it is not."""
    def said(load, others):
        with mock.patch.object(os, "getloadavg", lambda: (load, 0, 0)), \
                mock.patch.object(timing.Others, "used", lambda self: others), \
                contextlib.redirect_stdout(io.StringIO()) as table, \
                contextlib.redirect_stderr(io.StringIO()) as warnings:
            assert timing.main([MODEL, "--skipc", skipc, "--runs", "2", "--cc", QUICK]) == 0
        assert f"load {load:.2f} on" in table.getvalue(), table.getvalue()
        return warnings.getvalue()

    assert said(0.99, 0.1) == ""
    assert "busy, load 1.01" in said(1.01, 0.1)
    assert "others used 0.7 processors" in said(0, 0.7)
    others = timing.Others()
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        subprocess.run(["sleep", "1"], check=True)
        used = others.used()
        other.kill()
    assert used > 0.3, used


def progress(skipc, work):
    """What is being done, where standard error is a terminal, and only there."""
    command = [skipc, "bench", MODEL, "--runs", "3"]
    environment = {**os.environ, "SKIPC_PYTHON": sys.executable}
    ours, theirs = pty.openpty()
    with open(os.path.join(work, "table"), "w+", encoding="utf-8") as table:
        done = subprocess.run(command, stdout=table, stderr=theirs, env=environment)
        os.close(theirs)
        shown = os.read(ours, 1 << 16).decode()
        table.seek(0)
        assert done.returncode == 0 and "round 1" not in table.read()
    assert all(f"round {k} of 3" in shown for k in (1, 2, 3)) and "compiling" in shown, shown
    assert shown.endswith("\r\033[K") or "warning" in shown, shown
    assert "round 1" not in bench(skipc)


def match_table(skipc, work):
    """The table of peers: bars of the machine's kind, E beside each time, who was not run, and a picture."""
    original = timing.Build

    def table(avx512, *matches):
        runner = figures.Bench(argparse.Namespace(skipc=skipc, work=work, runs=2, inputs=1))
        with contextlib.redirect_stdout(io.StringIO()) as text, \
                mock.patch.object(timing, "Build", lambda skipc, options, cc, cflags: original(skipc, options, QUICK, cflags)):
            peers.peers(runner, matches, peers.Machine("some processor", avx512, 2))
        return text.getvalue(), runner.failed

    easy, hard = (0.001, 0.002), (1000, 2000)
    text, failed = table(True, peers.Match("resnet8", easy, hard, peers=("ort",)))
    time = rf"{NUMBER} [mu]s, {NUMBER}e-0\d"
    row = rf"(?m)^\| resnet8 \| {time} \| {time} \|.* {NUMBER} \({NUMBER} to {NUMBER}\) \| 0.001 \| 0.002 \| {NUMBER} \| ok \|$"
    assert failed == 0 and "some processor, AVX-512, 2 processors" in text and re.search(row, text), text
    text, failed = table(False, peers.Match("resnet8", easy, hard, {"batch": 2}, 2, ("ort",)))
    assert failed == 1 and ", AVX2, " in text, text
    assert re.search(r"(?m)^\| resnet8 batch 2, 2 threads \|.*\| 1000 \| 2000 \|.*not met", text), text
    with mock.patch.dict(rivals.RIVALS, {"ncnn": Absent}):
        text, failed = table(True, peers.Match("resnet8", easy, hard, peers=("ort", "ncnn")))
        assert failed == 1 and "NOT RUN: resnet8: ncnn: not installed" in text, text
    with mock.patch.object(compare, "FAST", (1e-9, 0)):
        assert table(True, peers.Match("resnet8", easy, hard, peers=("ort",)))[1] == 1
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        assert "picture: none" in text and not os.path.exists(os.path.join(work, "peers.svg")), text
        return
    assert "<svg" in open(os.path.join(work, "peers.svg"), encoding="utf-8").read() and "peers.svg" in text, text


def flag_table(skipc, work):
    """The table of compilers: each over the best of a column; a build that fails, or is too slow, is not ok."""
    def table(bar, *commands):
        runner = figures.Bench(argparse.Namespace(skipc=skipc, work=work, runs=2, inputs=1))
        columns = [flags.Column("highway_fc", {"width": 16, "depth": 2}, isa=isa) for isa in (0, 2)]
        with contextlib.redirect_stdout(io.StringIO()) as text, contextlib.redirect_stderr(io.StringIO()), \
                mock.patch.object(flags, "BAR", bar):
            flags.compilers(runner, columns, commands)
        return text.getvalue(), runner.failed

    text, failed = table(1e6, ("gcc", "-O2"), ("gcc", "-O2 -no-such-option"))
    assert failed == 1 and "| compiler | highway_fc width 16 depth 2 | highway_fc width 16 depth 2, AVX2 |" in text, text
    assert "| gcc -O2 | 1.00 | 1.00 | ok |" in text and "no-such-option | inf | inf | **not met** |" in text, text
    assert table(0.5, ("gcc", "-O2"))[1] == 1
    with mock.patch.dict(os.environ, {"PATH": work}):
        open(os.path.join(work, "clang-9"), "w").close()
        os.chmod(os.path.join(work, "clang-9"), 0o755)
        assert flags.found() == ["clang-9"]


def families(skipc, work):
    """A row for a network that is there; why not for one that cannot be made."""
    networks.save(networks.build("resnet8"), os.path.join(work, "small.onnx"))
    command = [sys.executable, os.path.join(HERE, "..", "tools", "families.py"), "--skipc", skipc, "--work", work,
               "--runs", "2", "--layers", "--only", "small", "no_such_network"]
    done = subprocess.run(command, capture_output=True, text=True)
    row = rf"(?m)^\| small \| {NUMBER} \| {NUMBER} \| {NUMBER} \({NUMBER} to {NUMBER}\) \| {NUMBER}e-0\d \| {NUMBER} \|"
    assert re.search(row, done.stdout) and "of peak" in done.stdout, done.stdout + done.stderr
    assert re.search(r"(?m)^\| no_such_network \|.*\| \w.* \|$", done.stdout), done.stdout
    assert done.returncode == 1 and re.search(r"(?m)^2 networks, [12] below 0.95", done.stdout), done.stdout


def quantised(skipc, work):
    """Differences in steps; onnxruntime in both of its forms, and OpenVINO where it is installed; whoever saturates is named."""
    model = os.path.join(HERE, "cases", "ortq_cifar_resnet8_A_qdq_u8s8_pc", "model.onnx")
    for does in (True, False):
        with mock.patch.object(compare, "saturates", lambda does=does: does), \
                mock.patch.object(timing, "ROUNDED", -1.0), contextlib.redirect_stdout(io.StringIO()) as table:
            assert timing.main([model, "--skipc", skipc, "--runs", "2", "--target", "c"]) == 0
        text = table.getvalue()
        rows = dict(re.findall(rf"(?m)^(onnxruntime|onnxruntime, precise|openvino) +{NUMBER} +{NUMBER} +{NUMBER} +{NUMBER}% +{NUMBER} +(\S.*)$", text))
        assert " ratio " in text and " steps" in text and {"onnxruntime", "onnxruntime, precise"} <= set(rows), text
        assert ("openvino" in rows) == (importlib.util.find_spec("openvino") is not None), text
        assert re.fullmatch(rf"(0|\d+ / {NUMBER}) +ok", rows["onnxruntime, precise"]), text
        assert ("saturates" in rows["onnxruntime"]) == does, text
    with contextlib.redirect_stdout(io.StringIO()) as table:
        assert timing.main([model, "--skipc", skipc, "--runs", "2", "--target", "c", "--io", "int", "--peers", "ort-precise", "--layers"]) == 0
    text = table.getvalue()
    assert re.search(rf"(?m)^skipc +integers in and out +{NUMBER} .* 0 +ok$", text) and " Quantize" not in text, text
    assert re.search(rf"(?m)^onnxruntime, precise .* (0|\d+ / {NUMBER}) +ok$", text), text


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
    tests = (tables, threads, plot, engines, busy, progress, match_table, flag_table, families, refusals, quantised, faults)
    for test in tests:
        with tempfile.TemporaryDirectory() as work:
            test(skipc, work)
    print(f"bench: {len(tests)} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
