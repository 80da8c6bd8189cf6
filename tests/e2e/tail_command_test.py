"""`varve tail`: lines as they come, each once, across restarts and kills of the server; a clean Ctrl-C."""
import json
import os
import queue
import signal
import subprocess
import threading
import time
import unittest

from varve_process import BINARY, VarveTest, json_push


class TailCommand:
    """A running `varve tail`, its output read line by line."""

    def __init__(self, test, server, *arguments):
        self.process = subprocess.Popen(
            [BINARY, "tail", *arguments, "--addr", f"http://127.0.0.1:{server.port}"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "TZ": "UTC"})
        self.lines, self.errors = queue.Queue(), []
        self.readers = [threading.Thread(target=self._read, args=(self.process.stdout, self.lines.put), daemon=True),
                        threading.Thread(target=self._read, args=(self.process.stderr, self.errors.append), daemon=True)]
        for reader in self.readers:
            reader.start()
        test.addCleanup(self.end)

    @staticmethod
    def _read(pipe, take):
        for line in pipe:
            take(line.decode().rstrip("\n"))
        pipe.close()

    def take(self, count, timeout=60):
        deadline = time.monotonic() + timeout
        return [self.lines.get(timeout=max(deadline - time.monotonic(), 0.01)) for _ in range(count)]

    def interrupt(self, number=signal.SIGINT):
        self.process.send_signal(number)
        status = self.process.wait(20)
        for reader in self.readers:
            reader.join()
        return status

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for reader in self.readers:
            reader.join()


class TailCommandTest(VarveTest):
    def push(self, server, *entries, labels=None):
        answer = server.request("POST", "/loki/api/v1/push", body=json_push((labels or {"app": "x"}, list(entries))),
                                headers={"Content-Type": "application/json"})
        self.assertEqual(answer.status, 204, answer.text)

    def test_shows_history_then_live_and_ends_cleanly(self):
        server = self.started()
        base = time.time_ns()
        self.push(server, *[(base + i, f"old {i}") for i in range(5)])
        tail = TailCommand(self, server, '{app="x"} |= "o"', "--limit", "2")
        self.assertEqual(tail.take(2), ["old 3", "old 4"])
        self.push(server, (base + 10, "so new"), (base + 11, "filtered"))
        self.assertEqual(tail.take(1), ["so new"])
        self.assertEqual(tail.interrupt(), 0)
        self.assertEqual(tail.errors, [])
        self.assertTrue(tail.lines.empty())

    def test_json_output(self):
        server = self.started()
        base = time.time_ns()
        self.push(server, (base, 'say "hi"'))
        tail = TailCommand(self, server, '{app="x"}', "-o", "json", "--delay-for", "1")
        self.assertEqual(json.loads(tail.take(1)[0]), {
            "ts": str(base), "line": 'say "hi"',
            "labels": {"app": "x", "detected_level": "unknown", "service_name": "x"}})
        self.assertEqual(tail.interrupt(signal.SIGTERM), 0)

    def test_bad_input_is_one_line_and_a_status(self):
        server = self.started()
        address = ("--addr", f"http://127.0.0.1:{server.port}")
        for arguments, status, text in ((('{app="x"', *address), 1, "parse error"),
                                        (('rate({app="x"}[1m])', *address), 1, "only log selector is supported"),
                                        (('{app="x"}', "--delay-for", "6", *address), 2, "delay-for"),
                                        (('{app="x"}', "--limit", "0", *address), 2, "limit"),
                                        (('{app="x"}', "--addr", "http://127.0.0.1:1"), 1, "cannot reach")):
            done, out, error = self.run_varve("tail", *arguments, timeout=30)
            self.assertEqual((done, out), (status, ""), error)
            self.assertIn(text, error)
            self.assertEqual(error.count("\n"), 1, error)

    def follow_across(self, restart):
        server = self.started()
        server.listen = f"127.0.0.1:{server.port}"
        base, total = time.time_ns(), 12_000
        tail = TailCommand(self, server, '{app="x"}')

        def push_all():
            # As an agent does: again and again until it is taken.
            for i in range(0, total, 10):
                while True:
                    try:
                        self.push(server, *[(base + j // 3, f"line {j}") for j in range(i, i + 10)])
                        break
                    except (OSError, AssertionError):
                        time.sleep(0.02)

        self.push(server, (base - 1, "first"))
        self.assertEqual(tail.take(1), ["first"])
        pusher = threading.Thread(target=push_all)
        pusher.start()
        shown = []
        for _ in range(2):
            shown += tail.take(500, 120)
            restart(server)
        pusher.join()
        shown += tail.take(total - len(shown), 120)
        self.assertEqual(sorted(shown), sorted(f"line {i}" for i in range(total)))
        self.assertEqual(tail.interrupt(), 0)
        self.assertTrue(tail.lines.empty())
        self.assertTrue(any("connecting again" in line for line in tail.errors), tail.errors)

    def test_a_restart_loses_and_repeats_nothing(self):
        self.follow_across(lambda server: server.restart())

    def test_a_kill_loses_and_repeats_nothing(self):
        def kill(server):
            server.kill()
            time.sleep(0.3)
            server.start()
        self.follow_across(kill)

    def test_more_comes_meanwhile_than_a_tail_begins_with(self):
        server = self.started()
        server.listen = f"127.0.0.1:{server.port}"
        base = time.time_ns()
        tail = TailCommand(self, server, '{app="x"}')
        self.push(server, (base, "first"))
        self.assertEqual(tail.take(1), ["first"])
        tail.process.send_signal(signal.SIGSTOP)
        server.restart()
        for part in range(4):
            self.push(server, *[(base + 1 + part * 3000 + i, f"{part * 3000 + i}") for i in range(3000)])
        tail.process.send_signal(signal.SIGCONT)
        self.assertEqual(tail.take(12_000, 120), [str(i) for i in range(12_000)])
        self.assertEqual(tail.interrupt(), 0)


if __name__ == "__main__":
    unittest.main()
