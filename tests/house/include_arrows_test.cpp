// The house rules on every source file of the tree, and the checker itself on bad examples.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>

#include "tests/house/house_rules.hpp"

namespace {

namespace fs = std::filesystem;
using house::broken_rules;
using house::SourceFile;

std::vector<SourceFile> every_source() {
  const fs::path root = COPYMGR_SOURCE_DIR;
  std::vector<SourceFile> out;
  for (const char* room : {"base", "scsi", "store", "tokens", "copymgr", "target", "tools"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".hpp" && path.extension() != ".cpp") continue;
      std::ifstream in(path, std::ios::binary);
      out.push_back({fs::relative(path, root).generic_string(),
                     {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}});
    }
  }
  return out;
}

std::vector<std::string> check(std::string path, std::string text) {
  return broken_rules({std::move(path), std::move(text)});
}
bool including(std::string path, const std::string& header) {
  return check(std::move(path), "#include \"" + header + "\"\n").empty();
}
bool including_foreign(std::string path, const std::string& header) {
  return check(std::move(path), "#include <" + header + ">\n").empty();
}

}  // namespace

TEST_CASE("every source file keeps the house rules") {
  const auto sources = every_source();
  CHECK(sources.size() > 100);  // it looked at the tree, not at nothing
  std::size_t headers = 0;
  for (const SourceFile& file : sources) {
    headers += file.path.ends_with(".hpp") ? 1 : 0;
    for (const std::string& broken : broken_rules(file))
      FAIL_CHECK(broken);
  }
  CHECK(headers > 50);
}

TEST_CASE("checker: arrows that house.md allows") {
  CHECK(including("base/a.cpp", "base/b.hpp"));
  CHECK(including("scsi/a.cpp", "base/b.hpp"));
  CHECK(including("store/a.cpp", "base/b.hpp"));
  CHECK(including("tokens/a.cpp", "scsi/b.hpp"));
  for (const char* below : {"tokens/b.hpp", "store/b.hpp", "scsi/b.hpp", "base/b.hpp"}) {
    CHECK(including("copymgr/a.cpp", below));
    CHECK(including("target/device/commands/a.cpp", below));
  }
  CHECK(including("target/device/a.cpp", "copymgr/b.hpp"));
  CHECK(including("target/device/commands/a.cpp", "target/device/commands/b.hpp"));
  CHECK(including("target/iscsi/a.cpp", "target/device/task.hpp"));
  CHECK(including("target/iscsi/a.cpp", "scsi/b.hpp"));
  CHECK(including("target/net/a.cpp", "target/iscsi/b.hpp"));
  CHECK(including("target/net/a.cpp", "target/device/nexus.hpp"));
  CHECK(including("target/admin/a.cpp", "target/net/b.hpp"));
  CHECK(including("tools/copymgrd/a.cpp", "target/admin/b.hpp"));
  CHECK(including("tools/copymgr/a.cpp", "tools/host/b.hpp"));
  CHECK(including("tools/load/a.cpp", "tools/host/b.hpp"));
  CHECK(including("tools/load/a.cpp", "target/iscsi/pdu.hpp"));
}

TEST_CASE("checker: every arrow that points up or skips a wall is reported") {
  const std::pair<const char*, const char*> forbidden[] = {
      {"base/a.cpp", "scsi/b.hpp"},
      {"base/a.cpp", "tools/b.hpp"},
      {"scsi/a.cpp", "store/b.hpp"},
      {"scsi/a.cpp", "tokens/b.hpp"},
      {"store/a.cpp", "scsi/b.hpp"},
      {"store/a.cpp", "tokens/b.hpp"},
      {"tokens/a.cpp", "store/b.hpp"},
      {"tokens/a.cpp", "copymgr/b.hpp"},
      {"copymgr/a.cpp", "target/device/b.hpp"},
      {"copymgr/a.cpp", "target/iscsi/b.hpp"},
      {"target/device/a.cpp", "target/iscsi/b.hpp"},
      {"target/device/a.cpp", "target/net/b.hpp"},
      {"target/device/a.cpp", "target/admin/b.hpp"},
      {"target/iscsi/a.cpp", "target/device/nexus.hpp"},
      {"target/iscsi/a.cpp", "target/device/commands/task.hpp"},
      {"target/iscsi/a.cpp", "store/b.hpp"},
      {"target/iscsi/a.cpp", "copymgr/b.hpp"},
      {"target/iscsi/a.cpp", "tokens/b.hpp"},
      {"target/iscsi/a.cpp", "target/net/b.hpp"},
      {"target/net/a.cpp", "target/admin/b.hpp"},
      {"target/net/a.cpp", "tools/b.hpp"},
      {"target/admin/a.cpp", "tools/host/b.hpp"},
      {"tools/host/a.cpp", "tests/support/b.hpp"},
      {"tools/host/a.cpp", "target/iscsi/pdu.hpp"},
      {"tools/host/a.cpp", "tools/load/b.hpp"},
      {"tools/load/a.cpp", "target/iscsi/connection.hpp"},
      {"target/iscsi/a.cpp", "tools/load/b.hpp"},
      {"base/a.cpp", "tests/unit/scsi/hex.hpp"},
      {"store/a.cpp", "b.hpp"},  // not from the root: no one can tell whose it is
      {"target/iscsi/a.cpp", "../net/b.hpp"},
      {"basement/a.cpp", "base/b.hpp"},  // no room of the house
  };
  for (const auto& [path, header] : forbidden) {
    INFO(path << " -> " << header);
    CHECK_FALSE(including(path, header));
  }
  // Angle brackets and odd spacing are no way around.
  CHECK_FALSE(including_foreign("base/a.cpp", "scsi/b.hpp"));
  CHECK(check("base/a.cpp", "  #  include  \"scsi/b.hpp\"  // why\n").size() == 1);
}

