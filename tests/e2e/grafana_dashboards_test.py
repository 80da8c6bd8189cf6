"""docs/grafana: the files are well-formed, and every query of the dashboards runs against the real server.

Variables and macros are replaced as Grafana does it: values of query variables are asked of the server, "All" becomes the
variable's allValue, several values are joined by |, and what is special in a regular expression is escaped.
"""
import json
import os
import re
import time
import unittest

from grafana_client import NS, Grafana, substituted
from varve_process import ROOT, VarveTest

FOLDER = os.path.join(ROOT, "docs", "grafana")
NOW = time.time_ns() // NS * NS
RANGE_MS = 3600_000
START, END = NOW - RANGE_MS * 1_000_000, NOW
STEP_MS = 15_000


def read_yaml(text):
    """The part of YAML that these files keep to: maps and lists by indentation, scalars on one line."""
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines()
             if line.strip() and not line.strip().startswith("#")]
    value, rest = _yaml_block(lines, lines[0][0])
    if rest:
        raise AssertionError(f"unexpected indentation: {rest[0]}")
    return value


def _yaml_scalar(text):
    if text.startswith('"'):
        return json.loads(text)
    return {"true": True, "false": False}.get(text, int(text) if text.isdigit() else text)


def _yaml_block(lines, indent):
    if lines[0][1].startswith("- "):
        items = []
        while lines and lines[0][0] == indent and lines[0][1].startswith("- "):
            lines = [(indent + 2, lines[0][1][2:])] + lines[1:]
            item, lines = _yaml_block(lines, indent + 2)
            items.append(item)
        return items, lines
    values = {}
    while lines and lines[0][0] == indent:
        match = re.fullmatch(r"([A-Za-z0-9]+):(?: (.+))?", lines[0][1])
        if not match or match.group(1) in values:
            raise AssertionError(f"not a new key: {lines[0][1]}")
        lines = lines[1:]
        if match.group(2):
            values[match.group(1)] = _yaml_scalar(match.group(2))
        elif lines and lines[0][0] > indent:
            values[match.group(1)], lines = _yaml_block(lines, lines[0][0])
        else:
            raise AssertionError(f"{match.group(1)} has no value")
    return values, lines


def load(path):
    with open(os.path.join(FOLDER, path), encoding="utf-8") as f:
        return f.read()


def dashboards():
    names = sorted(os.listdir(os.path.join(FOLDER, "dashboards")))
    return {name: json.loads(load(f"dashboards/{name}")) for name in names}


def escaped(value):
    """What Grafana's Loki data source does to a value that goes into a regular expression in double quotes."""
    return re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", value.replace("\\", "\\\\\\\\"))


def interpolated(expr, values):
    """values: name -> text as it is, or a list of values of a variable with several."""
    def text(match):
        value = values[match.group(1) or match.group(2)]
        return value if isinstance(value, str) else "|".join(escaped(v) for v in value)
    names = "|".join(sorted(values, key=len, reverse=True))
    return re.sub(rf"\$(?:({names})\b|\{{({names})\}})", text, expr)


