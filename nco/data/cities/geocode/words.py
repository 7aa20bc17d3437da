"""Names as they are compared: case, accents, spelling and abbreviations make no difference.

A key is made of canonical words with spaces between them: `Pohjoisesplanadi`, `POHJOISESPLANADI`,
`Berliner Str.`, `Berlinerstraße` and `SW 16th Ave` differ from other spellings in nothing that a
key keeps, up to the spaces, which `joined` takes away.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Each line is one word in several spellings; the first stands for all of them. Words that share an
# abbreviation share a line.
_SPELLINGS = """
st street str strasse straat saint sankt sint sainte ste stna santa santo sao
rd road
av ave avenue avenida avda avd
bd blvd boulevard boul bulevar
dr drive doctor doktor doutor dottor
ln lane
ct court
pl place platz plaza pza placa
sq square
ter terrace terr
pkwy parkway
hwy highway
cl close
cres crescent
gdns gardens
mt mount
ft fort
n north
s south
e east
w west
ne northeast
nw northwest
se southeast
sw southwest
r rua rue
c calle carrer
tv travessa trav
pca praca
lg largo
est estrada
al alameda
v via
vle viale
p piazza
cso corso
ul ulica ulice
trg trzg
prof professor
gen general
dom don dona
jr junior
1st first
2nd second
3rd third
4th fourth
5th fifth
6th sixth
7th seventh
8th eighth
9th ninth
10th tenth
"""
_CANONICAL = {
    word: line.split()[0] for line in _SPELLINGS.strip().splitlines() for word in line.split()
}
_STREET_ENDINGS = re.compile(r"(?<=\w\w\w)(strasse|strase|straat|str)$")
_TWO_LETTERS = re.compile(r"([aou])e")  # ä, ö and ü written out
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "\u0131": "i", "æ": "a", "œ": "o"}
)
_APOSTROPHE = re.compile("['\u2019]")
_NO_WORD = re.compile(r"[^\w]+|_+")
# Of little weight where names are compared: many streets have them.
_COMMON = """
st rd av bd dr ln ct pl sq ter pkwy hwy cl cres gdns n s e w ne nw se sw r c tv pca lg est al v vle
p cso ul trg way weg gasse allee katu gatan gata tie vag vagen vej vegen gade kuja polku triq
the de da do dos das del della di la le les los las der die van den du des of et and und y
"""
_GENERIC = frozenset(_COMMON.split())
_ENDINGS = re.compile(
    r"(?<=\w\w\w)(st|katu|kuja|tie|polku|gatan|gata|vagen|vag|vej|vegen|gade|weg|gasse|platz|pl|"
    r"allee|plein|laan|gracht|utca|ut|gade)$"
)
_COUNTRIES = """
afghanistan albania algeria argentina armenia australia austria osterreich bangladesh belarus
belgium belgie belgique bolivia brasil brazil bulgaria canada chile china colombia croatia hrvatska
cyprus czechia cesko danmark denmark deutschland germany ecuador egypt eesti england espana spain
estonia ethiopia finland suomi france georgia ghana greece hellas hungary magyarorszag iceland india
indonesia iran iraq ireland eire israel italia italy japan jordan kazakhstan kenya latvia latvija
lebanon liechtenstein lithuania lietuva luxembourg malaysia malta mexico moldova monaco montenegro
morocco nederland netherlands nigeria norge norway pakistan peru philippines polska poland portugal
romania russia schweiz suisse svizzera scotland serbia srbija singapore slovakia slovensko slovenia
slovenija sverige sweden switzerland taiwan thailand tunisia turkey turkiye uae uk ukraine usa us
uruguay venezuela vietnam wales
"""
_UNITS = """
apt apartment flat unit suite ste floor fl level room rm building bldg block entrance door box
krs kerros as asunto lk og dg eg stock etage etg tur hinterhaus vorderhaus th tv mf andar apto
esc escalera piso puerta interno scala lokal vchod
"""
LEFT_ALONE = frozenset(f"{_COUNTRIES} {_UNITS}".split())
"""Words of addresses that say nothing of where in a city something is."""


@lru_cache(maxsize=1 << 16)
def folded(text: str) -> str:
    """Lower case without accents or punctuation, words with single spaces between them."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(_NO_WORD.sub(" ", plain).split())


@lru_cache(maxsize=1 << 16)
def key(text: str) -> str:
    """What is compared of a name: canonical words."""
    return " ".join(_word(word) for word in folded(_APOSTROPHE.sub("", text)).split())


def joined(spaced: str) -> str:
    """A key without spaces."""
    return spaced.replace(" ", "")


def stem(spaced: str) -> str:
    """What tells a name from others: a key without words and endings that many streets have."""
    words = [_ENDINGS.sub("", word) for word in spaced.split() if word not in _GENERIC]
    return "".join(words) or joined(spaced)


def telling(spaced: str) -> frozenset[str]:
    """The words of a key that few streets have."""
    return frozenset(word for word in spaced.split() if word not in _GENERIC)


def written(text: str) -> str:
    """A name as it is written, abbreviated or not, without spaces."""
    return "".join(_collapsed(word) for word in folded(_APOSTROPHE.sub("", text)).split())


def abbreviated(text: str) -> tuple[re.Pattern[str], re.Pattern[str] | None] | None:
    """Patterns of what a name with unknown abbreviations stands for (`Mannerheimint.`).

    Returns:
        A pattern of keys, and where one word alone is abbreviated one of joined keys; None where
        no word ends with a full stop but the known abbreviations.
    """
    parts, cut = [], 0
    for word in text.replace(".", ". ").split():
        for spaced in key(word).split():
            short = word.endswith(".") and folded(word) not in _CANONICAL and spaced[-1:].isalpha()
            short = short and not _STREET_ENDINGS.search(folded(word))
            cut += short
            parts.append(re.escape(spaced) + (r"\w*" if short else ""))
    if not cut:
        return None
    # Several open ends without a space between them could be matched in too many ways.
    return re.compile(" ".join(parts)), re.compile("".join(parts)) if cut == 1 else None


def _word(word: str) -> str:
    word = _STREET_ENDINGS.sub("st", word)
    return _collapsed(_CANONICAL.get(word, word))


def _collapsed(word: str) -> str:
    return _TWO_LETTERS.sub(r"\1", word).replace("aa", "a")
