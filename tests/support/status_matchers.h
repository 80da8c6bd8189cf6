// ASSERT_OK(status or result) and EXPECT_OK, which print the error.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "engine/base/status.h"

namespace varve {

inline std::string DescribeStatus(const Status& status) { return status.ToString(); }
template <typename T>
std::string DescribeStatus(const Result<T>& result) { return result.ok() ? "ok" : result.status().ToString(); }

}  // namespace varve

#define EXPECT_OK(expr)                                                  \
  do {                                                                   \
    const auto& varve_result = (expr);                                   \
    EXPECT_TRUE(varve_result.ok()) << ::varve::DescribeStatus(varve_result); \
  } while (false)
#define ASSERT_OK(expr)                                                  \
  do {                                                                   \
    const auto& varve_result = (expr);                                   \
    ASSERT_TRUE(varve_result.ok()) << ::varve::DescribeStatus(varve_result); \
  } while (false)
