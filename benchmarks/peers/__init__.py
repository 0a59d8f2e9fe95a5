"""The same question answered with other tools."""
