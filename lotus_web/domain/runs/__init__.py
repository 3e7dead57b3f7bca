"""Rules of runs: recorded engine runs: simulated, recorded, looked up, replayed and compared."""
