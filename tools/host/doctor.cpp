// What hosts ask for before they offload, and their rules as far as they are no gate of Windows'
// (those are in capability.cpp).
#include "tools/host/doctor.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "scsi/copy_cdbs.hpp"
#include "scsi/extended_copy_results.hpp"
#include "scsi/primary_cdbs.hpp"
#include "tools/host/report.hpp"
#include "tools/host/sizes.hpp"
#include "tools/host/token_commands.hpp"

namespace host {
namespace {

using scsi::Field;

constexpr Field third_party_copy_bit = Field::flag("3PC", 5, 3);
constexpr Field command_queueing = Field::flag("CMDQUE", 7, 1);
constexpr Field block_descriptor_length = Field::bytes("BLOCK DESCRIPTOR LENGTH", 3, 1);
constexpr Field queue_error_management{"QERR", 3, 2, 2};
constexpr std::size_t mode_header_6_bytes = 4;
constexpr std::uint8_t control_page = 0x0a;
constexpr std::size_t operating_parameters_bytes = 1024;
// Of one EXTENDED COPY with two CSCDs and one block to block segment.
constexpr std::uint32_t smallest_list_bytes = 2 * 32 + 28;
constexpr std::uint32_t vmware_segment_bytes = 4u << 20;  // its request by default (unverified)

bool bit(const PageBytes& data, const Field& field) {
  return data.size() >= field.end_byte() && field.read(data) != 0;
}

Told<PageBytes> read_control_page(Lun& lun) {
  constexpr std::size_t allocation = 192;  // as Windows
  Command command = make_command(scsi::mode_sense::layout_6);
  scsi::mode_sense::page_code.write(command.cdb, control_page);
  scsi::mode_sense::allocation_length_6.write(command.cdb, allocation);
  return read_in(lun, command, allocation);
}

Told<PageBytes> read_operating_parameters(Lun& lun) {
  Command command = make_command(scsi::receive_copy::operating_parameters_layout);
  scsi::receive_copy::allocation_length.write(command.cdb, operating_parameters_bytes);
  return read_in(lun, command, operating_parameters_bytes);
}

// QERR of the page, behind header and block descriptors; nullopt: not to be found.
std::optional<std::uint64_t> queue_error_management_of(const std::optional<PageBytes>& mode) {
  if (!mode || mode->size() < mode_header_6_bytes) return std::nullopt;
  const std::size_t at = mode_header_6_bytes + block_descriptor_length.read(*mode);
  const base::ByteView data(*mode);
  if (at + queue_error_management.end_byte() > data.size()) return std::nullopt;
  const base::ByteView page = data.subspan(at);
  if ((page[0] & 0x3f) != control_page) return std::nullopt;
  return queue_error_management.read(page);
}

// Designation descriptors of the unit itself, of these types.
bool has_designator(const std::optional<PageBytes>& page, std::initializer_list<unsigned> types) {
  if (!page) return false;
  for (std::size_t at = page_header_bytes; at + 4 <= page->size(); at += 4 + (*page)[at + 3]) {
    const unsigned association = ((*page)[at + 1] >> 4) & 3, type = (*page)[at + 1] & 0x0f;
    if (association == 0 && std::find(types.begin(), types.end(), type) != types.end()) return true;
  }
  return false;
}

class Notes {
 public:
  explicit Notes(Diagnosis& out) : out_(out) {}
  // `otherwise`: what it means when the rule does not hold.
  bool rule(std::string text, bool holds, Grade otherwise, std::string found, std::string fix) {
    if (holds) {
      out_.findings.push_back({std::move(text), Grade::passed, {}, {}});
    } else {
      out_.findings.push_back({std::move(text), otherwise, std::move(found), std::move(fix)});
    }
    return holds;
  }
  bool none_failed() const {
    return std::none_of(out_.findings.begin(), out_.findings.end(),
                        [](const Finding& each) { return each.grade == Grade::failed; });
  }
  const std::string& first_failure() const {
    return std::find_if(out_.findings.begin(), out_.findings.end(),
                        [](const Finding& each) { return each.grade == Grade::failed; })
        ->found;
  }

