"""The command line as a person uses it: the README's examples, pipes, exit statuses, help."""
import csv
import gzip
import io
import json
import os
import subprocess
import time
import unittest

from varve_process import BINARY, NS, VarveTest

SSHD = [f"Dec 10 06:55:{i % 60:02} LabSZ sshd[24200]: Failed password for root from 10.0.0.{i % 4 + 1} port 22 ssh2"
        for i in range(200)] + ["Dec 10 07:00:00 LabSZ sshd[24200]: Connection closed by 10.0.0.9 [preauth]"]
COMMANDS = ("serve", "query", "push", "labels", "series", "inspect", "verify")


class CommandLine(VarveTest):
    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.folder, "sshd.log")
        with open(self.file, "w", encoding="utf-8") as f:
            f.write("\n".join(SSHD) + "\n")

    def with_logs(self):
        server = self.started()
        self.addr = {"VARVE_ADDR": f"http://127.0.0.1:{server.port}"}
        status, out, err = self.run_varve("push", "--label", "job=sshd", self.file, env=self.addr)
        self.assertEqual((0, ""), (status, err))
        self.assertRegex(out, r"^pushed 201 lines, 1\d\.\d KB in \d+\.\d\d s\n$")
        return server

    def ok(self, *arguments, **keywords):
        status, out, err = self.run_varve(*arguments, env=self.addr, **keywords)
        self.assertEqual((0, ""), (status, err), arguments)
        return out

    def test_the_examples_of_the_first_issue(self):
        server = self.with_logs()
        lines = self.ok("query", '{job="sshd"} |= "Failed password" | regexp `from (?P<ip>\\S+)`', "--since", "1h",
                        "--limit", "1000", "--direction", "forward")
        self.assertEqual(SSHD[:200], lines.splitlines())
        top = self.ok("query", 'topk(3, sum by (ip) (count_over_time({job="sshd"} |= "Failed password" '
                               '| regexp `from (?P<ip>\\S+)` [1h])))')
        self.assertEqual(3, len(top.splitlines()))
        for line in top.splitlines():
            self.assertRegex(line, r'^\{ip="10\.0\.0\.\d"\} 50$')
        self.assertEqual(["job", "service_name"], self.ok("labels").split())
        self.assertEqual("sshd\n", self.ok("labels", "job"))
        self.assertEqual('{job="sshd", service_name="sshd"}\n', self.ok("series", '{job="sshd"}'))
        server.flush()
        self.assertIn("201", self.ok("inspect", self.data_dir))
        self.ok("verify", self.data_dir)

    def test_output_formats(self):
        self.with_logs()
        query = '{job="sshd"} |= "preauth"'
        entry = json.loads(self.ok("query", query, "-o", "json"))
        self.assertEqual((SSHD[200], "sshd"), (entry["line"], entry["labels"]["job"]))
        self.assertLess(abs(int(entry["ts"]) - time.time_ns()), 3600 * NS)
        rows = list(csv.DictReader(io.StringIO(self.ok("query", query, "--output", "csv"))))
        self.assertEqual([SSHD[200]], [r["line"] for r in rows])
        count = 'sum by (job) (count_over_time({job="sshd"}[1h]))'
        self.assertEqual('{job="sshd"} 201\n', self.ok("query", count))
        self.assertEqual([{"job": "sshd", "value": "201"}],
                         [{k: r[k] for k in ("job", "value")} for r in
                          csv.DictReader(io.StringIO(self.ok("query", count, "-o", "csv")))])
        ranged = self.ok("query", count, "--since", "10m", "--step", "60s", "-o", "json")
        self.assertEqual("201", json.loads(ranged)["values"][-1][1])
        self.assertEqual("2\n", self.ok("query", "1+1"))

    def test_limit_and_direction(self):
        self.with_logs()
        self.assertEqual([SSHD[200]], self.ok("query", '{job="sshd"}', "--limit", "1").splitlines())
        self.assertEqual(SSHD[:2], self.ok("query", '{job="sshd"}', "--limit", "2", "--direction", "forward").splitlines())
        self.assertEqual(100, len(self.ok("query", '{job="sshd"}').splitlines()))

    def test_push_takes_gzip_standard_input_and_several_files(self):
        self.with_logs()
        with gzip.open(self.file + ".gz", "wb") as f:
            f.write(b"one\ntwo\n")
        out = self.ok("push", "-l", "job=more", "-l", "kind=gz", self.file + ".gz", "-", stdin=b"three\nfour")
        self.assertTrue(out.startswith("pushed 4 lines"), out)
        self.assertEqual(["one", "two", "three", "four"],
                         self.ok("query", '{job="more", kind="gz"}', "--direction", "forward").splitlines())

    def test_a_pipe_that_stays_open_delivers_without_waiting_for_its_end(self):
        self.with_logs()
        with subprocess.Popen([BINARY, "push", "-l", "job=pipe", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              env={**os.environ, **self.addr}) as process:
            process.stdin.write(b"still running\n")
            process.stdin.flush()
            deadline = time.monotonic() + 30
            while self.ok("query", '{job="pipe"}') != "still running\n" and time.monotonic() < deadline:
                time.sleep(0.1)
            self.assertEqual("still running\n", self.ok("query", '{job="pipe"}'))
            process.stdin.close()
            self.assertEqual(0, process.wait(30))

    def test_equal_lines_stay_distinct_and_in_order(self):
        self.with_logs()
        self.ok("push", "-l", "job=equal", "-", stdin=b"same\n" * 50_000)
        self.assertEqual('{job="equal"} 50000\n', self.ok("query", 'sum by (job) (count_over_time({job="equal"}[1h]))'))

    def test_errors_are_one_line_and_exit_status_1(self):
        self.with_logs()
        cases = {
            ("query", "{job="): "parse error",
            ("query", '{job="x"} | json |'): "parse error",
            ("series", "{nonsense"): "parse error",
            ("push", "-l", "job=x", "/no/such/file"): "/no/such/file: No such file or directory",
            ("push", "-l", "1job=x", self.file): "--label 1job=x",
            ("push", "-l", "job=x", "-l", "job=y", self.file): "given twice",
            ("query", '{job="x"}', "--since", "soon"): '"soon" is not a duration',
            ("query", '{job="x"}', "--from", "2026-11-02", "--to", "2026-11-01"): "time asked for is empty",
            ("labels", "--addr", "http://127.0.0.1:1"): "cannot reach http://127.0.0.1:1",
            ("push", "-l", "job=x", "--addr", "127.0.0.1:1", self.file): "cannot reach http://127.0.0.1:1",
            ("verify", self.folder + "/nothing"): "nothing",
            ("inspect", self.file): "sshd.log",
        }
        for arguments, part in cases.items():
            with self.subTest(arguments):
                status, out, err = self.run_varve(*arguments, env=self.addr)
                self.assertEqual((1, ""), (status, out))
                self.assertIn(part, err)
                self.assertEqual(1, err.count("\n"), err)
                self.assertTrue(err.startswith("varve: "), err)

    def test_usage_errors_exit_with_2(self):
        for arguments in ((), ("nope",), ("query",), ("query", "{}", "--limit", "x"), ("push", "file"), ("labels", "--nope"),
                          ("query", "{}", "--output", "xml"), ("serve", "--durability", "paper"),
                          ("query", "{}", "--since", "1h", "--from", "-2h")):
            with self.subTest(arguments):
                status, out, err = self.run_varve(*arguments)
                self.assertEqual((2, ""), (status, out), err)
                self.assertEqual(1, err.count("\n"), err)

    def test_every_command_explains_itself_with_examples(self):
        status, out, err = self.run_varve("--help")
        self.assertEqual((0, ""), (status, err))
        for command in COMMANDS:
            self.assertIn(command, out)
            status, text, err = self.run_varve(command, "--help")
            self.assertEqual((0, ""), (status, err))
            self.assertIn(f"Examples:\n  varve {command}", text)

    def test_colours_are_for_terminals(self):
        self.with_logs()
        pid, terminal = os.forkpty()
        if pid == 0:
            environment = {**os.environ, **self.addr, "TERM": "xterm", "TZ": "UTC"}
            environment.pop("NO_COLOR", None)
            os.execve(BINARY, ["varve", "query", '{job="sshd"}', "--limit", "2"], environment)
        shown = b""
        try:
            while chunk := os.read(terminal, 4096):
                shown += chunk
        except OSError:
            pass  # the other end of a terminal is gone
        self.assertEqual(0, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        self.assertIn(b"\x1b[", shown)
        self.assertIn(b"all lines: {", shown)
        self.assertIn(b"preauth", shown)


if __name__ == "__main__":
    unittest.main()
