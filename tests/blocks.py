#!/usr/bin/env python3
"""Blocks that `skipc inspect --json` finds, against the lists that come with the models.

    blocks.py [--skipc build/skipc] [--write] MODELS     all models below MODELS, and canonical.txt, exported.txt there
    blocks.py [--skipc build/skipc]                       the cases in tests/cases, against tests/cases/blocks.txt

tests/cases/blocks.txt has a line a model: its blocks by kind, `pre-` before those with pre-activation. --write makes
it anew from what was found (only models whose blocks agree with the lists are written).
"""
import argparse, collections, concurrent.futures, json, os, re, shlex, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "cases", "blocks.txt")
RESIDUAL = ("identity", "option-a", "projection", "scaled", "gated")

# Where canonical.txt lists a sum that is no shortcut, or one line says less than the source: what is right, and why.
KNOWN = {
	"add_bcast_notshortcut_op13": ({}, "a constant and a broadcast mean are added: no shortcut"),
	"conv_two_bns_op13": ({}, "two scalings of one value: no layer lies between"),
	"convnext_op13": ({"residual": 1}, "the other sum is LayerNorm's x - mean"),
	"highway_lstm_cell_op13": ({"blend": 1}, "W x + U h of different inputs, and a gated sum of a cell"),
	"spell_where_half_op13": ({"highway": 1}, "a hard gate; the list has it as Select"),
	"spell_where_hard_op13": ({"highway": 1}, "a hard gate; the list has it as Select"),
	"t213dyn_res2net_op20dyn": ({"identity": 2}, "the hierarchical sum inside counts"),
	"t213dyn_hyperconnections_op18dynnoopt": ({"projection": 2}, "`residual 2`: streams mixed by constants"),
	"t213dyn_nm_two_gates_oneminus_op23dyn": ({"highway": 1}, "h T + x C with C = 1 - u, which is sigmoid(-z): a carry gate of its own, as hw_generalC has"),
	"t213ts_hw_softmax2_op9": ({"highway": 2}, "h T + x C: two parts of a larger softmax, as spell_softmax2, but they do not add up to 1"),
	"tf_tflite_resnet_v2_int8_op13": ({"identity": 1, "option-a": 1, "projection": 1}, "`stride-2 identity (max-pool k1)`"),
	"t213ts_net_timm_repvgg_op13": ({"identity": 2, "projection": 4}, "RepVGG"),
}
# near misses with a gated sum of two branches
BLENDS = {"t213dyn_nm_gru_hand_op20noopt": 1, "t213dyn_nm_mgu_unrolled_op18dynax": 3, "t213ts_nm_fusiongate_op20": 1,
	  "t213ts_nm_projected_carry_op17": 1, "tf_t3_nm_gate_average_op15": 1}


def dims(path, inputs):
	"""--dim options, as the expected outputs want them."""
	import numpy, onnx
	try:
		model = onnx.load(path, load_external_data=False)
	except Exception:
		return []
	data = numpy.load(inputs, allow_pickle=True) if os.path.exists(inputs) else {}
	constants = {i.name for i in model.graph.initializer}
	options = []
	for k, i in enumerate(i for i in model.graph.input if i.name not in constants):
		for d, dim in enumerate(i.type.tensor_type.shape.dim):
			if f"x{k}" not in data or d >= data[f"x{k}"].ndim:
				continue
			name = dim.dim_param or (None if dim.HasField("dim_value") else f"{i.name}.{d}")
			if name:
				options += ["--dim", f"{name}={data[f'x{k}'].shape[d]}"]
	return options


def inspect(skipc, path, options):
	r = subprocess.run([skipc, "inspect", "--json", path] + options, capture_output=True, text=True, errors="replace")
	if r.returncode == 1:
		return None
	if r.returncode != 0:
		sys.exit(f"{path}: exit {r.returncode}: {r.stderr[-300:]}")
	return json.loads(r.stdout)


def kinds(report):
	return collections.Counter(("pre-" if b["preactivation"] else "") + b["kind"] for b in report["blocks"])


def line(count):
	return ", ".join(f"{k} {n}" for k, n in sorted(count.items())) or "none"


# ---- the lists ----

