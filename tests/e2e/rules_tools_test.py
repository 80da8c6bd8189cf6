"""varve rules check, test and backfill; the first two beside Debian's promtool on the same files."""
import os
import shutil
import subprocess
import time
import unittest

import remote_write as rw
from varve_process import NS, VarveTest, run

RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rules")
PROMTOOL = shutil.which("promtool")
NOW = int(time.time()) // 60 * 60

# (name, text, whether it is right)
CHECKED = [
    ("good", "groups:\n- name: g\n  interval: 1m\n  rules:\n  - {record: a, expr: sum(up)}\n  - {alert: A, expr: up == 0, for: 1h30m}\n", True),
    ("empty", "", True),
    ("no_rules", "groups: [{name: g}]\n", True),
    ("nulls", "groups:\n- name: g\n  interval:\n  rules:\n  - {record: a, expr: up, labels: ~, for: ~}\n", True),
    ("alias", "groups:\n- name: g\n  rules:\n  - &a {alert: A, expr: up}\n  - {<<: *a, alert: B}\n", True),
    ("unknown_key", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, annotation: {}}\n", False),
    ("unknown_group_key", "groups:\n- name: g\n  colour: red\n", False),
    ("not_yaml", "groups: [\n", False),
    ("list", "- a\n", False),
    ("twice", "groups:\n- name: g\n  name: h\n", False),
    ("two_groups", "groups:\n- name: g\n- name: g\n", False),
    ("no_name", "groups:\n- rules: []\n", False),
    ("bad_expr", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'sum('}\n", False),
    ("no_expr", "groups:\n- name: g\n  rules:\n  - {alert: A}\n", False),
    ("both", "groups:\n- name: g\n  rules:\n  - {alert: A, record: b, expr: up}\n", False),
    ("neither", "groups:\n- name: g\n  rules:\n  - {expr: up}\n", False),
    ("record_for", "groups:\n- name: g\n  rules:\n  - {record: a, expr: up, for: 5m}\n", False),
    ("record_annotations", "groups:\n- name: g\n  rules:\n  - {record: a, expr: up, annotations: {a: b}}\n", False),
    ("record_name", "groups:\n- name: g\n  rules:\n  - {record: 'a{b=\"c\"}', expr: up}\n", False),
    ("name_label", "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, labels: {__name__: b}}\n", False),
    ("duration", "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, for: 5}\n", False),
    ("variable", "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, annotations: {b: '{{ $label.x }}'}}\n", False),
    ("template", "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, labels: {b: '{{ if }}'}}\n", False),
    ("function", "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, labels: {b: '{{ nothing 1 }}'}}\n", False),
    ("unquoted", "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, labels: {b: {c: d}}}\n", False),
]


def promtool(*arguments):
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def paths(name):
    return sorted(os.path.join(RULES, n) for n in os.listdir(RULES) if n.endswith(name))


def without_last_word(text):
    """What varve says beyond promtool."""
    return "".join(line for line in text.splitlines(True) if not line.startswith("varve: "))


class Check(VarveTest):
    def write(self, name, text):
        path = os.path.join(self.folder, name + ".yml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def test_finds_what_is_wrong_and_nothing_else(self):
        for name, text, right in CHECKED:
            with self.subTest(name=name):
                status, out, err = run("rules", "check", self.write(name, text))
                self.assertEqual(0 if right else 1, status, err)
                self.assertEqual(right, "  SUCCESS: " in out, out)
                self.assertEqual(not right, "  FAILED:" in err, err)

    @unittest.skipUnless(PROMTOOL, "promtool is not installed")
    def test_agrees_with_promtool(self):
        texts = [(name, text) for name, text, _ in CHECKED]
        for path in paths(".yml"):
            if "logs" not in path and "_test" not in path:
                with open(path, encoding="utf-8") as f:
                    texts.append((os.path.basename(path), f.read()))
        for name, text in texts:
            with self.subTest(name=name):
                path = self.write(name, text)
                ours, theirs = run("rules", "check", path), promtool("check", "rules", path)
                self.assertEqual(theirs[0], ours[0], ours[2])
                self.assertEqual(theirs[1].split("SUCCESS")[1:], ours[1].split("SUCCESS")[1:])

    def test_tells_every_error_with_its_place(self):
        path = self.write("bad", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'sum('}\n  - {alert: B, expr: up, fro: 1m}\n")
        status, _, err = run("rules", "check", path)
        self.assertEqual(1, status)
        self.assertIn(f'{path}:4: group "g", rule 1 "A": could not parse expression: 1:5: parse error', err)
        self.assertIn(f'{path}:5: group "g", rule 2 "B": unknown key "fro"', err)

    def test_lint(self):
        path = self.write("twins", "groups:\n- name: g\n  rules:\n  - {record: a, expr: up}\n  - {record: a, expr: up > 1}\n")
        status, _, err = run("rules", "check", path)
        self.assertEqual(0, status)
        self.assertIn("1 duplicate rule(s) found.\nMetric: a\n", err)
        self.assertEqual(1, run("rules", "check", "--lint-fatal", path)[0])
        self.assertEqual((0, "", True), (lambda s, o, e: (s, e, "SUCCESS" in o))(*run("rules", "check", "--lint", "none", path)))

    def test_standard_input_and_lokis_files(self):
        text = "groups: [{name: g, rules: [{alert: A, expr: 'count_over_time({a=\"b\"}[5m]) > 1'}]}]"
        status, out, _ = run("rules", "check", "--language", "logql", stdin=text.encode())
        self.assertEqual((0, "Checking standard input\n  SUCCESS: 1 rules found\n\n"), (status, out))
        self.assertEqual(1, run("rules", "check", "/nowhere/rules.yml")[0])
        status, _, err = run("rules", "check", stdin=b"groups: []\n---\ngroups: [{name: g}]\n")
        self.assertEqual(0, status)
        self.assertIn("WARNING: the file has several YAML documents", err)


class Test(VarveTest):
    @unittest.skipUnless(PROMTOOL, "promtool is not installed")
    def test_says_what_promtool_says(self):
        compared = 0
        for path in paths("_test.yml"):
            if "logs" in path:
                continue
            with self.subTest(path=path):
                ours, theirs = run("rules", "test", path), promtool("test", "rules", path)
                self.assertEqual(theirs[0], ours[0], ours[2])
                self.assertEqual(theirs[1].split(), ours[1].split())
                self.assertEqual(theirs[2].split(), without_last_word(ours[2]).split())
                compared += 1
        self.assertEqual(5, compared)

    def test_expected_results(self):
        for path in paths("_test.yml"):
            with self.subTest(path=path):
                right = not any(word in path for word in ("wrong", "limit"))
                status, out, err = run("rules", "test", path)
                self.assertEqual(0 if right else 1, status, err)
                self.assertEqual(right, "  SUCCESS" in out)

    def test_one_by_name(self):
        path = os.path.join(RULES, "wrong_test.yml")
        self.assertEqual(0, run("rules", "test", "--run", "another name", path)[0])
        self.assertEqual(1, run("rules", "test", "--run", "not what", path)[0])

    def test_bad_test_files(self):
        path = os.path.join(self.folder, "bad_test.yml")
        for text, error in [("tests: [{input_serie: []}]", f'{path}:1: unknown key "input_serie"'),
                            ("tests:\n- input_series: [{series: 'a{', values: 1}]\n", "input series"),
                            ("tests:\n- input_streams: [{stream: '{a=~\"b\"}', lines: [x]}]\n", "input stream"),
                            ("tests:\n- alert_rule_test: [{eval_time: 1m}]\n", "misses required attribute alertname"),
                            ("group_eval_order: [a, a]\n", "group name repeated in evaluation order: a")]:
            with self.subTest(text=text):
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text)
                status, _, err = run("rules", "test", path)
                self.assertEqual(1, status)
                self.assertIn(error, err)


