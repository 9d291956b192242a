"""Why an attempt failed: raw codes of networks, processors and bank rails read into the words of the field."""
