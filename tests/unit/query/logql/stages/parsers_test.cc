// The parser stages: the vectors of loki_surface Annex A and every rule a stage's header states.
#include <gtest/gtest.h>

#include "tests/support/pipeline_case.h"

namespace varve::logql {
namespace {

struct Case {
  const char* stages;
  const char* line;
  const char* result;
};

void Check(const std::vector<Case>& cases, const PipelineCase& in = {}) {
  for (const Case& c : cases)
    EXPECT_EQ(RunPipeline(c.stages, c.line, in), c.result) << c.stages << " on " << c.line;
}

constexpr char kNested[] =
    R"({"a":{"b":"c"},"f":1.50,"arr":[1],"s":"q\"x","nul":null,"t":true,"with space":"v","1num":"v",)"
    R"("dash-key":"z","dot.key":"d","":"e"})";

TEST(JsonParser, FlattensSanitisesAndDecodes) {
  Check({
      {"| json", kNested, "{_1num=v, a_b=c, dash_key=z, dot_key=d, f=1.50, s=q\"x, t=true, with_space=v}"},
      {"| json", R"({"app":"dup"})", "{app_extracted=dup}"},
      {"| json", R"({"a":1,"a":2})", "{a=1}"},
      {"| json", R"({"a_b":"flat","a":{"b":"nested"}})", "{a_b=flat}"},
      {"| json", R"({"a":{"a":{"a":"deep"}},"a_a":"x"})", "{a_a=x, a_a_a=deep}"},
      {"| json", R"({"n":1,"app":"z","app_extracted":"orig"})", "{app_extracted=z, n=1}"},
      {"| json", "{\"\xD0\xBA\xC3\xA9y\":\"v\",\" \":\"x\",\"tab\\tkey\":1}", "{__y=v, tab_key=1}"},
      {"| json", R"({"u":"\u00e9\u65e5","sur":"\ud83d\ude00","nl":"a\nb","sl":"a\/b"})",
       "{nl=a\nb, sl=a/b, sur=\xF0\x9F\x98\x80, u=\xC3\xA9\xE6\x97\xA5}"},
      {"| json", R"({"bad":"\ud83d!","alsobad":"\q","ok":"after"})", "{alsobad=, bad=, ok=after}"},
      {"| json",
       "{\"v\":\"a\xFF"
       "b\"}",
       "{v=a b}"},
      {"| json", R"({"n":-2.5E-4,"big":12345678901234567890,"z":-0,"b":false})",
       "{b=false, big=12345678901234567890, n=-2.5E-4, z=-0}"},
      {"| json", R"(   {"lead" : "spaces" , "x" :1 }   )", "{lead=spaces, x=1}"},
      {"| json", R"({"a":{},"b":[{"c":1}],"d":{"e":[1,{"f":"}"}],"g":2}})", "{d_g=2}"},
      {"| json", R"({"__error__":"injected","ok":"1"})", "{__error__=injected, ok=1}"},
  });
}

TEST(JsonParser, IsLenientBehindTheObjectAndKeepsWhatItReadBeforeAnError) {
  Check({
      {"| json", "{}", "{}"},
      {"| json", R"({"a":1} trailing)", "{a=1}"},
      {"| json", R"({"x":1}{"y":2})", "{x=1}"},
      {"| json", R"({"trailing":"comma",})", "{trailing=comma}"},
      {"| json", R"({"a":1, "b" 2})",
       "{__error__=JSONParserErr, __error_details__=Malformed JSON error, a=1}"},
      {"| json", R"({"a":tru})", "{__error__=JSONParserErr, __error_details__=Unknown value type}"},
      {"| json", R"({"unterminated":"abc)",
       "{__error__=JSONParserErr, __error_details__=Value is string, but can't find closing '\"' symbol}"},
      {"| json", R"({"a":"unclosed","b":{"c":1})",
       "{__error__=JSONParserErr, __error_details__=Value is array, but can't find closing ']' symbol, "
       "a=unclosed, b_c=1}"},
      {"| json", R"({"a":1,"b":{"c":1)",
       "{__error__=JSONParserErr, __error_details__=Value looks like object, but can't find closing '}' "
       "symbol, a=1}"},
      {"| json", R"({"a":1,"b":{"c":2,"d":{"e":x}},"f":3})",
       "{__error__=JSONParserErr, __error_details__=Unknown value type, a=1, b_c=2}"},
  });
  for (const char* line : {"", "plain", "[1,2]", "\"s\"", "123", "null", "{'single':1}"}) {
    EXPECT_EQ(RunPipeline("| json", line),
              "{__error__=JSONParserErr, __error_details__=Value looks like object, but can't find closing "
              "'}' symbol}")
        << line;
  }
}

