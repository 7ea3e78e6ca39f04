#!/usr/bin/env python3
"""`skipc tune`: its probes reach the rows that they are of, known costs come back from times made of
them, and what it writes is read by --costs.

    tune.py [--skipc build/skipc]
"""
import argparse
import collections
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import compare  # noqa: E402
import tune  # noqa: E402

LEFT_OUT = {"conv_turned", "conv_integer", "conv_integer_pairs", "depthwise_integer", "depthwise_integer_vector",
            "linear_integer", "linear_integer_pairs", "winograd_integer",  # the first has no cost on any target; tune has no integer probes yet
            "normalize", "normalize_channels",  # nor those of normalisations
            "linear_indirect"}  # whose costs conv_indirect's probes give
ROW = r"^KERNEL\((\w+), +(\w+),(?:[^,]*,){3} *(\w+),"
BYTES = ("INTEGER", "PAIRS", "WINOGRAD_PAIRS")  # of these
FEW = ["--quick", "--rows", "linear,linear_vector"]


def table(*path):
    with open(os.path.join(ROOT, "compiler", "kernels", *path), encoding="utf-8") as f:
        return f.read()


COMPILERS = {}  # by target: they remember what inspect said


def compiler_of(skipc, target, work):
    compiler = COMPILERS.setdefault(target, tune.Compiler(skipc, [f"--target={target}"], work))
    compiler.work = work
    return compiler


def rows(skipc, work):
    """Every row that has costs, and is not the only one of its operator, has probes, each computed by its row."""
    found = re.findall(ROW, table("kernels.def"), re.M)
    several = {op for op, count in collections.Counter(op for _, op, _ in found).items() if count > 1}
    priced = {name for name, op, cost in found if cost != "macs" and op in several}
    assert priced - LEFT_OUT == set(tune.PROBES) - {tune.COPIED}, priced ^ set(tune.PROBES)
    for target, count in ("x86-64", None), ("aarch64", 1), ("c", None):
        compiler = compiler_of(skipc, target, work)
        made = tune.probes(compiler, list(tune.PROBES), count)
        reached = {p.row for p in made}
        assert reached == set(tune.PROBES) if target != "c" else "conv_gemm" not in reached and len(reached) > 3, reached
        for p in made:
            assert p.paid and all(n > 0 for n in p.paid.values()), p
            kernel = compiler.inspect(p.layer, p.costs)["kernels"][p.kernel]
            assert p.row == (tune.COPIED if kernel["title"] == tune.COPIED else kernel["row"]), (p.note, kernel["row"])


def recovered(skipc, work):
    """Times that are made of costs give these costs, in the unit they were made with."""
    for target, count in ("x86-64", None), ("x86-64", tune.QUICK), ("c", None):
        compiler = compiler_of(skipc, target, work)
        made, shipped = tune.probes(compiler, list(tune.PROBES), count), compiler.shipped
        first = next(iter(shipped))  # gives the unit where no multiply-add does
        costs = {n: v * (0.5 + k % 5 / 3) if target != "c" or n != first else v for k, (n, v) in enumerate(shipped.items())}
        costs[""] = 1.0
        for p in made:
            seconds = 7e-12 * sum(costs[n] * count for n, count in p.paid.items())
            p.times = [seconds * 1.5, seconds]
        fits, unit = tune.solve(made, shipped)
        found = {n: v for n, (v, _) in tune.tuned(fits, unit, shipped).items()}
        assert abs(unit / 7e-12 - 1) < 1e-6, unit
        assert found and all(abs(v / costs[n] - 1) < 1e-6 for n, v in found.items()), (found, costs)
        missing = set(shipped) - set(found)
        rest = ("PART_", "NORMALIZE", *BYTES) if target != "c" else ("WINOGRAD", "COPY", "NORMALIZE", *BYTES)  # have no layers of theirs
        assert all(n.startswith(rest) for n in missing), missing
        assert target == "c" or missing, "what needs threads was measured"
        layers, lost = tune.loss(fits, {**shipped, **found})
        assert layers >= (0 if count or target == "c" else 10) and abs(lost) < 1e-9, (layers, lost)
        text = tune.written({n: (v, f) for n, (v, f) in tune.tuned(fits, unit, shipped).items()}, shipped, ["head"])
        assert all(f"# {n} {shipped[n]:g} as shipped: " in text for n in missing) and "off by 0%" in text, text


