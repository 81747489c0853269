"""What a run is, what finished runs say, and the tables of the paper."""

# Here, because whatever reads a configuration imports this package before.
from experiments.resolvers import register

register()
