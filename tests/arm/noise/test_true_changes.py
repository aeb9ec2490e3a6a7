"""True changes amid noise: kept, hidden (N22), or disguised (N23)."""

from __future__ import annotations

import pytest

from local.arm.noise import NAMES, Prediction, distort, real_lookalikes, stages
from local.arm.noise.lookalikes import merge_patch, other_value
from local.arm.providers import model, reads, writes
from local.arm.providers.writes import Write
from tests.arm.noise.stage import CALLER, Stage, put, resource, resources, rows

STORAGE = "Microsoft.Storage/storageAccounts"
BODY = {
    "location": "westeurope",
    "sku": {"name": "Standard_LRS"},
    "kind": "StorageV2",
    "properties": {"accessTier": "Hot"},
}


def changed(**properties: object) -> Prediction:
    """Return what what-if says after somebody changed a storage account by hand."""
    stage = Stage()
    record = put(stage.azure, STORAGE, "stone01", BODY)
    by_hand = {**BODY, "properties": {**BODY["properties"], **properties}}  # type: ignore[dict-item]
    return stage.prediction(put(stage.azure, STORAGE, record.name, by_hand), BODY)


def test_a_true_change_outlives_every_class_but_one() -> None:
    """Whatever noise is on, the entry of the true change is the truth's own."""
    one = changed(accessTier="Cool")
    truth = rows(one)

    assert truth == {("properties.accessTier", "Modify")}
    for name in NAMES - {"N22"}:
        assert truth <= rows(one, name), name


def test_a_false_negative_hides_a_true_change_and_nothing_else() -> None:
    """With N22 what-if says NoChange although something changed."""
    assert rows(changed(accessTier="Cool"), "N22") == set()
    assert rows(changed(), "N22") == set()


def test_false_negatives_hide_only_some_of_many_changes() -> None:
    """At least one is hidden."""
    one = changed(accessTier="Cool", supportsHttpsTrafficOnly=False, isSftpEnabled=True)

    assert rows(one, "N22") < rows(one)


def test_a_true_change_of_a_default_can_look_like_the_noise_of_a_default() -> None:
    """With N23 it is a Delete, as N2 makes of defaults; without, what-if says what it becomes."""
    one = changed(allowBlobPublicAccess=True)

    assert rows(one) == {("properties.allowBlobPublicAccess", "Modify")}
    assert rows(one, "N23") == {("properties.allowBlobPublicAccess", "Delete")}
    assert rows(changed(), "N23") == set()


@pytest.mark.parametrize("name", resources())
def test_every_type_has_a_place_for_a_lookalike(name: str) -> None:
    """A change by hand at the first such place is a true change in what-if."""
    stage = Stage()
    one = resource(name, stage)
    path = real_lookalikes(one.known, one.got)[0]
    record = stage.azure.resource(one.resource_id)
    assert record is not None
    patch = merge_patch(path, other_value(one.got, path))
    rid = model.rid_of(record)
    writes.patch(stage.azure, Write(rid, patch, one.api_version, CALLER))
    after = stage.prediction(reads.find(stage.azure, rid), one.put)

    (place,) = {place for place, _ in rows(after)}
    assert path == place or path.startswith(f"{place}.")


def test_the_first_stage_is_the_truth() -> None:
    """Stages begin with the prediction as it is, and end with what `distort` returns."""
    one = changed(accessTier="Cool")
    found = list(stages(one, NAMES))

    assert found[0][0] == ""
    assert (found[0][1].before, found[0][1].after) == (one.before, one.after)
    assert [name for name, _ in found[1:]] == sorted(NAMES, key=lambda name: int(name[1:]))
    assert found[-1][1] == distort(one, NAMES)
