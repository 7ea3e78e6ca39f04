#!/usr/bin/env python3
"""Weights that init makes, from end to end: networks whose convolutions take the row conv_turned of kernels.def, which
no target's costs have, compute the bits that they compute by the row conv, whose weights the compiler packed.

    prepared.py [--skipc build/skipc] [--jobs N]

On each target and instruction set of this machine, sanitized and optimised, with weights in every form, and with those
of a network that was trained again. programs/prepared.c looks at what init writes, and refuses. Then cases of run.py,
and the threads of its programs.
"""
import argparse, array, concurrent.futures, json, os, re, subprocess, sys, tempfile

import run

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PLAIN = [f"--cost={name}=1e-9" for name in ("CONV", "CONV_FLAT", "CONV_NARROW")]
TURNED = ["--cost=CONV_TURNED=1e-9"]
SANITIZED = "-fsanitize=address,undefined -fno-sanitize-recover=all"
FORMS = ("text", "rows", "incbin", "bin")
NETS = {  # a tail of a block, groups, a highway's two convolutions together, strides, one tap; one and three dimensions
    "image": """input %x : f32[2,4,9,7]
const @w0 : f32[20,4,3,3] = fill(1)
const @b0 : f32[20] = fill(2)
const @w1 : f32[20,10,3,3] = fill(3)
const @wh : f32[20,20,3,3] = fill(4)
const @wt : f32[20,20,3,3] = fill(5)
const @bt : f32[20] = fill(6)
const @w2 : f32[7,20,1,1] = fill(7)
%a = Conv(%x, @w0, @b0) {pads=[1,1,1,1]}
%b = Relu(%a)
%c = Conv(%b, @w1) {pads=[2,2,2,2], dilations=[2,2], group=2}
%d = Add(%c, %b)
%h = Conv(%d, @wh) {pads=[1,1,1,1]}
%i = Relu(%h)
%t = Conv(%d, @wt, @bt) {pads=[1,1,1,1]}
%u = Sigmoid(%t)
%e = Blend(%i, %d, %u)
%y = Conv(%e, @w2) {strides=[2,2]}
output %y
""",
    "line": """input %x : f32[1,3,30]
const @w : f32[40,3,5] = fill(1)
%a = Conv(%x, @w) {pads=[2,2]}
%y = Relu(%a)
output %y
""",
    "volume": """input %x : f32[1,2,4,5,6]
const @w : f32[24,2,2,3,3] = fill(1)
const @b : f32[24] = fill(2)
%y = Conv(%x, @w, @b) {pads=[1,1,1,0,1,1]}
output %y
""",
}