TEST_CASE("checker: third-party headers stay in their rooms") {
  struct Row {
    const char* header;
    std::vector<std::string> rooms;
  };
  const Row rows[] = {
      {"boost/asio/io_context.hpp", {"target/net", "target/admin", "tools/host"}},
      {"boost/beast/http.hpp", {"target/net", "target/admin", "tools/host"}},
      {"iscsi/iscsi.h", {"store", "tools/host"}},
      {"spdlog/spdlog.h", {"base"}},
      {"openssl/evp.h", {"base"}},
      {"isa-l.h", {"base"}},
      {"liburing.h", {"store"}},
      {"rbd/librbd.h", {"store"}},
      {"sqlite3.h", {"base"}},
      {"toml++/toml.h", {"target/admin"}},
      {"nlohmann/json.hpp", {"target/admin", "tools/copymgr", "tools/host"}},
  };
  for (const Row& row : rows) {
    for (const char* room :
         {"base", "scsi", "store", "tokens", "copymgr", "target/device", "target/iscsi",
          "target/net", "target/admin", "tools/host", "tools/copymgr"}) {
      INFO(room << " -> " << row.header);
      const bool allowed = std::find(row.rooms.begin(), row.rooms.end(), room) != row.rooms.end();
      CHECK(including_foreign(std::string(room) + "/a.cpp", row.header) == allowed);
    }
  }
  CHECK(including_foreign("scsi/a.cpp", "fmt/format.h"));
  CHECK(including_foreign("scsi/a.cpp", "vector"));
}

TEST_CASE("checker: clocks are named in base only") {
  const char* const line = "auto now = std::chrono::steady_clock::now();\n";
  CHECK(check("base/clock.cpp", line).empty());
  CHECK(check("tools/host/a.cpp", line).size() == 1);
  CHECK(check("copymgr/a.cpp", "system_clock :: now()\n").size() == 1);
  CHECK(check("copymgr/a.cpp", "steady_clock::time_point t;\n").empty());
}

TEST_CASE("checker: marks of unfinished work are words of their own") {
  // Split, so that these lines do not look like marks themselves.
  for (const std::string mark : {"TO"
                                 "DO",
                                 "FIX"
                                 "ME",
                                 "X"
                                 "XX"}) {
    const auto broken = check("store/a.cpp", "int a;\n// " + mark + ": later\n");
    REQUIRE(broken.size() == 1);
    CHECK(broken[0] == "store/a.cpp:2: marks unfinished work");
  }
  CHECK(check("store/a.cpp", "\"/side-XXXXXX\"\n").empty());  // mkstemp
}

TEST_CASE("checker: headers have #pragma once, no file passes 600 lines") {
  CHECK(check("store/a.hpp", "int a;\n") ==
        std::vector<std::string>{"store/a.hpp: no #pragma once"});
  CHECK(check("store/a.hpp", "// What it is.\n#pragma once\n").empty());
  CHECK(check("store/a.hpp", "// #pragma once\n").size() == 1);
  std::string text;
  for (int i = 0; i < 600; ++i)
    text += "\n";
  CHECK(check("store/a.cpp", text).empty());
  CHECK(check("store/a.cpp", text + "\n").size() == 1);
  CHECK(check("store/a.cpp", text + "int last_line_without_end").size() == 1);
}

TEST_CASE("checker: each of several faults is told, with its line") {
  const auto broken = check("tokens/a.hpp",
                            "#include <vector>\n"
                            "#include \"store/store.hpp\"\n"
                            "#include <spdlog/spdlog.h>\n"
                            "auto t = std::chrono::system_clock::now();\n");
  CHECK(broken == std::vector<std::string>{
                      "tokens/a.hpp:2: forbidden arrow: tokens -> store/store.hpp",
                      "tokens/a.hpp:3: third-party header outside its room: spdlog/spdlog.h",
                      "tokens/a.hpp:4: names a clock outside base/",
                      "tokens/a.hpp: no #pragma once"});
}
