#!/usr/bin/env python3
"""--costs and --cost: other kernels are chosen, the output says by what, and wrong tables are refused.

    costs.py [--skipc build/skipc]
"""
import argparse, json, os, re, subprocess, sys, tempfile

import numpy as np
import onnx

import quantised

HERE = os.path.dirname(os.path.abspath(__file__))
COMPILER = os.path.join(HERE, "..", "compiler", "kernels")
# x is read by a layer of many rows, for which linear_rows is cheaper than linear
MODEL = """input %x : f32[64,48]
const @w : f32[48,48] = fill(1)
const @b : f32[48] = fill(2)
%y = Linear(%x, @w, @b)
output %y
"""
WRONG = [("FOO 1", "no cost is called `FOO'"), ("CONV", "CONV lacks its value"), ("CONV # 3", "CONV lacks its value"),
         *((f"CONV {v}", f"the value of CONV is no positive number: `{v}'") for v in ("-1", "0", "nan", "inf", "1 2", "0x1", "1e999")),
         ("\x1b[31m 1", "no cost is called `\\033[31m'"), ("CONV 1" + " " * 300, "it is too long")]


def check(condition, what):
    if not condition:
        sys.exit(f"costs.py: {what}")


class Test:
    def __init__(self, skipc, work):
        self.skipc, self.work = skipc, work
        self.model = self.write("net.skipc", MODEL)

    def write(self, name, text):
        path = os.path.join(self.work, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def run(self, *words, status=0):
        done = subprocess.run([self.skipc, *words], capture_output=True, text=True)
        check(done.returncode == status, f"{words}: exit status {done.returncode}\n{done.stderr}")
        return done

    def inspect(self, *options):
        return json.loads(self.run("inspect", "--json", self.model, *options).stdout)

    def shown(self):
        """inspect lists every row of costs.def with the target's value."""
        rows = re.findall(r"^COST\((\w+),", open(os.path.join(COMPILER, "costs.def")).read(), re.M)
        for target in ("c", "x86-64", "aarch64"):
            costs = self.inspect(f"--target={target}")["costs"]
            check(list(costs) == rows, f"{target}: {list(costs)}")
            check(costs["COPY"] == 4.0, costs)
            text = self.run("inspect", "-v", self.model, f"--target={target}").stdout
            check(all(f" {name} {value:g}" in text for name, value in costs.items() if value > 0), text)

    def chosen(self):
        """Another table, another kernel; and the text says which costs were given."""
        one = self.write("one", "# dear rows\n\n  LINEAR_ROWS\t1e2 # more\r\nLINEAR 2.5\n")
        two = self.write("two", "LINEAR 2.5\nCOPY 4\nLINEAR_ROWS 100")
        row = lambda *options: self.inspect("--target=c", *options)["kernels"][0]["row"]
        check(row() == "linear_rows" and row("--costs", one) == "linear" and row("--cost", "LINEAR_ROWS=100") == "linear", row())
        check("LINEAR 2.5 (given), LINEAR_ROWS 100 (given)" in
              self.run("inspect", "-v", self.model, "--target=c", "--costs", one).stdout, "inspect does not say what was given")
        outputs = []
        for table in ("--costs", one), ("--costs", two), ("--cost", "LINEAR_ROWS=100", "--cost=LINEAR=2.5"):
            out = os.path.join(self.work, f"out{len(outputs)}")
            self.run("compile", self.model, "-o", out, "--target=c", *table)
            outputs.append({name: open(os.path.join(out, name)).read() for name in sorted(os.listdir(out))})
        check("(--target=c --cost LINEAR=2.5 --cost LINEAR_ROWS=100)" in outputs[0]["net.c"], outputs[0]["net.c"][:300])
        check(outputs[0] == outputs[1] == outputs[2], "the same costs from elsewhere are another output")
        self.run("weights", self.model, "--like", out)
        check(open(os.path.join(out, "net_weights.c")).read() == outputs[0]["net_weights.c"], "skipc weights wrote other weights")

    def sets(self):
        """Where another row costs less on some instruction sets, each runs its own, to the same bits."""
        self.model = os.path.join(HERE, "cases", "ptq_int8_pertensor_op13", "model.onnx")
        kernels = self.inspect("--target=x86-64")["kernels"]
        others = [k for k in kernels if k["instead_of"] is not None]
        check(others, "no step of the case has another row on another set")
        for other in others:
            k = kernels[other["instead_of"]]
            check(k["row"] != other["row"] and k["output"] == other["output"], (k, other))
            both = sorted(f"{k['sets']}, {other['sets']}".split(", "))
            check(both == ["avx2", "avx512", "avx512vnni", "avxvnni", "c"], both)
        given = self.inspect("--target=x86-64", "--cost", "PAIRS=0.5", "--cost", "WINOGRAD_PAIRS=0.5", "--cost",
                             "WINOGRAD_PAIRS_IN=2", "--cost", "WINOGRAD_PAIRS_OUT=4", "--cost", "WINOGRAD_PAIRS_FILTER=0.7")
        check(all(k["sets"] is None for k in given["kernels"]), "costs that are given hold for every set")
        x = np.random.default_rng(1).standard_normal(
            [d.dim_value or 1 for d in onnx.load(self.model).graph.input[0].type.tensor_type.shape.dim], np.float32)
        self.run("compile", self.model, "-o", self.work, "--name", "net", "--main", "--target=x86-64")
        bits = {how: [y.tobytes() for y in ys]
                for how, ys in quantised.results(self.work, "x86-64", "gcc", "-O1", True, x, 1)}
        check(len(bits) > 1 and len({tuple(b) for b in bits.values()}) == 1, f"not the same bits: {list(bits)}")

    def run_time(self):
        """Weights computed at run time have kernels made of vectors, too."""
        self.model = os.path.join(HERE, "cases", "conv_run_time_rows_op17", "model.onnx")
        for target in ("x86-64", "aarch64"):
            rows = {k["row"] for k in self.inspect(f"--target={target}")["kernels"] if k["macs"]}
            check({"conv_indirect", "conv_gemm", "depthwise"} <= rows and "conv" not in rows, f"{target}: {rows}")

    def rows(self):
        """So have layers of as many rows as nothing divides."""
        self.model = os.path.join(HERE, "cases", "linear_prime_rows_op17", "model.onnx")
        for target in ("x86-64", "aarch64"):
            rows = {k["row"] for k in self.inspect(f"--target={target}")["kernels"] if k["macs"]}
            check(rows == {"linear_indirect"}, f"{target}: {rows}")

    def bytes(self):
        """Each row for convolutions of bytes can be written, also where one row's plain C is another's."""
        self.model = self.write("bytes.skipc", """input %x : u8[1,16,9,9]
const @w : i8[16,16,3,3] = fill(1, -9, 9)
%p = MaxPool(%x) {kernel_shape=[2,2], strides=[1,1], dilations=[1,1], pads=[0,0,0,0]}
%y = ConvInteger(%p, @w) {dilations=[1,1], group=1, strides=[1,1], pads=[1,1,1,1], zero=3, to=9}
output %y
""")
        names = [n for n in self.inspect()["costs"] if n.startswith(("INTEGER", "PAIRS", "WINOGRAD_PAIRS"))]
        for row, cheap in (("conv_integer", "INTEGER"), ("conv_integer_pairs", "PAIRS"), ("winograd_integer", "WINOGRAD_PAIRS")):
            costs = [f"--cost={name}={1e-3 if name.startswith(cheap) else 1e3}" for name in names]
            for target in ("x86-64", "aarch64"):
                check(row in [k["row"] for k in self.inspect(f"--target={target}", *costs)["kernels"]], f"{row} is not chosen")
                self.run("compile", self.model, "-o", os.path.join(self.work, row + target), "--name", "net", f"--target={target}", *costs)

    def wrong(self):
        for line, message in WRONG:
            table = self.write("wrong", f"CONV 1.5\n{line}\n")
            said = self.run("inspect", self.model, "--costs", table, status=2).stderr
            check(f"line 2: {message}" in said and table in said, f"{line!r}: {said}")
        for table in (self.work, os.path.join(self.work, "none")):
            check("nothing can be read" in self.run("inspect", self.model, "--costs", table, status=2).stderr, table)
        for value in ("FOO=1", "CONV", "CONV=", "=1", "CONV=x"):
            check("--cost: " in self.run("inspect", self.model, "--cost", value, status=2).stderr, value)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    arguments = parser.parse_args()
    tests = ["shown", "chosen", "sets", "run_time", "rows", "bytes", "wrong"]
    with tempfile.TemporaryDirectory() as work:
        test = Test(os.path.abspath(arguments.skipc), work)
        for name in tests:
            getattr(test, name)()
    print(f"costs: {len(tests)} passed, 0 failed")


if __name__ == "__main__":
    main()
