#!/usr/bin/env python3
"""ONNX's own tests of its operators (onnx.backend.test), through skipc.

    onnx_nodes.py [--skipc PATH] [--targets c,x86-64] [--jobs N] [--write] [NAME ...]

Every node test whose operators are all rows of opset.def is compiled as it is; if it is refused and has further
inputs (shapes, axes, pads: often known to a network when it is compiled), again with those as constants. It is run on
the test's inputs, and the outputs are compared within the test's tolerances (bfloat16, which ONNX rounds after each
step: with what the model gives in float, rounded once). What is refused must say why, and what is quantised what else to do; a wrong
number, a crash, code that does not compile, or outputs with anything written beside them are failures. --write puts
the table by operator into BENCHMARKS.md. NAMEs choose tests whose names contain one of them.
"""
import argparse
import collections
import concurrent.futures
import ctypes
import glob
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

import graphs

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "..", "BENCHMARKS.md")
MARKS = ("<!-- onnx_nodes.py -->\n", "<!-- end -->\n")
FLAGS = "-O0 -w -fPIC"
BATCH = 24  # networks of one shared library: a compiler's start costs more than most of them
GUARD = 256  # bytes around what run writes
TYPES = {"bool": np.uint8, "bf16": np.uint16} | {f"{k}{8 * n}": np.dtype(f"{k}{n}") for k in "fiu" for n in (1, 2, 4, 8) if k + str(n) != "f1"}

FOLLOWED = {  # onnxruntime gives something else, and so does skipc: its outputs are what is wanted
    "test_resize_downsample_scales_linear_align_corners": "onnxruntime, too: aligned corners of the size in whole elements",
    "test_resize_downsample_scales_cubic_align_corners": "onnxruntime, too: aligned corners of the size in whole elements",
}
KNOWN = {  # what differs, and why that is right: DESIGN.md, Numerics
    "test_triu_zero": "an input's dimension of 0 is an open one, as exporters write it",
}
Result = collections.namedtuple("Result", "state note")  # passed, frozen, refused, differs (KNOWN, FOLLOWED); else a failure


STATES = ("passed", "frozen", "refused", "differs")


# the tests ---------------------------------------------------------------------------------------

def operators():
    with open(os.path.join(HERE, "..", "compiler", "import", "opset.def")) as f:
        return set(re.findall(r'^ROW\("", *(\w+)', f.read(), re.M))


def ops_of(graph):
    for node in graph.node:
        yield node.domain, node.op_type
        for a in node.attribute:
            for g in [a.g] * a.HasField("g") + list(a.graphs):
                yield from ops_of(g)


def collect(names):
    """Tests of skipc's operators, by name, and the operator that each is a test of."""
    from onnx.backend.test.case.node import collect_testcases
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        cases = {c.name: c for c in collect_testcases(None)}
    ours = {("", op) for op in operators()}
    chosen = {n: c for n, c in cases.items() if set(ops_of(c.model.graph)) <= ours and not c.model.functions}
    if names:
        chosen = {n: c for n, c in chosen.items() if any(part in n for part in names)}
    whose = {n: cases.get(re.sub(r"_expanded.*", "", n), c).model.graph.node for n, c in chosen.items()}
    return chosen, {n: nodes[-1].op_type for n, nodes in whose.items()}


def array(value):
    """None for a sequence, an absent optional, strings: what skipc has not."""
    if isinstance(value, onnx.TensorProto):
        value = numpy_helper.to_array(value)
    if isinstance(value, (list, dict)) or value is None:
        return None
    value = np.asarray(value)
    return None if value.dtype.kind in "OSU" else value


