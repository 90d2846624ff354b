"""The built-in update rules, schedules and penalties, and what a run is made of.

To add one, add one record: derivation, page, kernel and checks follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbp.functions.parameters import Parameter
from symbp.functions.penalties import Penalty
from symbp.functions.rules import UpdateRule
from symbp.functions.schedules import Schedule

_MOMENTUM = Parameter("momentum", 0.9, "decay")
_EPSILON = Parameter("epsilon", 1e-8, "positive")
_BETA1, _BETA2 = Parameter("beta1", 0.9, "decay"), Parameter("beta2", 0.999, "decay")

OPTIMIZERS: dict[str, UpdateRule] = {
    record.name: record
    for record in (
        UpdateRule("sgd", "w = w - learning_rate*gradient", source="000, eq. 2.2"),
        UpdateRule(
            "momentum",
            """
            v = momentum*v - learning_rate*gradient
            w = w + v
            """,
            states={"v": 0},
            parameters=(_MOMENTUM,),
            learning_rate=0.01,
            source="Polyak 1964; Sutskever et al. 2013 (ICML), eq. 1 and 2",
        ),
        # The gradient is taken at the weights that look ahead, w + momentum v; written in
        # these weights, which are the ones that are kept.
        UpdateRule(
            "nesterov",
            """
            previous = v
            v = momentum*v - learning_rate*gradient
            w = w - momentum*previous + (1 + momentum)*v
            """,
            states={"v": 0},
            parameters=(_MOMENTUM,),
            learning_rate=0.01,
            source="Nesterov 1983; Sutskever et al. 2013, eq. 3 and 4, in the variables of "
            "Bengio et al. 2012, arXiv:1212.0901, eq. 7",
        ),
        UpdateRule(
            "rmsprop",
            """
            v = rho*v + (1 - rho)*gradient**2
            w = w - learning_rate*gradient/(sqrt(v) + epsilon)
            """,
            states={"v": 0},
            parameters=(Parameter("rho", 0.9, "decay"), _EPSILON),
            learning_rate=1e-3,
            source="Tieleman and Hinton 2012, Lecture 6.5 (Coursera), slide 29; epsilon as in Adam",
        ),
        UpdateRule(
            "adagrad",
            """
            v = v + gradient**2
            w = w - learning_rate*gradient/(sqrt(v) + epsilon)
            """,
            states={"v": 0},
            parameters=(_EPSILON,),
            learning_rate=0.01,
            source="Duchi, Hazan and Singer 2011 (JMLR 12), figure 1, diagonal matrices",
        ),
        UpdateRule(
            "adam",
            """
            m = beta1*m + (1 - beta1)*gradient
            v = beta2*v + (1 - beta2)*gradient**2
            m_hat = m/(1 - beta1**step)
            v_hat = v/(1 - beta2**step)
            w = w - learning_rate*m_hat/(sqrt(v_hat) + epsilon)
            """,
            states={"m": 0, "v": 0},
            parameters=(_BETA1, _BETA2, _EPSILON),
            learning_rate=1e-3,
            source="Kingma and Ba 2015, arXiv:1412.6980, algorithm 1",
        ),
        UpdateRule(
            "adamw",
            """
            m = beta1*m + (1 - beta1)*gradient
            v = beta2*v + (1 - beta2)*gradient**2
            m_hat = m/(1 - beta1**step)
            v_hat = v/(1 - beta2**step)
            w = w - learning_rate*(m_hat/(sqrt(v_hat) + epsilon) + weight_decay*w)
            """,
            states={"m": 0, "v": 0},
            parameters=(_BETA1, _BETA2, _EPSILON, Parameter("weight_decay", 0.01, "nonnegative")),
            learning_rate=1e-3,
            source="Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2, the decay scaled by the "
            "learning rate",
        ),
        UpdateRule(
            "nadam",
            """
            m = beta1*m + (1 - beta1)*gradient
            v = beta2*v + (1 - beta2)*gradient**2
            m_hat = beta1*m/(1 - beta1**(step + 1)) + (1 - beta1)*gradient/(1 - beta1**step)
            v_hat = v/(1 - beta2**step)
            w = w - learning_rate*m_hat/(sqrt(v_hat) + epsilon)
            """,
            states={"m": 0, "v": 0},
            parameters=(_BETA1, _BETA2, _EPSILON),
            learning_rate=2e-3,
            source="Dozat 2016 (ICLR workshop), algorithm 2, with constant mu = beta1 and the v_hat of Adam",
        ),
    )
}

SCHEDULES: dict[str, Schedule] = {
    record.name: record
    for record in (
        Schedule("constant", "rate", source="000, eq. 2.2"),
        Schedule(
            "step",
            "rate*factor**floor(epoch/every)",
            parameters=(Parameter("factor", 0.5, "fraction"), Parameter("every", 10, "positive")),
            source="Ge et al. 2019, arXiv:1904.13263",
        ),
        Schedule(
            "exponential",
            "rate*factor**epoch",
            parameters=(Parameter("factor", 0.95, "fraction"),),
            source="Senior et al. 2013 (ICASSP), exponential scheduling",
        ),
        Schedule(
            "cosine",
            "least*rate + (1 - least)*rate*(1 + cos(pi*step/steps))/2",
            parameters=(Parameter("least", 0.0, "decay"),),
            source="Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5, one period; least is the last "
            "rate as a share of the first",
        ),
        Schedule(
            "warmup",
            "rate*(step + 1)/warmup if step < warmup else rate",
            parameters=(Parameter("warmup", 100, "positive"),),
            source="Goyal et al. 2017, arXiv:1706.02677, section 2.2",
        ),
        Schedule(
            "warmup_cosine",
            "rate*(step + 1)/warmup if step < warmup "
            "else rate*(1 + cos(pi*(step - warmup)/(steps - warmup)))/2",
            parameters=(Parameter("warmup", 100, "positive"),),
            source="Goyal et al. 2017, section 2.2; Loshchilov and Hutter 2017, eq. 5",
        ),
    )
}

# Their strengths have no good default: 0 makes them do nothing until one is given.
_L1, _L2 = Parameter("l1", 0.0, "nonnegative"), Parameter("l2", 0.0, "nonnegative")

PENALTIES: dict[str, Penalty] = {
    record.name: record
    for record in (
        Penalty("l2", "l2/2*w**2", (_L2,), source="001, the line D = Delta/m + lambda theta"),
        Penalty("l1", "l1*abs(w)", (_L1,), source="Tibshirani 1996 (JRSS B 58), the lasso"),
        Penalty(
            "elastic_net",
            "l1*abs(w) + l2/2*w**2",
            (_L1, _L2),
            source="Zou and Hastie 2005 (JRSS B 67), section 2.1, with l2/2 for lambda_2",
        ),
    )
}


@dataclass(frozen=True)
class Training:
    """What of a run is stated as equations and compiled.

    Attributes
    ----------
    rule : UpdateRule
    schedule : Schedule
    penalty : Penalty or None
    clipped : bool
        Whether gradients are clipped by their global norm.
    """

    rule: UpdateRule = OPTIMIZERS["sgd"]
    schedule: Schedule = SCHEDULES["constant"]
    penalty: Penalty | None = None
    clipped: bool = False
