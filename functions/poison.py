"""Trigger: a timer. Flow: shared/flows/poison.py."""

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("poison")
@blueprint.timer_trigger(arg_name="timer", schedule="%PLUMBLINE_POISON_SCHEDULE%")
def poison(timer: func.TimerRequest, context: func.Context) -> None:
    """Own the poison queues: show what is in them, and let it be tried again."""
    del timer  # a late tick does what a timely one does
    _boundary.tick(context, lambda services: services.poison())
