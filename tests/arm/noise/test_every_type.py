"""Every class on every type that is known, with a body of every shape that noise needs."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm import ids, knowledge
from local.arm.cloud import Cloud
from local.arm.noise import Prediction
from local.arm.providers import reads, writes
from local.arm.providers.writes import Write
from local.arm.whatif import views
from tests.arm.noise.stage import CALLER, GROUP, cloud, rows

KNOWN = knowledge.load()
TYPES = [
    f"{provider.namespace}/{kind}"
    for provider in KNOWN.providers.values()
    for kind in provider.types
]
OLD = "2014-01-01"
ALWAYS = ("N1", "N4", "N5", "N6", "N7", "N9", "N14", "N16", "N18", "N19", "N20")
"""The classes that need nothing of the type: the others ask for defaults, children and so on."""
BODY: dict[str, Any] = {
    "location": "West Europe",
    "properties": {
        "zzWord": "Some",
        "zzCount": 3,
        "zzSite": "https://a.example.com",
        "zzPassword": "hush",
        "zzRooms": ["b", "a"],
        "zzBoards": [{"name": "x", "properties": {"load": 1}}, {"name": "y"}],
    },
}


def written(azure: Cloud, kind: str) -> dict[str, Any]:
    """Store the body as a resource of a type, parents or not; return what GET says."""
    namespace, *types = kind.split("/")
    pairs = "".join(f"/{one}/name{at}" for at, one in enumerate(types))
    rid = ids.parse(f"{GROUP}/providers/{namespace}{pairs}")
    assert rid is not None
    record = writes._store(azure, KNOWN.type(kind), Write(rid, BODY, OLD, CALLER), None)
    return reads.body(azure, record)


def predict(kind: str) -> Prediction:
    """Return the prediction of putting the body of a type twice."""
    azure = cloud()
    got = written(azure, kind)
    seen = views.lens(KNOWN, kind)
    return Prediction(
        resource_id=got["id"],
        type=kind,
        api_version=OLD,
        known=KNOWN.type(kind),
        put=BODY,
        got=got,
        before=views.view(got, seen, OLD),
        after=views.view(written(azure.fork(), kind), seen, OLD),
    )


@pytest.mark.parametrize("kind", TYPES[::6])
def test_classes_that_need_nothing_of_a_type_show_themselves_on_it(kind: str) -> None:
    """A sixth of all types; what does not show is a gap in the data or in a rule."""
    one = predict(kind)
    clean = rows(one)

    assert [name for name in ALWAYS if rows(one, name) <= clean] == []
