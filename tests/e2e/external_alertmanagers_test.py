"""Alerts to Alertmanagers elsewhere: Debian's own, and sinks with TLS, logins and outages."""
import os
import shutil
import tempfile
import time
import unittest

import certificates
import notify_probe
import varve_process
from http_sink import HttpSink

NOW_MS = int(time.time() * 1000)
BCRYPT_GEHEIM = "$2b$04$ICg4sXRBNKtWolccrG9WLOIrJyJUt4P6t5c0yERw7GdYjUT5djcUS"


def alert(name, **more):
    return {"labels": {"alertname": name, "severity": "page"}, "annotations": {"summary": "größer <b>"},
            "starts_at_ms": NOW_MS - 60_000, "generator_url": "http://g/?a=1&b=2", **more}


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="varve_alertmanagers_")
        self.addCleanup(shutil.rmtree, self.directory, True)

    def sink(self, sink):
        sink.start()
        self.addCleanup(sink.stop)
        return sink

    def send(self, section, alerts, wait_ms=10_000, tenant=""):
        """url → (sent, errors, dropped, queued, last error)."""
        path = os.path.join(self.directory, "varve.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(section)
        status, text = notify_probe.probe("alertmanagers", path, str(wait_ms), stdin={"alerts": alerts, "tenant": tenant})
        self.assertEqual(0, status, text)
        out = {}
        for line in text.splitlines():
            url, sent, errors, dropped, queued, error = line.split(" ", 5)
            out[url] = (int(sent), int(errors), int(dropped), int(queued), error)
        return out

    def section(self, *targets, more=""):
        listed = ", ".join(f"'{target}'" for target in targets)
        return f"alertmanagers:\n- static_configs: [{{targets: [{listed}]}}]\n{more}"


@unittest.skipUnless(notify_probe.ALERTMANAGER, "prometheus-alertmanager is not installed")
class Real(Case):
    def test_alerts_arrive_and_are_resolved(self):
        hook = self.sink(HttpSink())
        alertmanager = notify_probe.Alertmanager(self.directory, f"""
route: {{receiver: hook, group_by: [alertname], group_wait: 100ms, group_interval: 500ms}}
receivers: [{{name: hook, webhook_configs: [{{url: '{hook.url}/x'}}]}}]""")
        self.addCleanup(alertmanager.stop)
        section = self.section(f"127.0.0.1:{alertmanager.port}", more="  path_prefix: /x/\n")
        stats = self.send(section, [alert("Disk", ends_at_ms=NOW_MS + 240_000), alert("Load")])
        self.assertEqual({alertmanager.base: (2, 0, 0, 0, "")}, stats)
        stored = {a["labels"]["alertname"]: a for a in alertmanager.alerts()}
        self.assertEqual({"Disk", "Load"}, set(stored))
        self.assertEqual({"summary": "größer <b>"}, stored["Disk"]["annotations"])
        self.assertEqual("http://g/?a=1&b=2", stored["Disk"]["generatorURL"])
        self.assertEqual("active", stored["Disk"]["status"]["state"])
        firing = hook.wait_for(lambda r: r.json["groupLabels"] == {"alertname": "Disk"}, 20)
        self.assertEqual("firing", firing.json["status"])
        self.send(section, [alert("Disk", ends_at_ms=NOW_MS - 1_000)])
        hook.wait_for(lambda r: r.json["groupLabels"] == {"alertname": "Disk"} and r.json["status"] == "resolved", 20)


@unittest.skipUnless(notify_probe.ALERTMANAGER, "prometheus-alertmanager is not installed")
class Served(Case):
    """varve serve, a rule that fires for some seconds, and Debian's Alertmanager behind a login."""

    def test_a_rule_fires_and_ends_there(self):
        hook = self.sink(HttpSink())
        ca = certificates.Authority(os.path.join(self.directory, "ca"))
        own = ca.issue("127.0.0.1")
        web = os.path.join(self.directory, "web.yml")
        with open(web, "w", encoding="utf-8") as f:  # user me, password geheim
            f.write(f"""basic_auth_users: {{me: {BCRYPT_GEHEIM}}}
tls_server_config: {{cert_file: {own.certificate}, key_file: {own.key}}}""")
        alertmanager = notify_probe.Alertmanager(self.directory, f"""
route: {{receiver: hook, group_wait: 100ms, group_interval: 500ms}}
receivers: [{{name: hook, webhook_configs: [{{url: '{hook.url}/x'}}]}}]""", web_config=web, wait=False)
        self.addCleanup(alertmanager.stop)
        with open(os.path.join(self.directory, "rules.yml"), "w", encoding="utf-8") as f:
            f.write(f"""groups: [{{name: g, interval: 1s, rules: [{{alert: Short, expr: 'vector(time()) < {time.time() + 12}',
  labels: {{severity: page}}, annotations: {{summary: 'until {{{{ $value }}}}'}}}}]}}]""")
        config = os.path.join(self.directory, "varve.yaml")
        with open(config, "w", encoding="utf-8") as f:
            f.write(f"""rule_files: [{self.directory}/rules.yml]
ruler: {{resend_delay: 1s}}
alerting:
  alertmanagers:
  - scheme: https
    path_prefix: /x
    basic_auth: {{username: me, password: geheim}}
    tls_config: {{ca_file: ca/ca.pem}}
    static_configs: [{{targets: ['127.0.0.1:{alertmanager.port}']}}]""")
        server = varve_process.Server(os.path.join(self.directory, "data"), "--config", config).start()
        self.addCleanup(server.kill)
        firing = hook.wait_for(lambda r: r.json["status"] == "firing", 30)
        self.assertEqual({"alertname": "Short", "severity": "page"}, firing.json["alerts"][0]["labels"])
        resolved = hook.wait_for(lambda r: r.json["status"] == "resolved", 60)
        self.assertEqual(firing.json["alerts"][0]["fingerprint"], resolved.json["alerts"][0]["fingerprint"])
        self.assertNotIn("geheim", "\n".join(server.log))


class Sinks(Case):
    def test_several_get_everything_and_one_that_hangs_stops_no_other(self):
        good, other, hanging = self.sink(HttpSink()), self.sink(HttpSink()), self.sink(HttpSink(mode="hang"))
        stats = self.send(self.section(hanging.address, good.address, other.address), [alert("A"), alert("B")], 3_000)
        self.assertEqual((2, 0, 0, 0, ""), stats[good.url])
        self.assertEqual((2, 0, 0, 0, ""), stats[other.url])
        self.assertEqual(0, stats[hanging.url][0])
        self.assertEqual(2, stats[hanging.url][3])
        request = good.wait_for(seconds=5)
        self.assertEqual(("POST", "/api/v2/alerts"), (request.method, request.path))
        self.assertEqual("application/json", request.headers["Content-Type"])
        self.assertEqual(["A", "B"], [a["labels"]["alertname"] for a in request.json])
        self.assertNotIn("endsAt", request.json[0])

    def test_an_outage_is_waited_out_and_a_refusal_is_not(self):
        failing, refusing = self.sink(HttpSink(fail_times=1)), self.sink(HttpSink(status=400))
        stats = self.send(self.section(failing.address, refusing.address), [alert("A")], 15_000)
        self.assertEqual((1, 1, 0, 0, ""), stats[failing.url])
        self.assertEqual((0, 1, 1, 0, "unexpected status code 400"), stats[refusing.url])

    def test_many_alerts_go_in_several_requests(self):
        sink = self.sink(HttpSink())
        stats = self.send(self.section(sink.address), [alert(f"A{i}") for i in range(600)])
        self.assertEqual(600, stats[sink.url][0])
        self.assertEqual([256, 256, 88], [len(r.json) for r in sink.messages])

    def test_tls_and_logins(self):
        ca = certificates.Authority(os.path.join(self.directory, "ca"))
        sink = self.sink(HttpSink(certificate=ca.issue("127.0.0.1"), basic_auth=("me", "geheim")))
        with open(os.path.join(self.directory, "password"), "w", encoding="utf-8") as f:
            f.write("geheim\n")
        more = "  scheme: https\n  basic_auth: {username: me, password_file: password}\n"
        stats = self.send(self.section(sink.address, more=more + "  tls_config: {ca_file: ca/ca.pem}\n"), [alert("A")])
        self.assertEqual((1, 0, 0, 0, ""), stats[sink.url])
        sent, _, _, queued, error = self.send(self.section(sink.address, more=more), [alert("A")], 500)[sink.url]
        self.assertEqual((0, 1), (sent, queued))
        self.assertIn("certificate", error)

    def test_the_tenant_goes_along(self):
        sink = self.sink(HttpSink())
        self.send(self.section(sink.address), [alert("A")], tenant="team-a")
        self.assertEqual("team-a", sink.wait_for(seconds=5).headers["X-Scope-OrgID"])
        self.send(self.section(sink.address), [alert("A")])
        self.assertIsNone(sink.messages[1].headers["X-Scope-OrgID"])


if __name__ == "__main__":
    unittest.main()
