#include "ingest/write_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/push_bodies.h"
#include "tests/support/recording_engine.h"
#include "tests/support/replay_sinks.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::JsonBody;
using testing::kNowNs;
using testing::ProtobufBody;
using testing::PushStream;
using testing::RecordingEngine;
using testing::Snappy;
using ::testing::StartsWith;

PushRequest JsonRequest(std::string_view body) {
  PushRequest request;
  request.content_type = "application/json";
  request.body = body;
  return request;
}

PushRequest ProtobufRequest(std::string_view body) {
  PushRequest request;
  request.content_type = "application/x-protobuf";
  request.body = body;
  return request;
}

std::string At(int64_t seconds_from_now) { return std::to_string(kNowNs + seconds_from_now * kNsPerSecond); }

TEST(WritePath, StoresAJsonPush) {
  RecordingEngine engine;
  WritePath path(&engine, {});
  const std::string body =
      R"({"streams":[{"stream":{"app":"x","env":"p"},"values":[["1700000000000000000","line"],)"
      R"(["1700000000000000001","line2",{"trace_id":"abc"}]]}]})";
  const PushOutcome outcome = path.Push(JsonRequest(body));
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.ToString();
  EXPECT_EQ(outcome.entries_stored, 2u);
  EXPECT_EQ(outcome.line_bytes_stored, 9u);
  EXPECT_EQ(engine.appended(),
            "{app=\"x\", env=\"p\", service_name=\"x\"} 1700000000000000000 \"line\" detected_level=unknown\n"
            "{app=\"x\", env=\"p\", service_name=\"x\"} 1700000000000000001 \"line2\" detected_level=unknown "
            "trace_id=abc\n");
}

TEST(WritePath, StoresAProtobufPush) {
  RecordingEngine engine;
  WritePath path(&engine, {});
  const std::string body =
      Snappy(ProtobufBody({{{{"job", "sshd"}}, {{1700000000000000002, "an ERROR: x", {}}}},
                           {{{"level", "Warning"}}, {{-5, "error", {{"a.b", "v"}}}}}}));
  const PushOutcome outcome = path.Push(ProtobufRequest(body));
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.ToString();
  EXPECT_EQ(engine.appended(),
            "{job=\"sshd\", service_name=\"sshd\"} 1700000000000000002 \"an ERROR: x\" detected_level=error\n"
            "{level=\"Warning\", service_name=\"unknown_service\"} -5 \"error\" a_b=v detected_level=warn\n");
}

TEST(WritePath, KnowsAStreamAgainHoweverItIsSpelled) {
  RecordingEngine engine;
  WritePath path(&engine, {});
  for (const char* labels :
       {R"({"a":"1","b":"2"})", R"({"b":"2","a":"1"})", R"({ "a":"1","b":"2","c":"" })"}) {
    const std::string body =
        R"({"streams":[{"stream":)" + std::string(labels) + R"(,"values":[["1","x"]]}]})";
    EXPECT_TRUE(path.Push(JsonRequest(body)).status.ok());
    EXPECT_TRUE(path.Push(JsonRequest(body)).status.ok());
  }
  EXPECT_EQ(engine.Stats().streams, 1u);
}

struct JsonCase {
  const char* name;
  std::string body;
  Code code;
  std::string message;
  uint64_t stored = 0;
};

class JsonPush : public ::testing::TestWithParam<JsonCase> {};

TEST_P(JsonPush, AnswersAsLokiDoes) {
  RecordingEngine engine;
  WritePath path(&engine, {});
  const PushOutcome outcome = path.Push(JsonRequest(GetParam().body));
  EXPECT_EQ(outcome.status.code(), GetParam().code) << outcome.status.ToString();
  EXPECT_THAT(outcome.status.message(), StartsWith(GetParam().message));
  EXPECT_EQ(outcome.entries_stored, GetParam().stored);
  if (GetParam().stored == 0) {
    EXPECT_EQ(engine.appended(), "");
    EXPECT_EQ(engine.Stats().streams, 0u);
  }
  EXPECT_EQ(engine.ingest_budget()->used_bytes(), 0);
}

std::string OneStream(const std::string& values, const std::string& labels = R"({"a":"b"})") {
  return R"({"streams":[{"stream":)" + labels + R"(,"values":)" + values + "}]}";
}

constexpr char kStreamError[] = "loghttp.PushRequest.Streams: []loghttp.LogProtoStream: unmarshalerDecoder: ";

