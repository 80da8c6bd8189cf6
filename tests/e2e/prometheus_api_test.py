"""Prometheus's HTTP API beside what the conformance kit asks: status pages, remote read, federation, tenants, admin."""
import json
import struct
import threading
import time
import unittest
import zlib

import remote_write as rw
from varve_process import VarveTest, field, snappy

NOW = int(time.time()) * 1000
SAMPLES = [(NOW - 60_000 + i * 1000, float(i * i) / 7) for i in range(60)]


def read_request(start, end, matchers, kinds=()):
    query = rw.number(1, start) + rw.number(2, end)
    for kind, name, value in matchers:
        query += field(3, (rw.number(1, kind) if kind else b"") + field(2, name.encode()) + field(3, value.encode()))
    return snappy(field(1, query) + b"".join(rw.number(2, k) for k in kinds))


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class PrometheusApi(VarveTest):
    def with_samples(self, *arguments, **keywords):
        server = self.started(*arguments, **keywords)
        answer = rw.write(
            server,
            rw.time_series({"__name__": "squares", "job": "a"}, SAMPLES),
            rw.time_series({"__name__": "up", "job": "a", "instance": "h:1"}, [(NOW - 1000, 1.0)]),
            rw.time_series({"__name__": "gone", "job": "a"}, [(NOW - 3000, 1.0), (NOW - 1000, rw.STALE)]),
            rw.time_series({"__name__": "dotted.name", "a.b": "c"}, [(NOW - 1000, 1234567.5)]),
            rw.metadata("squares", 1, "Squares."))
        self.assertEqual(204, answer.status, answer.text)
        return server

    def data(self, server, path, params=(), **keywords):
        answer = server.request("GET", path, params, **keywords)
        self.assertEqual(200, answer.status, answer.text)
        self.assertTrue(answer.headers["Content-Type"].startswith("application/json"))
        self.assertEqual("success", answer.json["status"])
        return answer.json["data"]

    def error(self, answer, status, kind, text):
        self.assertEqual((status, "error", kind, text),
                         (answer.status, answer.json["status"], answer.json["errorType"], answer.json["error"]))

    def test_status_pages_have_prometheus_s_form_and_our_own_version(self):
        server = self.with_samples()
        build = self.data(server, "/api/v1/status/buildinfo")
        self.assertTrue(build["revision"].startswith("varve-"))
        # So that Grafana edits rules; without "application", which would turn on what only Mimir has.
        self.assertEqual({"ruler_config_api": "true"}, build["features"])
        self.assertNotIn("application", build)
        self.assertEqual("5m", self.data(server, "/api/v1/status/flags")["query.lookback-delta"])
        self.assertIn("promql:", self.data(server, "/api/v1/status/config")["yaml"])
        runtime = self.data(server, "/api/v1/status/runtimeinfo")
        for key in ("startTime", "CWD", "hostname", "serverTime", "reloadConfigSuccess", "lastConfigTime", "corruptionCount",
                    "goroutineCount", "GOMAXPROCS", "GOMEMLIMIT", "GOGC", "GODEBUG", "storageRetention"):
            self.assertIn(key, runtime)
        self.assertEqual({"min", "max", "current"}, set(self.data(server, "/api/v1/status/walreplay")))
        tsdb = self.data(server, "/api/v1/status/tsdb", {"limit": 2})
        self.assertEqual(4, tsdb["headStats"]["numSeries"])
        self.assertEqual(2, len(tsdb["labelValueCountByLabelName"]))
        self.assertTrue(self.data(server, "/api/v1/features")["promql_functions"]["rate"])
        empty = {"/rules": {"groups": []}, "/alerts": {"alerts": []}, "/scrape_pools": {"scrapePools": []},
                 "/targets": {"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {}},
                 "/alertmanagers": {"activeAlertmanagers": [], "droppedAlertmanagers": []},
                 "/notifications": [], "/targets/metadata": []}
        for path, data in empty.items():
            self.assertEqual(data, self.data(server, "/api/v1" + path), path)
        self.error(server.get("/api/v1/status/tsdb", {"limit": "0"}), 400, "bad_data", "limit must be a positive number")
        self.error(server.get("/api/v1/rules", {"type": "x"}), 400, "bad_data",
                   'invalid parameter "type": not supported value "x"')

    def test_health_has_prometheus_s_texts_and_loki_s_ready_stays(self):
        server = self.started()
        self.assertEqual("Prometheus Server is Healthy.\n", server.get("/-/healthy").text)
        self.assertEqual("Prometheus Server is Ready.\n", server.get("/-/ready").text)
        self.assertEqual((200, b""), (lambda a: (a.status, a.body))(server.request("HEAD", "/-/ready")))
        self.assertEqual("ready\n", server.get("/ready").text)
        self.assertEqual(404, server.get("/api/v1/nosuch").status)
        self.assertEqual(405, server.request("DELETE", "/api/v1/query").status)

    def test_everything_is_there_once_more_below_prometheus(self):
        server = self.with_samples()
        for path in ("query?query=up", "labels", "label/job/values", "series?match[]=up", "metadata", "status/buildinfo",
                     "rules", "alerts"):
            answer = server.get("/prometheus/api/v1/" + path)
            self.assertEqual((200, "success"), (answer.status, answer.json["status"]), path)
        self.assertEqual(200, server.get("/prometheus/federate").status)

    def test_metadata_and_limits(self):
        server = self.with_samples()
        self.assertEqual({"squares": [{"type": "counter", "unit": "", "help": "Squares."}]},
                         self.data(server, "/api/v1/metadata"))
        self.assertEqual({}, self.data(server, "/api/v1/metadata", {"limit": 0}))
        answer = server.get("/api/v1/labels", {"limit": 2})
        self.assertEqual((["__name__", "a.b"], ["results truncated due to limit"]),
                         (answer.json["data"], answer.json["warnings"]))
        self.assertEqual(["c"], self.data(server, "/api/v1/label/U__a_2e_b/values"))

    def test_cors_and_compression(self):
        server = self.with_samples()
        answer = server.request("OPTIONS", "/api/v1/query", headers={"Origin": "http://x"})
        self.assertEqual((204, "*"), (answer.status, answer.headers["Access-Control-Allow-Origin"]))
        self.assertIsNone(server.get("/api/v1/labels").headers["Access-Control-Allow-Origin"])
        params = {"query": "squares", "start": (NOW - 60_000) // 1000, "end": NOW // 1000, "step": "0.1"}
        plain = server.get("/api/v1/query_range", params)
        deflated = server.get("/api/v1/query_range", params, {"Accept-Encoding": "deflate"})
        self.assertEqual("deflate", deflated.headers["Content-Encoding"])
        self.assertEqual(plain.json, json.loads(zlib.decompress(deflated.body)))
        closed = self.started("--set", "prometheus.cors_origin=http://grafana:3000", data_dir=self.folder + "/other")
        for origin, expected in (("http://grafana:3000", "http://grafana:3000"), ("http://x", None)):
            got = closed.get("/api/v1/labels", headers={"Origin": origin}).headers["Access-Control-Allow-Origin"]
            self.assertEqual(expected, got)

    def test_remote_read_gives_samples(self):
        server = self.with_samples()
        for state in ("head", "packs"):
            answer = server.request("POST", "/api/v1/read", body=read_request(
                NOW - 60_000, NOW - 50_000, [(0, "__name__", "squares")]))
            self.assertEqual((200, "application/x-protobuf", "snappy"),
                             (answer.status, answer.headers["Content-Type"], answer.headers["Content-Encoding"]), state)
            (_, result), = rw.fields(rw.unsnappy(answer.body))
            (_, series), = rw.fields(result)
            samples = [dict(rw.fields(v)) for n, v in rw.fields(series) if n == 2]
            self.assertEqual(SAMPLES[:11], [(s[2], s.get(1, 0.0)) for s in samples], state)
            server.flush()
        refused = server.request("POST", "/api/v1/read", body=b"\xff\xff\xff\xff\xff garbage")
        self.assertEqual(400, refused.status)
        self.assertEqual(400, server.request("POST", "/api/v1/read", body=read_request(0, 1, [(2, "a", "(")])).status)

    def test_remote_read_streams_chunks(self):
        server = self.with_samples()
        answer = server.request("POST", "/api/v1/read", body=read_request(
            NOW - 60_000, NOW, [(2, "__name__", "squares|up")], kinds=(1, 0)))
        self.assertEqual("application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse",
                         answer.headers["Content-Type"])
        found, rest = {}, answer.body
        while rest:
            size, shift, i = 0, 0, 0
            while True:
                size |= (rest[i] & 0x7F) << shift
                shift += 7
                i += 1
                if rest[i - 1] < 0x80:
                    break
            message = rest[i + 4:i + 4 + size]
            self.assertEqual(struct.unpack(">I", rest[i:i + 4])[0], crc32c(message))
            rest = rest[i + 4 + size:]
            for n, value in rw.fields(message):
                if n != 1:
                    continue
                parts = list(rw.fields(value))
                labels = {k.decode(): v.decode() for k, v in
                          ((dict(rw.fields(part))[1], dict(rw.fields(part))[2]) for m, part in parts if m == 1)}
                chunks = [dict(rw.fields(part)) for m, part in parts if m == 2]
                self.assertEqual({1}, {chunk[3] for chunk in chunks})
                found[labels["__name__"]] = [s for chunk in chunks for s in rw.xor_samples(chunk[4])]
        self.assertEqual({"squares": SAMPLES, "up": [(NOW - 1000, 1.0)]}, found)

    def test_federation_shows_the_latest_sample_of_what_lives(self):
        server = self.with_samples()
        answer = server.get("/federate", {"match[]": ['{job="a"}', '{"dotted.name"}']},
                            {"Accept": "text/plain;version=1.0.0;escaping=allow-utf-8"})
        self.assertTrue(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        self.assertEqual([
            '# TYPE "dotted.name" untyped',
            '{"dotted.name","a.b"="c",instance=""} 1.2345675e+06 ' + str(NOW - 1000),
            '# TYPE squares untyped',
            f'squares{{job="a",instance=""}} {SAMPLES[-1][1]!r} {SAMPLES[-1][0]}',
            '# TYPE up untyped',
            'up{instance="h:1",job="a"} 1 ' + str(NOW - 1000)], answer.text.splitlines())
        self.assertIn("dotted_name{a_b=", server.get("/federate", {"match[]": '{"dotted.name"}'}).text)
        self.assertEqual(400, server.get("/federate", {"match[]": "sum(x)"}).status)

    def test_tenants_do_not_see_each_other_s_series(self):
        server = self.started("--multi-tenant")
        self.assertEqual(204, rw.write(server, rw.time_series({"__name__": "a"}, [(NOW, 1.0)]),
                                       headers={"X-Scope-OrgID": "one"}).status)
        self.assertEqual(401, server.get("/api/v1/labels").status)
        for tenant, labels in (("one", ["__name__"]), ("two", [])):
            self.assertEqual(labels, self.data(server, "/api/v1/labels", headers={"X-Scope-OrgID": tenant}))
        self.assertEqual(400, server.get("/api/v1/labels", headers={"X-Scope-OrgID": "one|two"}).status)

    def test_the_admin_api_deletes_where_it_is_enabled(self):
        server = self.with_samples()
        self.error(server.request("POST", "/api/v1/admin/tsdb/delete_series", {"match[]": "up"}), 500, "unavailable",
                   "admin APIs disabled")
        server.stop()
        server.arguments = ["--set", "prometheus.enable_admin_api=true"]
        server.start()
        self.error(server.request("POST", "/api/v1/admin/tsdb/delete_series"), 400, "bad_data",
                   "no match[] parameter provided")
        at = {"time": (NOW - 500) / 1000}
        deleted = server.request("PUT", "/api/v1/admin/tsdb/delete_series",
                                 {"match[]": "squares", "start": (NOW - 60_000) / 1000, "end": (NOW - 31_000) / 1000})
        self.assertEqual(204, deleted.status, deleted.text)

        def left():
            return self.data(server, "/api/v1/query", {"query": "count_over_time(squares[2m])", **at})["result"][0]["value"][1]
        self.assertEqual("30", left())
        self.assertEqual(204, server.request("POST", "/api/v1/admin/tsdb/clean_tombstones").status)
        self.assertEqual("30", left())
        server.restart()
        self.assertEqual("30", left())

    def test_a_snapshot_is_a_data_directory_of_its_own(self):
        server = self.with_samples()
        server.stop()
        server.arguments = ["--set", "prometheus.enable_admin_api=true"]
        server.start()
        answer = server.request("POST", "/api/v1/admin/tsdb/snapshot")
        self.assertEqual(200, answer.status, answer.text)
        name = answer.json["data"]["name"]
        self.assertRegex(name, r"^\d{8}T\d{6}Z-[0-9a-f]{16}$")
        query = {"query": "count_over_time(squares[2m])", "time": (NOW - 500) / 1000}
        wanted = self.data(server, "/api/v1/query", query)["result"]
        self.assertEqual(1, len(wanted))
        # What comes and goes afterwards does not touch it.
        self.assertEqual(204, server.request("POST", "/api/v1/admin/tsdb/delete_series", {"match[]": "squares"}).status)
        self.assertEqual(204, server.request("POST", "/api/v1/admin/tsdb/clean_tombstones").status)
        self.assertEqual([], self.data(server, "/api/v1/query", query)["result"])
        copy = self.started(data_dir=f"{server.data_dir}/snapshots/{name}")
        self.assertEqual(wanted, self.data(copy, "/api/v1/query", query)["result"])
        copy.stop()

    def test_running_queries_are_listed_and_can_be_ended(self):
        server = self.with_samples()
        slow = "quantile_over_time(0.5, (squares)[50s:1ms])"
        answers = []
        thread = threading.Thread(target=lambda: answers.append(
            server.request("GET", "/api/v1/query_range", {
                "query": slow, "start": NOW / 1000 - 10, "end": NOW / 1000, "step": "0.001"})))
        thread.start()
        listed = []
        deadline = time.time() + 60
        while not listed and not answers and time.time() < deadline:
            listed = [q for q in self.data(server, "/api/v1/status/active_queries")["queries"] if q["query"] == slow]
        self.assertTrue(listed, answers and answers[0].text[:500])
        self.assertEqual(("promql", "/api/v1/query_range", "fake"),
                         (listed[0]["language"], listed[0]["endpoint"], listed[0]["tenant"]))
        ended = server.request("DELETE", "/api/v1/status/active_queries/" + listed[0]["id"])
        self.assertEqual(204, ended.status, ended.text)
        thread.join(120)
        self.error(answers[0], 499, "canceled", "query was canceled in expression evaluation")
        self.assertEqual(404, server.request("POST", f"/api/v1/status/active_queries/{listed[0]['id']}/cancel").status)
        self.assertEqual(1, server.metrics()["varve_active_queries_cancelled_total"])

    def test_logql_answers_inside_promql(self):
        server = self.with_samples()
        second = 1_000_000_000
        server.push_streams(({"job": "a"}, [(NOW * 1_000_000 - i * second, f"line {i}") for i in range(10)]))
        query = 'logql("sum by (job) (count_over_time({job=\\"a\\"}[1m]))") + on (job) count by (job) (squares)'
        data = self.data(server, "/api/v1/query", {"query": query, "time": NOW / 1000})
        self.assertEqual([({"job": "a"}, "11")], [(r["metric"], r["value"][1]) for r in data["result"]])


if __name__ == "__main__":
    unittest.main()
