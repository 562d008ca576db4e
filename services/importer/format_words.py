"""What the short words of an export's Format column stand for.

Source:  Discogs' formats list; an export writes the abbreviation, other tools may spell the word out.
"""

from __future__ import annotations

from collections.abc import Mapping

SIZES: tuple[str, ...] = (
    *("LP", '16"', '12"', '11"', '10"', '9"', '8"', '7"', '6½"', '6"', '5½"', '5"', '4"', '3½"', '3"', '2"', '1"'),
)
"""Vinyl has no word of its own in an export: its size stands for it."""

_ABBREVIATED_CARRIERS = {
    "Cass": "Cassette",
    "Box": "Box Set",
    "Flexi": "Flexi-disc",
    "Lathe": "Lathe Cut",
    "Cyl": "Cylinder",
    "4-Trk": "4-Track Cartridge",
    "8-Trk": "8-Track Cartridge",
    "M/cass": "Microcassette",
    "NT": "NT Cassette",
    "Reel": "Reel-To-Reel",
    "Beta": "Betamax",
    "S-VHS": "Super VHS",
    "Umatic": "U-matic",
    "V2000": "Video 2000",
    "Film": "Film Reel",
    "S/Vision": "SelectaVision",
    "Wire": "Wire Recording",
    "MD": "Minidisc",
    "Floppy": "Floppy Disk",
    "M/Stick": "Memory Stick",
}

_PLAIN_CARRIERS = (
    *("Vinyl", "CD", "CDr", "CDV", "File", "Acetate", "Shellac", "Mighty Tiny", "Sopic", "Pathé Disc", "Edison Disc"),
    *("DVD", "DVDr", "HD DVD", "HD DVD-R", "Blu-ray", "Blu-ray-R", "Ultra HD Blu-ray", "SACD", "DC-International"),
    *("Elcaset", "PlayTape", "RCA Tape Cartridge", "DAT", "DCC", "Pocket Rocker", "Revere Magnetic Stereo Tape Ca"),
    *("Tefifon", "Sabamobil", "Betacam", "Betacam SP", "Cartrivision", "MiniDV", "VHS", "Video8", "HitClips"),
    *("Laserdisc", "TeD", "VHD", "MVD", "UMD", "Zip Disk", "Hybrid"),
)

# A DVD with one of these shows the description in place of the name, as vinyl shows its size.
_DVD_KINDS = {"DVD-V": "DVD-Video", "DVD-A": "DVD-Audio", "DVD-D": "DVD-Data"}

CARRIERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    **{size: ("Vinyl", (size,)) for size in SIZES},
    **{name: (name, ()) for name in (*_PLAIN_CARRIERS, *_ABBREVIATED_CARRIERS.values())},
    **{short: (name, ()) for short, name in _ABBREVIATED_CARRIERS.items()},
    **{short: ("DVD", (kind,)) for short, kind in _DVD_KINDS.items()},
}
"""First word of a format part -> the carrier's name and the descriptions that the word implies."""

_ABBREVIATED_DESCRIPTIONS = {
    "RE": "Reissue",
    "RP": "Repress",
    "RM": "Remastered",
    "Comp": "Compilation",
    "Ltd": "Limited Edition",
    "Num": "Numbered",
    "Dlx": "Deluxe Edition",
    "S/Sided": "Single Sided",
    "D/Sided": "Double Sided",
    "W/Lbl": "White Label",
    "Smplr": "Sampler",
    "Unofficial": "Unofficial Release",
    "P/Unofficial": "Partially Unofficial",
    "RSD": "Record Store Day",
    "Quad": "Quadraphonic",
    "Amb": "Ambisonic",
    "MiniAlbum": "Mini-Album",
    "Maxi": "Maxi-Single",
    "Club": "Club Edition",
    "Enh": "Enhanced",
    "Etch": "Etched",
    "MP": "Mispress",
    "M/Print": "Misprint",
    "P/Mixed": "Partially Mixed",
    "Pic": "Picture Disc",
    "S/Edition": "Special Edition",
    "TP": "Test Pressing",
    "Tour": "Tour Recording",
    "Card": "Card Backed",
    "B/card": "Business Card",
    "Copy Prot.": "Copy Protected",
    "Blu-ray-A": "Blu-ray Audio",
    "MP3Sur": "MP3 Surround",
    "ogg": "ogg-vorbis",
    "2tr Mono": "2-Track Mono",
    "2tr Stereo": "2-Track Stereo",
    "4tr Mono": "4-Track Mono",
    "4tr Stereo": "4-Track Stereo",
    **_DVD_KINDS,
}

_PLAIN_DESCRIPTIONS = (
    *("Album", "EP", "Single", "Mono", "Stereo", "Promo", "Mixed", "Mixtape", "Advance", "Jukebox", "Transcription"),
    *("Styrene", "Bioplastic", "Shape", "Special Cut", "Multichannel", "NTSC", "PAL", "SECAM", "Mini", "Minimax"),
    *("CD-ROM", "CDi", "CD+G", "HDCD", "VCD", "AVCD", "SVCD", "XRCD", "4K", "8K", "Hybrid", "DualDisc", "DVDplus"),
    *("VinylDisc", "CD-Record", "AAC", "AIFC", "AIFF", "ALAC", "APE", "FLAC", "MP2", "MP3", "WAV", "WavPack", "WMA"),
    *("WMV", "Opus", "MOV", "AVI", "MPEG Video", "MPEG-4 Video", "33 ⅓ RPM", "45 RPM", "78 RPM", "80 RPM"),
    *("16 ⅔ RPM", "8 ⅓ RPM", "2 Minute", "4 Minute", "Concert", "16mm", "35mm"),
)

DESCRIPTIONS: Mapping[str, str] = {
    **{name: name for name in (*SIZES, *_PLAIN_DESCRIPTIONS, *_ABBREVIATED_DESCRIPTIONS.values())},
    **_ABBREVIATED_DESCRIPTIONS,
}
"""A word of a format part -> the description as Discogs spells it out. What is not here is free text."""

ALL_MEDIA = "All Media"
"""Describes every carrier of the release. An export leaves the word out; other tools may write it."""
