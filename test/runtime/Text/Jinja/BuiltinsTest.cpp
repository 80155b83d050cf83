//===- BuiltinsTest.cpp - Filters, tests, methods and functions -----------===//
//
// Template and text; the variables are those of Rendered.h. Texts are what
// Jinja2 3.1 with the settings of transformers makes of them.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Text/Jinja/Rendered.h"

using namespace llamatest;

namespace {

TEST(Jinja, FiltersOfTexts) {
  checkAll({
      {"{{ s|upper }} {{ u|lower }} {{ 'foo-bar baz'|title }} {{ "
       "'aBC'|capitalize }}",
       "HELLO <WORLD> straße ας Foo-Bar Baz Abc"},
      {"[{{ ' x '|trim }}] [{{ 'xxa'|trim('x') }}] [{{ 'ab'|center(5) }}]",
       "[x] [a] [  ab ]"},
      {"{{ s|replace('l', 'L', 1) }} {{ s|e }} {{ (s|safe) + '<' }}",
       "HeLlo <World> Hello &lt;World&gt; Hello <World>&lt;"},
      {"{{ 'a\nb'|indent(2) }} {{ 'a\nb'|indent('>', true) }}",
       "a\n  b >a\n>b"},
      {"{{ 'the quick brown'|truncate(9, false, '..', 0) }}", "the.."},
      {"{{ s|wordcount }} {{ s|length }} {{ s|first }} {{ s|last }} {{ "
       "s|reverse }}",
       "2 13 H > >dlroW< olleH"},
      {"{{ '<b>x</b>  y'|striptags }} {{ 'a b/ü'|urlencode }}",
       "x y a%20b/%C3%BC"},
      {"{{ '%s=%d'|format('a', 1) }} {{ 5|string + 'a' }}", "a=1 5a"},
      {"{{ 'well-known words'|wordwrap(6) }}", "well-\nknown\nwords"},
      {"{{ {'id': 5, 'no': none, 't': '<'}|xmlattr }}", " id=\"5\" t=\"&lt;\""},
      {"{{ no|default('x', true) }} {{ undef|d('y') }}", "x y"},
  });
}

TEST(Jinja, FiltersOfNumbers) {
  checkAll({
      {"{{ '42'|int }} {{ 'x'|int(5) }} {{ '1f'|int(base=16) }} {{ 3.9|int }}",
       "42 5 31 3"},
      {"{{ '4.5'|float }} {{ 'x'|float }}", "4.5 0.0"},
      {"{{ 2.5|round }} {{ 2.567|round(2) }} {{ 2.1|round(0, 'ceil') }} {{ "
       "-0.1|round(0, 'ceil') }}",
       "2.0 2.57 3.0 0.0"},
      {"{{ (-3)|abs }} {{ xs|sum }} {{ rows|sum(attribute='v', start=10) }}",
       "3 6 16"},
      {"{{ 1|filesizeformat }} {{ 1500|filesizeformat }} {{ "
       "1e24|filesizeformat }} {{ 2048|filesizeformat(true) }}",
       "1 Byte 1.5 kB 1000.0 ZB 2.0 KiB"},
  });
}

TEST(Jinja, FiltersOfLists) {
  checkAll({
      {"{{ xs|join(', ') }} {{ rows|join('-', attribute='k') }}",
       "3, 1, 2 x-y-x"},
      {"{{ xs|sort }} {{ names|sort }} {{ "
       "rows|sort(attribute='k,v')|map(attribute='v')|list }}",
       "[1, 2, 3] ['Alice', 'bob', 'Bob'] [2, 3, 1]"},
      {"{{ xs|max }} {{ xs|min }} {{ names|unique|list }} {{ []|first }}|",
       "3 1 ['bob', 'Alice'] |"},
      {"{{ xs|reverse|list }} {{ xs|batch(2, 0)|list }} {{ xs|slice(2)|list }}",
       "[2, 1, 3] [[3, 1], [2, 0]] [[3, 1], [2]]"},
      {"{{ rows|groupby('k')|map(attribute='grouper')|list }} {{ "
       "rows|groupby('k')|map(attribute='list')|map('length')|list }}",
       "['x', 'y'] [2, 1]"},
      {"{{ xs|select('odd')|list }} {{ xs|reject('gt', 1)|list }}",
       "[3, 1] [1]"},
      {"{{ rows|selectattr('k', 'equalto', 'x')|map(attribute='v')|list }} {{ "
       "rows|rejectattr('v', 'odd')|list }}",
       "[3, 2] [{'k': 'x', 'v': 2}]"},
      {"{{ names|map('upper')|join }} {{ rows|map(attribute='z', "
       "default=0)|list }}",
       "BOBALICEBOB [0, 0, 0]"},
      {"{{ {'b': 1, 'A': 2}|dictsort }} {{ d|items|list|length }} {{ d|list }}",
       "[('A', 2), ('b', 1)] 2 ['b', 'a']"},
      {"{{ d|tojson }} {{ xs|tojson(indent=1) }} {{ 'é</'|tojson }} {{ "
       "'é'|tojson(ensure_ascii=true) }}",
       "{\"b\": 1, \"a\": {\"x\": [1, 2.0, null]}} [\n 3,\n 1,\n 2\n] \"é</\" "
       "\"\\u00e9\""},
      {"{{ d|attr('b') }}|", "|"},
  });
}

TEST(Jinja, Tests) {
  checkAll({
      {"{{ undef is defined }} {{ no is none }} {{ 1 is number }} {{ true is "
       "boolean }} {{ 1.0 is float }} {{ true is integer }}",
       "False True True True True False"},
      {"{{ s is string }} {{ d is mapping }} {{ xs is sequence }} {{ 5 is "
       "iterable }} {{ range is callable }}",
       "True True True False True"},
      {"{{ 3 is odd }} {{ 9 is divisibleby 3 }} {{ 1 is in xs }} {{ 2 is gt 1 "
       "}} {{ 1 is sameas 1.0 }}",
       "True True True True False"},
      {"{{ 'a' is lower }} {{ 'aB' is upper }} {{ 'upper' is filter }} {{ "
       "'odd' is test }} {{ (s|e) is escaped }}",
       "True False True True True"},
  });
}

TEST(Jinja, TestsOfCaseLookAtTheText) {
  checkAll({
      {"{{ ['ab'] is lower }} {{ none is upper }} {{ 1e16 is lower }}",
       "True False True"},
  });
}

TEST(Jinja, MethodsOfStrings) {
  checkAll({
      {"{{ s.split('l') }} {{ ' a  b '.split() }} {{ 'a b c'.rsplit(' ', 1) }} "
       "{{ 'a\nb'.splitlines() }}",
       "['He', '', 'o <Wor', 'd>'] ['a', 'b'] ['a b', 'c'] ['a', 'b']"},
      {"{{ ' x '.strip() }}|{{ 'xxa'.lstrip('x') }}|{{ 'a '.rstrip() }}|",
       "x|a|a|"},
      {"{{ s.startswith(('x', 'He')) }} {{ s.endswith('>') }} {{ s.find('l') "
       "}} {{ s.rfind('zz') }} {{ s.count('l') }}",
       "True True 2 -1 3"},
      {"{{ s.upper() }} {{ u.lower() }} {{ u.casefold() }} {{ u.swapcase() }} "
       "{{ \"it's\".title() }}",
       "HELLO <WORLD> straße ας strasse ασ sTRASSE ας It'S"},
      {"{{ ','.join(names) }} {{ 'a=b'.partition('=') }} {{ 'aXb'.replace('X', "
       "'-') }}",
       "bob,Alice,Bob ('a', '=', 'b') a-b"},
      {"{{ '5'.zfill(3) }} [{{ 'a'.ljust(3) }}] [{{ 'a'.rjust(3, '.') }}] {{ "
       "'a\tb'.expandtabs(2) }}",
       "005 [a  ] [..a] a b"},
      {"{{ 'a-b'.removeprefix('a-') }} {{ 'a.b'.removesuffix('.b') }} {{ "
       "'²'.isdigit() }} {{ '½'.isnumeric() }} {{ 'a1'.isidentifier() }}",
       "b a True True True"},
      {"{{ '{:>5.1f}|{!r}|{a[0]}'.format(2.25, 'x', a=xs) }} {{ "
       "'{k}'.format_map({'k': 1}) }}",
       "  2.2|'x'|3 1"},
  });
}

TEST(Jinja, Functions) {
  checkAll({
      {"{{ range(3)|list }} {{ dict(a=1) }} {{ strftime_now('%d %b %Y') }}",
       "[0, 1, 2] {'a': 1} 26 Jul 2024"},
      {"{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() "
       "}}",
       "aba"},
      {"{% set j = joiner('|') %}{{ j() }}a{{ j() }}b", "a|b"},
  });
}

} // namespace
