"""The pages that clients, dashboards and orchestrators of Loki's single binary probe; /api/prom/query; reads over
several tenants."""
import time
import unittest

from varve_process import NS, VarveTest, json_push

NOW = time.time_ns() // NS * NS
START, END = NOW - 3600 * NS, NOW + 60 * NS
RINGS = ("/ring", "/distributor/ring", "/indexgateway/ring", "/scheduler/ring", "/compactor/ring", "/ruler/ring",
         "/pattern/ring")


class ProbePages(VarveTest):
    def assert_answer(self, server, method, path, status, body, **keywords):
        answer = server.request(method, path, **keywords)
        self.assertEqual((status, body), (answer.status, answer.text), path)
        return answer

    def test_rings_have_one_active_member(self):
        server = self.started()
        for path in RINGS:
            with self.subTest(path):
                answer = server.get(path, headers={"Accept": "application/json"})
                self.assertEqual((200, "application/json"), (answer.status, answer.headers["Content-Type"]))
                members = answer.json["shards"]
                self.assertEqual([("ACTIVE", f"127.0.0.1:{server.port}", 1)],
                                 [(m["state"], m["address"], len(m["tokens"])) for m in members])
                page = server.get(path)
                self.assertEqual("text/html; charset=utf-8", page.headers["Content-Type"])
                self.assertIn("ACTIVE", page.text)
        self.assert_answer(server, "GET", "/memberlist", 200, "This instance doesn't use memberlist.")

    def test_what_is_not_there_is_404(self):
        server = self.started()
        for path in ("/analytics", "/debug/pprof/", "/debug/pprof/heap", "/debug/fgprof", "/partition-ring",
                     "/dataobj-consumer/ring", "/ingest-limits/ring"):
            self.assert_answer(server, "GET", path, 404, "404 page not found\n")

    def test_services_are_named_as_lokis(self):
        lines = self.started().get("/services").text.splitlines()
        for name in ("server", "ring", "store", "ingester", "distributor", "querier", "query-frontend", "compactor"):
            self.assertIn(f"{name} => Running", lines)

    def test_the_configuration_shows_what_was_changed(self):
        server = self.started("--set", "limits.max_line_size=64KB", "--set", "limits.query_timeout=30s")
        changed = server.get("/config", {"mode": "diff"}).text
        self.assertIn("\n  max_line_size: 64KB\n", changed)
        self.assertIn("\n  query_timeout: 30s\n", changed)
        self.assertNotIn("discover_log_levels", changed)
        self.assertIn("\n  max_line_size: 1MB\n", server.get("/config", {"mode": "defaults"}).text)
        self.assertIn("\n  discover_log_levels: true\n", server.get("/config").text)

    def test_build_info_and_log_level(self):
        server = self.started()
        info = server.get("/loki/api/v1/status/buildinfo").json
        self.assertEqual({"version", "revision", "branch", "buildUser", "buildDate", "goVersion"}, set(info))
        self.assertGreaterEqual(int(info["version"].split(".")[0]), 3)
        self.assertEqual({"message": "Current log level is info"}, server.get("/log_level").json)
        answer = server.request("POST", "/log_level", {"log_level": "warn"})
        self.assertEqual({"status": "success", "message": "Log level set to warn"}, answer.json)
        answer = server.request("POST", "/log_level", {"log_level": "zz"})
        self.assertEqual((400, {"status": "failed", "message": 'unrecognized log level "zz"'}), (answer.status, answer.json))

    def test_there_are_no_rules(self):
        server = self.started()
        for base in ("/loki/api/v1/rules", "/api/prom/rules"):
            self.assert_answer(server, "GET", base, 404, "no rule groups found\n")
            self.assert_answer(server, "GET", base + "/ns", 404, "no rule groups found\n")
            self.assert_answer(server, "GET", base + "/ns/group", 404, "group does not exist\n")
        for path, data in (("/prometheus/api/v1/rules", {"groups": []}), ("/prometheus/api/v1/alerts", {"alerts": []})):
            self.assertEqual({"status": "success", "data": data, "errorType": "", "error": ""}, server.get(path).json)
        answer = server.get("/prometheus/api/v1/rules", {"type": "zz"})
        self.assertEqual((400, 'not supported value "zz"'), (answer.status, answer.json["error"]))

    def test_index_shards_is_one_shard_with_everything(self):
        server = self.started()
        server.push_streams(({"job": "a"}, [(NOW, "x"), (NOW + 1, "yy")]))
        params = {"query": '{job="a"}', "start": START, "end": END}
        shards = server.get("/loki/api/v1/index/shards", params).json["shards"]
        self.assertEqual([{"min": "0" * 16, "max": "f" * 16}], [s["bounds"] for s in shards])
        self.assertEqual(server.get("/loki/api/v1/index/stats", params).json, shards[0]["stats"])
        self.assertEqual(2, shards[0]["stats"]["entries"])

    def test_shutting_down_is_prepared_and_asked_for(self):
        server = self.started()
        path = "/ingester/prepare_shutdown"
        self.assert_answer(server, "GET", path, 200, "unset")
        self.assert_answer(server, "POST", path, 204, "")
        self.assert_answer(server, "GET", path, 200, "set")
        self.assert_answer(server, "DELETE", path, 204, "")
        self.assert_answer(server, "GET", path, 200, "unset")
        self.assert_answer(server, "GET", "/ingester/prepare_partition_downscale", 405, "")
        server.push_streams(({"job": "a"}, [(NOW, "x")]))
        self.assert_answer(server, "POST", "/ingester/shutdown", 204, "")  # flushes, and goes on
        self.assertEqual([(NOW, "x")], server.lines('{job="a"}', START, END))
        self.assert_answer(server, "POST", "/ingester/shutdown", 204, "", params={"terminate": "true"})
        self.assertEqual(0, server.wait())
        server.start()
        self.assertEqual([(NOW, "x")], server.lines('{job="a"}', START, END))


