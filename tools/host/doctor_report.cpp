// A diagnosis for a person, and for a script.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/host/doctor.hpp"

namespace host {
namespace {

constexpr const char* shown(Grade grade) {
  switch (grade) {
    case Grade::passed:
      return "ok";
    case Grade::advice:
      return "advice";
    case Grade::failed:
      return "FAILED";
  }
  return "";
}

}  // namespace

std::string to_table(const std::string& url, const std::vector<Diagnosis>& diagnoses) {
  std::string out = url + "\n";
  for (const Diagnosis& diagnosis : diagnoses) {
    out += fmt::format("\n{}: {}\n  {}\n", diagnosis.what, diagnosis.offloads ? "yes" : "no",
                       diagnosis.summary);
    for (const Finding& finding : diagnosis.findings) {
      out += fmt::format("  {:<6}  {}\n", shown(finding.grade), finding.text);
      if (finding.grade == Grade::passed) continue;
      out += fmt::format("          found: {}\n          fix:   {}\n", finding.found, finding.fix);
    }
  }
  return out;
}

std::string to_json(const std::string& url, const std::vector<Diagnosis>& diagnoses) {
  nlohmann::ordered_json out{{"url", url}};
  for (const Diagnosis& diagnosis : diagnoses) {
    nlohmann::ordered_json findings = nlohmann::ordered_json::array();
    for (const Finding& finding : diagnosis.findings) {
      nlohmann::ordered_json one{{"rule", finding.text},
                                 {"grade", finding.grade == Grade::passed   ? "passed"
                                           : finding.grade == Grade::advice ? "advice"
                                                                            : "failed"}};
      if (finding.grade != Grade::passed) {
        one["found"] = finding.found;
        one["fix"] = finding.fix;
      }
      findings.push_back(std::move(one));
    }
    out[diagnosis.host] = {{"offloads", diagnosis.offloads},
                           {"summary", diagnosis.summary},
                           {"findings", std::move(findings)}};
  }
  return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace host
