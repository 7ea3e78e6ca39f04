#!/usr/bin/env python3
"""--skip-closed-gates: rows with closed gates are x to the bit, others what they are without it, on each target.

    closed.py [--skipc build/skipc]

Makes highway layers some of whose rows have closed gates: fully connected, of rank 3, convolutional, with reversed
roles, with a carry gate, with a hard gate; compiles each with and without the option, runs both and compares.
"""
import argparse, contextlib, glob, io, os, subprocess, sys, tempfile

import numpy as np

from nodes import Nodes
from run import QUICK

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))
import compare  # noqa: E402

EPS = 0.05
ROWS, WIDTH = 6, 24
rng = np.random.default_rng(5)


class Net(Nodes):
	"""x and a first element of each row that opens (1) or closes (-1) the gates of the whole row."""

	def __init__(self, *shape, axis=-1):
		super().__init__()
		self.x = rng.standard_normal(shape).astype(np.float32)
		rows = np.moveaxis(self.x, axis, -1).reshape(-1, shape[axis])
		rows[::2, 0], rows[1::2, 0] = -1, 1
		self.x = np.moveaxis(rows.reshape(np.moveaxis(self.x, axis, -1).shape), -1, axis).copy()
		self.axis = axis

	def layer(self, gate, x="x"):
		"""A layer, or one whose values have the sign of the row's first element and are large: a gate's."""
		d = self.x.shape[self.axis]
		w = rng.standard_normal((d, d)) * (0.01 if gate else 0.2)
		if gate:
			w[0] += 6
		b = self.constant(rng.standard_normal(d) * 0.1)
		if self.x.ndim == 4:
			return self.op("Conv", x, self.constant(w.T[:, :, None, None]), b)
		return self.op("Add", self.op("MatMul", x, self.constant(w)), b)

	def gate(self):
		return self.op("Sigmoid", self.layer(True))

	def less(self, t):
		return self.op("Sub", self.constant(1), t)

	def blend(self, h, x, t):
		return self.op("Add", self.op("Mul", h, t), self.op("Mul", x, self.less(t)))

	def save(self, path, y):
		self.save_model(path, "x", y, self.x.shape, 17)

	def h(self):
		return self.op("Tanh", self.layer(False))


def plain(n):
	return n.blend(n.h(), "x", n.gate())


def reverse(n):
	return n.blend("x", n.h(), n.op("Sigmoid", n.op("Neg", n.layer(True))))


def hard(n):
	return n.op("Where", n.op("Greater", n.layer(True), n.constant(0)), n.h(), "x")


def carry(n):
	one = n.op("Mul", n.op("Tanh", n.layer(False)), n.constant(1e-8))  # a carry gate of 1, which is no constant
	return n.op("Add", n.op("Mul", n.h(), n.gate()), n.op("Mul", "x", n.op("HardSigmoid", n.op("Add", one, n.constant(9)))))


def deep(n):
	y = plain(n)
	return n.blend(n.op("Relu", n.layer(False, y)), y, n.op("Sigmoid", n.layer(True, y)))


CASES = {"plain": (plain, (ROWS, WIDTH)), "few": (plain, (2, WIDTH)), "rank3": (plain, (2, ROWS, WIDTH)),
	 "reverse": (reverse, (ROWS, WIDTH)), "hard": (hard, (ROWS, WIDTH)), "deep": (deep, (ROWS, WIDTH)), "carry": (carry, (ROWS, WIDTH)),
	 "conv": (plain, (1, WIDTH, 5, 12)), "conv_hard": (hard, (2, 18, 3, 4))}


def run(command):
	r = subprocess.run(command, capture_output=True, text=True)
	if r.returncode:
		sys.exit(f"{' '.join(command[:4])}: {r.stderr[-600:]}")
	return r


def compiler(target, name):
	"""One program of each target by gcc's optimiser."""
	return "gcc -O1" if name == "conv" else f"{'gcc' if target == 'c' else QUICK} -O0"


