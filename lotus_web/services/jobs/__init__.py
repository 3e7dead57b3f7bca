"""Write side of jobs: the scheduler's lease and the record of job runs."""
