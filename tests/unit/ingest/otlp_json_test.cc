#include "ingest/otlp_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/otlp_push.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::OtlpPush;
using ::testing::StartsWith;

// A request with one record that has these fields beside a time.
std::string WithRecord(const std::string& fields) {
  return R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","body":{"stringValue":"x"})" +
         std::string(fields.empty() ? "" : ",") + fields + "}]}]}]}";
}
std::string WithBody(const std::string& value) {
  return R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","body":)" + value + "}]}]}]}";
}
std::string Plain(const std::string& metadata_before_level, const std::string& after = "") {
  return "{service_name=\"unknown_service\"} 1 \"x\"" + metadata_before_level + " detected_level=unknown" +
         after + "\n";
}

TEST(OtlpJson, ReadsTheExampleOfTheProtocol) {
  // opentelemetry-proto/examples/logs.json has this shape.
  const std::string body = R"({"resourceLogs":[{
    "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"my.service"}},
                              {"key":"host.name","value":{"stringValue":"h1"}}]},
    "scopeLogs":[{
      "scope":{"name":"my.library","version":"1.0.0","attributes":[{"key":"my.scope.attribute","value":{"stringValue":"some"}}]},
      "logRecords":[{"timeUnixNano":"1544712660300000000","observedTimeUnixNano":"1544712660300000001",
        "severityNumber":10,"severityText":"Information","traceId":"5B8EFFF798038103D269B633813FC60C",
        "spanId":"EEE19B7EC3C1B174","body":{"stringValue":"Example log record"},
        "attributes":[{"key":"string.attribute","value":{"stringValue":"some string"}},
                      {"key":"boolean.attribute","value":{"boolValue":true}},
                      {"key":"int.attribute","value":{"intValue":"10"}},
                      {"key":"double.attribute","value":{"doubleValue":637.704}},
                      {"key":"array.attribute","value":{"arrayValue":{"values":[{"stringValue":"many"},{"stringValue":"values"}]}}},
                      {"key":"map.attribute","value":{"kvlistValue":{"values":[{"key":"some.map.key","value":{"stringValue":"v"}}]}}}
        ]}]}]}]})";
  EXPECT_EQ(OtlpPush().Stored(body),
            "{service_name=\"my.service\"} 1544712660300000000 \"Example log record\" "
            "array_attribute=[\"many\",\"values\"] boolean_attribute=true detected_level=info "
            "double_attribute=637.704 host_name=h1 int_attribute=10 map_attribute_some_map_key=v "
            "my_scope_attribute=some observed_timestamp=1544712660300000001 scope_name=my.library "
            "scope_version=1.0.0 severity_number=10 severity_text=Information span_id=eee19b7ec3c1b174 "
            "string_attribute=some string trace_id=5b8efff798038103d269b633813fc60c\n");
}

TEST(OtlpJson, KnowsTheOriginalFieldNamesToo) {
  const std::string body =
      R"({"resource_logs":[{"schema_url":"u","scope_logs":[{"schema_url":"u","log_records":[{
    "time_unix_nano":7,"observed_time_unix_nano":8,"severity_number":"SEVERITY_NUMBER_WARN2","severity_text":"",
    "dropped_attributes_count":2,"flags":1,"trace_id":"","span_id":"0000000000000000",
    "body":{"string_value":"x"},"attributes":[{"key":"n","value":{"int_value":-3}},
      {"key":"l","value":{"array_value":{"values":[{"bool_value":false}]}}},{"key":"d","value":{"double_value":"1e-7"}},
      {"key":"m","value":{"kvlist_value":{"values":[{"key":"k","value":{"bytes_value":"AP8="}}]}}}]}]}]}]})";
  EXPECT_EQ(
      OtlpPush().Stored(body),
      "{service_name=\"unknown_service\"} 7 \"x\" d=1e-7 detected_level=warn dropped_attributes_count=2 "
      "flags=1 l=[false] m_k=AP8= n=-3 observed_timestamp=8 severity_number=14\n");
}

