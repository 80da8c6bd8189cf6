"""Runs Loki's declarative metric-query scripts (*.logqltest) against a server of our own.

The folder with the scripts is the first argument; they are not part of this repository (Loki's licence), so the
test is registered with ctest only where VARVE_LOGQLTEST_DIR names such a folder. Further arguments are parts of
script names to run; --failures N prints that many differences of each script (default 20).

A script loads streams and evaluates queries at offsets from an epoch:

    load
      {app="a"} "v={{.i}}" @ 10s [repeat every 10s for 6] [metadata k="x"]
    eval range from 60s to 180s step 60s sum_over_time({app="a"} | logfmt | unwrap v [1m])
      {app="a"} 15 _ 2+3x2

Each scenario (from one `clear` to the next) is a tenant of its own. Ranges are aligned to the step by the server, so
a range that does not begin at a multiple of its step is asked of a copy of the scenario with a shifted epoch.
"""
import json
import math
import os
import re
import sys
import unittest

from varve_process import NS, VarveTest, json_push

EPOCH = 1_767_225_600 * NS  # 2026-01-01, a multiple of every step that divides a day
TOLERANCE = 1e-9
UNITS = {"ns": 1, "us": 1000, "µs": 1000, "ms": 10**6, "s": NS, "m": 60 * NS, "h": 3600 * NS}
SETTINGS = ("auth_enabled=true", "limits.discover_service_name=[]", "limits.discover_log_levels=false",
            "limits.reject_old_samples=false")


