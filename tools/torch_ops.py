#!/usr/bin/env python3
"""Sweep torch's operators: what its default exporter writes for one small module each, compiled and compared with torch.

    torch_ops.py [--skipc PATH] [--target T] [--keep DIR] [--all] [NAME ...]

Needs torch 2.9 or newer and onnxscript in the Python that runs it; `make check` does without. Prints a table: the module,
the ONNX operators that it became, and whether skipc's program gives torch's numbers, refuses the model (its first
message), is wrong, or the file is (onnx's reference evaluator differs from torch, too). --all prints those that are right, too; --keep leaves NAME.onnx and NAME.npz (x0.., y0..) in DIR.
Exit status 1 where a number is wrong, C does not compile, or what is not in REFUSED is refused.
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx.reference import ReferenceEvaluator
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
X, V, S = (2, 4, 6, 6), (2, 8), (2, 4, 10)  # an image, rows, a signal
I = torch.tensor


def floats(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


def assigned(x, key, value):
    y = x.clone()
    y[key] = value
    return y


def unpooled(x):
    y, at = F.max_pool2d(x, 2, return_indices=True)
    return F.max_unpool2d(y, at, 2)


def grid(x, **how):
    at = torch.stack(torch.meshgrid(torch.linspace(-1.2, 1.1, 5), torch.linspace(-1, 1, 7), indexing="ij"), -1)
    return F.grid_sample(x, at.flip(-1).expand(x.shape[0], -1, -1, -1) + 0.1 * x.mean(), **how)


def bias_table(x):
    """Relative positions, as LeViT, TinyViT, BEiT and MaxViT look them up."""
    table = torch.linspace(-1, 1, 50).reshape(2, 25)
    at = (torch.arange(9)[:, None] * 3 + torch.arange(9)[None, :] * 5) % 25
    scores = x[:, :2].flatten(2)[:, :, :9, None] * x[:, 2:4].flatten(2)[:, :, None, :9]
    return (scores + table[:, at]).softmax(-1)


def sparsemax(x):
    z = x - x.max(1, keepdim=True)[0]
    sorted_z, _ = z.sort(1, descending=True)
    k = torch.arange(1, x.shape[1] + 1)
    sums = sorted_z.cumsum(1)
    size = (1 + k * sorted_z > sums).sum(1, keepdim=True)
    return (z - (sums.gather(1, size - 1) - 1) / size).clamp(min=0)


CASES = {}


def case(name, function, *shapes):
    CASES[name] = (function, shapes or (X,))


for name, f in {
    # indices
    "index_list": lambda x: x[:, [2, 0, 3]], "index_tensor": lambda x: x[:, :, I([5, 1, 1, 0])],
    "index_two": lambda x: x[:, :, I([[0], [3]]), I([[1, 4, 5]])], "index_pairs": lambda x: x[:, I([0, 3, 1]), I([2, 2, 5])],
    "index_apart": lambda x: x[I([0, 1]), :, I([2, 3])], "index_scalar": lambda x: x[:, 1, -1], "index_none": lambda x: x[:, None, :, 0],
    "index_run_time": lambda x: x.flatten(1)[:, (x[0, 0, 0] * 2).long() % 7], "index_mask": lambda x: x[:, I([True, False, True, True])],
    "assign_column": lambda x: assigned(x, (slice(None), slice(None), 0), 1.5),
    "assign_step": lambda x: assigned(x, (slice(None), slice(None, None, 2)), x[:, 1::2]),
    "assign_row_part": lambda x: assigned(x, (slice(None), 1, slice(1, 4), slice(2, 5)), x[:, 0, :3, :3]),
    "assign_list": lambda x: assigned(x, (slice(None), I([3, 0])), 2 * x[:, 1:3]),
    "assign_pairs": lambda x: assigned(x, (slice(None), I([0, 3]), I([1, 1])), x[:, :2, 0]),
    "index_put_add": lambda x: x.index_put((I([0, 1, 0]), I([1, 1, 1])), x[0, :3], accumulate=True),
    "select": lambda x: x.select(2, 3), "narrow": lambda x: x.narrow(2, 1, 3), "index_select": lambda x: x.index_select(1, I([3, 1, 1])),
    "select_scatter": lambda x: torch.select_scatter(x, x[:, 0] * 2, 1, 2), "slice_scatter": lambda x: torch.slice_scatter(x, x[:, :2], 1, 1, 4, 2),
    "index_add": lambda x: x.index_add(1, I([0, 0, 3]), x[:, :3]), "index_copy": lambda x: x.index_copy(1, I([2, 0]), x[:, 1:3]),
    "index_fill": lambda x: x.index_fill(1, I([1, 3]), 0.5), "masked_fill": lambda x: x.masked_fill(x > 0.5, -1.0),
    "masked_scatter_where": lambda x: torch.where(x > 0, x, x.flip(1)), "take_along_dim": lambda x: torch.take_along_dim(x, x.argsort(1), 1),
    "gather": lambda x: x.gather(1, (x.abs() * 2).long().clamp(0, 3)), "gather_constant": lambda x: x.gather(1, I([3, 1]).view(1, 2, 1, 1).expand(2, 2, 6, 6)),
    "scatter": lambda x: torch.zeros(2, 4, 6, 6).scatter(1, (x.abs() * 2).long().clamp(0, 3), x),
    "scatter_value": lambda x: x.scatter(1, I([1, 2]).view(1, 2, 1, 1).expand(2, 2, 6, 6), 3.0),
    "scatter_add": lambda x: x.scatter_add(1, (x.abs() * 2).long().clamp(0, 3), x), "scatter_reduce": lambda x: x.scatter_reduce(1, (x.abs() * 2).long().clamp(0, 3), x, "amax"),
    "scatter_reduce_mean": lambda x: x.scatter_reduce(1, (x.abs() * 2).long().clamp(0, 3), x, "mean"),
    "take": lambda x: x.take(I([0, 70, 5])), "diagonal": lambda x: x.diagonal(dim1=2, dim2=3), "diag_embed": lambda x: torch.diag_embed(x[:, :, 0]),
    "embedding": lambda x: F.embedding((x[:, 0].abs() * 2).long().clamp(0, 4), torch.linspace(-1, 1, 15).reshape(5, 3)), "bias_table": bias_table,
    "bucketize": lambda x: torch.bucketize(x, torch.linspace(-1, 1, 5)), "searchsorted": lambda x: torch.searchsorted(torch.linspace(-1, 1, 5), x),
    # order
    "sort": lambda x: x.sort(1)[0], "sort_descending": lambda x: x.sort(-1, descending=True), "argsort": lambda x: x.argsort(2),
    "topk": lambda x: x.topk(3, 1), "topk_smallest": lambda x: x.topk(2, -1, largest=False), "kthvalue": lambda x: x.kthvalue(2, 1)[0],
    "median": lambda x: x.median(1)[0], "max_dim": lambda x: x.max(1), "min_dim": lambda x: x.min(-1), "argmax": lambda x: x.argmax(1), "amax": lambda x: x.amax((2, 3)),
    "cumsum": lambda x: x.cumsum(1), "cumprod": lambda x: x.cumprod(2), "logcumsumexp": lambda x: x.logcumsumexp(1), "cummax": lambda x: x.cummax(1)[0],
    "unique": lambda x: torch.unique((x * 2).long()), "nonzero": lambda x: x.nonzero(), "masked_select": lambda x: x.masked_select(x > 0),
    "flip": lambda x: x.flip(2, 3), "roll": lambda x: x.roll((1, -2), (2, 3)), "roll_flat": lambda x: x.roll(5), "rot90": lambda x: x.rot90(1, (2, 3)),
    "tril": lambda x: x.tril(), "triu": lambda x: x.triu(1), "tril_indices": lambda x: x[:, :, torch.tril_indices(6, 6)[0], torch.tril_indices(6, 6)[1]],
    "one_hot": lambda x: F.one_hot((x[:, 0].abs() * 2).long().clamp(0, 4), 5).float() * 2, "eye": lambda x: x + torch.eye(6), "arange": lambda x: x * torch.arange(6),
    "linspace": lambda x: x * torch.linspace(0, 1, 6), "meshgrid": lambda x: x + torch.meshgrid(torch.arange(6.0), torch.arange(6.0), indexing="ij")[0],
    "full_like": lambda x: x + torch.full_like(x, 0.5), "repeat": lambda x: x.repeat(1, 2, 1, 3), "repeat_interleave": lambda x: x.repeat_interleave(3, 1),
    "repeat_interleave_list": lambda x: x.repeat_interleave(I([1, 2, 0, 3]), 1), "tile": lambda x: x.tile(2, 1, 1),
    # images
    "pixel_shuffle": lambda x: F.pixel_shuffle(x, 2), "pixel_unshuffle": lambda x: F.pixel_unshuffle(x, 2), "channel_shuffle": lambda x: F.channel_shuffle(x, 2),
    "unfold": lambda x: F.unfold(x, 3, padding=1), "unfold_stride": lambda x: F.unfold(x, (2, 3), stride=2, dilation=(1, 2)), "tensor_unfold": lambda x: x.unfold(3, 3, 2),
    "fold": lambda x: F.fold(x.reshape(2, 16, 9), (6, 6), 2, stride=2), "fold_overlap": lambda x: F.fold(x.flatten(1)[:, :144].reshape(2, 9, 16), (4, 4), 3, padding=1),
    "max_unpool2d": unpooled, "max_pool_indices": lambda x: F.max_pool2d(x, 2, return_indices=True),
    "adaptive_avg": lambda x: F.adaptive_avg_pool2d(x, 3), "adaptive_avg_uneven": lambda x: F.adaptive_avg_pool2d(x, (4, 5)),
    "adaptive_max": lambda x: F.adaptive_max_pool2d(x, 2), "adaptive_max_uneven": lambda x: F.adaptive_max_pool2d(x, 4), "lp_pool": lambda x: F.lp_pool2d(x, 2, 2),
    "avg_pool_ceil": lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True), "fractional": lambda x: F.avg_pool2d(x, 2, 1, count_include_pad=False),
    "nearest": lambda x: F.interpolate(x, scale_factor=2), "nearest_size": lambda x: F.interpolate(x, size=(9, 5)), "nearest_exact": lambda x: F.interpolate(x, size=(9, 5), mode="nearest-exact"),
    "bilinear": lambda x: F.interpolate(x, size=(9, 5), mode="bilinear"), "bilinear_corners": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    "bicubic": lambda x: F.interpolate(x, size=(9, 5), mode="bicubic"), "bilinear_antialias": lambda x: F.interpolate(x, size=(4, 3), mode="bilinear", antialias=True),
    "bicubic_antialias": lambda x: F.interpolate(x, size=(4, 3), mode="bicubic", antialias=True), "area": lambda x: F.interpolate(x, size=(4, 4), mode="area"),
    "grid_sample": grid, "grid_sample_corners": lambda x: grid(x, align_corners=True), "grid_sample_border": lambda x: grid(x, padding_mode="border"),
    "grid_sample_reflection": lambda x: grid(x, padding_mode="reflection"), "grid_sample_nearest": lambda x: grid(x, mode="nearest"), "grid_sample_bicubic": lambda x: grid(x, mode="bicubic"),
    "affine_grid": lambda x: F.grid_sample(x, F.affine_grid(I([[0.9, 0.1, 0.0], [-0.1, 0.8, 0.2]]).expand(2, 2, 3) + 0.01 * x.mean(), (2, 4, 5, 7), align_corners=False), align_corners=False),
    "pad_reflect": lambda x: F.pad(x, (1, 2, 2, 1), mode="reflect"), "pad_replicate": lambda x: F.pad(x, (1, 2, 2, 1), mode="replicate"), "pad_circular": lambda x: F.pad(x, (1, 2, 2, 1), mode="circular"),
    "pad_negative": lambda x: F.pad(x, (-1, 2, 0, -2)), "pad_value": lambda x: F.pad(x, (1, 1), value=0.5),
    # arithmetic and layers
    "einsum": lambda x: torch.einsum("nchw,ncw->nch", x, x[:, :, 0]), "glu": lambda x: F.glu(x, 1), "group_norm": lambda x: F.group_norm(x, 2), "instance_norm": lambda x: F.instance_norm(x),
    "layer_norm": lambda x: F.layer_norm(x, (6, 6)), "rms_norm": lambda x: F.rms_norm(x, (6,)), "local_response_norm": lambda x: F.local_response_norm(x, 2), "normalize": lambda x: F.normalize(x),
    "normalize_p1": lambda x: F.normalize(x, p=1), "vector_norm": lambda x: torch.linalg.vector_norm(x, dim=1), "cosine_similarity": lambda x: F.cosine_similarity(x, x.flip(1)), "cdist": lambda x: torch.cdist(x[:, 0], x[:, 1]),
    "var": lambda x: x.var(1), "std": lambda x: x.std((2, 3)), "logsumexp": lambda x: x.logsumexp(1), "prod": lambda x: x.prod(1), "bmm": lambda x: x[:, 0].bmm(x[:, 1]), "baddbmm": lambda x: torch.baddbmm(x[:, 0], x[:, 1], x[:, 2]),
    "outer": lambda x: torch.outer(x[0, 0, 0], x[0, 0, 1]), "kron": lambda x: torch.kron(x[0, 0], x[0, 1]), "addcmul": lambda x: torch.addcmul(x, x, x, value=0.5), "lerp": lambda x: torch.lerp(x, x.flip(1), 0.3),
    "clamp": lambda x: x.clamp(-0.5, 0.7), "clamp_tensor": lambda x: x.clamp(x.flip(1), x.flip(1) + 1), "round": lambda x: (3 * x).round(), "frac": lambda x: x.frac(), "trunc": lambda x: (3 * x).trunc(), "fmod": lambda x: x.fmod(0.3),
    "remainder": lambda x: x.remainder(0.3), "floor_divide": lambda x: x.floor_divide(0.3), "sign": lambda x: x.sign(), "atan": lambda x: x.atan(), "atan2": lambda x: torch.atan2(x, x.flip(1)), "asinh": lambda x: x.asinh(),
    "sinc": lambda x: x.sinc(), "log1p": lambda x: x.abs().log1p(), "expm1": lambda x: x.expm1(), "log2": lambda x: (x.abs() + 1).log2(), "rsqrt": lambda x: (x.abs() + 1).rsqrt(), "tan": lambda x: x.tan(), "erfc": lambda x: x.erfc(),
    "isinf": lambda x: x.isinf().float() + x, "isnan": lambda x: x.isnan().float() + x, "nan_to_num": lambda x: x.nan_to_num(), "heaviside": lambda x: torch.heaviside(x, I(0.5)), "hypot": lambda x: torch.hypot(x, x.flip(1)),
    "logical": lambda x: ((x > 0) & (x < 1) | (x == 0)).float(), "bitwise": lambda x: ((x * 4).long() & 3).float(), "any": lambda x: (x > 1).any(1), "all": lambda x: (x > -1).all(1), "count_nonzero": lambda x: (x > 0).sum(1),
    "hardtanh": F.hardtanh, "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid, "hardshrink": F.hardshrink, "softshrink": F.softshrink, "tanhshrink": F.tanhshrink, "logsigmoid": F.logsigmoid, "celu": F.celu, "selu": F.selu, "mish": F.mish,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "prelu": lambda x: F.prelu(x, torch.linspace(0.1, 0.4, 4)), "relu6": F.relu6, "threshold": lambda x: F.threshold(x, 0.1, 20.0), "softmin": lambda x: F.softmin(x, 1),
    "softmax2d": lambda x: F.softmax(x, 1), "gumbel_free": lambda x: F.softplus(x, beta=2.0), "stack": lambda x: torch.stack((x, x.flip(1)), 2).sum(2), "chunk": lambda x: torch.cat(x.chunk(3, 2)[::-1], 2), "split_sizes": lambda x: torch.cat(x.split([1, 3], 1)[::-1], 1),
    "unbind": lambda x: sum(x.unbind(1)), "movedim": lambda x: x.movedim(1, 3), "swapaxes": lambda x: x.swapaxes(1, 2).contiguous(), "unflatten": lambda x: x.unflatten(1, (2, 2)).mean(1), "as_strided": lambda x: x.as_strided((2, 3), (4, 2)), "expand": lambda x: x[:, :1].expand(-1, 5, -1, -1) * 2,
    "cat_empty": lambda x: torch.cat((x, x[:, :0]), 1), "split_zero": lambda x: torch.cat(x.split([0, 4], 1), 1), "tensordot": lambda x: torch.tensordot(x, x, ([2, 3], [3, 2])), "cross": lambda x: torch.linalg.cross(x[:, :3], x[:, 1:], dim=1),
    "trapz": lambda x: torch.trapezoid(x, dim=1), "diff": lambda x: x.diff(dim=1), "corrcoef": lambda x: x.flatten(1)[:, :36].reshape(4, 18) @ x.flatten()[:18], "histc": lambda x: torch.histc(x, 4), "bincount": lambda x: torch.bincount((x.abs() * 2).long().flatten()),
    "rfft": lambda x: torch.fft.rfft(x).abs(), "hann_window": lambda x: x * torch.hann_window(6), "det": lambda x: torch.linalg.det(x), "inverse": lambda x: torch.linalg.inv(x + 5 * torch.eye(6)),
}.items():
    case(name, f)
for name, f in {"linear_1d": lambda x: F.interpolate(x, scale_factor=2, mode="linear"), "linear_1d_corners": lambda x: F.interpolate(x, size=7, mode="linear", align_corners=True), "nearest_1d": lambda x: F.interpolate(x, size=7), "adaptive_avg_1d": lambda x: F.adaptive_avg_pool1d(x, 4),
                "adaptive_max_1d": lambda x: F.adaptive_max_pool1d(x, 3), "pad_1d": lambda x: F.pad(x, (3, 0)), "unfold_1d": lambda x: x.unfold(2, 4, 3), "conv1d_same": lambda x: F.conv1d(x, torch.linspace(-1, 1, 48).reshape(3, 4, 4), padding="same")}.items():
    case(name, f, S)
for name, m in {"weight_norm": nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 3, 3)), "spectral_norm": nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 3, 3)).eval(), "conv_transpose": nn.ConvTranspose2d(4, 3, 3, 2, 1, 1), "conv_circular": nn.Conv2d(4, 3, 3, padding=1, padding_mode="circular")}.items():
    case(name, m)
case("bilinear_layer", nn.Bilinear(8, 8, 5), V, V)
case("multihead", nn.MultiheadAttention(4, 2, batch_first=True).eval(), (2, 5, 4), (2, 5, 4), (2, 5, 4))
case("transformer_layer", nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval(), (2, 5, 8))
case("sdpa", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), (2, 2, 5, 4), (2, 2, 5, 4), (2, 2, 5, 4))
case("sparsemax", sparsemax, V)
case("grid_3d", lambda x: F.interpolate(x, scale_factor=2, mode="trilinear"), (1, 2, 3, 4, 3))
case("lstm", nn.LSTM(8, 4), (3, 2, 8))

# What is refused, and the words that the message must have.
REFUSED = {
    "unique": "Unique", "nonzero": "for constants only", "bincount": "", "histc": "",  # no fixed size, or loops
    "lstm": "LSTM", "rfft": "DFT", "det": "Det",
}


def export(function, shapes, path):
    module = function if isinstance(function, nn.Module) else Call(function)
    xs = [floats(*s) for s in shapes]
    with torch.no_grad():
        ys = module(*(x.clone() for x in xs))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(module.eval(), tuple(xs), dynamo=True, verbose=False).save(path)
    flat = [y for y in (ys if isinstance(ys, (tuple, list)) else [ys]) if isinstance(y, torch.Tensor)]
    return [x.numpy() for x in xs], [y.numpy() for y in flat]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
    return done.returncode, done.stderr


def difference(got, want):
    """None, or what is wrong."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{list(got.shape)}, not {want.dtype}{list(want.shape)}"
    if want.dtype.kind != "f":
        return None if np.array_equal(got, want) else f"{(got != want).sum()} of {want.size} differ"
    if not np.array_equal(np.isfinite(got), np.isfinite(want)):
        return "NaN or infinity elsewhere"
    error = np.abs(got - want)[np.isfinite(want)].max(initial=0.0) / (np.abs(want[np.isfinite(want)]).max(initial=0.0) or 1.0)
    return None if error <= 2e-5 else f"off by {error:.1e}"


