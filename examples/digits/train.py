#!/usr/bin/env python3
"""Train and export the example networks. Needs torch, onnxscript and scikit-learn; takes minutes.

    train.py            writes digits.onnx, highway.onnx, images.npy, labels.npy here

digits.onnx    a residual network with option-A shortcuts: 1x8x8 pixels, 8, 16, 32 channels
highway.onnx   a fully connected highway network, 64 pixels -> 32 -> 50 highway layers -> 10 classes
images.npy     the held-out images, float32 [360, 1, 8, 8] in 0..1; labels.npy: uint8 [360]

Also trains a plain fully connected network of the highway network's depth, which does not learn,
and prints all accuracies. The data are scikit-learn's digits, split 1437 / 360 by class.
"""
import os
import sys

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
DEPTH, WIDTH = 50, 32


class Block(nn.Module):
    """The basic block, with the shortcut that has no weights: every second pixel, zero channels."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.stride, self.extra = (1, 0) if inputs == outputs else (2, outputs - inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, self.stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)

    def shortcut(self, x):
        if self.stride == 1:
            return x
        half = self.extra // 2
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, self.extra - half))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, blocks=2, widths=(8, 16, 32)):
        super().__init__()
        self.conv1 = nn.Conv2d(1, widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        layers, inputs = [], widths[0]
        for width in widths:
            for _ in range(blocks):
                layers.append(Block(inputs, width))
                inputs = width
        self.blocks = nn.Sequential(*layers)
        self.fc = nn.Linear(inputs, 10)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn1(self.conv1(x))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class HighwayLayer(nn.Module):
    """y = H(x) T(x) + x (1 - T(x)); the negative bias makes it begin by carrying x on."""

    def __init__(self, width):
        super().__init__()
        self.h, self.t = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.constant_(self.t.bias, -2.0)

    def forward(self, x):
        t = torch.sigmoid(self.t(x))
        return F.relu(self.h(x)) * t + x * (1 - t)


class PlainLayer(nn.Linear):
    def __init__(self, width):
        super().__init__(width, width)

    def forward(self, x):
        return F.relu(super().forward(x))


class Deep(nn.Module):
    """A plain layer to the common width, `DEPTH` layers of the given kind, and the classes."""

    def __init__(self, layer):
        super().__init__()
        self.first = nn.Linear(64, WIDTH)
        self.layers = nn.Sequential(*[layer(WIDTH) for _ in range(DEPTH)])
        self.last = nn.Linear(WIDTH, 10)

    def forward(self, x):
        return self.last(self.layers(F.relu(self.first(torch.flatten(x, 1)))))


def data():
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[:, None]
    return train_test_split(images, digits.target, test_size=360, stratify=digits.target,
                            random_state=0)


def shifted(x):
    """Each image moved by at most one pixel: the only augmentation."""
    padded = F.pad(x, (1, 1, 1, 1))
    at = torch.randint(0, 3, (len(x), 2)).tolist()
    return torch.stack([p[:, i:i + 8, j:j + 8] for p, (i, j) in zip(padded, at)])


def accuracy(model, images, labels):
    model.eval()
    with torch.no_grad():
        return (model(images).argmax(1) == labels).double().mean().item()


def train(model, images, labels, epochs, rate, augment=None):
    """Adam with one cycle of the rate; the epochs are fixed, the last model is the result."""
    steps = epochs * -(-len(images) // 64)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    for _ in range(epochs):
        model.train()
        for batch in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            x = augment(images[batch]) if augment else images[batch]
            F.cross_entropy(model(x), labels[batch]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return model


def export(model, example, name):
    """By the dynamo exporter, without the stack traces that it keeps with each node: they name
    files of this machine, and are half of a small file."""
    path = os.path.join(HERE, name)
    program = torch.onnx.export(model.eval(), (example,), dynamo=True, opset_version=18,
                                input_names=["image"], output_names=["scores"], verbose=False)
    program.save(path, external_data=False)
    file = onnx.load(path)
    graph = file.graph
    for thing in (file, graph, *graph.node, *graph.input, *graph.output, *graph.value_info,
                  *graph.initializer):
        del thing.metadata_props[:]
    with open(path, "wb") as f:
        f.write(file.SerializeToString(deterministic=True))


# name: (maker, epochs, highest rate, augmentation)
RUNS = {
    "digits": (ResNet, 60, 1e-2, shifted),
    "highway": (lambda: Deep(HighwayLayer), 80, 6e-3, None),
    "plain": (lambda: Deep(PlainLayer), 80, 6e-3, None),
    "plain, slower": (lambda: Deep(PlainLayer), 80, 6e-4, None),
}


def main():
    torch.set_num_threads(1)  # the order of summation, and so the result, depends on it
    x, held_x, y, held_y = data()
    np.save(os.path.join(HERE, "images.npy"), held_x)
    np.save(os.path.join(HERE, "labels.npy"), held_y.astype(np.uint8))
    x, held_x, y, held_y = map(torch.from_numpy, (x, held_x, y, held_y))
    for name, (make, epochs, rate, augment) in RUNS.items():
        torch.manual_seed(1)
        model = train(make(), x, y, epochs, rate, augment)
        print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters, accuracy "
              f"{accuracy(model, x, y):.2%} trained, "
              f"{accuracy(model, held_x, held_y):.2%} held out", flush=True)
        if name in ("digits", "highway"):
            export(model, held_x[:1], f"{name}.onnx")
    return 0


if __name__ == "__main__":
    sys.exit(main())
