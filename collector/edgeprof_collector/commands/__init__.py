"""The subcommands of `edgeprof`, one file each."""
