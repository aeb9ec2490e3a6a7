"""What-if: what a deployment would change, said before it is done."""
