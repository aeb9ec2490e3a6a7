"""Plumbline's settings: the only reader of the environment.

``wiring`` calls ``Settings.from_environment()`` when the first event needs it; tests call ``load`` with a
mapping. ``setting_declarations`` says which settings there are.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from shared import setting_values as values
from shared.core.errors import Stalled
from shared.core.secret import Secret
from shared.setting_declarations import DECLARED, SECRET_PREFIX, STORAGE, settings_table

__all__ = [
    "ArmSettings",
    "LogsSettings",
    "OperatorSettings",
    "SettingProblem",
    "Settings",
    "SettingsError",
    "StorageSettings",
    "load",
    "settings_table",
]

_OURS: Final = "PLUMBLINE_"
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
class LogsSettings:
    """Log Analytics: ``endpoint`` without a slash at the end, ``audience`` a token scope."""

    endpoint: str
    audience: str


@dataclass(frozen=True, kw_only=True)
class OperatorSettings:
    """Who may give orders: tokens of ``tenant_id`` for ``audience``, or the holder of ``key``."""

    tenant_id: str | None
    audience: str | None
    authority: str
    key: Secret | None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the environment says. What each field means is in the table of settings.

    ``configuration`` is the operator's configuration as JSON text, None: it is a blob. ``secrets`` has the
    values of all settings named ``PLUMBLINE_SECRET_…``, by their whole names. ``unknown`` are names that
    begin like ours but mean nothing: misspelt, or of another version.
    """

    storage: StorageSettings
    arm: ArmSettings
    logs: LogsSettings
    operator: OperatorSettings
    digest_key: Secret
    digest_key_id: str
    configuration: str | None = field(repr=False)
    digest_key_previous: Secret | None = None
    digest_key_previous_id: str | None = None
    sweep_schedule: str
    scan_schedule: str
    confirm_s: float
    full_scan_hours: float
    child_scan_hours: float
    poison_schedule: str
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


_BY_NAME: Final = {setting.name: setting for setting in DECLARED}


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raises SettingsError with everything that is wrong. Pure."""
    reader = _Reader(environ)
    settings = Settings(
        storage=_storage(reader),
        arm=_arm(reader),
        logs=_logs(reader),
        operator=_operator(reader),
        digest_key=reader.get("PLUMBLINE_DIGEST_KEY"),
        digest_key_id=reader.get("PLUMBLINE_DIGEST_KEY_ID"),
        configuration=reader.get("PLUMBLINE_CONFIG"),
        digest_key_previous=reader.get("PLUMBLINE_DIGEST_KEY_PREVIOUS"),
        digest_key_previous_id=reader.get("PLUMBLINE_DIGEST_KEY_PREVIOUS_ID"),
        scan_schedule=reader.get("PLUMBLINE_SCAN_SCHEDULE"),
        confirm_s=reader.get("PLUMBLINE_CONFIRM_S"),
        full_scan_hours=reader.get("PLUMBLINE_FULL_SCAN_HOURS"),
        child_scan_hours=reader.get("PLUMBLINE_CHILD_SCAN_HOURS"),
        sweep_schedule=reader.get("PLUMBLINE_SWEEP_SCHEDULE"),
        poison_schedule=reader.get("PLUMBLINE_POISON_SCHEDULE"),
        watch_first_s=reader.get("PLUMBLINE_WATCH_FIRST_S"),
        watch_min_s=reader.get("PLUMBLINE_WATCH_MIN_S"),
        watch_max_s=reader.get("PLUMBLINE_WATCH_MAX_S"),
        sync_poll_s=reader.get("PLUMBLINE_SYNC_POLL_S"),
        release_timeout_s=reader.get("PLUMBLINE_RELEASE_TIMEOUT_S"),
        secrets=reader.secrets(),
        unknown=reader.unknown(),
    )
    if (settings.operator.tenant_id is None) != (settings.operator.audience is None):
        reader.refuse(
            "PLUMBLINE_OPERATOR_AUDIENCE",
            "tenant and audience go together, and one is missing",
            "give both, or neither",
        )
    if (settings.digest_key_previous is None) != (settings.digest_key_previous_id is None):
        reader.refuse(
            "PLUMBLINE_DIGEST_KEY_PREVIOUS_ID",
            "the key before and its name go together, and one is missing",
            "give both, or neither",
        )
    if not reader.problems and settings.watch_min_s > settings.watch_max_s:
        reader.refuse("PLUMBLINE_WATCH_MIN_S", "it is above PLUMBLINE_WATCH_MAX_S", "lower it")
    if reader.problems:
        raise SettingsError(tuple(reader.problems))
    return settings


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
        ours = (name for name in self._environ if name.startswith((_OURS, f"{STORAGE}__")))
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
    connection_string = reader.get(STORAGE)
    account = reader.get(f"{STORAGE}__accountName")
    uris = {}
    for service in ("blob", "queue"):
        uri = reader.get(f"{STORAGE}__{service}ServiceUri")
        if uri is None and account is not None:
            uri = f"https://{account}.{service}.core.windows.net"
        uris[service] = uri
    wrong_already = any(problem.name.startswith(STORAGE) for problem in reader.problems)
    if connection_string is None and not all(uris.values()) and not wrong_already:
        reader.refuse(
            STORAGE,
            "no storage account is given",
            f"give a connection string, or {STORAGE}__accountName, or both "
            f"{STORAGE}__blobServiceUri and {STORAGE}__queueServiceUri",
        )
    return StorageSettings(
        connection_string=connection_string,
        blob_service_uri=uris["blob"],
        queue_service_uri=uris["queue"],
        credential=reader.get(f"{STORAGE}__credential"),
        client_id=reader.get(f"{STORAGE}__clientId"),
        ca_file=reader.get("REQUESTS_CA_BUNDLE"),
    )


def _operator(reader: _Reader) -> OperatorSettings:
    return OperatorSettings(
        tenant_id=reader.get("PLUMBLINE_OPERATOR_TENANT_ID"),
        audience=reader.get("PLUMBLINE_OPERATOR_AUDIENCE"),
        authority=reader.get("PLUMBLINE_OPERATOR_AUTHORITY"),
        key=reader.get("PLUMBLINE_OPERATOR_KEY"),
    )


def _arm(reader: _Reader) -> ArmSettings:
    endpoint = reader.get("PLUMBLINE_ARM_ENDPOINT")
    return ArmSettings(
        endpoint=endpoint,
        audience=reader.get("PLUMBLINE_ARM_AUDIENCE") or f"{endpoint}/.default",
        ca_file=reader.get("PLUMBLINE_ARM_CA_FILE"),
        client_id=reader.get("PLUMBLINE_IDENTITY_CLIENT_ID"),
    )


def _logs(reader: _Reader) -> LogsSettings:
    endpoint = reader.get("PLUMBLINE_LOGS_ENDPOINT")
    return LogsSettings(
        endpoint=endpoint,
        audience=reader.get("PLUMBLINE_LOGS_AUDIENCE") or f"{endpoint}/.default",
    )
