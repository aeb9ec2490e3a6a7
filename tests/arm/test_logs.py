"""The logs query API: what azure-monitor-query asks, and a small Kusto that refuses what it lacks."""

from __future__ import annotations

import gzip
import http.client
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import HttpResponseError
from azure.monitor.query import (
    LogsBatchQuery,
    LogsQueryClient,
    LogsQueryError,
    LogsQueryPartialResult,
    LogsQueryResult,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from local.arm.logs.bounds import Budget
from local.arm.logs.faults import QueryError, TooMuchError, TooSlowError
from local.arm.logs.functions import FUNCTIONS
from local.arm.logs.running import Result, run
from local.arm.logs.service import read_timespan
from tests.arm.azure import Azure, StaticCredential, network, storage

NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)
DAY = timedelta(days=1)
LOG = """let T = datatable(at:datetime, who:string, n:long, d:dynamic)[
    datetime(2026-05-04 08:10), "ann", 1, dynamic({"a": {"b": "x"}, "l": [1, 2]}),
    datetime(2026-05-04 08:50), "Bob", 2, dynamic({"a": {"b": "y"}}),
    datetime(2026-05-04 09:05), "ann", 3, dynamic(null),
    datetime(null), "", long(null), dynamic(null)]; """


def ask(query: str, budget: Budget | None = None) -> Result:
    """Run a query over no tables but its own."""
    (result,) = run(query, {}, NOW, budget or Budget(20), 500_000)
    return result


def rows(query: str) -> list[list[Any]]:
    """Return the rows of a query over the small log."""
    return ask(LOG.replace("long(null)", "toint('')") + query).rows


