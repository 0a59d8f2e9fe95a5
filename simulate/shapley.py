"""Shapley effects: how much of a variance each input accounts for, whatever the inputs share.

The explained variance ``c(u) = Var(E[y | x_u]) / Var(y)`` of a set of inputs is what knowing them takes
away. Inputs that move together explain the same variance; the Shapley value gives each the mean of what
it adds, over all orders in which the inputs can be learnt. Shares are never double, and add up.

``E[y | x_u]`` is the least-squares polynomial in the members of ``u`` alone: cubic in each, with all
products of two. It is fitted anew for each set on the same draws, so the inputs' dependence is the
draws' own, and no conditional sampling is needed. One Cholesky factor of the moments gives ``c`` along
one order, so orders cost a millisecond each. Nearest neighbours, the usual given-data method, are
lost in the twenty dimensions of a ledger.

References: Owen (2014), SIAM/ASA J. Uncertain. Quantif. 2(1) (the effects); Song, Nelson and Staum
(2016), SIAM/ASA J. Uncertain. Quantif. 4(1) (dependent inputs, random orders); Broto, Bachoc and Depecker
(2020), SIAM/ASA J. Uncertain. Quantif. 8(2) (given data); Lindeman, Merenda and Gold (1980) (the case of
a linear fit); Mitchell et al. (2022), JMLR 23(43) (each order with its reverse).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from simulate import jackknife
from simulate.jackknife import Estimate, Mask

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

ORDERS = 512
"""Random orders of players."""
FEW = 120
"""Number of orders up to which all are taken."""
ORDERS_FOR_ERROR = 64
"""Random orders that are repeated without each block of draws."""
RIDGE = 1e-9
"""Added to the variance of each term, of size 1: keeps inputs that are all but one apart in the arithmetic."""
DRAWS_PER_TERM = 10
"""Draws that each term of the polynomial needs."""

PAIRS, CUBIC, LINEAR = "cubic, with products of two", "cubic, without products", "linear"


@dataclass(frozen=True)
class Terms:
    """The terms of a polynomial over draws, ``(draw, term)``, and the players each one needs.

    The first term is the constant. ``needs`` is ``(term, 2)``: a term belongs to a set of players when both
    are in it (-1: nobody).
    """

    values: Floats
    needs: Integers
    kind: str


@dataclass(frozen=True)
class Effects:
    """Shares of a variance: of each player, and the part that is not explained; they add up to 1.

    ``together`` are the shares of groups of players, sums over their members. ``alone`` is what knowing one
    player takes away, whatever it shares with others. ``kind`` says of what polynomial.
    """

    shares: tuple[Estimate, ...]
    together: tuple[Estimate, ...]
    alone: tuple[Estimate, ...]
    unexplained: Estimate
    kind: str
    orders: int


def effects(
    players: Sequence[Floats], y: Floats, left: Mask, rng: np.random.Generator, groups: Sequence[Sequence[int]] = ()
) -> Effects | None:
    """Return the Shapley effects of players ``(draw,)`` on ``y``, or None where there are too few draws to fit.

    A player with the values 0 and 1 is a fact; any other is replaced by the normal scores of its ranks.
    ``left`` are the draws that remain without each block (`jackknife.masks`); ``groups`` are positions of
    players. The bias of fitted variances, which favours what has many terms, is taken off by the jackknife;
    so a share can be a little below zero.
    """
    terms = polynomial(players)
    if terms is None:
        return None
    # One thread: OpenBLAS makes threads wait for each other at each of thousands of small factors.
    with threadpool_limits(1):
        return estimated(terms, y, left, Sought(len(players), groups), orders(len(players), rng))


@dataclass(frozen=True)
class Sought:
    """What is sought of each set of moments: shares of players and of groups, and what each explains alone."""

    players: int
    groups: Sequence[Sequence[int]]

    def shares(self, each: Floats) -> Floats:
        """Return contributions ``(…, player)`` with those of the groups and of all behind them."""
        sums = [each[..., list(group)].sum(axis=-1) for group in self.groups]
        return np.concatenate([each, np.stack([*sums, each.sum(axis=-1)], axis=-1)], axis=-1)

    def alone(self, moments: Floats, terms: Terms) -> Floats:
        return np.array([explained(moments, terms, np.array([player]))[0] for player in range(self.players)])

    def all(self, moments: Floats, terms: Terms, sequences: Integers) -> Floats:
        shares = self.shares(contributions(moments, terms, sequences).mean(axis=0))
        return np.concatenate([shares, self.alone(moments, terms)])


def estimated(terms: Terms, y: Floats, left: Mask, sought: Sought, sequences: Integers) -> Effects:
    """Return the effects over some orders, with their errors and less their bias."""
    columns = np.column_stack([terms.values, standard(y)])
    whole = columns.T @ columns
    without = [whole - columns[~mask].T @ columns[~mask] for mask in left]
    some = sequences if len(sequences) <= FEW else sequences[:ORDERS_FOR_ERROR]
    here = sought.all(whole, terms, some)
    replicates = np.stack([sought.all(moments, terms, some) for moments in without])
    over_orders = sought.shares(contributions(whole, terms, sequences))
    values, errors = here - jackknife.bias(here, replicates), jackknife.error(replicates)
    number = over_orders.shape[1]
    values[:number] += over_orders.mean(axis=0) - here[:number]
    errors[:number] = np.hypot(errors[:number], order_error(over_orders, sought.players))
    found = [Estimate(float(value), float(error)) for value, error in zip(values, errors, strict=True)]
    return Effects(
        shares=tuple(found[: sought.players]),
        together=tuple(found[sought.players : number - 1]),
        alone=tuple(found[number:]),
        unexplained=Estimate(1 - found[number - 1].value, found[number - 1].mcse),
        kind=terms.kind,
        orders=len(sequences),
    )


def contributions(moments: Floats, terms: Terms, sequences: Integers) -> Floats:
    """Return what each player adds to the explained variance in each order, ``(order, player)``."""
    added = np.empty(sequences.shape)
    for row, sequence in zip(added, sequences, strict=True):
        row[sequence] = np.diff(explained(moments, terms, sequence), prepend=0.0)
    return added


def explained(moments: Floats, terms: Terms, sequence: Integers) -> Floats:
    """Return the share of variance that the players explain as they are learnt one after another.

    ``moments`` are the sums of products of all terms and of what is explained, which is last. In the
    Cholesky factor of those of the terms in the order in which they become available, the squares of the
    last row are what each term adds.
    """
    place = np.full(terms.needs.max(initial=0) + 2, len(sequence))
    place[sequence] = np.arange(len(sequence))
    place[-1] = -1
    arrival = place[terms.needs].max(axis=1)
    order = np.argsort(arrival, kind="stable")
    order = order[arrival[order] < len(sequence)]
    taken = np.append(order, len(terms.needs))
    scaled = moments[np.ix_(taken, taken)] / moments[0, 0]
    scaled[np.diag_indices(len(order))] += RIDGE * (order > 0)
    last = np.linalg.cholesky(scaled)[-1]
    gained = np.cumsum(last[1:-1] ** 2) / (scaled[-1, -1] - last[0] ** 2)
    ends = np.searchsorted(arrival[order], np.arange(len(sequence)), side="right") - 2
    return np.where(ends < 0, 0.0, gained[np.maximum(ends, 0)]) if len(gained) else np.zeros(len(sequence))


def order_error(each: Floats, players: int) -> Floats:
    """Return the standard error of means over random orders, in pairs; none where they are all orders."""
    if len(each) == math.factorial(players):
        return np.zeros(each.shape[1])
    pairs = each.reshape(len(each) // 2, 2, -1).mean(axis=1)
    return np.asarray(pairs.std(axis=0, ddof=1) / math.sqrt(len(pairs)))


def orders(players: int, rng: np.random.Generator) -> Integers:
    """Return orders of players, ``(order, player)``: all, or random ones, each followed by its reverse."""
    if math.factorial(players) <= FEW:
        return np.array(list(itertools.permutations(range(players))), dtype=np.intp)
    half = np.stack([rng.permutation(players) for _ in range(ORDERS // 2)])
    return np.stack([half, half[:, ::-1]], axis=1).reshape(ORDERS, players)


# ---------------------------------------------------------------------------------------------
# The polynomial


def polynomial(players: Sequence[Floats]) -> Terms | None:
    """Return the richest polynomial that the number of draws supports, or None."""
    draws = len(players[0])
    for kind in (PAIRS, CUBIC, LINEAR):
        found = list(terms_of(players, kind))
        if (1 + len(found)) * DRAWS_PER_TERM < draws:
            values = np.column_stack([np.ones(draws), *(values for values, _ in found)])
            return Terms(values, np.array([(-1, -1), *(needs for _, needs in found)], dtype=np.intp), kind)
    return None


def terms_of(players: Sequence[Floats], kind: str) -> Iterator[tuple[Floats, tuple[int, int]]]:
    """Yield terms, each of mean 0 and variance 1, with the players that they need."""
    scores = [normal_scores(player) for player in players]
    for number, (player, score) in enumerate(zip(players, scores, strict=True)):
        for power in (1,) if kind == LINEAR or is_fact(player) else (1, 2, 3):
            yield standard(score**power), (number, number)
    for (a, first), (b, second) in itertools.combinations(enumerate(scores), 2) if kind == PAIRS else ():
        yield standard(first * second), (a, b)


def is_fact(player: Floats) -> bool:
    """Whether a player is a disputed fact: true or false in each draw."""
    return bool(np.isin(player, (0.0, 1.0)).all())


def normal_scores(player: Floats) -> Floats:
    """Return the normal scores of ranks (van der Waerden), or a fact centred on its mean."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    if is_fact(player):
        return np.asarray(player - player.mean())
    return np.asarray(ndtri(rankdata(player) / (len(player) + 1)))


def standard(values: Floats) -> Floats:
    """Return values moved and scaled to mean 0 and variance 1."""
    return np.asarray((values - values.mean()) / values.std())
