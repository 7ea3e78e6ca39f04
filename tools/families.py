#!/usr/bin/env python3
"""Full-size networks of every family, beside onnxruntime on one thread: `make bench-families`.

    families.py [--skipc PATH] [--work DIR] [--only NAME ...] [--runs N] [--layers]
                [-- further options of skipc compile]

Makes the networks of FAMILIES with timm (which wants torch; `make venv-families` installs both into
build/families-venv), with random weights and normalisation that has the statistics of random images,
and exports them into DIR (default build/families). Prints a Markdown table: both times, onnxruntime's
over ours, how far the outputs are apart; with --layers each network's steps as well. Exit status 1 when
the bars of issue 12 are not met: no network below 0.95, the median 1.15; --only looks at the first alone.
"""
import argparse
import os
import statistics
import subprocess
import sys

import compare  # says how to install what is missing
import timing

HERE = os.path.dirname(os.path.abspath(__file__))
LEAST, MEDIAN = 0.95, 1.15
# timm's names, and the side of the image where it is not the model's own
FAMILIES = {name: None for name in """
    bat_resnext26ts botnet26t_256 convmixer_768_32 convnext_tiny cspdarknet53 cspresnet50 darknet53
    densenet121 dla34 dpn68 ecaresnet50d edgenext_small efficientnet_b0 efficientformer_l1 ese_vovnet19b_dw
    fastvit_t8 fbnetc_100 gcresnet50t gernet_s ghostnet_100 hardcorenas_a hrnet_w18_small
    inception_resnet_v2 inception_v3 inception_v4 lambda_resnet26t lcnet_100 legacy_seresnet18 levit_128s
    mixer_s16_224 mixnet_s mnasnet_100 mobilenetv3_large_100 mobileone_s0 mobilevit_s nfnet_l0 poolformer_s12
    regnetx_008 regnety_008 repvgg_a2 res2net50_26w_4s resmlp_12_224 resnest26d resnet26t resnet50_gn
    resnetaa50d resnetblur18 resnetv2_50 resnetv2_50x1_bit rexnet_100 selecsls42b skresnet18
    swin_tiny_patch4_window7_224 tinynet_a tresnet_m vgg11 vit_tiny_patch16_224 vovnet39a xception41
""".split()}


# making them: in a process of its own, without torch's threads in the race ---------------------------

def settle(model, x):
    """Statistics of batch normalisation: those of the images x, each layer behind settled ones."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    for p in model.parameters():  # the last layers of some are: every output would be 0
        if p.ndim > 1 and not p.any():
            nn.init.normal_(p, std=.05)
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for m in norms:
        m.momentum = None  # average
        nn.init.uniform_(m.weight, .7, 1.2)
        nn.init.uniform_(m.bias, -.2, .2)
        m.reset_running_stats()
        m.train()
    with torch.no_grad():
        model(x)
    return model.eval()


def make(name, path):
    import timm
    import torch

    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False, exportable=True).eval()
    _, size, _ = model.default_cfg["input_size"]
    size = FAMILIES.get(name) or size
    settle(model, torch.randn(4, 3, size, size))
    with torch.no_grad():
        torch.onnx.export(model, (torch.randn(1, 3, size, size),), path + ".part", dynamo=False,
                          opset_version=17, input_names=["input"], output_names=["output"])
    os.rename(path + ".part", path)


def network(work, name):
    """Path of its ONNX file, made when it is not there."""
    path = os.path.join(work, name + ".onnx")
    if not os.path.exists(path):
        timing.progress(f"{name}: making")
        os.makedirs(work, exist_ok=True)
        done = compare.call([sys.executable, __file__, "--make", name, path], "maker")
        if done.returncode:
            raise compare.Stop(4, (done.stderr.strip() or "no message").splitlines()[-1][:200])
    return path


# the race ----------------------------------------------------------------------------------------

def measure(name, arguments, options):
    """Results of ours and onnxruntime's, and the steps if asked for."""
    path = network(arguments.work, name)
    feeds = compare.random_inputs(compare.load(path), {}, 0)
    task = timing.Task(path, feeds, os.path.splitext(path)[0])
    build = timing.Build(arguments.skipc, ("--target=x86-64", *options), "gcc")
    timing.progress(f"{name}: compiling and building")
    folder = timing.generate(build, task)
    results = timing.contest(timing.link(build, folder), task, ["ort"], arguments.runs)
    layers = arguments.layers and timing.profiled(timing.link(build, folder, True), task,
                                                  arguments.runs, 0)
    return results, layers


def row(name, arguments, options):
    """Cells of the table, the ratio (0: there is none), and the steps if asked for."""
    try:
        (ours, theirs), layers = measure(name, arguments, options)
        if not theirs.times:
            raise compare.Stop(theirs.status, theirs.note)
    except compare.Stop as stop:
        return [name, "", "", "", "", "", str(stop).splitlines()[0]], 0.0, None
    timing.progress()
    first, ratio, third = timing.ratios(theirs, ours)
    a, b = (statistics.median(r.times) * 1e3 for r in (ours, theirs))
    return [name, f"{a:.2f}", f"{b:.2f}", f"{ratio:.2f} ({first:.2f} to {third:.2f})",
            f"{theirs.difference:.1e}", f"{ours.others:.2f}",
            "ok" if ratio >= LEAST else "**not met**"], ratio, layers


def main():
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    p.add_argument("--work", default=os.path.normpath(os.path.join(HERE, "..", "build", "families")),
                   metavar="DIR")
    p.add_argument("--only", nargs="+", metavar="NAME", help="timm's, also others than FAMILIES")
    p.add_argument("--runs", type=timing.count, default=9, metavar="N", help="rounds (default 9)")
    p.add_argument("--layers", action="store_true", help="time each step")
    p.add_argument("--make", nargs=2, metavar=("NAME", "FILE"), help="only make it")
    arguments = p.parse_args(sys.argv[1:split])
    if arguments.make:
        make(*arguments.make)
        return 0
    timing.warn_of_load()
    print(f"onnxruntime {compare.onnxruntime.__version__}, one thread, medians of {arguments.runs} "
          "rounds\n\n| network | ours, ms | onnxruntime, ms | ratio (middle half) | difference | others "
          f"| |\n{'|---' * 7}|")
    ratios, steps = [], {}
    for name in arguments.only or FAMILIES:
        cells, ratio, layers = row(name, arguments, sys.argv[split + 1:])
        ratios.append(ratio)
        steps.update({name: layers} if layers else {})
        print("| " + " | ".join(cells) + " |", flush=True)
    timing.progress()
    median = statistics.median(ratios)
    print(f"\n{len(ratios)} networks, {sum(r < LEAST for r in ratios)} below {LEAST}; median "
          f"{median:.2f}, bar {MEDIAN}")
    for name, layers in steps.items():
        print(f"\n{name}", end="")
        timing.report_layers(*layers)
    return int(min(ratios) < LEAST or (not arguments.only and median < MEDIAN))


if __name__ == "__main__":
    sys.exit(main())
