// RunQuery against the naive evaluator: random data laid out at random over sources, with late entries,
// equal times and duplicates; random queries. VARVE_PROPERTY_SEED and VARVE_PROPERTY_ROUNDS override.

#include <cmath>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "engine/model/log_entry.h"
#include "query/exec/query.h"
#include "query/exec/result_cache.h"
#include "query/logql/parser.h"
#include "tests/support/memory_engine.h"
#include "tests/support/naive_logql.h"

namespace varve {
namespace {

using testing::MemoryEngine;
using testing::MemoryEngineOptions;
using testing::NaiveEntry;
using testing::NaiveLogql;

constexpr int64_t kSecond = kNsPerSecond;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(engine_() % n); }
  bool OneIn(uint32_t n) { return Below(n) == 0; }
  std::string Pick(std::initializer_list<const char*> items) {
    return *(items.begin() + Below(static_cast<uint32_t>(items.size())));
  }

 private:
  std::mt19937_64 engine_;
};

// ---- Data ---------------------------------------------------------------------------------------

Labels RandomStream(Random& random) {
  std::vector<Label> labels = {{"app", random.Pick({"a", "b", "c"})}};
  if (!random.OneIn(3)) labels.push_back({"env", random.Pick({"p", "q"})});
  return Labels::FromUnsorted(std::move(labels));
}

NaiveEntry RandomEntry(Random& random) {
  NaiveEntry entry;
  entry.stream = RandomStream(random);
  // Coarse times, so that many are equal; some with a nanosecond more or less.
  entry.ts_ns = static_cast<int64_t>(random.Below(240)) * 5 * kSecond;
  if (random.OneIn(4)) entry.ts_ns += random.OneIn(2) ? 1 : -1;
  entry.line = "k=" + std::to_string(random.Below(4)) + " v=" + std::to_string(random.Below(200)) + "." +
               std::to_string(random.Below(10)) + " w=" + random.Pick({"red", "green", "blue", ""});
  if (random.OneIn(40)) entry.line = "nothing to parse";
  if (random.OneIn(60)) entry.line += " v=bad";
  std::string value = std::to_string(random.Below(3));
  std::string level = random.Pick({"info", "error"});
  std::vector<MetadataPair> pairs;
  if (random.OneIn(2)) pairs.emplace_back("level", level);
  if (random.OneIn(4)) pairs.emplace_back("trace", value);
  if (random.OneIn(20)) pairs.emplace_back("app", value);  // collides with the stream's label
  EncodeMetadata(&pairs, &entry.metadata);
  return entry;
}

std::vector<NaiveEntry> RandomData(Random& random, MemoryEngine* engine) {
  std::vector<NaiveEntry> entries;
  const uint32_t count = 20 + random.Below(400);
  const uint32_t seal_one_in = 10 + random.Below(200);
  for (uint32_t i = 0; i < count; ++i) {
    const bool again = !entries.empty() && random.OneIn(8);
    entries.push_back(again ? entries[random.Below(static_cast<uint32_t>(entries.size()))]
                            : RandomEntry(random));
    const NaiveEntry& entry = entries.back();
    engine->Add(entry.stream, entry.ts_ns, entry.line, entry.metadata);
    if (random.OneIn(seal_one_in)) engine->Seal();
  }
  return entries;
}

// ---- Queries --------------------------------------------------------------------------------------

std::string RandomSelector(Random& random) {
  return random.Pick({R"({app=~".+"})", R"({app="a"})", R"({app=~"a|b"})", R"({app!="c",app=~".+"})",
                      R"({app=~".+",env="p"})", R"({app=~".+",env=""})", R"({app="nosuch"})"});
}

std::string RandomStages(Random& random) {
  std::string stages;
  if (random.OneIn(3)) stages += random.Pick({R"( |= "red")", R"( != "k=1")", R"( |= "k=2" or "k=3")"});
  if (random.OneIn(2)) {
    // What only looks at labels takes a way of its own.
    return stages + random.Pick({"", "", " | level=\"info\"", " | drop trace, level", " | keep app, level",
                                 " | label_format z=env", " | trace>=1 | __error__=\"\""});
  }
  stages += " | logfmt";
  if (random.OneIn(3)) stages += random.Pick({R"( | k="1")", R"( | k>=2 | __error__="")", R"( | w!="red")"});
  if (random.OneIn(4)) stages += random.Pick({" | drop env", " | keep k, app", " | label_format z=k"});
  return stages;
}

std::string Grouping(Random& random) {
  return random.Pick({"by ()", "by (app)", "by (env)", "by (app, level)", "by (k)", "by (trace, app)",
                      "without (app)", "without (v, w, trace)", "by (nosuch)"});
}

