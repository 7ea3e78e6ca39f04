"""Nodes and float constants of a small model, as the tests write them that make their own."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Nodes:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value):
        self.constants.append(numpy_helper.from_array(np.asarray(value, np.float32), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def op(self, kind, *inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def save_model(self, path, x, y, shape, opset):
        """With what y needs, and nothing else; x and y are of that shape."""
        used, live = {y}, []
        for node in reversed(self.nodes):
            if node.output[0] in used:
                used.update(node.input)
                live.insert(0, node)
        value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in (x, y)]
        graph = helper.make_graph(live, "net", value[:1], value[1:], [c for c in self.constants if c.name in used])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)
