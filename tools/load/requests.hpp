// The PDUs that a load sends, as pure values (RFC 7143 11.3, 11.7, 11.12, 11.18), and the CDBs in
// them. Sequence numbers and tags are the session's to fill in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/extent.hpp"
#include "scsi/command.hpp"
#include "target/iscsi/pdu.hpp"

namespace load {

using iscsi::Bhs;

struct Transfer {
  base::BlockRange range;
  base::ByteCount bytes;  // of the range
  bool reads = true;
  bool force_unit_access = false;
};

// A SCSI Command PDU, SIMPLE; READ(10) or WRITE(10) where LBA and length fit, (16) otherwise.
Bhs make_transfer(scsi::Lun lun, const Transfer& transfer);
// SYNCHRONIZE CACHE(10) of the whole unit.
Bhs make_flush(scsi::Lun lun);
Bhs make_test_unit_ready(scsi::Lun lun);
inline constexpr std::uint32_t capacity_bytes = 32;
Bhs make_read_capacity(scsi::Lun lun);  // (16), capacity_bytes long

// The Data-Out PDU for `length` bytes at `offset` of the data that `request` (a command or an R2T)
// is about.
struct DataOut {
  std::uint32_t task_tag = 0, transfer_tag = 0;
  std::uint32_t data_sn = 0, offset = 0, length = 0;
  bool last = false;
};
Bhs make_data_out(scsi::Lun lun, const DataOut& data);

// Answers a NOP-In that asks for it.
Bhs make_nop_out(scsi::Lun lun, std::uint32_t transfer_tag);

// A Login Request that goes straight from the operational stage to the full feature phase.
struct Isid {
  std::uint32_t random = 0;     // 24 bits are used
  std::uint16_t qualifier = 0;  // which session of this initiator
};
Bhs make_login(const Isid& isid, std::size_t text_bytes);

// The command's name for a message: "WRITE(10) of LBA 8".
std::string name_of(const Bhs& command);

}  // namespace load
