#include "scsi/unmap_parameters.hpp"

#include <algorithm>

namespace scsi {

using base::BlockCount;
using base::BlockRange;
using base::fail;

base::Result<std::vector<BlockRange>, Sense> decode_unmap(base::ByteView list,
                                                          std::size_t list_length,
                                                          const UnmapLimits& limits) {
  if (list_length < unmap::header_bytes || list.size() < list_length) {
    return fail(sense::illegal_request(asc::parameter_list_length_error));
  }
  const std::size_t descriptors = std::min<std::size_t>(unmap::descriptors_length.read(list),
                                                        list.size() - unmap::header_bytes) /
                                  unmap::descriptor_bytes;
  if (descriptors > limits.maximum_descriptors) {
    return fail(sense::invalid_field_in_parameter_list(unmap::descriptors_length));
  }
  std::vector<BlockRange> ranges;
  BlockCount total;
  for (std::size_t i = 0; i < descriptors; ++i) {
    const std::size_t at = unmap::header_bytes + i * unmap::descriptor_bytes;
    const auto offset = static_cast<std::uint16_t>(at);
    const base::ByteView descriptor = list.subspan(at, unmap::descriptor_bytes);
    const BlockRange range{base::Lba(unmap::lba.read(descriptor)),
                           BlockCount(unmap::count.read(descriptor))};
    if (!within(range, limits.capacity)) {
      Sense bad = sense::lba_out_of_range(std::max(range.first.value, limits.capacity.value));
      bad.points_into = Sense::PointsInto::parameter_list;
      bad.field = FieldPointer{offset};
      return fail(bad);
    }
    total += range.count;
    if (total > limits.maximum_lba_count) {
      return fail(sense::invalid_field_in_parameter_list(unmap::count, offset));
    }
    if (range.count.value != 0) ranges.push_back(range);
  }
  return ranges;
}

}  // namespace scsi
