"""Ways to damage a file: its bytes, its words, its JSON, its members, its headers."""

from __future__ import annotations

import io
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

Random = random.Random
Mutation = Callable[[bytes, Random], bytes]

NUMBERS = (
    "0", "-1", "-0", "1e999", "-1e308", "1e308", "5e-324", "0.1", "1.5", "NaN", "nan", "inf",
    "-inf", "Infinity", "null", "true", '""', '"x"', "[]", "{}", "1_0", "0x10", "2147483648",
    "9007199254740993", "9223372036854775808", "18446744073709551616", "\u0661", "\u00bd",
    "9" * 350, "1" + "0" * 5000, "12:00", "99:99", "", "x" * 3000, "'=1",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 0.5, -0.0, 1e308, 5e-324, 2**31, 2**53 + 1, 2**63, 2**64,
    10**350, "", "x", "x" * 3000, "\x00", "\ud800", "=1", [], {}, [[]], [None], [0] * 1000,
    {"x": 1}, float("nan"), float("inf"), float("-inf"), "NaN", [[[[1]]]], "1",
)  # fmt: skip
WORD = re.compile(rb"-?[0-9][0-9.eE+-]*|[A-Za-z_]{2,}")


def flip(raw: bytes, rng: Random) -> bytes:
    """Some bits the other way round."""
    data = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def noise(raw: bytes, rng: Random) -> bytes:
    """A stretch of random bytes."""
    at = rng.randrange(len(raw))
    size = rng.choice((1, 4, 16, 256))
    return raw[:at] + rng.randbytes(size) + raw[at + rng.choice((0, size)) :]


def cut(raw: bytes, rng: Random) -> bytes:
    """The beginning, the end, or all but a stretch."""
    a, b = sorted((rng.randrange(len(raw)), rng.randrange(len(raw))))
    return rng.choice((raw[:a], raw[b:], raw[:a] + raw[b:]))


def repeat(raw: bytes, rng: Random) -> bytes:
    """A stretch several times over."""
    a, b = sorted((rng.randrange(len(raw)), rng.randrange(len(raw))))
    b = min(b, a + 2000)
    return raw[:b] + raw[a:b] * rng.choice((1, 2, 50)) + raw[b:]


def swap(raw: bytes, rng: Random) -> bytes:
    """Two stretches in each other's place."""
    a, b, c = sorted(rng.randrange(len(raw)) for _ in range(3))
    return raw[:a] + raw[b:c] + raw[a:b] + raw[c:]


def lines(raw: bytes, rng: Random) -> bytes:
    """A line removed, doubled, or somewhere else."""
    rows = raw.split(b"\n")
    row = rows.pop(rng.randrange(len(rows)))
    for _ in range(rng.choice((0, 1, 2))):
        rows.insert(rng.randint(0, len(rows)), row)
    return b"\n".join(rows)


def words(raw: bytes, rng: Random) -> bytes:
    """Numbers or names replaced by others that readers stumble over."""
    for _ in range(rng.choice((1, 1, 1, 3))):
        found = list(WORD.finditer(raw))
        if not found:
            return flip(raw, rng)
        there = rng.choice(found)
        other = rng.choice(found)[0] if rng.random() < 0.3 else rng.choice(NUMBERS).encode()
        raw = raw[: there.start()] + other + raw[there.end() :]
    return raw


def nest(raw: bytes, rng: Random) -> bytes:
    """Brackets without end somewhere."""
    at = rng.randrange(len(raw))
    depth = rng.choice((100, 900, 3000, 200_000))
    opened = rng.choice((b"[", b'{"a":', b"(", b'"'))
    return raw[:at] + opened * depth + raw[at:]


def inside(raw: bytes, rng: Random) -> bytes:
    """JSON that is still JSON, some of its entries something else."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return words(raw, rng)
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = _changed(data, rng)
    return json.dumps(data).encode()


def _changed(data: Any, rng: Random) -> Any:
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        keys = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            places.append((value, key))
            if isinstance(value[key], dict | list):
                walk(value[key])

    if isinstance(data, dict | list):
        walk(data)
    if not places:
        return rng.choice(VALUES)
    holder, key = rng.choice(places)
    match rng.randrange(5):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.insert(rng.randint(0, len(holder)), rng.choice((holder[key], *VALUES)))
        case 1:
            holder[rng.choice(("x", "é" * 300, "count", f"{key}s"))] = holder.pop(key)
        case 2:
            other, there = rng.choice(places)
            value = other[there] if there in other or isinstance(there, int) else None
            holder[key] = json.loads(json.dumps(value))
        case _:
            holder[key] = rng.choice(VALUES)
    return data


def members(raw: bytes, rng: Random) -> bytes:
    """A zip file made again, with a member damaged, doubled, gone, bloated or of another kind."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(info.file_size for info in archive.infolist()) > 1 << 22:
                return directory(raw, rng)  # bloated before
            held = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:  # damaged before
        return flip(raw, rng)
    k = rng.randrange(len(held))
    name, content = held[k]
    kind = rng.randrange(8)
    if kind == 0:
        held.pop(k)
    elif kind == 1:
        held[k] = (name + rng.choice(("x", "/", "\x00", "é")), content)
    elif kind == 2:
        return _bloated(name, rng.choice((1 << 20, 160 << 20)))
    else:
        inner = npy if content[:6] == b"\x93NUMPY" else rng.choice((inside, words, *BYTES))
        held[k] = (name, inner(content, rng) if content else b"x")
    made = io.BytesIO()
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    method = rng.choices(methods, (4, 4, 1, 1))[0]
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in held:
            archive.writestr(name, content)
    return made.getvalue() if rng.random() < 0.8 else directory(made.getvalue(), rng)


