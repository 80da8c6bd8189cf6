"""The command line and metrics: PromQL, series, labels, top."""
import json
import time
import unittest

import remote_write as rw
from varve_process import VarveTest

NOW = int(time.time()) * 1000


class MetricsCommandLine(VarveTest):
    def setUp(self):
        super().setUp()
        self.server_with_metrics = server = self.started()
        self.addr = {"VARVE_ADDR": f"http://127.0.0.1:{server.port}"}
        answer = rw.write(server, *(rw.time_series({"__name__": "load", "host": f"h{h}"}, [
            (NOW - (59 - i) * 1000, float(i * (h + 1))) for i in range(60)]) for h in range(3)),
            rw.time_series({"__name__": "dotted.name"}, [(NOW, 7.5)]))
        self.assertEqual(204, answer.status, answer.text)

    def ok(self, *arguments):
        status, out, err = self.run_varve(*arguments, env=self.addr)
        self.assertEqual((0, ""), (status, err), arguments)
        return out

    def at(self):
        return ("--at", str(NOW // 1000))

    def test_promql_is_known_by_its_looks_or_by_a_flag(self):
        self.assertEqual('load{host="h0"} 59\nload{host="h1"} 118\nload{host="h2"} 177\n', self.ok("query", "load", *self.at()))
        self.assertEqual("{} 354\n", self.ok("query", "sum(load)", *self.at()))
        self.assertEqual('load{host="h1"} 118\n', self.ok("query", '{__name__="load", host="h1"}', *self.at()))
        self.assertEqual('load{host="h1"} 118\n', self.ok("query", "--promql", '{host="h1"}', *self.at()))
        self.assertEqual("", self.ok("query", '{host="h1"}'))  # a log query
        self.assertEqual('{"dotted.name"} 7.5\n', self.ok("query", '{"dotted.name"}', *self.at()))
        status, _, err = self.run_varve("query", "sum(load", env=self.addr)
        self.assertEqual(1, status)
        self.assertIn("unclosed left parenthesis", err)

    def test_output_formats(self):
        table = self.ok("query", "load", "-o", "table", *self.at()).splitlines()
        self.assertEqual([["metric", "host", "value"], ["load", "h0", "59"]], [line.split() for line in table[:2]])
        row = json.loads(self.ok("query", 'load{host="h2"}', "-o", "json", *self.at()))
        self.assertEqual({"metric": {"__name__": "load", "host": "h2"}, "t": NOW // 1000, "value": "177"}, row)
        span = ("--from", str(NOW // 1000 - 50), "--to", str(NOW // 1000), "--step", "10s")
        csv = self.ok("query", 'load{host="h0"}', "-o", "csv", *span).splitlines()
        self.assertEqual("time,__name__,host,value", csv[0])
        self.assertEqual(["9", "19", "29", "39", "49", "59"], [line.rsplit(",", 1)[1] for line in csv[1:]])
        spark = self.ok("query", 'load{host="h0"}', "-o", "spark", *span)
        self.assertIn("▁", spark)
        self.assertIn("█", spark)
        self.assertIn('load{host="h0"}', spark)

    def test_series_and_labels(self):
        self.assertEqual('load{host="h0"}\nload{host="h1"}\nload{host="h2"}\n', self.ok("series", "load"))
        self.assertEqual("", self.ok("series", '{host="h0"}'))  # streams
        self.assertEqual('load{host="h0"}\n', self.ok("series", "--metrics", '{host="h0"}'))
        self.assertEqual("__name__\nhost\n", self.ok("labels", "--metrics"))
        self.assertEqual("h0\nh1\nh2\n", self.ok("labels", "host", "--metrics"))
        self.assertEqual("h2\n", self.ok("labels", "host", "--metrics", "--query", 'load{host=~"h[2-9]"}'))

    def test_top_shows_where_series_come_from(self):
        out = self.ok("top", "--limit", "1")
        self.assertIn("4 series", out)
        self.assertRegex(out, r"(?m)^3 +75\.0 % +load$")
        rows = [json.loads(line) for line in self.ok("top", "--json", "--by", "label").splitlines()]
        self.assertIn({"by": "label", "name": "host", "count": 3}, rows)


if __name__ == "__main__":
    unittest.main()
