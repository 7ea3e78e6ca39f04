#!/usr/bin/env python3
"""Make a case folder of tests/cases from a model and its expected outputs.

    add_case.py MODEL.onnx [DATA.npz] [--name NAME] [--tolerance T]

DATA.npz holds x0.. (inputs) and y0.. (outputs) in the graph's order; without it onnxruntime computes the
outputs of random inputs, optimisations off. The folder gets ONNX's own layout (model.onnx and test_data_set_0),
and `options` and `tolerance` where the case needs them. Outputs that are constant, zero or not finite prove
nothing and are refused.
"""
import argparse
import glob
import os
import shutil
import sys

import numpy as np
import onnx
from onnx import numpy_helper

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")


def graph_inputs(model):
    constants = {i.name for i in model.graph.initializer}
    return [i for i in model.graph.input if i.name not in constants]


def dims(model, xs):
    """--dim options that give the symbolic dimensions the sizes of xs."""
    options = []
    for value, x in zip(graph_inputs(model), xs):
        for axis, d in enumerate(value.type.tensor_type.shape.dim):
            if d.dim_param:
                options.append(f"--dim {d.dim_param}={x.shape[axis]}")
            elif not d.HasField("dim_value"):
                options.append(f"--dim {value.name}.{axis}={x.shape[axis]}")
    return sorted(set(options))


def computed(path, model):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    xs = []
    for k, value in enumerate(graph_inputs(model)):
        t = value.type.tensor_type
        shape = [d.dim_value or 1 for d in t.shape.dim]
        x = np.random.default_rng(k).standard_normal(shape)
        xs.append(x.astype(onnx.helper.tensor_dtype_to_np_dtype(t.elem_type)))
    return xs, session.run(None, {v.name: x for v, x in zip(graph_inputs(model), xs)})


def proves_something(ys):
    """At least one output has to vary; none may be made of NaN only."""
    return any(y.size == 1 or (np.ptp(y[np.isfinite(y)]) > 0 if np.isfinite(y).any() else False)
               for y in (y.astype(np.float64) for y in ys)) and all(np.isfinite(y.astype(np.float64)).any() for y in ys)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("data", nargs="?")
    parser.add_argument("--name")
    parser.add_argument("--tolerance")
    arguments = parser.parse_args()
    model = onnx.load(arguments.model, load_external_data=False)
    name = arguments.name or os.path.splitext(os.path.basename(arguments.model))[0]
    if arguments.data:
        data = np.load(arguments.data)
        xs, ys = ([data[f"{c}{k}"] for k in range(99) if f"{c}{k}" in data] for c in "xy")
    else:
        xs, ys = computed(arguments.model, model)
    if not proves_something(ys):
        sys.exit(f"{name}: the expected outputs are constant or not finite and prove nothing")
    folder = os.path.join(CASES, name)
    os.makedirs(os.path.join(folder, "test_data_set_0"), exist_ok=True)
    shutil.copyfile(arguments.model, os.path.join(folder, "model.onnx"))
    for other in glob.glob(glob.escape(arguments.model) + ".*"):  # external data keeps its name
        shutil.copyfile(other, os.path.join(folder, os.path.basename(other)))
    for kind, arrays in (("input", xs), ("output", ys)):
        for k, array in enumerate(arrays):
            with open(os.path.join(folder, "test_data_set_0", f"{kind}_{k}.pb"), "wb") as f:
                f.write(numpy_helper.from_array(np.asarray(array), f"{kind}_{k}").SerializeToString())
    for file, text in (("options", "\n".join(dims(model, xs))), ("tolerance", arguments.tolerance or "")):
        if text:
            with open(os.path.join(folder, file), "w") as f:
                f.write(text + "\n")


if __name__ == "__main__":
    main()
