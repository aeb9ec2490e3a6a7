"""Secrets of captured resources: found by name and by form, replaced, and nothing else touched."""

import json
import string
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.redaction import PREFIX, is_secret_name, keyed_digest, mask, mask_text, redact

KEY = b"0123456789abcdef0123456789abcdef"
CANARY = "c4n4ry-Vq8"
STORAGE_KEY = "A" * 86 + "=="
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwcyJ9.c2lnbmF0dXJl"
ENTRA = "abc8Q~" + "d" * 34
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJB\n-----END RSA PRIVATE KEY-----"


def digest(value: str) -> str:
    """Digest as the snapshot does: the key's id and the keyed digest."""
    return f"k1:{keyed_digest(KEY, value)}"


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
]
PLAIN_NAMES = [
    *("keyVaultId", "keySource", "keyName", "keyVaultUri", "keyVersion", "keyUrl", "publicKey"),
    *("sshPublicKey", "keyType", "keyPolicy", "keyExpirationPeriodInDays", "keyVaultKey"),
    *("secretName", "secretUri", "secretId", "passwordSecretRef", "tokenEndpoint", "sasPolicy"),
    *("partitionKey", "disablePasswordAuthentication", "connectionStringName", "name", "location"),
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
        "bearer ",
        "~.",
        '"a\\\\',
        '"a": ',
    ],
)
def test_long_texts_take_linear_time(piece: str) -> None:
    """A hostile message cannot stall a function: ten times the text, not a hundred times the work."""
    text = piece * (200_000 // len(piece))
    started = time.process_time()
    mask_text(text)
    assert time.process_time() - started < 2


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_masked(text: str) -> None:
    """No text breaks or stalls the patterns, and masking twice is masking once."""
    assert mask_text(mask_text(text)) == mask_text(text)


@pytest.mark.parametrize(
    "name",
    ["1" * 200_000 + "x", "x" + "1" * 200_000, "value" * 40_000, "keyvalue1" * 20_000],
)
def test_a_name_of_any_length_is_judged_at_once(name: str) -> None:
    """A tag, an output or a setting of hostile length must not stop a worker."""
    started = time.process_time()
    redact({name: "v"}, digest)
    mask_text(f'{{"{name}": "v"}}')

    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    "piece",
    [
        "eyJaaaaaa-",
        "eyJaaaaaa.",
        "password ",
        "sig=",
        "-----BEGIN A",
        "bearer ",
        '"a":"',
        "://a:",
        "AccountKey=",
        "Q~1",
    ],
)
def test_half_secrets_again_and_again_take_linear_time(piece: str) -> None:
    """Text that begins like a secret, two hundred thousand characters of it."""
    text = piece * (200_000 // len(piece))
    started = time.process_time()
    mask_text(text)

    assert time.process_time() - started < 2.0
