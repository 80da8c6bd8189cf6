#include "tools/otlp_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/config.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(const std::string& value) {
  Config config;
  return std::string(ApplySetting("limits.otlp_config=" + value, &config).message());
}

TEST(OtlpSettings, AreReadAndPrintedBack) {
  const std::string value =
      R"({resource_attributes: {ignore_defaults: true, attributes_config: [{action: index_label, attributes: ["a", "b\"c"]}]}, )"
      R"(scope_attributes: [{action: drop, regex: "x\\..*"}], log_attributes: [{action: structured_metadata, attributes: ["y"]}], )"
      R"(severity_text_as_label: true})";
  Config config;
  ASSERT_TRUE(ApplySetting("limits.otlp_config=" + value, &config).ok());
  OtlpConfig expected;
  expected.ignore_defaults = true;
  expected.resource_attributes = {{OtlpAction::kIndexLabel, {"a", "b\"c"}, ""}};
  expected.scope_attributes = {{OtlpAction::kDrop, {}, "x\\..*"}};
  expected.log_attributes = {{OtlpAction::kStructuredMetadata, {"y"}, ""}};
  expected.severity_text_as_label = true;
  EXPECT_EQ(config.ingest.otlp_config, expected);
  EXPECT_EQ(PrintOtlpConfig(expected), value);
  EXPECT_THAT(ToYaml(config), HasSubstr("  otlp_config: " + value + "\n"));
  EXPECT_EQ(PrintOtlpConfig(OtlpConfig()), "{}");
}

TEST(OtlpSettings, AnActionIsStructuredMetadataUnlessSaid) {
  Config config;
  ASSERT_TRUE(ApplySetting("limits.otlp_config={log_attributes: [{regex: a}]}", &config).ok());
  EXPECT_EQ(config.ingest.otlp_config.log_attributes[0].action, OtlpAction::kStructuredMetadata);
}

TEST(OtlpSettings, SayWhatIsWrong) {
  EXPECT_THAT(ErrorOf("{labels: []}"), HasSubstr("limits.otlp_config: labels: unknown key"));
  EXPECT_THAT(ErrorOf("[a]"), HasSubstr("limits.otlp_config: "));
  EXPECT_THAT(ErrorOf("{log_attributes: {}}"), HasSubstr("log_attributes: not a list"));
  EXPECT_THAT(ErrorOf("{log_attributes: [{action: keep, regex: a}]}"),
              HasSubstr("unsupported action, it must be one of: drop, index_label, structured_metadata"));
  EXPECT_THAT(ErrorOf("{log_attributes: [{action: drop}]}"), HasSubstr("attributes or regex must be set"));
  EXPECT_THAT(ErrorOf("{log_attributes: [{action: drop, attributes: [{a: b}]}]}"),
              HasSubstr("attributes: the list holds something that is not a text"));
  EXPECT_THAT(ErrorOf("{resource_attributes: {ignore_defaults: 3}}"), HasSubstr("neither true nor false"));
  EXPECT_THAT(ErrorOf("{scope_attributes: [{action: index_label, regex: a}]}"),
              HasSubstr("index_label action is not supported for scope_attributes"));
}

}  // namespace
}  // namespace varve
