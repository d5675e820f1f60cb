// The copy manager group in a document: its words, every fault with its line, what verbs make of
// it, and the steps that a change takes.
#include "target/admin/group_document.hpp"

#include <fstream>

#include "target/admin/plan.hpp"
#include "target/admin/start.hpp"
#include "tests/support/temp_dir.hpp"

namespace {

using namespace admin;
using Words = std::vector<Word>;

struct Folder : test::TempDir {
  Folder() {
    std::ofstream(path("west")) << "sixteen bytes at least\nnot this line\n";
    std::ofstream(path("short")) << "short\n";
    std::ofstream(path("empty")) << "\n";
  }
};

Words words_of(const std::string& secret_file, const std::vector<std::string>& members = {}) {
  Words out{{"name", "west"}, {"secret-file", secret_file}};
  for (const std::string& member : members)
    out.push_back({"member", member});
  return out;
}

Document document_of(Words group) {
  Document out;
  out.portals.push_back({"portal", "127.0.0.1:0"});
  out.group = std::move(group);
  return out;
}

Faults faults_of(const std::string& text, const std::string& folder) {
  const auto document = parse_toml(text, folder);
  if (!document) return document.error();
  const auto meaning = configuration_of(*document, {});
  return meaning ? Faults() : meaning.error();
}

std::vector<std::string> steps(const Words& from, const Words& to) {
  const auto made = plan(document_of(from), document_of(to));
  REQUIRE(made);
  std::vector<std::string> out;
  for (const Step& step : made->steps) {
    CHECK(name_of(step.kind) == "change-group");
    out.push_back(step.text);
  }
  return out;
}

}  // namespace

TEST_CASE("group in a file: the words of the command line, and read back as they are written") {
  const Folder folder;
  const auto document = parse_toml(R"([group]
secret-file = "west"
name = "west"
bandwidth = "1G"
pulls = 2
[group.members]
c = ["192.0.2.3:3260", "[2001:db8::3]:3260"]
b = "192.0.2.2:3260"
"Array 7" = "192.0.2.7:3260"
)",
                                   folder.path(""));
  REQUIRE(document);
  CHECK(document->group == Words{{"name", "west"},
                                 {"secret-file", folder.path("west")},
                                 {"pulls", "2"},
                                 {"bandwidth", "1G"},
                                 {"member", "Array 7=192.0.2.7:3260"},
                                 {"member", "b=192.0.2.2:3260"},
                                 {"member", "c=192.0.2.3:3260,[2001:db8::3]:3260"}});
  const std::string text = to_toml(*document);
  const auto again = parse_toml(text, "");
  REQUIRE(again);
  CHECK(again->group == document->group);
  CHECK(to_toml(*again) == text);
  Document other = *document;
  other.group.pop_back();
  CHECK(digest_of(other) != digest_of(*document));
  CHECK(text.find("sixteen bytes") == std::string::npos);
}

TEST_CASE("group in a file: what it means") {
  const Folder folder;
  Words words = words_of(folder.path("west"), {"b=192.0.2.2:3260,192.0.2.3:3260"});
  words.push_back({"pulls", "2"});
  words.push_back({"bandwidth", "1G"});
  const auto configuration = configuration_of(document_of(words), {});
  REQUIRE(configuration);
  REQUIRE(configuration->group);
  copymgr::Group wanted{
      "west", "sixteen bytes at least", {{"b", {"192.0.2.2:3260", "192.0.2.3:3260"}}}};
  wanted.limits.pulls_at_once = 2;
  wanted.limits.bytes_per_second = base::ByteCount(1u << 30);
  CHECK(*configuration->group == wanted);
  CHECK_FALSE(configuration_of(document_of({}), {})->group);
}

