"""What the user does to the shop's repository, step by step."""

import re
import shutil

from local import example
from local.demo.azure import Fact
from local.demo.clone import Clone
from local.demo.drift_story import ByHand, Quiet
from local.demo.story import STACKS, Overtaken, Step

MANIFEST = "plumbline.yaml"
FIRST_LOGS, OWN_LOGS = "log-shop", "log-shop-prod"
LOGS_VALUES = "stacks/logs/prod.parameters.json"
NETWORK = "stacks/network/main.json"
STORAGE_VALUES = "stacks/storage/prod.parameters.json"
WEB = "stacks/web/main.json"
WEB_VALUES = "stacks/web/prod.parameters.json"

VAULT_VALUES = "stacks/vault/prod.parameters.json"
WORKER_VALUES = "stacks/worker/prod.parameters.json"


Part = Step | Quiet | ByHand


def story() -> list[Part]:
    """Return the steps in the order in which they are played."""
    return [*_pushes(), *_mistakes(), *_chains(), *_accidents(), *_drift()]


def _pushes() -> list[Step]:
    """Show what is deployed when, and what is not."""
    return [
        Step(
            title="The first push deploys six stacks in three waves, each after those it takes from",
            edit=_put_example,
            message="A shop in six stacks",
            status="deployed",
            deployed=STACKS,
        ),
        Step(
            title="A push that touches one stack deploys that one",
            edit=_add_container,
            message="Keep invoices in a container of their own",
            status="deployed",
            deployed=frozenset({"storage"}),
        ),
        Step(
            title="A push that changes only a README deploys nothing",
            edit=_write_readme,
            message="Say whom to ask",
            status="nothing",
        ),
        Step(
            title="A push that changes only formatting and comments deploys nothing",
            edit=_reformat,
            message="Indent the network's template by four",
            status="nothing",
        ),
    ]


def _mistakes() -> list[Step]:
    """Make a mistake, and mend it."""
    return [
        Step(
            title="A template error stops its own stack; the others go on",
            edit=_mistype,
            message="Python 3.13 for the web app; more copies of the storage",
            status="failed",
            deployed=frozenset({"storage"}),
            failed=frozenset({"web"}),
            words="The template parameter 'runtimeVersion' is not found",
        ),
        Step(
            title="The mending push recovers it",
            edit=_mend,
            message="Name the parameter as it is declared",
            status="deployed",
            deployed=frozenset({"web"}),
        ),
    ]


def _chains() -> list[Step]:
    """Hand values on, and let stacks wait for others."""
    return [
        Step(
            title="A value is handed on: who takes it from logs follows, and nobody else",
            edit=_move_logs,
            message="A workspace of our own",
            status="deployed",
            deployed=frozenset({"logs", "web", "vault"}),
        ),
        Step(
            title="A failing stack holds back those that wait for it, over two waves",
            edit=_overlap,
            message="A larger network, a banner for it, and small pictures",
            status="failed",
            failed=frozenset({"network"}),
            waiting={"web": ["network"], "worker": ["web", "network"]},
            words="cidrSubnet",
        ),
        Step(
            title="The mending push releases what waited",
            edit=_fit,
            message="A range that the subnets fit into",
            status="deployed",
            deployed=frozenset({"network", "web", "worker"}),
        ),
    ]


def _accidents() -> list[Step]:
    """Let happen what should not happen."""
    return [
        Step(
            title="A force-push takes out what is half deployed; Azure follows the new history",
            overtaken=Overtaken(
                _keep_logs_long, "Keep logs for two years; the vault is the auditors'", "logs"
            ),
            edit=_add_returns,
            message="Keep what customers send back",
            status="deployed",
            deployed=frozenset({"logs", "storage"}),
            facts=(_retention(90), _owner("team-platform")),
        ),
        Step(
            title="The branch returns to what was taken out, which is deployed this time",
            returns=True,
            edit=lambda _clone: None,
            message="Keep logs for two years; the vault is the auditors'",
            status="deployed",
            deployed=frozenset({"logs", "storage", "vault"}),
            facts=(_retention(730), _owner("team-audit")),
        ),
        Step(
            title="A worker is killed in mid-deployment; nobody notices but the log",
            edit=_add_receipts,
            message="Keep receipts, too",
            status="deployed",
            deployed=frozenset({"storage"}),
            killed="storage",
        ),
    ]


