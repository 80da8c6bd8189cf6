#include "ingest/otlp_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/decode_options.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

OtlpConfig SomeConfig() {
  OtlpConfig config;
  config.ignore_defaults = true;
  config.resource_attributes = {{OtlpAction::kIndexLabel, {"a", "b"}, ""},
                                {OtlpAction::kDrop, {}, "k8s\\..*"}};
  config.log_attributes = {{OtlpAction::kStructuredMetadata, {"x"}, ""}};
  config.severity_text_as_label = true;
  return config;
}

TEST(OtlpRules, TheFirstRuleThatAppliesDecides) {
  OtlpConfig config;
  config.resource_attributes = {{OtlpAction::kDrop, {}, "service\\.name|a.c"},
                                {OtlpAction::kIndexLabel, {"abc", "x"}, ""},
                                {OtlpAction::kDrop, {"x"}, ""},
                                {OtlpAction::kStructuredMetadata, {}, "y.*"},
                                {OtlpAction::kDrop, {}, "(?s)y.*z"}};
  const OtlpRules rules(config);
  const auto action = [&](std::string_view name) { return rules.ActionFor(OtlpLevel::kResource, name); };
  EXPECT_EQ(action("service.name"), OtlpAction::kIndexLabel);  // the default list comes first
  EXPECT_EQ(action("abc"), OtlpAction::kDrop);
  EXPECT_EQ(action("xabc"), OtlpAction::kStructuredMetadata);  // expressions match whole names
  EXPECT_EQ(action("x"), OtlpAction::kIndexLabel);
  EXPECT_EQ(action("y\nz"), OtlpAction::kStructuredMetadata);
  EXPECT_EQ(rules.ActionFor(OtlpLevel::kLog, "x"), OtlpAction::kStructuredMetadata);
  EXPECT_EQ(rules.ActionFor(OtlpLevel::kScope, "service.name"), OtlpAction::kStructuredMetadata);
}

TEST(OtlpConfig, IsRefusedWhenItCannotBeMeant) {
  const auto error = [](OtlpConfig config) { return std::string(ValidateOtlpConfig(config).message()); };
  EXPECT_TRUE(ValidateOtlpConfig(OtlpConfig()).ok());
  EXPECT_TRUE(ValidateOtlpConfig(SomeConfig()).ok());
  OtlpConfig config;
  config.log_attributes = {{OtlpAction::kDrop, {}, ""}};
  EXPECT_EQ(error(config), "attributes or regex must be set");
  config.log_attributes = {{OtlpAction::kDrop, {"a"}, "b"}};
  EXPECT_EQ(error(config), "only one of attributes or regex must be set");
  config.log_attributes = {{OtlpAction::kDrop, {}, "(a"}};
  EXPECT_THAT(error(config), HasSubstr("error parsing regexp: missing closing )"));
  config.log_attributes = {{OtlpAction::kDrop, {}, std::string(5000, 'a')}};
  EXPECT_EQ(error(config), "a regex is longer than 4096 bytes");
  config.log_attributes.clear();
  config.scope_attributes = {{OtlpAction::kIndexLabel, {"a"}, ""}};
  EXPECT_EQ(error(config), "index_label action is not supported for scope_attributes");
}

TEST(OtlpConfig, KnowsActionsByName) {
  OtlpAction action = OtlpAction::kDrop;
  EXPECT_TRUE(ParseOtlpAction("index_label", &action));
  EXPECT_EQ(action, OtlpAction::kIndexLabel);
  EXPECT_EQ(OtlpActionName(OtlpAction::kDrop), "drop");
  EXPECT_FALSE(ParseOtlpAction("keep", &action));
}

// docs/format.md, "Journal record": a change here is a change of the format.
TEST(OtlpConfig, HasTheBytesOfItsFormat) {
  const std::string expected(
      "\x03"  // defaults ignored, severity_text as label
      "\x02\x01\x02\x01"
      "a\x01"
      "b\x00"                   // two rules: index_label of two names, no expression
      "\x02\x00\x07k8s\\..*"    // drop by expression
      "\x00"                    // no rule for scopes
      "\x01\x00\x01\x01x\x00",  // one for logs
      26);
  std::string bytes;
  EncodeOtlpConfig(SomeConfig(), &bytes);
  EXPECT_EQ(bytes, expected);
  ByteReader reader(bytes);
  OtlpConfig back;
  EXPECT_TRUE(DecodeOtlpConfig(&reader, &back));
  EXPECT_EQ(back, SomeConfig());
  for (size_t size = 0; size < bytes.size(); ++size) {
    ByteReader cut(std::string_view(bytes).substr(0, size));
    EXPECT_FALSE(DecodeOtlpConfig(&cut, &back)) << size;
  }
}

TEST(OtlpConfig, TravelsInTheOptionsOnlyWhenItIsNotTheDefault) {
  IngestLimits limits;
  EXPECT_EQ(DecodeOptions(limits).encoded(), "\x01");
  limits.otlp_config = SomeConfig();
  const DecodeOptions options(limits);
  EXPECT_EQ(options.encoded()[0], '\x21');
  ByteReader reader(options.encoded());
  const Result<DecodeOptions> back = DecodeOptions::FromEncoded(&reader);
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(reader.AtEnd());
  EXPECT_EQ(back->encoded(), options.encoded());
  EXPECT_EQ(back->otlp_rules().ActionFor(OtlpLevel::kResource, "k8s.pod"), OtlpAction::kDrop);
}

}  // namespace
}  // namespace varve
