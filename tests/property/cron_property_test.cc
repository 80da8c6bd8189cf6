// Cron against the simplest thing that could be right: every minute of a stretch of time looked at one after another.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "alerting/reports/cron.h"
#include "query/templates/time_zone.h"

namespace varve {
namespace {

struct NaiveField {
  std::set<int> values;
  bool star = false;
  std::string text;
};

NaiveField RandomField(std::mt19937_64* random, int first, int last, bool often_star) {
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(*random); };
  NaiveField field;
  if (often_star && pick(0, 2) > 0) {
    field.star = true;
    field.text = "*";
    for (int v = first; v <= last; ++v) field.values.insert(v);
    return field;
  }
  for (int items = pick(1, 3); items > 0; --items) {
    if (!field.text.empty()) field.text += ",";
    const int begin = pick(first, last);
    const int end = pick(begin, last);
    const int step = pick(1, 7);
    switch (pick(0, 3)) {
      case 0:
        field.text += std::to_string(begin);
        field.values.insert(begin);
        break;
      case 1:
        field.text += std::to_string(begin) + "-" + std::to_string(end);
        for (int v = begin; v <= end; ++v) field.values.insert(v);
        break;
      case 2:
        field.text += std::to_string(begin) + "-" + std::to_string(end) + "/" + std::to_string(step);
        for (int v = begin; v <= end; v += step) field.values.insert(v);
        break;
      default:
        if (field.text.empty()) field.star = true;
        field.text += "*/" + std::to_string(step);
        for (int v = first; v <= last; v += step) field.values.insert(v);
    }
  }
  return field;
}

struct NaiveCron {
  NaiveField minute, hour, day, month, weekday;

  std::string text() const {
    return minute.text + " " + hour.text + " " + day.text + " " + month.text + " " + weekday.text;
  }
  bool Matches(int64_t local_minute) const {
    const int64_t days = local_minute / 1440;  // after 1970
    const int64_t of_day = local_minute % 1440;
    const CivilDate date = DateOfDays(days);
    const int wday = WeekdayOfDays(days);
    const bool by_day = day.values.count(date.day) != 0;
    const bool by_weekday = weekday.values.count(wday) != 0 || (wday == 0 && weekday.values.count(7) != 0);
    const bool day_matches = day.star || weekday.star ? by_day && by_weekday : by_day || by_weekday;
    return minute.values.count(static_cast<int>(of_day % 60)) != 0 &&
           hour.values.count(static_cast<int>(of_day / 60)) != 0 && month.values.count(date.month) != 0 && day_matches;
  }
};

// What is due in (begin, end], in whole minutes.
std::vector<int64_t> NaiveDue(const NaiveCron& cron, const templates::TimeZone& zone, int64_t begin_s, int64_t end_s) {
  std::vector<int64_t> due;
  // The latest minute that the clock has shown so far; from a day before, so that it is right from the beginning.
  int64_t shown = (begin_s - 86400 + zone.At(begin_s - 86400).offset_seconds) / 60;
  for (int64_t at = begin_s - 86400 + 60; at <= end_s; at += 60) {
    const int64_t local = (at + zone.At(at).offset_seconds) / 60;
    bool is_due = false;
    // Minutes that the clock shows now, or has skipped to get here; none when it shows what it has shown before.
    for (int64_t minute = shown + 1; minute <= local; ++minute) is_due = is_due || cron.Matches(minute);
    shown = std::max(shown, local);
    if (is_due && at > begin_s) due.push_back(at);
  }
  return due;
}

TEST(CronProperty, ComesWhenEveryMinuteLookedAtSays) {
  const uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  const char* zones[] = {"Asia/Seoul", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia",
                         "Africa/Casablanca", "America/St_Johns"};
  for (int round = 0; round < 300; ++round) {
    const char* name = zones[round % std::size(zones)];
    const templates::TimeZone& zone = *templates::TimeZone::Load(name);
    const LocalCalendar calendar = *LocalCalendar::Load(name);
    NaiveCron cron{RandomField(&random, 0, 59, false), RandomField(&random, 0, 23, true), RandomField(&random, 1, 31, true),
                   RandomField(&random, 1, 12, true), RandomField(&random, 0, 7, true)};
    const Result<CronSchedule> schedule = CronSchedule::Parse(cron.text());
    if (!schedule.ok()) {
      EXPECT_NE(schedule.status().message().find("never comes"), std::string::npos) << cron.text();
      continue;
    }
    // Ten days around a change of the clock, or anywhere.
    int64_t begin = (1'300'000'000 + static_cast<int64_t>(random() % 800'000'000)) / 60 * 60;
    const int64_t change = zone.At(begin).end;
    if (random() % 4 != 0 && change < 2'200'000'000) begin = change / 60 * 60 - 5 * 86400;
    const int64_t end = begin + 10 * 86400;
    const std::vector<int64_t> expected = NaiveDue(cron, zone, begin, end);
    std::vector<int64_t> due;
    for (int64_t at = schedule->Next(begin, calendar); at <= end; at = schedule->Next(at, calendar)) due.push_back(at);
    ASSERT_EQ(due, expected) << cron.text() << " in " << name << " from " << begin;
    // From anywhere in between as well.
    const int64_t middle = begin + static_cast<int64_t>(random() % (10 * 86400));
    const auto next = std::upper_bound(expected.begin(), expected.end(), middle);
    if (next != expected.end()) {
      ASSERT_EQ(schedule->Next(middle, calendar), *next) << cron.text() << " in " << name << " after " << middle;
    }
  }
}

}  // namespace
}  // namespace varve
