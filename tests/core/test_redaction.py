"""Secrets of captured resources: found by name and by form, replaced, and nothing else touched."""

import json
import string
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.redaction import (
    PREFIX,
    STARS,
    is_secret_name,
    keyed_digest,
    mask,
    mask_text,
    redact,
)

KEY = b"0123456789abcdef0123456789abcdef"
CANARY = "c4n4ry-Vq8"
STORAGE_KEY = "A" * 86 + "=="
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwcyJ9.c2lnbmF0dXJl"
ENTRA = "abc8Q~" + "d" * 34
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJB\n-----END RSA PRIVATE KEY-----"


def digest(value: str) -> str:
    """Digest as the snapshot does: the key's id and the keyed digest."""
    return f"k1:{keyed_digest(KEY, value)}"


def cpu_s(run: Callable[[], Any]) -> float:
    """Return the CPU seconds that a call takes."""
    started = time.process_time()
    run()
    return time.process_time() - started


def hidden(value: str) -> str:
    """Return what stands in a secret's place."""
    return PREFIX + digest(value)


SECRET_NAMES = [
    *("password", "adminPassword", "administratorLoginPassword", "Password1", "passwordHash"),
    *("pwd", "passphrase", "secret", "clientSecret", "secretValue", "ClientSecretValue"),
    *("primaryKey", "secondaryKey", "accessKey", "accountKey", "InstrumentationKey", "key1"),
    *("storageAccountAccessKey", "primaryMasterKey", "sharedKey", "apiKey", "api_key", "x-api-key"),
    *(
        "privateKey",
        "licenseKey",
        "connectionString",
        "ConnectionString",
        "primaryConnectionString",
    ),
    *(
        "sas",
        "sasToken",
        "accountSas",
        "containerSasUri",
        "token",
        "accessToken",
        "registrationToken",
    ),
    *("sharedAccessSignature", "webhookUrl", "callbackUrl", "secureValue", "authorization"),
    *("customData", "protectedSettings", "pfxBlob"),
    *("passcode", "dbPasswd", "SQL_PW", "psw", "adminLoginPass", "adminPass", "keyBase64"),
]
PLAIN_NAMES = [
    *("keyVaultId", "keySource", "keyName", "keyVaultUri", "keyVersion", "keyUrl", "publicKey"),
    *("sshPublicKey", "keyType", "keyPolicy", "keyExpirationPeriodInDays", "keyVaultKey"),
    *("secretName", "secretUri", "secretId", "passwordSecretRef", "tokenEndpoint", "sasPolicy"),
    *("partitionKey", "disablePasswordAuthentication", "connectionStringName", "name", "location"),
    *("bypass", "env", "metadata", "environmentType"),
    *("kind", "sku", "continuationToken", "tokenType", "primaryEndpoints", "id"),
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_secret_names(name: str) -> None:
    """A value under a secret's name is replaced, whatever it looks like, at any depth."""
    assert redact({"properties": [{name: CANARY}]}, digest) == {
        "properties": [{name: hidden(CANARY)}]
    }


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_plain_names(name: str) -> None:
    """Names that only speak about keys and secrets keep their values."""
    assert redact({name: "value"}, digest) == {name: "value"}
    assert not is_secret_name(name)


SECRET_TEXTS = [
    f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={STORAGE_KEY};EndpointSuffix=x",
    f"Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey={CANARY}=",
    f"Server=tcp:s.database.windows.net;User ID=u;Password={CANARY};Encrypt=True",
    f"SharedAccessSignature=sv=2020&sig={CANARY}",
    f"https://a.blob.core.windows.net/c?sv=2020&se=2030&sig={CANARY}%3D&sp=r",
    f"https://f.azurewebsites.net/api/hook?code={CANARY}==",
    f"https://user:{CANARY}@git.test/repository.git",
    f"amqps://:{CANARY}@queue.test",
    f"Bearer {CANARY}-0123456789",
    "Basic dXNlcjpwYXNzd29yZA==",
    JWT,
    ENTRA,
    PEM,
    STORAGE_KEY,
    "ghp_0123456789abcdefghij",
    f'the body {{"adminPassword": "{CANARY}", "name": "x"}} is not valid',
    json.dumps(json.dumps({"clientSecret": CANARY})),
    f"InstrumentationKey={CANARY};IngestionEndpoint=https://x",
]


@pytest.mark.parametrize("text", SECRET_TEXTS)
def test_secret_forms(text: str) -> None:
    """A text that holds a secret is replaced as a whole, under any name; stars keep the rest."""
    assert redact({"note": text}, digest) == {"note": hidden(text)}
    masked = mask_text(text)
    assert masked != text
    assert CANARY not in masked
    assert mask_text(masked) == masked


PLAIN_TEXTS = [
    "https://a.blob.core.windows.net/",
    "https://v.vault.azure.net/secrets/s/0123456789abcdef0123456789abcdef",
    "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v",
    "Password must be at least 12 characters",
    "Basic authentication is off",
    '{"name": "web", "keySource": "Microsoft.Storage"}',
    "Bearer authentication",
    'W/"1f2e3d4c-0000"',
    "0123456789abcdef0123456789abcdef",
    "",
    "***",
]


@pytest.mark.parametrize("text", PLAIN_TEXTS)
def test_plain_forms(text: str) -> None:
    """Addresses, ids and prose stay."""
    assert redact({"note": text}, digest) == {"note": text}
    assert mask_text(text) == text


CASES: list[tuple[str, Any, Any]] = [
    (
        "a list of keys keeps what identifies a key",
        {"keys": [{"keyName": "key1", "value": CANARY, "permissions": "Full"}]},
        {"keys": [{"keyName": "key1", "value": hidden(CANARY), "permissions": "Full"}]},
    ),
    (
        "a list of secrets keeps their names",
        {"secrets": [{"name": "db", "value": CANARY, "keyVaultUrl": "https://v/secrets/s"}]},
        {
            "secrets": [
                {"name": "db", "value": hidden(CANARY), "keyVaultUrl": "https://v/secrets/s"}
            ]
        },
    ),
    (
        "permissions name what may be done, not secrets",
        {"permissions": {"keys": ["get"], "secrets": ["list"]}},
        {"permissions": {"keys": ["get"], "secrets": ["list"]}},
    ),
    (
        "an environment variable is a secret whatever its name says",
        {"env": [{"name": "DB_PASSWORD", "value": CANARY}, {"name": "Stripe", "value": "fast"}]},
        {
            "env": [
                {"name": "DB_PASSWORD", "value": hidden(CANARY)},
                {"name": "Stripe", "value": hidden("fast")},
            ]
        },
    ),
    (
        "an app setting, listed or mapped, is a secret whatever its name says",
        {"siteConfig": {"appSettings": [{"name": "Stripe", "value": CANARY}]}},
        {"siteConfig": {"appSettings": [{"name": "Stripe", "value": hidden(CANARY)}]}},
    ),
    (
        "mapped settings keep their names",
        {"environmentVariables": {"name": CANARY, "debug": True}},
        {"environmentVariables": {"name": hidden(CANARY), "debug": True}},
    ),
    (
        "a pair's key is a label",
        {"labels": [{"key": "team", "value": "web"}]},
        {"labels": [{"key": "team", "value": "web"}]},
    ),
    (
        "protected settings are secret in every leaf",
        {"protectedSettings": {"script": {"name": CANARY, "port": 22, "on": True, "none": None}}},
        {
            "protectedSettings": {
                "script": {"name": hidden(CANARY), "port": hidden("22"), "on": True, "none": None}
            }
        },
    ),
    (
        "a reference to a key is no key",
        {"keyEncryptionKey": {"keyUrl": "https://v/keys/k", "sourceVault": {"id": "/v"}}},
        {"keyEncryptionKey": {"keyUrl": "https://v/keys/k", "sourceVault": {"id": "/v"}}},
    ),
    (
        "what a key is partitioned by is no secret",
        {"partitionKey": {"paths": ["/id"], "kind": "Hash"}},
        {"partitionKey": {"paths": ["/id"], "kind": "Hash"}},
    ),
    (
        "app settings are secret whatever they are called",
        {
            "type": "Microsoft.Web/sites/config",
            "name": "web-1/appsettings",
            "properties": {"MODE": CANARY},
        },
        {
            "type": "Microsoft.Web/sites/config",
            "name": "web-1/appsettings",
            "properties": {"MODE": hidden(CANARY)},
        },
    ),
    (
        "a vault's secret keeps what is said about it",
        {
            "type": "Microsoft.KeyVault/vaults/secrets",
            "name": "v/s",
            "properties": {"value": CANARY, "contentType": "text", "attributes": {"enabled": True}},
        },
        {
            "type": "Microsoft.KeyVault/vaults/secrets",
            "name": "v/s",
            "properties": {
                "value": hidden(CANARY),
                "contentType": "text",
                "attributes": {"enabled": True},
            },
        },
    ),
    (
        "a vault reference, a public key and an empty value are no secrets",
        {
            "password": "@Microsoft.KeyVault(SecretUri=https://v)",
            "key": "ssh-rsa AAAA",
            "token": "",
        },
        {
            "password": "@Microsoft.KeyVault(SecretUri=https://v)",
            "key": "ssh-rsa AAAA",
            "token": "",
        },
    ),
    (
        "connection strings keep their types",
        {"connectionStrings": {"db": {"value": CANARY, "type": "SQLAzure"}}},
        {"connectionStrings": {"db": {"value": hidden(CANARY), "type": "SQLAzure"}}},
    ),
    (
        "settings of a site are secrets wherever they come, its other names decide",
        {
            "type": "Microsoft.Web/sites",
            "properties": {
                "siteConfig": {
                    "appSettings": [{"name": "Stripe", "value": CANARY, "slotSetting": True}],
                    "connectionStrings": [
                        {"name": "db", "connectionString": CANARY, "type": "SQLAzure"}
                    ],
                    "metadata": [{"name": "STACK", "value": CANARY}],
                    "linuxFxVersion": "PYTHON|3.11",
                }
            },
        },
        {
            "type": "Microsoft.Web/sites",
            "properties": {
                "siteConfig": {
                    "appSettings": [
                        {"name": "Stripe", "value": hidden(CANARY), "slotSetting": True}
                    ],
                    "connectionStrings": [
                        {"name": "db", "connectionString": hidden(CANARY), "type": "SQLAzure"}
                    ],
                    "metadata": [{"name": "STACK", "value": hidden(CANARY)}],
                    "linuxFxVersion": "PYTHON|3.11",
                }
            },
        },
    ),
    (
        "a site's configuration is a site's configuration as a resource of its own",
        {
            "type": "Microsoft.Web/sites/slots/config",
            "name": "s/staging/web",
            "properties": {
                "appSettings": [{"name": "Stripe", "value": CANARY}],
                "metadata": [{"name": "STACK", "value": CANARY}],
                "use32BitWorkerProcess": False,
                "ftpsState": "Disabled",
            },
        },
        {
            "type": "Microsoft.Web/sites/slots/config",
            "name": "s/staging/web",
            "properties": {
                "appSettings": [{"name": "Stripe", "value": hidden(CANARY)}],
                "metadata": [{"name": "STACK", "value": hidden(CANARY)}],
                "use32BitWorkerProcess": False,
                "ftpsState": "Disabled",
            },
        },
    ),
    *(
        (
            f"{name} of {kind} are settings, even those that are called type or name",
            {"type": kind, "name": f"s/{name}", "properties": {"TYPE": CANARY, "name": CANARY}},
            {
                "type": kind,
                "name": f"s/{name}",
                "properties": {"TYPE": hidden(CANARY), "name": hidden(CANARY)},
            },
        )
        for kind, name in (
            ("Microsoft.Web/sites/config", "appsettings"),
            ("Microsoft.Web/sites/config", "metadata"),
            ("Microsoft.Web/sites/slots/config", "connectionStrings"),
            ("Microsoft.Web/staticSites/config", "functionappsettings"),
            ("config", "appsettings"),
        )
    ),
    (
        "a container's variables keep what they refer to",
        {
            "env": [{"name": "A", "value": CANARY}, {"name": "B", "secretRef": "db"}],
            "environmentVariables": [{"name": "C", "secureValue": CANARY}],
            "secureEnvironmentVariables": {"D": CANARY, "E": 5},
            "environmentSettings": [{"name": "F", "value": CANARY}],
        },
        {
            "env": [{"name": "A", "value": hidden(CANARY)}, {"name": "B", "secretRef": "db"}],
            "environmentVariables": [{"name": "C", "secureValue": hidden(CANARY)}],
            "secureEnvironmentVariables": {"D": hidden(CANARY), "E": hidden("5")},
            "environmentSettings": [{"name": "F", "value": hidden(CANARY)}],
        },
    ),
    (
        "a tag that is called env and anybody else's metadata are what they were",
        {"tags": {"env": "prod"}, "metadata": [{"name": "m", "value": "v"}]},
        {"tags": {"env": "prod"}, "metadata": [{"name": "m", "value": "v"}]},
    ),
    (
        "numbers in a secret's place become digests, switches stay",
        {"password": 1234, "secret": 0.5, "enableToken": True, "passwordLength": 12},
        {
            "password": hidden("1234"),
            "secret": hidden("0.5"),
            "enableToken": True,
            "passwordLength": 12,
        },
    ),
]


@pytest.mark.parametrize(("why", "body", "expected"), CASES, ids=[case[0] for case in CASES])
def test_shapes(why: str, body: Any, expected: Any) -> None:
    """Each shape in which secrets and their look-alikes come."""
    assert redact(body, digest) == expected, why


@pytest.mark.parametrize(("why", "body", "expected"), CASES, ids=[case[0] for case in CASES])
def test_stars_stand_where_digests_would(why: str, body: Any, expected: Any) -> None:
    """What is masked and what is digested is the same."""
    digested = json.dumps(expected)
    for value in (CANARY, "fast", "1234", "0.5", "22", "5"):
        digested = digested.replace(hidden(value), STARS)

    assert json.dumps(mask(body)) == digested, why


def test_digest_is_constant_keyed_and_short() -> None:
    """Equal secrets compare equal under one key, and under another key nothing can be said."""
    assert keyed_digest(KEY, "s") == "e5d095573457b9350629af783cdb22a5"
    assert keyed_digest(KEY, "s") != keyed_digest(b"another", "s")
    assert len(keyed_digest(KEY, "s")) == 32


def test_mask_keeps_a_text_readable() -> None:
    """An error's text loses the secret and nothing else."""
    assert mask({"message": f"cannot reach https://u:{CANARY}@h/x?sig={CANARY}&sp=r."}) == {
        "message": "cannot reach https://u:***@h/x?sig=***&sp=r."
    }


# ---- properties ----------------------------------------------------------------------------

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from(["westeurope", "Standard_LRS", "", "10.0.0.0/16", *PLAIN_TEXTS]),
)
plain_bodies = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["properties", "sku", "tags", "a", "mode"]), inner, max_size=4
        ),
    ),
    max_leaves=12,
)
names = st.sampled_from(SECRET_NAMES)
canaries = st.text(string.ascii_letters + string.digits + "=/+-_ ", min_size=6, max_size=20).map(
    lambda text: "Zz" + text
)


