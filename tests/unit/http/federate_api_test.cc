#include "http/federate_api.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace varve {
namespace {

PackedLabels Packed(std::vector<LabelView> labels) { return PackedLabels::FromUnsorted(std::move(labels)); }

TEST(Federate, WritesAFamilyForEachName) {
  const std::vector<FederatedSample> samples = {
      {Packed({{"__name__", "a"}, {"instance", "i"}, {"x", "q\"\\\n"}}), 1500, 1, nullptr},
      {Packed({{"__name__", "a"}, {"x", "2"}}), 2000, 1e6, nullptr},
      {Packed({{"__name__", "b"}}), 2000, -0.00001, nullptr}};
  EXPECT_EQ(
      "# TYPE a untyped\n"
      "a{instance=\"i\",x=\"q\\\"\\\\\\n\"} 1 1500\n"
      "a{x=\"2\",instance=\"\"} 1e+06 2000\n"
      "# TYPE b untyped\n"
      "b{instance=\"\"} -1e-05 2000\n",
      FederateText(samples, NameEscaping::kUnderscores));
}

TEST(Federate, ShowsCustomBucketsAsAClassicHistogram) {
  auto histogram = std::make_shared<NativeHistogram>();
  histogram->schema = kCustomBucketsSchema;
  histogram->custom_values = {0.5, 1, 5};
  histogram->positive_spans = {{1, 2}};   // buckets (0.5, 1] and (1, 5]
  histogram->positive_deltas = {2, 1};    // 2, 3
  histogram->count = 6;
  histogram->sum = 12.5;
  const std::vector<FederatedSample> samples = {{Packed({{"__name__", "h"}, {"instance", "i"}}), 7, 0, histogram}};
  EXPECT_EQ(
      "# TYPE h histogram\n"
      "h_bucket{instance=\"i\",le=\"0.5\"} 0 7\n"
      "h_bucket{instance=\"i\",le=\"1\"} 2 7\n"
      "h_bucket{instance=\"i\",le=\"5\"} 5 7\n"
      "h_bucket{instance=\"i\",le=\"+Inf\"} 6 7\n"
      "h_sum{instance=\"i\"} 12.5 7\n"
      "h_count{instance=\"i\"} 6 7\n",
      FederateText(samples, NameEscaping::kUnderscores));
}

TEST(Federate, EscapesNamesAsTheClientAsks) {
  EXPECT_EQ(NameEscaping::kAllowUtf8, NameEscapingOf("text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5"));
  EXPECT_EQ(NameEscaping::kValues, NameEscapingOf("text/plain; escaping=values"));
  EXPECT_EQ(NameEscaping::kUnderscores, NameEscapingOf("text/plain"));
  EXPECT_EQ(NameEscaping::kUnderscores, NameEscapingOf("text/plain;escaping=nosuch"));
  const struct {
    NameEscaping escaping;
    const char* name;
    const char* escaped;
  } cases[] = {{NameEscaping::kUnderscores, "a.b_c", "a_b_c"},  {NameEscaping::kUnderscores, "0a", "_a"},
               {NameEscaping::kAllowUtf8, "a.b", "a.b"},        {NameEscaping::kDots, "a.b_c", "a_dot_b__c"},
               {NameEscaping::kValues, "a.b_c", "U__a_2e_b__c"}, {NameEscaping::kValues, "日", "U___65e5_"},
               {NameEscaping::kValues, "plain_name", "plain_name"}};
  for (const auto& c : cases) EXPECT_EQ(c.escaped, EscapeName(c.name, c.escaping)) << c.name;
  const std::vector<FederatedSample> samples = {{Packed({{"__name__", "a.b"}, {"c.d", "e"}}), 1, 2, nullptr}};
  EXPECT_EQ("# TYPE \"a.b\" untyped\n{\"a.b\",\"c.d\"=\"e\",instance=\"\"} 2 1\n",
            FederateText(samples, NameEscaping::kAllowUtf8));
}

}  // namespace
}  // namespace varve