TEST(OtlpJson, TakesPartsInAnyOrderAndNullsForNothing) {
  const std::string body = R"({"other":[1,{"a":2}],"resourceLogs":[null,{
    "scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"},"timeUnixNano":1,"attributes":null,"severityText":null},null],
                  "scope":{"dropped":1,"name":"late","droppedAttributesCount":"3"}}],
    "resource":{"attributes":[{"value":{"stringValue":"s"},"key":"service.name"},{"key":"a","value":null},{"key":"b"}]}}]})";
  EXPECT_EQ(OtlpPush().Stored(body),
            "{service_name=\"s\"} 1 \"x\" detected_level=unknown scope_dropped_attributes_count=3 "
            "scope_name=late\n");
}

struct BodyCase {
  const char* name;
  std::string value;
  std::string line;
};

class OtlpJsonBody : public ::testing::TestWithParam<BodyCase> {};

TEST_P(OtlpJsonBody, BecomesALine) {
  const std::string stored = OtlpPush().Stored(WithBody(GetParam().value));
  EXPECT_THAT(stored, StartsWith("{service_name=\"unknown_service\"} 1 " + GoQuoted(GetParam().line) + " "));
}

INSTANTIATE_TEST_SUITE_P(
    AnyValue, OtlpJsonBody,
    ::testing::Values(
        BodyCase{"Text", R"({"stringValue":"a\u00e9\n"})", "a\u00e9\n"},
        BodyCase{"True", R"({"boolValue":true})", "true"},
        BodyCase{"IntAsText", R"({"intValue":"-9223372036854775808"})", "-9223372036854775808"},
        BodyCase{"IntAsNumber", R"({"intValue":12})", "12"},
        BodyCase{"IntWithExponent", R"({"intValue":1.5e3})", "1500"},
        BodyCase{"Double", R"({"doubleValue":0.1})", "0.1"},
        BodyCase{"WholeDouble", R"({"doubleValue":3})", "3"},
        BodyCase{"SmallDouble", R"({"doubleValue":1e-6})", "0.000001"},
        BodyCase{"LargeDouble", R"({"doubleValue":1e21})", "1e+21"},
        BodyCase{"NotANumber", R"({"doubleValue":"NaN"})", "json: unsupported value: NaN"},
        BodyCase{"Infinity", R"({"doubleValue":"-Infinity"})", "json: unsupported value: -Inf"},
        BodyCase{"Bytes", R"({"bytesValue":"_-8"})", "/+8="}, BodyCase{"Nothing", "{}", ""},
        BodyCase{"Null", "null", ""},
        BodyCase{"Array",
                 R"({"arrayValue":{"values":[{"intValue":1},{},null,{"stringValue":"<&>\"\u2028"}]}})",
                 R"([1,null,null,"\u003c\u0026\u003e\"\u2028"])"},
        BodyCase{"EmptyArray", R"({"arrayValue":{}})", "[]"},
        BodyCase{
            "MapIsSortedAndTheLastOfAKeyCounts",
            R"({"kvlistValue":{"values":[{"key":"b","value":{"intValue":1}},{"key":"a","value":{"boolValue":false}},
                 {"key":"b","value":{"kvlistValue":{"values":[{"key":"c","value":{"doubleValue":0.5}}]}}}]}})",
            R"({"a":false,"b":{"c":0.5}})"},
        BodyCase{"NoNumberInAMap",
                 R"({"kvlistValue":{"values":[{"key":"b","value":{"doubleValue":"NaN"}}]}})", ""},
        BodyCase{"LastAlternative", R"({"arrayValue":{"values":[{"intValue":1}]},"stringValue":"last"})",
                 "last"}),
    [](const auto& test) { return test.param.name; });

struct ErrorCase {
  const char* name;
  std::string body;
  std::string text;
};

