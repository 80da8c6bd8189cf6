"""More lines than an answer holds: pages of query_range, and `varve query` that asks for them."""
import json
import random
import time
import unittest

from varve_process import NS, VarveTest

NOW = time.time_ns() // NS * NS
START, END = NOW - 3600 * NS, NOW


def crowd(seed=1, streams=3, count=2000):
    """Lines of several streams, most of them at few times, so that pages end among equal ones."""
    rng = random.Random(seed)
    return [({"app": f"app{s}"}, [(START + rng.randrange(40) * 60 * NS, f"s{s} line {i}") for i in range(count)])
            for s in range(streams)]


class Paging(VarveTest):
    def pages(self, server, query, limit, between=lambda: None, **params):
        """The values of each page, by labels."""
        answer = server.query_range(query, START, END, limit=limit, paging="true", **params)
        while True:
            self.assertEqual(200, answer.status, answer.text)
            data = answer.json["data"]
            self.assertEqual("cursor", list(data)[-1])
            yield {json.dumps(s["stream"], sort_keys=True): [tuple(v) for v in s["values"]] for s in data["result"]}
            if not data["cursor"]:
                return
            between()
            answer = server.get("/loki/api/v1/query_range",
                                {"query": query, "limit": limit, "cursor": data["cursor"]})

    def joined(self, pages):
        whole = {}
        for page in pages:
            for labels, values in page.items():
                whole.setdefault(labels, []).extend(values)
        return whole

    def test_pages_of_any_size_join_to_the_whole_in_its_order(self):
        server = self.started("--set", "limits.max_entries_limit_per_query=0")
        for stream in crowd():
            server.push_streams(stream)
        for direction in ("backward", "forward"):
            whole = self.joined(self.pages(server, '{app=~".+"}', 100000, direction=direction))
            self.assertEqual(6000, sum(len(values) for values in whole.values()))
            for limit in (7, 777, 6000):
                with self.subTest(direction=direction, limit=limit):
                    pages = list(self.pages(server, '{app=~".+"}', limit, direction=direction))
                    self.assertEqual({limit}, {sum(map(len, page.values())) for page in pages[:-1]})
                    self.assertEqual(whole, self.joined(pages))

    def test_flushes_restarts_and_new_lines_between_pages_lose_and_repeat_nothing(self):
        server = self.started()
        streams = crowd(seed=2, count=500)
        for stream in streams:
            server.push_streams(stream)
        expected = sorted((str(ns), line) for _, entries in streams for ns, line in entries)
        turn = iter(range(1000))

        def disturb():
            n = next(turn)
            server.push_streams(({"app": f"app{n % 3}"}, [(START + (n % 40) * 60 * NS, f"new {n}")]))
            if n % 5 == 1:
                server.flush()
            if n == 4:
                server.restart()

        for direction in ("backward", "forward"):
            with self.subTest(direction):
                whole = self.joined(self.pages(server, '{app=~".+"}', 100, disturb, direction=direction))
                found = [value for values in whole.values() for value in values]
                self.assertEqual(len(found), len(set(found)), "nothing twice")
                self.assertEqual(expected, sorted(v for v in found if not v[1].startswith("new")))

    def test_only_who_asks_sees_a_cursor(self):
        server = self.started()
        server.push_streams(({"app": "a"}, [(NOW - NS, "x")]))
        for params in ({}, {"paging": "false"}):
            self.assertNotIn("cursor", server.query_range('{app="a"}', START, END, limit=1, **params).text)
        self.assertEqual("", server.query_range('{app="a"}', START, END, limit=2, paging="true").json["data"]["cursor"])

    def test_hostile_cursors_are_refused(self):
        server = self.started()
        server.push_streams(({"app": "a"}, [(NOW - i * NS, f"x{i}") for i in range(1, 9)]))
        cursor = server.query_range('{app="a"}', START, END, limit=2, paging="true").json["data"]["cursor"]
        ask = lambda text, query='{app="a"}': server.get("/loki/api/v1/query_range", {"query": query, "cursor": text})
        self.assertEqual(200, ask(cursor).status)
        rng = random.Random(3)
        for text in ("x", cursor[:-2], cursor + "00", cursor.upper(), "0" * len(cursor), "\x00" * 132, "a" * 60000,
                     *(cursor[:i] + rng.choice("0123456789abcdef".replace(cursor[i], "")) + cursor[i + 1:]
                       for i in range(0, len(cursor), 9))):
            answer = ask(text)
            self.assertEqual((400, "could not parse 'cursor' parameter: not a cursor of this server"),
                             (answer.status, answer.text), text[:200])
        self.assertEqual((400, "the 'cursor' parameter belongs to another query"),
                         (ask(cursor, '{app="b"}').status, ask(cursor, '{app="b"}').text))
        self.assertEqual(400, server.query_range("vector(1)", START, END, paging="true").status)
        self.assertEqual(400, server.query_range('{app="a"}', START, END, paging="yes").status)

    def test_the_command_line_pages_by_itself(self):
        server = self.started()
        lines = [(START + i * NS // 10, f"line {i}") for i in range(12000)]
        server.push_streams(({"app": "a"}, lines))
        base = ("query", '{app="a"}', "--addr", f"http://127.0.0.1:{server.port}",
                "--from", str(START // NS), "--to", str(END // NS))
        status, out, err = self.run_varve(*base, "--all")
        self.assertEqual((0, ""), (status, err))
        self.assertEqual([line for _, line in reversed(lines)], out.splitlines())
        status, out, err = self.run_varve(*base, "--limit", "7000", "--direction", "forward", "-o", "csv")
        self.assertEqual(0, status, err)
        rows = out.splitlines()
        self.assertEqual(("time,labels,line", 7001), (rows[0], len(rows)))
        self.assertEqual(1, rows.count(rows[0]))
        self.assertTrue(rows[-1].endswith(lines[6999][1]), rows[-1])
        status, _, err = self.run_varve(*base, "--all", "--limit", "5")
        self.assertNotEqual(0, status)
        self.assertIn("--limit", err)


if __name__ == "__main__":
    unittest.main()