INSTANTIATE_TEST_SUITE_P(
    Table14, JsonPush,
    ::testing::Values(
        JsonCase{"StringTimestamp", OneStream(R"([["1","x"]])"), Code::kOk, "", 1},
        JsonCase{"NegativeTimestamp", OneStream(R"([["-1","x"],["+7","y"]])"), Code::kOk, "", 2},
        JsonCase{"IntegerTimestamp", OneStream(R"([[1,"x"]])"), Code::kInvalidArgument, kStreamError},
        JsonCase{"BadDigits", OneStream(R"([["1x","x"]])"), Code::kInvalidArgument, kStreamError},
        JsonCase{"EmptyTimestamp", OneStream(R"([["","x"]])"), Code::kInvalidArgument, kStreamError},
        JsonCase{"TwoSigns", OneStream(R"([["+-1","x"]])"), Code::kInvalidArgument, kStreamError},
        JsonCase{"TimestampTooBig", OneStream(R"([["9223372036854775808","x"]])"), Code::kInvalidArgument,
                 kStreamError},
        JsonCase{"LineIsNoString", OneStream(R"([["1",2]])"), Code::kInvalidArgument, kStreamError},
        JsonCase{"MetadataIsNoObject", OneStream(R"([["1","x",[]]])"), Code::kInvalidArgument, kStreamError},
        JsonCase{"NestedMetadata", OneStream(R"([["1","x",{"a":{"b":"c"}}]])"), Code::kInvalidArgument,
                 kStreamError},
        JsonCase{"NumberInMetadata", OneStream(R"([["1","x",{"a":1}]])"), Code::kInvalidArgument,
                 kStreamError},
        JsonCase{"ExtraElements", OneStream(R"([["1","x",{},5,{"z":[1,{}]}]])"), Code::kOk, "", 1},
        JsonCase{"TimestampOnly", OneStream(R"([["1"]])"), Code::kOk, "", 1},
        JsonCase{"NoElement", OneStream(R"([[]])"), Code::kInvalidArgument, kStreamError},
        JsonCase{"GoodThenBad", OneStream(R"([["1","x"],["2",3]])"), Code::kInvalidArgument, kStreamError},
        JsonCase{"NoValues", OneStream("[]"), Code::kOk, "", 0},
        JsonCase{"NullValues", OneStream("null"), Code::kOk, "", 0},
        JsonCase{"EmptyObject", "{}", Code::kOutOfRange,
                 "error at least one valid stream is required for ingestion"},
        JsonCase{"NoStreams", R"({"streams":[]})", Code::kOutOfRange,
                 "error at least one valid stream is required for ingestion"},
        JsonCase{"Null", "null", Code::kOutOfRange,
                 "error at least one valid stream is required for ingestion"},
        JsonCase{"EmptyBody", "", Code::kInvalidArgument, "EOF"},
        JsonCase{"OnlySpace", " \n", Code::kInvalidArgument, "EOF"},
        JsonCase{"MissingStream", R"({"streams":[{"values":[["1","x"]]}]})", Code::kOk, "", 1},
        JsonCase{"NoLabels", OneStream(R"([["1","x"]])", "{}"), Code::kOk, "", 1},
        JsonCase{"LabelName", OneStream(R"([["1","x"]])", R"({"a-b":"c"})"), Code::kInvalidArgument,
                 "couldn't parse labels: 1:3: parse error: unexpected character inside braces: '-'"},
        JsonCase{"EmptyLabelName", OneStream(R"([["1","x"]])", R"({"":"c"})"), Code::kInvalidArgument,
                 "couldn't parse labels: 1:2: parse error: unexpected <op:=> in label set, expected "
                 "identifier or \"}\""},
        JsonCase{"LabelValueIsNoString", OneStream(R"([["1","x"]])", R"({"a":1})"), Code::kInvalidArgument,
                 kStreamError},
        JsonCase{"UnknownFields",
                 R"({"x":[1,{"y":null}],"streams":[{"z":1,"stream":{"a":"b"},"values":[["1","x"]]}]})",
                 Code::kOk, "", 1},
        JsonCase{"ValuesBeforeLabels", R"({"streams":[{"values":[["1","x"]],"stream":{"a":"b"}}]})",
                 Code::kOk, "", 1},
        JsonCase{"Truncated", R"({"streams":[{"stream":{"a":"b"},"values":[["1","x"])",
                 Code::kInvalidArgument, kStreamError},
        JsonCase{"TruncatedOutside", R"({"streams":[])", Code::kInvalidArgument,
                 "loghttp.PushRequest: unexpected end of input"},
        JsonCase{"BytesLeft", R"({"streams":[]} x)", Code::kInvalidArgument,
                 "loghttp.PushRequest: there are bytes left"},
        JsonCase{"NotAnObject", "[]", Code::kInvalidArgument, "loghttp.PushRequest: expect {"},
        JsonCase{"ControlCharacter", OneStream("[[\"1\",\"a\nb\"]]"), Code::kInvalidArgument, kStreamError},
        JsonCase{"BadEscape", OneStream(R"([["1","a\qb"]])"), Code::kInvalidArgument, kStreamError},
        JsonCase{"LegacyFormElsewhere",
                 R"({"streams":[{"labels":"{a=\"b\"}","entries":[{"ts":"x","line":1}]}]})", Code::kOk, "",
                 0}),
    [](const auto& test) { return test.param.name; });

