#include "ingest/level_detection.h"

#include <gtest/gtest.h>

#include "ingest/limits.h"

namespace varve {
namespace {

struct LineCase {
  const char* line;
  const char* level;
};

// The answers of Loki 3.7.6 to these lines (conformance kit, group detected_level, and loki_surface annex A).
constexpr LineCase kRecorded[] = {
    {"level=info plain logfmt", "info"},
    {"INFO starting up", "info"},
    {"[ERROR] bracketed", "error"},
    {"error: with colon", "error"},
    {"misc:error after colon", "unknown"},
    {"no keyword here", "unknown"},
    {"warning: disk", "warn"},
    {"WARN foo", "warn"},
    {"fatal crash", "fatal"},
    {"critical problem", "critical"},
    {"trace id=1", "trace"},
    {"debug msg", "debug"},
    {"dbg foo", "unknown"},
    {"err happened", "error"},
    {"information about", "unknown"},
    {"infos only", "unknown"},
    {"level=WARNING", "warn"},
    {"lvl=dbg x=1", "debug"},
    {"severity=ERR x=1", "error"},
    {R"({"level":"error"})", "error"},
    {R"({"severity":"Warn"})", "warn"},
    {R"({"nested":{"level":"debug"}})", "debug"},
    {R"({"a":{"b":{"level":"fatal"}}})", "fatal"},
    {R"({"level":30})", "unknown"},
    {R"({"level":""})", "unknown"},
    {R"({"msg":"an error occurred"})", "error"},
    {R"({"level":"custom"})", "unknown"},
    {"level=custom", "unknown"},
    {R"(level="" error in text)", "error"},
    {"error info warn", "error"},
    {"info error", "info"},
    {"(warn) paren", "warn"},
    {"x=error", "error"},
    {R"(say "error" quoted)", "error"},
    {"error, comma", "error"},
    {"error; semicolon", "unknown"},
    {"error. dot", "unknown"},
    {"errors plural", "unknown"},
    {"TRACE upper", "trace"},
    {"notice: x", "unknown"},
    {"level:error", "unknown"},
    {"LEVEL=error", "error"},
    {"Level=Error", "error"},
    {"<error> angle", "unknown"},
    {"tab\terror\ttab", "error"},
    {"E1231 klog", "unknown"},
    {"nerror glued", "unknown"},
    {"error!", "error"},
    {"{error}", "error"},
    {"error-code", "unknown"},
    {"pre-error", "unknown"},
    {"warn\nerror", "warn"},
    {R"({"lvl":"inf","msg":"x"})", "info"},
    {R"({"LEVEL":"CRITICAL"})", "critical"},
    {R"({"level":"info","severity":"error"})", "info"},
    {R"({"severity":"error","level":"info"})", "error"},
    {R"({"log.level":"warn"})", "warn"},
    {R"({"log":{"level":"warn"}})", "warn"},
    {"log.level=warn", "warn"},
    {R"(  {"level":"debug"}  )", "debug"},
    {R"({"level":"error")", "error"},
    {R"({"level":{"x":"error"}})", "error"},
    {R"(["level","error"])", "error"},
    {"a=b level=err", "error"},
    {"level=info level=error", "info"},
    {"severity=warn level=debug", "debug"},
    {"err=nil", "error"},
    {"error=boom level=info", "info"},
    {R"(status=500 msg="fatal")", "fatal"},
    {"CRITICAL: x", "critical"},
    {"crit x", "unknown"},
    {"trc x", "unknown"},
    {"wrn x", "unknown"},
    {"inf x", "unknown"},
    {"panic: x", "unknown"},
    {"alert emerg", "unknown"},
    {"", "unknown"},
    {" ", "unknown"},
    {"error", "error"},
    {"ERROR=1", "error"},
    {"[info]", "info"},
    {"[ info ]", "info"},
    {"info|warn", "unknown"},
    {"=error", "error"},
    {"x=warn y=error", "warn"},
    {"level = error", "error"},
    {"severity_text=ERROR a=1", "error"},
    {"SeverityText=WARN a=1", "warn"},
    {"terror", "unknown"},
    {"errors: none", "unknown"},
    {"level=emerg", "unknown"},
    {"a=b error=nil", "error"},
    {"debug=true", "debug"},
    {R"({"msg":"error","level":"info"})", "info"},
    {"critical then fatal", "critical"},
};

// What follows from the rule's wording.
constexpr LineCase kDerived[] = {
    {"nerror error", "error"},                      // any delimited occurrence counts
    {"level=info a=\"unterminated error", "info"},  // what came before a malformed pair counts
    {"a=b=c level=info", "info"},                   // … and what comes after does not, but key words do
    {"a=b=c level=wrn", "unknown"},
    {"a\"b level=wrn", "unknown"},
    {"level level=wrn error", "error"},  // a bare key is the first of its name
    {"level=\"wrn\"", "warn"},
    {"level=\"w\\u0072n\"", "warn"},             // escapes of quoted values are decoded
    {"level=\"w\\xrn\" fatal", "fatal"},         // no such escape: malformed
    {"\xff=1 level=wrn", "unknown"},             // a key must be UTF-8
    {R"({"a":[{"level":"wrn"}]})", "unknown"},   // arrays are not looked into
    {R"({"a":nope,"level":"wrn"})", "unknown"},  // reading stops at what is no JSON
    {R"({"a":1,"level":"wrn"} trailing })", "warn"},
    {R"({"level":"wrn",})", "warn"},
    {R"({"\u006cevel":"wrn"})", "warn"},     // keys are decoded
    {R"({"level":"w\u0072n"})", "unknown"},  // values are not
    {R"({"Lvl":"wrn"})", "warn"},
    {R"({"lVl":"wrn"})", "unknown"},                        // names are compared exactly in JSON
    {"lVl=wrn", "warn"},                                    // and without case in logfmt
    {R"({"x":{"severity":"wrn"},"level":"err"})", "warn"},  // document order
    {R"({"x":{"level":"wrn"})", "warn"},                    // the outer object need not be closed,
    {R"({"x":{"level":"wrn","y":{"z":1})", "unknown"},      // the inner one must
    {"{level=wrn}", "unknown"},                             // braces: never logfmt
    {"{}", "unknown"},
    {"{", "unknown"},
    {"\v{\"level\":\"wrn\"}\n", "unknown"},  // Go's space, but not JSON's
    {"err", "error"},
    {"xerr err", "error"},
    {"err.err err", "error"},
    {"warn warning", "warn"},
    {"\"fatal\"", "fatal"},
    {"(fatal)", "fatal"},
    {"{fatal:", "fatal"},
    {"fatal]", "fatal"},
    {"fatal'", "unknown"},
    {"'fatal", "unknown"},
    {"\rfatal", "unknown"},
    {"fatal\r", "unknown"},
};

class LineRule : public ::testing::TestWithParam<LineCase> {};

TEST_P(LineRule, GivesTheLevel) {
  const IngestLimits limits;
  const LevelDetector detector(limits.log_level_fields, limits.log_level_from_json_max_depth);
  EXPECT_EQ(LevelName(detector.FromLine(GetParam().line)), GetParam().level) << GetParam().line;
}

INSTANTIATE_TEST_SUITE_P(Recorded, LineRule, ::testing::ValuesIn(kRecorded));
INSTANTIATE_TEST_SUITE_P(Derived, LineRule, ::testing::ValuesIn(kDerived));

TEST(LevelDetection, NormalisesKnownNamesAndKeepsOthers) {
  for (const auto& [text, level] : {std::pair{"TRC", "trace"},
                                    {"Trace", "trace"},
                                    {"dbg", "debug"},
                                    {"INF", "info"},
                                    {"Information", "info"},
                                    {"wrn", "warn"},
                                    {"WARNING", "warn"},
                                    {"err", "error"},
                                    {"Critical", "critical"},
                                    {"FATAL", "fatal"},
                                    {"notice", "notice"},
                                    {"30", "30"},
                                    {"Crit", "Crit"},
                                    {"Unknown", "Unknown"},
                                    {"", ""}}) {
    EXPECT_EQ(NormalisedLevel(text), level);
  }
}

LevelDetector Default() {
  const IngestLimits limits;
  return LevelDetector(limits.log_level_fields, limits.log_level_from_json_max_depth);
}

TEST(LevelDetection, TakesTheBestStreamLabel) {
  const LevelDetector detector = Default();
  EXPECT_EQ(detector.FromLabels(Labels::FromUnsorted({{"severity", "error"}, {"level", "INF"}})), "info");
  EXPECT_EQ(detector.FromLabels(Labels::FromUnsorted({{"severity", "Crit"}})), "Crit");
  EXPECT_EQ(detector.FromLabels(Labels::FromUnsorted({{"lvl", "trace"}, {"severity", "FATAL"}})), "fatal");
  EXPECT_EQ(detector.FromLabels(Labels::FromUnsorted({{"detected_level", "error"}})), "");
}

TEST(LevelDetection, TakesTheBestMetadata) {
  const LevelDetector detector = Default();
  EXPECT_EQ(detector.FromMetadata({{"severity", "info"}, {"Level", "trc"}}), "trace");
  EXPECT_EQ(detector.FromMetadata({{"severity_number", "9"}, {"level", "warn"}}), "warn");
  EXPECT_EQ(detector.FromMetadata({{"log_level", "debug"}}), "");
}

TEST(LevelDetection, ReadsSeverityNumbers) {
  const LevelDetector detector = Default();
  for (const auto& [number, level] : {std::pair{"0", "unknown"},
                                      {"1", "trace"},
                                      {"4", "trace"},
                                      {"5", "debug"},
                                      {"8", "debug"},
                                      {"9", "info"},
                                      {"12", "info"},
                                      {"13", "warn"},
                                      {"16", "warn"},
                                      {"17", "error"},
                                      {"20", "error"},
                                      {"21", "fatal"},
                                      {"24", "fatal"},
                                      {"25", "unknown"},
                                      {"-1", "trace"},
                                      {"+17", "error"},
                                      {"x", "info"},
                                      {"17 ", "info"},
                                      {"+-1", "info"},
                                      {"+", "info"},
                                      {"99999999999999999999", "info"}}) {
    EXPECT_EQ(detector.FromMetadata({{"severity_number", number}}), level) << number;
  }
}

TEST(LevelDetection, UsesTheConfiguredFields) {
  const LevelDetector detector({"prio", "p"}, 1);
  EXPECT_EQ(detector.FromLine("p=err PRIO=wrn"), Level::kWarn);
  EXPECT_EQ(detector.FromLine("level=wrn"), Level::kUnknown);
  EXPECT_EQ(detector.FromLine(R"({"a":{"p":"wrn"}})"), Level::kUnknown);  // one object deep only
  EXPECT_EQ(LevelDetector({"p"}, 0).FromLine(R"({"a":{"b":{"c":{"p":"wrn"}}}})"), Level::kWarn);
  EXPECT_EQ(LevelDetector({}, 2).FromLine(R"({"level":"wrn"} level=wrn)"), Level::kUnknown);
}

TEST(LevelDetection, IsNotTroubledByDeepNesting) {
  const std::string deep = std::string(100'000, '{') + std::string(100'000, '}');
  EXPECT_EQ(LevelDetector({"level"}, 0).FromLine(deep), Level::kUnknown);
  std::string nested;
  for (int i = 0; i < 10'000; ++i) nested += R"({"a":)";
  EXPECT_EQ(LevelDetector({"level"}, 0).FromLine(nested + "1" + std::string(10'000, '}')), Level::kUnknown);
}

}  // namespace
}  // namespace varve
