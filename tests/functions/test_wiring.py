"""What a cold worker makes when its first events come at once."""

import subprocess
import sys
from threading import Barrier, Event, Thread
from typing import Final

import pytest

from shared import wiring
from shared.made import made

PORTS: Final = ("documents", "history", "queues", "git", "arm", "activity", "hosts", "callers")

COLD: Final = """
import sys, threading
sys.setswitchinterval(1e-6)
from shared import wiring
from shared.settings import load
told = {"PlumblineStorage": "UseDevelopmentStorage=true", "PLUMBLINE_DIGEST_KEY": "k" * 40,
        "PLUMBLINE_DIGEST_KEY_ID": "test"}
ports, wrong = wiring.AzurePorts(load(told), wiring.log()), []
names = sys.argv[1:]
together = threading.Barrier(len(names))
def ask(name):
    together.wait()
    try:
        getattr(ports, name)
    except Exception as e:
        wrong.append(f"{name}: {e!r}")
threads = [threading.Thread(target=ask, args=(name,)) for name in names]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit("; ".join(wrong) or 0)
"""


class House:
    """Something with two parts, one of which is made from the other."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.under_way, self.go_on = Event(), Event()

    @made
    def cellar(self) -> str:
        """A part that takes its time."""
        self.log.append("cellar begins")
        self.under_way.set()
        self.go_on.wait(10)
        self.log.append("cellar ends")
        return "cellar"

    @made
    def roof(self) -> str:
        """A part of its own."""
        self.log.append("roof")
        return "roof"

    @made
    def whole(self) -> str:
        """A part that is made of the others."""
        return f"{self.cellar} and {self.roof}"


def test_parts_are_made_one_at_a_time_and_once() -> None:
    """A part is not begun while another is being made, whoever asks for it."""
    house, asked = House(), Barrier(2)

    def ask_for_roof() -> None:
        asked.wait(10)
        assert house.roof == "roof"

    first, second = Thread(target=lambda: house.whole), Thread(target=ask_for_roof)
    first.start()
    assert house.under_way.wait(10)
    second.start()
    asked.wait(10)
    house.go_on.set()
    first.join(10)
    second.join(10)

    assert house.log == ["cellar begins", "cellar ends", "roof"]
    assert house.whole is house.whole


@pytest.mark.parametrize("name", PORTS)
def test_each_port_is_made_like_that(name: str) -> None:
    """SDKs import each other in circles: two threads in one of them break both."""
    assert isinstance(vars(wiring.AzurePorts)[name], made)


def test_the_first_events_of_a_cold_worker_may_come_at_once() -> None:
    """Several threads ask a fresh process for different ports, and each gets its own."""
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", COLD, *PORTS],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
