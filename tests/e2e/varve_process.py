"""Starts, stops and kills the real `varve serve`, and speaks its HTTP API; for the end-to-end tests.

The program is the one VARVE_BINARY names (ctest sets it), or build/varve. Each server listens on a free
port, which it says in its "ready" line; what it writes to standard error is kept and shown when a test
fails. Only Python's standard library is used.
"""
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BINARY = os.environ.get("VARVE_BINARY", os.path.join(ROOT, "build", "varve"))
READY_SECONDS_MAX = 60  # of a start under sanitizers on a busy machine; tests that promise less say so
NS = 1_000_000_000


def run(*arguments, stdin=None, env=None, timeout=120):
    """Runs `varve` with these arguments to its end; exit status, standard output and error as text."""
    done = subprocess.run([BINARY, *arguments], input=stdin, capture_output=True, timeout=timeout,
                          env={**os.environ, "TZ": "UTC", **(env or {})})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class Server:
    """One data directory and the process that serves it."""

    def __init__(self, data_dir, *arguments, env=None):
        self.data_dir, self.arguments, self.env = data_dir, list(arguments), env or {}
        self.process = self.port = self.ready_seconds = None
        self.listen = "127.0.0.1:0"  # a test that needs the same port after a restart sets it
        self.log = []

    def spawn(self, **popen):
        """Starts the process without waiting for it."""
        self.log = []
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data-dir", self.data_dir, "--listen", self.listen, *self.arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, "TZ": "UTC", **self.env}, **popen)
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self._read_log, args=(self.process,), daemon=True)
        self.reader.start()

    def start(self, **popen):
        began = time.monotonic()
        self.spawn(**popen)
        while not self.ready.wait(0.01):
            if self.process.poll() is not None:
                self.reader.join()
                raise AssertionError(f"varve exited with {self.process.returncode}:\n" + "\n".join(self.log))
            if time.monotonic() - began > READY_SECONDS_MAX:
                self.kill()
                raise AssertionError("varve is not ready:\n" + "\n".join(self.log))
        self.ready_seconds = time.monotonic() - began
        return self

    def _read_log(self, process):
        for line in process.stderr:
            text = line.decode(errors="replace").rstrip("\n")
            self.log = (self.log + [text])[-400:]
            ready = re.search(r"msg=ready url=http://[^ ]*:(\d+)", text)
            if ready:
                self.port = int(ready.group(1))
                self.ready.set()
        process.stderr.close()

    def stop(self):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.process.kill()
        return self.wait()

    def wait(self, timeout=60):
        status = self.process.wait(timeout)
        self.reader.join()
        return status

    def restart(self):
        status = self.stop()
        if status != 0:
            raise AssertionError(f"exit status {status} on SIGTERM:\n" + "\n".join(self.log))
        return self.start()

    def request(self, method, path, params=(), body=None, headers=None, timeout=120):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            query = urllib.parse.urlencode(params, doseq=True)
            connection.request(method, path + ("?" + query if query else ""), body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, params=(), headers=None):
        return self.request("GET", path, params, headers=headers)

    def push(self, body, content_type="application/json", headers=None):
        return self.request("POST", "/loki/api/v1/push", body=body,
                            headers={"Content-Type": content_type, **(headers or {})})

    def push_streams(self, *streams):
        """streams: (labels, [(ns, line[, metadata]), …]); as JSON. Must be taken."""
        answer = self.push(json_push(*streams))
        if answer.status != 204:
            raise AssertionError(f"push: {answer.status} {answer.text}")

    def flush(self):
        answer = self.request("POST", "/flush")
        if answer.status not in (200, 204):
            raise AssertionError(f"flush: {answer.status} {answer.text}")

    def query_range(self, query, start, end, headers=None, **params):
        return self.get("/loki/api/v1/query_range", {"query": query, "start": start, "end": end, **params}, headers)

    def query(self, query, at, **params):
        return self.get("/loki/api/v1/query", {"query": query, "time": at, **params})

    def lines(self, query, start, end, limit=5000, direction="forward"):
        """(ns, line) of all streams, in order."""
        answer = self.query_range(query, start, end, limit=limit, direction=direction)
        if answer.status != 200:
            raise AssertionError(f"{query}: {answer.status} {answer.text}")
        entries = [(int(ns), line) for s in answer.json["data"]["result"] for ns, line in s["values"]]
        return sorted(entries, reverse=direction == "backward")

    def count(self, selector, at, span="1h"):
        answer = self.query(f"sum(count_over_time({selector}[{span}]))", at)
        if answer.status != 200:
            raise AssertionError(f"count: {answer.status} {answer.text}")
        result = answer.json["data"]["result"]
        return int(result[0]["value"][1]) if result else 0

    def metrics(self):
        """Name and labels, as they stand in /metrics, to value."""
        values = {}
        for line in self.get("/metrics").text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name] = float(value)
        return values


class VarveTest(unittest.TestCase):
    """A temporary folder, and servers that are gone when the test is."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="varve-e2e-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data_dir = os.path.join(self.folder, "data")

    def server(self, *arguments, data_dir=None, env=None):
        server = Server(data_dir or self.data_dir, *arguments, env=env)
        self.addCleanup(self._end, server)
        return server

    def started(self, *arguments, **keywords):
        return self.server(*arguments, **keywords).start()

    def _end(self, server):
        if server.process is not None and server.process.poll() is None:
            server.kill()
        result = self._outcome.result
        if any(self in (test, getattr(test, "test_case", None)) for test, _ in result.failures + result.errors):
            print(f"{self.id()}: the server's log:\n  " + "\n  ".join(server.log[-40:]))

    def run_varve(self, *arguments, **keywords):
        return run(*arguments, **keywords)


# ---- Push bodies --------------------------------------------------------------------------------

def json_push(*streams):
    values = [{"stream": labels, "values": [[str(e[0]), e[1], *e[2:]] for e in entries]}
              for labels, entries in streams]
    return json.dumps({"streams": values}).encode()


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + bytes([n]))


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def protobuf_push(*streams):
    """PushRequest{streams=1{labels=1, entries=2{timestamp=1{seconds=1, nanos=2}, line=2, metadata=3{name=1, value=2}}}}"""
    out = b""
    for labels, entries in streams:
        text = "{" + ", ".join(f"{k}={json.dumps(v)}" for k, v in sorted(labels.items())) + "}"
        stream = field(1, text.encode())
        for entry in entries:
            seconds, nanos = divmod(entry[0], NS)
            body = field(1, b"\x08" + varint(seconds) + b"\x10" + varint(nanos)) + field(2, entry[1].encode())
            for name, value in (entry[2] if len(entry) > 2 else {}).items():
                body += field(3, field(1, name.encode()) + field(2, value.encode()))
            stream += field(2, body)
        out += field(1, stream)
    return out


def snappy(data):
    """The block format, as literals only."""
    out = bytearray(varint(len(data)))
    for i in range(0, len(data), 65536):
        chunk = data[i:i + 65536]
        out += bytes([61 << 2]) + (len(chunk) - 1).to_bytes(2, "little") + chunk
    return bytes(out)
