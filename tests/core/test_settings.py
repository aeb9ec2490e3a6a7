"""Settings: what is read, what is refused and how that is said, and the table for the documentation."""

import re

import pytest

from shared.core.secret import Secret
from shared.settings import Settings, SettingsError, load, settings_table

CANARY = "c4n4ry-value-that-must-not-be-seen-0123456789"
KEY = "0123456789abcdef0123456789abcdef"
STORAGE = (
    "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=a2V5;EndpointSuffix=core.windows.net"
)
ENOUGH = {
    "PlumblineStorage": STORAGE,
    "PLUMBLINE_DIGEST_KEY": KEY,
    "PLUMBLINE_DIGEST_KEY_ID": "k1",
}
GUID = "11111111-2222-3333-4444-555555555555"


def problems(environ: dict[str, str]) -> dict[str, str]:
    """Return what is wrong by name, having checked that the text says all of it."""
    with pytest.raises(SettingsError) as raised:
        load(environ)
    found = raised.value.problems
    assert all(p.name in str(raised.value) and p.mend in str(raised.value) for p in found)
    return {problem.name: problem.what for problem in found}


def test_defaults_are_the_products() -> None:
    """With only what is required, everything else has its documented default."""
    settings = load(ENOUGH)

    assert settings.storage.connection_string == Secret(STORAGE)
    assert settings.arm.endpoint == "https://management.azure.com"
    assert settings.arm.audience == "https://management.azure.com/.default"
    assert (settings.arm.ca_file, settings.arm.client_id, settings.configuration) == (None,) * 3
    assert (settings.digest_key, settings.digest_key_id) == (Secret(KEY), "k1")
    assert settings.sweep_schedule == "*/30 * * * * *"
    assert (settings.watch_first_s, settings.watch_min_s, settings.watch_max_s) == (2, 5, 30)
    assert (settings.sync_poll_s, settings.release_timeout_s) == (60, 7200)
    assert dict(settings.secrets) == {}
    assert settings.unknown == ()


def test_everything_can_be_set() -> None:
    """Every setting reaches its field, in its unit."""
    settings = load(
        {
            "PlumblineStorage__accountName": "acc",
            "PlumblineStorage__queueServiceUri": "https://q.example.test/",
            "PlumblineStorage__credential": "managedidentity",
            "PlumblineStorage__clientId": GUID,
            "REQUESTS_CA_BUNDLE": "/etc/ca.pem",
            "PLUMBLINE_CONFIG": '{"installation": "i"}',
            "PLUMBLINE_ARM_ENDPOINT": "https://127.0.0.1:8443/",
            "PLUMBLINE_ARM_AUDIENCE": "https://management.core.windows.net//.default",
            "PLUMBLINE_ARM_CA_FILE": "ca.pem",
            "PLUMBLINE_LOGS_ENDPOINT": "https://127.0.0.1:8444/",
            "PLUMBLINE_LOGS_AUDIENCE": "https://api.loganalytics.io/.default",
            "PLUMBLINE_IDENTITY_CLIENT_ID": GUID,
            "PLUMBLINE_DIGEST_KEY": KEY,
            "PLUMBLINE_DIGEST_KEY_ID": "2026-05",
            "PLUMBLINE_SWEEP_SCHEDULE": "0 */5 0-6,22 * jan-mar MON-FRI",
            "PLUMBLINE_WATCH_FIRST_S": "0",
            "PLUMBLINE_WATCH_MIN_S": "0.2",
            "PLUMBLINE_WATCH_MAX_S": "0.2",
            "PLUMBLINE_SYNC_POLL_S": "3600",
            "PLUMBLINE_RELEASE_TIMEOUT_S": "60",
            "PLUMBLINE_SECRET_HOOK": "s3cret",
            "PATH": "/bin",
        }
    )

    assert settings.storage.blob_service_uri == "https://acc.blob.core.windows.net"
    assert settings.storage.queue_service_uri == "https://q.example.test"
    assert (settings.storage.credential, settings.storage.client_id) == ("managedidentity", GUID)
    assert settings.storage.ca_file == "/etc/ca.pem"
    assert settings.configuration == '{"installation": "i"}'
    assert settings.arm.endpoint == "https://127.0.0.1:8443"
    assert settings.arm.audience == "https://management.core.windows.net//.default"
    assert (settings.arm.ca_file, settings.arm.client_id) == ("ca.pem", GUID)
    assert settings.logs.endpoint == "https://127.0.0.1:8444"
    assert settings.logs.audience == "https://api.loganalytics.io/.default"
    assert settings.sweep_schedule == "0 */5 0-6,22 * jan-mar MON-FRI"
    assert (settings.watch_first_s, settings.watch_min_s, settings.watch_max_s) == (0, 0.2, 0.2)
    assert (settings.sync_poll_s, settings.release_timeout_s) == (3600, 60)
    assert settings.secrets["PLUMBLINE_SECRET_HOOK"].reveal() == "s3cret"


