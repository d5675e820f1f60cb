// The settings of copies as they are typed: each key with its bounds, profiles, what contradicts
// itself; and that the page for people tells what the tables hold.
#include "target/admin/copy_settings.hpp"

#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "target/admin/configuration.hpp"
#include "target/admin/copy_profiles.hpp"
#include "target/device/command_table.hpp"

using namespace admin;
using copymgr::CopyLimits;

namespace {

base::Result<CopyLimits, std::string> limits_of(const std::string& text,
                                                const CopyLimits& onto = {}) {
  const auto settings = parse_copy_settings(text);
  if (!settings) return base::fail(settings.error());
  return apply_copy_settings(*settings, onto);
}
std::string fault_in(const std::string& text) {
  const auto limits = limits_of(text);
  if (!limits) return limits.error();
  return fault_of(*limits, base::BlockLength{512}).value_or("");
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
bool is_one_line(const std::string& text) {
  return !text.empty() && !has(text, "\n");
}

// One target with the units that are given.
struct Daemon {
  Configuration configuration;
  base::Result<void, std::string> take(const std::vector<std::string>& luns,
                                       const std::string& for_all = "") {
    configuration.targets.push_back({"iqn.a:b"});
    for (const std::string& text : luns) {
      auto lun = parse_lun_spec(text);
      if (!lun) return base::fail(lun.error());
      configuration.targets[0].luns.emplace(lun->lun, lun->unit);
    }
    std::vector<CopySetting> settings;
    if (!for_all.empty()) settings = parse_copy_settings(for_all).value();
    return take_copy_settings(settings, configuration);
  }
  const CopyLimits& of(std::uint16_t lun) { return configuration.targets[0].luns.at({lun}).copies; }
};

std::string page_for_people() {
  std::ifstream file(COPYMGR_SOURCE_DIR "/docs/odx.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("each number and size: its bounds are taken, what lies beyond is refused by name") {
  struct Row {
    const char *key, *least, *most;
    std::vector<std::string> refused;
  };
  const Row rows[] = {
      {"maximum-range-descriptors", "1", "4062", {"0", "4063", "x", "", "-1", "1k", "65537"}},
      {"maximum-token-transfer-size", "0", "16T", {"x", "-1", "1Q", ""}},
      {"optimal-transfer-count", "0", "256M", {"x", "1.5M"}},
      {"default-inactivity-timeout", "1", "3600", {"0", "4294967296", "1s"}},
      {"maximum-inactivity-timeout", "60", "4294967295", {"4294967296"}},
      {"minimum-token-lifetime", "1", "4294967295", {"0"}},
      {"maximum-token-lifetime", "1", "4294967294", {"4294967295"}},
      {"maximum-tokens", "1", "4294967295", {"0", "4294967296"}},
      {"list-identifiers", "1", "256", {"0", "257"}},
      {"total-concurrent-copies", "255", "4294967295", {"0"}},
      {"maximum-identified-concurrent-copies", "1", "255", {"0"}},
      {"maximum-cscd-descriptors", "1", "2047", {"0", "2048"}},
      {"maximum-segment-descriptors", "1", "65535", {"0", "65536"}},
      {"maximum-descriptor-list-length", "60", "65487", {"59", "65488"}},
      {"maximum-inline-data-length", "0", "1048576", {"1048577"}},
      {"maximum-segment-length", "0", "4095M", {"4G", "x"}},
  };
  for (const Row& row : rows) {
    for (const std::string value : {row.least, row.most}) {
      INFO(row.key << "=" << value);
      CHECK(fault_in(row.key + ("=" + value)) == "");
    }
    for (const std::string& value : row.refused) {
      INFO(row.key << "=" << value);
      const std::string fault = fault_in(row.key + ("=" + value));
      CHECK(is_one_line(fault));
      CHECK(has(fault, row.key + ("=" + value + " is not possible; use a ")));
    }
  }
}

TEST_CASE("what is typed is what a unit gets") {
  const auto limits = limits_of(
      "maximum-range-descriptors=7,maximum-token-transfer-size=8M,optimal-transfer-count=4M,"
      "default-inactivity-timeout=11,maximum-inactivity-timeout=12,minimum-token-lifetime=13,"
      "maximum-token-lifetime=14,maximum-tokens=15,list-identifiers=16,total-concurrent-copies=18,"
      "maximum-identified-concurrent-copies=17,maximum-cscd-descriptors=19,"
      "maximum-segment-descriptors=20,maximum-descriptor-list-length=2100,"
      "maximum-inline-data-length=22,maximum-segment-length=23M,rod-types=access-upon-reference+"
      "persistent,"
      "rod-type-by-default=persistent,zero-token-for-unmapped=on,immed=foreground,"
      "token-use=visible-source,remote-tokens=array,mixed-block-sizes=convert,without=83/01+84/08");
  REQUIRE(limits);
  CopyLimits wanted;
  wanted.maximum_range_descriptors = 7;
  wanted.maximum_token_transfer = base::ByteCount(8 << 20);
  wanted.optimal_transfer = base::ByteCount(4 << 20);
  wanted.default_inactivity_timeout_seconds = 11;
  wanted.maximum_inactivity_timeout_seconds = 12;
  wanted.minimum_token_lifetime_seconds = 13;
  wanted.maximum_token_lifetime_seconds = 14;
  wanted.maximum_tokens = 15;
  wanted.list_identifiers = 16;
  wanted.total_concurrent_copies = 18;
  wanted.maximum_identified_concurrent_copies = 17;
  wanted.extended_copy = {19, 20, 2100, 23 << 20, 22};
  wanted.rod_types = {scsi::RodType::access_upon_reference,
                      scsi::RodType::point_in_time_persistent};
  wanted.rod_type_by_default = scsi::RodType::point_in_time_persistent;
  wanted.zero_token_for_unmapped = true;
  wanted.immed = copymgr::ImmedPolicy::foreground;
  wanted.token_use = copymgr::TokenUse::visible_source;
  wanted.remote_tokens = copymgr::RemoteTokens::array;
  wanted.mixed_block_lengths = copymgr::MixedBlockLengths::convert;
  wanted.service_actions.withdraw(scsi::extended_copy::lid4_layout);
  wanted.service_actions.withdraw(scsi::receive_copy::all_rod_tokens_layout);
  CHECK(*limits == wanted);
  CHECK(*limits_of("without=83/01,without=none") == CopyLimits());
}

TEST_CASE("a faulty setting is one line that says what is wrong and what is allowed") {
  const auto told = [](const std::string& text, const std::string& wrong,
                       const std::string& allowed) {
    const std::string fault = fault_in(text);
    INFO(text << ": " << fault);
    CHECK(is_one_line(fault));
    CHECK(has(fault, wrong));
    CHECK(has(fault, allowed));
  };
  told("colour=red", "no setting colour=", "maximum-range-descriptors");
  told("colour", "'colour' is not a setting", "KEY=VALUE");
  told("", "'' is not a setting", "KEY=VALUE");
  told("zero-token-for-unmapped=yes", "zero-token-for-unmapped=yes", "use on or off");
  told("token-use=all", "token-use=all", "bearer or same-initiator or visible-source");
  told("remote-tokens=on", "remote-tokens=on", "refuse or array");
  told("mixed-block-sizes=no", "mixed-block-sizes=no", "refuse or convert");
  told("without=83/02", "without=83/02", "83/00 83/01 83/10 83/11 83/1c 84/00");
  told("without=", "without=", "none, or some of");
  told("without=83/01+", "without=83/01+", "none, or some of");
  told("copy-profile=mine", "copy-profile=mine", "windows-default, many-writes");
  told("default-inactivity-timeout=61,maximum-inactivity-timeout=60", "default-inactivity-timeout",
       "more than maximum-inactivity-timeout");
  told("minimum-token-lifetime=9,maximum-token-lifetime=8", "minimum-token-lifetime", "more than");
  told("maximum-token-transfer-size=1M,optimal-transfer-count=2M", "optimal-transfer-count",
       "more than maximum-token-transfer-size");
  told("total-concurrent-copies=3,maximum-identified-concurrent-copies=4", "identified",
       "more than total-concurrent-copies");
  told("maximum-token-transfer-size=1000", "maximum-token-transfer-size", "blocks of 512 bytes");
}

// Wire reference 1.3, the whole table, for what stands in the command table.
TEST_CASE("what must come together: each command that another one needs") {
  const auto without = [](const std::string& names) {
    return fault_in("immed=refuse,without=" + names);
  };
  // "Any IMMED=1: COPY OPERATION ABORT".
  CHECK(has(fault_in("without=83/01+83/1c"), "not possible with immed=accept"));
  CHECK(fault_in("without=83/01+83/1c,immed=foreground") == "");
  CHECK(has(fault_in("rod-types=zero"), "none that POPULATE TOKEN can make"));
  struct Need {
    const char *of, *needed;
  };
  const Need needs[] = {{"83/10", "83/11"}, {"83/10", "84/05"}, {"83/10", "84/07"},
                        {"83/00", "84/03"}, {"83/00", "84/04"}, {"83/00", "84/00"},
                        {"83/01", "84/05"}, {"83/01", "83/1c"}, {"83/1c", "84/05"}};
  // All that needs something, but for one of them.
  for (const Need& need : needs) {
    std::string gone = need.needed;
    for (const char* other : {"83/00", "83/01", "83/10", "83/1c"}) {
      if (other != std::string(need.of) && other != std::string(need.needed)) {
        gone += std::string("+") + other;
      }
    }
    INFO(gone);
    const std::string fault = without(gone);
    CHECK(has(fault, std::string("without=") + need.needed + " is not possible"));
    CHECK(has(fault, std::string("(") + need.of + ") needs "));
    CHECK(without(gone + "+" + need.of) == "");
  }
  // What nothing needs can go alone.
  for (const char* name : {"83/00", "83/01", "83/10", "84/01", "84/08"})
    CHECK(without(name) == "");
  std::string all;
  for (const device::CommandRow& row : device::command_table()) {
    if (row.layout.opcode != 0x83 && row.layout.opcode != 0x84) continue;
    all += fmt::format("{}{:02x}/{:02x}", all.empty() ? "" : "+", row.layout.opcode,
                       *row.layout.service_action);
  }
  CHECK(without(all) == "");
}

TEST_CASE("the defaults are in order, and are what a unit without settings has") {
  for (const std::uint32_t bytes : {512u, 4096u})
    CHECK(fault_of(CopyLimits(), base::BlockLength{bytes}) == std::nullopt);
  Daemon daemon;
  REQUIRE(daemon.take({"0=memory:1M"}));
  CHECK(daemon.of(0) == CopyLimits());
}

TEST_CASE("above the array's settings stand a unit's profile and, above that, its own") {
  Daemon daemon;
  daemon.configuration.copies.operations_max = 100;
  daemon.configuration.copies.tokens.live_tokens_max = 50;
  REQUIRE(daemon.take({"0=memory:1M", "1=memory:1M,maximum-range-descriptors=9",
                       "2=memory:1M,maximum-range-descriptors=9,copy-profile=small-token-8m",
                       "3=memory:1M,copy-profile=small-token-8m,optimal-transfer-count=1M,"
                       "blocksize=4096,total-concurrent-copies=5,"
                       "maximum-identified-concurrent-copies=5"},
                      "maximum-range-descriptors=3,copy-profile=single-write"));
  CHECK(daemon.of(0).maximum_range_descriptors == 3);
  CHECK(daemon.of(0).optimal_transfer == base::ByteCount(256 << 20));
  CHECK(daemon.of(1).maximum_range_descriptors == 9);
  CHECK(daemon.of(1).optimal_transfer == base::ByteCount(256 << 20));
  CHECK(daemon.of(2).maximum_range_descriptors == 9);
  CHECK(daemon.of(2).optimal_transfer == base::ByteCount(8 << 20));
  CHECK(daemon.of(3).maximum_range_descriptors == 3);
  CHECK(daemon.of(3).optimal_transfer == base::ByteCount(1 << 20));
  CHECK(daemon.of(3).total_concurrent_copies == 5);
  for (const std::uint16_t lun : {0, 1, 2}) {
    CHECK(daemon.of(lun).total_concurrent_copies == 100);
    CHECK(daemon.of(lun).maximum_identified_concurrent_copies == 100);
    CHECK(daemon.of(lun).maximum_tokens == 50);
  }
}

TEST_CASE("a unit cannot have more than the array, nor parts of its blocks; the fault names it") {
  const auto fault = [](const std::string& lun, const std::string& for_all = "") {
    Daemon daemon;
    const auto taken = daemon.take({lun}, for_all);
    return taken ? std::string() : taken.error();
  };
  CHECK(fault("4=memory:1M,total-concurrent-copies=256") ==
        "iqn.a:b LUN 4: total-concurrent-copies=256 is more than --max-copies 255");
  CHECK(fault("4=memory:1M,maximum-tokens=4097") ==
        "iqn.a:b LUN 4: maximum-tokens=4097 is more than --max-tokens 4096");
  CHECK(has(fault("4=memory:1M,blocksize=4096", "maximum-token-transfer-size=1536"),
            "iqn.a:b LUN 4: maximum-token-transfer-size"));
  CHECK(fault("4=memory:1M", "maximum-token-transfer-size=1536") == "");
  CHECK(has(fault("4=memory:1M,immed=maybe"), "iqn.a:b LUN 4: immed=maybe"));
  CHECK(has(fault("4=memory:1M", "immed=maybe"), "--copy: immed=maybe"));
  CHECK(has(fault("4=memory:1M,immed=accept,immed=accept"), "immed= is given twice"));
  CHECK(has(fault("4=memory:1M,colour=red"), "copy-profile=NAME"));
}

TEST_CASE("every profile is in order; what each promises") {
  for (const CopyProfile& profile : copy_profiles()) {
    INFO(profile.name);
    CHECK(fault_in("copy-profile=" + std::string(profile.name)) == "");
    for (const CopyProfile::Value& value : profile.values)
      CHECK_FALSE(value.reason.empty());
  }
  const auto profile = [](const char* name, const CopyLimits& onto = {}) {
    return limits_of(std::string("copy-profile=") + name, onto).value();
  };
  CHECK(profile("windows-default") == CopyLimits());
  CopyLimits other = profile("small-token-8m");
  CHECK(other.maximum_token_transfer == base::ByteCount(8 << 20));
  CHECK(profile("windows-default", other) == CopyLimits());
  CHECK(profile("windows-default", profile("xcopy-only")) == CopyLimits());
  // Windows: OPTIMAL 0 means writes of 64 MiB; equal to the maximum, one write (windows-host A.4).
  CHECK(profile("many-writes", other).optimal_transfer.value == 0);
  CHECK(profile("many-writes", other).maximum_token_transfer == base::ByteCount(256 << 20));
  CHECK(profile("single-write").optimal_transfer == profile("single-write").maximum_token_transfer);
  CHECK_FALSE(profile("no-zero-token").takes_zero_token());
  CHECK_FALSE(profile("xcopy-only").offers_tokens());
  CHECK(profile("xcopy-only").offers_extended_copy());
  CHECK(profile("freebsd-ctl-like").maximum_inactivity_timeout_seconds == 600);
}

// What the copy manager was started with bounds its units until the next start, whatever is said of
// it meanwhile.
TEST_CASE("bounds of the array that wait for its next start are no limits of units yet") {
  Daemon array;
  array.configuration.copies.tokens.live_tokens_max = 700;
  array.configuration.copies.operations_max = 70;
  REQUIRE(array.take({"0=memory:1M",
                      "1=memory:1M,maximum-tokens=600,total-concurrent-copies=60,"
                      "maximum-identified-concurrent-copies=50"},
                     "maximum-range-descriptors=7"));
  copymgr::CopySettings running;
  const auto now = [&](std::uint16_t lun) {
    return limits_within(running, array.configuration,
                         array.configuration.targets[0].luns.at({lun}));
  };
  for (const bool fewer : {true, false}) {
    running.tokens.live_tokens_max = fewer ? 500 : 900;
    running.operations_max = fewer ? 40 : 90;
    CHECK(now(0).maximum_tokens == (fewer ? 500 : 900));
    CHECK(now(0).total_concurrent_copies == (fewer ? 40 : 90));
    CHECK(now(0).maximum_identified_concurrent_copies == (fewer ? 40 : 90));
    CHECK(now(1).maximum_tokens == (fewer ? 500 : 600));
    CHECK(now(1).total_concurrent_copies == (fewer ? 40 : 60));
    CHECK(now(1).maximum_identified_concurrent_copies == (fewer ? 40 : 50));
    CHECK(now(1).maximum_range_descriptors == 7);
  }
  running = array.configuration.copies;
  CHECK(now(0) == array.of(0));
  CHECK(now(1) == array.of(1));
}

TEST_CASE("docs/odx.md and --help name every profile and every setting") {
  const std::string page = page_for_people(), help = help_on_copy_settings();
  REQUIRE_FALSE(page.empty());
  for (const CopyProfile& profile : copy_profiles()) {
    INFO(profile.name);
    CHECK(has(page, "`" + std::string(profile.name) + "`"));
    CHECK(has(help, std::string(profile.name) + " "));
    for (const CopyProfile::Value& value : profile.values) {
      INFO(value.key);
      CHECK(has(page, fmt::format("`{}={}` {}", value.key, value.value, value.reason)));
    }
  }
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line) && line.starts_with("  ");) {
    const std::string key = line.substr(2, line.find('=') - 2);
    INFO(key);
    CHECK(has(page, "`" + key + "`"));
  }
}