TEST(WritePath, TakesTheLegacyFormOnItsPath) {
  RecordingEngine engine;
  WritePath path(&engine, {});
  PushRequest request = JsonRequest(
      R"({"streams":[{"labels":"{app=\"x\"}","entries":[)"
      R"({"ts":"2026-11-01T01:02:03.000000004+01:00","line":"a","structuredMetadata":[{"name":"k","value":"v"}]}]}]})");
  request.legacy_json = true;
  EXPECT_TRUE(path.Push(request).status.ok());
  EXPECT_EQ(engine.appended(),
            "{app=\"x\", service_name=\"x\"} 1793491323000000004 \"a\" detected_level=unknown k=v\n");
  request.body = R"({"streams":[{"labels":"{app=\"x\"}","entries":[{"ts":"yesterday","line":"a"}]}]})";
  EXPECT_EQ(path.Push(request).status.code(), Code::kInvalidArgument);
}

TEST(WritePath, RefusesWhatItCannotRead) {
  struct Case {
    const char* type;
    const char* encoding;
    std::string body;
    Code code;
    const char* message;
  };
  const Case cases[] = {
      {"", "", "x", Code::kInvalidArgument, "mime: no media type"},
      {"application/json", "br", "{}", Code::kInvalidArgument, "Content-Encoding \"br\" not supported"},
      {"application/x-protobuf", "", "\xff\xff\xff\xff\xff\xff", Code::kInvalidArgument,
       "snappy: corrupt input"},
      {"application/x-protobuf", "", std::string("\x0c\x00", 2), Code::kInvalidArgument,
       "snappy: corrupt input"},
      {"application/x-protobuf", "", "", Code::kInvalidArgument, "EOF"},
      {"application/x-protobuf", "", Snappy(""), Code::kOutOfRange, "error at least one valid stream"},
      {"application/x-protobuf", "", Snappy("\x0a\x05x"), Code::kInvalidArgument,
       "proto: PushRequest: unexpected EOF"},
      {"application/x-protobuf", "gzip", "junk", Code::kInvalidArgument, "gzip: "},
      {"application/json", "gzip", "junk", Code::kInvalidArgument, "gzip: "},
      {"application/json", "zstd", "junk", Code::kInvalidArgument, "zstd: "},
      {"application/x-protobuf", "", Snappy(ProtobufBody({{{{"a-b", "c"}}, {{1, "x", {}}}}})),
       Code::kInvalidArgument,
       "couldn't parse labels: 1:3: parse error: unexpected character inside braces: '-'"},
  };
  for (const Case& c : cases) {
    RecordingEngine engine;
    WritePath path(&engine, {});
    PushRequest request;
    request.content_type = c.type;
    request.content_encoding = c.encoding;
    request.body = c.body;
    const PushOutcome outcome = path.Push(request);
    EXPECT_EQ(outcome.status.code(), c.code) << c.message;
    EXPECT_THAT(outcome.status.message(), StartsWith(c.message));
    EXPECT_EQ(engine.appended(), "");
  }
}

TEST(WritePath, KeepsGoodStreamsBesideRefusedOnes) {
  RecordingEngine engine;
  WritePath path(&engine, {});
  const std::string bad = R"({a="1", a="2"})";
  std::string body;
  testing::PutField(&body, 1, testing::ProtobufStream(bad, {{1, "x", {}}, {2, "y", {}}}));
  testing::PutField(&body, 1, testing::ProtobufStream(R"({ok="1"})", {{3, "z", {}}}));
  const PushOutcome outcome = path.Push(ProtobufRequest(Snappy(body)));
  EXPECT_EQ(outcome.status.code(), Code::kInvalidArgument);
  EXPECT_EQ(outcome.status.message(),
            R"(stream '{a="1", a="2", service_name="unknown_service"}' has duplicate label name: 'a')");
  EXPECT_EQ(outcome.entries_stored, 1u);
  EXPECT_EQ(engine.appended(),
            "{ok=\"1\", service_name=\"unknown_service\"} 3 \"z\" detected_level=unknown\n");
  const IngestStats stats = path.Stats();
  EXPECT_EQ(stats.entries_received, 3u);
  EXPECT_EQ(stats.discarded_entries[static_cast<size_t>(DiscardReason::kDuplicateLabelNames)], 2u);
  EXPECT_EQ(stats.discarded_bytes[static_cast<size_t>(DiscardReason::kDuplicateLabelNames)], 2u);
}

struct LimitCase {
  const char* name;
  void (*configure)(IngestLimits*);
  std::string values;
  std::string labels;
  Code code;
  DiscardReason reason;
  std::string message;
  uint64_t stored;
};

class PushLimits : public ::testing::TestWithParam<LimitCase> {};

