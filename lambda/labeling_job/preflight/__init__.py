"""What is read and checked before a job is created: nothing is paid for until the data has been read."""
