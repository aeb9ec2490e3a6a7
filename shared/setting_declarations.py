"""Which settings there are: one declaration each serves the reader, its errors, and the documentation."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from shared import setting_values as values

SECRET_PREFIX: Final = "PLUMBLINE_SECRET_"  # noqa: S105 — the name's beginning, not a secret
STORAGE: Final = "PlumblineStorage"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The declaration of one setting; without a ``default`` it is required, or ``absent`` says else."""

    name: str
    meaning: str
    why: str
    parse: Callable[[str], Any] = values.text
    unit: str = "text"
    default: str | None = None
    absent: str | None = None


def _guid(what: str) -> Callable[[str], str]:
    return values.matching(re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"), what)


_GUID = _guid("the identity's client id (a GUID)")
DECLARED: Final = (
    Setting(
        name=STORAGE,
        meaning="Connection string of the storage account that holds state, history and queues.",
        why="for a laptop; in Azure use an identity and the settings below, there is no key to leak then",
        parse=values.connection_string,
        unit="connection string",
        absent="an identity is used",
    ),
    Setting(
        name=f"{STORAGE}__accountName",
        meaning="Name of the storage account, instead of the two addresses.",
        why="the addresses follow from it in the public cloud",
        parse=values.matching(
            re.compile(r"[a-z0-9]{3,24}"), "3 to 24 lower-case letters and digits"
        ),
        absent="the addresses are needed",
    ),
    Setting(
        name=f"{STORAGE}__blobServiceUri",
        meaning="Address of the blob service.",
        why="other clouds and private endpoints have their own",
        parse=values.https_url,
        unit="https address",
        absent="from the account name",
    ),
    Setting(
        name=f"{STORAGE}__queueServiceUri",
        meaning="Address of the queue service.",
        why="as above",
        parse=values.https_url,
        unit="https address",
        absent="from the account name",
    ),
    Setting(
        name=f"{STORAGE}__credential",
        meaning="`managedidentity`: only the app's managed identity is tried.",
        why="without it, a developer's own sign-in (`az login`) works too",
        parse=values.choice("managedidentity"),
        absent="whatever the machine offers",
    ),
    Setting(
        name=f"{STORAGE}__clientId",
        meaning="Client id of the user-assigned identity for storage.",
        why="an app may have several identities",
        parse=_GUID,
        unit="GUID",
        absent="the system-assigned one",
    ),
    Setting(
        name="REQUESTS_CA_BUNDLE",
        meaning="PEM file with the authorities to trust for storage.",
        why="behind a proxy that opens TLS; other Python programs read the same name",
        unit="path",
        absent="the public authorities",
    ),
    Setting(
        name="PLUMBLINE_CONFIG",
        meaning="The operator's configuration.",
        why="a setting is easier to roll out with the app, a blob is easier to change",
        parse=values.json_object,
        unit="JSON",
        absent="the blob `plumbline.config.json` in `state`",
    ),
    Setting(
        name="PLUMBLINE_ARM_ENDPOINT",
        meaning="Address of Azure Resource Manager.",
        why="other clouds and the simulator have their own",
        parse=values.https_url,
        unit="https address",
        default="https://management.azure.com",
    ),
    Setting(
        name="PLUMBLINE_ARM_AUDIENCE",
        meaning="Scope of the tokens for Azure Resource Manager.",
        why="in most clouds it follows from the address",
        parse=values.matching(re.compile(r"\S+/\.default"), "a scope that ends in /.default"),
        unit="token scope",
        absent="the address and `/.default`",
    ),
    Setting(
        name="PLUMBLINE_ARM_CA_FILE",
        meaning="PEM file with the authority to trust for Azure Resource Manager and Log Analytics.",
        why="the simulator signs its own certificate",
        unit="path",
        absent="the public authorities",
    ),
    Setting(
        name="PLUMBLINE_LOGS_ENDPOINT",
        meaning="Address of Log Analytics, for subscriptions with a workspace in the configuration.",
        why="other clouds and the simulator have their own",
        parse=values.https_url,
        unit="https address",
        default="https://api.loganalytics.io",
    ),
    Setting(
        name="PLUMBLINE_LOGS_AUDIENCE",
        meaning="Scope of the tokens for Log Analytics.",
        why="in most clouds it follows from the address",
        parse=values.matching(re.compile(r"\S+/\.default"), "a scope that ends in /.default"),
        unit="token scope",
        absent="the address and `/.default`",
    ),
    Setting(
        name="PLUMBLINE_IDENTITY_CLIENT_ID",
        meaning="Client id of the user-assigned identity that deploys.",
        why="an app may have several identities",
        parse=_GUID,
        unit="GUID",
        absent="the system-assigned one",
    ),
    Setting(
        name="PLUMBLINE_OPERATOR_TENANT_ID",
        meaning="Tenant whose tokens may give orders (release, freeze, ...).",
        why="with the audience it opens the operations API to holders of the app role Plumbline.Operator",
        parse=_guid("the tenant's id (a GUID)"),
        unit="GUID",
        absent="no token gives orders",
    ),
    Setting(
        name="PLUMBLINE_OPERATOR_AUDIENCE",
        meaning="Application (client) id that those tokens must be for.",
        why="a token for another application must not open this one",
        parse=_guid("the application's id (a GUID)"),
        unit="GUID",
        absent="no token gives orders",
    ),
    Setting(
        name="PLUMBLINE_OPERATOR_AUTHORITY",
        meaning="Address where those tokens come from.",
        why="other clouds have their own",
        parse=values.https_url,
        unit="https address",
        default="https://login.microsoftonline.com",
    ),
    Setting(
        name="PLUMBLINE_OPERATOR_KEY",
        meaning="Key that gives orders. Secret.",
        why="for a laptop; in Azure leave it out, it does not say who ordered what",
        parse=values.secret,
        unit="text",
        absent="no key gives orders",
    ),
    Setting(
        name="PLUMBLINE_DIGEST_KEY",
        meaning="Key of the digests that stand for captured secrets in snapshots. Secret.",
        why="required: without a key, a digest of a short secret can be guessed",
        parse=values.digest_key,
        unit="32 characters or more",
    ),
    Setting(
        name="PLUMBLINE_DIGEST_KEY_ID",
        meaning="Name of that key, stored beside each digest.",
        why="required: after a rotation it tells which digests can be compared",
        parse=values.matching(
            re.compile(r"[A-Za-z0-9._-]{1,64}"),
            "1 to 64 letters, digits, dots, dashes, underscores",
        ),
    ),
    Setting(
        name="PLUMBLINE_DIGEST_KEY_PREVIOUS",
        meaning="The key before that one, kept after a rotation. Secret.",
        why="snapshots of before are compared with it; without it changed secrets there are not told",
        parse=values.digest_key,
        unit="32 characters or more",
        absent="older digests cannot be compared",
    ),
    Setting(
        name="PLUMBLINE_DIGEST_KEY_PREVIOUS_ID",
        meaning="Name of the key before.",
        why="goes with the key",
        parse=values.matching(
            re.compile(r"[A-Za-z0-9._-]{1,64}"),
            "1 to 64 letters, digits, dots, dashes, underscores",
        ),
        absent="there is no key before",
    ),
    Setting(
        name="PLUMBLINE_SWEEP_SCHEDULE",
        meaning="When the sweep starts what a lost message would have started. The host reads it too.",
        why="a lost message costs no more than this; one sweep is a few storage calls",
        parse=values.ncrontab,
        unit="NCRONTAB, UTC",
        default="*/30 * * * * *",
    ),
    Setting(
        name="PLUMBLINE_POISON_SCHEDULE",
        meaning="When the poison queues are emptied and shown. The host reads it too.",
        why="a message gets there after ten tries, so a minute more or less does not matter",
        parse=values.ncrontab,
        unit="NCRONTAB, UTC",
        default="0 * * * * *",
    ),
    Setting(
        name="PLUMBLINE_SCAN_SCHEDULE",
        meaning="When scans look for drift. The host reads it too.",
        why="a scan of a quiet estate is one call for a thousand resources, and one for the Activity Log",
        parse=values.ncrontab,
        unit="NCRONTAB, UTC",
        default="0 */5 * * * *",
    ),
    Setting(
        name="PLUMBLINE_CONFIRM_S",
        meaning="How long after a release everything is looked at, and its noise is told from drift.",
        why="providers go on filling in values for a while; what was changed by hand is found before",
        parse=values.seconds(0),
        unit="seconds",
        default="600",
    ),
    Setting(
        name="PLUMBLINE_FULL_SCAN_HOURS",
        meaning="How often everything of a stack is looked at, what-if included, touched or not.",
        why="finds what neither a listing nor the Activity Log tells of",
        parse=values.hours(0.001),
        unit="hours",
        default="24",
    ),
    Setting(
        name="PLUMBLINE_CHILD_SCAN_HOURS",
        meaning="The same where the Activity Log cannot be asked.",
        why="listings do not show children; without the log only a look tells that one changed",
        parse=values.hours(0.001),
        unit="hours",
        default="6",
    ),
    Setting(
        name="PLUMBLINE_WATCH_FIRST_S",
        meaning="Time from a deployment's start to the first look at it.",
        why="small deployments are done by then",
        parse=values.seconds(0),
        unit="seconds",
        default="2",
    ),
    Setting(
        name="PLUMBLINE_WATCH_MIN_S",
        meaning="Shortest time between two later looks.",
        why="reads of Azure Resource Manager are throttled per subscription",
        parse=values.seconds(0),
        unit="seconds",
        default="5",
    ),
    Setting(
        name="PLUMBLINE_WATCH_MAX_S",
        meaning="Longest time between two looks; not below the shortest.",
        why="an hour's deployment need not be known to end within seconds",
        parse=values.seconds(0.1),
        unit="seconds",
        default="30",
    ),
    Setting(
        name="PLUMBLINE_SYNC_POLL_S",
        meaning="How often a repository that sent no push is asked for its tip.",
        why="finds pushes whose delivery was lost; one request of a few hundred bytes each",
        parse=values.seconds(1),
        unit="seconds",
        default="60",
    ),
    Setting(
        name="PLUMBLINE_RELEASE_TIMEOUT_S",
        meaning="How long a deployment may run before it is shown as stalled.",
        why="gateways and managed instances take more than an hour",
        parse=values.seconds(1),
        unit="seconds",
        default="7200",
    ),
)


def settings_table() -> str:
    """Return the table of settings in Markdown, for the documentation. Pure."""
    rows = [
        f"| `{setting.name}` | {setting.meaning} | {setting.unit} | {_default(setting)} | {setting.why} |"
        for setting in DECLARED
    ]
    secrets = (
        f"| `{SECRET_PREFIX}…` | Secrets that the operator's configuration refers to by these names: "
        "tokens, hook secrets. | text | none | the configuration can then be read by anyone; "
        "use Key Vault references |"
    )
    head = ["| setting | meaning | unit | default | why |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, secrets, ""])


def _default(setting: Setting) -> str:
    if setting.default is not None:
        return f"`{setting.default}`"
    return setting.absent or "required"
