#!/usr/bin/env python3
"""Build full-size residual and highway networks as ONNX files, node for node as PyTorch's exporter names them.

    networks.py NAME -o FILE.onnx [--opset N] [--bn folded|kept] [--batch 1|N|sym] [--seed N]
                [--size PIXELS] [--width CHANNELS] [--classes N] [--blocks 1,1,1,1]
                [--depth LAYERS] [--external] [--spread]
    networks.py --list

Needs only `onnx` and `numpy`. The weights are seeded (He normal), so a network has the right
structure, cost and numerics but recognises nothing. The same options give the same bytes.

Batch normalisation gets statistics that fit: the mean and variance of every activation are
followed through the graph by formula (class `Moments`), not measured. So activations keep a
sensible size at any depth, and the file does not depend on the machine's linear algebra.
`--spread` runs the result in onnxruntime and prints how varied its outputs are.
"""
import argparse
import math
import os
import sys
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INT64_MAX = 2**63 - 1
TRANSFORM_BIAS = -2  # of the gates of a highway layer, as in the paper
H_SPREAD = 3  # standard deviation of H before its ReLU: what it adds makes up for what the gate takes
BRANCH_GAIN = 0.35  # scale of the last normalisation of a residual branch: depth adds up slowly


@dataclass(frozen=True)
class Moments:
    """Mean and variance of one activation, rounded so that no host's libm shows."""

    mean: float
    var: float

    @staticmethod
    def rounded(mean, var):
        return Moments(float(f"{mean:.4g}"), max(float(f"{var:.4g}"), 1e-6))

    def relu(self):
        """Exact for a normal variable."""
        sd = math.sqrt(self.var)
        z = self.mean / sd
        phi = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        cdf = (1 + math.erf(z / math.sqrt(2))) / 2
        mean = self.mean * cdf + sd * phi
        second = (self.mean * self.mean + self.var) * cdf + self.mean * sd * phi
        return Moments.rounded(mean, second - mean * mean)

    def plus(self, other):
        return Moments.rounded(self.mean + other.mean, self.var + other.var)


@dataclass(frozen=True)
class Tensor:
    """A value of the graph: its ONNX name, channels, height (= width), and moments."""

    name: str
    channels: int
    size: int
    moments: Moments


def covered(size, kernel, stride, before, after):
    """Along one axis: output size, and mean and mean square of the share of taps that fall on
    pixels and not on zero padding."""
    out = (size + before + after - kernel) // stride + 1
    share = [sum(0 <= i * stride - before + k < size for k in range(kernel)) / kernel
             for i in range(out)]
    return out, sum(share) / out, sum(s * s for s in share) / out


