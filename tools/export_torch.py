#!/usr/bin/env python3
"""Export residual networks with PyTorch's own exporters. Needs torch 2.9 or newer and onnxscript.

    export_torch.py -o DIR            small networks, each by both exporters: the tests' fixtures
    export_torch.py -o DIR --full     ResNet-18 and ResNet-50 at 224 pixels as well (300 MB)

Writes NAME_ts_opN.onnx (TorchScript exporter) and NAME_dynamo_opN.onnx, with NAME.npz beside each:
x0 is an input, y0 what torch computes from it. Names with `_batch` have a symbolic batch, with
`_external` the weights in a file of their own, with `_bn` the normalisations left in. Weights are
random with a fixed seed, and normalisation has the statistics of random images.
"""
import argparse
import os
import sys
import warnings

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import nn


def conv(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inputs, planes, stride, groups=1):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, planes, 3, stride), nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2, self.bn2 = conv(planes, planes, 3), nn.BatchNorm2d(planes)
        self.downsample = projection(inputs, planes, stride)

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += self.downsample(x) if self.downsample is not None else x
        return self.relu(y)


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inputs, planes, stride, groups=1):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, planes, 1), nn.BatchNorm2d(planes)
        self.conv2 = conv(planes, planes, 3, stride, groups)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3, self.bn3 = conv(planes, planes * 4, 1), nn.BatchNorm2d(planes * 4)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = projection(inputs, planes * 4, stride)

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y += self.downsample(x) if self.downsample is not None else x
        return self.relu(y)


