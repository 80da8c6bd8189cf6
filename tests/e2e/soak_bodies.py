"""Push bodies for soak.py: encoded once, stamped with time and numbers for next to nothing.

A body is a Promtail-shaped PushRequest (protobuf in one snappy literal) of about a megabyte of lines for a group of
streams. The entries of a stream repeat a few line lengths, so that the bytes which change from one sending to the next
(the second, and the sending's number) stand at fixed strides and are written by slice assignment. Every line holds
`n=<sending, 6 digits><line in the body, 5 digits>`, which is unique within its stream: what was lost and what was stored
twice can be told from the numbers alone.
"""
import random
import string

from varve_process import NS, field, varint

# Nanoseconds of a second that are five bytes as a varint, in four slots: a group sends at most once a slot.
NANOS_MIN, SLOTS = 1 << 28, 4
SLOT_WIDTH = (NS - NANOS_MIN) // SLOTS
LENGTHS = 4        # different line lengths of a stream
NEEDLE = "needle-5f3c9a7e"
KINDS = ("sshd", "nginx", "json", "logfmt", "java")


def _digits(rnd, count):
    return "".join(rnd.choices(string.digits, k=count))


def _ip(rnd):
    return f"10.{rnd.randrange(100, 110)}.{rnd.randrange(100, 256)}.{rnd.randrange(100, 256)}"


def _line(kind, form, rnd, number):
    """One line; those of equal kind and form have equal length. `number` has 11 digits."""
    level = rnd.choices(("info ", "debug", "warn ", "error"), (80, 10, 7, 3))[0]
    status = rnd.choices(("200", "304", "404", "500"), (85, 7, 5, 3))[0]
    word = rnd.choice(("alpha", "bravo", "delta", "hotel", "romeo", "tango"))
    if kind == "sshd":
        text = (f"Failed password for {rnd.choice(('root ', 'admin', 'guest'))} from {_ip(rnd)} port {_digits(rnd, 5)} ssh2",
                f"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={_ip(rnd)} user=root",
                f"Accepted publickey for {word} from {_ip(rnd)} port {_digits(rnd, 5)} ssh2: RSA SHA256:{_digits(rnd, 24)}",
                f"Received disconnect from {_ip(rnd)}: 11: Bye Bye [preauth]")[form]
        return f"sshd[{_digits(rnd, 5)}]: {text} n={number}"
    if kind == "nginx":
        path = ("/api/v1/orders", "/index.html", "/static/app.js?v=12345678", "/login")[form]
        return (f'{_ip(rnd)} - - [20/Nov/2026:12:00:{rnd.randrange(10, 60)} +0000] "GET {path}/{_digits(rnd, 6)} HTTP/1.1" {status} '
                f'{_digits(rnd, 5)} "-" "Mozilla/5.0 (X11; Linux x86_64)" n={number}')
    if kind == "json":
        more = "".join(f',"k{i}":"{_digits(rnd, 8)}"' for i in range(form * 2))
        return (f'{{"level":"{level}","msg":"request {word} done","status":{status},"took_ms":{rnd.randrange(100, 1000)},'
                f'"user":"{word}","n":"n={number}"{more}}}')
    if kind == "logfmt":
        more = "".join(f" k{i}={_digits(rnd, 7)}" for i in range(form))
        return f"level={level.strip():5} caller={word}.go:{_digits(rnd, 3)} duration={rnd.randrange(100, 999)}ms status={status}{more} n={number}"
    package = ("org.apache.spark.Executor", "zookeeper.QuorumPeer", "hdfs.DataNode$PacketResponder", "Worker")[form]
    return f"{level.strip().upper():5} [{word}-thread-{_digits(rnd, 3)}] {package}: Running task {_digits(rnd, 4)} in stage {_digits(rnd, 3)} n={number}"


