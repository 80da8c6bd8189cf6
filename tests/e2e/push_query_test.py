"""Logs in, logs out: both push forms, every encoding, what a client reads back, restart and stop."""
import gzip
import json
import time
import unittest
import zlib

from varve_process import NS, VarveTest, json_push, protobuf_push, snappy

NOW = time.time_ns() // NS * NS
START, END = NOW - 3600 * NS, NOW + 60 * NS
STREAM = ({"job": "sshd"}, [(NOW + i, f"line {i} grün") for i in range(10)])


class PushAndQuery(VarveTest):
    def assert_stored(self, server):
        self.assertEqual([(ns, line) for ns, line in STREAM[1]], server.lines('{job="sshd"}', START, END))

    def test_every_form_and_encoding_stores_the_same(self):
        plain, binary = json_push(STREAM), protobuf_push(STREAM)
        raw_deflate = zlib.compressobj(wbits=-15)
        cases = {
            "json": (plain, "application/json", None),
            "json with charset": (plain, "application/json; charset=utf-8", None),
            "json gzip": (gzip.compress(plain), "application/json", "gzip"),
            "json deflate": (raw_deflate.compress(plain) + raw_deflate.flush(), "application/json", "deflate"),
            "protobuf": (snappy(binary), "application/x-protobuf", None),
            "protobuf snappy": (snappy(binary), "application/x-protobuf", "snappy"),
            "protobuf gzip": (gzip.compress(snappy(binary)), "application/x-protobuf", "gzip"),
        }
        for name, (body, content_type, encoding) in cases.items():
            with self.subTest(name):
                server = self.started(data_dir=f"{self.data_dir}-{name.replace(' ', '-')}")
                answer = server.push(body, content_type, {"Content-Encoding": encoding} if encoding else {})
                self.assertEqual((204, ""), (answer.status, answer.text))
                self.assert_stored(server)
                self.assertEqual(0, server.stop())

    def test_the_legacy_path_takes_pushes_too(self):
        server = self.started()
        answer = server.request("POST", "/api/prom/push", body=json_push(STREAM),
                                headers={"Content-Type": "application/json"})
        self.assertEqual(204, answer.status, answer.text)
        self.assert_stored(server)

    def test_categorize_labels_separates_index_metadata_and_parsed_labels(self):
        server = self.started()
        server.push_streams(({"job": "a"}, [(NOW, "level=warn k=v", {"trace": "t1"})]))
        query, params = '{job="a"} | logfmt k', {"limit": 10}
        plain = server.query_range(query, START, END, **params).json["data"]
        self.assertEqual("streams", plain["resultType"])
        self.assertEqual([{"stream": {"job": "a", "service_name": "a", "trace": "t1", "k": "v", "detected_level": "warn"},
                           "values": [[str(NOW), "level=warn k=v"]]}], plain["result"])
        flags = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
        split = server.query_range(query, START, END, headers=flags, **params).json["data"]
        self.assertEqual(["categorize-labels"], split["encodingFlags"])
        self.assertEqual([{"stream": {"job": "a", "service_name": "a"},
                           "values": [[str(NOW), "level=warn k=v",
                                       {"structuredMetadata": {"trace": "t1", "detected_level": "warn"},
                                        "parsed": {"k": "v"}}]]}], split["result"])

    def test_grafanas_health_query(self):
        answer = self.started().query("vector(1)+vector(1)", 4_000_000_000)
        data = answer.json["data"]
        self.assertEqual(("vector", [{"metric": {}, "value": [4_000_000_000, "2"]}]), (data["resultType"], data["result"]))

    def test_labels_values_and_series(self):
        server = self.started()
        server.push_streams(({"job": "a", "host": "h1"}, [(NOW, "x")]), ({"job": "b"}, [(NOW, "y")]))
        window = {"start": START, "end": END}
        self.assertEqual(["host", "job", "service_name"], sorted(server.get("/loki/api/v1/labels", window).json["data"]))
        self.assertEqual(["a", "b"], sorted(server.get("/loki/api/v1/label/job/values", window).json["data"]))
        self.assertEqual([{"job": "b", "service_name": "b"}],
                         server.get("/loki/api/v1/series", {"match[]": '{job="b"}', **window}).json["data"])
        self.assertEqual([], server.get("/loki/api/v1/label/nope/values", window).json.get("data") or [])

    def test_identical_entries_count_once(self):
        server = self.started()
        for _ in range(3):
            server.push_streams(STREAM)
        self.assertEqual(10, server.count('{job="sshd"}', END))
        server.flush()
        self.assertEqual(10, server.count('{job="sshd"}', END))
        self.assert_stored(server)

    def test_restart_keeps_what_is_in_the_journal_and_what_is_in_packs(self):
        server = self.started()
        server.push_streams(STREAM)
        server.flush()
        server.push_streams(({"job": "late"}, [(NOW, "after the flush")]))
        for _ in range(2):
            server.restart()
            self.assert_stored(server)
            self.assertEqual([(NOW, "after the flush")], server.lines('{job="late"}', START, END))

    def test_sigterm_finishes_requests_and_exits_with_0(self):
        server = self.started()
        server.push_streams(STREAM)
        self.assertEqual(0, server.stop(), server.log)

    def test_tenants_do_not_see_each_other(self):
        server = self.started("--multi-tenant")
        self.assertEqual(401, server.push(json_push(STREAM)).status)
        for tenant in ("a", "b"):
            answer = server.push(json_push(({"job": tenant}, [(NOW, f"of {tenant}")])), headers={"X-Scope-OrgID": tenant})
            self.assertEqual(204, answer.status, answer.text)
        for tenant in ("a", "b"):
            answer = server.query_range('{job=~".+"}', START, END, headers={"X-Scope-OrgID": tenant})
            values = [v[1] for s in answer.json["data"]["result"] for v in s["values"]]
            self.assertEqual([f"of {tenant}"], values)
        unseen = server.query_range('{job=~".+"}', START, END, headers={"X-Scope-OrgID": "c"})
        self.assertEqual((200, []), (unseen.status, unseen.json["data"]["result"]))

    def test_operating_endpoints(self):
        server = self.started("--set", "limits.query_timeout=90s")
        server.push_streams(STREAM)
        self.assertEqual((200, "ready\n"), (server.get("/ready").status, server.get("/ready").text))
        self.assertIn("query_timeout: 1m30s", server.get("/config").text)
        self.assertIn("version", server.get("/loki/api/v1/status/buildinfo").json)
        self.assertEqual(404, server.get("/no/such/path").status)

    def test_gzip_answers_when_asked(self):
        server = self.started()
        server.push_streams(({"job": "big"}, [(NOW + i, "x" * 100) for i in range(200)]))
        answer = server.query_range('{job="big"}', START, END, limit=200, headers={"Accept-Encoding": "gzip"})
        self.assertEqual("gzip", answer.headers["Content-Encoding"])
        result = json.loads(gzip.decompress(answer.body))["data"]["result"]
        self.assertEqual(200, sum(len(s["values"]) for s in result))


if __name__ == "__main__":
    unittest.main()
