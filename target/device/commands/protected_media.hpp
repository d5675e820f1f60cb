// The media commands where blocks travel with their protection information, or where the CDB tells
// what it is expected to be. Called by the handlers of the commands once place, length and code
// have been checked; the unit has protection information.
#pragma once

#include "scsi/verify_cdbs.hpp"
#include "target/device/commands/media_checks.hpp"

namespace device::commands {

void protected_read(const Invocation& call, const scsi::media::Request& request);
// WRITE and WRITE ATOMIC: what of it arrived, if that may be less than all.
void protected_write(const Invocation& call, const scsi::media::Request& request);
void protected_write_and_verify(const Invocation& call, const scsi::media::Request& request,
                                scsi::verify::ByteCheck check);
void protected_verify(const Invocation& call, const scsi::media::Request& request,
                      scsi::verify::ByteCheck check);
void protected_compare_and_write(const Invocation& call, const scsi::media::Request& request);
void protected_orwrite(const Invocation& call, const scsi::media::Request& request);
// With one block of data-out.
void protected_write_same(const Invocation& call, const scsi::media::Request& request);

}  // namespace device::commands
