"""The Activity Log: who wrote, deleted or acted on what, when, and with what outcome."""
