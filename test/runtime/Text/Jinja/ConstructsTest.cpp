//===- ConstructsTest.cpp - Statements and expressions of templates -------===//
//
// Template and text; the variables are those of Rendered.h. Texts are what
// Jinja2 3.1 with the settings of transformers makes of them.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Text/Jinja/Rendered.h"

using namespace llamatest;

namespace {

TEST(Jinja, WhiteSpaceAroundTags) {
  checkAll({
      {"a\n{% if t %}\nb\n{% endif %}\nc\n", "a\nb\nc"},
      {"a\n  {% if t %} b {%- endif %} \nc", "a\n b \nc"},
      {"  {{- n -}}  x", "7x"},
      {"a\n   {%+ if t %}b{% endif +%}\nc", "a\n   b\nc"},
      {"x {#- c -#} y", "xy"},
      {"{% raw %}{{ x }}{% endraw %}", "{{ x }}"},
      {"a\r\nb\rc\n\n", "a\nb\nc\n"},
  });
}

TEST(Jinja, Literals) {
  checkAll({
      {"{{ 1_000 }} {{ 0x1f }} {{ 1e3 }} {{ 1.50 }}", "1000 31 1000.0 1.5"},
      {"{{ 'a\\n\\x41\\u00e9' }}", "a\nAé"},
      {"{{ [1, 'a', none, (1,), {}] }}", "[1, 'a', None, (1,), {}]"},
      {"{{ {'a': 1, 2: [3.0]} }}", "{'a': 1, 2: [3.0]}"},
      {"{{ 'a' 'b' }}", "ab"},
  });
}

TEST(Jinja, Arithmetic) {
  checkAll({
      {"{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % -3 }} {{ 7 / 2 }} {{ 2 ** 3 ** 2 }}",
       "3 -4 -2 3.5 64"},
      {"{{ 'ab' * 2 }} {{ [1] + [2] }}", "abab [1, 2]"},
      {"{{ 0.1 + 0.2 }} {{ 1e16 }} {{ 100.0 }}",
       "0.30000000000000004 1e+16 100.0"},
      {"{{ 1 ~ 'a' ~ none }}", "1aNone"},
      {"{{ -n }} {{ true + 1 }}", "-7 2"},
      {"{{ '%s-%03d' % ('a', 5) }}", "a-005"},
  });
}

TEST(Jinja, Comparison) {
  checkAll({
      {"{{ 1 < 2 < 3 }} {{ 1 == 1.0 }} {{ 'a' < 'b' }}", "True True True"},
      {"{{ 3 in xs }} {{ 'b' in d }} {{ 'lo' not in s }}", "True True False"},
      {"{{ not n }} {{ n and '' }} {{ no or 'x' }}", "False  x"},
      {"{{ [1, 2] < [1, 3] }} {{ 1 == 'a' }}", "True False"},
      {"{{ 'a' if no else 'b' }}{{ 'a' if no }}", "b"},
  });
}

TEST(Jinja, Access) {
  checkAll({
      {"{{ d.a.x[1] }} {{ d['b'] }} {{ d.nope }}|", "2.0 1 |"},
      {"{{ xs[-1] }} {{ xs[9] }}|", "2 |"},
      {"{{ xs[1:] }} {{ s[::-1] }} {{ u[4:6] }}", "[1, 2] >dlroW< olleH ße"},
      {"{{ no.x }}|", "|"},
      {"{{ d.items() }} {{ d.get('z', 5) }}",
       "dict_items([('b', 1), ('a', {'x': [1, 2.0, None]})]) 5"},
      {"{{ range(2, 9, 3)[1:] }}", "range(5, 11, 3)"},
  });
}

TEST(Jinja, If) {
  checkAll({
      {"{% if no %}a{% elif n == 7 %}b{% else %}c{% endif %}", "b"},
      {"{% if xs %}{% if no %}a{% else %}b{% endif %}{% endif %}", "b"},
  });
}

TEST(Jinja, For) {
  checkAll({
      {"{% for x in xs %}{{ x }}{{ ',' if not loop.last }}{% endfor %}",
       "3,1,2"},
      {"{% for k, v in d.items() %}{{ k }}{% endfor %}", "ba"},
      {"{% for x in xs if x > 1 %}{{ loop.index }}{{ x }}{% else %}e{% endfor "
       "%}",
       "1322"},
      {"{% for x in [] %}a{% else %}e{% endfor %}", "e"},
      {"{% for x in xs %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% "
       "endfor %}",
       "32"},
      {"{% for x in xs %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor "
       "%}",
       "3"},
      {"{% for x in [1, [2, [3]]] recursive %}{% if x is iterable %}<{{ "
       "loop(x) }}>{% else %}{{ x }}{% endif %}{% endfor %}",
       "1<2<3>>"},
      {"{% for c in 'é日' %}{{ c }}.{% endfor %}", "é.日."},
  });
}

TEST(Jinja, LoopVariables) {
  checkAll({
      {"{% for x in xs %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first "
       "}}{{ loop.length }};{% endfor %}",
       "03True3;12False3;21False3;"},
      {"{% for x in xs %}{{ loop.previtem }}|{{ loop.nextitem }};{% endfor %}",
       "|1;3|2;1|;"},
      {"{% for x in xs %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }}{% "
       "endfor %}",
       "aTruebTrueaTrue"},
      {"{% for x in xs %}{% for y in xs %}{{ loop.depth }}{% endfor %}{{ "
       "loop.index }}{% endfor %}",
       "111111121113"},
  });
}

TEST(Jinja, SetAndScopes) {
  checkAll({
      {"{% set x = 1 %}{% for i in xs %}{% set x = i %}{% endfor %}{{ x }}",
       "1"},
      {"{% set ns = namespace(x=0) %}{% for i in xs %}{% set ns.x = ns.x + i "
       "%}{% endfor %}{{ ns.x }}",
       "6"},
      {"{% set a, b = 'xy' %}{{ b }}{{ a }}", "yx"},
      {"{% set x | upper %} ab{% endset %}[{{ x }}]", "[ AB]"},
      {"{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}|", "3|"},
      {"{% if t %}{% set q = 5 %}{% endif %}{{ q }}", "5"},
  });
}

TEST(Jinja, Macros) {
  checkAll({
      {"{% macro m(a, b=2) %}{{ a }}{{ b }};{% endmacro %}{{ m(1) }}{{ m(1, "
       "b=3) }}{{ m() }}",
       "12;13;2;"},
      {"{% macro m() %}[{{ caller(5) }}]{% endmacro %}{% call(x) m() %}in{{ x "
       "}}{% endcall %}",
       "[in5]"},
      {"{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, x=2) }}",
       "(1,){'x': 2}"},
      {"{% macro f(n) %}{{ n }}{% if n %}{{ f(n - 1) }}{% endif %}{% endmacro "
       "%}{{ f(3) }}",
       "3210"},
  });
}

TEST(Jinja, Blocks) {
  checkAll({
      {"{% filter upper|trim %} ab {% endfilter %}|", "AB|"},
      {"{% generation %}a{{ n }}{% endgeneration %}", "a7"},
  });
}

} // namespace
