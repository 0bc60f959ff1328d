"""What the scenarios share: real processes, real clients, and an independent reading of both ends."""
