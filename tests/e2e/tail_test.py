"""Live tail over a real WebSocket: history and live, bad requests, slow clients, restarts, kill -9, a thousand at once."""
import json
import threading
import time
import unittest

from varve_process import NS, VarveTest, json_push
from websocket_client import ABNORMAL, ConnectionClosed, HandshakeRefused, Tail, WebSocketClient

CATEGORIZE = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
X = {"app": "x", "service_name": "x"}


def now_ns():
    return time.time_ns()


class TailTest(VarveTest):
    def push(self, server, *entries, labels=None):
        answer = server.request("POST", "/loki/api/v1/push", body=json_push((labels or {"app": "x"}, list(entries))),
                                headers={"Content-Type": "application/json"})
        self.assertEqual(answer.status, 204, answer.text)

    def refused(self, server, query, expected_status, expected_text, **params):
        with self.assertRaises(HandshakeRefused) as caught:
            Tail(server.port, query, **params)
        self.assertEqual((caught.exception.status, caught.exception.text), (expected_status, expected_text))

    def test_history_then_live_without_gap_or_repeat(self):
        server = self.started()
        base = now_ns() - 60 * NS
        self.push(server, (base + 2, "two"), (base + 1, "one"), (base + 1, "uno"))
        tail = Tail(server.port, '{app="x"}')
        self.assertEqual(tail.lines(3), ["one", "uno", "two"])
        self.push(server, (base + 3, "three"))
        self.push(server, (base + 3, "three"))
        self.push(server, (base + 4, "four"))
        self.assertEqual([(ts, line) for _, ts, line, _ in tail.entries(2)], [(base + 3, "three"), (base + 4, "four")])
        self.assertEqual(tail.close().code, 1000)

    def test_limit_start_and_pipeline(self):
        server = self.started()
        base = now_ns() - 60 * NS
        self.push(server, *[(base + i, f"level=info n={i}") for i in range(20)], (base + 20, "level=debug n=20"))
        tail = Tail(server.port, '{app="x"} | logfmt | level="info" | line_format "{{.n}}"', limit=3)
        self.assertEqual(tail.lines(3), ["17", "18", "19"])
        later = Tail(server.port, '{app="x"}', start=base + 19)
        self.assertEqual(later.lines(2), ["level=info n=19", "level=debug n=20"])

    def test_metadata_is_merged_in_history_and_live_alike(self):
        server = self.started()
        base = now_ns()
        self.push(server, (base, "old", {"trace": "a"}))
        tail = Tail(server.port, '{app="x"}')
        categorized = Tail(server.port, '{app="x"}', headers=CATEGORIZE)
        self.assertEqual(tail.entries(1)[0][0], {**X, "detected_level": "unknown", "trace": "a"})
        self.push(server, (base + 1, "new", {"trace": "b"}))
        self.assertEqual(tail.entries(1)[0], ({**X, "detected_level": "unknown", "trace": "b"}, base + 1, "new", None))
        for entry, trace in zip(categorized.entries(2), "ab"):
            self.assertEqual(entry[0], X)
            self.assertEqual(entry[3], {"structuredMetadata": {"detected_level": "unknown", "trace": trace}})
        self.push(server, (base + 2, "newer"))
        self.assertEqual(categorized.frame()["encodingFlags"], ["categorize-labels"])

    def test_delay_sorts_in_what_comes_late(self):
        server = self.started()
        tail = Tail(server.port, '{app="x"}', delay_for=2)
        base = now_ns()
        began = time.monotonic()
        self.push(server, (base + 2, "second"))
        self.push(server, (base + 1, "first"))
        self.assertEqual(tail.lines(2), ["first", "second"])
        self.assertGreaterEqual(time.monotonic() - began, 1.9)

    def test_bad_requests_are_refused_before_the_upgrade(self):
        server = self.started("--set", "limits.max_concurrent_tail_requests=2")
        self.refused(server, '{app="x"', 400, "parse error at line 1, col 9: syntax error: unexpected $end, "
                                              "expecting } or ,")
        self.refused(server, '{app="x"}', 400, "delay_for can't be greater than 5", delay_for=6)
        self.refused(server, '{app="x"}', 400, "limit must be a positive value", limit=0)
        self.refused(server, '{app="x"}', 400, 'strconv.Atoi: parsing "abc": invalid syntax', limit="abc")
        self.refused(server, '{app="x"}', 400,
                     "max entries limit per query exceeded, limit > max_entries_limit_per_query (6000 > 5000)", limit=6000)
        for method in "GET", "POST":
            answer = server.request(method, "/loki/api/v1/tail", {"query": '{app="x"}'})
            self.assertEqual((answer.status, answer.text), (400, "Bad Request\n"))
        tails = [Tail(server.port, '{app="x"}') for _ in range(2)]
        self.refused(server, '{app="y"}', 400, "max concurrent tail requests limit exceeded, count > limit (3 > 2)")
        tails[0].close()
        self.wait_for(lambda: server.metrics()["varve_tails_open"] == 1)
        Tail(server.port, '{app="y"}')
        self.assertEqual(server.metrics()["varve_tails_refused_total"], 1)

    def test_metric_query_is_refused_with_a_close_frame(self):
        server = self.started()
        closed = WebSocketClient(server.port, "/loki/api/v1/tail?query=count_over_time(%7Bapp%3D%22x%22%7D%5B1m%5D)"
                                 ).receive_close()
        self.assertEqual((closed.code, closed.reason), (1011, "only log selector is supported"))

    def test_tenants_are_kept_apart(self):
        server = self.started("--multi-tenant")
        tails = {tenant: Tail(server.port, '{app="x"}', headers={"X-Scope-OrgID": tenant}) for tenant in ("a", "b")}
        for tenant in "b", "a":
            answer = server.request("POST", "/loki/api/v1/push", body=json_push(({"app": "x"}, [(now_ns(), tenant)])),
                                    headers={"Content-Type": "application/json", "X-Scope-OrgID": tenant})
            self.assertEqual(answer.status, 204)
        for tenant, tail in tails.items():
            self.assertEqual(tail.lines(1), [tenant])
        with self.assertRaises(HandshakeRefused) as caught:
            Tail(server.port, '{app="x"}', headers={"X-Scope-OrgID": "a|b"})
        self.assertEqual((caught.exception.status, caught.exception.text), (400, "multiple org IDs present\n"))
        with self.assertRaises(HandshakeRefused) as caught:
            Tail(server.port, '{app="x"}')
        self.assertEqual(caught.exception.status, 401)

    def test_legacy_shape(self):
        server = self.started()
        base = (now_ns() // NS) * NS
        self.push(server, (base, "line"), (base, "other"))
        tail = WebSocketClient(server.port, "/api/prom/tail?query=%7Bapp%3D%22x%22%7D&regexp=l.ne")
        stream = json.loads(tail.receive())["streams"][0]
        self.assertEqual(stream["labels"], '{app="x", detected_level="unknown", service_name="x"}')
        self.assertEqual([(entry["ts"][-1], entry["line"]) for entry in stream["entries"]], [("Z", "line")])

    def test_pings_and_a_client_that_says_too_much(self):
        server = self.started()
        tail = Tail(server.port, '{app="x"}')
        tail.send_text("ignored")
        with self.assertRaises(TimeoutError):
            tail.receive(2.5)
        self.assertGreaterEqual(tail.pings, 1)
        self.push(server, (now_ns(), "still there"))
        self.assertEqual(tail.lines(1), ["still there"])
        tail.send_text("x" * 100_000)
        self.assertIn(tail.receive_close().code, (1009, ABNORMAL))

    def test_tail_ends_after_its_longest_time(self):
        server = self.started("--set", "querier.tail_max_duration=1s")
        closed = Tail(server.port, '{app="x"}').receive_close()
        self.assertEqual((closed.code, closed.reason), (1011, "reached tail max duration limit"))

    def test_a_client_that_does_not_read_harms_nobody(self):
        server = self.started("--set", "querier.tail_slow_client_timeout=2s")
        slow = Tail(server.port, '{app="x"}', receive_buffer=4096)
        quick = Tail(server.port, '{app="x"}')
        line = "l" * 4000
        count, lines = 1500, []
        reader = threading.Thread(target=lambda: lines.extend(quick.lines(count, timeout=120)))
        reader.start()
        began = time.monotonic()
        for i in range(count):
            self.push(server, (now_ns(), f"{i} {line}"))
        reader.join()
        self.assertEqual([int(text.split()[0]) for text in lines], list(range(count)))
        self.wait_for(lambda: server.metrics()["varve_tail_slow_clients_closed_total"] == 1, 30)
        metrics = server.metrics()
        self.assertGreater(metrics["varve_tail_entries_dropped_total"], 0)
        self.assertLess(metrics["varve_tail_memory_used_bytes"], 64 << 20)
        self.assertEqual(slow.receive_close(60).code, ABNORMAL)
        self.assertLess(time.monotonic() - began, 120)

    def test_a_slow_client_is_told_what_it_missed(self):
        server = self.started("--set", "querier.tail_backlog_max=64KB", "--set", "querier.tail_slow_client_timeout=5m")
        slow = Tail(server.port, '{app="x"}', receive_buffer=4096)
        count = 600
        for i in range(count):
            self.push(server, (now_ns(), f"{i} " + "l" * 4000))
        self.push(server, (now_ns(), "last"))
        seen, dropped = [], set()
        while len(seen) + len(slow.dropped) < count + 1 or not slow.dropped:
            seen += slow.entries(1, timeout=60)
        dropped = {int(entry["timestamp"]) for entry in slow.dropped}
        self.assertTrue(all(entry["labels"]["app"] == "x" for entry in slow.dropped))
        self.assertFalse(dropped & {ts for _, ts, _, _ in seen})

    def test_a_thousand_tails_at_once(self):
        server = self.started()
        self.push(server, (now_ns(), "history"))
        tails = [Tail(server.port, f'{{app="x"}} != "never {i % 10}"', timeout=120) for i in range(1000)]
        self.assertEqual(server.metrics()["varve_tails_open"], 1000)
        for i in range(5):
            self.push(server, (now_ns(), f"line {i}"))
        for tail in tails:
            self.assertEqual(tail.lines(6), ["history"] + [f"line {i}" for i in range(5)])
        for tail in tails:
            tail.abort()
        self.wait_for(lambda: server.metrics()["varve_tails_open"] == 0, 30)
        self.assertEqual(server.metrics()["varve_tail_memory_used_bytes"], 0)
        self.push(server, (now_ns(), "nobody listens"))

    def test_a_stopping_server_ends_tails_so_that_clients_come_back(self):
        server = self.started()
        tail = Tail(server.port, '{app="x"}')
        base = now_ns()
        self.push(server, (base, "before"))
        self.assertEqual(tail.lines(1), ["before"])
        began = time.monotonic()
        stopper = threading.Thread(target=server.stop)
        stopper.start()
        # Grafana connects again after 1006 only.
        self.assertEqual(tail.receive_close().code, ABNORMAL)
        stopper.join()
        self.assertLess(time.monotonic() - began, 10)
        server.start()
        again = Tail(server.port, '{app="x"}', start=base)
        self.push(server, (base + 1, "after"))
        self.assertEqual(again.lines(2), ["before", "after"])

    def test_kill_in_mid_tail_shows_nothing_that_is_not_stored(self):
        server = self.started()
        tail = Tail(server.port, '{app="x"}', timeout=20)
        stop, acknowledged, base = threading.Event(), [], now_ns()

        def push_on():
            for i in range(100_000):
                if stop.is_set():
                    return
                try:
                    answer = server.request("POST", "/loki/api/v1/push",
                                            body=json_push(({"app": "x"}, [(base + i, f"line {i}")])),
                                            headers={"Content-Type": "application/json"})
                except OSError:
                    return
                if answer.status == 204:
                    acknowledged.append(f"line {i}")

        pusher = threading.Thread(target=push_on)
        pusher.start()
        shown = tail.lines(50)
        server.kill()
        stop.set()
        pusher.join()
        try:
            while True:
                shown += tail.lines(1, timeout=5)
        except (ConnectionClosed, TimeoutError):
            pass
        server.start()
        again = Tail(server.port, '{app="x"}', limit=5000, start=base)
        stored = again.lines(max(len(acknowledged), len(shown)))
        self.assertEqual(shown, stored[:len(shown)])
        self.assertTrue(set(acknowledged) <= set(stored) | set(again.lines(0)))

    def wait_for(self, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, "waited in vain")
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
