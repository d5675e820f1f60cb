// The text exposition format of Prometheus, version 0.0.4: families of samples. Knows nothing of
// what is measured.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace admin {

inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

class MetricsText {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string>>;

  // The samples that follow belong to it. Each family once; a counter's name ends in _total. A
  // family without samples leaves no trace.
  void counter(std::string_view name, std::string_view help);
  void gauge(std::string_view name, std::string_view help);
  void histogram(std::string_view name, std::string_view help);

  // Of a counter or a gauge.
  void sample(const Labels& labels, std::uint64_t value);
  void sample(const Labels& labels, double value);
  // Of a histogram of seconds: `counts` has what lies within each of the ascending `bounds` and not
  // the one before, and behind them what lies beyond all.
  void sample(const Labels& labels, std::span<const base::Duration> bounds,
              std::span<const std::uint64_t> counts, double sum_seconds);

  std::string take() { return std::move(out_); }

 private:
  void family(std::string_view name, std::string_view type, std::string_view help);
  void line(std::string_view suffix, const Labels& labels, const std::string& value);

  std::string out_, name_, header_;
};

}  // namespace admin