def projection(inputs, outputs, stride):
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class ResNet(nn.Module):
    """torchvision's, with its names."""

    def __init__(self, block, blocks, width=64, classes=1000, groups=1):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1, self.relu = nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = width
        for k, count in enumerate(blocks):
            planes, layers = width << k, []
            for i in range(count):
                layers.append(block(inputs, planes, 2 if k and not i else 1, groups))
                inputs = planes * block.expansion
            setattr(self, f"layer{k + 1}", nn.Sequential(*layers))
        self.stages = len(blocks)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for k in range(self.stages):
            x = getattr(self, f"layer{k + 1}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


class LambdaLayer(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class CifarBlock(nn.Module):
    """akamaster's, option A."""

    def __init__(self, inputs, planes, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, planes, 3, stride), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = conv(planes, planes, 3), nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = LambdaLayer(lambda x: F.pad(
                x[:, :, ::2, ::2], (0, 0, 0, 0, planes // 4, planes // 4), "constant", 0))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class CifarResNet(nn.Module):
    def __init__(self, blocks, width=16):
        super().__init__()
        self.conv1, self.bn1 = conv(3, width, 3), nn.BatchNorm2d(width)
        layers, inputs = [], width
        for k in range(3):
            for i in range(blocks):
                layers.append(CifarBlock(inputs, width << k, 2 if k and not i else 1))
                inputs = width << k
        self.layers, self.linear = nn.Sequential(*layers), nn.Linear(inputs, 10)

    def forward(self, x):
        x = self.layers(F.relu(self.bn1(self.conv1(x))))
        x = F.avg_pool2d(x, int(x.size(3)))
        return self.linear(x.view(x.size(0), -1))


class PreactBlock(nn.Module):
    def __init__(self, inputs, planes, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, planes, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(planes), conv(planes, planes, 3)
        self.shortcut = conv(inputs, planes, 1, stride) if inputs != planes or stride > 1 else None

    def forward(self, x):
        y = F.relu(self.bn1(x))
        x = self.shortcut(y) if self.shortcut is not None else x
        return self.conv2(F.relu(self.bn2(self.conv1(y)))) + x


def preact(width):
    return nn.Sequential(
        conv(3, width, 3), PreactBlock(width, width, 1), PreactBlock(width, 2 * width, 2),
        nn.BatchNorm2d(2 * width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(2 * width, 10))


# name: (maker, image size)
SMALL = {
    "resnet_basic": (lambda: ResNet(BasicBlock, (1, 1, 1), 8, 10), 32),
    "resnet_bottleneck": (lambda: ResNet(Bottleneck, (1, 1), 8, 10), 32),
    "resnext": (lambda: ResNet(Bottleneck, (1, 1), 8, 10, groups=4), 32),
    "cifar_optA": (lambda: CifarResNet(1, 8), 16),
    "preact": (lambda: preact(8), 16),
}
FULL = {
    "resnet18": (lambda: ResNet(BasicBlock, (2, 2, 2, 2)), 224),
    "resnet50": (lambda: ResNet(Bottleneck, (3, 4, 6, 3)), 224),
}
# suffix: (dynamo, opset, symbolic batch, external data, normalisations left in)
WAYS = {
    "ts_op11": (False, 11, False, False, False),
    "ts_op17_batch": (False, 17, True, False, False),
    "ts_op17_bn": (False, 17, False, False, True),
    "dynamo_op18": (True, 18, False, False, False),
    "dynamo_op20_batch": (True, 20, True, False, False),
    "dynamo_op18_external": (True, 18, False, True, False),
}
FULL_WAYS = ("ts_op17_batch", "dynamo_op18_external")


def prepared(make, size):
    """The network, its statistics those of random images, in evaluation mode; and an input."""
    torch.manual_seed(0)
    model = make()
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.momentum = None  # average
            nn.init.uniform_(m.weight, .7, 1.2)
            nn.init.uniform_(m.bias, -.2, .2)
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(4, 3, size, size))
    return model.eval(), torch.randn(1, 3, size, size)


def strip(path):
    """Without the stack traces that dynamo keeps with each node: they name local files."""
    model = onnx.load(path, load_external_data=False)
    graph = model.graph
    for thing in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info,
                  *graph.initializer):
        del thing.metadata_props[:]
    with open(path, "wb") as f:
        f.write(model.SerializeToString(deterministic=True))


def export(model, x, path, way):
    dynamo, opset, batch, external, keep_bn = way
    names = {"input_names": ["input"], "output_names": ["output"], "opset_version": opset}
    if dynamo:
        shapes = ({0: torch.export.Dim("batch")},) if batch else None
        x = torch.cat([x, x]) if batch else x  # a batch of 1 would be taken for a constant
        program = torch.onnx.export(model, (x,), dynamo=True, dynamic_shapes=shapes,
                                    verbose=False, **names)
        program.save(path, external_data=external)
    else:
        if batch:
            names["dynamic_axes"] = {"input": {0: "batch"}, "output": {0: "batch"}}
        if keep_bn:
            names["training"] = torch.onnx.TrainingMode.PRESERVE
            names["do_constant_folding"] = False
        torch.onnx.export(model, (x,), path, dynamo=False, **names)
    strip(path)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("-o", "--output", metavar="DIR", required=True)
    p.add_argument("--full", action="store_true", help="the full-size networks as well")
    p.add_argument("--only", metavar="NAME", help="of " + ", ".join({**SMALL, **FULL}))
    a = p.parse_args()
    os.makedirs(a.output, exist_ok=True)
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    for name, (make, size) in {**SMALL, **(FULL if a.full or a.only in FULL else {})}.items():
        if a.only not in (None, name):
            continue
        model, x = prepared(make, size)
        with torch.no_grad():
            y = model(x)
        print(f"{name}: outputs {float(y.min()):.3g} to {float(y.max()):.3g}", flush=True)
        for suffix in FULL_WAYS if name in FULL else WAYS:
            path = os.path.join(a.output, f"{name}_{suffix}.onnx")
            export(model, x, path, WAYS[suffix])
            np.savez(path[:-5] + ".npz", x0=x.numpy(), y0=y.numpy())
    return 0


if __name__ == "__main__":
    sys.exit(main())
