"""The built-in notifier from outside: alerts by the API, web hooks that answer, refuse and hang, kills, silences."""
import datetime
import json
import os
import time
import unittest

from http_sink import HttpSink
from varve_process import VarveTest

SECRET = "s3cr3t-t0ken"
ALERTMANAGER = """
route:
  receiver: ops
  group_by: [alertname]
  group_wait: {wait}
  group_interval: 1s
  routes:
  - {{matchers: [to = other], receiver: other, group_by: [alertname, instance], group_wait: 0s}}
receivers:
- name: ops
  webhook_configs: [{{url: '{ops}/hook/%s'}}]
- name: other
  webhook_configs: [{{url: '{other}/hook'}}]
inhibit_rules:
- source_matchers: [alertname = Down]
  target_matchers: [severity = info]
""" % SECRET


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()


def told_as(status, name):
    return lambda request: any((a["labels"]["alertname"], a["status"]) == (name, status) for a in request.json["alerts"])


def firing(name):
    return told_as("firing", name)


def resolved(name):
    return told_as("resolved", name)


class Notifications(VarveTest):
    def setUp(self):
        super().setUp()
        self.ops, self.other = HttpSink().start(), HttpSink().start()
        self.addCleanup(self.ops.stop)
        self.addCleanup(self.other.stop)

    def serve(self, wait="0s"):
        with open(os.path.join(self.folder, "alertmanager.yml"), "w") as f:
            f.write(ALERTMANAGER.format(wait=wait, ops=self.ops.url, other=self.other.url))
        config = os.path.join(self.folder, "varve.yaml")
        with open(config, "w") as f:
            f.write("alertmanager: {config_file: alertmanager.yml, backoff_max: 1s}\n")
        return self.started("--config", config)

    def send(self, server, method, path, value=None):
        body = None if value is None else json.dumps(value)
        answer = server.request(method, "/api/v2/" + path, body=body, headers={"Content-Type": "application/json"})
        self.assertEqual(200, answer.status, answer.text)
        return answer

    def post(self, server, *names, ends=3600, **labels):
        self.send(server, "POST", "alerts", [
            {"labels": {"alertname": name, **labels}, "annotations": {"summary": "it is " + name},
             "endsAt": stamp(time.time() + ends)} for name in names])

    def count(self, sink, predicate):
        return sum(1 for request in sink.messages if predicate(request))

    def test_alerts_are_told_and_their_ends(self):
        server = self.serve()
        self.post(server, "A", "B", instance="1")
        told = self.ops.wait_for(firing("A"), 5).json
        self.assertEqual('{}:{alertname="A"}', told["groupKey"])
        self.assertEqual({"alertname": "A", "instance": "1"}, told["commonLabels"])
        self.assertEqual("it is A", told["alerts"][0]["annotations"]["summary"])
        self.assertEqual("firing", told["status"])
        self.post(server, "A", instance="1", ends=-1)
        told = self.ops.wait_for(resolved("A"), 10).json
        self.assertEqual("resolved", told["status"])
        # B has been told once, and what was sent is in the store, without the URL's secret.
        self.assertEqual(1, self.count(self.ops, firing("B")))
        deadline = time.monotonic() + 10
        lines = []
        while len(lines) < 3 and time.monotonic() < deadline:
            now = time.time_ns()
            query = '{job="varve-alerts"} | json | event="notification"'
            answer = server.query_range(query, now - 10**12, now + 10**10)
            lines = [e[1] for s in answer.json["data"]["result"] for e in s["values"]]
            time.sleep(0.1)
        self.assertEqual(3, len(lines), lines)
        self.assertEqual({"sent"}, {json.loads(line)["outcome"] for line in lines})
        self.assertNotIn(SECRET, "\n".join(lines + server.log))
        self.assertIn('alertmanager_notifications_total{integration="webhook",receiver="ops"} 3',
                      server.get("/metrics").text)

    def test_a_receiver_that_hangs_or_fails_holds_up_no_other(self):
        self.other.mode = "hang"
        server = self.serve()
        for i in range(30):
            self.post(server, "Stuck", to="other", instance=str(i))
        self.other.wait_for(refused=True)
        self.post(server, "A")
        self.ops.wait_for(firing("A"), 5)
        self.ops.status = 500
        self.post(server, "B")
        self.ops.wait_for(firing("B"), 10, count=2, refused=True)
        self.assertNotIn(SECRET, "\n".join(server.log))
        self.ops.status = 200
        self.ops.wait_for(firing("B"), 10)

    def test_a_kill_loses_nothing_that_waits_and_repeats_nothing_that_was_sent(self):
        server = self.serve(wait="3s")
        self.post(server, "A")
        server.kill()
        server.start()
        self.ops.wait_for(firing("A"), 20)
        # Its record is written after the answer: what is told later was recorded later.
        self.post(server, "B")
        self.ops.wait_for(firing("B"), 20)
        server.kill()
        self.ops.status = 503
        server.start()
        self.post(server, "C")
        self.ops.wait_for(firing("C"), 20, refused=True)
        server.kill()
        self.ops.status = 200
        server.start()
        self.ops.wait_for(firing("C"), 20)
        self.assertEqual(1, self.count(self.ops, firing("A")))
        self.assertEqual(1, self.count(self.ops, firing("C")))

    def test_silences_and_inhibition_mute(self):
        server = self.serve()
        silence = {"matchers": [{"name": "alertname", "value": "A|X", "isRegex": True, "isEqual": True}],
                   "startsAt": stamp(time.time()), "endsAt": stamp(time.time() + 3600),
                   "createdBy": "me", "comment": "why"}
        known = self.send(server, "POST", "silences", silence).json["silenceID"]
        server.kill()
        server.start()
        self.post(server, "A", "Down")
        self.post(server, "I", severity="info")
        self.ops.wait_for(firing("Down"), 10)
        alerts = {a["labels"]["alertname"]: a["status"] for a in self.send(server, "GET", "alerts").json}
        self.assertEqual([known], alerts["A"]["silencedBy"])
        self.assertEqual(("suppressed", 1), (alerts["I"]["state"], len(alerts["I"]["inhibitedBy"])))
        self.assertEqual("active", alerts["Down"]["state"])
        self.assertEqual(0, self.count(self.ops, firing("A")) + self.count(self.ops, firing("I")))
        self.send(server, "DELETE", "silence/" + known)
        self.ops.wait_for(firing("A"), 10)
        self.post(server, "Down", ends=-1)
        self.ops.wait_for(firing("I"), 10)


if __name__ == "__main__":
    unittest.main()