def directory(raw: bytes, rng: Random) -> bytes:
    """A zip file whose directory, at its end, says something else."""
    at = raw.find(b"PK\x01\x02")
    if at < 0:
        return flip(raw, rng)
    data = bytearray(raw)
    for _ in range(rng.choice((1, 2, 4))):
        where = rng.randrange(at, len(data) - 4)
        word = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\1\0\0\0", rng.randbytes(4)))
        size = rng.choice((1, 2, 4))
        data[where : where + size] = word[:size]
    return bytes(data)


@cache
def _bloated(name: str, size: int) -> bytes:
    made = io.BytesIO()
    with (
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))
    return made.getvalue()


def npy(raw: bytes, rng: Random) -> bytes:
    """An array with another header, or other numbers."""
    end = 10 + struct.unpack("<H", raw[8:10])[0]
    if rng.random() < 0.2:
        return rng.choice(BYTES)(raw, rng)
    if rng.random() < 0.3:
        data = bytearray(raw)
        for _ in range(4):
            special = rng.choice((float("nan"), float("inf"), -1.0, 1e300, 0.0))
            where = rng.randrange(end, max(end + 1, len(data) - 8))
            data[where : where + 8] = struct.pack("<d", special)
        return bytes(data)
    head = raw[10:end].decode("latin1")
    shape = rng.choice(
        ("()", "(0,)", "(3,)", f"({10**12},)", "(-1,)", "(2, 2)", "(1,)*9", "(1e3,)")
    )
    kind = rng.choice(
        ("<f8", "<f4", "<i8", "|b1", "|O", "<U5", "<c16", "<M8[s]", "|V0", "x", "<f2")
    )
    match rng.randrange(5):
        case 0:
            head = re.sub(r"\([^)]*\)", shape, head)
        case 1:
            head = re.sub(r"'[<>|][^']*'", repr(kind), head)
        case 2:
            head = head.replace("False", rng.choice(("True", "None", "1", "x")))
        case 3:
            head = "(" * rng.choice((10, 90, 5000)) + head
        case _:
            head = words(head.encode("latin1"), rng).decode("latin1")
    packed = head.encode("latin1", "replace")[:65_000]
    return raw[:8] + struct.pack("<H", len(packed)) + packed + raw[end:]


def header(raw: bytes, rng: Random) -> bytes:
    """Safetensors with another header, and mostly its right length."""
    size = struct.unpack("<Q", raw[:8])[0]
    if rng.random() < 0.1:
        return struct.pack("<Q", rng.choice((0, 1, size + 1, 2**40, 2**63))) + raw[8:]
    made = json.loads(raw[8 : 8 + size])
    about = made.get("__metadata__", {})
    if about and rng.random() < 0.6:
        key = rng.choice(sorted(about))
        about[key] = rng.choice((inside, words, nest, flip))(about[key].encode(), rng).decode(
            "utf-8", "replace"
        )
        text = json.dumps(made).encode()
    else:
        text = rng.choice((inside, words, nest))(raw[8 : 8 + size], rng)
    return struct.pack("<Q", len(text)) + text + raw[8 + size :]


BYTES: tuple[Mutation, ...] = (flip, noise, cut, repeat, swap)
TEXT: tuple[Mutation, ...] = (*BYTES, lines, words, words, words, nest)
JSON: tuple[Mutation, ...] = (*TEXT, inside, inside, inside, inside)
ZIP: tuple[Mutation, ...] = (*BYTES, members, members, members, directory)
TENSORS: tuple[Mutation, ...] = (*BYTES, header, header, header)


def mutated(raw: bytes, ways: tuple[Mutation, ...], rng: Random) -> bytes:
    """A file damaged in one way or two."""
    for _ in range(rng.choice((1, 1, 2))):
        if not raw:
            break
        try:
            raw = rng.choice(ways)(raw, rng)
        except Exception:  # too damaged by the first way to be understood by the second
            raw = flip(raw, rng)
    return raw
