"""What a task's tests are given."""
