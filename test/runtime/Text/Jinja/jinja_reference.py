"""Jinja2 as the transformers library sets it up, for tests of the runtime's interpreter."""

import copy
import datetime
import json
import warnings

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

warnings.simplefilter("ignore", SyntaxWarning)  # of the code that Jinja2 makes
NOW = datetime.datetime(2024, 7, 26, 12, 0)


class Generation(jinja2.ext.Extension):
    """{% generation %}: its block is a call's, with a scope of its own."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_write"), [], [], body).set_lineno(line)

    @jinja2.pass_eval_context
    def _write(self, context, caller):
        return caller()


class Raised(jinja2.exceptions.TemplateError):
    """What raise_exception does."""


def raise_exception(message):
    raise Raised(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def make_environment():
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = NOW.strftime
    return environment


ENVIRONMENT = make_environment()


def render(source, variables):
    """{"text"}, {"raises"} or {"error"}, as render-template answers."""
    try:
        # A copy, for `indent` of a list changes the list.
        return {"text": ENVIRONMENT.from_string(source).render(**copy.deepcopy(variables))}
    except Raised as error:
        return {"raises": str(error)}
    except Exception as error:  # whatever Python says of a template's mistake
        return {"error": f"{type(error).__name__}: {error}"}
