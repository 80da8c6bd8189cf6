#include "alerting/reports/report_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kHourMs = 3'600'000;
const ReportPeriod kDay{"2026-11-19", 1'795'014'000, 1'795'100'400};  // of Seoul

QueryValues::Series Series(std::vector<std::pair<std::string, std::string>> labels, std::vector<double> values,
                           int64_t step_ms = kHourMs) {
  QueryValues::Series series{std::move(labels), {}};
  int64_t t_ms = kDay.begin_s * 1000 + step_ms - 1;
  for (const double value : values) {
    series.points.push_back({t_ms, value});
    t_ms += step_ms;
  }
  return series;
}

class ReportFields : public ::testing::Test {
 protected:
  ReportFields() { report_.calendar = *LocalCalendar::Load("Asia/Seoul"); }
  // The entry's JSON after adding one field.
  std::string Added(const ReportField& field, const QueryValues& values) {
    templates::DatumFields fields;
    const Status added = AddField(field, query_, values, report_, kDay, &fields);
    return added.ok() ? EntryJson(fields) : added.message();
  }
  std::string Plain(FieldKind kind, const QueryValues& values) { return Added({.name = "f", .kind = kind}, values); }

  ReportConfig report_;
  ReportQuery query_;
  const QueryValues none_;
  const QueryValues two_{{Series({{"ip", "a"}}, {7}), Series({{"ip", "b"}}, {12.5})}, {}, 0};
  const QueryValues hours_{{Series({}, {1, 5, 9, 9, 2})}, {}, kHourMs};
};

TEST_F(ReportFields, AreOneValue) {
  EXPECT_EQ(Plain(FieldKind::kValue, {{Series({}, {655147})}, {}, 0}), R"({"f":655147})");
  EXPECT_EQ(Plain(FieldKind::kValue, {{Series({}, {0.5})}, {}, 0}), R"({"f":0.5})");
  EXPECT_EQ(Plain(FieldKind::kValue, {{Series({}, {NAN})}, {}, 0}), R"({"f":null})");
  EXPECT_EQ(Plain(FieldKind::kValue, none_), R"({"f":null})");
  query_.default_value = 0;
  EXPECT_EQ(Plain(FieldKind::kValue, none_), R"({"f":0})");
  EXPECT_THAT(Plain(FieldKind::kValue, two_), HasSubstr("is one value"));
  EXPECT_EQ(Plain(FieldKind::kValue, {{}, {"text"}, 0}), R"({"f":"text"})");
}

TEST_F(ReportFields, FoldSeries) {
  EXPECT_EQ(Plain(FieldKind::kCount, two_), R"({"f":2})");
  EXPECT_EQ(Plain(FieldKind::kCount, none_), R"({"f":0})");
  EXPECT_EQ(Plain(FieldKind::kSum, two_), R"({"f":19.5})");
  EXPECT_EQ(Plain(FieldKind::kMin, hours_), R"({"f":1})");
  EXPECT_EQ(Plain(FieldKind::kMax, hours_), R"({"f":9})");
  EXPECT_EQ(Plain(FieldKind::kAvg, hours_), R"({"f":5.2})");
  EXPECT_EQ(Plain(FieldKind::kMax, none_), R"({"f":null})");
}

TEST_F(ReportFields, TellTheHighest) {
  EXPECT_EQ(Added({.name = "f", .kind = FieldKind::kMaxLabel, .labels = {"ip"}}, two_), R"({"f":"b"})");
  const auto time = [&](TimeFormat format, const QueryValues& values) {
    return Added({.name = "f", .kind = FieldKind::kMaxTime, .format = format}, values);
  };
  EXPECT_EQ(time(TimeFormat::kHour, hours_), R"({"f":2})");  // the first of two
  EXPECT_EQ(time(TimeFormat::kTime, hours_), R"({"f":"2026-11-19 02:00"})");
  EXPECT_EQ(time(TimeFormat::kDate, hours_), R"({"f":"2026-11-19"})");
  EXPECT_EQ(time(TimeFormat::kHour, none_), R"({"f":null})");
}

