"""Grafana's sequences of requests, simulated: what their parts join to must be what one big request answers.

The browser splits ranges over 24 hours, pages, and asks for a row's context in two directions; the server only sees the
parts. No row may be lost or seen twice at their borders, and every part of a metric query must lie on one grid. Data is
random (the seed is printed; VARVE_SEED repeats a run) and crowded around the borders.
"""
import bisect
import os
import random
import shutil
import tempfile
import time
import unittest

import grafana_client
from grafana_client import DAY, DRILLDOWN, MS, NS, Grafana, rfc3339_ms
from varve_process import Server, VarveTest
from websocket_client import HandshakeRefused, Tail

SEED = int(os.environ.get("VARVE_SEED", time.time_ns() % 1_000_000_007))
END = (time.time_ns() // NS) * NS - 123 * MS  # on no grid
START = END - 3 * DAY
BORDERS = [END - k * DAY for k in range(4)]
LINES_MAX = 1000  # jsonData.maxLines


def random_streams(rnd):
    """label sets -> rows in order of arrival: (ns, line, metadata); no two rows of a stream are equal."""
    streams = []
    for number in range(8):
        labels = {"app": f"a{number % 3}", "host": f"h{number}", "service_name": f"s{number % 2}"}
        times = [rnd.randrange(START, END) for _ in range(400)]
        times += [border + rnd.randrange(-3, 4) for border in BORDERS for _ in range(12)]
        times += [rnd.choice(times) for _ in range(60)]  # several rows at one nanosecond
        times += [rnd.choice(times) // MS * MS for _ in range(40)]
        rows = []
        for i, ns in enumerate(times):
            level = rnd.choice(["info", "info", "warn", "error", ""])
            line = f"row={i} took={rnd.randrange(2000)}ms" + (f" level={level}" if level else "")
            rows.append((ns, line, {"trace": f"t{rnd.randrange(50)}"} if rnd.random() < 0.5 else {}))
        streams.append((labels, rows))
    return streams


def filled(server, streams, rnd, flush):
    """Rows of a stream arrive in their order, the streams' interleaved; `flush` puts about half into packs."""
    left = [(labels, list(rows)) for labels, rows in streams]
    batches = 0
    while left:
        part = []
        for stream in rnd.sample(left, min(3, len(left))):
            take = rnd.randrange(1, 120)
            part.append((stream[0], stream[1][:take]))
            del stream[1][:take]
        server.push_streams(*part)
        left = [stream for stream in left if stream[1]]
        batches += 1
        if flush and batches in (4, 9):
            server.flush()
    return server


# ---- The sequences ------------------------------------------------------------------------------

def keys(answer):
    return [(ns, line, tuple(sorted(labels.items()))) for ns, line, labels, _ in answer.rows]


def in_order(rows, direction):
    """The merged frames are sorted by time; rows of one time stay as they came."""
    return sorted(rows, key=lambda row: row[0] if direction == "forward" else -row[0])


def split_logs(grafana, query, start, end, limit, direction="backward"):
    """A log query over more than 24 h: touching parts counted back from the end, until the limit is full."""
    edges = [start] + [end - k * DAY for k in range((end - start - 1) // DAY, -1, -1)]
    parts = list(zip(edges, edges[1:]))
    rows = []
    for left, right in parts if direction == "forward" else reversed(parts):
        rows += keys(grafana.range(query, left, right, limit=limit - len(rows), direction=direction))
        if len(rows) >= limit:
            break
    return rows


def split_metric(grafana, query, start, end, step_ms):
    """Parts with both ends included on the grid start + n*step, newest first; numbers at equal times are added."""
    step = step_ms * MS
    first, width = start // step * step, DAY // step * step
    starts = range(first, end + 1, width)
    frames = {}
    for left in reversed(starts):
        for labels, points in grafana.range(query, left, min(left + width - step, end), step_ms).series:
            frame = frames.setdefault(tuple(sorted(labels.items())), {})
            for at, value in points:
                frame[at] = frame.get(at, 0) + value
    return {labels: sorted(frame.items()) for labels, frame in frames.items()}


def whole_metric(grafana, query, start, end, step_ms):
    return {tuple(sorted(labels.items())): points for labels, points in grafana.range(query, start, end, step_ms).series}


def scroll_older(grafana, query, start, end, page):
    """Pages of older rows: up to the millisecond of the oldest row shown, which comes again and is dropped by its id."""
    shown, rows, right = set(), [], end
    while True:
        got = [row for row in in_order(keys(grafana.range(query, start, right, limit=page, source="infinitescroll")),
                                       "backward") if row not in shown]
        if not got:
            return rows
        shown.update(got)
        rows += got
        right = (got[-1][0] // MS + 1) * MS


def scroll_newer(grafana, query, start, end, page):
    shown, rows, left = set(), [], start
    while True:
        answer = grafana.range(query, left, end, limit=page, direction="forward", source="infinitescroll")
        got = [row for row in in_order(keys(answer), "forward") if row not in shown]
        if not got:
            return rows
        shown.update(got)
        rows += got
        left = got[-1][0] // MS * MS


def context_selector(grafana, row):
    """Equality on all of the row's labels that are index labels at its time."""
    indexed = set(grafana.labels(row[0], row[0]))
    return "{" + ",".join(f'{name}="{value}"' for name, value in row[2] if name in indexed) + "}"


class Sequences(VarveTest):
    FLUSH, RESTART = False, False

    @classmethod
    def setUpClass(cls):
        print(f"{cls.__name__}: VARVE_SEED={SEED}")
        cls.class_folder = tempfile.mkdtemp(prefix="varve-e2e-")
        cls.addClassCleanup(shutil.rmtree, cls.class_folder, ignore_errors=True)
        rnd = random.Random(SEED)
        cls.streams = random_streams(rnd)
        cls.varve = Server(f"{cls.class_folder}/data").start()
        cls.addClassCleanup(cls.varve.kill)
        filled(cls.varve, cls.streams, rnd, cls.FLUSH)
        if cls.RESTART:
            cls.varve.restart()
        cls.grafana = Grafana(cls.varve)

    def setUp(self):
        super().setUp()
        self.rnd = random.Random(f"{SEED} {self.id()}")

    def stored(self, start=START, end=END, where=lambda labels: True):
        """Times and lines that a query over these streams must give, sorted."""
        return sorted((row[0], row[1]) for labels, rows in self.streams if where(labels)
                      for row in rows if start <= row[0] < end)

    # ---- Splitting ----

    def test_logs_of_three_days_in_parts_are_the_one_query(self):
        queries = ['{app=~".+"}', '{app="a1"} | logfmt', '{host=~"h1|h5"} |= "level=error"', '{app="a2"} | trace=~"t1.*"']
        for query in queries:
            for limit in (1, 17, LINES_MAX, 5000):
                for direction in ("backward", "forward"):
                    with self.subTest(query=query, limit=limit, direction=direction):
                        whole = keys(self.grafana.range(query, START, END, limit=limit, direction=direction))
                        parts = split_logs(self.grafana, query, START, END, limit, direction)
                        self.assertEqual(sorted(whole), sorted(parts))
                        self.assertEqual(len(parts), len(set(parts)))

    def test_logs_in_parts_are_all_that_was_sent(self):
        for app in ("a0", "a1", "a2"):
            rows = split_logs(self.grafana, f'{{app="{app}"}}', START, END, 5000)
            self.assertEqual(self.stored(where=lambda labels: labels["app"] == app), sorted(row[:2] for row in rows))

    def test_without_flags_the_parts_join_as_well(self):
        old = Grafana(self.varve, flags=False)
        query = '{app="a1"} | logfmt'
        self.assertEqual(sorted(keys(old.range(query, START, END, limit=5000))),
                         sorted(split_logs(old, query, START, END, 5000)))

    def test_metrics_of_three_days_in_parts_are_on_one_grid(self):
        queries = ['sum(count_over_time({app=~".+"}[$]))', 'sum by (app) (rate({app=~".+"}[5m]))',
                   'sum by (detected_level) (bytes_over_time({app=~".+"}[$] offset 1m))',
                   'quantile_over_time(0.9, {app="a1"} | logfmt | unwrap duration(took) [2h]) by (host)',
                   'max_over_time({app="a2"} | logfmt | unwrap duration(took) [$]) by ()']
        for step_ms in (420_000, 3_600_000, 61_000 + self.rnd.randrange(500_000) // 1000 * 1000, 787_250):
            for template in queries:
                query = template.replace("[$]", f"[{step_ms}ms]")
                with self.subTest(query=query, step_ms=step_ms):
                    parts = split_metric(self.grafana, query, START, END, step_ms)
                    self.assertEqual(whole_metric(self.grafana, query, START, END, step_ms), parts)
                    self.assertTrue(parts)
                    for points in parts.values():
                        self.assertTrue(all(round(at * 1000) % step_ms == 0 for at, _ in points))

    def test_a_day_and_its_parts_count_every_row_once(self):
        step_ms = 600_000
        first = START // (step_ms * MS) * step_ms * MS
        parts = split_metric(self.grafana, f'sum by (app) (count_over_time({{app=~".+"}}[{step_ms}ms]))', START, END, step_ms)
        last = -(-END // (step_ms * MS)) * step_ms * MS  # windows are open at their left and closed at their right
        for app in ("a0", "a1", "a2"):
            rows = sum(first - step_ms * MS < row[0] <= last for labels, rows in self.streams
                       if labels["app"] == app for row in rows)
            self.assertEqual(rows, sum(value for _, value in parts[(("app", app),)]))

    def test_sharded_queries_find_no_shards_and_stay_whole(self):
        self.assertEqual([], self.grafana.label_values("__stream_shard__", START, END, '{app="a1"}'))

    # ---- Context ----

    def test_context_of_five_rows_at_one_nanosecond(self):
        at = END - DAY - 5000 * NS + 17
        labels = {"app": "context", "host": "one", "service_name": "c"}
        before, after = [(at - 9 + i, f"before {i}") for i in range(3)], [(at + 9 + i, f"after {i}") for i in range(3)]
        equal = [(at, f"equal {i}") for i in range(5)]
        varve = self.started()
        varve.push_streams((labels, equal[:2]), (labels, after))
        if self.FLUSH:
            varve.flush()
        varve.push_streams((labels, before), (labels, equal[2:]))
        varve.push_streams(({**labels, "host": "two"}, [(at, "of another stream")]))
        if self.RESTART:
            varve.restart()
        grafana = Grafana(varve)
        row = next(row for row in keys(grafana.range('{app="context",host="one"} |= "equal 3"', at, at + 1, limit=10)))
        selector = context_selector(grafana, row)
        self.assertEqual('{app="context",host="one",service_name="c"}', selector)
        span = 2 * 3600 * NS

        def lines(start, end, direction, limit=50):
            return [r[1] for r in keys(grafana.range(selector, start, end, limit=limit, direction=direction))]
        texts = [[text for _, text in rows] for rows in (before, equal, after)]
        self.assertEqual(texts[1] + texts[2], lines(at, at + span, "forward"))
        self.assertEqual(texts[0][::-1], lines(at - span, at, "backward"))  # the end is excluded
        self.assertEqual(texts[1][::-1] + texts[0][::-1], lines(at - span, at + 1, "backward"))
        self.assertEqual(texts[1], lines(at, at, "forward"))  # equal ends ask for that nanosecond
        for limit in range(1, 9):
            self.assertEqual((texts[1] + texts[2])[:limit], lines(at, at + span, "forward", limit))
            self.assertEqual((texts[1][::-1] + texts[0][::-1])[:limit], lines(at - span, at + 1, "backward", limit))

    def test_context_pairs_of_random_rows_hold_each_row_around_once(self):
        rows = keys(self.grafana.range('{app="a1"}', START, END, limit=5000))
        span = 2 * 3600 * NS
        for row in self.rnd.sample(rows, 25):
            at, selector = row[0], context_selector(self.grafana, row)
            older = keys(self.grafana.range(selector, at - span, at, limit=5000))
            newer = keys(self.grafana.range(selector, at, at + span, limit=5000, direction="forward"))
            self.assertIn(row, newer)
            host = dict(row[2])["host"]
            self.assertEqual(self.stored(at - span, at + span, lambda labels: labels["host"] == host),
                             sorted(r[:2] for r in older + newer))

    # ---- Scrolling ----

    def test_scrolling_in_both_directions_shows_each_row_once(self):
        for page in (50, 111, LINES_MAX):
            with self.subTest(page=page):
                expected = self.stored(where=lambda labels: labels["app"] == "a2")
                older = scroll_older(self.grafana, '{app="a2"}', START, END, page)
                self.assertEqual(expected, sorted(row[:2] for row in older))
                newer = scroll_newer(self.grafana, '{app="a2"}', START, END, page)
                self.assertEqual(sorted(older), sorted(newer))

    # ---- Supporting queries ----

    def test_the_histogram_has_as_many_entries_as_there_are_rows(self):
        for query in ('{app=~".+"}', '{app="a0"} |= "level=warn"'):
            for window in (3600 * NS, DAY, 3 * DAY):
                step_ms = window // 100 // MS // 1000 * 1000
                start, end = END - window, END
                histogram = f"sum by (level, detected_level) (count_over_time({query} | drop __error__[{step_ms}ms]))"
                # On the grid, so that the windows cover exactly (start, end].
                start, end = start // (step_ms * MS) * step_ms * MS, end // (step_ms * MS) * step_ms * MS
                parts = split_metric(self.grafana, histogram, start + step_ms * MS, end, step_ms)
                total = sum(value for points in parts.values() for _, value in points)
                rows = split_logs(self.grafana, query, start + 1, end + 1, 5000)
                self.assertEqual(len(rows), total, (query, window))

    def test_stats_of_each_selector_count_its_rows(self):
        for selector, where in (('{app="a1"}', lambda labels: labels["app"] == "a1"),
                                ('{host=~"h1|h2"}', lambda labels: labels["host"] in ("h1", "h2"))):
            for start, end in ((START, END), (END - DAY, END)):
                stats = self.grafana.resource("index/stats", [("query", selector), ("start", start), ("end", end)])
                rows = self.stored(start, end + 1, where)  # both ends count
                self.assertEqual((len(rows), sum(len(line) for _, line in rows)), (stats["entries"], stats["bytes"]))

    def test_drilldowns_first_page_agrees_with_itself(self):
        times = [("start", rfc3339_ms(END - DAY)), ("end", rfc3339_ms(END))]  # END has no part of a millisecond
        result = self.grafana.resource("index/volume", [("query", "{service_name=~`.+`}"), ("limit", 5000), *times],
                                       DRILLDOWN)["data"]["result"]
        volumes = {s["metric"]["service_name"]: int(s["value"][1]) for s in result}
        self.assertEqual({"s0", "s1"}, set(volumes))
        for name, size in volumes.items():
            rows = split_logs(self.grafana, f"{{service_name=`{name}`}}", END - DAY, END + 1, 5000)
            self.assertEqual(sum(len(line) for _, line, _ in rows), size)  # both ends count
            query = f"sum by (detected_level) (count_over_time({{service_name=`{name}`}} | drop __error__ [1d]))"
            levels = self.grafana.instant(query, END).series
            by_level = {}
            for ns, _, labels in rows:
                level = dict(labels)["detected_level"]
                by_level[level] = by_level.get(level, 0) + (ns > END - DAY)  # the window is open at its left
            self.assertEqual(by_level, {labels["detected_level"]: points[0][1] for labels, points in levels})
        found = self.grafana.resource("detected_labels", [("query", ""), *times], DRILLDOWN)["detectedLabels"]
        self.assertEqual({"app": 3, "host": 8, "service_name": 2}, {f["label"]: f["cardinality"] for f in found})


class SequencesInPacksAndHeads(Sequences):
    FLUSH = True


class SequencesAfterARestart(Sequences):
    FLUSH, RESTART = True, True


class LiveTail(VarveTest):
    """The Live button: a web socket through Grafana's proxy, without parameters but the query."""
    PROXY = {"User-Agent": "Grafana/12.1.0", "X-Forwarded-For": "10.0.0.1", "X-Grafana-User": "admin", "Cookie": "lang=de"}
    LABELS = {"app": "live", "service_name": "live"}

    def open(self, server, query='{app="live"}', **headers):
        return Tail(server.port, query, headers={**self.PROXY, **headers})

    def rows_of(self, tail, count):
        """As the browser reads a frame: the milliseconds are the text of the time less its last six digits."""
        rows = []
        for labels, ns, line, _ in tail.entries(count):
            self.assertEqual("live", labels["app"])
            rows.append((ns, int(str(ns)[:-6]), line))
        return rows

    def push(self, server, begin, end):
        now = time.time_ns()
        rows = [(now + i, f"line {i}") for i in range(begin, end)]
        server.push_streams((self.LABELS, rows))
        return [(ns, ns // MS, line) for ns, line in rows]

    def test_three_lines_an_unclean_end_and_a_new_connection(self):
        server = self.started()
        tail = self.open(server)
        first = self.push(server, 0, 3)
        self.assertEqual(first, self.rows_of(tail, 3))
        tail.abort()
        missed = self.push(server, 3, 5)
        again = self.open(server)  # Grafana comes back after 5 s; the server sends the last hour's newest 100 first
        self.assertEqual(first + missed, self.rows_of(again, 5))
        later = self.push(server, 5, 8)
        self.assertEqual(later, self.rows_of(again, 3))
        self.assertEqual(1000, again.close().code)

    def test_a_restart_of_the_server_ends_a_tail_so_that_grafana_reconnects(self):
        server = self.started()
        rows = []
        for end in (server.kill, server.stop):
            tail = self.open(server)
            rows += self.push(server, len(rows), len(rows) + 3)
            self.assertEqual(rows, self.rows_of(tail, len(rows)))
            end()
            self.assertEqual(1006, tail.receive_close().code)  # the only code after which it does
            server.start()
            again = self.open(server)
            rows += self.push(server, len(rows), len(rows) + 2)
            self.assertEqual(rows, self.rows_of(again, len(rows)))
            again.close()

    def test_no_origin_is_refused_and_flags_categorise(self):
        server = self.started()
        for headers in ({"Origin": "http://elsewhere.example"}, {"Origin": "null"}):
            self.open(server, **headers).close()
        server.push_streams((self.LABELS, [(time.time_ns(), "level=warn a=b", {"trace": "t1"})]))
        tail = self.open(server, "{app=\"live\"} | logfmt a", **grafana_client.FLAGS)
        (labels, _, _, third), = tail.entries(1)
        self.assertEqual((self.LABELS, {"structuredMetadata": {"detected_level": "warn", "trace": "t1"}, "parsed": {"a": "b"}}),
                         (labels, third))
        tail.close()

    def test_bad_queries_are_refused_before_the_upgrade(self):
        server = self.started()
        for query in ("{app=", "", "{}"):
            with self.assertRaises(HandshakeRefused) as refused:
                self.open(server, query)
            self.assertEqual(400, refused.exception.status)
            self.assertIn("parse error", refused.exception.text)


class Refreshes(VarveTest):
    """A dashboard that asks the same again every half minute while lines keep coming, some of them late."""

    def expected(self, rows, start, end, step_ms, window_ms):
        """sum by (app) (count_over_time(…)): windows are open at their left and closed at their right."""
        step, window, series = step_ms * MS, window_ms * MS, {}
        for app in sorted({app for app, _ in rows}):
            times = sorted(ns for name, ns in rows if name == app)
            points = [(at, bisect.bisect_right(times, at) - bisect.bisect_right(times, at - window))
                      for at in range(start // step * step, -(-end // step) * step + 1, step)]
            series[app] = [(at / NS, count) for at, count in points if count]
        return {app: points for app, points in series.items() if points}

    def test_refreshed_panels_show_every_line_that_has_arrived(self):
        print(f"VARVE_SEED={SEED}")
        rnd = random.Random(SEED)
        server = self.started()
        grafana, fresh = Grafana(server), Grafana(server, headers={"Cache-Control": "no-store"})
        rows, width = [], 6 * 3600 * NS
        for turn in range(14):
            end = END - (14 - turn) * 30 * NS
            batch = {}
            for _ in range(rnd.randrange(1, 120)):
                late = rnd.random() < 0.3
                ns = end - (rnd.randrange(width + 3600 * NS) if late else rnd.randrange(90 * NS))
                app = f"a{rnd.randrange(3)}"
                batch.setdefault(app, []).append((ns, f"line {len(rows)} took={rnd.randrange(900)}ms"))
                rows.append((app, ns))
            server.push_streams(*[({"app": app, "service_name": app}, entries) for app, entries in batch.items()])
            if turn in (5, 10):
                server.flush()
            if turn == 8:
                server.restart()
            for window, step_ms, window_ms in ((width, 60_000, 60_000), (width, 120_000, 300_000), (3600 * NS, 15_000, 60_000)):
                query = f'sum by (app) (count_over_time({{app=~".+"}}[{window_ms}ms]))'
                answer = grafana.range(query, end - window, end, step_ms)
                with self.subTest(turn=turn, step_ms=step_ms, window_ms=window_ms):
                    self.assertEqual(self.expected(rows, end - window, end, step_ms, window_ms),
                                     {labels["app"]: points for labels, points in answer.series})
            query = 'max by (app) (quantile_over_time(0.9, {app=~".+"} | logfmt | unwrap duration(took) [2m]))'
            self.assertEqual(fresh.range(query, end - width, end, 60_000).series, grafana.range(query, end - width, end, 60_000).series)


if __name__ == "__main__":
    unittest.main()