def test_audience_follows_the_endpoint() -> None:
    """Another cloud needs one setting, not two."""
    clouds = {
        "PLUMBLINE_ARM_ENDPOINT": "https://management.chinacloudapi.cn",
        "PLUMBLINE_LOGS_ENDPOINT": "https://api.loganalytics.azure.cn",
    }
    settings = load({**ENOUGH, **clouds})

    assert settings.arm.audience == "https://management.chinacloudapi.cn/.default"
    assert settings.logs.audience == "https://api.loganalytics.azure.cn/.default"


def test_empty_value_is_an_absent_one() -> None:
    """A portal leaves empty settings behind; they mean the default."""
    settings = load({**ENOUGH, "PLUMBLINE_WATCH_MIN_S": " ", "PLUMBLINE_ARM_CA_FILE": ""})

    assert (settings.watch_min_s, settings.arm.ca_file) == (5, None)


def test_nothing_set_names_all_that_is_required() -> None:
    """One start tells everything that is missing."""
    assert set(problems({})) == {
        "PlumblineStorage",
        "PLUMBLINE_DIGEST_KEY",
        "PLUMBLINE_DIGEST_KEY_ID",
    }


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("PlumblineStorage", "hello", "no connection string"),
        ("PlumblineStorage", "AccountName=a;EndpointSuffix=x", "lacks"),
        ("PlumblineStorage", "AccountKey=a;EndpointSuffix=x", "lacks"),
        ("PlumblineStorage__accountName", "Upper", "form"),
        ("PlumblineStorage__blobServiceUri", "http://a", "https"),
        ("PlumblineStorage__blobServiceUri", "https://a?sv=1&sig=x", "query"),
        ("PlumblineStorage__queueServiceUri", "https://u:p@a", "user"),
        ("PlumblineStorage__credential", "ManagedIdentity ", "'ManagedIdentity'"),
        ("PlumblineStorage__clientId", "me", "form"),
        ("PLUMBLINE_CONFIG", "{'a': 1}", "line 1, column 2"),
        ("PLUMBLINE_CONFIG", "[]", "no JSON object"),
        ("PLUMBLINE_ARM_ENDPOINT", "management.azure.com", "https"),
        ("PLUMBLINE_ARM_AUDIENCE", "https://management.azure.com", "form"),
        ("PLUMBLINE_IDENTITY_CLIENT_ID", "x", "form"),
        ("PLUMBLINE_DIGEST_KEY", "short", "5 characters"),
        ("PLUMBLINE_DIGEST_KEY_ID", "a b", "form"),
        ("PLUMBLINE_WATCH_FIRST_S", "-1", "too short"),
        ("PLUMBLINE_WATCH_MIN_S", "5s", "no number"),
        ("PLUMBLINE_WATCH_MIN_S", "31", "above PLUMBLINE_WATCH_MAX_S"),
        ("PLUMBLINE_WATCH_MAX_S", "0", "too short"),
        ("PLUMBLINE_WATCH_MAX_S", "inf", "not finite"),
        ("PLUMBLINE_SYNC_POLL_S", "nan", "not finite"),
        ("PLUMBLINE_RELEASE_TIMEOUT_S", "0.5", "too short"),
        ("PLUMBLINE_SECRET_HOOK", "", "empty"),
    ],
)
def test_wrong_value_is_refused_by_name(name: str, value: str, what: str) -> None:
    """Each wrong setting is the only one that is blamed, and says what is wrong with it."""
    found = problems({**ENOUGH, name: value})

    assert list(found) == [name]
    assert what in found[name]


@pytest.mark.parametrize(
    ("schedule", "what"),
    [
        ("*/5 * * * *", "5 fields"),
        ("00:00:30", "1 fields"),
        ("60 * * * * *", "'60' is no second"),
        ("0 60 * * * *", "no minute"),
        ("0 0 24 * * *", "no hour"),
        ("0 0 0 0 * *", "no day"),
        ("0 0 0 * 13 *", "no month"),
        ("0 0 0 * * 7", "no day of the week"),
        ("*/0 * * * * *", "no second"),
        ("5-1 * * * * *", "no second"),
        ("1,,2 * * * * *", "no second"),
        ("²  * * * * *", "no second"),
        ("0 0 0 * monday *", "no month"),
    ],
)
def test_wrong_schedule_is_refused(schedule: str, what: str) -> None:
    """The host would only find out when it starts, in a log that nobody reads."""
    assert (
        what
        in problems({**ENOUGH, "PLUMBLINE_SWEEP_SCHEDULE": schedule})["PLUMBLINE_SWEEP_SCHEDULE"]
    )


