#!/usr/bin/env python3
"""Half an hour of full load on one server, with a ledger: nothing may be lost, stored twice, slow or leak.

    tests/e2e/soak.py [--minutes 30] [--rate 20] [--queries 8] [--tails 20] [--dir /tmp] [--out report.json]

Sends `--rate` MB of lines a second in Promtail-shaped bodies (soak_bodies.py), sends again what was not acknowledged,
asks mixed queries in `--queries` threads, each `--pause` seconds after the last answer, and keeps `--tails` tails open.
Every 10 s it reads the server's memory, CPU and disk. At the end it flushes and compares with the ledger: entries per
stream and minute, sums of line numbers of some quarters of a minute (which loss and doubles together cannot hide from),
and the exact lines of some bodies. Prints a summary and exits with 1 on a violation: anything lost or doubled, a refused push, an
error of a query, a query that is not marked heavy or a push over 2 s, resident memory that grows by more than 5 % over
the second half (of a run of 10 minutes or more), less than 95 % of the rate reached, a tail that misses entries without saying so.

Run by hand; the program is VARVE_BINARY or build/varve. Uses about a tenth of a core itself.
"""
import argparse
import http.client
import json
import multiprocessing
import os
import queue
import random
import re
import shutil
import sys
import tempfile
import threading
import time
import urllib.parse

from soak_bodies import KINDS, NEEDLE, NS, SLOTS, Group
from varve_process import Server
from websocket_client import ConnectionClosed, HandshakeRefused, Tail

SLOW_SECONDS = 2
RSS_GROWTH_MAX = 0.05
RSS_MINUTES_MIN = 10  # a shorter run is still filling heads and caches
NUMBER = re.compile(r"n=(\d{6})(\d{5})")


def percentile(values, fraction):
    values = sorted(values)
    return values[min(len(values) - 1, int(fraction * len(values)))] if values else 0


class Api:
    """One keep-alive connection; opened again when it broke."""

    def __init__(self, port, timeout=120):
        self.port, self.timeout, self.connection = port, timeout, None

    def request(self, method, path, body=None, headers=None):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            if self.connection is not None:
                self.connection.close()
            self.connection = None
            return 0, str(error).encode()

    def get(self, path, **params):
        return self.request("GET", path + "?" + urllib.parse.urlencode(params))


# ---- Sending ------------------------------------------------------------------------------------

