// A live daemon with limits of its own: what a host reads and meets, and that its tokens are known
// to be its own after a restart.
#include "scsi/copy_cdbs.hpp"
#include "scsi/copy_results.hpp"
#include "scsi/primary_cdbs.hpp"
#include "scsi/third_party_copy_page.hpp"
#include "scsi/token_parameters.hpp"
#include "tests/support/live_daemon.hpp"
#include "tools/host/admin_client.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;

host::Reply token_command(host::Session& session, const scsi::CdbLayout& layout,
                          std::uint32_t list_identifier, const Bytes& list) {
  host::Command command = host::make_command(layout);
  scsi::token_command::list_identifier.write(command.cdb, list_identifier);
  scsi::token_command::parameter_list_length.write(command.cdb, list.size());
  command.data_out = list;
  return host::execute(session, command);
}

host::Reply populate(host::Session& session, std::uint64_t ranges) {
  scsi::PopulateToken request;
  for (std::uint64_t i = 0; i < ranges; ++i)
    request.ranges.push_back({base::Lba(i * 16), base::BlockCount(8)});
  return token_command(session, scsi::populate_token::layout, 7, scsi::encode(request));
}

Bytes answer_to(host::Session& session, host::Command command, std::uint32_t bytes) {
  Bytes data(bytes);
  command.data_in = data;
  const host::Reply reply = host::execute(session, command);
  REQUIRE(reply.good());
  data.resize(reply.data_in_bytes);
  return data;
}

scsi::RodTokenBytes fetch(host::Session& session) {
  host::Command command = host::make_command(scsi::receive_copy::rod_token_information_layout);
  scsi::receive_copy::list_identifier.write(command.cdb, 7);
  scsi::receive_copy::allocation_length.write(command.cdb, 805);
  const auto result = scsi::decode_rod_token_information(answer_to(session, command, 805));
  REQUIRE(result);
  REQUIRE(result->token);
  return *result->token;
}

host::Reply use(host::Session& session, const scsi::RodTokenBytes& token) {
  scsi::WriteUsingToken request;
  request.token = token;
  request.ranges = {{base::Lba(1000), base::BlockCount(8)}};
  return token_command(session, scsi::write_using_token::layout, 8, scsi::encode(request));
}

scsi::BlockDeviceRodLimits limits_told(host::Session& session) {
  host::Command inquiry = host::make_command(scsi::inquiry::layout);
  inquiry.cdb[1] = 1;
  inquiry.cdb[2] = 0x8f;
  base::store_be16(inquiry.cdb, 3, 1024);
  const auto limits = scsi::windows_reads(answer_to(session, inquiry, 1024));
  REQUIRE(limits);
  return *limits;
}

// A session that hears once that INQUIRY tells something else, and then is held to so many ranges.
void check_changed(host::Session& session, std::uint16_t ranges) {
  CHECK(limits_told(session).maximum_range_descriptors == ranges);
  const host::Reply first = host::execute(session, host::make_command(scsi::CdbLayout{"TUR", 0}));
  REQUIRE(first.sense);
  CHECK(first.sense->key == scsi::SenseKey::unit_attention);
  CHECK(first.sense->additional == scsi::AdditionalSense{0x3f, 0x03});
  CHECK(populate(session, ranges).good());
  const host::Reply more = populate(session, ranges + 1u);
  REQUIRE(more.sense);
  CHECK(more.sense->additional == scsi::asc::too_many_segment_descriptors);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a daemon with settings of copies: page 8Fh, the checks, and its tokens' seal") {
  test::Daemon daemon;
  const std::string lun = "0=file:" + daemon.path("a.img") +
                          ",size=64M,copy-profile=small-token-8m," +
                          "maximum-range-descriptors=9,without=83/00+83/01+84/00+84/01+84/03+84/04";
  daemon.start(lun);
  scsi::RodTokenBytes token{};
  {
    const auto session = daemon.log_in("iqn.host:a");
    const auto limits = limits_told(*session);
    CHECK(limits.maximum_range_descriptors == 9);
    CHECK(limits.maximum_token_transfer_size == base::BlockCount((8 << 20) / 512));
    CHECK(limits.optimal_transfer_count == base::BlockCount((8 << 20) / 512));
    const host::Reply too_many = populate(*session, 10);
    REQUIRE(too_many.sense);
    CHECK(too_many.sense->additional == scsi::asc::too_many_segment_descriptors);
    const auto gone = host::execute(*session, host::make_command(scsi::extended_copy::lid1_layout));
    REQUIRE(gone.sense);
    CHECK(gone.sense->additional == scsi::asc::invalid_field_in_cdb);
    REQUIRE(populate(*session, 9).good());
    token = fetch(*session);
    CHECK(use(*session, token).good());
  }
  CHECK(daemon.end(SIGTERM) == 0);
  daemon.start(lun);
  const auto session = daemon.log_in("iqn.host:a");
  scsi::RodTokenBytes changed = token;
  changed[60] ^= 1;
  const host::Reply reply = use(*session, changed);
  REQUIRE(reply.sense);
  CHECK(reply.sense->additional == scsi::asc::token_corrupt);
  CHECK(daemon.end(SIGTERM) == 0);
}

