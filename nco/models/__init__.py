"""Networks that see tensors only, and the policies that ship (`weights/`)."""
