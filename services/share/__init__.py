"""Cards to share: what stands on them, how they are drawn, and the pictures made of them."""