class OtlpJsonError : public ::testing::TestWithParam<ErrorCase> {};

TEST_P(OtlpJsonError, RefusesTheRequest) {
  EXPECT_THAT(OtlpPush().Stored(GetParam().body), StartsWith("error: " + GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, OtlpJsonError,
    ::testing::Values(
        ErrorCase{"Empty", "", "EOF"}, ErrorCase{"Spaces", "  ", "EOF"},
        ErrorCase{"NoObject", "[]", "otlp: ExportLogsServiceRequest: expect {"},
        ErrorCase{"Cut", R"({"resourceLogs":[{)", "otlp: ResourceLogs: "},
        ErrorCase{"Rest", "{} x", "otlp: ExportLogsServiceRequest: there are bytes left"},
        ErrorCase{"NoRecords", R"({"resourceLogs":[]})", "error at least one valid stream is required"},
        ErrorCase{"EmptyScope", R"({"resourceLogs":[{"scopeLogs":[{}]}]})",
                  "error at least one valid stream is required"},
        ErrorCase{"Time", WithRecord(R"("timeUnixNano":"soon")"), "otlp: LogRecord: \"soon\" is no integer"},
        ErrorCase{"NegativeTime", WithRecord(R"("timeUnixNano":-1)"),
                  "otlp: LogRecord: \"-1\" is no integer"},
        ErrorCase{"TimeIsAnObject", WithRecord(R"("timeUnixNano":{})"), "otlp: LogRecord: a number was"},
        ErrorCase{"FlagsTooLarge", WithRecord(R"("flags":4294967296)"), "otlp: LogRecord: \"4294967296\""},
        ErrorCase{"Severity", WithRecord(R"("severityNumber":"LOUD")"), "otlp: LogRecord: severityNumber"},
        ErrorCase{"Severity5", WithRecord(R"("severityNumber":"SEVERITY_NUMBER_INFO5")"),
                  "otlp: LogRecord: sev"},
        ErrorCase{"TraceIdLength", WithRecord(R"("traceId":"abc")"),
                  "otlp: LogRecord: traceId has an invalid"},
        ErrorCase{"SpanIdDigits", WithRecord(R"("spanId":"eee19b7ec3c1b17g")"),
                  "otlp: LogRecord: spanId is not"},
        ErrorCase{"Base64", WithBody(R"({"bytesValue":"****"})"), "otlp: AnyValue: bytesValue is not base64"},
        ErrorCase{"Bool", WithBody(R"({"boolValue":1})"), "otlp: AnyValue: boolValue is neither"},
        ErrorCase{"Real", WithBody(R"({"doubleValue":"inf"})"), "otlp: AnyValue: doubleValue is not"}),
    [](const auto& test) { return test.param.name; });

TEST(OtlpJson, BoundsHowDeepValuesNest) {
  const auto nested = [](int depth) {
    std::string open;
    std::string close;
    for (int i = 1; i < depth; ++i) {
      open +=
          i % 2 == 0 ? R"({"arrayValue":{"values":[)" : R"({"kvlistValue":{"values":[{"key":"k","value":)";
      close = (i % 2 == 0 ? "]}}" : "}]}}") + close;
    }
    return WithBody(open + "{}" + close);
  };
  EXPECT_THAT(OtlpPush().Stored(nested(kOtlpValueDepthMax)), StartsWith("{service_name"));
  EXPECT_THAT(OtlpPush().Stored(nested(kOtlpValueDepthMax + 1)),
              StartsWith("error: otlp: a value is nested more than 64 deep"));
  EXPECT_THAT(OtlpPush().Stored(nested(5'000)), HasSubstr("nested too deeply"));
}

TEST(OtlpJson, ADefaultSeverityIsNone) {
  EXPECT_EQ(OtlpPush().Stored(WithRecord(R"("severityNumber":"SEVERITY_NUMBER_UNSPECIFIED")")), Plain(""));
}

}  // namespace
}  // namespace varve
