// Documents: TOML and the words of the command line are one; every fault has its line.
#include "target/admin/document.hpp"

#include <fstream>

#include "target/admin/start.hpp"
#include "tests/support/temp_dir.hpp"

namespace {

using namespace admin;

Document parsed(const std::string& text, const std::string& directory = "/srv") {
  auto document = parse_toml(text, directory);
  REQUIRE(document);
  return *document;
}

Faults faults_of(const std::string& text) {
  const auto document = parse_toml(text, "/srv");
  if (!document) return document.error();
  const auto meaning = configuration_of(*document, {});
  return meaning ? Faults() : meaning.error();
}

// The only fault of a text.
Fault fault_of(const std::string& text) {
  const Faults faults = faults_of(text);
  REQUIRE(faults.size() == 1);
  return faults.front();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* target =
    "[[portal]]\naddress = \"127.0.0.1:0\"\n[[target]]\nname = \"iqn.a\"\n";

const std::string everything = R"([array]
max-tokens = 500
header-digest = "crc32c"
strict-nexus = true

[array.copy]
default-inactivity-timeout = 60

[[array.discovery-chap]]
user = "finder"
secret-file = "/etc/finder"

[[portal]]
address = "127.0.0.1:0"
dscp = 26
group = 2

[[target]]
name = "iqn.2026-11.io.copymgr:a"
alias = "a, \"first\""
online = false
allow = ["iqn.host:*", "iqn.other"]
allow-from = ["192.0.2.0/24"]
portal-groups = [2]
redirect = { to = "192.0.2.1:3260", permanent = true }

[[target.chap]]
user = "me"
secret-file = "/etc/me"
initiator = "iqn.host:*"

[target.mutual-chap]
user = "array"
secret-file = "/etc/array"

[[target.map]]
initiator = "iqn.host:*"
luns = { 0 = 5, 1 = 0 }

[[target.lun]]
number = 0
backing = "memory:1M"

[[target.lun]]
number = 5
backing = "file:a.img"
size = "10G"
thin = false

[target.lun.copy]
maximum-tokens = 7
)";

}  // namespace

TEST_CASE("a file is the words of the command line") {
  const Document document = parsed(everything);
  using Words = std::vector<Word>;
  CHECK(document.settings == Words{{"copy", "default-inactivity-timeout=60"},
                                   {"discovery-chap", "finder:/etc/finder"},
                                   {"header-digest", "crc32c"},
                                   {"max-tokens", "500"},
                                   {"strict-nexus", "on"}});
  CHECK(document.portals == Words{{"portal", "127.0.0.1:0,dscp=26,group=2"}});
  REQUIRE(document.targets.size() == 1);
  const TargetDocument& one = document.targets[0];
  CHECK(one.options == Words{{"alias", "a, \"first\""},
                             {"allow", "iqn.host:*"},
                             {"allow", "iqn.other"},
                             {"allow-from", "192.0.2.0/24"},
                             {"chap", "me:/etc/me,initiator=iqn.host:*"},
                             {"map", "iqn.host:*=0:5,1:0"},
                             {"mutual-chap", "array:/etc/array"},
                             {"offline", ""},
                             {"portal-group", "2"},
                             {"redirect", "192.0.2.1:3260,permanent"}});
  REQUIRE(one.luns.size() == 2);
  CHECK(lun_words(one.luns.at(5)) == "5=file:/srv/a.img,maximum-tokens=7,size=10G,thin=off");
}

TEST_CASE("what is written is read back") {
  const Document document = parsed(everything);
  const std::string text = to_toml(document);
  const Document again = parsed(text, "");
  CHECK(to_toml(again) == text);
  CHECK(digest_of(again) == digest_of(document));
  CHECK(again.settings.size() == document.settings.size());
  CHECK(again.targets[0].options.size() == document.targets[0].options.size());
  CHECK(lun_words(again.targets[0].luns.at(5)).size() ==
        lun_words(document.targets[0].luns.at(5)).size());
}

TEST_CASE("the words of a LUN on the command line") {
  const auto lun = parse_lun_words("3=file:/srv/a.img,size=1G,readonly=on");
  REQUIRE(lun);
  CHECK(lun->number == 3);
  CHECK(lun->backing == "file:/srv/a.img");
  CHECK(lun->options == std::vector<Word>{{"size", "1G"}, {"readonly", "on"}});
  CHECK(lun_words(*lun) == "3=file:/srv/a.img,size=1G,readonly=on");
  for (const char* wrong : {"memory:1M", "=memory:1M", "x=memory:1M", "70000=memory:1M", "3"})
    CHECK_FALSE(parse_lun_words(wrong));
  CHECK(absolute_backing("file:a.img", "/srv") == "file:/srv/a.img");
  CHECK(absolute_backing("file:/a.img", "/srv") == "file:/a.img");
  CHECK(absolute_backing("memory:1M", "/srv") == "memory:1M");
}