std::string Seconds(uint32_t seconds) { return std::to_string(seconds) + "s"; }

std::string RandomRange(Random& random) {
  std::string range = "[" + Seconds(1 + random.Below(random.OneIn(2) ? 60 : 900)) + "]";
  if (random.OneIn(5)) range += random.Pick({" offset 10s", " offset 7m", " offset -33s"});
  return range;
}

std::string RandomRangeAggregation(Random& random) {
  const std::string head = RandomSelector(random) + RandomStages(random);
  if (random.OneIn(2)) {
    return random.Pick({"count_over_time", "rate", "bytes_over_time", "bytes_rate", "absent_over_time"}) +
           "(" + head + " " + RandomRange(random) + ")";
  }
  if (random.OneIn(10)) {
    return "count_distinct_over_time(" + head + " | logfmt | unwrap " + random.Pick({"w", "v"}) +
           " " + RandomRange(random) + ")" + (random.OneIn(2) ? "" : " " + Grouping(random));
  }
  const std::string unwrap = head + " | logfmt | unwrap v | __error__=\"\" ";
  const std::string op = random.Pick({"sum_over_time", "avg_over_time", "min_over_time", "max_over_time",
                                      "stddev_over_time", "stdvar_over_time", "first_over_time",
                                      "last_over_time", "quantile_over_time", "rate", "rate_counter"});
  const bool no_grouping = op == "sum_over_time" || op == "rate" || op == "rate_counter";
  return op + "(" + (op == "quantile_over_time" ? random.Pick({"0.5, ", "0.99, ", "0, "}) : "") + unwrap +
         RandomRange(random) + ")" + (no_grouping || random.OneIn(2) ? "" : " " + Grouping(random));
}

// Values that both sides compute exactly: topk must not depend on the last digit.
std::string RandomExactVector(Random& random) {
  const std::string head = RandomSelector(random) + RandomStages(random);
  const std::string inner =
      random.OneIn(2)
          ? random.Pick({"count_over_time", "bytes_over_time"}) + "(" + head + " " + RandomRange(random) + ")"
          : random.Pick({"max_over_time", "min_over_time", "last_over_time"}) + "(" + head +
                " | logfmt | unwrap v | __error__=\"\" " + RandomRange(random) + ") " + Grouping(random);
  return random.OneIn(2) ? inner
                         : random.Pick({"max", "min", "count"}) + " " + Grouping(random) + " (" + inner + ")";
}

std::string RandomVector(Random& random, int depth) {
  if (depth == 0 || random.OneIn(4)) return RandomRangeAggregation(random);
  switch (random.Below(5)) {
    case 0:
    case 1:
      return random.Pick({"sum", "avg", "min", "max", "count", "stddev", "stdvar"}) + " " + Grouping(random) +
             " (" + RandomVector(random, depth - 1) + ")";
    case 2:
      return random.Pick({"topk", "bottomk"}) + "(" + std::to_string(1 + random.Below(3)) + ", " +
             RandomExactVector(random) + ")";
    case 3:
      return "(" + RandomVector(random, depth - 1) +
             random.Pick({" + ", " * ", " / ", " % ", " > ", " == bool "}) + random.Pick({"2", "0", "17.5"}) +
             ")";
    default: {
      const std::string match =
          random.Pick({"", "", "on (app) ", "ignoring (env) ", "on (app) group_left () ",
                       "on (app) group_right (env) ", "ignoring (env, trace) group_left () "});
      const std::string left = RandomVector(random, depth - 1);
      const std::string right = random.OneIn(3) ? left : RandomVector(random, depth - 1);
      if (random.OneIn(3)) {
        return "(" + left +
               random.Pick({" or ", " and ", " unless ", " or on (app) ", " and ignoring (env) "}) + right +
               ")";
      }
      return "(" + left + random.Pick({" + ", " - ", " / ", " > ", " <= bool "}) + match + right + ")";
    }
  }
}

// ---- Comparison -----------------------------------------------------------------------------------

std::string Text(const LabelPairs& labels) {
  std::string text = "{";
  for (const auto& [name, value] : labels) text += name + "=" + value + ",";
  return text + "}";
}

std::string Text(const Streams& streams) {
  std::string text;
  for (const ResultStream& stream : streams.streams) {
    text += Text(stream.labels) + "\n";
    for (const ResultEntry& entry : stream.entries) {
      text += "  " + std::to_string(entry.ts_ns) + " " + entry.line + " " + Text(entry.metadata) +
              Text(entry.parsed) + "\n";
    }
  }
  return text;
}

