"""The model that answers where none is set: a small grammar of plain words, through the same tools and approvals."""

from agent.offline.model import OfflineModel

__all__ = ["OfflineModel"]
