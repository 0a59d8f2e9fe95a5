"""Expressions about quantities of a run, from text to a tree: a small grammar, read by recursive descent.

::

    statement  = conjunct {"or" conjunct}
    conjunct   = negation {"and" negation}
    negation   = "not" negation | comparison
    comparison = sum [("<" | "<=" | ">" | ">=") sum {…}]
    sum        = product {("+" | "-") product}
    product    = factor {("*" | "/") factor}
    factor     = ("-" | "+") factor | number | name | call | "(" statement ")"
    call       = function "(" statement {"," statement} ["|" statement] ")"

A number may have a suffix, a unit or a dollar sign: ``1.6 bn``, ``30k GPU``, ``$500M``, ``2 USD/GPU-hour``. A name is
that of a quantity or a TOML path, with an index where it has one: ``run_cost[r1]``. Names are those that the caller
knows, the longest first, since paths hold hyphens (``runs.v3-context.gpu_hours``) that otherwise mean minus.

Nothing is evaluated here, and nothing in a text is ever executed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from simulate.elicitation import LARGEST, SUFFIXES
from simulate.units import UnitError, parsed

MOST_CHARACTERS = 1000
MOST_TOKENS = 200
DEEPEST = 40
"""Parentheses, signs and functions inside one another."""

STATISTICS = ("P", "E", "mean", "median", "sd")
QUANTILE = re.compile(r"q(?P<percent>[0-9]{1,2}(?:\.[0-9]+)?)")
OPERATIONS = ("min", "max", "sum", "log")
WORDS = ("and", "or", "not")

SPACE = re.compile(r"\s*")
NUMERAL = re.compile(r"(?P<dollar>\$\s*)?(?P<digits>(?:[0-9]+(?:_[0-9]+)*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)")
SUFFIX = re.compile(r"\s*(?P<suffix>(?:bn|[kKMBT])(?![A-Za-z0-9_])|%)")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_-]+)*")
ATOM = re.compile(r"(?P<joint>\s*[/*-]\s*|\s*)(?P<atom>[A-Za-z_]+)(?![A-Za-z0-9_.(])")
INDEX = re.compile(r"\s*\[(?P<label>[^\[\]]*)\]")
SYMBOL = re.compile(r"<=|>=|==|!=|\*\*|[-+*/<>(),|]")
NAME_GOES_ON = re.compile(r"[A-Za-z0-9_.]")


@dataclass(eq=False)
class Flaw(Exception):
    """What is wrong with an expression, and where: ``start`` is a position in its text."""

    start: int
    found: str
    mend: str = ""


@dataclass(frozen=True)
class Node:
    """A part of an expression, and the places in the text where it starts and ends."""

    start: int
    end: int


@dataclass(frozen=True)
class Number(Node):
    """A number; ``unit`` is empty where none is given."""

    value: float
    unit: str


@dataclass(frozen=True)
class Name(Node):
    """A quantity, an unknown or a disputed fact, with its index or none."""

    name: str
    index: str

    @property
    def address(self) -> str:
        return f"{self.name}[{self.index}]" if self.index else self.name


@dataclass(frozen=True)
class Operation(Node):
    """A sign, an arithmetic or logical operation or a comparison, of one or two operands."""

    symbol: str
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Call(Node):
    """A function of its arguments; a statistic may hold under a condition."""

    function: str
    arguments: tuple[Node, ...]
    condition: Node | None

    @property
    def is_statistic(self) -> bool:
        return self.function in STATISTICS or bool(QUANTILE.fullmatch(self.function))


@dataclass(frozen=True)
class Token:
    """A word, number or sign of the text; a number and a name come as the nodes that they are."""

    kind: str
    text: str
    start: int
    end: int
    node: Node | None = None


def parse(text: str, names: Collection[str]) -> Node:
    """Return the tree of an expression about quantities of these names.

    Raises `Flaw` at the first place where the text is no expression.
    """
    if len(text) > MOST_CHARACTERS:
        raise Flaw(MOST_CHARACTERS, f"longer than {MOST_CHARACTERS:,} characters", "ask several questions")
    tokens = list(scan(text, sorted(names, key=len, reverse=True)))
    if len(tokens) > MOST_TOKENS:
        raise Flaw(tokens[MOST_TOKENS].start, f"more than {MOST_TOKENS} words and signs", "ask several questions")
    return Parsing(tokens).whole()


# ---------------------------------------------------------------------------------------------
# Words, numbers and signs


def scan(text: str, names: Collection[str]) -> Iterator[Token]:
    """Yield the tokens of a text, an end last; ``names`` are the known ones, the longest first."""
    place = 0
    while (place := skip(text, place)) < len(text):
        token = numeral(text, place, names) or word(text, place, names) or symbol(text, place)
        yield token
        place = token.end
    yield Token("end", "", place, place)


def skip(text: str, place: int) -> int:
    """Return where the next thing after white space starts."""
    found = SPACE.match(text, place)
    return found.end() if found else place


def numeral(text: str, place: int, names: Collection[str]) -> Token | None:
    """Return the number that stands at a place, with its suffix and unit, or None."""
    if not (found := NUMERAL.match(text, place)):
        return None
    end, suffix, unit = found.end(), "", "USD" if found["dollar"] else ""
    if match := SUFFIX.match(text, end):
        end, suffix = match.end(), match["suffix"]
    if suffix == "%" and not unit:
        suffix, unit = "", "percent"
    value = float(found["digits"].replace("_", "")) * SUFFIXES[suffix]
    if value > LARGEST:
        raise Flaw(place, "no amount of anything here", f"nothing is above {LARGEST:g}")
    if re.match(r",[0-9]{3}(?![0-9])", text[end:]) and not suffix:
        raise Flaw(end, "a comma in a number", "write 10_000 or 10k; a comma parts the arguments of a function")
    unit, end = unit_at(text, end, unit, names)
    return Token("number", text[place:end], place, end, Number(place, end, value, unit))


def unit_at(text: str, place: int, unit: str, names: Collection[str]) -> tuple[str, int]:
    """Return the unit that goes on from ``unit`` at a place after a number, and where it ends."""
    while found := ATOM.match(text, place):
        atom, joint = found["atom"], found["joint"].strip()
        if atom in names or atom in WORDS or bool(joint) != bool(unit) or not is_unit(atom):
            if not unit and not joint and atom not in names and atom not in WORDS:
                close = atom.upper() if is_unit(atom.upper()) else "USD, GPU, GPU-hour, kW, year …"
                mend = f"write {close}, or an operation before a name"
                raise Flaw(found.start("atom"), f"no unit {atom[:40]!r}", mend)
            break
        unit, place = f"{unit}{joint}{atom}", found.end()
    return unit, place


def is_unit(text: str) -> bool:
    try:
        parsed(text)
    except UnitError:
        return False
    return True


def word(text: str, place: int, names: Collection[str]) -> Token | None:
    """Return the name, function or logical word that stands at a place, or None."""
    known = (name for name in names if text.startswith(name, place) and not NAME_GOES_ON.match(text, place + len(name)))
    found = WORD.match(text, place)
    if not found:
        return None
    name = next(known, found[0])
    end = place + len(name)
    if name in WORDS:
        return Token(name, name, place, end)
    if text.startswith("(", skip(text, end)):
        return Token("function", name, place, end)
    index = INDEX.match(text, end)
    end = index.end() if index else end
    label = index["label"].strip() if index else ""
    return Token("name", name, place, end, Name(place, end, name, label))


def symbol(text: str, place: int) -> Token:
    """Return the sign that stands at a place; raises `Flaw` where there is none."""
    if found := SYMBOL.match(text, place):
        return Token(found[0], found[0], place, found.end())
    raise Flaw(place, f"{text[place]!r} has no meaning here", "quantities, numbers, + - * / ( ) < > and functions do")


# ---------------------------------------------------------------------------------------------
# The tree


@dataclass
class Parsing:
    """Reads tokens into a tree, from the left."""

    tokens: list[Token]
    place: int = 0
    depth: int = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self, *kinds: str) -> Token | None:
        """Return the next token and go past it, where it is of one of these kinds."""
        token = self.next
        if token.kind not in kinds:
            return None
        self.place += 1
        return token

    def need(self, kind: str, mend: str) -> Token:
        if token := self.take(kind):
            return token
        raise self.unexpected(mend)

    def unexpected(self, mend: str) -> Flaw:
        token = self.next
        found = "the expression ends too early" if token.kind == "end" else f"{token.text[:40]!r} cannot stand here"
        return Flaw(token.start, found, mend)

    def whole(self) -> Node:
        tree = self.statement()
        if self.next.kind == "|":
            raise self.unexpected("a condition stands inside a statistic, as in P(company > 2bn | fleet.h100.exists)")
        self.need("end", "put an operation such as + - * / < > before it")
        return tree

    def statement(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Flaw(self.next.start, f"nested more than {DEEPEST} deep", "ask several questions")
        tree = self.row(self.conjunct, "or")
        self.depth -= 1
        return tree

    def row(self, part: Callable[[], Node], *joints: str) -> Node:
        """Return parts joined by some operations, from the left."""
        tree = part()
        while joint := self.take(*joints):
            other = part()
            tree = Operation(tree.start, other.end, joint.kind, (tree, other))
        return tree

    def conjunct(self) -> Node:
        return self.row(self.negation, "and")

    def negation(self) -> Node:
        signs = []
        while sign := self.take("not"):
            signs.append(sign)
        tree = self.comparison()
        for sign in reversed(signs):
            tree = Operation(sign.start, tree.end, "not", (tree,))
        return tree

    def comparison(self) -> Node:
        """Return a sum, or sums compared; ``a < b < c`` is ``a < b and b < c``."""
        left = self.sum()
        tree: Node | None = None
        while sign := self.take("<", "<=", ">", ">="):
            right = self.sum()
            link = Operation(left.start, right.end, sign.kind, (left, right))
            tree = Operation(tree.start, right.end, "and", (tree, link)) if tree else link
            left = right
        if self.next.kind in ("==", "!="):
            raise self.unexpected("draws are never equal; write < or >, and the name alone for a disputed fact")
        return tree or left

    def sum(self) -> Node:
        return self.row(self.product, "+", "-")

    def product(self) -> Node:
        tree = self.row(self.factor, "*", "/")
        if self.next.kind == "**":
            raise self.unexpected("there are no powers; multiply")
        return tree

    def factor(self) -> Node:
        signs = []
        while sign := self.take("-", "+"):
            signs.append(sign)
        tree = self.atom()
        for sign in reversed(signs):
            tree = Operation(sign.start, tree.end, "minus" if sign.kind == "-" else "plus", (tree,))
        return tree

    def atom(self) -> Node:
        if (token := self.take("number", "name")) and token.node:
            return token.node
        if token := self.take("function"):
            return self.call(token)
        if opened := self.take("("):
            tree = self.statement()
            return replace(tree, start=opened.start, end=self.need(")", "close the parenthesis").end)
        raise self.unexpected("a quantity, a number, a function or a parenthesis can")

    def call(self, function: Token) -> Call:
        self.need("(", "open a parenthesis")
        arguments = [self.statement()]
        while self.take(","):
            arguments.append(self.statement())
        condition = self.statement() if self.take("|") else None
        end = self.need(")", "close the parenthesis").end
        return Call(function.start, end, function.text, tuple(arguments), condition)
