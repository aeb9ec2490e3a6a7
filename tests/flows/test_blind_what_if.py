"""What-if that shows what is there as what is wanted (N22): it must not talk drift away."""

from dataclasses import replace

import pytest

from shared.core.prediction import ResourceChange
from tests.fakes.arm.template import PlannedResource
from tests.flows.test_drift import NSG, confirm, deployed, edit, tag
from tests.flows.world import World


def blind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what-if see no change of anything, and show Azure's bodies as those that it leads to."""
    seeing = world.arm._changed

    def changed(one: PlannedResource, unsupported: str | None) -> ResourceChange:
        found = seeing(one, unsupported)
        return replace(found, kind="no_change", after=found.before, delta=())

    monkeypatch.setattr(world.arm, "_changed", changed)


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_what_if_that_agrees_with_everything_excuses_nothing(
    monkeypatch: pytest.MonkeyPatch, *, is_confirmed: bool
) -> None:
    """What had drifted when what-if was asked is drift still, however often somebody looks again."""
    world = deployed(monkeypatch)
    blind(world, monkeypatch)
    if is_confirmed:
        confirm(world)
    world.arm.change(NSG, edit("extra", "by hand"))
    world.scan()
    world.clock.advance(25 * 3600)
    world.scan()
    world.arm.change(NSG, tag("again"))
    world.scan()

    assert [item.path for item in world.drift("web").items] == ["properties.extra", "tags.note"]
    assert world.errors == []
