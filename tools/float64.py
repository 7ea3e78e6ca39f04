"""Evaluate an ONNX model in double precision: the yardstick of `skipc diff`.

    y = evaluate(onnx.load(path), {"input": x})          # {output name: array}
    t = evaluate(model, feeds, intermediate=True)        # every tensor by name

`widen` turns a model's 16 and 32 bit floats into doubles; onnx's own reference evaluator runs it.
Operators that the reference evaluates slowly, in single precision, or not as the specification
of the model's opset says are replaced here (the classes below; each says why).
"""
import heapq
import math

import numpy as np
import onnx.inliner
import qdq
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from onnx.reference.ops.op_grid_sample import GridSample as Reference

FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16}
TYPE_ATTRIBUTES = {"to", "dtype", "output_dtype"}  # of Cast, EyeLike, DequantizeLinear ...


# the widened model -------------------------------------------------------------------------------

def widen_tensor(tensor):
    if tensor.data_type in FLOATS:
        wide = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64))
        wide.name = tensor.name
        tensor.CopyFrom(wide)


def widen_type(type_proto):
    kind = type_proto.WhichOneof("value")
    if kind == "tensor_type" and type_proto.tensor_type.elem_type in FLOATS:
        type_proto.tensor_type.elem_type = TensorProto.DOUBLE
    elif kind in ("sequence_type", "optional_type"):
        widen_type(getattr(type_proto, kind).elem_type)


def rename_modes(node):
    """As opset 20 calls them: the evaluator knows no others."""
    for a in node.attribute:
        if node.op_type == "GridSample" and a.name == "mode":
            a.s = {b"bilinear": b"linear", b"bicubic": b"cubic"}.get(a.s, a.s)


def widen_node(node):
    if node.op_type == "ConstantOfShape" and not node.attribute:
        zero = numpy_helper.from_array(np.zeros(1))
        node.attribute.append(helper.make_attribute("value", zero))
    rename_modes(node)
    for a in node.attribute:
        if a.name in TYPE_ATTRIBUTES and a.type == AttributeProto.INT and a.i in FLOATS:
            a.i = TensorProto.DOUBLE
        if node.op_type == "Constant" and a.name in ("value_float", "value_floats") \
                and not a.ref_attr_name:
            value = np.array(helper.get_attribute_value(a), dtype=np.float64)
            a.CopyFrom(helper.make_attribute("value", numpy_helper.from_array(value)))
        if a.type == AttributeProto.TENSOR:
            widen_tensor(a.t)
        for tensor in a.tensors:
            widen_tensor(tensor)
        for graph in ([a.g] if a.type == AttributeProto.GRAPH else []) + list(a.graphs):
            widen_graph(graph)


def widen_graph(graph):
    for tensor in graph.initializer:
        widen_tensor(tensor)
    for values in (graph.input, graph.output, graph.value_info):
        for value in values:
            widen_type(value.type)
    for node in graph.node:
        widen_node(node)


def widen(model):
    """A copy of the model, its external data loaded, in which every narrow float is a double.
    Values keep what they are in the model (a float16 weight is that float16 number), but nothing
    is rounded to a narrow type on the way, also not by a Cast, and quantised operators are what they
    stand for (qdq.py). Functions are inlined."""
    if model.functions:
        wide = onnx.inliner.inline_local_functions(model)
    else:
        wide = ModelProto()
        wide.CopyFrom(model)
    qdq.expand(wide.graph, qdq.opset_of(model))
    widen_graph(wide.graph)
    sort_nodes(wide.graph)
    return wide


def sort_nodes(graph):
    """Producers before users, otherwise in the order there is; onnxruntime does not insist on a
    sorted graph, the reference evaluator does."""
    maker = {o: k for k, node in enumerate(graph.node) for o in node.output if o}
    waits, users = [], [[] for _ in graph.node]
    for k, node in enumerate(graph.node):
        used = set(node.input)
        for a in node.attribute:
            for inner in ([a.g] if a.type == AttributeProto.GRAPH else []) + list(a.graphs):
                used.update(i for n in inner.node for i in n.input)
        makers = {maker[name] for name in used if name in maker}
        waits.append(len(makers))
        for m in makers:
            users[m].append(k)
    ready, order = [k for k, n in enumerate(waits) if not n], []
    while ready:
        order.append(heapq.heappop(ready))
        for k in users[order[-1]]:
            waits[k] -= 1
            if not waits[k]:
                heapq.heappush(ready, k)
    if len(order) < len(graph.node):
        raise NotImplementedError("the graph has a cycle")
    if order != sorted(order):
        nodes = [NodeProto.FromString(graph.node[k].SerializeToString()) for k in order]
        del graph.node[:]
        graph.node.extend(nodes)


