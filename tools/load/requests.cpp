#include "tools/load/requests.hpp"

#include <fmt/format.h>

#include "scsi/block_cdbs.hpp"

namespace load {
namespace {

namespace bhs = iscsi::bhs;

Bhs make_request(iscsi::Opcode opcode, scsi::Lun lun) {
  Bhs out{};
  bhs::opcode.write(out, static_cast<std::uint8_t>(opcode));
  bhs::final.write(out, 1);
  bhs::lun.write(out, scsi::encode_lun(lun));
  return out;
}

Bhs make_command(scsi::Lun lun) {
  Bhs out = make_request(iscsi::Opcode::scsi_command, lun);
  constexpr std::uint8_t simple = 1;
  iscsi::scsi_command_pdu::attribute.write(out, simple);
  return out;
}

base::ByteSpan cdb_of(Bhs& command) {
  return base::ByteSpan(command).subspan(iscsi::scsi_command_pdu::cdb_at);
}

void expect(Bhs& command, const scsi::Field& direction, std::uint32_t bytes) {
  direction.write(command, 1);
  iscsi::scsi_command_pdu::expected_length.write(command, bytes);
}

}  // namespace

Bhs make_transfer(scsi::Lun lun, const Transfer& transfer) {
  namespace media = scsi::media;
  Bhs out = make_command(lun);
  expect(out, transfer.reads ? iscsi::scsi_command_pdu::read : iscsi::scsi_command_pdu::write,
         static_cast<std::uint32_t>(transfer.bytes.value));
  const base::ByteSpan cdb = cdb_of(out);
  const bool ten = transfer.range.end().value <= UINT32_MAX && transfer.range.count.value <= 0xffff;
  if (ten) {
    (transfer.reads ? media::read_10 : media::write_10).put_name(cdb);
    media::lba_10.write(cdb, transfer.range.first.value);
    media::length_10.write(cdb, transfer.range.count.value);
  } else {
    (transfer.reads ? media::read_16 : media::write_16).put_name(cdb);
    media::lba_16.write(cdb, transfer.range.first.value);
    media::length_16.write(cdb, transfer.range.count.value);
  }
  media::fua.write(cdb, transfer.force_unit_access ? 1 : 0);
  return out;
}

Bhs make_flush(scsi::Lun lun) {
  Bhs out = make_command(lun);
  scsi::synchronize_cache::layout_10.put_name(cdb_of(out));
  return out;
}

Bhs make_test_unit_ready(scsi::Lun lun) {
  return make_command(lun);  // operation code 00h
}

Bhs make_read_capacity(scsi::Lun lun) {
  Bhs out = make_command(lun);
  expect(out, iscsi::scsi_command_pdu::read, capacity_bytes);
  const base::ByteSpan cdb = cdb_of(out);
  scsi::read_capacity::layout_16.put_name(cdb);
  scsi::read_capacity::allocation_length.write(cdb, capacity_bytes);
  return out;
}

Bhs make_data_out(scsi::Lun lun, const DataOut& data) {
  Bhs out = make_request(iscsi::Opcode::data_out, lun);
  bhs::final.write(out, data.last ? 1 : 0);
  bhs::data_segment_length.write(out, data.length);
  bhs::initiator_task_tag.write(out, data.task_tag);
  bhs::target_transfer_tag.write(out, data.transfer_tag);
  bhs::data_sn.write(out, data.data_sn);
  bhs::buffer_offset.write(out, data.offset);
  return out;
}

Bhs make_nop_out(scsi::Lun lun, std::uint32_t transfer_tag) {
  Bhs out = make_request(iscsi::Opcode::nop_out, lun);
  bhs::immediate.write(out, 1);
  bhs::initiator_task_tag.write(out, iscsi::reserved_tag);
  bhs::target_transfer_tag.write(out, transfer_tag);
  return out;
}

Bhs make_login(const Isid& isid, std::size_t text_bytes) {
  namespace login = iscsi::login_pdu;
  constexpr std::uint64_t operational = 1, full_feature = 3;
  constexpr std::uint64_t random_format = 0x80;  // T of the ISID is 10b (RFC 7143 11.12.5)
  Bhs out{};
  bhs::opcode.write(out, static_cast<std::uint8_t>(iscsi::Opcode::login_request));
  bhs::immediate.write(out, 1);
  login::transit.write(out, 1);
  login::current_stage.write(out, operational);
  login::next_stage.write(out, full_feature);
  bhs::data_segment_length.write(out, text_bytes);
  login::isid.write(
      out, random_format << 40 | std::uint64_t{isid.random & 0xffffff} << 16 | isid.qualifier);
  return out;
}

std::string name_of(const Bhs& command) {
  namespace media = scsi::media;
  const base::ByteView cdb = base::ByteView(command).subspan(iscsi::scsi_command_pdu::cdb_at);
  for (const auto* layout : {&media::read_10, &media::write_10}) {
    if (cdb[0] == layout->opcode)
      return fmt::format("{} of LBA {}", layout->name, media::lba_10.read(cdb));
  }
  for (const auto* layout : {&media::read_16, &media::write_16}) {
    if (cdb[0] == layout->opcode)
      return fmt::format("{} of LBA {}", layout->name, media::lba_16.read(cdb));
  }
  if (cdb[0] == scsi::read_capacity::layout_16.opcode) return "READ CAPACITY(16)";
  return cdb[0] == 0 ? "TEST UNIT READY" : "SYNCHRONIZE CACHE(10)";
}

}  // namespace load