TEST_P(PushLimits, RefuseInLokisWords) {
  RecordingEngine engine;
  IngestLimits limits;
  GetParam().configure(&limits);
  WritePath path(&engine, limits);
  const PushOutcome outcome = path.Push(JsonRequest(OneStream(GetParam().values, GetParam().labels)));
  EXPECT_EQ(outcome.status.code(), GetParam().code);
  EXPECT_EQ(outcome.status.message(), GetParam().message);
  EXPECT_EQ(outcome.entries_stored, GetParam().stored);
  EXPECT_EQ(path.Stats().discarded_entries[static_cast<size_t>(GetParam().reason)],
            path.Stats().entries_received - GetParam().stored);
  EXPECT_EQ(engine.ingest_budget()->used_bytes(), 0);
}

const std::string kLabels = R"({"app":"x"})";
const std::string kStreamText = R"({app="x", service_name="x"})";

INSTANTIATE_TEST_SUITE_P(
    Table15, PushLimits,
    ::testing::Values(
        LimitCase{"TooOld", [](IngestLimits* l) { l->reject_old_samples = true; },
                  "[[\"" + At(-8 * 86400) + "\",\"a\"],[\"" + At(-6 * 86400) + "\",\"b\"]]", kLabels,
                  Code::kInvalidArgument, DiscardReason::kGreaterThanMaxSampleAge,
                  "entry for stream '" + kStreamText +
                      "' has timestamp too old: 2026-11-10T11:06:40Z, oldest acceptable "
                      "timestamp is: 2026-11-11T11:06:40Z",
                  1},
        LimitCase{"TooNew", [](IngestLimits*) {},
                  "[[\"" + At(601) + "\",\"a\"],[\"" + At(600) + "\",\"b\"],[\"" + At(601) + "\",\"c\"]]",
                  kLabels, Code::kInvalidArgument, DiscardReason::kTooFarInFuture,
                  "2 errors like: entry for stream '" + kStreamText +
                      "' has timestamp too new: 2026-11-18T11:16:41Z",
                  1},
        LimitCase{"LineTooLong", [](IngestLimits* l) { l->max_line_size = 4; },
                  R"([["1","12345"],["2","1234"]])", kLabels, Code::kInvalidArgument,
                  DiscardReason::kLineTooLong,
                  "max entry size '4' bytes exceeded for stream '" + kStreamText +
                      "' while adding an entry with length '5' bytes",
                  1},
        LimitCase{
            "LabelNames", [](IngestLimits* l) { l->max_label_names_per_series = 1; }, R"([["1","a"]])",
            R"({"a":"1","b":"2"})", Code::kInvalidArgument, DiscardReason::kMaxLabelNamesPerSeries,
            R"(entry for stream '{a="1", b="2", service_name="unknown_service"}' has 2 label names; limit 1)",
            0},
        LimitCase{
            "LabelNameLength", [](IngestLimits* l) { l->max_label_name_length = 12; }, R"([["1","a"]])",
            R"({"abcdefghijklm":"1"})", Code::kInvalidArgument, DiscardReason::kLabelNameTooLong,
            R"(stream '{abcdefghijklm="1", service_name="unknown_service"}' has label name too long: 'abcdefghijklm')",
            0},
        LimitCase{"LabelValueLength",
                  [](IngestLimits* l) {
                    l->max_label_value_length = 2;
                    l->discover_service_name = {};
                  },
                  R"([["1","a"]])", R"({"a":"123"})", Code::kInvalidArgument,
                  DiscardReason::kLabelValueTooLong, R"(stream '{a="123"}' has label value too long: '123')",
                  0},
        LimitCase{"NoLabels", [](IngestLimits* l) { l->discover_service_name = {}; }, R"([["1","a"]])", "{}",
                  Code::kInvalidArgument, DiscardReason::kMissingLabels,
                  "error at least one label pair is required per stream", 0},
        LimitCase{
            "MetadataDisallowed", [](IngestLimits* l) { l->allow_structured_metadata = false; },
            R"([["1","a",{"k":"v"}],["2","b"]])", kLabels, Code::kInvalidArgument,
            DiscardReason::kDisallowedStructuredMetadata,
            "stream '" + kStreamText +
                "' includes structured metadata, but this feature is disallowed. Please see "
                "`limits_config.allow_structured_metadata` or contact your Loki administrator to enable it",
            1},
        LimitCase{"MetadataTooLarge", [](IngestLimits* l) { l->max_structured_metadata_size = 3; },
                  R"([["1","a",{"k":"123"}],["2","b",{"k":"12"}]])", kLabels, Code::kInvalidArgument,
                  DiscardReason::kStructuredMetadataTooLarge,
                  "stream '" + kStreamText +
                      "' has structured metadata too large: '4' bytes, limit: '3' bytes. Please see "
                      "`limits_config.max_structured_metadata_size` or contact your Loki administrator to "
                      "increase it",
                  1},
        LimitCase{"MetadataTooMany", [](IngestLimits* l) { l->max_structured_metadata_entries_count = 1; },
                  R"([["1","a",{"k":"1","l":"2"}],["2","b",{"k":"12"}]])", kLabels, Code::kInvalidArgument,
                  DiscardReason::kStructuredMetadataTooMany,
                  "stream '" + kStreamText +
                      "' has too many structured metadata labels: '2', limit: '1'. Please see "
                      "`limits_config.max_structured_metadata_entries_count` or contact your Loki "
                      "administrator to increase it",
                  1},
        LimitCase{"MetadataName", [](IngestLimits*) {}, R"([["1","a",{"é":"1"}],["2","b"]])", kLabels,
                  Code::kInvalidArgument, DiscardReason::kInvalidLabels,
                  "stream '" + kStreamText +
                      "' has structured metadata with an invalid name: normalization for label name "
                      "\"é\" resulted in invalid name \"_\"",
                  1},
        LimitCase{"TenantRate",
                  [](IngestLimits* l) {
                    l->ingestion_rate_mb = 1.0 / (1 << 20);
                    l->ingestion_burst_size_mb = 3.0 / (1 << 20);
                  },
                  R"([["1","ab"],["2","cd"]])", kLabels, Code::kResourceExhausted,
                  DiscardReason::kRateLimited,
                  "ingestion rate limit exceeded for user fake (limit: 1 bytes/sec) while attempting to "
                  "ingest '2' lines "
                  "totaling '4' bytes, reduce log volume or contact your Loki administrator to see if the "
                  "limit can be increased",
                  0},
        LimitCase{"StreamRate",
                  [](IngestLimits* l) {
                    l->per_stream_rate_limit_mb = 1;
                    l->per_stream_rate_limit_burst_mb = 1.0 / (1 << 20);
                  },
                  R"([["1795000000000000000","ab"]])", kLabels, Code::kResourceExhausted,
                  DiscardReason::kPerStreamRateLimit,
                  "entry with timestamp 2026-11-18 11:06:40 +0000 UTC ignored, reason: 'Per stream rate "
                  "limit exceeded (limit: "
                  "1MB/sec) while attempting to ingest for stream '" +
                      kStreamText +
                      "' totaling 2B, consider splitting a stream "
                      "via additional labels or contact your Loki administrator to see if the limit can be "
                      "increased',\n"
                      "user 'fake', total ignored: 1 out of 1 for stream: " +
                      kStreamText,
                  0}),
    [](const auto& test) { return test.param.name; });

