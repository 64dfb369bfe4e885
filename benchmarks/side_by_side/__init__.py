"""The speed benchmark's parts: what is trained and scored, by which systems, and how that is measured."""
