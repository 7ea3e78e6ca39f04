#!/usr/bin/env python3
"""`skipc inspect --html` in a real browser: Chromium without a window, by its DevTools protocol over a pipe.

    report.py [--skipc PATH] [--shots DIR]

--shots leaves pictures: each network in light and dark, 1400 and 420 pixels wide.
"""
import argparse
import base64
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

import jsonschema
import onnx
from onnx import TensorProto, helper

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import networks  # noqa: E402

DIGITS = os.path.join(ROOT, "examples", "digits")
SIZES = {"resnet18": 300_000, "resnet152": 1_000_000, "cifar_resnet1202": 2_000_000}  # bytes of the page at most
USABLE = 1.0  # seconds of the page's thread until it is drawn
INSPECT = 3.0  # seconds of processor time of inspect --html --json
HOSTILE = '</script><script>window.pwned=1</script>'
IMAGE = '<img src=x onerror="window.pwned=1">\u2028<!--'


def check(condition, what):
    if not condition:
        sys.exit(f"report.py: {what}")


def call(*words, status=0):
    done = subprocess.run(words, capture_output=True, text=True)
    check(done.returncode == status, f"{words}: exit status {done.returncode}\n{done.stderr}")
    return done


# the browser -------------------------------------------------------------------------------------

class Browser:
    def __init__(self, program, folder):
        to_browser, from_browser = os.pipe(), os.pipe()

        def connect():
            os.dup2(os.dup(to_browser[0]), 3)
            os.dup2(os.dup(from_browser[1]), 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
             f"--user-data-dir={folder}", "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=connect)
        os.close(to_browser[0])
        os.close(from_browser[1])
        self.to, self.back = to_browser[1], os.fdopen(from_browser[0], "rb")
        self.number, self.events = 0, []

    def send(self, method, session=None, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        number = self.number
        while True:
            got = self.receive()
            if got.get("id") == number:
                check("error" not in got, f"{method}: {got.get('error')}")
                return got["result"]
            self.events.append(got)

    def receive(self):
        data = b""
        while not data.endswith(b"\0"):
            there = self.back.peek()
            check(there, "the browser has ended")
            end = there.find(b"\0") + 1
            data += self.back.read(end or len(there))
        return json.loads(data[:-1])

    def close(self):
        self.process.terminate()
        self.process.wait()


class Page:
    """A page of the browser, and what it said."""

    def __init__(self, browser, path, width=1400, dark=False):
        self.browser, self.path = browser, path
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.target, self.session = target, browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(domain + ".enable")
        self.send("Performance.enable", timeDomain="threadTicks")
        self.size(width)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        browser.events.clear()
        self.send("Page.navigate", url="file://" + os.path.abspath(path))
        self.wait("Page.loadEventFired")
        self.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.cost = {m["name"]: m["value"] for m in self.send("Performance.getMetrics")["metrics"]}

    def send(self, method, **params):
        return self.browser.send(method, self.session, **params)

    def wait(self, method):
        while not any(e.get("method") == method and e.get("sessionId") == self.session for e in self.browser.events):
            self.browser.events.append(self.browser.receive())

    def size(self, width, height=1200):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def eval(self, expression):
        got = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        check("exceptionDetails" not in got, f"{self.path}: {expression}: {got.get('exceptionDetails')}")
        return got["result"].get("value")

    def count(self, selector):
        return self.eval(f"document.querySelectorAll({json.dumps(selector)}).length")

    def text(self, selector):
        return self.eval(f"(e => e && e.innerText)(document.querySelector({json.dumps(selector)}))")

    def click(self, selector):
        x, y = self.eval(f"(e => (e.scrollIntoView({{block: 'center', behavior: 'instant'}}), (r => [r.x + r.width / 2, r.y + r.height / 2])"
                         f"(e.getBoundingClientRect())))(document.querySelector({json.dumps(selector)}))")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, name, text=""):
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=name, **({"text": text} if text and kind == "keyDown" else {}))

    def type(self, text):
        self.send("Input.insertText", text=text)

    def shot(self, path):
        height = self.eval("document.documentElement.scrollHeight")
        width = self.eval("innerWidth")
        self.size(width, min(height, 4000))
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    def close(self):
        """Nothing was said on the console, and nothing but the file was read."""
        self.eval("1")
        mine = [e for e in self.browser.events if e.get("sessionId") == self.session]
        said = [e for e in mine if e["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")]
        check(not said, f"{self.path}: the console has {json.dumps(said)[:600]}")
        urls = {e["params"]["request"]["url"].split("#")[0] for e in mine if e["method"] == "Network.requestWillBeSent"}
        check(len(urls) == 1, f"{self.path}: it asks for {urls}")
        self.browser.send("Target.closeTarget", targetId=self.target)


