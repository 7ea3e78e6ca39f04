"""What `skipc bench` times beside skipc: inference engines from PyPI, each behind one class.

A rival is made for a model with its inputs, and then has

    run(count)    seconds of one run, the mean of `count`, inputs and outputs bound
    outputs()     what the last run computed, in the order of the graph

Whoever cannot be made raises compare.Stop with the reason: not installed, or the model is refused.
RIVALS has a row for each. Everything computes in float32, or in the integers of a quantised model, on `threads`
threads, set up as its makers say is fastest then; `make venv-peers` installs all of them.
"""
import contextlib
import importlib
import importlib.util
import os
import sys
import time
from dataclasses import dataclass, field

import compare
import numpy as np
import onnx


@dataclass
class Task:
    """A model to run: who runs it reads this and changes nothing."""

    path: str
    feeds: dict  # arrays by input, in order
    work: str  # a folder for what must be made
    threads: int = 1
    dims: dict = field(default_factory=dict)  # symbolic dimensions
    steps: list = None  # of a quantised model: what a step of each output is
    ends: object = None  # compare.Ends, where skipc takes and gives integers

    def folder(self, name):
        path = os.path.join(self.work, name)
        os.makedirs(path, exist_ok=True)
        return path


def timed(call, count):
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def module(name, packages):
    """The imported module; its greetings are nobody's business."""
    try:
        with silence():
            return importlib.import_module(name)
    except ImportError as e:
        raise compare.Stop(4, f"not installed: {sys.executable} -m pip install {packages}") from e


@contextlib.contextmanager
def silence():
    """Nothing on standard output, from C code either."""
    sys.stdout.flush()
    saved, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(nothing)


def convert(command, made):
    """Runs a converter, which must have made the file."""
    done = compare.call(command, "converter")
    if done.returncode or not os.path.exists(made):
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise compare.Stop(4, f"its converter refuses the model: {last[:200]}")


def copied(task, name):
    """The model as one file in a folder where a converter may write."""
    path = os.path.join(task.folder(name), "net.onnx")
    onnx.save(onnx.load(task.path), path)
    return path


class OnnxRuntime:
    name, precise, saturates = "onnxruntime", False, True

    def __init__(self, task):
        ort = compare.onnxruntime
        self.version = ort.__version__
        session = compare.onnxruntime_session(task.path, threads=task.threads, precise=self.precise)
        self.bound = session.io_binding()
        for name, x in task.feeds.items():
            self.bound.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(x))
        for output in session.get_outputs():
            self.bound.bind_output(output.name)
        session.run_with_iobinding(self.bound)
        self.session, values = session, self.bound.get_outputs()
        for output, value in zip(session.get_outputs(), values):  # from now on in the same place
            self.bound.bind_ortvalue_output(output.name, value)

    def run(self, count):
        return timed(lambda: self.session.run_with_iobinding(self.bound), count)

    def outputs(self):
        return self.bound.copy_outputs_to_cpu()


class OnnxRuntimePrecise(OnnxRuntime):
    """session.x64quantprecision=1: its sums of bytes do not saturate."""

    name, precise, saturates = "onnxruntime, precise", True, False


class OpenVino:
    name, saturates = "openvino", True

    def __init__(self, task):
        openvino = module("openvino", "openvino")
        self.version = openvino.__version__.split("-")[0]
        core = openvino.Core()
        model = core.read_model(task.path)
        model.reshape({name: list(x.shape) for name, x in task.feeds.items()})
        self.request = core.compile_model(model, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": task.threads, "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False}).create_infer_request()
        for name, x in task.feeds.items():
            self.request.set_tensor(name, openvino.Tensor(x))
        self.count = len(model.outputs)

    def run(self, count):
        return timed(self.request.infer, count)

    def outputs(self):
        return [self.request.get_output_tensor(k).data for k in range(self.count)]


