"""Grafana's Loki data source as a client: its requests as it sends them, its reading of the answers.

Restated from what Grafana's own sources do (10.2 to 13): the Go client's URL text, the headers of data requests and of
those that the browser's reach us with, and the response parser, which is stricter than JSON (`read_query_answer`). A
server that this module accepts is one that Grafana can read; it raises `Unreadable` where Grafana would show an error,
mix up labels, or silently lose rows.
"""
import gzip
import hashlib
import json
import re
import urllib.parse

NS = 1_000_000_000
MS = 1_000_000
DAY = 24 * 3600 * NS

FLAGS = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
# A data request: the plugin's Go client, which decompresses gzip itself.
BACKEND = {"User-Agent": "Grafana/12.1.0", "Accept-Encoding": "gzip", "X-Dashboard-Uid": "ab12", "X-Panel-Id": "4",
           "X-Panel-Title": "Logs%20by%20app", "X-Datasource-Uid": "loki", "X-Query-Group-Id": "q-1",
           "X-Grafana-Org-Id": "1", "X-Grafana-User": "admin", "Uber-Trace-Id": "1:2:0:1",
           "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
# A resource request: the browser's headers are forwarded.
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "Accept": "application/json, text/plain, */*",
           "Accept-Encoding": "gzip, deflate, br, zstd", "Accept-Language": "en-US,en;q=0.9,de;q=0.8",
           "X-Grafana-Org-Id": "1", "X-Grafana-Cache": "private, max-age=60", "Cookie": "lang=de"}
DRILLDOWN = {**BROWSER, "X-Query-Tags": "Source=grafana-lokiexplore-app"}


class Unreadable(AssertionError):
    """Grafana could not read this answer, or would read it wrongly."""


def go_query(params):
    """url.Values.Encode: sorted by name, a name's values in order, spaces as +."""
    return "&".join(f"{urllib.parse.quote_plus(name)}={urllib.parse.quote_plus(str(value))}"
                    for name, value in sorted(params, key=lambda pair: pair[0]))