bool Close(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

void ExpectSeries(const std::vector<ResultSeries>& actual, std::vector<ResultSeries> expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(Text(actual[i].labels), Text(expected[i].labels));
    ASSERT_EQ(actual[i].points.size(), expected[i].points.size()) << Text(actual[i].labels);
    for (size_t p = 0; p < actual[i].points.size(); ++p) {
      ASSERT_EQ(actual[i].points[p].t_ms, expected[i].points[p].t_ms) << Text(actual[i].labels);
      ASSERT_TRUE(Close(actual[i].points[p].value, expected[i].points[p].value))
          << Text(actual[i].labels) << " at " << actual[i].points[p].t_ms << ": " << actual[i].points[p].value
          << ", not " << expected[i].points[p].value;
    }
  }
}

void ExpectSame(const QueryResult& actual, const QueryResult& expected) {
  ASSERT_EQ(actual.data.index(), expected.data.index());
  if (const auto* streams = std::get_if<Streams>(&actual.data)) {
    ASSERT_EQ(Text(*streams), Text(std::get<Streams>(expected.data)));
  } else if (const auto* matrix = std::get_if<MatrixResult>(&actual.data)) {
    ExpectSeries(matrix->series, std::get<MatrixResult>(expected.data).series);
  } else if (const auto* vector = std::get_if<VectorResult>(&actual.data)) {
    ExpectSeries(vector->series, std::get<VectorResult>(expected.data).series);
  } else {
    ASSERT_TRUE(
        Close(std::get<ScalarResult>(actual.data).value, std::get<ScalarResult>(expected.data).value));
  }
}

QueryRequest RandomRequest(Random& random, bool log_query) {
  QueryRequest request;
  request.start_ns = static_cast<int64_t>(random.Below(1300)) * kSecond - 60 * kSecond;
  if (random.OneIn(4)) request.start_ns -= request.start_ns % (5 * kSecond);
  request.end_ns = request.start_ns + static_cast<int64_t>(random.Below(1300)) * kSecond;
  request.step_ns = static_cast<int64_t>(1 + random.Below(200)) * kSecond;
  request.limit = random.OneIn(3) ? 5000 : 1 + random.Below(30);
  request.direction = random.OneIn(2) ? Direction::kForward : Direction::kBackward;
  if (random.OneIn(4)) request.interval_ns = static_cast<int64_t>(random.Below(60)) * kSecond;
  if (!log_query && random.OneIn(3)) {
    request.instant = true;
    request.end_ns = request.start_ns;
  }
  return request;
}

