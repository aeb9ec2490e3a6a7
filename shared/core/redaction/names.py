"""Names of properties, settings and variables that hold secrets.

Names are compared without case and punctuation. What an ending says holds also when trailing words
follow it: passwordHash, key1, secretValue. Names are other people's, so nothing here may take more
than linear time.
"""

from typing import Final

LONGEST_NAME: Final = 256
"""Characters of a name that are looked at; of a longer one these are its last."""

_TRAILING = ("value", "text", "hash", "base64", "pem", "data", "primary", "secondary")

_LISTINGS = ("secrets", "passwords", "tokens", "connectionstrings", "credentials")
_ENDINGS = (
    *_LISTINGS,
    *("password", "passwd", "passphrase", "passcode", "pwd", "psw", "pw"),
    *("loginpass", "adminpass", "userpass", "secret", "token", "connectionstring"),
    *("sas", "sasuri", "sasurl", "sharedaccesssignature", "webhookurl", "webhookuri"),
    *("callbackurl", "apikeys", "accesskeys", "credential"),
)
_KEY_ENDINGS = ("key", "keys")
_EXACT = frozenset({"securevalue", "authorization", "authorizationheader", "pass"})
_NOT_SECRET = (
    *("publickey", "publickeys", "publickeydata", "partitionkey", "partitionkeys", "sortkey"),
    *("rowkey", "shardkey", "clusteringkey", "foreignkey", "uniquekeys", "tagkey", "hotkeys"),
    *("continuationtoken", "skiptoken", "nextpagetoken", "kansas"),
)


def plain(name: str) -> str:
    """Return a name for comparing: lower case, letters and digits only, its end if long. Pure."""
    folded = "".join(character for character in name.lower() if character.isalnum())
    return folded[-LONGEST_NAME:]


def is_secret_name(name: str) -> bool:
    """Tell whether a property, setting or variable of this name holds a secret. Pure."""
    return names_a_secret(plain(name), of_mappings=False)


def names_a_secret(plain_name: str, *, of_mappings: bool) -> bool:
    """Tell whether what has this ``plain`` name is secret. Pure.

    ``of_mappings`` when the value is made of objects: encryptionKey: {keyVault...} is a reference
    to a key, and says by its own names what is secret.
    """
    stem = _stem(plain_name)
    if plain_name in _EXACT:
        return True
    if (
        plain_name.startswith("keyvault")
        or stem.endswith(_NOT_SECRET)
        or plain_name.endswith(_NOT_SECRET)
    ):
        return False
    if stem.endswith(_ENDINGS):
        return True
    return stem.endswith(_KEY_ENDINGS) and not of_mappings


def _stem(plain_name: str) -> str:
    """Return a name without its trailing words and digits; one that has nothing else stays."""
    stem = plain_name
    while stem:
        word = next((word for word in _TRAILING if stem.endswith(word)), None)
        if word is not None:
            stem = stem.removesuffix(word)
        elif stem[-1].isdecimal():
            stem = stem[:-1]
        else:
            return stem
    return plain_name
