"""What watches and calls."""

from __future__ import annotations

from bench.drift.catalogue.parts import (
    GONE,
    NEW_TAG,
    OTHER_TAG,
    TAGS,
    Group,
    Move,
    Piece,
    elements,
    single,
)


def monitoring(key: str) -> Group:
    """Return a component of Application Insights, which brings what nobody declared (N12, N21)."""
    component = Piece(
        "Microsoft.Insights/components",
        f"ai-{key}",
        "2020-02-02",
        {
            "location": "West Europe",
            "kind": "web",
            "properties": {"Application_Type": "web", "DisableLocalAuth": True},
        },
        (
            Move(
                "property",
                "properties.DisableLocalAuth",
                set={"properties": {"DisableLocalAuth": False}},
            ),
            NEW_TAG,
        ),
    )
    workspace = Piece(
        "Microsoft.OperationalInsights/workspaces",
        f"log-{key}",
        "2023-09-01",
        {
            "location": "West Europe",
            "tags": TAGS,
            "properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 60},
        },
        (
            Move(
                "property",
                "properties.retentionInDays",
                set={"properties": {"retentionInDays": 30}},
            ),
            OTHER_TAG,
            GONE,
        ),
    )
    return Group((component, workspace))


def alerts(key: str) -> Group:
    """Return an action group with a callback that is a secret."""
    mails = [
        {"name": "a", "emailAddress": "a@example.com"},
        {"name": "b", "emailAddress": "b@example.com"},
    ]
    callback = {
        "name": "hook",
        "resourceId": f"{{scope}}/providers/Microsoft.Logic/workflows/w-{key}",
    }
    first = {**callback, "callbackUrl": "https://logic.example.com/x?sig=one"}
    second = {**callback, "callbackUrl": "https://logic.example.com/x?sig=two"}
    receivers = "properties.logicAppReceivers"
    group = Piece(
        "Microsoft.Insights/actionGroups",
        f"ag-{key}",
        "2023-01-01",
        {
            "location": "Global",
            "properties": {
                "groupShortName": "ops",
                "enabled": True,
                "emailReceivers": mails,
                "logicAppReceivers": [first],
                "webhookReceivers": [
                    {"name": "chat", "serviceUri": "https://chat.example.com/in?token=one"}
                ],
            },
        },
        (
            *elements(
                "emailReceivers",
                "c",
                keep=mails,
                more={"name": "c", "emailAddress": "eve@contoso.example"},
                other=[mails[0], {"name": "b", "emailAddress": "eve@contoso.example"}],
            ),
            Move("property", "properties.enabled", set={"properties": {"enabled": False}}),
            Move(
                "secret rotated",
                "properties.webhookReceivers[chat].serviceUri",
                set={
                    "properties": {
                        "webhookReceivers": [
                            {"name": "chat", "serviceUri": "https://chat.example.com/in?token=two"}
                        ]
                    }
                },
            ),
            Move(
                "secret rotated",
                f"{receivers}[hook].callbackUrl",
                set={"properties": {"logicAppReceivers": [second]}},
            ),
            GONE,
        ),
    )
    return Group((group,))


shelf = single(
    "Contoso.Shop/shelves",
    "shelf-{key}",
    "2024-01-01",
    {"location": "westeurope", "properties": {"depth": 3, "boards": ["oak", "pine"]}},
    Move("property", "properties.depth", set={"properties": {"depth": 4}}),
    *elements("boards", "ash", keep=["oak", "pine"], more="ash", other=["oak", "birch"]),
)
