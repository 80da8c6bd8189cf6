"""Reports of a running server: once per date under kill -9, several reports beside one whose receiver hangs, reloads, errors."""
import http.client
import json
import os
import random
import threading
import time
import unittest

from http_sink import HttpSink
from varve_process import NS, VarveTest

ALERTMANAGER = """
route: {{receiver: web}}
receivers:
  - name: web
    webhook_configs: [{{url: {good}/good}}]
  - name: stuck
    webhook_configs: [{{url: {bad}/stuck, timeout: 20s}}]
"""
REPORT = """
  - name: {name}
    schedule: '{schedule}'
    period: day
    queries: [{{name: total, query: 'sum(count_over_time({{job="app"}}[$window]))', default: 0}}]
    receivers: [{receiver}]
"""


KILLS = 15


def days_ago(days):
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - days * 86400))


class Reports(VarveTest):
    def setUp(self):
        super().setUp()
        self.good, self.bad = HttpSink().start(), HttpSink().start()
        self.addCleanup(self.good.stop)
        self.addCleanup(self.bad.stop)
        self.config = os.path.join(self.folder, "varve.yaml")
        with open(os.path.join(self.folder, "alertmanager.yml"), "w", encoding="utf-8") as f:
            f.write(ALERTMANAGER.format(good=self.good.url, bad=self.bad.url))

    def configure(self, *reports):
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("alertmanager: {config_file: alertmanager.yml}\nreports:")
            f.write("".join(REPORT.format(**{"receiver": "web", "schedule": "0 9 * * *", **r}) for r in reports) or " []\n")

    def server_of(self, *reports):
        self.configure(*reports)
        return self.server("--config", self.config)

    def entries(self, server, report):
        now = time.time()
        return server.lines(f'{{job="varve-report", report="{report}"}}', int((now - (KILLS + 2) * 86400) * NS), int(now * NS))

    def test_one_entry_per_date_under_kill_9(self):
        server = self.server_of({"name": "daily"})
        seed = random.randrange(1 << 30)
        rng = random.Random(seed)
        dates = [days_ago(days) for days in range(KILLS, 0, -1)]
        for date in dates:
            server.start()

            def run(date=date):
                try:
                    server.request("POST", f"/api/v1/reports/daily/run?date={date}")
                except (OSError, http.client.HTTPException):  # the server died under it
                    pass
            runs = [threading.Thread(target=run) for _ in range(3)]
            for thread in runs:
                thread.start()
            time.sleep(rng.uniform(0, 0.0015))
            server.kill()
            for thread in runs:
                thread.join()
        server.start()
        before = len(self.entries(server, "daily"))
        for date in dates:
            answer = server.request("POST", f"/api/v1/reports/daily/run?date={date}")
            self.assertEqual(200, answer.status, answer.text)
        stored = [json.loads(line)["metric_date"] for _, line in self.entries(server, "daily")]
        self.assertEqual(dates, stored, f"seed {seed}; {before} were stored under the kills")

    def test_a_receiver_that_hangs_holds_up_no_other_report(self):
        self.bad.mode = "hang"
        server = self.server_of({"name": "stuck", "receiver": "stuck", "schedule": "* * * * *"},
                                {"name": "fine", "schedule": "* * * * *"}).start()
        hook = self.good.wait_for(lambda r: r.json["report"] == "fine", 90)
        self.assertEqual(0, hook.json["entry"]["total"])
        listed = {r["name"]: r for r in server.get("/api/v1/reports").json["data"]["reports"]}
        self.assertEqual("", listed["stuck"]["lastDate"])
        began = time.monotonic()
        self.assertEqual(0, server.stop())
        self.assertLess(time.monotonic() - began, 15, "stopping waits for nobody who hangs")

    def test_mistakes_are_refused_and_what_runs_stays(self):
        server = self.server_of({"name": "daily"}).start()
        mistakes = {
            "schedule \"0 9 30 2 *\" never comes": ({"name": "daily", "schedule": "0 9 30 2 *"},),
            "two reports are called \"daily\"": ({"name": "daily"}, {"name": "daily"}),
            "there is no receiver \"nobody\"": ({"name": "daily", "receiver": "nobody"},),
        }
        for complaint, reports in mistakes.items():
            self.configure(*reports)
            answer = server.request("POST", "/-/reload")
            self.assertNotEqual(200, answer.status)
            self.assertIn(complaint, answer.text)
            self.assertEqual(["0 9 * * *"], [r["schedule"] for r in server.get("/api/v1/reports").json["data"]["reports"]])
            status, _, err = self.run_varve("serve", "--config", self.config, "--data-dir", self.data_dir + "2", "--listen", "127.0.0.1:0")
            self.assertEqual(1, status)
            self.assertIn(complaint, err)
        self.configure({"name": "daily", "schedule": "0 10 * * *"}, {"name": "other"})
        self.assertIn(server.request("POST", "/-/reload").status, (200, 204))
        self.assertEqual(["0 10 * * *", "0 9 * * *"], [r["schedule"] for r in server.get("/api/v1/reports").json["data"]["reports"]])


if __name__ == "__main__":
    unittest.main()
