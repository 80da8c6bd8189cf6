"""From a rule file to a receiver: firing and resolved, reload, bad files, kill -9, Alertmanagers elsewhere."""
import os
import re
import socket
import time
import unittest

import remote_write
from http_sink import HttpSink
from varve_process import NS, VarveTest

ERRORS = """groups:
- name: app
  interval: 1s
  rules:
  - alert: Errors
    expr: sum by (job) (count_over_time({job="app"} |= "ERROR" [%s])) > 2
    for: %s
    labels: {severity: page}
    annotations: {summary: "{{ $labels.job }}: {{ $value }} errors"}
  - record: app:errors:count
    expr: sum by (job) (count_over_time({job="app"} |= "ERROR" [%s]))
"""


class Alerting(VarveTest):
    def setUp(self):
        super().setUp()
        self.sink = HttpSink().start()
        self.addCleanup(self.sink.stop)
        self.write("am.yml", "route:\n  receiver: hook\n  group_by: [alertname]\n  group_wait: 0s\n  group_interval: 1s\n"
                   f"receivers:\n- name: hook\n  webhook_configs:\n  - url: {self.sink.url}/hook\n")
        self.config = self.write("varve.yaml", "rule_files: ['rules/*.yml']\nalertmanager: {config_file: am.yml}\n")
        os.mkdir(os.path.join(self.folder, "rules"))

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def poll(self, what, seconds=30):
        """Until `what` gives something; that."""
        deadline = time.monotonic() + seconds
        while True:
            found = what()
            if found:
                return found
            self.assertLess(time.monotonic(), deadline, "it never came")
            time.sleep(0.05)

    def push_errors(self, server, count=5):
        now = time.time_ns()
        server.push_streams(({"job": "app"}, [(now + i, f"ERROR {i}") for i in range(count)]))

    def alert(self, server, name="Errors"):
        alerts = server.get("/api/v1/alerts").json["data"]["alerts"]
        return next((a for a in alerts if a["labels"]["alertname"] == name), None)

    def states(self, server):
        lines = server.lines('{job="varve-alerts"} | json | rule="Errors"', time.time_ns() - 3600 * NS, time.time_ns() + NS)
        return [re.search(r'"from":"(\w+)","to":"(\w+)"', line).groups() for _, line in lines]

    def reload(self, server):
        return server.request("POST", "/-/reload")

    def test_an_alert_reaches_its_receiver_and_is_resolved(self):
        self.write("rules/a.yml", ERRORS % ("5s", "1s", "5s"))
        server = self.started("--config", self.config)
        self.push_errors(server)
        told = self.sink.wait_for(lambda r: r.json["status"] == "firing", 30).json
        self.assertEqual({"alertname": "Errors", "job": "app", "severity": "page"}, told["alerts"][0]["labels"])
        self.assertEqual({"summary": "app: 5 errors"}, told["alerts"][0]["annotations"])
        # Without ruler.external_url, as Prometheus.
        self.assertEqual(f"http://{socket.gethostname()}:{server.port}", told["externalURL"])
        self.assertTrue(told["alerts"][0]["generatorURL"].startswith(told["externalURL"] + "/graph?g0.expr="))
        self.assertIn(f"links_begin_with={told['externalURL']}", "\n".join(server.log))
        self.sink.wait_for(lambda r: r.json["status"] == "resolved", 30)
        self.assertEqual([("inactive", "pending"), ("pending", "firing"), ("firing", "inactive")], self.states(server))
        events = self.poll(lambda: [e for _, e in server.lines('{job="varve-alerts"} |= "notification"',
                                                               time.time_ns() - 3600 * NS, time.time_ns() + NS)])
        self.assertIn('"outcome":"sent"', events[0])
        recorded = server.get("/api/v1/query", {"query": "max_over_time(app:errors:count[1m])"}).json["data"]["result"]
        self.assertEqual("5", recorded[0]["value"][1])
        metrics = server.metrics()
        self.assertGreater(metrics["prometheus_rule_evaluations_total"], 2)
        self.assertEqual(2, metrics['alertmanager_notifications_total{integration="webhook",receiver="hook"}'])
        self.assertEqual(0, metrics["prometheus_rule_evaluation_failures_total"])

    def test_a_reload_keeps_the_state_of_unchanged_rules(self):
        self.write("rules/a.yml", ERRORS % ("10m", "1s", "10m"))
        server = self.started("--config", self.config)
        self.push_errors(server)
        before = self.poll(lambda: (a := self.alert(server)) and a["state"] == "firing" and a)
        self.write("rules/b.yml", "groups:\n- name: more\n  interval: 1s\n  rules:\n  - alert: More\n    expr: vector(1)\n")
        self.assertEqual(204, self.reload(server).status)
        self.poll(lambda: self.alert(server, "More"))
        self.assertEqual(before["activeAt"], self.alert(server)["activeAt"])
        self.sink.wait_for(lambda r: r.json["groupLabels"] == {"alertname": "More"}, 30)
        # SIGHUP does the same; the rule that is gone takes its alert with it.
        os.remove(os.path.join(self.folder, "rules/b.yml"))
        server.process.send_signal(1)
        self.poll(lambda: not self.alert(server, "More"))
        self.assertEqual((before["activeAt"], "firing"),
                         (lambda a: (a["activeAt"], a["state"]))(self.alert(server)))

    def test_a_bad_file_is_refused_and_what_runs_stays(self):
        self.write("rules/a.yml", ERRORS % ("10m", "0s", "10m"))
        server = self.started("--config", self.config)
        self.push_errors(server)
        self.poll(lambda: self.alert(server))
        limits = "limits: {max_query_series: 7}\nrule_files: ['rules/*.yml']\nalertmanager: {config_file: am.yml}\n"
        self.write("varve.yaml", limits)
        cases = {
            "rules/b.yml": ("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    nope: 1\n", "b.yml:6: ", "nope"),
            "rules/c.yml": ("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: sum(\n", "c.yml:5: ", "A"),
            "rules/d.yml": ("groups:\n- name: g\n  rules: []\n- name: g\n  rules: []\n", "d.yml:4: ", "g"),
            "rules/e.yml": ("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    annotations: {a: '{{ nope }}'}\n",
                            "e.yml:", "nope"),
            "am.yml": ("route: {receiver: none}\nreceivers: []\n", "am.yml", "none"),
        }
        with open(os.path.join(self.folder, "am.yml"), encoding="utf-8") as f:
            good = f.read()
        for name, (text, where, what) in cases.items():
            with self.subTest(name):
                self.write(name, text)
                answer = self.reload(server)
                self.assertEqual(500, answer.status)
                self.assertIn(where, answer.text)
                self.assertIn(what, answer.text)
                if name == "am.yml":
                    self.write(name, good)
                else:
                    os.remove(os.path.join(self.folder, name))
                self.assertEqual(["app"], [g["name"] for g in server.get("/api/v1/rules").json["data"]["groups"]])
                self.assertIn("max_query_series: 500\n", server.get("/config").text, "not even the limits have changed")
        self.assertEqual("firing", self.alert(server)["state"])
        self.assertTrue(any("configuration not reloaded" in line for line in server.log))
        self.assertEqual(0, server.metrics()["loki_runtime_config_last_reload_successful"])
        self.assertEqual(204, self.reload(server).status)
        self.assertIn("max_query_series: 7\n", server.get("/config").text)

    def test_a_kill_in_the_middle_of_for_loses_no_pending_time(self):
        self.write("rules/a.yml", ERRORS % ("10m", "6s", "10m"))
        server = self.started("--config", self.config, "--set", "ruler.catch_up_delay=0s")
        self.push_errors(server)
        pending = self.poll(lambda: self.alert(server))
        self.assertEqual("pending", pending["state"])
        server.kill()
        server.start()
        self.assertEqual((pending["activeAt"], "pending"),
                         (lambda a: (a["activeAt"], a["state"]))(self.alert(server)))
        told = self.sink.wait_for(lambda r: r.json["status"] == "firing", 30).json
        firing = self.alert(server)
        self.assertEqual(pending["activeAt"], firing["activeAt"])
        # At the first evaluation six seconds after the pending one: missed ones were made up.
        begin, fired = (time.strptime(t[:19], "%Y-%m-%dT%H:%M:%S") for t in (pending["activeAt"], told["alerts"][0]["startsAt"]))
        self.assertEqual(6, time.mktime(fired) - time.mktime(begin))
        self.assertEqual([("inactive", "pending"), ("pending", "firing")], self.states(server))
        # Once more: what was told, and recorded as told, is not told again, and the alert goes on.
        self.poll(lambda: sum(n for name, n in server.metrics().items() if name.startswith("alertmanager_notifications_total")))
        server.kill()
        server.start()
        self.poll(lambda: server.metrics()["prometheus_rule_evaluations_total"] > 4)
        self.assertEqual("firing", self.alert(server)["state"])
        self.assertEqual(1, len(self.sink.messages), [m.text for m in self.sink.messages])

    def test_alerts_go_to_alertmanagers_elsewhere(self):
        other = self.started(data_dir=self.data_dir + "2")
        self.write("rules/a.yml", "groups:\n- name: g\n  interval: 1s\n  rules:\n  - alert: Always\n    expr: vector(1)\n")
        config = self.write("external.yaml", "global: {external_labels: {site: here}}\nrule_files: [rules/a.yml]\nalerting:\n"
                            f"  alertmanagers:\n  - static_configs:\n    - targets: ['127.0.0.1:{other.port}']\n")
        server = self.started("--config", config)
        alerts = self.poll(lambda: other.get("/api/v2/alerts").json)
        self.assertEqual({"alertname": "Always", "site": "here"}, alerts[0]["labels"])
        managers = server.get("/api/v1/alertmanagers").json["data"]["activeAlertmanagers"]
        self.assertEqual([{"url": f"http://127.0.0.1:{other.port}/api/v2/alerts"}], managers)
        name = f'prometheus_notifications_sent_total{{alertmanager="http://127.0.0.1:{other.port}"}}'
        self.poll(lambda: server.metrics()[name] >= 1)
        # A reload that takes the rules away ends the alert there, too.
        self.write("external.yaml", f"alerting:\n  alertmanagers:\n  - static_configs:\n    - targets: ['127.0.0.1:{other.port}']\n")
        self.assertEqual(204, self.reload(server).status)
        self.assertEqual([], server.get("/api/v1/rules").json["data"]["groups"])

    def test_what_fails_is_in_the_metrics_the_log_and_the_stream(self):
        self.sink.status = 500
        self.write("rules/a.yml", "groups:\n- name: g\n  interval: 1s\n  rules:\n  - alert: Always\n    expr: vector(1)\n"
                   "  - record: bad\n    expr: label_replace(up, \"x\", \"$1\", \"y\", \"(.*)\") * on () vector(1) * on () up\n")
        server = self.started("--config", self.config)
        now = int(time.time() * 1000)
        for job in ("a", "b"):
            written = remote_write.write(server, remote_write.time_series({"__name__": "up", "job": job}, [(now, 1)]))
            self.assertEqual(204, written.status, written.text)
        failed = 'alertmanager_notifications_failed_total{integration="webhook",receiver="hook"}'
        self.poll(lambda: server.metrics()[failed] >= 1)
        self.poll(lambda: server.metrics()["prometheus_rule_evaluation_failures_total"] >= 1)
        self.assertIn("multiple matches for labels", server.get("/api/v1/rules", {"type": "record"}).text)
        lines = self.poll(lambda: [e for _, e in server.lines('{job="varve-alerts"} |= "notification"',
                                                              time.time_ns() - 3600 * NS, time.time_ns() + NS)])
        self.assertIn("500", lines[0])
        server.stop()
        log = "\n".join(server.log)
        self.assertRegex(log, r'msg="notifications failed" receiver=hook integration=webhook')
        self.assertRegex(log, r'msg="rule failed" .* rule=bad failing_rules=1 error="multiple matches for labels')
        self.assertNotIn("/hook", log, "a webhook's URL is a secret")
        for line in lines:
            self.assertNotIn("/hook", line)

    def test_lokis_rule_directory_has_a_folder_for_each_tenant(self):
        os.makedirs(os.path.join(self.folder, "loki/team-a"))
        self.write("loki/team-a/space.yaml", ERRORS % ("10m", "0s", "10m"))
        config = self.write("loki.yaml", "auth_enabled: true\nruler:\n  storage:\n    local:\n      directory: loki\n")
        server = self.started("--config", config)
        a = {"X-Scope-OrgID": "team-a"}
        now = time.time_ns()
        body = '{"streams":[{"stream":{"job":"app"},"values":[["%d","ERROR 1"],["%d","ERROR 2"],["%d","ERROR 3"]]}]}'
        self.assertEqual(204, server.push(body % (now, now + 1, now + 2), headers=a).status)
        self.poll(lambda: server.get("/prometheus/api/v1/alerts", headers=a).json["data"]["alerts"])
        other = server.get("/prometheus/api/v1/alerts", headers={"X-Scope-OrgID": "team-b"})
        self.assertEqual([], other.json["data"]["alerts"])

    def test_alarms_are_listed(self):
        self.write("rules/a.yml", "groups:\n- name: g\n  interval: 1s\n  rules:\n  - alert: High\n    expr: vector(9) > 5\n"
                   "    alarm: {evaluation_periods: 2, datapoints_to_alarm: 2}\n")
        server = self.started("--config", self.config)
        self.poll(lambda: [a for a in server.get("/api/v1/alarms").json["data"]["alarms"] if a["state"] == "ALARM"])
        status, out, err = self.run_varve("alarms", "--state", "ALARM", "--addr", f"http://127.0.0.1:{server.port}")
        self.assertEqual((0, ""), (status, err))
        self.assertRegex(out, r"^state +since +rule +labels +reason\nALARM +20\d\d-.* High +\{.*\} +\S")
        self.sink.wait_for(lambda r: r.json["commonLabels"].get("alarm_state") == "ALARM", 30)


if __name__ == "__main__":
    unittest.main()
