#!/usr/bin/env python3
"""Trains a plain twin of examples/digits/highway.onnx: its depth and width, no gates. Needs NumPy, onnx, scikit-learn.

    train.py [--depths 50,10]      writes plain50.onnx here, and so on; half a minute each

y = relu(W x + b), 64 pixels -> 32 -> layers of 32 -> 10 classes. With the highway network's training a plain network of 50
layers stays at chance (examples/digits/README.md). It learns if W begins orthogonal, times the root of 2 that a ReLU takes
away: so each layer begins by losing nothing. Adam, one cycle of the rate, images moved by at most a pixel.
"""
import argparse
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, CLASSES, BATCH, EPOCHS, RATE, CLIP = 32, 10, 64, 300, 1e-3, 1.0


def data():
    """Split as examples/digits/train.py splits them: the 360 held-out images are images.npy there."""
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)
    return train_test_split(images, digits.target, test_size=360, stratify=digits.target, random_state=0)


def orthogonal(rng, rows, columns):
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return (np.sqrt(2) * (q if rows >= columns else q.T)).astype(np.float32)


def weights(rng, depth):
    sizes = [64] + [WIDTH] * (depth + 1) + [CLASSES]
    v = []
    for rows, columns in zip(sizes, sizes[1:]):
        v += [orthogonal(rng, rows, columns), np.zeros(columns, np.float32)]
    return v


def forward(v, x):
    """Every layer's input, and the scores."""
    inputs = [x]
    for w, b in zip(v[:-2:2], v[1:-2:2]):
        inputs.append(np.maximum(inputs[-1] @ w + b, 0))
    return inputs, inputs[-1] @ v[-2] + v[-1]


def gradients(v, x, labels):
    inputs, scores = forward(v, x)
    p = np.exp(scores - scores.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(len(x)), labels] -= 1
    d, g = p / len(x), [None] * len(v)
    for k in range(len(v) - 2, -1, -2):
        g[k], g[k + 1] = inputs[k // 2].T @ d, d.sum(0)
        d = (d @ v[k].T) * (inputs[k // 2] > 0)
    norm = np.sqrt(sum(float((a * a).sum()) for a in g))
    return [a * min(1, CLIP / norm) for a in g]


def shifted(rng, images):
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    at = rng.integers(0, 3, (len(images), 2))
    return np.stack([p[i:i + 8, j:j + 8] for p, (i, j) in zip(padded, at)])


def accuracy(v, images, labels):
    return float((forward(v, images.reshape(len(images), 64))[1].argmax(1) == labels).mean())


def train(depth, images, labels):
    rng = np.random.default_rng(depth)
    v = weights(rng, depth)
    m, s = [np.zeros_like(a) for a in v], [np.zeros_like(a) for a in v]
    steps, t = EPOCHS * -(-len(images) // BATCH), 0
    for _ in range(EPOCHS):
        order = rng.permutation(len(images))
        for k in range(0, len(order), BATCH):
            part, t = order[k:k + BATCH], t + 1
            rate = RATE * min(t / (0.3 * steps), (steps - t) / (0.7 * steps) + 1e-3)
            g = gradients(v, shifted(rng, images[part]).reshape(len(part), 64), labels[part])
            for i, a in enumerate(g):
                m[i] += 0.1 * (a - m[i])
                s[i] += 0.001 * (a * a - s[i])
                v[i] -= rate * (m[i] / (1 - 0.9**t)) / (np.sqrt(s[i] / (1 - 0.999**t)) + 1e-8)
    return v


def save(v, path):
    nodes, constants, x = [helper.make_node("Flatten", ["image"], ["pixels"])], [], "pixels"
    for k, (w, b) in enumerate(zip(v[::2], v[1::2])):
        last = k == len(v) // 2 - 1
        constants += [numpy_helper.from_array(np.ascontiguousarray(a), f"{n}{k}") for a, n in ((w, "w"), (b, "b"))]
        y = "scores" if last else f"linear{k}"
        nodes.append(helper.make_node("Gemm", [x, f"w{k}", f"b{k}"], [y], name=f"linear{k}"))
        if not last:
            nodes.append(helper.make_node("Relu", [y], [f"relu{k}"], name=f"relu{k}"))
        x = f"relu{k}"
    ends = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, s)] for n, s in (("image", [1, 1, 8, 8]), ("scores", [1, CLASSES]))]
    graph = helper.make_graph(nodes, "plain", *ends, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--depths", default="50")
    images, held, labels, held_labels = data()
    for depth in map(int, p.parse_args().depths.split(",")):
        v = train(depth, images, labels)
        save(v, os.path.join(HERE, f"plain{depth}.onnx"))
        print(f"{depth} plain layers: {accuracy(v, images, labels):.2%} of those trained on, {accuracy(v, held, held_labels):.2%} held out")


if __name__ == "__main__":
    main()