TEST(JsonParser, SurvivesDeepNesting) {
  std::string line;
  for (int i = 0; i < 20000; ++i) line += "{\"a\":";
  line += "1";
  for (int i = 0; i < 20000; ++i) line += "}";
  // The composed name is too long to be a label.
  EXPECT_EQ(RunPipeline("| json", line), "{}");
  EXPECT_EQ(RunPipeline("| json", line.substr(0, 50000)),
            "{__error__=JSONParserErr, __error_details__=Value looks like object, but can't find closing '}' "
            "symbol}");
  std::string shallow;
  for (int i = 0; i < 100; ++i) shallow += "{\"a\":";
  shallow += "1";
  for (int i = 0; i < 100; ++i) shallow += "}";
  std::string name = "a";
  for (int i = 1; i < 100; ++i) name += "_a";
  EXPECT_EQ(RunPipeline("| json", shallow), "{" + name + "=1}");
}

TEST(JsonExpression, TakesThePathsAskedFor) {
  constexpr char kLine[] = R"({"a":{"b":"c"},"n":5,"arr":[1,{"x":2}]})";
  constexpr char kMixed[] = R"({"mixed":[1,"two",true,null,{"x":[]}],"obj":{"k":"v","n":[{"m":"deep"}]}})";
  Check({
      {R"(| json a_b="a.b", x="arr[1].x", arr="arr", o="a", missing="zz", n)", kLine,
       R"({a_b=c, arr=[1,{"x":2}], missing=, n=5, o={"b":"c"}, x=2})"},
      {"| json a=`mixed[0]`, b=`mixed[1]`, c=`mixed[2]`, d=`mixed[3]`, e=`mixed[4]`, f=`obj.n[0].m`", kMixed,
       R"({a=1, b=two, c=true, d=, e={"x":[]}, f=deep})"},
      {R"(| json k="[\"dot.key\"]")", kNested, "{k=d}"},
      {"| json v=`[\"dots.in.key\"][\"and.nested\"]`", R"({"dots.in.key":{"and.nested":"v"}})", "{v=v}"},
      {"| json dup", R"({"dup":"first","dup":"second"})", "{dup=first}"},
      {"| json a=`a`", R"({"a":"scalar","a":{"b":"c"}})", "{a=scalar}"},
      {"| json a=`a.b`", R"({"a":"scalar","a":{"b":"c"}})", "{a=c}"},
      {"| json app=`a`", R"({"a":"x"})", "{app_extracted=x}"},
      {"| json a=`[0]`", "[1,2]", "{a=1}"},
      {"| json a", R"({"a":1} garbage)", "{a=1}"},
      {"| json y", R"({"x":1}{"y":2})", "{y=2}"},
      {"| json a", R"({"a":"unclosed","b":{"c":1})", "{a=unclosed}"},
      {"| json a", R"({"a":tru})", "{__error__=JSONParserErr, __error_details__=Unknown value type}"},
      {"| json a", "plain", "{__error__=JSONParserErr}"},
      {"| json a", R"(  {"a":1})", "{__error__=JSONParserErr}"},
      {"| json a", "", "{}"},
      {"| json a", "\"just a string\"", "{a=}"},
      {"| json s=`s`", R"({"s":"q\"x"})", "{s=q\"x}"},
  });
}