def frozen(model, inputs, kept):
    """The model with all inputs but one (or all of them) as constants, and the inputs that are left."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    left = []
    for k, (info, x) in enumerate(zip(list(copy.graph.input), inputs)):
        if k == kept or array(x) is None:
            left.append(x)
            continue
        tensor = x if isinstance(x, onnx.TensorProto) else numpy_helper.from_array(np.asarray(x))
        tensor = onnx.TensorProto.FromString(tensor.SerializeToString())
        tensor.name = info.name
        copy.graph.initializer.append(tensor)
        copy.graph.input.remove(info)
    return copy, left


# skipc and the C compiler ------------------------------------------------------------------------

def generate(skipc, target, folder, name, model):
    """The message of a refusal; None: compiled."""
    path = os.path.join(folder, f"{name}.onnx")
    onnx.save(model, path)
    done = subprocess.run([skipc, "compile", path, "-o", folder, "--name", name, f"--target={target}", "--weights=text"],
                          capture_output=True, text=True, errors="replace", timeout=120)
    if done.returncode not in (0, 1) or (done.returncode == 1) != ("error: " in done.stderr):
        raise ValueError(f"skipc ends with {done.returncode}: {done.stderr[-300:]}")
    return done.stderr if done.returncode else None


def prepare(skipc, target, folder, name, case):
    """Compiled: the state, the data and None. Refused: None, None and the message."""
    message = generate(skipc, target, folder, name, case.model)
    if message is None:
        return "passed", case.data_sets, None
    inputs = case.data_sets[0][0]
    for kept in (0, 1, None) if len(inputs) > 1 else ():
        model, left = frozen(case.model, inputs, kept)
        if generate(skipc, target, folder, name, model) is None:
            return "frozen", [(left, case.data_sets[0][1])], None
    return None, None, message


def value(header, macro):
    return re.search(rf"#define {macro} (.*?)(?: /\*.*)?$", header, re.M).group(1).strip('" ')


def sides(header, name, kind):
    """Type and shape of each input or output."""
    for k in range(int(value(header, f"{name}_{kind}S"))):
        rank = int(value(header, f"{name}_{kind}{k}_RANK"))
        shape = value(header, f"{name}_{kind}{k}_SHAPE")[1:-1].split(",") if rank else []
        yield TYPES[value(header, f"{name}_{kind}{k}_TYPE")], tuple(int(d) for d in shape)


def shim(header, name, upper):
    """A function of one type for every network."""
    ins, outs = (int(value(header, f"{upper}_{kind}S")) for kind in ("INPUT", "OUTPUT"))
    args = [f"x[{k}]" for k in range(ins)] + [f"y[{k}]" for k in range(outs)] + ["arena"]
    return (f'#include "{name}.h"\nint shim_{name}(void **x, void **y, void *arena)\n{{\n\tstruct {name} net;\n'
            f"\tstatic _Alignas(64) char prepared[{upper}_PREPARED_SIZE + 64];\n"
            f"\tint status = {name}_init(&net, prepared, 0);\n\n\t(void)x, (void)y;\n"
            f"\treturn status ? status : {name}_run(&net, {', '.join(args)});\n}}\n")


class Guarded:
    """Memory aligned to 64 bytes, with bytes around it that must stay."""

    def __init__(self, size):
        self.memory = np.full(size + 2 * GUARD + 64, 0xA5, np.uint8)
        self.begin, self.size = -(self.memory.ctypes.data + GUARD) % 64 + GUARD, size
        self.address = self.memory.ctypes.data + self.begin

    def content(self):
        end = self.begin + self.size
        if (self.memory[:self.begin] != 0xA5).any() or (self.memory[end:] != 0xA5).any():
            raise ValueError("it wrote beside its memory")
        return self.memory[self.begin:end]


def execute(library, folder, name, inputs):
    upper = name.upper()
    with open(os.path.join(folder, f"{name}.h")) as f:
        header = f.read()
    xs = [np.ascontiguousarray(array(x)) for x in inputs]
    wanted = list(sides(header, upper, "INPUT"))
    if len(xs) != len(wanted):
        raise ValueError(f"{len(xs)} inputs, the code wants {len(wanted)}")
    for k, (dtype, shape) in enumerate(wanted):
        if xs[k].size == 0:  # a dimension of 0, which skipc takes for an open one: CastLike's second input, a type
            xs[k] = np.zeros(shape, xs[k].dtype)
        x = xs[k]  # some scalars come as int8[1]
        if x.size != np.prod(shape) or x.dtype.itemsize != np.dtype(dtype).itemsize:
            raise ValueError(f"an input is {x.dtype}{x.shape}, the code wants {dtype}{shape}")
    outs = list(sides(header, upper, "OUTPUT"))
    ys = [Guarded(int(np.prod(shape)) * np.dtype(dtype).itemsize) for dtype, shape in outs]
    arena = Guarded(int(value(header, f"{upper}_ARENA_SIZE")))
    pointers = [(ctypes.c_void_p * (len(a) + 1))(*a) for a in ([x.ctypes.data for x in xs], [y.address for y in ys])]
    status = library[f"shim_{name}"](*pointers, ctypes.c_void_p(arena.address))
    if status:
        raise ValueError(f"run gives {status}")
    arena.content()
    return [y.content().view(dtype).reshape(shape) for y, (dtype, shape) in zip(ys, outs)]


def widened(array):
    """bfloat16, also as its bits, as the floats that it is."""
    return (array.view(np.uint16).astype(np.uint32) << 16).view(np.float32)


def in_float(case, inputs):
    """What a test's model gives where every bfloat16 is a float: outputs that are rounded nowhere."""
    from onnx.reference import ReferenceEvaluator
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    bf16, f32 = onnx.TensorProto.BFLOAT16, onnx.TensorProto.FLOAT
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        if value.type.tensor_type.elem_type == bf16:
            value.type.tensor_type.elem_type = f32
    for node in model.graph.node:
        for a in node.attribute:
            if a.name == "to" and a.i == bf16:
                a.i = f32
            if a.HasField("t") and a.t.data_type == bf16:
                a.t.CopyFrom(numpy_helper.from_array(widened(array(a.t))))
    feeds = {i.name: widened(x) if x.dtype.name == "bfloat16" else x for i, x in zip(case.model.graph.input, map(array, inputs))}
    with np.errstate(all="ignore"):
        return ReferenceEvaluator(model).run(None, feeds)