# the tests ---------------------------------------------------------------------------------------

class Test:
    def __init__(self, skipc, work, browser, shots):
        self.skipc, self.work, self.browser, self.shots = skipc, work, browser, shots

    def page(self, model, *options):
        """The page of a model, and what --json says of it."""
        path = os.path.join(self.work, os.path.basename(model) + ".html")
        report = json.loads(call(self.skipc, "inspect", model, "--json", "--html", path, *options).stdout)
        return path, report

    def network(self, name):
        path = os.path.join(self.work, name + ".onnx")
        networks.save(networks.build(name), path)
        return path

    def open(self, path, **options):
        return Page(self.browser, path, **options)

    def pictures(self, path, name):
        for width in (1400, 420) if self.shots else ():
            for dark in (False, True):
                page = self.open(path, width=width, dark=dark)
                page.shot(os.path.join(self.shots, f"{name}-{width}-{'dark' if dark else 'light'}.png"))
                page.close()

    def drawn(self, page, report):
        """A row a step, a box a buffer, an arrow a shortcut, all on one axis; the figures at the top."""
        for pressed in ("false", "true"):  # all folded, all open
            page.eval(f"(f => f && f.click())(document.querySelector('#fold[aria-pressed={pressed}]:not([hidden])'))")
        check(page.count(".row[data-k]") == len(report["kernels"]), "a step has no row")
        boxes = [b for b in report["buffers"] if b["place"] == "arena"]
        check(page.count("#arena [data-m]") == len(boxes), "a buffer has no box")
        check(page.count("#bands > div") == sum(b["join"] is not None for b in report["blocks"]), "a block has no band")
        check(page.count("#arcs .head") >= len(report["blocks"]), "a shortcut has no arrow")
        replaced = {k["id"] for k in report["kernels"] if k["replaces"] is not None}
        off = page.eval("""[...document.querySelectorAll('#arena [data-m]')].map(e => e.getBoundingClientRect().top -
            document.querySelector('#step-' + report.buffers.find(b => b.id == e.dataset.m).first).getBoundingClientRect().top)""")
        late = [b["first"] in replaced for b in boxes]
        check(all(abs(d) < 1 or half and 0 < d < 20 for d, half in zip(off, late)), f"boxes do not begin where their steps are: {off}")
        width = page.eval("document.querySelector('#arena').clientWidth")
        places = page.eval("[...document.querySelectorAll('#arena [data-m]')].map(e => e.offsetLeft)")
        check(all(abs(x - width * b["offset"] / report["memory"]["arena"]) < 2 for x, b in zip(places, boxes)), "boxes are elsewhere")
        orange = {b["id"] for b in boxes for block in report["blocks"] if block["join"] in b["readers"] and block["source"] in b["writers"]
                  and block["join"] > block["source"] + 1}
        check(page.count("#arena .wait") == len(orange), "what waits for its addition is not orange")
        check(page.count("#tiles > div") >= 6 and page.count("#weights > div") > 0 and page.count("#roof circle") > 0, "figures are missing")

    def details(self, page, report):
        """A click, and keys, show what there is to know of a step, and why its kernel was taken."""
        k = max(report["kernels"], key=lambda k: len(k["candidates"]))
        page.click(f"#step-{k['id']}")
        text = page.text("#detail")
        for want in (k["function"], *k["nodes"], f"{k['macs']:,}", *(c["row"] for c in k["candidates"]),
                     *(c["why"] for c in k["candidates"] if c["why"]), *k["epilogue"]):
            check(want in text, f"details lack {want}")
        check(page.count("#arena .read") == len({r["buffer"] for r in k["inputs"] if r["place"] == "arena"}), "what it reads is not marked")
        check(page.eval("document.querySelector('#tip').innerText").startswith(f"step {k['id']}: "), "no summary under the pointer")
        page.key("Escape")
        check(page.eval("document.querySelector('#detail').hidden && document.activeElement.id") == "rows", "Escape does not close")
        page.key("Home")
        for _ in range(2):
            page.key("ArrowDown")
        check(page.eval("document.activeElement.getAttribute('aria-activedescendant')") == "step-2", "keys do not move")
        page.key("Enter")
        check(report["kernels"][2]["function"] in page.text("#detail h2"), "Enter shows nothing")
        page.click("#close")
        page.click("#arena [data-m]")
        check("Step 0" in page.text("#detail h2"), "a box of the arena shows nothing")
        page.key("Escape")

    def searched(self, page, word, want):
        page.key("/", "/")
        check(page.eval("document.activeElement.id") == "find", "/ does not search")
        page.type(word)
        check(page.text("#found").startswith(str(len(want)) + " step"), f"{word}: {page.text('#found')}, not {len(want)}")
        page.key("Enter", "\r")
        check(page.text("#found") == f"1 of {len(want)}" and page.count(f".row.chosen#step-{want[0]}") == 1, f"{word} is not found")
        seen = page.eval(f"(r => r.top >= 0 && r.bottom <= innerHeight)(document.querySelector('#step-{want[0]}').getBoundingClientRect())")
        check(seen, f"{word} is found, and out of sight")
        page.key("Escape")
        check(page.text("#found") == "" and page.count(".dim") == 0, "a search does not end")

    def accessible(self, page, report):
        """Roles and names; the table has what pictures show; a word for every control."""
        nodes = page.send("Accessibility.getFullAXTree")["nodes"]
        role = lambda n: n.get("role", {}).get("value")
        controls = [n for n in nodes if role(n) in ("button", "searchbox", "listbox", "option", "image", "img", "region")]
        nameless = [role(n) for n in controls if not n.get("ignored") and not n.get("name", {}).get("value")]
        check(not nameless, f"without a name: {nameless}")
        check({"searchbox", "listbox", "option", "button"} <= {role(n) for n in controls}, "roles are missing")
        page.click("#all summary")
        page.eval("new Promise(done => setTimeout(done, 50))")
        check(page.count("#all tbody tr") == len(report["kernels"]), "the table lacks steps")
        check(report["kernels"][0]["function"] in page.text("#all table"), "the table lacks functions")

    def looks(self, path):
        """Light, dark, narrow, printed."""
        backs = []
        for dark in (False, True):
            for width in (1400, 420):
                page = self.open(path, width=width, dark=dark)
                wide = page.eval("document.documentElement.scrollWidth")
                check(wide <= width, f"{path}: {wide} pixels wide in {width}")
                backs.append(page.eval("getComputedStyle(document.body).backgroundColor"))
                page.close()
        check(backs[0] == backs[1] != backs[2] == backs[3], f"light and dark: {backs}")
        page = self.open(path)
        pdf = base64.b64decode(page.send("Page.printToPDF", printBackground=True)["data"])
        check(pdf.startswith(b"%PDF") and len(pdf) > 10000, "it does not print")
        page.send("Emulation.setEmulatedMedia", media="print")
        check(page.eval("getComputedStyle(document.querySelector('#tools')).display") == "none", "controls are printed")
        page.close()

    def large(self):
        """Sizes, times, folding, and all rows at once."""
        for name, most in SIZES.items():
            model = self.network(name)
            before = os.times()
            path, report = self.page(model)
            took = sum(os.times()[2:4]) - sum(before[2:4])
            os.unlink(model)
            size = os.path.getsize(path)
            check(size <= most, f"{name}: {size} bytes")
            check(took <= INSPECT, f"{name}: {took:.2f} s")
            page = self.open(path)
            spent = page.cost["TaskDuration"]
            check(spent <= USABLE, f"{name}: drawn after {spent:.2f} s of the page's thread")
            print(f"{name}: {size:,} bytes, inspect {took:.2f} s, drawn after {spent:.2f} s of processor time")
            if len(report["kernels"]) > 80:
                rows = page.count(".row")
                check(rows < 60 and page.count(".row.fold") > 0, f"{name}: {rows} rows are not folded")
                page.click(".row.fold")
                check(page.count(".row") > rows, "a fold does not open")
                page.click(".row.fold")
                check(page.count(".row") == rows, "a fold does not close")
                inner = report["kernels"][len(report["kernels"]) // 2 + 7]["nodes"][0]
                self.searched(page, inner, [k["id"] for k in report["kernels"] if any(inner.lower() in n.lower() for n in k["nodes"])])
            self.drawn(page, report)
            while not page.eval("document.querySelector('#less').disabled"):
                page.click("#less")
            check(page.eval("document.querySelector('#axis').offsetHeight") < 3000, f"{name}: too high at the least zoom")
            page.close()
            self.pictures(path, name)

    def small(self):
        path, report = self.page(os.path.join(DIGITS, "digits.onnx"))
        page = self.open(path)
        self.drawn(page, report)
        self.details(page, report)
        self.searched(page, "conv", [k["id"] for k in report["kernels"] if "conv" in json.dumps(
            [k["title"], k["function"], k["row"], k["output"]["tensor"], k["nodes"]]).lower()])
        self.accessible(page, report)
        page.close()
        self.looks(path)
        for model in ("digits", "highway", "digits_int8", "highway_int8"):
            path, report = self.page(os.path.join(DIGITS, model + ".onnx"))
            page = self.open(path)
            self.drawn(page, report)
            page.close()
            self.pictures(path, model)

    def cases(self):
        """Pages of all kinds of networks: each step has its row, and nothing is said on the console."""
        for name in sorted(os.listdir(os.path.join(HERE, "cases")))[::20]:
            folder = os.path.join(HERE, "cases", name)
            if not os.path.exists(os.path.join(folder, "model.onnx")):
                continue
            options = os.path.join(folder, "options")
            options = shlex.split(open(options, encoding="utf-8").read()) if os.path.exists(options) else []
            path, report = self.page(os.path.join(folder, "model.onnx"), *options)
            page = self.open(path)
            check(page.count(".row[data-k]") == len(report["kernels"]) or page.count(".row.fold") > 0, f"{name}: a step has no row")
            if report["kernels"]:
                page.click("#step-0")
                check(report["kernels"][0]["function"] in page.text("#detail"), f"{name}: no details")
            page.close()

    def profile(self):
        """Times where they are of this model; a word where they are of other code; a refusal where of another model."""
        model = os.path.join(DIGITS, "digits.onnx")
        path, report = self.page(model)
        steps = [{"id": k["id"], "function": k["function"], "macs": k["macs"], "bytes": k["traffic"], "seconds": 1e-6 * (k["id"] + 1)}
                 for k in report["kernels"]]
        bench = {"format": 1, "command": "bench", **{key: report[key] for key in ("skipc", "model", "sha256", "target", "options")},
                 "cc": HOSTILE, "cflags": "-O2", "threads": 1, "isa": 0, "rounds": 3, "processors": 2, "load": 5.0, "others": 0.0,
                 "results": [{"name": n, "version": "1", "minimum": 1e-4, "median": t, "spread": 0.1, "ratio": t / 1.5e-4,
                              "difference": 0.0, "apart": None, "note": "ok"} for n, t in (("skipc", 1.5e-4), ("onnxruntime", 3e-4))],
                 "layers": {"peak": 90.0, "steps": steps}}
        with open(os.path.join(ROOT, "tools", "schema", "bench.json"), encoding="utf-8") as f:
            jsonschema.validate(bench, json.load(f))
        profile = os.path.join(self.work, "profile.json")

        def opened(document):
            with open(profile, "w", encoding="utf-8") as f:
                json.dump(document, f)
            self.page(model, "--profile", profile)
            return self.open(path)

        page = opened(bench)
        check("150 us" in page.text("#tiles") and "2.00" in page.text("#tiles") and "onnxruntime 1" in page.text("#tiles"), "no times")
        check("1.00 us" in page.text("#step-0") and "measured peak 90.0" in page.text("#roof"), "no times of steps")
        check("load 5.00" in page.text("#notes") and page.count("script") == 5, "no warning of load, or too many scripts")
        page.close()
        page = opened({**bench, "layers": {"peak": 90.0, "steps": [{**s, "function": "other"} for s in steps]}})
        check("other code" in page.text("#notes") and "150 us" not in page.text("#tiles"), "times of other code")
        page.close()
        page = opened({**bench, "layers": None})
        check("no times of steps" in page.text("#notes"), "a profile without steps")
        page.close()
        with open(profile, "w", encoding="utf-8") as f:
            f.write(json.dumps({**bench, "sha256": "0" * 64}))
        before = open(path, "rb").read()
        said = call(self.skipc, "inspect", model, "--html", path, "--profile", profile, status=1).stderr
        check("no profile of this model" in said and open(path, "rb").read() == before, said)
        for wrong in (["--profile", profile], ["--html", path, "-d", "r"], ["--html", self.work], ["--html", "/dev/null"]):
            call(self.skipc, "inspect", model, *wrong, status=2)
        call(self.skipc, "inspect", model, "--html", os.path.join(path, "below", "a.html"), status=1)

    def written(self, command, model, *options):
        """What another command says of a model of the digits: its file, and the document."""
        rows = ["--input", os.path.join(DIGITS, "images.npy"), "--json"]
        path = os.path.join(self.work, f"{command}.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(call(self.skipc, command, model, *rows, *options).stdout)
        with open(path, encoding="utf-8") as f:
            return path, json.load(f)

    def gates(self):
        """Gates by layer and unit, and what is lost without a block; a word where they are of other blocks."""
        model = os.path.join(DIGITS, "highway.onnx")
        path, report = self.page(model)
        (gates_at, gates), lesion_at = self.written("gates", model), os.path.join(self.work, "lesion.json")
        lesion = self.made_up(report)
        check(self.eval_empty(path), "a section without anything to show")

        def opened(**documents):
            options = []
            for name, document in documents.items():
                at = {"gates": gates_at, "lesion": lesion_at}[name]
                with open(at, "w", encoding="utf-8") as f:
                    json.dump(document, f)
                options += [f"--{name}", at]
            self.page(model, *options)
            return self.open(path)

        page = opened(gates=gates, lesion=lesion)
        check(page.count("#measured tbody tr") == 50 and page.count("canvas.strip") == 50, "a layer has no row")
        for layer, one in zip(gates["layers"], lesion["alone"]):
            text = page.text(f"#measured tbody tr:nth-child({layer['block'] + 1})")
            lost = 100 * (lesion["whole"]["accuracy"] - one["accuracy"])
            check(f"{layer['mean']:.4f}" in text and f"{lost:.2f} points" in text and f"{100 * one['accuracy']:.2f} %" in text, text)
        seen = page.eval("[...document.querySelectorAll('canvas.strip')].map(c => [...c.getContext('2d').getImageData(0, 0, c.width, 1).data]"
                         ".filter((v, k) => k % 4 === 3))")
        off = [abs(a / 255 - u) for row, layer in zip(seen, gates["layers"]) for a, u in zip(row, layer["units"])]
        check(len(off) == 50 * 32 and max(off) < 0.01, f"units are not as opaque as they are open: {max(off)}")
        check(page.count("#measured polyline") == 1 and "350 of 360 rows are recognised: 97.22 %" in page.text("#measured"), "no curve")
        page.click("#measured tbody tr:nth-child(18) td")
        check(f"Step {report['blocks'][17]['join']}:" in page.text("#detail h2"), "a row shows no step")
        page.key("Escape")
        self.accessible(page, report)
        page.close()
        self.looks(path)
        self.pictures(path, "highway-gates")
        page = opened(gates={**gates, "layers": [{**gates["layers"][0], "node": HOSTILE}]})
        check("of other blocks" in page.text("#notes") and HOSTILE in page.text("#notes") and page.count("#measured *") == 0
              and page.count("script") == 5, "gates of other blocks")
        page.close()
        page = opened(gates=lesion)
        check("wants what skipc gates --json prints" in page.text("#notes"), "gates that are none")
        page.close()
        self.lesions()
        with open(gates_at, "w", encoding="utf-8") as f:
            f.write(json.dumps({**gates, "sha256": "0" * 64}))
        said = call(self.skipc, "inspect", model, "--html", path, "--gates", gates_at, status=1).stderr
        check("has no gates of this model" in said, said)
        call(self.skipc, "inspect", model, "--lesion", lesion_at, status=2)

    def made_up(self, report):
        """What skipc lesion might say of the highway's fifty layers; tests/lesion.py has what it says."""
        some = [{"recognised": n, "accuracy": n / 360, "distance": 0.01 * n, "agree": n} for n in (350, *(351 - 7 * (k % 5) for k in range(50)))]
        lesion = {**{key: report[key] for key in ("skipc", "model", "sha256", "target", "options")}, "format": 1, "command": "lesion", "inputs": None,
                  "rows": 360, "labels": HOSTILE, "whole": some[0], "stay": [], "together": [{"added": 0, "blocks": [0], **some[1]}],
                  "alone": [{"block": b["id"], "kind": b["kind"], "node": b["nodes"][-1], **one} for b, one in zip(report["blocks"], some[1:])]}
        with open(os.path.join(ROOT, "tools", "schema", "lesion.json"), encoding="utf-8") as f:
            jsonschema.validate(lesion, json.load(f))
        return lesion

    def eval_empty(self, path):
        page = self.open(path)
        empty = page.count("#measured *") == 0
        page.close()
        return empty

    def lesions(self):
        """A residual network: blocks that stay, too; distances where there are no labels."""
        model = os.path.join(DIGITS, "digits.onnx")
        at, lesion = self.written("lesion", model)
        path, _ = self.page(model, "--lesion", at)
        page = self.open(path)
        text = page.text("#measured")
        check(page.count("#measured tbody tr") == 6 and text.count("stays: its shortcut changes the shape") == 2, text)
        check(all(f"{one['distance']:.4f}" in text for one in lesion["alone"]) and page.count("#measured polyline") == 1, text)
        page.close()

    def hostile(self):
        """Names are data."""
        names = [HOSTILE, IMAGE, "\"'&lt;${1}`", "https://example.org/"]
        nodes, value = [], "x"
        for k, name in enumerate(names):
            nodes.append(helper.make_node("Conv", [value, "w" + name], [name], name=name))
            nodes.append(helper.make_node("Relu", [name], [f"{name}r"], name=name + "r"))
            value = f"{name}r"
        weights = [onnx.numpy_helper.from_array(networks.np.ones((4, 4, 1, 1), "f4"), "w" + n) for n in names]
        ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4, 4, 4]) for n in ("x", value)]
        model = os.path.join(self.work, "<b onclick='pwned=1'>.onnx")
        onnx.save(helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], weights), producer_name=HOSTILE,
                                    opset_imports=[helper.make_opsetid("", 13)], ir_version=8), model)
        path, report = self.page(model)
        page = self.open(path)
        check(page.count("script") == 5 and page.count("img, b[onclick]") == 0 and page.eval("window.pwned") is None, "a name is a tag")
        check(page.text("#name") == os.path.basename(model) and HOSTILE in page.text("#about"), "names are lost")
        for k in report["kernels"]:
            page.click(f"#step-{k['id']}")
            check(all(n.replace("\u2028", "") in page.text("#detail").replace("\u2028", "") for n in k["nodes"]), k["nodes"])
            page.key("Escape")
        page.click("#all summary")
        check(page.eval("window.pwned") is None and page.count("script") == 5, "a name is a tag in the table")
        page.close()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--skipc", default=os.path.join(ROOT, "build", "skipc"))
    p.add_argument("--shots", metavar="DIR")
    a = p.parse_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        print("report.py: NOT RUN: no chromium")
        return
    if a.shots:
        os.makedirs(a.shots, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="skipc-report-", ignore_cleanup_errors=True) as work:
        browser = Browser(program, os.path.join(work, "profile"))
        try:
            test = Test(a.skipc, work, browser, a.shots)
            for part in (test.small, test.cases, test.profile, test.gates, test.hostile, test.large):
                part()
        finally:
            browser.close()
    print("report.py: ok")


if __name__ == "__main__":
    main()
