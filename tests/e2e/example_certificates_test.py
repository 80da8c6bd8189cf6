"""docs/examples/certificates, its own files: certificates of every age, who is told of them, renewals, the dashboard.

Addresses are replaced, and intervals of minutes by seconds; rules_test.yaml has the rules with their real times.
"""
import json
import os
import subprocess
import time
import unittest

import certificates
import example_files
import remote_write
from http_sink import HttpSink
from smtp_sink import SmtpSink
from varve_process import BINARY, ROOT, VarveTest

EXAMPLE = os.path.join(ROOT, "docs", "examples", "certificates")
PATIENCE = 90


class Certificates(VarveTest):
    def setUp(self):
        super().setUp()
        self.mail, self.slack, self.hooks = SmtpSink().start(), HttpSink().start(), HttpSink().start()
        for sink in (self.mail, self.slack, self.hooks):
            self.addCleanup(sink.stop)
        self.ca = certificates.Authority(os.path.join(self.folder, "ca"))
        example_files.copy("certificates", self.folder, {
            "rules.yaml": {"interval: 1m": "interval: 1s", "interval: 15s": "interval: 1s", "for: 10m": "for: 2s"},
            "alertmanager.yml": {
                "mail.example.org:587": self.mail.address, "smtp_require_tls: true": "smtp_require_tls: false",
                "  smtp_auth_username: varve\n  smtp_auth_password: change-me\n": "",
                "https://hooks.slack.com": self.slack.url, "http://tickets.example.org": self.hooks.url,
                "group_wait: 10s": "group_wait: 0s", "group_interval: 5m": "group_interval: 1s"},
        })
        with open(os.path.join(self.folder, "certificates.json"), encoding="utf-8") as f:
            self.config = json.load(f)
        self.config.update(interval="1s", push_interval="1s", ca_file=self.ca.certificate)
        self.sinks = {}

    def serve(self):
        self.server_ = self.started("--config", os.path.join(self.folder, "varve.yaml"))
        self.addr = f"http://127.0.0.1:{self.server_.port}"

    def probe(self, **days):
        """The example's probe, with domains of ours: NAME=days of NAME.example."""
        domains = []
        for name, left in days.items():
            domain = name + ".example"
            self.sinks[name] = HttpSink(certificate=self.ca.issue(domain, days=left)).start()
            self.addCleanup(self.sinks[name].stop)
            domains.append({"domain": domain, "address": "127.0.0.1", "port": self.sinks[name].port})
        with open(os.path.join(self.folder, "certificates.json"), "w", encoding="utf-8") as f:
            json.dump({**self.config, "domains": domains}, f)
        process = subprocess.Popen([BINARY, "probe", "tls", "--config", os.path.join(self.folder, "certificates.json"),
                                    "--state", os.path.join(self.folder, "tls.json"), "--addr", self.addr],
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def hook(self, result, *domains):
        environment = {**os.environ, "VARVE": BINARY, "CONFIG": os.path.join(self.folder, "certificates.json"),
                       "STATE": os.path.join(self.folder, "tls.json"), "ADDR": self.addr}
        done = subprocess.run(["sh", os.path.join(EXAMPLE, "renewed.sh"), result, *domains], env=environment,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(0, done.returncode, done.stderr)

    def query(self, query):
        answer = self.server_.get("/api/v1/query", {"query": query, "time": time.time()})
        self.assertEqual(200, answer.status, answer.text)
        return {s["metric"].get("domain", ""): float(s["value"][1]) for s in answer.json["data"]["result"]}

    def until(self, what, probe):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = probe()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"not within {PATIENCE} s: {what}")

    def test_files_are_right(self):
        for command in (("rules", "check", os.path.join(EXAMPLE, "rules.yaml")),
                        ("rules", "test", os.path.join(EXAMPLE, "rules_test.yaml"))):
            status, out, err = self.run_varve(*command)
            self.assertEqual(0, status, out + err)
        for tool in (["promtool", "test", "rules", "rules_test.yaml"], ["amtool", "check-config", "alertmanager.yml"]):
            try:
                done = subprocess.run(tool, cwd=EXAMPLE, capture_output=True, text=True, timeout=60)
            except FileNotFoundError:
                continue
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        with open(os.path.join(EXAMPLE, "dashboard.json"), encoding="utf-8") as f:
            expressions = [t["expr"] for p in json.load(f)["panels"] for t in p["targets"]]
        for expression in ('certificate_expiry_status{status="critical"}', "certificate_expiry_days",
                           "rate(certificate_renewal_attempts_total[5m])",
                           "histogram_quantile(0.95, rate(certificate_check_duration_seconds_bucket[5m]))"):
            self.assertIn(expression, expressions)
        # The probe takes the file as it stands, up to where it would ask the servers.
        status, _, err = self.run_varve("probe", "tls", "--config", os.path.join(EXAMPLE, "certificates.json"), "--state",
                                        os.path.join(self.folder, "s.json"), "--renewal", "nowhere=success")
        self.assertEqual(1, status)
        self.assertIn("the configuration has no such domain", err)

    def test_who_is_told_of_which_certificate(self):
        self.serve()
        self.probe(gone=-1, soon=5, month=20, fine=90)
        for domain, words in (("gone", "has expired"), ("soon", "expires in 5.0 days|expires in 4.9 days")):
            mail = self.mail.wait_for(lambda m: f"{domain}.example" in m.subject, PATIENCE)
            self.assertEqual(["on-call@example.org"], mail.recipients)
            self.assertRegex(mail.subject, rf"^\[firing\] The certificate of {domain}\.example ({words})")
            slack = self.slack.wait_for(lambda r: f"{domain}.example" in r.text, PATIENCE).json["attachments"][0]
            self.assertEqual(f"CRITICAL: {domain}.example", slack["title"])
            self.assertRegex(slack["text"], words)
            hook = self.hooks.wait_for(lambda r: r.json["commonLabels"].get("domain") == f"{domain}.example", PATIENCE)
            self.assertEqual(("/certificates", "firing", "critical"),
                             (hook.path, hook.json["status"], hook.json["commonLabels"]["severity"]))
        mail = self.mail.wait_for(lambda m: "month.example" in m.subject, PATIENCE)
        self.assertEqual(["web-team@example.org"], mail.recipients)
        self.assertIn("Issued by varve test authority", mail.text)
        self.slack.wait_for(lambda r: r.json["attachments"][0]["title"] == "month.example", PATIENCE)
        # Renewed: it is said to be over.
        self.sinks["soon"].certificate = self.ca.issue("soon.example", days=90)
        self.mail.wait_for(lambda m: m.subject.startswith("[resolved] The certificate of soon.example"), PATIENCE)
        self.hooks.wait_for(lambda r: r.json["status"] == "resolved", PATIENCE)
        self.assertEqual([], [m.subject for m in self.mail.messages if "fine.example" in m.subject])
        self.assertEqual([], [r.text for r in self.hooks.messages if "month.example" in r.text])
        # What the dashboard asks, has answers.
        self.assertEqual({"soon.example": 1.0}, {d: v for d, v in self.query(
            'certificate_renewal_attempts_total{result="success"}').items() if v})
        self.assertEqual({"gone.example", "soon.example", "month.example", "fine.example"},
                         set(self.query("certificate_expiry_days")))
        self.assertEqual({0.0}, set(self.query('certificate_expiry_status{status="critical"}').values()))
        self.assertGreater(self.query("sum(rate(certificate_renewal_attempts_total[5m]))")[""], 0)
        self.assertGreater(self.query(
            "histogram_quantile(0.95, rate(certificate_check_duration_seconds_bucket[5m]))")[""], 0)
        self.assertAlmostEqual(-1, self.query('deriv(certificate_expiry_days{domain="fine.example"}[5m]) * 86400')["fine.example"],
                               delta=0.2)

    def test_a_renewal_that_fails_is_told_of_at_once(self):
        self.serve()
        self.probe(a=90, b=90)
        self.until("metrics", lambda: len(self.query("certificate_renewal_attempts_total == 0")) == 2)
        time.sleep(1)  # an increase needs a sample before
        began = time.time()
        self.hook("failure", "b.example")
        mail = self.mail.wait_for(lambda m: "renewal" in m.subject, PATIENCE)
        print(f"from a failed renewal to the mail: {mail.arrived - began:.1f} s")
        self.assertEqual("[firing] The renewal of the certificate of b.example failed", mail.subject)
        self.assertEqual(["on-call@example.org"], mail.recipients)
        self.slack.wait_for(lambda r: r.json["attachments"][0]["title"] == "CRITICAL: b.example", PATIENCE)
        self.hooks.wait_for(lambda r: r.json["commonLabels"]["alertname"] == "CertificateRenewalFailed", PATIENCE)
        self.assertEqual(1, len(self.mail.messages))

    def test_the_report_says_what_is_to_be_done(self):
        self.serve()
        midnight = int(time.time()) // 86400 * 86400
        date = time.strftime("%Y-%m-%d", time.gmtime(midnight - 86400))
        left = {"gone.example": -1, "week.example": 5, "fortnight.example": 12, "month.example": 30, "fine.example": 80}

        def samples(value_at):
            return [(t * 1000, value_at(t)) for t in range(midnight - 86400 + 600, midnight, 600)]
        series = [remote_write.time_series({"__name__": "certificate_expiry_days", "domain": domain, "issuer": "CA"},
                                           samples(lambda t, days=days: days + (midnight - t) / 86400))
                  for domain, days in left.items()]
        series.append(remote_write.time_series({"__name__": "certificate_expiry_status", "domain": "away.example", "status": "error"},
                                               samples(lambda t: float(midnight - t < 7200))))
        series.append(remote_write.time_series(
            {"__name__": "certificate_renewal_attempts_total", "domain": "week.example", "result": "failure"},
            samples(lambda t: float(midnight - t < 40000))))
        answer = remote_write.write(self.server_, *series)
        self.assertIn(answer.status, (200, 204), answer.text)
        status, out, err = self.run_varve("report", "run", "certificates", "--date", date, "-o", "json", "--addr", self.addr)
        self.assertEqual(0, status, out + err)
        self.assertIn("stored, sent", err)
        mail = self.mail.wait_for(lambda m: m.subject.startswith("Certificates on"), PATIENCE)
        self.assertEqual((f"Certificates on {date}: 2 critical, 1 high, 1 medium", ["web-team@example.org"]),
                         (mail.subject, mail.recipients))
        entry = json.loads(self.server_.lines('{job="varve-report", report="certificates"}', (midnight - 86400) * 10**9,
                                              (midnight + 86400) * 10**9)[0][1])
        self.assertEqual({"critical": 2, "high": 1, "medium": 1, "low": 1, "unreachable": "away.example"},
                         {k: entry[k] for k in ("critical", "high", "medium", "low", "unreachable")})
        self.assertAlmostEqual(1, entry["failed_renewals"], delta=0.05)
        self.assertEqual([("gone.example", "critical", "1", "expired: replace it now"), ("week.example", "critical", "1", "renew today"),
                          ("fortnight.example", "high", "2", "renew this week"), ("month.example", "medium", "3", "plan the renewal"),
                          ("fine.example", "low", "4", "nothing to do")],
                         [(d["domain"], d["risk"], str(d["priority"]), d["action"]) for d in entry["domains"]])
        for row in entry["domains"]:
            self.assertAlmostEqual(left[row["domain"]] - 7, row["predicted_days"], delta=0.05)
            self.assertAlmostEqual(-1, row["days_per_day"], delta=0.01)
            self.assertIn(row["domain"], mail.html)
            self.assertIn(row["action"], mail.text)


if __name__ == "__main__":
    unittest.main()