def solver(skipc, work):
    """Nothing below zero; what probes cannot tell apart stays as shipped; what costs nothing keeps a tenth."""
    x = tune.nonnegative(tune.np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]]), tune.np.array([3.0, 2.0, 1.0]))
    assert x[1] == 0 and abs(x[0] - 2) < 1e-9, x
    layer = tune.linear(1, 4, 4)
    made = [tune.Probe("conv_gemm", layer, {"": 10.0 * k, "A": k * k, "B": 2.0 * k * k}, {}, 0, [1.0 * k]) for k in (1, 2, 3)]
    made += [tune.Probe("linear", layer, {"C": 1.0, "D": k}, {}, 0, [5.0 * k]) for k in (1, 2, 3)]
    made += [tune.Probe("conv", layer, {"": 1.0}, {}, 0, [2.0])]
    shipped = {"A": 1.0, "B": 1.0, "C": 4.0, "D": 1.0}
    fits, unit = tune.solve([p for p in made if "A" not in p.paid], shipped)
    found = tune.tuned(fits, unit, shipped)
    assert unit == 2.0 and abs(found["D"][0] - 2.5) < 1e-9 and abs(found["C"][0] - 0.4) < 1e-9, found
    fits = [tune.fit(*group) for group in tune.groups(made)]
    assert sorted(f.known for f in fits) == [False, True] and list(tune.tuned(fits, 1.0, shipped)) == ["C", "D"], fits


def command(skipc, *words, status=0):
    done = subprocess.run([skipc, *words], capture_output=True, text=True, env={**os.environ, "SKIPC_PYTHON": sys.executable})
    assert done.returncode == status, f"{words}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def measured(skipc, work):
    """A few rows, really: positive numbers under names that exist, a head, and residuals; --costs reads the file."""
    path, names = os.path.join(work, "costs"), re.findall(r"^COST\((\w+),", table("costs.def"), re.M)
    for target in ("x86-64", "c"):
        said = command(skipc, "tune", *FEW, "--target", target, "-o", path).stderr
        with open(path, encoding="utf-8") as f:
            text = f.read()
        found = tune.read_table(text)
        assert list(found) == [n for n in names if n in found] and all(v > 0 for v in found.values()), text
        assert "LINEAR" in found and ("PRODUCT_OUTPUT" in found) == (target != "c"), text
        assert re.match(rf"# skipc tune of \d{{4}}-\d\d-\d\d on .+\n# --target={target} --isa 0, cc -O2\n", text), text
        assert re.search(r"(?m)^LINEAR \S+ # measured: \d+ probes, off by \d+%; shipped 3$", text), text
        assert "# DEPTHWISE 4 as shipped: no probe tells" in text, text
        assert re.search(r"(?m)^linear 1x50 -> 50 +[\d.]+ +[\d.]+ +[+-]\d+% +\d+%$", said) and "a unit is" in said, said
        model = os.path.join(work, "net.skipc")
        with open(model, "w", encoding="ascii") as f:
            f.write(tune.linear(1, 8, 8).text)
        shown = json.loads(command(skipc, "inspect", "--json", model, f"--target={target}", "--costs", path).stdout)["costs"]
        assert all(abs(shown[n] / v - 1) < 1e-3 for n, v in found.items()), (shown, found)


def refusals(skipc, work):
    assert "none of conv," in command(skipc, "tune", "--rows", "none", status=2).stderr
    assert "has none of the rows winograd4" in command(skipc, "tune", "--target=c", "--rows", "winograd4", status=1).stderr
    foreign = "aarch64" if tune.platform.machine() in tune.MACHINES["x86-64"] else "x86-64"
    assert "cannot be measured on a machine of" in command(skipc, "tune", f"--target={foreign}", status=2).stderr
    nowhere = os.path.join(work, "none", "costs")
    assert "cannot be written" in command(skipc, "tune", "--quick", "--rows=linear", "--target=c", "-o", nowhere, status=1).stderr
    # a table that chooses worse than what is shipped says so
    layer, shipped = tune.linear(1, 4, 4), {"A": 2.0, "B": 1.0}
    fits = [tune.Fit([tune.Probe(n, layer, {n: 1.0}, {}, 0, [t])], [n], None, True) for n, t in (("A", 2.0), ("B", 1.0))]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        tune.report_loss(fits, shipped, {"A": 0.5})
    assert "choose take 0.0% longer" in said.getvalue() and "these 100.0%" in said.getvalue() and "worse" in said.getvalue()


def effect(skipc, work):
    """--check: a row for each network, with and without the table."""
    with contextlib.redirect_stderr(io.StringIO()) as said:
        tune.CHECKED[:] = [("highway_fc", {"depth": 2})]
        tune.check(tune.timing.Build(skipc), 0, {"LINEAR_VECTOR": 100.0}, 1e-11, work)
    row = re.search(r"(?m)^highway_fc +(\d+|other kernels) +[\d.]+ +[\d.]+ +[\d.]+ +([\d.]+)$", said.getvalue())
    assert row and row.group(1) != "0" and float(row.group(2)) > 0, said.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(ROOT, "build", "skipc"))
    skipc = os.path.abspath(parser.parse_args().skipc)
    tests = (rows, recovered, solver, measured, refusals, effect)
    for test in tests:
        with tempfile.TemporaryDirectory() as work:
            test(skipc, work)
    print(f"tune: {len(tests)} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
