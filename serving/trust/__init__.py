"""Who answers, when the model cannot be relied upon, and how models come and go while the service runs."""
