"""Bodies of Prometheus's remote write 1.0, made by hand; and what it takes to read remote read's answers."""
import struct

from varve_process import field, snappy, varint

HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
           "X-Prometheus-Remote-Write-Version": "0.1.0"}
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def number(n, value):
    """A varint field; negative values as int64."""
    return varint(n << 3) + varint(value & (1 << 64) - 1)


def double(n, value):
    return varint(n << 3 | 1) + struct.pack("<d", value)


def labels(pairs):
    return b"".join(field(1, field(1, k.encode()) + field(2, v.encode())) for k, v in sorted(pairs.items()))


def time_series(pairs, samples, exemplars=()):
    """samples: (ms, value); exemplars: (ms, value, labels)."""
    out = labels(pairs)
    for ms, value in samples:
        out += field(2, (struct.pack("<Bd", 9, value)) + number(2, ms))
    for ms, value, own in exemplars:
        out += field(3, labels(own) + double(2, value) + number(3, ms))
    return field(1, out)


def metadata(name, kind, help_text, unit=""):
    return field(3, number(1, kind) + field(2, name.encode()) + field(4, help_text.encode()) + field(5, unit.encode()))


def write(server, *parts, headers=None):
    return server.request("POST", "/api/v1/write", body=snappy(b"".join(parts)), headers={**HEADERS, **(headers or {})})


def unsnappy(data):
    """The block format, with literals and copies."""
    size, shift, i = 0, 0, 0
    while True:
        size |= (data[i] & 0x7F) << shift
        shift += 7
        i += 1
        if data[i - 1] < 0x80:
            break
    out = bytearray()
    while i < len(data):
        tag = data[i]
        i += 1
        kind = tag & 3
        if kind == 0:
            length = tag >> 2
            if length >= 60:
                extra = length - 59
                length = int.from_bytes(data[i:i + extra], "little")
                i += extra
            out += data[i:i + length + 1]
            i += length + 1
            continue
        if kind == 1:
            length, offset = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | data[i]
            i += 1
        else:
            width = 2 if kind == 2 else 4
            length, offset = (tag >> 2) + 1, int.from_bytes(data[i:i + width], "little")
            i += width
        for _ in range(length):
            out.append(out[-offset])
    assert len(out) == size
    return bytes(out)


def fields(message):
    """(number, value) of a protobuf message: int, float or bytes."""
    i = 0

    def get():
        nonlocal i
        value, shift = 0, 0
        while True:
            value |= (message[i] & 0x7F) << shift
            shift += 7
            i += 1
            if message[i - 1] < 0x80:
                return value
    while i < len(message):
        tag = get()
        if tag & 7 == 0:
            yield tag >> 3, get()
        elif tag & 7 == 1:
            yield tag >> 3, struct.unpack_from("<d", message, i)[0]
            i += 8
        else:
            size = get()
            yield tag >> 3, message[i:i + size]
            i += size


class Bits:
    def __init__(self, data):
        self.data, self.at = data, 0

    def bits(self, n):
        value = 0
        for _ in range(n):
            value = value << 1 | self.data[self.at >> 3] >> (7 - (self.at & 7)) & 1
            self.at += 1
        return value

    def uvarint(self):
        value, shift = 0, 0
        while True:
            byte = self.bits(8)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value


def xor_samples(chunk):
    """(ms, value) of an XOR chunk, read as Prometheus reads it."""
    b = Bits(chunk)
    count, out = b.bits(16), []
    t = delta = leading = trailing = bits = 0
    for i in range(count):
        if i == 0:
            z = b.uvarint()
            t, bits = z >> 1 ^ -(z & 1), b.bits(64)
        else:
            if i == 1:
                delta = b.uvarint()
            else:
                width = 0
                for size in (14, 17, 20, 64):
                    if not b.bits(1):
                        break
                    width = size
                dod = b.bits(width) if width else 0
                if width and width < 64 and dod > 1 << (width - 1):
                    dod -= 1 << width
                if width == 64 and dod >= 1 << 63:
                    dod -= 1 << 64
                delta += dod
            t += delta
            if b.bits(1):
                if b.bits(1):
                    leading, size = b.bits(5), b.bits(6) or 64
                    trailing = 64 - leading - size
                bits ^= b.bits(64 - leading - trailing) << trailing
        out.append((t, struct.unpack("<d", struct.pack("<Q", bits))[0]))
    return out
