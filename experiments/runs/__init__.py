"""What one run is: its overrides, configuration, identity, folder, weights, and how it is made."""
