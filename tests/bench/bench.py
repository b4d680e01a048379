#!/usr/bin/env python3
"""Each work on trailfs and on its rivals, side by side on one disk.

usage: bench.py BUILD [--rounds N] [--files N] [--mib N] [--curve N,N,...]
                [--ledger ENTRIES] [--only WORD,...]

Rounds are interleaved and in random order; medians and ratios are printed,
bench.json and bench.svg are written into BUILD.  Works that have to be durable
are so on both sides: trailfs by close(2), the others by fsync or syncfs.
"""
import argparse
import json
import os
import platform
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time

HASHES = {"sha256sum": ["sha256sum"], "openssl": ["openssl", "dgst", "-sha256"]}


def run(*cmd, **kw):
    return subprocess.run(cmd, check=True, stdout=subprocess.DEVNULL, **kw)


def timed(*cmds):
    begin = time.monotonic()
    for cmd in cmds:
        run(*cmd)
    return time.monotonic() - begin


def sync_fs(path):
    run("sync", "-f", path)


def drop_caches():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as f:
        f.write("3")


class Place:
    """A directory to work in, and what it is called."""

    def __init__(self, name, path, durable_close=False):
        self.name, self.path, self.durable_close = name, path, durable_close
        self.count = 0

    def new(self):
        self.count += 1
        path = os.path.join(self.path, "%s%d" % ("n", self.count))
        os.mkdir(path)
        return path


