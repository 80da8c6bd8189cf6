"""docs/examples/ssh, its own files: sshd's lines followed from a file, brute force by mail within seconds, the daily report.

    example_ssh_test.py [CONFORMANCE_DIR]     # whose raw/OpenSSH_2k.log.gz are the lines; else made-up ones

Only the mail server's address is replaced, and where it says so the report's schedule and delay.
"""
import collections
import datetime
import gzip
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
import unittest
import zoneinfo

import example_files
from smtp_sink import SmtpSink
from varve_process import BINARY, NS, ROOT, VarveTest

CONFORMANCE_DIR = sys.argv.pop(1) if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]) else None
EXAMPLE = os.path.join(ROOT, "docs", "examples", "ssh")
SEOUL = zoneinfo.ZoneInfo("Asia/Seoul")
TRIALS = 12
LINE_TO_MAIL_SECONDS_MAX = 5


def syslog_time(when):
    return f"{when:%b} {when.day:2d} {when:%H:%M:%S}"


def made_up_lines():
    """Like those of the kit, for who does not have it."""
    rng = random.Random(5)
    lines = []
    for second in sorted(rng.randrange(6 * 3600, 12 * 3600) for _ in range(1500)):
        when, ip = f"Dec 10 {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}", f"10.0.{rng.randrange(3)}.{rng.choice([1, 1, 1, 2, 3])}"
        pid = rng.randrange(20000, 30000)
        lines.append(f"{when} LabSZ sshd[{pid}]: " + rng.choice([
            f"Failed password for root from {ip} port {rng.randrange(1024, 65536)} ssh2",
            f"Invalid user admin from {ip}", f"Received disconnect from {ip}: 11: Bye Bye [preauth]",
            f"Accepted password for eve from {ip} port {rng.randrange(1024, 65536)} ssh2",
            "pam_unix(sshd:auth): check pass; user unknown"]))
    return lines


def real_lines():
    if CONFORMANCE_DIR is None:
        return made_up_lines()
    with gzip.open(os.path.join(CONFORMANCE_DIR, "raw", "OpenSSH_2k.log.gz"), "rt", encoding="utf-8") as f:
        return [line.rstrip("\r\n") for line in f if line.strip()]


# ---- What the entry should say, from the lines alone ----------------------------------------------

ADDRESS = r"[0-9a-fA-F.:]*[0-9a-fA-F]"
FIELDS = [r"(?:Failed|Accepted) \S+ for (?:invalid user )?(?P<user>\S*) from (?P<ip>" + ADDRESS + r") port (?P<port>\d+)",
          r"[Ii]nvalid user (?P<user>\S*) from (?P<ip>" + ADDRESS + ")", r"rhost=(?P<ip>" + ADDRESS + ")",
          r"(?:from|by) (?P<ip>\d" + ADDRESS + ")", r"\[(?P<ip>\d+\.\d+\.\d+\.\d+)\]"]


def address_of(line):
    for expression in FIELDS:
        found = re.search(expression, line)
        if found:
            return found.group("ip")
    return None


def is_error(line):
    return re.search(r"Failed password|error:|fatal:|POSSIBLE BREAK-IN ATTEMPT", line) is not None


def top(counts, n=3):
    return ", ".join(f"{ip} ({count})" for ip, count in sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:n])


def expected_entry(lines, year):
    """Lines of one file, all of one day of Seoul; equal ones count once."""
    timed = []
    for line in dict.fromkeys(lines):
        when = datetime.datetime.strptime(f"{year} {line[:15]}", "%Y %b %d %H:%M:%S").replace(tzinfo=SEOUL)
        timed.append((int(when.timestamp()), when.hour, line))
    date = when.date()
    begin = int(datetime.datetime(date.year, date.month, date.day, tzinfo=SEOUL).timestamp())
    hours = collections.Counter(hour for _, hour, _ in timed)
    most = max(hours.values())
    ips = collections.Counter(address_of(line) for _, _, line in timed if address_of(line))
    failures = collections.defaultdict(list)
    for second, _, line in timed:
        if "Failed password" in line and address_of(line):
            failures[address_of(line)].append(second)
    worst = {}
    for ip, seconds in failures.items():
        # Looked at just before every tenth second: five minutes back.
        counts = [sum(1 for s in seconds if end - 300 <= s < end) for end in range(begin + 10, begin + 86401, 10)]
        if max(counts) >= 10:
            worst[ip] = max(counts)
    return date.isoformat(), {
        "metric_date": date.isoformat(), "total_logs": len(timed), "error_count": sum(is_error(line) for _, _, line in timed),
        "unique_ips": len(ips), "peak_hour": min(h for h, n in hours.items() if n == most), "peak_hour_logs": most,
        "top_ip_list": top(ips), "brute_force_ips": len(worst), "top_brute_list": top(worst)}


