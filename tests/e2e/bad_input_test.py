"""Bad input over HTTP: what is wrong is said, nothing of it is stored, the server goes on."""
import gzip
import socket
import time
import unittest
import urllib.parse

from varve_process import NS, VarveTest, field, json_push, protobuf_push, snappy, varint

NOW = time.time_ns()
START, END = NOW - 3600 * NS, NOW + 3600 * NS
GOOD = ({"job": "bad"}, [(NOW, "good")])
PROTOBUF = "application/x-protobuf"
JSON = "application/json"


def resident_bytes(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))


class BadInput(VarveTest):
    def setUp(self):
        super().setUp()
        self.running = self.started()

    def stored(self):
        return self.running.count('{job=~".+"}', END, "3h")

    def test_broken_bodies_are_refused_and_leave_nothing(self):
        body = protobuf_push(GOOD)
        packed = snappy(body)
        text = json_push(GOOD).decode()
        cases = {
            "truncated snappy": (packed[:-3], PROTOBUF, 400, "snappy"),
            "snappy garbage": (b"\xff" * 50, PROTOBUF, 400, "snappy"),
            "snappy that claims 4 GB": (varint((1 << 32) - 1) + packed[1:], PROTOBUF, None, ""),
            "snappy that claims 2 GB in a few bytes": (varint(2 << 30) + b"\x00", PROTOBUF, None, ""),
            "protobuf of the wrong kind": (snappy(b"\x0f" * 20), PROTOBUF, 400, ""),
            "protobuf cut inside a field": (snappy(body[:-2]), PROTOBUF, 400, ""),
            "a field that claims more than there is": (snappy(b"\x0a" + varint(1 << 40) + b"x"), PROTOBUF, 400, ""),
            "labels that are not labels": (snappy(field(1, field(1, b"{a=") + field(2, b""))), PROTOBUF, 400, "parse error"),
            "a bad label name": (json_push(({"a-b": "c"}, GOOD[1])), JSON, 400, "couldn't parse labels"),
            "an empty body": (b"", JSON, 400, ""),
            "no JSON": (b"<html>", JSON, 400, ""),
            "JSON cut short": (text[:-5].encode(), JSON, 400, ""),
            "a list for an object": (b"[]", JSON, 400, ""),
            "a number for a timestamp": (text.replace(f'"{NOW}"', str(NOW)).encode(), JSON, 400, ""),
            "a timestamp of letters": (text.replace(str(NOW), "soon").encode(), JSON, 400, ""),
            "a timestamp too large": (text.replace(str(NOW), "9" * 30).encode(), JSON, 400, ""),
            "a number for a line": (text.replace('"good"', "5").encode(), JSON, 400, ""),
            "nested metadata": (json_push((GOOD[0], [(NOW, "x", {"a": {"b": "c"}})])), JSON, 400, ""),
            "a number for a label": (text.replace('"bad"', "5").encode(), JSON, 400, ""),
            "JSON of 100,000 brackets": (b'{"streams":' + b"[" * 100_000, JSON, 400, ""),
            "no streams": (b'{"streams":[]}', JSON, 422, "at least one valid stream"),
            "gzip that is none": (text.encode(), JSON, 400, "", "gzip"),
            "gzip cut short": (gzip.compress(text.encode())[:-12], JSON, 400, "", "gzip"),
            "an unknown encoding": (text.encode(), JSON, 400, "br", "br"),
        }
        for name, (content, content_type, status, part, *encoding) in cases.items():
            with self.subTest(name):
                headers = {"Content-Encoding": encoding[0]} if encoding else {}
                answer = self.running.push(content, content_type, headers)
                self.assertIn(answer.status, (status,) if status else (400, 413), answer.text)
                self.assertIn(part, answer.text)
                self.assertNotEqual("", answer.text.strip())
                self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"), answer.headers)
                self.assertEqual(0, self.stored())
        self.assertEqual(204, self.running.push(packed, PROTOBUF).status)
        self.assertEqual(1, self.stored())

    def test_bombs_are_bounded(self):
        before = resident_bytes(self.running.process)
        bomb = gzip.compress(b"\x00" * (700 << 20), 1)  # past limits.max_decompressed_size
        answers = [self.running.push(bomb, JSON, {"Content-Encoding": "gzip"}),
                   self.running.push(snappy(protobuf_push(GOOD))[:5] + b"\xfe\xff\xff" * 10, PROTOBUF)]
        for _ in range(20):
            answers.append(self.running.push(varint((1 << 32) - 1) + b"\x00" * 100, PROTOBUF))
        for answer in answers:
            self.assertIn(answer.status, (400, 413, 429, 503), answer.text)
        self.assertLess(resident_bytes(self.running.process) - before, 600 << 20)
        self.assertEqual(204, self.running.push(json_push(GOOD)).status)

    def test_a_body_over_the_limit_on_the_wire_is_413(self):
        small = self.started("--set", "limits.max_recv_msg_size=1000", data_dir=self.data_dir + "-small")
        answer = small.push(snappy(protobuf_push((GOOD[0], [(NOW, "x" * 2000)]))), PROTOBUF)
        self.assertEqual(413, answer.status, answer.text)

    def test_one_bad_stream_among_good_ones(self):
        many = {f"l{i}": "v" for i in range(20)}
        answer = self.running.push(json_push(GOOD, (many, [(NOW, "too many labels")]),
                                             ({"job": "also"}, [(NOW, "also good"), (NOW, "x" * (2 << 20))])))
        self.assertEqual(400, answer.status)
        self.assertIn("has 20 label names; limit 15", answer.text)
        self.assertIn("max entry size '1048576' bytes exceeded for stream '{job=\"also\"", answer.text)
        self.assertEqual(["good", "also good"],
                         [line for _, line in sorted(self.running.lines('{job=~".+"}', START, END), key=lambda e: -len(e[1]))][::-1])
        self.running.restart()  # replay leaves out what was rejected, too
        self.assertEqual(2, self.stored())

    def test_queries_that_cannot_be_run(self):
        cases = {
            '{job="x"': "parse error at line 1, col 9: syntax error",
            '{job="x"} |= ': "parse error at line 1",
            "": "parse error : syntax error: unexpected $end",
            '{job=~".*"}': "queries require at least one regexp or equality matcher",
            '{job="x", a=~"["}': "error parsing regexp: missing closing ]",
            'sum({job="x"})': "parse error",
            'rate({job="x"})': "parse error",
            '{job="x"} + 1': "parse error",
            "sum by (a) (": "parse error",
            '{job="x"} | unknown_stage "': "parse error",
            "(" * 50_000 + '{job="x"}' + ")" * 50_000: "",
            '{job="x"} ' + '|= "a" ' * 30_000: "input size too long",
        }
        for query, part in cases.items():
            with self.subTest(query=query[:60]):
                answer = self.running.request("POST", "/loki/api/v1/query_range", headers={
                    "Content-Type": "application/x-www-form-urlencoded"}, body=self.form(query=query, start=START, end=END))
                self.assertEqual(400, answer.status, answer.text[:300])
                self.assertIn(part, answer.text)
                self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"), answer.headers)

    @staticmethod
    def form(**params):
        return urllib.parse.urlencode(params)

    def test_parameters_that_cannot_be_right(self):
        good = {"query": '{job="x"}', "start": START, "end": END}
        for wrong in ({"start": "xx"}, {"end": START - 1}, {"limit": "abc"}, {"limit": 0}, {"limit": 100_000},
                      {"direction": "sideways"}, {"since": "xx", "start": ""}):
            with self.subTest(wrong):
                answer = self.running.get("/loki/api/v1/query_range", {**good, **wrong})
                self.assertEqual(400, answer.status, answer.text)
        answer = self.running.query_range('rate({job="x"}[1m])', START, END, step="0.001")
        self.assertEqual(400, answer.status)
        self.assertIn("exceeded maximum resolution of 11,000 points", answer.text)

    def test_what_is_not_http(self):
        for sent in (b"\x16\x03\x01\x02\x00\x01" + b"\x00" * 50, b"GET / HTTP/9.9\r\n\r\n", b"nonsense\r\n\r\n",
                     b"GET /ready HTTP/1.1\r\n" + b"a: b\r\n" * 100_000 + b"\r\n",
                     b"POST /loki/api/v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
                     b"POST /loki/api/v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                     b"POST /loki/api/v1/push HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"):
            with self.subTest(sent[:40]):
                with socket.create_connection(("127.0.0.1", self.running.port), timeout=30) as connection:
                    try:
                        connection.sendall(sent)
                        answer = connection.recv(4096)
                    except (BrokenPipeError, ConnectionResetError):
                        answer = b""
                    self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer)
        self.assertEqual(200, self.running.get("/ready").status)

    def test_it_still_stops_cleanly(self):
        self.running.push(b"\xff" * 100, PROTOBUF)
        self.assertEqual(0, self.running.stop())


if __name__ == "__main__":
    unittest.main()
