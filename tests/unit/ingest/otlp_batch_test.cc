#include "ingest/otlp_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/otlp_push.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::kNowNs;
using testing::OtlpPush;
using ::testing::StartsWith;

struct Attribute {
  std::string key;
  std::string value;  // JSON of an AnyValue
};

std::string Text(const std::string& text) { return R"({"stringValue":")" + text + "\"}"; }

std::string List(const std::vector<Attribute>& attributes) {
  std::string out = "[";
  for (const Attribute& attribute : attributes) {
    out += std::string(out.size() > 1 ? "," : "") + (R"({"key":")" + attribute.key) + R"(","value":)" + attribute.value +
           "}";
  }
  return out + "]";
}

std::string Record(const std::string& line, const std::vector<Attribute>& attributes = {},
                   const std::string& more = R"("timeUnixNano":"1")") {
  return R"({"body":{"stringValue":")" + line + R"("},"attributes":)" + List(attributes) +
         std::string(more.empty() ? "" : ",") + more + "}";
}

std::string Resource(const std::vector<Attribute>& attributes, const std::string& records,
                     const std::string& scope = "{}") {
  return R"({"resource":{"attributes":)" + List(attributes) + R"(},"scopeLogs":[{"scope":)" + scope +
         R"(,"logRecords":[)" + records + "]}]}";
}

std::string Request(const std::string& resources) { return R"({"resourceLogs":[)" + resources + "]}"; }

TEST(OtlpBatch, MakesLabelsOfLokisDefaultList) {
  std::vector<Attribute> attributes;
  for (const std::string_view name : OtlpDefaultIndexLabels())
    attributes.push_back({std::string(name), Text("v")});
  attributes.push_back({"process.pid", R"({"intValue":1})"});
  IngestLimits limits;
  limits.max_label_names_per_series = 30;
  EXPECT_EQ(
      OtlpPush(limits).Stored(Request(Resource(attributes, Record("x")))),
      "{cloud_availability_zone=\"v\", cloud_region=\"v\", container_name=\"v\", "
      "deployment_environment=\"v\", "
      "deployment_environment_name=\"v\", k8s_cluster_name=\"v\", k8s_container_name=\"v\", "
      "k8s_cronjob_name=\"v\", k8s_daemonset_name=\"v\", k8s_deployment_name=\"v\", k8s_job_name=\"v\", "
      "k8s_namespace_name=\"v\", k8s_pod_name=\"v\", k8s_replicaset_name=\"v\", k8s_statefulset_name=\"v\", "
      "service_instance_id=\"v\", service_name=\"v\", service_namespace=\"v\"} 1 \"x\" "
      "detected_level=unknown process_pid=1\n");
}

struct ServiceCase {
  const char* name;
  std::vector<Attribute> attributes;
  std::string labels;
};

class OtlpServiceName : public ::testing::TestWithParam<ServiceCase> {};

TEST_P(OtlpServiceName, IsFoundAsLokiFindsIt) {
  EXPECT_THAT(OtlpPush().Stored(Request(Resource(GetParam().attributes, Record("x")))),
              StartsWith(GetParam().labels + " 1 \"x\""));
}

INSTANTIATE_TEST_SUITE_P(
    Resources, OtlpServiceName,
    ::testing::Values(
        ServiceCase{"Own",
                    {{"k8s.job.name", Text("j")}, {"service.name", Text("s")}},
                    R"({k8s_job_name="j", service_name="s"})"},
        ServiceCase{"EmptyIsNone", {{"service.name", Text("")}}, R"({service_name="unknown_service"})"},
        ServiceCase{"FirstListedLabel",
                    {{"k8s.job.name", Text("j")}, {"container.name", Text("c")}},
                    R"({container_name="c", k8s_job_name="j", service_name="j"})"},
        ServiceCase{"MetadataDoesNotCount", {{"app", Text("a")}}, R"({service_name="unknown_service"})"},
        ServiceCase{"Nothing", {}, R"({service_name="unknown_service"})"}),
    [](const auto& test) { return test.param.name; });

TEST(OtlpBatch, WithoutDiscoveryAStreamMayHaveNoLabels) {
  IngestLimits limits;
  limits.discover_service_name = {};
  EXPECT_EQ(OtlpPush(limits).Stored(Request(Resource({}, Record("x")))),
            "error: error at least one label pair is required per stream\n");
}

TEST(OtlpBatch, FlattensMapsAndNormalisesNames) {
  const std::string map = R"({"kvlistValue":{"values":[{"key":"b.c","value":{"intValue":1}},
    {"key":"d","value":{"kvlistValue":{"values":[{"key":"9 e","value":{"boolValue":true}}]}}},
    {"key":"l","value":{"arrayValue":{"values":[{"kvlistValue":{"values":[{"key":"k.k","value":{"intValue":2}}]}}]}}},
    {"key":"none","value":{}}]}})";
  EXPECT_EQ(OtlpPush().Stored(Request(Resource({}, Record("x", {{"a-", map}, {"1st", Text("f")}})))),
            "{service_name=\"unknown_service\"} 1 \"x\" a_b_c=1 a_d_9_e=true a_l=[{\"k.k\":2}] "
            "detected_level=unknown key_1st=f\n");
}

