// Which hosts would let this array copy by itself, and if not, why and what to do: Windows by ODX
// tokens (windows-host A and D.1), VMware ESXi and Linux' sg_xcopy by EXTENDED COPY (wire reference
// 8). Any array's: the rules are the hosts', nothing of ours is needed. Pure but for examine().
#pragma once

#include <string>
#include <vector>

#include "tools/host/capability.hpp"
#include "tools/host/lun_facts.hpp"
#include "tools/host/pages.hpp"

namespace host {

// What the unit answered; nullopt where it refused.
struct Symptoms {
  LunFacts facts;
  PageBytes inquiry;  // standard data
  std::optional<PageBytes> supported_pages, identification, third_party_copy;
  std::optional<PageBytes> control_mode;          // MODE SENSE(6): header, descriptors, page 0Ah
  std::optional<PageBytes> operating_parameters;  // of RECEIVE COPY
  std::string operating_parameters_refused;       // why not
};

enum class Grade {
  passed,
  advice,  // the host offloads all the same
  failed,  // the host does not offload
};
struct Finding {
  std::string text;  // the rule
  Grade grade = Grade::passed;
  std::string found;  // what the array does instead; empty when passed
  std::string fix;    // empty when passed
};
struct Diagnosis {
  std::string host;  // "windows": a member of the JSON document
  std::string what;  // "Windows: ODX"
  bool offloads = false;
  std::string summary;  // one line: how, or why not
  std::vector<Finding> findings;
};

// Reads only. The error is one line for a person.
Told<Symptoms> examine(Lun& lun);

Diagnosis diagnose_windows(const Symptoms& symptoms);
Diagnosis diagnose_vmware(const Symptoms& symptoms);
Diagnosis diagnose_linux(const Symptoms& symptoms);

// What nobody can tell without trying: makes a token of the first blocks and asks for it, as
// Windows does before it writes. Nothing is written; the token ends by its timer.
Finding try_offload_read(Lun& lun, const Symptoms& symptoms);

std::string to_table(const std::string& url, const std::vector<Diagnosis>& diagnoses);
std::string to_json(const std::string& url, const std::vector<Diagnosis>& diagnoses);

}  // namespace host