# operators ---------------------------------------------------------------------------------------

def windows(x, kernel, strides, dilations, pads, auto_pad, ceil_mode=False, fill=0.0):
    """View of x [N, C, spatial...] as [N, C, output..., kernel...], padded with `fill`; and the
    pads before and after each axis, without what ceil_mode reaches beyond them."""
    rank = len(kernel)
    strides, dilations = strides or [1] * rank, dilations or [1] * rank
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    before, after, beyond = [], [], []
    for i, (size, extent, stride) in enumerate(zip(x.shape[2:], extents, strides)):
        b, a = (pads[i], pads[i + rank]) if pads else (0, 0)
        if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            total = max(0, (-(-size // stride) - 1) * stride + extent - size)
            b, a = total // 2, total - total // 2
            if auto_pad == "SAME_LOWER":
                b, a = a, b
        elif auto_pad == "VALID":
            b = a = 0
        span = size + b + a - extent
        steps = -(-span // stride) if ceil_mode else span // stride
        if ceil_mode and steps * stride >= size + b:
            steps -= 1  # the last window would begin in the padding
        before.append(b)
        after.append(a)
        beyond.append(max(0, steps * stride + extent - (size + b + a)))
    widths = [(0, 0), (0, 0)] + [(b, a + e) for b, a, e in zip(before, after, beyond)]
    if any(map(any, widths)):
        x = np.pad(x, widths, constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, extents, axis=tuple(range(2, 2 + rank)))
    index = [slice(None)] * 2 + [slice(None, None, s) for s in strides]
    return view[tuple(index + [slice(None, None, d) for d in dilations])], list(zip(before, after))


class Conv(OpRun):
    """Fast: one matrix product per image."""

    op_domain = ""

    def _run(self, x, w, b=None, auto_pad=None, dilations=None, group=None, kernel_shape=None,
             pads=None, strides=None):
        kernel, group = w.shape[2:], group or 1
        rank = len(kernel)
        view, _ = windows(x, kernel, strides, dilations, pads, auto_pad)
        out = view.shape[2:2 + rank]
        rows = w.reshape(group, w.shape[0] // group, -1)
        y = np.empty((x.shape[0], w.shape[0], *out), dtype=np.result_type(x, w))
        for image, result in zip(view, y):
            taps = image.transpose(0, *range(1 + rank, 1 + 2 * rank), *range(1, 1 + rank))
            columns = taps.reshape(group, rows.shape[2], -1)
            result[:] = np.matmul(rows, columns).reshape(result.shape)
        if b is not None:
            y += b.reshape(-1, *[1] * rank)
        return (y,)


class ConvTranspose(OpRun):
    """The reference mixes up the channels of groups, and pads with output_shape."""

    op_domain = ""

    def _run(self, x, w, b=None, auto_pad=None, dilations=None, group=None, kernel_shape=None,
             output_padding=None, output_shape=None, pads=None, strides=None):
        rank, group = x.ndim - 2, group or 1
        strides, dilations = strides or [1] * rank, dilations or [1] * rank
        more, image = output_padding or [0] * rank, x.shape[2:]
        steps = [(n - 1) * s + 1 for n, s in zip(image, strides)]
        full = [n + (k - 1) * d for n, k, d in zip(steps, w.shape[2:], dilations)]
        begin = list(pads[:rank]) if pads else [0] * rank
        cut = [a + b for a, b in zip(pads, pads[rank:])] if pads else begin
        sizes = [f + m - c for f, m, c in zip(full, more, cut)]
        if output_shape or auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            most = output_shape or [n * s for n, s in zip(image, strides)]
            rest = [max(0, f + m - n) for f, m, n in zip(full, more, most)]
            sizes = output_shape or [f + m - r for f, m, r in zip(full, more, rest)]
            begin = [r // 2 if auto_pad == "SAME_UPPER" else r - r // 2 for r in rest]
        y = np.zeros((x.shape[0], w.shape[1] * group, *(f + n for f, n in zip(full, sizes))))
        x = x.reshape(x.shape[0], group, -1, *image)
        w = w.reshape(group, -1, *w.shape[1:])
        for tap in np.ndindex(*w.shape[3:]):
            part = np.einsum("ngc...,gck->ngk...", x, w[(..., *tap)])
            at = [slice(t * d, t * d + n, s) for t, d, n, s in zip(tap, dilations, steps, strides)]
            y[(..., *at)] += part.reshape(*y.shape[:2], *image)
        y = y[(..., *(slice(b, b + n) for b, n in zip(begin, sizes)))]
        return (y if b is None else y + b.reshape(-1, *[1] * rank),)


class MaxPool(OpRun):
    """Fast, and windows that ceil_mode adds hang over the end only."""

    op_domain = ""

    def _run(self, x, auto_pad=None, ceil_mode=None, dilations=None, kernel_shape=None, pads=None,
             storage_order=None, strides=None):
        rank = len(kernel_shape)
        shape = (kernel_shape, strides, dilations, pads, auto_pad, ceil_mode)
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        view, _ = windows(x, *shape, fill=lowest)
        view = view.reshape(*view.shape[:-rank], -1)
        if len(self.onnx_node.output) < 2:
            return (view.max(axis=-1),)
        where = np.arange(x.size).reshape(x.shape)
        where = windows(where, *shape, fill=-1)[0].reshape(view.shape)
        best = np.where(where < 0, lowest, view).argmax(axis=-1)[..., None]
        return view.max(axis=-1), np.take_along_axis(where, best, -1)[..., 0]


def pool_sums(x, kernel_shape, auto_pad=None, ceil_mode=None, count_include_pad=None, dilations=None,
              pads=None, strides=None):
    """What each window of an AveragePool adds up to, and by how many that is divided."""
    over = tuple(range(-len(kernel_shape), 0))
    shape = (kernel_shape, strides, dilations, pads, auto_pad, ceil_mode)
    view, padding = windows(x, *shape)
    ones = np.ones((1, 1, *x.shape[2:]))
    if count_include_pad:
        ones = np.pad(ones, [(0, 0), (0, 0), *padding], constant_values=1)
        shape = (kernel_shape, strides, dilations, None, None, ceil_mode)
    count = windows(ones, *shape)[0].sum(axis=over)
    count = count[(slice(None),) * 2 + tuple(slice(n) for n in view.shape[2:-len(over)])]
    return view.sum(axis=over), count


class AveragePool(OpRun):
    """Fast, and the divisor is the specification's: padding counts on demand, overhang never."""

    op_domain = ""

    def _run(self, x, **attributes):
        total, count = pool_sums(x, **attributes)
        return (total / count,)


class BatchNormalization(OpRun):
    """The reference takes batch statistics below opset 14 always; here when asked for, by the
    attribute or, below 14, by further outputs."""

    op_domain = ""

    def _run(self, x, scale, bias, mean, var, epsilon=None, momentum=None, training_mode=None,
             spatial=None, is_test=None):
        others = []
        if training_mode or len(self.onnx_node.output) > 1:
            over = tuple(k for k in range(x.ndim) if k != 1)
            own = x.mean(axis=over), x.var(axis=over)
            others = [old * momentum + new * (1 - momentum) for old, new in zip((mean, var), own)]
            others += own
            mean, var = own
        shape = (-1, *[1] * (x.ndim - 2))
        factor = scale / np.sqrt(var + epsilon)
        y = x * factor.reshape(shape) + (bias - mean * factor).reshape(shape)
        return (y, *others)[:len(self.onnx_node.output)]


class Softmax(OpRun):
    """Below opset 13 all axes from `axis` on are one."""

    op_domain = ""
    log = False

    def _run(self, x, axis=None):
        y = x
        if self.run_params["opsets"].get("", 13) < 13:
            y, axis = x.reshape(math.prod(x.shape[:axis % x.ndim]), -1), 1
        y = y - y.max(axis=axis, keepdims=True)
        total = np.exp(y).sum(axis=axis, keepdims=True)
        y = y - np.log(total) if self.log else np.exp(y) / total
        return (y.reshape(x.shape),)


class LogSoftmax(Softmax):
    log = True


class Erf(OpRun):
    """The reference's is a single-precision one."""

    op_domain = ""

    def _run(self, x):
        return (np.vectorize(math.erf, otypes=[np.float64])(x),)


class Gelu(OpRun):
    """The reference expands it with single-precision constants."""

    op_domain = ""

    def _run(self, x, approximate=None):
        if approximate == "tanh":
            inner = math.sqrt(2 / math.pi) * (x + .044715 * x**3)
            return (.5 * x * (1 + np.tanh(inner)),)
        return (.5 * x * (1 + np.vectorize(math.erf, otypes=[np.float64])(x / math.sqrt(2))),)


class GridSample(Reference):
    """The reference divides by the width of an image of one element; and it moves places outside to the border, where
    onnxruntime and torch move each of the four elements that a cubic reads."""

    op_domain = ""

    def _run(self, x, grid, mode=None, **attributes):
        self.cubic = mode == "cubic"
        return super()._run(x, grid, mode=mode, **attributes)

    def _clamp(self, val, lo, hi):
        return val if self.cubic and isinstance(val, np.floating) else super()._clamp(val, lo, hi)

    def _gs_reflect(self, x, x_min, x_max):
        return super()._gs_reflect(x, x_min, x_max) if x_max > x_min else x_min


class GatherElements(OpRun):
    """The reference takes no more than 32 elements along the axis."""

    op_domain = ""

    def _run(self, x, indices, axis=None):
        axis = axis or 0
        return (np.take_along_axis(x, np.where(indices < 0, indices + x.shape[axis], indices), axis),)


class Pad(OpRun):
    """The reference does not take negative pads, which crop."""

    op_domain = ""

    def _run(self, x, pads=None, constant_value=None, axes=None, mode=None, value=None):
        axes = range(x.ndim) if axes is None else [int(a) % x.ndim for a in axes]
        widths = [(0, 0)] * x.ndim
        for a, before, after in zip(axes, pads, pads[len(axes):]):
            widths[a] = (int(before), int(after))
        crop = tuple(slice(max(0, -b), n + min(0, a)) for n, (b, a) in zip(x.shape, widths))
        widths = [(max(0, b), max(0, a)) for b, a in widths]
        if mode not in (None, "constant"):
            return (np.pad(x[crop], widths, mode=mode),)
        fill = constant_value if constant_value is not None else value or 0
        return (np.pad(x[crop], widths, constant_values=np.asarray(fill, x.dtype).item()),)


def along(parameter, x, axis):
    """A scale or zero point, one for all or one a channel, in a shape that broadcasts over x."""
    parameter = np.asarray(parameter)
    if parameter.size == 1:
        return parameter.reshape(())
    if parameter.ndim > 1:
        return parameter
    return parameter.reshape([-1 if k == (axis or 0) % x.ndim else 1 for k in range(x.ndim)])


class DequantizeLinear(OpRun):
    """The reference has it from opset 19 on."""

    op_domain = ""

    def _run(self, x, scale, zero_point=None, axis=None, block_size=None, output_dtype=None):
        if block_size:
            raise NotImplementedError("DequantizeLinear in blocks")
        zero = 0 if zero_point is None else along(zero_point, x, axis).astype(np.float64)
        return ((x.astype(np.float64) - zero) * along(scale, x, axis),)


class QuantizeLinear(OpRun):
    """The reference has it from opset 19 on."""

    op_domain = ""

    def _run(self, x, scale, zero_point=None, axis=None, saturate=None, block_size=None,
             output_dtype=None, precision=None):
        if block_size:
            raise NotImplementedError("QuantizeLinear in blocks")
        zero = np.zeros(1, np.uint8) if zero_point is None else zero_point
        if output_dtype:
            zero = zero.astype(helper.tensor_dtype_to_np_dtype(output_dtype))
        limits = np.iinfo(zero.dtype)
        y = np.rint(x / along(scale, x, axis)) + along(zero, x, axis).astype(np.float64)
        return (np.clip(y, limits.min, limits.max).astype(zero.dtype),)


OPERATORS = [Conv, ConvTranspose, MaxPool, AveragePool, BatchNormalization, Softmax, LogSoftmax,
             Erf, Gelu, GridSample, GatherElements, Pad, DequantizeLinear, QuantizeLinear]


class Evaluator(ReferenceEvaluator):
    """The reference evaluator with our operators, in functions and subgraphs too."""

    def __init__(self, proto, **options):
        options["new_ops"] = OPERATORS
        super().__init__(proto, **options)


def evaluate(model, feeds, intermediate=False):
    """Outputs by name (or every tensor's value by name), floats as doubles, for inputs by name.
    Raises NotImplementedError, with the reason, where an operator has no such evaluation."""
    feeds = {k: v.astype(np.float64) if v.dtype.kind not in "biuSUO" else v
             for k, v in feeds.items()}
    try:
        evaluator = Evaluator(widen(model))
        with np.errstate(all="ignore"):
            values = evaluator.run(None, feeds, intermediate=True)
    except NotImplementedError:
        raise
    except Exception as e:  # the reference evaluator raises whatever numpy or Python does
        reason = str(e).splitlines()[0][:200] if str(e) else type(e).__name__
        raise NotImplementedError(reason) from e
    return values if intermediate else {o.name: values[o.name] for o in model.graph.output}
