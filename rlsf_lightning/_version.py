"""The version, importable without the package's root."""

__version__ = "0.1.0"