class Bench:
    def __init__(self, args):
        self.args = args
        self.build = os.path.abspath(args.build)
        self.work = os.path.join(self.build, "bench-work")
        self.files = os.path.join(self.build, "bench-files")
        self.results = {}  # work -> rival -> [seconds]
        self.extra = {}
        self.daemons = {}

    # --- places ---------------------------------------------------------

    def setup(self):
        self.teardown()
        os.makedirs(self.work)
        self.memory = os.path.join("/dev/shm", "trailfs-bench-%d" % os.getpid())
        os.makedirs(self.memory)
        plain = os.path.join(self.work, "ext4")
        os.mkdir(plain)
        self.ext4 = Place("ext4", plain)
        self.close = self.trailfs("close")
        self.batch = self.trailfs("batch")
        self.bindfs = None
        if shutil.which("bindfs"):
            under, over = (os.path.join(self.work, d) for d in ("under", "bindfs"))
            os.mkdir(under)
            os.mkdir(over)
            run("bindfs", under, over)
            self.bindfs = Place("bindfs", over)
        else:
            print("SKIP bindfs: not installed")

    def trailfs(self, durability):
        base = os.path.join(self.work, "trailfs-" + durability)
        store, mnt = base + "/store", base + "/mnt"
        os.makedirs(mnt)
        run(self.build + "/trailctl", "init", store)
        d = subprocess.Popen([self.build + "/trailfs", store, mnt, "-f", "-o",
                              "durability=" + durability],
                             stderr=open(base + "/log", "w"))
        self.daemons[durability] = d
        while not os.path.ismount(mnt):
            if d.poll() is not None:
                sys.exit("trailfs did not start: " + open(base + "/log").read())
            time.sleep(0.02)
        os.makedirs(mnt + "/bench/run")
        return Place("trailfs" + (" batch" if durability == "batch" else ""),
                     mnt + "/bench/run", durability == "close")

    def teardown(self):
        for line in open("/proc/self/mounts"):
            at = line.split()[1]
            if at.startswith(self.work + "/"):
                subprocess.run(["umount", "-l", at])
        for d in self.daemons.values():
            try:
                d.wait(60)
            except subprocess.TimeoutExpired:
                d.send_signal(signal.SIGTERM)
        for name in ("trailfs-close", "trailfs-batch"):
            subprocess.run(["chattr", "-i", os.path.join(self.work, name, "mnt")],
                           stderr=subprocess.DEVNULL)
        shutil.rmtree(self.work, ignore_errors=True)
        if hasattr(self, "memory"):
            shutil.rmtree(self.memory, ignore_errors=True)

    def cpu(self):
        """Seconds of CPU that the daemons took so far."""
        total = 0
        for d in self.daemons.values():
            with open("/proc/%d/stat" % d.pid) as f:
                v = f.read().rsplit(")", 1)[1].split()
            total += int(v[11]) + int(v[12])
        return total / os.sysconf("SC_CLK_TCK")

    def peak_kib(self, durability):
        with open("/proc/%d/status" % self.daemons[durability].pid) as f:
            for line in f:
                if line.startswith("VmHWM"):
                    return int(line.split()[1])

    # --- measuring ------------------------------------------------------

    def note(self, work, rival, seconds):
        self.results.setdefault(work, {}).setdefault(rival, []).append(seconds)

    def rounds(self, work, jobs):
        """jobs: name -> function that returns seconds."""
        if self.args.only and not any(w in work for w in self.args.only):
            return
        for _ in range(self.args.rounds):
            names = list(jobs)
            random.shuffle(names)
            for name in names:
                os.sync()
                before = self.cpu()
                took = jobs[name]()
                self.note(work, name, took)
                if name.startswith("trailfs"):
                    self.extra.setdefault(work, {}).setdefault(
                        "daemon_cpu_s", []).append(round(self.cpu() - before, 3))
        self.show(work)

    def show(self, work):
        median = {n: statistics.median(s) for n, s in self.results[work].items()}
        ours = median.get("trailfs")
        for name, m in median.items():
            spread = self.results[work][name]
            ratio = "" if name.startswith("trailfs") or not ours else \
                "   trailfs takes %.2f of it" % (ours / m)
            if ratio and "trailfs batch" in median:
                ratio += ", batch %.2f" % (median["trailfs batch"] / m)
            print("%-34s %-22s %9.3f s  (%.3f-%.3f)%s" % (
                work, name, m, min(spread), max(spread), ratio))
        sys.stdout.flush()

    def tool(self, *args):
        out = subprocess.run([self.files, *map(str, args)], check=True,
                             stdout=subprocess.PIPE).stdout
        return json.loads(out)

    # --- writing --------------------------------------------------------

    def big(self):
        src = self.memory + "/big"
        with open(src, "wb") as f:
            for _ in range(self.args.mib):
                f.write(os.urandom(1 << 20))

        def plain(place, hasher):
            def job():
                d = place.new()
                took = timed(("cp", src, d), ("sync", d + "/big"),
                             (*HASHES[hasher], d + "/big"))
                os.unlink(d + "/big")
                return took
            return job

        def ours():
            d = self.close.new()
            return timed(("cp", src, d))

        # New bytes each time, or the second copy would be stored already.
        def fresh(job):
            def again():
                with open(src, "r+b") as f:
                    f.write(os.urandom(64))
                return job()
            return again

        jobs = {"trailfs": fresh(ours),
                "ext4, sync, sha256sum": fresh(plain(self.ext4, "sha256sum")),
                "ext4, sync, openssl": fresh(plain(self.ext4, "openssl"))}
        if self.bindfs:
            jobs["bindfs, sync, openssl"] = fresh(plain(self.bindfs, "openssl"))
        self.rounds("cp of %d MiB" % self.args.mib, jobs)
        os.unlink(src)

    def small(self, writers):
        n = self.args.files

        def job(place):
            def go():
                d = place.new()
                how = [] if place.durable_close else ["fsync"]
                r = self.tool("create", d, n, 4096, writers, *how)
                self.extra.setdefault("small %d" % writers, {}).setdefault(
                    place.name, []).append(r)
                return r["seconds"]
            return go

        jobs = {"trailfs": job(self.close), "ext4, fsync": job(self.ext4)}
        if self.bindfs:
            jobs["bindfs, fsync"] = job(self.bindfs)
        self.rounds("%d x 4 KiB, %d writer%s" % (n, writers, "s"[:writers - 1]),
                    jobs)

    def source_tree(self, n):
        top = self.memory + "/tree"
        for i in range(n):
            d = "%s/d%02d" % (top, i % 50)
            os.makedirs(d, exist_ok=True)
            with open("%s/%06d" % (d, i), "wb") as f:
                f.write(os.urandom(4096))
        run("tar", "-C", self.memory, "-cf", self.memory + "/tree.tar", "tree")
        return top

    def trees(self):
        n = self.args.files
        top = self.source_tree(n)
        tar = self.memory + "/tree.tar"
        copies = {
            "cp -r": lambda d: ("cp", "-r", top, d),
            "tar x": lambda d: ("tar", "-C", d, "-xf", tar),
            "rsync -a": lambda d: ("rsync", "-a", top, d),
        }

        def job(place, cmd, hashes):
            def go():
                d = place.new()
                begin = time.monotonic()
                run(*cmd(d))
                if not place.durable_close:
                    sync_fs(d)
                if hashes:
                    run("sh", "-c", "find \"$1\" -type f -exec sha256sum {} +",
                        "sh", d)
                return time.monotonic() - begin
            return go

        def batch(cmd):
            def go():
                d = self.batch.new()
                begin = time.monotonic()
                run(*cmd(d))
                run(self.build + "/trailctl", "sync", d)
                return time.monotonic() - begin
            return go

        def git():
            d = self.ext4.new()
            g = ("git", "-C", d, "-c", "core.fsync=all", "-c", "user.name=x",
                 "-c", "user.email=x@example.org", "-c", "gc.auto=0")
            run(*g, "init", "-q")
            begin = time.monotonic()
            run(*copies["cp -r"](d))
            run(*g, "add", "-A")
            run(*g, "commit", "-qm", "x")
            sync_fs(d)
            return time.monotonic() - begin

        def restic():
            d = self.ext4.new()
            env = dict(os.environ, RESTIC_PASSWORD="x", RESTIC_CACHE_DIR=d + "/c")
            run("restic", "-q", "-r", d + "/r", "init", env=env)
            begin = time.monotonic()
            run("restic", "-q", "-r", d + "/r", "backup", top, env=env)
            sync_fs(d)
            return time.monotonic() - begin

        for name, cmd in copies.items():
            jobs = {"trailfs": job(self.close, cmd, False),
                    "trailfs batch": batch(cmd),
                    "ext4, syncfs, sha256sum": job(self.ext4, cmd, True)}
            if name == "cp -r":
                if shutil.which("git"):
                    jobs["git add, commit"] = git
                if shutil.which("restic"):
                    jobs["restic backup"] = restic
            self.rounds("%s of %d x 4 KiB" % (name, n), jobs)
        shutil.rmtree(top)
        os.unlink(tar)

    def log(self):
        size = 100 << 20 if self.args.mib >= 1024 else self.args.mib << 17

        def job(place):
            def go():
                how = [] if place.durable_close else ["fsync"]
                return self.tool("stream", place.new() + "/log", size, 200,
                                 *how)["seconds"]
            return go

        jobs = {"trailfs": job(self.close), "ext4, fsync": job(self.ext4)}
        if self.bindfs:
            jobs["bindfs, fsync"] = job(self.bindfs)
        self.rounds("%d MiB in 200-byte writes" % (size >> 20), jobs)

    def curve(self):
        """Time per file must not grow with the files there are."""
        made, rows = 0, []
        d = None
        for upto in self.args.curve:
            while made < upto:
                if made % 10000 == 0:
                    d = self.close.new()
                took = self.tool("create", d, min(10000, upto - made), 4096,
                                 8)["seconds"]
                made += min(10000, upto - made)
            rows.append((made, took / 10000 * 1e6,
                         self.peak_kib("close") / 1024))
            print("%9d files: %.1f us a file, daemon's peak %.0f MiB" % rows[-1])
            sys.stdout.flush()
        self.extra["curve"] = rows

    # --- reading --------------------------------------------------------

    def reading(self):
        n = self.args.files
        places = [p for p in (self.close, self.ext4, self.bindfs) if p]
        small, big = {}, {}
        for p in places:
            small[p.name] = p.new()
            self.tool("create", small[p.name], n, 4096, 2)
            d = p.new()
            run("sh", "-c", "head -c %dM /dev/urandom >%s/big" %
                (self.args.mib, d))
            big[p.name] = d + "/big"
        run(self.build + "/trailctl", "sync", self.close.path)
        os.sync()

        def again(paths, cmd, cold=False):
            def job(path):
                def go():
                    if cold:
                        drop_caches()
                    else:
                        run(*cmd(path))
                    return timed(cmd(path))
                return go
            return {name: job(path) for name, path in paths.items()}

        def cat(p):
            return ("cat", p)

        self.rounds("cat %d MiB, warm" % self.args.mib, again(big, cat))
        self.rounds("cat %d MiB, cold" % self.args.mib, again(big, cat, True))
        for name, cmd in {
            "read all": lambda p: (self.files, "read", p),
            "grep -r": lambda p: ("sh", "-c", "! grep -rq '^no such line$' " + p),
            "find -ls": lambda p: ("find", p, "-ls"),
            "du -s": lambda p: ("du", "-s", p),
            "ls -lR": lambda p: ("ls", "-lR", p),
            "tar c": lambda p: ("sh", "-c", "tar -C %s -cf - . | cat" % p),
        }.items():
            self.rounds("%s, %d files, warm" % (name, n), again(small, cmd))
        self.rounds("read all, %d files, cold" % n, again(
            small, lambda p: (self.files, "read", p), True))

    def verify(self):
        store = self.work + "/trailfs-close/store"
        mnt = self.close.path

        def ours():
            return timed((self.build + "/trailctl", "verify", store))

        def sums():
            return timed(("sh", "-c", "find %s -type f -print0 |"
                          " xargs -0 -P %d -n 64 sha256sum" %
                          (mnt, os.cpu_count())))

        self.rounds("verify everything", {
            "trailfs": ours, "sha256sum on all cores": sums})

    def ledger(self):
        """The engine without a mount: appends, proofs, opening, verifying."""
        store = self.work + "/ledger"
        out = subprocess.run([self.build + "/bench-ledger", store,
                              str(self.args.ledger)], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
        print(out, end="")
        self.extra["ledger"] = out.splitlines()

    # --- all of it ------------------------------------------------------

    def report(self):
        out = {
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "cores": os.cpu_count(), "kernel": platform.release(),
            "machine": platform.machine(), "rounds": self.args.rounds,
            "versions": {
                "trailfs": subprocess.run(
                    [self.build + "/trailfs", "-V"], stdout=subprocess.PIPE,
                    text=True).stdout.strip()},
            "seconds": self.results, "extra": self.extra,
            "daemon_peak_kib": {d: self.peak_kib(d) for d in self.daemons},
        }
        with open(self.build + "/bench.json", "w") as f:
            json.dump(out, f, indent=1)
        self.chart(self.build + "/bench.svg")

    def chart(self, path):
        rows = []
        for work, rivals in self.results.items():
            for name, s in rivals.items():
                if name.startswith("trailfs"):
                    continue
                for mine in ("trailfs", "trailfs batch"):
                    if mine in rivals:
                        rows.append(("%s: %s / %s" % (work, mine, name),
                                     statistics.median(rivals[mine]) /
                                     statistics.median(s)))
        width, line = 900, 18
        scale = 240.0  # pixels for a ratio of 1
        out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
               'font-family="sans-serif" font-size="11">' %
               (width, line * (len(rows) + 3))]
        out.append('<text x="8" y="14">time of trailfs / time of the other; '
                   'the line is 1, shorter is faster</text>')
        for i, (label, ratio) in enumerate(rows):
            y = line * (i + 2)
            out.append('<text x="8" y="%d">%s</text>' % (y, label))
            out.append('<rect x="380" y="%d" width="%.1f" height="11" '
                       'fill="#4a7ab0"/>' % (y - 10, min(ratio, 2) * scale))
            out.append('<text x="%.1f" y="%d">%.2f</text>' %
                       (384 + min(ratio, 2) * scale, y, ratio))
        out.append('<line x1="620" y1="20" x2="620" y2="%d" stroke="#888"/>' %
                   (line * (len(rows) + 2)))
        out.append("</svg>\n")
        with open(path, "w") as f:
            f.write("\n".join(out))

    def main(self):
        try:
            self.setup()
            self.big()
            self.small(1)
            self.small(8)
            self.trees()
            self.log()
            self.reading()
            self.verify()
            if self.args.ledger:
                self.ledger()
            if self.args.curve:
                self.curve()
            self.report()
        finally:
            self.teardown()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("build")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--files", type=int, default=10000)
    p.add_argument("--mib", type=int, default=1024)
    p.add_argument("--curve", default="",
                   type=lambda s: [int(x) for x in s.split(",") if x])
    p.add_argument("--ledger", type=int, default=0)
    p.add_argument("--only", default="",
                   type=lambda s: [x for x in s.split(",") if x])
    Bench(p.parse_args()).main()


if __name__ == "__main__":
    main()
