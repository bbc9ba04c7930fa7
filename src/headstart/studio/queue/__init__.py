"""What to look at next: questions about labels, each with a suggestion, a reason, and an answer by one key."""
