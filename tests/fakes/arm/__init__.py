"""ARM in memory: the port Arm for tests of flows, and the script of what goes wrong."""

from tests.fakes.arm.fake import FakeArm, Outcome, Taken

__all__ = ["FakeArm", "Outcome", "Taken"]
