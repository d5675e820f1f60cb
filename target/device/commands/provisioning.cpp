// WRITE SAME, UNMAP, GET LBA STATUS: which blocks take room.
#include <algorithm>

#include "scsi/long_cdbs.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/media_checks.hpp"
#include "target/device/commands/protected_media.hpp"
#include "target/device/lba_map.hpp"
#include "target/device/protection.hpp"

namespace device::commands {
namespace {

namespace media = scsi::media;

// Nothing that UNMAP or WRITE SAME did has to survive before a host asks, unless it turned the
// write cache off.
store::StoreResult<> settled(store::Guard& guard, store::Durability durability) {
  return durability == store::Durability::durable ? guard.flush() : store::StoreResult<>();
}

const scsi::Field& count_field(base::ByteView cdb) {
  switch (scsi::cdb_length(cdb[0])) {
    case 10:
      return scsi::write_same::count_10;
    case 16:
      return scsi::write_same::count_16;
    default:
      return scsi::long_cdb::length;
  }
}

const scsi::Field& anchor_field(base::ByteView cdb) {
  return scsi::cdb_length(cdb[0]) == 0 ? scsi::long_cdb::anchor : scsi::write_same::anchor;
}

const scsi::Field& unmap_field(base::ByteView cdb) {
  return scsi::cdb_length(cdb[0]) == 0 ? scsi::long_cdb::unmap : scsi::write_same::unmap;
}

std::optional<scsi::Sense> check_write_same(const media::Request& request, const Invocation& call) {
  if (auto bad = check_place(request, call)) return bad;
  const scsi::Field& anchor = anchor_field(call.cdb());
  if (anchor.is_set(call.cdb())) return scsi::sense::invalid_field_in_cdb(anchor);
  const scsi::Field& unmap = unmap_field(call.cdb());
  if (unmap.is_set(call.cdb()) && !call.unit().thin()) {
    return scsi::sense::invalid_field_in_cdb(unmap);
  }
  const base::BlockCount count = request.range.count;
  // Zero for "up to the last block" is refused, as WSNZ says: that may be more than one command
  // does.
  if (count.value == 0 || count > call.unit().maximum_write_same_length()) {
    return scsi::sense::invalid_field_in_cdb(count_field(call.cdb()));
  }
  return std::nullopt;
}

bool is_zero(base::ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

// Zeros are left unmapped with UNMAP or without: a thin unit may give up blocks that hold zeros at
// any time (SBC-4 4.7.4.4, LBPRZ). Other data is written, with UNMAP too. The store of a fully
// provisioned unit writes its zeros (store/thick_store.hpp).
void write_same(const Invocation& call) {
  const media::Request request = media::decode(call.cdb());
  const bool no_data = scsi::write_same_has_no_data(call.cdb());
  const base::ByteCount one_block =
      transfer_bytes(base::BlockCount(1), request.protect, call.unit());
  const base::ByteCount data_out = no_data ? base::ByteCount(0) : one_block;
  auto bad = check_write_same(request, call);
  if (!bad) bad = check_announced(data_out, count_field(call.cdb()), call);
  if (bad) return call.task.finish_check_condition(*bad);
  call.task.transfer_length = data_out;
  if (request.protect != 0 && !no_data) return protected_write_same(call, request);
  const base::Extent extent = to_extent(request.range, call.unit().block_length());
  count_write(call, data_out);
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), extent, block = call.task.data_out.view(),
       durability = durability_of(false, call.unit())]() -> store::StoreResult<> {
        auto done =
            is_zero(block) ? guard.write_zeros(extent) : store::write_same(guard, extent, block);
        return done ? settled(guard, durability) : done;
      },
      [&task = call.task](const store::StoreResult<>& done) { finish_write(task, done); });
}

void unmap(const Invocation& call) {
  namespace fields = scsi::unmap;
  if (!call.unit().thin()) {
    return call.task.finish_check_condition(scsi::sense::invalid_operation_code());
  }
  if (fields::anchor.is_set(call.cdb())) {
    return call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(fields::anchor));
  }
  const std::uint64_t list_length = fields::parameter_list_length.read(call.cdb());
  call.task.transfer_length = base::ByteCount(list_length);
  if (list_length == 0) return call.task.finish_good();
  auto ranges =
      scsi::decode_unmap(call.task.data_out.view(), list_length, call.unit().unmap_limits());
  if (!ranges) return call.task.finish_check_condition(ranges.error());
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), block_length = call.unit().block_length(),
       ranges = std::move(*ranges),
       durability = durability_of(false, call.unit())]() -> store::StoreResult<> {
        for (const base::BlockRange& range : ranges) {
          if (auto done = guard.write_zeros(to_extent(range, block_length)); !done) return done;
        }
        return settled(guard, durability);
      },
      [&task = call.task](const store::StoreResult<>& done) { finish_write(task, done); });
}

void get_lba_status(const Invocation& call) {
  constexpr std::uint64_t descriptors_max = 1024;
  const base::Lba first(media::lba_16.read(call.cdb()));
  if (const auto bad = out_of_range({first, base::BlockCount(1)}, call.unit())) {
    return call.task.finish_check_condition(*bad);
  }
  const std::uint64_t allocation = scsi::get_lba_status::allocation_length.read(call.cdb());
  const std::uint64_t room =
      allocation < scsi::lba_status_header_bytes
          ? 0
          : (allocation - scsi::lba_status_header_bytes) / scsi::lba_status_descriptor_bytes;
  const std::size_t most = std::clamp<std::uint64_t>(room, 1, descriptors_max);
  call.path->channel.on_pool(
      [unit = call.path->unit, first, most] { return lba_map(*unit, first, most); },
      [&task = call.task, allocation](const std::vector<scsi::LbaStatusRange>& ranges) {
        task.finish_data(scsi::lba_status_data(ranges), allocation);
      });
}

}  // namespace device::commands
