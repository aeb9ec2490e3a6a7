"""ARM's limits (reference part 4) and the engine's own bounds on time and memory."""

MAX_RESOURCES = 800
MAX_COPIES = 800
MAX_PARAMETERS = 256
MAX_VARIABLES = 512
MAX_OUTPUTS = 64
MAX_ASSERTS = 32
MAX_EXPRESSION_CHARS = 24_576
MAX_TEMPLATE_BYTES = 4 * 1024 * 1024
MAX_RESOURCE_BYTES = 1024 * 1024
MAX_RANGE = 10_000

# The engine's own, far above what public templates use (deepest expression seen: 40 levels).
MAX_EXPRESSION_DEPTH = 80
MAX_JSON_DEPTH = 64
MAX_CALL_DEPTH = 48  # user functions, lambdas and variables inside each other
MAX_NESTING = 20  # deployments inside deployments
MAX_STEPS = 1_000_000  # evaluations in one plan, body or set of outputs
MAX_WEIGHT = 4 * 1024 * 1024  # characters of one value, a member counting as eight