class Ssh(VarveTest):
    def setUp(self):
        super().setUp()
        self.mail = SmtpSink().start()
        self.addCleanup(self.mail.stop)
        self.log_file = os.path.join(self.folder, "auth.log")
        open(self.log_file, "w", encoding="utf-8").close()

    def serve(self, *arguments, reports=None):
        example_files.copy("ssh", self.folder, {
            "alertmanager.yml": {
                "mail.example.org:587": self.mail.address, "smtp_require_tls: true": "smtp_require_tls: false",
                "  smtp_auth_username: varve\n  smtp_auth_password: change-me\n": ""},
            "reports.yaml": reports or {}})
        return self.started("--config", os.path.join(self.folder, "varve.yaml"), *arguments)

    def follow(self, server, *arguments):
        env = {**os.environ, "VARVE": BINARY, "ADDR": f"http://127.0.0.1:{server.port}",
               "STATE": os.path.join(self.folder, "state.json")}
        process = subprocess.Popen([os.path.join(EXAMPLE, "follow.sh"), self.log_file, *arguments], env=env,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def write(self, *lines):
        with open(self.log_file, "a", encoding="utf-8") as f:
            f.write("".join(line + "\n" for line in lines))

    def entries(self, server, date):
        """What is stored of the days around it."""
        day = datetime.datetime.fromisoformat(date).replace(tzinfo=SEOUL)
        begin, end = (int((day + datetime.timedelta(days=days)).timestamp() * NS) for days in (-3, 3))
        return [json.loads(line) for _, line in server.lines('{job="varve-report", report="ssh"}', begin, end)]

    def mails_to(self, address):
        return [m for m in self.mail.messages if m.recipients == [address]]

    def test_files_are_right(self):
        for command in (("rules", "check", os.path.join(EXAMPLE, "rules.yaml")),
                        ("rules", "test", os.path.join(EXAMPLE, "rules_test.yaml"))):
            status, out, err = self.run_varve(*command)
            self.assertEqual(0, status, out + err)
        if shutil.which("amtool"):
            done = subprocess.run(["amtool", "check-config", os.path.join(EXAMPLE, "alertmanager.yml")],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        with open(os.path.join(EXAMPLE, "dashboard.json"), encoding="utf-8") as f:
            self.assertTrue(json.load(f)["panels"])

    def test_brute_force_is_told_of_within_five_seconds(self):
        server = self.serve()
        self.follow(server)
        fail = "{} web1 sshd[{}]: Failed password for invalid user admin from {} port {} ssh2"
        port = iter(range(20000, 60000))

        def failure(ip):
            return fail.format(syslog_time(datetime.datetime.now(SEOUL)), os.getpid(), ip, next(port))
        self.write(*(failure("203.0.113.99") for _ in range(9)))
        seconds = []
        for trial in range(TRIALS):
            ip = f"203.0.113.{trial + 1}"
            self.write(*(failure(ip) for _ in range(9)))
            time.sleep(random.uniform(0.2, 1.2))  # so that the tenth comes anywhere between two evaluations
            written = time.time()
            self.write(failure(ip))
            mail = self.mail.wait_for(lambda m, ip=ip: m.subject == f"SSH brute force from {ip}", 60)
            seconds.append(mail.arrived - written)
            self.assertEqual(["security@example.org"], mail.recipients)
            self.assertIn(f"{ip}: 10 failed logins within 5 minutes", mail.text)
            self.assertIn(ip, mail.html)
        print(f"tenth line to mail: median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s of {TRIALS}")
        self.assertLessEqual(max(seconds), LINE_TO_MAIL_SECONDS_MAX)
        self.assertEqual(TRIALS, len(self.mail.messages), "nine failures are none, and one mail for each address")
        changes = [json.loads(line) for _, line in server.lines('{job="varve-alerts"} | json | rule="SshBruteForce"',
                                                                int((time.time() - 600) * NS), int((time.time() + 60) * NS))]
        self.assertEqual({f"203.0.113.{n + 1}" for n in range(TRIALS)}, {c["labels"]["ip"] for c in changes})
        found = server.get("/loki/api/v1/query", {"query": 'sum by (user, port, level) (count_over_time({job="sshd"} | ip="203.0.113.1" | port="20009" [5m]))'})
        self.assertEqual([{"user": "admin", "port": "20009", "level": "error"}],
                         [s["metric"] for s in found.json["data"]["result"]])

    def test_the_report_says_what_the_lines_say(self):
        lines = real_lines()
        today = datetime.datetime.now(SEOUL)
        year = today.year if (today.month, today.day) > (12, 10) else today.year - 1
        date, expected = expected_entry(lines, year)
        server = self.serve()
        self.write(*lines, *lines[-50:])  # equal lines are kept once
        follower = self.follow(server, "--stop-at-end")
        self.assertEqual(0, follower.wait(120), follower.stdout.read())
        url = f"http://127.0.0.1:{server.port}"
        status, out, err = self.run_varve("report", "run", "ssh", "--date", date, "--dry-run", "-o", "json", "--addr", url)
        self.assertEqual(0, status, err)
        entry = json.loads(out)
        self.assertRegex(entry.pop("created_at"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00$")
        self.assertEqual(expected, entry)
        self.assertEqual([], self.entries(server, date))
        for run in range(3):
            status, out, err = self.run_varve("report", "run", "ssh", "--date", date, "-o", "json", "--addr", url)
            self.assertEqual(0, status, err)
            self.assertIn("stored, sent" if run == 0 else "was stored before, sent", err)
        stored = self.entries(server, date)
        self.assertEqual(1, len(stored))
        self.assertEqual(list(expected) + ["created_at"], list(stored[0]), "the fields are flat, in the order of the issue")
        mail = self.mail.wait_for(lambda m: m.subject.startswith(f"SSH on {date}"), 10)
        self.assertEqual(["admins@example.org"], mail.recipients)
        for value in (expected["total_logs"], expected["top_ip_list"], expected["peak_hour_logs"]):
            self.assertIn(str(value), mail.html)
            self.assertIn(str(value), mail.text)
        status, out, err = self.run_varve("report", "list", "--addr", url)
        self.assertEqual(0, status, err)
        self.assertRegex(out, rf"ssh +0 9 \* \* \* +Asia/Seoul +day .* {date}")
        opened = os.path.join(self.folder, "opened.html")
        with open(os.path.join(self.folder, "xdg-open"), "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\ncp "$1" {opened}\n')
        os.chmod(f.name, 0o755)
        status, out, err = self.run_varve("report", "run", "ssh", "--date", date, "--dry-run", "--open", "--addr", url,
                                          env={"PATH": f"{self.folder}:{os.environ['PATH']}", "TMPDIR": self.folder})
        self.assertEqual(0, status, err)
        with open(opened, encoding="utf-8") as f:
            self.assertIn(f"<h2>SSH on {date}</h2>", f.read())
        for arguments, complaint in (((date, "none"), "there is no report"), (("9999-01-01", "ssh"), "is not over"),
                                     (("soon", "ssh"), "is not a date")):
            status, out, err = self.run_varve("report", "run", arguments[1], "--date", arguments[0], "--addr", url)
            self.assertEqual(1, status)
            self.assertIn(complaint, err)
        # Asked for like any log.
        answer = server.get("/loki/api/v1/query", {
            "query": 'sum(max_over_time({job="varve-report", report="ssh"} | json | unwrap peak_hour_logs [500d]))'})
        self.assertEqual(str(expected["peak_hour_logs"]), answer.json["data"]["result"][0]["value"][1], answer.text)

    def test_a_failed_report_is_tried_again_and_told_of(self):
        often = {"schedule: 0 9 * * *": "schedule: '* * * * *'\n    period: day", "delay: 5m": "delay: 2s"}
        yesterday = (datetime.datetime.now(SEOUL) - datetime.timedelta(days=1)).date().isoformat()
        # The day's window is longer than a query may look.
        server = self.serve("--set", "limits.max_query_range=1h", reports=often)
        notice = self.mail.wait_for(lambda m: m.recipients == ["operators@example.org"], 90)
        self.assertRegex(notice.subject, r"^ssh: \d{4}-\d\d-\d\d failed$")
        self.assertIn("failed 2 times", notice.text)
        self.assertIn('query "total_logs"', notice.text)
        metrics = server.metrics()
        self.assertEqual([2, 1, 1], [metrics[f"varve_report_{name}_total"] for name in ("failures", "retries", "runs_given_up")])
        self.assertEqual([], self.entries(server, yesterday))
        self.assertEqual([], self.mails_to("admins@example.org"))
        server.kill()
        server = self.serve(reports=often)
        self.mail.wait_for(lambda m: m.recipients == ["admins@example.org"], 90)
        server.kill()
        server.start()
        status, out, err = self.run_varve("report", "run", "ssh", "--date", yesterday, "--addr", f"http://127.0.0.1:{server.port}")
        self.assertEqual(0, status, err)
        dates = [e["metric_date"] for e in self.entries(server, yesterday)]
        self.assertEqual(sorted(set(dates)), dates, "once per date")
        self.assertIn(yesterday, dates)


if __name__ == "__main__":
    unittest.main()