def test_all_wrong_settings_are_told_at_once() -> None:
    """Nobody mends one setting, restarts, and meets the next."""
    found = problems(
        {"PLUMBLINE_WATCH_MIN_S": "x", "PLUMBLINE_CONFIG": "x", "PLUMBLINE_SECRET_A": ""}
    )

    assert set(found) == {
        "PlumblineStorage",
        "PLUMBLINE_CONFIG",
        "PLUMBLINE_DIGEST_KEY",
        "PLUMBLINE_DIGEST_KEY_ID",
        "PLUMBLINE_SECRET_A",
        "PLUMBLINE_WATCH_MIN_S",
    }


def test_half_an_identity_connection_is_refused() -> None:
    """Blobs without queues are no storage account."""
    found = problems(
        {
            "PlumblineStorage__blobServiceUri": "https://a.blob.core.windows.net",
            "PLUMBLINE_DIGEST_KEY": KEY,
            "PLUMBLINE_DIGEST_KEY_ID": "k1",
        }
    )

    assert found == {"PlumblineStorage": "no storage account is given"}


@pytest.mark.parametrize(
    "name",
    ["PlumblineStorage", "PLUMBLINE_DIGEST_KEY", "PLUMBLINE_SECRET_HOOK", "PLUMBLINE_CONFIG"],
)
def test_key_vault_reference_that_was_not_resolved_is_said(name: str) -> None:
    """The platform leaves the reference itself behind when it may not read the vault."""
    reference = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s/)"

    assert "Key Vault reference" in problems({**ENOUGH, name: reference})[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PlumblineStorage", CANARY),
        ("PlumblineStorage", f"AccountName=a;SharedAccessSignature={CANARY};x"),
        ("PlumblineStorage__blobServiceUri", f"https://a/?sig={CANARY}"),
        ("PlumblineStorage__queueServiceUri", f"https://u:{CANARY}@a"),
        ("PLUMBLINE_CONFIG", f'{{"token": "{CANARY}"'),
        ("PLUMBLINE_DIGEST_KEY", CANARY[:20]),
        ("PLUMBLINE_SECRET_HOOK", f"@Microsoft.KeyVault({CANARY}"),
    ],
)
def test_error_never_repeats_what_may_be_secret(name: str, value: str) -> None:
    """The error goes to logs; the value does not."""
    with pytest.raises(SettingsError) as raised:
        load({**ENOUGH, name: value})

    shown = f"{raised.value!s} {raised.value!r} {raised.value.problems} {raised.value.detail}"
    assert CANARY[:20] not in shown


def test_settings_do_not_show_secrets() -> None:
    """Who logs the settings by mistake logs stars."""
    settings = load(
        {
            "PlumblineStorage": f"AccountName=a;AccountKey={CANARY}",
            "PLUMBLINE_DIGEST_KEY": CANARY,
            "PLUMBLINE_DIGEST_KEY_ID": "k1",
            "PLUMBLINE_SECRET_HOOK": CANARY,
            "PLUMBLINE_CONFIG": f'{{"a": "{CANARY}"}}',
        }
    )

    assert CANARY not in repr(settings)


def test_misspelt_names_are_kept_for_a_warning() -> None:
    """A setting that nothing reads is shown, whichever version wrote it."""
    settings = load(
        {
            **ENOUGH,
            "PLUMBLINE_WATCH_MINS": "1",
            "PlumblineStorage__tableServiceUri": "x",
            "HOME": "/",
        }
    )

    assert settings.unknown == ("PLUMBLINE_WATCH_MINS", "PlumblineStorage__tableServiceUri")


def test_environment_is_read_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's environment is just another mapping."""
    for name, value in ENOUGH.items():
        monkeypatch.setenv(name, value)

    assert Settings.from_environment().digest_key_id == "k1"


def test_table_has_a_row_for_each_setting() -> None:
    """The documentation is written by the declarations: name, meaning, unit, default, why."""
    rows = settings_table().strip().splitlines()

    assert rows[0] == "| setting | meaning | unit | default | why |"
    assert all(row.count(" | ") == 4 for row in rows[2:])
    names = {re.match(r"\| `([^`]+)`", row).group(1) for row in rows[2:]}  # type: ignore[union-attr]
    assert {*ENOUGH, "PLUMBLINE_RELEASE_TIMEOUT_S", "PLUMBLINE_SECRET_…"} <= names
    assert "| `7200` |" in settings_table()
