"""What planning several attempts ahead needs: the recursion, beliefs after declines that have not happened, room."""
