"""Several hosts play a story and are killed at named points; everything is seen from the outside."""