class Files(unittest.TestCase):
    def test_the_data_source_is_lokis_with_keys_that_grafana_knows(self):
        config = read_yaml(load("provisioning/datasources/varve.yaml"))
        self.assertEqual({"apiVersion": 1}, {k: v for k, v in config.items() if k != "datasources"})
        source, = config["datasources"]
        self.assertEqual(("loki", "proxy", "http://localhost:3100", "varve"),
                         tuple(source[key] for key in ("type", "access", "url", "uid")))
        self.assertLessEqual(set(source), {"name", "uid", "type", "access", "url", "isDefault", "editable", "jsonData", "secureJsonData"})
        self.assertLessEqual(set(source["jsonData"]), {"maxLines", "timeout", "manageAlerts", "httpHeaderName1", "derivedFields"})
        self.assertIsInstance(source["jsonData"]["maxLines"], str)
        self.assertEqual({"httpHeaderValue1"}, set(source["secureJsonData"]))

    def test_the_other_data_source_is_prometheus_s(self):
        config = read_yaml(load("provisioning/datasources/varve-metrics.yaml"))
        source, = config["datasources"]
        self.assertEqual(("prometheus", "proxy", "http://localhost:3100", "varve-metrics"),
                         tuple(source[key] for key in ("type", "access", "url", "uid")))
        self.assertLessEqual(set(source["jsonData"]), {"httpMethod", "prometheusType", "prometheusVersion", "timeInterval",
                                                       "manageAlerts", "httpHeaderName1"})
        self.assertEqual("POST", source["jsonData"]["httpMethod"])
        self.assertEqual({"httpHeaderValue1"}, set(source["secureJsonData"]))

    def test_the_provider_points_at_a_folder(self):
        provider, = read_yaml(load("provisioning/dashboards/varve.yaml"))["providers"]
        self.assertEqual("file", provider["type"])
        self.assertIn(provider["options"]["path"], load("README.md"))

    def test_dashboards_have_unique_ids_and_panels_that_do_not_overlap(self):
        boards = dashboards()
        self.assertEqual(["logs.json", "ssh.json"], list(boards))
        self.assertEqual(len(boards), len({board["uid"] for board in boards.values()}))
        for name, board in boards.items():
            with self.subTest(name):
                self.assertEqual(len(board["panels"]), len({panel["id"] for panel in board["panels"]}))
                cells = [(x, y) for panel in board["panels"]
                         for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
                         for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])]
                self.assertEqual(len(cells), len(set(cells)))
                self.assertTrue(all(0 <= x < 24 for x, _ in cells))

    def test_every_query_is_asked_of_the_data_source_variable_with_known_variables(self):
        for name, board in dashboards().items():
            known = {v["name"] for v in board["templating"]["list"]} | {"__range", "__auto", "__interval"}
            for panel in board["panels"]:
                refs = [target["refId"] for target in panel["targets"]]
                self.assertEqual(len(refs), len(set(refs)))
                for target in panel["targets"]:
                    with self.subTest(dashboard=name, panel=panel["title"], ref=target["refId"]):
                        self.assertEqual({"type": "loki", "uid": "${datasource}"}, target["datasource"])
                        self.assertLessEqual(set(re.findall(r"\$\{?(\w+)", target["expr"])), known)
                        self.assertIn(target["queryType"], ("range", "instant"))


