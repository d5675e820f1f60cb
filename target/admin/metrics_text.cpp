#include "target/admin/metrics_text.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace admin {
namespace {

// Whatever may be in a name that a host chose: the format is UTF-8 (metrics_content_type), and in
// it only these three would end the value or the line.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char each : base::utf8_text(text)) {
    if (each == '\\' || each == '"') out += '\\';
    out += each == '\n' ? "\\n" : std::string(1, each);
  }
  return out;
}

std::string text_of(const MetricsText::Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels)
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escaped(value));
  return out.empty() ? out : "{" + out + "}";
}

double seconds(base::Duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

void MetricsText::counter(std::string_view name, std::string_view help) {
  family(name, "counter", help);
}

void MetricsText::gauge(std::string_view name, std::string_view help) {
  family(name, "gauge", help);
}

void MetricsText::histogram(std::string_view name, std::string_view help) {
  family(name, "histogram", help);
}

void MetricsText::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  header_ = fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

void MetricsText::line(std::string_view suffix, const Labels& labels, const std::string& value) {
  out_ += std::exchange(header_, {});
  out_ += fmt::format("{}{}{} {}\n", name_, suffix, text_of(labels), value);
}

void MetricsText::sample(const Labels& labels, std::uint64_t value) {
  line("", labels, fmt::format("{}", value));
}

void MetricsText::sample(const Labels& labels, double value) {
  line("", labels, fmt::format("{}", value));
}

void MetricsText::sample(const Labels& labels, std::span<const base::Duration> bounds,
                         std::span<const std::uint64_t> counts, double sum_seconds) {
  Labels with_bound = labels;
  with_bound.emplace_back("le", "");
  std::uint64_t within = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    within += counts[i];
    with_bound.back().second =
        i < bounds.size() ? fmt::format("{}", seconds(bounds[i])) : std::string("+Inf");
    line("_bucket", with_bound, fmt::format("{}", within));
  }
  line("_sum", labels, fmt::format("{}", sum_seconds));
  line("_count", labels, fmt::format("{}", within));
}

}  // namespace admin
