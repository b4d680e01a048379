#!/usr/bin/env python3
"""Each work on trailfs and on its rivals, side by side on one disk.

usage: bench.py BUILD [--rounds N] [--files N] [--names N] [--mib N]
                [--curve N,N,...] [--ledger ENTRIES] [--waits MIB,NAMES,WORKFLOWS]
                [--loads LOAD,...] [--busy] [--only GROUP,...]

Rounds are interleaved and in random order; medians and ratios are printed,
bench.json and bench.svg are written into BUILD.  Works that have to be durable
are so on both sides: trailfs by close(2), the others by fsync or syncfs.
Beside small files stand two that do less: a file system that answers the same
requests and keeps nothing, and a database that takes the same bytes without one.
With --busy a process that yields to all others keeps each core awake: waking one
takes longer than most requests.
"""
import argparse
import json
import os
import platform
import random
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time

HASHES = {"sha256sum": ["sha256sum"], "openssl": ["openssl", "dgst", "-sha256"]}


def run(*cmd, **kw):
    return subprocess.run(cmd, check=True, stdout=subprocess.DEVNULL, **kw)


def version(cmd):
    """What a program says that it is, its first line."""
    return subprocess.run(cmd, stdout=subprocess.PIPE, text=True,
                          check=True).stdout.splitlines()[0]


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
        path = os.path.join(self.path, "n%d" % self.count)
        os.mkdir(path)
        return path


