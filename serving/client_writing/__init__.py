"""Writes the shapes and the operations of `serving.client` from the OpenAPI document, for `recoup openapi`."""
