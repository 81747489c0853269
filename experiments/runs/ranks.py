"""Which process leads, of those that train one network together."""

import os

from lightning_utilities.core.rank_zero import rank_zero_only

# In the order in which Lightning asks for them: of torchrun and of its own launcher, of clusters.
RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")


def leads() -> bool:
    """Say whether this is the process that locks and writes.

    Lightning knows, once it is imported; before that the environment does. A complete run is
    skipped without Lightning, whose import takes longer than all the rest.
    """
    told = next((os.environ[name] for name in RANKS if name in os.environ), "0")
    return int(getattr(rank_zero_only, "rank", told)) == 0
