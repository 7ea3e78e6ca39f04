"""Random small models for vectors.py: each a few pieces side by side, with inputs and outputs of their own.

    model, feeds, notes = pieces.model(seed)

A piece is a layer of random shape (strides, pads, dilations, groups, batch, channel counts that are multiples of
nothing), perhaps behind a pool, whose result lies channels last, and elementwise operators behind it. notes says of
each output what it is of.
"""
import numpy as np
from onnx import TensorProto, helper, numpy_helper


EPILOGUE = ("Relu", "Sigmoid", "Tanh", "LeakyRelu", "Clip", "Add", "Sub", "Mul", "Add", "Sigmoid", "Tanh", "HardSwish", "HardSigmoid",
            "Elu", "Swish", "Gelu", "PRelu", "Neg", "Sqrt", "Exp", "Constants", "Softplus")


class Piece:
    """Nodes of a model, by a random generator; `note` describes them."""

    def __init__(self, rng, name):
        self.rng, self.name, self.note = rng, name, name
        self.nodes, self.constants, self.feeds = [], [], {}
        self.run_time = 0.15  # how often weights are computed at run time

    def between(self, lo, hi):
        return int(self.rng.integers(lo, hi + 1))

    def maybe(self, probability=0.5):
        return self.rng.random() < probability

    def input(self, *shape):
        name = f"{self.name}_x{len(self.feeds)}"
        self.feeds[name] = self.rng.standard_normal(shape).astype(np.float32)
        return name

    def constant(self, array):
        name = f"{self.name}_c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def normal(self, *shape, scale=1.0):
        return self.constant((self.rng.standard_normal(shape) * scale).astype(np.float32))

    def node(self, op, *inputs, **attributes):
        name = f"{self.name}_n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def epilogue(self, x, shape):
        """Up to three elementwise operators; channels are shape[1]."""
        for _ in range(self.between(0, 3)):
            op = self.rng.choice(EPILOGUE)
            self.note += f" {op}"
            if op == "Sqrt":  # away from zero, where its slope would make much of the last bits
                x = self.node(op, self.node("Add", self.node("Abs", x), self.constant(np.float32(1))))
            elif op == "Exp":
                x = self.node(op, self.node("Sigmoid", x))
            elif op == "PRelu":
                x = self.node(op, x, self.normal(shape[1], *(1 for _ in shape[2:])))
            elif op == "Gelu":  # of its own words in the graph
                half = self.node("Erf", self.node("Mul", x, self.constant(np.float32(0.5**0.5))))
                x = self.node("Mul", self.node("Mul", x, self.constant(np.float32(0.5))),
                              self.node("Add", half, self.constant(np.float32(1))))
            elif op == "Swish":
                x = self.node("Mul", x, self.node("Sigmoid", x))
            elif op == "Constants":  # second operands that are literals
                x = self.node("Sub", self.node("Div", x, self.constant(np.float32(3))), self.constant(np.float32(0.25)))
            elif op in ("Add", "Sub"):
                x = self.node(op, *([x, self.input(*shape)] if self.maybe() else [self.input(*shape), x]))
            elif op == "Mul":
                x = self.node(op, x, self.normal(shape[1], *(1 for _ in shape[2:])))
            elif op == "Clip":
                x = self.node(op, x, self.constant(np.float32(-0.5)), self.constant(np.float32(1)))
            else:
                x = self.node(op, x)
        return x


