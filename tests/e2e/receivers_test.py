"""The built-in receivers against sinks: logins, TLS, refusals, hangs; what they send beside Debian's Alertmanager."""
import datetime
import html
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import certificates
import notify_probe
from http_sink import HttpSink
from smtp_sink import SmtpSink

NOTIFICATION = {
    "group_key": '{}:{alertname="Disk"}', "group_labels": {"alertname": "Disk"}, "external_url": "http://varve:3100",
    "now_ms": 1_800_000_000_000,
    "alerts": [
        {"labels": {"alertname": "Disk", "instance": "a"}, "annotations": {"summary": "größer\n.dot\n" + "x" * 2000},
         "starts_at_ms": 1_799_999_000_000, "generator_url": "http://g/?a=1&b=2", "fingerprint": "00000000000000aa"},
        {"labels": {"alertname": "Disk", "instance": "b"}, "annotations": {}, "starts_at_ms": 1_799_998_000_000,
         "ends_at_ms": 1_799_999_500_000, "generator_url": "http://g", "fingerprint": "00000000000000bb"}],
}
MESSAGE = {"title": "Daily report ✓", "text": "7 lines\n.\nend", "html": "<b>7</b> lines", "json": '{"lines":7}',
           "severity": "info", "id": "report/2026-11-20"}


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="varve_receivers_")
        self.addCleanup(shutil.rmtree, self.directory, True)

    def sink(self, sink):
        sink.start()
        self.addCleanup(sink.stop)
        return sink

    def file(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def config(self, receiver, top=""):
        return self.file("alertmanager.yml", f"{top}\nroute: {{receiver: ops}}\nreceivers:\n- name: ops\n{receiver}")

    def deliver(self, config, verb="notify", **options):
        body = NOTIFICATION if verb == "notify" else MESSAGE
        return notify_probe.deliver(verb, config, "ops", body, **options)

    def authority(self):
        return certificates.Authority(os.path.join(self.directory, "ca"))


class Mail(Case):
    def mail(self, sink, more="", host="localhost"):
        return self.config(f"""  email_configs:
  - to: 'a@example.org, "Ops, Team" <b@example.org>'
    from: Varve <varve@example.org>
    smarthost: {host}:{sink.port}
    hello: varve.test
    send_resolved: true
    text: '{{{{ range .Alerts }}}}{{{{ .Annotations.summary }}}}{{{{ end }}}}'
    headers: {{Subject: 'größer als {{{{ len .Alerts }}}}', X-Team: ops}}
{more}""")

    def test_is_delivered_by_starttls_with_a_login(self):
        ca = self.authority()
        password = self.file("password", "geheim\n")
        for mechanisms in ("PLAIN LOGIN", "LOGIN"):
            with self.subTest(mechanisms):
                sink = self.sink(SmtpSink(tls="starttls", certificate=ca.issue("localhost"), users={"me": "geheim"},
                                          mechanisms=mechanisms))
                config = self.mail(sink, f"""    auth_username: me
    auth_password_file: {password}
    tls_config: {{ca_file: {ca.certificate}}}""")
                self.assertEqual(["ok"], [o.verdict for o in self.deliver(config)])
                mail = sink.wait_for(seconds=5)
                self.assertEqual(("varve@example.org", ["a@example.org", "b@example.org"], "varve.test", "me", True),
                                 (mail.sender, mail.recipients, mail.helo, mail.user, mail.tls))
                self.assertEqual("größer als 2", mail.subject)
                self.assertEqual("ops", mail.message["X-Team"])
                self.assertEqual('a@example.org, "Ops, Team" <b@example.org>', str(mail.message["To"]))
                self.assertEqual("größer\n.dot\n" + "x" * 2000, mail.text.rstrip("\n"))
                self.assertIn("[1] Firing", mail.html)
                self.assertIn("[1] Resolved", mail.html)
                self.assertEqual("multipart/alternative", mail.message.get_content_type())
                for name in ("Message-Id", "Date", "MIME-Version"):
                    self.assertIsNotNone(mail.message[name])
                self.assertLessEqual(max(len(line) for line in mail.raw.split(b"\r\n")), 78)
                self.assertTrue(all(line.isascii() for line in mail.raw.split(b"\r\n")))

    def test_is_delivered_by_implicit_tls(self):
        ca = self.authority()
        sink = self.sink(SmtpSink(tls="implicit", certificate=ca.issue("mail.example.org")))
        config = self.mail(sink, f"""    force_implicit_tls: true
    tls_config: {{ca_file: {ca.certificate}, server_name: mail.example.org}}""")
        self.assertEqual(["ok"], [o.verdict for o in self.deliver(config)])
        self.assertTrue(sink.wait_for(seconds=5).tls)

    def test_is_not_sent_in_clear_where_tls_is_required(self):
        sink = self.sink(SmtpSink())
        outcome, = self.deliver(self.mail(sink))
        self.assertEqual("retry", outcome.verdict)
        self.assertEqual([], sink.messages)
        outcome, = self.deliver(self.mail(sink, "    require_tls: false"))
        self.assertEqual("ok", outcome.verdict)

    def test_is_not_sent_to_a_server_with_a_bad_certificate(self):
        ca = self.authority()
        bad = {"self-signed": certificates.self_signed(self.directory, "localhost"),
               "expired": ca.issue("localhost", days=-1), "another name": ca.issue("elsewhere.example.org")}
        for what, certificate in bad.items():
            for tls in ("starttls", "implicit"):
                with self.subTest(what, tls=tls):
                    sink = self.sink(SmtpSink(tls=tls, certificate=certificate))
                    implicit = "true" if tls == "implicit" else "false"
                    outcome, = self.deliver(self.mail(sink, f"""    force_implicit_tls: {implicit}
    tls_config: {{ca_file: {ca.certificate}}}"""))
                    self.assertEqual("retry", outcome.verdict)
                    self.assertIn("certificate", outcome.error)
                    self.assertEqual([], sink.messages)

    def test_says_what_went_wrong_without_the_password(self):
        ca = self.authority()
        for mode, users in (("accept", {"me": "other"}), ("refuse", {"me": "geheim"}), ("refuse_data", {"me": "geheim"}),
                            ("greet_554", {"me": "geheim"}), ("drop", {"me": "geheim"})):
            with self.subTest(mode):
                sink = self.sink(SmtpSink(tls="starttls", certificate=ca.issue("localhost"), users=users, mode=mode))
                outcome, = self.deliver(self.mail(sink, f"""    auth_username: me
    auth_password: geheim
    tls_config: {{ca_file: {ca.certificate}}}"""))
                self.assertEqual("retry", outcome.verdict)
                self.assertIn(f"localhost:{sink.port}", outcome.error)
                self.assertNotIn("geheim", outcome.error)
                self.assertEqual([], sink.messages)

    def test_may_be_tried_again_after_a_451(self):
        sink = self.sink(SmtpSink(fail_times=1))
        config = self.mail(sink, "    require_tls: false")
        self.assertEqual(["retry"], [o.verdict for o in self.deliver(config)])
        self.assertEqual(["ok"], [o.verdict for o in self.deliver(config)])
        self.assertEqual(1, len(sink.messages))

    def test_of_a_message_keeps_its_id(self):
        sink = self.sink(SmtpSink())
        config = self.mail(sink, "    require_tls: false")
        for _ in range(2):
            self.assertEqual(["ok"], [o.verdict for o in self.deliver(config, "message")])
        first, second = sink.messages
        self.assertEqual("Daily report ✓", first.subject)
        self.assertEqual(("7 lines\n.\nend", "<b>7</b> lines"), (first.text.strip(), first.html.strip()))
        self.assertEqual(first.message["Message-Id"], second.message["Message-Id"])

    def test_without_an_address_is_not_tried_again(self):
        config = self.config("""  email_configs:
  - {to: '{{ .CommonLabels.nobody }}', from: a@b, smarthost: 'localhost:1', require_tls: false}""")
        outcome, = self.deliver(config)
        self.assertEqual("fail", outcome.verdict)
        self.assertIn("to: ", outcome.error)


class Webhook(Case):
    def hook(self, sink, more="", path="/hook/s3cret-token"):
        return self.config(f"  webhook_configs:\n  - url: {sink.url.replace('127.0.0.1', 'localhost')}{path}\n{more}")

    def test_gets_logins_tokens_and_headers(self):
        cases = [
            (HttpSink(basic_auth=("me", "geheim")), "    http_config: {basic_auth: {username: me, password: geheim}}"),
            (HttpSink(bearer="t0ken"), "    http_config: {authorization: {credentials: t0ken}}"),
            (HttpSink(bearer="t0ken"), "    http_config: {bearer_token_file: token}"),
            (HttpSink(), "    http_config: {http_headers: {X-Team: {values: [ops]}}}"),
        ]
        self.file("token", "t0ken\n")
        for sink, more in cases:
            with self.subTest(more):
                outcome, = self.deliver(self.hook(self.sink(sink), more))
                self.assertEqual("ok", outcome.verdict, outcome)
                request = sink.wait_for(seconds=5)
                self.assertEqual("/hook/s3cret-token", request.path)
                self.assertEqual("application/json", request.headers["Content-Type"])
                if "X-Team" in more:
                    self.assertEqual("ops", request.headers["X-Team"])

    def test_is_tried_again_after_statuses_that_pass(self):
        for status, verdict in ((500, "retry"), (503, "retry"), (429, "retry"), (400, "fail"), (404, "fail"), (204, "ok")):
            with self.subTest(status):
                outcome, = self.deliver(self.hook(self.sink(HttpSink(status=status, body="nicht jetzt"))))
                self.assertEqual(verdict, outcome.verdict)
                if verdict != "ok":
                    self.assertIn(str(status), outcome.error)
                    self.assertIn("nicht jetzt", outcome.error)

    def test_that_hangs_ends_at_its_timeout_and_tells_no_secret(self):
        sink = self.sink(HttpSink(mode="hang"))
        outcome, = self.deliver(self.hook(sink, "    timeout: 500ms"))
        self.assertEqual("retry", outcome.verdict)
        self.assertLess(outcome.seconds, 10)
        self.assertNotIn("s3cret", outcome.error)
        sink.stop()
        outcome, = self.deliver(self.hook(sink, "    timeout: 500ms"))
        self.assertEqual("retry", outcome.verdict)
        self.assertIn("localhost", outcome.error)
        self.assertNotIn("s3cret", outcome.error)

    def test_by_tls_needs_a_good_certificate(self):
        ca = self.authority()
        cases = [
            (ca.issue("localhost"), "", "ok"),
            (ca.issue("elsewhere.example.org"), "", "retry"),
            (ca.issue("elsewhere.example.org"), ", server_name: elsewhere.example.org", "ok"),
            (ca.issue("localhost", days=-1), "", "retry"),
            (certificates.self_signed(self.directory, "localhost"), "", "retry"),
            (certificates.self_signed(self.directory, "localhost"), ", insecure_skip_verify: true", "ok"),
        ]
        for certificate, more, verdict in cases:
            with self.subTest(certificate=certificate.certificate, more=more):
                sink = self.sink(HttpSink(certificate=certificate))
                outcome, = self.deliver(
                    self.hook(sink, f"    http_config: {{tls_config: {{ca_file: {ca.certificate}{more}}}}}"))
                self.assertEqual(verdict, outcome.verdict, outcome)
                self.assertEqual(verdict == "ok", bool(sink.messages))

    def test_shows_its_own_certificate(self):
        ca = self.authority()
        own = ca.issue("client")
        sink = self.sink(HttpSink(certificate=ca.issue("localhost"), client_ca=ca.certificate))
        tls = f"ca_file: {ca.certificate}"
        outcome, = self.deliver(self.hook(sink, f"    http_config: {{tls_config: {{{tls}}}}}"))
        self.assertEqual("retry", outcome.verdict)
        tls += f", cert_file: {own.certificate}, key_file: {own.key}"
        outcome, = self.deliver(self.hook(sink, f"    http_config: {{tls_config: {{{tls}}}}}"))
        self.assertEqual("ok", outcome.verdict, outcome)

    def test_follows_redirects_where_it_may_and_leaves_the_password_behind(self):
        last = self.sink(HttpSink())
        first = self.sink(HttpSink(status=307, headers={"Location": last.url + "/there"}))
        login = "basic_auth: {username: me, password: geheim}"
        outcome, = self.deliver(self.hook(first, f"    http_config: {{{login}}}"))
        self.assertEqual("ok", outcome.verdict, outcome)
        request = last.wait_for(seconds=5)
        self.assertEqual(("POST", "/there", "4"), (request.method, request.path, request.json["version"]))
        self.assertIsNone(request.basic_auth)
        outcome, = self.deliver(self.hook(first, f"    http_config: {{{login}, follow_redirects: false}}"))
        self.assertEqual("fail", outcome.verdict)

    def test_goes_through_a_proxy(self):
        proxy = self.sink(HttpSink())
        config = self.config(f"""  webhook_configs:
  - url: http://nowhere.invalid/hook
    http_config: {{proxy_url: {proxy.url}}}""")
        outcome, = self.deliver(config)
        self.assertEqual("ok", outcome.verdict, outcome)
        self.assertEqual("http://nowhere.invalid/hook", proxy.wait_for(seconds=5).path)

    def test_gets_only_so_many_alerts_and_the_json_of_messages(self):
        sink = self.sink(HttpSink())
        self.deliver(self.hook(sink, "    max_alerts: 1"))
        request = sink.wait_for(seconds=5)
        self.assertEqual((1, 1), (len(request.json["alerts"]), request.json["truncatedAlerts"]))
        self.deliver(self.hook(sink), "message")
        self.assertEqual({"lines": 7}, sink.messages[1].json)

    def test_harms_no_other_when_a_file_is_missing(self):
        sink = self.sink(HttpSink())
        config = self.config(f"  webhook_configs:\n  - url_file: missing\n  - url: {sink.url}/there")
        self.assertEqual(["fail", "ok"], [o.verdict for o in self.deliver(config)])


class SlackAndPagerduty(Case):
    def test_slack_says_in_its_body_whether_it_took_a_message(self):
        for body, verdict in (("ok", "ok"), ("invalid_token", "fail"), ('{"ok":true}', "ok"),
                              ('{"ok":false,"error":"channel_not_found"}', "fail")):
            with self.subTest(body):
                sink = self.sink(HttpSink(body=body))
                config = self.config(f"  slack_configs:\n  - {{api_url: {sink.url}/x, channel: '#a', send_resolved: true}}")
                outcome, = self.deliver(config)
                self.assertEqual(verdict, outcome.verdict, outcome)
                self.assertEqual("#a", sink.wait_for(seconds=5).json["channel"])
                if verdict == "fail":
                    self.assertIn('channel "#a"', outcome.error)

    def test_slack_takes_an_application_token(self):
        sink = self.sink(HttpSink(bearer="xoxb-1", body='{"ok":true}'))
        config = self.config("  slack_configs:\n  - {channel: ops}",
                             f"global: {{slack_app_token: xoxb-1, slack_app_url: {sink.url}/api/chat.postMessage}}")
        outcome, = self.deliver(config)
        self.assertEqual("ok", outcome.verdict, outcome)
        self.assertEqual("/api/chat.postMessage", sink.wait_for(seconds=5).path)

    def test_slack_gets_messages(self):
        sink = self.sink(HttpSink())
        config = self.config(f"  slack_configs:\n  - {{api_url: {sink.url}/x, channel: '#a'}}")
        outcome, = self.deliver(config, "message")
        self.assertEqual("ok", outcome.verdict, outcome)
        attachment, = sink.wait_for(seconds=5).json["attachments"]
        self.assertEqual((MESSAGE["title"], MESSAGE["text"], "good"),
                         (attachment["title"], attachment["text"], attachment["color"]))

    def test_pagerduty_resolves_what_it_triggered(self):
        sink = self.sink(HttpSink(status=202, body='{"status":"success"}'))
        config = self.config(f"  pagerduty_configs:\n  - {{routing_key: r0, url: {sink.url}/enqueue}}")
        resolved = json.loads(json.dumps(NOTIFICATION))
        resolved["alerts"][0]["ends_at_ms"] = resolved["now_ms"] - 1
        for body in (NOTIFICATION, resolved):
            outcome, = notify_probe.deliver("notify", config, "ops", body)
            self.assertEqual("ok", outcome.verdict, outcome)
        trigger, resolve = (r.json for r in sink.messages)
        self.assertEqual(("trigger", "resolve"), (trigger["event_action"], resolve["event_action"]))
        self.assertEqual(trigger["dedup_key"], resolve["dedup_key"])
        self.assertEqual(("r0", "error", "1", "1"),
                         (trigger["routing_key"], trigger["payload"]["severity"],
                          trigger["payload"]["custom_details"]["num_firing"],
                          trigger["payload"]["custom_details"]["num_resolved"]))

    def test_pagerduty_gets_no_more_than_it_takes(self):
        sink = self.sink(HttpSink(status=202))
        config = self.config(f"  pagerduty_configs:\n  - {{routing_key: r0, url: {sink.url}/enqueue}}")
        large = json.loads(json.dumps(NOTIFICATION))
        large["alerts"][0]["annotations"]["summary"] = "ü" * 600_000
        outcome, = notify_probe.deliver("notify", config, "ops", large)
        self.assertEqual("ok", outcome.verdict, outcome)
        self.assertEqual(["error"], list(sink.wait_for(seconds=5).json["payload"]["custom_details"]))


@unittest.skipUnless(notify_probe.ALERTMANAGER, "prometheus-alertmanager is not installed")
class BesideAlertmanager(Case):
    """The same alerts through Alertmanager and through the receivers, to the same sinks."""

    CONFIG = """
global:
  smtp_smarthost: {smtp}
  smtp_from: Varve <varve@example.org>
  smtp_require_tls: false
  slack_api_url: {http}/{name}/slack
  pagerduty_url: {http}/{name}/pagerduty
templates: [{directory}/own*.tmpl]
route: {{receiver: ops.team, group_by: [alertname], group_wait: 200ms, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: ops.team
  email_configs:
  - to: {name}@example.org
    send_resolved: true
    text: '{{{{ template "own.text" .Alerts }}}}{{{{ template "pagerduty.default.instances" .Alerts.Firing }}}}'
  slack_configs:
  - channel: '#ops'
    send_resolved: true
    short_fields: true
    fields:
    - title: since
      value: '{{{{ range .Alerts }}}}{{{{ .StartsAt }}}} {{{{ .EndsAt }}}} {{{{ .EndsAt.IsZero }}}} {{{{ .Fingerprint }}}}{{{{ end }}}}'
    actions: [{{type: button, text: Go, url: '{{{{ (index .Alerts 0).GeneratorURL }}}}'}}]
  webhook_configs: [{{url: '{http}/{name}/hook'}}]
  pagerduty_configs: [{{routing_key: k, severity: '{{{{ .CommonLabels.severity }}}}',
                        links: [{{href: 'http://x/{{{{ .GroupLabels.alertname }}}}', text: l}}]}}]
"""
    OWN = '{{ define "own.text" }}{{ range . }}{{ .Labels.instance | toUpper | printf "%q" }} {{ .Labels.Names | join "," }}\n{{ end }}{{ end }}'

    def visible(self, page):
        page = re.sub(r"(?s)<!--.*?-->|<style.*?</style>", "", page)
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())

    def replay(self, config, hook):
        """What the webhook of Alertmanager was told, through our receivers."""
        def ms(text):
            return 0 if text.startswith("0001") else round(
                datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)
        told = hook.json
        notification = {
            "group_key": told["groupKey"], "group_labels": told["groupLabels"], "external_url": told["externalURL"],
            "now_ms": int(time.time() * 1000),
            "alerts": [{"labels": a["labels"], "annotations": a["annotations"], "starts_at_ms": ms(a["startsAt"]),
                        "ends_at_ms": ms(a["endsAt"]), "generator_url": a["generatorURL"],
                        "fingerprint": a["fingerprint"]} for a in told["alerts"]]}
        outcomes = notify_probe.deliver("notify", config, "ops.team", notification)
        self.assertEqual(["ok"] * 4, [o.verdict for o in outcomes], outcomes)

    def test_everything_reads_the_same(self):
        smtp, http = self.sink(SmtpSink()), self.sink(HttpSink())
        self.file("own.tmpl", self.OWN)
        values = {"smtp": smtp.address, "http": http.url, "directory": self.directory}
        config = self.file("varve.yml", self.CONFIG.format(name="varve", **values))
        alerts = [{"labels": {"alertname": "Disk <full>", "severity": "page", "instance": f"h{i}"},
                   "annotations": {"summary": f"über & <b> {i}", "same": "line1\nline2 \u2028 \"q\""},
                   "startsAt": f"2026-11-20T10:00:0{i}.250Z", "generatorURL": "http://g/?a=1&b=2"} for i in range(2)]
        alertmanager = notify_probe.Alertmanager(self.directory, self.CONFIG.format(name="am", **values))
        self.addCleanup(alertmanager.stop)

        def round_done(count):
            for kind in ("slack", "pagerduty"):
                http.wait_for(lambda r: r.path == "/am/" + kind, 20, count)
            smtp.wait_for(lambda m: m.recipients == ["am@example.org"], 20, count)
            return http.wait_for(lambda r: r.path == "/am/hook", 20, count)

        rounds = []
        alertmanager.post(alerts)
        rounds.append(round_done(1))
        alerts[0]["endsAt"] = "2026-11-20T11:00:00Z"
        alertmanager.post(alerts)
        rounds.append(round_done(2))
        alerts[1]["endsAt"] = "2026-11-20T11:00:01.5Z"
        alertmanager.post(alerts[1:])
        rounds.append(round_done(3))
        for hook in rounds:
            self.replay(config, hook)
        for kind in ("hook", "slack", "pagerduty"):
            theirs, ours = ([r.body for r in http.messages if r.path == f"/{who}/{kind}"] for who in ("am", "varve"))
            self.assertEqual(3, len(theirs))
            self.assertEqual([body.replace(b"/am/", b"/varve/") for body in theirs], ours, kind)
        theirs, ours = ([m for m in smtp.messages if m.recipients == [f"{who}@example.org"]] for who in ("am", "varve"))
        self.assertEqual([m.subject for m in theirs], [m.subject for m in ours])
        self.assertEqual([m.text for m in theirs], [m.text for m in ours])
        self.assertEqual([self.visible(m.html) for m in theirs], [self.visible(m.html) for m in ours])
        links = re.compile(r'href="([^"]*)"')
        self.assertEqual([links.findall(m.html) for m in theirs], [links.findall(m.html) for m in ours])


