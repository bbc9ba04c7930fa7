"""Who computes the shards: one file an executor. A new one needs `map(function, tasks)`, and nothing else."""
