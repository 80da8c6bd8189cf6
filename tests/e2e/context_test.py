"""/context over the real server: the lines around a line, in the head, in packs, across both."""
import time
import unittest

from varve_process import NS, VarveTest

NOW = time.time_ns() // NS * NS - 3600 * NS
PATH = "/loki/api/v1/context"


class Context(VarveTest):
    def context(self, server, headers=None, **params):
        answer = server.get(PATH, {"query": '{job=~"a|b"}', "before": 3, "after": 2, **params}, headers)
        self.assertEqual(200, answer.status, answer.text)
        data = answer.json["data"]
        self.assertEqual("streams", data["resultType"])
        return sorted((int(ns), line) for s in data["result"] for ns, line, *_ in s["values"])

    def test_shows_neighbours_across_pack_and_head(self):
        server = self.started()
        first = [(NOW + i // 4 * NS, f"line {i}") for i in range(40)]  # four at each time
        second = [(NOW + (40 + i) // 4 * NS, f"line {40 + i}") for i in range(40)]
        server.push_streams(({"job": "a"}, first), ({"job": "b"}, [(NOW + i * NS, f"other {i}") for i in range(20)]))
        server.flush()
        server.push_streams(({"job": "a"}, second))
        anchor = first[38]
        expected = first[35:] + second[:1]
        same_stream = self.context(server, time=anchor[0], line=anchor[1])
        self.assertEqual(expected, same_stream)
        self.assertEqual(same_stream, self.context(server, time=anchor[0], line=anchor[1], labels='{job="a"}'))
        everything = self.context(server, time=anchor[0], line=anchor[1], stream="false")
        self.assertEqual(6, len(everything))
        everything = self.context(server, time=anchor[0], line=anchor[1], stream="false", before=20, after=20)
        self.assertIn("other 9", [line for _, line in everything])
        filtered = self.context(server, query='{job="a"} |~ "[05]$"', time=first[20][0], line=first[20][1])
        self.assertEqual(["line 5", "line 10", "line 15", "line 20", "line 25", "line 30"],
                         sorted((line for _, line in filtered), key=lambda line: int(line[5:])))
        server.restart()
        self.assertEqual(same_stream, self.context(server, time=anchor[0], line=anchor[1]))
        flags = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
        self.assertEqual(same_stream, self.context(server, flags, time=anchor[0], line=anchor[1]))
        self.assertEqual([anchor], self.context(server, time=anchor[0], line=anchor[1], before=0, after=0))

    def test_refuses_what_makes_no_sense(self):
        server = self.started()
        server.push_streams(({"job": "a"}, [(NOW, "x")]))
        cases = [
            (404, "no such entry at ", {"time": NOW + 1}),
            (404, "no such entry at ", {"time": NOW, "line": "y"}),
            (404, "no such entry at ", {"time": NOW, "labels": '{job="b"}'}),
            (400, "the 'time' parameter is required", {}),
            (400, "could not parse 'time' parameter", {"time": "soon"}),
            (400, "could not parse 'before' parameter", {"time": NOW, "before": "-1"}),
            (400, "max entries limit per query exceeded", {"time": NOW, "after": "5001"}),
            (400, "could not parse 'stream' parameter", {"time": NOW, "stream": "maybe"}),
            (400, "could not parse 'start' parameter", {"time": NOW, "start": "x"}),
            (400, "only log selector is supported", {"time": NOW, "query": 'rate({job="a"}[1m])'}),
            (400, "parse error", {"time": NOW, "query": "{"}),
            (400, "only label matchers are supported", {"time": NOW, "labels": '{job="a"} |= "x"'}),
        ]
        for status, text, params in cases:
            answer = server.get(PATH, {"query": '{job="a"}', **params})
            self.assertEqual(status, answer.status, (params, answer.text))
            self.assertIn(text, answer.text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