def canonical(path):
	"""model -> highway, carry, blend, residual (sums)"""
	want, name = {}, None
	for text in open(path):
		if text.startswith("## "):
			name = text.split()[1]
			want[name] = collections.Counter()
			continue
		word = text.split()[0]
		key = {"Highway": "highway", "HighwayRev": "highway", "HighwayC": "carry", "Blend": "blend", "Residual": "residual",
		       "ResidualGated": "residual"}.get(word)
		if key:
			want[name][key] += 1
	return want


def exported(path):
	"""model -> highway (with or without a carry gate), blend, identity, option-a, projection"""
	want = {}
	for text in open(path):
		name, said = text.split(" | ")[0], text.rsplit(" | ", 1)[1]
		count = collections.Counter()
		if not said.startswith("near miss"):
			said = re.sub(r"\[[^]]*\]", "", said)
			m = re.search(r"highway (\d+)(?: \([^)]*\))?(?: \+ (\d+))?", said)
			count["highway"] = int(m[1]) + int(m[2] or 0) if m else 0
			for key, word in (("identity", "identity"), ("option-a", "optionA"), ("projection", "projection")):
				count[key] = sum(int(n) for n in re.findall(word + r" (\d+)", said))
		count["blend"] = BLENDS.get(name, 0)
		want[name] = +count
	return want


def found_as(report, detail):
	"""As the lists count: canonical.txt has sums, exported.txt kinds of shortcuts."""
	count = collections.Counter()
	sums = set()
	for b in report["blocks"]:
		if b["kind"] in RESIDUAL:
			sums.add((b["branch"], tuple(b["fused"])))
			if detail:
				count["identity" if b["kind"] in ("scaled", "gated") else b["kind"]] += 1
		elif detail or b["kind"] != "highway-carry":
			count[b["kind"].replace("highway-carry", "highway")] += 1
		else:
			count["carry"] += 1
	if not detail:
		count["residual"] = len(sums)
	return +count


def against_lists(args):
	listed = open(os.path.join(HERE, "refused.txt")).read()
	lists = [(canonical(os.path.join(args.models, "canonical.txt")), ("residual", "highway", "exporters"), False),
		 (exported(os.path.join(args.models, "exported.txt")), ("exported",), True)]
	jobs, wrong, lines, refused, agreed = [], 0, [], 0, 0
	for want, folders, detail in lists:
		for folder in folders:
			for file in sorted(os.listdir(os.path.join(args.models, folder))):
				if file.endswith(".onnx") and file[:-5] in want:
					jobs.append((want, detail, os.path.join(args.models, folder, file)))
	with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
		reports = pool.map(lambda j: inspect(args.skipc, j[2], dims(j[2], j[2][:-5] + ".npz")), jobs)
		for (want, detail, path), report in zip(jobs, reports):
			name = os.path.basename(path)[:-5]
			if report is None:
				refused += 1
				if f"\n{name}: " not in listed:
					wrong += 1
					print(f"{name}: is refused, and tests/refused.txt does not have it")
				continue
			right, why = KNOWN.get(name, (want[name], ""))
			have = found_as(report, detail)
			if dict(have) != dict(right):
				wrong += 1
				print(f"{name}: found {line(have)}, expected {line(right)}")
				continue
			if why and dict(right) != dict(want[name]):
				print(f"{name}: {line(have)}; the list has {line(want[name])}: {why}")
			agreed += 1
			lines.append(f"{name}: {line(kinds(report))}\n")
	print(f"{agreed} models agree with the lists, {wrong} do not, {refused} are refused")
	if args.write:
		open(TABLE, "w").writelines(sorted(lines))
	return wrong


def against_table(args):
	wrong, count = 0, 0
	for text in open(TABLE):
		name, want = text.rstrip("\n").split(": ")
		folder = os.path.join(HERE, "cases", name)
		if not os.path.isdir(folder):
			continue
		options = os.path.join(folder, "options")
		options = shlex.split(open(options).read()) if os.path.exists(options) else []
		report = inspect(args.skipc, os.path.join(folder, "model.onnx"), options)
		count += 1
		have = line(kinds(report)) if report else "refused"
		if have != want:
			wrong += 1
			print(f"{name}: found {have}, expected {want}")
	print(f"{count} cases, {wrong} with other blocks than expected")
	return wrong


def main():
	p = argparse.ArgumentParser()
	p.add_argument("models", nargs="?")
	p.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
	p.add_argument("--write", action="store_true")
	args = p.parse_args()
	return 1 if (against_lists(args) if args.models else against_table(args)) else 0


if __name__ == "__main__":
	sys.exit(main())
