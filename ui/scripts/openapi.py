"""Writes the description of the HTTP interface to standard output, as JSON: what the page's types are made of."""

import json
import sys
from typing import cast

from api.app import create_app
from api.settings import ServerSettings
from tuner.service import Tuner

# Routes are only described, never asked: they need no tuner behind them.
app = create_app(cast(Tuner, None), None, server=ServerSettings())
json.dump(app.openapi(), sys.stdout)