class Backfill(VarveTest):
    RULES = """groups:
- name: g
  interval: 1m
  labels: {source: backfill}
  rules:
  - record: load:sum
    expr: sum(load)
  - record: load:sum:peak
    expr: max_over_time(load:sum[5m])
  - record: errors:count1m
    expr: sum by (app) (count_over_time({app="shop"} |= "error" [1m]))
  - {alert: A, expr: load > 5}
"""

    def test_writes_what_the_rules_would_have_recorded(self):
        server = self.started()
        first = NOW - 1800
        answer = rw.write(server, *(rw.time_series({"__name__": "load", "host": f"h{h}"}, [
            ((first + 60 * i) * 1000, float(i)) for i in range(20)]) for h in range(2)))
        self.assertEqual(204, answer.status, answer.text)
        server.push_streams(({"app": "shop"}, [((first + 30 + 10 * i) * NS, f"error {i}") for i in range(30)]))
        path = os.path.join(self.folder, "rules.yml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(self.RULES)
        command = ("rules", "backfill", "--addr", f"http://127.0.0.1:{server.port}", "--from", str(first),
                   "--to", str(first + 1560), path)
        status, out, err = run(*command)
        self.assertEqual(0, status, err)
        self.assertIn("of 3 recording rules", out)
        self.assertIn("1 alerting rule(s) left out", err)
        before = self.values(server, first)
        self.assertEqual([2.0 * i for i in range(20)], before["load:sum"][:20])
        self.assertEqual([2.0 * i for i in range(20)], before["load:sum:peak"][:20])
        self.assertEqual([4, 6, 6, 6, 6, 2], before["errors:count1m"][:6])
        # It ended with its series, five minutes behind the last sample: not one step later.
        self.assertEqual(24, len(before["load:sum"]))
        self.assertEqual((0, before), (run(*command)[0], self.values(server, first)))

    def values(self, server, first):
        found = {}
        for name in ("load:sum", "load:sum:peak", "errors:count1m"):
            answer = server.get("/api/v1/query_range", {"query": '{__name__="%s",source="backfill"}' % name,
                                                        "start": first, "end": first + 1740, "step": 60})
            self.assertEqual(200, answer.status, answer.text)
            series = answer.json["data"]["result"]
            self.assertEqual(1, len(series), name)
            found[name] = [float(value) for _, value in series[0]["values"]]
        return found

    def test_failures_name_the_rule(self):
        server = self.started()
        path = os.path.join(self.folder, "rules.yml")
        with open(path, "w", encoding="utf-8") as f:
            f.write("groups: [{name: g, rules: [{record: r, expr: 'load'}]}]")
        answer = rw.write(server, rw.time_series({"__name__": "load"}, [((NOW - 60) * 1000, 1.0)]),
                          rw.time_series({"__name__": "r"}, [((NOW - 60) * 1000, 2.0)]))
        self.assertEqual(204, answer.status, answer.text)
        address = ("--addr", f"http://127.0.0.1:{server.port}")
        status, _, err = run("rules", "backfill", *address, "--from", str(NOW - 120), "--to", str(NOW), path)
        self.assertEqual(1, status)
        self.assertIn("not all samples were taken", err)
        status, _, err = run("rules", "backfill", "--retries", "0", "--addr", "http://127.0.0.1:1", path)
        self.assertEqual(1, status)
        self.assertIn('group "g", rule "r"', err)


if __name__ == "__main__":
    unittest.main()
