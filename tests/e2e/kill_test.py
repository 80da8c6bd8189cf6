"""kill -9 at random moments of a load: every acknowledged line is there, once, and soon again.

    tests/e2e/kill_test.py [--rounds 10] [--seed N]

Threads push bodies of numbered lines, each line once. A body counts as acknowledged when its 204 has
arrived. After each kill the server must be ready within 5 s, hold every acknowledged body in full, and of
the others all or nothing. kill_load.py does the same at full load, by hand.
"""
import argparse
import http.client
import random
import re
import sys
import threading
import time
import unittest

from varve_process import NS, VarveTest, json_push, protobuf_push, snappy

READY_SECONDS = 5
THREADS = 3
LINES = 40  # of a body
OPTIONS = argparse.Namespace(rounds=10, seed=None)


class Ledger:
    """What one thread has sent, by body: True when acknowledged."""

    def __init__(self, number, base_ns):
        self.number, self.base_ns, self.bodies = number, base_ns, []
        self.stored = {}  # by body, how many of its lines were found after the kill that followed it

    def begin_of(self, index):
        return self.base_ns + index * LINES * 1000

    def next_body(self):
        index = len(self.bodies)
        self.bodies.append(False)
        entries = [(self.begin_of(index) + i * 1000, f"thread={self.number} body={index} line={i} " + "x" * 100)
                   for i in range(LINES)]
        stream = ({"job": "kill", "thread": str(self.number)}, entries)
        if index % 2:
            return index, json_push(stream), "application/json"
        return index, snappy(protobuf_push(stream)), "application/x-protobuf"

    def push_until(self, port, stopping):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            while not stopping.is_set():
                index, body, content_type = self.next_body()
                connection.request("POST", "/loki/api/v1/push", body, {"Content-Type": content_type})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 204:
                    self.bodies[index] = True
        except (OSError, http.client.HTTPException):
            pass  # killed: the last body may be stored or not
        finally:
            connection.close()


class Kill(VarveTest):
    def check(self, server, ledgers, first_bodies=None):
        """The bodies from first_bodies[thread] on, line by line, and the number of all lines."""
        for ledger, first in zip(ledgers, first_bodies or [0] * THREADS):
            counts = [0] * len(ledger.bodies)
            lines = server.lines('{job="kill", thread="%d"}' % ledger.number, ledger.begin_of(first),
                                 ledger.begin_of(len(ledger.bodies)) + 1, limit=100_000_000)
            self.assertEqual(len(lines), len(set(lines)), "a line is there twice")
            for _, line in lines:
                counts[int(re.search(r"body=(\d+) ", line).group(1))] += 1
            for index in range(first, len(ledger.bodies)):
                acknowledged = ledger.bodies[index]
                wanted = (LINES,) if acknowledged else (0, LINES)
                self.assertIn(counts[index], wanted, f"thread {ledger.number}, body {index}, acknowledged: {acknowledged}")
                ledger.stored[index] = counts[index]
        at = max(x.begin_of(len(x.bodies)) for x in ledgers)
        self.assertEqual(sum(sum(x.stored.values()) for x in ledgers), server.count('{job="kill"}', at, "24h"))

    def test_at_random_moments(self):
        seed = OPTIONS.seed if OPTIONS.seed is not None else random.randrange(1 << 32)
        print(f"seed {seed}", flush=True)
        dice = random.Random(seed)
        # Small heads, so that cuts happen all the time, and answers of any length for the check.
        server = self.started("--set", "limits.max_entries_limit_per_query=0", "--set", "storage.cut_bytes=100KB",
                              "--set", "limits.max_query_memory=0")
        base = time.time_ns() - 3600 * NS
        ledgers = [Ledger(i, base) for i in range(THREADS)]
        slowest = 0
        for round_number in range(OPTIONS.rounds):
            stopping = threading.Event()
            before = [len(x.bodies) for x in ledgers]
            threads = [threading.Thread(target=x.push_until, args=(server.port, stopping)) for x in ledgers]
            for thread in threads:
                thread.start()
            time.sleep(dice.uniform(0.05, 0.8))
            if dice.random() < 0.3:
                threading.Thread(target=self.flush_quietly, args=(server,), daemon=True).start()
                time.sleep(dice.uniform(0, 0.1))
            server.kill()
            stopping.set()
            for thread in threads:
                thread.join()
            server.start()
            slowest = max(slowest, server.ready_seconds)
            self.assertLessEqual(server.ready_seconds, READY_SECONDS)
            self.check(server, ledgers, before)
        server.flush()
        self.check(server, ledgers)
        server.restart()
        self.check(server, ledgers)
        acknowledged = sum(sum(x.bodies) for x in ledgers) * LINES
        print(f"{OPTIONS.rounds} kills, {acknowledged} lines acknowledged, ready after at most {slowest:.2f} s")
        self.assertGreater(acknowledged, OPTIONS.rounds * LINES)

    @staticmethod
    def flush_quietly(server):
        try:
            server.flush()
        except (OSError, http.client.HTTPException):
            pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=OPTIONS.rounds)
    parser.add_argument("--seed", type=int)
    OPTIONS, rest = parser.parse_known_args()
    unittest.main(argv=sys.argv[:1] + rest)