def exported_wrongly(path, xs, ys):
    session = ReferenceEvaluator(path)
    theirs = session.run(None, dict(zip(session.input_names, xs)))
    return any(difference(np.asarray(t), y) for t, y in zip(theirs, ys))


def check(skipc, target, path, xs, ys):
    """(verdict, message): "ok", "refused", "wrong"."""
    with tempfile.TemporaryDirectory() as work:
        status, text = run([skipc, "compile", path, "-o", work, "--name", "net", "--main", f"--target={target}"])
        if status:
            first = re.sub(r"^.*?: (node \d+ )?", "", text.strip().splitlines()[0]) if text.strip() else ""
            return ("refused" if status == 1 else "wrong"), first
        status, text = run(["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-I", work, *glob.glob(f"{work}/*.c"), "-o", f"{work}/p"])
        if status:
            return "wrong", "cc: " + text.strip()[:200]
        for k, x in enumerate(xs):
            np.save(f"{work}/x{k}.npy", x)
        files = [f"{work}/y{k}.npy" for k in range(len(ys))]
        status, text = run([f"{work}/p", *(f"{work}/x{k}.npy" for k in range(len(xs))), "-o", *files])
        if status:
            return "wrong", text.strip()[:200]
        bad = [d for d in map(difference, map(np.load, files), ys) if d]
        if bad and exported_wrongly(path, xs, ys):
            return "file is wrong", bad[0]
        return ("wrong", bad[0]) if bad else ("ok", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("--target", default="c")
    parser.add_argument("--keep")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("names", nargs="*")
    a = parser.parse_args()
    count, failed = {}, 0
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as work:
        folder = a.keep or work
        os.makedirs(folder, exist_ok=True)
        for name, (function, shapes) in CASES.items():
            if a.names and name not in a.names:
                continue
            path, kinds = os.path.join(folder, f"{name}.onnx"), ""
            try:
                xs, ys = export(function, shapes, path)
                np.savez(path[:-5] + ".npz", **{f"x{k}": x for k, x in enumerate(xs)}, **{f"y{k}": y for k, y in enumerate(ys)})
                kinds = " ".join(sorted({n.op_type for n in onnx.load(path).graph.node} - {"Constant"}))
                verdict, message = check(a.skipc, a.target, path, xs, ys)
            except Exception as e:  # the exporter has many of its own
                while e.__cause__ is not None:
                    e = e.__cause__
                verdict, message = "not exported", (str(e).strip().splitlines() or [""])[0][:100]
            count[verdict] = count.get(verdict, 0) + 1
            failed += verdict == "wrong" or (verdict == "refused" and (name not in REFUSED or REFUSED[name] not in message))
            if verdict != "ok" or a.all:
                print(f"{name:24} {verdict:13} {kinds[:60]:60} {message}", flush=True)
    print(f"torch_ops.py, torch {torch.__version__}: " + ", ".join(f"{n} {v}" for v, n in sorted(count.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
