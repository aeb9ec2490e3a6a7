"""What a page of a listing says, read from its XML."""

from xml.etree import ElementTree as ET

from shared.adapters.blobs import listed_in
from shared.ports import Listed

PAGE = """<?xml version="1.0" encoding="utf-8"?>
<EnumerationResults ContainerName="state">
  <Blobs>
    <Blob>
      <Name>stacks/a.b/record.json</Name>
      <Properties><Etag>0x1</Etag><Content-Length>7</Content-Length></Properties>
      <Metadata><Phase>steady</Phase><due_at>caf%C3%A9</due_at><owed /></Metadata>
    </Blob>
    <Blob>
      <Name Encoded="true">odd%EF%BF%BEname</Name>
      <Properties><Etag>"0x2"</Etag></Properties>
    </Blob>
  </Blobs>
  <NextMarker />
</EnumerationResults>"""


def test_a_page_gives_names_facts_and_versions() -> None:
    """Facts are decoded, whatever case the service gives their keys; no metadata is no facts."""
    found = list(listed_in(ET.fromstring(PAGE)))  # noqa: S314 — our own text

    assert found == [
        Listed(
            "stacks/a.b/record.json",
            {"phase": "steady", "due_at": "caf\u00e9", "owed": ""},
            '"0x1"',
        ),
        Listed("odd\ufffename", {}, '"0x2"'),
    ]


def test_an_empty_page_gives_nothing() -> None:
    """A container without blobs, or a prefix that none has."""
    page = ET.fromstring("<EnumerationResults><Blobs /></EnumerationResults>")  # noqa: S314 — ours

    assert list(listed_in(page)) == []
