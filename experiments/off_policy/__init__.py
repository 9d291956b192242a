"""What a policy would have been worth, read off a log that another policy made."""
