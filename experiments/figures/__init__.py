"""Plots of what was measured, as pictures and as numbers."""
