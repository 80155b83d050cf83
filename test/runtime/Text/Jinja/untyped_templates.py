"""Random templates of a grammar without types: four of five are errors."""

NAMES = ["a", "b", "c", "x", "y", "undef"]
STRINGS = ["''", "'ab'", "' Ab\\n'", "'<|x|>'", "'é日'", "\"it's\"", "'1'", "'a,b,c'", "'4.5'"]
FILTERS = ["upper", "lower", "trim", "length", "string", "list", "first", "last", "sort", "reverse", "join", "join(',')",
           "default('d')", "default('d', true)", "int", "float", "tojson", "title", "capitalize", "unique|list", "sum", "max",
           "min", "map('string')|list", "map('upper')|join('-')", "select|list", "reject('none')|list", "select('string')|list",
           "replace('a', 'bb')", "abs", "round", "indent(2)", "batch(2)|list", "items|list", "dictsort", "e", "safe", "count",
           "tojson(indent=2)", "center(6)", "truncate(4, true, '', 0)", "wordcount", "map(attribute='k')|list", "selectattr('k')|list"]
TESTS = ["defined", "undefined", "none", "string", "number", "mapping", "iterable", "sequence", "odd", "even", "true", "boolean",
         "integer", "float", "in [1, 'ab']", "eq 1", "divisibleby 2", "not defined", "not none", "lower"]
METHODS = ["upper()", "strip()", "split()", "split(',')", "lower()", "startswith('a')", "items()", "keys()|list", "get('k')",
           "get('k', 3)", "replace('a', '')", "title()", "isdigit()", "rstrip('b')", "count('a')", "find('b')", "append(1)", "splitlines()"]
OPERATORS = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">", "<=", ">=", "and", "or", "in", "not in"]
TEXTS = ["", " ", "\n", "  \n", "text", "\n  ", " t\n", "\t", "\n\n"]
VALUES = [0, 1, 7, -3, 2.5, "", "ab", " x\ny ", "Zé", None, True, False, [], [1, 2, 3], ["b", "a", "B"], {}, {"k": 1, "j": "v"},
          [{"k": 1}, {"k": 0}], [[1, 2], [3]]]


class Maker:
    """A template, and the variables it sees, in `variables`."""

    def __init__(self, rng):
        self.rng = rng
        self.macros = []
        self.variables = {name: rng.choice(VALUES) for name in NAMES[:5] if rng.random() < 0.9}

    def pick(self, *choices):
        return self.rng.choice(choices)

    def atom(self):
        rng = self.rng
        return self.pick(rng.choice(NAMES), rng.choice(NAMES), rng.choice(STRINGS), str(rng.randint(-2, 12)),
                         self.pick("1.5", "0.1", "true", "none", "[]", "{}"), rng.choice(NAMES))

    def expression(self, depth=0):
        rng = self.rng
        if depth > 3 or rng.random() < 0.2:
            return self.atom()
        inner = lambda: self.expression(depth + 1)  # noqa: E731
        kind = rng.randrange(14)
        if kind < 3:
            return f"({inner()} {rng.choice(OPERATORS)} {inner()})"
        if kind < 6:
            return f"{inner()}|{rng.choice(FILTERS)}" if rng.random() < 0.5 else f"({inner()})|{rng.choice(FILTERS)}"
        if kind == 6:
            return f"({inner()} is {rng.choice(TESTS)})"
        if kind == 7:
            return f"({inner()} if {inner()} else {inner()})" if rng.random() < 0.7 else f"({inner()} if {inner()})"
        if kind == 8:
            return f"{self.atom()}.{self.pick('k', 'j', rng.choice(METHODS), rng.choice(METHODS))}"
        if kind == 9:
            return f"{self.atom()}[{self.pick('0', '-1', inner(), chr(39) + 'k' + chr(39))}]"
        if kind == 10:
            # Jinja2 itself folds a slice of a constant, which then is undefined.
            return f"{rng.choice(NAMES)}[{self.pick('', '0', '1', '-2')}:{self.pick('', '2', '-1')}{self.pick('', ':', ':2', ':-1')}]"
        if kind == 11:
            return self.pick(f"[{inner()}, {inner()}]", f"({inner()}, {inner()})", f"{{'k': {inner()}, 'z': {inner()}}}", f"range({self.pick('3', '2', '0')})|list")
        if kind == 12:
            return self.pick(f"not {inner()}", f"-{self.atom()}", f"{inner()}")
        return f"{rng.choice(self.macros)}({inner()})" if self.macros else self.atom()

    def tag(self, text):
        return self.pick("{%", "{%", "{%-", "{%+") + f" {text} " + self.pick("%}", "%}", "-%}", "+%}")

    def output(self):
        return self.pick("{{", "{{", "{{-") + f" {self.expression()} " + self.pick("}}", "}}", "-}}")

    def block(self, depth=0, loop=False):
        return "".join(self.statement(depth, loop) for _ in range(self.rng.randint(1, 4)))

    def statement(self, depth, loop):
        rng = self.rng
        kind = rng.randrange(15) if depth < 3 else rng.randrange(5)
        inner = lambda in_loop=loop: self.block(depth + 1, in_loop)  # noqa: E731
        if kind < 2:
            return rng.choice(TEXTS)
        if kind < 5:
            return self.output()
        if kind < 7:
            other = self.pick("", self.tag("else") + inner(), self.tag(f"elif {self.expression()}") + inner())
            return self.tag(f"if {self.expression(1)}") + inner() + other + self.tag("endif")
        if kind < 9:
            over = self.pick(f"[{self.atom()}, {self.atom()}]", rng.choice(NAMES), "range(3)", self.expression(2))
            test = self.pick("", "", f" if {self.expression(3)}")
            shown = self.pick("", "{{ loop.index }}", "{{ loop.last }}", "{{ loop.previtem }}", "{{ loop.length }}")
            other = self.pick("", "", self.tag("else") + inner())
            return self.tag(f"for x in {over}{test}") + shown + inner(True) + other + self.tag("endfor")
        if kind < 11:
            return self.tag(f"set {rng.choice(NAMES[:5])} = {self.expression()}")
        if kind == 11:
            return self.tag(f"set {rng.choice(NAMES[:5])}") + inner() + self.tag("endset")
        if kind == 12:
            return self.tag(f"with y = {self.expression(2)}") + inner() + self.tag("endwith")
        if kind == 13:
            if loop and rng.random() < 0.5:
                return self.tag(f"if {self.expression(2)}") + self.tag(self.pick("break", "continue")) + self.tag("endif")
            return self.tag(f"filter {self.pick('upper', 'trim', 'length', 'indent(1)')}") + inner() + self.tag("endfilter")
        name = f"m{len(self.macros)}"
        text = self.tag(f"macro {name}(y, b={self.atom()})") + inner(False) + self.tag("endmacro")
        self.macros.append(name)
        return text