def value(expression: str) -> Any:
    """Return the value of a scalar expression."""
    return ask(f"print {expression}").rows[0][0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2", 5),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7.0 / 2", 3.5),
        ("7 % 3", 1),
        ("1 / 0", None),
        ("9223372036854775807 + 1", -9223372036854775808),
        ("(1 + 2) * 3", 9),
        ("'a' == 'A'", False),
        ("'a' =~ 'A'", True),
        ("'a' !~ 'A'", False),
        ("'abc' contains 'B'", True),
        ("'abc' contains_cs 'B'", False),
        ("'abc' !contains 'x'", True),
        ("'a/storageAccounts/b' has 'STORAGEACCOUNTS'", True),
        ("'storageAccounts' has 'storage'", False),
        ("'abc' startswith 'AB' and 'abc' endswith 'C'", True),
        ("'abc' !startswith 'ab' or 'abc' !endswith 'c'", False),
        ("1 in (1, 2)", True),
        ("'A' in ('a')", False),
        ("'A' in~ ('a')", True),
        ("'A' !in~ ('a', 'b')", False),
        ("3 !in (1, 2)", True),
        ("'b' in (dynamic(['a', 'b']))".replace("'a', 'b'", '"a", "b"'), True),
        ("5 between (1 .. 5)", True),
        ("5 !between (1 .. 5)", False),
        ("'the quick fox' has_any ('cat', 'fox')", True),
        ("not(true) or not(1 == 2)", True),
        ("1 == 1 and 2 == 2 or false", True),
        ("toint('') == 1", False),
        ("isnull(toint(''))", True),
        ("isempty('') and isnotempty('a')", True),
        ("now()", "2026-05-04T10:00:00.0000000Z"),
        ("ago(1d)", "2026-05-03T10:00:00.0000000Z"),
        ("now(-1h)", "2026-05-04T09:00:00.0000000Z"),
        ("datetime(2026-01-01) - datetime(2025-12-31T12:00Z)", "12:00:00"),
        ("1d + 2h + 3m + 4s + 5ms", "1.02:03:04.0050000"),
        ("1.5h", "01:30:00"),
        ("-1d", "-1.00:00:00"),
        ("3h / 30m", 6.0),
        ("30m * 4", "02:00:00"),
        ("timespan(1.02:03:04.5)", "1.02:03:04.5000000"),
        ("bin(datetime(2026-05-04 08:50), 1h)", "2026-05-04T08:00:00.0000000Z"),
        ("bin(7, 5)", 5),
        ("startofday(datetime(2026-05-04 08:50))", "2026-05-04T00:00:00.0000000Z"),
        ("datetime_diff('hour', datetime(2026-05-04 08:50), datetime(2026-05-04 06:10))", 2),
        ("tolower('Ab')", "ab"),
        ("toupper('Ab')", "AB"),
        ("strcat('a', 1, true, 2h)", "a1true02:00:00"),
        ("strlen('abc')", 3),
        ("substring('abcdef', 2, 3)", "cde"),
        ("replace_string('a.b.c', '.', '-')", "a-b-c"),
        ("split('/a/b', '/')", '["","a","b"]'),
        ("split('/a/b', '/')[2]", "b"),
        ("split('/a/b', '/')[-1]", "b"),
        ('tostring(dynamic({"a": [1, true, null]}))', '{"a":[1,true,null]}'),
        ('parse_json(\'{"a":{"b":[1,2]}}\').a.b[1]', "2"),
        ("parse_json('{\"a\":1}')['a'] == 1", True),
        ("parse_json('no json')", "no json"),
        ("isnull(parse_json('{}').a.b)", True),
        ("tolong('0x10') + toint('2')", 18),
        ("todouble('1.5')", 1.5),
        ("tobool('true')", True),
        ("todatetime('2026-01-01')", "2026-01-01T00:00:00.0000000Z"),
        ("totimespan('01:00:00')", "01:00:00"),
        ("iff(1 < 2, 'yes', 'no')", "yes"),
        ("case(1 > 2, 'a', 2 > 1, 'b', 'c')", "b"),
        ("coalesce('', 'x')", "x"),
        ("array_length(split('a,b', ','))", 2),
        ("bag_pack('a', 1, 'b', now())", '{"a":1,"b":"2026-05-04T10:00:00.0000000Z"}'),
        (r"'it\'s \u0041'", "it's A"),
        ("@'a\\b' == 'a\\\\b'", True),
        ("1 + 1 // a comment", 2),
        ("0x1F", 31),
        ("abs(-3)", 3),
        (
            "guid(11111111-2222-4333-8444-555555555555) == '11111111-2222-4333-8444-555555555555'",
            True,
        ),
    ],
)
def test_scalar_expressions(expression: str, expected: Any) -> None:
    """Each has the value that Kusto gives it."""
    found = value(expression)

    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("T | where n > 1 | project n", [[2], [3]]),
        ("T | where who == 'ann' and n != 3 | project who, n", [["ann", 1]]),
        ("T | where isempty(who) | count", [[1]]),
        ("T | where at > ago(1h) | project n", [[3]]),
        ("T | where at between (ago(2h) .. 1h) | project n", [[1], [2]][0:2]),
        ("T | where d.a.b == 'x' | project n", [[1]]),
        ("T | extend x = n * 2, y = tostring(d.a.b) | where x == 4 | project x, y", [[4, "y"]]),
        ("T | extend n = n + 1 | project n | take 1", [[2]]),
        ("T | project d.a.b, d['l'] | take 1", [["x", "[1,2]"]]),
        ("T | project-away d, a* | take 1", [["ann", 1]]),
        ("T | project-keep w*, n | take 1", [["ann", 1]]),
        ("T | project-rename name = who | project name | take 1", [["ann"]]),
        ("T | summarize count()", [[4]]),
        ("T | where n > 99 | summarize count(), max(n)", [[0, None]]),
        ("T | where n > 99 | summarize count() by who", []),
        ("T | summarize c = count(), max(n), min(n), sum(n) by who | sort by who asc",
         [["", 1, None, None, 0], ["Bob", 1, 2, 2, 2], ["ann", 2, 3, 1, 4]]),
        ("T | summarize dcount(who), countif(n > 1), avg(n)", [[3, 2, 2.0]]),
        ("T | summarize make_set(who), make_list(n) by bin(at, 1h) | where isnotnull(at)",
         [["2026-05-04T08:00:00.0000000Z", '["ann","Bob"]', "[1,2]"],
          ["2026-05-04T09:00:00.0000000Z", '["ann"]', "[3]"]]),
        ("T | summarize arg_max(at, n, d.a.b) by who | where who == 'ann'",
         [["ann", "2026-05-04T09:05:00.0000000Z", 3, None]]),
        ("T | summarize arg_min(at, *) by who | where who == 'ann' | project who, n", [["ann", 1]]),
        ("T | summarize by who | sort by who desc", [["ann"], ["Bob"], [""]]),
        ("T | order by n | project n", [[3], [2], [1], [None]]),
        ("T | sort by n asc | project n", [[None], [1], [2], [3]]),
        ("T | sort by n asc nulls last, who | project n", [[1], [2], [3], [None]]),
        ("T | sort by who asc, n desc | project n", [[None], [2], [3], [1]]),
        ("T | top 2 by n | project n", [[3], [2]]),
        ("T | limit 1 | project n", [[1]]),
        ("T | distinct who | count", [[3]]),
        ("T | union (T | where n == 1) | count", [[5]]),
        ("union T, (datatable(z:string)['q']) | where z == 'q' | project z, n", [["q", None]]),
        ("union withsource=S kind=inner T, (T | project n) | where n == 3 | project S, n",
         [["T", 3], ["T", 3]]),
        ("union isfuzzy=true T, Missing | count", [[4]]),
        ("T | join kind=inner (T | where n > 1 | project who, m = n) on who | project n, m",
         [[1, 3], [2, 2], [3, 3]]),
        (("T | join kind=leftouter (T | where n == 2 | project w = who, m = n) on $left.who == $right.w"
         " | project n, m"), [[1, None], [2, 2], [3, None], [None, None]]),
        ("T | join kind=leftanti (T | where n == 2) on who | project n", [[1], [3], [None]]),
        ("T | join kind=leftsemi (T | where n == 2) on who | project n", [[2]]),
        ("T | join (T | project who, m = n) on who | where who == 'ann' | project n, m",
         [[1, 1], [1, 3]]),
        ("let least = 2; T | where n >= least | count", [[2]]),
        ('let names = dynamic(["ann"]); T | where who in (names) | count', [[2]]),
        ("let U = T | where n > 1; U | count", [[2]]),
        ("T | count", [[4]]),
        ("T | where n == 1 | render timechart", [["2026-05-04T08:10:00.0000000Z", "ann", 1,
         '{"a":{"b":"x"},"l":[1,2]}']]),
        ("(T | where n > 1) | count", [[2]]),
        ("T | project ['my name'] = who | where ['my name'] == 'Bob'", [["Bob"]]),
    ],
)  # fmt: skip
def test_tabular_operators(query: str, expected: list[list[Any]]) -> None:
    """Each gives the rows that Kusto gives."""
    assert rows(query) == expected


