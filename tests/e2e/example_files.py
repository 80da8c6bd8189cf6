"""The files of docs/examples, for their end-to-end tests: copied as they are, but for addresses and times.

A replacement that changes nothing is a mistake of the test: then the file says something else by now.
"""
import os

from varve_process import ROOT


def copy(name, folder, replacements=None):
    """All files of docs/examples/NAME to `folder`; replacements: file → {old: new}. Returns the folder."""
    source = os.path.join(ROOT, "docs", "examples", name)
    left = dict(replacements or {})
    for where, _, files in os.walk(source):
        for file in files:
            path = os.path.relpath(os.path.join(where, file), source)
            with open(os.path.join(source, path), encoding="utf-8") as f:
                text = f.read()
            for old, new in left.pop(path, {}).items():
                if old not in text:
                    raise AssertionError(f"{name}/{path} does not say {old!r}")
                text = text.replace(old, new)
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8") as f:
                f.write(text)
    if left:
        raise AssertionError(f"docs/examples/{name} has no {sorted(left)}")
    return folder
