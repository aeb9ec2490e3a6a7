"""ARM's token buckets: reads, writes and deletes per principal, per subscription and tenant."""
