"""kill -9 at random while rules are evaluated and alerts are notified of: nothing of it is lost.

An agent (this test) writes gauges that go up and down, and writes again what was not acknowledged, in order, as Prometheus
does. A group evaluates every second, looking a second back, so that what a rule must have seen is known: from the samples
alone the test works out, evaluation by evaluation, the state every alert must have had, and compares it with ALERTS and
ALERTS_FOR_STATE, with the lines of {job="varve-alerts"} and with what a web hook was told. VARVE_ALERTING_KILLS=50 kills
more often than the suite has time for.
"""
import collections
import datetime
import glob
import json
import math
import os
import random
import re
import threading
import time
import unittest

import remote_write
from http_sink import HttpSink
from varve_process import ROOT, VarveTest

KILLS = int(os.environ.get("VARVE_ALERTING_KILLS", "6"))
SERIES = 8
KILLED = 137  # the exit status at a kill point
FOR = 3  # seconds, also the rule's `for`
OFFSET = 1
NS, MS = 1_000_000_000, 1000

CONFIG = """
global: {{rule_query_offset: {offset}s}}
rule_files: [{folder}/rules.yml]
ruler: {{resend_delay: 1s, catch_up_delay: 30s}}
alertmanager: {{config_file: {folder}/alertmanager.yml}}
"""
RULES = """
groups:
- name: kills
  interval: 1s
  rules:
  - record: tick
    expr: vector(1)
  - record: load:double
    expr: 2 * load
  - alert: Loaded
    expr: load:double > 1
    for: {wait}s
    labels: {{severity: page}}
    annotations: {{summary: 'i={{{{ $labels.i }}}}'}}
"""
ALERTMANAGER = """
route: {{receiver: hook, group_by: [i], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: hook
  webhook_configs: [{{url: '{url}'}}]
"""


class Agent(threading.Thread):
    """A sample a series every 250 ms; each series keeps a level for 2 to 9 seconds."""

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self.server, self.random = server, random.Random(seed)
        self.samples = [[] for _ in range(SERIES)]  # (ms, value), everything meant to be stored
        self.acknowledged_ms = 0
        self.ending = threading.Event()

    def run(self):
        level, until = [0] * SERIES, [0.0] * SERIES
        waiting = []
        while not self.ending.is_set() or waiting:
            now = time.time()
            ms = int(now * MS)
            if not self.ending.is_set():
                for i in range(SERIES):
                    if now > until[i]:
                        level[i], until[i] = 1 - level[i], now + self.random.uniform(2, 9)
                    self.samples[i].append((ms, float(level[i])))
                waiting.append((ms, list(level)))
            parts = [remote_write.time_series({"__name__": "load", "i": str(i)}, [(t, float(v[i])) for t, v in waiting])
                     for i in range(SERIES)]
            try:
                if waiting and remote_write.write(self.server, *parts).status in (200, 204):
                    self.acknowledged_ms = waiting[-1][0]
                    waiting = []
            except OSError:
                pass  # killed; sent again with the next ones
            time.sleep(max(0.0, 0.25 - (time.time() - now)))


def value_at(samples, ms):
    """The newest sample's at or before `ms`, at most five minutes old."""
    found = None
    for t, v in samples:
        if t > ms:
            break
        found = v if t > ms - 300_000 else None
    return found


