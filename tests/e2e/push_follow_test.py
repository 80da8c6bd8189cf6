"""varve push --follow: every line once, whatever becomes of the files, the follower and the server."""
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
import unittest
from collections import Counter

from varve_process import BINARY, NS, VarveTest

PATIENCE = 60  # seconds a busy machine may take for what should take milliseconds


class Follow(VarveTest):
    def setUp(self):
        super().setUp()
        self.logs = os.path.join(self.folder, "logs")
        os.mkdir(self.logs)
        self.state = os.path.join(self.folder, "state.json")
        self.process = None

    def path(self, name="app.log"):
        return os.path.join(self.logs, name)

    def write(self, text, name="app.log"):
        with open(self.path(name), "a", encoding="utf-8") as f:
            f.write(text)

    def arguments(self, *more, pattern="app.log*"):
        return ["push", "--follow", "--state", self.state, "--label", "job=app", *more, self.path(pattern)]

    def environment(self):
        return {"VARVE_ADDR": f"http://127.0.0.1:{self.server_.port}"}

    def follow(self, *more, pattern="app.log*"):
        self.err = open(os.path.join(self.folder, "follow.err"), "ab")
        self.addCleanup(self.err.close)
        self.process = subprocess.Popen([BINARY, *self.arguments(*more, pattern=pattern)], stdout=subprocess.PIPE,
                                        stderr=self.err, env={**os.environ, "TZ": "UTC", **self.environment()})
        self.addCleanup(self.end, self.process)
        return self.process

    def end(self, process):
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.process.wait(PATIENCE), self.log())

    def drain(self, *more, pattern="app.log*"):
        status, out, err = self.run_varve(*self.arguments("--stop-at-end", *more, pattern=pattern), env=self.environment())
        self.assertEqual(0, status, err)
        return out

    def log(self):
        if self.process is None:
            return ""
        with open(os.path.join(self.folder, "follow.err"), encoding="utf-8") as f:
            return f.read()

    def start_server(self):
        self.server_ = self.started()
        self.server_.listen = f"127.0.0.1:{self.server_.port}"

    def streams(self, query='{job="app"}', start=None, end=None):
        answer = self.server_.query_range(query, start or time.time_ns() - 25 * 24 * 3600 * NS,
                                          end or time.time_ns() + 3600 * NS, limit=5000, direction="forward")
        self.assertEqual(200, answer.status, answer.text)
        return answer.json["data"]["result"]

    def stored(self, **keywords):
        return [line for s in self.streams(**keywords) for _, line in s["values"]]

    def eventually(self, lines, **keywords):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            stored = self.stored(**keywords)
            if len(stored) >= len(lines):
                break
            time.sleep(0.05)
        self.assertEqual(sorted(lines), sorted(stored), self.log())

    def said(self, text, times=1):
        deadline = time.monotonic() + PATIENCE
        while self.log().count(text) < times and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertGreaterEqual(self.log().count(text), times, self.log())

    def test_lines_arrive_as_they_are_written(self):
        self.start_server()
        self.write("one\ntwo\nthr")
        self.follow(pattern="app*.log")
        self.eventually(["one", "two"])
        self.write("ee\n")
        self.eventually(["one", "two", "three"])
        self.write("other\n", "app2.log")
        self.eventually(["one", "two", "three", "other"])
        self.assertEqual({self.path(), self.path("app2.log")}, {s["stream"]["filename"] for s in self.streams()})
        times = []
        for n in range(10):
            began = time.monotonic()
            self.write(f"line {n}\n")
            while f"line {n}" not in self.stored() and time.monotonic() < began + PATIENCE:
                time.sleep(0.005)
            times.append(time.monotonic() - began)
        print(f"line to queryable: median {sorted(times)[5] * 1000:.0f} ms, worst {max(times) * 1000:.0f} ms")
        self.assertLess(sorted(times)[5], 2)
        self.stop()
        self.assertRegex(self.process.stdout.read().decode(), r"^pushed 14 lines, .* in \d+\.\d\d s\n$")

    def test_times_fields_and_levels_come_from_the_line_and_duplicates_are_one(self):
        self.start_server()
        at = time.gmtime(time.time() - 3600)
        stamp = time.strftime("%b %e %H:%M:%S", at)
        failed = f"{stamp} LabSZ sshd[24200]: Failed password for invalid user bob from 5.36.59.76 port 42393 ssh2"
        closed = f"{stamp} LabSZ sshd[24200]: Connection closed by 212.47.254.145 [preauth]"
        self.write(f"{failed}\n{failed}\n{closed}\n  continued\n  continued\n")
        out = self.drain("--timestamp-format", "syslog", "--time-zone", "UTC",
                         "--fields", r"for (?:invalid user )?(?P<user>\S+) from (?P<ip>\S+) port (?P<port>\d+)",
                         "--fields", r"by (?P<ip>\d+\.\d+\.\d+\.\d+)", "--level", "error=Failed password", "--level", "info=.")
        self.assertTrue(out.startswith("pushed 5 lines"), out)
        found = {}
        for stream in self.streams():
            for ts, line in stream["values"]:
                found[line, int(ts)] = {k: stream["stream"].get(k) for k in ("user", "ip", "port", "level")}
        seconds = int(time.mktime(at) - time.timezone) if time.daylight == 0 else None
        self.assertEqual(4, len(found))
        self.assertEqual({"user": "bob", "ip": "5.36.59.76", "port": "42393", "level": "error"},
                         next(v for (line, _), v in found.items() if line == failed))
        self.assertEqual({"user": None, "ip": "212.47.254.145", "port": None, "level": "info"},
                         next(v for (line, _), v in found.items() if line == closed))
        times = sorted(ts for _, ts in found)
        if seconds is not None:
            self.assertEqual(seconds * NS, times[0])
        # What has no time of its own follows the line before, each in its place.
        self.assertEqual([times[0], times[0], times[0] + 1, times[0] + 2], times)

    def test_a_restart_goes_on_where_it_was(self):
        self.start_server()
        self.write("one\ntwo")
        self.drain()
        self.write(" and a half\nthree\n")
        out = self.drain()
        self.assertTrue(out.startswith("pushed 2 lines"), out)
        self.assertTrue(self.drain().startswith("pushed 0 lines"))
        self.eventually(["one", "two and a half", "three"])

    def test_from_end_skips_only_what_was_there_at_first(self):
        self.start_server()
        self.write("old\n")
        self.assertTrue(self.drain("--from-end").startswith("pushed 0 lines"))
        self.write("new\n")
        self.write("newer file\n", "app.log.x")
        self.drain("--from-end")
        self.eventually(["new", "newer file"])

    def rotations(self, running):
        """Rotates in every way, while the follower runs or while it does not; the lines that are due."""
        self.start_server()
        due = []

        def add(*lines, name="app.log"):
            due.extend(lines)
            self.write("".join(line + "\n" for line in lines), name)

        if running:
            self.follow(pattern="app.log")
        step = (lambda: self.eventually(due)) if running else (lambda: self.drain(pattern="app.log"))
        add("one", "two")
        step()
        # By renaming: the rest of the old file comes too, under its first name.
        add("three")
        os.rename(self.path(), self.path("app.log.1"))
        add("late in the old file", name="app.log.1")
        add("first in the new file")
        step()
        # By copying and truncating: what was not read yet is in the copy.
        add("four")
        if running:
            os.kill(self.process.pid, signal.SIGSTOP)
        add("five, only in the copy")
        shutil.copyfile(self.path(), self.path("app.log.2"))
        os.truncate(self.path(), 0)
        add("first after truncation, longer than all that was there before " + "x" * 200)
        if running:
            os.kill(self.process.pid, signal.SIGCONT)
        step()
        os.truncate(self.path(), 0)
        step()
        add("short")
        step()
        self.eventually(due)
        self.assertEqual({self.path()}, {s["stream"]["filename"] for s in self.streams()})

    def test_rotation_while_it_runs(self):
        self.rotations(running=True)
        self.stop()

    def test_rotation_while_it_does_not(self):
        self.rotations(running=False)

    def test_copies_are_not_sent_beside_what_they_are_copies_of(self):
        self.start_server()
        self.write("one\ntwo\n")
        self.follow()
        self.eventually(["one", "two"])
        shutil.copyfile(self.path(), self.path("app.log.1"))
        self.write("three\n")
        self.eventually(["one", "two", "three"])
        self.stop()
        self.assertIn("pushed 3 lines", self.process.stdout.read().decode())

    def test_files_that_begin_alike_are_no_copies(self):
        self.start_server()
        self.write("banner\n")
        self.follow()
        self.eventually(["banner"])
        self.write("banner\nother\n", "app.log.1")
        self.eventually(["banner"] * 2 + ["other"])
        self.stop()
        # Truncated while nobody looked; what is in the other file was sent under its own name.
        os.truncate(self.path(), 0)
        self.write("new\n")
        self.drain()
        self.eventually(["banner"] * 2 + ["other", "new"])

    def test_a_copy_that_was_made_while_nobody_looked_is_not_sent(self):
        self.start_server()
        self.write("one\ntwo\n")
        self.drain()
        shutil.copyfile(self.path(), self.path("app.log.1"))
        self.write("three\n")
        self.assertTrue(self.drain().startswith("pushed 1 lines"))
        self.eventually(["one", "two", "three"])

    def test_waits_for_a_server_that_is_down(self):
        self.start_server()
        self.write("one\n")
        self.follow()
        self.eventually(["one"])
        self.server_.kill()
        self.write("two\n")
        deadline = time.monotonic() + PATIENCE
        while "waiting for the server" not in self.log() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.server_.start()
        self.eventually(["one", "two"])
        self.assertIn("the server takes lines again", self.log())
        self.stop()

    def test_files_that_are_rotated_while_the_server_is_down_are_all_sent(self):
        self.start_server()
        self.write("one\n")
        self.follow(pattern="app.log")
        self.eventually(["one"])
        self.server_.kill()
        self.write("two\n")
        self.said("waiting for the server")
        for generation in range(1, 4):
            os.rename(self.path(), self.path(f"old.{generation}"))
            self.write(f"of file {generation}\n")
            # Each begins as another file under the one name that is followed.
            self.said("followed from byte 0", times=generation + 1)
        self.process.kill()
        self.process.wait()
        self.server_.start()
        self.follow(pattern="app.log")
        self.eventually(["one", "two", "of file 1", "of file 2", "of file 3"])
        self.stop()

    def test_a_stop_while_the_server_is_down_loses_nothing(self):
        self.start_server()
        self.write("one\n")
        self.drain()
        self.server_.kill()
        self.follow()
        self.write("two\n")
        deadline = time.monotonic() + PATIENCE
        while "waiting for the server" not in self.log() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.stop()
        self.server_.start()
        self.drain()
        self.eventually(["one", "two"])

    def test_what_the_server_refuses_is_told_and_passed_over(self):
        self.server_ = self.started("--set", "limits.max_line_size=20")
        self.write("one\n" + "x" * 30 + "\ntwo\n")
        status, _, err = self.run_varve(*self.arguments("--stop-at-end"), env=self.environment())
        self.assertEqual(1, status)
        self.assertIn("a batch of 3 lines was not taken in full: answered 400: ", err)
        self.eventually(["one", "two"])
        self.assertTrue(self.drain().startswith("pushed 0 lines"))

    def storm(self, seed, *more, kill_server=True, line="L{n:07d} {pad}"):
        """A writer that rotates at random, while both sides are killed at random."""
        print(f"seed {seed}")
        chance = random.Random(seed)
        self.start_server()
        self.follow(*more)
        due = []
        stop = threading.Event()

        def write():
            rotated = 0
            file = open(self.path(), "a", encoding="utf-8")
            while not stop.is_set():
                for _ in range(chance.randrange(1, 40)):
                    text = line.format(n=len(due), pad="x" * chance.randrange(60),
                                       stamp=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
                    due.append(text)
                    half = chance.randrange(len(text))
                    file.write(text[:half])
                    if chance.random() < 0.2:
                        file.flush()
                    file.write(text[half:] + "\n")
                file.flush()
                what = chance.random()
                if what < 0.1:
                    rotated += 1
                    os.rename(self.path(), self.path(f"app.log.{rotated}"))
                    if chance.random() < 0.5:
                        file.close()
                        file = open(self.path(), "a", encoding="utf-8")
                    else:  # goes on for a while in the renamed one
                        late = file
                        file = open(self.path(), "a", encoding="utf-8")
                        due.append(line.format(n=len(due), pad="late", stamp=time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                                                                           time.gmtime())))
                        late.write(due[-1] + "\n")
                        late.close()
                elif what < 0.2:
                    rotated += 1
                    shutil.copyfile(self.path(), self.path(f"app.log.{rotated}"))
                    os.truncate(self.path(), 0)
                time.sleep(chance.random() * 0.03)
            file.close()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            end = time.monotonic() + 10
            while time.monotonic() < end:
                time.sleep(chance.random() * 0.5)
                if kill_server and chance.random() < 0.3:
                    self.server_.kill()
                    time.sleep(chance.random() * 0.2)
                    self.server_.start()
                else:
                    self.process.kill()
                    self.process.wait()
                    self.process.stdout.close()
                    time.sleep(chance.random() * 0.2)
                    self.follow(*more)
        finally:
            stop.set()
            writer.join()
        self.process.send_signal(signal.SIGTERM)
        self.assertIn(self.process.wait(PATIENCE), (0, -signal.SIGTERM))  # it may just have been started
        self.drain(*more)
        count = Counter()
        for stream in self.all_lines():
            count[stream] += 1
        wrong = {text: n for text, n in count.items() if n != 1}
        missing = [text for text in due if text not in count]
        self.assertEqual(({}, []), (dict(list(wrong.items())[:5]), missing[:5]),
                         f"seed {seed}, {len(due)} lines, {len(wrong)} wrong, {len(missing)} missing\n{self.log()[-1500:]}")
        self.assertEqual(set(due), set(count))
        print(f"{len(due)} lines, each once")

    def all_lines(self):
        """Of however many there are: by `varve query`."""
        status, out, err = self.run_varve("query", '{job="app"}', "--since", "1h", "--limit", "1000000", "-o", "json",
                                          env=self.environment())
        self.assertEqual(0, status, err)
        return [json.loads(text)["line"] for text in out.splitlines()]

    def test_a_storm_of_rotations_and_kills_with_times_of_lines(self):
        self.storm(int(os.environ.get("VARVE_SEED", time.time_ns() % 100_000)), "--timestamp-format", "rfc3339",
                   line="{stamp} L{n:07d} {pad}")

    def test_a_storm_of_rotations_and_kills_with_times_of_reading(self):
        self.storm(int(os.environ.get("VARVE_SEED", time.time_ns() % 100_000)))

    def test_mistakes_are_named(self):
        self.start_server()
        env = self.environment()
        self.write("x\n")
        with open(self.state, "w", encoding="utf-8") as f:
            f.write("{}")
        status, _, err = self.run_varve(*self.arguments(), env=env)
        self.assertEqual(1, status)
        self.assertIn("state.json: not the state of a follower", err)
        os.remove(self.state)
        for more, said in ((("--timestamp-format", "noon"), "--timestamp-format noon: neither rfc3339, syslog, unix"),
                           (("--timestamp-format", "%Q"), "no directive %Q"),
                           (("--timestamp-format", "syslog", "--time-zone", "Mars/Base"), "no such time zone"),
                           (("--fields", "(a"), "--fields (a: error parsing regexp"),
                           (("--fields", "(a)"), "has no named group"),
                           (("--level", "x"), "expected LEVEL=REGEX"),
                           (("--label", "filename=x"), "is also the label of the file name")):
            status, _, err = self.run_varve(*self.arguments(*more), env=env)
            self.assertEqual(1, status, more)
            self.assertIn(said, err)
        status, _, err = self.run_varve("push", "--follow", "--label", "job=x", self.path(), env=env)
        self.assertEqual(2, status)
        self.follow()
        self.eventually(["x"])
        status, _, err = self.run_varve(*self.arguments(), env=env)
        self.assertEqual(1, status)
        self.assertIn("another process uses this state", err)


if __name__ == "__main__":
    unittest.main()
