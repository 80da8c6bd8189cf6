"""The daily report of docs/examples/certificates: predicted days, risk and what to do, from a day's samples."""
import datetime
import json
import os
import unittest

import example_files
from smtp_sink import SmtpSink
from varve_process import VarveTest

WEEK = 7 * 86400
#       domain: (days left at the end of the day, lost a day), expected risk, priority, action
DOMAINS = {
    "expired.example.org": ((-2.5, 1), "critical", "1", "expired: replace it now"),
    "soon.example.org": ((6.5, 1), "critical", "1", "renew today"),
    "week.example.org": ((12.25, 1), "high", "2", "renew this week"),
    "month.example.org": ((30.5, 1), "medium", "3", "plan the renewal"),
    "fine.example.org": ((80.75, 1), "low", "4", "nothing to do"),
    # Renewed in between, as a rising line shows.
    "renewed.example.org": ((89.5, -20), "low", "4", "nothing to do"),
}


def regression(points, at):
    """Slope and value at `at` of the least squares line."""
    n = len(points)
    mean_t, mean_v = sum(t - at for t, _ in points) / n, sum(v for _, v in points) / n
    slope = (sum((t - at - mean_t) * (v - mean_v) for t, v in points) / sum((t - at - mean_t) ** 2 for t, _ in points))
    return slope, mean_v - slope * mean_t


class CertificatesReport(VarveTest):
    def setUp(self):
        super().setUp()
        self.mail = SmtpSink().start()
        self.addCleanup(self.mail.stop)
        example_files.copy("certificates", self.folder, {"alertmanager.yml": {
            "mail.example.org:587": self.mail.address, "smtp_require_tls: true": "smtp_require_tls: false",
            "  smtp_auth_username: varve\n  smtp_auth_password: change-me\n": ""}})

    def test_lists_each_domain_with_its_risk(self):
        server = self.started("--config", os.path.join(self.folder, "varve.yaml"))
        today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        end = int(today.timestamp())
        samples, lines = {}, []
        lines.append("# TYPE certificate_expiry_days gauge")
        for domain, ((days, lost), *_) in DOMAINS.items():
            samples[domain] = [(end - 86400 + minute * 60, days + lost * (86400 - minute * 60) / 86400)
                               for minute in range(0, 1440, 30)]
            lines += [f'certificate_expiry_days{{domain="{domain}",issuer="Let\'s Encrypt"}} {value} {t}'
                      for t, value in samples[domain]]
        # Only one sample, so no line: what is left, less the week.
        lines.append(f'certificate_expiry_days{{domain="new.example.org",issuer="other"}} 8 {end - 60}')
        lines.append("# TYPE certificate_expiry_status gauge")
        lines.append(f'certificate_expiry_status{{domain="away.example.org",status="error"}} 1 {end - 7200}')
        lines.append("# EOF\n")
        path = os.path.join(self.folder, "samples.om")
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines))
        url = f"http://127.0.0.1:{server.port}"
        status, out, err = self.run_varve("push", "--metrics", "--format", "openmetrics", "--addr", url, path)
        self.assertEqual(0, status, out + err)
        date = (today - datetime.timedelta(days=1)).date().isoformat()
        status, out, err = self.run_varve("report", "run", "certificates", "--date", date, "-o", "json", "--addr", url)
        self.assertEqual(0, status, err)
        entry = json.loads(out)
        self.assertEqual([2, 2, 1, 2], [entry[risk] for risk in ("critical", "high", "medium", "low")])
        self.assertEqual("away.example.org", entry["unreachable"])
        self.assertEqual(0, entry["failed_renewals"])
        rows = {row["domain"]: row for row in entry["domains"]}
        self.assertEqual(set(DOMAINS) | {"new.example.org"}, set(rows))
        days = [row["days"] for row in entry["domains"]]
        self.assertEqual(sorted(days), days, "the most urgent first")
        for domain, (_, *expected) in DOMAINS.items():
            row = rows[domain]
            slope, now = regression(samples[domain], end - 0.001)
            self.assertAlmostEqual(samples[domain][-1][1], row["days"])
            self.assertAlmostEqual(slope * 86400, row["days_per_day"], places=6)
            self.assertAlmostEqual(now + slope * WEEK, row["predicted_days"], places=4)
            self.assertEqual(expected, [row["risk"], row["priority"], row["action"]], row)
            self.assertEqual("Let's Encrypt", row["issuer"])
        self.assertEqual((1, None, "high"), tuple(rows["new.example.org"][k] for k in ("predicted_days", "days_per_day", "risk")))
        mail = self.mail.wait_for(lambda m: m.subject == f"Certificates on {date}: 2 critical, 2 high, 1 medium", 10)
        self.assertEqual(["web-team@example.org"], mail.recipients)
        for text in (mail.text, mail.html):
            self.assertNotIn("%!", text)
            self.assertIn("renew this week", text)
            self.assertIn("away.example.org", text)
        self.assertIn("Let&#39;s Encrypt", mail.html)

    def test_says_so_when_nothing_was_checked(self):
        server = self.started("--config", os.path.join(self.folder, "varve.yaml"))
        status, out, err = self.run_varve("report", "run", "certificates", "--date", "2026-01-02", "--dry-run", "--addr",
                                          f"http://127.0.0.1:{server.port}")
        self.assertEqual(0, status, err)
        self.assertIn("no certificate was checked", out)


if __name__ == "__main__":
    unittest.main()
