#!/usr/bin/env python3
"""As `skipc lesion`, of a plain network: layers that are left out in the ONNX file, each with the ReLU behind it.

    plain.py MODEL [--input FILE] [--labels FILE] [--json] [--plot FILE] [--alone]

A layer is a Gemm as wide as its input, and a ReLU; whoever read what it gives reads what it was given. skipc has no --drop for that: a plain
layer has no shortcut, and what is left is another network.
"""
import argparse
import os
import sys

import onnx

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import lesion  # noqa: E402
import rows  # noqa: E402


class Plain(lesion.Lesion):
    """Its blocks are the layers that can go."""

    def __init__(self, arguments, folder):
        self.onnx = onnx.load(arguments.model)
        sizes = {w.name: tuple(w.dims) for w in self.onnx.graph.initializer}
        nodes = list(self.onnx.graph.node)
        self.layers = [(n, relu) for n, relu in zip(nodes, nodes[1:])
                       if n.op_type == "Gemm" and relu.op_type == "Relu" and len(set(sizes[n.input[1]])) == 1]
        super().__init__(arguments, folder)

    def outputs(self, blocks):
        self.report["blocks"] = [{"id": k, "kind": "plain", "nodes": [n.name, relu.name]} for k, (n, relu) in enumerate(self.layers)]
        model = onnx.ModelProto()
        model.CopyFrom(self.onnx)
        gone = {self.layers[b][1].output[0]: self.layers[b][0].input[0] for b in blocks}
        for n in model.graph.node:
            while n.input[0] in gone:
                n.input[0] = gone[n.input[0]]
        folder = os.path.join(self.folder, "plain" + "".join(f"_{b}" for b in blocks))
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "model.onnx")
        onnx.save(model, path)
        network = rows.Network(argparse.Namespace(**{**vars(self.arguments), "model": path}), folder, self.report)
        y = network.outputs(self.feeds, self.runs)[0]
        network.close()
        return y.reshape(len(y), -1).astype("float64")


if __name__ == "__main__":
    sys.exit(rows.run_command(lesion.command_line("plain.py"), None, lambda a, f: lesion.lesion_command(a, f, Plain)))
