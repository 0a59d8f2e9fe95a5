"""Credible intervals for what an AI lab really spent, from a file of priors and published claims."""

__version__ = "0.1.0"
