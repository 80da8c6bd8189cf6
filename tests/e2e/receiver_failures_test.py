"""The built-in notifier with receivers that work beside receivers that hang, refuse or have bad certificates."""
import json
import os
import time
import unittest

import certificates
from http_sink import HttpSink
from smtp_sink import SmtpSink
from varve_process import NS, VarveTest

GOOD_SECONDS_MAX = 30  # of a delivery that nothing hinders, on a busy machine
SECRETS = ("geheim", "s3cret-path", "r0uting-key")


class ReceiverFailures(VarveTest):
    def setUp(self):
        super().setUp()
        self.ca = certificates.Authority(os.path.join(self.folder, "ca"))
        self.certificate = self.ca.issue("localhost")

    def sink(self, sink):
        sink.start()
        self.addCleanup(sink.stop)
        return sink

    def configuration(self, receivers, route="group_wait: 100ms, group_interval: 1s, repeat_interval: 1h"):
        """`receivers`: name → entry. Every alert goes to all of them."""
        listed = "\n".join(f"- name: {name}\n  {entry}" for name, entry in receivers.items())
        routes = "\n".join(f"  - {{receiver: {name}, continue: true}}" for name in receivers)
        path = os.path.join(self.folder, "alertmanager.yml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"route:\n  receiver: {next(iter(receivers))}\n  group_by: [alertname]\n"
                    + "".join(f"  {line}\n" for line in route.split(", ")) + f"  routes:\n{routes}\nreceivers:\n{listed}\n")
        return path

    def mail(self, sink, more=""):
        return (f"email_configs: [{{to: ops@example.org, from: varve@example.org, smarthost: 'localhost:{sink.port}', "
                f"send_resolved: true, tls_config: {{ca_file: {self.ca.certificate}}}, auth_username: me, "
                f"auth_password: geheim{more}}}]")

    def post(self, server, name, **more):
        alert = {"labels": {"alertname": name, "severity": "page"}, "annotations": {"summary": "größer"}, **more}
        answer = server.request("POST", "/api/v2/alerts", body=json.dumps([alert]),
                                headers={"Content-Type": "application/json"})
        self.assertEqual(200, answer.status, answer.text)

    def failures(self, server):
        """receiver → attempts that failed."""
        prefix = "alertmanager_notifications_failed_total{"
        return {name.split('receiver="')[1].split('"')[0]: value for name, value in server.metrics().items()
                if name.startswith(prefix)}

    def wait_until(self, condition, seconds, what):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.1)

    def test_a_receiver_that_fails_harms_no_other(self):
        good_mail = self.sink(SmtpSink(tls="starttls", certificate=self.certificate, users={"me": "geheim"}))
        good_hook, good_pager = self.sink(HttpSink()), self.sink(HttpSink(status=202))
        bad_mails = {
            "mail_hangs": SmtpSink(mode="hang"), "mail_hangs_late": SmtpSink(mode="hang_data", users={"me": "geheim"}),
            "mail_refuses": SmtpSink(mode="refuse", users={"me": "geheim"}),
            "mail_login": SmtpSink(tls="starttls", certificate=self.certificate, users={"me": "other"}),
            "mail_certificate": SmtpSink(tls="starttls", certificate=certificates.self_signed(self.folder, "localhost")),
        }
        bad_hooks = {
            "hook_hangs": HttpSink(mode="hang"), "hook_drops": HttpSink(mode="drop"), "hook_500": HttpSink(status=500),
            "hook_400": HttpSink(status=400), "hook_certificate": HttpSink(certificate=self.ca.issue("localhost", days=-1)),
        }
        receivers = {}
        for name, sink in bad_mails.items():
            plain = "" if sink.tls else ", require_tls: false"
            receivers[name] = self.mail(self.sink(sink), plain)
        for name, sink in bad_hooks.items():
            url = self.sink(sink).url.replace("127.0.0.1", "localhost")
            receivers[name] = (f"webhook_configs: [{{url: '{url}/s3cret-path', timeout: 3s, "
                               f"http_config: {{tls_config: {{ca_file: {self.ca.certificate}}}}}}}]")
        nobody = self.sink(HttpSink())
        nobody.stop()
        receivers["hook_nobody"] = f"slack_configs: [{{api_url: '{nobody.url}/s3cret-path'}}]"
        receivers["good_mail"] = self.mail(good_mail)
        receivers["good_hook"] = f"webhook_configs: [{{url: '{good_hook.url}/s3cret-path'}}]"
        receivers["good_pager"] = f"pagerduty_configs: [{{routing_key: r0uting-key, url: '{good_pager.url}/v2'}}]"
        server = self.started("--set", "alertmanager.config_file=" + self.configuration(receivers))
        began = time.time()
        for name in ("First", "Second", "Third"):
            self.post(server, name)
            good_mail.wait_for(lambda m: name in m.subject, GOOD_SECONDS_MAX)
            good_hook.wait_for(lambda r: r.json["groupLabels"] == {"alertname": name}, GOOD_SECONDS_MAX)
            good_pager.wait_for(lambda r: name in r.json["payload"]["summary"], GOOD_SECONDS_MAX)
        self.assertEqual((3, 3, 3), (len(good_mail.messages), len(good_hook.messages), len(good_pager.messages)))

        # What fails at once has failed by now; what hangs fails at its timeout.
        bad = set(receivers) - {"good_mail", "good_hook", "good_pager"}
        slow = {"mail_hangs", "mail_hangs_late", "hook_hangs"}
        self.wait_until(lambda: all(self.failures(server).get(name, 0) > 0 for name in bad - slow), 60,
                        f"not all have failed: {self.failures(server)}")
        self.assertEqual(0, sum(value for name, value in self.failures(server).items() if name.startswith("good")))
        told = [json.loads(line) for _, line in server.lines('{job="varve-alerts"} | json | event="notification"',
                                                             int(began - 5) * NS, int(time.time() + 5) * NS)]
        outcomes = {name: {e["outcome"] for e in told if e["receiver"] == name} for name in receivers}
        for name in bad - slow:
            self.assertTrue(outcomes[name] and outcomes[name] <= {"retry", "failed"}, (name, outcomes[name]))
        self.assertEqual({"failed"}, outcomes["hook_400"])
        for name in ("good_mail", "good_hook", "good_pager"):
            self.assertEqual({"sent"}, outcomes[name])
        shown = json.dumps(told) + "\n".join(server.log) + server.get("/metrics").text + server.get("/api/v2/status").text
        shown += server.get("/config").text
        for secret in SECRETS:
            self.assertNotIn(secret, shown)

    def test_what_was_refused_arrives_when_the_receiver_is_back_after_a_kill(self):
        mail = self.sink(SmtpSink(mode="refuse", users={"me": "geheim"}))
        hook = self.sink(HttpSink(status=503))
        config = self.configuration({"mail": self.mail(mail, ", require_tls: false"),
                                     "hook": f"webhook_configs: [{{url: '{hook.url}/x'}}]"})
        server = self.started("--set", "alertmanager.config_file=" + config)
        self.post(server, "Pending")
        hook.wait_for(seconds=GOOD_SECONDS_MAX, refused=True)
        self.wait_until(lambda: mail.connections > 0, GOOD_SECONDS_MAX, "no mail was tried")
        server.kill()
        mail.mode, hook.status = "accept", 200
        server.start()
        mail.wait_for(lambda m: "Pending" in m.subject, GOOD_SECONDS_MAX)
        hook.wait_for(lambda r: r.json["status"] == "firing", GOOD_SECONDS_MAX)
        self.post(server, "Pending", endsAt=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1)))
        mail.wait_for(lambda m: m.subject.startswith("[RESOLVED]"), GOOD_SECONDS_MAX)
        hook.wait_for(lambda r: r.json["status"] == "resolved", GOOD_SECONDS_MAX)
        self.assertEqual((2, 2), (len(mail.messages), len(hook.messages)))

    def test_a_bad_configuration_is_refused_and_what_runs_stays(self):
        hook = self.sink(HttpSink())
        config = self.configuration({"hook": f"webhook_configs: [{{url: '{hook.url}/x'}}]"})
        server = self.started("--set", "alertmanager.config_file=" + config)
        with open(config, encoding="utf-8") as f:
            good = f.read()
        for bad, complaint in (("what: 1\n", 'unknown key "what"'), ("templates: [missing.tmpl]\n", "missing.tmpl"),
                               ("- name: more\n  opsgenie_configs: [{}]\n", "opsgenie_configs"),
                               ("- name: more\n  slack_configs: [{api_url: 'http://x', title: '{{ .Status'}]\n", "title")):
            with self.subTest(complaint):
                with open(config, "w", encoding="utf-8") as f:
                    f.write(good + bad)
                answer = server.request("POST", "/-/reload")
                self.assertNotIn(answer.status, (200, 204))
                self.assertIn(complaint, answer.text + "\n".join(server.log))
        self.post(server, "Still")
        hook.wait_for(lambda r: r.json["groupLabels"] == {"alertname": "Still"}, GOOD_SECONDS_MAX)


if __name__ == "__main__":
    unittest.main()