def in_onnxruntime(case, inputs):
    import onnxruntime
    session = onnxruntime.InferenceSession(case.model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {i.name: array(x) for i, x in zip(case.model.graph.input, inputs)})


def difference(got, want, case):
    """None where there is none."""
    rtol, bf16 = case.rtol, got.dtype == np.uint16 and want.dtype == np.float32
    if bf16:  # half of a last place, and what float arithmetic in another order adds
        got, rtol = widened(got), 2**-8 + 1e-5
    if want.dtype == bool:
        want = want.view(np.uint8)
    if want.dtype.name in ("int4", "uint4"):  # constants, which are widened
        want = want.astype(want.dtype.name.replace("4", "8"))
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{got.shape} instead of {want.dtype}{want.shape}"
    if want.dtype.kind == "f":
        with np.errstate(all="ignore"):
            same = np.isclose(got.astype(float), want.astype(float), rtol, case.atol, equal_nan=True)
    else:
        same = got == want
    return None if same.all() else f"{(~same).sum()} of {same.size} values differ: {got[~same][:3]}, not {want[~same][:3]}"


def judge(library, folder, name, case, data):
    for inputs, outputs in data:
        if any(array(v) is None for v in [*inputs, *outputs]):
            return "refused", "its data are no tensors"
        wants = [array(y) for y in outputs]
        if any(w.dtype.name == "bfloat16" for w in wants):
            wants = in_float(case, case.data_sets[0][0])
        if case.name in FOLLOWED:
            wants = in_onnxruntime(case, case.data_sets[0][0])
        for got, want in zip(execute(library, folder, name, inputs), wants, strict=True):
            if bad := difference(got, want, case):
                return "WRONG", bad
    return None, ""


def child(pipe, path, folder, jobs):
    library = ctypes.CDLL(path)
    for name, case, data in jobs:
        try:
            pipe.send(judge(library, folder, name, case, data))
        except Exception as e:  # a fault of the network that is tried
            pipe.send(("WRONG", f"{type(e).__name__}: {e}"))


def run_all(path, folder, jobs):
    """(state, note) of each, in processes of their own: after one that dies the next begins behind it."""
    results = []
    while len(results) < len(jobs):
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(target=child, args=(theirs, path, folder, jobs[len(results):]))
        process.start()
        theirs.close()
        try:
            while len(results) < len(jobs):
                results.append(ours.recv() if ours.poll(60) else ("CRASH", "no answer in a minute"))
        except EOFError:
            process.join()
            results.append(("CRASH", f"exit status {process.exitcode}"))
        process.kill()
    return results