class LegacyQuery(VarveTest):
    def test_streams_come_in_the_old_shape(self):
        server = self.started()
        server.push_streams(({"job": "a"}, [(NOW, "one"), (NOW + 500_000_000, "two")]))
        params = {"query": '{job="a"}', "start": START, "end": END, "direction": "forward", "limit": 10}
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(NOW // NS))
        labels = '{detected_level="unknown", job="a", service_name="a"}'
        answer = server.get("/api/prom/query", params).json
        self.assertEqual([{"labels": labels, "entries": [{"ts": stamp + "Z", "line": "one"},
                                                         {"ts": stamp + ".5Z", "line": "two"}]}], answer["streams"])
        self.assertIn("summary", answer["stats"])
        answer = server.request("POST", "/api/prom/query", {**params, "regexp": "^o.e$"}).json
        self.assertEqual(["one"], [e["line"] for s in answer["streams"] for e in s["entries"]])

    def test_metric_queries_are_refused(self):
        answer = self.started().get("/api/prom/query", {"query": 'rate({job="a"}[1m])'})
        self.assertEqual((400, "legacy endpoints only support streams result type"), (answer.status, answer.text))


class SeveralTenants(VarveTest):
    def push(self, server, tenant, *lines):
        body = json_push(({"job": "a"}, [(NOW + i, line) for i, line in enumerate(lines)]))
        answer = server.push(body, headers={"X-Scope-OrgID": tenant})
        self.assertEqual(204, answer.status, answer.text)

    def test_reads_may_name_several_where_it_is_switched_on(self):
        server = self.started("--multi-tenant", "--set", "querier.multi_tenant_queries_enabled=true")
        self.push(server, "t1", "one", "two")
        server.flush()
        self.push(server, "t2", "one")
        both = {"X-Scope-OrgID": "t1|t2"}
        answer = server.query_range('{job="a"}', START, END, headers=both, direction="forward")
        found = {s["stream"]["__tenant_id__"]: [line for _, line in s["values"]] for s in answer.json["data"]["result"]}
        self.assertEqual({"t1": ["one", "two"], "t2": ["one"]}, found)
        answer = server.query_range('{job="a",__tenant_id__="t2"}', START, END, headers=both)
        self.assertEqual(["t2"], [s["stream"]["__tenant_id__"] for s in answer.json["data"]["result"]])
        params = {"query": 'sum(count_over_time({job="a"}[1h]))', "time": END}
        self.assertEqual("3", server.get("/loki/api/v1/query", params, both).json["data"]["result"][0]["value"][1])
        self.assertEqual(["t1", "t2"], server.get("/loki/api/v1/label/__tenant_id__/values",
                                                  {"start": START, "end": END}, both).json["data"])
        alone = server.query_range('{job="a"}', START, END, headers={"X-Scope-OrgID": "t1"}).json["data"]["result"]
        self.assertNotIn("__tenant_id__", alone[0]["stream"])
        refused = server.push(json_push(({"job": "a"}, [(NOW, "x")])), headers=both)
        self.assertEqual((400, "multiple org IDs present\n"), (refused.status, refused.text))

    def test_elsewhere_they_are_refused(self):
        server = self.started("--multi-tenant")
        self.assertEqual(400, server.get("/loki/api/v1/labels", headers={"X-Scope-OrgID": "t1|t2"}).status)


if __name__ == "__main__":
    unittest.main()