TEST_F(ReportFields, ListLabels) {
  const QueryValues many{{Series({{"ip", "c"}}, {1}), Series({{"ip", "b"}}, {9}), Series({{"ip", "a"}}, {9})}, {}, 0};
  EXPECT_EQ(Added({.name = "f", .kind = FieldKind::kLabels, .labels = {"ip"}}, many), R"({"f":"c, b, a"})");
  EXPECT_EQ(Added({.name = "f", .kind = FieldKind::kLabels, .labels = {"ip"}, .limit = 2}, many), R"({"f":"c, b"})");
  EXPECT_EQ(Added({.name = "f", .kind = FieldKind::kTop, .labels = {"ip"}, .limit = 2}, many), R"x({"f":"a (9), b (9)"})x");
  EXPECT_EQ(Added({.name = "f", .kind = FieldKind::kTop, .labels = {"ip"}}, none_), R"({"f":""})");
  report_.max_rows = 2;
  EXPECT_THAT(Added({.name = "f", .kind = FieldKind::kLabels, .labels = {"ip"}}, many), HasSubstr("more than max_rows (2)"));
}

TEST_F(ReportFields, PutNotANumberLast) {
  const QueryValues some{{Series({{"ip", "a"}}, {NAN}), Series({{"ip", "b"}}, {2, NAN, 3}), Series({{"ip", "c"}}, {NAN})}, {}, kHourMs};
  EXPECT_EQ(Added({.name = "f", .kind = FieldKind::kTop, .labels = {"ip"}}, some), R"x({"f":"b (3), a (NaN), c (NaN)"})x");
  EXPECT_EQ(Added({.name = "f", .kind = FieldKind::kMaxLabel, .labels = {"ip"}}, some), R"({"f":"b"})");
  EXPECT_EQ(Plain(FieldKind::kSum, some), R"({"f":5})");
  EXPECT_EQ(Plain(FieldKind::kMax, some), R"({"f":3})");
  EXPECT_EQ(Plain(FieldKind::kMin, {{Series({}, {NAN})}, {}, 0}), R"({"f":null})");
}

TEST_F(ReportFields, FillTablesColumnByColumn) {
  templates::DatumFields fields;
  const auto add = [&](const std::string& column, const QueryValues& values) {
    return AddField({.name = "t", .kind = FieldKind::kTable, .labels = {"ip"}, .column = column}, query_, values, report_,
                    kDay, &fields);
  };
  EXPECT_OK(add("days", two_));
  EXPECT_OK(add("trend", {{Series({{"ip", "b"}}, {-1}), Series({{"ip", "c"}}, {3})}, {}, 0}));
  EXPECT_EQ(EntryJson(fields), R"({"t":[{"ip":"a","days":7,"trend":null},{"ip":"b","days":12.5,"trend":-1},)"
                               R"({"ip":"c","trend":3}]})");
  report_.max_rows = 3;
  EXPECT_THAT(add("more", {{Series({{"ip", "d"}}, {1})}, {}, 0}).message(), HasSubstr("more than max_rows"));
}

TEST_F(ReportFields, KeepLines) {
  const QueryValues lines{{}, {"one", "two \"quoted\"", "three"}, 0};
  EXPECT_EQ(Added({.name = "f", .kind = FieldKind::kLogLines, .limit = 2}, lines), R"({"f":["one","two \"quoted\""]})");
}

TEST(ReportEntry, ReadsBackWhatItWrote) {
  const std::string json = R"({"z":1.8446744073709552e+19,"y":-1e+300,"a":1,"b":0.5,"c":"x","d":null,"e":true,"f":[{"g":-3},{"g":"ä"}],"h":[]})";
  const Result<templates::DatumFields> fields = ParseEntry(json);
  ASSERT_OK(fields);
  EXPECT_EQ(EntryJson(*fields), json);
  for (const char* bad : {"", "[]", "{", "5", "[[[[[[[[[[[[1]]]]]]]]]]]]", R"({"a":[[[[[[[[[[1]]]]]]]]]]})"}) {
    EXPECT_EQ(ParseEntry(bad).status().code(), Code::kCorruption) << bad;
  }
}

}  // namespace
}  // namespace varve
