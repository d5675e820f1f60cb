// EXTENDED COPY lists as bytes, typed from section 8 of the wire reference, for the device tests.
#pragma once

#include "tests/unit/device/copy_world.hpp"

namespace device::test {

// An identification descriptor with a designator, as VPD page 83h has it.
inline Bytes cscd(std::uint8_t code_set, std::uint8_t type, const Bytes& designator,
                  std::uint32_t block_bytes = 512) {
  Bytes out(32);
  out[0] = 0xe4;
  out[4] = code_set;
  out[5] = type;
  out[7] = static_cast<std::uint8_t>(designator.size());
  std::copy(designator.begin(), designator.end(), out.begin() + 8);
  base::store_be(out, 29, 3, block_bytes);
  return out;
}
inline Bytes naa_cscd(const LogicalUnit& unit) {
  const auto& naa = unit.identity().naa;
  return cscd(1, 3, {naa.begin(), naa.end()}, unit.block_length().bytes);
}

inline Bytes segment_02(std::uint16_t source, std::uint16_t destination, std::uint16_t blocks,
                        std::uint64_t from, std::uint64_t to) {
  Bytes out(28);
  out[0] = 0x02;
  out[3] = 0x18;
  base::store_be16(out, 4, source);
  base::store_be16(out, 6, destination);
  base::store_be16(out, 10, blocks);
  base::store_be64(out, 12, from);
  base::store_be64(out, 20, to);
  return out;
}

inline Bytes joined(const std::vector<Bytes>& parts) {
  Bytes out;
  for (const Bytes& part : parts)
    out.insert(out.end(), part.begin(), part.end());
  return out;
}

// `usage`: byte 1, with PRIORITY 0: 00h hold, 10h discard when good, 18h none.
inline Bytes lid1_list(std::uint8_t id, std::uint8_t usage, const std::vector<Bytes>& cscds,
                       const std::vector<Bytes>& segments) {
  const Bytes first = joined(cscds), second = joined(segments);
  Bytes header(16);
  header[0] = id;
  header[1] = usage;
  base::store_be16(header, 2, static_cast<std::uint16_t>(first.size()));
  base::store_be32(header, 8, static_cast<std::uint32_t>(second.size()));
  return joined({header, first, second});
}
// `flags`: byte 15, 01h IMMED.
inline Bytes lid4_list(std::uint32_t id, std::uint8_t usage, std::uint8_t flags,
                       const std::vector<Bytes>& cscds, const std::vector<Bytes>& segments) {
  const Bytes first = joined(cscds), second = joined(segments);
  Bytes header(48);
  header[0] = 1;
  header[1] = usage;
  header[3] = 0x20;
  header[15] = flags;
  header[16] = 0xff;
  base::store_be32(header, 20, id);
  base::store_be16(header, 42, static_cast<std::uint16_t>(first.size()));
  base::store_be16(header, 44, static_cast<std::uint16_t>(second.size()));
  return joined({header, first, second});
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
