"""Write side of jobs: the scheduler's lease and the status of each job."""
