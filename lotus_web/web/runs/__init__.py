"""Pages of runs: how they are simulated, recorded, looked up, replayed and compared."""
