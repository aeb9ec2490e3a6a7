"""Where events enter and outcomes leave: the only room with a broad ``except``.

Binds the log's context, builds the services when the first event needs them, runs one flow, and
turns its outcome into what the trigger understands (docs/architecture.md part 7). Importing it
loads nothing but the Functions library: cold start is a feature.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import azure.functions as func

if TYPE_CHECKING:
    from shared.core.errors import Transient, Waiting
    from shared.core.message import Message, Queue
    from shared.wiring import Services

_JSON = "application/json"


def answer(
    context: func.Context, run: "Callable[[Services], func.HttpResponse]"
) -> func.HttpResponse:
    """Run a flow for an HTTP request; every fault becomes an answer that gives nothing away."""
    from shared import wiring
    from shared.core import errors

    started = time.perf_counter()
    try:
        services = wiring.services()
        with services.log.bound(invocation_id=context.invocation_id):
            response = run(services)
            _finished(services, context, "answered", started, status=response.status_code)
            return response
    except errors.Transient as e:
        return _unavailable(e.reason, e.retry_after_s)
    except errors.Stalled as e:
        _report(context, e)
        return _unavailable(e.reason, None)
    except Exception as e:  # noqa: BLE001 — the boundary: a defect is logged and answered
        _report(context, e)
        return func.HttpResponse(
            b'{"error":"InternalError","message":"see the log of this invocation"}',
            status_code=500,
            mimetype=_JSON,
        )


def _unavailable(reason: str, retry_after_s: float | None) -> func.HttpResponse:
    return func.HttpResponse(
        b'{"error":"%s","message":"Plumbline cannot do this now; try again later"}'
        % reason.encode(),
        status_code=503,
        mimetype=_JSON,
        headers={"Retry-After": str(max(1, round(retry_after_s or 5)))},
    )


def handle(
    queue: "Queue",
    message: func.QueueMessage,
    context: func.Context,
    run: "Callable[[Services, Any], None]",
) -> None:
    """Run a flow for a queue message.

    A hiccup becomes a copy of the message for later, and this one is done; only if the copy
    cannot be sent does it raise, and storage brings the message back. A bad message and a defect
    raise until they are in the poison queue, which has an owner.
    """
    from shared.core import errors
    from shared.core import message as messages

    started = time.perf_counter()
    services = _services(context)
    with services.log.bound(invocation_id=context.invocation_id, queue=queue):
        try:
            decoded = messages.decode(queue, message.get_body())
        except errors.BadMessage as e:
            _report(context, e)
            raise
        with services.log.bound(**_subject(decoded)):
            try:
                run(services, decoded)
                outcome = "done"
            except (errors.Transient, errors.Waiting) as e:
                _send_later(services, queue, decoded, e)
                outcome = "delayed"
            except errors.Stalled as e:
                _report(context, e)
                outcome = "stalled"
            except Exception as e:
                _report(context, e)
                raise
            _finished(services, context, outcome, started)


def _subject(message: "Message") -> dict[str, object]:
    subject: dict[str, object] = {"repository": message.repository, "tries": message.tries}
    stack = getattr(message, "stack", None)
    return subject if stack is None else {**subject, "stack": stack}


def _send_later(
    services: "Services", queue: "Queue", message: "Message", error: "Transient | Waiting"
) -> None:
    from shared import events
    from shared.core import errors
    from shared.core import message as messages
    from shared.core.backoff import delay_s

    if isinstance(error, errors.Waiting):
        now = services.clock.now()
        delay, tries = max(1.0, (error.until - now).total_seconds()), message.tries
    else:
        delay, tries = delay_s(message.tries, error.retry_after_s), message.tries + 1
    copy = messages.again(message, tries=tries)
    services.queues.send(queue, messages.encode(copy), delay)
    services.log(
        events.MESSAGE_DELAYED,
        reason=error.reason,
        message=error.message,
        delay_s=round(delay, 1),
        tries=tries,
    )


def tick(context: func.Context, run: "Callable[[Services], None]") -> None:
    """Run a flow for a timer; what went wrong is looked at again at the next tick."""
    from shared.core import errors

    started = time.perf_counter()
    services = _services(context)
    with services.log.bound(invocation_id=context.invocation_id):
        try:
            run(services)
            outcome = "done"
        except (errors.Transient, errors.Stalled) as e:
            _report(context, e)
            outcome = "postponed"
        except Exception as e:
            _report(context, e)
            raise
        _finished(services, context, outcome, started)


def _services(context: func.Context) -> "Services":
    """Return the services; settings that are wrong are logged, and the event is kept for later."""
    from shared import wiring
    from shared.core import errors

    try:
        return wiring.services()
    except errors.Stalled as e:
        _report(context, e)
        raise


def _finished(
    services: "Services", context: func.Context, outcome: str, started: float, **fields: object
) -> None:
    from shared import events

    services.log(
        events.INVOCATION_FINISHED,
        function=context.function_name,
        outcome=outcome,
        elapsed_ms=round((time.perf_counter() - started) * 1000, 1),
        **fields,
    )


def _report(context: func.Context, error: Exception) -> None:
    """Log a fault once, here, whether or not the services could be built."""
    from shared import events, wiring
    from shared.core import errors

    known = isinstance(error, errors.PlumblineError) and not isinstance(error, errors.BadMessage)
    event = events.STALLED if known else events.INVOCATION_FAILED
    wiring.log()(
        event,
        function=context.function_name,
        error=type(error).__name__,
        reason=getattr(error, "reason", None),
        hint=getattr(error, "hint", None),
        message=getattr(error, "message", None),
        exception=None if known else error,
    )
