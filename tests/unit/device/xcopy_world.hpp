// EXTENDED COPY through a nexus, for the device tests.
#pragma once

#include "tests/support/copy_lists.hpp"
#include "tests/unit/device/copy_world.hpp"

namespace device::test {

using namespace copy_lists;

inline Bytes naa_cscd(const LogicalUnit& unit) {
  const auto& naa = unit.identity().naa;
  return cscd(1, 3, {naa.begin(), naa.end()}, unit.block_length().bytes);
}

inline scsi::CdbBytes xcopy_cdb(std::uint8_t action, std::size_t length) {
  scsi::CdbBytes cdb{0x83, action};
  put(cdb, 10, 4, length);
  return cdb;
}
// RECEIVE COPY with an identifier of one byte.
inline scsi::CdbBytes short_result_cdb(std::uint8_t action, std::uint8_t id,
                                       std::uint32_t allocation = 512) {
  scsi::CdbBytes cdb{0x84, action, id};
  put(cdb, 10, 4, allocation);
  return cdb;
}

struct XcopyWorld : CopyWorld {
  using CopyWorld::CopyWorld;

  LogicalUnit& unit(std::uint16_t lun) { return *target->units().at({lun}); }
  Bytes naa_of(std::uint16_t lun) { return naa_cscd(unit(lun)); }

  Answer xcopy(const Bytes& list, std::uint16_t lun = 0, std::uint8_t action = 0) {
    return run(xcopy_cdb(action, list.size()), list, lun);
  }
  // From LUN 0 to LUN 1, both 512, sent to LUN 0.
  Answer xcopy_0_to_1(std::uint8_t id, const std::vector<Bytes>& segments) {
    return xcopy(lid1_list(id, 0, {naa_of(0), naa_of(1)}, segments));
  }
  Answer status_of(std::uint8_t id) { return run(short_result_cdb(0x00, id)); }
  Answer details_of(std::uint8_t id) { return run(short_result_cdb(0x04, id)); }
};

// 0Ah with this code, for this segment; points at a byte of the segment descriptor, or nowhere.
inline void check_aborted(const Answer& answer, std::uint8_t code, std::uint8_t qualifier,
                          std::uint16_t number, std::optional<std::uint16_t> at) {
  check_sense(answer, scsi::SenseKey::copy_aborted, code, qualifier);
  CHECK(answer.sense->segment == number);
  CHECK((answer.sense->points_into == scsi::Sense::PointsInto::segment_descriptor) ==
        at.has_value());
  if (at) CHECK(answer.sense->field == byte(*at));
}
// And the CSCD answered so.
inline void check_answer(const Answer& answer, scsi::CscdAnswer::Side side, scsi::SenseKey key,
                         std::uint8_t code, std::uint8_t qualifier) {
  REQUIRE(answer.sense);
  REQUIRE(answer.sense->cscd_answer);
  CHECK(answer.sense->cscd_answer->side == side);
  CHECK(answer.sense->cscd_answer->key == key);
  CHECK(answer.sense->cscd_answer->additional == scsi::AdditionalSense{code, qualifier});
}

}  // namespace device::test