def send(options, port, stop, results, progress):
    """Body j is due at start + j / rate; groups take turns, a group's bodies stay in order."""
    groups = [Group(number, 1_000_000, options.seed) for number in range(options.groups)]
    ledger, lock = [], threading.Lock()  # (group, number, second, slot), acknowledged
    latencies, refused, again = [], [], [0]
    begin = time.time() + 0.5
    last = int(options.minutes * 60 * options.rate)

    def work(thread):
        api = Api(port)
        for j in range(last):
            group = groups[j % len(groups)]
            if group.number % options.connections != thread:
                continue
            due = begin + j / options.rate
            while time.time() < due and not stop.is_set():
                time.sleep(min(0.05, max(0, due - time.time())))
            if stop.is_set():
                return
            second, slot = int(due), int(due % 1 * SLOTS)
            number, data = group.stamped(second, slot)
            wait = 0.1
            while True:
                began = time.monotonic()
                status, body = api.request("POST", "/loki/api/v1/push", data,
                                           {"Content-Type": "application/x-protobuf", "User-Agent": "promtail/3.0.0"})
                took = time.monotonic() - began
                if status == 204:
                    break
                with lock:
                    if status in (0, 429, 500, 503):
                        again[0] += 1
                    else:
                        refused.append((status, body.decode()[:300]))
                        return
                time.sleep(wait)
                wait = min(wait * 2, 5)
            with lock:
                ledger.append((group.number, number, second, slot))
                latencies.append(took)
                progress[0] += 1
                progress[1] = time.time() - due

    threads = [threading.Thread(target=work, args=(i,)) for i in range(options.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(("send", {"ledger": ledger, "latencies": latencies, "refused": refused, "again": again[0],
                          "seconds": time.time() - begin,
                          "lines": [group.lines for group in groups], "bytes": [group.line_bytes for group in groups]}))


# ---- Querying -----------------------------------------------------------------------------------

def query_mix(rnd, groups, begin):
    """(name, heavy, path, parameters); what a dashboard, Explore and Drilldown ask about the last minutes."""
    now = time.time_ns()
    g = rnd.randrange(groups)

    def logs(query, minutes, limit=100):
        return "/loki/api/v1/query_range", {"query": query, "start": max(begin, now - minutes * 60 * NS), "end": now,
                                            "limit": limit, "direction": "backward"}

    def metric(query, minutes, step):
        return "/loki/api/v1/query_range", {"query": query, "start": now - minutes * 60 * NS, "end": now, "step": step}
    times = {"start": now - 15 * 60 * NS, "end": now}
    return [
        ("logs, one stream", False, *logs(f'{{app="sshd-{g}"}}', 5)),
        ("logs, all streams", False, *logs('{cluster="soak"}', 15)),
        ("logs, filter", False, *logs(f'{{job="sshd",app=~"sshd-[{g % 10}]"}} |= "Failed password for root"', 15)),
        ("logs, json", False, *logs(f'{{app="json-{g}"}} | json | status="500" | took_ms > 900', 5)),
        ("needle, all", True, *logs(f'{{cluster="soak"}} |= "{NEEDLE}"', 600)),
        ("histogram, one app", False, *metric(f'sum by (detected_level) (count_over_time({{app="logfmt-{g}"}}[15s]))', 5, "15s")),
        ("rate, all", False, *metric('sum by (job) (rate({cluster="soak"}[1m]))', 15, "1m")),
        ("volume, all", True, *metric('sum by (detected_level) (count_over_time({cluster="soak"}[1m]))', 5, "1m")),
        ("logfmt quantile", True, *metric(f'quantile_over_time(0.99, {{app="logfmt-{g}"}} | logfmt | unwrap duration(duration) [1m]) by (app)', 5, "1m")),
        ("json errors", True, *metric(f'sum(rate({{app="json-{g}"}} | json | status="500" [1m]))', 5, "30s")),
        ("top talkers", True, *metric(f'topk(10, sum by (ip) (count_over_time({{app="sshd-{g}"}} |= "Failed" | regexp "from (?P<ip>\\\\S+)" [1m])))', 2, "1m")),
        ("labels", False, "/loki/api/v1/labels", times),
        ("label values", False, "/loki/api/v1/label/app/values", {**times, "query": '{job="nginx"}'}),
        ("series", False, "/loki/api/v1/series", {**times, "match[]": '{job="java"}'}),
        ("index stats", False, "/loki/api/v1/index/stats", {**times, "query": '{job="json"}'}),
        ("index volume", False, "/loki/api/v1/index/volume", {**times, "query": '{cluster="soak"}', "targetLabels": "job"}),
        ("detected fields", False, "/loki/api/v1/detected_fields", {**times, "query": f'{{app="json-{g}"}}'}),
    ]


def ask(options, port, stop, results, begin):
    answers, lock = [], threading.Lock()  # (name, heavy, seconds, status, text of an error)

    def work(thread):
        rnd, api = random.Random(options.seed + thread), Api(port)
        while not stop.wait(options.pause):
            name, heavy, path, params = rnd.choice(query_mix(rnd, options.groups, begin))
            began = time.monotonic()
            status, body = api.get(path, **params)
            took = time.monotonic() - began
            with lock:
                answers.append((name, heavy, took, status, "" if status == 200 else body.decode(errors="replace")[:200]))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(options.queries)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(("ask", answers))


# ---- Tailing ------------------------------------------------------------------------------------

class Follower:
    """One tail. Those of whole streams check that numbers follow each other."""

    def __init__(self, index, port, groups):
        self.port, g = port, index % groups
        self.whole = index % 5 == 0
        app = f"{KINDS[index % len(KINDS)]}-{g}"
        self.query = f'{{app="{app}"}}' + ("" if self.whole else ' |~ "(?i)error|failure| 500 "')
        self.frames = self.entries = self.dropped = self.missing = self.connects = self.behind = 0
        self.problems, self.expected, self.pending = [], None, 0

    def run(self, stop):
        while not stop.is_set():
            try:
                tail = Tail(self.port, self.query, limit=1, start=time.time_ns())
                self.connects += 1
                self.expected = None
                while not stop.is_set():
                    try:
                        self.take(tail.frame(1), len(tail.dropped))
                    except TimeoutError:
                        continue
                tail.close()
            except HandshakeRefused as refused:
                self.problems.append(f"{refused.status} {refused.text[:200]}")
                return
            except (ConnectionClosed, OSError) as error:
                if not stop.is_set():
                    self.problems.append(f"closed: {error}")
                    stop.wait(5)

    def take(self, frame, dropped):
        self.frames += 1
        said = dropped > self.dropped
        self.dropped = dropped
        for stream in frame["streams"]:
            for value in stream["values"]:
                self.entries += 1
                self.behind = max(self.behind, time.time_ns() - int(value[0]))
                if self.whole:
                    self.follow(NUMBER.search(value[1]), said)

    def follow(self, match, said):
        number, index = int(match.group(1)), int(match.group(2))
        if self.expected is not None and (number, index) not in (self.expected, (self.expected[0] + 1, 0)):
            self.missing += not said
        self.expected = (number, index + 1)


def follow_all(options, port, stop, results):
    followers = [Follower(i, port, options.groups) for i in range(options.tails)]
    threads = [threading.Thread(target=f.run, args=(stop,)) for f in followers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keep = ("query", "frames", "entries", "dropped", "missing", "connects", "behind", "problems")
    results.put(("tail", [{name: getattr(f, name) for name in keep} for f in followers]))


# ---- Watching -----------------------------------------------------------------------------------

def process_sample(pid, data_dir):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        rss = int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) * 1024
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    disk = 0
    for folder, _, names in os.walk(data_dir):
        for name in names:
            try:
                disk += os.stat(os.path.join(folder, name)).st_size
            except OSError:
                pass  # dropped meanwhile
    return rss, cpu, disk


def growth(samples):
    """How much the line through the second half of (time, bytes) rises over it, as a fraction of its mean."""
    half = samples[len(samples) // 2:]
    if len(half) < 3:
        return 0.0
    mean_t, mean_v = sum(t for t, _ in half) / len(half), sum(v for _, v in half) / len(half)
    slope = sum((t - mean_t) * (v - mean_v) for t, v in half) / sum((t - mean_t) ** 2 for t, _ in half)
    return slope * (half[-1][0] - half[0][0]) / mean_v


def watch(server, results, progress, options, expected):
    """Samples until every process has reported; the reports by name, and the samples."""
    reports, samples, began = {}, [], time.monotonic()
    cpu_before = time_before = 0
    while len(reports) < expected:
        deadline = time.monotonic() + options.sample_seconds
        while len(reports) < expected and time.monotonic() < deadline:
            try:
                name, report = results.get(timeout=max(0.01, deadline - time.monotonic()))
                reports[name] = report
                print(f"{time.monotonic() - began:6.0f} s  finished: {name}", flush=True)
                if name == "send":
                    options.stop.set()
            except queue.Empty:
                pass
        if server.process.poll() is not None:
            raise SystemExit(f"the server exited with {server.process.returncode}:\n" + "\n".join(server.log[-30:]))
        rss, cpu, disk = process_sample(server.process.pid, server.data_dir)
        now = time.monotonic()
        if "send" not in reports and progress[0]:  # there is no load before and after
            samples.append((now - began, rss, disk))
            print(f"{now - began:6.0f} s  rss {rss / 1e6:6.0f} MB  cpu {100 * (cpu - cpu_before) / (now - (time_before or began)):4.0f} %  "
                  f"disk {disk / 1e6:7.0f} MB  bodies {int(progress[0]):6d}  lag {progress[1]:5.1f} s", flush=True)
        cpu_before, time_before = cpu, now
    return reports, samples


# ---- The ledger ---------------------------------------------------------------------------------

class Verifier:
    def __init__(self, port, sent):
        self.api, self.sent, self.violations = Api(port), sent, []

    def query(self, query, at):
        status, body = self.api.get("/loki/api/v1/query", query=query, time=at)
        if status != 200:
            self.violations.append(f"verify: {status} {body.decode(errors='replace')[:300]}: {query}")
            return {}
        return {s["metric"].get("app", ""): float(s["value"][1]) for s in json.loads(body)["data"]["result"]}

    def compare(self, what, expected, got):
        wrong = {app: (expected.get(app, 0), got.get(app, 0)) for app in {*expected, *got}
                 if expected.get(app, 0) != got.get(app, 0)}
        if wrong:
            self.violations.append(f"{what}: expected and stored differ: {dict(list(wrong.items())[:5])} ({len(wrong)} streams)")

    def totals(self):
        """Per stream, the entries of each minute and the sum of the line numbers of each quarter of a minute."""
        counts, sums = {}, {}
        for group, number, second, _ in self.sent["ledger"]:
            lines = self.sent["lines"][group]
            for kind in KINDS:
                app = f"{kind}-{group}"
                minute, quarter = counts.setdefault(second // 60, {}), sums.setdefault(second // 15, {})
                minute[app] = minute.get(app, 0) + lines
                quarter[app] = quarter.get(app, 0) + number * 100_000 * lines + lines * (lines - 1) // 2
        return counts, sums

    def verify(self, rnd, sums_of):
        counts, sums = self.totals()
        for minute in sorted(counts):
            got = self.query('sum by (app) (count_over_time({cluster="soak"}[1m]))', (minute + 1) * 60 * NS)
            self.compare(f"minute {minute}", counts[minute], got)
        print(f"counted the entries of {len(counts)} minutes", flush=True)
        for quarter in rnd.sample(sorted(sums), min(sums_of, len(sums))):
            for kind in KINDS:
                part = {app: total for app, total in sums[quarter].items() if app.startswith(kind)}
                query = (f'sum by (app) (sum_over_time({{cluster="soak",job="{kind}"}} | regexp "n=(?P<n>[0-9]{{11}})" '
                         '| unwrap n [15s]))')
                self.compare(f"sums of numbers, {kind}, from {quarter * 15}", part, self.query(query, (quarter + 1) * 15 * NS))
        print("summed line numbers", flush=True)
        needles = sum(group == 0 and slot == 0 for group, _, _, slot in self.sent["ledger"]) * len(KINDS)
        first, last = min(counts) * 60, (max(counts) + 1) * 60
        got = self.query(f'sum(count_over_time({{cluster="soak"}} |= "{NEEDLE}" [{last - first}s]))', last * NS).get("", 0)
        if got != needles:
            self.violations.append(f"needles: {got} instead of {needles}")
        return sum(sum(c.values()) for c in counts.values())

    def exact_lines(self, rnd, seed, bodies):
        """Some bodies made again; a stream's lines must come back byte for byte."""
        groups = {}
        for group, number, second, slot in rnd.sample(self.sent["ledger"], min(bodies, len(self.sent["ledger"]))):
            made = groups.setdefault(group, Group(group, 1_000_000, seed))
            body, kind = made.bodies[slot], rnd.choice(KINDS)
            times = body.times(second)
            status, answer = self.api.get("/loki/api/v1/query_range", query=f'{{app="{kind}-{group}"}}', start=times[0],
                                          end=times[-1] + 1, limit=5000, direction="forward")
            expected = sorted(zip(times, body.lines_of(kind, number)))
            got = sorted((int(ns), line) for s in json.loads(answer)["data"]["result"] for ns, line in s["values"]) \
                if status == 200 else answer[:200]
            if got != expected:
                self.violations.append(f"lines of {kind}-{group}, sending {number}: "
                                       f"{len(got)} instead of {len(expected)}, or other bytes")


# ---- Summary ------------------------------------------------------------------------------------

def summarise(options, reports, samples, violations):
    sent = reports["send"]
    sent_bytes = sum(sent["bytes"][group] for group, *_ in sent["ledger"])
    rate = sent_bytes / 1e6 / sent["seconds"]
    print(f"\nsent      {len(sent['ledger'])} bodies, {sent_bytes / 1e9:.2f} GB of lines in {sent['seconds']:.0f} s: {rate:.1f} MB/s; "
          f"{sent['again']} sent again")
    pushes = sent["latencies"]
    print(f"push      p50 {percentile(pushes, .5) * 1e3:.0f} ms  p99 {percentile(pushes, .99) * 1e3:.0f} ms  max {max(pushes, default=0) * 1e3:.0f} ms")
    if sent["refused"]:
        violations.append(f"refused pushes: {sent['refused'][:3]}")
    if rate < 0.95 * options.rate:
        violations.append(f"{rate:.1f} MB/s instead of {options.rate}")
    slow_pushes = sum(took > SLOW_SECONDS for took in pushes)
    if slow_pushes:
        violations.append(f"{slow_pushes} pushes over {SLOW_SECONDS} s")
    rise = growth([(t, rss) for t, rss, _ in samples])
    print(f"memory    first {samples[0][1] / 1e6:.0f} MB, max {max(s[1] for s in samples) / 1e6:.0f} MB, last {samples[-1][1] / 1e6:.0f} MB; "
          f"{rise * 100:+.1f} % over the second half; disk {samples[-1][2] / 1e6:.0f} MB")
    if rise > RSS_GROWTH_MAX and options.minutes >= RSS_MINUTES_MIN:
        violations.append(f"resident memory grows by {rise * 100:.1f} % over the second half")
    by_name = {}
    for name, heavy, took, status, text in reports.get("ask", []):
        by_name.setdefault((name, heavy), []).append(took)
        if status != 200:
            violations.append(f"query {name}: {status} {text}")
        elif took > SLOW_SECONDS and not heavy:
            violations.append(f"query {name}: {took:.2f} s")
    if by_name:
        print(f"\n{'query':22} {'count':>6} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}")
    for (name, heavy), took in sorted(by_name.items()):
        print(f"{name + (' *' if heavy else ''):22} {len(took):6d} {percentile(took, .5) * 1e3:8.1f} {percentile(took, .99) * 1e3:8.1f} "
              f"{max(took) * 1e3:8.1f}")
    tails = reports.get("tail", [])
    if tails:
        print(f"\n(* heavy)\ntails     {len(tails)}: {sum(t['frames'] for t in tails)} frames, {sum(t['entries'] for t in tails)} entries, "
              f"{sum(t['dropped'] for t in tails)} dropped, {sum(t['connects'] for t in tails)} connections; "
              f"at most {max(t['behind'] for t in tails) / NS:.2f} s behind")
        for tail in tails:
            if tail["missing"]:
                violations.append(f"tail {tail['query']}: {tail['missing']} gaps that no frame told of")
            if not tail["connects"] or not tail["entries"]:
                violations.append(f"tail {tail['query']}: no entries; {tail['problems'][:2]}")
            elif tail["problems"]:
                violations.append(f"tail {tail['query']}: {tail['problems'][:2]}")
    return {"mb_per_second": rate, "rss_growth": rise, "samples": samples, "tails": tails,
            "queries": {name: {"count": len(took), "p50": percentile(took, .5), "p99": percentile(took, .99), "max": max(took)}
                        for (name, _), took in by_name.items()},
            "push": {"p50": percentile(pushes, .5), "p99": percentile(pushes, .99), "max": max(pushes, default=0)}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=20, help="MB of lines a second")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--queries", type=int, default=8, help="threads")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between a thread's queries")
    parser.add_argument("--tails", type=int, default=20)
    parser.add_argument("--dir", default=None, help="where the data directory is made; about a third of what is sent is needed")
    parser.add_argument("--config", help="varve.yaml for the server")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample-seconds", type=float, default=10)
    parser.add_argument("--sums", type=int, default=8, help="quarters of a minute whose line numbers are summed")
    parser.add_argument("--out", help="JSON report")
    parser.add_argument("--keep", action="store_true", help="leave the data directory")
    options = parser.parse_args()
    options.groups = max(12, -(-int(options.rate) // 3))

    folder = tempfile.mkdtemp(prefix="varve-soak-", dir=options.dir)
    server = Server(os.path.join(folder, "data"), *(("--config", options.config) if options.config else ())).start()
    options.stop = multiprocessing.Event()
    stop, results, progress = options.stop, multiprocessing.Queue(), multiprocessing.Array("d", 2)
    plain = argparse.Namespace(**{k: v for k, v in vars(options).items() if k != "stop"})
    works = [(send, (plain, server.port, stop, results, progress))]
    if options.queries:
        works.append((ask, (plain, server.port, stop, results, time.time_ns())))
    if options.tails:
        works.append((follow_all, (plain, server.port, stop, results)))
    processes = [multiprocessing.Process(target=target, args=arguments, daemon=True) for target, arguments in works]
    try:
        for process in processes:
            process.start()
        reports, samples = watch(server, results, progress, options, len(processes))
        for process in processes:
            process.join()
        verifier, rnd = Verifier(server.port, reports["send"]), random.Random(options.seed)
        print("flushing, then comparing with the ledger", flush=True)
        server.flush()
        lines = verifier.verify(rnd, options.sums)
        verifier.exact_lines(rnd, options.seed, 20)
        report = summarise(options, reports, samples, verifier.violations)
        print(f"ledger    {lines} lines")
        compactions = {name: value for name, value in server.metrics().items()
                       if re.match(r"varve_(compact|packs|cuts|tail)", name) and value}
        print("metrics   " + "  ".join(f"{name}={value:g}" for name, value in sorted(compactions.items())))
        for violation in verifier.violations[:40]:
            print("VIOLATION", violation)
        if options.out:
            with open(options.out, "w", encoding="utf-8") as f:
                json.dump({**report, "violations": verifier.violations}, f, indent=1)
        print(f"{len(verifier.violations)} violations")
        return 1 if verifier.violations else 0
    finally:
        stop.set()
        if server.process.poll() is None:
            server.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
