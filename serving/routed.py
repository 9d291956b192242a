"""The addresses of an application, as its routes describe them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import compile_path


@dataclass(frozen=True, slots=True)
class Routed:
    """One route.

    Args:
        looks: What its addresses look like.
        template: The same with its ids in braces.
        methods: The HTTP methods that it takes.
    """

    looks: re.Pattern[str]
    template: str
    methods: frozenset[str]


def routed_in(app: Starlette) -> Iterator[Routed]:
    """Every route of an application, those of included routers among them."""
    for included in app.routes:
        router = getattr(included, "original_router", None)
        for route in (included,) if router is None else router.routes:
            looks, template, _ = compile_path(getattr(route, "path", ""))
            methods: set[str] = getattr(route, "methods", None) or set()
            yield Routed(looks, template, frozenset(methods))


def methods_at(app: Starlette, path: str) -> tuple[str, ...]:
    """The methods that are taken at an address, by name; of routes with ids only where no other is."""
    here = [one for one in routed_in(app) if one.looks.match(path)]
    exact = [one for one in here if one.template == path]
    return tuple(sorted({method for one in exact or here for method in one.methods}))
