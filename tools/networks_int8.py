#!/usr/bin/env python3
"""Networks of networks.py in integers: static quantisation by onnxruntime, QuantizeLinear and DequantizeLinear around each layer.

    networks_int8.py NAME -o FILE.onnx [--activations u8|s8] [--weights s8|u8] [--seven] [--seed N] [--size N]

Weights have a scale for each output channel where they are signed; --seven leaves one bit of them free (onnxruntime's
reduce_range). Calibrated on random images: the same options give the same bytes.
"""
import argparse
import os
import sys
import tempfile

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import networks

TYPES = {"u8": QuantType.QUInt8, "s8": QuantType.QInt8}
IMAGES = 2


class Images(CalibrationDataReader):
    def __init__(self, shape, seed):
        rng = np.random.default_rng(seed)
        self.images = iter([{"input": rng.standard_normal(shape, dtype=np.float32)} for _ in range(IMAGES)])

    def get_next(self):
        return next(self.images, None)


def build(name, activations="u8", weights="s8", seven=False, seed=0, size=None):
    """The quantised network as an onnx.ModelProto."""
    model = networks.build(name, networks.Options(seed=seed, size=size))
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    with tempfile.TemporaryDirectory(prefix="skipc-int8-") as work:
        floats, prepared, result = (os.path.join(work, f"{k}.onnx") for k in ("floats", "prepared", "result"))
        networks.save(model, floats)
        quant_pre_process(floats, prepared, skip_symbolic_shape=True)
        quantize_static(prepared, result, Images(shape, seed + 1), quant_format=QuantFormat.QDQ, activation_type=TYPES[activations],
                        weight_type=TYPES[weights], per_channel=weights == "s8", reduce_range=seven)
        return onnx.load(result)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("name", choices=networks.NETWORKS, metavar="NAME")
    p.add_argument("-o", "--output", metavar="FILE.onnx", required=True)
    p.add_argument("--activations", choices=TYPES, default="u8")
    p.add_argument("--weights", choices=TYPES, default="s8")
    p.add_argument("--seven", action="store_true", help="weights of seven bits")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--size", type=int, help="height and width of the image")
    a = p.parse_args()
    networks.save(build(a.name, a.activations, a.weights, a.seven, a.seed, a.size), a.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
