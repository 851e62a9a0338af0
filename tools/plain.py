"""Short text from elsewhere, inside an answer or an error: clean, without secrets, no longer than agreed."""

from collections.abc import Iterable

from tools.untrusted import disarmed
from tuner.logs.cleaning import printable
from tuner.logs.redaction import redact


def plain(text: str | None, limit: int, known: Iterable[str] = ()) -> str:
    """At most `limit` characters of it, and a note of how many were left out."""
    cleaned = redact(disarmed(printable(text or "")).strip(), known)
    rest = len(cleaned) - limit
    return cleaned if rest <= 0 else f"{cleaned[:limit].rstrip()} … ({rest:,} more characters)"
