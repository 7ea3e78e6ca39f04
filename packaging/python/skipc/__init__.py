"""Networks as C, for those who live in Python.

    import skipc

    net = skipc.compile("resnet18.onnx")      # or an onnx.ModelProto, or its bytes
    y = net(x)                                # numpy arrays; several outputs are a tuple
    y = net(input=x)                          # by the model's names

A C compiler must be installed; what it makes is loaded by ctypes. The command is skipc, or python -m skipc.
"""
import ctypes
import os
import re
import shlex
import subprocess
import tempfile
import threading
from dataclasses import dataclass

import numpy as np

__all__ = ["CMAKE", "Error", "Network", "PROGRAM", "RUNTIME", "Value", "compile"]

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "bin", "skipc" + (".exe" if os.name == "nt" else ""))
RUNTIME = os.path.join(HERE, "libexec", "skipc", "runtime")
CMAKE = os.path.join(HERE, "share", "cmake", "skipc")  # -Dskipc_DIR=..
TYPES = {"f32": "f4", "f64": "f8", "f16": "f2", "i8": "i1", "u8": "u1", "i16": "i2", "u16": "u2", "i32": "i4", "u32": "u4",
         "i64": "i8", "u64": "u8", "bool": "?", "bf16": "u2"}
ALIGNED = 64

# What ctypes cannot know: sizes, and the options.
SHIM = """
#include "net.h"
#include "skipc_pool.h"
const size_t skipc_size = sizeof(struct net);
int skipc_open(struct net *net, void *prepared, int isa, struct skipc_pool *pool)
{
	struct net_options options = { 0 };

	options.isa = isa;
	if (pool != NULL) {
		options.parallel_for = skipc_pool_for;
		options.parallel_context = pool;
		options.workers = skipc_pool_workers(pool);
	}
	return net_init(net, prepared, &options);
}
"""


class Error(Exception):
    """skipc, the C compiler or the network says no; the text is what it says."""


@dataclass(frozen=True)
class Value:
    """An input or output, as the network takes or gives it. bfloat16 is its bits, as uint16."""

    name: str
    dtype: np.dtype
    shape: tuple


def memory(size):
    """An array of bytes that begins at a multiple of ALIGNED."""
    whole = np.zeros(size + ALIGNED, np.uint8)
    return whole[-whole.ctypes.data % ALIGNED:][:size]


def call(command, **options):
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", **options)
    except OSError as e:
        raise Error(f"{command[0]}: {e.strerror}") from None
    if done.returncode != 0:
        raise Error((done.stderr or done.stdout).strip() or f"{command[0]}: exit status {done.returncode}")
    return done.stderr.strip()


def values(header, kind):
    found = re.findall(rf'#define NET_{kind}\d+_NAME (".*")\n#define NET_{kind}\d+_TYPE "(\w+)".*\n'
                       rf"#define NET_{kind}\d+_RANK (\d+)\n#define NET_{kind}\d+_SHAPE \{{ (.*?) \}}", header)
    return tuple(Value(unquoted(name), np.dtype(TYPES[t]), tuple(int(n) for n in shape.split(","))[:int(rank)])
                 for name, t, rank, shape in found)


def unquoted(literal):
    """A string of C, UTF-8."""
    parts = re.findall(r'\\([0-7]{1,3})|\\(["\\?])|([^\\"])', literal[1:-1])
    return b"".join(bytes([int(octal, 8)]) if octal else (quoted or plain).encode() for octal, quoted, plain in parts).decode(errors="replace")


