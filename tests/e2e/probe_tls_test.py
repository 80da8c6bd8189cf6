"""varve probe tls: what it finds of certificates of every kind, and what it counts, over restarts."""
import json
import os
import signal
import socket
import subprocess
import time
import unittest

import certificates
from http_sink import HttpSink
from varve_process import BINARY, VarveTest

PATIENCE = 60


class ProbeTls(VarveTest):
    def setUp(self):
        super().setUp()
        self.ca = certificates.Authority(os.path.join(self.folder, "ca"))
        self.server_ = self.started()
        self.env = {"VARVE_ADDR": f"http://127.0.0.1:{self.server_.port}"}
        self.config = os.path.join(self.folder, "probe.json")

    def sink(self, certificate):
        sink = HttpSink(certificate=certificate).start()
        self.addCleanup(sink.stop)
        return sink

    def target(self, domain, sink, **more):
        return {"domain": domain, "address": "127.0.0.1", "port": sink.port, **more}

    def write_config(self, *domains, **more):
        with open(self.config, "w", encoding="utf-8") as f:
            json.dump({"ca_file": self.ca.certificate, "timeout": "20s", "domains": domains, **more}, f)

    def probe(self, *more):
        return self.run_varve("probe", "tls", "--config", self.config, *more, env=self.env)

    def daemon(self):
        process = subprocess.Popen([BINARY, "probe", "tls", "--config", self.config], stderr=subprocess.PIPE,
                                   env={**os.environ, **self.env})

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stderr.close()
        self.addCleanup(end)
        return process

    def series(self, query):
        answer = self.server_.get("/api/v1/query", {"query": query, "time": time.time() + 1})
        self.assertEqual(200, answer.status, answer.text)
        return {tuple(sorted((k, v) for k, v in s["metric"].items() if k not in ("__name__", "job"))): float(s["value"][1])
                for s in answer.json["data"]["result"]}

    def status(self):
        return {dict(labels)["domain"]: dict(labels)["status"] for labels, value in self.series("certificate_expiry_status").items()
                if value == 1}

    def renewals(self, domain="a.example"):
        found = self.series(f'certificate_renewal_attempts_total{{domain="{domain}"}}')
        return {dict(labels)["result"]: value for labels, value in found.items()}

    def until(self, what, probe):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if probe():
                return
            time.sleep(0.1)
        self.fail(f"not in time: {what}")

    def test_every_kind_of_certificate(self):
        hanging = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(hanging.close)
        closed = socket.create_server(("127.0.0.1", 0))
        closed_port = closed.getsockname()[1]
        closed.close()
        nobodys = certificates.self_signed(os.path.join(self.folder, "own"), "own.example")
        self.write_config(
            self.target("ok.example", self.sink(self.ca.issue("ok.example", days=90)), issuer="Ours"),
            self.target("warning.example", self.sink(self.ca.issue("warning.example", days=20))),
            self.target("critical.example", self.sink(self.ca.issue("critical.example", days=5))),
            self.target("expired.example", self.sink(self.ca.issue("expired.example", days=-1))),
            self.target("own-threshold.example", self.sink(self.ca.issue("own-threshold.example", days=20)),
                        thresholds={"critical": 25}),
            self.target("other-name.example", self.sink(self.ca.issue("another.example", days=90))),
            self.target("untrusted.example", self.sink(nobodys)),
            self.target("own.example", self.sink(nobodys), verify=False),
            {"domain": "127.0.0.1", "port": self.sink(self.ca.issue("127.0.0.1", days=90)).port},
            {"domain": "hangs.example", "address": "127.0.0.1", "port": hanging.getsockname()[1], "timeout": "500ms"},
            {"domain": "closed.example", "address": "127.0.0.1", "port": closed_port},
            {"domain": "nowhere.invalid"})
        status, out, err = self.probe("--once")
        self.assertEqual((0, ""), (status, err))
        self.assertEqual({"ok.example": "ok", "warning.example": "warning", "critical.example": "critical",
                          "expired.example": "expired", "own-threshold.example": "critical", "other-name.example": "error",
                          "untrusted.example": "error", "own.example": "critical", "127.0.0.1": "ok", "hangs.example": "error",
                          "closed.example": "error", "nowhere.invalid": "error"}, self.status())
        days = {dict(labels)["domain"]: (dict(labels)["issuer"], value)
                for labels, value in self.series("certificate_expiry_days").items()}
        self.assertEqual("Ours", days["ok.example"][0])
        self.assertEqual("varve test authority", days["warning.example"][0])
        for domain, expected in (("ok.example", 90), ("critical.example", 5), ("expired.example", -1)):
            self.assertAlmostEqual(expected, days[domain][1], delta=1.1)
        self.assertNotIn("hangs.example", days)
        self.assertEqual(5 * 12, len(self.series("certificate_expiry_status")))
        self.assertEqual({(): 12}, self.series("certificate_check_duration_seconds_count"))
        self.assertEqual(12, self.series("certificate_check_duration_seconds_bucket")[(("le", "+Inf"),)])
        lines = {line.split()[0]: line for line in out.splitlines()}
        self.assertIn("hostname mismatch", lines["other-name.example"].lower())
        self.assertIn("self-signed certificate", lines["untrusted.example"])
        self.assertIn("no answer within 500 ms", lines["hangs.example"])
        self.assertIn("cannot connect to 127.0.0.1:", lines["closed.example"])
        self.assertIn("cannot look up nowhere.invalid", lines["nowhere.invalid"])
        # Metadata, and what the dashboard asks.
        metadata = self.server_.get("/api/v1/metadata", {"metric": "certificate_renewal_attempts_total"}).json["data"]
        self.assertEqual("counter", metadata["certificate_renewal_attempts_total"][0]["type"])

    def test_the_name_is_sent_so_that_servers_can_choose_their_certificate(self):
        right, wrong = self.ca.issue("right.example", days=90), self.ca.issue("wrong.example", days=90)

        class BySni:
            """A certificate for whom it asks for by name, another for others."""
            def context(self, client_ca=None, maximum_version=None):
                context = wrong.context()
                context.sni_callback = lambda s, name, _: setattr(s, "context", right.context()) if name == "right.example" else None
                return context

        self.write_config(self.target("right.example", self.sink(BySni())))
        self.assertEqual(0, self.probe("--once")[0])
        self.assertEqual({"right.example": "ok"}, self.status())

    def test_renewals_are_counted_once_over_restarts(self):
        sink = self.sink(self.ca.issue("a.example", days=5))
        self.write_config(self.target("a.example", sink), interval="300ms", push_interval="300ms")
        process = self.daemon()
        self.until("the first metrics", lambda: self.status() == {"a.example": "critical"})
        self.assertEqual({"success": 0, "failure": 0}, self.renewals())
        sink.certificate = self.ca.issue("a.example", days=90)
        self.until("a renewal", lambda: self.status() == {"a.example": "ok"} and self.renewals()["success"] == 1)
        # A failure that is reported while the probe runs: by the probe that runs, within moments.
        status, out, err = self.probe("--renewal", "a.example=failure")
        self.assertEqual((0, "", ""), (status, out, err))
        self.until("a failure", lambda: self.renewals() == {"success": 1, "failure": 1})
        process.kill()
        process.wait()
        checks = self.series("certificate_check_duration_seconds_count")[()]
        # … and while it does not: by the command itself.
        status, out, err = self.probe("--renewal", "a.example=failure")
        self.assertEqual((0, "", ""), (status, out, err))
        self.until("another failure", lambda: self.renewals() == {"success": 1, "failure": 2})
        process = self.daemon()
        self.until("more checks", lambda: self.series("certificate_check_duration_seconds_count")[()] > checks)
        self.assertEqual({"success": 1, "failure": 2}, self.renewals())
        # A success that is reported and seen.
        self.probe("--renewal", "a.example=success")
        sink.certificate = self.ca.issue("a.example", days=91)
        self.until("a second renewal", lambda: self.renewals()["success"] == 2)
        time.sleep(1)
        self.assertEqual({"success": 2, "failure": 2}, self.renewals())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(PATIENCE))
        self.assertIn("a.example: a new certificate", process.stderr.read().decode())

    def test_goes_on_when_the_server_was_away(self):
        self.write_config(self.target("a.example", self.sink(self.ca.issue("a.example", days=90))), interval="300ms",
                          push_interval="300ms")
        self.server_.listen = f"127.0.0.1:{self.server_.port}"
        self.daemon()
        self.until("metrics", lambda: self.status() == {"a.example": "ok"})
        self.server_.kill()
        time.sleep(1)
        self.server_.start()
        before = self.series("certificate_check_duration_seconds_count")[()]
        self.until("new metrics", lambda: self.series("certificate_check_duration_seconds_count")[()] > before)

    def test_mistakes_are_named(self):
        self.write_config({"domain": "a.example", "prot": 443})
        self.assertEqual((1, "", f'varve: {self.config}: domains[0]: unknown key "prot"\n'), self.probe("--once"))
        self.write_config({"domain": "a.example"}, ca_file="/no/such.pem")
        self.assertIn("ca_file /no/such.pem: cannot be read as PEM", self.probe("--once")[2])
        self.write_config({"domain": "a.example"})
        self.assertIn("the configuration has no such domain", self.probe("--renewal", "b.example=failure")[2])
        self.assertIn("expected DOMAIN=success or DOMAIN=failure", self.probe("--renewal", "a.example")[2])
        with open(self.config + ".state", "w", encoding="utf-8") as f:
            f.write("{}")
        self.assertIn("not the state of a probe", self.probe("--once")[2])


if __name__ == "__main__":
    unittest.main()
