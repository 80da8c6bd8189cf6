"""Runs tests/support/notify_probe (receivers without a server) and Debian's Alertmanager, for the end-to-end tests."""
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROBE = os.environ.get("VARVE_NOTIFY_PROBE", os.path.join(ROOT, "build", "tests", "support", "notify_probe"))
ALERTMANAGER = shutil.which("prometheus-alertmanager")


def probe(*arguments, stdin=None, timeout=60, env=None):
    """Exit status and what it printed, standard error behind standard output."""
    done = subprocess.run([PROBE, *arguments], input=json.dumps(stdin or {}).encode(), capture_output=True,
                          timeout=timeout, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout.decode() + done.stderr.decode()


class Outcome:
    """A line of `notify` or `message`."""

    def __init__(self, line):
        self.kind, self.verdict, seconds, self.error = line.split(" ", 3)
        self.seconds = float(seconds)

    def __repr__(self):
        return f"{self.kind} {self.verdict} {self.error}"


def deliver(verb, config, receiver, body, **options):
    """The outcomes of `notify` or `message`."""
    status, text = probe(verb, config, receiver, stdin=body, **options)
    if status == 2:
        raise AssertionError(text)
    return [Outcome(line) for line in text.splitlines()]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Alertmanager:
    """Debian's prometheus-alertmanager on a free port, without clustering."""

    def __init__(self, directory, config, external_url="http://am.example:9093/x", web_config=None,
                 wait=True):
        self.directory = directory
        path = os.path.join(directory, "alertmanager.yml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(config)
        self.port = free_port()
        prefix = "/" + external_url.split("/", 3)[3] if external_url.count("/") > 2 else ""
        self.base = f"http://127.0.0.1:{self.port}{prefix}"
        self.log = open(os.path.join(directory, "alertmanager.log"), "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [ALERTMANAGER, "--config.file", path, "--storage.path", os.path.join(directory, "data"),
             "--cluster.listen-address=", "--web.listen-address", f"127.0.0.1:{self.port}",
             "--web.external-url", external_url, *(["--web.config.file", web_config] if web_config else [])],
            stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 30
        while wait:
            try:
                self.get("/-/ready")
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise
                time.sleep(0.05)

    def get(self, path):
        with urllib.request.urlopen(self.base + path, timeout=10) as answer:
            return answer.read()

    def alerts(self):
        return json.loads(self.get("/api/v2/alerts"))

    def post(self, alerts):
        request = urllib.request.Request(self.base + "/api/v2/alerts", data=json.dumps(alerts).encode(),
                                         headers={"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).read()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
