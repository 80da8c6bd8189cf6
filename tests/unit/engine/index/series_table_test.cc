#include "engine/index/series_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace varve {
namespace {

constexpr TenantId kTenant = 3;
constexpr std::string_view kTenantName = "team";

const SeriesTable::Persist kNoPersist = [](std::string_view, uint64_t) { return Status::Ok(); };

PackedLabels Metric(std::vector<LabelView> labels) { return PackedLabels::FromUnsorted(std::move(labels)); }

SeriesOrdinal Intern(SeriesTable* table, const PackedLabels& labels, TenantId tenant = kTenant) {
  Result<SeriesOrdinal> series = table->Intern(tenant, kTenantName, labels, 0, 20'000, kNoPersist);
  EXPECT_TRUE(series.ok()) << series.status().ToString();
  return *series;
}

Matcher Match(std::string name, MatchOp op, std::string value) {
  Result<Matcher> matcher = Matcher::Create(std::move(name), op, std::move(value));
  EXPECT_TRUE(matcher.ok());
  return std::move(*matcher);
}

std::vector<std::string> Names(const SeriesTable& table, const std::vector<SeriesOrdinal>& series) {
  std::vector<std::string> out;
  for (const SeriesOrdinal ordinal : series) out.push_back(table.LabelsOf(ordinal).ToString());
  return out;
}

TEST(SeriesTableTest, GivesOneNumberToEqualLabelsAndOthersToOthers) {
  SeriesTable table;
  const PackedLabels up = Metric({{"__name__", "up"}, {"job", "a"}});
  const SeriesOrdinal first = Intern(&table, up);
  EXPECT_EQ(Intern(&table, up), first);
  EXPECT_NE(Intern(&table, Metric({{"__name__", "up"}, {"job", "b"}})), first);
  EXPECT_NE(Intern(&table, up, kTenant + 1), first);
  EXPECT_EQ(table.LabelsOf(first), up);
  EXPECT_EQ(table.FindFingerprint(table.Get(first).fingerprint), first);
  EXPECT_EQ(table.size(), 3u);
}

TEST(SeriesTableTest, KeepsSeriesOfOneFingerprintApart) {
  SeriesTable table([](std::string_view) { return uint64_t{7}; });
  std::set<SeriesOrdinal> ordinals;
  std::set<uint64_t> fingerprints;
  for (const std::string value : {"a", "b", "c"}) {
    const SeriesOrdinal series = Intern(&table, Metric({{"x", value}}));
    ordinals.insert(series);
    fingerprints.insert(table.Get(series).fingerprint);
    EXPECT_EQ(table.LabelsOf(series).Get("x"), value);
  }
  EXPECT_EQ(ordinals.size(), 3u);
  EXPECT_EQ(fingerprints, (std::set<uint64_t>{7, 8, 9}));
}

TEST(SeriesTableTest, RefusesNewSeriesBeyondTheLimitAndNamesTheWidestLabel) {
  SeriesTable table;
  const auto intern = [&](const std::string& pod) {
    return table.Intern(kTenant, kTenantName, Metric({{"__name__", "up"}, {"pod", pod}}), 2, 20'000, kNoPersist);
  };
  ASSERT_TRUE(intern("a").ok());
  ASSERT_TRUE(intern("b").ok());
  const Result<SeriesOrdinal> refused = intern("c");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), Code::kResourceExhausted);
  EXPECT_EQ(refused.status().message(),
            "the limit of 2 active series is reached; label \"pod\" has the most values: 2");
  EXPECT_TRUE(intern("a").ok());
  // Two days on, nobody is active any more.
  EXPECT_TRUE(table.Intern(kTenant, kTenantName, Metric({{"pod", "c"}}), 2, 20'002, kNoPersist).ok());
}

TEST(SeriesTableTest, DoesNotAddWhatCouldNotBeStored) {
  SeriesTable table;
  const auto failing = [](std::string_view, uint64_t) { return IoError("no disk"); };
  EXPECT_FALSE(table.Intern(kTenant, kTenantName, Metric({{"x", "y"}}), 0, 1, failing).ok());
  EXPECT_EQ(table.size(), 0u);
}

TEST(SeriesTableTest, LoadsWhatItWasToldAndRefusesContradictions) {
  SeriesTable table;
  const PackedLabels labels = Metric({{"__name__", "up"}});
  EXPECT_TRUE(table.Load(kTenant, kTenantName, labels.canonical(), 5).ok());
  EXPECT_TRUE(table.Load(kTenant, kTenantName, labels.canonical(), 5).ok());
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.Load(kTenant, kTenantName, Metric({{"a", "b"}}).canonical(), 5).code(), Code::kCorruption);
  EXPECT_EQ(table.Load(kTenant, kTenantName, "\x05", 6).code(), Code::kCorruption);
}

TEST(SeriesTableTest, SeriesOfOneTargetShareItsNumber) {
  SeriesTable table;
  const SeriesOrdinal a = Intern(&table, Metric({{"__name__", "a"}, {"job", "j"}, {"instance", "i"}, {"x", "1"}}));
  const SeriesOrdinal b = Intern(&table, Metric({{"__name__", "b"}, {"job", "j"}, {"instance", "i"}}));
  const SeriesOrdinal c = Intern(&table, Metric({{"__name__", "b"}, {"job", "j"}, {"instance", "k"}}));
  EXPECT_EQ(table.Get(a).target, table.Get(b).target);
  EXPECT_NE(table.Get(a).target, table.Get(c).target);
}

TEST(SeriesTableTest, SelectsByDay) {
  SeriesTable table;
  const SeriesOrdinal old = Intern(&table, Metric({{"__name__", "old"}}));
  const SeriesOrdinal both = Intern(&table, Metric({{"__name__", "both"}}));
  Intern(&table, Metric({{"__name__", "never"}}));
  table.MarkActive(old, {10, 12});
  table.MarkActive(both, {12, 12});
  table.MarkActive(both, {20, 20});
  table.MarkActive(both, {20, 20});
  const auto select = [&](DayRange days) { return Names(table, table.Select(kTenant, {}, days)); };
  using Strings = std::vector<std::string>;
  EXPECT_EQ(select({9, 10}), (Strings{"old"}));
  EXPECT_EQ(select({12, 12}), (Strings{"both", "old"}));
  EXPECT_EQ(select({13, 30}), (Strings{"both"}));
  EXPECT_EQ(select({13, 19}), Strings());
  EXPECT_EQ(select({}), (Strings{"both", "never", "old"}));
  EXPECT_EQ(table.LabelValues(kTenant, "__name__", {}, {13, 30}), (Strings{"both"}));
  EXPECT_EQ(table.LabelValues(kTenant, "__name__", {}, {}), (Strings{"both", "never", "old"}));
  EXPECT_EQ(table.LabelNames(kTenant, {}, {9, 9}), Strings());
}

TEST(SeriesTableTest, DaysFollowTheCalendar) {
  EXPECT_EQ(DayOf(0), 0);
  EXPECT_EQ(DayOf(-1), -1);
  EXPECT_EQ(DayOf(86'400'000 - 1), 0);
  EXPECT_EQ(DayOf(86'400'000), 1);
  EXPECT_EQ(DayOf(-86'400'000), -1);
  EXPECT_EQ(DayOf(-86'400'001), -2);
  EXPECT_TRUE(DaysOf({}).IsUnbounded());
}

TEST(SeriesTableTest, CountsWhereSeriesComeFrom) {
  SeriesTable table;
  for (const std::string pod : {"a", "bb", "ccc"}) Intern(&table, Metric({{"__name__", "up"}, {"pod", pod}}));
  Intern(&table, Metric({{"__name__", "down"}}));
  const CardinalityReport report = table.Cardinality(kTenant, 2);
  EXPECT_EQ(report.series, 4u);
  EXPECT_EQ(report.label_pairs, 5u);
  ASSERT_EQ(report.series_by_metric.size(), 2u);
  EXPECT_EQ(report.series_by_metric[0].name, "up");
  EXPECT_EQ(report.series_by_metric[0].count, 3u);
  ASSERT_EQ(report.values_by_label.size(), 2u);
  EXPECT_EQ(report.values_by_label[0].name, "pod");
  EXPECT_EQ(report.bytes_by_label[0].name, "__name__");
  EXPECT_EQ(report.bytes_by_label[0].count, 10u);
  EXPECT_EQ(report.series_by_pair[0].name, "__name__=up");
}

// Against a scan over all label sets, in the order of labels.
TEST(SeriesTableTest, SelectsWhatAScanWouldSelect) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto pick = [&](int n) { return std::to_string(random() % static_cast<uint32_t>(n)); };
  SeriesTable table;
  std::set<PackedLabels> all;
  const std::vector<std::string> values = {"", "0", "1", "1|2", ".+", "", "[0-4]", "1.*", "x", "0|"};
  // Enough for the order to be worked out anew several times.
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 1500; ++i) {
      const std::string name = "m" + pick(20);
      const std::string a = pick(8);
      const std::string b = pick(400);
      const std::string c = random() % 2 == 0 ? "" : pick(3);
      const PackedLabels labels = Metric({{"__name__", name}, {"a", a}, {"b", b}, {"c", c}});
      Intern(&table, labels);
      all.insert(labels);
    }
    for (int i = 0; i < 20; ++i) {
      std::vector<Matcher> matchers;
      for (const std::string name : {"__name__", "a", "c", "missing"}) {
        if (random() % 2 == 0) continue;
        const auto op = static_cast<MatchOp>(random() % 4);
        const std::string value = name == "__name__" ? "m" + pick(22) : values[random() % values.size()];
        matchers.push_back(Match(name, op, value));
      }
      std::vector<std::string> want;
      for (const PackedLabels& labels : all) {
        const bool matches = std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& matcher) {
          return matcher.Matches(labels.Get(matcher.name()));
        });
        if (matches) want.push_back(labels.ToString());
      }
      ASSERT_EQ(Names(table, table.Select(kTenant, matchers, {})), want);
    }
  }
}

}  // namespace
}  // namespace varve
