#!/usr/bin/env python3
"""What a network loses with each of its blocks left out; `skipc lesion` runs this.

    lesion.py [--skipc PATH] MODEL [--input FILE.npy ...] [--labels FILE.npy] [--json] [--plot FILE]
              [--rows N] [--seed N] [--target T] [--dim NAME=N ...] [-- further options of skipc compile]

A residual block that is left out is its shortcut, a highway layer what it carries (skipc compile --drop). Each such network
is compiled and run on all rows: without one block, and then without more and more, in the order of what they lose alone,
the least first. With labels, rows count as recognised whose greatest output is theirs; without, what counts is how far
outputs are from the whole network's: |y - y0| / |y0|, Euclidean, in the mean over rows.

Exit status: 0 done, 1 the model is refused or has no such blocks, 2 wrong usage, 3 generated code fails, 4 something is not
installed.
"""
import ends  # before others: it says what is missing, and what Ctrl-C is
import concurrent.futures
import os
import sys

import rows

import numpy as np

STAYS = {"option-a": "its shortcut changes the shape", "projection": "its shortcut is a projection",
         "blend": "neither of its values is carried"}  # as skipc compile --drop refuses them


def labels_of(path, count):
    labels = rows.read(path)
    if labels.dtype.kind not in "iu" or labels.size != count:
        raise rows.Stop(2, f"{path}: {labels.size} labels of {labels.dtype} for {count} rows: whole numbers are wanted, one for each")
    return labels.reshape(-1).astype(np.int64)


