#include "tools/host/sizes.hpp"

#include <algorithm>

#include "scsi/token_parameters.hpp"

namespace host {
namespace {

using base::BlockCount;
using scsi::BlockDeviceRodLimits;

constexpr std::uint32_t windows_buffer_bytes_max = 65535;
constexpr BlockCount unlimited{
    UINT32_MAX};  // a descriptor's count and Windows' running count are 32 bit

constexpr std::uint32_t buffer_bytes(std::size_t header_bytes, const BlockDeviceRodLimits& limits) {
  if (limits.maximum_range_descriptors == 0) return windows_buffer_bytes_max;
  const std::size_t wanted = header_bytes + std::size_t{limits.maximum_range_descriptors} *
                                                scsi::block_device_range::descriptor_bytes;
  return static_cast<std::uint32_t>(std::min<std::size_t>(wanted, windows_buffer_bytes_max));
}

constexpr std::uint16_t descriptors(std::size_t header_bytes, const BlockDeviceRodLimits& limits) {
  const std::size_t fit = (buffer_bytes(header_bytes, limits) - header_bytes) /
                          scsi::block_device_range::descriptor_bytes;
  return static_cast<std::uint16_t>(std::min<std::size_t>(fit, windows_descriptors_max));
}

constexpr BlockCount at_most(BlockCount blocks, BlockCount limit) {
  return limit.value == 0 ? blocks : std::min(blocks, limit);
}

constexpr std::uint64_t divide_up(std::uint64_t n, std::uint64_t by) {
  return (n + by - 1) / by;
}

}  // namespace

TokenCommandSize populate_token_size(const BlockDeviceRodLimits& limits,
                                     base::BlockLength block_length,
                                     std::uint32_t inactivity_timeout_seconds) {
  BlockCount blocks = at_most(unlimited, limits.maximum_token_transfer_size);
  if (inactivity_timeout_seconds == 0) blocks = at_most(blocks, limits.optimal_transfer_count);
  blocks = std::min(blocks, block_length.whole_blocks(copy_engine_chunk));
  return {descriptors(scsi::populate_token::header_bytes, limits), blocks};
}

TokenCommandSize write_using_token_size(const BlockDeviceRodLimits& limits,
                                        base::BlockLength block_length) {
  const BlockCount ceiling = block_length.whole_blocks(copy_engine_chunk);
  const BlockCount wanted = limits.optimal_transfer_count.value == 0
                                ? block_length.whole_blocks(default_write_size)
                                : std::min(limits.optimal_transfer_count, ceiling);
  return {descriptors(scsi::write_using_token::header_bytes, limits),
          at_most(wanted, limits.maximum_token_transfer_size)};
}

std::uint32_t write_using_token_answer_bytes(const BlockDeviceRodLimits& limits) {
  constexpr std::uint32_t smallest = 287;
  return std::max(buffer_bytes(scsi::write_using_token::header_bytes, limits), smallest);
}

CommandCount commands_for(BlockCount total, base::BlockLength block_length,
                          const BlockDeviceRodLimits& source,
                          const BlockDeviceRodLimits& destination) {
  const std::uint64_t token = populate_token_size(source, block_length, 0).blocks_max.value;
  const std::uint64_t write = write_using_token_size(destination, block_length).blocks_max.value;
  const std::uint64_t whole_tokens = total.value / token, rest = total.value % token;
  CommandCount out;
  out.populate_token = divide_up(total.value, token);
  out.receive_rod_token_information = out.populate_token;
  out.write_using_token = whole_tokens * divide_up(token, write) + divide_up(rest, write);
  return out;
}

}  // namespace host
