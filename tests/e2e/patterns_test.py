"""/patterns over the real server: what it finds, that |> finds the same lines, in every state of the data."""
import time
import unittest

from varve_process import NS, VarveTest

NOW = time.time_ns() // (600 * NS) * 600 * NS - 1800 * NS
STEP = 60
PATH = "/loki/api/v1/patterns"


def mixed_lines():
    """One stream of three formats; times 1 s apart."""
    lines = []
    for i in range(200):
        lines.append(f"Dec 10 06:55:{i % 60:02d} LabSZ sshd[{24000 + i}]: Failed password for user{i} "
                     f"from 10.0.{i}.1 port {i + 30000} ssh2")
        lines.append(f'level=warn msg="order {i} placed" took={i}ms')
        lines.append(f'{{"ts":"{i}","level":"error","msg":"payment {i} refused","code":{i}}}')
    return [(NOW + i * NS, line) for i, line in enumerate(lines)]


class Patterns(VarveTest):
    def patterns(self, server, query, **params):
        answer = server.get(PATH, {"query": query, "start": NOW, "end": NOW + 1800 * NS, "step": f"{STEP}s",
                                   **params})
        self.assertEqual(200, answer.status, answer.text)
        self.assertEqual("success", answer.json["status"])
        return answer.json["data"]

    def check(self, server):
        found = self.patterns(server, '{job="mixed"}')
        self.assertEqual(
            {("<_> LabSZ sshd[<_>]: Failed password for <_> from <_> port <_>", "unknown", 200),
             ('level=warn msg="order <_> placed" took=<_>', "warn", 200),
             ('<_>"msg":"payment <_> refused"<_>', "error", 200)},
            {(p["pattern"].replace(" ssh2", ""), p["level"], sum(n for _, n in p["samples"])) for p in found})
        for entry in found:
            times = [t for t, _ in entry["samples"]]
            self.assertEqual(sorted(set(times)), times)
            self.assertTrue(all(t % STEP == 0 for t in times), times)
            # What is counted is what the filter finds, step by step.
            quoted = entry["pattern"].replace("`", "")
            lines = server.lines(f'{{job="mixed"}} |> `{quoted}`', NOW, NOW + 1800 * NS)
            steps = {}
            for ns, _ in lines:
                steps[ns // NS // STEP * STEP] = steps.get(ns // NS // STEP * STEP, 0) + 1
            self.assertEqual(steps, dict(entry["samples"]))
        return found

    def test_the_answer_is_the_same_in_head_pack_and_after_a_restart(self):
        server = self.started()
        server.push_streams(({"job": "mixed"}, mixed_lines()), ({"job": "other"}, [(NOW, "something else")]))
        in_head = self.check(server)
        server.flush()
        self.assertEqual(in_head, self.check(server))
        server.restart()
        self.assertEqual(in_head, self.check(server))
        # Streams and times outside are not counted.
        self.assertEqual([], self.patterns(server, '{job="other"}'))  # fewer than limits.pattern_lines_min
        self.assertEqual([], self.patterns(server, '{job="mixed"}', start=NOW + 1700 * NS))
        first = self.patterns(server, '{job="mixed"}', end=NOW + 299 * NS)
        self.assertEqual(300, sum(n for p in first for _, n in p["samples"]))

    def test_samples_beyond_the_limit_are_scaled_and_said_so(self):
        server = self.started("--set", "limits.max_pattern_lines=1")
        for i in range(4):  # several sources
            server.push_streams(({"job": "mixed", "part": str(i)}, mixed_lines()))
            server.flush()
        answer = server.get(PATH, {"query": '{job="mixed"}', "start": NOW, "end": NOW + 1800 * NS})
        self.assertRegex(answer.json["warnings"][0], r"^partial: patterns were counted in 600 of 2400 lines")
        self.assertEqual(2400, sum(n for p in answer.json["data"] for _, n in p["samples"]))

    def test_refuses_what_is_no_selector(self):
        server = self.started()
        cases = {
            "bad": "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER",
            '{a="b"} |= "c"': "only label matchers are supported",
            "{}": "queries require at least one regexp or equality matcher",
            "": "parse error",
        }
        for query, text in cases.items():
            answer = server.get(PATH, {"query": query})
            self.assertEqual(400, answer.status, query)
            self.assertIn(text, answer.text)
        answer = server.get(PATH, {"query": '{a="b"}', "step": "1s", "start": NOW - 86400 * NS, "end": NOW})
        self.assertIn("exceeded maximum resolution of 11,000 points", answer.text)
        empty = server.request("POST", PATH, body="query=%7Ba%3D%22b%22%7D",
                               headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual('{"status":"success","data":[]}\n', empty.text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
