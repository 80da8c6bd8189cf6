"""Debian's own prometheus scrapes its node exporter and writes to Varve, which is killed in between.

Needs `prometheus`, `prometheus-node-exporter` and `promtool` (apt: prometheus, prometheus-node-exporter); skipped where
they are not there. VARVE_AGENT_SECONDS=600 lets it run ten minutes, half of them before the kill.
"""
import os
import shutil
import signal
import socket
import subprocess
import time
import unittest
import urllib.request

from varve_process import VarveTest

PROGRAMS = ("prometheus", "prometheus-node-exporter", "promtool")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
INTERVAL = 2  # seconds between scrapes
LONGER = float(os.environ.get("VARVE_AGENT_SECONDS", "0"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}")
class Agent(VarveTest):
    def run_program(self, *command):
        log = open(os.path.join(self.folder, os.path.basename(command[0]) + ".log"), "wb")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def end():
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()
        self.addCleanup(end)
        return process

    def wait_until(self, what, seconds, probe):
        deadline = time.time() + seconds
        while time.time() < deadline:
            try:
                if probe():
                    return
            except OSError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds} s: {what}")

    def query(self, server, query, at):
        answer = server.get("/api/v1/query", {"query": query, "time": at})
        self.assertEqual(200, answer.status, answer.text)
        return answer.json["data"]["result"]

    def start_agent(self, server):
        exporter, port = free_port(), free_port()
        self.run_program("prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{exporter}")
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as f:
            f.write(f"""
global: {{scrape_interval: {INTERVAL}s, scrape_timeout: {INTERVAL}s}}
scrape_configs:
  - {{job_name: node, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}
remote_write:
  - url: http://127.0.0.1:{server.port}/api/v1/write
    metadata_config: {{send: true, send_interval: 5s}}
    queue_config: {{min_backoff: 30ms, max_backoff: 500ms, batch_send_deadline: 500ms}}
""")
        self.run_program("prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
                         f"--storage.tsdb.path={self.folder}/prometheus")
        self.wait_until("prometheus is ready", 60, lambda: urllib.request.urlopen(
            f"http://127.0.0.1:{port}/-/ready", timeout=5).status == 200)
        return port

    def local(self, port, query, at):
        import json
        from urllib.parse import urlencode
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urlencode({"query": query, "time": at})
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.loads(answer.read())["data"]["result"]

    def test_all_series_arrive_and_an_outage_leaves_no_gap(self):
        server = self.started()
        server.listen = f"127.0.0.1:{server.port}"  # where the agent will look for it again
        began = time.time()
        port = self.start_agent(server)
        self.wait_until("samples arrive", 60, lambda: len(self.query(server, 'count_over_time(up{job="node"}[1m]) > 3',
                                                                     time.time())) == 1)
        time.sleep(LONGER / 2)
        server.kill()
        time.sleep(3 * INTERVAL)  # scrapes go on meanwhile
        server.start()
        time.sleep(LONGER / 2)
        back = time.time()
        self.wait_until("samples of after the outage", 60, lambda: len(self.query(
            server, f'last_over_time(timestamp(up{{job="node"}})[30s:1s]) > {back + 2 * INTERVAL}', time.time())) == 1)
        at = back + INTERVAL  # everything up to here has arrived

        span = f"[{int(at - began) + 1}s]"
        names = lambda result: sorted(tuple(sorted(r["metric"].items())) for r in result)
        everything = 'count by (__name__, job, instance, device, mode, cpu, collector) ({job="node"})'
        ours, theirs = self.query(server, everything, at), self.local(port, everything, at)
        self.assertGreater(len(ours), 200)
        self.assertEqual(names(theirs), names(ours))
        # Sample for sample, the outage included.
        for query in (f"up{span}", f"node_cpu_seconds_total{span}", f"node_memory_MemFree_bytes{span}"):
            key = lambda r: sorted(r["metric"].items())
            self.assertEqual(sorted(self.local(port, query, at), key=key), sorted(self.query(server, query, at), key=key))
        times = [t for t, _ in self.query(server, f"up{span}", at)[0]["values"]]
        self.assertLess(max(b - a for a, b in zip(times, times[1:])), 2 * INTERVAL)
        self.assertEqual("gauge", server.get("/api/v1/metadata", {"metric": "node_load1"}).json["data"]["node_load1"][0]["type"])
        tool = subprocess.run(["promtool", "query", "instant", f"http://127.0.0.1:{server.port}",
                               "sum(rate(node_cpu_seconds_total[20s]))"], capture_output=True, text=True, timeout=60)
        self.assertEqual((0, ""), (tool.returncode, tool.stderr))
        self.assertRegex(tool.stdout, r"^\{\} => [0-9.]+ @\[")


if __name__ == "__main__":
    unittest.main()
