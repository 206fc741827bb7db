"""What objects and plugins may hold, for those who ask: schemas, the list of plugins, and a check of one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jwtgate.dialects.apisix.admin.asked import Asked
from jwtgate.dialects.apisix.admin.replies import Wrong, told, wrong
from jwtgate.dialects.apisix.admin.resources import resource_named
from jwtgate.dialects.apisix.objects import check
from jwtgate.dialects.apisix.schema.plugins import PLUGINS
from jwtgate.dialects.apisix.schema.resources import RESOURCE_SCHEMAS
from jwtgate.dialects.dialect import Objects, Reply
