"""One file per triggered function: decode, call one flow, encode."""
