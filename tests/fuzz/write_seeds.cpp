// Writes the seed corpora of the fuzz targets: write_seeds DIRECTORY makes DIRECTORY/<target>/ with
// inputs that a real host would send.
#include <filesystem>
#include <fstream>

#include "scsi/copy_results.hpp"
#include "scsi/inquiry_data.hpp"
#include "scsi/mode_pages.hpp"
#include "scsi/third_party_copy_page.hpp"
#include "scsi/token_parameters.hpp"
#include "scsi/transport_id.hpp"
#include "tests/support/pdu.hpp"

namespace {

using support::Bytes;
using support::operator+;

struct Corpus {
  std::filesystem::path folder;
  int number = 0;

  Corpus(const std::filesystem::path& root, const char* target) : folder(root / target) {
    std::filesystem::create_directories(folder);
  }
  void add(const Bytes& bytes) {
    std::ofstream(folder / ("seed" + std::to_string(number++)), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
};

// A step of iscsi_connection_fuzz: bytes of the stream.
Bytes step(const Bytes& stream) {
  return Bytes{0, static_cast<std::uint8_t>(stream.size() >> 8),
               static_cast<std::uint8_t>(stream.size())} +
         stream;
}

void connections(Corpus corpus) {
  using namespace support;
  const Bytes login =
      login_request(0x81, {"InitiatorName=iqn.a:1", "SessionType=Normal",
                           "TargetName=iqn.2026-11.io.copymgr:demo", "AuthMethod=None"})
          .wire() +
      login_request(0x87, {"HeaderDigest=None,CRC32C", "MaxRecvDataSegmentLength=65536",
                           "InitialR2T=No", "MaxBurstLength=262144"})
          .wire();
  corpus.add(Bytes{0, 0} + step(login) + step(nop_out(1, 1, pattern(5)).wire()));
  const Bytes read = scsi_command(1, 1, reads, 1501, 0x28).wire();
  const Bytes write = scsi_command(2, 2, writes, 3000, 0x2a).with(pattern(100)).wire();
  const Bytes data = data_out(2, 1, 0, 100, pattern(2900), true).wire();
  corpus.add(Bytes{1, 1} + step(read) + step(write) + step(data));
  corpus.add(Bytes{1, 1} + step(text_request(1, 1, 0x80, text_of({"SendTargets="})).wire()) +
             step(logout_request(2, 2, 0).wire()));
  for (std::uint8_t kind = 0; kind < 16; ++kind) {
    corpus.add(Bytes{2, static_cast<std::uint8_t>(kind * 3)} +
               Bytes{0, kind, 0xa1, 1, 0xff, 2, 0, 3, 1, 0, 4, 0} +
               Bytes{0, 6, 0x80, 1, 1, 0, 0, 100, 1, 0, 0, 0xc0});
  }
}

void parameters(Corpus corpus) {
  const std::vector<base::BlockRange> ranges{{base::Lba(0), base::BlockCount(8)},
                                             {base::Lba(100), base::BlockCount(1)}};
  scsi::PopulateToken populate;
  populate.ranges = ranges;
  scsi::WriteUsingToken write;
  write.ranges = ranges;
  const Bytes limits{0, 64, 0x0e, 0x10, 0x10, 0, 20};  // target 0, then what limits_of() reads
  corpus.add(limits + Bytes{0} + scsi::encode(populate));
  corpus.add(limits + Bytes{1} + scsi::encode(write));
  const scsi::ModeSenseUnit unit{{true}, {}, base::BlockCount(1000), base::BlockLength{512}};
  for (std::uint8_t form : {0, 1}) {
    scsi::ModeSenseRequest request;
    request.form = form == 0 ? scsi::ModeForm::six : scsi::ModeForm::ten;
    auto list = *scsi::mode_sense_data(request, unit);
    list[0] = 0;
    if (form == 1) list[1] = 0;
    corpus.add(Bytes{1, form, 0} + list);
  }
  scsi::CopyResult result;
  result.response_to_service_action = 0x10;
  result.token.emplace();
  corpus.add(Bytes{2, 0} + scsi::encode_rod_token_information(result));
  scsi::ThirdPartyCopyPage page;
  page.commands = {{0x83, {0x10, 0x11}}};
  page.rod_types = {{}};
  page.block_length = base::BlockLength{512};
  corpus.add(Bytes{2, 1} + scsi::encode(page));
  corpus.add(Bytes{2, 2} + scsi::encode(page));
  for (const std::size_t header : {16, 48}) {
    const bool long_form = header == 48;
    Bytes copy(header + 32 + 28, 0);
    if (long_form) copy[0] = 1;
    copy[3] = 32;
    if (long_form) copy[16] = 0xff;
    if (long_form) copy[43] = 32;
    copy[long_form ? 45 : 11] = 28;
    copy[header] = 0xe4;
    copy[header + 7] = 16;
    copy[header + 32] = 0x02;
    copy[header + 35] = 0x18;
    corpus.add(Bytes{5, long_form, 64, 64, 0x10, 0} + copy);
  }
  // A unit, a ROD of it, a ROD of a token in the inline data; BEh, BFh, and a 02h from each ROD.
  Bytes rods(16 + 3 * 32 + 32 + 20 + 2 * 28, 0);
  const auto from_rod = [&rods](std::size_t at, std::uint8_t source) {
    rods[at] = 0x02;
    rods[at + 3] = 0x18;
    rods[at + 5] = source;
  };
  rods[3] = 96;
  rods[11] = 32 + 20 + 56;
  rods[14] = 0x02;  // 512 bytes of inline data
  rods[16] = 0xe4;
  rods[48] = rods[80] = 0xfe;
  rods[57] = 0x80;  // ROD TYPE 00800000h
  rods[70] = 0x01;  // R_TOKEN
  rods[84] = 0xf8;
  rods[112] = 0xbe;
  rods[115] = 0x1c;
  rods[116] = rods[117] = 0xff;
  rods[119] = 1;
  rods[127] = 0x10;
  rods[144] = 0xbf;
  rods[147] = 0x10;
  rods[148] = rods[149] = 0xff;
  rods[151] = 1;
  from_rod(164, 1);
  from_rod(192, 2);
  const auto token = scsi::block_device_zero_token();
  corpus.add(Bytes{5, 0, 64, 64, 0x10, 0} + rods + Bytes(token.begin(), token.end()));
  const auto sense = scsi::sense::lba_out_of_range(7);
  const auto fixed = scsi::to_fixed_format(sense);
  corpus.add(Bytes{2, 3} + Bytes(fixed.begin(), fixed.end()));
  corpus.add(Bytes{2, 3} + scsi::to_descriptor_format(sense));
  const Bytes id = scsi::encode(scsi::TransportId{"iqn.a", 0x400001370000});
  Bytes list(28, 1);
  list[20] = 0x08;  // SPEC_I_PT
  base::store_be32(list, 24, static_cast<std::uint32_t>(id.size()));
  corpus.add(Bytes{4, 0} + list + id);
  list.resize(24);
  base::store_be32(list, 20, static_cast<std::uint32_t>(id.size()));
  corpus.add(Bytes{4, 7} + list + id);
}

// For each row of the command table: once for the unit attention, then with small fields.
void commands(Corpus corpus) {
  scsi::PopulateToken populate;
  populate.ranges = {{base::Lba(0), base::BlockCount(8)}};
  const Bytes list = scsi::encode(populate);
  for (std::uint8_t row = 0; row < 64; ++row) {
    Bytes out = Bytes{1, 0} + Bytes(16, 0) + Bytes{0, 0};
    Bytes cdb(16, 0);
    cdb[4] = cdb[8] = cdb[9] = cdb[13] = 1;
    out = out + Bytes{1, row} + cdb + Bytes{0x02, 0x00} + Bytes(512, row);
    cdb.assign(16, 0);
    cdb[13] = static_cast<std::uint8_t>(list.size());
    corpus.add(out + Bytes{1, row} + cdb + Bytes{0, static_cast<std::uint8_t>(list.size())} + list);
  }
}

// The zero token, one that a host could have been given, and one of the table as it is.
void tokens(Corpus corpus) {
  const auto zero = scsi::block_device_zero_token();
  corpus.add(Bytes{0} + Bytes(zero.begin(), zero.end()));
  scsi::RodTokenFields fields;
  fields.creator_logical_unit =
      scsi::identification_cscd_descriptor({0x60, 1, 2, 3}, base::BlockLength{512});
  fields.bytes_represented = base::ByteCount(1 << 20);
  fields.device_specific[2] = 2;
  fields.target_device = scsi::target_device_designator("iqn.2026-11.io.copymgr:demo");
  const auto token = scsi::encode(fields);
  corpus.add(Bytes{0} + Bytes(token.begin(), token.end()));
  corpus.add(Bytes{1, 0});
  corpus.add(Bytes{7, 1, 0, 9, 0x80});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path root = argv[1];
  connections({root, "iscsi_connection_fuzz"});
  parameters({root, "scsi_parameters_fuzz"});
  commands({root, "device_cdb_fuzz"});
  tokens({root, "rod_token_fuzz"});
}
