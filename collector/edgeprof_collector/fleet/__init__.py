"""Remote runs as a person sees them: how they go on, and what came of them."""
