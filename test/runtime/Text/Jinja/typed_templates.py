"""Random templates of a grammar whose expressions have types, so that nearly all of them run.

A rule is an expression with holes: <text> is any expression of that type, <$text> a variable of it.
"""

import re

STATED = {  # variables of each case, and values of one of them
    "text": ["", "ab", " x\ny ", "Zé", "it's a <b>", "well-known co-op", "a,b,,c", "4.5", "-17", "ΑΣ 日本", "<|im_end|>", "B b\tB"],
    "int": [0, 1, 7, -3, 12, 255], "float": [2.5, -0.125, 1e16, 0.1, 3.0], "bool": [True, False],
    "texts": [[], ["b", "a", "B"], ["x y", "", "é", "b"], ["1", "22", "1"]], "ints": [[], [1, 2, 3], [5, -1, 5, 0], [10]],
    "rows": [[], [{"k": "x", "v": 3}, {"k": "Y", "v": 0}, {"k": "x", "v": 1}], [{"k": "", "v": 2}]],
    "row": [{"k": "x", "v": 1}, {"v": -2, "k": " é"}],
    "dict": [{}, {"b": 1, "a": "x"}, {"q": [1, None], "B": {"z": 2.5}, "a": True}],
}  # fmt: skip
ATOMS = {
    "text": ["''", "'ab'", "' Ab\\n'", "'é日'", "\"it's\"", "'a,b,c'", "'-'"], "int": ["0", "1", "2", "-3", "10"],
    "float": ["1.5", "0.1", "2.0"], "bool": ["true", "false"], "texts": ["[]", "['b', 'a']", "['x']"], "ints": ["[]", "[3, 1, 2]", "[0]"],
    "rows": ["[{'k': 'x', 'v': 1}]"], "row": ["{'k': 'x', 'v': 1}"], "dict": ["{}", "{'a': 1}"], "small": ["0", "1", "2", "3"],
    "nonzero": ["1", "2", "-2", "3"], "positive": ["1", "2", "3"], "width": ["1", "4", "9", "12"], "sep": ["','", "' '", "'b'", "'-'"],
}  # fmt: skip
RULES = {
    "text": """<any> ~ <any>; <text> ~ <text>; <text> + <text>; <text> * <small>; <text>|upper; <text>|lower; <text>|title; <text>|capitalize
        <text>|trim; <text>|trim(<text>); <text>|replace(<text>, <text>); <text>|replace(<sep>, <text>, <small>); <text>|indent(<small>, <bool>)
        <text>|truncate(8, <bool>, '..', 0); <text>|truncate(<width>, true, '', <small>); <text>|center(<width>); <text>|wordwrap(<width>, <bool>)
        <text>|reverse; <text>|urlencode; <text>|e; <text>|safe; <text>|string; <any>|string; <any>|tojson; <dict>|tojson(indent=<small>)
        <dict>|tojson(sort_keys=<bool>, separators=(',', ':')); <dict>|xmlattr(<bool>); <number>|filesizeformat(<bool>); (<$text>|replace('&', '+'))|striptags
        <text>.upper(); <text>.lower(); <text>.title(); <text>.swapcase(); <text>.capitalize(); <text>.strip(); <text>.lstrip(<text>); <text>.casefold()
        <text>.rstrip(<text>); <text>.replace(<text>, <text>); <text>.replace(<sep>, '', <small>); <text>.zfill(<width>); <text>.ljust(<width>, '.')
        <text>.rjust(<width>); <text>.center(<width>, '*'); <text>.removeprefix(<text>); <text>.removesuffix(<text>); <text>.expandtabs(<small>)
        <text>.partition(<sep>)|join('|'); <text>.rpartition(<sep>)|last; <text>.split(<sep>)|first; <text>.join(<texts>); <texts>|join(<text>)
        <ints>|join(<sep>); <rows>|join('+', attribute='k'); <$text>[<small>:<int>]; <$text>[::-1]; <$text>[<int>:]; (<$text>[<int>]|default('?'))
        (<texts>|first|default('e')); (<texts>|last|default(<text>, true)); (<texts>|max|default('-')); <row>.k; <row>['k']; <dict>.get('a', <text>)|string
        <text> if <bool> else <text>; '%s-%d' % (<any>, <int>); '%5.2f|%x' % (<number>, <small>); '%(k)s' % <row>; '{}:{:>6}'.format(<any>, <text>)
        '{:.2f} {:+d}'.format(<number>, <int>); '{a!r:<8}|'.format(a=<text>); '%s %s'|format(<any>, <text>); <none>|default(<text>, true)""",
    "int": """<int> + <int>; <int> - <int>; <int> * <small>; <int> // <nonzero>; <int> % <nonzero>; -<int>; +<int>; <text>|length; <texts>|count
        <dict>|length; <text>.count(<sep>); <text>.find(<text>); <text>.rfind(<sep>); <text>|int(<int>); <number>|int; <ints>|sum; (<ints>|max|default(0))
        (<ints>|min|default(<int>)); <row>.v; <rows>|sum(attribute='v', start=<int>); <int>|abs; <bool> + <int>; <text>|wordcount; 2 ** <small>
        <int> if <bool> else <int>; range(<small>)|sum; (<$ints>[<int>]|default(4)); <texts>.count(<text>); (<int>, <int>)|length; <text>|int(0, 16)""",
    "number": """<int>; <float>; <number> / <nonzero>; <number> + <number>; <number> - <int>; <number> * 0.5; <number>|round(<small>); <number> // <nonzero>
        <number>|round(1, 'floor'); <number>|round(0, 'ceil'); <text>|float(<number>); <int>|float; <number> % <nonzero>; <number>|abs; 2 ** -<small>""",
    "bool": """<any> == <any>; <text> == <text>; <any> != <any>; <text> in <text>; <text> in <texts>; <text> not in <dict>; <int> in <ints>; <int> < <int>
        <int> < <int> <= <int>; <number> >= <number>; <text> < <text>; <ints> <= <ints>; not <any>; <bool> and <bool>; <bool> or <bool>; <int> is odd
        <int> is even; <int> is divisibleby <nonzero>; <any> is string; <any> is mapping; <any> is sequence; <any> is iterable; <any> is number
        <any> is integer; <any> is float; <any> is boolean; <any> is none; <any> is not none; <any> is defined; undef is defined; <dict>.nope is undefined
        <row>.k is defined; <text> is lower; <text> is upper; <int> is gt <int>; <text> is in <texts>; <text> is eq(<text>); <text>.startswith(<text>)
        <text>.endswith((<text>, <sep>)); <text>.isdigit(); <text>.isalpha(); <text>.isspace(); <text>.isupper(); <text>.islower(); <text>.istitle()
        <text>.isalnum(); <text>.isascii(); <text>.isprintable(); <text> is escaped; <text> is filter; <bool> is true; <bool> if <bool> else <bool>""",
    "texts": """[<text>, <text>]; [<text>]; <text>.split(<sep>); <text>.split(); <text>.split(<sep>, <small>); <text>.rsplit(<sep>, <small>); <text>|list; <text>.rsplit(none, <small>)
        <text>.splitlines(<bool>); <texts> + <texts>; <texts> * <small>; <texts>|map('upper')|list; <texts>|map('replace', <text>, <text>)|list
        <texts>|sort; <texts>|sort(reverse=<bool>, case_sensitive=<bool>); <texts>|unique|list; <texts>|unique(<bool>)|list; <texts>|reverse|list
        <texts>|select|list; <texts>|select('ne', <text>)|list; <texts>|reject('in', <texts>)|list; <rows>|map(attribute='k')|list; <dict>|list
        <dict>.keys()|list; <$texts>[<int>:]; <$texts>[:<int>]; <$texts>[::-1]; <texts>|batch(<positive>)|map('join', '+')|list; <ints>|map('string')|list
        <texts>|slice(<positive>)|map('join')|list; <texts>|batch(<positive>, <text>)|map('join')|list; <rows>|groupby('k')|map('first')|list
        <rows>|map(attribute='u', default=<text>)|list; <texts> if <bool> else <texts>; <texts>|map('trim')|map('capitalize')|list; <dict>|dictsort|map('first')|list""",
    "ints": """[<int>, <int>]; [<int>]; range(<small>)|list; range(<small>, <int>, <nonzero>)|list; <ints> + <ints>; <ints>|sort; <ints>|sort(reverse=<bool>)
        <rows>|map(attribute='v')|list; <texts>|map('length')|list; <ints>|select('odd')|list; <ints>|reject('gt', <int>)|list; <ints>|unique|list
        <ints>|map('abs')|list; <$ints>[::-1]; <$ints>[<int>:<int>]; <text>|map('int')|list; <ints>|select('divisibleby', <nonzero>)|list; <ints>|reverse|list
        <rows>|groupby('v')|map(attribute='grouper')|list; <rows>|groupby('k')|map(attribute='list')|map('length')|list""",
    "rows": """<rows>|sort(attribute='v'); <rows>|sort(attribute='k,v', reverse=<bool>); <rows>|selectattr('v', 'odd')|list; <rows>|selectattr('v')|list
        <rows>|selectattr('k', 'equalto', <text>)|list; <rows>|rejectattr('k', 'in', <texts>)|list; <rows> + [<row>]; [<row>, <row>]; <$rows>[<small>:]
        <rows>|unique(attribute='k')|list; <rows>|reverse|list; (<rows>|groupby('k')|map('last')|first|default([])); <rows>|rejectattr('w', 'defined')|list""",
    "row": """{'k': <text>, 'v': <int>}; dict(k=<text>, v=<int>); (<rows>|first|default(<row>)); (<rows>|last|default(<row>)); dict(<row>, v=<int>)
        (<rows>|max(attribute='v')|default(<row>)); <row> if <bool> else <row>; <row>.copy(); (<$rows>[<int>]|default(<row>))""",
    "dict": """{<text>: <any>, 'z': <any>}; {'a': <any>}; dict(<dict>, q=<any>); dict(<dict>|dictsort); dict(<dict>.items()); dict(<dict>|items); <row>
        dict(<dict>|dictsort(<bool>, 'key', <bool>)); dict(**<row>); {}""",
    "any": """<text>; <int>; <number>; <bool>; <texts>; <ints>; <row>; <dict>; none; (<int>, <text>); (<any>,); <any> or <any>; <any> and <any>; <dict>.items()
        <dict>.values()|list; <dict>.a|default(<any>); <dict>['b']|default(<any>); <dict>|dictsort; <rows>|groupby('k'); [<any>, <any>]; range(<small>)
        <rows>; <texts>|slice(<positive>)|list; <texts>|batch(<positive>)|list; <text>.partition(<sep>)""",
    "none": "none",
}  # fmt: skip
RULES = {kind: [rule.strip() for rule in re.split(r"[;\n]", rules)] for kind, rules in RULES.items()}
ITEMS = {"texts": "text", "ints": "int", "rows": "row", "text": "text"}
TEXTS = ["", " ", "\n", "  \n", "text", "\n  ", " t\n", "\t", "\n\n", "{# c #}", "{% raw %}{{ x }}{% endraw %}"]
LOOP = ["{{ loop.index }}", "{{ loop.index0 }}/{{ loop.length }}", "{{ loop.first }}{{ loop.last }}", "{{ loop.revindex }}", "{{ loop.depth }}",
        "{{ ',' if not loop.last }}", "{{ loop.cycle('a', 'b') }}", "{{ loop.previtem is defined }}", "{{ loop.nextitem|default('end') }}",
        "{{ loop.changed(loop.index // 2) }}"]  # fmt: skip


