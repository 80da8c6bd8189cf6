#include "ingest/otlp_protobuf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/support/otlp_bodies.h"
#include "tests/support/otlp_push.h"

namespace varve {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kProtobuf[] = "application/x-protobuf";

std::string Stored(std::string_view body) { return OtlpPush().Stored(body, kProtobuf); }

std::string RecordAt(uint64_t time, std::string_view line, std::string_view more = "") {
  return Fixed64Field(1, time) + Field(5, StringValue(line)) + std::string(more);
}

TEST(OtlpProtobuf, ReadsEveryField) {
  const std::string record =
      Fixed64Field(1, 5) + VarintField(2, 17) + Field(3, "Error") + Field(5, StringValue("the line")) +
      Attribute(6, "log.attr", IntValue(-4)) + VarintField(7, 9) + Fixed32Field(8, 257) +
      Field(9, std::string(15, '\0') + "\x01") + Field(10, "\x10\x32\x54\x76\x98\xba\xdc\xfe") +
      Fixed64Field(11, 6) + Field(12, "event") + Field(4, "reserved");
  const std::string scope =
      Field(1, "lib") + Field(2, "1.2") + Attribute(3, "s.a", BoolValue(true)) + VarintField(4, 8);
  const std::string resource = Attribute(1, "k8s.pod.name", StringValue("p")) + VarintField(2, 3);
  EXPECT_EQ(Stored(OtlpRequest(resource, scope, record)),
            "{k8s_pod_name=\"p\", service_name=\"unknown_service\"} 5 \"the line\" detected_level=error "
            "dropped_attributes_count=9 flags=257 log_attr=-4 observed_timestamp=6 s_a=true "
            "scope_dropped_attributes_count=8 scope_name=lib scope_version=1.2 severity_number=17 "
            "severity_text=Error span_id=1032547698badcfe trace_id=00000000000000000000000000000001\n");
}

TEST(OtlpProtobuf, NeedsNoOrderOfFields) {
  const std::string scope_logs = Field(2, RecordAt(1, "x")) + Field(1, Field(1, "lib"));
  const std::string body =
      Field(1, Field(2, scope_logs) + Field(1, Attribute(1, "service.name", StringValue("s"))));
  EXPECT_EQ(Stored(body), "{service_name=\"s\"} 1 \"x\" detected_level=unknown scope_name=lib\n");
}

TEST(OtlpProtobuf, SkipsUnknownFields) {
  const std::string more =
      Field(99, "later") + VarintField(98, 1) + Fixed32Field(97, 1) + Fixed64Field(96, 1);
  const std::string record = RecordAt(1, "x", more);
  EXPECT_EQ(Stored(more + Field(1, more + Field(2, more + Field(2, record)))),
            "{service_name=\"unknown_service\"} 1 \"x\" detected_level=unknown\n");
}

struct ValueCase {
  const char* name;
  std::string value;
  std::string line;
};

class OtlpProtobufBody : public ::testing::TestWithParam<ValueCase> {};

TEST_P(OtlpProtobufBody, BecomesALine) {
  const std::string body = OtlpRequest("", "", Fixed64Field(1, 1) + Field(5, GetParam().value));
  EXPECT_THAT(Stored(body),
              StartsWith("{service_name=\"unknown_service\"} 1 " + GoQuoted(GetParam().line) + " "));
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

INSTANTIATE_TEST_SUITE_P(
    AnyValue, OtlpProtobufBody,
    ::testing::Values(
        ValueCase{"Nothing", "", ""}, ValueCase{"Bytes1", BytesValue("f"), "Zg=="},
        ValueCase{"Bytes2", BytesValue("fo"), "Zm8="}, ValueCase{"Bytes3", BytesValue("foo"), "Zm9v"},
        ValueCase{"Int", IntValue(INT64_MIN), "-9223372036854775808"},
        ValueCase{"Double", DoubleValue(-1234.5), "-1234.5"},
        ValueCase{"Infinite", DoubleValue(kInfinity), "json: unsupported value: +Inf"},
        ValueCase{"Tiny", DoubleValue(5e-324), "5e-324"},
        ValueCase{"Huge", DoubleValue(1e20), "100000000000000000000"},
        ValueCase{"Array",
                  ArrayValue(Field(1, IntValue(1)) + Field(1, "") + Field(1, StringValue("\x01\t\xff"))),
                  R"([1,null,"\u0001\t\ufffd"])"},
        ValueCase{"Map", MapValue(Attribute(1, "z", BytesValue("\xff")) + Attribute(1, "a", MapValue(""))),
                  R"({"a":{},"z":"/w=="})"},
        ValueCase{"ArrayWithInfinity", ArrayValue(Field(1, DoubleValue(kInfinity))), ""},
        ValueCase{"LastAlternative", StringValue("first") + BoolValue(false), "false"},
        ValueCase{"NotUtf8", StringValue("a\xffz"), "a\ufffdz"}),
    [](const auto& test) { return test.param.name; });

struct ErrorCase {
  const char* name;
  std::string body;
  std::string text;
};

class OtlpProtobufError : public ::testing::TestWithParam<ErrorCase> {};

TEST_P(OtlpProtobufError, RefusesTheRequest) {
  EXPECT_THAT(Stored(GetParam().body), StartsWith("error: " + GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, OtlpProtobufError,
    ::testing::Values(ErrorCase{"Empty", "", "error at least one valid stream is required for ingestion"},
                      ErrorCase{"NoRecord", Field(1, Field(1, "")),
                                "error at least one valid stream is required"},
                      ErrorCase{"Text", "this is no protobuf", "proto: ExportLogsServiceRequest: "},
                      ErrorCase{"Cut", OtlpRequest("", "", RecordAt(1, "x")).substr(0, 10), "proto: "},
                      ErrorCase{"WrongType", OtlpRequest("", "", VarintField(1, 1)),
                                "proto: wrong wireType = 0 for field 1 of LogRecord"},
                      ErrorCase{"TraceId", OtlpRequest("", "", Field(9, "short")),
                                "proto: LogRecord: invalid length for TraceID"},
                      ErrorCase{"SpanId", OtlpRequest("", "", Field(10, std::string(9, '\0'))),
                                "proto: LogRecord: invalid length for SpanID"}),
    [](const auto& test) { return test.param.name; });

TEST(OtlpProtobuf, BoundsHowDeepValuesNest) {
  const auto nested = [](int depth) {
    std::string value = StringValue("leaf");
    for (int i = 1; i < depth; ++i)
      value = i % 2 == 0 ? ArrayValue(Field(1, value)) : MapValue(Attribute(1, "k", value));
    return OtlpRequest("", "", Fixed64Field(1, 1) + Attribute(6, "a", value));
  };
  EXPECT_THAT(Stored(nested(kOtlpValueDepthMax)), StartsWith("{service_name"));
  EXPECT_THAT(Stored(nested(kOtlpValueDepthMax + 1)),
              StartsWith("error: otlp: a value is nested more than 64 deep"));
}

// A resource's attributes are listed again for each record: the budget ends that before memory does.
TEST(OtlpProtobuf, RefusesWhatWouldMultiplyBeyondTheBudget) {
  std::string resource;
  for (int i = 0; i < 2000; ++i) resource += Attribute(1, "a", StringValue("b"));
  std::string records;
  for (int i = 0; i < 200'000; ++i) records += Field(2, "");
  const std::string body = Field(1, Field(1, resource) + Field(2, records));
  EXPECT_THAT(Stored(body), StartsWith("error: request body too large: decoding it takes more than"));
}

}  // namespace
}  // namespace varve
