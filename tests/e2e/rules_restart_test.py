"""kill -9 in the middle of `for:` and between evaluations: no pending time is lost, no evaluation, no line of the history."""
import json
import os
import random
import time
import unittest

from varve_process import NS, VarveTest

RULES = """groups:
- name: app
  interval: 1s
  rules:
  - {record: errors, expr: 'sum(count_over_time({job="app"} |= "ERROR" [1h]))', type: logql}
  - {alert: Errors, expr: 'errors > 2', for: 6s, labels: {severity: page}}
  - {alert: Often, expr: 'errors > 2', alarm: {evaluation_periods: 4, datapoints_to_alarm: 3}}
"""


class RulesRestart(VarveTest):
    def setUp(self):
        super().setUp()
        os.mkdir(os.path.join(self.folder, "rules"))
        with open(os.path.join(self.folder, "rules", "app.yml"), "w", encoding="utf-8") as f:
            f.write(RULES)
        config = os.path.join(self.folder, "varve.yaml")
        with open(config, "w", encoding="utf-8") as f:
            f.write("rule_files: ['rules/*.yml']\nruler: {catch_up_delay: 0s}\n")
        self.began = time.time_ns()
        self.varve = self.started("--config", config)

    def changes(self, rule):
        lines = self.varve.lines('{job="varve-alerts"}', self.began - 60 * NS, time.time_ns() + NS)
        return [(ts, line) for ts, line in ((ts, json.loads(line)) for ts, line in lines) if line["rule"] == rule]

    def poll(self, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), deadline, "it never came")
            time.sleep(0.05)

    def kill(self, down_seconds):
        self.varve.kill()
        time.sleep(down_seconds)
        self.varve.start()

    def test_restarts_lose_nothing(self):
        # A group that was never evaluated has nothing to make up.
        self.poll(lambda: "prometheus_rule_group_iterations_total 0" not in self.varve.get("/metrics").text)
        now = time.time_ns()
        self.varve.push_streams(({"job": "app"}, [(now + i, f"ERROR {i}") for i in range(5)]))
        self.poll(lambda: self.changes("Errors"))
        for _ in range(4):
            self.kill(random.uniform(0, 1.5))
            time.sleep(random.uniform(0.2, 1))
        self.poll(lambda: len(self.changes("Errors")) > 1 and len(self.changes("Often")) > 0)
        (pending_ns, pending), (firing_ns, firing) = self.changes("Errors")
        self.assertEqual((pending["from"], pending["to"]), ("inactive", "pending"))
        self.assertEqual((firing["from"], firing["to"]), ("pending", "firing"))
        # To the millisecond: evaluations that were missed were made up at their own times.
        self.assertEqual(firing_ns - pending_ns, 6 * NS)
        self.assertEqual(firing["activeAt"], pending["activeAt"])
        states = [(line["from"], line["to"]) for _, line in self.changes("Often")]
        self.assertEqual(states[-1][1], "ALARM")
        self.assertEqual(len(states), len(set(states)), states)
        found = self.varve.get("/api/v1/query", [("query", "errors[5m]")]).json["data"]["result"]
        times = [float(ts) for ts, _ in found[0]["values"]]
        self.assertEqual([round(b - a, 3) for a, b in zip(times, times[1:])], [1.0] * (len(times) - 1))


if __name__ == "__main__":
    unittest.main()