TEST(JsonExpression, RefusesBadPathsInLokisWords) {
  const struct {
    const char* path;
    const char* error;
  } kCases[] = {
      {"a..b", "syntax error: unexpected DOT, expecting FIELD"},
      {"a[", "syntax error: unexpected $end, expecting STRING or INDEX"},
      {"a[b]", "syntax error: unexpected FIELD, expecting STRING or INDEX"},
      {"a[0.5]", "syntax error: unexpected $end, expecting STRING or INDEX"},
      {"@bad", "syntax error: unexpected $end, expecting LSB or FIELD"},
      {"", "syntax error: unexpected $end, expecting LSB or FIELD"},
      {"a[0", "syntax error: unexpected $end, expecting STRING or INDEX"},
      {"a[0 ", "syntax error: unexpected $end, expecting RSB"},
      {"500", "syntax error: unexpected $end, expecting LSB or FIELD"},
      {"a.", "syntax error: unexpected $end, expecting FIELD"},
      {"a b", "syntax error: unexpected FIELD"},
      {"a$", "unexpected char $"},
      {"a\xC3\xA9", "unexpected char \xC3\xA9"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(RunPipeline("| json x=`" + std::string(c.path) + "`", "{}"),
              "error: parse error : stage '| json x=\"" + std::string(c.path) +
                  "\"' : cannot parse expression [" + c.path + "]: " + c.error);
  }
}

constexpr char kPairs[] = R"(a=1 b="x y" c= d e="" =f g=h=i a=2)";

TEST(LogfmtParser, ReadsPairsLeniently) {
  Check({
      {"| logfmt", kPairs, "{a=1, b=x y}"},
      {"| logfmt --keep-empty", kPairs, "{a=1, b=x y, c=, d=, e=}"},
      {"| logfmt --strict", kPairs,
       "{__error__=LogfmtParserErr, __error_details__=logfmt syntax error at pos 23 : unexpected '=', a=1, "
       "b=x y}"},
      {"| logfmt", R"(a=1 b="unterminated)", "{a=1}"},
      {"| logfmt --strict", R"(a=1 b="unterminated)",
       "{__error__=LogfmtParserErr, __error_details__=logfmt syntax error at pos 20 : unterminated quoted "
       "value, a=1}"},
      {"| logfmt", R"(b="esc\n\"q\"" c='x y')", "{b=esc\n\"q\", c='x}"},
      {"| logfmt --strict", "a=\"two\nlines\\t\"", "{a=two\nlines\t}"},
      {"| logfmt", R"("q"=1 a=1)", "{a=1}"},
      {"| logfmt", R"(a="x"b=2)", "{a=x, b=2}"},
      {"| logfmt", R"(a=b"c d=1)", "{d=1}"},
      {"| logfmt", R"(k={"json":1} z=1)", "{z=1}"},
      {"| logfmt", R"(a="bad\xescape" b=1)", "{b=1}"},
      {"| logfmt --strict", R"(a="bad\xescape" b=1)",
       "{__error__=LogfmtParserErr, __error_details__=logfmt syntax error at pos 16 : invalid quoted value}"},
      {"| logfmt --strict", R"({"json":"line"})",
       "{__error__=LogfmtParserErr, __error_details__=logfmt syntax error at pos 2 : unexpected '\"'}"},
      {"| logfmt", "key.with.dot=1 key-dash=2 9num=4 k\xC3\xA9y=5 $x=6",
       "{_9num=4, _x=6, k_y=5, key_dash=2, key_with_dot=1}"},
      {"| logfmt", "a=1\tb=2\nc=3", "{a=1, b=2, c=3}"},
      {"| logfmt", "app=inner", "{app_extracted=inner}"},
      {"| logfmt", "a=1 a_extracted=2 app=z", "{a=1, a_extracted=2, app_extracted=z}"},
      {"| logfmt", "", "{}"},
      {"| logfmt", "   ", "{}"},
      {"| logfmt", "u=\"\\u00e9\\ud83d\\ude00\\ud83dx\"", "{u=\xC3\xA9\xF0\x9F\x98\x80 x}"},
  });
}

TEST(LogfmtExpression, TakesTheKeysAskedFor) {
  Check({
      {R"(| logfmt x="a", y="b", zz="no")", kPairs, "{x=2, y=x y, zz=}"},
      {R"(| logfmt d="key_with_dot")", "key.with.dot=1", "{d=1}"},
      {R"(| logfmt p="path", a)", "path=/a?x=1 a=1", "{a=1, p=}"},
      {R"(| logfmt app="a")", "a=1", "{app_extracted=1}"},
      {R"(| logfmt app="nope")", "a=1", "{}"},
      {R"(| logfmt --strict a, b)", "a=\"unterminated b=2",
       "{__error__=LogfmtParserErr, __error_details__=logfmt syntax error at pos 20 : unterminated quoted "
       "value, "
       "a=, b=}"},
      {R"(| logfmt x="")", "",
       "error: parse error : stage '| logfmt x=\"\"' : cannot parse expression []: syntax "
       "error: unexpected $end, expecting STRING or KEY"},
      {"| logfmt x=`a b`", "",
       "error: parse error : stage '| logfmt x=\"a b\"' : cannot parse expression [a b]: syntax error: "
       "unexpected KEY"},
      {"| logfmt x=`\"a`, y=`\"a\" \"a\"`", "a=1", "{x=1, y=}"},
      {R"(| logfmt x="a[0]")", "",
       "error: parse error : stage '| logfmt x=\"a[0]\"' : cannot parse expression [a[0]]: unexpected char "
       "["},
  });
}

