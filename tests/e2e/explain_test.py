"""explain=true and explain=analyze over the real server."""
import time
import unittest

from varve_process import NS, VarveTest

NOW = time.time_ns() // (3600 * NS) * 3600 * NS - 3600 * NS


class Explain(VarveTest):
    def setUp(self):
        super().setUp()
        self.server = self.started("--set", "limits.discover_log_levels=false")
        self.server.push_streams(({"job": "a"}, [(NOW + i * NS, f"line {i}") for i in range(100)]),
                                 ({"job": "b"}, [(NOW + i * NS, f"other {i}") for i in range(50)]))
        self.server.flush()
        self.server.push_streams(({"job": "a"}, [(NOW - 7200 * NS + i, f"older {i}") for i in range(30)]))

    def explain(self, query, mode="true", instant=None, start=NOW, end=NOW + 200 * NS, **params):
        if instant is not None:
            answer = self.server.query(query, instant, explain=mode, **params)
        else:
            answer = self.server.query_range(query, start, end, explain=mode, **params)
        self.assertEqual(200, answer.status, answer.text)
        self.assertEqual("explain", answer.json["data"]["resultType"])
        return answer.json["data"]["explain"]

    def test_a_log_query(self):
        plan = self.explain('{job="a"} |= "9" | logfmt')
        self.assertFalse(plan["ran"])
        self.assertEqual('{job="a"} |= "9" | logfmt', plan["query"])
        [scan] = plan["scans"]
        self.assertEqual(("log query", '{job="a"}', 1), (scan["operation"], scan["selector"], scan["streams"]))
        self.assertEqual([str(NOW), str(NOW + 200 * NS)], [scan["start"], scan["end"]])
        self.assertEqual(100, scan["to_read"]["lines"])
        self.assertEqual(1, scan["to_read"]["blocks"])
        self.assertGreater(scan["to_read"]["bytes_on_disk"], 0)
        self.assertEqual(["timestamps", "lengths", "lines"], scan["to_read"]["columns"])
        self.assertEqual(["metadata"], scan["to_read"]["columns_where_lines_are_left"])
        filters = {f["filter"]: f for f in scan["filters"]}
        self.assertEqual(30, filters["time"]["skips"]["lines"])
        self.assertEqual(1, filters["time"]["skips"]["head_pieces"])
        self.assertEqual(50, filters["stream selector"]["skips"]["lines"])
        self.assertEqual(0, filters["line filter"]["skips"]["blocks"])
        self.assertIn("no index", filters["line filter"]["note"])
        self.assertEqual("| logfmt", filters["stage"]["text"])
        self.assertNotIn("read", scan)

    def test_analyze_runs_the_query(self):
        plan = self.explain('{job="a"} |= "9"', "analyze", limit=1000)
        [scan] = plan["scans"]
        self.assertTrue(plan["ran"])
        self.assertEqual((1, 19), (scan["read"]["sources_opened"], scan["read"]["lines_out"]))
        self.assertEqual(100, scan["read"]["lines_in"])
        self.assertEqual(19, plan["result"]["values"])

    def test_counts_that_stand_in_directories(self):
        query = 'sum(count_over_time({job="a"}[1h]))'
        for mode in ("true", "analyze"):
            plan = self.explain(query, mode, instant=NOW + 1800 * NS)
            [scan] = plan["scans"]
            self.assertEqual("count_over_time", scan["operation"])
            self.assertEqual(100, scan["counted_from_directories"]["lines"])
            self.assertEqual(0, scan["to_read"]["blocks"])
            self.assertEqual([], scan["to_read"]["columns"])
        self.assertEqual(0, plan["scans"][0]["read"]["sources_opened"])
        self.assertEqual({"series": 1, "values": 1}, {k: plan["result"][k] for k in ("series", "values")})
        # Where intervals cut the block its timestamps are needed, and nothing else.
        [scan] = self.explain(query.replace("1h", "10s"), step=10)["scans"]
        self.assertEqual((1, ["timestamps"]), (scan["to_read"]["blocks"], scan["to_read"]["columns"]))

    def test_every_selector_of_a_query(self):
        plan = self.explain('sum(rate({job="a"}[1m])) / sum(bytes_rate({job="b"} |= "x" | unwrap y [1m]))'
                            .replace("bytes_rate", "sum_over_time"), "analyze", step=30)
        self.assertEqual(['{job="a"}', '{job="b"}'], [s["selector"] for s in plan["scans"]])
        self.assertEqual(sum(s["to_read"]["lines"] for s in plan["scans"]), plan["to_read"]["lines"])
        self.assertIn("| unwrap y", [f.get("text") for f in plan["scans"][1]["filters"]])
        self.assertEqual([], self.explain("1 + 1", instant=NOW)["scans"])

    def test_other_values_and_errors(self):
        params = {"query": '{job="a"}', "start": NOW, "end": NOW + NS}
        answer = self.server.get("/loki/api/v1/query_range", {**params, "explain": "maybe"})
        self.assertEqual((400, "could not parse 'explain' parameter: 'maybe' is neither true, false nor analyze"),
                         (answer.status, answer.text.strip()))
        answer = self.server.get("/loki/api/v1/query_range", {**params, "explain": "false"})
        self.assertEqual("streams", answer.json["data"]["resultType"])
        answer = self.server.get("/loki/api/v1/query", {"query": '{job="a"}', "explain": "true"})
        self.assertEqual(400, answer.status)


if __name__ == "__main__":
    unittest.main(verbosity=2)
