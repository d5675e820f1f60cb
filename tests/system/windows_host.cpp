#include "tests/system/windows_host.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.hpp"

namespace windows {
namespace {

using base::load_be16;
using base::load_be32;
using base::load_be64;

constexpr std::uint64_t MiB = 1u << 20;
constexpr std::size_t descriptors_max = 64;  // a hard cap of the driver (A.4)
constexpr std::size_t answer_to_read_bytes = 805;

// B.6, as far as an array may answer so.
enum class Verdict { good, truncated, invalid_token, failed };
struct Judged {
  Verdict verdict = Verdict::failed;
  bool retry = false;
};

Judged judge(const host::Reply& reply) {
  if (reply.good()) return {Verdict::good};
  if (!reply.delivered) return {Verdict::failed};
  if (reply.status == scsi::Status::reservation_conflict) return {Verdict::failed};
  if (!reply.sense) return {Verdict::failed, true};  // BUSY, TASK SET FULL
  const auto key = static_cast<unsigned>(reply.sense->key);
  const unsigned code = reply.sense->additional.code, qualifier = reply.sense->additional.qualifier;
  const bool underrun = code == 0x0d && qualifier == 0x04;
  switch (key) {
    case 0x5:
      return {code == 0x23 ? Verdict::invalid_token : Verdict::failed};
    case 0xa:
      return underrun ? Judged{Verdict::truncated} : Judged{Verdict::failed, true};
    case 0xb:
      if (underrun) return {Verdict::truncated};
      return {Verdict::failed, !(code == 0x55 && qualifier == 0x03)};
    case 0x2:
      return {Verdict::failed,
              code == 0x04 && (qualifier == 0x14 || qualifier == 0x01 || qualifier == 0x07)};
    case 0x6:
      return {Verdict::failed, code != 0x38 || qualifier == 0x07};
    default:
      return {Verdict::failed};
  }
}

host::Reply send_with_retries(Disk& disk, const Bytes& cdb, base::ByteView out, base::ByteSpan in,
                              unsigned retries, unsigned& sent, unsigned& retried) {
  for (unsigned left = retries;; --left, ++retried) {
    ++sent;
    host::Reply reply = disk.send(cdb, out, in);
    if (left == 0 || !judge(reply).retry) return reply;
  }
}

Bytes token_cdb(std::uint8_t service_action, std::uint32_t list_identifier, std::size_t length) {
  Bytes cdb(16, 0);
  cdb[0] = 0x83;
  cdb[1] = service_action;
  base::store_be32(cdb, 6, list_identifier);
  base::store_be32(cdb, 10, static_cast<std::uint32_t>(length));
  return cdb;
}

Bytes receive_cdb(std::uint32_t list_identifier, std::size_t length) {
  Bytes cdb(16, 0);
  cdb[0] = 0x84;
  cdb[1] = 0x07;
  base::store_be32(cdb, 2, list_identifier);
  base::store_be32(cdb, 10, static_cast<std::uint32_t>(length));
  return cdb;
}

void put_ranges(Bytes& list, const Extents& ranges) {
  base::store_be16(list, 0, static_cast<std::uint16_t>(list.size() + ranges.size() * 16 - 2));
  base::store_be16(list, list.size() - 2, static_cast<std::uint16_t>(ranges.size() * 16));
  for (const Extent& range : ranges) {
    const std::size_t at = list.size();
    list.resize(at + 16, 0);
    base::store_be64(list, at, range.lba);
    base::store_be32(list, at + 8, static_cast<std::uint32_t>(range.blocks));
  }
}

// Of a parameter list with a header of `header` bytes (A.4).
std::size_t buffer_bytes(const RodLimits& limits, std::size_t header) {
  const std::size_t most = 65535;
  if (limits.maximum_range_descriptors == 0) return most;
  return std::min(header + std::size_t{16} * limits.maximum_range_descriptors, most);
}
std::size_t ranges_max(const RodLimits& limits, std::size_t header) {
  return std::min((buffer_bytes(limits, header) - header) / 16, descriptors_max);
}

std::uint64_t read_blocks_max(const Disk& disk, std::uint32_t inactivity_timeout_seconds) {
  const RodLimits& limits = disk.limits();
  std::uint64_t most = limits.maximum_token_transfer_size;
  if (most == 0) most = UINT64_MAX;
  if (inactivity_timeout_seconds == 0 && limits.optimal_transfer_count > 0) {
    most = std::min(most, limits.optimal_transfer_count);
  }
  return most;
}

std::uint64_t write_blocks_max(const Disk& disk) {
  const RodLimits& limits = disk.limits();
  const std::uint64_t cap = 256 * MiB / disk.block_bytes();
  const std::uint64_t optimal = limits.optimal_transfer_count == 0
                                    ? 64 * MiB / disk.block_bytes()
                                    : std::min(limits.optimal_transfer_count, cap);
  if (limits.maximum_token_transfer_size == 0) return optimal;
  return std::min(limits.maximum_token_transfer_size, optimal);
}

// What fits into one command: at most so many descriptors, then so many blocks.
Extents fitting(const Extents& file, std::size_t descriptors, std::uint64_t blocks) {
  Extents out(file.begin(), file.begin() + static_cast<long>(std::min(descriptors, file.size())));
  return slice(out, 0, std::min(blocks, total(out)));
}

}  // namespace

std::uint64_t total(const Extents& extents) {
  std::uint64_t sum = 0;
  for (const Extent& extent : extents)
    sum += extent.blocks;
  return sum;
}

Extents slice(const Extents& file, std::uint64_t offset, std::uint64_t blocks) {
  Extents out;
  for (Extent extent : file) {
    const std::uint64_t skipped = std::min(offset, extent.blocks);
    offset -= skipped;
    extent = {extent.lba + skipped, std::min(extent.blocks - skipped, blocks)};
    blocks -= extent.blocks;
    if (extent.blocks > 0) out.push_back(extent);
  }
  return out;
}

host::Reply Disk::send(const Bytes& cdb, base::ByteView data_out, base::ByteSpan data_in) {
  host::Command command;
  std::copy(cdb.begin(), cdb.end(), command.cdb.begin());
  command.cdb_length = static_cast<std::uint8_t>(cdb.size());
  command.data_out = data_out;
  command.data_in = data_in;
  return host::execute(*session_, command);
}

Bytes Disk::vital_product_data(std::uint8_t page) {
  Bytes data(0xff, 0);
  const auto reply = send({0x12, 0x01, page, 0x00, 0xff, 0x00}, {}, data);
  data.resize(reply.good() ? reply.data_in_bytes : 0);
  return data;
}

std::string Disk::start() {
  // The first command after a login gets one unit attention, then all is well (D, step 4).
  const Bytes test_unit_ready(6, 0);
  if (!send(test_unit_ready).good() && !send(test_unit_ready).good()) return "D step 4: not ready";
  Bytes capacity(32, 0);
  Bytes cdb(16, 0);
  cdb[0] = 0x9e;
  cdb[1] = 0x10;
  cdb[13] = 0x20;
  if (!send(cdb, {}, capacity).good()) return "D step 14: no READ CAPACITY(16)";
  blocks_ = load_be64(capacity, 0) + 1;
  block_bytes_ = load_be32(capacity, 8);
  if (auto why = look_at_supported_pages(); !why.empty()) return why;
  return look_at_third_party_copy();
}

std::string Disk::look_at_supported_pages() {
  const Bytes page = vital_product_data(0x00);
  if (page.size() < 5) return "A.2 rule 1: page 00h";
  const std::size_t count = page[3];
  if (page.size() < 4 + count || count == 0) return "A.2 rule 2: page length";
  if (page[4] != 0x00) return "A.2 rule 3: the first page is not 00h";
  for (std::size_t i = 1; i < count; ++i) {
    if (page[4 + i] <= page[4 + i - 1]) return "A.2 rule 4: pages do not ascend";
  }
  const auto end = page.begin() + 4 + static_cast<long>(count);
  return std::find(page.begin() + 4, end, 0x8f) != end ? "" : "A.2 rule 5: no 8Fh";
}

std::string Disk::look_at_third_party_copy() {
  const Bytes page = vital_product_data(0x8f);
  if (page.size() < 40) return "A.3 rule 1: page 8Fh";
  if (load_be16(page, 2) < 36) return "A.3 rule 2: page length";
  if (load_be16(page, 4) != 0x0000 || load_be16(page, 6) != 0x0020) {
    return "A.3 rule 3: the first descriptor is not Block Device ROD Limits";
  }
  limits_ = {load_be16(page, 14), load_be32(page, 16), load_be32(page, 20), load_be64(page, 24),
             load_be64(page, 32)};
  const bool ordered = limits_.optimal_transfer_count <= limits_.maximum_token_transfer_size;
  if (limits_.maximum_token_transfer_size > 0 && !ordered) {
    return "A.3 assertion: OPTIMAL TRANSFER COUNT above MAXIMUM TOKEN TRANSFER SIZE";
  }
  return "";
}

Answer read_answer(const Bytes& data, std::uint8_t service_action, std::uint64_t asked) {
  Answer out;
  const auto broken = [&out](const char* rule) {
    out.broken_rule = rule;
    return out;
  };
  if (data.size() < 36) return broken("less than 36 bytes");
  const std::size_t field = data[13];
  out.status = data[5] & 0x7f;
  if (data.size() < 36 + field || load_be32(data, 0) + 4 != data.size()) return broken("lengths");
  if (data[4] != service_action) return broken("RESPONSE TO SERVICE ACTION");
  if (data[14] > field || field > 255) return broken("SENSE DATA LENGTH");
  if (data[15] != 0xf1) return broken("TRANSFER COUNT UNITS");
  if (load_be16(data, 24) != 0) return broken("SEGMENTS PROCESSED");
  out.transfer_count = load_be64(data, 16);
  out.sense.assign(data.begin() + 32, data.begin() + 32 + data[14]);
  const auto final = [&out](auto... accepted) { return ((out.status == accepted) || ...); };
  if (!final(0x01, 0x02, 0x03, 0x60)) return broken("COPY OPERATION STATUS is not final");
  if (out.transfer_count > asked) return broken("more blocks than asked");
  if ((out.status == 0x01) != (out.transfer_count == asked)) return broken("status and count");
  if (out.status == 0x02 || out.status == 0x60) out.transfer_count = 0;
  const std::uint32_t descriptors = load_be32(data, 32 + field);
  if (descriptors == 0) return out;
  if (service_action != 0x10 || descriptors != 514) return broken("ROD TOKEN DESCRIPTORS LENGTH");
  if (data.size() != 36 + field + 514) return broken("the token is cut short");
  if (load_be16(data, 36 + field) != 0) return broken("ID FOR CREATING ROD CSCD DESCRIPTOR");
  out.has_token = true;
  std::copy_n(data.begin() + 38 + static_cast<long>(field), 512, out.token.begin());
  return out;
}

OffloadRead Host::offload_read(Disk& source, const Extents& file,
                               std::uint32_t inactivity_timeout_seconds) {
  const std::uint32_t most = source.limits().maximum_inactivity_timeout;
  if (most != 0 && inactivity_timeout_seconds > most) {
    return {{}, 0, "INVALID_PARAMETER: refused in the host"};
  }
  const Extents ranges = fitting(file, ranges_max(source.limits(), 16),
                                 read_blocks_max(source, inactivity_timeout_seconds));
  Bytes list(16, 0);
  base::store_be32(list, 4, inactivity_timeout_seconds);
  put_ranges(list, ranges);
  const std::uint32_t identifier = next_list_identifier_++;
  sent.list_identifiers.push_back(identifier);
  const auto populated = send_with_retries(source, token_cdb(0x10, identifier, list.size()), list,
                                           {}, 1, sent.populate_token, sent.retries);
  const Verdict verdict = judge(populated).verdict;
  if (verdict != Verdict::good && verdict != Verdict::truncated) {
    return {{}, 0, host::describe(populated)};
  }
  Bytes data(answer_to_read_bytes, 0);
  const auto received = send_with_retries(source, receive_cdb(identifier, data.size()), {}, data, 1,
                                          sent.receive_after_read, sent.retries);
  if (!received.good()) return {{}, 0, host::describe(received)};
  data.resize(received.data_in_bytes);
  const Answer answer = read_answer(data, 0x10, total(ranges));
  if (!answer.broken_rule.empty()) return {{}, 0, answer.broken_rule};
  if (!answer.has_token || answer.transfer_count == 0) return {{}, 0, "no token"};
  return {answer.token, answer.transfer_count, ""};
}

Host::Step Host::write_once(Disk& destination, const Token& token, std::uint64_t token_offset,
                            const Extents& ranges) {
  Bytes list(536, 0);
  base::store_be64(list, 8, token_offset);
  std::copy(token.begin(), token.end(), list.begin() + 16);
  put_ranges(list, ranges);
  const std::uint32_t identifier = next_list_identifier_++;
  sent.list_identifiers.push_back(identifier);
  const auto written = send_with_retries(destination, token_cdb(0x11, identifier, list.size()),
                                         list, {}, 2, sent.write_using_token, sent.retries);
  switch (judge(written).verdict) {
    case Verdict::good:
      return {total(ranges), ""};
    case Verdict::invalid_token:
      return {0, host::describe(written)};
    case Verdict::truncated:
      if (written.sense->information.value_or(0) != 0) {
        const std::uint64_t done = *written.sense->information;
        return {done, done > total(ranges) ? "over-reported" : ""};
      }
      break;
    case Verdict::failed:
      break;
  }
  Bytes data(std::max<std::size_t>(buffer_bytes(destination.limits(), 536), 287), 0);
  const auto received = send_with_retries(destination, receive_cdb(identifier, data.size()), {},
                                          data, 2, sent.receive_after_write, sent.retries);
  if (!received.good()) return {0, "no record: " + host::describe(received)};
  data.resize(received.data_in_bytes);
  const Answer answer = read_answer(data, 0x11, total(ranges));
  if (!answer.broken_rule.empty()) return {0, answer.broken_rule};
  const bool progress = answer.transfer_count > 0;
  return {answer.transfer_count, progress ? "" : host::describe(written)};
}

OffloadWrite Host::offload_write(Disk& destination, const Token& token, std::uint64_t token_offset,
                                 const Extents& file) {
  OffloadWrite out;
  while (out.blocks < total(file)) {
    const Extents rest = slice(file, out.blocks, total(file) - out.blocks);
    const Extents ranges =
        fitting(rest, ranges_max(destination.limits(), 536), write_blocks_max(destination));
    const Step step = write_once(destination, token, token_offset + out.blocks, ranges);
    out.blocks += step.blocks;
    if (!step.failure.empty()) {
      out.failure = step.failure;
      return out;
    }
  }
  return out;
}

std::uint64_t Host::copy(Disk& source, const Extents& from, Disk& destination,
                         const Extents& into) {
  const std::uint64_t chunk = 256 * MiB / source.block_bytes();
  std::uint64_t done = 0;
  while (done < total(from)) {
    const Extents wanted = slice(from, done, chunk);
    const OffloadRead read = offload_read(source, wanted);
    if (read.blocks == 0) {
      last_failure = "offload read: " + read.failure;
      break;
    }
    const OffloadWrite written =
        offload_write(destination, read.token, 0, slice(into, done, read.blocks));
    done += written.blocks;
    if (!written.failure.empty()) {
      last_failure = "offload write: " + written.failure;
      break;
    }
  }
  return done;
}

}  // namespace windows
