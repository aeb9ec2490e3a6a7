"""ARM in memory: the port Arm for tests of flows, and the script of what goes wrong."""

from tests.fakes.arm.fake import FakeArm
from tests.fakes.arm.foresight import Outlook
from tests.fakes.arm.runs import Outcome, Taken

__all__ = ["FakeArm", "Outcome", "Outlook", "Taken"]
