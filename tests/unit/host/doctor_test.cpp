// What keeps hosts from letting an array copy: a unit in order, and each thing that can be wrong
// with it. The bytes are made by hand, as the reference has them.
#include "tools/host/doctor.hpp"

#include <functional>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/host/fake_array.hpp"

using namespace host;
using Catch::Matchers::Contains;

namespace {

// Page 8Fh with descriptor 0000h alone: 64 ranges, timers 60 and 3600 s, 256 MiB, optimal as told.
PageBytes copy_page(std::uint32_t optimal_blocks = 0) {
  PageBytes out{0, 0x8f, 0, 0x24, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0x0e, 0x10,
                0, 0,    0, 60,   0, 0, 0, 0,    0, 8, 0, 0, 0, 0, 0, 0,  0, 0, 0,    0};
  base::store_be32(out, 36, optimal_blocks);
  return out;
}

// RECEIVE COPY OPERATING PARAMETERS (wire reference 8.6).
PageBytes operating_parameters() {
  PageBytes out(44);
  out[3] = 42;
  out[4] = 1;
  out[9] = 2;                           // CSCDs
  out[11] = 1;                          // segments
  base::store_be32(out, 12, 92);        // bytes of a list
  base::store_be32(out, 16, 4u << 20);  // bytes of a segment
  out[43] = 2;
  out.insert(out.end(), {0x02, 0xe4});
  return out;
}

Symptoms in_order() {
  Symptoms out;
  out.facts.block_length = base::BlockLength{512};
  out.facts.capacity = base::BlockCount(1 << 20);
  out.inquiry = PageBytes(36);
  out.inquiry[5] = 0x08;
  out.inquiry[7] = 0x02;
  out.supported_pages = PageBytes{0, 0, 0, 6, 0x00, 0x83, 0x8f, 0xb0, 0xb1, 0xb2};
  out.identification = PageBytes{0, 0x83, 0, 12, 0x01, 0x03, 0, 8, 0x50, 0, 0, 0, 0, 0, 0, 1};
  out.third_party_copy = copy_page();
  out.control_mode = PageBytes{15, 0, 0, 0, 0x0a, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  out.operating_parameters = operating_parameters();
  out.facts.capability = odx_capability(view(out.supported_pages), view(out.third_party_copy));
  return out;
}

Symptoms with(const std::function<void(Symptoms&)>& change) {
  Symptoms out = in_order();
  change(out);
  out.facts.capability = odx_capability(view(out.supported_pages), view(out.third_party_copy));
  return out;
}

// The only finding that did not pass.
Finding only_fault(const Diagnosis& diagnosis) {
  std::vector<Finding> out;
  for (const Finding& each : diagnosis.findings) {
    if (each.grade != Grade::passed) out.push_back(each);
  }
  REQUIRE(out.size() == 1);
  CHECK_FALSE(out.front().found.empty());
  CHECK_FALSE(out.front().fix.empty());
  return out.front();
}

}  // namespace

TEST_CASE("a unit in order: every host offloads, nothing is to be done") {
  const Symptoms unit = in_order();
  for (const Diagnosis& each :
       {diagnose_windows(unit), diagnose_vmware(unit), diagnose_linux(unit)}) {
    CAPTURE(each.host);
    CHECK(each.offloads);
    for (const Finding& finding : each.findings) {
      CAPTURE(finding.text);
      CHECK(finding.grade == Grade::passed);
      CHECK(finding.fix.empty());
    }
  }
  CHECK(diagnose_windows(unit).summary == "Windows uses it: 4 tokens and 16 writes for a GiB");
}

TEST_CASE("Windows: a gate that fails ends ODX, and is the reason") {
  const Symptoms unsorted = with([](Symptoms& s) {
    s.supported_pages = PageBytes{0, 0, 0, 6, 0x00, 0x8f, 0x83, 0xb0, 0xb1, 0xb2};
  });
  const Diagnosis windows = diagnose_windows(unsorted);
  CHECK_FALSE(windows.offloads);
  CHECK(windows.summary == "page 00h is not ascending at 83h, after 8Fh");
  CHECK_THAT(only_fault(windows).fix, Contains("B2h"));
  // EXTENDED COPY does not care.
  CHECK(diagnose_vmware(unsorted).offloads);

  const Symptoms behind = with([](Symptoms& s) { (*s.third_party_copy)[5] = 1; });
  CHECK_THAT(diagnose_windows(behind).summary, Contains("0001h, not 0000h"));
  const Symptoms none = with(
      [](Symptoms& s) { s.supported_pages = PageBytes{0, 0, 0, 5, 0x00, 0x83, 0xb0, 0xb1, 0xb2}; });
  CHECK_FALSE(diagnose_windows(none).offloads);
}

TEST_CASE("Windows: what is advice leaves ODX on") {
  struct Case {
    std::function<void(Symptoms&)> change;
    std::string rule;
  };
  const std::vector<Case> cases{
      {[](Symptoms& s) { s.third_party_copy = copy_page(0x00100000); }, "OPTIMAL TRANSFER COUNT"},
      {[](Symptoms& s) { s.third_party_copy = copy_page(64); }, "WRITE USING TOKEN"},
      {[](Symptoms& s) { (*s.third_party_copy)[23] = 5; }, "half a minute"},
      {[](Symptoms& s) { s.inquiry[5] = 0; }, "3PC"},
      {[](Symptoms& s) { s.inquiry[7] = 0; }, "CMDQUE"},
      {[](Symptoms& s) { s.supported_pages = PageBytes{0, 0, 0, 5, 0x00, 0x83, 0x8f, 0xb0, 0xb1}; },
       "lists B2h"},
      {[](Symptoms& s) { s.identification.reset(); }, "page 83h"},
      {[](Symptoms& s) { (*s.identification)[5] = 0x01; }, "page 83h"},  // T10 alone
      {[](Symptoms& s) { (*s.identification)[5] = 0x13; }, "page 83h"},  // of the port
      {[](Symptoms& s) { s.control_mode.reset(); }, "QERR"},
      {[](Symptoms& s) { (*s.control_mode)[7] = 0x02; }, "QERR"},
      {[](Symptoms& s) { (*s.control_mode)[3] = 8; },
       "QERR"},  // behind descriptors that are not there
  };
  for (const Case& each : cases) {
    CAPTURE(each.rule);
    const Diagnosis windows = diagnose_windows(with(each.change));
    CHECK(windows.offloads);
    const Finding fault = only_fault(windows);
    CHECK(fault.grade == Grade::advice);
    CHECK_THAT(fault.text, Contains(each.rule));
  }
}

TEST_CASE("EXTENDED COPY: what ESXi and sg_xcopy cannot do without") {
  struct Case {
    std::function<void(Symptoms&)> change;
    std::string rule;
  };
  const std::vector<Case> cases{
      {[](Symptoms& s) { s.inquiry[5] = 0; }, "3PC"},
      {[](Symptoms& s) {
         s.operating_parameters.reset();
         s.operating_parameters_refused = "05/20/00";
       },
       "OPERATING PARAMETERS"},
      {[](Symptoms& s) { s.operating_parameters->resize(43); }, "OPERATING PARAMETERS"},
      {[](Symptoms& s) { (*s.operating_parameters)[9] = 1; }, "two CSCD"},
      {[](Symptoms& s) { (*s.operating_parameters)[11] = 0; }, "two CSCD"},
      {[](Symptoms& s) { (*s.operating_parameters)[15] = 91; }, "two CSCD"},
      {[](Symptoms& s) { (*s.operating_parameters)[45] = 0xe0; }, "E4h"},
      {[](Symptoms& s) { (*s.operating_parameters)[43] = 1; }, "E4h"},
      {[](Symptoms& s) { (*s.operating_parameters)[44] = 0x0b; }, "02h"},
      {[](Symptoms& s) { (*s.identification)[5] = 0x00; }, "page 83h"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.rule);
    for (const Diagnosis& host :
         {diagnose_vmware(with(each.change)), diagnose_linux(with(each.change))}) {
      CAPTURE(host.host);
      CHECK_FALSE(host.offloads);
      const Finding fault = only_fault(host);
      CHECK(fault.grade == Grade::failed);
      CHECK_THAT(fault.text, Contains(each.rule));
      CHECK(host.summary == fault.found);
    }
  }
  const Symptoms eui = with([](Symptoms& s) { (*s.identification)[5] = 0x02; });
  CHECK_FALSE(diagnose_vmware(eui).offloads);
  CHECK(diagnose_linux(eui).offloads);
  const Symptoms small = with([](Symptoms& s) { (*s.operating_parameters)[17] = 0x10; });
  CHECK(diagnose_vmware(small).offloads);
  CHECK(only_fault(diagnose_vmware(small)).grade == Grade::advice);
  const Symptoms unbounded = with([](Symptoms& s) { (*s.operating_parameters)[17] = 0; });
  CHECK(diagnose_vmware(unbounded).findings.back().grade == Grade::passed);
}

TEST_CASE("a trial makes one token of the first blocks and writes nothing") {
  test::FakeArray array;
  test::FakeLun unit(array, 4096, 512);
  const auto symptoms = examine(unit);
  REQUIRE(symptoms);
  CHECK(try_offload_read(unit, *symptoms).grade == Grade::passed);
  CHECK(unit.count(0x83, 0x10) == 1);
  CHECK(unit.count(0x83, 0x11) == 0);
  unit.intercept = [](const Command& command) -> std::optional<Reply> {
    if (command.cdb[0] != 0x83) return std::nullopt;
    return test::with_sense(test::sense_of(scsi::SenseKey::illegal_request, {0x20, 0x00}));
  };
  const Finding failed = try_offload_read(unit, *symptoms);
  CHECK(failed.grade == Grade::failed);
  CHECK_THAT(failed.found, Contains("05/20/00"));
}

TEST_CASE("a unit that refuses what is not needed is examined all the same") {
  test::FakeArray array;
  test::FakeLun unit(array, 4096, 512);
  unit.intercept = [](const Command& command) -> std::optional<Reply> {
    const bool needed = command.cdb[0] == 0x00 || command.cdb[0] == 0x25 ||
                        command.cdb[0] == 0x9e || command.cdb[0] == 0x12;
    if (needed) return std::nullopt;
    return test::with_sense(test::sense_of(scsi::SenseKey::illegal_request, {0x20, 0x00}));
  };
  const auto symptoms = examine(unit);
  REQUIRE(symptoms);
  CHECK_FALSE(symptoms->control_mode);
  CHECK_FALSE(symptoms->operating_parameters);
  CHECK_THAT(symptoms->operating_parameters_refused, Contains("05/20/00"));
}

TEST_CASE("a diagnosis as a document and as a table") {
  const Symptoms none = with([](Symptoms& s) { s.third_party_copy = copy_page(64); });
  const std::vector<Diagnosis> all{diagnose_windows(none), diagnose_linux(none)};
  const auto document = nlohmann::json::parse(to_json("iscsi://a/b/0", all));
  CHECK(document["url"] == "iscsi://a/b/0");
  CHECK(document["windows"]["offloads"] == true);
  CHECK(document["linux"]["findings"].size() == all[1].findings.size());
  CHECK(document["windows"]["findings"][0] ==
        nlohmann::json{{"rule", all[0].findings[0].text}, {"grade", "passed"}});
  const std::string table = to_table("iscsi://a/b/0", all);
  CHECK_THAT(table, Contains("Windows: ODX: yes"));
  CHECK_THAT(table, Contains("advice"));
  CHECK_THAT(table, Contains("found: Windows would write 32 KiB at a time"));
}