class Body:
    """One encoded body; `stamp` makes it the sending `number` at a second. Not thread-safe."""

    def __init__(self, streams, lines_per_stream, slot, rnd, needle):
        self.lines_per_stream, self.slot, self.texts = lines_per_stream, slot, {}
        proto, self.seconds_at, self.number_at = bytearray(), [], []
        step = SLOT_WIDTH // (lines_per_stream + 1)
        for labels, kind in streams:
            text = "{" + ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items())) + "}"
            head, entries, lines = field(1, text.encode()), [], []
            for i in range(lines_per_stream):
                line = _line(kind, i % LENGTHS, rnd, "000000" + f"{i:05d}")
                if needle and i == 0:
                    line = NEEDLE + line[len(NEEDLE):]
                nanos = NANOS_MIN + slot * SLOT_WIDTH + (i + 1) * step
                stamp = b"\x08" + varint(1 << 30) + b"\x10" + varint(nanos)
                entries.append(field(2, field(1, stamp) + field(2, line.encode())))
                lines.append(line.encode())
            size = len(head) + sum(map(len, entries))
            proto += b"\x0a" + varint(size) + head
            stride = sum(map(len, entries[:LENGTHS]))
            at = len(proto)
            for form in range(LENGTHS):
                entry = entries[form]
                self.seconds_at.append((at + entry.index(b"\x0a\x0c\x08") + 3, stride))
                self.number_at.append((at + entry.index(lines[form]) + lines[form].index(b"n=000000") + 2, stride))
                at += len(entry)
            proto += b"".join(entries)
            self.texts[kind] = lines
        self.rows = lines_per_stream // LENGTHS
        # One literal with a length of four bytes: legal snappy, and the strides stay whole.
        prefix = varint(len(proto)) + bytes([63 << 2]) + (len(proto) - 1).to_bytes(4, "little")
        self.shift, self.data = len(prefix), bytearray(prefix) + proto
        self.second, self.number = varint(1 << 30), b"000000"
        self._check_strides()

    def _check_strides(self):
        for places, text in ((self.seconds_at, self.second), (self.number_at, self.number)):
            for at, stride in places:
                for row in range(self.rows):
                    begin = self.shift + at + row * stride
                    assert self.data[begin:begin + len(text)] == text, "the entries of a stream do not repeat their lengths"

    def _write(self, places, old, new):
        for byte, (before, after) in enumerate(zip(old, new)):
            if before == after:
                continue
            fill = bytes([after]) * self.rows
            for at, stride in places:
                begin = self.shift + at + byte
                self.data[begin:begin + (self.rows - 1) * stride + 1:stride] = fill

    def stamp(self, second, number):
        encoded, digits = varint(second), b"%06d" % number
        self._write(self.seconds_at, self.second, encoded)
        self._write(self.number_at, self.number, digits)
        self.second, self.number = encoded, digits
        return self.data

    def lines_of(self, kind, number):
        """A stream's lines, as they are sent with this number."""
        return [line.replace(b"n=000000", b"n=%06d" % number).decode() for line in self.texts[kind]]

    def times(self, second):
        """The times of a stream's lines, as they are sent for this second."""
        step = SLOT_WIDTH // (self.lines_per_stream + 1)
        first = second * NS + NANOS_MIN + self.slot * SLOT_WIDTH
        return [first + (i + 1) * step for i in range(self.lines_per_stream)]


class Group:
    """A few streams that are sent together, and one body for each slot of a second."""

    def __init__(self, number, line_bytes, seed, streams_per_group=5):
        rnd = random.Random(seed * 1000 + number)
        self.number, self.sent = number, 0
        self.streams = [({"job": kind, "app": f"{kind}-{number}", "host": f"h{number:03d}", "cluster": "soak"}, kind)
                        for kind in KINDS[:streams_per_group]]
        sample = sum(len(_line(kind, form, rnd, "0" * 11)) for _, kind in self.streams for form in range(LENGTHS))
        lines = max(1, round(line_bytes / sample)) * LENGTHS
        self.bodies = [Body(self.streams, lines, slot, rnd, needle=number == 0 and slot == 0) for slot in range(SLOTS)]
        self.lines = lines
        self.line_bytes = sample * lines // LENGTHS

    def stamped(self, second, slot):
        """The next sending's number and bytes; valid until the slot's body is stamped again."""
        number, self.sent = self.sent, self.sent + 1
        return number, self.bodies[slot].stamp(second, number)
