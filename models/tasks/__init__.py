"""Lightning modules of the tasks, and the rules by which they train."""

from models.tasks.base import Evaluation, Task
from models.tasks.classification import Classification
from models.tasks.optimizers import momentum_sgd
from models.tasks.regression import Regression
from models.tasks.training import Alternating, Joint, Phases, TrainingRule

__all__ = [
    "Alternating",
    "Classification",
    "Evaluation",
    "Joint",
    "Phases",
    "Regression",
    "Task",
    "TrainingRule",
    "momentum_sgd",
]
