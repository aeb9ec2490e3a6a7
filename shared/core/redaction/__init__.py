"""Where secrets sit in what ARM answers, and what is stored in their place.

A captured resource must stay comparable (did this password change?) without holding the password,
so ``redact`` puts a keyed digest there; an error or a what-if is only read, so ``mask`` puts stars.
Both look at the same two tables: names of properties, and forms of values. Everything here is pure.

The form of a digest is a string, ``secret-digest:<key id>:<32 hex>``; its ``<key id>:<32 hex>`` part
is what the caller's ``digest`` returns. A string of exactly that form is left alone, which makes
``redact`` idempotent. Structure is never changed: every mapping keeps its keys, every list its
length; ``null``, booleans and empty strings stay; a number in a secret's place becomes a digest.
"""

from shared.core.redaction.forms import STARS, mask_text
from shared.core.redaction.names import is_secret_name
from shared.core.redaction.walk import PREFIX, keyed_digest, mask, redact

__all__ = ["PREFIX", "STARS", "is_secret_name", "keyed_digest", "mask", "mask_text", "redact"]
