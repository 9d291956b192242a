"""The raw scores of boosted trees, LightGBM's to the bit but many times faster for rows that are alike."""
