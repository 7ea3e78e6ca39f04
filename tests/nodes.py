"""Nodes and constants of a small model, as the tests write them that make their own."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Nodes:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value, kind=np.float32):
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def integers(self, value):
        return self.constant(value, np.int64)

    def op(self, kind, *inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def save_model(self, path, x, ys, shape, opset):
        """With what ys (one or a list) need, and nothing else; x and they are of that shape."""
        ys = [ys] if isinstance(ys, str) else ys
        used, live = set(ys), []
        for node in reversed(self.nodes):
            if node.output[0] in used:
                used.update(node.input)
                live.insert(0, node)
        value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in (x, *ys)]
        graph = helper.make_graph(live, "net", value[:1], value[1:], [c for c in self.constants if c.name in used])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)
