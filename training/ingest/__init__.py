"""Files in and out: exports of any size become a sorted, validated attempt history."""
