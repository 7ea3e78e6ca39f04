"""A network of floats as one of bytes: QuantizeLinear and DequantizeLinear around its layers, by onnxruntime's quantiser."""
import os
import tempfile

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class Images(CalibrationDataReader):
    """A few random ones, always the same."""

    def __init__(self, model):
        rng, self.images = np.random.default_rng(0), []
        for _ in range(4):
            self.images.append({i.name: rng.standard_normal([d.dim_value or 1 for d in i.type.tensor_type.shape.dim]).astype(np.float32)
                                for i in model.graph.input})

    def get_next(self):
        return self.images.pop() if self.images else None


def quantise(model, path):
    """Activations are unsigned, weights signed and scaled by channel."""
    with tempfile.TemporaryDirectory() as work:
        plain, ready = (os.path.join(work, name) for name in ("plain.onnx", "ready.onnx"))
        onnx.save(model, plain)
        quant_pre_process(plain, ready, skip_symbolic_shape=True)
        quantize_static(ready, path, Images(model), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
