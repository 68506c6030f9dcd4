"""What judges an answer. It knows no chapter."""
