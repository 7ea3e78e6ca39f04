#!/usr/bin/env python3
"""Accuracy of several networks against what was left out of them, in one picture.

    figure.py -o FILE NAME=LESION.json ...
"""
import argparse
import json

from matplotlib.figure import Figure


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", dest="path", required=True)
    p.add_argument("networks", nargs="+", metavar="NAME=LESION.json")
    arguments = p.parse_args()
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for text in arguments.networks:
        name, _, path = text.partition("=")
        with open(path, encoding="utf-8") as f:
            r = json.load(f)
        count = len(r["alone"]) + len(r["stay"])
        whole = 100 * r["whole"]["accuracy"]
        left.plot([100 * (a["block"] + 0.5) / count for a in r["alone"]], [100 * a["accuracy"] for a in r["alone"]], marker="o",
                  markersize=4, linewidth=1, label=f"{name}: {whole:.1f} % with all")
        right.plot([100 * k / count for k in range(len(r["together"]) + 1)], [whole] + [100 * t["accuracy"] for t in r["together"]],
                   marker="o", markersize=3, linewidth=1)
    left.set(xlabel="where the one block stood that is left out, % of the depth", ylabel="recognised, %", ylim=(0, 102))
    right.set(xlabel="% of the blocks left out together, the least important first")
    left.legend(loc="center", fontsize=8)
    for axes in (left, right):
        axes.axhline(10, color="gray", linewidth=0.8, linestyle="--")
        axes.grid(alpha=0.3)
    figure.savefig(arguments.path, dpi=90)


if __name__ == "__main__":
    main()
