"""Keeping secure parameters out of errors: an expression that fails may quote its arguments."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local.arm.engine.errors import TemplateError
from local.arm.engine.frame import Names

MASK = "*******"
_SHORTEST = 4  # shorter texts are in every sentence by chance


@contextmanager
def masked(names: Names) -> Iterator[None]:
    """Mask, in a TemplateError on its way out, the texts that `names` knows to be secret."""
    try:
        yield
    except TemplateError as error:
        secrets = longest_first(names.secrets())
        if not secrets:
            raise
        error.rewrite(lambda text: mask(text, secrets))
        # The causes quote the same text, and a traceback would show them.
        raise error from None


def texts(values: Iterable[Any]) -> frozenset[str]:
    """Return every string inside the values that is long enough to be told apart. Pure."""
    found: set[str] = set()
    stack = list(values)
    while stack:
        item = stack.pop()
        if isinstance(item, str) and len(item) >= _SHORTEST:
            found.add(item)
        elif isinstance(item, Mapping):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return frozenset(found)


def longest_first(secrets: Iterable[str]) -> list[str]:
    """Return secrets in the order to mask them: one may be a part of another. Pure."""
    return sorted(secrets, key=len, reverse=True)


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets in it, which come longest first. Pure."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text
