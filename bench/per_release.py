"""What one release costs: storage operations, ARM calls and CPU of the product itself."""

import json
from collections import Counter
from collections.abc import Iterator

from bench.figures import Figure, percentile
from bench.laptops import WorkingCopy, laptop
from bench.product import Cost, Product, without_host
from bench.stacks import manifest, template
from local import waiting

RELEASES = 10
RESOURCES = 3
MOST_STORAGE, MOST_ARM, MOST_CPU_MS = 30, 8, 150.0
COMMAND = "python -m bench per_release"


def _costs() -> list[Cost]:
    with laptop() as running:
        without_host(running)
        clone = WorkingCopy(running.line["git"]["url"], running.line["git"]["branch"])
        product = Product(running)
        costs = []
        for n in range(RELEASES + 1):
            product.begin()
            revision = clone.push(
                {"plumbline.yaml": manifest("one"), "one.json": template(str(n), RESOURCES)}
            )
            product.receive(running, revision)
            waiting.until(
                lambda: product.drain() == 0 and _is_done(product),
                limit_s=60,
                what="the release and its snapshot",
                pause_s=0.2,
            )
            costs.append(product.cost)
        product.close()
        clone.close()
    return costs[1:]  # the first one pays for the imports, the record and the group


def _is_done(product: Product) -> bool:
    """Tell whether the stack is steady and owes nothing, without counting the question."""
    counted = Counter(product.transport.count)
    held = product.storage.blob_service().get_blob_client("state", "stacks/example.one/record.json")
    record = json.loads(held.download_blob().readall())
    product.transport.count.clear()
    product.transport.count.update(counted)
    return record.get("phase") == "steady" and not record.get("owed")


def measure() -> Iterator[Figure]:
    """Release one stack again and again and count."""
    costs = _costs()
    storage = [sum(cost.storage.values()) for cost in costs]
    arm = [sum(cost.arm.values()) for cost in costs]
    cpu = [cost.cpu_s * 1000 for cost in costs]
    looks = costs[-1].arm["deployment.get"]
    yield Figure(
        what=f"per release of {RESOURCES} resources: storage operations",
        target=f"≤ {MOST_STORAGE}",
        measured=f"median {percentile(storage, 0.5):.0f}, most {max(storage)}",
        met=max(storage) <= MOST_STORAGE,
        command=COMMAND,
    )
    yield Figure(
        what=f"per release of {RESOURCES} resources: ARM calls",
        target=f"≤ {MOST_ARM} + 1 per resource = {MOST_ARM + RESOURCES}",
        measured=f"median {percentile(arm, 0.5):.0f}, most {max(arm)} ({looks} of them looks)",
        met=max(arm) <= MOST_ARM + RESOURCES,
        command=COMMAND,
    )
    yield Figure(
        what=f"per release of {RESOURCES} resources: CPU of the product",
        target=f"≤ {MOST_CPU_MS:.0f} ms",
        measured=f"median {percentile(cpu, 0.5):.0f} ms, most {max(cpu):.0f} ms",
        met=percentile(cpu, 0.5) <= MOST_CPU_MS,
        command=COMMAND,
    )