def _drift() -> list[Part]:
    """Let somebody change things in Azure that Git knows nothing of."""
    return [
        Quiet(
            title="A timer looks at every stack: it finds what left the templates, and nothing else",
            left=frozenset({FIRST_LOGS, "returns"}),
        ),
        ByHand(
            title="Logs are cut short in the portal; it is shown who did it, and left alone",
            stack="logs",
            fact=_retention(730),
            value=30,
            severity="medium",
        ),
        ByHand(
            title="The vault is opened to the internet; it is shown who did it, and closed again",
            stack="vault",
            fact=_access("Disabled"),
            value="Enabled",
            severity="high",
            heals=True,
        ),
    ]


def _retention(days: int) -> Fact:
    kind = "Microsoft.OperationalInsights/workspaces"
    return Fact("rg-logs", kind, OWN_LOGS, "2025-02-01", "properties.retentionInDays", days)


def _access(how: str) -> Fact:
    kind = "Microsoft.KeyVault/vaults"
    return Fact("rg-vault", kind, "kv-shop", "2024-11-01", "properties.publicNetworkAccess", how)


def _owner(team: str) -> Fact:
    return Fact(
        "rg-vault", "Microsoft.KeyVault/vaults", "kv-shop", "2024-11-01", "tags.owner", team
    )


def _put_example(clone: Clone) -> None:
    shutil.copytree(example.FOLDER, clone.folder, dirs_exist_ok=True)


def _add_container(clone: Clone) -> None:
    clone.replace(STORAGE_VALUES, '["pictures", "exports"]', '["pictures", "exports", "invoices"]')


def _write_readme(clone: Clone) -> None:
    clone.write("README.md", clone.read("README.md") + "\nQuestions: ask team-shop.\n")


def _reformat(clone: Clone) -> None:
    wider = re.sub(r"(?m)^ +", lambda spaces: spaces[0] * 2, clone.read(NETWORK))
    clone.write(NETWORK, "// Reviewed by the network team.\n" + wider)


def _mistype(clone: Clone) -> None:
    clone.replace(WEB_VALUES, "PYTHON|3.12", "PYTHON|3.13")
    clone.replace(WEB, "[parameters('runtime')]", "[parameters('runtimeVersion')]")
    clone.replace(STORAGE_VALUES, "Standard_ZRS", "Standard_GZRS")


def _move_logs(clone: Clone) -> None:
    name = f'"workspaceName": {{ "value": "{OWN_LOGS}" }}'
    clone.replace(LOGS_VALUES, '    "tags"', f'    {name},\n    "tags"')


def _overlap(clone: Clone) -> None:
    clone.replace(MANIFEST, "addressSpace: 10.0.0.0/16", "addressSpace: 10.0.0.0/25")
    clone.replace(WEB_VALUES, "Free delivery in December", "Now with more room")
    clone.replace(WORKER_VALUES, "[320, 640, 1280]", "[160, 320, 640, 1280]")


def _fit(clone: Clone) -> None:
    clone.replace(MANIFEST, "addressSpace: 10.0.0.0/25", "addressSpace: 10.0.0.0/15")


def _keep_logs_long(clone: Clone) -> None:
    clone.replace(LOGS_VALUES, '"value": 90 }', '"value": 730 }')
    clone.replace(VAULT_VALUES, "team-platform", "team-audit")  # waits for logs: never begun


def _add_returns(clone: Clone) -> None:
    clone.replace(STORAGE_VALUES, '"exports", "invoices"', '"exports", "invoices", "returns"')


def _add_receipts(clone: Clone) -> None:
    clone.replace(STORAGE_VALUES, '"exports", "invoices"', '"exports", "invoices", "receipts"')


def _mend(clone: Clone) -> None:
    clone.replace(WEB, "[parameters('runtimeVersion')]", "[parameters('runtime')]")