TEST(PatternParser, MatchesFromTheStartAndTakesTheRestWhenALiteralIsMissing) {
  Check({
      {R"(| pattern "<ip> - <_> <path>")", R"(1.2.3.4 - GET /p?q=1 200 "ua x")",
       R"({ip=1.2.3.4, path=/p?q=1 200 "ua x"})"},
      {R"(| pattern "a=<a> <m> zzz <c>")", "a=1 GET x/y Foo end", "{a=1, m=GET x/y Foo end}"},
      {R"(| pattern "GET <m> <_>")", "a=1 GET x/y Foo end", "{}"},
      {R"(| pattern "<a>foo<b>")", "foo bar", "{a=, b= bar}"},
      {R"(| pattern "<app>bar")", "xbar tail", "{app_extracted=x}"},
      {R"(| pattern "<tag <attr>>")", "<tag attr=1>", "{attr=attr=1}"},
      {R"(| pattern "<a> <b>")", "", "{}"},
      {R"(| pattern "<_>")", "",
       "error: parse error : invalid pattern parser: at least one capture is required"},
      {R"(| pattern "")", "",
       "error: parse error : invalid pattern parser: parse error at line 1, col 1: syntax error: unexpected "
       "$end, "
       "expecting IDENTIFIER or LITERAL"},
      {R"(| pattern "<a><b>")", "",
       "error: parse error : invalid pattern parser: found consecutive capture '<a><b>': invalid expression"},
      {R"(| pattern "<a> <a>")", "",
       "error: parse error : invalid pattern parser: duplicate capture name (a): invalid expression"},
  });
}

TEST(RegexpParser, ExtractsNamedGroupsOfTheFirstMatch) {
  Check({
      {"| regexp `(?P<v>GE)(?P<nope>Z)?`", "a=1 GET x", "{nope=, v=GE}"},
      {"| regexp `(?<w>bar)`", "foobar", "{w=bar}"},
      {"| regexp `(o)(?P<n>.)`", "fox", "{n=x}"},
      {"| regexp `(?P<a>nosuch)`", "x", "{}"},
      {"| regexp `(?P<app>x)`", "x", "{app_extracted=x}"},
      {"| regexp `(?i)from (?P<ip>\\S+)`", "FROM 1.2.3.4", "{ip=1.2.3.4}"},
      {"| regexp `from (?P<ip>\\S+)`", "to 1.2.3.4", "{}"},
      {"| regexp `foo`", "",
       "error: parse error : invalid regexp parser: at least one named capture must be supplied"},
      {"| regexp `(?P<a>[`", "",
       "error: parse error : invalid regexp parser: error parsing regexp: missing closing ]: `[`"},
  });
}

TEST(UnpackParser, TakesOverTheEntryOfPackedLines) {
  Check({
      {"| unpack", R"({"_entry":"orig","pod":"p1","n":5})", "orig {pod=p1}"},
      {"| unpack", R"({"pod":"p1"})", "{}"},
      {"| unpack", R"({"a":"1","_entry":"middle","b":"2"})", "middle {a=1, b=2}"},
      {"| unpack", R"({"_entry":"dup","k":"1","k":"2"})", "dup {k=2}"},
      {"| unpack", R"({"_entry":"e","app":"x","a-b":"1","9x":"3"})", "e {_9x=3, a_b=1, app_extracted=x}"},
      {"| unpack", R"({"_entry":"esc \"q\" \n\u00e9"})", "esc \"q\" \n\xC3\xA9 {}"},
      {"| unpack", R"({"_entry":5,"container":"num"})", "{}"},
      {"| unpack", "", "{}"},
      {"| unpack", "not packed",
       "{__error__=JSONParserErr, __error_details__=expecting json object(6), but it is not}"},
      {"| unpack", R"({"_entry":"broken")",
       "{__error__=JSONParserErr, __error_details__=Value is array, but can't find closing ']' symbol}"},
      {"| unpack |= `inner`", R"({"_entry":"{\"inner\":1}"})", "{\"inner\":1} {}"},
  });
}

