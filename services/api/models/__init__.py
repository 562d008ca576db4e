"""The answers as OpenAPI shows them; tests hold the answers against these models."""
