"""limits.mask: a secret that is masked is nowhere below the data directory, whichever way it came in and whenever the
process dies; what was stored stays as it was when the masks change."""
import json
import os
import signal
import time

import unittest

from varve_process import NS, VarveTest, json_push, protobuf_push, snappy

SECRET = "hunter2-7f3a9c"
MASKED = "login password=**** done"
LINE = f"login password={SECRET} done"
CONFIG = """
limits:
  mask:
    - regex: '(password|token)=\\S+'
      replacement: '$1=****'
runtime_config:
  file: %s
"""
OVERRIDES = """
overrides:
  open:
    mask: []
  strict:
    mask:
      - regex: '(?i)(password|token)[=: ]+\\S+'
        replacement: '<hidden>'
"""


def otlp(ts):
    return json.dumps({"resourceLogs": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "otlp"}},
                                    {"key": "dsn", "value": {"stringValue": f"db://u?password={SECRET}"}}]},
        "scopeLogs": [{"logRecords": [{"timeUnixNano": str(ts), "body": {"stringValue": LINE},
                                       "attributes": [{"key": "q", "value": {"stringValue": f"token={SECRET}"}}]}]}],
    }]}).encode()


class Mask(VarveTest):
    def setUp(self):
        super().setUp()
        self.overrides = os.path.join(self.folder, "overrides.yaml")
        self.config = os.path.join(self.folder, "varve.yaml")
        self.write(self.overrides, OVERRIDES)
        self.write(self.config, CONFIG % self.overrides)
        self.now = time.time_ns() // NS * NS

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def files_with(self, text):
        found = []
        for folder, _, names in os.walk(self.data_dir):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    if text.encode() in f.read():
                        found.append(os.path.join(folder, name))
        return found

    def push_every_way(self, server, n):
        ts = self.now - n * NS
        meta = {"q": f"a token={SECRET}"}
        answers = [
            server.push(json_push(({"way": "json"}, [(ts, LINE, meta)]))),
            server.push(snappy(protobuf_push(({"way": "protobuf"}, [(ts, LINE, meta)]))), "application/x-protobuf"),
            server.request("POST", "/otlp/v1/logs", body=otlp(ts), headers={"Content-Type": "application/json"}),
            server.request("POST", "/api/prom/push", headers={"Content-Type": "application/json"}, body=json.dumps(
                {"streams": [{"labels": '{way="legacy"}', "entries": [
                    {"ts": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ts // NS)), "line": LINE}]}]}).encode()),
        ]
        for answer in answers:
            self.assertIn(answer.status, (200, 204), answer.text)

    def expect(self, server, pushes):
        for selector in ('{way="json"}', '{way="protobuf"}', '{way="legacy"}', '{service_name="otlp"}'):
            lines = server.lines(selector, self.now - 3600 * NS, self.now + NS)
            self.assertEqual([MASKED] * pushes, [line for _, line in lines], selector)
        answer = server.query_range('{way=~".+"} | q="a token=****"', self.now - 3600 * NS, self.now + NS).json
        self.assertEqual(2 * pushes, sum(len(s["values"]) for s in answer["data"]["result"]))
        answer = server.query_range('{service_name="otlp"} | q="token=****" | dsn="db://u?password=****"',
                                    self.now - 3600 * NS, self.now + NS).json
        self.assertEqual(pushes, sum(len(s["values"]) for s in answer["data"]["result"]))

    def test_the_secret_is_nowhere_on_disk_however_the_process_ends(self):
        server = self.server("--config", self.config).start()
        self.push_every_way(server, 1)
        self.assertEqual([], self.files_with(SECRET))  # the journal
        self.assertNotEqual([], self.files_with("way"))  # …is what was looked at
        server.process.send_signal(signal.SIGKILL)
        server.wait()
        self.assertEqual([], self.files_with(SECRET))
        server.start()
        self.expect(server, 1)
        self.push_every_way(server, 2)
        server.flush()
        self.assertEqual([], self.files_with(SECRET))
        self.push_every_way(server, 3)
        server.kill()
        server.start()
        self.expect(server, 3)
        self.assertEqual(0, server.stop())
        self.assertEqual([], self.files_with(SECRET))
        self.assertEqual([], [line for line in server.log if SECRET in line])

    def test_replay_gives_what_was_masked_then_whatever_the_masks_say_now(self):
        server = self.server("--config", self.config).start()
        self.push_every_way(server, 1)
        server.kill()
        self.write(self.config, "limits:\n  mask: [{regex: 'login', replacement: 'nothing'}]\n")
        server.start()
        self.expect(server, 1)
        server.kill()
        self.write(self.config, "")
        server.start()
        self.expect(server, 1)

    def test_masks_are_each_tenants_and_reload_with_the_limits(self):
        server = self.started("--config", self.config, "--multi-tenant")

        def stored(tenant, n):
            headers = {"X-Scope-OrgID": tenant, "Content-Type": "application/json"}
            body = json_push(({"app": f"x{n}"}, [(self.now, LINE)]))
            self.assertEqual(204, server.request("POST", "/loki/api/v1/push", body=body, headers=headers).status)
            answer = server.query_range('{app="x%d"}' % n, self.now - NS, self.now + NS, headers=headers)
            return answer.json["data"]["result"][0]["values"][0][1]

        self.assertEqual(MASKED, stored("plain", 1))
        self.assertEqual(LINE, stored("open", 1))
        self.assertEqual("login <hidden> done", stored("strict", 1))
        metrics = server.metrics()
        self.assertEqual(2, metrics["varve_masked_entries_total"])
        self.assertEqual(2, metrics["varve_mask_replacements_total"])
        self.write(self.overrides, "overrides:\n  plain:\n    mask: [{regex: login, replacement: bye}]\n")
        self.assertEqual(204, server.request("POST", "/-/reload").status)
        self.assertEqual(f"bye password={SECRET} done", stored("plain", 2))
        self.assertEqual(MASKED, stored("open", 2))
        self.write(self.overrides, "overrides:\n  plain:\n    mask: [{regex: '['}]\n")
        answer = server.request("POST", "/-/reload")
        self.assertEqual(500, answer.status)
        self.assertIn("limits.mask: regex: error parsing regexp", answer.text)
        self.assertEqual(f"bye password={SECRET} done", stored("plain", 3))

    def test_a_bad_mask_stops_the_start_with_its_place(self):
        self.write(self.config, "limits:\n  mask: [{regex: '(a', replacement: b}]\n")
        status, _, err = self.run_varve("serve", "--data-dir", self.data_dir, "--config", self.config)
        self.assertEqual(1, status)
        self.assertIn("varve.yaml:2: limits.mask: regex: error parsing regexp: missing closing )", err)


if __name__ == "__main__":
    unittest.main()