TEST(WritePath, RefusesWhatRetentionWouldDropAtOnce) {
  RecordingEngine engine({.retention_ns = 3600 * kNsPerSecond});
  WritePath path(&engine, {});
  const PushOutcome outcome =
      path.Push(JsonRequest(OneStream("[[\"" + At(-3601) + "\",\"a\"],[\"" + At(-3600) + "\",\"b\"]]")));
  EXPECT_EQ(outcome.status.message(),
            "entry for stream '{a=\"b\", service_name=\"unknown_service\"}' has timestamp too old: "
            "2026-11-18T10:06:39Z, "
            "oldest acceptable timestamp is: 2026-11-18T10:06:40Z");
  EXPECT_EQ(outcome.entries_stored, 1u);
}

TEST(WritePath, RefusesByTheRetentionOfEachStream) {
  RetentionStream rule;
  rule.matchers.push_back(std::move(Matcher::Create("app", MatchOp::kEqual, "short")).value());
  rule.period_ns = 60 * kNsPerSecond;
  std::vector<RetentionStream> rules;
  rules.push_back(std::move(rule));
  auto source = std::make_shared<RetentionSource>(RetentionPolicy(3600 * kNsPerSecond, std::move(rules)));
  RecordingEngine engine({.retention = source});
  WritePath path(&engine, {});
  const std::string short_body = OneStream("[[\"" + At(-61) + "\",\"x\"]]", R"({"app":"short"})");
  const std::string long_body = OneStream("[[\"" + At(-61) + "\",\"x\"]]", R"({"app":"long"})");
  for (int i = 0; i < 2; ++i) {  // new streams and known ones
    EXPECT_THAT(path.Push(JsonRequest(short_body)).status.message(), HasSubstr("has timestamp too old: "));
    EXPECT_TRUE(path.Push(JsonRequest(long_body)).status.ok());
  }
  source->Replace(RetentionPolicy(0));
  EXPECT_TRUE(path.Push(JsonRequest(short_body)).status.ok());
}

TEST(WritePath, WantsEnforcedLabels) {
  RecordingEngine engine;
  IngestLimits limits;
  limits.enforced_labels = {"team", "app", "zone"};
  WritePath path(&engine, limits);
  const PushOutcome outcome = path.Push(JsonRequest(OneStream(R"([["1","x"]])", R"({"app":"a"})")));
  EXPECT_EQ(outcome.status.message(),
            "missing required labels 'team,zone' for user 'fake' for stream "
            "'{app=\"a\", service_name=\"a\"}' (policy: '')");
  EXPECT_EQ(path.Stats().discarded_entries[static_cast<size_t>(DiscardReason::kMissingEnforcedLabels)], 1u);
  EXPECT_EQ(engine.Stats().streams, 0u);
}