def duration(text):
    """Go's: 1m30s, 1.5s, 0."""
    if text in ("0", "+0", "-0"):
        return 0
    parts = re.findall(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text.lstrip("+-"):
        raise ValueError(f"bad duration {text!r}")
    total = sum(round(float(number) * UNITS[unit]) for number, unit in parts)
    return -total if text.startswith("-") else total


def without_comment(line):
    quote = None
    for i, c in enumerate(line):
        if quote:
            quote = None if c == quote else quote
        elif c in "\"`":
            quote = c
        elif c == "#":
            return line[:i].rstrip()
    return line


def label_set(text):
    """{a="b", "c d"="e"} as a dict; empty values stay."""
    pairs = re.findall(r'(?:"((?:[^"\\]|\\.)*)"|([^\s",=]+))\s*=\s*("(?:[^"\\]|\\.)*")', text)
    return {quoted or plain: json.loads(value) for quoted, plain, value in pairs}


def braces(line):
    end = line.index("}") + 1
    return label_set(line[1:end - 1]), line[end:]


def number(text):
    return float(text.replace("Inf", "inf"))


def points(tokens):
    """One value a step; None is a gap. b±sxN is N+1 values from b on."""
    out = []
    for token in tokens:
        repeated = re.fullmatch(r"(.+?)([+-][^+-]+)?x(\d+)", token)
        if token == "_":
            out.append(None)
        elif repeated:
            base, step = number(repeated[1]), number(repeated[2] or "0")
            out += [base + i * step for i in range(int(repeated[3]) + 1)]
        else:
            out.append(number(token))
    return out


def loaded(line):
    """The stream's labels and its entries, their times as offsets."""
    labels, rest = braces(line)
    quote = min((rest.find(q), q) for q in "\"`" if q in rest)[1]
    begin = rest.index(quote) + 1
    end = rest.index(quote, begin)
    message, rest = rest[begin:end], rest[end + 1:]
    at = re.match(r"\s*@\s*(\S+)", rest)
    rest, start, step, count, metadata = rest[at.end():], duration(at[1]), 0, 1, {}
    repeat = re.match(r"\s*\[repeat every\s+(\S+)\s+for\s+(\d+)\]", rest)
    if repeat:
        step, count, rest = duration(repeat[1]), int(repeat[2]), rest[repeat.end():]
    block = re.match(r"\s*\[metadata\s+(.*?)\]", rest)
    if block:
        metadata, rest = label_set(block[1]), rest[block.end():]
    if rest.strip():
        raise ValueError(f"left over: {rest!r}")
    return labels, [(start + i * step, message.replace("{{.i}}", str(i)), metadata) for i in range(count)]


class Expected:
    def __init__(self):
        self.fails = self.empty = self.ordered = False
        self.message = self.pattern = self.scalar = None
        self.series = []

    def add(self, line):
        if line.startswith("expect fail"):
            self.fails = True
            kind, _, text = line[len("expect fail"):].strip().partition(":")
            self.message, self.pattern = (text.strip() if kind == k else None for k in ("msg", "regex"))
        elif line == "expect empty":
            self.empty = True
        elif line == "expect ordered":
            self.ordered = True
        elif line.startswith("skip "):
            pass  # of one of Loki's ways to run a query; there is only one here
        elif line.startswith("{"):
            labels, rest = braces(line)
            self.series.append((labels, points(rest.split())))
        else:
            self.scalar = number(line)


def scenarios(text):
    """Commands of a script: ("clear",), ("load", [(labels, entries)]), ("eval", line number, text, Expected)."""
    lines, i = text.split("\n"), 0
    while i < len(lines):
        command, at = without_comment(lines[i]).strip(), i + 1
        i += 1
        block = []
        if command and command != "clear":
            while i < len(lines) and lines[i].strip():
                stripped = lines[i].strip()
                if not stripped.startswith("#"):
                    if lines[i][0] not in " \t":
                        break
                    block.append(without_comment(lines[i]).strip())
                i += 1
            block = [line for line in block if line]
        if command == "clear":
            yield ("clear",)
        elif command == "load":
            yield ("load", [loaded(line) for line in block])
        elif command.startswith("eval "):
            expected = Expected()
            for line in block:
                expected.add(line)
            yield ("eval", at, command, expected)
        elif command:
            raise ValueError(f"line {at}: {command}")


def cannot_be_pushed(streams, expected):
    """Whether a label is expected that comes from metadata with an empty value: the scripts' own store keeps it, but
    both servers drop it from a push."""
    empty = {name for _, entries in streams for *_, metadata in entries for name, value in metadata.items() if not value}
    return any(value == "" and name in empty for labels, _ in expected.series for name, value in labels.items())


def same_number(a, b):
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return a == b or (math.isnan(a) and math.isnan(b))
    return abs(a - b) <= TOLERANCE or abs(a - b) / max(abs(a), abs(b)) <= TOLERANCE


def difference(expected, answer, times_ms):
    """None, or in words what is not as expected."""
    if expected.fails:
        if answer.status == 200:
            return f"expected a failure, got {answer.text[:300]}"
        if expected.message and expected.message not in answer.text:
            return f"expected the message {expected.message!r}, got {answer.text!r}"
        if expected.pattern and not re.search(expected.pattern, answer.text):
            return f"expected a message like {expected.pattern!r}, got {answer.text!r}"
        return None
    if answer.status != 200:
        return f"{answer.status} {answer.text}"
    data = answer.json["data"]
    if expected.scalar is not None:
        if data["resultType"] != "scalar" or not same_number(expected.scalar, number(data["result"][1])):
            return f"expected the scalar {expected.scalar}, got {data['resultType']} {data['result']}"
        return None
    if data["resultType"] not in ("vector", "matrix"):
        return f"got a {data['resultType']}"
    got = [(series["metric"], {round(float(t) * 1000): number(v)
                               for t, v in series.get("values") or [series["value"]]}) for series in data["result"]]
    wanted = [(labels, {t: v for t, v in zip(times_ms, values, strict=True) if v is not None})
              for labels, values in expected.series]
    if not expected.ordered:
        for side in (got, wanted):
            side.sort(key=lambda series: sorted(series[0].items()))
    equal = len(got) == len(wanted) and all(
        a[0] == b[0] and a[1].keys() == b[1].keys() and all(same_number(a[1][t], b[1][t]) for t in a[1])
        for a, b in zip(got, wanted))
    return None if equal else f"expected {wanted}\n         got {got}"


class Script:
    def __init__(self, server, name, text):
        self.server, self.name, self.text = server, name, text
        self.evals, self.left_out, self.failures = 0, 0, []

    def run(self):
        streams, generation = [], 0
        copies = {}  # of the streams as they are: shift of the epoch to tenant
        for command, *arguments in scenarios(self.text):
            if command == "clear":
                streams, copies = [], {}
            elif command == "load":
                streams, copies = streams + arguments[0], {}
            else:
                self.evals += 1
                line, query, expected = arguments
                wrong = self.evaluate(query, expected, streams, copies, f"{self.name}-{generation}")
                if wrong and cannot_be_pushed(streams, expected):
                    self.left_out += 1
                elif wrong:
                    self.failures.append(f"{self.name}:{line}: {query}\n    {wrong}")
            generation += 1

    def tenant(self, streams, copies, shift, prefix):
        if shift not in copies:
            copies[shift] = f"{prefix}-{shift}"
            bodies = [(labels, [(EPOCH + shift + offset, line, metadata) for offset, line, metadata in entries])
                      for labels, entries in streams]
            if bodies:
                answer = self.server.push(json_push(*bodies), headers={"X-Scope-OrgID": copies[shift]})
                if answer.status != 204:
                    raise AssertionError(f"push: {answer.status} {answer.text}")
        return {"X-Scope-OrgID": copies[shift]}

    def evaluate(self, text, expected, streams, copies, prefix):
        if text.startswith("eval instant"):
            at, query = re.fullmatch(r"eval\s+instant\s+at\s+(\S+)\s+(.+)", text).groups()
            headers = self.tenant(streams, copies, 0, prefix)
            answer = self.server.get("/loki/api/v1/query", {"query": query, "time": EPOCH + duration(at)}, headers)
            return difference(expected, answer, [(EPOCH + duration(at)) // 10**6])
        *times, query = re.fullmatch(
            r"eval\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)", text).groups()
        start, end, step = map(duration, times)
        shift = -(EPOCH + start) % step
        headers = self.tenant(streams, copies, shift, prefix)
        begin = EPOCH + shift + start
        end = begin + (end - start) // step * step
        answer = self.server.get("/loki/api/v1/query_range",
                                 {"query": query, "start": begin, "end": end, "step": f"{step / NS:g}"}, headers)
        return difference(expected, answer, [t // 10**6 for t in range(begin, end + 1, step)])


class LogqlTest(VarveTest):
    def test_scripts(self):
        server = self.started(*(part for setting in SETTINGS for part in ("--set", setting)))
        names = sorted(name for name in os.listdir(FOLDER) if name.endswith(".logqltest")
                       and (not PARTS or any(part in name for part in PARTS)))
        self.assertTrue(names)
        failures = []
        for name in names:
            with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
                script = Script(server, name.removesuffix(".logqltest"), f.read())
            script.run()
            print(f"{name}: {script.evals - script.left_out - len(script.failures)} of {script.evals}, "
                  f"{script.left_out} left out", flush=True)
            for failure in script.failures[:SHOWN]:
                print("  " + failure, flush=True)
            failures += script.failures
        self.assertEqual(0, len(failures))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    SHOWN = 20
    if "--failures" in sys.argv:
        position = sys.argv.index("--failures")
        SHOWN = int(sys.argv[position + 1])
        del sys.argv[position:position + 2]
    FOLDER, PARTS = sys.argv[1], sys.argv[2:]
    unittest.main(argv=sys.argv[:1])
