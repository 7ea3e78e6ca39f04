#!/usr/bin/env python3
"""Quantise the example networks: int8 versions of both. Needs onnxruntime, sympy and scikit-learn; takes seconds.

    quantise.py         writes digits_int8.onnx and highway_int8.onnx here

Static, by onnxruntime.quantization: QuantizeLinear and DequantizeLinear around each operator, activations of 8 bits
without sign, weights of 8 with it, by channel, biases of 32. What values occur is seen on the images that train.py trained with.
"""
import os
import sys
import tempfile

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = os.path.dirname(os.path.abspath(__file__))


class Images(CalibrationDataReader):
    """The training part of the split in train.py."""

    def __init__(self):
        digits = load_digits()
        images = (digits.images / 16).astype(np.float32)[:, None]
        kept = train_test_split(images, test_size=360, stratify=digits.target, random_state=0)[0]
        self.images = iter(kept)

    def get_next(self):
        image = next(self.images, None)
        return None if image is None else {"image": image[None]}


def shorten(model):
    """Names of a letter and a number, but for inputs and outputs: they would be half of the file."""
    graph = model.graph
    new = {v.name: v.name for v in (*graph.input, *graph.output)} | {"": ""}
    for name in [t.name for t in graph.initializer] + [o for n in graph.node for o in n.output]:
        new.setdefault(name, f"t{len(new)}")
    for k, node in enumerate(graph.node):
        node.name, node.doc_string = f"n{k}", ""
        node.input[:] = [new[i] for i in node.input]
        node.output[:] = [new[o] for o in node.output]
    for t in graph.initializer:
        t.name = new[t.name]
    for thing in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del thing.metadata_props[:]
    del graph.value_info[:]


def main():
    for name in ("digits", "highway"):
        with tempfile.TemporaryDirectory() as work:
            prepared, path = os.path.join(work, "prepared.onnx"), os.path.join(work, "quantised.onnx")
            quant_pre_process(os.path.join(HERE, f"{name}.onnx"), prepared)
            quantize_static(prepared, path, Images(), quant_format=QuantFormat.QDQ, per_channel=True,
                            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
            model = onnx.load(path)
        shorten(model)
        onnx.checker.check_model(model)
        with open(os.path.join(HERE, f"{name}_int8.onnx"), "wb") as f:
            f.write(model.SerializeToString(deterministic=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
