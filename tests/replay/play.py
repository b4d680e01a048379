#!/usr/bin/env python3
"""Play pages of recordings in Chromium, and compare their screens with tmux.

    play.py DIR

DIR has recordings and, below replay/, their pages; it is served on 127.0.0.1.
For some moments of each recording, the bytes up to there are read by the parsers
below, which share nothing with trailfs, and are given to tmux in a terminal of
the same size; the screen of the player must be the same.  The server refuses
everything but the pages, and any request for something else is an error.

Also compared: the title, the address, the elements, the plain text.  Of a
recording whose name begins with hostile, only these.  Prints one
line for each recording; exit status 1 if something differs.
"""
import functools
import http.server
import json
import os
import struct
import subprocess
import sys
import threading

MOMENTS = 8  # of a recording


# --- the recordings ---------------------------------------------------------

def cast(path):
    """Size, and events (time, kind, bytes) of an asciicast."""
    text = open(path, encoding="utf-8").read()
    head = json.loads(text.split("\n")[0]) if "\n[" in text else json.loads(text)
    events, now = [], 0.0
    if head["version"] == 1:
        for delay, data in head["stdout"]:
            now += delay
            events.append((now, "o", data.encode()))
    else:
        for line in text.split("\n")[1:]:
            if line == "" or line.startswith("#"):
                continue
            at, kind, data = json.loads(line)
            now = now + at if head["version"] == 3 else at
            events.append((now, kind, data.encode()))
    term = head.get("term", {})
    return (term.get("cols", head.get("width")) or 80,
            term.get("rows", head.get("height")) or 24, events)


def script(log, timing):
    """The same of a log of script(1), with output and input in one file."""
    first, rest = open(log, "rb").read().split(b"\n", 1)
    events, now, at = [], 0.0, 0
    cols, rows = 80, 24
    for line in open(timing, encoding="utf-8"):
        part = line.split()
        if part[0] not in "OISH":
            part = ["O"] + part
        now += float(part[1])
        if part[0] == "H":
            cols = int(part[3]) if part[2] == "COLUMNS" else cols
            rows = int(part[3]) if part[2] == "LINES" else rows
        elif part[0] != "S":
            n = int(part[2])
            events.append((now, part[0].lower(), rest[at:at + n]))
            at += n
    return cols, rows, events


def ttyrec(path):
    """The same of a ttyrec."""
    data = open(path, "rb").read()
    events, at, first = [], 0, None
    while at < len(data):
        s, us, n = struct.unpack_from("<III", data, at)
        now = s + us / 1e6
        first = now if first is None else first
        events.append((now - first, "o", data[at + 12:at + 12 + n]))
        at += 12 + n
    return 80, 24, events


def recording(path):
    if path.endswith(".cast"):
        return cast(path)
    if path.endswith(".ttyrec"):
        return ttyrec(path)
    for timing in (path + ".timing", os.path.splitext(path)[0] + ".timing"):
        if os.path.exists(timing):
            return script(path, timing)
    raise SystemExit("no timing of " + path)


# --- tmux -------------------------------------------------------------------

# In the pane: write the bytes; the terminal answers the question at their end
# once it has read all of them.
PANE = r"""
import os, signal, sys, termios, tty
tty.setraw(0)
termios.tcflush(0, termios.TCIFLUSH)
data = open(sys.argv[1], 'rb').read()
while data:
    data = data[os.write(1, data):]
os.write(1, b'\x18\x1b[?6l\x1b[r\x1b[1;1H\x1b[6n')
got = b''
while not got.endswith(b'\x1b[1;1R'):
    got += os.read(0, 1)
os.system('tmux -L ' + sys.argv[2] + ' wait-for -S drawn')
signal.pause()
"""


class Tmux:
    def __init__(self, where):
        self.servers = 0
        self.where = where
        self.env = dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm-256color")
        self.env.pop("TMUX", None)
        with open(os.path.join(where, "pane.py"), "w") as f:
            f.write(PANE)
        with open(os.path.join(where, "tmux.conf"), "w") as f:
            f.write("set -g status off\nset -g default-terminal tmux-256color\n")

    def run(self, *args):
        return subprocess.run(("tmux", "-u", "-L", self.name, "-f",
                               os.path.join(self.where, "tmux.conf")) + args,
                              env=self.env, stdout=subprocess.PIPE, check=True)

    def screen(self, cols, rows, data):
        # A server that is ending would refuse the next session.
        self.servers += 1
        self.name = "replay-%d-%d" % (os.getpid(), self.servers)
        raw = os.path.join(self.where, "raw")
        with open(raw, "wb") as f:
            f.write(data)
        self.run("new-session", "-d", "-x", str(cols), "-y", str(rows),
                 "exec python3 %s/pane.py %s %s" % (self.where, raw, self.name))
        self.run("wait-for", "drawn")
        out = self.run("capture-pane", "-p").stdout.decode()
        self.run("kill-server")
        return [line.rstrip() for line in out.split("\n")][:rows]


# --- Chromium ---------------------------------------------------------------

