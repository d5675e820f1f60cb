// Commands that are one step towards every other: COMPARE AND WRITE, ORWRITE, WRITE ATOMIC. They
// are done whole or not at all, so they want all of their data.
#include "scsi/verify_cdbs.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/media_checks.hpp"
#include "target/device/commands/protected_media.hpp"
#include "target/device/protection.hpp"

namespace device::commands {
namespace {

namespace media = scsi::media;

// COMPARE AND WRITE and WRITE ATOMIC have their lengths elsewhere.
media::Request decode_with_count(base::ByteView cdb, const scsi::Field& count) {
  media::Request request = media::decode(cdb);
  request.range.count = base::BlockCount(count.read(cdb));
  return request;
}

}  // namespace

void compare_and_write(const Invocation& call) {
  const scsi::Field& count = scsi::compare_and_write::count;
  const media::Request request = decode_with_count(call.cdb(), count);
  auto bad = check_place(request, call);
  if (!bad && request.range.count > call.unit().maximum_compare_and_write_length()) {
    bad = scsi::sense::invalid_field_in_cdb(count);
  }
  const base::Extent extent = to_extent(request.range, call.unit().block_length());
  const auto half = transfer_bytes(request.range.count, request.protect, call.unit());
  const base::ByteCount data_out = half + half;
  if (!bad) bad = check_announced(data_out, count, call);
  if (bad) return call.task.finish_check_condition(*bad);
  call.task.transfer_length = data_out;
  if (extent.empty()) return call.task.finish_good();
  if (request.protect != 0) return protected_compare_and_write(call, request);
  count_write(call, extent.length);
  const base::ByteView data = call.task.data_out.view();
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), extent, data,
       durability = durability_of(request.force_unit_access, call.unit())] {
        const std::uint64_t length = extent.length.value;
        return store::compare_and_write(guard, extent.offset, data.first(length),
                                        data.subspan(length), durability);
      },
      [&task = call.task](const store::Compared& done) { finish_compared(task, done); });
}

void orwrite(const Invocation& call) {
  const media::Request request = media::decode(call.cdb());
  auto bad = check_transfer(request, call);
  const base::Extent extent = to_extent(request.range, call.unit().block_length());
  const auto data_out = transfer_bytes(request.range.count, request.protect, call.unit());
  if (!bad) bad = check_announced(data_out, media::length_16, call);
  if (bad) return call.task.finish_check_condition(*bad);
  call.task.transfer_length = data_out;
  if (extent.empty()) return call.task.finish_good();
  if (request.protect != 0) return protected_orwrite(call, request);
  count_write(call, extent.length);
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), extent, data = call.task.data_out.view(),
       durability = durability_of(request.force_unit_access, call.unit())] {
        return store::or_write(guard, extent.offset, data, durability);
      },
      [&task = call.task](const store::StoreResult<>& done) { finish_write(task, done); });
}

// Every write is one step (store/guard.hpp); this one also refuses to be done in part.
void write_atomic(const Invocation& call) {
  namespace fields = scsi::write_atomic;
  const media::Request request = decode_with_count(call.cdb(), fields::count);
  auto bad = check_place(request, call);
  // MAXIMUM ATOMIC BOUNDARY SIZE is zero: one step is all there is.
  if (!bad && fields::boundary.is_set(call.cdb())) {
    bad = scsi::sense::invalid_field_in_cdb(fields::boundary);
  }
  if (!bad && request.range.count > call.unit().maximum_atomic_transfer_length()) {
    bad = scsi::sense::invalid_field_in_cdb(fields::count);
  }
  const base::Extent extent = to_extent(request.range, call.unit().block_length());
  const auto data_out = transfer_bytes(request.range.count, request.protect, call.unit());
  if (!bad) bad = check_announced(data_out, fields::count, call);
  if (bad) return call.task.finish_check_condition(*bad);
  call.task.transfer_length = data_out;
  if (extent.empty()) return call.task.finish_good();
  if (request.protect != 0) return protected_write(call, request);
  count_write(call, extent.length);
  call.path->channel.write(
      extent.offset, call.task.data_out.view(),
      durability_of(request.force_unit_access, call.unit()),
      [&task = call.task](const store::StoreResult<>& done) { finish_write(task, done); });
}

}  // namespace device::commands
