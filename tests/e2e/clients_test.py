"""Agents that push and tail for days: what they do across rate limits, lost acknowledgements and restarts.

A sender shaped like Promtail (batches of protobuf in snappy, external labels, X-Scope-OrgID, retries with backoff on
429, 5xx and broken connections, nothing else) must find every line stored exactly once whatever happens in between.
"""
import http.client
import random
import socket
import threading
import time
import unittest

from varve_process import NS, VarveTest, protobuf_push, snappy
from websocket_client import ConnectionClosed, Tail

NOW = time.time_ns() // NS * NS


class Promtail:
    """One tenant's sender. Entries gather in a batch by label set; a batch is sent when it is full or on `flush`."""
    BACKOFF_MIN, BACKOFF_MAX, RETRIES_MAX = 0.02, 0.5, 400

    def __init__(self, port, tenant, external_labels, batch_bytes=64 * 1024):
        self.port, self.tenant, self.external, self.batch_bytes = port, tenant, external_labels, batch_bytes
        self.batch, self.size = {}, 0
        self.statuses, self.dropped = {}, 0

    def handle(self, labels, ns, line, metadata=None):
        entry = (ns, line, metadata or {})
        self.batch.setdefault(tuple(sorted({**self.external, **labels}.items())), []).append(entry)
        self.size += len(line)
        if self.size >= self.batch_bytes:
            self.flush()

    def flush(self):
        if self.batch:
            body = snappy(protobuf_push(*[(dict(labels), entries) for labels, entries in self.batch.items()]))
            self.batch, self.size = {}, 0
            self._send_with_backoff(body)

    def _send_with_backoff(self, body):
        wait = self.BACKOFF_MIN
        for _ in range(self.RETRIES_MAX):
            status = self._send(body)
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if 200 <= status < 300:
                return
            if status > 0 and status != 429 and status // 100 != 5:
                break  # Promtail drops what the server refuses for good
            time.sleep(wait * (0.5 + random.random() / 2))
            wait = min(wait * 2, self.BACKOFF_MAX)
        self.dropped += 1

    def _send(self, body):
        """The status; -1 when the connection broke."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port() if callable(self.port) else self.port, timeout=10)
        try:
            connection.request("POST", "/loki/api/v1/push", body,
                               {"Content-Type": "application/x-protobuf", "User-Agent": "promtail/3.0.0",
                                "X-Scope-OrgID": self.tenant})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return -1
        finally:
            connection.close()


class UnreliableNetwork:
    """Stands between a sender and the server. Of the requests it passes on, some are answered with an error although
    the server has taken them, some answers never arrive, and some requests are cut off on their way."""

    def __init__(self, port_of_server, rnd):
        self.port_of_server, self.rnd = port_of_server, rnd
        self.faults = {name: 0 for name in ("500 after it was stored", "503 after it was stored", "no answer", "cut off", "none")}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client):
        with client:
            data = b""
            while b"\r\n\r\n" not in data:
                data += client.recv(65536)
            head, body = data.split(b"\r\n\r\n", 1)
            length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")))
            while len(body) < length:
                body += client.recv(65536)
            fault = self.rnd.choices(list(self.faults), (1, 1, 1, 1, 3))[0]
            self.faults[fault] += 1
            try:
                with socket.create_connection(("127.0.0.1", self.port_of_server()), timeout=10) as server:
                    if fault == "cut off":
                        server.sendall(head + b"\r\n\r\n" + body[:length // 2])
                        return
                    server.sendall(head.replace(b"\r\nHost", b"\r\nConnection: close\r\nHost", 1) + b"\r\n\r\n" + body)
                    answer = b""
                    while part := server.recv(65536):
                        answer += part
            except OSError:
                return  # the server is away; so is the answer
            if fault == "no answer":
                return
            if fault[0] == "5":
                answer = b"HTTP/1.1 " + fault[:3].encode() + b" Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            client.sendall(answer)


class Senders(VarveTest):
    TENANTS, STREAMS, LINES = ("team-a", "team-b"), 6, 6000

    def setUp(self):
        super().setUp()
        self.seed = time.time_ns() % 1_000_000_007
        print(f"seed {self.seed}")

    def configured(self, text):
        path = f"{self.folder}/varve.yaml"
        with open(path, "w", encoding="utf-8") as f:
            f.write("auth_enabled: true\n" + text)
        return self.server("--config", path)

    def entries(self, tenant):
        """(labels, ns, line, metadata) in the order of a file: streams mixed, some times equal, some lines too."""
        rnd = random.Random(f"{self.seed} {tenant}")
        ns = NOW - 3600 * NS
        for i in range(self.LINES):
            ns += rnd.choice((0, 1, 1000, 500_000_000))
            labels = {"job": "files", "filename": f"/var/log/app{rnd.randrange(self.STREAMS)}.log"}
            yield labels, ns, f"{tenant} line {i} " + "x" * rnd.randrange(100), {"offset": str(i)} if i % 3 == 0 else {}

    def send_all(self, tenant, port, done):
        sender = Promtail(port, tenant, {"cluster": "c1", "host": f"host-of-{tenant}"}, batch_bytes=16 * 1024)
        for i, entry in enumerate(self.entries(tenant)):
            sender.handle(*entry)
            done[tenant] = i
        sender.flush()
        done[tenant] = self.LINES
        return sender

    def run_senders(self, port, meanwhile):
        """Both tenants at once; `meanwhile(progress)` disturbs them until it returns."""
        done, senders = {tenant: 0 for tenant in self.TENANTS}, {}
        threads = [threading.Thread(target=lambda t=t: senders.update({t: self.send_all(t, port, done)})) for t in self.TENANTS]
        for thread in threads:
            thread.start()
        meanwhile(lambda: sum(done.values()))
        for thread in threads:
            thread.join(300)
            self.assertFalse(thread.is_alive(), "a sender does not finish")
        return senders

    def wait_for(self, reached):
        deadline = time.monotonic() + 120
        while not reached():
            self.assertLess(time.monotonic(), deadline, "nothing moves")
            time.sleep(0.002)

    def assert_all_stored_once(self, server):
        for tenant in self.TENANTS:
            expected = sorted((ns, line, labels["filename"], metadata.get("offset"))
                              for labels, ns, line, metadata in self.entries(tenant))
            found = []
            for stream in range(self.STREAMS):
                query = f'{{job="files",cluster="c1",host="host-of-{tenant}",filename="/var/log/app{stream}.log"}}'
                answer = server.query_range(query, NOW - 2 * 3600 * NS, NOW + 3600 * NS, limit=5000,
                                            headers={"X-Scope-OrgID": tenant})
                self.assertEqual(200, answer.status, answer.text)
                found += [(int(ns), line, s["stream"]["filename"], s["stream"].get("offset"))
                          for s in answer.json["data"]["result"] for ns, line in s["values"]]
            self.assertEqual(len(expected), len(found))
            self.assertEqual(expected, sorted(found, key=lambda row: (row[0], row[1])))

    def test_rate_limits_slow_a_sender_down_and_lose_nothing(self):
        server = self.configured("limits:\n  ingestion_rate_mb: 0.3\n  ingestion_burst_size_mb: 0.1\n").start()
        senders = self.run_senders(server.port, lambda progress: None)
        for sender in senders.values():
            self.assertGreater(sender.statuses.get(429, 0), 0, sender.statuses)
            self.assertEqual({204, 429}, set(sender.statuses))
            self.assertEqual(0, sender.dropped)
        self.assert_all_stored_once(server)
        refused = server.metrics()
        self.assertGreater(sum(v for name, v in refused.items() if name.startswith("loki_discarded_samples_total")
                               and 'reason="rate_limited"' in name), 0)

    def test_restarts_and_kills_in_the_middle_lose_and_double_nothing(self):
        server = self.configured("limits:\n  ingestion_rate_mb: 2\n  ingestion_burst_size_mb: 0.2\n").start()

        def disturb(progress):
            total = self.LINES * len(self.TENANTS)
            for i, end in enumerate((server.stop, server.kill, server.stop, server.kill)):
                self.wait_for(lambda share=(i + 1) / 6: progress() >= total * share)
                end()
                server.start()
        senders = self.run_senders(lambda: server.port, disturb)
        self.assertEqual([0, 0], [sender.dropped for sender in senders.values()])
        self.assertGreater(sum(n for sender in senders.values() for status, n in sender.statuses.items() if status != 204), 0)
        self.assert_all_stored_once(server)
        server.flush()
        self.assert_all_stored_once(server)

    def test_lost_acknowledgements_double_nothing(self):
        server = self.configured("").start()
        network = UnreliableNetwork(lambda: server.port, random.Random(self.seed))
        self.addCleanup(network.close)

        def flush_in_between(progress):
            for share in (0.3, 0.6):
                self.wait_for(lambda: progress() >= self.LINES * len(self.TENANTS) * share)
                server.flush()
        senders = self.run_senders(network.port, flush_in_between)
        self.assertEqual([0, 0], [sender.dropped for sender in senders.values()])
        self.assertTrue(all(network.faults.values()), network.faults)
        self.assert_all_stored_once(server)
        server.flush()
        self.assert_all_stored_once(server)
        server.restart()
        self.assert_all_stored_once(server)

    def test_what_is_refused_for_good_is_dropped_and_the_rest_goes_on(self):
        server = self.configured("limits:\n  max_line_size: 1KB\n").start()
        sender = Promtail(server.port, "team-a", {"cluster": "c1"}, batch_bytes=10)
        for i in range(20):
            sender.handle({"job": "files"}, NOW + i, "x" * (2000 if i % 5 == 0 else 100) + str(i))
        sender.flush()
        self.assertEqual(({204: 16, 400: 4}, 4), (sender.statuses, sender.dropped))


class Tails(VarveTest):
    """A client that follows a stream for good: it reconnects from the last line it has, whatever ended the connection."""

    def follow(self, server, count, lines):
        """Until `count` different lines are there. Starts at the last line's time; what came already is left out."""
        seen, last, endings = set(lines), lines[-1][0] if lines else NOW - 60 * NS, []
        while len(lines) < count:
            try:
                tail = Tail(server.port, '{app="followed"}', start=last, limit=5000, timeout=20)
                while len(lines) < count:
                    for _, ns, line, _ in tail.entries(1):
                        if (ns, line) not in seen:
                            seen.add((ns, line))
                            lines.append((ns, line))
                            last = max(last, ns)
                tail.close()
            except ConnectionClosed as closed:
                endings.append(closed.code)
                time.sleep(0.05)
            except OSError:  # not up yet
                time.sleep(0.05)
        return endings

    def test_a_tail_across_restarts_sees_every_line_once_and_in_order(self):
        server = self.started()
        sent, seen, endings = [], [], []
        follower = threading.Thread(target=lambda: endings.extend(self.follow(server, 300, seen)))
        follower.start()
        for i in range(300):
            sent.append((NOW + i * 1000, f"line {i}"))
            server.push_streams(({"app": "followed"}, sent[-1:]))
            if i in (80, 160, 240):
                deadline = time.monotonic() + 60
                while not seen:
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
                if i == 160:
                    server.kill()
                    server.start()
                else:
                    server.restart()
        follower.join(120)
        self.assertFalse(follower.is_alive(), f"{len(seen)} of 300 lines")
        self.assertEqual(sent, seen)
        self.assertTrue(endings)


if __name__ == "__main__":
    unittest.main()
