"""Streamed export: everything, in order, exactly once, whatever its size; errors, gzip, cancelled clients."""
import gzip
import http.client
import json
import socket
import time
import unittest
import urllib.parse

from varve_process import NS, VarveTest, json_push

BASE = 1_793_491_200 * NS


class ExportTest(VarveTest):
    def push(self, server, labels, entries):
        answer = server.request("POST", "/loki/api/v1/push", body=json_push((labels, entries)),
                                headers={"Content-Type": "application/json"})
        self.assertEqual(answer.status, 204, answer.text)

    def export(self, server, query, headers=None, method="GET", **params):
        params = {"query": query, "start": BASE, "end": BASE + 3600 * NS, **params}
        answer = server.request(method, "/loki/api/v1/export", params, headers=headers)
        self.assertEqual(answer.status, 200, answer.body[:300])
        self.assertEqual(answer.headers["Transfer-Encoding"], "chunked")
        body = gzip.decompress(answer.body) if answer.headers.get("Content-Encoding") == "gzip" else answer.body
        self.assertTrue(body == b"" or body.endswith(b"\n"))
        return [json.loads(line) for line in body.splitlines()]

    def test_form_of_a_line(self):
        server = self.started()
        self.push(server, {"app": "x"}, [(BASE + 1, "code=7 <b>", {"trace": "t"}), (BASE + 2, "", {})])
        self.assertEqual(self.export(server, '{app="x"} | logfmt'), [
            {"ts": str(BASE + 1), "stream": {"app": "x", "service_name": "x"}, "line": "code=7 <b>",
             "metadata": {"detected_level": "unknown", "trace": "t"}, "parsed": {"code": "7"}},
            {"ts": str(BASE + 2), "stream": {"app": "x", "service_name": "x"}, "line": "",
             "metadata": {"detected_level": "unknown"}, "parsed": {}}])

    def test_everything_once_in_both_directions_from_heads_packs_and_both(self):
        server = self.started()
        expected = []
        for part in range(3):
            for stream in range(4):
                # Many at one nanosecond, and times that overlap from push to push.
                entries = [(BASE + (i // 50) * 1000 + part, f"{part} {stream} {i}") for i in range(5000)]
                expected += [(ts, line) for ts, line in entries]
                self.push(server, {"app": "x", "n": str(stream)}, entries)
            if part < 2:
                self.assertEqual(server.request("POST", "/flush").status, 204)
        for direction in "forward", "backward":
            lines = self.export(server, '{app="x"}', direction=direction)
            found = [(int(line["ts"]), line["line"]) for line in lines]
            self.assertEqual(len(found), 60_000)
            self.assertEqual(sorted(found), sorted(expected))
            times = [ts for ts, _ in found]
            self.assertEqual(times, sorted(times, reverse=direction == "backward"))
        per_stream = {}
        for line in self.export(server, '{app="x"}', method="POST"):
            per_stream.setdefault(line["stream"]["n"], []).append((int(line["ts"]), line["line"]))
        for stream, entries in per_stream.items():  # at one nanosecond: the order of arrival
            wanted = [(ts, line) for ts, line in expected if line.split()[1] == stream]
            self.assertEqual(entries, sorted(wanted, key=lambda entry: entry[0]))
        zipped = self.export(server, '{app="x"} |= " 3 "', headers={"Accept-Encoding": "gzip"})
        self.assertEqual(len(zipped), 15_000)
        self.assertEqual(len(self.export(server, '{app="x"}', limit=7000)), 7000)
        self.assertEqual(self.export(server, '{app="nothing"}'), [])
        self.assertEqual(len(self.export(server, '{app="x"}', limit=0, start=BASE, end=BASE + 1)), 200)

    def test_bad_requests(self):
        server = self.started()
        for params, text in (({"query": '{app="x"'}, "parse error"), ({"query": 'rate({app="x"}[1m])'}, "only log selector"),
                             ({"query": '{app="x"}', "limit": "x"}, "invalid syntax"),
                             ({"query": '{app="x"}', "direction": "up"}, "invalid direction 'up'"),
                             ({"query": '{app="x"}', "start": "2", "end": "1"}, "end timestamp"),
                             ({"query": '{app="x"}', "start": "0", "end": "1793491200"}, "exceeds the limit")):
            answer = server.get("/loki/api/v1/export", params)
            self.assertEqual(answer.status, 400, params)
            self.assertIn(text, answer.text)

    def test_a_client_that_goes_away_or_reads_slowly_holds_nobody_up(self):
        server = self.started("--set", "server.query_threads=2")
        for part in range(10):
            self.push(server, {"app": "x"}, [(BASE + part * 10_000 + i, f"{i} " + "l" * 1000) for i in range(4000)])
        target = "/loki/api/v1/export?" + urllib.parse.urlencode(
            {"query": '{app="x"}', "start": BASE, "end": BASE + 3600 * NS})
        waiting = []
        for _ in range(8):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            waiting.append(client)
            self.addCleanup(client.close)
        time.sleep(0.5)
        self.assertEqual(server.get("/loki/api/v1/labels").status, 200)
        self.assertEqual(server.count('{app="x"}', BASE + 3600 * NS - 1), 40_000)
        used = server.metrics()['varve_memory_budget_used_bytes{budget="queries"}']
        for client in waiting:
            client.close()
        deadline = time.monotonic() + 30
        while server.metrics()['varve_memory_budget_used_bytes{budget="queries"}'] != 0:
            self.assertLess(time.monotonic(), deadline, f"of {used} bytes some were never given back")
            time.sleep(0.05)

    def test_http_1_0_gets_it_until_the_end_of_the_connection(self):
        server = self.started()
        self.push(server, {"app": "x"}, [(BASE + 1, "line")])
        connection = socket.create_connection(("127.0.0.1", server.port))
        query = urllib.parse.urlencode({"query": '{app="x"}', "start": BASE, "end": BASE + 10})
        connection.sendall(f"GET /loki/api/v1/export?{query} HTTP/1.0\r\n\r\n".encode())
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
        connection.close()
        head, body = data.split(b"\r\n\r\n", 1)
        self.assertNotIn(b"chunked", head)
        self.assertEqual(json.loads(body)["line"], "line")

    def test_two_exports_on_one_connection(self):
        server = self.started()
        self.push(server, {"app": "x"}, [(BASE + 1, "line")])
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        query = urllib.parse.urlencode({"query": '{app="x"}', "start": BASE, "end": BASE + 10})
        for _ in range(2):
            connection.request("GET", "/loki/api/v1/export?" + query)
            self.assertEqual(json.loads(connection.getresponse().read())["line"], "line")
        connection.close()


if __name__ == "__main__":
    unittest.main()
