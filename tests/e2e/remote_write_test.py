"""Metrics in through every door: remote write 1.0, OTLP, imports and `varve push --metrics`; out again after kill -9,
after a flush and after a restart."""
import gzip
import json
import os
import struct
import time
import unittest

from varve_process import VarveTest, field, varint

NOW_MS = int(time.time()) * 1000


def snappy(data):
    """A snappy block of literals alone."""
    out = [varint(len(data))]
    for i in range(0, len(data), 60):
        part = data[i:i + 60]
        out += [bytes([(len(part) - 1) << 2]), part]
    return b"".join(out)


def write_request(*series):
    """prometheus.WriteRequest of (labels, [(ms, value), …])."""
    out = b""
    for labels, samples in series:
        one = b"".join(field(1, field(1, n.encode()) + field(2, v.encode())) for n, v in sorted(labels.items()))
        for ms, value in samples:
            one += field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(ms & (1 << 64) - 1))
        out += field(1, one)
    return out


class RemoteWrite(VarveTest):
    def write(self, server, *series):
        return server.request("POST", "/api/v1/write", body=snappy(write_request(*series)),
                              headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
                                       "X-Prometheus-Remote-Write-Version": "0.1.0"})

    def value(self, server, query, at_ms=NOW_MS):
        answer = server.get("/api/v1/query", {"query": query, "time": f"{at_ms / 1000:.3f}"})
        self.assertEqual(200, answer.status, answer.text)
        result = answer.json["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    def test_what_was_acknowledged_is_there_after_kill_and_flush_and_restart(self):
        server = self.started()
        for batch in range(5):
            times = [NOW_MS - 60_000 * batch - 1000 * i for i in range(20)]
            answer = self.write(server, *[({"__name__": "e2e", "i": str(i)}, [(ms, ms % 1000 + i) for ms in times])
                                          for i in range(50)])
            self.assertEqual(204, answer.status, answer.text)
            self.assertEqual("1000", answer.headers["X-Prometheus-Remote-Write-Samples-Written"])
        refused = self.write(server, ({"__name__": "e2e", "i": "7"}, [(NOW_MS, -1), (NOW_MS - 500, 4)]),
                             ({"no": "name"}, [(NOW_MS, 1)]))
        self.assertEqual(400, refused.status)
        self.assertIn('duplicate sample for timestamp for series {__name__="e2e", i="7"} at %d\n' % NOW_MS, refused.text)
        self.assertIn('invalid metric name or labels, got {no="name"}', refused.text)
        self.assertEqual("1", refused.headers["X-Prometheus-Remote-Write-Samples-Written"])

        def check(state):
            self.assertEqual(5001, self.value(server, "sum(count_over_time(e2e[10m]))"), state)
            self.assertEqual(7, self.value(server, 'e2e{i="7"}'), state)
            self.assertIsNone(self.value(server, '{no="name"}'), state)
        check("in the head")
        server.kill()
        server.start()
        check("replayed")
        server.flush()
        check("flushed")
        server.restart()
        check("restarted")
        self.assertEqual(0, server.stop())

    def test_otlp(self):
        server = self.started()
        body = {"resourceMetrics": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}},
                                        {"key": "host.name", "value": {"stringValue": "h"}}]},
            "scopeMetrics": [{"metrics": [
                {"name": "http.requests", "unit": "1", "sum": {
                    "aggregationTemporality": 2, "isMonotonic": True,
                    "dataPoints": [{"timeUnixNano": str(NOW_MS * 1_000_000), "asInt": "7",
                                    "attributes": [{"key": "http.method", "value": {"stringValue": "GET"}}]}]}},
                {"name": "delta", "sum": {"aggregationTemporality": 1, "dataPoints": [{"asInt": 1}]}}]}]}]}
        answer = server.request("POST", "/api/v1/otlp/v1/metrics", body=json.dumps(body).encode(),
                                headers={"Content-Type": "application/json"})
        self.assertEqual(400, answer.status)
        self.assertIn('invalid temporality and type combination for metric "delta"', answer.text)
        del body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][1]
        answer = server.request("POST", "/otlp/v1/metrics", body=gzip.compress(json.dumps(body).encode()),
                                headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})
        self.assertEqual((200, b"{}"), (answer.status, answer.body))
        self.assertEqual(7, self.value(server, 'http_requests_total{http_method="GET",job="shop"}'))
        self.assertEqual(1, self.value(server, 'target_info{host_name="h",job="shop"}'))

    def test_imports(self):
        server = self.started()
        line = {"metric": {"__name__": "imported", "a": "b"}, "values": [1, None, "NaN", 4],
                "timestamps": [NOW_MS - 3000, NOW_MS - 2000, NOW_MS - 1000, NOW_MS]}
        answer = server.request("POST", "/api/v1/import", body=(json.dumps(line) + "\nnonsense\n").encode())
        self.assertEqual(400, answer.status)
        self.assertTrue(answer.text.startswith("line 2: "), answer.text)
        self.assertEqual(4, self.value(server, "imported"))
        self.assertEqual(4, self.value(server, "count_over_time(imported[1m])"))

    def test_the_push_command_takes_files_of_metrics(self):
        server = self.started()
        address = f"http://127.0.0.1:{server.port}"
        seconds = NOW_MS // 1000
        open_metrics = os.path.join(self.folder, "a.om.gz")
        with gzip.open(open_metrics, "wt") as f:
            f.write("# TYPE om counter\n# HELP om Text.\n")
            f.writelines(f'om_total{{i="{i}"}} {i} {seconds}\n' for i in range(30_000))
            f.write("# EOF\n")
        prometheus = os.path.join(self.folder, "b.txt")
        with open(prometheus, "w", encoding="utf-8") as f:
            f.write(f"prom 5 {NOW_MS}\nbroken\n")
        lines = os.path.join(self.folder, "c.jsonl")
        with open(lines, "w", encoding="utf-8") as f:
            f.write(json.dumps({"metric": {"__name__": "js"}, "values": [6], "timestamps": [NOW_MS]}) + "\n")
        status, out, err = self.run_varve("push", "--metrics", "--addr", address, open_metrics, lines)
        self.assertEqual((0, ""), (status, err))
        self.assertIn("pushed 30004 lines of metrics", out)
        status, _, err = self.run_varve("push", "--metrics", "--addr", address, prometheus)
        self.assertEqual(1, status)
        self.assertIn('line 2: "" is no value', err)
        self.assertEqual(30_000, self.value(server, "count(om_total)"))
        self.assertEqual(5, self.value(server, "prom"))
        self.assertEqual(6, self.value(server, "js"))
        metadata = server.get("/api/v1/metadata", {"metric": "om"}).json["data"]
        self.assertEqual({"om": [{"type": "counter", "unit": "", "help": "Text."}]}, metadata)


if __name__ == "__main__":
    unittest.main()
