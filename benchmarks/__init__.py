"""Where the figures in README.md and docs/ come from: ratios in one run, against a peer or a floor."""
