// VERIFY and WRITE AND VERIFY.
#include "scsi/long_cdbs.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/media_checks.hpp"
#include "target/device/commands/protected_media.hpp"

namespace device::commands {
namespace {

namespace media = scsi::media;
using scsi::verify::ByteCheck;

ByteCheck byte_check(base::ByteView cdb) {
  return static_cast<ByteCheck>(scsi::byte_check_field(cdb).read(cdb));
}

const scsi::Field& verification_length_field(std::uint8_t opcode) {
  switch (scsi::cdb_length(opcode)) {
    case 10:
      return scsi::verify::length_10;
    case 12:
      return scsi::verify::length_12;
    case 0:
      return scsi::long_cdb::length;
    default:
      return scsi::verify::length_16;
  }
}

std::optional<scsi::Sense> check_verify(const media::Request& request, const Invocation& call) {
  const ByteCheck check = byte_check(call.cdb());
  if (check == ByteCheck::reserved) {
    return scsi::sense::invalid_field_in_cdb(scsi::byte_check_field(call.cdb()));
  }
  if (check == ByteCheck::data_out) return check_transfer(request, call);
  if (auto bad = check_place(request, call)) return bad;
  if (request.range.count > call.unit().maximum_verify_length()) {
    return scsi::sense::invalid_field_in_cdb(verification_length_field(call.cdb()[0]));
  }
  return std::nullopt;
}

}  // namespace

// Blocks that were never written are verified as the zeros they read as; VPD page B1h says so
// (VBULS).
void verify(const Invocation& call) {
  const media::Request request = media::decode(call.cdb());
  if (const auto bad = check_verify(request, call)) return call.task.finish_check_condition(*bad);
  // What is compared alone is checked as every read is.
  if (request.protect != 0 ||
      (request.tells_tags && byte_check(call.cdb()) == ByteCheck::nothing)) {
    return protected_verify(call, request, byte_check(call.cdb()));
  }
  const base::BlockLength block_length = call.unit().block_length();
  base::Extent extent = to_extent(request.range, block_length);
  base::ByteView pattern;
  if (byte_check(call.cdb()) == ByteCheck::data_out) {
    pattern = blocks_arrived(request.range.count, call);
    extent.length = base::ByteCount(pattern.size());
  } else if (byte_check(call.cdb()) == ByteCheck::one_block) {
    pattern = blocks_arrived(base::BlockCount(1), call);
    if (pattern.empty() && !extent.empty()) {
      return call.task.finish_check_condition(
          scsi::sense::invalid_field_in_cdb(scsi::byte_check_field(call.cdb())));
    }
  }
  if (extent.empty()) return call.task.finish_good();
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), extent, pattern] {
        return store::verify(guard, extent, pattern);
      },
      [&task = call.task](const store::Compared& done) { finish_compared(task, done); });
}

void write_and_verify(const Invocation& call) {
  const media::Request request = media::decode(call.cdb());
  const ByteCheck check = byte_check(call.cdb());
  if (check == ByteCheck::reserved || check == ByteCheck::one_block) {
    return call.task.finish_check_condition(
        scsi::sense::invalid_field_in_cdb(scsi::byte_check_field(call.cdb())));
  }
  if (const auto bad = check_transfer(request, call)) {
    return call.task.finish_check_condition(*bad);
  }
  if (request.protect != 0) return protected_write_and_verify(call, request, check);
  const base::ByteView data = blocks_arrived(request.range.count, call);
  if (data.empty()) return call.task.finish_good();
  count_write(call, base::ByteCount(data.size()));
  const base::ByteOffset at = call.unit().block_length().to_offset(request.range.first);
  call.path->channel.on_pool([&guard = call.unit().guard(), at,
                              data] { return store::write_and_read_back(guard, at, data); },
                             [&task = call.task, check](const store::Compared& done) {
                               // Without BYTCHK the medium has to be readable, no more.
                               if (done && check == ByteCheck::nothing) return task.finish_good();
                               finish_compared(task, done);
                             });
}

}  // namespace device::commands
