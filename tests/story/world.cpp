#include "tests/story/world.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

#include "store/filter.hpp"
#include "store/memory_store.hpp"
#include "target/iscsi/session.hpp"

namespace story {
namespace {

using base::ByteView;

constexpr std::size_t header_bytes = 48;

std::size_t padded(std::size_t n) {
  return (n + 3) / 4 * 4;
}

class FailingReads final : public store::Filter {
 public:
  FailingReads(std::unique_ptr<store::Store> below, const bool& fails)
      : Filter(std::move(below)), fails_(fails) {}

  store::StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override {
    return fails_ ? failure() : below().read(at, into);
  }
  store::StoreResult<> try_read(base::ByteOffset at, base::ByteSpan into) override {
    return fails_ ? failure() : below().try_read(at, into);
  }
  std::optional<ByteView> lend(base::Extent extent) override {
    return fails_ ? std::nullopt : below().lend(extent);
  }

 private:
  static store::StoreResult<> failure() {
    return base::fail(store::StoreError{store::StoreError::Kind::read_failed, 0});
  }
  const bool& fails_;
};

// Takes ",name=" or ",name" off the end; what stands behind it, if it was there.
std::optional<std::string> take_option(std::string& spec, const std::string& name) {
  const auto at = spec.find("," + name);
  if (at == std::string::npos) return std::nullopt;
  const std::string value = spec.substr(at + 1 + name.size());
  spec.resize(at);
  return value;
}

}  // namespace

std::unique_ptr<store::Guard> Array::open(const std::string& text,
                                          const std::string& side_directory,
                                          base::BlockLength& block_length) const {
  std::string rest = text;
  const auto protection = take_option(rest, "protection=");
  const auto provisioned = take_option(rest, "provisioned=");
  const auto failing = take_option(rest, "failing");
  auto spec = store::parse_store_spec(rest);
  if (!spec) throw std::runtime_error(spec.error());
  block_length = spec->block_length;
  if (protection) spec->protection = static_cast<store::ProtectionType>(protection->back() - '0');
  if (provisioned) {
    spec->provisioning.counted = true;
    spec->provisioning.bound = store::parse_size(*provisioned).value();
  }
  if (failing) {
    const auto memory = [&spec] { return *store::MemoryStore::open(spec->size); };
    return std::make_unique<store::Guard>(std::make_unique<FailingReads>(memory(), reads_fail),
                                          memory(), store::GuardSettings{65536, spec->size});
  }
  auto guard = store::open_guarded(*spec, side_directory, {});
  if (!guard) throw std::runtime_error(guard.error());
  return std::move(*guard);
}

std::shared_ptr<device::TargetDevice> Array::add_target(const std::string& name,
                                                        const std::vector<std::string>& luns,
                                                        const std::string& side_directory,
                                                        const device::LogicalUnitLimits& limits) {
  std::map<scsi::Lun, std::shared_ptr<device::LogicalUnit>> units;
  const std::array<std::uint8_t, 16> array_identifier{};
  for (std::uint16_t i = 0; i < luns.size(); ++i) {
    base::BlockLength block_length;
    auto guard = open(luns[i], side_directory, block_length);
    units.emplace(scsi::Lun{i}, std::make_shared<device::LogicalUnit>(
                                    next_unit++, device::make_identity(array_identifier, name, {i}),
                                    std::move(guard), device::UnitShape{block_length}, limits));
  }
  return std::make_shared<device::TargetDevice>(name, copy_manager, std::move(units));
}

Host::Host(Array& array, std::string initiator_name, std::shared_ptr<device::TargetDevice> target)
    : array_(array),
      target_(target != nullptr ? std::move(target) : array.target),
      engine_(iscsi::ConnectionSettings{}, *this, array.buffers) {
  log_in(initiator_name);
}

base::Result<iscsi::TargetView, iscsi::LoginStatus> Host::find_target(std::string_view name,
                                                                      std::string_view) const {
  if (name != target_->name()) return base::fail(iscsi::LoginStatus::target_not_found);
  return iscsi::TargetView{target_->name(), 1};
}

base::Result<iscsi::Admission, iscsi::LoginStatus> Host::admit(
    const std::shared_ptr<iscsi::Session>& session) {
  const iscsi::SessionIdentity& identity = session->identity();
  iscsi::Admission out;
  out.server = std::make_unique<device::Nexus>(
      device::NexusIdentity{
          array_.next_session++, identity.initiator_name, {target_->name(), 1, 1}, identity.isid},
      target_, target_->unmasked(),
      device::WorkerContext{array_.pool, array_.pool, array_.buffers});
  return out;
}

// `additional`: whole header segments, padded.
std::vector<std::uint8_t> Host::stream_of(const iscsi::Bhs& header, ByteView data,
                                          ByteView additional) {
  std::vector<std::uint8_t> stream(header.begin(), header.end());
  stream[4] = static_cast<std::uint8_t>(additional.size() / 4);
  base::store_be(stream, 5, 3, data.size());
  stream.insert(stream.end(), additional.begin(), additional.end());
  stream.insert(stream.end(), data.begin(), data.end());
  stream.resize(padded(stream.size()));
  return stream;
}

void Host::send(const std::vector<std::uint8_t>& stream) {
  REQUIRE(engine_.receive(stream) == stream.size());
}

std::vector<std::uint8_t> Host::take_output() {
  std::vector<std::uint8_t> out;
  std::array<iovec, 64> list{};
  while (!engine_.output().empty()) {
    std::size_t bytes = 0;
    const std::size_t entries = engine_.output().gather(list);
    for (std::size_t i = 0; i < entries; ++i) {
      const auto* at = static_cast<const std::uint8_t*>(list[i].iov_base);
      out.insert(out.end(), at, at + list[i].iov_len);
      bytes += list[i].iov_len;
    }
    engine_.output().consume(bytes);
  }
  return out;
}

// One login request straight into the operational stage and on to full feature.
void Host::log_in(const std::string& initiator_name) {
  std::string text;
  for (const std::string& item :
       {"InitiatorName=" + initiator_name, "TargetName=" + target_->name(),
        std::string("SessionType=Normal"), std::string("MaxRecvDataSegmentLength=65536"),
        std::string("ImmediateData=Yes"), std::string("InitialR2T=Yes")}) {
    text += item + '\0';
  }
  iscsi::Bhs login{};
  login[0] = 0x43;               // immediate, Login Request
  login[1] = 0x80 | 1 << 2 | 3;  // T, CSG operational, NSG full feature
  login[8] = 0x80;               // ISID: random form
  base::store_be16(login, 12, static_cast<std::uint16_t>(array_.next_session));
  base::store_be32(login, 24, cmd_sn_);
  send(login, base::as_bytes(text));
  const auto answer = take_output();
  REQUIRE(answer.size() >= header_bytes);
  REQUIRE(answer[0] == 0x23);
  REQUIRE(base::load_be16(answer, 36) == 0);  // Status-Class and Status-Detail
  // The power-on unit attention of each unit is not what the stories are about.
  for (const auto& [lun, unit] : target_->units())
    command(lun.value, scsi::CdbBytes{});
}

// Sends what an R2T asks for as Data-Out PDUs of 8 KiB.
void Host::answer_r2t(ByteView r2t, ByteView data_out) {
  constexpr std::uint32_t segment = 8192;
  const std::uint32_t offset = base::load_be32(r2t, 40);
  const std::uint32_t length = base::load_be32(r2t, 44);
  for (std::uint32_t done = 0, data_sn = 0; done < length; done += segment, ++data_sn) {
    const std::uint32_t part = std::min(segment, length - done);
    iscsi::Bhs pdu{};
    pdu[0] = 0x05;
    pdu[1] = done + part == length ? 0x80 : 0;
    std::copy_n(r2t.begin() + 8, 8, pdu.begin() + 8);    // LUN
    std::copy_n(r2t.begin() + 16, 8, pdu.begin() + 16);  // both tags
    base::store_be32(pdu, 36, data_sn);
    base::store_be32(pdu, 40, offset + done);
    send(pdu, data_out.subspan(offset + done, part));
  }
}

void Host::send_command(std::uint16_t lun, const scsi::CdbBytes& cdb, ByteView immediate,
                        std::size_t data_out_bytes, std::uint32_t data_in_bytes) {
  send(bytes_of(lun, cdb, immediate, data_out_bytes, data_in_bytes));
}

std::vector<std::uint8_t> Host::bytes_of(std::uint16_t lun, const scsi::CdbBytes& cdb,
                                         ByteView immediate, std::size_t data_out_bytes,
                                         std::uint32_t data_in_bytes) {
  iscsi::Bhs request{};
  request[0] = 0x01;
  request[1] = static_cast<std::uint8_t>(0x80 | attribute | (data_out_bytes == 0 ? 0 : 0x20) |
                                         (data_in_bytes == 0 ? 0 : 0x40));
  request[9] = static_cast<std::uint8_t>(lun);
  base::store_be32(request, 16, task_tag_++);
  base::store_be32(
      request, 20,
      data_out_bytes == 0 ? data_in_bytes : static_cast<std::uint32_t>(data_out_bytes));
  base::store_be32(request, 24, cmd_sn_++);
  std::copy_n(cdb.begin(), 16, request.begin() + 32);
  if (cdb[0] != 0x7f) return stream_of(request, immediate);
  // AHSLength 17 counts the reserved byte and the rest of the CDB; AHSType 1 is Extended CDB.
  std::vector<std::uint8_t> additional{0x00, 0x11, 0x01, 0x00};
  additional.insert(additional.end(), cdb.begin() + 16, cdb.end());
  return stream_of(request, immediate, additional);
}

std::vector<std::uint8_t> Host::start(std::uint16_t lun, const scsi::CdbBytes& cdb,
                                      std::uint32_t data_in_bytes) {
  send_command(lun, cdb, {}, 0, data_in_bytes);
  return take_output();
}

std::uint8_t Host::manage(std::uint8_t function, std::uint16_t lun) {
  iscsi::Bhs request{};
  request[0] = 0x42;  // immediate
  request[1] = static_cast<std::uint8_t>(0x80 | function);
  request[9] = static_cast<std::uint8_t>(lun);
  base::store_be32(request, 16, task_tag_++);
  base::store_be32(request, 24, cmd_sn_);
  send(request, {});
  const auto answer = take_output();
  REQUIRE(answer.size() == header_bytes);
  REQUIRE(answer[0] == 0x22);
  return answer[2];
}

std::vector<std::uint8_t> Host::start_write(std::uint16_t lun, std::uint64_t lba,
                                            std::uint32_t blocks) {
  scsi::CdbBytes cdb{};
  cdb[0] = 0x8a;
  base::store_be64(cdb, 2, lba);
  base::store_be32(cdb, 10, blocks);
  send_command(lun, cdb, {}, blocks * 512, 0);
  auto r2t = take_output();
  REQUIRE(r2t.size() == header_bytes);
  REQUIRE(r2t[0] == 0x31);
  return r2t;
}

std::vector<std::uint8_t> Host::finish_write(ByteView r2t, ByteView data) {
  answer_r2t(r2t, data);
  return take_output();
}

Answer Host::command(std::uint16_t lun, const scsi::CdbBytes& cdb, ByteView data_out,
                     std::uint32_t data_in_bytes) {
  send_command(lun, cdb, data_out.first(std::min<std::size_t>(data_out.size(), 4096)),
               data_out.size(), data_in_bytes);
  return end(data_out);
}

void Host::begin(std::uint16_t lun, const scsi::CdbBytes& cdb, ByteView data_out) {
  send_command(lun, cdb, data_out, data_out.size(), 0);
}

Answer Host::end(ByteView data_out) {
  Answer answer;
  for (bool ended = false; !ended;) {
    const auto output = take_output();
    REQUIRE(!output.empty());
    for (std::size_t at = 0; at < output.size();) {
      const ByteView pdu = ByteView(output).subspan(at);
      const std::size_t length = base::load_be(pdu, 5, 3);
      const ByteView segment = pdu.subspan(header_bytes, length);
      at += header_bytes + padded(length);
      if (pdu[0] == 0x31) {
        answer_r2t(pdu.first(header_bytes), data_out);
      } else if (pdu[0] == 0x25) {
        answer.data.insert(answer.data.end(), segment.begin(), segment.end());
        if ((pdu[1] & 1) != 0) answer.status = static_cast<scsi::Status>(pdu[3]);
        ended = ended || (pdu[1] & 1) != 0;
      } else {
        REQUIRE(pdu[0] == 0x21);
        answer.status = static_cast<scsi::Status>(pdu[3]);
        if (length > 2) {
          answer.sense_bytes.assign(segment.begin() + 2, segment.end());
          answer.sense = scsi::parse_sense(answer.sense_bytes);
        }
        ended = true;
      }
    }
  }
  return answer;
}

std::vector<std::uint8_t> Host::read(std::uint16_t lun, std::uint64_t lba, std::uint32_t blocks,
                                     std::uint32_t block_bytes) {
  scsi::CdbBytes cdb{};
  cdb[0] = 0x88;
  base::store_be64(cdb, 2, lba);
  base::store_be32(cdb, 10, blocks);
  const Answer answer = command(lun, cdb, {}, blocks * block_bytes);
  REQUIRE(answer.is_good());
  return answer.data;
}

Answer Host::write(std::uint16_t lun, std::uint64_t lba, ByteView data, std::uint32_t block_bytes) {
  scsi::CdbBytes cdb{};
  cdb[0] = 0x8a;
  base::store_be64(cdb, 2, lba);
  base::store_be32(cdb, 10, static_cast<std::uint32_t>(data.size() / block_bytes));
  return command(lun, cdb, data);
}

Answer Host::send_list(std::uint16_t lun, const scsi::CdbLayout& layout,
                       std::uint32_t list_identifier, ByteView list) {
  scsi::CdbBytes cdb = scsi::make_cdb(layout);
  scsi::token_command::list_identifier.write(cdb, list_identifier);
  scsi::token_command::parameter_list_length.write(cdb, list.size());
  return command(lun, cdb, list);
}

Answer Host::populate(std::uint16_t lun, std::uint32_t list_identifier,
                      const scsi::PopulateToken& request) {
  return send_list(lun, scsi::populate_token::layout, list_identifier, scsi::encode(request));
}

Answer Host::write_using(std::uint16_t lun, std::uint32_t list_identifier,
                         const scsi::WriteUsingToken& request) {
  return send_list(lun, scsi::write_using_token::layout, list_identifier, scsi::encode(request));
}

std::optional<scsi::CopyResult> Host::result(std::uint16_t lun, std::uint32_t list_identifier) {
  scsi::CdbBytes cdb = scsi::make_cdb(scsi::receive_copy::rod_token_information_layout);
  scsi::receive_copy::list_identifier.write(cdb, list_identifier);
  scsi::receive_copy::allocation_length.write(cdb, 805);
  const Answer answer = command(lun, cdb, {}, 805);
  if (!answer.is_good()) return std::nullopt;
  return scsi::decode_rod_token_information(answer.data);
}

}  // namespace story
