"""Decoders are made one at a time, whoever asks for the first one."""

import subprocess
import sys

import msgspec

from shared.core.decoding import decoder

# A thread works Outer out, and is held while it looks at what Inner has; another decodes Outer then.
_TOGETHER = """
import threading
from functools import cached_property
import msgspec
from shared.core.decoding import decoder

looking, decoded = threading.Event(), threading.Event()

class Gate:
    @cached_property
    def kind(self):
        looking.set()
        decoded.wait(0.5)
        return int

gate = Gate()

class Inner(msgspec.Struct):
    late: "gate.kind" = 0

class Outer(msgspec.Struct):
    early: Inner
    last: int = 0

def decode():
    decoder(Outer).decode(b'{"last": 1, "early": {"late": 2}}')

def second():
    looking.wait()
    decode()
    decoded.set()

threads = [threading.Thread(target=decode), threading.Thread(target=second)]
for one in threads:
    one.start()
for one in threads:
    one.join()
print("alive")
"""


def test_two_first_decodings_at_a_time_do_not_kill_the_worker() -> None:
    """A struct that is being worked out is not used by another thread: the process lives on."""
    done = subprocess.run(
        [sys.executable, "-c", _TOGETHER], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr


def test_a_decoder_is_made_once() -> None:
    """The same type has the same decoder, so that nothing is worked out twice."""

    class Thing(msgspec.Struct):
        name: str

    assert decoder(Thing) is decoder(Thing)
    assert decoder(Thing).decode(b'{"name": "a"}') == Thing("a")