TEST(WritePath, BlocksIngestionUntilATime) {
  RecordingEngine engine;
  IngestLimits limits;
  limits.block_ingestion_until_ns = kNowNs + 1;
  {
    WritePath path(&engine, limits);
    const PushOutcome outcome = path.Push(JsonRequest(OneStream(R"([["1","abc"],["2","x"]])")));
    EXPECT_EQ(outcome.blocked_status, 260u);
    EXPECT_EQ(outcome.status.message(),
              "ingestion blocked for user 'fake' until '2026-11-18T11:06:40Z' with status code '260'");
    EXPECT_EQ(path.Stats().discarded_entries[static_cast<size_t>(DiscardReason::kBlockedIngestion)], 2u);
    EXPECT_EQ(path.Stats().discarded_bytes[static_cast<size_t>(DiscardReason::kBlockedIngestion)], 4u);
  }
  limits.block_ingestion_status_code = 200;
  {
    WritePath path(&engine, limits);
    const PushOutcome outcome = path.Push(JsonRequest(OneStream(R"([["1","abc"]])")));
    EXPECT_TRUE(outcome.status.ok()) << "the sender is not to notice";
    EXPECT_EQ(outcome.blocked_status, 0u);
    EXPECT_EQ(outcome.entries_stored, 0u);
  }
  EXPECT_EQ(engine.appended(), "");
  limits.block_ingestion_until_ns = kNowNs;
  WritePath path(&engine, limits);
  EXPECT_TRUE(path.Push(JsonRequest(OneStream(R"([["1","abc"]])"))).status.ok());
  EXPECT_NE(engine.appended(), "");
}

TEST(WritePath, KeepsToTheLimitsOfTheTenantAsTheyAreNow) {
  RecordingEngine engine;
  IngestLimits defaults;
  defaults.max_line_size = 3;
  PerTenant<IngestLimits> table(defaults);
  WritePath path(&engine, table);
  const std::string body = OneStream(R"([["1","abcdef"]])", R"({"app":"a"})");
  const auto push = [&](std::string_view tenant) {
    PushRequest request = JsonRequest(body);
    request.tenant = tenant;
    return path.Push(request).status.ok();
  };
  EXPECT_FALSE(push("a"));
  IngestLimits wide;
  PerTenant<IngestLimits>::Overrides overrides;
  overrides["a"] = std::make_shared<const IngestLimits>(wide);
  table.Replace(defaults, overrides);
  EXPECT_TRUE(push("a"));
  EXPECT_FALSE(push("b"));
  // The stream is known by now; what judges its labels holds for it all the same.
  wide.enforced_labels = {"team"};
  overrides["a"] = std::make_shared<const IngestLimits>(wide);
  table.Replace(defaults, overrides);
  EXPECT_FALSE(push("a"));
  table.Replace(IngestLimits(), {});
  EXPECT_TRUE(push("a"));
  EXPECT_TRUE(push("b"));
}

TEST(WritePath, SpreadsLinesOfOneTimestampWhereAskedTo) {
  RecordingEngine engine;
  IngestLimits limits;
  limits.increment_duplicate_timestamp = true;
  limits.discover_log_levels = false;
  limits.max_line_size = 5;
  WritePath path(&engine, limits);
  // A refused line does not count; an equal one stays a duplicate; a later time is left alone.
  path.Push(JsonRequest(OneStream(
      R"([["1","a"],["1","too long"],["1","b"],["1","b"],["1","c"],["9","d"],["9","e"],["8","f"]])")));
  const std::string stream = "{a=\"b\", service_name=\"unknown_service\"} ";
  std::string expected;
  for (const char* entry : {"1 \"a\"", "2 \"b\"", "1 \"b\"", "2 \"c\"", "9 \"d\"", "10 \"e\"", "8 \"f\""}) {
    expected += stream + entry + "\n";
  }
  EXPECT_EQ(engine.appended(), expected);
}

TEST(WritePath, TakesAnyTimeInAnyOrderByDefault) {
  RecordingEngine engine;
  WritePath path(&engine, {});
  EXPECT_TRUE(
      path.Push(JsonRequest(OneStream(R"([["1795000000000000000","a"],["0","b"],["-62135596800","c"]])")))
          .status.ok());
  EXPECT_EQ(path.Stats().entries_received, 3u);
}

TEST(WritePath, LimitsNewStreamsPerTenant) {
  RecordingEngine engine;
  IngestLimits limits;
  limits.max_global_streams_per_user = 1;
  WritePath path(&engine, limits);
  EXPECT_TRUE(path.Push(JsonRequest(OneStream(R"([["1","x"]])", R"({"a":"1"})"))).status.ok());
  const PushOutcome outcome = path.Push(JsonRequest(OneStream(R"([["1","x"]])", R"({"a":"2"})")));
  EXPECT_EQ(outcome.status.code(), Code::kResourceExhausted);
  EXPECT_THAT(outcome.status.message(),
              StartsWith("maximum active stream limit exceeded when trying to create stream {a=\"2\""));
  EXPECT_TRUE(path.Push(JsonRequest(OneStream(R"([["2","x"]])", R"({"a":"1"})"))).status.ok());
  EXPECT_EQ(engine.Stats().streams, 1u);
}

