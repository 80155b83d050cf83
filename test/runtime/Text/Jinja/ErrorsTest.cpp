//===- ErrorsTest.cpp - Templates that cannot be parsed or run ------------===//
//
// Each is one line that says where and what: the line and the column of the
// token that was not expected, or of the operator, the name in a call or the
// like that could not be evaluated.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Text/Jinja/Rendered.h"

using namespace llamart::jinja;
using namespace llamatest;

namespace {

/// `text` `count` times.
std::string repeat(std::string_view text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i)
    result += text;
  return result;
}

/// `begin`, something that ends by itself, `end`, `count` levels deep.
std::string nest(std::string_view begin, std::string_view inside,
                 std::string_view end, int count = 10000) {
  return repeat(begin, count) + std::string(inside) + repeat(end, count);
}

void expectError(const std::string &source, std::string_view words,
                 const Limits &limits = {}) {
  std::string found = render(source, limits);
  EXPECT_TRUE(found.starts_with("chat template: line 1, column ")) << found;
  EXPECT_NE(found.find(words), std::string::npos) << found;
  EXPECT_EQ(found.find('\n'), std::string::npos) << found;
  EXPECT_LT(found.size(), 1100U);
}

TEST(JinjaErrors, ParserSaysWhereInLinesAndCharacters) {
  checkAll({
      {"a\n{{ 1 + }}",
       "chat template: line 2, column 8: expected an expression, found '}}'"},
      {"日本 {{ 'é' @ }}",
       "chat template: line 1, column 11: expected an expression, found '@'"},
      {"{{ s }",
       "chat template: line 1, column 6: expected an expression, found '}'"},
      {"{{ 'abc }}", "chat template: line 1, column 4: expected the closing ', "
                     "found the end of the template"},
      {"x\n{% if t %}\ny", "chat template: line 3, column 2: expected '{% "
                           "endif %}', found the end of the template"},
      {"{% endif %}", "chat template: line 1, column 4: expected a tag that is "
                      "known and opens a block, found 'endif'"},
      {"{% for x xs %}",
       "chat template: line 1, column 10: expected 'in', found 'xs'"},
      {"\n\n  {% set 1 = 2 %}",
       "chat template: line 3, column 10: expected a name, found '1'"},
      {"{{ s|nope }}", "chat template: line 1, column 5: expected a filter "
                       "that is known, found 'nope'"},
      {"{{ s is nope }}", "chat template: line 1, column 6: expected a test "
                          "that is known, found 'nope'"},
      {"{% unknown %}", "chat template: line 1, column 4: expected a tag that "
                        "is known and opens a block, found 'unknown'"},
      {"{{ [1 }}", "chat template: line 1, column 7: expected ']', found '}'"},
      {"{# never",
       "chat template: line 1, column 1: expected '#}' after '{#', found none"},
      {"{% raw %}x",
       "chat template: line 1, column 1: expected '{% endraw %}', found none"},
      {"a\r\nb {{ ) }}",
       "chat template: line 2, column 6: expected an expression, found ')'"},
      {"{{ m(a=1, 2) }}", "chat template: line 1, column 11: expected "
                          "arguments in Python's order, found '2'"},
      {"{% break %}", "chat template: line 1, column 4: expected 'break' in a "
                      "loop, found it outside"},
  });
}

TEST(JinjaErrors, RunSaysWhereTheExpressionIs) {
  checkAll({
      {"{{ n }}\n{{ n + 'a' }}",
       "chat template: line 2, column 6: operator '+': expected operands that "
       "it takes, found 'int' and 'str'"},
      {"{% for x in xs %}\n é{{ x.y.z }}{% endfor %}",
       "chat template: line 2, column 9: 'int object' has no attribute 'y'"},
      {"{% set a, b = 1, 2, 3 %}",
       "chat template: line 1, column 4: expected 2 values to unpack, found 3"},
      {"x {% if 1 / 0 %}{% endif %}",
       "chat template: line 1, column 11: operator '/': expected a divisor, "
       "found zero"},
      {"{{ undef.x }}",
       "chat template: line 1, column 9: 'undef' is undefined"},
      {"{{ none < 1 }}", "chat template: line 1, column 4: expected two values "
                         "that have an order, found 'NoneType' and 'int'"},
      {"{{ xs() }}", "chat template: line 1, column 6: expected something that "
                     "can be called, found 'list'"},
      {"{% macro m(a) %}\n{{ a + 1 }}{% endmacro %}{{ m('x') }}",
       "chat template: line 2, column 6: operator '+': expected operands that "
       "it takes, found 'str' and 'int'"},
      {"{{ range(1, 2, 0) }}", "chat template: line 1, column 9: range: "
                               "expected a step other than 0, found 0"},
      {"{{ s.index('zz') }}", "chat template: line 1, column 11: index: "
                              "expected a part that is there, found none"},
      {"{{ 9223372036854775807 + 1 }}",
       "chat template: line 1, column 24: operator '+': expected an integer of "
       "64 bits, found more"},
      {"{{ xs.append(4) }}", "chat template: line 1, column 13: access to "
                             "attribute 'append' of 'list' object is unsafe."},
      {"{{ d.pop('b') }}", "chat template: line 1, column 9: access to "
                           "attribute 'pop' of 'dict' object is unsafe."},
      {"{{ range(200000) }}", "chat template: line 1, column 9: range: "
                              "expected at most 100000 numbers, found 200000"},
      {"{{ 'a'|int(base=99) }}", "chat template: line 1, column 7: int: "
                                 "expected a base from 2 to 36, found 99"},
  });
}

