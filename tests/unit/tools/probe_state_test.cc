#include "tools/probe_state.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace varve {
namespace {

CertificateCheck Seen(const std::string& serial, int64_t not_after_s, double seconds = 0.2) {
  CertificateCheck check;
  check.presented = true;
  check.serial = serial;
  check.not_after_s = not_after_s;
  check.seconds = seconds;
  return check;
}

TEST(ProbeState, CountsARenewalWhenTheCertificateChanges) {
  ProbeState state;
  EXPECT_FALSE(state.AddCheck("a", Seen("1", 100), 10));
  EXPECT_FALSE(state.AddCheck("a", Seen("1", 100), 20));
  EXPECT_FALSE(state.AddCheck("a", CertificateCheck(), 25));  // could not be reached
  EXPECT_TRUE(state.AddCheck("a", Seen("2", 200), 30));
  EXPECT_EQ(1u, state.domains["a"].successes);
  // An older one, from another machine behind the name perhaps, is none.
  EXPECT_FALSE(state.AddCheck("a", Seen("1", 100), 40));
  EXPECT_EQ(1u, state.domains["a"].successes);
}

TEST(ProbeState, CountsARenewalThatIsReportedAndSeenOnce) {
  ProbeState state;
  state.AddCheck("a", Seen("1", 100), 0);
  state.AddReport("a", true, 10);
  EXPECT_EQ(1u, state.domains["a"].successes);
  EXPECT_TRUE(state.AddCheck("a", Seen("2", 200), 20));
  EXPECT_EQ(1u, state.domains["a"].successes);
  // Seen first, reported a little later.
  EXPECT_TRUE(state.AddCheck("a", Seen("3", 300), 1000));
  EXPECT_EQ(2u, state.domains["a"].successes);
  state.AddReport("a", true, 1005);
  EXPECT_EQ(2u, state.domains["a"].successes);
  // That report is used up.
  state.AddReport("a", true, 1006);
  EXPECT_EQ(3u, state.domains["a"].successes);
  state.AddReport("a", false, 1007);
  state.AddReport("a", false, 1008);
  EXPECT_EQ(2u, state.domains["a"].failures);
}

TEST(ProbeState, PutsChecksIntoBuckets) {
  ProbeState state;
  for (const double seconds : {0.001, 0.01, 0.011, 9.0, 10.0, 11.0}) state.AddCheck("a", Seen("1", 1, seconds), 0);
  EXPECT_EQ((std::array<uint64_t, 10>{2, 1, 0, 0, 0, 0, 0, 0, 2, 1}), state.checks);
  EXPECT_DOUBLE_EQ(30.022, state.check_seconds);
}

TEST(ProbeState, ComesBackAsItWas) {
  ProbeState state;
  state.AddCheck("a \"b\"", Seen("1F", 100), 10);
  state.AddCheck("a \"b\"", Seen("2F", 200), 10);
  state.AddReport("c", true, 10);
  state.AddReport("c", false, 10);
  state.log_inode = UINT64_MAX;
  state.log_offset = 77;
  const auto back = ParseProbeState(PrintProbeState(state));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(state.domains, back->domains);
  EXPECT_EQ(state.checks, back->checks);
  EXPECT_DOUBLE_EQ(state.check_seconds, back->check_seconds);
  EXPECT_EQ(state.log_inode, back->log_inode);
  EXPECT_EQ(state.log_offset, back->log_offset);
  for (const char* text : {"", "[]", "{}", "{\"version\": 2}", "{\"version\": 1}"}) {
    EXPECT_EQ(Code::kCorruption, ParseProbeState(text).status().code()) << text;
  }
}

TEST(ProbeState, ReadsTheRenewalLogOnceWhateverBecomesOfIt) {
  const std::string path = ::testing::TempDir() + "/varve_renewals_" + std::to_string(getpid());
  std::remove(path.c_str());
  const auto config = ParseProbeConfig(R"([{"domain": "a"}, {"domain": "b"}])", "f");
  ASSERT_TRUE(config.ok());
  ProbeState state;
  std::vector<std::string> log;
  EXPECT_FALSE(ReadRenewals(path, *config, 0, &state, &log));
  std::ofstream(path) << "# by certbot\na failure 2026-11-20 rate limit\n  b success\na fail";
  EXPECT_TRUE(ReadRenewals(path, *config, 0, &state, &log));
  EXPECT_FALSE(ReadRenewals(path, *config, 0, &state, &log));
  EXPECT_EQ(1u, state.domains["a"].failures);
  EXPECT_EQ(1u, state.domains["b"].successes);
  EXPECT_TRUE(log.empty());
  std::ofstream(path, std::ios::app) << "ure\nc success\na perhaps\n\n";
  EXPECT_TRUE(ReadRenewals(path, *config, 0, &state, &log));
  EXPECT_EQ(2u, state.domains["a"].failures);
  EXPECT_EQ(2u, log.size());
  std::ofstream(path) << "a failure\n";  // truncated
  EXPECT_TRUE(ReadRenewals(path, *config, 0, &state, &log));
  EXPECT_EQ(3u, state.domains["a"].failures);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace varve