def planted(body: Any, path: list[str | int], leaf: Any) -> Any:
    """Return ``body`` wrapped along ``path``, with ``leaf`` at its end."""
    node: Any = leaf
    for step in reversed(path):
        node = {step: node, "beside": body} if isinstance(step, str) else [body] * step + [node]
    return node


steps = st.lists(
    st.one_of(st.sampled_from(["properties", "settings", "items", "x"]), st.integers(0, 2)),
    max_size=4,
)


@settings(deadline=None)
@given(plain_bodies)
def test_bodies_without_secrets_are_unchanged(body: Any) -> None:
    """What holds no secret comes out equal."""
    assert redact(body, digest) == body
    assert mask(body) == body


@settings(deadline=None)
@given(plain_bodies, steps, names, canaries)
def test_a_secret_is_never_in_the_output(
    body: Any, path: list[str | int], name: str, canary: str
) -> None:
    """Wherever a secret stands, neither digest nor stars leave anything of it."""
    whole = planted(body, path, {name: canary, "other": "kept"})
    for out in (redact(whole, digest), mask(whole)):
        assert canary not in json.dumps(out)
        assert "kept" in json.dumps(out)


@settings(deadline=None)
@given(plain_bodies, steps, names, canaries)
def test_redaction_is_idempotent_and_keeps_the_structure(
    body: Any, path: list[str | int], name: str, canary: str
) -> None:
    """A second pass changes nothing, and every key and length is as it was."""
    whole = planted(body, path, {name: canary})
    once = redact(whole, digest)

    assert redact(once, digest) == once
    assert shape(once) == shape(whole)