TEST(JinjaErrors, RaiseExceptionSpeaksInTheTemplatesOwnWords) {
  const char *source = "a\n{{ raise_exception('No é\\nhere ' ~ n) }}";
  EXPECT_EQ(render(source), "chat template: No é here 7");
  try {
    Template::parse("{{ raise_exception('No é\\nhere') }}").render({}, {});
    FAIL();
  } catch (const TemplateError &error) {
    EXPECT_TRUE(error.wasRaised());
    EXPECT_EQ(error.getRaised(), "No é\nhere");
  }
}

TEST(JinjaErrors, WhatIsNotSupportedIsRefusedByName) {
  checkAll({
      {"{% include 'x' %}", "chat template: line 1, column 4: expected a tag "
                            "that is supported, found 'include'"},
      {"{% import 'x' as y %}", "chat template: line 1, column 4: expected a "
                                "tag that is supported, found 'import'"},
      {"{% from 'x' import y %}", "chat template: line 1, column 4: expected a "
                                  "tag that is supported, found 'from'"},
      {"{% extends 'x' %}", "chat template: line 1, column 4: expected a tag "
                            "that is supported, found 'extends'"},
      {"{% block x %}{% endblock %}",
       "chat template: line 1, column 4: expected a tag that is supported, "
       "found 'block'"},
      {"{% do x %}", "chat template: line 1, column 4: expected a tag that is "
                     "known and opens a block, found 'do'"},
      {"{% trans %}{% endtrans %}",
       "chat template: line 1, column 4: expected a tag that is known and "
       "opens a block, found 'trans'"},
      {"{% autoescape true %}{% endautoescape %}",
       "chat template: line 1, column 4: expected a tag that is supported, "
       "found 'autoescape'"},
      {"{{ xs|random }}", "chat template: line 1, column 6: expected a filter "
                          "that is known, found 'random'"},
      {"{{ s|urlize }}", "chat template: line 1, column 5: expected a filter "
                         "that is known, found 'urlize'"},
      {"{{ d|pprint }}", "chat template: line 1, column 5: expected a filter "
                         "that is known, found 'pprint'"},
      {"{{ lipsum() }}", "chat template: line 1, column 4: expected a function "
                         "that is supported, found 'lipsum'"},
      {"{{ s.encode('utf-8') }}",
       "chat template: line 1, column 5: expected an attribute that is "
       "supported, found 'encode' of 'str'"},
      {"{{ n.real }}", "chat template: line 1, column 5: expected an attribute "
                       "that is supported, found 'real' of 'int'"},
      {"{{ f.hex() }}", "chat template: line 1, column 5: expected an "
                        "attribute that is supported, found 'hex' of 'float'"},
      {"{{ d.fromkeys('ab') }}",
       "chat template: line 1, column 5: expected an attribute that is "
       "supported, found 'fromkeys' of 'dict'"},
      {"{{ '&lt;'|striptags }}", "chat template: line 1, column 10: striptags: "
                                 "expected a text without entities, found '&'"},
      {"{{ range(3).stop }}",
       "chat template: line 1, column 12: expected an attribute that is "
       "supported, found 'stop' of 'range'"},
      {"{{ d.keys().mapping }}",
       "chat template: line 1, column 12: expected an attribute that is "
       "supported, found 'mapping' of 'dict_keys'"},
      {"{{ 'é'.isidentifier() }}",
       "chat template: line 1, column 20: isidentifier: expected characters of "
       "ASCII, found others"},
  });
}