def check_batch(skipc, target, build, cases):
    """A Result for each of the cases."""
    results, jobs = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for k, case in enumerate(cases):
            name = f"n{k}"
            try:
                state, data, message = prepare(skipc, target, folder, name, case)
            except (ValueError, subprocess.TimeoutExpired) as e:
                results[case.name] = Result("CRASH", str(e))
                continue
            if state is None:
                hinted = "hint: " in message or "quantize" not in case.name
                results[case.name] = Result("refused" if hinted else "NO HINT", message)
                continue
            with open(os.path.join(folder, f"{name}.h")) as f:
                text = shim(f.read(), name, name.upper())
            with open(os.path.join(folder, f"{name}_shim.c"), "w") as f:
                f.write(text)
            jobs.append((name, case, data, state))
        path = os.path.join(folder, "all.so")
        built = subprocess.run([*build, "-shared", "-I", folder, *sorted(glob.glob(f"{folder}/n*.c")), "-o", path],
                               capture_output=True, text=True)
        if built.returncode:
            return results | {case.name: Result("NO BUILD", built.stderr[:500]) for _, case, _, _ in jobs}
        for (_, case, _, state), (bad, note) in zip(jobs, run_all(path, folder, [j[:3] for j in jobs]) if jobs else []):
            why = KNOWN.get(case.name) if bad == "WRONG" else FOLLOWED.get(case.name) if not bad else None
            results[case.name] = Result("differs" if why else bad or state, why or note)
    return results


# what is said ------------------------------------------------------------------------------------

def reason(message):
    """What a refusal says, without names and numbers: for the table."""
    line = next((m for m in re.findall(r"error: (.*)", message)), message.strip())
    line = re.sub(r'"[^"]*"', "..", line)
    return re.sub(r"\s+", " ", line)[:90].replace("|", "\\|")


def table(operator, results):
    """Markdown: an operator a line, over all targets."""
    by = collections.defaultdict(list)
    for (name, _), r in results.items():
        by[operator[name]].append(r)
    total = collections.Counter(r.state for r in results.values())
    head = "| operator | tests | passed | with constants | refused | why |\n|---|---:|---:|---:|---:|---|\n"
    lines = []
    for op, rs in [*sorted(by.items()), ("all", list(results.values()))]:
        n = collections.Counter(r.state for r in rs)
        why = collections.Counter(reason(r.note) for r in rs if r.state in ("refused", "differs"))
        said = "; ".join(w for w, _ in why.most_common(3)) if op != "all" else ""
        lines.append(f"| {op} | {len(rs)} | {n['passed']} | {n['frozen'] or ''} | {n['refused'] or ''} | {said} |\n")
    return head + "".join(lines), total


def write(text, marks=MARKS):
    """Between two marks of BENCHMARKS.md."""
    with open(TABLE) as f:
        before, rest = f.read().split(marks[0])
    with open(TABLE, "w") as f:
        f.write(before + marks[0] + text + marks[1] + rest.split(marks[1], 1)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("--targets", default="c,x86-64")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--write", action="store_true")
    parser.add_argument("names", nargs="*")
    a = parser.parse_args()
    chosen, operator = collect(a.names)
    cases, results, jobs = list(chosen.values()), {}, []
    with tempfile.TemporaryDirectory() as headers, concurrent.futures.ProcessPoolExecutor(a.jobs) as pool:
        compiler, flags = graphs.quick(headers, FLAGS)["x86-64"]
        builds = {"c": ["gcc", *FLAGS.split()], "x86-64": [compiler, *flags.split()]}
        for target in a.targets.split(","):
            for k in range(0, len(cases), BATCH):
                jobs.append((target, pool.submit(check_batch, os.path.abspath(a.skipc), target, builds[target], cases[k:k + BATCH])))
        for target, job in jobs:
            for name, r in job.result().items():
                results[name, target] = r
                if r.state not in STATES:
                    print(f"{r.state} {name}, --target={target}: {r.note}", flush=True)
    text, total = table(operator, results)
    if a.write:
        write(text)
    failed = len(results) - sum(total[s] for s in STATES)
    print(text if a.names else "", end="")
    print(f"onnx_nodes.py: onnx {onnx.__version__}, {len(cases)} tests, --target={a.targets}: {total['passed']} passed, "
          f"{total['frozen']} with constants, {total['refused']} refused, {total['differs']} other and right, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
