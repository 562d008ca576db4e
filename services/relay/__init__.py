"""The outbox, published in order."""