def shape(node: Any) -> Any:
    """Return the keys and lengths of a body without its leaves."""
    if isinstance(node, dict):
        return {key: shape(value) for key, value in node.items()}
    if isinstance(node, list):
        return [shape(item) for item in node]
    return None


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "-----BEGIN X-----",
        "://",
        "://a:",
        "Password=",
        "eyJ",
        "eyJaaaaaa.",
        "eyJaaaaaa-",
        "-eyJaaaaaa",
        "eyJaaaaaa.aaaa.",
        "-----BEGIN X",
        "-----END ",
        "Password ",
        "?sig",
        "=",
        "bearer ",
        "bearer a",
        " ",
        "\n",
        "ghp_",
        "aaa1Q~",
        "Q~1",
        '"a":"',
        "sig=",
        "AccountKey=",
        "~.",
        '"a\\\\',
        '"a": ',
    ],
)
def test_long_texts_take_linear_time(piece: str) -> None:
    """A hostile message cannot stall a function: ten times the text, not a hundred times the work."""
    text = piece * (200_000 // len(piece))
    for whole in (text, f"password{text}", f"bearer {text}!", f'eyJ{text}"', f"://a:{text}"):
        assert cpu_s(partial(mask_text, whole)) < 1


@pytest.mark.parametrize(
    "name",
    [
        *("1" * 40 + "x", "1" * 200_000, "1" * 200_000 + "x", "value" * 40_000 + "x"),
        *("x" + "1" * 200_000, "keyvalue1" * 20_000, "base64" * 40_000, "64" * 100_000 + "x"),
        "." * 200_000,
    ],
    ids=lambda name: f"{name[:8]}{len(name)}",
)
def test_long_names_take_linear_time(name: str) -> None:
    """A tag, an output or a setting of many digits must not stop a worker for ever."""
    assert cpu_s(lambda: redact({name: "v"}, digest)) < 0.5
    assert cpu_s(lambda: mask_text(f'"{name}": "v"')) < 0.5


def test_names_that_read_alike_take_linear_time() -> None:
    """Thousands of ways to write ``key`` and ``value`` in one object ask for one look at it each."""
    names = {f"k{'.' * (n % 97)}e{'-' * (n // 97)}y": "v" for n in range(9000)}
    values = {f"v{'.' * (n % 97)}alu{'-' * (n // 97)}e": "v" for n in range(9000)}

    assert cpu_s(lambda: redact(names, digest)) < 1
    assert cpu_s(lambda: redact(values, digest)) < 1


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        *(("passwordValueHash2", True), ("keyBase64", True), ("key6464", True), ("1", False)),
        *(("value", False), ("a" * 5000 + "Password1", True), ("Password" + "a" * 5000, False)),
        ("password" + "." * 5000, True),
    ],
    ids=lambda case: f"{str(case)[:10]}",
)
def test_trailing_words(name: str, is_secret: bool) -> None:  # noqa: FBT001 - a table's column
    """Words and digits behind an ending do not hide it; of a long name the end decides."""
    assert is_secret_name(name) is is_secret


@pytest.mark.parametrize("before", ["", "token-", "token_", "x.", "eyJ.", "eyJa-", '"', "é "])
def test_a_web_token_is_found_behind_anything(before: str) -> None:
    """Whatever stands before a JSON Web Token, its claims and signature are gone."""
    masked = mask_text(f"{before}{JWT} after")

    assert "eyJhdWQi" not in masked
    assert "c2lnbmF0" not in masked
    assert masked.endswith(" after")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_masked(text: str) -> None:
    """No text breaks or stalls the patterns, and masking twice is masking once."""
    assert mask_text(mask_text(text)) == mask_text(text)
