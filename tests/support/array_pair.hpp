// Two arrays in one copy manager group, and hosts that each know only what they were told. Every
// block written says where and in which round, so that a wrong one is known.
#pragma once

#include <algorithm>

#include <fmt/format.h>

#include "scsi/block_cdbs.hpp"
#include "tests/support/live_daemon.hpp"
#include "tools/host/admin_client.hpp"
#include "tools/host/document_table.hpp"
#include "tools/host/token_commands.hpp"

namespace test {

using Bytes = std::vector<std::uint8_t>;
inline constexpr std::size_t block_bytes = 512;
inline constexpr const char* group_secret = "a secret for tests only";

inline base::BlockRange blocks(std::uint64_t first, std::uint64_t count) {
  return {base::Lba(first), base::BlockCount(count)};
}

// `count` blocks from `first` on, as they are in that round.
inline Bytes content(std::uint64_t first, std::uint64_t count, std::uint32_t round) {
  Bytes out(count * block_bytes);
  for (std::uint64_t block = 0; block < count; ++block) {
    for (std::size_t at = 0; at < block_bytes; at += 16) {
      base::store_be64(out, block * block_bytes + at, first + block);
      base::store_be32(out, block * block_bytes + at + 8, round);
      base::store_be32(out, block * block_bytes + at + 12, static_cast<std::uint32_t>(at));
    }
  }
  return out;
}

// One initiator's session.
class ArrayHost {
 public:
  ArrayHost(const Daemon& daemon, const std::string& initiator)
      : session_(daemon.log_in(initiator)) {}

  host::Reply send(const scsi::CdbLayout& layout, const base::BlockRange& range,
                   base::ByteView out = {}, base::ByteSpan in = {}) {
    host::Command command = host::make_command(layout);
    base::store_be64(command.cdb, 2, range.first.value);
    base::store_be32(command.cdb, 10, static_cast<std::uint32_t>(range.count.value));
    command.data_out = out;
    command.data_in = in;
    return host::execute(*session_, command);
  }
  // In pieces that every array takes.
  void write(std::uint64_t first, const Bytes& bytes) {
    constexpr std::size_t piece = 1 << 20;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const std::size_t length = std::min(piece, bytes.size() - at);
      const auto range = blocks(first + at / block_bytes, length / block_bytes);
      REQUIRE(send(scsi::media::write_16, range, base::ByteView(bytes).subspan(at, length)).good());
    }
  }
  Bytes read(std::uint64_t first, std::uint64_t count) {
    constexpr std::size_t piece = 1 << 20;
    Bytes out(count * block_bytes);
    for (std::size_t at = 0; at < out.size(); at += piece) {
      const std::size_t length = std::min(piece, out.size() - at);
      const auto range = blocks(first + at / block_bytes, length / block_bytes);
      REQUIRE(
          send(scsi::media::read_16, range, {}, base::ByteSpan(out).subspan(at, length)).good());
    }
    return out;
  }
  scsi::RodTokenBytes make_token(std::uint64_t first, std::uint64_t count,
                                 std::uint32_t timeout_seconds = 60) {
    const auto made =
        host::offload_read(*session_, blocks(first, count), timeout_seconds, traffic_);
    REQUIRE(made);
    REQUIRE(made->blocks.value == count);
    return made->token;
  }
  host::WriteProgress use(const scsi::RodTokenBytes& token, std::uint64_t first,
                          std::uint64_t count, std::uint64_t offset = 0) {
    return host::offload_write(*session_, {token, base::BlockCount(offset), blocks(first, count)},
                               552, traffic_);
  }
  host::Session& session() { return *session_; }

 private:
  std::unique_ptr<host::Session> session_;
  host::TokenTraffic traffic_;
};

inline std::string ask(const Daemon& daemon, const host::AdminRequest& request) {
  const auto answer = host::ask_admin(daemon.admin_socket(), request);
  INFO((answer ? std::string() : answer.error()));
  REQUIRE(answer);
  return *answer;
}

inline void join(const Daemon& daemon,
                 const std::vector<std::pair<std::string, std::string>>& others,
                 const std::string& secret = group_secret, const std::string& more = "") {
  std::string members;
  for (const auto& [name, portal] : others)
    members += fmt::format("{}\"{}={}\"", members.empty() ? "" : ",", name, portal);
  ask(daemon, {"/v1/group/join", fmt::format(R"({{"name":"west","secret":"{}","members":[{}]{}}})",
                                             secret, members, more)});
}

struct ArrayPair {
  Daemon a, b;

  explicit ArrayPair(const std::string& lun = "0=memory:64M",
                     const std::vector<std::string>& more = {}) {
    a.start(lun, more);
    b.start(lun, more);
    meet();
  }
  void meet() {
    join(a, {{"b", b.portal()}});
    join(b, {{"a", a.portal()}});
  }
};

inline void check_refused(const host::WriteProgress& progress, scsi::SenseKey key,
                          scsi::AdditionalSense additional) {
  CHECK(progress.blocks.value == 0);
  REQUIRE(progress.trouble);
  INFO(progress.trouble->text);
  REQUIRE(progress.trouble->sense);
  CHECK(progress.trouble->sense->key == key);
  CHECK(progress.trouble->sense->additional == additional);
}

// Every one of the first `copied` blocks is as it was before or as the token has it; the first
// `claimed` are the token's.
inline void check_blocks(ArrayHost& on_b, std::uint64_t copied, std::uint64_t claimed,
                         std::uint32_t before, std::uint32_t token) {
  const Bytes now = on_b.read(0, copied);
  const Bytes old = content(0, copied, before), wanted = content(0, copied, token);
  std::uint64_t wrong = 0, missing = 0;
  for (std::uint64_t block = 0; block < copied; ++block) {
    const auto at = static_cast<std::ptrdiff_t>(block * block_bytes);
    const auto is = [&](const Bytes& other) {
      return std::equal(now.begin() + at, now.begin() + at + block_bytes, other.begin() + at);
    };
    const bool written = is(wanted);
    wrong += !written && !is(old) ? 1 : 0;
    missing += block < claimed && !written ? 1 : 0;
  }
  CHECK(wrong == 0);
  CHECK(missing == 0);
}

// No lease and no token that a member has open; a session of a member may be kept for a while.
inline bool is_nothing_held(const Daemon& daemon) {
  return ask(daemon, {"/v1/group", {}}).find("\"tokens_served\":0") != std::string::npos &&
         ask(daemon, {"/v1/tokens", {}}).find("\"uses_running\":1") == std::string::npos;
}
inline void check_nothing_held(const Daemon& daemon) {
  bool clean = is_nothing_held(daemon);
  for (int i = 0; i < 4000 && !clean; ++i) {
    ::usleep(10000);
    clean = is_nothing_held(daemon);
  }
  CHECK(clean);
}
// Nor such a session.
inline void check_nothing_left(const Daemon& daemon) {
  check_nothing_held(daemon);
  const auto is_pulled_from = [&] {
    return ask(daemon, {"/v1/sessions", {}}).find(":token-data") != std::string::npos;
  };
  for (int i = 0; i < 4000 && is_pulled_from(); ++i)
    ::usleep(10000);
  CHECK_FALSE(is_pulled_from());
}

}  // namespace test
