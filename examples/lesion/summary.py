#!/usr/bin/env python3
"""What `skipc lesion --json` found, in a few lines.

    summary.py LESION.json
    summary.py --bears LESION.json --breaks LESION.json      exit status 0: the first loses less by its median block

"""
import argparse
import json
import statistics


def read(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def lost(report):
    """Of each block alone, in points."""
    return [100 * (report["whole"]["accuracy"] - one["accuracy"]) for one in report["alone"]]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("path", nargs="?")
    p.add_argument("--bears")
    p.add_argument("--breaks")
    a = p.parse_args()
    if a.path is None:
        bears, breaks = (statistics.median(lost(read(path))) for path in (a.bears, a.breaks))
        print(f"a block in the middle of all is worth {bears:.2f} points here, and {breaks:.2f} there")
        raise SystemExit(not bears < breaks)
    r = read(a.path)
    points = sorted(zip(lost(r), (one["block"] for one in r["alone"])), reverse=True)
    print(f"with all {100 * r['whole']['accuracy']:.2f} %; {len(points)} blocks can be left out, each alone loses "
          f"{points[-1][0]:.2f} to {points[0][0]:.2f} points, {statistics.median(x for x, _ in points):.2f} in the middle")
    print("the most important:", ", ".join(f"block {b} ({x:.2f} points)" for x, b in points[:4]))
    steps = [r["together"][k - 1] for k in (5, 10, 20, 30, 40, len(points)) if k <= len(r["together"])]
    print("together:", ", ".join(f"without {len(t['blocks'])} {100 * t['accuracy']:.2f} %" for t in steps))


if __name__ == "__main__":
    main()
