"""The kinds of scripted answers, as the side channel lists them."""

from __future__ import annotations

KINDS = {
    "answer": "status, headers and body as given, or error in ARM's envelope; the rest is true",
    "another_operation": "409 AnotherOperationInProgress",
    "authorization_failed": "403 AuthorizationFailed with client, action and scope",
    "busy": "429 RetryableErrorDueToAnotherOperation",
    "conflict": "409 Conflict",
    "deny_assignment": "403 DenyAssignmentAuthorizationFailed; detail is the assignment's name",
    "deployment_active": "409 DeploymentActive, without Retry-After",
    "empty_body": "the true answer without its body",
    "group_being_deleted": "409 ResourceGroupBeingDeleted",
    "html_page": "502 (or status) with the HTML page of a proxy",
    "in_use": "400 InUse...CannotBeDeleted; detail is what uses it",
    "linked_authorization_failed": "403 LinkedAuthorizationFailed; detail is the linked scope",
    "lro_stuck": "the call starts an operation that fares as `lro` says",
    "malformed_json": "the true answer, its JSON cut in the middle",
    "not_registered": "409 MissingSubscriptionRegistration; detail is the namespace",
    "partial": "the write is stored, ends in provisioningState Failed, and answers an error",
    "policy": "403 RequestDisallowedByPolicy with PolicyViolation; detail is the policy's name",
    "principal_not_found": "400 PrincipalNotFound; detail is the principal's id",
    "property_change": "409 PropertyChangeNotAllowed; detail is the property",
    "provider_throttled": "429 ResourceRequestsThrottled",
    "quota_exceeded": "the provider's own code for a quota that is used up",
    "scope_locked": "409 ScopeLocked in the words for the method; detail is the locked scope",
    "server_error": "500 InternalServerError, or status 502, 503, 504",
    "sku_not_available": "SkuNotAvailable, or what the provider says for it; detail is the size",
    "throttled": "429 SubscriptionRequestsThrottled with Retry-After (retry_after seconds)",
    "too_many_requests": "429 TooManyRequests",
}
"""What each kind of scripted answer is."""