void RunRound(uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  MemoryEngineOptions options;
  options.rows_per_source = 1 + random.Below(random.OneIn(2) ? 20 : 300);
  MemoryEngine engine(options);
  const NaiveLogql naive(RandomData(random, &engine));
  QueryLimits limits;
  limits.max_query_series = 0;
  for (int i = 0; i < 12; ++i) {
    const bool log_query = random.OneIn(3);
    const std::string text = log_query ? RandomSelector(random) + RandomStages(random)
                                       : RandomVector(random, static_cast<int>(random.Below(4)));
    SCOPED_TRACE(text);
    const auto expr = logql::ParseExpr(text);
    ASSERT_TRUE(expr.ok()) << expr.status().message();
    const QueryRequest request = RandomRequest(random, log_query);
    SCOPED_TRACE("from " + std::to_string(request.start_ns) + " to " + std::to_string(request.end_ns) +
                 " step " + std::to_string(request.step_ns) + " limit " + std::to_string(request.limit) +
                 " interval " + std::to_string(request.interval_ns) +
                 (request.direction == Direction::kForward ? " forward" : ""));
    const auto expected = naive.Run(**expr, request);
    const auto actual = RunQuery(engine, **expr, request, limits);
    ASSERT_EQ(actual.ok(), expected.ok())
        << actual.status().message() << " / " << expected.status().message();
    if (actual.ok()) ExpectSame(*actual, *expected);
    ASSERT_EQ(engine.query_budget()->used_bytes(), 0);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(RunQueryProperty, AgreesWithTheNaiveEvaluator) {
  const uint64_t seed = FromEnvironment("VARVE_PROPERTY_SEED", 20261120);
  const uint64_t rounds = FromEnvironment("VARVE_PROPERTY_ROUNDS", 150);
  for (uint64_t round = 0; round < rounds && !HasFatalFailure(); ++round) RunRound(seed + round);
}

// ---- The result cache -----------------------------------------------------------------------------

// To the last bit: a joined answer must be the one evaluated at once.
void ExpectIdentical(const Result<QueryResult>& cached, const Result<QueryResult>& plain) {
  ASSERT_EQ(cached.ok(), plain.ok()) << cached.status().message() << " / " << plain.status().message();
  if (!plain.ok()) {
    ASSERT_EQ(cached.status().code(), plain.status().code());
    ASSERT_EQ(cached.status().message(), plain.status().message());
    return;
  }
  ASSERT_EQ(cached->warnings, plain->warnings);
  const auto& actual = std::get<MatrixResult>(cached->data).series;
  const auto& expected = std::get<MatrixResult>(plain->data).series;
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(Text(actual[i].labels), Text(expected[i].labels));
    ASSERT_EQ(actual[i].points.size(), expected[i].points.size()) << Text(actual[i].labels);
    for (size_t p = 0; p < actual[i].points.size(); ++p) {
      const Point& a = actual[i].points[p];
      const Point& b = expected[i].points[p];
      ASSERT_EQ(a.t_ms, b.t_ms);
      ASSERT_TRUE(a.value == b.value || (std::isnan(a.value) && std::isnan(b.value)))
          << Text(actual[i].labels) << " at " << a.t_ms << ": " << a.value << ", not " << b.value;
    }
  }
}

std::string RandomCachedQuery(Random& random) {
  const std::string vector = RandomVector(random, static_cast<int>(random.Below(4)));
  switch (random.Below(12)) {
    case 0: return "label_replace(" + vector + R"(, "app", "z", "app", "a|b"))";
    case 1: return "sum by (app) (label_replace(" + vector + R"(, "app", "z", "env", ".+")))";
    case 2: return "topk(2, label_replace(" + vector + R"(, "app", "z", "app", "a|b")))";
    case 3: return "(" + vector + " or vector(0))";
    case 4:  // rows that cannot be parsed fail it, where a window holds one
      return "sum_over_time({app=~\".+\"} | logfmt | unwrap v " + RandomRange(random) + ")";
    default: return vector;
  }
}

void RunCachedRound(uint64_t seed, uint64_t* hits, uint64_t* stale) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  MemoryEngineOptions options;
  options.rows_per_source = 1 + random.Below(300);
  MemoryEngine engine(options);
  std::vector<NaiveEntry> entries = RandomData(random, &engine);
  QueryLimits limits;
  limits.max_query_series = random.OneIn(3) ? 2 : 0;
  limits.max_query_bytes_read = random.OneIn(4) ? 200 + random.Below(4000) : 0;
  ResultCache cache(random.OneIn(3) ? 20'000 : 10 << 20, engine.query_budget());
  std::vector<std::string> queries;
  for (int i = 0; i < 3; ++i) queries.push_back(RandomCachedQuery(random));
  QueryRequest request = RandomRequest(random, true);
  for (int i = 0; i < 25; ++i) {
    if (random.OneIn(3)) {
      // A row anywhere, late more often than not; or one that is there already.
      const NaiveEntry entry = random.OneIn(3) ? entries[random.Below(static_cast<uint32_t>(entries.size()))]
                                               : RandomEntry(random);
      engine.Add(entry.stream, entry.ts_ns, entry.line, entry.metadata);
    }
    if (random.OneIn(10)) engine.Seal();
    const std::string& text = queries[random.Below(3)];
    SCOPED_TRACE(text);
    const auto expr = logql::ParseExpr(text);
    ASSERT_TRUE(expr.ok()) << expr.status().message();
    // Ends that move as a clock does, now and then another step.
    request.start_ns += static_cast<int64_t>(random.Below(40)) * kSecond;
    request.end_ns += static_cast<int64_t>(random.Below(40)) * kSecond;
    if (random.OneIn(8)) request = RandomRequest(random, true);
    request.partial_series = random.OneIn(4);
    SCOPED_TRACE("from " + std::to_string(request.start_ns) + " to " + std::to_string(request.end_ns) +
                 " step " + std::to_string(request.step_ns));
    request.cache = nullptr;
    const auto plain = RunQuery(engine, **expr, request, limits);
    request.cache = &cache;
    const auto cached = RunQuery(engine, **expr, request, limits);
    ExpectIdentical(cached, plain);
    if (::testing::Test::HasFatalFailure()) return;
    ASSERT_EQ(engine.query_budget()->used_bytes(), cache.used_bytes());
  }
  *hits += cache.counters().hits;
  *stale += cache.counters().stale;
}

TEST(RunQueryProperty, TheResultCacheNeverChangesAnAnswer) {
  const uint64_t seed = FromEnvironment("VARVE_PROPERTY_SEED", 20261120);
  const uint64_t rounds = FromEnvironment("VARVE_PROPERTY_ROUNDS", 150);
  uint64_t hits = 0, stale = 0;
  for (uint64_t round = 0; round < rounds && !HasFatalFailure(); ++round) {
    RunCachedRound(seed + round, &hits, &stale);
  }
  EXPECT_GT(hits, 10 * rounds);
  EXPECT_GT(stale, rounds);
}

}  // namespace
}  // namespace varve