class Builder:
    """Appends nodes, named as torch does: module `layer1.0.conv1` is `/layer1/layer1.0/conv1`."""

    def __init__(self, opset, fold_bn, seed):
        self.opset, self.fold_bn = opset, fold_bn
        self.rng = np.random.default_rng(seed)
        self.nodes, self.initializers, self.used = [], [], {}

    # names ---------------------------------------------------------------------------------------

    @staticmethod
    def scope(module):
        parts = []
        for part in module.split(".") if module else []:
            parts.append(f"{parts[-1]}.{part}" if part.isdigit() else part)
        return "/" + "".join(p + "/" for p in parts)

    def unique(self, name):
        """The first is `relu`, the next `relu_1`, as torch counts repeated uses of a module."""
        seen = self.used[name] = self.used.get(name, -1) + 1
        return f"{name}_{seen}" if seen else name

    def node(self, op, inputs, module="", **attributes):
        if module:
            name = self.scope(self.unique(module)) + op
        else:
            name = "/" + self.unique(op)
        return self.emit(op, inputs, name, **attributes)

    def emit(self, op, inputs, name, **attributes):
        output = name + "_output_0"
        self.nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
        return output

    def weight(self, name, value):
        value = np.ascontiguousarray(value, dtype=np.float32)
        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def constant(self, module, values, dtype=np.int64):
        name = self.unique(self.scope(module) + "Constant")
        value = numpy_helper.from_array(np.array(values, dtype=dtype))
        return self.emit("Constant", [], name, value=value)

    # random parameters ---------------------------------------------------------------------------

    def he_normal(self, rows, *shape):
        """Rows of mean zero, so that a common offset of all inputs does not build up with depth.
        The values are multiples of 2^-16 while they are summed: exact in any order of summation."""
        fan_in = math.prod(shape)
        w = np.rint(self.rng.standard_normal((rows, fan_in), dtype=np.float32) * 65536.0)
        if fan_in > 1:
            w = w - w.sum(axis=1, keepdims=True, dtype=np.float64) / fan_in
        return (w * (math.sqrt(2 / fan_in) / 65536)).reshape(rows, *shape)

    def around(self, n, low, high):
        return self.rng.uniform(low, high, n)

    # layers --------------------------------------------------------------------------------------

    def conv(self, x, module, channels, kernel, stride=1, pads=None, group=1, bn=None, gain=1.0,
             bias=False):
        """A convolution, with its batch normalisation (module `bn`) left in or folded."""
        before, after = pads or (kernel // 2, kernel // 2)
        size, p1, p2 = covered(x.size, kernel, stride, before, after)
        w = self.he_normal(channels, x.channels // group, kernel, kernel)
        m = x.moments
        # per output pixel a share p of the taps is there: var = 2 (var_x p + mean_x^2 p (1 - p))
        moments = Moments.rounded(
            0, 2 * (m.var * p1 * p1 + m.mean * m.mean * (p1 * p1 - p2 * p2)))
        b = self.around(channels, -.1, .1) * math.sqrt(moments.var) if bias else None
        if bn:
            stats, after_bn = self.bn_parameters(channels, moments, gain)
        if bn and self.fold_bn:
            gamma, beta, mean, var = stats
            scale = gamma / np.sqrt(var + 1e-5)
            w = w * scale[:, None, None, None]
            b = beta + ((b if bias else 0) - mean) * scale
            k = 193 + len(self.initializers) * 3 // 2
            names = [f"onnx::Conv_{k}", f"onnx::Conv_{k + 1}"]
        else:
            names = [module + ".weight", module + ".bias"]
        inputs = [x.name, self.weight(names[0], w)]
        if b is not None:
            inputs.append(self.weight(names[1], b))
        y = self.node("Conv", inputs, module, dilations=[1, 1], group=group,
                      kernel_shape=[kernel] * 2, pads=[before, before, after, after],
                      strides=[stride] * 2)
        if bn and self.fold_bn:
            return Tensor(y, channels, size, after_bn)
        y = Tensor(y, channels, size, moments)
        return self.batch_norm(y, bn, stats=stats, moments=after_bn) if bn else y

    def bn_parameters(self, channels, moments, gain):
        gamma = self.around(channels, .8, 1.2) * gain
        beta = self.around(channels, -.2, .2) * gain
        mean = moments.mean + self.around(channels, -.2, .2) * math.sqrt(moments.var)
        var = self.around(channels, .8, 1.25) * moments.var
        rounded = [a.astype(np.float32).astype(np.float64) for a in (gamma, beta, mean, var)]
        return rounded, Moments.rounded(0, 1.07 * gain * gain)

    def batch_norm(self, x, module, gain=1.0, stats=None, moments=None):
        if stats is None:
            stats, moments = self.bn_parameters(x.channels, x.moments, gain)
        names = ("weight", "bias", "running_mean", "running_var")
        inputs = [x.name] + [self.weight(f"{module}.{n}", v) for n, v in zip(names, stats)]
        attributes = {"epsilon": 1e-5, "momentum": .9}
        if self.opset >= 14:
            attributes["training_mode"] = 0
        y = self.node("BatchNormalization", inputs, module, **attributes)
        return Tensor(y, x.channels, x.size, moments)

    def relu(self, x, module=""):
        y = self.node("Relu", [x.name], module)
        return Tensor(y, x.channels, x.size, x.moments.relu())

    def relu6(self, x, module):
        """Clip to 0 .. 6, whose upper end is rarely met: the moments of a ReLU."""
        if self.opset >= 11:
            bounds = [self.constant(module, v, np.float32) for v in (0, 6)]
            y = self.node("Clip", [x.name, *bounds], module)
        else:
            y = self.node("Clip", [x.name], module, min=0.0, max=6.0)
        return Tensor(y, x.channels, x.size, x.moments.relu())

    def add(self, x, y, module):
        name = self.unique(self.scope(module) + "Add")
        out = self.emit("Add", [x.name, y.name], name)
        return Tensor(out, x.channels, x.size, x.moments.plus(y.moments))

    def max_pool(self, x, module, kernel, stride, pad):
        size = (x.size + 2 * pad - kernel) // stride + 1
        attributes = {"ceil_mode": 0} if self.opset >= 10 else {}
        y = self.node("MaxPool", [x.name], module, kernel_shape=[kernel] * 2, pads=[pad] * 4,
                      strides=[stride] * 2, **attributes)
        m = x.moments
        if kernel > 1:  # the largest of some correlated values
            m = Moments.rounded(m.mean + 1.2 * math.sqrt(m.var), .6 * m.var)
        return Tensor(y, x.channels, size, m)

    def average_pool(self, x, module):
        """Over the whole of the image, with a window of fixed size."""
        attributes = {"ceil_mode": 0} if self.opset >= 10 else {}
        y = self.node("AveragePool", [x.name], module, kernel_shape=[x.size] * 2, pads=[0] * 4,
                      strides=[x.size] * 2, **attributes)
        return self.averaged(x, y)

    def global_average_pool(self, x, module):
        return self.averaged(x, self.node("GlobalAveragePool", [x.name], module))

    @staticmethod
    def averaged(x, name):
        m = x.moments
        return Tensor(name, x.channels, 1, Moments.rounded(m.mean, m.var / x.size))

    def shortcut_a(self, x, module, channels):
        """Option A: every second pixel, zeros for the new channels on both sides.
        Before opset 10 Slice has no step: a 1x1 MaxPool with stride 2 does it."""
        if self.opset >= 10:
            y = x.name
            for axis in (2, 3):
                bounds = [self.constant(module, [v]) for v in (0, INT64_MAX, axis, 2)]
                y = self.emit("Slice", [y, *bounds], self.unique(self.scope(module) + "Slice"))
        else:
            y = self.max_pool(x, module, 1, 2, 0).name
        side = (channels - x.channels) // 2
        pads = [0, side, 0, 0, 0, channels - x.channels - side, 0, 0]
        name = self.unique(self.scope(module) + "Pad")
        if self.opset >= 11:
            zero = self.constant(module, 0, np.float32)
            y = self.emit("Pad", [y, self.constant(module, pads), zero], name, mode="constant")
        else:
            y = self.emit("Pad", [y], name, mode="constant", pads=pads, value=0.0)
        share = x.channels / channels
        m = x.moments
        second = share * (m.var + m.mean * m.mean)
        mean = share * m.mean
        return Tensor(y, channels, (x.size + 1) // 2, Moments.rounded(mean, second - mean * mean))

    def dense(self, x, module, classes):
        """Logits of a size that softmax can use; the features' variance over channels counts."""
        scale = 1.5 / math.sqrt(2 * x.moments.var)
        w = self.weight(module + ".weight", self.he_normal(classes, x.channels) * scale)
        b = self.weight(module + ".bias", self.around(classes, -.5, .5))
        y = self.node("Gemm", [x.name, w, b], module, alpha=1.0, beta=1.0, transB=1)
        return Tensor(y, classes, 1, Moments.rounded(0, 2.25))

    def flatten(self, x):
        y = self.node("Flatten", [x.name], axis=1)
        return Tensor(y, x.channels, 1, x.moments)


# networks ----------------------------------------------------------------------------------------

def resnet(net, x, o, bottleneck, blocks, group=1, group_width=64):
    """torchvision's ResNet, v1.5: in a bottleneck the 3x3 convolution has the stride."""
    expansion = 4 if bottleneck else 1
    x = net.relu(net.conv(x, "conv1", o.width, 7, 2, bn="bn1"), "relu")
    x = net.max_pool(x, "maxpool", 3, 2, 1)
    for stage, count in enumerate(o.blocks or blocks):
        planes = o.width << stage
        inner = max(1, planes * group_width // 64) * group if bottleneck else planes
        for block in range(count):
            at = f"layer{stage + 1}.{block}"
            stride = 2 if stage and not block else 1
            steps = ([(inner, 1, 1, 1), (inner, 3, stride, group), (planes * 4, 1, 1, 1)]
                     if bottleneck else [(planes, 3, stride, 1), (planes, 3, 1, 1)])
            y = x
            for k, (channels, kernel, step, groups) in enumerate(steps, 1):
                last = k == len(steps)
                y = net.conv(y, f"{at}.conv{k}", channels, kernel, step, group=groups,
                             bn=f"{at}.bn{k}", gain=BRANCH_GAIN if last else 1.0)
                y = y if last else net.relu(y, f"{at}.relu")
            if stride > 1 or x.channels != planes * expansion:
                x = net.conv(x, f"{at}.downsample.0", planes * expansion, 1, stride,
                             bn=f"{at}.downsample.1")
            x = net.relu(net.add(y, x, at), f"{at}.relu")
    x = net.flatten(net.global_average_pool(x, "avgpool"))
    return net.dense(x, "fc", o.classes)


def preact_resnet(net, x, o, blocks):
    """ResNet v2 with bottlenecks: normalisation and ReLU stand before each convolution; a
    projection reads the first ReLU, the sum is not rectified."""
    x = net.conv(x, "conv1", o.width, 7, 2)
    x = net.max_pool(x, "maxpool", 3, 2, 1)
    for stage, count in enumerate(o.blocks or blocks):
        planes = o.width << stage
        for block in range(count):
            at = f"layer{stage + 1}.{block}"
            stride = 2 if stage and not block else 1
            y = net.relu(net.batch_norm(x, f"{at}.bn1"), f"{at}.relu")
            if not block:
                x = net.conv(y, f"{at}.downsample.0", planes * 4, 1, stride)
            y = net.relu(net.conv(y, f"{at}.conv1", planes, 1, bn=f"{at}.bn2"), f"{at}.relu")
            y = net.relu(net.conv(y, f"{at}.conv2", planes, 3, stride, bn=f"{at}.bn3",
                                  gain=BRANCH_GAIN), f"{at}.relu")
            x = net.add(net.conv(y, f"{at}.conv3", planes * 4, 1), x, at)
    x = net.relu(net.batch_norm(x, "norm"), "relu")
    x = net.flatten(net.global_average_pool(x, "avgpool"))
    return net.dense(x, "fc", o.classes)


def cifar_resnet(net, x, o, blocks, shortcuts=True):
    """He's CIFAR networks as in akamaster/pytorch_resnet_cifar10, or the same without shortcuts."""
    x = net.relu(net.conv(x, "conv1", o.width, 3, bn="bn1"))
    for stage, count in enumerate(o.blocks or blocks):
        planes = o.width << stage
        for block in range(count):
            at = f"layer{stage + 1}.{block}"
            stride = 2 if stage and not block else 1
            y = net.conv(x, f"{at}.conv1", planes, 3, stride, bn=f"{at}.bn1")
            y = net.relu(y, f"{at}.relu")
            y = net.conv(y, f"{at}.conv2", planes, 3, bn=f"{at}.bn2",
                         gain=BRANCH_GAIN if shortcuts else 1.0)
            if shortcuts:
                if stride > 1:
                    x = net.shortcut_a(x, f"{at}.shortcut", planes)
                y = net.add(y, x, at)
            x = net.relu(y, f"{at}.relu")
    x = net.flatten(net.average_pool(x, "avgpool"))
    return net.dense(x, "linear", o.classes)


def mlperf_tiny_resnet8(net, x, o):
    """The image classifier of MLPerf Tiny: biased convolutions, projections without
    normalisation, TensorFlow's SAME padding (a stride of 2 pads the far side only), softmax."""
    x = net.relu(net.conv(x, "conv1", o.width, 3, bn="bn1", bias=True), "relu")
    for stage in range(3):
        at = f"stack{stage + 1}"
        planes = o.width << stage
        stride = 2 if stage else 1
        pads = (0, 1) if stage and x.size % 2 == 0 else (1, 1)
        y = net.conv(x, f"{at}.conv1", planes, 3, stride, pads, bn=f"{at}.bn1", bias=True)
        y = net.conv(net.relu(y, f"{at}.relu"), f"{at}.conv2", planes, 3, bn=f"{at}.bn2",
                     bias=True, gain=.7)
        if stage:
            x = net.conv(x, f"{at}.shortcut", planes, 1, 2, (0, 0), bias=True)
        x = net.relu(net.add(x, y, at), f"{at}.relu")
    x = net.dense(net.flatten(net.average_pool(x, "avgpool")), "dense", o.classes)
    y = net.node("Softmax", [x.name], axis=1)
    return Tensor(y, x.channels, 1, x.moments)


def mobilenet_v2(net, x, o):
    """torchvision's MobileNetV2: a 1x1 expansion, a depthwise 3x3 convolution, a 1x1 projection
    without activation, and the sum with the input where shapes agree."""
    def step(x, at, channels, kernel=1, stride=1, group=1):
        return net.relu6(net.conv(x, f"{at}.0", channels, kernel, stride, group=group,
                                  bn=f"{at}.1"), f"{at}.2")

    x = step(x, "features.0", o.width, 3, 2)
    settings = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                (6, 160, 3, 2), (6, 320, 1, 1)]  # expansion, channels, blocks, stride
    block = 0
    for expansion, channels, count, stride in settings:
        for k in range(count):
            block += 1
            at, y, inner = f"features.{block}", x, x.channels * expansion
            if expansion > 1:
                y = step(y, f"{at}.conv.0", inner)
            n = int(expansion > 1)
            y = step(y, f"{at}.conv.{n}", inner, 3, 1 if k else stride, inner)
            y = net.conv(y, f"{at}.conv.{n + 1}", channels * o.width // 32, 1,
                         bn=f"{at}.conv.{n + 2}", gain=BRANCH_GAIN if k else 1.0)
            x = net.add(y, x, at) if k else y
    x = step(x, f"features.{block + 1}", 1280)
    x = net.flatten(net.global_average_pool(x, ""))
    return net.dense(x, "classifier.1", o.classes)


def highway_layer(net, x, at, layer):
    """y = H T + x (1 - T), where H = relu(layer) and T = sigmoid(layer), which is mostly closed.
    `layer(module, sd, bias)` gives values of about that standard deviation around bias."""
    h = net.node("Relu", [layer(f"{at}.H", H_SPREAD, 0)], f"{at}.relu")
    t = net.node("Sigmoid", [layer(f"{at}.T", 1, TRANSFORM_BIAS)], f"{at}.sigmoid")
    names = [net.unique(net.scope(at) + op) for op in ("Mul", "Sub", "Mul", "Add")]
    taken = net.emit("Mul", [h, t], names[0])
    carry = net.emit("Sub", [net.constant(at, 1, np.float32), t], names[1])
    y = net.emit("Add", [taken, net.emit("Mul", [x.name, carry], names[2])], names[3])
    m, mean_t, var_t = Moments(0, H_SPREAD ** 2).relu(), .15, .012
    mean = (1 - mean_t) * x.moments.mean + mean_t * m.mean
    var = ((1 - mean_t) ** 2 + var_t) * x.moments.var + (mean_t ** 2 + var_t) * m.var
    var += var_t * (m.mean - x.moments.mean) ** 2
    return Tensor(y, x.channels, x.size, Moments.rounded(mean, var))


def highway_fc(net, x, o):
    """Fully connected highway layers of one width."""
    for k in range(o.depth):
        def gemm(module, sd, bias):
            scale = .65 * sd / math.sqrt(2 * x.moments.var)  # below 1, or size would run away
            w = net.weight(module + ".weight", net.he_normal(o.width, o.width) * scale)
            b = net.weight(module + ".bias", bias + net.around(o.width, -1, 1) * sd)
            return net.node("Gemm", [x.name, w, b], module, alpha=1.0, beta=1.0, transB=1)
        x = highway_layer(net, x, f"layers.{k}", gemm)
    return x


def highway_conv(net, x, o):
    """Convolutional highway layers, 3x3, of as many channels as the input."""
    for k in range(o.depth):
        def conv(module, sd, bias):
            scale = .65 * sd / math.sqrt(2 * x.moments.var)  # below 1, or size would run away
            w = net.weight(module + ".weight", net.he_normal(o.width, o.width, 3, 3) * scale)
            b = net.weight(module + ".bias", bias + net.around(o.width, -1, 1) * sd)
            return net.node("Conv", [x.name, w, b], module, dilations=[1, 1], group=1,
                            kernel_shape=[3, 3], pads=[1] * 4, strides=[1, 1])
        x = highway_layer(net, x, f"layers.{k}", conv)
    return x


# name: (function, its arguments, image size, first width, classes)
NETWORKS = {
    "resnet18": (resnet, (False, (2, 2, 2, 2)), 224, 64, 1000),
    "resnet34": (resnet, (False, (3, 4, 6, 3)), 224, 64, 1000),
    "resnet50": (resnet, (True, (3, 4, 6, 3)), 224, 64, 1000),
    "resnet101": (resnet, (True, (3, 4, 23, 3)), 224, 64, 1000),
    "resnet152": (resnet, (True, (3, 8, 36, 3)), 224, 64, 1000),
    "resnext50_32x4d": (resnet, (True, (3, 4, 6, 3), 32, 4), 224, 64, 1000),
    "wide_resnet50_2": (resnet, (True, (3, 4, 6, 3), 1, 128), 224, 64, 1000),
    "preact_resnet50": (preact_resnet, ((3, 4, 6, 3),), 224, 64, 1000),
    "mobilenet_v2": (mobilenet_v2, (), 224, 32, 1000),
    "cifar_resnet20": (cifar_resnet, ((3, 3, 3),), 32, 16, 10),
    "cifar_resnet56": (cifar_resnet, ((9, 9, 9),), 32, 16, 10),
    "cifar_resnet110": (cifar_resnet, ((18, 18, 18),), 32, 16, 10),
    "cifar_resnet1202": (cifar_resnet, ((200, 200, 200),), 32, 16, 10),
    "plain20": (cifar_resnet, ((3, 3, 3), False), 32, 16, 10),
    "plain56": (cifar_resnet, ((9, 9, 9), False), 32, 16, 10),
    "resnet8": (mlperf_tiny_resnet8, (), 32, 16, 10),
    "highway_fc": (highway_fc, (), None, 50, None),
    "highway_conv": (highway_conv, (), 32, 32, None),
}
DEPTHS = {"highway_fc": 50, "highway_conv": 19}  # layers, of those networks that have no stages


@dataclass
class Options:
    """What a network may be asked to be; None is the network's own."""

    opset: int = 13
    bn: str = "folded"
    batch: object = 1  # a number, or "sym"
    seed: int = 0
    size: int = None
    width: int = None
    classes: int = None
    blocks: tuple = None
    depth: int = None


def build(name, options=None):
    """The network as an onnx.ModelProto."""
    o = options or Options()
    function, arguments, size, width, classes = NETWORKS[name]
    o = Options(o.opset, o.bn, o.batch, o.seed, o.size or size, o.width or width,
                o.classes or classes, o.blocks, o.depth or DEPTHS.get(name))
    net = Builder(o.opset, o.bn == "folded", o.seed)
    highway = name in DEPTHS  # no head: its output is like its input
    x = Tensor("input", o.width if highway else 3, o.size, Moments(0, 1))
    y = function(net, x, o, *arguments)
    net.nodes[-1].output[0] = "output"
    batch = "batch" if o.batch == "sym" else int(o.batch)
    shape = [batch, x.channels] + ([o.size, o.size] if o.size else [])
    graph = helper.make_graph(
        net.nodes, name,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT,
                                       shape if highway else [batch, y.channels])],
        net.initializers)
    opsets = [helper.make_opsetid("", o.opset)]
    return helper.make_model(graph, opset_imports=opsets, producer_name="networks.py",
                             ir_version=max(4, helper.find_min_ir_version_for(opsets)))


def save(model, path, external=False):
    """With `external`, the weights go to FILE.data beside FILE."""
    if external:
        location = os.path.basename(path) + ".data"
        data = os.path.join(os.path.dirname(path), location)
        if os.path.exists(data):
            os.remove(data)  # onnx appends
        onnx.save(model, path, save_as_external_data=True, location=location)
        os.chmod(data, os.stat(path).st_mode)  # onnx keeps it to the owner
    else:
        with open(path, "wb") as f:
            f.write(model.SerializeToString(deterministic=True))


def spread(path):
    """How much the outputs vary over classes, and from one input to another."""
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(1)
    shape = [d if isinstance(d, int) else 1 for d in session.get_inputs()[0].shape]
    x = [rng.standard_normal(shape, dtype=np.float32) for _ in range(2)]
    a, b = (session.run(None, {"input": v})[0] for v in x)
    return (f"mean {a.mean():.3g}, std over classes {a.std():.3g}, largest {abs(a).max():.3g}, "
            f"std between two inputs {(a - b).std():.3g}")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("name", nargs="?", choices=NETWORKS, metavar="NAME")
    p.add_argument("--list", action="store_true", help="the names, one a line")
    p.add_argument("-o", "--output", metavar="FILE.onnx")
    p.add_argument("--opset", type=int, default=13, help="7 and up (default 13)")
    p.add_argument("--bn", choices=("folded", "kept"), default="folded")
    p.add_argument("--batch", default="1", help="a number, or sym for a symbolic dimension")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--size", type=int, help="height and width of the image")
    p.add_argument("--width", type=int, help="channels of the first convolution")
    p.add_argument("--classes", type=int)
    p.add_argument("--blocks", help="blocks of each stage, as 1,1,1,1")
    p.add_argument("--depth", type=int, help="layers of a highway network")
    p.add_argument("--external", action="store_true", help="weights in FILE.onnx.data")
    p.add_argument("--spread", action="store_true", help="run it, print how varied outputs are")
    a = p.parse_args()
    if a.list:
        print("\n".join(NETWORKS))
        return 0
    if not a.name or not a.output:
        p.error("NAME and -o FILE.onnx are needed")
    if a.opset < 7 or (a.batch != "sym" and not a.batch.isdigit()):
        p.error("--opset is 7 or more, --batch a number or sym")
    blocks = tuple(map(int, a.blocks.split(","))) if a.blocks else None
    model = build(a.name, Options(a.opset, a.bn, a.batch, a.seed, a.size, a.width, a.classes,
                                  blocks, a.depth))
    save(model, a.output, a.external)
    if a.spread:
        print(f"{a.name}: {spread(a.output)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
