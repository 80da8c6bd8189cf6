"""One set of queries, seven states of the same data; the answer must not change.

In the head, in packs, after a restart with data in the journal, after a restart with data in packs, half
and half, compacted, and restarted after that. The queries cover every stage and aggregation; the data has late
lines, equal time stamps, structured metadata and lines that do not parse.
"""
import json
import random
import time
import unittest

from varve_process import NS, VarveTest

HOUR = 3600 * NS
BASE = (time.time_ns() // HOUR - 3) * HOUR + 600 * NS  # three buckets are touched
END = BASE + 2 * HOUR

LOG_QUERIES = [
    '{job="web"}', '{job=~"w.+|db"}', '{job!="web", service_name=~".+"}', '{job="web"} |= "GET"',
    '{job="web"} != "GET"', '{job="web"} |~ "status=5.."', '{job="web"} !~ "status=[23].."',
    '{job="web"} |= "get" or "POST"', '{job="web"} |> "method=GET <_>"', '{job="web"} |= ip("10.0.0.0/28")',
    '{job="web"} | logfmt', '{job="web"} | logfmt | status >= 500', '{job="web"} | logfmt status, d="took" | d > 50ms',
    '{job="web"} | logfmt | size > 4KB and method="GET" or status=404', '{job="api"} | json',
    '{job="api"} | json user="u.name", first="list[0]" | user=~"a.*"', '{job="api"} | json | __error__!=""',
    '{job="db"} | regexp `took (?P<ms>\\d+)ms` | ms > 20', '{job="db"} | pattern "<_> took <ms>ms <rest>"',
    '{job="web"} | logfmt | line_format "{{.method}} {{.status}}"', '{job="web"} | logfmt | label_format m=method | drop method',
    '{job="web"} | logfmt | keep status, method', '{job="web"} | trace="t7"', '{job="web"} | detected_level="unknown"',
    '{job="same"}', '{job="nothing"}',
]
METRIC_QUERIES = [
    'count_over_time({job="web"}[5m])', 'sum(count_over_time({job=~".+"}[10m]))', 'sum by (job) (rate({job=~".+"}[5m]))',
    'bytes_over_time({job="db"}[5m])', 'sum by (job) (bytes_rate({job=~".+"}[7m]))',
    'sum(count_over_time({job="web"} |= "GET" [5m]))', 'sum by (status) (count_over_time({job="web"} | logfmt [10m]))',
    'topk(2, sum by (method) (count_over_time({job="web"} | logfmt [10m])))',
    'avg_over_time({job="web"} | logfmt | unwrap duration(took) [10m]) by (method)',
    'quantile_over_time(0.9, {job="web"} | logfmt | unwrap bytes(size) [10m]) by (job)',
    'max_over_time({job="db"} | regexp `took (?P<ms>\\d+)ms` | unwrap ms [10m])',
    'sum(rate({job="web"} | logfmt | status=~"5.." [5m])) / sum(rate({job="web"}[5m]))',
    'sum by (detected_level) (count_over_time({job=~".+"} | drop __error__ [10m]))', 'count(sum by (job) (rate({job=~".+"}[5m])))',
    'absent_over_time({job="nothing"}[5m])', 'first_over_time({job="db"} | regexp `took (?P<ms>\\d+)ms` | unwrap ms [10m])',
    'stddev_over_time({job="db"} | regexp `took (?P<ms>\\d+)ms` | unwrap ms [10m])',
]


def make_batches():
    """Streams in twelve pushes; the times of one overlap those of the next."""
    dice = random.Random(20261101)
    batches = []
    for batch in range(12):
        streams = []
        for host in range(3):
            web, api, db = [], [], []
            for i in range(60):
                ns = BASE + batch * 480 * NS + dice.randrange(900 * NS)
                web.append((ns, f"method={dice.choice(['GET', 'POST'])} status={dice.choice([200, 200, 301, 404, 500])} "
                                f"took={dice.randrange(200)}ms size={dice.randrange(20)}KB ip=10.0.0.{dice.randrange(40)}",
                            {"trace": f"t{dice.randrange(20)}"}))
                api.append((ns, json.dumps({"u": {"name": dice.choice(["ann", "bob"])}, "list": [dice.randrange(9)], "level": "info"})
                            if dice.random() < 0.9 else "not json {"))
                db.append((ns, f"query {i} took {dice.randrange(100)}ms on table t{dice.randrange(5)}"))
            for job, entries in (("web", web), ("api", api), ("db", db)):
                streams.append(({"job": job, "host": f"h{host}"}, entries))
        streams.append(({"job": "same"}, [(BASE + batch // 4 * NS, f"line {batch}.{i}") for i in range(5)]))
        batches.append(streams)
    return batches


class GoldenStates(VarveTest):
    def answers(self, server):
        found = {}
        for query in LOG_QUERIES:
            for direction, limit in (("forward", 5000), ("backward", 37)):
                answer = server.query_range(query, BASE, END, direction=direction, limit=limit)
                self.assertEqual(200, answer.status, f"{query}: {answer.text}")
                found[f"{query} {direction} {limit}"] = answer.json["data"]["result"]
        for query in METRIC_QUERIES:
            ranged = server.query_range(query, BASE, END, step="300")
            instant = server.query(query, BASE + HOUR)
            self.assertEqual((200, 200), (ranged.status, instant.status), f"{query}: {ranged.text} {instant.text}")
            found[f"{query} range"] = ranged.json["data"]["result"]
            found[f"{query} instant"] = instant.json["data"]["result"]
        return found

    def assert_same(self, expected, server, state):
        for query, answer in self.answers(server).items():
            with self.subTest(state=state, query=query):
                self.assertEqual(expected[query], answer)

    def test_answers_do_not_depend_on_where_the_data_is(self):
        batches = make_batches()
        server = self.started()
        for streams in batches:
            server.push_streams(*streams)
        expected = self.answers(server)
        empty = [q for q, a in expected.items() if not a and "nothing" not in q]
        self.assertEqual([], empty, "queries that find nothing show nothing")
        server.restart()
        self.assert_same(expected, server, "restarted, data in the journal")
        server.flush()
        self.assert_same(expected, server, "in packs")
        server.restart()
        self.assert_same(expected, server, "restarted, data in packs")
        self.assertEqual(0, server.stop())

        mixed = self.started("--set", "storage.block_rows=100", data_dir=self.data_dir + "-mixed")
        for number, streams in enumerate(batches):
            mixed.push_streams(*streams)
            if number in (3, 7):
                mixed.flush()
        self.assert_same(expected, mixed, "in small blocks, several packs and the head")
        mixed.flush()
        before = mixed.metrics()["varve_packs"]
        self.assertEqual(204, mixed.request("POST", "/compact").status)
        self.assertLess(mixed.metrics()["varve_packs"], before)
        self.assert_same(expected, mixed, "compacted")
        mixed.restart()
        self.assert_same(expected, mixed, "restarted after compaction")
        self.assertEqual(0, mixed.stop())


if __name__ == "__main__":
    unittest.main()
