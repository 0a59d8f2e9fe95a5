"""What a reader has changed on the page of `simulate explore`, as the query of its address holds it.

::

    set=fleet.h800.count=3000 to 15000    an interval of 90 %, or one value, in the unit of the place
    set=fleet.h100.exists=false           a disputed fact: true, false, or its probability
    off=semianalysis-h100                 a claim (or the stated hours of a run) without weight
    on=wang                               a claim that the file only shows, as evidence
    of=3f2a91bc                           the digest of the prior file that was changed

Nothing else can be changed from a page, whatever its address says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from simulate.errors import Fault, InputError

MOST = 1000
"""Changes that a page takes."""

LONGEST = 300
"""Characters of a change."""

KEYS = ("set", "off", "on", "of")


@dataclass(frozen=True)
class Changes:
    """Entries and facts by path as they were typed, and whether claims have weight, by name."""

    entries: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, bool] = field(default_factory=dict)
    of: str = ""

    def __bool__(self) -> bool:
        return bool(self.entries or self.claims)

    def query(self) -> str:
        """Return the query of an address that holds these changes.

        >>> Changes({"scope.horizon": "3"}, {"wang": True}).query()
        'set=scope.horizon%3D3&on=wang'
        """
        parts = [("set", f"{path}={text}") for path, text in self.entries.items()]
        parts += [("on" if used else "off", name) for name, used in self.claims.items()]
        return urlencode([*parts, *([("of", self.of)] if self.of else [])])


def read(query: str) -> Changes:
    """Return the changes that a query holds. Raises `InputError` with all that is wrong with it."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST, errors="strict")
    except ValueError:
        raise InputError("changes", [Fault("address", "cannot be read", "take the address of a page")]) from None
    faults = [
        Fault(key[:40] if key not in KEYS else value[:40], "is no change", "change what has a control on the page")
        for key, value in pairs
        if key not in KEYS or len(value) > LONGEST or (key == "set") != ("=" in value)
    ]
    if faults:
        raise InputError("changes", faults)
    given = [value.partition("=")[::2] for key, value in pairs if key == "set"]
    return Changes(
        {path.strip(): text.strip() for path, text in given},
        {value: key == "on" for key, value in pairs if key in ("on", "off")},
        next((value for key, value in pairs if key == "of"), ""),
    )