TEST_CASE("every fault has its line") {
  struct Row {
    std::string text;
    unsigned line;
    std::string what;
  };
  const std::string t = target;
  const Row rows[] = {
      {"[array]\nmax-tokens = 0\n", 2, "max-tokens must be at least 1"},
      {"[array]\ncolour = 1\n", 2, "there is no colour in [array]; allowed: header-digest"},
      {"[array\n", 1, ""},
      {"[array.copy]\nmaximum-tokens = \"x\"\n", 2, "maximum-tokens=x is not possible"},
      {"colour = 1\n", 1, "allowed: array, group, portal, target"},
      {"[[portal]]\ngroup = 2\n", 1, "needs address"},
      {"[[portal]]\naddress = \"localhost\"\n", 1, "not a portal"},
      {"[portal]\naddress = \"127.0.0.1\"\n", 1, "[[portal]]"},
      {"[[target]]\nalias = \"x\"\n", 1, "needs name"},
      {"[[target]]\nname = \"Disk\"\n", 1, "not an iSCSI name"},
      {t + "allow-from = [\"192.0.2.0/33\"]\n", 5, "is not a network"},
      {t + "alias = 1.5\n", 5, "a text, a number"},
      {t + "online = \"yes\"\n", 5, "true or false"},
      {t + "[[target.lun]]\nbacking = \"memory:1M\"\n", 5, "needs number"},
      {t + "[[target.lun]]\nnumber = 0\n", 5, "needs backing"},
      {t + "[[target.lun]]\nnumber = 0\nbacking = \"tape:1M\"\n", 5, "known scheme"},
      {t + "[[target.lun]]\nnumber = 0\nbacking = \"memory:1M\"\nblocksize = 4096\nphysical = 1\n",
       9, "physical=1 is not possible"},
      {t + "[[target.lun]]\nnumber = 0\nbacking = \"memory:1M\"\n[target.lun.copy]\n"
           "maximum-tokens = 0\n",
       9, "maximum-tokens=0"},
      {t + "[[target.lun]]\nnumber = 0\nbacking = \"memory:1M,x=1\"\n", 7, "a comma"},
      {t + "[[target.lun]]\nnumber = 0\nbacking = \"memory:1M\"\n[[target.lun]]\nnumber = 0\n"
           "backing = \"memory:1M\"\n",
       8, "given twice, first in line 5"},
      {t + "[[target.lun]]\nnumber = 0\nbacking = \"file:a\"\n[[target.lun]]\nnumber = 1\n"
           "backing = \"file:a\"\n",
       8, "backing of another LUN (line 5)"},
      {t + "[[target.map]]\ninitiator = \"iqn.*\"\nluns = { 0 = 9 }\n", 5, "names logical unit 9"},
      {t + "[[target.chap]]\nuser = \"me\"\n", 5, "secret-file"},
      {t + "[[target.chap]]\nuser = \"me\"\nsecret-file = \"/nowhere/x\"\n", 5, "cannot read"},
      {t + "portal-groups = [7]\n", 3, "no portal is in portal group 7"},
      {t + "[[target]]\nname = \"iqn.a\"\n", 5, "given twice"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Fault fault = fault_of(row.text);
    CHECK(fault.line == row.line);
    CAPTURE(fault.text);
    CHECK(contains(fault.text, row.what));
  }
}

TEST_CASE("all faults are told, in their order") {
  const Faults faults = faults_of("[array]\nmax-tokens = 0\n[[portal]]\naddress = \"x\"\n");
  REQUIRE(faults.size() == 2);
  CHECK(faults[0].line == 2);
  CHECK(faults[1].line == 3);
  CHECK(to_text({{3, "wrong"}, {0, "also"}}, "a.toml") == "a.toml:3: wrong\nalso");
}

TEST_CASE("read-only units share a file") {
  const std::string lun = "[[target.lun]]\nbacking = \"file:a\"\nreadonly = true\n";
  CHECK(faults_of(std::string(target) + lun + "number = 0\n" + lun + "number = 1\n").empty());
}

TEST_CASE("who spoke last counts") {
  test::TempDir folder;
  const std::string path = folder.path("array.toml");
  CHECK(load_document(path).value() == std::nullopt);
  Start start;
  start.given = true;
  const Document given = parsed(target);
  SavedDocument first = choose_document(start, given, std::nullopt);
  CHECK(first.revision == 1);
  CHECK(first.made_from == digest_of(given));
  // A verb makes more of it.
  first.document.targets[0].luns.emplace(3, LunDocument{3, "memory:1M", {}});
  first.revision = 2;
  REQUIRE(save_document(path, first));
  const auto saved = load_document(path);
  REQUIRE(saved);
  REQUIRE(*saved);
  CHECK(digest_of((*saved)->document) == digest_of(first.document));
  CHECK((*saved)->revision == 2);
  SECTION("started with the same again") {
    const auto chosen = choose_document(start, given, *saved);
    CHECK(chosen.revision == 2);
    CHECK(chosen.document.targets[0].luns.contains(3));
  }
  SECTION("started with something else") {
    const Document other = parsed(std::string(target) + "alias = \"x\"\n");
    const auto chosen = choose_document(start, other, *saved);
    CHECK(chosen.revision == 3);
    CHECK_FALSE(chosen.document.targets[0].luns.contains(3));
    CHECK(chosen.made_from == digest_of(other));
  }
  SECTION("started with nothing but a setting") {
    start.given = false;
    Document settings;
    settings.settings.push_back({"workers", "2"});
    start.document = settings;
    const auto chosen = choose_document(start, settings, *saved);
    CHECK(chosen.document.targets[0].luns.contains(3));
    CHECK(*value_of(chosen.document.settings, "workers") == "2");
  }
  SECTION("damaged") {
    std::ofstream(path) << "[[target]]\n";
    CHECK_FALSE(load_document(path));
  }
}
