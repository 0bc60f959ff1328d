"""Whether an OTLP endpoint for traces does what the specification says, a row a clause."""