def test_columns_get_the_names_and_types_that_kusto_gives() -> None:
    """Aggregates, unnamed expressions, bins and doubles after a join have names of their own."""
    result = ask(
        LOG.replace("long(null)", "toint('')")
        + "T | summarize count(), dcount(who), make_set(n), countif(n > 1), arg_max(n, who), avg(n)"
        " by bin(at, 1h), tolower(who)"
    )
    joined = ask(
        LOG.replace("long(null)", "toint('')") + "T | join kind=inner T on n | project-away d*"
    )

    assert [tuple(column) for column in result.columns] == [
        ("at", "datetime"),
        ("Column2", "string"),
        ("count_", "long"),
        ("dcount_who", "long"),
        ("set_n", "dynamic"),
        ("countif_", "long"),
        ("n", "long"),
        ("who", "string"),
        ("avg_n", "real"),
    ]
    assert [column.name for column in joined.columns] == ["at", "who", "n", "at1", "who1", "n1"]


@pytest.mark.parametrize(
    ("query", "kind", "code", "line", "pos"),
    [
        ("T | where", "SyntaxError", "SYN0002", 6, 10),
        ("T | frobnicate", "SyntaxError", "SYN0002", 6, 5),
        ("T\n| where n ==", "SyntaxError", "SYN0002", 7, 13),
        ("T | where who matches regex 'a'", "SyntaxError", "SYN0002", 6, 15),
        ("T | mv-expand d", "SyntaxError", "SYN0002", 6, 5),
        ("T | extend x = 'open", "SyntaxError", "SYN0002", 6, 16),
        ("T | where n == 1 2", "SyntaxError", "SYN0002", 6, 18),
        ("let f = (x:long) { x }; T", "SyntaxError", "SYN0002", 6, 11),
        ("search 'x'", "SyntaxError", "SYN0002", 6, 8),
        ("T | join kind=fullouter T on n", "SyntaxError", "SYN0002", 6, 25),
        ("T | where x == 1", "SemanticError", "SEM0100", 6, 11),
        ("T\n| extend a = 1\n| project b", "SemanticError", "SEM0100", 8, 11),
        ("Missing | count", "SemanticError", "SEM0100", 6, 1),
        ("T | where who == 1", "SemanticError", "SEM0064", 6, 15),
        ("T | where n", "SemanticError", "SEM0064", 6, 11),
        ("T | where n has 'a'", "SemanticError", "SEM0064", 6, 13),
        ("T | extend x = who + 1", "SemanticError", "SEM0064", 6, 20),
        ("T | extend x = frob(n)", "SemanticError", "SEM0260", 6, 16),
        ("T | extend x = extract('a', 1, who)", "SemanticError", "SEM0099", 6, 16),
        ("T | extend x = strlen()", "SemanticError", "SEM0219", 6, 16),
        ("T | summarize n", "SemanticError", "SEM0139", 6, 15),
        ("T | summarize percentile(n, 5)", "SemanticError", "SEM0099", 6, 15),
        ("T | summarize count() by d", "SemanticError", "SEM0103", 6, 5),
        ("T | summarize max(d)", "SemanticError", "SEM0064", 6, 15),
        ("T | take who", "SemanticError", "SEM0001", 6, 10),
        ("T | project n, n", "SemanticError", "SEM0024", 6, 16),
        ("T | join kind=inner T on x", "SemanticError", "SEM0100", 6, 26),
        ("let x = 1; x", "SemanticError", "SEM0003", 6, 12),
        ("T | project who.a", "SemanticError", "SEM0064", 6, 16),
        ("T | project-away x", "SemanticError", "SEM0100", 6, 18),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(
    query: str, kind: str, code: str, line: int, pos: int
) -> None:
    """Never silently passed over: the innermost error names code, line and position."""
    with pytest.raises(QueryError) as caught:
        ask(LOG.replace("long(null)", "toint('')").rstrip() + "\n" + query)
    error = caught.value.error()
    inner = error["innererror"]["innererror"]

    assert (error["code"], error["innererror"]["code"]) == ("BadArgumentError", kind)
    assert (inner["code"], inner["line"], inner["pos"]) == (code, line, pos)


@pytest.mark.parametrize(
    "query",
    [
        "print " + "(" * 5000 + "1" + ")" * 5000,
        "print " + "+".join(["1"] * 5000),
        "print x" + "['a']" * 3000,
        "print dynamic(" + "[" * 100_000 + "]" * 100_000 + ")",
        "T" + "| take 1" * 5000,
        "(" * 3000 + "T" + ")" * 3000,
    ],
)
def test_deep_and_long_queries_are_refused(query: str) -> None:
    """With an error, in no time, and never by a broken stack."""
    began = time.monotonic()
    with pytest.raises(QueryError):
        ask(query)

    assert time.monotonic() - began < 2


def test_many_conditions_are_no_deep_expression() -> None:
    """A list of a thousand ids joined by `or` is answered."""
    terms = " or ".join(f"n == {number}" for number in range(1000))

    assert rows(f"T | where {terms} | count") == [[3]]


THOUSAND = "let A = datatable(a:long)[" + ",".join(["1"] * 1000) + "]; "
GROWING = (
    'print a0="'
    + "x" * 1000
    + '"'
    + "".join(
        f" | extend a{number + 1} = strcat(a{number}, a{number}, a{number})" for number in range(60)
    )
)


@pytest.mark.parametrize(
    "query",
    [
        THOUSAND + "A | join kind=inner A on a | join kind=inner A on a | count",
        THOUSAND + "A | join kind=inner A on a | sort by a",
        THOUSAND + "A | join kind=inner A on a | summarize make_list(a)",
        GROWING,
    ],
    ids=["steps", "rows", "groups", "texts"],
)
def test_what_would_take_too_much_is_cut_off(query: str) -> None:
    """Work, rows to hold and texts that grow by themselves: each has an end."""
    with pytest.raises(TooMuchError, match="exceeded the allowed limits"):
        ask(query, Budget(20, steps=200_000, size_bytes=5_000_000))


def test_a_query_ends_when_its_client_stops_waiting() -> None:
    """After the seconds of `Prefer: wait`, whatever is left to do."""
    query = THOUSAND + "A | join kind=inner A on a | join kind=inner A on a | count"
    with pytest.raises(TooSlowError):
        ask(query, Budget(0.2))


WORDS = st.sampled_from(
    [
        "T",
        "|",
        "where",
        "n",
        "==",
        "1",
        "'a'",
        "(",
        ")",
        "and",
        "summarize",
        "by",
        "count()",
        ",",
        "=",
        "[",
        "]",
        "d",
        ".",
        "in",
        "sort",
        "project",
        "extend",
        "-",
        "1h",
        "let",
        ";",
        "*",
        "union",
        "join",
        "on",
    ]
)


@settings(max_examples=300)
@given(words=st.lists(WORDS, max_size=14))
def test_any_words_are_a_query_or_a_query_error(words: list[str]) -> None:
    """There is no third thing: no traceback, whatever stands beside what."""
    try:
        ask(LOG.replace("long(null)", "toint('')") + " ".join(words))
    except QueryError as refused:
        error = refused.error()
    else:
        error = {"code": "BadArgumentError"}

    assert error["code"] == "BadArgumentError"


LITERALS = st.sampled_from(
    [
        *("1", "-2", "2.5", "0", "'a'", "''", "'/a/b'", "true", "1h", "-1d", "now()", "toint('')"),
        *("datetime(0001-01-01)", "datetime(9999-12-31)", 'dynamic([1, "x", null])'),
        *('dynamic({"a": {"b": 1}})', "9223372036854775807", "1e308", "ago(1d)", "d", "n", "at"),
    ]
)
SIGNS = st.sampled_from(
    [
        *("+", "-", "*", "/", "%", "==", "!=", "<", ">=", "=~", "!~", "has", "contains", "!has"),
        *("startswith", "endswith_cs", "and", "or", "hasprefix"),
    ]
)


def calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return calls of any function with any arguments, operators, lists and parts."""
    names = st.sampled_from([*FUNCTIONS, "iff", "case", "bin", "ago"])
    return st.one_of(
        st.builds(
            lambda name, given: f"{name}({', '.join(given)})", names, st.lists(inner, max_size=4)
        ),
        st.builds(lambda left, sign, right: f"({left}) {sign} ({right})", inner, SIGNS, inner),
        st.builds(
            lambda value, items: f"({value}) in~ ({', '.join(items)})",
            inner,
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda value, key: f"({value})[{key}]", inner, inner),
        st.builds(
            lambda low, value, high: f"({value}) between (({low}) .. ({high}))", inner, inner, inner
        ),
    )


@settings(max_examples=400)
@given(
    expression=st.recursive(LITERALS, calls, max_leaves=6),
    tail=st.sampled_from(
        [
            "",
            "| sort by x",
            "| distinct x",
            "| summarize max(x), make_set(x), dcount(x)",
            "| summarize count() by x",
        ]
    ),
)
def test_any_expression_has_a_value_or_a_query_error(expression: str, tail: str) -> None:
    """Whatever types meet, at whatever ends of their ranges: no traceback."""
    try:
        found = ask(
            LOG.replace("long(null)", "toint('')") + f"T | extend x = {expression} {tail}"
        ).rows
    except QueryError as refused:
        found = [["refused", refused.place is None]]

    assert found != [["refused", True]]
    assert json.dumps(found)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        (None, None, None),
        ("PT3600.0S", NOW - timedelta(hours=1), NOW),
        ("P1DT12H", NOW - timedelta(hours=36), NOW),
        ("2026-05-01T00:00:00Z/2026-05-02T00:00:00.5Z", datetime(2026, 5, 1, tzinfo=UTC),
         datetime(2026, 5, 2, 0, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-05-01T00:00:00Z/PT1H", datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, 1, tzinfo=UTC)),
        ("P1D/2026-05-02", datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_timespan_is_a_duration_or_a_period(
    text: str | None, since: datetime | None, until: datetime | None
) -> None:
    """All four ways to write one in ISO 8601."""
    assert read_timespan(text, NOW) == (since, until)


# ------------------------------------------------------------------ through the SDK


@pytest.fixture
def logs(azure: Azure) -> Iterator[tuple[Any, str]]:
    """Return the SDK's client and the id of a workspace, after one deployment."""
    group = azure.group()
    path = f"{group}/providers/Microsoft.OperationalInsights/workspaces/logs"
    reply = azure.call("PUT", f"{path}?api-version=2023-09-01", {"location": "westeurope"})
    azure.deploy("d", [storage(), network()]).result()
    with LogsQueryClient(
        StaticCredential(azure.address.token),
        endpoint=azure.address.endpoint,
        audience="https://api.loganalytics.io",
        connection_verify=azure.address.ca_file,
        retry_total=0,
    ) as client:
        yield client, reply.body["properties"]["customerId"]


def test_the_sdk_asks_a_workspace_what_a_deployment_did(azure: Azure, logs: Any) -> None:
    """The writes of a deployment are found by its correlation id, with real columns."""
    client, workspace = logs
    correlation = azure.deployments.deployments.get("rg-shop", "d").properties.correlation_id
    result = client.query_workspace(
        workspace,
        f"""AzureActivity
        | where CorrelationId == '{correlation}' and ActivityStatusValue =~ 'Success'
        | where OperationNameValue endswith '/WRITE' and _ResourceId !contains '/deployments/'
        | project TimeGenerated, OperationNameValue, ResourceGroup, Claims_d.ver, TenantId, Caller
        | sort by OperationNameValue asc""",
        timespan=timedelta(hours=1),
    )
    assert isinstance(result, LogsQueryResult)
    (table,) = result.tables

    assert table.name == "PrimaryResult"
    assert [row["OperationNameValue"] for row in table.rows] == [
        "MICROSOFT.NETWORK/VIRTUALNETWORKS/WRITE",
        "MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE",
    ]
    assert table.columns_types == ["datetime", "string", "string", "dynamic", "string", "string"]
    assert isinstance(table.rows[0]["TimeGenerated"], datetime)
    assert table.rows[0]["ResourceGroup"] == "RG-SHOP"
    assert table.rows[0]["TenantId"] == workspace


def test_the_sdk_asks_a_resource_and_sees_what_is_below_it(azure: Azure, logs: Any) -> None:
    """A group, a resource and the subscription each show their own part of the log."""
    client, _ = logs
    azure.group("rg-other")
    account = f"{azure.subscription}/resourceGroups/rg-shop/providers/Microsoft.Storage/storageAccounts/stshop001"
    query = "AzureActivity | distinct ResourceGroup, Op = OperationNameValue"
    found = {
        scope: {
            tuple(row) for row in client.query_resource(scope, query, timespan=DAY).tables[0].rows
        }
        for scope in (account, f"{azure.subscription}/resourceGroups/rg-other", azure.subscription)
    }

    assert found[account] == {("RG-SHOP", "MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE")}
    assert {group for group, _ in found[f"{azure.subscription}/resourceGroups/rg-other"]} == {
        "RG-OTHER"
    }
    assert {group for group, _ in found[azure.subscription]} == {"RG-SHOP", "RG-OTHER"}


def test_a_timespan_limits_the_rows(logs: Any) -> None:
    """What was done before or after it is not there."""
    client, workspace = logs
    now = datetime.now(UTC)
    counts = [
        client.query_workspace(workspace, "AzureActivity | count", timespan=timespan)
        .tables[0]
        .rows[0][0]
        for timespan in (None, (now - DAY, now + DAY), (now - 2 * DAY, DAY), (now + DAY, DAY))
    ]

    assert counts[0] == counts[1] > 0
    assert counts[2:] == [0, 0]


def test_preferences_bring_statistics_and_the_chart(logs: Any) -> None:
    """`include_statistics` and `include_visualization` add what they say, and only they."""
    client, workspace = logs
    query = "AzureActivity | summarize count() by bin(TimeGenerated, 1h) | render timechart"
    bare = client.query_workspace(workspace, query, timespan=DAY)
    full = client.query_workspace(
        workspace,
        query,
        timespan=DAY,
        include_statistics=True,
        include_visualization=True,
        server_timeout=5,
    )

    assert (bare.statistics, bare.visualization) == (None, None)
    assert full.statistics["query"]["executionTime"] >= 0
    assert full.visualization["visualization"] == "timechart"


def test_a_batch_has_an_answer_for_each(logs: Any) -> None:
    """Good, refused and unknown: each in its place."""
    client, workspace = logs
    good, bad, lost = client.query_batch(
        [
            LogsBatchQuery(workspace, "AzureActivity | count", timespan=DAY),
            LogsBatchQuery(workspace, "AzureActivity | frobnicate", timespan=DAY),
            LogsBatchQuery("no-such-workspace", "AzureActivity", timespan=DAY),
        ]
    )

    assert isinstance(good, LogsQueryResult)
    assert isinstance(bad, LogsQueryError)
    assert (bad.code, lost.code) == ("BadArgumentError", "WorkspaceNotFoundError")
    assert "frobnicate" in bad.message


def test_too_many_rows_are_a_partial_result(azure: Azure, logs: Any) -> None:
    """The rows up to the limit, and why there are no more."""
    client, workspace = logs
    azure.turn(logs_row_limit=3)
    result = client.query_workspace(workspace, "AzureActivity", timespan=DAY)

    assert isinstance(result, LogsQueryPartialResult)
    assert len(result.partial_data[0].rows) == 3
    assert result.partial_error is not None
    assert result.partial_error.code == "PartialError"
    assert "E_QUERY_RESULT_SET_TOO_LARGE" in str(result.partial_error.details)


def test_a_refusal_says_where(logs: Any) -> None:
    """HttpResponseError with the innermost message and its line and position."""
    client, workspace = logs
    with pytest.raises(HttpResponseError) as caught:
        client.query_workspace(workspace, "AzureActivity\n| where Nothing == 1", timespan=DAY)
    assert caught.value.response is not None
    body = json.loads(caught.value.response.text())

    assert caught.value.status_code == 400
    assert "Failed to resolve column or scalar expression named 'Nothing'" in str(
        caught.value.message
    )
    assert body["error"]["innererror"]["innererror"]["line"] == 2
    assert len(body["error"]["correlationId"]) == 36


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/workspaces/nothing/query", 404, "WorkspaceNotFoundError"),
        ("/v1/subscriptions/00000000-0000-0000-0000-000000000000/query", 404, "PathNotFoundError"),
        ("/v1{sub}/resourceGroups/none/query", 404, "PathNotFoundError"),
        ("/v1{sub}/resourceGroups/rg-shop/providers/A.B/c/d/query", 404, "PathNotFoundError"),
    ],
)
def test_a_place_that_is_not_there_is_not_found(
    azure: Azure, path: str, status: int, code: str
) -> None:
    """Workspaces by their id, resources by their path."""
    azure.group()
    reply = azure.call("POST", path.format(sub=azure.subscription), {"query": "AzureActivity"})

    assert (reply.status, reply.code) == (status, code)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": ""},
        {"query": 1},
        {"query": "AzureActivity", "timespan": "yesterday"},
        {"query": "AzureActivity", "timespan": 5},
        {"query": "AzureActivity", "timespan": "P99999999999D"},
        {"query": "AzureActivity", "workspaces": "x"},
        {"query": "a" * 100_001},
        "{",
        "[]",
    ],
)
def test_a_body_that_cannot_be_read_is_refused(azure: Azure, body: Any) -> None:
    """400 with an error in the usual envelope."""
    reply = azure.call("POST", f"/v1{azure.subscription}/query", body)

    assert reply.status == 400
    assert reply.code in ("BadArgumentError", "InvalidRequestContent")


