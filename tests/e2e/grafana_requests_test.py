"""Grafana's requests to a Loki data source, exactly as it sends them, and its parser's rules for what comes back.

The tables hold URL text and headers; grafana_client.py has the parser. Sequences of requests (splitting, context,
scrolling) are in grafana_sequences_test.py.
"""
import http.client
import json
import time
import unittest
import urllib.parse

import grafana_client
from grafana_client import BACKEND, BROWSER, DRILLDOWN, FLAGS, MS, NS, Grafana, read_json, read_query_answer, rfc3339_ms
from varve_process import VarveTest

NOW = time.time_ns() // NS * NS
START, END = NOW - 3600 * NS, NOW + NS
STEP_MS = 15000

JSON_LINES = [(NOW - (60 - i) * NS, json.dumps({"level": "error" if i % 10 == 0 else "info", "status": 200 + i % 3,
                                                "took": f"{i}ms", "size": f"{i}KB", "user": {"name": f"u{i % 4}"}}),
               {"trace_id": f"t{i}", "pod_ip": f"10.0.0.{i}"}) for i in range(60)]
LOGFMT_LINES = [(NOW - (60 - i) * NS, f'ts={i} level={"warn" if i % 5 == 0 else "debug"} duration={i}ms bytes={i}kB '
                                      f'msg="request {i} failed <a> & b"') for i in range(60)]
PLAIN_LINES = [(NOW - (60 - i) * NS, f"GET /page/{i} failed from 10.0.0.{i} escape \x1b[31mred\x1b[0m") for i in range(60)]
STREAMS = [({"app": "x", "namespace": "prod", "pod": "x-1", "service_name": "x"}, JSON_LINES),
           ({"app": "y", "namespace": "prod", "pod": "y-1", "service_name": "y"}, LOGFMT_LINES),
           ({"app": "z", "namespace": "dev", "pod": "z-1", "service_name": "z"}, PLAIN_LINES)]


class GrafanaTest(VarveTest):
    def setUp(self):
        super().setUp()
        self.varve = self.filled()
        self.grafana = Grafana(self.varve)

    def filled(self, *arguments, **keywords):
        server = self.started(*arguments, **keywords)
        server.push_streams(*STREAMS)
        return server

    def with_config(self, text, name="other"):
        path = f"{self.folder}/{name}.yaml"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return self.filled("--config", path, data_dir=f"{self.folder}/{name}")

    def get(self, url, headers, server=None):
        """The URL goes out as it stands, with {start} and the like replaced."""
        times = {"start": START, "end": END, "now": NOW, "start_ms": rfc3339_ms(START), "end_ms": rfc3339_ms(END)}
        for name, value in times.items():
            url = url.replace("{" + name + "}", urllib.parse.quote(str(value)))
        return (server or self.varve).request("GET", url, headers=headers)


