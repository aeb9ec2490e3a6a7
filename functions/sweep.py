"""Trigger: a timer. Flow: shared/flows/sweep.py."""

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("sweep")
@blueprint.timer_trigger(arg_name="timer", schedule="%PLUMBLINE_SWEEP_SCHEDULE%")
def sweep(timer: func.TimerRequest, context: func.Context) -> None:
    """Start whatever is overdue."""
    del timer  # a late tick does what a timely one does
    _boundary.tick(context, lambda services: services.sweep())
