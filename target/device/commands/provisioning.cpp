// WRITE SAME, UNMAP, GET LBA STATUS: which blocks take room.
#include <algorithm>

#include "scsi/provisioning_cdbs.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/media_checks.hpp"
#include "target/device/lba_map.hpp"

namespace device::commands {
namespace {

namespace media = scsi::media;

// Nothing that UNMAP or WRITE SAME did has to survive before a host asks, unless it turned the
// write cache off.
store::StoreResult<> settled(store::Guard& guard, store::Durability durability) {
  return durability == store::Durability::durable ? guard.flush() : store::StoreResult<>();
}

// Zero means: up to the last block (WSNZ is zero).
base::BlockRange resolve(base::BlockRange range, const LogicalUnit& unit) {
  if (range.count.value == 0 && range.first.value <= unit.capacity().value) {
    range.count = unit.capacity() - base::BlockCount(range.first.value);
  }
  return range;
}

std::optional<scsi::Sense> check_write_same(const media::Request& request, const Invocation& call) {
  namespace fields = scsi::write_same;
  if (auto bad = check_place(request, call)) return bad;
  if (fields::anchor.is_set(call.cdb())) {
    return scsi::sense::invalid_field_in_cdb(fields::anchor);
  }
  if (request.range.count > call.unit().maximum_write_same_length()) {
    const bool ten = scsi::cdb_length(call.cdb()[0]) == 10;
    return scsi::sense::invalid_field_in_cdb(ten ? fields::count_10 : fields::count_16);
  }
  return std::nullopt;
}

bool is_zero(base::ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

// Zeros are left unmapped with UNMAP or without: a thin unit may give up blocks that hold zeros at
// any time (SBC-4 4.7.4.4, LBPRZ). Other data is written, with UNMAP too.
void write_same(const Invocation& call) {
  media::Request request = media::decode(call.cdb());
  request.range = resolve(request.range, call.unit());
  const bool ten = scsi::cdb_length(call.cdb()[0]) == 10;
  const bool no_data = !ten && scsi::write_same::ndob.is_set(call.cdb());
  const base::ByteCount one_block = call.unit().block_length().to_bytes(base::BlockCount(1));
  const base::ByteCount data_out = no_data ? base::ByteCount(0) : one_block;
  auto bad = check_write_same(request, call);
  if (!bad) bad = check_announced(data_out, call);
  if (bad) return call.task.finish_check_condition(*bad);
  call.task.transfer_length = data_out;
  const base::Extent extent = to_extent(request.range, call.unit().block_length());
  if (extent.empty()) return call.task.finish_good();
  count_write(call, extent.length);
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
