"""Whose credits join them in the graph, and when a release joins nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.people import HUBS, MOST, is_compilation, joined
from services.catalogue.roles import makes_music

MUSIC = [
    *("Vocals", "Lead Vocals", "Voice", "Guitar", "12-String Acoustic Guitar", "Bass Clarinet", "Orchestra", "Choir"),
    *(
        "Conductor",
        "Featuring",
        "Performer",
        "Rap",
        "Drum",
        "Drum Machine",
        "Backing Band",
        "Electronic Wind Instrument",
    ),
    *("Producer", "Co-producer", "Written-By", "Written By", "written-by", "Composed By", "Lyrics By", "Music By"),
    *("Songwriter", "Words By", "Vocals [Lead, And Backing]", "Music By [All Tracks By]"),
    *("Mastered By, Producer", "Engineer [Vocals], Written-By", "Recorded By, Mixed By, Piano [Grand]"),
]
OTHERS = [
    *("Engineer", "Mixed By", "Recorded By", "Mastered By", "Lacquer Cut By", "Photography By", "Design", "Artwork By"),
    *("Management", "Remix", "DJ Mix", "A&R", "Liner Notes", "Executive-Producer", "Executive Producer", "Arranged By"),
    *(
        "Drum Programming",
        "Programmed By",
        "Guitar Technician",
        "Choir Coordinator",
        "Film Producer",
        "Orchestrated By",
    ),
    *(
        "Reissue Producer",
        "Other",
        "Vocal Coach",
        "",
        "Recorded By [Vocals]",
        "Engineer [Producer, Vocals]",
        "Edited By",
    ),
    "Compilation Producer",
]


@pytest.mark.parametrize("role", MUSIC)
def test_performers_producers_and_writers_make_music(role: str) -> None:
    assert makes_music(role)


@pytest.mark.parametrize("role", OTHERS)
def test_others_do_not(role: str) -> None:
    assert not makes_music(role)


ids = st.integers(0, 60) | st.sampled_from(sorted(HUBS))


@given(st.lists(ids, max_size=35), st.lists(ids, max_size=40))
def test_who_is_joined(artists: list[int], credited: list[int]) -> None:
    found = joined(artists, credited)
    billed = {one for one in artists if one not in HUBS}
    everybody = billed | {one for one in credited if one not in HUBS}
    if found is None:
        assert len(everybody) < 2 or (len(everybody) > MOST and not 2 <= len(billed) <= MOST)
    else:
        assert found == sorted(set(found))
        assert 2 <= len(found) <= MOST
        assert set(found) == (everybody if len(everybody) <= MOST else billed)


def test_a_compilation_is_by_various_or_says_so() -> None:
    assert is_compilation([194], [])
    assert is_compilation([5], ["LP", "Compilation"])
    assert not is_compilation([5], ["LP"])