TEST(ParserChain, EarlierParsersWinUnlessALaterOneNamesTheLabel) {
  Check({
      {"| logfmt | regexp `b=(?P<a>.)`", "a=1 b=x", "{a=1, b=x}"},
      {"| regexp `b=(?P<a>.)` | logfmt", "a=1 b=x", "{a=x, b=x}"},
      {"| regexp `b=(?P<a>.)` | logfmt a", "a=1 b=x", "{a=1}"},
      {R"(| json level="msg" | json)", R"({"level":"error","msg":"boom"})", "{level=boom, msg=boom}"},
      {"| json | drop level | json", R"({"level":"error","msg":"boom"})", "{msg=boom}"},
      {"| json | label_format lvl=level | json", R"({"level":"error"})", "{lvl=error}"},
      {"| logfmt | drop app | logfmt", "app=x", "{-app=, app_extracted=x}"},
      {"| json | logfmt --strict", R"({"a":"b"})",
       "{__error__=LogfmtParserErr, __error_details__=logfmt syntax error at pos 2 : unexpected '\"', a=b}"},
      {"| logfmt | line_format `{{.inner}}` | logfmt", "inner=\"new=1 inner=2\"",
       "new=1 inner=2 {inner=new=1 inner=2, "
       "new=1}"},
  });
}

TEST(ParserChain, MetadataNamesCountAsBase) {
  PipelineCase in;
  in.metadata = {{"app", "smapp"}, {"trace", "t"}};
  Check({{"| line_format `{{.app_extracted}}`", "x", "smapp {sm:app_extracted=smapp, sm:trace=t}"},
         {"| logfmt", "app=z trace=p", "{app_extracted=z, sm:trace=t, trace_extracted=p}"}},
        in);
}

TEST(LabelNeeds, ParsersExtractOnlyWhatIsNeeded) {
  PipelineCase by_a;
  by_a.needs = {.all = false, .names = {"a"}};
  Check({{"| json", R"({"a":1,"b":2,"c":{"d":3}})", "{a=1}"},
         {"| json", R"({"c":{"a":3},"a":1} )", "{a=1}"},
         {"| json | b > 1", R"({"a":1,"b":2})", "{a=1, b=2}"},
         {"| logfmt", "b=2 a=1 c=3", "{a=1}"},
         {"| logfmt | line_format `{{.b}}`", "b=2 a=1 c=3", "2 {a=1, b=2}"},
         {"| logfmt | label_format a=c", "a=1 c=3", "{a=3}"},
         {R"(| pattern "<b> <a>")", "x y", "{a=y}"},
         {"| regexp `(?P<b>.)(?P<a>.)`", "xy", "{a=y}"},
         {R"(| json x="a", a="b")", R"({"a":1,"b":2})", "{a=2}"},
         {"| unpack", R"({"_entry":"e","a":"1","b":"2"})", "e {a=1}"},
         {"| json", R"({"b":1,)",
          "{__error__=JSONParserErr, __error_details__=Value is array, but can't find "
          "closing ']' symbol}"}},
        by_a);
  PipelineCase nested;
  nested.needs = {.all = false, .names = {"a_b_c"}};
  Check({{"| json", R"({"x":{"y":1},"a":{"b":{"c":7,"d":8}}})", "{a_b_c=7}"}}, nested);
  PipelineCase extracted;
  extracted.needs = {.all = false, .names = {"app_extracted"}};
  Check({{"| json", R"({"app":"x"})", "{app_extracted=x}"}}, extracted);
}

TEST(LabelNeeds, ParsersAreSkippedWhenNothingIsNeeded) {
  PipelineCase none;
  none.needs = {.all = false, .names = {}};
  Check({{"| json", "plain", "{}"},
         {"| logfmt --strict", "=x", "{}"},
         {"| unpack", "plain", "{}"},
         {"| unpack", R"({"_entry":"e","a":"1"})", "e {}"},
         {"| json | __error__=``", "plain", "dropped"},
         {"| json | __error__=``", R"({"a":1})", "{}"}},
        none);
}

}  // namespace
}  // namespace varve::logql
