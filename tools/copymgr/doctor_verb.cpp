// `copymgr doctor URL`: would Windows, ESXi and Linux let this array copy, and if not, why.

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "tools/copymgr/verb.hpp"
#include "tools/host/doctor.hpp"
#include "tools/host/session.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

Usage usage() {
  Usage out{"doctor",
            "URL [options]",
            "Says of a logical unit of any array whether Windows would enable ODX on it, and\n"
            "whether VMware ESXi and Linux' sg_xcopy could use EXTENDED COPY: rule by rule, with\n"
            "what was found and what to do. Nothing is written to it.\n",
            "  copymgr doctor iscsi://127.0.0.1:3260/iqn.2026-11.io.copymgr:demo/0\n"
            "  copymgr doctor iscsi://array/iqn.2026-11.com.example:a/0 --require windows --try\n",
            po::options_description("options"),
            {"URL"}};
  out.options.add_options()("help,h", "this help")("json", "print one JSON document")(
      "require", po::value<std::vector<std::string>>(),
      "windows, vmware or linux; may repeat: exit with 1 where that host would not offload")(
      "try", "also make a token of the first blocks (it is not used)")(
      "initiator", po::value<std::string>()->default_value(host::SessionSettings{}.initiator_name),
      "iSCSI initiator name to log in with");
  return out;
}

std::vector<std::string> required(const po::variables_map& values) {
  if (values.count("require") == 0) return {};
  auto out = values["require"].as<std::vector<std::string>>();
  for (const std::string& name : out) {
    if (name != "windows" && name != "vmware" && name != "linux") {
      throw UsageError{fmt::format("--require {}: expected windows, vmware or linux", name)};
    }
  }
  return out;
}

// What the pages promise has to work. Where they promise nothing there is nothing to try.
void try_windows(host::Lun& lun, const host::Symptoms& symptoms, host::Diagnosis& windows) {
  if (!windows.offloads) return;
  host::Finding finding = host::try_offload_read(lun, symptoms);
  windows.offloads = finding.grade == host::Grade::passed;
  if (!windows.offloads) windows.summary = finding.found;
  windows.findings.push_back(std::move(finding));
}

}  // namespace

int run_doctor(const std::vector<std::string>& arguments) {
  const auto values = parse(usage(), arguments);
  if (!values) return done;
  const std::vector<std::string> wanted = required(*values);
  const auto url = host::parse_url((*values)["URL"].as<std::string>());
  if (!url) throw UsageError{url.error()};
  host::SessionSettings settings;
  settings.initiator_name = (*values)["initiator"].as<std::string>();
  const auto session = host::Session::open(*url, settings);
  if (!session) return complain("doctor", session.error()), failed;
  const auto symptoms = host::examine(**session);
  if (!symptoms) {
    return complain("doctor", fmt::format("{}: {}", url->shown(), symptoms.error())), failed;
  }
  std::vector<host::Diagnosis> diagnoses{diagnose_windows(*symptoms), diagnose_vmware(*symptoms),
                                         diagnose_linux(*symptoms)};
  if (values->count("try") != 0) try_windows(**session, *symptoms, diagnoses.front());
  const std::string text = values->count("json") != 0 ? to_json(url->shown(), diagnoses)
                                                      : to_table(url->shown(), diagnoses);
  std::fputs(text.c_str(), stdout);
  const bool all = std::all_of(diagnoses.begin(), diagnoses.end(), [&](const auto& each) {
    return each.offloads || std::find(wanted.begin(), wanted.end(), each.host) == wanted.end();
  });
  return all ? done : failed;
}

}  // namespace cli
