"""What a run is: its folder, identity, initialisation, reports and statistics."""
