"""The dumps that the benches make: as many releases as were asked for, each once, of labels that recur."""

import gzip
import re
from pathlib import Path

from lxml import etree

from bench.catalogue import bare
from bench.dumps import sample, write_releases


def test_releases_have_ids_of_their_own(tmp_path: Path) -> None:
    count = 9 * len(sample()) + 5
    path = tmp_path / "x.xml.gz"
    size = write_releases(path, count)
    content = gzip.decompress(path.read_bytes())
    root = etree.fromstring(content)
    assert [int(one.get("id") or 0) for one in root] == list(range(1, count + 1))
    assert size == len(content) - len(b"<releases>\n</releases>\n")
    for kind, pattern, turns in (
        ("label", rb'<label name="Svek" catno="[^"]*" id="(\d+)"', 1),
        ("artist", rb"<artist><id>(\d+)</id><name>The Persuader<", 3),
        ("master", rb'<master_id is_main_release="true">(\d+)</master_id>', 2),
    ):
        ids = [int(one) for one in re.findall(pattern, content)]
        first = [one for one in ids if one % 20_000_000 == ids[0] % 20_000_000]
        assert len(set(first)) == turns, kind
        assert len(first) >= 9
    assert set(re.findall(rb"<artist><id>(\d+)</id><name>Various<", content)) == {b"194"}
    assert bare(path, count) > 0
