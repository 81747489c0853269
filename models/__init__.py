"""Branches, fusions, networks and the Lightning modules that train them."""

from models.network import StagedNetwork

__all__ = ["StagedNetwork"]
