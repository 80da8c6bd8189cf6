"""Limits of tenants: overrides, reload by signal and by request, retention, and what clients are told."""
import json
import os
import signal
import time
import unittest

from varve_process import NS, VarveTest, json_push

NOW = time.time_ns() // NS * NS
START, END = NOW - 6 * 3600 * NS, NOW + 60 * NS


def tenant(name, **more):
    return {"X-Scope-OrgID": name, **more}


class Limits(VarveTest):
    def setUp(self):
        super().setUp()
        self.overrides = os.path.join(self.folder, "overrides.yaml")
        self.override({})

    def override(self, tenants):
        with open(self.overrides, "w") as f:
            f.write(json.dumps({"overrides": tenants}))  # JSON is YAML

    def serve(self, *arguments):
        return self.started("--multi-tenant", "--set", f"runtime_config.file={self.overrides}", *arguments)

    def reload(self, server):
        answer = server.request("POST", "/-/reload")
        self.assertEqual((204, ""), (answer.status, answer.text))

    def push(self, server, name, *streams):
        return server.push(json_push(*streams), headers=tenant(name))

    def lines(self, server, name, query='{app=~".+"}'):
        answer = server.query_range(query, START, END, headers=tenant(name), limit=100, direction="forward")
        self.assertEqual(200, answer.status, answer.text)
        return sorted(line for s in answer.json["data"]["result"] for _, line in s["values"])

    def test_overrides_hold_for_their_tenant_and_follow_reloads(self):
        server = self.serve()
        long_line = ({"app": "x"}, [(NOW, "0123456789")])
        self.assertEqual(204, self.push(server, "a", long_line).status)
        self.override({"a": {"max_line_size": 4}})
        self.assertEqual(204, self.push(server, "a", long_line).status)  # not yet
        self.reload(server)
        refused = self.push(server, "a", long_line)
        self.assertEqual(400, refused.status)
        self.assertIn("max entry size '4' bytes exceeded", refused.text)
        self.assertEqual(204, self.push(server, "b", long_line).status)

        self.override({"a": {"max_line_size": "1KB"}})
        server.process.send_signal(signal.SIGHUP)
        for _ in range(100):
            if self.push(server, "a", long_line).status == 204:
                break
            time.sleep(0.05)
        self.assertEqual(204, self.push(server, "a", long_line).status)
        metrics = server.metrics()
        self.assertEqual(2, metrics['varve_limits_reloads_total{result="success"}'])
        self.assertEqual(1, metrics["varve_limits_tenants_overridden"])

    def test_a_bad_file_changes_nothing_and_says_why(self):
        self.override({"a": {"max_query_series": 3}})
        server = self.serve()
        self.override({"a": {"max_query_serie": 4}})
        answer = server.request("POST", "/-/reload")
        self.assertEqual(500, answer.status)
        self.assertIn('unknown key "limits.max_query_serie"; did you mean "limits.max_query_series"?', answer.text)
        yaml = server.get("/config/tenant/v1/limits", headers=tenant("a")).text
        self.assertIn("\nmax_query_series: 3\n", yaml)
        self.assertEqual(1, server.metrics()['varve_limits_reloads_total{result="failure"}'])
        self.assertEqual(0, server.stop())
        status, _, error = self.run_varve("serve", "--data-dir", self.data_dir, "--listen", "127.0.0.1:0",
                                          "--set", f"runtime_config.file={self.overrides}")
        self.assertNotEqual(0, status)
        self.assertIn("max_query_serie", error)

    def test_limits_pages_want_a_tenant_even_without_authentication(self):
        server = self.started("--set", "limits.retention_period=31d", "--set", "limits.max_query_series=77")
        for path in ("/config/tenant/v1/limits", "/loki/api/v1/drilldown-limits"):
            refused = server.get(path)
            self.assertEqual((401, "no org id\n"), (refused.status, refused.text))
        limits = server.get("/loki/api/v1/drilldown-limits", headers=tenant("fake")).json
        self.assertEqual(("31d", 77, 5000), tuple(limits["limits"][k] for k in
                         ("retention_period", "max_query_series", "max_entries_limit_per_query")))
        self.assertTrue(limits["pattern_ingester_enabled"])

    def test_retention_of_tenants_and_streams_hides_at_once_and_refuses_late_lines(self):
        server = self.serve()
        old = NOW - 3 * 3600 * NS
        for name in ("a", "b"):
            self.assertEqual(204, self.push(server, name, ({"app": "keep"}, [(old, "old"), (NOW, "new")]),
                                            ({"app": "debug"}, [(old, "old debug"), (NOW, "new debug")])).status)
        server.flush()
        shorter = {"a": {"retention_period": "5h",
                         "retention_stream": [{"selector": '{app="debug"}', "priority": 1, "period": "1h"}]},
                   "b": {"retention_period": "2h"}}
        self.override(shorter)
        self.reload(server)
        self.assertEqual(["new", "new debug", "old"], self.lines(server, "a"))
        self.assertEqual(["new", "new debug"], self.lines(server, "b"))
        late = self.push(server, "a", ({"app": "debug"}, [(old, "late")]), ({"app": "keep"}, [(old, "late")]))
        self.assertEqual(400, late.status)
        self.assertIn('entry for stream \'{app="debug", service_name="debug"}\' has timestamp too old', late.text)
        self.assertEqual(["late", "new", "new debug", "old"], self.lines(server, "a"))
        self.override({})
        self.reload(server)
        self.assertEqual(["new", "new debug", "old", "old debug"], self.lines(server, "b"))  # still there
        self.override(shorter)
        self.assertEqual(0, server.stop())
        server.start()
        self.assertEqual(["late", "new", "new debug", "old"], self.lines(server, "a"))
        self.assertEqual(["new", "new debug"], self.lines(server, "b"))

    def test_size_retention_drops_the_oldest_buckets_and_says_so(self):
        server = self.started("--set", "storage.retention_size=1")
        for hours in (5, 3, 0):
            server.push_streams(({"app": "x"}, [(NOW - hours * 3600 * NS, f"{hours} hours")]))
        server.flush()
        for _ in range(200):
            if server.metrics()["varve_packs_dropped_by_size_total"] >= 2:
                break
            time.sleep(0.1)
        self.assertEqual([(NOW, "0 hours")], server.lines('{app="x"}', START, END))
        self.assertTrue(any("dropped the oldest" in line for line in server.log), server.log)

    def test_blocked_ingestion_answers_with_the_configured_status(self):
        self.override({"a": {"block_ingestion_until": "2100-01-01T00:00:00Z"},
                       "b": {"block_ingestion_until": "2100-01-01T00:00:00Z", "block_ingestion_status_code": 200}})
        server = self.serve()
        stream = ({"app": "x"}, [(NOW, "line")])
        answer = self.push(server, "a", stream)
        self.assertEqual((260, "ingestion blocked for user 'a' until '2100-01-01T00:00:00Z' with status code '260'\n"),
                         (answer.status, answer.text))
        answer = self.push(server, "b", stream)
        self.assertEqual((204, ""), (answer.status, answer.text))
        self.assertEqual([], self.lines(server, "b"))
        self.assertEqual(2, server.metrics()['loki_discarded_samples_total{reason="blocked_ingestion"}'])

    def test_queries_are_blocked_and_tightened(self):
        self.override({"a": {"blocked_queries": [{"pattern": "rate", "regex": True, "types": ["metric"]}],
                             "volume_enabled": False}})
        server = self.serve("--set", "querier.per_request_limits_enabled=true")
        self.push(server, "a", ({"app": "x"}, [(NOW, "line")]))
        query = {"query": 'rate({app="x"}[1m])', "time": NOW}
        blocked = server.get("/loki/api/v1/query", query, headers=tenant("a"))
        self.assertEqual((400, "query blocked by policy"), (blocked.status, blocked.text))
        self.assertEqual(200, server.get("/loki/api/v1/query", query, headers=tenant("b")).status)
        volume = server.get("/loki/api/v1/index/volume", {"query": "{}"}, headers=tenant("a"))
        self.assertEqual((404, "not found"), (volume.status, volume.text))
        tight = tenant("a", **{"X-Loki-Query-Limits": '{"requiredLabels":["team"]}'})
        refused = server.query_range('{app="x"}', START, END, headers=tight)
        self.assertEqual((400, "stream selector is missing required matchers [team], labels present in the query "
                               "were [app]"), (refused.status, refused.text))
        malformed = server.query_range('{app="x"}', START, END, headers=tenant("a", **{"X-Loki-Query-Limits": "{"}))
        self.assertEqual(400, malformed.status)
        self.assertIn("could not parse X-Loki-Query-Limits", malformed.text)
        self.assertEqual(["line"], self.lines(server, "a"))


if __name__ == "__main__":
    unittest.main()
