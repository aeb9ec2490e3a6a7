"""The composition root: settings in, services out.

``services()`` is what the functions ask for; it builds once per process, when the first event
needs it. Tests make ``Services`` with settings and ports of their own.
"""

import logging
from functools import cache

from shared import events
from shared.adapters.system import JsonLog
from shared.made import BUILDING
from shared.settings import Settings
from shared.wiring.azure import AzurePorts
from shared.wiring.loop import Services

__all__ = ["AzurePorts", "Services", "log", "services"]


@cache
def log() -> JsonLog:
    """Return the process's log; it works even when the settings are wrong."""
    return JsonLog(levels=dict.fromkeys(events.ERRORS, logging.ERROR))


def services() -> Services:
    """Build the services over Azure and Git, once per process. Raises SettingsError.

    The first events of a cold worker come at once, in several threads: one of them builds.
    """
    with BUILDING:
        return _services()


@cache
def _services() -> Services:
    settings = Settings.from_environment()
    return Services(settings, AzurePorts(settings, log()))
