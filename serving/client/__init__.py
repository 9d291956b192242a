"""A typed client of Recoup that imports nothing else of it: to be used from here, or copied as a folder."""

from serving.client.client import AsyncRecoup as AsyncRecoup
from serving.client.client import Recoup as Recoup
