#!/usr/bin/env python3
"""How far each gate of a highway network is open; `skipc gates` runs this.

    gates.py [--skipc PATH] MODEL [--input FILE.npy ...] [--json] [--plot FILE] [--values FILE.npz]
             [--rows N] [--seed N] [--target T] [--dim NAME=N ...] [-- further options of skipc compile]

The gate T of y = H T + x (1 - T), or of H T + x C, is what a network was compiled to compute (--trace-gates), on each row of
the inputs: 0 carries, 1 transforms. By layer, by unit (the mean over inputs, of an image over its pixels) and by input (the
mean over units). --values writes all: an array [rows, units] for each layer.

Exit status: 0 done, 1 the model is refused or has no gates, 2 wrong usage, 3 generated code fails, 4 something is not installed.
"""
import ends  # before others: it says what is missing, and what Ctrl-C is
import sys

import rows

import numpy as np

CLOSED, OPEN = 0.01, 0.5  # gates below are as good as closed; above, more is transformed than carried
BAR = " .:-=+*#%@"


class Layer:
    """A highway layer, and its gates: values[row, unit]."""

    def __init__(self, block, kernel):
        self.block, self.name, self.carries = block["id"], block["gate_tensor"], block["gate_carries"]
        self.node = block["nodes"][-1] if block["nodes"] else block["gate_tensor"]
        self.shape, self.strides, self.type = (kernel["output"][k] for k in ("shape", "strides", "type"))
        self.image = kernel["op"] == "Conv" or kernel["op"] is None and len(self.shape) == 4
        self.values = []

    def take(self, t):
        """Of one run: the batch's rows, and the mean over what is neither batch nor unit."""
        t = 1 - t.astype(np.float64) if self.carries else t.astype(np.float64)
        if t.ndim < 2:
            t = t.reshape(1, -1)
        units = np.moveaxis(t, 1 if self.image else -1, -1)
        self.values.append(units.reshape(units.shape[0], -1, units.shape[-1]).mean(1))

    def end(self):
        self.values = np.concatenate(self.values)

    def plain(self):
        v = self.values
        return {"block": self.block, "node": self.node, "tensor": self.name, "mean": float(v.mean()), "least": float(v.min()),
                "greatest": float(v.max()), "closed": float((v < CLOSED).mean()), "open": float((v > OPEN).mean()),
                "units": [float(f"{u:.6g}") for u in v.mean(0)], "inputs": [float(f"{u:.6g}") for u in v.mean(1)]}


def layers_of(report):
    stored = {k["output"]["tensor"]: k for k in report["kernels"]}
    found, lost = [], []
    for block in report["blocks"]:
        kernel = stored.get(block.get("gate_tensor"))
        if kernel is not None and kernel["output"]["type"] in ("f32", "bool"):
            found.append(Layer(block, kernel))
        elif block["kind"] in ("highway", "highway-carry"):
            lost.append(block)
    return found, lost


def why_none(report, lost):
    if not lost:
        return "the model has no highway layer: skipc inspect says what its blocks are"
    if any(k["arithmetic"] for k in report["kernels"]):
        return "a quantised network's gates are tables, and not stored: look at the network that was quantised"
    return f"no step stores a gate of its {len(lost)} highway layers"


def bar(values):
    """A letter for each unit; more than fit are put together."""
    parts = np.array_split(values, min(len(values), 48))
    return "".join(BAR[min(int(p.mean() * len(BAR)), len(BAR) - 1)] for p in parts)


def print_layers(report, layers, lost, runs):
    total = np.mean([l.values.mean() for l in layers])
    print(f"model   {rows.printable(report['model'])}")
    print(f"gates   of {len(layers)} highway layers on {runs} rows: open by {total:.4f} in the mean")
    if lost:
        print(f"        {len(lost)} layers have gates that are stored nowhere: blocks {', '.join(str(b['id']) for b in lost)}")
    print(f"block     mean    least greatest  below {CLOSED}  above {OPEN}  mean of each unit, {BAR!r} from closed to open")
    for layer in layers:
        p = layer.plain()
        print(f"{p['block']:5d} {p['mean']:8.4f} {p['least']:8.4f} {p['greatest']:8.4f} {100 * p['closed']:10.1f} % {100 * p['open']:8.1f} %"
              f"  {bar(layer.values.mean(0))}")


def padded(vectors):
    table = np.full((len(vectors), max(map(len, vectors))), np.nan)
    for row, v in zip(table, vectors):
        row[:len(v)] = v
    return table


def plot(path, report, layers):
    figure = rows.figure(12, 2.5 + 0.12 * len(layers))
    parts = figure.subplots(1, 3, width_ratios=[3, 3, 1], sharey=True)
    for axes, of, what in ((parts[0], [l.values.mean(0) for l in layers], "unit"), (parts[1], [l.values.mean(1) for l in layers], "input")):
        shown = axes.imshow(padded(of), vmin=0, vmax=1, aspect="auto", interpolation="nearest", cmap="viridis")
        axes.set(xlabel=what)
    ticks = range(0, len(layers), max(1, len(layers) // 25))
    parts[0].set_yticks(list(ticks), [str(layers[k].block) for k in ticks])
    parts[0].set(ylabel="block")
    parts[2].barh(range(len(layers)), [l.values.mean() for l in layers])
    parts[2].set(xlabel="mean", xlim=(0, None))
    figure.colorbar(shown, ax=parts[1], label="open")
    figure.suptitle(f"Transform gates of {report['name']}", fontsize=11)
    figure.savefig(path, dpi=110)


def gates(arguments, folder):
    report = rows.inspect(arguments, "--trace-gates")
    layers, lost = layers_of(report)
    if not layers:
        raise rows.Stop(1, why_none(report, lost))
    feeds, runs = rows.feeds_of(arguments, report)
    ends.progress("compiling and building")
    network = rows.Network(arguments, folder, report, "--trace-gates")
    ends.progress()
    for layer in layers:
        if not network.want(layer.name, layer.type, layer.shape, layer.strides):
            raise rows.Stop(3, f"the generated code does not trace '{rows.printable(layer.name)}'")
    for k in range(runs):
        network.run(feeds, k)
        for layer in layers:
            layer.take(network.found[layer.name])
    network.close()
    for layer in layers:
        layer.end()
    if arguments.values:
        np.savez_compressed(arguments.values, **{f"block{l.block}": l.values for l in layers})
    if arguments.plot:
        plot(arguments.plot, report, layers)
    if arguments.json:
        rows.print_json({**rows.heading("gates", report), "inputs": arguments.input or None, "rows": len(layers[0].values),
                         "closed_below": CLOSED, "open_above": OPEN, "mean": float(np.mean([l.values.mean() for l in layers])),
                         "layers": [l.plain() for l in layers], "not_stored": [b["id"] for b in lost]})
    else:
        print_layers(report, layers, lost, len(layers[0].values))
    return 0


def main(argv=None):
    p = rows.command_line("skipc gates", "Exit status: 0 done, 1 the model is refused or has no gates, 2 wrong usage, "
                          "3 generated code fails, 4 something is not installed.")
    p.add_argument("--values", metavar="FILE", help=".npz: all gates, [rows, units] for each block")
    return rows.run_command(p, argv, gates)


if __name__ == "__main__":
    ends.run(main)
