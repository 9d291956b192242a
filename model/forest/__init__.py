"""The raw scores of boosted trees, to the bit as LightGBM adds them up but many times faster for rows that are alike."""
