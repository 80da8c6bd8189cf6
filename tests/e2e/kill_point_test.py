"""The process dies at each named kill point (engine/base/failpoint.h); nothing acknowledged is lost or doubled.

The names are read from the sources, so a new kill point is tested from the day it is written; one that no
push, flush, restart, retention run or compaction reaches fails here.
"""
import glob
import http.client
import json
import os
import re
import time
import unittest

from varve_process import NS, ROOT, VarveTest, json_push

SETTINGS = ("--set", "limits.max_entries_limit_per_query=0")  # so that checks read everything
LINES = 50  # of a body
BODIES_MAX = 400
KILLED = 137


def kill_points():
    names = set()
    for path in glob.glob(os.path.join(ROOT, "engine", "**", "*.cc"), recursive=True):
        with open(path, encoding="utf-8") as f:
            names |= set(re.findall(r'VARVE_KILL_POINT\("([^"]+)"\)', f.read()))
    return sorted(names)


class KillPoint(VarveTest):
    def setUp(self):
        super().setUp()
        self.base = time.time_ns() - 600 * NS
        self.acknowledged = []

    def entries(self, index):
        return [(self.base + (index * LINES + i) * 1000, f"body={index} line={i}") for i in range(LINES)]

    def push_until_death(self, server, first, flush_every):
        """Pushes and flushes until the process is gone; which bodies were sent."""
        for index in range(first, first + BODIES_MAX):
            try:
                body = json_push(({"job": "kp", "part": str(index % 3)}, self.entries(index)))
                if server.push(body).status == 204:
                    self.acknowledged.append(index)
                if index % flush_every == flush_every - 1:
                    server.flush()
            except (OSError, http.client.HTTPException):
                return index + 1
        return None

    def check(self, server, sent):
        lines = server.lines('{job="kp"}', self.base, self.base + sent * LINES * 1000 + 1, limit=1_000_000)
        self.assertEqual(len(lines), len(set(lines)), "a line is there twice")
        stored = set(lines)
        for index in range(sent):
            found = sum(entry in stored for entry in self.entries(index))
            wanted = (LINES,) if index in self.acknowledged else (0, LINES)
            self.assertIn(found, wanted, f"body {index}, acknowledged: {index in self.acknowledged}")
        at = self.base + sent * LINES * 1000
        self.assertEqual(len(lines), server.count('{job="kp"}', at))

    def test_every_one_that_pushes_and_flushes_reach(self):
        names = [n for n in kill_points() if not re.search("retention|compaction|metric", n)]
        self.assertGreater(len(names), 4)
        for name in names:
            for passage in (1, 3):
                with self.subTest(kill_point=name, passage=passage):
                    data_dir = f"{self.data_dir}-{name}-{passage}"
                    self.acknowledged = []
                    server = self.server(*SETTINGS, data_dir=data_dir, env={"VARVE_KILL_POINT": f"{name}:{passage}"})
                    server.spawn()
                    while not server.ready.wait(0.02) and server.process.poll() is None:
                        pass
                    sent = self.push_until_death(server, 0, flush_every=5) if server.ready.is_set() else 0
                    self.assertIsNotNone(sent, "the kill point was never reached")
                    self.assertEqual(KILLED, server.wait(), server.log)
                    server = self.started(*SETTINGS, data_dir=data_dir)
                    self.check(server, sent)
                    server.flush()
                    self.check(server, sent)
                    server.restart()
                    self.check(server, sent)
                    self.assertEqual(0, server.stop())

    def samples(self, index):
        return [((self.base // NS + index * LINES + i) * 1000, float(index * LINES + i)) for i in range(LINES)]

    def write_samples(self, server, index):
        series = [{"metric": {"__name__": "kp", "part": str(part)}, "timestamps": [t for t, _ in self.samples(index)],
                   "values": [v for _, v in self.samples(index)]} for part in range(3)]
        return server.request("POST", "/api/v1/import", body="\n".join(map(json.dumps, series)).encode()).status == 204

    def check_samples(self, server, sent):
        for part in range(3):
            query = {"query": f'kp{{part="{part}"}}[{sent * LINES + 60}s]', "time": str(self.base // NS + sent * LINES)}
            result = json.loads(server.request("GET", "/api/v1/query", query).body)["data"]["result"]
            stored = [(round(t * 1000), float(v)) for t, v in (result[0]["values"] if result else [])]
            wanted = []
            for index in range(sent):
                rows = self.samples(index)
                if index in self.acknowledged or rows[0] in stored:
                    wanted += rows
            self.assertEqual(wanted, stored)

    def test_those_of_metrics(self):
        names = [n for n in kill_points() if "metric" in n and "compaction" not in n]
        self.assertGreater(len(names), 2)
        for name in names:
            for passage in (1, 3):
                with self.subTest(kill_point=name, passage=passage):
                    data_dir = f"{self.data_dir}-{name}-{passage}"
                    self.acknowledged = []
                    server = self.server(*SETTINGS, data_dir=data_dir, env={"VARVE_KILL_POINT": f"{name}:{passage}"}).start()
                    sent = None
                    for index in range(BODIES_MAX):
                        try:
                            if self.write_samples(server, index):
                                self.acknowledged.append(index)
                            if index % 5 == 4:
                                server.flush()
                        except (OSError, http.client.HTTPException):
                            sent = index + 1
                            break
                    self.assertIsNotNone(sent, "the kill point was never reached")
                    self.assertEqual(KILLED, server.wait(), server.log)
                    server = self.started(*SETTINGS, data_dir=data_dir)
                    self.check_samples(server, sent)
                    server.flush()
                    self.check_samples(server, sent)
                    server.restart()
                    self.check_samples(server, sent)
                    self.assertEqual(0, server.stop())

    def test_those_of_compaction(self):
        names = [n for n in kill_points() if "compaction" in n and "metric" not in n]
        self.assertGreater(len(names), 2)
        settings = (*SETTINGS, "--set", "compactor.enabled=false", "--set", "compactor.delete_request_cancel_period=0s")
        for name in names:
            for passage in (1, 2):
                with self.subTest(kill_point=name, passage=passage):
                    data_dir = f"{self.data_dir}-{name}-{passage}"
                    self.acknowledged = list(range(6))
                    server = self.server(*settings, data_dir=data_dir, env={"VARVE_KILL_POINT": f"{name}:{passage}"}).start()
                    for index in range(6):
                        server.push_streams(({"job": "kp", "part": str(index % 3)}, self.entries(index)),
                                            ({"job": "gone", "part": str(index % 3)}, self.entries(index)))
                        server.flush()
                    deleted = server.request("POST", "/loki/api/v1/delete", {"query": '{job="gone"} |= "body"', "start": "1000000000"})
                    self.assertEqual(204, deleted.status)
                    try:
                        server.request("POST", "/compact")
                        self.fail("the kill point was never reached")
                    except (OSError, http.client.HTTPException):
                        self.assertEqual(KILLED, server.wait(), server.log)
                    server = self.started(*settings, data_dir=data_dir)
                    for compact in (False, True, False):
                        if compact:
                            before = server.metrics()["varve_packs"]
                            self.assertEqual(204, server.request("POST", "/compact").status)
                            self.assertLess(server.metrics()["varve_packs"], before)
                        self.check(server, 6)
                        self.assertEqual(0, server.count('{job="gone"}', self.base + 6 * LINES * 1000))
                    self.assertEqual(["processed"], [r["status"] for r in server.get("/loki/api/v1/delete").json])
                    self.assertEqual(6 * LINES, server.metrics()["varve_pack_entries"])
                    server.restart()
                    self.check(server, 6)
                    self.assertEqual(0, server.stop())

    def test_those_of_retention(self):
        names = [n for n in kill_points() if "retention" in n]
        self.assertGreater(len(names), 0)
        old = time.time_ns() - 48 * 3600 * NS
        keep_a_day = (*SETTINGS, "--set", "limits.retention_period=24h", "--set", "storage.retention_check_interval=200ms")
        for name in names:
            with self.subTest(kill_point=name):
                data_dir = f"{self.data_dir}-{name}"
                server = self.started(data_dir=data_dir)
                server.push_streams(({"job": "old"}, [(old + i, f"old {i}") for i in range(100)]),
                                    ({"job": "kp"}, self.entries(0)))
                server.flush()
                self.assertEqual(0, server.stop())
                server = self.server(*keep_a_day, data_dir=data_dir, env={"VARVE_KILL_POINT": name})
                server.spawn()
                self.assertEqual(KILLED, server.wait(), server.log)
                server = self.started(*keep_a_day, data_dir=data_dir)
                self.acknowledged = [0]
                self.check(server, 1)
                deadline = time.monotonic() + 30
                while server.count('{job="old"}', old + NS) and time.monotonic() < deadline:
                    time.sleep(0.1)
                self.assertEqual(0, server.count('{job="old"}', old + NS))
                self.assertEqual(0, server.stop())


if __name__ == "__main__":
    unittest.main()
