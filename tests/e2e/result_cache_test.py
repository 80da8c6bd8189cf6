"""The result cache of a running server: what it serves, what makes parts stale, how it is turned off."""
import json
import time
import unittest

from varve_process import NS, VarveTest

NOW = time.time_ns() // (3600 * NS) * 3600 * NS
START = NOW - 6 * 3600 * NS
QUERY = 'sum by (app) (count_over_time({app=~".+"} |= "line" [5m]))'


def entries(app, begin=START, end=NOW, every=60 * NS):
    return ({"app": app}, [(ns, f"line at {ns}") for ns in range(begin, end, every)])


class ResultCache(VarveTest):
    def ask(self, server, query=QUERY, start=START, end=NOW, step=60, headers=None):
        answer = server.query_range(query, start, end, step=step, headers=headers)
        self.assertEqual(200, answer.status, answer.text)
        data = answer.json["data"]
        return data["result"], data["stats"]["cache"]["result"]

    def assert_as_without(self, server, **asked):
        cached, stats = self.ask(server, **asked)
        plain, off = self.ask(server, headers={"Cache-Control": "no-store"}, **asked)
        self.assertEqual(plain, cached)
        self.assertEqual(0, off["entriesRequested"])
        return stats

    def test_repeated_and_moving_queries_are_served_from_it(self):
        server = self.started()
        server.push_streams(entries("a"), entries("b"))
        first, stats = self.ask(server)
        self.assertEqual((0, 1), (stats["entriesFound"], stats["requests"]))
        self.assertGreater(stats["entriesStored"], 4)
        stats = self.assert_as_without(server)
        self.assertEqual(stats["entriesRequested"], stats["entriesFound"])
        self.assertGreater(stats["queryLengthServed"], 5 * 3600 * NS)
        stats = self.assert_as_without(server, start=START + 300 * NS, end=NOW + 300 * NS)
        self.assertGreaterEqual(stats["entriesFound"], stats["entriesRequested"] - 2)
        metrics = server.metrics()
        self.assertGreater(metrics["varve_result_cache_hits_total"], 0)
        self.assertGreater(metrics["varve_result_cache_bytes"], 0)

    def test_late_lines_show_at_once_wherever_they_land(self):
        server = self.started()
        server.push_streams(entries("a"))
        self.ask(server)
        for age in (5 * 3600, 3 * 3600 + 17, 61, 0):
            server.push_streams(({"app": "a"}, [(NOW - age * NS, f"late line {age}")]))
            stats = self.assert_as_without(server)
            self.assertGreater(stats["entriesFound"], 0, "other parts still stand")
            server.flush()
            self.assert_as_without(server)

    def test_survives_neither_restart_nor_wrong_tenant(self):
        server = self.started("--multi-tenant")
        tenant = {"X-Scope-OrgID": "one"}
        body = {"streams": [{"stream": {"app": "a"}, "values": [[str(NOW - NS), "line"]]}]}
        self.assertEqual(204, server.push(json.dumps(body), headers=tenant).status)
        mine, _ = self.ask(server, headers=tenant)
        self.assertEqual(1, len(mine))
        theirs, stats = self.ask(server, headers={"X-Scope-OrgID": "two"})
        self.assertEqual(([], 0), (theirs, stats["entriesFound"]))
        server.restart()
        again, stats = self.ask(server, headers=tenant)
        self.assertEqual((mine, 0), (again, stats["entriesFound"]))

    def test_can_be_turned_off_for_a_request_and_for_all(self):
        server = self.started()
        server.push_streams(entries("a"))
        for header in ("no-store", "no-cache", "max-age=0, no-cache"):
            for _ in range(2):
                _, stats = self.ask(server, headers={"Cache-Control": header})
                self.assertEqual({"entriesFound": 0, "entriesStored": 0},
                                 {k: stats[k] for k in ("entriesFound", "entriesStored")})
        server.stop()
        server = self.started("--set", "query_range.cache_results=false")
        for _ in range(2):
            _, stats = self.ask(server)
            self.assertEqual(0, stats["requests"])

    def test_what_depends_on_the_clock_is_evaluated_each_time(self):
        server = self.started()
        server.push_streams(entries("a"))
        query = 'sum by (t) (count_over_time({app="a"} | label_format t=`{{ now | unixEpoch }}` [5m]))'
        first, stats = self.ask(server, query=query)
        self.assertEqual(0, stats["requests"])
        time.sleep(1.1)
        second, _ = self.ask(server, query=query)
        self.assertNotEqual(first[0]["metric"], second[0]["metric"])

    def test_logs_drilldown_gets_part_of_an_answer_and_a_warning(self):
        server = self.started("--set", "limits.max_query_series=5")
        server.push_streams(*[entries(f"app{i}", NOW - 3600 * NS, every=600 * NS) for i in range(8)])
        drilldown = {"X-Query-Tags": "Source=grafana-lokiexplore-app"}
        for _ in range(2):
            refused = server.query_range(QUERY, START, NOW, step=60)
            self.assertEqual(400, refused.status)
            self.assertIn("maximum number of series (5) reached for a single query; consider", refused.text)
            answer = server.query_range(QUERY, START, NOW, step=60, headers=drilldown)
            self.assertEqual(200, answer.status, answer.text)
            self.assertEqual(["maximum number of series (5) reached for a single query; returning partial results"],
                             answer.json["warnings"])
            self.assertEqual([f"app{i}" for i in range(5)],
                             [series["metric"]["app"] for series in answer.json["data"]["result"]])


if __name__ == "__main__":
    unittest.main()
