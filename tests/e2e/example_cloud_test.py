"""docs/examples/cloud, its own files: alarms and their notifications, statistics, retention, audit queries, the bill.

Addresses are replaced, and five minutes by PERIOD seconds; rules_test.yaml has the rules with their real periods.
"""
import datetime
import json
import os
import shutil
import subprocess
import threading
import time
import unittest

import example_files
import remote_write
from http_sink import HttpSink
from smtp_sink import SmtpSink
from varve_process import NS, ROOT, VarveTest

PERIOD = 4  # seconds
EXAMPLE = os.path.join(ROOT, "docs", "examples", "cloud")


class Cloud(VarveTest):
    def setUp(self):
        super().setUp()
        self.mail, self.hooks = SmtpSink().start(), HttpSink().start()
        self.addCleanup(self.mail.stop)
        self.addCleanup(self.hooks.stop)
        example_files.copy("cloud", self.folder, {
            "rules.yaml": {"interval: 5m": f"interval: {PERIOD}s", "[5m]": f"[{PERIOD}s]"},
            "alertmanager.yml": {
                "mail.example.org:587": self.mail.address, "smtp_require_tls: true": "smtp_require_tls: false",
                "  smtp_auth_username: varve\n  smtp_auth_password: change-me\n": "",
                "http://hooks.example.org": self.hooks.url, "group_interval: 10s": "group_interval: 1s"},
        })

    def serve(self):
        return self.started("--config", os.path.join(self.folder, "varve.yaml"))

    def keep_doing(self, action, interval=0.25):
        """Until the returned function is called."""
        ended = threading.Event()

        def work():
            while not ended.is_set():
                action()
                ended.wait(interval)
        thread = threading.Thread(target=work, daemon=True)
        thread.start()

        def end():
            ended.set()
            thread.join()
        self.addCleanup(end)
        return end

    def until(self, what, probe, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = probe()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {what}")

    def series(self, server, query):
        answer = server.get("/api/v1/query", {"query": query, "time": time.time()})
        self.assertEqual(200, answer.status, answer.text)
        return answer.json["data"]["result"]

    def alarm(self, server, rule):
        alarms = server.get("/api/v1/alarms", {"rule": rule}).json["data"]["alarms"]
        return {a["labels"].get("instance", a["labels"].get("log_group", "")): a["state"] for a in alarms}

    def changes(self, server, rule):
        lines = server.lines('{job="varve-alerts"} | json | alarm="true"', int((time.time() - 600) * NS),
                             int((time.time() + 60) * NS))
        return [(c["from"], c["to"]) for c in (json.loads(line) for _, line in lines) if c["rule"] == rule]

    def test_files_are_right(self):
        for command in (("rules", "check", os.path.join(EXAMPLE, "rules.yaml")),
                        ("rules", "test", os.path.join(EXAMPLE, "rules_test.yaml"))):
            status, out, err = self.run_varve(*command)
            self.assertEqual(0, status, out + err)
        if shutil.which("amtool"):
            done = subprocess.run(["amtool", "check-config", os.path.join(EXAMPLE, "alertmanager.yml")],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_alarms_of_logs_begin_and_end(self):
        server = self.serve()
        line = json.dumps({"status": 502, "level": "error", "duration_ms": 20})

        def fail():
            now = time.time_ns()
            server.push_streams(({"log_group": "/app/web"}, [(now + i, line) for i in range(5)]),
                                ({"log_group": "/app/quiet"}, [(now, '{"status":200,"duration_ms":1}')]))
        end = self.keep_doing(fail)
        for name in ("Http5xx", "Errors"):
            mail = self.mail.wait_for(lambda m: m.subject == f"ALARM begins: {name} /app/web", 60)
            self.assertEqual(["operators@example.org"], mail.recipients)
            self.assertIn("within 5 minutes in /app/web", mail.text)
            hook = self.hooks.wait_for(lambda r: r.json["commonLabels"]["alertname"] == name, 30)
            self.assertEqual("/alarms", hook.path)
            self.assertEqual(("firing", "ALARM"), (hook.json["status"], hook.json["commonLabels"]["alarm_state"]))
        self.assertRegex(self.mail.wait_for(lambda m: "Http5xx" in m.subject).text, "2 of the last 2 datapoints were breaching")
        statistics = {"count5m", "sum5m", "avg5m", "min5m", "max5m", "p95_5m"}
        found = self.until("statistics", lambda: len(self.series(
            server, '{__name__=~"request_duration_ms:.+",log_group="/app/web"}')) == len(statistics) and self.series(
            server, '{__name__=~"request_duration_ms:.+",log_group="/app/web"}'))
        values = {s["metric"]["__name__"].split(":")[1]: float(s["value"][1]) for s in found}
        self.assertEqual(statistics, set(values))
        self.assertEqual([20.0] * 4, [values[s] for s in ("avg5m", "min5m", "max5m", "p95_5m")])
        self.assertEqual(20.0 * values["count5m"], values["sum5m"])
        end()
        for name in ("Http5xx", "Errors"):
            self.mail.wait_for(lambda m: m.subject == f"ALARM ends: {name} /app/web", 60)
            self.hooks.wait_for(lambda r: r.json["commonLabels"]["alertname"] == name and r.json["status"] == "resolved", 30)
            self.assertEqual("OK", self.alarm(server, name)["/app/web"])
            self.assertEqual(["ALARM", "OK"], [to for _, to in self.changes(server, name)][-2:])
        self.assertEqual([], [m.subject for m in self.mail.messages if "quiet" in m.subject])
        # Not more than once for each change.
        subjects = [m.subject for m in self.mail.messages]
        for name in ("Http5xx", "Errors"):
            changes = self.changes(server, name)
            self.assertLessEqual(subjects.count(f"ALARM begins: {name} /app/web"), [to for _, to in changes].count("ALARM"))
            self.assertLessEqual(subjects.count(f"ALARM ends: {name} /app/web"), [was for was, _ in changes].count("ALARM"))

    def test_alarms_of_metrics_tell_silence_from_health(self):
        server = self.serve()
        state = {"idle": 0.0, "connections": 90.0, "last": time.time()}
        busy = threading.Event()
        busy.set()

        def measure():
            now = time.time()
            state["idle"] += (now - state["last"]) * (0.05 if busy.is_set() else 0.9)
            state["last"] = now
            ms = int(now * 1000)
            answer = remote_write.write(
                server,
                remote_write.time_series({"__name__": "node_cpu_seconds_total", "instance": "a:9100", "cpu": "0", "mode": "idle"},
                                         [(ms, state["idle"])]),
                remote_write.time_series({"__name__": "database_connections", "instance": "db-1"},
                                         [(ms, 120.0 if busy.is_set() else 40.0)]))
            self.assertIn(answer.status, (200, 204), answer.text)
        end = self.keep_doing(measure)
        for subject in ("ALARM begins: CpuHigh a:9100", "ALARM begins: Connections db-1"):
            self.mail.wait_for(lambda m: m.subject == subject, 60)
        self.assertIn("120 ", self.mail.wait_for(lambda m: "Connections" in m.subject).text)
        busy.clear()
        for subject in ("ALARM ends: CpuHigh a:9100", "ALARM ends: Connections db-1"):
            self.mail.wait_for(lambda m: m.subject == subject, 60)
        end()
        for subject in ("INSUFFICIENT_DATA begins: CpuHigh a:9100", "INSUFFICIENT_DATA begins: Connections db-1"):
            self.mail.wait_for(lambda m: m.subject == subject, 60)
        self.assertEqual("INSUFFICIENT_DATA", self.alarm(server, "Connections")["db-1"])
        self.keep_doing(measure)
        for subject in ("INSUFFICIENT_DATA ends: CpuHigh a:9100", "INSUFFICIENT_DATA ends: Connections db-1"):
            self.mail.wait_for(lambda m: m.subject == subject, 60)
        self.assertEqual([("OK", "INSUFFICIENT_DATA"), ("INSUFFICIENT_DATA", "OK")],
                         self.changes(server, "Connections")[-2:])

    def test_audit_events_outlive_log_groups_and_tell_who_did_what(self):
        server = self.serve()
        day = 86400 * NS
        now = time.time_ns()

        def event(name, user, ip, at):
            return (at, json.dumps({"eventTime": datetime.datetime.fromtimestamp(at // NS, datetime.timezone.utc).isoformat(),
                                    "eventName": name, "sourceIPAddress": ip, "userIdentity": {"type": "IAMUser", "userName": user}}))
        events = [event("DeleteBucket", "alice", "203.0.113.7", now - 60 * day), event("PutObject", "alice", "203.0.113.7", now - 3 * NS),
                  event("ConsoleLogin", "bob", "198.51.100.1", now - 2 * NS), event("PutObject", "alice", "192.0.2.9", now - NS)]
        # As the README says: from a file, at the times that the events have.
        path = os.path.join(self.folder, "audit.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write("".join(line + "\n" for _, line in events))
        for _ in range(2):  # the second time there is nothing new
            status, out, err = self.run_varve(
                "push", "--follow", "--stop-at-end", "--state", path + ".state", "--label", "log_group=/audit", "--timestamp-format",
                "rfc3339", "--fields", '"eventTime": *"(?P<timestamp>[^"]+)"', path, "--addr", f"http://127.0.0.1:{server.port}")
            self.assertEqual(0, status, out + err)
        server.push_streams(({"log_group": "/app/web"}, [(now - 29 * day, "kept")]))
        for labels, age in (({"log_group": "/app/web"}, 31), ({"log_group": "/audit"}, 91)):
            answer = server.push(json.dumps({"streams": [{"stream": labels, "values": [[str(now - age * day), "too old"]]}]}).encode())
            self.assertEqual(400, answer.status, answer.text)
        window = (now - 80 * day, now + NS)
        lines = lambda query: [line for ns in range(3) for _, line in server.lines(
            query, window[1] - (ns + 1) * 29 * day, window[1] - ns * 29 * day)]
        self.assertEqual(["bob ConsoleLogin from 198.51.100.1"], lines(
            '{log_group="/audit"} | json user="userIdentity.userName", event="eventName", ip="sourceIPAddress" | user="bob"'
            ' | line_format "{{.user}} {{.event}} from {{.ip}}"'))
        at = events[0][0] // NS * NS
        self.assertEqual([(at, events[0][1])], server.lines('{log_group="/audit"}', at, at + NS))
        deleted = lines('{log_group="/audit"} | json event="eventName" | event=~"Delete.+"')
        self.assertEqual(["DeleteBucket"], [json.loads(line)["eventName"] for line in deleted])
        answer = server.query('sum by (user, event) (count_over_time({log_group="/audit"} | json user="userIdentity.userName", '
                              'event="eventName" [1d]))', time.time() + 1)
        counts = {(r["metric"]["user"], r["metric"]["event"]): int(r["value"][1]) for r in answer.json["data"]["result"]}
        self.assertEqual({("alice", "PutObject"): 2, ("bob", "ConsoleLogin"): 1}, counts)
        answer = server.query('sum by (user, ip) (count_over_time({log_group="/audit"} | json user="userIdentity.userName", '
                              'ip="sourceIPAddress" [7d]))', time.time() + 1)
        self.assertEqual(3, len(answer.json["data"]["result"]))

    def test_the_bill_comes_by_mail_once(self):
        server = self.serve()
        first = datetime.datetime.now(datetime.timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        month = (first - datetime.timedelta(days=1)).replace(day=1)
        middle = int((month.timestamp() + 10 * 86400) * 1000)
        series = lambda name, group, value: remote_write.time_series(
            {"__name__": name, "log_group": group}, [(middle + i * 300_000, value) for i in range(100)])
        answer = remote_write.write(server, series("log_group_bytes:5m", "/app/web", 4e8), series("log_group_lines:5m", "/app/web", 1e6),
                                    series("log_group_bytes:5m", "/audit", 1e7), series("log_group_lines:5m", "/audit", 5e4))
        self.assertIn(answer.status, (200, 204), answer.text)
        # Of this month, and the day before the last month's first: not on the bill.
        for at in (first.timestamp(), month.timestamp() - 1):
            remote_write.write(server, remote_write.time_series({"__name__": "log_group_bytes:5m", "log_group": "/app/web"},
                                                                [(int(at * 1000), 9e15)]))
        url = f"http://127.0.0.1:{server.port}"
        date = month.strftime("%Y-%m-%d")
        for _ in range(2):
            status, out, err = self.run_varve("report", "run", "cloud-cost", "--date", date, "--addr", url)
            self.assertEqual(0, status, out + err)
        mail = self.mail.wait_for(lambda m: m.recipients == ["finance@example.org"], 30)
        self.assertEqual(f"Log costs of {month.strftime('%B %Y')}: 20.50 USD", mail.subject)
        self.assertIn('<td>/app/web</td><td align="right">40GB</td><td align="right">100000000</td><td align="right">20.00</td>', mail.html)
        self.assertIn('<td>/audit</td><td align="right">1GB</td><td align="right">5000000</td><td align="right">0.50</td>', mail.html)
        self.assertRegex(mail.text, r"/app/web +40GB +100000000 lines +20\.00 USD")
        entries = server.lines('{job="varve-report", report="cloud-cost"}', int(first.timestamp() * NS) - 86400 * NS,
                               int(first.timestamp() * NS) + 86400 * NS)
        self.assertEqual(1, len(entries), entries)
        entry = json.loads(entries[0][1])
        self.assertEqual(("20.50", 2), (entry["total_cost"], len(entry["log_groups"])))

    def test_bytes_of_log_groups_are_recorded(self):
        server = self.serve()
        end = self.keep_doing(lambda: server.push_streams(({"log_group": "/app/web"}, [(time.time_ns(), "0123456789")])))
        found = self.until("bytes of the log group", lambda: self.series(
            server, 'log_group_bytes:5m{log_group="/app/web"} / on (log_group) log_group_lines:5m'))
        self.assertEqual(10.0, float(found[0]["value"][1]))
        end()


if __name__ == "__main__":
    unittest.main()
