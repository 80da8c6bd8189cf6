"""Delete requests over HTTP: hidden at once from every endpoint, listed, cancelled, kept across a restart."""
import time
import unittest

from varve_process import NS, VarveTest


class Deletes(VarveTest):
    def setUp(self):
        super().setUp()
        self.now = time.time_ns() // NS
        self.begin = self.now - 1800
        self.lines = [((self.begin + i) * NS, f"line {i} {'error' if i % 10 == 0 else 'fine'}") for i in range(100)]

    def delete(self, server, method="POST", **params):
        return server.request(method, "/loki/api/v1/delete", params)

    def seen(self, server, selector='{job="web"}'):
        """What each of the ways to look at a stream finds."""
        stats = server.get("/loki/api/v1/index/stats", {"query": '{job="web"}', "start": self.begin, "end": self.now}).json
        volume = server.get("/loki/api/v1/index/volume", {"query": '{job="web"}', "start": self.begin, "end": self.now}).json
        found = volume["data"]["result"]
        return (len(server.lines(selector, self.begin, self.now)), server.count(selector, self.now * NS),
                stats["entries"], stats["bytes"], int(found[0]["value"][1]) if found else 0)

    def test_a_request_hides_lines_at_once_and_can_be_cancelled(self):
        server = self.started()
        server.push_streams(({"job": "web"}, self.lines), ({"job": "db"}, self.lines))
        whole = sum(len(line) for _, line in self.lines)
        left = sum(len(line) for _, line in self.lines if "error" not in line)
        self.assertEqual((100, 100, 100, whole, whole), self.seen(server))
        added = self.delete(server, query='{job="web"} |= "error"', start=str(self.begin))
        self.assertEqual((204, ""), (added.status, added.text))
        request_id = added.headers["X-Delete-Request-ID"]
        self.assertEqual((90, 90, 90, left, left), self.seen(server))
        self.assertEqual(0, server.count('{job="web"} |= "error"', self.now * NS))
        self.assertEqual(100, server.count('{job="db"}', self.now * NS))

        server.push_streams(({"job": "web"}, self.lines[:1]))  # pushed again: not what was there when it came
        self.assertEqual(91, server.count('{job="web"}', self.now * NS))
        server.restart()
        self.assertEqual(91, server.count('{job="web"}', self.now * NS))
        listed = self.delete(server, "GET").json
        self.assertEqual([(request_id, self.begin, '{job="web"} |= "error"', "received", "")],
                         [(r["request_id"], r["start_time"], r["query"], r["status"], r["user_id"]) for r in listed])

        generation = server.get("/loki/api/v1/cache/generation_numbers").json
        self.assertEqual(204, self.delete(server, "DELETE", request_id=request_id).status)
        self.assertEqual((100, 100), self.seen(server)[:2])
        self.assertNotEqual(generation, server.get("/loki/api/v1/cache/generation_numbers").json)
        self.assertEqual([], self.delete(server, "GET").json)
        self.assertEqual(0, server.stop())

    def test_compaction_removes_the_lines_and_the_status_says_so(self):
        server = self.started("--set", "compactor.delete_request_cancel_period=1s", "--set", "compactor.enabled=false")
        server.push_streams(({"job": "web"}, self.lines[:50]), ({"job": "db"}, self.lines))
        server.flush()
        server.push_streams(({"job": "web"}, self.lines[50:]))
        self.assertEqual(204, self.delete(server, query='{job="web"} |= "error"', start=self.begin).status)
        self.assertEqual(200, server.metrics()["varve_pack_entries"])
        self.assertEqual(204, server.request("POST", "/compact").status)  # it can still be cancelled
        self.assertEqual(200, server.metrics()["varve_pack_entries"])
        time.sleep(1.1)
        self.assertEqual(204, server.request("POST", "/compact").status)
        self.assertEqual(190, server.metrics()["varve_pack_entries"])
        listed = self.delete(server, "GET").json
        self.assertEqual(["processed"], [r["status"] for r in listed])
        for force in ("false", "true"):
            answer = self.delete(server, "DELETE", request_id=listed[0]["request_id"], force=force)
            self.assertEqual((400, "deletion of request which is in process or already processed is not allowed\n"),
                             (answer.status, answer.text))
        self.assertEqual((90, 90, 90), self.seen(server)[:3])
        self.assertEqual(100, server.count('{job="db"}', self.now * NS))
        server.restart()
        self.assertEqual((90, 90, 90), self.seen(server)[:3])
        self.assertEqual(0, server.stop())

    def test_filter_only_hides_and_never_removes(self):
        server = self.started("--set", "compactor.delete_request_cancel_period=0s", "--set", "limits.deletion_mode=filter-only")
        server.push_streams(({"job": "web"}, self.lines))
        self.assertEqual(204, self.delete(server, query='{job="web"} |= "error"', start=self.begin).status)
        self.assertEqual(204, server.request("POST", "/compact").status)
        self.assertEqual(100, server.metrics()["varve_pack_entries"])
        self.assertEqual(90, server.count('{job="web"}', self.now * NS))
        self.assertEqual(0, server.stop())

    def test_refused_requests_hide_nothing(self):
        server = self.started()
        server.push_streams(({"job": "web"}, self.lines))
        for params, text in (
                ({"start": self.begin}, "query not set\n"),
                ({"query": "{}", "start": self.begin}, "invalid query expression\n"),
                ({"query": '{job="web"', "start": self.begin}, "invalid query expression\n"),
                ({"query": '{job="web"}'}, "start time not set\n"),
                ({"query": '{job="web"}', "start": self.begin, "end": self.now + 100}, "deletes in the future are not allowed\n")):
            answer = self.delete(server, **params)
            self.assertEqual((400, text), (answer.status, answer.text), params)
        answer = self.delete(server, "DELETE", request_id="")
        self.assertEqual(400, answer.status)
        self.assertEqual(100, server.count('{job="web"}', self.now * NS))
        self.assertEqual(0, server.stop())

    def test_tenants_do_not_see_each_other(self):
        server = self.started("--multi-tenant")
        a, b = ({"X-Scope-OrgID": tenant} for tenant in "ab")
        query = {"query": '{job="web"}', "start": self.begin}
        self.assertEqual(401, server.request("POST", "/loki/api/v1/delete", query).status)
        self.assertEqual(204, server.request("POST", "/loki/api/v1/delete", query, headers=a).status)
        self.assertEqual(1, len(server.get("/loki/api/v1/delete", headers=a).json))
        self.assertEqual([], server.get("/loki/api/v1/delete", headers=b).json)
        self.assertEqual(0, server.stop())

    def test_it_can_be_turned_off(self):
        server = self.started("--set", "limits.deletion_mode=disabled")
        answer = self.delete(server, query='{job="web"}', start=self.begin)
        self.assertEqual((403, "deletion is not available for this tenant\n"), (answer.status, answer.text))
        self.assertEqual(0, server.stop())


if __name__ == "__main__":
    unittest.main()
