"""A saved city: one zip file with the extract and a few words about it."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

from nco.archives import BrokenArchiveError, read_members
from nco.arguments import path_of
from nco.data.cities.cache import cache_dir, content_hash
from nco.errors import CityError, quoted, shortened
from nco.files import write_atomic
from nco.json_text import parse_json

SUFFIX = ".city"
_FORMAT = "nco-city-1"
_CARD = "city.json"
_EXTRACTS = ("extract.osm.pbf", "extract.osm")


def pack(path: str | Path, name: str, profile: str, extract: Path) -> Path:
    """Write name, profile and extract into one file, whole or not at all.

    Raises:
        CityError: the path has another ending, or the extract is gone.
        StorageError: it cannot be written.
    """
    path = path_of(path, "path", CityError)
    if path.suffix != SUFFIX:
        raise CityError(f"a saved city ends in {SUFFIX}; {path.name} does not")
    card = {"format": _FORMAT, "name": name, "profile": profile, "sha256": content_hash(extract)}
    member = _EXTRACTS[extract.suffix == ".osm"]
    buffer = io.BytesIO()
    # Extracts are compressed already, XML ones apart.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_CARD, json.dumps(card))
        archive.writestr(member, extract.read_bytes())
    return write_atomic(path, buffer.getvalue())


def unpack(path: str | Path) -> tuple[str, str, Path]:
    """Read a saved city; its extract is kept in the cache folder.

    Returns:
        The name, the profile and where the extract lies.

    Raises:
        CityError: the file is missing, truncated or something else.
        StorageError: the cache folder cannot be written.
    """
    path = path_of(path, "path", CityError)
    try:
        held = read_members(path, (_CARD, *_EXTRACTS))
        card = parse_json(held[_CARD])
        member = next(name for name in _EXTRACTS if name in held)
        if card["format"] != _FORMAT:
            raise CityError(
                f"{path} has format {quoted(card['format'])}; this version reads {quoted(_FORMAT)}"
            )
        name, profile, digest = str(card["name"]), str(card["profile"]), str(card["sha256"])
    except FileNotFoundError as error:
        raise CityError(f"{path} does not exist") from error
    except (OSError, BrokenArchiveError) as error:
        raise CityError(f"{path} is truncated or not a saved city: {shortened(error)}") from error
    except (KeyError, TypeError, StopIteration, ValueError) as error:
        if isinstance(error, CityError):
            raise
        raise CityError(f"{path} is not a saved city; make one with City.save") from error
    raw = held[member]
    if hashlib.sha256(raw).hexdigest() != digest:
        raise CityError(f"{path} is damaged: its extract is not the one that was saved")
    kept = cache_dir() / "extracts" / f"{digest[:24]}{member.removeprefix('extract')}"
    if not kept.is_file() or content_hash(kept) != digest:
        write_atomic(kept, raw)
    return name, profile, kept