TEST_CASE("group in a file: every fault has its line and says what is allowed") {
  const Folder folder;
  const std::string g = "[group]\nname = \"west\"\nsecret-file = \"west\"\n";
  struct Row {
    std::string text;
    unsigned line;
    std::string what;
  };
  const Row rows[] = {
      {"[group]\nname = \"west\"\n", 1, "[group] needs name = and secret-file ="},
      {"[group]\nsecret-file = \"west\"\n", 1, "[group] needs name = and secret-file ="},
      {"[[group]]\nname = \"west\"\n", 1, "write [group] here"},
      {g + "colour = 1\n", 4,
       "no colour in [group]; allowed: name, pulls, bandwidth, secret-file, members"},
      {"[group]\nname = \"a b\"\nsecret-file = \"west\"\n", 2, "no name for a group"},
      {"[group]\nname = \"west\"\nsecret-file = \"none\"\n", 3, "cannot read the secret"},
      {"[group]\nname = \"west\"\nsecret-file = \"empty\"\n", 3, "cannot read the secret"},
      {"[group]\nname = \"west\"\nsecret-file = \"short\"\n", 3, "at least 16 bytes"},
      {g + "pulls = 0\n", 4, "must be from 1 to 64"},
      {g + "pulls = \"many\"\n", 4, "must be from 1 to 64"},
      {g + "bandwidth = \"1Q\"\n", 4, "bandwidth: "},
      {g + "members = [\"b\"]\n", 4, "write [group.members] here"},
      {g + "[group.members]\nb = \"192.0.2.2:3260\"\nc = \"nowhere\"\n", 6, "not a portal"},
      {g + "[group.members]\nb = [\"192.0.2.2:3260\", \"nowhere\"]\n", 5, "not a portal"},
      {g + "[group.members]\nb = []\n", 5, "is not a member: write NAME="},
      {g + "[group.members]\nb = 1.5\n", 5, "write a text"},
      {g + "[group.members]\n\"a b\" = \"192.0.2.2:3260\"\n", 5, "is not a member"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Faults faults = faults_of(row.text, folder.path(""));
    REQUIRE_FALSE(faults.empty());
    CHECK(faults.front().line == row.line);
    CAPTURE(faults.front().text);
    CHECK(faults.front().text.find(row.what) != std::string::npos);
  }
  CHECK(faults_of(g, folder.path("")).empty());
  const auto twice =
      group_of(words_of(folder.path("west"), {"b=192.0.2.2:3260", "b=192.0.2.3:3260"}));
  REQUIRE_FALSE(twice);
  CHECK(twice.error().front().text.find("given twice") != std::string::npos);
}

TEST_CASE("group by verbs: create, join, leave, and what is refused changes nothing") {
  Document document = document_of({});
  CHECK(leave_group(document) == "the array is in no group");
  CHECK(remove_group_member(document, "b") == "the array is in no group");
  CHECK_FALSE(create_group(document, words_of("/s", {"c=192.0.2.3:1", "b=192.0.2.2:1"})));
  const Words made = words_of("/s", {"b=192.0.2.2:1", "c=192.0.2.3:1"});
  CHECK(document.group == made);
  CHECK(create_group(document, words_of("/t")) == "the array is in the group west: leave first");
  CHECK(join_group(document, {{"name", "east"}}) == "the array is in the group west: leave first");
  CHECK(remove_group_member(document, "d") == "the group west has no member d");
  CHECK(document.group == made);
  // Adds members, replaces those of a name; the limits and the secret stay.
  CHECK_FALSE(join_group(document, {{"name", "west"},
                                    {"pulls", "9"},
                                    {"member", "a=192.0.2.1:1"},
                                    {"member", "c=192.0.2.4:1"}}));
  CHECK(document.group == words_of("/s", {"a=192.0.2.1:1", "b=192.0.2.2:1", "c=192.0.2.4:1"}));
  CHECK_FALSE(remove_group_member(document, "b"));
  CHECK(document.group == words_of("/s", {"a=192.0.2.1:1", "c=192.0.2.4:1"}));
  CHECK_FALSE(leave_group(document));
  CHECK(document.group.empty());
  CHECK_FALSE(join_group(document, words_of("/s")));
  CHECK(document.group == words_of("/s"));
}

TEST_CASE("group: the steps of a change") {
  using Texts = std::vector<std::string>;
  const Words west = words_of("/s", {"b=192.0.2.2:1"});
  Words east = west, more = west;
  east[0].value = "east";
  more.push_back({"member", "c=192.0.2.3:1"});
  CHECK(steps({}, {}).empty());
  CHECK(steps(west, west).empty());
  CHECK(steps({}, west) == Texts{"join the copy manager group west"});
  CHECK(steps(west, {}) == Texts{"leave the copy manager group west"});
  CHECK(steps(west, east) == Texts{"leave the copy manager group west, join east"});
  CHECK(steps(west, more) == Texts{"change member of the copy manager group west"});
}

TEST_CASE("group: who spoke last counts, whole") {
  Start start;
  start.given = true;
  start.document = document_of(words_of("/s"));
  SavedDocument saved{document_of(words_of("/s", {"b=192.0.2.2:1"})), 3, digest_of(start.document)};
  // The same command line as then: what verbs made of it stands.
  CHECK(choose_document(start, start.document, saved).document.group == saved.document.group);
  start.document.group = words_of("/t");
  CHECK(choose_document(start, start.document, saved).document.group == words_of("/t"));
  start.document.group.clear();
  CHECK(choose_document(start, start.document, saved).document.group.empty());
  start.given = false;  // nothing of the array is said, or of its group alone
  CHECK(choose_document(start, start.document, saved).document.group == saved.document.group);
  start.document.group = words_of("/t");
  CHECK(choose_document(start, start.document, saved).document.group == words_of("/t"));
}

TEST_CASE("group: what an earlier version kept becomes words, its secret a file for this user") {
  const Folder folder;
  const std::string kept = folder.path("group.json"), secrets = folder.path("secrets");
  CHECK(read_kept_group(kept, secrets)->empty());
  std::ofstream(kept) << R"({"name":"west","secret":"sixteen bytes of it","members":[)"
                      << R"({"name":"b","portals":["192.0.2.2:1","192.0.2.3:1"]}],)"
                      << R"("pulls_at_once":2,"bytes_per_second":1024})";
  const auto words = read_kept_group(kept, secrets);
  REQUIRE(words);
  const auto group = group_of(*words);
  REQUIRE(group);
  CHECK((*group)->secret == "sixteen bytes of it");
  CHECK((*group)->members.at(0).portals.size() == 2);
  CHECK((*group)->limits.pulls_at_once == 2);
  CHECK((*group)->limits.bytes_per_second.value == 1024);
  const std::string file = *value_of(*words, "secret-file");
  CHECK(std::filesystem::path(file).parent_path() == secrets);
  CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms(077)) ==
        std::filesystem::perms::none);
  for (const char* text : {"", "{}", R"({"name":"west"})", "not even JSON", R"({"name":1})"}) {
    std::ofstream(kept, std::ios::trunc) << text;
    const auto none = read_kept_group(kept, secrets);
    REQUIRE_FALSE(none);
    CHECK(none.error().find("does not hold a copy manager group") != std::string::npos);
  }
}

TEST_CASE("group: the secret is the first line of its file") {
  const Folder folder;
  CHECK(read_group_secret(folder.path("west")) == "sixteen bytes at least");
  CHECK_FALSE(read_group_secret(folder.path("empty")));
  CHECK_FALSE(read_group_secret(folder.path("none")));
}