HARNESS = """<!DOCTYPE html><meta charset="utf-8"><title>harness</title><body>
<pre id="o"></pre><script>
async function go() {
    const out = [];
    for (const work of WORK) {
        const f = document.createElement('iframe');
        f.width = 1200;
        f.height = 900;
        await new Promise(done => {
            f.onload = done;
            f.src = work.page;
            document.body.append(f);
        });
        const d = f.contentDocument, w = f.contentWindow, got = [];
        const title = d.title, parts = n => d.querySelectorAll(n).length;
        const before = parts('*') - parts('#screen *') - parts('#steps *');
        for (const t of work.times) {
            const told = new Promise(done =>
                w.addEventListener('hashchange', done, {once: true}));
            w.location.hash = '#t=' + t.toFixed(6);
            await told;
            got.push([...d.querySelectorAll('#screen > div')].map(x =>
                x.textContent.trimEnd()));
        }
        d.getElementById('next').click();
        d.getElementById('find').value = work.find;
        d.getElementById('find').dispatchEvent(new w.Event('input'));
        const found = parts('#found li');
        out.push({page: work.page, screens: got, title, later: d.title,
            path: w.location.pathname, links: parts('a'), images: parts('img'),
            scripts: parts('script'), frames: parts('iframe') + parts('object'),
            handlers: parts('[onerror]') + parts('[onclick]') + parts('[style*=url]'),
            text: d.getElementById('text').textContent, found,
            steps: [...d.querySelectorAll('#steps li')].map(x => x.textContent),
            shown: !d.getElementById('player').hidden,
            more: parts('*') - parts('#screen *') - parts('#steps *') -
                parts('#found *') - before});
        f.remove();
    }
    document.getElementById('o').textContent = btoa(encodeURIComponent(
        JSON.stringify(out)));
}
go();
</script>"""


class Server(http.server.SimpleHTTPRequestHandler):
    asked, harness = [], ""

    def log_message(self, *args):
        pass

    def do_GET(self):
        Server.asked.append(self.path)
        if self.path == "/harness.html":
            body = Server.harness.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            super().do_GET()


def play(where, work):
    Server.harness = HARNESS.replace("WORK", json.dumps(work))
    s = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Server, directory=where))
    threading.Thread(target=s.serve_forever, daemon=True).start()
    p = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
         "--no-first-run", "--disable-component-update",
         "--disable-background-networking", "--disable-sync",
         "--user-data-dir=" + os.path.join(where, "profile"),
         "--virtual-time-budget=60000", "--dump-dom",
         "http://127.0.0.1:%d/harness.html" % s.server_port],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=600)
    text = p.stdout.decode().split('<pre id="o">')[1].split("<")[0]
    if text == "":
        raise SystemExit("the pages did not play to their end")
    import base64
    import urllib.parse
    return json.loads(urllib.parse.unquote(base64.b64decode(text).decode()))


# --- the comparison ---------------------------------------------------------

def moments(events):
    """Times at which output came, up to the first change of size."""
    at = []
    for t, kind, _ in events:
        if kind == "r":
            break
        if kind == "o":
            at.append(t)
    step = max(1, len(at) // MOMENTS)
    return sorted(set(at[step - 1::step] + at[-1:]))


# tmux prints the letters that stand for lines.
LINES = dict(zip("\u2518\u2510\u250c\u2514\u253c\u2500\u251c\u2524\u2534\u252c\u2502",
                 "jklmnqtuvwx"))


def same(a, b):
    """Are they the same line of tmux and of the player?"""
    return len(a) == len(b) and all(
        x == y or x == LINES.get(y) for x, y in zip(a, b))


def main():
    where = os.path.abspath(sys.argv[1])
    pages = os.path.join(where, "replay")
    names = sorted(n[:-5] for n in os.listdir(pages) if n.endswith(".html"))
    known = {n: recording(os.path.join(where, n)) for n in names}
    # A little later than the event, as both sides round times.
    work = [{"page": "replay/%s.html" % n, "find": "e",
             "times": [t + 2e-6 for t in moments(known[n][2])]} for n in names]
    tmux = Tmux(where)
    bad = 0
    for name, got in zip(names, play(where, work)):
        cols, rows, events = known[name]
        wrong = []
        # tmux and the player may show different things of sequences that no
        # program writes: there only the rest is compared.
        compared = [] if name.startswith("hostile") else \
            list(zip(moments(events), got["screens"]))
        for t, have in compared:
            data = b"".join(e[2] for e in events if e[0] <= t and e[1] == "o")
            want = tmux.screen(cols, rows, data)
            if len(want) != len(have) or not all(map(same, want, have)):
                wrong.append("at %f the screen is not that of tmux" % t)
                for y, (a, b) in enumerate(zip(want, have)):
                    if not same(a, b):
                        wrong.append("  line %d: tmux   %r" % (y, a))
                        wrong.append("  line %d: player %r" % (y, b))
        if got["title"] != "Replay of %s - trailfs" % name or \
                got["later"] != got["title"]:
            wrong.append("the title became " + got["later"])
        if got["path"] != "/replay/%s.html" % name:
            wrong.append("the address became " + got["path"])
        if (got["links"], got["images"], got["scripts"], got["frames"],
                got["handlers"], got["more"]) != (1, 0, 2, 0, 0, 0):
            wrong.append("elements: %r" % {k: got[k] for k in (
                "links", "images", "scripts", "frames", "handlers", "more")})
        if not got["shown"]:
            wrong.append("the player did not start")
        if not any(c.isalpha() for c in got["text"]) or got["found"] == 0:
            wrong.append("no text, or the search finds nothing in it")
        bad += len(wrong)
        print("%s: %d moments, %d commands%s" % (
            name, len(compared), len(got["steps"]),
            "" if not wrong else ": DIFFERS\n" + "\n".join(wrong)))
    odd = [p for p in Server.asked if p not in
           ["/harness.html", "/favicon.ico"] + ["/" + w["page"] for w in work]]
    if odd:
        print("requests for %r" % odd)
    sys.exit(1 if bad or odd else 0)


main()
