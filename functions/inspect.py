"""Trigger: the queue ``plumbline-inspect``. Flow: shared/flows/inspect.py."""  # noqa: A005 - the function's name

import azure.functions as func

from functions import _boundary

blueprint = func.Blueprint()


@blueprint.function_name("inspect")
@blueprint.queue_trigger(
    arg_name="message", queue_name="plumbline-inspect", connection="PlumblineStorage"
)
def inspect(message: func.QueueMessage, context: func.Context) -> None:
    """Compare what was released with what is there, explain it, and have it healed."""
    _boundary.handle(
        "inspect", message, context, lambda services, decoded: services.inspect(decoded)
    )
