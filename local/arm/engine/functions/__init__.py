"""The functions of the template language, in one table per family."""

from local.arm.engine.functions import (
    arrays,
    cidr,
    dates,
    deployment,
    encoding,
    lambdas,
    logic,
    numeric,
    objects,
    resources,
    strings,
)
from local.arm.engine.functions.signature import Function

FUNCTIONS: dict[str, Function] = {
    **arrays.FUNCTIONS,
    **objects.FUNCTIONS,
    **strings.FUNCTIONS,
    **encoding.FUNCTIONS,
    **numeric.FUNCTIONS,
    **logic.FUNCTIONS,
    **dates.FUNCTIONS,
    **cidr.FUNCTIONS,
    **lambdas.FUNCTIONS,
    **deployment.FUNCTIONS,
    **resources.FUNCTIONS,
}
LIST_FUNCTION = resources.LIST_FUNCTION
