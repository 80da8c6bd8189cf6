// A sum of doubles that does not depend on the order of its terms.
//
// Rows arrive in the order in which threads finish, and adding doubles is not associative: a plain sum
// would change in its last digits from run to run, and dashboards compare. The sum keeps the rounding
// error of each addition in a second double (Knuth's two-sum), about 106 bits in all, so that the rounded
// result is the same for every order short of adversarial cancellation.
// Infinities and NaN behave as in plain addition.
// Threads: thread-compatible.
#pragma once

#include <cmath>

namespace varve {

class ExactSum {
 public:
  void Add(double x) {
    const double sum = high_ + x;
    const double rounded = sum - high_;
    low_ += (high_ - (sum - rounded)) + (x - rounded);
    high_ = sum;
  }
  // x·x, with the product's rounding error.
  void AddSquare(double x) {
    const double square = x * x;
    Add(square);
    low_ += std::fma(x, x, -square);
  }
  void Merge(const ExactSum& other) {
    Add(other.high_);
    low_ += other.low_;
  }
  double Value() const { return std::isfinite(high_) ? high_ + low_ : high_; }
  double high() const { return high_; }
  double low() const { return low_; }

 private:
  double high_ = 0;
  double low_ = 0;  // meaningless once high_ is not finite
};

}  // namespace varve