def call(*words, status=0):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, cwd=ROOT)
    if done.returncode != status:
        sys.exit(f"prepared.py: {' '.join(map(str, words))}\nexit status {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    return done.stdout


def builds(target):
    """Sanitized vector code takes gcc ten times as long as clang, optimised three times; gcc builds some of run.py's cases."""
    if target in run.FOREIGN:
        return [next(iter(run.OPTIMISED[target].values()))]
    return [f"{'gcc' if target == 'c' else run.QUICK} -O0 {SANITIZED}", f"{run.QUICK} -O1"]


class Net:
    def __init__(self, skipc, work, name, target, folder=None, text=None):
        self.skipc, self.name, self.target = skipc, name, target
        self.work = os.path.join(work, f"{folder or name}-{target}")
        os.mkdir(self.work)
        self.model = self.write("net.skipc", text or NETS[name])

    def write(self, name, text):
        path = os.path.join(self.work, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def compile(self, name, *options, model=None):
        out = os.path.join(self.work, name)
        call(self.skipc, "compile", model or self.model, "-o", out, "--name", "net", f"--target={self.target}", *options)
        return out

    def bits(self, folder, build, form="text"):
        """What its program computes on each instruction set."""
        program, output = os.path.join(folder, "program"), os.path.join(folder, "output")
        sources = [os.path.join(folder, f) for f in sorted(os.listdir(folder)) if f.endswith(".c")]
        call(*build.split(), *run.FLAGS.replace("c99", "c11").split(), "-I", folder, *sources, "tests/programs/prepared.c", "-o", program)
        found = []
        for level in run.levels(self.target):
            call(*run.emulator(self.target), program, output, *(level[1:] or ["0"]),
                 *([os.path.join(folder, "net_weights.bin")] if form == "bin" else []))
            with open(output, "rb") as f:
                found.append(f.read())
        return found

    def check(self):
        first, *others = builds(self.target)
        plain, turned = self.compile("plain", *PLAIN), self.compile("turned", *TURNED)
        size = int(re.search(r"NET_PREPARED_SIZE (\d+)", open(os.path.join(turned, "net.h")).read())[1])
        assert size > 0 and "PREPARED_SIZE 0 " in open(os.path.join(plain, "net.h")).read(), size
        assert "conv_turned" not in call(self.skipc, "inspect", "-v", self.model), "a row that no cost speaks for is shown"
        want = self.bits(plain, first)
        for build in (first, *others):
            assert self.bits(turned, build) == want, f"{self.work}: {build} computes other bits"
        if self.name != "image":
            return
        for form in FORMS if self.target == "c" else FORMS[-1:]:
            folder = self.compile(form, *TURNED, f"--weights={form}")
            assert self.bits(folder, builds(self.target)[-1], form) == want, f"{self.work}: --weights={form} has other bits"
        again = self.write("again.skipc", re.sub(r"fill\((\d)\)", r"fill(1\1)", open(self.model).read()))
        call(self.skipc, "weights", again, "--like", folder)  # .bin, whose code and costs stay
        assert self.bits(folder, first, "bin") == self.bits(self.compile("again", *PLAIN, model=again), first) != want, \
            f"{self.work}: weights of another training"


def limits(skipc):
    """--prepared-limit bounds what init fills, and spends it where it gains the most; --winograd-weights=file needs none."""
    model = os.path.join(ROOT, "tests", "cases", "optA_identity_conv_op13", "model.onnx")
    def plan(*options):
        return json.loads(call(skipc, "inspect", "--json", model, *TURNED, *options))
    rows = lambda p: [k["row"] for k in p["kernels"]].count("conv_turned")
    whole = plan()
    size, last = whole["prepared_bytes"], 0
    assert size > 0 and rows(plan("--prepared-limit=0")) == 0 == plan("--prepared-limit=63")["prepared_bytes"]
    for limit in (*range(64, size + 128, size // 9), size + 64):
        some = plan(f"--prepared-limit={limit}")
        assert last <= rows(some) and (some["prepared_bytes"] == 0 or some["prepared_bytes"] + 64 <= limit), (limit, some["prepared_bytes"])
        last = rows(some)
    assert last == rows(whole) > 2, "the limit is not used"
    for wrong in ("-1", "1k", "", "99999999999999999999"):
        call(skipc, "inspect", model, f"--prepared-limit={wrong}", status=2)


WINOGRAD = """input %x : f32[1,64,20,20]
const @w : f32[64,64,3,3] = fill(1)
const @h : f32[64,64,3,3] = fill(2)
const @t : f32[64,64,3,3] = fill(3)
%a = Conv(%x, @w) {pads=[1,1,1,1]}
%b = Conv(%a, @h) {pads=[1,1,1,1]}
%c = Conv(%a, @t) {pads=[1,1,1,1]}
%d = Relu(%b)
%e = Sigmoid(%c)
%y = Blend(%d, %a, %e)
output %y
"""


def winograd(skipc, work, target):
    """Filters that init transforms, that stand in the file, and that run transforms: the same network, near the direct one."""
    net = Net(skipc, work, "image", target, "winograd", WINOGRAD)
    build, found = builds(target)[-1], {}
    for name, options in (("exact", ["--exact"]), ("init", []), ("file", ["--winograd-weights=file"]), ("fly", ["--prepared-limit=0"])):
        folder = net.compile(name, *options)
        with open(os.path.join(folder, "net.h")) as f:
            prepares = "NET_PREPARED_SIZE 0 " not in f.read()
        assert prepares == (name == "init"), f"{target}, {name}: init prepares {prepares}"
        assert name == "exact" or "winograd" in open(os.path.join(folder, "net.c")).read(), f"{target}, {name}: no Winograd"
        found[name] = [array.array("f", bits) for bits in net.bits(folder, build)]
    for name in ("init", "file", "fly"):
        for level, (want, got) in enumerate(zip(found["exact"], found[name])):
            worst = max(abs(a - b) for a, b in zip(want, got)) / max(map(abs, want))
            assert worst < run.WINOGRAD, f"{target}, {name}, level {level}: {worst} apart"


def threads(skipc, work):
    """The program of --main with a pool: the same bits, and kernels that are cut."""
    folder = os.path.join(work, "threads")
    options = ["--target=x86-64", *TURNED, "--cost=PART_WORTH=1", "--cost=PART_START=1"]
    model = "tests/cases/hconv2d_op13/model.onnx"
    call(skipc, "compile", model, "-o", folder, "--name", "net", "--main", *options)
    assert re.search(r"conv\w+_part\(void \*task", open(os.path.join(folder, "net.c")).read()), "no convolution is cut"
    call(run.QUICK, "-O1", "-DSKIPC_POOL", "-I", folder, "-I", "runtime", *(os.path.join(folder, f) for f in ("net.c", "net_weights.c", "net_main.c")),
         "runtime/skipc_pool.c", "-lpthread", "-o", os.path.join(folder, "program"))
    x = run.tensors(os.path.join(ROOT, "tests/cases/hconv2d_op13/test_data_set_0"), "input")
    files = []
    for k, array in enumerate(x):
        files.append(os.path.join(folder, f"x{k}.npy"))
        run.save(files[-1], array)
    outputs = []
    for count in 1, 3:
        output = os.path.join(folder, f"y{count}.npy")
        call(os.path.join(folder, "program"), *files, "-o", output, "--threads", count)
        outputs.append(open(output, "rb").read())
    assert outputs[0] == outputs[1], "threads change bits"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(ROOT, "build", "skipc"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    skipc = os.path.abspath(arguments.skipc)
    targets = []
    for target in ("c", "x86-64", "aarch64"):
        if run.lacking(target):
            print(f"NOT RUN: --target={target}: {run.lacking(target)} is not installed")
        else:
            targets.append(target)
    with tempfile.TemporaryDirectory() as work, concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        nets = [Net(skipc, work, name, target) for name in NETS for target in targets]
        list(pool.map(Net.check, nets))
        threads(skipc, work)
        limits(skipc)
        for target in targets[1:]:
            winograd(skipc, work, target)
    for target in targets:
        call(sys.executable, "tests/run.py", "--skipc", skipc, f"--target={target}", "--jobs", arguments.jobs,
             f"--options={' '.join(TURNED)}", "hconv", "conv_two_bns", "conv_run_time")
    print(f"prepared: {len(nets)} networks, and cases of convolutions, on {', '.join(targets)}, 0 failed")


if __name__ == "__main__":
    main()
