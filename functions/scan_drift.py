"""Trigger: a timer. Flow: shared/flows/scan_drift.py."""

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("scan_drift")
@blueprint.timer_trigger(arg_name="timer", schedule="%PLUMBLINE_SCAN_SCHEDULE%")
def scan_drift(timer: func.TimerRequest, context: func.Context) -> None:
    """Find the stacks that may have drifted, and have each inspected."""
    del timer  # a late tick does what a timely one does
    _boundary.tick(context, lambda services: services.scan_drift())