@unittest.skipUnless(shutil.which("amtool"), "amtool is not installed")
class BesideAmtool(Case):
    """Files that `amtool check-config` takes and refuses, we take and refuse."""

    ROUTE = "route: {receiver: a}\nreceivers: [{name: a}]\n"
    FILES = [  # our verdict is amtool's
        ROUTE, "", "route: {receiver: b}\nreceivers: [{name: a}]", "receivers: [{name: a}]", ROUTE + "what: 1",
        "route: {receiver: a, continue: true}\nreceivers: [{name: a}]", "route: {receiver: a, matchers: [x=y]}\nreceivers: [{name: a}]",
        "route: {receiver: a, group_by: [x, x]}\nreceivers: [{name: a}]", "route: {receiver: a, group_by: [x, '...']}\nreceivers: [{name: a}]",
        "route: {receiver: a, group_interval: 0s}\nreceivers: [{name: a}]", "route: {receiver: a, group_wait: 5}\nreceivers: [{name: a}]",
        "route: {receiver: a, group_wait: 0}\nreceivers: [{name: a}]", "route: {receiver: a, group_wait: 1h30m}\nreceivers: [{name: a}]",
        "route: {receiver: a, group_wait: 30m1h}\nreceivers: [{name: a}]", "route: {receiver: a, group_wait: -1s}\nreceivers: [{name: a}]",
        "route: {receiver: a, routes: [{match: {'b-d': c}}]}\nreceivers: [{name: a}]",
        "route: {receiver: a, routes: [{match_re: {b: '('}}]}\nreceivers: [{name: a}]",
        "route: {receiver: a, routes: [{match_re: {b: }}]}\nreceivers: [{name: a}]",
        "route: {receiver: a, routes: [{matchers: ['a=~\"(\"']}]}\nreceivers: [{name: a}]",
        "route: {receiver: a, routes: [{matchers: ['a=b', 'c!=\"d e\"', '{f=~g,h!~i}']}]}\nreceivers: [{name: a}]",
        "route: {receiver: a, routes: [{matchers: ['a']}]}\nreceivers: [{name: a}]",
        "route: {receiver: a, routes: [{matchers: 'a=b'}]}\nreceivers: [{name: a}]",
        "route: {receiver: a, routes: [{mute_time_intervals: [x]}]}\nreceivers: [{name: a}]",
        "route: {receiver: a, mute_time_intervals: [x]}\nreceivers: [{name: a}]\ntime_intervals: [{name: x, time_intervals: []}]",
        ROUTE + "receivers: [{name: a}]", "route: {receiver: a}\nreceivers: [{name: a}, {name: a}]", "route: {receiver: a}\nreceivers: [{}]",
        ROUTE + "inhibit_rules: [{source_match: {a: b}, target_match_re: {c: 'd|e'}, equal: [f]}]",
        ROUTE + "inhibit_rules: [{source_matchers: ['a=b'], target_matchers: ['c=d'], equal: ['']}]",
        ROUTE + "inhibit_rules: [{source_matcher: ['a=b']}]",
        ROUTE + "global: {resolve_timeout: 5m, smtp_from: a@b}", ROUTE + "global: {resolve_timeout: x}", ROUTE + "global: {smtp: x}",
        ROUTE + "global: {slack_api_url: 'ftp://x'}", ROUTE + "global: {slack_api_url: 'http://x', slack_api_url_file: y}",
        ROUTE + "global: {http_config: {basic_auth: {username: a, password: b}, authorization: {credentials: c}}}",
        ROUTE + "global: {http_config: {authorization: {type: Basic, credentials: c}}}", ROUTE + "global: {http_config: {tls: {}}}",
        ROUTE + "templates: ['/nothing/there/*.tmpl']", ROUTE + "global:", ROUTE + "templates:",
    ]
    RECEIVERS = [
        "email_configs: [{to: a@b}]", "email_configs: [{to: a@b, from: c@d, smarthost: 'h:25'}]",
        "email_configs: [{to: a@b, from: c@d, smarthost: h}]", "email_configs: [{from: c@d, smarthost: 'h:25'}]",
        "email_configs: [{to: a@b, from: c@d, smarthost: 'h:25', headers: {subject: a, Subject: b}}]",
        "email_configs: [{to: a@b, from: c@d, smarthost: 'h:25', require_tls: maybe}]",
        "email_configs: [{to: a@b, from: c@d, smarthost: 'h:25', require_tls: yes, tls_config: {insecure_skip_verify: on}}]",
        "slack_configs: [{channel: a}]", "slack_configs: [{api_url: 'http://x', channel: a}]", "slack_configs: [{api_url: 'x'}]",
        "slack_configs: [{api_url: 'http://x', fields: [{title: a}]}]", "slack_configs: [{api_url: 'http://x', fields: [{title: a, value: b, short: no}]}]",
        "slack_configs: [{api_url: 'http://x', actions: [{type: a, text: b}]}]", "slack_configs: [{api_url: 'http://x', actions: [{type: a, text: b, url: c}]}]",
        "slack_configs: [{api_url: 'http://x', chanel: a}]", "webhook_configs: [{}]", "webhook_configs: [{url: 'http://x', max_alerts: 5}]",
        "webhook_configs: [{url: 'http://x', max_alerts: -5}]", "webhook_configs: [{url: 'http://x', send_resolved: false}]",
        "webhook_configs: [{url: 'http://x', http_config: {follow_redirects: false, proxy_url: 'http://p'}}]",
        "webhook_configs: [{url: 'http://x', http_config: {bearer_token: a, bearer_token_file: b}}]",
        "pagerduty_configs: [{}]", "pagerduty_configs: [{routing_key: a, details: {b: c}, images: [{src: a}], links: [{href: a}]}]",
        "pagerduty_configs: [{routing_key: a, url: 'nowhere'}]", "what_configs: [{}]", "webhook_configs: [{url: 'http://x', title: a}]",
    ]
    INTERVALS = [
        "times: [{start_time: '09:00', end_time: '17:30'}]", "times: [{start_time: '17:00', end_time: '09:00'}]",
        "times: [{start_time: '09:00', end_time: '24:00'}]", "times: [{start_time: '9:00', end_time: '10:00'}]", "times: [{start_time: '09:00'}]",
        "times: [{start_time: '09:00', end_time: '24:01'}]", "weekdays: ['monday:friday', Sunday]", "weekdays: ['friday:monday']", "weekdays: [someday]",
        "days_of_month: ['1:5', '-3:-1', 31]", "days_of_month: ['0']", "days_of_month: ['-1:1']", "days_of_month: ['5:1']", "days_of_month: ['-1:-5']",
        "days_of_month: ['27:-1']", "days_of_month: ['28:-2']", "days_of_month: [32]", "months: ['january:march', 12]", "months: ['march:january']",
        "months: [smarch]", "years: [2026, '2027:2030']", "years: ['2030:2027']", "location: Asia/Seoul", "location: Mars/Olympus", "hours: [1]",
    ]

    def test_they_agree(self):
        files = list(self.FILES)
        files += ["route: {receiver: a}\nreceivers:\n- name: a\n  " + text for text in self.RECEIVERS]
        files += [self.ROUTE + "time_intervals: [{name: x, time_intervals: [{" + text + "}]}]" for text in self.INTERVALS]
        files += [self.ROUTE + "mute_time_intervals: [{name: x, time_intervals: []}]\ntime_intervals: [{name: x, time_intervals: []}]"]
        good = 0
        for text in files:
            with self.subTest(text):
                path = self.file("alertmanager.yml", text)
                theirs = subprocess.run(["amtool", "check-config", path], capture_output=True, timeout=30)
                status, said = notify_probe.probe("check", path)
                self.assertEqual(theirs.returncode == 0, status == 0, theirs.stdout.decode() + said)
                if status != 0:
                    self.assertRegex(said, r"alertmanager\.yml:\d+: ")
                good += status == 0
        self.assertGreater(good, 25)
        self.assertGreater(len(files) - good, 40)


if __name__ == "__main__":
    unittest.main()