class Ncnn:
    name = "ncnn"
    types = {"float32": "f32", "float16": "f16", "int32": "i32", "int64": "i64", "bool": "bool"}

    def __init__(self, task):
        ncnn = module("ncnn", "ncnn")
        self.version = ncnn.__version__
        self.outs = len(compare.load(task.path).graph.output)
        if any(x.ndim == 0 or x.shape[0] != 1 for x in task.feeds.values()):
            raise compare.Stop(4, "it has no batch")
        path = copied(task, self.name)
        shapes = ",".join(f"[{','.join(map(str, x.shape))}]{self.types.get(str(x.dtype), '?')}"
                          for x in task.feeds.values())
        made = os.path.join(task.folder(self.name), "net.ncnn.")
        convert([self.converter(), path, f"inputshape={shapes}", "fp16=0"], made + "bin")
        self.net = ncnn.Net()
        options = self.net.opt
        options.num_threads = task.threads
        for name in dir(options):  # Winograd, sgemm, packing and light mode are on already
            if "fp16" in name or "bf16" in name:
                setattr(options, name, False)
        options.openmp_blocktime = 1  # ms that its threads spin after a run: others are next
        self.pools = ncnn.UnlockedPoolAllocator(), ncnn.PoolAllocator()
        options.blob_allocator, options.workspace_allocator = self.pools
        if self.net.load_param(made + "param") or self.net.load_model(made + "bin"):
            raise compare.Stop(4, "it does not load the converted model")
        self.inputs = [ncnn.Mat(np.ascontiguousarray(x[0])).clone() for x in task.feeds.values()]

    @staticmethod
    def converter():
        """The program in the package pnnx, whose Python part alone wants torch."""
        found = importlib.util.find_spec("pnnx")
        if found is None:
            raise compare.Stop(
                4, f"not installed: {sys.executable} -m pip install --no-deps pnnx")
        return os.path.join(found.submodule_search_locations[0], "pnnx")

    def once(self):
        extractor = self.net.create_extractor()
        for k, x in enumerate(self.inputs):
            extractor.input(f"in{k}", x)
        self.values = [extractor.extract(f"out{k}") for k in range(self.outs)]

    def run(self, count):
        return timed(self.once, count)

    def outputs(self):
        if any(status for status, _ in self.values):
            raise compare.Stop(4, "it does not run the converted model")
        return [np.array(value)[None] for _, value in self.values]


class Mnn:
    name = "mnn"

    def __init__(self, task):
        mnn = self.mnn = module("MNN", "mnn")
        self.version = mnn.version()
        if any(x.dtype != np.float32 for x in task.feeds.values()):
            raise compare.Stop(4, "only inputs of float32 are tried")
        made = os.path.join(task.folder(self.name), "net.mnn")
        # MNN's own mnnconvert does this, then installs a package and reports home
        program = "import sys, _tools; _tools.mnnconvert(sys.argv)"
        convert([sys.executable, "-c", program, "-f", "ONNX", "--modelFile",
                 copied(task, self.name), "--MNNModel", made, "--bizCode", "skipc"], made)
        self.net = mnn.Interpreter(made)
        with silence():
            # power "high" would leave its threads spinning while others run
            self.session = self.net.createSession({"numThread": task.threads, "backend": "CPU",
                                                   "precision": "high"})
        inputs = {n: self.net.getSessionInput(self.session, n) for n in task.feeds}
        for name, tensor in inputs.items():
            self.net.resizeTensor(tensor, task.feeds[name].shape)
        self.net.resizeSession(self.session)
        self.feeds = task.feeds  # whose memory the tensors below are
        self.inputs = [(tensor, self.on_host(task.feeds[n])) for n, tensor in inputs.items()]
        self.names = [o.name for o in compare.load(task.path).graph.output]

    def on_host(self, array):
        return self.mnn.Tensor(array.shape, self.mnn.Halide_Type_Float, array,
                               self.mnn.Tensor_DimensionType_Caffe)

    def once(self):
        for tensor, x in self.inputs:  # each time: it uses their memory for something else
            tensor.copyFrom(x)
        self.net.runSession(self.session)

    def run(self, count):
        return timed(self.once, count)

    def outputs(self):
        values = []
        for name in self.names:
            tensor = self.net.getSessionOutput(self.session, name)
            host = self.on_host(np.zeros(tensor.getShape(), np.float32))
            tensor.copyToHostTensor(host)
            values.append(np.array(host.getNumpyData()).reshape(tensor.getShape()))
        return values


RIVALS = {"ort": OnnxRuntime, "ort-precise": OnnxRuntimePrecise, "openvino": OpenVino, "ncnn": Ncnn, "mnn": Mnn}
