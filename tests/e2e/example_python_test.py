"""docs/examples/python, its own files: errors reach Slack with their context, secrets reach nothing, nothing blocks."""
import logging
import os
import subprocess
import sys
import time
import unittest

import example_files
from http_sink import HttpSink
from varve_process import NS, ROOT, VarveTest

EXAMPLE = os.path.join(ROOT, "docs", "examples", "python")
SECRETS = ("correct-horse-battery", "s3cr3t-of-bob", "eyJhbGciOi", "4111 1111", "tok_live_51Hx9")
sys.path.insert(0, EXAMPLE)

from varve_logging import VarveHandler  # noqa: E402


class Python(VarveTest):
    def setUp(self):
        super().setUp()
        self.slack = HttpSink().start()
        self.addCleanup(self.slack.stop)
        example_files.copy("python", self.folder, {
            "alertmanager.yml": {"https://hooks.slack.com": self.slack.url, "group_interval: 1m": "group_interval: 1s"},
            "rules.yaml": {"interval: 5s": "interval: 1s"},
        })

    def handler(self, url, **keywords):
        handler = VarveHandler(url, {"app": "test"}, **keywords)
        handler.setFormatter(logging.Formatter("%(message)s"))
        self.addCleanup(handler.close)
        log = logging.getLogger(f"test{id(handler)}")
        log.propagate = False
        log.setLevel(logging.INFO)
        log.addHandler(handler)
        return log, handler

    def test_files_are_right(self):
        for command in (("rules", "check", os.path.join(EXAMPLE, "rules.yaml")),
                        ("rules", "test", os.path.join(EXAMPLE, "rules_test.yaml"))):
            status, out, err = self.run_varve(*command)
            self.assertEqual(0, status, out + err)
        with open(os.path.join(EXAMPLE, "varve_logging.py"), encoding="utf-8") as f:
            self.assertLessEqual(len([line for line in f if line.strip()]), 50)

    def test_errors_reach_slack_with_their_context_and_without_secrets(self):
        server = self.started("--config", os.path.join(self.folder, "varve.yaml"))
        began = time.time_ns()
        done = subprocess.run([sys.executable, os.path.join(EXAMPLE, "app.py"), f"http://127.0.0.1:{server.port}"],
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("correct-horse-battery", done.stderr)  # the program's own output is its own
        message = self.slack.wait_for(seconds=60)
        self.assertTrue(message.path.startswith("/services/T00000000/"), message.path)
        attachment = message.json["attachments"][0]
        self.assertIn("ERROR in shop (shop.checkout, app.py:", attachment["title"])
        text = attachment["text"]
        for part in ("ERROR shop.checkout: order 4711 failed", "Traceback (most recent call last)", "in charge",
                     "ConnectionError: payment gateway refused token=****", "before it:",
                     "WARNING shop.checkout: stock of item 17 is low", "charging alice, card=****1111"):
            self.assertIn(part, text)
        lines = [line for _, line in server.lines('{app="shop"}', began, time.time_ns() + NS)]
        self.assertEqual(6, len(lines), lines)
        for part in ("login of user=alice password=****", "https://bob:****@example.org/stock", '"Bearer ****", "Accept"'):
            self.assertTrue(any(part in line for line in lines), (part, lines))
        everything = message.text + "\n".join(lines) + str(server.query_range('{app="shop"}', began, time.time_ns()).json)
        server.kill()
        for folder, _, names in os.walk(self.data_dir):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    everything += f.read().decode(errors="replace")
        for secret in SECRETS:
            self.assertNotIn(secret, everything)
        server.start()
        server.flush()
        self.assertEqual(lines, [line for _, line in server.lines('{app="shop"}', began, time.time_ns() + NS)])

    def test_every_line_arrives_once_and_in_order(self):
        server = self.started()
        began = time.time_ns()
        log, handler = self.handler(f"http://127.0.0.1:{server.port}")
        for n in range(3000):
            log.info("line %d", n)
        for _ in range(10):
            log.info("the same")
        handler.close()
        self.assertEqual(0, handler.dropped)
        lines = [line for _, line in server.lines('{app="test"}', began, time.time_ns() + NS)]
        self.assertEqual([f"line {n}" for n in range(3000)] + ["the same"] * 10, lines)

    def test_a_server_that_is_away_for_a_while_gets_everything_later(self):
        server = self.started()
        server.listen = f"127.0.0.1:{server.port}"
        server.kill()
        began = time.time_ns()
        log, handler = self.handler(f"http://127.0.0.1:{server.port}")
        for n in range(100):
            log.info("line %d", n)
        server.start()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(server.lines('{app="test"}', began, time.time_ns() + NS)) < 100:
            time.sleep(0.1)
        self.assertEqual(100, len(server.lines('{app="test"}', began, time.time_ns() + NS)))
        handler.close()

    def test_nothing_blocks_and_what_is_dropped_is_counted(self):
        hanging = HttpSink(mode="hang").start()
        self.addCleanup(hanging.stop)
        for url in (hanging.url, "http://127.0.0.1:1"):
            log, handler = self.handler(url, capacity=1000, timeout=1)
            n, began = 20_000, time.monotonic()
            for i in range(n):
                log.info("line %d", i)
            self.assertLess(time.monotonic() - began, 60)  # a request alone takes its timeout of a second
            self.assertGreaterEqual(handler.dropped, n - 1000 - 1000)  # the queue, and a batch in flight
            began = time.monotonic()
            handler.close()
            self.assertLess(time.monotonic() - began, 30)


if __name__ == "__main__":
    unittest.main()