def rfc3339_ms(ns):
    """As JavaScript's toISOString has it."""
    import datetime
    seconds, rest = divmod(ns, NS)
    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%S") + f".{rest // MS:03d}Z"


# ---- The response parser ------------------------------------------------------------------------

def _object(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise Unreadable(f"a key occurs twice: {keys}")
    return dict(pairs)  # keeps the order of the text


def _require(condition, why, value=None):
    if not condition:
        raise Unreadable(why if value is None else f"{why}: {json.dumps(value)[:400]}")


def decoded(answer):
    """The body without its compression; only gzip and identity are readable everywhere."""
    encoding = answer.headers.get("Content-Encoding")
    _require(encoding in (None, "identity", "gzip"), f"Content-Encoding {encoding}")
    return gzip.decompress(answer.body) if encoding == "gzip" else answer.body


def read_json(answer):
    _require(answer.status == 200, f"status {answer.status}: {answer.body[:400]!r}")
    kind = answer.headers.get("Content-Type", "")
    _require(kind.lower().startswith("application/json"), f"Content-Type {kind}")
    return json.loads(decoded(answer), object_pairs_hook=_object)


class QueryAnswer:
    """What Grafana makes frames of. rows: (ns, line, labels, types) in the answer's order; series: (labels, points)."""

    def __init__(self, kind, rows, series, stats, warnings):
        self.kind, self.rows, self.series, self.stats, self.warnings = kind, rows, series, stats, warnings

    def ids(self):
        """Row ids: time and a hash of line and labels; equal rows of one answer get _1, _2, …"""
        seen, ids = {}, []
        for ns, line, labels, _ in self.rows:
            row = hashlib.sha1(json.dumps([line, sorted(labels.items())]).encode()).hexdigest()
            name = f"{ns}_{row}"
            count = seen[name] = seen.get(name, -1) + 1
            ids.append(name if count == 0 else f"{name}_{count}")
        return ids


def _strings(value, what):
    _require(isinstance(value, dict) and all(isinstance(v, str) for v in value.values()), f"{what} is no map of strings", value)
    return value


def _time_ns(text):
    _require(isinstance(text, str) and re.fullmatch(r"-?\d+", text), "a time is no string of digits", text)
    return int(text)


def _read_stream(stream, flagged, rows):
    _require(list(stream) == ["stream", "values"], "a stream is not exactly {stream, values}", list(stream))
    labels = _strings(stream["stream"], "stream")
    for value in stream["values"]:
        _require(isinstance(value, list) and len(value) == (3 if flagged else 2), "a value of the wrong length", value)
        _require(isinstance(value[1], str), "a line is no string", value)
        types = {name: "I" for name in labels}
        merged = dict(labels)
        if flagged:
            _require(isinstance(value[2], dict) and set(value[2]) <= {"structuredMetadata", "parsed"},
                     "the third element has unknown keys", value[2])
            for key, letter in (("structuredMetadata", "S"), ("parsed", "P")):
                for name, text in _strings(value[2].get(key, {}), key).items():
                    merged[name], types[name] = text, letter
        rows.append((_time_ns(value[0]), value[1], merged, types))


def _sample(pair):
    _require(isinstance(pair, list) and len(pair) == 2, "a sample is no pair", pair)
    _require(isinstance(pair[0], (int, float)) and not isinstance(pair[0], bool), "a sample's time is no number", pair)
    _require(isinstance(pair[1], str) and re.fullmatch(r"NaN|[+-]Inf|-?\d+(\.\d+)?(e[+-]?\d+)?", pair[1]),
             "a sample's value is no number in a string", pair)
    return pair[0], float(pair[1].replace("Inf", "inf"))


def _read_series(series, key):
    _require("metric" in series and key in series, f"no metric or {key}", series)
    points = [_sample(pair) for pair in ([series[key]] if key == "value" else series[key])]
    _require([p[0] for p in points] == sorted({p[0] for p in points}), "points are not in order", points[:5])
    return _strings(series["metric"], "metric"), points


def read_query_answer(answer, flags_sent=True):
    top = read_json(answer)
    _require(isinstance(top, dict) and top.get("status") == "success", "status", top.get("status"))
    for key in ("warnings", "infos"):
        _require(all(isinstance(text, str) for text in top.get(key) or []), f"{key} are no strings")
    data = top.get("data")
    _require(isinstance(data, dict) and "resultType" in data, "no resultType found")
    keys, kind, result = list(data), data["resultType"], data.get("result")
    flags = data.get("encodingFlags")
    if flags is not None:
        _require(flags_sent, "encodingFlags were not asked for")
        _require(isinstance(flags, list) and all(isinstance(f, str) for f in flags), "encodingFlags", flags)
        _require(keys.index("encodingFlags") < keys.index("result"), "encodingFlags must precede result", keys)
    flagged = flags is not None and "categorize-labels" in flags
    rows, series = [], []
    if kind == "streams":
        _require(flagged == flags_sent, "the flags are not echoed", flags)
        for stream in result:
            _read_stream(stream, flagged, rows)
    elif kind in ("vector", "matrix"):
        series = [_read_series(s, "value" if kind == "vector" else "values") for s in result]
        names = [json.dumps(labels, sort_keys=True) for labels, _ in series]
        _require(len(set(names)) == len(names), "two series of the same labels", names)
    elif kind == "scalar":
        series = [({}, [_sample(result)])]
    else:
        raise Unreadable(f"resultType {kind}")
    return QueryAnswer(kind, rows, series, _read_stats(data.get("stats")), top.get("warnings") or [])


def _read_stats(stats):
    """The fields that Explore shows and that steer its splitting are numbers."""
    if stats is None:
        return {}
    for group, names in {"summary": ("bytesProcessedPerSecond", "linesProcessedPerSecond", "totalBytesProcessed",
                                     "totalLinesProcessed", "execTime"),
                         "ingester": ("totalReached", "totalChunksMatched", "totalBatches", "totalLinesSent")}.items():
        for name in names:
            value = stats.get(group, {}).get(name, 0)
            _require(isinstance(value, (int, float)) and not isinstance(value, bool), f"stats {group}.{name}", value)
    return stats


# ---- Requests -----------------------------------------------------------------------------------

class Grafana:
    """A data source that points at one server. `flags=False` is Grafana 10.2."""

    def __init__(self, server, flags=True, headers=None):
        self.server, self.flags, self.extra = server, flags, headers or {}

    def _send(self, path, params, headers):
        text = go_query(params)
        return self.server.request("GET", path + ("?" + text if text else ""), headers={**headers, **self.extra})

    def data_request(self, path, params, source=None):
        headers = {**BACKEND, **(FLAGS if self.flags else {})}
        if source:
            headers["X-Query-Tags"] = f"Source={source}"
        return self._send(path, params, headers)

    def range_answer(self, query, start, end, step_ms=None, limit=0, direction="backward", source=None):
        step_ms = step_ms or max(1, -(-(end - start) // (11000 * MS)))
        params = [("query", query), ("start", start), ("end", end), ("step", f"{step_ms}ms"), ("direction", direction)]
        if limit:
            params.append(("limit", limit))
        return self.data_request("/loki/api/v1/query_range", params, source)

    def range(self, *args, **keywords):
        return read_query_answer(self.range_answer(*args, **keywords), self.flags)

    def instant(self, query, at, direction="backward", source=None):
        params = [("query", query), ("time", at), ("direction", direction)]
        return read_query_answer(self.data_request("/loki/api/v1/query", params, source), self.flags)

    def resource(self, path, params=(), headers=None):
        """A request that the browser's headers come along with; the decoded JSON."""
        return read_json(self._send("/loki/api/v1/" + path, params, headers or BROWSER))

    def labels(self, start, end, query=None):
        extra = [("query", query)] if query else []
        return self.resource("labels", [("start", start), ("end", end), *extra]).get("data") or []

    def label_values(self, name, start, end, query=None):
        extra = [("query", query)] if query else []
        path = f"label/{urllib.parse.quote(name, safe='')}/values"
        return self.resource(path, [("start", start), ("end", end), *extra]).get("data") or []


def substituted(query, step_ms, range_ms):
    """Grafana's macros, replaced as its backend does before it sends a query."""
    values = {"__interval_ms": str(step_ms), "__interval": _duration(step_ms), "__range_ms": str(range_ms),
              "__range_s": str(range_ms // 1000), "__range": f"{range_ms // 1000}s", "__auto": _duration(step_ms)}
    for name, value in values.items():
        query = query.replace("${" + name + "}", value)
        query = re.sub(r"\$" + name + r"\b", value, query)
    return query


def _duration(ms):
    """gtime.FormatInterval: the largest unit that it is at least one of, rounded down; ms below a second."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if ms >= size:
            return f"{ms // size}{unit}"
    return f"{max(ms, 1)}ms"
