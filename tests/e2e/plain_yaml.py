"""Reads the YAML that people write in configuration files; for tests. Python's standard library has none.

Maps, lists (`- ` and `[a, b]`), `{a: b}`, quoted and plain scalars, `|` and `>` blocks, comments. Anchors, tags, several documents
and tabs are refused (ValueError with the line), and so are keys given twice.
"""
import re

_PLAIN = {"true": True, "false": False, "null": None, "~": None, "": None}


def load(text):
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line[:len(line) - len(line.lstrip())]:
            raise ValueError(f"line {number}: a tab")
        lines.append((number, line.rstrip()))
    reader = _Reader(lines)
    value = reader.block(0)
    reader.skip()
    if reader.at < len(lines):
        raise ValueError(f"line {lines[reader.at][0]}: not expected here")
    return value


def _indent(line):
    return len(line) - len(line.lstrip(" "))


def _without_comment(text):
    quote = None
    for i, c in enumerate(text):
        if quote:
            quote = None if c == quote else quote
        elif c in "'\"":
            quote = c
        elif c == "#" and (i == 0 or text[i - 1] == " "):
            return text[:i].rstrip()
    return text


class _Reader:
    def __init__(self, lines):
        self.lines, self.at = lines, 0

    def skip(self):
        while self.at < len(self.lines):
            text = self.lines[self.at][1].strip()
            if text and not text.startswith("#"):
                return
            self.at += 1

    def here(self):
        self.skip()
        return self.lines[self.at] if self.at < len(self.lines) else (0, None)

    def block(self, indent):
        """What stands at `indent` or deeper."""
        number, line = self.here()
        if line is None or _indent(line) < indent:
            return None
        own = _indent(line)
        return self.list(own) if re.match(r"-( |$)", line.lstrip()) else self.map(own, number, line)

    def list(self, indent):
        items = []
        while True:
            number, line = self.here()
            if line is None or _indent(line) != indent or not re.match(r"-( |$)", line.lstrip()):
                return items
            rest = line[indent + 1:]
            inner = _without_comment(rest.strip())
            if inner.startswith("- "):
                raise ValueError(f"line {number}: a list in a list in one line")
            if not inner:
                self.at += 1
                items.append(self.block(indent + 1))
            elif self.key(inner):
                # A map that begins behind the dash.
                self.lines[self.at] = (number, " " * (indent + 1) + rest)
                items.append(self.map(_indent(self.lines[self.at][1]), number, self.lines[self.at][1]))
            else:
                self.at += 1
                items.append(self.scalar(inner, number, indent))

    @staticmethod
    def key(text):
        """(key, what follows), or None."""
        found = re.match(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'\[\]{}][^#]*?):(?: +(.*)|$)""", text)
        return found and (found.group(1).strip("'\""), found.group(2) or "")

    def map(self, indent, number, line):
        out = {}
        while True:
            number, line = self.here()
            if line is None or _indent(line) != indent or re.match(r"-( |$)", line.lstrip()):
                if line is not None and _indent(line) > indent:
                    raise ValueError(f"line {number}: more to the right than what is above")
                return out
            pair = self.key(line.strip())
            if not pair:
                if out or indent:
                    raise ValueError(f"line {number}: neither a key nor an item")
                self.at += 1
                return self.scalar(_without_comment(line.strip()), number, 0)
            key, rest = pair
            if key in out:
                raise ValueError(f"line {number}: {key} is given twice")
            self.at += 1
            rest = _without_comment(rest)
            if rest:
                out[key] = self.scalar(rest, number, indent)
            else:
                next_line = self.here()[1]
                under = next_line is not None and (_indent(next_line) > indent or (
                    _indent(next_line) == indent and re.match(r"-( |$)", next_line.lstrip())))
                out[key] = self.block(_indent(next_line)) if under else None

    def scalar(self, text, number, indent):
        if re.match(r"[|>][-+]?$", text):
            return self.text_block(text, indent)
        value, rest = self.flow(text, number)
        if rest.strip():
            raise ValueError(f"line {number}: {rest!r} is left over")
        return value

    def text_block(self, mark, indent):
        taken = []
        while self.at < len(self.lines):
            line = self.lines[self.at][1]
            if line.strip() and _indent(line) <= indent:
                break
            taken.append(line)
            self.at += 1
        depth = min((_indent(line) for line in taken if line.strip()), default=0)
        text = ("\n" if mark[0] == "|" else " ").join(line[depth:] for line in taken).rstrip("\n ")
        return text + ("" if mark.endswith("-") else "\n")

    def flow(self, text, number, inside=False):
        """A value at the start of `text`; and what is behind it."""
        text = text.strip()
        if text[:1] == "[":
            return self.sequence(text, number, "]", lambda rest: self.flow(rest, number, True))
        if text[:1] == "{":
            def pair(rest):
                found = re.match(r"""\s*("[^"]*"|'[^']*'|[^\s:,{}\[\]]+):\s*""", rest)
                if not found:
                    raise ValueError(f"line {number}: no key in {rest!r}")
                value, behind = self.flow(rest[found.end():], number, True)
                return (found.group(1).strip("'\""), value), behind
            pairs, rest = self.sequence(text, number, "}", pair)
            if len(dict(pairs)) != len(pairs):
                raise ValueError(f"line {number}: a key is given twice")
            return dict(pairs), rest
        if text[:1] == '"':
            found = re.match(r'"((?:[^"\\]|\\.)*)"', text)
            if not found:
                raise ValueError(f"line {number}: a quote is not closed")
            return found.group(1).encode().decode("unicode_escape"), text[found.end():]
        if text[:1] == "'":
            found = re.match(r"'((?:[^']|'')*)'", text)
            if not found:
                raise ValueError(f"line {number}: a quote is not closed")
            return found.group(1).replace("''", "'"), text[found.end():]
        if text[:1] in "&*!%@`":
            raise ValueError(f"line {number}: {text[:1]} is not read here")
        plain = re.match(r"[^,\[\]{}]*" if inside else r".*", text).group(0)
        return self.plain(plain.strip()), text[len(plain):]

    def sequence(self, text, number, end, item):
        items, rest = [], text[1:].lstrip()
        while not rest.startswith(end):
            value, rest = item(rest)
            items.append(value)
            rest = rest.lstrip()
            if rest.startswith(","):
                rest = rest[1:].lstrip()
            elif not rest.startswith(end):
                raise ValueError(f"line {number}: {end} is missing")
        return items, rest[1:]

    @staticmethod
    def plain(text):
        if text in _PLAIN:
            return _PLAIN[text]
        if re.fullmatch(r"-?\d+", text):
            return int(text)
        if re.fullmatch(r"-?\d+\.\d+", text):
            return float(text)
        return text