TEST(OtlpBatch, AResourcesMapMayBecomeSeveralLabels) {
  const std::string map =
      R"({"kvlistValue":{"values":[{"key":"b","value":{"intValue":1}},{"key":"c","value":{"intValue":2}}]}})";
  EXPECT_THAT(OtlpPush().Stored(Request(Resource({{"cloud.region", map}}, Record("x")))),
              StartsWith(R"({cloud_region_b="1", cloud_region_c="2", service_name="unknown_service"} 1)"));
}

TEST(OtlpBatch, OfANameTheMoreGeneralMetadataCounts) {
  // Loki lists a record's own attributes first, then the resource's, then the scope's; the last is shown.
  const std::string record = Record("x", {{"k", Text("log")}, {"m", Text("log")}, {"n", Text("log")}});
  const std::string scope = R"({"attributes":)" + List({{"n", Text("scope")}}) + "}";
  EXPECT_EQ(
      OtlpPush().Stored(Request(Resource({{"m", Text("resource")}, {"n", Text("resource")}}, record, scope))),
      "{service_name=\"unknown_service\"} 1 \"x\" detected_level=unknown k=log m=resource n=scope\n");
}

TEST(OtlpBatch, TimesComeFromWhatThereIs) {
  const std::string records = Record("own", {}, R"("timeUnixNano":"5","observedTimeUnixNano":"6")") + "," +
                              Record("observed", {}, R"("observedTimeUnixNano":"7")") + "," +
                              Record("none", {}, "") + "," + Record("none", {}, "");
  const std::string prefix = "{service_name=\"unknown_service\"} ";
  EXPECT_EQ(OtlpPush().Stored(Request(Resource({}, records))),
            prefix + "5 \"own\" detected_level=unknown observed_timestamp=6\n" +  //
                prefix + "7 \"observed\" detected_level=unknown\n" +              //
                prefix + std::to_string(kNowNs) + " \"none\" detected_level=unknown\n" + prefix +
                std::to_string(kNowNs + 1) + " \"none\" detected_level=unknown\n");
}

TEST(OtlpBatch, RefusesTimesThatDoNotFit) {
  EXPECT_THAT(
      OtlpPush().Stored(Request(Resource({}, Record("x", {}, R"("timeUnixNano":"18446744073709551615")")))),
      StartsWith("error: entry for stream '{service_name=\"unknown_service\"}' has timestamp too new"));
}