TEST_CASE("limits that an administrator changes hold at once in sessions that stay") {
  test::Daemon daemon;
  daemon.start("0=memory:64M");
  const auto first = daemon.log_in("iqn.host:a");
  const auto second = daemon.log_in("iqn.host:b");
  CHECK(limits_told(*first).maximum_range_descriptors == 64);
  const std::string lun = std::string("/v1/targets/") + test::daemon_target + "/luns/0";
  const auto set = [&](const std::string& options, bool dry_run = false) {
    const auto answer = host::ask_admin(
        daemon.admin_socket(),
        {lun, "{\"options\": {" + options + "}" + (dry_run ? ", \"dry_run\": true" : "") + "}"});
    REQUIRE(answer);
    return *answer;
  };
  const std::string warning = "Windows reads maximum-range-descriptors only when it starts a disk";
  CHECK(contains(set(R"("maximum-range-descriptors": 3)", true), warning));
  CHECK(populate(*first, 4).good());
  const std::string answer = set(R"("maximum-range-descriptors": 3)");
  CHECK(contains(answer, warning));
  CHECK_FALSE(contains(answer, "next start"));
  check_changed(*first, 3);
  check_changed(*second, 3);
  // Nothing that Windows reads, or INQUIRY tells: no warning, no word to the hosts.
  CHECK(contains(set(R"("token-use": "same-initiator")"), R"("warnings":[])"));
  REQUIRE(populate(*first, 3).good());
  const scsi::RodTokenBytes token = fetch(*first);
  CHECK(use(*first, token).good());
  const host::Reply denied = use(*second, token);
  REQUIRE(denied.sense);
  CHECK(denied.sense->additional == scsi::asc::token_cause_not_reportable);
  // Back, in these sessions, to what is common.
  set(R"("maximum-range-descriptors": null, "token-use": null)");
  check_changed(*first, 64);
  check_changed(*second, 64);
  CHECK(use(*second, token).good());
  CHECK(daemon.end(SIGTERM) == 0);
}

TEST_CASE(
    "SIGHUP changes the limits of all LUNs, and bounds of the array wait for its next start") {
  test::Daemon daemon;
  const auto write_file = [&](const std::string& array) {
    std::ofstream(daemon.path("array.toml"))
        << "[array]\n"
        << array << "[[portal]]\naddress = \"127.0.0.1:0\"\n[[target]]\nname = \""
        << test::daemon_target << "\"\n[[target.lun]]\nnumber = 0\nbacking = \"memory:64M\"\n";
  };
  write_file("max-tokens = 50\n");
  daemon.start_from_file(daemon.path("array.toml"));
  const auto session = daemon.log_in("iqn.host:a");
  CHECK(limits_told(*session).maximum_tokens == 50);
  write_file("max-tokens = 70\n[array.copy]\nmaximum-range-descriptors = 4\n");
  ::kill(daemon.pid(), SIGHUP);
  for (int i = 0; i < 2500 && limits_told(*session).maximum_range_descriptors != 4; ++i)
    ::usleep(2000);
  CHECK(limits_told(*session).maximum_tokens == 50);
  check_changed(*session, 4);
  CHECK(daemon.end(SIGTERM) == 0);
  daemon.start_from_file(daemon.path("array.toml"));
  const auto later = daemon.log_in("iqn.host:a");
  CHECK(limits_told(*later).maximum_tokens == 70);
  CHECK(limits_told(*later).maximum_range_descriptors == 4);
  CHECK(daemon.end(SIGTERM) == 0);
}