def spatial(p, rank, most, least=1):
    """Random attributes of a window of `least` or more, and an image that holds it."""
    kernel = [p.between(least, 4) if p.maybe(0.7) else least for _ in range(rank)]
    dilations = [p.between(1, 3) if p.maybe(0.2) else 1 for _ in range(rank)]
    strides = [p.between(1, 3) if p.maybe(0.4) else 1 for _ in range(rank)]
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    pads = [p.between(0, k - 1) for k in kernel * 2]
    image = [p.between(max(1, r - a - b), max(r, most)) for r, a, b in zip(reach, pads, pads[rank:])]
    size = [(i + a + b - r) // s + 1 for i, a, b, r, s in zip(image, pads, pads[rank:], reach, strides)]
    return {"kernel_shape": kernel, "dilations": dilations, "strides": strides, "pads": pads}, image, size


def behind(p, x):
    """What reads it gets channels last, half of the time."""
    return p.node("MaxPool", x, kernel_shape=[2, 2], pads=[0, 0, 1, 1]) if p.maybe() else x


def convolve(p, x, channels, outputs, group, attributes):
    shape = outputs, channels // group, *attributes["kernel_shape"]
    scale = int(np.prod(shape[1:])) ** -0.5
    if p.maybe(p.run_time):
        p.note += ", weights computed at run time"
        w = p.node("Mul", p.input(*shape), p.constant(np.float32(scale)))
    else:
        w = p.normal(*shape, scale=scale)
    bias = [p.normal(outputs)] if p.maybe(0.7) else []
    return p.node("Conv", x, w, *bias, group=group, **attributes)


def conv(p, channels, outputs, group=1, rank=2, most=14, pool=True, window=None):
    attributes, image, size = window or spatial(p, rank, most)
    batch = p.between(1, 3) if p.maybe(0.2) else 1
    p.note += f" {batch}x{channels}x{image} -> {outputs}, {group} groups, {attributes}"
    x = p.input(batch, channels, *image)
    x = behind(p, x) if rank == 2 and pool else x
    return p.epilogue(convolve(p, x, channels, outputs, group, attributes), [batch, outputs, *size])


def any_conv(p):
    return conv(p, p.between(1, 40), p.between(1, 80), rank=p.between(1, 3))


def channels_conv(p):
    return conv(p, p.between(16, 80), p.between(16, 140), rank=p.between(1, 2))


def deep_conv(p):
    """More input channels than a chunk holds."""
    return conv(p, p.between(150, 260), p.between(16, 70), most=6)


def winograd_conv(p):
    """3x3 of channels by sixteens, in an image that tiles need not divide; or the layers of a highway."""
    p.run_time = 0.0
    channels, most = 16 * p.between(1, 5), 50 if p.maybe(0.3) else 22
    size = [p.between(3, most), p.between(3, most)]
    pads = [1] * 4 if p.maybe(0.8) else [p.between(0, 2) for _ in range(4)]
    window = {"kernel_shape": [3, 3], "pads": pads}, size, [size[0] + pads[0] + pads[2] - 2, size[1] + pads[1] + pads[3] - 2]
    if p.maybe(0.7):
        groups = p.between(2, 3) if p.maybe(0.2) else 1
        return conv(p, groups * channels, groups * 16 * p.between(1, 8 // groups), groups, window=window)
    p.note += f" highway {channels}x{size}"
    x = behind(p, p.input(1, channels, *size))
    return gate(p, x, lambda: convolve(p, x, channels, channels, 1, {"kernel_shape": [3, 3], "pads": [1] * 4}))


def grouped_conv(p):
    groups = p.between(2, 4)
    return conv(p, groups * p.between(16, 40), groups * p.between(16, 70), groups)


def depthwise_conv(p):
    channels = p.between(1, 70)
    return conv(p, channels, channels * p.between(1, 2), channels)


def narrow_conv(p):
    p.run_time = 0.0
    width = int(p.rng.choice([2, 4, 8, 3]))
    channels = width * p.between(1, 100 // width)
    return conv(p, channels, channels, channels // width)


def few_conv(p):
    """Few outputs: a head, which gives planes, or what lies channels last."""
    p.run_time = 0.0
    outputs = p.between(1, 15 if p.maybe() else 4)
    y = conv(p, p.between(16, 80), outputs, rank=p.between(1, 2), most=26)
    return p.node("Tanh", y) if p.maybe(0.3) else y


def first_conv(p):
    """Few channels in planes, many outputs."""
    p.run_time = 0.0
    return conv(p, p.between(1, 8), p.between(16, 100), pool=False, window=spatial(p, 2, 20, 2))


def indirect_conv(p):
    """Outputs by sixteens, wherever the pixels lie: 1x1 of many, windows that leave the image, groups."""
    group = p.between(2, 4) if p.maybe(0.2) else 1
    channels, outputs = group * p.between(8, 70 if group == 1 else 30), group * 16 * p.between(1, 8 if group == 1 else 3)
    if p.maybe():
        image = [p.between(1, 16), p.between(1, 16)]
        return conv(p, channels, outputs, group, window=({"kernel_shape": [1, 1], "strides": [1, 1]}, image, image))
    return conv(p, channels, outputs, group, p.between(1, 2))


def transposed_conv(p):
    """Strides, window, and what is cut or added at the ends, with no regard to each other."""
    rank, group = p.between(1, 3), p.between(1, 3) if p.maybe(0.3) else 1
    channels, outputs = (group * p.between(1, 12 if rank == 3 else 40) for _ in range(2))
    strides, kernel = ([p.between(1, most) for _ in range(rank)] for most in (3, 5))
    dilations = [p.between(1, 3) if p.maybe(0.2) else 1 for _ in range(rank)]
    attributes = {"strides": strides, "kernel_shape": kernel, "dilations": dilations, "group": group}
    image = [p.between(1, 5 if rank == 3 else 9) for _ in range(rank)]
    size = [(i - 1) * s + (k - 1) * d + 1 for i, s, k, d in zip(image, strides, kernel, dilations)]
    if p.maybe():
        more = [p.between(0, max(s, d) - 1) for s, d in zip(strides, dilations)]
        size = [n + m for n, m in zip(size, more)]
        attributes["output_padding"] = more
    how = p.between(0, 3)
    if how == 0:
        attributes["auto_pad"] = "SAME_UPPER" if p.maybe() else "SAME_LOWER"
        size = [min(n, i * s) for n, i, s in zip(size, image, strides)]
    elif how == 1:
        attributes["output_shape"] = size = [p.between(max(1, n - 4), n) for n in size]
    elif how == 2:
        begin = [p.between(0, min(4, n - 1)) for n in size]
        end = [p.between(0, min(4, n - 1 - b)) for n, b in zip(size, begin)]
        attributes["pads"] = begin + end
        size = [n - b - e for n, b, e in zip(size, begin, end)]
    p.note += f" {channels}x{image} -> {outputs}x{size}, {attributes}"
    x = p.input(1, channels, *image)
    x = p.node("MaxPool", x, kernel_shape=[1] * rank) if rank > 1 and p.maybe() else x
    fan = channels // group * int(np.prod(kernel))
    bias = [p.normal(outputs)] if p.maybe(0.7) else []
    w = p.normal(channels, outputs // group, *kernel, scale=fan**-0.5)
    return p.epilogue(p.node("ConvTranspose", x, w, *bias, **attributes), [1, outputs, *size])


def stem(p):
    """ResNet's first layer, on a smaller image."""
    p.note += " stem"
    return p.node("Conv", p.input(1, 3, 56, 56), p.normal(64, 3, 7, 7, scale=0.08), p.normal(64),
                  kernel_shape=[7, 7], strides=[2, 2], pads=[3, 3, 3, 3])


def gate(p, x, layer):
    """h t + x (1 - t), or with a carry gate of its own; layer() is a layer of x."""
    h, t = p.node("Relu", layer()), p.node("Sigmoid", layer())
    carry = p.maybe(0.3)
    p.note += ", own carry" if carry else ""
    c = p.node("Sigmoid", layer()) if carry else p.node("Sub", p.constant(np.float32(1)), t)
    return p.node("Add", p.node("Mul", h, t), p.node("Mul", x, c))


def highway_conv(p):
    channels = p.between(1, 70)
    size = p.between(3, 12)
    p.note += f" {channels}x{size}x{size}"
    x = behind(p, p.input(1, channels, size, size))
    window = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    return gate(p, x, lambda: convolve(p, x, channels, channels, 1, window))


def shape_of_rows(p, size):
    return [p.between(1, 3), p.between(1, 30), size] if p.maybe(0.3) else [p.between(1, 70) if p.maybe(0.3) else 1, size]


def affine(p, x, inputs, outputs):
    y = p.node("MatMul", x, p.normal(inputs, outputs, scale=inputs**-0.5))
    return p.node("Add", y, p.normal(outputs)) if p.maybe(0.7) else y


def linear(p):
    inputs, outputs = p.between(1, 200), p.between(1, 200)
    shape = shape_of_rows(p, inputs)
    p.note += f" {shape} -> {outputs}"
    y = affine(p, p.input(*shape), inputs, outputs)
    return p.epilogue(y, [*shape[:-1], outputs]) if len(shape) == 2 else y


def tokens(p):
    """Rows that nothing divides, of which no product takes several."""
    rows, inputs, outputs = int(p.rng.choice((59, 67, 131, 197))), p.between(8, 100), 16 * p.between(1, 9)
    p.note += f" {rows}x{inputs} -> {outputs}"
    return p.epilogue(affine(p, p.input(rows, inputs), inputs, outputs), [rows, outputs])


def product(p):
    """Two matrices known at run time, each perhaps lying transposed, a part of a larger one, or the same for a batch."""
    m, n, k = p.between(1, 130), p.between(1, 150), p.between(1, 80)
    batch = [p.between(1, 3) for _ in range(p.between(0, 3))]
    p.note += f" {batch}x{m}x{k} by {k}x{n}"

    def factor(rows, columns):
        own = [1 if p.maybe(0.2) else b for b in batch] if p.maybe() else batch
        more = p.between(1, 9) if p.maybe(0.3) else 0
        if p.maybe():
            perm = [*range(len(batch)), len(batch) + 1, len(batch)]
            x = p.node("Transpose", p.input(*own, columns, rows + more), perm=perm)
        else:
            x = p.input(*own, rows + more, columns)
        if more:
            ends = (p.constant(np.int64([v])) for v in (more, more + rows, len(batch)))
            x = p.node("Slice", x, *ends)
        return x

    y = p.node("MatMul", factor(m, k), factor(k, n))
    shape = [max(1, b) for b in batch] + [m, n]
    return p.epilogue(y, shape) if p.maybe(0.7) else y


def highway(p):
    size = p.between(1, 130)
    shape = shape_of_rows(p, size)
    p.note += f" {shape}"
    x = p.input(*shape)
    for _ in range(p.between(1, 3)):  # the middle one may overwrite its input
        x = gate(p, x, lambda x=x: affine(p, x, size, size))
    return x


def quantise(p, x, scale, zero):
    return p.node("QuantizeLinear", x, p.constant(scale), zero)


def dequantise(p, q, scale, zero):
    return p.node("DequantizeLinear", q, p.constant(scale), zero)


def quantised_layer(p, x, shape, make):
    """Of bytes: signed or not, with weights of that shape and a bias by channel; make(x, w, b) is the layer. Scales of what
    is quantised are powers of two: then floats and doubles see the same ties."""
    outputs, fan, whole = shape[0], int(np.prod(shape[1:])), p.maybe()
    dtype = [np.uint8, np.int8][p.between(0, 1)]
    p.note += f" {dtype.__name__}"
    zero, x_scale, y_scale = p.constant(np.array(p.between(0, 100), dtype)), np.float32(2**-5), np.float32(2**-4)
    w_scale = p.rng.uniform(0.5, 1.5, outputs).astype(np.float32) * np.float32(0.03 / fan**0.5)
    if whole:
        w_scale = np.float32(2) ** np.rint(np.log2(w_scale))
    low, high = (-128, 127) if p.maybe(0.6) else (-64, 64)  # of 7 bits: sums of two products fit 16
    w = p.constant(p.rng.integers(low, high + 1, shape).astype(np.int8))
    b = p.constant(p.rng.integers(-1000, 1000, outputs).astype(np.int32))
    y = make(dequantise(p, quantise(p, x, x_scale, zero), x_scale, zero),
             p.node("DequantizeLinear", w, p.constant(w_scale), axis=0),
             p.node("DequantizeLinear", b, p.constant(w_scale * x_scale), axis=0))
    return dequantise(p, quantise(p, y, y_scale, zero), y_scale, zero) if whole else y


def quantised_highway(p, x, size, weights, layer):
    """T, H and x of that size along axis 1 or the last, T and H of two layers, or of one that is cut; layer(x, w, b). All scales are
    powers of two, T, 1 - T, both products and the sum are quantised."""
    dtype, steps = [np.uint8, np.int8][p.between(0, 1)], {"x": -5, "h": -4, "t": -4, "gate": -8, "product": -6, "y": -5}
    scale = {k: np.float32(2.0**v) for k, v in steps.items()}
    zero, none = p.constant(np.array(p.between(0, 100), dtype)), p.constant(np.array(0, np.uint8))
    w_scale = np.float32(2) ** np.rint(np.log2(p.rng.uniform(0.5, 1.5, 2 * size) * 0.03 / np.prod(weights) ** 0.5)).astype(np.float32)
    w = p.rng.integers(-128, 128, [2 * size, *weights]).astype(np.int8)
    b = p.rng.integers(-1000, 1000, 2 * size).astype(np.int32)
    p.note += f" highway {dtype.__name__}"

    def rounded(v, step, z=zero):
        return dequantise(p, quantise(p, v, scale[step], z), scale[step], z)

    def made(rows):
        return layer(x, p.node("DequantizeLinear", p.constant(w[rows]), p.constant(w_scale[rows]), axis=0),
                     p.node("DequantizeLinear", p.constant(b[rows]), p.constant(w_scale[rows] * scale["x"]), axis=0))

    x = rounded(x, "x")
    if p.maybe(0.3):
        both, axis = rounded(made(slice(None)), "h"), 1 if len(weights) > 1 else -1
        h, t = (p.node("Slice", both, p.constant(np.array([k * size])), p.constant(np.array([(k + 1) * size])), p.constant(np.array([axis])))
                for k in (0, 1))
    else:
        h, t = rounded(made(slice(size)), "h"), rounded(made(slice(size, None)), "t")
    gate = rounded(p.node("Sigmoid", t), "gate", none)
    rest = rounded(p.node("Sub", p.constant(np.float32(1)), gate), "gate", none)
    return rounded(p.node("Add", rounded(p.node("Mul", h, gate), "product"), rounded(p.node("Mul", x, rest), "product")), "y")


def quantised_conv(p, channels=None, group=1, outputs=None, window=None):
    channels = channels or p.between(1, 40)
    outputs = outputs or (16 * p.between(1, 8) if p.maybe() else p.between(1, 130))
    attributes, image, _ = window or spatial(p, p.between(1, 2), 12)
    p.note += f" {channels}x{image} -> {outputs}, {attributes}"
    if channels % 16 == 0 or p.maybe():  # then its channels are neighbours
        x = p.node("MaxPool", p.input(1, channels, *(i + 1 for i in image)), kernel_shape=[2] * len(image))
    else:
        x = p.input(1, channels, *image)
    return quantised_layer(p, x, [outputs, channels // group, *attributes["kernel_shape"]],
                           lambda x, w, b: p.node("Conv", x, w, b, group=group, **attributes))


def quantised_depthwise(p):
    if p.maybe(0.4):  # groups of several channels
        inputs, group = int(p.rng.choice([1, 2, 3, 4, 8, 16, 20])), 8 * p.between(1, 2)
        return quantised_conv(p, inputs * group, group, group * int(p.rng.choice([2, 4, 6, 8, 16, 24])))
    channels = 16 * p.between(1, 4)
    return quantised_conv(p, channels, channels, channels)


def quantised_points(p):
    """Windows of one on small images, padded here and there."""
    image, channels = [p.between(1, 9), p.between(1, 9)], 16 * p.between(1, 2)
    pads = [p.between(0, 1) for _ in range(4)] if p.maybe() else [0] * 4
    window = {"kernel_shape": [1, 1], "pads": pads, "strides": [p.between(1, 2)] * 2}, image, image
    group = channels if p.maybe() else 1
    return quantised_conv(p, channels, group, channels, window)


def quantised_winograd(p):
    image = [p.between(2, 20), p.between(2, 20)]
    window = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, image, image
    if p.maybe(0.3):
        channels = 16 * p.between(1, 3) if p.maybe(0.7) else p.between(1, 40)
        p.note += f" {channels}x{image}"
        x = p.node("MaxPool", p.input(1, channels, *(i + 1 for i in image)), kernel_shape=[2, 2])
        return quantised_highway(p, x, channels, [channels, 3, 3], lambda x, w, b: p.node("Conv", x, w, b, **window[0]))
    return quantised_conv(p, 16 * p.between(1, 8), 1, 16 * p.between(1, 6), window)


def quantised_linear(p):
    inputs, outputs = p.between(1, 70), p.between(1, 100)
    shape = shape_of_rows(p, inputs)
    p.note += f" {shape} -> {outputs}"

    def layer(x, w, b):
        return p.node("Add", p.node("MatMul", x, p.node("Transpose", w, perm=[1, 0])), b)

    if p.maybe(0.4):
        return quantised_highway(p, p.input(*shape), inputs, [inputs], layer)
    return quantised_layer(p, p.input(*shape), [outputs, inputs], layer)


def quantised_blocks(p):
    """One pixel and more, of one block of 16 to 64 outputs, or of several."""
    outputs = 16 * p.between(1, 9)
    if p.maybe():
        return quantised_conv(p, p.between(1, 20), 1, outputs)
    shape = shape_of_rows(p, p.between(1, 40))
    p.note += f" {shape} -> {outputs}"
    return quantised_layer(p, p.input(*shape), [outputs, shape[-1]],
                           lambda x, w, b: p.node("Add", p.node("MatMul", x, p.node("Transpose", w, perm=[1, 0])), b))


def pool(p):
    channels = p.between(1, 80)
    attributes, image, size = spatial(p, 2, 12)
    op = str(p.rng.choice(["MaxPool", "AveragePool", "GlobalAveragePool"]))
    if op == "AveragePool":
        del attributes["dilations"]
        attributes["count_include_pad"] = p.between(0, 1)
        size = None
    p.note += f" {op} {channels}x{image} {attributes if op[0] != 'G' else ''}"
    x = p.input(1, channels, *(max(i, 5) if size is None else i for i in image))
    y = p.node(op, x) if op[0] == "G" else p.node(op, x, **attributes)
    return p.node("Relu", y)


KINDS = (winograd_conv, any_conv, channels_conv, deep_conv, grouped_conv, narrow_conv, depthwise_conv, first_conv, indirect_conv,
         transposed_conv, few_conv, highway_conv, linear, highway, pool, quantised_conv, quantised_depthwise, quantised_points,
         quantised_linear, quantised_winograd, product, winograd_conv, indirect_conv, tokens)


def model(seed, kinds=KINDS, count=6):
    rng = np.random.default_rng(seed)
    feeds, notes, nodes, constants = {}, {}, [], []
    for k in range(count):
        kind = kinds[(seed * count + k) % len(kinds)]
        p = Piece(rng, f"{kind.__name__}{k}")
        output = kind(p)
        notes[output] = p.note
        feeds.update(p.feeds)
        nodes += p.nodes
        constants += p.constants
    graph = helper.make_graph(
        nodes, "pieces", [helper.make_tensor_value_info(n, TensorProto.FLOAT, x.shape) for n, x in feeds.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in notes], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8), feeds, notes
