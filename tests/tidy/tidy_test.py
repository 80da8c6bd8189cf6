"""Holds the tree to rules.py, and rules.py to a tree that breaks each of them once."""
import os
import sys
import tempfile
import unittest

import rules

ROOT = os.path.abspath(sys.argv.pop(1))


class TheTree(unittest.TestCase):
    def test_follows_every_rule(self):
        for rule in rules.ALL:
            with self.subTest(rule=rule.__name__):
                self.assertEqual([], list(rule(ROOT)))


class TheRules(unittest.TestCase):
    """(rule, files, the part of the one complaint that is expected)"""
    CASES = [
        (rules.include_layers, {"engine/a.h": '#include "query/b.h"\n', "query/b.h": ""}, "query/b.h"),
        (rules.include_layers, {"query/a.h": '#include "ingest/b.h"\n', "ingest/b.h": ""}, "ingest/b.h"),
        (rules.include_layers, {"ingest/a.h": '#include "query/b.h"\n', "query/b.h": ""}, "query/b.h"),
        (rules.include_layers, {"http/a.h": '#include "tools/b.h"\n', "tools/b.h": ""}, "tools/b.h"),
        (rules.include_layers, {"query/a.h": '#include "engine/head/b.h"\n', "engine/head/b.h": ""}, "engine/head/b.h"),
        (rules.include_layers, {"engine/base/a.h": '#include "engine/b.h"\n', "engine/b.h": ""}, "engine/b.h"),
        (rules.include_layers, {"engine/a.h": '#include "fmt/format.h"\n'}, "fmt/format.h"),
        (rules.unregistered_sources, {"engine/a.cc": "", "engine/CMakeLists.txt": "# a.cc\nb(c/a.cc)"}, "engine/a.cc"),
        (rules.unregistered_sources, {"tests/unit/a_test.cc": ""}, "a_test.cc"),
        (rules.unregistered_python_tests, {"tests/e2e/a_test.py": ""}, "a_test.py"),
        (rules.banned_names, {"engine/string_utils.h": ""}, "string_utils.h"),
        (rules.banned_names, {"engine/common.cc": ""}, "common.cc"),
        (rules.long_files, {"engine/a.cc": "\n" * 801}, "801 lines"),
        (rules.dead_links, {"docs/a.md": "[b](b.md#c) and [out](https://example.org)"}, "b.md"),
        (rules.undocumented_packages, {"scripts/packages.txt": "build a\nbuild b\n", "docs/dependencies.md": "| `a` | x |\n"},
         "b is missing"),
        (rules.undocumented_packages, {"scripts/packages.txt": "build a\n", "docs/dependencies.md": "| `a`, `b` | x |\n"},
         "b is missing"),
    ]
    CLEAN = {
        "engine/a.cc": '#include "engine/a.h"\n', "engine/a.h": "", "engine/CMakeLists.txt": "x(SRCS a.cc)",
        "query/b.h": '#include "engine/a.h"\n', "http/c.h": '#include "query/b.h"\n',
        "tests/unit/engine/a_test.cc": '#include "engine/a.h"\n',
        "tests/CMakeLists.txt": "t(unit/engine/a_test.cc)\np(e_test)", "tests/e2e/e_test.py": "",
        "README.md": "[a](docs/a.md)", "docs/a.md": "",
    }

    def complaints(self, rule, tree):
        with tempfile.TemporaryDirectory() as root:
            for path, text in tree.items():
                path = os.path.join(root, path)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text)
            return list(rule(root))

    def test_find_what_breaks_them(self):
        for rule, tree, part in self.CASES:
            with self.subTest(rule=rule.__name__, tree=tree):
                found = self.complaints(rule, tree)
                self.assertEqual(1, len(found), found)
                self.assertIn(part, found[0])

    def test_accept_a_clean_tree(self):
        for rule in rules.ALL:
            with self.subTest(rule=rule.__name__):
                self.assertEqual([], self.complaints(rule, self.CLEAN))


if __name__ == "__main__":
    unittest.main()