TEST(JinjaErrors, NestingInTheSourceEnds) {
  const char *levels = "at most 200 levels";
  expectError("{{ " + nest("(", "1", ")") + " }}", "200");
  expectError("{{ " + nest("[", "1", "]") + " }}", "200");
  expectError("{{ " + nest("{1: ", "1", "}") + " }}", "200");
  expectError("{{ " + nest("n[", "1", "]") + " }}", "200");
  expectError("{{ " + nest("s.strip(", "", ")") + " }}", "200");
  expectError("{{ " + nest("not ", "n", "") + " }}", "200");
  expectError("{{ " + nest("-", "n", "") + " }}", "200");
  expectError("{{ " + nest("n ** ", "n", "") + " }}", "200");
  expectError("{{ " + nest("n if n else ", "n", "") + " }}", "200");
  expectError("{{ n" + repeat(" + n", 10000) + " }}", levels);
  expectError("{{ n" + repeat(" and n", 10000) + " }}", levels);
  expectError("{{ n" + repeat("|string", 10000) + " }}", levels);
  expectError("{{ n" + repeat(".x", 10000) + " }}", levels);
  expectError("{{ n" + repeat("()", 10000) + " }}", levels);
  expectError(nest("{% if n %}", "", "{% endif %}"), "200");
  expectError(nest("{% for x in xs %}", "", "{% endfor %}"), "200");
  expectError(nest("{% macro m() %}", "", "{% endmacro %}"), "200");
  expectError(nest("{% call m() %}", "", "{% endcall %}"), "200");
  expectError(nest("{% filter upper %}", "", "{% endfilter %}"), "200");
  expectError(nest("{% set x %}", "", "{% endset %}"), "200");
  expectError(nest("{% with %}", "", "{% endwith %}"), "200");
  expectError("{% set " + nest("(", "x", ")") + " = 1 %}", "200");
  // As long, and flat.
  EXPECT_EQ(render("{% if no %}" + repeat("{% elif no %}a", 10000) +
                   "{% else %}b{% endif %}"),
            "b");
  EXPECT_EQ(render("{{ (" + repeat("n ~ ", 10000) + "'')|length }}"), "10000");
}

TEST(JinjaErrors, NestingOfValuesAndCallsEnds) {
  expectError("{% set ns = namespace(x=[]) %}{% for i in range(10000) %}"
              "{% set ns.x = [ns.x] %}{% endfor %}",
              "200");
  expectError("{% set ns = namespace(x={}) %}{% for i in range(10000) %}"
              "{% set ns.x = {'a': ns.x} %}{% endfor %}",
              "200");
  expectError("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "700");
  expectError("{% for x in xs recursive %}{{ loop(xs) }}{% endfor %}", "700");
  expectError("{% macro m() %}{{ caller() }}{% call m() %}{{ caller() }}"
              "{% endcall %}{% endmacro %}{% call m() %}{% endcall %}",
              "caller");
}

TEST(JinjaErrors, RunsThatTakeTooLongEnd) {
  const char *forEver = "{% for a in range(99999) %}{% for b in range(99999) "
                        "%}{% endfor %}{% endfor %}";
  Limits limits;
  limits.steps = 1000;
  EXPECT_EQ(render(forEver, limits),
            "chat template: line 1, column 31: expected an end after at most "
            "1000 steps, found none");
  const std::string filters = "{{ range(99999)|map('string')|list|length }}";
  EXPECT_NE(render(filters, limits).find("1000 steps"), std::string::npos);
}

TEST(JinjaErrors, SplittingFromTheRightTakesTimeInProportion) {
  EXPECT_EQ(render("{{ ('é ' * 100000).rsplit(none, 99999)|length }}"),
            "100000");
}

TEST(JinjaErrors, RunsThatTakeTooMuchEnd) {
  Limits limits;
  limits.bytes = 1 << 20;
  expectError("{% set ns = namespace(x='ab') %}{% for i in range(99) %}"
              "{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
              "bytes together", limits);
  expectError("{{ 'a' * 9999999999 }}", "bytes together", limits);
  expectError("{{ [0] * 9999999999 }}", "bytes together", limits);
  expectError("{{ ''.center(9999999999) }}", "bytes together", limits);
  expectError("{{ '%9999999999d' % 1 }}", "expected", limits);
  expectError("{{ '{:9999999999}'.format(1) }}", "expected", limits);
  expectError("{{ xs|batch(9999999999, 0)|list }}", "bytes together", limits);
  expectError("{{ xs|slice(9999999999)|list }}", "bytes together", limits);
  limits.output = 100;
  EXPECT_EQ(render("{% for i in range(99) %}{{ i }}{% endfor %}", limits),
            "chat template: line 1, column 25: expected at most 100 bytes of "
            "output, found more");
}

} // namespace