 private:
  Diagnosis& out_;
};

void note_sizes(Notes& notes, const LunFacts& facts) {
  const auto& limits = facts.capability.limits;
  const std::uint64_t optimal = limits.optimal_transfer_count.value,
                      maximum = limits.maximum_token_transfer_size.value;
  notes.rule("OPTIMAL TRANSFER COUNT is not above MAXIMUM TOKEN TRANSFER SIZE",
             optimal == 0 || maximum == 0 || optimal <= maximum, Grade::advice,
             fmt::format("{} blocks are optimal, {} the most", optimal, maximum),
             "report 0, or no more than the maximum");
  const base::ByteCount write =
      facts.block_length.to_bytes(write_using_token_size(limits, facts.block_length).blocks_max);
  constexpr base::ByteCount small{1u << 20};
  notes.rule("one WRITE USING TOKEN moves a MiB or more", write >= small, Grade::advice,
             "Windows would write " + shown_bytes(write) + " at a time",
             "report a larger OPTIMAL TRANSFER COUNT, or 0 for 64 MiB");
  notes.rule("tokens live for half a minute or more by default",
             limits.default_inactivity_timeout_seconds == 0 ||
                 limits.default_inactivity_timeout_seconds >= 30,
             Grade::advice, fmt::format("{} s", limits.default_inactivity_timeout_seconds),
             "a busy host may come later with its next write: DEFAULT INACTIVITY TIMEOUT of 30 s "
             "at least");
}

// Not gates of ODX, but what a disk with it is expected to have (windows-host A.5, D, D.1).
void note_disk(Notes& notes, const Symptoms& symptoms) {
  notes.rule("standard INQUIRY data has 3PC=1", bit(symptoms.inquiry, third_party_copy_bit),
             Grade::advice, "3PC=0", "set byte 5 bit 3: there is a copy manager");
  notes.rule("standard INQUIRY data has CMDQUE=1", bit(symptoms.inquiry, command_queueing),
             Grade::advice, "CMDQUE=0", "set byte 7 bit 1, or Windows sends one command at a time");
  for (const int page : {0xb0, 0xb1, 0xb2}) {
    notes.rule(fmt::format("page 00h lists {:02X}h", page),
               lists(symptoms.supported_pages, static_cast<std::uint8_t>(page)), Grade::advice,
               "it is not listed", "Windows reads it at the same moment");
  }
  notes.rule("page 83h names the unit by NAA, EUI-64 or SCSI name",
             has_designator(symptoms.identification, {2, 3, 8}), Grade::advice,
             "no such designator", "MPIO and clusters tell units apart by it");
  const auto queue_error = queue_error_management_of(symptoms.control_mode);
  notes.rule("the control mode page has QERR=0", queue_error == std::uint64_t{0}, Grade::advice,
             queue_error ? fmt::format("QERR={}", *queue_error) : "the page cannot be read",
             "Windows sets it to 0 by MODE SELECT(6) where there is ODX: report 0, or accept that");
}

void note_extended_copy(Notes& notes, const Symptoms& symptoms) {
  notes.rule("standard INQUIRY data has 3PC=1", bit(symptoms.inquiry, third_party_copy_bit),
             Grade::failed, "3PC=0", "set byte 5 bit 3: there is a copy manager");
  const auto told = symptoms.operating_parameters
                        ? scsi::decode_operating_parameters(*symptoms.operating_parameters)
                        : std::nullopt;
  if (!notes.rule("RECEIVE COPY OPERATING PARAMETERS is answered", told.has_value(), Grade::failed,
                  symptoms.operating_parameters ? "fewer than 44 bytes came"
                                                : symptoms.operating_parameters_refused,
                  "implement service action 03h of operation code 84h")) {
    return;
  }
  const scsi::ExtendedCopyLimits& limits = told->parameters.limits;
  notes.rule("two CSCD descriptors and one segment fit into a list",
             limits.maximum_cscd_descriptors >= 2 && limits.maximum_segment_descriptors >= 1 &&
                 limits.maximum_descriptor_list_bytes >= smallest_list_bytes,
             Grade::failed,
             fmt::format("{} CSCDs, {} segments, {} bytes", limits.maximum_cscd_descriptors,
                         limits.maximum_segment_descriptors, limits.maximum_descriptor_list_bytes),
             fmt::format("allow 2, 1 and {}", smallest_list_bytes));
  const auto implements = [&types = told->descriptor_types](int type) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  notes.rule("CSCD descriptors of type E4h (identification) are implemented", implements(0xe4),
             Grade::failed, "E4h is not in the implemented descriptor list",
             "hosts name units by their page 83h designators");
  notes.rule("segment descriptors of type 02h (block to block) are implemented", implements(0x02),
             Grade::failed, "02h is not in the implemented descriptor list",
             "no host uses another for disks");
}

void conclude(Diagnosis& out, const Notes& notes, std::string how) {
  out.offloads = notes.none_failed();
  out.summary = out.offloads ? std::move(how) : notes.first_failure();
}

}  // namespace

Told<Symptoms> examine(Lun& lun) {
  Symptoms out;
  auto facts = learn(lun);
  if (!facts) return base::fail(facts.error());
  out.facts = std::move(*facts);
  auto inquiry = read_inquiry(lun, std::nullopt, windows_allocation_bytes);
  if (!inquiry) return base::fail(inquiry.error());
  out.inquiry = std::move(*inquiry);
  out.supported_pages = read_page(lun, 0x00);
  if (lists(out.supported_pages, 0x83)) out.identification = read_page(lun, 0x83);
  if (lists(out.supported_pages, 0x8f)) out.third_party_copy = read_page(lun, 0x8f);
  if (auto mode = read_control_page(lun)) out.control_mode = std::move(*mode);
  auto parameters = read_operating_parameters(lun);
  if (parameters) {
    out.operating_parameters = std::move(*parameters);
  } else {
    out.operating_parameters_refused = parameters.error();
  }
  return out;
}

Diagnosis diagnose_windows(const Symptoms& symptoms) {
  Diagnosis out{"windows", "Windows: ODX", false, {}, {}};
  Notes notes(out);
  const Capability capability =
      odx_capability(view(symptoms.supported_pages), view(symptoms.third_party_copy));
  for (const Rule& rule : capability.rules)
    notes.rule(rule.text, rule.passed, Grade::failed, rule.found, rule.fix);
  if (capability.odx) note_sizes(notes, symptoms.facts);
  note_disk(notes, symptoms);
  const auto& limits = capability.limits;
  const base::BlockLength block = symptoms.facts.block_length;
  const CommandCount commands =
      commands_for(block.whole_blocks(base::ByteCount(1ull << 30)), block, limits, limits);
  conclude(out, notes,
           fmt::format("Windows uses it: {} tokens and {} writes for a GiB",
                       commands.populate_token, commands.write_using_token));
  return out;
}

Diagnosis diagnose_vmware(const Symptoms& symptoms) {
  Diagnosis out{"vmware", "VMware ESXi: EXTENDED COPY", false, {}, {}};
  Notes notes(out);
  note_extended_copy(notes, symptoms);
  notes.rule("page 83h names the unit by NAA", has_designator(symptoms.identification, {3}),
             Grade::failed, "no NAA designator", "ESXi names both units by it");
  const auto told = symptoms.operating_parameters
                        ? scsi::decode_operating_parameters(*symptoms.operating_parameters)
                        : std::nullopt;
  const std::uint32_t most = told ? told->parameters.limits.maximum_segment_bytes : 0;
  if (told) {
    notes.rule("one segment moves 4 MiB or more", most == 0 || most >= vmware_segment_bytes,
               Grade::advice, shown_bytes(base::ByteCount(most)),
               "ESXi asks for 4 MiB at a time: report a MAXIMUM SEGMENT LENGTH of as much");
  }
  conclude(out, notes,
           "ESXi can use it; for a vendor that it does not know it wants a claim rule of the "
           "VMW_VAAIP_T10 plugin");
  return out;
}

Diagnosis diagnose_linux(const Symptoms& symptoms) {
  Diagnosis out{"linux", "Linux, sg_xcopy: EXTENDED COPY", false, {}, {}};
  Notes notes(out);
  note_extended_copy(notes, symptoms);
  notes.rule("page 83h names the unit by NAA, EUI-64 or T10 vendor identification",
             has_designator(symptoms.identification, {1, 2, 3}), Grade::failed,
             "no such designator", "sg_xcopy names both units by it");
  conclude(out, notes, "sg_xcopy can use it; the kernel copies nothing by itself");
  return out;
}

Finding try_offload_read(Lun& lun, const Symptoms& symptoms) {
  Finding out{"a token can be made of the first blocks", Grade::passed, {}, {}};
  constexpr base::BlockCount wish(8);
  const base::BlockRange range{base::Lba(0), std::min(wish, symptoms.facts.capacity)};
  TokenTraffic traffic;
  const auto token = offload_read(lun, range, 0, traffic);
  if (token) return out;
  out.grade = Grade::failed;
  out.found = token.error().text;
  out.fix =
      "what page 8Fh promises has to work: Windows copies by itself for three minutes after "
      "a failure";
  return out;
}

}  // namespace host
