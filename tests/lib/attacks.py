"""All attacks: each file of them puts its own into the list."""

from . import attacks_frames, attacks_grpc, attacks_headers, attacks_http
from .attack import ATTACKS, Ports, known_as, run

__all__ = ["ATTACKS", "Ports", "known_as", "run", "attacks_frames", "attacks_grpc", "attacks_headers", "attacks_http"]
