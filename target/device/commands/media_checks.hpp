// What the media commands share: how a request is checked, how it writes, how it ends.
#pragma once

#include "scsi/block_cdbs.hpp"
#include "store/indivisible.hpp"
#include "target/device/command_table.hpp"

namespace device::commands {

// 05/21/00 with the first block that does not exist; nullopt when all do.
std::optional<scsi::Sense> out_of_range(const base::BlockRange& range, const LogicalUnit& unit);
// The unit takes the code of the command's RDPROTECT field (or what it is called there), the range
// exists.
std::optional<scsi::Sense> check_place(const scsi::media::Request& request, const Invocation& call);
// As check_place(), and one command moves no more than Block Limits tells.
std::optional<scsi::Sense> check_transfer(const scsi::media::Request& request,
                                          const Invocation& call);
// 05/24/00 at the CDB's length field unless the initiator announced just this much data: for
// commands that must not be done in part, nor with data that means something else.
std::optional<scsi::Sense> check_announced(base::ByteCount wanted, const scsi::Field& length_field,
                                           const Invocation& call);

// How a write ends by its FUA bit and the unit's write cache.
store::Durability durability_of(bool force_unit_access, const LogicalUnit& unit);

// Of a command that is sent `count` blocks: what of them arrived, whole blocks only (an initiator
// that announced less sends less). Tells the task how much the command moves.
base::ByteView blocks_arrived(base::BlockCount count, const Invocation& call);

void count_write(const Invocation& call, base::ByteCount length);

void finish_write(Task& task, const store::StoreResult<>& done);
void finish_compared(Task& task, const store::Compared& done);

}  // namespace device::commands