def test_workspaces_can_be_asked_together(azure: Azure, logs: Any) -> None:
    """Each holds its own copy; one that does not exist fails the query."""
    client, workspace = logs
    path = f"{azure.subscription}/resourceGroups/rg-shop/providers/Microsoft.OperationalInsights/workspaces/more"
    azure.call("PUT", f"{path}?api-version=2023-09-01", {"location": "westeurope"})
    query = "AzureActivity | where OperationNameValue contains 'storageAccounts' | summarize count() by TenantId"
    result = client.query_workspace(
        workspace, query, timespan=DAY, additional_workspaces=["more", path]
    )
    with pytest.raises(HttpResponseError, match="WorkspaceNotFoundError"):
        client.query_workspace(workspace, query, timespan=DAY, additional_workspaces=["none"])

    assert [row["count_"] for row in result.tables[0].rows] == [2, 2]


def test_who_asks_must_say_who_they_are_and_needs_no_api_version(azure: Azure) -> None:
    """401 without a token; queries take no tokens from ARM's buckets and are no activity."""
    azure.turn(throttle={"writes": [1, 0.001]})
    path = f"/v1{azure.subscription}/query"
    nobody = azure.call("POST", path, {"query": "print 1"}, token=None)
    replies = [azure.call("POST", path, {"query": "AzureActivity | count"}) for _ in range(3)]

    kinds = azure.control("GET", "/requests?limit=0")["kinds"]

    assert (nobody.status, nobody.code) == (401, "AuthenticationFailed")
    assert kinds == {"reads": 0, "writes": 0, "deletes": 0, "queries": 4}
    assert [reply.status for reply in replies] == [200] * 3
    assert replies[-1].body["tables"][0]["rows"] == [[0]]


