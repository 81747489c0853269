"""What the rendered samples share: rendering once, and what a camera spoils."""
