"""The language has every function of the contract, in any casing, and no other."""

import pytest

from local.arm.engine import TemplateError
from local.arm.engine.evaluator import find_function
from local.arm.engine.functions import FUNCTIONS
from tests.engine.world import value_of

_FAMILIES = {
    "arrays and objects": "array concat contains createArray createObject distinct empty first "
    "flatten indexFromEnd indexOf intersection items json last lastIndexOf length max min null "
    "objectKeys range shallowMerge skip take tryGet tryIndexFromEnd union",
    "lambdas": "filter groupBy map mapValues reduce sort toObject lambdaVariables",
    "comparison and logic": "equals greater greaterOrEquals less lessOrEquals coalesce and or not "
    "if true false bool",
    "numbers": "add sub mul div mod int float min max range copyIndex",
    "strings": "base64 base64ToString base64ToJson buildUri concat dataUri dataUriToString endsWith "
    "format guid indexOf join json lastIndexOf like newGuid padLeft parseUri replace skip split "
    "startsWith string substring take toLower toUpper trim uniqueString uri uriComponent "
    "uriComponentToString",
    "dates": "utcNow dateTimeAdd dateTimeToEpoch dateTimeFromEpoch",
    "address ranges": "parseCidr cidrSubnet cidrHost",
    "others": "fail externalInputs",
    "the deployment": "deployer deployment environment parameters variables managementGroup "
    "resourceGroup subscription tenant",
    "resources": "reference references resourceInfo resourceId subscriptionResourceId "
    "managementGroupResourceId tenantResourceId extensionResourceId pickZones providers "
    "roleDefinitions toLogicalZone toLogicalZones toPhysicalZone toPhysicalZones",
}
_NAMES = sorted({name for family in _FAMILIES.values() for name in family.split()})


@pytest.mark.parametrize("name", _NAMES)
def test_every_function_is_there_whatever_its_casing(name: str) -> None:
    """Names are looked up without regard to casing, and shown in their own."""
    for spelled in (name, name.lower(), name.upper(), name.swapcase()):
        found = find_function(spelled)

        assert found is not None
        assert found.name == name


@pytest.mark.parametrize("name", ["list", "listKeys", "LISTKEYS", "listAccountSas", "listX"])
def test_list_functions_have_any_name_that_starts_with_list(name: str) -> None:
    """What follows `list` is up to the provider."""
    assert find_function(name) is not None


@pytest.mark.parametrize("name", ["list1", "list_keys", "listé", "getSecret", "lambda2", "concat2", ""])  # fmt: skip
def test_no_other_function_is_there(name: str) -> None:
    """The name getSecret is for Bicep's parameters only; digits are in no list function."""
    assert find_function(name) is None


def test_there_is_nothing_that_the_contract_does_not_name() -> None:
    """A function that ARM does not have would hide a template's mistake."""
    assert sorted(function.name for function in FUNCTIONS.values()) == _NAMES


def test_an_unknown_function_is_named_in_the_error() -> None:
    """The sentence is ARM's, with its link."""
    with pytest.raises(TemplateError) as caught:
        value_of("[concatt('a')]")

    assert caught.value.message == (
        "Deployment template language expression evaluation failed: 'The template function "
        "'concatt' is not valid. Please see https://aka.ms/arm-functions for usage details.'. "
        "Please see https://aka.ms/arm-template-expressions for usage details."
    )
