"""Exports of payment processors and billing systems, read into the attempt history."""