def test_the_script_can_answer_for_the_query_api_too(azure: Azure, logs: Any) -> None:
    """A fault on route `logs-query` reaches the SDK."""
    client, workspace = logs
    azure.script(
        {"status": 503, "body": {"error": {"code": "ServiceUnavailable", "message": "m"}}},
        route="logs-query",
    )
    with pytest.raises(HttpResponseError) as caught:
        client.query_workspace(workspace, "AzureActivity", timespan=DAY)

    assert caught.value.status_code == 503


def test_a_short_get_is_a_query_too(azure: Azure) -> None:
    """As a browser asks: query and timespan in the URL."""
    reply = azure.call(
        "GET", f"/v1{azure.subscription}/query?query=AzureActivity%20%7C%20count&timespan=P1D"
    )

    assert reply.body["tables"][0]["columns"] == [{"name": "Count", "type": "long"}]


def test_the_activity_lag_holds_for_queries(azure: Azure) -> None:
    """A row comes when the Activity Log shows the entry."""
    azure.turn(activity_lag_seconds=60)
    azure.group()
    path, body = f"/v1{azure.subscription}/query", {"query": "AzureActivity | count"}
    before = azure.call("POST", path, body).body["tables"][0]["rows"]
    azure.turn(clock_offset_seconds=61)

    assert before == [[0]]
    assert azure.call("POST", path, body).body["tables"][0]["rows"] == [[2]]