TEST(WritePath, BoundsTheBodyOnTheWireAndDecoded) {
  RecordingEngine engine;
  IngestLimits limits;
  limits.max_recv_msg_size = 100;
  limits.max_decompressed_size = 200;
  WritePath path(&engine, limits);
  const PushOutcome wire = path.Push(JsonRequest(std::string(101, ' ')));
  EXPECT_EQ(wire.status.code(), Code::kTooLarge);
  EXPECT_EQ(wire.status.message(), "request body too large: message size too large than max (101 vs 100)");
  const std::string body = Snappy(std::string(201, 'a'));
  const PushOutcome decoded = path.Push(ProtobufRequest(body));
  EXPECT_EQ(decoded.status.code(), Code::kTooLarge);
  EXPECT_EQ(decoded.status.message(),
            "request body too large: decompressed message size too large than max (201 vs 200)");
  EXPECT_EQ(path.Stats().discarded_bytes[static_cast<size_t>(DiscardReason::kRequestBodyTooLarge)],
            101 + body.size());
}

TEST(WritePath, HoldsItsMemoryBudgetUntilTheEntriesAreAppended) {
  RecordingEngine engine;
  WritePath path(&engine, {});
  const std::string raw = ProtobufBody({{{{"a", "b"}}, {{1, std::string(100'000, 'x'), {}}}}});
  EXPECT_TRUE(path.Push(ProtobufRequest(Snappy(raw))).status.ok());
  EXPECT_GE(engine.budget_at_append(), static_cast<int64_t>(raw.size()));
  EXPECT_EQ(engine.ingest_budget()->used_bytes(), 0);
}

TEST(WritePath, ShedsWhatTheBudgetHasNoRoomForAndRefusesWhatItNeverWill) {
  RecordingEngine engine({.ingest_budget_bytes = 1 << 20});
  WritePath path(&engine, {});
  const std::string body = Snappy(ProtobufBody({{{{"a", "b"}}, {{1, std::string(600'000, 'x'), {}}}}}));
  ASSERT_TRUE(engine.ingest_budget()->Reserve(500'000).ok());
  EXPECT_EQ(path.Push(ProtobufRequest(body)).status.code(), Code::kResourceExhausted);
  engine.ingest_budget()->Release(500'000);
  EXPECT_TRUE(path.Push(ProtobufRequest(body)).status.ok());
  const std::string giant = Snappy(ProtobufBody({{{{"a", "b"}}, {{1, std::string(2'000'000, 'x'), {}}}}}));
  EXPECT_EQ(path.Push(ProtobufRequest(giant)).status.code(), Code::kTooLarge);
  EXPECT_EQ(engine.ingest_budget()->used_bytes(), 0);
}

TEST(WritePath, PaysForManyTinyEntriesToo) {
  RecordingEngine engine({.ingest_budget_bytes = 1 << 20});
  WritePath path(&engine, {});
  std::string stream;
  for (int i = 0; i < 100'000; ++i) testing::PutField(&stream, 2, "");  // two bytes each
  std::string body;
  testing::PutField(&body, 1, stream);
  EXPECT_EQ(path.Push(ProtobufRequest(Snappy(body))).status.code(), Code::kTooLarge);
}

TEST(WritePath, PassesOnWhatTheEngineRefuses) {
  RecordingEngine engine;
  WritePath path(&engine, {});
  engine.memory().FailAppends(StorageFull("disk is full"));
  const PushOutcome outcome = path.Push(JsonRequest(OneStream(R"([["1","x"]])")));
  EXPECT_EQ(outcome.status.code(), Code::kStorageFull);
  EXPECT_EQ(outcome.entries_stored, 0u);
}

TEST(WritePath, RepairsTextThatIsNotUtf8) {
  RecordingEngine engine;
  WritePath path(&engine, {});
  const std::string body = Snappy(ProtobufBody({{{{"a", "b"}}, {{1, "x\xff\xfey", {{"k", "\xc3"}}}}}}));
  EXPECT_TRUE(path.Push(ProtobufRequest(body)).status.ok());
  EXPECT_THAT(engine.appended(), HasSubstr("1 \"x\uFFFD\uFFFDy\" detected_level=unknown k=\uFFFD\n"));
}

TEST(WritePath, AddsNothingThatIsTurnedOff) {
  RecordingEngine engine;
  IngestLimits limits;
  limits.discover_log_levels = false;
  limits.discover_service_name = {};
  WritePath path(&engine, limits);
  EXPECT_TRUE(path.Push(JsonRequest(OneStream(R"([["1","error"]])"))).status.ok());
  EXPECT_EQ(engine.appended(), "{a=\"b\"} 1 \"error\"\n");
}

TEST(WritePath, CutsLongLinesWhereAskedTo) {
  RecordingEngine engine;
  IngestLimits limits;
  limits.max_line_size = 3;
  limits.max_line_size_truncate = true;
  WritePath path(&engine, limits);
  EXPECT_TRUE(path.Push(JsonRequest(OneStream(R"([["1","abcdef"]])"))).status.ok());
  EXPECT_THAT(engine.appended(), HasSubstr("1 \"abc\" "));
}

TEST(WritePath, EndsCutLinesWithTheIdentifier) {
  RecordingEngine engine;
  IngestLimits limits;
  limits.max_line_size = 6;
  limits.max_line_size_truncate = true;
  limits.max_line_size_truncate_identifier = "...";
  WritePath path(&engine, limits);
  EXPECT_TRUE(path.Push(JsonRequest(OneStream(R"([["1","abcdefgh"],["2","abcdef"]])"))).status.ok());
  EXPECT_THAT(engine.appended(), HasSubstr("1 \"abc...\" "));
  EXPECT_THAT(engine.appended(), HasSubstr("2 \"abcdef\" "));
  EXPECT_EQ(path.Stats().truncated_entries, 1u);
  EXPECT_EQ(path.Stats().truncated_bytes, 2u);
  limits.max_line_size_truncate_identifier = "longer than the line";
  engine.Forget();
  WritePath without_room(&engine, limits);
  EXPECT_TRUE(without_room.Push(JsonRequest(OneStream(R"([["1","abcdefgh"]])"))).status.ok());
  EXPECT_THAT(engine.appended(), HasSubstr("1 \"abcdef\" "));
}

TEST(WritePath, ReplaysCutAndSpreadLinesToTheSameBatch) {
  RecordingEngine engine;
  IngestLimits limits;
  limits.max_line_size = 6;
  limits.max_line_size_truncate = true;
  limits.max_line_size_truncate_identifier = "~";
  limits.increment_duplicate_timestamp = true;
  WritePath path(&engine, limits);
  const std::string body =
      OneStream("[[\"5\",\"a\"],[\"" + At(100'000) + "\",\"refused\"],[\"5\",\"abcdefgh\"]]");
  EXPECT_EQ(path.Push(JsonRequest(body)).entries_stored, 2u);
  RecordingEngine second;
  WritePath replaying(&second, {});
  const ReplayFn replay = replaying.MakeReplay();
  std::string replayed;
  for (const std::string& record : engine.journal_records()) {
    LogReplaySink sink([&](const AppendBatch& batch) { replayed += second.Describe(batch); });
    EXPECT_TRUE(replay(record, &sink).ok());
  }
  EXPECT_EQ(replayed, engine.appended());
  EXPECT_THAT(replayed, HasSubstr("6 \"abcde~\""));
}

TEST(WritePath, ReplaysToTheSameBatchUnderAnotherConfiguration) {
  IngestLimits limits;
  limits.max_line_size = 6;
  limits.log_level_fields = {"prio"};
  RecordingEngine engine;
  WritePath path(&engine, limits);
  const std::vector<PushStream> streams = {
      {{{"app", "x"}},
       {{1, "prio=debug", {}}, {2, "error", {{"a.b", "c"}}}, {3, "toolong", {}}, {kNowNs * 2, "new", {}}}},
      {{{"app", ""}}, {{4, "plain", {}}, {5, "\xff", {{"prio", "WARN"}}}}},
  };
  EXPECT_EQ(path.Push(ProtobufRequest(Snappy(ProtobufBody(streams)))).entries_stored, 3u);
  EXPECT_EQ(path.Push(JsonRequest(JsonBody(streams))).entries_stored, 3u);
  ASSERT_EQ(engine.journal_records().size(), 2u);

  RecordingEngine second;
  IngestLimits other;
  other.max_line_size = 1;
  other.discover_log_levels = false;
  other.discover_service_name = {};
  WritePath replaying(&second, other);
  const ReplayFn replay = replaying.MakeReplay();
  std::string replayed;
  for (const std::string& record : engine.journal_records()) {
    LogReplaySink sink([&](const AppendBatch& batch) { replayed += second.Describe(batch); });
    EXPECT_TRUE(replay(record, &sink).ok());
  }
  EXPECT_EQ(replayed, engine.appended());
}

TEST(WritePath, ReplayNamesDamage) {
  RecordingEngine engine;
  WritePath path(&engine, {});
  EXPECT_TRUE(path.Push(JsonRequest(OneStream(R"([["1","x"]])"))).status.ok());
  const std::string record = engine.journal_records()[0];
  const ReplayFn replay = path.MakeReplay();
  for (size_t size = 0; size < record.size(); ++size) {
    int batches = 0;
    LogReplaySink sink([&](const AppendBatch&) { ++batches; });
    const Status status = replay(record.substr(0, size), &sink);
    EXPECT_EQ(status.code(), Code::kCorruption) << size;
    EXPECT_EQ(batches, 0);
  }
  EXPECT_EQ(engine.ingest_budget()->used_bytes(), 0);
}

}  // namespace
}  // namespace varve