TEST(OtlpBatch, RecordsOfEqualLabelsAreOneStream) {
  const std::string a = Resource({{"service.name", Text("a")}}, Record("1") + "," + Record("2"));
  const std::string b = Resource({{"service.name", Text("b")}}, Record("3"));
  OtlpPush push;
  EXPECT_EQ(push.Stored(Request(a + "," + a + "," + b + "," + a)),
            "{service_name=\"a\"} 1 \"1\" detected_level=unknown\n{service_name=\"a\"} 1 \"2\" "
            "detected_level=unknown\n"
            "{service_name=\"a\"} 1 \"1\" detected_level=unknown\n{service_name=\"a\"} 1 \"2\" "
            "detected_level=unknown\n"
            "{service_name=\"b\"} 1 \"3\" detected_level=unknown\n"
            "{service_name=\"a\"} 1 \"1\" detected_level=unknown\n{service_name=\"a\"} 1 \"2\" "
            "detected_level=unknown\n");
  EXPECT_EQ(push.engine().Stats().streams, 2U);
}

TEST(OtlpBatch, ConfiguredRulesDecide) {
  IngestLimits limits;
  limits.otlp_config.ignore_defaults = true;
  limits.otlp_config.resource_attributes = {{OtlpAction::kDrop, {"secret"}, ""},
                                            {OtlpAction::kIndexLabel, {}, "team\\..*"},
                                            {OtlpAction::kDrop, {"team.x"}, ""}};
  limits.otlp_config.scope_attributes = {{OtlpAction::kDrop, {}, ".*"}};
  limits.otlp_config.log_attributes = {{OtlpAction::kIndexLabel, {"status"}, ""},
                                       {OtlpAction::kDrop, {"junk"}, ""}};
  limits.otlp_config.severity_text_as_label = true;
  const std::string records =
      Record("1", {{"status", R"({"intValue":200})"}, {"junk", Text("j")}, {"keep", Text("k")}}) + "," +
      Record("2") + "," + Record("3", {}, R"("timeUnixNano":"1","severityText":"WARN")");
  const std::string resource = Resource(
      {{"secret", Text("s")}, {"team.x", Text("t")}, {"my.team.x", Text("m")}, {"service.name", Text("svc")}},
      records, R"({"name":"n","attributes":[{"key":"a","value":{"intValue":1}}]})");
  // service.name is there, so that none is looked for; it is no label, because the defaults are ignored.
  EXPECT_EQ(OtlpPush(limits).Stored(Request(resource)),
            "{status=\"200\", team_x=\"t\"} 1 \"1\" detected_level=unknown keep=k my_team_x=m scope_name=n "
            "service_name=svc\n"
            "{team_x=\"t\"} 1 \"2\" detected_level=unknown my_team_x=m scope_name=n service_name=svc\n"
            "{severity_text=\"WARN\", team_x=\"t\"} 1 \"3\" detected_level=warn my_team_x=m scope_name=n "
            "service_name=svc "
            "severity_text=WARN\n");
}

TEST(OtlpBatch, TheLimitsOfEveryPushApply) {
  IngestLimits limits;
  limits.max_line_size = 3;
  limits.max_structured_metadata_entries_count = 2;
  const std::string records = Record("long line") + "," + Record("ok") + "," +
                              Record("sm", {{"a", Text("1")}, {"b", Text("2")}, {"c", Text("3")}}) + "," +
                              Record("bad", {{"---", Text("v")}});
  const std::string stored = OtlpPush(limits).Stored(Request(Resource({}, records)));
  EXPECT_THAT(stored,
              StartsWith("{service_name=\"unknown_service\"} 1 \"ok\" detected_level=unknown\nerror: "));
  EXPECT_THAT(stored, HasSubstr("max entry size '3' bytes exceeded"));
  EXPECT_THAT(stored, HasSubstr("has too many structured metadata labels: '3', limit: '2'"));
  EXPECT_THAT(stored, HasSubstr("has structured metadata with an invalid name"));
}

}  // namespace
}  // namespace varve
