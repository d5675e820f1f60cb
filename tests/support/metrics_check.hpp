// The text format of Prometheus as its readers want it (exposition formats, version 0.0.4), checked
// by a parser of its own: what promtool would complain about, and what it would not.
#pragma once

#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace test {

using MetricLabels = std::map<std::string, std::string>;

struct Metrics {
  std::vector<std::string> faults;                               // empty: all is well
  std::map<std::string, std::string> types;                      // by family
  std::map<std::string, std::map<MetricLabels, double>> series;  // by sample name

  // nullopt: not there.
  std::optional<double> value(const std::string& name, const MetricLabels& labels = {}) const {
    const auto at = series.find(name);
    if (at == series.end()) return std::nullopt;
    const auto found = at->second.find(labels);
    return found == at->second.end() ? std::nullopt : std::optional(found->second);
  }
};

class MetricsCheck {
 public:
  static Metrics check(const std::string& text) {
    MetricsCheck check;
    check.read(text);
    check.judge_histograms();
    return std::move(check.out_);
  }

 private:
  void fault(const std::string& text) { out_.faults.push_back(text + ": " + line_); }

  void read(const std::string& text) {
    if (text.empty() || text.back() != '\n') fault("the last line has no line feed");
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      line_ = text.substr(at, end - at);
      at = end + 1;
      if (line_.rfind("# HELP ", 0) == 0) {
        comment(helped_);
      } else if (line_.rfind("# TYPE ", 0) == 0) {
        type();
      } else if (!line_.empty() && line_[0] != '#') {
        sample();
      }
    }
    line_.clear();
  }

  std::string comment(std::set<std::string>& seen) {
    const std::size_t end = line_.find(' ', 7);
    const std::string name = line_.substr(7, end - 7);
    if (!is_name(name, true)) fault("not a metric name");
    if (!seen.insert(name).second) fault("told twice");
    if (end == std::string::npos || end + 1 == line_.size()) fault("says nothing");
    return name;
  }

  void type() {
    const std::string name = comment(typed_);
    const std::string type = line_.substr(line_.rfind(' ') + 1);
    out_.types[name] = type;
    current_ = name;
    if (type != "counter" && type != "gauge" && type != "histogram") fault("an unknown type");
    if (!helped_.contains(name)) fault("TYPE without HELP before it");
    const bool total = name.size() > 6 && name.substr(name.size() - 6) == "_total";
    if ((type == "counter") != total) fault("counters, and only they, end in _total");
    for (const char* const unit : {"_milliseconds", "_kilobytes", "_bucket", "_count", "_sum"})
      if (name.find(unit) != std::string::npos) fault("no base unit, or a reserved ending");
  }

  void sample() {
    at_ = 0;
    const std::string name = word();
    MetricLabels labels = at_ < line_.size() && line_[at_] == '{' ? labels_of() : MetricLabels();
    if (at_ >= line_.size() || line_[at_] != ' ') return fault("no blank before the value");
    const std::string text = line_.substr(at_ + 1);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0') fault("the value is no number");
    judge(name, labels, value);
    if (!out_.series[name].emplace(labels, value).second) fault("the series is there twice");
  }

  void judge(const std::string& name, const MetricLabels& labels, double value) {
    if (!is_name(name, true)) fault("not a metric name");
    const std::string type = out_.types[current_];
    const bool plain = type != "histogram" && name == current_;
    const bool part =
        type == "histogram" &&
        (name == current_ + "_bucket" || name == current_ + "_sum" || name == current_ + "_count");
    if (!plain && !part) fault("does not belong to the family above it");
    if (labels.contains("le") != (part && name == current_ + "_bucket")) fault("le is for buckets");
    if (type != "gauge" && !(value >= 0)) fault("a counter below zero");
  }

  std::string word() {
    const std::size_t begin = at_;
    while (at_ < line_.size() && line_[at_] != '{' && line_[at_] != ' ' && line_[at_] != '=')
      ++at_;
    return line_.substr(begin, at_ - begin);
  }

  MetricLabels labels_of() {
    MetricLabels out;
    while (at_ < line_.size() && line_[at_] != '}') {
      ++at_;  // { or ,
      const std::string name = word();
      if (!is_name(name, false)) fault("not a label name");
      if (line_.compare(at_, 2, "=\"") != 0) return fault("no label value"), out;
      at_ += 2;
      if (!out.emplace(name, quoted()).second) fault("the label is there twice");
      if (at_ >= line_.size() || (line_[at_] != ',' && line_[at_] != '}'))
        return fault("no end of labels"), out;
    }
    ++at_;
    return out;
  }

  std::string quoted() {
    std::string out;
    for (; at_ < line_.size() && line_[at_] != '"'; ++at_) {
      if (line_[at_] != '\\') {
        out += line_[at_];
        continue;
      }
      const char next = at_ + 1 < line_.size() ? line_[++at_] : ' ';
      if (next != '\\' && next != '"' && next != 'n') fault("an unknown escape");
      out += next == 'n' ? '\n' : next;
    }
    ++at_;
    return out;
  }

  static bool is_name(const std::string& name, bool colons) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    for (const char each : name) {
      const bool good = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                        (each >= '0' && each <= '9') || each == '_' || (colons && each == ':');
      if (!good) return false;
    }
    return true;
  }

  void judge_histograms() {
    for (const auto& [family, type] : out_.types) {
      if (type != "histogram") continue;
      std::map<MetricLabels, std::map<double, double>> by_labels;
      for (const auto& [labels, value] : out_.series[family + "_bucket"]) {
        MetricLabels rest = labels;
        const std::string bound = rest["le"];
        rest.erase("le");
        by_labels[rest][bound == "+Inf" ? std::numeric_limits<double>::infinity()
                                        : std::strtod(bound.c_str(), nullptr)] = value;
      }
      line_ = family;
      for (const auto& [labels, buckets] : by_labels)
        judge_histogram(family, labels, buckets);
      if (out_.series[family + "_count"].size() != by_labels.size())
        fault("a count without buckets");
    }
  }

  void judge_histogram(const std::string& family, const MetricLabels& labels,
                       const std::map<double, double>& buckets) {
    double before = 0;
    for (const auto& [bound, value] : buckets) {
      if (value < before) fault("buckets are not cumulative");
      before = value;
    }
    if (!std::isinf(buckets.rbegin()->first)) fault("no +Inf bucket");
    if (out_.value(family + "_count", labels) != before) fault("+Inf is not the count");
    if (!out_.value(family + "_sum", labels)) fault("no sum");
  }

  Metrics out_;
  std::set<std::string> helped_, typed_;
  std::string line_, current_;
  std::size_t at_ = 0;
};

}  // namespace test
