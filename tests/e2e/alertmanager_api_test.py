"""The built-in notifier's API, asked by Alertmanager's own amtool, by Grafana's requests, and by our commands."""
import json
import re
import shutil
import subprocess
import time
import unittest

from http_sink import HttpSink
from varve_process import VarveTest

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class AlertmanagerApi(VarveTest):
    def setUp(self):
        super().setUp()
        self.sink = HttpSink().start()
        self.addCleanup(self.sink.stop)
        path = self.folder + "/am.yml"
        with open(path, "w", encoding="utf-8") as f:
            f.write("route:\n  receiver: hook\n  group_by: [alertname]\n  group_wait: 0s\n  group_interval: 1s\n"
                    f"receivers:\n- name: hook\n  webhook_configs:\n  - url: {self.sink.url}/hook\n")
        self.varve = self.started("--set", f"alertmanager.config_file={path}")
        self.url = f"http://127.0.0.1:{self.varve.port}"

    def amtool(self, *arguments):
        done = subprocess.run(["amtool", f"--alertmanager.url={self.url}", *arguments], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def post_alerts(self, *alerts):
        answer = self.varve.request("POST", "/api/v2/alerts", body=json.dumps(alerts),
                                    headers={"Content-Type": "application/json"})
        self.assertEqual(200, answer.status, answer.text)

    def alerts(self, **params):
        return [a["labels"]["alertname"] for a in self.varve.get("/api/v2/alerts", params).json]

    @unittest.skipUnless(shutil.which("amtool"), "amtool is not installed")
    def test_amtool_works(self):
        self.assertIn("receiver: hook", self.amtool("config", "show"))
        self.amtool("alert", "add", "Disk", "node=n1", "--annotation=summary=full")
        request = self.sink.wait_for(lambda r: r.json["status"] == "firing", 10)
        self.assertEqual({"alertname": "Disk", "node": "n1"}, request.json["alerts"][0]["labels"])
        self.assertIn("Disk", self.amtool("alert", "query", "node=n1"))
        self.assertNotIn("Disk", self.amtool("alert", "query", "node=n2"))
        silence = self.amtool("silence", "add", "node=~n.*", "--comment=later", "--author=me", "--duration=1h").strip()
        self.assertRegex(silence, f"^{UUID}$")
        self.assertIn(silence, self.amtool("silence", "query"))
        self.assertNotIn("Disk", self.amtool("alert", "query"))
        self.assertIn("Disk", self.amtool("alert", "query", "--silenced"))
        self.amtool("silence", "expire", silence)
        self.assertNotIn(silence, self.amtool("silence", "query"))
        self.assertIn("Disk", self.amtool("alert", "query"))

    def test_varve_silence_adds_lists_and_expires(self):
        self.post_alerts({"labels": {"alertname": "A", "host": "web1"}})
        def silence(*arguments):
            status, out, err = self.run_varve("silence", *arguments, "--addr", self.url)
            self.assertEqual((0, ""), (status, err))
            return out
        first = silence("add", "A", "host=~web.*", "--duration", "2h", "--comment", "being repaired", "--author", "me").strip()
        self.assertRegex(first, f"^{UUID}$")
        second = silence("add", "host!=b", "--start", "2036-01-01", "--end", "2036-01-02").strip()
        table = silence("list")
        self.assertRegex(table, rf'{first}  active   alertname="A" host=~"web\.\*"  .* me .* being repaired')
        self.assertRegex(table, rf'{second}  pending  host!="b"')
        self.assertEqual([first], silence("list", "A", "-q").split())
        self.assertEqual(["A"], self.alerts())
        self.assertEqual([], self.alerts(silenced="false"))
        silence("expire", first, second)
        self.assertEqual([], silence("list", "-q").split())
        self.assertEqual(2, len(silence("list", "-q", "--expired").split()))
        self.assertEqual(["A"], self.alerts(silenced="false"))
        for arguments in (["add"], ["add", "a=~("], ["expire", "00000000-0000-4000-8000-000000000000"], ["expire", "x"],
                          ["add", "A", "--end", "2001-01-01"]):
            status, out, err = self.run_varve("silence", *arguments, "--addr", self.url)
            self.assertEqual((1, "", 1), (status, out, len(err.splitlines())), arguments)

    def test_grafana_finds_an_alertmanager_at_one_root_only(self):
        self.assertEqual(404, self.varve.get("/alertmanager/api/v2/status").status)
        status = self.varve.get("/api/v2/status")
        self.assertEqual(200, status.status)
        self.assertIn("route:", status.json["config"]["original"])
        self.assertNotIn("127.0.0.1", status.json["config"]["original"], "a webhook's URL is a secret")
        self.assertEqual({"cluster", "config", "uptime", "versionInfo"}, set(status.json))
        self.assertEqual([{"name": "hook"}], self.varve.get("/api/v2/receivers").json)
        self.post_alerts({"labels": {"alertname": "A"}, "annotations": {"summary": "s"},
                          "generatorURL": "http://grafana/alerting/1"})
        self.sink.wait_for(lambda r: True, 10)
        groups = self.varve.get("/api/v2/alerts/groups").json
        self.assertEqual([({"alertname": "A"}, "hook", "active")],
                         [(g["labels"], g["receiver"]["name"], g["alerts"][0]["status"]["state"]) for g in groups])

    @unittest.skipUnless(shutil.which("prometheus"), "prometheus is not installed")
    def test_a_prometheus_sends_its_alerts(self):
        with open(self.folder + "/rules.yml", "w", encoding="utf-8") as f:
            f.write("groups:\n- name: g\n  interval: 1s\n  rules:\n  - alert: FromAfar\n    expr: vector(1)\n"
                    "    annotations: {summary: 'a \"quoted\" text'}\n")
        with open(self.folder + "/prometheus.yml", "w", encoding="utf-8") as f:
            f.write("global: {external_labels: {site: afar}}\nrule_files: [rules.yml]\nalerting:\n  alertmanagers:\n"
                    f"  - static_configs: [{{targets: ['127.0.0.1:{self.varve.port}']}}]\n")
        prometheus = subprocess.Popen(["prometheus", f"--config.file={self.folder}/prometheus.yml", "--web.listen-address=127.0.0.1:0",
                                       f"--storage.tsdb.path={self.folder}/tsdb", "--rules.alert.resend-delay=1s"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(prometheus.wait)
        self.addCleanup(prometheus.kill)
        told = self.sink.wait_for(lambda r: True, 60).json
        self.assertEqual(({"alertname": "FromAfar", "site": "afar"}, {"summary": 'a "quoted" text'}),
                         (told["commonLabels"], told["commonAnnotations"]))
        alert = self.varve.get("/api/v2/alerts").json[0]
        self.assertIn("/graph?g0.expr=vector%281%29", alert["generatorURL"])
        self.assertEqual("active", alert["status"]["state"])

    def test_alerts_and_silences_survive_a_kill(self):
        self.post_alerts({"labels": {"alertname": "A", "x": "1"}, "endsAt": "2036-01-01T00:00:00Z"})
        body = {"matchers": [{"name": "x", "value": "1", "isRegex": False}], "startsAt": "2026-01-01T00:00:00Z",
                "endsAt": "2036-01-01T00:00:00Z", "createdBy": "me", "comment": "c"}
        made = self.varve.request("POST", "/api/v2/silences", body=json.dumps(body),
                                  headers={"Content-Type": "application/json"})
        self.assertEqual(200, made.status, made.text)
        self.varve.kill()
        self.varve.start()
        alert = self.varve.get("/api/v2/alerts").json[0]
        self.assertEqual(([made.json["silenceID"]], "suppressed"),
                         (alert["status"]["silencedBy"], alert["status"]["state"]))

    def test_resolved_alerts_are_told_of_and_gone(self):
        self.post_alerts({"labels": {"alertname": "A"}})
        self.sink.wait_for(lambda r: r.json["status"] == "firing", 10)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.post_alerts({"labels": {"alertname": "A"}, "endsAt": now})
        self.sink.wait_for(lambda r: r.json["status"] == "resolved", 10)
        self.assertEqual([], self.alerts())

    def test_bad_requests_are_refused(self):
        for path, body in (("alerts", b"{"), ("alerts", b"[1]"), ("alerts", b'[{"labels":{}}]'), ("silences", b"[]"),
                           ("silences", b"{}"), ("alerts", b"[" * 5000)):
            answer = self.varve.request("POST", "/api/v2/" + path, body=body, headers={"Content-Type": "application/json"})
            self.assertIn(answer.status, (400, 422), answer.text)
            self.assertTrue(re.match(r'^[{"]', answer.text), answer.text)
        self.assertEqual(415, self.varve.request("POST", "/api/v2/silences", body=b"{}",
                                                 headers={"Content-Type": "text/plain"}).status)
        self.assertEqual(405, self.varve.request("DELETE", "/api/v2/alerts").status)


if __name__ == "__main__":
    unittest.main()
