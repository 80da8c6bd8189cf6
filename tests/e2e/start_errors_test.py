"""What keeps `varve serve` from starting is said in one line, with exit status 1, and nothing is changed."""
import os
import re
import unittest

from varve_process import VarveTest


class StartErrors(VarveTest):
    def assert_refused(self, *arguments, part):
        status, out, err = self.run_varve("serve", *arguments, timeout=60)
        lines = [line for line in err.splitlines() if line.startswith("varve: ")]
        self.assertEqual((1, "", 1), (status, out, len(lines)), err)
        self.assertIn(part, lines[0])
        return lines[0]

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def test_port_in_use(self):
        server = self.started()
        line = self.assert_refused("--data-dir", self.data_dir + "2", "--listen", f"127.0.0.1:{server.port}",
                                   part=f"127.0.0.1:{server.port}")
        self.assertIn("in use", line)

    def test_data_directory_in_use(self):
        self.started()
        self.assert_refused("--data-dir", self.data_dir, "--listen", "127.0.0.1:0", part=self.data_dir)

    def test_a_file_in_the_way_of_the_data_directory(self):
        path = self.write("file", "not a directory")
        self.assert_refused("--data-dir", path, "--listen", "127.0.0.1:0", part=path)
        below = os.path.join(path, "data")
        self.assert_refused("--data-dir", below, "--listen", "127.0.0.1:0", part=below)

    @unittest.skipIf(os.geteuid() == 0, "root may write anywhere; a_file_in_the_way covers the message")
    def test_a_directory_without_permission(self):
        os.mkdir(self.data_dir, 0o500)
        self.assert_refused("--data-dir", self.data_dir, "--listen", "127.0.0.1:0", part=self.data_dir)

    def test_data_directory_of_an_unknown_version(self):
        server = self.started()
        server.push_streams(({"job": "a"}, [(1, "x")]))
        server.stop()
        path = os.path.join(self.data_dir, "VERSION")
        with open(path, encoding="utf-8") as f:
            version = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(re.sub(r"\d+", "987", version, count=1))
        line = self.assert_refused("--data-dir", self.data_dir, "--listen", "127.0.0.1:0", part=self.data_dir)
        self.assertIn("987", line)
        with open(path, "w", encoding="utf-8") as f:
            f.write(version)
        self.assertEqual([(1, "x")], self.started().lines('{job="a"}', 0, 10))

    def test_configuration_mistakes(self):
        cases = {
            "limits:\n  max_lines: 5\n": ':2: unknown key "limits.max_lines"',
            "storage:\n  durability: paper\n": ":2: storage.durability: ",
            "limits: [\n": "not valid YAML",
        }
        for text, part in cases.items():
            with self.subTest(text):
                path = self.write("varve.yaml", text)
                self.assert_refused("--config", path, "--data-dir", self.data_dir, part=path)
                self.assert_refused("--config", path, "--data-dir", self.data_dir, part=part)
        self.assert_refused("--config", self.folder + "/none.yaml", part="none.yaml")
        self.assert_refused("--set", "limits.nope=1", part='unknown key "limits.nope"')
        self.assert_refused("--set", "limits.query_timeout=5", part="limits.query_timeout")
        self.assert_refused("--listen", "nowhere", part="--listen nowhere")
        self.assert_refused("--listen", "not-an-address:80", "--data-dir", self.data_dir, part="not-an-address")

    def test_mistakes_in_the_files_of_rules_notifications_and_reports(self):
        rule = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n"
        receiver = "route: {receiver: a}\nreceivers:\n- name: a\n"
        report = "reports:\n- name: daily\n  schedule: '%s'\n  time_zone: %s\n  queries: [{name: n, query: 'sum(count_over_time({a=\"b\"}[1d]))'}]\n"
        rules, notify = "rule_files: [rules.yml]\n", "alertmanager: {config_file: am.yml}\n"
        cases = [
            (rules, {"rules.yml": rule + "    nope: 1\n"}, ["rules.yml:6: ", 'group "g"', '"A"', "nope"]),
            (rules, {"rules.yml": rule.replace(": up", ": sum(")}, ["rules.yml:5: ", "could not parse expression"]),
            (rules, {"rules.yml": rule + "- name: g\n  rules: []\n"}, ["rules.yml:6: ", '"g"']),
            (rules, {"rules.yml": rule + "    labels: {x: '{{ nope }}'}\n"}, ["rules.yml:4: ", '"A"', "nope"]),
            ("rule_files: [none.yml]\n", {}, ["none.yml"]),
            ("ruler: {storage: {local: {directory: none}}}\n", {}, ["none"]),
            ("global: {evaluation_interval: 0s}\n", {}, ["global.evaluation_interval"]),
            (notify, {"am.yml": receiver + "  webhook_configs: [{url: 'http://a/', chanel: b}]\n"}, ["am.yml:4: ", '"a"', "chanel"]),
            (notify, {"am.yml": receiver.replace("receiver: a", "receiver: b")}, ["am.yml", '"b"']),
            (notify, {"am.yml": receiver + "  slack_configs: [{api_url: 'http://a/', title: '{{ nope }}'}]\n"}, ["nope"]),
            (notify, {}, ["am.yml"]),
            ("\nalerting:\n  alertmanagers:\n  - nope: 1\n", {}, ["varve.yaml:4: ", "nope"]),
            ("\n" + report % ("0 9 30 2 *", "UTC"), {}, ["varve.yaml:4: ", '"daily"', "0 9 30 2 *"]),
            (report % ("0 9 * * *", "Asia/Atlantis"), {}, ["varve.yaml:4: ", '"daily"', "Asia/Atlantis"]),
        ]
        for text, files, parts in cases:
            with self.subTest(text=text, files=files):
                for name, content in files.items():
                    self.write(name, content)
                line = self.assert_refused("--config", self.write("varve.yaml", text), "--data-dir", self.data_dir,
                                           "--listen", "127.0.0.1:0", part=parts[0])
                for part in parts:
                    self.assertIn(part, line)
                for name in files:
                    os.remove(os.path.join(self.folder, name))

    def test_the_configuration_in_effect_is_a_configuration_file(self):
        path = self.write("varve.yaml", "limits:\n  max_line_size: 64KB\nmemory:\n  budget: 300MB\n")
        first = self.started("--config", path, "--set", "limits.query_timeout=7s")
        text = first.get("/config").text
        self.assertIn("  max_line_size: 64KB\n", text)
        self.assertIn("  query_timeout: 7s\n", text)
        first.stop()
        second = self.started("--config", self.write("printed.yaml", text))
        self.assertEqual([l for l in text.splitlines() if "listen_port" not in l],
                         [l for l in second.get("/config").text.splitlines() if "listen_port" not in l])


if __name__ == "__main__":
    unittest.main()
