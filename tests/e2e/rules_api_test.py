"""Rules by HTTP: what Grafana's alerting pages ask, in its order, and the configuration APIs of Loki and Mimir."""
import time
import unittest

from varve_process import NS, VarveTest

ACCEPTED = {"status": "success", "data": None, "errorType": "", "error": ""}
# What Grafana decodes strictly; any other key is an error of its own (status 500).
GROUP_KEYS = {"name", "interval", "rules", "query_offset", "limit"}
RULE_KEYS = {"record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"}


def group_yaml(name="g", expr="vector(1)", severity="page", interval="1s"):
    return (f"name: {name}\ninterval: {interval}\nrules:\n  - alert: Always\n    expr: {expr}\n    labels:\n"
            f"      severity: {severity}\n    annotations:\n      summary: it is {{{{ $value }}}}\n").encode()


class RulesApi(VarveTest):
    def poll(self, what, seconds=20):
        """Until `what` gives something; that."""
        deadline = time.monotonic() + seconds
        while True:
            found = what()
            if found:
                return found
            self.assertLess(time.monotonic(), deadline, "it never came")
            time.sleep(0.05)

    def rule(self, server, state_path, file, group):
        for g in server.get(state_path).json["data"]["groups"]:
            if (g["file"], g["name"]) == (file, group):
                return g["rules"][0]
        return None

    def post(self, server, path, body):
        """As Grafana does: YAML without a Content-Type."""
        return server.request("POST", path, body=body, params={"subtype": "mimir"})

    # Save, poll until it shows, change, delete: docs of Grafana's unified alerting.
    def grafana_edits_rules(self, server, config, state, expr):
        probe = server.get(config + "/test/test", {"subtype": "mimir"})
        self.assertEqual((404, "group does not exist\n"), (probe.status, probe.text))
        self.assertEqual({"groups": []}, server.get(state).json["data"])
        saved = self.post(server, config + "/my%2Fspace", group_yaml(expr=expr))
        self.assertEqual((202, ACCEPTED), (saved.status, saved.json))
        self.assertIn("application/json", saved.headers["Content-Type"])
        firing = self.poll(lambda: (r := self.rule(server, state, "my/space", "g")) and r["state"] == "firing" and r)
        self.assertEqual("ok", firing["health"])
        self.assertEqual({"alertname": "Always", "severity": "page"}, firing["alerts"][0]["labels"])
        self.assertEqual("it is 1", firing["alerts"][0]["annotations"]["summary"])
        listed = server.get(config)
        self.assertIn("yaml", listed.headers["Content-Type"])
        self.assertTrue(listed.text.startswith("my/space:\n"), listed.text)
        one = server.get(config + "/my%2Fspace/g")
        self.assert_grafana_decodes(one.text)
        self.assertEqual(202, self.post(server, config + "/my%2Fspace", group_yaml(expr=expr, severity="warn")).status)
        self.poll(lambda: self.rule(server, state, "my/space", "g")["labels"]["severity"] == "warn")
        self.assertEqual(202, server.request("DELETE", config + "/my%2Fspace/g").status)
        self.assertEqual((404, "no rule groups found\n"), (lambda a: (a.status, a.text))(server.get(config)))
        self.poll(lambda: self.rule(server, state, "my/space", "g") is None)

    def assert_grafana_decodes(self, text):
        """Keys of a group as block YAML."""
        for line in text.splitlines():
            key = line.lstrip("- ").partition(":")[0]
            indent = len(line) - len(line.lstrip(" "))
            if line.startswith((" ", "-")) and indent <= 4 and ":" in line and key not in ("severity", "summary"):
                self.assertIn(key, RULE_KEYS | {"severity", "summary"}, text)
            elif not line.startswith((" ", "-")):
                self.assertIn(key, GROUP_KEYS, text)

    def test_grafana_edits_rules_of_a_loki_data_source(self):
        server = self.started()
        self.grafana_edits_rules(server, "/api/prom/rules", "/prometheus/api/v1/rules", "vector(1)")

    def test_grafana_edits_rules_of_a_prometheus_data_source(self):
        server = self.started()
        build = server.get("/api/v1/status/buildinfo").json["data"]
        self.assertEqual("true", build["features"]["ruler_config_api"])
        self.grafana_edits_rules(server, "/config/v1/rules", "/api/v1/rules", "vector(1)")

    def test_a_prometheus_data_source_below_prometheus_has_the_same_rules(self):
        server = self.started()
        self.grafana_edits_rules(server, "/prometheus/config/v1/rules", "/prometheus/api/v1/rules", "vector(1)")

    def test_rules_over_logs(self):
        server = self.started()
        now = time.time_ns()
        server.push_streams(({"job": "app"}, [(now - NS + i, f"ERROR {i}") for i in range(3)]))
        expr = """'sum by (job) (count_over_time({job="app"} |= "ERROR" [10m])) > 2'"""
        saved = self.post(server, "/loki/api/v1/rules/logs", group_yaml(expr=expr))
        self.assertEqual(202, saved.status, saved.text)
        firing = self.poll(lambda: (r := self.rule(server, "/prometheus/api/v1/rules", "logs", "g"))
                           and r["state"] == "firing" and r)
        self.assertEqual("3e+00", firing["alerts"][0]["value"])
        self.assertEqual("app", firing["alerts"][0]["labels"]["job"])
        # ALERTS and the lines of state changes are data like any other.
        alerts = server.get("/api/v1/query", {"query": 'ALERTS{alertstate="firing"}'}).json["data"]["result"]
        self.assertEqual(1, len(alerts))
        lines = [line for _, line in server.lines('{job="varve-alerts"}', now - NS, time.time_ns() + NS)]
        self.assertIn('"to":"firing"', lines[-1])

    def test_a_restart_and_a_kill_keep_rules_and_their_state(self):
        server = self.started()
        self.assertEqual(202, self.post(server, "/config/v1/rules/a", group_yaml()).status)
        before = self.poll(lambda: (r := self.rule(server, "/api/v1/rules", "a", "g")) and r["alerts"] and r)
        text = server.get("/config/v1/rules").text
        server.stop()
        server.start()
        self.assertEqual(text, server.get("/config/v1/rules").text)
        after = self.rule(server, "/api/v1/rules", "a", "g")
        self.assertEqual(before["alerts"][0]["activeAt"], after["alerts"][0]["activeAt"])
        self.assertEqual(202, self.post(server, "/config/v1/rules/b", group_yaml(name="h")).status)
        server.kill()
        server.start()
        self.assertEqual(200, server.get("/config/v1/rules/b/h").status)
        self.assertEqual(202, server.request("DELETE", "/config/v1/rules/b").status)
        server.kill()
        server.start()
        self.assertEqual(404, server.get("/config/v1/rules/b/h").status)

    def test_bad_groups_are_refused_with_the_reason_and_nothing_changes(self):
        server = self.started()
        self.assertEqual(202, self.post(server, "/loki/api/v1/rules/s", group_yaml()).status)
        text = server.get("/loki/api/v1/rules").text
        cases = {
            b"name: g\nnope: 1\nrules: []\n": "nope",
            b"name: g\nrules:\n  - alert: A\n    expr: sum(\n": "could not parse expression",
            b"name: ''\nrules:\n  - alert: A\n    expr: vector(1)\n": "ame must not be empty",
            b"name: g\nrules:\n  - alert: A\n    record: b\n    expr: vector(1)\n": "only one of 'record' and 'alert' must be set",
            b"\xff\xfe": "",
            b"[" * 10000: "",
        }
        for body, part in cases.items():
            for base in ("/loki/api/v1/rules/s", "/config/v1/rules/s"):
                with self.subTest(body=body[:60], base=base):
                    answer = self.post(server, base, body)
                    self.assertEqual(400, answer.status, answer.text)
                    self.assertIn(part, answer.text)
        self.assertEqual(text, server.get("/loki/api/v1/rules").text)

    def test_tenants_have_rules_of_their_own(self):
        server = self.started("--multi-tenant")
        a, b = {"X-Scope-OrgID": "a"}, {"X-Scope-OrgID": "b"}
        self.assertEqual(401, server.request("POST", "/config/v1/rules/s", body=group_yaml()).status)
        self.assertEqual(202, server.request("POST", "/config/v1/rules/s", body=group_yaml(), headers=a).status)
        self.assertEqual(200, server.get("/config/v1/rules", headers=a).status)
        self.assertEqual(404, server.get("/config/v1/rules", headers=b).status)
        self.poll(lambda: server.get("/api/v1/alerts", headers=a).json["data"]["alerts"])
        self.assertEqual([], server.get("/api/v1/alerts", headers=b).json["data"]["alerts"])
        self.poll(lambda: server.get("/api/v1/query", {"query": "ALERTS"}, a).json["data"]["result"])
        self.assertEqual([], server.get("/api/v1/query", {"query": "ALERTS"}, b).json["data"]["result"])


if __name__ == "__main__":
    unittest.main()
