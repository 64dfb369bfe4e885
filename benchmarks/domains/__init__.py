"""Which public data each task of a domain is run on, and with which settings."""