class Maker:
    """A template, and the variables it sees, in `variables`."""

    def __init__(self, rng):
        self.rng = rng
        self.macros = []
        self.count = 0
        self.variables = {}
        self.names = {kind: [] for kind in STATED}
        for kind, values in STATED.items():
            for i in range(2):
                self.variables[f"{kind}_{i}"] = rng.choice(values)
                self.names[kind].append(f"{kind}_{i}")

    def add_name(self, kind):
        self.count += 1
        self.names[kind].append(f"{kind}_{self.count + 1}")
        return self.names[kind][-1]

    def atom(self, kind):
        names = self.names.get(kind)
        if names and (kind not in ATOMS or self.rng.random() < 0.75):
            return self.rng.choice(names)
        return self.rng.choice(ATOMS[kind])

    def expression(self, kind, depth=0):
        if kind not in RULES or ((kind in ATOMS) and self.rng.random() < 0.15 + 0.25 * depth):
            return self.atom(kind)
        rules = RULES[kind]
        rule = self.rng.choice(rules[:9] if kind == "any" and depth > 1 else rules)

        def fill(match):
            if match[1]:
                return self.rng.choice(self.names[match[2]])
            inner = self.expression(match[2], depth + 1)
            return inner if re.fullmatch(r"\w+|'\w*'|\[[^][]*\]", inner) else f"({inner})"

        return re.sub(r"<(\$?)(\w+)>", fill, rule)

    def tag(self, text):
        return self.rng.choice(["{%", "{%", "{%-", "{%+"]) + f" {text} " + self.rng.choice(["%}", "%}", "-%}", "+%}"])

    def scoped(self, depth, loop=False):
        """A block whose names end with it."""
        names = {kind: list(known) for kind, known in self.names.items()}
        macros = list(self.macros)
        text = self.block(depth + 1, loop)
        self.names, self.macros = names, macros
        return text

    def block(self, depth=0, loop=False):
        return "".join(self.statement(depth, loop) for _ in range(self.rng.randint(1, 4 - depth if depth < 3 else 1)))

    def statement(self, depth, loop):
        makers = [self.text, self.output, self.output, self.output]
        if depth < 3:
            makers += [self.branch, self.branch, self.repeat, self.repeat, self.set, self.set, self.set_block, self.with_block, self.filter_block,
                       self.macro, self.call, self.namespace, self.generation]  # fmt: skip
        if loop:
            makers.append(self.leave)
        return self.rng.choice(makers)(depth)

    def text(self, _):
        return self.rng.choice(TEXTS)

    def output(self, _=0):
        kind = self.rng.choice(["text", "text", "text", "int", "number", "bool", "any"])
        return self.rng.choice(["{{", "{{", "{{-"]) + f" {self.expression(kind)} " + self.rng.choice(["}}", "}}", "-}}"])

    def condition(self):
        return self.expression(self.rng.choice(["bool", "bool", "any"]), 1)

    def branch(self, depth):
        parts = [self.tag(f"if {self.condition()}") + self.scoped(depth)]
        if self.rng.random() < 0.3:
            parts.append(self.tag(f"elif {self.condition()}") + self.scoped(depth))
        if self.rng.random() < 0.5:
            parts.append(self.tag("else") + self.scoped(depth))
        return "".join(parts) + self.tag("endif")

    def repeat(self, depth):
        over = self.rng.choice([*ITEMS, "dict"])
        sequence = self.expression(over, 2)
        saved = {kind: list(known) for kind, known in self.names.items()}
        target = f"{self.add_name('text')}, w" if over == "dict" else self.add_name(ITEMS[over])
        sequence = f"({sequence}).items()" if over == "dict" else f"({sequence})"
        test = self.rng.choice(["", "", f" if {self.expression('bool', 2)}"])
        body = self.rng.choice(["", *LOOP]) + self.scoped(depth, True)
        self.names = saved
        other = self.rng.choice(["", "", self.tag("else") + self.scoped(depth)])
        return self.tag(f"for {target} in {sequence}{test}") + body + other + self.tag("endfor")

    def leave(self, _):
        return self.tag(f"if {self.expression('bool', 1)}") + self.tag(self.rng.choice(["break", "continue"])) + self.tag("endif")

    def set(self, _):
        kind = self.rng.choice(list(STATED))
        value = self.expression(kind)
        name = self.rng.choice(self.names[kind]) if self.rng.random() < 0.5 else self.add_name(kind)
        return self.tag(f"set {name} = {value}")

    def set_block(self, depth):
        body = self.scoped(depth)
        filters = self.rng.choice(["", "", " | upper", " | trim | title", " | replace('a', 'b')"])
        return self.tag(f"set {self.add_name('text')}{filters}") + body + self.tag("endset")

    def with_block(self, depth):
        value = self.expression("text", 1)
        saved = {kind: list(known) for kind, known in self.names.items()}
        text = self.tag(f"with {self.add_name('text')} = {value}") + self.scoped(depth) + self.tag("endwith")
        self.names = saved
        return text

    def filter_block(self, depth):
        name = self.rng.choice(["upper", "trim", "indent(1)", "replace('a', 'é')|title", "wordwrap(6)", "string|e"])
        return self.tag(f"filter {name}") + self.scoped(depth) + self.tag("endfilter")

    def macro(self, depth):
        name = f"m{self.count}"
        saved = {kind: list(known) for kind, known in self.names.items()}
        first, second = self.add_name("text"), self.add_name("int")
        caller = "{{ caller() if caller else '' }}" if self.rng.random() < 0.5 else ""
        # The default of a parameter sees what stands before the macro.
        text = self.tag(f"macro {name}({first}, {second}={self.rng.choice(ATOMS['int'])})") + self.scoped(depth) + caller + self.tag("endmacro")
        self.names = saved
        self.macros.append((name, second, bool(caller)))
        return text

    def call(self, depth):
        if not self.macros:
            return self.output()
        name, second, takes_caller = self.rng.choice(self.macros)
        more = self.rng.choice(["", f", {self.expression('int', 1)}", f", {second}={self.expression('int', 1)}"])
        call = f"{name}({self.expression('text', 1)}{more})"
        if not takes_caller or self.rng.random() < 0.5:
            return "{{ " + call + self.rng.choice(["", "|trim", " ~ '.'"]) + " }}"
        return self.tag(f"call {call}") + self.scoped(depth) + self.tag("endcall")

    def namespace(self, depth):
        name = f"ns{self.count}"
        text = self.tag(f"set {name} = namespace(a={self.expression('int', 1)}, t={self.expression('text', 1)})")
        text += self.tag(f"for i in {self.expression('ints', 2)}") + self.tag(f"set {name}.a = {name}.a + i")
        text += self.tag(f"set {name}.t = {name}.t ~ {self.expression('text', 2)}") + self.tag("endfor")
        return text + f"{{{{ {name}.a }}}}{{{{ {name}.t }}}}"

    def generation(self, depth):
        return self.tag("generation") + self.scoped(depth) + self.tag("endgeneration")
