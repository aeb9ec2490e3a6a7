"""What resource providers do: register, take a body, make it their own, answer reads."""