class Queries(VarveTest):
    LINES = [
        "Failed password for root from 203.0.113.7 port 4711 ssh2", "Failed password for root from 203.0.113.7 port 4712 ssh2",
        "Failed password for invalid user admin from 203.0.113.7 port 4713 ssh2", "Failed password for root from 198.51.100.2 port 1 ssh2",
        "Failed password for bob from 198.51.100.2 port 2 ssh2", "Failed password for alice from 192.0.2.9 port 99 ssh2",
        "Accepted password for root from 203.0.113.7 port 4714 ssh2", "Accepted publickey for alice from 192.0.2.9 port 100 ssh2: RSA SHA256:x",
        "Invalid user admin from 203.0.113.7 port 4713",
    ]

    def setUp(self):
        super().setUp()
        server = self.started()
        server.push_streams(
            ({"job": "sshd", "host": "gate"}, [(START + (i + 1) * 60 * NS, f"gate sshd[{i}]: {line}") for i, line in enumerate(self.LINES)]),
            ({"job": "openssh", "host": "b.c"}, [(START + 90 * NS, "sshd[1]: " + self.LINES[3])]),
            ({"service_name": "shop", "host": "h1"}, [(START + (i + 1) * 60 * NS, f"level={level} msg=\"order {i} (a+b)\"")
                                                     for i, level in enumerate(["info", "error", "warn", "info", "debug"])]),
            ({"service_name": "a.b (c)", "host": "h2"}, [(START + 120 * NS, '{"level":"error","msg":"order gone"}')]))
        self.grafana = Grafana(server)

    def choices(self, variable):
        """Each way in which the variable may be set."""
        kind, query = variable["type"], variable["query"]
        if kind == "datasource":
            return ["varve"]
        if kind == "textbox":
            return ["", "order" if variable["name"] == "search" else "203.0"]
        if kind == "custom":
            values = query.split(",")
        elif query == "label_names()":
            values = self.grafana.labels(START, END)
        else:
            values = self.grafana.label_values(re.fullmatch(r"label_values\((\w+)\)", query).group(1), START, END)
        if variable.get("regex"):
            pattern = re.fullmatch("/(.*)/i", variable["regex"]).group(1)
            values = [v for v in values if re.search(pattern, v, re.IGNORECASE)]
        self.assertTrue(values, f"{variable['name']} has no values")
        if not variable["multi"]:
            return values
        return [variable["allValue"], values[:1], values[-2:]]

    def settings(self, board):
        """Everything at its default, and then each variable alone through its choices."""
        variables = board["templating"]["list"]
        choices = {v["name"]: self.choices(v) for v in variables}
        default = {name: values[0] for name, values in choices.items()}
        for variable in variables:
            current = variable.get("current", {}).get("value")
            if isinstance(current, str) and current in choices[variable["name"]]:
                default[variable["name"]] = current
        yield default, True
        for name, values in choices.items():
            for value in values:
                yield {**default, name: value}, False

    def test_every_query_of_every_panel_runs(self):
        for name, board in dashboards().items():
            for values, is_default in self.settings(board):
                for panel in board["panels"]:
                    for target in panel["targets"]:
                        expr = substituted(interpolated(target["expr"], values), STEP_MS, RANGE_MS)
                        with self.subTest(dashboard=name, panel=panel["title"], expr=expr):
                            if target["queryType"] == "instant":
                                answer = self.grafana.instant(expr, END)
                            else:
                                answer = self.grafana.range(expr, START, END, STEP_MS, limit=1000 if panel["type"] == "logs" else 0)
                            self.assertEqual({"logs": "streams"}.get(panel["type"], answer.kind), answer.kind)
                            if is_default:
                                self.assertTrue(answer.rows or answer.series, "no data")

    def instant(self, board, title, **values):
        board = dashboards()[board]
        default = next(self.settings(board))[0]
        panel = next(panel for panel in board["panels"] if panel["title"] == title)
        expr = substituted(interpolated(panel["targets"][0]["expr"], {**default, **values}), STEP_MS, RANGE_MS)
        return {tuple(labels.values()): points[0][1] for labels, points in self.grafana.instant(expr, END).series}

    def test_the_panels_say_what_their_titles_say(self):
        self.assertEqual({(): 7}, self.instant("ssh.json", "Failed logins"))
        self.assertEqual({(): 1}, self.instant("ssh.json", "For users that do not exist"))
        self.assertEqual({(): 3}, self.instant("ssh.json", "Addresses that failed"))
        self.assertEqual({(): 2}, self.instant("ssh.json", "Accepted logins"))
        self.assertEqual({("203.0.113.7",): 3, ("198.51.100.2",): 3, ("192.0.2.9",): 1},
                         self.instant("ssh.json", "Addresses with most failures"))
        self.assertEqual({("203.0.113.7",): 3}, self.instant("ssh.json", "Addresses with most failures", ip="203.0"))
        self.assertEqual({("root",): 4, ("admin",): 1, ("bob",): 1, ("alice",): 1}, self.instant("ssh.json", "Names that were tried"))
        self.assertEqual({("203.0.113.7",): 1}, self.instant("ssh.json", "Let in after failing", failures="3"))
        self.assertEqual({("203.0.113.7",): 1, ("192.0.2.9",): 1}, self.instant("ssh.json", "Let in after failing", failures="1"))
        self.assertEqual({(): 2}, self.instant("logs.json", "Errors"))
        self.assertEqual({("shop",): 1, ("a.b (c)",): 1}, self.instant("logs.json", "Most errors, by $by"))
        self.assertEqual({("a.b (c)",): 1}, self.instant("logs.json", "Most errors, by $by", service=["a.b (c)"]))
        self.assertEqual({(): 6}, self.instant("logs.json", "Lines", search="order"))
        self.assertEqual({(): 1}, self.instant("logs.json", "Lines", search="order", level=["warn"]))


if __name__ == "__main__":
    unittest.main()
