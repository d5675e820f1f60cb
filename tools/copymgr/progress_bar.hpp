// A progress bar on standard error, drawn only where a person can see it, a few times a second at
// most.
#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "base/units.hpp"

namespace cli {

class ProgressBar {
 public:
  ProgressBar(const base::Clock& clock, std::string_view what, base::ByteCount total);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(base::ByteCount done);
  void clear();

 private:
  const base::Clock& clock_;
  std::string_view what_;
  base::ByteCount total_;
  bool visible_;
  bool drawn_ = false;
  base::Instant start_, next_;
};

}  // namespace cli
