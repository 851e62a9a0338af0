"""The offline model, which answers where none is set: a small grammar, through the same tools and approvals."""

from agent.offline.model import OfflineModel

__all__ = ["OfflineModel"]
