"""Plumbline's settings: the only reader of the environment.

``wiring`` calls ``Settings.from_environment()`` when the first event needs it; tests call ``load`` with a
mapping. One declaration per setting serves the reader, its errors, and the table in the documentation.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from shared import setting_values as values
from shared.core.errors import Stalled
from shared.core.secret import Secret

SECRET_PREFIX: Final = "PLUMBLINE_SECRET_"  # noqa: S105 — the name's beginning, not a secret
_OURS: Final = "PLUMBLINE_"
_STORAGE: Final = "PlumblineStorage"
_UNRESOLVED: Final = "@microsoft.keyvault("


@dataclass(frozen=True)
class SettingProblem:
    """One wrong setting: its name, what is wrong (never its value if it is secret), how to mend it."""

    name: str
    what: str
    mend: str


class SettingsError(Stalled):
    """Some settings are wrong; ``problems`` has them all."""

    def __init__(self, problems: tuple[SettingProblem, ...]) -> None:
        lines = [f"{problem.name}: {problem.what}; {problem.mend}" for problem in problems]
        super().__init__(
            "SettingsInvalid",
            "\n".join([f"{len(lines)} wrong setting{'s' if len(lines) > 1 else ''}:", *lines]),
            hint="change the app settings and restart the app",
            detail=[(problem.name, problem.what) for problem in problems],
        )
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class StorageSettings:
    """The storage account: a connection string, or two addresses and an identity.

    ``credential`` is ``managedidentity``, or None for whatever the machine offers (``az login``);
    ``client_id`` names a user-assigned identity, None means the system-assigned one. ``ca_file`` is a PEM
    file to trust instead of the public authorities, or None.
    """

    connection_string: Secret | None = None
    blob_service_uri: str | None = None
    queue_service_uri: str | None = None
    credential: str | None = None
    client_id: str | None = None
    ca_file: str | None = None


@dataclass(frozen=True, kw_only=True)
class ArmSettings:
    """Azure Resource Manager: ``endpoint`` without a slash at the end, ``audience`` a token scope.

    ``ca_file`` is a PEM file to trust instead of the public authorities (the simulator's), or None;
    ``client_id`` names a user-assigned identity, None means the system-assigned one.
    """

    endpoint: str
    audience: str
    ca_file: str | None = None
    client_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the environment says. What each field means is in the table of settings.

    ``configuration`` is the operator's configuration as JSON text, None: it is a blob. ``secrets`` has the
    values of all settings named ``PLUMBLINE_SECRET_…``, by their whole names. ``unknown`` are names that
    begin like ours but mean nothing: misspelt, or of another version.
    """

    storage: StorageSettings
    arm: ArmSettings
    digest_key: Secret
    digest_key_id: str
    configuration: str | None = field(repr=False)
    sweep_schedule: str
    watch_first_s: float
    watch_min_s: float
    watch_max_s: float
    sync_poll_s: float
    release_timeout_s: float
    secrets: Mapping[str, Secret]
    unknown: tuple[str, ...] = ()

    @staticmethod
    def from_environment() -> "Settings":
        """Read the process's environment; raises SettingsError."""
        return load(os.environ)


@dataclass(frozen=True, kw_only=True)
class _Setting:
    """The declaration of one setting; without a ``default`` it is required, or ``absent`` says else."""

    name: str
    meaning: str
    why: str
    parse: Callable[[str], Any] = values.text
    unit: str = "text"
    default: str | None = None
    absent: str | None = None


_GUID = values.matching(
    re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    "the identity's client id (a GUID)",
)
_DECLARED: Final = (
    _Setting(
        name=_STORAGE,
        meaning="Connection string of the storage account that holds state, history and queues.",
        why="for a laptop; in Azure use an identity and the settings below, there is no key to leak then",
        parse=values.connection_string,
        unit="connection string",
        absent="an identity is used",
    ),
    _Setting(
        name=f"{_STORAGE}__accountName",
        meaning="Name of the storage account, instead of the two addresses.",
        why="the addresses follow from it in the public cloud",
        parse=values.matching(
            re.compile(r"[a-z0-9]{3,24}"), "3 to 24 lower-case letters and digits"
        ),
        absent="the addresses are needed",
    ),
    _Setting(
        name=f"{_STORAGE}__blobServiceUri",
        meaning="Address of the blob service.",
        why="other clouds and private endpoints have their own",
        parse=values.https_url,
        unit="https address",
        absent="from the account name",
    ),
    _Setting(
        name=f"{_STORAGE}__queueServiceUri",
        meaning="Address of the queue service.",
        why="as above",
        parse=values.https_url,
        unit="https address",
        absent="from the account name",
    ),
    _Setting(
        name=f"{_STORAGE}__credential",
        meaning="`managedidentity`: only the app's managed identity is tried.",
        why="without it, a developer's own sign-in (`az login`) works too",
        parse=values.choice("managedidentity"),
        absent="whatever the machine offers",
    ),
    _Setting(
        name=f"{_STORAGE}__clientId",
        meaning="Client id of the user-assigned identity for storage.",
        why="an app may have several identities",
        parse=_GUID,
        unit="GUID",
        absent="the system-assigned one",
    ),
    _Setting(
        name="REQUESTS_CA_BUNDLE",
        meaning="PEM file with the authorities to trust for storage.",
        why="behind a proxy that opens TLS; other Python programs read the same name",
        unit="path",
        absent="the public authorities",
    ),
    _Setting(
        name="PLUMBLINE_CONFIG",
        meaning="The operator's configuration.",
        why="a setting is easier to roll out with the app, a blob is easier to change",
        parse=values.json_object,
        unit="JSON",
        absent="the blob `plumbline.config.json` in `state`",
    ),
    _Setting(
        name="PLUMBLINE_ARM_ENDPOINT",
        meaning="Address of Azure Resource Manager.",
        why="other clouds and the simulator have their own",
        parse=values.https_url,
        unit="https address",
        default="https://management.azure.com",
    ),
    _Setting(
        name="PLUMBLINE_ARM_AUDIENCE",
        meaning="Scope of the tokens for Azure Resource Manager.",
        why="in most clouds it follows from the address",
        parse=values.matching(re.compile(r"\S+/\.default"), "a scope that ends in /.default"),
        unit="token scope",
        absent="the address and `/.default`",
    ),
    _Setting(
        name="PLUMBLINE_ARM_CA_FILE",
        meaning="PEM file with the authority to trust for Azure Resource Manager.",
        why="the simulator signs its own certificate",
        unit="path",
        absent="the public authorities",
    ),
    _Setting(
        name="PLUMBLINE_IDENTITY_CLIENT_ID",
        meaning="Client id of the user-assigned identity that deploys.",
        why="an app may have several identities",
        parse=_GUID,
        unit="GUID",
        absent="the system-assigned one",
    ),
    _Setting(
        name="PLUMBLINE_DIGEST_KEY",
        meaning="Key of the digests that stand for captured secrets in snapshots. Secret.",
        why="required: without a key, a digest of a short secret can be guessed",
        parse=values.digest_key,
        unit="32 characters or more",
    ),
    _Setting(
        name="PLUMBLINE_DIGEST_KEY_ID",
        meaning="Name of that key, stored beside each digest.",
        why="required: after a rotation it tells which digests can be compared",
        parse=values.matching(
            re.compile(r"[A-Za-z0-9._-]{1,64}"),
            "1 to 64 letters, digits, dots, dashes, underscores",
        ),
    ),
    _Setting(
        name="PLUMBLINE_SWEEP_SCHEDULE",
        meaning="When the sweep starts what a lost message would have started. The host reads it too.",
        why="a lost message costs no more than this; one sweep is a few storage calls",
        parse=values.ncrontab,
        unit="NCRONTAB, UTC",
        default="*/30 * * * * *",
    ),
    _Setting(
        name="PLUMBLINE_WATCH_FIRST_S",
        meaning="Time from a deployment's start to the first look at it.",
        why="small deployments are done by then",
        parse=values.seconds(0),
        unit="seconds",
        default="2",
    ),
    _Setting(
        name="PLUMBLINE_WATCH_MIN_S",
        meaning="Shortest time between two later looks.",
        why="reads of Azure Resource Manager are throttled per subscription",
        parse=values.seconds(0),
        unit="seconds",
        default="5",
    ),
    _Setting(
        name="PLUMBLINE_WATCH_MAX_S",
        meaning="Longest time between two looks; not below the shortest.",
        why="an hour's deployment need not be known to end within seconds",
        parse=values.seconds(0.1),
        unit="seconds",
        default="30",
    ),
    _Setting(
        name="PLUMBLINE_SYNC_POLL_S",
        meaning="How often a repository that sent no push is asked for its tip.",
        why="finds pushes whose delivery was lost; one request of a few hundred bytes each",
        parse=values.seconds(1),
        unit="seconds",
        default="60",
    ),
    _Setting(
        name="PLUMBLINE_RELEASE_TIMEOUT_S",
        meaning="How long a deployment may run before it is shown as stalled.",
        why="gateways and managed instances take more than an hour",
        parse=values.seconds(1),
        unit="seconds",
        default="7200",
    ),
)
_BY_NAME: Final = {setting.name: setting for setting in _DECLARED}


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raises SettingsError with everything that is wrong. Pure."""
    reader = _Reader(environ)
    settings = Settings(
        storage=_storage(reader),
        arm=_arm(reader),
        digest_key=reader.get("PLUMBLINE_DIGEST_KEY"),
        digest_key_id=reader.get("PLUMBLINE_DIGEST_KEY_ID"),
        configuration=reader.get("PLUMBLINE_CONFIG"),
        sweep_schedule=reader.get("PLUMBLINE_SWEEP_SCHEDULE"),
        watch_first_s=reader.get("PLUMBLINE_WATCH_FIRST_S"),
        watch_min_s=reader.get("PLUMBLINE_WATCH_MIN_S"),
        watch_max_s=reader.get("PLUMBLINE_WATCH_MAX_S"),
        sync_poll_s=reader.get("PLUMBLINE_SYNC_POLL_S"),
        release_timeout_s=reader.get("PLUMBLINE_RELEASE_TIMEOUT_S"),
        secrets=reader.secrets(),
        unknown=reader.unknown(),
    )
    if not reader.problems and settings.watch_min_s > settings.watch_max_s:
        reader.refuse("PLUMBLINE_WATCH_MIN_S", "it is above PLUMBLINE_WATCH_MAX_S", "lower it")
    if reader.problems:
        raise SettingsError(tuple(reader.problems))
    return settings


def settings_table() -> str:
    """Return the table of settings in Markdown, for the documentation. Pure."""
    rows = [
        f"| `{setting.name}` | {setting.meaning} | {setting.unit} | {_default(setting)} | {setting.why} |"
        for setting in _DECLARED
    ]
    secrets = (
        f"| `{SECRET_PREFIX}…` | Secrets that the operator's configuration refers to by these names: "
        "tokens, hook secrets. | text | none | the configuration can then be read by anyone; "
        "use Key Vault references |"
    )
    head = ["| setting | meaning | unit | default | why |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, secrets, ""])


def _default(setting: _Setting) -> str:
    if setting.default is not None:
        return f"`{setting.default}`"
    return setting.absent or "required"


class _Reader:
    """Reads settings one by one, and keeps what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[SettingProblem] = []

    def refuse(self, name: str, what: str, mend: str) -> None:
        self.problems.append(SettingProblem(name, what, mend))

    def get(self, name: str) -> Any:
        """Return the parsed value; None when it is absent or wrong. An empty value is an absent one."""
        setting = _BY_NAME[name]
        value = self._environ.get(name, "").strip() or setting.default
        if value is None:
            if setting.absent is None:
                self.refuse(name, "it is missing", f"{setting.meaning} Give {setting.unit}")
            return None
        try:
            return setting.parse(_resolved(value))
        except values.Wrong as wrong:
            self.refuse(name, wrong.what, wrong.mend)
            return None

    def secrets(self) -> Mapping[str, Secret]:
        """Return all secrets by their settings' names."""
        found = {}
        for name, value in sorted(self._environ.items()):
            if name.startswith(SECRET_PREFIX):
                try:
                    found[name] = values.secret(_resolved(value))
                except values.Wrong as wrong:
                    self.refuse(name, wrong.what, wrong.mend)
        return MappingProxyType(found)

    def unknown(self) -> tuple[str, ...]:
        """Return the names that begin like ours and are none of ours, sorted."""
        known = (*_BY_NAME, SECRET_PREFIX)
        ours = (name for name in self._environ if name.startswith((_OURS, f"{_STORAGE}__")))
        return tuple(sorted(n for n in ours if n not in known and not n.startswith(SECRET_PREFIX)))


def _resolved(value: str) -> str:
    """Return the value unless it is a Key Vault reference that the platform could not resolve."""
    if value.strip().lower().startswith(_UNRESOLVED):
        raise values.Wrong(
            "it is still a Key Vault reference: the platform could not resolve it",
            "check the reference, and that the app's identity may read the vault's secrets",
        )
    return value


def _storage(reader: _Reader) -> StorageSettings:
    connection_string = reader.get(_STORAGE)
    account = reader.get(f"{_STORAGE}__accountName")
    uris = {}
    for service in ("blob", "queue"):
        uri = reader.get(f"{_STORAGE}__{service}ServiceUri")
        if uri is None and account is not None:
            uri = f"https://{account}.{service}.core.windows.net"
        uris[service] = uri
    wrong_already = any(problem.name.startswith(_STORAGE) for problem in reader.problems)
    if connection_string is None and not all(uris.values()) and not wrong_already:
        reader.refuse(
            _STORAGE,
            "no storage account is given",
            f"give a connection string, or {_STORAGE}__accountName, or both "
            f"{_STORAGE}__blobServiceUri and {_STORAGE}__queueServiceUri",
        )
    return StorageSettings(
        connection_string=connection_string,
        blob_service_uri=uris["blob"],
        queue_service_uri=uris["queue"],
        credential=reader.get(f"{_STORAGE}__credential"),
        client_id=reader.get(f"{_STORAGE}__clientId"),
        ca_file=reader.get("REQUESTS_CA_BUNDLE"),
    )


def _arm(reader: _Reader) -> ArmSettings:
    endpoint = reader.get("PLUMBLINE_ARM_ENDPOINT")
    return ArmSettings(
        endpoint=endpoint,
        audience=reader.get("PLUMBLINE_ARM_AUDIENCE") or f"{endpoint}/.default",
        ca_file=reader.get("PLUMBLINE_ARM_CA_FILE"),
        client_id=reader.get("PLUMBLINE_IDENTITY_CLIENT_ID"),
    )
