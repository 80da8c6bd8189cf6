"""docs/examples/gateway, its own files, with Debian's prometheus (agent and second site), node exporter and Alertmanager.

Addresses are replaced, and intervals by shorter ones. Promtail is not installed here: its push is made by hand.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest
import urllib.parse
import urllib.request

import example_files
import plain_yaml
from http_sink import HttpSink
from varve_process import NS, ROOT, VarveTest

EXAMPLE = os.path.join(ROOT, "docs", "examples", "gateway")
PROGRAMS = ("prometheus", "prometheus-node-exporter", "prometheus-alertmanager", "promtool", "amtool")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
KUMA_KEY = "uk1_test"
KUMA_METRICS = """# HELP monitor_status Monitor Status (1 = UP, 0= DOWN, 2= PENDING, 3= MAINTENANCE)
# TYPE monitor_status gauge
monitor_status{monitor_name="shop",monitor_type="http",monitor_url="https://shop.example.org",monitor_hostname="null"} 0
monitor_status{monitor_name="mail",monitor_type="port",monitor_url="https://",monitor_hostname="mail.example.org"} 1
"""
OUTSIDE = {"hooks.example.org", "gateway.example.org"}
LINE = 'level=error msg="payment failed" trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span=1'


def read(path):
    with open(os.path.join(EXAMPLE, path), encoding="utf-8") as f:
        return f.read()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def texts(value):
    """Every text in it."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        return [t for v in value for t in texts(v)]
    return [value] if isinstance(value, str) else []


class Files(VarveTest):
    def documents(self):
        found = {}
        for where, _, files in os.walk(EXAMPLE):
            for file in files:
                if file.endswith((".yaml", ".yml")):
                    path = os.path.relpath(os.path.join(where, file), EXAMPLE)
                    found[path] = plain_yaml.load(read(path))
        return found

    def test_every_yaml_file_reads_and_names_services_that_there_are(self):
        documents = self.documents()
        self.assertEqual(9, len(documents), sorted(documents))
        services = documents["compose.yaml"]["services"]
        self.assertLessEqual({"varve", "prometheus", "promtail", "node-exporter", "cadvisor", "alertmanager", "grafana",
                              "jaeger", "uptime-kuma"}, set(services))
        for path, document in documents.items():
            for text in texts(document):
                for host in re.findall(r"https?://([^/:]+)", text) + re.findall(r"^([a-z-]+):\d+$", text):
                    if path != "compose.yaml" and host != "localhost":
                        self.assertIn(host, set(services) | OUTSIDE, f"{path}: {text}")
        named = {m.group(1) for s in services.values() for v in s.get("volumes", []) if (m := re.match(r"([a-z-]+):", v))}
        self.assertEqual(set(documents["compose.yaml"]["volumes"]), named)
        for name, service in services.items():
            for volume in service.get("volumes", []):
                if volume.startswith("."):
                    self.assertTrue(os.path.exists(os.path.join(EXAMPLE, volume.split(":")[0])), f"{name}: {volume}")
            for other in service.get("depends_on", []):
                self.assertIn(other, services)

    def test_varve_answers_every_path_that_the_files_name(self):
        server = self.started()
        urls = {t for d in self.documents().values() for t in texts(d)
                if t.startswith(("http://varve:3100", "http://gateway.example.org"))}
        paths = {urllib.parse.urlsplit(url).path for url in urls} - {""}
        self.assertEqual({"/api/v1/write", "/loki/api/v1/push", "/api/v1/read"}, paths)
        for path in paths:
            self.assertNotIn(server.request("POST", path).status, (404, 405), path)
        self.assertEqual(200, server.get("/federate", {"match[]": "up"}).status)
        for probe in ("/loki/api/v1/status/buildinfo", "/api/v1/status/buildinfo", "/api/v1/rules", "/metrics"):
            self.assertEqual(200, server.get(probe).status, probe)

    def test_trace_ids_lead_to_jaeger(self):
        sources = {s["uid"]: s for s in plain_yaml.load(read("grafana/provisioning/datasources/datasources.yaml"))["datasources"]}
        self.assertEqual("jaeger", sources["jaeger"]["type"])
        logs = sources["varve-logs"]["jsonData"]
        self.assertIn(logs["alertmanagerUid"], sources)
        by_label, by_line = logs["derivedFields"]
        for field in (by_label, by_line):
            self.assertEqual(("jaeger", "$${__value.raw}"), (field["datasourceUid"], field["url"]))
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        stages = plain_yaml.load(read("promtail.yaml"))["scrape_configs"][0]["pipeline_stages"]
        for line in (LINE, f'{{"traceId":"{trace}","msg":"x"}}', f"traceID: {trace} done"):
            self.assertEqual(trace, re.search(by_line["matcherRegex"], line).group(1))
            self.assertEqual(trace, re.search(stages[0]["regex"]["expression"], line).group("trace_id"))
        # What Promtail sends then is found by the trace's id, as the README says.
        server = self.started()
        now = time.time_ns()
        server.push_streams(({"service": "shop", "container": "shop-1", "site": "gateway"},
                             [(now, LINE, {"trace_id": trace}), (now + 1, "another")]))
        found = server.lines('{service=~".+"} | trace_id="' + trace + '"', now - NS, now + NS)
        self.assertEqual([(now, LINE)], found)
        answer = server.query_range('{service="shop"} | trace_id="' + trace + '"', now - NS, now + NS,
                                    headers={"X-Loki-Response-Encoding-Flags": "categorize-labels"})
        labels = answer.json["data"]["result"][0]["values"][0][2]["structuredMetadata"]
        self.assertTrue(any(re.search(by_label["matcherRegex"], name) for name in labels), labels)

    @unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}")
    def test_the_tools_of_their_programs_find_the_files_right(self):
        for command in (["promtool", "check", "config", "--agent", "prometheus.yml"],
                        ["promtool", "check", "config", "second-site/prometheus.yml"],
                        ["amtool", "check-config", "alertmanager.yml"]):
            done = subprocess.run(command, cwd=EXAMPLE, capture_output=True, text=True, timeout=60)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        status, out, err = self.run_varve("rules", "check", os.path.join(EXAMPLE, "rules.yaml"))
        self.assertEqual(0, status, out + err)


@unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}")
class Gateway(VarveTest):
    def run_program(self, *command):
        log = open(os.path.join(self.folder, f"{os.path.basename(command[0])}-{len(os.listdir(self.folder))}.log"), "wb")
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

    def until(self, what, probe, seconds=90):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                found = probe()
                if found:
                    return found
            except OSError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds} s: {what}")

    def ready(self, port):
        return lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5).status == 200

    def query(self, port, query, at=None):
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query, "time": at or time.time()})
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.loads(answer.read())["data"]["result"]

    def stored(self, port):
        """Names of metrics in a Prometheus's own storage."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/status/tsdb?limit=1000", timeout=60) as answer:
            return {m["name"] for m in json.loads(answer.read())["data"]["seriesCountByMetricName"]}

    def start(self):
        """Everything of compose.yaml that is installed here; cAdvisor and Grafana are down."""
        self.hooks = HttpSink().start()
        self.kuma = HttpSink(body=KUMA_METRICS, headers={"Content-Type": "text/plain; version=0.0.4"},
                             basic_auth=("prometheus", KUMA_KEY)).start()
        for sink in (self.hooks, self.kuma):
            self.addCleanup(sink.stop)
        self.ports = {name: free_port() for name in ("prometheus", "node", "alertmanager", "second", "varve")}
        at = {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}
        example_files.copy("gateway", self.folder, {
            "prometheus.yml": {"http://varve:3100": f"http://{at['varve']}", "[varve:3100]": f"['{at['varve']}']",
                               "localhost:9090": at["prometheus"], "node-exporter:9100": at["node"],
                               "cadvisor:8080": f"127.0.0.1:{free_port()}", "grafana:3000": f"127.0.0.1:{free_port()}",
                               "alertmanager:9093": at["alertmanager"], "uptime-kuma:3001": self.kuma.address,
                               "scrape_interval: 15s": "scrape_interval: 1s\n  scrape_timeout: 1s"},
            "uptime-kuma.key": {"put-the-api-key-of-uptime-kuma-here\n": KUMA_KEY},
            "varve.yaml": {"alertmanager:9093": at["alertmanager"], "evaluation_interval: 15s": "evaluation_interval: 1s"},
            "rules.yaml": {"for: 1m": "for: 2s", "[1m]": "[10s]"},
            "alertmanager.yml": {"http://hooks.example.org": self.hooks.url, "group_wait: 30s": "group_wait: 1s"},
            "second-site/prometheus.yml": {"gateway.example.org:3100": at["varve"],
                                           "scrape_interval: 15s": "scrape_interval: 1s\n  scrape_timeout: 1s"},
        })
        file = lambda name: os.path.join(self.folder, name)
        self.run_program("prometheus-alertmanager", f"--config.file={file('alertmanager.yml')}", "--cluster.listen-address=",
                         f"--storage.path={file('alertmanager')}", f"--web.listen-address={at['alertmanager']}")
        server = self.server("--config", file("varve.yaml"))
        server.listen = at["varve"]
        server.start()
        self.run_program("prometheus-node-exporter", f"--web.listen-address={at['node']}")
        self.run_program("prometheus", "--enable-feature=agent", f"--config.file={file('prometheus.yml')}",
                         f"--storage.agent.path={file('agent')}", f"--web.listen-address={at['prometheus']}")
        return server

    def test_scrapes_arrive_alerts_go_out_and_a_second_site_reads(self):
        server = self.start()
        began = time.time()
        varve = self.ports["varve"]
        self.until("scrapes in Varve", lambda: len(self.query(varve, "count_over_time(up[1m]) > 3")) == 7)
        up = {r["metric"]["job"]: r["value"][1] for r in self.query(varve, "up")}
        self.assertEqual({"prometheus": "1", "node": "1", "varve": "1", "alertmanager": "1", "uptime-kuma": "1",
                          "cadvisor": "0", "grafana": "0"}, up)
        self.assertEqual({"gateway"}, {r["metric"]["site"] for r in self.query(varve, "up")})
        self.assertGreater(len(self.query(varve, '{__name__=~"node_.+"}')), 200)
        # The metrics of Varve itself, through Prometheus, in Varve.
        self.assertTrue(self.query(varve, 'prometheus_rule_group_iterations_total{job="varve"}') or
                        self.query(varve, 'varve_pack_bytes{job="varve"}'))

        # Rules in Varve, Alertmanager, webhook.
        down = self.hooks.wait_for(lambda r: r.json["commonLabels"].get("job") == "cadvisor", 90)
        self.assertEqual(("/alerts", "TargetDown"), (down.path, down.json["commonLabels"]["alertname"]))
        self.assertRegex(down.json["alerts"][0]["annotations"]["summary"], r"^cadvisor at 127\.0\.0\.1:\d+ cannot be scraped$")
        shop = self.hooks.wait_for(lambda r: r.json["commonLabels"].get("alertname") == "MonitorDown", 60)
        self.assertEqual("shop is down: https://shop.example.org", shop.json["alerts"][0]["annotations"]["summary"])
        self.assertEqual(["shop"], [a["labels"]["monitor_name"] for a in shop.json["alerts"]])

        # Lines as Promtail pushes them, and the rule that counts them.
        now = time.time_ns()
        server.push_streams(({"service": "shop", "container": "shop-1", "site": "gateway"}, [(now + i, LINE) for i in range(25)]))
        errors = self.hooks.wait_for(lambda r: r.json["commonLabels"].get("alertname") == "ErrorLines", 60)
        self.assertEqual("25 error lines of shop within 5 minutes", errors.json["alerts"][0]["annotations"]["summary"])

        self.second_site(began)

    def second_site(self, began):
        varve, second = self.ports["varve"], self.ports["second"]
        self.run_program("prometheus", f"--config.file={self.folder}/second-site/prometheus.yml",
                         f"--storage.tsdb.path={self.folder}/second", f"--web.listen-address=127.0.0.1:{second}")
        self.until("the second site is ready", self.ready(second))
        federated = '{__name__=~"(job|instance|service):.+"}'
        names = lambda port, query: {r["metric"]["__name__"] for r in self.query(port, query)}
        wanted = {"job:up:avg", "instance:node_cpu:ratio", "instance:node_memory_available:ratio", "service:log_bytes:rate5m"}
        self.assertEqual(wanted, names(varve, federated))
        # In its own storage: a query would ask the gateway as well.
        self.until("aggregates at the second site", lambda: wanted | {"ALERTS"} <= self.stored(second))
        self.assertEqual("1", self.query(second, 'up{job="gateway"}')[0]["value"][1])
        self.assertNotIn("node_cpu_seconds_total", self.stored(second))
        # By remote read: raw series, sample for sample, from before the second site began.
        at = time.time() - 3
        span = f"[{int(at - began)}s]"
        for query in (f'up{{job="node"}}{span}', f"node_cpu_seconds_total{span}", f'monitor_status{{monitor_name="shop"}}{span}'):
            key = lambda r: sorted(r["metric"].items())
            ours, theirs = sorted(self.query(varve, query, at), key=key), sorted(self.query(second, query, at), key=key)
            self.assertTrue(ours)
            self.assertEqual(ours, theirs)


if __name__ == "__main__":
    unittest.main()
