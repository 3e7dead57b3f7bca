"""The settings of callbacks (ADR 0020); part of ``Settings``, which lists and reads them."""

from __future__ import annotations

from lotus_web.config.setting_types import Setting
from lotus_web.domain.deliveries.addresses import Network, parse_networks
from lotus_web.domain.deliveries.signing import parse_secrets


class DeliverySettings:
    """How a deployment signs callbacks and where they may go."""

    callback_secrets = Setting[tuple[str, ...]](
        "LOTUS_CALLBACK_SECRETS",
        (),
        parse_secrets,
        "a comma-separated list of whsec_ and the base64 of 24 to 64 bytes",
        "sign callbacks of operations, each with all of them (Standard Webhooks); empty: no callbacks",
        secret=True,
    )
    callback_networks = Setting[tuple[Network, ...]](
        "LOTUS_CALLBACK_NETWORKS",
        (),
        parse_networks,
        "a comma-separated list of networks, such as 10.2.0.0/16",
        "addresses that callbacks may go to though they are not public, on any port",
    )