class DataRequests(GrafanaTest):
    def test_save_and_test_is_one_row_of_two(self):
        url = "/loki/api/v1/query?direction=backward&query=vector%281%29%2Bvector%281%29&time=4000000000"
        for flags in (FLAGS, {}):
            answer = read_query_answer(self.get(url, {**BACKEND, **flags}), bool(flags))
            self.assertEqual(("vector", [({}, [(4_000_000_000, 2.0)])]), (answer.kind, answer.series))

    def test_save_and_test_is_not_refused_by_limits_on_time(self):
        server = self.with_config("limits:\n  max_query_lookback: 1h\n  max_query_length: 1h\n  retention_period: 24h\n")
        url = "/loki/api/v1/query?direction=backward&query=vector%281%29%2Bvector%281%29&time=4000000000"
        answer = read_query_answer(self.get(url, {**BACKEND, **FLAGS}, server))
        self.assertEqual([({}, [(4_000_000_000, 2.0)])], answer.series)

    LOGS = ("/loki/api/v1/query_range?direction=backward&end={end}&limit=1000&query=%7Bapp%3D%22x%22%7D+%7C+json"
            "&start={start}&step=15000ms")

    def test_logs_with_flags_tell_indexed_metadata_and_parsed_labels_apart(self):
        answer = read_query_answer(self.get(self.LOGS, {**BACKEND, **FLAGS}))
        self.assertEqual(len(JSON_LINES), len(answer.rows))
        self.assertEqual(sorted((ns for ns, *_ in JSON_LINES), reverse=True), [ns for ns, *_ in answer.rows])
        ns, line, labels, types = answer.rows[0]
        self.assertEqual(JSON_LINES[-1][:2], (ns, line))
        self.assertEqual(("I", "I", "S", "S", "P", "P"),
                         tuple(types[name] for name in ("app", "service_name", "trace_id", "detected_level", "level", "user_name")))
        self.assertEqual(("t59", "u3"), (labels["trace_id"], labels["user_name"]))

    def test_logs_without_flags_fold_all_labels_into_the_stream(self):
        answer = read_query_answer(self.get(self.LOGS, BACKEND), flags_sent=False)
        self.assertEqual(len(JSON_LINES), len(answer.rows))
        by_time = {ns: labels for ns, _, labels, _ in answer.rows}
        self.assertEqual(("t59", "u3", "x"), tuple(by_time[JSON_LINES[-1][0]][n] for n in ("trace_id", "user_name", "app")))

    def test_plain_lines_have_an_empty_third_element(self):
        server = self.with_config("limits:\n  discover_log_levels: false\n")
        answer = self.get("/loki/api/v1/query_range?direction=forward&end={end}&limit=10&query=%7Bapp%3D%22z%22%7D"
                          "&start={start}&step=15000ms", {**BACKEND, **FLAGS}, server)
        self.assertEqual(10, len(read_query_answer(answer).rows))
        values = json.loads(grafana_client.decoded(answer))["data"]["result"][0]["values"]
        self.assertEqual([[str(ns), line, {}] for ns, line in PLAIN_LINES[:10]], values)

    def test_the_flags_header_may_hold_several_flags_in_any_spelling_of_the_list(self):
        for flags in ("categorize-labels", "categorize-labels,other", "other,categorize-labels"):
            with self.subTest(flags):
                answer = self.get(self.LOGS, {**BACKEND, "X-Loki-Response-Encoding-Flags": flags})
                self.assertEqual(len(JSON_LINES), len(read_query_answer(answer).rows))
                self.assertEqual(flags.split(","), json.loads(grafana_client.decoded(answer))["data"]["encodingFlags"])

    def test_nothing_found_is_an_empty_result(self):
        for query, kind in (("%7Bapp%3D%22none%22%7D", "streams"),
                            ("sum%28count_over_time%28%7Bapp%3D%22none%22%7D%5B1m%5D%29%29", "matrix")):
            answer = self.get("/loki/api/v1/query_range?direction=backward&end={end}&limit=1000&query=" + query +
                              "&start={start}&step=15000ms", {**BACKEND, **FLAGS})
            parsed = read_query_answer(answer)
            self.assertEqual((kind, [], []), (parsed.kind, parsed.rows, parsed.series))
            self.assertEqual([], json.loads(grafana_client.decoded(answer))["data"]["result"])

    def test_the_histogram_merges_streams_by_level_on_one_grid(self):
        query = ('sum by (level, detected_level) (count_over_time({namespace=~"prod|dev"} | drop __error__[15s]))')
        answer = self.grafana.range(query, START, END, STEP_MS, source="logvolhist")
        totals = {}
        for labels, points in answer.series:
            self.assertEqual({"detected_level"}, set(labels))
            totals[labels["detected_level"]] = sum(value for _, value in points)
            for at, _ in points:
                self.assertEqual(0, round(at * 1000) % STEP_MS, at)
        self.assertEqual({"error": 6, "info": 54, "warn": 12, "debug": 48, "unknown": 60}, totals)

    def test_stats_have_the_numbers_that_explore_shows(self):
        stats = self.grafana.range('{app="x"}', START, END, STEP_MS, limit=1000).stats
        self.assertGreater(stats["summary"]["totalBytesProcessed"], 0)
        self.assertEqual(len(JSON_LINES), stats["summary"]["totalLinesProcessed"])
        self.assertGreater(stats["summary"]["execTime"], 0)

    def test_any_source_tag_is_taken(self):
        for source in ("logvolhist", "logsample", "datasample", "infinitescroll", "grafana-lokiexplore-app", "über, x=y"):
            headers = {**BACKEND, **FLAGS, "X-Query-Tags": f"Source={source}".encode()}
            self.assertEqual(len(JSON_LINES), len(read_query_answer(self.get(self.LOGS, headers)).rows))

    def test_alert_evaluation_is_an_instant_query_with_headers_about_the_rule(self):
        headers = {**BACKEND, **FLAGS, "FromAlert": "true", "X-Rule-Uid": "r1", "X-Rule-Name": "too%20many",
                   "X-Rule-Folder": "f", "X-Rule-Type": "alerting", "X-Rule-Version": "3", "Idempotency-Key": "1"}
        url = ("/loki/api/v1/query?direction=backward&query=sum%28count_over_time%28%7Bapp%3D%22z%22%7D%5B1h%5D%29%29+%3E+1"
               "&time={now}")
        self.assertEqual([({}, [(NOW // NS, 60.0)])], read_query_answer(self.get(url, headers)).series)

    def test_state_history_asks_without_step_direction_and_flags(self):
        url = "/loki/api/v1/query_range?end={end}&limit=5000&query=%7Bapp%3D%22z%22%7D&start={start}"
        self.assertEqual(60, len(read_query_answer(self.get(url, {"User-Agent": "Go-http-client/1.1",
                                                                  "Accept-Encoding": "gzip"}), False).rows))
        self.assertIn("app", read_json(self.get("/loki/api/v1/labels", {"User-Agent": "Go-http-client/1.1"}))["data"])

    def test_eleven_thousand_points_are_allowed(self):
        start = END // (11000 * NS) * 11000 * NS - 11000 * NS
        answer = self.grafana.range("vector(1)", start, start + 10999 * NS, 1000)
        self.assertEqual(11000, len(answer.series[0][1]))

    def test_a_part_with_equal_ends_is_one_point(self):
        at = NOW // (420 * NS) * 420 * NS
        answer = self.grafana.range('vector(3)', at, at, 420_000)
        self.assertEqual([({}, [(at // NS, 3.0)])], answer.series)


class Resources(GrafanaTest):
    def test_labels_with_equal_ends_and_unknown_labels_are_no_errors(self):
        row = JSON_LINES[7][0]
        labels = read_json(self.get(f"/loki/api/v1/labels?end={row}&start={row}", BROWSER))["data"]
        self.assertLessEqual({"app", "namespace", "pod", "service_name"}, set(labels))
        query = "%7Bapp%3D%22x%22%7D"
        labels = read_json(self.get(f"/loki/api/v1/labels?end={row}&query={query}&start={row}", BROWSER)).get("data") or []
        self.assertEqual({"app", "namespace", "pod", "service_name"}, set(labels))
        for name in ("nope", "__stream_shard__", "a%2Fb", "%C3%BC", "a%20b"):
            answer = self.get(f"/loki/api/v1/label/{name}/values?end={{end}}&start={{start}}", BROWSER)
            self.assertEqual([], read_json(answer).get("data") or [], name)

    def test_label_values_are_narrowed_by_a_selector(self):
        self.assertEqual(["x", "y", "z"], sorted(self.grafana.label_values("app", START, END)))
        self.assertEqual(["x", "y"], sorted(self.grafana.label_values("app", START, END, '{namespace="prod"}')))
        self.assertEqual([], self.grafana.label_values("app", START, END, '{namespace="none"}'))
        self.assertEqual(["x"], self.grafana.label_values("app", START, END, '{namespace="prod",pod=~"x-1|z-1"}'))

    def test_labels_have_no_limit_parameter_and_ignore_it(self):
        for limit in (0, 1):
            answer = read_json(self.get(f"/loki/api/v1/labels?end={{end}}&limit={limit}&start={{start}}", BROWSER))
            self.assertEqual(["app", "namespace", "pod", "service_name"], sorted(answer["data"]))

    def test_series_keep_repeated_matchers(self):
        url = ("/loki/api/v1/series?end={end}&match%5B%5D=%7Bapp%3D%22x%22%7D&match%5B%5D=%7Bnamespace%3D%22dev%22%7D&start={start}")
        data = read_json(self.get(url, BROWSER))["data"]
        self.assertEqual(["x", "z"], sorted(labels["app"] for labels in data))

    def test_index_stats_are_four_numbers_at_the_top(self):
        url = "/loki/api/v1/index/stats?end={end}&query=%s&start={start}"
        none = read_json(self.get(url.replace("%s", "%7Bapp%3D%22none%22%7D"), BROWSER))
        self.assertEqual({"streams": 0, "chunks": 0, "bytes": 0, "entries": 0}, none)
        some = read_json(self.get(url.replace("%s", "%7Bnamespace%3D%22prod%22%7D"), BROWSER))
        self.assertEqual((2, 120), (some["streams"], some["entries"]))
        self.assertTrue(all(isinstance(some[k], int) for k in ("streams", "chunks", "bytes", "entries")))

    def test_nothing_but_gzip_and_identity_is_ever_sent(self):
        lines = [(NOW - i, f"line {i} " + "x" * 200) for i in range(100)]
        self.varve.push_streams(*[({"app": f"many{i}", "service_name": "m"}, lines[:1]) for i in range(200)])
        for path in ("labels?", "label/app/values?", "series?", "detected_labels?query=&", "detected_fields?query=%7Bapp%3D%22x%22%7D&",
                     "index/volume?query=%7Bapp%3D~%22.%2B%22%7D&", "query_range?query=%7Bapp%3D%22x%22%7D&"):
            for encoding in ("gzip, deflate, br, zstd", "br", "zstd, br;q=0.9", "deflate", "identity", "gzip;q=0", "*"):
                answer = self.get(f"/loki/api/v1/{path}start={{start}}&end={{end}}", {**BROWSER, "Accept-Encoding": encoding})
                self.assertEqual(200, answer.status, answer.body[:300])
                got = answer.headers.get("Content-Encoding")
                self.assertIn(got, (None, "gzip"), (path, encoding))
                if "gzip" not in encoding and "*" not in encoding or encoding == "gzip;q=0":
                    self.assertIsNone(got, (path, encoding))
                json.loads(grafana_client.decoded(answer))
        answer = self.get("/loki/api/v1/label/app/values?end={end}&start={start}", BROWSER)
        self.assertEqual("gzip", answer.headers.get("Content-Encoding"))

    def test_parameters_may_be_in_the_url_in_the_form_or_in_both(self):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        part = urllib.parse.urlencode({"query": '{app="x"}', "limit": 10})
        times = urllib.parse.urlencode({"start": START, "end": END})
        cases = [(f"?{part}&{times}", b"", {}), (f"?{part}&{times}", b"", form), (f"?{part}&{times}", b"{}", {}),
                 (f"?{part}&{times}", b"{}", {"Content-Type": "application/json"}), (f"?{part}&{times}", b"{}", form),
                 (f"?{times}", part.encode(), form), ("", f"{part}&{times}".encode(), form),
                 (f"?{part}&{times}&unknown=1&stats=all", b"also=unknown", form)]
        for query, body, headers in cases:
            with self.subTest(query=query, body=body, headers=headers):
                answer = self.varve.request("POST", "/loki/api/v1/query_range" + query, body=body,
                                            headers={**BACKEND, **FLAGS, **headers})
                self.assertEqual(10, len(read_query_answer(answer).rows))

    def test_buildinfo_is_at_the_top_level(self):
        info = read_json(self.get("/loki/api/v1/status/buildinfo", BROWSER))
        self.assertLessEqual({"version", "revision", "branch", "buildUser", "buildDate", "goVersion"}, set(info))
        self.assertTrue(all(isinstance(value, str) for value in info.values()))

    def test_unknown_paths_are_404_in_plain_text(self):
        for path in ("/loki/api/v2alpha/tail", "/loki/api/v1/nothing", "/api/v1/status/nothing", "/index.html"):
            answer = self.get(path, BROWSER)
            self.assertEqual((404, "404 page not found"), (answer.status, answer.text.strip()), path)
            self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"))


class Drilldown(GrafanaTest):
    """The first pages of the Logs Drilldown app; its times are RFC 3339 with milliseconds."""
    TIMES = "end={end_ms}&start={start_ms}"

    def ask(self, url):
        return read_json(self.get(f"/loki/api/v1/{url}&{self.TIMES}", DRILLDOWN))

    def test_the_landing_page_lists_services_by_volume(self):
        result = self.ask("index/volume?limit=5000&query=%7Bservice_name%3D~%60.%2B%60%7D")["data"]["result"]
        volumes = {s["metric"]["service_name"]: int(s["value"][1]) for s in result}
        expected = {labels["service_name"]: sum(len(e[1].encode()) for e in lines) for labels, lines in STREAMS}
        self.assertEqual(expected, volumes)
        self.assertEqual(sorted(volumes.values(), reverse=True), list(volumes.values()))
        found = self.ask("index/volume?limit=5000&query=%7Bservice_name%3D~%22%28%3Fi%29.%2AX.%2A%22%7D")["data"]["result"]
        self.assertEqual([{"service_name": "x"}], [s["metric"] for s in found])

    def test_the_labels_tab_takes_an_empty_query(self):
        for query in ("query=", "query=%7Bservice_name%3D~%60.%2B%60%7D"):
            found = self.ask(f"detected_labels?{query}")["detectedLabels"]
            self.assertEqual({"app": 3, "namespace": 2, "pod": 3, "service_name": 3},
                             {f["label"]: f["cardinality"] for f in found})

    def test_the_fields_tab_tells_metadata_from_parsed_fields(self):
        query = urllib.parse.quote("{service_name=`x`} | json | logfmt | drop __error__, __error_details__")
        answer = self.ask(f"detected_fields?limit=1000&query={query}")
        fields = {f["label"]: f for f in answer["fields"]}
        self.assertEqual(1000, answer["limit"])
        for name in ("trace_id", "detected_level"):
            self.assertIn("parsers", fields[name])
            self.assertIsNone(fields[name]["parsers"])
        for name, kind in (("status", "int"), ("took", "duration"), ("size", "bytes"), ("user_name", "string")):
            self.assertEqual((kind, True), (fields[name]["type"], "json" in fields[name]["parsers"]), fields[name])
            self.assertIsInstance(fields[name]["cardinality"], int)
        self.assertEqual(["user", "name"], fields["user_name"]["jsonPath"])

    def test_the_values_of_a_field(self):
        query = urllib.parse.quote("{service_name=`x`}")
        answer = self.ask(f"detected_field/status/values?limit=1000&query={query}")
        self.assertEqual((["200", "201", "202"], 1000), (sorted(answer["values"]), answer["limit"]))
        self.assertEqual([], self.ask(f"detected_field/nope/values?limit=1000&query={query}").get("values", []))

    def test_its_limits(self):
        answer = read_json(self.get("/loki/api/v1/drilldown-limits", {**DRILLDOWN, "X-Scope-OrgID": "fake"}))
        limits = answer["limits"]
        self.assertLessEqual({"limits", "pattern_ingester_enabled", "version"}, set(answer))
        self.assertIs(True, answer["pattern_ingester_enabled"])  # false would hide the Patterns tab
        self.assertIs(True, limits["volume_enabled"])
        self.assertEqual(5000, limits["max_entries_limit_per_query"])
        for name in ("retention_period", "max_query_length", "max_query_lookback", "query_timeout"):  # Prometheus durations
            self.assertRegex(limits[name], r"^(\d+(ms|[smhdwy]))+$")
        self.assertIn("service", limits["discover_service_name"])
        self.assertRegex(answer["version"], r"^3\.")

    def test_the_patterns_tab(self):
        query = urllib.parse.quote('{service_name=`z`}')
        answer = self.ask(f"patterns?query={query}&step=10s")
        self.assertEqual("success", answer["status"])
        self.assertEqual(60, sum(count for p in answer["data"] for _, count in p["samples"]))
        for p in answer["data"]:
            self.assertLessEqual({"pattern", "samples"}, set(p))
            self.assertLessEqual(set(p), {"pattern", "level", "samples"})
            self.assertIn("<_>", p["pattern"])
            times = [at for at, _ in p["samples"]]
            self.assertEqual(sorted(set(times)), times)
            for at, count in p["samples"]:
                self.assertTrue(isinstance(at, int) and isinstance(count, int) and at % 10 == 0, (at, count))
            # A pattern that is clicked becomes a filter, which must find the lines it was counted from.
            found = self.grafana.range("{service_name=`z`} |> `" + p["pattern"] + "`", START, END, STEP_MS, limit=1000)
            self.assertGreaterEqual(len(found.rows), sum(count for _, count in p["samples"]), p["pattern"])
        nothing = self.ask("patterns?query=" + urllib.parse.quote('{service_name=`none`}') + "&step=10s")
        self.assertEqual({"status": "success", "data": []}, nothing)

    def test_its_queries_run(self):
        selector = "{service_name=`x`}"
        cases = {
            "sum by (detected_level) (count_over_time({service_name=`x`} | drop __error__ [$__auto]))": 60,
            "sum by (pod) (count_over_time({service_name=`x`, pod!=\"\"} | detected_level != \"\" [$__auto]))": 60,
            "sum by (status) (count_over_time({service_name=`x`} | json | logfmt | drop __error__, __error_details__ "
            "| status!=\"\" [$__auto]))": 60,
        }
        for query, total in cases.items():
            with self.subTest(query):
                answer = self.grafana.range(grafana_client.substituted(query, 15000, 3600_000), START, END, 15000,
                                            source="grafana-lokiexplore-app")
                self.assertEqual(total, sum(value for _, points in answer.series for _, value in points))
        logs = (selector + " | detected_level=`error` or detected_level=`warn` | trace_id=`t50` |> `<_>level<_>` |= `u` "
                "|~ `(?i)LEVEL` | json a=\"user[\\\"name\\\"]\" | logfmt | drop __error__, __error_details__ | a=`u2` "
                "| line_format \"{{.a}}\"")
        rows = self.grafana.range(logs, START, END, STEP_MS, limit=100, source="grafana-lokiexplore-app").rows
        self.assertEqual([(JSON_LINES[50][0], "u2")], [row[:2] for row in rows])


class Alerting(GrafanaTest):
    """What the alerting pages ask of a Loki data source, through Grafana's proxy."""
    PROXY = {"User-Agent": "Grafana/12.1.0", "X-Forwarded-For": "10.0.0.1", "Accept": "application/json",
             "X-Grafana-Referer": "http://grafana/alerting/list", "Accept-Encoding": "gzip"}

    def test_rules_and_alerts_are_lists(self):
        for path, key in (("rules", "groups"), ("alerts", "alerts")):
            for query in ("", "?subtype=mimir", "?type=alert&group_limit=40&exclude_alerts=true&limit_alerts=0"):
                answer = read_json(self.get(f"/prometheus/api/v1/{path}{query}", self.PROXY))
                self.assertEqual({"status": "success", "data": {key: []}}, {k: answer[k] for k in ("status", "data")})

    def test_rules_can_be_edited_only_if_the_probe_says_so(self):
        answer = self.get("/api/prom/rules/test/test?subtype=mimir", self.PROXY)
        text = grafana_client.decoded(answer).decode()
        self.assertEqual(404, answer.status)
        self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"))
        editable = "group does not exist" in text or "no rule groups found" in text
        group = b"name: g\ninterval: 1m\nrules:\n  - alert: A\n    expr: sum(rate({app=\"x\"}[1m])) > 1\n"
        saved = self.varve.request("POST", "/api/prom/rules/ns?subtype=mimir", body=group, headers=self.PROXY)
        self.assertEqual(editable, saved.status == 202, (text, saved.status))

    def test_the_list_of_rules_is_empty_or_404(self):
        for path in ("/api/prom/rules", "/loki/api/v1/rules", "/api/prom/rules/a%2Fb"):
            answer = self.get(path, self.PROXY)
            self.assertEqual((404, "no rule groups found\n"), (answer.status, answer.text), path)


class LegacyQuery(GrafanaTest):
    def test_lines_come_with_their_labels_as_text_and_times_as_rfc_3339(self):
        url = "/api/prom/query?query=%7Bapp%3D%22z%22%7D&regexp=page%2F%5B12%5D+&start={start}&end={end}&limit=10&direction=FORWARD"
        answer = read_json(self.get(url, {"User-Agent": "logcli/1.0"}))
        entries = [entry for stream in answer["streams"] for entry in stream["entries"]]
        self.assertEqual([PLAIN_LINES[1][1], PLAIN_LINES[2][1]], [entry["line"] for entry in entries])
        self.assertIn('app="z"', answer["streams"][0]["labels"])
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(PLAIN_LINES[1][0] // NS))
        self.assertEqual(when, entries[0]["ts"])

    def test_metrics_are_refused(self):
        answer = self.get("/api/prom/query?query=rate%28%7Bapp%3D%22z%22%7D%5B1m%5D%29&start={start}&end={end}", BROWSER)
        self.assertEqual(400, answer.status)
        self.assertIn("legacy endpoints only support streams result type", grafana_client.decoded(answer).decode())


class Errors(GrafanaTest):
    def assert_text(self, answer, status, part):
        self.assertEqual(status, answer.status, answer.body[:300])
        self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"), answer.headers["Content-Type"])
        text = grafana_client.decoded(answer).decode()
        self.assertNotIn("\n", text.rstrip("\n"))
        self.assertIn(part, text)

    def test_bad_queries_are_one_line_of_text(self):
        for query, part in (('{app="x"', "parse error at line 1"), ("{}", "queries require at least one regexp or equality matcher"),
                            ('{app="x"} |~ "("', "error parsing regexp"), ("", "parse error"),
                            ('sum(count_over_time({app="x"} | json | unwrap nope [1m]))', "parse error")):
            with self.subTest(query):
                self.assert_text(self.grafana.range_answer(query, START, END, STEP_MS, limit=100), 400, part)

    def test_limits_are_4xx_with_their_text(self):
        self.assert_text(self.grafana.range_answer('{app="x"}', START, END, STEP_MS, limit=6000), 400,
                         "max entries limit per query exceeded, limit > max_entries_limit_per_query (6000 > 5000)")
        self.assert_text(self.grafana.range_answer('{app="x"}', END - 40 * 24 * 3600 * NS, END, STEP_MS * 100, limit=10), 400,
                         "the query time range exceeds the limit")
        small = self.with_config("limits:\n  max_query_bytes_read: 1KB\n  max_query_series: 2\n")
        self.assert_text(Grafana(small).range_answer('{app="x"}', START, END, STEP_MS, limit=10), 400,
                         "the query would read too many bytes")
        small = self.with_config("limits:\n  max_query_series: 2\n", "series")
        self.assert_text(Grafana(small).range_answer('count_over_time({app="x"}[1h])', START, END, STEP_MS), 400,
                         "maximum number of series (2) reached for a single query")

    def test_a_timeout_is_504_and_says_timed_out(self):
        slow = self.with_config("limits:\n  query_timeout: 1ms\n")
        self.fill_much(slow)
        self.assert_text(Grafana(slow).range_answer(SLOW_QUERY, START, END, 1000), 504, "request timed out, decrease the duration")

    def fill_much(self, server):
        for part in range(20):
            server.push_streams(({"app": "much", "part": str(part)},
                                 [(START + i * MS, f"{part} {i} " + "abcdefgh" * 30) for i in range(10000)]))

    def test_a_cancelled_query_stops_and_leaves_nothing_behind(self):
        self.fill_much(self.varve)
        url = "/loki/api/v1/query_range?" + urllib.parse.urlencode({"query": SLOW_QUERY, "start": START, "end": END, "step": "1000ms"})
        for _ in range(10):
            connection = http.client.HTTPConnection("127.0.0.1", self.varve.port, timeout=60)
            connection.request("GET", url, headers={**BACKEND, **FLAGS})
            time.sleep(0.005)
            connection.close()
        deadline = time.monotonic() + 60
        while True:
            metrics = self.varve.metrics()
            busy = metrics['varve_memory_budget_used_bytes{budget="queries"}']
            stopped = sum(v for name, v in metrics.items()
                          if name.startswith("loki_request_duration_seconds_count") and 'status_code="499"' in name)
            if busy == 0 and stopped >= 1:
                break
            self.assertLess(time.monotonic(), deadline, f"{busy} bytes in use, {stopped} queries stopped")
            time.sleep(0.05)
        self.assertEqual(len(JSON_LINES), len(self.grafana.range('{app="x"}', START, END, STEP_MS, limit=1000).rows))


SLOW_QUERY = 'quantile_over_time(0.99, {app="much"} |~ "a.*b.*c.*d.*e.*zz?|h$" | regexp "(?P<n>[0-9]+) (?P<m>[0-9]+)" | unwrap m [1m])'


class Expressions(GrafanaTest):
    """Each must be answered without an error and, but for those in EMPTY, with something."""
    LOGS = [
        '{app="x"} |= ``', '{app="x"} |= ""', '{app=~"x|y"} |~ "(?i)ERROR"', '{app="y"} | logfmt | level=~"warn|debug"',
        '{app="y"} | logfmt | level=~".*"', '{app="x"} | json | line_format "{{.level}} {{.user_name}}"',
        '{app="y"} | logfmt | line_format "{{.msg}}"', '{app="z"} | pattern "<method> <path> failed from <ip> <_>" | ip != ""',
        '{app="z"} | regexp `(?P<method>GET|POST) (?P<path>\\S+)` | method="GET"', '{app="z"} | decolorize',
        '{app="y"} |= "request 1" or "request 2"', '{app="z"} |= ip("10.0.0.0/8")', '{app="x"} | json | __error__=""',
        '{app="x"} | trace_id="t5"', '{app="y"} | logfmt | duration > 10ms | bytes < 30kB',
        '{app="x"} | json status_code="status", name="user.name" | status_code = 200', '{app="y"} | logfmt | drop ts, msg',
        '{app="y"} | logfmt | keep level', '{app="x"} | json | label_format lvl=level, u="{{.user_name | ToUpper}}"',
        '{app="x", __stream_shard__=""}', '{app="x"} | json | drop __error__, __error_details__',
        '{namespace="prod", app="x"} | detected_level=`error` or detected_level=`info`', '{app="z"} !~ "nothing"',
        '{app="z"} |> "GET <_> failed from <_>"', '{app="y"} | logfmt | msg=~".*failed.*", level="warn"',
        '{app="x"} |= "u1" | json | user_name = "u1" # a comment',
    ]
    METRICS = [
        'sum(count_over_time({app="x"} |= "" [$__interval]))', 'sum(rate({app="x"}[$__auto]))',
        'sum by (level) (count_over_time({app="y"} | logfmt | __error__="" [$__auto]))',
        'topk(10, sum by (pod) (count_over_time({namespace="prod"}[$__range])))', 'sum(bytes_over_time({app=~".+"}[$__interval]))',
        'bytes_rate({app="z"}[${__interval}])', 'quantile_over_time(0.95, {app="y"} | logfmt | unwrap duration(duration) [$__auto]) by (app)',
        'avg_over_time({app="y"} | logfmt | duration!="" | unwrap duration(duration) | __error__="" [$__auto]) by ()',
        'max_over_time({app="y"} | logfmt | unwrap bytes(bytes) | __error__="" [$__auto]) by (level)',
        'sum(count_over_time({app="x"} | keep trace_id [$__range]))', 'absent_over_time({app="gone"}[$__interval])',
        'sum(rate({app="x"} | json | level="error" [$__range])) / sum(rate({app="x"}[$__range]))',
        'count_over_time({app="z"}[1d])', 'sum(count_over_time({app="z"}[${__range_s}s]))', 'sum(count_over_time({app="z"}[200ms]))',
        'sum by (detected_level)(sum_over_time({app="y"} | logfmt | unwrap ts [$__auto]))',
        'label_replace(sum by (app) (rate({app=~"x|y"}[$__auto])), "team", "$1", "app", "(.*)")',
        'sort_desc(sum by (app) (count_over_time({app=~".+"}[1h])))', 'sum(rate({app="x"}[1m] offset 10s)) or vector(0)',
        'first_over_time({app="y"} | logfmt | unwrap ts [$__auto]) by (app)', 'stddev_over_time({app="y"} | logfmt | unwrap ts [5m]) by ()',
    ]
    EMPTY = ["sum by (detected_level)(sum_over_time({__aggregated_metric__=`svc`} | logfmt | unwrap count [$__auto]))",
             '{app="x"} |= "not there"', '{app=~"(' + "|".join(f"pod-{i}" for i in range(500)) + ')"}']

    def test_log_queries(self):
        for query in self.LOGS:
            with self.subTest(query):
                for direction in ("backward", "forward"):
                    answer = self.grafana.range(query, START, END, STEP_MS, limit=1000, direction=direction)
                    self.assertEqual("streams", answer.kind)
                    self.assertTrue(answer.rows)

    def test_metric_queries(self):
        for query in self.METRICS:
            with self.subTest(query):
                text = grafana_client.substituted(query, STEP_MS, 3600_000)
                self.assertTrue(self.grafana.range(text, START, END, STEP_MS).series, text)
                if "sort" in query or "topk" in query:
                    self.assertEqual("vector", self.grafana.instant(text, NOW).kind)

    def test_queries_that_find_nothing(self):
        for query in self.EMPTY:
            with self.subTest(query):
                answer = self.grafana.range(grafana_client.substituted(query, STEP_MS, 3600_000), START, END, STEP_MS, limit=10,
                                            source="grafana-lokiexplore-app")
                self.assertEqual(([], []), (answer.rows, answer.series))


if __name__ == "__main__":
    unittest.main()