def diff(*arguments):
	"""Exit status of skipc diff."""
	with contextlib.redirect_stdout(io.StringIO()):
		return compare.main(["--skipc", *arguments])


def output(skipc, folder, model, x, cc, options):
	r = run([skipc, "compile", "-q", model, "-o", folder, "--name", "net", "--main", *options])
	if r.stderr:
		sys.exit(f"{model}: {r.stderr}")
	flags = "-std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror".split()
	run([*cc.split(), *flags, "-I", folder, *glob.glob(folder + "/*.c"), "-o", folder + "/prog"])
	np.save(folder + "/x.npy", x)
	run([folder + "/prog", folder + "/x.npy", "-o", folder + "/y.npy"])
	return np.load(folder + "/y.npy")


def check(skipc, name, target):
	build, shape = CASES[name]
	net = Net(*shape, axis=1 if len(shape) == 4 else -1)
	cc = compiler(target, name)
	sanitizers = "" if name == "conv" else " -fsanitize=address,undefined"
	with tempfile.TemporaryDirectory() as work:
		model = os.path.join(work, "net.onnx")
		net.save(model, build(net))
		exact, skipped = (output(skipc, os.path.join(work, str(len(o))), model, net.x, cc + more, ["--target", target, *o])
				  for o, more in (([], ""), (["--skip-closed-gates", str(EPS)], sanitizers)))
		code = open(os.path.join(work, "2", "net.c")).read()
		report = run([skipc, "inspect", model, "--skip-closed-gates", str(EPS)]).stdout
		given = ["--input", os.path.join(work, "2", "x.npy"), f"--target={target}", "--cc", cc.split()[0], "--cflags=-O0"]
		promised = [str(EPS), *(["1e-7"] if name == "plain" else [])]
		promise = {eps: diff(skipc, model, *given, "--", "--skip-closed-gates", eps) for eps in promised}
	rows = [np.moveaxis(a, net.axis, -1).reshape(-1, shape[net.axis]) for a in (net.x, exact, skipped)]
	x, exact, skipped = (r for r in rows)
	wrong = []
	if not np.array_equal(skipped[::2], x[::2]):
		wrong.append("a row with closed gates is not x")
	if np.abs(skipped[1::2] - exact[1::2]).max() > (0 if target == "c" else 1e-6) and name != "deep":
		wrong.append("a row with open gates differs")
	if np.abs(exact[1::2] - x[1::2]).max() < 0.1 or (np.abs(skipped - exact) > 2 * EPS * (1 + np.abs(x))).any():
		wrong.append("the gates are not what the test wants")
	if any(promise.values()):
		wrong.append(f"diff ends with {promise}")
	layers = 2 if name == "deep" else 1
	if f"--skip-closed-gates: {layers} highway layers" not in code or f"{layers} highway layers carry rows" not in report:
		wrong.append("code or report does not say so")
	return wrong


def main():
	parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
	parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
	skipc = os.path.abspath(parser.parse_args().skipc)
	failed = 0
	for name in CASES:
		for target in ("c", "x86-64"):
			for what in check(skipc, name, target):
				failed += 1
				print(f"{name}, --target={target}: {what}")
	plainest = os.path.join(HERE, "cases", "mlp_residual_op13", "model.onnx")
	r = subprocess.run([skipc, "inspect", plainest, "--skip-closed-gates", "0.1"], capture_output=True, text=True)
	if r.returncode or "warning: --skip-closed-gates: no highway layer" not in r.stderr:
		failed += 1
		print("no warning where no layer can leave out rows")
	for bad in ("0", "1", "-1", "x", "", "nan"):
		r = subprocess.run([skipc, "inspect", plainest, f"--skip-closed-gates={bad}"], capture_output=True)
		if r.returncode != 2:
			failed += 1
			print(f"--skip-closed-gates={bad} is accepted")
	print(f"closed gates: {2 * len(CASES)} programs, {failed} failed")
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