class AlertingKill(VarveTest):
    def range(self, selector):
        """Raw samples by labels: [(ms, value)]."""
        answer = self.server_.get("/api/v1/query", {"query": f"{selector}[1h]", "time": time.time() + 5})
        self.assertEqual(200, answer.status, answer.text)
        return {json.dumps({k: v for k, v in s["metric"].items() if k != "__name__"}, sort_keys=True):
                [(round(float(t) * MS), float(v)) for t, v in s["values"]] for s in answer.json["data"]["result"]}

    def expected(self, samples, ticks):
        """{tick: (state, active since)} of the alert that the samples mean; ticks are query times."""
        states, since = {}, None
        for tick in ticks:
            value = value_at(samples, tick)
            if value is None or not 2 * value > 1:
                since = None
                continue
            since = tick if since is None else since
            states[tick] = ("firing" if tick - since >= FOR * MS else "pending", since)
        return states

    maxDiff = None

    def test_kills_at_random_change_nothing(self):
        seed = random.randrange(1 << 30)
        print(f"seed {seed}, {KILLS} kills")
        chance = random.Random(seed)

        def interrupt(server):
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.2, 3.5))
                server.kill()
                self.kills.append(round(time.time(), 3))
                time.sleep(chance.uniform(0, 0.5))
                server.start()
        self.check_under(interrupt, seed)

    def test_a_kill_after_each_step_of_an_evaluation_changes_nothing(self):
        points = set()
        for path in glob.glob(os.path.join(ROOT, "alerting", "**", "*.cc"), recursive=True):
            with open(path, encoding="utf-8") as f:
                points |= set(re.findall(r'VARVE_KILL_POINT\("([^"]+)"\)', f.read()))
        self.assertGreaterEqual(len(points), 4)

        def interrupt(server):
            for point in sorted(points):
                server.kill()
                server.env["VARVE_KILL_POINT"] = point + ":3"
                server.start()
                self.assertEqual(KILLED, server.wait(30), f"{point} was not passed")
                self.kills.append(round(time.time(), 3))
                del server.env["VARVE_KILL_POINT"]
                server.start()
                time.sleep(2)
        self.check_under(interrupt, 1)

    def check_under(self, interrupt, seed):
        sink = HttpSink().start()
        self.addCleanup(sink.stop)
        with open(os.path.join(self.folder, "rules.yml"), "w") as f:
            f.write(RULES.format(wait=FOR))
        with open(os.path.join(self.folder, "alertmanager.yml"), "w") as f:
            f.write(ALERTMANAGER.format(url=sink.url))
        config = os.path.join(self.folder, "varve.yaml")
        with open(config, "w") as f:
            f.write(CONFIG.format(folder=self.folder, offset=OFFSET))
        self.server_ = server = self.started("--config", config)
        server.listen = f"127.0.0.1:{server.port}"
        agent = Agent(server, seed)
        agent.start()
        self.kills = []
        time.sleep(4)
        interrupt(server)
        time.sleep(FOR + 4)
        agent.ending.set()
        agent.join()
        self.wait_for_ticks(agent.acknowledged_ms)
        ticks = [t for t, _ in self.range("tick")["{}"] if t <= agent.acknowledged_ms]
        self.check_ticks(ticks)
        expected = [self.expected(samples, ticks) for samples in agent.samples]
        self.check_states(expected, ticks)
        self.check_lines(expected, ticks)
        self.check_notifications(expected, ticks, sink)

    def wait_for_ticks(self, until_ms):
        deadline = time.time() + 30
        while max((t for t, _ in self.range("tick").get("{}", [])), default=0) < until_ms:
            self.assertLess(time.time(), deadline, "evaluations do not catch up")
            time.sleep(0.2)

    def check_ticks(self, ticks):
        """Every second was evaluated, none twice, none at another time."""
        steps = collections.Counter(b - a for a, b in zip(ticks, ticks[1:]))
        self.assertEqual({1000}, set(steps), "an evaluation is missing")

    def check_states(self, expected, ticks):
        alerts, since = self.range("ALERTS"), self.range("ALERTS_FOR_STATE")
        for i in range(SERIES):
            labels = {"alertname": "Loaded", "i": str(i), "severity": "page"}
            found = {}
            for state in ("pending", "firing"):
                key = json.dumps({**labels, "alertstate": state}, sort_keys=True)
                for t, v in alerts.get(key, []):
                    if not math.isnan(v) and t <= ticks[-1]:
                        self.assertNotIn(t, found, f"{labels}: two states at {t}")
                        found[t] = state
            self.assertEqual({t: s for t, (s, _) in expected[i].items()}, found, labels)
            active = {t: v for t, v in since.get(json.dumps(labels, sort_keys=True), [])
                      if not math.isnan(v) and t <= ticks[-1]}
            # The time that an alert is active since is that of the evaluation, which looks OFFSET back.
            self.assertEqual({t: (s + OFFSET * MS) // MS for t, (_, s) in expected[i].items()}, active, labels)

    def episodes(self, states, ticks):
        """[(first tick, first firing tick or None, first tick that was inactive again or None)]."""
        out = []
        for tick in ticks:
            if tick not in states:
                if out and out[-1][2] is None:
                    out[-1][2] = tick
                continue
            if not out or out[-1][2] is not None:
                out.append([tick, None, None])
            if states[tick][0] == "firing" and out[-1][1] is None:
                out[-1][1] = tick
        return out

    def check_lines(self, expected, ticks):
        """One line for each change of state, each once."""
        found = collections.defaultdict(list)
        begin = ticks[0] * 1_000_000 - 60 * NS
        for ns, line in self.server_.lines('{job="varve-alerts"} |= "Loaded"', begin, int(time.time() + 5) * NS):
            entry = json.loads(line)
            if entry.get("rule") != "Loaded" or "from" not in entry:
                continue  # a delivery
            found[entry["labels"]["i"]].append((ns // 1_000_000 - OFFSET * MS, entry["from"], entry["to"]))
        for i in range(SERIES):
            want = []
            for first, firing, gone in self.episodes(expected[i], ticks):
                want.append((first, "inactive", "pending"))
                if firing is not None:
                    want.append((firing, "pending", "firing"))
                if gone is not None:
                    want.append((gone, "pending" if firing is None else "firing", "inactive"))
            self.assertEqual(want, [e for e in sorted(found[str(i)]) if e[0] <= ticks[-1]], f"i={i}")

    def told(self, sink, i, at):
        """What came of series `i` around then: (seconds after, status, start, end)."""
        return [(round(request.arrived - at, 2), alert["status"], alert["startsAt"][17:23], alert["endsAt"][17:23])
                for request in sink.messages for alert in request.json["alerts"]
                if alert["labels"]["i"] == str(i) and -20 < request.arrived - at < 20]

    def check_notifications(self, expected, ticks, sink):
        """Whoever fired was told of; and of its end."""
        firing, resolved = collections.Counter(), collections.Counter()
        for request in sink.messages:
            for alert in request.json["alerts"]:
                counter = firing if alert["status"] == "firing" else resolved
                counter[alert["labels"]["i"], alert["startsAt"]] += 1
        started = {(i, datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp() * MS) for i, at in firing}
        fired, missing = 0, []
        for i in range(SERIES):
            for _, begin, end in self.episodes(expected[i], ticks):
                if begin is None or begin >= ticks[-1] - 5 * MS:
                    continue
                fired += 1
                if not any(i == int(j) and abs(at - begin - OFFSET * MS) < 1 for j, at in started):
                    missing.append(f"i={i} at {begin / MS}, firing for {((end or ticks[-1]) - begin) / MS} s, "
                                   f"killed at {[k for k in self.kills if begin / MS - 1 < k < begin / MS + 8]}, "
                                   f"told {self.told(sink, i, begin / MS)}")
        self.assertEqual([], missing, f"{sorted(started)[:5]} these fired, and nobody was told")
        print(f"{fired} alerts fired in {len(ticks)} evaluations, {sum(firing.values())} notices of firing, "
              f"{sum(resolved.values())} of resolved; {sum(n - 1 for n in firing.values())} were sent once more")


if __name__ == "__main__":
    unittest.main()
