// Plans: what a change takes, in which order, and what cannot be done to an array that is served.
#include "target/admin/plan.hpp"

namespace {

using namespace admin;
using Kind = Step::Kind;

TargetDocument target(const std::string& name, const std::vector<std::string>& luns = {},
                      std::vector<Word> options = {}) {
  TargetDocument out{name, std::move(options)};
  for (const std::string& text : luns) {
    const auto lun = parse_lun_words(text);
    REQUIRE(lun);
    out.luns.emplace(lun->number, *lun);
  }
  return out;
}

Document document(std::vector<TargetDocument> targets,
                  const std::vector<std::string>& portals = {"127.0.0.1:3260"}) {
  Document out;
  for (const std::string& portal : portals)
    out.portals.push_back({"portal", portal});
  out.targets = std::move(targets);
  return out;
}

std::vector<Kind> kinds(const Document& from, const Document& to, const PlanRules& rules = {}) {
  const auto made = plan(from, to, rules);
  REQUIRE(made);
  std::vector<Kind> out;
  for (const Step& step : made->steps)
    out.push_back(step.kind);
  return out;
}

std::string fault(const Document& from, const Document& to, const PlanRules& rules = {}) {
  const auto made = plan(from, to, rules);
  REQUIRE_FALSE(made);
  REQUIRE(made.error().size() == 1);
  return made.error().front().text;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

using Kinds = std::vector<Kind>;

}  // namespace

TEST_CASE("nothing changes, however it is written") {
  const Document one = document({target("iqn.a", {"0=file:/a,size=1G", "1=memory:1024K"})});
  const Document same = document({target(
      "iqn.a", {"1=memory:1M,thin=on", "0=file:/a,blocksize=512,size=1024M,readonly=off"})});
  CHECK(kinds(one, one).empty());
  CHECK(kinds(one, same).empty());
  CHECK(kinds(document({target("iqn.a", {"0=file:/a,size=1G"})}),
              document({target("iqn.a", {"0=file:/a"})}))
            .empty());  // it has the size that it has
}

TEST_CASE("what is new comes before what goes, and what shrinks comes last") {
  const Document from = document({target("iqn.a", {"0=memory:4M", "1=memory:1M", "2=memory:1M"})},
                                 {"127.0.0.1:1", "127.0.0.1:2"});
  const Document to = document({target("iqn.a", {"0=memory:2M", "2=memory:2M", "5=memory:1M"}),
                                target("iqn.b", {"0=memory:1M"})},
                               {"127.0.0.1:1", "127.0.0.1:3"});
  CHECK(kinds(from, to, {true}) == Kinds{Kind::add_portal, Kind::create_target, Kind::create_lun,
                                         Kind::create_lun, Kind::grow_lun, Kind::delete_lun,
                                         Kind::remove_portal, Kind::shrink_lun});
  CHECK(kinds(to, document({}, {"127.0.0.1:1", "127.0.0.1:3"})) ==
        Kinds{Kind::delete_lun, Kind::delete_lun, Kind::delete_lun, Kind::delete_lun,
              Kind::delete_target, Kind::delete_target});
}

TEST_CASE("shrinking has to be asked for, one at a time") {
  const Document from = document({target("iqn.a", {"0=memory:4M", "1=memory:4M"})});
  const Document one = document({target("iqn.a", {"0=memory:2M", "1=memory:4M"})});
  const Document both = document({target("iqn.a", {"0=memory:2M", "1=memory:2M"})});
  CHECK(contains(fault(from, one), "--shrink"));
  CHECK(kinds(from, one, {true}) == Kinds{Kind::shrink_lun});
  CHECK(contains(fault(from, both, {true}), "one by one"));
  CHECK(contains(fault(from, document({target("iqn.a", {"0=memory:4M", "1=memory:4194305"})})),
                 "whole number"));
}

TEST_CASE("what a unit is cannot change while it is served") {
  const auto of = [](const std::string& lun) { return document({target("iqn.a", {lun})}); };
  const Document from = of("0=file:/a,size=1M");
  for (const char* lun : {"0=file:/a,size=1M,blocksize=4096", "0=file:/a,size=1M,readonly=on",
                          "0=file:/b,size=1M", "0=file:/a,size=1M,thin=off"}) {
    CAPTURE(lun);
    CHECK(contains(fault(from, of(lun)), "cannot change while it is served"));
  }
  CHECK(contains(fault(from, of("0=file:/a,size=1M,provisioned=1M")), "is not counted"));
  CHECK(kinds(of("0=file:/a,provisioned=1M"), of("0=file:/a,provisioned=2M")) ==
        Kinds{Kind::change_lun});
}

TEST_CASE("limits of copies change at once; what Windows reads when a disk starts is told") {
  const auto of = [](const std::string& lun, std::vector<Word> settings = {}) {
    Document out = document({target("iqn.a", {lun})});
    out.settings = std::move(settings);
    return out;
  };
  const Document from = of("0=file:/a,optimal-transfer-count=1M", {{"copy", "immed=refuse"}});
  const auto warnings = [&](const Document& to) {
    const auto made = plan(from, to);
    REQUIRE(made);
    REQUIRE(made->steps.size() == 1);
    CHECK_FALSE(contains(made->steps[0].text, "next start"));
    return made->warnings;
  };
  const std::vector<Word> same = from.settings;
  CHECK(warnings(of("0=file:/a,optimal-transfer-count=1M,maximum-tokens=5", same)).empty());
  for (const auto& [lun, keys] : std::vector<std::pair<std::string, std::string>>{
           {"0=file:/a,optimal-transfer-count=2M,token-use=bearer", "optimal-transfer-count"},
           {"0=file:/a", "optimal-transfer-count"},
           {"0=file:/a,default-inactivity-timeout=9,maximum-inactivity-timeout=9,"
            "maximum-range-descriptors=9,maximum-token-transfer-size=2M",
            "default-inactivity-timeout, maximum-inactivity-timeout, maximum-range-descriptors, "
            "maximum-token-transfer-size, optimal-transfer-count"},
           {"0=file:/a,optimal-transfer-count=1M,copy-profile=xcopy-only,without=83/00",
            "copy-profile, without"}}) {
    const auto told = warnings(of(lun, same));
    REQUIRE(told.size() == 1);
    CHECK(contains(told[0], "Windows reads " + keys + " only when it starts a disk"));
  }
  // Of the whole array.
  const std::string lun = "0=file:/a,optimal-transfer-count=1M";
  CHECK(warnings(of(lun)).empty());
  CHECK(warnings(of(lun, {{"copy", "immed=accept,maximum-tokens=7"}})).empty());
  const auto told = warnings(of(lun, {{"copy", "immed=refuse"}, {"copy", "without=83/00"}}));
  REQUIRE(told.size() == 1);
  CHECK(contains(told[0], "Windows reads without only"));
}

TEST_CASE("a file does not change hands in one change") {
  const Document from = document({target("iqn.a", {"0=file:/a"})});
  CHECK(contains(fault(from, document({target("iqn.a", {"1=file:/a"})})),
                 "still the backing of LUN 0 of iqn.a"));
  CHECK(contains(fault(from, document({target("iqn.b", {"0=file:/a"})})), "delete that one first"));
  const Document read_only = document({target("iqn.a", {"0=file:/a,readonly=on"})});
  CHECK(kinds(read_only, document({target("iqn.a", {"1=file:/a,readonly=on"})})) ==
        Kinds{Kind::create_lun, Kind::delete_lun});
}

TEST_CASE("options of a target change as they are") {
  const Document from = document({target("iqn.a", {}, {{"allow", "iqn.x"}, {"alias", "a"}})});
  CHECK(kinds(from, document({target("iqn.a", {}, {{"alias", "a"}, {"allow", "iqn.x"}})})).empty());
  const auto made = plan(from, document({target("iqn.a", {}, {{"alias", "b"}})}));
  REQUIRE(made);
  REQUIRE(made->steps.size() == 1);
  CHECK(made->steps[0].text == "change alias, allow of target iqn.a");
}

TEST_CASE("portals: several may take free ports, an address is there once") {
  const auto with = [](const std::vector<std::string>& portals) {
    return document({target("iqn.a")}, portals);
  };
  const Document two = with({"127.0.0.1:0", "127.0.0.1:0"});
  CHECK(kinds(two, two).empty());
  CHECK(kinds(two, with({"127.0.0.1:0"})) == Kinds{Kind::remove_portal});
  CHECK(kinds(with({"127.0.0.1:1"}), with({"127.0.0.1:1,dscp=3"})) == Kinds{Kind::change_portal});
  CHECK(contains(fault(with({"127.0.0.1:1"}), with({"127.0.0.1:1", "127.0.0.1:1,dscp=3"})),
                 "given twice"));
  CHECK(contains(fault(with({"127.0.0.1:1"}), with({"127.0.0.1:1", "127.0.0.1:2,group=2"})),
                 "portal group 2"));
}

TEST_CASE("settings that wait for the next start say so") {
  Document to = document({});
  to.settings.push_back({"max-tokens", "5"});
  auto made = plan(document({}), to);
  REQUIRE(made);
  CHECK(made->steps[0].text == "set max-tokens to 5 at the next start of the daemon");
  CHECK(made->warnings.size() == 1);
  to.settings = {{"log-level", "debug"}};
  made = plan(document({}), to);
  REQUIRE(made);
  CHECK(made->steps[0].text == "set log-level to debug");
  CHECK(made->warnings.empty());
}
