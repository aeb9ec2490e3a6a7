"""The request body of a resource: evaluated as far as possible before, the rest at run time."""

import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.arm.engine.context import Runtime
from local.arm.engine.documents import minify
from local.arm.engine.errors import ExpressionError, TemplateError, no_overflow
from local.arm.engine.evaluator import has_deferred
from local.arm.engine.expansion import expand
from local.arm.engine.folding import show
from local.arm.engine.frame import Frame, Meter, Stage
from local.arm.engine.instances import Instance
from local.arm.engine.limits import MAX_RESOURCE_BYTES
from local.arm.engine.secrets import masked
from local.arm.engine.sources import Source, path_of
from local.arm.engine.values import weigh

_PROPERTIES = "properties"
_BYTES_PER_CHARACTER = 4  # at most
_NOT_SENT = frozenset({
    "apiversion", "asserts", "comments", "condition", "copy", "dependson", "existing", "metadata",
    "name", "@options", "resourcegroup", "resources", "scope", "subscriptionid", "type",
})  # fmt: skip


class Body:
    """How one planned resource comes by its body; kept when nothing in it needs a runtime.

    `verbatim` are members of `properties` that are sent as written: a nested template.
    """

    def __init__(
        self,
        instance: Instance,
        source: Source,
        sent: Mapping[str, Any],
        verbatim: Mapping[str, Any],
    ) -> None:
        self._instance = instance
        self._source = source
        self._sent = sent
        self._verbatim = verbatim
        self._partial: dict[str, Any] = {}
        self._complete = False
        self._as_written = False

    def prepare(self, frame: Frame) -> None:
        """Evaluate what is known now. Raises ExpressionError whose trail leads to its place."""
        self._partial = self._evaluate(frame)
        self._complete = not has_deferred(self._partial)

    def place(self) -> tuple[int | None, int | None]:
        """Return line and column of the declaration. A look into the text: not for hot paths."""
        return self._source.place(self._instance.path)[:2]

    def leave(self) -> None:
        """Show the body as it is written: of a resource in doubt, nothing more can be said."""
        self._partial = dict(self._sent)
        self._as_written = True

    def preview(self, runtime: Runtime | None = None) -> dict[str, Any]:
        """Return the body as it is known without a runtime; the rest is expression text.

        A `runtime` fills in what it knows and raises NeedsRuntime for what it does not.
        """
        value = self._partial
        if runtime is not None and not self._complete and not self._as_written:
            frame = at_runtime(self._instance.frame, runtime, Stage.BODY)
            value = self._evaluate(replace(frame, tolerant=True))
        shown: dict[str, Any] = show(value)
        return shown

    def secrets(self) -> frozenset[str]:
        """Return the texts in secure parameters that the body may hold."""
        return self._instance.frame.names.secrets()

    def body(self, runtime: Runtime) -> dict[str, Any]:
        """Return the body with the runtime's answers filled in. Raises TemplateError."""
        if self._complete:
            copied: dict[str, Any] = show(self._partial)
            return copied
        frame = at_runtime(self._instance.frame, runtime, Stage.BODY)
        failing = Failing(self._instance, self._source)
        value: dict[str, Any] = failing.run(lambda: self._evaluate(frame))
        return value

    def _evaluate(self, frame: Frame) -> dict[str, Any]:
        value: dict[str, Any] = expand(self._sent, frame)
        weight = weigh(value)
        frame.meter.charge(weight // 16)
        if weight > MAX_RESOURCE_BYTES // _BYTES_PER_CHARACTER:
            _refuse_size(value, self._instance)
        if self._verbatim:
            value[_PROPERTIES] = {**value[_PROPERTIES], **self._verbatim}
        return value


class Failing:
    """Turns errors of a resource's expressions into ARM's sentence for the running deployment."""

    def __init__(self, instance: Instance, source: Source) -> None:
        self._instance = instance
        self._source = source

    def run(self, compute: Any) -> Any:
        """Return what `compute` returns. Raises TemplateError."""
        with masked(self._instance.frame.names):
            return self._run(compute)

    def _run(self, compute: Any) -> Any:
        try:
            with no_overflow():
                return compute()
        except ExpressionError as error:
            path = path_of(self._instance.path, error)
            line, position, _ = place = self._source.place(path)
            raise TemplateError(
                "Unable to process template language expressions for resource "
                f"'{self._instance.id}' at line '{line}' and column '{position}'. "
                f"'{error.message}'",
                place=place,
            ) from error


def _refuse_size(value: Mapping[str, Any], instance: Instance) -> None:
    """Raise TemplateError for a body that even compressed, as ARM keeps it, is too large."""
    size = len(zlib.compress(minify(show(value)).encode("utf-8", "surrogatepass"), 1))
    if size > MAX_RESOURCE_BYTES:
        raise TemplateError(
            f"The size '{size}' of the definition of the resource '{instance.id}' exceeds the "
            f"maximum of '{MAX_RESOURCE_BYTES}' bytes. Please see "
            "https://aka.ms/arm-deploy-limits for usage details.",
            code="JobSizeExceeded",
            target=instance.id,
        )


def sent_part(instance: Instance) -> dict[str, Any]:
    """Return the members of a declared resource that go into its body, unevaluated. Pure."""
    return {key: item for key, item in instance.source.items() if key.lower() not in _NOT_SENT}


def at_runtime(frame: Frame, runtime: Runtime | None, stage: Stage) -> Frame:
    """Return the frame for evaluation against a runtime, with a fresh meter."""
    return replace(frame, runtime=runtime, stage=stage, meter=Meter(), used=None)