class Lesion:
    """Networks without blocks, on one set of rows."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder, self.report = arguments, folder, rows.inspect(arguments)
        if not self.report["outputs"]:
            raise rows.Stop(1, "the network has no outputs")
        self.feeds, self.runs = rows.feeds_of(arguments, self.report)
        ends.progress("the whole network")
        self.whole = self.outputs(())
        self.labels = labels_of(arguments.labels, len(self.whole)) if arguments.labels else None
        if self.labels is not None and not 0 <= self.labels.min() <= self.labels.max() < self.whole.shape[1]:
            raise rows.Stop(2, f"{arguments.labels}: labels {self.labels.min()} to {self.labels.max()} for {self.whole.shape[1]} outputs")

    def outputs(self, blocks):
        """The first output: [rows, elements]."""
        drop = [f"--drop={','.join(map(str, blocks))}"] if blocks else []
        name = "without" + "".join(f"_{b}" for b in blocks) if len(blocks) < 8 else f"without_{len(blocks)}_blocks"
        network = rows.Network(self.arguments, os.path.join(self.folder, name if blocks else "whole"), self.report, *drop)
        y = network.outputs(self.feeds, self.runs)[0]
        network.close()
        return y.reshape(len(y), -1).astype(np.float64)

    def figures(self, y):
        apart = np.linalg.norm(y - self.whole, axis=1) / np.maximum(np.linalg.norm(self.whole, axis=1), 1e-30)
        right = None if self.labels is None else int((y.argmax(1) == self.labels).sum())
        return {"recognised": right, "accuracy": None if right is None else right / len(y),
                "distance": float(apart.mean()) if np.isfinite(apart).all() else None,
                "agree": int((y.argmax(1) == self.whole.argmax(1)).sum())}

    def without(self, blocks):
        return {"blocks": list(blocks), **self.figures(self.outputs(blocks))}


def progress(done, of):
    ends.progress(f"{done} of {of} networks" if done < of else "")


def all_of(lesion, sets, pool, before, of):
    found = []
    for k, one in enumerate(pool.map(lesion.without, sets)):
        progress(before + k + 1, of)
        found.append(one)
    return found


def importance(one):
    """What is lost alone; the least first."""
    distance = np.inf if one["distance"] is None else one["distance"]
    return (-(one["recognised"] or 0), distance, one["blocks"])


def measure(lesion, together):
    """Each block that can go alone, and then more and more of them."""
    going = [b["id"] for b in lesion.report["blocks"] if b["kind"] not in STAYS]
    if not going:
        raise rows.Stop(1, "no block of the model can be left out: skipc inspect says what they are")
    of = len(going) * (2 if together else 1)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        alone = all_of(lesion, [(b,) for b in going], pool, 0, of)
        order = [one["blocks"][0] for one in sorted(alone, key=importance)]
        sets = [tuple(sorted(order[:k])) for k in range(2, len(order) + 1)] if together else []
        more = all_of(lesion, sets, pool, len(going), of)
    progress(of, of)
    first = [dict(one) for one in alone if one["blocks"] == order[:1]]
    added = [{"added": b, **one} for b, one in zip(order, first + more)]
    return alone, added if together else []


# what is said ------------------------------------------------------------------------------------

def result_text(one, count):
    far = "         -" if one["distance"] is None else f"{one['distance']:10.4f}"
    known = "" if one["recognised"] is None else f"{one['recognised']:7d} of {count} {100 * one['accuracy']:6.2f} %"
    return f"{known} {far} {100 * one['agree'] / count:7.2f} %"


def print_results(lesion, alone, together):
    count, blocks = len(lesion.whole), lesion.report["blocks"]
    head = ("" if lesion.labels is None else f"{'recognised':>{16 + len(str(count)) + 4}}") + "   distance  same answer"
    print(f"model   {rows.printable(lesion.report['model'])}")
    print(f"whole   {result_text(lesion.figures(lesion.whole), count)} on {count} rows\n")
    print(f"block  kind           {head}")
    by_block = {one["blocks"][0]: one for one in alone}
    for b in blocks:
        said = result_text(by_block[b["id"]], count) if b["id"] in by_block else f"  stays: {STAYS[b['kind']]}"
        print(f"{b['id']:5d}  {b['kind']:15s}{said}")
    if together:
        print(f"\nwithout these, too    {head}")
    for k, one in enumerate(together):
        print(f"{one['added']:5d}  {k + 1:4d} in all    {result_text(one, count)}")


def plot(path, lesion, alone, together):
    known = lesion.labels is not None
    what = "recognised, %" if known else "distance of outputs"
    value = (lambda one: 100 * one["accuracy"]) if known else (lambda one: one["distance"] if one["distance"] is not None else np.nan)
    whole = value(lesion.figures(lesion.whole))
    figure = rows.figure(12, 4)
    left, right = figure.subplots(1, 2, sharey=True)
    left.bar([one["blocks"][0] for one in alone], [value(one) for one in alone])
    left.set(xlabel="the block that is left out", ylabel=what)
    right.plot(range(len(together) + 1), [whole] + [value(one) for one in together], marker="o", markersize=3)
    right.set(xlabel="blocks left out together, the least important first")
    for axes in (left, right):
        axes.axhline(whole, color="gray", linewidth=0.8, linestyle="--")
        if known:
            axes.set_ylim(0, 100)
    figure.suptitle(f"{lesion.report['name']} without blocks", fontsize=11)
    figure.savefig(path, dpi=110)


def lesion_command(arguments, folder, kind=Lesion):
    lesion = kind(arguments, folder)
    alone, together = measure(lesion, not arguments.alone)
    if arguments.plot:
        plot(arguments.plot, lesion, alone, together)
    if arguments.json:
        blocks = {b["id"]: b for b in lesion.report["blocks"]}
        rows.print_json({
            **rows.heading("lesion", lesion.report), "inputs": arguments.input or None, "labels": arguments.labels,
            "rows": len(lesion.whole), "whole": lesion.figures(lesion.whole),
            "alone": [{"block": one["blocks"][0], "kind": blocks[one["blocks"][0]]["kind"],
                       "node": (blocks[one["blocks"][0]]["nodes"] or [""])[-1], **{k: v for k, v in one.items() if k != "blocks"}} for one in alone],
            "stay": [{"block": b["id"], "kind": b["kind"], "why": STAYS[b["kind"]]} for b in blocks.values() if b["kind"] in STAYS],
            "together": together})
    else:
        print_results(lesion, alone, together)
    return 0


def command_line(prog):
    p = rows.command_line(prog, "Exit status: 0 done, 1 the model is refused or has no such blocks, 2 wrong usage, "
                          "3 generated code fails, 4 something is not installed.")
    p.add_argument("--labels", metavar="FILE", help=".npy, a whole number for each row: the greatest output is to have it")
    p.add_argument("--alone", action="store_true", help="each block alone, and none together")
    return p


def main(argv=None):
    return rows.run_command(command_line("skipc lesion"), argv, lesion_command)


if __name__ == "__main__":
    ends.run(main)
