#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/meta/memory_meta_store.h"
#include "engine/metrics/exemplar_store.h"
#include "engine/metrics/metadata_store.h"

namespace varve {
namespace {

class MetricRecordsTest : public ::testing::Test {
 protected:
  SeriesOrdinal Series(std::string_view name) {
    const PackedLabels labels = PackedLabels::FromUnsorted({{"__name__", name}});
    const auto no_persist = [](std::string_view, uint64_t) { return Status::Ok(); };
    return *series_.Intern(0, "team", labels, 0, 0, no_persist);
  }
  static MetricBatch::SeriesExemplar At(SeriesOrdinal series, int64_t ts_ms, double value, std::string_view trace) {
    return {.series = series,
            .exemplar = {.labels = PackedLabels::FromUnsorted({{"trace_id", trace}}), .value = value, .ts_ms = ts_ms}};
  }
  static std::vector<std::string> Traces(const std::vector<ExemplarSeries>& found) {
    std::vector<std::string> out;
    for (const ExemplarSeries& series : found) {
      for (const Exemplar& exemplar : series.exemplars) out.emplace_back(exemplar.labels.Get("trace_id"));
    }
    return out;
  }

  SeriesTable series_;
  std::shared_ptr<MemoryMetaContents> disk_ = std::make_shared<MemoryMetaContents>();
  MemoryMetaStore meta_{disk_, std::make_shared<MemoryJournalRecords>()};
};

using Strings = std::vector<std::string>;

TEST_F(MetricRecordsTest, ExemplarsComeInOrderOfTimeAndOnce) {
  ExemplarStore store(&meta_, &series_, 10);
  const SeriesOrdinal a = Series("a");
  const SeriesOrdinal b = Series("b");
  const std::vector<MetricBatch::SeriesExemplar> items = {At(a, 20, 1, "x"), At(a, 10, 1, "y"), At(b, 5, 1, "z"),
                                                          At(a, 20, 1, "x"), At(a, 20, 2, "w")};
  EXPECT_EQ(*store.Add(items), 4u);
  EXPECT_EQ(*store.Add(items), 0u);
  const std::vector<SeriesOrdinal> both = {b, a};
  EXPECT_EQ(Traces(store.Select(both, {})), (Strings{"z", "y", "x", "w"}));
  EXPECT_EQ(Traces(store.Select(both, {.min_ms = 6, .max_ms = 10})), (Strings{"y"}));
}

TEST_F(MetricRecordsTest, TheOldestExemplarsGiveWay) {
  ExemplarStore store(&meta_, &series_, 2);
  const SeriesOrdinal a = Series("a");
  for (int64_t i = 0; i < 5; ++i) {
    const MetricBatch::SeriesExemplar item = At(a, 100 - i, 1, std::to_string(i));
    EXPECT_EQ(*store.Add({&item, 1}), 1u);
  }
  EXPECT_EQ(store.size(), 2u);
  EXPECT_EQ(Traces(store.Select(std::vector{a}, {})), (Strings{"4", "3"}));
  EXPECT_EQ(disk_->records.size(), 2u);
}

TEST_F(MetricRecordsTest, ExemplarsAreThereAfterReopening) {
  const SeriesOrdinal a = Series("a");
  {
    ExemplarStore store(&meta_, &series_, 10);
    const auto items = {At(a, 1, -0.0, "x"), At(a, 1, std::numeric_limits<double>::quiet_NaN(), "x")};
    EXPECT_EQ(*store.Add(items), 2u);
  }
  ExemplarStore store(&meta_, &series_, 10);
  ASSERT_TRUE(store.Load().ok());
  const std::vector<ExemplarSeries> found = store.Select(std::vector{a}, {});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].series.metric_name(), "a");
  ASSERT_EQ(found[0].exemplars.size(), 2u);
  EXPECT_TRUE(std::signbit(found[0].exemplars[0].value));
  EXPECT_TRUE(std::isnan(found[0].exemplars[1].value));
  const MetricBatch::SeriesExemplar again = At(a, 1, -0.0, "x");
  EXPECT_EQ(*store.Add({&again, 1}), 0u);
  // A store with less room keeps the newest; one that does not know the series keeps nothing.
  ExemplarStore small(&meta_, &series_, 1);
  ASSERT_TRUE(small.Load().ok());
  EXPECT_EQ(small.size(), 1u);
  const SeriesTable none;
  ExemplarStore stranger(&meta_, &none, 10);
  ASSERT_TRUE(stranger.Load().ok());
  EXPECT_EQ(stranger.size(), 0u);
  EXPECT_TRUE(disk_->records.empty());
}

TEST_F(MetricRecordsTest, DamagedRecordsAreNamed) {
  ExemplarStore store(&meta_, &series_, 10);
  const MetricBatch::SeriesExemplar item = At(Series("a"), 1, 1, "x");
  ASSERT_TRUE(store.Add({&item, 1}).ok());
  MetadataStore metadata(&meta_, 10);
  ASSERT_TRUE(metadata.Put("team", std::vector<MetricMetadata>{{.metric = "a", .help = "h"}}).ok());
  for (auto& [key, value] : disk_->records) value[2] = static_cast<char>(value[2] ^ 1);
  EXPECT_EQ(ExemplarStore(&meta_, &series_, 10).Load().code(), Code::kCorruption);
  EXPECT_EQ(MetadataStore(&meta_, 10).Load().message(), "hot database: the metadata of metric a is damaged");
}

TEST_F(MetricRecordsTest, MetadataIsOfItsTenantAndTheLastThatCame) {
  {
    MetadataStore store(&meta_, 2);
    const std::vector<MetricMetadata> items = {
        {.metric = "b", .type = MetricType::kGauge, .help = "old", .unit = ""},
        {.metric = "b", .type = MetricType::kCounter, .help = "new", .unit = "seconds"},
        {.metric = "a", .type = MetricType::kUnknown, .help = "", .unit = ""},
        {.metric = "c", .type = MetricType::kUnknown, .help = "one too many", .unit = ""}};
    ASSERT_TRUE(store.Put("team", items).ok());
    EXPECT_EQ(store.left_out(), 1u);
  }
  MetadataStore store(&meta_, 2);
  ASSERT_TRUE(store.Load().ok());
  const std::vector<MetricMetadata> all = store.Select("team", "");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].metric, "a");
  EXPECT_EQ(all[1], (MetricMetadata{.metric = "b", .type = MetricType::kCounter, .help = "new", .unit = "seconds"}));
  EXPECT_EQ(store.Select("team", "b").size(), 1u);
  EXPECT_TRUE(store.Select("team", "c").empty());
  EXPECT_TRUE(store.Select("other", "").empty());
}

}  // namespace
}  // namespace varve
