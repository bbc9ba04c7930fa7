"""What is wrong with a collection: copies, leaks, label issues, odd files. Changes nothing of the user's."""
