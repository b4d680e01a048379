#!/usr/bin/env python3
"""Look at pages in Chromium, over a pipe of its debugging protocol.

    browser.py axe AXE.js PAGE...      rules of axe-core, in light and in dark
    browser.py paint PAGE...           milliseconds until something is painted
    browser.py shot DIR PAGE...        pictures, at the width of desk and telephone
    browser.py print PAGE              number of pages, as PDF
    browser.py roles PAGE              how often each role of a table stands in the
                                       tree of a screen reader
    browser.py keys PAGE               what has the focus, from Tab to Tab
    browser.py ask PAGE[#...] SCRIPT   the value of an expression, as JSON
    browser.py reload PAGE SCRIPT COMMAND...
                                       the same without scripts in the page, before the
                                       command and after the page was read again by itself

PAGE is a file, which is opened by a file: address, as a reader opens a copy.
axe exits 1 if a rule is violated.
"""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="pages-")
        to_r, self.to_w = os.pipe()
        self.from_r, from_w = os.pipe()

        def pipes():
            high = os.dup(to_r), os.dup(from_w)  # neither is 3 or 4
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
             "--no-first-run", "--disable-component-update", "--disable-sync",
             "--disable-background-networking", "--remote-debugging-pipe",
             "--user-data-dir=" + self.profile, "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=pipes, close_fds=False)
        os.close(to_r)
        os.close(from_w)
        self.n, self.data, self.events, self.session = 0, b"", [], None

    def read(self):
        while b"\0" not in self.data:
            got = os.read(self.from_r, 1 << 20)
            if got == b"":
                raise SystemExit("chromium ended")
            self.data += got
        one, self.data = self.data.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **params):
        self.n += 1
        m = {"id": self.n, "method": method, "params": params}
        if self.session:
            m["sessionId"] = self.session
        data = json.dumps(m).encode() + b"\0"
        while data:
            data = data[os.write(self.to_w, data):]
        while True:
            m = self.read()
            if m.get("id") == self.n:
                if "error" in m:
                    raise SystemExit("%s: %s" % (method, m["error"]))
                return m["result"]
            self.events.append(m)

    def wait(self, event):
        while True:
            for i, m in enumerate(self.events):
                if m.get("method") == event:
                    del self.events[:i + 1]
                    return
            self.events.append(self.read())

    def page(self, path, width=1200, height=900, dark=False, script=True):
        """Open a page in a new tab."""
        path, _, fragment = path.partition("#")
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Page.setBypassCSP", enabled=False)
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events.clear()
        got = self.call("Page.navigate", url="file://" + urllib.parse.quote(
            os.path.abspath(path)) + ("#" + fragment if fragment else ""))
        if "errorText" in got:
            raise SystemExit("%s: %s" % (path, got["errorText"]))
        self.wait("Page.loadEventFired")

    def ask(self, script):
        r = self.call("Runtime.evaluate", expression=script, awaitPromise=True,
                      returnByValue=True)
        if "exceptionDetails" in r:
            raise SystemExit(json.dumps(r["exceptionDetails"]))
        return r["result"].get("value")

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


# What the document of axe is asked for; its own "page" rules count, too.
AXE = """axe.run(document, {resultTypes: ['violations']}).then(r =>
r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) +
' ' + n.failureSummary.replace(/\\s+/g, ' ').slice(0, 200)).join(' | ')))"""


def axe(b, args):
    text, bad = open(args[0], encoding="utf-8").read(), 0
    for path in args[1:]:
        for dark in (False, True):
            b.page(path, dark=dark)
            b.ask(text + ";0")
            wrong = b.ask(AXE)
            bad += len(wrong)
            print("%s %s: %d violations" % (
                path, "dark" if dark else "light", len(wrong)))
            for w in wrong:
                print("    " + w)
    return 1 if bad else 0


# The promise is of a frame after load: then all of the page can be used.
PAINT = """new Promise(done => requestAnimationFrame(() => setTimeout(() => {
const paint = performance.getEntriesByName('first-contentful-paint')[0];
const nav = performance.getEntriesByType('navigation')[0];
done([Math.round(paint ? paint.startTime : -1), Math.round(nav.loadEventEnd),
Math.round(performance.now()), document.querySelectorAll('*').length]);
}, 0)))"""


def paint(b, args):
    for path in args:
        b.page(path)
        print("%s: first paint %d ms, loaded %d ms, drawn %d ms, %d elements" %
              ((path,) + tuple(b.ask(PAINT))))


def shot(b, args):
    for i, path in enumerate(args[1:]):
        for name, width, dark in (("desk", 1200, False), ("phone", 390, False),
                                  ("dark", 1200, True)):
            b.page(path, width=width, dark=dark)
            r = b.call("Page.captureScreenshot", format="png",
                       captureBeyondViewport=True)
            with open("%s/%d-%s.png" % (args[0], i, name), "wb") as f:
                f.write(base64.b64decode(r["data"]))


def to_pdf(b, args):
    b.page(args[0])
    r = b.call("Page.printToPDF", printBackground=True)
    print(base64.b64decode(r["data"]).count(b"/Type /Page\n"))


def roles(b, args):
    b.page(args[0])
    n = {}
    for x in b.call("Accessibility.getFullAXTree")["nodes"]:
        if not x.get("ignored"):
            role = x["role"]["value"]
            n[role] = n.get(role, 0) + 1
    for role in ("table", "row", "columnheader", "rowheader", "cell"):
        print(role, n.get(role, 0))


FOCUS = """(() => { const e = document.activeElement;
return e === document.body ? '' : e.tagName + ' ' + e.textContent.slice(0, 40); })()"""


def keys(b, args):
    b.page(args[0])
    for _ in range(200):
        for kind in ("rawKeyDown", "keyUp"):
            b.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab",
                   windowsVirtualKeyCode=9)
        now = b.ask(FOCUS)
        if now == "":
            return 0
        print(now.replace("\n", " "))
    print("the focus does not leave the page")
    return 1


def ask(b, args):
    b.page(args[0])
    print(json.dumps(b.ask(args[1])))


def reload(b, args):
    b.page(args[0], script=False)
    print(json.dumps(b.ask(args[1])), flush=True)
    b.events.clear()
    subprocess.run(args[2:], check=True, stdout=sys.stderr)
    b.wait("Page.loadEventFired")
    print(json.dumps(b.ask(args[1])))


def main():
    b = Browser()
    try:
        todo = {"axe": axe, "paint": paint, "shot": shot, "print": to_pdf, "roles": roles,
                "keys": keys,
                "ask": ask, "reload": reload}[sys.argv[1]]
        status = todo(b, sys.argv[2:])
    finally:
        b.close()
    sys.exit(status)


main()