class Network:
    """A compiled network: a function of numpy arrays. Any thread may call it, several at once.

    inputs, outputs: a Value each; folder: the C that it was made of; note: what skipc said.
    """

    def __init__(self, folder, note="", threads=1, isa=0, kept=None):
        with open(os.path.join(folder, "net.h"), encoding="utf-8") as f:
            header = f.read()

        def number(name):
            return int(re.search(rf"#define NET_{name} (\d+)", header)[1])

        self.folder, self.note, self._kept = folder, note, kept
        self.inputs, self.outputs = values(header, "INPUT"), values(header, "OUTPUT")
        self._library = library = ctypes.CDLL(os.path.join(folder, "net.so"))
        for function in (library.net_error, library.skipc_pool_create):
            function.restype = ctypes.c_void_p
        library.net_error.restype = ctypes.c_char_p
        self._pool = ctypes.c_void_p(library.skipc_pool_create(threads) if threads != 1 else None)
        workers = library.skipc_pool_workers(self._pool) if self._pool else 1
        self._arena = number("ARENA_SIZE") + (workers - 1) * number("ARENA_WORKER_SIZE")
        self._net = memory(ctypes.c_size_t.in_dll(library, "skipc_size").value)
        self._prepared = memory(number("PREPARED_SIZE"))
        self._of_thread = threading.local()
        self._alone = threading.Lock() if self._pool else None  # a pool runs one loop at a time
        self._check(library.skipc_open(pointer(self._net), pointer(self._prepared), isa, self._pool))

    def _check(self, status):
        if status != 0:
            raise Error(self._library.net_error(status).decode())

    def _given(self, arrays, named):
        """Arrays in the order of the inputs, as run takes them."""
        names = [v.name for v in self.inputs]
        if len(arrays) + len(named) != len(names) or not set(named) <= set(names[len(arrays):]):
            raise TypeError(f"the inputs are {', '.join(names) or 'none'}")
        given = [*arrays, *(named[n] for n in names[len(arrays):])]
        taken = []
        for v, x in zip(self.inputs, given):
            x = np.asarray(x)
            if x.shape != v.shape:
                raise ValueError(f"{v.name}: its shape is {v.shape}, not {x.shape}")
            if x.dtype != v.dtype and not np.can_cast(x.dtype, v.dtype, "same_kind"):
                raise TypeError(f"{v.name}: its type is {v.dtype}, not {x.dtype}")
            taken.append(np.ascontiguousarray(x, v.dtype))
        return taken

    def __call__(self, *arrays, **named):
        given = self._given(arrays, named)
        made = [np.empty(v.shape, v.dtype) for v in self.outputs]
        arena = getattr(self._of_thread, "arena", None)
        if arena is None:
            arena = self._of_thread.arena = memory(self._arena)
        words = [pointer(self._net), *map(pointer, given), *map(pointer, made), pointer(arena)]
        if self._alone is None:
            status = self._library.net_run(*words)
        else:
            with self._alone:
                status = self._library.net_run(*words)
        self._check(status)
        return made[0] if len(made) == 1 else tuple(made)

    def __repr__(self):
        def text(vs):
            return ", ".join(f"{v.name}: {v.dtype}{list(v.shape)}" for v in vs)

        return f"<skipc network: {text(self.inputs)} -> {text(self.outputs)}>"


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def compile(model, *options, dims=None, folder=None, threads=1, isa=0, cc=None, cflags="-O2"):
    """A Network of an ONNX model: the path of a file, an onnx.ModelProto, or bytes.

    options: of skipc compile ("--exact", "--target=c"); dims: sizes of symbolic dimensions by name; folder: where the C
    and the library stay, else until the Network is gone; threads: of one call, 0 for as many as there are processors;
    isa: as in the header's options; cc and cflags: the C compiler (CC, or cc) and its flags.
    """
    kept = None if folder else tempfile.TemporaryDirectory(prefix="skipc-")
    folder = os.fspath(folder) if folder else kept.name
    os.makedirs(folder, exist_ok=True)
    path = model if isinstance(model, (str, os.PathLike)) else os.path.join(folder, "model.onnx")
    if path is not model:
        with open(path, "wb") as f:
            f.write(model if isinstance(model, (bytes, bytearray)) else model.SerializeToString())
    given = [word for name, n in (dims or {}).items() for word in ("--dim", f"{name}={n}")]
    note = call([PROGRAM, "compile", "-q", os.fspath(path), "-o", folder, "--name", "net", "--weights=incbin", *given, *options])
    with open(os.path.join(folder, "skipc_shim.c"), "w", encoding="utf-8") as f:
        f.write(SHIM)
    sources = sorted(os.path.join(folder, f) for f in os.listdir(folder) if re.fullmatch(r"(net(_weights|_gemm)?|skipc_shim)\.c", f))
    call([*shlex.split(cc or os.environ.get("CC") or "cc"), *shlex.split(cflags), "-shared", "-fPIC", "-I", folder, "-I", RUNTIME, *sources,
          os.path.join(RUNTIME, "skipc_pool.c"), "-o", os.path.join(folder, "net.so"), "-lpthread"])
    return Network(folder, note, threads, isa, kept)
