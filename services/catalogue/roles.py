"""Which credits make music together: performers, producers and writers; the words are Discogs' own."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

PRODUCERS: Final = frozenset({"producer", "co-producer", "produced by", "co-produced by"})
WRITERS: Final = frozenset(
    {
        *("written-by", "written by", "songwriter", "composed by", "music by", "score", "score by"),
        *("lyrics by", "words by", "text by", "libretto by"),
    }
)
# Performers that no instrument and no voice gives away.
PERFORMERS: Final = frozenset(
    {
        *("performer", "featuring", "guest", "musician", "soloist", "leader", "conductor", "accompanied by"),
        *("instruments", "all instruments", "ensemble", "narrator", "read by", "mc", "rap", "rapper", "toasting"),
        *("beats", "scratches", "handclaps", "finger snaps", "foot stomps", "whistling", "yodeling", "human beatbox"),
        *("concertmaster", "concertmistress", "electronics", "computer", "noises"),
    }
)
# Any of these words in a role means somebody who sings or plays.
_SOUNDING: Final = """
    accordion autoharp bagpipes balalaika bandoneon banjo baritone bass bassoon bells bodhrán bodhran bongos bouzouki
    brass bugle cajón cajon calliope castanets celesta cello chamberlin charango chimes choir chorus clarinet claves
    clavichord clavinet concertina congas contrabass contrabassoon cornet cowbell crotales cuatro cymbal cymbals
    didgeridoo djembe dobro dulcimer dulcitone euphonium fiddle flugabone flugelhorn flute gamelan glockenspiel gong
    guiro guitar guitars guitarrón harmonica harmonium harp harpsichord horn horns hurdy instrument kalimba kantele
    kazoo keyboard keyboards keytar khene kora koto lute lyre mandola mandolin maracas marimba mbira mellotron melodica
    melodeon oboe ocarina omnichord ondes orchestra organ oud pandeiro percussion piano pianoforte piccolo pipe pipes
    rebab recorder reeds rhodes sampler sarangi sarod saxophone shaker shakuhachi shamisen shawm shehnai sitar spoons
    stick strings surdo synth synthaxe synthesizer tabla tambourine tambura tanpura theremin timbales timpani triangle
    trombone trumpet tuba turntables udu ukulele vibes vibraphone vibraslap viol viola violin violone virginal vocal
    vocalese vocals vocoder voice voices washboard whistle woodblock woodwind xylophone zither
    band bombarde cittern cornett crumhorn drum drums erhu flageolet ghatam guzheng gadulka
    jug mridangam nyckelharpa pipa psaltery qanun santoor serpent shekere sousaphone steelpan talkbox
    taiko tres tiple vielle waterphone wurlitzer
"""
# And any of these that the person did something else about it.
_SILENT: Final = """
    arrangement arranger assistant coach contractor consultant coordinator copyist designer editor engineer luthier
    maker manager management programming programmer recording repair restoration supervisor tech technician tuner tuning
"""
SOUNDING: Final = frozenset(_SOUNDING.split())
SILENT: Final = frozenset(_SILENT.split())
_DETAILS: Final = re.compile(r"\[[^\]]*\]?")
_WORDS: Final = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=50_000)
def makes_music(text: str) -> bool:
    """Whether any role of a credit is that of a performer, a producer or a writer.

    Shape:   `text` as Discogs writes it: `Producer, Vocals [Lead], Mixed By`.
    """
    return any(_counts(role.strip().lower()) for role in _DETAILS.sub("", text).split(","))


def _counts(role: str) -> bool:
    if role in PRODUCERS or role in WRITERS or role in PERFORMERS:
        return True
    # Recorded By, Arranged By, Orchestrated By ...: who performs is not told so.
    if role.endswith((" by", "-by")):
        return False
    words = _WORDS.findall(role)
    return not SOUNDING.isdisjoint(words) and SILENT.isdisjoint(words)
