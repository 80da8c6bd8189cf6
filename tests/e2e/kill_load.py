#!/usr/bin/env python3
"""Kills the server with -9 at random moments of a load and checks that nothing acknowledged is lost or doubled.

    tests/e2e/kill_load.py --load DIR [--rounds 50] [--binary build/varve] [--conns 4] [--seed 1]

DIR holds Loki push bodies and a manifest.json, as ../shared/bench/gen_logs_load.py makes them. Bodies go out in
order over several connections; a body counts as acknowledged once its 204 has arrived. At a random moment the server
is killed and started again; the moment it is ready, the number of stored lines must lie between those of the
acknowledged bodies and those plus the ones in flight. What was in flight is sent again, so it may be there twice as a
request but never as lines. At the end the total and every count of the manifest must be exact, before and after a
flush. Run by hand (it takes minutes); the test suite has a small relative, kill_test.py. Needs python3-snappy.
"""
import argparse, glob, http.client, json, os, random, shutil, signal, subprocess, sys, tempfile, threading, time
import urllib.parse, urllib.request


def varint(data, pos):
    value = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
        shift += 7


def lines_in(path):
    """How many entries a push body holds: field 1 (stream) of the request, field 2 (entry) of each stream."""
    import snappy
    data, pos, count = snappy.uncompress(open(path, "rb").read()), 0, 0
    while pos < len(data):
        _, pos = varint(data, pos)
        size, pos = varint(data, pos)
        end = pos + size
        while pos < end:
            tag, pos = varint(data, pos)
            size, pos = varint(data, pos)
            pos += size
            count += tag >> 3 == 2
    return count


class Server:
    def __init__(self, binary, data_dir, port):
        self.binary, self.data_dir, self.port = binary, data_dir, port
        self.process = None

    def start(self):
        began = time.monotonic()
        self.process = subprocess.Popen(
            [self.binary, "serve", "--data-dir", self.data_dir, "--listen", f"127.0.0.1:{self.port}",
             "--log-level", "warn"])
        while True:
            if self.process.poll() is not None:
                sys.exit(f"server exited with {self.process.returncode}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=5):
                    return time.monotonic() - began
            except OSError:
                if time.monotonic() - began > 60:
                    sys.exit("not ready within 60 s")
                time.sleep(0.02)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def total(self, query, start_s, end_s):
        qs = urllib.parse.urlencode({"query": query % f"{end_s - start_s}s", "time": end_s * 10**9})
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/loki/api/v1/query?{qs}", timeout=120) as answer:
            result = json.load(answer)["data"]["result"]
        return int(float(result[0]["value"][1])) if result else 0


class Sender:
    """Sends the bodies that are still due; `acked` and `in_flight` are the ledger."""

    def __init__(self, files, port, conns):
        self.due, self.port, self.conns = list(files), port, conns
        self.acked, self.in_flight, self.lock = set(), set(), threading.Lock()
        self.stop = threading.Event()
        self.threads = []

    def start(self):
        self.stop.clear()
        self.threads = [threading.Thread(target=self.work) for _ in range(self.conns)]
        for thread in self.threads:
            thread.start()

    def halt(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        self.due = sorted(set(self.due) | self.in_flight)

    def work(self):
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self.stop.is_set():
            with self.lock:
                if not self.due:
                    return
                path = self.due.pop(0)
                self.in_flight.add(path)
            try:
                conn.request("POST", "/loki/api/v1/push", open(path, "rb").read(),
                             {"Content-Type": "application/x-protobuf"})
                status = conn.getresponse()
                status.read()
            except (OSError, http.client.HTTPException):
                return  # killed; the body stays in flight
            with self.lock:
                if status.status == 204:
                    self.in_flight.discard(path)
                    self.acked.add(path)
                elif status.status in (429, 503):
                    self.in_flight.discard(path)
                    self.due.insert(0, path)
                else:
                    print(f"{path}: {status.status}", file=sys.stderr, flush=True)
                    os._exit(1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--load", required=True)
    ap.add_argument("--rounds", type=int, default=50)
    ap.add_argument("--binary", default="build/varve")
    ap.add_argument("--conns", type=int, default=4)
    ap.add_argument("--port", type=int, default=3178)
    ap.add_argument("--seed", type=int, default=int(time.time()))
    a = ap.parse_args()
    print("seed", a.seed)
    rnd = random.Random(a.seed)
    manifest = json.load(open(os.path.join(a.load, "manifest.json")))
    files = sorted(glob.glob(os.path.join(a.load, "*.body")))
    cache = os.path.join(a.load, "lines_per_body.json")
    if not os.path.exists(cache):
        json.dump([lines_in(f) for f in files], open(cache, "w"))
    lines = dict(zip(files, json.load(open(cache))))
    start_s, end_s = manifest["start_s"], manifest["end_s"]
    everything = 'sum(count_over_time({job=~".+"}[%s]))'

    data_dir = tempfile.mkdtemp(prefix="varve-kill.")
    server, slowest = Server(a.binary, data_dir, a.port), 0.0
    server.start()
    sender = Sender(files, a.port, a.conns)
    for round_number in range(1, a.rounds + 1):
        # Spread the kills over the load: each round sends about an equal share of what is left.
        share = max(1, len(sender.due) // (a.rounds - round_number + 1))
        goal = len(sender.acked) + rnd.randint(0, 2 * share)
        sender.start()
        while len(sender.acked) < goal and any(t.is_alive() for t in sender.threads):
            time.sleep(0.001)
        time.sleep(rnd.random() * 0.05)
        server.kill()
        sender.halt()
        slowest = max(slowest, ready := server.start())
        low = sum(lines[f] for f in sender.acked)
        high = low + sum(lines[f] for f in sender.in_flight)
        stored = server.total(everything, start_s - 1, end_s + 1)
        print(f"round {round_number}: {len(sender.acked)} bodies acknowledged, {len(sender.in_flight)} in flight, "
              f"{stored} lines in [{low}, {high}], ready in {ready:.2f} s", flush=True)
        if not low <= stored <= high:
            sys.exit("LOST OR DOUBLED")
        sender.in_flight.clear()
    sender.start()
    for thread in sender.threads:
        thread.join()
    for stage in ("in heads and packs", "flushed", "restarted"):
        if stage == "flushed":
            urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{a.port}/flush", method="POST"), timeout=120)
        if stage == "restarted":
            server.kill()
            server.start()
        checks = {"lines": (server.total(everything, start_s - 1, end_s + 1), manifest["lines"])}
        for phrase, count in manifest["lines_with"].items():
            if phrase != "status500":
                checks[phrase] = (server.total('sum(count_over_time({job=~".+"} |= "' + phrase + '" [%s]))',
                                               start_s - 1, end_s + 1), count)
        print(stage, checks)
        if any(got != want for got, want in checks.values()):
            sys.exit("WRONG COUNTS")
    server.kill()
    shutil.rmtree(data_dir)
    print(f"{a.rounds} kills, nothing lost, nothing doubled; slowest start {slowest:.2f} s")


main()