class Bench:
    def __init__(self, args):
        self.args = args
        self.build = os.path.abspath(args.build)
        self.work = os.path.join(self.build, "bench-work")
        self.files = os.path.join(self.build, "bench-files")
        self.limits = os.path.join(self.build, "bench-limits")
        self.waiter = os.path.join(self.build, "bench-waits")
        self.results = {}  # work -> rival -> [seconds]
        self.cpus = {}     # work -> rival -> [seconds of all cores]
        self.extra = {}
        self.daemons = {}
        self.spinners = []

    # --- places ---------------------------------------------------------

    def setup(self):
        self.teardown()
        os.makedirs(self.work)
        self.memory = os.path.join("/dev/shm", "trailfs-bench-%d" % os.getpid())
        os.makedirs(self.memory)
        plain = os.path.join(self.work, "ext4")
        os.mkdir(plain)
        self.ext4 = Place("ext4", plain)
        self.close = self.trailfs("close", "close")
        self.batch = self.trailfs("batch", "batch")
        self.streams = self.trailfs("streams", "close", ",streams=on")
        self.bindfs = None
        if shutil.which("bindfs"):
            under, over = (os.path.join(self.work, d) for d in ("under", "bindfs"))
            os.mkdir(under)
            os.mkdir(over)
            self.start("bindfs", ["bindfs", "-f", under, over], over)
            self.bindfs = Place("bindfs", over)
        else:
            print("SKIP bindfs: not installed")

    def trailfs(self, name, durability, more=""):
        base = os.path.join(self.work, "trailfs-" + name)
        store, mnt = base + "/store", base + "/mnt"
        os.makedirs(mnt)
        run(self.build + "/trailctl", "init", store)
        self.start(name, [self.build + "/trailfs", store, mnt, "-f", "-o",
                          "durability=" + durability + more], mnt)
        os.makedirs(mnt + "/bench/run")
        return Place("trailfs" + (" batch" if durability == "batch" else ""),
                     mnt + "/bench/run", durability == "close")

    def nothing(self):
        """A file system that keeps nothing."""
        path = os.path.join(self.work, "null")
        os.makedirs(path, exist_ok=True)
        self.start("null", [self.limits, "null", path], path)
        return Place("null", path, True)

    def start(self, name, cmd, mnt):
        """A daemon that serves mnt; returns when it does."""
        log = os.path.join(self.work, name + ".log")
        d = subprocess.Popen(cmd, stdout=subprocess.DEVNULL,
                             stderr=open(log, "w"))
        self.daemons[name] = d
        while not os.path.ismount(mnt):
            if d.poll() is not None:
                sys.exit("%s did not start: %s" % (name, open(log).read()))
            time.sleep(0.005)

    def stop(self, name, mnt):
        run("umount", mnt)
        self.daemons.pop(name).wait(600)

    def keep_awake(self):
        for _ in range(os.cpu_count()):
            pid = os.fork()
            if pid == 0:
                os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
                parent = os.getppid()
                while os.getppid() == parent:
                    for _ in range(10**6):
                        pass
                os._exit(0)
            self.spinners.append(pid)

    def teardown(self):
        for pid in self.spinners:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.spinners = []
        for line in open("/proc/self/mounts"):
            at = line.split()[1]
            if at.startswith(self.work + "/"):
                subprocess.run(["umount", "-l", at])
        for d in self.daemons.values():
            try:
                d.wait(60)
            except subprocess.TimeoutExpired:
                d.send_signal(signal.SIGTERM)
        self.daemons = {}
        for top, dirs, _ in os.walk(self.work):
            if "mnt" in dirs:  # made unwritable while nothing is mounted there
                subprocess.run(["chattr", "-i", os.path.join(top, "mnt")],
                               stderr=subprocess.DEVNULL)
        shutil.rmtree(self.work, ignore_errors=True)
        if hasattr(self, "memory"):
            shutil.rmtree(self.memory, ignore_errors=True)

    def cpu(self):
        """Seconds of CPU that daemons and what we started took so far."""
        u = resource.getrusage(resource.RUSAGE_CHILDREN)
        total = u.ru_utime + u.ru_stime
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
        for _ in range(self.args.rounds):
            names = list(jobs)
            random.shuffle(names)
            for name in names:
                os.sync()
                before = self.cpu()
                took = jobs[name]()
                self.note(work, name, took)
                self.cpus.setdefault(work, {}).setdefault(name, []).append(
                    round(self.cpu() - before, 3))
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
            print("%-34s %-22s %9.3f s  (%.3f-%.3f), cpu %.2f s%s" % (
                work, name, m, min(spread), max(spread),
                statistics.median(self.cpus[work][name]), ratio))
        sys.stdout.flush()

    def limit(self, work, name, most):
        """A limit that the manual states: `name` takes at most so many times
        what trailfs takes, by the median of the rounds, each of which did both
        jobs one after the other."""
        rows = self.results[work]
        ratios = [a / b for a, b in zip(rows[name], rows["trailfs"])]
        median = statistics.median(ratios)
        word = "within the limit" if median <= most else "over the limit"
        print("limit    %s: %s takes %.2f of trailfs (%.2f-%.2f in %d rounds, "
              "least times %.2f), at most %.2f: %s" %
              (work, name, median, min(ratios), max(ratios), len(ratios),
               min(rows[name]) / min(rows["trailfs"]), most, word))
        self.extra.setdefault("limits", []).append(
            {"work": work, "name": name, "ratios": ratios, "most": most,
             "result": word})
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

        def ours(place):
            def job():
                return timed(("cp", src, place.new()))
            return job

        # New bytes each time, or the second copy would be stored already.
        # And memory that a guest gave back to its host, to get which again
        # takes longer than all else, is got before.
        def fresh(job):
            def again():
                run(sys.executable, "-c",
                    "bytearray(%d << 20)" % (4 * self.args.mib))
                with open(src, "r+b") as f:
                    f.write(os.urandom(64))
                return job()
            return again

        jobs = {"trailfs": fresh(ours(self.close)),
                "trailfs streams": fresh(ours(self.streams)),
                "ext4, sync, sha256sum": fresh(plain(self.ext4, "sha256sum")),
                "ext4, sync, openssl": fresh(plain(self.ext4, "openssl"))}
        if self.bindfs:
            jobs["bindfs, sync, openssl"] = fresh(plain(self.bindfs, "openssl"))
        self.rounds("cp of %d MiB" % self.args.mib, jobs)
        os.unlink(src)

    def secret(self):
        """The same copy into a trail that encrypts, to its close and to its
        seal."""
        if not shutil.which("age-keygen"):
            print("SKIP secret: no age-keygen")
            return
        mnt = os.path.dirname(os.path.dirname(self.close.path))
        os.makedirs(mnt + "/secret/run")
        key = self.work + "/identity"
        run("age-keygen", "-o", key, stderr=subprocess.DEVNULL)
        to = subprocess.run(["age-keygen", "-y", key], check=True,
                            stdout=subprocess.PIPE).stdout
        with open(mnt + "/secret/.trailfs/recipients", "wb") as f:
            f.write(to)
        place = Place("encrypted", mnt + "/secret/run", True)
        src = self.memory + "/secret"
        with open(src, "wb") as f:
            for _ in range(self.args.mib):
                f.write(os.urandom(1 << 20))

        # New bytes each time, or the second copy would be stored already.
        def job(place, *more):
            def go():
                with open(src, "r+b") as f:
                    f.write(os.urandom(64))
                took = timed(("cp", src, place.new()), *more)
                run(self.build + "/trailctl", "sync", mnt)
                return took
            return go

        sync = (self.build + "/trailctl", "sync", mnt)
        for until, more in ("close", ()), ("seal", (sync,)):
            self.rounds("cp of %d MiB until its %s" % (self.args.mib, until),
                        {"trailfs": job(self.close, *more),
                         "encrypted trail": job(place, *more)})
            self.limit("cp of %d MiB until its %s" % (self.args.mib, until),
                       "encrypted trail", 2)
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

        def database():
            path = self.ext4.new() + "/db"
            return json.loads(subprocess.run(
                [self.limits, "database", path, str(n), "4096", str(writers)],
                check=True, stdout=subprocess.PIPE).stdout)["seconds"]

        nothing = self.nothing()
        jobs = {"trailfs": job(self.close), "ext4, fsync": job(self.ext4),
                "null file system": job(nothing),
                "bare database": database}
        if self.bindfs:
            jobs["bindfs, fsync"] = job(self.bindfs)
        self.rounds("%d x 4 KiB, %d writer%s" % (n, writers, "s"[:writers - 1]),
                    jobs)
        self.stop("null", nothing.path)

    def source_tree(self, n):
        """Eight trees of one size, and an archive of each."""
        top = self.memory + "/trees"
        for i in range(n):
            d = "%s/%d/d%02d" % (top, i % 8, i // 8 % 10)
            os.makedirs(d, exist_ok=True)
            with open("%s/%06d" % (d, i), "wb") as f:
                f.write(os.urandom(4096))
        for i in range(8):
            run("tar", "-C", top, "-cf", "%s/%d.tar" % (top, i), str(i))
        return top

    def trees(self):
        n = self.args.files
        top = self.source_tree(n)
        # $1: a directory of the eight trees, $2: where to; $3: how many at once
        copies = {
            "cp -r": "seq 0 7 | xargs -P $3 -I {} cp -r $1/{} $2",
            "tar x": "seq 0 7 | xargs -P $3 -I {} tar -C $2 -xf $1/{}.tar",
            "rsync -a": "seq 0 7 | xargs -P $3 -I {} rsync -a $1/{} $2",
        }

        def copy(script, d, at_once):
            run("sh", "-c", script, "sh", top, d, str(at_once))

        def job(place, cmd, at_once, hashes):
            def go():
                d = place.new()
                begin = time.monotonic()
                copy(cmd, d, at_once)
                if not place.durable_close:
                    sync_fs(d)
                if hashes:
                    run("sh", "-c", "find \"$1\" -type f -exec sha256sum {} +",
                        "sh", d)
                return time.monotonic() - begin
            return go

        def batch(cmd, at_once):
            def go():
                d = self.batch.new()
                begin = time.monotonic()
                copy(cmd, d, at_once)
                run(self.build + "/trailctl", "sync", d)
                return time.monotonic() - begin
            return go

        def git():
            d = self.ext4.new()
            g = ("git", "-C", d, "-c", "core.fsync=all", "-c", "user.name=x",
                 "-c", "user.email=x@example.org", "-c", "gc.auto=0")
            run(*g, "init", "-q")
            begin = time.monotonic()
            copy(copies["cp -r"], d, 1)
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

        nothing = self.nothing()
        for name, cmd in copies.items():
            for at_once in 1, 8:
                jobs = {"trailfs": job(self.close, cmd, at_once, False),
                        "trailfs batch": batch(cmd, at_once),
                        "ext4, syncfs, sha256sum":
                            job(self.ext4, cmd, at_once, True)}
                if name == "cp -r":
                    jobs["null file system"] = job(nothing, cmd, at_once, False)
                if name == "cp -r" and at_once == 1:
                    if shutil.which("git"):
                        jobs["git add, commit"] = git
                    if shutil.which("restic"):
                        jobs["restic backup"] = restic
                self.rounds("%s of %d x 4 KiB, %d at once" %
                            (name, n, at_once), jobs)
        self.stop("null", nothing.path)
        shutil.rmtree(top)

    def sizes(self):
        """What 4 KiB of evidence take on the disk, at rest."""
        n = self.args.files
        top = self.source_tree(n)
        run("sh", "-c", "rm %s/*.tar" % top)

        def used(path, *more):
            out = subprocess.run(["du", "-s", "-B1", *more, path], text=True,
                                 check=True, stdout=subprocess.PIPE).stdout
            return int(out.split()[0])

        place = self.trailfs("sizes", "close")
        store = self.work + "/trailfs-sizes/store"
        before = used(store)
        run("cp", "-r", top, place.path)
        self.stop("sizes", self.work + "/trailfs-sizes/mnt")
        plain, git = self.ext4.new(), self.ext4.new()
        run("cp", "-r", top, plain)
        run("cp", "-r", top, git)
        for cmd in (("init", "-q"), ("add", "-A"),
                    ("-c", "user.name=x", "-c", "user.email=x@example.org",
                     "-c", "gc.auto=0", "commit", "-qm", "x")):
            run("git", "-C", git, *cmd)
        rows = {"trailfs": (used(store) - before) / n, "ext4": used(plain) / n,
                "git, .git": used(git + "/.git") / n}
        run("git", "-C", git, "gc", "-q")
        rows["git, .git after gc"] = used(git + "/.git") / n
        for name, each in rows.items():
            print("%-34s %-22s %9.0f bytes" % ("a file of 4 KiB on the disk",
                                               name, each))
        self.extra["bytes_per_4k_file"] = rows
        shutil.rmtree(top)

    def log(self):
        size = 100 << 20 if self.args.mib >= 1024 else self.args.mib << 17

        def job(place):
            def go():
                how = [] if place.durable_close else ["fsync"]
                return self.tool("stream", place.new() + "/log", size, 200,
                                 *how)["seconds"]
            return go

        jobs = {"trailfs": job(self.close), "trailfs streams": job(self.streams),
                "ext4, fsync": job(self.ext4)}
        if self.bindfs:
            jobs["bindfs, fsync"] = job(self.bindfs)
        self.rounds("%d MiB in 200-byte writes" % (size >> 20), jobs)

    def curve(self):
        """Time per file must not grow with the files there are."""
        rows, last = [], []
        for made in range(10000, max(self.args.curve, default=0) + 1, 10000):
            last.append(self.tool("create", self.close.new(), 10000, 4096,
                                  8)["seconds"])
            if made in self.args.curve:
                # Of the last five ten thousands, for one may meet a busy disk.
                rows.append((made, statistics.median(last[-5:]) * 100,
                             self.peak_kib("close") / 1024))
                print("%9d files: %.1f us a file, daemon's peak %.0f MiB" %
                      rows[-1])
                sys.stdout.flush()
        if not rows:
            return
        took = timed(("sh", "-c", "find %s | wc -l" % self.close.path))
        print("%9d names listed: %.1f s, daemon's peak %.0f MiB" %
              (rows[-1][0], took, self.peak_kib("close") / 1024))
        self.extra["curve"] = rows

    # --- reading --------------------------------------------------------

    def readers(self):
        return [p for p in (self.close, self.ext4, self.bindfs) if p]

    def again(self, work, paths, cmd, cold=False):
        def job(path):
            def go():
                if cold:
                    drop_caches()
                else:
                    run(*cmd(path))
                return timed(cmd(path))
            return go
        self.rounds("%s, %s" % (work, "cold" if cold else "warm"),
                    {name: job(path) for name, path in paths.items()})

    def reading(self):
        n = self.args.files
        small, big = {}, {}
        for p in self.readers():
            small[p.name] = p.new()
            self.tool("create", small[p.name], n, 4096, 2)
            d = p.new()
            run("sh", "-c", "head -c %dM /dev/urandom >%s/big" %
                (self.args.mib, d))
            big[p.name] = d + "/big"
        run(self.build + "/trailctl", "sync", self.close.path)
        os.sync()

        def cat(p):
            return ("cat", p)

        self.again("cat %d MiB" % self.args.mib, big, cat)
        self.again("cat %d MiB" % self.args.mib, big, cat, True)
        for name, cmd in {
            "read all": lambda p: (self.files, "read", p),
            "grep -r": lambda p: ("sh", "-c", "! grep -rq '^no such line$' " + p),
            "tar c": lambda p: ("sh", "-c", "tar -C %s -cf - . | cat" % p),
        }.items():
            self.again("%s, %d files" % (name, n), small, cmd)
        self.again("read all, %d files" % n, small,
                   lambda p: (self.files, "read", p), True)

    def recorded(self):
        """Opening sealed files with and without a record of who does it."""
        n, small = self.args.files, {}
        for name, reads in ("trailfs", "off"), ("reads=log", "log"):
            p = self.trailfs("reads-" + reads, "close", ",reads=" + reads)
            small[name] = p.new()
            self.tool("create", small[name], n, 4096, 2)
            run(self.build + "/trailctl", "sync", p.path)
        work = "open, read, close %d files" % n
        self.again(work, small, lambda p: (self.files, "read", p))
        self.limit(work + ", warm", "reads=log", 1.1)

    def listing(self):
        many, n = {}, self.args.names
        for p in self.readers():
            many[p.name] = p.new()
            for _ in range(10):
                d = os.path.join(many[p.name], str(_))
                os.mkdir(d)
                self.tool("create", d, n // 10, 16, 2)
        run(self.build + "/trailctl", "sync", self.close.path)

        def find(p):
            return ("find", p, "-ls")

        def ls(p):
            return ("ls", "-lR", p)

        self.again("find -ls, %d files" % n, many, find)
        self.again("du -s, %d files" % n, many, lambda p: ("du", "-s", p))
        self.again("ls -lR, %d files" % n, many, ls)
        self.again("find -ls, %d files" % n, many, find, True)
        run(self.build + "/trailctl", "seal", many[self.close.name])
        self.again("ls -lR, %d files, sealed" % n, many, ls)

    def pages(self):
        """The page of a trail with 10,000 workflows, in a browser: milliseconds from the
        beginning until something is seen, and until all is drawn."""
        if not shutil.which("chromium"):
            print("SKIP pages: chromium is not installed")
            return
        n, trail = 10000, os.path.dirname(os.path.dirname(self.close.path)) + "/pages"
        os.mkdir(trail)
        for i in range(n):
            os.mkdir("%s/run-%05d" % (trail, i))
        look = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                            "pages", "browser.py")
        page = self.work + "/pages.html"
        seen, drawn = [], []
        for _ in range(self.args.rounds):
            shutil.copyfile(trail + "/.trailfs/index.html", page)
            out = subprocess.run((sys.executable, look, "paint", page), check=True,
                                 stdout=subprocess.PIPE, text=True).stdout
            ms = re.search(r"first paint (\d+) ms, .* drawn (\d+) ms", out)
            seen.append(int(ms.group(1)))
            drawn.append(int(ms.group(2)))
        print("page of %d workflows: first paint %d ms (%d-%d), drawn %d ms, %d bytes" % (
            n, statistics.median(seen), min(seen), max(seen),
            statistics.median(drawn), os.stat(page).st_size))
        self.extra["pages"] = {"workflows": n, "first_paint_ms": seen, "drawn_ms": drawn}

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

    def package(self):
        """The package of one attestation, checked by its own script in the shells
        that are here, and by trailctl."""
        base, n = self.work + "/trailfs-package", self.args.files
        ctl, store = self.build + "/trailctl", base + "/store"
        os.makedirs(base + "/new")
        for i in range(n):
            with open("%s/new/%d" % (base, i), "w") as f:
                f.write("%d\n" % i)
        key = subprocess.run([ctl, "init", "--origin", "example.org/bench", store],
                             check=True, text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL).stdout.strip()
        run(ctl, "trail", "create", store + "/t")
        run("sh", "-c", "cd %s/new && find . -type f -exec %s attest --begin"
            " %s/t/w/a {} +" % (base, ctl, store))
        run(ctl, "seal", store + "/t/w")
        run(ctl, "package", "-o", base + "/w.zip", store + "/t/w")
        run(ctl, "unpack", base + "/w.zip", base + "/u")
        ways = {"trailctl verify": lambda: timed(
            (ctl, "verify", "--vkey", key, base + "/u/w"))}
        for shell in ("dash", "bash", "busybox sh"):
            cmd = (*shell.split(), base + "/u/w/verify.sh", key, base + "/u/w")
            if shutil.which(cmd[0]):
                ways["verify.sh, " + shell] = lambda cmd=cmd: timed(cmd)
        self.rounds("check a package of %d files" % n, ways)

    def ledger(self):
        """The engine without a mount: appends, proofs, opening, verifying; then
        what a daemon takes that serves so many."""
        if not self.args.ledger:
            return
        base = self.work + "/trailfs-ledger"
        mnt = base + "/mnt"
        os.makedirs(mnt)
        out = subprocess.run([self.build + "/bench-ledger", base + "/store",
                              str(self.args.ledger)], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
        # Rows as long as an entry, as many a commit as there are callers.
        for group in 1, 8, 64, 256:
            rows = min(20000, group * 2000)
            row = json.loads(subprocess.run(
                [self.limits, "database", "%s/bare%d" % (base, group),
                 str(rows), "600", str(group)],
                check=True, stdout=subprocess.PIPE).stdout)
            out += "bare database, %4d rows a commit  %9.0f rows/s\n" % (
                group, rows / row["seconds"])
        print(out, end="")
        self.extra["ledger"] = out.splitlines()
        begin = time.monotonic()
        self.start("ledger", [self.build + "/trailfs", base + "/store", mnt,
                              "-f"], mnt)
        took = time.monotonic() - begin
        names = int(subprocess.run(
            ["sh", "-c", "find %s/bench -maxdepth 2 | head -n 1000000 | wc -l" % mnt],
            check=True, stdout=subprocess.PIPE).stdout)
        rows = {"mount_s": took, "names": names,
                "peak_mib": self.peak_kib("ledger") / 1024}
        print("mount    %.3f s; %d names listed: daemon's peak %.0f MiB" %
              (took, names, rows["peak_mib"]))
        self.extra["ledger_mounted"] = rows
        most = max((os.path.join(mnt, "bench", w) for w in
                    os.listdir(mnt + "/bench")), key=lambda d: len(os.listdir(d)))
        names = os.listdir(most)
        self.stop("ledger", mnt)
        self.past_lookups(base, mnt, os.path.relpath(most, mnt), names)

    def past_lookups(self, base, mnt, workflow, names):
        """Names that the kernel does not know yet, in the tree of today and in that
        of a moment: all entries, and half of them."""
        self.start("ledger", [self.build + "/trailfs", base + "/store", mnt,
                              "-f"], mnt)
        with open(mnt + "/.trailfs/checkpoint") as f:
            size = int(f.read().splitlines()[1])
        dirs = {"today": mnt + "/" + workflow}
        for s in size, size // 2:
            d = "%s/.trailfs/at/%d/%s" % (mnt, s, workflow)
            if os.path.isdir(d):
                dirs["at/%s" % ("all" if s == size else "half")] = d
        random.shuffle(names)
        took, n, at = {d: [] for d in dirs}, 2000, 0
        for _ in range(5):
            for way, path in dirs.items():
                some = names[at:at + n]
                at = at + n if at + 2 * n <= len(names) else 0
                fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
                begin = time.monotonic()
                for name in some:
                    try:
                        os.stat(name, dir_fd=fd)
                    except FileNotFoundError:
                        pass    # of the later half
                took[way].append((time.monotonic() - begin) / n * 1e6)
                os.close(fd)
        row = {d: statistics.median(t) for d, t in took.items()}
        self.extra["ledger_past"] = dict(row, entries=size, names=len(names))
        for way, us in row.items():
            print("look up, %-8s %7.1f us  x%.2f  (%d entries, %d names)" %
                  (way, us, us / row["today"], size, len(names)))
        self.stop("ledger", mnt)

    # --- one user's requests beside another user's work -------------------

    PROBE = 2001    # the uid whose requests are measured
    WORKERS = 2002  # the first uid of those who work

    def wait_job(self, *args, uid=None, **kw):
        return subprocess.Popen([self.waiter, *map(str, args)], user=uid,
                                group=uid, extra_groups=[] if uid else None,
                                text=True, **kw)

    def probed(self, place, how, load):
        """The probe's figures while load() is at work, and the time of that."""
        self.probes = getattr(self, "probes", 0) + 1
        d = "%s/p%d" % (place, self.probes)
        os.mkdir(d)
        os.chown(d, self.PROBE, self.PROBE)
        probe = self.wait_job("probe", d, 10, *how, uid=self.PROBE,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        time.sleep(1)
        begin = time.monotonic()
        load()
        took = time.monotonic() - begin
        out = json.loads(probe.communicate()[0])
        out["seconds"] = took
        return out

    def wait_rows(self, load, rows):
        """rows: (system, what probed() returned)"""
        for name, r in rows:
            for kind in "stat", "ls", "close":
                s = r[kind]
                print("beside %-10s %-8s %-6s p50 %8.2f  p90 %8.2f  p99 %8.2f"
                      "  max %8.2f ms  (%d in %.1f s)" %
                      (load, name, kind, s["p50"], s["p90"], s["p99"],
                       s["max"], s["n"], r["seconds"]))
        self.extra.setdefault("waits", {})[load] = dict(rows)
        sys.stdout.flush()

    def waits(self):
        mib, names, workflows = self.args.waits
        base = self.work + "/trailfs-waits"
        place = self.trailfs("waits", "close", ",threads=2,placeholder=86400,"
                             "max_draft=0,max_unsealed=0")
        mnt = base + "/mnt"
        plain = self.ext4.new()
        os.makedirs(mnt + "/probe/run")
        for trail in "/probe", "/bench":
            os.chmod(mnt + trail, 0o755)
        os.mkdir(plain + "/probe")
        probes = (("trailfs", mnt + "/probe/run", []),
                  ("ext4", plain + "/probe", ["fsync"]))

        def new(top, name, uid):
            d = "%s/%s" % (top, name)
            os.mkdir(d)
            os.chmod(d, 0o755)
            os.chown(d, uid, uid)
            return d

        def both(load, ours, theirs):
            if self.args.loads and load not in self.args.loads:
                return
            jobs = (ours(), theirs())
            self.wait_rows(load, [
                (name, self.probed(where, how, job))
                for (name, where, how), job in zip(probes, jobs)])

        def hashed(durable):
            def prepare():
                d = new(plain if durable else mnt + "/bench/run", "two",
                        self.WORKERS)

                def go():
                    how = ["fsync"] if durable else []
                    jobs = [self.wait_job("write", "%s/%d" % (d, i), mib, *how,
                                          uid=self.WORKERS) for i in (1, 2)]
                    for j in jobs:
                        j.wait()
                    if durable:
                        jobs = [subprocess.Popen(
                            ["openssl", "dgst", "-sha256", "%s/%d" % (d, i)],
                            stdout=subprocess.DEVNULL) for i in (1, 2)]
                        for j in jobs:
                            j.wait()
                        shutil.rmtree(d)
                    else:
                        run(self.build + "/trailctl", "sync", d)
                return go
            return prepare

        def make(d, n, kind, threads=16):
            if self.wait_job("names", d, n, threads, kind,
                             uid=self.WORKERS).wait() != 0:
                sys.exit("names were not made")

        def sealed():
            d = new(mnt + "/bench/run", "many", self.WORKERS)
            make(d, names, "empty")
            return lambda: run(self.build + "/trailctl", "seal", d)

        def published():
            d = new(mnt + "/bench/run", ".draft", self.WORKERS)
            make(d, min(names, 10000), "file")
            return lambda: os.rename(d, mnt + "/bench/run/published")

        def written():
            d = new(mnt + "/bench/run", "written", self.WORKERS)

            def go():
                make(d, names // 5, "file", 8)
                run(self.build + "/trailctl", "sync", d)
            return go

        def summed(durable=False):
            def prepare():
                d = new(plain, "many%d" % self.probes, self.WORKERS)
                if not durable:
                    make(d, names, "file")

                def go():
                    if durable:
                        self.tool("create", d, names // 5, 64, 8, "fsync")
                    run("sh", "-c", "find \"$1\" -type f -print0 |"
                        " xargs -0 sha256sum", "sh", d)
                    sync_fs(d)
                return go
            return prepare

        def asked(file, cmd):
            """Ten users who want the same for 20 s."""
            def prepare():
                def go():
                    jobs = [cmd(file, self.WORKERS + i) for i in range(10)]
                    time.sleep(20)
                    for j in jobs:
                        j.stdin.close()
                    reads = [json.loads(j.stdout.read()) for j in jobs]
                    for j in jobs:
                        j.wait()
                    print("%s: %d reads of %d bytes by 10 users" % (
                        os.path.basename(file), sum(r["reads"] for r in reads),
                        max(r["bytes"] for r in reads)))
                return go
            return prepare

        def again(file, uid):
            return self.wait_job("again", file, uid=uid, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)

        def nothing():
            return lambda: time.sleep(10)

        both("nothing", nothing, nothing)
        both("hash", hashed(False), hashed(True))
        both("written", written, summed(True))
        both("draft", published, summed())
        both("seal", sealed, summed())
        if not self.args.loads or "status" in self.args.loads:
            d = new(mnt, "wide", self.WORKERS)
            make(d, workflows, "dir", 64)
            wide = new(plain, "wide", self.WORKERS)
            make(wide, workflows, "dir", 64)
            listing = plain + "/listing"
            with open(listing, "w") as f:
                subprocess.run(["ls", "-l", wide], stdout=f, check=True)
            both("status", asked(d + "/.trailfs/status.json", again),
                 asked(listing, again))
        self.stop("waits", mnt)

    # --- all of it ------------------------------------------------------

    def report(self):
        out = {
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "cores": os.cpu_count(), "kernel": platform.release(),
            "machine": platform.machine(), "rounds": self.args.rounds,
            "kept_awake": self.args.busy,
            "versions": {os.path.basename(c[0]): version(c) for c in (
                (self.build + "/trailfs", "-V"), ("fusermount3", "--version"),
                ("bindfs", "--version"),
                ("git", "--version"), ("restic", "version"),
                ("cp", "--version"), ("rsync", "--version"),
                ("openssl", "version")) if shutil.which(c[0])},
            "seconds": self.results, "cpu_s": self.cpus, "extra": self.extra,
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
        groups = {"big": self.big, "secret": self.secret,
                  "small": lambda: [self.small(1), self.small(8)],
                  "trees": self.trees, "sizes": self.sizes, "log": self.log,
                  "reading": self.reading,
                  "recorded": self.recorded, "listing": self.listing,
                  "pages": self.pages,
                  "verify": self.verify, "package": self.package,
                  "ledger": self.ledger, "waits": self.waits,
                  "curve": self.curve}
        try:
            self.setup()
            if self.args.busy:
                self.keep_awake()
            for name, group in groups.items():
                if not self.args.only or name in self.args.only:
                    group()
            self.report()
        finally:
            self.teardown()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("build")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--files", type=int, default=10000)
    p.add_argument("--names", type=int, default=100000)
    p.add_argument("--mib", type=int, default=1024)
    p.add_argument("--curve", default="",
                   type=lambda s: [int(x) for x in s.split(",") if x])
    p.add_argument("--ledger", type=int, default=0)
    p.add_argument("--waits", default="20480,100000,100000",
                   type=lambda s: [int(x) for x in s.split(",")])
    p.add_argument("--loads", default="",
                   type=lambda s: [x for x in s.split(",") if x])
    p.add_argument("--busy", action="store_true")
    p.add_argument("--only", default="",
                   type=lambda s: [x for x in s.split(",") if x])
    Bench(p.parse_args()).main()


if __name__ == "__main__":
    main()
