"""Lightning modules of the tasks, and the rules by which they train."""

from models.tasks.base import SplitScores, Task
from models.tasks.classification import Classification
from models.tasks.optimizers import momentum_sgd
from models.tasks.phases import Phases
from models.tasks.regression import Regression
from models.tasks.training import Alternating, Joint, TrainingRule

__all__ = [
    "Alternating",
    "Classification",
    "Joint",
    "Phases",
    "Regression",
    "SplitScores",
    "Task",
    "TrainingRule",
    "momentum_sgd",
]