def test_a_row_tells_when_it_came_in(azure: Azure) -> None:
    """ingestion_time() is as much later than the event as the log is late; null once a row is another."""
    azure.turn(activity_lag_seconds=60)
    azure.group()
    azure.turn(clock_offset_seconds=61)
    path = f"/v1{azure.subscription}/query"
    late = {
        "query": "AzureActivity | where ingestion_time() >= ago(1h)"
        " | project Late = ingestion_time() - TimeGenerated, Caller | extend At = ingestion_time()"
    }
    rows = azure.call("POST", path, late).body["tables"][0]["rows"]
    wrong = azure.call("POST", path, {"query": "AzureActivity | where ingestion_time(1) > now()"})

    assert [(row[0], row[2]) for row in rows] == [("00:01:00", None)] * 2
    assert wrong.status == 400


def test_what_is_long_travels_compressed(azure: Azure) -> None:
    """A reply is packed with gzip for a client that says so."""
    for number in range(20):
        azure.group(f"g{number}")
    path, query = f"/v1{azure.subscription}/query", {"query": "AzureActivity | project Caller"}
    plain_reply = azure.call("POST", path, query)
    place = urlsplit(azure.address.endpoint)
    trust = ssl.create_default_context(cafile=azure.address.ca_file)
    with closing(http.client.HTTPSConnection("127.0.0.1", place.port, context=trust)) as wire:
        wire.request(
            "POST",
            path,
            json.dumps(query),
            {"Authorization": f"Bearer {azure.address.token}", "Accept-Encoding": "gzip"},
        )
        response = wire.getresponse()
        packed = response.read()

    assert response.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed)) == plain_reply.body
