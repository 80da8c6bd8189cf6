"""The logging libraries pino-loki and winston-loki, as npm has them, push to the real server.

    npm_clients_test.py FOLDER

FOLDER keeps what `npm ci` installs from tests/e2e/npm/package-lock.json, which pins versions and hashes; it is filled
once, from the registry npm is configured for. Needs node (18 or newer) and npm, on the path.
"""
import filecmp
import json
import os
import shutil
import subprocess
import sys
import unittest

from varve_process import NS, VarveTest

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "npm")
FOLDER = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else \
    os.path.join(os.path.dirname(SOURCES), "..", "..", "build", "npm_clients")
MS = NS // 1000


def install():
    """npm ci, unless these very versions are there already."""
    lock, installed = os.path.join(SOURCES, "package-lock.json"), os.path.join(FOLDER, "installed.json")
    if os.path.exists(installed) and filecmp.cmp(lock, installed, shallow=False):
        return
    os.makedirs(FOLDER, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(SOURCES, name), FOLDER)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=FOLDER, capture_output=True,
                          text=True, timeout=600)
    if done.returncode != 0:
        raise AssertionError(f"npm ci failed in {FOLDER} (is the npm registry reachable?):\n{done.stdout}\n{done.stderr}")
    shutil.copy(lock, installed)


class NpmClients(VarveTest):
    @classmethod
    def setUpClass(cls):
        install()

    def send(self, server, script, *arguments):
        done = subprocess.run(["node", os.path.join(SOURCES, script), f"http://127.0.0.1:{server.port}", *map(str, arguments)],
                              cwd=FOLDER, capture_output=True, text=True, timeout=120)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return json.loads(done.stdout)

    def rows(self, server, application, sent, tenant):
        """n -> (labels and metadata, ns, the line as JSON); each n once."""
        begin, end = (sent[0]["ms"] - 1) * MS, (sent[-1]["ms"] + 1) * MS
        answer = server.query_range(f'{{application="{application}"}}', begin, end, limit=5000, direction="forward",
                                    headers={"X-Scope-OrgID": tenant})
        self.assertEqual(200, answer.status, answer.text)
        rows = [(stream["stream"], int(ns), json.loads(line)) for stream in answer.json["data"]["result"]
                for ns, line in stream["values"]]
        by_number = {line["n"]: (labels, ns, line) for labels, ns, line in rows}
        self.assertEqual(len(rows), len(by_number), "lines were stored twice")
        return by_number

    def check(self, server, application, sent, tenant, levels):
        rows = self.rows(server, application, sent, tenant)
        self.assertEqual([s["n"] for s in sent], sorted(rows))
        for s in sent:
            labels, ns, line = rows[s["n"]]
            self.assertEqual(s["ms"] * MS, ns)
            self.assertEqual((levels[s["level"]], application, f"{application}-loki", s["shop"], application),
                             tuple(labels[name] for name in ("level", "application", "client", "shop", "service_name")))
            self.assertIn(f'line {s["n"]} grün "quoted" \u2028 <b>', (line.get("msg"), line.get("message")))
        return rows

    def test_pino_loki_in_batches_and_line_by_line(self):
        server = self.started("--multi-tenant")
        levels = {"debug": "debug", "info": "info", "warn": "warning", "error": "error", "fatal": "critical"}
        for batching, count in ((1, 1500), (0, 120)):
            tenant = f"pino-{batching}"
            sent = self.send(server, "pino_sender.mjs", batching, count, tenant)["sent"]
            self.assertEqual(count, len(sent))
            rows = self.check(server, "pino", sent, tenant, levels)
            self.assertEqual([f"t{n}" for n in sorted(rows)], [rows[n][0]["trace_id"] for n in sorted(rows)])

    def test_winston_loki_as_json_and_protobuf_in_batches_and_line_by_line(self):
        server = self.started("--multi-tenant")
        levels = {level: level for level in ("error", "warn", "info", "debug")}
        for form in ("json", "protobuf"):
            for batching, count in ((1, 1500), (0, 120)):
                tenant = f"winston-{form}-{batching}"
                done = self.send(server, "winston_sender.cjs", form, batching, count, tenant)
                self.assertEqual((form == "json", [], count), (done["json"], done["errors"], len(done["sent"])))
                self.check(server, "winston", done["sent"], tenant, levels)


if __name__ == "__main__":
    unittest.main()
